//! Reads an exported image (`docker save`, `podman save`, an OCI layout) in one pass over a stream.
//!
//! Nothing is unpacked, kept on disk or executed. Every layout that engines write is read: Docker's
//! legacy one with repeated layers as links, the OCI layout with or without `manifest.json`,
//! Podman's; layers plain, gzip or zstd. The order of layers is only known at the end of the
//! stream, so that each is read as it comes and put in its place afterwards. An archive is
//! untrusted: everything is bounded by [`Limits`].
//!
//! Who needs more than entries and sizes hooks in by [`Options`]: `keep` holds on to small files by
//! path, `needles` searches every payload, and a [`Probe`] chooses files by their header and reads
//! them while they pass by, in pieces or, with [`Whole`], as one. What a probe notes stays with the
//! layer ([`Layer::notes_of`](crate::image::Layer::notes_of)).

mod ahead;
mod budget;
mod digest;
mod facts;
mod file;
mod folder;
mod layer;
mod layout;
mod members;
mod meter;
mod needles;
mod pack;
mod paged;
mod part;
mod probe;

use std::collections::BTreeMap;
use std::collections::BTreeSet;
use std::fs::File;
use std::io;
use std::io::BufRead;
use std::io::Read;
use std::os::unix::fs::MetadataExt as _;
use std::sync::Arc;

pub use facts::Facts;
pub use folder::Opened;
pub use folder::read_folder;
pub use pack::PackError;
pub use pack::pack;
pub use probe::Probe;
pub use probe::Seen;
pub use probe::Sink;
pub use probe::Whole;
use thiserror::Error;

use self::ahead::Ahead;
use self::budget::Budget;
use self::members::Members;
use self::meter::Counted;
use self::meter::Expanded;
use self::paged::Paged;
use self::part::Asked;
use self::part::Packing;
use self::part::Part;
use crate::image::Contents;
use crate::image::Summary;
use crate::text::Clean;
use crate::units::Bytes;

/// How much is asked of the source at once.
const CHUNK: usize = 256 * 1024;

/// What a pass looks for besides entries and sizes.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// Byte strings to search in all payloads, names and link targets, as they are: an encoded or
    /// encrypted copy is not found.
    pub needles: Vec<Vec<u8>>,
    /// Paths whose content is kept, up to 64 KiB each: `etc/passwd`.
    pub keep: BTreeSet<String>,
    /// Who else looks into files.
    pub probes: Vec<Arc<dyn Probe>>,
    /// Whether each layer's digest is computed and compared with the config's. The order of layers
    /// does not need it.
    pub verify: bool,
    /// Whether the source's digests are believed unseen: an engine's are.
    pub trusted: bool,
    /// Where facts of layers are kept from pass to pass.
    pub facts: Option<Arc<dyn Facts>>,
    /// What is refused.
    pub limits: Limits,
    /// The platform to choose from an index of several, as `(os, architecture)`; the first where
    /// none fits.
    pub platform: Option<(String, String)>,
}

impl Options {
    /// These for an image that runs here: where no platform is named, this machine's is meant.
    #[must_use]
    pub fn here(self) -> Self {
        let architecture = match std::env::consts::ARCH {
            "x86_64" => "amd64",
            "aarch64" => "arm64",
            other => other,
        };
        let here = || (String::from("linux"), architecture.to_owned());
        Self {
            platform: self.platform.or_else(|| Some(here())),
            ..self
        }
    }
}

/// What an archive may cost. The defaults are far above any image of a course.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Layers.
    pub layers: usize,
    /// Entries of all layers.
    pub entries: usize,
    /// Bytes of all uncompressed layers.
    pub bytes: Bytes,
    /// Bytes of one path.
    pub path: usize,
    /// Parts of one path.
    pub depth: usize,
    /// Bytes of all paths and link targets.
    pub paths: usize,
    /// Bytes of everything that is kept of files: contents, notes, what programs are.
    pub kept: usize,
    /// Bytes of all documents.
    pub documents: Bytes,
    /// Uncompressed bytes that are read whatever they were compressed to.
    pub free: Bytes,
    /// Uncompressed bytes per compressed byte, beyond the free ones.
    pub ratio: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            layers: 1000,
            entries: 2_000_000,
            bytes: Bytes(100_000_000_000),
            path: 4096,
            depth: 256,
            paths: 256 * 1024 * 1024,
            kept: 128 * 1024 * 1024,
            documents: Bytes(64 * 1024 * 1024),
            // A file to swap to, or of a virtual disk, is nothing but zeros.
            free: Bytes(4_000_000_000),
            // Zeros alone come to 1030; hardly a larger layer has so many of them.
            ratio: 200,
        }
    }
}

