//! Packs: images in one file, for machines that have neither registry nor mirror.
//!
//! A pack is a tar that an engine could load as it is, with a list of its contents beside: which
//! image is meant for which reference, where it came from, and the checksum of every file. Nothing
//! of a pack is used before all of it was verified.

#![expect(
    clippy::disallowed_methods,
    reason = "edge: reads and writes pack files in a thread of its own"
)]

mod read;
mod write;

use std::collections::BTreeMap;
use std::collections::BTreeSet;
use std::io;
use std::os::unix::ffi::OsStrExt as _;
use std::path::Path;
use std::path::PathBuf;

use serde::Deserialize;
use serde::Serialize;
use thiserror::Error;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use crate::bases::build::STAND_IN_LABEL;
use crate::bases::catalogue::Catalogue;
use crate::bases::error::BaseError;
use crate::bases::error::is_used_up;
use crate::bases::host;
use crate::bases::pipe;
use crate::bases::progress::Phase;
use crate::bases::progress::Progress;
use crate::bases::progress::Reporter;
use crate::bases::resolve;
use crate::bases::resolve::Resolution;
use crate::bases::service::Service;
use crate::bases::service::State;
use crate::engine::EngineError;
use crate::text::Clean;
use crate::units::Bytes;

/// What a pack calls itself.
const FORMAT: &str = "loadline.pack/v1";
/// The list of contents; it comes last.
const CONTENTS: &str = "loadline-pack.json";
/// What engines read.
const MANIFEST: &str = "manifest.json";

/// A pack cannot be written or read.
#[derive(Debug, Error)]
pub enum PackError {
    /// An image to export is not on the engine.
    #[error("the base image `{0}` is not here, so it cannot be exported")]
    NotHere(String),
    /// Nothing is there to export.
    #[error("there is no base image to export")]
    Nothing,
    /// A file cannot be used.
    #[error("cannot use `{path}`")]
    File {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// The engine's archive of an image is not what it should be.
    #[error("the engine's archive of `{reference}` cannot be read")]
    Archive {
        /// The image.
        reference: String,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// It ends too early.
    #[error("the pack is cut short; nothing of it was used")]
    Truncated,
    /// It is something else.
    #[error("the file is not a pack of base images: {0}")]
    NotAPack(Clean),
    /// Its contents are not what its list says.
    #[error("the pack is damaged at `{0}`; nothing of it was used")]
    Damaged(Clean),
    /// It is for other machines.
    #[error("the pack is for {pack}, and this engine runs {engine}")]
    Platform {
        /// The pack's.
        pack: Clean,
        /// The engine's.
        engine: String,
    },
    /// It would put an image in the place of another one.
    #[error("the pack gives its `{reference}` the name `{local}`; nothing of it was used")]
    Misnamed {
        /// What it is said to be.
        reference: Clean,
        /// The reference that it would get.
        local: Clean,
    },
    /// The work was cancelled.
    #[error("cancelled")]
    Cancelled,
}

impl PackError {
    /// What to do next, where there is something.
    #[must_use]
    pub fn hint(&self) -> Option<&'static str> {
        match self {
            Self::NotHere(_) | Self::Nothing => Some(
                "`loadline bases` lists what is here; `loadline bases build` makes what is not",
            ),
            Self::Truncated | Self::Damaged(_) => {
                Some("copy the pack again from where it was made")
            }
            Self::Misnamed { .. } => {
                Some("ask whoever made the pack: `loadline bases export` writes none like it")
            }
            Self::File { source, .. } if source.kind() == io::ErrorKind::IsADirectory => {
                Some("name a file in it, and not the folder")
            }
            Self::File { source, .. } if source.kind() == io::ErrorKind::InvalidInput => {
                Some("name a new file, or an older pack")
            }
            Self::NotAPack(_) => Some("a pack is made with `loadline bases export FILE`"),
            Self::Platform { .. } => Some("make the pack on a machine of this kind"),
            Self::File { source, .. } if is_used_up(source) => {
                Some("make room there, or name a file on another disk")
            }
            Self::File { .. } => Some("check the path and its permissions"),
            Self::Archive { .. } | Self::Cancelled => None,
        }
    }
}

/// An image in a pack.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PackedImage {
    /// The vendor's reference that it stands for or is.
    pub reference: String,
    /// The reference that it gets on the engine.
    pub local: String,
    /// The digest of its config: `sha256:…`.
    pub digest: String,
    /// `linux/amd64`
    pub platform: String,
    /// `registry` for the vendor's image, otherwise what the stand-in is.
    pub source: String,
}

