//! Counts, bounds and, where asked, hashes what is read.

use std::cell::Cell;
use std::io;
use std::io::BufRead;
use std::io::Read;
use std::rc::Rc;

use super::ArchiveError;
use super::ahead::Promise;
use super::budget::Limit;
use super::digest::Digester;

/// A reader of one layer that knows how much was read through it.
pub(super) struct Meter<'a> {
    inner: &'a mut dyn BufRead,
    read: u64,
    limit: Limit,
    hashing: Hashing<'a>,
}

/// Who computes the digest of what is read.
pub(super) enum Hashing<'a> {
    /// Nobody.
    No,
    /// Whoever reads.
    Here(Digester),
    /// Somebody who reads the same elsewhere.
    Elsewhere(Promise<'a>),
}

impl<'a> Hashing<'a> {
    /// Here, where it is `wanted` and nobody has promised it.
    pub(super) fn new(wanted: bool, promised: Option<Promise<'a>>) -> Self {
        match promised {
            Some(promise) if wanted => Self::Elsewhere(promise),
            None if wanted => Self::Here(Digester::new()),
            _ => Self::No,
        }
    }
}

impl<'a> Meter<'a> {
    /// Reads through to `inner`, at most `limit` bytes.
    pub(super) fn new(inner: &'a mut dyn BufRead, limit: Limit, hashing: Hashing<'a>) -> Self {
        Self {
            inner,
            read: 0,
            limit,
            hashing,
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
        let digest = match self.hashing {
            Hashing::No => None,
            Hashing::Here(digester) => Some(digester.finish()?),
            Hashing::Elsewhere(promise) => Some(promise.wait()?),
        };
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
        if let Hashing::Here(digester) = &mut self.hashing {
            // What was returned is still buffered: asking again costs nothing and cannot fail.
            if let Ok(buffer) = self.inner.fill_buf() {
                digester.update(buffer.get(..count).unwrap_or_default());
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

/// A source that counts what is taken from it.
pub(super) struct Counted<R> {
    inner: R,
    taken: Rc<Cell<u64>>,
}

impl<R> Counted<R> {
    /// The source and its counter.
    pub(super) fn new(inner: R) -> (Self, Rc<Cell<u64>>) {
        let taken = Rc::new(Cell::new(0));
        let counted = Self {
            inner,
            taken: Rc::clone(&taken),
        };
        (counted, taken)
    }
}

impl<R: BufRead> BufRead for Counted<R> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        self.inner.fill_buf()
    }

    fn consume(&mut self, count: usize) {
        self.taken
            .set(self.taken.get().saturating_add(count as u64));
        self.inner.consume(count);
    }
}

impl<R: BufRead> Read for Counted<R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let mut buffer = self.fill_buf()?;
        let count = buffer.read(into)?;
        self.consume(count);
        Ok(count)
    }
}

/// A whole archive that comes compressed: refused where far more comes out than went in.
pub(super) struct Expanded<R> {
    inner: R,
    given: u64,
    taken: Rc<Cell<u64>>,
    /// Bytes that may come out whatever went in.
    free: u64,
    ratio: u64,
}

impl<R> Expanded<R> {
    pub(super) const fn new(inner: R, taken: Rc<Cell<u64>>, free: u64, ratio: u64) -> Self {
        Self {
            inner,
            given: 0,
            taken,
            free,
            ratio,
        }
    }
}

impl<R: BufRead> BufRead for Expanded<R> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        if self.given > self.free && self.given / self.ratio.max(1) > self.taken.get() {
            return Err(io::Error::other(ArchiveError::too_much(
                "it is compressed so far that it may be meant to fill a disk",
            )));
        }
        self.inner.fill_buf()
    }

    fn consume(&mut self, count: usize) {
        self.given = self.given.saturating_add(count as u64);
        self.inner.consume(count);
    }
}

impl<R: BufRead> Read for Expanded<R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let mut buffer = self.fill_buf()?;
        let count = buffer.read(into)?;
        self.consume(count);
        Ok(count)
    }
}
