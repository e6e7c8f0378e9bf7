//! Files and folders that appear whole or not at all.

use std::fs;
use std::io;
use std::io::Write as _;
use std::path::Path;

use tempfile::NamedTempFile;

use crate::course::Files;

/// Replaces a file by new content, keeping its mode. A link is replaced itself.
pub(super) fn replace(path: &Path, content: &[u8]) -> io::Result<()> {
    let folder = path.parent().unwrap_or(Path::new("."));
    fs::create_dir_all(folder)?;
    let mut new = NamedTempFile::with_prefix_in(".loadline-", folder)?;
    new.write_all(content)?;
    let mode = match fs::symlink_metadata(path) {
        Ok(meta) if meta.is_file() => meta.permissions(),
        _ => ordinary(),
    };
    new.as_file().set_permissions(mode)?;
    new.as_file().sync_all()?;
    new.persist(path).map_err(|error| error.error)?;
    sync_folder(folder);
    Ok(())
}

/// Makes a folder with these files and says whether it did: where one has appeared meanwhile, that
/// one stays.
pub(super) fn make_folder(path: &Path, files: &Files) -> io::Result<bool> {
    let parent = path.parent().unwrap_or(Path::new("."));
    fs::create_dir_all(parent)?;
    let new = tempfile::Builder::new()
        .prefix(".loadline-")
        .tempdir_in(parent)?;
    for (name, content) in files {
        replace(&new.path().join(name), content)?;
    }
    fs::set_permissions(new.path(), folder_mode())?;
    match fs::rename(new.path(), path) {
        Ok(()) => {
            // It has another name now: nothing is left to remove.
            let _ = new.keep();
            sync_folder(parent);
            Ok(true)
        }
        Err(_) if path.is_dir() => Ok(false),
        Err(error) => Err(error),
    }
}

/// A name is only safe from a power cut once its folder is on disk; where a file system cannot do
/// that, the file itself still is.
fn sync_folder(folder: &Path) {
    if let Ok(folder) = fs::File::open(folder) {
        let _ = folder.sync_all();
    }
}

fn ordinary() -> fs::Permissions {
    std::os::unix::fs::PermissionsExt::from_mode(0o644)
}

fn folder_mode() -> fs::Permissions {
    std::os::unix::fs::PermissionsExt::from_mode(0o755)
}
