//! What the verbs about any image are given: an image of the engine, an archive of one, or the
//! folder of an OCI layout.

#![expect(
    clippy::disallowed_methods,
    reason = "opens the archive or folder that was named, on a thread of its own"
)]

use std::fs::File;
use std::io;
use std::io::Read;
use std::io::StdinLock;
use std::io::Write as _;
use std::path::Component;
use std::path::Path;
use std::path::PathBuf;

use futures_util::StreamExt as _;
use tempfile::NamedTempFile;
use tempfile::TempPath;

use crate::attempt;
use crate::cli::CliError;
use crate::cli::input;
use crate::cli::interrupt::Interrupt;
use crate::cli::wiring;
use crate::engine::Engine as _;
use crate::engine::EngineError;
use crate::image::Contents;
use crate::image::archive;
use crate::image::archive::ArchiveError;
use crate::image::archive::Opened;
use crate::image::archive::Options;
use crate::image::archive::PackError;
use crate::text::Clean;
use crate::text::io_cause;

/// An image, wherever it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Target {
    /// An archive, as `docker save` or `podman save` writes it, compressed or not; `-` is standard
    /// input.
    Archive(PathBuf),
    /// The folder of an OCI layout, or of an unpacked archive.
    Folder(PathBuf),
    /// A reference or id that the engine knows.
    Image(String),
}

impl Target {
    /// What a word of the command line means: a file that exists is an archive, a folder with an
    /// image's index in it is an image, and what looks like a path is no reference.
    pub(crate) fn of(word: &str) -> Self {
        let path = Path::new(word);
        let is_path = matches!(word, "." | "..")
            || ["/", "./", "../"]
                .iter()
                .any(|start| word.starts_with(start));
        let has_index = ["index.json", "manifest.json"]
            .iter()
            .any(|name| path.join(name).is_file());
        if word == "-" || path.is_file() {
            Self::Archive(PathBuf::from(word))
        } else if has_index || (is_path && path.is_dir()) {
            Self::Folder(PathBuf::from(word))
        } else if is_path || (path.exists() && !path.is_dir()) {
            // A pipe, a device, or nothing: opening it will tell.
            Self::Archive(PathBuf::from(word))
        } else {
            Self::Image(word.to_owned())
        }
    }

    /// Reads it in one pass.
    ///
    /// # Errors
    /// When it is not there, cannot be read, or is not an image.
    pub(crate) async fn read(
        &self,
        options: Options,
        interrupt: &Interrupt,
    ) -> Result<Contents, CliError> {
        match self {
            Self::Archive(path) => {
                let path = path.clone();
                aside(interrupt, move || from_archive(&path, options)).await
            }
            Self::Folder(path) => {
                let path = path.clone();
                aside(interrupt, move || from_folder(&path, options)).await
            }
            Self::Image(image) => {
                let (docker, _) = wiring::ready(interrupt).await?;
                let cancel = interrupt.asked.clone();
                Ok(attempt::read_image(docker, image.clone(), options, cancel).await?)
            }
        }
    }
}

impl Target {
    /// An archive of it on disk by its whole path, and the temporary file that it may be, which goes
    /// with what is returned.
    ///
    /// # Errors
    /// When it cannot be read, or the file cannot be written.
    pub(crate) async fn on_disk(
        self,
        interrupt: &Interrupt,
    ) -> Result<(PathBuf, Option<TempPath>), CliError> {
        match self {
            // A scanner starts in a folder of its own, where a relative path means something else.
            Self::Archive(path) if path.is_file() => match std::path::absolute(&path) {
                Ok(whole) => Ok((whole, None)),
                Err(cause) => Err(unreadable("the archive", &path, cause)),
            },
            target => {
                let kept = target.save(interrupt).await?;
                Ok((kept.to_path_buf(), Some(kept)))
            }
        }
    }

    /// Writes it as an archive to a temporary file, which goes with the path that is returned.
    ///
    /// # Errors
    /// When it cannot be read, or the file cannot be written.
    async fn save(&self, interrupt: &Interrupt) -> Result<TempPath, CliError> {
        let file = tempfile::Builder::new()
            .prefix("loadline-")
            .suffix(".tar")
            .tempfile()
            .map_err(no_copy)?;
        interrupt.ends(Box::pin(self.save_into(file))).await?
    }

