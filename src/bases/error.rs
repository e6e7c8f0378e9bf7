//! What can go wrong with a base image, and what to do about it.

use std::io;
use std::path::PathBuf;

use thiserror::Error;

use crate::bases::apt::AptError;
use crate::bases::catalogue::CatalogueError;
use crate::bases::pack::PackError;
use crate::bases::quota::Quota;
use crate::bases::unpack::UnpackError;
use crate::engine::EngineError;
use crate::text::Clean;
use crate::text::plural;
use crate::units::Bytes;
use crate::units::show_duration;

/// A base image could not be listed, made, exported or imported.
#[derive(Debug, Error)]
pub enum BaseError {
    /// The catalogue that the program carries is unsound.
    #[error(transparent)]
    Catalogue(#[from] CatalogueError),
    /// No registry gave it and the catalogue does not have it.
    #[error("the base image `{reference}` is not here, and it cannot be built from packages")]
    Unknown {
        /// The reference as it was asked for.
        reference: String,
    },
    /// A stand-in is out of date and could not be made anew; the one that is here stays.
    #[error("`{reference}` is kept as it was: it could not be made anew")]
    Kept {
        /// The reference as it was asked for.
        reference: String,
        /// Why.
        #[source]
        cause: Box<Self>,
    },
    /// It cannot be built for the engine's architecture.
    #[error("`{reference}` cannot be built for the architecture `{architecture}`")]
    Architecture {
        /// The reference as it was asked for.
        reference: String,
        /// The engine's architecture.
        architecture: String,
    },
    /// Packages could not be brought.
    #[error(transparent)]
    Apt(AptError),
    /// Packages could not be unpacked.
    #[error(transparent)]
    Unpack(UnpackError),
    /// The engine failed.
    #[error(transparent)]
    Engine(EngineError),
    /// The registry has no such image.
    #[error("the registry `{registry}` has no image `{reference}`")]
    NotInRegistry {
        /// The reference as it was asked for.
        reference: String,
        /// The registry.
        registry: String,
    },
    /// The registry does not give it to everybody.
    #[error("the registry `{registry}` does not give `{reference}` without a login: {detail}")]
    Denied {
        /// The reference as it was asked for.
        reference: String,
        /// The registry.
        registry: String,
        /// What the engine says.
        detail: Clean,
    },
    /// The registry gives nothing more for now.
    #[error("the quota of the registry `{registry}` is used up{}", of(.quota.as_ref()))]
    QuotaUsedUp {
        /// The registry.
        registry: String,
        /// What it said of its quota, where it did.
        quota: Option<Quota>,
    },
    /// There is not enough room for it.
    #[error("`{reference}` needs {needed}, and only {free} are free where {place}")]
    NoRoom {
        /// The reference as it was asked for.
        reference: String,
        /// What it needs.
        needed: Bytes,
        /// What there is.
        free: Bytes,
        /// `the engine keeps its images`
        place: &'static str,
    },
    /// No room is left on this host, or a quota or a limit is used up.
    #[error("the disk takes no more while layers are put together")]
    DiskFull(#[source] io::Error),
    /// A pack cannot be written or read.
    #[error(transparent)]
    Pack(PackError),
    /// A file of the cache cannot be used.
    #[error("cannot use `{path}`")]
    File {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// The work was cancelled.
    #[error("cancelled")]
    Cancelled,
}

impl From<AptError> for BaseError {
    fn from(error: AptError) -> Self {
        match error {
            AptError::Cancelled => Self::Cancelled,
            other => Self::Apt(other),
        }
    }
}

impl From<UnpackError> for BaseError {
    fn from(error: UnpackError) -> Self {
        match error {
            UnpackError::Cancelled => Self::Cancelled,
            UnpackError::Apt(error) => error.into(),
            UnpackError::Layer(error) if is_used_up(&error) => Self::DiskFull(error),
            other => Self::Unpack(other),
        }
    }
}

impl From<PackError> for BaseError {
    fn from(error: PackError) -> Self {
        match error {
            PackError::Cancelled => Self::Cancelled,
            other => Self::Pack(other),
        }
    }
}

impl From<EngineError> for BaseError {
    fn from(error: EngineError) -> Self {
        match error {
            EngineError::Cancelled => Self::Cancelled,
            other => Self::Engine(other),
        }
    }
}

/// Whether an error says that room, a quota or a limit on file sizes is used up.
pub(super) fn is_used_up(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded | io::ErrorKind::FileTooLarge
    )
}

impl BaseError {
    /// What to do next, where there is something.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        let hint = match self {
            Self::Apt(error) => return apt_hint(error).map(str::to_owned),
            Self::Kept { cause, .. } => return cause.hint(),
            Self::Unknown { .. } => {
                "`loadline bases` lists what can be built here; a pack from a machine that has the image also helps: `loadline bases import FILE`"
            }
            Self::Architecture { .. } => {
                "import a pack that was made for this architecture: `loadline bases import FILE`"
            }
            Self::Engine(EngineError::DiskFull(_)) | Self::NoRoom { .. } => {
                "make room where the engine keeps its images, then run it again; what was downloaded is kept"
            }
            Self::NotInRegistry { .. } => {
                "check the name and the tag; `loadline bases` lists the base images of the course"
            }
            Self::Denied { .. } => {
                "check the name; where it is right, log in and pull it with the engine's own client (`docker login`, `docker pull`), and it is here for Loadline, too"
            }
            Self::QuotaUsedUp { .. } => {
                "wait until it is there again, or log in and pull with the engine's own client (`docker login`, `docker pull`); meanwhile `loadline bases build REFERENCE` makes a stand-in where there can be one"
            }
            Self::Engine(EngineError::Registry { .. }) => {
                "`loadline bases build REFERENCE` makes a stand-in where there can be one; a pack from a machine that has the image also helps: `loadline bases import FILE`"
            }
            Self::DiskFull(_) => {
                "make room where the cache is, then run it again; what was downloaded is kept"
            }
            Self::File { .. } => {
                "see to it that you may write there, or name another folder for your files: `LOADLINE_HOME=DIR`"
            }
            Self::Pack(error) => return error.hint().map(str::to_owned),
            Self::Catalogue(_) | Self::Unpack(_) | Self::Engine(_) | Self::Cancelled => {
                return None;
            }
        };
        Some(hint.to_owned())
    }
}

