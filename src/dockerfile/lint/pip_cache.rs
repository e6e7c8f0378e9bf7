//! `pip-cache`: pip keeps what it downloads.

use super::super::ast::Body;
use super::super::ast::Keyword;
use super::super::shell::ShellWord;
use super::Edit;
use super::Found;
use super::Rule;
use super::Severity;
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
    for stage in subject.shipping() {
        // `ENV PIP_NO_CACHE_DIR=1` says it for the stage.
        let chain = subject
            .shipping()
            .take_while(|one| one.stage.index <= stage.stage.index);
        let mut instructions = chain.flat_map(|one| &one.stage.instructions);
        let said = instructions.any(|one| match &one.body {
            Body::Pairs(pairs) if matches!(one.keyword, Keyword::Env | Keyword::Arg) => pairs
                .iter()
                .any(|pair| is_off(&pair.key, pair.value.as_deref())),
            _ => false,
        });
        for run in &stage.runs {
            let mut exported = false;
            for command in &run.commands {
                exported |= command.program() == "export"
                    && command.arguments().iter().any(says_off)
                    || removes_cache(command);
                let Some(used) = Use::of(command).filter(|used| used.tool == Tool::Pip) else {
                    continue;
                };
                let Some(action) = used.action.filter(|_| used.installs()) else {
                    continue;
                };
                let told = said
                    || exported
                    || command.program() == "uv"
                    || used.has(&["--no-cache-dir"])
                    || command.assignments.iter().any(says_off)
                    || run.mounts_over("/root/.cache/pip")
                    || run.mounts_over("/root/.cache")
                    || run.commands.iter().any(removes_cache);
                if !told {
                    found
                        .note(action.span, "pip keeps what it downloads in the layer")
                        .hint("add `--no-cache-dir`")
                        .fix([Edit::insert(action.span.end, " --no-cache-dir")]);
                }
            }
        }
    }
}

fn removes_cache(command: &super::super::shell::ShellCommand) -> bool {
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
    // pip took a false value for a true one once, and means the opposite of neither now.
    key == "PIP_NO_CACHE_DIR" && value.is_some_and(|value| !value.is_empty())
}
