//! What is remembered of image layers on disk, so that an unchanged layer is read once.
//!
//! Losing any of it costs time and nothing else: whatever cannot be read, written or believed is
//! left aside in silence. Files appear whole or not at all, carry a checksum, and the oldest go
//! when there are too many bytes.

#![expect(
    clippy::disallowed_methods,
    reason = "this is the edge: it reads and writes the files of the cache"
)]

use std::fs;
use std::fs::File;
use std::io::Read as _;
use std::io::Write as _;
use std::path::Path;
use std::path::PathBuf;
use std::sync::Mutex;
use std::sync::PoisonError;
use std::time::SystemTime;

use tempfile::NamedTempFile;
use xxhash_rust::xxh3::xxh3_64;

use crate::image::archive::Facts;

/// How a file begins; another format has another beginning.
const MAGIC: &[u8; 8] = b"LLFACTS1";

/// The largest file that is written or read.
const FILE_CAP: u64 = 64 * 1024 * 1024;

/// The most that a file holds once it is unpacked.
const FACTS_CAP: u64 = 512 * 1024 * 1024;

/// The bytes that all files may have. Facts of a large base image are some 2 MB.
const ALL_CAP: u64 = 256 * 1024 * 1024;

/// Facts of layers in a folder.
#[derive(Debug)]
pub struct LayerFacts {
    folder: PathBuf,
    cap: u64,
    /// The bytes of all files, once they were counted.
    total: Mutex<Option<u64>>,
}

impl LayerFacts {
    /// The cache in this folder, which is made when there is something to keep.
    #[must_use]
    pub fn at(folder: impl Into<PathBuf>) -> Self {
        Self {
            folder: folder.into(),
            cap: ALL_CAP,
            total: Mutex::new(None),
        }
    }

    fn path(&self, key: &str) -> PathBuf {
        self.folder.join(key)
    }

    fn read(path: &Path) -> Option<Vec<u8>> {
        let file = File::open(path).ok()?;
        let length = file.metadata().ok()?.len();
        if length > FILE_CAP {
            return None;
        }
        let mut bytes = Vec::new();
        (&file).take(FILE_CAP).read_to_end(&mut bytes).ok()?;
        let (magic, rest) = bytes.split_first_chunk::<8>()?;
        let (checksum, packed) = rest.split_first_chunk::<8>()?;
        if magic != MAGIC || u64::from_le_bytes(*checksum) != xxh3_64(packed) {
            return None;
        }
        let mut facts = Vec::new();
        let decoder = zstd::stream::read::Decoder::with_buffer(packed).ok()?;
        decoder.take(FACTS_CAP).read_to_end(&mut facts).ok()?;
        // What was used lately is kept longest.
        let _ = file.set_modified(SystemTime::now());
        Some(facts)
    }

    fn write(&self, key: &str, facts: &[u8]) -> std::io::Result<u64> {
        let packed = zstd::bulk::compress(facts, 1)?;
        let length = packed.len() as u64 + 16;
        if length > FILE_CAP || facts.len() as u64 > FACTS_CAP {
            return Ok(0);
        }
        fs::create_dir_all(&self.folder)?;
        let mut file = NamedTempFile::with_prefix_in(".new-", &self.folder)?;
        file.write_all(MAGIC)?;
        file.write_all(&xxh3_64(&packed).to_le_bytes())?;
        file.write_all(&packed)?;
        file.persist(self.path(key)).map_err(|error| error.error)?;
        Ok(length)
    }

    /// Counts new bytes, and takes the oldest files away where there are too many.
    fn account(&self, new: u64) {
        let mut total = self.total.lock().unwrap_or_else(PoisonError::into_inner);
        let counted = match *total {
            Some(before) => before.saturating_add(new),
            None => self.files().iter().map(|file| file.1).sum(),
        };
        *total = Some(counted);
        if counted <= self.cap {
            return;
        }
        let mut files = self.files();
        files.sort_by_key(|file| file.0);
        let mut left: u64 = files.iter().map(|file| file.1).sum();
        for (_, length, path) in files {
            // Some room, so that not every new file means looking at all of them.
            if left <= self.cap / 4 * 3 {
                break;
            }
            if fs::remove_file(path).is_ok() {
                left = left.saturating_sub(length);
            }
        }
        *total = Some(left);
    }

