//! What is wrong with a Dockerfile before anything is built: one file per rule.
//!
//! [`check`] is instant and total: every text has an answer. A rule looks at the parsed file alone,
//! and at what [`Surroundings`] adds; it refuses to build, to ask a registry, or to know what an
//! exercise wants.

mod amend;
mod found;
mod known;
mod pragma;
pub mod registry;
mod rule;
mod subject;
mod tool;

mod apk_cache;
mod apt_lists_kept;
mod apt_recommends;
mod latest_tag;
mod pipe_to_shell;
mod root_by_default;
mod shell_form;
mod suspicious;
mod syntax;
mod unknown_ignore;
mod unpinned_apt;

pub use found::Edit;
pub use found::Finding;
use found::Found;
use pragma::Pragmas;
pub use rule::Rule;
pub use rule::Severity;
use subject::Subject;

use super::ast::Dockerfile;
use super::ast::Span;
use super::lines::Lines;

/// What a caller knows besides the Dockerfile itself.
#[derive(Debug, Clone, Default)]
pub struct Surroundings {
    /// Registries that images may come from; empty where any may be used.
    pub registries: Vec<String>,
    /// Whether comments that silence rules are left aside, as a grader would have it.
    pub deaf: bool,
}

/// What the rules find in a Dockerfile, in the order of its lines.
#[must_use]
pub fn check(file: &Dockerfile) -> Vec<Finding> {
    check_in(file, &Surroundings::default())
}

/// What the rules find in a Dockerfile in its surroundings, in the order of its lines.
#[must_use]
pub fn check_in(file: &Dockerfile, around: &Surroundings) -> Vec<Finding> {
    let pragmas = Pragmas::read(file);
    let subject = Subject::new(file, around, &pragmas);
    let mut findings = Vec::new();
    for rule in registry::ALL {
        let mut found = Found {
            rule,
            findings: &mut findings,
        };
        (rule.check)(&subject, &mut found);
    }
    if !around.deaf {
        let starts = file.instructions();
        let spans: Vec<Span> = starts.iter().map(|one| one.span).collect();
        findings.retain(|finding| {
            let start = instruction_at(&spans, finding.span.start);
            !pragmas.silences(finding.rule, start)
        });
    }
    let lines = Lines::new(&file.text, usize::MAX);
    for finding in &mut findings {
        finding.line = lines.number(finding.span.start);
    }
    findings.sort_by(|a, b| {
        let place = |one: &Finding| (one.line, one.span.start);
        place(a)
            .cmp(&place(b))
            .then(b.severity.cmp(&a.severity))
            .then(a.rule.id.cmp(b.rule.id))
    });
    findings
}

/// Where the instruction begins that holds the byte `at`.
fn instruction_at(spans: &[Span], at: usize) -> Option<usize> {
    let next = spans.partition_point(|span| span.start <= at);
    let span = spans.get(next.checked_sub(1)?)?;
    (at <= span.end).then_some(span.start)
}

#[cfg(test)]
mod tests;
