//! The archive of an image in the form that every scanner opens: as `docker save` writes it.
//!
//! None takes every compression; OSV-Scanner takes no OCI layout, and Trivy of one with several
//! platforms the first and not this machine's. What does not fit is written anew into a file of its
//! own.

#![expect(
    clippy::disallowed_methods,
    reason = "edge: writes an archive anew for the scanner that is given it, on a thread of its own"
)]

use std::fs::File;
use std::io;
use std::io::Read as _;
use std::io::Seek as _;
use std::io::SeekFrom;
use std::path::Path;
use std::path::PathBuf;

use tempfile::NamedTempFile;
use tempfile::TempPath;
use tokio_util::sync::CancellationToken;

use super::ScanError;
use super::layout;
use crate::image::archive;
use crate::image::archive::ArchiveError;
use crate::image::archive::Limits;
use crate::image::archive::Opened;
use crate::image::archive::Options;
use crate::image::archive::PackError;

/// An image that a scanner can open: the archive itself, or a file that was made of it, which goes
/// with this.
#[derive(Debug)]
pub(super) struct Source {
    pub(super) path: PathBuf,
    _made: Option<TempPath>,
}

/// Makes an archive ready for a scanner.
pub(super) async fn ready(
    program: &'static str,
    archive: &Path,
    cancel: &CancellationToken,
) -> Result<Source, ScanError> {
    let archive = archive.to_owned();
    let making = tokio::task::spawn_blocking(move || fitting(&archive));
    let made = tokio::select! {
        biased;
        () = cancel.cancelled() => return Err(ScanError::Cancelled),
        made = making => made,
    };
    match made {
        Ok(made) => made.map_err(|source| ScanError::Unpack { program, source }),
        Err(panicked) => Err(ScanError::Start {
            program,
            source: io::Error::other(panicked),
        }),
    }
}

/// The archive, or what was made of it.
fn fitting(archive: &Path) -> Result<Source, ArchiveError> {
    let unpacked = plain(archive)?;
    let whole = unpacked.as_deref().unwrap_or(archive);
    let made = if layout::is_oci_alone(whole) {
        Some(repacked(whole)?)
    } else {
        unpacked
    };
    Ok(Source {
        path: made.as_deref().unwrap_or(archive).to_owned(),
        _made: made,
    })
}

/// An archive that is compressed as a whole without that; `None` where it is not compressed.
fn plain(archive: &Path) -> Result<Option<TempPath>, ArchiveError> {
    let file = File::open(archive)?;
    let Some(mut unpacked) = archive::unpacked(file, Limits::default())? else {
        return Ok(None);
    };
    let (mut file, kept) = empty()?.into_parts();
    io::copy(&mut unpacked, &mut file)?;
    Ok(Some(kept))
}

/// The image of an OCI layout, this machine's where it has several, in the other form.
fn repacked(archive: &Path) -> Result<TempPath, ArchiveError> {
    let parts = layout::parts(archive)?;
    let open = |part: &str| -> io::Result<Opened> {
        let Some(&(first, size)) = parts.get(part) else {
            return Ok(None);
        };
        let mut file = File::open(archive)?;
        file.seek(SeekFrom::Start(first))?;
        Ok(Some((Box::new(file.take(size)), size)))
    };
    let (file, kept) = empty()?.into_parts();
    archive::pack(open, &Options::default().here(), file).map_err(|error| match error {
        PackError::Read(error) => error,
        PackError::Write(cause) => cause.into(),
    })?;
    Ok(kept)
}

