//! Reads an exported image in one pass, off the async threads.

#![expect(
    clippy::disallowed_methods,
    reason = "the pass blocks: it runs on a thread of its own"
)]

use std::io;
use std::io::Read;
use std::sync::Arc;

use bytes::Buf;
use bytes::Bytes as Buffer;
use futures_util::StreamExt;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use crate::engine::Engine;
use crate::engine::EngineError;
use crate::finding::Scan;
use crate::finding::matching;
use crate::finding::matching::Advisories;
use crate::goal::Known;
use crate::goal::Missing;
use crate::image::Contents;
use crate::image::archive;
use crate::image::archive::ArchiveError;
use crate::image::archive::Options;
use crate::image::package::inventory;
use crate::text;
use crate::text::Clean;

/// Pieces of the archive that may wait for the reader.
const PIECES_WAITING: usize = 64;

/// An image that was read, and what the advisories say of it.
#[derive(Debug)]
pub(super) struct Pass {
    /// What is in it.
    pub(super) contents: Contents,
    /// The findings, where they were asked for.
    pub(super) scan: Known<Scan>,
    /// Whether there is one truth about what is in it.
    pub(super) sight: Known<()>,
}

/// Compares the packages of an image that was read with the advisories. The pass must have noted
/// its packages.
pub(super) async fn advise(
    contents: Contents,
    sight: Known<()>,
    advisories: Known<Arc<dyn Advisories>>,
) -> Pass {
    let advisories = match advisories {
        Ok(advisories) => advisories,
        Err(missing) => {
            return Pass {
                contents,
                scan: Err(missing),
                sight,
            };
        }
    };
    let work = tokio::task::spawn_blocking(move || {
        let scan = matching::scan(&inventory(&contents), advisories.as_ref())
            .map_err(|error| Missing::because(format!("{}.", Clean::line(&error.to_string()))));
        Pass {
            contents,
            scan,
            sight,
        }
    });
    work.await.unwrap_or_else(|panicked| {
        let missing = Missing::because(format!("The packages could not be compared: {panicked}."));
        Pass {
            contents: Contents::default(),
            scan: Err(missing.clone()),
            sight: Err(missing),
        }
    })
}

/// Exports `image` and reads it in one pass; where all its layers are remembered, neither.
///
/// # Errors
/// When the engine fails, when it was cancelled, or when the archive cannot be read.
pub async fn read_image(
    engine: Arc<dyn Engine>,
    image: String,
    options: Options,
    cancel: CancellationToken,
) -> Result<Contents, EngineError> {
    let options = Arc::new(Options {
        trusted: true,
        ..options
    });
    // Also where nothing is remembered: an image without layers needs no export.
    let recalled = recall(engine.as_ref(), &image, &options);
    let recalled = tokio::select! {
        biased;
        () = cancel.cancelled() => return Err(EngineError::Cancelled),
        recalled = recalled => recalled,
    };
    if let Some(contents) = recalled {
        return Ok(contents);
    }
    // An engine may put the whole image together before its first byte comes.
    let mut export = tokio::select! {
        biased;
        () = cancel.cancelled() => return Err(EngineError::Cancelled),
        export = engine.export(&image) => export?,
    };
    let (sender, receiver) = mpsc::channel(PIECES_WAITING);
    let reader = tokio::task::spawn_blocking(move || {
        let pieces = Pieces {
            receiver,
            current: Buffer::new(),
        };
        archive::read(pieces, &options)
    });
    let pump = async {
        while let Some(piece) = export.next().await {
            if sender.send(piece).await.is_err() {
                break;
            }
        }
        drop(sender);
    };
    tokio::select! {
        biased;
        () = cancel.cancelled() => return Err(EngineError::Cancelled),
        () = pump => {}
    }
    match reader.await {
        Ok(Ok(contents)) => Ok(contents),
        Ok(Err(ArchiveError::Source(error))) => Err(EngineError::Gone {
            detail: Clean::line(&text::cause(&error)),
        }),
        Ok(Err(error)) => Err(refused(&error)),
        Err(panicked) => Err(refused(&panicked)),
    }
}

/// The image as its layers are remembered, without an export; `None` where one of them is not.
pub(super) async fn recall_image(
    engine: &dyn Engine,
    image: &str,
    options: Options,
) -> Option<Contents> {
    let options = Arc::new(Options {
        trusted: true,
        ..options
    });
    recall(engine, image, &options).await
}

/// The image as its layers are remembered; whatever the engine cannot say, the export will.
async fn recall(engine: &dyn Engine, image: &str, options: &Arc<Options>) -> Option<Contents> {
    let summary = engine.inspect(image).await.ok()??;
    let options = Arc::clone(options);
    tokio::task::spawn_blocking(move || archive::recall(&summary, &options))
        .await
        .ok()?
}

fn refused(error: &dyn std::fmt::Display) -> EngineError {
    EngineError::Refused {
        what: "read the exported image",
        detail: Clean::line(&error.to_string()),
    }
}

/// A stream's pieces as a reader for a blocking thread.
struct Pieces {
    receiver: mpsc::Receiver<io::Result<Buffer>>,
    current: Buffer,
}

impl Read for Pieces {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        while !self.current.has_remaining() {
            match self.receiver.blocking_recv() {
                Some(piece) => self.current = piece?,
                None => return Ok(0),
            }
        }
        let count = self.current.remaining().min(into.len());
        self.current
            .copy_to_slice(into.get_mut(..count).unwrap_or_default());
        Ok(count)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::attempt::fake::Building;
    use crate::attempt::fake::Fake;
    use crate::attempt::fake::Memory;
    use crate::attempt::fake::exported;

    #[tokio::test]
    async fn an_image_whose_layers_are_remembered_is_not_exported() {
        let options = Options {
            trusted: true,
            facts: Some(Arc::new(Memory::default())),
            ..Options::default()
        };
        let fake = Arc::new(Fake::new(Building::Well));
        let read = || {
            let image = String::from("sha256:built");
            read_image(
                fake.clone(),
                image,
                options.clone(),
                CancellationToken::new(),
            )
        };
        assert!(read().await.is_err(), "the fake's export is empty");
        assert!(fake.was_asked("export"));
        archive::read(exported().as_slice(), &options).unwrap();
        fake.asked.lock().unwrap().clear();
        let contents = read().await.unwrap();
        assert_eq!(contents.layers[0].shipped, crate::units::Bytes(5));
        assert_eq!(contents.history.len(), 1);
        assert!(!fake.was_asked("export"));
    }

    #[test]
    fn pieces_are_read_as_one_text() {
        let (sender, receiver) = mpsc::channel(4);
        for piece in ["one ", "", "two"] {
            sender.blocking_send(Ok(Buffer::from(piece))).unwrap();
        }
        drop(sender);
        let mut pieces = Pieces {
            receiver,
            current: Buffer::new(),
        };
        let mut text = String::new();
        pieces.read_to_string(&mut text).unwrap();
        assert_eq!(text, "one two");
    }

    #[test]
    fn a_broken_stream_breaks_the_reader() {
        let (sender, receiver) = mpsc::channel(4);
        sender
            .blocking_send(Err(io::Error::from(io::ErrorKind::ConnectionReset)))
            .unwrap();
        let mut pieces = Pieces {
            receiver,
            current: Buffer::new(),
        };
        let kind = pieces.read(&mut [0; 8]).unwrap_err().kind();
        assert_eq!(kind, io::ErrorKind::ConnectionReset);
    }
}
