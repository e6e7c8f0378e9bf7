//! One attempt from the learner's files to the report.

#![expect(
    clippy::disallowed_methods,
    reason = "an attempt is a job: it runs as a task and measures how long its parts take"
)]

mod bases;
mod build;

use std::collections::BTreeMap;
use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::OnceLock;
use std::time::Duration;
use std::time::Instant;

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use super::AttemptEvent;
use super::BaseSupply;
use super::Request;
use super::builders;
use super::builders::Weighing;
use super::gather;
use super::gather::Gathering;
use super::judge;
use super::prepare;
use super::prepare::Prepared;
use super::problem;
use super::starter;
use super::steps::Steps;
use super::weigh;
use crate::course::ExerciseId;
use crate::course::GoalEntry;
use crate::dockerfile::Dockerfile;
use crate::engine::BuildRequest;
use crate::engine::Builder;
use crate::engine::Built;
use crate::engine::Engine;
use crate::engine::EngineError;
use crate::goal::Evidence;
use crate::goal::Known;
use crate::goal::Missing;
use crate::goal::Verdict;
use crate::goal::evidence::ContextFacts;
use crate::goal::evidence::Rebuild;
use crate::goal::evidence::StepFact;
use crate::image::run::Run;
use crate::image::run::RunOutcome;
use crate::report;
use crate::report::BaseReport;
use crate::report::BaselineReport;
use crate::report::CourseRef;
use crate::report::EngineReport;
use crate::report::GoalReport;
use crate::report::Outcome;
use crate::report::Problem;
use crate::report::Report;
use crate::report::Timings;
use crate::report::WarningReport;
use crate::text::Clean;

/// The longest that a learner's build may take.
const BUILD_WITHIN: Duration = Duration::from_secs(30 * 60);

/// Events that may wait for a slow front end.
const EVENTS_WAITING: usize = 1024;

/// Starts an attempt. The stream ends after its one [`AttemptEvent::Finished`].
///
/// Dropping the receiver cancels the attempt. It must be called on a tokio runtime.
#[must_use]
pub fn start(
    engine: Arc<dyn Engine>,
    bases: Arc<dyn BaseSupply>,
    request: Request,
    cancel: CancellationToken,
) -> mpsc::Receiver<AttemptEvent> {
    let (events, receiver) = mpsc::channel(EVENTS_WAITING);
    tokio::spawn(async move {
        // Its own: whoever began it may have more to do once it has ended.
        let cancel = cancel.child_token();
        let mut draft = draft(&request, engine.as_ref());
        let watch = watch_for_a_lost_listener(events.clone(), cancel.clone());
        let attempt = Attempt {
            engine,
            bases,
            request,
            events: events.clone(),
            cancel,
            dockerfile: OnceLock::new(),
            context: OnceLock::new(),
            warnings: Mutex::default(),
        };
        let ended = std::panic::AssertUnwindSafe(attempt.run(&mut draft))
            .catch_unwind()
            .await;
        watch.cancel();
        if ended.is_err() {
            draft.outcome = Outcome::CouldNotJudge;
            draft.problem = Some(problem::problem(
                "Loadline made a mistake of its own while it worked on this attempt.",
                "Your files are safe. Check once more; if it happens again, please report it.",
                None,
            ));
        }
        draft.finished_at = now();
        let _ = events.send(AttemptEvent::Finished(Box::new(draft))).await;
    });
    receiver
}

/// Cancels the attempt once nobody listens any more. The returned token ends the watch.
fn watch_for_a_lost_listener(
    events: mpsc::Sender<AttemptEvent>,
    cancel: CancellationToken,
) -> CancellationToken {
    let done = CancellationToken::new();
    let ended = done.clone();
    tokio::spawn(async move {
        tokio::select! {
            () = events.closed() => cancel.cancel(),
            () = ended.cancelled() => {}
        }
    });
    done
}

fn now() -> String {
    OffsetDateTime::now_utc()
        .format(&Rfc3339)
        .unwrap_or_default()
}

/// A report of which nothing is known yet.
fn blank(course: CourseRef, exercise: &str) -> Report {
    Report {
        schema: report::SCHEMA.to_owned(),
        tool_version: env!("CARGO_PKG_VERSION").to_owned(),
        course,
        exercise: exercise.to_owned(),
        outcome: Outcome::CouldNotJudge,
        problem: None,
        goals: Vec::new(),
        image: None,
        baseline: None,
        bases: Vec::new(),
        warnings: Vec::new(),
        engine: None,
        timings_ms: Timings::default(),
        started_at: now(),
        finished_at: now(),
    }
}

