//! `relative-destination`: `COPY` to a relative place without `WORKDIR`.

use super::super::ast::Body;
use super::super::ast::Keyword;
use super::Found;
use super::Rule;
use super::Severity;
use super::found::quote;
use super::subject::Subject;

pub(super) const RULE: Rule = Rule {
    id: "relative-destination",
    aliases: &["DL3045"],
    severity: Severity::Warning,
    title: "COPY to a relative place without WORKDIR",
    why: "Without a `WORKDIR` of your own, a relative place lies wherever the base image says. That is \
          `/` today, and may be elsewhere after the next update.",
    bad: "FROM python:3.13-slim\nCOPY app.py .\n",
    good: "FROM python:3.13-slim\nWORKDIR /app\nCOPY app.py .\n",
    check,
};

fn check(subject: &Subject<'_>, found: &mut Found<'_>) {
    let mut set: Vec<bool> = Vec::with_capacity(subject.stages.len());
    for stage in &subject.stages {
        let below = stage.below.and_then(|index| set.get(index).copied());
        let mut has_workdir = below.unwrap_or(false);
        for instruction in &stage.stage.instructions {
            has_workdir |= instruction.keyword == Keyword::Workdir;
            let Body::Copy { destination, .. } = &instruction.body else {
                continue;
            };
            let path = destination.text.trim_matches(['"', '\'']);
            let drive = path.chars().nth(1) == Some(':');
            let relative = !path.starts_with(['/', '$', '\\']) && !drive && !path.is_empty();
            if instruction.keyword == Keyword::Copy && relative && !has_workdir {
                found
                    .note(
                        destination.span,
                        format!("`{}` lies wherever the base image says", quote(path)),
                    )
                    .hint("put `WORKDIR` above it, or begin the place with `/`");
            }
        }
        set.push(has_workdir);
    }
}
