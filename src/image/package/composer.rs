//! PHP's record: the list of packages that Composer installed.

use serde::Deserialize;
use serde_json::Value;

use super::PackageKind;
use super::record::PACKAGES;
use super::record::Record;
use super::record::Stated;
use super::record::licence;

/// The list, as Composer 2 writes it and as Composer 1 did.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum Installed {
    Two { packages: Vec<Listed> },
    One(Vec<Listed>),
}

/// What is read of a package.
#[derive(Debug, Deserialize)]
struct Listed {
    #[serde(default)]
    name: Value,
    #[serde(default)]
    version: Value,
    #[serde(default)]
    license: Value,
}

/// Whether a file is the list: `vendor/composer/installed.json`.
pub(super) fn is_list(path: &str) -> bool {
    let folder = path.strip_suffix("vendor/composer/installed.json");
    folder.is_some_and(|folder| folder.is_empty() || folder.ends_with('/'))
}

/// Reads the list.
pub(super) fn list(bytes: &[u8]) -> Record {
    let Ok(Installed::Two { packages: listed } | Installed::One(listed)) =
        serde_json::from_slice::<Installed>(bytes)
    else {
        return Record::Broken(String::from("it is no list of Composer's"));
    };
    if listed.len() > PACKAGES {
        return Record::Broken(String::from("it names more packages than is sensible"));
    }
    let all = listed.len();
    let packages: Vec<Stated> = listed.iter().filter_map(package).collect();
    let nameless = all - packages.len();
    Record::of_named(packages, nameless)
}

fn package(listed: &Listed) -> Option<Stated> {
    let version = listed.version.as_str()?;
    // `v6.4.1`, but also `dev-main`.
    let number = version.strip_prefix('v');
    let version = number
        .filter(|number| number.starts_with(|c: char| c.is_ascii_digit()))
        .unwrap_or(version);
    let mut package = Stated::new(PackageKind::Php, listed.name.as_str()?, version)?;
    package.licences = match &listed.license {
        Value::String(text) => licence(text).into_iter().collect(),
        Value::Array(list) => {
            let texts = list.iter().filter_map(Value::as_str);
            texts.filter_map(licence).collect()
        }
        _ => Vec::new(),
    };
    Some(package)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(text: &str) -> Vec<String> {
        let record = list(text.as_bytes());
        let packages = record.packages().unwrap_or_default().iter();
        packages
            .map(|one| format!("{} {} {}", one.name, one.version, one.licences.join("+")))
            .collect()
    }

    #[test]
    fn both_forms_of_the_list_are_read() {
        let one = r#"[{"name":"monolog/monolog","version":"2.9.1","license":["MIT"]},
            {"name":"a/b","version":"dev-main"}]"#;
        let both = ["monolog/monolog 2.9.1 MIT", "a/b dev-main "];
        assert_eq!(names(one), both);
        let two = format!("{{\"packages\":{one},\"dev\":true,\"dev-package-names\":[]}}");
        assert_eq!(names(&two), both);
        assert_eq!(
            names(r#"[{"name":"symfony/console","version":"v6.4.1"}]"#),
            ["symfony/console 6.4.1 "]
        );
    }

    #[test]
    fn what_is_not_a_list_is_broken_and_what_has_no_name_is_told() {
        for text in ["", "{", "{}", "7", r#"{"packages":7}"#] {
            assert!(matches!(list(text.as_bytes()), Record::Broken(_)), "{text}");
        }
        let some = list(br#"[{"name":"a/b","version":"1"},{"version":"2"}]"#);
        assert!(
            matches!(&some, Record::Partial(packages, faults) if packages.len() == 1 && faults.len() == 1),
            "{some:?}"
        );
    }

    #[test]
    fn only_composer_s_own_folder_counts() {
        assert!(is_list("vendor/composer/installed.json"));
        assert!(is_list("app/vendor/composer/installed.json"));
        assert!(!is_list("app/myvendor/composer/installed.json"));
        assert!(!is_list("app/installed.json"));
    }
}
