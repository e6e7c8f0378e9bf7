//! One layer: its entries, what they weigh, what its programs are, and where needles are in it.

use std::collections::BTreeMap;
use std::io;
use std::io::BufRead;

use aho_corasick::AhoCorasick;
use tar::EntryType;

use super::ArchiveError;
use super::Budget;
use super::Options;
use super::members::Member;
use super::members::Members;
use crate::image::Entry;
use crate::image::EntryKind;
use crate::image::binary;
use crate::image::binary::Look;
use crate::image::binary::Program;
use crate::units::Bytes;

/// The largest file whose content is kept.
const KEEP_CAP: u64 = 64 * 1024;

/// What one layer holds.
#[derive(Debug, Default, Clone)]
pub(super) struct Scanned {
    pub(super) entries: Vec<Entry>,
    pub(super) shipped: Bytes,
    pub(super) programs: BTreeMap<String, Program>,
    pub(super) kept: BTreeMap<String, Vec<u8>>,
    /// Path and needle.
    pub(super) hits: Vec<(String, usize)>,
    /// SHA-256 of the uncompressed layer, where it was asked for.
    pub(super) digest: Option<String>,
}

/// Byte strings to search for.
#[derive(Debug)]
pub(super) struct Needles {
    automaton: AhoCorasick,
    longest: usize,
    count: usize,
}

impl Needles {
    /// Prepares the search; `None` where there is nothing to search for.
    pub(super) fn new(needles: &[Vec<u8>]) -> Result<Option<Self>, ArchiveError> {
        let longest = needles.iter().map(Vec::len).max().unwrap_or(0);
        if longest == 0 {
            return Ok(None);
        }
        let automaton = AhoCorasick::new(needles)
            .map_err(|error| ArchiveError::broken(format!("the search is too large ({error})")))?;
        Ok(Some(Self {
            automaton,
            longest,
            count: needles.len(),
        }))
    }
}

/// A search through one payload that comes in pieces.
struct Search<'a> {
    needles: &'a Needles,
    found: Vec<bool>,
    /// The last bytes of the pieces before: one less than the longest needle.
    carry: Vec<u8>,
}

impl<'a> Search<'a> {
    fn new(needles: &'a Needles) -> Self {
        Self {
            needles,
            found: vec![false; needles.count],
            carry: Vec::new(),
        }
    }

    fn look(&mut self, bytes: &[u8]) {
        for hit in self.needles.automaton.find_overlapping_iter(bytes) {
            if !hit.is_empty()
                && let Some(found) = self.found.get_mut(hit.pattern().as_usize())
            {
                *found = true;
            }
        }
    }

    fn feed(&mut self, piece: &[u8]) {
        let overlap = self.needles.longest - 1;
        if !self.carry.is_empty() {
            let mut seam = std::mem::take(&mut self.carry);
            seam.extend_from_slice(piece.get(..overlap).unwrap_or(piece));
            self.look(&seam);
            self.carry = seam;
        }
        self.look(piece);
        if piece.len() >= overlap {
            self.carry.clear();
            self.carry
                .extend_from_slice(piece.get(piece.len() - overlap..).unwrap_or_default());
        } else {
            // The seam holds the carried bytes and all of this piece.
            if self.carry.is_empty() {
                self.carry.extend_from_slice(piece);
            }
            let surplus = self.carry.len().saturating_sub(overlap);
            self.carry.drain(..surplus);
        }
    }
}

