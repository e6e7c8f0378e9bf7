//! The report as lines of text: for pipelines, dumb terminals and screen readers. Pure.
//!
//! Each goal is one word and one line, with the cause, the place and the next step under it where
//! it is not met. Nothing depends on colour or on how wide the window is.

use std::fmt::Write as _;

use super::GoalReport;
use super::Problem;
use super::Report;
use super::VerdictName;
use super::wording;
use crate::goal::Blame;
use crate::goal::OUTPUT_LINES;
use crate::units::Bytes;

/// The word for a verdict, as wide as the widest.
#[must_use]
pub const fn word(verdict: VerdictName) -> &'static str {
    match verdict {
        VerdictName::Met => "PASS",
        VerdictName::Unmet => "FAIL",
        VerdictName::Unknown => "UNKNOWN",
    }
}

/// The whole report.
#[must_use]
pub fn show(report: &Report) -> String {
    let mut text = String::new();
    // Where the attempt stopped before its verdicts, that is the one thing to know.
    let stopped = report.problem.is_some();
    let judged = |goal: &&GoalReport| !(stopped && goal.verdict == VerdictName::Unknown);
    for goal in report.goals.iter().filter(judged) {
        text.push_str(&show_goal(goal));
    }
    let told = |problem: &&Problem| report.goals.iter().any(|goal| problem.is_told_by(goal));
    if let Some(problem) = report.problem.as_ref().filter(|problem| !told(problem)) {
        show_problem(problem, &mut text);
    }
    if let Some(image) = &report.image {
        let about = if image.exact { "" } else { "about " };
        let _ = write!(text, "The image is {about}{}", image.shipped_bytes);
        if let Some(baseline) = &report.baseline {
            text.push_str(&against(image.shipped_bytes, baseline.shipped_bytes));
        }
        text.push_str(".\n");
    }
    for base in report.bases.iter().filter(|base| base.stand_in) {
        let _ = writeln!(
            text,
            "`{}` was a stand-in, made here from distribution packages.",
            base.reference
        );
    }
    for warning in &report.warnings {
        let place = warning.line.map(|line| format!("Dockerfile:{line}: "));
        let place = place.unwrap_or_default();
        let _ = writeln!(text, "The builder warns: {place}{}", warning.text);
    }
    let _ = writeln!(text, "{}", last_line(report));
    text
}

/// One goal: its verdict, what was found, and for one that is not met the cause and the next step.
#[must_use]
pub fn show_goal(goal: &GoalReport) -> String {
    let stretch = if goal.required { "" } else { " (stretch)" };
    let mut text = format!("{:<8} {}{stretch}", word(goal.verdict), goal.title);
    if let Some(actual) = &goal.actual {
        let _ = write!(text, ": {actual}");
    }
    text.push('\n');
    if goal.verdict == VerdictName::Met {
        return text;
    }
    let _ = writeln!(text, "         Wanted: {}", goal.expected);
    if let Some(why) = &goal.why {
        let _ = writeln!(text, "         Why: {why}");
    }
    show_place(&goal.blame, &mut text);
    if !goal.written().is_empty() {
        let end = if goal.output.len() == OUTPUT_LINES {
            ", at the end"
        } else {
            ""
        };
        let _ = writeln!(text, "         The container wrote{end}:");
    }
    for line in goal.written() {
        let _ = writeln!(text, "           | {line}");
    }
    if let Some(next) = &goal.next_step {
        let _ = writeln!(text, "         Next: {next}");
    }
    text
}

fn show_problem(problem: &Problem, text: &mut String) {
    let _ = writeln!(text, "STOPPED  {}", problem.message);
    show_place(&problem.blame, text);
    if let Some(next) = &problem.next_step {
        let _ = writeln!(text, "         Next: {next}");
    }
}

fn show_place(blame: &Blame, text: &mut String) {
    if let Some(place) = place(blame) {
        let _ = writeln!(text, "         Where: {place}");
    }
}

/// `Dockerfile:7, layer 3, app/.env`; `None` where nothing is to blame.
#[must_use]
pub fn place(blame: &Blame) -> Option<String> {
    let line = blame.line.map(|line| format!("Dockerfile:{line}"));
    let layer = blame.layer.map(|layer| format!("layer {layer}"));
    let path = blame.path.as_ref().map(ToString::to_string);
    let parts: Vec<String> = [line, layer, path].into_iter().flatten().collect();
    (!parts.is_empty()).then(|| parts.join(", "))
}

/// How a size compares with the starter's.
fn against(now: Bytes, before: Bytes) -> String {
    if now.reads_as(before) {
        ", as large as the starter".to_owned()
    } else if now < before {
        let saved = before.minus(now);
        format!(
            ", {} smaller than the starter's {before}",
            saved.share_of(before)
        )
    } else {
        format!(", {} more than the starter's {before}", now.minus(before))
    }
}

