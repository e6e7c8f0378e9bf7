//! `unpinned-go`: go installs whatever version there is.

use super::Found;
use super::Rule;
use super::Severity;
use super::found::quote;
use super::subject::Subject;
use super::tool::Tool;
use super::tool::Use;

pub(super) const RULE: Rule = Rule {
    id: "unpinned-go",
    aliases: &["DL3062"],
    severity: Severity::Warning,
    title: "go installs whatever version there is",
    why: "`@latest` is another program next month, and the module cache of a builder hides that \
          until it is gone. Tools of the build belong in `go.mod`, or behind `@` with a version.",
    bad: "FROM golang:1.26\nRUN go install golang.org/x/tools/gopls@latest\n",
    good: "FROM golang:1.26\nRUN go install golang.org/x/tools/gopls@v0.20.0\n",
    check,
};

fn check(subject: &Subject<'_>, found: &mut Found<'_>) {
    for (_, _, command) in subject.commands() {
        let Some(used) = Use::of(command) else {
            continue;
        };
        if used.tool != Tool::Go || !used.installs() {
            continue;
        }
        if let Some(word) = used.operands.iter().find(|word| is_loose(&word.text)) {
            found
                .note(word.span, format!("`{}` has no version", quote(&word.text)))
                .hint("write `package@version`");
        }
    }
}

/// Whether a package from outside is named without a version.
fn is_loose(text: &str) -> bool {
    let inside =
        text.starts_with(['.', '/']) || text.contains('$') || text == "all" || text == "std";
    match text.split_once('@') {
        Some((_, version)) => matches!(version, "latest" | "upgrade" | "patch" | "none"),
        None => {
            !inside
                && text
                    .split('/')
                    .next()
                    .is_some_and(|host| host.contains('.'))
        }
    }
}
