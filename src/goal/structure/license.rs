//! Licences that must not be in the image, by the words of their files.

use super::NAME;
use crate::goal::Blame;
use crate::goal::Evidence;
use crate::goal::Goal;
use crate::goal::Missing;
use crate::goal::Needs;
use crate::goal::Verdict;
use crate::image::EntryKind;
use crate::image::tree::Tree;

/// Where Debian keeps the licence of each package.
const DEBIAN: &str = "usr/share/doc";

/// Words that a licence must not have, as that tool has them.
const DENIED: [&str; 2] = ["AGPL", "WTFPL"];

/// The package that tool lets pass whatever its file says.
const ALLOWED: &str = "libgnutls30";

#[derive(Debug)]
pub(super) struct LicenseTest {
    pub(super) debian: bool,
    pub(super) files: Vec<String>,
}

impl Goal for LicenseTest {
    fn kind(&self) -> &'static str {
        NAME
    }

    fn title(&self) -> String {
        String::from("licences")
    }

    fn wanted(&self) -> String {
        let what = match (self.debian, self.files.len()) {
            (true, 0) => String::from("the licence of each Debian package"),
            (true, _) => format!(
                "the licence of each Debian package, and {}",
                self.files.join(", ")
            ),
            (false, _) => self.files.join(", "),
        };
        format!("{what}: there, and without {}", DENIED.join(" and "))
    }

    fn needs(&self) -> Needs {
        let mut files: std::collections::BTreeSet<String> = self
            .files
            .iter()
            .map(|file| file.trim_start_matches('/').to_owned())
            .collect();
        if self.debian {
            // Files are kept by the last part of their path.
            files.insert(format!("{DEBIAN}/base-files/copyright"));
        }
        Needs {
            contents: true,
            files,
            ..Needs::default()
        }
    }

    fn evaluate(&self, evidence: &Evidence) -> Verdict {
        let contents = match &evidence.contents {
            Ok(contents) => contents,
            Err(missing) => return Verdict::unknown(missing),
        };
        let tree = Tree::of(contents);
        let mut paths: Vec<String> = Vec::new();
        if self.debian {
            let packages = packages(&tree);
            if packages.is_empty() {
                return Verdict::unmet(
                    format!("no `/{DEBIAN}`"),
                    "The licences of Debian's packages are there, and the image has none.",
                    "Ask whether the image's base is Debian's, and what it leaves out.",
                    Blame::default().at_path(format!("/{DEBIAN}")),
                );
            }
            let copyright = |package: String| format!("/{DEBIAN}/{package}/copyright");
            paths.extend(packages.into_iter().map(copyright));
        }
        paths.extend(self.files.iter().cloned());
        for path in &paths {
            if let Some(verdict) = judge(evidence, &tree, path) {
                return verdict;
            }
        }
        Verdict::met(crate::text::plural(paths.len(), "licence file"))
    }
}

/// The packages that have a folder of their own; links to another package's folder do not count.
fn packages(tree: &Tree<'_>) -> Vec<String> {
    let mut names: Vec<String> = tree
        .nodes()
        .filter_map(|node| {
            let rest = node.path.strip_prefix(DEBIAN)?.strip_prefix('/')?;
            let (name, below) = match rest.split_once('/') {
                Some((name, _)) => (name, true),
                None => (rest, false),
            };
            let is_folder = below || node.entry.kind == EntryKind::Directory;
            (is_folder && name != ALLOWED).then(|| name.to_owned())
        })
        .collect();
    names.sort_unstable();
    names.dedup();
    names
}

/// What is wrong with one licence file; `None` where nothing is.
fn judge(evidence: &Evidence, tree: &Tree<'_>, path: &str) -> Option<Verdict> {
    let Ok(node) = tree.find(path) else {
        return Some(Verdict::unmet(
            format!("no `{path}`"),
            "The licence of what is installed there is not in the image.",
            "Find out what removed it, or never brought it.",
            Blame::default().at_path(path),
        ));
    };
    let Some(text) = node.kept else {
        return Some(Verdict::unknown(&Missing::because(format!(
            "`{path}` could not be read: it is no regular file, or larger than 64 kB."
        ))));
    };
    let text = String::from_utf8_lossy(text).to_uppercase();
    let denied = DENIED.iter().find(|word| text.contains(**word))?;
    Some(Verdict::unmet(
        format!("`{path}` names {denied}"),
        "That licence is one that the image must not have.",
        "Find the package that the file belongs to, and what needs it.",
        Blame::line(evidence.line_of_layer(node.layer))
            .in_layer(node.layer)
            .at_path(path),
    ))
}
