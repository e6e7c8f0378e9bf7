//! What the stages weigh that do not ship, line by line: nobody waits long for it.
//!
//! The bases of those stages are only looked up. What their own lines made is read from an image of
//! the stage, which the builder has in its cache and which is removed again at once.

#![expect(
    clippy::disallowed_methods,
    reason = "stages are weighed as a task of their own, beside the goals' evidence"
)]

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::PoisonError;
use std::time::Duration;

use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use tokio_util::sync::DropGuard;

use super::weigh;
use crate::dockerfile::BuildArgs;
use crate::dockerfile::Dockerfile;
use crate::dockerfile::Keyword;
use crate::dockerfile::Stage;
use crate::engine::BuildRequest;
use crate::engine::Engine;
use crate::image::Summary;
use crate::report::BaseReport;
use crate::report::LineBytes;
use crate::units::Bytes;

/// How long the report waits for this after the last goal was judged.
pub(super) const PATIENCE: Duration = Duration::from_secs(3);

/// How long a stage that was given up may take to leave the engine.
const LEAVING: Duration = Duration::from_secs(2);

/// What is weighed, and with what.
pub(super) struct Work {
    /// The engine.
    pub(super) engine: Arc<dyn Engine>,
    /// What the bases were resolved to.
    pub(super) bases: Vec<BaseReport>,
    /// The build of the attempt; the stages are built like it.
    pub(super) request: BuildRequest,
    /// Whether an image of a stage costs the builder's cache nothing when it is removed. Where the
    /// cache consists of images, only the bases are told.
    pub(super) keeps_cache: bool,
}

/// The lines that were weighed so far.
type Found = Arc<Mutex<BTreeMap<u32, Bytes>>>;

/// The weighing, at work. Dropping it ends it.
pub(super) struct Weighing {
    task: JoinHandle<()>,
    found: Found,
    guard: DropGuard,
}

impl Weighing {
    /// Starts it.
    pub(super) fn start(work: Work, cancel: CancellationToken) -> Self {
        let found = Found::default();
        let guard = cancel.clone().drop_guard();
        let task = tokio::spawn(work.weigh(Arc::clone(&found), cancel));
        Self { task, found, guard }
    }

    /// What is known within `patience`.
    pub(super) async fn finish(mut self, patience: Duration) -> Vec<LineBytes> {
        if tokio::time::timeout(patience, &mut self.task)
            .await
            .is_err()
        {
            drop(self.guard);
            let _ = tokio::time::timeout(LEAVING, &mut self.task).await;
        }
        let found = self.found.lock().unwrap_or_else(PoisonError::into_inner);
        let lines = found.iter();
        lines
            .map(|(line, bytes)| LineBytes {
                line: *line,
                bytes: *bytes,
            })
            .collect()
    }
}

impl Work {
    async fn weigh(self, found: Found, cancel: CancellationToken) {
        let dockerfile = Arc::clone(&self.request.dockerfile);
        let ships = shipping(&dockerfile);
        let tell = |lines: BTreeMap<u32, Bytes>| {
            let mut found = found.lock().unwrap_or_else(PoisonError::into_inner);
            found.extend(lines.into_iter().filter(|(line, _)| !ships.contains(line)));
        };
        let mut stages = Vec::new();
        for stage in builders(&dockerfile) {
            let Some((line, base)) = self.base(&dockerfile, stage).await else {
                continue;
            };
            if let Some(base) = &base {
                let shipped = base.layer_sizes.iter().flatten().copied().sum();
                tell(BTreeMap::from([(line, shipped)]));
            }
            stages.push((stage, base.map_or(0, |base| base.diff_ids.len())));
        }
        if !self.keeps_cache {
            return;
        }
        for (stage, base_layers) in stages {
            if cancel.is_cancelled() {
                return;
            }
            if makes_layers(&dockerfile, stage)
                && let Some(summary) = self.image_of(stage, &cancel).await
            {
                tell(per_line(&dockerfile, stage, &summary, base_layers));
            }
        }
    }

    /// The line of the `FROM` below a stage and the image that it names, `None` for `scratch`.
    /// Nothing at all where the engine cannot say what the image is made of.
    async fn base(&self, dockerfile: &Dockerfile, stage: &Stage) -> Option<(u32, Option<Summary>)> {
        let given = BuildArgs::new();
        let line = dockerfile.chain(stage, &given).last()?.from.line;
        let Some(reference) = dockerfile.base_image(stage, &given) else {
            return Some((line, None));
        };
        let resolved = self.bases.iter().find(|base| base.reference == reference);
        let image = resolved.map_or(reference.as_str(), |base| base.resolved.as_str());
        let summary = self.engine.inspect(image).await.ok()??;
        summary
            .layer_sizes
            .is_some()
            .then_some((line, Some(summary)))
    }

