//! A search for byte strings in payloads that come in pieces.

use aho_corasick::AhoCorasick;

use super::ArchiveError;

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
pub(super) struct Search<'a> {
    needles: &'a Needles,
    /// Which of the needles were found.
    pub(super) found: Vec<bool>,
    /// The last bytes of the pieces before: one less than the longest needle.
    carry: Vec<u8>,
}

impl<'a> Search<'a> {
    pub(super) fn new(needles: &'a Needles) -> Self {
        Self {
            needles,
            found: vec![false; needles.count],
            carry: Vec::new(),
        }
    }

    /// Searches what comes in one piece.
    pub(super) fn look(&mut self, bytes: &[u8]) {
        for hit in self.needles.automaton.find_overlapping_iter(bytes) {
            if !hit.is_empty()
                && let Some(found) = self.found.get_mut(hit.pattern().as_usize())
            {
                *found = true;
            }
        }
    }

    /// Searches the next piece, and the seam between it and the one before.
    pub(super) fn feed(&mut self, piece: &[u8]) {
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
