//! Where downloads of base images are kept.

#![expect(
    clippy::disallowed_methods,
    reason = "edge: looks whose a folder among the temporary files is"
)]

use std::fs::DirBuilder;
use std::os::unix::fs::DirBuilderExt as _;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;
use std::path::PathBuf;

use rustix::fs::Access;
use rustix::fs::access;
use rustix::io::Errno;
use rustix::process::geteuid;

use crate::learner::Home;

/// Beside the learner's files, or among temporary files where there is no home, or none that may be
/// written to: a container's user and a service often have such a one.
pub(crate) fn folder() -> PathBuf {
    let kept = Home::find().ok().map(|home| home.state().join("bases"));
    kept.filter(|folder| may_write(&folder.join("lock")))
        .unwrap_or_else(|| temporary(&std::env::temp_dir(), geteuid().as_raw()))
}

/// Whether a file could be written: it, or the folder in which it would be made.
fn may_write(path: &Path) -> bool {
    path.ancestors()
        .map(|one| access(one, Access::WRITE_OK))
        .find(|asked| *asked != Err(Errno::NOENT))
        .is_some_and(|asked| asked.is_ok())
}

/// A folder of this user's own: the same each time, unless somebody else made it first.
fn temporary(among: &Path, user: u32) -> PathBuf {
    let name = format!("loadline-bases-{user}");
    let folder = among.join(&name);
    let _ = DirBuilder::new().mode(0o700).create(&folder);
    let known = std::fs::symlink_metadata(&folder);
    if known.is_ok_and(|known| known.is_dir() && known.uid() == user) {
        return folder;
    }
    let random: u64 = rand::random();
    among.join(format!("{name}-{random:016x}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_there_yet_is_made_where_it_may_be() {
        let folder = tempfile::tempdir().unwrap();
        assert!(may_write(&folder.path().join("a/b/lock")));
        let file = folder.path().join("file");
        std::fs::write(&file, "").unwrap();
        assert!(may_write(&file));
        assert!(!may_write(&file.join("lock")));
    }

    #[test]
    fn what_somebody_else_made_is_left_alone() {
        let among = tempfile::tempdir().unwrap();
        let me = geteuid().as_raw();
        let own = temporary(among.path(), me);
        assert_eq!(own, temporary(among.path(), me));
        assert_eq!(std::fs::metadata(&own).unwrap().mode() & 0o777, 0o700);
        // Whoever comes later finds it taken.
        let other = me + 1;
        std::fs::create_dir(among.path().join(format!("loadline-bases-{other}"))).unwrap();
        let theirs = temporary(among.path(), other);
        assert!(theirs.starts_with(among.path()) && !theirs.exists());
        std::fs::remove_dir(&own).unwrap();
        std::os::unix::fs::symlink("/", &own).unwrap();
        assert_ne!(temporary(among.path(), me), own);
    }
}
