//! Findings as a Code Quality report of GitLab.

use std::collections::HashMap;
use std::fmt::Write as _;

use serde_json::Value;
use serde_json::json;
use sha2::Digest as _;
use sha2::Sha256;

use super::Linted;
use crate::cli::CliError;
use crate::cli::output;
use crate::dockerfile::lint::Finding;
use crate::dockerfile::lint::Severity;

/// All findings as one list.
pub(super) fn show(linted: &[Linted]) -> Result<String, CliError> {
    // How often a fingerprint was given already: each must be of its own.
    let mut given: HashMap<String, usize> = HashMap::new();
    let mut issues: Vec<Value> = Vec::new();
    for one in linted {
        for finding in &one.findings {
            let base = fingerprint(one, finding, 0);
            let count = given.entry(base.clone()).or_default();
            let own = match *count {
                0 => base,
                count => fingerprint(one, finding, count),
            };
            *count += 1;
            issues.push(json!({
                "description": finding.message,
                "check_name": finding.rule.id,
                "fingerprint": own,
                "severity": severity(finding.severity),
                "location": {
                    "path": one.name,
                    "lines": { "begin": finding.line },
                },
            }));
        }
    }
    output::json(&issues)
}

const fn severity(severity: Severity) -> &'static str {
    match severity {
        Severity::Error => "critical",
        Severity::Warning => "major",
        Severity::Info => "minor",
        Severity::Style => "info",
    }
}

/// A name for a finding that stays the same while lines are added above it: made from the text of
/// its line, and not from its number.
fn fingerprint(one: &Linted, finding: &Finding, count: usize) -> String {
    let text = &one.file.text;
    let at = finding.span.start;
    let from = text
        .get(..at)
        .and_then(|head| head.rfind('\n'))
        .map_or(0, |at| at + 1);
    let line = text
        .get(from..)
        .unwrap_or_default()
        .lines()
        .next()
        .unwrap_or_default();
    let mut hash = Sha256::new();
    let number = count.to_string();
    for part in [one.name.as_str(), finding.rule.id, line.trim(), &number] {
        hash.update(part.as_bytes());
        hash.update([0]);
    }
    hash.finalize().iter().fold(String::new(), |mut hex, byte| {
        let _ = write!(hex, "{byte:02x}");
        hex
    })
}
