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

use std::path::Path;
use std::path::PathBuf;
use std::process::Command;
use std::process::ExitCode;
use std::time::Duration;
use std::time::Instant;

use loadline::engine::Engine;
use loadline::engine::find;
use loadline::report::Outcome;
use loadline::report::Report;

/// Builds of each kind for the overhead, alternating.
const PAIRS: usize = 3;

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
    let solve = || {
        let (report, took) = attempt("shrink-that-image", folder.path());
        assert!(
            report.outcome == Outcome::Passed,
            "every goal is judged, and met"
        );
        took.as_secs_f64()
    };
    solve();
    let times = (0..5).map(|_| solve()).collect();
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

/// Files of the overhead's context, and their size: some megabytes, so that reading, packing and
/// sending them counts.
const FILES: u32 = 64;
const FILE: usize = 128 * 1024;

/// Bytes that do not repeat, so that nothing shortens them.
fn noise(seed: u32) -> Vec<u8> {
    let mut state = seed.wrapping_mul(2_654_435_761) | 1;
    std::iter::repeat_with(|| {
        state ^= state << 13;
        state ^= state >> 17;
        state ^= state << 5;
        state.to_le_bytes()
    })
    .flatten()
    .take(FILE)
    .collect()
}

/// Writes a Dockerfile with work that no cache knows: it reads the whole context and packs it.
fn write(folder: &Path, base: &str, nonce: &str) {
    let text = format!(
        "FROM {base}\nCOPY data /data\nRUN echo {nonce} >/made && sha256sum /data/* >/sums && tar -czf /data.tgz /data\nCMD [\"cat\", \"/made\"]\n"
    );
    std::fs::write(folder.join("Dockerfile"), text).expect("a file");
    // The context is another one each time, so neither side finds a copy of it.
    std::fs::write(folder.join("data/nonce"), nonce).expect("a file");
}

/// The engine's own clients of this machine.
fn clients() -> Vec<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path)
        .map(|folder| folder.join("docker"))
        .filter(|client| client.is_file())
        .collect()
}

/// The engine's own client on the same folder; `None` where it cannot build that way: newer clients
/// need a plugin for BuildKit, older ones have it.
fn bare(client: &Path, address: &str, folder: &Path, buildkit: bool) -> Option<Duration> {
    let began = Instant::now();
    let output = Command::new(client)
        .args(["-H", address, "build", "--quiet", "--tag", BARE])
        .arg(folder)
        .env("DOCKER_BUILDKIT", if buildkit { "1" } else { "0" })
        .output()
        .expect("the engine's client is installed");
    let took = began.elapsed();
    output.status.success().then_some(took)
}

/// The build of an attempt against the engine's own, alternating in one run.
fn overhead() -> bool {
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let engine = runtime.block_on(find::find()).expect("an engine");
    let address = engine.info().address.clone();
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::create_dir(folder.path().join("data")).expect("a folder");
    for file in 0..FILES {
        let path = folder.path().join(format!("data/{file:02}"));
        std::fs::write(path, noise(file + 1)).expect("a file");
    }
    let run = std::process::id();
    write(folder.path(), "busybox", &format!("{run}-first"));
    let base = attempt("first-build", folder.path())
        .0
        .bases
        .remove(0)
        .resolved;
    write(folder.path(), &base, &format!("{run}-peer"));
    let clients = clients();
    let (client, buildkit) = [true, false]
        .iter()
        .flat_map(|buildkit| clients.iter().map(move |client| (client, *buildkit)))
        .find(|(client, buildkit)| bare(client, &address, folder.path(), *buildkit).is_some())
        .expect("a client of the engine that builds");
    println!(
        "  the peer: {}, {}",
        client.display(),
        if buildkit {
            "BuildKit"
        } else {
            "the classic builder, as no client here has BuildKit"
        }
    );
    let (mut ours, mut theirs) = (Vec::new(), Vec::new());
    for pair in 0..PAIRS {
        write(folder.path(), "busybox", &format!("{run}-attempt-{pair}"));
        let (report, took) = attempt("first-build", folder.path());
        // All that comes before the looking: the program's start, finding the engine, the bases.
        let timings = report.timings_ms;
        let looking = Duration::from_millis(timings.evidence + timings.judge);
        ours.push(took.saturating_sub(looking).as_secs_f64());
        write(folder.path(), &base, &format!("{run}-bare-{pair}"));
        let took = bare(client, &address, folder.path(), buildkit).expect("it builds again");
        theirs.push(took.as_secs_f64());
    }
    let _ = runtime.block_on(engine.remove_image(BARE));
    let (ours, theirs) = (median(ours), median(theirs));
    println!("  a build in an attempt {ours:.2} s, a bare one {theirs:.2} s");
    figure(
        "build in an attempt over a bare one",
        ours / theirs,
        "x",
        1.10,
    )
}

fn main() -> ExitCode {
    let kept = [warm(), starter(), overhead()];
    if kept.contains(&false) {
        return ExitCode::FAILURE;
    }
    ExitCode::SUCCESS
}
