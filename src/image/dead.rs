//! Dead bytes: what an image ships and its final file system does not show, to the byte.
//!
//! The payload of every regular file belongs to one layer and one path. It is live while the final
//! file system shows it under any name, and dead otherwise, with the entry that took its last name
//! away. Hard links are names, not payloads; a whiteout of something that is not there does
//! nothing. A file that is named like a whiteout is dead where it is shipped. Efficiency is live bytes over shipped bytes.

mod heap;

use std::collections::BTreeMap;

pub use heap::Heap;
use serde::Serialize;

use super::Contents;
use super::EntryKind;
use super::merge::Event;
use super::merge::Merge;
use super::merge::Place;
use super::merge::Way;
use crate::units::Bytes;
use crate::units::Percent;

/// How a file's bytes came to be dead.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum How {
    /// The file, or a folder that it is in, was deleted.
    Deleted,
    /// Another file took its place, with other bytes.
    Overwritten,
    /// The same bytes were shipped again: its permissions, owner or time changed.
    MetadataOnly,
    /// A folder that it is in was made anew and hides what was in it.
    Opaque,
    /// Something that is not a file took its place, or something that is not a folder took the
    /// place of a folder that it is in.
    Replaced,
}

impl From<Way> for How {
    fn from(way: Way) -> Self {
        match way {
            Way::Deleted => Self::Deleted,
            Way::Opaque => Self::Opaque,
            Way::Replaced => Self::Replaced,
            Way::Overwritten => Self::Overwritten,
            Way::SameBytes => Self::MetadataOnly,
        }
    }
}

/// A file whose bytes are dead.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dead {
    /// Its path, without a leading slash.
    pub path: String,
    /// Its payload; never zero.
    pub bytes: Bytes,
    /// The layer that ships it, from 0 at the bottom.
    pub shipped_in: usize,
    /// The layer that took its last name away; the same one where a layer has a path twice.
    pub hidden_in: usize,
    /// How.
    pub how: How,
    /// The path of the entry that did: the deleted folder, the new file. Without a leading slash.
    pub by: String,
}

/// What one layer ships and hides.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Bill {
    /// What it ships.
    pub shipped: Bytes,
    /// How much of that is dead.
    pub dead: Bytes,
    /// How much it made dead, in itself and in the layers below.
    pub hidden: Bytes,
}

/// The dead and the live bytes of an image.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Ledger {
    /// One bill per layer, bottom first.
    pub layers: Vec<Bill>,
    /// The dead files, the largest first.
    pub dead: Vec<Dead>,
}

impl Ledger {
    /// Draws up the ledger of an image, in the time that it takes to read its paths.
    #[must_use]
    pub fn of(contents: &Contents) -> Self {
        // How many names each payload has, and how it lost the last one.
        let layers = contents.layers.iter();
        let mut names: Vec<Vec<u32>> = layers.map(|layer| vec![0; layer.entries.len()]).collect();
        let mut lost: BTreeMap<Place, Dead> = BTreeMap::new();
        Merge::replay(&contents.layers, |merge, event| match event {
            Event::Came { place, .. } => {
                let count = merge.file(place).and_then(|file| slot(&mut names, file));
                if let Some(count) = count {
                    *count = count.saturating_add(1);
                }
            }
            Event::Went {
                spot,
                place,
                by,
                way,
            } => {
                let Some(file) = merge.file(place) else {
                    return;
                };
                let Some(count) = slot(&mut names, file) else {
                    return;
                };
                *count = count.saturating_sub(1);
                let bytes = merge.entry(file).map_or(Bytes(0), |entry| entry.size);
                if *count == 0 && bytes > Bytes(0) {
                    let dead = Dead {
                        path: merge.path(spot),
                        bytes,
                        shipped_in: file.layer,
                        hidden_in: by.layer,
                        how: way.into(),
                        by: merge
                            .entry(by)
                            .map(|entry| entry.path.clone())
                            .unwrap_or_default(),
                    };
                    lost.insert(file, dead);
                }
            }
        });
        lost.retain(|file, _| slot(&mut names, *file).is_some_and(|count| *count == 0));
        let named_like_whiteouts = contents.layers.iter().enumerate().flat_map(stillborn);
        let dead = lost.into_values().chain(named_like_whiteouts);
        Self::add_up(contents, dead.collect())
    }

    fn add_up(contents: &Contents, mut dead: Vec<Dead>) -> Self {
        let bill = |layer: &super::Layer| Bill {
            shipped: layer.entries.iter().map(|entry| entry.size).sum(),
            ..Bill::default()
        };
        let mut layers: Vec<Bill> = contents.layers.iter().map(bill).collect();
        for file in &dead {
            if let Some(bill) = layers.get_mut(file.shipped_in) {
                bill.dead = bill.dead.plus(file.bytes);
            }
            if let Some(bill) = layers.get_mut(file.hidden_in) {
                bill.hidden = bill.hidden.plus(file.bytes);
            }
        }
        dead.sort_by(|a, b| {
            (b.bytes, &a.path, a.shipped_in).cmp(&(a.bytes, &b.path, b.shipped_in))
        });
        Self { layers, dead }
    }

    /// What all layers ship.
    #[must_use]
    pub fn shipped(&self) -> Bytes {
        self.layers.iter().map(|layer| layer.shipped).sum()
    }

    /// How much of it is dead.
    #[must_use]
    pub fn dead_bytes(&self) -> Bytes {
        self.layers.iter().map(|layer| layer.dead).sum()
    }

    /// How much of it the final file system shows.
    #[must_use]
    pub fn live(&self) -> Bytes {
        self.shipped().minus(self.dead_bytes())
    }

    /// Live bytes as a share of shipped bytes; 100 % where nothing is shipped.
    #[must_use]
    pub fn efficiency(&self) -> Percent {
        if self.shipped() == Bytes(0) {
            return Percent(100.0);
        }
        self.live().share_of(self.shipped())
    }

    /// The dead files as people think of them, the largest heap first: what one instruction did to
    /// what another one brought.
    #[must_use]
    pub fn heaps(&self) -> Vec<Heap> {
        heap::heaps(&self.dead)
    }
}

/// The files of a layer that are named like whiteouts: whoever unpacks it deletes by them and keeps
/// none of their bytes.
fn stillborn((index, layer): (usize, &super::Layer)) -> impl Iterator<Item = Dead> {
    let marks = layer.entries.iter().filter(|entry| {
        let hides = matches!(entry.kind, EntryKind::Whiteout | EntryKind::Opaque);
        hides && entry.size > Bytes(0)
    });
    marks.map(move |entry| Dead {
        path: entry.written(),
        bytes: entry.size,
        shipped_in: index,
        hidden_in: index,
        how: How::Deleted,
        by: entry.written(),
    })
}

fn slot(names: &mut [Vec<u32>], place: Place) -> Option<&mut u32> {
    names.get_mut(place.layer)?.get_mut(place.entry)
}

#[cfg(test)]
mod tests;
