//! Reports for tests: the parts that no test asks about.

use crate::goal::Blame;
use crate::report::CourseRef;
use crate::report::GoalReport;
use crate::report::Outcome;
use crate::report::Report;
use crate::report::SCHEMA;
use crate::report::Timings;
use crate::report::VerdictName;

/// A report of the capstone with nothing but its outcome.
pub(crate) fn report(outcome: Outcome) -> Report {
    Report {
        schema: SCHEMA.to_owned(),
        tool_version: "0.1.0".to_owned(),
        course: CourseRef {
            id: "minimal-images".to_owned(),
            version: "1".to_owned(),
        },
        exercise: "shrink-that-image".to_owned(),
        outcome,
        problem: None,
        goals: Vec::new(),
        image: None,
        baseline: None,
        bases: Vec::new(),
        warnings: Vec::new(),
        engine: None,
        timings_ms: Timings::default(),
        started_at: String::new(),
        finished_at: String::new(),
    }
}

/// A required goal of a kind with nothing but its verdict.
pub(crate) fn goal(kind: &str, verdict: VerdictName) -> GoalReport {
    GoalReport {
        id: kind.to_owned(),
        kind: kind.to_owned(),
        title: kind.replace('_', " "),
        required: true,
        verdict,
        expected: String::new(),
        actual: None,
        why: None,
        next_step: None,
        blame: Blame::default(),
        output: Vec::new(),
    }
}
