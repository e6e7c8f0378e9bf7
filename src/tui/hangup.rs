//! Whether the terminal has something to read, and whether it is still there. A signal tells the
//! latter only to the leader of the session: who was started by another program, or lost its leader,
//! has to look.

use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;

use tokio::io::Interest;
use tokio::io::unix::AsyncFd;

/// News of the terminal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum News {
    /// There is something to read.
    Keys,
    /// Its other end was closed.
    Gone,
}

/// Listens for news of the terminal on standard input, and reads nothing.
pub(super) struct Ear {
    /// `None` where the system cannot tell: the signal and failing reads are left.
    terminal: Option<AsyncFd<OwnedFd>>,
}

impl Ear {
    /// An ear in the runtime that this is called in.
    #[expect(
        deprecated,
        reason = "what replaces it is unsafe; this descriptor is our own and nobody else closes it"
    )]
    pub(super) fn new() -> Self {
        let own = rustix::io::dup(rustix::stdio::stdin()).ok();
        Self {
            terminal: own.and_then(|own| AsyncFd::with_interest(own, Interest::READABLE).ok()),
        }
    }

    /// The next news. Safe to drop while it waits.
    pub(super) async fn news(&self) -> News {
        let Some(terminal) = &self.terminal else {
            return std::future::pending().await;
        };
        let Ok(mut ready) = terminal.readable().await else {
            return std::future::pending().await;
        };
        let state = ready.ready();
        if state.is_read_closed() || state.is_error() {
            return News::Gone;
        }
        // What comes from now on is news again.
        ready.clear_ready();
        News::Keys
    }

    /// Returns when the terminal is gone. Safe to drop while it waits.
    pub(super) async fn hang_up(&self) {
        while self.news().await != News::Gone {}
    }
}

/// Whether the terminal is gone now.
pub(super) fn is_gone() -> bool {
    rustix::termios::tcgetattr(rustix::stdio::stdin()).is_err()
}

/// Puts something in the terminal's place that is silent for as long as the returned end lives: a
/// terminal that is gone ends at once, again and again, for whoever goes on reading.
///
/// # Errors
/// When the system has nothing to put there.
pub(super) fn silence() -> io::Result<UnixStream> {
    let (reads, writes) = UnixStream::pair()?;
    reads.set_nonblocking(true)?;
    rustix::stdio::dup2_stdin(&reads)?;
    Ok(writes)
}
