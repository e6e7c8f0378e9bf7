//! `pipefail`: the first command of a pipe may fail unseen.

use super::super::shell::Joint;
use super::super::shell::ShellCommand;
use super::super::shell::base_name;
use super::super::shell::is_shell;
use super::Found;
use super::Rule;
use super::Severity;
use super::known;
use super::known::Libc;
use super::subject::RunView;
use super::subject::StageView;
use super::subject::Subject;

pub(super) const RULE: Rule = Rule {
    id: "pipefail",
    aliases: &["DL4006"],
    severity: Severity::Warning,
    title: "a pipe hides that its first command failed",
    why: "A shell takes the result of a pipe from its last command. If the download before the \
          pipe fails, the build goes on with half of it. The option `pipefail` makes the whole pipe \
          fail. `bash` and the `ash` of Alpine know it; `/bin/sh` does in Debian 13 and Ubuntu \
          24.10 or later, and ends with an error in those before.",
    bad: "FROM debian:13-slim\nRUN curl -fsS https://example.com/list | sort > /list\n",
    good: "FROM debian:13-slim\nSHELL [\"/bin/bash\", \"-o\", \"pipefail\", \"-c\"]\nRUN curl -fsS https://example.com/list | sort > /list\n",
    check,
};

/// What makes `bash` and the `ash` of Alpine fail with the first command of a pipe.
const BASH: &str = "`SHELL [\"/bin/bash\", \"-o\", \"pipefail\", \"-c\"]`";
const ASH: &str = "`SHELL [\"/bin/ash\", \"-o\", \"pipefail\", \"-c\"]`";

fn check(subject: &Subject<'_>, found: &mut Found<'_>) {
    for (stage, run) in subject.runs() {
        let words = run.shell.join(" ");
        if run.exec || words.contains("pipefail") {
            continue;
        }
        if let Some(set) = refused(stage, run) {
            found
                .note(
                    set.span(),
                    "`/bin/sh` of this image does not know `pipefail`: this RUN fails",
                )
                .severity(Severity::Error)
                .hint(format!("put {BASH} above it instead"));
            continue;
        }
        if sets_pipefail(run) {
            continue;
        }
        let pipes = |nested: bool| {
            let mut commands = run.commands.iter();
            commands.find(|one| one.joint == Joint::Pipe && one.nested == nested)
        };
        // Inside `$(…)` the result is looked at by the command around it, if at all.
        let Some(command) = pipes(false) else {
            continue;
        };
        let first = run
            .commands
            .iter()
            .find(|one| one.pipeline == command.pipeline);
        let program = first.map_or("", |one| one.program());
        // These cannot fail, or nobody would care.
        if matches!(program, "echo" | "printf" | "yes" | "true" | "cat" | "") {
            continue;
        }
        found
            .note(
                command.span(),
                format!("if `{program}` fails, nobody notices"),
            )
            .hint(remedy(stage, run));
    }
}

/// What helps in the shell that runs it, and in the image that it has.
fn remedy(stage: &StageView<'_>, run: &RunView<'_>) -> String {
    let own = run.shell.first().map(|program| base_name(program));
    if own.is_some_and(|program| !matches!(program, "sh" | "dash")) {
        return String::from("add `\"-o\", \"pipefail\"` to `SHELL`, before its `-c`");
    }
    let Some(name) = stage.image() else {
        return format!("put {BASH} above, where the image has `bash`");
    };
    let knows = known::knows_pipefail(name) == Some(true);
    match known::libc(name) {
        Some(Libc::Musl) => format!("put {ASH} above, or begin with `set -o pipefail`"),
        Some(_) if knows => format!("put {BASH} above, or begin with `set -o pipefail`"),
        Some(_) => format!("put {BASH} above"),
        None => format!("put {BASH} above, where the image has `bash`"),
    }
}

/// The `set -o pipefail` at the begin of a `RUN` whose shell ends there, because it does not know it.
fn refused<'r>(stage: &StageView<'_>, run: &'r RunView<'_>) -> Option<&'r ShellCommand> {
    let image = stage.image().filter(|_| run.default_shell)?;
    if known::knows_pipefail(image) != Some(false) || !run.instruction.heredocs.is_empty() {
        return None;
    }
    // In brackets it may only be tried.
    if run.instruction.arguments.contains('(') {
        return None;
    }
    let plain = run.commands.iter().filter(|one| !one.nested);
    let mut sets = plain.take_while(|one| one.program() == "set");
    sets.find(|one| one.has("pipefail"))
}

