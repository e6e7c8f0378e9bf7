//! `remove-in-later-layer`: what is removed later still ships.

use std::collections::HashMap;
use std::collections::HashSet;

use super::super::ast::Span;
use super::super::shell::ShellCommand;
use super::Found;
use super::Rule;
use super::Severity;
use super::found::quote;
use super::paths;
use super::subject::RunView;
use super::subject::Subject;
use super::tool::Tool;
use super::tool::Use;

pub(super) const RULE: Rule = Rule {
    id: "remove-in-later-layer",
    aliases: &[],
    severity: Severity::Warning,
    title: "a later layer cannot take away what an earlier one brought",
    why: "Each instruction is a layer on top of those before it. Removing a file in a later one \
          only hides it: its bytes are stored, sent and pulled with every copy of the image. \
          Remove in the same `RUN` that brings.",
    bad: "FROM debian:13-slim\nRUN curl -fsSLo /tmp/sdk.tar.gz https://example.com/sdk.tar.gz\nRUN tar -xzf /tmp/sdk.tar.gz -C /opt\nRUN rm /tmp/sdk.tar.gz\n",
    good: "FROM debian:13-slim\nRUN curl -fsSLo /tmp/sdk.tar.gz https://example.com/sdk.tar.gz \\\n    && tar -xzf /tmp/sdk.tar.gz -C /opt \\\n    && rm /tmp/sdk.tar.gz\n",
    check,
};

fn check(subject: &Subject<'_>, found: &mut Found<'_>) {
    paths::walk(subject, &mut |step| {
        if !matches!(step.command.program(), "rm" | "unlink") {
            return;
        }
        for word in step
            .command
            .arguments()
            .iter()
            .filter(|word| !word.is_option())
        {
            let Some(path) = step.resolve(&word.text).filter(|path| path != "/") else {
                continue;
            };
            if step.here.within(&path).is_some() {
                continue;
            }
            if let Some(line) = step.earlier.within(&path) {
                tell(
                    found,
                    word.span,
                    &format!(
                        "`{}` still ships in the layer of line {line}",
                        quote(&word.text)
                    ),
                    line,
                );
            }
        }
    });
    caches(subject, found);
}

fn tell(found: &mut Found<'_>, span: Span, message: &str, line: u32) {
    found
        .note(span, message)
        .hint("remove it in the same RUN that brings it, or do not bring it")
        .with_line(line);
}

/// What package managers leave behind, by who leaves it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Left {
    Lists,
    Packages(Tool),
    Cache(Tool),
}

/// Package managers that tidy up after an earlier `RUN`.
fn caches(subject: &Subject<'_>, found: &mut Found<'_>) {
    let mut left: HashMap<Left, u32> = HashMap::new();
    for run in subject.shipping().flat_map(|stage| &stage.runs) {
        let mut brought = brought(run);
        let mut gone = HashSet::new();
        for command in &run.commands {
            let Some(removed) = removed(command) else {
                continue;
            };
            gone.insert(removed);
            let line = left.get(&removed).filter(|_| !brought.contains(&removed));
            if let Some(line) = line {
                let what = format!("{} {}", command.program(), first_words(command));
                let what = quote(what.trim());
                let message = format!("`{what}` takes nothing away from the layer of line {line}");
                tell(found, command.span(), &message, *line);
            }
        }
        brought.retain(|one| !gone.contains(one));
        let line = run.instruction.line;
        left.extend(brought.into_iter().map(|one| (one, line)));
    }
}

fn first_words(command: &ShellCommand) -> String {
    let words: Vec<&str> = command
        .arguments()
        .iter()
        .take(2)
        .map(|word| word.text.as_str())
        .collect();
    words.join(" ")
}

/// What a `RUN` brings.
fn brought(run: &RunView<'_>) -> HashSet<Left> {
    let mut all = HashSet::new();
    for used in run.commands.iter().filter_map(Use::of) {
        if used.tool == Tool::Apt && used.action() == "update" && !run.mounts_over("/var/lib/apt") {
            all.insert(Left::Lists);
        }
        if used.installs() {
            all.insert(Left::Packages(used.tool));
            let has_mount = run
                .instruction
                .flag("mount")
                .is_some_and(|mount| mount.contains("type=cache"));
            if !has_mount && !used.has(&["--no-cache", "--no-cache-dir"]) {
                all.insert(Left::Cache(used.tool));
            }
        }
    }
    all
}

/// What a command means to remove.
fn removed(command: &ShellCommand) -> Option<Left> {
    if let Some(used) = Use::of(command) {
        let removes = matches!(
            used.action(),
            "remove" | "purge" | "autoremove" | "erase" | "del" | "uninstall"
        );
        let cleans = matches!(used.action(), "clean" | "autoclean" | "cc")
            || (used.action() == "cache"
                && (command.has("clean") || command.has("purge") || command.has("prune")));
        return match used.tool {
            Tool::Apt | Tool::Apk | Tool::Yum | Tool::Dnf | Tool::Zypper | Tool::Pip if removes => {
                Some(Left::Packages(used.tool))
            }
            tool if cleans => Some(Left::Cache(tool)),
            _ => None,
        };
    }
    if command.program() != "rm" {
        return None;
    }
    command.arguments().iter().find_map(|word| {
        let path = word.text.trim_start_matches('/');
        let under = |folder: &str| path.starts_with(folder);
        if under("var/lib/apt/lists") {
            Some(Left::Lists)
        } else if under("var/cache/apk") {
            Some(Left::Cache(Tool::Apk))
        } else if under("var/cache/apt") {
            Some(Left::Cache(Tool::Apt))
        } else if under("var/cache/yum") {
            Some(Left::Cache(Tool::Yum))
        } else if under("var/cache/dnf") || under("var/cache/libdnf") {
            Some(Left::Cache(Tool::Dnf))
        } else if path.contains(".cache/pip") || under("root/.cache") {
            Some(Left::Cache(Tool::Pip))
        } else if path.ends_with(".npm") || path.contains(".npm/") {
            Some(Left::Cache(Tool::Npm))
        } else {
            None
        }
    })
}
