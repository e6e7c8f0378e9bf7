//! `copy-root`: a whole file system is copied from another stage.

use super::super::ast::Body;
use super::super::ast::Keyword;
use super::Found;
use super::Rule;
use super::Severity;
use super::subject::Subject;

pub(super) const RULE: Rule = Rule {
    id: "copy-root",
    aliases: &["DL3067"],
    severity: Severity::Warning,
    title: "a whole file system is copied",
    why: "`COPY --from=stage / /` brings along everything that the other stage has: its tools, its \
          caches, its package database, one size larger than a stage of its own. Copy what the \
          application needs; that is what stages are for.",
    bad: "FROM golang:1.26 AS build\nRUN go build -o /app .\nFROM scratch\nUSER 65532\nCOPY --from=build / /\n",
    good: "FROM golang:1.26 AS build\nRUN go build -o /app .\nFROM scratch\nUSER 65532\nCOPY --from=build /app /app\n",
    check,
};

fn check(subject: &Subject<'_>, found: &mut Found<'_>) {
    for (_, instruction) in subject.instructions() {
        let Body::Copy {
            sources,
            destination,
        } = &instruction.body
        else {
            continue;
        };
        if instruction.keyword != Keyword::Copy || instruction.flag("from").is_none() {
            continue;
        }
        let root = |text: &str| matches!(text, "/" | "/." | "/*" | "/./");
        let Some(source) = sources.iter().find(|source| root(&source.text)) else {
            continue;
        };
        if !root(&destination.text) {
            continue;
        }
        found
            .note(source.span, "everything that the other stage has is copied")
            .hint("name the files that the application needs");
    }
}
