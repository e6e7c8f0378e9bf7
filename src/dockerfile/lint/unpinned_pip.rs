//! `unpinned-pip`: pip installs whatever version there is.

use super::super::ast::Body;
use super::super::ast::Instruction;
use super::super::ast::Keyword;
use super::super::ast::Pair;
use super::super::shell::ShellWord;
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

/// The variable that names a file of versions for every pip; uv has one of its own.
const CONSTRAINTS: [&str; 2] = ["PIP_CONSTRAINT", "UV_CONSTRAINT"];

fn check(subject: &Subject<'_>, found: &mut Found<'_>) {
    // From where on the variable is set, in each stage.
    let mut set: Vec<Option<usize>> = Vec::with_capacity(subject.stages.len());
    for stage in &subject.stages {
        let below = stage.below.and_then(|index| set.get(index));
        let mut own = stage.stage.instructions.iter();
        let own = || {
            own.find(|one| sets_constraint(one))
                .map(|one| one.span.start)
        };
        let from = below.copied().flatten().or_else(own);
        set.push(from);
        for run in &stage.runs {
            if from.is_none_or(|from| run.instruction.span.start < from) {
                of_run(run, found);
            }
        }
    }
}

fn sets_constraint(instruction: &Instruction) -> bool {
    let Body::Pairs(pairs) = &instruction.body else {
        return false;
    };
    let known = |pair: &Pair| CONSTRAINTS.contains(&pair.key.as_str());
    instruction.keyword == Keyword::Env && pairs.iter().any(known)
}

fn of_run(run: &RunView<'_>, found: &mut Found<'_>) {
    let assigns = |word: &ShellWord| {
        let name = word.text.split_once('=').map(|(name, _)| name);
        name.is_some_and(|name| CONSTRAINTS.contains(&name))
    };
    for command in &run.commands {
        let mut words = command.assignments.iter().chain(&command.words);
        if command.program() == "export" && words.any(assigns) {
            return;
        }
        let Some(used) = Use::of(command).filter(|used| used.tool == Tool::Pip) else {
            continue;
        };
        let constrained = words.any(assigns)
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
