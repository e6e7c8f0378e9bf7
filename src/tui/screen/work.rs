//! Work: what am I changing. The file with its byte bill, the goals, the build.

mod bill;
mod build;
mod file;
mod goals;
mod remarks;

use ratatui::layout::Position;
use ratatui::layout::Rect;

use crate::tui::action;
use crate::tui::action::ActionId;
use crate::tui::model::Model;
use crate::tui::model::Screen;
use crate::tui::model::bench::Bench;
use crate::tui::model::bench::Pane;
use crate::tui::paint::Painter;
use crate::tui::paint::wrap;
use crate::tui::theme::Role;
use crate::workshop::KeptTexts;

pub use file::gutter_width;
pub use remarks::Remark;
pub use remarks::here as remark_here;
pub(super) use remarks::list as list_remarks;
pub use remarks::mended;
pub use remarks::remarks;

/// Where the parts of the screen are; a part that is not shown has no rows.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Layout {
    /// The title of the file and its banner.
    pub title: Rect,
    /// Where texts are that an earlier sitting did not save.
    pub kept: Rect,
    /// The rows of the file.
    pub file: Rect,
    /// What is remarked on the row at hand.
    pub note: Rect,
    /// Goals and load line at the side.
    pub side: Rect,
    /// The same as two lines, where there is no room at the side.
    pub strip: Rect,
    /// The headline of the build.
    pub headline: Rect,
    /// The steps.
    pub steps: Rect,
    /// The rows of the log.
    pub log: Rect,
}

/// Where everything is.
#[must_use]
pub fn layout(model: &Model, area: Rect) -> Layout {
    let body = crate::tui::screen::body(area);
    let Some(bench) = model.bench() else {
        return Layout::default();
    };
    let layout = if bench.zoom {
        zoomed(body, bench.pane)
    } else if model.is_wide() {
        wide(body)
    } else {
        narrow(body)
    };
    let layout = with_kept(layout, bench);
    let noted = bench
        .shown()
        .is_some_and(|file| file::is_dockerfile(&file.name) && file.conflict.is_none());
    if noted {
        with_note(layout, model.is_wide())
    } else {
        layout
    }
}

/// What is told of texts that an earlier sitting did not save, as lines.
fn kept(bench: &Bench, columns: u16) -> Vec<String> {
    let words = bench.kept.as_ref().map(KeptTexts::words);
    words.map_or_else(Vec::new, |words| wrap(words.as_str(), columns))
}

/// Whether all that is told of such texts is in sight, or as much as there can be.
#[must_use]
pub fn tells_kept(model: &Model) -> bool {
    let place = layout(model, model.area()).kept;
    model.screen == Screen::Work
        && model.bench().is_some_and(|bench| {
            let rows = kept(bench, place.width).len();
            bench.zoom && place.height > 0 || rows == usize::from(place.height)
        })
}

/// Takes the first rows of the file for texts that an earlier sitting did not save: as many as leave
/// some of the file in sight.
fn with_kept(layout: Layout, bench: &Bench) -> Layout {
    let file = layout.file;
    let columns = file.width.saturating_sub(4);
    let rows = u16::try_from(kept(bench, columns).len()).unwrap_or(u16::MAX);
    let rows = rows.min(file.height.saturating_sub(4));
    if rows == 0 {
        return layout;
    }
    Layout {
        kept: Rect::new(file.x + 2, file.y, columns, rows),
        // An empty row keeps it apart from the text.
        file: Rect {
            y: file.y + rows + 1,
            height: file.height - rows - 1,
            ..file
        },
        ..layout
    }
}

/// Takes the last rows of the file for what is remarked on the row at hand.
fn with_note(layout: Layout, wide: bool) -> Layout {
    let rows = if wide { 2 } else { 1 };
    let file = layout.file;
    if file.height < rows + 4 {
        return layout;
    }
    let height = file.height - rows;
    Layout {
        file: Rect { height, ..file },
        note: Rect {
            y: file.y + height,
            height: rows,
            ..file
        },
        ..layout
    }
}

fn zoomed(body: Rect, pane: Pane) -> Layout {
    let top = Rect { height: 1, ..body };
    let rest = Rect {
        y: body.y + 1,
        height: body.height.saturating_sub(1),
        ..body
    };
    match pane {
        Pane::File => Layout {
            title: top,
            file: Rect {
                height: rest.height.saturating_sub(1),
                ..rest
            },
            headline: Rect {
                y: body.bottom().saturating_sub(1),
                height: rest.height.min(1),
                ..body
            },
            ..Layout::default()
        },
        Pane::Log => Layout {
            headline: top,
            log: rest,
            ..Layout::default()
        },
    }
}

