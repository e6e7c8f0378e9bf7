//! What the verbs about any image are given: an image of the engine, or an archive of one.

#![expect(
    clippy::disallowed_methods,
    reason = "opens the archive that was named, on a thread of its own"
)]

use std::fs::File;
use std::io;
use std::io::Read;
use std::path::Path;
use std::path::PathBuf;

use crate::attempt;
use crate::cli::CliError;
use crate::cli::interrupt::Interrupt;
use crate::cli::wiring;
use crate::image::Contents;
use crate::image::archive;
use crate::image::archive::ArchiveError;
use crate::image::archive::Options;

/// An image, wherever it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Target {
    /// An archive, as `docker save` or `podman save` writes it; `-` is standard input.
    Archive(PathBuf),
    /// A reference or id that the engine knows.
    Image(String),
}

impl Target {
    /// What a word of the command line means: a file that exists is an archive.
    pub(crate) fn of(word: &str) -> Self {
        if word == "-" || Path::new(word).is_file() {
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
                let reading = tokio::task::spawn_blocking(move || from_archive(&path, &options));
                tokio::select! {
                    biased;
                    () = interrupt.asked.cancelled() => Err(CliError::Interrupted),
                    read = reading => read
                        .unwrap_or_else(|panicked| Err(CliError::Internal(panicked.to_string()))),
                }
            }
            Self::Image(image) => {
                let (docker, _) = wiring::engine().await.map_err(wiring::no_engine)?;
                let cancel = interrupt.asked.clone();
                Ok(attempt::read_image(docker, image.clone(), options, cancel).await?)
            }
        }
    }
}

fn from_archive(path: &Path, options: &Options) -> Result<Contents, CliError> {
    let source: Box<dyn Read> = if path == Path::new("-") {
        Box::new(io::stdin().lock())
    } else {
        let file = File::open(path).map_err(|cause| unreadable(path, cause))?;
        Box::new(file)
    };
    archive::read(source, options).map_err(|error| match error {
        ArchiveError::Source(cause) => unreadable(path, cause),
        cause => CliError::Archive {
            path: path.to_owned(),
            cause,
        },
    })
}

fn unreadable(path: &Path, cause: io::Error) -> CliError {
    CliError::Unreadable {
        what: "the archive",
        path: path.to_owned(),
        cause,
    }
}
