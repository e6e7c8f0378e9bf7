//! Findings as SARIF 2.1.0: <https://docs.oasis-open.org/sarif/sarif/v2.1.0/>.

use serde_json::Value;
use serde_json::json;

use super::Linted;
use super::json::Region;
use super::json::column;
use crate::cli::CliError;
use crate::cli::output;
use crate::dockerfile::lint::Edit;
use crate::dockerfile::lint::Finding;
use crate::dockerfile::lint::Rule;
use crate::dockerfile::lint::Severity;
use crate::dockerfile::lint::registry;

/// The schema that the output is valid against.
const SCHEMA: &str = "https://json.schemastore.org/sarif-2.1.0.json";

/// All findings as one run.
pub(super) fn show(linted: &[Linted]) -> Result<String, CliError> {
    let results: Vec<Value> = linted
        .iter()
        .flat_map(|one| one.fixes().map(|(finding, fix)| result(one, finding, fix)))
        .collect();
    let rules: Vec<Value> = registry::ALL.iter().map(descriptor).collect();
    let log = json!({
        "$schema": SCHEMA,
        "version": "2.1.0",
        "runs": [{
            "tool": { "driver": {
                "name": "Loadline",
                "semanticVersion": env!("CARGO_PKG_VERSION"),
                "rules": rules,
            }},
            "columnKind": "unicodeCodePoints",
            "results": results,
        }],
    });
    output::json(&log)
}

fn descriptor(rule: &Rule) -> Value {
    let mut about = json!({
        "id": rule.id,
        "shortDescription": { "text": rule.title },
        "fullDescription": { "text": rule.why },
        "help": {
            "text": format!("{}\n\nInstead of:\n\n{}\nwrite:\n\n{}", rule.why, rule.bad, rule.good),
        },
        "defaultConfiguration": { "level": level(rule.severity) },
        "properties": { "tags": ["dockerfile"], "aliases": rule.aliases },
    });
    // A name that differs from the id only in its first letter says nothing.
    if let (Some(object), true) = (about.as_object_mut(), rule.id.contains('-')) {
        object.insert(String::from("name"), Value::String(pascal(rule.id)));
    }
    about
}

/// `shell-form` as `ShellForm`, the form that names of rules have there.
fn pascal(id: &str) -> String {
    let words = id.split('-').map(|word| {
        let mut letters = word.chars();
        let first = letters.next().map(|c| c.to_ascii_uppercase());
        first.into_iter().chain(letters).collect::<String>()
    });
    words.collect()
}

const fn level(severity: Severity) -> &'static str {
    match severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
        Severity::Info | Severity::Style => "note",
    }
}

fn result(one: &Linted, finding: &Finding, fix: &[Edit]) -> Value {
    let text = &one.file.text;
    let region = Region::of(text, finding);
    let index = registry::ALL.iter().position(|rule| rule == finding.rule);
    let message = match &finding.hint {
        Some(hint) => format!("{}; {hint}", finding.message),
        None => finding.message.to_string(),
    };
    let uri = uri(one.name.as_str());
    let mut result = json!({
        "ruleId": finding.rule.id,
        "ruleIndex": index.unwrap_or_default(),
        "level": level(finding.severity),
        "message": { "text": message },
        "locations": [{ "physicalLocation": {
            "artifactLocation": { "uri": uri },
            "region": {
                "startLine": finding.line,
                "startColumn": region.column,
                "endLine": region.end_line,
                "endColumn": region.end_column,
            },
        }}],
    });
    if let (Some(object), false) = (result.as_object_mut(), fix.is_empty()) {
        let edits: Vec<Value> = fix
            .iter()
            .map(|edit| replacement(text, finding, edit))
            .collect();
        let change = json!({ "artifactLocation": { "uri": uri }, "replacements": edits });
        object.insert(
            String::from("fixes"),
            json!([{ "artifactChanges": [change] }]),
        );
    }
    result
}

fn replacement(text: &str, finding: &Finding, edit: &Edit) -> Value {
    // From the finding on, which is near: all lines above it would be counted for each edit.
    let start = finding.span.start;
    let breaks = |range: std::ops::Range<usize>| {
        let between = text.get(range).unwrap_or_default();
        u32::try_from(between.matches('\n').count()).unwrap_or(u32::MAX)
    };
    let line = |at: usize| {
        let below = finding.line.saturating_add(breaks(start..at.max(start)));
        below.saturating_sub(breaks(at.min(start)..start))
    };
    json!({
        "deletedRegion": {
            "startLine": line(edit.span.start),
            "startColumn": column(text, edit.span.start),
            "endLine": line(edit.span.end),
            "endColumn": column(text, edit.span.end),
        },
        "insertedContent": { "text": edit.text },
    })
}

/// A path as a relative reference: whatever has a meaning there is escaped.
fn uri(path: &str) -> String {
    let mut uri = String::with_capacity(path.len());
    for byte in path.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' | b'/' => {
                uri.push(char::from(byte));
            }
            byte => uri.push_str(&format!("%{byte:02X}")),
        }
    }
    uri
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_edit_is_at_its_own_lines() {
        let text = "FROM a:1\nRUN true\nRUN sudo make\nRUN \\\n true\n";
        let file = crate::dockerfile::Dockerfile::parse(text);
        let findings = crate::dockerfile::lint::check(&file);
        let finding = findings.iter().find(|one| one.rule.id == "sudo").unwrap();
        let lines = |start, end| {
            let span = crate::dockerfile::Span { start, end };
            let edit = Edit {
                span,
                text: String::new(),
            };
            let place = replacement(text, finding, &edit);
            let number = |name: &str| place["deletedRegion"][name].as_u64().unwrap();
            (number("startLine"), number("endLine"))
        };
        assert_eq!(lines(0, 9), (1, 2));
        assert_eq!(lines(8, 22), (1, 3));
        assert_eq!(lines(22, 22), (3, 3));
        assert_eq!(lines(22, text.len()), (3, 6));
        assert_eq!(lines(text.find("\\").unwrap(), text.len() - 1), (4, 5));
    }

    #[test]
    fn paths_become_references() {
        assert_eq!(uri("a b/Dockerfile:1"), "a%20b/Dockerfile%3A1");
        assert_eq!(uri("é"), "%C3%A9");
        assert_eq!(pascal("apt-lists-kept"), "AptListsKept");
    }
}
