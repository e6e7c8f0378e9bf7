//! `apt-lists-kept`: the package lists of `apt-get update` stay in the layer.

use std::collections::HashMap;

use super::super::shell::ShellCommand;
use super::super::shell::ShellWord;
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
        let update = run.commands.iter().find(|command| updates(command));
        let Some(update) = update else { continue };
        if removes_lists(run) {
            continue;
        }
        let note = found.note(update.span(), "the package lists stay in the layer");
        match needed.get(&run.instruction.span.start) {
            // Without the lists that one finds no package.
            Some(line) => {
                note.hint(format!(
                    "line {line} looks into them: join the two in one RUN that ends with `rm -rf /var/lib/apt/lists/*`"
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

/// Each `RUN`, by where it begins, whose lists a later one looks into, with the line of that: one of
/// its stage, or of a stage that is built on it.
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
            if run.commands.iter().any(updates) || removes_lists(run) {
                wanted = None;
            } else if run.commands.iter().any(reads_lists) {
                wanted = Some(run.instruction.line);
            }
        }
        if let (Some(below), Some(line)) = (stage.below, wanted) {
            above.insert(below, line);
        }
    }
    found
}

fn updates(command: &ShellCommand) -> bool {
    Use::of(command).is_some_and(|used| used.tool == Tool::Apt && used.action() == "update")
}

/// Whether a command looks into the lists: without them it fails, or does nothing, as `upgrade`.
fn reads_lists(command: &ShellCommand) -> bool {
    match Use::of(command) {
        Some(used) if used.tool == Tool::Apt => match used.action() {
            "" | "check" | "clean" | "autoclean" | "remove" | "purge" | "autoremove"
            | "autopurge" => false,
            // dpkg knows what is installed.
            "list" => !used.has(&["--installed"]),
            _ => true,
        },
        _ => matches!(
            command.program(),
            "apt-cache" | "apt-file" | "gdebi" | "mk-build-deps"
        ),
    }
}

fn removes_lists(run: &RunView<'_>) -> bool {
    // What is removed after `cd` to the lists is named from there.
    let mut inside = false;
    run.commands.iter().any(|command| {
        let words = command.arguments();
        let names_lists = || {
            let mut words = words.iter();
            words.any(|word| word.text.trim_start_matches('/').starts_with("var/lib/apt"))
        };
        let from_here = |word: &ShellWord| !word.text.starts_with('/');
        let removes = match command.program() {
            "rm" => {
                let mut operands = words.iter().filter(|word| !word.is_option());
                names_lists() || inside && operands.any(from_here)
            }
            // Where it looks comes first, and is the folder that it is in where nothing is named.
            "find" => names_lists() || inside && words.first().is_none_or(from_here),
            _ => false,
        };
        let tidies = Use::of(command).is_some_and(|used| {
            // Since version 2.7.8, for builds of images.
            used.tool == Tool::Apt && matches!(used.action(), "dist-clean" | "distclean")
        });
        if matches!(command.program(), "cd" | "pushd") {
            inside = names_lists();
        }
        tidies || removes
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
    fn lists_that_a_later_run_looks_into_are_not_removed_under_it() {
        let install = "apt-get install -y --no-install-recommends";
        for text in [
            format!("FROM debian:13\nRUN apt-get update\nRUN {install} curl\n"),
            "FROM debian:13\nRUN apt-get update\nRUN apt-get -y upgrade\n".to_owned(),
            "FROM debian:13\nRUN apt-get update\nRUN apt-get -y dist-upgrade\n".to_owned(),
            "FROM debian:13\nRUN apt-get update\nRUN apt-get download curl\n".to_owned(),
            "FROM debian:13\nRUN apt-get update\nRUN apt-cache policy curl\n".to_owned(),
            "FROM debian:13\nRUN apt-get update\nRUN mk-build-deps -i control\n".to_owned(),
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
            "FROM debian:13\n{both}{both}RUN apt-get remove -y curl\nRUN apt-get clean\nRUN apt-get check\nRUN apt list --installed > /m\n"
        ));
        assert_eq!(found.len(), 2);
        assert!(found.iter().all(|one| !one.fix.is_empty()), "{found:?}");
    }

    #[test]
    fn lists_are_removed_from_inside_too() {
        let update = "FROM debian:13\nRUN apt-get update";
        let told = |end: &str| found(&format!("{update} && {end}\n")).len();
        assert_eq!(told("cd /var/lib/apt/lists && rm -rf *"), 0);
        assert_eq!(told("cd /var/lib/apt/lists && find -delete"), 0);
        assert_eq!(told("cd /var/lib/apt/lists && cd / && rm -rf tmp"), 1);
        assert_eq!(told("cd /var/lib/apt && rm -f /tmp/x"), 1);
        assert_eq!(told("cd /var/lib/apt && find /tmp -name x -delete"), 1);
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
