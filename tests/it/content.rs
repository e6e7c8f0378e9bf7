//! The exercises on a real engine: every starter fails for its stated reason, every solution
//! passes, twice from clean, and the popular answer is explained by what it does.

use std::collections::BTreeMap;
use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;

use loadline::advisories::Shipped;
use loadline::attempt;
use loadline::attempt::AttemptEvent;
use loadline::attempt::Request;
use loadline::attempt::Submission;
use loadline::bases;
use loadline::bases::Service;
use loadline::course::Course;
use loadline::course::Exercise;
use loadline::course::Files;
use loadline::course::load;
use loadline::engine::Engine;
use loadline::image::archive;
use loadline::learner::LayerFacts;
use loadline::learner::records::new_token;
use loadline::report::CourseRef;
use loadline::report::GoalReport;
use loadline::report::Outcome;
use loadline::report::Report;
use loadline::report::VerdictName;
use loadline::workshop::Supply;
use tokio_util::sync::CancellationToken;

use crate::host;

#[derive(Clone, Copy, PartialEq, Eq)]
enum Start {
    /// Nothing comes out of the builder's cache, and everything is looked at.
    Clean,
    /// The same with the cache.
    Warm,
    /// As in the workshop: no more is looked at than the verdict needs, layers are remembered.
    Learner,
}

/// Goals whose verdict on a starter blames no line and no layer, with the reason.
const NOT_BLAMED: &[(&str, &str)] = &[];

struct Bench {
    engine: Arc<dyn Engine>,
    supply: Arc<Supply>,
    course: Course,
}

impl Bench {
    async fn new() -> Option<Self> {
        let engine = host::engine().await?;
        let cache = Path::new(env!("CARGO_TARGET_TMPDIR")).join("bases");
        let service = Service::new(Arc::clone(&engine), cache, bases::Options::default());
        let service = service.expect("the catalogue is sound");
        Some(Self {
            engine,
            supply: Arc::new(Supply::new(Arc::new(service))),
            course: load::embedded().unwrap_or_else(|error| panic!("{error}")),
        })
    }

    fn exercise(&self, id: &str) -> &Exercise {
        self.course.exercise(id).expect("it is in the course")
    }

    /// One attempt.
    async fn attempt(&self, exercise: &Exercise, files: Files, start: Start) -> Report {
        let token = new_token();
        let planted = exercise.planted(&token);
        let mut events = attempt::start(
            Arc::clone(&self.engine),
            self.supply.clone(),
            Request {
                course: CourseRef {
                    id: self.course.id.clone(),
                    version: self.course.version.clone(),
                },
                canaries: planted.needles(&token),
                exercise: Arc::new(planted),
                submission: Submission::Files(files),
                owner: format!("content-test-{}", std::process::id()),
                advisories: Ok(Shipped::get()),
                baseline: None,
                no_cache: start == Start::Clean,
                own: true,
                thorough: start != Start::Learner,
                facts: (start == Start::Learner).then(|| {
                    let place = Path::new(env!("CARGO_TARGET_TMPDIR")).join("content-layers");
                    let facts: Arc<dyn archive::Facts> = Arc::new(LayerFacts::at(place));
                    facts
                }),
            },
            CancellationToken::new(),
        );
        let mut report = None;
        while let Some(event) = events.recv().await {
            if let AttemptEvent::Finished(finished) = event {
                assert!(report.is_none(), "an attempt ended twice");
                report = Some(*finished);
            }
        }
        let report = report.expect("an attempt ends with a report");
        if let Some(image) = &report.image {
            let _ = self.engine.remove_image(&image.id).await;
        }
        report
    }

    /// What the learner may edit, as the starter has it.
    fn starter(exercise: &Exercise) -> Files {
        let mut files = exercise.files.clone();
        files.retain(|path, _| exercise.edit.contains(path));
        files
    }

