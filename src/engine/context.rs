//! The archive of a build context on this machine: a file without a name, so that nothing of it is
//! left behind however the program ends.

use std::collections::BTreeMap;
use std::fs::File;
use std::io;
use std::io::Read;
use std::os::unix::fs::FileExt as _;
use std::sync::Arc;
use std::sync::OnceLock;

use tar::EntryType;
use xxhash_rust::xxh3::Xxh3Default;

/// Bytes read at once.
const CHUNK: usize = 64 * 1024;

/// An archive that several builds read, each from its beginning.
#[derive(Debug, Clone)]
pub struct ContextArchive {
    file: Arc<File>,
    /// What it holds, once that was asked for: it is as long to read as all of it.
    entries: Arc<OnceLock<Arc<ContextEntries>>>,
}

/// What an archive holds at a path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ContextEntry {
    /// A folder.
    Folder {
        /// Its permissions, Unix's twelve bits.
        mode: u32,
    },
    /// A file.
    File {
        /// Its permissions, Unix's twelve bits.
        mode: u32,
        /// Where its bytes begin in the archive.
        at: u64,
        /// Its bytes.
        size: u64,
        /// XXH3-64 of its bytes.
        hash: u64,
    },
    /// A symbolic link to this target.
    Link(Vec<u8>),
}

impl ContextEntry {
    /// Its bytes; 0 of what is no file.
    #[must_use]
    pub const fn size(&self) -> u64 {
        match self {
            Self::File { size, .. } => *size,
            Self::Folder { .. } | Self::Link(_) => 0,
        }
    }
}

/// What an archive holds: paths by their parts, so that a folder comes right before what is in it.
pub type ContextEntries = BTreeMap<Vec<Vec<u8>>, ContextEntry>;

impl From<File> for ContextArchive {
    fn from(file: File) -> Self {
        Self {
            file: Arc::new(file),
            entries: Arc::default(),
        }
    }
}

impl ContextArchive {
    /// Its bytes.
    ///
    /// # Errors
    /// When the file does not tell.
    pub fn size(&self) -> io::Result<u64> {
        Ok(self.file.metadata()?.len())
    }

    /// Reads it from its beginning, whoever else reads it.
    #[must_use]
    pub fn reader(&self) -> ContextReader {
        ContextReader {
            file: Arc::clone(&self.file),
            at: 0,
        }
    }

    /// Reads its bytes from `at` on; how many were read, 0 at its end.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn read_at(&self, buffer: &mut [u8], at: u64) -> io::Result<usize> {
        self.file.read_at(buffer, at)
    }

    /// What it holds, folders that only their content names included.
    ///
    /// # Errors
    /// When it cannot be read, or holds what no context has (hard links, devices).
    pub fn entries(&self) -> io::Result<Arc<ContextEntries>> {
        if let Some(entries) = self.entries.get() {
            return Ok(Arc::clone(entries));
        }
        let entries = Arc::new(self.read_entries()?);
        Ok(Arc::clone(self.entries.get_or_init(|| entries)))
    }

    fn read_entries(&self) -> io::Result<ContextEntries> {
        let mut entries = ContextEntries::new();
        let mut archive = tar::Archive::new(self.reader());
        for entry in archive.entries()? {
            let mut entry = entry?;
            let parts = parts(&entry.path_bytes());
            for above in 1..parts.len() {
                let above = parts.get(..above).unwrap_or_default().to_vec();
                let mode = 0o755;
                entries
                    .entry(above)
                    .or_insert(ContextEntry::Folder { mode });
            }
            let mode = entry.header().mode()? & 0o7777;
            let found = match entry.header().entry_type() {
                EntryType::Directory => ContextEntry::Folder { mode },
                EntryType::Symlink => {
                    let target = entry.link_name_bytes().unwrap_or_default();
                    ContextEntry::Link(target.into_owned())
                }
                EntryType::Regular => ContextEntry::File {
                    mode,
                    at: entry.raw_file_position(),
                    size: entry.size(),
                    hash: hash(&mut entry)?,
                },
                other => {
                    let what = format!("a context holds no entry of the kind {other:?}");
                    return Err(io::Error::new(io::ErrorKind::InvalidData, what));
                }
            };
            if !parts.is_empty() {
                entries.insert(parts, found);
            }
        }
        Ok(entries)
    }
}

