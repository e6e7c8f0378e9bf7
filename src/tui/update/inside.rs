//! The look into an image: begun when a screen needs it, stopped when nobody waits for it, and
//! what is done on the screens that show it.

use std::sync::Arc;

use crate::tui::action::ActionId;
use crate::tui::effect::Effect;
use crate::tui::model::Model;
use crate::tui::model::Screen;
use crate::tui::model::layers::LayersPane;
use crate::tui::model::look::FirstScan;
use crate::tui::model::look::Look;
use crate::tui::msg::JobId;
use crate::tui::screen::layers;
use crate::tui::update::cves;
use crate::tui::update::moves;
use crate::units::Bytes;
use crate::workshop::Trouble;
use crate::workshop::insight::Insight;

/// Begins the look that the screen needs, and stops those that nobody waits for: an exercise that
/// was left, an image that is being built anew.
pub(super) fn settle(model: &mut Model, effects: &mut Vec<Effect>) {
    let open = match model.screen {
        Screen::Home | Screen::Lesson => None,
        _ => model.exercise().map(|exercise| exercise.id.clone()),
    };
    for bench in model.benches.values_mut() {
        let wanted = open.as_ref() == Some(&bench.exercise) && !bench.is_building();
        if let (Look::Looking { job, .. }, false) = (&bench.look, wanted) {
            effects.push(Effect::StopLook(*job));
            bench.look = Look::NotYet;
        }
        if let (FirstScan::Looking { job }, false) = (&bench.first_scan, wanted) {
            effects.push(Effect::StopLook(*job));
            bench.first_scan = FirstScan::NotYet;
        }
        // What failed is tried again when the screen is opened again.
        if model.screen != Screen::Cves && matches!(bench.first_scan, FirstScan::Failed(_)) {
            bench.first_scan = FirstScan::NotYet;
        }
    }
    if !matches!(model.screen, Screen::Layers | Screen::Cves) {
        return;
    }
    let job = JobId(model.last_job + 1);
    let Some(bench) = model.bench_mut() else {
        return;
    };
    let image = bench
        .report
        .as_ref()
        .and_then(|report| report.image.as_ref());
    if let Some(image) = image.map(|image| image.id.clone())
        && bench.look == Look::NotYet
        && !bench.is_building()
    {
        bench.look = Look::Looking {
            job,
            read: Bytes(0),
        };
        effects.push(Effect::Look { job, image });
        model.last_job += 1;
    }
    if model.screen == Screen::Cves {
        cves::begin(model, effects);
    }
}

/// Part of the image was read.
pub(super) fn looking(model: &mut Model, job: JobId, bytes: Bytes) {
    for bench in model.benches.values_mut() {
        if let Look::Looking { job: running, read } = &mut bench.look
            && *running == job
        {
            *read = bytes;
        }
    }
}

/// The look has ended.
pub(super) fn looked(model: &mut Model, job: JobId, result: &Result<Arc<Insight>, Trouble>) {
    for bench in model.benches.values_mut() {
        if !matches!(&bench.look, Look::Looking { job: running, .. } if *running == job) {
            continue;
        }
        bench.look = match result {
            Ok(insight) => {
                bench.layers.reset(insight);
                Look::Here(Arc::clone(insight))
            }
            Err(trouble) => Look::Failed(trouble.clone()),
        };
    }
    cves::compare(model);
}

/// Looks once more after a look that failed.
pub(super) fn again(model: &mut Model) {
    if let Some(bench) = model.bench_mut()
        && matches!(bench.look, Look::Failed(_))
    {
        bench.look = Look::NotYet;
    }
}

/// Does what is done on these screens alone.
pub(super) fn act(model: &mut Model, id: ActionId) {
    if model.screen == Screen::Cves {
        cves::act(model, id);
        return;
    }
    let Some(bench) = model.bench_mut() else {
        return;
    };
    let Some(insight) = bench.look.insight().cloned() else {
        return;
    };
    let state = &mut bench.layers;
    match id {
        ActionId::Sort => state.sort_next(&insight),
        ActionId::Show => state.show_next(&insight),
        ActionId::NextLayer => state.choose(&insight, state.at + 1),
        ActionId::PreviousLayer => state.choose(&insight, state.at.saturating_sub(1)),
        _ => {}
    }
}

/// Shows only the paths with these words.
pub(super) fn filter(model: &mut Model, words: &str) {
    if let Some(bench) = model.bench_mut()
        && let Some(insight) = bench.look.insight().cloned()
    {
        bench.layers.filter(&insight, words);
    }
}

/// Moves in the layers or in their files.
pub(super) fn go(model: &mut Model, id: ActionId) {
    let Some(bench) = model.bench() else {
        return;
    };
    let Some(insight) = bench.look.insight().cloned() else {
        return;
    };
    let (pane, at, selected) = (bench.layers.pane, bench.layers.at, bench.layers.selected);
    let rows = bench.layers.rows().len();
    let layer = moves::row(model, id, at, insight.layers.len() + 1);
    let row = moves::row(model, id, selected, rows);
    let Some(bench) = model.bench_mut() else {
        return;
    };
    let state = &mut bench.layers;
    match (pane, id) {
        (LayersPane::Layers, ActionId::Right) => state.pane = LayersPane::Files,
        (LayersPane::Layers, ActionId::Left) => {}
        (LayersPane::Layers, _) => state.choose(&insight, layer),
        (LayersPane::Files, ActionId::Right) => state.open(&insight),
        (LayersPane::Files, ActionId::Left) => {
            if !state.close(&insight) {
                state.pane = LayersPane::Layers;
            }
        }
        (LayersPane::Files, _) => state.select(row),
    }
}

/// Gives the keys to the other pane.
pub(super) fn pane(model: &mut Model) {
    if let Some(bench) = model.bench_mut() {
        bench.layers.pane = match bench.layers.pane {
            LayersPane::Layers => LayersPane::Files,
            LayersPane::Files => LayersPane::Layers,
        };
    }
}

/// Keeps the chosen row in sight.
pub(super) fn keep_in_sight(model: &mut Model) {
    let height = layers::layout(model, model.area()).files.height;
    if let Some(bench) = model.bench_mut() {
        bench.layers.keep_in(height.into());
    }
}
