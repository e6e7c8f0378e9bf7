//! Judges an image that is there already: nothing is built, and a goal that asks for what only a
//! build or a starter can tell is unknown.

use std::collections::BTreeMap;
use std::collections::BTreeSet;
use std::sync::Arc;

use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use super::AttemptEvent;
use super::gather;
use super::gather::Gathering;
use super::judge;
use super::weigh;
use crate::course::GoalEntry;
use crate::dockerfile::Dockerfile;
use crate::engine::Engine;
use crate::engine::EngineError;
use crate::finding::matching::Advisories;
use crate::goal::Evidence;
use crate::goal::Known;
use crate::goal::Missing;
use crate::goal::evidence::Rebuild;
use crate::goal::evidence::StepFact;
use crate::image::Summary;
use crate::image::archive::Facts;
use crate::image::run::Run;
use crate::image::run::RunOutcome;
use crate::report::GoalReport;
use crate::report::Outcome;

/// An image that is judged as it is.
#[derive(Debug)]
pub struct Existing {
    /// As the engine knows it.
    pub image: String,
    /// The goals; all of them are required.
    pub goals: Vec<GoalEntry>,
    /// What packages are compared with.
    pub advisories: Known<Arc<dyn Advisories>>,
    /// What is remembered of layers.
    pub facts: Option<Arc<dyn Facts>>,
}

/// What came of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Judged {
    /// The engine's id of the image.
    pub id: String,
    /// How it ended.
    pub outcome: Outcome,
    /// One per goal, in their order.
    pub goals: Vec<GoalReport>,
}

/// Judges an image that the engine has. What happens on the way is sent to `events`.
///
/// # Errors
/// When the engine has no such image, goes away, or the work is cancelled.
pub async fn judge_image(
    engine: Arc<dyn Engine>,
    work: Existing,
    events: mpsc::Sender<AttemptEvent>,
    cancel: CancellationToken,
) -> Result<Judged, EngineError> {
    let summary = engine
        .inspect(&work.image)
        .await?
        .ok_or_else(|| EngineError::NoSuchImage(work.image.clone()))?;
    let id = summary.id.clone();
    // There is no Dockerfile, so that no layer has a line.
    let lines = vec![None; summary.diff_ids.len()];
    let mut evidence = first_evidence(summary, &lines);
    let rebuild = |_: Rebuild| -> BoxFuture<'_, Known<Vec<StepFact>>> {
        async move { Err(nothing()) }.boxed()
    };
    let baseline = |runs: BTreeSet<Run>| -> BoxFuture<'_, BTreeMap<Run, Known<RunOutcome>>> {
        let all = runs.into_iter().map(|run| (run, Err(nothing()))).collect();
        async move { all }.boxed()
    };
    // All goals are asked for at once: there is no learner who mends one after the other.
    let thorough = work
        .goals
        .iter()
        .any(|goal| gather::reads_image(&goal.goal.needs()));
    let gathering = Gathering {
        engine,
        image: work.image,
        canaries: Vec::new(),
        lines,
        // An image may be anybody's.
        own: false,
        thorough,
        facts: work.facts,
        base_layers: 0,
        rebuild: &rebuild,
        baseline: &baseline,
        advisories: work.advisories,
        starter: None,
        events,
        cancel,
    };
    let goals = work.goals.into_iter().map(|goal| (goal, true)).collect();
    let goals = gather::gather(gathering, &mut evidence, goals).await?;
    Ok(Judged {
        id,
        outcome: judge::outcome(&goals),
        goals,
    })
}

/// Why all that a build would tell is missing.
fn nothing() -> Missing {
    Missing::because("Nothing was built: the image was there already.")
}

/// What is known before anything was looked at.
fn first_evidence(summary: Summary, lines: &[Option<u32>]) -> Evidence {
    Evidence {
        dockerfile: Arc::new(Dockerfile::default()),
        context: Err(nothing()),
        steps: Vec::new(),
        failure: None,
        sizes: weigh::sizes_by_engine(&summary, lines),
        summary: Ok(summary),
        baseline: None,
        contents: Err(nothing()),
        paths: BTreeMap::new(),
        canaries: Err(nothing()),
        secrets: Err(nothing()),
        scan: Err(nothing()),
        starter_scan: Err(nothing()),
        runs: BTreeMap::new(),
        baseline_runs: BTreeMap::new(),
        traces: BTreeMap::new(),
        rebuilds: BTreeMap::new(),
    }
}
