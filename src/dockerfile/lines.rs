//! The lines of a text, and one logical line joined from several of them.
//!
//! A joined line remembers where each of its bytes was written, so that every span points into the
//! author's text.

use std::ops::Range;

use super::ast::Span;

/// The physical lines of a text, without their line breaks.
#[derive(Debug)]
pub(super) struct Lines<'a> {
    text: &'a str,
    bounds: Vec<Span>,
}

impl<'a> Lines<'a> {
    /// Finds the lines of the first `limit` bytes of `text`; a line that crosses it is left out.
    pub(super) fn new(text: &'a str, limit: usize) -> Self {
        let mut bounds = Vec::new();
        let mut start = usize::from(text.starts_with('\u{feff}')) * '\u{feff}'.len_utf8();
        for line in text.get(start..).unwrap_or_default().split_inclusive('\n') {
            let end = start + line.len();
            if end > limit {
                break;
            }
            let kept = line.trim_end_matches(['\r', '\n']).len();
            bounds.push(Span {
                start,
                end: start + kept,
            });
            start = end;
        }
        Self { text, bounds }
    }

    /// How many lines there are.
    pub(super) const fn len(&self) -> usize {
        self.bounds.len()
    }

    /// The place of line `index`, counted from 0.
    pub(super) fn span(&self, index: usize) -> Span {
        self.bounds.get(index).copied().unwrap_or(Span {
            start: self.text.len(),
            end: self.text.len(),
        })
    }

    /// The text of line `index`.
    pub(super) fn text(&self, index: usize) -> &'a str {
        slice(self.text, self.span(index))
    }

    /// The text between the starts of two lines.
    pub(super) fn between(&self, first: usize, after: usize) -> (&'a str, Span) {
        let span = Span {
            start: self.span(first).start,
            end: self.span(after).start.max(self.span(first).start),
        };
        (slice(self.text, span), span)
    }

    /// The number, from 1, of the line that holds the byte `at`.
    pub(super) fn number(&self, at: usize) -> u32 {
        let before = self.bounds.partition_point(|line| line.start <= at);
        number(before.saturating_sub(1))
    }
}

/// The number, from 1, of the line with this index.
pub(super) fn number(index: usize) -> u32 {
    u32::try_from(index)
        .unwrap_or(u32::MAX - 1)
        .saturating_add(1)
}

/// The text in `span`, empty where the span does not fit.
pub(super) fn slice(text: &str, span: Span) -> &str {
    text.get(span.range()).unwrap_or_default()
}

/// Where each byte of a text that was taken from a Dockerfile is written in it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Places {
    /// Where each run of bytes begins: in the text, and in the Dockerfile.
    runs: Vec<(usize, usize)>,
}

impl Places {
    /// A text that was taken out in one piece, from byte `source` on.
    pub(super) fn from(source: usize) -> Self {
        Self {
            runs: vec![(0, source)],
        }
    }

    /// From byte `here` of the text on, the bytes are those from `source` on.
    pub(super) fn goes_on(&mut self, here: usize, source: usize) {
        match self.runs.last() {
            Some((last, place)) if *place + (here - last.min(&here)) == source => {}
            _ => self.runs.push((here, source)),
        }
    }

    /// Where the byte `at` of the text is written.
    pub(super) fn source(&self, at: usize) -> usize {
        let run = self.runs.partition_point(|(here, _)| *here <= at);
        self.runs
            .get(run.saturating_sub(1))
            .map_or(0, |(here, source)| source + (at - here.min(&at)))
    }

    /// Where `range` of `text` is written.
    pub(super) fn span(&self, text: &str, range: Range<usize>) -> Span {
        let start = self.source(range.start);
        let inside = text.get(range.clone()).unwrap_or_default();
        let Some(last) = inside.chars().next_back().map(char::len_utf8) else {
            return Span { start, end: start };
        };
        // The end of a run is one after its last byte, not the start of the next run.
        let end = self.source(range.end - last) + last;
        Span {
            start: start.min(end),
            end,
        }
    }

