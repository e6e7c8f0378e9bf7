//! The use case: build, gather the evidence that the goals need, judge, report.
//!
//! One stream of [`AttemptEvent`] for every front end. If a front end needs a fact that it cannot
//! see here, the event is missing a field. An attempt ends with exactly one
//! [`AttemptEvent::Finished`], whatever happens to it.

mod builders;
mod busy;
mod existing;
#[cfg(test)]
mod fake;
mod gather;
mod judge;
mod late;
mod lines;
mod pipeline;
mod prepare;
mod problem;
mod scan;
mod sight;
mod starter;
mod steps;
#[cfg(test)]
mod tests;
mod together;
mod trace;
mod weigh;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use async_trait::async_trait;
pub use existing::Existing;
pub use existing::Judged;
pub use existing::judge_image;
pub use lines::layer_lines;
pub use pipeline::could_not_start;
pub use pipeline::start;
pub use pipeline::without_engine;
pub use scan::read_image;
use thiserror::Error;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;
pub use trace::Traced;
pub use trace::run_to_trace;
pub use trace::trace_image;
pub use trace::trouble;

use crate::course::Exercise;
use crate::engine::BuildEvent;
use crate::engine::EngineError;
use crate::finding::matching::Advisories;
use crate::goal::Known;
use crate::goal::evidence::Sizes;
use crate::image::archive::Facts;
use crate::report::BaseReport;
use crate::report::CourseRef;
use crate::report::GoalReport;
use crate::report::Report;
use crate::text::Clean;
use crate::units::Bytes;

/// Something that happened during an attempt.
#[derive(Debug, Clone, PartialEq)]
pub enum AttemptEvent {
    /// Its number among the attempts at its exercise, from 1, where the learner's records keep
    /// one; no other attempt gets it.
    Numbered(u32),
    /// A base image that the Dockerfile names is being made ready.
    Base {
        /// As the Dockerfile names it.
        reference: String,
        /// What is being done, for people.
        doing: Clean,
        /// Share done, from 0 to 1, where it is known.
        share: Option<f64>,
    },
    /// Something happened in the build.
    Build(BuildEvent),
    /// The build made an image.
    Built {
        /// Milliseconds since the attempt began.
        after_ms: u64,
    },
    /// What the image weighs is known.
    Sizes(Sizes),
    /// Evidence is being gathered: `starting the container`.
    Gathering(Clean),
    /// A goal was judged; `index` counts required goals first, then stretch goals.
    Judged {
        /// Which goal.
        index: usize,
        /// Its verdict.
        goal: GoalReport,
    },
    /// The end; said exactly once.
    Finished(Box<Report>),
}

/// The files that one attempt builds: what the learner wrote over what the exercise gives.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Submission {
    /// A folder on disk, read once at the start.
    Folder(PathBuf),
    /// Files in memory (a solution, a starter).
    Files(BTreeMap<String, Arc<[u8]>>),
}

/// One attempt.
#[derive(Debug, Clone)]
pub struct Request {
    /// The course that the exercise belongs to.
    pub course: CourseRef,
    /// The exercise.
    pub exercise: Arc<Exercise>,
    /// What is built.
    pub submission: Submission,
    /// The workspace's id: labels what is made on the engine and names the image.
    pub owner: String,
    /// Tokens planted in the context that must not be found in the image, by the file that holds
    /// each. They stand in files of the exercise, so that a build sees them.
    pub canaries: BTreeMap<String, String>,
    /// The advisories that packages are compared with, or why there are none.
    pub advisories: Known<Arc<dyn Advisories>>,
    /// What the starter weighs, where it was measured here; the exercise's own figure otherwise.
    pub baseline: Option<Bytes>,
    /// Whether the builder's cache is left aside.
    pub no_cache: bool,
    /// Whether the files are those of whoever sits at this machine. A run of anybody else's image
    /// is never traced: the container would start with rights that a stranger must not be near.
    pub own: bool,
    /// Whether a large image is read whole even where a cheap goal has already decided.
    pub thorough: bool,
    /// What is remembered of layers, so that unchanged ones are not read again.
    pub facts: Option<Arc<dyn Facts>>,
}

/// Makes the base images of a Dockerfile ready.
#[async_trait]
pub trait BaseSupply: Send + Sync {
    /// Makes each reference ready and says what it stands for now. References are as the
    /// Dockerfile names them, arguments expanded.
    ///
    /// A reference that nobody here knows is left out of the answer: the build says what the
    /// engine makes of it.
    async fn ensure(
        &self,
        references: &[String],
        events: mpsc::Sender<AttemptEvent>,
        cancel: CancellationToken,
    ) -> Result<Vec<BaseReport>, SupplyError>;

    /// Whether the registry of a reference is worth asking: one that did not answer before is not.
    fn reaches(&self, reference: &str) -> bool {
        let _ = reference;
        true
    }

    /// Takes note that the registry of a reference did not answer.
    fn unreachable(&self, reference: &str) {
        let _ = reference;
    }
}

/// A base image could not be made ready.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum SupplyError {
    /// The engine failed, or the work was cancelled.
    #[error(transparent)]
    Engine(#[from] EngineError),
    /// It should have been possible, and was not.
    #[error("the base image `{reference}` could not be made ready: {why}")]
    Failed {
        /// As the Dockerfile names it.
        reference: String,
        /// The cause, as a fragment.
        why: Clean,
        /// What to do next, as a sentence.
        next_step: Clean,
    },
}
