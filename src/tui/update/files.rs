//! The learner's files: opened, saved, changed on disk, reset. Nothing is overwritten unseen.

use std::path::PathBuf;

use crate::course::ExerciseId;
use crate::tui::action;
use crate::tui::action::ActionId;
use crate::tui::effect::Effect;
use crate::tui::effect::Unwritten;
use crate::tui::effect::Wanted;
use crate::tui::model::Model;
use crate::tui::model::Screen;
use crate::tui::model::bench::Bench;
use crate::tui::model::bench::Conflict;
use crate::tui::model::bench::OpenFile;
use crate::tui::msg;
use crate::tui::theme::Role;
use crate::tui::update::attempts;
use crate::tui::update::complain;
use crate::workshop::KeptTexts;
use crate::workshop::Trouble;
use crate::workshop::Workspace;
use crate::workshop::WorkspaceFile;

/// Watches the files of the open exercise.
pub(super) fn watch(model: &Model) -> Option<Effect> {
    let bench = model.bench()?;
    let place = bench.place.as_ref()?;
    Some(Effect::Watch {
        exercise: bench.exercise.clone(),
        folder: place.folder.clone(),
        files: bench.files.iter().map(|file| file.name.clone()).collect(),
    })
}

pub(super) fn opened(
    model: &mut Model,
    exercise: &ExerciseId,
    result: Result<Workspace, Trouble>,
    unsaved: Option<KeptTexts>,
    effects: &mut Vec<Effect>,
) {
    let Some(bench) = model.benches.get_mut(exercise) else {
        return;
    };
    bench.kept = unsaved;
    match result {
        Ok(workspace) => {
            bench.take(workspace);
            go_to_blame(bench);
        }
        Err(trouble) => bench.trouble = Some(trouble),
    }
    if model.bench().is_some_and(|open| open.exercise == *exercise) {
        effects.extend(watch(model));
    }
}

fn go_to_blame(bench: &mut Bench) {
    if let Some(line) = bench.blamed_line()
        && let Some(file) = bench.shown_mut()
    {
        file.editor.go_to_line(line.saturating_sub(1) as usize);
    }
}

/// Exchanges the files of the open exercise. What is here and on no disk goes along, so that it is
/// put away with the rest.
pub(super) fn exchange(model: &mut Model, wanted: Wanted, effects: &mut Vec<Effect>) {
    let Some(bench) = model.bench_mut() else {
        return;
    };
    bench.exchanging = true;
    let unsaved = bench.files.iter().filter(|file| file.is_unsaved());
    let texts = unsaved.map(|file| Unwritten {
        file: file.name.clone(),
        text: file.editor.text(),
        over: file.disk.clone(),
        conflict: file.conflict.is_some(),
    });
    effects.push(Effect::Exchange {
        exercise: bench.exercise.clone(),
        wanted,
        texts: texts.collect(),
    });
}

pub(super) fn exchanged(
    model: &mut Model,
    exercise: &ExerciseId,
    (wanted, unsaved): (&Wanted, Option<KeptTexts>),
    result: Result<Workspace, Trouble>,
    effects: &mut Vec<Effect>,
) {
    let Some(bench) = model.benches.get_mut(exercise) else {
        return;
    };
    if unsaved.is_some() {
        bench.kept = unsaved;
    }
    bench.exchanging = false;
    match result {
        Ok(workspace) => {
            // Who asked for a build meanwhile meant that of the files that were to come.
            let asked = std::mem::take(&mut bench.wants_build);
            let put_away = workspace.put_away;
            bench.take(workspace);
            bench.typing = false;
            let rebuild = bench.rebuild && matches!(wanted, Wanted::Solution(_));
            let words = match wanted {
                Wanted::Starter => "The starter is back.",
                Wanted::Solution(_) => "The solution is in your files.",
                Wanted::PutAway => "Your files are back.",
            };
            let how = match wanted {
                Wanted::Starter | Wanted::Solution(_) if put_away => {
                    " `: undo reset` brings yours back."
                }
                _ => "",
            };
            model.say(Role::Pass, format!("{words}{how}"));
            if asked {
                attempts::save_and_begin(model, exercise, effects);
            } else if rebuild {
                attempts::rebuild(model, exercise, effects);
            }
        }
        Err(trouble) => {
            // One that waits for the end of a build was promised before.
            bench.wants_build &= model.job.is_some();
            complain(model, &trouble);
        }
    }
    if model.bench().is_some_and(|open| open.exercise == *exercise) {
        effects.extend(watch(model));
    }
}

