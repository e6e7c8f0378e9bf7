//! The rules: one message in, the state changed, effects out. Pure, total and synchronous: no
//! clock, no file, no task. Time comes with the message.

mod act;
mod attempts;
mod cves;
mod files;
mod inside;
mod keys;
mod lesson;
mod moves;
mod navigate;
mod overlays;
mod remarks;
#[cfg(test)]
mod tests;
mod traces;

use std::time::Duration;

use crate::tui::effect::Effect;
use crate::tui::model::Model;
use crate::tui::msg::Msg;
use crate::tui::msg::in_words;
use crate::tui::screen;
use crate::tui::theme::Role;
use crate::workshop::Check;
use crate::workshop::EngineState;
use crate::workshop::Trouble;
use crate::workshop::meanwhile;

/// How long a changed text waits before it is saved by itself.
const AUTOSAVE: Duration = Duration::from_secs(2);

/// What to do once the first screen is on the terminal.
#[must_use]
pub fn start(model: &mut Model) -> Vec<Effect> {
    let mut effects = vec![Effect::LoadProgress, Effect::FindEngine];
    if model.screen != crate::tui::model::Screen::Home {
        navigate::enter(model, &mut effects);
    }
    moves::settle(model);
    effects
}

/// Takes in one message.
#[must_use]
pub fn update(model: &mut Model, now: Duration, msg: Msg) -> Vec<Effect> {
    model.now = now;
    let mut effects = Vec::new();
    match msg {
        Msg::Key(key) => keys::key(model, key, &mut effects),
        Msg::Paste(text) => keys::paste(model, &text),
        Msg::Resize(size) => model.size = size,
        Msg::Focus(focused) => model.focused = focused,
        Msg::Terminate => leave(model, &mut effects),
        Msg::Resumed => effects.extend([Effect::Repaint, Effect::ReadDisk]),
        Msg::Tick => tick(model, &mut effects),
        Msg::Progress(progress) => navigate::progress(model, progress, &mut effects),
        Msg::Engine(state) => engine(model, state, &mut effects),
        Msg::Base(event) => meanwhile::hear(&mut model.bases, event),
        Msg::BasesDone => bases_done(model),
        Msg::Opened {
            exercise,
            result,
            unsaved,
        } => files::opened(model, &exercise, result, unsaved, &mut effects),
        Msg::Exchanged {
            exercise,
            wanted,
            result,
            unsaved,
        } => files::exchanged(model, &exercise, (&wanted, unsaved), result, &mut effects),
        Msg::Saved {
            exercise,
            file,
            text,
            result,
        } => files::saved(model, &exercise, &file, text, result, &mut effects),
        Msg::Kept { file, result } => files::kept(model, &file, &result),
        Msg::Disk { exercise, files } => files::disk(model, &exercise, files, &mut effects),
        Msg::Attempt {
            job,
            events,
            skipped,
        } => attempts::events(model, job, events, skipped, &mut effects),
        Msg::NoLog { job, why } => attempts::no_log(model, job, why),
        Msg::AttemptEnded { job, trouble } => attempts::ended(model, job, trouble, &mut effects),
        Msg::Looking { job, read } => inside::looking(model, job, read),
        Msg::Looked { job, result } => inside::looked(model, job, &result),
        Msg::Scanned { job, result } => cves::scanned(model, job, &result),
        Msg::Traced { job, image, result } => traces::ended(model, job, &image, result),
        Msg::Doctor(checks) => checked(model, checks),
        Msg::EditorClosed(result) => {
            if let Err(trouble) = result {
                complain(model, &trouble);
            }
            effects.extend([Effect::Repaint, Effect::ReadDisk]);
        }
        Msg::Fixed(result) => fixed(model, result, &mut effects),
        Msg::Failed(trouble) => complain(model, &trouble),
        Msg::TaskPanicked(text) => model.say(Role::Fail, text.as_str()),
    }
    act::settle(model, &mut effects);
    inside::settle(model, &mut effects);
    moves::settle(model);
    effects
}

/// Shows what the doctor found; what can be mended is chosen, one key away.
fn checked(model: &mut Model, checks: Vec<Check>) {
    let can_be = |check| screen::doctor::fix_of(model, check).is_some();
    let mendable = checks.iter().position(can_be);
    model.check = mendable.unwrap_or_else(|| model.check.min(checks.len().saturating_sub(1)));
    model.checks = Some(checks);
}

/// Nothing more is done for base images: what was not reached is not on its way any more.
fn bases_done(model: &mut Model) {
    model.preparing = false;
    meanwhile::settle(&mut model.bases);
}

/// The engine's fix has ended; what came of it is looked at again.
fn fixed(model: &mut Model, result: Result<(), Trouble>, effects: &mut Vec<Effect>) {
    if let Err(trouble) = result {
        complain(model, &trouble);
    }
    model.checks = None;
    effects.extend([Effect::Repaint, Effect::FindEngine, Effect::Doctor]);
}

/// Shows a trouble in the one line for it.
fn complain(model: &mut Model, trouble: &Trouble) {
    model.say(Role::Fail, in_words(trouble));
}

/// Saves what is typed, keeps what cannot be saved, and leaves.
fn leave(model: &mut Model, effects: &mut Vec<Effect>) {
    files::save_all(model, effects);
    files::keep_all(model, effects);
    attempts::cancel(model, effects);
    traces::cancel(model, effects);
    effects.push(Effect::Quit);
}

fn tick(model: &mut Model, effects: &mut Vec<Effect>) {
    let now = model.now;
    let quiet = model.bench().is_some_and(|bench| {
        bench.typing
            && bench
                .files
                .iter()
                .all(|file| now.saturating_sub(file.touched) >= AUTOSAVE)
    });
    if quiet {
        files::save_all(model, effects);
    }
}

fn engine(model: &mut Model, state: EngineState, effects: &mut Vec<Effect>) {
    let ready = state.is_ready();
    model.engine = state;
    if ready && !model.preparing {
        navigate::prepare(model, effects);
    }
    if model.screen == crate::tui::model::Screen::Doctor {
        effects.push(Effect::Doctor);
    }
}
