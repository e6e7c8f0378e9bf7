//! The archive of an image in the form that a scanner takes.
//!
//! Scanners differ in what they open: none takes every compression, and each has its own way with
//! an OCI layout. What does not fit is unpacked for it into a place of its own.

#![expect(
    clippy::disallowed_methods,
    reason = "edge: unpacks an archive for the scanner that is given it, on a thread of its own"
)]

use std::fs::File;
use std::io;
use std::path::Component;
use std::path::Path;
use std::path::PathBuf;

use tempfile::NamedTempFile;
use tempfile::TempDir;
use tempfile::TempPath;
use tokio_util::sync::CancellationToken;

use super::Adapter;
use super::ScanError;
use super::layout;
use crate::image::archive;
use crate::image::archive::ArchiveError;
use crate::image::archive::Limits;

/// What an OCI layout consists of, in its folder.
const PARTS: [&str; 3] = ["oci-layout", "index.json", "blobs"];

/// How a scanner takes an OCI layout.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Oci {
    /// As an archive.
    Archive,
    /// As a folder.
    Folder,
    /// Not at all, and what it takes instead, as a fragment.
    Refused(&'static str),
}

/// The form of an image.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    /// An archive as `docker save` writes it.
    Docker,
    /// An archive of an OCI layout and nothing else.
    OciArchive,
    /// The folder of an OCI layout.
    OciFolder,
}

/// An image that a scanner can open. What was made for it goes with this.
#[derive(Debug)]
pub(super) struct Source {
    pub(super) path: PathBuf,
    pub(super) form: Form,
    _file: Option<TempPath>,
    _folder: Option<TempDir>,
}

/// Why an image cannot be given to a scanner.
#[derive(Debug)]
enum Unfit {
    /// The scanner does not take it, and what it takes instead.
    Refused(&'static str),
    /// It cannot be unpacked.
    Unpack(ArchiveError),
}

impl From<io::Error> for Unfit {
    fn from(error: io::Error) -> Self {
        Self::Unpack(error.into())
    }
}

impl Source {
    /// What is there, as it is.
    #[cfg(test)]
    pub(super) fn of(path: &Path, form: Form) -> Self {
        Self {
            path: path.to_owned(),
            form,
            _file: None,
            _folder: None,
        }
    }