/// The parts of a path, the root's own left out.
fn parts(path: &[u8]) -> Vec<Vec<u8>> {
    path.split(|byte| *byte == b'/')
        .filter(|part| !part.is_empty() && *part != b".")
        .map(<[u8]>::to_vec)
        .collect()
}

fn hash(from: &mut impl Read) -> io::Result<u64> {
    let mut hasher = Xxh3Default::new();
    let mut chunk = vec![0; CHUNK];
    loop {
        let length = from.read(&mut chunk)?;
        if length == 0 {
            return Ok(hasher.digest());
        }
        hasher.update(chunk.get(..length).unwrap_or_default());
    }
}

/// A place in an archive.
#[derive(Debug)]
pub struct ContextReader {
    file: Arc<File>,
    at: u64,
}

impl Read for ContextReader {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let length = self.file.read_at(buffer, self.at)?;
        self.at += u64::try_from(length).unwrap_or(u64::MAX);
        Ok(length)
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use super::*;

    #[test]
    fn each_reader_begins_at_the_beginning() {
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(b"context").unwrap();
        let archive = ContextArchive::from(file);
        let (mut one, mut two) = (archive.reader(), archive.reader());
        let mut start = [0; 4];
        one.read_exact(&mut start).unwrap();
        let mut all = String::new();
        two.read_to_string(&mut all).unwrap();
        let mut rest = String::new();
        one.read_to_string(&mut rest).unwrap();
        assert_eq!(
            (&start, all.as_str(), rest.as_str()),
            (b"cont", "context", "ext")
        );
        assert_eq!(archive.size().unwrap(), 7);
    }

    fn archive(fill: impl FnOnce(&mut tar::Builder<&File>)) -> ContextArchive {
        let file = tempfile::tempfile().unwrap();
        let mut archive = tar::Builder::new(&file);
        fill(&mut archive);
        archive.into_inner().unwrap();
        ContextArchive::from(file)
    }

    fn header(kind: EntryType, mode: u32, size: u64) -> tar::Header {
        let mut header = tar::Header::new_gnu();
        header.set_entry_type(kind);
        header.set_mode(mode);
        header.set_size(size);
        header
    }

    #[test]
    fn entries_say_what_and_where_and_come_folder_by_folder() {
        let long = format!("src/{}", "x".repeat(150));
        let archive = archive(|archive| {
            let mut file = header(EntryType::Regular, 0o644, 3);
            archive
                .append_data(&mut file, "./src-b", &b"one"[..])
                .unwrap();
            let mut file = header(EntryType::Regular, 0o4755, 3);
            archive.append_data(&mut file, &long, &b"two"[..]).unwrap();
            let mut link = header(EntryType::Symlink, 0o777, 0);
            archive.append_link(&mut link, "src/l", "../a").unwrap();
            let mut folder = header(EntryType::Directory, 0o777, 0);
            archive
                .append_data(&mut folder, "src/", io::empty())
                .unwrap();
        });
        let entries = archive.entries().unwrap();
        let paths: Vec<Vec<u8>> = entries.keys().map(|parts| parts.join(&b'/')).collect();
        let wanted = ["src", "src/l", &long, "src-b"];
        assert_eq!(paths, wanted.map(|path| path.as_bytes().to_vec()));
        let found: Vec<&ContextEntry> = entries.values().collect();
        assert_eq!(found[0], &ContextEntry::Folder { mode: 0o777 });
        assert_eq!(found[1], &ContextEntry::Link(b"../a".to_vec()));
        for (entry, text, wanted) in [(found[2], b"two", 0o4755), (found[3], b"one", 0o644)] {
            let ContextEntry::File {
                mode,
                at,
                size,
                hash,
            } = entry
            else {
                panic!("{entry:?}");
            };
            let mut read = [0; 3];
            archive.read_at(&mut read, *at).unwrap();
            assert_eq!((&read, *size, *mode), (text, 3, wanted));
            assert_eq!(*hash, xxhash_rust::xxh3::xxh3_64(text));
        }
    }

    #[test]
    fn what_no_context_has_is_refused() {
        let archive = archive(|archive| {
            let mut link = header(EntryType::Link, 0o644, 0);
            archive.append_link(&mut link, "b", "a").unwrap();
        });
        let error = archive.entries().unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::InvalidData);
    }
}
