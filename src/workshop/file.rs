//! One of the learner's files as both front ends see it: its text, or why it cannot be edited here.

use std::path::Path;

use crate::learner::workspace;
use crate::learner::workspace::WorkspaceError;
use crate::workshop::Trouble;

/// One of the learner's files.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WorkspaceFile {
    /// Its path in the folder.
    pub name: String,
    /// Its text, byte for byte where it is not barred; `None` where the file is not there, or
    /// cannot be shown.
    pub text: Option<String>,
    /// Why it cannot be edited here, where it cannot.
    pub barred: Option<Barred>,
}

impl WorkspaceFile {
    /// A file of a folder as it is on disk now. Both front ends read with this, and no build takes
    /// more than it does.
    #[must_use]
    pub fn read(folder: &Path, name: &str) -> Self {
        let path = folder.join(name);
        let (text, barred) = match workspace::read(folder, name) {
            Ok(None) => (None, None),
            Ok(Some(content)) => {
                let (text, barred) = text(&content);
                let barred =
                    barred.or_else(|| workspace::is_read_only(&path).then_some(Barred::ReadOnly));
                (Some(text), barred)
            }
            Err(WorkspaceError::NotAFile(_)) => (None, Some(Barred::NotAFile)),
            Err(WorkspaceError::LeadsOut(_)) => (None, Some(Barred::LeadsOut)),
            Err(WorkspaceError::TooLarge(_)) => (None, Some(Barred::TooLarge)),
            Err(_) => (None, Some(Barred::Unreadable)),
        };
        Self {
            name: name.to_owned(),
            text,
            barred,
        }
    }
}

/// What is shown of some content, and what bars it from being edited.
fn text(content: &[u8]) -> (String, Option<Barred>) {
    match str::from_utf8(content) {
        Ok(text) => {
            let barred = LineEnds::of(text).is_none();
            (text.to_owned(), barred.then_some(Barred::MixedEnds))
        }
        // Saving what is shown would change bytes that never were.
        Err(_) => (
            String::from_utf8_lossy(content).into_owned(),
            Some(Barred::NotUtf8),
        ),
    }
}

/// Why a file cannot be edited here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Barred {
    /// Its mode does not let it be written.
    ReadOnly,
    /// It holds bytes that are no text.
    NotUtf8,
    /// Some of its lines end in CR LF and some in LF: no editor here could put them back as they
    /// were, so it is left alone rather than made alike by a build.
    MixedEnds,
    /// It is larger than what is read.
    TooLarge,
    /// A folder, a pipe, a device.
    NotAFile,
    /// A link that leads out of the folder, or nowhere.
    LeadsOut,
    /// It is there and cannot be read.
    Unreadable,
}

impl Barred {
    /// In two or three words.
    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            Self::ReadOnly => "read-only",
            Self::NotUtf8 => "not UTF-8",
            Self::MixedEnds => "mixed line ends",
            Self::TooLarge => "larger than 1 MiB",
            Self::NotAFile => "not a plain file",
            Self::LeadsOut => "a link to elsewhere",
            Self::Unreadable => "unreadable",
        }
    }

    /// What is wrong with the file, and what to do.
    #[must_use]
    pub const fn words(self) -> &'static str {
        match self {
            Self::ReadOnly => "it is read-only; change its mode",
            Self::NotUtf8 => "it is not UTF-8; change it in your own editor",
            Self::MixedEnds => {
                "its lines end in two ways, CR LF and LF; make them alike in your own editor"
            }
            Self::TooLarge => "it is larger than 1 MiB; keep only what the build needs in it",
            Self::NotAFile => "it is not a plain file; move it away, a plain file belongs there",
            Self::LeadsOut => {
                "it is a link that leads out of this folder; put a plain file in its place"
            }
            Self::Unreadable => "it cannot be read; look at its permissions",
        }
    }
}

