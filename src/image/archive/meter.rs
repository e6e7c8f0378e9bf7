//! Counts, bounds and, where asked, hashes what is read of one uncompressed layer.

use std::io;
use std::io::BufRead;
use std::io::Read;

use sha2::Digest;
use sha2::Sha256;

use super::ArchiveError;
use super::Limit;

/// A reader that knows how much was read through it.
pub(super) struct Meter<'a> {
    inner: &'a mut dyn BufRead,
    read: u64,
    limit: Limit,
    hash: Option<Sha256>,
}

impl<'a> Meter<'a> {
    /// Reads through to `inner`, at most `limit` bytes.
    pub(super) fn new(inner: &'a mut dyn BufRead, limit: Limit, hash: bool) -> Self {
        Self {
            inner,
            read: 0,
            limit,
            hash: hash.then(Sha256::new),
        }
    }

    /// Reads what is left and returns the bytes in all, and the digest where it was asked for.
    pub(super) fn finish(mut self) -> Result<(u64, Option<String>), ArchiveError> {
        loop {
            let count = self.fill_buf()?.len();
            if count == 0 {
                break;
            }
            self.consume(count);
        }
        let digest = self.hash.map(|hash| {
            let bytes = hash.finalize();
            bytes.iter().fold(String::from("sha256:"), |text, byte| {
                format!("{text}{byte:02x}")
            })
        });
        Ok((self.read, digest))
    }
}

impl BufRead for Meter<'_> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        if self.read > self.limit.bytes {
            return Err(io::Error::other(ArchiveError::too_much(self.limit.why)));
        }
        self.inner.fill_buf()
    }

    fn consume(&mut self, count: usize) {
        self.read = self.read.saturating_add(count as u64);
        if let Some(hash) = &mut self.hash {
            // What was returned is still buffered: asking again costs nothing and cannot fail.
            if let Ok(buffer) = self.inner.fill_buf() {
                hash.update(buffer.get(..count).unwrap_or_default());
            }
        }
        self.inner.consume(count);
    }
}

impl Read for Meter<'_> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let mut buffer = self.fill_buf()?;
        let count = buffer.read(into)?;
        self.consume(count);
        Ok(count)
    }
}
