//! The file system that the layers of an image add up to: whiteouts applied, links followed.

use std::collections::BTreeSet;

use crate::image::Contents;
use crate::image::Entry;
use crate::image::EntryKind;
use crate::image::Layer;
use crate::image::binary::Program;
use crate::image::glob::Glob;
use crate::image::merge::Merge;
use crate::image::merge::Place;
use crate::units::Bytes;

/// A file system, borrowed from the pass over the image.
#[derive(Debug)]
pub struct Tree<'a> {
    layers: &'a [Layer],
    merge: Merge<'a>,
}

/// Something in a file system.
#[derive(Debug, Clone)]
pub struct Node<'a> {
    /// Its own path, all links followed: `usr/bin/dash` for `bin/sh`.
    pub path: String,
    /// The layer that it comes from, from 0 at the bottom.
    pub layer: usize,
    /// Its entry; for a hard link, the entry of what it is a name of.
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
        Self {
            layers: &contents.layers,
            merge: Merge::of(&contents.layers),
        }
    }

    /// What a path leads to, links followed.
    ///
    /// # Errors
    /// When it leads nowhere.
    pub fn find(&self, path: &str) -> Result<Node<'a>, Lost> {
        let spot = self.merge.walk(path, true)?;
        self.node_at(spot)
            .ok_or_else(|| Lost::Missing(self.merge.path(spot)))
    }

    /// What is at a path itself; a link stays a link.
    #[must_use]
    pub fn at(&self, path: &str) -> Option<Node<'a>> {
        self.node_at(self.merge.walk(path, false).ok()?)
    }

    /// The folders that are searched on the way to what a path leads to, links followed, those of
    /// the links included; without those that have no entry.
    #[must_use]
    pub fn folders_to(&self, path: &str) -> Vec<Node<'a>> {
        let spots = self.merge.folders_to(path);
        let nodes = spots.into_iter().filter_map(|spot| self.node_at(spot));
        nodes.collect()
    }

    fn node_at(&self, spot: usize) -> Option<Node<'a>> {
        self.node(spot, self.merge.place(spot)?)
    }

    fn node(&self, spot: usize, place: Place) -> Option<Node<'a>> {
        // A hard link is another name of a file or of a symbolic link, and shares all that is known
        // of it.
        let own = self.merge.own(place)?;
        let entry = self.merge.entry(own)?;
        let layer = self.layers.get(own.layer)?;
        Some(Node {
            path: self.merge.path(spot),
            layer: place.layer,
            entry,
            program: layer.programs.get(&entry.path),
            kept: layer.kept.get(&entry.path).map(Vec::as_slice),
        })
    }

    /// Everything in it, folders before what is in them, links not followed.
    pub fn nodes(&self) -> impl Iterator<Item = Node<'a>> {
        let spots = self.merge.spots();
        spots.filter_map(|(spot, place)| self.node(spot, place))
    }

    /// The paths, without looking at what is there.
    pub fn paths(&self) -> impl Iterator<Item = String> {
        self.merge.spots().map(|(spot, _)| self.merge.path(spot))
    }

    /// Tells of each path, and of the entry that is there: folders before what is in them.
    pub fn each_path(&self, mut see: impl FnMut(&str, &'a Entry)) {
        self.merge.each_path(|path, place| {
            if let Some(entry) = self.merge.entry(place) {
                see(path, entry);
            }
        });
    }

    /// Tells of each regular file: its path, the layer that brought it there, and its entry; of a
    /// hard link, the entry of the file that it is a name of.
    pub fn each_file(&self, mut see: impl FnMut(&str, usize, &'a Entry)) {
        self.merge.each_path(|path, place| {
            if let Some(entry) = self
                .merge
                .file(place)
                .and_then(|file| self.merge.entry(file))
            {
                see(path, place.layer, entry);
            }
        });
    }

    /// What matches a pattern, links not followed.
    pub fn glob(&self, glob: &Glob) -> impl Iterator<Item = Node<'a>> {
        self.nodes().filter(|node| glob.matches(&node.path))
    }

    /// Whether the entry of `layer` at `path` is what the final file system shows there.
    #[must_use]
    pub fn shows(&self, layer: usize, path: &str) -> bool {
        let place = self.merge.now_at(path);
        place.is_some_and(|place| place.layer == layer)
    }

    /// How many bytes of the regular files of all layers the final file system still shows.
    #[must_use]
    pub fn live(&self) -> Bytes {
        let places = self.merge.spots().map(|(_, place)| place);
        let files: BTreeSet<Place> = places.filter_map(|place| self.merge.file(place)).collect();
        let entries = files.iter().filter_map(|file| self.merge.entry(*file));
        entries.map(|entry| entry.size).sum()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;
    use crate::image::fixture::image;

    fn paths(layers: &[&[&str]]) -> Vec<String> {
        Tree::of(&image(layers)).paths().collect()
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
    fn an_entry_below_a_link_to_a_folder_lies_in_that_folder_where_its_layer_brings_both() {
        let base: &[&str] = &["usr/", "usr/bin/", "usr/bin/sh", "bin -> usr/bin"];
        let usr = ["usr", "usr/bin", "usr/bin/sh"];
        let all = |more: &[&'static str]| {
            let mut all = [&usr, more].concat();
            all.sort_unstable();
            all
        };
        assert_eq!(
            paths(&[&[base, &["bin/tool"]].concat()]),
            all(&["bin", "usr/bin/tool"])
        );
        // Measured on Docker's overlay2: the folder of a layer above takes the place of the link.
        assert_eq!(paths(&[base, &["bin/tool"]]), all(&["bin/tool"]));
        assert_eq!(paths(&[base, &["-bin/sh"]]), usr);
        assert_eq!(paths(&[base, &["!bin"]]), usr);
    }

    #[test]
    fn a_file_makes_way_for_what_a_layer_above_has_below_it() {
        assert_eq!(paths(&[&["a"], &["a/b"]]), ["a/b"]);
        assert_eq!(paths(&[&["a"], &["-a/b"]]), Vec::<String>::new());
        assert_eq!(paths(&[&["a"], &["!a"]]), Vec::<String>::new());
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
    fn the_way_to_a_file_leads_through_the_folders_of_its_links() {
        let image = image(&[&[
            "usr/",
            "usr/bin/",
            "usr/bin/tool -> ../../opt/x/tool",
            "opt/x/",
            "opt/x/tool",
            "bin -> usr/bin",
            "loop -> loop",
        ]]);
        let tree = Tree::of(&image);
        let way = |path: &str| -> Vec<String> {
            tree.folders_to(path)
                .into_iter()
                .map(|node| node.path)
                .collect()
        };
        assert_eq!(way("/bin/tool"), ["usr", "usr/bin", "opt/x"]);
        assert_eq!(way("opt/x/tool"), ["opt/x"]);
        assert_eq!(way("loop"), Vec::<String>::new());
        assert_eq!(way("usr/no/where"), ["usr"]);
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
    fn a_hard_link_to_a_symbolic_link_leads_where_that_does() {
        let tool: &[&str] = &[
            "usr/bin/tool",
            "bin/a -> ../usr/bin/tool",
            "bin/sh == bin/a",
        ];
        // A link may stand before what it is a name of, or in another layer.
        let ahead: &[&str] = &[
            "bin/sh == bin/a",
            "usr/bin/tool",
            "bin/a -> ../usr/bin/tool",
        ];
        for layers in [&[tool][..], &[ahead], &[&tool[..2], &tool[2..]]] {
            let image = image(layers);
            let tree = Tree::of(&image);
            assert_eq!(tree.find("bin/sh").unwrap().path, "usr/bin/tool");
            let at = tree.at("bin/sh").unwrap();
            assert_eq!(at.path, "bin/sh");
            let kind = EntryKind::Symlink(String::from("../usr/bin/tool"));
            assert_eq!(at.entry.kind, kind);
            // It has no bytes of its own.
            assert_eq!(tree.live(), Bytes(10));
        }
        // One to a folder is a way into it, also for the entries behind it.
        let folder: &[&str] = &["a/b", "l -> a", "m == l", "m/c"];
        assert_eq!(paths(&[folder]), ["a/b", "a/c", "l", "m"]);
        assert_eq!(Tree::of(&image(&[folder])).find("m/b").unwrap().path, "a/b");
    }

    #[test]
    fn each_path_and_each_file_are_told_once_in_order() {
        let image = image(&[
            &["a/", "a/x", "ab", "b/c/d", "l -> ab"],
            &["a/y == a/x", "-ab"],
        ]);
        let tree = Tree::of(&image);
        let mut told = Vec::new();
        tree.each_path(|path, _| told.push(path.to_owned()));
        assert_eq!(told, tree.paths().collect::<Vec<String>>());
        let mut files = Vec::new();
        tree.each_file(|path, layer, entry| files.push(format!("{path} {layer} {}", entry.path)));
        assert_eq!(files, ["a/x 0 a/x", "a/y 1 a/x", "b/c/d 0 b/c/d"]);
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
        let mut files: BTreeMap<String, usize> = BTreeMap::new();
        let above = |path: &str, file: &str| path.starts_with(&format!("{file}/"));
        for (index, layer) in layers.iter().enumerate() {
            for entry in layer {
                if let Some(path) = entry.strip_prefix('-') {
                    files
                        .retain(|file, _| file != path && !above(file, path) && !above(path, file));
                } else if let Some(path) = entry.strip_prefix('!') {
                    files
                        .retain(|file, _| file != path && !above(file, path) && !above(path, file));
                }
            }
            for entry in layer.iter().filter(|entry| !entry.starts_with(['-', '!'])) {
                files.retain(|file, of| {
                    !above(file, entry) && (*of == index || !above(entry, file))
                });
                files.insert(entry.clone(), index);
            }
        }
        files.into_keys().collect()
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
