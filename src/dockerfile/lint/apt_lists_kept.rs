//! `apt-lists-kept`: the package lists of `apt-get update` stay in the layer.

use super::Found;
use super::Rule;
use super::Severity;
use super::amend;
use super::subject::RunView;
use super::subject::Subject;
use super::tool::Tool;
use super::tool::Use;

/// Where the lists are.
const LISTS: &str = "/var/lib/apt";

pub(super) const RULE: Rule = Rule {
    id: "apt-lists-kept",
    aliases: &["DL3009"],
    severity: Severity::Info,
    title: "the package lists of apt stay in the layer",
    why: "`apt-get update` downloads the lists of all packages that there are, some 20 to 50 MB, and \
          nobody needs them once the packages are installed. A layer keeps what its `RUN` leaves \
          behind, so only the same `RUN` can save those bytes.",
    bad: "FROM debian:13-slim\nRUN apt-get update && apt-get install -y --no-install-recommends curl\n",
    good: "FROM debian:13-slim\nRUN apt-get update && apt-get install -y --no-install-recommends curl \\\n    && rm -rf /var/lib/apt/lists/*\n",
    check,
};

fn check(subject: &Subject<'_>, found: &mut Found<'_>) {
    for (stage, run) in subject.runs() {
        if !stage.ships || run.mounts_over(LISTS) {
            continue;
        }
        let update = run.commands.iter().find(|command| {
            Use::of(command).is_some_and(|one| one.tool == Tool::Apt && one.action() == "update")
        });
        let Some(update) = update else { continue };
        if removes_lists(run) {
            continue;
        }
        found
            .note(update.span(), "the package lists stay in the layer")
            .hint("end the same RUN with `rm -rf /var/lib/apt/lists/*`")
            .fix(amend::append(
                subject,
                run,
                "&& rm -rf /var/lib/apt/lists/*",
            ));
    }
}

fn removes_lists(run: &RunView<'_>) -> bool {
    run.commands.iter().any(|command| {
        let removes = matches!(command.program(), "rm" | "find");
        let mut words = command.arguments().iter();
        removes && words.any(|word| word.text.trim_start_matches('/').starts_with("var/lib/apt"))
    })
}
