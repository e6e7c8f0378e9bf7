//! When each action can be done.

use crate::attempt;
use crate::course::Quiz;
use crate::tui::model::Model;
use crate::tui::model::Screen;
use crate::tui::model::bench::Pane;
use crate::tui::model::look::Look;
use crate::tui::screen;
use crate::tui::screen::lesson;

pub(super) fn always(_: &Model) -> bool {
    true
}

pub(super) fn has_shell(model: &Model) -> bool {
    model.has_shell
}

pub(super) fn typing(model: &Model) -> bool {
    model.typing() && !conflict(model)
}

pub(super) fn not_typing(model: &Model) -> bool {
    !model.typing()
}

pub(super) fn conflict(model: &Model) -> bool {
    work(model)
        && model
            .bench()
            .is_some_and(|bench| bench.conflict().is_some())
}

/// Both sides changed a file, and the disk has a text to take.
pub(super) fn take_theirs(model: &Model) -> bool {
    let asked = model.bench().and_then(|bench| bench.conflict());
    conflict(model) && asked.is_some_and(|file| !file.is_gone())
}

/// Both sides changed a file, and what is on disk lets the text here be written.
pub(super) fn keep_mine(model: &Model) -> bool {
    let asked = model.bench().and_then(|bench| bench.conflict());
    conflict(model) && asked.is_some_and(|file| !file.is_gone() || file.barred.is_none())
}

pub(super) fn work(model: &Model) -> bool {
    model.screen == Screen::Work
}

pub(super) fn exercise(model: &Model) -> bool {
    !model.typing()
        && model.exercise().is_some()
        && !matches!(model.screen, Screen::Home | Screen::Doctor | Screen::Lesson)
}

pub(super) fn main(model: &Model) -> bool {
    match model.screen {
        Screen::Home => !model.units.is_empty(),
        Screen::Brief => true,
        Screen::Layers => looked(model),
        Screen::Cves => {
            looked(model)
                && model.bench().is_some_and(|bench| {
                    let insight = bench.look.insight();
                    insight.is_none_or(|insight| insight.advised.is_err())
                        || !bench.cves.rows().is_empty()
                })
        }
        Screen::Hints => screen::hints::opens(model).is_some(),
        Screen::Result => model.exercise().is_some(),
        Screen::Work => {
            !model.typing()
                && !conflict(model)
                && model.bench().is_some_and(|bench| bench.report.is_some())
        }
        Screen::Lesson => lesson::in_outline(model) || lesson::question_in_sight(model).is_some(),
        Screen::Doctor => screen::doctor::fix(model).is_some(),
    }
}

/// A question that may have several right choices has the keys.
pub(super) fn tick(model: &Model) -> bool {
    let asked = model
        .lesson()
        .and_then(|lesson| model.reading.get(&lesson.slug))
        .and_then(|reading| reading.asked);
    model.screen == Screen::Lesson
        && asked
            .and_then(|(asked, _)| model.lesson()?.quizzes.get(asked))
            .is_some_and(Quiz::several)
}

pub(super) fn links(model: &Model) -> bool {
    model.screen == Screen::Lesson && !lesson::doc(model).links.is_empty()
}

pub(super) fn build(model: &Model) -> bool {
    let here = matches!(
        model.screen,
        Screen::Brief | Screen::Work | Screen::Result | Screen::Layers | Screen::Cves
    );
    here && model.bench().is_some_and(|bench| bench.place.is_some()) && !conflict(model)
}

pub(super) fn building(model: &Model) -> bool {
    (model.job.is_some() || model.tracing.is_some()) && !model.typing()
}

pub(super) fn trace(model: &Model) -> bool {
    let shown = model.bench().filter(|bench| !bench.result.compared);
    model.screen == Screen::Result
        && model.tracing.is_none()
        && model.engine.is_ready()
        && shown
            .and_then(|bench| bench.report.as_deref())
            .is_some_and(|report| report.image.is_some())
        && model
            .exercise()
            .is_some_and(|exercise| attempt::run_to_trace(exercise).is_some())
}

pub(super) fn edit(model: &Model) -> bool {
    work(model)
        && !model.typing()
        && !conflict(model)
        && model.bench().is_some_and(|bench| bench.shown().is_some())
}

pub(super) fn undo(model: &Model) -> bool {
    work(model)
        && !conflict(model)
        && model.bench().is_some_and(|bench| {
            bench.pane == Pane::File && bench.shown().is_some_and(|file| file.barred.is_none())
        })
}

pub(super) fn several_files(model: &Model) -> bool {
    work(model) && !model.typing() && model.bench().is_some_and(|bench| bench.files.len() > 1)
}

pub(super) fn log(model: &Model) -> bool {
    work(model) && !model.typing() && model.bench().is_some_and(|bench| bench.pane == Pane::Log)
}

/// What is remarked on the line of the cursor can be mended without a person.
pub(super) fn fix(model: &Model) -> bool {
    edit(model)
        && model
            .bench()
            .and_then(screen::work::remark_here)
            .is_some_and(|remark| !remark.fix.is_empty())
}

