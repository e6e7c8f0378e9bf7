//! Verdicts: whole attempts on the same files, judged in the same words by every engine.
//!
//! The exercises of `tests/data/verdicts` ask for many kinds of goals. What the first engine of the
//! list says, Docker 20.10 in the matrix, is what all of them must say.

use std::collections::BTreeMap;
use std::collections::BTreeSet;
use std::path::Path;
use std::path::PathBuf;
use std::sync::Arc;

use loadline::advisories::Shipped;
use loadline::attempt;
use loadline::attempt::AttemptEvent;
use loadline::attempt::Request;
use loadline::attempt::Submission;
use loadline::bases::Options;
use loadline::bases::Service;
use loadline::course::Course;
use loadline::course::Exercise;
use loadline::course::Files;
use loadline::course::load;
use loadline::engine::Engine;
use loadline::report::CourseRef;
use loadline::report::GoalReport;
use loadline::report::Outcome;
use loadline::report::Report;
use loadline::report::VerdictName;
use loadline::workshop::Supply;
use tokio::sync::OnceCell;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use super::bench;
use super::bench::Bench;
use super::bench::on_all_engines_at_once;
use super::bench::on_each_engine;

/// The base image of the exercises.
const BASE: &str = "busybox";

fn course() -> Course {
    let folder = crate::source::root().join("tests/data/verdicts");
    load::folder(&folder).unwrap_or_else(|error| panic!("{error}"))
}

fn cache() -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR")).join("bases")
}

fn service(engine: &Arc<dyn Engine>) -> Service {
    let options = Options {
        no_registry: true,
        ..Options::default()
    };
    Service::new(Arc::clone(engine), cache(), options).expect("the catalogue is sound")
}

/// The base in a pack, made on the engine that the program itself finds.
async fn pack() -> &'static Path {
    static PACK: OnceCell<PathBuf> = OnceCell::const_new();
    let made = PACK.get_or_init(|| async {
        let found = loadline::engine::find::find().await;
        let engine: Arc<dyn Engine> = Arc::new(found.expect("run `make engine` to start one"));
        let service = service(&engine);
        let (to, _progress) = mpsc::channel(8);
        let cancel = CancellationToken::new();
        let ready = service.ensure(BASE, to.clone(), cancel.clone()).await;
        ready.unwrap_or_else(|error| panic!("{BASE}: {error}"));
        // Where the engine has the base, nothing was written here yet.
        std::fs::create_dir_all(cache()).expect("a folder under target");
        let file = cache().join("verdicts.pack");
        let asked = [BASE.to_owned()];
        let written = service
            .export(&file, &asked, &BTreeMap::new(), to, cancel)
            .await;
        written.unwrap_or_else(|error| panic!("{BASE}: {error}"));
        file
    });
    made.await
}

/// The base images of an engine under test, the pack's among them.
async fn supply(bench: &Bench) -> Arc<Supply> {
    let engine: Arc<dyn Engine> = Arc::new(bench.engine.clone());
    let service = service(&engine);
    let (to, _progress) = mpsc::channel(8);
    let loaded = service
        .import(pack().await, to, CancellationToken::new())
        .await;
    loaded.unwrap_or_else(|error| panic!("{}: {error}", bench.address));
    Arc::new(Supply::new(Arc::new(service)))
}

/// One attempt in which everything is looked at.
async fn attempt(
    bench: &Bench,
    supply: Arc<Supply>,
    course: &Course,
    exercise: &Exercise,
    files: Files,
) -> Report {
    // The same on every engine: it is part of what is sent.
    let token = "canary-00000000000000000000000000000000";
    let planted = exercise.planted(token);
    let engine: Arc<dyn Engine> = Arc::new(bench.engine.clone());
    let request = Request {
        course: CourseRef {
            id: course.id.clone(),
            version: course.version.clone(),
        },
        canaries: planted.needles(token),
        exercise: Arc::new(planted),
        submission: Submission::Files(files),
        owner: format!("{}-verdicts-{}", bench::OWNER, std::process::id()),
        baseline: None,
        // How much comes from the cache is told, and would depend on earlier tests.
        no_cache: true,
        thorough: true,
        facts: None,
        advisories: Ok(Shipped::get()),
        own: false,
    };
    let mut events = attempt::start(engine, supply, request, CancellationToken::new());
    let mut report = None;
    while let Some(event) = events.recv().await {
        if let AttemptEvent::Finished(finished) = event {
            report = Some(*finished);
        }
    }
    let report = report.expect("an attempt ends with a report");
    if let Some(image) = &report.image {
        bench.remove(&image.id).await;
    }
    report
}

