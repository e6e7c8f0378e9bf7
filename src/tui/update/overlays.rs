//! Help, palette, questions and prompts.

use crossterm::event::KeyCode;
use crossterm::event::KeyEvent;
use crossterm::event::KeyModifiers;

use crate::tui::action::ActionId;
use crate::tui::effect::Effect;
use crate::tui::model::Model;
use crate::tui::model::Screen;
use crate::tui::model::overlay::Overlay;
use crate::tui::model::overlay::Picker;
use crate::tui::model::overlay::PromptKind;
use crate::tui::pick;
use crate::tui::theme::Role;
use crate::tui::update::act::act;
use crate::tui::update::act::confirmed;
use crate::tui::update::cves;
use crate::tui::update::inside;
use crate::tui::update::lesson;
use crate::tui::update::moves;
use crate::tui::update::remarks;

pub(super) fn key(model: &mut Model, key: KeyEvent, effects: &mut Vec<Effect>) {
    match model.overlay.take() {
        Some(Overlay::Confirm { question, action }) => match key.code {
            KeyCode::Enter | KeyCode::Char('y' | 'Y') => confirmed(model, action, effects),
            KeyCode::Esc | KeyCode::Char('n' | 'N' | 'q') => {}
            _ => model.overlay = Some(Overlay::Confirm { question, action }),
        },
        Some(Overlay::Remarks(selected)) => remarks::key(model, key, selected, effects),
        Some(Overlay::Links(selected)) => lesson::link_key(model, key, selected, effects),
        Some(Overlay::Help(picker)) => {
            pick_key(model, key, picker, effects, Overlay::Help);
        }
        Some(Overlay::Palette(picker)) => {
            pick_key(model, key, picker, effects, Overlay::Palette);
        }
        None => {}
    }
}

fn pick_key(
    model: &mut Model,
    key: KeyEvent,
    mut picker: Picker,
    effects: &mut Vec<Effect>,
    back: fn(Picker) -> Overlay,
) {
    let found = pick::actions(model, &picker.query);
    let last = found.len().saturating_sub(1);
    picker.selected = picker.selected.min(last);
    match key.code {
        KeyCode::Esc => return,
        KeyCode::Enter => {
            // Only what can be done now is listed, so running it is safe.
            if let Some(id) = found.get(picker.selected) {
                act(model, *id, effects);
            }
            return;
        }
        KeyCode::Down | KeyCode::Tab => {
            picker.selected = if picker.selected == last {
                0
            } else {
                picker.selected + 1
            };
        }
        KeyCode::Up | KeyCode::BackTab => {
            picker.selected = picker.selected.checked_sub(1).unwrap_or(last);
        }
        _ => {
            if edit(&mut picker.query, key) {
                picker.selected = 0;
            }
        }
    }
    model.overlay = Some(back(picker));
}

pub(super) fn prompt_key(model: &mut Model, key: KeyEvent) {
    let Some(mut prompt) = model.prompt.take() else {
        return;
    };
    match key.code {
        KeyCode::Esc => {
            if prompt.kind == PromptKind::Filter {
                set(model, PromptKind::Filter, "");
            }
            return;
        }
        KeyCode::Enter => {
            set(model, prompt.kind, &prompt.text);
            if prompt.kind == PromptKind::Search && !prompt.text.is_empty() {
                find(model, false);
            }
            return;
        }
        _ => {
            if edit(&mut prompt.text, key) && prompt.kind == PromptKind::Filter {
                set(model, PromptKind::Filter, &prompt.text);
            }
        }
    }
    model.prompt = Some(prompt);
}

/// Goes to the next place with the searched words.
pub(super) fn find(model: &mut Model, backward: bool) {
    if !moves::find(model, backward) {
        model.say(Role::Warn, "nothing found");
    }
}

fn set(model: &mut Model, kind: PromptKind, text: &str) {
    if model.screen == Screen::Layers {
        inside::filter(model, text);
        return;
    }
    if model.screen == Screen::Cves {
        cves::filter(model, text);
        return;
    }
    let text = text.to_owned();
    if model.screen == Screen::Lesson {
        let slug = model.lesson().map(|lesson| lesson.slug.clone());
        if let Some(reading) = slug.and_then(|slug| model.reading.get_mut(&slug)) {
            reading.search = text;
        }
    } else if let Some(bench) = model.bench_mut() {
        match kind {
            PromptKind::Search => bench.log.search = text,
            PromptKind::Filter => {
                bench.log.filter = text;
                bench.log.unfollowed = false;
            }
        }
    }
}

/// Changes a line by a key; says whether it changed.
fn edit(line: &mut String, key: KeyEvent) -> bool {
    match key.code {
        KeyCode::Char('u') if key.modifiers.contains(KeyModifiers::CONTROL) => {
            line.clear();
            true
        }
        KeyCode::Char(c)
            if !key
                .modifiers
                .intersects(KeyModifiers::CONTROL | KeyModifiers::ALT)
                && line.len() < 200
                && !c.is_control() =>
        {
            line.push(c);
            true
        }
        KeyCode::Backspace => line.pop().is_some(),
        _ => false,
    }
}

/// Adds pasted text to what is being typed over the screen; says whether something took it.
pub(super) fn paste(model: &mut Model, text: &str) -> bool {
    let line: String = text.chars().filter(|c| !c.is_control()).take(200).collect();
    if let Some(overlay) = &mut model.overlay {
        if let Overlay::Help(picker) | Overlay::Palette(picker) = overlay {
            picker.query.push_str(&line);
            picker.selected = 0;
        }
        return true;
    }
    if let Some(prompt) = &mut model.prompt {
        prompt.text.push_str(&line);
        return true;
    }
    false
}

/// Asks before something that changes files.
pub(super) fn ask(model: &mut Model, action: ActionId, question: impl Into<String>) {
    model.overlay = Some(Overlay::Confirm {
        question: question.into(),
        action,
    });
}
