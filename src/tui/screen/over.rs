//! What lies over a screen: help, palette, questions, prompts.

use ratatui::layout::Position;
use ratatui::layout::Rect;

use crate::tui::action::ActionId;
use crate::tui::action::action;
use crate::tui::model::Model;
use crate::tui::model::overlay::Overlay;
use crate::tui::model::overlay::Picker;
use crate::tui::model::overlay::Prompt;
use crate::tui::model::overlay::PromptKind;
use crate::tui::paint::Painter;
use crate::tui::paint::width;
use crate::tui::paint::wrap;
use crate::tui::pick;
use crate::tui::screen::lesson;
use crate::tui::screen::work;
use crate::tui::theme::Role;

/// Draws what lies over the screen; says where the cursor is, where it takes text.
pub(super) fn view(model: &Model, painter: &mut Painter<'_>, area: Rect) -> Option<Position> {
    match model.overlay.as_ref()? {
        Overlay::Help(picker) => {
            let title = format!("Help: {}", model.screen.name());
            Some(picked(model, painter, area, picker, &title, true))
        }
        Overlay::Palette(picker) => Some(picked(model, painter, area, picker, "Commands", false)),
        Overlay::Links(selected) => {
            lesson::links(model, painter, area, *selected);
            None
        }
        Overlay::Remarks(selected) => {
            work::list_remarks(model, painter, area, *selected);
            None
        }
        Overlay::Confirm { question, .. } => {
            confirm(painter, area, question);
            None
        }
    }
}

fn centered(area: Rect, columns: u16, rows: u16) -> Rect {
    let columns = columns.min(area.width.saturating_sub(4));
    let rows = rows.min(area.height.saturating_sub(2));
    Rect::new(
        area.x + (area.width - columns) / 2,
        area.y + (area.height - rows) / 3,
        columns,
        rows,
    )
}

fn confirm(painter: &mut Painter<'_>, area: Rect, question: &str) {
    let lines = wrap(question, 60.min(area.width.saturating_sub(10)));
    let rows = u16::try_from(lines.len()).unwrap_or(u16::MAX);
    let place = centered(area, 66, rows.saturating_add(4));
    painter.clear(place);
    painter.frame(place, "Sure?");
    let x = place.x + 3;
    for (line, y) in lines.iter().zip(place.y + 1..) {
        painter.text(x, y, place.width.saturating_sub(5), Role::Text, line);
    }
    let y = place.bottom().saturating_sub(2);
    painter.line(
        x,
        y,
        place.width.saturating_sub(5),
        &[
            (Role::Key, "Enter"),
            (Role::Muted, " yes    "),
            (Role::Key, "Esc"),
            (Role::Muted, " no"),
        ],
    );
}

/// All the ways to press an action's keys now, in words.
fn keys(model: &Model, id: ActionId) -> String {
    let Some(action) = action(id) else {
        return String::new();
    };
    let names = action.keys_now(model).map(|chord| chord.name(model.theme));
    names.collect::<Vec<String>>().join(" ")
}

/// A search line and the actions that fit; `sentences` shows what each is for.
fn picked(
    model: &Model,
    painter: &mut Painter<'_>,
    area: Rect,
    picker: &Picker,
    title: &str,
    sentences: bool,
) -> Position {
    let found = pick::actions(model, &picker.query);
    let count = u16::try_from(found.len()).unwrap_or(u16::MAX);
    let (columns, rows) = if sentences {
        (96, count.max(8))
    } else {
        (56, count.clamp(4, 12))
    };
    let place = centered(area, columns, rows.saturating_add(4));
    painter.clear(place);
    painter.frame(place, title);
    let inner = Rect::new(
        place.x + 2,
        place.y + 1,
        place.width.saturating_sub(4),
        place.height.saturating_sub(2),
    );
    let typed = painter.line(
        inner.x,
        inner.y,
        inner.width,
        &[(Role::Key, ": "), (Role::Text, &picker.query)],
    );
    if picker.query.is_empty() {
        let hint = "type to search, Enter runs it";
        let room = inner.width.saturating_sub(4);
        painter.text(typed + 1, inner.y, room, Role::Muted, hint);
    }
    let list = Rect::new(
        inner.x,
        inner.y + 2,
        inner.width,
        inner.height.saturating_sub(2),
    );
    let list = if sentences {
        whole_sentence(painter, list, found.get(picker.selected).copied())
    } else {
        list
    };
    let below = found_rows(model, painter, list, &found, picker.selected, sentences);
    if below > 0 {
        let more = format!("{} {below} more", painter.theme.glyphs.down);
        let (end, y) = (place.right().saturating_sub(2), place.bottom() - 1);
        painter.right(end, y, width(&more), Role::Muted, &more);
    }
    Position::new(typed.min(inner.right().saturating_sub(1)), inner.y)
}

/// Tells at the foot what the chosen action is for, where its row has no room for all of it;
/// returns what is left for the rows.
fn whole_sentence(painter: &mut Painter<'_>, list: Rect, chosen: Option<ActionId>) -> Rect {
    let rows = list.height.saturating_sub(3);
    if rows < 4 {
        return list;
    }
    let help = chosen.and_then(action).map_or("", |action| action.help);
    let columns = list.width.saturating_sub(2);
    for (line, y) in wrap(help, columns).iter().take(2).zip(list.y + rows + 1..) {
        painter.text(list.x + 1, y, columns, Role::Text, line);
    }
    Rect {
        height: rows,
        ..list
    }
}

/// Draws the actions that fit; says how many are below the last row.
fn found_rows(
    model: &Model,
    painter: &mut Painter<'_>,
    list: Rect,
    found: &[ActionId],
    selected: usize,
    sentences: bool,
) -> usize {
    if found.is_empty() {
        let words = "nothing fits these letters";
        painter.text(list.x + 1, list.y, list.width, Role::Muted, words);
    }
    let height = usize::from(list.height).max(1);
    let selected = selected.min(found.len().saturating_sub(1));
    let first = (selected + 1).saturating_sub(height);
    let rows = found.iter().enumerate().skip(first).take(height);
    for ((index, id), y) in rows.zip(list.y..) {
        let Some(action) = action(*id) else {
            continue;
        };
        let row = Rect::new(list.x, y, list.width, 1);
        let (key, label) = (keys(model, *id), action.label(model));
        if sentences {
            painter.text(row.x + 1, y, 17, Role::Key, &key);
            painter.text(row.x + 19, y, 23, Role::Text, &label);
            let x = row.x + 43;
            let room = row.right().saturating_sub(x);
            painter.text(x, y, room, Role::Muted, action.help);
        } else {
            let room = row.width.saturating_sub(18);
            painter.text(row.x + 1, y, room, Role::Text, &label);
            let end = row.right().saturating_sub(1);
            painter.right(end, y, 15, Role::Key, &key);
        }
        if index == selected {
            painter.highlight(row, Role::Select);
        }
    }
    found.len().saturating_sub(first + height)
}

/// Draws the words that are being typed at the foot.
pub(super) fn prompt(painter: &mut Painter<'_>, x: u16, y: u16, end: u16, prompt: &Prompt) {
    let label = match prompt.kind {
        PromptKind::Search => "/ ",
        PromptKind::Filter => "filter: ",
    };
    let x = painter.line(
        x,
        y,
        end.saturating_sub(x + 30),
        &[(Role::Key, label), (Role::Text, &prompt.text)],
    );
    painter.styled(x, y, 1, painter.theme.style(Role::Select), " ");
    let words = "Enter keeps it    Esc closes";
    painter.right(end, y, width(words), Role::Muted, words);
}
