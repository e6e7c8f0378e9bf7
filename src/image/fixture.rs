//! Images made by hand, for the tests of this room.

use super::ContentHash;
use super::Contents;
use super::Entry;
use super::EntryKind;
use super::Layer;
use crate::units::Bytes;

/// An image of layers of entries: `path` (a file of 10 bytes), `path 5` (of 5 bytes), `path 5 x`
/// (the same with other bytes), `path/`, `path -> target`, `path == target` (a hard link), `-path`
/// (a whiteout), `-path 5` (a file that is named like one), `!path` (an opaque folder).
pub(super) fn image(layers: &[&[&str]]) -> Contents {
    let layers = layers.iter().enumerate().map(|(index, entries)| {
        let entries: Vec<Entry> = entries.iter().map(|text| entry(text)).collect();
        Layer {
            index,
            shipped: entries.iter().map(|entry| entry.size).sum(),
            entries,
            ..Layer::default()
        }
    });
    Contents {
        layers: layers.collect(),
        ..Contents::default()
    }
}

fn entry(text: &str) -> Entry {
    let (mut size, mut content) = (Bytes(0), None);
    let (path, kind) = if let Some((path, target)) = text.split_once(" -> ") {
        (path, EntryKind::Symlink(target.to_owned()))
    } else if let Some((path, target)) = text.split_once(" == ") {
        (path, EntryKind::Hardlink(target.to_owned()))
    } else if let Some(path) = text.strip_prefix('-') {
        let (path, bytes) = path.split_once(' ').unwrap_or((path, "0"));
        size = Bytes(bytes.parse().unwrap());
        (path, EntryKind::Whiteout)
    } else if let Some(path) = text.strip_prefix('!') {
        (path, EntryKind::Opaque)
    } else if let Some(path) = text.strip_suffix('/') {
        (path, EntryKind::Directory)
    } else {
        let mut words = text.split(' ');
        let path = words.next().unwrap_or_default();
        let bytes = words.next().map_or(10, |word| word.parse().unwrap());
        size = Bytes(bytes);
        // Equal words after the path are equal bytes.
        let text = format!("{bytes} {}", words.next().unwrap_or_default());
        content = Some(ContentHash(xxhash_rust::xxh3::xxh3_64(text.as_bytes())));
        (path, EntryKind::File)
    };
    Entry {
        path: path.to_owned(),
        kind,
        size,
        mode: 0o755,
        uid: 0,
        gid: 0,
        content,
        capabilities: false,
    }
}
