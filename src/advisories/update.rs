//! Makes a new snapshot from a place: fetches what has changed, takes over what has not.
#![expect(
    clippy::disallowed_methods,
    reason = "edge: a snapshot says when it was made"
)]

use std::collections::BTreeSet;
use std::path::Path;

use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;
use tokio_util::sync::CancellationToken;

use super::AdvisoriesError;
use super::Manifest;
use super::Place;
use super::Store;
use super::fetch;
use super::fetch::Answer;
use super::fetch::Fetch;
use super::import;
use super::manifest::Origin;
use super::manifest::Part;
use super::place::archives;
use super::store::Lock;
use super::store::give_up;
use super::store::make_folder;
use crate::finding::Ecosystem;
use crate::units::Bytes;

/// What is asked of an update.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Update {
    /// Where archives come from.
    pub place: Place,
    /// Which ecosystems; empty for those that the current snapshot has, or else all that there are.
    pub ecosystems: Vec<Ecosystem>,
}

/// How far an update is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Progress {
    /// An archive is coming.
    Fetching {
        /// Which.
        ecosystem: Ecosystem,
        /// What has come.
        done: Bytes,
        /// All of it, where the server says.
        total: Option<Bytes>,
    },
    /// An archive is being read.
    Importing {
        /// Which.
        ecosystem: Ecosystem,
    },
    /// An ecosystem is done.
    Done {
        /// What came of it.
        part: Box<Part>,
        /// Whether it is the same as before.
        unchanged: bool,
    },
}

/// Makes a new snapshot and makes it the current one. Until the very end nothing changes for
/// anybody else, and the snapshots that are here stay. Blocks.
///
/// # Errors
/// When something cannot be fetched, read or written, or when it was cancelled.
pub fn update(
    store: &Store,
    asked: &Update,
    cancel: &CancellationToken,
    progress: &mut dyn FnMut(Progress),
) -> Result<Manifest, AdvisoriesError> {
    let lock = store.lock()?;
    let making = store.begin(&lock)?;
    let made = make(store, &lock, asked, &making, cancel, progress);
    if made.is_err() {
        give_up(&making);
    }
    made
}

fn make(
    store: &Store,
    lock: &Lock,
    asked: &Update,
    making: &Path,
    cancel: &CancellationToken,
    progress: &mut dyn FnMut(Progress),
) -> Result<Manifest, AdvisoriesError> {
    // A snapshot that cannot be read is no reason not to make a new one.
    let before = store
        .current()
        .ok()
        .flatten()
        .map(|snapshot| snapshot.manifest().clone());
    let mut work = Work {
        store,
        before: before.as_ref(),
        making,
        cancel,
        progress,
    };
    let mut parts = match &asked.place {
        Place::Folder(folder) => work.parts_of_folder(folder, &asked.ecosystems)?,
        Place::Url(base) => work.parts_of_address(base, &asked.ecosystems)?,
    };
    for part in before.iter().flat_map(|before| &before.parts) {
        if parts.iter().all(|new| new.ecosystem != part.ecosystem) {
            work.take_over(part)?;
            parts.push(part.clone());
        }
    }
    let made = OffsetDateTime::now_utc()
        .replace_nanosecond(0)
        .unwrap_or(OffsetDateTime::UNIX_EPOCH)
        .format(&Rfc3339)
        .unwrap_or_default();
    let manifest = Manifest::new(parts, made);
    store.finish(lock, &manifest, making)?;
    fetch::clean(&store.downloads());
    Ok(manifest)
}

struct Work<'a> {
    store: &'a Store,
    before: Option<&'a Manifest>,
    making: &'a Path,
    cancel: &'a CancellationToken,
    progress: &'a mut dyn FnMut(Progress),
}