/// Why an archive cannot be read.
#[derive(Debug, Error)]
pub enum ArchiveError {
    /// The stream broke off or the engine failed.
    #[error("the exported image cannot be read")]
    Source(#[source] io::Error),
    /// It ends in the middle of something.
    #[error("the exported image ends too early")]
    Truncated,
    /// A part of it is not what it should be.
    #[error("the exported image is broken: {0}")]
    Broken(Clean),
    /// It is not an image at all.
    #[error("this is not an exported image: {0}")]
    NotAnImage(Clean),
    /// It holds several images.
    #[error("the archive holds {0} images where one was expected")]
    SeveralImages(usize),
    /// A layer that the image names is not in it.
    #[error("the exported image lacks its part `{0}`")]
    MissingPart(Clean),
    /// A layer's digest is not the one that the config names.
    #[error("layer {layer} is not what the image's config says: its digest is {found}")]
    WrongDigest {
        /// The layer, from 0 at the bottom.
        layer: usize,
        /// The digest of what is there.
        found: String,
    },
    /// It is larger than is sensible.
    #[error("the exported image is refused: {0}")]
    TooMuch(Clean),
}

impl ArchiveError {
    /// What to do next, as a lower-case imperative.
    #[must_use]
    pub const fn hint(&self) -> &'static str {
        match self {
            Self::Source(_) => "check where it comes from, then write it again",
            Self::Truncated => "write or copy it again, and look for room on the disk",
            Self::NotAnImage(_) => "write one with `docker save IMAGE -o FILE`",
            Self::SeveralImages(_) => {
                "write one of them alone: `docker save IMAGE -o FILE`, or `skopeo copy`"
            }
            Self::MissingPart(_) => {
                "copy all of it: every part that its manifest names belongs to it"
            }
            Self::Broken(_) | Self::WrongDigest { .. } => {
                "it is damaged or was changed: get it again from whoever made it"
            }
            Self::TooMuch(_) => {
                "it may be meant to do harm: load it nowhere before you know who made it"
            }
        }
    }

    fn broken(what: impl AsRef<str>) -> Self {
        Self::Broken(Clean::line(what.as_ref()))
    }

    fn too_much(what: impl AsRef<str>) -> Self {
        Self::TooMuch(Clean::line(what.as_ref()))
    }
}

/// An error of ours that travelled through a reader comes out as itself.
impl From<io::Error> for ArchiveError {
    fn from(error: io::Error) -> Self {
        if error.kind() == io::ErrorKind::UnexpectedEof {
            return Self::Truncated;
        }
        match error.downcast::<Self>() {
            Ok(ours) => ours,
            Err(error) if is_about_content(&error) => Self::broken(error.to_string()),
            Err(error) => Self::Source(error),
        }
    }
}

/// Whether a decompressor complains about what it was given: one of them does that in words alone.
/// What a source says comes marked as such.
fn is_about_content(error: &io::Error) -> bool {
    let in_words = error.kind() == io::ErrorKind::Other && error.raw_os_error().is_none();
    let kinds = [io::ErrorKind::InvalidData, io::ErrorKind::InvalidInput];
    in_words || kinds.contains(&error.kind())
}

/// A source whose errors stay its own on their way through decompressors.
struct Marked<R>(R);

impl<R: Read> Read for Marked<R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        self.0.read(into).map_err(|error| match error.kind() {
            io::ErrorKind::Interrupted | io::ErrorKind::UnexpectedEof => error,
            _ => io::Error::other(ArchiveError::Source(error)),
        })
    }
}

/// Reads one exported image to its end; it may be compressed as a whole.
///
/// # Errors
/// When the source fails, when the archive is broken, not an image, or beyond the limits.
pub fn read(source: impl Read, options: &Options) -> Result<Contents, ArchiveError> {
    read_with(source, options, None)
}

/// Reads one exported image from a file on disk: where digests are computed, with a second core.
///
/// # Errors
/// As those of [`read`], and when the file is changed meanwhile.
pub fn read_file(file: File, options: &Options) -> Result<Contents, ArchiveError> {
    // What is no regular file can only be read once.
    if !options.verify || !file.metadata()?.is_file() {
        return read(file, options);
    }
    let file = Arc::new(file);
    let before = state(&file)?;
    let contents = read_with(Arc::clone(&file), options, Some(&Ahead::of(&file)))?;
    // What was hashed beside the pass may not be what the pass saw.
    if state(&file)? != before {
        return Err(ArchiveError::broken("it was changed while it was read"));
    }
    Ok(contents)
}

