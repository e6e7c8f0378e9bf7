//! Whole attempts on an engine that answers as it was told.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use super::AttemptEvent;
use super::BaseSupply;
use super::Request;
use super::Submission;
use super::SupplyError;
use super::fake::Building;
use super::fake::Fake;
use super::fake::Memory;
use super::fake::exported;
use super::start;
use crate::course::Exercise;
use crate::course::ExerciseId;
use crate::course::GoalEntry;
use crate::engine::BuildError;
use crate::engine::Builder;
use crate::engine::EngineError;
use crate::goal::Blame;
use crate::goal::Evidence;
use crate::goal::Goal;
use crate::goal::Missing;
use crate::goal::Needs;
use crate::goal::Unmet;
use crate::goal::Verdict;
use crate::goal::evidence::Rebuild;
use crate::image::Config;
use crate::image::HistoryStep;
use crate::image::Summary;
use crate::image::archive;
use crate::image::archive::Options;
use crate::image::inside;
use crate::image::run::Probe;
use crate::image::run::Run;
use crate::image::run::Start;
use crate::report::BaseReport;
use crate::report::CourseRef;
use crate::report::Outcome;
use crate::report::Report;
use crate::report::VerdictName;
use crate::text::Clean;
use crate::units::Bytes;

/// A goal that is met where its evidence is there, and refused by a path.
#[derive(Debug, Default)]
struct Wants {
    contents: bool,
    absent: Option<&'static str>,
    exact: bool,
    ends: bool,
    touch: Option<&'static str>,
    unsent: Option<&'static str>,
}

impl Wants {
    fn run(&self) -> Option<Run> {
        self.ends.then(|| Run {
            start: Start::default(),
            probe: Probe::Exit,
            within: Duration::from_secs(1),
        })
    }
}

impl Wants {
    fn rebuild(&self) -> Option<Rebuild> {
        let touch = self.touch?.to_owned();
        Some(Rebuild { touch })
    }
}

impl Goal for Wants {
    fn kind(&self) -> &'static str {
        "wants"
    }

    fn title(&self) -> String {
        String::from("wants")
    }

    fn wanted(&self) -> String {
        String::from("what it wants")
    }

    fn needs(&self) -> Needs {
        Needs {
            contents: self.contents,
            sizes: self.exact,
            paths: self.absent.iter().map(|path| (*path).to_owned()).collect(),
            runs: self.run().into_iter().collect(),
            rebuilds: self.rebuild().into_iter().collect(),
            ..Needs::default()
        }
    }

    fn evaluate(&self, evidence: &Evidence) -> Verdict {
        let present = self.absent.and_then(|path| evidence.paths.get(path));
        if let Some(Ok(true)) = present {
            return Verdict::Unmet(Box::new(Unmet {
                actual: Clean::line("it is there"),
                why: Clean::line("It came with the base."),
                blame: Blame::default(),
                next_step: Clean::line("Look at the base."),
                output: Vec::new(),
            }));
        }
        let outcome = self.run().map(|run| evidence.run(&run));
        if outcome.is_some_and(|outcome| outcome.is_ok_and(|outcome| outcome.timed_out)) {
            return Verdict::unmet("it ran on", "Its time was over.", "Wait.", Blame::default());
        }
        if let Some(Err(missing)) = self.rebuild().and_then(|one| evidence.rebuilds.get(&one)) {
            return Verdict::unknown(missing);
        }
        let sent = evidence.context.as_ref();
        let sent = |path: &str| sent.is_ok_and(|sent| sent.paths.iter().any(|one| one == path));
        if self.unsent.is_some_and(sent) {
            return Verdict::unmet(
                "it is sent",
                "It is not left out.",
                "Look.",
                Blame::default(),
            );
        }
        if self.exact && !evidence.sizes.as_ref().is_ok_and(|sizes| sizes.exact) {
            return Verdict::unknown(&Missing::because("It is too near."));
        }
        match &evidence.contents {
            Err(missing) if self.contents => Verdict::unknown(missing),
            _ => Verdict::met("fine"),
        }
    }
}

struct NoBases;

#[async_trait]
impl BaseSupply for NoBases {
    async fn ensure(
        &self,
        _references: &[String],
        _events: mpsc::Sender<AttemptEvent>,
        _cancel: CancellationToken,
    ) -> Result<Vec<BaseReport>, SupplyError> {
        Ok(Vec::new())
    }
}

