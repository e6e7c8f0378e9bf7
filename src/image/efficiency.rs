//! The figures that `dive` would give for an image, for people who compare.
//!
//! Its formula (wagoodman/dive, `filetree/efficiency.go` and `image/analysis.go`): over the leaf
//! paths of every layer, the smallest size of each path over the sum of its sizes, where a deleted
//! file counts as zero and a deleted folder as all that was in it; wasted is the sum of all copies
//! of each path that several layers have, the one that is kept included. Opaque folders do not
//! count, and the user's bytes are those of all layers but the first. One departure: a whiteout of
//! something that is not there is zero bytes here, where that tool stops reading the layer.
//! [`Ledger`](super::dead::Ledger) has the figures that are true.

use std::collections::BTreeMap;

use super::Contents;
use super::Entry;
use super::EntryKind;
use super::Layer;
use super::hashed::Map;
use super::hashed::Set;
use crate::units::Bytes;

/// What `dive` calls the efficiency and the waste of an image.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct DiveFigures {
    /// From 0 to 1; 1 of nothing.
    pub efficiency: f64,
    /// All copies of paths that several layers have.
    pub wasted: Bytes,
    /// `wasted` over the size of all layers but the first; may exceed 1, `None` where there is
    /// nothing to divide by.
    pub user_wasted: Option<f64>,
}

/// The sizes that one path has in all layers.
#[derive(Debug, Clone, Copy)]
struct Sizes {
    smallest: u64,
    sum: u64,
    times: u32,
}

impl DiveFigures {
    /// Computes them.
    #[must_use]
    pub fn of(contents: &Contents) -> Self {
        let mut below = Stack::new();
        let mut paths: Map<&str, Sizes> = Map::default();
        for layer in &contents.layers {
            let nodes = last_of_each(layer);
            let folders = folders(&nodes);
            for entry in &nodes {
                if !is_whiteout(entry) && folders.contains(entry.path.as_str()) {
                    continue;
                }
                let size = match entry.kind {
                    EntryKind::Whiteout => below.folder_size(&entry.path),
                    _ => entry.size.0,
                };
                let sizes = paths.entry(&entry.path).or_insert(Sizes {
                    smallest: size,
                    sum: 0,
                    times: 0,
                });
                sizes.smallest = sizes.smallest.min(size);
                sizes.sum = sizes.sum.saturating_add(size);
                sizes.times += 1;
            }
            below.add(&nodes);
        }
        let smallest = paths.values().map(|sizes| Bytes(sizes.smallest)).sum();
        let all = paths.values().map(|sizes| Bytes(sizes.sum)).sum();
        let several = paths.values().filter(|sizes| sizes.times > 1);
        let wasted: Bytes = several.map(|sizes| Bytes(sizes.sum)).sum();
        let user = contents
            .layers
            .iter()
            .skip(1)
            .map(|layer| layer.shipped)
            .sum();
        Self {
            efficiency: ratio(smallest, all).unwrap_or(1.0),
            wasted,
            user_wasted: ratio(wasted, user),
        }
    }
}

#[expect(
    clippy::cast_precision_loss,
    reason = "the figure that it is compared with is computed like this"
)]
fn ratio(part: Bytes, whole: Bytes) -> Option<f64> {
    (whole > Bytes(0)).then(|| part.0 as f64 / whole.0 as f64)
}

/// The nodes of a layer's own tree, sorted by path, a whiteout behind what else has its path: of a
/// path that a layer has twice, the last.
fn last_of_each(layer: &Layer) -> Vec<&Entry> {
    let entries = layer.entries.iter();
    let mut nodes: Vec<&Entry> = entries
        .filter(|entry| entry.kind != EntryKind::Opaque)
        .collect();
    nodes.reverse();
    nodes.sort_by_key(|entry| key(entry));
    nodes.dedup_by(|later, first| key(later) == key(first));
    nodes
}

fn key(entry: &Entry) -> (&str, bool) {
    (&entry.path, is_whiteout(entry))
}

fn is_whiteout(entry: &Entry) -> bool {
    entry.kind == EntryKind::Whiteout
}

/// The paths of a layer that have something below them.
fn folders<'a>(nodes: &[&'a Entry]) -> Set<&'a str> {
    let mut folders = Set::default();
    for entry in nodes {
        let mut path = entry.path.as_str();
        while let Some((parent, _)) = path.rsplit_once('/')
            && folders.insert(parent)
        {
            path = parent;
        }
    }
    folders
}

/// The layers below as that tool stacks them, with the size of everything in each folder.
struct Stack<'a> {
    spots: Vec<Spot<'a>>,
}

#[derive(Default)]
struct Spot<'a> {
    parent: usize,
    children: BTreeMap<&'a str, usize>,
    folder: bool,
    own: u64,
    /// Its own size and that of everything below.
    all: u64,
}

impl<'a> Stack<'a> {
    fn new() -> Self {
        Self {
            spots: vec![Spot::default()],
        }
    }

