//! What `loadline scan` prints for people. Pure.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use super::Scanned;
use super::Shown;
use crate::cli::output::Paint;
use crate::finding::Finding;
use crate::finding::Lack;
use crate::finding::Scan;
use crate::finding::Severity;
use crate::finding::Uncovered;
use crate::finding::group;
use crate::finding::group::Fix;
use crate::finding::group::OfLayer;
use crate::image::Contents;
use crate::image::maker;
use crate::image::package::Gap;
use crate::image::package::Runtime;
use crate::scan::Scanner;
use crate::text::Clean;
use crate::text::plural;

/// Upgrades, findings of one layer, and reasons of one kind, that are listed without `--all`.
const SOME: usize = 10;

/// What the advisories in the program do not say: stands under every figure that is made of them.
pub(crate) const SHIPPED_COVERS: &str = "These advisories come with the program: they cover the packages of the course only, and of \
     Debian's what an update has closed, not what is still open. `loadline db update` fetches all \
     there are.";

/// The whole result. `others` are the scanners that are here and compare what loadline cannot.
pub(super) fn show(scanned: &Scanned, shown: &Shown, others: &[Scanner], paint: Paint) -> String {
    let scan = &scanned.scan;
    let mut text = short_line(scan, paint);
    text.push_str(&about(scan));
    text.push_str(&unseen(scan, shown, paint));
    text.push_str(&elsewhere(scan, others));
    let findings: Vec<Finding> = scan
        .findings
        .iter()
        .filter(|finding| shown.has(finding))
        .cloned()
        .collect();
    if findings.len() < scan.findings.len() {
        let _ = writeln!(
            text,
            "\nshown are {} of {}",
            findings.len(),
            plural(scan.findings.len(), "finding")
        );
    }
    if !findings.is_empty() {
        text.push_str(&by_fix(&findings, shown));
        text.push_str(&by_layer(&findings, &scanned.contents, shown, paint));
    }
    text
}

/// `1C 5H 13M 20L 3?`, and whether that is all there is to know.
fn short_line(scan: &Scan, paint: Paint) -> String {
    let counts = scan.counts().to_string();
    match doubt(scan) {
        Some(doubt) => format!("{counts}   {}\n", paint.warn(&doubt)),
        None => format!("{counts}\n"),
    }
}

/// Why the counts are not all there is to know.
pub(crate) fn doubt(scan: &Scan) -> Option<String> {
    if let Some(first) = scan.gaps.first() {
        let more = match scan.gaps.len() - 1 {
            0 => String::new(),
            more => format!(", and {}", plural(more, "more reason")),
        };
        return Some(format!("unscannable: {first}{more}"));
    }
    if scan.packages == 0 && scan.uncovered.is_empty() {
        return Some(format!("unscannable: {}", Gap::NoRecords));
    }
    let uncovered: usize = scan.uncovered.iter().map(|one| one.packages).sum();
    let missing = uncovered + scan.unordered.len();
    let compared = (missing > 0).then(|| {
        let all = scan.packages + uncovered;
        format!(
            "{missing} of {} could not be compared",
            plural(all, "package")
        )
    });
    let passed_over =
        (scan.passed_over > 0).then(|| format!("{} passed over", are(scan.passed_over, "finding")));
    let unread = (scan.unread > 0).then(|| format!("{} not read", are(scan.unread, "file")));
    let reasons: Vec<String> = [compared, passed_over, unread]
        .into_iter()
        .flatten()
        .collect();
    (!reasons.is_empty()).then(|| format!("incomplete: {}", reasons.join(", ")))
}

/// `1 finding was`, `2 findings were`.
fn are(count: usize, what: &str) -> String {
    let verb = if count == 1 { "was" } else { "were" };
    format!("{} {verb}", plural(count, what))
}

/// Who scanned, with what.
fn about(scan: &Scan) -> String {
    let date = if scan.database_date.is_empty() {
        String::from("of a day that it does not say")
    } else {
        format!("of {}", scan.database_date)
    };
    // A scanner that does not say how many packages it saw is not given our figure as its own.
    let whose = if scan.counted_here {
        " by loadline's own count"
    } else {
        ""
    };
    let mut text = format!(
        "{}{whose} · {} · advisories {date} ({})\n",
        plural(scan.packages, "package"),
        Clean::line(&scan.engine),
        Clean::line(&scan.database),
    );
    if scan.shipped {
        let _ = writeln!(text, "{SHIPPED_COVERS}");
    }
    text
}

