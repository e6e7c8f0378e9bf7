//! Hashes the layers of a file from its last one while the file is read from its first.
//!
//! One layer can only be hashed from its beginning to its end, and a pass spends most of its time
//! waiting for that; but no layer has to wait for another one. Whoever comes to a layer first
//! hashes it.
#![expect(
    clippy::disallowed_methods,
    reason = "the layers behind are hashed by a thread of their own"
)]

use std::fs::File;
use std::io;
use std::io::BufRead as _;
use std::io::Read;
use std::os::unix::fs::FileExt as _;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering;
use std::sync::mpsc;
use std::thread;

use sha2::Digest as _;
use sha2::Sha256;
use tar::Header;

use super::ArchiveError;
use super::CHUNK;
use super::digest;
use super::members;
use super::paged::Paged;

/// Smaller layers are not worth the trouble.
const WORTHWHILE: u64 = 1024 * 1024;

/// How many members of a file are looked at: more than any image has parts.
const MEMBERS: usize = 4096;

/// Layers of one file, hashed beside the pass that reads it. Dropping it ends that.
pub(super) struct Ahead {
    places: Vec<Place>,
    ended: Arc<AtomicBool>,
}

/// A layer that may be hashed beside the pass.
struct Place {
    span: Span,
    /// Set by whoever hashes it.
    taken: Arc<AtomicBool>,
    digest: mpsc::Receiver<io::Result<String>>,
}

/// Bytes of the file: from where, and how many.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Span {
    at: u64,
    size: u64,
}

/// The same layer as the thread has it.
struct Job {
    span: Span,
    taken: Arc<AtomicBool>,
    tell: mpsc::SyncSender<io::Result<String>>,
}

/// The digest of a layer that is hashed elsewhere.
pub(super) struct Promise<'a>(&'a mpsc::Receiver<io::Result<String>>);

impl Ahead {
    /// Starts on the layers of a file that are not compressed.
    pub(super) fn of(file: &Arc<File>) -> Self {
        let spans = layers(file);
        let ended = Arc::new(AtomicBool::new(false));
        let mut places = Vec::with_capacity(spans.len());
        let mut jobs = Vec::with_capacity(spans.len());
        for span in spans {
            let taken = Arc::new(AtomicBool::new(false));
            let (tell, digest) = mpsc::sync_channel(1);
            places.push(Place {
                span,
                taken: Arc::clone(&taken),
                digest,
            });
            jobs.push(Job { span, taken, tell });
        }
        // The first one is the pass's own.
        if jobs.len() > 1 {
            let (file, ended) = (Arc::clone(file), Arc::clone(&ended));
            thread::spawn(move || work(&file, jobs, &ended));
        }
        Self { places, ended }
    }

    /// The digest of these bytes, where it is worked out already or just now; where it is not, it
    /// is the caller's to work out.
    pub(super) fn promise(&self, at: u64, size: u64) -> Option<Promise<'_>> {
        let wanted = Span { at, size };
        let place = self.places.iter().find(|place| place.span == wanted)?;
        let taken = place.taken.swap(true, Ordering::Relaxed);
        taken.then_some(Promise(&place.digest))
    }
}

impl Drop for Ahead {
    fn drop(&mut self) {
        self.ended.store(true, Ordering::Relaxed);
    }
}

impl Promise<'_> {
    /// Waits for it.
    pub(super) fn wait(self) -> Result<String, ArchiveError> {
        match self.0.recv() {
            Ok(told) => Ok(told?),
            Err(mpsc::RecvError) => Err(digest::lost().into()),
        }
    }
}

fn work(file: &File, mut jobs: Vec<Job>, ended: &AtomicBool) {
    while let Some(job) = jobs.pop() {
        if job.taken.swap(true, Ordering::Relaxed) {
            continue;
        }
        let Some(digest) = hash(file, job.span, ended).transpose() else {
            return;
        };
        let _ = job.tell.send(digest);
    }
}

/// The digest of a part of the file; `None` where nobody waits for it any more.
fn hash(file: &File, span: Span, ended: &AtomicBool) -> io::Result<Option<String>> {
    let mut hash = Sha256::new();
    let mut stretch = Paged::new(CHUNK, Stretch { file, left: span });
    loop {
        let piece = stretch.fill_buf()?;
        if piece.is_empty() {
            return Ok(Some(digest::text(hash)));
        }
        if ended.load(Ordering::Relaxed) {
            return Ok(None);
        }
        hash.update(piece);
        let count = piece.len();
        stretch.consume(count);
    }
}

/// Reads a part of a file and moves nobody's place in it.
struct Stretch<'a> {
    file: &'a File,
    left: Span,
}

impl Read for Stretch<'_> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let most = usize::try_from(self.left.size).unwrap_or(usize::MAX);
        let room = into.len().min(most);
        let count = self
            .file
            .read_at(into.get_mut(..room).unwrap_or_default(), self.left.at)?;
        if count == 0 && room > 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        self.left.at += count as u64;
        self.left.size -= count as u64;
        Ok(count)
    }
}

