//! The worked answer, put into the learner's files.

use super::Trouble;
use super::Workshop;
use super::Workspace;
use crate::course::ExerciseId;
use crate::course::Files;

/// Puts the worked answer over the starter in the learner's files; what they had is kept as by a
/// reset, and [`Workshop::undo_reset`] brings it back.
///
/// # Errors
/// When what is there cannot be kept (then nothing is changed), or a file cannot be written.
pub async fn apply(
    workshop: &dyn Workshop,
    exercise: &ExerciseId,
    answer: &Files,
) -> Result<Workspace, Trouble> {
    let starter = workshop.reset(exercise).await?;
    for file in &starter.files {
        if let Some(text) = answer.get(&file.name) {
            let text = String::from_utf8_lossy(text);
            workshop
                .save(exercise, &file.name, &text, file.text.as_deref())
                .await
                .map_err(|not| not.trouble(&file.name))?;
        }
    }
    workshop.open(exercise).await
}