/// What was left out, and what nothing can be known of.
fn unseen(scan: &Scan, shown: &Shown, paint: Paint) -> String {
    let mut text = String::new();
    if scan.unimportant > 0 {
        let _ = writeln!(
            text,
            "left out: {} that the advisories call unimportant",
            plural(scan.unimportant, "finding")
        );
    }
    if scan.kernel > 0 {
        let _ = writeln!(
            text,
            "left out: {} of the kernel whose headers are installed; an image brings no kernel",
            plural(scan.kernel, "finding")
        );
    }
    if scan.passed_over > 0 {
        let _ = writeln!(
            text,
            "{} {} about packages of a kind that loadline does not know, and not counted",
            paint.warn("unknown:"),
            are(scan.passed_over, "finding"),
        );
    }
    if scan.unread > 0 {
        let _ = writeln!(
            text,
            "{} {} could not be read by the scanner, which may tell of packages",
            paint.warn("unknown:"),
            plural(scan.unread, "file"),
        );
    }
    for one in &scan.uncovered {
        let _ = writeln!(text, "{} {}", paint.warn("unknown:"), not_covered(one));
    }
    let unordered = scan.unordered.iter();
    let unordered = unordered.map(|name| format!("the version of `{name}` cannot be put in order"));
    text.push_str(&unknown(unordered, "more version", shown, paint));
    for runtime in &scan.runtimes {
        let _ = writeln!(text, "{}", not_compared(runtime));
    }
    // One and the same thing may be missing in several layers.
    let gaps: BTreeSet<String> = scan.gaps.iter().map(ToString::to_string).collect();
    text.push_str(&unknown(gaps.into_iter(), "more reason", shown, paint));
    text
}

/// Lines of what is not known, the first of them without `--all`.
fn unknown(
    mut lines: impl ExactSizeIterator<Item = String>,
    more: &str,
    shown: &Shown,
    paint: Paint,
) -> String {
    let most = if shown.all { lines.len() } else { SOME };
    let mut text = String::new();
    for line in lines.by_ref().take(most) {
        let _ = writeln!(text, "{} {}", paint.warn("unknown:"), Clean::line(&line));
    }
    if lines.len() > 0 {
        let _ = writeln!(
            text,
            "{} {}; `--all` lists them",
            paint.warn("unknown:"),
            plural(lines.len(), more)
        );
    }
    text
}

/// A language implementation that was not compared. It stands apart from what is unknown: an image
/// that is made of nothing but packages and one of these is as much as anybody can judge.
fn not_compared(runtime: &Runtime) -> String {
    format!(
        "not compared: {}; no package brought it, and no advisories here are about it",
        Clean::line(&runtime.to_string()),
    )
}

/// Packages that were not compared, and whether that can change.
fn not_covered(one: &Uncovered) -> String {
    let (others, are, it) = if one.packages > 1 {
        (" and others", "are", "them")
    } else {
        ("", "is", "it")
    };
    let place = Clean::line(&one.ecosystem);
    let packages = format!(
        "{} of {place} (`{}`{others})",
        plural(one.packages, "package"),
        Clean::line(&one.first),
    );
    match one.why {
        Lack::Snapshot => format!("{packages} {are} not covered by the advisories"),
        Lack::Ecosystem => format!(
            "{packages} {are} listed and cannot be compared: loadline reads no advisories of {place}, and `loadline db update` fetches none"
        ),
        Lack::Release => format!(
            "{packages} {are} listed and cannot be compared: no advisories here are about {it}, and `loadline db update` fetches none"
        ),
        Lack::Group => format!("{packages} cannot be compared: {}", one.without_a_group()),
        Lack::Ended => format!(
            "{packages} {are} of a release past its end: what was found since is in no advisory"
        ),
    }
}

/// Who compares what loadline cannot.
fn elsewhere(scan: &Scan, others: &[Scanner]) -> String {
    if scan.uncovered.iter().all(|one| one.why != Lack::Ecosystem) {
        return String::new();
    }
    match others {
        [] => String::from(
            "Trivy and Grype compare such packages: install one of them, then name it with `--engine`\n",
        ),
        here => {
            let words: Vec<String> = here
                .iter()
                .map(|scanner| format!("`--engine {}`", scanner.name()))
                .collect();
            let verb = if here.len() == 1 {
                "compares"
            } else {
                "compare"
            };
            format!(
                "installed here, {} {verb} such packages\n",
                words.join(" and ")
            )
        }
    }
}

