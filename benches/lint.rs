//! What linting costs: two hundred Dockerfiles in one call of the program, and one file as the
//! workshop looks at it with each key.
//!
//! `cargo bench --bench lint` prints one line per figure with its budget, and fails where a budget
//! is missed. `LOADLINE_LINTERS=DIR` names a folder with other linters to measure beside: `hadolint`
//! and `tally`.

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
use std::process::Stdio;
use std::time::Instant;

use loadline::dockerfile::Dockerfile;
use loadline::dockerfile::lint;

const FILES: usize = 200;
const RUNS: usize = 21;

/// The files of the corpus with 5 to 60 instructions.
fn corpus() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/corpus/dockerfiles");
    let entries = std::fs::read_dir(folder).expect("the corpus");
    let mut paths: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).collect();
    paths.sort();
    paths.retain(|path| {
        let bytes = std::fs::read(path).expect("a file of the corpus");
        let count = Dockerfile::parse_bytes(&bytes).instructions().len();
        (5..=60).contains(&count)
    });
    // Some are shorter; the first ones come again to make up the number.
    let again: Vec<PathBuf> = paths.iter().cycle().take(FILES).cloned().collect();
    assert!(paths.len() * 2 > FILES, "the corpus has become small");
    again
}

/// The median of several runs of a command over all files, in milliseconds.
fn call(program: &Path, first: &[&str], files: &[PathBuf], runs: usize) -> f64 {
    let mut times: Vec<f64> = (0..runs)
        .map(|_| {
            let began = Instant::now();
            let status = Command::new(program)
                .args(first)
                .args(files)
                .stdout(Stdio::null())
                .stderr(Stdio::null())
                .status();
            assert!(status.is_ok(), "{} starts", program.display());
            began.elapsed().as_secs_f64() * 1000.0
        })
        .collect();
    median(&mut times)
}

fn median(times: &mut [f64]) -> f64 {
    times.sort_by(f64::total_cmp);
    times.get(times.len() / 2).copied().unwrap_or(f64::NAN)
}

/// Prints a figure beside its budget; whether it keeps it.
fn figure(name: &str, value: f64, unit: &str, budget: f64) -> bool {
    let kept = value <= budget;
    let word = if kept { "ok" } else { "OVER" };
    println!("{name:<44} {value:>8.2} {unit:<2} budget {budget:>6.1}  {word}");
    kept
}

/// The longest file of the corpus, parsed and linted, in milliseconds.
fn one_key(files: &[PathBuf]) -> f64 {
    let texts = files.iter().map(std::fs::read_to_string);
    let longest = texts.flatten().max_by_key(String::len).expect("a file");
    let mut times: Vec<f64> = (0..201)
        .map(|_| {
            let began = Instant::now();
            let found = lint::check(&Dockerfile::parse(&longest));
            assert!(!found.is_empty(), "the longest file has findings");
            began.elapsed().as_secs_f64() * 1000.0
        })
        .collect();
    median(&mut times)
}

fn main() -> ExitCode {
    let files = corpus();
    let program = Path::new(env!("CARGO_BIN_EXE_loadline"));
    let mut kept = true;
    let ours = call(program, &["lint", "--format", "json"], &files, RUNS);
    kept &= figure("200 Dockerfiles in one call", ours, "ms", 100.0);
    let text = call(program, &["lint"], &files, RUNS);
    kept &= figure("200 Dockerfiles in one call, for people", text, "ms", 100.0);
    kept &= figure(
        "the longest of them, with each key",
        one_key(&files),
        "ms",
        2.0,
    );
    if let Some(folder) = std::env::var_os("LOADLINE_LINTERS") {
        let folder = Path::new(&folder);
        for (name, first) in [
            ("hadolint", &["--no-fail", "-f", "json"][..]),
            ("tally", &["lint", "--no-config", "-f", "json"][..]),
        ] {
            let time = call(&folder.join(name), first, &files, 1);
            println!("{name:<44} {time:>8.2} ms");
        }
    }
    if kept {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}
