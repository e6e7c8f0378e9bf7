//! The files of a layer, or of a whole image, as a tree that stays small with hundreds of
//! thousands of them: names in one string, nodes in one list, each folder right before what is in
//! it. Pure.

use std::collections::BTreeSet;
use std::ops::Range;

use crate::image::changes::Change;
use crate::image::dead::How;
use crate::text::Clean;
use crate::units::Bytes;

/// A path for the tree.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Item<'a> {
    /// The path without a leading slash.
    pub path: &'a str,
    /// Whether it is a folder.
    pub folder: bool,
    /// Payload bytes that it ships.
    pub bytes: Bytes,
    /// What happens to the path.
    pub change: Change,
    /// The layer that hides it later, and how; everything that it ships is dead then.
    pub hidden: Option<(u16, How)>,
    /// For what is removed: the bytes of lower layers that it hides.
    pub hides: Bytes,
    /// The layer that it is in.
    pub layer: u16,
}

/// A file or a folder.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Node {
    /// Bytes of the name in the names.
    name: (u32, u32),
    /// The folder that it is in; itself for the root.
    parent: u32,
    /// The node after the last one below it.
    end: u32,
    layer: u16,
    /// The layer that ships most of it and of what is below it.
    carrier: u16,
    /// The layer that hides it, where one does.
    hidden: Option<(u16, How)>,
    /// What happens to it; nothing to a folder on the way to something.
    change: Option<Change>,
    /// Which changes there are in it and below it.
    below: u8,
    folder: bool,
    bytes: u64,
    dead: u64,
    hides: u64,
    files: u32,
}

/// A tree of files. The root is node 0.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct FileTree {
    names: String,
    nodes: Vec<Node>,
}

const fn bit(change: Change) -> u8 {
    match change {
        Change::Added => 1,
        Change::Changed => 2,
        Change::Removed => 4,
    }
}

impl Node {
    /// Bytes that it and everything below it ship.
    #[must_use]
    pub const fn bytes(&self) -> Bytes {
        Bytes(self.bytes)
    }

    /// Bytes of those that a later layer hides.
    #[must_use]
    pub const fn dead(&self) -> Bytes {
        Bytes(self.dead)
    }

    /// Bytes of lower layers that it and everything below it hide.
    #[must_use]
    pub const fn hides(&self) -> Bytes {
        Bytes(self.hides)
    }

    /// Regular files in it and below it.
    #[must_use]
    pub const fn files(&self) -> u32 {
        self.files
    }

    /// Whether it is a folder.
    #[must_use]
    pub const fn is_folder(&self) -> bool {
        self.folder
    }

    /// What happens to it; nothing to a folder on the way to something.
    #[must_use]
    pub const fn change(&self) -> Option<Change> {
        self.change
    }

    /// Whether this happens to it or to something below it.
    #[must_use]
    pub const fn has(&self, change: Change) -> bool {
        self.below & bit(change) != 0
    }

    /// The layer that hides it, and how.
    #[must_use]
    pub fn hidden(&self) -> Option<(usize, How)> {
        self.hidden.map(|(layer, how)| (layer.into(), how))
    }

    /// The layer that it is in; for a folder, that of the folder itself.
    #[must_use]
    pub fn layer(&self) -> usize {
        self.layer.into()
    }

    /// The layer that ships most of it and of what is below it; its own where nothing is shipped.
    #[must_use]
    pub fn carrier(&self) -> usize {
        self.carrier.into()
    }
}

impl FileTree {
    /// Makes a tree. Folders that are not among the items are added; of a path that is there twice
    /// the bytes add up.
    #[must_use]
    pub fn of(mut items: Vec<Item<'_>>) -> Self {
        for item in &mut items {
            item.path = item.path.trim_matches('/');
        }
        // Each folder right before what is in it: a slash sorts before every other byte.
        items.sort_unstable_by(|a, b| {
            sorted(a.path)
                .cmp(sorted(b.path))
                .then(a.layer.cmp(&b.layer))
        });
        let mut builder = Builder::new(items.len());
        for item in &items {
            builder.add(item);
        }
        builder.finish()
    }

    /// How many nodes there are, the root included.
    #[must_use]
    pub fn len(&self) -> usize {
        self.nodes.len()
    }