/// The list of a pack's contents.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Contents {
    format: String,
    images: Vec<PackedImage>,
    files: Vec<PackedFile>,
}

/// A file in a pack.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct PackedFile {
    path: String,
    size: u64,
    sha256: String,
}

impl Service {
    /// Writes images into one file; all base images that are here where `references` is empty, those
    /// that a course needs besides the catalogue's among them: `needed`, as [`Service::list`] has it.
    ///
    /// The file appears when it is whole.
    ///
    /// # Errors
    /// When an image is not here, the engine does not give it or the file cannot be written.
    pub async fn export(
        &self,
        file: &Path,
        references: &[String],
        needed: &BTreeMap<String, Vec<String>>,
        progress: mpsc::Sender<Progress>,
        cancel: CancellationToken,
    ) -> Result<Vec<PackedImage>, BaseError> {
        let report = Reporter::new(&file.to_string_lossy(), progress);
        // It would only be found out at the end, when all is written.
        let end = end_of(file).map_err(|source| failed(file, source))?;
        let images = self.exported(references, needed).await?;
        let total: Bytes = images.iter().map(|(_, _, size)| *size).sum();
        let mut pack = write::Writer::create(&end)?;
        let mut done = Bytes(0);
        for (reference, local, size) in images {
            report.at(Phase::Exporting, done, total);
            let source = self.source(&local).await?;
            let stream = self.engine().export(&local).await?;
            let (reader, feed) = pipe::reader(stream);
            let stop = cancel.clone();
            let writing = tokio::task::spawn_blocking(move || {
                let added = pack.image(&reference, &local, &source, reader, &stop);
                (pack, added)
            });
            let (written, ()) = tokio::join!(writing, feed);
            let (back, added) = written.map_err(|panic| failed(file, io::Error::other(panic)))?;
            pack = back;
            added?;
            done = done.plus(size);
        }
        let images = pack.finish()?;
        report.at(Phase::Exporting, total, total);
        Ok(images)
    }

    /// Vendor's reference, engine's reference and size of each image to export.
    async fn exported(
        &self,
        references: &[String],
        needed: &BTreeMap<String, Vec<String>>,
    ) -> Result<Vec<(String, String, Bytes)>, BaseError> {
        let listed = self.list(needed).await?;
        let here = |state: &State| match state {
            State::Vendor { local } | State::StandIn { local, .. } => Some(local.clone()),
            State::Missing { .. } => None,
        };
        if references.is_empty() {
            let all: Vec<_> = listed
                .into_iter()
                .filter_map(|one| {
                    Some((
                        one.reference,
                        here(&one.state)?,
                        one.size.unwrap_or_default(),
                    ))
                })
                .collect();
            return if all.is_empty() {
                Err(PackError::Nothing.into())
            } else {
                Ok(all)
            };
        }
        let resolved = self.resolve(references).await?;
        references
            .iter()
            .map(|reference| match resolved.get(reference) {
                Some(Resolution::Vendor { local } | Resolution::StandIn { local }) => {
                    let size = listed
                        .iter()
                        .find(|one| here(&one.state).as_ref() == Some(local));
                    let size = size.and_then(|one| one.size).unwrap_or_default();
                    Ok((reference.clone(), local.clone(), size))
                }
                _ => Err(PackError::NotHere(reference.clone()).into()),
            })
            .collect()
    }

