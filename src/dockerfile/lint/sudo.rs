//! `sudo`: `sudo` in a build.

use super::super::ast::Span;
use super::Edit;
use super::Found;
use super::Rule;
use super::Severity;
use super::subject::Subject;

pub(super) const RULE: Rule = Rule {
    id: "sudo",
    aliases: &["DL3004"],
    severity: Severity::Error,
    title: "sudo is used",
    why: "A build runs as root already, unless `USER` says otherwise, so `sudo` adds a setuid \
          program and nothing else. Switch with `USER`, or let a small tool give root up when the \
          container starts.",
    bad: "FROM debian:13-slim\nRUN sudo apt-get update\n",
    good: "FROM debian:13-slim\nRUN apt-get update && rm -rf /var/lib/apt/lists/*\n",
    check,
};

fn check(subject: &Subject<'_>, found: &mut Found<'_>) {
    for (_, _, command) in subject.commands() {
        let Some(word) = command.words.first() else {
            continue;
        };
        if word.text != "sudo" {
            continue;
        }
        // Only where `sudo` stands alone before the command.
        let next = command.words.get(1).filter(|next| !next.is_option());
        let edit = next.map(|next| {
            let span = Span {
                start: word.span.start,
                end: next.span.start,
            };
            Edit::replace(span, "")
        });
        let one_line = |edit: &Edit| !subject.text(edit.span).contains(['\n', '`']);
        found
            .note(word.span, "`sudo` is not needed in a build")
            .hint("leave it out, and switch with `USER` where the user matters")
            .fix(edit.filter(one_line));
    }
}