/// Reads a layer to the end of its entries.
pub(super) fn scan(
    reader: &mut impl BufRead,
    options: &Options,
    needles: Option<&Needles>,
    budget: &mut Budget,
) -> Result<Scanned, ArchiveError> {
    let mut layer = Scanned::default();
    let mut members = Members::new(reader);
    while let Some(member) = members.next(budget)? {
        if member.path.is_empty() {
            continue;
        }
        let Some((path, kind)) = name_and_kind(&member) else {
            continue;
        };
        let is_file = kind == EntryKind::File;
        let mut search = needles.map(Search::new);
        if let Some(search) = &mut search {
            search.look(path.as_bytes());
            search.look(member.link.as_bytes());
        }
        if is_file {
            let keep = is_wanted(&path, &options.keep) && member.size <= KEEP_CAP;
            let executable = member.mode & 0o111 != 0;
            if keep || executable || search.is_some() {
                let mut file = File {
                    keep,
                    executable,
                    ..File::default()
                };
                file.read(&mut members.payload(), search.as_mut())?;
                if let Some(program) = file.program {
                    layer.programs.insert(path.clone(), program);
                }
                if keep {
                    layer.kept.insert(path.clone(), file.head);
                }
            }
            layer.shipped = layer.shipped.plus(Bytes(member.size));
        }
        let found = search.map(|search| search.found).unwrap_or_default();
        let hits = found.iter().enumerate().filter(|(_, found)| **found);
        layer
            .hits
            .extend(hits.map(|(needle, _)| (path.clone(), needle)));
        layer.entries.push(Entry {
            path,
            kind,
            size: Bytes(if is_file { member.size } else { 0 }),
            mode: member.mode & 0o7777,
            uid: member.uid,
            gid: member.gid,
        });
    }
    Ok(layer)
}

/// Whether a file is asked for, itself or under the name that a link to it may have.
fn is_wanted(path: &str, keep: &std::collections::BTreeSet<String>) -> bool {
    let base = |path: &str| path.rsplit('/').next().map(str::to_owned);
    keep.iter().any(|wanted| base(wanted) == base(path))
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
    if name.starts_with(".wh..wh.") {
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

/// What is kept of one file while it passes by.
#[derive(Debug, Default)]
struct File {
    keep: bool,
    executable: bool,
    head: Vec<u8>,
    look: Option<Look>,
    dynamic: Vec<u8>,
    program: Option<Program>,
}

impl File {
    fn read(
        &mut self,
        payload: &mut impl BufRead,
        mut search: Option<&mut Search<'_>>,
    ) -> io::Result<()> {
        let wanted = match (self.keep, self.executable) {
            (true, _) => usize::try_from(KEEP_CAP).unwrap_or(usize::MAX),
            (false, true) => binary::HEAD,
            (false, false) => 0,
        };
        let mut offset = 0_u64;
        let mut looked = false;
        loop {
            let piece = payload.fill_buf()?;
            let count = piece.len();
            if count == 0 {
                break;
            }
            if let Some(search) = search.as_deref_mut() {
                search.feed(piece);
            }
            let room = wanted - self.head.len();
            self.head
                .extend_from_slice(piece.get(..room.min(count)).unwrap_or_default());
            self.collect(offset, piece);
            if self.head.len() == wanted && self.executable && !looked {
                looked = true;
                self.look_at_head();
                // Part of what it asks for may be in this very piece.
                self.collect(offset, piece);
            }
            offset += count as u64;
            payload.consume(count);
            if search.is_none() && self.is_complete(wanted) {
                break;
            }
        }
        if self.executable && !looked {
            self.look_at_head();
        }
        self.program = self.look.take().map(|look| {
            let dynamic = std::mem::take(&mut self.dynamic);
            match look.more {
                Some(place) if dynamic.len() as u64 == place.length => {
                    binary::complete(&self.head, look, &dynamic)
                }
                _ => look.program,
            }
        });
        Ok(())
    }

    fn look_at_head(&mut self) {
        self.look = binary::look(&self.head);
        // What the head already has of the place is not seen again.
        self.collect(0, &self.head.clone());
    }

    /// Takes the part of a piece that belongs to the place that was asked for.
    fn collect(&mut self, offset: u64, piece: &[u8]) {
        let Some(place) = self.look.as_ref().and_then(|look| look.more) else {
            return;
        };
        let next = place.offset.saturating_add(self.dynamic.len() as u64);
        let end = place.offset.saturating_add(place.length);
        let Some(from) = next.checked_sub(offset) else {
            return;
        };
        let to = end.saturating_sub(offset).min(piece.len() as u64);
        let range = usize::try_from(from).unwrap_or(usize::MAX)..usize::try_from(to).unwrap_or(0);
        self.dynamic
            .extend_from_slice(piece.get(range).unwrap_or_default());
    }

    fn is_complete(&self, wanted: usize) -> bool {
        let more = self.look.as_ref().and_then(|look| look.more);
        self.head.len() >= wanted
            && more.is_none_or(|place| self.dynamic.len() as u64 >= place.length)
    }
}
