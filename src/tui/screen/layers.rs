//! Layers: where the bytes come from. The layers with what each ships and wastes, and the files of
//! the chosen one.

mod list;
mod tree;

use ratatui::layout::Rect;

use crate::text::plural;
use crate::tui::model::Model;
use crate::tui::model::bench::Bench;
use crate::tui::model::layers::LayersPane;
use crate::tui::paint::Painter;
use crate::tui::screen::body;
use crate::tui::screen::look;
use crate::tui::theme::Role;
use crate::workshop::insight::Insight;

/// Where the parts of the screen are; a part that is not shown has no rows.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Layout {
    /// What the image weighs, in one line.
    pub headline: Rect,
    /// The title of the list of layers.
    pub title: Rect,
    /// The list of layers.
    pub list: Rect,
    /// What is wasted.
    pub waste: Rect,
    /// The title of the files, or the chosen layer in one line.
    pub files_title: Rect,
    /// The rows of the files.
    pub files: Rect,
}

/// Where everything is.
#[must_use]
pub fn layout(model: &Model, area: Rect) -> Layout {
    let body = body(area);
    let headline = Rect {
        height: 1,
        ..look::inside(area)
    };
    let gap = if body.height >= 20 { 2 } else { 1 };
    let rest = Rect {
        y: body.y + gap,
        height: body.height.saturating_sub(gap),
        ..body
    };
    let layers = model
        .bench()
        .and_then(|bench| bench.look.insight())
        .map_or(0, |insight| insight.layers.len());
    let pane = model
        .bench()
        .map_or(LayersPane::Layers, |bench| bench.layers.pane);
    if model.is_wide() {
        let left = (body.width * 9 / 20).min(80);
        let (title, list, waste) = left_side(
            Rect {
                width: left,
                ..rest
            },
            layers,
        );
        let right = Rect {
            x: body.x + left + 2,
            width: body.width.saturating_sub(left + 3),
            ..rest
        };
        return Layout {
            headline,
            title,
            list,
            waste,
            files_title: Rect { height: 1, ..right },
            files: below(right, 1),
        };
    }
    match pane {
        LayersPane::Layers => {
            let (title, list, waste) = left_side(rest, layers);
            Layout {
                headline,
                title,
                list,
                waste,
                ..Layout::default()
            }
        }
        LayersPane::Files => Layout {
            headline,
            files_title: Rect { height: 1, ..rest },
            files: below(rest, 1),
            ..Layout::default()
        },
    }
}

fn below(area: Rect, rows: u16) -> Rect {
    Rect {
        y: area.y + rows.min(area.height),
        height: area.height.saturating_sub(rows),
        ..area
    }
}

/// Title, list and waste: the list has the rows that it needs, at most two thirds.
fn left_side(area: Rect, layers: usize) -> (Rect, Rect, Rect) {
    let title = Rect { height: 1, ..area };
    let rest = below(area, 1);
    let wanted = u16::try_from(layers + 1).unwrap_or(u16::MAX);
    let rows = wanted.min(rest.height * 2 / 3);
    let list = Rect {
        height: rows,
        ..rest
    };
    (title, list, below(rest, rows + 1))
}

/// Draws the layers.
pub(super) fn view(model: &Model, painter: &mut Painter<'_>, area: Rect) {
    let Some(bench) = model.bench() else {
        return;
    };
    let layout = layout(model, area);
    let (Some(insight), Some(names)) = (shown(bench), look::names(bench)) else {
        look::nothing(model, painter, look::inside(area), bench);
        return;
    };
    headline(painter, layout.headline, insight);
    if layout.list.height > 0 {
        list::view(painter, &layout, bench, insight, names);
    }
    if layout.files.height > 0 {
        if layout.list.height > 0 {
            let x = layout.files.x.saturating_sub(2);
            painter.column(x, layout.files_title.y, layout.files.height + 1);
        }
        tree::view(painter, &layout, bench, insight, names);
    }
}

/// What is known of the image that the last report is about.
#[must_use]
pub(super) fn shown(bench: &Bench) -> Option<&Insight> {
    bench.look.insight().map(|insight| &**insight)
}

/// `412 MB in 5 layers   61 MB of it is wasted   85 % can be seen`.
fn headline(painter: &mut Painter<'_>, area: Rect, insight: &Insight) {
    let (shipped, dead) = (insight.shipped(), insight.dead());
    let layers = plural(insight.layers.len(), "layer");
    let mut x = painter.line(
        area.x,
        area.y,
        area.width,
        &[
            (Role::Strong, &shipped.to_string()),
            (Role::Text, &format!(" in {layers}")),
        ],
    ) + 3;
    let room = |x: u16| area.right().saturating_sub(x);
    if dead.0 == 0 {
        let glyph = painter.theme.glyphs.pass;
        painter.line(
            x,
            area.y,
            room(x),
            &[(Role::Pass, glyph), (Role::Text, " nothing wasted")],
        );
        return;
    }
    x = painter.line(
        x,
        area.y,
        room(x),
        &[(Role::Waste, &dead.to_string()), (Role::Text, " wasted")],
    ) + 3;
    let share = shipped.minus(dead).share_of(shipped);
    // Rounding must not say that nothing is wasted.
    let share = if share.0 >= 99.5 {
        ">99 %".to_owned()
    } else {
        share.to_string()
    };
    let words = [
        format!("{share} efficient"),
        "wasted is what a later layer hides: it is shipped all the same".to_owned(),
    ];
    for words in words {
        if crate::tui::paint::width(&words) <= room(x) {
            x = painter.text(x, area.y, room(x), Role::Muted, &words) + 3;
        }
    }
}

/// The layer that the chosen row is about.
fn layer_at(bench: &Bench, insight: &Insight) -> Option<usize> {
    let state = &bench.layers;
    match (state.at.checked_sub(1), state.pane) {
        (Some(layer), _) => Some(layer),
        (None, LayersPane::Files) => insight.layer_of(state.row()?.node),
        (None, LayersPane::Layers) => None,
    }
}

/// The line, as it is now, that made what is chosen.
#[must_use]
pub fn line_at(model: &Model) -> Option<u32> {
    let bench = model.bench()?;
    let layer = layer_at(bench, shown(bench)?)?;
    look::names(bench)?.line(layer)
}

/// The screen as text, to be copied.
#[must_use]
pub fn text(model: &Model) -> String {
    let bench = model.bench();
    let known = bench.and_then(|bench| Some((shown(bench)?, look::names(bench)?)));
    known.map_or_else(String::new, |(insight, names)| {
        names.lines(insight).join("\n")
    })
}
