//! The file system that the layers of an image add up to: whiteouts applied, links followed.

use std::collections::BTreeMap;
use std::ops::Bound;

use crate::image::Contents;
use crate::image::Entry;
use crate::image::EntryKind;
use crate::image::Layer;
use crate::image::binary::Program;
use crate::image::glob::Glob;

/// How many links are followed on the way to one file.
const LINKS: usize = 40;

/// A file system, borrowed from the pass over the image.
#[derive(Debug)]
pub struct Tree<'a> {
    layers: &'a [Layer],
    nodes: BTreeMap<String, Place>,
}

/// The entry behind a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Place {
    layer: usize,
    entry: usize,
}

/// Something in a file system.
#[derive(Debug, Clone)]
pub struct Node<'a> {
    /// Its own path, all links followed: `usr/bin/dash` for `bin/sh`.
    pub path: String,
    /// The layer that it comes from, from 0 at the bottom.
    pub layer: usize,
    /// Its entry; for a hard link, the entry of the file that it is a name of.
    pub entry: &'a Entry,
    /// What kind of program it is, where it is one.
    pub program: Option<&'a Program>,
    /// Its content, where the pass was asked to keep it.
    pub kept: Option<&'a [u8]>,
}

impl Node<'_> {
    /// Whether it is a regular file that someone may execute.
    #[must_use]
    pub fn is_executable(&self) -> bool {
        self.entry.kind == EntryKind::File && self.entry.mode & 0o111 != 0
    }
}

/// Why a path leads nowhere.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Lost {
    /// There is nothing of that name; the path is the first part that is missing.
    Missing(String),
    /// Something that is not a folder is used as one.
    NotAFolder(String),
    /// Its links lead in circles.
    Loop,
}

impl<'a> Tree<'a> {
    /// Adds up the layers.
    #[must_use]
    pub fn of(contents: &'a Contents) -> Self {
        let mut tree = Self {
            layers: &contents.layers,
            nodes: BTreeMap::new(),
        };
        for (index, layer) in contents.layers.iter().enumerate() {
            tree.hide(layer);
            tree.add(index, layer);
        }
        tree
    }

    /// Applies a layer's whiteouts, which concern the layers below only.
    fn hide(&mut self, layer: &Layer) {
        for entry in &layer.entries {
            match entry.kind {
                EntryKind::Whiteout => {
                    let path = self.own_path(&entry.path);
                    self.remove_below(&path);
                    self.nodes.remove(&path);
                }
                EntryKind::Opaque => {
                    let path = self.own_path(&entry.path);
                    self.remove_below(&path);
                }
                EntryKind::File
                | EntryKind::Directory
                | EntryKind::Symlink(_)
                | EntryKind::Hardlink(_)
                | EntryKind::Other => {}
            }
        }
    }

    fn add(&mut self, index: usize, layer: &Layer) {
        for (position, entry) in layer.entries.iter().enumerate() {
            if matches!(entry.kind, EntryKind::Whiteout | EntryKind::Opaque) {
                continue;
            }
            let path = self.own_path(&entry.path);
            if entry.kind != EntryKind::Directory {
                self.remove_below(&path);
            }
            self.nodes.insert(
                path,
                Place {
                    layer: index,
                    entry: position,
                },
            );
        }
    }

    /// The path of an entry where folders on the way are links in the layers below (`bin/x` where
    /// `bin` is a link to `usr/bin`).
    fn own_path(&self, path: &str) -> String {
        let Some((parent, name)) = path.rsplit_once('/') else {
            return path.to_owned();
        };
        let mut prefix = String::new();
        let through_link = parent.split('/').any(|part| {
            if !prefix.is_empty() {
                prefix.push('/');
            }
            prefix.push_str(part);
            self.entry_at(&prefix)
                .is_some_and(|entry| matches!(entry.kind, EntryKind::Symlink(_)))
        });
        if !through_link {
            return path.to_owned();
        }
        match self.walk(parent, true) {
            Ok(parent) if parent.is_empty() => name.to_owned(),
            Ok(parent) => format!("{parent}/{name}"),
            Err(_) => path.to_owned(),
        }
    }

    fn remove_below(&mut self, path: &str) {
        if path.is_empty() {
            self.nodes.clear();
            return;
        }
        // `0` is the character after `/`.
        let range = (
            Bound::Excluded(format!("{path}/")),
            Bound::Excluded(format!("{path}0")),
        );
        let below: Vec<String> = self
            .nodes
            .range(range)
            .map(|(path, _)| path.clone())
            .collect();
        for path in below {
            self.nodes.remove(&path);
        }
    }

