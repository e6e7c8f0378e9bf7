//! What each instruction costs now, against what it cost in another image: the first that was
//! built, or the one before.

use std::collections::BTreeMap;

use ratatui::text::Line;
use ratatui::text::Span;

use crate::image::maker;
use crate::report::ImageReport;
use crate::report::Report;
use crate::tui::model::bench::Bench;
use crate::tui::screen::page;
use crate::tui::theme::Role;
use crate::tui::theme::Theme;
use crate::units::Bytes;
use crate::workshop::insight::instruction;

/// Rows at most; the rest is summed up.
const ROWS: usize = 10;

/// Cells of a size among `columns` that stand for `whole`.
pub(super) fn cells(size: Bytes, whole: Bytes, columns: u16) -> u16 {
    let cells = (u128::from(size.0) * u128::from(columns)).checked_div(u128::from(whole.0));
    u16::try_from(cells.unwrap_or(0))
        .unwrap_or(columns)
        .min(columns)
}

/// A bar of a size; what weighs something is never drawn as nothing.
pub(super) fn bar(theme: Theme, size: Bytes, whole: Bytes, columns: u16) -> String {
    let eighths = (u128::from(size.0) * u128::from(columns) * 8).checked_div(u128::from(whole.0));
    let eighths = usize::try_from(eighths.unwrap_or(0)).unwrap_or(0);
    let eighths = eighths.max(usize::from(size.0 > 0));
    let glyphs = theme.glyphs;
    let mut text = glyphs.full.repeat(eighths / 8);
    if eighths % 8 > 0 {
        text.push_str(glyphs.eighths.get(eighths % 8 - 1).unwrap_or(&glyphs.full));
    }
    text
}

/// One instruction, then and now.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Row {
    name: String,
    before: Bytes,
    now: Bytes,
    line: Option<u32>,
}

impl Row {
    fn change(&self) -> u64 {
        self.before.0.abs_diff(self.now.0)
    }
}

/// What an image is compared with.
pub(super) struct Against<'a> {
    /// The other attempt.
    pub(super) report: Option<&'a Report>,
    /// The names of the other attempt and of this one.
    pub(super) words: [&'a str; 2],
}

/// Adds the bill to the lines of the screen.
pub(super) fn lines(
    lines: &mut Vec<Line<'static>>,
    theme: Theme,
    bench: &Bench,
    against: &Against<'_>,
    report: &Report,
    columns: u16,
) {
    let Some(image) = &report.image else {
        return;
    };
    let other = against.report;
    let other = other.filter(|other| other.started_at != report.started_at);
    let before = other.and_then(|other| other.image.as_ref());
    let mut rows = rows(image, before, bench);
    rows.retain(|row| row.before.0.max(row.now.0) > 0);
    if rows.is_empty() {
        return;
    }
    let compared = before.is_some();
    rows.sort_by_key(|row| {
        let weight = if compared { row.change() } else { row.now.0 };
        std::cmp::Reverse((weight, row.now.0))
    });
    let mut head = page::line(theme, &[(Role::Strong, "What each line costs")]);
    if compared {
        let arrow = theme.glyphs.arrow;
        let [then, now] = against.words;
        head.spans.push(Span::styled(
            format!("   {then} {arrow} {now}"),
            theme.style(Role::Muted),
        ));
    }
    lines.push(head);
    lines.push(Line::default());
    let rest = rows.split_off(rows.len().min(ROWS));
    let most = rows.iter().map(|row| weight(row, compared)).max();
    for row in &rows {
        lines.push(row_line(theme, row, compared, most.unwrap_or(0), columns));
    }
    if !rest.is_empty() {
        let now: Bytes = rest.iter().map(|row| row.now).sum();
        let text = format!("and {} with {now}", crate::text::plural(rest.len(), "line"));
        lines.push(page::line(theme, &[(Role::Muted, &text)]));
    }
    lines.push(Line::default());
}

fn weight(row: &Row, compared: bool) -> u64 {
    if compared { row.change() } else { row.now.0 }
}

