//! How far the look into an image is.

use std::sync::Arc;

use crate::finding::Scan;
use crate::tui::msg::JobId;
use crate::units::Bytes;
use crate::workshop::Trouble;
use crate::workshop::insight::Insight;

/// A look into the image of the last attempt.
#[derive(Debug, Clone, Default, PartialEq)]
pub enum Look {
    /// Nobody asked for it.
    #[default]
    NotYet,
    /// It is being read.
    Looking {
        /// The job.
        job: JobId,
        /// Bytes of files read so far.
        read: Bytes,
    },
    /// What was seen.
    Here(Arc<Insight>),
    /// It could not be read.
    Failed(Trouble),
}

/// The scan of the first image of an exercise, to compare with.
#[derive(Debug, Clone, Default, PartialEq)]
pub enum FirstScan {
    /// Nobody asked for it.
    #[default]
    NotYet,
    /// There is no other image than the one that is shown.
    Same,
    /// It is on its way.
    Looking {
        /// The job.
        job: JobId,
    },
    /// What was found.
    Here(Arc<Scan>),
    /// It could not be had.
    Failed(Trouble),
}

impl Look {
    /// What was seen.
    #[must_use]
    pub const fn insight(&self) -> Option<&Arc<Insight>> {
        match self {
            Self::Here(insight) => Some(insight),
            Self::NotYet | Self::Looking { .. } | Self::Failed(_) => None,
        }
    }
}
