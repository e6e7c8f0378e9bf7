//! Shells and package managers in an image: what an intruder would use first.
//!
//! Judged by names that lead to an executable file, links and applets included; nothing is run. A
//! shell under another name is not found: that is what a search for content would be for.

use crate::image::binary::Program;
use crate::image::tree::Node;
use crate::image::tree::Tree;

/// Names of shells, and of the programs that are many tools in one.
pub(super) const SHELLS: [&str; 15] = [
    "sh", "bash", "dash", "ash", "zsh", "ksh", "mksh", "fish", "csh", "tcsh", "rbash", "hush",
    "busybox", "toybox", "pwsh",
];

/// Names of package managers, of systems and of languages.
const MANAGERS: [&str; 24] = [
    "apt", "apt-get", "aptitude", "dpkg", "apk", "yum", "dnf", "dnf5", "microdnf", "rpm", "zypper",
    "pacman", "opkg", "pip", "pipx", "uv", "poetry", "conda", "npm", "npx", "yarn", "pnpm", "gem",
    "corepack",
];

/// Where shells are usually found; the presence of any decides without reading the image.
pub const SHELL_PATHS: [&str; 8] = [
    "bin/sh",
    "bin/bash",
    "bin/dash",
    "bin/ash",
    "bin/busybox",
    "usr/bin/sh",
    "usr/bin/bash",
    "busybox/sh",
];

/// Where package managers are usually found.
pub const MANAGER_PATHS: [&str; 9] = [
    "usr/bin/apt",
    "usr/bin/apt-get",
    "usr/bin/dpkg",
    "sbin/apk",
    "usr/bin/dnf",
    "usr/bin/pip",
    "usr/bin/pip3",
    "usr/local/bin/pip",
    "usr/local/bin/npm",
];

/// A tool that was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tool {
    /// Its path, as it would be typed: `bin/sh`.
    pub path: String,
    /// The program that it leads to: `usr/bin/dash`.
    pub program: String,
    /// The layer that the program comes from.
    pub layer: usize,
}

/// The shells of an image, the shortest path first.
#[must_use]
pub fn shells(tree: &Tree<'_>) -> Vec<Tool> {
    tools(tree, |name| SHELLS.contains(&name))
}

/// The package managers of an image, the shortest path first.
#[must_use]
pub fn package_managers(tree: &Tree<'_>) -> Vec<Tool> {
    let mut found = tools(tree, |name| {
        MANAGERS.contains(&name) || MANAGERS.contains(&without_version(name))
    });
    // A language's manager may be there without a command of its own: `python -m pip`.
    let modules = tree
        .paths()
        .filter(|path| path.ends_with("/pip/__main__.py") || path.ends_with("/npm/bin/npm-cli.js"));
    let modules: Vec<Node<'_>> = modules.filter_map(|path| tree.find(&path).ok()).collect();
    for node in modules {
        if !found.iter().any(|tool| tool.program == node.path) {
            let path = node.path.clone();
            found.push(Tool {
                path: path.clone(),
                program: path,
                layer: node.layer,
            });
        }
    }
    found
}

/// `pip` of `pip3` and `pip3.13`.
fn without_version(name: &str) -> &str {
    name.trim_end_matches(|c: char| c.is_ascii_digit() || c == '.')
}

