//! The use case: build, gather the evidence that the goals need, judge, report.
//!
//! One stream of [`AttemptEvent`] for every front end. If a front end needs a fact that it cannot
//! see here, the event is missing a field.

use std::collections::BTreeMap;
use std::path::PathBuf;

use crate::engine::BuildEvent;
use crate::goal::evidence::Sizes;
use crate::report::GoalReport;
use crate::report::Report;
use crate::text::Clean;

/// Something that happened during an attempt.
#[derive(Debug, Clone, PartialEq)]
pub enum AttemptEvent {
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
    Files(BTreeMap<String, std::sync::Arc<[u8]>>),
}
