//! What is kept of an advisory: enough to decide about a version, and one line for people.

use serde::Deserialize;
use serde::Serialize;

use super::Severity;

/// What one advisory says of one package.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Advisory {
    /// Its id: `PYSEC-2024-48`, `DEBIAN-CVE-2024-6119`.
    pub id: String,
    /// Other ids of the same vulnerability.
    pub aliases: Vec<String>,
    /// The vulnerabilities that it is a bulletin about, where it is about several.
    pub bundles: Vec<String>,
    /// How bad it is said to be, for releases that do not say otherwise.
    pub severity: Severity,
    /// One line about it.
    pub summary: String,
    /// The versions that are affected, one part per release or line of versions.
    pub affected: Vec<Affected>,
}

/// Versions that are affected.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Affected {
    /// The release of the distribution, as images write it; `None` where it is for every one.
    pub release: Option<String>,
    /// Whether the distribution calls it unimportant there.
    pub unimportant: bool,
    /// How bad it is there, where that is said apart.
    pub severity: Option<Severity>,
    /// Ranges of versions.
    pub ranges: Vec<Vec<Event>>,
    /// Single versions besides the ranges, as they are written.
    pub versions: Vec<String>,
}

/// A turn in a range of versions. `0` is before every version.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Event {
    /// From this version on it is affected.
    Introduced(String),
    /// From this version on it is not.
    Fixed(String),
    /// After this version it is not.
    LastAffected(String),
    /// The range says nothing of this version and later ones.
    Limit(String),
}

/// What a set of advisories is.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Database {
    /// Its id: changes with its content and with nothing else.
    pub id: String,
    /// The day of the newest advisory in it, about whatever ecosystem: `2026-11-20`.
    pub date: String,
    /// Whether it is the small one that comes with the program.
    pub shipped: bool,
}
