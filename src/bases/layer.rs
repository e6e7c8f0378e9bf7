//! One layer of an image as a tar archive whose bytes depend on its contents only.
//!
//! The layer's identity is the SHA-256 of the archive, computed while it is written. Names carry no
//! leading `./`, owners are numbers, and files that no package dates are as old as the epoch.

use std::collections::HashSet;
use std::io;
use std::io::Read;
use std::io::Write;

use sha2::Digest;
use sha2::Sha256;

use crate::text::hex;

/// A layer being written.
pub struct Layer<W: Write> {
    tar: tar::Builder<Hashing<W>>,
    directories: HashSet<String>,
}

/// A finished layer.
#[derive(Debug)]
pub struct Sealed<B> {
    /// SHA-256 of the archive in hexadecimal digits.
    pub digest: String,
    /// Bytes of the archive.
    pub size: u64,
    /// What made it, as the image's history shows it.
    pub created_by: String,
    /// The archive.
    pub body: B,
}

/// What a package's archive says of an entry, its name and contents apart.
#[derive(Debug, Clone)]
pub struct Header {
    header: tar::Header,
    /// What a symbolic or hard link points to; a hard link's path is plain.
    pub link: Option<String>,
}

impl Header {
    /// Reads the header of an entry.
    pub fn of<R: Read>(entry: &tar::Entry<'_, R>) -> Self {
        let header = entry.header().clone();
        let link = entry.link_name_bytes().map(|to| {
            let to = String::from_utf8_lossy(&to).into_owned();
            if header.entry_type().is_hard_link() {
                plain(&to).to_owned()
            } else {
                to
            }
        });
        Self { header, link }
    }

    /// What it is.
    #[must_use]
    pub fn kind(&self) -> tar::EntryType {
        self.header.entry_type()
    }

    /// Its permission bits.
    #[must_use]
    pub fn mode(&self) -> u32 {
        self.header.mode().unwrap_or(0o644) & 0o7777
    }
}

/// Who owns a file: user and group.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Owner(pub u64, pub u64);

impl<W: Write> Layer<W> {
    /// Starts a layer that is written to `to`.
    pub fn new(to: W) -> Self {
        Self {
            tar: tar::Builder::new(Hashing::new(to)),
            directories: HashSet::new(),
        }
    }

    /// Adds a directory, once, with the directories above it.
    ///
    /// # Errors
    /// When the archive cannot be written.
    pub fn directory(&mut self, path: &str, mode: u32, owner: Owner) -> io::Result<()> {
        let path = path.trim_matches('/');
        if path.is_empty() || self.directories.contains(path) {
            return Ok(());
        }
        self.parents(path)?;
        self.directories.insert(path.to_owned());
        let mut header = header(tar::EntryType::Directory, mode, owner);
        header.set_size(0);
        self.tar
            .append_data(&mut header, format!("{path}/"), io::empty())
    }

    /// Adds a file of root.
    ///
    /// # Errors
    /// When the archive cannot be written.
    pub fn file(&mut self, path: &str, bytes: &[u8], mode: u32) -> io::Result<()> {
        let path = path.trim_start_matches('/');
        self.parents(path)?;
        let mut header = header(tar::EntryType::Regular, mode, Owner::default());
        header.set_size(bytes.len() as u64);
        self.tar.append_data(&mut header, path, bytes)
    }

    /// Adds a symbolic link.
    ///
    /// # Errors
    /// When the archive cannot be written.
    pub fn symlink(&mut self, path: &str, to: &str) -> io::Result<()> {
        self.link(tar::EntryType::Symlink, path, to)
    }

    /// Adds one more name of a file that the layer already has.
    ///
    /// # Errors
    /// When the archive cannot be written.
    pub fn hard_link(&mut self, path: &str, to: &str) -> io::Result<()> {
        self.link(tar::EntryType::Link, path, to.trim_start_matches('/'))
    }

    fn link(&mut self, kind: tar::EntryType, path: &str, to: &str) -> io::Result<()> {
        let path = path.trim_start_matches('/');
        self.parents(path)?;
        let mut header = header(kind, 0o777, Owner::default());
        header.set_size(0);
        self.tar.append_link(&mut header, path, to)
    }

