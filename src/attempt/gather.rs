//! Gathers the evidence that the goals need, cheapest first, and judges each goal as soon as its
//! evidence is complete.

use std::collections::BTreeMap;
use std::collections::BTreeSet;
use std::sync::Arc;

use futures_util::StreamExt;
use futures_util::future::BoxFuture;
use futures_util::stream::FuturesUnordered;
use tokio::sync::Semaphore;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use super::AttemptEvent;
use super::judge;
use super::late;
use super::scan;
use super::scan::Pass;
use super::sight;
use super::sight::Sight;
use super::starter;
use super::together::Together;
use crate::course::GoalEntry;
use crate::engine::Engine;
use crate::engine::EngineError;
use crate::finding::Scan;
use crate::finding::matching::Advisories;
use crate::goal::Evidence;
use crate::goal::Known;
use crate::goal::Missing;
use crate::goal::Needs;
use crate::goal::Verdict;
use crate::goal::canary;
use crate::goal::evidence::Noting;
use crate::goal::evidence::Rebuild;
use crate::goal::evidence::Scanned;
use crate::goal::evidence::StepFact;
use crate::goal::plan::needs_of;
use crate::image::archive::Facts;
use crate::image::archive::Options;
use crate::image::archive::Probe;
use crate::image::inside;
use crate::image::package::Packages;
use crate::image::run::Run;
use crate::image::run::RunOutcome;
use crate::image::run::Trace;
use crate::image::secrets;
use crate::report::GoalReport;
use crate::report::VerdictName;
use crate::text::Clean;
use crate::units::Bytes;

/// An image up to this engine size is always read whole: it takes about a second. A larger one is
/// read only where no cheaper required goal has already said no.
const READ_AT_ONCE: Bytes = Bytes(400_000_000);

/// Containers that run at the same time for one attempt.
const RUNS_AT_ONCE: usize = 3;

/// Builds once more with one file touched.
pub(super) type Rebuilder<'a> =
    dyn Fn(Rebuild) -> BoxFuture<'a, Known<Vec<StepFact>>> + Send + Sync + 'a;

/// Builds the starter and runs it.
pub(super) type Baseliner<'a> =
    dyn Fn(BTreeSet<Run>) -> BoxFuture<'a, BTreeMap<Run, Known<RunOutcome>>> + Send + Sync + 'a;

/// What a gathering works with.
pub(super) struct Gathering<'a> {
    /// The engine.
    pub(super) engine: Arc<dyn Engine>,
    /// The image, as the engine knows it.
    pub(super) image: String,
    /// Tokens that must not be found.
    pub(super) canaries: Vec<String>,
    /// The line of the Dockerfile that made each layer.
    pub(super) lines: Vec<Option<u32>>,
    /// Whether runs may be traced: the image is that of whoever sits here.
    pub(super) own: bool,
    /// Whether a large image is read whole in any case.
    pub(super) thorough: bool,
    /// What is remembered of layers.
    pub(super) facts: Option<Arc<dyn Facts>>,
    /// How many of the image's layers came with its base: their secrets are not the learner's.
    pub(super) base_layers: usize,
    /// Builds once more.
    pub(super) rebuild: &'a Rebuilder<'a>,
    /// Runs the starter's image.
    pub(super) baseline: &'a Baseliner<'a>,
    /// What packages are compared with.
    pub(super) advisories: Known<Arc<dyn Advisories>>,
    /// Builds the starter and compares its packages.
    pub(super) starter: Option<starter::Work>,
    /// Who listens.
    pub(super) events: mpsc::Sender<AttemptEvent>,
    /// Stops it.
    pub(super) cancel: CancellationToken,
}

/// One goal on its way to a verdict.
struct Pending {
    entry: GoalEntry,
    required: bool,
    needs: Needs,
    report: Option<GoalReport>,
}

/// Evidence that has come.
enum Arrival {
    Paths(Result<BTreeMap<String, bool>, EngineError>),
    Scan(Result<Box<Pass>, EngineError>),
    /// The image as its layers are remembered; `None` where one of them is not.
    Recalled(Option<Box<Pass>>),
    Starter(Known<Scan>),
    /// A run; whether for the second time.
    Run(Box<Together>, bool, Result<Box<RunOutcome>, EngineError>),
    Trace(Run, Result<Box<Trace>, EngineError>),
    Rebuild(Rebuild, Known<Vec<StepFact>>),
    Baseline(BTreeMap<Run, Known<RunOutcome>>),
}