fn wide(body: Rect) -> Layout {
    let below = (body.height * 2 / 5).clamp(9, 24);
    let upper = body.height.saturating_sub(below);
    let left = (body.width * 31 / 50).min(body.width.saturating_sub(46));
    let side_x = body.x + left + 3;
    let headline = body.y + upper + 1;
    let rows = below.saturating_sub(4);
    let steps = (body.width * 2 / 5).min(60);
    let log_x = body.x + steps + 3;
    Layout {
        title: Rect::new(body.x, body.y, left, 1),
        file: Rect::new(body.x, body.y + 2, left, upper.saturating_sub(3)),
        note: Rect::default(),
        kept: Rect::default(),
        side: Rect::new(
            side_x,
            body.y,
            body.right().saturating_sub(side_x + 2),
            upper.saturating_sub(1),
        ),
        strip: Rect::default(),
        headline: Rect::new(body.x, headline, body.width, 1),
        steps: Rect::new(body.x, headline + 2, steps, rows),
        log: Rect::new(
            log_x,
            headline + 2,
            body.right().saturating_sub(log_x + 1),
            rows,
        ),
    }
}

fn narrow(body: Rect) -> Layout {
    let log = (body.height / 5).clamp(2, 6);
    // A rule, two lines of goals and load line, the headline of the build.
    let below = 4 + log;
    let upper = body.height.saturating_sub(below);
    let strip = body.y + upper + 1;
    Layout {
        title: Rect::new(body.x, body.y, body.width, 1),
        file: Rect::new(body.x, body.y + 1, body.width, upper.saturating_sub(1)),
        note: Rect::default(),
        kept: Rect::default(),
        side: Rect::default(),
        strip: Rect::new(body.x, strip, body.width, 2),
        headline: Rect::new(body.x, strip + 2, body.width, 1),
        steps: Rect::default(),
        log: Rect::new(body.x + 2, strip + 3, body.width.saturating_sub(3), log),
    }
}

/// The row, from 0, on which a line of the Dockerfile as it was built stands now.
#[must_use]
pub fn row_of(bench: &Bench, line: u32) -> Option<usize> {
    bill::row_of(bench, line)
}

/// Draws the workbench; says where the cursor is, where it takes text.
pub(super) fn view(model: &Model, painter: &mut Painter<'_>, area: Rect) -> Option<Position> {
    let bench = model.bench()?;
    let body = crate::tui::screen::body(area);
    if bench.place.is_none() {
        not_open(painter, body, bench);
        return None;
    }
    let layout = layout(model, area);
    let mut cursor = None;
    tell_kept(model, painter, layout.kept, bench);
    if layout.file.height > 0 {
        cursor = file::view(model, painter, &layout, bench);
    }
    if layout.note.height > 0 {
        remarks::note(model, painter, layout.note, bench);
    }
    if layout.side.height > 0 {
        painter.column(layout.side.x.saturating_sub(2), body.y, layout.side.height);
        goals::side(model, painter, layout.side, bench);
    }
    if layout.strip.height > 0 {
        goals::strip(model, painter, layout.strip, bench);
    }
    if !bench.zoom {
        let y = if layout.strip.height > 0 {
            layout.strip.y
        } else {
            layout.headline.y
        };
        painter.rule(body.x, y.saturating_sub(1), body.width);
    }
    if layout.headline.height > 0 {
        build::headline(model, painter, layout.headline, bench);
    }
    if layout.steps.height > 0 {
        build::steps(model, painter, layout.steps, bench);
        if bench.build.is_some() {
            painter.column(layout.steps.right(), layout.steps.y, layout.steps.height);
        }
    }
    if layout.log.height > 0 {
        build::log(painter, layout.log, bench);
    }
    cursor
}

/// Says where texts are that an earlier sitting did not save; where there are not rows enough, the
/// last one says what gives more, and of what never fits how much that is.
fn tell_kept(model: &Model, painter: &mut Painter<'_>, place: Rect, bench: &Bench) {
    let mut lines = kept(bench, place.width);
    let rows = usize::from(place.height);
    let more = if bench.zoom {
        ActionId::Brief
    } else {
        ActionId::Zoom
    };
    let key = action::key_name(model, more);
    if rows > 0 && lines.len() > rows && !key.is_empty() {
        let rest = lines.split_off(rows - 1).len();
        lines.push(if bench.zoom {
            format!("{rest} more lines: {key} shows them above the brief")
        } else {
            format!("{key} shows where all text of yours is kept")
        });
    }
    for (line, y) in lines.iter().zip(place.y..place.bottom()) {
        painter.text(place.x, y, place.width, Role::Warn, line);
    }
}

fn not_open(painter: &mut Painter<'_>, body: Rect, bench: &Bench) {
    let x = body.x + 3;
    let columns = body.width.saturating_sub(6);
    let Some(trouble) = &bench.trouble else {
        painter.text(x, body.y, columns, Role::Muted, "opening your files");
        return;
    };
    let mut y = body.y;
    let advice = trouble.next_step.as_ref().map(|text| (Role::Text, text));
    let message = std::iter::once((Role::Fail, &trouble.message));
    for (role, text) in message.chain(advice) {
        for line in wrap(text.as_str(), columns) {
            painter.text(x, y, columns, role, &line);
            y += 1;
        }
        y += 1;
    }
}
