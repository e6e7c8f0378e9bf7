//! What stands at the foot of each screen.

use super::ActionId;
use super::is_enabled;
use crate::tui::model::Model;
use crate::tui::model::Screen;
use crate::tui::model::bench::Pane;
use crate::tui::model::layers::LayersPane;
use crate::tui::screen;
use crate::tui::screen::layers;
use crate::tui::screen::lesson;
use crate::workshop::EngineState;

/// The actions at the foot of a screen, in order; those that cannot be done now are left out.
#[must_use]
pub fn footer(model: &Model) -> Vec<ActionId> {
    here(model)
        .iter()
        .chain(&[ActionId::Help, ActionId::Palette])
        .copied()
        .filter(|id| is_enabled(model, *id))
        // Where no editor is named, the key only says so: help is the place for it.
        .filter(|id| *id != ActionId::EditOutside || model.has_editor)
        // The list of nothing only says so, too.
        .filter(|id| *id != ActionId::Remarks || has_remarks(model))
        // The pages of an image that is not there only say so.
        .filter(|id| !matches!(id, ActionId::Layers | ActionId::Cves) || has_image(model))
        .collect()
}

fn has_image(model: &Model) -> bool {
    let report = model.bench().and_then(|bench| bench.report.as_ref());
    report.is_some_and(|report| report.image.is_some())
}

fn has_remarks(model: &Model) -> bool {
    let bench = model.bench();
    bench.is_some_and(|bench| !screen::work::remarks(bench).is_empty())
}

/// What matters most on this screen.
fn here(model: &Model) -> &'static [ActionId] {
    use ActionId as A;
    let bench = model.bench();
    match model.screen {
        Screen::Home if matches!(model.engine, EngineState::Missing { .. }) => {
            &[A::Main, A::Doctor, A::Down, A::NextUnit]
        }
        Screen::Home => &[A::Main, A::Down, A::NextUnit, A::Doctor],
        Screen::Lesson if lesson::in_outline(model) => {
            &[A::Main, A::Down, A::NextPane, A::NextUnit]
        }
        Screen::Lesson if lesson::question_in_sight(model).is_some() => {
            &[A::Main, A::Tick, A::NextUnit, A::PageDown, A::NextPane]
        }
        Screen::Lesson => &[A::NextUnit, A::PageDown, A::Search, A::Links, A::NextPane],
        Screen::Brief => &[A::Main, A::Hints, A::NextUnit],
        Screen::Work => at_work(model),
        Screen::Result if bench.is_some_and(|bench| bench.result.compared) => {
            &[A::Diff, A::Build, A::Copy, A::Back]
        }
        Screen::Result if bench.is_some_and(|bench| bench.passed()) => &[
            A::NextUnit,
            A::Main,
            A::Build,
            A::Diff,
            A::Layers,
            A::Cves,
            A::Trace,
        ],
        Screen::Result => &[
            A::Main,
            A::Build,
            A::Hints,
            A::Diff,
            A::Layers,
            A::Cves,
            A::Trace,
            A::Copy,
            A::NextUnit,
        ],
        Screen::Layers => in_layers(model),
        Screen::Cves => in_cves(model),
        Screen::Hints => &[
            A::Main,
            A::NextPane,
            A::Solution,
            A::Diff,
            A::Apply,
            A::Back,
        ],
        Screen::Doctor => &[A::Main, A::CheckAgain, A::Copy, A::Back],
    }
}

fn in_cves(model: &Model) -> &'static [ActionId] {
    use ActionId as A;
    let known = model
        .bench()
        .filter(|bench| screen::cves::advised(bench).is_some());
    match known.map(|bench| &bench.cves) {
        None => &[A::Main, A::Build, A::Work, A::Back],
        Some(cves) if cves.rows().is_empty() && cves.filter.is_empty() => {
            &[A::Show, A::Layers, A::Copy, A::Work, A::Back]
        }
        Some(_) => &[
            A::Down,
            A::Main,
            A::Show,
            A::Filter,
            A::Sort,
            A::Copy,
            A::Build,
        ],
    }
}

fn in_layers(model: &Model) -> &'static [ActionId] {
    use ActionId as A;
    let known = model.bench().filter(|bench| bench.look.insight().is_some());
    match known.map(|bench| bench.layers.pane) {
        None => &[A::Main, A::Build, A::Work, A::Back],
        Some(LayersPane::Files) => &[
            A::Right,
            A::Main,
            A::Show,
            A::Filter,
            A::Sort,
            A::NextPane,
            A::NextLayer,
        ],
        // What Enter does where there is no line is what Tab does.
        _ if layers::line_at(model).is_none() => {
            &[A::Down, A::NextPane, A::Show, A::Filter, A::Sort, A::Copy]
        }
        _ => &[
            A::Down,
            A::Main,
            A::NextPane,
            A::Show,
            A::Filter,
            A::Sort,
            A::Copy,
        ],
    }
}

fn at_work(model: &Model) -> &'static [ActionId] {
    use ActionId as A;
    let bench = model.bench();
    if bench.is_some_and(|bench| bench.conflict().is_some()) {
        &[A::TakeTheirs, A::KeepMine, A::Diff]
    } else if model.typing() {
        &[A::StopEditing, A::Build, A::Save, A::Undo]
    } else if bench.is_some_and(|bench| bench.pane == Pane::Log) {
        &[A::Build, A::Filter, A::Search, A::NextPane, A::Zoom]
    } else {
        &[
            A::Build,
            A::Edit,
            A::EditOutside,
            A::NextFile,
            A::Remarks,
            A::NextPane,
            A::Zoom,
            A::Hints,
        ]
    }
}
