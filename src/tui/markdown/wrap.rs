//! Styled text wrapped into columns: at spaces, between wide characters, and inside a word only
//! where it is wider than a whole line.

use ratatui::style::Style;
use ratatui::text::Line;
use ratatui::text::Span;
use unicode_segmentation::UnicodeSegmentation;
use unicode_width::UnicodeWidthStr;

/// A piece of inline text in one style.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Piece {
    pub(super) text: String,
    pub(super) style: Style,
    /// The number of the link that it belongs to.
    pub(super) link: Option<usize>,
}

/// A finished line and the links on it: number, column, columns.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Wrapped {
    pub(super) line: Line<'static>,
    pub(super) links: Vec<(usize, u16, u16)>,
}

/// What is never broken, unless it is wider than a line.
#[derive(Debug, Clone, Default)]
struct Atom {
    pieces: Vec<Piece>,
    width: usize,
    /// The space before it.
    space: Option<Piece>,
    /// Whether it begins a line.
    hard: bool,
}

/// Marks that stay with what is before them.
const CLOSING: &str = "、。，．！？：；」』）】";

/// Wraps pieces into `columns`; every line begins with `first` or `rest`.
pub(super) fn wrap(
    pieces: &[Piece],
    columns: u16,
    first: &[Span<'static>],
    rest: &[Span<'static>],
) -> Vec<Wrapped> {
    let mut lines = Lines {
        columns: usize::from(columns),
        rest,
        done: Vec::new(),
        now: Wrapped::default(),
        width: 0,
        start: 0,
    };
    lines.begin(first);
    for atom in atoms(pieces) {
        if atom.hard {
            lines.end();
        }
        let space = usize::from(atom.space.is_some() && lines.width > lines.start);
        if lines.width > lines.start && lines.width + space + atom.width > lines.columns {
            lines.end();
        } else if let Some(piece) = atom.space.filter(|_| space > 0) {
            lines.push(&piece.text, piece.style, piece.link);
        }
        for piece in atom.pieces {
            lines.put(&piece);
        }
    }
    lines.end();
    lines.done
}

/// The widest word and the width of the whole text on one line.
pub(super) fn extent(pieces: &[Piece]) -> (usize, usize) {
    let atoms = atoms(pieces);
    let widest = atoms.iter().map(|atom| atom.width).max().unwrap_or(0);
    let whole = atoms
        .iter()
        .map(|atom| atom.width + usize::from(atom.space.is_some()))
        .sum();
    (widest, whole)
}

fn atoms(pieces: &[Piece]) -> Vec<Atom> {
    let mut atoms: Vec<Atom> = Vec::new();
    let (mut space, mut hard, mut open) = (None, false, false);
    for piece in pieces {
        for grapheme in piece.text.graphemes(true) {
            let one = Piece {
                text: grapheme.to_owned(),
                ..piece.clone()
            };
            match grapheme {
                "\n" => (hard, open, space) = (true, false, None),
                " " | "\t" => {
                    open = false;
                    space = Some(Piece {
                        text: " ".to_owned(),
                        ..one
                    });
                }
                _ => {
                    let wide = grapheme.width() > 1;
                    let closing = CLOSING.contains(grapheme) && space.is_none() && !hard;
                    if !closing && (!open || wide) {
                        atoms.push(Atom {
                            space: space.take(),
                            hard: std::mem::take(&mut hard),
                            ..Atom::default()
                        });
                    }
                    open = !wide || closing;
                    if atoms.is_empty() {
                        atoms.push(Atom::default());
                    }
                    if let Some(atom) = atoms.last_mut() {
                        atom.width += grapheme.width();
                        atom.add(one);
                    }
                }
            }
        }
    }
    atoms
}

impl Atom {
    fn add(&mut self, piece: Piece) {
        match self.pieces.last_mut() {
            Some(last) if last.style == piece.style && last.link == piece.link => {
                last.text.push_str(&piece.text);
            }
            _ => self.pieces.push(piece),
        }
    }
}

struct Lines<'a> {
    columns: usize,
    rest: &'a [Span<'static>],
    done: Vec<Wrapped>,
    now: Wrapped,
    width: usize,
    /// The width of what the line began with.
    start: usize,
}

impl Lines<'_> {
    fn begin(&mut self, edge: &[Span<'static>]) {
        self.now = Wrapped {
            line: Line::from(edge.to_vec()),
            links: Vec::new(),
        };
        self.width = self.now.line.width();
        self.start = self.width;
    }

    fn end(&mut self) {
        self.done.push(std::mem::take(&mut self.now));
        let rest = self.rest;
        self.begin(rest);
    }

    /// Adds a piece, broken where it is wider than the line.
    fn put(&mut self, piece: &Piece) {
        if self.width + piece.text.width() <= self.columns {
            self.push(&piece.text, piece.style, piece.link);
            return;
        }
        for grapheme in piece.text.graphemes(true) {
            if self.width > self.start && self.width + grapheme.width() > self.columns {
                self.end();
            }
            self.push(grapheme, piece.style, piece.link);
        }
    }

    fn push(&mut self, text: &str, style: Style, link: Option<usize>) {
        // A space that must not be broken at is drawn as one.
        let text = text.replace('\u{a0}', " ");
        let columns = text.width();
        if let Some(link) = link {
            let x = u16::try_from(self.width).unwrap_or(u16::MAX);
            let columns = u16::try_from(columns).unwrap_or(u16::MAX);
            match self.now.links.last_mut() {
                Some((last, at, wide)) if *last == link && at.saturating_add(*wide) == x => {
                    *wide = wide.saturating_add(columns);
                }
                _ => self.now.links.push((link, x, columns)),
            }
        }
        self.width += columns;
        let begun = self.width - columns > self.start;
        match self.now.line.spans.last_mut() {
            Some(last) if begun && last.style == style => last.content.to_mut().push_str(&text),
            _ => self.now.line.spans.push(Span::styled(text, style)),
        }
    }
}
