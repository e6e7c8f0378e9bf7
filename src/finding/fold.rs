//! One vulnerability of a source is one finding, however many of its packages are installed.
//!
//! Loadline's own comparison asks by source. Scanners list it once for each package; what they say
//! is brought together here, so that their figures and Loadline's mean the same.

use std::collections::BTreeMap;

use super::Finding;
use crate::image::package::PackageKind;

/// What makes two findings one.
type Key = (String, PackageKind, String, String, Option<String>);

/// Brings findings together that are about packages of one source of a distribution, where they name
/// the same fix. The first of them stays where it is.
#[must_use]
pub fn by_source(findings: Vec<Finding>) -> Vec<Finding> {
    let mut folded: Vec<Finding> = Vec::new();
    let mut places: BTreeMap<Key, usize> = BTreeMap::new();
    for finding in findings {
        let package = &finding.package;
        if !matches!(package.kind, PackageKind::Deb | PackageKind::Apk) {
            folded.push(finding);
            continue;
        }
        let key = (
            finding.id.clone(),
            package.kind,
            package.advised_name().to_owned(),
            package.advised_version().to_owned(),
            finding.fixed.clone(),
        );
        let place = *places.entry(key).or_insert(folded.len());
        match folded.get_mut(place) {
            Some(first) => join(first, finding),
            None => folded.push(finding),
        }
    }
    folded
}

/// Adds to a finding what another one says of the same vulnerability.
fn join(first: &mut Finding, other: Finding) {
    first.severity = first.severity.max(other.severity);
    if first.summary.is_empty() {
        first.summary = other.summary;
    }
    for alias in other.aliases {
        if !first.aliases.contains(&alias) {
            first.aliases.push(alias);
        }
    }
    for package in std::iter::once(other.package).chain(other.also) {
        if package != first.package && !first.also.contains(&package) {
            first.also.push(package);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::finding::Severity;
    use crate::image::package::Package;
    use crate::image::package::SourcePackage;

    fn finding(id: &str, kind: PackageKind, name: &str, fixed: &str) -> Finding {
        Finding {
            id: id.to_owned(),
            aliases: Vec::new(),
            package: Package {
                kind,
                name: name.to_owned(),
                version: "1-1".to_owned(),
                source: name.starts_with("lib").then(|| SourcePackage {
                    name: "openssl".to_owned(),
                    version: "1-1".to_owned(),
                }),
                architecture: None,
                licences: Vec::new(),
                layer: 0,
                path: String::new(),
            },
            also: Vec::new(),
            fixed: (!fixed.is_empty()).then(|| fixed.to_owned()),
            severity: Severity::Low,
            summary: String::new(),
        }
    }

    fn lines(findings: Vec<Finding>) -> Vec<String> {
        let line = |finding: &Finding| {
            let also: String = finding
                .also
                .iter()
                .map(|one| format!("+{}", one.name))
                .collect();
            format!("{} {}{also}", finding.id, finding.package.name)
        };
        by_source(findings).iter().map(line).collect()
    }

    #[test]
    fn packages_of_one_source_are_one_finding() {
        let deb = PackageKind::Deb;
        assert_eq!(
            lines(vec![
                finding("A", deb, "libcrypto", "2"),
                finding("B", deb, "libcrypto", "2"),
                finding("A", deb, "libssl", "2"),
                finding("A", deb, "openssl", "2"),
                // The same again is no other package.
                finding("A", deb, "libssl", "2"),
            ]),
            ["A libcrypto+libssl+openssl", "B libcrypto"]
        );
    }

    #[test]
    fn what_differs_in_the_source_or_the_fix_stays_apart() {
        let (deb, apk, gem) = (PackageKind::Deb, PackageKind::Apk, PackageKind::Ruby);
        assert_eq!(
            lines(vec![
                finding("A", deb, "libssl", "2"),
                finding("A", deb, "nginx", "2"),
                finding("A", deb, "openssl", ""),
                finding("A", apk, "libssl", "2"),
                // Two copies of a package of a language are two places to mend.
                finding("A", gem, "rack", "2"),
                finding("A", gem, "rack", "2"),
            ]),
            [
                "A libssl",
                "A nginx",
                "A openssl",
                "A libssl",
                "A rack",
                "A rack"
            ]
        );
    }

    #[test]
    fn nothing_that_is_said_of_one_is_lost() {
        let first = finding("A", PackageKind::Deb, "libcrypto", "2");
        let mut other = finding("A", PackageKind::Deb, "libssl", "2");
        other.severity = Severity::High;
        other.summary = "What it is about".to_owned();
        other.aliases = vec!["DSA-1-1".to_owned()];
        let folded = by_source(vec![first, other]);
        assert_eq!(folded.len(), 1);
        assert_eq!(folded[0].severity, Severity::High);
        assert_eq!(folded[0].summary, "What it is about");
        assert_eq!(folded[0].aliases, ["DSA-1-1"]);
    }
}
