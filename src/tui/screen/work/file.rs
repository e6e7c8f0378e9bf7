//! The file with its byte bill, and the cursor in it.

use ratatui::layout::Position;
use ratatui::layout::Rect;
use ratatui::style::Style;
use unicode_width::UnicodeWidthChar;

use crate::dockerfile::lint::Severity;
use crate::tui::action;
use crate::tui::action::ActionId;
use crate::tui::model::Model;
use crate::tui::model::bench::Bench;
use crate::tui::model::bench::Conflict;
use crate::tui::model::bench::OpenFile;
use crate::tui::model::bench::Pane;
use crate::tui::model::build::StepState;
use crate::tui::model::editor::columns_before;
use crate::tui::model::editor::width_at;
use crate::tui::paint::Painter;
use crate::tui::paint::width;
use crate::tui::screen;
use crate::tui::screen::work::Layout;
use crate::tui::screen::work::bill::Entry;
use crate::tui::screen::work::bill::entries;
use crate::tui::screen::work::remarks::beside;
use crate::tui::screen::work::remarks::mark;
use crate::tui::screen::work::remarks::remarks;
use crate::tui::theme::Role;

/// Columns of the bill, the step's mark and the line's number.
const BILLED: u16 = 18;
/// Columns of the line's number alone.
const PLAIN: u16 = 6;

/// Whether there is something that a line could have shipped.
fn has_image(bench: &Bench) -> bool {
    let report = bench.report.as_ref();
    report.is_some_and(|report| report.image.is_some())
}

/// Whether a file is a Dockerfile and has a bill.
pub(super) fn is_dockerfile(name: &str) -> bool {
    let name = name.rsplit('/').next().unwrap_or(name);
    name == "Dockerfile" || name.starts_with("Dockerfile.") || name.ends_with(".Dockerfile")
}

/// The columns before the text of the shown file.
#[must_use]
pub fn gutter_width(bench: &Bench) -> u16 {
    match bench.shown() {
        Some(file) if is_dockerfile(&file.name) => BILLED,
        _ => PLAIN,
    }
}

pub(super) fn view(
    model: &Model,
    painter: &mut Painter<'_>,
    layout: &Layout,
    bench: &Bench,
) -> Option<Position> {
    let file = bench.shown()?;
    title(painter, layout.title, bench, file);
    if let Some(conflict) = &file.conflict {
        let rows = banner(painter, layout.file, file, conflict);
        let rest = Rect::new(
            layout.file.x,
            layout.file.y + rows,
            layout.file.width,
            layout.file.height.saturating_sub(rows),
        );
        if conflict.diff {
            difference(painter, rest, file, conflict);
        } else {
            text(model, painter, rest, bench, file);
        }
        return None;
    }
    text(model, painter, layout.file, bench, file)
}

fn title(painter: &mut Painter<'_>, area: Rect, bench: &Bench, file: &OpenFile) {
    let focused = bench.pane == Pane::File;
    if focused {
        painter.text(area.x, area.y, 1, Role::Key, painter.theme.glyphs.focus);
    }
    let mut x = area.x + 2;
    for (index, one) in bench.files.iter().enumerate() {
        let role = if index == bench.file {
            Role::Strong
        } else {
            Role::Muted
        };
        x = painter.text(x, area.y, area.right().saturating_sub(x), role, &one.name);
        if one.is_unsaved() {
            x = painter.text(x, area.y, 1, Role::Warn, "*");
        }
        x += 2;
    }
    let remarks = remarks(bench);
    let mut grave = remarks.iter().filter(|one| one.severity == Severity::Error);
    if let Some(problem) = grave.next() {
        let glyph = painter.theme.glyphs.warn;
        let words = format!("{glyph} line {}: {}", problem.row + 1, problem.text);
        let room = area.right().saturating_sub(x + 2);
        painter.right(
            area.right().saturating_sub(1),
            area.y,
            room,
            Role::Warn,
            &words,
        );
        return;
    }
    let shipped = bench
        .earlier()
        .map(|number| format!("what each line shipped in build {number}"));
    let words = if bench.typing {
        "editing"
    } else if let Some(barred) = file.barred {
        barred.label()
    } else if is_dockerfile(&file.name) && has_image(bench) {
        shipped.as_deref().unwrap_or("what each line ships")
    } else {
        ""
    };
    let role = if bench.typing {
        Role::Running
    } else {
        Role::Muted
    };
    if x + width(words) < area.right() {
        painter.right(
            area.right().saturating_sub(1),
            area.y,
            width(words),
            role,
            words,
        );
    }
}

