//! The snapshots on this machine: a folder for each, and a file that names the current one.
//!
//! ```text
//! current                  the id of the current snapshot
//! snapshots/<id>/          manifest.json and one index per ecosystem; never changed once it is there
//! downloads/               archives that are on their way
//! ```

#![expect(
    clippy::disallowed_methods,
    reason = "edge: keeps snapshots of advisories on disk"
)]

use std::fs;
use std::fs::File;
use std::fs::TryLockError;
use std::io;
use std::path::Path;
use std::path::PathBuf;

use super::AdvisoriesError;
use super::Manifest;
use super::Shipped;
use super::Snapshot;
use super::import;
use super::manifest::FORMAT;
use super::manifest::Part;
use crate::finding::matching::Advisories as _;

/// The name of a manifest.
const MANIFEST: &str = "manifest.json";

/// The file that names the current snapshot.
const CURRENT: &str = "current";

/// What the folder of a snapshot that is being made, or removed, begins with.
const MAKING: &str = ".making-";

/// The largest manifest that is read.
const MOST_MANIFEST: u64 = 1_000_000;

/// The snapshots below a folder.
#[derive(Debug, Clone)]
pub struct Store {
    root: PathBuf,
}

/// The right to change the store; given back when it is dropped, or when the process ends.
#[derive(Debug)]
pub(super) struct Lock {
    file: File,
}

impl Drop for Lock {
    fn drop(&mut self) {
        // Closing alone does not do: a program that another thread is starting holds the file too,
        // until it has begun.
        let _ = self.file.unlock();
    }
}

impl Store {
    /// The store in this folder, which need not be there yet.
    #[must_use]
    pub fn at(root: impl Into<PathBuf>) -> Self {
        Self { root: root.into() }
    }

    /// The folder.
    #[must_use]
    pub fn root(&self) -> &Path {
        &self.root
    }

    fn snapshots(&self) -> PathBuf {
        self.root.join("snapshots")
    }

    /// Where archives are kept until they are imported.
    pub(super) fn downloads(&self) -> PathBuf {
        self.root.join("downloads")
    }