    /// Whether there is nothing in it.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.nodes.len() <= 1
    }

    /// A node.
    #[must_use]
    pub fn node(&self, node: u32) -> Option<&Node> {
        self.nodes.get(node as usize)
    }

    /// The root, where there is anything.
    #[must_use]
    pub fn root(&self) -> Option<&Node> {
        self.nodes.first()
    }

    /// The name of a node, safe to show; empty for the root.
    #[must_use]
    pub fn name(&self, node: u32) -> &str {
        self.node(node).map_or("", |node| {
            let (from, to) = node.name;
            self.names.get(from as usize..to as usize).unwrap_or("")
        })
    }

    /// The path of a node without a leading slash, safe to show.
    #[must_use]
    pub fn path(&self, node: u32) -> String {
        let mut parts = Vec::new();
        let mut at = node;
        while let Some(node) = self.node(at).filter(|_| at != 0) {
            parts.push(self.name(at));
            at = node.parent;
        }
        parts.reverse();
        parts.join("/")
    }

    /// The folder that a node is in; `None` for the root.
    #[must_use]
    pub fn parent(&self, node: u32) -> Option<u32> {
        self.node(node)
            .filter(|_| node != 0)
            .map(|node| node.parent)
    }

    /// The nodes of a folder, by name.
    pub fn children(&self, node: u32) -> impl Iterator<Item = u32> {
        let end = self.node(node).map_or(0, |node| node.end);
        let mut at = node.saturating_add(1);
        std::iter::from_fn(move || {
            let this = at;
            let node = self.node(this).filter(|_| this < end)?;
            at = node.end;
            Some(this)
        })
    }

    /// A node and everything below it, as numbers.
    #[must_use]
    pub fn subtree(&self, node: u32) -> Range<u32> {
        node..self.node(node).map_or(node, |node| node.end)
    }

    /// The nodes whose path, or whose name where `words` has no slash, has these words in it,
    /// whatever their case.
    #[must_use]
    pub fn matching(&self, words: &str) -> Vec<u32> {
        let wanted = words.trim_start_matches('/').to_lowercase();
        let last = wanted.rsplit('/').next().unwrap_or_default();
        if wanted.is_empty() {
            return Vec::new();
        }
        let Ok(search) = aho_corasick::AhoCorasick::builder()
            .ascii_case_insensitive(true)
            .build([last])
        else {
            return Vec::new();
        };
        let mut found = Vec::new();
        let mut add = |node: u32| {
            let is_new = found.last() != Some(&node);
            // The words end in the name of the node itself, not in that of a folder around it.
            let whole = || {
                let (path, name) = (self.path(node).to_lowercase(), self.name(node).len());
                let end = path.rfind(&wanted).map(|at| at + wanted.len());
                end.is_some_and(|end| end + name > path.len())
            };
            if is_new && (last.len() == wanted.len() || whole()) {
                found.push(node);
            }
        };
        if last.is_empty() {
            // `usr/`: the folder itself has no name with the words.
            (1..self.len()).for_each(|node| add(u32::try_from(node).unwrap_or(u32::MAX)));
            return found;
        }
        // Names stand side by side in the order of the nodes, so that one walk finds whose a hit is.
        let mut nodes = (0..).zip(&self.nodes).skip(1);
        let mut at = nodes.next();
        for hit in search.find_iter(&self.names) {
            while at.is_some_and(|(_, node)| node.name.1 as usize <= hit.start()) {
                at = nodes.next();
            }
            // A hit over two names is none.
            match at {
                Some((number, node)) if hit.end() <= node.name.1 as usize => add(number),
                Some(_) => {}
                None => break,
            }
        }
        found
    }
}

/// A path in the order of the tree.
fn sorted(path: &str) -> impl Iterator<Item = u8> {
    path.bytes().map(|byte| if byte == b'/' { 0 } else { byte })
}

struct Builder<'a> {
    tree: FileTree,
    /// The folders on the way to the last item, with the path of each.
    open: Vec<(u32, &'a str)>,
    last: &'a str,
}

impl<'a> Builder<'a> {
    fn new(items: usize) -> Self {
        let root = Node {
            name: (0, 0),
            parent: 0,
            end: 1,
            layer: 0,
            carrier: 0,
            hidden: None,
            change: None,
            below: 0,
            folder: true,
            bytes: 0,
            dead: 0,
            hides: 0,
            files: 0,
        };
        let mut nodes = Vec::with_capacity(items + items / 8 + 1);
        nodes.push(root);
        Self {
            tree: FileTree {
                names: String::new(),
                nodes,
            },
            open: Vec::new(),
            last: "",
        }
    }

