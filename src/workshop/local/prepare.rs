//! Base images: made ready in the background, and told of one by one.

use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use super::Found;
use super::Local;
use crate::bases;
use crate::course::directive;
use crate::course::directive::Directive;
use crate::engine::Engine;
use crate::engine::docker::Docker;
use crate::text::Clean;
use crate::units::Bytes;
use crate::workshop::BaseEvent;
use crate::workshop::BaseState;
use crate::workshop::supply::causes;

/// Makes the base images of the course ready, those in `first` before the others.
pub(super) async fn prepare_all(
    local: &Local,
    first: Vec<String>,
    events: mpsc::Sender<BaseEvent>,
    cancel: CancellationToken,
) {
    let Ok(found) = local.engine().await else {
        return;
    };
    let mut wanted = first;
    let all: Vec<String> = local
        .course
        .exercises
        .iter()
        .flat_map(|exercise| exercise.bases.iter().cloned())
        .collect();
    for reference in found.bases.in_order(&all) {
        if !wanted.contains(&reference) {
            wanted.push(reference);
        }
    }
    weigh_named(local, &found, &wanted, &events).await;
    for reference in &wanted {
        let _ = events.send(told(reference, BaseState::Waiting)).await;
    }
    for reference in wanted {
        if cancel.is_cancelled() {
            return;
        }
        prepare(&found, reference, &events, &cancel).await;
    }
}

/// Tells what the images weigh that only a lesson names, where they are here.
async fn weigh_named(
    local: &Local,
    found: &Found,
    wanted: &[String],
    events: &mpsc::Sender<BaseEvent>,
) {
    let named: Vec<String> = local
        .course
        .lessons
        .iter()
        .flat_map(|lesson| directive::all(&lesson.markdown))
        .filter_map(|figure| match figure {
            Ok((Directive::Size { reference }, _)) => Some(reference),
            Ok(_) | Err(_) => None,
        })
        .filter(|reference| !wanted.contains(reference))
        .collect();
    let Ok(here) = found.bases.resolve(&named).await else {
        return;
    };
    for (reference, resolution) in here {
        if let Some(local) = resolution.local() {
            let size = shipped(&found.engine, local).await;
            let _ = events
                .send(told(&reference, BaseState::Ready { size }))
                .await;
        }
    }
}

fn told(reference: &str, state: BaseState) -> BaseEvent {
    BaseEvent {
        reference: reference.to_owned(),
        state,
    }
}

/// What an image ships, where this engine's own sizes say so.
async fn shipped(engine: &Docker, image: &str) -> Option<Bytes> {
    let summary = engine.inspect(image).await.ok()??;
    Some(summary.layer_sizes?.into_iter().sum())
}

/// Makes one base ready and tells how it goes.
async fn prepare(
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
