//! Findings by what a person can do about them: the fixes that close the most, and the layers that
//! brought them.

use std::collections::BTreeMap;
use std::collections::BTreeSet;

use super::Counts;
use super::Ecosystem;
use super::Finding;
use super::NO_LAYER;
use super::Severity;
use super::order::Version;
use crate::image::package::PackageKind;

/// One upgrade and what it closes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fix {
    /// The ecosystem of the package.
    pub kind: PackageKind,
    /// The package, or the source that it and others were made of.
    pub name: String,
    /// The version that is installed.
    pub from: String,
    /// The lowest version that closes all of them.
    pub to: String,
    /// The installed packages that it is about.
    pub packages: BTreeSet<String>,
    /// The findings that it closes.
    pub ids: Vec<String>,
    /// How bad those are.
    pub counts: Counts,
    /// The worst of them.
    pub worst: Severity,
}

/// The upgrades that close findings, those that close the worst first.
#[must_use]
pub fn fixes(findings: &[Finding]) -> Vec<Fix> {
    let mut fixes: BTreeMap<(PackageKind, &str, &str, &str), Fix> = BTreeMap::new();
    let mut severities: BTreeMap<(PackageKind, &str, &str, &str), Vec<Severity>> = BTreeMap::new();
    for finding in findings {
        let Some(fixed) = &finding.fixed else {
            continue;
        };
        let package = &finding.package;
        let key = (
            package.kind,
            package.advised_name(),
            package.advised_version(),
            // Where nobody knows which of two versions is the later one, each is an upgrade of
            // its own.
            if Ecosystem::is_read(package.kind) {
                ""
            } else {
                fixed
            },
        );
        let fix = fixes.entry(key).or_insert_with(|| Fix {
            kind: package.kind,
            name: package.advised_name().to_owned(),
            from: package.advised_version().to_owned(),
            to: fixed.clone(),
            packages: BTreeSet::new(),
            ids: Vec::new(),
            counts: Counts::default(),
            worst: Severity::Unknown,
        });
        if is_later(package.kind, fixed, &fix.to) {
            fix.to.clone_from(fixed);
        }
        let packages = std::iter::once(package).chain(&finding.also);
        fix.packages
            .extend(packages.map(|package| package.name.clone()));
        fix.ids.push(finding.id.clone());
        fix.worst = fix.worst.max(finding.severity);
        severities.entry(key).or_default().push(finding.severity);
    }
    let mut fixes: Vec<Fix> = fixes
        .into_iter()
        .map(|(key, fix)| Fix {
            counts: severities
                .remove(&key)
                .unwrap_or_default()
                .into_iter()
                .collect(),
            ..fix
        })
        .collect();
    fixes.sort_by(|one, two| {
        two.worst
            .cmp(&one.worst)
            .then_with(|| two.ids.len().cmp(&one.ids.len()))
            .then_with(|| one.name.cmp(&two.name))
    });
    fixes
}

/// Whether one version comes after another, in the order of their kind of package.
fn is_later(kind: PackageKind, one: &str, two: &str) -> bool {
    let Some(ecosystem) = Ecosystem::ordering(kind) else {
        return false;
    };
    Version::read(ecosystem, one) > Version::read(ecosystem, two)
}

/// The findings that one layer brought.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OfLayer<'a> {
    /// The layer, from 0 at the bottom; `None` where a scanner does not tell.
    pub layer: Option<usize>,
    /// Its findings, worst first.
    pub findings: Vec<&'a Finding>,
}

impl OfLayer<'_> {
    /// How many of each severity.
    #[must_use]
    pub fn counts(&self) -> Counts {
        self.findings
            .iter()
            .map(|finding| finding.severity)
            .collect()
    }
}

/// Findings by the layer that brought the package, bottom first.
#[must_use]
pub fn by_layer(findings: &[Finding]) -> Vec<OfLayer<'_>> {
    let mut layers: BTreeMap<usize, Vec<&Finding>> = BTreeMap::new();
    for finding in findings {
        layers
            .entry(finding.package.layer)
            .or_default()
            .push(finding);
    }
    layers
        .into_iter()
        .map(|(layer, findings)| OfLayer {
            layer: (layer != NO_LAYER).then_some(layer),
            findings,
        })
        .collect()
}

/// What became of the findings of an image in another one.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Change<'a> {
    /// Findings that went.
    pub gone: Vec<&'a Finding>,
    /// Findings that came.
    pub came: Vec<&'a Finding>,
    /// Findings that stayed.
    pub kept: usize,
}

/// Compares the findings of two images. One and the same vulnerability in one and the same source
/// stays, whatever the version; where several versions are installed, as often as it is in both.
#[must_use]
pub fn change<'a>(before: &'a [Finding], after: &'a [Finding]) -> Change<'a> {
    let gone = surplus(before, after);
    Change {
        kept: before.len() - gone.len(),
        gone,
        came: surplus(after, before),
    }
}

/// The findings that have no counterpart among the others. One of the same version is it before one
/// of another.
fn surplus<'a>(ours: &'a [Finding], others: &[Finding]) -> Vec<&'a Finding> {
    let mut left: BTreeMap<_, Vec<&str>> = BTreeMap::new();
    for other in others {
        let versions = left.entry(key(other)).or_default();
        versions.push(other.package.advised_version());
    }
    let mut alone = Vec::new();
    for one in ours {
        let versions = left.entry(key(one)).or_default();
        let version = one.package.advised_version();
        match versions.iter().position(|other| *other == version) {
            Some(at) => drop(versions.remove(at)),
            None => alone.push(one),
        }
    }
    alone.retain(|one| left.get_mut(&key(one)).and_then(Vec::pop).is_none());
    alone
}

