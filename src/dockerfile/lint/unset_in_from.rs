//! `unset-in-from`: the image or the platform of `FROM` holds a variable without a value.

use super::Found;
use super::Rule;
use super::Severity;
use super::subject::Subject;
use super::syntax;

pub(super) const RULE: Rule = Rule {
    id: "unset-in-from",
    aliases: &["UndefinedArgInFrom", "InvalidDefaultArgInFrom"],
    severity: Severity::Warning,
    title: "FROM uses a variable that has no value",
    why: "`FROM` sees only the `ARG`s above the first `FROM`. A variable without a value expands \
          to nothing, so the build stops, or starts from another image than you think.",
    bad: "FROM debian:${VERSION}\n",
    good: "ARG VERSION=13-slim\nFROM debian:${VERSION}\n",
    check,
};

fn check(subject: &Subject<'_>, found: &mut Found<'_>) {
    syntax::told(subject, found);
}
