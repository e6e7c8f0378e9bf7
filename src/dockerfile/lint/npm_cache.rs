//! `npm-cache`: npm keeps what it downloads.

use super::Found;
use super::Rule;
use super::Severity;
use super::amend;
use super::subject::Subject;
use super::tool::Tool;
use super::tool::Use;

pub(super) const RULE: Rule = Rule {
    id: "npm-cache",
    aliases: &[],
    severity: Severity::Info,
    title: "npm keeps what it downloads in the layer",
    why: "npm keeps every download in `/root/.npm`, often as large as `node_modules` itself. A \
          cache mount keeps it out of the layer and makes the next build faster; cleaning in the \
          same `RUN` keeps it out too.",
    bad: "FROM node:22-slim\nRUN npm ci --omit=dev\n",
    good: "FROM node:22-slim\nRUN --mount=type=cache,target=/root/.npm npm ci --omit=dev\n",
    check,
};

fn check(subject: &Subject<'_>, found: &mut Found<'_>) {
    for (stage, run) in subject.runs() {
        if !stage.ships || run.mounts_over("/root/.npm") || run.mounts_over("/home/node/.npm") {
            continue;
        }
        let uses = || run.commands.iter().filter_map(Use::of);
        let cleans = uses().any(|used| used.tool == Tool::Npm && used.action() == "cache");
        let removes = run.commands.iter().any(|command| {
            let mut words = command.arguments().iter();
            command.program() == "rm" && words.any(|word| word.text.contains("/.npm"))
        });
        let install = uses()
            .find(|used| used.tool == Tool::Npm && used.installs() && !used.has(&["--cache"]));
        let Some(install) = install.filter(|_| !cleans && !removes) else {
            continue;
        };
        found
            .note(install.command.span(), "npm keeps what it downloads in the layer")
            .hint("end the same RUN with `npm cache clean --force`, or mount a cache over `/root/.npm`")
            .fix(amend::append(subject, run, "&& npm cache clean --force"));
    }
}
