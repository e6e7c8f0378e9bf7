//! `wget-and-curl`: wget and curl side by side.

use super::Found;
use super::Rule;
use super::Severity;
use super::subject::Subject;

pub(super) const RULE: Rule = Rule {
    id: "wget-and-curl",
    aliases: &["DL4001"],
    severity: Severity::Info,
    title: "both wget and curl are used",
    why: "Both download files. Each is one more program with its libraries to carry and to patch, \
          so pick one.",
    bad: "FROM debian:13-slim\nRUN wget -q https://example.com/a\nRUN curl -fsSO https://example.com/b\n",
    good: "FROM debian:13-slim\nRUN curl -fsSO https://example.com/a\nRUN curl -fsSO https://example.com/b\n",
    check,
};

fn check(subject: &Subject<'_>, found: &mut Found<'_>) {
    for stage in subject.shipping() {
        let commands = || stage.runs.iter().flat_map(|run| &run.commands);
        let first = commands().find(|one| matches!(one.program(), "wget" | "curl"));
        let Some(first) = first else { continue };
        let other = commands().find(|one| {
            matches!(one.program(), "wget" | "curl") && one.program() != first.program()
        });
        if let Some(other) = other {
            let (one, two) = (other.program(), first.program());
            found
                .note(
                    other.span(),
                    format!("`{one}` is used, and `{two}` above it"),
                )
                .hint("use one of the two");
        }
    }
}