/// What the learner may edit, as the starter has it.
fn starter(exercise: &Exercise) -> Files {
    let mut files = exercise.files.clone();
    files.retain(|path, _| exercise.edit.contains(path));
    files
}

/// A text in which only what a clock said is left open: `met 0.3 s after …`, `after 85 ms`.
fn timeless(text: &str) -> String {
    let words: Vec<&str> = text.split(' ').collect();
    let unit = |index: usize| {
        let word = words.get(index).copied().unwrap_or_default();
        matches!(word.trim_end_matches([',', '.', ';', ':']), "s" | "ms")
    };
    let near = |index: usize| {
        let before = index.checked_sub(1).and_then(|index| words.get(index));
        before == Some(&"after") || words.get(index + 2) == Some(&"after")
    };
    let mut kept = Vec::new();
    let mut index = 0;
    while let Some(word) = words.get(index) {
        if word.parse::<f64>().is_ok() && unit(index + 1) && near(index) {
            kept.push("a moment");
            index += 1;
        } else {
            kept.push(word);
        }
        index += 1;
    }
    kept.join(" ")
}

/// One goal's verdict with everything that a learner reads of it.
fn line(goal: &GoalReport) -> String {
    let text = |clean: &Option<loadline::text::Clean>| {
        timeless(clean.as_ref().map_or("", loadline::text::Clean::as_str))
    };
    let verdict = match goal.verdict {
        VerdictName::Met => "met",
        VerdictName::Unmet => "unmet",
        VerdictName::Unknown => "unknown",
    };
    format!(
        "{} {verdict}: {} | {} | {} | line {:?}, layer {:?}, {:?}",
        goal.id,
        text(&goal.actual),
        text(&goal.why),
        text(&goal.next_step),
        goal.blame.line,
        goal.blame.layer,
        goal.blame.path.as_ref().map(ToString::to_string),
    )
}

/// A report without what may differ between engines: ids, times, the engine's own name.
fn lines(report: &Report) -> Vec<String> {
    let mut lines = vec![format!("outcome {:?}", report.outcome)];
    if let Some(problem) = &report.problem {
        let next = problem.next_step.as_ref().map(ToString::to_string);
        let line = problem.blame.line;
        lines.push(format!("problem {} | {next:?} | {line:?}", problem.message));
    }
    if let Some(image) = &report.image {
        lines.push(format!("ships {} bytes", image.shipped_bytes.0));
        lines.extend(
            image
                .layers
                .iter()
                // Not every builder makes a layer of what holds nothing.
                .filter(|layer| layer.shipped_bytes.0 > 0)
                .map(|layer| format!("layer {:?}: {} bytes", layer.line, layer.shipped_bytes.0)),
        );
    }
    lines.extend(report.goals.iter().map(line));
    lines
}

fn unmet(report: &Report) -> BTreeSet<&str> {
    report
        .goals
        .iter()
        .filter(|goal| goal.required && goal.verdict == VerdictName::Unmet)
        .map(|goal| goal.id.as_str())
        .collect()
}

/// All attempts on one engine: exercise and submission, with what was said.
async fn judged(bench: &Bench) -> Said {
    let course = course();
    let supply = supply(bench).await;
    let mut said = BTreeMap::new();
    for exercise in &course.exercises {
        let files = starter(exercise);
        let report = attempt(bench, Arc::clone(&supply), &course, exercise, files).await;
        let told = lines(&report);
        let stated: BTreeSet<&str> = exercise.starter_misses.iter().map(String::as_str).collect();
        assert_eq!(
            unmet(&report),
            stated,
            "{}: the starter of {}:\n{}",
            bench.address,
            exercise.id,
            told.join("\n")
        );
        said.insert(format!("{} starter", exercise.id), told);
        let Some(files) = exercise.solved() else {
            continue;
        };
        let report = attempt(bench, Arc::clone(&supply), &course, exercise, files).await;
        let told = lines(&report);
        let open = report
            .goals
            .iter()
            .any(|goal| goal.required && goal.verdict != VerdictName::Met);
        assert!(
            !open,
            "{}: the solution of {}:\n{}",
            bench.address,
            exercise.id,
            told.join("\n")
        );
        said.insert(format!("{} solution", exercise.id), told);
    }
    said
}

