//! The same context once more, with one file changed.

use std::io::Read;
use std::io::Write;
use std::os::unix::ffi::OsStrExt as _;
use std::path::Path;

use tar::Archive;
use tar::Builder;
use tar::EntryType;

use super::ContextError;
use super::shown;

/// Copies an archive that [`super::Context::write`] made; the file at `path` gets blank lines at its
/// end, others for each `mark`: a builder would have the result of the same change in its cache
/// from the last time. The folder that it was made from is not looked at again: it may have changed
/// meanwhile.
///
/// # Errors
/// When there is no such file in the archive, or one of the two archives fails.
pub fn touch(from: impl Read, path: &str, mark: u64, to: impl Write) -> Result<(), ContextError> {
    let blank = blank_lines(mark);
    let more = u64::try_from(blank.len()).unwrap_or(u64::MAX);
    let mut copy = Builder::new(to);
    let mut archive = Archive::new(from);
    let mut found = false;
    for entry in archive.entries().map_err(ContextError::Write)? {
        let mut entry = entry.map_err(ContextError::Write)?;
        let mut header = entry.header().clone();
        let name = entry.path_bytes().into_owned();
        let name = Path::new(std::ffi::OsStr::from_bytes(&name)).to_owned();
        let kind = header.entry_type();
        let copied = if kind == EntryType::Symlink {
            let target = entry.link_name_bytes().unwrap_or_default().into_owned();
            let target = Path::new(std::ffi::OsStr::from_bytes(&target));
            copy.append_link(&mut header, &name, target)
        } else if kind == EntryType::Regular && name.as_os_str() == path {
            found = true;
            header.set_size(entry.size().saturating_add(more));
            copy.append_data(&mut header, &name, entry.chain(blank.as_slice()))
        } else {
            copy.append_data(&mut header, &name, &mut entry)
        };
        copied.map_err(ContextError::Write)?;
    }
    if !found {
        return Err(ContextError::Unreadable {
            path: shown(path.as_bytes()),
            why: std::io::Error::from(std::io::ErrorKind::NotFound),
        });
    }
    let mut to = copy.into_inner().map_err(ContextError::Write)?;
    to.flush().map_err(ContextError::Write)
}

/// One blank line per bit of `mark`: no language minds them.
fn blank_lines(mark: u64) -> Vec<u8> {
    let line = |bit: u32| -> &[u8] { if mark >> bit & 1 == 1 { b" \n" } else { b"\n" } };
    (0..u64::BITS).flat_map(line).copied().collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dockerfile::context::Context;
    use crate::dockerfile::context::Files;
    use crate::dockerfile::context::Limits;
    use crate::dockerfile::context::Sending;
    use crate::dockerfile::context::Sources;

    /// What an archive holds: path, kind, permissions, and content or target.
    fn listed(archive: &[u8]) -> Vec<(String, EntryType, u32, String)> {
        let mut archive = Archive::new(archive);
        archive
            .entries()
            .unwrap()
            .map(|entry| {
                let mut entry = entry.unwrap();
                let path = String::from_utf8_lossy(&entry.path_bytes()).into_owned();
                let kind = entry.header().entry_type();
                let mode = entry.header().mode().unwrap();
                let mut text = String::new();
                match entry.link_name_bytes() {
                    Some(target) => text.push_str(&String::from_utf8_lossy(&target)),
                    None => {
                        entry.read_to_string(&mut text).unwrap();
                    }
                }
                (path, kind, mode, text)
            })
            .collect()
    }

    fn sent() -> Vec<u8> {
        let long = format!("src/{}", "x".repeat(150));
        let file = |name: &str, text: &str| (name.to_owned(), text.as_bytes().into());
        let files = Files::from([
            file("Dockerfile", "FROM a\n"),
            file("src/app.py", "print()\n"),
            file(&long, "far"),
        ]);
        let folder = tempfile::tempdir().unwrap();
        std::os::unix::fs::symlink(&long, folder.path().join("link")).unwrap();
        let none = Files::new();
        let sources = Sources {
            below: &files,
            folder: Some(folder.path()),
            above: &none,
        };
        let context = Context::gather(&sources, "Dockerfile", &Limits::default()).unwrap();
        let mut archive = Vec::new();
        context.write(Sending::AsItIs, &mut archive).unwrap();
        archive
    }

    #[test]
    fn one_file_differs_and_nothing_else() {
        let before = sent();
        let mut after = Vec::new();
        touch(before.as_slice(), "src/app.py", 7, &mut after).unwrap();
        let mut found = listed(&after);
        let touched = found
            .iter_mut()
            .find(|entry| entry.0 == "src/app.py")
            .unwrap();
        assert!(touched.3.starts_with("print()\n \n \n \n\n\n"));
        assert!(touched.3.trim_end() == "print()");
        touched.3 = "print()\n".to_owned();
        assert_eq!(found, listed(&before));
        assert!(found.iter().any(|entry| entry.1 == EntryType::Symlink));
    }

    #[test]
    fn each_touch_is_another_one() {
        assert_ne!(blank_lines(6), blank_lines(5));
        assert_ne!(blank_lines(u64::MAX), blank_lines(u64::MAX >> 1));
    }

    #[test]
    fn a_file_that_was_not_sent_cannot_be_touched() {
        for path in ["src", "src/none", "link"] {
            let error = touch(sent().as_slice(), path, 0, Vec::new()).unwrap_err();
            assert!(matches!(error, ContextError::Unreadable { .. }), "{error}");
        }
    }
}
