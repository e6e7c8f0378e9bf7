//! Vulnerability findings: what advisories say of an image's packages.
//!
//! Nothing here knows a scanner, the network or the disk: advisories and packages come in as data,
//! findings go out as data.

pub mod advisory;
pub mod affects;
pub mod counts;
pub mod ecosystem;
pub mod fold;
pub mod group;
pub mod index;
pub mod matching;
pub mod order;
pub mod osv;
mod severity;

pub use counts::Counts;
pub use ecosystem::Ecosystem;
use serde::Deserialize;
use serde::Serialize;
pub use severity::Severity;

use crate::image::package::Gap;
use crate::image::package::Package;
use crate::image::package::Runtime;

/// The layer of a package where a scanner does not tell it.
pub const NO_LAYER: usize = usize::MAX;

/// One vulnerability in one installed package.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Finding {
    /// The id that people know, a CVE number where there is one.
    pub id: String,
    /// Its other ids.
    pub aliases: Vec<String>,
    /// The package.
    pub package: Package,
    /// Other installed packages that were made of the same source, or other copies of the package:
    /// one vulnerability of a source is one finding.
    #[serde(default)]
    pub also: Vec<Package>,
    /// The lowest version that is not affected, in the package's own order; `None` where no fix is
    /// known.
    pub fixed: Option<String>,
    /// How bad it is said to be.
    pub severity: Severity,
    /// One line about it.
    pub summary: String,
}

/// Why advisories say nothing of a package.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Lack {
    /// These advisories do not have it; those of another day or place may.
    #[default]
    Snapshot,
    /// Advisories about its ecosystem are not read here.
    Ecosystem,
    /// It belongs to no release of a distribution with advisories here: a vendor made it, or the
    /// image does not say which release it is, or is of another distribution.
    Release,
    /// Its archive does not say its Maven group, and they are about artifacts of its name in groups
    /// that cannot be told to be its own.
    Group,
    /// Its release is past the end of its support: what was found since is in no advisory.
    Ended,
}

/// Packages that the advisories say nothing of, because they do not cover them.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Uncovered {
    /// The ecosystem, for people: `npm`, `Debian 13`.
    pub ecosystem: String,
    /// How many packages.
    pub packages: usize,
    /// The first of them by name.
    pub first: String,
    /// Why.
    #[serde(default)]
    pub why: Lack,
}

impl Uncovered {
    /// Why archives that are [without a group](Lack::Group) cannot be compared, as half a sentence.
    #[must_use]
    pub const fn without_a_group(&self) -> &'static str {
        match self.packages {
            1 => {
                "its archive does not say the Maven group, and advisories are about artifacts of that name"
            }
            _ => {
                "their archives do not say the Maven group, and advisories are about artifacts of those names"
            }
        }
    }
}

/// What a scan found.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Scan {
    /// Who scanned, with a version: `loadline 0.1.0`.
    pub engine: String,
    /// What the advisories are: a snapshot's id, or a scanner's database version.
    pub database: String,
    /// The day of the advisories: `2026-11-20`, the oldest one of the ecosystems that were asked;
    /// empty where a scanner does not say.
    pub database_date: String,
    /// Whether the advisories are the small snapshot that comes with the program.
    #[serde(default)]
    pub shipped: bool,
    /// The findings, worst first.
    pub findings: Vec<Finding>,
    /// Findings that the advisories call unimportant, left out.
    pub unimportant: usize,
    /// Findings about the kernel whose headers are installed, left out: an image brings no kernel.
    #[serde(default)]
    pub kernel: usize,
    /// How many packages were compared.
    pub packages: usize,
    /// Whether the scanner does not say how many it compared: `packages` is then how many our own
    /// reading of the image found.
    #[serde(default)]
    pub counted_here: bool,
    /// Findings of a scanner about packages of a kind that is not known here, passed over.
    #[serde(default)]
    pub passed_over: usize,
    /// Files about packages that a scanner could not read.
    #[serde(default)]
    pub unread: usize,
    /// Packages that the advisories do not cover.
    #[serde(default)]
    pub uncovered: Vec<Uncovered>,
    /// Packages whose version cannot be put in order with the advisories': `name version`.
    #[serde(default)]
    pub unordered: Vec<String>,
    /// Language implementations that no package brought, and that were not compared.
    #[serde(default)]
    pub runtimes: Vec<Runtime>,
    /// Where nothing can be known.
    pub gaps: Vec<Gap>,
}

impl Scan {
    /// How many findings there are of each severity.
    #[must_use]
    pub fn counts(&self) -> Counts {
        self.findings
            .iter()
            .map(|finding| finding.severity)
            .collect()
    }

    /// Whether something in the image can hide a vulnerability from this scan, so that no finding
    /// does not mean no vulnerability.
    #[must_use]
    pub fn is_blind(&self) -> bool {
        !self.gaps.is_empty()
            || !self.uncovered.is_empty()
            || !self.unordered.is_empty()
            || self.passed_over > 0
            || self.unread > 0
            || self.packages == 0
    }
}
