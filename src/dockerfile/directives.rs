//! Parser directives: `# syntax=`, `# escape=` and `# check=` at the very top of a Dockerfile.

use super::ast::Directive;
use super::ast::Span;
use super::findings::Findings;
use super::lines::Lines;

/// The directives that builders know.
const NAMES: [&str; 3] = ["syntax", "escape", "check"];

/// The name and value of a line that has the form of a known directive.
pub(super) fn read(line: &str) -> Option<(String, String)> {
    let rest = line.trim_start().strip_prefix('#')?.trim_start();
    let (name, value) = rest.split_once('=')?;
    let name = name.trim_end().to_ascii_lowercase();
    let value = value.trim();
    (NAMES.contains(&name.as_str()) && !value.is_empty()).then(|| (name, value.to_owned()))
}

/// Reads the directives; returns them and the index of the first line after them.
pub(super) fn leading(lines: &Lines<'_>, findings: &mut Findings) -> (Vec<Directive>, usize) {
    let mut directives: Vec<Directive> = Vec::new();
    for index in 0..lines.len() {
        let Some((name, value)) = read(lines.text(index)) else {
            return (directives, index);
        };
        let span = lines.span(index);
        if directives.iter().any(|directive| directive.name == name) {
            findings.refuse(
                span,
                format!("the directive `{name}` is given twice"),
                Some(String::from("keep one of the two lines")),
            );
            continue;
        }
        if name == "escape" && !matches!(value.as_str(), "\\" | "`") {
            findings.refuse(
                span,
                format!("`{value}` cannot be the escape character"),
                Some(String::from("use a backslash or a backtick")),
            );
        }
        directives.push(Directive { name, value, span });
    }
    (directives, lines.len())
}

/// Says that a comment has the form of a directive and comes too late to be one.
pub(super) fn too_late(line: &str, span: Span, findings: &mut Findings) {
    if let Some((name, _)) = read(line) {
        findings.warn(
            span,
            format!("`{name}` is only a comment here"),
            Some(String::from(
                "a directive has to stand above everything else, empty lines and comments included",
            )),
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn directives_are_read_however_they_are_spaced() {
        let wanted = Some(("syntax".to_owned(), "docker/dockerfile:1".to_owned()));
        assert_eq!(read("# syntax=docker/dockerfile:1"), wanted);
        assert_eq!(read("#SYNTAX = docker/dockerfile:1 "), wanted);
        assert_eq!(read("# synatx=docker/dockerfile:1"), None);
        assert_eq!(read("# syntax="), None);
        assert_eq!(read("syntax=a"), None);
    }
}
