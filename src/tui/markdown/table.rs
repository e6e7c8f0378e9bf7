//! Tables: columns as wide as they need to be, cells wrapped where that is too wide.

use pulldown_cmark::Alignment;
use ratatui::text::Line;
use ratatui::text::Span;

use super::wrap::Piece;
use super::wrap::Wrapped;
use super::wrap::extent;
use super::wrap::wrap;
use crate::tui::theme::Role;
use crate::tui::theme::Theme;

/// Columns between two cells.
const GAP: usize = 2;
/// A word that is wider is broken before the others are.
const LONG: usize = 16;

/// A table being read.
#[derive(Debug, Default)]
pub(super) struct Table {
    pub(super) alignments: Vec<Alignment>,
    /// The first row is the head.
    pub(super) rows: Vec<Vec<Vec<Piece>>>,
}

impl Table {
    pub(super) fn add_row(&mut self) {
        self.rows.push(Vec::new());
    }

    pub(super) fn add_cell(&mut self, cell: Vec<Piece>) {
        if let Some(row) = self.rows.last_mut() {
            row.push(cell);
        }
    }

    /// The table in at most `columns`, each line after `edge`.
    pub(super) fn lines(&self, columns: u16, theme: Theme, edge: &[Span<'static>]) -> Vec<Wrapped> {
        let start: usize = edge.iter().map(Span::width).sum();
        let widths = self.widths(usize::from(columns).saturating_sub(start));
        let cells: Vec<Vec<Vec<Wrapped>>> =
            self.rows.iter().map(|row| cells(row, &widths)).collect();
        let wraps = |row: &Vec<Vec<Wrapped>>| row.iter().any(|cell| cell.len() > 1);
        let any_wraps = cells.iter().skip(1).any(wraps);
        let mut lines = Vec::new();
        let last = cells.len().saturating_sub(1);
        for (index, row) in cells.into_iter().enumerate() {
            lines.extend(self.row(row, &widths, theme, edge, index == 0));
            // Rows of several lines would run into each other.
            if index > 0 && any_wraps && index < last {
                lines.push(Wrapped {
                    line: Line::from(edge.to_vec()),
                    links: Vec::new(),
                });
            }
            if index == 0 {
                lines.push(rule(&widths, theme, edge));
            }
        }
        lines
    }

    fn widths(&self, room: usize) -> Vec<usize> {
        let columns = self.alignments.len();
        let mut widths = vec![1; columns];
        let mut least = vec![1; columns];
        for row in &self.rows {
            for ((cell, width), least) in row.iter().zip(&mut widths).zip(&mut least) {
                let (widest, whole) = extent(cell);
                *width = whole.max(*width);
                *least = widest.max(*least);
            }
        }
        let room = room.saturating_sub(GAP * columns.saturating_sub(1));
        let long = least.iter().map(|least| (*least).min(LONG)).collect();
        // First no word is broken, an image's name neither, then long ones, then any.
        for floor in [least, long, vec![3; columns]] {
            while widths.iter().sum::<usize>() > room {
                let widest = (0..columns)
                    .filter(|at| widths.get(*at) > floor.get(*at))
                    .max_by_key(|at| widths.get(*at));
                match widest.and_then(|at| widths.get_mut(at)) {
                    Some(width) => *width -= 1,
                    None => break,
                }
            }
        }
        widths
    }

    fn row(
        &self,
        row: Vec<Vec<Wrapped>>,
        widths: &[usize],
        theme: Theme,
        edge: &[Span<'static>],
        head: bool,
    ) -> Vec<Wrapped> {
        let height = row.iter().map(Vec::len).max().unwrap_or(0);
        let mut lines: Vec<Wrapped> = vec![
            Wrapped {
                line: Line::from(edge.to_vec()),
                links: Vec::new(),
            };
            height
        ];
        for (column, mut cell) in row.into_iter().enumerate() {
            cell.resize(height, Wrapped::default());
            let width = widths.get(column).copied().unwrap_or(0);
            let alignment = self.alignments.get(column).copied();
            for (part, line) in cell.into_iter().zip(&mut lines) {
                let free = width.saturating_sub(part.line.width());
                let before = match alignment {
                    Some(Alignment::Right) => free,
                    Some(Alignment::Center) => free / 2,
                    _ => 0,
                };
                let gap = if column > 0 { GAP } else { 0 };
                line.line.spans.push(Span::raw(" ".repeat(gap + before)));
                let x = u16::try_from(line.line.width()).unwrap_or(u16::MAX);
                let links = part.links.iter();
                line.links
                    .extend(links.map(|(link, at, wide)| (*link, x.saturating_add(*at), *wide)));
                for mut span in part.line.spans {
                    if head {
                        span.style = span.style.patch(theme.style(Role::Strong));
                    }
                    line.line.spans.push(span);
                }
                line.line.spans.push(Span::raw(" ".repeat(free - before)));
            }
        }
        lines
    }
}

fn cells(row: &[Vec<Piece>], widths: &[usize]) -> Vec<Vec<Wrapped>> {
    row.iter()
        .zip(widths)
        .map(|(cell, width)| wrap(cell, u16::try_from(*width).unwrap_or(u16::MAX), &[], &[]))
        .collect()
}

fn rule(widths: &[usize], theme: Theme, edge: &[Span<'static>]) -> Wrapped {
    let parts: Vec<String> = widths
        .iter()
        .map(|width| theme.glyphs.horizontal.repeat(*width))
        .collect();
    let mut line = Line::from(edge.to_vec());
    line.spans.push(Span::styled(
        parts.join(&" ".repeat(GAP)),
        theme.style(Role::Rule),
    ));
    Wrapped {
        line,
        links: Vec::new(),
    }
}
