//! `onbuild-forbidden`: `ONBUILD` with an instruction that may not stand there.

use super::Found;
use super::Rule;
use super::Severity;
use super::subject::Subject;
use super::syntax;

pub(super) const RULE: Rule = Rule {
    id: "onbuild-forbidden",
    aliases: &["DL3043"],
    severity: Severity::Error,
    title: "ONBUILD cannot take this instruction",
    why: "`ONBUILD` keeps an instruction for the next image that starts from this one. `FROM`, \
          `MAINTAINER` and another `ONBUILD` make no sense there, and builders refuse them.",
    bad: "FROM debian:13-slim\nONBUILD FROM debian:13-slim\n",
    good: "FROM debian:13-slim\nONBUILD RUN true\n",
    check,
};

fn check(subject: &Subject<'_>, found: &mut Found<'_>) {
    syntax::told(subject, found);
}