/// How it ended, in one line.
#[must_use]
pub fn last_line(report: &Report) -> String {
    let headline = wording::headline(report);
    let goals = headline.goals().map(|goals| format!(" {goals} met."));
    let sentence = match report.problem {
        // The problem is told above, with its place and the next step.
        Some(_) => String::new(),
        None => format!(" {}", headline.sentence),
    };
    format!(
        "{}{sentence}{}",
        headline.verdict,
        goals.unwrap_or_default()
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::BaselineReport;
    use crate::report::ImageReport;
    use crate::report::Outcome;
    use crate::report::fixture;
    use crate::report::fixture::report;
    use crate::text::Clean;

    fn goal(title: &str, verdict: VerdictName) -> GoalReport {
        GoalReport {
            title: title.to_owned(),
            expected: "at most 100 MB".to_owned(),
            ..fixture::goal("max_size", verdict)
        }
    }

    #[test]
    fn an_unmet_goal_says_why_where_and_what_next() {
        let mut report = report(Outcome::Failed);
        let mut unmet = goal("≤ 100 MB", VerdictName::Unmet);
        unmet.actual = Some(Clean::line("138 MB, 38 MB too much"));
        unmet.why = Some(Clean::line("41 MB of it is a package cache."));
        unmet.next_step = Some(Clean::line("Look at what that line leaves behind."));
        unmet.blame = Blame {
            line: Some(5),
            layer: Some(3),
            path: None,
        };
        let mut stretch = goal("≤ 70 MB", VerdictName::Unknown);
        stretch.required = false;
        report.goals = vec![goal("it runs", VerdictName::Met), unmet, stretch];
        report.image = Some(ImageReport {
            id: "sha256:0".to_owned(),
            shipped_bytes: Bytes(138_000_000),
            exact: true,
            layers: Vec::new(),
            builder_lines: Vec::new(),
        });
        report.baseline = Some(BaselineReport {
            shipped_bytes: Bytes(1_167_000_000),
        });
        insta::assert_snapshot!(show(&report), @"
        PASS     it runs
        FAIL     ≤ 100 MB: 138 MB, 38 MB too much
                 Wanted: at most 100 MB
                 Why: 41 MB of it is a package cache.
                 Where: Dockerfile:5, layer 3
                 Next: Look at what that line leaves behind.
        UNKNOWN  ≤ 70 MB (stretch)
                 Wanted: at most 100 MB
        The image is 138 MB, 88 % smaller than the starter's 1.17 GB.
        Not yet. Small enough, but it is too large. 1 of 2 goals met.
        ");
    }

    #[test]
    fn a_build_that_stopped_says_where() {
        let mut report = report(Outcome::BuildFailed);
        report.problem = Some(Problem {
            message: Clean::line("`RUN false` stopped with status 1."),
            next_step: Some(Clean::line("Read the last lines of its output above.")),
            blame: Blame {
                line: Some(2),
                ..Blame::default()
            },
        });
        insta::assert_snapshot!(show(&report), @"
        STOPPED  `RUN false` stopped with status 1.
                 Where: Dockerfile:2
                 Next: Read the last lines of its output above.
        No image.
        ");
    }

    #[test]
    fn a_problem_that_a_goal_tells_is_told_once() {
        let mut report = report(Outcome::BuildFailed);
        let problem = Problem {
            message: Clean::line("`RUN false` stopped with status 1."),
            next_step: Some(Clean::line("Read the last lines of its output above.")),
            blame: Blame::line(Some(2)),
        };
        let mut builds = goal("builds", VerdictName::Unmet);
        builds.why = Some(problem.message.clone());
        builds.next_step.clone_from(&problem.next_step);
        builds.blame = problem.blame.clone();
        report.problem = Some(problem);
        report.goals = vec![builds, goal("≤ 100 MB", VerdictName::Unknown)];
        insta::assert_snapshot!(show(&report), @"
        FAIL     builds
                 Wanted: at most 100 MB
                 Why: `RUN false` stopped with status 1.
                 Where: Dockerfile:2
                 Next: Read the last lines of its output above.
        No image. 0 of 2 goals met.
        ");
    }

    #[test]
    fn what_the_container_wrote_stands_under_its_goal_unless_the_cause_holds_it() {
        let mut unmet = goal("it runs", VerdictName::Unmet);
        unmet.why = Some(Clean::line("The container ended with status 1."));
        unmet.output = Clean::lines("Traceback:\n  line 3\nKeyError: 'X'");
        insta::assert_snapshot!(show_goal(&unmet), @"
        FAIL     it runs
                 Wanted: at most 100 MB
                 Why: The container ended with status 1.
                 The container wrote:
                   | Traceback:
                   |   line 3
                   | KeyError: 'X'
        ");
        unmet.why = Some(Clean::line("It ended. Its last line is: boom"));
        unmet.output = Clean::lines("boom");
        assert!(!show_goal(&unmet).contains("wrote"));
    }

    #[test]
    fn sizes_are_compared_with_the_starter() {
        assert_eq!(
            against(Bytes(50), Bytes(1000)),
            ", 95 % smaller than the starter's 1 kB"
        );
        assert_eq!(against(Bytes(5), Bytes(5)), ", as large as the starter");
        // The starter itself, made on another day.
        for now in [1_160_156_664, 1_159_843_336] {
            assert_eq!(
                against(Bytes(now), Bytes(1_160_000_000)),
                ", as large as the starter"
            );
        }
        assert_eq!(
            against(Bytes(1500), Bytes(1000)),
            ", 500 B more than the starter's 1 kB"
        );
    }
}
