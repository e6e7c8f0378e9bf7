//! What each action does.

use crate::tui::action::ActionId;
use crate::tui::effect::Effect;
use crate::tui::effect::Wanted;
use crate::tui::model::Model;
use crate::tui::model::Screen;
use crate::tui::model::bench::Pane;
use crate::tui::model::layers::LayersPane;
use crate::tui::model::overlay::Overlay;
use crate::tui::model::overlay::Picker;
use crate::tui::model::overlay::Prompt;
use crate::tui::model::overlay::PromptKind;
use crate::tui::screen;
use crate::tui::screen::doctor::Fix;
use crate::tui::theme::Role;
use crate::tui::update::attempts;
use crate::tui::update::cves;
use crate::tui::update::files;
use crate::tui::update::inside;
use crate::tui::update::leave;
use crate::tui::update::lesson;
use crate::tui::update::moves;
use crate::tui::update::navigate;
use crate::tui::update::overlays;
use crate::tui::update::remarks;
use crate::tui::update::traces;
use crate::workshop::meanwhile;
use crate::workshop::nameless_report;

/// Does an action.
pub(super) fn act(model: &mut Model, id: ActionId, effects: &mut Vec<Effect>) {
    go_on(model, id);
    match id {
        ActionId::Main => main(model, effects),
        ActionId::Back => navigate::back(model, effects),
        ActionId::Quit if model.screen == Screen::Home => leave(model, effects),
        ActionId::Quit => navigate::back(model, effects),
        ActionId::Interrupt => interrupt(model, effects),
        ActionId::Suspend => suspend(model, effects),
        ActionId::Repaint => effects.push(Effect::Repaint),
        ActionId::Up
        | ActionId::Down
        | ActionId::Left
        | ActionId::Right
        | ActionId::PageUp
        | ActionId::PageDown
        | ActionId::Top
        | ActionId::Bottom => moves::go(model, id, effects),
        ActionId::NextPane | ActionId::PreviousPane => moves::pane(model),
        ActionId::Sort | ActionId::Show | ActionId::NextLayer | ActionId::PreviousLayer => {
            inside::act(model, id);
        }
        ActionId::NextUnit
        | ActionId::PreviousUnit
        | ActionId::Brief
        | ActionId::Work
        | ActionId::Result
        | ActionId::Layers
        | ActionId::Cves
        | ActionId::Hints
        | ActionId::Home
        | ActionId::Doctor => navigate::to(model, id, effects),
        ActionId::Search => prompt(model, PromptKind::Search),
        ActionId::SearchNext => overlays::find(model, false),
        ActionId::SearchPrevious => overlays::find(model, true),
        ActionId::Help => model.overlay = Some(Overlay::Help(Picker::default())),
        ActionId::Palette => model.overlay = Some(Overlay::Palette(Picker::default())),
        ActionId::Build | ActionId::Trace | ActionId::Cancel => on_job(model, id, effects),
        ActionId::Filter => prompt(model, PromptKind::Filter),
        ActionId::CheckAgain => check_again(model, effects),
        ActionId::Copy => copy(model, effects),
        ActionId::Links | ActionId::Tick => lesson::act(model, id),
        ActionId::Reset | ActionId::UndoReset | ActionId::Apply | ActionId::Solution => {
            for_exercise(model, id, effects);
        }
        ActionId::Edit
        | ActionId::StopEditing
        | ActionId::Save
        | ActionId::Undo
        | ActionId::Redo
        | ActionId::EditOutside
        | ActionId::NextFile
        | ActionId::Rebuild
        | ActionId::Zoom
        | ActionId::Diff
        | ActionId::Fix
        | ActionId::Remarks
        | ActionId::TakeTheirs
        | ActionId::KeepMine => on_bench(model, id, effects),
    }
}