    /// Adds an entry of a package under `path`, its mode, owner and date kept.
    ///
    /// # Errors
    /// When the archive cannot be written or the entry cannot be read.
    pub fn entry(&mut self, path: &str, entry: &Header, body: impl Read) -> io::Result<()> {
        let mut kept = entry.header.clone();
        kept.set_username("")?;
        kept.set_groupname("")?;
        if kept.entry_type().is_dir() {
            if self.directories.insert(path.to_owned()) {
                self.tar
                    .append_data(&mut kept, format!("{path}/"), io::empty())?;
            }
            return Ok(());
        }
        match &entry.link {
            Some(to) => self.tar.append_link(&mut kept, path, to),
            None => self.tar.append_data(&mut kept, path, body),
        }
    }

    /// Adds the directories above `path` that the layer does not have yet.
    fn parents(&mut self, path: &str) -> io::Result<()> {
        match path.rsplit_once('/') {
            Some((above, _)) => self.directory(above, 0o755, Owner::default()),
            None => Ok(()),
        }
    }

    /// Ends the layer.
    ///
    /// # Errors
    /// When the archive cannot be written.
    pub fn seal(self, created_by: impl Into<String>) -> io::Result<Sealed<W>> {
        let mut hashing = self.tar.into_inner()?;
        hashing.inner.flush()?;
        Ok(Sealed {
            digest: hex(&hashing.hash.finalize()),
            size: hashing.size,
            created_by: created_by.into(),
            body: hashing.inner,
        })
    }
}

fn header(kind: tar::EntryType, mode: u32, owner: Owner) -> tar::Header {
    let mut header = tar::Header::new_gnu();
    header.set_entry_type(kind);
    header.set_mode(mode);
    header.set_uid(owner.0);
    header.set_gid(owner.1);
    header.set_mtime(0);
    header
}

/// A package's name of a file without `./` before and `/` after it; empty for the root.
#[must_use]
pub fn plain(name: &str) -> &str {
    let name = name
        .strip_prefix('.')
        .filter(|rest| rest.is_empty() || rest.starts_with('/'))
        .unwrap_or(name);
    name.trim_matches('/')
}

/// SHA-256 of `bytes` in hexadecimal digits.
#[must_use]
pub fn sha256(bytes: &[u8]) -> String {
    hex(&Sha256::digest(bytes))
}

/// A writer that hashes what passes through it.
pub struct Hashing<W> {
    inner: W,
    hash: Sha256,
    size: u64,
}

impl<W> Hashing<W> {
    fn new(inner: W) -> Self {
        Self {
            inner,
            hash: Sha256::new(),
            size: 0,
        }
    }
}

impl<W: Write> Write for Hashing<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.inner.write(bytes)?;
        if let Some(bytes) = bytes.get(..written) {
            self.hash.update(bytes);
        }
        self.size += written as u64;
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.inner.flush()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(tar: &[u8]) -> Vec<String> {
        let mut archive = tar::Archive::new(tar);
        let entries = archive.entries().expect("an archive");
        entries
            .map(|entry| {
                let entry = entry.expect("an entry");
                String::from_utf8_lossy(&entry.path_bytes()).into_owned()
            })
            .collect()
    }

    fn sample() -> Sealed<Vec<u8>> {
        let mut layer = Layer::new(Vec::new());
        layer.file("/etc/a/b", b"x", 0o644).expect("in memory");
        layer.symlink("etc/a/c", "b").expect("in memory");
        layer
            .directory("tmp", 0o1777, Owner(1, 2))
            .expect("in memory");
        layer
            .directory("/tmp/", 0o755, Owner::default())
            .expect("in memory");
        layer.seal("sample").expect("in memory")
    }

    #[test]
    fn parents_come_first_and_once() {
        assert_eq!(
            names(&sample().body),
            ["etc/", "etc/a/", "etc/a/b", "etc/a/c", "tmp/"]
        );
    }

    #[test]
    fn equal_contents_make_equal_layers() {
        let (a, b) = (sample(), sample());
        assert_eq!(a.digest, b.digest);
        assert_eq!(a.digest, sha256(&a.body));
        assert_eq!(a.size, a.body.len() as u64);
    }

    #[test]
    fn long_names_and_links_survive() {
        let long = format!("usr/{}/file", "d".repeat(150));
        let mut layer = Layer::new(Vec::new());
        layer.file(&long, b"x", 0o644).expect("in memory");
        layer.symlink("l", &format!("/{long}")).expect("in memory");
        let sealed = layer.seal("long").expect("in memory");
        assert!(names(&sealed.body).contains(&long));
    }

    #[test]
    fn names_of_packages_become_plain() {
        for (name, wanted) in [
            ("./", ""),
            (".", ""),
            ("./usr/bin/", "usr/bin"),
            (".hidden", ".hidden"),
            ("/a", "a"),
        ] {
            assert_eq!(plain(name), wanted, "{name}");
        }
    }
}
