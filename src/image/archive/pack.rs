//! The parts of an image as an archive that every tool opens: as `docker save` writes it.

use std::io;
use std::io::Read;
use std::io::Write;

use thiserror::Error;

use super::ArchiveError;
use super::Options;
use super::folder;
use super::folder::Opened;
use crate::text::Clean;

/// An image is not packed.
#[derive(Debug, Error)]
pub enum PackError {
    /// It cannot be read as an image.
    #[error(transparent)]
    Read(#[from] ArchiveError),
    /// The archive cannot be written.
    #[error("the archive cannot be written")]
    Write(#[source] io::Error),
}

/// Writes an image as an archive of its own parts alone. `open` is as for
/// [`read_folder`](super::read_folder).
///
/// # Errors
/// When it is no image, or a part of it is missing, cannot be read or is beyond the limits; when the
/// archive cannot be written.
pub fn pack(
    open: impl Fn(&str) -> io::Result<Opened>,
    options: &Options,
    to: impl Write,
) -> Result<(), PackError> {
    let named = folder::named_in(&open, options)?;
    let mut room = options.limits.bytes.0;
    let mut archive = tar::Builder::new(to);
    let manifest = named.manifest();
    let size = manifest.len() as u64;
    add(&mut archive, "manifest.json", &*manifest, size)?;
    for part in named.parts() {
        let opened = open(part).map_err(ArchiveError::from)?;
        let Some((file, size)) = opened else {
            return Err(ArchiveError::MissingPart(Clean::line(part)).into());
        };
        room = room
            .checked_sub(size)
            .ok_or_else(|| ArchiveError::too_much("its parts are larger than is sensible"))?;
        add(&mut archive, part, file, size)?;
    }
    archive.finish().map_err(PackError::Write)
}

/// Adds a file to an archive, which gets as many bytes as its header says.
fn add(
    archive: &mut tar::Builder<impl Write>,
    path: &str,
    file: impl Read,
    size: u64,
) -> Result<(), PackError> {
    let mut header = tar::Header::new_gnu();
    header.set_mode(0o644);
    header.set_size(size);
    let whole = file.chain(io::repeat(0)).take(size);
    archive
        .append_data(&mut header, path, whole)
        .map_err(PackError::Write)
}
