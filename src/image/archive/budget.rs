//! What is left of the limits of a pass, and the refusals where nothing is.

use super::ArchiveError;
use super::Limits;
use super::layer::Scanned;
use crate::image::Entry;
use crate::image::EntryKind;

/// What is left of the limits.
#[derive(Debug)]
pub(super) struct Budget {
    pub(super) limits: Limits,
    entries: usize,
    /// Headers that are no entries of their own.
    extensions: usize,
    /// Bytes of uncompressed layers.
    pub(super) bytes: u64,
    paths: usize,
    kept: usize,
    documents: u64,
}

/// How many bytes one layer may have, and what is wrong where it has more.
#[derive(Debug, Clone, Copy)]
pub(super) struct Limit {
    pub(super) bytes: u64,
    pub(super) why: &'static str,
}

impl Budget {
    pub(super) const fn new(limits: Limits) -> Self {
        Self {
            limits,
            entries: limits.entries,
            // An entry may have a long name, a long link and attributes.
            extensions: limits.entries.saturating_mul(3),
            bytes: limits.bytes.0,
            paths: limits.paths,
            kept: limits.kept,
            documents: limits.documents.0,
        }
    }

    /// The limit of the next layer; `compressed` is what it takes in the archive.
    pub(super) fn layer_limit(&self, compressed: Option<u64>) -> Limit {
        let total = Limit {
            bytes: self.bytes,
            why: "its layers are larger than is sensible",
        };
        let Some(compressed) = compressed else {
            return total;
        };
        let expanded = compressed
            .saturating_mul(self.limits.ratio)
            .max(self.limits.free.0);
        if expanded < total.bytes {
            return Limit {
                bytes: expanded,
                why: "a layer is compressed so far that it may be meant to fill a disk",
            };
        }
        total
    }

    /// Pays for one entry with its path and, for a link, its target.
    pub(super) fn spend(&mut self, path: &str, link: &str) -> Result<(), ArchiveError> {
        if path.len().max(link.len()) > self.limits.path {
            return Err(ArchiveError::too_much(
                "a path in it is longer than any system allows",
            ));
        }
        if path.split('/').count() > self.limits.depth {
            return Err(ArchiveError::too_much("its folders are nested too deeply"));
        }
        let (Some(entries), Some(paths)) = (
            self.entries.checked_sub(1),
            self.paths.checked_sub(path.len() + link.len()),
        ) else {
            return Err(ArchiveError::too_much("it has more files than is sensible"));
        };
        self.entries = entries;
        self.paths = paths;
        Ok(())
    }

    /// Pays for a header that is no entry of its own.
    pub(super) fn extension(&mut self) -> Result<(), ArchiveError> {
        self.extensions = self
            .extensions
            .checked_sub(1)
            .ok_or_else(|| ArchiveError::too_much("it has more headers than files"))?;
        Ok(())
    }

    /// Pays for something that is kept of a file.
    pub(super) fn keep(&mut self, bytes: usize) -> Result<(), ArchiveError> {
        self.kept = self.kept.checked_sub(bytes).ok_or_else(|| {
            ArchiveError::too_much("there is more in its files to remember than is sensible")
        })?;
        Ok(())
    }

    /// Pays for a document.
    pub(super) fn document(&mut self, bytes: u64) -> Result<(), ArchiveError> {
        self.documents = self.documents.checked_sub(bytes).ok_or_else(|| {
            ArchiveError::too_much("its documents are larger than those of any image")
        })?;
        Ok(())
    }

    /// Pays for a layer that was not read now: it was before, or the image has it twice.
    pub(super) fn again(&mut self, layer: &Scanned) -> Result<(), ArchiveError> {
        for entry in &layer.entries {
            self.spend(&entry.path, link(entry))?;
        }
        let notes = layer.notes.iter();
        let notes: usize = notes.map(|note| note.bytes.len() + note.path.len()).sum();
        let kept = layer.kept.iter();
        let kept: usize = kept.map(|(path, bytes)| path.len() + bytes.len()).sum();
        let programs: usize = layer.programs.keys().map(String::len).sum();
        self.keep(notes + kept + programs)
    }
}

fn link(entry: &Entry) -> &str {
    match &entry.kind {
        EntryKind::Symlink(target) | EntryKind::Hardlink(target) => target,
        EntryKind::File
        | EntryKind::Directory
        | EntryKind::Whiteout
        | EntryKind::Opaque
        | EntryKind::Other => "",
    }
}
