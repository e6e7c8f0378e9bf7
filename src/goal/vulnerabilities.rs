//! `vulnerabilities`: the packages of the image have few known vulnerabilities, or fewer than the
//! starter's.
//!
//! Where something in the image hides what it was made of, this is unknown: an image that nobody
//! can look into is not a safe one.

use std::fmt;

use serde::Deserialize;

use super::Blame;
use super::Evidence;
use super::Goal;
use super::Known;
use super::Missing;
use super::Needs;
use super::Verdict;
use super::evidence::Advised;
use super::evidence::Scanned;
use super::field::OneOrMore;
use super::field::Scalar;
use super::kind::About;
use super::kind::Kind;
use super::kind::may;
use crate::finding::Finding;
use crate::finding::Lack;
use crate::finding::NO_LAYER;
use crate::finding::Scan;
use crate::finding::Severity;
use crate::finding::Uncovered;
use crate::finding::group;
use crate::image::package::Gap;
use crate::text::plural;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Vulnerabilities {
    /// Findings that an upgrade closes, of these severities.
    #[serde(default)]
    fixable: Option<OneOrMore<Severity>>,
    /// Findings of these severities, whether or not an upgrade closes them.
    #[serde(default)]
    severities: Option<OneOrMore<Severity>>,
    #[serde(default)]
    max: Option<usize>,
    #[serde(default)]
    less_than: Option<Reference>,
    #[serde(default)]
    min_evidence: Option<usize>,
}

/// What the image is compared with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Reference {
    Baseline,
}

impl Scalar for Severity {
    const EXPECTED: &'static str = "a severity such as `high`";

    fn read(text: &str) -> Result<Self, String> {
        text.parse()
    }
}

impl Kind for Vulnerabilities {
    const ABOUT: About = About {
        name: "vulnerabilities",
        asks: "The packages of the image have at most so many known vulnerabilities, or fewer than the starter's; unknown where the image hides what it was made of.",
        parameters: &[
            may(
                "fixable",
                "severities",
                "Only findings of these severities that an upgrade closes.",
            ),
            may(
                "severities",
                "severities",
                "Only findings of these severities, with a fix or without; all of them by default.",
            ),
            may(
                "max",
                "number",
                "The largest number of findings; 0 where `less_than` is not given.",
            ),
            may(
                "less_than",
                "baseline",
                "There are fewer of them than in the starter's image, which is built for it.",
            ),
            may(
                "min_evidence",
                "number",
                "How many packages must have been compared; 1 by default.",
            ),
        ],
        example: "vulnerabilities: { fixable: [critical, high], max: 0 }",
    };

    fn check(&self) -> Result<(), String> {
        if self.fixable.is_some() && self.severities.is_some() {
            return Err(String::from(
                "`fixable` and `severities` exclude each other: both say which findings count",
            ));
        }
        Ok(())
    }
}

impl Vulnerabilities {
    /// Whether a finding counts.
    fn counts(&self, finding: &Finding) -> bool {
        match (&self.fixable, &self.severities) {
            (Some(OneOrMore(wanted)), _) => {
                finding.fixed.is_some() && wanted.contains(&finding.severity)
            }
            (None, Some(OneOrMore(wanted))) => wanted.contains(&finding.severity),
            (None, None) => true,
        }
    }

