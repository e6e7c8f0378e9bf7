//! How others look into the files of a layer while they pass by.

use std::fmt;
use std::ops::ControlFlow;

use crate::units::Bytes;

/// A caller's eye on the pass: chooses files, reads them as they come, and leaves a note on each.
///
/// What a probe notes is kept per layer and path ([`Layer::notes_of`]), deleted files included, and
/// together with the layer in caches. A note is therefore bytes in a format of the probe's own, and
/// depends on nothing but the file.
///
/// [`Layer::notes_of`]: crate::image::Layer::notes_of
pub trait Probe: fmt::Debug + Send + Sync {
    /// Its name, such as `packages`: notes are kept by it. No version is needed: a layer that is
    /// remembered is read again where any code that reads images has changed.
    fn name(&self) -> &'static str;

    /// Chooses a regular file by what its header says; `None` leaves it aside.
    fn look(&self, file: &Seen<'_>) -> Option<Box<dyn Sink>>;
}

/// What the header of a regular file says.
#[derive(Debug, Clone, Copy)]
pub struct Seen<'a> {
    /// Its path, without a leading slash.
    pub path: &'a str,
    /// Payload bytes.
    pub size: Bytes,
    /// Permission bits with setuid, setgid and sticky.
    pub mode: u32,
}

impl Seen<'_> {
    /// The last part of its path.
    #[must_use]
    pub fn name(&self) -> &str {
        self.path.rsplit('/').next().unwrap_or(self.path)
    }
}

/// Takes one file's payload.
pub trait Sink {
    /// The next piece, in order and without gaps; pieces are as long as they happen to come.
    /// [`ControlFlow::Break`] says that no further piece is needed.
    fn piece(&mut self, bytes: &[u8]) -> ControlFlow<()>;

    /// The note on the file, after its last piece; `None` where there is nothing to note.
    fn finish(self: Box<Self>) -> Option<Vec<u8>>;
}

/// Turns the whole content of a file into a note.
type Noting = dyn FnOnce(Vec<u8>) -> Option<Vec<u8>>;

/// A [`Sink`] that waits for the whole content. It is held in memory until the note is made, and no
/// longer.
pub struct Whole {
    bytes: Vec<u8>,
    noting: Box<Noting>,
}

impl Whole {
    /// Hands the whole content of `file` to `noting`; `None` where it is larger than `cap`.
    pub fn of(
        file: &Seen<'_>,
        cap: Bytes,
        noting: impl FnOnce(Vec<u8>) -> Option<Vec<u8>> + 'static,
    ) -> Option<Box<dyn Sink>> {
        (file.size <= cap).then(|| {
            Box::new(Self {
                bytes: Vec::new(),
                noting: Box::new(noting),
            }) as Box<dyn Sink>
        })
    }
}

impl Sink for Whole {
    fn piece(&mut self, bytes: &[u8]) -> ControlFlow<()> {
        self.bytes.extend_from_slice(bytes);
        ControlFlow::Continue(())
    }

    fn finish(self: Box<Self>) -> Option<Vec<u8>> {
        (self.noting)(self.bytes)
    }
}
