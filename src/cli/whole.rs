//! Files that are written whole: who looks finds what was there or what is there now, never a part.

#![expect(
    clippy::disallowed_methods,
    reason = "edge: writes the files that the command line names"
)]

use std::fs;
use std::io;
use std::io::Read as _;
use std::io::Seek as _;
use std::io::Write as _;
use std::os::unix::fs::MetadataExt as _;
use std::os::unix::fs::fchown;
use std::path::Path;

use tempfile::NamedTempFile;

/// Puts `bytes` in the place of a file, at once: a crash leaves the old file or the new one. It stays
/// its owner's, whoever replaces it.
///
/// # Errors
/// When that cannot be done; the file is then as it was, or the error says where its text is.
pub(crate) fn replace(path: &Path, bytes: &[u8]) -> io::Result<()> {
    // A link stays a link.
    let path = fs::canonicalize(path)?;
    match put(&path, bytes) {
        // Nothing can be put beside it, in its place or into its owner's hands: a file that is
        // mounted, another's folder, another's file.
        Err(error)
            if matches!(
                error.kind(),
                io::ErrorKind::PermissionDenied
                    | io::ErrorKind::ReadOnlyFilesystem
                    | io::ErrorKind::ResourceBusy
            ) =>
        {
            write_over(&path, bytes)
        }
        other => other,
    }
}

/// Writes to the file itself. Where that fails, it gets back what it held: no room is asked for that,
/// because it is not made shorter before. What it held is kept in a file of its own meanwhile, should
/// the machine die before the end.
fn write_over(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut file = fs::File::options().read(true).write(true).open(path)?;
    let mut old = Vec::new();
    file.read_to_end(&mut old)?;
    fill_or_undo(&file, bytes, &old, keep(path, &old))
}

/// Fills a file anew, or with what it held. Where neither can be done, what was kept of it stays, and
/// the error says where that is.
fn fill_or_undo(
    file: &fs::File,
    bytes: &[u8],
    old: &[u8],
    kept: Option<NamedTempFile>,
) -> io::Result<()> {
    let Err(why) = fill(file, bytes) else {
        return Ok(());
    };
    if fill(file, old).is_ok() {
        return Err(why);
    }
    let kept = kept.and_then(|kept| kept.keep().ok());
    Err(match kept {
        Some((_, kept)) => {
            let kept = kept.display();
            let what = format!("{why}; it is written in part, and what it held is in `{kept}`");
            io::Error::new(why.kind(), what)
        }
        None => why,
    })
}

/// A copy of what a file holds: beside it, or in the temporary folder; nothing where neither takes
/// one.
fn keep(path: &Path, old: &[u8]) -> Option<NamedTempFile> {
    let beside = path.parent().map(Path::to_owned);
    let folders = beside.into_iter().chain([std::env::temp_dir()]);
    folders
        .map(|folder| {
            let kept = copy_in(&folder, old)?;
            kept.as_file().sync_all()?;
            Ok::<_, io::Error>(kept)
        })
        .find_map(Result::ok)
}

fn copy_in(folder: &Path, bytes: &[u8]) -> io::Result<NamedTempFile> {
    let mut new = tempfile::Builder::new()
        .prefix(".loadline-")
        .tempfile_in(folder)?;
    new.write_all(bytes)?;
    Ok(new)
}

fn fill(mut file: &fs::File, bytes: &[u8]) -> io::Result<()> {
    file.rewind()?;
    file.write_all(bytes)?;
    file.set_len(bytes.len() as u64)?;
    file.sync_all()
}

fn put(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let folder = path.parent().unwrap_or(Path::new("/"));
    let new = copy_in(folder, bytes)?;
    let (old, own) = (fs::metadata(path)?, new.as_file().metadata()?);
    let owner = |of: &fs::Metadata| (of.uid(), of.gid());
    if owner(&old) != owner(&own) {
        let not_ours = |why| io::Error::new(io::ErrorKind::PermissionDenied, why);
        fchown(new.as_file(), Some(old.uid()), Some(old.gid())).map_err(not_ours)?;
    }
    new.as_file().set_permissions(old.permissions())?;
    new.as_file().sync_all()?;
    new.persist(path)?;
    Ok(())
}

