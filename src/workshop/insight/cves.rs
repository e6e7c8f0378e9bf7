//! What is known of an image's vulnerabilities beside what was known of the first one: what is
//! gone, what has come, and where all of it is from. Pure.

use std::collections::BTreeMap;
use std::collections::BTreeSet;
use std::sync::Arc;

use super::Names;
use crate::finding::Counts;
use crate::finding::Finding;
use crate::finding::Lack;
use crate::finding::Scan;
use crate::finding::Severity;
use crate::image::package::PackageKind;
use crate::image::package::Runtime;
use crate::text::Clean;
use crate::text::plural;

/// A comparison of an image's packages with advisories.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Advised {
    /// What was found.
    pub scan: Arc<Scan>,
    /// How old the advisories are, in days, where they say their day.
    pub days: Option<u32>,
}

/// How much of an image its figures are about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Seen {
    /// All of it.
    All,
    /// Not all of it: there may be more.
    Some,
    /// Nothing: no figure is a figure.
    Nothing,
}

impl Seen {
    /// How much of an image this scan is about.
    #[must_use]
    pub fn of(scan: &Scan) -> Self {
        match (scan.is_blind(), scan.packages) {
            (true, 0) => Self::Nothing,
            (true, _) => Self::Some,
            (false, _) => Self::All,
        }
    }
}

/// Where a vulnerable package comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Origin {
    /// With the base image.
    Base,
    /// Added by an instruction of the learner.
    Added(PackageKind),
}

/// How many findings come from one place, before and now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Source {
    /// The place.
    pub origin: Origin,
    /// In the first image, where it is known.
    pub before: Option<usize>,
    /// In this one.
    pub now: usize,
}

/// Two images beside each other.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Comparison {
    /// What the first image had, where it is known.
    pub before: Option<Counts>,
    /// What this one has.
    pub now: Counts,
    /// The findings of the first image that this one has not, by their position there.
    pub gone: Vec<usize>,
    /// The findings of this image that the first one had not, by their position.
    pub new: Vec<usize>,
    /// Where they come from, the largest place first.
    pub sources: Vec<Source>,
}

impl Origin {
    /// Its name for people.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Base => "base image",
            Self::Added(PackageKind::Deb) => "Debian packages",
            Self::Added(PackageKind::Apk) => "Alpine packages",
            Self::Added(PackageKind::Python) => "Python packages",
            Self::Added(PackageKind::Node) => "Node packages",
            Self::Added(PackageKind::Java) => "Java archives",
            Self::Added(PackageKind::Go) => "Go modules",
            Self::Added(PackageKind::Rust) => "Rust crates",
            Self::Added(PackageKind::Ruby) => "Ruby gems",
            Self::Added(PackageKind::Php) => "PHP packages",
        }
    }

    /// Where a finding's package comes from.
    #[must_use]
    pub fn of(finding: &Finding, names: &Names<'_>) -> Self {
        if names.is_base(finding.package.layer) {
            Self::Base
        } else {
            Self::Added(finding.package.kind)
        }
    }
}

impl Comparison {
    /// Compares this image's findings with those of the first one, where they are known.
    #[must_use]
    pub fn of(now: (&Scan, &Names<'_>), before: Option<(&Scan, &Names<'_>)>) -> Self {
        let here: BTreeSet<Key<'_>> = now.0.findings.iter().map(key).collect();
        let there: BTreeSet<Key<'_>> = before
            .iter()
            .flat_map(|(scan, _)| scan.findings.iter().map(key))
            .collect();
        let without = |findings: &[Finding], other: &BTreeSet<Key<'_>>| {
            let all = findings.iter().enumerate();
            let missing = all.filter(|(_, finding)| !other.contains(&key(finding)));
            missing.map(|(index, _)| index).collect()
        };
        Self {
            before: before.map(|(scan, _)| scan.counts()),
            now: now.0.counts(),
            gone: before.map_or_else(Vec::new, |(scan, _)| without(&scan.findings, &here)),
            new: match before {
                Some(_) => without(&now.0.findings, &there),
                None => Vec::new(),
            },
            sources: sources(now, before),
        }
    }

    /// How many findings of a severity went, and how many came.
    #[must_use]
    pub fn change(&self, severity: Option<Severity>) -> Option<i64> {
        let count = |counts: &Counts| {
            let count = severity.map_or_else(|| counts.total(), |one| counts.of(one));
            i64::try_from(count).unwrap_or(i64::MAX)
        };
        Some(count(&self.now) - count(self.before.as_ref()?))
    }
}

/// What makes two findings the same one: versions may differ.
type Key<'a> = (&'a str, PackageKind, &'a str);

fn key(finding: &Finding) -> Key<'_> {
    let package = &finding.package;
    (&finding.id, package.kind, package.advised_name())
}

