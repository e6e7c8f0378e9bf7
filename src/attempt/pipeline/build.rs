//! The build of an attempt: what it is told, and what becomes of a `# syntax=` line.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::mpsc;

use super::Attempt;
use super::Stopped;
use crate::attempt::AttemptEvent;
use crate::attempt::prepare::Frontend;
use crate::attempt::prepare::Gathered;
use crate::attempt::prepare::Prepared;
use crate::attempt::problem;
use crate::attempt::steps::Steps;
use crate::dockerfile::Dockerfile;
use crate::engine::BuildError;
use crate::engine::BuildEvent;
use crate::engine::Built;
use crate::goal::evidence::StepFact;
use crate::report::BaseReport;
use crate::report::Outcome;
use crate::report::WarningReport;

impl Attempt {
    /// Builds. Where the image that a `# syntax=` line names is not to be had, the engine's own
    /// parser reads the Dockerfile: an older one knows less, and no network is no reason to stop.
    pub(super) async fn build(
        &self,
        gathered: &Gathered,
        bases: &[BaseReport],
    ) -> Result<(Prepared, Built, Vec<StepFact>), Stopped> {
        let dockerfile = Arc::clone(gathered.dockerfile());
        let syntax = dockerfile.syntax();
        let mut frontend = match syntax {
            Some((_, image)) if !self.bases.reaches(image) => {
                match self.engine.inspect(image).await {
                    Ok(Some(_)) => Frontend::AsWritten,
                    Ok(None) | Err(_) => Frontend::OfTheEngine,
                }
            }
            Some(_) | None => Frontend::AsWritten,
        };
        loop {
            if let (Some((line, image)), Frontend::OfTheEngine) = (syntax, frontend) {
                let note = AttemptEvent::Build(problem::without_frontend(line, image));
                let _ = self.events.send(note).await;
            }
            let builder = self.engine.info().builder;
            let prepared = gathered.context(bases, frontend, builder)?;
            let _ = self.context.set(prepared.facts.clone());
            match (self.try_build(&dockerfile, &prepared).await, syntax) {
                (Ok((built, steps)), _) => return Ok((prepared, built, steps)),
                (Err(error), Some((_, image)))
                    if frontend == Frontend::AsWritten && is_without(&error, image) =>
                {
                    self.bases.unreachable(image);
                    frontend = Frontend::OfTheEngine;
                }
                (Err(error), _) => {
                    let left_out = |path: &str| gathered.left_out(path);
                    let told = problem::of_ignored(&error, &dockerfile, left_out)
                        .or_else(|| problem::of_platform(&error, &dockerfile, bases));
                    return Err(match told {
                        Some(told) => (Outcome::BuildFailed, told).into(),
                        None => problem::of_build(&error, &dockerfile).into(),
                    });
                }
            }
        }
    }

    /// Builds once, passing the events on and keeping what the goals need of them.
    async fn try_build(
        &self,
        dockerfile: &Arc<Dockerfile>,
        prepared: &Prepared,
    ) -> Result<(Built, Vec<StepFact>), BuildError> {
        let tag = self.tag();
        if self.request.own {
            self.keep_first(&tag).await;
        }
        let (sender, mut receiver) = mpsc::channel(256);
        let build = self.engine.build(
            self.build_request(dockerfile, prepared, tag),
            sender,
            self.cancel.clone(),
        );
        let mut steps = Steps::default();
        let forward = async {
            while let Some(event) = receiver.recv().await {
                steps.note(&event);
                self.forward(event).await;
            }
        };
        let (built, ()) = tokio::join!(build, forward);
        Ok((built?, steps.into_facts(dockerfile)))
    }

    /// Gives a learner's first image a name of its own, where it has none yet: later ones, which take
    /// its name, are compared with it.
    async fn keep_first(&self, tag: &str) {
        let name = format!("{tag}-first");
        if matches!(self.engine.inspect(&name).await, Ok(None)) {
            // There is none before the first build.
            let _ = self.engine.tag(tag, &name).await;
        }
    }

    /// Steps always arrive; a line of the log waits for nobody.
    async fn forward(&self, event: BuildEvent) {
        if let (BuildEvent::Warning { line, text }, Ok(mut warnings)) =
            (&event, self.warnings.lock())
        {
            warnings.push(WarningReport {
                line: *line,
                text: text.clone(),
            });
        }
        let event = AttemptEvent::Build(event);
        if matches!(
            event,
            AttemptEvent::Build(BuildEvent::Log { .. } | BuildEvent::Uploading { .. })
        ) {
            let sent = tokio::time::timeout(Duration::from_millis(50), self.events.send(event));
            let _ = sent.await;
        } else {
            let _ = self.events.send(event).await;
        }
    }
}

/// Whether a build ended because the image that reads the Dockerfile was not to be had.
fn is_without(error: &BuildError, image: &str) -> bool {
    match error {
        BuildError::NoBase { reference, .. } | BuildError::RegistrySilent { reference, .. } => {
            reference == image
        }
        _ => false,
    }
}
