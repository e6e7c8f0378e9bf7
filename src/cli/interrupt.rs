//! Ctrl-C and its like: the first asks for an orderly end, the second does not wait for it.
#![expect(
    clippy::disallowed_methods,
    reason = "the task that listens to signals lives as long as the verb"
)]

use tokio::signal::unix::Signal;
use tokio::signal::unix::SignalKind;
use tokio::signal::unix::signal;
use tokio_util::sync::CancellationToken;

use crate::cli::output::Output;

/// Two tokens that signals cancel.
#[derive(Debug, Clone, Default)]
pub(crate) struct Interrupt {
    /// Asked to end: stop the work, clean up, then go.
    pub(crate) asked: CancellationToken,
    /// Asked twice: go.
    pub(crate) forced: CancellationToken,
}

impl Interrupt {
    /// Listens to SIGINT, SIGTERM and SIGHUP from now on. It must be called on a tokio runtime.
    ///
    /// # Errors
    /// When the system does not let a handler be installed.
    pub(crate) fn listen(output: Output) -> std::io::Result<Self> {
        let this = Self::default();
        let signals = [
            signal(SignalKind::interrupt())?,
            signal(SignalKind::terminate())?,
            signal(SignalKind::hangup())?,
        ];
        let heard = this.clone();
        tokio::spawn(async move {
            let [mut interrupt, mut terminate, mut hangup] = signals;
            loop {
                next(&mut interrupt, &mut terminate, &mut hangup).await;
                if heard.asked.is_cancelled() {
                    heard.forced.cancel();
                    return;
                }
                output.tell("\nstopping; once more to leave at once\n");
                heard.asked.cancel();
            }
        });
        Ok(this)
    }
}

/// Waits for any of the signals.
async fn next(interrupt: &mut Signal, terminate: &mut Signal, hangup: &mut Signal) {
    tokio::select! {
        _ = interrupt.recv() => {}
        _ = terminate.recv() => {}
        _ = hangup.recv() => {}
    }
}