    fn add(&mut self, item: &Item<'a>) {
        let path = item.path;
        if path.is_empty() || self.tree.nodes.len() >= u32::MAX as usize {
            return;
        }
        if path == self.last {
            self.more(item);
            return;
        }
        self.last = path;
        while self.open.last().is_some_and(|(_, open)| {
            !path
                .strip_prefix(open)
                .is_some_and(|rest| rest.starts_with('/'))
        }) {
            self.open.pop();
        }
        let mut from = self.open.last().map_or(0, |(_, open)| open.len() + 1);
        // Folders that nobody named.
        while let Some(length) = path.get(from..).and_then(|rest| rest.find('/')) {
            let end = from + length;
            let name = path.get(from..end).unwrap_or_default();
            let node = self.push(name, item.layer, true);
            self.open.push((node, path.get(..end).unwrap_or_default()));
            from = end + 1;
        }
        let name = path.get(from..).unwrap_or_default();
        let node = self.push(name, item.layer, item.folder);
        if item.folder {
            self.open.push((node, path));
        }
        self.fill(node, item);
    }

    /// The same path once more.
    fn more(&mut self, item: &Item<'a>) {
        let last = u32::try_from(self.tree.nodes.len() - 1).unwrap_or(u32::MAX);
        self.fill(last, item);
    }

    fn push(&mut self, name: &str, layer: u16, folder: bool) -> u32 {
        let from = self.tree.names.len();
        if name.bytes().all(|byte| byte.is_ascii_graphic()) {
            self.tree.names.push_str(name);
        } else {
            self.tree.names.push_str(Clean::line(name).as_str());
        }
        // Four gigabytes of names are more than any archive may have.
        let place = |at: usize| u32::try_from(at).unwrap_or(u32::MAX);
        let node = place(self.tree.nodes.len());
        self.tree.nodes.push(Node {
            name: (place(from), place(self.tree.names.len())),
            parent: self.open.last().map_or(0, |(parent, _)| *parent),
            end: node + 1,
            layer,
            carrier: layer,
            hidden: None,
            change: None,
            below: 0,
            folder,
            bytes: 0,
            dead: 0,
            hides: 0,
            files: 0,
        });
        node
    }

    fn fill(&mut self, node: u32, item: &Item<'_>) {
        let Some(node) = self.tree.nodes.get_mut(node as usize) else {
            return;
        };
        node.change = Some(item.change);
        node.below |= bit(item.change);
        node.hidden = item.hidden;
        node.bytes += item.bytes.0;
        if item.hidden.is_some() {
            node.dead += item.bytes.0;
        }
        node.hides += item.hides.0;
        node.files = u32::from(!item.folder && item.change != Change::Removed);
    }

    /// Adds up what is below each folder, from the last node to the first.
    fn finish(mut self) -> FileTree {
        for index in (1..self.tree.nodes.len()).rev() {
            let Some(node) = self.tree.nodes.get(index).copied() else {
                continue;
            };
            if let Some(parent) = self.tree.nodes.get_mut(node.parent as usize) {
                parent.bytes += node.bytes;
                parent.dead += node.dead;
                parent.hides += node.hides;
                parent.files += node.files;
                parent.below |= node.below;
                parent.end = parent.end.max(node.end);
            }
        }
        self.carry();
        self.tree.names.shrink_to_fit();
        self.tree.nodes.shrink_to_fit();
        self.tree
    }

