//! How bad a vulnerability is said to be: from a CVSS vector, or in an advisory's own word.

use std::fmt;
use std::str::FromStr;

use cvss::Cvss;
use serde::Deserialize;
use serde::Serialize;

/// How bad a vulnerability is said to be.
#[derive(
    Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// Nobody said; counted apart, never as harmless.
    #[default]
    Unknown,
    /// Low.
    Low,
    /// Medium.
    Medium,
    /// High.
    High,
    /// Critical.
    Critical,
}

impl Severity {
    /// Every severity, worst first.
    pub const WORST_FIRST: [Self; 5] = [
        Self::Critical,
        Self::High,
        Self::Medium,
        Self::Low,
        Self::Unknown,
    ];

    /// The word: `critical`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Unknown => "unknown",
            Self::Low => "low",
            Self::Medium => "medium",
            Self::High => "high",
            Self::Critical => "critical",
        }
    }

    /// The severity that a word of an advisory or of a scanner means; `None` for a word that none
    /// uses. `negligible` is low here: who hides such findings decides before.
    #[must_use]
    pub fn of_word(word: &str) -> Option<Self> {
        match word.trim().to_ascii_lowercase().as_str() {
            "critical" => Some(Self::Critical),
            "high" | "important" => Some(Self::High),
            "medium" | "moderate" => Some(Self::Medium),
            "low" | "minor" | "negligible" | "unimportant" => Some(Self::Low),
            "unknown" | "unspecified" | "none" | "untriaged" | "not yet assigned" | "" => {
                Some(Self::Unknown)
            }
            _ => None,
        }
    }

    /// The severity of a score, by the qualitative scale that CVSS 3 and 4 share (section 5 and 6 of
    /// their specifications); `None` for 0, which means no severity at all.
    #[must_use]
    pub fn of_score(score: f64) -> Option<Self> {
        match score {
            s if s >= 9.0 => Some(Self::Critical),
            s if s >= 7.0 => Some(Self::High),
            s if s >= 4.0 => Some(Self::Medium),
            s if s > 0.0 => Some(Self::Low),
            _ => None,
        }
    }

    /// The severity of a CVSS vector of version 3.0, 3.1 or 4.0; `None` where it is none.
    #[must_use]
    pub(super) fn of_vector(vector: &str) -> Option<Self> {
        // A vector is short; what is not cannot be one.
        if vector.len() > 1000 {
            return None;
        }
        let vector: Cvss = vector.trim().parse().ok()?;
        Self::of_score(vector.score())
    }
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// For the command line and for exercises.
impl FromStr for Severity {
    type Err = String;

    fn from_str(word: &str) -> Result<Self, String> {
        Self::WORST_FIRST
            .into_iter()
            .find(|severity| severity.as_str() == word)
            .ok_or_else(|| {
                format!("`{word}` is not a severity; use critical, high, medium, low or unknown")
            })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn vectors_of_every_version_give_the_published_severity() {
        let published = [
            (
                "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H",
                Severity::Critical,
            ),
            (
                "CVSS:3.0/AV:N/AC:L/PR:N/UI:N/S:U/C:N/I:N/A:H",
                Severity::High,
            ),
            (
                "CVSS:3.1/AV:N/AC:L/PR:N/UI:R/S:C/C:L/I:L/A:N",
                Severity::Medium,
            ),
            (
                "CVSS:3.1/AV:L/AC:H/PR:H/UI:R/S:U/C:L/I:N/A:N",
                Severity::Low,
            ),
            (
                "CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:H/VI:H/VA:H/SC:H/SI:H/SA:H",
                Severity::Critical,
            ),
            (
                "CVSS:4.0/AV:N/AC:L/AT:P/PR:N/UI:N/VC:N/VI:L/VA:N/SC:N/SI:N/SA:N",
                Severity::Medium,
            ),
        ];
        for (vector, severity) in published {
            assert_eq!(Severity::of_vector(vector), Some(severity), "{vector}");
        }
    }

    #[test]
    fn what_is_no_vector_has_no_severity() {
        for text in ["", "7.5", "CVSS:3.1/AV:N", "CVSS:9.9/AV:N", "medium"] {
            assert_eq!(Severity::of_vector(text), None, "{text}");
        }
        assert_eq!(Severity::of_vector(&"CVSS:3.1/".repeat(500)), None);
        let harmless = "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:N/I:N/A:N";
        assert_eq!(Severity::of_vector(harmless), None);
    }

    #[test]
    fn words_of_several_databases_mean_the_same() {
        assert_eq!(Severity::of_word("MODERATE"), Some(Severity::Medium));
        assert_eq!(Severity::of_word("Negligible"), Some(Severity::Low));
        assert_eq!(
            Severity::of_word("not yet assigned"),
            Some(Severity::Unknown)
        );
        assert_eq!(Severity::of_word("purple"), None);
        assert_eq!("high".parse(), Ok(Severity::High));
        assert!("moderate".parse::<Severity>().is_err());
    }
}
