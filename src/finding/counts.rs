//! How many findings there are of each severity, and the short line that says so.

use std::fmt;

use serde::Deserialize;
use serde::Serialize;

use super::Severity;

/// How many findings there are of each severity.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counts {
    /// Critical ones.
    pub critical: usize,
    /// High ones.
    pub high: usize,
    /// Medium ones.
    pub medium: usize,
    /// Low ones.
    pub low: usize,
    /// Those of which nobody said how bad they are.
    pub unknown: usize,
}

impl Counts {
    /// How many there are of one severity.
    #[must_use]
    pub const fn of(&self, severity: Severity) -> usize {
        match severity {
            Severity::Critical => self.critical,
            Severity::High => self.high,
            Severity::Medium => self.medium,
            Severity::Low => self.low,
            Severity::Unknown => self.unknown,
        }
    }

    /// All of them.
    #[must_use]
    pub fn total(&self) -> usize {
        Severity::WORST_FIRST
            .into_iter()
            .map(|severity| self.of(severity))
            .sum()
    }

    const fn of_mut(&mut self, severity: Severity) -> &mut usize {
        match severity {
            Severity::Critical => &mut self.critical,
            Severity::High => &mut self.high,
            Severity::Medium => &mut self.medium,
            Severity::Low => &mut self.low,
            Severity::Unknown => &mut self.unknown,
        }
    }
}

impl FromIterator<Severity> for Counts {
    fn from_iter<I: IntoIterator<Item = Severity>>(severities: I) -> Self {
        let mut counts = Self::default();
        for severity in severities {
            *counts.of_mut(severity) += 1;
        }
        counts
    }
}

/// The short line: `2C 5H 13M 20L`, and `3?` behind it where nobody said how bad some are.
impl fmt::Display for Counts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut line = format!(
            "{}C {}H {}M {}L",
            self.critical, self.high, self.medium, self.low
        );
        if self.unknown > 0 {
            line.push_str(&format!(" {}?", self.unknown));
        }
        f.pad(&line)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_short_line_counts_unknown_ones_apart() {
        let counts: Counts = [Severity::High, Severity::High, Severity::Low]
            .into_iter()
            .collect();
        assert_eq!(counts.to_string(), "0C 2H 0M 1L");
        let counts: Counts = [Severity::Critical, Severity::Unknown]
            .into_iter()
            .collect();
        assert_eq!(counts.to_string(), "1C 0H 0M 0L 1?");
        assert_eq!(counts.total(), 2);
    }
}
