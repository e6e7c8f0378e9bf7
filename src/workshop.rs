//! All that a front end (terminal, plain lines) needs from the rest of the program, as one trait.
//!
//! On a terminal the calls run on worker threads, never on the thread that draws, and nothing here
//! is called before the first screen is there.

pub mod advice;
mod apply;
pub mod doctor;
mod figure;
mod file;
pub mod insight;
mod local;
pub mod meanwhile;
mod nameless;
mod solution;
mod supply;
mod sweep;
mod unsaved;

use std::collections::BTreeMap;
use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::Arc;

pub use apply::apply;
use async_trait::async_trait;
pub use figure::figure;
pub use file::Barred;
pub use file::LineEnds;
pub use file::NotSaved;
pub use file::WorkspaceFile;
pub use local::Local;
pub use nameless::report as nameless_report;
pub use solution::LEFT_TO_HINTS;
pub use solution::left_to_hints;
pub use solution::solution_is_due;
pub use supply::Supply;
pub use sweep::Sweep;
pub use sweep::sweep;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;
pub use unsaved::KeptTexts;

use crate::attempt::AttemptEvent;
use crate::attempt::Traced;
use crate::course::Course;
use crate::course::ExerciseId;
use crate::engine::EngineInfo;
use crate::engine::Tried;
use crate::finding::Scan;
use crate::report::Outcome;
use crate::report::Report;
use crate::report::VerdictName;
use crate::text::Clean;
use crate::units::Bytes;
use crate::workshop::insight::Insight;

/// The course and the means to work on it.
#[derive(Clone)]
pub struct Services {
    /// What is taught.
    pub course: Arc<Course>,
    /// Files, records, engine and bases.
    pub workshop: Arc<dyn Workshop>,
}

/// Files, records, engine and bases, as the terminal sees them.
#[async_trait]
pub trait Workshop: Send + Sync + 'static {
    /// Opens the records and reads what the learner has reached.
    async fn progress(&self) -> Result<Progress, Trouble>;

    /// Looks for an engine; called again when the learner asks.
    async fn find_engine(&self) -> EngineState;

    /// Makes the base images of the course ready, those in `first` before the others, and says
    /// so per reference. Returns when there is nothing more to do.
    async fn prepare_bases(
        &self,
        first: Vec<String>,
        events: mpsc::Sender<BaseEvent>,
        cancel: CancellationToken,
    );

    /// Opens the learner's files of an exercise; the first time, the starter is copied.
    async fn open(&self, exercise: &ExerciseId) -> Result<Workspace, Trouble>;

    /// Writes one file of the learner, whole or not at all, and only over `read`: the text that it
    /// had when it was read, `None` where it was not there.
    async fn save(
        &self,
        exercise: &ExerciseId,
        file: &str,
        text: &str,
        read: Option<&str>,
    ) -> Result<(), NotSaved>;

    /// Keeps a text that is not saved beside the learner's files; says where it is now.
    async fn keep(&self, exercise: &ExerciseId, file: &str, text: &str)
    -> Result<PathBuf, Trouble>;

    /// Where texts are that were not saved when the workshop was left: those that no opening told
    /// of yet. From now on one has.
    async fn unsaved(&self, exercise: &ExerciseId) -> Option<KeptTexts>;

    /// Puts the starter back; what was there is kept for [`Self::undo_reset`].
    async fn reset(&self, exercise: &ExerciseId) -> Result<Workspace, Trouble>;

    /// Brings back what the last reset put away.
    async fn undo_reset(&self, exercise: &ExerciseId) -> Result<Workspace, Trouble>;

    /// Starts an attempt on what is on disk. The attempt is recorded before its
    /// [`AttemptEvent::Finished`] is sent. Dropping the receiver cancels it.
    fn start_attempt(
        &self,
        exercise: &ExerciseId,
        cancel: CancellationToken,
    ) -> mpsc::Receiver<AttemptEvent>;

    /// Looks into an image that an attempt made, in one pass, and says through `read` how many
    /// bytes of its files were read so far.
    async fn look(
        &self,
        image: &str,
        read: mpsc::Sender<Bytes>,
        cancel: CancellationToken,
    ) -> Result<Arc<Insight>, Trouble>;

    /// Compares the packages of an image with the advisories, without the rest of
    /// [`Self::look`].
    async fn scan(&self, image: &str, cancel: CancellationToken) -> Result<Arc<Scan>, Trouble>;

    /// Runs the image of an attempt once more, as the exercise's goals run it, and tells which of
    /// its files the run opens. `image` is the engine's id of it, `lines` are the Dockerfile's
    /// lines of its layers.
    async fn trace(
        &self,
        exercise: &ExerciseId,
        image: &str,
        lines: &[Option<u32>],
        cancel: CancellationToken,
    ) -> Result<Traced, Trouble>;

    /// Notes that a hint was opened.
    async fn hint_opened(
        &self,
        exercise: &ExerciseId,
        goal: &str,
        level: u8,
    ) -> Result<(), Trouble>;

    /// Notes that a lesson was read to its end.
    async fn lesson_read(&self, slug: &str) -> Result<(), Trouble>;

    /// Notes the answer to a question of a lesson, in the place of the one before.
    async fn answered(&self, lesson: &str, quiz: &str, answer: Answered) -> Result<(), Trouble>;

    /// Looks at everything that the workshop needs of this machine; changes nothing.
    async fn doctor(&self) -> Vec<Check>;
}

