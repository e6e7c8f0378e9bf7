//! Two texts, line by line: as one column with signs, or side by side.

use std::ops::Range;

use ratatui::text::Line;
use ratatui::text::Span;
use similar::Algorithm;
use similar::DiffOp;

use crate::tui::screen::page;
use crate::tui::theme::Role;
use crate::tui::theme::Theme;

/// Columns from which two texts stand side by side.
const WIDE: u16 = 96;
/// Lines shown around a change.
const AROUND: usize = 3;
/// Texts with more lines than this are compared from both ends only.
const LONG: usize = 3000;

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
    for op in operations(&mine, &theirs) {
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

fn operations(mine: &[&str], theirs: &[&str]) -> Vec<DiffOp> {
    if mine.len().max(theirs.len()) <= LONG {
        return similar::capture_diff_slices(Algorithm::Myers, mine, theirs);
    }
    let same = |a: &(&&str, &&str)| a.0 == a.1;
    let start = mine.iter().zip(theirs).take_while(same).count();
    let (old, new) = (mine.len() - start, theirs.len() - start);
    let end = mine.iter().rev().zip(theirs.iter().rev()).take_while(same);
    let end = end.count().min(old).min(new);
    let equal = |old_index: usize, new_index: usize, len: usize| DiffOp::Equal {
        old_index,
        new_index,
        len,
    };
    vec![
        equal(0, 0, start),
        DiffOp::Replace {
            old_index: start,
            old_len: old - end,
            new_index: start,
            new_len: new - end,
        },
        equal(mine.len() - end, theirs.len() - end, end),
    ]
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

/// Only what changed, with a few lines around it: side by side under these heads where there is
/// room, in one column otherwise.
pub(super) fn changes(
    rows: &[Row<'_>],
    heads: [&str; 2],
    columns: u16,
    theme: Theme,
) -> Vec<Line<'static>> {
    let side = columns >= WIDE;
    let mut lines = Vec::new();
    if side {
        lines.push(head(heads, columns, theme));
    }
    let mut at = 0;
    for range in near(rows) {
        lines.extend(skipped(range.start - at, theme));
        at = range.end;
        let rows = rows.get(range).unwrap_or_default();
        if side {
            lines.extend(pairs(rows, columns, theme));
        } else {
            lines.extend(unified(rows, columns, theme));
        }
    }
    if at > 0 {
        lines.extend(skipped(rows.len() - at, theme));
    }
    lines
}

/// Only the lines that changed, in one column.
pub(super) fn only_changes(rows: &[Row<'_>], columns: u16, theme: Theme) -> Vec<Line<'static>> {
    let changed: Vec<Row<'_>> = rows.iter().filter(|row| !row.is_same()).cloned().collect();
    unified(&changed, columns, theme)
}

fn skipped(lines: usize, theme: Theme) -> Option<Line<'static>> {
    let text = format!("     {} the same", crate::text::plural(lines, "line"));
    (lines > 0).then(|| page::line(theme, &[(Role::Muted, &text)]))
}

/// The rows at most [`AROUND`] from a change.
fn near(rows: &[Row<'_>]) -> Vec<Range<usize>> {
    let mut ranges: Vec<Range<usize>> = Vec::new();
    for (index, _) in rows.iter().enumerate().filter(|(_, row)| !row.is_same()) {
        let (start, end) = (
            index.saturating_sub(AROUND),
            (index + 1 + AROUND).min(rows.len()),
        );
        match ranges.last_mut() {
            // One line left out takes as much room as the line.
            Some(last) if start <= last.end + 1 => last.end = end,
            _ => ranges.push(start..end),
        }
    }
    for range in &mut ranges {
        if range.start == 1 {
            range.start = 0;
        }
        if range.end + 1 == rows.len() {
            range.end = rows.len();
        }
    }
    ranges
}

/// The difference side by side, under a head.
pub(super) fn side_by_side(
    rows: &[Row<'_>],
    heads: [&str; 2],
    columns: u16,
    theme: Theme,
) -> Vec<Line<'static>> {
    let mut lines = vec![head(heads, columns, theme)];
    lines.extend(pairs(rows, columns, theme));
    lines
}

fn middle(theme: Theme) -> Span<'static> {
    let text = format!(" {} ", theme.glyphs.vertical);
    Span::styled(text, theme.style(Role::Rule))
}

fn head([left, right]: [&str; 2], columns: u16, theme: Theme) -> Line<'static> {
    let title = |text: &str| page::line(theme, &[(Role::Muted, &format!("       {text}"))]);
    let width = columns.saturating_sub(3) / 2;
    beside(title(left), &middle(theme), title(right), width)
}

fn pairs(rows: &[Row<'_>], columns: u16, theme: Theme) -> Vec<Line<'static>> {
    let width = columns.saturating_sub(3) / 2;
    let middle = middle(theme);
    let mut lines = Vec::new();
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
        let heads = ["yours", "solution"];
        let lines = side_by_side(&rows(MINE, THEIRS), heads, 43, Theme::default());
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
    fn what_is_far_from_a_change_is_counted() {
        let lines = |changed: &str| {
            (1..=20).fold(String::new(), |text, number| {
                let line = if number == 10 { changed } else { "same" };
                text + line + "\n"
            })
        };
        let (mine, theirs) = (lines("old"), lines("new"));
        let shown = shown(&changes(
            &rows(&mine, &theirs),
            ["a", "b"],
            60,
            Theme::default(),
        ));
        assert_eq!(shown.first().unwrap(), "     6 lines the same");
        assert_eq!(shown[4], "  10 − old");
        assert_eq!(shown[5], "  10 + new");
        assert_eq!(shown.last().unwrap(), "     7 lines the same");
        assert_eq!(shown.len(), 10);
    }

    #[test]
    fn a_long_text_is_compared_from_both_ends() {
        let mine = "a\n".repeat(4000);
        let theirs = format!("{}b\n{}", "a\n".repeat(2000), "a\n".repeat(2000));
        let rows = rows(&mine, &theirs);
        let changed = rows.iter().filter(|row| !row.is_same()).count();
        assert_eq!((rows.len(), changed), (4001, 1));
    }

    #[test]
    fn equal_texts_have_no_difference() {
        assert!(is_same(&rows(MINE, MINE)));
        assert!(!is_same(&rows(MINE, THEIRS)));
        assert!(is_same(&rows("", "")));
    }
}
