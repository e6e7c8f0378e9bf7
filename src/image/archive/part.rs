//! One part of an archive: what its first bytes say that it is, and what is made of it.

use std::io;
use std::io::BufRead;
use std::io::BufReader;
use std::io::Read;

use flate2::bufread::MultiGzDecoder;

use super::ArchiveError;
use super::CHUNK;
use super::Options;
use super::ahead::Promise;
use super::budget::Budget;
use super::budget::Limit;
use super::facts;
use super::layer;
use super::layer::Scanned;
use super::members;
use super::meter::Hashing;
use super::meter::Meter;
use super::needles::Needles;
use crate::units::Bytes;

/// The largest JSON document of an archive that is read.
const JSON_CAP: u64 = 8 * 1024 * 1024;

/// The documents that an archive is read by.
const INDEXES: [&str; 2] = ["manifest.json", "index.json"];

/// One part of an archive, by its path in it.
#[derive(Debug)]
pub(super) enum Part {
    Layer(Box<Scanned>),
    Json(Vec<u8>),
    Link(String),
    /// Something that no image consists of.
    Other,
}

/// What a pass looks for, made ready.
pub(super) struct Asked<'a> {
    pub(super) options: &'a Options,
    pub(super) needles: Option<Needles>,
    /// What the facts of a layer depend on besides the layer.
    pub(super) fingerprint: u64,
}

impl<'a> Asked<'a> {
    pub(super) fn new(options: &'a Options) -> Result<Self, ArchiveError> {
        Ok(Self {
            options,
            needles: Needles::new(&options.needles)?,
            fingerprint: facts::fingerprint(options),
        })
    }
}

/// How bytes are packed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Packing {
    Gzip,
    Zstd,
}

/// How bytes that begin like this are packed, where they are.
pub(super) fn packing(first: &[u8]) -> Option<Packing> {
    if first.starts_with(&[0x1f, 0x8b]) {
        Some(Packing::Gzip)
    } else if first.starts_with(&[0x28, 0xb5, 0x2f, 0xfd]) || is_skippable(first) {
        Some(Packing::Zstd)
    } else {
        None
    }
}

/// Whether a zstd stream begins with a frame that says nothing of its content, as parallel
/// compressors write it.
fn is_skippable(first: &[u8]) -> bool {
    matches!(first, [low, 0x2a, 0x4d, 0x18, ..] if low & 0xf0 == 0x50)
}

/// The digest that a part of the OCI layout is named after.
pub(super) fn digest_of(path: &str) -> Option<String> {
    let hex = path.strip_prefix("blobs/sha256/")?;
    (hex.len() == 64 && hex.bytes().all(|byte| byte.is_ascii_hexdigit()))
        .then(|| format!("sha256:{hex}"))
}

/// Reads one regular file of an archive. Its digest may be `promised`.
pub(super) fn read(
    path: &str,
    payload: &mut impl BufRead,
    size: u64,
    asked: &Asked<'_>,
    budget: &mut Budget,
    promised: Option<Promise<'_>>,
) -> Result<Part, ArchiveError> {
    let blob = digest_of(path);
    let verify = asked.options.verify;
    if let Some(digest) = &blob
        && let Some(scanned) = facts::recall(asked, digest)
    {
        budget.again(&scanned)?;
        if verify {
            // Whoever loads the image holds the part against its name, so that the name is true
            // or the archive of no use; but it is not true because it is written there.
            let limit = budget.layer_limit(None);
            let hashing = Hashing::new(true, promised);
            check(Meter::new(payload, limit, hashing), digest)?;
        }
        return Ok(Part::Layer(Box::new(scanned)));
    }
    // The first bytes decide, and they may come in pieces.
    let mut first = Vec::with_capacity(512);
    payload.take(512).read_to_end(&mut first)?;
    let packing = packing(&first);
    let plain = members::looks_like_tar(&first);
    if packing.is_none() && !plain {
        return document(path, first, payload, size, budget);
    }
    // A part that is kept for later must be what it is called; what is uncompressed is hashed
    // anyway.
    let by_name = blob.filter(|_| verify && packing.is_some() && asked.options.facts.is_some());
    let limit = Limit {
        bytes: u64::MAX,
        why: "",
    };
    let mut whole = io::Cursor::new(first).chain(payload);
    let mut whole = Meter::new(&mut whole, limit, Hashing::new(by_name.is_some(), None));
    let mut scanned = match packing {
        None => {
            let limit = budget.layer_limit(None);
            scan(
                Meter::new(&mut whole, limit, Hashing::new(verify, promised)),
                asked,
                budget,
            )
        }
        Some(packing) => {
            let limit = budget.layer_limit(Some(size));
            let mut unpacked = unpacked(&mut whole, packing)?;
            scan(
                Meter::new(&mut unpacked, limit, Hashing::new(verify, None)),
                asked,
                budget,
            )
        }
    }?;
    if let Some(digest) = by_name {
        check(whole, &digest)?;
        scanned.named = true;
    }
    Ok(Part::Layer(Box::new(scanned)))
}

/// The rest of what may be a document.
fn document(
    path: &str,
    mut first: Vec<u8>,
    payload: &mut impl BufRead,
    size: u64,
    budget: &mut Budget,
) -> Result<Part, ArchiveError> {
    let begin = first.trim_ascii_start().first();
    if !matches!(begin, Some(b'{' | b'[')) {
        return Ok(Part::Other);
    }
    if size > JSON_CAP {
        // Whatever else is of that size is nothing that an image consists of.
        if !INDEXES.contains(&path.trim_start_matches("./")) {
            return Ok(Part::Other);
        }
        return Err(ArchiveError::too_much(format!(
            "`{path}` has {}, more than is sensible",
            Bytes(size)
        )));
    }
    budget.document(size)?;
    payload.read_to_end(&mut first)?;
    Ok(Part::Json(first))
}

/// Reads a part to its end and holds it against its digest.
fn check(meter: Meter<'_>, digest: &str) -> Result<(), ArchiveError> {
    let (_, found) = meter.finish()?;
    if found.is_some_and(|found| found != digest) {
        return Err(ArchiveError::broken(format!(
            "its part `{digest}` is not what it is called"
        )));
    }
    Ok(())
}

/// The bytes that went into a compressed stream.
pub(super) fn unpacked<'a>(
    packed: impl BufRead + 'a,
    packing: Packing,
) -> io::Result<BufReader<Box<dyn Read + 'a>>> {
    let decoder: Box<dyn Read + 'a> = match packing {
        Packing::Gzip => Box::new(MultiGzDecoder::new(packed)),
        Packing::Zstd => Box::new(zstd::stream::read::Decoder::with_buffer(packed)?),
    };
    Ok(BufReader::with_capacity(CHUNK, decoder))
}

fn scan(
    mut meter: Meter<'_>,
    asked: &Asked<'_>,
    budget: &mut Budget,
) -> Result<Scanned, ArchiveError> {
    let mut scanned = layer::scan(&mut meter, asked.options, asked.needles.as_ref(), budget)?;
    let (bytes, digest) = meter.finish()?;
    budget.bytes = budget.bytes.saturating_sub(bytes);
    scanned.digest = digest;
    Ok(scanned)
}
