//! What `loadline compare` prints for people. Pure.

use std::fmt::Write as _;

use super::Packages;
use super::day;
use super::packages;
use crate::cli::output::Paint;
use crate::cli::scan::SHIPPED_COVERS;
use crate::cli::scan::Scanned;
use crate::cli::scan::doubt;
use crate::finding::Counts;
use crate::finding::Finding;
use crate::finding::Severity;
use crate::finding::group;
use crate::image::package::Package;
use crate::text::Clean;
use crate::text::plural;
use crate::units::Bytes;

/// Entries of a list that are shown without `--all`.
const SOME: usize = 10;

/// Both images, and what changed from one to the other.
pub(super) fn show(before: &Scanned, after: &Scanned, all: bool, paint: Paint) -> String {
    let change = group::change(&before.scan.findings, &after.scan.findings);
    let packages = packages(&before.inventory.packages, &after.inventory.packages);
    let mut text = table(before, after);
    for (side, scanned) in [("before", before), ("after", after)] {
        if let Some(doubt) = doubt(&scanned.scan) {
            let _ = writeln!(text, "{} {side} is {doubt}", paint.warn("unknown:"));
        }
    }
    let _ = writeln!(
        text,
        "{}, advisories of {} ({})",
        Clean::line(&after.scan.engine),
        day(before, after),
        after.scan.database
    );
    if after.scan.shipped {
        let _ = writeln!(text, "{SHIPPED_COVERS}");
    }
    text.push_str(&of_packages(&packages, all));
    let _ = writeln!(
        text,
        "\nFindings: {} gone, {} new, {} stay",
        change.gone.len(),
        change.came.len(),
        change.kept
    );
    text.push_str(&of_findings("gone", &change.gone, all));
    text.push_str(&of_findings("new", &change.came, all));
    text
}

/// One row per figure.
fn table(before: &Scanned, after: &Scanned) -> String {
    let mut text = format!(
        "{:<10} {:>12} {:>12} {:>12}\n",
        "", "before", "after", "change"
    );
    let (old, new) = (before.contents.shipped(), after.contents.shipped());
    let _ = writeln!(
        text,
        "{:<10} {old:>12} {new:>12} {:>12}",
        "size",
        size_change(old, new)
    );
    let mut row = |name: &str, old: usize, new: usize| {
        let _ = writeln!(
            text,
            "{name:<10} {old:>12} {new:>12} {:>12}",
            count_change(old, new)
        );
    };
    row(
        "layers",
        before.contents.layers.len(),
        after.contents.layers.len(),
    );
    row(
        "packages",
        before.inventory.packages.len(),
        after.inventory.packages.len(),
    );
    let counts: [Counts; 2] = [before.scan.counts(), after.scan.counts()];
    for severity in Severity::WORST_FIRST {
        let [old, new] = counts.map(|counts| counts.of(severity));
        if severity != Severity::Unknown || old + new > 0 {
            row(severity.as_str(), old, new);
        }
    }
    let [old, new] = counts.map(|counts| counts.total());
    row("findings", old, new);
    text
}

fn size_change(old: Bytes, new: Bytes) -> String {
    match new.cmp(&old) {
        std::cmp::Ordering::Less => format!("−{}", old.minus(new)),
        std::cmp::Ordering::Equal => String::from("0 B"),
        std::cmp::Ordering::Greater => format!("+{}", new.minus(old)),
    }
}

fn count_change(old: usize, new: usize) -> String {
    match new.cmp(&old) {
        std::cmp::Ordering::Less => format!("−{}", old - new),
        std::cmp::Ordering::Equal => String::from("0"),
        std::cmp::Ordering::Greater => format!("+{}", new - old),
    }
}

fn of_packages(packages: &Packages<'_>, all: bool) -> String {
    let mut text = format!(
        "\nPackages: {} gone, {} new, {} changed, {} stay\n",
        packages.gone.len(),
        packages.came.len(),
        packages.changed.len(),
        packages.kept
    );
    let named = |one: &&Package| format!("{} {}", one.name, one.version);
    text.push_str(&list(
        "gone",
        &packages.gone.iter().map(named).collect::<Vec<_>>(),
        all,
    ));
    text.push_str(&list(
        "new",
        &packages.came.iter().map(named).collect::<Vec<_>>(),
        all,
    ));
    let changed: Vec<String> = packages
        .changed
        .iter()
        .map(|(old, new)| format!("{} {} → {}", old.name, old.version, new.version))
        .collect();
    text.push_str(&list("changed", &changed, all));
    text
}

fn of_findings(label: &str, findings: &[&Finding], all: bool) -> String {
    let lines: Vec<String> = findings
        .iter()
        .map(|one| {
            format!(
                "{:<8} {:<16} {} {}",
                one.severity, one.id, one.package.name, one.package.version
            )
        })
        .collect();
    list(label, &lines, all)
}

fn list(label: &str, entries: &[String], all: bool) -> String {
    let most = if all { entries.len() } else { SOME };
    let mut text = String::new();
    for entry in entries.iter().take(most) {
        let _ = writeln!(text, "  {label:<8} {}", Clean::line(entry));
    }
    if entries.len() > most {
        let more = plural(entries.len() - most, "more entry");
        let _ = writeln!(text, "  {label:<8} {more}; `--all` lists them");
    }
    text
}
