//! `suspicious`: what a builder accepts and the author most likely did not mean.

use super::Found;
use super::Rule;
use super::Severity;
use super::subject::MOST_STAGES;
use super::subject::Subject;
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
    check,
};

fn check(subject: &Subject<'_>, found: &mut Found<'_>) {
    syntax::told(subject, found);
    let beyond = subject.file.stages.get(MOST_STAGES);
    if let Some(stage) = beyond {
        let message = format!("more than {MOST_STAGES} stages; what they do is not looked at");
        found.note(stage.from.span, message);
    }
}
