//! What can go wrong with advisories, and what to do about it.

use std::io;
use std::path::Path;
use std::path::PathBuf;

use thiserror::Error;

use crate::finding::Ecosystem;
use crate::finding::index::IndexError;
use crate::text::Clean;
use crate::units::Bytes;

/// Advisories could not be fetched, imported or read.
#[derive(Debug, Error)]
pub enum AdvisoriesError {
    /// A file could not be read or written.
    #[error("cannot use `{path}`")]
    File {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// No room is left.
    #[error("the disk is full while advisories are written to `{path}`")]
    DiskFull {
        /// The file.
        path: PathBuf,
    },
    /// There is no such snapshot.
    #[error("there is no snapshot `{asked}` here")]
    NoSuchSnapshot {
        /// What was asked for.
        asked: String,
        /// What there is.
        here: Vec<String>,
    },
    /// Several snapshots begin like that.
    #[error("`{asked}` is short for more than one snapshot: {}", here.join(", "))]
    Ambiguous {
        /// What was asked for.
        asked: String,
        /// Those that begin like that.
        here: Vec<String>,
    },
    /// A snapshot is not what it was.
    #[error("the snapshot `{id}` is damaged: {why}")]
    Damaged {
        /// The snapshot.
        id: String,
        /// What is wrong, as a fragment.
        why: String,
    },
    /// The folder holds no archives.
    #[error("`{path}` holds no archive of advisories")]
    NothingThere {
        /// The folder.
        path: PathBuf,
    },
    /// An archive that was asked for is not at the place.
    #[error("there are no advisories for {ecosystem} at {place}")]
    Missing {
        /// Which.
        ecosystem: Ecosystem,
        /// Where.
        place: String,
    },
    /// An archive is something else.
    #[error("{place} is no archive of advisories: {why}")]
    NotAnArchive {
        /// Where it is from.
        place: String,
        /// Why, as a fragment.
        why: Clean,
    },
    /// An archive is larger than is sensible.
    #[error("the archive from {place} is refused: {why}")]
    TooMuch {
        /// Where it is from.
        place: String,
        /// Why, as a fragment.
        why: String,
    },
    /// An archive does not have the bytes that its server announced.
    #[error("the archive from {place} came damaged: {why}")]
    Corrupt {
        /// Where it is from.
        place: String,
        /// Why, as a fragment.
        why: String,
    },
    /// Nobody answers at the address.
    #[error("{place} cannot be reached: {why}")]
    Network {
        /// The address.
        place: String,
        /// Why, as a fragment.
        why: Clean,
        /// How much had come; it is kept.
        kept: Bytes,
    },
    /// The server says no.
    #[error("{place} answers with status {status}")]
    Status {
        /// The address.
        place: String,
        /// The status.
        status: u16,
    },
    /// An address is none.
    #[error("`{0}` is neither a folder nor an `http` or `https` address")]
    NoPlace(String),
    /// The snapshot that comes with the program was to be removed.
    #[error("the snapshot `{0}` is part of the program and cannot be removed")]
    BuiltIn(String),
    /// Another process changes the store.
    #[error("another `loadline db` is at work")]
    Busy,
    /// It was stopped.
    #[error("stopped")]
    Cancelled,
}

impl AdvisoriesError {
    /// An error of a file, where a full disk is told apart.
    pub(super) fn file(path: &Path, source: io::Error) -> Self {
        match source.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => Self::DiskFull {
                path: path.to_owned(),
            },
            _ => Self::File {
                path: path.to_owned(),
                source,
            },
        }
    }

    /// An index of a snapshot is damaged.
    pub(super) fn damaged(id: &str, error: &IndexError) -> Self {
        Self::Damaged {
            id: id.to_owned(),
            why: error.0.to_owned(),
        }
    }

    /// What to do next, as a lower-case imperative.
    #[must_use]
    pub fn hint(&self) -> String {
        match self {
            Self::File { .. } => String::from("check the path and its permissions"),
            Self::DiskFull { .. } => String::from(
                "make room, then run it again: what has come is kept, and the snapshot in use is whole",
            ),
            Self::NoSuchSnapshot { here, .. } if here.is_empty() => String::from(
                "run `loadline db update` to fetch one; `shipped` is the one in the program",
            ),
            Self::NoSuchSnapshot { .. } | Self::Ambiguous { .. } => {
                String::from("`loadline db list` shows every snapshot that is here")
            }
            Self::Damaged { id, .. } => {
                format!("remove it with `loadline db remove {id}`, then run `loadline db update`")
            }
            Self::NothingThere { .. } => String::from(
                "name a folder that holds `<ECOSYSTEM>/all.zip`, such as `PyPI/all.zip`",
            ),
            Self::Missing { .. } => {
                String::from("leave it out with `--ecosystems`, or use another place with `--from`")
            }
            Self::NotAnArchive { place, .. } | Self::Corrupt { place, .. }
                if !place.contains("://") =>
            {
                String::from(
                    "copy it there again: an ecosystem's `all.zip` is a ZIP file with one record per entry",
                )
            }
            Self::NotAnArchive { .. } => String::from(
                "open the address in a browser: a sign-in page or a proxy may answer in its place",
            ),
            Self::TooMuch { .. } | Self::NoPlace(_) => {
                String::from("use another place with `--from URL` or `--from FOLDER`")
            }
            Self::Corrupt { .. } => String::from("run it again: it is fetched from the start"),
            Self::Network { why, .. } if why.as_str().contains("certificate") => String::from(
                "the host does not know who signed the server's certificate: name the file of its authority in `SSL_CERT_FILE`, or use `--from FOLDER`",
            ),
            Self::Network { kept: Bytes(0), .. } => String::from(
                "check the connection and `HTTPS_PROXY`, or use `--from FOLDER`; without it the snapshot in use stays as it is",
            ),
            Self::Network { .. } => String::from("run it again: it goes on where it stopped"),
            Self::Status { status: 404, .. } => String::from(
                "check the address: the archives are expected at `<ADDRESS>/<ECOSYSTEM>/all.zip`",
            ),
            Self::Status { status: 407, .. } => {
                String::from("the proxy wants a name and a password: put them into `HTTPS_PROXY`")
            }
            Self::Status { .. } => {
                String::from("try again later, or use another place with `--from`")
            }
            Self::BuiltIn(_) => String::from("`loadline db use ID` lets scans use another one"),
            Self::Busy => String::from("wait until it is done"),
            Self::Cancelled => String::from("run it again: it goes on where it stopped"),
        }
    }
}
