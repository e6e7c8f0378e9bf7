//! Alpine's record: one file for all packages, a letter per field.

use super::PackageKind;
use super::SourcePackage;
use super::record::PACKAGES;
use super::record::PathHash;
use super::record::Record;
use super::record::Stated;
use super::record::licence;
use super::record::word;

/// Where it is: the second place is that of releases with one `/usr`.
pub(super) const PLACES: [&str; 2] = ["lib/apk/db/installed", "usr/lib/apk/db/installed"];

/// One package while its lines pass by.
#[derive(Default)]
struct Lines<'a> {
    name: &'a str,
    version: &'a str,
    origin: &'a str,
    architecture: &'a str,
    licence: &'a str,
    folder: &'a str,
    files: Vec<PathHash>,
}

impl<'a> Lines<'a> {
    fn take(&mut self, line: &'a str) {
        let Some((letter, value)) = line.split_once(':') else {
            return;
        };
        match letter {
            "P" => self.name = value,
            "V" => self.version = value,
            "o" => self.origin = value,
            "A" => self.architecture = value,
            "L" => self.licence = value,
            "F" => self.folder = value,
            "R" => self
                .files
                .push(PathHash::of(&format!("{}/{value}", self.folder))),
            _ => {}
        }
    }

    fn package(self) -> Option<Stated> {
        let mut package = Stated::new(PackageKind::Apk, self.name, self.version)?;
        package.source = word(self.origin)
            .filter(|origin| *origin != package.name)
            .map(|name| SourcePackage {
                name,
                version: package.version.clone(),
            });
        package.architecture = word(self.architecture);
        package.licences = licence(self.licence).into_iter().collect();
        package.files = self.files;
        Some(package)
    }
}

/// Reads `installed`.
pub(super) fn installed(bytes: &[u8]) -> Record {
    let text = String::from_utf8_lossy(bytes);
    let mut packages = Vec::new();
    let mut nameless = 0;
    let mut lines = text.lines();
    loop {
        let mut package = Lines::default();
        let mut empty = true;
        let mut ended = true;
        for line in lines.by_ref() {
            if line.trim().is_empty() {
                ended = false;
                break;
            }
            empty = false;
            package.take(line);
        }
        match package.package() {
            _ if empty => {}
            None => nameless += 1,
            Some(_) if packages.len() == PACKAGES => {
                return Record::Broken(String::from("it names more packages than is sensible"));
            }
            Some(package) => packages.push(package),
        }
        if ended {
            return Record::of_named(packages, nameless);
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const TEXT: &str = "C:Q1abc=\nP:busybox-binsh\nV:1.37.0-r19\nA:x86_64\nS:1\nI:1\nT:sh: it\n\
        L:GPL-2.0-only\no:busybox\nm:Somebody <a@b.c>\nt:1\nF:bin\nR:sh\na:0:0:777\nZ:Q1=\n\n\
        P:musl\nV:1.2.5-r10\nA:x86_64\nL:MIT\no:musl\nF:lib\nR:ld-musl-x86_64.so.1\n";

    #[test]
    fn packages_with_their_origin_and_files() {
        let Record::Packages(packages) = installed(TEXT.as_bytes()) else {
            panic!("it is broken");
        };
        assert_eq!(packages.len(), 2);
        let first = &packages[0];
        assert_eq!(
            (first.name.as_str(), first.version.as_str()),
            ("busybox-binsh", "1.37.0-r19")
        );
        assert_eq!(first.source.as_ref().unwrap().name, "busybox");
        assert_eq!(first.licences, ["GPL-2.0-only"]);
        assert_eq!(first.files, [PathHash::of("bin/sh")]);
        assert_eq!(packages[1].source, None);
        assert_eq!(packages[1].files, [PathHash::of("lib/ld-musl-x86_64.so.1")]);
    }

    #[test]
    fn an_empty_record_names_nothing() {
        assert_eq!(installed(b""), Record::Packages(Vec::new()));
        assert_eq!(installed(b"\n\n\n"), Record::Packages(Vec::new()));
        assert!(matches!(installed(b"P:a\n"), Record::Broken(_)));
    }

    #[test]
    fn one_stanza_that_is_not_sound_leaves_the_others() {
        let text = format!("P:nameless\n\n{TEXT}\nV:1\nF:bin\nR:x\n");
        let Record::Partial(packages, faults) = installed(text.as_bytes()) else {
            panic!("the sound ones are lost");
        };
        let names: Vec<&str> = packages.iter().map(|one| one.name.as_str()).collect();
        assert_eq!(names, ["busybox-binsh", "musl"]);
        assert_eq!(faults[0].why, "2 packages in it have no name or no version");
        // A file of bad stanzas alone says nothing.
        assert!(matches!(installed(b"V:1\n\nV:2\n"), Record::Broken(_)));
    }

    proptest! {
        #[test]
        fn nothing_stops_the_reader(text in "([A-Za-z]?:?[a-z0-9. ]{0,8}\n){0,20}") {
            let _ = installed(text.as_bytes());
        }
    }
}
