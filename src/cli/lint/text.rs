//! Findings for people: the rule, the place, the line with a caret, what to do.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::ops::Range;

use unicode_width::UnicodeWidthStr as _;

use super::Around;
use super::Linted;
use crate::cli::output::Paint;
use crate::dockerfile::Dockerfile;
use crate::dockerfile::lint::Finding;
use crate::dockerfile::lint::Severity;
use crate::image::maker;
use crate::text::Clean;
use crate::text::plural;

/// The widest part of a line that is shown.
const WIDEST: usize = 100;

/// How many bytes of a line are looked at on either side of where a finding begins: more than are
/// shown, and few enough that [`Clean`] cuts nothing off, were all of them tabs.
const LOOKED_AT: usize = 250;

/// All findings, file by file.
pub(super) fn show(linted: &[Linted], paint: Paint) -> String {
    let mut text = String::new();
    for one in linted {
        let mut around = Around::default();
        for finding in &one.findings {
            let (around, secrets) = around.of(&one.file, finding.span.start, secrets);
            let place = Place::of(&one.file, finding, around.start, secrets);
            of_finding(&mut text, &one.name, finding, &place, paint);
        }
    }
    text
}

fn of_finding(text: &mut String, name: &Clean, finding: &Finding, place: &Place, paint: Paint) {
    let label = format!("{}[{}]:", finding.severity, finding.rule.id);
    let label = match finding.severity {
        Severity::Error => paint.bad(&label),
        Severity::Warning => paint.warn(&label),
        Severity::Info | Severity::Style => paint.faint(&label),
    };
    let line = finding.line;
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
    /// `secrets` are places in the text that begins at the byte `around` of the file.
    fn of(file: &Dockerfile, finding: &Finding, around: usize, secrets: &[Range<usize>]) -> Self {
        let text = file.text.as_str();
        let (start, end) = (finding.span.start, finding.span.end);
        let head = text.get(..start).unwrap_or_default();
        let from = head.rfind('\n').map_or(0, |at| at + 1);
        let rest = text.get(from..).unwrap_or_default();
        let line = rest.split('\n').next().unwrap_or_default();
        let line = line.trim_end_matches('\r');
        let prefix = head.get(from..).unwrap_or_default();
        // Of a line without end that would be too much for each of its findings.
        let near = line.floor_char_boundary(prefix.len().saturating_sub(LOOKED_AT))
            ..line.ceil_char_boundary(prefix.len().saturating_add(LOOKED_AT));
        let hidden = hidden(around, secrets, from + near.start..from + near.end);
        // A part that is hidden has its sign already.
        let (first, last) = (hidden.first(), hidden.last());
        let cut = (
            near.start > 0 && first.is_none_or(|place| place.start > 0),
            near.end < line.len() && last.is_none_or(|place| place.end < near.len()),
        );
        let begins = prefix.len() - near.start;
        let line = line.get(near.clone()).unwrap_or_default();
        let ends = end.saturating_sub(from + near.start);
        let marked = begins..ends.min(line.len()).max(begins);
        // Tabs and control characters take other room than they have bytes.
        let clean = |text: &str| Clean::line(text.trim_start_matches('\u{feff}'));
        let upto = |at, whole| clean(&covered(line, &hidden, at, whole)).as_str().width();
        let before = upto(marked.start, false);
        let place = Self {
            column: prefix.trim_start_matches('\u{feff}').chars().count() + 1,
            shown: clean(&covered(line, &hidden, line.len(), true)).to_string(),
            before,
            width: upto(marked.end, true).saturating_sub(before),
        };
        place.cut(cut)
    }

    /// Leaves out what is too far from the carets. `cut` says whether something before the text and
    /// behind it was left out already.
    fn cut(self, (mut lead, mut tail): (bool, bool)) -> Self {
        if self.shown.width() <= WIDEST && !lead && !tail {
            return self;
        }
        let skipped = self.before.saturating_sub(WIDEST / 3);
        let mut shown = String::new();
        let (mut at, mut first) = (0, None);
        for c in self.shown.chars() {
            let width = c.to_string().width();
            if at < skipped {
                lead = true;
            } else if at + width > skipped + WIDEST {
                tail = true;
                break;
            } else {
                first.get_or_insert(at);
                shown.push(c);
            }
            at += width;
        }
        let before = self.before.saturating_sub(first.unwrap_or(skipped)) + usize::from(lead);
        let [lead, tail] = [lead, tail].map(|cut| if cut { "…" } else { "" });
        Self {
            column: self.column,
            width: self.width.min((WIDEST + 1).saturating_sub(before)),
            shown: format!("{lead}{}{tail}", shown.trim_end()),
            before,
        }
    }
}

/// Where the secrets are in the text of an instruction, in its order and apart from each other.
fn secrets(text: &str) -> Vec<Range<usize>> {
    // What is too much to look at is not shown.
    maker::hidden(text).unwrap_or_else(|| {
        Vec::from([Range {
            start: 0,
            end: text.len(),
        }])
    })
}

/// Which of the secrets are in a line of the file; places are in bytes of the line.
fn hidden(around: usize, secrets: &[Range<usize>], line: Range<usize>) -> Vec<Range<usize>> {
    let before = secrets.partition_point(|place| around + place.end <= line.start);
    let places = secrets.get(before..).unwrap_or_default().iter();
    let places = places.take_while(|place| around + place.start < line.end);
    let places = places.filter_map(|place| {
        let start = (around + place.start).max(line.start);
        let end = (around + place.end).min(line.end);
        (start < end).then(|| start - line.start..end - line.start)
    });
    places.collect()
}

