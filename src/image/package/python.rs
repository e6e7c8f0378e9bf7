//! Python's records: the metadata that an installer leaves beside each distribution.

use std::str::FromStr as _;

use pep440_rs::Version;

use super::PackageKind;
use super::fields;
use super::fields::Paragraph;
use super::record::PathHash;
use super::record::Record;
use super::record::Stated;
use super::record::joined;
use super::record::licence;

/// The longest `License:` that is a name and not a text, in bytes.
const LICENCE: usize = 80;

/// Whether a file is a distribution's metadata.
pub(super) fn is_metadata(path: &str) -> bool {
    let (folder, name) = path.rsplit_once('/').unwrap_or(("", path));
    match name {
        "METADATA" => folder.ends_with(".dist-info"),
        "PKG-INFO" => folder.ends_with(".egg-info") || format!("/{folder}").ends_with("/EGG-INFO"),
        name => name.ends_with(".egg-info"),
    }
}

/// Whether a file lists what a distribution installed.
pub(super) fn is_list(path: &str) -> bool {
    path.ends_with(".dist-info/RECORD")
}

/// `1.0` of `a/b-1.0.dist-info/METADATA`, where the folder's name says a version.
pub(super) fn version_of_folder(path: &str) -> Option<&str> {
    let folder = path.strip_suffix(".dist-info/METADATA")?;
    let name = folder.rsplit('/').next()?;
    let (_, version) = name.split_once('-')?;
    Some(version)
}

/// Whether two versions are not the same, however they are spelled; not known of what is none.
pub(super) fn differ(one: &str, two: &str) -> bool {
    // Installers write `_` for what a folder's name must not have.
    let read = |text: &str| Version::from_str(&text.replace('_', "-")).ok();
    matches!((read(one), read(two)), (Some(one), Some(two)) if one != two)
}

/// Reads `METADATA` or `PKG-INFO`.
pub(super) fn metadata(bytes: &[u8]) -> Record {
    let text = String::from_utf8_lossy(bytes);
    let head = fields::paragraphs(&text).next().unwrap_or_default();
    let name = normalised(head.get("Name").unwrap_or_default());
    let version = head.get("Version").unwrap_or_default();
    let Some(mut package) = Stated::new(PackageKind::Python, &name, version) else {
        return Record::Broken(String::from("it has no name or no version"));
    };
    package.licences = licences(&head);
    Record::Packages(vec![package])
}

/// A name as the index compares it: lower case, one hyphen for each run of `-`, `_` and `.`.
pub(super) fn normalised(name: &str) -> String {
    let mut normal = String::with_capacity(name.len());
    for c in name.trim().chars() {
        match c {
            '-' | '_' | '.' if normal.ends_with('-') => {}
            '-' | '_' | '.' => normal.push('-'),
            c => normal.push(c.to_ascii_lowercase()),
        }
    }
    normal
}

/// The licences, from the field that says most exactly.
fn licences(head: &Paragraph<'_>) -> Vec<String> {
    if let Some(expression) = head.get("License-Expression").and_then(licence) {
        return vec![expression];
    }
    let classified: Vec<String> = head
        .all("Classifier")
        .filter_map(|line| line.strip_prefix("License ::"))
        .filter_map(|line| line.rsplit("::").next())
        .filter(|name| !name.trim().eq_ignore_ascii_case("OSI Approved"))
        .filter_map(licence)
        .collect();
    let named = head
        .get("License")
        .filter(|text| text.len() <= LICENCE)
        .and_then(licence);
    match named {
        // A classifier is one of a fixed list; the field is whatever its author wrote.
        Some(named) if classified.is_empty() || super::licence::spdx(&named).is_some() => {
            vec![named]
        }
        _ => classified,
    }
}

