//! Base images for an attempt: the service of `bases`, as the attempt knows it.

use std::sync::Arc;

use async_trait::async_trait;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use crate::attempt::AttemptEvent;
use crate::attempt::BaseSupply;
use crate::attempt::SupplyError;
use crate::bases;
use crate::bases::BaseError;
use crate::bases::Progress;
use crate::bases::Ready;
use crate::engine::EngineError;
use crate::report::BaseReport;
use crate::text;
use crate::text::Clean;

/// Makes the base images of an attempt ready through the service of base images.
pub struct Supply {
    bases: Arc<bases::Service>,
}

impl Supply {
    /// A supply from `bases`.
    #[must_use]
    pub const fn new(bases: Arc<bases::Service>) -> Self {
        Self { bases }
    }
}

#[async_trait]
impl BaseSupply for Supply {
    async fn ensure(
        &self,
        references: &[String],
        events: mpsc::Sender<AttemptEvent>,
        cancel: CancellationToken,
    ) -> Result<Vec<BaseReport>, SupplyError> {
        let mut ready = Vec::new();
        // An engine with many images takes a while to list them: once for all, not once for each.
        let here = self.bases.here(references).await;
        let mut here = here.map_err(SupplyError::Engine)?;
        for reference in references {
            if let Some(base) = here.remove(reference) {
                ready.push(report(base));
                continue;
            }
            let (sender, mut receiver) = mpsc::channel::<Progress>(16);
            let ensured = self.bases.ensure(reference, sender, cancel.clone());
            let forward = async {
                while let Some(progress) = receiver.recv().await {
                    let _ = events.try_send(event(&progress));
                }
            };
            match tokio::join!(ensured, forward).0 {
                Ok(base) => ready.push(report(base)),
                Err(BaseError::Unknown { .. }) => {}
                Err(error) => return Err(failed(reference, &error)),
            }
        }
        Ok(ready)
    }

    fn reaches(&self, reference: &str) -> bool {
        self.bases.reaches(reference)
    }

    fn unreachable(&self, reference: &str) {
        self.bases.unreachable(reference);
    }
}

fn report(base: Ready) -> BaseReport {
    BaseReport {
        reference: base.reference,
        resolved: base.local,
        stand_in: base.stand_in,
    }
}

fn event(progress: &Progress) -> AttemptEvent {
    AttemptEvent::Base {
        reference: progress.reference.clone(),
        doing: Clean::line(progress.phase.as_str()),
        share: (progress.total.0 > 0)
            .then(|| (progress.done.share_of(progress.total).0 / 100.0).min(1.0)),
    }
}

fn failed(reference: &str, error: &BaseError) -> SupplyError {
    match error {
        BaseError::Cancelled => SupplyError::Engine(EngineError::Cancelled),
        BaseError::Engine(error) => SupplyError::Engine(error.clone()),
        error => SupplyError::Failed {
            reference: reference.to_owned(),
            why: Clean::line(&causes(error)),
            next_step: Clean::line(
                error
                    .hint()
                    .as_deref()
                    .unwrap_or("Run `loadline bases` to see what is here and what can be made."),
            ),
        },
    }
}

/// An error with its causes, as one fragment.
pub(super) fn causes(error: &dyn std::error::Error) -> String {
    let mut told = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        let said = text::cause(cause);
        // Some errors repeat their cause as their own words.
        if !told.ends_with(&said) {
            told.push_str(": ");
            told.push_str(&said);
        }
        source = cause.source();
    }
    told
}