    /// The findings that count, worst first.
    fn of<'a>(&self, scan: &'a Scan) -> Vec<&'a Finding> {
        scan.findings
            .iter()
            .filter(|finding| self.counts(finding))
            .collect()
    }

    /// The severities that count, where that is not all of them.
    fn wanted(&self) -> Option<&OneOrMore<Severity>> {
        self.fixable.as_ref().or(self.severities.as_ref())
    }

    /// Those that may count as well: nobody says how bad they are, which is not to be harmless.
    fn unrated(&self, scan: &Scan) -> Vec<Finding> {
        let Some(OneOrMore(wanted)) = self.wanted() else {
            return Vec::new();
        };
        if wanted.contains(&Severity::Unknown) {
            return Vec::new();
        }
        let may = |one: &&Finding| {
            one.severity == Severity::Unknown && (self.fixable.is_none() || one.fixed.is_some())
        };
        scan.findings.iter().filter(may).cloned().collect()
    }

    /// Why it may be too many where nobody says how bad some are. What the starter has as well counts
    /// there as it does here, so that against the starter only the others matter.
    fn unclear(&self, scan: &Scan, starter: &Known<Scan>) -> Option<Missing> {
        let (found, unrated) = (self.of(scan).len(), self.unrated(scan));
        if let Some(first) = unrated.first()
            && found + unrated.len() > self.most().unwrap_or(usize::MAX)
        {
            return Some(self.not_rated(first, unrated.len(), ""));
        }
        let starter = starter.as_ref().ok().filter(|_| self.less_than.is_some())?;
        let theirs = self.unrated(starter);
        let came = group::change(&theirs, &unrated).came;
        let first = came.first()?;
        (found + came.len() >= self.of(starter).len())
            .then(|| self.not_rated(first, came.len(), ""))
    }

    /// Why it may be few enough all the same: what nobody rates in the starter and is gone here may
    /// have counted there.
    fn may_be_fewer(&self, scan: &Scan, starter: &Known<Scan>) -> Option<Missing> {
        let starter = starter.as_ref().ok().filter(|_| self.less_than.is_some())?;
        let found = self.of(scan).len();
        let (theirs, ours) = (self.unrated(starter), self.unrated(scan));
        let gone = group::change(&theirs, &ours).gone;
        let first = gone.first()?;
        let only_starter = found <= self.most().unwrap_or(usize::MAX);
        (only_starter && self.of(starter).len() + gone.len() > found)
            .then(|| self.not_rated(first, gone.len(), OF_STARTER))
    }

    /// The largest number that is named, or meant where the starter is not.
    const fn most(&self) -> Option<usize> {
        match (self.max, self.less_than) {
            (None, None) => Some(0),
            (max, _) => max,
        }
    }

    /// The largest number that is allowed.
    fn limit(&self, starter: &Known<Scan>) -> Known<Option<usize>> {
        let max = self.most();
        if self.less_than.is_none() {
            return Ok(max);
        }
        let starter = starter.as_ref().map_err(Clone::clone)?;
        let Some(below) = self.of(starter).len().checked_sub(1) else {
            let unrated = self.unrated(starter);
            return Err(match unrated.first() {
                Some(first) => self.not_rated(first, unrated.len(), OF_STARTER),
                None => Missing::because(
                    "The starter has none that count, so there is nothing to be less than.",
                ),
            });
        };
        Ok(Some(max.map_or(below, |max| max.min(below))))
    }
}

/// Whose findings they are, where they are not the image's.
const OF_STARTER: &str = " of the starter";

/// `critical, high or medium`.
fn words(list: &OneOrMore<Severity>) -> String {
    let words: Vec<&str> = list.0.iter().map(|severity| severity.as_str()).collect();
    match words.as_slice() {
        [first @ .., last] if !first.is_empty() => {
            format!("{} or {last}", first.join(", "))
        }
        words => words.concat(),
    }
}

/// Which findings count, in a few words: `fixable critical or high`.
impl fmt::Display for Vulnerabilities {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (&self.fixable, &self.severities) {
            (Some(list), _) => write!(f, "fixable {}", words(list)),
            (None, Some(list)) => f.write_str(&words(list)),
            (None, None) => f.write_str("known"),
        }
    }
}

