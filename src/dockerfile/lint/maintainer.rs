//! `maintainer`: `MAINTAINER`.

use super::super::ast::Body;
use super::super::ast::Keyword;
use super::Edit;
use super::Found;
use super::Rule;
use super::Severity;
use super::subject::Subject;

pub(super) const RULE: Rule = Rule {
    id: "maintainer",
    aliases: &["DL4000", "MaintainerDeprecated"],
    severity: Severity::Error,
    title: "MAINTAINER is deprecated",
    why: "`MAINTAINER` is deprecated since 2017 and holds one thing only. A label says the same, \
          and tools can read it.",
    bad: "FROM debian:13-slim\nMAINTAINER Jo <jo@example.com>\n",
    good: "FROM debian:13-slim\nLABEL org.opencontainers.image.authors=\"Jo <jo@example.com>\"\n",
    check,
};

fn check(subject: &Subject<'_>, found: &mut Found<'_>) {
    for (_, instruction) in subject.instructions() {
        let (Keyword::Maintainer, Body::Word(name)) = (instruction.keyword, &instruction.body)
        else {
            continue;
        };
        let plain = !name.text.contains(['"', '\\', '$', '`', '\n']);
        let edit = plain.then(|| {
            let label = format!(
                "LABEL org.opencontainers.image.authors=\"{}\"",
                name.text.trim_matches('\'')
            );
            Edit::replace(instruction.span, label)
        });
        found
            .note(instruction.keyword_span, "`MAINTAINER` is deprecated")
            .hint("write `LABEL org.opencontainers.image.authors=\"…\"`")
            .fix(edit);
    }
}
