//! Findings as one object: `loadline.lint/v1`.

use serde::Serialize;

use super::Linted;
use crate::cli::CliError;
use crate::cli::output;
use crate::dockerfile::Span;
use crate::dockerfile::lint::Edit;
use crate::dockerfile::lint::Finding;
use crate::dockerfile::lint::Severity;

/// The name of this version; within it fields are only added.
const SCHEMA: &str = "loadline.lint/v1";

#[derive(Serialize)]
struct Whole<'l> {
    schema: &'static str,
    tool_version: &'static str,
    files: Vec<File<'l>>,
}

#[derive(Serialize)]
struct File<'l> {
    path: &'l str,
    findings: Vec<One<'l>>,
}

#[derive(Serialize)]
struct One<'l> {
    rule: &'static str,
    aliases: &'static [&'static str],
    severity: Severity,
    /// From 1.
    line: u32,
    /// In characters, from 1.
    column: usize,
    end_line: u32,
    /// The column after the last character.
    end_column: usize,
    /// In bytes of the file's text.
    span: Span,
    message: &'l str,
    hint: Option<&'l str>,
    other_line: Option<u32>,
    fix: &'l [Edit],
}

/// All findings.
pub(super) fn show(linted: &[Linted]) -> Result<String, CliError> {
    let files = linted.iter().map(|one| File {
        path: one.name.as_str(),
        findings: one
            .fixes()
            .map(|(found, fix)| of(one, found, fix))
            .collect(),
    });
    let whole = Whole {
        schema: SCHEMA,
        tool_version: env!("CARGO_PKG_VERSION"),
        files: files.collect(),
    };
    output::json(&whole)
}

fn of<'l>(one: &'l Linted, finding: &'l Finding, fix: &'l [Edit]) -> One<'l> {
    let region = Region::of(&one.file.text, finding);
    One {
        rule: finding.rule.id,
        aliases: finding.rule.aliases,
        severity: finding.severity,
        line: finding.line,
        column: region.column,
        end_line: region.end_line,
        end_column: region.end_column,
        span: finding.span,
        message: finding.message.as_str(),
        hint: finding.hint.as_ref().map(crate::text::Clean::as_str),
        other_line: finding.other_line,
        fix,
    }
}

/// Lines and columns of a finding, from 1, columns in characters.
pub(super) struct Region {
    pub(super) column: usize,
    pub(super) end_line: u32,
    pub(super) end_column: usize,
}

impl Region {
    pub(super) fn of(text: &str, finding: &Finding) -> Self {
        let (start, end) = (finding.span.start, finding.span.end);
        let inside = text.get(start..end).unwrap_or_default();
        let breaks = u32::try_from(inside.matches('\n').count()).unwrap_or(u32::MAX);
        Self {
            column: column(text, start),
            end_line: finding.line.saturating_add(breaks),
            end_column: column(text, end),
        }
    }
}

/// The column of a byte, in characters from 1; a byte-order mark is no character.
pub(in crate::cli) fn column(text: &str, at: usize) -> usize {
    let head = text.get(..at).unwrap_or_default();
    let line = head.rsplit('\n').next().unwrap_or_default();
    line.trim_start_matches('\u{feff}').chars().count() + 1
}
