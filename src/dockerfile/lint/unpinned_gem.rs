//! `unpinned-gem`: gem installs whatever version there is.

use super::Found;
use super::Rule;
use super::Severity;
use super::found::quote;
use super::subject::Subject;
use super::tool::Tool;
use super::tool::Use;

pub(super) const RULE: Rule = Rule {
    id: "unpinned-gem",
    aliases: &["DL3028"],
    severity: Severity::Warning,
    title: "gem installs whatever version there is",
    why: "Without a version the same line installs something else next month. `name:version` pins \
          one gem; a `Gemfile.lock` pins them all.",
    bad: "FROM ruby:3.4-slim\nRUN gem install bundler\n",
    good: "FROM ruby:3.4-slim\nRUN gem install bundler:2.7.1\n",
    check,
};

fn check(subject: &Subject<'_>, found: &mut Found<'_>) {
    for (_, _, command) in subject.commands() {
        let Some(used) = Use::of(command) else {
            continue;
        };
        let versioned = used.has(&["-v", "--version"]);
        if used.tool != Tool::Gem || !used.installs() || versioned {
            continue;
        }
        if let Some(word) = used.operands.iter().find(|word| is_loose(&word.text)) {
            found
                .note(word.span, format!("`{}` has no version", quote(&word.text)))
                .hint("write `name:version`");
        }
    }
}

/// Whether a gem is named without a version, and is not a file.
fn is_loose(text: &str) -> bool {
    !text.contains([':', '$', '/']) && !text.ends_with(".gem")
}
