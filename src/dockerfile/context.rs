//! The build context: a folder, or files in memory, as an archive for the builder.
//!
//! The ignore file is applied here, because engines do not apply it to an archive. The same input
//! always gives the same bytes: sorted, without times and owners. Links are sent as links and never
//! followed; nothing outside of the folder is read. It refuses what a builder cannot use, and what
//! is larger than a learner's project can be.

mod crowd;
mod error;
mod left_out;
mod touch;
mod walk;

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::io;
use std::io::Read;
use std::io::Write;
use std::os::unix::ffi::OsStrExt as _;
use std::path::Path;
use std::sync::Arc;

pub use error::ContextError;
pub use left_out::LeftOut;
use tar::EntryType;
use tar::Header;
pub use touch::touch;
use walk::Folder;
use walk::Found;

use super::ignore::Ignore;
use super::ignore::ignore_file;
use crate::text::Clean;
use crate::text::path_text;
use crate::units::Bytes;

/// The largest Dockerfile or ignore file that is read.
const LARGEST_TEXT: u64 = 1024 * 1024;

/// How much a context may hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Files and links that are sent.
    pub files: usize,
    /// Entries that are looked at, ignored ones included.
    pub looked_at: usize,
    /// Payload bytes.
    pub bytes: Bytes,
    /// Folders within folders.
    pub depth: usize,
    /// Bytes of a path.
    pub path: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            files: 10_000,
            looked_at: 500_000,
            bytes: Bytes(512_000_000),
            depth: 64,
            path: 1024,
        }
    }
}

/// Files by path, `/` between parts.
pub type Files = BTreeMap<String, Arc<[u8]>>;

/// What a context is made of. The ignore file holds for all of it.
#[derive(Debug, Clone, Copy)]
pub struct Sources<'a> {
    /// Files that lie below the folder: they are taken where the folder has none.
    pub below: &'a Files,
    /// A folder on disk.
    pub folder: Option<&'a Path>,
    /// Files that lie above the folder: they are taken whatever the folder has.
    pub above: &'a Files,
}

/// What a context holds.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Facts {
    /// Payload bytes of its files.
    pub bytes: Bytes,
    /// Files and links, relative to the context, in order; what is not UTF-8 in a name is U+FFFD.
    pub paths: Vec<String>,
    /// Sockets, which are left out.
    pub sockets: Vec<String>,
}

#[derive(Debug, Clone)]
enum Node {
    Folder,
    /// A file of the folder; the size is that of the walk.
    Disk {
        size: u64,
        executable: bool,
    },
    Memory(Arc<[u8]>),
    Link(Vec<u8>),
}

/// A build context, filtered and ready to be written.
#[derive(Debug)]
pub struct Context {
    top: Option<Folder>,
    nodes: BTreeMap<Vec<u8>, Node>,
    ignore: Ignore,
    /// The path of the ignore file, where there is one.
    ignore_file: String,
    dockerfile: String,
    sockets: Vec<String>,
}

