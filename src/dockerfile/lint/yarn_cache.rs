//! `yarn-cache`: yarn keeps what it downloads.

use super::Found;
use super::Rule;
use super::Severity;
use super::amend;
use super::subject::Subject;
use super::tool::Tool;
use super::tool::Use;

/// Where yarn keeps what root downloads.
const CACHE: &str = "/usr/local/share/.cache/yarn";

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
        let flags = run.instruction.flags.iter();
        let mut mounts = flags.filter_map(|flag| flag.value.as_deref());
        let cached = mounts.any(|mount| mount.contains("yarn") && mount.contains("type=cache"));
        if !stage.ships || cached || run.mounts_over(CACHE) {
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

#[cfg(test)]
mod tests {
    use super::super::super::ast::Dockerfile;
    use super::super::check;

    #[test]
    fn a_mount_over_its_cache_is_seen_wherever_it_begins() {
        for (mounts, told) in [
            ("--mount=type=cache,target=/usr/local/share/.cache", false),
            (
                "--mount=type=cache,target=/usr/local/share/.cache/yarn",
                false,
            ),
            (
                "--mount=type=secret,id=a --mount=type=cache,target=/root/.yarn",
                false,
            ),
            (
                "--mount=type=bind,source=yarn.lock,target=/srv/yarn.lock",
                true,
            ),
            ("--mount=type=cache,target=/root/.npm", true),
        ] {
            let text = format!("FROM node:22\nRUN {mounts} yarn install\n");
            let found = check(&Dockerfile::parse(&text));
            let own = found.iter().any(|one| one.rule.id == "yarn-cache");
            assert_eq!(own, told, "{mounts}");
        }
    }
}
