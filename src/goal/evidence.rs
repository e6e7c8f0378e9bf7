//! What goals may look at, and what they ask for.

use std::collections::BTreeMap;
use std::collections::BTreeSet;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use super::Unmet;
use crate::dockerfile::Dockerfile;
use crate::finding::Scan;
use crate::image::Contents;
use crate::image::Summary;
use crate::image::run::Run;
use crate::image::run::RunOutcome;
use crate::image::run::Trace;
use crate::image::secrets::Secret;
use crate::text::Clean;
use crate::units::Bytes;

/// Evidence that was gathered, or the reason why it is missing.
pub type Known<T> = Result<T, Missing>;

/// Why a piece of evidence is missing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Missing {
    /// A whole sentence for the learner.
    pub reason: Clean,
}

impl Missing {
    /// Missing for `reason`.
    #[must_use]
    pub fn because(reason: impl AsRef<str>) -> Self {
        Self {
            reason: Clean::line(reason.as_ref()),
        }
    }
}

/// An image whose packages are compared with the advisories.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Scanned {
    /// The learner's.
    Image,
    /// The starter's, which is built for it.
    Starter,
}

/// What a set of goals needs; cheap things (Dockerfile, context, summary) are always gathered.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Needs {
    /// The size of each layer. The engine's own figures do where they agree with ours to 0.01 %; a
    /// goal whose limit is nearer than 0.1 % stays unknown until the sizes are exact.
    pub sizes: bool,
    /// A pass over the exported image: its tree and its layers' entries.
    pub contents: bool,
    /// What the pass over the image notes besides.
    pub notes: BTreeSet<Noting>,
    /// Small files whose content the pass over the image keeps: `etc/passwd`.
    pub files: BTreeSet<String>,
    /// Paths whose mere presence already decides (`bin/sh`): asked of the engine first, so that a
    /// large image need not be exported to say no.
    pub paths: BTreeSet<String>,
    /// Search each layer, the config and the history for the planted canaries, and for anything
    /// else that looks like a secret.
    pub secrets: bool,
    /// Whose packages are compared with the advisories.
    pub scans: BTreeSet<Scanned>,
    /// Runs.
    pub runs: BTreeSet<Run>,
    /// Runs of the image that the starter's files make.
    pub baseline_runs: BTreeSet<Run>,
    /// Runs whose opened files are written down.
    pub traces: BTreeSet<Run>,
    /// Builds with one file changed.
    pub rebuilds: BTreeSet<Rebuild>,
}

/// What the pass over an image may note besides its tree.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Noting {
    /// What the image's records say of packages.
    Packages,
}

impl Needs {
    /// Adds what another goal needs.
    pub fn extend(&mut self, other: Self) {
        self.sizes |= other.sizes;
        self.contents |= other.contents;
        self.secrets |= other.secrets;
        self.notes.extend(other.notes);
        self.scans.extend(other.scans);
        self.files.extend(other.files);
        self.paths.extend(other.paths);
        self.runs.extend(other.runs);
        self.traces.extend(other.traces);
        self.baseline_runs.extend(other.baseline_runs);
        self.rebuilds.extend(other.rebuilds);
    }
}

/// A second build after one file of the context was touched.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Rebuild {
    /// The file that gets blank lines at its end, relative to the context.
    pub touch: String,
}

/// All that goals may look at.
#[derive(Debug, Clone)]
pub struct Evidence {
    /// The learner's Dockerfile.
    pub dockerfile: Arc<Dockerfile>,
    /// What was sent to the builder.
    pub context: Known<ContextFacts>,
    /// The steps of the build, in the order of the Dockerfile.
    pub steps: Vec<StepFact>,
    /// Why the build made no image, where it failed.
    pub failure: Option<Unmet>,
    /// What the engine says of the image; missing where nothing was built.
    pub summary: Known<Summary>,
    /// What the image and its layers weigh.
    pub sizes: Known<Sizes>,
    /// The size of the starter, where the exercise has one.
    pub baseline: Option<Bytes>,
    /// The pass over the exported image.
    pub contents: Known<Contents>,
    /// Presence of [`Needs::paths`], links followed.
    pub paths: BTreeMap<String, Known<bool>>,
    /// Where a canary was found.
    pub canaries: Known<Vec<CanaryHit>>,
    /// Secrets in the layers above the base's, in the config and in the history.
    pub secrets: Known<Vec<Secret>>,
    /// What the advisories say of the image's packages.
    pub scan: Known<Scan>,
    /// What they say of the starter's.
    pub starter_scan: Known<Scan>,
    /// What each run showed.
    pub runs: BTreeMap<Run, Known<RunOutcome>>,
    /// What each run of the starter's image showed.
    pub baseline_runs: BTreeMap<Run, Known<RunOutcome>>,
    /// What each traced run opened.
    pub traces: BTreeMap<Run, Known<Trace>>,
    /// The steps of each rebuild.
    pub rebuilds: BTreeMap<Rebuild, Known<Vec<StepFact>>>,
}

