//! The last line: what can be done here, a word to the learner, or what is being typed.

use ratatui::layout::Rect;

use crate::tui::action::ActionId;
use crate::tui::action::action;
use crate::tui::action::footer;
use crate::tui::model::Model;
use crate::tui::model::Status;
use crate::tui::paint::Painter;
use crate::tui::paint::width;
use crate::tui::paint::wrap;
use crate::tui::screen::over;
use crate::tui::theme::Role;

/// A word to the learner, all of it: what does not fit in the last line takes those above it, until
/// the next key.
fn said(painter: &mut Painter<'_>, area: Rect, status: &Status) {
    let lines = wrap(&status.text, area.width.saturating_sub(4));
    let rows = u16::try_from(lines.len()).unwrap_or(u16::MAX);
    let rows = rows.min(area.height);
    let place = Rect {
        y: area.bottom() - rows,
        height: rows,
        ..area
    };
    painter.clear(place);
    for (line, y) in lines.iter().zip(place.y..place.bottom()) {
        painter.text(place.x + 2, y, place.width - 4, status.role, line);
    }
}

/// Draws it.
pub(super) fn view(model: &Model, painter: &mut Painter<'_>, area: Rect) {
    let y = area.bottom().saturating_sub(1);
    let (mut x, end) = (area.x + 2, area.right().saturating_sub(2));
    if let Some(prompt) = &model.prompt {
        over::prompt(painter, x, y, end, prompt);
        return;
    }
    if let Some(status) = &model.status {
        said(painter, area, status);
        return;
    }
    let gap = if model.is_wide() { 4 } else { 3 };
    let ids = footer(model);
    // The two keys that lead to all others always fit.
    let last = |id: &ActionId| matches!(id, ActionId::Help | ActionId::Palette);
    let entry = |id: &ActionId| {
        action(*id).map(|action| {
            let key = match id {
                ActionId::Down if painter.theme.is_ascii() => "j k".to_owned(),
                ActionId::Down => "↑↓".to_owned(),
                ActionId::Right if painter.theme.is_ascii() => "h l".to_owned(),
                ActionId::Right => "←→".to_owned(),
                _ => action.key_name(model),
            };
            let label = match id {
                ActionId::Down => "choose".into(),
                ActionId::Right => "close/open".into(),
                _ => action.label(model),
            };
            (key, label)
        })
    };
    let reserved: u16 = ids
        .iter()
        .filter(|id| last(id))
        .filter_map(entry)
        .map(|(key, label)| width(&key) + width(&label) + 1 + gap)
        .sum();
    let entries: Vec<_> = ids
        .iter()
        .filter_map(|id| entry(id).map(|entry| (last(id), entry)))
        .collect();
    let mut room = end.saturating_sub(x + reserved);
    for (is_last, (key, label)) in entries {
        if key.is_empty() {
            continue;
        }
        let wanted = width(&key) + 1 + width(&label) + gap;
        if !is_last {
            if wanted > room + gap {
                continue;
            }
            room = room.saturating_sub(wanted);
        }
        x = painter.text(x, y, end.saturating_sub(x), Role::Key, &key) + 1;
        x = painter.text(x, y, end.saturating_sub(x), Role::Muted, &label) + gap;
        if x >= end {
            break;
        }
    }
}
