//! How far the making of a base image is.

use tokio::sync::mpsc;

use crate::bases::quota::Quota;
use crate::units::Bytes;

/// What is being done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Phase {
    /// Another process makes base images; it comes first.
    Waiting,
    /// A registry gives the vendor's image.
    Pulling,
    /// The packages are being found.
    Resolving,
    /// The packages are being downloaded.
    Downloading,
    /// The packages are unpacked into layers, and the layers go to the engine.
    Unpacking,
    /// The engine takes the layers in.
    Loading,
    /// The packages' own scripts run in a container.
    Configuring,
    /// Images are written into a pack.
    Exporting,
    /// A pack's checksums are compared before anything of it is used.
    Verifying,
}

impl Phase {
    /// One word for people: `downloading`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Pulling => "pulling",
            Self::Resolving => "resolving",
            Self::Downloading => "downloading",
            Self::Unpacking => "unpacking",
            Self::Loading => "loading",
            Self::Configuring => "configuring",
            Self::Exporting => "exporting",
            Self::Verifying => "verifying",
        }
    }
}

/// One step of progress.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Progress {
    /// The base as it was asked for.
    pub reference: String,
    /// What is being done.
    pub phase: Phase,
    /// Bytes done; zero where the phase does not count.
    pub done: Bytes,
    /// Bytes in all; zero where the phase does not count.
    pub total: Bytes,
    /// What the registry says of its quota; told once, where it says something.
    pub quota: Option<Quota>,
}

/// Tells one job's progress. A reader that lags misses steps, never the end.
#[derive(Debug, Clone)]
pub(super) struct Reporter {
    reference: String,
    to: mpsc::Sender<Progress>,
}

impl Reporter {
    /// A reporter for the making of `reference`.
    #[must_use]
    pub(super) fn new(reference: &str, to: mpsc::Sender<Progress>) -> Self {
        Self {
            reference: reference.to_owned(),
            to,
        }
    }

    /// Tells that a phase began.
    pub(super) fn begin(&self, phase: Phase) {
        self.at(phase, Bytes(0), Bytes(0));
    }

    /// Tells how far a phase is.
    pub(super) fn at(&self, phase: Phase, done: Bytes, total: Bytes) {
        self.tell(phase, (done, total), None);
    }

    /// Tells what a registry still gives.
    pub(super) fn quota(&self, quota: Quota) {
        self.tell(Phase::Pulling, (Bytes(0), Bytes(0)), Some(quota));
    }

    fn tell(&self, phase: Phase, (done, total): (Bytes, Bytes), quota: Option<Quota>) {
        let _ = self.to.try_send(Progress {
            reference: self.reference.clone(),
            phase,
            done,
            total,
            quota,
        });
    }
}