    /// What a whiteout of this path counts as: all that is in the folder there, else nothing.
    fn folder_size(&self, path: &str) -> u64 {
        let spot = self.find(path).and_then(|spot| self.spots.get(spot));
        spot.filter(|spot| spot.folder).map_or(0, |spot| spot.all)
    }

    /// Puts a layer on top.
    fn add(&mut self, nodes: &[&'a Entry]) {
        for whiteout in nodes.iter().filter(|entry| is_whiteout(entry)) {
            self.remove(&whiteout.path);
        }
        for entry in nodes.iter().filter(|entry| !is_whiteout(entry)) {
            let spot = self.make(&entry.path);
            let before = self.spots.get(spot).map_or(0, |one| one.own);
            if let Some(one) = self.spots.get_mut(spot) {
                one.own = entry.size.0;
                one.folder = entry.kind == EntryKind::Directory;
            }
            self.weigh(spot, before, entry.size.0);
        }
    }

    fn find(&self, path: &str) -> Option<usize> {
        path.split('/').try_fold(0, |at, part| {
            self.spots.get(at)?.children.get(part).copied()
        })
    }

    fn make(&mut self, path: &'a str) -> usize {
        let mut at = 0;
        for part in path.split('/') {
            let new = self.spots.len();
            let Some(one) = self.spots.get_mut(at) else {
                return 0;
            };
            let next = *one.children.entry(part).or_insert(new);
            if next == new {
                self.spots.push(Spot {
                    parent: at,
                    ..Spot::default()
                });
            }
            at = next;
        }
        at
    }

    fn remove(&mut self, path: &str) {
        let Some(spot) = self.find(path) else {
            return;
        };
        let (parent, all) = self
            .spots
            .get(spot)
            .map_or((0, 0), |one| (one.parent, one.all));
        let name = path.rsplit('/').next().unwrap_or(path);
        if let Some(parent) = self.spots.get_mut(parent) {
            parent.children.remove(name);
        }
        self.weigh(parent, all, 0);
    }

    /// Takes one size from a spot and all folders above it, and adds another.
    fn weigh(&mut self, mut spot: usize, minus: u64, plus: u64) {
        if minus == plus {
            return;
        }
        while let Some(one) = self.spots.get_mut(spot) {
            one.all = one.all.saturating_sub(minus).saturating_add(plus);
            if spot == 0 {
                return;
            }
            spot = one.parent;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::image::fixture::image;

    fn figures(layers: &[&[&str]]) -> (String, u64, Option<String>) {
        let figures = DiveFigures::of(&image(layers));
        let share = figures.user_wasted.map(|share| format!("{share:.3}"));
        (
            format!("{:.3}", figures.efficiency),
            figures.wasted.0,
            share,
        )
    }

    #[test]
    fn one_layer_wastes_nothing_and_has_no_user_bytes() {
        assert_eq!(
            figures(&[&["a 5", "b/", "b/c 6"]]),
            ("1.000".to_owned(), 0, None)
        );
        assert_eq!(figures(&[]), ("1.000".to_owned(), 0, None));
    }

    #[test]
    fn every_copy_counts_the_one_that_is_kept_included() {
        // The smallest over the sum: (60 + 10) / (60 + 100 + 10).
        let layers: &[&[&str]] = &[&["perl 60", "b 10"], &["perl 100"]];
        assert_eq!(
            figures(layers),
            ("0.412".to_owned(), 160, Some("1.600".to_owned()))
        );
    }

    #[test]
    fn a_deleted_file_counts_as_zero() {
        let layers: &[&[&str]] = &[&["b 10"], &["solo 30"], &["-solo"]];
        assert_eq!(
            figures(layers),
            ("0.250".to_owned(), 30, Some("1.000".to_owned()))
        );
    }

    #[test]
    fn a_deleted_folder_is_missed_unless_it_was_a_leaf() {
        // `/big` is a path of one layer only, of the size of what was in it.
        let base: &[&str] = &["big/", "big/a 20", "big/s/", "big/s/b 10"];
        assert_eq!(figures(&[base, &["-big"]]), ("1.000".to_owned(), 0, None));
        let again: &[&[&str]] = &[base, &["-big"], &["big/"], &["x 60"]];
        // (20 + 10 + 0 + 60) / (20 + 10 + 30 + 60)
        assert_eq!(
            figures(again),
            ("0.750".to_owned(), 30, Some("0.500".to_owned()))
        );
    }

    #[test]
    fn opaque_folders_do_not_count() {
        let layers: &[&[&str]] = &[&["d/", "d/a 20"], &["d/", "!d", "d/b 5"]];
        assert_eq!(
            figures(layers),
            ("1.000".to_owned(), 0, Some("0.000".to_owned()))
        );
    }

    #[test]
    fn a_dangling_whiteout_counts_as_zero() {
        let layers: &[&[&str]] = &[&["a 10"], &["-nothing", "a 10"]];
        assert_eq!(
            figures(layers),
            ("0.500".to_owned(), 20, Some("2.000".to_owned()))
        );
    }
}
