//! `suspicious`: what a builder accepts and the author most likely did not mean.

use super::Found;
use super::Rule;
use super::Severity;
use super::subject::Subject;

pub(super) const RULE: Rule = Rule {
    id: "suspicious",
    aliases: &["NoEmptyContinuation"],
    severity: Severity::Warning,
    title: "a builder reads this otherwise than it looks",
    why: "A forgotten or a superfluous backslash, quotes that are not straight, a directive that comes \
          too late: the builder has a meaning for it and says nothing. It is most likely not yours.",
    bad: "FROM debian:13-slim\nRUN true \\\n\n    && false\n",
    good: "FROM debian:13-slim\nRUN true \\\n    && false\n",
    check,
};

fn check(subject: &Subject<'_>, found: &mut Found<'_>) {
    for warning in &subject.file.warnings {
        let noted = found.note(warning.span, &warning.message);
        if let Some(hint) = &warning.hint {
            noted.hint(hint);
        }
    }
}