/// Writes every file that differs from the disk; files that both sides changed wait for an answer.
pub(super) fn save_all(model: &mut Model, effects: &mut Vec<Effect>) {
    for bench in model.benches.values_mut() {
        let Some(place) = bench.place.as_ref().filter(|_| !bench.exchanging) else {
            continue;
        };
        for file in &mut bench.files {
            if file.conflict.is_some() || file.barred.is_some() || !file.is_unsaved() {
                continue;
            }
            let text = file.editor.text();
            if file.saving.as_ref() == Some(&text) {
                continue;
            }
            file.saving = Some(text.clone());
            effects.push(Effect::Save {
                exercise: bench.exercise.clone(),
                folder: place.folder.clone(),
                file: file.name.clone(),
                text,
                over: file.disk.clone(),
            });
        }
    }
}

/// Keeps the text of every file that waits for an answer, or cannot be written.
pub(super) fn keep_all(model: &Model, effects: &mut Vec<Effect>) {
    for bench in model.benches.values() {
        let waiting = |file: &&OpenFile| file.conflict.is_some() || file.barred.is_some();
        for file in bench.files.iter().filter(waiting) {
            effects.extend(keep(&bench.exercise, file));
        }
    }
}

/// Keeps the text of a file that has one of its own.
fn keep(exercise: &ExerciseId, file: &OpenFile) -> Option<Effect> {
    file.is_unsaved().then(|| Effect::Keep {
        exercise: exercise.clone(),
        file: file.name.clone(),
        text: file.editor.text(),
    })
}

/// Says where a text is that was not saved.
pub(super) fn kept(model: &mut Model, file: &str, result: &Result<PathBuf, Trouble>) {
    let role = if result.is_ok() {
        Role::Warn
    } else {
        Role::Fail
    };
    model.say(role, msg::kept(file, result).as_str());
}

fn find<'a>(model: &'a mut Model, exercise: &ExerciseId, name: &str) -> Option<&'a mut OpenFile> {
    let bench = model.benches.get_mut(exercise)?;
    bench.files.iter_mut().find(|file| file.name == name)
}

pub(super) fn saved(
    model: &mut Model,
    exercise: &ExerciseId,
    name: &str,
    text: String,
    result: Result<(), Trouble>,
    effects: &mut Vec<Effect>,
) {
    let Some(file) = find(model, exercise, name) else {
        return;
    };
    if file.saving.as_ref() == Some(&text) {
        file.saving = None;
    }
    let changed = file.disk.as_ref() != Some(&text);
    match result {
        Ok(()) => file.disk = Some(text),
        Err(trouble) => {
            if let Some(bench) = model.benches.get_mut(exercise) {
                bench.wants_build = false;
            }
            complain(model, &trouble);
            return;
        }
    }
    let Some(bench) = model.benches.get_mut(exercise) else {
        return;
    };
    if bench.rebuild && changed && !bench.typing {
        attempts::rebuild(model, exercise, effects);
    } else if bench.wants_build && bench.files.iter().all(|file| file.saving.is_none()) {
        attempts::begin(model, exercise, effects);
    }
}

/// What the files on disk are now, as the watcher or a look at the disk found them.
pub(super) fn disk(
    model: &mut Model,
    exercise: &ExerciseId,
    found: Vec<WorkspaceFile>,
    effects: &mut Vec<Effect>,
) {
    let Some(bench) = model.benches.get_mut(exercise) else {
        return;
    };
    let mut news = None;
    let mut barred = None;
    for on_disk in found {
        let Some(file) = bench
            .files
            .iter_mut()
            .find(|file| file.name == on_disk.name)
        else {
            continue;
        };
        if file.barred.is_none()
            && let Some(why) = on_disk.barred
            && std::mem::take(&mut bench.typing)
        {
            barred = Some(format!("{}: {}", file.name, why.words()));
        }
        file.barred = on_disk.barred;
        if let Some(change) = changed(file, on_disk.text) {
            news = Some((file.name.clone(), change));
        }
    }
    if let Some(words) = barred {
        model.say(Role::Warn, words);
    }
    let Some((name, change)) = news else {
        return;
    };
    let Some(bench) = model.benches.get_mut(exercise) else {
        return;
    };
    let rebuild = bench.rebuild && change == Change::Taken;
    match change {
        // An editor that failed may have written it before.
        Change::Taken => model.say_news(&format!("{name} changed on disk and was read")),
        Change::Conflict => bench.wants_build = false,
        Change::Deleted => bench.wants_build = false,
    }
    if change != Change::Taken {
        show_conflict(model, exercise);
    }
    if rebuild {
        attempts::rebuild(model, exercise, effects);
    }
}

