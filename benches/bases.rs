//! How long base images take that are built here, told apart from the download of their packages.
//! Needs an engine without base images of ours, because their references are fixed and nobody's are
//! removed: point `DOCKER_HOST` at one of the engine matrix.
//!
//! `cargo bench --bench bases` prints one line per figure with its budget, and fails where a budget
//! is missed or cannot be measured. What it makes is removed at the end.

#![expect(
    clippy::disallowed_methods,
    clippy::print_stdout,
    clippy::expect_used,
    reason = "a bench acts, prints its figures and stops where it cannot measure"
)]

use std::collections::BTreeMap;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;
use std::time::Instant;

use loadline::bases::Options;
use loadline::bases::Phase;
use loadline::bases::Service;
use loadline::bases::State;
use loadline::engine::Engine;
use loadline::engine::find;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

/// What most exercises need, small ones first.
const CORE: [&str; 7] = [
    "busybox",
    "gcr.io/distroless/static-debian13",
    "gcr.io/distroless/base-debian13",
    "gcr.io/distroless/cc-debian13",
    "gcr.io/distroless/python3-debian13",
    "debian:trixie-slim",
    "python:3.13-slim",
];

/// The large one.
const PYTHON: &str = "python:3.13";

/// Prints a figure beside its budget; whether it keeps it.
fn figure(name: &str, value: Duration, budget: f64) -> bool {
    let value = value.as_secs_f64();
    let kept = value <= budget;
    let word = if kept { "ok" } else { "OVER" };
    println!("{name:<40} {value:>8.2} s  budget {budget:>5.1}  {word}");
    kept
}

/// What making base images took: bringing indexes and packages, and everything else.
#[derive(Debug, Default)]
struct Took {
    network: Duration,
    work: Duration,
}

impl Took {
    fn add(&mut self, phase: Option<Phase>, time: Duration) {
        match phase {
            Some(Phase::Pulling | Phase::Resolving | Phase::Downloading) => self.network += time,
            _ => self.work += time,
        }
    }
}

/// Makes one base image; its time by phases.
async fn made(service: &Service, reference: &str, took: &mut Took) {
    let (send, mut progress) = mpsc::channel(1000);
    let making = service.ensure(reference, send, CancellationToken::new());
    let timing = async {
        let (mut phase, mut since) = (None, Instant::now());
        while let Some(step) = progress.recv().await {
            if phase != Some(step.phase) {
                took.add(phase, since.elapsed());
                (phase, since) = (Some(step.phase), Instant::now());
            }
        }
        took.add(phase, since.elapsed());
    };
    let (ready, ()) = tokio::join!(making, timing);
    let ready = ready.expect("the base image is made");
    println!("  {reference}: {}", ready.local);
}

async fn measured(engine: Arc<dyn Engine>) -> bool {
    let cache = tempfile::tempdir().expect("a folder");
    let options = Options {
        no_registry: true,
        ..Options::default()
    };
    let service = Service::new(engine, cache.path().to_owned(), options);
    let service = service.expect("the catalogue is sound");
    let listed = service.list(&BTreeMap::new()).await;
    let listed = listed.expect("the engine answers");
    let there = |state: &State| !matches!(state, State::Missing { .. });
    if let Some(one) = listed.iter().find(|one| there(&one.state)) {
        println!(
            "not measured: this engine has `{}` already; name one without base images by DOCKER_HOST",
            one.reference
        );
        return false;
    }
    let (mut core, mut python) = (Took::default(), Took::default());
    for reference in CORE {
        made(&service, reference, &mut core).await;
    }
    made(&service, PYTHON, &mut python).await;
    println!(
        "indexes, answers of apt and packages: {:.1} s for the core tier, {:.1} s more for {PYTHON}",
        core.network.as_secs_f64(),
        python.network.as_secs_f64()
    );
    let removed = service.remove_stand_ins().await;
    println!(
        "{} references removed",
        removed.expect("the engine answers").len()
    );
    let small = figure("core tier, cold, after the download", core.work, 90.0);
    figure(
        "python:3.13 beyond it, after the download",
        python.work,
        90.0,
    ) && small
}

fn main() -> ExitCode {
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let engine = runtime.block_on(find::find()).expect("an engine");
    if runtime.block_on(measured(Arc::new(engine))) {
        return ExitCode::SUCCESS;
    }
    ExitCode::FAILURE
}
