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
        let mut line = LineOf::default();
        for finding in &one.findings {
            let print = line.hashed(one, &path, finding);
            let base = numbered(&print, 0);
            let count = given.entry(base.clone()).or_default();
            let own = match *count {
                0 => base,
                count => numbered(&print, count),
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

/// The line of a finding, kept for the findings behind it: each would hash all of a line that may have
/// no end.
#[derive(Default)]
struct LineOf {
    from: usize,
    /// What was hashed of it for each rule.
    hashed: HashMap<&'static str, Sha256>,
}

impl LineOf {
    /// The hash of a finding without its number: made from the text of its line, and not from where
    /// that is, it stays the same while lines are added above it.
    fn hashed(&mut self, one: &Linted, path: &str, finding: &Finding) -> Sha256 {
        let text = &one.file.text;
        let head = text.get(..finding.span.start);
        let from = head
            .and_then(|head| head.rfind('\n'))
            .map_or(0, |at| at + 1);
        if from != self.from {
            *self = Self {
                from,
                hashed: HashMap::new(),
            };
        }
        let hash = self.hashed.entry(finding.rule.id).or_insert_with(|| {
            let rest = text.get(from..).unwrap_or_default();
            let line = rest.lines().next().unwrap_or_default();
            let mut hash = Sha256::new();
            for part in [path, finding.rule.id, line.trim()] {
                add(&mut hash, part);
            }
            hash
        });
        hash.clone()
    }
}

/// The name of the `count`th finding with this hash.
fn numbered(hash: &Sha256, count: usize) -> String {
    let mut hash = hash.clone();
    add(&mut hash, &count.to_string());
    hex(&hash.finalize())
}

fn add(hash: &mut Sha256, part: &str) {
    hash.update(part.as_bytes());
    hash.update([0]);
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