/// Whether the `RUN` asks for it itself.
fn sets_pipefail(run: &RunView<'_>) -> bool {
    run.commands.iter().any(|command| {
        let asks = command.program() == "set" || is_shell(command.program());
        asks && command.has("pipefail")
    })
}

#[cfg(test)]
mod tests {
    use super::super::super::ast::Dockerfile;
    use super::super::Severity;
    use super::super::check;

    fn found(text: &str) -> Vec<(Severity, String)> {
        let found = check(&Dockerfile::parse(text));
        let own = found.into_iter().filter(|one| one.rule.id == "pipefail");
        own.map(|one| (one.severity, one.hint.expect("a hint").as_str().to_owned()))
            .collect()
    }

    #[test]
    fn the_advice_names_a_shell_that_the_image_has() {
        for (base, ash, set) in [
            ("alpine:3.22", true, true),
            ("debian:12-slim", false, false),
            ("debian:13-slim", false, true),
            ("python:3.13-slim", false, false),
            ("registry.corp.example/base:1", false, false),
            ("debian:12 AS a\nFROM a", false, false),
        ] {
            let found = found(&format!("FROM {base}\nRUN curl x | sort > /y\n"));
            let [(Severity::Warning, hint)] = found.as_slice() else {
                panic!("{base}: {found:?}")
            };
            assert_eq!(hint.contains("/bin/ash"), ash, "{base}: {hint}");
            assert_eq!(hint.contains("/bin/bash"), !ash, "{base}: {hint}");
            assert_eq!(hint.contains("set -o pipefail"), set, "{base}: {hint}");
        }
        let own = found("FROM debian:13\nSHELL [\"/bin/bash\", \"-c\"]\nRUN curl x | sort > /y\n");
        assert!(own[0].1.contains("to `SHELL`"), "{own:?}");
    }

    #[test]
    fn a_shell_that_does_not_know_the_option_stops_the_build() {
        for (text, fails) in [
            ("FROM debian:12\nRUN set -o pipefail && curl x | sort", true),
            (
                "FROM ubuntu:24.04\nRUN set -e; set -eux -o pipefail; curl x | sort",
                true,
            ),
            (
                "FROM debian:13\nRUN set -o pipefail && curl x | sort",
                false,
            ),
            (
                "FROM debian:12\nRUN ln -sf /bin/bash /bin/sh\nRUN set -o pipefail && curl x | sort",
                false,
            ),
            (
                "FROM debian:12\nRUN ln -sf /bin/bash /bin/sh && set -o pipefail && curl x | sort",
                false,
            ),
            (
                "FROM debian:12 AS a\nRUN ln -sf /bin/bash /bin/sh\nFROM debian:12\nRUN set -o pipefail && curl x | sort",
                true,
            ),
            (
                "FROM debian:12 AS a\nRUN ln -sf /bin/bash /bin/sh\nFROM a\nRUN set -o pipefail && curl x | sort",
                false,
            ),
            (
                "FROM debian:12\nONBUILD RUN set -o pipefail && curl x | sort\nSHELL [\"/bin/bash\", \"-c\"]",
                false,
            ),
            (
                "FROM alpine:3.22\nRUN set -o pipefail && curl x | sort",
                false,
            ),
            (
                "FROM debian:12\nRUN bash -c 'set -o pipefail && curl x | sort'",
                false,
            ),
            (
                "FROM debian:12\nRUN (set -o pipefail) && set -o pipefail; curl x | sort",
                false,
            ),
            (
                "FROM debian:12\nSHELL [\"/bin/bash\", \"-c\"]\nRUN set -o pipefail && curl x | sort",
                false,
            ),
            (
                "FROM debian:12\n# hadolint shell=bash\nRUN set -o pipefail && curl x | sort",
                false,
            ),
        ] {
            let grave = found(text)
                .iter()
                .any(|(severity, _)| *severity == Severity::Error);
            assert_eq!(grave, fails, "{text}");
        }
    }
}