/// The report as it stands before anything has happened.
fn draft(request: &Request, engine: &dyn Engine) -> Report {
    let info = engine.info();
    let exercise = &request.exercise;
    let own = exercise.baseline.as_ref().map(|baseline| baseline.size);
    Report {
        baseline: request
            .baseline
            .or(own)
            .map(|shipped_bytes| BaselineReport { shipped_bytes }),
        engine: Some(EngineReport {
            name: info.name.as_str().to_owned(),
            version: info.version.clone(),
            store: info.store.as_str().to_owned(),
            builder: info.builder.as_str().to_owned(),
        }),
        ..blank(request.course.clone(), exercise.id.as_str())
    }
}

/// An attempt that stopped before its verdicts.
struct Stopped {
    outcome: Outcome,
    problem: Problem,
}

impl From<(Outcome, Problem)> for Stopped {
    fn from((outcome, problem): (Outcome, Problem)) -> Self {
        Self { outcome, problem }
    }
}

impl From<EngineError> for Stopped {
    fn from(error: EngineError) -> Self {
        problem::of_engine(&error).into()
    }
}

/// Where the layers of the image come from.
#[derive(Debug, Default)]
struct Layers {
    /// The line of the Dockerfile that made each.
    lines: Vec<Option<u32>>,
    /// How many came with the final stage's base.
    of_base: usize,
}

struct Attempt {
    engine: Arc<dyn Engine>,
    bases: Arc<dyn BaseSupply>,
    request: Request,
    events: mpsc::Sender<AttemptEvent>,
    cancel: CancellationToken,
    /// The learner's Dockerfile, once it was read.
    dockerfile: OnceLock<Arc<Dockerfile>>,
    /// What is sent, once that is known.
    context: OnceLock<ContextFacts>,
    /// What the builder's own checks said so far.
    warnings: Mutex<Vec<WarningReport>>,
}

impl Attempt {
    async fn run(&self, report: &mut Report) {
        if let Err(stopped) = self.steps(report).await {
            report.goals = self.goals_without_an_image(stopped.outcome, &stopped.problem);
            report.outcome = stopped.outcome;
            report.problem = Some(stopped.problem);
        }
        // They are worth as much where the build failed.
        if let Ok(mut warnings) = self.warnings.lock() {
            report.warnings = std::mem::take(&mut warnings);
        }
    }

    async fn steps(&self, report: &mut Report) -> Result<(), Stopped> {
        let began = Instant::now();
        let gathered = prepare::gather(&self.request)?;
        let dockerfile = Arc::clone(
            self.dockerfile
                .get_or_init(|| gathered.dockerfile().clone()),
        );
        report.bases = self.ready_bases(&dockerfile).await?;
        let (prepared, built, steps) = self.build(&gathered, &report.bases).await?;
        report.timings_ms.build = millis(began.elapsed());
        let _ = self
            .events
            .send(AttemptEvent::Built {
                after_ms: report.timings_ms.build,
            })
            .await;
        if let Some(engine) = &mut report.engine {
            built.builder.as_str().clone_into(&mut engine.builder);
        }
        let began = Instant::now();
        let mut layers = Layers::default();
        let mut evidence = self
            .first_evidence(report, &dockerfile, &prepared, &built, steps, &mut layers)
            .await?;
        let image_id = built.image.clone();
        let builders = self.weigh_builders(&evidence, &prepared, built.builder, &report.bases);
        let gathered = self
            .gather(built, layers, &mut evidence, &dockerfile, &prepared)
            .await;
        report.timings_ms.evidence = millis(began.elapsed());
        let began = Instant::now();
        report.goals = gathered?;
        report.image = weigh::image_report(&image_id, &evidence);
        report.outcome = judge::outcome(&report.goals);
        report.timings_ms.judge = millis(began.elapsed());
        if let (Some(image), Some(builders)) = (&mut report.image, builders) {
            image.builder_lines = builders.finish(builders::PATIENCE).await;
        }
        Ok(())
    }

    /// Weighs the stages that do not ship while the goals are judged, where the engine's sizes of
    /// layers are those of their files.
    fn weigh_builders(
        &self,
        evidence: &Evidence,
        prepared: &Prepared,
        builder: Builder,
        bases: &[BaseReport],
    ) -> Option<Weighing> {
        evidence.summary.as_ref().ok()?.layer_sizes.as_ref()?;
        let work = builders::Work {
            engine: Arc::clone(&self.engine),
            bases: bases.to_vec(),
            request: self.build_request(&evidence.dockerfile, prepared, self.tag()),
            keeps_cache: builder == Builder::Buildkit,
        };
        Some(Weighing::start(work, self.cancel.child_token()))
    }

