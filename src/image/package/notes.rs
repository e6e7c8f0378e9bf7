//! What the pass noted of packages, by layer and path, and which of it the final file system shows.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use super::collect;
use super::collect::Sort;
use super::record::Record;
use crate::image::Contents;
use crate::image::EntryKind;
use crate::image::hashed::Map;
use crate::image::hashed::Set;
use crate::image::tree::Tree;

/// The most packages that the records of all layers may name: what is more is hostile.
const PACKAGES: usize = 300_000;

/// The records of all layers, deleted ones included.
pub(super) struct Notes<'a> {
    by_path: Map<&'a str, Versions>,
    /// What each layer hides of the layers below.
    hides: Vec<Hides<'a>>,
}

/// The records at one path.
struct Versions {
    sort: Option<Sort>,
    /// Each layer that has one, bottom first.
    records: Vec<(usize, Record)>,
}

/// The records that layers have at a path.
#[derive(Clone, Copy)]
pub(super) struct Noted<'n> {
    /// The path.
    pub(super) path: &'n str,
    /// What kind of record it is; `None` for programs.
    pub(super) sort: Option<Sort>,
    /// Each layer that has one, bottom first.
    pub(super) versions: &'n [(usize, Record)],
}

/// What one layer hides of those below.
#[derive(Default)]
struct Hides<'a> {
    /// Files and folders with all that is in them.
    gone: Set<&'a str>,
    /// Folders of which only the content is hidden.
    emptied: Set<&'a str>,
}

/// A record that the final file system shows.
pub(super) struct Shown<'n> {
    /// The path at which it is shown.
    pub(super) path: String,
    /// The path at which it was noted; another one for a hard link.
    pub(super) noted: &'n str,
    /// The layer.
    pub(super) layer: usize,
    /// What kind of record it is; `None` for programs.
    pub(super) sort: Option<Sort>,
    /// What it says.
    pub(super) record: &'n Record,
}

impl<'a> Notes<'a> {
    /// Takes the notes of an image apart.
    pub(super) fn of(contents: &'a Contents) -> Self {
        let mut by_path: Map<&'a str, Versions> = Map::default();
        let mut hides = Vec::new();
        let mut room = PACKAGES;
        for layer in &contents.layers {
            for note in layer.notes_of(collect::NAME) {
                if let Some(record) = collect::noted(&note.bytes) {
                    let record = bounded(record, &mut room);
                    let versions = by_path.entry(&note.path).or_insert_with(|| Versions {
                        sort: Sort::of(&note.path),
                        records: Vec::new(),
                    });
                    // Of a path that a layer has twice, the second one is what is unpacked.
                    versions.records.retain(|(index, _)| *index != layer.index);
                    versions.records.push((layer.index, record));
                }
            }
            let mut hidden = Hides::default();
            for entry in &layer.entries {
                match entry.kind {
                    EntryKind::Whiteout => {
                        hidden.gone.insert(&entry.path);
                    }
                    EntryKind::Opaque => {
                        hidden.emptied.insert(&entry.path);
                    }
                    EntryKind::File
                    | EntryKind::Directory
                    | EntryKind::Symlink(_)
                    | EntryKind::Hardlink(_)
                    | EntryKind::Other => {}
                }
            }
            hides.push(hidden);
        }
        Self { by_path, hides }
    }

    /// The record at a path in a layer.
    pub(super) fn at(&self, layer: usize, path: &str) -> Option<&Record> {
        self.records(path)
            .iter()
            .find(|(index, _)| *index == layer)
            .map(|(_, record)| record)
    }

    /// The records at a path in the layers below one, the nearest first, as far down as nothing
    /// hides them.
    pub(super) fn below(&self, layer: usize, path: &str) -> impl Iterator<Item = (usize, &Record)> {
        let records = self.records(path);
        let below = records.partition_point(|(index, _)| *index < layer);
        let below = records.get(..below).unwrap_or_default();
        // Most records are in one layer alone, and nothing is to be asked.
        let mut layers = (0..=layer).rev().filter(|_| !below.is_empty());
        let floor = layers.find(|index| self.hides(*index, path)).unwrap_or(0);
        let near = below.iter().rev();
        near.take_while(move |(index, _)| *index >= floor)
            .map(|(index, record)| (*index, record))
    }