/// Says that both sides changed; returns the rows that it took.
fn banner(painter: &mut Painter<'_>, area: Rect, file: &OpenFile, conflict: &Conflict) -> u16 {
    let x = area.x + 2;
    let columns = area.width.saturating_sub(3);
    let what = match (&conflict.theirs, file.barred) {
        (Some(_), _) => format!("{} changed on disk, and here too.", file.name),
        (None, Some(barred)) => format!("{} on disk: {}.", file.name, barred.label()),
        (None, None) => format!("{} was deleted on disk.", file.name),
    };
    let warn = painter.theme.glyphs.warn;
    painter.text(x, area.y, columns, Role::Warn, &format!("{warn} {what}"));
    let pieces: &[(Role, &str)] = if conflict.theirs.is_some() {
        &[
            (Role::Key, "Enter"),
            (Role::Muted, " take it    "),
            (Role::Key, "Esc"),
            (Role::Muted, " keep mine    "),
            (Role::Key, "d"),
            (Role::Muted, " diff"),
        ]
    } else if let Some(barred) = file.barred {
        &[(Role::Muted, barred.words())]
    } else {
        &[(Role::Key, "Esc"), (Role::Muted, " write mine back")]
    };
    painter.line(x + 2, area.y + 1, columns.saturating_sub(2), pieces);
    3
}

fn difference(painter: &mut Painter<'_>, area: Rect, file: &OpenFile, conflict: &Conflict) {
    let mine = file.editor.text();
    let theirs = conflict.theirs.clone().unwrap_or_default();
    let diff = similar::TextDiff::from_lines(&mine, &theirs);
    let minus = painter.theme.glyphs.minus;
    let hunks = diff.grouped_ops(2);
    let changes = hunks.iter().flatten().flat_map(|op| diff.iter_changes(op));
    for (change, y) in changes.zip(area.y..area.bottom()) {
        let (sign, role) = match change.tag() {
            similar::ChangeTag::Equal => (" ", Role::Muted),
            similar::ChangeTag::Delete => (minus, Role::Removed),
            similar::ChangeTag::Insert => ("+", Role::Added),
        };
        let line = format!("{sign} {}", change.value().trim_end_matches(['\n', '\r']));
        painter.text(area.x + 2, y, area.width.saturating_sub(3), role, &line);
    }
}

fn text(
    model: &Model,
    painter: &mut Painter<'_>,
    area: Rect,
    bench: &Bench,
    file: &OpenFile,
) -> Option<Position> {
    let billed = is_dockerfile(&file.name);
    let gutter = if billed { BILLED } else { PLAIN };
    let lines = file.editor.lines();
    let bill = if billed {
        entries(bench, &file.name, lines)
    } else {
        Vec::new()
    };
    let sheet = billed.then(|| screen::sheet_beside(&file.editor.text(), beside(bench)));
    let heaviest = bill.iter().filter_map(ships).max();
    let remarks = remarks(bench);
    let (row, column) = file.editor.cursor();
    let focused = bench.pane == Pane::File;
    let shown = lines.iter().enumerate().take(if bench.typing {
        lines.len()
    } else {
        file.editor.line_count()
    });
    for ((index, line), y) in shown
        .skip(file.editor.top)
        .take(area.height.into())
        .zip(area.y..)
    {
        let number = (index + 1).to_string();
        // The row at hand is marked beside its text: a bar over it would hide its colours.
        let here = index == row && focused;
        let role = if here { Role::Key } else { Role::Muted };
        painter.right(area.x + gutter - 2, y, 4, role, &number);
        if here {
            let glyph = painter.theme.glyphs.focus;
            painter.text(area.x + gutter - 1, y, 1, Role::Key, glyph);
        }
        if let Some(entry) = bill.get(index) {
            // The gravest of a row comes first.
            let remark = remarks.iter().find(|remark| remark.row == index);
            let severity = remark.map(|remark| remark.severity);
            margin(painter, area.x, y, entry, heaviest, severity);
        }
        let place = Rect::new(area.x + gutter, y, area.width.saturating_sub(gutter), 1);
        let colors = sheet.as_ref().and_then(|sheet| sheet.colors.get(index));
        let colors = colors.map_or(&[][..], Vec::as_slice);
        line_of_text(painter, place, line, colors, file.editor.left);
    }
    if lines.iter().all(String::is_empty) && !bench.typing {
        let words = empty(model, file);
        let room = area.width.saturating_sub(gutter);
        painter.text(area.x + gutter, area.y, room, Role::Muted, &words);
    }
    if !bench.typing || model.screen != crate::tui::model::Screen::Work {
        return None;
    }
    let x = lines
        .get(row)
        .map_or(0, |line| columns_before(line, column));
    let x = u16::try_from(x.saturating_sub(file.editor.left)).unwrap_or(u16::MAX);
    let y = u16::try_from(row.saturating_sub(file.editor.top)).unwrap_or(u16::MAX);
    let x = (area.x + gutter).saturating_add(x).min(area.right() - 1);
    Some(Position::new(x, area.y.saturating_add(y)))
}

