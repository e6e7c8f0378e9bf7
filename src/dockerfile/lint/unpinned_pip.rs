//! `unpinned-pip`: pip installs whatever version there is.

use std::collections::BTreeSet;

use super::super::ast::Body;
use super::super::ast::Keyword;
use super::super::shell::ShellCommand;
use super::Found;
use super::Rule;
use super::Severity;
use super::found::quote;
use super::subject::RunView;
use super::subject::Subject;
use super::tool::Tool;
use super::tool::Use;

pub(super) const RULE: Rule = Rule {
    id: "unpinned-pip",
    aliases: &["DL3013"],
    severity: Severity::Warning,
    title: "pip installs whatever version there is",
    why: "Without a version the same line installs something else next month, and with it whatever \
          that needs. `pip freeze` gives you the versions that you tested; a requirements file \
          with hashes pins them all.",
    bad: "FROM python:3.13-slim\nRUN pip install --no-cache-dir flask\n",
    good: "FROM python:3.13-slim\nRUN pip install --no-cache-dir flask==3.1.0\n",
    check,
};

/// The variables that name a file of versions; neither tool reads that of the other.
const OF_PIP: &str = "PIP_CONSTRAINT";
const OF_UV: &str = "UV_CONSTRAINT";

fn check(subject: &Subject<'_>, found: &mut Found<'_>) {
    // Those of them that have a value at the end of each stage.
    let mut ends: Vec<BTreeSet<&str>> = Vec::with_capacity(subject.stages.len());
    for stage in &subject.stages {
        let below = stage.below.and_then(|index| ends.get(index));
        let mut set = below.cloned().unwrap_or_default();
        let mut runs = stage.runs.iter().peekable();
        for instruction in &stage.stage.instructions {
            if let (Keyword::Env, Body::Pairs(pairs)) = (instruction.keyword, &instruction.body) {
                for pair in pairs {
                    assign(
                        &mut set,
                        &pair.key,
                        pair.value.as_deref().unwrap_or_default(),
                    );
                }
            }
            let end = instruction.span.end;
            while let Some(run) = runs.next_if(|run| run.instruction.span.start < end) {
                of_run(run, &set, found);
            }
        }
        ends.push(set);
    }
}

/// An empty value is none for pip. Other variables are not kept: a file may have a great many.
fn assign<'f>(set: &mut BTreeSet<&'f str>, name: &'f str, value: &str) {
    if value.is_empty() {
        set.remove(name);
    } else if [OF_PIP, OF_UV].contains(&name) {
        set.insert(name);
    }
}

/// `NAME=value`, of the words of a command.
fn assignments(command: &ShellCommand) -> impl Iterator<Item = (&str, &str)> {
    let words = command.assignments.iter().chain(&command.words);
    words.filter_map(|word| word.text.split_once('='))
}

fn of_run<'f>(run: &'f RunView<'_>, set: &BTreeSet<&'f str>, found: &mut Found<'_>) {
    let mut set = set.clone();
    for command in &run.commands {
        if command.program() == "export" {
            for (name, value) in assignments(command) {
                assign(&mut set, name, value);
            }
        }
        let Some(used) = Use::of(command).filter(|used| used.tool == Tool::Pip) else {
            continue;
        };
        let variable = if command.program() == "uv" {
            OF_UV
        } else {
            OF_PIP
        };
        let own = assignments(command).filter(|(name, _)| *name == variable);
        let constrained = own
            .last()
            .map_or_else(|| set.contains(variable), |(_, value)| !value.is_empty())
            || used.has(&["--constraint", "--constraints"])
            || used.options.iter().any(|one| one.text.starts_with("-c"));
        if constrained || !used.installs() {
            continue;
        }
        if let Some(word) = used.operands.iter().find(|word| is_loose(&word.text)) {
            found
                .note(word.span, format!("`{}` has no version", quote(&word.text)))
                .hint("write `name==version`, or install from a file with versions");
        }
    }
}

/// Whether a package is named without a version, and is not a file, a folder or an address.
fn is_loose(text: &str) -> bool {
    let pinned =
        text.contains("==") || text.contains("~=") || text.contains('<') || text.contains('@');
    let elsewhere =
        text.contains(['/', '$', '*']) || text.starts_with('.') || text.ends_with(".whl");
    !pinned && !elsewhere && !text.is_empty()
}

#[cfg(test)]
mod tests {
    use super::super::super::ast::Dockerfile;
    use super::super::check;

    #[test]
    fn a_file_of_constraints_has_the_versions() {
        for (lines, told) in [
            ("RUN pip install a", true),
            ("RUN pip install -c c.txt a", false),
            ("RUN pip install --constraint=c.txt a", false),
            ("RUN PIP_CONSTRAINT=c.txt pip install a", false),
            ("RUN export PIP_CONSTRAINT=c.txt && pip install a", false),
            ("ENV PIP_CONSTRAINT=c.txt\nRUN pip install a", false),
            ("ENV PIP_CONSTRAINT=c.txt\nFROM b\nRUN pip install a", false),
            ("RUN pip install a\nENV PIP_CONSTRAINT=c.txt", true),
            ("ENV UV_CONSTRAINT=c.txt\nRUN uv pip install a", false),
            ("ENV PIP_CONSTRAINT=c.txt\nRUN uv pip install a", true),
            ("ENV UV_CONSTRAINT=c.txt\nRUN pip install a", true),
            ("ENV PIP_CONSTRAINT=\nRUN pip install a", true),
            ("ENV PIP_CONSTRAINT=\"\"\nRUN pip install a", true),
            (
                "ENV PIP_CONSTRAINT=c.txt\nENV PIP_CONSTRAINT=\nRUN pip install a",
                true,
            ),
            ("RUN export PIP_CONSTRAINT= && pip install a", true),
            (
                "ENV PIP_CONSTRAINT=c.txt\nRUN PIP_CONSTRAINT= pip install a",
                true,
            ),
            (
                "ENV PIP_CONSTRAINT=c.txt\nFROM python:3.13\nRUN pip install a",
                true,
            ),
        ] {
            let text = format!("FROM python:3.13 AS b\n{lines}\n");
            let found = check(&Dockerfile::parse(&text));
            let own = found.iter().any(|one| one.rule.id == "unpinned-pip");
            assert_eq!(own, told, "{lines}");
        }
    }
}
