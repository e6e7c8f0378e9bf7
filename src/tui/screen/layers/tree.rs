//! The files of the chosen layer as a tree.

use ratatui::layout::Rect;

use crate::image::changes::Change;
use crate::text::plural;
use crate::tui::model::bench::Bench;
use crate::tui::model::layers::LayersPane;
use crate::tui::model::layers::LayersState;
use crate::tui::model::layers::Row;
use crate::tui::model::layers::Show;
use crate::tui::model::layers::Sort;
use crate::tui::paint::Painter;
use crate::tui::paint::cut;
use crate::tui::paint::width;
use crate::tui::screen::layers::Layout;
use crate::tui::screen::layers::list;
use crate::tui::theme::Role;
use crate::workshop::insight::FileTree;
use crate::workshop::insight::Insight;
use crate::workshop::insight::Names;
use crate::workshop::insight::Node;
use crate::workshop::insight::size;

/// Columns of a size.
const SIZE: u16 = 10;
/// How far a folder's rows are set in.
const STEP: u16 = 2;
/// Rows deeper than this are not set in further.
const DEEPEST: u16 = 12;

pub(super) fn view(
    painter: &mut Painter<'_>,
    layout: &Layout,
    bench: &Bench,
    insight: &Insight,
    names: Names<'_>,
) {
    let state = &bench.layers;
    let focused = state.pane == LayersPane::Files;
    if layout.list.height > 0 {
        title(painter, layout.files_title, state, insight, focused);
    } else {
        layer_line(painter, layout.files_title, bench, insight, names);
    }
    let tree = state.tree(insight);
    let area = layout.files;
    if state.rows().is_empty() {
        let words = empty(state, tree);
        painter.text(
            area.x + 2,
            area.y,
            area.width.saturating_sub(3),
            Role::Muted,
            &words,
        );
        return;
    }
    let shown = state.rows().iter().enumerate().skip(state.top);
    for ((index, row), y) in shown.zip(area.y..area.bottom()) {
        let place = Rect {
            y,
            height: 1,
            ..area
        };
        tree_row(painter, place, tree, *row, names, state.at == 0);
        if index == state.selected {
            let bar = Rect {
                x: area.x + 1,
                width: area.width.saturating_sub(2),
                ..place
            };
            if focused {
                painter.highlight(bar, Role::Select);
                painter.text(area.x, y, 1, Role::Key, painter.theme.glyphs.focus);
            }
        }
    }
    let height = usize::from(area.height);
    let below = state.top + height < state.rows().len();
    list::ends(painter, area, state.top > 0, below);
}

fn empty(state: &LayersState, tree: &FileTree) -> String {
    if !state.filter.is_empty() {
        return format!("no path has \u{201c}{}\u{201d} in it", state.filter);
    }
    match state.show {
        Show::All if tree.is_empty() => "this layer changes no file".to_owned(),
        Show::All | Show::Wasted => "nothing of it is wasted".to_owned(),
        Show::Added => "it adds nothing".to_owned(),
        Show::Changed => "it changes nothing".to_owned(),
        Show::Removed => "it removes nothing".to_owned(),
    }
}

/// Which files are shown and in which order, in a few words.
fn choice(state: &LayersState) -> String {
    let show = match state.show {
        Show::All => "all",
        Show::Wasted => "wasted only",
        Show::Added => "added only",
        Show::Changed => "changed only",
        Show::Removed => "removed only",
    };
    let sort = match state.sort {
        Sort::Size => "by size",
        Sort::Name => "by name",
    };
    if state.filter.is_empty() {
        format!("{show}, {sort}")
    } else {
        format!("\u{201c}{}\u{201d}, {show}, {sort}", state.filter)
    }
}

fn title(
    painter: &mut Painter<'_>,
    area: Rect,
    state: &LayersState,
    insight: &Insight,
    focused: bool,
) {
    if focused {
        painter.text(area.x, area.y, 1, Role::Key, painter.theme.glyphs.focus);
    }
    let words = match state.at {
        0 => "Files of all layers".to_owned(),
        layer => format!("Files in layer {layer}"),
    };
    let role = if focused { Role::Strong } else { Role::Text };
    let mut x = painter.text(area.x + 2, area.y, area.width, role, &words) + 3;
    let layer = state.at.checked_sub(1);
    if let Some(layer) = layer.and_then(|layer| insight.layers.get(layer)) {
        let [added, changed, removed] = layer.counts;
        let minus = painter.theme.glyphs.minus;
        let counts = [
            (Role::Added, "+", added),
            (Role::Changed, "~", changed),
            (Role::Removed, minus, removed),
        ];
        for (role, sign, count) in counts.into_iter().filter(|(.., count)| *count > 0) {
            x = painter.text(x, area.y, 9, role, &format!("{sign}{count}")) + 1;
        }
    }
    let end = area.right().saturating_sub(1);
    let room = end.saturating_sub(x + 2);
    painter.right(end, area.y, room, Role::Muted, &choice(state));
}