fn request(goals: Vec<Wants>) -> Request {
    let entry = |(index, goal): (usize, Wants)| GoalEntry {
        id: format!("goal-{index}"),
        title: None,
        points: 1,
        why: None,
        read: None,
        hidden: false,
        goal: Arc::new(goal),
    };
    let text: Arc<[u8]> = Arc::from(b"FROM scratch\nCOPY app /app\n".as_slice());
    let files = BTreeMap::from([
        (String::from("Dockerfile"), text),
        (String::from("app"), Arc::from(b"app".as_slice())),
    ]);
    let exercise = Exercise {
        id: ExerciseId(String::from("tiny")),
        title: String::from("Tiny"),
        minutes: 1,
        brief: String::new(),
        edit: vec![String::from("Dockerfile")],
        bases: Vec::new(),
        baseline: None,
        canary: None,
        starter_misses: Vec::new(),
        goals: goals.into_iter().enumerate().map(entry).collect(),
        stretch: Vec::new(),
        hints: Vec::new(),
        files: files.clone(),
        solution: None,
    };
    Request {
        course: CourseRef {
            id: String::from("a-course"),
            version: String::from("1"),
        },
        exercise: Arc::new(exercise),
        submission: Submission::Files(files),
        owner: String::from("somebody"),
        canaries: BTreeMap::new(),
        advisories: Err(Missing::because("A test has none.")),
        baseline: None,
        no_cache: false,
        own: true,
        thorough: false,
        facts: None,
    }
}

/// Runs to the end; the report, and how many ends there were.
async fn finish(mut events: mpsc::Receiver<AttemptEvent>) -> (Report, usize) {
    let mut reports = Vec::new();
    while let Some(event) = events.recv().await {
        if let AttemptEvent::Finished(report) = event {
            reports.push(*report);
        }
    }
    let ends = reports.len();
    (reports.remove(0), ends)
}

async fn attempt(fake: Arc<Fake>, goals: Vec<Wants>) -> Report {
    let cancel = CancellationToken::new();
    let (report, ends) = finish(start(fake, Arc::new(NoBases), request(goals), cancel)).await;
    assert_eq!(ends, 1);
    report
}

fn verdicts(report: &Report) -> Vec<VerdictName> {
    report.goals.iter().map(|goal| goal.verdict).collect()
}

#[tokio::test]
async fn an_attempt_whose_goals_are_met_passes() {
    let fake = Arc::new(Fake::new(Building::Well));
    let report = attempt(fake, vec![Wants::default()]).await;
    assert_eq!(report.outcome, Outcome::Passed);
    let image = report.image.unwrap();
    assert_eq!(image.shipped_bytes, Bytes(64_000_000));
    assert_eq!(image.layers.first().and_then(|layer| layer.line), Some(2));
}

#[tokio::test]
async fn what_the_builder_s_checks_say_is_in_the_report() {
    let fake = Arc::new(Fake::new(Building::Well));
    let report = attempt(fake, vec![Wants::default()]).await;
    let said: Vec<(Option<u32>, &str)> = report
        .warnings
        .iter()
        .map(|warning| (warning.line, warning.text.as_str()))
        .collect();
    assert_eq!(said, [(Some(1), "StageNameCasing: a name")]);
    let shown = crate::report::lines::show(&report);
    let line = "The builder warns: Dockerfile:1: StageNameCasing: a name";
    assert!(shown.contains(line), "{shown}");
}

/// A whole attempt with a `README.md` and an ignore file beside the rest.
async fn with_readme(fake: Fake, ignore: &str, goal: Wants) -> Report {
    let mut request = request(vec![goal]);
    if let Submission::Files(files) = &mut request.submission {
        for (name, text) in [("README.md", "x"), (".dockerignore", ignore)] {
            files.insert(name.to_owned(), Arc::from(text.as_bytes()));
        }
    }
    let cancel = CancellationToken::new();
    let (report, _) = finish(start(Arc::new(fake), Arc::new(NoBases), request, cancel)).await;
    report
}

#[tokio::test]
async fn what_is_not_sent_is_touched_by_sending_the_same_again() {
    for (ignore, touch, wanted) in [
        ("README.md\n", "README.md", VerdictName::Met),
        ("x\n", "README.md", VerdictName::Met),
        ("README.md\n", "nothing", VerdictName::Unknown),
    ] {
        let goal = Wants {
            touch: Some(touch),
            ..Wants::default()
        };
        let report = with_readme(Fake::new(Building::Well), ignore, goal).await;
        assert_eq!(verdicts(&report), [wanted], "{report:?}");
    }
}

