//! `reserved-stage`: a stage has a name that builders use otherwise.

use super::Found;
use super::Rule;
use super::Severity;
use super::subject::Subject;
use super::syntax;

pub(super) const RULE: Rule = Rule {
    id: "reserved-stage",
    aliases: &["DL3063", "ReservedStageName"],
    severity: Severity::Error,
    title: "a stage has a name that builders use otherwise",
    why: "`scratch` is the empty image and `context` the folder that is sent to the builder. A \
          stage of that name can be made, but not be used by its name.",
    bad: "FROM debian:13-slim AS scratch\n",
    good: "FROM debian:13-slim AS build\n",
    check,
};

fn check(subject: &Subject<'_>, found: &mut Found<'_>) {
    syntax::told(subject, found);
}