impl Goal for Vulnerabilities {
    fn kind(&self) -> &'static str {
        Self::ABOUT.name
    }

    fn title(&self) -> String {
        let title = match (self.less_than, self.max) {
            (Some(_), None) => format!("fewer {self} CVEs"),
            (_, None | Some(0)) => format!("no {self} CVE"),
            (None, Some(max)) => format!("≤ {max} {self} CVEs"),
            (Some(_), Some(max)) => format!("≤ {max} and fewer {self} CVEs"),
        };
        match self.min_evidence {
            Some(least) => format!("{title} in ≥ {}", plural(least, "package")),
            None => title,
        }
    }

    fn wanted(&self) -> String {
        let max = match (self.less_than, self.max) {
            (Some(_), None) => None,
            (_, max) => Some(max.unwrap_or(0)),
        };
        let mut parts = Vec::new();
        match max {
            Some(0) => {
                let words = self.to_string();
                let a = if words.starts_with('u') { "an" } else { "a" };
                parts.push(format!("no package has {a} {words} vulnerability"));
            }
            Some(max) => parts.push(format!(
                "the packages have at most {max} {self} vulnerabilities"
            )),
            None => {}
        }
        if self.less_than.is_some() {
            parts.push(format!(
                "the packages have fewer {self} vulnerabilities than the starter's"
            ));
        }
        parts.join(", and ")
    }

    fn needs(&self) -> Needs {
        let starter = self.less_than.map(|_| Scanned::Starter);
        Needs {
            scans: [Scanned::Image].into_iter().chain(starter).collect(),
            ..Needs::default()
        }
    }

    fn evaluate(&self, evidence: &Evidence) -> Verdict {
        let scan = match &evidence.scan {
            Ok(scan) => scan,
            Err(missing) => return Verdict::unknown(missing),
        };
        let found = self.of(scan);
        let limit = match self.limit(&evidence.starter_scan) {
            Ok(limit) => limit.unwrap_or(usize::MAX),
            Err(missing) => return Verdict::unknown(&missing),
        };
        let by = Advised(scan);
        if let Some(worst) = found.first()
            && found.len() > limit
        {
            return match self.may_be_fewer(scan, &evidence.starter_scan) {
                Some(missing) => Verdict::unknown(&missing),
                None => self.unmet(&found, worst, evidence, &by.to_string()),
            };
        }
        // What was found counts in any case; that nothing was found counts only where nothing is
        // hidden.
        if let Some(missing) = doubt(scan, self.min_evidence.unwrap_or(1)) {
            return Verdict::unknown(&missing);
        }
        if let Some(missing) = self.unclear(scan, &evidence.starter_scan) {
            return Verdict::unknown(&missing);
        }
        Verdict::met(format!(
            "{} {self} in {}; {by}",
            number(found.len()),
            plural(scan.packages, "package")
        ))
    }
}

fn number(count: usize) -> String {
    if count == 0 {
        String::from("no")
    } else {
        count.to_string()
    }
}

impl Vulnerabilities {
    /// Why the goal cannot be judged where nobody says how bad findings are. `whose` follows them.
    fn not_rated(&self, first: &Finding, count: usize, whose: &str) -> Missing {
        let which = if self.fixable.is_some() {
            "fixable finding"
        } else {
            "finding"
        };
        let list = self.wanted().map(words).unwrap_or_default();
        let (are, each) = match count {
            1 => ("is", "it"),
            _ => ("are", "each of them"),
        };
        let package = &first.package;
        let closes = match &first.fixed {
            Some(fixed) => format!(", which {fixed} fixes"),
            None => String::new(),
        };
        Missing::because(format!(
            "The advisories do not say how bad {}{whose} {are}: {each} may be {list}. The first is {} in `{}` {}{closes}.",
            plural(count, which),
            first.id,
            package.name,
            package.version
        ))
    }

    fn unmet(&self, found: &[&Finding], worst: &Finding, evidence: &Evidence, by: &str) -> Verdict {
        let package = &worst.package;
        let layer = (package.layer != NO_LAYER).then_some(package.layer);
        let line = layer.and_then(|layer| evidence.line_of_layer(layer));
        let fix = match &worst.fixed {
            Some(fixed) => format!("which {fixed} fixes"),
            None => String::from("which no version fixes so far"),
        };
        let from = match line {
            Some(line) => format!(" Line {line} brings it."),
            None => String::new(),
        };
        let mut blame = Blame::line(line);
        if let Some(layer) = layer {
            blame = blame.in_layer(layer);
        }
        if !package.path.is_empty() {
            blame = blame.at_path(format!("/{}", package.path));
        }
        let starter = match (self.less_than, &evidence.starter_scan) {
            (Some(_), Ok(starter)) => format!(", the starter has {}", self.of(starter).len()),
            _ => String::new(),
        };
        Verdict::unmet(
            format!("{} {self}{starter}; {by}", found.len()),
            format!(
                "`{}` {} has {} ({}), {fix}.{from}",
                package.name, package.version, worst.id, worst.severity
            ),
            match worst.fixed {
                Some(_) => {
                    "Ask of each package in the list: does the app need it when it runs? What it needs, how does the newer version get in?"
                }
                None => {
                    "Ask of each package in the list: does the app need it when it runs? What no version fixes goes only with the package, or with a base that has another one."
                }
            },
            blame,
        )
    }
}

