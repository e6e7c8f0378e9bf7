//! An attempt as its events tell it, folded one by one: the same events in other batches give the
//! same state.

use std::time::Duration;

use crate::attempt::AttemptEvent;
use crate::engine::BuildEvent;
use crate::engine::StepEnd;
use crate::engine::StepId;
use crate::goal::evidence::Sizes;
use crate::report::GoalReport;
use crate::report::Report;
use crate::text::Clean;
use crate::tui::model::log::Log;
use crate::tui::model::log::LogLine;
use crate::tui::msg::JobId;
use crate::units::Bytes;

/// An attempt, running or over.
#[derive(Debug, Clone, PartialEq)]
pub struct Build {
    /// Its job.
    pub job: JobId,
    /// Its number among the exercise's attempts, from 1: the next one that is known here, until the
    /// attempt tells its own.
    pub number: u32,
    /// When it began.
    pub started: Duration,
    /// When it ended.
    pub ended: Option<Duration>,
    /// What is going on.
    pub phase: Phase,
    /// The steps of the build, in the order in which they became known.
    pub steps: Vec<Step>,
    /// Goals that were judged, by index.
    pub goals: Vec<Option<GoalReport>>,
    /// What the builder warned of.
    pub warnings: Vec<Warning>,
    /// What the image weighs, once it is known.
    pub sizes: Option<Sizes>,
    /// Its end.
    pub report: Option<Box<Report>>,
}

/// What is going on in an attempt.
#[derive(Debug, Clone, Default, PartialEq)]
pub enum Phase {
    /// It was asked for.
    #[default]
    Starting,
    /// A base is being made ready.
    Base {
        /// Which one.
        reference: String,
        /// What is being done.
        doing: Clean,
        /// Share done.
        share: Option<f64>,
    },
    /// The context is on its way.
    Uploading {
        /// Bytes sent.
        sent: Bytes,
        /// Bytes in all.
        total: Bytes,
    },
    /// Steps run.
    Building,
    /// The image is looked at.
    Gathering(Clean),
    /// Over.
    Over,
}

/// Something that the builder warned of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Warning {
    /// The line of the Dockerfile, where it is about one.
    pub line: Option<u32>,
    /// Its words.
    pub text: Clean,
}

/// A step of the build.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// Its id.
    pub id: StepId,
    /// The line of its instruction.
    pub line: Option<u32>,
    /// Its stage.
    pub stage: Option<usize>,
    /// The instruction.
    pub title: Clean,
    /// How it stands.
    pub state: StepState,
}

/// How a step stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StepState {
    /// Known, not begun.
    Planned,
    /// Running since then.
    Running(Duration),
    /// Taken from the cache.
    Cached,
    /// Done.
    Done(Duration),
    /// Stopped before its end.
    Stopped(Duration),
    /// Failed.
    Failed(Duration),
}

impl Build {
    /// An attempt that was just asked for.
    #[must_use]
    pub fn new(job: JobId, number: u32, goals: usize, now: Duration) -> Self {
        Self {
            job,
            number,
            started: now,
            ended: None,
            phase: Phase::Starting,
            steps: Vec::new(),
            goals: vec![None; goals],
            warnings: Vec::new(),
            sizes: None,
            report: None,
        }
    }

    /// Takes in one event; lines of output go to `log`.
    pub fn apply(&mut self, event: AttemptEvent, now: Duration, log: &mut Log) {
        match event {
            AttemptEvent::Numbered(number) => self.number = number,
            AttemptEvent::Base {
                reference,
                doing,
                share,
            } => {
                self.phase = Phase::Base {
                    reference,
                    doing,
                    share,
                };
            }
            AttemptEvent::Build(event) => self.build_event(event, now, log),
            AttemptEvent::Built { .. } => self.phase = Phase::Gathering(Clean::default()),
            AttemptEvent::Sizes(sizes) => self.sizes = Some(sizes),
            AttemptEvent::Gathering(what) => self.phase = Phase::Gathering(what),
            AttemptEvent::Judged { index, goal } => {
                if let Some(slot) = self.goals.get_mut(index) {
                    *slot = Some(goal);
                }
            }
            AttemptEvent::Finished(report) => {
                self.close(now);
                self.report = Some(report);
            }
        }
    }

