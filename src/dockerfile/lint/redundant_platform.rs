//! `redundant-platform`: `--platform` says what holds anyway.

use super::super::ast::Span;
use super::Edit;
use super::Found;
use super::Rule;
use super::Severity;
use super::subject::Subject;

pub(super) const RULE: Rule = Rule {
    id: "redundant-platform",
    aliases: &["DL3065", "RedundantTargetPlatform"],
    severity: Severity::Style,
    title: "FROM --platform says what holds anyway",
    why: "A stage is built for the target platform unless the line says otherwise. \
          `$BUILDPLATFORM` is what is worth writing there.",
    bad: "FROM --platform=$TARGETPLATFORM debian:13-slim\n",
    good: "FROM debian:13-slim\n",
    check,
};

fn check(subject: &Subject<'_>, found: &mut Found<'_>) {
    for stage in &subject.file.stages {
        for flag in stage
            .from
            .flags
            .iter()
            .filter(|flag| flag.name == "platform")
        {
            let value = flag.value.as_deref().unwrap_or_default();
            if !matches!(value, "$TARGETPLATFORM" | "${TARGETPLATFORM}") {
                continue;
            }
            let rest = subject.file.text.get(flag.span.end..).unwrap_or_default();
            let blanks = rest.len() - rest.trim_start_matches([' ', '\t']).len();
            let span = Span {
                start: flag.span.start,
                end: flag.span.end + blanks,
            };
            found
                .note(flag.span, "a stage is built for the target platform anyway")
                .hint("leave it out")
                .fix([Edit::replace(span, "")]);
        }
    }
}
