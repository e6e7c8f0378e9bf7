//! What is said of an engine that cannot be used.

use std::path::PathBuf;

use super::told::Told;
use super::told::shown;
use super::told::told;
use crate::cli::exit::Exit;
use crate::engine::EngineError;
use crate::engine::Tried;
use crate::engine::unname;
use crate::text::Clean;

/// An engine that was started and does not answer.
#[derive(Debug)]
pub struct Silence {
    /// What was waited for.
    pub reason: String,
    /// What it wrote last.
    pub last_words: Vec<Clean>,
    /// The file that it writes to; without one, the service manager keeps its words.
    pub log: Option<PathBuf>,
}

/// What the engine's errors mean for a person at a shell.
pub(super) fn explain(error: &EngineError) -> (Exit, Told) {
    let told = told(error.to_string());
    match error {
        EngineError::NotFound { tried } => (
            Exit::NoEngine,
            told.causes(tried.iter().map(ToString::to_string))
                .hint(match Tried::named(tried) {
                    Some(named) => format!(
                        "while {named} names this one, no other is looked for: mend it, or run \
                         `{}`",
                        unname(named)
                    ),
                    None => "run `loadline doctor`, which tells what can be done".to_owned(),
                })
                .hint(
                    "`loadline learn` still opens the lessons, quizzes and instant Dockerfile \
                     checks; nothing can be graded without an engine",
                ),
        ),
        EngineError::NoPermission { .. } => (
            Exit::NoEngine,
            told.hint(
                "join the group of the socket (`sudo usermod -aG docker $USER`), then log in again",
            )
            .hint("run `loadline doctor` to see what was tried"),
        ),
        EngineError::Gone { .. } | EngineError::Silent { .. } | EngineError::Refused { .. } => (
            Exit::NoEngine,
            told.hint("run `loadline doctor` to see how the engine stands"),
        ),
        EngineError::NoSuchImage(_) => (
            Exit::Usage,
            no_image(error.to_string())
                .hint("an archive does as well: `docker save IMAGE -o FILE`"),
        ),
        EngineError::BadName { .. } => (
            Exit::Usage,
            no_image(error.to_string())
                .hint("write a name as in `app`, `team/app:1.2` or `registry.example/app`"),
        ),
        EngineError::DiskFull(_) => (
            Exit::NoEngine,
            told.hint("`loadline clean --dry-run` shows what can be removed"),
        ),
        EngineError::Registry { .. } => (
            Exit::NoEngine,
            told.hint("`loadline bases build` makes base images without a registry"),
        ),
        EngineError::Cancelled => (Exit::Interrupted, told),
    }
}

/// What is said of an image that the engine does not have, where nothing else does.
pub(super) fn no_image(message: String) -> Told {
    told(message).hint("`docker images` or `podman images` lists what the engine has")
}

/// What is said of an engine that was started and is silent.
pub(super) fn silent(silence: &Silence) -> Told {
    let words = silence.last_words.iter();
    told(&silence.reason)
        .causes(words.map(ToString::to_string))
        .hint(match &silence.log {
            Some(log) => format!("all that it says is in `{}`", shown(log)),
            None => "`sudo journalctl -u docker` tells what it says".to_owned(),
        })
        .hint("run `loadline doctor` once it answers")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::CliError;
    use crate::cli::output::Paint;

    fn plain(error: &CliError) -> String {
        error.render(Paint::none())
    }

    #[test]
    fn a_missing_engine_says_what_was_tried_and_what_to_do() {
        let error = CliError::Engine(EngineError::NotFound {
            tried: vec![Tried {
                address: Clean::line("unix:///nowhere"),
                because: Clean::line("the variable `DOCKER_HOST`"),
                outcome: Clean::line("no such socket"),
            }],
        });
        insta::assert_snapshot!(plain(&error), @"
        error: cannot reach a container engine
          caused by: no such socket at unix:///nowhere (the variable `DOCKER_HOST`)
          hint: while the variable `DOCKER_HOST` names this one, no other is looked for: mend it, or run `unset DOCKER_HOST DOCKER_CONTEXT`
          hint: `loadline learn` still opens the lessons, quizzes and instant Dockerfile checks; nothing can be graded without an engine
        ");
        assert_eq!(error.exit(), Exit::NoEngine);
    }

    #[test]
    fn a_name_that_is_none_is_no_fault_of_the_engine() {
        let error = CliError::Engine(EngineError::BadName {
            image: Clean::line("MyApp"),
            why: Clean::line("names of images have no capital letters"),
        });
        insta::assert_snapshot!(plain(&error), @"
        error: `MyApp` names no image: names of images have no capital letters
          hint: `docker images` or `podman images` lists what the engine has
          hint: write a name as in `app`, `team/app:1.2` or `registry.example/app`
        ");
        assert_eq!(error.exit(), Exit::Usage);
    }

    #[test]
    fn an_engine_is_installed_only_where_none_was_named() {
        let place = |because: &str| Tried {
            address: Clean::line("unix:///nowhere"),
            because: Clean::line(because),
            outcome: Clean::line("no such socket"),
        };
        let many = ["the default socket", "the socket of Podman"].map(place);
        let shown = |tried: &[Tried]| {
            plain(&CliError::Engine(EngineError::NotFound {
                tried: tried.to_vec(),
            }))
        };
        // Whether `--fix` can do it is known only to who looked.
        assert!(shown(&many).contains("run `loadline doctor`, which tells what can be done"));
        let named = shown(&[place("the current Docker context `lab`")]);
        assert!(named.contains("`docker context use default`"), "{named}");
        assert!(!named.contains("--fix"), "{named}");
    }

    #[test]
    fn a_started_engine_that_is_silent_says_where_its_words_are() {
        let silent = |log: Option<&str>| {
            plain(&CliError::EngineSilent(Silence {
                reason: "the engine was started and did not answer within 45 s".to_owned(),
                last_words: vec![Clean::line("failed to start daemon")],
                log: log.map(PathBuf::from),
            }))
        };
        insta::assert_snapshot!(silent(Some("/var/log/x.log")), @"
        error: the engine was started and did not answer within 45 s
          caused by: failed to start daemon
          hint: all that it says is in `/var/log/x.log`
          hint: run `loadline doctor` once it answers
        ");
        assert!(silent(None).contains("journalctl -u docker"));
    }
}
