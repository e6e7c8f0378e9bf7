//! `unknown-stage`: `COPY --from` names no stage.

use super::super::scope::BuildArgs;
use super::super::stages::ReferenceUse;
use super::super::stages::external_references;
use super::Found;
use super::Rule;
use super::Severity;
use super::found::quote;
use super::subject::Subject;

pub(super) const RULE: Rule = Rule {
    id: "unknown-stage",
    aliases: &["DL3022"],
    severity: Severity::Info,
    title: "COPY --from names an image, not a stage",
    why: "What is no stage is pulled as an image. That is useful, yet a typing mistake does the \
          same; and an image that only a flag names is easily forgotten when versions are raised.",
    bad: "FROM debian:13-slim\nCOPY --from=biulder /app /app\n",
    good: "FROM debian:13-slim AS builder\nFROM debian:13-slim\nCOPY --from=builder /app /app\n",
    check,
};

fn check(subject: &Subject<'_>, found: &mut Found<'_>) {
    for used in external_references(subject.file, &BuildArgs::new()) {
        if used.usage != ReferenceUse::CopyFrom {
            continue;
        }
        // With a registry, a folder or a version it is meant as an image.
        if used.reference.contains([':', '/', '@']) {
            continue;
        }
        found
            .note(
                used.span,
                format!("no stage is called `{}`", quote(&used.reference)),
            )
            .hint("name a stage above, or the image with its version");
    }
}
