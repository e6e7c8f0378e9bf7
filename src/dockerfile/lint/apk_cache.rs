//! `apk-cache`: `apk add` leaves its index in the layer.

use super::Found;
use super::Rule;
use super::Severity;
use super::amend;
use super::subject::Subject;
use super::tool::Tool;
use super::tool::Use;

pub(super) const RULE: Rule = Rule {
    id: "apk-cache",
    aliases: &["DL3019"],
    severity: Severity::Info,
    title: "apk leaves its index in the layer",
    why: "`apk add` keeps the index of all packages in the image unless `--no-cache` tells it to use \
          a fresh one and forget it. That option also makes `apk update` and a later clean-up \
          unnecessary.",
    bad: "FROM alpine:3.22\nRUN apk add curl\n",
    good: "FROM alpine:3.22\nRUN apk add --no-cache curl\n",
    check,
};

fn check(subject: &Subject<'_>, found: &mut Found<'_>) {
    for (stage, run) in subject.runs() {
        if !stage.ships || run.mounts_over("/var/cache/apk") || run.mounts_over("/etc/apk/cache") {
            continue;
        }
        let cleaned = run.commands.iter().any(|command| {
            let mut words = command.arguments().iter();
            command.program() == "rm" && words.any(|word| word.text.starts_with("/var/cache/apk"))
        });
        for command in &run.commands {
            let Some(used) = Use::of(command).filter(|used| used.tool == Tool::Apk) else {
                continue;
            };
            let Some(action) = used.action.filter(|_| used.installs()) else {
                continue;
            };
            if cleaned || used.has(&["--no-cache"]) {
                continue;
            }
            found
                .note(action.span, "`apk add` leaves its index in the layer")
                .hint("add `--no-cache`")
                .fix([amend::add_option(run, command, action, "--no-cache")]);
        }
    }
}