impl Context {
    /// Gathers everything but what the ignore file leaves out. `dockerfile` is the Dockerfile's
    /// path in the context.
    ///
    /// # Errors
    /// When something cannot be read or sent, or is too much; the error names it.
    pub fn gather(
        sources: &Sources<'_>,
        dockerfile: &str,
        limits: &Limits,
    ) -> Result<Self, ContextError> {
        let names = sources.below.keys().chain(sources.above.keys());
        for path in names.map(String::as_str).chain([dockerfile]) {
            check_inside(path)?;
        }
        let top = match sources.folder {
            Some(path) => Some(Folder::top(path).map_err(|why| ContextError::Unreadable {
                path: Clean::path(&path.to_string_lossy()),
                why,
            })?),
            None => None,
        };
        let mut context = Self {
            top,
            nodes: BTreeMap::new(),
            ignore: Ignore::default(),
            ignore_file: String::new(),
            dockerfile: dockerfile.to_owned(),
            sockets: Vec::new(),
        };
        context.read_ignore(sources)?;
        let mut looked_at = 0;
        if let Some(top) = context.top.take() {
            let walked = context.walk(&top, &[], limits, &mut looked_at);
            context.top = Some(top);
            walked?;
        }
        for (path, bytes) in sources.below {
            let there = context.nodes.contains_key(path.as_bytes());
            if !there && !context.leaves_out(path) && !context.is_below_a_file(path) {
                let node = Node::Memory(Arc::clone(bytes));
                context.nodes.insert(path.as_bytes().to_vec(), node);
            }
        }
        for (path, bytes) in sources.above {
            context.make_room(path);
            if !context.leaves_out(path) {
                let node = Node::Memory(Arc::clone(bytes));
                context.nodes.insert(path.as_bytes().to_vec(), node);
            }
        }
        context.check(limits)?;
        Ok(context)
    }

    /// The ignore file that holds, empty where there is none.
    #[must_use]
    pub const fn ignore(&self) -> &Ignore {
        &self.ignore
    }

    /// The Dockerfile as it is, or any other file of the context, up to 1 MB.
    ///
    /// # Errors
    /// When it is not there or cannot be read.
    pub fn read(&self, path: &str) -> Result<Vec<u8>, ContextError> {
        let name = Clean::path(path);
        match self.nodes.get(path.as_bytes()) {
            Some(Node::Memory(bytes)) => Ok(bytes.to_vec()),
            Some(Node::Disk { .. }) => self
                .read_disk(path)
                .and_then(|found| found.ok_or(ContextError::Changed(name))),
            Some(Node::Link(_)) => Err(ContextError::Link(name)),
            Some(Node::Folder) => Err(ContextError::NoFile {
                path: name,
                kind: walk::FOLDER,
            }),
            None if path == self.dockerfile => Err(ContextError::NoDockerfile(name)),
            None => Err(ContextError::Unreadable {
                path: name,
                why: io::Error::from(io::ErrorKind::NotFound),
            }),
        }
    }

    /// Puts `bytes` in the place of a file, or adds it.
    ///
    /// # Errors
    /// When the path leads out of the context.
    pub fn put(&mut self, path: &str, bytes: &[u8]) -> Result<(), ContextError> {
        check_inside(path)?;
        self.make_room(path);
        let node = Node::Memory(Arc::from(bytes));
        self.nodes.insert(path.as_bytes().to_vec(), node);
        Ok(())
    }

    /// What it holds.
    #[must_use]
    pub fn facts(&self) -> Facts {
        let mut facts = Facts {
            sockets: self.sockets.clone(),
            ..Facts::default()
        };
        for (path, node) in &self.nodes {
            let size = match node {
                Node::Folder => continue,
                Node::Disk { size, .. } => *size,
                Node::Memory(bytes) => u64::try_from(bytes.len()).unwrap_or(u64::MAX),
                Node::Link(_) => 0,
            };
            facts.bytes = facts.bytes.plus(Bytes(size));
            facts.paths.push(String::from_utf8_lossy(path).into_owned());
        }
        facts
    }