fn row_line(theme: Theme, row: &Row, compared: bool, most: u64, columns: u16) -> Line<'static> {
    let glyphs = theme.glyphs;
    let name = (columns / 3).clamp(16, 40);
    let line = row
        .line
        .map_or_else(|| "    ".to_owned(), |line| format!("{line:>3} "));
    let sizes = if compared {
        format!("{} {} {}", short(row.before), glyphs.arrow, short(row.now))
    } else {
        short(row.now)
    };
    let (role, sign) = if row.now > row.before {
        (Role::Warn, "+")
    } else {
        (Role::Pass, glyphs.minus)
    };
    let (bar_role, change) = match (compared, row.change()) {
        (true, 0) => (Role::Muted, "same".to_owned()),
        (true, change) => (role, format!("{sign}{}", Bytes(change))),
        (false, _) => (Role::You, String::new()),
    };
    let width = if compared { 18 } else { 8 };
    let room = columns.saturating_sub(name + 4 + width + 2 + 11);
    let bar = bar(
        theme,
        Bytes(weight(row, compared)),
        Bytes(most),
        room.min(44),
    );
    let bar = page::fit(theme, &bar, room.min(44));
    page::line(
        theme,
        &[
            (Role::Muted, &line),
            (Role::Text, &page::fit(theme, &row.name, name)),
            (Role::Muted, &page::fit_right(theme, &sizes, width)),
            (Role::Text, "  "),
            (bar_role, &bar),
            (bar_role, &page::fit_right(theme, &change, 11)),
        ],
    )
}

fn short(size: Bytes) -> String {
    if size.0 == 0 {
        "0".to_owned()
    } else {
        size.to_string()
    }
}

/// The instructions of both images; the same words are the same instruction, and so are the bases.
fn rows(now: &ImageReport, before: Option<&ImageReport>, bench: &Bench) -> Vec<Row> {
    let dockerfile = bench.built.get("Dockerfile").map_or("", String::as_str);
    let mut rows: BTreeMap<String, Row> = BTreeMap::new();
    let mut add = |image: &ImageReport, is_now: bool| {
        let base = image.layers.first().and_then(|layer| layer.line);
        for layer in &image.layers {
            let written = layer.created_by.as_ref().map_or("", |by| by.as_str());
            let is_base = base.is_some() && layer.line == base;
            let key = match layer.line {
                _ if is_base => "FROM".to_owned(),
                Some(line) if written.is_empty() => format!("line {line}"),
                _ => written.to_owned(),
            };
            let row = rows.entry(key.clone()).or_insert_with(|| Row {
                name: maker::instruction(&key),
                before: Bytes(0),
                now: Bytes(0),
                line: None,
            });
            if is_now {
                row.now = row.now.plus(layer.shipped_bytes);
                row.line = layer.line;
                let text = layer.line.and_then(|line| instruction(dockerfile, line));
                row.name = text.unwrap_or_else(|| row.name.clone());
            } else {
                row.before = row.before.plus(layer.shipped_bytes);
            }
        }
    };
    if let Some(before) = before {
        add(before, false);
    }
    add(now, true);
    rows.into_values().collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::course::ExerciseId;
    use crate::report::LayerReport;
    use crate::text::Clean;

    fn layer(line: u32, by: &str, bytes: u64) -> LayerReport {
        LayerReport {
            created_by: Some(Clean::line(by)),
            line: Some(line),
            shipped_bytes: Bytes(bytes),
        }
    }

    fn image(layers: Vec<LayerReport>) -> ImageReport {
        ImageReport {
            id: String::new(),
            shipped_bytes: layers.iter().map(|layer| layer.shipped_bytes).sum(),
            exact: true,
            layers,
            builder_lines: Vec::new(),
        }
    }

    #[test]
    fn bases_are_one_row_and_the_same_words_are_the_same_instruction() {
        let before = image(vec![
            layer(1, "a", 600),
            layer(1, "b", 400),
            layer(3, "RUN /bin/sh -c apt-get install # buildkit", 72),
            layer(4, "COPY app.py . # buildkit", 1),
        ]);
        let now = image(vec![
            layer(4, "c", 60),
            layer(6, "COPY app.py . # buildkit", 1),
        ]);
        let mut bench = Bench::new(ExerciseId("x".to_owned()));
        let text = "#\n#\n#\nFROM small\n#\nCOPY app.py .\n".to_owned();
        bench.built.insert("Dockerfile".to_owned(), text);
        let shown: Vec<(String, u64, u64)> = rows(&now, Some(&before), &bench)
            .into_iter()
            .map(|row| (row.name, row.before.0, row.now.0))
            .collect();
        assert_eq!(
            shown,
            [
                ("COPY app.py .".to_owned(), 1, 1),
                ("FROM small".to_owned(), 1000, 60),
                ("RUN apt-get install".to_owned(), 72, 0),
            ]
        );
    }

    #[test]
    fn a_bar_is_never_wider_than_its_place_and_never_nothing_for_something() {
        let theme = Theme::default();
        assert_eq!(bar(theme, Bytes(100), Bytes(100), 4), "████");
        assert_eq!(bar(theme, Bytes(1), Bytes(1_000_000), 4), "▏");
        assert_eq!(bar(theme, Bytes(0), Bytes(100), 4), "");
        assert_eq!(bar(theme, Bytes(5), Bytes(0), 4), "▏");
    }
}