/// The upgrades that close the most.
fn by_fix(findings: &[Finding], shown: &Shown) -> String {
    let fixes = group::fixes(findings);
    let unfixed = findings.iter().filter(|one| one.fixed.is_none()).count();
    let mut text = String::from("\nBy fix\n");
    let most = if shown.all { fixes.len() } else { SOME };
    for fix in fixes.iter().take(most) {
        text.push_str(&fix_line(fix));
    }
    if fixes.len() > most {
        let _ = writeln!(
            text,
            "  and {}; `--all` lists them",
            plural(fixes.len() - most, "more upgrade")
        );
    }
    if unfixed > 0 {
        let _ = writeln!(
            text,
            "  {} without a fix so far",
            plural(unfixed, "finding")
        );
    }
    text
}

fn fix_line(fix: &Fix) -> String {
    let others: Vec<String> = fix
        .packages
        .iter()
        .filter(|name| **name != fix.name)
        .map(|name| Clean::line(name).to_string())
        .collect();
    let of = match others.as_slice() {
        [] => String::new(),
        [one] => format!(" ({one})"),
        [one, more @ ..] => format!(" ({one} and {} more)", more.len()),
    };
    format!(
        "  upgrade {} {} → {}{of}: fixes {} ({})\n",
        Clean::line(&fix.name),
        Clean::line(&fix.from),
        Clean::line(&fix.to),
        fix.ids.len(),
        fix.counts
    )
}

/// The findings of each layer, with the instruction that made it.
fn by_layer(findings: &[Finding], contents: &Contents, shown: &Shown, paint: Paint) -> String {
    let mut text = String::from("\nBy layer\n");
    for of_layer in group::by_layer(findings) {
        text.push_str(&layer_line(&of_layer, contents));
        let most = if shown.all {
            of_layer.findings.len()
        } else {
            SOME
        };
        for finding in of_layer.findings.iter().take(most) {
            text.push_str(&finding_line(finding, paint));
        }
        if of_layer.findings.len() > most {
            let more = plural(of_layer.findings.len() - most, "more finding");
            let _ = writeln!(text, "    and {more}; `--all` lists them");
        }
    }
    text
}

fn layer_line(of_layer: &OfLayer<'_>, contents: &Contents) -> String {
    let Some(index) = of_layer.layer else {
        return format!("  some layer: {}\n", of_layer.counts());
    };
    let made = contents
        .layers
        .get(index)
        .and_then(|layer| layer.created_by.as_deref())
        .map_or_else(|| String::from("(no history)"), short);
    format!("  layer {index}, {made}: {}\n", of_layer.counts())
}

/// A step of the history as a person wrote it, cut to a line.
fn short(created_by: &str) -> String {
    let line = Clean::line(&maker::instruction(created_by));
    if line.as_str().chars().count() <= 60 {
        return format!("`{line}`");
    }
    let cut: String = line.as_str().chars().take(59).collect();
    format!("`{cut}…`")
}

