//! The packages' eye on the pass over an image: which files speak of packages, and what they say.

use std::ops::ControlFlow;

use super::apk;
use super::composer;
use super::dpkg;
use super::elf::Program;
use super::gem;
use super::java;
use super::licence;
use super::node;
use super::os_release;
use super::python;
use super::record::Record;
use super::runtime;
use super::zipped::Zipped;
use crate::image::archive::Probe;
use crate::image::archive::Seen;
use crate::image::archive::Sink;
use crate::image::archive::Whole;
use crate::units::Bytes;

/// The name of the notes; a change of [`Record`] or of what is read changes it.
pub(super) const NAME: &str = "packages";

/// The largest package database that is read: a hundred times one of a whole desktop.
const DATABASE: Bytes = Bytes(64 * 1024 * 1024);

/// The largest text about one package that is read.
const TEXT: Bytes = Bytes(4 * 1024 * 1024);

/// Where RPM keeps its database, in files of several kinds, and where others do whose records are
/// not read either.
const UNREAD: [&str; 8] = [
    "var/lib/rpm/Packages",
    "var/lib/rpm/Packages.db",
    "var/lib/rpm/rpmdb.sqlite",
    "usr/lib/sysimage/rpm/Packages",
    "usr/lib/sysimage/rpm/Packages.db",
    "usr/lib/sysimage/rpm/rpmdb.sqlite",
    "var/lib/pacman/local/ALPM_DB_VERSION",
    "var/db/xbps/pkgdb-0.38.plist",
];

/// Makes notes on every file that says which packages an image holds.
#[derive(Debug, Clone, Copy, Default)]
pub struct Packages;

/// What kind of record a file is, by its path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Sort {
    Release,
    DpkgStatus,
    DpkgList,
    DpkgSums,
    DpkgDiversions,
    Copyright,
    Apk,
    PythonMetadata,
    PythonList,
    Node,
    Java,
    Gem,
    Composer,
    Runtime,
    Unread,
}

impl Sort {
    /// What a path stands for; `None` for all others, which may still be programs.
    pub(super) fn of(path: &str) -> Option<Self> {
        if let Some(inner) = path.strip_prefix(dpkg::HOME) {
            return Self::of_dpkg(inner.strip_prefix('/')?);
        }
        if os_release::PLACES.contains(&path) {
            return Some(Self::Release);
        }
        if apk::PLACES.contains(&path) {
            return Some(Self::Apk);
        }
        if UNREAD.contains(&path) {
            return Some(Self::Unread);
        }
        if licence_of(path).is_some() {
            return Some(Self::Copyright);
        }
        if python::is_metadata(path) {
            return Some(Self::PythonMetadata);
        }
        if python::is_list(path) {
            return Some(Self::PythonList);
        }
        if node::is_manifest(path) {
            return Some(Self::Node);
        }
        if java::is_archive(path) {
            return Some(Self::Java);
        }
        if gem::is_specification(path) {
            return Some(Self::Gem);
        }
        if composer::is_list(path) {
            return Some(Self::Composer);
        }
        runtime::is_marker(path).then_some(Self::Runtime)
    }

    fn of_dpkg(inner: &str) -> Option<Self> {
        match inner.rsplit_once('/') {
            None if inner == "status" => Some(Self::DpkgStatus),
            None if inner == "diversions" => Some(Self::DpkgDiversions),
            Some(("status.d" | "info", name)) if name.ends_with(".md5sums") => Some(Self::DpkgSums),
            Some(("info", name)) if name.ends_with(".list") => Some(Self::DpkgList),
            Some(("status.d", name)) if !name.starts_with('.') => Some(Self::DpkgStatus),
            _ => None,
        }
    }

    const fn cap(self) -> Bytes {
        match self {
            Self::DpkgStatus | Self::Apk => DATABASE,
            Self::Java => Bytes(java::CAP),
            Self::DpkgList
            | Self::DpkgSums
            | Self::DpkgDiversions
            | Self::PythonList
            | Self::Composer => Bytes(4 * TEXT.0),
            Self::Release
            | Self::Copyright
            | Self::PythonMetadata
            | Self::Node
            | Self::Gem
            | Self::Runtime
            | Self::Unread => TEXT,
        }
    }

    fn read(self, path: &str, bytes: &[u8]) -> Option<Record> {
        Some(match self {
            Self::Release => os_release::read(bytes),
            Self::DpkgStatus => dpkg::status(bytes),
            Self::DpkgList => dpkg::list(bytes),
            Self::DpkgSums => dpkg::sums(bytes),
            Self::DpkgDiversions => dpkg::diversions(bytes),
            Self::Copyright => licence::copyright(bytes),
            Self::Apk => apk::installed(bytes),
            Self::PythonMetadata => python::metadata(bytes),
            Self::PythonList => python::list(path, bytes),
            Self::Node => return node::manifest(bytes),
            Self::Java => java::archive(path, bytes),
            Self::Gem => gem::specification(path, bytes),
            Self::Composer => composer::list(bytes),
            Self::Runtime => return runtime::read(path, bytes),
            Self::Unread => Record::Unread,
        })
    }
}

