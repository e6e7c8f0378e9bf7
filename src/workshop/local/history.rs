//! What the records say, in the shape in which the screens show it.

use std::collections::BTreeMap;
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
    // The last two that count: their files are what bills and differences are made of.
    let mut counted = Vec::new();
    for attempt in attempts.iter().rev() {
        // An older program that was still open when this one began gave it none.
        let next = record.numbered.saturating_add(1);
        if let Some(report) = records.report(attempt.id).await?
            && record.absorb(&report, attempt.number.unwrap_or(next))
        {
            counted.push(attempt.id);
        }
    }
    if let Some(newest) = counted.pop() {
        record.built = files(records, newest).await?;
    }
    if let (Some(before), Some(id)) = (&mut record.before, counted.pop()) {
        before.built = files(records, id).await?;
    }
    record.numbered = records.last_number(exercise.as_str()).await?;
    record.hints = records
        .hints(exercise.as_str())
        .await?
        .into_iter()
        .collect::<BTreeSet<_>>();
    Ok(record)
}

/// The learner's files as an attempt built them.
async fn files(records: &Records, attempt: i64) -> Result<BTreeMap<String, String>, RecordsError> {
    let files = records.files(attempt).await?;
    let text = |content: &[u8]| String::from_utf8_lossy(content).into_owned();
    let files = files.iter();
    Ok(files
        .map(|(name, content)| (name.clone(), text(content)))
        .collect())
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
