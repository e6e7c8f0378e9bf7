//! Keys: what lies over the screen takes them first, then a prompt, then the table, then the
//! editor.

use crossterm::event::KeyCode;
use crossterm::event::KeyEvent;
use crossterm::event::KeyModifiers;

use crate::tui::action::ActionId;
use crate::tui::action::bound;
use crate::tui::effect::Effect;
use crate::tui::model::Model;
use crate::tui::update::act::act;
use crate::tui::update::overlays;

pub(super) fn key(model: &mut Model, key: KeyEvent, effects: &mut Vec<Effect>) {
    let key = normal(key);
    let action = bound(model, &key);
    if action != Some(ActionId::Interrupt) {
        model.interrupts = 0;
    }
    // These three are never text and never mean something else.
    if let Some(id @ (ActionId::Interrupt | ActionId::Suspend | ActionId::Repaint)) = action {
        act(model, id, effects);
        return;
    }
    model.status = None;
    if model.overlay.is_some() {
        overlays::key(model, key, effects);
    } else if model.prompt.is_some() {
        overlays::prompt_key(model, key);
    } else if let Some(id) = action {
        act(model, id, effects);
    } else if model.typing() {
        type_key(model, key);
    }
}

/// The same key in the same words: a capital letter is the letter, without Shift.
fn normal(mut key: KeyEvent) -> KeyEvent {
    if let KeyCode::Char(c) = key.code {
        if key.modifiers.contains(KeyModifiers::CONTROL) {
            key.code = KeyCode::Char(c.to_ascii_lowercase());
        }
        key.modifiers.remove(KeyModifiers::SHIFT);
    }
    if key.code == KeyCode::BackTab {
        key.modifiers.remove(KeyModifiers::SHIFT);
    }
    key
}

fn type_key(model: &mut Model, key: KeyEvent) {
    let now = model.now;
    if let Some(bench) = model.bench_mut()
        && let Some(file) = bench.shown_mut()
        && file.conflict.is_none()
        && file.editor.input(key)
    {
        file.touched = now;
    }
}

pub(super) fn paste(model: &mut Model, text: &str) {
    if overlays::paste(model, text) || !model.typing() {
        return;
    }
    let now = model.now;
    if let Some(bench) = model.bench_mut()
        && let Some(file) = bench.shown_mut()
        && file.conflict.is_none()
    {
        file.editor.paste(text);
        file.touched = now;
    }
}
