//! The search in the pass over an image: texts up to 1 MiB, of every layer.

use std::ops::ControlFlow;

use serde::Deserialize;
use serde::Serialize;

use super::Fingerprint;
use super::rules::SecretKind;
use super::scan::kind_of;
use super::scan::scan;
use crate::image::Layer;
use crate::image::archive::Probe;
use crate::image::archive::Seen;
use crate::image::archive::Sink;
use crate::units::Bytes;

/// The largest text that is searched.
const LARGEST: Bytes = Bytes(1024 * 1024);

/// The smallest that can hold a secret.
const SMALLEST: Bytes = Bytes(8);

/// A file with a NUL in its first bytes is no text.
const HEAD: usize = 8 * 1024;

const NAME: &str = "secrets";

/// What is remembered of one secret; of its value, nothing but the fingerprint.
#[derive(Debug, Serialize, Deserialize)]
struct Noted {
    kind: String,
    line: u32,
    fingerprint: Fingerprint,
}

/// Searches texts for secrets.
#[derive(Debug, Clone, Copy, Default)]
pub struct Secrets;

impl Probe for Secrets {
    fn name(&self) -> &'static str {
        NAME
    }

    fn look(&self, file: &Seen<'_>) -> Option<Box<dyn Sink>> {
        (SMALLEST..=LARGEST).contains(&file.size).then(|| {
            Box::new(Text {
                bytes: Vec::new(),
                looked: 0,
                certain: sets_values(file.name()),
            }) as Box<dyn Sink>
        })
    }
}

/// Whether a file sets values for a program, as its name tells: `.env`, `.env.production`,
/// `worker.env`, but not `.env.example`.
fn sets_values(name: &str) -> bool {
    let example = ["example", "sample", "template", "dist", "defaults"];
    let is_example = example.iter().any(|word| name.ends_with(word));
    (name.starts_with(".env") || name.ends_with(".env")) && !is_example
}

struct Text {
    bytes: Vec<u8>,
    /// How many bytes are known to have no NUL.
    looked: usize,
    certain: bool,
}

impl Sink for Text {
    fn piece(&mut self, bytes: &[u8]) -> ControlFlow<()> {
        if self.looked < HEAD {
            let head = bytes.get(..HEAD - self.looked).unwrap_or(bytes);
            if head.contains(&0) {
                self.bytes.clear();
                return ControlFlow::Break(());
            }
            self.looked += head.len();
        }
        self.bytes.extend_from_slice(bytes);
        ControlFlow::Continue(())
    }

    fn finish(self: Box<Self>) -> Option<Vec<u8>> {
        let found = scan(&self.bytes, self.certain);
        if found.is_empty() {
            return None;
        }
        let noted = found.into_iter().map(|one| Noted {
            kind: one.kind.id.to_owned(),
            line: one.line,
            fingerprint: one.fingerprint,
        });
        postcard::to_stdvec(&noted.collect::<Vec<Noted>>()).ok()
    }
}

/// A secret in a file of a layer.
pub(super) struct InFile<'a> {
    pub(super) path: &'a str,
    pub(super) kind: &'static SecretKind,
    pub(super) line: u32,
    pub(super) fingerprint: Fingerprint,
}

/// What was found in a layer.
pub(super) fn of_layer(layer: &Layer) -> Vec<InFile<'_>> {
    let mut found = Vec::new();
    for note in layer.notes_of(NAME) {
        let noted: Vec<Noted> = postcard::from_bytes(&note.bytes).unwrap_or_default();
        found.extend(noted.into_iter().filter_map(|one| {
            Some(InFile {
                path: &note.path,
                kind: kind_of(&one.kind)?,
                line: one.line,
                fingerprint: one.fingerprint,
            })
        }));
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn note(name: &str, pieces: &[&[u8]]) -> Option<Vec<u8>> {
        let size = pieces.iter().map(|piece| piece.len() as u64).sum();
        let seen = Seen {
            path: name,
            size: Bytes(size),
            mode: 0o644,
        };
        let mut sink = Secrets.look(&seen)?;
        for piece in pieces {
            if sink.piece(piece).is_break() {
                break;
            }
        }
        sink.finish()
    }

    #[test]
    fn texts_are_searched_and_binaries_are_not() {
        let secret = b"DB_PASSWORD=correct-horse\n";
        assert!(note("srv/.env", &[secret]).is_some());
        assert!(note("srv/.env", &[&secret[..7], &secret[7..]]).is_some());
        assert!(note("srv/.env", &[b"\0", secret]).is_none());
        assert!(note("srv/.env.example", &[secret]).is_none());
        assert!(note("srv/notes.txt", &[secret]).is_none());
        let large = vec![b'\n'; 2 * 1024 * 1024];
        assert!(note("srv/.env", &[secret, &large]).is_none());
    }

    #[test]
    fn a_note_does_not_hold_the_value() {
        let bytes = note(".env", &[b"DB_PASSWORD=correct-horse\n"]).unwrap();
        assert!(!String::from_utf8_lossy(&bytes).contains("horse"));
    }
}
