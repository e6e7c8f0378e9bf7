//! The build context on its way to the engine, and how far it is.

use std::io;
use std::path::Path;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering;

use bytes::Bytes as Buffer;
use futures_util::Stream;
use futures_util::StreamExt;
use tokio_util::io::ReaderStream;

use crate::engine::BuildError;
use crate::engine::BuildEvent;
use crate::engine::EngineError;
use crate::text::Clean;
use crate::units::Bytes;

/// Bytes read at once.
const CHUNK: usize = 64 * 1024;

/// A context archive that is being sent.
#[derive(Debug)]
pub(super) struct Upload {
    path: PathBuf,
    total: u64,
    sent: Arc<AtomicU64>,
    told: Option<u64>,
}

impl Upload {
    /// Looks at the archive.
    pub(super) async fn open(path: &Path) -> Result<Self, BuildError> {
        let found = tokio::fs::metadata(path)
            .await
            .map_err(|error| unreadable(&error))?;
        Ok(Self {
            path: path.to_owned(),
            total: found.len(),
            sent: Arc::new(AtomicU64::new(0)),
            told: None,
        })
    }

    /// The archive as a stream that counts what the engine has taken.
    pub(super) fn stream(&self) -> impl Stream<Item = io::Result<Buffer>> + Send + 'static {
        let path = self.path.clone();
        let sent = Arc::clone(&self.sent);
        futures_util::stream::once(tokio::fs::File::open(path)).flat_map(move |opened| {
            let sent = Arc::clone(&sent);
            match opened {
                Ok(file) => ReaderStream::with_capacity(file, CHUNK)
                    .inspect(move |chunk| {
                        if let Ok(chunk) = chunk {
                            let length = u64::try_from(chunk.len()).unwrap_or(u64::MAX);
                            sent.fetch_add(length, Ordering::Relaxed);
                        }
                    })
                    .left_stream(),
                Err(error) => futures_util::stream::iter([Err(error)]).right_stream(),
            }
        })
    }

    /// The archive whole, where the engine's interface wants it so.
    pub(super) async fn whole(&self) -> Result<Buffer, BuildError> {
        let bytes = tokio::fs::read(&self.path)
            .await
            .map_err(|error| unreadable(&error))?;
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
