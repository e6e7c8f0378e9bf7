//! One layer: its entries, what they weigh, what its programs are, and where needles are in it.

use std::collections::BTreeMap;
use std::collections::BTreeSet;
use std::io::BufRead;

use serde::Deserialize;
use serde::Serialize;
use tar::EntryType;

use super::ArchiveError;
use super::Options;
use super::budget::Budget;
use super::file::File;
use super::file::Hasher;
use super::members::Member;
use super::members::Members;
use super::needles::Needles;
use super::needles::Search;
use super::probe::Seen;
use crate::image::Entry;
use crate::image::EntryKind;
use crate::image::Note;
use crate::image::binary::Program;
use crate::units::Bytes;

/// What one layer holds.
#[derive(Debug, Default, Clone, Serialize, Deserialize)]
pub(super) struct Scanned {
    pub(super) entries: Vec<Entry>,
    pub(super) shipped: Bytes,
    pub(super) programs: BTreeMap<String, Program>,
    pub(super) kept: BTreeMap<String, Vec<u8>>,
    pub(super) notes: Vec<Note>,
    /// Path and needle.
    pub(super) hits: Vec<(String, usize)>,
    /// SHA-256 of the uncompressed layer, where it was asked for.
    pub(super) digest: Option<String>,
    /// Whether it was not read now but remembered.
    #[serde(skip)]
    pub(super) recalled: bool,
    /// Whether the part of the archive that it comes in was held against its name.
    #[serde(skip)]
    pub(super) named: bool,
}

/// Reads a layer to the end of its entries.
pub(super) fn scan(
    reader: &mut impl BufRead,
    options: &Options,
    needles: Option<&Needles>,
    budget: &mut Budget,
) -> Result<Scanned, ArchiveError> {
    let mut layer = Scanned::default();
    let mut hasher = Hasher::default();
    let mut members = Members::new(reader);
    while let Some(member) = members.next(budget)? {
        if member.path.is_empty() {
            continue;
        }
        let Some((path, kind)) = name_and_kind(&member) else {
            continue;
        };
        let mode = member.mode & 0o7777;
        let mut search = needles.map(Search::new);
        if let Some(search) = &mut search {
            search.look(member.path.as_bytes());
            search.look(member.link.as_bytes());
        }
        let mut content = None;
        let mut size = Bytes(0);
        // What is written for a deleted file has no payload; a file that somebody gave such a name
        // is shipped like any other.
        let has_payload = kind == EntryKind::File || member.is_file() && member.size > 0;
        if has_payload {
            size = Bytes(member.size);
            let path = member.path.as_str();
            let mut file = File::new(&Seen { path, size, mode }, options);
            let hash = file.read(&mut members.payload(), search.as_mut(), &mut hasher)?;
            file.file(&mut layer, budget)?;
            content = (kind == EntryKind::File).then_some(hash);
            layer.shipped = layer.shipped.plus(size);
        }
        let found = search.map(|search| search.found).unwrap_or_default();
        let hits = found.iter().enumerate().filter(|(_, found)| **found);
        layer
            .hits
            .extend(hits.map(|(needle, _)| (member.path.clone(), needle)));
        layer.entries.push(Entry {
            path,
            kind,
            size,
            mode,
            uid: member.uid,
            gid: member.gid,
            content,
            capabilities: member.capabilities,
        });
    }
    for (link, file) in links(&layer.entries) {
        if let Some(said) = layer.entries.get(link).cloned()
            && let Some(file) = layer.entries.get_mut(file)
        {
            (file.mode, file.uid, file.gid) = (said.mode, said.uid, said.gid);
            file.capabilities = said.capabilities;
        }
    }
    Ok(layer)
}

/// Each hard link with the file before it that it is another name of. Engines give a file the mode,
/// the owner and the attributes that each header says that has a name of it: the last one stays.
fn links(entries: &[Entry]) -> Vec<(usize, usize)> {
    let targets = entries.iter().filter_map(|entry| match &entry.kind {
        EntryKind::Hardlink(target) => Some(target.as_str()),
        _ => None,
    });
    let targets: BTreeSet<&str> = targets.collect();
    let mut files: BTreeMap<&str, usize> = BTreeMap::new();
    let mut found = Vec::new();
    for (position, entry) in entries.iter().enumerate() {
        let file = match &entry.kind {
            EntryKind::File => Some(position),
            EntryKind::Hardlink(target) => files.get(target.as_str()).copied(),
            _ => None,
        };
        if let (EntryKind::Hardlink(_), Some(file)) = (&entry.kind, file) {
            found.push((position, file));
        }
        if targets.contains(entry.path.as_str()) {
            match file {
                Some(file) => files.insert(&entry.path, file),
                None => files.remove(entry.path.as_str()),
            };
        }
    }
    found
}

/// The path an entry speaks of, and what it is; `None` for a storage driver's own notes.
fn name_and_kind(member: &Member) -> Option<(String, EntryKind)> {
    let (parent, name) = match member.path.rsplit_once('/') {
        Some((parent, name)) => (Some(parent), name),
        None => (None, member.path.as_str()),
    };
    if name == ".wh..wh..opq" {
        return Some((parent.unwrap_or_default().to_owned(), EntryKind::Opaque));
    }
    if name.starts_with(".wh..wh.") && !(member.is_file() && member.size > 0) {
        return None;
    }
    if let Some(hidden) = name.strip_prefix(".wh.") {
        let path = parent.map_or_else(|| hidden.to_owned(), |parent| format!("{parent}/{hidden}"));
        return Some((path, EntryKind::Whiteout));
    }
    let kind = match member.kind {
        _ if member.is_file() => EntryKind::File,
        EntryType::Directory => EntryKind::Directory,
        EntryType::Symlink => EntryKind::Symlink(member.link.clone()),
        EntryType::Link => {
            let target = member.link.trim_start_matches("./").trim_start_matches('/');
            EntryKind::Hardlink(target.to_owned())
        }
        _ => EntryKind::Other,
    };
    Some((member.path.clone(), kind))
}
