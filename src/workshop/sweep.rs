//! Removes what earlier runs left behind on the engine, and nothing else.
#![expect(
    clippy::disallowed_methods,
    reason = "the sweep of leftovers runs beside the work"
)]

use std::sync::Arc;

use crate::engine::Engine;
use crate::engine::Whose;
use crate::engine::docker::Docker;

/// Has the engine mark what it makes as the home's with this id, without which it is nobody's, and
/// sweeps beside the work: its first line does not wait for that. It must be called on a tokio
/// runtime.
pub fn settle_in(engine: Arc<Docker>, home: Option<String>) {
    if let Some(home) = &home {
        engine.make_for(home);
    }
    tokio::spawn(sweep(engine, home));
}

/// Removes what runs that were killed left behind, for the home with this id or for nobody's; what
/// another home left is that one's to remove. Meant for a task of its own: nobody waits for it, and
/// what it cannot remove the next start tries again.
pub async fn sweep(engine: Arc<dyn Engine>, home: Option<String>) {
    let Ok(leftovers) = engine.leftovers().await else {
        return;
    };
    for leftover in leftovers {
        if leftover.whose(home.as_deref()) == Whose::Others {
            continue;
        }
        if let Err(error) = engine.remove_leftover(&leftover).await {
            tracing::debug!("`{}` was not removed: {error}", leftover.name);
        }
    }
}
