//! `pip-cache`: pip keeps what it downloads.

use super::super::ast::Body;
use super::super::ast::Keyword;
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

pub(super) const RULE: Rule = Rule {
    id: "pip-cache",
    aliases: &["DL3042"],
    severity: Severity::Warning,
    title: "pip keeps what it downloads in the layer",
    why: "pip keeps each download, and each wheel that it builds, for the next time. In an image \
          there is no next time: the cache is dead weight of the size of your dependencies.",
    bad: "FROM python:3.13-slim\nRUN pip install flask==3.1.0\n",
    good: "FROM python:3.13-slim\nRUN pip install --no-cache-dir flask==3.1.0\n",
    check,
};

fn check(subject: &Subject<'_>, found: &mut Found<'_>) {
    // `ENV PIP_NO_CACHE_DIR=1` says it for its stage and for those above.
    let mut said = false;
    for stage in subject.shipping() {
        said |= stage.stage.instructions.iter().any(|one| match &one.body {
            Body::Pairs(pairs) if matches!(one.keyword, Keyword::Env | Keyword::Arg) => pairs
                .iter()
                .any(|pair| is_off(&pair.key, pair.value.as_deref())),
            _ => false,
        });
        if said {
            return;
        }
        for run in &stage.runs {
            let mounted = run.mounts_over("/root/.cache/pip");
            if !mounted && !run.commands.iter().any(removes_cache) {
                of_run(run, found);
            }
        }
    }
}

fn of_run(run: &RunView<'_>, found: &mut Found<'_>) {
    for command in &run.commands {
        if command.program() == "export" && command.arguments().iter().any(says_off) {
            return;
        }
        let Some(used) = Use::of(command).filter(|used| used.tool == Tool::Pip) else {
            continue;
        };
        let told = command.program() == "uv"
            || used.has(&["--no-cache-dir"])
            || command.assignments.iter().any(says_off);
        let Some(action) = used.action.filter(|_| used.installs() && !told) else {
            continue;
        };
        found
            .note(action.span, "pip keeps what it downloads in the layer")
            .hint("add `--no-cache-dir`")
            .fix([amend::add_option(run, command, action, "--no-cache-dir")]);
    }
}

fn removes_cache(command: &ShellCommand) -> bool {
    let purges = Use::of(command).is_some_and(|used| {
        used.tool == Tool::Pip && used.action() == "cache" && command.has("purge")
    });
    let mut words = command.arguments().iter();
    purges || command.program() == "rm" && words.any(|word| word.text.contains("/.cache"))
}

fn says_off(word: &ShellWord) -> bool {
    word.text
        .split_once('=')
        .is_some_and(|(key, value)| is_off(key, Some(value)))
}

fn is_off(key: &str, value: Option<&str>) -> bool {
    key == "PIP_NO_CACHE_DIR" && value.is_some_and(|value| !value.is_empty())
}
