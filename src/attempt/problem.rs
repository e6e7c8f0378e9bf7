//! From errors to what a learner reads: what happened, where, what to do next. Pure.

mod ignored;
mod line;
mod platform;
mod step;

pub(super) use ignored::of_ignored;
pub(super) use platform::of_platform;
use step::of_step;

use super::SupplyError;
use super::prepare;
use crate::dockerfile::Body;
use crate::dockerfile::BuildArgs;
use crate::dockerfile::Dockerfile;
use crate::dockerfile::Instruction;
use crate::dockerfile::Keyword;
use crate::dockerfile::ReferenceUse;
use crate::dockerfile::external_references;
use crate::engine::BuildError;
use crate::engine::BuildEvent;
use crate::engine::EngineError;
use crate::engine::Tried;
use crate::engine::unname;
use crate::goal::Blame;
use crate::goal::Unmet;
use crate::report::Outcome;
use crate::report::Problem;
use crate::text;
use crate::text::Clean;
use crate::text::nearest;
use crate::text::sentence;
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
        output: Vec::new(),
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
            wrote,
        } => match (sought_heredoc(*line, message, dockerfile), exit) {
            (Some(told), _) => told,
            (None, Some(status)) => of_command(*line, title, *status, *wrote),
            (None, None) => of_step(*line, title, message, dockerfile),
        },
        BuildError::NoBase {
            line,
            reference,
            registry,
            message,
        } => no_stage(reference, *line, dockerfile).unwrap_or_else(|| {
            problem(
                &format!(
                    "The base image `{reference}` is not on this engine, and {registry} did not give it: {message}."
                ),
                "Check its spelling, or run `loadline bases` to see the images that can be made here.",
                *line,
            )
        }),
        BuildError::RegistrySilent {
            line,
            reference,
            registry,
            waited,
        } => no_stage(reference, *line, dockerfile).unwrap_or_else(|| {
            problem(
                &format!(
                    "The base image `{reference}` is not on this engine, and {registry} did not answer within {}.",
                    show_duration(*waited)
                ),
                "Check its spelling and the network, or run `loadline bases` to see the images that can be made here.",
                *line,
            )
        }),
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

/// An instruction in a sentence: of a long one its beginning, so that what became of it is read.
fn brief(title: &Clean) -> String {
    text::shorten(title.as_str(), 160)
}

/// A command that stopped: its own output says why, where there is some.
fn of_command(line: Option<u32>, title: &Clean, status: i64, wrote: bool) -> Problem {
    let next = if wrote {
        "Read the last lines of its output above: they say what it missed."
    } else {
        "It wrote nothing: find out which command of that line ends so, and when it does."
    };
    problem(
        &format!("`{}` stopped with status {status}.", brief(title)),
        next,
        line,
    )
}

/// What it means that an image is not to be had that nobody meant as one: a slip in the name of a
/// stage is read as the name of an image.
fn no_stage(reference: &str, line: Option<u32>, dockerfile: &Dockerfile) -> Option<Problem> {
    if reference.contains([':', '/', '@', '.']) {
        return None;
    }
    let names: Vec<&str> = dockerfile
        .stages
        .iter()
        .filter_map(|stage| stage.name.as_deref())
        .collect();
    let lower = reference.to_lowercase();
    let meant = nearest(
        &lower,
        names.iter().copied().filter(|name| **name != *lower),
    );
    let copies = external_references(dockerfile, &BuildArgs::new())
        .iter()
        .any(|found| found.reference == reference && found.usage != ReferenceUse::From);
    let next = match meant {
        Some(meant) => format!("Did you mean the stage `{meant}`?"),
        None if copies && !names.is_empty() => {
            String::from("Compare that name with those that follow `AS` in the lines above it.")
        }
        None => return None,
    };
    Some(problem(
        &format!(
            "No stage is called `{reference}`, so that it was read as the name of an image, and there is none of that name either."
        ),
        &next,
        line,
    ))
}

/// The note that the image of a `# syntax=` line is left aside.
pub(super) fn without_frontend(line: u32, image: &str) -> BuildEvent {
    BuildEvent::Warning {
        line: Some(line),
        text: Clean::line(&format!(
            "`{image}` is to read this Dockerfile, and no registry gives it now: the engine reads it itself, without this line"
        )),
    }
}

