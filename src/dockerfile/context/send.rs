//! The archive of a context as the builder gets it.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::io;
use std::io::Read;
use std::io::Write;
use std::os::unix::ffi::OsStrExt as _;
use std::path::Path;

use tar::EntryType;
use tar::Header;

use super::Context;
use super::ContextError;
use super::Facts;
use super::Node;
use super::shown;
use crate::units::Bytes;

/// What of a context is sent.
#[derive(Debug, Clone, Copy)]
pub enum Sending<'a> {
    /// What the ignore file leaves in: the Dockerfile goes to the builder on its own.
    AsItIs,
    /// With this in the Dockerfile's place, and with the ignore file, even where the ignore file
    /// leaves them out: the builder reads them from here, and takes them out of the context then.
    ToBuild(&'a [u8]),
}

impl Context {
    /// Writes the archive as it is sent. A file that went away since it was gathered is left out.
    ///
    /// # Errors
    /// When a file cannot be read or changes meanwhile, or `out` cannot be written.
    pub fn write(&self, sending: Sending<'_>, out: impl Write) -> Result<Facts, ContextError> {
        let mut archive = tar::Builder::new(out);
        let mut facts = Facts {
            sockets: self.sockets.clone(),
            ..Facts::default()
        };
        for (path, node) in self.with_parents() {
            let for_the_builder = self.is_for_the_builder(&path);
            let sent = match sending {
                Sending::AsItIs if for_the_builder => continue,
                Sending::ToBuild(text) if path == self.dockerfile.as_bytes() => {
                    append_bytes(&mut archive, &path, text)?;
                    node.size()
                }
                Sending::AsItIs | Sending::ToBuild(_) => self.append(&mut archive, &path, &node)?,
            };
            if let Some(size) = sent.filter(|_| !for_the_builder) {
                facts.bytes = facts.bytes.plus(Bytes(size));
                facts
                    .paths
                    .push(String::from_utf8_lossy(&path).into_owned());
            }
        }
        let mut out = archive.into_inner().map_err(ContextError::Write)?;
        out.flush().map_err(ContextError::Write)?;
        Ok(facts)
    }

    /// Whether something is sent for the builder alone: the ignore file leaves it out.
    pub(super) fn is_for_the_builder(&self, path: &[u8]) -> bool {
        (path == self.dockerfile.as_bytes() || path == b".dockerignore")
            && self.ignore.excludes(&String::from_utf8_lossy(path))
    }

    /// Everything that is sent: folders that hold something are in it, whatever the ignore file
    /// says of them.
    fn with_parents(&self) -> BTreeMap<Vec<u8>, Node> {
        let mut all = self.nodes.clone();
        for path in self.nodes.keys() {
            for (at, byte) in path.iter().enumerate() {
                if *byte == b'/' {
                    let above = path.get(..at).unwrap_or_default();
                    if !all.contains_key(above) {
                        all.insert(above.to_vec(), Node::Folder);
                    }
                }
            }
        }
        all
    }

    /// Writes one entry; its payload bytes, or `None` for a folder or a file that has gone.
    fn append<W: Write>(
        &self,
        archive: &mut tar::Builder<W>,
        path: &[u8],
        node: &Node,
    ) -> Result<Option<u64>, ContextError> {
        let name = Path::new(OsStr::from_bytes(path));
        match node {
            Node::Folder => {
                let mut header = header(EntryType::Directory, 0o755, 0);
                let written = archive.append_data(&mut header, name, io::empty());
                written.map_err(ContextError::Write)?;
                Ok(None)
            }
            Node::Link(target) => {
                let mut header = header(EntryType::Symlink, 0o777, 0);
                let target = Path::new(OsStr::from_bytes(target));
                let written = archive.append_link(&mut header, name, target);
                written.map_err(ContextError::Write)?;
                Ok(Some(0))
            }
            Node::Memory(bytes) => {
                append_bytes(archive, path, bytes)?;
                Ok(node.size())
            }
            Node::Disk { executable, .. } => self.append_file(archive, path, *executable),
        }
    }

    fn append_file<W: Write>(
        &self,
        archive: &mut tar::Builder<W>,
        path: &[u8],
        executable: bool,
    ) -> Result<Option<u64>, ContextError> {
        let unreadable = |why: io::Error| ContextError::Unreadable {
            path: shown(path),
            why,
        };
        let Some(top) = &self.top else {
            return Ok(None);
        };
        let file = match top.file(path) {
            Ok(file) => file,
            Err(why) if why.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(why) => return Err(unreadable(why)),
        };
        let size = file.metadata().map_err(unreadable)?.len();
        let mut header = header(EntryType::Regular, mode(executable), size);
        let mut source = Watched {
            rest: file.take(size),
            failed: None,
        };
        let name = Path::new(OsStr::from_bytes(path));
        let written = archive.append_data(&mut header, name, &mut source);
        if let Some(why) = source.failed {
            return Err(unreadable(why));
        }
        written.map_err(ContextError::Write)?;
        if source.rest.limit() > 0 {
            return Err(ContextError::Changed(shown(path)));
        }
        Ok(Some(size))
    }
}

/// Writes a file of memory.
fn append_bytes<W: Write>(
    archive: &mut tar::Builder<W>,
    path: &[u8],
    bytes: &[u8],
) -> Result<(), ContextError> {
    let size = u64::try_from(bytes.len()).unwrap_or(u64::MAX);
    let mut header = header(EntryType::Regular, mode(starts_as_program(bytes)), size);
    let name = Path::new(OsStr::from_bytes(path));
    let written = archive.append_data(&mut header, name, bytes);
    written.map_err(ContextError::Write)
}

/// A file whose read errors are told from write errors of the archive.
struct Watched<R> {
    rest: io::Take<R>,
    failed: Option<io::Error>,
}

impl<R: Read> Read for Watched<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.rest.read(buffer).map_err(|error| {
            let kind = error.kind();
            self.failed = Some(error);
            io::Error::from(kind)
        })
    }
}

/// A header without times and owners.
fn header(kind: EntryType, mode: u32, size: u64) -> Header {
    let mut header = Header::new_gnu();
    header.set_entry_type(kind);
    header.set_mode(mode);
    header.set_size(size);
    header.set_mtime(0);
    header.set_uid(0);
    header.set_gid(0);
    header
}

/// Only whether a file can be run is kept: umasks differ, and differences would miss the cache.
const fn mode(executable: bool) -> u32 {
    if executable { 0o755 } else { 0o644 }
}

/// Files in memory have no mode; a script or a program is meant to be run.
fn starts_as_program(bytes: &[u8]) -> bool {
    bytes.starts_with(b"#!") || bytes.starts_with(b"\x7fELF")
}
