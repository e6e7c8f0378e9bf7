//! What an attempt costs beside the engine's own work. Needs an engine: `make bench`.
//!
//! `cargo bench --bench attempt` prints one line per figure with its budget, and fails where a
//! budget is missed. Attempts go through the program, as `loadline check` makes them.

#![expect(
    clippy::disallowed_methods,
    clippy::print_stdout,
    clippy::expect_used,
    reason = "a bench acts, prints its figures and stops where it cannot measure"
)]

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;
use std::time::Instant;

use loadline::dockerfile::Dockerfile;
use loadline::engine::BuildRequest;
use loadline::engine::Engine;
use loadline::engine::find;
use loadline::report::Report;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

/// Builds of each kind for the overhead, alternating.
const PAIRS: usize = 3;

/// Seconds that the step of the overhead's Dockerfile takes.
const WORK: u32 = 3;

const BARE: &str = "loadline.local/bench/bare:latest";

/// One attempt through the program, and how long it took as a user sees it.
fn attempt(exercise: &str, folder: &Path) -> (Report, Duration) {
    let began = Instant::now();
    let output = Command::new(env!("CARGO_BIN_EXE_loadline"))
        .args(["check", exercise, "--json", "--dir"])
        .arg(folder)
        .output()
        .expect("the program starts");
    let took = began.elapsed();
    let report: Report = serde_json::from_slice(&output.stdout).unwrap_or_else(|_| {
        let said = String::from_utf8_lossy(&output.stderr);
        println!("no report came; it said:\n{said}");
        std::process::abort()
    });
    assert!(
        report.image.is_some(),
        "no image was made: {:?}",
        report.problem
    );
    (report, took)
}

fn median(mut figures: Vec<f64>) -> f64 {
    figures.sort_by(f64::total_cmp);
    figures.get(figures.len() / 2).copied().unwrap_or(f64::NAN)
}

/// Prints a figure beside its budget; whether it keeps it.
fn figure(name: &str, value: f64, unit: &str, budget: f64) -> bool {
    let kept = value <= budget;
    let word = if kept { "ok" } else { "OVER" };
    println!("{name:<40} {value:>8.2} {unit:<2} budget {budget:>5.2}  {word}");
    kept
}

/// A copy of the exercise's files, with those of its solution where they are asked for.
fn submission(folders: &[&str]) -> tempfile::TempDir {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let copy = tempfile::tempdir().expect("a folder");
    for folder in folders {
        let entries = std::fs::read_dir(root.join(folder)).expect("a folder of the course");
        for entry in entries.flatten() {
            let to = copy.path().join(entry.file_name());
            std::fs::copy(entry.path(), to).expect("a file of the course");
        }
    }
    copy
}

/// The solution again and again: nothing has changed, everything is judged.
fn warm() -> bool {
    let folders = [
        "exercises/shrink-that-image/files",
        "solutions/shrink-that-image",
    ];
    let folder = submission(&folders);
    attempt("shrink-that-image", folder.path());
    let times = (0..5)
        .map(|_| attempt("shrink-that-image", folder.path()).1)
        .map(|took| took.as_secs_f64())
        .collect();
    figure(
        "warm attempt, solution, median of 5",
        median(times),
        "s",
        2.0,
    )
}

/// A gigabyte that is built already: what is left is looking at it.
fn starter() -> bool {
    let folder = submission(&["exercises/shrink-that-image/files"]);
    attempt("shrink-that-image", folder.path());
    let timings = attempt("shrink-that-image", folder.path()).0.timings_ms;
    let took = Duration::from_millis(timings.evidence + timings.judge).as_secs_f64();
    figure("judging the starter, built", took, "s", 4.0)
}

/// A Dockerfile that no cache knows.
fn dockerfile(base: &str, nonce: &str) -> String {
    format!("FROM {base}\nRUN sleep {WORK} && echo {nonce} >/made\nCMD [\"cat\", \"/made\"]\n")
}

/// The engine alone on the same Dockerfile.
fn bare(engine: &dyn Engine, runtime: &tokio::runtime::Runtime, text: &str) -> Duration {
    let mut header = tar::Header::new_gnu();
    header.set_size(text.len() as u64);
    header.set_mode(0o644);
    let mut archive = tar::Builder::new(Vec::new());
    archive
        .append_data(&mut header, "Dockerfile", text.as_bytes())
        .expect("memory");
    let file = tempfile::NamedTempFile::new().expect("a file");
    std::fs::write(file.path(), archive.into_inner().expect("memory")).expect("a file");
    let request = BuildRequest {
        context: file.path().to_owned(),
        dockerfile_path: "Dockerfile".to_owned(),
        dockerfile: Arc::new(Dockerfile::parse(text)),
        tag: BARE.to_owned(),
        labels: BTreeMap::new(),
        owner: "bench".to_owned(),
        build_args: BTreeMap::new(),
        target: None,
        no_cache: false,
        network: true,
        within: Duration::from_secs(60),
    };
    let began = Instant::now();
    runtime.block_on(async {
        let (sender, mut events) = mpsc::channel(64);
        let drain = async { while events.recv().await.is_some() {} };
        let build = engine.build(request, sender, CancellationToken::new());
        let (built, ()) = tokio::join!(build, drain);
        built.expect("the engine builds");
    });
    began.elapsed()
}

/// The build of an attempt against the engine's own, alternating in one run.
fn overhead() -> bool {
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let engine = runtime.block_on(find::find()).expect("an engine");
    let folder = tempfile::tempdir().expect("a folder");
    let run = std::process::id();
    let (mut ours, mut theirs) = (Vec::new(), Vec::new());
    for pair in 0..PAIRS {
        let text = dockerfile("busybox", &format!("{run}-attempt-{pair}"));
        std::fs::write(folder.path().join("Dockerfile"), text).expect("a file");
        let (report, _) = attempt("first-build", folder.path());
        ours.push(Duration::from_millis(report.timings_ms.build).as_secs_f64());
        let base = report.bases.first().expect("the base is known");
        let text = dockerfile(&base.resolved, &format!("{run}-bare-{pair}"));
        theirs.push(bare(&engine, &runtime, &text).as_secs_f64());
    }
    let _ = runtime.block_on(engine.remove_image(BARE));
    let ratio = median(ours) / median(theirs);
    figure("build in an attempt over a bare one", ratio, "x", 1.10)
}

fn main() -> ExitCode {
    let kept = [warm(), starter(), overhead()];
    if kept.contains(&false) {
        return ExitCode::FAILURE;
    }
    ExitCode::SUCCESS
}