fn syntax(line: Option<u32>, message: &Clean, dockerfile: &Dockerfile) -> Problem {
    if dockerfile.refused().is_none()
        && let Some(told) = unread_heredoc(line, message, dockerfile)
    {
        return told;
    }
    let Some(own) = own_problem(line, dockerfile) else {
        let line = line.or_else(|| line::meant(message.as_str(), dockerfile));
        let next = if line::is_of_mount(message.as_str()) {
            "Give that mount a `target` below `/`: without one it goes to the `WORKDIR`.".to_owned()
        } else {
            as_it_should_be(line, message.as_str(), dockerfile)
        };
        return problem(
            &format!("The Dockerfile cannot be read: {message}."),
            &next,
            line,
        );
    };
    Problem {
        message: Clean::line(&format!("The Dockerfile cannot be read: {}.", own.message)),
        next_step: Some(match &own.hint {
            Some(hint) => Clean::line(&sentence(hint)),
            None => Clean::line(&as_it_should_be(Some(own.line), &own.message, dockerfile)),
        }),
        blame: Blame {
            line: Some(own.line),
            ..Blame::default()
        },
    }
}

/// What our own parser says of a line; where it says nothing of it, of the first one that it refuses
/// and no `ONBUILD` keeps.
fn own_problem(line: Option<u32>, dockerfile: &Dockerfile) -> Option<&crate::dockerfile::Problem> {
    let at_line = at(line, dockerfile).and_then(|one| {
        let lines = one.line..=one.last_line;
        let mut problems = dockerfile.problems.iter();
        problems.find(|own| lines.contains(&own.line))
    });
    at_line.or_else(|| dockerfile.refused())
}

/// The instruction on a line.
fn at(line: Option<u32>, dockerfile: &Dockerfile) -> Option<&Instruction> {
    let line = line?;
    let mut instructions = dockerfile.instructions().into_iter();
    instructions.find(|one| (one.line..=one.last_line).contains(&line))
}

/// How the instruction on a line that cannot be read is put right: by what it is known to lack, or by
/// its form.
fn as_it_should_be(line: Option<u32>, message: &str, dockerfile: &Dockerfile) -> String {
    let found = at(line, dockerfile);
    if let Some(told) = found.and_then(|one| unset(one, dockerfile)) {
        return told;
    }
    if line::is_of_platform(message) {
        return "Write a platform as in `--platform=linux/amd64`, or leave that flag out: Docker's \
                classic builder sets no `BUILDPLATFORM`."
            .to_owned();
    }
    match found.and_then(|one| one.keyword.form()) {
        Some(form) => format!("Compare the line with the instruction's form: `{form}`."),
        None => "Each line begins with an instruction and goes on with what that needs, as in \
                 `COPY SOURCE… DESTINATION`."
            .to_owned(),
    }
}

/// Where the variable of a FROM gets its value: builders only say what is left without it.
fn unset(from: &Instruction, dockerfile: &Dockerfile) -> Option<String> {
    let mut warnings = dockerfile.warnings.iter();
    let found = warnings.find(|warning| {
        warning.rule == "unset-in-from" && from.span.range().contains(&warning.span.start)
    })?;
    let hint = found.hint.as_deref()?;
    Some(sentence(&format!("{}; {hint}", found.message)))
}

/// What it means that a builder took the text of a heredoc for instructions: it knows none. Those
/// of Docker before 23 and of Podman before 4.9 do not, unless a `# syntax=` line brings one that
/// does.
fn unread_heredoc(line: Option<u32>, message: &Clean, dockerfile: &Dockerfile) -> Option<Problem> {
    let lower = message.as_str().to_lowercase();
    let (_, unknown) = lower.split_once("unknown instruction")?;
    let unknown = unknown.trim_start_matches([':', ' ', '"']);
    let is_unknown = |text: &str| {
        let word = text.split_whitespace().next().unwrap_or_default();
        !word.is_empty() && unknown.starts_with(&word.to_lowercase())
    };
    let stages = dockerfile.stages.iter();
    let mut with_heredocs = stages
        .flat_map(|stage| &stage.instructions)
        .filter(|one| !one.heredocs.is_empty());
    let found = with_heredocs.find(|one| {
        let inside = line.is_some_and(|line| one.line < line && line <= one.last_line);
        let mut lines = one.heredocs.iter().flat_map(|doc| doc.content.lines());
        inside || lines.any(is_unknown)
    })?;
    Some(no_heredocs(
        found,
        "it took a line between `<<` and its end for an instruction",
    ))
}