    /// Writes the archive. A file that went away since it was gathered is left out.
    ///
    /// # Errors
    /// When a file cannot be read or changes meanwhile, or `out` cannot be written.
    pub fn write(&self, out: impl Write) -> Result<Facts, ContextError> {
        let mut archive = tar::Builder::new(out);
        let mut facts = Facts {
            sockets: self.sockets.clone(),
            ..Facts::default()
        };
        for (path, node) in self.with_parents() {
            let sent = self.append(&mut archive, &path, &node)?;
            if let Some(size) = sent {
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

    fn read_ignore(&mut self, sources: &Sources<'_>) -> Result<(), ContextError> {
        let exists = |name: &str| {
            let on_disk = self.top.as_ref().map(|top| top.file(name.as_bytes()));
            // What is there and cannot be read is found out below.
            let gone = |error: &io::Error| error.kind() == io::ErrorKind::NotFound;
            sources.above.contains_key(name)
                || sources.below.contains_key(name)
                || on_disk.is_some_and(|file| !file.as_ref().is_err_and(gone))
        };
        let Some(name) = ignore_file(&self.dockerfile, exists) else {
            return Ok(());
        };
        let bytes = match sources.above.get(&name) {
            Some(bytes) => Some(bytes.to_vec()),
            None => match self.read_disk(&name)? {
                Some(bytes) => Some(bytes),
                None => sources.below.get(&name).map(|bytes| bytes.to_vec()),
            },
        };
        let text = String::from_utf8_lossy(bytes.as_deref().unwrap_or_default()).into_owned();
        self.ignore = Ignore::parse(&text).map_err(|error| ContextError::Ignore {
            file: Clean::path(&name),
            error,
        })?;
        self.ignore_file = name;
        Ok(())
    }

    /// The bytes of a file of the folder; `None` where it is not there.
    fn read_disk(&self, path: &str) -> Result<Option<Vec<u8>>, ContextError> {
        let Some(top) = &self.top else {
            return Ok(None);
        };
        let name = Clean::path(path);
        match top.read(path.as_bytes(), LARGEST_TEXT) {
            Ok(Some(bytes)) => Ok(Some(bytes)),
            Ok(None) => Err(ContextError::LongText {
                limit: Bytes(LARGEST_TEXT),
                path: name,
            }),
            Err(why) if why.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(why) if walk::is_link(&why) => Err(ContextError::Link(name)),
            Err(why) => Err(match walk::no_file(&why) {
                Some(kind) => ContextError::NoFile { path: name, kind },
                None => ContextError::Unreadable { path: name, why },
            }),
        }
    }

    fn walk(
        &mut self,
        folder: &Folder,
        above: &[u8],
        limits: &Limits,
        looked_at: &mut usize,
    ) -> Result<(), ContextError> {
        let unreadable = |path: &[u8]| {
            let path = shown(path);
            move |why: io::Error| ContextError::Unreadable { path, why }
        };
        let depth = above.split(|byte| *byte == b'/').count();
        for name in folder.names().map_err(unreadable(above))? {
            let path = join(above, name.to_bytes());
            *looked_at += 1;
            if *looked_at > limits.looked_at {
                return Err(ContextError::TooManyToLookAt(limits.looked_at));
            }
            let text = String::from_utf8_lossy(&path).into_owned();
            let left_out = self.leaves_out(&text);
            let Some(found) = folder.look(&name).map_err(unreadable(&path))? else {
                continue;
            };
            match found {
                Found::Folder if left_out && self.ignore.excludes_all_below(&text) => {}
                Found::Folder => {
                    if depth >= limits.depth {
                        return Err(ContextError::TooDeep {
                            path: Clean::path(&text),
                            limit: limits.depth,
                        });
                    }
                    if !left_out {
                        self.nodes.insert(path.clone(), Node::Folder);
                    }
                    match folder.folder(name.to_bytes()) {
                        Ok(below) => self.walk(&below, &path, limits, looked_at)?,
                        Err(why) if why.kind() == io::ErrorKind::NotFound => {}
                        Err(why) => return Err(unreadable(&path)(why)),
                    }
                }
                _ if left_out => {}
                Found::File { size, executable } => {
                    let node = Node::Disk { size, executable };
                    self.add(path, node, limits)?;
                }
                Found::Link { target } => self.add(path, Node::Link(target), limits)?,
                Found::Socket => self.sockets.push(text),
                Found::Special { kind } => {
                    let own = text == self.dockerfile || text == ".dockerignore";
                    let path = Clean::path(&text);
                    return Err(if own {
                        ContextError::NoFile { path, kind }
                    } else {
                        ContextError::Special { path, kind }
                    });
                }
            }
        }
        Ok(())
    }

    fn add(&mut self, path: Vec<u8>, node: Node, limits: &Limits) -> Result<(), ContextError> {
        // Folders are few where files are few, or empty: they count as well.
        if self.nodes.len() >= limits.files.saturating_mul(2) {
            return Err(self.too_many(limits));
        }
        self.nodes.insert(path, node);
        Ok(())
    }

    fn too_many(&self, limits: &Limits) -> ContextError {
        let all = self.nodes.iter();
        let files = all.filter(|(_, node)| !matches!(node, Node::Folder));
        ContextError::TooMany {
            limit: limits.files,
            most: crowd::in_folder(files.map(|(path, _)| path.as_slice()))
                .map(|folder| shown(&folder)),
        }
    }

    /// Whether the ignore file leaves `path` out. The Dockerfile and the ignore file are always
    /// sent.
    fn leaves_out(&self, path: &str) -> bool {
        path != self.dockerfile && path != ".dockerignore" && self.ignore.excludes(path)
    }

    /// Takes away what stands where a file of ours and its folders go.
    fn make_room(&mut self, path: &str) {
        for (at, _) in path.match_indices('/') {
            let above = path.get(..at).unwrap_or_default().as_bytes();
            if matches!(self.nodes.get(above), Some(node) if !matches!(node, Node::Folder)) {
                self.nodes.remove(above);
            }
        }
        let below = format!("{path}/").into_bytes();
        self.nodes.remove(path.as_bytes());
        self.nodes.retain(|other, _| !other.starts_with(&below));
    }

    /// Whether the folder has a file where `path` needs a folder.
    fn is_below_a_file(&self, path: &str) -> bool {
        path.match_indices('/').any(|(at, _)| {
            let above = path.get(..at).unwrap_or_default().as_bytes();
            matches!(self.nodes.get(above), Some(node) if !matches!(node, Node::Folder))
        })
    }

    fn check(&self, limits: &Limits) -> Result<(), ContextError> {
        let mut files = 0;
        let mut bytes = Bytes(0);
        for (path, node) in &self.nodes {
            if path.len() > limits.path {
                return Err(ContextError::LongPath {
                    path: shown(path),
                    limit: limits.path,
                });
            }
            let size = match node {
                Node::Folder => continue,
                Node::Disk { size, .. } => *size,
                Node::Memory(bytes) => u64::try_from(bytes.len()).unwrap_or(u64::MAX),
                Node::Link(_) => 0,
            };
            files += 1;
            bytes = bytes.plus(Bytes(size));
            if files > limits.files {
                return Err(self.too_many(limits));
            }
            if bytes > limits.bytes {
                return Err(ContextError::TooLarge {
                    limit: limits.bytes,
                    path: shown(path),
                });
            }
        }
        Ok(())
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
                let size = u64::try_from(bytes.len()).unwrap_or(u64::MAX);
                let mut header = header(EntryType::Regular, mode(starts_as_program(bytes)), size);
                let written = archive.append_data(&mut header, name, bytes.as_ref());
                written.map_err(ContextError::Write)?;
                Ok(Some(size))
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

fn join(above: &[u8], name: &[u8]) -> Vec<u8> {
    if above.is_empty() {
        name.to_vec()
    } else {
        [above, b"/", name].concat()
    }
}

fn shown(path: &[u8]) -> Clean {
    match path {
        b"" => Clean::line("."),
        _ => Clean::path(&path_text(path)),
    }
}

/// Refuses paths that are absolute, empty, or that climb.
fn check_inside(path: &str) -> Result<(), ContextError> {
    let bad = |part: &str| matches!(part, "" | "." | "..") || part.contains('\0');
    if path.split('/').any(bad) {
        return Err(ContextError::Outside(Clean::path(path)));
    }
    Ok(())
}

#[cfg(test)]
mod tests;