/// The look into the image has ended, one way or the other.
fn looked(model: &Model) -> bool {
    model
        .bench()
        .is_some_and(|bench| matches!(bench.look, Look::Here(_) | Look::Failed(_)))
}

/// A list of what is in the image is shown.
pub(super) fn listed(model: &Model) -> bool {
    let shown = model.bench().and_then(|bench| bench.look.insight());
    match model.screen {
        Screen::Layers => shown.is_some(),
        Screen::Cves => shown.is_some_and(|insight| insight.advised.is_ok()),
        _ => false,
    }
}

/// Other findings can be listed than those of this image.
pub(super) fn show(model: &Model) -> bool {
    let compared = || {
        model
            .bench()
            .is_some_and(|bench| bench.cves.compared.before.is_some())
    };
    listed(model) && (model.screen == Screen::Layers || compared())
}

pub(super) fn layered(model: &Model) -> bool {
    model.screen == Screen::Layers
}

pub(super) fn filter(model: &Model) -> bool {
    log(model) || listed(model)
}

pub(super) fn diff(model: &Model) -> bool {
    take_theirs(model)
        || (model.screen == Screen::Hints
            && model.bench().is_some_and(|bench| bench.hints.solution))
        || (model.screen == Screen::Result && screen::result::is_comparable(model))
}

pub(super) fn solution(model: &Model) -> bool {
    model.screen == Screen::Hints
        && model
            .exercise()
            .is_some_and(|exercise| exercise.solution.is_some())
}

pub(super) fn apply(model: &Model) -> bool {
    solution(model)
        && !model.builds_here()
        && model
            .bench()
            .is_some_and(|bench| bench.hints.solution && bench.place.is_some())
}

pub(super) fn reset(model: &Model) -> bool {
    matches!(model.screen, Screen::Brief | Screen::Work | Screen::Hints)
        && !model.typing()
        && !model.builds_here()
        && model.bench().is_some_and(|bench| bench.place.is_some())
}

/// Whoever put the starter back may miss what was there on any screen of the exercise.
pub(super) fn undo_reset(model: &Model) -> bool {
    exercise(model)
        && !model.builds_here()
        && model.bench().is_some_and(|bench| bench.place.is_some())
}

pub(super) fn copy(model: &Model) -> bool {
    match model.screen {
        Screen::Work => {
            !model.typing() && model.bench().is_some_and(|bench| bench.shown().is_some())
        }
        Screen::Doctor => model.checks.is_some(),
        Screen::Lesson => lesson::code_in_sight(model).is_some(),
        Screen::Result => model.bench().is_some_and(|bench| bench.report.is_some()),
        Screen::Layers | Screen::Cves => listed(model),
        Screen::Home | Screen::Brief | Screen::Hints => false,
    }
}

pub(super) fn doctor(model: &Model) -> bool {
    model.screen == Screen::Doctor
}

pub(super) fn not_doctor(model: &Model) -> bool {
    model.screen != Screen::Doctor && !model.typing()
}

pub(super) fn not_home(model: &Model) -> bool {
    model.screen != Screen::Home && !model.typing()
}

pub(super) fn back(model: &Model) -> bool {
    model.screen != Screen::Home && !model.typing() && !conflict(model)
}

pub(super) fn moving(model: &Model) -> bool {
    !model.typing()
}

pub(super) fn sideways(model: &Model) -> bool {
    (listed(model) && model.screen == Screen::Layers)
        || (work(model)
            && !model.typing()
            && model.bench().is_some_and(|bench| bench.pane == Pane::File))
}

pub(super) fn panes(model: &Model) -> bool {
    match model.screen {
        Screen::Work => !model.typing(),
        Screen::Lesson => true,
        Screen::Layers => listed(model),
        Screen::Hints => {
            let goals = |exercise| screen::hints::hinted_goals(exercise).len();
            model.bench().is_some_and(|bench| !bench.hints.solution)
                && model.exercise().map_or(0, goals) > 1
        }
        Screen::Home | Screen::Brief | Screen::Result | Screen::Cves | Screen::Doctor => false,
    }
}

pub(super) fn next(model: &Model) -> bool {
    steps(model) && model.unit + 1 < model.units.len()
}

pub(super) fn previous(model: &Model) -> bool {
    steps(model) && model.unit > 0
}

/// The keys lead to other units here, and not to layers.
fn steps(model: &Model) -> bool {
    !model.typing() && !matches!(model.screen, Screen::Doctor | Screen::Layers)
}

pub(super) fn search(model: &Model) -> bool {
    model.screen == Screen::Lesson || log(model)
}

pub(super) fn searched(model: &Model) -> bool {
    match model.screen {
        Screen::Lesson => model
            .lesson()
            .and_then(|lesson| model.reading.get(&lesson.slug))
            .is_some_and(|reading| !reading.search.is_empty()),
        Screen::Work => {
            log(model)
                && model
                    .bench()
                    .is_some_and(|bench| !bench.log.search.is_empty())
        }
        Screen::Home
        | Screen::Brief
        | Screen::Result
        | Screen::Layers
        | Screen::Cves
        | Screen::Hints
        | Screen::Doctor => false,
    }
}