    /// The reference of the image: one per workspace and exercise, so that an attempt replaces the
    /// one before it.
    fn tag(&self) -> String {
        format!(
            "loadline.local/attempt/{}:{}",
            self.request.exercise.id, self.request.owner
        )
    }

    fn build_request(
        &self,
        dockerfile: &Arc<Dockerfile>,
        prepared: &Prepared,
        tag: String,
    ) -> BuildRequest {
        BuildRequest {
            context: prepared.archive.clone(),
            dockerfile_path: String::from("Dockerfile"),
            dockerfile_apart: prepared.dockerfile.clone(),
            dockerfile: Arc::clone(dockerfile),
            tag,
            labels: BTreeMap::new(),
            owner: self.request.owner.clone(),
            build_args: BTreeMap::new(),
            target: None,
            no_cache: self.request.no_cache,
            network: true,
            within: BUILD_WITHIN,
        }
    }

    async fn first_evidence(
        &self,
        report: &Report,
        dockerfile: &Arc<Dockerfile>,
        prepared: &Prepared,
        built: &Built,
        steps: Vec<StepFact>,
        layers: &mut Layers,
    ) -> Result<Evidence, Stopped> {
        let (summary, base_layers) = tokio::join!(
            self.engine.inspect(&built.image),
            self.base_layers(dockerfile, &report.bases)
        );
        let summary = summary?.ok_or_else(|| EngineError::NoSuchImage(built.image.clone()))?;
        let lines = weigh::lines(dockerfile, &summary, base_layers);
        let sizes = weigh::sizes_by_engine(&summary, &lines);
        *layers = Layers {
            lines,
            of_base: base_layers,
        };
        if let Ok(sizes) = &sizes {
            let _ = self.events.send(AttemptEvent::Sizes(sizes.clone())).await;
        }
        Ok(Evidence {
            dockerfile: Arc::clone(dockerfile),
            context: Ok(prepared.facts.clone()),
            steps,
            failure: None,
            summary: Ok(summary),
            sizes,
            baseline: report
                .baseline
                .as_ref()
                .map(|baseline| baseline.shipped_bytes),
            contents: not_yet(),
            paths: BTreeMap::new(),
            canaries: not_yet(),
            secrets: not_yet(),
            scan: not_yet(),
            starter_scan: not_yet(),
            runs: BTreeMap::new(),
            baseline_runs: BTreeMap::new(),
            traces: BTreeMap::new(),
            rebuilds: BTreeMap::new(),
        })
    }

    /// How many of the image's layers came with the final stage's base.
    async fn base_layers(&self, dockerfile: &Dockerfile, bases: &[BaseReport]) -> usize {
        let Some(reference) = prepare::final_base(dockerfile) else {
            return 0;
        };
        let resolved = bases
            .iter()
            .find(|base| base.reference == reference)
            .map_or(reference, |base| base.resolved.clone());
        match self.engine.inspect(&resolved).await {
            Ok(Some(summary)) => summary.diff_ids.len(),
            Ok(None) | Err(_) => 0,
        }
    }

