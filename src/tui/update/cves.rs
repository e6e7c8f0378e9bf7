//! The known vulnerabilities of an image: the first image's are asked for to compare with, rows
//! are chosen and opened.

use std::sync::Arc;

use crate::finding::Scan;
use crate::report::ImageReport;
use crate::tui::action::ActionId;
use crate::tui::effect::Effect;
use crate::tui::model::Model;
use crate::tui::model::bench::Bench;
use crate::tui::model::look::FirstScan;
use crate::tui::model::look::Look;
use crate::tui::msg::JobId;
use crate::tui::screen;
use crate::tui::update::inside;
use crate::tui::update::moves;
use crate::workshop::Trouble;
use crate::workshop::insight::Names;

/// Asks for the first image's vulnerabilities, once this image's are known.
pub(super) fn begin(model: &mut Model, effects: &mut Vec<Effect>) {
    let job = JobId(model.last_job + 1);
    let first = first_image(model);
    let Some(bench) = model.bench_mut() else {
        return;
    };
    let known = bench
        .look
        .insight()
        .filter(|insight| insight.advised.is_ok());
    let Some(here) = known.map(|insight| insight.image.clone()) else {
        return;
    };
    if bench.first_scan != FirstScan::NotYet {
        return;
    }
    match first.map(|first| first.id).filter(|first| *first != here) {
        Some(image) => {
            bench.first_scan = FirstScan::Looking { job };
            effects.push(Effect::Scan { job, image });
            model.last_job += 1;
        }
        None => bench.first_scan = FirstScan::Same,
    }
}

/// The first image of the exercise.
fn first_image(model: &Model) -> Option<ImageReport> {
    let exercise = &model.bench()?.exercise;
    let first = model.record(exercise)?.first.as_ref()?;
    first.image.clone()
}

/// The scan of the first image has ended.
pub(super) fn scanned(model: &mut Model, job: JobId, result: &Result<Arc<Scan>, Trouble>) {
    for bench in model.benches.values_mut() {
        if bench.first_scan == (FirstScan::Looking { job }) {
            bench.first_scan = match result {
                Ok(scan) => FirstScan::Here(Arc::clone(scan)),
                Err(trouble) => FirstScan::Failed(trouble.clone()),
            };
        }
    }
    compare(model);
}

/// What both scans of the open exercise are.
struct Both {
    now: Arc<Scan>,
    before: Option<Arc<Scan>>,
}

fn both(bench: &Bench) -> Option<Both> {
    let advised = bench.look.insight()?.advised.as_ref().ok()?;
    Some(Both {
        now: Arc::clone(&advised.scan),
        before: match &bench.first_scan {
            FirstScan::Here(scan) => Some(Arc::clone(scan)),
            _ => None,
        },
    })
}

/// Compares the images of the open exercise anew.
pub(super) fn compare(model: &mut Model) {
    let first = first_image(model);
    let Some(bench) = model.bench_mut() else {
        return;
    };
    let report = bench.report.as_ref();
    let (Some(both), Some(image)) = (both(bench), report.and_then(|report| report.image.clone()))
    else {
        return;
    };
    let names = Names {
        dockerfile: "",
        image: &image,
    };
    let first = first.as_ref().map(|image| Names {
        dockerfile: "",
        image,
    });
    let before = both.before.as_deref().zip(first.as_ref());
    bench.cves.compare((&both.now, &names), before);
}

/// Does what is done on this screen alone.
pub(super) fn act(model: &mut Model, id: ActionId) {
    let Some(bench) = model.bench_mut() else {
        return;
    };
    let Some(both) = both(bench) else {
        return;
    };
    let before = both.before.as_deref();
    match id {
        ActionId::Sort => bench.cves.order_next(&both.now, before),
        ActionId::Show => bench.cves.list_next(&both.now, before),
        _ => {}
    }
}

/// Opens the chosen finding, closes it, or looks again after a look that failed.
pub(super) fn main(model: &mut Model) {
    let Some(bench) = model.bench_mut() else {
        return;
    };
    match &bench.look {
        Look::Failed(_) => inside::again(model),
        // The advisories may be there now.
        Look::Here(insight) if insight.advised.is_err() => bench.look = Look::NotYet,
        _ => bench.cves.open = !bench.cves.open && !bench.cves.rows().is_empty(),
    }
}

/// One level up on this screen; says whether there was one.
pub(super) fn back(model: &mut Model) -> bool {
    let Some(bench) = model.bench_mut() else {
        return false;
    };
    if std::mem::replace(&mut bench.cves.open, false) {
        return true;
    }
    let filtered = !bench.cves.filter.is_empty();
    if filtered {
        filter(model, "");
    }
    filtered
}

/// Lists only findings with these words.
pub(super) fn filter(model: &mut Model, words: &str) {
    if let Some(bench) = model.bench_mut()
        && let Some(both) = both(bench)
    {
        bench.cves.filter(words, &both.now, both.before.as_deref());
    }
}

/// Moves in the list.
pub(super) fn go(model: &mut Model, id: ActionId) {
    let Some(bench) = model.bench() else {
        return;
    };
    let row = moves::row(model, id, bench.cves.selected, bench.cves.rows().len());
    if let Some(bench) = model.bench_mut() {
        bench.cves.select(row);
    }
}

/// Keeps the chosen finding in sight.
pub(super) fn keep_in_sight(model: &mut Model) {
    let list = screen::cves::layout(model, model.area()).list;
    let more = model.bench().map_or(0, |bench| {
        screen::cves::details_height(model, bench, list.width)
    });
    if let Some(bench) = model.bench_mut() {
        bench.cves.keep_in(list.height.into(), more);
    }
}
