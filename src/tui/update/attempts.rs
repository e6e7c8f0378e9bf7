//! Attempts: asked for, told, stopped, ended. Each ends once.

use std::time::Duration;

use crate::attempt::AttemptEvent;
use crate::course::ExerciseId;
use crate::engine::BuildEvent;
use crate::report::Outcome;
use crate::report::Report;
use crate::text::Clean;
use crate::tui::action;
use crate::tui::action::ActionId;
use crate::tui::effect::Effect;
use crate::tui::model::Job;
use crate::tui::model::Model;
use crate::tui::model::Screen;
use crate::tui::model::bench::Bench;
use crate::tui::model::bench::Pane;
use crate::tui::model::build::Build;
use crate::tui::model::log::Log;
use crate::tui::model::look::FirstScan;
use crate::tui::model::look::Look;
use crate::tui::msg::JobId;
use crate::tui::screen;
use crate::tui::theme::Role;
use crate::tui::update::complain;
use crate::tui::update::files;
use crate::tui::update::navigate;
use crate::units::show_duration;
use crate::workshop::EngineState;
use crate::workshop::Trouble;

/// An attempt that took longer than this is told to a terminal that is out of sight.
const LONG: Duration = Duration::from_secs(10);

/// Saves, then builds, as the learner asks: it is shown, whatever was on the screen.
pub(super) fn build(model: &mut Model, effects: &mut Vec<Effect>) {
    if let Some(job) = &model.job {
        let words = match action::stop_key(model) {
            _ if job.cancelling => "the build that runs is being stopped".to_owned(),
            key if key.is_empty() => "a build is running".to_owned(),
            key => format!("a build is running: {key} stops it"),
        };
        return model.say(Role::Warn, words);
    }
    if !is_ready(model, effects) {
        return;
    }
    let Some(bench) = model.bench().filter(|bench| bench.place.is_some()) else {
        return;
    };
    let exercise = bench.exercise.clone();
    model.screen = Screen::Work;
    navigate::remember(model);
    save_and_begin(model, &exercise, effects);
}

/// Builds because a file was saved, and the learner wants that: after the build that runs, and
/// whoever reads something else goes on reading.
pub(super) fn rebuild(model: &mut Model, exercise: &ExerciseId, effects: &mut Vec<Effect>) {
    if model.job.is_none() {
        if is_ready(model, effects) {
            save_and_begin(model, exercise, effects);
        }
    } else if let Some(bench) = model.benches.get_mut(exercise)
        && bench.conflict().is_none()
    {
        bench.wants_build = true;
        model.say_news("saved; built once the build that runs has ended");
    }
}

/// Whether an engine is there; where none is, says so and looks again.
fn is_ready(model: &mut Model, effects: &mut Vec<Effect>) -> bool {
    match &model.engine {
        EngineState::Ready { .. } => return true,
        EngineState::Looking => {
            let key = action::key_name(model, ActionId::Build);
            let words = format!("still looking for the engine; {key} again in a moment");
            model.say(Role::Warn, words);
        }
        EngineState::Missing { .. } => {
            effects.push(Effect::FindEngine);
            model.engine = EngineState::Looking;
            let more = match action::key_name(model, ActionId::Doctor) {
                key if key.is_empty() => String::new(),
                key => format!(" ({key} tells more)"),
            };
            let words = format!("no engine answered so far; looking again{more}");
            model.say(Role::Warn, words);
        }
    }
    false
}

/// Starts the attempt once all files are on disk; not while one of them waits for an answer.
pub(super) fn save_and_begin(model: &mut Model, exercise: &ExerciseId, effects: &mut Vec<Effect>) {
    let Some(bench) = model.benches.get_mut(exercise) else {
        return;
    };
    bench.wants_build = bench.conflict().is_none() && bench.unwritable().is_none();
    if !bench.wants_build {
        // What is on disk is not what is on the screen: its verdict would be told beside this text.
        let words = bench.unwritable().map(|(file, barred)| {
            format!(
                "{} is neither saved nor built: {}",
                file.name,
                barred.words()
            )
        });
        if let Some(words) = words {
            model.say(Role::Warn, words);
        }
        return;
    }
    if bench.exchanging {
        return;
    }
    files::save_all(model, effects);
    let waiting = model
        .benches
        .get(exercise)
        .is_some_and(|bench| bench.files.iter().any(|file| file.saving.is_some()));
    if !waiting {
        begin(model, exercise, effects);
    }
}