    async fn prove(&self, id: &str) {
        let exercise = self.exercise(id);
        for round in 1..=2 {
            let report = self
                .attempt(exercise, Self::starter(exercise), Start::Clean)
                .await;
            starter_fails_as_stated(exercise, &report, round);
            let solution = exercise.solution.as_ref().expect("it has a solution");
            let mut files = Self::starter(exercise);
            files.extend(solution.files.clone());
            let report = self.attempt(exercise, files, Start::Clean).await;
            solution_passes(&report, round);
        }
        let report = self
            .attempt(exercise, Self::starter(exercise), Start::Learner)
            .await;
        learner_is_told(exercise, &report);
    }
}

fn shown(report: &Report) -> String {
    serde_json::to_string_pretty(report).expect("a report is JSON")
}

fn with_verdict(report: &Report, verdict: VerdictName) -> BTreeSet<&str> {
    let goals = report
        .goals
        .iter()
        .filter(|goal| goal.required && goal.verdict == verdict);
    goals.map(|goal| goal.id.as_str()).collect()
}

fn starter_fails_as_stated(exercise: &Exercise, report: &Report, round: u32) {
    let stated: BTreeSet<&str> = exercise.starter_misses.iter().map(String::as_str).collect();
    let unmet = with_verdict(report, VerdictName::Unmet);
    assert_eq!(unmet, stated, "round {round}: {}", shown(report));
    if stated.contains("builds") {
        assert_eq!(report.outcome, Outcome::BuildFailed, "{}", shown(report));
    } else {
        assert_eq!(report.outcome, Outcome::Failed, "{}", shown(report));
        let unknown = with_verdict(report, VerdictName::Unknown);
        assert!(unknown.is_empty(), "round {round}: {}", shown(report));
    }
    for goal in report
        .goals
        .iter()
        .filter(|goal| goal.verdict == VerdictName::Unmet)
    {
        assert!(
            goal.actual.is_some() && goal.why.is_some(),
            "{}",
            shown(report)
        );
        assert!(goal.next_step.is_some(), "{}", shown(report));
        let blamed = goal.blame.line.is_some() || goal.blame.layer.is_some();
        let excepted = NOT_BLAMED.iter().any(|(id, _)| *id == goal.id);
        assert_ne!(blamed, excepted, "`{}`: {}", goal.id, shown(report));
    }
}

/// What a learner reads of the starter, where not everything was looked at: nothing that is not so,
/// at least one thing to do, and of the rest why it is not known.
fn learner_is_told(exercise: &Exercise, report: &Report) {
    let stated: BTreeSet<&str> = exercise.starter_misses.iter().map(String::as_str).collect();
    let unmet = with_verdict(report, VerdictName::Unmet);
    assert!(!unmet.is_empty(), "{}", shown(report));
    assert!(unmet.is_subset(&stated), "{}", shown(report));
    let met = with_verdict(report, VerdictName::Met);
    assert!(met.is_disjoint(&stated), "{}", shown(report));
    for goal in &report.goals {
        let unknown = goal.verdict == VerdictName::Unknown;
        assert!(!unknown || goal.why.is_some(), "{}", shown(report));
    }
}

fn solution_passes(report: &Report, round: u32) {
    assert_eq!(
        report.outcome,
        Outcome::Passed,
        "round {round}: {}",
        shown(report)
    );
    for goal in &report.goals {
        assert_eq!(
            goal.verdict,
            VerdictName::Met,
            "round {round}: {}",
            shown(report)
        );
    }
    assert!(report.image.is_some(), "{}", shown(report));
}

/// One test for each exercise, which run at the same time, and one that none is left out.
macro_rules! proofs {
    ($($test:ident: $id:literal,)+) => {
        $(
            #[tokio::test(flavor = "multi_thread")]
            async fn $test() {
                let Some(bench) = Bench::new().await else {
                    return;
                };
                bench.prove($id).await;
            }
        )+

        #[test]
        fn every_exercise_of_the_course_is_proved() {
            let course = load::embedded().unwrap_or_else(|error| panic!("{error}"));
            let taught = course.exercises.iter().map(|exercise| exercise.id.to_string());
            assert_eq!(
                BTreeSet::from([$($id.to_owned()),+]),
                taught.collect::<BTreeSet<_>>()
            );
        }
    };
}

