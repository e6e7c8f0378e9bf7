//! `root-user`: the last `USER` is root.

use super::super::ast::Body;
use super::super::ast::Keyword;
use super::Found;
use super::Rule;
use super::Severity;
use super::known::DefaultUser;
use super::subject::Subject;
use super::subject::user_of;

pub(super) const RULE: Rule = Rule {
    id: "root-user",
    aliases: &["DL3002"],
    severity: Severity::Warning,
    title: "the application runs as root",
    why: "Whoever breaks into the application is then root in the container, one kernel bug or one \
          careless mount away from the host. Do what needs root first, then name another user.",
    bad: "FROM debian:13-slim\nUSER root\nCMD [\"/app\"]\n",
    good: "FROM debian:13-slim\nUSER 65532:65532\nCMD [\"/app\"]\n",
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
    if user_of(&user.text) == DefaultUser::Root {
        found
            .note(user.span, "the application runs as root")
            .hint("end the last stage with another user, such as `USER 65532:65532`");
    }
}