pub(super) fn tools(tree: &Tree<'_>, wanted: impl Fn(&str) -> bool) -> Vec<Tool> {
    let mut found: Vec<Tool> = tree
        .paths()
        .filter(|path| wanted(path.rsplit('/').next().unwrap_or(path)))
        .filter_map(|path| {
            let node = tree.find(&path).ok()?;
            // A script of `/etc/cron.daily` may have a tool's name.
            let is_a_job =
                path.starts_with("etc/") && !matches!(node.program, Some(Program::Elf(_)));
            (node.is_executable() && !is_a_job).then_some(Tool {
                path,
                program: node.path,
                layer: node.layer,
            })
        })
        .collect();
    found.sort_by(|a, b| (a.path.len(), &a.path).cmp(&(b.path.len(), &b.path)));
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::image::Contents;
    use crate::image::Entry;
    use crate::image::EntryKind;
    use crate::image::Layer;
    use crate::image::binary::Elf;
    use crate::image::binary::Linking;
    use crate::image::fixture;
    use crate::units::Bytes;

    fn image(entries: &[(&str, u32)]) -> Contents {
        let entry = |(text, mode): &(&str, u32)| {
            let (path, kind) = match text.split_once(" -> ") {
                Some((path, target)) => (path, EntryKind::Symlink(target.to_owned())),
                None if text.ends_with('/') => (text.trim_end_matches('/'), EntryKind::Directory),
                None => (*text, EntryKind::File),
            };
            Entry {
                path: path.to_owned(),
                kind,
                size: Bytes(1),
                mode: *mode,
                uid: 0,
                gid: 0,
                content: None,
                capabilities: false,
            }
        };
        let layer = Layer {
            entries: entries.iter().map(entry).collect(),
            ..Layer::default()
        };
        Contents {
            layers: vec![layer],
            ..Contents::default()
        }
    }

    fn names(found: &[Tool]) -> Vec<String> {
        found
            .iter()
            .map(|tool| format!("{} = {}", tool.path, tool.program))
            .collect()
    }

    #[test]
    fn shells_are_found_through_links_and_applets() {
        let image = image(&[
            ("bin -> usr/bin", 0o777),
            ("usr/bin/dash", 0o755),
            ("usr/bin/sh -> dash", 0o777),
            ("busybox/busybox", 0o755),
            ("busybox/ash -> /busybox/busybox", 0o777),
        ]);
        assert_eq!(
            names(&shells(&Tree::of(&image))),
            [
                "usr/bin/sh = usr/bin/dash",
                "busybox/ash = busybox/busybox",
                "usr/bin/dash = usr/bin/dash",
                "busybox/busybox = busybox/busybox",
            ]
        );
    }

    #[test]
    fn a_shell_behind_a_hard_link_to_a_link_is_found() {
        let image = fixture::image(&[&["t/tool", "t/a -> /t/tool", "t/sh == t/a"]]);
        assert_eq!(names(&shells(&Tree::of(&image))), ["t/sh = t/tool"]);
    }

    #[test]
    fn a_shell_among_settings_is_a_shell_and_a_script_there_is_none() {
        let mut image = image(&[
            ("etc/bin/busybox", 0o755),
            ("etc/bin/sh -> busybox", 0o777),
            ("etc/bin/apt-get -> busybox", 0o777),
            ("etc/cron.daily/dpkg", 0o755),
        ]);
        let elf = Program::Elf(Elf {
            linking: Linking::Static,
            machine: String::from("amd64"),
            needed: Vec::new(),
        });
        let programs = &mut image.layers[0].programs;
        programs.insert(String::from("etc/bin/busybox"), elf);
        let tree = Tree::of(&image);
        assert_eq!(
            names(&shells(&tree)),
            [
                "etc/bin/sh = etc/bin/busybox",
                "etc/bin/busybox = etc/bin/busybox"
            ]
        );
        assert_eq!(
            names(&package_managers(&tree)),
            ["etc/bin/apt-get = etc/bin/busybox"]
        );
    }

    #[test]
    fn what_cannot_be_executed_is_no_shell() {
        let image = image(&[
            ("usr/share/doc/bash/", 0o755),
            ("etc/default/dash", 0o644),
            ("bin/sh -> busybox", 0o777),
            ("usr/bin/bashbug", 0o755),
        ]);
        assert_eq!(shells(&Tree::of(&image)), []);
    }

    #[test]
    fn managers_of_every_version_and_as_modules_are_found() {
        let image = image(&[
            ("usr/bin/dpkg", 0o755),
            ("usr/bin/dpkg-query", 0o755),
            ("usr/local/bin/pip3.13", 0o755),
            (
                "usr/local/lib/python3.13/site-packages/pip/__main__.py",
                0o644,
            ),
            ("usr/local/lib/node_modules/npm/bin/npm-cli.js", 0o755),
            (
                "usr/local/bin/npm -> ../lib/node_modules/npm/bin/npm-cli.js",
                0o777,
            ),
            ("var/lib/dpkg/status", 0o644),
        ]);
        assert_eq!(
            names(&package_managers(&Tree::of(&image))),
            [
                "usr/bin/dpkg = usr/bin/dpkg",
                "usr/local/bin/npm = usr/local/lib/node_modules/npm/bin/npm-cli.js",
                "usr/local/bin/pip3.13 = usr/local/bin/pip3.13",
                "usr/local/lib/python3.13/site-packages/pip/__main__.py = usr/local/lib/python3.13/site-packages/pip/__main__.py",
            ]
        );
    }
}
