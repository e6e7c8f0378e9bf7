//! Goals: conditions that an exercise asks for, the evidence they need and the verdicts they give.
//!
//! One file per goal kind; [`registry`] lists them. A goal decides, it never gathers: the attempt
//! collects what [`Goal::needs`] names and hands it over as [`Evidence`].

mod avoids;
mod base;
mod builds;
pub mod canary;
mod cause;
mod chosen;
mod context;
mod dead_bytes;
mod efficiency;
mod entrypoint_exec_form;
pub mod evidence;
mod field;
mod file;
#[cfg(test)]
mod fixture;
mod from;
mod healthcheck;
mod http;
mod instruction;
mod kind;
mod largest_file;
mod licences;
mod lint;
mod max_layers;
mod max_size;
mod metadata;
mod multi_arch;
mod no_package_manager;
mod no_path;
mod no_secret;
mod no_setuid;
mod no_shell;
mod non_root;
mod package;
pub mod plan;
mod read_only;
mod reduction;
pub mod registry;
mod run;
mod same_output;
mod scannable;
mod secret;
mod static_binary;
mod stays_cached;
mod stops;
pub mod structure;
mod tool;
mod touched;
mod uses;
mod vulnerabilities;

use std::fmt;

pub use cause::OUTPUT_LINES;
pub use evidence::Evidence;
pub use evidence::Known;
pub use evidence::Missing;
pub use evidence::Needs;
pub use kind::About;
pub use kind::Parameter;
pub use secret::in_dockerfile as secrets_of_dockerfile;
use serde::Deserialize;
use serde::Serialize;

use crate::image::run::RunOutcome;
use crate::text::Clean;
use crate::units::Bytes;

/// A condition of one kind with its parameters.
pub trait Goal: fmt::Debug + Send + Sync {
    /// The kind as YAML has it: `max_size`.
    fn kind(&self) -> &'static str;

    /// A few words for a list: `≤ 100 MB`, `answers HTTP`, `no shell`.
    fn title(&self) -> String;

    /// What is wanted, as one exact phrase: `GET :8000/health answers 200 with "ok" within 10 s`.
    fn wanted(&self) -> String;

    /// What must be gathered before it can be judged.
    fn needs(&self) -> Needs;

    /// Judges. Missing evidence is [`Verdict::Unknown`], never met.
    fn evaluate(&self, evidence: &Evidence) -> Verdict;

    /// The file beside the exercise whose tests stand for this goal; `None` for a goal that is one
    /// itself.
    fn imports(&self) -> Option<&str> {
        None
    }

    /// The most that an image may ship; `None` for a goal that asks for something else.
    fn limit(&self) -> Option<Bytes> {
        None
    }
}

/// What came out of checking one goal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// The condition holds.
    Met {
        /// What was found: `63.9 MB, 36.1 MB to spare`.
        actual: Clean,
    },
    /// The condition does not hold.
    Unmet(Box<Unmet>),
    /// It could not be judged.
    Unknown {
        /// Why, as a whole sentence.
        reason: Clean,
    },
}

/// Why a goal is not met, for a learner.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unmet {
    /// What was found.
    pub actual: Clean,
    /// The cause, as one or two whole sentences.
    pub why: Clean,
    /// What is to blame.
    pub blame: Blame,
    /// One thing to look at next; never the answer.
    pub next_step: Clean,
    /// The last lines of what the container wrote, errors last; empty where it wrote nothing or
    /// none was run.
    pub output: Vec<Clean>,
}

/// The place that an unmet goal points to; empty where there is none.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Blame {
    /// A line of the learner's Dockerfile, from 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub line: Option<u32>,
    /// A layer of the image, from 0 at the bottom.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub layer: Option<usize>,
    /// A path in the image or in the context.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub path: Option<Clean>,
}

impl Blame {
    /// A line of the Dockerfile, where it is known.
    #[must_use]
    pub fn line(line: Option<u32>) -> Self {
        Self {
            line,
            ..Self::default()
        }
    }

    /// The same place with a layer.
    #[must_use]
    pub fn in_layer(self, layer: usize) -> Self {
        Self {
            layer: Some(layer),
            ..self
        }
    }

    /// The same place with a path.
    #[must_use]
    pub fn at_path(self, path: impl AsRef<str>) -> Self {
        Self {
            path: Some(Clean::path(path.as_ref())),
            ..self
        }
    }
}

impl Verdict {
    /// A met verdict.
    #[must_use]
    pub fn met(actual: impl AsRef<str>) -> Self {
        Self::Met {
            actual: Clean::line(actual.as_ref()),
        }
    }

    /// An unmet verdict: what was found, why, and one thing to look at.
    #[must_use]
    pub fn unmet(
        actual: impl AsRef<str>,
        why: impl AsRef<str>,
        next_step: impl AsRef<str>,
        blame: Blame,
    ) -> Self {
        Self::Unmet(Box::new(Unmet {
            actual: Clean::line(actual.as_ref()),
            why: Clean::line(why.as_ref()),
            blame,
            next_step: Clean::line(next_step.as_ref()),
            output: Vec::new(),
        }))
    }

    /// The same with what the container wrote, for a goal that is not met.
    #[must_use]
    fn having_written(mut self, outcome: &RunOutcome) -> Self {
        if let Self::Unmet(unmet) = &mut self {
            unmet.output = cause::last_lines(outcome);
        }
        self
    }

    /// A verdict for evidence that is not there.
    #[must_use]
    pub fn unknown(missing: &Missing) -> Self {
        Self::Unknown {
            reason: missing.reason.clone(),
        }
    }

    /// Whether the condition holds.
    #[must_use]
    pub const fn is_met(&self) -> bool {
        matches!(self, Self::Met { .. })
    }
}