/// Gives the terminal to the shell once what is typed is on disk: all of us stops there. A second
/// time it is meant at once.
fn suspend(model: &mut Model, effects: &mut Vec<Effect>) {
    if std::mem::replace(&mut model.suspends, true) {
        model.suspends = false;
        return effects.push(Effect::Suspend);
    }
    files::save_all(model, effects);
}

/// What may be due after any message: stops where that was asked for and nothing is on its way to
/// the disk any more.
pub(super) fn settle(model: &mut Model, effects: &mut Vec<Effect>) {
    let mut files = model.benches.values().flat_map(|bench| &bench.files);
    let saving = files.any(|file| file.saving.is_some() && file.conflict.is_none());
    if model.suspends && !saving {
        model.suspends = false;
        effects.push(Effect::Suspend);
    }
    navigate::settle(model);
}

/// Where the work goes on, what was told of the sitting before has been read.
fn go_on(model: &mut Model, id: ActionId) {
    if matches!(id, ActionId::Edit | ActionId::EditOutside | ActionId::Build)
        && screen::work::tells_kept(model)
        && let Some(bench) = model.bench_mut()
    {
        bench.kept = None;
    }
}

/// Does what was asked about and answered with Yes.
pub(super) fn confirmed(model: &mut Model, id: ActionId, effects: &mut Vec<Effect>) {
    match id {
        ActionId::Reset => files::exchange(model, Wanted::Starter, effects),
        ActionId::Apply => apply_solution(model, effects),
        ActionId::Main => effects.push(Effect::FixEngine),
        ActionId::Solution => {
            if let Some(bench) = model.bench_mut() {
                bench.hints.solution = true;
                bench.hints.top = 0;
            }
        }
        _ => {}
    }
}

fn check_again(model: &mut Model, effects: &mut Vec<Effect>) {
    model.checks = None;
    effects.extend([Effect::FindEngine, Effect::Doctor]);
}

fn for_exercise(model: &mut Model, id: ActionId, effects: &mut Vec<Effect>) {
    match id {
        ActionId::Reset => overlays::ask(
            model,
            id,
            "Put the starter back? What you wrote is kept: `undo reset` brings it back.",
        ),
        ActionId::UndoReset => files::exchange(model, Wanted::PutAway, effects),
        ActionId::Apply => overlays::ask(
            model,
            id,
            "Put the solution into your files? What you wrote is kept: `undo reset` brings it back.",
        ),
        ActionId::Solution => {
            let shown = model.bench().is_some_and(|bench| bench.hints.solution);
            if shown || screen::hints::solution_is_due(model) {
                if let Some(bench) = model.bench_mut() {
                    bench.hints.solution = !shown;
                    bench.hints.top = 0;
                }
            } else {
                let question = screen::hints::too_early(model);
                overlays::ask(model, id, question);
            }
        }
        _ => {}
    }
}

/// Puts the solution into the learner's files; what they have is put away.
fn apply_solution(model: &mut Model, effects: &mut Vec<Effect>) {
    let solution = model
        .exercise()
        .and_then(|exercise| exercise.solution.as_ref());
    let Some(files) = solution.map(|solution| solution.files.clone()) else {
        return;
    };
    files::exchange(model, Wanted::Solution(files), effects);
    navigate::show(model, Screen::Work, effects);
}

fn main(model: &mut Model, effects: &mut Vec<Effect>) {
    match model.screen {
        Screen::Home => navigate::open(model, effects),
        Screen::Brief => navigate::show(model, Screen::Work, effects),
        Screen::Work => navigate::show(model, Screen::Result, effects),
        Screen::Result => {
            let line = model.bench().and_then(|bench| bench.blamed_line());
            navigate::to_line(model, line, effects);
        }
        Screen::Layers => in_layers(model, effects),
        Screen::Cves => cves::main(model),
        Screen::Hints => open_hint(model, effects),
        Screen::Lesson => lesson::answer(model, effects),
        Screen::Doctor => fix(model, effects),
    }
}