/// How the lines of a text end. An editor takes the ends off and puts them back on saving.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum LineEnds {
    /// As everywhere but on Windows.
    #[default]
    Lf,
    /// As on Windows.
    CrLf,
}

impl LineEnds {
    /// How the lines of this text end; `None` where they do not all end alike.
    #[must_use]
    pub fn of(text: &str) -> Option<Self> {
        let ends = if text.contains("\r\n") {
            Self::CrLf
        } else {
            Self::Lf
        };
        let alike = text
            .split(ends.as_str())
            .all(|line| !line.contains('\n') && !line.ends_with('\r'));
        alike.then_some(ends)
    }

    /// What stands at the end of a line.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Lf => "\n",
            Self::CrLf => "\r\n",
        }
    }
}

/// Why a text was not saved.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NotSaved {
    /// Something else is on disk than what was read; it was left as it is.
    Changed,
    /// It could not be written.
    Failed(Trouble),
}

impl NotSaved {
    /// The same in words, for a file with this name.
    #[must_use]
    pub fn trouble(self, file: &str) -> Trouble {
        match self {
            Self::Changed => Trouble::new(format!(
                "{file} changed on disk meanwhile; nothing was overwritten"
            )),
            Self::Failed(trouble) => trouble,
        }
    }
}

#[cfg(test)]
#[expect(clippy::disallowed_methods, reason = "makes the files that are read")]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    /// What is read of a file with this content.
    fn read(content: &[u8]) -> WorkspaceFile {
        let folder = tempfile::tempdir().expect("a folder");
        std::fs::write(folder.path().join("Dockerfile"), content).expect("there is room");
        WorkspaceFile::read(folder.path(), "Dockerfile")
    }

    #[test]
    fn a_text_is_read_byte_for_byte() {
        for text in ["", "FROM a\n", "FROM a\r\nRUN x\r\n", "FROM é"] {
            let file = read(text.as_bytes());
            assert_eq!((file.text.as_deref(), file.barred), (Some(text), None));
        }
    }

    #[test]
    fn what_cannot_be_edited_here_says_why() {
        let file = read(b"# caf\xe9\n");
        assert_eq!(file.barred, Some(Barred::NotUtf8));
        assert_eq!(file.text.as_deref(), Some("# caf\u{fffd}\n"));
        for mixed in ["a\r\nb\n", "a\nb\r\n", "a\r\r\n", "a\nb\r"] {
            assert_eq!(read(mixed.as_bytes()).barred, Some(Barred::MixedEnds));
        }
        let large = read("#".repeat((1 << 20) + 1).as_bytes());
        assert_eq!((large.text, large.barred), (None, Some(Barred::TooLarge)));
        let largest = read("#".repeat(1 << 20).as_bytes());
        assert!(largest.text.is_some() && largest.barred.is_none());

        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("Dockerfile");
        let read = || WorkspaceFile::read(folder.path(), "Dockerfile");
        assert_eq!((read().text, read().barred), (None, None), "it is missing");
        std::fs::create_dir(&path).expect("there is room");
        assert_eq!(read().barred, Some(Barred::NotAFile));
        std::fs::remove_dir(&path).expect("it is ours");
        std::fs::write(&path, "FROM a\n").expect("there is room");
        let mode = std::fs::Permissions::from_mode(0o444);
        std::fs::set_permissions(&path, mode).expect("it is ours");
        assert_eq!(read().barred, Some(Barred::ReadOnly));
        assert_eq!(read().text.as_deref(), Some("FROM a\n"));
    }

    #[test]
    fn line_ends_are_one_kind_or_none() {
        assert_eq!(LineEnds::of("a\nb"), Some(LineEnds::Lf));
        assert_eq!(LineEnds::of("a\rb"), Some(LineEnds::Lf));
        assert_eq!(LineEnds::of("a\r\nb\r\n"), Some(LineEnds::CrLf));
        assert_eq!(LineEnds::of("a\r\nb\n"), None);
        assert_eq!(LineEnds::of("a\r"), None);
    }
}
