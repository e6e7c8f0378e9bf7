//! What the workshop does where nobody can type: it prepares what it would prepare, and shows one
//! attempt.

use std::path::Path;
use std::sync::Arc;

use tokio::sync::mpsc;

use crate::attempt::Submission;
use crate::bases::BaseError;
use crate::bases::Progress;
use crate::bases::Ready;
use crate::cli::CliError;
use crate::cli::Exit;
use crate::cli::check;
use crate::cli::db;
use crate::cli::interrupt::Interrupt;
use crate::cli::output::Output;
use crate::cli::progress::Live;
use crate::cli::wiring;
use crate::course::Course;
use crate::course::Exercise;
use crate::course::Files;
use crate::report::Outcome;
use crate::report::lines;
use crate::text::Clean;
use crate::workshop::Sweep;

/// The exercise whose worked answer is checked, where the course has it with one; else the first
/// that has one is.
const EXERCISE: &str = "first-build";

/// Checks the worked answer of the first exercise, prepares the base images of the others, and
/// says how to open the workshop, with the course of `folder` where it is that one. It ends as the
/// check did.
pub(super) fn run(
    course: &Arc<Course>,
    folder: Option<&Path>,
    output: Output,
) -> Result<Exit, CliError> {
    let Some((exercise, files)) = worked(course) else {
        output.tell(
            "Nobody can type here, and no exercise of this course has a worked answer to show.\n",
        );
        wiring::block_on(async {
            let interrupt = Interrupt::listen(output).map_err(CliError::Output)?;
            prepare(course, output, &interrupt).await
        })?;
        output.tell(&how_to_open(folder));
        return Ok(Exit::Ok);
    };
    let id = &exercise.id;
    let dockerfile = files
        .get("Dockerfile")
        .map(|text| String::from_utf8_lossy(text).into_owned());
    output.tell(&format!(
        "Nobody can type here, so this is a demonstration: the worked answer of `{id}` is \
         built and judged.\n\n{}\n",
        indented(&dockerfile.unwrap_or_default())
    ));
    let exit = wiring::block_on(async {
        let interrupt = Interrupt::listen(output).map_err(CliError::Output)?;
        let outcome = judge(course, exercise, files, output, &interrupt).await?;
        if outcome.is_judged() {
            prepare(course, output, &interrupt).await?;
        }
        Ok(Exit::of(outcome))
    })?;
    output.tell(&how_to_open(folder));
    Ok(exit)
}

/// The exercise that is shown, with the files of its worked answer.
fn worked(course: &Course) -> Option<(&Exercise, Files)> {
    let first = course.exercise(EXERCISE).into_iter();
    let mut all = first.chain(&course.exercises);
    all.find_map(|exercise| Some((exercise, exercise.solved()?)))
}

fn how_to_open(folder: Option<&Path>) -> String {
    let mut program = called().to_string();
    if let Some(folder) = folder {
        let folder = shell_words::quote(&folder.to_string_lossy()).into_owned();
        program = format!("{program} --course {}", Clean::path(&folder));
    }
    format!(
        "\nOpen the workshop in a terminal with `{program}`, or anywhere with `{program} --plain`.\n"
    )
}

/// The program as it was called: it need not be on the path.
fn called() -> Clean {
    let name = std::env::args_os().next();
    let name = name.unwrap_or_else(|| "loadline".into());
    Clean::path(&shell_words::quote(&name.to_string_lossy()))
}

/// One attempt, shown as it goes, with its report.
async fn judge(
    course: &Arc<Course>,
    exercise: &Exercise,
    files: Files,
    output: Output,
    interrupt: &Interrupt,
) -> Result<Outcome, CliError> {
    let submission = Submission::Files(files);
    let with = check::With {
        no_cache: false,
        thorough: false,
        advisories: db::for_goals(None)?,
    };
    let place = Path::new(exercise.id.as_str());
    let sweep = Sweep::default();
    let beside = (interrupt, &sweep);
    let attempt = check::from_folder(course, exercise, submission, place, with, beside).await?;
    let report = check::follow(attempt, output, beside).await?;
    output.result(&lines::show(&report))?;
    let _ = interrupt.ends(sweep.finish()).await;
    Ok(report.outcome)
}

/// Makes the base images of the course ready, as the workshop does while the learner reads, with a
/// line for each.
async fn prepare(course: &Course, output: Output, interrupt: &Interrupt) -> Result<(), CliError> {
    let Ok((_, service)) = interrupt.ends(wiring::engine()).await? else {
        // The workshop says more when it is opened.
        return Ok(());
    };
    output.tell("\nThe base images of the exercises, so that nobody waits for them later:\n");
    let needed: Vec<String> = course.needed_bases().into_keys().collect();
    let mut live = Live::new(output);
    for reference in service.in_order(&needed) {
        let (sender, mut news) = mpsc::channel::<Progress>(16);
        let ensured = service.ensure(&reference, sender, interrupt.asked.clone());
        let following = async {
            while let Some(progress) = news.recv().await {
                live.now(&format!("  {reference}: {}", progress.phase.as_str()));
            }
            live.clear();
        };
        let ended = tokio::select! {
            biased;
            () = interrupt.forced.cancelled() => return Err(CliError::Interrupted),
            (ended, ()) = async { tokio::join!(ensured, following) } => ended,
        };
        if matches!(ended, Err(BaseError::Cancelled)) {
            return Err(CliError::Interrupted);
        }
        live.finished(&format!("  {reference}: {}", told(&ended)));
    }
    Ok(())
}

/// How it ended with one base image.
fn told(ended: &Result<Ready, BaseError>) -> Clean {
    Clean::line(&match ended {
        Ok(Ready { stand_in: true, .. }) => "ready, a stand-in made on this machine".to_owned(),
        Ok(_) => "ready".to_owned(),
        Err(error) => {
            let hint = error.hint().map(|hint| format!("; {hint}"));
            format!("not to be had: {error}{}", hint.unwrap_or_default())
        }
    })
}

fn indented(text: &str) -> String {
    Clean::lines(text)
        .iter()
        .map(|line| format!("    {line}\n"))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_course_that_is_shown_is_the_one_that_opens() {
        let told = how_to_open(Some(Path::new("my course")));
        assert!(told.contains(" --course 'my course' --plain`"), "{told}");
    }

    #[test]
    fn the_first_exercise_with_a_worked_answer_is_shown() {
        let mut course = crate::course::load::embedded().unwrap();
        let shown = |course: &Course| {
            let (exercise, _) = worked(course)?;
            Some(exercise.id.as_str().to_owned())
        };
        assert_eq!(shown(&course).as_deref(), Some(EXERCISE));
        for exercise in &mut course.exercises {
            if exercise.id.as_str() == EXERCISE {
                exercise.solution = None;
            }
        }
        let other = shown(&course).unwrap();
        assert_ne!(other, EXERCISE);
        course.exercises.retain(|one| one.id.as_str() == EXERCISE);
        assert_eq!(shown(&course), None);
    }
}