/// Starts the attempt; the files are on disk. While another one runs it waits for its end.
pub(super) fn begin(model: &mut Model, exercise: &ExerciseId, effects: &mut Vec<Effect>) {
    let exchanging = |bench: &Bench| bench.exchanging;
    if model.job.is_some() || model.benches.get(exercise).is_some_and(exchanging) {
        return;
    }
    let goals = model
        .course
        .exercise(exercise.as_str())
        .map_or(0, |exercise| exercise.goals.len() + exercise.stretch.len());
    let now = model.now;
    let Some(bench) = model.benches.get_mut(exercise) else {
        return;
    };
    bench.wants_build = false;
    let Some(place) = &bench.place else {
        return;
    };
    model.last_job += 1;
    let job = JobId(model.last_job);
    effects.push(Effect::StartAttempt {
        job,
        exercise: exercise.clone(),
        log: place.log.clone(),
    });
    bench.building = bench
        .files
        .iter()
        .map(|file| (file.name.clone(), file.disk.clone().unwrap_or_default()))
        .collect();
    // Used up from here on, whatever comes of the attempt.
    bench.numbered += 1;
    bench.build = Some(Build::new(job, bench.numbered, goals, now));
    bench.log = Log::default();
    model.job = Some(Job {
        id: job,
        exercise: exercise.clone(),
        cancelling: false,
    });
}

/// Asks the running attempt to stop; it has stopped when it says so. Whoever stops it wants none of
/// those that wait for its end either.
pub(super) fn cancel(model: &mut Model, effects: &mut Vec<Effect>) {
    if let Some(job) = &mut model.job
        && !std::mem::replace(&mut job.cancelling, true)
    {
        effects.push(Effect::Cancel(job.id));
        for bench in model.benches.values_mut() {
            bench.wants_build = false;
        }
    }
}

pub(super) fn events(
    model: &mut Model,
    job: JobId,
    events: Vec<AttemptEvent>,
    skipped: u64,
    effects: &mut Vec<Effect>,
) {
    let Some(exercise) = exercise_of(model, job) else {
        return;
    };
    let now = model.now;
    let mut finished = None;
    if let Some(bench) = model.benches.get_mut(&exercise)
        && let Some(build) = &mut bench.build
    {
        bench.log.skip(skipped);
        for event in events {
            if let AttemptEvent::Finished(report) = &event {
                finished = Some(report.clone());
            }
            build.apply(event, now, &mut bench.log);
        }
        bench.numbered = bench.numbered.max(build.number);
    }
    if let Some(report) = finished {
        finish(model, &exercise, report, effects);
    }
}

/// What the screen lets go is nowhere else.
pub(super) fn no_log(model: &mut Model, job: JobId, why: Clean) {
    let now = model.now;
    if let Some(exercise) = exercise_of(model, job)
        && let Some(bench) = model.benches.get_mut(&exercise)
        && let Some(build) = &mut bench.build
    {
        bench.log.unkept = true;
        let warning = BuildEvent::Warning {
            line: None,
            text: why,
        };
        build.apply(AttemptEvent::Build(warning), now, &mut bench.log);
    }
}

/// The exercise of the running attempt, where `job` is it.
fn exercise_of(model: &Model, job: JobId) -> Option<ExerciseId> {
    let running = model.job.as_ref()?;
    (running.id == job).then(|| running.exercise.clone())
}

