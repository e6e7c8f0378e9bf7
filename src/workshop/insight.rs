//! What one look into an image shows: its layers, the bytes that are shipped and cannot be seen,
//! its files, its known vulnerabilities, and the words for them. Pure.

mod cves;
mod files;
mod names;

pub use cves::Advised;
pub use cves::Comparison;
pub use cves::Origin;
pub use cves::Seen;
pub use cves::Source;
pub use cves::blind_spots;
pub use cves::database;
pub use cves::lines as cve_lines;
pub use cves::uncompared;
pub use files::FileTree;
pub use files::Item;
pub use files::Node;
pub use names::Names;
pub use names::instruction;
pub use names::path;
pub use names::size;

use crate::image::Contents;
use crate::image::EntryKind;
use crate::image::changes::Change;
use crate::image::changes::Touched;
use crate::image::changes::changes;
use crate::image::dead::Bill;
use crate::image::dead::Heap;
use crate::image::dead::Ledger;
use crate::units::Bytes;
use crate::workshop::Trouble;

/// What one look into an image shows.
#[derive(Debug, Clone, PartialEq)]
pub struct Insight {
    /// The image, as the engine calls it.
    pub image: String,
    /// Its layers, bottom first.
    pub layers: Vec<LayerInsight>,
    /// The files of all layers, one tree: a path that several layers ship has the bytes of all.
    pub whole: FileTree,
    /// Dead bytes in heaps, the largest first.
    pub heaps: Vec<Heap>,
    /// Its packages compared with advisories, or why they were not.
    pub advised: Result<Advised, Trouble>,
}

/// One layer.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct LayerInsight {
    /// What it ships and hides.
    pub bill: Bill,
    /// What it does to the files.
    pub files: FileTree,
    /// How many files it adds, changes and removes.
    pub counts: [usize; 3],
}

impl Insight {
    /// Works out what a pass over an image found. Takes the time of reading all paths a few times.
    #[must_use]
    pub fn of(image: &str, contents: &Contents, advised: Result<Advised, Trouble>) -> Self {
        let ledger = Ledger::of(contents);
        let touched = changes(contents, &ledger);
        let heaps = ledger.heaps();
        let mut bills = ledger.layers;
        // Below, the most is held at once: with a hundred thousand files this is felt. So the
        // largest tree comes first, and each layer goes when its own is made.
        drop(ledger.dead);
        let shipped = touched.iter().enumerate().flat_map(|(index, touched)| {
            let there = touched.iter().filter(|one| one.change != Change::Removed);
            there.map(move |one| item(index, one))
        });
        let whole = FileTree::of(shipped.collect());
        let layers = touched.into_iter().enumerate().map(|(index, touched)| {
            let items = touched.iter().map(|one| item(index, one)).collect();
            LayerInsight {
                bill: bills.get_mut(index).map(std::mem::take).unwrap_or_default(),
                files: FileTree::of(items),
                counts: [Change::Added, Change::Changed, Change::Removed].map(|change| {
                    let of = touched.iter().filter(|one| one.change == change);
                    of.filter(|one| !is_folder(one)).count()
                }),
            }
        });
        Self {
            image: image.to_owned(),
            layers: layers.collect(),
            whole,
            heaps,
            advised,
        }
    }

    /// Bytes that all layers ship.
    #[must_use]
    pub fn shipped(&self) -> Bytes {
        self.layers.iter().map(|layer| layer.bill.shipped).sum()
    }

    /// Bytes of those that cannot be seen.
    #[must_use]
    pub fn dead(&self) -> Bytes {
        self.layers.iter().map(|layer| layer.bill.dead).sum()
    }

    /// The tree of the whole image for 0, of layer `at - 1` otherwise.
    #[must_use]
    pub fn tree(&self, at: usize) -> &FileTree {
        let layer = at.checked_sub(1).and_then(|layer| self.layers.get(layer));
        layer.map_or(&self.whole, |layer| &layer.files)
    }