    /// The places of the part of the text at `range`.
    fn part(&self, range: Range<usize>) -> Self {
        let mut part = Self::from(self.source(range.start));
        for (here, source) in &self.runs {
            if *here > range.start && *here < range.end {
                part.goes_on(here - range.start, *source);
            }
        }
        part
    }
}

/// One logical line: continuations joined, comments inside left out.
#[derive(Debug, Default)]
pub(super) struct Joined {
    text: String,
    places: Places,
}

impl Joined {
    /// Adds `text`, which was written at `source`.
    pub(super) fn push(&mut self, text: &str, source: usize) {
        self.places.runs.push((self.text.len(), source));
        self.text.push_str(text);
    }

    /// All of it.
    pub(super) const fn whole(&self) -> Piece<'_> {
        Piece {
            joined: self,
            start: 0,
            end: self.text.len(),
        }
    }
}

/// A part of a joined line.
#[derive(Debug, Clone, Copy)]
pub(super) struct Piece<'a> {
    joined: &'a Joined,
    start: usize,
    end: usize,
}

impl<'a> Piece<'a> {
    /// Its text.
    pub(super) fn text(self) -> &'a str {
        self.joined
            .text
            .get(self.start..self.end)
            .unwrap_or_default()
    }

    /// Whether nothing is in it.
    pub(super) const fn is_empty(self) -> bool {
        self.start >= self.end
    }

    /// Where it was written.
    pub(super) fn span(self) -> Span {
        let range = self.start..self.end.max(self.start);
        self.joined.places.span(&self.joined.text, range)
    }

    /// Where each of its bytes was written.
    pub(super) fn places(self) -> Places {
        self.joined.places.part(self.start..self.end)
    }

    /// The part at `range` of its bytes.
    pub(super) fn part(self, range: Range<usize>) -> Self {
        let end = (self.start + range.end).min(self.end);
        Self {
            joined: self.joined,
            start: (self.start + range.start).min(end),
            end,
        }
    }

    /// Everything from byte `at`.
    pub(super) fn from(self, at: usize) -> Self {
        self.part(at..self.end - self.start)
    }

    /// Without white space around it.
    pub(super) fn trim(self) -> Self {
        let text = self.text();
        let lead = text.len() - text.trim_start().len();
        self.part(lead..lead + text.trim().len())
    }

    /// The first word and what follows it, white space between them left out.
    pub(super) fn first_word(self) -> (Self, Self) {
        let piece = self.trim();
        let end = piece.text().find(is_space).unwrap_or(piece.text().len());
        (piece.part(0..end), piece.from(end).trim())
    }

    /// The words between white space.
    pub(super) fn words(self) -> Vec<Self> {
        let mut words = Vec::new();
        let mut start = None;
        for (at, c) in self.text().char_indices() {
            match (is_space(c), start) {
                (false, None) => start = Some(at),
                (true, Some(from)) => {
                    words.push(self.part(from..at));
                    start = None;
                }
                _ => {}
            }
        }
        if let Some(from) = start {
            words.push(self.from(from));
        }
        words
    }
}

/// White space as builders split words at it: a no-break space is not among it.
pub(super) const fn is_space(c: char) -> bool {
    matches!(c, ' ' | '\t' | '\u{b}' | '\u{c}' | '\r')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_joined_line_knows_where_it_was_written() {
        let text = "RUN one \\\n  two";
        let mut joined = Joined::default();
        joined.push("RUN one ", 0);
        joined.push("  two", 10);
        let words = joined.whole().words();
        let spans: Vec<&str> = words.iter().map(|word| slice(text, word.span())).collect();
        assert_eq!(spans, ["RUN", "one", "two"]);
        assert_eq!(slice(text, joined.whole().span()), text);
    }

    #[test]
    fn windows_line_ends_and_a_byte_order_mark_are_no_text() {
        let lines = Lines::new("\u{feff}FROM a\r\n\r\nRUN b", usize::MAX);
        assert_eq!(lines.len(), 3);
        assert_eq!(lines.text(0), "FROM a");
        assert_eq!(lines.text(1), "");
        assert_eq!(lines.text(2), "RUN b");
        assert_eq!(lines.number(3), 1);
        assert_eq!(lines.number(lines.span(2).end), 3);
    }
}
