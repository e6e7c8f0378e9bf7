//! CVEs: where do the known vulnerabilities come from, and what became of those of the first image.

mod list;
mod table;

pub(in crate::tui) use list::details_height;
use ratatui::layout::Rect;

use crate::finding::Finding;
use crate::finding::Scan;
use crate::report::Report;
use crate::tui::model::Model;
use crate::tui::model::bench::Bench;
use crate::tui::model::look::FirstScan;
use crate::tui::paint::Painter;
use crate::tui::paint::width;
use crate::tui::paint::wrap;
use crate::tui::screen::look;
use crate::tui::theme::Role;
use crate::workshop::insight::Advised;
use crate::workshop::insight::Names;
use crate::workshop::insight::blind_spots;
use crate::workshop::insight::cve_lines;
use crate::workshop::insight::database;

/// Rows of what cannot be seen, at most.
const SPOTS: usize = 3;

/// Rows of the table.
const ROWS: u16 = 4;

/// Where the parts of the screen are; a part that is not shown has no rows.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Layout {
    /// Which advisories.
    pub database: Rect,
    /// Both images in numbers.
    pub table: Rect,
    /// Where they come from, beside the table.
    pub sources: Rect,
    /// What cannot be seen.
    pub spots: Rect,
    /// The title of the list.
    pub title: Rect,
    /// The rows of the list.
    pub list: Rect,
}

/// Where everything is.
#[must_use]
pub fn layout(model: &Model, area: Rect) -> Layout {
    let inside = look::inside(area);
    let wide = model.is_wide();
    let gap = u16::from(area.height >= 24);
    let mut y = inside.y;
    let mut take = |rows: u16, gap: u16| {
        let rows = rows.min(inside.bottom().saturating_sub(y));
        let place = Rect {
            y,
            height: rows,
            ..inside
        };
        y = (y + rows + gap).min(inside.bottom());
        place
    };
    let database = take(1, gap);
    let rows = if wide { wide_rows(model) } else { ROWS };
    let table = take(rows, if wide { gap } else { 0 });
    let (table, beside) = if wide {
        let left = table::WIDTH.min(table.width);
        let x = table.x + left + 5;
        let beside = Rect {
            x,
            width: table.right().saturating_sub(x),
            ..table
        };
        (
            Rect {
                width: left,
                ..table
            },
            beside,
        )
    } else {
        (table, take(1, gap))
    };
    let spots = model.bench().and_then(advised).map_or(0, |advised| {
        let spots = blind_spots(&advised.scan).len();
        (spots + usize::from(spots > 0)).min(SPOTS + 1)
    });
    let spots = take(
        u16::try_from(spots).unwrap_or(0),
        if spots > 0 { gap } else { 0 },
    );
    let title = take(1, 0);
    let list = take(u16::MAX, 0);
    Layout {
        database,
        table,
        sources: beside,
        spots,
        title,
        list,
    }
}

/// Rows of the table, or of the places beside it where those are more.
fn wide_rows(model: &Model) -> u16 {
    let bench = model.bench();
    let sources = bench.map_or(0, |bench| bench.cves.compared.sources.len());
    let sources = u16::try_from(sources).unwrap_or(u16::MAX);
    ROWS.max(sources.saturating_add(1).min(6))
}

/// What is known of this image.
#[must_use]
pub(in crate::tui) fn advised(bench: &Bench) -> Option<&Advised> {
    let insight = bench.look.insight()?;
    insight.advised.as_ref().ok()
}

/// What is known of the first image, with its report, where it is another one.
#[must_use]
pub fn first<'a>(model: &'a Model, bench: &'a Bench) -> Option<(&'a Scan, &'a Report)> {
    let record = model.record(&bench.exercise)?;
    match &bench.first_scan {
        FirstScan::Here(scan) => Some((scan, record.first.as_deref()?)),
        _ => None,
    }
}

/// The finding that is chosen.
#[must_use]
pub(super) fn chosen<'a>(model: &'a Model, bench: &'a Bench) -> Option<&'a Finding> {
    let before = first(model, bench).map(|(scan, _)| scan);
    let scan = bench.cves.scan(&advised(bench)?.scan, before)?;
    let index = bench.cves.rows().get(bench.cves.selected)?;
    scan.findings.get(*index)
}

/// Draws them.
pub(super) fn view(model: &Model, painter: &mut Painter<'_>, area: Rect) {
    let Some(bench) = model.bench() else {
        return;
    };
    let (Some(insight), Some(names)) = (bench.look.insight(), look::names(bench)) else {
        look::nothing(model, painter, look::inside(area), bench);
        return;
    };
    let advised = match &insight.advised {
        Ok(advised) => advised,
        Err(trouble) => {
            unknown(painter, look::inside(area), trouble);
            return;
        }
    };
    let layout = layout(model, area);
    let words = database(advised);
    painter.text(
        layout.database.x,
        layout.database.y,
        layout.database.width,
        Role::Muted,
        &words,
    );
    table::view(model, painter, &layout, bench);
    spots(painter, layout.spots, &advised.scan);
    list::view(model, painter, &layout, bench, names);
}

/// No figure at all, and why; never a zero.
fn unknown(painter: &mut Painter<'_>, area: Rect, trouble: &crate::workshop::Trouble) {
    let mut y = area.y;
    let message = (Role::Warn, trouble.message.as_str());
    let next = trouble
        .next_step
        .as_ref()
        .map(|next| (Role::Text, next.as_str()));
    for (role, text) in std::iter::once(message).chain(next) {
        for line in wrap(text, area.width) {
            painter.text(area.x, y, area.width, role, &line);
            y += 1;
        }
        y += 1;
    }
}

/// What the comparison could not see.
fn spots(painter: &mut Painter<'_>, area: Rect, scan: &Scan) {
    if area.height == 0 {
        return;
    }
    let glyph = painter.theme.glyphs.warn;
    let words = format!("{glyph} Not everything can be seen, so these figures are the least:");
    painter.text(area.x, area.y, area.width, Role::Warn, &words);
    let spots = blind_spots(scan);
    let rows = usize::from(area.height - 1);
    for (index, (spot, y)) in spots.iter().zip(area.y + 1..area.bottom()).enumerate() {
        let rest = spots.len() - index - 1;
        let more = if index + 1 == rows && rest > 0 {
            format!("  and {rest} more")
        } else {
            String::new()
        };
        let room = area.width.saturating_sub(2 + width(&more));
        let end = painter.text(area.x + 2, y, room, Role::Text, spot);
        painter.text(end, y, width(&more), Role::Muted, &more);
    }
}

/// The screen as text, to be copied.
#[must_use]
pub fn text(model: &Model) -> String {
    let Some(bench) = model.bench() else {
        return String::new();
    };
    let (Some(advised), Some(names)) = (advised(bench), look::names(bench)) else {
        return String::new();
    };
    let before = first(model, bench);
    let first = before.and_then(|(_, report)| {
        Some(Names {
            dockerfile: "",
            image: report.image.as_ref()?,
        })
    });
    let before = before.map(|(scan, _)| scan).zip(first.as_ref());
    cve_lines(advised, &names, before).join("\n")
}
