//! The layers, heaviest at a glance, and where the waste is.

use ratatui::layout::Rect;

use crate::text::plural;
use crate::tui::model::bench::Bench;
use crate::tui::model::layers::LayersPane;
use crate::tui::paint::Painter;
use crate::tui::screen::layers::Layout;
use crate::tui::theme::Role;
use crate::units::Bytes;
use crate::workshop::insight::Insight;
use crate::workshop::insight::Names;
use crate::workshop::insight::path;
use crate::workshop::insight::size;

/// Columns of a size.
const SIZE: u16 = 9;
/// Columns before the instruction.
const BEFORE: u16 = 2 + SIZE + 1 + SIZE + 2;

pub(super) fn view(
    painter: &mut Painter<'_>,
    layout: &Layout,
    bench: &Bench,
    insight: &Insight,
    names: Names<'_>,
) {
    let focused = bench.layers.pane == LayersPane::Layers;
    title(painter, layout.title, focused);
    let height = usize::from(layout.list.height);
    let rows = insight.layers.len() + 1;
    let first = (bench.layers.at + 1)
        .saturating_sub(height.saturating_sub(1).max(1))
        .min(rows.saturating_sub(height));
    for (at, y) in (first..rows).zip(layout.list.y..layout.list.bottom()) {
        let row = Rect {
            y,
            height: 1,
            ..layout.list
        };
        layer_row(painter, row, insight, names, at);
        if at == bench.layers.at {
            let role = if focused { Role::Key } else { Role::Muted };
            if focused {
                let bar = Rect {
                    x: row.x + 1,
                    width: row.width.saturating_sub(2),
                    ..row
                };
                painter.highlight(bar, Role::Select);
            }
            let glyph = painter.theme.glyphs.focus;
            painter.text(row.x, y, 1, role, glyph);
        }
    }
    ends(painter, layout.list, first > 0, first + height < rows);
    waste(painter, layout.waste, insight, names);
}

fn title(painter: &mut Painter<'_>, area: Rect, focused: bool) {
    if focused {
        painter.text(area.x, area.y, 1, Role::Key, painter.theme.glyphs.focus);
    }
    painter.right(area.x + 2 + SIZE, area.y, SIZE, Role::Muted, "size");
    let x = area.x + 2 + SIZE + 1 + SIZE;
    painter.right(x, area.y, SIZE, Role::Muted, "wasted");
    let role = if focused { Role::Strong } else { Role::Text };
    painter.text(area.x + BEFORE, area.y, 20, role, "Layers");
}

fn layer_row(painter: &mut Painter<'_>, row: Rect, insight: &Insight, names: Names<'_>, at: usize) {
    let layer = at.checked_sub(1);
    let (shipped, dead) = match layer.and_then(|layer| insight.layers.get(layer)) {
        Some(layer) => (layer.bill.shipped, layer.bill.dead),
        None => (insight.shipped(), insight.dead()),
    };
    let role = |bytes: Bytes, role: Role| if bytes.0 == 0 { Role::Muted } else { role };
    let x = row.x + 2 + SIZE;
    painter.right(x, row.y, SIZE, role(shipped, Role::Text), &size(shipped));
    let x = x + 1 + SIZE;
    painter.right(x, row.y, SIZE, role(dead, Role::Waste), &size(dead));
    let (role, text) = match layer {
        None => (Role::Strong, "all layers together".to_owned()),
        Some(layer) if names.is_base(layer) => (Role::Muted, names.maker(layer)),
        Some(layer) => (Role::Text, names.maker(layer)),
    };
    let room = row.width.saturating_sub(BEFORE + 1);
    painter.text(row.x + BEFORE, row.y, room, role, &text);
}

/// Marks that there is more above or below.
pub(super) fn ends(painter: &mut Painter<'_>, area: Rect, above: bool, below: bool) {
    let glyphs = painter.theme.glyphs;
    if above {
        painter.right(area.right(), area.y, 1, Role::Muted, glyphs.up);
    }
    if below {
        let y = area.bottom().saturating_sub(1);
        painter.right(area.right(), y, 1, Role::Muted, glyphs.down);
    }
}

/// The heaps of dead bytes, two rows each.
fn waste(painter: &mut Painter<'_>, area: Rect, insight: &Insight, names: Names<'_>) {
    if insight.heaps.is_empty() || area.height < 2 {
        return;
    }
    let (x, end) = (area.x + 2, area.right().saturating_sub(1));
    painter.line(
        x,
        area.y,
        end.saturating_sub(x),
        &[
            (Role::Strong, "Wasted "),
            (Role::Waste, &size(insight.dead())),
        ],
    );
    let (heaps, base) = names.sorted(&insight.heaps);
    // What is within the base comes last, in one row.
    let last = u16::from(base > Bytes(0));
    let at = area.x + 2 + SIZE + 2;
    let room = end.saturating_sub(at);
    let mut y = area.y + 1;
    for (index, heap) in heaps.iter().enumerate() {
        if y + 2 + last > area.bottom() {
            let more = plural(heaps.len() - index, "more place");
            if y + last < area.bottom() {
                painter.right(end, y, end.saturating_sub(x), Role::Muted, &more);
                y += 1;
            }
            break;
        }
        painter.right(area.x + 2 + SIZE, y, SIZE, Role::Waste, &size(heap.bytes));
        painter.text(at, y, room, Role::Text, &path(heap));
        painter.text(at, y + 1, room, Role::Muted, &names.story(heap));
        y += 2;
    }
    if base > Bytes(0) && y < area.bottom() {
        painter.right(area.x + 2 + SIZE, y, SIZE, Role::Muted, &size(base));
        let words = "within the base image";
        painter.text(at, y, room, Role::Muted, words);
    }
}
