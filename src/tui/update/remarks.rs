//! What is done about the remarks on a Dockerfile: looked at, gone to, mended.

use crossterm::event::KeyCode;
use crossterm::event::KeyEvent;

use crate::tui::action::ActionId;
use crate::tui::action::is_enabled;
use crate::tui::effect::Effect;
use crate::tui::model::Model;
use crate::tui::model::bench::Pane;
use crate::tui::model::overlay::Overlay;
use crate::tui::screen::work;
use crate::tui::screen::work::Remark;
use crate::tui::theme::Role;
use crate::tui::update::act;
use crate::tui::update::files;

/// Opens the list at the row of the cursor, or the next one after it.
pub(super) fn list(model: &mut Model) {
    let Some(bench) = model.bench() else {
        return;
    };
    let row = bench.shown().map_or(0, |file| file.editor.cursor().0);
    let all = work::remarks(bench);
    if all.is_empty() {
        return model.say(Role::Muted, "nothing to remark");
    }
    let selected = all.iter().position(|remark| remark.row >= row);
    model.overlay = Some(Overlay::Remarks(selected.unwrap_or(0)));
}

/// A key for the list.
pub(super) fn key(model: &mut Model, key: KeyEvent, selected: usize, effects: &mut Vec<Effect>) {
    let all = model.bench().map(work::remarks).unwrap_or_default();
    let last = all.len().saturating_sub(1);
    let selected = selected.min(last);
    let to = match key.code {
        KeyCode::Esc | KeyCode::Char('q' | 'L') => return,
        KeyCode::Up | KeyCode::Char('k') => selected.saturating_sub(1),
        KeyCode::Down | KeyCode::Char('j') => (selected + 1).min(last),
        KeyCode::Home | KeyCode::Char('g') => 0,
        KeyCode::End | KeyCode::Char('G') => last,
        KeyCode::Enter => {
            if let Some(remark) = all.get(selected) {
                go_to(model, remark.row);
            }
            return;
        }
        KeyCode::Char('F') => {
            if let Some(remark) = all.get(selected).cloned() {
                go_to(model, remark.row);
                mend(model, &remark, effects);
            }
            return show_left(model, selected);
        }
        KeyCode::Char('u') => {
            if let Some(bench) = model.bench_mut() {
                bench.pane = Pane::File;
            }
            if is_enabled(model, ActionId::Undo) {
                act::undo(model, ActionId::Undo, effects);
            }
            return show_left(model, selected);
        }
        _ => selected,
    };
    model.overlay = Some(Overlay::Remarks(to));
}

/// Shows the list again after the text has changed, where there is still something in it.
fn show_left(model: &mut Model, selected: usize) {
    let left = model.bench().map(work::remarks).unwrap_or_default();
    if let Some(last) = left.len().checked_sub(1) {
        model.overlay = Some(Overlay::Remarks(selected.min(last)));
    }
}

fn go_to(model: &mut Model, row: usize) {
    if let Some(bench) = model.bench_mut() {
        bench.pane = Pane::File;
        if let Some(file) = bench.shown_mut() {
            file.editor.go_to_line(row);
        }
    }
}

/// Mends what is remarked at the cursor.
pub(super) fn fix(model: &mut Model, effects: &mut Vec<Effect>) {
    if let Some(remark) = model.bench().and_then(work::remark_here) {
        mend(model, &remark, effects);
    }
}

fn mend(model: &mut Model, remark: &Remark, effects: &mut Vec<Effect>) {
    let now = model.now;
    let Some(bench) = model.bench_mut() else {
        return;
    };
    // Undo is a key of the file.
    bench.pane = Pane::File;
    let Some(file) = bench.shown_mut() else {
        return;
    };
    if remark.fix.is_empty() || file.conflict.is_some() {
        return;
    }
    if let Some(barred) = file.barred {
        model.say(Role::Warn, format!("not edited here: {}", barred.words()));
        return;
    }
    let text = work::mended(&file.editor.text(), &remark.fix);
    file.editor.replace(&text);
    file.touched = now;
    files::save_all(model, effects);
    let words = format!("line {} was mended; u takes it back", remark.row + 1);
    model.say(Role::Pass, words);
}
