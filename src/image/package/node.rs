//! Node's records: the `package.json` of each folder that stands directly in a `node_modules`.

use serde::Deserialize;
use serde_json::Value;

use super::PackageKind;
use super::record::Record;
use super::record::Stated;
use super::record::licence;

/// What is read of `package.json`.
#[derive(Debug, Deserialize)]
struct Manifest {
    #[serde(default)]
    name: Value,
    #[serde(default)]
    version: Value,
    #[serde(default)]
    license: Value,
    #[serde(default)]
    licenses: Value,
}

/// Whether a file says which package an installer put here: `node_modules/NAME/package.json` or
/// `node_modules/@SCOPE/NAME/package.json`. What lies deeper belongs to that package: examples,
/// tests, parts.
pub(super) fn is_manifest(path: &str) -> bool {
    let Some(folder) = path.strip_suffix("/package.json") else {
        return false;
    };
    let mut parts = folder.rsplit('/');
    let (name, above) = (parts.next().unwrap_or_default(), parts.next());
    if name.is_empty() || name.starts_with(['.', '@']) {
        return false;
    }
    match above {
        Some("node_modules") => true,
        Some(scope) if scope.starts_with('@') => parts.next() == Some("node_modules"),
        _ => false,
    }
}

/// Reads `package.json`; `None` where it is no package of its own.
pub(super) fn manifest(bytes: &[u8]) -> Option<Record> {
    let text = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    let object = text.trim_ascii_start().starts_with(b"{");
    let read = object.then(|| serde_json::from_slice::<Manifest>(text).ok());
    let Some(manifest) = read.flatten() else {
        return Some(Record::Broken(String::from("it is no JSON object")));
    };
    let name = manifest.name.as_str()?;
    let version = manifest.version.as_str()?;
    let version = version.trim_start_matches(['v', '=', ' ']);
    let mut package = Stated::new(PackageKind::Node, name, version)?;
    package.licences = licences(&manifest.license);
    package.licences.extend(licences(&manifest.licenses));
    Some(Record::Packages(vec![package]))
}

/// The licences in any of the ways that were ever allowed: a text, `{type}`, or a list of these.
fn licences(value: &Value) -> Vec<String> {
    match value {
        Value::String(text) => licence(text).into_iter().collect(),
        Value::Object(fields) => fields
            .get("type")
            .and_then(Value::as_str)
            .and_then(licence)
            .into_iter()
            .collect(),
        Value::Array(list) => list
            .iter()
            .filter(|one| !one.is_array())
            .flat_map(licences)
            .collect(),
        Value::Null | Value::Bool(_) | Value::Number(_) => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn only_what_an_installer_put_there_counts() {
        for path in [
            "app/node_modules/left-pad/package.json",
            "node_modules/@types/node/package.json",
            "app/node_modules/.pnpm/a@1/node_modules/a/package.json",
            "app/node_modules/a/node_modules/b/package.json",
        ] {
            assert!(is_manifest(path), "{path}");
        }
        for path in [
            "app/package.json",
            "package.json",
            "app/node_modules/package.json",
            "app/node_modules/.bin/package.json",
            "app/node_modules/resolve/test/resolver/baz/package.json",
            "app/node_modules/a/dist/esm/package.json",
            "app/node_modules/@types/package.json",
            "app/node_modules/a/package-lock.json",
        ] {
            assert!(!is_manifest(path), "{path}");
        }
    }

    #[test]
    fn name_version_and_licences_are_read() {
        let read = |text: &str| match manifest(text.as_bytes()) {
            Some(Record::Packages(packages)) => packages,
            other => panic!("{other:?}"),
        };
        let found = read("\u{feff}{\"name\":\"@a/b\",\"version\":\"v1.2.3\",\"license\":\"MIT\"}");
        assert_eq!(
            (found[0].name.as_str(), found[0].version.as_str()),
            ("@a/b", "1.2.3")
        );
        assert_eq!(found[0].licences, ["MIT"]);
        let found =
            read(r#"{"name":"a","version":"1","licenses":[{"type":"MIT","url":"x"},"ISC",3]}"#);
        assert_eq!(found[0].licences, ["MIT", "ISC"]);
        let found = read(r#"{"name":"a","version":"1","license":{"type":"BSD"},"bin":{"a":"b"}}"#);
        assert_eq!(found[0].licences, ["BSD"]);
    }

    #[test]
    fn a_folder_that_is_no_package_is_passed_over() {
        assert_eq!(manifest(br#"{"type":"module"}"#), None);
        assert_eq!(manifest(br#"{"name":"a","version":1}"#), None);
        assert!(matches!(manifest(b"{"), Some(Record::Broken(_))));
        assert!(matches!(manifest(b"[]"), Some(Record::Broken(_))));
    }

    proptest! {
        #[test]
        fn nothing_stops_the_reader(bytes in proptest::collection::vec(any::<u8>(), 0..100)) {
            let _ = manifest(&bytes);
            let _ = is_manifest(&String::from_utf8_lossy(&bytes));
        }
    }
}