    /// Where an image came from, in the words of a pack.
    async fn source(&self, local: &str) -> Result<String, BaseError> {
        let image = self.engine().inspect(local).await?;
        let label = image.and_then(|image| image.config.labels.get(STAND_IN_LABEL).cloned());
        Ok(label.unwrap_or_else(|| "registry".to_owned()))
    }

    /// Loads the images of a pack after all of it was verified.
    ///
    /// # Errors
    /// When the file is no pack, cut short, damaged or for another architecture, or the engine has
    /// no room. References that the failed load made are removed again.
    pub async fn import(
        &self,
        file: &Path,
        progress: mpsc::Sender<Progress>,
        cancel: CancellationToken,
    ) -> Result<Vec<PackedImage>, BaseError> {
        let report = Reporter::new(&file.to_string_lossy(), progress);
        let (path, verify, stop) = (file.to_owned(), report.clone(), cancel.clone());
        let verified =
            tokio::task::spawn_blocking(move || read::verified(&path, &verify, &stop)).await;
        let contents = verified.map_err(|panic| failed(file, io::Error::other(panic)))??;
        self.fits(&contents).await?;
        truly_named(self.catalogue(), &contents)?;
        let _lock = host::lock(self.cache(), &report, &cancel).await?;
        let before = self.tags().await?;
        let stand_ins = self.stand_ins().await?;
        let loaded = tokio::select! {
            loaded = self.load_file(file, &report) => loaded,
            () = cancel.cancelled() => Err(BaseError::Cancelled),
        };
        if let Err(error) = loaded {
            for image in contents
                .images
                .iter()
                .filter(|one| !before.contains(&one.local))
            {
                let _ = self.engine().remove_image(&image.local).await;
            }
            return Err(error);
        }
        self.forget(&stand_ins).await?;
        Ok(contents.images)
    }

    /// Whether this engine can take the images.
    async fn fits(&self, contents: &Contents) -> Result<(), BaseError> {
        let engine = format!("linux/{}", self.engine().info().architecture);
        if let Some(other) = contents
            .images
            .iter()
            .find(|image| image.platform != engine)
        {
            return Err(PackError::Platform {
                pack: Clean::line(&other.platform),
                engine,
            }
            .into());
        }
        let needed = contents
            .files
            .iter()
            .map(|file| Bytes(file.size))
            .sum::<Bytes>();
        // The engine keeps a copy of the archive while it loads.
        let needed = needed.plus(needed);
        match self.engine().free_space().await {
            Some(free) if free < needed => Err(BaseError::NoRoom {
                reference: "the pack".to_owned(),
                needed,
                free,
                place: "the engine keeps its images",
            }),
            _ => Ok(()),
        }
    }

    async fn tags(&self) -> Result<Vec<String>, EngineError> {
        let images = self.engine().images(None).await?;
        Ok(images.into_iter().flat_map(|image| image.tags).collect())
    }

    async fn load_file(&self, file: &Path, report: &Reporter) -> Result<(), BaseError> {
        let (writer, stream) = pipe::pipe();
        let (path, report) = (file.to_owned(), report.clone());
        let writing = tokio::task::spawn_blocking(move || read::send(&path, writer, &report));
        let (sent, loaded) = tokio::join!(writing, self.engine().load(stream));
        // The engine's word says more than that of a sender whose reader went away.
        loaded?;
        sent.map_err(|panic| failed(file, io::Error::other(panic)))??;
        Ok(())
    }
}

/// Where a pack for `file` is put: links stay, and what they lead to is taken the place of. Only a
/// file is: a device that somebody else needs, or a FIFO, would be gone.
fn end_of(file: &Path) -> io::Result<PathBuf> {
    if file.as_os_str().as_bytes().ends_with(b"/") {
        return Err(io::ErrorKind::IsADirectory.into());
    }
    match std::fs::metadata(file) {
        Ok(there) if there.is_dir() => return Err(io::ErrorKind::IsADirectory.into()),
        Ok(there) if !there.is_file() => {
            let why = "it is there, and is no file";
            return Err(io::Error::new(io::ErrorKind::InvalidInput, why));
        }
        // Links that lead in a circle end here, too.
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        Ok(_) | Err(_) => {}
    }
    let mut end = file.to_owned();
    while let Ok(next) = std::fs::read_link(&end) {
        end.pop();
        end.push(next);
    }
    Ok(end)
}

