//! `rpm-cache-kept`: the caches of yum, dnf and zypper stay in the layer.

use super::Found;
use super::Rule;
use super::Severity;
use super::amend;
use super::subject::RunView;
use super::subject::Subject;
use super::tool::Tool;
use super::tool::Use;

pub(super) const RULE: Rule = Rule {
    id: "rpm-cache-kept",
    aliases: &["DL3032", "DL3036", "DL3040"],
    severity: Severity::Warning,
    title: "the cache of yum, dnf or zypper stays in the layer",
    why: "These package managers keep the lists of all packages, and often the packages \
          themselves, once more. A layer keeps what its `RUN` leaves behind, so only the same \
          `RUN` can save those bytes.",
    bad: "FROM fedora:42\nRUN dnf install -y nginx-1.26.3\n",
    good: "FROM fedora:42\nRUN dnf install -y nginx-1.26.3 && dnf clean all\n",
    check,
};

fn check(subject: &Subject<'_>, found: &mut Found<'_>) {
    for run in subject.shipping().flat_map(|stage| &stage.runs) {
        let mut seen: Vec<Tool> = Vec::new();
        for used in run.commands.iter().filter_map(Use::of) {
            let Some((cache, clean)) = tidy(used.tool) else {
                continue;
            };
            if !used.installs() || seen.contains(&used.tool) {
                continue;
            }
            seen.push(used.tool);
            if is_clean(run, used.tool, cache) {
                continue;
            }
            let program = used.command.program();
            let clean = format!("{program} {clean}");
            let message = format!("the cache of `{program}` stays in the layer");
            found
                .note(used.command.span(), message)
                .hint(format!("end the same RUN with `{clean}`"))
                .fix(amend::append(subject, run, &format!("&& {clean}")));
        }
    }
}

/// Where a package manager keeps its cache, and what empties it.
const fn tidy(tool: Tool) -> Option<(&'static str, &'static str)> {
    match tool {
        Tool::Yum => Some(("/var/cache/yum", "clean all")),
        Tool::Dnf => Some(("/var/cache/dnf", "clean all")),
        Tool::Zypper => Some(("/var/cache/zypp", "clean --all")),
        _ => None,
    }
}

fn is_clean(run: &RunView<'_>, tool: Tool, cache: &str) -> bool {
    let cleans = run.commands.iter().any(|command| {
        let cleans = Use::of(command)
            .is_some_and(|used| used.tool == tool && matches!(used.action(), "clean" | "cc"));
        let mut words = command.arguments().iter();
        let removes = command.program() == "rm"
            && words.any(|word| {
                let path = word.text.trim_end_matches(['/', '*']);
                path.starts_with(cache)
                    || path == "/var/cache"
                    || path.starts_with("/var/cache/libdnf")
            });
        cleans || removes
    });
    cleans || run.mounts_over(cache) || run.mounts_over("/var/cache/libdnf5")
}
