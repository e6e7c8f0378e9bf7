//! Drawing text by role, cut to its place.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;
use unicode_segmentation::UnicodeSegmentation;
use unicode_width::UnicodeWidthStr;

use crate::tui::theme::Role;
use crate::tui::theme::Theme;

/// Signs in texts and what stands for each where only ASCII is shown: in its own cell, and in the
/// next one where that is blank.
const SIGNS: [(&str, &str, &str); 14] = [
    ("≤", "<", "="),
    ("≥", ">", "="),
    ("≈", "~", ""),
    ("…", "~", ""),
    ("·", "-", ""),
    ("−", "-", ""),
    ("–", "-", ""),
    ("—", "-", ""),
    ("×", "x", ""),
    ("→", ">", ""),
    ("↑", "^", ""),
    ("↓", "v", ""),
    ("“", "\"", ""),
    ("”", "\"", ""),
];

/// A buffer and the looks to draw with.
pub struct Painter<'a> {
    /// What is drawn on.
    pub buf: &'a mut Buffer,
    /// Roles and glyphs.
    pub theme: Theme,
}

/// The columns of a text, as a coordinate.
#[must_use]
pub fn width(text: &str) -> u16 {
    u16::try_from(text.width()).unwrap_or(u16::MAX)
}

/// The text, cut with an ellipsis where it is wider than `columns`.
#[must_use]
pub fn cut(text: &str, columns: u16, ellipsis: &str) -> String {
    if width(text) <= columns {
        return text.to_owned();
    }
    let room = usize::from(columns).saturating_sub(1);
    let mut cut = String::new();
    let mut used = 0;
    for grapheme in text.graphemes(true) {
        used += grapheme.width();
        if used > room {
            break;
        }
        cut.push_str(grapheme);
    }
    if columns > 0 {
        cut.push_str(ellipsis);
    }
    cut
}

