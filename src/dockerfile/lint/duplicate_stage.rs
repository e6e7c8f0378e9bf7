//! `duplicate-stage`: two stages have one name.

use super::Found;
use super::Rule;
use super::Severity;
use super::subject::Subject;
use super::syntax;

pub(super) const RULE: Rule = Rule {
    id: "duplicate-stage",
    aliases: &["DL3024", "DuplicateStageName"],
    severity: Severity::Error,
    title: "two stages have the same name",
    why: "`COPY --from=name` and `FROM name` then mean the last stage of that name that is above \
          them. Moving a line changes the image, and the classic builder refuses the file.",
    bad: "FROM debian:13-slim AS build\nFROM debian:13-slim AS build\n",
    good: "FROM debian:13-slim AS build\nFROM debian:13-slim AS test\n",
    check,
};

fn check(subject: &Subject<'_>, found: &mut Found<'_>) {
    syntax::told(subject, found);
}