/// A file of our own; its name ends as scanners want it.
fn empty() -> io::Result<NamedTempFile> {
    let mut named = tempfile::Builder::new();
    named.prefix("loadline-").suffix(".tar").tempfile()
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use super::*;

    /// An archive with these files, packed by `pack`.
    fn archive(files: &[(&str, &str)], pack: fn(&[u8]) -> Vec<u8>) -> NamedTempFile {
        let mut builder = tar::Builder::new(Vec::new());
        for (name, text) in files {
            let mut header = tar::Header::new_gnu();
            // The library writes no path that leads out, other programs do.
            let field = &mut header.as_old_mut().name;
            field[..name.len()].copy_from_slice(name.as_bytes());
            header.set_size(text.len() as u64);
            header.set_cksum();
            builder.append(&header, text.as_bytes()).unwrap();
        }
        let bytes = builder.into_inner().unwrap();
        let mut file = NamedTempFile::new().unwrap();
        file.write_all(&pack(&bytes)).unwrap();
        file
    }

    fn as_it_is(bytes: &[u8]) -> Vec<u8> {
        bytes.to_owned()
    }

    fn gzip(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    }

    fn zstd(bytes: &[u8]) -> Vec<u8> {
        zstd::encode_all(bytes, 1).unwrap()
    }

    /// The files of what a scanner is given.
    fn files(source: &Source) -> Vec<(String, String)> {
        let mut plain = tar::Archive::new(File::open(&source.path).unwrap());
        let entries = plain.entries().unwrap();
        entries
            .map(|entry| {
                let mut entry = entry.unwrap();
                let mut text = String::new();
                entry.read_to_string(&mut text).unwrap();
                (entry.path().unwrap().display().to_string(), text)
            })
            .collect()
    }

    const DOCKER: [(&str, &str); 2] = [("aa/layer.tar", "aa"), ("manifest.json", "[]")];

    /// An OCI layout of two platforms, this machine's behind another, among what is no part of it.
    fn two_platforms() -> Vec<(&'static str, String)> {
        let here = Options::default().here().platform.unwrap().1;
        let index = format!(
            r#"{{"manifests": [
            {{"digest": "sha256:a1", "platform": {{"os": "linux", "architecture": "s390x"}}}},
            {{"digest": "sha256:b1", "platform": {{"os": "linux", "architecture": "{here}"}}}}]}}"#
        );
        let manifest = |part: &str| {
            format!(
                r#"{{"config": {{"digest": "sha256:{part}2"}}, "layers": [{{"digest": "sha256:{part}3"}}]}}"#
            )
        };
        vec![
            ("oci-layout", "{}".to_owned()),
            ("index.json", index),
            ("blobs/sha256/a1", manifest("a")),
            ("blobs/sha256/a2", "{}".to_owned()),
            ("blobs/sha256/a3", "other".to_owned()),
            ("./blobs/sha256/b1", manifest("b")),
            ("./blobs/sha256/b2", "{}".to_owned()),
            ("./blobs/sha256/b3", "layer".to_owned()),
            ("../out", "out".to_owned()),
            ("/blobs/sha256/c", "out".to_owned()),
        ]
    }

    #[test]
    fn an_oci_layout_is_written_anew_with_the_parts_of_this_machine_s_image() {
        let owned = two_platforms();
        let layout: Vec<(&str, &str)> = owned.iter().map(|(name, text)| (*name, &**text)).collect();
        for pack in [as_it_is as fn(&[u8]) -> Vec<u8>, gzip, zstd] {
            let file = archive(&layout, pack);
            let source = fitting(file.path()).unwrap();
            let files = files(&source);
            let names: Vec<&str> = files.iter().map(|(name, _)| &**name).collect();
            assert_eq!(
                names,
                ["manifest.json", "blobs/sha256/b2", "blobs/sha256/b3"]
            );
            assert_eq!(files[2].1, "layer");
            let path = source.path.clone();
            drop(source);
            assert!(!path.exists(), "it goes with the scan");
        }
    }

    #[test]
    fn a_compressed_archive_is_unpacked_and_another_given_as_it_is() {
        for pack in [gzip as fn(&[u8]) -> Vec<u8>, zstd] {
            let file = archive(&DOCKER, pack);
            let source = fitting(file.path()).unwrap();
            assert_ne!(source.path, file.path());
            assert_eq!(files(&source)[0], ("aa/layer.tar".into(), "aa".into()));
        }
        let file = archive(&DOCKER, as_it_is);
        assert_eq!(fitting(file.path()).unwrap().path, file.path());
    }

    #[test]
    fn what_cannot_be_made_ready_says_why() {
        // A compressed archive that ends in the middle is no image for anybody.
        let mut file = NamedTempFile::new().unwrap();
        let whole = gzip(&[7; 5000]);
        file.write_all(&whole[..whole.len() - 9]).unwrap();
        let broken = fitting(file.path()).unwrap_err();
        assert!(matches!(broken, ArchiveError::Truncated));
        let none = fitting(Path::new("no/such/archive")).unwrap_err();
        assert!(matches!(none, ArchiveError::Source(_)));
        let mut layout = two_platforms();
        layout.retain(|(name, _)| !name.ends_with("b3"));
        let layout: Vec<(&str, &str)> =
            layout.iter().map(|(name, text)| (*name, &**text)).collect();
        let lacks = fitting(archive(&layout, as_it_is).path()).unwrap_err();
        assert!(matches!(lacks, ArchiveError::MissingPart(_)), "{lacks}");
    }
}