    /// The nearest layer below one that has a record at a path, hidden or not.
    pub(super) fn before(&self, layer: usize, path: &str) -> Option<usize> {
        let records = self.records(path).iter().rev();
        records
            .map(|(index, _)| *index)
            .find(|index| *index < layer)
    }

    /// Whether a layer hides what the layers below have at a path.
    pub(super) fn hides(&self, layer: usize, path: &str) -> bool {
        let Some(hidden) = self.hides.get(layer) else {
            return false;
        };
        if hidden.gone.is_empty() && hidden.emptied.is_empty() {
            return false;
        }
        hidden.gone.contains(path)
            || parents(path)
                .any(|parent| hidden.gone.contains(parent) || hidden.emptied.contains(parent))
    }

    /// All records, by path.
    pub(super) fn files(&self) -> impl Iterator<Item = Noted<'_>> {
        self.by_path.iter().map(|(path, versions)| Noted {
            path,
            sort: versions.sort,
            versions: &versions.records,
        })
    }

    fn records(&self, path: &str) -> &[(usize, Record)] {
        let versions = self.by_path.get(path);
        versions.map_or(&[], |versions| &versions.records)
    }

    /// What the final file system shows, by path; a file with several names once, by its first
    /// one where that is shown.
    pub(super) fn shown(&self, tree: &Tree<'a>) -> Vec<Shown<'_>> {
        let mut files: BTreeMap<(usize, &'a str), String> = BTreeMap::new();
        tree.each_file(|path, layer, entry| {
            let noted: &'a str = &entry.path;
            if !self.by_path.contains_key(noted) {
                return;
            }
            match files.entry((layer, noted)) {
                Entry::Vacant(free) => {
                    free.insert(path.to_owned());
                }
                Entry::Occupied(mut old) => {
                    let rank = |path: &str| (depth_hidden(path), path != noted);
                    if rank(path) < rank(old.get()) {
                        old.insert(path.to_owned());
                    }
                }
            }
        });
        let shown = files.into_iter().filter_map(|((layer, noted), path)| {
            let versions = self.by_path.get(noted)?;
            let mut records = versions.records.iter();
            let (_, record) = records.find(|(index, _)| *index == layer)?;
            Some(Shown {
                path,
                noted,
                layer,
                sort: versions.sort,
                record,
            })
        });
        shown.collect()
    }
}

/// The same record, as long as there is room for its packages.
fn bounded(record: Record, room: &mut usize) -> Record {
    let Some(packages) = record.packages() else {
        return record;
    };
    match room.checked_sub(packages.len()) {
        Some(rest) => {
            *room = rest;
            record
        }
        None => Record::Broken(String::from(
            "the image's records name more packages than is sensible",
        )),
    }
}

/// How many parts of a path are hidden: a cache that shares its files is not where they are used.
fn depth_hidden(path: &str) -> usize {
    path.split('/').filter(|part| part.starts_with('.')).count()
}

/// The folders that a path is in, the nearest first.
fn parents(path: &str) -> impl Iterator<Item = &str> {
    std::iter::successors(path.rsplit_once('/').map(|(parent, _)| parent), |path| {
        path.rsplit_once('/').map(|(parent, _)| parent)
    })
}

#[cfg(test)]
mod tests {
    use super::super::PackageKind;
    use super::super::record::Stated;
    use super::*;

    #[test]
    fn more_packages_than_is_sensible_are_a_broken_record() {
        let one = Stated::new(PackageKind::Deb, "a", "1").unwrap();
        let mut room = 3;
        let two = Record::Packages(vec![one.clone(), one]);
        assert_eq!(bounded(two.clone(), &mut room), two);
        assert!(matches!(bounded(two, &mut room), Record::Broken(_)));
        assert_eq!(bounded(Record::Opaque, &mut room), Record::Opaque);
    }
}
