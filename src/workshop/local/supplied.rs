//! Makes base images ready, one at a time, and tells how it goes.

use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use super::Found;
use crate::bases;
use crate::engine::Engine as _;
use crate::engine::docker::Docker;
use crate::text::Clean;
use crate::units::Bytes;
use crate::workshop::BaseEvent;
use crate::workshop::BaseState;
use crate::workshop::supply::causes;

pub(super) fn told(reference: &str, state: BaseState) -> BaseEvent {
    BaseEvent {
        reference: reference.to_owned(),
        state,
    }
}

/// What an image ships, where this engine's own sizes say so.
pub(super) async fn shipped(engine: &Docker, image: &str) -> Option<Bytes> {
    let summary = engine.inspect(image).await.ok()??;
    Some(summary.layer_sizes?.into_iter().sum())
}

/// Makes one base ready and tells how it goes.
pub(super) async fn prepare(
    found: &Found,
    reference: String,
    events: &mpsc::Sender<BaseEvent>,
    cancel: &CancellationToken,
) {
    let (sender, mut receiver) = mpsc::channel::<bases::Progress>(16);
    let ensured = found.bases.ensure(&reference, sender, cancel.clone());
    let forward = async {
        while let Some(progress) = receiver.recv().await {
            let bytes = (progress.total.0 > 0).then_some((progress.done, progress.total));
            let doing = Clean::line(progress.phase.as_str());
            let _ = events.try_send(told(
                &progress.reference,
                BaseState::Working { doing, bytes },
            ));
        }
    };
    let state = match tokio::join!(ensured, forward).0 {
        Ok(ready) => BaseState::Ready {
            size: shipped(&found.engine, &ready.local).await,
        },
        Err(bases::BaseError::Cancelled) => BaseState::Waiting,
        Err(error) => {
            let hint = error
                .hint()
                .map(|hint| format!("; {hint}"))
                .unwrap_or_default();
            BaseState::Failed(Clean::line(&format!("{}{hint}", causes(&error))))
        }
    };
    let _ = events.send(told(&reference, state)).await;
}
