//! `numeric-user`: `USER` names a user that only the image knows.

use super::super::ast::Body;
use super::super::ast::Keyword;
use super::Found;
use super::Rule;
use super::Severity;
use super::found::quote;
use super::subject::Subject;

pub(super) const RULE: Rule = Rule {
    id: "numeric-user",
    aliases: &["DL3066"],
    severity: Severity::Info,
    title: "USER is a name, not a number",
    why: "Kubernetes refuses `runAsNonRoot` where it sees a name, because it cannot look into \
          `/etc/passwd` of the image. A number needs no entry there, so it works on `scratch` too.",
    bad: "FROM node:22-slim\nUSER node\n",
    good: "FROM node:22-slim\nUSER 1000:1000\n",
    check,
};

fn check(subject: &Subject<'_>, found: &mut Found<'_>) {
    let shipped = subject
        .shipping()
        .flat_map(|stage| &stage.stage.instructions);
    let last = shipped.filter(|one| one.keyword == Keyword::User).last();
    let Some(Body::Word(user)) = last.map(|one| &one.body) else {
        return;
    };
    let name = user.text.split(':').next().unwrap_or_default();
    let numeric = name.chars().all(|c| c.is_ascii_digit());
    if !numeric && !name.contains('$') && name != "root" {
        found
            .note(
                user.span,
                format!("`{}` is a name that only the image knows", quote(name)),
            )
            .hint("write the number of that user");
    }
}
