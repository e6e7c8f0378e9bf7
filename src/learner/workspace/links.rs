//! Where a file of a folder really lies. A link within the folder is the learner's way to put things
//! in order; one that leads out of it would have this program show and write files that are none of
//! the exercise's.

use std::fs;
use std::path::Path;
use std::path::PathBuf;

/// Where the file `name` of `folder` lies, or would be made: links are followed. `None` where they
/// lead out of the folder, or nowhere.
pub(super) fn real(folder: &Path, name: &str) -> Option<PathBuf> {
    let path = folder.join(name);
    let Ok(root) = fs::canonicalize(folder) else {
        // There is no folder yet, and no link in it.
        return Some(path);
    };
    if let Ok(real) = fs::canonicalize(&path) {
        return real.starts_with(&root).then_some(real);
    }
    if is_link(&path) {
        return None;
    }
    let mut above = path.ancestors().skip(1);
    let nearest = above.find_map(|folder| fs::canonicalize(folder).ok())?;
    nearest.starts_with(&root).then_some(path)
}

/// Whether there is a link at a path, wherever it leads.
pub(super) fn is_link(path: &Path) -> bool {
    fs::symlink_metadata(path).is_ok_and(|meta| meta.is_symlink())
}