fn sources(now: (&Scan, &Names<'_>), before: Option<(&Scan, &Names<'_>)>) -> Vec<Source> {
    let mut sums: BTreeMap<Origin, (usize, usize)> = BTreeMap::new();
    for finding in &now.0.findings {
        sums.entry(Origin::of(finding, now.1)).or_default().1 += 1;
    }
    if let Some((scan, names)) = &before {
        for finding in &scan.findings {
            sums.entry(Origin::of(finding, names)).or_default().0 += 1;
        }
    }
    let known = before.is_some();
    let mut sources: Vec<Source> = sums
        .into_iter()
        .map(|(origin, (then, now))| Source {
            origin,
            before: known.then_some(then),
            now,
        })
        .collect();
    sources.sort_by_key(|source| std::cmp::Reverse(source.before.unwrap_or(0).max(source.now)));
    sources
}

/// Which advisories, and how old they are.
#[must_use]
pub fn database(advised: &Advised) -> String {
    let scan = &advised.scan;
    let mut words = if scan.database_date.is_empty() {
        format!(
            "advisories of {}, no date given",
            Clean::line(&scan.database)
        )
    } else {
        format!("advisories of {}", Clean::line(&scan.database_date))
    };
    match advised.days {
        Some(0) => words.push_str(", from today"),
        Some(days) => {
            let days = plural(usize::try_from(days).unwrap_or(usize::MAX), "day");
            words.push_str(&format!(", {days} old"));
        }
        None => {}
    }
    if scan.shipped {
        words.push_str(", the small set that comes with Loadline");
    }
    words
}

/// What the comparison could not see, one line each.
#[must_use]
pub fn blind_spots(scan: &Scan) -> Vec<String> {
    let mut lines: Vec<String> = scan.gaps.iter().map(ToString::to_string).collect();
    lines.extend(scan.uncovered.iter().map(|one| {
        let packages = plural(one.packages, "package");
        let are = if one.packages == 1 { "is" } else { "are" };
        let why = match one.why {
            Lack::Snapshot => "not in these advisories",
            Lack::Group => "of a Maven group that is not on record",
            Lack::Ecosystem | Lack::Release | Lack::Ended => {
                "in no advisories that Loadline can have"
            }
        };
        format!(
            "{packages} of {} {are} {why} ({}{})",
            one.ecosystem,
            one.first,
            if one.packages > 1 { ", …" } else { "" }
        )
    }));
    if !scan.unordered.is_empty() {
        lines.push(format!(
            "{} with a version that cannot be compared ({})",
            plural(scan.unordered.len(), "package"),
            scan.unordered.first().map_or("", String::as_str)
        ));
    }
    if scan.packages == 0 && lines.is_empty() {
        lines.push("no package records were found in the image".to_owned());
    }
    lines
        .iter()
        .map(|line| Clean::line(line).to_string())
        .collect()
}

/// A language implementation that was compared with nothing. It is not among the blind spots: no
/// advisories that Loadline can have are about it, whatever the image is made of.
#[must_use]
pub fn uncompared(runtime: &Runtime) -> String {
    let words = format!("{runtime}, which no package brought");
    Clean::line(&words).to_string()
}

/// A scan in figures, as far as they are figures.
fn figures(scan: &Scan) -> String {
    let counts = scan.counts();
    match Seen::of(scan) {
        Seen::All => format!("{counts}, {} in all", counts.total()),
        Seen::Some => format!("{counts}, {} at least", counts.total()),
        Seen::Nothing => "not known".to_owned(),
    }
}