    /// The layer that ships most of a node of the whole image.
    #[must_use]
    pub fn layer_of(&self, node: u32) -> Option<usize> {
        self.whole.node(node).map(Node::carrier)
    }
}

fn is_folder(touched: &Touched<'_>) -> bool {
    touched.entry.kind == EntryKind::Directory
}

/// The number of a layer as the tree has it: there are a thousand at most.
fn short(layer: usize) -> u16 {
    u16::try_from(layer).unwrap_or(u16::MAX)
}

/// A path as the tree takes it.
fn item<'t>(layer: usize, touched: &'t Touched<'_>) -> Item<'t> {
    let removed = touched.change == Change::Removed;
    let bytes = touched.bytes();
    Item {
        path: &touched.path,
        folder: is_folder(touched),
        bytes: if removed { Bytes(0) } else { bytes },
        change: touched.change,
        hidden: touched.dead,
        hides: if removed { bytes } else { Bytes(0) },
        layer: short(layer),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::image::Entry;
    use crate::image::Layer;

    /// Layers of `path bytes`, `path/` and `-path` for a whiteout.
    fn image(layers: &[Vec<&str>]) -> Contents {
        let entry = |text: &&str| {
            let (path, size) = text.split_once(' ').unwrap_or((text, "0"));
            let (path, kind) = match (path.strip_prefix('-'), path.strip_suffix('/')) {
                (Some(path), _) => (path, EntryKind::Whiteout),
                (None, Some(path)) => (path, EntryKind::Directory),
                (None, None) => (path, EntryKind::File),
            };
            Entry {
                path: path.to_owned(),
                kind,
                size: Bytes(size.parse().unwrap()),
                mode: 0o755,
                uid: 0,
                gid: 0,
                content: None,
                capabilities: false,
            }
        };
        let layers = layers.iter().enumerate().map(|(index, entries)| Layer {
            index,
            entries: entries.iter().map(entry).collect(),
            ..Layer::default()
        });
        Contents {
            layers: layers.collect(),
            ..Contents::default()
        }
    }

    fn paths(tree: &FileTree) -> Vec<String> {
        (1..tree.len())
            .map(|node| tree.path(u32::try_from(node).unwrap()))
            .collect()
    }

    #[test]
    fn layers_and_the_whole_add_up_to_the_ledger() {
        let contents = image(&[
            vec!["a/", "a/x 5", "a/y 6", "b 7"],
            vec!["a/x 9", "-b", "c 1"],
        ]);
        let insight = Insight::of("sha256:1", &contents, Err(Trouble::new("x")));
        assert_eq!(insight.shipped(), Bytes(28));
        assert_eq!(insight.dead(), Bytes(12));
        assert_eq!(insight.whole.root().unwrap().bytes(), Bytes(28));
        assert_eq!(insight.whole.root().unwrap().dead(), Bytes(12));
        assert_eq!(paths(&insight.whole), ["a", "a/x", "a/y", "b", "c"]);
        let upper = insight.tree(2);
        assert_eq!(paths(upper), ["a", "a/x", "b", "c"]);
        assert_eq!(upper.root().unwrap().hides(), Bytes(7));
        assert_eq!(insight.layers[1].counts, [1, 1, 1]);
    }

    #[test]
    fn the_layer_of_a_folder_is_the_one_that_ships_most_of_it() {
        let contents = image(&[vec!["a/", "a/x 5"], vec!["a/y 6"], vec!["b 1"]]);
        let insight = Insight::of("sha256:1", &contents, Err(Trouble::new("x")));
        let at = |path: &str| insight.whole.matching(path)[0];
        assert_eq!(insight.layer_of(at("a")), Some(1));
        assert_eq!(insight.layer_of(at("x")), Some(0));
        assert_eq!(insight.layer_of(at("b")), Some(2));
    }
}
