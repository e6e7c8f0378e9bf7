//! Findings for people: the rule, the place, the line with a caret, what to do.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use unicode_width::UnicodeWidthStr as _;

use super::Linted;
use crate::cli::output::Paint;
use crate::dockerfile::lint::Finding;
use crate::dockerfile::lint::Severity;
use crate::text::Clean;
use crate::text::plural;

/// The widest part of a line that is shown.
const WIDEST: usize = 100;

/// All findings, file by file.
pub(super) fn show(linted: &[Linted], paint: Paint) -> String {
    let mut text = String::new();
    for one in linted {
        for finding in &one.findings {
            of_finding(&mut text, one, finding, paint);
        }
    }
    text
}

fn of_finding(text: &mut String, one: &Linted, finding: &Finding, paint: Paint) {
    let label = format!("{}[{}]:", finding.severity, finding.rule.id);
    let label = match finding.severity {
        Severity::Error => paint.bad(&label),
        Severity::Warning => paint.warn(&label),
        Severity::Info | Severity::Style => paint.faint(&label),
    };
    let place = Place::of(&one.file.text, finding);
    let (name, line) = (&one.name, finding.line);
    let _ = writeln!(text, "{label} {}", finding.message);
    let _ = writeln!(
        text,
        "  {} {name}:{line}:{}",
        paint.faint("-->"),
        place.column
    );
    if !place.shown.is_empty() {
        let bar = paint.faint("|");
        let carets = "^".repeat(place.width.max(1));
        let _ = writeln!(text, "     {bar}");
        let _ = writeln!(text, "{line:>4} {bar} {}", place.shown);
        let carets = paint.bad(&carets);
        let _ = writeln!(text, "     {bar} {}{carets}", " ".repeat(place.before));
    }
    if let Some(hint) = &finding.hint {
        let _ = writeln!(text, "  {} {hint}", paint.good("hint:"));
    }
    text.push('\n');
}

/// Where a finding is on its line.
struct Place {
    /// In characters, from 1.
    column: usize,
    /// The line, or the part of it that matters.
    shown: String,
    /// Columns before the carets.
    before: usize,
    /// How many carets.
    width: usize,
}

impl Place {
    fn of(text: &str, finding: &Finding) -> Self {
        let (start, end) = (finding.span.start, finding.span.end);
        let head = text.get(..start).unwrap_or_default();
        let from = head.rfind('\n').map_or(0, |at| at + 1);
        let rest = text.get(from..).unwrap_or_default();
        let line = rest.split('\n').next().unwrap_or_default();
        let line = line.trim_end_matches('\r');
        let prefix = head.get(from..).unwrap_or_default();
        let marked = text.get(start..end.min(from + line.len()).max(start));
        let marked = marked.unwrap_or_default();
        // Tabs and control characters take other room than they have bytes.
        let upto = |text: &str| Clean::line(text).as_str().width();
        let before = upto(prefix.trim_start_matches('\u{feff}'));
        let whole = Clean::line(line.trim_start_matches('\u{feff}'));
        let width = upto(&format!(
            "{}{marked}",
            prefix.trim_start_matches('\u{feff}')
        ));
        let place = Self {
            column: prefix.trim_start_matches('\u{feff}').chars().count() + 1,
            shown: whole.to_string(),
            before,
            width: width.saturating_sub(before),
        };
        place.cut()
    }

    /// Leaves out what is too far from the carets.
    fn cut(self) -> Self {
        if self.shown.width() <= WIDEST {
            return self;
        }
        let skipped = self.before.saturating_sub(WIDEST / 3);
        let mut shown = String::new();
        let (mut at, mut first) = (0, None);
        for c in self.shown.chars() {
            let width = c.to_string().width();
            if at >= skipped && at + width <= skipped + WIDEST {
                first.get_or_insert(at);
                shown.push(c);
            }
            at += width;
        }
        let lead = if skipped > 0 { "…" } else { "" };
        let before =
            self.before.saturating_sub(first.unwrap_or(skipped)) + usize::from(skipped > 0);
        Self {
            column: self.column,
            width: self.width.min((WIDEST + 1).saturating_sub(before)),
            shown: format!("{lead}{}…", shown.trim_end()),
            before,
        }
    }
}