/// What it means that a builder looked for a file called `<<END`.
fn sought_heredoc(line: Option<u32>, message: &Clean, dockerfile: &Dockerfile) -> Option<Problem> {
    let mut instructions = dockerfile.stages.iter().flat_map(|one| &one.instructions);
    let found = instructions.find(|one| Some(one.line) == line && !one.heredocs.is_empty())?;
    message
        .as_str()
        .contains("<<")
        .then(|| no_heredocs(found, "it took what follows `<<` for the name of a file"))
}

fn no_heredocs(found: &Instruction, how: &str) -> Problem {
    let keyword = match &found.body {
        Body::Onbuild(inner) => inner.keyword,
        _ => found.keyword,
    };
    let instead = if keyword == Keyword::Run {
        "Join the commands of that RUN with `&&` instead"
    } else {
        "Put that text into a file beside the Dockerfile, and COPY the file, instead"
    };
    problem(
        &format!("This engine's builder does not know heredocs: {how}."),
        &format!(
            "{instead}; heredocs need a newer engine, or a `# syntax=` line whose image can be had."
        ),
        Some(found.line),
    )
}

/// What a failure of the engine means for the attempt.
pub(super) fn of_engine(error: &EngineError) -> (Outcome, Problem) {
    let next = match error {
        EngineError::Cancelled => return (Outcome::Cancelled, cancelled()),
        EngineError::NotFound { tried } => {
            return (Outcome::EngineUnavailable, not_found(error, tried));
        }
        EngineError::NoPermission { .. } => {
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
        EngineError::BadName { .. } => {
            "Write a name as in `python:3.13-slim`, or run `loadline bases` to see those that can be made here."
        }
        EngineError::NoSuchImage(_) | EngineError::Refused { .. } => {
            "Check once more; if it happens again, `loadline doctor` tells about the engine."
        }
    };
    let outcome = match error {
        EngineError::NoSuchImage(_)
        | EngineError::BadName { .. }
        | EngineError::Refused { .. }
        | EngineError::Registry { .. } => Outcome::CouldNotJudge,
        _ => Outcome::EngineUnavailable,
    };
    (outcome, problem(&sentence(&error.to_string()), next, None))
}

/// An engine that was not found: what the address answered that was tried is the cause; of many the
/// doctor has the list.
fn not_found(error: &EngineError, tried: &[Tried]) -> Problem {
    let message = match tried {
        [only] => format!("{error}: {only}"),
        _ => error.to_string(),
    };
    let next = match Tried::named(tried) {
        None if tried.len() > 1 => format!(
            "Start it again: `loadline doctor` lists the {} places that were tried, and how to mend it.",
            tried.len()
        ),
        Some(named) => format!(
            "While {named} names this one, no other is looked for: mend it, or run `{}`.",
            unname(named)
        ),
        None => String::from("Run `loadline doctor` to see how to mend it."),
    };
    problem(&sentence(&message), &next, None)
}

/// What a base image that could not be made ready means for the attempt.
pub(super) fn of_supply(error: &SupplyError, dockerfile: &Dockerfile) -> (Outcome, Problem) {
    // The name is the learner's where our own parser refuses it, too.
    if let SupplyError::Engine(EngineError::BadName { image, why }) = error
        && let line @ Some(_) = prepare::line_of(dockerfile, image.as_str())
        && dockerfile.refused().is_some()
    {
        return (Outcome::BuildFailed, syntax(line, why, dockerfile));
    }
    match error {
        SupplyError::Engine(error) => of_engine(error),
        SupplyError::Failed {
            reference,
            next_step,
            ..
        } => {
            let line = prepare::line_of(dockerfile, reference);
            let next = sentence(next_step.as_str());
            let told = problem(&sentence(&error.to_string()), &next, line);
            // A name that nobody knows is left to the build; whatever else fails here is this host's.
            (Outcome::CouldNotJudge, told)
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

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn a_base_that_this_host_cannot_make_ready_is_no_fault_of_the_file() {
        let failed = SupplyError::Failed {
            reference: String::from("python:3.13"),
            why: Clean::line("cannot use `/loadline/lock`: permission denied"),
            next_step: Clean::line("see to it that you may write there"),
        };
        let dockerfile = Dockerfile::parse("FROM python:3.13\n");
        let (outcome, problem) = of_supply(&failed, &dockerfile);
        assert_eq!(outcome, Outcome::CouldNotJudge);
        assert_eq!(problem.blame.line, Some(1));
    }

    #[test]
    fn a_failed_step_names_its_line_and_its_status() {
        let error = BuildError::Step {
            line: Some(7),
            title: Clean::line("RUN pip install flask"),
            exit: Some(1),
            message: Clean::line("exit code: 1"),
            wrote: true,
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
    fn only_output_that_is_there_is_to_be_read() {
        let next = |wrote| {
            let title = Clean::line("RUN exit 3");
            of_command(Some(2), &title, 3, wrote).next_step.unwrap()
        };
        assert!(next(true).as_str().contains("output above"));
        assert!(!next(false).as_str().contains("above"));
    }

    #[test]
    fn a_slip_in_the_name_of_a_stage_is_no_fault_of_a_registry() {
        let told = |name: &str| {
            let text = format!("FROM a AS build\nFROM b\nCOPY --from={name} /x /x\n");
            let error = BuildError::NoBase {
                line: Some(3),
                reference: name.to_owned(),
                registry: String::from("docker.io"),
                message: Clean::line("it has no such image"),
            };
            let problem = of_build(&error, &Dockerfile::parse(&text)).1;
            format!("{}\n{}", problem.message, problem.next_step.unwrap())
        };
        insta::assert_snapshot!(told("biuld"), @"
        No stage is called `biuld`, so that it was read as the name of an image, and there is none of that name either.
        Did you mean the stage `build`?
        ");
        assert!(told("other").contains("that follow `AS`"));
        assert!(told("lab/biuld").contains("docker.io did not give it"));
    }

    #[test]
    fn a_mistake_of_the_dockerfile_is_told_in_whole_sentences() {
        let next = |text: &str| {
            let error = BuildError::Syntax {
                line: Some(1),
                message: Clean::line("unknown instruction"),
            };
            of_build(&error, &Dockerfile::parse(text))
                .1
                .next_step
                .unwrap()
        };
        assert_eq!(next("").as_str(), "Begin with `FROM` and an image.");
        assert_eq!(next("FROM a\nRUNN x\n").as_str(), "Did you mean `RUN`?");
    }

    /// The line that is told where a builder refuses a text in its own words.
    fn line(text: &str, line: Option<u32>, message: &str) -> Option<u32> {
        let message = Clean::line(message);
        let error = BuildError::Syntax { line, message };
        of_build(&error, &Dockerfile::parse(text)).1.blame.line
    }

    #[test]
    fn a_platform_that_a_builder_refuses_is_told_with_its_line() {
        for (text, message, at) in [
            (
                "FROM a\nARG P=1\nFROM --platform=linux/$P b\nFROM --platform=linux/$P b\n",
                "failed to parse platform linux/: \"\" is an invalid component of \"linux/\"",
                Some(3),
            ),
            (
                "FROM --platform=$BUILDPLATFORM a\nFROM --platform=$P b\n",
                "failed to parse platform : \"\" is an invalid component of \"\"",
                Some(2),
            ),
            (
                "FROM a\nFROM --platform=${P} b\n",
                "empty platform value from expression ${P} (did you mean PATH?)",
                Some(2),
            ),
            (
                "FROM --platform=x a\nFROM --platform=$P b\n",
                "no value specified for --platform=",
                Some(2),
            ),
        ] {
            assert_eq!(line(text, None, message), at, "{message}");
        }
    }

    #[test]
    fn what_became_of_a_long_instruction_is_told_to_its_end() {
        let title = Clean::line(&format!("RUN {}", "\u{fc}".repeat(5000)));
        for (exit, end) in [
            (Some(7), "stopped with status 7."),
            (None, "stopped: no x."),
        ] {
            let error = BuildError::Step {
                line: Some(2),
                title: title.clone(),
                exit,
                message: Clean::line("no x"),
                wrote: false,
            };
            let (_, told) = of_build(&error, &Dockerfile::parse("FROM a\nRUN x\n"));
            assert!(told.message.as_str().ends_with(end), "{told:?}");
            assert!(told.message.as_str().len() < 500, "{told:?}");
        }
    }

    #[test]
    fn what_a_builder_refuses_is_told_with_the_line_that_it_means() {
        let text = "FROM a\nENV A=${B?no} C=1\nENV D=${B}\n";
        let message = "failed to process \"${B?no}\": B: no";
        assert_eq!(line(text, None, message), Some(2));
        // Two lines hold it.
        assert_eq!(
            line(&format!("{text}ENV E=${{B?no}}\n"), None, message),
            None
        );
        for (text, message, at) in [
            (
                "FROM a\nFROM $B\nFROM $B\n",
                "base name ($B) should not be blank",
                Some(2),
            ),
            (
                "FROM a\nVOLUME $X\n",
                "VOLUME specified can not be an empty string",
                Some(2),
            ),
            // Nothing starts from this stage: what waits in it has stopped no builder.
            (
                "FROM a\nONBUILD EXPOSE http\nENV A=${B?no}\n",
                "failed to process \"${B?no}\": B: no",
                Some(3),
            ),
            (
                "FROM a/b\nRUN --mount=target=/x b\nRUN --mount=type=cache b\n",
                "invalid mount target \"/\"",
                Some(3),
            ),
            (
                "FROM a/b\nRUN --mount=target=/ b\nRUN --mount=type=cache b\n",
                "invalid mount target \"/\"",
                None,
            ),
            ("FROM a\nRUN b\nRUN []\n", "arguments are required", Some(3)),
            ("FROM a\nRUN []\nRUN []\n", "arguments are required", None),
        ] {
            assert_eq!(line(text, None, message), at, "{message}");
        }
        // The classic builder stopped at the second of two that our parser refuses.
        let text = "FROM a\nEXPOSE eighty\nFROM a\nEXPOSE \\\n ninety\n";
        assert_eq!(
            line(text, Some(4), "Invalid containerPort: ninety"),
            Some(5)
        );
        assert_eq!(line(text, None, "Invalid containerPort: eighty"), Some(2));
    }

    #[test]
    fn a_variable_of_a_from_that_has_no_value_is_told_where_it_gets_one() {
        let error = BuildError::Syntax {
            line: None,
            message: Clean::line("base name ($B) should not be blank"),
        };
        for (text, at, wanted) in [
            ("FROM $B\n", 1, "above the first `FROM`"),
            (
                "ARG B\nFROM $B\n",
                2,
                "`B` has no value unless one is given for the build; give it one",
            ),
        ] {
            let problem = of_build(&error, &Dockerfile::parse(text)).1;
            let next = problem.next_step.unwrap();
            assert!(next.as_str().contains(wanted), "{next}");
            assert_eq!(problem.blame.line, Some(at));
        }
    }

    #[test]
    fn a_platform_that_is_none_is_told_with_one() {
        let next = |text: &str, message: &str| {
            let (line, message) = (None, Clean::line(message));
            let error = BuildError::Syntax { line, message };
            let next = of_build(&error, &Dockerfile::parse(text)).1.next_step;
            next.unwrap().to_string()
        };
        let empty = "failed to parse platform : \"\" is an invalid component of \"\"";
        let unset = next("FROM --platform=$P a\n", empty);
        assert!(
            unset.contains("`FROM` sees only what an `ARG P=…`"),
            "{unset}"
        );
        let classic = next("FROM --platform=$BUILDPLATFORM a\n", empty);
        assert!(classic.contains("`BUILDPLATFORM`"), "{classic}");
        let wrong = "failed to parse platform a/b/c/d: cannot parse platform specifier";
        let wrong = next("FROM --platform=a/b/c/d a\n", wrong);
        assert!(wrong.contains("linux/amd64"), "{wrong}");
    }

    #[test]
    fn a_name_that_an_engine_does_not_take_is_the_fault_of_the_line_that_writes_it() {
        let error = SupplyError::Engine(EngineError::BadName {
            image: Clean::line("a@sha256:00"),
            why: Clean::line("`sha256:00` is not a digest"),
        });
        let (outcome, problem) = of_supply(&error, &Dockerfile::parse("ARG A\nFROM a@sha256:00\n"));
        assert_eq!(outcome, Outcome::BuildFailed);
        assert_eq!(problem.blame.line, Some(2));
        let (outcome, _) = of_supply(&error, &Dockerfile::parse("FROM a\nEXPOSE eighty\n"));
        assert_eq!(outcome, Outcome::CouldNotJudge);
        let error = SupplyError::Engine(EngineError::BadName {
            image: Clean::line("a"),
            why: Clean::line("`a` is not a name"),
        });
        let waiting = Dockerfile::parse("FROM a\nONBUILD EXPOSE eighty\n");
        assert_eq!(of_supply(&error, &waiting).0, Outcome::CouldNotJudge);
    }

    #[test]
    fn an_address_that_does_not_answer_is_named_with_the_setting_behind_it() {
        let (outcome, problem) = of_engine(&EngineError::NotFound {
            tried: vec![Tried {
                address: Clean::line("unix:///nowhere"),
                because: Clean::line("the variable `DOCKER_HOST`"),
                outcome: Clean::line("no such socket"),
            }],
        });
        assert_eq!(outcome, Outcome::EngineUnavailable);
        let next = problem.next_step.unwrap();
        insta::assert_snapshot!(format!("{}\n{next}", problem.message), @"
        Cannot reach a container engine: no such socket at unix:///nowhere (the variable `DOCKER_HOST`).
        While the variable `DOCKER_HOST` names this one, no other is looked for: mend it, or run `unset DOCKER_HOST DOCKER_CONTEXT`.
        ");
    }

    #[test]
    fn of_many_places_without_an_engine_the_doctor_has_the_list() {
        let tried = |path: &str| Tried {
            address: Clean::line(path),
            because: Clean::line("the default socket"),
            outcome: Clean::line("no such socket"),
        };
        let tried = vec![tried("unix:///a"), tried("unix:///b")];
        let (_, problem) = of_engine(&EngineError::NotFound { tried });
        let next = problem.next_step.unwrap();
        insta::assert_snapshot!(format!("{}\n{next}", problem.message), @"
        Cannot reach a container engine.
        Start it again: `loadline doctor` lists the 2 places that were tried, and how to mend it.
        ");
    }

    #[test]
    fn a_builder_without_heredocs_is_told_from_a_wrong_word() {
        let file = Dockerfile::parse(
            "FROM a\nRUN <<END\nset -e\nHello there\nEND\nCOPY <<X /x\ntext\nX\n",
        );
        let told = |line, message: &str| {
            let error = BuildError::Syntax {
                line,
                message: Clean::line(message),
            };
            of_build(&error, &file).1
        };
        for (line, message, at) in [
            (Some(3), "unknown instruction: SET", 2),
            (None, "Unknown instruction: \"HELLO\"", 2),
            (Some(7), "unknown instruction: TEXT", 6),
        ] {
            let problem = told(line, message);
            assert!(problem.message.as_str().contains("heredocs"), "{message}");
            assert_eq!(problem.blame.line, Some(at), "{message}");
        }
        let sought = BuildError::Step {
            line: Some(6),
            title: Clean::line("COPY <<X /x"),
            exit: None,
            message: Clean::line("\"/<<X\" not found"),
            wrote: false,
        };
        let problem = of_build(&sought, &file).1;
        assert!(problem.message.as_str().contains("name of a file"));
        let behind = "FROM a\nONBUILD RUN <<END\nset -e\nEND\n";
        let error = BuildError::Syntax {
            line: Some(3),
            message: Clean::line("unknown instruction: SET"),
        };
        let problem = of_build(&error, &Dockerfile::parse(behind)).1;
        assert!(problem.next_step.unwrap().as_str().contains("`&&`"));
        let other = told(Some(1), "unknown instruction: OTHER");
        assert!(!other.message.as_str().contains("heredocs"));
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
