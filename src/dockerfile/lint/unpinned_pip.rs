//! `unpinned-pip`: pip installs whatever version there is.

use super::Found;
use super::Rule;
use super::Severity;
use super::found::quote;
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

fn check(subject: &Subject<'_>, found: &mut Found<'_>) {
    for (_, _, command) in subject.commands() {
        let Some(used) = Use::of(command) else {
            continue;
        };
        if used.tool != Tool::Pip || !used.installs() {
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
