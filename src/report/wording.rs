//! What a report says in one sentence of plain words, the same on every front end. Pure.

use super::GoalReport;
use super::Outcome;
use super::Report;
use super::VerdictName;
use crate::text::plural;

/// The headline of a report.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Headline {
    /// The verdict in a word or two: `Not yet.`
    pub verdict: &'static str,
    /// What matters most: `Small enough, but it does not start.`
    pub sentence: String,
    /// Required goals that are met, and required goals in all, where any was judged.
    pub count: Option<(usize, usize)>,
}

impl Headline {
    /// `6 of 7 goals`; nothing where no goal was judged.
    #[must_use]
    pub fn goals(&self) -> Option<String> {
        let (met, all) = self.count?;
        Some(format!("{met} of {}", plural(all, "goal")))
    }
}

/// The headline of a report.
#[must_use]
pub fn headline(report: &Report) -> Headline {
    let required: Vec<&GoalReport> = report.goals.iter().filter(|goal| goal.required).collect();
    let met = count(&required, VerdictName::Met);
    // Where nothing was judged, there is nothing to count.
    let count =
        (report.outcome.is_judged() && !required.is_empty()).then_some((met, required.len()));
    let problem = || {
        let problem = report.problem.as_ref();
        problem.map(|problem| problem.message.to_string())
    };
    let (verdict, sentence) = match report.outcome {
        Outcome::Passed => ("Done.", done(report)),
        Outcome::Failed => ("Not yet.", not_yet(&required)),
        Outcome::BuildFailed => (
            "No image.",
            problem().unwrap_or_else(|| "The build stopped.".to_owned()),
        ),
        Outcome::EngineUnavailable => (
            "Not judged.",
            problem().unwrap_or_else(|| "No container engine could be used.".to_owned()),
        ),
        Outcome::CouldNotJudge => (
            "Not judged.",
            problem().unwrap_or_else(|| not_judged(&required)),
        ),
        Outcome::Cancelled => ("Stopped.", "The attempt was cancelled.".to_owned()),
    };
    Headline {
        verdict,
        sentence,
        count,
    }
}

fn count(goals: &[&GoalReport], verdict: VerdictName) -> usize {
    goals.iter().filter(|goal| goal.verdict == verdict).count()
}

fn done(report: &Report) -> String {
    let sizes = report.image.as_ref().zip(report.baseline.as_ref());
    let sizes = sizes.map(|(image, baseline)| (baseline.shipped_bytes, image.shipped_bytes));
    match sizes {
        Some((before, now)) if now < before && !now.reads_as(before) => {
            let saved = before.minus(now).share_of(before);
            format!("{before} became {now}: {saved} less to ship.")
        }
        _ => "Every goal is met.".to_owned(),
    }
}

fn not_judged(required: &[&GoalReport]) -> String {
    let unknown = count(required, VerdictName::Unknown);
    format!("{} could not be judged.", plural(unknown, "goal"))
}

/// The best that can be said, then what stands in the way.
fn not_yet(required: &[&GoalReport]) -> String {
    let mut faults: Vec<String> = Vec::new();
    for goal in required
        .iter()
        .filter(|goal| goal.verdict == VerdictName::Unmet)
    {
        // Goals that fail of one thing say it once.
        let fault = fault(goal, required);
        if !faults.contains(&fault) {
            faults.push(fault);
        }
    }
    faults.truncate(2);
    if faults.is_empty() {
        return not_judged(required);
    }
    let open = count(required, VerdictName::Unmet) - faults.len();
    let more = [
        (open, ["is", "are"], "open as well"),
        // Some were left for later, others cannot be judged here.
        (
            count(required, VerdictName::Unknown),
            ["was", "were"],
            "not judged",
        ),
    ];
    let more = more.iter().filter(|(goals, ..)| *goals > 0);
    let more: Vec<String> = more
        .map(|(goals, [one, several], words)| {
            let verb = if *goals == 1 { one } else { several };
            format!("{} {verb} {words}", plural(*goals, "goal"))
        })
        .collect();
    let mut open = faults.join(" and ");
    if !more.is_empty() {
        open = format!("{open}; {}", more.join(", "));
    }
    match praise(required) {
        Some(praise) => format!("{praise}, but {open}."),
        None => capital(&format!("{open}.")),
    }
}

