//! When the worked answer opens without a second question.

use std::collections::BTreeSet;

use super::Record;
use crate::course::Exercise;
use crate::dockerfile::Dockerfile;
use crate::dockerfile::lint;
use crate::dockerfile::lint::Severity;

/// Attempts that did not pass after which nobody is asked twice.
const ATTEMPTS: u32 = 2;

/// What is said in the place of the next step and the fix of a fault that an exercise plants.
pub const LEFT_TO_HINTS: &str = "this is what the exercise is about: its hints lead on from here";

/// The rules that find a grave fault in what an exercise begins with: what mends it is a part of the
/// worked answer, and is shown on the same terms.
#[must_use]
pub fn left_to_hints(exercise: &Exercise) -> BTreeSet<&'static str> {
    if exercise.hints.is_empty() {
        return BTreeSet::new();
    }
    let starter = exercise.files.get("Dockerfile");
    let text = String::from_utf8_lossy(starter.map_or(&[][..], |text| text));
    lint::check(&Dockerfile::parse(&text))
        .iter()
        .filter(|finding| finding.severity == Severity::Error)
        .map(|finding| finding.rule.id)
        .collect()
}

/// Whether the worked answer of an exercise may be shown at once: some attempt passed, or two did
/// not, or every hint for one of its goals is open.
#[must_use]
pub fn solution_is_due(exercise: &Exercise, record: Option<&Record>) -> bool {
    let Some(record) = record else {
        return false;
    };
    let hinted: BTreeSet<&str> = exercise
        .hints
        .iter()
        .map(|hint| hint.goal.as_str())
        .collect();
    let all_open = |goal: &&str| {
        exercise
            .hints_for(goal)
            .all(|hint| record.hints.contains(&(hint.goal.clone(), hint.level)))
    };
    record.passed || record.attempts >= ATTEMPTS || hinted.iter().any(all_open)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::course::load;

    #[test]
    fn nothing_is_left_to_hints_that_are_not_there() {
        let mut course = load::embedded().expect("it is sound");
        let mut exercises = course.exercises.iter_mut();
        let planted = exercises.find(|one| one.id.as_str() == "distroless-python");
        let exercise = planted.expect("it is there");
        assert!(!left_to_hints(exercise).is_empty());
        exercise.hints.clear();
        assert!(left_to_hints(exercise).is_empty());
    }

    #[test]
    fn it_opens_after_two_attempts_a_pass_or_all_hints_of_one_goal() {
        let course = load::embedded().expect("it is sound");
        let exercise = course.exercise("shrink-that-image").expect("it is there");
        let due = |record: &Record| solution_is_due(exercise, Some(record));
        assert!(!solution_is_due(exercise, None));
        let mut record = Record {
            attempts: 1,
            ..Record::default()
        };
        assert!(!due(&record));
        record.attempts = 2;
        assert!(due(&record));
        record.attempts = 1;
        record.passed = true;
        assert!(due(&record));

        let goal = exercise.hints[0].goal.clone();
        let mut record = Record::default();
        let levels: Vec<u8> = exercise.hints_for(&goal).map(|hint| hint.level).collect();
        assert!(levels.len() > 1);
        for level in levels {
            assert!(!due(&record), "before hint {level}");
            record.hints.insert((goal.clone(), level));
        }
        assert!(due(&record));
    }
}
