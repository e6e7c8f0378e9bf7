//! An error taken apart, and what every text about one is made with.

use std::path::Path;

use crate::text::Clean;

/// An error taken apart for showing.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Told {
    pub(super) message: String,
    /// `path:line:column` and the lines that show it, without the arrow.
    pub(super) place: Option<String>,
    pub(super) causes: Vec<String>,
    pub(super) hints: Vec<String>,
}

/// An error with nothing but its message.
pub(super) fn told(message: impl Into<String>) -> Told {
    Told {
        message: message.into(),
        ..Told::default()
    }
}

impl Told {
    /// With these causes, outermost first.
    pub(super) fn causes(mut self, causes: impl IntoIterator<Item = String>) -> Self {
        self.causes.extend(causes);
        self
    }

    /// With a hint where there is one.
    pub(super) fn hints(mut self, hint: &Option<String>) -> Self {
        self.hints.extend(hint.clone());
        self
    }

    /// With a hint.
    pub(super) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hints.push(hint.into());
        self
    }
}

/// A path without control characters.
pub(super) fn shown(path: &Path) -> Clean {
    Clean::line(&path.display().to_string())
}
