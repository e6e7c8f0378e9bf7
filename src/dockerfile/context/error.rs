//! Why a context cannot be made.

use std::io;

use thiserror::Error;

use super::super::ignore::IgnoreError;
use crate::text::Clean;
use crate::text::plural;
use crate::units::Bytes;

/// A context that cannot be made or written.
#[derive(Debug, Error)]
pub enum ContextError {
    /// The folder, or something in it, cannot be read.
    #[error("cannot read `{path}`")]
    Unreadable {
        /// The path, relative to the folder.
        path: Clean,
        /// Why.
        #[source]
        why: io::Error,
    },
    /// There is no Dockerfile.
    #[error("there is no `{0}`")]
    NoDockerfile(Clean),
    /// A link stands where a file has to be.
    #[error("`{0}` is a symbolic link; a file has to be there")]
    Link(Clean),
    /// The ignore file is not one.
    #[error("`{file}`, {error}")]
    Ignore {
        /// The ignore file.
        file: Clean,
        /// What is wrong with it.
        error: IgnoreError,
    },
    /// Something that is neither a file nor a folder nor a link.
    #[error("`{path}` is {kind}, which cannot be sent to a builder")]
    Special {
        /// The path.
        path: Clean,
        /// `a FIFO`, `a device`.
        kind: &'static str,
    },
    /// The Dockerfile, or its ignore file, is something of that kind.
    #[error("`{path}` is {kind}; a file has to be there")]
    NoFile {
        /// The path.
        path: Clean,
        /// `a FIFO`, `a device`.
        kind: &'static str,
    },
    /// More entries than are sent.
    #[error(
        "the context has more than {}{}",
        plural(*.limit, "file"),
        .most.as_ref().map(|folder| format!("; the folder `{folder}` holds the most")).unwrap_or_default()
    )]
    TooMany {
        /// The most that is sent.
        limit: usize,
        /// The folder that holds most of them, where there is one.
        most: Option<Clean>,
    },
    /// More folders and files than are looked at.
    #[error("the folder has more than {}, ignored ones included", plural(*.0, "entry"))]
    TooManyToLookAt(usize),
    /// More bytes than are sent.
    #[error("the context is larger than {limit}; `{path}` is the file that is too much")]
    TooLarge {
        /// The most that is sent.
        limit: Bytes,
        /// The file that crossed it.
        path: Clean,
    },
    /// A Dockerfile or an ignore file of a size that none has.
    #[error("`{path}` is larger than {limit}, the most that is read of such a file")]
    LongText {
        /// The path.
        path: Clean,
        /// The most that is read.
        limit: Bytes,
    },
    /// Folders within folders without end.
    #[error("`{path}` is more than {} deep", plural(*.limit, "folder"))]
    TooDeep {
        /// The path.
        path: Clean,
        /// The most that is read.
        limit: usize,
    },
    /// A path of a length that archives cannot carry everywhere.
    #[error("the path `{path}` is longer than {limit} bytes")]
    LongPath {
        /// The path.
        path: Clean,
        /// The longest.
        limit: usize,
    },
    /// A path that leads out of the context.
    #[error("`{0}` is not a path inside the context")]
    Outside(Clean),
    /// A file that became shorter while it was read.
    #[error("`{0}` changed while it was read")]
    Changed(Clean),
    /// The archive cannot be written.
    #[error("cannot write the context")]
    Write(#[source] io::Error),
}

impl ContextError {
    /// One thing to do about it, as an imperative fragment, where there is one.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        let hint = match self {
            Self::Unreadable { .. } => "make it readable for you, or name it in `.dockerignore`",
            Self::NoDockerfile(_) => "write one, or say where it is",
            Self::Link(_) => "put the file itself there",
            Self::Ignore { error, .. } => return error.hint.clone(),
            Self::NoFile { .. } => "put a plain file in its place",
            Self::Special { .. } => "remove it, or name it in `.dockerignore`",
            Self::LongText { .. } => {
                "look whether it is the right file: it is to hold a few lines of text"
            }
            Self::TooMany { .. } | Self::TooManyToLookAt(_) | Self::TooLarge { .. } => {
                "name in `.dockerignore` what the build does not need, or build in a smaller folder"
            }
            Self::TooDeep { .. } | Self::LongPath { .. } => {
                "name a folder above it in `.dockerignore`"
            }
            Self::Changed(_) => "try again when nothing writes to it",
            Self::Write(why) => match why.kind() {
                io::ErrorKind::StorageFull
                | io::ErrorKind::QuotaExceeded
                | io::ErrorKind::FileTooLarge => "free some space on this disk",
                _ => "set `TMPDIR` to a folder that you may write to",
            },
            Self::Outside(_) => return None,
        };
        Some(hint.to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn space_is_the_next_step_only_where_there_is_none() {
        let hint = |kind: io::ErrorKind| ContextError::Write(kind.into()).hint().unwrap();
        assert!(hint(io::ErrorKind::StorageFull).contains("space"));
        assert!(hint(io::ErrorKind::PermissionDenied).contains("`TMPDIR`"));
        assert!(hint(io::ErrorKind::NotFound).contains("`TMPDIR`"));
    }
}
