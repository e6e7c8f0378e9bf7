//! `unpinned-apt`: packages of apt without a version.

use super::Found;
use super::Rule;
use super::Severity;
use super::found::quote;
use super::subject::Subject;
use super::tool::Tool;
use super::tool::Use;

pub(super) const RULE: Rule = Rule {
    id: "unpinned-apt",
    aliases: &["DL3008"],
    severity: Severity::Info,
    title: "apt installs whatever version there is",
    why: "Without a version the same line installs something else next month. The other side: Debian \
          removes a version from its mirrors as soon as the next one is out, so a pinned version \
          soon fails to build, and keeps security fixes out until somebody moves it. Pin what your \
          application depends on closely; for the rest, pin the base image and rebuild often.",
    bad: "FROM debian:13-slim\nRUN apt-get update && apt-get install -y curl\n",
    good: "FROM debian:13-slim\nRUN apt-get update && apt-get install -y curl=8.14.1-2\n",
    check,
};

fn check(subject: &Subject<'_>, found: &mut Found<'_>) {
    for (_, _, command) in subject.commands() {
        let Some(used) = Use::of(command) else {
            continue;
        };
        if used.tool != Tool::Apt || used.action() != "install" {
            continue;
        }
        let loose = used.operands.iter().find(|word| {
            let text = word.text.as_str();
            let is_file = text.contains('/') || text.ends_with(".deb");
            !text.contains('=') && !is_file && !text.starts_with('$')
        });
        if let Some(word) = loose {
            found
                .note(word.span, format!("`{}` has no version", quote(&word.text)))
                .hint("write `name=version` where the version matters");
        }
    }
}
