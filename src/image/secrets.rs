//! Secrets that were left in an image: in files of any layer, deleted ones included, in the config,
//! in the history and in the Dockerfile.
//!
//! A secret is found by what it looks like; one that looks like nothing is not found. Its value is
//! never kept and never shown: what is remembered is its kind, its place and 32 bits of a digest,
//! enough to tell whether two places hold the same, too little to find out what it is.

mod assignment;
mod places;
mod probe;
mod rules;
mod scan;

use std::fmt;

pub(in crate::image) use assignment::is_secret;
pub use places::Place;
pub use places::Secret;
pub use places::in_dockerfile;
pub use places::in_image;
pub use places::in_summary;
pub use probe::Secrets;
pub use rules::ALL as KINDS;
pub use rules::SecretKind;
pub use scan::Match;
pub use scan::scan;
pub(in crate::image) use scan::values;
use serde::Deserialize;
use serde::Serialize;

/// The first 32 bits of the SHA-256 of a secret.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Fingerprint(u32);

impl Fingerprint {
    /// The fingerprint of a secret.
    fn of(secret: &[u8]) -> Self {
        use sha2::Digest as _;
        let digest = sha2::Sha256::digest(secret);
        let first = digest.iter().take(4);
        Self(first.fold(0, |all, byte| (all << 8) | u32::from(*byte)))
    }
}

/// Eight hexadecimal digits.
impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:08x}", self.0)
    }
}
