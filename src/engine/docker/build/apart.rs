//! A Dockerfile that Podman takes apart from the context that it comes with.
//!
//! Podman builds any file of the context, and of the ignore files it prefers the one that bears that
//! file's name (`containers/buildah`, `parse.ContainerIgnoreFile`): the two of ours leave themselves
//! out. Their name is another one each time, so that no file of a context can stand in their place.

use std::io;

use bytes::Bytes;

/// A Dockerfile on its way.
#[derive(Debug)]
pub(super) struct Apart {
    /// Its path in the context.
    pub(super) path: String,
    /// The entries that bring it, without the end of an archive.
    pub(super) entries: Bytes,
}

impl Apart {
    /// # Errors
    /// When the entries cannot be written.
    pub(super) fn of(text: &[u8]) -> io::Result<Self> {
        let path = format!(".loadline-{:032x}", rand::random::<u128>());
        let ignore_file = format!("{path}.containerignore");
        let ignored = format!("{path}\n{ignore_file}\n");
        let mut archive = tar::Builder::new(Vec::new());
        for (name, bytes) in [(&path, text), (&ignore_file, ignored.as_bytes())] {
            let mut header = tar::Header::new_gnu();
            header.set_mode(0o644);
            header.set_size(bytes.len().try_into().unwrap_or(u64::MAX));
            archive.append_data(&mut header, name, bytes)?;
        }
        let entries = archive.get_ref().clone().into();
        Ok(Self { path, entries })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_entries_go_before_an_archive_and_leave_themselves_out() {
        let (one, two) = (Apart::of(b"FROM a\n").unwrap(), Apart::of(b"").unwrap());
        assert_ne!(one.path, two.path);
        let mut after = tar::Builder::new(Vec::new());
        let mut header = tar::Header::new_gnu();
        header.set_size(1);
        after.append_data(&mut header, "f", &b"x"[..]).unwrap();
        let whole = [one.entries.as_ref(), &after.into_inner().unwrap()].concat();
        let mut archive = tar::Archive::new(whole.as_slice());
        let texts: Vec<(String, String)> = archive
            .entries()
            .unwrap()
            .map(|entry| {
                let mut entry = entry.unwrap();
                let path = entry.path().unwrap().display().to_string();
                (path, io::read_to_string(&mut entry).unwrap())
            })
            .collect();
        let ignore_file = format!("{}.containerignore", one.path);
        let ignored = format!("{}\n{ignore_file}\n", one.path);
        let wanted = [
            (one.path, "FROM a\n".to_owned()),
            (ignore_file, ignored),
            ("f".to_owned(), "x".to_owned()),
        ];
        assert_eq!(texts, wanted);
    }
}
