//! `end-of-life`: a base image that is no longer mended.

use super::super::reference::ImageName;
use super::super::scope::BuildArgs;
use super::super::stages::external_references;
use super::Found;
use super::Rule;
use super::Severity;
use super::known;
use super::subject::Subject;

pub(super) const RULE: Rule = Rule {
    id: "end-of-life",
    aliases: &[],
    severity: Severity::Warning,
    title: "a base image gets no security updates any more",
    why: "A release whose support has ended gets no more fixes: every advisory from that day on \
          stays open in your image. The dates are those that its makers publish.",
    bad: "FROM node:18-slim\nUSER node\n",
    good: "FROM node:22-slim\nUSER node\n",
    check,
};

fn check(subject: &Subject<'_>, found: &mut Found<'_>) {
    for used in external_references(subject.file, &BuildArgs::new()) {
        let Ok(name) = ImageName::parse(&used.reference) else {
            continue;
        };
        if let Some(ended) = known::ended(&name) {
            found
                .note(
                    used.span,
                    format!("{} got its last updates in {}", ended.what, ended.when),
                )
                .hint("move to a release that is still looked after");
        }
    }
}
