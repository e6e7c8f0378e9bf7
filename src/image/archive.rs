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

mod file;
mod layer;
mod layout;
mod members;
mod meter;
mod needles;
mod probe;

use std::collections::BTreeMap;
use std::collections::BTreeSet;
use std::io;
use std::io::BufRead;
use std::io::BufReader;
use std::io::Read;
use std::sync::Arc;

use flate2::bufread::MultiGzDecoder;
pub use probe::Probe;
pub use probe::Seen;
pub use probe::Sink;
pub use probe::Whole;
use thiserror::Error;

use self::layer::Scanned;
use self::members::Members;
use self::members::Payload;
use self::meter::Meter;
use self::needles::Needles;
use crate::image::Contents;
use crate::text::Clean;
use crate::units::Bytes;

/// The largest JSON document of an archive that is read.
const JSON_CAP: u64 = 8 * 1024 * 1024;

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
    /// What is refused.
    pub limits: Limits,
    /// The platform to choose from an index of several, as `(os, architecture)`; the first where
    /// none fits.
    pub platform: Option<(String, String)>,
}

/// What an archive may cost. The defaults are far above any image of a course.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
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
    /// Uncompressed bytes per compressed byte, for layers above 1 GB.
    pub ratio: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            entries: 2_000_000,
            bytes: Bytes(100_000_000_000),
            path: 4096,
            depth: 256,
            paths: 256 * 1024 * 1024,
            kept: 128 * 1024 * 1024,
            ratio: 1100,
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

/// Whether a decompressor complains about what it was given.
fn is_about_content(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::InvalidData | io::ErrorKind::InvalidInput
    )
}

/// One part of an archive, by its path in it.
#[derive(Debug)]
enum Part {
    Layer(Scanned),
    Json(Vec<u8>),
    Link(String),
}

/// Reads one exported image to its end.
///
/// # Errors
/// When the source fails, when the archive is broken, not an image, or beyond the limits.
pub fn read(source: impl Read, options: &Options) -> Result<Contents, ArchiveError> {
    let needles = Needles::new(&options.needles)?;
    let mut budget = Budget::new(options.limits);
    let mut members = Members::new(BufReader::with_capacity(CHUNK, source));
    let mut parts: BTreeMap<String, Part> = BTreeMap::new();
    while let Some(member) = members.next(&mut budget)? {
        if member.kind.is_symlink() || member.kind.is_hard_link() {
            let target = layout::link_target(&member.path, &member.link, member.kind.is_symlink());
            parts.insert(member.path, Part::Link(target));
            continue;
        }
        if !member.is_file() || member.size == 0 {
            continue;
        }
        let size = member.size;
        let part = read_part(
            members.payload(),
            size,
            options,
            needles.as_ref(),
            &mut budget,
        );
        match part {
            Ok(Some(part)) => {
                parts.insert(member.path, part);
            }
            Ok(None) => {}
            Err(error) => return Err(error),
        }
    }
    members.drain()?;
    layout::assemble(parts, options)
}

/// What the first bytes of a part say that it is.
enum Sort {
    Plain,
    Gzip,
    Zstd,
    Json,
    Else,
}

fn sort(first: &[u8]) -> Sort {
    let blocks = first.get(..512).unwrap_or_default();
    if first.starts_with(&[0x1f, 0x8b]) {
        Sort::Gzip
    } else if first.starts_with(&[0x28, 0xb5, 0x2f, 0xfd]) {
        Sort::Zstd
    } else if members::looks_like_tar(blocks) {
        Sort::Plain
    } else if matches!(first.first(), Some(b'{' | b'[')) {
        Sort::Json
    } else {
        Sort::Else
    }
}