/// The chosen layer in one line, where the list has no room beside the files.
fn layer_line(
    painter: &mut Painter<'_>,
    area: Rect,
    bench: &Bench,
    insight: &Insight,
    names: Names<'_>,
) {
    let state = &bench.layers;
    let layer = state.at.checked_sub(1);
    let (dead, words) = match layer.and_then(|layer| insight.layers.get(layer)) {
        Some(of) => (of.bill.dead, names.maker(state.at - 1)),
        None => (insight.dead(), "all layers together".to_owned()),
    };
    let which = match layer {
        Some(layer) => format!("layer {} of {}", layer + 1, insight.layers.len()),
        None => plural(insight.layers.len(), "layer"),
    };
    let end = area.right().saturating_sub(2);
    let right = format!("{}   {which}", choice(state));
    let right = if width(&right) + 30 < area.width {
        right
    } else {
        which
    };
    let at = painter.right(end, area.y, width(&right), Role::Muted, &right);
    let shipped = state
        .tree(insight)
        .root()
        .map(Node::bytes)
        .unwrap_or_default();
    let wasted = if dead.0 > 0 {
        format!("  {} wasted", size(dead))
    } else {
        String::new()
    };
    painter.line(
        area.x + 2,
        area.y,
        at.saturating_sub(area.x + 4),
        &[
            (Role::Strong, &size(shipped)),
            (Role::Waste, &wasted),
            (Role::Text, &format!("  {words}")),
        ],
    );
}

/// `▾ usr/lib/    156 MB  +  line 9 deletes it`.
fn tree_row(
    painter: &mut Painter<'_>,
    row: Rect,
    tree: &FileTree,
    at: Row,
    names: Names<'_>,
    whole: bool,
) {
    let Some(node) = tree.node(at.node) else {
        return;
    };
    let glyphs = painter.theme.glyphs;
    let mark = match (node.is_folder(), at.open) {
        (true, true) => glyphs.open,
        (true, false) => glyphs.closed,
        (false, _) => " ",
    };
    let x = row.x + 2 + at.depth.min(DEEPEST) * STEP;
    painter.text(x, row.y, 1, Role::Muted, mark);
    // Names get half of the row; what is to be said of them gets the rest.
    let middle = row.x + row.width * 13 / 20;
    let room = middle.saturating_sub(x + 2 + SIZE);
    let name = name(tree, at, room, glyphs.ellipsis);
    let (role, sign) = sign(node, whole, glyphs.minus);
    let gone = node.change() == Some(Change::Removed);
    let name_role = if gone { Role::Removed } else { Role::Text };
    painter.text(x + 2, row.y, room, name_role, &name);
    let bytes = if gone || (node.bytes().0 == 0 && node.hides().0 > 0) {
        String::new()
    } else {
        size(node.bytes())
    };
    painter.right(middle, row.y, SIZE, Role::Text, &bytes);
    painter.text(middle + 2, row.y, 1, role, sign);
    let at = middle + 5;
    let (role, words) = story(node, names, whole);
    painter.text(at, row.y, row.right().saturating_sub(at + 1), role, &words);
}

/// A row's name: the folders that hold nothing else, then its own; the start goes first where it
/// is too long.
fn name(tree: &FileTree, row: Row, room: u16, ellipsis: &str) -> String {
    let mut name = tree.name(row.node).to_owned();
    if tree.node(row.node).is_some_and(Node::is_folder) {
        name.push('/');
    }
    let mut at = row.node;
    while at != row.first {
        let Some(parent) = tree.parent(at) else {
            break;
        };
        let longer = format!("{}/{name}", tree.name(parent));
        if width(&longer) > room {
            return cut(&format!("{ellipsis}/{name}"), room, ellipsis);
        }
        name = longer;
        at = parent;
    }
    name
}

/// What the layer does to it.
const fn sign(node: &Node, whole: bool, minus: &'static str) -> (Role, &'static str) {
    if whole {
        return (Role::Muted, " ");
    }
    match node.change() {
        None => (Role::Muted, " "),
        Some(Change::Added) => (Role::Added, "+"),
        Some(Change::Changed) => (Role::Changed, "~"),
        Some(Change::Removed) => (Role::Removed, minus),
    }
}

/// What is to be said of it: who hides it, what it hides, who made it.
fn story(node: &Node, names: Names<'_>, whole: bool) -> (Role, String) {
    if let Some((layer, how)) = node.hidden() {
        return (Role::Waste, names.fate(layer, how));
    }
    if node.dead().0 > 0 {
        let words = if node.dead() == node.bytes() {
            "all of it wasted".to_owned()
        } else {
            format!("{} wasted", node.dead())
        };
        return (Role::Waste, words);
    }
    if node.bytes().0 == 0 && node.hides().0 > 0 {
        let words = format!("hides {}, still shipped", node.hides());
        return (Role::Waste, words);
    }
    if whole && !node.is_folder() {
        return (Role::Muted, names.place(node.layer()));
    }
    (Role::Muted, String::new())
}
