//! Ctrl-C and its like: the first asks for an orderly end, the second does not wait for it.
#![expect(
    clippy::disallowed_methods,
    reason = "the task that listens to signals lives as long as the verb"
)]

use tokio::signal::unix::SignalKind;
use tokio::signal::unix::signal;
use tokio_util::sync::CancellationToken;

use crate::cli::CliError;
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
        let heard = this.clone();
        each(move |_| {
            if heard.asked.is_cancelled() {
                heard.forced.cancel();
            } else {
                output.tell("\nstopping; once more to leave at once\n");
                heard.asked.cancel();
            }
        })?;
        Ok(this)
    }

    /// Does work that may be dropped at any point: the first signal ends it.
    ///
    /// # Errors
    /// When there is a signal before the end.
    pub(crate) async fn ends<T>(&self, work: impl Future<Output = T>) -> Result<T, CliError> {
        let done = self.asked.run_until_cancelled(work).await;
        done.ok_or(CliError::Interrupted)
    }
}

/// What a signal asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Asks {
    /// To stop what is being done (Ctrl-C).
    Stop,
    /// To end (SIGTERM, SIGHUP).
    End,
}

/// Does `act` at each SIGINT, SIGTERM and SIGHUP from now on. It must be called on a tokio
/// runtime.
///
/// # Errors
/// When the system does not let a handler be installed.
pub(crate) fn each(mut act: impl FnMut(Asks) + Send + 'static) -> std::io::Result<()> {
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    let mut hangup = signal(SignalKind::hangup())?;
    tokio::spawn(async move {
        loop {
            let asks = tokio::select! {
                _ = interrupt.recv() => Asks::Stop,
                _ = terminate.recv() => Asks::End,
                _ = hangup.recv() => Asks::End,
            };
            act(asks);
        }
    });
    Ok(())
}
