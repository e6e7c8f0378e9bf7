//! `syntax`: what a builder refuses.

use super::Found;
use super::Rule;
use super::Severity;
use super::subject::Subject;

pub(super) const RULE: Rule = Rule {
    id: "syntax",
    aliases: &["DL1000", "DL3061"],
    severity: Severity::Error,
    title: "a builder refuses this",
    why: "Every builder stops here, so there is no image. What comes after is still looked at: one bad \
          line hides nothing else.",
    bad: "FROM debian:13-slim\nRUNN true\n",
    good: "FROM debian:13-slim\nRUN true\n",
    check,
};

fn check(subject: &Subject<'_>, found: &mut Found<'_>) {
    for problem in &subject.file.problems {
        let noted = found.note(problem.span, &problem.message);
        if let Some(hint) = &problem.hint {
            noted.hint(hint);
        }
    }
}
