//! `pipefail`: the first command of a pipe may fail unseen.

use super::super::shell::Joint;
use super::super::shell::is_shell;
use super::Found;
use super::Rule;
use super::Severity;
use super::subject::RunView;
use super::subject::Subject;

pub(super) const RULE: Rule = Rule {
    id: "pipefail",
    aliases: &["DL4006"],
    severity: Severity::Warning,
    title: "a pipe hides that its first command failed",
    why: "A shell takes the result of a pipe from its last command. If the download before the \
          pipe fails, the build goes on with half of it. `set -o pipefail` makes the whole pipe \
          fail.",
    bad: "FROM debian:13-slim\nRUN curl -fsS https://example.com/list | sort > /list\n",
    good: "FROM debian:13-slim\nSHELL [\"/bin/bash\", \"-o\", \"pipefail\", \"-c\"]\nRUN curl -fsS https://example.com/list | sort > /list\n",
    check,
};

fn check(subject: &Subject<'_>, found: &mut Found<'_>) {
    for (_, run) in subject.runs() {
        let words = run.shell.join(" ");
        if run.exec || words.contains("pipefail") || sets_pipefail(run) {
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
            .note(command.span(), format!("if `{program}` fails, nobody notices"))
            .hint("put `SHELL [\"/bin/bash\", \"-o\", \"pipefail\", \"-c\"]` above, or begin with `set -o pipefail`");
    }
}

/// Whether the `RUN` asks for it itself.
fn sets_pipefail(run: &RunView<'_>) -> bool {
    run.commands.iter().any(|command| {
        let asks = command.program() == "set" || is_shell(command.program());
        asks && command.has("pipefail")
    })
}
