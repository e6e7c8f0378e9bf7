//! One snapshot of advisories, asked about packages without being read whole.

#![expect(
    clippy::disallowed_methods,
    reason = "edge: opens the indexes of a snapshot"
)]

use std::fs::File;
use std::os::unix::fs::FileExt as _;
use std::path::Path;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::OnceLock;
use std::sync::PoisonError;

use super::AdvisoriesError;
use super::Manifest;
use crate::finding::Ecosystem;
use crate::finding::advisory::Advisory;
use crate::finding::advisory::Database;
use crate::finding::index;
use crate::finding::index::Block;
use crate::finding::index::Directory;
use crate::finding::index::IndexError;
use crate::finding::matching::Advisories;
use crate::finding::matching::LookupError;

/// The largest directory of an index that is read.
const MOST_DIRECTORY: u64 = 256 * 1024 * 1024;

/// A snapshot that is here.
#[derive(Debug)]
pub struct Snapshot {
    manifest: Manifest,
    database: Database,
    folder: PathBuf,
    indexes: Vec<(Ecosystem, OnceLock<Result<Index, LookupError>>)>,
}

/// An index that was opened.
#[derive(Debug)]
struct Index {
    file: File,
    directory: Directory,
    /// The block that was looked at last. Packages are asked for in the order of their names, so
    /// that the next one is often in it too.
    last: Mutex<Option<(u64, Arc<[u8]>)>>,
    /// The names of all packages in it, once they were asked for.
    names: OnceLock<Result<Vec<String>, LookupError>>,
}

impl Snapshot {
    /// The snapshot in a folder. Indexes are opened when they are asked for the first time.
    pub(super) fn new(manifest: Manifest, folder: &Path) -> Self {
        let indexes = manifest
            .parts
            .iter()
            .map(|part| (part.ecosystem, OnceLock::new()))
            .collect();
        let database = Database {
            id: manifest.id.clone(),
            date: manifest.date().to_owned(),
            shipped: false,
        };
        Self {
            manifest,
            database,
            folder: folder.to_owned(),
            indexes,
        }
    }

    /// What it says of itself.
    #[must_use]
    pub const fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    fn index(&self, ecosystem: Ecosystem) -> Result<Option<&Index>, LookupError> {
        let Some((_, cell)) = self.indexes.iter().find(|(of, _)| *of == ecosystem) else {
            return Ok(None);
        };
        let opened = cell.get_or_init(|| {
            self.open(ecosystem)
                .map_err(|error| LookupError(format!("{error}; {}", error.hint())))
        });
        opened.as_ref().map(Some).map_err(Clone::clone)
    }

    fn open(&self, ecosystem: Ecosystem) -> Result<Index, AdvisoriesError> {
        let damaged = |error: IndexError| AdvisoriesError::damaged(&self.manifest.id, &error);
        let part = self
            .manifest
            .part(ecosystem)
            .ok_or(IndexError("its manifest names no index"))
            .map_err(damaged)?;
        let path = self.folder.join(&part.file);
        let failed = |error| AdvisoriesError::file(&path, error);
        let file = File::open(&path).map_err(failed)?;
        let size = file.metadata().map_err(failed)?.len();
        if size != part.bytes.0 {
            return Err(damaged(IndexError("an index has another size")));
        }
        let mut tail = [0; index::TAIL];
        let at = size.saturating_sub(index::TAIL as u64);
        file.read_exact_at(&mut tail, at).map_err(failed)?;
        let (offset, length) = index::place_of_directory(size, &tail).map_err(damaged)?;
        if length > MOST_DIRECTORY {
            return Err(damaged(IndexError("its directory is too large")));
        }
        let packed = read_at(&file, offset, length).map_err(failed)?;
        let directory = Directory::read(&packed, &tail).map_err(damaged)?;
        Ok(Index {
            file,
            directory,
            last: Mutex::new(None),
            names: OnceLock::new(),
        })
    }
}

fn read_at(file: &File, offset: u64, length: u64) -> std::io::Result<Vec<u8>> {
    let length = usize::try_from(length).map_err(|_large| std::io::ErrorKind::FileTooLarge)?;
    let mut bytes = vec![0; length];
    file.read_exact_at(&mut bytes, offset)?;
    Ok(bytes)
}

impl Index {
    fn about(&self, package: &str) -> Result<Vec<Advisory>, String> {
        let Some(block) = self.directory.block_of(package) else {
            return Ok(Vec::new());
        };
        let kept = self
            .last
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
            .filter(|(offset, _)| *offset == block.offset);
        let plain = match kept {
            Some((_, plain)) => plain,
            None => {
                let plain: Arc<[u8]> = self.unpacked(block)?.into();
                let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
                *last = Some((block.offset, Arc::clone(&plain)));
                plain
            }
        };
        index::find(&plain, package).map_err(|error| error.to_string())
    }

    fn unpacked(&self, block: &Block) -> Result<Vec<u8>, String> {
        let size = self.file.metadata().map_or(0, |about| about.len());
        if block.offset.saturating_add(block.length) > size {
            return Err(String::from("the index is shorter than it says"));
        }
        let packed = read_at(&self.file, block.offset, block.length);
        let packed = packed.map_err(|error| error.to_string())?;
        block.unpack(&packed).map_err(|error| error.to_string())
    }

    fn names(&self) -> Result<&[String], LookupError> {
        let read = || -> Result<Vec<String>, String> {
            let mut names = Vec::new();
            for block in self.directory.blocks() {
                let more = index::names(&self.unpacked(block)?);
                names.extend(more.map_err(|error| error.to_string())?);
            }
            Ok(names)
        };
        let names = self.names.get_or_init(|| read().map_err(LookupError));
        names.as_deref().map_err(Clone::clone)
    }
}

impl Advisories for Snapshot {
    fn database(&self) -> &Database {
        &self.database
    }

    fn newest(&self, ecosystem: Ecosystem) -> Option<&str> {
        let part = self.manifest.part(ecosystem)?;
        Some(part.newest.as_str()).filter(|day| !day.is_empty())
    }

    fn about(
        &self,
        ecosystem: Ecosystem,
        release: Option<&str>,
        package: &str,
    ) -> Result<Option<Vec<Advisory>>, LookupError> {
        let Some(index) = self.index(ecosystem)? else {
            return Ok(None);
        };
        // A release that no advisory speaks of is one that nobody looked at.
        let placed = release.is_none_or(|release| index.directory.releases.contains(release));
        if ecosystem.has_releases() && !placed {
            return Ok(None);
        }
        index.about(package).map(Some).map_err(LookupError)
    }

    fn named(
        &self,
        ecosystem: Ecosystem,
        ending: &str,
    ) -> Result<Option<Vec<String>>, LookupError> {
        let Some(index) = self.index(ecosystem)? else {
            return Ok(None);
        };
        let names = index.names()?.iter();
        let names = names.filter(|name| name.ends_with(ending));
        Ok(Some(names.cloned().collect()))
    }
}
