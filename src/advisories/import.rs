//! From an archive to an index in a snapshot that is being made.

#![expect(
    clippy::disallowed_methods,
    reason = "edge: reads the archive and writes the index"
)]

use std::fs::File;
use std::io::Read as _;
use std::io::Write as _;
use std::path::Path;

use sha2::Digest as _;
use sha2::Sha256;
use tokio_util::sync::CancellationToken;

use super::AdvisoriesError;
use super::archive;
use super::archive::Limits;
use super::manifest::Origin;
use super::manifest::Part;
use crate::finding::Ecosystem;
use crate::text::hex;
use crate::units::Bytes;

/// Imports the archive at `path` into `folder`, and says what came of it.
///
/// # Errors
/// When the archive cannot be used or the index cannot be written.
pub(super) fn import(
    path: &Path,
    origin: Origin,
    ecosystem: Ecosystem,
    folder: &Path,
    cancel: &CancellationToken,
) -> Result<Part, AdvisoriesError> {
    let contents = archive::read(path, &origin.place, ecosystem, Limits::default(), cancel)?;
    let origin = if origin.sha256.is_empty() {
        let (sha256, bytes) = digest(path)?;
        Origin {
            sha256,
            bytes,
            ..origin
        }
    } else {
        origin
    };
    let too_much = |why: &str| AdvisoriesError::TooMuch {
        place: origin.place.clone(),
        why: why.to_owned(),
    };
    let packages = contents.builder.packages();
    let index = contents
        .builder
        .finish()
        .map_err(|error| too_much(error.0))?;
    let file = file_name(ecosystem);
    write(&folder.join(&file), &index)?;
    Ok(Part {
        ecosystem,
        file,
        sha256: hex(&Sha256::digest(&index)),
        bytes: Bytes(index.len() as u64),
        records: contents.records,
        withdrawn: contents.withdrawn,
        malformed: contents.malformed,
        malformed_names: contents.malformed_names,
        packages,
        newest: contents.newest.day(),
        origin,
    })
}

/// The index's name in a snapshot.
fn file_name(ecosystem: Ecosystem) -> String {
    format!("{}.index", ecosystem.to_string().to_lowercase())
}

/// SHA-256 and size of a file.
pub(super) fn digest(path: &Path) -> Result<(String, Bytes), AdvisoriesError> {
    let failed = |error| AdvisoriesError::file(path, error);
    let mut file = File::open(path).map_err(failed)?;
    let mut hash = Sha256::new();
    let mut bytes = 0;
    let mut buffer = vec![0; 256 * 1024];
    loop {
        let count = file.read(&mut buffer).map_err(failed)?;
        if count == 0 {
            return Ok((hex(&hash.finalize()), Bytes(bytes)));
        }
        hash.update(buffer.get(..count).unwrap_or_default());
        bytes += count as u64;
    }
}

/// Writes a file so that it is on the disk when this returns.
pub(super) fn write(path: &Path, content: &[u8]) -> Result<(), AdvisoriesError> {
    let failed = |error| AdvisoriesError::file(path, error);
    let mut file = File::create(path).map_err(failed)?;
    file.write_all(content).map_err(failed)?;
    file.sync_all().map_err(failed)
}
