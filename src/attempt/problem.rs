//! From errors to what a learner reads: what happened, where, what to do next. Pure.

use super::SupplyError;
use super::prepare;
use crate::dockerfile::Dockerfile;
use crate::engine::BuildError;
use crate::engine::EngineError;
use crate::goal::Blame;
use crate::goal::Unmet;
use crate::report::Outcome;
use crate::report::Problem;
use crate::text::Clean;
use crate::units::show_duration;

/// A problem with a next step.
pub(super) fn problem(message: &str, next_step: &str, line: Option<u32>) -> Problem {
    Problem {
        message: Clean::line(message),
        next_step: Some(Clean::line(next_step)),
        blame: Blame {
            line,
            ..Blame::default()
        },
    }
}

/// A problem as the verdict of the goal that asks for an image.
pub(super) fn unmet(problem: &Problem) -> Unmet {
    Unmet {
        actual: Clean::line("no image"),
        why: problem.message.clone(),
        blame: problem.blame.clone(),
        next_step: problem.next_step.clone().unwrap_or_default(),
    }
}

/// What a failed build means for the attempt.
///
/// The engine decides whether a Dockerfile builds; where our own parser saw the same fault, its
/// words are used, for they point at the learner's own line.
pub(super) fn of_build(error: &BuildError, dockerfile: &Dockerfile) -> (Outcome, Problem) {
    let told = match error {
        BuildError::Cancelled => return (Outcome::Cancelled, cancelled()),
        BuildError::Engine(error) => return of_engine(error),
        BuildError::Syntax { line, message } => syntax(*line, message, dockerfile),
        BuildError::Step {
            line,
            title,
            exit,
            message,
        } => {
            // A command's own output says why it stopped; for the rest there is only the engine.
            let (how, next) = match exit {
                Some(code) => (
                    format!(" with status {code}"),
                    "Read the last lines of its output above: they say what it missed.",
                ),
                None => (
                    format!(": {}", message.as_str().trim_end_matches('.')),
                    "Compare what the line names with what is in your folder.",
                ),
            };
            problem(&format!("`{title}` stopped{how}."), next, *line)
        }
        BuildError::NoBase {
            line,
            reference,
            registry,
            message,
        } => problem(
            &format!(
                "The base image `{reference}` is not on this engine, and {registry} did not give it: {message}."
            ),
            "Check its spelling, or run `loadline bases` to see the images that can be made here.",
            *line,
        ),
        BuildError::RegistrySilent {
            line,
            reference,
            registry,
            waited,
        } => problem(
            &format!(
                "The base image `{reference}` is not on this engine, and {registry} did not answer within {}.",
                show_duration(*waited)
            ),
            "Check its spelling and the network, or run `loadline bases` to see the images that can be made here.",
            *line,
        ),
        BuildError::TimedOut(limit) => problem(
            &format!("The build was stopped after {}.", show_duration(*limit)),
            "Look at the step that was running last: it may wait for input or for the network.",
            None,
        ),
        BuildError::TooLoud(lines) => problem(
            &format!("The build was stopped after it wrote {lines} lines."),
            "Look at the step that was running last: something in it repeats without end.",
            None,
        ),
    };
    (Outcome::BuildFailed, told)
}

fn syntax(line: Option<u32>, message: &Clean, dockerfile: &Dockerfile) -> Problem {
    let Some(own) = dockerfile.problems.first() else {
        return problem(
            &format!("The Dockerfile cannot be read: {message}."),
            "Compare the line with the instruction's form in the lesson.",
            line,
        );
    };
    Problem {
        message: Clean::line(&format!("The Dockerfile cannot be read: {}.", own.message)),
        next_step: Some(Clean::line(own.hint.as_deref().unwrap_or(
            "Compare the line with the instruction's form in the lesson.",
        ))),
        blame: Blame {
            line: Some(own.line),
            ..Blame::default()
        },
    }
}

