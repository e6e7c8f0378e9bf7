//! The build context: a folder, or files in memory, as an archive for the builder.
//!
//! The ignore file is applied here, because engines do not apply it to an archive. The same input
//! always gives the same bytes: sorted, without times and owners. Links are sent as links and never
//! followed; nothing outside of the folder is read. It refuses what a builder cannot use, and what
//! is larger than a learner's project can be.

mod crowd;
mod error;
mod left_out;
mod send;
mod touch;
mod walk;

use std::collections::BTreeMap;
use std::collections::BTreeSet;
use std::io;
use std::path::Path;
use std::sync::Arc;

pub use error::ContextError;
pub use left_out::LeftOut;
pub use send::Sending;
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

/// What a context holds, as the learner has it: a Dockerfile or ignore file that the ignore file
/// leaves out is sent for the builder alone, and a Dockerfile counts as it was gathered.
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

impl Node {
    /// Its payload bytes when it was gathered; `None` of a folder.
    fn size(&self) -> Option<u64> {
        match self {
            Self::Folder => None,
            Self::Disk { size, .. } => Some(*size),
            Self::Memory(bytes) => Some(u64::try_from(bytes.len()).unwrap_or(u64::MAX)),
            Self::Link(_) => Some(0),
        }
    }
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
    /// Files in memory that the ignore file leaves out.
    unsent: BTreeSet<String>,
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
            unsent: BTreeSet::new(),
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
            if context.leaves_out(path) {
                context.unsent.insert(path.clone());
            } else if !there && !context.is_below_a_file(path) {
                let node = Node::Memory(Arc::clone(bytes));
                context.nodes.insert(path.as_bytes().to_vec(), node);
            }
        }
        for (path, bytes) in sources.above {
            context.make_room(path);
            if context.leaves_out(path) {
                context.unsent.insert(path.clone());
            } else {
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

    /// What it holds.
    #[must_use]
    pub fn facts(&self) -> Facts {
        let mut facts = Facts {
            sockets: self.sockets.clone(),
            ..Facts::default()
        };
        for (path, node) in &self.nodes {
            let Some(size) = node.size().filter(|_| !self.is_for_the_builder(path)) else {
                continue;
            };
            facts.bytes = facts.bytes.plus(Bytes(size));
            facts.paths.push(String::from_utf8_lossy(path).into_owned());
        }
        facts
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

    /// Whether the ignore file leaves `path` out of what is gathered. The builder may need the
    /// Dockerfile and the ignore file all the same.
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
            let Some(size) = node.size() else {
                continue;
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
