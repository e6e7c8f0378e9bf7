//! `apt-lists-kept`: the package lists of `apt-get update` stay in the layer.

use std::collections::HashMap;

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
    let needed = needed(subject);
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
        let note = found.note(update.span(), "the package lists stay in the layer");
        match needed.get(&run.instruction.span.start) {
            // Without the lists that one finds no package.
            Some(line) => {
                note.hint(format!(
                    "line {line} installs from them: join the two in one RUN that ends with `rm -rf /var/lib/apt/lists/*`"
                ))
                .with_line(*line);
            }
            None => {
                note.hint("end the same RUN with `rm -rf /var/lib/apt/lists/*`")
                    .fix(amend::append(
                        subject,
                        run,
                        "&& rm -rf /var/lib/apt/lists/*",
                    ));
            }
        }
    }
}

/// Each `RUN`, by where it begins, whose lists a later one installs from, with the line of that: one
/// of its stage, or of a stage that is built on it.
fn needed(subject: &Subject<'_>) -> HashMap<usize, u32> {
    let mut found = HashMap::new();
    // What the first `RUN` on top of each stage that cares for the lists wants of them.
    let mut above: HashMap<usize, u32> = HashMap::new();
    for stage in subject.stages.iter().rev() {
        let mut wanted = above.get(&stage.stage.index).copied();
        for run in stage
            .runs
            .iter()
            .rev()
            .filter(|run| !run.mounts_over(LISTS))
        {
            if let Some(line) = wanted {
                found.insert(run.instruction.span.start, line);
            }
            let uses = run.commands.iter().filter_map(Use::of);
            let apt: Vec<Use<'_>> = uses.filter(|used| used.tool == Tool::Apt).collect();
            if apt.iter().any(|used| used.action() == "update") || removes_lists(run) {
                wanted = None;
            } else if apt.iter().any(Use::installs) {
                wanted = Some(run.instruction.line);
            }
        }
        if let (Some(below), Some(line)) = (stage.below, wanted) {
            above.insert(below, line);
        }
    }
    found
}

fn removes_lists(run: &RunView<'_>) -> bool {
    run.commands.iter().any(|command| {
        let removes = matches!(command.program(), "rm" | "find");
        let mut words = command.arguments().iter();
        let tidies = Use::of(command).is_some_and(|used| {
            // Since version 2.7.8, for builds of images.
            used.tool == Tool::Apt && matches!(used.action(), "dist-clean" | "distclean")
        });
        tidies
            || removes
                && words.any(|word| word.text.trim_start_matches('/').starts_with("var/lib/apt"))
    })
}

#[cfg(test)]
mod tests {
    use super::super::super::ast::Dockerfile;
    use super::super::Finding;
    use super::super::check;

    fn found(text: &str) -> Vec<Finding> {
        let mut found = check(&Dockerfile::parse(text));
        found.retain(|one| one.rule.id == "apt-lists-kept");
        found
    }

    #[test]
    fn lists_that_a_later_run_installs_from_are_not_removed_under_it() {
        let install = "apt-get install -y --no-install-recommends";
        for text in [
            format!("FROM debian:13\nRUN apt-get update\nRUN {install} curl\n"),
            format!("FROM debian:13\nRUN apt-get update && {install} a\nRUN {install} curl\n"),
            format!(
                "FROM debian:13 AS a\nRUN apt-get update\nFROM a AS b\nUSER 1\nFROM b\nRUN {install} curl\n"
            ),
        ] {
            let found = found(&text);
            assert_eq!(found.len(), 1, "{text}");
            assert!(found[0].fix.is_empty(), "{text}");
            let line = text.lines().count().try_into().ok();
            assert_eq!(found[0].other_line, line, "{text}");
        }
    }

    #[test]
    fn lists_that_nobody_needs_later_are_removed() {
        let both = "RUN apt-get update && apt-get install -y --no-install-recommends curl\n";
        let found = found(&format!(
            "FROM debian:13\n{both}{both}RUN apt-get remove -y curl\n"
        ));
        assert_eq!(found.len(), 2);
        assert!(found.iter().all(|one| !one.fix.is_empty()), "{found:?}");
    }

    #[test]
    fn apt_removes_its_lists_itself_where_it_can() {
        for action in ["dist-clean", "distclean"] {
            let text = format!(
                "FROM debian:13\nRUN apt-get update && apt-get install -y a && apt-get {action}\n"
            );
            assert_eq!(found(&text), []);
        }
    }
}