#[derive(PartialEq, Eq, Clone, Copy)]
enum Change {
    Taken,
    Conflict,
    Deleted,
}

/// Takes in what is on disk; `None` where it is what was known.
fn changed(file: &mut OpenFile, text: Option<String>) -> Option<Change> {
    if text == file.disk || (text.is_some() && text == file.saving) {
        return None;
    }
    let mine = file.editor.text();
    let unsaved = file.is_unsaved();
    match text {
        Some(text) if text == mine => {
            file.disk = Some(text);
            file.conflict = None;
            None
        }
        Some(text) if !unsaved && file.conflict.is_none() => {
            file.editor.follow(&text);
            file.disk = Some(text);
            Some(Change::Taken)
        }
        theirs => {
            let deleted = theirs.is_none();
            let diff = file.conflict.as_ref().is_some_and(|conflict| conflict.diff);
            file.disk.clone_from(&theirs);
            file.conflict = Some(Conflict { theirs, diff });
            Some(if deleted {
                Change::Deleted
            } else {
                Change::Conflict
            })
        }
    }
}

/// Brings the file with two sides into view.
fn show_conflict(model: &mut Model, exercise: &ExerciseId) {
    if let Some(bench) = model.benches.get_mut(exercise)
        && let Some(index) = bench.files.iter().position(|file| file.conflict.is_some())
    {
        bench.file = index;
        bench.zoom = false;
    }
    let open = model
        .bench()
        .filter(|bench| bench.exercise == *exercise && model.screen != Screen::Work);
    let words = open.and_then(Bench::conflict).map(|file| {
        let what = match file.barred {
            Some(barred) if file.is_gone() => format!("is {} on disk", barred.label()),
            None if file.is_gone() => "was deleted on disk".to_owned(),
            _ => "changed on disk, and here too".to_owned(),
        };
        match action::key_name(model, ActionId::Work) {
            key if key.is_empty() => format!("{} {what}", file.name),
            key => format!("{} {what}: press {key} to choose", file.name),
        }
    });
    if let Some(words) = words {
        model.say(Role::Warn, words);
    }
}

/// Answers a conflict: the text on disk, or the text here.
pub(super) fn resolve(model: &mut Model, take_theirs: bool, effects: &mut Vec<Effect>) {
    let Some(bench) = model.bench_mut() else {
        return;
    };
    let mut words = None;
    for file in &mut bench.files {
        let Some(conflict) = &file.conflict else {
            continue;
        };
        if let Some(barred) = file.barred.filter(|_| !take_theirs) {
            words = Some(format!("{}: {}", file.name, barred.words()));
            continue;
        }
        match conflict.theirs.clone() {
            Some(theirs) if take_theirs => {
                // What cannot be edited here cannot be undone here either.
                if file.barred.is_some() {
                    effects.extend(keep(&bench.exercise, file));
                }
                file.editor.follow(&theirs);
            }
            // There is nothing to take: a deleted file can only be written again, and what is
            // not to be written again stays deleted.
            None if take_theirs => continue,
            theirs => {
                file.saving = None;
                // Somebody wrote it, and a key that is also for other things may have been pressed.
                effects.extend(theirs.map(|text| Effect::Keep {
                    exercise: bench.exercise.clone(),
                    file: file.name.clone(),
                    text,
                }));
            }
        }
        file.conflict = None;
    }
    if let Some(words) = words {
        model.say(Role::Warn, words);
    }
    save_all(model, effects);
}