/// Writes to a path that somebody named, and that need not be there. What is a device or a FIFO, or
/// stands for an open file, is written to and not replaced.
///
/// # Errors
/// When it cannot be written; a file that was there is then as it was, or the error says where its
/// text is.
pub(crate) fn write(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let is_file = fs::metadata(path).is_ok_and(|there| there.is_file());
    let is_open = ["/dev", "/proc"].iter().any(|at| path.starts_with(at));
    if !is_file || is_open {
        let there = fs::metadata(path);
        let is_new = there.is_err_and(|error| error.kind() == io::ErrorKind::NotFound);
        return fs::write(path, bytes).inspect_err(|_| {
            // At the end of links that led to nothing: they were there before.
            if is_new && let Ok(made) = fs::canonicalize(path) {
                let _ = fs::remove_file(made);
            }
        });
    }
    // One that may not be written stays, whoever may write to its folder.
    fs::File::options().write(true).open(path)?;
    replace(path, bytes)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::MetadataExt as _;
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    #[test]
    fn what_is_named_is_written_through_links_and_with_its_mode() {
        let folder = tempfile::tempdir().unwrap();
        let [file, link, early] = ["file", "link", "early"].map(|name| folder.path().join(name));
        std::os::unix::fs::symlink("file", &link).unwrap();
        std::os::unix::fs::symlink("later", &early).unwrap();
        write(&file, b"1").unwrap();
        fs::set_permissions(&file, fs::Permissions::from_mode(0o640)).unwrap();
        let before = fs::metadata(&file).unwrap().ino();
        write(&link, b"2").unwrap();
        write(&early, b"3").unwrap();
        assert!(link.is_symlink() && early.is_symlink());
        assert_eq!(fs::read(&file).unwrap(), b"2");
        assert_eq!(fs::read(folder.path().join("later")).unwrap(), b"3");
        let after = fs::metadata(&file).unwrap();
        assert_ne!(after.ino(), before, "who still reads it has the old one");
        assert_eq!(after.mode() & 0o777, 0o640);
        let names = fs::read_dir(folder.path()).unwrap().count();
        assert_eq!(names, 4, "nothing is left beside it");
    }

    #[test]
    fn a_file_stays_its_owners() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file");
        fs::write(&path, "1").unwrap();
        // Only root can give a file away.
        let is_root = rustix::process::geteuid().is_root();
        let owner = is_root.then_some(4711);
        std::os::unix::fs::chown(&path, owner, owner).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o4600)).unwrap();
        let before = fs::metadata(&path).unwrap();
        replace(&path, b"2").unwrap();
        let after = fs::metadata(&path).unwrap();
        let facts = |of: &fs::Metadata| (of.uid(), of.gid(), of.mode());
        assert_eq!(facts(&after), facts(&before));
        assert_ne!(after.ino(), before.ino());
    }

    #[test]
    fn what_is_written_over_is_no_longer_than_what_was_written() {
        let mut file = NamedTempFile::new().unwrap();
        file.write_all(b"a longer text").unwrap();
        write_over(file.path(), b"text").unwrap();
        assert_eq!(fs::read(file.path()).unwrap(), b"text");
    }

    #[test]
    fn what_a_half_written_file_held_is_kept_and_named() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file");
        fs::write(&path, "old").unwrap();
        // It takes neither text.
        let file = fs::File::open(&path).unwrap();
        let kept = keep(&path, b"old");
        let error = fill_or_undo(&file, b"new", b"old", kept).unwrap_err();
        let message = error.to_string();
        let named = message.split('`').nth(1).unwrap_or_default();
        assert_eq!(fs::read(named).unwrap(), b"old", "{message}");
        assert_eq!(Path::new(named).parent(), Some(folder.path()));

        fs::remove_file(named).unwrap();
        write_over(&path, b"new").unwrap();
        let names = fs::read_dir(folder.path()).unwrap().count();
        assert_eq!(names, 1, "nothing is left beside it");
    }

    #[test]
    fn a_copy_is_in_the_temporary_folder_where_none_can_be_beside() {
        let kept = keep(Path::new("/proc/file"), b"old").unwrap();
        assert_eq!(fs::read(kept.path()).unwrap(), b"old");
        assert!(kept.path().starts_with(std::env::temp_dir()));
    }

    #[test]
    fn a_device_and_an_open_file_are_written_to() {
        let mut open = NamedTempFile::new().unwrap();
        let number = std::os::fd::AsRawFd::as_raw_fd(&open);
        write(Path::new(&format!("/dev/fd/{number}")), b"text").unwrap();
        let mut text = String::new();
        io::Read::read_to_string(&mut open, &mut text).unwrap();
        assert_eq!(text, "text");
        write(Path::new("/dev/null"), b"text").unwrap();
        assert!(!Path::new("/dev/null").is_file());
        assert!(write(Path::new("/dev/full"), b"text").is_err());
        assert!(write(Path::new("/nonexistent/file"), b"text").is_err());
        assert!(write(Path::new("/"), b"text").is_err());
    }
}
