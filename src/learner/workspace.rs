//! An exercise's files in a plain folder that any editor can open.
//!
//! The learner's own files (those that the exercise lets them edit) are only ever written when the
//! learner asks: on creation, on saving in the program's own editor, on a reset and its undoing.
//! The other files belong to the exercise and are put back before each build; a text that stood in
//! their place is kept.

#![expect(
    clippy::disallowed_methods,
    reason = "this is the edge: it reads and writes the learner's files"
)]

mod atomic;
mod given;
mod kept;
mod links;

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::io::Read as _;
use std::path::Path;
use std::path::PathBuf;
use std::sync::Arc;

use given::Given;
use thiserror::Error;
use xxhash_rust::xxh3::xxh3_64;

use super::Home;
use super::room;
use crate::course::Exercise;
use crate::course::Files;

/// The largest file that a learner may edit.
pub const MAX_FILE: u64 = 1 << 20;

/// An exercise's folder.
#[derive(Debug, Clone)]
pub struct Workspace {
    path: PathBuf,
    kept: PathBuf,
    given: PathBuf,
    exercise: Arc<Exercise>,
}

/// What a file on disk looks like right now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FileState {
    /// It is not there.
    Missing,
    /// It is there.
    There {
        /// A hash of its content.
        hash: u64,
        /// Whether it may not be written.
        read_only: bool,
    },
}

impl FileState {
    /// Whether both hold the same content, or neither is there.
    #[must_use]
    pub fn same_content(self, other: Self) -> bool {
        match (self, other) {
            (Self::Missing, Self::Missing) => true,
            (Self::There { hash: a, .. }, Self::There { hash: b, .. }) => a == b,
            (Self::Missing, Self::There { .. }) | (Self::There { .. }, Self::Missing) => false,
        }
    }
}

/// What a file with this content looks like, or one that is not there.
impl From<Option<&[u8]>> for FileState {
    fn from(content: Option<&[u8]>) -> Self {
        content.map_or(Self::Missing, |content| Self::There {
            hash: xxh3_64(content),
            read_only: false,
        })
    }
}

/// What came of saving a file from the program's own editor.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Saved {
    /// It is on disk.
    Done(FileState),
    /// Somebody else changed it since it was read, so nothing was written.
    Conflict {
        /// What is on disk now.
        theirs: FileState,
        /// Its content; `None` where the file is gone.
        content: Option<Arc<[u8]>>,
    },
}

/// What a workspace cannot do, and with which file.
#[derive(Debug, Error)]
pub enum WorkspaceError {
    /// A file or folder resists.
    #[error("`{path}` cannot be {doing}")]
    Io {
        /// Which one.
        path: PathBuf,
        /// `read`, `written`, …
        doing: &'static str,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// The learner, or somebody else, has made the file read-only.
    #[error("`{0}` is read-only, so it was left as it is")]
    ReadOnly(PathBuf),
    /// A folder, a pipe, a device.
    #[error("`{0}` is not a plain file")]
    NotAFile(PathBuf),
    /// A link leads out of the folder, or nowhere.
    #[error("`{0}` is a link that leads out of the exercise's folder")]
    LeadsOut(PathBuf),
    /// Larger than any Dockerfile.
    #[error("`{0}` is larger than 1 MiB")]
    TooLarge(PathBuf),
    /// What stands in the place of a file of the exercise cannot be put aside.
    #[error("`{path}` belongs to the exercise, and {what} is in its place")]
    InTheWay {
        /// Which file.
        path: PathBuf,
        /// What is there instead.
        what: &'static str,
    },
    /// The exercise does not let the learner edit this file.
    #[error("`{0}` belongs to the exercise; it is put back before each build")]
    NotYours(String),
}

/// What a folder cannot be that is not there yet: no file of the learner's is missing then.
const MADE: &str = "made";

impl WorkspaceError {
    fn io(path: &Path, doing: &'static str) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_owned();
        move |source| Self::Io {
            path,
            doing,
            source,
        }
    }

