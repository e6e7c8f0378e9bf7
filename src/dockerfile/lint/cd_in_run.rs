//! `cd-in-run`: `cd` where `WORKDIR` would do.

use super::super::shell::Joint;
use super::Found;
use super::Rule;
use super::Severity;
use super::subject::Subject;

pub(super) const RULE: Rule = Rule {
    id: "cd-in-run",
    aliases: &["DL3003"],
    severity: Severity::Warning,
    title: "cd is used to change the folder",
    why: "`cd` is forgotten at the end of its `RUN`; the next one starts in the old folder. \
          `WORKDIR` holds for all that follows and can be seen in the config of the image.",
    bad: "FROM node:22-slim\nRUN cd /app && npm ci\n",
    good: "FROM node:22-slim\nWORKDIR /app\nRUN npm ci\n",
    check,
};

fn check(subject: &Subject<'_>, found: &mut Found<'_>) {
    for (_, run) in subject.runs() {
        // Only where all that follows happens in that folder; a detour is the shell's business.
        let Some(first) = run.commands.first() else {
            continue;
        };
        let moves = run
            .commands
            .iter()
            .filter(|one| one.program() == "cd")
            .count();
        if first.program() != "cd" || moves != 1 || run.commands.len() < 2 || first.nested {
            continue;
        }
        if run
            .commands
            .get(1)
            .is_some_and(|next| next.joint == Joint::Or)
        {
            continue;
        }
        found
            .note(first.span(), "`cd` is forgotten at the end of this RUN")
            .hint("put `WORKDIR` above it");
    }
}
