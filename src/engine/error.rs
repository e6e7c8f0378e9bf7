//! What can go wrong with an engine and with a build.

use std::fmt;
use std::time::Duration;

use thiserror::Error;

use crate::text::Clean;
use crate::text::plural;
use crate::units::show_duration;

/// The engine could not do what it was asked.
#[derive(Debug, Clone, Error, PartialEq, Eq)]
pub enum EngineError {
    /// No engine was found.
    #[error("cannot reach a container engine")]
    NotFound {
        /// Every address that was tried, and what came of it.
        tried: Vec<Tried>,
    },
    /// There is a socket, and this user may not use it.
    #[error("no permission to use the container engine at {address}")]
    NoPermission {
        /// The address.
        address: String,
    },
    /// It answered before and does not any more.
    #[error("the container engine went away: {detail}")]
    Gone {
        /// What the connection said.
        detail: Clean,
    },
    /// It did not answer in time.
    #[error("the container engine did not answer within {}: {what}", show_duration(*.within))]
    Silent {
        /// What it was asked.
        what: &'static str,
        /// How long we waited.
        within: Duration,
    },
    /// It has no such image.
    #[error("the engine has no image `{0}`")]
    NoSuchImage(String),
    /// What was asked for is no name of an image.
    #[error("`{image}` names no image: {why}")]
    BadName {
        /// As it was asked for.
        image: Clean,
        /// What is wrong with it, as a fragment.
        why: Clean,
    },
    /// Its disk is full.
    #[error("the engine's disk is full: {0}")]
    DiskFull(Clean),
    /// The registry did not answer or refused.
    #[error("registry `{registry}` cannot be used: {detail}")]
    Registry {
        /// The registry's name.
        registry: String,
        /// What the engine says.
        detail: Clean,
    },
    /// The work was cancelled.
    #[error("cancelled")]
    Cancelled,
    /// It refused, in its own words.
    #[error("{what}: {detail}")]
    Refused {
        /// What it was asked.
        what: &'static str,
        /// Its answer.
        detail: Clean,
    },
}

/// One address that was tried when an engine was looked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tried {
    /// The address.
    pub address: Clean,
    /// Why it was tried: ``the variable `DOCKER_HOST` ``, `the default socket`.
    pub because: Clean,
    /// What came of it: `no such socket`, `permission denied`.
    pub outcome: Clean,
}

impl fmt::Display for Tried {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} at {} ({})", self.outcome, self.address, self.because)
    }
}

impl Tried {
    /// The setting that named one engine, after which no other was tried.
    #[must_use]
    pub fn named(tried: &[Self]) -> Option<&str> {
        match tried {
            [only] => Some(only.because.as_str()),
            _ => None,
        }
    }
}

/// The command after which the engine that `named` chose is not the only one tried.
#[must_use]
pub fn unname(named: &str) -> &'static str {
    if named.contains("DOCKER_") {
        "unset DOCKER_HOST DOCKER_CONTEXT"
    } else {
        "docker context use default"
    }
}

/// A build did not make an image.
#[derive(Debug, Clone, Error, PartialEq, Eq)]
pub enum BuildError {
    /// It was cancelled, and the engine no longer works on it, unless the build's log says so.
    #[error("the build was cancelled")]
    Cancelled,
    /// The Dockerfile does not parse.
    #[error("the Dockerfile cannot be read: {message}")]
    Syntax {
        /// The line.
        line: Option<u32>,
        /// What is wrong.
        message: Clean,
    },
    /// A step failed.
    #[error("{title} stopped{}", .exit.map(|code| format!(" with status {code}")).unwrap_or_default())]
    Step {
        /// The line of its instruction.
        line: Option<u32>,
        /// The instruction.
        title: Clean,
        /// The exit status of its command, where it is one.
        exit: Option<i64>,
        /// What the engine says.
        message: Clean,
        /// Whether it wrote something before.
        wrote: bool,
    },
    /// A base image is neither here nor to be had.
    #[error("the base image `{reference}` is not here, and {registry} did not give it")]
    NoBase {
        /// The line of the `FROM` or `COPY --from`.
        line: Option<u32>,
        /// The reference as the learner wrote it.
        reference: String,
        /// The registry that was asked.
        registry: String,
        /// What the engine says.
        message: Clean,
    },
    /// The registry of a base image did not answer in time.
    #[error("{registry} did not answer within {} for the base image `{reference}`", show_duration(*.waited))]
    RegistrySilent {
        /// The line of the `FROM` or `COPY --from`.
        line: Option<u32>,
        /// The reference as the learner wrote it.
        reference: String,
        /// The registry.
        registry: String,
        /// How long we waited.
        waited: Duration,
    },
    /// It took longer than it may.
    #[error("the build took longer than {}", show_duration(*.0))]
    TimedOut(Duration),
    /// It wrote more than it may.
    #[error("the build wrote more than {}", plural(*.0, "line"))]
    TooLoud(usize),
    /// The engine failed.
    #[error(transparent)]
    Engine(#[from] EngineError),
}