proofs! {
    first_build_is_as_it_says: "first-build",
    distroless_python_is_as_it_says: "distroless-python",
    shrink_that_image_is_as_it_says: "shrink-that-image",
}

/// The recipe that is copied everywhere, one mended mistake after the other.
const POPULAR: &str = "\
FROM python:3.13-slim AS builder
WORKDIR /app
COPY requirements.txt .
RUN pip install --user --no-cache-dir -r requirements.txt
COPY . .

FROM gcr.io/distroless/python3-debian13
COPY --from=builder /root/.local /root/.local
COPY --from=builder /app /app
WORKDIR /app
ENV PATH=/root/.local/bin:$PATH
CMD [\"python\", \"app.py\"]
";

fn dockerfile(text: &str) -> Files {
    BTreeMap::from([("Dockerfile".to_owned(), text.as_bytes().into())])
}

fn goal<'a>(report: &'a Report, id: &str) -> &'a GoalReport {
    let found = report.goals.iter().find(|goal| goal.id == id);
    found.unwrap_or_else(|| panic!("no goal `{id}`: {}", shown(report)))
}

/// All that a learner reads of a goal.
fn words(goal: &GoalReport) -> String {
    let texts = [&goal.actual, &goal.why, &goal.next_step]
        .into_iter()
        .flatten();
    texts.map(ToString::to_string).collect::<Vec<_>>().join(" ")
}

#[tokio::test(flavor = "multi_thread")]
async fn the_popular_answer_is_explained_by_what_it_does() {
    let Some(bench) = Bench::new().await else {
        return;
    };
    let exercise = bench.exercise("shrink-that-image");

    let report = bench
        .attempt(exercise, dockerfile(POPULAR), Start::Warm)
        .await;
    assert_eq!(report.outcome, Outcome::Failed, "{}", shown(&report));
    assert_eq!(
        goal(&report, "max_size").verdict,
        VerdictName::Met,
        "{}",
        shown(&report)
    );
    let http = goal(&report, "http");
    assert_eq!(http.verdict, VerdictName::Unmet, "{}", shown(&report));
    assert!(
        words(http).contains("python3.13 python app.py"),
        "{}",
        words(http)
    );
    assert!(words(http).contains("entrypoint"), "{}", words(http));
    let secret = goal(&report, "no_secret");
    assert_eq!(secret.verdict, VerdictName::Unmet, "{}", shown(&report));
    assert!(words(secret).contains(".env"), "{}", words(secret));

    // Another spelling is the same mistake: it is known by what it does.
    let other = POPULAR.replace(
        "CMD [\"python\", \"app.py\"]",
        "CMD [\"python3\", \"app.py\"]",
    );
    let report = bench
        .attempt(exercise, dockerfile(&other), Start::Warm)
        .await;
    let http = words(goal(&report, "http"));
    assert!(http.contains("python3.13 python3 app.py"), "{http}");

    let mended = POPULAR
        .replace("[\"python\", \"app.py\"]", "[\"app.py\"]")
        .replace("python3-debian13\n", "python3-debian13:nonroot\n");
    let report = bench
        .attempt(exercise, dockerfile(&mended), Start::Warm)
        .await;
    let http = goal(&report, "http");
    assert_eq!(http.verdict, VerdictName::Unmet, "{}", shown(&report));
    let told = words(http);
    assert!(
        told.contains("`flask`") && told.contains("`/root`"),
        "{told}"
    );
    assert_eq!(
        goal(&report, "non_root").verdict,
        VerdictName::Met,
        "{}",
        shown(&report)
    );
}
