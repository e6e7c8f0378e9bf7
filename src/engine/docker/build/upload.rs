//! The build context on its way to the engine, and how far it is.

use std::io;
use std::io::Read as _;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering;

use bytes::Bytes as Buffer;
use futures_util::Stream;

use crate::engine::BuildError;
use crate::engine::BuildEvent;
use crate::engine::ContextArchive;
use crate::engine::EngineError;
use crate::text::Clean;
use crate::units::Bytes;

/// Bytes read at once.
const CHUNK: usize = 64 * 1024;

/// A context archive that is being sent.
#[derive(Debug)]
pub(super) struct Upload {
    archive: ContextArchive,
    total: u64,
    sent: Arc<AtomicU64>,
    told: Option<u64>,
}

impl Upload {
    /// Looks at the archive.
    pub(super) fn open(archive: &ContextArchive) -> Result<Self, BuildError> {
        Ok(Self {
            archive: archive.clone(),
            total: archive.size().map_err(|error| unreadable(&error))?,
            sent: Arc::new(AtomicU64::new(0)),
            told: None,
        })
    }

    /// The archive as a stream that counts what the engine has taken.
    pub(super) fn stream(&self) -> impl Stream<Item = io::Result<Buffer>> + Send + 'static {
        let sent = Arc::clone(&self.sent);
        futures_util::stream::try_unfold(self.archive.reader(), move |mut reader| {
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
        })
    }

    /// The archive whole, where the engine's interface wants it so.
    pub(super) async fn whole(&self) -> Result<Buffer, BuildError> {
        let mut reader = self.archive.reader();
        let reading = tokio::task::spawn_blocking(move || {
            let mut bytes = Vec::new();
            reader.read_to_end(&mut bytes).map(|_| bytes)
        });
        let read = reading.await.map_err(io::Error::other).flatten();
        let bytes = read.map_err(|error| unreadable(&error))?;
        self.sent.store(self.total, Ordering::Relaxed);
        Ok(bytes.into())
    }

    /// How far it is, where that changed since the last time.
    pub(super) fn progress(&mut self) -> Option<BuildEvent> {
        let sent = self.sent.load(Ordering::Relaxed);
        if self.told == Some(sent) {
            return None;
        }
        self.told = Some(sent);
        Some(BuildEvent::Uploading {
            sent: Bytes(sent),
            total: Bytes(self.total),
        })
    }
}

fn unreadable(error: &io::Error) -> BuildError {
    BuildError::Engine(EngineError::Refused {
        what: "read the build context",
        detail: Clean::line(&error.to_string()),
    })
}