/// What was said of each exercise and submission.
type Said = BTreeMap<String, Vec<String>>;

/// The first engine's address, and what it says.
async fn reference() -> &'static (String, Said) {
    static SAID: OnceCell<(String, Said)> = OnceCell::const_new();
    SAID.get_or_init(|| async {
        let first = bench::engines().await.remove(0);
        let said = judged(&first).await;
        (first.address, said)
    })
    .await
}

/// Words that an engine cannot share with the first one; the verdict itself is the same. Podman 4.3
/// does not tell what ran out of memory.
fn is_known(bench: &Bench, line: &str) -> bool {
    bench.engine.info().version.starts_with("4.") && line.starts_with("hungry unmet: ")
}

#[test]
fn the_same_files_get_the_same_verdicts_whatever_the_engine() {
    on_all_engines_at_once(async |bench: &Bench| {
        let (first, wanted) = reference().await;
        if *first == bench.address {
            return;
        }
        let said = judged(bench).await;
        let mut differences = String::new();
        for (what, wanted) in wanted {
            let said = said.get(what).map(Vec::as_slice).unwrap_or_default();
            let known = |line: &&String| !is_known(bench, line);
            for line in wanted
                .iter()
                .filter(|line| !said.contains(line))
                .filter(known)
            {
                differences.push_str(&format!("\n{what}: first - {line}"));
            }
            for line in said
                .iter()
                .filter(|line| !wanted.contains(line))
                .filter(known)
            {
                differences.push_str(&format!("\n{what}: here  + {line}"));
            }
        }
        assert!(
            differences.is_empty(),
            "{} judges otherwise than the first engine:{differences}",
            bench.address
        );
    });
}

/// Docker before 23 and Podman before 4.9 have no heredocs of their own.
fn knows_heredocs(bench: &Bench) -> bool {
    let version = &bench.engine.info().version;
    !["20.", "4.3"].iter().any(|old| version.starts_with(old))
}

#[test]
fn a_heredoc_builds_or_what_the_engine_lacks_is_told() {
    on_each_engine(async |bench: &Bench| {
        let course = course();
        let supply = supply(bench).await;
        let exercise = course.exercise("fronted").expect("it is in the course");
        let cases = [
            ("RUN <<END\nset -e\nmkdir /made\nEND\n", "&&"),
            ("COPY <<END /made\nsome text\nEND\n", "COPY the file"),
        ];
        for (text, instead) in cases {
            let dockerfile = format!("FROM busybox\n{text}CMD [\"ls\", \"/made\"]\n");
            let files = Files::from([("Dockerfile".to_owned(), dockerfile.as_bytes().into())]);
            let report = attempt(bench, Arc::clone(&supply), &course, exercise, files).await;
            let told = lines(&report).join("\n");
            if knows_heredocs(bench) {
                assert_eq!(report.outcome, Outcome::Passed, "{}: {told}", bench.address);
                continue;
            }
            let problem = report.problem.as_ref().expect("it cannot be built");
            assert!(
                problem.message.as_str().contains("heredocs"),
                "{}: {text}: {told}",
                bench.address
            );
            assert_eq!(problem.blame.line, Some(2), "{}: {told}", bench.address);
            let next = problem.next_step.as_ref().expect("a next step");
            assert!(next.as_str().contains(instead), "{}: {told}", bench.address);
        }
    });
}

/// The kinds that look at what engines do; the others read the same archive everywhere.
const KINDS: [&str; 23] = [
    "builds",
    "run",
    "http",
    "stops",
    "healthcheck",
    "read_only",
    "max_size",
    "reduction",
    "max_layers",
    "no_path",
    "file",
    "no_shell",
    "no_package_manager",
    "non_root",
    "static_binary",
    "no_secret",
    "from",
    "uses",
    "avoids",
    "entrypoint_exec_form",
    "metadata",
    "context",
    "stays_cached",
];

#[test]
fn the_exercises_ask_for_each_of_these_kinds() {
    let course = course();
    let asked: BTreeSet<&str> = course
        .exercises
        .iter()
        .flat_map(Exercise::all_goals)
        .map(|(entry, _)| entry.goal.kind())
        .collect();
    let missing: Vec<&str> = KINDS
        .into_iter()
        .filter(|name| !asked.contains(name))
        .collect();
    assert!(missing.is_empty(), "no exercise asks for {missing:?}");
}
