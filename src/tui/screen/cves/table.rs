//! Both images in numbers, and where the findings come from.

use ratatui::layout::Rect;

use crate::finding::Counts;
use crate::finding::Severity;
use crate::tui::model::Model;
use crate::tui::model::bench::Bench;
use crate::tui::model::look::FirstScan;
use crate::tui::paint::Painter;
use crate::tui::paint::width;
use crate::tui::screen::cves::Layout;
use crate::tui::screen::cves::advised;
use crate::tui::screen::cves::first;
use crate::tui::theme::Role;
use crate::workshop::insight::Origin;
use crate::workshop::insight::Seen;
use crate::workshop::insight::Source;

/// Columns of the table.
pub(super) const WIDTH: u16 = LABEL + COLUMN * 5 + 8;
/// Columns of the names of the rows.
const LABEL: u16 = 8;
/// Columns of a severity.
const COLUMN: u16 = 10;

/// The severities of the table; unknown ones have a column where there are some.
const COLUMNS: [Severity; 4] = [
    Severity::Critical,
    Severity::High,
    Severity::Medium,
    Severity::Low,
];

pub(super) fn view(model: &Model, painter: &mut Painter<'_>, layout: &Layout, bench: &Bench) {
    let compared = &bench.cves.compared;
    let area = layout.table;
    let unknown = compared.now.unknown + compared.before.map_or(0, |before| before.unknown);
    let mut columns: Vec<Severity> = COLUMNS.to_vec();
    if unknown > 0 {
        columns.push(Severity::Unknown);
    }
    let column = (area.width.saturating_sub(LABEL + 8) / 5).min(COLUMN);
    let table = Table {
        area,
        columns: &columns,
        column,
    };
    table.head(painter);
    let first = first(model, bench).map(|(scan, _)| scan);
    let before = compared.before.as_ref();
    let then = first.map_or(Seen::All, Seen::of);
    table.counts(painter, 1, "first", before, Role::Before, then);
    let now = advised(bench).map_or(Seen::All, |advised| Seen::of(&advised.scan));
    let counts = Some(&compared.now);
    table.counts(painter, 2, "you", counts, Role::You, now);
    if compared.before.is_some() {
        let known = then != Seen::Nothing && now != Seen::Nothing;
        table.changes(painter, 3, bench, known);
    } else {
        let words = why_no_first(model, bench);
        let room = area.width.saturating_sub(LABEL);
        painter.text(area.x + LABEL, area.y + 1, room, Role::Muted, &words);
    }
    if layout.sources.height > 1 {
        sources(painter, layout.sources, &compared.sources);
    } else {
        sources_in_a_row(painter, layout.sources, &compared.sources);
    }
}

/// Why there are no figures of the first image.
fn why_no_first(model: &Model, bench: &Bench) -> String {
    match &bench.first_scan {
        FirstScan::Same => "this is your first image".to_owned(),
        FirstScan::Looking { .. } => {
            format!("{} reading your first image", model.theme.glyphs.running)
        }
        FirstScan::Failed(trouble) => format!("not known: {}", trouble.message),
        FirstScan::NotYet | FirstScan::Here(_) => String::new(),
    }
}

struct Table<'a> {
    area: Rect,
    columns: &'a [Severity],
    column: u16,
}

