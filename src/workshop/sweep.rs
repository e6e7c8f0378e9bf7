//! Removes what earlier runs left behind on the engine, and nothing else.
#![expect(
    clippy::disallowed_methods,
    reason = "the sweep of leftovers runs beside the work"
)]

use std::sync::Arc;
use std::sync::Mutex;
use std::sync::PoisonError;
use std::time::Duration;

use tokio::sync::Notify;
use tokio::task::JoinHandle;

use crate::engine::Engine;
use crate::engine::Whose;
use crate::engine::docker::Docker;

/// How long a sweep is put off where nobody says that the engine has time for it.
const PUT_OFF: Duration = Duration::from_secs(2);

/// How long the end of a program waits for its sweep; the next start sweeps on.
const AT_THE_END: Duration = Duration::from_secs(2);

/// A program's sweep of an engine. The engine looks through all that it has for it, and somebody
/// waits for a build then: the sweep begins behind it. Clones are one and the same.
#[derive(Debug, Clone, Default)]
pub struct Sweep {
    is_due: Arc<Notify>,
    task: Arc<Mutex<Option<JoinHandle<()>>>>,
}

impl Sweep {
    /// Has the engine mark what it makes as the home's with this id, without which it is nobody's,
    /// and sweeps it soon, beside the work. It must be called on a tokio runtime.
    pub fn settle_in(&self, engine: Arc<Docker>, home: Option<String>) {
        if let Some(home) = &home {
            engine.make_for(home);
        }
        let is_due = Arc::clone(&self.is_due);
        let task = tokio::spawn(async move {
            let _ = tokio::time::timeout(PUT_OFF, is_due.notified()).await;
            sweep(engine, home).await;
        });
        self.task().replace(task);
    }

    /// Begins: what the engine was wanted for is done.
    pub fn begin(&self) {
        self.is_due.notify_one();
    }

    /// Begins, and waits for the end for a while.
    pub async fn finish(&self) {
        self.begin();
        let task = self.task().take();
        if let Some(task) = task {
            let _ = tokio::time::timeout(AT_THE_END, task).await;
        }
    }

    fn task(&self) -> std::sync::MutexGuard<'_, Option<JoinHandle<()>>> {
        self.task.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Removes what runs that were killed left behind, for the home with this id or for nobody's; what
/// another home left is that one's to remove. What it cannot remove the next start tries again.
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