/// Something did not work, for people.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trouble {
    /// What failed, on what.
    pub message: Clean,
    /// What to do next.
    pub next_step: Option<Clean>,
}

impl Trouble {
    /// A trouble without advice.
    #[must_use]
    pub fn new(message: impl AsRef<str>) -> Self {
        Self {
            message: Clean::line(message.as_ref()),
            next_step: None,
        }
    }

    /// With what to do next.
    #[must_use]
    pub fn advise(mut self, next_step: impl AsRef<str>) -> Self {
        self.next_step = Some(Clean::line(next_step.as_ref()));
        self
    }
}

/// What is known of the engine.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum EngineState {
    /// It is being looked for.
    #[default]
    Looking,
    /// It answers.
    Ready {
        /// What it is.
        info: Box<EngineInfo>,
        /// Room for images, where it is known.
        free: Option<Bytes>,
    },
    /// None answers.
    Missing {
        /// What is wrong, and what to do.
        trouble: Trouble,
        /// Where it was looked for.
        tried: Vec<Tried>,
    },
}

impl EngineState {
    /// Whether it answers.
    #[must_use]
    pub const fn is_ready(&self) -> bool {
        matches!(self, Self::Ready { .. })
    }
}

/// News of one base image.
#[derive(Debug, Clone, PartialEq)]
pub struct BaseEvent {
    /// As Dockerfiles name it.
    pub reference: String,
    /// How it stands.
    pub state: BaseState,
}

/// How a base image stands.
#[derive(Debug, Clone, PartialEq)]
pub enum BaseState {
    /// It is here.
    Ready {
        /// What it ships, where the engine can tell.
        size: Option<Bytes>,
    },
    /// Its turn has not come.
    Waiting,
    /// It is being made ready.
    Working {
        /// What is being done: `downloading packages`.
        doing: Clean,
        /// Bytes done and bytes in all, where they are known.
        bytes: Option<(Bytes, Bytes)>,
    },
    /// It cannot be had; the sentence says why and what to do.
    Failed(Clean),
}

/// The learner's files of one exercise.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Workspace {
    /// The folder.
    pub folder: PathBuf,
    /// Where the whole log of an attempt is written.
    pub log: PathBuf,
    /// The files that the learner changes, in the order of the exercise.
    pub files: Vec<WorkspaceFile>,
    /// Whether [`Workshop::undo_reset`] has something to bring back.
    pub put_away: bool,
}

/// What the learner has reached.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Progress {
    /// The slugs of the lessons that were read to the end.
    pub lessons: BTreeSet<String>,
    /// What was reached per exercise.
    pub exercises: BTreeMap<ExerciseId, Record>,
    /// What was open last: a lesson's slug or an exercise's id.
    pub last: Option<String>,
    /// What was answered, by the lesson's slug and the question's id.
    pub answers: BTreeMap<(String, String), Answered>,
    /// What there is to say of records that could not be read and had to be begun anew: once, to
    /// whoever asks first.
    pub damaged: Option<Trouble>,
}

