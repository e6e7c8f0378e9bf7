//! `empty-continuation`: an empty line inside an instruction.

use super::Edit;
use super::Found;
use super::Rule;
use super::Severity;
use super::subject::Subject;
use super::syntax;

pub(super) const RULE: Rule = Rule {
    id: "empty-continuation",
    aliases: &["NoEmptyContinuation"],
    severity: Severity::Warning,
    title: "an empty line inside an instruction",
    why: "The backslash above says that the instruction goes on, the empty line looks as if it \
          ended. Builders still join the lines, warn, and mean to refuse it one day.",
    bad: "FROM debian:13-slim\nRUN true \\\n\n    && false\n",
    good: "FROM debian:13-slim\nRUN true \\\n    && false\n",
    check,
};

fn check(subject: &Subject<'_>, found: &mut Found<'_>) {
    let first = found.findings.len();
    syntax::told(subject, found);
    for finding in found.findings.iter_mut().skip(first) {
        let mut span = finding.span;
        let rest = subject.file.text.get(span.end..).unwrap_or_default();
        let ends = ["\r\n", "\n"].iter().find(|end| rest.starts_with(**end));
        if let Some(end) = ends {
            span.end += end.len();
            finding.fix = vec![Edit::replace(span, "")];
        }
    }
}
