//! What the exercise put into its folder: a text that it replaces later is not the learner's.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::path::PathBuf;

use xxhash_rust::xxh3::xxh3_64;

use super::atomic;
use crate::course::Files;

/// The hash of each file of the exercise that was put into the folder, by its name.
pub(super) struct Given {
    path: PathBuf,
    hashes: BTreeMap<String, u64>,
}

impl Given {
    /// What is written down in this file.
    pub(super) fn read(path: &Path) -> Self {
        let text = fs::read_to_string(path).unwrap_or_default();
        let line = |line: &str| {
            let (hash, name) = line.split_once(' ')?;
            Some((name.to_owned(), u64::from_str_radix(hash, 16).ok()?))
        };
        Self {
            hashes: text.lines().filter_map(line).collect(),
            path: path.to_owned(),
        }
    }

    /// Whether this text was put there.
    pub(super) fn has(&self, name: &str, text: &[u8]) -> bool {
        self.hashes.get(name) == Some(&xxh3_64(text))
    }

    /// Writes down that these are there now.
    pub(super) fn are(&self, files: &Files) {
        let hashes = files
            .iter()
            .map(|(name, text)| (name.clone(), xxh3_64(text)));
        let hashes: BTreeMap<String, u64> = hashes.collect();
        if hashes != self.hashes {
            let lines = hashes
                .iter()
                .map(|(name, hash)| format!("{hash:016x} {name}\n"));
            // Without it a text of the course's is kept as if it were the learner's, and none is lost.
            let _ = atomic::replace(&self.path, lines.collect::<String>().as_bytes());
        }
    }
}
