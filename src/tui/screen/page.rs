//! A text longer than its place: lines, and a window over them.

use ratatui::layout::Rect;
use ratatui::text::Line;
use ratatui::text::Span;

use crate::tui::paint::Painter;
use crate::tui::paint::cut;
use crate::tui::paint::width;
use crate::tui::paint::wrap;
use crate::tui::theme::Role;
use crate::tui::theme::Theme;

/// A line made of pieces with a role each.
pub(super) fn line(theme: Theme, pieces: &[(Role, &str)]) -> Line<'static> {
    Line::from_iter(
        pieces
            .iter()
            .map(|(role, text)| Span::styled((*text).to_owned(), theme.style(*role))),
    )
}

/// A text after a label, wrapped so that its lines stand under each other.
pub(super) fn labelled(
    theme: Theme,
    label: &str,
    role: Role,
    text: &str,
    columns: u16,
) -> Vec<Line<'static>> {
    let start = width(label);
    let mut lines = Vec::new();
    for (index, part) in wrap(text, columns.saturating_sub(start).max(8))
        .iter()
        .enumerate()
    {
        let label = if index == 0 {
            label.to_owned()
        } else {
            " ".repeat(start.into())
        };
        lines.push(line(theme, &[(Role::Muted, &label), (role, part)]));
    }
    lines
}

/// A text cut or filled to exactly so many columns.
pub(super) fn fit(theme: Theme, text: &str, columns: u16) -> String {
    let text = cut(text, columns, theme.glyphs.ellipsis);
    let free = columns.saturating_sub(width(&text));
    format!("{text}{}", " ".repeat(free.into()))
}

/// The same at the right end of its columns.
pub(super) fn fit_right(theme: Theme, text: &str, columns: u16) -> String {
    let text = cut(text, columns, theme.glyphs.ellipsis);
    let free = columns.saturating_sub(width(&text));
    format!("{}{text}", " ".repeat(free.into()))
}

/// Adds a text at the right end of a line of so many columns, where there is room for it.
pub(super) fn at_right(
    theme: Theme,
    line: &mut Line<'static>,
    columns: u16,
    pieces: &[(Role, &str)],
) {
    let wanted: u16 = pieces.iter().map(|(_, text)| width(text)).sum();
    let used = u16::try_from(line.width()).unwrap_or(u16::MAX);
    let Some(free) = columns.checked_sub(used.saturating_add(wanted)) else {
        return;
    };
    if free > 1 {
        line.spans.push(Span::raw(" ".repeat(free.into())));
        let pieces = pieces
            .iter()
            .map(|(role, text)| Span::styled((*text).to_owned(), theme.style(*role)));
        line.spans.extend(pieces);
    }
}

/// Draws the lines from `top` on; says at the foot how many more there are.
pub(super) fn window(painter: &mut Painter<'_>, area: Rect, lines: &[Line<'_>], top: usize) {
    let area = area.intersection(painter.buf.area);
    for (line, y) in lines.iter().skip(top).zip(area.y..area.bottom()) {
        painter.buf.set_line(area.x, y, line, area.width);
    }
    let below = lines.len().saturating_sub(top + usize::from(area.height));
    if below > 0 && area.height > 0 {
        let text = format!(" {} {below} more", painter.theme.glyphs.down);
        let (key, y) = (" PgDn", area.bottom() - 1);
        let columns = 1 + width(key) + width(&text);
        let x = area.right().saturating_sub(columns).max(area.x);
        let last = lines.get(top + usize::from(area.height) - 1);
        let covers = last.is_some_and(|line| line.width() > usize::from(x - area.x));
        let cut = if covers { "…" } else { " " };
        let sign = [(Role::Muted, cut), (Role::Key, key), (Role::Muted, &text)];
        painter.line(x, y, columns, &sign);
    }
}
