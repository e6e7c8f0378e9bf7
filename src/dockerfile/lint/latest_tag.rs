//! `latest-tag`: an image is named by a tag that moves.

use super::super::reference::ImageName;
use super::super::scope::BuildArgs;
use super::super::stages::external_references;
use super::Found;
use super::Rule;
use super::Severity;
use super::subject::Subject;

pub(super) const RULE: Rule = Rule {
    id: "latest-tag",
    aliases: &["DL3007"],
    severity: Severity::Warning,
    title: "an image is named by the tag latest",
    why: "`latest` is whatever was pushed last: the same Dockerfile gives another image next month, \
          and nobody can say which one runs today. A tag with a version says what you tested; a \
          digest says it to the byte.",
    bad: "FROM node:latest\nUSER node\n",
    good: "FROM node:22-slim\nUSER node\n",
    check,
};

fn check(subject: &Subject<'_>, found: &mut Found<'_>) {
    for used in external_references(subject.file, &BuildArgs::new()) {
        let Ok(name) = ImageName::parse(&used.reference) else {
            continue;
        };
        if name.tag.as_deref() == Some("latest") && name.digest.is_none() {
            found
                .note(
                    used.span,
                    format!("`{}` is another image each month", used.reference),
                )
                .hint("name the version that you tested");
        }
    }
}