/// What stands in the place of a text that is not there.
fn empty(model: &Model, file: &OpenFile) -> String {
    let key = action::key_name(model, ActionId::Edit);
    match file.barred {
        Some(barred) => barred.words().to_owned(),
        None if key.is_empty() => "an empty file".to_owned(),
        None => format!("an empty file: {key} edits it"),
    }
}

fn ships(entry: &Entry) -> Option<crate::units::Bytes> {
    match entry.cost? {
        super::bill::Cost::Ships(bytes) => Some(bytes),
        super::bill::Cost::Stays(_) => None,
    }
}

fn margin(
    painter: &mut Painter<'_>,
    x: u16,
    y: u16,
    entry: &Entry,
    heaviest: Option<crate::units::Bytes>,
    remark: Option<Severity>,
) {
    let glyphs = painter.theme.glyphs;
    if let Some(cost) = entry.cost {
        let role = match ships(entry) {
            None => Role::Muted,
            Some(bytes) if bytes.0 == 0 => Role::Muted,
            Some(bytes) if Some(bytes) == heaviest => Role::Strong,
            Some(_) => Role::Text,
        };
        painter.right(x + 10, y, 9, role, &cost.show());
    }
    let (role, glyph) = match entry.step {
        Some(StepState::Failed(_)) => (Role::Fail, glyphs.fail),
        Some(StepState::Running(_)) => (Role::Running, glyphs.running),
        _ if remark.is_some_and(|severity| severity >= Severity::Warning) => {
            mark(glyphs, remark.unwrap_or(Severity::Warning))
        }
        _ if entry.blamed => (Role::Warn, glyphs.warn),
        Some(StepState::Cached | StepState::Done(_)) => (Role::Pass, glyphs.pass),
        Some(StepState::Planned | StepState::Stopped(_)) => (Role::Muted, glyphs.todo),
        None => match remark {
            Some(severity) => mark(glyphs, severity),
            None => return,
        },
    };
    painter.text(x + 11, y, 1, role, glyph);
}

/// Writes one line of a file from column `left` on; what a terminal must not see gets a stand-in.
fn line_of_text(
    painter: &mut Painter<'_>,
    area: Rect,
    line: &str,
    colors: &[(std::ops::Range<usize>, Role)],
    left: usize,
) {
    let mut column = 0;
    let right = left + usize::from(area.width);
    let mut run = String::new();
    let mut run_at = left;
    let mut run_style = Style::default();
    for (at, c) in line.char_indices() {
        let wide = width_at(c, column);
        let (start, end) = (column, column + wide);
        column = end;
        if end <= left && wide > 0 {
            continue;
        }
        if end > right {
            break;
        }
        let role = colors
            .iter()
            .find(|(range, _)| range.contains(&at))
            .map_or(Role::Text, |(_, role)| *role);
        let style = painter.theme.style(role);
        if style != run_style || start < left {
            flush(painter, area, run_at - left, run_style, &mut run);
            run_style = style;
            run_at = start.max(left);
        }
        match c {
            '\t' => run.extend(std::iter::repeat_n(' ', end - start.max(left))),
            c if c.width().is_none() || is_bidi(c) => run.push('\u{fffd}'),
            // Half of a wide character at the left edge.
            _ if start < left => run.push(' '),
            c => run.push(c),
        }
    }
    flush(painter, area, run_at - left, run_style, &mut run);
    if column > right {
        let x = area.right().saturating_sub(1);
        painter.text(x, area.y, 1, Role::Muted, painter.theme.glyphs.ellipsis);
    }
}

fn is_bidi(c: char) -> bool {
    matches!(c, '\u{061c}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

fn flush(painter: &mut Painter<'_>, area: Rect, at: usize, style: Style, run: &mut String) {
    if run.is_empty() {
        return;
    }
    let x = u16::try_from(at).unwrap_or(u16::MAX).saturating_add(area.x);
    if x < area.right() {
        let room = usize::from(area.right() - x);
        painter.buf.set_stringn(x, area.y, &run, room, style);
    }
    run.clear();
}