/// Why no finding would not mean no vulnerability; `None` where it does.
fn doubt(scan: &Scan, least: usize) -> Option<Missing> {
    if let Some(gap) = scan.gaps.first() {
        return Some(Missing::because(format!(
            "{} tell what is in this image: {gap}.",
            blind(gap)
        )));
    }
    // What no update changes comes first: it is what the answer depends on in the end.
    let lasting = |one: &&Uncovered| one.why != Lack::Snapshot;
    let lasting = scan.uncovered.iter().find(lasting);
    if let Some(uncovered) = lasting.or_else(|| scan.uncovered.first()) {
        return Some(Missing::because(not_covered(uncovered, scan)));
    }
    if let Some(name) = scan.unordered.first() {
        return Some(Missing::because(format!(
            "The version of `{name}` cannot be compared with the advisories'."
        )));
    }
    if scan.packages == 0 {
        return Some(Missing::because(
            "No package could be compared, because none is on record: to find nothing would say nothing.",
        ));
    }
    (scan.packages < least).then(|| {
        Missing::because(format!(
            "Only {} could be compared, where {} are expected: fewer are on record than this goal counts on.",
            plural(scan.packages, "package"),
            least
        ))
    })
}

/// Who cannot tell: what was removed or was never there is for nobody to see, what is merely not
/// read here may be read elsewhere.
const fn blind(gap: &Gap) -> &'static str {
    match gap {
        Gap::RecordsRemoved { .. }
        | Gap::RecordsRewritten { .. }
        | Gap::RecordsChanged { .. }
        | Gap::RecordsDisagree { .. }
        | Gap::OtherRelease(_)
        | Gap::RecordsMissing { .. }
        | Gap::NoRecords => "No scanner can",
        Gap::OpaqueBinary { .. } | Gap::RecordsUnread { .. } | Gap::RecordsBroken { .. } => {
            "Loadline cannot"
        }
    }
}

