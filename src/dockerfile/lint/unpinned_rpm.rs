//! `unpinned-rpm`: yum, dnf or zypper install whatever version there is.

use super::Found;
use super::Rule;
use super::Severity;
use super::found::quote;
use super::subject::Subject;
use super::tool::Tool;
use super::tool::Use;

pub(super) const RULE: Rule = Rule {
    id: "unpinned-rpm",
    aliases: &["DL3033", "DL3037", "DL3041"],
    severity: Severity::Info,
    title: "yum, dnf or zypper install whatever version there is",
    why: "Without a version the same line installs something else next month. The other side: \
          distributions drop old builds from their mirrors, so an exact pin may soon fail. Pin \
          what your application depends on closely; for the rest, pin the base image and rebuild \
          often.",
    bad: "FROM fedora:42\nRUN dnf install -y nginx && dnf clean all\n",
    good: "FROM fedora:42\nRUN dnf install -y nginx-1.26.3 && dnf clean all\n",
    check,
};

fn check(subject: &Subject<'_>, found: &mut Found<'_>) {
    for (_, _, command) in subject.commands() {
        let Some(used) = Use::of(command) else {
            continue;
        };
        if !matches!(used.tool, Tool::Yum | Tool::Dnf | Tool::Zypper) || !used.installs() {
            continue;
        }
        if let Some(word) = used.operands.iter().find(|word| is_loose(&word.text)) {
            found
                .note(word.span, format!("`{}` has no version", quote(&word.text)))
                .hint("write `name-version` where the version matters");
        }
    }
}

/// Whether a package is named without a version, and is not a file, an address or a group.
fn is_loose(text: &str) -> bool {
    let versioned = text.contains(['=', '<', '>', '~'])
        || text.match_indices('-').any(|(at, _)| {
            text.get(at + 1..)
                .is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_digit()))
        });
    let elsewhere =
        text.contains(['/', '$', ':']) || text.starts_with('@') || text.ends_with(".rpm");
    !versioned && !elsewhere
}