impl Painter<'_> {
    /// Writes a text in at most `columns`; says where it ended.
    pub fn text(&mut self, x: u16, y: u16, columns: u16, role: Role, text: &str) -> u16 {
        self.styled(x, y, columns, self.theme.style(role), text)
    }

    /// Writes a text in a style that is made of roles.
    pub fn styled(&mut self, x: u16, y: u16, columns: u16, style: Style, text: &str) -> u16 {
        let area = self.buf.area;
        if y >= area.bottom() || x >= area.right() || y < area.y {
            return x;
        }
        let columns = columns.min(area.right() - x);
        let text = cut(text, columns, self.theme.glyphs.ellipsis);
        self.buf
            .set_stringn(x, y, text, usize::from(columns), style)
            .0
    }

    /// Writes a text that ends before `end`, in at most `columns`; says where it began.
    pub fn right(&mut self, end: u16, y: u16, columns: u16, role: Role, text: &str) -> u16 {
        let text = cut(text, columns, self.theme.glyphs.ellipsis);
        let x = end.saturating_sub(width(&text));
        self.text(x, y, columns, role, &text);
        x
    }

    /// Writes pieces of text one after the other; says where they ended.
    pub fn line(&mut self, x: u16, y: u16, columns: u16, pieces: &[(Role, &str)]) -> u16 {
        let end = x.saturating_add(columns);
        let mut at = x;
        for (role, text) in pieces {
            at = self.text(at, y, end.saturating_sub(at), *role, text);
        }
        at
    }

    /// Draws a horizontal rule.
    pub fn rule(&mut self, x: u16, y: u16, columns: u16) {
        let text = self.theme.glyphs.horizontal.repeat(columns.into());
        self.text(x, y, columns, Role::Rule, &text);
    }

    /// Draws a vertical rule.
    pub fn column(&mut self, x: u16, y: u16, rows: u16) {
        for y in y..y.saturating_add(rows) {
            self.text(x, y, 1, Role::Rule, self.theme.glyphs.vertical);
        }
    }

    /// Draws a progress line with `share` (0 to 1) done.
    pub fn progress(&mut self, x: u16, y: u16, columns: u16, share: f64) {
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "a share of a u16, clamped to it"
        )]
        let done = (f64::from(columns) * share.clamp(0.0, 1.0)).round() as u16;
        let glyphs = self.theme.glyphs;
        self.text(
            x,
            y,
            done,
            Role::Running,
            &glyphs.progress.repeat(done.into()),
        );
        let rest = columns - done;
        self.text(
            x + done,
            y,
            rest,
            Role::Rule,
            &glyphs.remaining.repeat(rest.into()),
        );
    }

    /// Lays a style over the cells of a row.
    pub fn highlight(&mut self, area: Rect, role: Role) {
        let style = self.theme.style(role);
        self.buf.set_style(area.intersection(self.buf.area), style);
    }

    /// Makes an area blank, for what lies over a screen.
    pub fn clear(&mut self, area: Rect) {
        let area = area.intersection(self.buf.area);
        for y in area.top()..area.bottom() {
            for x in area.left()..area.right() {
                if let Some(cell) = self.buf.cell_mut((x, y)) {
                    cell.reset();
                }
            }
        }
    }

    /// Puts ASCII in the place of the signs that goals, sizes and reports are written with, on a
    /// terminal that shows nothing else. Letters stay: they are somebody's words.
    pub fn spell_out(&mut self) {
        if !self.theme.is_ascii() {
            return;
        }
        let area = self.buf.area;
        for y in area.top()..area.bottom() {
            for x in area.left()..area.right() {
                let Some(cell) = self.buf.cell_mut((x, y)) else {
                    continue;
                };
                let sign = SIGNS.iter().find(|(sign, ..)| *sign == cell.symbol());
                let Some((_, ascii, rest)) = sign else {
                    continue;
                };
                cell.set_symbol(ascii);
                if !rest.is_empty()
                    && let Some(next) = self.buf.cell_mut((x + 1, y))
                    && next.symbol() == " "
                {
                    next.set_symbol(rest);
                }
            }
        }
    }

    /// Draws a thin frame with a title.
    pub fn frame(&mut self, area: Rect, title: &str) {
        let area = area.intersection(self.buf.area);
        if area.width < 2 || area.height < 2 {
            return;
        }
        let (right, bottom) = (area.right() - 1, area.bottom() - 1);
        self.rule(area.x, area.y, area.width);
        self.rule(area.x, bottom, area.width);
        self.column(area.x, area.y, area.height);
        self.column(right, area.y, area.height);
        let corners = if self.theme.is_ascii() {
            ["+"; 4]
        } else {
            ["╭", "╮", "╰", "╯"]
        };
        let places = [
            (area.x, area.y),
            (right, area.y),
            (area.x, bottom),
            (right, bottom),
        ];
        for ((x, y), corner) in places.into_iter().zip(corners) {
            self.text(x, y, 1, Role::Rule, corner);
        }
        let title = format!(" {title} ");
        self.text(
            area.x + 2,
            area.y,
            area.width.saturating_sub(4),
            Role::Strong,
            &title,
        );
    }
}

/// Wraps a text at spaces into lines of at most `columns`; a path that is longer, between its parts.
#[must_use]
pub fn wrap(text: &str, columns: u16) -> Vec<String> {
    let columns = columns.max(1);
    let mut lines = Vec::new();
    let mut line = String::new();
    for word in text.split_whitespace() {
        let needed = width(&line) + u16::from(!line.is_empty()) + width(word);
        if !line.is_empty() && needed > columns {
            lines.push(std::mem::take(&mut line));
        }
        if !line.is_empty() {
            line.push(' ');
        }
        if width(&line) + width(word) <= columns {
            line.push_str(word);
            continue;
        }
        for part in word.split_inclusive('/') {
            if width(&line) + width(part) > columns && !line.is_empty() {
                lines.push(std::mem::take(&mut line));
            }
            // A part wider than the place is broken, not lost.
            for grapheme in part.graphemes(true) {
                if width(&line) + width(grapheme) > columns && !line.is_empty() {
                    lines.push(std::mem::take(&mut line));
                }
                line.push_str(grapheme);
            }
        }
    }
    if !line.is_empty() {
        lines.push(line);
    }
    lines
}

