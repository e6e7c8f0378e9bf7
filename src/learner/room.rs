//! Whether there is room for the learner's files, and what keeps it from being had.

use std::io;
use std::path::Path;

use rustix::process::Resource;

use crate::units::Bytes;

/// Less than this is no room: a record and its log are larger.
const LITTLE: u64 = 64 * 1024;

/// What a write can meet that found no room.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Room {
    /// The file system is full: of bytes or of names.
    Full,
    /// This program's files may not be larger than this (`ulimit -f`).
    Limited(Bytes),
    /// Nothing that can be seen from here: a quota, or a disk that fails.
    Unknown,
}

impl Room {
    /// Looks at the room for a file, which need not be there.
    #[must_use]
    pub fn at(file: &Path) -> Self {
        let stat = file.ancestors().find_map(|at| rustix::fs::statvfs(at).ok());
        let full = stat.is_some_and(|stat| {
            stat.f_bavail.saturating_mul(stat.f_frsize) < LITTLE
                || (stat.f_files > 0 && stat.f_favail == 0)
        });
        match rustix::process::getrlimit(Resource::Fsize).current {
            _ if full => Self::Full,
            Some(most) => Self::Limited(Bytes(most)),
            None => Self::Unknown,
        }
    }

    /// What to do next where `file` could not be written.
    #[must_use]
    pub fn hint(self, file: &Path) -> String {
        let place = file.parent().unwrap_or(file).display();
        match self {
            Self::Full => format!("free some space where `{place}` is"),
            Self::Limited(most) => format!(
                "raise the limit on the size of files, which is {most} (`ulimit -f unlimited`), \
                 for `{place}`"
            ),
            Self::Unknown => {
                format!("see whether your quota is used up or the disk fails where `{place}` is")
            }
        }
    }
}

/// Whether an error says that room, a quota or a limit on file sizes is used up.
#[must_use]
pub fn is_used_up(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded | io::ErrorKind::FileTooLarge
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_cause_has_its_next_step_and_names_the_place() {
        let file = Path::new("/home/a/.loadline/records.db");
        for (room, wanted) in [
            (Room::Full, "free some space"),
            (Room::Limited(Bytes(512_000)), "which is 512 kB"),
            (Room::Unknown, "quota"),
        ] {
            let hint = room.hint(file);
            assert!(hint.contains(wanted), "{hint}");
            assert!(hint.contains("`/home/a/.loadline`"), "{hint}");
        }
    }

    #[test]
    fn a_file_that_is_not_there_yet_is_looked_for_in_the_folder_that_is() {
        let folder = tempfile::tempdir().expect("a folder");
        let room = Room::at(&folder.path().join("a/b/c"));
        assert_ne!(room, Room::Full);
    }

    #[test]
    fn a_quota_and_a_limit_are_no_room_and_a_lack_of_rights_is_not() {
        for (code, used_up) in [(28, true), (122, true), (27, true), (13, false), (5, false)] {
            let error = io::Error::from_raw_os_error(code);
            assert_eq!(is_used_up(&error), used_up, "{error}");
        }
    }
}
