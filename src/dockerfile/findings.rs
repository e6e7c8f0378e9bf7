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

impl Findings {
    /// Notes something that a builder refuses.
    pub(super) fn refuse(&mut self, span: Span, message: impl Into<String>, hint: Option<String>) {
        if self.problems.len() < CAP {
            self.problems.push(problem(span, message.into(), hint));
        } else {
            self.left_out += 1;
        }
    }

    /// Notes something that a builder accepts and nobody means.
    pub(super) fn warn(&mut self, span: Span, message: impl Into<String>, hint: Option<String>) {
        if self.warnings.len() < CAP {
            self.warnings.push(problem(span, message.into(), hint));
        }
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
            });
        }
        into.problems = self.problems;
        into.warnings = self.warnings;
    }
}

const fn problem(span: Span, message: String, hint: Option<String>) -> Problem {
    Problem {
        message,
        hint,
        line: 0,
        span,
    }
}