/// Whether each image gets the reference that it is said to stand for: a pack is no way to put
/// something else in the place of any image of this engine.
fn truly_named(catalogue: &Catalogue, contents: &Contents) -> Result<(), PackError> {
    let is_true = |image: &&PackedImage| {
        let tags = BTreeSet::from([image.local.clone()]);
        let resolved = resolve::resolve(catalogue, &image.reference, &tags, false);
        resolved.local() == Some(&image.local)
    };
    match contents.images.iter().find(|image| !is_true(image)) {
        None => Ok(()),
        Some(image) => Err(PackError::Misnamed {
            reference: Clean::line(&image.reference),
            local: Clean::line(&image.local),
        }),
    }
}

fn failed(path: &Path, source: io::Error) -> PackError {
    PackError::File {
        path: path.to_owned(),
        source,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pack_takes_the_place_of_files_only_and_leaves_links() {
        let folder = tempfile::tempdir().expect("a folder");
        let at = |name: &str| folder.path().join(name);
        let fifo = at("pipe");
        let mode = rustix::fs::Mode::RUSR;
        rustix::fs::mknodat(rustix::fs::CWD, &fifo, rustix::fs::FileType::Fifo, mode, 0)
            .expect("a FIFO");
        for no_file in [fifo.as_path(), Path::new("/dev/full")] {
            let error = end_of(no_file).expect_err("it would be gone");
            assert_eq!(error.kind(), io::ErrorKind::InvalidInput);
            let error = failed(no_file, error);
            assert!(error.hint().is_some_and(|hint| hint.contains("new file")));
        }
        let is_folder = end_of(folder.path()).expect_err("it is one");
        assert_eq!(is_folder.kind(), io::ErrorKind::IsADirectory);

        std::fs::create_dir(at("big")).expect("a folder");
        std::fs::write(at("big/real.pack"), "").expect("a file");
        let link = |to: &str, name: &str| {
            std::os::unix::fs::symlink(to, at(name)).expect("a link");
        };
        link("big/real.pack", "link.pack");
        link("link.pack", "again.pack");
        link("big/none.pack", "new.pack");
        link("circle.pack", "circle.pack");
        let end = |name: &str| end_of(&at(name));
        assert_eq!(end("again.pack").ok(), Some(at("big/real.pack")));
        assert_eq!(end("new.pack").ok(), Some(at("big/none.pack")));
        assert_eq!(end("other.pack").ok(), Some(at("other.pack")));
        assert!(end("circle.pack").is_err());
    }

    #[test]
    fn a_pack_puts_no_image_in_the_place_of_another() {
        let catalogue = Catalogue::builtin().expect("the builtin catalogue is sound");
        let named = |reference: &str, local: &str| {
            let image = PackedImage {
                reference: reference.to_owned(),
                local: local.to_owned(),
                digest: String::new(),
                platform: String::new(),
                source: String::from("registry"),
            };
            let contents = Contents {
                format: FORMAT.to_owned(),
                images: vec![image],
                files: Vec::new(),
            };
            truly_named(&catalogue, &contents).is_ok()
        };
        assert!(named("python:3.13", "loadline.local/python:3.13"));
        assert!(named("busybox", "docker.io/library/busybox:latest"));
        assert!(named("example.org/own:1", "example.org/own:1"));
        for other in [
            "example.org/postgres:16",
            "loadline.local/helper:1f588ef26723",
            "loadline.local/python:3.13",
            "busybox:musl",
        ] {
            assert!(!named("busybox", other), "{other}");
        }
    }
}