/// Reads `RECORD`: a path, its hash and its size per line, relative to the folder above.
pub(super) fn list(path: &str, bytes: &[u8]) -> Record {
    let place = path.rsplit('/').nth(1).map_or("", |folder| {
        path.strip_suffix("/RECORD")
            .and_then(|path| path.strip_suffix(folder))
            .unwrap_or_default()
    });
    let text = String::from_utf8_lossy(bytes);
    let files = text.lines().filter_map(|line| {
        let file = match line.strip_prefix('"') {
            Some(quoted) => quoted.split("\",").next()?,
            None => line.split(',').next()?,
        };
        (!file.is_empty()).then(|| PathHash::of(&joined(place, file)))
    });
    Record::Files(files.collect())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn package(text: &str) -> Stated {
        match metadata(text.as_bytes()) {
            Record::Packages(mut packages) => packages.remove(0),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn only_installers_notes_count() {
        for path in [
            "usr/lib/python3/dist-packages/a.egg-info",
            "a/b-1.dist-info/METADATA",
            "a/b-1.egg-info/PKG-INFO",
            "a/b.egg/EGG-INFO/PKG-INFO",
        ] {
            assert!(is_metadata(path), "{path}");
        }
        for path in ["src/METADATA", "PKG-INFO", "a.egg-info/SOURCES.txt"] {
            assert!(!is_metadata(path), "{path}");
        }
        assert!(is_list("a/b-1.dist-info/RECORD") && !is_list("RECORD"));
    }

    #[test]
    fn a_folder_s_version_is_the_same_however_it_is_spelled() {
        let of = |path| version_of_folder(path);
        assert_eq!(of("a/b_c-1.0.dist-info/METADATA"), Some("1.0"));
        assert_eq!(of("b-1.0+cpu.dist-info/METADATA"), Some("1.0+cpu"));
        assert_eq!(of("a/b.dist-info/METADATA"), None);
        assert_eq!(of("a/b-1.egg-info/PKG-INFO"), None);
        for (one, two) in [
            ("2024.7.4", "2024.07.04"),
            ("1.0", "1.0.0"),
            ("1.0b1", "1.0-beta1"),
            ("1.0+cu_1", "1.0+cu.1"),
            ("1.0_1", "1.0-1"),
            ("odd", "1.0"),
        ] {
            assert!(!differ(one, two), "{one} {two}");
        }
        assert!(differ("25.1.1", "99.0") && differ("1.0", "1.0+cpu"));
    }

    #[test]
    fn names_are_compared_as_the_index_does() {
        let found =
            package("Metadata-Version: 2.4\nName: Foo__Bar.baz\nVersion: 1.0rc1\n\nVersion: 2");
        assert_eq!(
            (found.name.as_str(), found.version.as_str()),
            ("foo-bar-baz", "1.0rc1")
        );
        assert!(matches!(metadata(b"Name: a\n"), Record::Broken(_)));
    }

    #[test]
    fn the_most_exact_field_names_the_licence() {
        let with = |fields: &str| package(&format!("Name: a\nVersion: 1\n{fields}")).licences;
        assert_eq!(
            with("License-Expression: MIT OR Apache-2.0\nLicense: x\n"),
            ["MIT OR Apache-2.0"]
        );
        let classifiers = "Classifier: License :: OSI Approved :: MIT License\n\
            Classifier: License :: OSI Approved\nClassifier: Topic :: X\n";
        assert_eq!(
            with(&format!("License: see LICENSE.txt\n{classifiers}")),
            ["MIT License"]
        );
        assert_eq!(
            with(&format!("License: BSD-3-Clause\n{classifiers}")),
            ["BSD-3-Clause"]
        );
        assert_eq!(with("License: UNKNOWN\n"), Vec::<String>::new());
        assert_eq!(
            with(&format!("License: {}\n", "text ".repeat(40))),
            Vec::<String>::new()
        );
    }

    #[test]
    fn listed_files_are_relative_to_the_folder_above() {
        let path = "usr/lib/python3.13/site-packages/a-1.dist-info/RECORD";
        let text = "a/__init__.py,sha256=x,3\n../../../bin/a,,\n\"a/odd, name.py\",,\n";
        let expected = [
            "usr/lib/python3.13/site-packages/a/__init__.py",
            "usr/bin/a",
            "usr/lib/python3.13/site-packages/a/odd, name.py",
        ];
        let expected = expected.map(PathHash::of).to_vec();
        assert_eq!(list(path, text.as_bytes()), Record::Files(expected));
        assert_eq!(
            list("a-1.dist-info/RECORD", b"a.py,,"),
            Record::Files(vec![PathHash::of("a.py")])
        );
    }

    proptest! {
        #[test]
        fn normal_names_stay_as_they_are(name in "[A-Za-z0-9._-]{0,20}") {
            let once = normalised(&name);
            prop_assert_eq!(&normalised(&once), &once);
        }

        #[test]
        fn nothing_stops_the_reader(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = metadata(&bytes);
            let _ = list("a/b.dist-info/RECORD", &bytes);
        }
    }
}
