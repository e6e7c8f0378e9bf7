//! Whose turn it is to make base images: one after the other, within this process and beside others.

use std::fs::File;
use std::time::Duration;

use futures_util::FutureExt as _;
use tokio::sync::MutexGuard;
use tokio_util::sync::CancellationToken;

use super::Ready;
use super::Service;
use crate::bases::error::BaseError;
use crate::bases::host;
use crate::bases::progress::Phase;
use crate::bases::progress::Reporter;

/// How often who waits looks whether somebody else made what it waits for.
const LOOK: Duration = Duration::from_secs(2);

/// What waiting came to.
pub(super) enum Turn<'s> {
    /// It is the caller's turn for as long as this is held.
    Ours(Held<'s>),
    /// Somebody else made it meanwhile.
    Found(Ready),
}

/// The turn; it ends where this is dropped, and with the process.
pub(super) struct Held<'s> {
    _here: MutexGuard<'s, ()>,
    _among_processes: File,
}

impl Service {
    /// Waits for the turn to make `reference`, or for it to be there.
    ///
    /// Who comes first within this process is first: what prepares all bases in the background takes
    /// its turn anew for each, so that a learner's build waits for one of them at most.
    ///
    /// # Errors
    /// When the lock file cannot be made, the engine does not answer or the wait is cancelled.
    pub(super) async fn turn(
        &self,
        reference: &str,
        report: &Reporter,
        cancel: &CancellationToken,
    ) -> Result<Turn<'_>, BaseError> {
        let mut held = std::pin::pin!(async {
            Ok(Held {
                _here: self.at_work.lock().await,
                _among_processes: host::lock(&self.cache, report, cancel).await?,
            })
        });
        if let Some(held) = held.as_mut().now_or_never() {
            return held.map(Turn::Ours);
        }
        loop {
            report.begin(Phase::Waiting);
            tokio::select! {
                biased;
                () = cancel.cancelled() => return Err(BaseError::Cancelled),
                held = &mut held => return held.map(Turn::Ours),
                () = tokio::time::sleep(LOOK) => {}
            }
            if let (Some(ready), false) = self.present(reference).await? {
                return Ok(Turn::Found(ready));
            }
        }
    }
}
