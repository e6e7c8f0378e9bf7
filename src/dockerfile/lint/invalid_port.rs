//! `invalid-port`: what `EXPOSE` names is no port of the container.

use super::Found;
use super::Rule;
use super::Severity;
use super::subject::Subject;
use super::syntax;

pub(super) const RULE: Rule = Rule {
    id: "invalid-port",
    aliases: &["DL3011", "ExposeInvalidFormat"],
    severity: Severity::Error,
    title: "EXPOSE names no port",
    why: "Ports have numbers from 1 to 65535. `EXPOSE` documents the ports of the container; which \
          port of the host leads there is decided when the container starts.",
    bad: "FROM debian:13-slim\nEXPOSE 80000\n",
    good: "FROM debian:13-slim\nEXPOSE 8000\n",
    check,
};

fn check(subject: &Subject<'_>, found: &mut Found<'_>) {
    syntax::told(subject, found);
}
