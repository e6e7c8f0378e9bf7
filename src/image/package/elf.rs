//! Machine code: what a program's makers left in it, while it passes by.

use std::ops::ControlFlow;

use memchr::memmem;

use super::go;
use super::record::Record;
use super::rust;

/// The largest program that is held in memory to be read, in bytes. A larger one is searched while
/// it passes by: what Go leaves is found, a list of crates is not.
pub(super) const WHOLE: u64 = 64 * 1024 * 1024;

/// The bytes of a header that tell what an ELF file is.
const HEADER: usize = 18;

/// Takes the pieces of one file and makes the record of it.
pub(super) struct Program {
    /// The first bytes, until they tell what the file is.
    head: Vec<u8>,
    state: State,
}

enum State {
    /// Not enough was seen.
    Open { size: u64 },
    /// No program.
    Else,
    /// All of it is held.
    Whole(Vec<u8>),
    /// It is searched for what Go leaves.
    Passing(Passing),
}

impl Program {
    /// For a file of `size` bytes.
    pub(super) const fn new(size: u64) -> Self {
        Self {
            head: Vec::new(),
            state: State::Open { size },
        }
    }

    /// Takes the next piece.
    pub(super) fn piece(&mut self, bytes: &[u8]) -> ControlFlow<()> {
        if let State::Open { size } = self.state {
            self.head.extend_from_slice(bytes);
            if self.head.len() < HEADER {
                return ControlFlow::Continue(());
            }
            let head = std::mem::take(&mut self.head);
            self.state = Self::begin(head, size);
        } else {
            match &mut self.state {
                State::Whole(all) => all.extend_from_slice(bytes),
                State::Passing(passing) => passing.piece(bytes),
                State::Open { .. } | State::Else => {}
            }
        }
        match self.state {
            State::Else => ControlFlow::Break(()),
            State::Open { .. } | State::Whole(_) | State::Passing(_) => ControlFlow::Continue(()),
        }
    }

    fn begin(head: Vec<u8>, size: u64) -> State {
        if !is_program(&head) {
            return State::Else;
        }
        if size <= WHOLE {
            let mut all = head;
            let rest = usize::try_from(size).unwrap_or(0).saturating_sub(all.len());
            all.reserve_exact(rest);
            return State::Whole(all);
        }
        let mut passing = Passing::default();
        passing.piece(&head);
        State::Passing(passing)
    }

    /// The record, after the last piece; `None` where the file is no program.
    pub(super) fn finish(self) -> Option<Record> {
        match self.state {
            State::Open { .. } | State::Else => None,
            State::Whole(all) => Some(of_whole(&all)),
            State::Passing(passing) => Some(
                go::at(&passing.found)
                    .map_or(Record::Opaque, |info| Record::Packages(go::packages(&info))),
            ),
        }
    }
}

/// Whether it is an ELF file that can be executed or loaded; object files and cores are not.
fn is_program(head: &[u8]) -> bool {
    let kind = match (head.get(5), head.get(16), head.get(17)) {
        (Some(1), Some(low), Some(0)) => *low,
        (Some(2), Some(0), Some(low)) => *low,
        _ => return false,
    };
    head.starts_with(b"\x7fELF") && matches!(kind, 2 | 3)
}

fn of_whole(bytes: &[u8]) -> Record {
    if let Some(info) = go::of_program(bytes) {
        return Record::Packages(go::packages(&info));
    }
    rust::of_program(bytes).unwrap_or(Record::Opaque)
}

/// A search for what Go leaves in a program that is too large to be held.
#[derive(Default)]
struct Passing {
    /// Bytes before the first one of `window`.
    offset: u64,
    /// The end of what came, as long as the mark may still begin in it.
    window: Vec<u8>,
    /// From the mark on.
    found: Vec<u8>,
}

impl Passing {
    fn piece(&mut self, bytes: &[u8]) {
        if !self.found.is_empty() {
            let room = go::LONGEST.saturating_sub(self.found.len());
            self.found
                .extend_from_slice(bytes.get(..room.min(bytes.len())).unwrap_or_default());
            return;
        }
        self.window.extend_from_slice(bytes);
        for place in memmem::find_iter(&self.window, go::MAGIC) {
            // The information is aligned and has its flags; a mark in other data is neither.
            let aligned = (self.offset + place as u64).is_multiple_of(16);
            let flags = self.window.get(place + 15).copied();
            if aligned && flags.is_some_and(|flags| flags & 2 != 0) {
                self.found = self.window.split_off(place);
                return;
            }
        }
        // A mark that is not whole, or without its flags, begins in what is kept.
        let surplus = self.window.len().saturating_sub(15);
        self.offset += surplus as u64;
        self.window.drain(..surplus);
    }
}

#[cfg(test)]
mod tests {
    use super::super::rust::tests::packed;
    use super::super::rust::tests::with_section;
    use super::*;

    fn note(bytes: &[u8], size: u64, piece: usize) -> Option<Record> {
        let mut program = Program::new(size);
        for piece in bytes.chunks(piece) {
            if program.piece(piece).is_break() {
                break;
            }
        }
        program.finish()
    }

    #[test]
    fn other_files_are_no_programs() {
        assert_eq!(note(b"#!/bin/sh\nexit 0 # nothing\n", 27, 4), None);
        assert_eq!(note(b"\x7fELF", 4, 1), None);
        let mut object = with_section(".text", b"x");
        object[16] = 1;
        assert_eq!(note(&object, object.len() as u64, 100), None);
    }

    #[test]
    fn a_program_that_says_nothing_is_opaque() {
        let file = with_section(".text", b"x");
        assert_eq!(note(&file, file.len() as u64, 7), Some(Record::Opaque));
        let list = br#"{"packages":[{"name":"a","version":"1.0.0"}]}"#;
        let file = with_section(".dep-v0", &packed(list));
        let Some(Record::Packages(found)) = note(&file, file.len() as u64, 7) else {
            panic!("nothing was found");
        };
        assert_eq!(found[0].name, "a");
    }

    #[test]
    fn a_program_that_is_too_large_is_searched_while_it_passes() {
        let mut file = with_section(".text", b"x");
        file.resize(65 * 16, 0);
        // A mark in other data comes first.
        file.extend_from_slice(b"x");
        file.extend_from_slice(go::MAGIC);
        file.resize(100 * 16, 0);
        file.extend_from_slice(go::MAGIC);
        file.extend_from_slice(&[8, 2]);
        file.extend_from_slice(&[0; 16]);
        file.extend_from_slice(b"\x08go1.22.0\x00");
        file.extend_from_slice(&[0; 1000]);
        for piece in [1, 5, 16, 4096] {
            let Some(Record::Packages(found)) = note(&file, WHOLE + 1, piece) else {
                panic!("nothing was found in pieces of {piece}");
            };
            assert_eq!(
                (found[0].name.as_str(), found[0].version.as_str()),
                ("stdlib", "1.22.0")
            );
        }
        let plain = vec![0; 100];
        let nothing = [with_section(".text", b"x"), plain].concat();
        assert_eq!(note(&nothing, WHOLE + 1, 10), Some(Record::Opaque));
    }
}