#[tokio::test]
async fn a_context_that_says_no_says_so_where_the_build_fails_too() {
    let fake = || {
        Fake::new(Building::Badly(BuildError::Step {
            line: Some(2),
            title: Clean::line("COPY"),
            exit: Some(1),
            message: Clean::line("it failed"),
            wrote: false,
        }))
    };
    let goal = || Wants {
        unsent: Some("README.md"),
        ..Wants::default()
    };
    let report = with_readme(fake(), "x\n", goal()).await;
    assert_eq!(report.outcome, Outcome::BuildFailed);
    assert_eq!(verdicts(&report), [VerdictName::Unmet]);
    let report = with_readme(fake(), "README.md\n", goal()).await;
    assert_eq!(
        verdicts(&report),
        [VerdictName::Unknown],
        "it is not met yet"
    );
}

/// An image of these layers.
fn image(id: &str, layers: &[(&str, u64)]) -> Summary {
    let history = layers.iter().map(|(created_by, _)| HistoryStep {
        created_by: (*created_by).to_owned(),
        empty_layer: false,
    });
    let sizes: Vec<Bytes> = layers.iter().map(|(_, size)| Bytes(*size)).collect();
    Summary {
        id: id.to_owned(),
        tags: Vec::new(),
        config: Config::default(),
        history: history.collect(),
        diff_ids: layers.iter().map(|(step, _)| (*step).to_owned()).collect(),
        engine_size: sizes.iter().copied().sum(),
        layer_sizes: Some(sizes),
    }
}

/// An attempt on a Dockerfile with a stage that does not ship; its lines, as line and bytes.
async fn builder_lines(change: impl FnOnce(&mut Fake)) -> (Vec<(u32, u64)>, Arc<Fake>) {
    let mut fake = Fake::new(Building::Well);
    let base = ("ADD base", 126_000_000);
    fake.others = BTreeMap::from([
        (String::from("base:1"), image("sha256:base", &[base])),
        (
            String::from("sha256:stage-make"),
            image("sha256:stage-make", &[base, ("RUN make", 38_000_000)]),
        ),
    ]);
    change(&mut fake);
    let fake = Arc::new(fake);
    let mut request = request(vec![Wants::default()]);
    if let Submission::Files(files) = &mut request.submission {
        let text =
            "FROM base:1 AS make\nENV A=1\nRUN make\nFROM scratch\nCOPY --from=make /app /app\n";
        files.insert(String::from("Dockerfile"), Arc::from(text.as_bytes()));
    }
    let cancel = CancellationToken::new();
    let (report, _) = finish(start(fake.clone(), Arc::new(NoBases), request, cancel)).await;
    assert_eq!(report.outcome, Outcome::Passed);
    let lines = report.image.unwrap().builder_lines;
    let lines = lines.iter().map(|line| (line.line, line.bytes.0));
    (lines.collect(), fake)
}

const STAGE_TAG: &str = "loadline.local/attempt/tiny:somebody-stage-0";

#[tokio::test]
async fn stages_that_do_not_ship_are_weighed_apart_and_leave_nothing() {
    let (lines, fake) = builder_lines(|_| {}).await;
    assert_eq!(lines, [(1, 126_000_000), (3, 38_000_000)]);
    assert!(fake.was_asked(&format!("remove {STAGE_TAG}")));
}

#[tokio::test]
async fn where_the_cache_is_made_of_images_only_the_base_of_a_stage_is_told() {
    let (lines, fake) = builder_lines(|fake| fake.info.builder = Builder::Classic).await;
    assert_eq!(lines, [(1, 126_000_000)]);
    assert!(!fake.was_asked(&format!("build {STAGE_TAG}")));
}

#[tokio::test]
async fn a_stage_that_cannot_be_weighed_soon_is_given_up_and_removed() {
    let lines = builder_lines(|fake| fake.stages_hang = true);
    let ended = tokio::time::timeout(Duration::from_secs(10), lines).await;
    let (lines, fake) = ended.expect("nobody waits for it");
    assert_eq!(lines, [(1, 126_000_000)]);
    assert!(fake.was_asked(&format!("remove {STAGE_TAG}")));
}

