//! The words of an action, where they differ from screen to screen.

use std::borrow::Cow;

use super::Action;
use super::ActionId;
use crate::tui::model::Model;
use crate::tui::model::Screen;
use crate::tui::model::bench::Bench;
use crate::tui::model::bench::OpenFile;
use crate::tui::model::cves::Listed;
use crate::tui::model::cves::Order;
use crate::tui::model::layers::LayersPane;
use crate::tui::model::layers::Show;
use crate::tui::model::layers::Sort;
use crate::tui::screen;
use crate::tui::screen::HintState;
use crate::tui::screen::doctor;
use crate::tui::screen::doctor::Fix;
use crate::tui::screen::layers;
use crate::tui::screen::lesson;

impl Action {
    /// Its words on this screen.
    #[must_use]
    pub fn label(&self, model: &Model) -> Cow<'static, str> {
        match self.id {
            ActionId::Main => main_label(model),
            ActionId::NextUnit => next_label(model),
            ActionId::Quit if model.screen != Screen::Home => "back".into(),
            ActionId::Rebuild if model.bench().is_some_and(|bench| bench.rebuild) => {
                "stop rebuilding on save".into()
            }
            ActionId::Zoom if model.bench().is_some_and(|bench| bench.zoom) => "all panes".into(),
            ActionId::Hints => hints_label(model),
            ActionId::KeepMine
                if model
                    .bench()
                    .and_then(Bench::conflict)
                    .is_some_and(OpenFile::is_gone) =>
            {
                "write mine back".into()
            }
            ActionId::NextPane => match model.screen {
                Screen::Lesson if lesson::in_outline(model) => "text".into(),
                Screen::Lesson => "outline".into(),
                Screen::Hints => "next goal".into(),
                Screen::Layers => pane_label(model),
                _ => self.label.into(),
            },
            ActionId::Diff if model.screen == Screen::Result => compare_label(model),
            ActionId::Show => show_label(model),
            ActionId::Sort => sort_label(model),
            ActionId::Solution if model.bench().is_some_and(|bench| bench.hints.solution) => {
                "hints".into()
            }
            ActionId::Cancel
                if [&model.job, &model.tracing]
                    .into_iter()
                    .flatten()
                    .any(|job| job.cancelling) =>
            {
                "cancelling…".into()
            }
            _ => self.label.into(),
        }
    }
}

fn main_label(model: &Model) -> Cow<'static, str> {
    match model.screen {
        Screen::Home => match (model.lesson(), model.exercise()) {
            (Some(lesson), _) => format!("read lesson {}", lesson.number).into(),
            (None, Some(exercise)) if model.record(&exercise.id).is_some() => "continue".into(),
            _ => "start".into(),
        },
        Screen::Brief => "work on it".into(),
        Screen::Work => "see the result".into(),
        Screen::Result => match model.bench().and_then(|bench| bench.blamed_line()) {
            Some(line) => format!("go to line {line}").into(),
            None => "back to work".into(),
        },
        Screen::Layers => layers_label(model),
        Screen::Cves => cves_label(model),
        Screen::Hints => match screen::hints::opens(model) {
            Some(HintState::Opened) => "next hint".into(),
            Some(HintState::Locked) => first_closed_label(model),
            Some(HintState::Closed) | None => "open".into(),
        },
        Screen::Lesson if lesson::in_outline(model) => "read here".into(),
        Screen::Lesson => "answer".into(),
        Screen::Doctor => match doctor::fix(model) {
            Some(Fix::Bases) => "prepare them".into(),
            Some(Fix::Engine) | None => "fix".into(),
        },
    }
}

/// A locked hint leads to the one that is to be opened before it.
fn first_closed_label(model: &Model) -> Cow<'static, str> {
    let rows = screen::hint_rows(model);
    let closed = screen::hints::first_closed(&rows).and_then(|at| rows.get(at));
    closed.map_or("open".into(), |row| {
        format!("go to hint {}", row.level).into()
    })
}

fn layers_label(model: &Model) -> Cow<'static, str> {
    let failed = |bench: &Bench| bench.look.insight().is_none();
    match layers::line_at(model) {
        _ if model.bench().is_none_or(failed) => "look again".into(),
        Some(line) => format!("go to line {line}").into(),
        None => "files".into(),
    }
}

fn cves_label(model: &Model) -> Cow<'static, str> {
    match model.bench() {
        Some(bench) if screen::cves::advised(bench).is_none() => "look again".into(),
        Some(bench) if bench.cves.open => "close".into(),
        _ => "details".into(),
    }
}

/// What the key would show.
fn show_label(model: &Model) -> Cow<'static, str> {
    if model.screen == Screen::Cves {
        return match model.bench().map(|bench| bench.cves.listed) {
            Some(Listed::Here) | None => "gone ones".into(),
            Some(Listed::Gone) => "new ones".into(),
            Some(Listed::New) => "still here".into(),
        };
    }
    let state = model.bench().map(|bench| &bench.layers);
    match state.map(|state| state.show.next(state.at == 0)) {
        Some(Show::Wasted) => "wasted only".into(),
        Some(Show::Added) => "added only".into(),
        Some(Show::Changed) => "changed only".into(),
        Some(Show::Removed) => "removed only".into(),
        Some(Show::All) | None => "show all".into(),
    }
}

fn sort_label(model: &Model) -> Cow<'static, str> {
    if model.screen == Screen::Cves {
        return match model.bench().map(|bench| bench.cves.order) {
            Some(Order::Package) => "worst first".into(),
            Some(Order::Severity) | None => "by package".into(),
        };
    }
    match model.bench().map(|bench| bench.layers.sort) {
        Some(Sort::Name) => "by size".into(),
        Some(Sort::Size) | None => "by name".into(),
    }
}

fn pane_label(model: &Model) -> Cow<'static, str> {
    match model.bench().map(|bench| bench.layers.pane) {
        Some(LayersPane::Files) => "layers".into(),
        Some(LayersPane::Layers) | None => "files".into(),
    }
}

fn compare_label(model: &Model) -> Cow<'static, str> {
    match model.bench() {
        Some(bench) if bench.result.compared => "goals".into(),
        Some(_) if model.is_wide() => "diff with last build".into(),
        _ => "diff".into(),
    }
}

fn next_label(model: &Model) -> Cow<'static, str> {
    use crate::tui::model::Unit;
    match model.units.get(model.unit + 1) {
        Some(Unit::Lesson(_)) => "next lesson".into(),
        Some(Unit::Exercise(_)) => "next exercise".into(),
        None => "next".into(),
    }
}

fn hints_label(model: &Model) -> Cow<'static, str> {
    let Some(exercise) = model.exercise() else {
        return "hints".into();
    };
    let opened = model
        .record(&exercise.id)
        .map_or(0, |record| record.hints.len());
    match exercise.hints.len().saturating_sub(opened) {
        0 => "hints".into(),
        left => format!("hints ({left} left)").into(),
    }
}