    /// The current snapshot; `None` where none was ever fetched.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn current(&self) -> Result<Option<Snapshot>, AdvisoriesError> {
        match self.current_id()? {
            Some(id) => self.load(&id).map(Some),
            None => Ok(None),
        }
    }

    /// The id of the current snapshot.
    ///
    /// # Errors
    /// When the file that names it cannot be read.
    pub fn current_id(&self) -> Result<Option<String>, AdvisoriesError> {
        let path = self.root.join(CURRENT);
        match fs::read_to_string(&path) {
            Ok(id) => Ok(Some(id.trim().to_owned())),
            // Nor is there one below what is no folder, such as the home of a service, or in another
            // person's home.
            Err(error)
                if matches!(
                    error.kind(),
                    io::ErrorKind::NotFound
                        | io::ErrorKind::NotADirectory
                        | io::ErrorKind::PermissionDenied
                ) =>
            {
                Ok(None)
            }
            Err(error) => Err(AdvisoriesError::file(&path, error)),
        }
    }

    /// The snapshot with this id, or whose id begins so. Who names one means its content: each index
    /// is compared with what the id was made of.
    ///
    /// # Errors
    /// When there is none or more than one, or it cannot be read or was changed.
    pub fn open(&self, id: &str) -> Result<Snapshot, AdvisoriesError> {
        let id = self.resolve(id)?;
        self.verify(&id)?;
        self.load(&id)
    }

    /// Compares the indexes of a snapshot with its manifest, and the manifest with its id.
    fn verify(&self, id: &str) -> Result<(), AdvisoriesError> {
        let folder = self.snapshots().join(id);
        let manifest = manifest(&folder, id)?;
        let changed = |why: String| {
            Err(AdvisoriesError::Damaged {
                id: id.to_owned(),
                why,
            })
        };
        for part in &manifest.parts {
            let (sha256, _) = import::digest(&folder.join(&part.file))?;
            if sha256 != part.sha256 {
                let ecosystem = part.ecosystem;
                return changed(format!("the index of {ecosystem} is not what it was"));
            }
        }
        if Manifest::new(manifest.parts, manifest.made).id != id {
            return changed(String::from("its indexes are those of another"));
        }
        Ok(())
    }

    /// The whole id of the snapshot whose id begins so.
    fn resolve(&self, asked: &str) -> Result<String, AdvisoriesError> {
        let ids = self.ids()?;
        let mut fitting = ids.iter().filter(|id| id.starts_with(asked));
        match (fitting.next(), fitting.next()) {
            (Some(id), None) if !asked.is_empty() => Ok(id.clone()),
            (Some(_), Some(_)) => Err(AdvisoriesError::Ambiguous {
                asked: asked.to_owned(),
                here: ids.into_iter().filter(|id| id.starts_with(asked)).collect(),
            }),
            _ => Err(AdvisoriesError::NoSuchSnapshot {
                asked: asked.to_owned(),
                here: ids,
            }),
        }
    }

    fn ids(&self) -> Result<Vec<String>, AdvisoriesError> {
        let folder = self.snapshots();
        let entries = match fs::read_dir(&folder) {
            Ok(entries) => entries,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(AdvisoriesError::file(&folder, error)),
        };
        let mut ids = Vec::new();
        for entry in entries {
            let entry = entry.map_err(|error| AdvisoriesError::file(&folder, error))?;
            let name = entry.file_name().to_string_lossy().into_owned();
            if !name.starts_with('.') {
                ids.push(name);
            }
        }
        ids.sort();
        Ok(ids)
    }

    fn load(&self, id: &str) -> Result<Snapshot, AdvisoriesError> {
        let folder = self.snapshots().join(id);
        let manifest = manifest(&folder, id)?;
        Ok(Snapshot::new(manifest, &folder))
    }

    /// Every snapshot, the newest first.
    ///
    /// # Errors
    /// When one cannot be read.
    pub fn list(&self) -> Result<Vec<Manifest>, AdvisoriesError> {
        let mut all = Vec::new();
        for id in self.ids()? {
            all.push(manifest(&self.snapshots().join(&id), &id)?);
        }
        all.sort_by(|one, two| two.made.cmp(&one.made).then_with(|| one.id.cmp(&two.id)));
        Ok(all)
    }

    /// Makes another snapshot the current one; by one of its names, the shipped one.
    ///
    /// # Errors
    /// When there is none with this id, it was changed, another process changes the store, or it
    /// cannot be noted.
    pub fn switch(&self, id: &str) -> Result<String, AdvisoriesError> {
        if let Some(shipped) = Shipped::named(id) {
            // Where it is used already, nothing needs to be changed, nor a folder to be there.
            if self.current_id()?.is_some() {
                let _lock = self.lock()?;
                self.point_to_none()?;
            }
            return Ok(shipped.database().id.clone());
        }
        let id = self.resolve(id)?;
        let _lock = self.lock()?;
        self.verify(&id)?;
        self.point_to(&id)?;
        Ok(id)
    }

    /// Removes a snapshot. Where it was the current one, none is.
    ///
    /// # Errors
    /// When there is none with this id, it comes with the program, another process changes the store,
    /// or it cannot be removed.
    pub fn remove(&self, id: &str) -> Result<String, AdvisoriesError> {
        if Shipped::named(id).is_some() {
            return Err(AdvisoriesError::BuiltIn(id.to_owned()));
        }
        let id = self.resolve(id)?;
        let _lock = self.lock()?;
        if self.current_id()?.as_deref() == Some(&id) {
            self.point_to_none()?;
        }
        let folder = self.snapshots().join(&id);
        // A part of one is none: it goes at once, and what is left of it with the next update.
        let going = self.snapshots().join(format!("{MAKING}{id}"));
        let failed = |error| AdvisoriesError::file(&folder, error);
        fs::rename(&folder, &going).map_err(failed)?;
        fs::remove_dir_all(&going).map_err(failed)?;
        Ok(id)
    }

    /// Makes no snapshot the current one, so that the shipped one is.
    fn point_to_none(&self) -> Result<(), AdvisoriesError> {
        let path = self.root.join(CURRENT);
        match fs::remove_file(&path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                Err(AdvisoriesError::file(&path, error))
            }
            _ => Ok(()),
        }
    }

    /// The right to change the store.
    ///
    /// # Errors
    /// When another process has it, or the folder cannot be made.
    pub(super) fn lock(&self) -> Result<Lock, AdvisoriesError> {
        make_folder(&self.root)?;
        let path = self.root.join("lock");
        let file = File::create(&path).map_err(|error| AdvisoriesError::file(&path, error))?;
        match file.try_lock() {
            Ok(()) => Ok(Lock { file }),
            Err(TryLockError::WouldBlock) => Err(AdvisoriesError::Busy),
            Err(TryLockError::Error(error)) => Err(AdvisoriesError::file(&path, error)),
        }
    }

    /// A folder for a snapshot that is being made. What an earlier process left is removed: nobody
    /// else has the right to make one.
    pub(super) fn begin(&self, _lock: &Lock) -> Result<PathBuf, AdvisoriesError> {
        let folder = self.snapshots();
        make_folder(&folder)?;
        let entries =
            fs::read_dir(&folder).map_err(|error| AdvisoriesError::file(&folder, error))?;
        for entry in entries.flatten() {
            if entry.file_name().to_string_lossy().starts_with(MAKING) {
                let _ = fs::remove_dir_all(entry.path());
            }
        }
        let making = folder.join(format!("{MAKING}{}", std::process::id()));
        make_folder(&making)?;
        Ok(making)
    }

    /// Takes a part of another snapshot over as it is.
    pub(super) fn take_over(
        &self,
        from: &Manifest,
        part: &Part,
        making: &Path,
    ) -> Result<(), AdvisoriesError> {
        let old = self.snapshots().join(&from.id).join(&part.file);
        let new = making.join(&part.file);
        // A second name for the same bytes where the file system can; nobody ever changes them.
        if fs::hard_link(&old, &new).is_ok() {
            return Ok(());
        }
        fs::copy(&old, &new).map_err(|error| AdvisoriesError::file(&new, error))?;
        Ok(())
    }

    /// Makes the snapshot in `making` the current one. Before the last rename nothing has changed
    /// for anybody; after it everything has.
    pub(super) fn finish(
        &self,
        _lock: &Lock,
        manifest: &Manifest,
        making: &Path,
    ) -> Result<(), AdvisoriesError> {
        let text = serde_json::to_vec_pretty(manifest).map_err(|error| {
            AdvisoriesError::file(&making.join(MANIFEST), io::Error::other(error))
        })?;
        import::write(&making.join(MANIFEST), &text)?;
        sync_folder(making)?;
        let folder = self.snapshots().join(&manifest.id);
        if folder.is_dir() {
            // The same content under the same name is already here.
            let _ = fs::remove_dir_all(making);
        } else {
            fs::rename(making, &folder).map_err(|error| AdvisoriesError::file(&folder, error))?;
            sync_folder(&self.snapshots())?;
        }
        self.point_to(&manifest.id)
    }

    fn point_to(&self, id: &str) -> Result<(), AdvisoriesError> {
        let new = self.root.join(format!("{CURRENT}.{}", std::process::id()));
        import::write(&new, format!("{id}\n").as_bytes())?;
        let path = self.root.join(CURRENT);
        fs::rename(&new, &path).map_err(|error| AdvisoriesError::file(&path, error))?;
        sync_folder(&self.root)
    }
}

