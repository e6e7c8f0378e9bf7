//! The build context on its way to the engine, and how far it is.

use std::io;
use std::io::Read as _;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering;

use bytes::Bytes as Buffer;
use futures_util::Stream;
use futures_util::StreamExt as _;

use super::filesync::Folders;
use crate::engine::BuildError;
use crate::engine::BuildEvent;
use crate::engine::BuildRequest;
use crate::engine::ContextArchive;
use crate::engine::EngineError;
use crate::text::Clean;
use crate::text::io_cause;
use crate::units::Bytes;

/// Bytes read at once.
const CHUNK: usize = 64 * 1024;

/// A context archive that is being sent.
#[derive(Debug)]
pub(super) struct Upload {
    archive: ContextArchive,
    total: u64,
    sent: Arc<AtomicU64>,
    told: u64,
}

impl Upload {
    /// Looks at the archive.
    pub(super) fn open(archive: &ContextArchive) -> Result<Self, BuildError> {
        Ok(Self {
            archive: archive.clone(),
            total: archive.size().map_err(|error| unreadable(&error))?,
            sent: Arc::new(AtomicU64::new(0)),
            told: 0,
        })
    }

    /// The archive as a stream that counts what the engine has taken, with entries before its own.
    pub(super) fn stream(
        &self,
        before: Buffer,
    ) -> impl Stream<Item = io::Result<Buffer>> + Send + 'static {
        let sent = Arc::clone(&self.sent);
        let archive = futures_util::stream::try_unfold(self.archive.reader(), move |mut reader| {
            let sent = Arc::clone(&sent);
            async move {
                let read = tokio::task::spawn_blocking(move || {
                    let mut chunk = vec![0; CHUNK];
                    let length = reader.read(&mut chunk)?;
                    chunk.truncate(length);
                    io::Result::Ok((Buffer::from(chunk), reader))
                });
                let (chunk, reader) = read.await.map_err(io::Error::other)??;
                let length = u64::try_from(chunk.len()).unwrap_or(u64::MAX);
                sent.fetch_add(length, Ordering::Relaxed);
                Ok((!chunk.is_empty()).then_some((chunk, reader)))
            }
        });
        futures_util::stream::iter([Ok(before)]).chain(archive)
    }

    /// The context as BuildKit fetches it, which counts what the engine has taken; it is told once
    /// that it has all.
    pub(super) async fn folders(&mut self, request: &BuildRequest) -> Result<Folders, BuildError> {
        let archive = self.archive.clone();
        let path = request.dockerfile_path.clone();
        let apart = request.dockerfile_apart.clone();
        let sent = Arc::clone(&self.sent);
        let reading = tokio::task::spawn_blocking(move || {
            let apart = apart.as_ref().map(|text| (path.as_str(), text));
            Folders::of(archive, apart, sent)
        });
        let read = reading.await.map_err(io::Error::other).flatten();
        let folders = read.map_err(|error| unreadable(&error))?;
        self.total = folders.bytes();
        Ok(folders)
    }

    /// How far it is, where that changed since the last time.
    pub(super) fn progress(&mut self) -> Option<BuildEvent> {
        let sent = self.sent.load(Ordering::Relaxed);
        if self.told == sent {
            return None;
        }
        self.told = sent;
        Some(BuildEvent::Uploading {
            sent: Bytes(sent),
            total: Bytes(self.total),
        })
    }
}

/// A context that cannot be read.
pub(super) fn unreadable(error: &io::Error) -> BuildError {
    BuildError::Engine(EngineError::Refused {
        what: "read the build context",
        detail: Clean::line(&io_cause(error)),
    })
}