    /// Its path as a word of a command.
    pub(super) fn word(&self) -> String {
        self.path.display().to_string()
    }
}

/// Makes an archive ready for a scanner.
pub(super) async fn ready(
    adapter: &Adapter,
    archive: &Path,
    cancel: &CancellationToken,
) -> Result<Source, ScanError> {
    let (program, oci) = (adapter.program, adapter.oci);
    let archive = archive.to_owned();
    let making = tokio::task::spawn_blocking(move || fitting(&archive, oci));
    let made = tokio::select! {
        biased;
        () = cancel.cancelled() => return Err(ScanError::Cancelled),
        made = making => made,
    };
    match made {
        Ok(Ok(source)) => Ok(source),
        Ok(Err(Unfit::Refused(why))) => Err(ScanError::NotTaken { program, why }),
        Ok(Err(Unfit::Unpack(source))) => Err(ScanError::Unpack { program, source }),
        Err(panicked) => Err(ScanError::Start {
            program,
            source: io::Error::other(panicked),
        }),
    }
}

/// The archive, or what was made of it for a scanner that takes OCI layouts in this way.
fn fitting(archive: &Path, oci: Oci) -> Result<Source, Unfit> {
    let unpacked = plain(archive)?;
    let plain = unpacked.as_deref().unwrap_or(archive);
    let (path, form, folder) = match oci {
        _ if !layout::is_oci_alone(plain) => (plain.to_owned(), Form::Docker, None),
        Oci::Archive => (plain.to_owned(), Form::OciArchive, None),
        Oci::Refused(instead) => return Err(Unfit::Refused(instead)),
        Oci::Folder => {
            let folder = unfold(plain)?;
            (folder.path().to_owned(), Form::OciFolder, Some(folder))
        }
    };
    Ok(Source {
        path,
        form,
        _file: unpacked,
        _folder: folder,
    })
}

/// An archive that is compressed as a whole without that; `None` where it is not compressed.
fn plain(archive: &Path) -> Result<Option<TempPath>, Unfit> {
    let file = File::open(archive)?;
    let unpacked = archive::unpacked(file, Limits::default()).map_err(Unfit::Unpack)?;
    let Some(mut unpacked) = unpacked else {
        return Ok(None);
    };
    let named: io::Result<NamedTempFile> = tempfile::Builder::new()
        .prefix("loadline-")
        .suffix(".tar")
        .tempfile();
    let (mut file, kept) = named?.into_parts();
    io::copy(&mut unpacked, &mut file)?;
    Ok(Some(kept))
}

/// The folder of the OCI layout in an archive. Nothing leads out of it: only regular files are
/// written, and only those that a layout consists of.
fn unfold(archive: &Path) -> Result<TempDir, Unfit> {
    let folder = tempfile::Builder::new().prefix("loadline-").tempdir()?;
    let mut archive = tar::Archive::new(File::open(archive)?);
    for entry in archive.entries_with_seek()? {
        let mut entry = entry?;
        if entry.header().entry_type() != tar::EntryType::Regular {
            continue;
        }
        let Some(path) = inside(&entry.path()?) else {
            continue;
        };
        let path = folder.path().join(path);
        if let Some(parent) = path.parent() {
            std::fs::create_dir_all(parent)?;
        }
        io::copy(&mut entry, &mut File::create(&path)?)?;
    }
    Ok(folder)
}

/// The path of a part of a layout; `None` for what is none.
fn inside(path: &Path) -> Option<PathBuf> {
    let mut inside = PathBuf::new();
    for component in path.components() {
        match component {
            Component::CurDir => {}
            Component::Normal(name) => inside.push(name),
            Component::Prefix(_) | Component::RootDir | Component::ParentDir => return None,
        }
    }
    let first = inside.components().next()?;
    let known = PARTS.iter().any(|part| first.as_os_str() == *part);
    known.then_some(inside)
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use super::*;

    /// An archive with these files, packed by `pack`.
    fn archive(names: &[&str], pack: fn(&[u8]) -> Vec<u8>) -> NamedTempFile {
        let mut builder = tar::Builder::new(Vec::new());
        for name in names {
            let mut header = tar::Header::new_gnu();
            // The library writes no path that leads out, other programs do.
            let field = &mut header.as_old_mut().name;
            field[..name.len()].copy_from_slice(name.as_bytes());
            header.set_size(2);
            header.set_cksum();
            builder.append(&header, b"{}".as_slice()).unwrap();
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

    const OCI: [&str; 3] = ["oci-layout", "index.json", "blobs/sha256/aa"];
    const DOCKER: [&str; 2] = ["aa/layer.tar", "manifest.json"];

    #[test]
    fn a_compressed_archive_is_unpacked_and_told_by_what_is_in_it() {
        for pack in [gzip as fn(&[u8]) -> Vec<u8>, zstd] {
            let (oci, docker) = (archive(&OCI, pack), archive(&DOCKER, pack));
            for (file, form) in [(&oci, Form::OciArchive), (&docker, Form::Docker)] {
                let source = fitting(file.path(), Oci::Archive).unwrap();
                assert_eq!(source.form, form);
                assert_ne!(source.path, file.path());
                let mut plain = tar::Archive::new(File::open(&source.path).unwrap());
                assert!(plain.entries().unwrap().next().unwrap().is_ok());
                let path = source.path.clone();
                drop(source);
                assert!(!path.exists(), "it goes with the scan");
            }
        }
    }

    #[test]
    fn what_fits_is_given_as_it_is() {
        for (names, form) in [(&OCI[..], Form::OciArchive), (&DOCKER[..], Form::Docker)] {
            let file = archive(names, as_it_is);
            let source = fitting(file.path(), Oci::Archive).unwrap();
            assert_eq!((source.path.as_path(), source.form), (file.path(), form));
        }
    }

    #[test]
    fn a_layout_is_unfolded_for_who_takes_a_folder_and_leads_nowhere_else() {
        let names = [&OCI[..], &["../out", "/blobs/b", "blobs/../c", "other"]].concat();
        let file = archive(&names, gzip);
        let source = fitting(file.path(), Oci::Folder).unwrap();
        assert_eq!(source.form, Form::OciFolder);
        for part in OCI {
            assert!(source.path.join(part).is_file(), "{part}");
        }
        for part in ["../out", "b", "c", "other", "blobs/b"] {
            assert!(!source.path.join(part).exists(), "{part}");
        }
    }

    #[test]
    fn what_nobody_can_open_for_it_is_refused_with_the_reason() {
        let instead = "it takes what `docker save` writes";
        let file = archive(&OCI, as_it_is);
        let refused = fitting(file.path(), Oci::Refused(instead)).unwrap_err();
        assert!(matches!(refused, Unfit::Refused(why) if why == instead));
        assert!(fitting(archive(&DOCKER, as_it_is).path(), Oci::Refused(instead)).is_ok());
        // A compressed archive that ends in the middle is no image for anybody.
        let mut file = NamedTempFile::new().unwrap();
        let whole = gzip(&[7; 5000]);
        file.write_all(&whole[..whole.len() - 9]).unwrap();
        let broken = fitting(file.path(), Oci::Archive).unwrap_err();
        assert!(matches!(broken, Unfit::Unpack(ArchiveError::Truncated)));
        let none = fitting(Path::new("no/such/archive"), Oci::Archive).unwrap_err();
        assert!(matches!(none, Unfit::Unpack(ArchiveError::Source(_))));
    }
}
