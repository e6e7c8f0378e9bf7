//! Lists of what is in an image, in the formats that other tools read: pure, from data to JSON.
//!
//! The same image gives the same bytes: the times and ids of a document come from the image.

mod cyclonedx;
mod licences;
mod purl;
mod spdx;

use serde::Serialize;
use sha2::Digest as _;
use sha2::Sha256;

use crate::image::Contents;
use crate::image::package::Inventory;
use crate::text;

/// The time of a document about an image that does not say when it was made.
pub const NO_TIME: &str = "1970-01-01T00:00:00Z";

/// The image that a document is about.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Subject {
    /// Its name as it was asked for: `app:latest`, `app.tar`.
    pub name: String,
    /// The digest of its layers together, which is the OCI image spec's ChainID of the last one:
    /// `sha256:…`. Engines' ids differ between their stores; this does not. Empty for no layers.
    pub chain_id: String,
    /// When the document is from, RFC 3339 in UTC with whole seconds.
    pub created: String,
    /// `amd64` and the like.
    pub architecture: String,
    /// Its layers, bottom first.
    pub layers: Vec<SubjectLayer>,
}

/// A layer of the image.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SubjectLayer {
    /// SHA-256 of the uncompressed layer: `sha256:…`.
    pub diff_id: String,
    /// The step that made it, where the history tells.
    pub created_by: Option<String>,
}

impl Subject {
    /// The image that a pass has read; `created` in place of the time that its config names.
    #[must_use]
    pub fn of(name: &str, contents: &Contents, created: Option<String>) -> Self {
        let layers = contents.layers.iter().map(|layer| SubjectLayer {
            diff_id: layer.diff_id.clone(),
            created_by: layer.created_by.clone(),
        });
        let own = || whole_seconds(contents.config.created.as_deref()?);
        let diff_ids = contents.layers.iter().map(|layer| layer.diff_id.as_str());
        Self {
            name: name.to_owned(),
            chain_id: chain_id(diff_ids),
            created: created.or_else(own).unwrap_or_else(|| NO_TIME.to_owned()),
            architecture: contents.config.architecture.clone(),
            layers: layers.collect(),
        }
    }

    /// A UUID that only a document of this format about this image has: version 8, from SHA-256.
    fn uuid(&self, format: &str) -> String {
        let mut hash = Sha256::new();
        for part in [format, &self.name, &self.chain_id, &self.created] {
            hash.update(part.as_bytes());
            hash.update([0]);
        }
        let digest = hash.finalize();
        let mut hex = String::new();
        for (index, byte) in digest.iter().take(16).enumerate() {
            let byte = match index {
                6 => (byte & 0x0f) | 0x80,
                8 => (byte & 0x3f) | 0x80,
                _ => *byte,
            };
            if matches!(index, 4 | 6 | 8 | 10) {
                hex.push('-');
            }
            hex.push_str(&format!("{byte:02x}"));
        }
        hex
    }
}

/// `ChainID(L0|L1) = SHA256(ChainID(L0) + " " + DiffID(L1))`, as the OCI image spec has it.
fn chain_id<'a>(diff_ids: impl Iterator<Item = &'a str>) -> String {
    diff_ids.fold(String::new(), |chain, diff_id| {
        if chain.is_empty() {
            return diff_id.to_owned();
        }
        let digest = Sha256::digest(format!("{chain} {diff_id}"));
        format!("sha256:{}", text::hex(&digest))
    })
}

/// A time in UTC with whole seconds, as both formats want it; `None` where it is no time.
#[must_use]
pub fn whole_seconds(text: &str) -> Option<String> {
    use time::OffsetDateTime;
    use time::UtcOffset;
    use time::format_description::well_known::Rfc3339;
    let time = OffsetDateTime::parse(text, &Rfc3339).ok()?;
    let time = time.to_offset(UtcOffset::UTC).replace_nanosecond(0).ok()?;
    time.format(&Rfc3339).ok()
}

/// The formats of documents.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// CycloneDX 1.6.
    CycloneDx,
    /// SPDX 2.3.
    Spdx,
    /// Our own, `loadline.sbom/v1`: all that is known, gaps included.
    Own,
}

/// The document about an image, as JSON with a line break at its end.
///
/// # Errors
/// When it cannot be written as JSON, which no image can cause.
pub fn document(
    format: Format,
    subject: &Subject,
    inventory: &Inventory,
) -> Result<String, serde_json::Error> {
    let text = match format {
        Format::CycloneDx => serde_json::to_string_pretty(&cyclonedx::bom(subject, inventory)),
        Format::Spdx => serde_json::to_string_pretty(&spdx::document(subject, inventory)),
        Format::Own => serde_json::to_string_pretty(&Own {
            schema: "loadline.sbom/v1",
            image: subject,
            inventory: &Inventory {
                gaps: inventory.unknown(),
                ..inventory.clone()
            },
        }),
    };
    text.map(|text| text + "\n")
}

#[derive(Serialize)]
struct Own<'a> {
    schema: &'static str,
    image: &'a Subject,
    #[serde(flatten)]
    inventory: &'a Inventory,
}

/// A short name that no other text of a document has, but for an accident in 2^64.
fn mark(parts: &[&str]) -> String {
    let text = parts.join("\u{1f}");
    format!("{:016x}", xxhash_rust::xxh3::xxh3_64(text.as_bytes()))
}

#[cfg(test)]
mod tests;