#[tokio::test]
async fn the_first_image_of_a_learner_keeps_a_name_to_be_compared_with() {
    const NAME: &str = "loadline.local/attempt/tiny:somebody";
    for (own, first, kept) in [
        (true, false, true),
        (true, true, false),
        (false, false, false),
    ] {
        let mut fake = Fake::new(Building::Well);
        if first {
            let name = format!("{NAME}-first");
            fake.others.insert(name, image("a", &[]));
        }
        let fake = Arc::new(fake);
        let request = Request {
            own,
            ..request(vec![Wants::default()])
        };
        let cancel = CancellationToken::new();
        let _ = finish(start(fake.clone(), Arc::new(NoBases), request, cancel)).await;
        let tagged = fake.was_asked(&format!("tag {NAME} {NAME}-first"));
        assert_eq!(tagged, kept, "{own} {first}");
    }
}

#[tokio::test]
async fn a_run_that_had_no_time_on_a_busy_host_is_done_once_more_and_no_oftener() {
    for (short, late, runs, verdict) in [
        (true, 0, 1, VerdictName::Met),
        (true, 1, 2, VerdictName::Met),
        (true, 2, 2, VerdictName::Unmet),
        (false, 1, 1, VerdictName::Unmet),
    ] {
        let mut fake = Fake::new(Building::Well);
        (fake.short_of_cpu, fake.runs_late) = (short, late);
        let fake = Arc::new(fake);
        let goal = Wants {
            ends: true,
            ..Wants::default()
        };
        let report = attempt(Arc::clone(&fake), vec![goal]).await;
        assert_eq!(verdicts(&report), [verdict], "{short} {late}");
        let asked = fake.asked.lock().unwrap();
        let ran = asked.iter().filter(|asked| *asked == "run").count();
        assert_eq!(ran, runs, "{short} {late}");
        let turns = asked.iter().filter(|asked| *asked == "turn").count();
        assert_eq!(turns, runs - 1, "the second time, it waits for its turn");
    }
}

#[tokio::test]
async fn a_large_image_is_not_exported_where_a_path_already_says_no() {
    let mut fake = Fake::new(Building::Well);
    fake.size = Bytes(1_167_000_000);
    fake.paths = vec![String::from("bin/sh")];
    let fake = Arc::new(fake);
    let shell = Wants {
        contents: true,
        absent: Some("bin/sh"),
        ..Wants::default()
    };
    let other = Wants {
        contents: true,
        ..Wants::default()
    };
    let report = attempt(Arc::clone(&fake), vec![shell, other]).await;
    assert_eq!(
        verdicts(&report),
        [VerdictName::Unmet, VerdictName::Unknown]
    );
    assert_eq!(report.outcome, Outcome::Failed);
    assert!(!fake.was_asked("export"));
    let why = report.goals[1].why.as_ref().unwrap().as_str().to_owned();
    assert!(why.contains("1.17 GB"), "{why}");
}

/// An attempt on a large image with a shell, whose layers are remembered or not.
async fn large_image_with_a_shell(facts: Arc<Memory>, thorough: bool) -> (Report, Arc<Fake>) {
    let mut fake = Fake::new(Building::Well);
    fake.size = Bytes(1_167_000_000);
    fake.paths = vec![String::from("bin/sh")];
    let fake = Arc::new(fake);
    let shell = Wants {
        contents: true,
        absent: Some("bin/sh"),
        ..Wants::default()
    };
    let other = Wants {
        contents: true,
        ..Wants::default()
    };
    let request = Request {
        facts: Some(facts),
        thorough,
        ..request(vec![shell, other])
    };
    let cancel = CancellationToken::new();
    let (report, _) = finish(start(fake.clone(), Arc::new(NoBases), request, cancel)).await;
    (report, fake)
}

#[tokio::test]
async fn a_large_image_that_is_remembered_is_judged_without_an_export_although_a_path_says_no() {
    let facts = Arc::new(Memory::default());
    let (report, fake) = large_image_with_a_shell(facts.clone(), false).await;
    assert_eq!(
        verdicts(&report),
        [VerdictName::Unmet, VerdictName::Unknown]
    );
    assert!(!fake.was_asked("export"));
    let why = report.goals[1].why.as_ref().unwrap().as_str().to_owned();
    assert!(why.contains("once no other goal says no"), "{why}");
    assert!(why.contains("`--thorough`"), "{why}");

    let options = Options {
        probes: vec![inside::probe()],
        trusted: true,
        facts: Some(facts.clone()),
        ..Options::default()
    };
    archive::read(exported().as_slice(), &options).unwrap();
    let (report, fake) = large_image_with_a_shell(facts, false).await;
    assert_eq!(verdicts(&report), [VerdictName::Unmet, VerdictName::Met]);
    assert!(!fake.was_asked("export"));
}

