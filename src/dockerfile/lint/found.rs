//! What a rule finds, and where it notes that.

use super::super::ast::Span;
use super::Rule;
use super::Severity;
use crate::text::Clean;

/// Something that a rule found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// The rule.
    pub rule: &'static Rule,
    /// How much it matters here.
    pub severity: Severity,
    /// The line, from 1.
    pub line: u32,
    /// Its place.
    pub span: Span,
    /// What was found: a lower-case fragment with names in backticks.
    pub message: Clean,
    /// What to do about it, where that is not the rule's title turned round.
    pub hint: Option<Clean>,
    /// The line of another instruction that it takes to see it: the one that added what this one
    /// removes.
    pub other_line: Option<u32>,
    /// The changes of the text that mend it; empty where that takes a person.
    pub fix: Vec<Edit>,
}

/// One change of a text.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Edit {
    /// The bytes that go.
    pub span: Span,
    /// What comes in their place.
    pub text: String,
}

impl Edit {
    /// Puts `text` at byte `at`.
    pub(super) fn insert(at: usize, text: impl Into<String>) -> Self {
        Self::replace(Span { start: at, end: at }, text)
    }

    /// Puts `text` in the place of what is at `span`.
    pub(super) fn replace(span: Span, text: impl Into<String>) -> Self {
        Self {
            span,
            text: text.into(),
        }
    }
}

/// Where the rules note what they find.
#[derive(Debug)]
pub(super) struct Found<'a> {
    pub(super) rule: &'static Rule,
    pub(super) findings: &'a mut Vec<Finding>,
}

/// The finding that was just noted; more can be said of it.
#[derive(Debug)]
pub(super) struct Noted<'a>(&'a mut Finding);

impl Found<'_> {
    /// Notes a finding.
    pub(super) fn note(&mut self, span: Span, message: impl AsRef<str>) -> Noted<'_> {
        let finding = Finding {
            rule: self.rule,
            severity: self.rule.severity,
            // Filled in when all is found: lines are counted once.
            line: 0,
            span,
            message: Clean::line(message.as_ref()),
            hint: None,
            other_line: None,
            fix: Vec::new(),
        };
        let at = self.findings.len();
        self.findings.push(finding);
        Noted(&mut self.findings[at])
    }
}

impl Noted<'_> {
    /// What to do about it.
    pub(super) fn hint(self, hint: impl AsRef<str>) -> Self {
        self.0.hint = Some(Clean::line(hint.as_ref()));
        self
    }

    /// What mends it.
    pub(super) fn fix(self, edits: impl IntoIterator<Item = Edit>) -> Self {
        self.0.fix = edits.into_iter().collect();
        self
    }

    /// How much it matters here.
    pub(super) fn severity(self, severity: Severity) -> Self {
        self.0.severity = severity;
        self
    }

    /// The line of the other instruction.
    pub(super) fn with_line(self, line: u32) -> Self {
        self.0.other_line = Some(line);
        self
    }
}

/// A part of the Dockerfile for a message: short, on one line.
pub(super) fn quote(text: &str) -> String {
    const LONGEST: usize = 48;
    let words: Vec<&str> = text.split_whitespace().take(LONGEST).collect();
    let joined = words.join(" ").replace('`', "'");
    if joined.chars().count() <= LONGEST {
        return joined;
    }
    let kept: String = joined.chars().take(LONGEST - 1).collect();
    format!("{}…", kept.trim_end())
}