impl Work<'_> {
    fn parts_of_folder(
        &mut self,
        folder: &Path,
        asked: &[Ecosystem],
    ) -> Result<Vec<Part>, AdvisoriesError> {
        let there = archives(folder)?;
        if let Some(missing) = asked.iter().find(|one| !there.contains_key(one)) {
            return Err(AdvisoriesError::Missing {
                ecosystem: *missing,
                place: folder.display().to_string(),
            });
        }
        let mut parts = Vec::new();
        for (ecosystem, path) in &there {
            if !asked.is_empty() && !asked.contains(ecosystem) {
                continue;
            }
            let (sha256, bytes) = import::digest(path)?;
            let origin = Origin {
                place: path.display().to_string(),
                sha256,
                bytes,
                etag: None,
            };
            let same = self
                .before
                .and_then(|before| before.part(*ecosystem))
                .filter(|part| part.origin.sha256 == origin.sha256)
                .cloned();
            parts.push(match same {
                Some(part) => self.unchanged(part)?,
                None => self.import(*ecosystem, path, origin)?,
            });
        }
        Ok(parts)
    }

    fn parts_of_address(
        &mut self,
        base: &str,
        asked: &[Ecosystem],
    ) -> Result<Vec<Part>, AdvisoriesError> {
        let downloads = self.store.downloads();
        make_folder(&downloads)?;
        let client = fetch::client();
        let mut wanted: Vec<Ecosystem> = match (asked, self.before) {
            ([], Some(before)) => before.parts.iter().map(|part| part.ecosystem).collect(),
            ([], None) => Ecosystem::ALL.to_vec(),
            (asked, _) => asked.to_vec(),
        };
        let mut once = BTreeSet::new();
        wanted.retain(|ecosystem| once.insert(*ecosystem));
        let mut parts = Vec::new();
        for ecosystem in wanted {
            let url = Place::url(base, ecosystem);
            let known = self
                .before
                .and_then(|before| before.part(ecosystem))
                .filter(|part| part.origin.place == url);
            let fetch = Fetch {
                client: &client,
                url: &url,
                stem: downloads.join(ecosystem.to_string().to_lowercase()),
                known: known.and_then(|part| part.origin.etag.as_deref()),
                cancel: self.cancel,
            };
            let answer = fetch.run(&mut |done, total| {
                (self.progress)(Progress::Fetching {
                    ecosystem,
                    done,
                    total,
                });
            })?;
            parts.push(match (answer, known) {
                (Answer::Unchanged, Some(part)) => self.unchanged(part.clone())?,
                (Answer::Unchanged, None) => {
                    return Err(AdvisoriesError::Status {
                        place: url.clone(),
                        status: 304,
                    });
                }
                (Answer::Came(path, origin), _) => {
                    let part = self.import(ecosystem, &path, origin);
                    if matches!(
                        part,
                        Err(AdvisoriesError::NotAnArchive { .. }
                            | AdvisoriesError::Corrupt { .. }
                            | AdvisoriesError::TooMuch { .. })
                    ) {
                        // Nothing of it is of use for the next try.
                        fetch.forget();
                    }
                    part?
                }
            });
        }
        Ok(parts)
    }

    fn import(
        &mut self,
        ecosystem: Ecosystem,
        path: &Path,
        origin: Origin,
    ) -> Result<Part, AdvisoriesError> {
        (self.progress)(Progress::Importing { ecosystem });
        let part = import::import(path, origin, ecosystem, self.making, self.cancel)?;
        self.done(part, false)
    }

    fn unchanged(&mut self, part: Part) -> Result<Part, AdvisoriesError> {
        self.take_over(&part)?;
        self.done(part, true)
    }

    fn done(&mut self, part: Part, unchanged: bool) -> Result<Part, AdvisoriesError> {
        (self.progress)(Progress::Done {
            part: Box::new(part.clone()),
            unchanged,
        });
        Ok(part)
    }

    fn take_over(&self, part: &Part) -> Result<(), AdvisoriesError> {
        match self.before {
            Some(before) => self.store.take_over(before, part, self.making),
            None => Ok(()),
        }
    }
}
