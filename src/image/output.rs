//! What a container wrote or answered: lines for the screen, and the bytes as they came.

use std::fmt::Write as _;
use std::ops::Deref;

use xxhash_rust::xxh3::xxh3_64;

use crate::text::Clean;
use crate::text::Sanitizer;
use crate::units::Bytes;

/// A text of a container, of which the middle or the end may be left out. It is seen as clean lines,
/// and judged by the bytes themselves.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Output {
    lines: Vec<Clean>,
    head: Vec<u8>,
    tail: Vec<u8>,
    dropped: u64,
    digest: Option<u64>,
    broken_off: bool,
}

impl Output {
    /// All of it.
    #[must_use]
    pub fn whole(bytes: &[u8]) -> Self {
        Self::cut(bytes.to_vec(), Vec::new(), 0, Some(xxh3_64(bytes)))
    }

    /// Its beginning and its end, how much between them is left out, and a digest of the whole where
    /// there is one.
    #[must_use]
    pub fn cut(head: Vec<u8>, tail: Vec<u8>, dropped: u64, digest: Option<u64>) -> Self {
        let (head, tail) = match dropped {
            0 => ([head, tail].concat(), Vec::new()),
            _ => (head, tail),
        };
        let mut lines = lines_of(&head);
        if dropped > 0 {
            lines.push(Clean::line(&format!("[{} left out]", Bytes(dropped))));
            // The first line after the gap is a piece of one.
            let start = tail.iter().position(|byte| *byte == b'\n');
            let rest = start.map_or(tail.as_slice(), |at| tail.get(at + 1..).unwrap_or_default());
            lines.extend(lines_of(rest));
        }
        Self {
            lines,
            head,
            tail,
            dropped,
            digest,
            broken_off: false,
        }
    }

    /// The same, of which an unknown rest never came: nobody can tell how it ends.
    #[must_use]
    pub fn broken_off(mut self) -> Self {
        self.dropped += self.tail.len() as u64;
        self.tail.clear();
        self.digest = None;
        self.broken_off = true;
        self.lines.push(Clean::line("[the rest is lost]"));
        self
    }

    /// Bytes that are left out.
    #[must_use]
    pub const fn dropped(&self) -> u64 {
        self.dropped
    }

    /// Whether an unknown rest of it never came.
    #[must_use]
    pub const fn is_broken_off(&self) -> bool {
        self.broken_off
    }

    /// Whether nothing is left out.
    #[must_use]
    pub const fn is_whole(&self) -> bool {
        self.dropped == 0 && !self.broken_off
    }

    /// Its beginning as text, or all of it: line ends as line feeds, the last one left out.
    #[must_use]
    pub fn beginning(&self) -> String {
        let mut text = text_of(&self.head);
        if self.is_whole() && text.ends_with('\n') {
            text.pop();
        }
        text
    }

    /// Its end as text, where something before it is left out.
    #[must_use]
    pub fn end(&self) -> String {
        // Of a character that the gap cut in two, nothing is kept.
        let rest = |byte: &u8| !(0x80..0xc0).contains(byte);
        let from = self.tail.iter().take(4).position(rest).unwrap_or(0);
        text_of(self.tail.get(from..).unwrap_or_default())
    }

    /// Whether both are the same to the last byte; `None` where too little is kept to tell.
    #[must_use]
    pub fn is_same(&self, other: &Self) -> Option<bool> {
        if self.is_whole() && other.is_whole() {
            return Some(self.head == other.head);
        }
        let (Some(own), Some(others)) = (self.digest, other.digest) else {
            return None;
        };
        Some(own == others && self.length() == other.length())
    }

    fn length(&self) -> u64 {
        let kept = self.head.len().saturating_add(self.tail.len());
        self.dropped.saturating_add(kept as u64)
    }
}

impl Deref for Output {
    type Target = [Clean];

    fn deref(&self) -> &[Clean] {
        &self.lines
    }
}

impl<'a> IntoIterator for &'a Output {
    type Item = &'a Clean;
    type IntoIter = std::slice::Iter<'a, Clean>;

    fn into_iter(self) -> Self::IntoIter {
        self.lines.iter()
    }
}

/// Bytes as text; those that are no text are written as `\xFF`, so that two texts stay two.
fn text_of(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len());
    for chunk in bytes.utf8_chunks() {
        text.push_str(chunk.valid());
        for byte in chunk.invalid() {
            let _ = write!(text, "\\x{byte:02X}");
        }
    }
    text.replace("\r\n", "\n")
}

/// Bytes as clean lines; none for no bytes.
fn lines_of(bytes: &[u8]) -> Vec<Clean> {
    let mut sanitizer = Sanitizer::default();
    let mut lines = Vec::new();
    sanitizer.feed(bytes, |line| lines.push(line));
    sanitizer.finish(|line| lines.push(line));
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_judged_is_what_came() {
        let long = format!("{}END\r\n", "x".repeat(5000));
        let output = Output::whole(format!("a\tb\rc\n{long}").as_bytes());
        assert!(
            output
                .last()
                .is_some_and(|line| !line.as_str().contains("END"))
        );
        assert!(output.beginning().starts_with("a\tb\rc\nx"));
        assert!(output.beginning().ends_with("xEND"));
        assert!(output.is_whole());
        assert_eq!(Output::whole(b"caf\xe9\n").beginning(), "caf\\xE9");
        assert!(Output::whole(b"").is_empty());
    }

    #[test]
    fn the_same_is_told_by_the_whole() {
        let cut = |digest| Output::cut(b"a".to_vec(), b"z".to_vec(), 9, digest);
        assert_eq!(cut(Some(1)).is_same(&cut(Some(1))), Some(true));
        assert_eq!(cut(Some(1)).is_same(&cut(Some(2))), Some(false));
        assert_eq!(cut(None).is_same(&cut(Some(2))), None);
        let whole = Output::whole(b"az");
        assert_eq!(whole.is_same(&whole), Some(true));
        assert_eq!(whole.is_same(&cut(Some(1))), Some(false));
        assert_eq!(Output::cut(b"a".to_vec(), b"z".to_vec(), 0, None), {
            Output {
                digest: None,
                ..whole
            }
        });
    }

    #[test]
    fn what_is_broken_off_is_the_same_as_nothing() {
        let broken = Output::whole(b"a\nb\n").broken_off();
        assert!(!broken.is_whole());
        assert_eq!(broken.is_same(&Output::whole(b"a\nb\n")), None);
        assert_eq!(broken.is_same(&broken), None);
        assert_eq!(broken.beginning(), "a\nb\n");
        let cut = Output::cut(b"a".to_vec(), b"z".to_vec(), 5, Some(1)).broken_off();
        assert_eq!((cut.dropped(), cut.end().as_str()), (6, ""));
        let last = cut.last().map(Clean::as_str);
        assert_eq!(last, Some("[the rest is lost]"));
    }

    #[test]
    fn a_character_that_the_gap_cut_is_left_out() {
        let cut = Output::cut(b"a".to_vec(), "é\nz".as_bytes()[1..].to_vec(), 5, None);
        assert_eq!(cut.end(), "\nz");
        let lines: Vec<&str> = cut.iter().map(Clean::as_str).collect();
        assert_eq!(lines, ["a", "[5 B left out]", "z"]);
    }
}