impl Evidence {
    /// The line of the Dockerfile that made a layer, where it is known.
    #[must_use]
    pub fn line_of_layer(&self, layer: usize) -> Option<u32> {
        self.sizes.as_ref().ok()?.layers.get(layer)?.line
    }

    /// What a run showed.
    ///
    /// # Errors
    /// When it was not run or could not be.
    pub fn run(&self, run: &Run) -> Known<&RunOutcome> {
        found_in(&self.runs, run, "The container was not started.")
    }

    /// What a run of the starter's image showed.
    ///
    /// # Errors
    /// When the starter was not built, or was not run.
    pub fn baseline_run(&self, run: &Run) -> Known<&RunOutcome> {
        found_in(&self.baseline_runs, run, "The starter's image was not run.")
    }

    /// What a traced run opened.
    ///
    /// # Errors
    /// When it was not run or could not be seen.
    pub fn trace(&self, run: &Run) -> Known<&Trace> {
        found_in(&self.traces, run, "It was not looked at what a run opens.")
    }
}

fn found_in<'a, T>(runs: &'a BTreeMap<Run, Known<T>>, run: &Run, otherwise: &str) -> Known<&'a T> {
    match runs.get(run) {
        Some(Ok(found)) => Ok(found),
        Some(Err(missing)) => Err(missing.clone()),
        None => Err(Missing::because(otherwise)),
    }
}

/// Who compared with what, for beside a figure: `loadline 0.1.0, advisories of 2026-11-25`.
#[derive(Debug, Clone, Copy)]
pub struct Advised<'a>(pub &'a Scan);

impl fmt::Display for Advised<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scan = self.0;
        let which = if scan.shipped { "shipped " } else { "" };
        write!(
            f,
            "{}, {which}advisories of {}",
            scan.engine, scan.database_date
        )
    }
}

/// What was sent to the builder.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ContextFacts {
    /// Payload bytes.
    pub bytes: Bytes,
    /// Paths sent, relative to the context, `/` between parts.
    pub paths: Vec<String>,
}

/// One executed step of a build.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StepFact {
    /// The line of its instruction.
    pub line: Option<u32>,
    /// The stage's index.
    pub stage: Option<usize>,
    /// The instruction as the builder shows it.
    pub title: Clean,
    /// Whether it was taken from the cache.
    pub cached: bool,
    /// How long it took.
    pub took: Duration,
}

/// What an image weighs: the sum of the payload bytes of regular files over all its layers.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Sizes {
    /// All layers.
    pub shipped: Bytes,
    /// One per layer, bottom first.
    pub layers: Vec<LayerSize>,
    /// Whether it was counted file by file; otherwise it is the engine's figure, which agrees to
    /// 0.01 % on the stores where it is used.
    pub exact: bool,
}

/// What one layer weighs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LayerSize {
    /// The step that made it.
    pub created_by: Option<Clean>,
    /// The line of the final stage that made it; the `FROM` line for layers of the base.
    pub line: Option<u32>,
    /// Its bytes.
    pub shipped: Bytes,
}

/// A planted token that was found in the image. The token itself is never kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CanaryHit {
    /// Where it was found.
    pub place: CanaryPlace,
    /// The line of the Dockerfile that put it there, where that is known.
    pub line: Option<u32>,
}

/// A place where a secret may be left.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CanaryPlace {
    /// A file in a layer, visible or not.
    Layer {
        /// The layer, from 0 at the bottom.
        layer: usize,
        /// The file.
        path: Clean,
        /// Whether a later layer hides it.
        hidden: bool,
    },
    /// The config: environment, labels, command.
    Config {
        /// Which part of the config.
        part: Clean,
    },
    /// A step of the history.
    History,
}