/// What has come, successful or not.
#[derive(Default)]
struct Have {
    paths: bool,
    sizes: bool,
    scan: bool,
    scans: BTreeSet<Scanned>,
    runs: BTreeSet<Run>,
    traces: BTreeSet<Run>,
    rebuilds: BTreeSet<Rebuild>,
    baseline_runs: BTreeSet<Run>,
}

impl Have {
    fn covers(&self, needs: &Needs) -> bool {
        (needs.paths.is_empty() || self.paths || self.scan)
            && (!needs.sizes || self.sizes)
            && (!reads_image(needs) || self.scan)
            && (!needs.scans.contains(&Scanned::Starter) || self.scans.contains(&Scanned::Starter))
            && needs.baseline_runs.is_subset(&self.baseline_runs)
            && needs.runs.is_subset(&self.runs)
            && needs.traces.is_subset(&self.traces)
            && needs.rebuilds.is_subset(&self.rebuilds)
    }
}

/// Whether something needs the pass over the exported image.
pub(super) fn reads_image(needs: &Needs) -> bool {
    needs.contents || needs.secrets || !needs.scans.is_empty() || !needs.files.is_empty()
}

/// Gathers and judges; the reports are in the order of `goals`, each with whether it is required.
///
/// # Errors
/// When the work was cancelled or the engine went away: then nothing is judged from what is left.
pub(super) async fn gather(
    work: Gathering<'_>,
    evidence: &mut Evidence,
    goals: Vec<(GoalEntry, bool)>,
) -> Result<Vec<GoalReport>, EngineError> {
    let pending: Vec<Pending> = goals
        .into_iter()
        .map(|(entry, required)| {
            let needs = entry.goal.needs();
            Pending {
                entry,
                required,
                needs,
                report: None,
            }
        })
        .collect();
    let needs = needs_of(pending.iter().map(|goal| goal.entry.goal.as_ref()));
    let mut session = Session {
        work,
        needs,
        pending,
        have: Have::default(),
        scan_started: false,
        recall_tried: false,
        late: Vec::new(),
    };
    session.run(evidence).await
}

struct Session<'a> {
    work: Gathering<'a>,
    needs: Needs,
    pending: Vec<Pending>,
    have: Have,
    scan_started: bool,
    recall_tried: bool,
    /// Runs that are done once more, one after the other, once nothing else is under way.
    late: Vec<Together>,
}

type Jobs<'a> = FuturesUnordered<BoxFuture<'a, Arrival>>;

impl<'a> Session<'a> {
    async fn run(&mut self, evidence: &mut Evidence) -> Result<Vec<GoalReport>, EngineError> {
        let mut jobs: Jobs<'a> = FuturesUnordered::new();
        let small = evidence
            .summary
            .as_ref()
            .is_ok_and(|summary| summary.engine_size <= READ_AT_ONCE);
        let told = evidence.sizes.is_ok();
        if small || self.work.thorough || !told {
            self.start_scan(&mut jobs);
        } else {
            self.have.sizes = true;
        }
        self.look_at_config(evidence);
        self.start_paths(&mut jobs);
        self.start_runs(&mut jobs, evidence);
        if !self.needs.baseline_runs.is_empty() {
            let job = (self.work.baseline)(self.needs.baseline_runs.clone());
            jobs.push(Box::pin(async move { Arrival::Baseline(job.await) }));
        }
        if let Some(work) = self.work.starter.take()
            && self.needs.scans.contains(&Scanned::Starter)
        {
            jobs.push(Box::pin(async move { Arrival::Starter(work.scan().await) }));
        }
        self.start_traces(&mut jobs, evidence);
        for rebuild in self.needs.rebuilds.clone() {
            let job = (self.work.rebuild)(rebuild.clone());
            jobs.push(Box::pin(
                async move { Arrival::Rebuild(rebuild, job.await) },
            ));
        }
        self.judge(evidence, false).await;
        loop {
            if let Some(arrival) = jobs.next().await {
                self.take(arrival, evidence)?;
                self.judge(evidence, false).await;
            } else if let Some(together) = self.late.pop() {
                let why = "this host is busy: what was late is run once more, one check at a time";
                let told = AttemptEvent::Gathering(Clean::line(why));
                let _ = self.work.events.send(told).await;
                self.start_run(&mut jobs, together, None, evidence);
            } else if !self.start_late_scan(&mut jobs, evidence) {
                break;
            }
        }
        if self.work.cancel.is_cancelled() {
            return Err(EngineError::Cancelled);
        }
        self.judge(evidence, true).await;
        Ok(self
            .pending
            .iter_mut()
            .filter_map(|goal| goal.report.take())
            .collect())
    }