/// How large a quota is, for a message that it is used up.
fn of(quota: Option<&Quota>) -> String {
    let Some(quota) = quota else {
        return String::new();
    };
    let within = quota.within.map(show_duration);
    let within = within.map_or(String::new(), |within| format!(" within {within}"));
    let pulls = plural(usize::try_from(quota.of).unwrap_or(usize::MAX), "pull");
    format!(": {pulls} for this address{within}")
}

fn apt_hint(error: &AptError) -> Option<&'static str> {
    Some(match error {
        AptError::NoApt => {
            "import a pack made on another machine: `loadline bases import FILE`, or pull the images where a registry is in reach"
        }
        AptError::NoMirror => "name one: `loadline bases build --mirror URL`",
        AptError::NoKeyring => "install the package `debian-archive-keyring`",
        AptError::Signature(_) => {
            "bring the host's package `debian-archive-keyring` up to date; if the mirror was caught in the middle of an update, wait some minutes"
        }
        AptError::Network(_) => {
            "check that `apt-get update` works on this host; what was downloaded is kept for the next run"
        }
        AptError::NoRelease(_) => {
            "check the mirror's address: it is the folder that holds `dists` and `pool`"
        }
        AptError::DiskFull(_) => "make room, then run it again; what was downloaded is kept",
        AptError::Damaged(_) => "run it again: the file is downloaded anew",
        AptError::Refused(_) | AptError::File { .. } | AptError::Cancelled => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cancelled_part_is_a_cancelled_whole() {
        for error in [
            BaseError::from(EngineError::Cancelled),
            BaseError::from(UnpackError::Cancelled),
        ] {
            assert!(matches!(error, BaseError::Cancelled), "{error}");
        }
    }

    #[test]
    fn a_full_disk_is_called_so() {
        let full = io::Error::from(io::ErrorKind::StorageFull);
        let error = BaseError::from(UnpackError::Layer(full));
        assert!(matches!(error, BaseError::DiskFull(_)), "{error}");
        assert!(error.hint().is_some_and(|hint| hint.contains("make room")));
    }

    #[test]
    fn what_the_host_lacks_comes_with_a_next_step() {
        for error in [
            AptError::NoApt,
            AptError::NoMirror,
            AptError::NoKeyring,
            AptError::Network(Clean::line("x")),
            AptError::NoRelease(Clean::line("x")),
            AptError::DiskFull(Clean::line("x")),
            AptError::Signature(Clean::line("x")),
        ] {
            assert!(BaseError::from(error).hint().is_some());
        }
    }
}
