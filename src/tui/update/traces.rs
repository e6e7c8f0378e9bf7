//! Traced runs: asked for, stopped, ended. Each ends once.

use crate::attempt::Traced;
use crate::tui::effect::Effect;
use crate::tui::model::Job;
use crate::tui::model::Model;
use crate::tui::msg::JobId;
use crate::tui::theme::Role;
use crate::workshop::Trouble;

#[cfg(test)]
mod tests;

/// Runs the image of the last report.
pub(super) fn begin(model: &mut Model, effects: &mut Vec<Effect>) {
    if model.tracing.is_some() {
        return;
    }
    let Some(bench) = model.bench_mut() else {
        return;
    };
    let report = bench.report.as_ref();
    let Some(image) = report.and_then(|report| report.image.as_ref()) else {
        return;
    };
    let (id, lines) = (
        image.id.clone(),
        image.layers.iter().map(|layer| layer.line).collect(),
    );
    let exercise = bench.exercise.clone();
    bench.traced = None;
    model.last_job += 1;
    let job = JobId(model.last_job);
    effects.push(Effect::Trace {
        job,
        exercise: exercise.clone(),
        image: id,
        lines,
    });
    model.tracing = Some(Job {
        id: job,
        exercise,
        cancelling: false,
    });
    model.say(
        Role::Muted,
        "the image runs once more; what it opens is written down (x stops it)",
    );
}

/// Asks the traced run to stop; it has stopped when it says so.
pub(super) fn cancel(model: &mut Model, effects: &mut Vec<Effect>) {
    if let Some(job) = &mut model.tracing
        && !std::mem::replace(&mut job.cancelling, true)
    {
        effects.push(Effect::Cancel(job.id));
    }
}

pub(super) fn ended(
    model: &mut Model,
    job: JobId,
    image: &str,
    result: Result<Box<Traced>, Trouble>,
) {
    let Some(running) = model.tracing.take_if(|running| running.id == job) else {
        return;
    };
    if running.cancelling && result.is_err() {
        model.say(Role::Muted, "stopped; nothing of that run is left");
        return;
    }
    let open = model
        .bench()
        .is_some_and(|bench| bench.exercise == running.exercise);
    let Some(bench) = model.benches.get_mut(&running.exercise) else {
        return;
    };
    let report = bench.report.as_ref();
    let shown = report.and_then(|report| report.image.as_ref());
    // A newer image may have come meanwhile.
    if shown.is_none_or(|shown| shown.id != image) {
        return;
    }
    let mut result = result;
    if let (Ok(traced), Some(text)) = (&mut result, bench.built.get("Dockerfile")) {
        traced.touched.quote(text);
    }
    bench.traced = Some(result);
    if open {
        model.status = None;
    }
}
