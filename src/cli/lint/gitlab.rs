//! Findings as a Code Quality report of GitLab.

use std::collections::HashMap;
use std::path::Component;
use std::path::Path;
use std::path::PathBuf;

use serde_json::Value;
use serde_json::json;
use sha2::Digest as _;
use sha2::Sha256;

use super::Linted;
use crate::cli::CliError;
use crate::cli::output;
use crate::dockerfile::lint::Finding;
use crate::dockerfile::lint::Severity;
use crate::text::hex;

/// All findings as one list.
pub(super) fn show(linted: &[Linted]) -> Result<String, CliError> {
    // How often a fingerprint was given already: each must be of its own.
    let mut given: HashMap<String, usize> = HashMap::new();
    let mut issues: Vec<Value> = Vec::new();
    let here = std::env::current_dir().unwrap_or_default();
    let project = std::env::var_os("CI_PROJECT_DIR").map(PathBuf::from);
    for one in linted {
        let path = in_project(one.name.as_str(), &here, project.as_deref());
        for finding in &one.findings {
            let base = fingerprint(one, &path, finding, 0);
            let count = given.entry(base.clone()).or_default();
            let own = match *count {
                0 => base,
                count => fingerprint(one, &path, finding, count),
            };
            *count += 1;
            issues.push(json!({
                "description": finding.message,
                "check_name": finding.rule.id,
                "fingerprint": own,
                "severity": severity(finding.severity),
                "location": {
                    "path": path,
                    "lines": { "begin": finding.line },
                },
            }));
        }
    }
    output::json(&issues)
}

/// A path as GitLab wants it, and one for every way to type it: from the top of the project, or from
/// the current folder where no project is known or the file lies outside.
fn in_project(name: &str, here: &Path, project: Option<&Path>) -> String {
    let whole = plain(&here.join(name));
    let roots = project.into_iter().chain([here]);
    let inside = roots.filter(|root| root.is_absolute()).find_map(|root| {
        let inside = whole.strip_prefix(plain(root)).ok()?;
        inside.to_str().map(str::to_owned)
    });
    inside.unwrap_or_else(|| plain(Path::new(name)).display().to_string())
}

/// A path without what is only spelling.
fn plain(path: &Path) -> PathBuf {
    let mut kept = PathBuf::new();
    for part in path.components() {
        match part {
            Component::CurDir => {}
            Component::ParentDir
                if matches!(kept.components().next_back(), Some(Component::Normal(_))) =>
            {
                kept.pop();
            }
            part => kept.push(part),
        }
    }
    kept
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
fn fingerprint(one: &Linted, path: &str, finding: &Finding, count: usize) -> String {
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
    for part in [path, finding.rule.id, line.trim(), &number] {
        hash.update(part.as_bytes());
        hash.update([0]);
    }
    hex(&hash.finalize())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_way_to_type_a_path_is_one_path() {
        let here = Path::new("/builds/team/app/api");
        let project = Path::new("/builds/team/app/");
        for name in [
            "x/Dockerfile",
            "./x/Dockerfile",
            "x/./y/../Dockerfile",
            "/builds/team/app/api/x/Dockerfile",
        ] {
            assert_eq!(in_project(name, here, None), "x/Dockerfile", "{name}");
            let whole = in_project(name, here, Some(project));
            assert_eq!(whole, "api/x/Dockerfile", "{name}");
        }
        assert_eq!(in_project("../web/D", here, Some(project)), "web/D");
        assert_eq!(in_project("../web/D", here, None), "../web/D");
        assert_eq!(in_project("/etc/D", here, Some(project)), "/etc/D");
        assert_eq!(in_project("./D", here, Some(Path::new("/other"))), "D");
        assert_eq!(in_project("./D", Path::new(""), None), "D");
    }
}