    async fn save_into(&self, file: NamedTempFile) -> Result<TempPath, CliError> {
        let image = match self {
            Self::Archive(path) => return copy(path.clone(), file).await,
            Self::Folder(path) => {
                let path = path.clone();
                return wiring::blocking(move || pack(&path, file)).await?;
            }
            Self::Image(image) => image,
        };
        let (docker, _) = wiring::engine().await.map_err(wiring::no_engine)?;
        let (mut file, kept) = file.into_parts();
        let mut export = docker.export(image).await?;
        while let Some(piece) = export.next().await {
            let piece = piece.map_err(|error| EngineError::Gone {
                detail: Clean::line(&io_cause(&error)),
            })?;
            file.write_all(&piece).map_err(no_copy)?;
        }
        Ok(kept)
    }
}

fn no_copy(cause: io::Error) -> CliError {
    let folder = std::env::temp_dir();
    CliError::NoCopy { folder, cause }
}

async fn copy(from: PathBuf, to: NamedTempFile) -> Result<TempPath, CliError> {
    wiring::blocking(move || {
        let (mut file, kept) = to.into_parts();
        let mut source = source(&from)?;
        let mut piece = vec![0; 1 << 16];
        loop {
            let read = source.read(&mut piece);
            match read.map_err(|cause| unreadable("the archive", &from, cause))? {
                0 => return Ok(kept),
                count => {
                    let read = piece.get(..count).unwrap_or_default();
                    file.write_all(read).map_err(no_copy)?;
                }
            }
        }
    })
    .await?
}

/// Writes the image of a folder as an archive that every scanner opens, with its own parts alone.
fn pack(path: &Path, to: NamedTempFile) -> Result<TempPath, CliError> {
    let root = root(path)?;
    let (file, kept) = to.into_parts();
    let packed = archive::pack(|part| open(&root, part), &checked(Options::default()), file);
    packed.map_err(|error| match error {
        PackError::Read(error) => told("the folder", path, error),
        PackError::Write(cause) => no_copy(cause),
    })?;
    Ok(kept)
}

/// Where an archive comes from.
enum Source {
    File(File),
    Input(StdinLock<'static>),
}

impl Read for Source {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::File(file) => file.read(into),
            Self::Input(input) => input.read(into),
        }
    }
}

/// The archive, or standard input.
fn source(path: &Path) -> Result<Source, CliError> {
    if path == Path::new("-") {
        return Ok(Source::Input(io::stdin().lock()));
    }
    let file = input::open(path).map_err(|cause| unreadable("the archive", path, cause))?;
    Ok(Source::File(file))
}

/// Reads on a thread of its own.
async fn aside(
    interrupt: &Interrupt,
    read: impl FnOnce() -> Result<Contents, CliError> + Send + 'static,
) -> Result<Contents, CliError> {
    interrupt.ends(wiring::blocking(read)).await??
}

/// Nobody answers for an archive's digests: they are computed, which costs a second core and no
/// time. Of several platforms, this machine's is meant.
fn checked(options: Options) -> Options {
    Options {
        verify: true,
        trusted: false,
        ..options.here()
    }
}

fn from_archive(path: &Path, options: Options) -> Result<Contents, CliError> {
    let options = checked(options);
    let read = match source(path)? {
        Source::File(file) => archive::read_file(file, &options),
        Source::Input(input) => archive::read(input, &options),
    };
    read.map_err(|error| told("the archive", path, error))
}

/// A folder without links on the way to it.
fn root(path: &Path) -> Result<PathBuf, CliError> {
    path.canonicalize()
        .map_err(|cause| unreadable("the folder", path, cause))
}

fn from_folder(path: &Path, options: Options) -> Result<Contents, CliError> {
    let root = root(path)?;
    archive::read_folder(|part| open(&root, part), &checked(options))
        .map_err(|error| told("the folder", path, error))
}

/// Opens a file of an image's folder. Whatever its documents name, nothing outside of the folder
/// is opened, and nothing but regular files.
fn open(root: &Path, part: &str) -> io::Result<Opened> {
    let inside = |component| matches!(component, Component::Normal(_));
    if !Path::new(part).components().all(inside) {
        return Ok(None);
    }
    let path = match root.join(part).canonicalize() {
        Ok(path) => path,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error),
    };
    if !path.starts_with(root) || !path.is_file() {
        return Ok(None);
    }
    let file = File::open(path)?;
    let length = file.metadata()?.len();
    Ok(Some((Box::new(file), length)))
}

fn told(what: &'static str, path: &Path, error: ArchiveError) -> CliError {
    match error {
        ArchiveError::Source(cause) => unreadable(what, path, cause),
        cause => CliError::Archive {
            path: path.to_owned(),
            cause,
        },
    }
}