/// What a failure of the engine means for the attempt.
pub(super) fn of_engine(error: &EngineError) -> (Outcome, Problem) {
    let next = match error {
        EngineError::Cancelled => return (Outcome::Cancelled, cancelled()),
        EngineError::NotFound { .. } | EngineError::NoPermission { .. } => {
            "Run `loadline doctor` to see what was tried and how to mend it."
        }
        EngineError::Gone { .. } | EngineError::Silent { .. } => {
            "Your files are safe. Start the engine again (`loadline doctor` says how), then check once more."
        }
        EngineError::DiskFull(_) => {
            "Free some space: `loadline clean --dry-run` lists what Loadline itself could give back."
        }
        EngineError::Registry { .. } => {
            "Check the network, or run `loadline bases` to see the images that can be made here."
        }
        EngineError::NoSuchImage(_) | EngineError::Refused { .. } => {
            "Check once more; if it happens again, `loadline doctor` tells about the engine."
        }
    };
    let outcome = match error {
        EngineError::NoSuchImage(_)
        | EngineError::Refused { .. }
        | EngineError::Registry { .. } => Outcome::CouldNotJudge,
        _ => Outcome::EngineUnavailable,
    };
    (outcome, problem(&sentence(&error.to_string()), next, None))
}

/// What a base image that could not be made ready means for the attempt.
pub(super) fn of_supply(error: &SupplyError, dockerfile: &Dockerfile) -> (Outcome, Problem) {
    match error {
        SupplyError::Engine(error) => of_engine(error),
        SupplyError::Failed {
            reference,
            next_step,
            ..
        } => {
            let line = prepare::line_of(dockerfile, reference);
            let told = problem(&sentence(&error.to_string()), next_step.as_str(), line);
            (Outcome::BuildFailed, told)
        }
    }
}

/// The problem of an attempt that the learner stopped.
pub(super) fn cancelled() -> Problem {
    problem(
        "You stopped this attempt.",
        "Nothing was lost: check again when you are ready.",
        None,
    )
}

/// An error's fragment as a sentence.
pub(super) fn sentence(fragment: &str) -> String {
    let mut chars = fragment.chars();
    let first: String = chars
        .next()
        .map(|c| c.to_uppercase().collect())
        .unwrap_or_default();
    format!("{first}{}.", chars.as_str())
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn a_failed_step_names_its_line_and_its_status() {
        let error = BuildError::Step {
            line: Some(7),
            title: Clean::line("RUN pip install flask"),
            exit: Some(1),
            message: Clean::line("exit code: 1"),
        };
        let (outcome, problem) = of_build(&error, &Dockerfile::default());
        assert_eq!(outcome, Outcome::BuildFailed);
        assert_eq!(problem.blame.line, Some(7));
        assert_eq!(
            problem.message.as_str(),
            "`RUN pip install flask` stopped with status 1."
        );
    }

    #[test]
    fn a_silent_registry_names_itself() {
        let error = BuildError::RegistrySilent {
            line: Some(1),
            reference: String::from("python:3.13"),
            registry: String::from("registry.example"),
            waited: Duration::from_secs(20),
        };
        let (_, problem) = of_build(&error, &Dockerfile::default());
        assert_eq!(
            problem.message.as_str(),
            "The base image `python:3.13` is not on this engine, and registry.example did not answer within 20 s."
        );
    }

    #[test]
    fn an_engine_that_went_away_is_not_the_learners_failure() {
        let error = EngineError::Gone {
            detail: Clean::line("connection reset"),
        };
        let (outcome, problem) = of_engine(&error);
        assert_eq!(outcome, Outcome::EngineUnavailable);
        assert_eq!(
            problem.message.as_str(),
            "The container engine went away: connection reset."
        );
    }

    #[test]
    fn a_cancelled_build_is_cancelled() {
        assert_eq!(
            of_build(&BuildError::Cancelled, &Dockerfile::default()).0,
            Outcome::Cancelled
        );
        assert_eq!(of_engine(&EngineError::Cancelled).0, Outcome::Cancelled);
    }
}
