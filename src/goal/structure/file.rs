//! A file that is there with these permissions and this owner, or with this content.

use regex::Regex;
use serde::Deserialize;

use super::NAME;
use super::config;
use super::path_in;
use crate::goal::Blame;
use crate::goal::Evidence;
use crate::goal::Goal;
use crate::goal::Missing;
use crate::goal::Needs;
use crate::goal::Verdict;
use crate::goal::cause;
use crate::image::Entry;
use crate::image::EntryKind;
use crate::image::tree::Node;
use crate::image::tree::Tree;

/// Who can execute a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum ExecutableBy {
    Owner,
    Group,
    Other,
    Any,
}

impl ExecutableBy {
    const fn bits(self) -> u32 {
        match self {
            Self::Owner => 0o100,
            Self::Group => 0o010,
            Self::Other => 0o001,
            Self::Any => 0o111,
        }
    }

    const fn name(self) -> &'static str {
        match self {
            Self::Owner => "its owner",
            Self::Group => "its group",
            Self::Other => "others",
            Self::Any => "anybody",
        }
    }
}

#[derive(Debug)]
pub(super) struct ExistenceTest {
    pub(super) path: String,
    pub(super) exists: bool,
    pub(super) permissions: Option<String>,
    pub(super) uid: Option<u64>,
    pub(super) gid: Option<u64>,
    pub(super) executable_by: Option<ExecutableBy>,
}

#[derive(Debug)]
pub(super) struct ContentTest {
    pub(super) path: String,
    pub(super) expected: Vec<Regex>,
    pub(super) excluded: Vec<Regex>,
}

/// A mode as that tool shows it: letters for what it is, then the nine permissions.
pub(super) fn mode_text(entry: &Entry) -> String {
    let kinds = [
        (entry.kind == EntryKind::Directory, 'd'),
        (matches!(entry.kind, EntryKind::Symlink(_)), 'L'),
        (entry.mode & 0o4000 != 0, 'u'),
        (entry.mode & 0o2000 != 0, 'g'),
        (entry.mode & 0o1000 != 0, 't'),
    ];
    let kinds: String = kinds
        .iter()
        .filter(|(holds, _)| *holds)
        .map(|(_, letter)| *letter)
        .collect();
    let mut text = if kinds.is_empty() {
        String::from("-")
    } else {
        kinds
    };
    for (bit, letter) in (0..9).rev().zip("rwxrwxrwx".chars()) {
        text.push(if entry.mode >> bit & 1 == 1 {
            letter
        } else {
            '-'
        });
    }
    text
}

impl ExistenceTest {
    /// What is wrong with what is there: found, and why.
    fn fault(&self, entry: &Entry) -> Option<(String, String)> {
        let mode = mode_text(entry);
        if let Some(wanted) = self.permissions.as_ref().filter(|wanted| **wanted != mode) {
            return Some((
                format!("permissions {mode}"),
                format!("It should have the permissions {wanted}."),
            ));
        }
        if let Some(who) = self.executable_by
            && entry.mode & who.bits() == 0
        {
            return Some((
                format!("permissions {mode}"),
                format!("It should be executable by {}.", who.name()),
            ));
        }
        for (wanted, found, what) in [
            (self.uid, entry.uid, "user"),
            (self.gid, entry.gid, "group"),
        ] {
            if let Some(wanted) = wanted.filter(|wanted| *wanted != found) {
                return Some((
                    format!("owned by {what} {found}"),
                    format!("It should belong to {what} {wanted}."),
                ));
            }
        }
        None
    }
}

