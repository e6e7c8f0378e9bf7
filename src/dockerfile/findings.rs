//! What is found wrong while a Dockerfile is read, kept in bounds and in order.

use super::ast::Dockerfile;
use super::ast::Problem;
use super::ast::Span;
use super::lines::Lines;

/// The most problems, and the most warnings, that are kept: nobody reads more.
const CAP: usize = 100;

/// Collects problems and warnings.
#[derive(Debug, Default)]
pub(super) struct Findings {
    problems: Vec<Problem>,
    warnings: Vec<Problem>,
    left_out: usize,
}

/// What was just noted; `None` where there was too much already.
#[derive(Debug)]
pub(super) struct Noted<'f>(Option<&'f mut Problem>);

impl Noted<'_> {
    /// Gives it to a lint rule of its own.
    pub(super) fn rule(self, rule: &'static str) {
        if let Some(problem) = self.0 {
            problem.rule = rule;
        }
    }
}

impl Findings {
    /// Notes something that a builder refuses.
    pub(super) fn refuse(
        &mut self,
        span: Span,
        message: impl Into<String>,
        hint: Option<String>,
    ) -> Noted<'_> {
        if self.problems.len() == CAP {
            self.left_out += 1;
            return Noted(None);
        }
        self.problems
            .push(problem(span, message.into(), hint, "syntax"));
        Noted(self.problems.last_mut())
    }

    /// Notes something that a builder accepts and nobody means.
    pub(super) fn warn(
        &mut self,
        span: Span,
        message: impl Into<String>,
        hint: Option<String>,
    ) -> Noted<'_> {
        if self.warnings.len() == CAP {
            return Noted(None);
        }
        self.warnings
            .push(problem(span, message.into(), hint, "suspicious"));
        Noted(self.warnings.last_mut())
    }

    /// Hands everything over, in the order of the text.
    pub(super) fn finish(mut self, lines: &Lines<'_>, into: &mut Dockerfile) {
        for list in [&mut self.problems, &mut self.warnings] {
            for problem in list.iter_mut() {
                problem.line = lines.number(problem.span.start);
            }
            list.sort_by_key(|problem| problem.span.start);
        }
        if self.left_out > 0
            && let Some(last) = self.problems.last()
        {
            let (line, span) = (last.line, last.span);
            self.problems.push(Problem {
                message: format!("{} more problems are not listed", self.left_out),
                hint: None,
                line,
                span,
                rule: "syntax",
            });
        }
        into.problems = self.problems;
        into.warnings = self.warnings;
    }
}

const fn problem(span: Span, message: String, hint: Option<String>, rule: &'static str) -> Problem {
    Problem {
        message,
        hint,
        line: 0,
        span,
        rule,
    }
}