    /// Finds the layer that ships most of each node: a walk for each layer, with one figure a node.
    fn carry(&mut self) {
        let nodes = &mut self.tree.nodes;
        let layers: BTreeSet<u16> = nodes.iter().map(|node| node.layer).collect();
        let mut most = vec![0_u64; nodes.len()];
        let mut sums = vec![0_u64; nodes.len()];
        for layer in layers {
            sums.fill(0);
            for (index, node) in nodes.iter_mut().enumerate().rev() {
                let (above, rest) = sums.split_at_mut(index);
                let (Some(sum), Some(most)) = (rest.first_mut(), most.get_mut(index)) else {
                    continue;
                };
                if !node.folder && node.layer == layer {
                    *sum += node.bytes;
                }
                if let Some(parent) = above.get_mut(node.parent as usize) {
                    *parent += *sum;
                }
                if *sum > 0 && *sum >= *most {
                    *most = *sum;
                    node.carrier = layer;
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn item(path: &str, bytes: u64) -> Item<'_> {
        Item {
            path,
            folder: false,
            bytes: Bytes(bytes),
            change: Change::Added,
            hidden: None,
            hides: Bytes(0),
            layer: 0,
        }
    }

    fn shown(tree: &FileTree) -> Vec<(String, u64, u32)> {
        (1..tree.len())
            .map(|node| {
                let node = u32::try_from(node).unwrap();
                let facts = tree.node(node).unwrap();
                (tree.path(node), facts.bytes, facts.files)
            })
            .collect()
    }

    #[test]
    fn folders_come_right_before_what_is_in_them_and_add_up() {
        let tree = FileTree::of(vec![
            item("usr/lib/b", 2),
            item("usr/lib-x", 1),
            item("usr/lib/a", 4),
            item("etc/x", 8),
        ]);
        let wanted = [
            ("etc", 8, 1),
            ("etc/x", 8, 1),
            ("usr", 7, 3),
            ("usr/lib", 6, 2),
            ("usr/lib/a", 4, 1),
            ("usr/lib/b", 2, 1),
            ("usr/lib-x", 1, 1),
        ];
        let wanted: Vec<_> = wanted
            .into_iter()
            .map(|(path, bytes, files)| (path.to_owned(), bytes, files))
            .collect();
        assert_eq!(shown(&tree), wanted);
        assert_eq!(tree.root().unwrap().bytes(), Bytes(15));
        let usr = tree.children(0).nth(1).unwrap();
        let names: Vec<&str> = tree.children(usr).map(|node| tree.name(node)).collect();
        assert_eq!(names, ["lib", "lib-x"]);
        assert_eq!(tree.parent(usr), Some(0));
        assert_eq!(tree.parent(0), None);
    }

    #[test]
    fn a_folder_that_is_named_is_not_made_twice() {
        let folder = Item {
            folder: true,
            change: Change::Changed,
            ..item("usr", 0)
        };
        let tree = FileTree::of(vec![item("usr/a", 1), folder]);
        assert_eq!(tree.len(), 3);
        assert_eq!(tree.node(1).unwrap().change(), Some(Change::Changed));
        assert!(tree.node(1).unwrap().has(Change::Added));
        assert_eq!(tree.node(1).unwrap().files(), 1);
    }

    #[test]
    fn dead_bytes_add_up_with_the_layer_that_hides_them() {
        let dead = Item {
            hidden: Some((3, How::Deleted)),
            ..item("var/lib/lists", 44)
        };
        let tree = FileTree::of(vec![dead, item("var/x", 6)]);
        assert_eq!(tree.root().unwrap().dead(), Bytes(44));
        let lists = tree.matching("lists");
        assert_eq!(tree.path(lists[0]), "var/lib/lists");
        let node = tree.node(lists[0]).unwrap();
        assert_eq!(node.hidden(), Some((3, How::Deleted)));
    }

    #[test]
    fn names_are_found_whatever_their_case_and_paths_by_their_end() {
        let tree = FileTree::of(vec![
            item("usr/Share/doc/README", 1),
            item("opt/doc", 1),
            item("ab/cd", 1),
        ]);
        let paths = |words: &str| -> Vec<String> {
            let found = tree.matching(words);
            found.into_iter().map(|node| tree.path(node)).collect()
        };
        assert_eq!(paths("DOC"), ["opt/doc", "usr/Share/doc"]);
        assert_eq!(paths("share/d"), ["usr/Share/doc"]);
        assert_eq!(paths("/opt/doc"), ["opt/doc"]);
        assert_eq!(paths("abcd"), [""; 0], "names do not run into each other");
        assert_eq!(paths("readme"), ["usr/Share/doc/README"]);
        assert_eq!(paths(""), [""; 0]);
    }

    #[test]
    fn names_from_an_image_are_made_safe() {
        let tree = FileTree::of(vec![item("a/\u{1b}[31mred\u{202e}", 1)]);
        let name = tree.name(2);
        assert!(
            !name.contains('\u{1b}') && !name.contains('\u{202e}'),
            "{name:?}"
        );
    }

    proptest! {
        #[test]
        fn every_tree_is_whole(paths in proptest::collection::vec("[ab./]{0,6}(/[ab]{1,2}){0,3}", 0..30)) {
            let items: Vec<Item<'_>> = paths.iter().map(|path| item(path, 1)).collect();
            let kept = paths.iter().filter(|path| !path.trim_matches('/').is_empty()).count();
            let tree = FileTree::of(items);
            prop_assert_eq!(tree.root().map_or(0, |root| root.bytes), kept as u64);
            let mut seen = vec![0];
            let mut todo = vec![0];
            while let Some(node) = todo.pop() {
                for child in tree.children(node) {
                    prop_assert_eq!(tree.parent(child), Some(node));
                    prop_assert!(tree.subtree(node).contains(&child));
                    seen.push(child);
                    todo.push(child);
                }
            }
            prop_assert_eq!(seen.len(), tree.len());
        }
    }
}