/// Looks again, opens the files, or goes to the line.
fn in_layers(model: &mut Model, effects: &mut Vec<Effect>) {
    let line = screen::layers::line_at(model);
    let Some(bench) = model.bench_mut() else {
        return;
    };
    if bench.look.insight().is_none() {
        inside::again(model);
    } else if line.is_some() {
        navigate::to_line(model, line, effects);
    } else {
        bench.layers.pane = LayersPane::Files;
    }
}

/// Does something about the chosen check of the doctor.
fn fix(model: &mut Model, effects: &mut Vec<Effect>) {
    match screen::doctor::fix(model) {
        Some(Fix::Engine) => overlays::ask(
            model,
            ActionId::Main,
            "Leave this screen for `loadline doctor --fix`? It says what it would do and asks \
             before it does it.",
        ),
        Some(Fix::Bases) => {
            navigate::prepare(model, effects);
            model.say(
                Role::Muted,
                "preparing the base images; Home shows how far it is",
            );
        }
        None => {}
    }
}

/// Opens the chosen hint where the ones before it are open.
fn open_hint(model: &mut Model, effects: &mut Vec<Effect>) {
    let rows = screen::hint_rows(model);
    let Some(bench) = model.bench() else {
        return;
    };
    let exercise = bench.exercise.clone();
    let Some(row) = rows.get(bench.hints.selected) else {
        return;
    };
    match row.state {
        screen::HintState::Opened => {
            let last = rows.len().saturating_sub(1);
            if let Some(bench) = model.bench_mut() {
                bench.hints.selected = (bench.hints.selected + 1).min(last);
            }
        }
        screen::HintState::Locked => {
            let Some(closed) = screen::hints::first_closed(&rows) else {
                return;
            };
            if let Some(bench) = model.bench_mut() {
                bench.hints.selected = closed;
            }
            let level = rows.get(closed).map_or(1, |row| row.level);
            model.say(Role::Warn, format!("Open hint {level} first."));
        }
        screen::HintState::Closed => {
            let (goal, level) = (row.goal.clone(), row.level);
            let progress = model.progress.get_or_insert_default();
            let record = progress.exercises.entry(exercise.clone()).or_default();
            if record.hints.insert((goal.clone(), level)) {
                effects.push(Effect::HintOpened {
                    exercise,
                    goal,
                    level,
                });
            }
        }
    }
}

fn on_job(model: &mut Model, id: ActionId, effects: &mut Vec<Effect>) {
    match id {
        ActionId::Build => attempts::build(model, effects),
        ActionId::Trace => traces::begin(model, effects),
        _ => cancel(model, effects),
    }
}

/// Stops what runs: the build, or where none does, the traced run.
fn cancel(model: &mut Model, effects: &mut Vec<Effect>) {
    if model.job.is_some() {
        attempts::cancel(model, effects);
    } else {
        traces::cancel(model, effects);
    }
}

fn interrupt(model: &mut Model, effects: &mut Vec<Effect>) {
    model.interrupts = model.interrupts.saturating_add(1);
    let running = model.job.is_some() || model.tracing.is_some();
    if model.interrupts >= 2 {
        leave(model, effects);
    } else if running {
        cancel(model, effects);
        model.say(Role::Warn, "cancelling… Ctrl+C again leaves");
    } else {
        model.overlay = None;
        model.prompt = None;
        model.say(Role::Warn, "Ctrl+C again leaves");
    }
}

fn prompt(model: &mut Model, kind: PromptKind) {
    model.prompt = Some(Prompt {
        kind,
        text: String::new(),
    });
}

