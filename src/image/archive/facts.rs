//! What is remembered of layers that were read before, so that they need not be read again.
//!
//! Facts are kept by the digest of the layer, and by the digest of the part of the archive that it
//! was read from. They are believed only where the digest is: a pass remembers a layer when it has
//! hashed it, or when an engine hands it over, whose business digests are.

use std::fmt;

use serde::Deserialize;
use serde::Serialize;
use sha2::Digest as _;
use sha2::Sha256;
use xxhash_rust::xxh3::Xxh3;

use super::Options;
use super::layer::Scanned;
use super::part::Asked;
use super::part::digest_of;

/// A name of the code that facts come from, by the build script: what other code remembered is not
/// believed.
const MADE_BY: &str = env!("LOADLINE_READERS");

/// Where facts of layers are kept. Losing any of it costs time and nothing else.
pub trait Facts: fmt::Debug + Send + Sync {
    /// Whether something is remembered under this key.
    fn knows(&self, key: &str) -> bool;

    /// What was remembered under this key, as it was given; `None` where nothing was, or where it
    /// is not whole any more.
    fn recall(&self, key: &str) -> Option<Vec<u8>>;

    /// Remembers under a key of letters, digits and `-`.
    fn remember(&self, key: &str, facts: &[u8]);
}

/// What is remembered under one digest.
#[derive(Debug, Deserialize)]
enum Remembered {
    Layer(Box<Scanned>),
    /// The part is this layer, packed.
    Packed(String),
}

/// The same, borrowed.
#[derive(Debug, Serialize)]
enum ToRemember<'a> {
    Layer(&'a Scanned),
    Packed(&'a str),
}

/// What the facts of a layer depend on besides the layer: what was looked for, and by which code.
pub(super) fn fingerprint(options: &Options) -> u64 {
    let mut hash = Xxh3::new();
    hash.update(MADE_BY.as_bytes());
    for wanted in &options.keep {
        hash.update(wanted.as_bytes());
        hash.update(b"\0");
    }
    for probe in &options.probes {
        hash.update(probe.name().as_bytes());
        hash.update(b"\0");
    }
    // Needles may be secrets: what is kept on disk must not help to guess them.
    let mut needles = Sha256::new();
    for needle in &options.needles {
        needles.update((needle.len() as u64).to_le_bytes());
        needles.update(needle);
    }
    hash.update(&needles.finalize());
    hash.digest()
}

fn key(asked: &Asked<'_>, digest: &str) -> String {
    let hex = digest.strip_prefix("sha256:").unwrap_or(digest);
    let hex: String = hex.chars().filter(char::is_ascii_alphanumeric).collect();
    format!("{hex}-{:016x}", asked.fingerprint)
}

/// The facts of a layer, by its digest or that of the part it comes in.
pub(super) fn recall(asked: &Asked<'_>, digest: &str) -> Option<Scanned> {
    let facts = asked.options.facts.as_ref()?;
    let read = |digest: &str| {
        let bytes = facts.recall(&key(asked, digest))?;
        postcard::from_bytes::<Remembered>(&bytes).ok()
    };
    let found = match read(digest)? {
        Remembered::Packed(layer) => read(&layer)?,
        found @ Remembered::Layer(_) => found,
    };
    match found {
        Remembered::Layer(mut scanned) => {
            scanned.recalled = true;
            Some(*scanned)
        }
        Remembered::Packed(_) => None,
    }
}

/// Remembers a layer that was read from a part of an archive, where its digest can be believed.
pub(super) fn remember(asked: &Asked<'_>, layer: &str, part: &str, scanned: &mut Scanned) {
    let trusted = asked.options.trusted;
    let Some(facts) = &asked.options.facts else {
        return;
    };
    if scanned.recalled || !(trusted || scanned.digest.as_deref() == Some(layer)) {
        return;
    }
    scanned.digest = Some(layer.to_owned());
    let write = |digest: &str, what: &ToRemember<'_>| {
        let key = key(asked, digest);
        if !facts.knows(&key)
            && let Ok(bytes) = postcard::to_stdvec(what)
        {
            facts.remember(&key, &bytes);
        }
    };
    write(layer, &ToRemember::Layer(scanned));
    if let Some(part) = digest_of(part)
        && part != layer
        && (trusted || scanned.named)
    {
        write(&part, &ToRemember::Packed(layer));
    }
}
