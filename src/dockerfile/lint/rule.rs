//! What a rule is.

use std::fmt;
use std::str::FromStr;

use super::found::Found;
use super::subject::Subject;

/// How much a finding matters.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize,
)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// A matter of taste that readers will thank you for.
    Style,
    /// Worth knowing; often there is a reason to leave it.
    Info,
    /// It costs size, security or repeatability.
    Warning,
    /// It does not build, does not run, or gives something away.
    Error,
}

impl Severity {
    /// Every severity, the gravest first.
    pub const ALL: [Self; 4] = [Self::Error, Self::Warning, Self::Info, Self::Style];

    /// Its name.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Style => "style",
            Self::Info => "info",
            Self::Warning => "warning",
            Self::Error => "error",
        }
    }
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl FromStr for Severity {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::ALL
            .into_iter()
            .find(|severity| severity.as_str() == text)
            .ok_or_else(|| format!("`{text}` is not a severity: error, warning, info or style"))
    }
}

/// A rule.
#[derive(Debug, Clone, Copy)]
pub struct Rule {
    /// Its id: `apt-lists-kept`.
    pub id: &'static str,
    /// What other linters and builders call it: `DL3009`, `JSONArgsRecommended`.
    pub aliases: &'static [&'static str],
    /// How much it matters.
    pub severity: Severity,
    /// What it finds, as a lower-case fragment.
    pub title: &'static str,
    /// Why that matters, in two or three sentences.
    pub why: &'static str,
    /// A Dockerfile in which it finds something.
    pub bad: &'static str,
    /// The same, mended.
    pub good: &'static str,
    /// Finds it.
    pub(super) check: fn(&Subject<'_>, &mut Found<'_>),
}

impl Rule {
    /// Whether this is the rule's id or one of its aliases, in any case.
    #[must_use]
    pub fn is_called(&self, name: &str) -> bool {
        self.id.eq_ignore_ascii_case(name)
            || self
                .aliases
                .iter()
                .any(|alias| alias.eq_ignore_ascii_case(name))
    }
}

impl PartialEq for Rule {
    fn eq(&self, other: &Self) -> bool {
        self.id == other.id
    }
}

impl Eq for Rule {}
