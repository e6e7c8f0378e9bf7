//! From verdicts to the parts of a report. Pure.

use crate::course::GoalEntry;
use crate::goal::Verdict;
use crate::report::GoalReport;
use crate::report::Outcome;
use crate::report::VerdictName;

/// A goal's line in the report.
pub(super) fn goal_report(entry: &GoalEntry, required: bool, verdict: Verdict) -> GoalReport {
    let mut report = GoalReport {
        id: entry.id.clone(),
        kind: entry.goal.kind().to_owned(),
        title: entry.title(),
        required,
        verdict: VerdictName::Met,
        expected: entry.goal.wanted(),
        actual: None,
        why: None,
        next_step: None,
        blame: crate::goal::Blame::default(),
        output: Vec::new(),
    };
    match verdict {
        Verdict::Met { actual } => report.actual = Some(actual),
        Verdict::Unmet(unmet) => {
            report.verdict = VerdictName::Unmet;
            report.actual = Some(unmet.actual);
            report.why = Some(unmet.why);
            report.next_step = Some(unmet.next_step);
            report.blame = unmet.blame;
            report.output = unmet.output;
        }
        Verdict::Unknown { reason } => {
            report.verdict = VerdictName::Unknown;
            report.why = Some(reason);
        }
    }
    report
}

/// How an attempt with these verdicts ends. An unknown goal never counts as met.
pub(super) fn outcome(goals: &[GoalReport]) -> Outcome {
    let required = || goals.iter().filter(|goal| goal.required);
    if required().any(|goal| goal.verdict == VerdictName::Unmet) {
        Outcome::Failed
    } else if required().any(|goal| goal.verdict == VerdictName::Unknown) {
        Outcome::CouldNotJudge
    } else {
        Outcome::Passed
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::goal::Blame;

    fn goal(required: bool, verdict: VerdictName) -> GoalReport {
        GoalReport {
            id: String::from("g"),
            kind: String::from("builds"),
            title: String::from("builds"),
            required,
            verdict,
            expected: String::new(),
            actual: None,
            why: None,
            next_step: None,
            blame: Blame::default(),
            output: Vec::new(),
        }
    }

    #[test]
    fn an_unmet_goal_outweighs_an_unknown_one() {
        let goals = [
            goal(true, VerdictName::Unknown),
            goal(true, VerdictName::Unmet),
            goal(true, VerdictName::Met),
        ];
        assert_eq!(outcome(&goals), Outcome::Failed);
    }

    #[test]
    fn an_unknown_goal_is_never_a_pass() {
        let goals = [
            goal(true, VerdictName::Unknown),
            goal(true, VerdictName::Met),
        ];
        assert_eq!(outcome(&goals), Outcome::CouldNotJudge);
    }

    #[test]
    fn a_stretch_goal_decides_nothing() {
        let goals = [
            goal(true, VerdictName::Met),
            goal(false, VerdictName::Unmet),
        ];
        assert_eq!(outcome(&goals), Outcome::Passed);
    }
}
