//! `dist-upgrade`: a whole distribution is upgraded.

use super::Found;
use super::Rule;
use super::Severity;
use super::subject::Subject;
use super::tool::Tool;
use super::tool::Use;

pub(super) const RULE: Rule = Rule {
    id: "dist-upgrade",
    aliases: &["DL3035"],
    severity: Severity::Warning,
    title: "all packages of the base are upgraded",
    why: "Each upgraded package is stored again in this layer, beside the old one below it, and \
          the result depends on the day. A newer base image has the same packages once.",
    bad: "FROM debian:13-slim\nRUN apt-get update && apt-get dist-upgrade -y && rm -rf /var/lib/apt/lists/*\n",
    good: "FROM debian:13.1-slim\n",
    check,
};

fn check(subject: &Subject<'_>, found: &mut Found<'_>) {
    for (_, _, command) in subject.commands() {
        let Some(used) = Use::of(command) else {
            continue;
        };
        let upgrades = match used.tool {
            Tool::Apt => matches!(used.action(), "dist-upgrade" | "full-upgrade"),
            Tool::Zypper => matches!(used.action(), "dist-upgrade" | "dup"),
            Tool::Dnf | Tool::Yum => matches!(used.action(), "distro-sync" | "system-upgrade"),
            _ => false,
        };
        if let Some(action) = used.action.filter(|_| upgrades) {
            found
                .note(
                    action.span,
                    "every upgraded package is stored a second time",
                )
                .hint("start from a newer base image");
        }
    }
}