/// The package whose licences a file holds: `usr/share/doc/NAME/copyright`.
pub(super) fn licence_of(path: &str) -> Option<&str> {
    let name = path
        .strip_prefix("usr/share/doc/")?
        .strip_suffix("/copyright")?;
    (!name.contains('/')).then_some(name)
}

impl Probe for Packages {
    fn name(&self) -> &'static str {
        NAME
    }

    fn look(&self, file: &Seen<'_>) -> Option<Box<dyn Sink>> {
        let Some(sort) = Sort::of(file.path) else {
            return Some(Box::new(Code {
                program: Program::new(file.size.0),
                zipped: Zipped::new(file.path, file.size.0),
            }));
        };
        if sort == Sort::Unread {
            return Some(Box::new(Said(Record::Unread)));
        }
        let path = file.path.to_owned();
        let read = move |bytes: Vec<u8>| note(&sort.read(&path, &bytes)?);
        Whole::of(file, sort.cap(), read).or_else(|| {
            let why = format!("it has {}, more than is sensible", file.size);
            Some(Box::new(Said(Record::Broken(why))))
        })
    }
}

/// A record as the bytes of a note.
fn note(record: &Record) -> Option<Vec<u8>> {
    postcard::to_allocvec(record).ok()
}

/// The record in a note; `None` where it was made by something else.
pub(super) fn noted(bytes: &[u8]) -> Option<Record> {
    postcard::from_bytes(bytes).ok()
}

/// A file whose content does not matter.
struct Said(Record);

impl Sink for Said {
    fn piece(&mut self, _bytes: &[u8]) -> ControlFlow<()> {
        ControlFlow::Break(())
    }

    fn finish(self: Box<Self>) -> Option<Vec<u8>> {
        note(&self.0)
    }
}

/// A file that may be a program, or an archive of one.
struct Code {
    program: Program,
    zipped: Zipped,
}

impl Sink for Code {
    fn piece(&mut self, bytes: &[u8]) -> ControlFlow<()> {
        match (self.program.piece(bytes), self.zipped.piece(bytes)) {
            (ControlFlow::Break(()), ControlFlow::Break(())) => ControlFlow::Break(()),
            _ => ControlFlow::Continue(()),
        }
    }

    fn finish(self: Box<Self>) -> Option<Vec<u8>> {
        let Self { program, zipped } = *self;
        note(&program.finish().or_else(|| zipped.finish())?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_tell_what_a_file_records() {
        for (path, sort) in [
            ("var/lib/dpkg/status", Some(Sort::DpkgStatus)),
            ("var/lib/dpkg/status.d/libc6", Some(Sort::DpkgStatus)),
            ("var/lib/dpkg/status.d/libc6.md5sums", Some(Sort::DpkgSums)),
            ("var/lib/dpkg/info/bash.list", Some(Sort::DpkgList)),
            ("var/lib/dpkg/info/bash.md5sums", Some(Sort::DpkgSums)),
            ("var/lib/dpkg/info/bash.postinst", None),
            ("var/lib/dpkg/status-old", None),
            ("var/lib/dpkg-cross/status", None),
            ("etc/os-release", Some(Sort::Release)),
            ("lib/apk/db/installed", Some(Sort::Apk)),
            ("usr/share/doc/bash/copyright", Some(Sort::Copyright)),
            ("usr/share/doc/bash/examples/copyright", None),
            ("a/b-1.dist-info/METADATA", Some(Sort::PythonMetadata)),
            ("a/b-1.dist-info/RECORD", Some(Sort::PythonList)),
            ("a/node_modules/b/package.json", Some(Sort::Node)),
            ("opt/app.jar", Some(Sort::Java)),
            (
                "usr/lib/ruby/gems/3.3.0/specifications/rack-3.0.8.gemspec",
                Some(Sort::Gem),
            ),
            ("app/rack.gemspec", None),
            ("app/vendor/composer/installed.json", Some(Sort::Composer)),
            ("app/installed.json", None),
            ("var/lib/rpm/rpmdb.sqlite", Some(Sort::Unread)),
            ("usr/bin/env", None),
        ] {
            assert_eq!(Sort::of(path), sort, "{path}");
        }
    }

    #[test]
    fn a_file_that_is_too_large_is_a_broken_record() {
        let file = Seen {
            path: "lib/apk/db/installed",
            size: DATABASE.plus(Bytes(1)),
            mode: 0o644,
        };
        let mut sink = Packages.look(&file).unwrap();
        assert!(sink.piece(b"P:a").is_break());
        let record = noted(&sink.finish().unwrap()).unwrap();
        assert!(matches!(record, Record::Broken(_)), "{record:?}");
    }

    #[test]
    fn other_files_are_looked_at_for_code() {
        let file = Seen {
            path: "app/data",
            size: Bytes(100),
            mode: 0o644,
        };
        let mut sink = Packages.look(&file).unwrap();
        assert!(sink.piece(&[0; 100]).is_break());
        assert_eq!(sink.finish(), None);
    }
}