fn finding_line(finding: &Finding, paint: Paint) -> String {
    let severity = format!("{:<8}", finding.severity);
    let severity = match finding.severity {
        Severity::Critical | Severity::High => paint.bad(&severity),
        Severity::Medium | Severity::Unknown => paint.warn(&severity),
        Severity::Low => severity,
    };
    let fix = match &finding.fixed {
        Some(fixed) => format!("fixed in {}", Clean::line(fixed)),
        None => String::from("no fix"),
    };
    let more = match finding.also.len() {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    format!(
        "    {severity} {:<16} {} {}{more}, {fix}: {}\n",
        Clean::line(&finding.id).as_str(),
        Clean::line(&finding.package.name),
        Clean::line(&finding.package.version),
        Clean::line(&finding.summary)
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::image::Layer;
    use crate::image::package::Inventory;
    use crate::image::package::Package;
    use crate::image::package::PackageKind;

    fn finding(id: &str, severity: Severity, name: &str, fixed: &str, layer: usize) -> Finding {
        Finding {
            id: id.to_owned(),
            aliases: Vec::new(),
            package: Package {
                kind: PackageKind::Python,
                name: name.to_owned(),
                version: String::from("1.0"),
                source: None,
                architecture: None,
                licences: Vec::new(),
                layer,
                path: String::new(),
            },
            also: Vec::new(),
            fixed: (!fixed.is_empty()).then(|| fixed.to_owned()),
            severity,
            summary: String::from("What it is about"),
        }
    }

    fn scanned(scan: Scan) -> Scanned {
        let layer = |created_by: &str| Layer {
            index: 0,
            diff_id: String::new(),
            created_by: Some(created_by.to_owned()),
            shipped: crate::units::Bytes(0),
            entries: Vec::new(),
            programs: std::collections::BTreeMap::new(),
            kept: std::collections::BTreeMap::new(),
            notes: Vec::new(),
        };
        Scanned {
            name: String::from("app"),
            contents: Contents {
                layers: vec![
                    layer("/bin/sh -c #(nop) ADD file:0123 in / "),
                    layer("RUN /bin/sh -c pip install -r requirements.txt # buildkit"),
                ],
                ..Contents::default()
            },
            inventory: Inventory::default(),
            scan: Scan {
                engine: String::from("loadline 0.1.0"),
                database: String::from("3f2a91c055aa77bb"),
                database_date: String::from("2026-11-25"),
                packages: 12,
                ..scan
            },
        }
    }

    #[test]
    fn the_short_line_comes_first_and_details_by_fix_and_by_layer() {
        let scanned = scanned(Scan {
            findings: vec![
                finding("CVE-2026-1", Severity::High, "jinja2", "3.1.6", 1),
                finding("CVE-2026-2", Severity::Medium, "jinja2", "3.1.5", 1),
                finding("CVE-2026-3", Severity::Unknown, "pip", "", 0),
            ],
            unimportant: 4,
            ..Scan::default()
        });
        insta::assert_snapshot!(show(&scanned, &Shown::default(), &[], Paint::none()), @r"
        0C 1H 1M 0L 1?
        12 packages · loadline 0.1.0 · advisories of 2026-11-25 (3f2a91c055aa77bb)
        left out: 4 findings that the advisories call unimportant

        By fix
          upgrade jinja2 1.0 → 3.1.6: fixes 2 (0C 1H 1M 0L)
          1 finding without a fix so far

        By layer
          layer 0, `ADD file:0123 in /`: 0C 0H 0M 0L 1?
            unknown  CVE-2026-3       pip 1.0, no fix: What it is about
          layer 1, `RUN pip install -r requirements.txt`: 0C 1H 1M 0L
            high     CVE-2026-1       jinja2 1.0, fixed in 3.1.6: What it is about
            medium   CVE-2026-2       jinja2 1.0, fixed in 3.1.5: What it is about
        ");
    }

    #[test]
    fn nothing_found_is_never_said_alone_where_something_could_hide() {
        let opaque = scanned(Scan {
            gaps: vec![Gap::OpaqueBinary {
                path: String::from("app/server"),
                layer: 2,
            }],
            ..Scan::default()
        });
        insta::assert_snapshot!(show(&opaque, &Shown::default(), &[], Paint::none()), @r"
        0C 0H 0M 0L   unscannable: /app/server does not say what it was made of
        12 packages · loadline 0.1.0 · advisories of 2026-11-25 (3f2a91c055aa77bb)
        unknown: /app/server does not say what it was made of
        ");
        let uncovered = scanned(Scan {
            shipped: true,
            uncovered: vec![Uncovered {
                ecosystem: String::from("npm"),
                packages: 3,
                first: String::from("express"),
                why: Lack::Snapshot,
            }],
            ..Scan::default()
        });
        insta::assert_snapshot!(show(&uncovered, &Shown::default(), &[], Paint::none()), @r"
        0C 0H 0M 0L   incomplete: 3 of 15 packages could not be compared
        12 packages · loadline 0.1.0 · advisories of 2026-11-25 (3f2a91c055aa77bb)
        These advisories come with the program: they cover the packages of the course only, and of Debian's what an update has closed, not what is still open. `loadline db update` fetches all there are.
        unknown: 3 packages of npm (`express` and others) are not covered by the advisories
        ");
    }

    #[test]
    fn a_long_list_of_what_is_not_known_is_cut_until_all_is_asked_for() {
        let opaque = |at: usize| Gap::OpaqueBinary {
            path: format!("bin/{at:02}"),
            layer: 0,
        };
        let scanned = scanned(Scan {
            gaps: (0..12).map(opaque).collect(),
            unordered: (0..11).map(|at| format!("m{at} (devel)")).collect(),
            ..Scan::default()
        });
        let told = |all: bool| {
            let shown = Shown {
                all,
                ..Shown::default()
            };
            let text = show(&scanned, &shown, &[], Paint::none());
            let lines = text.lines().filter(|line| line.starts_with("unknown:"));
            lines.map(str::to_owned).collect::<Vec<_>>()
        };
        let some = told(false);
        assert_eq!(some.len(), 22);
        assert_eq!(some[10], "unknown: 1 more version; `--all` lists them");
        assert_eq!(some[21], "unknown: 2 more reasons; `--all` lists them");
        assert_eq!(told(true).len(), 23);
    }

    #[test]
    fn what_no_update_brings_is_told_with_who_compares_it() {
        let place = |ecosystem: &str, packages, first: &str, why| Uncovered {
            ecosystem: ecosystem.to_owned(),
            packages,
            first: first.to_owned(),
            why,
        };
        let scanned = scanned(Scan {
            uncovered: vec![
                place("RubyGems", 2, "rack", Lack::Ecosystem),
                place("a vendor", 1, "nginx", Lack::Release),
            ],
            ..Scan::default()
        });
        let told = |others: &[Scanner]| {
            let text = show(&scanned, &Shown::default(), others, Paint::none());
            let lines: Vec<&str> = text.lines().skip(2).collect();
            lines.join("\n")
        };
        insta::assert_snapshot!(told(&[]), @r"
        unknown: 2 packages of RubyGems (`rack` and others) are listed and cannot be compared: loadline reads no advisories of RubyGems, and `loadline db update` fetches none
        unknown: 1 package of a vendor (`nginx`) is listed and cannot be compared: no advisories here are about it, and `loadline db update` fetches none
        Trivy and Grype compare such packages: install one of them, then name it with `--engine`
        ");
        let here = told(&[Scanner::Trivy, Scanner::Grype]);
        let last = here.lines().next_back();
        assert_eq!(
            last,
            Some("installed here, `--engine trivy` and `--engine grype` compare such packages")
        );
    }

    #[test]
    fn what_a_scanner_found_and_nobody_could_read_is_told() {
        let scanned = scanned(Scan {
            passed_over: 2,
            counted_here: true,
            ..Scan::default()
        });
        insta::assert_snapshot!(show(&scanned, &Shown::default(), &[], Paint::none()), @r"
        0C 0H 0M 0L   incomplete: 2 findings were passed over
        12 packages by loadline's own count · loadline 0.1.0 · advisories of 2026-11-25 (3f2a91c055aa77bb)
        unknown: 2 findings were about packages of a kind that loadline does not know, and not counted
        ");
    }

    #[test]
    fn an_interpreter_that_was_not_compared_is_told_and_doubts_nothing() {
        let runtime = |name: &str, version: &str, path: &str| Runtime {
            name: name.to_owned(),
            version: version.to_owned(),
            layer: 0,
            path: path.to_owned(),
        };
        let scanned = scanned(Scan {
            runtimes: vec![
                runtime("python", "3.8.0", "usr/local/bin/python"),
                runtime("rust", "", "opt/rust"),
            ],
            uncovered: vec![Uncovered {
                ecosystem: String::from("alpine 3.10.2"),
                packages: 1,
                first: String::from("musl"),
                why: Lack::Ended,
            }],
            ..Scan::default()
        });
        insta::assert_snapshot!(show(&scanned, &Shown::default(), &[], Paint::none()), @r"
        0C 0H 0M 0L   incomplete: 1 of 13 packages could not be compared
        12 packages · loadline 0.1.0 · advisories of 2026-11-25 (3f2a91c055aa77bb)
        unknown: 1 package of alpine 3.10.2 (`musl`) is of a release past its end: what was found since is in no advisory
        not compared: python 3.8.0 in /usr/local; no package brought it, and no advisories here are about it
        not compared: rust in /opt/rust; no package brought it, and no advisories here are about it
        ");
        let compared = Scan {
            uncovered: Vec::new(),
            ..scanned.scan
        };
        assert!(!compared.is_blind() && doubt(&compared).is_none());
    }

    #[test]
    fn what_is_filtered_is_told() {
        let scanned = scanned(Scan {
            findings: vec![
                finding("CVE-2026-1", Severity::High, "a", "", 1),
                finding("CVE-2026-2", Severity::High, "b", "2.0", 1),
                finding("CVE-2026-3", Severity::Low, "c", "2.0", 1),
            ],
            ..Scan::default()
        });
        let shown = Shown {
            severities: vec![Severity::High],
            fixable: true,
            all: false,
        };
        let text = show(&scanned, &shown, &[], Paint::none());
        assert!(text.starts_with("0C 2H 0M 1L\n"), "{text}");
        assert!(text.contains("shown are 1 of 3 findings"), "{text}");
        assert!(
            text.contains("CVE-2026-2") && !text.contains("CVE-2026-3"),
            "{text}"
        );
    }
}
