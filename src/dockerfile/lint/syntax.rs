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
    check: told,
};

/// Notes what the parser told in the name of the rule.
pub(super) fn told(subject: &Subject<'_>, found: &mut Found<'_>) {
    let file = subject.file;
    let graver = file.problems.iter().map(|one| (one, Severity::Error));
    let lighter = file.warnings.iter().map(|one| (one, found.rule.severity));
    let all: Vec<_> = graver.chain(lighter).collect();
    for (problem, severity) in all {
        if problem.rule != found.rule.id {
            continue;
        }
        let noted = found
            .note(problem.span, &problem.message)
            .severity(severity);
        if let Some(hint) = &problem.hint {
            noted.hint(hint);
        }
    }
}