impl Table<'_> {
    fn end(&self, column: usize) -> u16 {
        let column = u16::try_from(column + 1).unwrap_or(u16::MAX);
        self.area.x + LABEL + self.column.saturating_mul(column)
    }

    fn cell(&self, painter: &mut Painter<'_>, row: u16, column: usize, role: Role, text: &str) {
        let y = self.area.y + row;
        if y < self.area.bottom() {
            painter.right(self.end(column), y, self.column, role, text);
        }
    }

    fn head(&self, painter: &mut Painter<'_>) {
        for (index, severity) in self.columns.iter().enumerate() {
            self.cell(painter, 0, index, Role::Muted, severity.as_str());
        }
        self.cell(painter, 0, self.columns.len(), Role::Muted, "total");
    }

    fn counts(
        &self,
        painter: &mut Painter<'_>,
        row: u16,
        label: &str,
        counts: Option<&Counts>,
        role: Role,
        seen: Seen,
    ) {
        let y = self.area.y + row;
        if y >= self.area.bottom() {
            return;
        }
        painter.text(self.area.x, y, LABEL, role, label);
        let Some(counts) = counts else {
            return;
        };
        for (index, severity) in self.columns.iter().enumerate() {
            let count = counts.of(*severity);
            if seen == Seen::Nothing {
                self.cell(painter, row, index, Role::Warn, "?");
                continue;
            }
            let role = match (count, severity) {
                (0, _) => Role::Muted,
                (_, Severity::Critical | Severity::High) => Role::Fail,
                (_, Severity::Medium) => Role::Warn,
                (_, Severity::Low | Severity::Unknown) => Role::Text,
            };
            self.cell(painter, row, index, role, &count.to_string());
        }
        let (role, total) = match seen {
            Seen::All => (Role::Strong, counts.total().to_string()),
            Seen::Some => (Role::Strong, format!("{}+", counts.total())),
            Seen::Nothing => (Role::Warn, "?".to_owned()),
        };
        self.cell(painter, row, self.columns.len(), role, &total);
    }

    fn changes(&self, painter: &mut Painter<'_>, row: u16, bench: &Bench, known: bool) {
        let y = self.area.y + row;
        if y >= self.area.bottom() {
            return;
        }
        painter.text(self.area.x, y, LABEL, Role::Muted, "change");
        let columns = self.columns.iter().map(|severity| Some(*severity));
        for (index, severity) in columns.chain([None]).enumerate() {
            let change = bench.cves.compared.change(severity).unwrap_or(0);
            let (role, text) = if known {
                signed(painter, change)
            } else {
                (Role::Warn, "?".to_owned())
            };
            self.cell(painter, row, index, role, &text);
        }
    }
}

fn signed(painter: &Painter<'_>, change: i64) -> (Role, String) {
    let minus = painter.theme.glyphs.minus;
    match change {
        0 => (Role::Muted, "0".to_owned()),
        change if change < 0 => (Role::Pass, format!("{minus}{}", change.unsigned_abs())),
        change => (Role::Warn, format!("+{change}")),
    }
}

/// What is to be said of a place.
fn fate(source: &Source) -> (Role, &'static str) {
    match (source.now, source.before, source.origin) {
        (0, Some(_), _) => (Role::Pass, "gone"),
        (0, None, _) => (Role::Muted, ""),
        (_, _, Origin::Base) => (Role::Text, "comes with FROM"),
        (_, _, Origin::Added(_)) => (Role::Text, "yours to fix"),
    }
}

fn sources(painter: &mut Painter<'_>, area: Rect, sources: &[Source]) {
    if sources.is_empty() {
        return;
    }
    painter.text(
        area.x,
        area.y,
        area.width,
        Role::Strong,
        "Where they come from",
    );
    for (source, y) in sources.iter().zip(area.y + 1..area.bottom()) {
        let (role, words) = fate(source);
        painter.text(area.x, y, 17, Role::Text, source.origin.name());
        let arrow = painter.theme.glyphs.arrow;
        let counts = match source.before {
            Some(before) => format!("{before} {arrow} {}", source.now),
            None => source.now.to_string(),
        };
        let end = area.x + 17 + 13;
        painter.right(end, y, 13, Role::Text, &counts);
        let room = area.right().saturating_sub(end + 3);
        if width(words) <= room {
            painter.text(end + 3, y, room, role, words);
        }
    }
}

/// The same in one row, the largest places first.
fn sources_in_a_row(painter: &mut Painter<'_>, area: Rect, sources: &[Source]) {
    if area.height == 0 {
        return;
    }
    let (arrow, dot) = (painter.theme.glyphs.arrow, painter.theme.glyphs.dot);
    let mut x = area.x;
    for source in sources {
        let before = match source.before {
            Some(before) => format!("{before} {arrow} "),
            None => String::new(),
        };
        let text = format!("{} {before}{}", source.origin.name(), source.now);
        let lead = if x == area.x {
            String::new()
        } else {
            format!(" {dot} ")
        };
        if x + width(&lead) + width(&text) > area.right() {
            return;
        }
        x = painter.line(
            x,
            area.y,
            area.right().saturating_sub(x),
            &[(Role::Muted, &lead), (Role::Muted, &text)],
        );
    }
}