    /// A token in the config or in the history is found without reading the image.
    fn look_at_config(&self, evidence: &mut Evidence) {
        let Ok(summary) = &evidence.summary else {
            return;
        };
        let hits = canary::in_summary(&summary.config, &summary.history, &self.work.canaries);
        let base = self.work.base_layers;
        let secrets = secrets::in_summary(&summary.config, &summary.history, base);
        if self.needs.secrets && !hits.is_empty() {
            evidence.canaries = Ok(hits);
        }
        if self.needs.secrets && !secrets.is_empty() {
            evidence.secrets = Ok(secrets);
        }
    }

    /// Starts the scan of a large image, once the cheap goals are judged and none of the required
    /// ones has said no; where one has, the image is only judged by what is remembered of it.
    /// Returns whether there is more to wait for.
    fn start_late_scan(&mut self, jobs: &mut Jobs<'a>, evidence: &mut Evidence) -> bool {
        let open = self.pending.iter().any(|goal| goal.report.is_none());
        if self.scan_started || !open {
            return false;
        }
        let refused = self.pending.iter().any(|goal| {
            goal.required
                && goal
                    .report
                    .as_ref()
                    .is_some_and(|report| report.verdict == VerdictName::Unmet)
        });
        if !refused {
            self.start_scan(jobs);
            return true;
        }
        if self.start_recall(jobs) {
            return true;
        }
        let size = evidence
            .sizes
            .as_ref()
            .map_or_else(|_| Bytes(0), |sizes| sizes.shipped);
        let missing = Missing::because(format!(
            "Not looked at yet: it means reading all {size} of the image. That is done once no other goal says no; `loadline check` with `--thorough` does it now."
        ));
        evidence.contents = Err(missing.clone());
        evidence.scan = Err(missing.clone());
        evidence.canaries = Err(missing.clone());
        evidence.secrets = Err(missing);
        false
    }

    /// Starts to look whether each layer is remembered from an earlier pass: that costs no export.
    /// Returns whether there is something to wait for.
    fn start_recall(&mut self, jobs: &mut Jobs<'a>) -> bool {
        if self.recall_tried || self.work.facts.is_none() {
            return false;
        }
        self.recall_tried = true;
        let engine = Arc::clone(&self.work.engine);
        let image = self.work.image.clone();
        let (options, advisories) = (self.options(), self.advisories());
        let sight = self.sight();
        jobs.push(Box::pin(async move {
            let contents = scan::recall_image(engine.as_ref(), &image, options).await;
            let Some(contents) = contents else {
                return Arrival::Recalled(None);
            };
            let clear = sight.look(engine.as_ref(), &image, &contents).await;
            let pass = scan::advise(contents, clear, advisories).await;
            Arrival::Recalled(Some(Box::new(pass)))
        }));
        true
    }

    fn start_scan(&mut self, jobs: &mut Jobs<'a>) {
        self.scan_started = true;
        let engine = Arc::clone(&self.work.engine);
        let image = self.work.image.clone();
        let (options, advisories) = (self.options(), self.advisories());
        let (sight, cancel) = (self.sight(), self.work.cancel.clone());
        jobs.push(Box::pin(async move {
            let read = scan::read_image(Arc::clone(&engine), image.clone(), options, cancel);
            let pass = async {
                let contents = read.await?;
                let clear = sight.look(engine.as_ref(), &image, &contents).await;
                Ok(Box::new(scan::advise(contents, clear, advisories).await))
            };
            Arrival::Scan(pass.await)
        }));
    }

    fn sight(&self) -> Sight {
        Sight {
            base: self.work.base_layers,
            lines: self.work.lines.clone(),
        }
    }

