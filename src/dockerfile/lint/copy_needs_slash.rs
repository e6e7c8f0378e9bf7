//! `copy-needs-slash`: several sources and a destination that is no folder.

use super::super::ast::Body;
use super::Edit;
use super::Found;
use super::Rule;
use super::Severity;
use super::found::quote;
use super::subject::Subject;

pub(super) const RULE: Rule = Rule {
    id: "copy-needs-slash",
    aliases: &["DL3021"],
    severity: Severity::Error,
    title: "several sources need a folder to go to",
    why: "With more than one source the destination must be a folder, and only a `/` at its end \
          says so. Builders refuse anything else.",
    bad: "FROM node:22-slim\nCOPY package.json package-lock.json /app\n",
    good: "FROM node:22-slim\nCOPY package.json package-lock.json /app/\n",
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
        let text = destination.text.as_str();
        let folder = text.ends_with(['/', '\\'])
            || matches!(text, "." | "..")
            || text.ends_with("/.")
            || text.contains('$');
        if sources.len() + instruction.heredocs.len() < 2 || folder {
            continue;
        }
        // Inside the quotes of a JSON array, or of the word itself.
        let quoted = subject.text(destination.span).ends_with(['"', '\'']);
        let at = destination.span.end - usize::from(quoted);
        found
            .note(
                destination.span,
                format!("`{}` is not a folder for builders", quote(text)),
            )
            .hint(format!("write `{}/`", quote(text)))
            .fix([Edit::insert(at, "/")]);
    }
}