    fn entry_at(&self, path: &str) -> Option<&'a Entry> {
        self.entry_of(*self.nodes.get(path)?)
    }

    fn entry_of(&self, place: Place) -> Option<&'a Entry> {
        self.layers.get(place.layer)?.entries.get(place.entry)
    }

    /// Whether `path` exists, or something below it does: an archive may leave folders out.
    fn exists(&self, path: &str) -> bool {
        path.is_empty() || self.nodes.contains_key(path) || {
            let range = (
                Bound::Excluded(format!("{path}/")),
                Bound::Excluded(format!("{path}0")),
            );
            self.nodes.range(range).next().is_some()
        }
    }

    /// The own path of what `path` leads to; of a link itself where `last` is false.
    fn walk(&self, path: &str, last: bool) -> Result<String, Lost> {
        let mut todo: Vec<String> = parts_reversed(path);
        let mut done: Vec<String> = Vec::new();
        let mut links = 0;
        while let Some(part) = todo.pop() {
            if part == ".." {
                done.pop();
                continue;
            }
            done.push(part);
            let here = done.join("/");
            let Some(entry) = self.entry_at(&here) else {
                if self.exists(&here) {
                    continue;
                }
                return Err(Lost::Missing(here));
            };
            match &entry.kind {
                EntryKind::Symlink(target) if !todo.is_empty() || last => {
                    links += 1;
                    if links > LINKS {
                        return Err(Lost::Loop);
                    }
                    if target.starts_with('/') {
                        done.clear();
                    } else {
                        done.pop();
                    }
                    todo.extend(parts_reversed(target));
                }
                EntryKind::Directory | EntryKind::Symlink(_) => {}
                _ if todo.is_empty() => {}
                _ => return Err(Lost::NotAFolder(here)),
            }
        }
        Ok(done.join("/"))
    }

    /// What a path leads to, links followed.
    ///
    /// # Errors
    /// When it leads nowhere.
    pub fn find(&self, path: &str) -> Result<Node<'a>, Lost> {
        let own = self.walk(path, true)?;
        let missing = || Lost::Missing(own.clone());
        let place = *self.nodes.get(&own).ok_or_else(missing)?;
        self.node(&own, place).ok_or_else(missing)
    }

    /// What is at a path itself; a link stays a link.
    #[must_use]
    pub fn at(&self, path: &str) -> Option<Node<'a>> {
        let own = self.walk(path, false).ok()?;
        self.node(&own, *self.nodes.get(&own)?)
    }

    fn node(&self, path: &str, place: Place) -> Option<Node<'a>> {
        let layer = self.layers.get(place.layer)?;
        let mut entry = layer.entries.get(place.entry)?;
        // A hard link shares its file with an entry of its own layer, or of a link there.
        for _ in 0..LINKS {
            let EntryKind::Hardlink(target) = &entry.kind else {
                break;
            };
            entry = layer.entries.iter().find(|other| other.path == *target)?;
        }
        Some(Node {
            path: path.to_owned(),
            layer: place.layer,
            entry,
            program: layer.programs.get(&entry.path),
            kept: layer.kept.get(&entry.path).map(Vec::as_slice),
        })
    }

    /// Everything in it, by path, links not followed.
    pub fn nodes(&self) -> impl Iterator<Item = Node<'a>> {
        self.nodes
            .iter()
            .filter_map(|(path, place)| self.node(path, *place))
    }

    /// The paths, without looking at what is there.
    pub fn paths(&self) -> impl Iterator<Item = &str> {
        self.nodes.keys().map(String::as_str)
    }

    /// What matches a pattern, by path, links not followed.
    pub fn glob(&self, glob: &Glob) -> impl Iterator<Item = Node<'a>> {
        self.nodes
            .iter()
            .filter(|(path, _)| glob.matches(path))
            .filter_map(|(path, place)| self.node(path, *place))
    }

    /// Whether the entry of `layer` at `path` is what the final file system shows there.
    #[must_use]
    pub fn shows(&self, layer: usize, path: &str) -> bool {
        let place = self.nodes.get(&self.own_path(path));
        place.is_some_and(|place| place.layer == layer)
    }

    /// How many bytes of the regular files of all layers the final file system still shows.
    #[must_use]
    pub fn live(&self) -> crate::units::Bytes {
        let mut seen = std::collections::BTreeSet::new();
        self.nodes()
            .filter(|node| node.entry.kind == EntryKind::File)
            .filter(|node| seen.insert((node.layer, node.entry.path.as_str())))
            .map(|node| node.entry.size)
            .sum()
    }
}