    /// What a pass over the image looks for.
    fn options(&self) -> Options {
        let needles = if self.needs.secrets {
            self.work.canaries.clone()
        } else {
            Vec::new()
        };
        let mut probes: Vec<Arc<dyn Probe>> = vec![inside::probe()];
        if self.needs.secrets {
            probes.push(Arc::new(secrets::Secrets));
        }
        if !self.needs.scans.is_empty() || self.needs.notes.contains(&Noting::Packages) {
            probes.push(Arc::new(Packages));
        }
        Options {
            probes,
            needles: needles.into_iter().map(String::into_bytes).collect(),
            keep: self.needs.files.clone(),
            facts: self.work.facts.clone(),
            ..Options::default()
        }
    }

    /// What its packages are compared with, where a goal asks for that.
    fn advisories(&self) -> Known<Arc<dyn Advisories>> {
        if self.needs.scans.contains(&Scanned::Image) {
            self.work.advisories.clone()
        } else {
            Err(Missing::because("No goal asks for it."))
        }
    }

    fn start_paths(&mut self, jobs: &mut Jobs<'a>) {
        // A scan that is under way answers better, and a second container would only slow it down.
        if self.needs.paths.is_empty() || self.scan_started {
            return;
        }
        let engine = Arc::clone(&self.work.engine);
        let image = self.work.image.clone();
        let paths: Vec<String> = self.needs.paths.iter().cloned().collect();
        jobs.push(Box::pin(async move {
            Arrival::Paths(engine.paths(&image, &paths).await)
        }));
    }

    fn start_runs(&self, jobs: &mut Jobs<'a>, evidence: &Evidence) {
        let places = Arc::new(Semaphore::new(RUNS_AT_ONCE));
        for together in Together::of(&self.needs.runs) {
            self.start_run(jobs, together, Some(Arc::clone(&places)), evidence);
        }
    }

    /// Runs once there is a place, or for the second time.
    fn start_run(
        &self,
        jobs: &mut Jobs<'a>,
        together: Together,
        places: Option<Arc<Semaphore>>,
        evidence: &Evidence,
    ) {
        let summary = evidence.summary.as_ref();
        let env = summary.map_or(&[][..], |summary| &summary.config.env);
        let asked = expanded(&together.run(), env);
        let engine = Arc::clone(&self.work.engine);
        let (image, cancel) = (self.work.image.clone(), self.work.cancel.clone());
        jobs.push(Box::pin(async move {
            let _held = match &places {
                Some(places) => (places.acquire().await.ok(), None),
                None => (None, late::turn(engine.as_ref(), &cancel).await),
            };
            let outcome = engine.run(&image, &asked, cancel).await.map(Box::new);
            Arrival::Run(Box::new(together), places.is_none(), outcome)
        }));
    }

    /// Runs once more what is traced: such a run is slower, and its start is another.
    fn start_traces(&mut self, jobs: &mut Jobs<'a>, evidence: &mut Evidence) {
        let summary = evidence.summary.as_ref();
        let env = summary.map_or_else(|_| Vec::new(), |summary| summary.config.env.clone());
        for run in self.needs.traces.clone() {
            if !self.work.own {
                let missing = Missing::because(
                    "What a run opens is only looked at in the learner's own workspace.",
                );
                evidence.traces.insert(run.clone(), Err(missing));
                self.have.traces.insert(run);
                continue;
            }
            let engine = Arc::clone(&self.work.engine);
            let image = self.work.image.clone();
            let cancel = self.work.cancel.clone();
            let asked = expanded(&run, &env);
            jobs.push(Box::pin(async move {
                let trace = engine.trace(&image, &asked, cancel).await.map(Box::new);
                Arrival::Trace(run, trace)
            }));
        }
    }

