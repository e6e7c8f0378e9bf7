//! From screen to screen.

use crate::tui::action::ActionId;
use crate::tui::effect::Effect;
use crate::tui::model::Model;
use crate::tui::model::Screen;
use crate::tui::model::Unit;
use crate::tui::model::bench::Bench;
use crate::tui::model::bench::Pane;
use crate::tui::screen;
use crate::tui::screen::work;
use crate::tui::theme::Role;
use crate::tui::update::complain;
use crate::tui::update::cves;
use crate::tui::update::files;
use crate::tui::update::inside;
use crate::tui::update::lesson;
use crate::tui::update::moves;
use crate::workshop;
use crate::workshop::Progress;
use crate::workshop::Trouble;
use crate::workshop::meanwhile;

/// The records were read.
pub(super) fn progress(
    model: &mut Model,
    progress: Result<Progress, Trouble>,
    effects: &mut Vec<Effect>,
) {
    let mut progress = match progress {
        Ok(progress) => progress,
        Err(trouble) => {
            complain(model, &trouble);
            model.progress.get_or_insert_default();
            return;
        }
    };
    if let Some(trouble) = progress.damaged.take() {
        complain(model, &trouble);
    }
    let last = progress.last.clone();
    model.progress = Some(progress);
    for bench in model.benches.values_mut() {
        let record = model
            .progress
            .as_ref()
            .and_then(|progress| progress.exercises.get(&bench.exercise));
        if let Some(record) = record
            && bench.report.is_none()
        {
            bench.recall(record);
        }
    }
    if model.screen == Screen::Home && !model.chose {
        model.unit = resume_at(model, last.as_deref());
    }
    lesson::recall(model);
    // A lesson may have been read to its end before the records were there.
    read_to_the_end(model, effects);
}

/// The row where the learner goes on: what was open last, then the first that is not done.
fn resume_at(model: &Model, last: Option<&str>) -> usize {
    let open = |index: &usize| {
        let unit = model.units.get(*index).copied();
        unit.is_some_and(|unit| !model.is_done(unit))
    };
    let last = last.and_then(|last| {
        model
            .units
            .iter()
            .position(|unit| name(model, *unit) == last)
    });
    let start = last.unwrap_or(0);
    (start..model.units.len())
        .find(open)
        .or_else(|| (0..model.units.len()).find(open))
        .unwrap_or(start)
}

/// A lesson's slug or an exercise's id.
fn name(model: &Model, unit: Unit) -> &str {
    match unit {
        Unit::Lesson(index) => model
            .course
            .lessons
            .get(index)
            .map_or("", |lesson| lesson.slug.as_str()),
        Unit::Exercise(index) => model
            .course
            .exercises
            .get(index)
            .map_or("", |exercise| exercise.id.as_str()),
    }
}

/// Has the bases prepared, those of the exercise at hand before all others.
pub(super) fn prepare(model: &mut Model, effects: &mut Vec<Effect>) {
    model.preparing = true;
    model.first = wanted_bases(model);
    effects.push(Effect::PrepareBases {
        first: model.first.clone(),
    });
}

/// Nobody waits for a base that the exercise at hand does not need: where others are prepared
/// before its own, the preparation begins again with those.
fn prefer(model: &mut Model, effects: &mut Vec<Effect>) {
    let bases = wanted_bases(model);
    if model.preparing && model.first != bases && meanwhile::keeps_waiting(&model.bases, &bases) {
        prepare(model, effects);
    }
}

/// The bases of the chosen exercise, or of the next one in the course.
fn wanted_bases(model: &Model) -> Vec<String> {
    model
        .units
        .iter()
        .skip(model.unit)
        .find_map(|unit| match unit {
            Unit::Exercise(index) => model.course.exercises.get(*index),
            Unit::Lesson(_) => None,
        })
        .map(|exercise| exercise.bases.clone())
        .unwrap_or_default()
}

/// What mends a fault that an exercise plants is shown on the same terms as its worked answer.
pub(super) fn settle(model: &mut Model) {
    let planted = model
        .bench()
        .is_some_and(|bench| !bench.left_to_hints.is_empty());
    if planted
        && screen::hints::solution_is_due(model)
        && let Some(bench) = model.bench_mut()
    {
        bench.left_to_hints.clear();
    }
}

/// Opens the chosen row.
pub(super) fn open(model: &mut Model, effects: &mut Vec<Effect>) {
    let Some(unit) = model.units.get(model.unit).copied() else {
        return;
    };
    model.chose = true;
    model.screen = match unit {
        Unit::Lesson(_) => Screen::Lesson,
        Unit::Exercise(_) => match (model.bench(), model.exercise()) {
            (Some(bench), _) => bench.view,
            (None, Some(exercise)) if model.record(&exercise.id).is_some() => Screen::Work,
            _ => Screen::Brief,
        },
    };
    enter(model, effects);
}

/// Makes sure that what the screen shows is there.
pub(super) fn enter(model: &mut Model, effects: &mut Vec<Effect>) {
    if model.screen == Screen::Lesson
        && let Some(slug) = model.lesson().map(|lesson| lesson.slug.clone())
    {
        model.reading.entry(slug).or_default();
        lesson::recall(model);
        read_to_the_end(model, effects);
        return;
    }
    if matches!(model.screen, Screen::Home | Screen::Doctor) {
        return;
    }
    let Some((exercise, planted)) = model
        .exercise()
        .map(|exercise| (exercise.id.clone(), workshop::left_to_hints(exercise)))
    else {
        return;
    };
    if model.bench().is_none_or(|bench| bench.trouble.is_some()) {
        let mut bench = Bench::new(exercise.clone());
        bench.left_to_hints = planted;
        if let Some(record) = model.record(&exercise) {
            bench.recall(record);
        }
        model.benches.insert(exercise.clone(), bench);
        effects.push(Effect::Open(exercise));
    } else {
        effects.extend(files::watch(model));
    }
    prefer(model, effects);
    remember(model);
}

