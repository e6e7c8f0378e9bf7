//! `yarn-cache`: yarn keeps what it downloads.

use super::Found;
use super::Rule;
use super::Severity;
use super::amend;
use super::subject::Subject;
use super::tool::Tool;
use super::tool::Use;

pub(super) const RULE: Rule = Rule {
    id: "yarn-cache",
    aliases: &["DL3060"],
    severity: Severity::Info,
    title: "yarn keeps what it downloads in the layer",
    why: "yarn keeps every download once more beside `node_modules`. In an image there is no next \
          installation that would use it.",
    bad: "FROM node:22-slim\nRUN yarn install --frozen-lockfile\n",
    good: "FROM node:22-slim\nRUN yarn install --frozen-lockfile && yarn cache clean\n",
    check,
};

fn check(subject: &Subject<'_>, found: &mut Found<'_>) {
    for (stage, run) in subject.runs() {
        let mount = run.instruction.flag("mount").unwrap_or_default();
        if !stage.ships || mount.contains("yarn") && mount.contains("type=cache") {
            continue;
        }
        let uses = || run.commands.iter().filter_map(Use::of);
        let cleans = uses().any(|used| used.tool == Tool::Yarn && used.action() == "cache");
        let install = uses().find(|used| used.tool == Tool::Yarn && used.installs());
        let Some(install) = install.filter(|_| !cleans) else {
            continue;
        };
        if install.has(&["--version", "-v", "--help"]) {
            continue;
        }
        found
            .note(
                install.command.span(),
                "yarn keeps what it downloads in the layer",
            )
            .hint("end the same RUN with `yarn cache clean`")
            .fix(amend::append(subject, run, "&& yarn cache clean"));
    }
}
