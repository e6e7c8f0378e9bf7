//! What the records say, in the shape in which the screens show it.

use std::collections::BTreeSet;

use crate::course::Course;
use crate::course::ExerciseId;
use crate::learner::Records;
use crate::learner::records::Answer;
use crate::learner::records::POSITION;
use crate::learner::records::RecordsError;
use crate::units::Bytes;
use crate::workshop::Answered;
use crate::workshop::Progress;
use crate::workshop::Record;

/// Attempts of an exercise that are looked at for its best and its chart.
const ATTEMPTS: u32 = 200;

/// What the learner has reached.
///
/// # Errors
/// When the records cannot be read.
pub(super) async fn progress(records: &Records, course: &Course) -> Result<Progress, RecordsError> {
    let mut progress = Progress {
        lessons: records.lessons_read().await?.into_iter().collect(),
        last: records.kept(POSITION).await?,
        answers: records.answers().await?.into_iter().map(known).collect(),
        ..Progress::default()
    };
    for exercise in &course.exercises {
        let record = record(records, &exercise.id).await?;
        if record != Record::default() {
            progress.exercises.insert(exercise.id.clone(), record);
        }
    }
    Ok(progress)
}

/// An answer under its lesson and question.
fn known(answer: Answer) -> ((String, String), Answered) {
    let known = Answered {
        chosen: answer.chosen.into_iter().collect(),
        right: answer.right,
        tries: answer.tries,
    };
    ((answer.lesson, answer.quiz), known)
}

async fn record(records: &Records, exercise: &ExerciseId) -> Result<Record, RecordsError> {
    let mut record = Record::default();
    let attempts = records.attempts(exercise.as_str(), ATTEMPTS).await?;
    for attempt in attempts.iter().rev() {
        if let Some(report) = records.report(attempt.id).await? {
            record.absorb(&report);
        }
    }
    if let Some(newest) = attempts.first() {
        let files = records.files(newest.id).await?;
        record.built = files
            .into_iter()
            .map(|(name, content)| (name, String::from_utf8_lossy(&content).into_owned()))
            .collect();
    }
    record.hints = records
        .hints(exercise.as_str())
        .await?
        .into_iter()
        .collect::<BTreeSet<_>>();
    Ok(record)
}

/// What the starter weighed when it was built here.
///
/// # Errors
/// When the records cannot be read.
pub(super) async fn baseline(
    records: &Records,
    exercise: &ExerciseId,
) -> Result<Option<Bytes>, RecordsError> {
    let mut progress = records.progress().await?;
    Ok(progress
        .remove(exercise.as_str())
        .and_then(|of| of.baseline))
}