/// Something good about the image.
fn praise(required: &[&GoalReport]) -> Option<&'static str> {
    let is_met = |kinds: &[&str]| {
        required
            .iter()
            .any(|goal| goal.verdict == VerdictName::Met && kinds.contains(&goal.kind.as_str()))
    };
    if is_met(&["max_size", "reduction"]) {
        Some("Small enough")
    } else if is_met(&["run", "http", "healthcheck"]) {
        Some("It runs")
    } else if is_met(&["builds"]) {
        Some("It builds")
    } else {
        None
    }
}

/// What an unmet goal means for the image, as a clause.
fn fault(goal: &GoalReport, required: &[&GoalReport]) -> String {
    let found = goal.actual.as_ref().map_or("", |actual| actual.as_str());
    let ended = found.starts_with("it ended") || found.starts_with("it does not");
    let asked = found.contains(" after ") || found.starts_with("its stop signal");
    if goal.kind == "stops" && !asked {
        // It was never asked to stop: what kept it from being ready is the fault, and the goal that
        // asks for that says it best.
        let starts = ["http", "healthcheck", "run"];
        let other = required.iter().find(|other| {
            other.verdict == VerdictName::Unmet && starts.contains(&other.kind.as_str())
        });
        return match other {
            Some(other) => fault(other, required),
            None if ended || found.starts_with("killed") => "it does not start".to_owned(),
            None => "it does not get ready".to_owned(),
        };
    }
    match goal.kind.as_str() {
        "builds" => "it does not build",
        "http" | "healthcheck" if ended => "it does not start",
        "run" => "it does not run as it should",
        "http" => "it does not answer as it should",
        "healthcheck" => "its health check does not pass",
        "stops" => "it does not stop when asked",
        "max_size" | "reduction" => "it is too large",
        "max_layers" => "it has too many layers",
        "no_shell" => "it holds a shell",
        "no_package_manager" => "it holds a package manager",
        "non_root" => "it runs as root",
        "no_secret" => "it holds a secret",
        "licences" => "it holds a package under an unwanted licence",
        "scannable" => "what is in it cannot be known",
        "read_only" => "it needs a writable file system",
        "static_binary" => "its binary is not static",
        "stays_cached" => "a small change rebuilds too much",
        "context" => "too much is sent to the builder",
        "lint" => "its Dockerfile has lint findings",
        "from" => "it is made from another base",
        _ => return format!("\u{201c}{}\u{201d} is not met", goal.title),
    }
    .to_owned()
}