/// Breaks a line that something else wrote into at most `rows` lines of at most `columns`. What
/// goes on stands as far in as the line began: where a line is indented, that says something.
#[must_use]
pub fn fold(text: &str, columns: u16, rows: usize, ellipsis: &str) -> Vec<String> {
    if width(text) <= columns {
        return vec![text.to_owned()];
    }
    let begun = text.trim_start();
    let indent = text.strip_suffix(begun).unwrap_or_default();
    let indent = cut(indent, columns / 2, "");
    let room = columns.saturating_sub(width(&indent));
    let lines = at_most(wrap(begun, room), rows, room, ellipsis);
    lines.iter().map(|line| format!("{indent}{line}")).collect()
}

/// The first `rows` of wrapped lines; where there are more, the last of them is cut and says so.
#[must_use]
pub fn at_most(mut lines: Vec<String>, rows: usize, columns: u16, ellipsis: &str) -> Vec<String> {
    if lines.len() > rows {
        let rest = lines.split_off(rows.saturating_sub(1));
        lines.push(cut(&rest.join(" "), columns, ellipsis));
        lines.truncate(rows);
    }
    lines
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_cut_text_says_so() {
        assert_eq!(cut("RUN apt-get install", 10, "…"), "RUN apt-g…");
        assert_eq!(cut("short", 10, "…"), "short");
        assert_eq!(cut("字字字", 4, "…"), "字…");
        assert_eq!(cut("abc", 0, "…"), "");
    }

    #[test]
    fn signs_have_a_stand_in_where_only_ascii_is_shown_and_letters_stay() {
        use crate::tui::theme::Palette;

        let text = "≤ 5 MB, ≥3, ≈1.16 GB → “café”…";
        let drawn = |ascii| {
            let area = Rect::new(0, 0, 30, 1);
            let mut buf = Buffer::empty(area);
            let mut painter = Painter {
                buf: &mut buf,
                theme: Theme::new(Palette::Mono, ascii),
            };
            painter.text(0, 0, 30, Role::Text, text);
            painter.spell_out();
            let cells = buf.content().iter();
            cells.map(ratatui::buffer::Cell::symbol).collect::<String>()
        };
        assert_eq!(drawn(true), "<=5 MB, >3, ~1.16 GB > \"café\"~");
        assert_eq!(drawn(false), text);
        for (sign, ascii, rest) in SIGNS {
            assert_eq!((width(sign), width(ascii)), (1, 1), "{sign}");
            assert!(ascii.is_ascii() && rest.is_ascii(), "{sign}");
        }
    }

    #[test]
    fn a_long_line_of_others_is_broken_below_its_beginning_and_its_end_may_be_cut() {
        let line = "    raise KeyError(name) from missing";
        assert_eq!(
            fold(line, 20, 3, "…"),
            ["    raise", "    KeyError(name)", "    from missing"]
        );
        assert_eq!(
            fold(line, 20, 2, "…"),
            ["    raise", "    KeyError(name) …"]
        );
        assert_eq!(fold("  a  b", 6, 1, "…"), ["  a  b"]);
        assert_eq!(fold("", 6, 3, "…"), [""]);
    }

    #[test]
    fn a_path_wider_than_the_place_is_broken_between_its_parts() {
        assert_eq!(
            wrap("it is in /home/a/kept/000001/Dockerfile: look", 16),
            ["it is in", "/home/a/kept/", "000001/", "Dockerfile: look"]
        );
    }

    proptest! {
        #[test]
        fn folded_lines_fit(text in "[ ]{0,30}[a-z字 é]{0,120}", columns in 4u16..40, rows in 1usize..5) {
            let lines = fold(&text, columns, rows, "…");
            prop_assert!(lines.len() <= rows);
            for line in &lines {
                prop_assert!(width(line) <= columns, "{line:?}");
            }
        }

        #[test]
        fn wrapped_lines_fit_and_lose_nothing(text in "[a-z字 é]{0,120}", columns in 2u16..40) {
            let lines = wrap(&text, columns);
            for line in &lines {
                prop_assert!(width(line) <= columns, "{line:?}");
            }
            let letters = |text: &str| text.chars().filter(|c| *c != ' ').collect::<String>();
            prop_assert_eq!(letters(&lines.concat()), letters(&text));
        }
    }
}