    async fn gather(
        &self,
        built: Built,
        layers: Layers,
        evidence: &mut Evidence,
        dockerfile: &Arc<Dockerfile>,
        prepared: &Prepared,
    ) -> Result<Vec<GoalReport>, Stopped> {
        let _ = self
            .events
            .send(AttemptEvent::Gathering(Clean::line(
                "running the image and reading its layers",
            )))
            .await;
        let rebuild = |rebuild: Rebuild| -> BoxFuture<'_, Known<Vec<StepFact>>> {
            async move { self.rebuild(rebuild, dockerfile, prepared).await }.boxed()
        };
        let starter = || starter::Work {
            engine: Arc::clone(&self.engine),
            bases: Arc::clone(&self.bases),
            request: self.request.clone(),
            build: self.build_request(dockerfile, prepared, self.tag()),
            events: self.events.clone(),
            cancel: self.cancel.clone(),
        };
        let baseline = |runs: BTreeSet<Run>| -> BoxFuture<'_, BTreeMap<Run, Known<RunOutcome>>> {
            starter().runs(runs).boxed()
        };
        let work = Gathering {
            engine: Arc::clone(&self.engine),
            image: built.image,
            canaries: self.request.canaries.values().cloned().collect(),
            thorough: self.request.thorough,
            facts: self.request.facts.clone(),
            lines: layers.lines,
            base_layers: layers.of_base,
            own: self.request.own,
            rebuild: &rebuild,
            baseline: &baseline,
            advisories: self.request.advisories.clone(),
            starter: Some(starter()),
            events: self.events.clone(),
            cancel: self.cancel.clone(),
        };
        Ok(gather::gather(work, evidence, self.goals()).await?)
    }

    /// Builds once more with one file touched; the image is thrown away.
    async fn rebuild(
        &self,
        rebuild: Rebuild,
        dockerfile: &Arc<Dockerfile>,
        prepared: &Prepared,
    ) -> Known<Vec<StepFact>> {
        let failed = |problem: &Problem| {
            Missing::because(format!(
                "The build after a change to `{}` did not end well: {}",
                rebuild.touch, problem.message
            ))
        };
        let prepared = prepared
            .touched(&rebuild.touch)
            .map_err(|(_, problem)| failed(&problem))?;
        let tag = format!("{}-touched", self.tag());
        let (sender, mut receiver) = mpsc::channel(256);
        // What the first build left in the cache is what this one is about.
        let request = BuildRequest {
            no_cache: false,
            ..self.build_request(dockerfile, &prepared, tag.clone())
        };
        let build = self.engine.build(request, sender, self.cancel.clone());
        let mut steps = Steps::default();
        let note = async {
            while let Some(event) = receiver.recv().await {
                steps.note(&event);
            }
        };
        let (built, ()) = tokio::join!(build, note);
        let _ = self.engine.remove_image(&tag).await;
        match built {
            Ok(_) => Ok(steps.into_facts(dockerfile)),
            Err(error) => Err(failed(&problem::of_build(&error, dockerfile).1)),
        }
    }

    /// The goals in the order of the report, each with whether it is required.
    fn goals(&self) -> Vec<(GoalEntry, bool)> {
        let goals = self.request.exercise.all_goals();
        goals
            .map(|(goal, required)| (goal.clone(), required))
            .collect()
    }

    /// Without an image no goal can be judged, except the one that asks for an image.
    fn goals_without_an_image(&self, outcome: Outcome, problem: &Problem) -> Vec<GoalReport> {
        let failed = outcome == Outcome::BuildFailed;
        let missing = Missing::because(match outcome {
            Outcome::BuildFailed => "The build made no image to look at.",
            Outcome::Cancelled => "The attempt was stopped first.",
            _ => "The attempt could not be finished.",
        });
        let evidence = Evidence {
            dockerfile: self.dockerfile.get().cloned().unwrap_or_default(),
            context: self.context.get().cloned().ok_or_else(|| missing.clone()),
            steps: Vec::new(),
            failure: failed.then(|| problem::unmet(problem)),
            summary: Err(missing.clone()),
            sizes: Err(missing.clone()),
            baseline: None,
            contents: Err(missing.clone()),
            paths: BTreeMap::new(),
            canaries: Err(missing.clone()),
            secrets: Err(missing.clone()),
            scan: Err(missing.clone()),
            starter_scan: Err(missing.clone()),
            runs: BTreeMap::new(),
            baseline_runs: BTreeMap::new(),
            traces: BTreeMap::new(),
            rebuilds: BTreeMap::new(),
        };
        self.goals()
            .into_iter()
            .map(|(entry, required)| {
                // What is sent may say no, but nothing is met before there is an image, and
                // whoever stops an attempt asks for no verdict.
                let verdict = match entry.goal.evaluate(&evidence) {
                    unmet @ Verdict::Unmet(_) if outcome != Outcome::Cancelled => unmet,
                    _ => Verdict::unknown(&missing),
                };
                judge::goal_report(&entry, required, verdict)
            })
            .collect()
    }
}

fn not_yet<T>() -> Known<T> {
    Err(Missing::because("This was not looked at."))
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

/// The report of an attempt that could not begin, for the reason that `message` gives.
#[must_use]
pub fn could_not_start(
    course: CourseRef,
    exercise: &ExerciseId,
    message: &Clean,
    next_step: Option<&Clean>,
) -> Report {
    let mut report = blank(course, exercise.as_str());
    report.problem = Some(Problem {
        message: message.clone(),
        next_step: next_step.cloned(),
        blame: crate::goal::Blame::default(),
    });
    report
}

/// The report of an attempt that found no engine.
#[must_use]
pub fn without_engine(course: CourseRef, exercise: &ExerciseId, error: &EngineError) -> Report {
    let (outcome, problem) = problem::of_engine(error);
    let mut report = blank(course, exercise.as_str());
    report.outcome = outcome;
    report.problem = Some(problem);
    report
}
