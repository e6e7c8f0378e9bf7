//! SHA-256 of what is read, on a thread beside the one that reads: hashing costs as much as all the
//! rest.
#![expect(
    clippy::disallowed_methods,
    reason = "the hash has a thread of its own for as long as a layer is read"
)]

use std::io;
use std::sync::mpsc;
use std::thread;

use sha2::Digest as _;
use sha2::Sha256;

use super::ArchiveError;
use crate::text::hex;

/// How much is handed over at once.
const PORTION: usize = 256 * 1024;

/// How many portions may wait.
const WAITING: usize = 4;

/// A digest in the making.
pub(super) struct Digester {
    /// What is not handed over yet.
    portion: Vec<u8>,
    /// The thread, once there is enough for one.
    beside: Option<Beside>,
}

struct Beside {
    to: mpsc::SyncSender<Vec<u8>>,
    /// Emptied portions, to be filled again.
    back: mpsc::Receiver<Vec<u8>>,
    thread: thread::JoinHandle<Sha256>,
}

impl Digester {
    pub(super) const fn new() -> Self {
        Self {
            portion: Vec::new(),
            beside: None,
        }
    }

    pub(super) fn update(&mut self, mut bytes: &[u8]) {
        while !bytes.is_empty() {
            let room = PORTION - self.portion.len();
            let (now, later) = bytes.split_at(room.min(bytes.len()));
            self.portion.extend_from_slice(now);
            bytes = later;
            if self.portion.len() == PORTION {
                self.hand_over();
            }
        }
    }

    fn hand_over(&mut self) {
        let beside = self.beside.get_or_insert_with(Beside::start);
        let empty = beside.back.try_recv().unwrap_or_default();
        let full = std::mem::replace(&mut self.portion, empty);
        self.portion.reserve(PORTION);
        // The thread takes portions until this end is dropped.
        let _ = beside.to.send(full);
    }

    /// `sha256:` and the digest.
    pub(super) fn finish(self) -> io::Result<String> {
        let mut hash = match self.beside {
            None => Sha256::new(),
            Some(Beside { to, thread, .. }) => {
                drop(to);
                thread.join().map_err(|_panic| lost())?
            }
        };
        hash.update(&self.portion);
        Ok(text(hash))
    }
}

/// A thread that hashed is gone, which only a panic in it can bring about.
pub(super) fn lost() -> io::Error {
    let gone = io::Error::other("the thread that computes its digest is gone");
    io::Error::other(ArchiveError::Source(gone))
}

/// `sha256:` and the digest.
pub(super) fn text(hash: Sha256) -> String {
    format!("sha256:{}", hex(&hash.finalize()))
}

impl Beside {
    fn start() -> Self {
        let (to, portions) = mpsc::sync_channel::<Vec<u8>>(WAITING);
        let (emptied, back) = mpsc::channel();
        let thread = thread::spawn(move || {
            let mut hash = Sha256::new();
            for mut portion in portions {
                hash.update(&portion);
                portion.clear();
                let _ = emptied.send(portion);
            }
            hash
        });
        Self { to, back, thread }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn digest(pieces: &[&[u8]]) -> String {
        let mut digester = Digester::new();
        for piece in pieces {
            digester.update(piece);
        }
        digester.finish().unwrap()
    }

    #[test]
    fn pieces_of_any_size_give_the_digest_of_the_whole() {
        let empty = "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
        assert_eq!(digest(&[]), empty);
        let long: Vec<u8> = (0..3_000_001_u32).map(|n| n.to_le_bytes()[0]).collect();
        let whole = text(Sha256::new_with_prefix(&long));
        for size in [1000, PORTION - 1, PORTION, PORTION + 1, long.len()] {
            let pieces: Vec<&[u8]> = long.chunks(size).collect();
            assert_eq!(digest(&pieces), whole, "pieces of {size}");
        }
    }
}
