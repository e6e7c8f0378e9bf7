//! One regular file of a layer while it passes by: its hash, its head, and whoever else looks on.

use std::io;
use std::io::BufRead;

use xxhash_rust::xxh3::Xxh3;
use xxhash_rust::xxh3::xxh3_64;

use super::ArchiveError;
use super::Options;
use super::budget::Budget;
use super::layer::Scanned;
use super::needles::Search;
use super::probe::Seen;
use super::probe::Sink;
use crate::image::ContentHash;
use crate::image::Note;
use crate::image::binary;
use crate::image::binary::Look;
use crate::image::binary::Program;

/// The largest file whose content is kept.
const KEEP_CAP: u64 = 64 * 1024;

/// Hashes payloads one after the other.
#[derive(Default)]
pub(super) struct Hasher(Xxh3);

/// What is made of one file while it passes by.
pub(super) struct File {
    path: String,
    size: u64,
    keep: bool,
    executable: bool,
    head: Vec<u8>,
    look: Option<Look>,
    looked: bool,
    dynamic: Vec<u8>,
    /// The name of each probe that looks on.
    sinks: Vec<(&'static str, Box<dyn Sink>)>,
    notes: Vec<Note>,
}

impl File {
    /// Asks who wants to look on.
    pub(super) fn new(seen: &Seen<'_>, options: &Options) -> Self {
        let probes = options.probes.iter();
        let sinks = probes.filter_map(|probe| Some((probe.name(), probe.look(seen)?)));
        Self {
            path: seen.path.to_owned(),
            size: seen.size.0,
            keep: seen.size.0 <= KEEP_CAP && is_wanted(seen.path, options),
            executable: seen.mode & 0o111 != 0,
            head: Vec::new(),
            look: None,
            looked: false,
            dynamic: Vec::new(),
            sinks: sinks.collect(),
            notes: Vec::new(),
        }
    }

    /// Reads all of the payload and returns its hash.
    pub(super) fn read(
        &mut self,
        payload: &mut impl BufRead,
        mut search: Option<&mut Search<'_>>,
        hasher: &mut Hasher,
    ) -> io::Result<ContentHash> {
        let wanted = match (self.keep, self.executable) {
            (true, _) => usize::try_from(KEEP_CAP).unwrap_or(usize::MAX),
            (false, true) => binary::HEAD,
            (false, false) => 0,
        };
        hasher.0.reset();
        let mut offset = 0_u64;
        let mut whole = None;
        loop {
            let piece = payload.fill_buf()?;
            let count = piece.len();
            if count == 0 {
                break;
            }
            // Nearly every file comes in one piece.
            if count as u64 == self.size {
                whole = Some(xxh3_64(piece));
            } else {
                hasher.0.update(piece);
            }
            if let Some(search) = search.as_deref_mut() {
                search.feed(piece);
            }
            self.take(offset, piece, wanted);
            offset += count as u64;
            payload.consume(count);
        }
        if self.executable && !self.looked {
            self.look_at_head();
        }
        Ok(ContentHash(whole.unwrap_or_else(|| hasher.0.digest())))
    }

    /// Puts what was made of it where the layer's facts are.
    pub(super) fn file(
        mut self,
        layer: &mut Scanned,
        budget: &mut Budget,
    ) -> Result<(), ArchiveError> {
        for (probe, sink) in std::mem::take(&mut self.sinks) {
            self.note(probe, sink);
        }
        for note in self.notes {
            budget.keep(note.bytes.len().saturating_add(note.path.len()))?;
            layer.notes.push(note);
        }
        let program = self.look.take().map(|look| {
            let dynamic = std::mem::take(&mut self.dynamic);
            match look.more {
                Some(place) if dynamic.len() as u64 == place.length => {
                    binary::complete(&self.head, look, &dynamic)
                }
                _ => look.program,
            }
        });
        if let Some(program) = program {
            budget.keep(weight(&program).saturating_add(self.path.len()))?;
            layer.programs.insert(self.path.clone(), program);
        }
        if self.keep {
            budget.keep(self.head.len().saturating_add(self.path.len()))?;
            layer.kept.insert(self.path, self.head);
        }
        Ok(())
    }

    /// Hands a piece to everything that looks at this file.
    fn take(&mut self, offset: u64, piece: &[u8], wanted: usize) {
        let room = wanted - self.head.len();
        self.head
            .extend_from_slice(piece.get(..room.min(piece.len())).unwrap_or_default());
        self.collect(offset, piece);
        if self.head.len() == wanted && self.executable && !self.looked {
            self.look_at_head();
            // Part of what it asks for may be in this very piece.
            self.collect(offset, piece);
        }
        let mut at = 0;
        while let Some((_, sink)) = self.sinks.get_mut(at) {
            if sink.piece(piece).is_continue() {
                at += 1;
            } else {
                let (probe, sink) = self.sinks.remove(at);
                self.note(probe, sink);
            }
        }
    }

    fn note(&mut self, probe: &'static str, sink: Box<dyn Sink>) {
        if let Some(bytes) = sink.finish() {
            self.notes.push(Note {
                probe: probe.to_owned(),
                path: self.path.clone(),
                bytes,
            });
        }
    }

    fn look_at_head(&mut self) {
        self.looked = true;
        self.look = binary::look(&self.head);
        // What the head already has of the place is not seen again.
        self.collect(0, &self.head.clone());
    }

    /// Takes the part of a piece that belongs to the place that was asked for.
    fn collect(&mut self, offset: u64, piece: &[u8]) {
        let Some(place) = self.look.as_ref().and_then(|look| look.more) else {
            return;
        };
        let next = place.offset.saturating_add(self.dynamic.len() as u64);
        let end = place.offset.saturating_add(place.length);
        let Some(from) = next.checked_sub(offset) else {
            return;
        };
        let to = end.saturating_sub(offset).min(piece.len() as u64);
        let range = usize::try_from(from).unwrap_or(usize::MAX)..usize::try_from(to).unwrap_or(0);
        self.dynamic
            .extend_from_slice(piece.get(range).unwrap_or_default());
    }
}

/// Whether a file is asked for, itself or under the name that a link to it may have.
fn is_wanted(path: &str, options: &Options) -> bool {
    let base = |path: &str| path.rsplit('/').next().map(str::to_owned);
    options.keep.iter().any(|wanted| base(wanted) == base(path))
}

/// The bytes that a program's description takes in memory.
fn weight(program: &Program) -> usize {
    match program {
        Program::Script {
            interpreter,
            argument,
        } => interpreter.len() + argument.as_ref().map_or(0, String::len),
        Program::Elf(elf) => {
            let names = elf.needed.iter();
            elf.machine.len() + names.map(|name| name.len() + 24).sum::<usize>()
        }
    }
}