fn capital(text: &str) -> String {
    let mut chars = text.chars();
    match chars.next() {
        Some(first) => first.to_uppercase().chain(chars).collect(),
        None => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::goal::Blame;
    use crate::report::BaselineReport;
    use crate::report::ImageReport;
    use crate::report::Problem;
    use crate::report::fixture;
    use crate::text::Clean;
    use crate::units::Bytes;

    fn goal(kind: &str, verdict: VerdictName, actual: &str) -> GoalReport {
        GoalReport {
            actual: Some(Clean::line(actual)),
            ..fixture::goal(kind, verdict)
        }
    }

    fn report(outcome: Outcome, goals: Vec<GoalReport>) -> Report {
        Report {
            goals,
            ..fixture::report(outcome)
        }
    }

    fn said(outcome: Outcome, goals: Vec<GoalReport>) -> String {
        let headline = headline(&report(outcome, goals));
        format!("{} {}", headline.verdict, headline.sentence)
    }

    #[test]
    fn a_small_image_that_does_not_start_is_told_so() {
        let goals = vec![
            goal(
                "http",
                VerdictName::Unmet,
                "it ended with status 2 after 0.1 s",
            ),
            goal("max_size", VerdictName::Met, "63.9 MB"),
        ];
        assert_eq!(
            said(Outcome::Failed, goals),
            "Not yet. Small enough, but it does not start."
        );
    }

    #[test]
    fn a_starter_that_runs_hears_two_faults_and_how_many_more() {
        let unmet = ["max_size", "no_shell", "non_root", "stops"];
        let mut goals = vec![goal("http", VerdictName::Met, "200")];
        goals.extend(unmet.map(|kind| goal(kind, VerdictName::Unmet, "")));
        let headline = headline(&report(Outcome::Failed, goals));
        assert_eq!(
            headline.sentence,
            "It runs, but it is too large and it holds a shell; 2 goals are open as well."
        );
        assert_eq!(headline.goals().as_deref(), Some("1 of 5 goals"));
    }

    #[test]
    fn a_container_that_was_never_asked_is_not_said_to_ignore_it() {
        let ended = "it ended with status 2 before the signal";
        let unasked = || goal("stops", VerdictName::Unmet, ended);
        let killed = "killed 2 s after SIGTERM";
        let http = || {
            goal(
                "http",
                VerdictName::Unmet,
                "it ended with status 2 after 0.1 s",
            )
        };
        let small = || goal("max_size", VerdictName::Met, "");
        for (goals, wanted) in [
            (vec![small(), unasked()], "it does not start."),
            // It runs.
            (
                vec![
                    small(),
                    goal("stops", VerdictName::Unmet, "port 7000 never opened"),
                ],
                "it does not get ready.",
            ),
            (
                vec![small(), http(), unasked()],
                "it does not start; 1 goal is open as well.",
            ),
            (
                vec![small(), goal("stops", VerdictName::Unmet, killed)],
                "it does not stop when asked.",
            ),
            (
                vec![small(), goal("http", VerdictName::Unmet, "500"), unasked()],
                "it does not answer as it should; 1 goal is open as well.",
            ),
        ] {
            let wanted = format!("Not yet. Small enough, but {wanted}");
            assert_eq!(said(Outcome::Failed, goals), wanted);
        }
    }

    #[test]
    fn goals_that_nobody_judged_are_counted_apart_from_the_open_ones() {
        let kinds = ["max_size", "no_shell", "non_root"];
        let mut goals = vec![goal("http", VerdictName::Met, "200")];
        goals.extend(kinds.map(|kind| goal(kind, VerdictName::Unmet, "")));
        goals.push(goal("no_secret", VerdictName::Unknown, ""));
        goals.push(goal("licences", VerdictName::Unknown, ""));
        assert_eq!(
            said(Outcome::Failed, goals),
            "Not yet. It runs, but it is too large and it holds a shell; 1 goal is open as well, \
             2 goals were not judged."
        );
    }

    #[test]
    fn a_kind_without_words_of_its_own_is_named_by_its_title() {
        let goals = vec![goal("no_path", VerdictName::Unmet, "")];
        assert_eq!(
            said(Outcome::Failed, goals),
            "Not yet. “no path” is not met."
        );
    }

    #[test]
    fn a_passed_attempt_says_what_it_was_good_for() {
        let mut report = report(Outcome::Passed, vec![goal("http", VerdictName::Met, "")]);
        assert_eq!(headline(&report).sentence, "Every goal is met.");
        report.baseline = Some(BaselineReport {
            shipped_bytes: Bytes(1_167_000_000),
        });
        report.image = Some(ImageReport {
            id: String::new(),
            shipped_bytes: Bytes(63_900_000),
            exact: true,
            layers: Vec::new(),
            builder_lines: Vec::new(),
        });
        assert_eq!(
            headline(&report).sentence,
            "1.17 GB became 63.9 MB: 95 % less to ship."
        );
        // What differs in no figure that is shown has not become anything.
        report.baseline = Some(BaselineReport {
            shipped_bytes: Bytes(63_900_001),
        });
        assert_eq!(headline(&report).sentence, "Every goal is met.");
    }

    #[test]
    fn what_stopped_a_build_is_the_headline() {
        let mut report = report(Outcome::BuildFailed, Vec::new());
        report.problem = Some(Problem {
            message: Clean::line("RUN pip install stopped with status 1"),
            next_step: None,
            blame: Blame::default(),
        });
        assert_eq!(headline(&report).verdict, "No image.");
        assert_eq!(
            headline(&report).sentence,
            "RUN pip install stopped with status 1"
        );
        assert_eq!(headline(&report).goals(), None);
        // Nor does a count of goals say why nothing was judged.
        report.outcome = Outcome::CouldNotJudge;
        assert_eq!(headline(&report).verdict, "Not judged.");
        assert_eq!(
            headline(&report).sentence,
            "RUN pip install stopped with status 1"
        );
    }

    #[test]
    fn goals_that_could_not_be_judged_are_counted() {
        let goals = vec![
            goal("http", VerdictName::Unknown, ""),
            goal("max_size", VerdictName::Met, ""),
        ];
        assert_eq!(
            said(Outcome::CouldNotJudge, goals),
            "Not judged. 1 goal could not be judged."
        );
    }
}
