//! What the pass over an image remembers for this: what programs ask of a loader, and the few small
//! files that say who is who and where libraries are.

use std::collections::HashMap;
use std::ops::ControlFlow;

use serde::Deserialize;
use serde::Serialize;

use super::dynamic;
use super::dynamic::Dynamic;
use super::dynamic::Parts;
use crate::image::Layer;
use crate::image::archive::Probe;
use crate::image::archive::Seen;
use crate::image::archive::Sink;
use crate::image::archive::Whole;
use crate::image::tree::Node;
use crate::units::Bytes;

/// The largest small file that is kept: a loader's cache of a very full image has 150 kB.
const FILE_CAP: Bytes = Bytes(1024 * 1024);

/// The smallest file that can be an ELF file with a program header.
const SMALLEST: Bytes = Bytes(84);

const NAME: &str = "inside";

/// What is remembered of one file.
#[derive(Debug, Serialize, Deserialize)]
enum Kept {
    Dynamic(Dynamic),
    File(Vec<u8>),
}

/// Looks at programs, libraries and a few files of `/etc`.
#[derive(Debug, Clone, Copy, Default)]
pub struct Inside;

impl Probe for Inside {
    fn name(&self) -> &'static str {
        NAME
    }

    fn look(&self, file: &Seen<'_>) -> Option<Box<dyn Sink>> {
        if is_wanted(file.name()) {
            return Whole::of(file, FILE_CAP, |bytes| note(&Kept::File(bytes)));
        }
        (file.size >= SMALLEST).then(|| Box::new(Program::default()) as Box<dyn Sink>)
    }
}

/// Files by name, so that they are found behind a link too.
fn is_wanted(name: &str) -> bool {
    matches!(name, "passwd" | "group" | "ld.so.cache")
        || (name.starts_with("ld-musl-") && name.ends_with(".path"))
}

fn note(kept: &Kept) -> Option<Vec<u8>> {
    postcard::to_stdvec(kept).ok()
}

/// A file that may be a program or a library.
#[derive(Default)]
struct Program {
    offset: u64,
    head: Vec<u8>,
    parts: Option<Parts>,
}

impl Program {
    /// Chooses the parts, once the head is complete or the file has ended.
    fn choose(&mut self) {
        self.parts = Parts::of(&self.head);
        if let Some(parts) = &mut self.parts {
            parts.take(0, &self.head);
        }
    }
}

impl Sink for Program {
    fn piece(&mut self, bytes: &[u8]) -> ControlFlow<()> {
        if self.parts.is_none() {
            let room = dynamic::HEAD.saturating_sub(self.head.len());
            let taken = bytes.get(..room).unwrap_or(bytes);
            self.head.extend_from_slice(taken);
            let magic = object::elf::ELFMAG;
            if self.head.len() >= magic.len() && !self.head.starts_with(&magic) {
                return ControlFlow::Break(());
            }
            if self.head.len() < dynamic::HEAD {
                self.offset += bytes.len() as u64;
                return ControlFlow::Continue(());
            }
            self.choose();
        }
        let Some(parts) = &mut self.parts else {
            return ControlFlow::Break(());
        };
        parts.take(self.offset, bytes);
        self.offset += bytes.len() as u64;
        if parts.is_complete(self.offset) {
            ControlFlow::Break(())
        } else {
            ControlFlow::Continue(())
        }
    }

    fn finish(mut self: Box<Self>) -> Option<Vec<u8>> {
        if self.parts.is_none() {
            self.choose();
        }
        let found = self.parts.as_ref()?.read(&self.head)?;
        note(&Kept::Dynamic(found))
    }
}

/// What the probe remembered, by layer and path.
#[derive(Debug, Default)]
pub(super) struct Remembered<'a> {
    dynamic: HashMap<(usize, &'a str), Dynamic>,
    files: HashMap<(usize, &'a str), Vec<u8>>,
}

impl<'a> Remembered<'a> {
    /// Reads the notes of all layers.
    pub(super) fn of(layers: &'a [Layer]) -> Self {
        let mut all = Self::default();
        for layer in layers {
            for note in layer.notes_of(NAME) {
                let key = (layer.index, note.path.as_str());
                match postcard::from_bytes(&note.bytes) {
                    Ok(Kept::Dynamic(dynamic)) => {
                        all.dynamic.insert(key, dynamic);
                    }
                    Ok(Kept::File(bytes)) => {
                        all.files.insert(key, bytes);
                    }
                    // A cache of another version: as if it had not been looked at.
                    Err(_) => {}
                }
            }
        }
        all
    }

    /// What a file asks of a loader.
    pub(super) fn dynamic(&self, node: &Node<'a>) -> Option<&Dynamic> {
        self.dynamic.get(&(node.layer, node.entry.path.as_str()))
    }

    /// The content of a small file.
    pub(super) fn file(&self, node: &Node<'a>) -> Option<&[u8]> {
        let key = (node.layer, node.entry.path.as_str());
        self.files.get(&key).map(Vec::as_slice)
    }
}

/// A note as the probe writes it, for tests.
#[cfg(test)]
pub(super) mod testing {
    use super::Dynamic;
    use super::Kept;
    use super::NAME;
    use super::note;
    use crate::image::Note;

    /// The note on a program.
    pub(in crate::image::inside) fn of_dynamic(path: &str, dynamic: Dynamic) -> Note {
        of(path, &Kept::Dynamic(dynamic))
    }

    /// The note on a small file.
    pub(in crate::image::inside) fn of_file(path: &str, bytes: &[u8]) -> Note {
        of(path, &Kept::File(bytes.to_vec()))
    }

    fn of(path: &str, kept: &Kept) -> Note {
        Note {
            probe: NAME.to_owned(),
            path: path.to_owned(),
            bytes: note(kept).unwrap(),
        }
    }
}