    /// What to do next.
    #[must_use]
    pub fn hint(&self) -> &'static str {
        match self {
            Self::Io { source, .. } if room::is_used_up(source) => {
                "free some space there, or raise the quota or the limit (`ulimit -f`), and try \
                 again; no file was changed"
            }
            Self::Io { source, doing, .. }
                if source.kind() == io::ErrorKind::NotFound && *doing != MADE =>
            {
                "make the file again, or reset the exercise to get the starter's"
            }
            Self::Io { .. } => {
                "look at the folder's permissions, or set `LOADLINE_HOME` to one that you may write to"
            }
            Self::ReadOnly(_) => "make it writable, or save your text under another name",
            Self::NotAFile(_) => "move it away; a plain file belongs there",
            Self::LeadsOut(_) => {
                "put a plain file in its place; no build takes a file from elsewhere"
            }
            Self::TooLarge(_) => "keep large files out of the files that you edit",
            Self::InTheWay { .. } => "move it away; the exercise's own file is put back by itself",
            Self::NotYours(_) => "change one of the files that the brief names",
        }
    }
}

impl Workspace {
    /// An exercise's folder, which need not be there; touches no file.
    #[must_use]
    pub fn at(home: &Home, exercise: Arc<Exercise>) -> Self {
        Self {
            path: home.workspace(exercise.id.as_str()),
            kept: home.state().join("kept").join(exercise.id.as_str()),
            given: home.state().join("given").join(exercise.id.as_str()),
            exercise,
        }
    }

    /// Opens an exercise's folder, and makes it from the starter where it is not there yet.
    ///
    /// `exercise` is already planted ([`Exercise::planted`]). No file that exists is written.
    ///
    /// # Errors
    /// When the folder cannot be made or read.
    pub fn open(home: &Home, exercise: Arc<Exercise>) -> Result<Self, WorkspaceError> {
        let workspace = Self::at(home, exercise);
        match fs::metadata(&workspace.path) {
            Ok(meta) if meta.is_dir() => Ok(workspace),
            Ok(_) => Err(WorkspaceError::NotAFile(workspace.path)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                let files = &workspace.exercise.files;
                atomic::make_folder(&workspace.path, files)
                    .map_err(WorkspaceError::io(&workspace.path, MADE))?;
                Given::read(&workspace.given).are(files);
                Ok(workspace)
            }
            Err(error) => Err(WorkspaceError::io(&workspace.path, "read")(error)),
        }
    }

    /// The folder.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The exercise, with this workspace's token planted.
    #[must_use]
    pub fn exercise(&self) -> &Arc<Exercise> {
        &self.exercise
    }

    /// Where a file of the exercise lies.
    #[must_use]
    pub fn file(&self, name: &str) -> PathBuf {
        self.path.join(name)
    }

    /// Puts back what belongs to the exercise and says what that was. The learner's own files are
    /// not touched, and a text that somebody else put there is kept beside those that were not
    /// saved.
    ///
    /// # Errors
    /// When a text cannot be read or kept (then nothing is put back), or a file cannot be put back.
    pub fn restore(&self) -> Result<Vec<String>, WorkspaceError> {
        let mut restored = Vec::new();
        let mut lost = Files::new();
        let given = Given::read(&self.given);
        for (name, content) in &self.exercise.files {
            if self.exercise.edit.contains(name) {
                continue;
            }
            match read(&self.path, name) {
                Ok(Some(found)) if found == *content => continue,
                // A course that changed replaces a text of its own.
                Ok(Some(found)) if given.has(name, &found) => {}
                Ok(Some(found)) => {
                    lost.insert(name.clone(), found);
                }
                // What a link leads to stays as it is, and there is no text in a pipe.
                Err(WorkspaceError::NotAFile(path)) if path.is_dir() => {
                    let what = "a folder";
                    return Err(WorkspaceError::InTheWay { path, what });
                }
                Err(WorkspaceError::TooLarge(path)) => {
                    let what = "a file of more than 1 MiB";
                    return Err(WorkspaceError::InTheWay { path, what });
                }
                Ok(None) | Err(WorkspaceError::LeadsOut(_) | WorkspaceError::NotAFile(_)) => {}
                Err(error) => return Err(error),
            }
            restored.push(name.clone());
        }
        if !lost.is_empty() {
            let unsaved = self.unsaved();
            kept::keep(&unsaved, &lost).map_err(WorkspaceError::io(&unsaved, "written"))?;
        }
        for name in &restored {
            let path = match links::real(&self.path, name) {
                Some(path) => path,
                None => self.link(name)?,
            };
            if let Some(content) = self.exercise.files.get(name) {
                atomic::replace(&path, content).map_err(WorkspaceError::io(&path, "put back"))?;
            }
        }
        given.are(&self.exercise.files);
        Ok(restored)
    }

