//! `copy-from-self`: a stage copies from itself.

use super::Found;
use super::Rule;
use super::Severity;
use super::subject::Subject;
use super::syntax;

pub(super) const RULE: Rule = Rule {
    id: "copy-from-self",
    aliases: &["DL3023"],
    severity: Severity::Error,
    title: "a stage copies from itself",
    why: "A stage is not finished while its own instructions run, so there is nothing to copy \
          from. Builders refuse it.",
    bad: "FROM debian:13-slim AS a\nCOPY --from=a /x /y\n",
    good: "FROM debian:13-slim AS b\nFROM debian:13-slim AS a\nCOPY --from=b /x /y\n",
    check,
};

fn check(subject: &Subject<'_>, found: &mut Found<'_>) {
    syntax::told(subject, found);
}