/// How much was found: `3 findings in 2 files (1 error, 2 warnings); 1 can be mended with --fix`.
pub(super) fn summary(linted: &[Linted]) -> String {
    let findings = || linted.iter().flat_map(|one| &one.findings);
    let files = plural(linted.len(), "file");
    let count = findings().count();
    if count == 0 {
        return if linted.is_empty() {
            String::new()
        } else {
            format!("no findings in {files}\n")
        };
    }
    let mut by_severity: BTreeMap<Severity, usize> = BTreeMap::new();
    for finding in findings() {
        *by_severity.entry(finding.severity).or_default() += 1;
    }
    let parts: Vec<String> = by_severity
        .iter()
        .rev()
        .map(|(severity, count)| match severity {
            Severity::Error | Severity::Warning => plural(*count, severity.as_str()),
            Severity::Info | Severity::Style => format!("{count} {severity}"),
        })
        .collect();
    let mut text = format!(
        "{} in {files} ({})",
        plural(count, "finding"),
        parts.join(", ")
    );
    let mechanical = findings().filter(|one| !one.fix.is_empty()).count();
    if mechanical > 0 {
        let _ = write!(text, "; `--fix` mends {mechanical} of them");
    }
    text.push('\n');
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dockerfile::Dockerfile;
    use crate::dockerfile::lint;

    fn shown(text: &str) -> String {
        let file = Dockerfile::parse(text);
        let mut findings = lint::check(&file);
        findings.retain(|one| matches!(one.rule.id, "latest-tag" | "sudo" | "syntax"));
        let linted = [Linted {
            name: Clean::line("Dockerfile"),
            file,
            findings,
        }];
        show(&linted, Paint::none())
    }

    #[test]
    fn a_finding_shows_its_place() {
        insta::assert_snapshot!(shown("FROM debian:13-slim\nRUN true && \\\n\tsudo make\n"), @"
        error[sudo]: `sudo` is not needed in a build
          --> Dockerfile:3:2
             |
           3 |         sudo make
             |         ^^^^
          hint: leave it out, and switch with `USER` where the user matters
        ");
    }

    #[test]
    fn wide_characters_and_a_byte_order_mark_move_no_caret() {
        insta::assert_snapshot!(shown("\u{feff}FROM node:latest AS 日\n"), @"
        warning[latest-tag]: `node:latest` is another image each month
          --> Dockerfile:1:6
             |
           1 | FROM node:latest AS 日
             |      ^^^^^^^^^^^
          hint: name the version that you tested

        error[syntax]: `日` cannot be the name of a stage
          --> Dockerfile:1:21
             |
           1 | FROM node:latest AS 日
             |                     ^^
          hint: begin with a letter; letters, digits, `-`, `_` and `.` may follow
        ");
    }

    #[test]
    fn a_long_line_is_cut_around_the_caret() {
        let text = format!(
            "FROM a:1\nRUN {} && sudo make {}\n",
            "x".repeat(300),
            "y".repeat(300)
        );
        let shown = shown(&text);
        let lines: Vec<&str> = shown.lines().collect();
        assert!(lines.iter().all(|line| line.width() <= 112), "{shown}");
        let column = |line: &str, what: &str| line.split_once(what).map(|(head, _)| head.width());
        assert_eq!(
            column(lines[3], "sudo"),
            column(lines[4], "^^^^"),
            "{shown}"
        );
    }

    #[test]
    fn what_a_file_holds_cannot_steer_the_terminal() {
        let shown = shown("FROM a:1\nRUN sudo \u{1b}[2J\u{202e}evil\n");
        assert!(!shown.contains(['\u{1b}', '\u{202e}']), "{shown:?}");
    }
}