/// What tells whether a file was written to: its length, and when it was changed last.
fn state(file: &File) -> io::Result<(u64, i64, i64)> {
    let known = file.metadata()?;
    Ok((known.len(), known.ctime(), known.ctime_nsec()))
}

fn read_with(
    source: impl Read,
    options: &Options,
    ahead: Option<&Ahead>,
) -> Result<Contents, ArchiveError> {
    let asked = Asked::new(options)?;
    let mut budget = Budget::new(options.limits);
    let (whole, packing) = begun(source)?;
    let parts = match packing {
        None => read_members(whole, &asked, &mut budget, ahead)?,
        Some(packing) => {
            let bounded = expanded(whole, packing, options.limits)?;
            read_members(bounded, &asked, &mut budget, None)?
        }
    };
    layout::assemble(parts, &asked, &mut budget)
}

/// What an archive unpacks to where it is compressed as a whole; `None` where it is not.
///
/// # Errors
/// When the source fails. What comes out fails in its turn where the archive is broken, or expands
/// beyond the limits.
pub fn unpacked<'a>(
    source: impl Read + 'a,
    limits: Limits,
) -> Result<Option<Box<dyn Read + 'a>>, ArchiveError> {
    let (whole, packing) = begun(source)?;
    let Some(packing) = packing else {
        return Ok(None);
    };
    Ok(Some(Box::new(expanded(whole, packing, limits)?)))
}

/// A source from its beginning, and how it is packed as a whole.
fn begun<'a>(source: impl Read + 'a) -> io::Result<(impl BufRead + 'a, Option<Packing>)> {
    let mut source = Paged::new(CHUNK, Marked(source));
    let mut first = Vec::new();
    (&mut source).take(4).read_to_end(&mut first)?;
    let packing = part::packing(&first);
    Ok((io::Cursor::new(first).chain(source), packing))
}

/// What a packed source unpacks to, no more than is sensible.
fn expanded<'a>(
    packed: impl BufRead + 'a,
    packing: Packing,
    limits: Limits,
) -> io::Result<impl BufRead + 'a> {
    let (counted, taken) = Counted::new(packed);
    let unpacked = part::unpacked(counted, packing)?;
    Ok(Expanded::new(unpacked, taken, limits.free.0, limits.ratio))
}

fn read_members(
    mut source: impl BufRead,
    asked: &Asked<'_>,
    budget: &mut Budget,
    ahead: Option<&Ahead>,
) -> Result<BTreeMap<String, Part>, ArchiveError> {
    let mut first = Vec::new();
    (&mut source).take(512).read_to_end(&mut first)?;
    if !first.is_empty() && !members::looks_like_tar(&first) {
        return Err(ArchiveError::NotAnImage(Clean::line(
            "it does not begin as an archive does",
        )));
    }
    let mut members = Members::new(io::Cursor::new(first).chain(source));
    let mut parts = BTreeMap::new();
    while let Some(member) = members.next(budget)? {
        if member.kind.is_symlink() || member.kind.is_hard_link() {
            let target = layout::link_target(&member.path, &member.link, member.kind.is_symlink());
            parts.insert(member.path, Part::Link(target));
            continue;
        }
        if !member.is_file() || member.size == 0 {
            continue;
        }
        let (path, size) = (member.path, member.size);
        let promised = ahead.and_then(|ahead| ahead.promise(member.at, size));
        let part = part::read(&path, &mut members.payload(), size, asked, budget, promised)?;
        parts.insert(path, part);
    }
    members.drain()?;
    Ok(parts)
}

/// The image that an engine describes, without reading it, where each of its layers is remembered.
#[must_use]
pub fn recall(summary: &Summary, options: &Options) -> Option<Contents> {
    // An engine that tells no history leaves more open than an export does. An image without layers
    // has no size either, and some engines refuse to export it.
    let untold = summary.diff_ids.is_empty() && summary.engine_size > Bytes(0);
    if untold || summary.history.is_empty() || !options.trusted {
        return None;
    }
    let asked = Asked::new(options).ok()?;
    let mut budget = Budget::new(options.limits);
    let mut layers = Vec::new();
    for digest in &summary.diff_ids {
        let scanned = facts::recall(&asked, digest)?;
        budget.again(&scanned).ok()?;
        layers.push((digest.clone(), scanned));
    }
    let (config, history) = (summary.config.clone(), summary.history.clone());
    Some(layout::contents(config, history, layers))
}

#[cfg(test)]
mod tests;