fn key(finding: &Finding) -> (&str, PackageKind, &str) {
    (
        &finding.id,
        finding.package.kind,
        finding.package.advised_name(),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::image::package::Package;
    use crate::image::package::SourcePackage;

    fn finding(id: &str, severity: Severity, name: &str, fixed: &str, layer: usize) -> Finding {
        Finding {
            id: id.to_owned(),
            aliases: Vec::new(),
            package: Package {
                kind: PackageKind::Python,
                name: name.to_owned(),
                version: "1.0".to_owned(),
                source: None,
                architecture: None,
                licences: Vec::new(),
                layer,
                path: String::new(),
            },
            also: Vec::new(),
            fixed: (!fixed.is_empty()).then(|| fixed.to_owned()),
            severity,
            summary: String::new(),
        }
    }

    #[test]
    fn one_upgrade_closes_all_that_is_fixed_up_to_it() {
        let findings = [
            finding("A", Severity::High, "jinja2", "3.1.10", 2),
            finding("B", Severity::Medium, "jinja2", "3.1.9", 2),
            finding("C", Severity::Critical, "flask", "2.0", 2),
            finding("D", Severity::Critical, "pip", "", 0),
        ];
        let fixes = fixes(&findings);
        let lines: Vec<String> = fixes
            .iter()
            .map(|fix| format!("{} {} -> {}: {}", fix.name, fix.from, fix.to, fix.counts))
            .collect();
        assert_eq!(
            lines,
            [
                "flask 1.0 -> 2.0: 1C 0H 0M 0L",
                "jinja2 1.0 -> 3.1.10: 0C 1H 1M 0L"
            ]
        );
    }

    #[test]
    fn where_the_order_of_versions_is_not_known_no_upgrade_stands_for_another() {
        let gem = |id: &str, fixed: &str| {
            let mut finding = finding(id, Severity::High, "rack", fixed, 0);
            finding.package.kind = PackageKind::Ruby;
            finding
        };
        let findings = [
            gem("A", "2.2.3.1"),
            gem("B", "2.2.6.4"),
            gem("C", "2.2.3.1"),
        ];
        let fixes = fixes(&findings);
        let lines: Vec<String> = fixes
            .iter()
            .map(|fix| format!("{}: {}", fix.to, fix.ids.join(" ")))
            .collect();
        assert_eq!(lines, ["2.2.3.1: A C", "2.2.6.4: B"]);
    }

    #[test]
    fn packages_of_one_source_are_one_upgrade() {
        let mut one = finding("A", Severity::High, "libssl3", "1.1", 0);
        one.package.source = Some(SourcePackage {
            name: "openssl".to_owned(),
            version: "1.0-1".to_owned(),
        });
        let mut other = one.package.clone();
        other.name = "openssl".to_owned();
        one.also = vec![other];
        let findings = [one];
        let fixes = fixes(&findings);
        assert_eq!(fixes.len(), 1);
        assert_eq!(fixes[0].name, "openssl");
        assert_eq!(fixes[0].packages.len(), 2);
    }

    #[test]
    fn layers_come_from_the_bottom_and_the_unknown_one_last() {
        let findings = [
            finding("A", Severity::High, "a", "", 2),
            finding("B", Severity::Low, "b", "", 0),
            finding("C", Severity::Low, "c", "", NO_LAYER),
        ];
        let layers: Vec<Option<usize>> = by_layer(&findings).iter().map(|one| one.layer).collect();
        assert_eq!(layers, [Some(0), Some(2), None]);
    }

    #[test]
    fn what_went_and_what_came_is_told_by_vulnerability_and_source() {
        let before = [
            finding("A", Severity::High, "a", "", 0),
            finding("B", Severity::Low, "b", "", 0),
        ];
        let after = [
            finding("B", Severity::Low, "b", "", 4),
            finding("B", Severity::Low, "c", "", 4),
        ];
        let change = change(&before, &after);
        let names = |list: &[&Finding]| -> Vec<String> {
            list.iter().map(|one| one.package.name.clone()).collect()
        };
        assert_eq!(names(&change.gone), ["a"]);
        assert_eq!(names(&change.came), ["c"]);
        assert_eq!(change.kept, 1);
    }

    #[test]
    fn what_is_there_in_several_versions_is_counted_for_each() {
        let of = |version: &str| {
            let mut finding = finding("A", Severity::High, "a", "", 0);
            finding.package.version = version.to_owned();
            finding
        };
        let told = |before: &[Finding], after: &[Finding]| {
            let change = change(before, after);
            let versions = |list: &[&Finding]| {
                let versions: Vec<&str> = list
                    .iter()
                    .map(|one| one.package.version.as_str())
                    .collect();
                versions.join(" ")
            };
            (versions(&change.gone), versions(&change.came), change.kept)
        };
        let owned = |a: &str, b: &str, kept: usize| (a.to_owned(), b.to_owned(), kept);
        assert_eq!(told(&[of("1"), of("2")], &[of("2")]), owned("1", "", 1));
        assert_eq!(told(&[of("1")], &[of("2"), of("3")]), owned("", "3", 1));
        assert_eq!(
            told(&[of("1"), of("2")], &[of("2"), of("3")]),
            owned("", "", 2)
        );
    }
}
