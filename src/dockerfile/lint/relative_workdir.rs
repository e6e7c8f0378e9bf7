//! `relative-workdir`: a relative `WORKDIR`.

use super::super::ast::Body;
use super::super::ast::Keyword;
use super::Found;
use super::Rule;
use super::Severity;
use super::found::quote;
use super::subject::Subject;

pub(super) const RULE: Rule = Rule {
    id: "relative-workdir",
    aliases: &["DL3000", "WorkdirRelativePath"],
    severity: Severity::Warning,
    title: "WORKDIR is relative",
    why: "A relative `WORKDIR` lies below whatever the base image has set. When the base changes, \
          so does the place of your files.",
    bad: "FROM node:22-slim\nWORKDIR app\n",
    good: "FROM node:22-slim\nWORKDIR /app\n",
    check,
};

fn check(subject: &Subject<'_>, found: &mut Found<'_>) {
    for stage in &subject.stages {
        // Below an absolute one in the same file it is known where it leads.
        let below = stage.below.and_then(|index| subject.stages.get(index));
        let mut known = below.is_some_and(|below| ends_absolute(below));
        for instruction in &stage.stage.instructions {
            let Body::Word(path) = &instruction.body else {
                continue;
            };
            if instruction.keyword != Keyword::Workdir {
                continue;
            }
            if is_absolute(&path.text) {
                known = true;
            } else if !known {
                found
                    .note(
                        path.span,
                        format!("`{}` lies wherever the base image says", quote(&path.text)),
                    )
                    .hint("begin it with `/`");
            }
        }
    }
}

fn ends_absolute(stage: &super::subject::StageView<'_>) -> bool {
    stage.stage.instructions.iter().any(|one| match &one.body {
        Body::Word(path) => one.keyword == Keyword::Workdir && is_absolute(&path.text),
        _ => false,
    })
}

/// Whether a path begins at the root, or with a variable that may.
fn is_absolute(path: &str) -> bool {
    let path = path.trim_start_matches(['"', '\'']);
    let drive = path
        .get(1..3)
        .is_some_and(|rest| matches!(rest, ":\\" | ":/"));
    path.starts_with(['/', '\\', '$']) || drive
}
