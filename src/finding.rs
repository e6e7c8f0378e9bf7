//! Vulnerability findings: what advisories say of an image's packages.
//!
//! Nothing here knows a scanner, the network or the disk: advisories and packages come in as data,
//! findings go out as data.

use serde::Deserialize;
use serde::Serialize;

use crate::image::package::Gap;
use crate::image::package::Package;

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

/// One vulnerability in one installed package.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Finding {
    /// The id that people know, a CVE number where there is one.
    pub id: String,
    /// Its other ids.
    pub aliases: Vec<String>,
    /// The package.
    pub package: Package,
    /// The lowest version that is not affected, in the package's own order; `None` where no fix is
    /// known.
    pub fixed: Option<String>,
    /// How bad it is said to be.
    pub severity: Severity,
    /// One line about it.
    pub summary: String,
}

/// What a scan found.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Scan {
    /// Who scanned, with a version: `loadline 0.1.0`.
    pub engine: String,
    /// What the advisories are: a snapshot's id, or a scanner's database version.
    pub database: String,
    /// The day of the advisories: `2026-11-20`; empty where a scanner does not say.
    pub database_date: String,
    /// The findings, worst first.
    pub findings: Vec<Finding>,
    /// Findings that the distribution calls unimportant, left out.
    pub unimportant: usize,
    /// How many packages were compared.
    pub packages: usize,
    /// Where nothing can be known.
    pub gaps: Vec<Gap>,
}