    /// Builds one stage from the cache, looks at its image and removes it.
    async fn image_of(&self, stage: &Stage, cancel: &CancellationToken) -> Option<Summary> {
        let mut request = self.request.clone();
        request.tag = format!("{}-stage-{}", request.tag, stage.index);
        request.target = Some(target(&request.dockerfile, stage));
        request.no_cache = false;
        let tag = request.tag.clone();
        let (sender, mut receiver) = mpsc::channel(64);
        let build = self.engine.build(request, sender, cancel.clone());
        let listen = async { while receiver.recv().await.is_some() {} };
        let (built, ()) = tokio::join!(build, listen);
        let summary = match built {
            Ok(built) => self.engine.inspect(&built.image).await.ok().flatten(),
            Err(_) => None,
        };
        // A cancelled build may have come to its end at the same moment.
        let _ = self.engine.remove_image(&tag).await;
        summary
    }
}

/// A stage as builders are asked for it: its name, or its number where it has none of its own.
fn target(dockerfile: &Dockerfile, stage: &Stage) -> String {
    let number = stage.index.to_string();
    let Some(name) = &stage.name else {
        return number;
    };
    let same = |other: &&Stage| {
        let other = other.name.as_deref();
        other.is_some_and(|other| other.eq_ignore_ascii_case(name))
    };
    if dockerfile.stages.iter().filter(same).count() > 1 {
        return number;
    }
    name.clone()
}

/// The stages that are needed and do not ship, without those that another of them starts from.
fn builders(dockerfile: &Dockerfile) -> Vec<&Stage> {
    let given = BuildArgs::new();
    let mut below: Vec<usize> = dockerfile
        .final_stage()
        .map(|last| dockerfile.chain(last, &given))
        .unwrap_or_default()
        .iter()
        .map(|stage| stage.index)
        .collect();
    let mut found = Vec::new();
    // From the top: whatever starts from a stage comes after it.
    for index in dockerfile.needed_stages(&given).into_iter().rev() {
        if below.contains(&index) {
            continue;
        }
        if let Some(stage) = dockerfile.stages.get(index) {
            let chain = dockerfile.chain(stage, &given);
            below.extend(chain.iter().map(|stage| stage.index));
            found.push(stage);
        }
    }
    found.reverse();
    found
}

/// The lines of the stages that ship.
fn shipping(dockerfile: &Dockerfile) -> Vec<u32> {
    let Some(last) = dockerfile.final_stage() else {
        return Vec::new();
    };
    dockerfile
        .chain(last, &BuildArgs::new())
        .iter()
        .flat_map(|stage| std::iter::once(&stage.from).chain(&stage.instructions))
        .map(|instruction| instruction.line)
        .collect()
}

fn makes_layers(dockerfile: &Dockerfile, stage: &Stage) -> bool {
    let chain = dockerfile.chain(stage, &BuildArgs::new());
    chain
        .iter()
        .flat_map(|stage| &stage.instructions)
        .any(|one| matches!(one.keyword, Keyword::Run | Keyword::Copy | Keyword::Add))
}

/// What the lines of a stage made, without its base.
fn per_line(
    dockerfile: &Dockerfile,
    stage: &Stage,
    summary: &Summary,
    base_layers: usize,
) -> BTreeMap<u32, Bytes> {
    let mut part = dockerfile.clone();
    part.stages.truncate(stage.index + 1);
    let lines = weigh::lines(&part, summary, base_layers);
    let sizes = summary.layer_sizes.iter().flatten();
    let mut found: BTreeMap<u32, Bytes> = BTreeMap::new();
    for (line, size) in lines.into_iter().zip(sizes).skip(base_layers) {
        if let Some(line) = line {
            let sum = found.entry(line).or_default();
            *sum = sum.plus(*size);
        }
    }
    // What the base adds to a build has the line of the base, which is told already.
    if let Some(lowest) = dockerfile.chain(stage, &BuildArgs::new()).last() {
        found.remove(&lowest.from.line);
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(text: &str) -> Vec<usize> {
        let file = Dockerfile::parse(text);
        builders(&file).iter().map(|stage| stage.index).collect()
    }

    #[test]
    fn only_stages_that_are_needed_and_do_not_ship_are_weighed() {
        assert_eq!(names("FROM a\nRUN b\n"), [0; 0]);
        assert_eq!(names("FROM a AS x\nFROM x\nRUN b\n"), [0; 0]);
        assert_eq!(names("FROM a AS x\nFROM a\nRUN b\n"), [0; 0]);
        assert_eq!(names("FROM a AS x\nFROM b\nCOPY --from=x / /\n"), [0]);
    }

    #[test]
    fn a_stage_below_another_is_weighed_with_it() {
        let text = "FROM a AS x\nFROM x AS y\nFROM x AS z\nFROM b\n\
                    COPY --from=y / /\nCOPY --from=z / /\n";
        assert_eq!(names(text), [1, 2]);
    }

    #[test]
    fn a_stage_is_asked_for_by_a_name_that_only_it_has() {
        let file = Dockerfile::parse("FROM a AS x\nFROM a\nFROM a AS y\nFROM b AS Y\n");
        let targets = file.stages.iter().map(|stage| target(&file, stage));
        assert_eq!(targets.collect::<Vec<_>>(), ["x", "1", "2", "3"]);
    }
}