/// Why packages could not be compared, and what changes that where something does.
fn not_covered(uncovered: &Uncovered, scan: &Scan) -> String {
    let (who, listed, it) = match uncovered.packages {
        1 => (format!("`{}`", uncovered.first), "It is listed", "it"),
        _ => (
            format!("`{}` among them", uncovered.first),
            "They are listed",
            "them",
        ),
    };
    let packages = plural(uncovered.packages, "package");
    let place = &uncovered.ecosystem;
    match uncovered.why {
        Lack::Snapshot => {
            let update = if scan.shipped {
                " `loadline db update` fetches all there are."
            } else {
                ""
            };
            format!(
                "The advisories of {} do not cover {packages} of {place}, {who}.{update}",
                scan.database_date
            )
        }
        Lack::Ecosystem => format!(
            "Loadline cannot compare {packages} of {place}, {who}: it reads no advisories of {place}, and `loadline db update` fetches none. {listed}, and an image with {it} stays unknown here; `loadline scan IMAGE --engine trivy` compares {it} where Trivy is installed, and so does `grype`."
        ),
        Lack::Release => format!(
            "Loadline has no advisories for {packages} of {place}, {who}, and `loadline db update` fetches none. {listed}, and an image with {it} stays unknown here."
        ),
        Lack::Group => format!(
            "Loadline cannot compare {packages} of {place}, {who}: {}. With Maven's `pom.properties` inside, it is on record.",
            uncovered.without_a_group()
        ),
        Lack::Ended => format!(
            "What was found in {packages} of {place}, {who}, since that release came to its end is in no advisory."
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::goal::fixture::goal;
    use crate::goal::fixture::nothing;
    use crate::goal::fixture::show;
    use crate::goal::fixture::sizes;
    use crate::goal::fixture::try_goal;
    use crate::image::package::Package;
    use crate::image::package::PackageKind;

    fn finding(id: &str, severity: Severity, fixed: Option<&str>) -> Finding {
        Finding {
            id: id.to_owned(),
            aliases: Vec::new(),
            package: Package {
                kind: PackageKind::Python,
                name: String::from("pip"),
                version: String::from("25.1.1"),
                source: None,
                architecture: None,
                licences: Vec::new(),
                layer: 1,
                path: String::from("usr/local/lib/pip.dist-info/METADATA"),
            },
            also: Vec::new(),
            fixed: fixed.map(str::to_owned),
            severity,
            summary: String::new(),
        }
    }

    fn scan(findings: Vec<Finding>) -> Scan {
        Scan {
            engine: String::from("loadline 0.1.0"),
            database: String::from("3f2a"),
            database_date: String::from("2026-11-25"),
            packages: 31,
            findings,
            ..Scan::default()
        }
    }

    fn judge(yaml: &str, scan: Scan, starter: Option<Scan>) -> String {
        let mut evidence = nothing("FROM python:3.13\nRUN pip install flask");
        evidence.sizes = Ok(sizes(&[(Some(1), 100), (Some(2), 100)]));
        evidence.scan = Ok(scan);
        if let Some(starter) = starter {
            evidence.starter_scan = Ok(starter);
        }
        show(&goal(yaml).evaluate(&evidence))
    }

    const NONE: &str = "vulnerabilities: { fixable: [critical, high], max: 0 }";

    #[test]
    fn only_findings_that_count_are_counted() {
        let unfixed = finding("CVE-1", Severity::Critical, None);
        let medium = finding("CVE-2", Severity::Medium, Some("26.0"));
        insta::assert_snapshot!(
            judge(NONE, scan(vec![unfixed, medium]), None),
            @"met: no fixable critical or high in 31 packages; loadline 0.1.0, advisories of 2026-11-25"
        );
        let high = finding("CVE-2026-8643", Severity::High, Some("26.1.2"));
        insta::assert_snapshot!(judge(NONE, scan(vec![high]), None), @r"
        unmet: 1 fixable critical or high; loadline 0.1.0, advisories of 2026-11-25
        why:   `pip` 25.1.1 has CVE-2026-8643 (high), which 26.1.2 fixes. Line 2 brings it.
        next:  Ask of each package in the list: does the app need it when it runs? What it needs, how does the newer version get in?
        blame: line 2, layer 1, /usr/local/lib/pip.dist-info/METADATA
        ");
    }

    #[test]
    fn severities_alone_count_unfixed_ones_too_and_nothing_counts_all() {
        let findings = || {
            vec![
                finding("CVE-1", Severity::High, None),
                finding("CVE-2", Severity::Unknown, None),
            ]
        };
        let high = judge(
            "vulnerabilities: { severities: high, max: 2 }",
            scan(findings()),
            None,
        );
        assert!(high.starts_with("met: 1 high in 31 packages"), "{high}");
        let all = judge("vulnerabilities: { max: 1 }", scan(findings()), None);
        assert!(all.starts_with("unmet: 2 known"), "{all}");
        assert!(all.contains("which no version fixes so far"), "{all}");
    }

    #[test]
    fn what_nobody_rates_may_be_as_bad_as_what_counts() {
        let unrated = |fixed: Option<&str>| finding("GO-2024-1", Severity::Unknown, fixed);
        let two = || vec![unrated(Some("2")), unrated(Some("2"))];
        insta::assert_snapshot!(
            judge(NONE, scan(two()), None),
            @"unknown: The advisories do not say how bad 2 fixable findings are: each of them may be critical or high. The first is GO-2024-1 in `pip` 25.1.1, which 2 fixes."
        );
        assert!(judge(NONE, scan(vec![unrated(None)]), None).starts_with("met"));
        let of = |yaml: &str| judge(yaml, scan(two()), None);
        insta::assert_snapshot!(
            judge("vulnerabilities: { severities: high }", scan(vec![unrated(None)]), None),
            @"unknown: The advisories do not say how bad 1 finding is: it may be high. The first is GO-2024-1 in `pip` 25.1.1."
        );
        // As many as are allowed may be as bad as they like.
        assert!(of("vulnerabilities: { fixable: high, max: 2 }").starts_with("met"));
        assert!(of("vulnerabilities: { fixable: [high, unknown] }").starts_with("unmet: 2"));
        // Fewer than the starter's would be a guess as well.
        let less = "vulnerabilities: { fixable: high, less_than: baseline }";
        let starter = || {
            let of = |at: usize| finding(&format!("CVE-{at}"), Severity::High, Some("2"));
            scan((0..2).map(of).collect())
        };
        assert!(judge(less, scan(two()), Some(starter())).starts_with("unknown"));
        let one = judge(less, scan(vec![unrated(Some("2"))]), Some(starter()));
        assert!(one.starts_with("met"), "{one}");
        // What the starter has too counts there as it does here.
        let both = Scan {
            findings: [two(), starter().findings].concat(),
            ..scan(Vec::new())
        };
        let same = judge(less, scan(two()), Some(both));
        assert!(same.starts_with("met"), "{same}");
    }

    #[test]
    fn what_nobody_rates_in_the_starter_may_count_there() {
        let less = "vulnerabilities: { fixable: high, less_than: baseline }";
        let of = |high: usize, unrated: usize| {
            let high = (0..high).map(|at| (format!("CVE-{at}"), Severity::High));
            let unrated = (0..unrated).map(|at| (format!("GO-{at}"), Severity::Unknown));
            let all = high.chain(unrated);
            scan(all.map(|(id, how)| finding(&id, how, Some("2"))).collect())
        };
        insta::assert_snapshot!(
            judge(less, of(2, 0), Some(of(2, 1))),
            @"unknown: The advisories do not say how bad 1 fixable finding of the starter is: it may be high. The first is GO-0 in `pip` 25.1.1, which 2 fixes."
        );
        let only = judge(less, of(0, 0), Some(of(0, 2)));
        assert!(
            only.contains("how bad 2 fixable findings of the starter are"),
            "{only}"
        );
        // Here as there, or too few of them, or more than is allowed in any case.
        let capped = "vulnerabilities: { fixable: high, less_than: baseline, max: 1 }";
        for (yaml, ours, starter) in [
            (less, of(2, 1), of(2, 1)),
            (less, of(3, 0), of(2, 1)),
            (capped, of(2, 0), of(2, 1)),
        ] {
            let verdict = judge(yaml, ours, Some(starter));
            assert!(verdict.starts_with("unmet"), "{verdict}");
        }
    }

    #[test]
    fn what_hides_a_vulnerability_is_unknown_and_never_met() {
        let gap = Gap::RecordsRemoved {
            path: String::from("var/lib/dpkg/status"),
            layer: 1,
        };
        let blind = Scan {
            gaps: vec![gap],
            ..scan(Vec::new())
        };
        insta::assert_snapshot!(
            judge(NONE, blind.clone(), None),
            @"unknown: No scanner can tell what is in this image: the package records /var/lib/dpkg/status were removed."
        );
        // What is found counts in any case.
        let found = Scan {
            findings: vec![finding("CVE-1", Severity::High, Some("2"))],
            ..blind
        };
        assert!(judge(NONE, found, None).starts_with("unmet"));
        let uncovered = Scan {
            shipped: true,
            uncovered: vec![Uncovered {
                ecosystem: String::from("npm"),
                packages: 2,
                first: String::from("express"),
                why: Lack::Snapshot,
            }],
            ..scan(Vec::new())
        };
        insta::assert_snapshot!(
            judge(NONE, uncovered, None),
            @"unknown: The advisories of 2026-11-25 do not cover 2 packages of npm, `express` among them. `loadline db update` fetches all there are."
        );
        let unordered = Scan {
            unordered: vec![String::from("m (devel)")],
            ..scan(Vec::new())
        };
        assert!(judge(NONE, unordered, None).starts_with("unknown: The version of `m (devel)`"));
        let empty = Scan {
            packages: 0,
            ..scan(Vec::new())
        };
        assert!(judge(NONE, empty, None).starts_with("unknown: No package could be compared"));
    }

    /// The image's packages of an ecosystem that is not covered, judged.
    fn uncovered(places: &[(&str, usize, &str, Lack)]) -> String {
        let uncovered = places
            .iter()
            .map(|(place, packages, first, why)| Uncovered {
                ecosystem: (*place).to_owned(),
                packages: *packages,
                first: (*first).to_owned(),
                why: *why,
            });
        let scan = Scan {
            shipped: true,
            uncovered: uncovered.collect(),
            ..scan(Vec::new())
        };
        judge(NONE, scan, None)
    }

    #[test]
    fn an_update_is_advised_only_where_it_helps() {
        insta::assert_snapshot!(
            uncovered(&[("npm", 2, "express", Lack::Snapshot), ("RubyGems", 2, "rack", Lack::Ecosystem)]),
            @"unknown: Loadline cannot compare 2 packages of RubyGems, `rack` among them: it reads no advisories of RubyGems, and `loadline db update` fetches none. They are listed, and an image with them stays unknown here; `loadline scan IMAGE --engine trivy` compares them where Trivy is installed, and so does `grype`."
        );
        insta::assert_snapshot!(
            uncovered(&[("a vendor", 1, "nginx", Lack::Release)]),
            @"unknown: Loadline has no advisories for 1 package of a vendor, `nginx`, and `loadline db update` fetches none. It is listed, and an image with it stays unknown here."
        );
        insta::assert_snapshot!(
            uncovered(&[("npm", 1, "express", Lack::Snapshot)]),
            @"unknown: The advisories of 2026-11-25 do not cover 1 package of npm, `express`. `loadline db update` fetches all there are."
        );
        insta::assert_snapshot!(
            uncovered(&[("Maven", 1, "core", Lack::Group)]),
            @"unknown: Loadline cannot compare 1 package of Maven, `core`: its archive does not say the Maven group, and advisories are about artifacts of that name. With Maven's `pom.properties` inside, it is on record."
        );
    }

    #[test]
    fn what_others_may_read_is_not_said_to_be_hidden_from_all() {
        let rpm = Scan {
            gaps: vec![Gap::RecordsUnread {
                path: String::from("var/lib/rpm/rpmdb.sqlite"),
            }],
            ..scan(Vec::new())
        };
        assert!(judge(NONE, rpm, None).starts_with("unknown: Loadline cannot tell"));
    }

    #[test]
    fn an_exercise_may_expect_more_evidence() {
        let yaml = "vulnerabilities: { max: 0, min_evidence: 40 }";
        insta::assert_snapshot!(
            judge(yaml, scan(Vec::new()), None),
            @"unknown: Only 31 packages could be compared, where 40 are expected: fewer are on record than this goal counts on."
        );
        let yaml = "vulnerabilities: { max: 0, min_evidence: 31 }";
        assert!(judge(yaml, scan(Vec::new()), None).starts_with("met"));
    }

    #[test]
    fn fewer_than_the_starter_needs_the_starter() {
        let yaml = "vulnerabilities: { fixable: high, less_than: baseline }";
        let high = |count: usize| {
            let findings =
                (0..count).map(|at| finding(&format!("CVE-{at}"), Severity::High, Some("2")));
            scan(findings.collect())
        };
        assert!(judge(yaml, high(1), Some(high(2))).starts_with("met: 1 fixable high"));
        let same = judge(yaml, high(2), Some(high(2)));
        assert!(
            same.starts_with("unmet: 2 fixable high, the starter has 2; "),
            "{same}"
        );
        assert!(judge(yaml, high(0), Some(high(0))).contains("nothing to be less than"));
        assert_eq!(judge(yaml, high(0), None), "unknown: It was not gathered.");
        let both = "vulnerabilities: { fixable: high, less_than: baseline, max: 1 }";
        assert!(judge(both, high(2), Some(high(9))).starts_with("unmet"));
        assert!(goal(yaml).needs().scans.contains(&Scanned::Starter));
        assert!(!goal(NONE).needs().scans.contains(&Scanned::Starter));
    }

    #[test]
    fn what_it_asks_for_is_said_in_words() {
        let words = |yaml: &str| {
            let goal = goal(yaml);
            format!("{} · {}", goal.title(), goal.wanted())
        };
        insta::assert_snapshot!(words(NONE), @"no fixable critical or high CVE · no package has a fixable critical or high vulnerability");
        insta::assert_snapshot!(
            words("vulnerabilities: { severities: [critical], max: 3 }"),
            @"≤ 3 critical CVEs · the packages have at most 3 critical vulnerabilities"
        );
        insta::assert_snapshot!(
            words("vulnerabilities: { less_than: baseline }"),
            @"fewer known CVEs · the packages have fewer known vulnerabilities than the starter's"
        );
        insta::assert_snapshot!(
            words("vulnerabilities: { severities: [unknown] }"),
            @"no unknown CVE · no package has an unknown vulnerability"
        );
        let title = |yaml: &str| goal(yaml).title();
        assert_eq!(
            title("vulnerabilities: { max: 0, min_evidence: 40 }"),
            "no known CVE in ≥ 40 packages"
        );
        assert_eq!(
            title("vulnerabilities: { less_than: baseline, max: 3 }"),
            "≤ 3 and fewer known CVEs"
        );
    }

    #[test]
    fn a_severity_that_is_none_and_contradictions_are_named() {
        let error = |yaml: &str| try_goal(yaml).err().unwrap();
        assert!(error("vulnerabilities: { fixable: [hgih] }").contains("is not a severity"));
        assert!(error("vulnerabilities: { less_than: yesterday }").contains("unknown variant"));
        let both = "vulnerabilities: { fixable: high, severities: high }";
        assert!(error(both).contains("exclude each other"));
    }
}
