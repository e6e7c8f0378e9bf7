//! The rules themselves: the list, and one of them explained.

use std::fmt::Write as _;

use serde_json::json;

use super::Format;
use crate::cli::CliError;
use crate::cli::output;
use crate::dockerfile::lint::Rule;
use crate::dockerfile::lint::registry;

/// All rules: a line for each, or as JSON.
pub(super) fn list(format: Format) -> Result<String, CliError> {
    if format != Format::Text {
        let rules: Vec<_> = registry::ALL
            .iter()
            .map(|rule| {
                json!({
                    "id": rule.id,
                    "aliases": rule.aliases,
                    "severity": rule.severity,
                    "title": rule.title,
                    "why": rule.why,
                })
            })
            .collect();
        let all = json!({ "schema": "loadline.lint-rules/v1", "rules": rules });
        return output::json(&all);
    }
    let width = registry::ALL.iter().map(|rule| rule.id.len()).max();
    let width = width.unwrap_or(0);
    let mut text = String::new();
    for rule in registry::ALL {
        let _ = write!(
            text,
            "{:<width$}  {:<7}  {}",
            rule.id, rule.severity, rule.title
        );
        if !rule.aliases.is_empty() {
            let _ = write!(text, " ({})", rule.aliases.join(", "));
        }
        text.push('\n');
    }
    Ok(text)
}

/// All about one rule.
pub(super) fn explain(rule: &Rule) -> String {
    let mut text = format!("{}: {}\n", rule.id, rule.title);
    let _ = writeln!(text, "  severity: {}", rule.severity);
    if !rule.aliases.is_empty() {
        let _ = writeln!(text, "  also called: {}", rule.aliases.join(", "));
    }
    let _ = writeln!(text, "\n{}", wrapped(rule.why));
    for (label, example) in [("Instead of", rule.bad), ("write", rule.good)] {
        let _ = writeln!(text, "\n{label}:\n");
        for line in example.lines() {
            let _ = writeln!(text, "  {line}");
        }
    }
    let _ = writeln!(
        text,
        "\nSilence it in the next instruction:\n\n  # loadline ignore={}",
        rule.id
    );
    text
}

/// Lines of at most 80 characters.
fn wrapped(text: &str) -> String {
    let mut lines = vec![String::new()];
    for word in text.split(' ') {
        let fits = |line: &String| {
            line.is_empty() || line.chars().count() + 1 + word.chars().count() <= 80
        };
        match lines.last_mut().filter(|line| fits(line)) {
            Some(line) => {
                if !line.is_empty() {
                    line.push(' ');
                }
                line.push_str(word);
            }
            None => lines.push(word.to_owned()),
        }
    }
    lines.join("\n")
}
