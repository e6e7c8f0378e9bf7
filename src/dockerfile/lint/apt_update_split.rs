//! `apt-update-split`: `apt-get update` in a layer of its own.

use super::super::shell::ShellCommand;
use super::Found;
use super::Rule;
use super::Severity;
use super::subject::RunView;
use super::subject::Subject;
use super::tool::Tool;
use super::tool::Use;

pub(super) const RULE: Rule = Rule {
    id: "apt-update-split",
    aliases: &[],
    severity: Severity::Warning,
    title: "apt-get update stands in a RUN of its own",
    why: "Each `RUN` is taken from the cache while its text is the same. When only the line with \
          the packages changes, they are looked for in lists that are months old, and the build \
          fails with 404, or installs old packages.",
    bad: "FROM debian:13-slim\nRUN apt-get update\nRUN apt-get install -y --no-install-recommends curl\n",
    good: "FROM debian:13-slim\nRUN apt-get update && apt-get install -y --no-install-recommends curl && rm -rf /var/lib/apt/lists/*\n",
    check,
};

fn check(subject: &Subject<'_>, found: &mut Found<'_>) {
    for stage in &subject.stages {
        let mut runs = stage.runs.iter().filter(|run| !run.onbuild);
        let Some(update) = runs.find_map(alone) else {
            continue;
        };
        // Later in this stage, or in one that starts from it.
        let mut later = runs.chain(
            subject
                .stages
                .iter()
                .filter(|one| one.below == Some(stage.stage.index))
                .flat_map(|one| &one.runs),
        );
        let install = later.find(|run| does(run, |used| used.installs()) && !does(run, updates));
        if let Some(install) = install {
            let line = install.instruction.line;
            found
                .note(
                    update.span(),
                    format!("line {line} will install from lists that the cache kept"),
                )
                .hint("write `apt-get update && apt-get install …` in one RUN")
                .with_line(line);
        }
    }
}

fn updates(used: &Use<'_>) -> bool {
    used.action() == "update"
}

fn does(run: &RunView<'_>, what: impl Fn(&Use<'_>) -> bool) -> bool {
    let mut uses = run.commands.iter().filter_map(Use::of);
    uses.any(|used| used.tool == Tool::Apt && what(&used))
}

/// The `apt-get update` of a `RUN` that installs nothing.
fn alone<'r>(run: &'r RunView<'_>) -> Option<&'r ShellCommand> {
    let installs = does(run, |used| {
        used.installs() || used.action().contains("upgrade")
    });
    let mut commands = run.commands.iter();
    commands
        .find(|command| {
            Use::of(command).is_some_and(|used| used.tool == Tool::Apt && updates(&used))
        })
        .filter(|_| !installs)
}