/// What was answered to a question.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Answered {
    /// The choices of the last try, by their index.
    pub chosen: BTreeSet<usize>,
    /// Whether they were right.
    pub right: bool,
    /// How often it was tried.
    pub tries: u32,
}

/// What was reached in one exercise.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Record {
    /// Attempts that judged an image or failed to build one.
    pub attempts: u32,
    /// The highest number that an attempt got; one that came to no verdict has one, too.
    pub numbered: u32,
    /// The number of the last attempt that counts.
    pub number: u32,
    /// Whether some attempt passed.
    pub passed: bool,
    /// The best attempt: most required goals met, then the smallest.
    pub best: Option<Best>,
    /// What the images of the attempts weighed, oldest first.
    pub sizes: Vec<Bytes>,
    /// The hints that were opened, as goal and level.
    pub hints: BTreeSet<(String, u8)>,
    /// The last attempt.
    pub last: Option<Box<Report>>,
    /// The first attempt that made an image: what the others are compared with.
    pub first: Option<Box<Report>>,
    /// The learner's files as the last attempt built them.
    pub built: BTreeMap<String, String>,
    /// The attempt before the last one.
    pub before: Option<Box<Earlier>>,
}

/// An attempt that the last one is compared with.
#[derive(Debug, Clone, PartialEq)]
pub struct Earlier {
    /// Its number.
    pub number: u32,
    /// Its report.
    pub report: Report,
    /// The learner's files as it built them.
    pub built: BTreeMap<String, String>,
}

/// The best attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Best {
    /// Required goals met.
    pub met: usize,
    /// Required goals.
    pub of: usize,
    /// Shipped bytes, where an image was made.
    pub size: Option<Bytes>,
}

impl Record {
    /// Adds an attempt that has just ended; the files that it built are the caller's to add. Says
    /// whether it counts: one that did not come to a verdict only uses its number up.
    pub fn absorb(&mut self, report: &Report, number: u32) -> bool {
        self.numbered = self.numbered.max(number);
        if !report.outcome.is_judged() {
            return false;
        }
        if let Some(last) = self.last.take() {
            self.before = Some(Box::new(Earlier {
                number: self.number,
                report: *last,
                built: std::mem::take(&mut self.built),
            }));
        }
        self.attempts += 1;
        self.number = number;
        self.passed |= report.outcome == Outcome::Passed;
        let required = report.goals.iter().filter(|goal| goal.required);
        let size = report.image.as_ref().map(|image| image.shipped_bytes);
        let this = Best {
            met: required
                .clone()
                .filter(|goal| goal.verdict == VerdictName::Met)
                .count(),
            of: required.count(),
            size,
        };
        let rank = |best: &Best| {
            let size = best.size.map_or(u64::MAX, |size| size.0);
            (best.met, std::cmp::Reverse(size))
        };
        if self.best.is_none_or(|best| rank(&this) > rank(&best)) {
            self.best = Some(this);
        }
        self.sizes.extend(size);
        if self.first.is_none() && report.image.is_some() {
            self.first = Some(Box::new(report.clone()));
        }
        self.last = Some(Box::new(report.clone()));
        true
    }
}

/// One thing that was looked at by the doctor.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Check {
    /// What was looked at: `Engine`, `Disk`.
    pub title: String,
    /// What came of it.
    pub state: CheckState,
    /// What was found.
    pub found: Clean,
    /// What to do, where something is to be done.
    pub fix: Option<Clean>,
    /// Whether `loadline doctor --fix` can do it here.
    pub mendable: bool,
}

/// What came of a check.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CheckState {
    /// As it should be.
    Good,
    /// The workshop works, with a limit.
    Limited,
    /// The workshop cannot build.
    Bad,
    /// Not asked for.
    Off,
}

impl CheckState {
    /// The word for it, the same in every front end.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Good => "good",
            Self::Limited => "limited",
            Self::Bad => "bad",
            Self::Off => "off",
        }
    }
}