impl Goal for ExistenceTest {
    fn kind(&self) -> &'static str {
        NAME
    }

    fn title(&self) -> String {
        if self.exists {
            self.path.clone()
        } else {
            format!("no {}", self.path)
        }
    }

    fn wanted(&self) -> String {
        if !self.exists {
            return format!("`{}` is not in the image", self.path);
        }
        let mut wanted = format!("`{}` is in the image", self.path);
        if let Some(permissions) = &self.permissions {
            wanted.push_str(&format!(", with permissions {permissions}"));
        }
        if let Some(who) = self.executable_by {
            wanted.push_str(&format!(", executable by {}", who.name()));
        }
        for (id, what) in [(self.uid, "user"), (self.gid, "group")] {
            if let Some(id) = id {
                wanted.push_str(&format!(", owned by {what} {id}"));
            }
        }
        wanted
    }

    fn needs(&self) -> Needs {
        Needs {
            contents: true,
            ..Needs::default()
        }
    }

    fn evaluate(&self, evidence: &Evidence) -> Verdict {
        let (contents, config) = match (&evidence.contents, config(evidence)) {
            (Ok(contents), Ok(config)) => (contents, config),
            (Err(missing), _) | (_, Err(missing)) => return Verdict::unknown(missing),
        };
        let path = path_in(config, &self.path);
        let tree = Tree::of(contents);
        // The last part is not followed where it is a link: that tool looks at the link itself.
        let node = tree.at(&path);
        let is_there = node.is_some() || has_below(&tree, &path);
        let blame = |node: &Node<'_>| {
            Blame::line(evidence.line_of_layer(node.layer))
                .in_layer(node.layer)
                .at_path(&path)
        };
        match (self.exists, node) {
            (false, Some(node)) => Verdict::unmet(
                format!("`{path}` is there"),
                "It should not be in the image.",
                "Find the instruction of the final stage that brings it.",
                blame(&node),
            ),
            (false, None) if is_there => Verdict::unmet(
                format!("`{path}` is there"),
                "It should not be in the image.",
                "Find the instruction of the final stage that brings it.",
                Blame::default().at_path(&path),
            ),
            (false, None) => Verdict::met("not there"),
            (true, None) if !is_there => not_there(&path),
            (true, None) => Verdict::met("there"),
            (true, Some(node)) => match self.fault(node.entry) {
                None => Verdict::met(mode_text(node.entry)),
                Some((found, why)) => Verdict::unmet(
                    found,
                    why,
                    "Look at how it gets into the image, with which permissions and whose.",
                    blame(&node),
                ),
            },
        }
    }
}

fn has_below(tree: &Tree<'_>, path: &str) -> bool {
    let folder = path.trim_matches('/');
    let below = |path: String| {
        path.strip_prefix(folder)
            .is_some_and(|rest| rest.starts_with('/'))
    };
    tree.paths().any(below)
}

fn not_there(path: &str) -> Verdict {
    Verdict::unmet(
        format!("no `{path}`"),
        "No instruction of the final stage puts it there.",
        "Follow it from where it is made, or comes from, to the final stage.",
        Blame::default().at_path(path),
    )
}

impl Goal for ContentTest {
    fn kind(&self) -> &'static str {
        NAME
    }

    fn title(&self) -> String {
        format!("content of {}", self.path)
    }

    fn wanted(&self) -> String {
        let list = |regexes: &[Regex]| {
            let shown: Vec<String> = regexes
                .iter()
                .map(|regex| format!("/{}/", cause::shorten(regex.as_str())))
                .collect();
            shown.join(", ")
        };
        let mut wanted = format!("`{}` is in the image", self.path);
        if !self.expected.is_empty() {
            wanted.push_str(&format!(" and matches {}", list(&self.expected)));
        }
        if !self.excluded.is_empty() {
            wanted.push_str(&format!(" and does not match {}", list(&self.excluded)));
        }
        wanted
    }

    fn needs(&self) -> Needs {
        let path = self.path.trim_start_matches('/').to_owned();
        Needs {
            contents: true,
            files: [path].into(),
            ..Needs::default()
        }
    }

    fn evaluate(&self, evidence: &Evidence) -> Verdict {
        let (contents, config) = match (&evidence.contents, config(evidence)) {
            (Ok(contents), Ok(config)) => (contents, config),
            (Err(missing), _) | (_, Err(missing)) => return Verdict::unknown(missing),
        };
        let path = path_in(config, &self.path);
        let tree = Tree::of(contents);
        let Ok(node) = tree.find(&path) else {
            return not_there(&path);
        };
        let Some(content) = node.kept else {
            return Verdict::unknown(&Missing::because(format!(
                "The content of `{path}` could not be read: it is no regular file, or larger than 64 kB."
            )));
        };
        let text = String::from_utf8_lossy(content);
        let missing = self.expected.iter().find(|regex| !regex.is_match(&text));
        let extra = self.excluded.iter().find(|regex| regex.is_match(&text));
        let why = match (missing, extra) {
            (Some(regex), _) => format!("It should match /{}/.", cause::shorten(regex.as_str())),
            (None, Some(regex)) => {
                format!("It should not match /{}/.", cause::shorten(regex.as_str()))
            }
            (None, None) => return Verdict::met("as it should be"),
        };
        Verdict::unmet(
            "another content",
            why,
            "Compare the file with what is wanted, and look at which instruction writes it.",
            Blame::line(evidence.line_of_layer(node.layer))
                .in_layer(node.layer)
                .at_path(&path),
        )
    }
}
