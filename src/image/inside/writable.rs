//! Files and folders that every user of a container may change.

use super::remark::Remark;
use super::remark::RemarkKind;
use super::remark::Weight;
use crate::image::EntryKind;
use crate::image::tree::Tree;

/// Whether a mode lets everybody change a file, or what is in a folder. In a folder with the sticky
/// bit, such as `/tmp`, everybody may change their own files alone.
#[must_use]
const fn is_open(kind: &EntryKind, mode: u32) -> bool {
    let writable = mode & 0o002 != 0;
    match kind {
        EntryKind::File => writable,
        EntryKind::Directory => writable && mode & 0o1000 == 0,
        EntryKind::Symlink(_)
        | EntryKind::Hardlink(_)
        | EntryKind::Whiteout
        | EntryKind::Opaque
        | EntryKind::Other => false,
    }
}

pub(super) fn remarks(tree: &Tree<'_>) -> Vec<Remark> {
    let open = tree
        .nodes()
        .filter(|node| is_open(&node.entry.kind, node.entry.mode));
    open.map(|node| {
        let path = format!("/{}", node.path);
        let text = match node.entry.kind {
            EntryKind::Directory => {
                format!("Every user may put files into {path} and take others' away.")
            }
            _ if node.program.is_some() && node.is_executable() => {
                format!("Every user may change {path}, which is a program: whoever starts it next does what the last one wanted.")
            }
            _ => format!("Every user may change {path}."),
        };
        Remark::new(RemarkKind::WorldWritable, Weight::Warning, text).at(&node.path, node.layer)
    })
    .collect()
}
