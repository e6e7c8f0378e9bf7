//! What is worth a look in the learner's Dockerfile before anything is built.

use std::collections::BTreeSet;

use crate::dockerfile::Dockerfile;
use crate::dockerfile::Ignore;
use crate::dockerfile::lint;
use crate::dockerfile::lint::Finding;
use crate::dockerfile::lint::IgnoreFile;
use crate::dockerfile::lint::Surroundings;
use crate::text::Clean;
use crate::workshop::LEFT_TO_HINTS;
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
/// For the `planted` rules the next step is left to the hints.
pub(super) fn lines(
    files: &[WorkspaceFile],
    detail: Detail,
    planted: &BTreeSet<&'static str>,
) -> Vec<String> {
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
    let show = |finding: &Finding| show(finding, detail, planted.contains(finding.rule.id));
    findings.iter().flat_map(show).collect()
}

fn show(finding: &Finding, detail: Detail, planted: bool) -> Vec<String> {
    let mut lines = vec![format!(
        "Dockerfile:{} {}: {} ({})",
        finding.line, finding.severity, finding.message, finding.rule.id
    )];
    if detail == Detail::Full {
        lines.push(format!("  Why: {}", Clean::line(finding.rule.why)));
        if planted {
            lines.push(format!("  Next: {LEFT_TO_HINTS}"));
        } else if let Some(hint) = &finding.hint {
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
        let none = BTreeSet::new();
        let short = lines(&files, Detail::Short, &none);
        let wanted = "Dockerfile:3 info: whatever lies in the folder is copied (no-ignore-file)";
        assert!(short.contains(&wanted.to_owned()), "{short:?}");
        let full = lines(&files, Detail::Full, &none);
        assert!(full.iter().any(|line| line.starts_with("  Why: ")));
        assert!(lines(&files[1..], Detail::Short, &none).is_empty());
    }

    #[test]
    fn what_mends_a_planted_fault_is_left_to_the_hints() {
        let course = crate::course::load::embedded().expect("it is sound");
        let exercise = course.exercise("distroless-python").expect("it is there");
        let files = [WorkspaceFile {
            name: "Dockerfile".to_owned(),
            text: Some(String::from_utf8_lossy(&exercise.files["Dockerfile"]).into_owned()),
            barred: None,
        }];
        let planted = crate::workshop::left_to_hints(exercise);
        let told = lines(&files, Detail::Full, &planted).join("\n");
        assert!(told.contains("cmd-repeats-entrypoint"), "{told}");
        assert!(told.contains(LEFT_TO_HINTS), "{told}");
        assert!(!told.contains("leave the program out"), "{told}");
    }
}