/// All of it as lines of text.
#[must_use]
pub fn lines(
    advised: &Advised,
    names: &Names<'_>,
    before: Option<(&Scan, &Names<'_>)>,
) -> Vec<String> {
    let scan = &*advised.scan;
    let compared = Comparison::of((scan, names), before);
    let mut lines = vec![database(advised)];
    if let Some((before, _)) = before {
        lines.push(format!("first image: {}", figures(before)));
    }
    lines.push(format!("this image: {}", figures(scan)));
    for spot in blind_spots(scan) {
        lines.push(format!("not seen: {spot}"));
    }
    for runtime in &scan.runtimes {
        lines.push(format!("not compared: {}", uncompared(runtime)));
    }
    lines.extend(compared.sources.iter().map(|source| {
        let before = source.before.map(|before| format!("{before}, now "));
        format!(
            "from the {}: {}{}",
            source.origin.name(),
            before.unwrap_or_default(),
            source.now
        )
    }));
    lines.extend(scan.findings.iter().map(|finding| line(finding, names)));
    lines
}

/// One finding as a line: `high      CVE-2024-1  werkzeug 3.0.1, fixed in 3.0.3, line 4`.
fn line(finding: &Finding, names: &Names<'_>) -> String {
    let package = &finding.package;
    let fixed = match &finding.fixed {
        Some(version) => format!("fixed in {version}"),
        None => "no fix known".to_owned(),
    };
    let line = format!(
        "{:<9} {}  {} {}, {fixed}, {}",
        finding.severity.to_string(),
        finding.id,
        package.name,
        package.version,
        names.place(package.layer),
    );
    Clean::line(&line).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::finding::Uncovered;
    use crate::image::package::Package;
    use crate::report::ImageReport;
    use crate::report::LayerReport;
    use crate::units::Bytes;

    fn finding(id: &str, name: &str, kind: PackageKind, layer: usize) -> Finding {
        Finding {
            id: id.to_owned(),
            aliases: Vec::new(),
            package: Package {
                kind,
                name: name.to_owned(),
                version: "1".to_owned(),
                source: None,
                architecture: None,
                licences: Vec::new(),
                layer,
                path: "x".to_owned(),
            },
            also: Vec::new(),
            fixed: Some("2".to_owned()),
            severity: Severity::High,
            summary: String::new(),
        }
    }

    fn scan(findings: Vec<Finding>) -> Scan {
        Scan {
            packages: 9,
            database_date: "2026-11-20".to_owned(),
            findings,
            ..Scan::default()
        }
    }

    fn image() -> ImageReport {
        let layer = |line| LayerReport {
            created_by: None,
            line: Some(line),
            shipped_bytes: Bytes(1),
        };
        ImageReport {
            id: "sha256:1".to_owned(),
            shipped_bytes: Bytes(2),
            exact: true,
            layers: vec![layer(1), layer(4)],
            builder_lines: Vec::new(),
        }
    }

    #[test]
    fn what_went_what_came_and_where_from() {
        let before = scan(vec![
            finding("CVE-1", "libc", PackageKind::Deb, 0),
            finding("CVE-2", "flask", PackageKind::Python, 1),
        ]);
        let now = scan(vec![
            finding("CVE-2", "flask", PackageKind::Python, 1),
            finding("CVE-3", "jinja2", PackageKind::Python, 1),
        ]);
        let image = image();
        let names = Names {
            dockerfile: "",
            image: &image,
        };
        let compared = Comparison::of((&now, &names), Some((&before, &names)));
        assert_eq!(
            (compared.gone.as_slice(), compared.new.as_slice()),
            (&[0][..], &[1][..])
        );
        let source = |origin, before, now| Source {
            origin,
            before: Some(before),
            now,
        };
        assert_eq!(
            compared.sources,
            [
                source(Origin::Added(PackageKind::Python), 1, 2),
                source(Origin::Base, 1, 0),
            ]
        );
        assert_eq!(compared.change(None), Some(0));
        assert_eq!(compared.change(Some(Severity::Critical)), Some(0));
        let alone = Comparison::of((&now, &names), None);
        assert_eq!((alone.change(None), alone.new.len()), (None, 0));
    }

    #[test]
    fn what_cannot_be_seen_is_said() {
        let mut blind = scan(Vec::new());
        blind.packages = 0;
        assert_eq!(
            blind_spots(&blind),
            ["no package records were found in the image"]
        );
        blind.uncovered.push(Uncovered {
            ecosystem: "npm".to_owned(),
            packages: 2,
            first: "left-pad".to_owned(),
            why: Lack::Snapshot,
        });
        blind.uncovered.push(Uncovered {
            ecosystem: "RubyGems".to_owned(),
            packages: 1,
            first: "rack".to_owned(),
            why: Lack::Ecosystem,
        });
        assert_eq!(
            blind_spots(&blind),
            [
                "2 packages of npm are not in these advisories (left-pad, …)",
                "1 package of RubyGems is in no advisories that Loadline can have (rack)",
            ]
        );
        let advised = Advised {
            scan: Arc::new(blind),
            days: Some(5),
        };
        assert_eq!(database(&advised), "advisories of 2026-11-20, 5 days old");
    }

    #[test]
    fn an_interpreter_that_was_not_compared_is_told_and_is_no_blind_spot() {
        let mut seen = scan(Vec::new());
        seen.runtimes.push(Runtime {
            name: "python".to_owned(),
            version: "3.13.9".to_owned(),
            layer: 2,
            path: "usr/local/bin/python".to_owned(),
        });
        assert_eq!(blind_spots(&seen), Vec::<String>::new());
        let advised = Advised {
            scan: Arc::new(seen),
            days: None,
        };
        let image = image();
        let names = Names {
            dockerfile: "",
            image: &image,
        };
        let told = "not compared: python 3.13.9 in /usr/local, which no package brought";
        assert!(lines(&advised, &names, None).contains(&told.to_owned()));
    }
}