fn read_part<R: BufRead>(
    mut payload: Payload<'_, R>,
    size: u64,
    options: &Options,
    needles: Option<&Needles>,
    budget: &mut Budget,
) -> Result<Option<Part>, ArchiveError> {
    // The first bytes decide, and they may come in pieces.
    let mut first = Vec::with_capacity(512);
    (&mut payload).take(512).read_to_end(&mut first)?;
    let kind = sort(&first);
    let compressed = budget.layer_limit(Some(size));
    let plain = budget.layer_limit(None);
    let whole = io::Cursor::new(first).chain(payload);
    let scan = |reader: &mut dyn BufRead, limit: Limit, budget: &mut Budget| {
        let mut meter = Meter::new(reader, limit, options.verify);
        let mut scanned = layer::scan(&mut meter, options, needles, budget)?;
        let (bytes, digest) = meter.finish()?;
        budget.bytes = budget.bytes.saturating_sub(bytes);
        scanned.digest = digest;
        Ok::<_, ArchiveError>(Some(Part::Layer(scanned)))
    };
    match kind {
        Sort::Plain => scan(&mut { whole }, plain, budget),
        Sort::Gzip => {
            let decoder = MultiGzDecoder::new(whole);
            scan(
                &mut BufReader::with_capacity(CHUNK, decoder),
                compressed,
                budget,
            )
        }
        Sort::Zstd => {
            let decoder = zstd::stream::read::Decoder::with_buffer(whole)?;
            scan(
                &mut BufReader::with_capacity(CHUNK, decoder),
                compressed,
                budget,
            )
        }
        Sort::Json if size <= JSON_CAP => {
            let mut text = Vec::new();
            { whole }.read_to_end(&mut text)?;
            Ok(Some(Part::Json(text)))
        }
        Sort::Json | Sort::Else => Ok(None),
    }
}

/// What is left of the limits.
#[derive(Debug)]
struct Budget {
    limits: Limits,
    entries: usize,
    bytes: u64,
    paths: usize,
    kept: usize,
}

/// How many bytes one layer may have, and what is wrong where it has more.
#[derive(Debug, Clone, Copy)]
struct Limit {
    bytes: u64,
    why: &'static str,
}

impl Budget {
    const fn new(limits: Limits) -> Self {
        Self {
            limits,
            entries: limits.entries,
            bytes: limits.bytes.0,
            paths: limits.paths,
            kept: limits.kept,
        }
    }

    /// The limit of the next layer; `compressed` is what it takes in the archive.
    fn layer_limit(&self, compressed: Option<u64>) -> Limit {
        let total = Limit {
            bytes: self.bytes,
            why: "its layers are larger than is sensible",
        };
        let Some(compressed) = compressed else {
            return total;
        };
        let expanded = compressed
            .saturating_mul(self.limits.ratio)
            .max(1_000_000_000);
        if expanded < total.bytes {
            return Limit {
                bytes: expanded,
                why: "a layer is compressed so far that it can only be meant to fill a disk",
            };
        }
        total
    }

    /// Pays for one entry with its path and, for a link, its target.
    fn spend(&mut self, path: &str, link: &str) -> Result<(), ArchiveError> {
        if path.len().max(link.len()) > self.limits.path {
            return Err(ArchiveError::too_much(
                "a path in it is longer than any system allows",
            ));
        }
        if path.split('/').count() > self.limits.depth {
            return Err(ArchiveError::too_much("its folders are nested too deeply"));
        }
        let (Some(entries), Some(paths)) = (
            self.entries.checked_sub(1),
            self.paths.checked_sub(path.len() + link.len()),
        ) else {
            return Err(ArchiveError::too_much("it has more files than is sensible"));
        };
        self.entries = entries;
        self.paths = paths;
        Ok(())
    }

    /// Pays for something that is kept of a file.
    fn keep(&mut self, bytes: usize) -> Result<(), ArchiveError> {
        self.kept = self.kept.checked_sub(bytes).ok_or_else(|| {
            ArchiveError::too_much("there is more in its files to remember than is sensible")
        })?;
        Ok(())
    }
}

#[cfg(test)]
mod tests;