#[tokio::test]
async fn a_thorough_attempt_exports_a_large_image_whatever_a_path_says() {
    let (_, fake) = large_image_with_a_shell(Arc::new(Memory::default()), true).await;
    assert!(fake.was_asked("export"));
}

#[tokio::test]
async fn a_large_image_is_exported_where_nothing_else_says_no() {
    let mut fake = Fake::new(Building::Well);
    fake.size = Bytes(1_167_000_000);
    let fake = Arc::new(fake);
    let goal = Wants {
        contents: true,
        absent: Some("bin/sh"),
        ..Wants::default()
    };
    let report = attempt(Arc::clone(&fake), vec![goal]).await;
    assert!(fake.was_asked("export"));
    // The fake's archive is no image: what was not seen is not judged.
    assert_eq!(verdicts(&report), [VerdictName::Unknown]);
    assert_eq!(report.outcome, Outcome::CouldNotJudge);
}

#[tokio::test]
async fn a_large_image_is_counted_where_the_engine_s_figure_does_not_decide() {
    let mut fake = Fake::new(Building::Well);
    fake.size = Bytes(1_167_000_000);
    let fake = Arc::new(fake);
    let goal = Wants {
        exact: true,
        ..Wants::default()
    };
    let report = attempt(Arc::clone(&fake), vec![goal]).await;
    assert!(fake.was_asked("export"));
    assert_eq!(verdicts(&report), [VerdictName::Unknown]);
}

#[tokio::test]
async fn a_cancelled_attempt_is_cancelled_once() {
    let fake = Arc::new(Fake::new(Building::Forever));
    let cancel = CancellationToken::new();
    let goals = vec![Wants::default()];
    let events = start(fake, Arc::new(NoBases), request(goals), cancel.clone());
    cancel.cancel();
    let (report, ends) = finish(events).await;
    assert_eq!((report.outcome, ends), (Outcome::Cancelled, 1));
    assert_eq!(verdicts(&report), [VerdictName::Unknown]);
    assert_eq!(crate::report::lines::last_line(&report), "Stopped.");
}

#[tokio::test]
async fn an_attempt_that_nobody_listens_to_is_cancelled_and_nothing_else() {
    let fake = Arc::new(Fake::new(Building::Forever));
    let running = Arc::downgrade(&fake);
    let cancel = CancellationToken::new();
    drop(start(
        fake,
        Arc::new(NoBases),
        request(Vec::new()),
        cancel.clone(),
    ));
    let ended = async {
        while running.upgrade().is_some() {
            tokio::task::yield_now().await;
        }
    };
    let ended = tokio::time::timeout(Duration::from_secs(30), ended).await;
    assert!(ended.is_ok(), "it still builds");
    assert!(!cancel.is_cancelled(), "the token is the caller's");
}

#[tokio::test]
async fn an_engine_that_goes_away_is_not_a_failed_build() {
    let gone = EngineError::Gone {
        detail: Clean::line("connection reset"),
    };
    let fake = Arc::new(Fake::new(Building::Badly(BuildError::Engine(gone))));
    let report = attempt(fake, vec![Wants::default()]).await;
    assert_eq!(report.outcome, Outcome::EngineUnavailable);
}

#[tokio::test]
async fn a_mistake_of_our_own_still_ends_the_attempt() {
    let fake = Arc::new(Fake::new(Building::Panicking));
    let report = attempt(fake, vec![Wants::default()]).await;
    assert_eq!(report.outcome, Outcome::CouldNotJudge);
    assert!(report.problem.is_some());
}

#[tokio::test]
async fn a_missing_dockerfile_is_said_before_anything_is_asked_of_the_engine() {
    let fake = Arc::new(Fake::new(Building::Well));
    let mut request = request(vec![Wants::default()]);
    request.submission = Submission::Files(BTreeMap::new());
    let cancel = CancellationToken::new();
    let (report, _) = finish(start(fake.clone(), Arc::new(NoBases), request, cancel)).await;
    assert_eq!(report.outcome, Outcome::BuildFailed);
    assert!(fake.asked.lock().unwrap().is_empty());
}
