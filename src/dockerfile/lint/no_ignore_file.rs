//! `no-ignore-file`: everything is copied, and nothing is left out.

use super::super::ast::Body;
use super::super::ast::Keyword;
use super::Found;
use super::Rule;
use super::Severity;
use super::subject::Subject;

pub(super) const RULE: Rule = Rule {
    id: "no-ignore-file",
    aliases: &[],
    severity: Severity::Info,
    title: "the whole context is copied and there is no ignore file",
    why: "Without a `.dockerignore` the context holds whatever lies in the folder: `.git`, local \
          `node_modules`, files with secrets. All of it is sent to the builder, and `COPY .` puts \
          it into a layer.",
    bad: "FROM node:22-slim\nCOPY . /app\n",
    good: "FROM node:22-slim\nCOPY src /app/src\n",
    check,
};

fn check(subject: &Subject<'_>, found: &mut Found<'_>) {
    // Only where somebody looked for one.
    if !matches!(subject.around.ignore, super::IgnoreFile::Missing) {
        return;
    }
    for (_, instruction) in subject.instructions() {
        let Body::Copy { sources, .. } = &instruction.body else {
            continue;
        };
        if instruction.flag("from").is_some()
            || !matches!(instruction.keyword, Keyword::Copy | Keyword::Add)
        {
            continue;
        }
        let all = sources
            .iter()
            .find(|source| matches!(&*source.text, "." | "./" | "*" | "./*"));
        if let Some(source) = all {
            found
                .note(source.span, "whatever lies in the folder is copied")
                .hint(
                    "write a `.dockerignore` beside the Dockerfile: `.git`, `.env`, `node_modules`",
                );
            return;
        }
    }
}