    /// Nothing goes on any more; a step that had not ended never will.
    pub fn close(&mut self, now: Duration) {
        self.phase = Phase::Over;
        self.ended.get_or_insert(now);
        for step in &mut self.steps {
            if matches!(step.state, StepState::Running(_)) {
                step.state = StepState::Planned;
            }
        }
    }

    fn build_event(&mut self, event: BuildEvent, now: Duration, log: &mut Log) {
        match event {
            BuildEvent::Uploading { sent, total } => {
                self.phase = Phase::Uploading { sent, total };
            }
            BuildEvent::StepPlanned {
                step,
                line,
                stage,
                title,
            } => {
                self.phase = Phase::Building;
                self.steps.push(Step {
                    id: step,
                    line,
                    stage,
                    title: in_words(title),
                    state: StepState::Planned,
                });
            }
            BuildEvent::StepStarted { step } => {
                // BuildKit plans its steps before it fetches the files.
                self.phase = Phase::Building;
                self.set(step, StepState::Running(now));
            }
            BuildEvent::StepFinished {
                step,
                cached,
                took,
                end,
            } => {
                let state = match (end, cached) {
                    (StepEnd::Failed, _) => StepState::Failed(took),
                    (StepEnd::Stopped, _) => StepState::Stopped(took),
                    (StepEnd::Done, true) => StepState::Cached,
                    (StepEnd::Done, false) => StepState::Done(took),
                };
                let failed = end == StepEnd::Failed;
                self.set(step, state);
                // The builder's own errands are worth a line only while they take time.
                self.steps.retain(|one| {
                    one.id != step || failed || !one.title.as_str().starts_with("[internal]")
                });
            }
            BuildEvent::Log { step, line, .. } => log.push(LogLine { step, text: line }),
            BuildEvent::Warning { line, text } => {
                let place = line
                    .map(|line| format!("line {line}: "))
                    .unwrap_or_default();
                log.push(LogLine {
                    step: None,
                    text: Clean::line(&format!("! {place}{text}")),
                });
                self.warnings.push(Warning { line, text });
            }
        }
    }

    fn set(&mut self, id: StepId, state: StepState) {
        self.phase = Phase::Building;
        if let Some(step) = self.steps.iter_mut().find(|step| step.id == id) {
            step.state = state;
        }
    }

    /// Whether it goes on.
    #[must_use]
    pub const fn is_running(&self) -> bool {
        self.ended.is_none()
    }

    /// How long it has taken.
    #[must_use]
    pub fn elapsed(&self, now: Duration) -> Duration {
        self.ended.unwrap_or(now).saturating_sub(self.started)
    }

    /// How the instruction on a line stands; the worst of its steps.
    #[must_use]
    pub fn at_line(&self, line: u32) -> Option<StepState> {
        self.steps
            .iter()
            .filter(|step| step.line == Some(line))
            .map(|step| step.state)
            .max_by_key(|state| match state {
                StepState::Cached => 0,
                StepState::Done(_) => 1,
                StepState::Planned => 2,
                StepState::Stopped(_) => 3,
                StepState::Running(_) => 4,
                StepState::Failed(_) => 5,
            })
    }

    /// How many steps are over, and how many are known.
    #[must_use]
    pub fn count(&self) -> (usize, usize) {
        let over = self.steps.iter().filter(|step| step.state.is_over());
        (over.count(), self.steps.len())
    }

    /// How many steps came from the cache.
    #[must_use]
    pub fn cached(&self) -> usize {
        let cached = self.steps.iter();
        cached
            .filter(|step| step.state == StepState::Cached)
            .count()
    }
}

impl StepState {
    /// Whether it is over.
    #[must_use]
    pub const fn is_over(self) -> bool {
        matches!(
            self,
            Self::Cached | Self::Done(_) | Self::Stopped(_) | Self::Failed(_)
        )
    }
}

/// BuildKit's own words for a step that no line asks for, where they say nothing to a learner.
fn in_words(title: Clean) -> Clean {
    if title.as_str() == "copy /context /" {
        Clean::line("your files arrive")
    } else {
        title
    }
}