    /// When each file was last used, its length and its path.
    fn files(&self) -> Vec<(SystemTime, u64, PathBuf)> {
        let entries = fs::read_dir(&self.folder).into_iter().flatten().flatten();
        entries
            .filter_map(|entry| {
                let meta = entry.metadata().ok().filter(fs::Metadata::is_file)?;
                Some((meta.modified().ok()?, meta.len(), entry.path()))
            })
            .collect()
    }
}

impl Facts for LayerFacts {
    fn knows(&self, key: &str) -> bool {
        fs::metadata(self.path(key)).is_ok_and(|meta| meta.is_file())
    }

    fn recall(&self, key: &str) -> Option<Vec<u8>> {
        let path = self.path(key);
        let facts = Self::read(&path);
        if facts.is_none() {
            // What is not whole would be in the way of what is.
            let _ = fs::remove_file(path);
        }
        facts
    }

    fn remember(&self, key: &str, facts: &[u8]) {
        if let Ok(length) = self.write(key, facts) {
            self.account(length);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn noise(seed: u8, length: usize) -> Vec<u8> {
        let mut state = u64::from(seed) + 1;
        let next = || {
            state = xxh3_64(&state.to_le_bytes());
            state.to_le_bytes()[0]
        };
        std::iter::repeat_with(next).take(length).collect()
    }

    #[test]
    fn what_was_remembered_is_recalled_by_another_process_too() {
        let folder = tempfile::tempdir().unwrap();
        let place = folder.path().join("deep/layers");
        LayerFacts::at(&place).remember("a-1", b"facts");
        let facts = LayerFacts::at(&place);
        assert_eq!(facts.recall("a-1").as_deref(), Some(b"facts".as_slice()));
        assert!(facts.knows("a-1") && !facts.knows("a-2"));
        assert_eq!(facts.recall("a-2"), None);
    }

    #[test]
    fn what_is_not_whole_or_of_another_format_is_left_aside() {
        let folder = tempfile::tempdir().unwrap();
        let facts = LayerFacts::at(folder.path());
        facts.remember("a-1", &noise(1, 4000));
        let path = folder.path().join("a-1");
        let whole = fs::read(&path).unwrap();
        for at in [0, 9, 20, whole.len() - 1] {
            let mut broken = whole.clone();
            broken[at] ^= 1;
            fs::write(&path, &broken).unwrap();
            assert_eq!(facts.recall("a-1"), None, "byte {at}");
            assert!(!path.exists());
        }
        for length in [0, 7, 12, whole.len() / 2] {
            fs::write(&path, &whole[..length]).unwrap();
            assert_eq!(facts.recall("a-1"), None, "{length} bytes");
        }
        facts.remember("a-1", b"anew");
        assert!(facts.recall("a-1").is_some());
    }

    #[test]
    fn the_oldest_go_when_there_are_too_many_bytes() {
        let folder = tempfile::tempdir().unwrap();
        let facts = LayerFacts {
            cap: 10_000,
            ..LayerFacts::at(folder.path())
        };
        for index in 0..9_u8 {
            facts.remember(&format!("k{index}"), &noise(index, 1000));
            let file = File::options()
                .write(true)
                .open(folder.path().join(format!("k{index}")))
                .unwrap();
            let then = SystemTime::now() - Duration::from_secs(1000 - u64::from(index));
            file.set_modified(then).unwrap();
        }
        // Used again: not the oldest any more.
        assert!(facts.recall("k0").is_some());
        facts.remember("k9", &noise(9, 1000));
        let kept: Vec<bool> = (0..10)
            .map(|index| facts.knows(&format!("k{index}")))
            .collect();
        assert!(kept[0] && kept[9], "{kept:?}");
        assert!(!kept[1] && !kept[2], "{kept:?}");
        let all: u64 = facts.files().iter().map(|file| file.1).sum();
        assert!(all <= 10_000, "{all}");
    }

    #[test]
    fn a_folder_that_cannot_be_made_means_no_cache() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("file");
        fs::write(&file, "").unwrap();
        let facts = LayerFacts::at(file.join("layers"));
        facts.remember("a-1", b"facts");
        assert_eq!(facts.recall("a-1"), None);
    }
}
