//! Two texts, line by line: as one column with signs, or side by side.

use ratatui::text::Line;
use ratatui::text::Span;
use similar::Algorithm;
use similar::DiffOp;

use crate::tui::screen::page;
use crate::tui::theme::Role;
use crate::tui::theme::Theme;

/// One row of a difference: a line of either text with its number, or of both.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Row<'a> {
    mine: Option<(usize, &'a str)>,
    theirs: Option<(usize, &'a str)>,
}

impl Row<'_> {
    fn is_same(&self) -> bool {
        match (self.mine, self.theirs) {
            (Some((_, mine)), Some((_, theirs))) => mine == theirs,
            _ => false,
        }
    }
}

/// Pairs the lines of two texts.
pub(super) fn rows<'a>(mine: &'a str, theirs: &'a str) -> Vec<Row<'a>> {
    let mine: Vec<&str> = mine.lines().collect();
    let theirs: Vec<&str> = theirs.lines().collect();
    let mut rows = Vec::new();
    for op in similar::capture_diff_slices(Algorithm::Myers, &mine, &theirs) {
        let (old, new) = match op {
            DiffOp::Equal {
                old_index,
                new_index,
                len,
            } => ((old_index, len), (new_index, len)),
            DiffOp::Delete {
                old_index, old_len, ..
            } => ((old_index, old_len), (0, 0)),
            DiffOp::Insert {
                new_index, new_len, ..
            } => ((0, 0), (new_index, new_len)),
            DiffOp::Replace {
                old_index,
                old_len,
                new_index,
                new_len,
            } => ((old_index, old_len), (new_index, new_len)),
        };
        for at in 0..old.1.max(new.1) {
            let line = |text: &[&'a str], (start, len): (usize, usize)| {
                let index = start + at;
                let line = text.get(index).filter(|_| at < len)?;
                Some((index + 1, *line))
            };
            rows.push(Row {
                mine: line(&mine, old),
                theirs: line(&theirs, new),
            });
        }
    }
    rows
}

/// Whether two texts have the same lines.
pub(super) fn is_same(rows: &[Row<'_>]) -> bool {
    rows.iter().all(Row::is_same)
}

/// The difference as one column.
pub(super) fn unified(rows: &[Row<'_>], columns: u16, theme: Theme) -> Vec<Line<'static>> {
    let mut lines = Vec::new();
    // Of a run of changes, what goes stands before what comes.
    for run in rows.chunk_by(|a, b| a.is_same() == b.is_same()) {
        let same = run.first().is_some_and(Row::is_same);
        if same {
            let rows = run.iter().filter_map(|row| row.theirs);
            lines.extend(rows.map(|(number, text)| {
                half(number, text, " ", Role::Text, Role::Muted, columns, theme)
            }));
            continue;
        }
        let gone = run.iter().filter_map(|row| row.mine);
        lines.extend(gone.map(|(number, text)| {
            let sign = theme.glyphs.minus;
            half(
                number,
                text,
                sign,
                Role::Removed,
                Role::Removed,
                columns,
                theme,
            )
        }));
        let come = run.iter().filter_map(|row| row.theirs);
        lines.extend(come.map(|(number, text)| {
            half(number, text, "+", Role::Added, Role::Added, columns, theme)
        }));
    }
    lines
}

/// The difference side by side, under a head.
pub(super) fn side_by_side(rows: &[Row<'_>], columns: u16, theme: Theme) -> Vec<Line<'static>> {
    let width = columns.saturating_sub(3) / 2;
    let middle = Span::styled(
        format!(" {} ", theme.glyphs.vertical),
        theme.style(Role::Rule),
    );
    let mut lines = vec![beside(
        page::line(theme, &[(Role::Muted, "       yours")]),
        &middle,
        page::line(theme, &[(Role::Muted, "       solution")]),
        width,
    )];
    for row in rows {
        let same = row.is_same();
        let side = |side: Option<(usize, &str)>, sign: &str, changed: Role| match side {
            Some((number, text)) if same => {
                half(number, text, " ", Role::Text, Role::Muted, width, theme)
            }
            Some((number, text)) => half(number, text, sign, changed, changed, width, theme),
            None => Line::default(),
        };
        lines.push(beside(
            side(row.mine, theme.glyphs.minus, Role::Removed),
            &middle,
            side(row.theirs, "+", Role::Added),
            width,
        ));
    }
    lines
}

fn beside(
    mut left: Line<'static>,
    middle: &Span<'static>,
    right: Line<'static>,
    width: u16,
) -> Line<'static> {
    let free = usize::from(width).saturating_sub(left.width());
    left.spans.push(Span::raw(" ".repeat(free)));
    left.spans.push(middle.clone());
    left.spans.extend(right.spans);
    left
}

fn half(
    number: usize,
    text: &str,
    sign: &str,
    role: Role,
    sign_role: Role,
    columns: u16,
    theme: Theme,
) -> Line<'static> {
    let text = text.replace('\t', "    ");
    let text = crate::tui::paint::cut(&text, columns.saturating_sub(7), theme.glyphs.ellipsis);
    page::line(
        theme,
        &[
            (Role::Muted, &format!("{number:>4} ")),
            (sign_role, &format!("{sign} ")),
            (role, &text),
        ],
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tui::markdown::plain;

    const MINE: &str = "FROM a\nRUN x\nCMD [\"python\", \"app.py\"]\n";
    const THEIRS: &str = "FROM a\nCMD [\"app.py\"]\nUSER 1\n";

    fn shown(lines: &[Line<'_>]) -> Vec<String> {
        lines
            .iter()
            .map(|line| plain(line).trim_end().to_owned())
            .collect()
    }

    #[test]
    fn one_column_shows_what_goes_before_what_comes() {
        let lines = unified(&rows(MINE, THEIRS), 40, Theme::default());
        assert_eq!(
            shown(&lines),
            [
                "   1   FROM a",
                "   2 − RUN x",
                "   3 − CMD [\"python\", \"app.py\"]",
                "   2 + CMD [\"app.py\"]",
                "   3 + USER 1",
            ]
        );
    }

    #[test]
    fn side_by_side_lines_stand_under_each_other() {
        let lines = side_by_side(&rows(MINE, THEIRS), 43, Theme::default());
        assert_eq!(
            shown(&lines),
            [
                "       yours         │        solution",
                "   1   FROM a        │    1   FROM a",
                "   2 − RUN x         │    2 + CMD [\"app.py…",
                "   3 − CMD [\"python… │    3 + USER 1",
            ]
        );
    }

    #[test]
    fn equal_texts_have_no_difference() {
        assert!(is_same(&rows(MINE, MINE)));
        assert!(!is_same(&rows(MINE, THEIRS)));
        assert!(is_same(&rows("", "")));
    }
}