    /// The link itself at a name whose link leads out of the folder.
    fn link(&self, name: &str) -> Result<PathBuf, WorkspaceError> {
        let path = self.file(name);
        let folder = name.rsplit_once('/').map_or("", |(folder, _)| folder);
        match links::real(&self.path, folder) {
            Some(folder) if links::is_link(&path) => {
                Ok(folder.join(path.file_name().unwrap_or_default()))
            }
            _ => Err(WorkspaceError::LeadsOut(path)),
        }
    }

    /// Where texts are kept that were not saved.
    fn unsaved(&self) -> PathBuf {
        self.kept.join("unsaved")
    }

    /// The learner's own files as they are on disk; one that is not there is left out.
    ///
    /// # Errors
    /// When one cannot be read, is no plain file or is too large.
    pub fn read(&self) -> Result<Files, WorkspaceError> {
        let mut files = Files::new();
        for name in &self.exercise.edit {
            if let Some(content) = read(&self.path, name)? {
                files.insert(name.clone(), content);
            }
        }
        Ok(files)
    }

    /// What each of the learner's own files looks like; cheap enough to poll.
    ///
    /// # Errors
    /// As [`Workspace::read`].
    pub fn states(&self) -> Result<BTreeMap<String, FileState>, WorkspaceError> {
        let mut states = BTreeMap::new();
        for name in &self.exercise.edit {
            states.insert(name.clone(), self.state(name)?);
        }
        Ok(states)
    }

    /// What a file looks like.
    ///
    /// # Errors
    /// As [`Workspace::read`].
    pub fn state(&self, name: &str) -> Result<FileState, WorkspaceError> {
        let path = self.file(name);
        Ok(match read(&self.path, name)? {
            None => FileState::Missing,
            Some(content) => FileState::There {
                hash: xxh3_64(&content),
                read_only: is_read_only(&path),
            },
        })
    }

    /// Saves one of the learner's own files from the program's own editor, unless it changed on
    /// disk since it looked like `before`.
    ///
    /// # Errors
    /// When it cannot be written; the old content is then still there, whole.
    pub fn save(
        &self,
        name: &str,
        content: &[u8],
        before: FileState,
    ) -> Result<Saved, WorkspaceError> {
        if !self.exercise.edit.iter().any(|edit| edit == name) {
            return Err(WorkspaceError::NotYours(name.to_owned()));
        }
        let theirs = self.state(name)?;
        if !theirs.same_content(before) {
            return Ok(Saved::Conflict {
                theirs,
                content: read(&self.path, name)?,
            });
        }
        self.write(name, content)?;
        self.state(name).map(Saved::Done)
    }

    /// Writes a file whole or not at all.
    fn write(&self, name: &str, content: &[u8]) -> Result<(), WorkspaceError> {
        let path = within(&self.path, name)?;
        if is_read_only(&path) {
            return Err(WorkspaceError::ReadOnly(path));
        }
        atomic::replace(&path, content).map_err(WorkspaceError::io(&path, "written"))
    }

    /// Goes back to the starter. What the learner had is kept; [`Workspace::undo`] brings it back.
    /// The starter itself and the worked answer are not kept: they would only stand before what the
    /// learner wrote, and can be had again at any time.
    ///
    /// # Errors
    /// When the copy cannot be kept (then nothing is reset) or a file cannot be written.
    pub fn reset(&self) -> Result<(), WorkspaceError> {
        let now = self.read()?;
        let put_away = (!self.is_of_the_course(&now)).then_some(&now);
        self.exchange(put_away, &self.exercise.files)?;
        self.restore().map(drop)
    }

    /// Takes back the last reset: brings the newest files that are kept and are not what is there
    /// now. What was there instead is kept, so that this can be taken back as well. `false` where
    /// there is nothing to take back.
    ///
    /// # Errors
    /// As [`Workspace::reset`].
    pub fn undo(&self) -> Result<bool, WorkspaceError> {
        let now = self.read()?;
        let Some(files) = self.put_away(&now)? else {
            return Ok(false);
        };
        self.exchange(Some(&now), &files)?;
        Ok(true)
    }

    /// Whether [`Workspace::undo`] has something to bring back.
    ///
    /// # Errors
    /// When the files or what is kept cannot be read.
    pub fn is_undoable(&self) -> Result<bool, WorkspaceError> {
        let now = self.read()?;
        Ok(self.put_away(&now)?.is_some())
    }

    /// The newest files that are kept and are not what is there now.
    fn put_away(&self, now: &Files) -> Result<Option<Files>, WorkspaceError> {
        let other = |kept: &Files| !kept.is_empty() && kept != now;
        let newest = kept::newest(&self.kept, other);
        newest.map_err(WorkspaceError::io(&self.kept, "read"))
    }