fn copy(model: &mut Model, effects: &mut Vec<Effect>) {
    let bench = model.bench();
    let (text, words) = match model.screen {
        Screen::Doctor => (
            nameless_report(&meanwhile::with_reasons(
                model.checks.as_deref().unwrap_or_default(),
                &model.bases,
            )),
            "the doctor's report was copied, without names and paths",
        ),
        Screen::Lesson => (
            screen::lesson::code_in_sight(model).unwrap_or_default(),
            "the first code block in sight was copied",
        ),
        Screen::Result => (screen::result::text(model), "the result was copied"),
        Screen::Layers => (screen::layers::text(model), "the layers were copied"),
        Screen::Cves => (screen::cves::text(model), "the findings were copied"),
        Screen::Home | Screen::Brief | Screen::Work | Screen::Hints => {
            let shown = bench.and_then(|bench| bench.shown());
            let text = shown.map(|file| file.editor.text()).unwrap_or_default();
            (text, "the file was copied")
        }
    };
    effects.push(Effect::Copy(text));
    model.say(Role::Muted, words);
}

fn on_bench(model: &mut Model, id: ActionId, effects: &mut Vec<Effect>) {
    let (screen, running) = (model.screen, model.job.is_some());
    let Some(bench) = model.bench_mut() else {
        return;
    };
    match id {
        ActionId::Edit => edit_here(model),
        ActionId::StopEditing => navigate::stop_typing(model, effects),
        ActionId::Save => files::save_all(model, effects),
        ActionId::Undo | ActionId::Redo => undo(model, id, effects),
        ActionId::EditOutside => edit_outside(model, effects),
        ActionId::NextFile => {
            let files = bench.files.len().max(1);
            bench.file = (bench.file + 1) % files;
            bench.pane = Pane::File;
        }
        ActionId::Rebuild => {
            bench.rebuild = !bench.rebuild;
            let words = if bench.rebuild {
                "builds by itself when a file is saved"
            } else {
                // One that waits for the end of a build was a save's.
                bench.wants_build &= !running;
                "builds only when asked to"
            };
            model.say(Role::Muted, words);
        }
        ActionId::Zoom => bench.zoom = !bench.zoom,
        ActionId::Diff => {
            if screen == Screen::Hints {
                bench.hints.unified = !bench.hints.unified;
            } else if screen == Screen::Result {
                bench.result.compared = !bench.result.compared;
                bench.result.compared_top = 0;
            } else {
                for file in &mut bench.files {
                    if let Some(conflict) = &mut file.conflict {
                        conflict.diff = !conflict.diff;
                    }
                }
            }
        }
        ActionId::Fix => remarks::fix(model, effects),
        ActionId::Remarks => remarks::list(model),
        ActionId::TakeTheirs => files::resolve(model, true, effects),
        ActionId::KeepMine => files::resolve(model, false, effects),
        _ => {}
    }
}

/// Takes back the last change of the file, or brings it back.
pub(super) fn undo(model: &mut Model, id: ActionId, effects: &mut Vec<Effect>) {
    let now = model.now;
    let Some(file) = model.bench_mut().and_then(|bench| bench.shown_mut()) else {
        return;
    };
    let (done, nothing) = match id {
        ActionId::Redo => (file.editor.redo(), "nothing to bring back"),
        _ => (file.editor.undo(), "nothing to take back"),
    };
    file.touched = now;
    if !done {
        model.say(Role::Muted, nothing);
    } else if !model.typing() {
        files::save_all(model, effects);
    }
}

fn edit_here(model: &mut Model) {
    let Some(bench) = model.bench_mut() else {
        return;
    };
    bench.pane = Pane::File;
    let barred = bench.shown().and_then(|file| file.barred);
    bench.typing = barred.is_none();
    if let Some(barred) = barred {
        model.say(Role::Warn, format!("not edited here: {}", barred.words()));
    }
}

fn edit_outside(model: &mut Model, effects: &mut Vec<Effect>) {
    if !model.has_editor {
        model.say(
            Role::Warn,
            "neither $VISUAL nor $EDITOR names an editor; e edits here",
        );
        return;
    }
    files::save_all(model, effects);
    let Some(bench) = model.bench() else {
        return;
    };
    if let (Some(place), Some(file)) = (&bench.place, bench.shown()) {
        effects.push(Effect::Edit {
            path: place.folder.join(&file.name),
            line: file.editor.cursor().0 + 1,
        });
    }
}
