//! What happens during a build, the same for every builder.

use std::time::Duration;

use crate::text::Clean;
use crate::units::Bytes;

/// A step of one build, numbered in the order in which the engine names them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct StepId(pub u32);

/// Something that happened during a build.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum BuildEvent {
    /// The context is on its way.
    Uploading {
        /// Bytes sent.
        sent: Bytes,
        /// Bytes in all.
        total: Bytes,
    },
    /// A step is known. Each step is named once, before anything else is said of it.
    StepPlanned {
        /// The step.
        step: StepId,
        /// The line of its instruction in the learner's Dockerfile; `None` for the builder's own
        /// work (loading metadata, exporting).
        line: Option<u32>,
        /// The stage's index in the Dockerfile.
        stage: Option<usize>,
        /// The instruction in the learner's words, or the builder's name for its own work.
        title: Clean,
    },
    /// A step began.
    StepStarted {
        /// The step.
        step: StepId,
    },
    /// A step ended. Said once per step that began or was cached.
    StepFinished {
        /// The step.
        step: StepId,
        /// Whether its result was taken from the cache.
        cached: bool,
        /// How long it took, by the engine's clock.
        took: Duration,
        /// How it ended.
        end: StepEnd,
    },
    /// A line of output.
    Log {
        /// The step that wrote it.
        step: Option<StepId>,
        /// Where it was written.
        stream: LogStream,
        /// The line.
        line: Clean,
    },
    /// A warning of the builder's own checks, where the engine sends them.
    Warning {
        /// The line of the Dockerfile.
        line: Option<u32>,
        /// What it says.
        text: Clean,
    },
}

/// How a step came to its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StepEnd {
    /// It did what it was asked.
    Done,
    /// It failed.
    Failed,
    /// It was stopped: the build was given up, or another step failed.
    Stopped,
}

/// Standard output or standard error.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogStream {
    /// Standard output.
    Out,
    /// Standard error.
    Err,
}