/// A line up to a byte, with `…` for each part that is hidden. One that the byte cuts is there
/// where `whole`.
fn covered(line: &str, hidden: &[Range<usize>], at: usize, whole: bool) -> String {
    let (mut text, mut from) = (String::new(), 0);
    for place in hidden.iter().filter(|place| place.start < at) {
        text += line.get(from..place.start).unwrap_or_default();
        if place.end <= at || whole {
            text.push('…');
        }
        from = place.end;
    }
    text + line.get(from..at).unwrap_or_default()
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
    use super::super::gitlab;
    use super::super::json;
    use super::super::sarif;
    use super::*;
    use crate::dockerfile::lint;
    use crate::units::time_used;

    fn linted(text: &str) -> [Linted; 1] {
        let file = Dockerfile::parse(text);
        let mut findings = lint::check(&file);
        findings.retain(|one| matches!(one.rule.id, "latest-tag" | "sudo" | "syntax"));
        [Linted {
            name: Clean::line("Dockerfile"),
            file,
            findings,
        }]
    }

    fn shown(text: &str) -> String {
        show(&linted(text), Paint::none())
    }

    /// Quadratic where the whole instruction is searched for secrets again for each finding.
    #[test]
    fn an_instruction_with_many_findings_is_told_in_linear_time() {
        const MANY: usize = 8_000;
        let commands = " && \\\n    sudo make".repeat(MANY);
        let linted = linted(&format!("FROM a:1\nRUN true{commands}\n"));
        let begun = time_used();
        let shown = show(&linted, Paint::none());
        let json = json::show(&linted).unwrap();
        let took = time_used() - begun;
        assert_eq!(shown.matches("error[sudo]").count(), MANY);
        assert_eq!(json.matches(r#""rule": "sudo""#).count(), MANY);
        assert!(took.as_secs() < 5, "{took:?}");
    }

    /// Quadratic where the whole line is cleaned for each finding on it, or hashed.
    #[test]
    fn a_line_with_many_findings_is_told_in_linear_time() {
        const MANY: usize = 4_000;
        let linted = linted(&format!(
            "FROM a:1\nRUN true{}\n",
            " && sudo make".repeat(MANY)
        ));
        let begun = time_used();
        let shown = show(&linted, Paint::none());
        let gitlab = gitlab::show(&linted).unwrap();
        let sarif = sarif::show(&linted).unwrap();
        let took = time_used() - begun;
        assert_eq!(shown.matches("error[sudo]").count(), MANY);
        assert_eq!(gitlab.matches(r#""check_name": "sudo""#).count(), MANY);
        assert_eq!(sarif.matches(r#""ruleId": "sudo""#).count(), MANY);
        assert!(took.as_secs() < 5, "{took:?}");
    }

    #[test]
    fn a_finding_far_along_its_line_shows_its_place() {
        let text = format!("FROM a:1\nRUN {} && sudo make日\n", "x日\t".repeat(2_000));
        let shown = shown(&text);
        let lines: Vec<&str> = shown.lines().collect();
        let column = |line: &str, what: &str| line.split_once(what).map(|(head, _)| head.width());
        assert_eq!(
            column(lines[3], "sudo"),
            column(lines[4], "^^^^"),
            "{shown}"
        );
        assert!(column(lines[3], "sudo").is_some(), "{shown}");
        assert!(
            lines[3].contains("| …") && lines[3].ends_with("sudo make日"),
            "{shown}"
        );
    }

    #[test]
    fn a_secret_longer_than_what_is_looked_at_has_one_sign() {
        let token = "aZ3bY7cX9dW1".repeat(50);
        let shown = shown(&format!(
            "FROM a:1\nRUN TOKEN={token} && sudo a PASSWORD={token}\n"
        ));
        let line = shown.lines().nth(3).unwrap_or_default();
        assert_eq!(line, "   2 | … && sudo a PASSWORD=…", "{shown}");
    }

    #[test]
    fn a_finding_shows_its_place() {
        insta::assert_snapshot!(shown("FROM debian:13-slim\nRUN true && \\\n\tsudo make\n"), @"
        error[sudo]: `sudo` is not needed: the build runs as root here
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
    fn a_line_is_shown_without_its_secrets_and_the_carets_stay() {
        let token = format!("ghp_{}", "aZ3bY7cX9dW1eV5fU2gT8hS4iR6jQ0kPmN2L");
        let text = format!(
            "FROM a:1\nRUN export API_TOKEN={token} \\\n  && curl https://user:pa55word@git.corp/a && sudo make PASSWORD=correct-horse\n"
        );
        insta::assert_snapshot!(shown(&text), @"
        error[sudo]: `sudo` is not needed: the build runs as root here
          --> Dockerfile:3:47
             |
           3 |   && curl https://user:…@git.corp/a && sudo make PASSWORD=…
             |                                        ^^^^
          hint: leave it out, and switch with `USER` where the user matters
        ");
    }

    #[test]
    fn carets_at_a_secret_stand_below_its_sign() {
        let line = "ARG TOKEN=correct-horse x";
        let hidden = [Range { start: 10, end: 23 }];
        for (at, whole, wanted) in [
            (10, false, "ARG TOKEN="),
            (14, false, "ARG TOKEN="),
            (14, true, "ARG TOKEN=…"),
            (23, true, "ARG TOKEN=…"),
            (25, true, "ARG TOKEN=… x"),
        ] {
            assert_eq!(covered(line, &hidden, at, whole), wanted);
        }
    }

    #[test]
    fn what_a_file_holds_cannot_steer_the_terminal() {
        let shown = shown("FROM a:1\nRUN sudo \u{1b}[2J\u{202e}evil\n");
        assert!(!shown.contains(['\u{1b}', '\u{202e}']), "{shown:?}");
    }
}
