//! An attempt's outcome as data: `loadline.report/v1`.
//!
//! `loadline check --json` prints exactly one, the learner's records keep it. Within a version
//! fields are only added. The JSON Schema is in `assets/schema/`.

#[cfg(test)]
pub(crate) mod fixture;
pub mod lines;
pub mod wording;

use std::fmt;

use serde::Deserialize;
use serde::Serialize;

use crate::goal::Blame;
use crate::text::Clean;
use crate::units::Bytes;

/// The name of this version of the report.
pub const SCHEMA: &str = "loadline.report/v1";

/// One attempt.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Report {
    /// [`SCHEMA`].
    pub schema: String,
    /// The version of the program.
    pub tool_version: String,
    /// The course.
    pub course: CourseRef,
    /// The exercise's id.
    pub exercise: String,
    /// How it ended.
    pub outcome: Outcome,
    /// One whole sentence on an outcome without verdicts: what stopped it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub problem: Option<Problem>,
    /// One per goal, required first, in the order of the exercise.
    pub goals: Vec<GoalReport>,
    /// The image that was built.
    pub image: Option<ImageReport>,
    /// The starter.
    pub baseline: Option<BaselineReport>,
    /// The base images that were used.
    pub bases: Vec<BaseReport>,
    /// What the builder's own checks said, where the engine sends that.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub warnings: Vec<WarningReport>,
    /// The engine.
    pub engine: Option<EngineReport>,
    /// How long the parts took.
    pub timings_ms: Timings,
    /// RFC 3339, UTC.
    pub started_at: String,
    /// RFC 3339, UTC.
    pub finished_at: String,
}

/// The course that an exercise belongs to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CourseRef {
    /// Its id.
    pub id: String,
    /// Its version.
    pub version: String,
}

/// How an attempt ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// Every required goal is met.
    Passed,
    /// Some required goal is not met.
    Failed,
    /// No image came out of the build.
    BuildFailed,
    /// There was no engine to build on, or it went away.
    EngineUnavailable,
    /// No required goal is unmet, and some could not be judged.
    CouldNotJudge,
    /// The learner stopped it.
    Cancelled,
}

impl fmt::Display for Outcome {
    /// Its name in JSON.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.serialize(f)
    }
}

impl Outcome {
    /// Whether the attempt told something of the files: one that was stopped did not, nor one
    /// without an engine.
    #[must_use]
    pub const fn is_judged(self) -> bool {
        !matches!(self, Self::Cancelled | Self::EngineUnavailable)
    }
}

/// What stopped an attempt before its verdicts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Problem {
    /// What happened.
    pub message: Clean,
    /// What to do next.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_step: Option<Clean>,
    /// Where.
    #[serde(default)]
    pub blame: Blame,
}

impl Problem {
    /// Whether the verdict of a goal says the same: the one of the goal that asks for an image does.
    #[must_use]
    pub fn is_told_by(&self, goal: &GoalReport) -> bool {
        goal.verdict == VerdictName::Unmet
            && goal.why.as_ref() == Some(&self.message)
            && goal.next_step == self.next_step
            && goal.blame == self.blame
    }
}

/// One goal's verdict.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct GoalReport {
    /// Unique in the exercise.
    pub id: String,
    /// The goal kind.
    pub kind: String,
    /// For lists.
    pub title: String,
    /// Whether passing needs it; a stretch goal is not required.
    pub required: bool,
    /// The verdict.
    pub verdict: VerdictName,
    /// What was wanted.
    pub expected: String,
    /// What was found.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub actual: Option<Clean>,
    /// The cause of an unmet goal, or why it is unknown.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub why: Option<Clean>,
    /// One thing to look at.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_step: Option<Clean>,
    /// Where.
    #[serde(default)]
    pub blame: Blame,
    /// The last lines of what the container of an unmet goal wrote, errors last.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub output: Vec<Clean>,
}

impl GoalReport {
    /// What the container wrote, where the cause does not tell all of it already.
    #[must_use]
    pub fn written(&self) -> &[Clean] {
        match self.output.as_slice() {
            [only]
                if self
                    .why
                    .as_ref()
                    .is_some_and(|why| why.as_str().contains(only.as_str())) =>
            {
                &[]
            }
            lines => lines,
        }
    }
}

/// A verdict's name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum VerdictName {
    /// The condition holds.
    Met,
    /// It does not.
    Unmet,
    /// It could not be judged.
    Unknown,
}

/// The image that was built.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ImageReport {
    /// The engine's id; opaque.
    pub id: String,
    /// Shipped bytes.
    pub shipped_bytes: Bytes,
    /// Whether they were counted file by file, or are the engine's figure.
    pub exact: bool,
    /// Bottom first.
    pub layers: Vec<LayerReport>,
    /// Lines of builder stages and what they made, where it is known.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub builder_lines: Vec<LineBytes>,
}

/// One layer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LayerReport {
    /// The step that made it.
    pub created_by: Option<Clean>,
    /// The line of the Dockerfile.
    pub line: Option<u32>,
    /// Shipped bytes.
    pub shipped_bytes: Bytes,
}

/// Bytes that a line of a builder stage made; they do not ship.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LineBytes {
    /// The line of the Dockerfile.
    pub line: u32,
    /// Bytes.
    pub bytes: Bytes,
}

/// The starter.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BaselineReport {
    /// Shipped bytes.
    pub shipped_bytes: Bytes,
}

/// A base image.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BaseReport {
    /// As the Dockerfile names it.
    pub reference: String,
    /// What it was resolved to.
    pub resolved: String,
    /// Whether it was built here from distribution packages.
    pub stand_in: bool,
}

/// A warning of the builder's own checks.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct WarningReport {
    /// The line of the Dockerfile.
    pub line: Option<u32>,
    /// What it says.
    pub text: Clean,
}

/// The engine.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EngineReport {
    /// `docker` or `podman`.
    pub name: String,
    /// Its version.
    pub version: String,
    /// `graphdriver` or `containerd`.
    pub store: String,
    /// `buildkit`, `classic` or `buildah`.
    pub builder: String,
}

/// How long the parts took, in milliseconds.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Timings {
    /// The build.
    pub build: u64,
    /// Gathering evidence.
    pub evidence: u64,
    /// Judging.
    pub judge: u64,
}