    /// Whether the learner's own files are as the starter or the worked answer has them.
    fn is_of_the_course(&self, now: &Files) -> bool {
        let own = |files: &Files| -> Files {
            let edit = self.exercise.edit.iter();
            edit.filter_map(|name| Some((name.clone(), files.get(name)?.clone())))
                .collect()
        };
        let solved = self.exercise.solved();
        own(&self.exercise.files) == *now || solved.is_some_and(|solved| own(&solved) == *now)
    }

    /// Puts other content into the learner's own files, once what is to be put away is kept.
    fn exchange(&self, put_away: Option<&Files>, files: &Files) -> Result<(), WorkspaceError> {
        for name in &self.exercise.edit {
            let path = self.file(name);
            if is_read_only(&path) {
                return Err(WorkspaceError::ReadOnly(path));
            }
        }
        // Where every file is gone there is nothing that anybody would want back.
        if let Some(put_away) = put_away.filter(|files| !files.is_empty()) {
            kept::keep(&self.kept, put_away).map_err(WorkspaceError::io(&self.kept, "written"))?;
        }
        for name in &self.exercise.edit {
            match files.get(name) {
                Some(content) => self.write(name, content)?,
                None => self.remove(name)?,
            }
        }
        Ok(())
    }

    /// Keeps a text that was not saved, and says where. A reset and its undoing do not touch it.
    ///
    /// # Errors
    /// When it is not one of the learner's own files, or cannot be written.
    pub fn keep(&self, name: &str, content: &[u8]) -> Result<PathBuf, WorkspaceError> {
        if !self.exercise.edit.iter().any(|edit| edit == name) {
            return Err(WorkspaceError::NotYours(name.to_owned()));
        }
        let unsaved = self.unsaved();
        let files = Files::from([(name.to_owned(), Arc::from(content))]);
        let folder =
            kept::keep(&unsaved, &files).map_err(WorkspaceError::io(&unsaved, "written"))?;
        Ok(folder.join(name))
    }

    /// Where texts are that were not saved and are not on disk either, oldest first: those that
    /// nobody was told of yet. From now on somebody was.
    ///
    /// # Errors
    /// When they cannot be read.
    pub fn untold(&self) -> Result<Vec<PathBuf>, WorkspaceError> {
        let unsaved = self.unsaved();
        let untold = kept::untold(&unsaved).map_err(WorkspaceError::io(&unsaved, "read"))?;
        let texts = untold.iter().flat_map(|(folder, files)| {
            files
                .iter()
                .filter(|(name, text)| {
                    let here = read(&self.path, name);
                    !matches!(here, Ok(Some(here)) if here == **text)
                })
                .map(|(name, _)| folder.join(name))
        });
        Ok(texts.collect())
    }

    fn remove(&self, name: &str) -> Result<(), WorkspaceError> {
        let path = within(&self.path, name)?;
        match fs::remove_file(&path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                Err(WorkspaceError::io(&path, "removed")(error))
            }
            _ => Ok(()),
        }
    }
}

/// The content of a plain file of a folder, of bearable size, or nothing where there is none.
///
/// # Errors
/// When it cannot be read, lies elsewhere, is no plain file or is too large.
pub fn read(folder: &Path, name: &str) -> Result<Option<Arc<[u8]>>, WorkspaceError> {
    let path = &within(folder, name)?;
    let meta = match fs::metadata(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        other => other.map_err(WorkspaceError::io(path, "read"))?,
    };
    if !meta.is_file() {
        return Err(WorkspaceError::NotAFile(path.to_owned()));
    }
    let file = match fs::File::open(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        other => other.map_err(WorkspaceError::io(path, "read"))?,
    };
    let mut content = Vec::new();
    file.take(MAX_FILE + 1)
        .read_to_end(&mut content)
        .map_err(WorkspaceError::io(path, "read"))?;
    if content.len() as u64 > MAX_FILE {
        return Err(WorkspaceError::TooLarge(path.to_owned()));
    }
    Ok(Some(content.into()))
}

/// Where a file of a folder lies, links followed.
fn within(folder: &Path, name: &str) -> Result<PathBuf, WorkspaceError> {
    links::real(folder, name).ok_or_else(|| WorkspaceError::LeadsOut(folder.join(name)))
}

/// Whether a file's mode does not let it be written.
#[must_use]
pub fn is_read_only(path: &Path) -> bool {
    fs::metadata(path).is_ok_and(|meta| meta.permissions().readonly())
}

#[cfg(test)]
mod tests;
