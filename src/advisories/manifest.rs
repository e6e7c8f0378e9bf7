//! What a snapshot says of itself.

use serde::Deserialize;
use serde::Serialize;
use sha2::Digest as _;
use sha2::Sha256;

use crate::finding::Ecosystem;
use crate::text::hex;
use crate::units::Bytes;

/// The form of manifests that this program reads and writes.
pub(super) const FORMAT: u32 = 1;

/// The most names of unreadable records that are kept.
pub(super) const MOST_NAMES: usize = 20;

/// What a snapshot is: written beside its indexes as JSON.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Manifest {
    /// The form.
    pub format: u32,
    /// The id: made from the content of the indexes, so that the same id is the same content
    /// wherever it was made.
    pub id: String,
    /// When it was made: `2026-11-25T19:30:00Z`.
    pub made: String,
    /// Its parts, by ecosystem.
    pub parts: Vec<Part>,
}

/// The advisories of one ecosystem.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Part {
    /// The ecosystem.
    pub ecosystem: Ecosystem,
    /// The index's name in the folder of the snapshot.
    pub file: String,
    /// SHA-256 of the index, in hexadecimal digits.
    pub sha256: String,
    /// Bytes of the index.
    pub bytes: Bytes,
    /// Records that were read.
    pub records: u64,
    /// Records that were withdrawn, and so left out.
    pub withdrawn: u64,
    /// Records that could not be read.
    pub malformed: u64,
    /// The first of them, each with the reason.
    pub malformed_names: Vec<String>,
    /// Packages that the advisories speak of.
    pub packages: u64,
    /// The day of the newest record: `2026-11-20`.
    pub newest: String,
    /// What it was made from.
    pub origin: Origin,
}

/// The archive that a part was made from.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Origin {
    /// The address or the folder.
    pub place: String,
    /// SHA-256 of the archive, in hexadecimal digits.
    pub sha256: String,
    /// Bytes of the archive.
    pub bytes: Bytes,
    /// What its server calls this state of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub etag: Option<String>,
}

impl Manifest {
    /// The manifest of these parts.
    #[must_use]
    pub fn new(mut parts: Vec<Part>, made: String) -> Self {
        parts.sort_by_key(|part| part.ecosystem);
        let mut hash = Sha256::new();
        for part in &parts {
            hash.update(format!("{} {}\n", part.ecosystem.name(), part.sha256));
        }
        let id = hex(&hash.finalize()).chars().take(16).collect();
        Self {
            format: FORMAT,
            id,
            made,
            parts,
        }
    }

    /// The day of the newest record, about whatever ecosystem.
    #[must_use]
    pub fn date(&self) -> &str {
        self.parts
            .iter()
            .map(|part| part.newest.as_str())
            .max()
            .unwrap_or_default()
    }

    /// Bytes of all indexes.
    #[must_use]
    pub fn bytes(&self) -> Bytes {
        self.parts.iter().map(|part| part.bytes).sum()
    }

    /// The part about an ecosystem.
    #[must_use]
    pub fn part(&self, ecosystem: Ecosystem) -> Option<&Part> {
        self.parts.iter().find(|part| part.ecosystem == ecosystem)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn part(ecosystem: Ecosystem, sha256: &str, newest: &str) -> Part {
        Part {
            ecosystem,
            file: String::new(),
            sha256: sha256.to_owned(),
            bytes: Bytes(10),
            records: 1,
            withdrawn: 0,
            malformed: 0,
            malformed_names: Vec::new(),
            packages: 1,
            newest: newest.to_owned(),
            origin: Origin::default(),
        }
    }

    #[test]
    fn the_id_is_made_of_the_content_and_of_nothing_else() {
        let go = part(Ecosystem::Go, "aa", "2026-08-01");
        let pypi = part(Ecosystem::PyPi, "bb", "2024-10-01");
        let one = Manifest::new(vec![go.clone(), pypi.clone()], "today".to_owned());
        let two = Manifest::new(vec![pypi.clone(), go.clone()], "tomorrow".to_owned());
        assert_eq!(one.id, two.id);
        assert_eq!(one.id.len(), 16);
        let changed = part(Ecosystem::Go, "ab", "2026-08-01");
        let three = Manifest::new(vec![changed, pypi], "today".to_owned());
        assert_ne!(one.id, three.id);
        assert_eq!(one.date(), "2026-08-01");
        assert_eq!(one.bytes(), Bytes(20));
    }
}
