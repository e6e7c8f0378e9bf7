//! `unpinned-apk`: apk installs whatever version there is.

use super::Found;
use super::Rule;
use super::Severity;
use super::found::quote;
use super::subject::Subject;
use super::tool::Tool;
use super::tool::Use;

pub(super) const RULE: Rule = Rule {
    id: "unpinned-apk",
    aliases: &["DL3018"],
    severity: Severity::Info,
    title: "apk installs whatever version there is",
    why: "Without a version the same line installs something else next month. The other side: \
          Alpine keeps only the newest build of each package in a release, so an exact pin soon \
          fails; `name~version` allows for new builds of the same version.",
    bad: "FROM alpine:3.22\nRUN apk add --no-cache curl\n",
    good: "FROM alpine:3.22\nRUN apk add --no-cache curl~8.14\n",
    check,
};

fn check(subject: &Subject<'_>, found: &mut Found<'_>) {
    for (_, _, command) in subject.commands() {
        let Some(used) = Use::of(command) else {
            continue;
        };
        if used.tool != Tool::Apk || !used.installs() {
            continue;
        }
        if let Some(word) = used.operands.iter().find(|word| is_loose(&word.text)) {
            found
                .note(word.span, format!("`{}` has no version", quote(&word.text)))
                .hint("write `name~version`, or `name=version` for one exact build");
        }
    }
}

/// Whether a package is named without a version, and is not a file.
fn is_loose(text: &str) -> bool {
    !text.contains(['=', '~', '<', '>', '$']) && !text.ends_with(".apk")
}
