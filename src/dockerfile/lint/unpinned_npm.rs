//! `unpinned-npm`: npm installs whatever version there is.

use super::Found;
use super::Rule;
use super::Severity;
use super::found::quote;
use super::subject::Subject;
use super::tool::Tool;
use super::tool::Use;

pub(super) const RULE: Rule = Rule {
    id: "unpinned-npm",
    aliases: &["DL3016"],
    severity: Severity::Warning,
    title: "npm installs whatever version there is",
    why: "Without a version the same line installs something else next month, and with it whatever \
          that needs. Dependencies of the application belong in `package-lock.json`, which `npm \
          ci` follows to the letter.",
    bad: "FROM node:22-slim\nRUN npm install -g typescript\n",
    good: "FROM node:22-slim\nRUN npm install -g typescript@5.9.2\n",
    check,
};

fn check(subject: &Subject<'_>, found: &mut Found<'_>) {
    for (_, _, command) in subject.commands() {
        let Some(used) = Use::of(command) else {
            continue;
        };
        if used.tool != Tool::Npm || used.action() == "ci" || !used.installs() {
            continue;
        }
        if let Some(word) = used.operands.iter().find(|word| is_loose(&word.text)) {
            found
                .note(word.span, format!("`{}` has no version", quote(&word.text)))
                .hint("write `name@version`");
        }
    }
}

/// Whether a package is named without a version, and is not a file, a folder or an address.
fn is_loose(text: &str) -> bool {
    let name = text.strip_prefix('@').unwrap_or(text);
    let scoped = text.len() != name.len();
    let elsewhere = text.contains(':')
        || text.contains('$')
        || text.starts_with(['.', '/', '~'])
        || text.ends_with(".tgz")
        || (!scoped && name.contains('/'));
    !name.contains('@') && !elsewhere
}
