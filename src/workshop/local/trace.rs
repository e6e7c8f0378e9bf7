//! What a run of an attempt's image opens.

use tokio_util::sync::CancellationToken;

use super::Local;
use crate::attempt;
use crate::attempt::Traced;
use crate::course::ExerciseId;
use crate::engine::EngineError;
use crate::workshop::Trouble;

/// Runs the image as the exercise's goals do, and looks at what it opens.
pub(super) async fn trace(
    local: &Local,
    exercise: &ExerciseId,
    image: &str,
    lines: &[Option<u32>],
    cancel: CancellationToken,
) -> Result<Traced, Trouble> {
    let run = attempt::run_to_trace(local.exercise(exercise)?)
        .ok_or_else(|| Trouble::new("No goal of this exercise runs the image."))?;
    let found = local.engine().await.map_err(|search| {
        Trouble::new(search.error().to_string()).advise("`loadline doctor` shows what was tried.")
    })?;
    let say = |_: &str| {};
    let facts = Some(local.facts() as _);
    attempt::trace_image(found.engine, image, &run, lines, facts, &say, cancel)
        .await
        .map_err(|error| untraced(&error))
}

/// What is said where it was not seen what a run opens.
fn untraced(error: &EngineError) -> Trouble {
    let trouble = Trouble::new(error.to_string());
    match error {
        EngineError::NoSuchImage(_) => {
            Trouble::new("The image of that attempt is not there any more")
                .advise("Build it once more.")
        }
        EngineError::Refused { detail, .. } => Trouble::new(format!(
            "It cannot be seen here what a run opens: {detail}."
        ))
        .advise("This is for your information; no other goal depends on it."),
        _ => trouble,
    }
}
