//! The starter's own image, for goals that compare with it: built beside the learner's, run the same
//! way or scanned, thrown away.

mod run;
mod scan;

use std::sync::Arc;

use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use super::BaseSupply;
use super::Request;
use super::Submission;
use super::prepare;
use super::prepare::Frontend;
use super::prepare::Stages;
use super::problem;
use crate::dockerfile::Dockerfile;
use crate::engine::BuildRequest;
use crate::engine::Builder;
use crate::engine::Built;
use crate::engine::Engine;
use crate::goal::Known;
use crate::goal::Missing;
use crate::report::Problem;
use crate::text::Clean;

/// What making the starter's image takes.
pub(super) struct Work {
    /// The engine.
    pub(super) engine: Arc<dyn Engine>,
    /// Makes base images ready: the starter's may be others than the learner's.
    pub(super) bases: Arc<dyn BaseSupply>,
    /// The learner's attempt.
    pub(super) request: Request,
    /// The build of the learner's image; context and reference are replaced.
    pub(super) build: BuildRequest,
    /// Who listens.
    pub(super) events: mpsc::Sender<super::AttemptEvent>,
    /// Stops it.
    pub(super) cancel: CancellationToken,
}

impl Work {
    /// The reference of the starter's image.
    fn tag(&self) -> String {
        format!("{}-starter", self.build.tag)
    }

    /// Throws its image away, once it was looked at.
    async fn discard(&self, built: &Built) {
        // Other builders than BuildKit keep their cache in the image.
        if built.builder == Builder::Buildkit {
            let _ = self.engine.remove_image(&self.tag()).await;
        }
    }

    /// Builds the starter.
    async fn build(&self) -> Known<Built> {
        let failed = |problem: &Problem| {
            Missing::because(format!(
                "The starter could not be built to compare with: {}",
                problem.message
            ))
        };
        let starter = Request {
            submission: Submission::Files(self.request.exercise.files.clone()),
            ..self.request.clone()
        };
        let gathered = prepare::gather(&starter).map_err(|(_, problem)| failed(&problem))?;
        let dockerfile = Arc::clone(gathered.dockerfile());
        let bases = self.ready_bases(&dockerfile).await?;
        let prepared = gathered
            .context(&bases, Frontend::AsWritten, self.engine.info().builder)
            .map_err(|(_, problem)| failed(&problem))?;
        let request = BuildRequest {
            context: prepared.archive,
            dockerfile_apart: prepared.dockerfile,
            dockerfile: Arc::clone(&dockerfile),
            tag: self.tag(),
            ..self.build.clone()
        };
        let (sender, mut receiver) = mpsc::channel(256);
        let build = self.engine.build(request, sender, self.cancel.clone());
        let listen = async { while receiver.recv().await.is_some() {} };
        let (built, ()) = tokio::join!(build, listen);
        built.map_err(|error| failed(&problem::of_build(&error, &dockerfile).1))
    }

    async fn ready_bases(&self, dockerfile: &Dockerfile) -> Known<Vec<crate::report::BaseReport>> {
        let references = prepare::references(dockerfile, Stages::All);
        let ensured = self
            .bases
            .ensure(&references, self.events.clone(), self.cancel.clone())
            .await;
        ensured.map_err(|error| {
            Missing::because(format!(
                "The starter's base images could not be made ready: {}.",
                Clean::line(&error.to_string())
            ))
        })
    }
}