/// Where the layers of the file are, in its order. Whatever is odd ends the search: the pass has
/// its own eyes, and hashes itself what is not found here.
fn layers(file: &File) -> Vec<Span> {
    let mut found = Vec::new();
    let mut at = 0;
    for _ in 0..MEMBERS {
        let Some(header) = block(file, at).filter(|block| members::has_checksum(block)) else {
            break;
        };
        let Ok(size) = Header::from_byte_slice(&header).entry_size() else {
            break;
        };
        let span = Span {
            at: at + members::BLOCK,
            size,
        };
        let first = || block(file, span.at);
        if size >= WORTHWHILE && first().is_some_and(|first| members::looks_like_tar(&first)) {
            found.push(span);
        }
        let Some(next) = span.at.checked_add(size) else {
            break;
        };
        at = next.saturating_add(members::padding(size));
    }
    found
}

fn block(file: &File, at: u64) -> Option<[u8; 512]> {
    let mut block = [0; 512];
    file.read_exact_at(&mut block, at).ok()?;
    Some(block)
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use super::*;

    /// An archive with these members.
    fn file(members: &[(&str, &[u8])]) -> Arc<File> {
        let mut builder = tar::Builder::new(Vec::new());
        for (name, bytes) in members {
            let mut header = Header::new_gnu();
            header.set_size(bytes.len() as u64);
            builder.append_data(&mut header, name, *bytes).unwrap();
        }
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(&builder.into_inner().unwrap()).unwrap();
        Arc::new(file)
    }

    /// A layer with one file of so many bytes.
    fn layer(size: usize) -> Vec<u8> {
        let mut builder = tar::Builder::new(Vec::new());
        let mut header = Header::new_gnu();
        header.set_size(size as u64);
        let bytes = vec![7; size];
        builder
            .append_data(&mut header, "f", bytes.as_slice())
            .unwrap();
        builder.into_inner().unwrap()
    }

    fn digest_of(bytes: &[u8]) -> String {
        digest::text(Sha256::new_with_prefix(bytes))
    }

    #[test]
    fn each_layer_is_hashed_once_by_whoever_comes_first() {
        let (one, two, three) = (layer(2_000_000), layer(1_500_001), layer(3_000_000));
        let long = "a/".repeat(80);
        let file = file(&[
            ("one/layer.tar", &one),
            ("small.json", b"{}"),
            (&format!("{long}layer.tar"), &two),
            ("noise", &vec![1; 2_000_000]),
            ("three/layer.tar", &three),
        ]);
        let spans = layers(&file);
        let sizes: Vec<u64> = spans.iter().map(|span| span.size).collect();
        assert_eq!(sizes, [&one, &two, &three].map(|layer| layer.len() as u64));
        let ahead = Ahead::of(&file);
        // The last one is begun at once.
        while !ahead.places[2].taken.load(Ordering::Relaxed) {
            thread::yield_now();
        }
        let promised = ahead.promise(spans[2].at, spans[2].size).unwrap();
        assert_eq!(promised.wait().unwrap(), digest_of(&three));
        let first = ahead.promise(spans[0].at, spans[0].size);
        if let Some(first) = first {
            assert_eq!(first.wait().unwrap(), digest_of(&one));
        }
        // Other bytes are nobody's.
        assert!(ahead.promise(spans[1].at, spans[1].size - 1).is_none());
    }

    #[test]
    fn what_the_pass_has_taken_is_left_to_it() {
        let layers_of_it = [layer(2_000_000), layer(2_000_000)];
        let file = file(&[("0", &layers_of_it[0]), ("1", &layers_of_it[1])]);
        let span = layers(&file)[0];
        let (tell, told) = mpsc::sync_channel(1);
        let job = Job {
            span,
            taken: Arc::new(AtomicBool::new(true)),
            tell,
        };
        work(&file, vec![job], &AtomicBool::new(false));
        assert!(told.recv().is_err());
    }

    #[test]
    fn nothing_is_hashed_for_a_pass_that_is_over() {
        let file = file(&[("0", &layer(2_000_000))]);
        let span = layers(&file)[0];
        let over = AtomicBool::new(true);
        assert_eq!(hash(&file, span, &over).unwrap(), None);
    }

    #[test]
    fn a_file_that_ends_too_early_is_an_error_and_no_digest() {
        let file = file(&[("0", &layer(2_000_000))]);
        let mut span = layers(&file)[0];
        span.size += 10_000_000;
        let read = hash(&file, span, &AtomicBool::new(false));
        assert_eq!(read.unwrap_err().kind(), io::ErrorKind::UnexpectedEof);
    }

    #[test]
    fn what_is_no_archive_has_no_layers() {
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(&vec![3; 3_000_000]).unwrap();
        assert_eq!(layers(&file), []);
    }
}