fn parts_reversed(path: &str) -> Vec<String> {
    path.split('/')
        .rev()
        .filter(|part| !matches!(*part, "" | "."))
        .map(str::to_owned)
        .collect()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;
    use crate::units::Bytes;

    /// A layer: `path`, `path/`, `path -> target`, `path == target`, `-path` (a whiteout), `!path`
    /// (an opaque folder).
    fn layer(index: usize, entries: &[&str]) -> Layer {
        let entry = |text: &&str| {
            let (path, kind) = if let Some((path, target)) = text.split_once(" -> ") {
                (path, EntryKind::Symlink(target.to_owned()))
            } else if let Some((path, target)) = text.split_once(" == ") {
                (path, EntryKind::Hardlink(target.to_owned()))
            } else if let Some(path) = text.strip_prefix('-') {
                (path, EntryKind::Whiteout)
            } else if let Some(path) = text.strip_prefix('!') {
                (path, EntryKind::Opaque)
            } else if let Some(path) = text.strip_suffix('/') {
                (path, EntryKind::Directory)
            } else {
                (*text, EntryKind::File)
            };
            let size = Bytes(if kind == EntryKind::File { 10 } else { 0 });
            Entry {
                path: path.to_owned(),
                kind,
                size,
                mode: 0o755,
                uid: 0,
                gid: 0,
                content: None,
                capabilities: false,
            }
        };
        Layer {
            index,
            entries: entries.iter().map(entry).collect(),
            ..Layer::default()
        }
    }

    fn image(layers: &[&[&str]]) -> Contents {
        let layers = layers
            .iter()
            .enumerate()
            .map(|(index, entries)| layer(index, entries));
        Contents {
            layers: layers.collect(),
            ..Contents::default()
        }
    }

    fn paths(layers: &[&[&str]]) -> Vec<String> {
        Tree::of(&image(layers))
            .paths()
            .map(str::to_owned)
            .collect()
    }

    #[test]
    fn a_whiteout_hides_a_file_or_a_whole_folder() {
        let base: &[&str] = &["a/", "a/x", "a/y/", "a/y/z", "ab", "b"];
        assert_eq!(paths(&[base, &["-a"]]), ["ab", "b"]);
        assert_eq!(
            paths(&[base, &["-a/y/z", "-nothing/here"]]),
            ["a", "a/x", "a/y", "ab", "b"]
        );
        // A whiteout concerns the layers below alone, in whatever order the entries come.
        assert_eq!(
            paths(&[base, &["a/", "a/new", "-a"]]),
            ["a", "a/new", "ab", "b"]
        );
    }

    #[test]
    fn an_opaque_folder_hides_what_was_in_it_below() {
        let base: &[&str] = &["a/", "a/x", "a/y/", "a/y/z", "b"];
        assert_eq!(paths(&[base, &["a/", "!a", "a/new"]]), ["a", "a/new", "b"]);
        assert_eq!(paths(&[base, &["a/new", "a/", "!a"]]), ["a", "a/new", "b"]);
    }

    #[test]
    fn a_file_in_place_of_a_folder_hides_its_content() {
        let base: &[&str] = &["a/", "a/x", "a/x2"];
        assert_eq!(paths(&[base, &["a"]]), ["a"]);
        assert_eq!(paths(&[base, &["a -> b"]]), ["a"]);
        assert_eq!(paths(&[base, &["a/"]]), ["a", "a/x", "a/x2"]);
    }

    #[test]
    fn an_entry_below_a_link_to_a_folder_lies_in_that_folder() {
        let base: &[&str] = &["usr/", "usr/bin/", "usr/bin/sh", "bin -> usr/bin"];
        assert_eq!(
            paths(&[base, &["bin/tool"], &["-bin/sh"]]),
            ["bin", "usr", "usr/bin", "usr/bin/tool"]
        );
    }

    #[test]
    fn links_are_followed_to_their_end() {
        let image = image(&[&[
            "usr/bin/dash",
            "usr/bin/sh -> dash",
            "bin -> usr/bin",
            "etc/alternatives/awk -> /usr/bin/mawk",
            "usr/bin/awk -> ../../etc/alternatives/awk",
            "loop -> loop2",
            "loop2 -> /loop",
            "up -> ../../../usr",
        ]]);
        let tree = Tree::of(&image);
        assert_eq!(tree.find("/bin/sh").unwrap().path, "usr/bin/dash");
        assert_eq!(tree.find("up/bin/sh").unwrap().path, "usr/bin/dash");
        assert_eq!(
            tree.find("bin/.././bin//dash").unwrap().path,
            "usr/bin/dash"
        );
        assert_eq!(
            tree.find("bin/awk").unwrap_err(),
            Lost::Missing(String::from("usr/bin/mawk"))
        );
        assert_eq!(tree.find("loop").unwrap_err(), Lost::Loop);
        assert_eq!(
            tree.find("usr/bin/dash/x").unwrap_err(),
            Lost::NotAFolder(String::from("usr/bin/dash"))
        );
        assert_eq!(tree.at("bin/sh").unwrap().path, "usr/bin/sh");
        assert!(tree.at("no").is_none());
    }

    #[test]
    fn a_hard_link_is_the_file_of_its_own_layer() {
        let mut image = image(&[&["a", "b == a"], &["-a"]]);
        image.layers[0]
            .kept
            .insert(String::from("a"), b"text".to_vec());
        let tree = Tree::of(&image);
        let node = tree.find("b").unwrap();
        assert_eq!(
            (node.entry.size, node.kept),
            (Bytes(10), Some(b"text".as_slice()))
        );
        assert!(tree.find("a").is_err());
        assert_eq!(tree.live(), Bytes(10));
    }

    #[test]
    fn what_a_later_layer_hides_is_not_shown() {
        let image = image(&[&["a", "b"], &["a"], &["-b"]]);
        let tree = Tree::of(&image);
        assert!(tree.shows(1, "a") && !tree.shows(0, "a") && !tree.shows(0, "b"));
        assert_eq!(tree.live(), Bytes(10));
    }

    #[test]
    fn patterns_list_paths() {
        let image = image(&[&["a/x.pyc", "a/y.py", "b/x.pyc"]]);
        let tree = Tree::of(&image);
        let found: Vec<String> = tree
            .glob(&Glob::parse("**/*.pyc").unwrap())
            .map(|node| node.path)
            .collect();
        assert_eq!(found, ["a/x.pyc", "b/x.pyc"]);
    }

    /// The same rules, written as plainly as possible, for files without links.
    fn plainly(layers: &[Vec<String>]) -> BTreeSet<String> {
        let mut files: BTreeSet<String> = BTreeSet::new();
        for layer in layers {
            for entry in layer {
                if let Some(path) = entry.strip_prefix('-') {
                    files.retain(|file| file != path && !file.starts_with(&format!("{path}/")));
                } else if let Some(path) = entry.strip_prefix('!') {
                    files.retain(|file| !file.starts_with(&format!("{path}/")));
                }
            }
            for entry in layer.iter().filter(|entry| !entry.starts_with(['-', '!'])) {
                let below = format!("{entry}/");
                files.retain(|file| !file.starts_with(&below));
                files.insert(entry.clone());
            }
        }
        files
    }

    proptest! {
        #[test]
        fn layers_add_up_as_the_rules_say(
            layers in proptest::collection::vec(
                proptest::collection::vec("[-!]?[ab]{1,2}(/[ab]{1,2}){0,2}", 0..8), 0..5)
        ) {
            let borrowed: Vec<Vec<&str>> =
                layers.iter().map(|layer| layer.iter().map(String::as_str).collect()).collect();
            let borrowed: Vec<&[&str]> = borrowed.iter().map(Vec::as_slice).collect();
            let found: BTreeSet<String> = paths(&borrowed).into_iter().collect();
            prop_assert_eq!(found, plainly(&layers));
        }

        #[test]
        fn no_links_hang(targets in proptest::collection::vec("[ab./]{1,6}", 1..6), path in "[ab/.]{0,8}") {
            let entries: Vec<String> = targets
                .iter()
                .enumerate()
                .map(|(index, target)| {
                    let name = if index % 2 == 0 { "a" } else { "b" };
                    format!("{}{name} -> {target}", "a/".repeat(index / 2))
                })
                .collect();
            let entries: Vec<&str> = entries.iter().map(String::as_str).collect();
            let image = image(&[&entries, &["a/b/a"]]);
            let _ = Tree::of(&image).find(&path);
        }
    }
}
