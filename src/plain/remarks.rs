//! What is worth a look in the learner's Dockerfile before anything is built.

use crate::dockerfile::Dockerfile;
use crate::dockerfile::Ignore;
use crate::dockerfile::lint;
use crate::dockerfile::lint::Finding;
use crate::dockerfile::lint::IgnoreFile;
use crate::dockerfile::lint::Surroundings;
use crate::text::Clean;
use crate::workshop::WorkspaceFile;

/// How much is said.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Detail {
    /// A line for each.
    Short,
    /// With the reason and the next step.
    Full,
}

/// What the rules find in the Dockerfile among these files, as lines.
pub(super) fn lines(files: &[WorkspaceFile], detail: Detail) -> Vec<String> {
    let text = |name: &str| files.iter().find(|file| file.name == name);
    let Some(dockerfile) = text("Dockerfile").and_then(|file| file.text.as_deref()) else {
        return Vec::new();
    };
    let around = Surroundings {
        ignore: match text(".dockerignore").map(|file| file.text.as_deref()) {
            None => IgnoreFile::Unknown,
            Some(None) => IgnoreFile::Missing,
            Some(Some(text)) => Ignore::parse(text).map_or(IgnoreFile::Unknown, IgnoreFile::Read),
        },
        ..Surroundings::default()
    };
    let findings = lint::check_in(&Dockerfile::parse(dockerfile), &around);
    let show = |finding: &Finding| show(finding, detail);
    findings.iter().flat_map(show).collect()
}

fn show(finding: &Finding, detail: Detail) -> Vec<String> {
    let mut lines = vec![format!(
        "Dockerfile:{} {}: {} ({})",
        finding.line, finding.severity, finding.message, finding.rule.id
    )];
    if detail == Detail::Full {
        lines.push(format!("  Why: {}", Clean::line(finding.rule.why)));
        if let Some(hint) = &finding.hint {
            lines.push(format!("  Next: {hint}"));
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_remark_is_a_line_with_its_place_and_its_rule() {
        let file = |name: &str, text: Option<&str>| WorkspaceFile {
            name: name.to_owned(),
            text: text.map(str::to_owned),
            barred: None,
        };
        let files = [
            file(
                "Dockerfile",
                Some("FROM debian:13-slim\nUSER 1\nCOPY . /app\n"),
            ),
            file(".dockerignore", None),
        ];
        let short = lines(&files, Detail::Short);
        let wanted = "Dockerfile:3 info: whatever lies in the folder is copied (no-ignore-file)";
        assert!(short.contains(&wanted.to_owned()), "{short:?}");
        let full = lines(&files, Detail::Full);
        assert!(full.iter().any(|line| line.starts_with("  Why: ")));
        assert!(lines(&files[1..], Detail::Short).is_empty());
    }
}
