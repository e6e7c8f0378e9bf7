//! `suspicious`: what a builder accepts and the author most likely did not mean.

use super::Rule;
use super::Severity;
use super::syntax;

pub(super) const RULE: Rule = Rule {
    id: "suspicious",
    aliases: &[],
    severity: Severity::Warning,
    title: "a builder reads this otherwise than it looks",
    why: "A forgotten or a superfluous backslash, quotes that are not straight, a directive that comes \
          too late: the builder has a meaning for it and says nothing. It is most likely not yours.",
    bad: "FROM debian:13-slim\nCMD ['sh']\n",
    good: "FROM debian:13-slim\nCMD [\"sh\"]\n",
    check: syntax::told,
};