fn finish(
    model: &mut Model,
    exercise: &ExerciseId,
    report: Box<Report>,
    effects: &mut Vec<Effect>,
) {
    let now = model.now;
    let here = model.bench().is_some_and(|open| open.exercise == *exercise);
    let seen = here && model.screen == Screen::Result;
    let read = screen::hinted_goal(model).filter(|_| here && model.screen == Screen::Hints);
    let Some(bench) = model.benches.get_mut(exercise) else {
        return;
    };
    let elapsed = bench.build.as_ref().map(|build| build.elapsed(now));
    let number = bench.build.as_ref().map_or(0, |build| build.number);
    let outcome = report.outcome;
    if outcome.is_judged() {
        bench.built = std::mem::take(&mut bench.building);
    }
    if let Some(progress) = &mut model.progress {
        let record = progress.exercises.entry(exercise.clone()).or_default();
        if record.absorb(&report, number) {
            record.built.clone_from(&bench.built);
        }
    }
    if outcome.is_judged() {
        bench.attempts += 1;
        bench.number = number;
        bench.result = crate::tui::model::bench::ResultState::default();
        bench.hints.goal = None;
        bench.news = !seen;
        forget_look(bench, &report);
        bench.report = Some(report);
        bench.traced = None;
        // Whoever types keeps the keys in the file.
        if outcome == Outcome::BuildFailed && !bench.typing {
            bench.pane = Pane::Log;
            bench.log.unfollowed = false;
        }
        turn_hints(model, exercise, read.as_deref());
    } else if outcome == Outcome::EngineUnavailable {
        bench.wants_build = false;
        model.say(Role::Fail, unavailable(&report));
        effects.push(Effect::FindEngine);
    } else {
        model.say(
            Role::Muted,
            format!("build {number} cancelled; the engine has stopped working on it"),
        );
    }
    if let Some(elapsed) = elapsed
        && elapsed >= LONG
        && !model.focused
    {
        effects.push(Effect::Notify(format!(
            "{exercise}: {} after {}",
            ended_as(outcome),
            show_duration(elapsed)
        )));
    }
}

/// The hints begin anew after a report. Whoever reads those that are still the next ones goes on
/// reading.
fn turn_hints(model: &mut Model, exercise: &ExerciseId, read: Option<&str>) {
    if read.is_some() && screen::hinted_goal(model).as_deref() == read {
        return;
    }
    if let Some(bench) = model.benches.get_mut(exercise) {
        bench.hints.turn_to(None);
    }
}

/// What became of the engine, and what to do.
fn unavailable(report: &Report) -> String {
    match &report.problem {
        None => "the engine does not answer".to_owned(),
        Some(problem) => match &problem.next_step {
            Some(next_step) => format!("{} {next_step}", problem.message),
            None => problem.message.to_string(),
        },
    }
}

/// How an attempt ended, for a notification.
const fn ended_as(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Passed => "every goal is met",
        Outcome::Failed => "not yet",
        Outcome::BuildFailed => "the build stopped",
        Outcome::EngineUnavailable => "the engine went away",
        Outcome::CouldNotJudge => "could not be judged",
        Outcome::Cancelled => "cancelled",
    }
}

/// What is known of an image is forgotten once the report is about another one.
fn forget_look(bench: &mut Bench, report: &Report) {
    let image = report.image.as_ref().map(|image| image.id.as_str());
    if bench.look.insight().map(|insight| insight.image.as_str()) != image {
        bench.look = Look::NotYet;
        if bench.first_scan == FirstScan::Same {
            bench.first_scan = FirstScan::NotYet;
        }
    }
}

pub(super) fn ended(
    model: &mut Model,
    job: JobId,
    trouble: Option<Trouble>,
    effects: &mut Vec<Effect>,
) {
    let Some(exercise) = exercise_of(model, job) else {
        return;
    };
    model.job = None;
    let now = model.now;
    if let Some(bench) = model.benches.get_mut(&exercise)
        && let Some(build) = &mut bench.build
    {
        build.close(now);
    }
    if let Some(trouble) = trouble {
        complain(model, &trouble);
    }
    let waiting = model.benches.values().find(|bench| bench.wants_build);
    let waiting = waiting.map(|bench| bench.exercise.clone());
    if let Some(exercise) = waiting.filter(|_| model.engine.is_ready()) {
        // Half a word is nobody's text yet: what was saved before is built.
        if model.benches.values().any(|bench| bench.typing) {
            begin(model, &exercise, effects);
        } else {
            save_and_begin(model, &exercise, effects);
        }
    }
}