/// The view that the exercise opens with the next time.
pub(super) fn remember(model: &mut Model) {
    let screen = model.screen;
    if let Some(bench) = model.bench_mut() {
        bench.view = screen;
        if screen == Screen::Result {
            bench.news = false;
        }
    }
}

/// Goes to a view of the open exercise.
pub(super) fn show(model: &mut Model, screen: Screen, effects: &mut Vec<Effect>) {
    if model.exercise().is_none() {
        return;
    }
    stop_typing(model, effects);
    model.screen = screen;
    enter(model, effects);
}

/// Opens the next row or the one before.
fn step(model: &mut Model, forward: bool, effects: &mut Vec<Effect>) {
    let next = if forward {
        model.unit + 1
    } else {
        model.unit.wrapping_sub(1)
    };
    if next >= model.units.len() {
        return;
    }
    stop_typing(model, effects);
    model.unit = next;
    model.chose = true;
    if model.screen != Screen::Home {
        open(model, effects);
    }
}

/// Goes to another screen.
pub(super) fn to(model: &mut Model, id: ActionId, effects: &mut Vec<Effect>) {
    match id {
        ActionId::NextUnit => step(model, true, effects),
        ActionId::PreviousUnit => step(model, false, effects),
        ActionId::Brief => show(model, Screen::Brief, effects),
        ActionId::Work => show(model, Screen::Work, effects),
        ActionId::Result => show(model, Screen::Result, effects),
        ActionId::Layers => show(model, Screen::Layers, effects),
        ActionId::Cves => show(model, Screen::Cves, effects),
        ActionId::Hints => show(model, Screen::Hints, effects),
        ActionId::Doctor => doctor(model, effects),
        _ => {
            stop_typing(model, effects);
            model.screen = Screen::Home;
        }
    }
}

/// Goes to a line of the Dockerfile as it was built, where it is now.
pub(super) fn to_line(model: &mut Model, line: Option<u32>, effects: &mut Vec<Effect>) {
    show(model, Screen::Work, effects);
    let Some(bench) = model.bench_mut().filter(|_| line.is_some()) else {
        return;
    };
    bench.pane = Pane::File;
    bench.zoom = false;
    let mut files = bench.files.iter();
    bench.file = files
        .position(|file| file.name == "Dockerfile")
        .unwrap_or(bench.file);
    let row = line.and_then(|line| work::row_of(bench, line));
    if let (Some(row), Some(file)) = (row, bench.shown_mut()) {
        file.editor.go_to_line(row);
    }
}

/// One level up.
pub(super) fn back(model: &mut Model, effects: &mut Vec<Effect>) {
    stop_typing(model, effects);
    if model.screen == Screen::Lesson && (lesson::leave(model) || lesson::close_outline(model)) {
        return;
    }
    if model.screen == Screen::Work
        && let Some(bench) = model.bench_mut()
        && bench.zoom
    {
        bench.zoom = false;
        return;
    }
    if model.screen == Screen::Hints
        && let Some(bench) = model.bench_mut()
        && std::mem::replace(&mut bench.hints.solution, false)
    {
        return;
    }
    if model.screen == Screen::Result
        && let Some(bench) = model.bench_mut()
        && std::mem::replace(&mut bench.result.compared, false)
    {
        return;
    }
    if model.screen == Screen::Layers
        && model
            .bench()
            .is_some_and(|bench| !bench.layers.filter.is_empty())
    {
        inside::filter(model, "");
        return;
    }
    if model.screen == Screen::Cves && cves::back(model) {
        return;
    }
    model.screen = match model.screen {
        Screen::Doctor => model.behind,
        Screen::Result | Screen::Layers | Screen::Cves | Screen::Hints => Screen::Work,
        Screen::Home | Screen::Lesson | Screen::Brief | Screen::Work => Screen::Home,
    };
    remember_or_home(model);
}

fn remember_or_home(model: &mut Model) {
    if matches!(model.screen, Screen::Work) {
        remember(model);
    }
}

/// The doctor, over whatever was shown.
fn doctor(model: &mut Model, effects: &mut Vec<Effect>) {
    stop_typing(model, effects);
    if model.screen != Screen::Doctor {
        model.behind = model.screen;
    }
    model.screen = Screen::Doctor;
    model.checks = None;
    effects.push(Effect::Doctor);
}

/// Saves what is typed and gives the keys back.
pub(super) fn stop_typing(model: &mut Model, effects: &mut Vec<Effect>) {
    if !model.bench().is_some_and(|bench| bench.typing) {
        return;
    }
    if let Some(bench) = model.bench_mut() {
        bench.typing = false;
    }
    files::save_all(model, effects);
}

/// Notes a lesson whose last line was in sight.
pub(super) fn read_to_the_end(model: &mut Model, effects: &mut Vec<Effect>) {
    if model.screen != Screen::Lesson || !moves::at_the_end(model) {
        return;
    }
    let Some(slug) = model.lesson().map(|lesson| lesson.slug.clone()) else {
        return;
    };
    if let Some(progress) = &mut model.progress
        && progress.lessons.insert(slug.clone())
    {
        effects.push(Effect::LessonRead(slug));
        model.say(Role::Pass, "read");
    }
}