    /// Files what has come into the evidence. An engine that went away ends the attempt.
    fn take(&mut self, arrival: Arrival, evidence: &mut Evidence) -> Result<(), EngineError> {
        match arrival {
            Arrival::Paths(answer) => {
                self.have.paths = true;
                let answer = known(answer)?;
                for path in &self.needs.paths {
                    let found = match &answer {
                        Ok(found) => found.get(path).copied().ok_or_else(|| {
                            Missing::because("The engine did not say whether it exists.")
                        }),
                        Err(missing) => Err(missing.clone()),
                    };
                    evidence.paths.insert(path.clone(), found);
                }
            }
            Arrival::Scan(answer) => {
                self.have.scan = true;
                self.have.sizes = true;
                self.take_contents(known(answer)?, evidence);
            }
            Arrival::Recalled(None) => {}
            Arrival::Recalled(Some(pass)) => {
                self.have.scan = true;
                self.have.sizes = true;
                self.take_contents(Ok(pass), evidence);
            }
            Arrival::Starter(scan) => {
                self.have.scans.insert(Scanned::Starter);
                evidence.starter_scan = scan;
            }
            Arrival::Run(together, again, answer) => {
                let outcome = known(answer)?.map(|outcome| *outcome);
                if !again && late::is_worth_a_turn(&*self.work.engine, &together.run(), &outcome) {
                    self.late.push(*together);
                    return Ok(());
                }
                for (run, outcome) in together.shown(outcome) {
                    self.have.runs.insert(run.clone());
                    evidence.runs.insert(run, outcome);
                }
            }
            Arrival::Baseline(runs) => {
                self.have.baseline_runs.extend(runs.keys().cloned());
                evidence.baseline_runs = runs;
            }
            Arrival::Trace(run, answer) => {
                self.have.traces.insert(run.clone());
                let trace = match answer {
                    Err(EngineError::Refused { detail, .. }) => Err(Missing::because(format!(
                        "It cannot be seen here what a run opens: {detail}."
                    ))),
                    answer => known(answer)?.map(|trace| *trace),
                };
                evidence.traces.insert(run, trace);
            }
            Arrival::Rebuild(rebuild, steps) => {
                self.have.rebuilds.insert(rebuild.clone());
                evidence.rebuilds.insert(rebuild, steps);
            }
        }
        Ok(())
    }

    /// Files what the pass over the image found.
    fn take_contents(&self, pass: Known<Box<Pass>>, evidence: &mut Evidence) {
        sight::file(pass, &self.work, evidence);
        if let Ok(sizes) = &evidence.sizes {
            let _ = self
                .work
                .events
                .try_send(AttemptEvent::Sizes(sizes.clone()));
        }
    }

    /// Judges what can be judged: goals with all their evidence, and goals that part of it already
    /// refuses. At the end, everything that is left.
    async fn judge(&mut self, evidence: &Evidence, at_the_end: bool) {
        for (index, goal) in self.pending.iter_mut().enumerate() {
            if goal.report.is_some() {
                continue;
            }
            let complete = at_the_end || self.have.covers(&goal.needs);
            let verdict = goal.entry.goal.evaluate(evidence);
            let refused = matches!(verdict, Verdict::Unmet(_));
            if !complete && !refused {
                continue;
            }
            // What the image holds may explain a refusal better: with the pass under way, wait.
            if refused && self.scan_started && !self.have.scan && !at_the_end {
                continue;
            }
            // The engine's own figure may be too near to a limit to decide: counting the files does.
            let undecided = goal.needs.sizes && matches!(verdict, Verdict::Unknown { .. });
            if !at_the_end && !self.have.scan && undecided {
                continue;
            }
            let report = judge::goal_report(&goal.entry, goal.required, verdict);
            goal.report = Some(report.clone());
            let _ = self
                .work
                .events
                .send(AttemptEvent::Judged {
                    index,
                    goal: report,
                })
                .await;
        }
    }
}

/// A run as it is asked of the engine, the image's environment put in where it asks for that.
pub(super) fn expanded(run: &Run, env: &[String]) -> Run {
    Run {
        start: run.start.expanded(env),
        ..run.clone()
    }
}

/// Splits an engine's answer: what ends the attempt is an error, what leaves one piece of evidence
/// missing is not.
fn known<T>(answer: Result<T, EngineError>) -> Result<Known<T>, EngineError> {
    match answer {
        Ok(value) => Ok(Ok(value)),
        Err(
            error @ (EngineError::Cancelled
            | EngineError::Gone { .. }
            | EngineError::NotFound { .. }),
        ) => Err(error),
        Err(error) => Ok(Err(Missing::because(format!(
            "The engine could not tell: {}.",
            Clean::line(&error.to_string())
        )))),
    }
}
