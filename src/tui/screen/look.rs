//! What both screens on the inside of an image share: the words while nothing is known of it.

use ratatui::layout::Rect;

use crate::report::Report;
use crate::tui::model::Model;
use crate::tui::model::bench::Bench;
use crate::tui::model::look::Look;
use crate::tui::paint::Painter;
use crate::tui::paint::wrap;
use crate::tui::screen::body;
use crate::tui::theme::Role;
use crate::units::Bytes;
use crate::workshop::insight::Names;

/// The columns of the line that shows how far the reading is.
const LINE: u16 = 40;

/// The report whose image the screens show.
#[must_use]
pub(super) fn report(bench: &Bench) -> Option<&Report> {
    bench
        .report
        .as_deref()
        .filter(|report| report.image.is_some())
}

/// The body without its margins.
pub(super) fn inside(area: Rect) -> Rect {
    let body = body(area);
    Rect {
        x: body.x + 2,
        width: body.width.saturating_sub(4),
        ..body
    }
}

/// Says why there is nothing to show yet.
pub(super) fn nothing(model: &Model, painter: &mut Painter<'_>, area: Rect, bench: &Bench) {
    let (mut y, columns) = (area.y, area.width);
    let mut say = |painter: &mut Painter<'_>, role: Role, text: &str| {
        for line in wrap(text, columns) {
            painter.text(area.x, y, columns, role, &line);
            y += 1;
        }
    };
    if bench.is_building() {
        let words = "The image is being built: 2 shows it. This screen reads it afterwards.";
        return say(painter, Role::Muted, words);
    }
    let Some(report) = report(bench) else {
        let words = match &bench.report {
            None => "Nothing was built yet: b builds, and then this screen reads the image.",
            Some(_) => "The last build made no image: 3 shows why.",
        };
        return say(painter, Role::Muted, words);
    };
    match &bench.look {
        Look::Failed(trouble) => {
            say(painter, Role::Fail, trouble.message.as_str());
            if let Some(next) = &trouble.next_step {
                say(painter, Role::Text, next.as_str());
            }
        }
        Look::Looking { read, .. } => {
            let total = report.image.as_ref().map(|image| image.shipped_bytes);
            progress(painter, area, *read, total.unwrap_or_default());
        }
        Look::NotYet | Look::Here(_) => {
            let glyph = model.theme.glyphs.running;
            say(
                painter,
                Role::Running,
                &format!("{glyph} reading the image"),
            );
        }
    }
}

fn progress(painter: &mut Painter<'_>, area: Rect, read: Bytes, total: Bytes) {
    let glyph = painter.theme.glyphs.running;
    let x = painter.line(
        area.x,
        area.y,
        area.width,
        &[(Role::Running, glyph), (Role::Text, " reading the image")],
    ) + 3;
    let line = LINE.min(area.width / 3);
    let share = read.share_of(total).0 / 100.0;
    painter.progress(x, area.y, line, share);
    let x = x + line + 3;
    let words = if read.0 == 0 {
        "the engine packs it first".to_owned()
    } else {
        format!("{} of {total}", Bytes(read.0.min(total.0)))
    };
    let room = area.right().saturating_sub(x);
    painter.text(x, area.y, room, Role::Muted, &words);
}

/// The names of the layers of the image that is shown.
#[must_use]
pub(super) fn names(bench: &Bench) -> Option<Names<'_>> {
    Some(Names {
        dockerfile: bench.built.get("Dockerfile").map_or("", String::as_str),
        image: report(bench)?.image.as_ref()?,
    })
}