/// Takes away a snapshot that was not finished: half of one is of no use to anybody, and on a full
/// disk it is in the way.
pub(super) fn give_up(making: &Path) {
    let _ = fs::remove_dir_all(making);
}

pub(super) fn make_folder(folder: &Path) -> Result<(), AdvisoriesError> {
    fs::create_dir_all(folder).map_err(|error| AdvisoriesError::file(folder, error))
}

fn sync_folder(folder: &Path) -> Result<(), AdvisoriesError> {
    File::open(folder)
        .and_then(|folder| folder.sync_all())
        .map_err(|error| AdvisoriesError::file(folder, error))
}

/// Reads the manifest of the snapshot in a folder.
fn manifest(folder: &Path, id: &str) -> Result<Manifest, AdvisoriesError> {
    let path = folder.join(MANIFEST);
    let damaged = |why: String| AdvisoriesError::Damaged {
        id: id.to_owned(),
        why,
    };
    let about = fs::metadata(&path).map_err(|error| damaged(error.kind().to_string()))?;
    if about.len() > MOST_MANIFEST {
        return Err(damaged(String::from("its manifest is too large")));
    }
    let text = fs::read(&path).map_err(|error| AdvisoriesError::file(&path, error))?;
    let manifest: Manifest =
        serde_json::from_slice(&text).map_err(|error| damaged(error.to_string()))?;
    if manifest.format != FORMAT {
        return Err(damaged(format!(
            "it has form {}, and this program reads form {FORMAT}",
            manifest.format
        )));
    }
    if manifest.id != id {
        return Err(damaged(String::from("its manifest is that of another")));
    }
    let sound = |name: &str| !name.is_empty() && !name.contains('/') && !name.starts_with('.');
    if !manifest.parts.iter().all(|part| sound(&part.file)) {
        return Err(damaged(String::from("its manifest names files elsewhere")));
    }
    Ok(manifest)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn below_what_is_no_folder_there_is_no_snapshot() {
        let store = Store::at(PathBuf::from("/dev/null/loadline/advisories"));
        assert_eq!(store.current_id().unwrap(), None);
    }

    #[test]
    fn a_snapshot_goes_whole_and_not_while_another_process_is_at_work() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::at(folder.path().to_owned());
        let lock = store.lock().unwrap();
        let making = store.begin(&lock).unwrap();
        let manifest = Manifest::new(Vec::new(), String::from("2026-11-25T00:00:00Z"));
        store.finish(&lock, &manifest, &making).unwrap();
        for busy in [store.remove(&manifest.id), store.switch(&manifest.id)] {
            assert!(matches!(busy, Err(AdvisoriesError::Busy)), "{busy:?}");
        }
        assert!(matches!(
            store.switch("shipped"),
            Err(AdvisoriesError::Busy)
        ));
        for name in ["shipped", &Shipped::get().database().id] {
            let kept = store.remove(name);
            assert!(matches!(kept, Err(AdvisoriesError::BuiltIn(_))), "{kept:?}");
        }
        assert_eq!(store.current_id().unwrap().as_ref(), Some(&manifest.id));
        // What a removal that was killed leaves is no snapshot.
        let left = store.snapshots().join(format!("{MAKING}{}", manifest.id));
        fs::create_dir(&left).unwrap();
        assert_eq!(store.list().unwrap().len(), 1);
        store.begin(&lock).unwrap();
        assert!(!left.exists());
        drop(lock);
        let short: String = manifest.id.chars().take(6).collect();
        assert_eq!(store.remove(&short).unwrap(), manifest.id);
        assert_eq!(store.current_id().unwrap(), None);
        assert!(store.list().unwrap().is_empty());
    }

    #[test]
    fn the_shipped_snapshot_is_used_again_by_either_name() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::at(folder.path().to_owned());
        let id = Shipped::get().database().id.clone();
        for name in ["shipped", id.as_str()] {
            store.point_to("0123456789abcdef").unwrap();
            assert!(store.current_id().unwrap().is_some());
            assert_eq!(store.switch(name).unwrap(), id);
            assert_eq!(store.current_id().unwrap(), None);
        }
        assert_eq!(store.switch("shipped").unwrap(), id, "it is already");
        assert!(store.switch("shipped-no").is_err());
    }
}
