//! From a thread that writes to an engine that reads: an archive is never whole in memory or on
//! disk.

use std::io;
use std::io::Read;
use std::io::Write;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering;

use bytes::Bytes;
use futures_util::StreamExt;
use tokio::sync::mpsc;

use crate::engine::ByteStream;

/// Bytes that are sent at once.
const CHUNK: usize = 256 * 1024;
/// Chunks that wait for the reader.
const AHEAD: usize = 16;

/// The writing end; used from a thread that may block.
pub(super) struct PipeWriter {
    to: mpsc::Sender<Bytes>,
    buffer: Vec<u8>,
    /// The reader looks at it once nothing more comes.
    whole: Arc<AtomicBool>,
}

/// A pipe: what is written comes out of the stream. A writer that goes away without
/// [`PipeWriter::finish`] makes the stream end with an error, so that half an archive is never
/// taken for a whole one.
#[must_use]
pub(super) fn pipe() -> (PipeWriter, ByteStream) {
    let (to, from) = mpsc::channel(AHEAD);
    let writer = PipeWriter {
        to,
        buffer: Vec::with_capacity(CHUNK),
        whole: Arc::default(),
    };
    let whole = Arc::clone(&writer.whole);
    let stream = futures_util::stream::unfold(Some((from, whole)), |open| async move {
        let (mut from, whole) = open?;
        match from.recv().await {
            Some(chunk) => Some((Ok(chunk), Some((from, whole)))),
            None if whole.load(Ordering::Acquire) => None,
            None => {
                let kind = io::ErrorKind::UnexpectedEof;
                let cut = io::Error::new(kind, "the archive was not finished");
                Some((Err(cut), None))
            }
        }
    });
    (writer, stream.boxed())
}

impl PipeWriter {
    /// Ends the stream.
    ///
    /// # Errors
    /// When the reader is gone.
    pub(super) fn finish(mut self) -> io::Result<()> {
        self.send()?;
        self.whole.store(true, Ordering::Release);
        Ok(())
    }

    fn send(&mut self) -> io::Result<()> {
        if self.buffer.is_empty() {
            return Ok(());
        }
        let full = std::mem::replace(&mut self.buffer, Vec::with_capacity(CHUNK));
        let gone = |_gone| io::Error::new(io::ErrorKind::BrokenPipe, "the reader is gone");
        self.to.blocking_send(Bytes::from(full)).map_err(gone)
    }
}

impl Write for PipeWriter {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let room = CHUNK - self.buffer.len();
        let taken = bytes.get(..room.min(bytes.len())).unwrap_or(bytes);
        self.buffer.extend_from_slice(taken);
        if self.buffer.len() >= CHUNK {
            self.send()?;
        }
        Ok(taken.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// The reading end for a thread that may block, of bytes that an engine sends.
pub(super) struct PipeReader {
    from: mpsc::Receiver<io::Result<Bytes>>,
    chunk: Bytes,
}

/// A reader for a thread, and the work that feeds it; the work ends with the stream or the reader.
pub(super) fn reader(mut stream: ByteStream) -> (PipeReader, impl Future<Output = ()> + Send) {
    let (to, from) = mpsc::channel(AHEAD);
    let feed = async move {
        while let Some(chunk) = stream.next().await {
            if to.send(chunk).await.is_err() {
                return;
            }
        }
    };
    let chunk = Bytes::new();
    (PipeReader { from, chunk }, feed)
}

impl Read for PipeReader {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        while self.chunk.is_empty() {
            match self.from.blocking_recv() {
                Some(chunk) => self.chunk = chunk?,
                None => return Ok(0),
            }
        }
        let taken = self.chunk.split_to(into.len().min(self.chunk.len()));
        if let Some(room) = into.get_mut(..taken.len()) {
            room.copy_from_slice(&taken);
        }
        Ok(taken.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(write: impl FnOnce(PipeWriter) + Send) -> (usize, bool) {
        let (writer, mut stream) = pipe();
        std::thread::scope(|scope| {
            scope.spawn(|| write(writer));
            let runtime = tokio::runtime::Builder::new_current_thread()
                .build()
                .expect("a runtime");
            runtime.block_on(async {
                let mut size = 0;
                while let Some(chunk) = stream.next().await {
                    match chunk {
                        Ok(chunk) => size += chunk.len(),
                        Err(_) => return (size, false),
                    }
                }
                (size, true)
            })
        })
    }

    #[test]
    fn what_is_written_comes_out() {
        let bytes = vec![7; CHUNK * 40 + 3];
        let out = read(|mut writer| {
            writer.write_all(&bytes).expect("there is a reader");
            writer.finish().expect("there is a reader");
        });
        assert_eq!(out, (CHUNK * 40 + 3, true));
    }

    #[test]
    fn half_an_archive_ends_with_an_error() {
        let out = read(|mut writer| {
            writer.write_all(&[7; CHUNK]).expect("there is a reader");
        });
        assert_eq!(out, (CHUNK, false));
    }

    #[test]
    fn half_an_archive_that_the_reader_is_behind_of_ends_with_an_error() {
        let (mut writer, stream) = pipe();
        let most = vec![7; CHUNK * AHEAD];
        writer.write_all(&most).expect("it waits for the reader");
        drop(writer);
        let read = futures_util::FutureExt::now_or_never(stream.collect::<Vec<_>>());
        let read = read.expect("it has ended");
        assert_eq!(read.len(), AHEAD + 1);
        assert!(read.last().is_some_and(io::Result::is_err));
    }

    #[test]
    fn a_reader_that_goes_away_stops_the_writer() {
        let (mut writer, stream) = pipe();
        drop(stream);
        let error = writer.write_all(&[0; CHUNK * 2]).expect_err("nobody reads");
        assert_eq!(error.kind(), io::ErrorKind::BrokenPipe);
    }
}