fn unreadable(what: &'static str, path: &Path, cause: io::Error) -> CliError {
    CliError::Unreadable {
        what,
        path: path.to_owned(),
        cause,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_is_a_file_a_folder_or_an_image() {
        let folder = tempfile::tempdir().unwrap();
        let place = |name: &str| folder.path().join(name).display().to_string();
        std::fs::write(place("app.tar"), "").unwrap();
        std::fs::create_dir(place("layout")).unwrap();
        std::fs::write(place("layout/index.json"), "{}").unwrap();
        let archive = |word: &str| Target::Archive(PathBuf::from(word));
        assert_eq!(Target::of("-"), archive("-"));
        assert_eq!(Target::of(&place("app.tar")), archive(&place("app.tar")));
        assert_eq!(
            Target::of(&place("layout")),
            Target::Folder(place("layout").into())
        );
        assert_eq!(Target::of("./no.tar"), archive("./no.tar"));
        for folder in [".", ".."] {
            assert_eq!(Target::of(folder), Target::Folder(PathBuf::from(folder)));
        }
        assert_eq!(Target::of("/dev/zero"), archive("/dev/zero"));
        for image in ["app", "app:latest", "loadline.local/a/b:1", "sha256:00"] {
            assert_eq!(Target::of(image), Target::Image(image.to_owned()));
        }
    }

    #[tokio::test]
    async fn what_cannot_be_copied_for_a_scanner_is_told_as_that() {
        let folder = tempfile::tempdir().unwrap();
        let from = folder.path().join("app.tar");
        std::fs::write(&from, "text").unwrap();
        let full = || {
            let file = File::options().write(true).open("/dev/full").unwrap();
            let mut kept = NamedTempFile::new().unwrap();
            *kept.as_file_mut() = file;
            kept
        };
        let refused = copy(from.clone(), full()).await.unwrap_err();
        assert!(matches!(refused, CliError::NoCopy { .. }), "{refused:?}");
        assert_eq!(refused.exit(), crate::cli::Exit::NotJudged);
        // Not what it is written to.
        std::fs::remove_file(&from).unwrap();
        let gone = copy(from, full()).await.unwrap_err();
        assert!(matches!(gone, CliError::Unreadable { .. }), "{gone:?}");
        let kept = copy(PathBuf::from("/dev/null"), full()).await;
        assert!(matches!(kept, Err(CliError::Unreadable { .. })), "{kept:?}");
    }

    #[test]
    fn the_image_of_a_folder_is_packed_without_what_lies_beside_it() {
        let folder = tempfile::tempdir().unwrap();
        let write = |name: &str, text: &str| {
            let path = folder.path().join(name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        };
        write("index.json", r#"{"manifests": [{"digest": "sha256:aa"}]}"#);
        let manifest =
            r#"{"config": {"digest": "sha256:cc"}, "layers": [{"digest": "sha256:ll"}]}"#;
        write("blobs/sha256/aa", manifest);
        write("blobs/sha256/cc", "{}");
        write("blobs/sha256/of-another-image", "x");
        let packed = || pack(folder.path(), NamedTempFile::new().unwrap());
        let missing = format!("{:?}", packed().unwrap_err());
        assert!(missing.contains("blobs/sha256/ll"), "{missing}");
        write("blobs/sha256/ll", "layer");
        let kept = packed().unwrap();
        let mut archive = tar::Archive::new(File::open(&kept).unwrap());
        let names: Vec<String> = archive
            .entries()
            .unwrap()
            .map(|entry| entry.unwrap().path().unwrap().display().to_string())
            .collect();
        assert_eq!(
            names,
            ["manifest.json", "blobs/sha256/cc", "blobs/sha256/ll"]
        );
    }

    #[test]
    fn nothing_outside_of_a_folder_is_opened() {
        let outside = tempfile::tempdir().unwrap();
        std::fs::write(outside.path().join("secret"), "s").unwrap();
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().canonicalize().unwrap();
        std::fs::write(root.join("blob"), "b").unwrap();
        std::os::unix::fs::symlink(root.join("blob"), root.join("inner")).unwrap();
        let target = outside.path().join("secret");
        std::os::unix::fs::symlink(&target, root.join("outer")).unwrap();
        let opens = |part: &str| open(&root, part).unwrap().is_some();
        assert!(opens("blob") && opens("inner"));
        let absolute = target.display().to_string();
        for part in [
            "outer",
            "../blob",
            "",
            ".",
            absolute.as_str(),
            "none",
            "a/../blob",
        ] {
            assert!(!opens(part), "{part}");
        }
    }
}
