//! What comes from the terminal. The reader is gone before anyone else may read: one that lived on
//! would eat the keys of an editor, and what the terminal answers it.
//!
//! The library reads on a thread of its own, and nowhere else: on a terminal that is gone it reads
//! the end of the file for ever, and half a key makes it wait for the other half. That thread may be
//! lost; the one that draws may not. It is asked only when there is something to read: its own stream
//! leaves a thread behind that may read once more after the stream has ended.

#![expect(
    clippy::disallowed_methods,
    reason = "starts the thread that reads; this is the edge between the keys and the loop"
)]

use std::io;
use std::os::unix::net::UnixStream;
use std::sync::mpsc as blocking;
use std::time::Duration;

use crossterm::event;
use crossterm::event::Event;
use crossterm::event::KeyEventKind;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use crate::tui::hangup;
use crate::tui::hangup::Ear;
use crate::tui::hangup::News;
use crate::tui::msg::Msg;

/// How long the thread may take to let go; it is stuck where the terminal is gone.
const PATIENCE: Duration = Duration::from_millis(250);
/// Keys that wait while the screen is busy.
const WAITING: usize = 64;

/// The one owner of the terminal's input.
pub(super) struct Input {
    reader: Option<Reader>,
    sender: mpsc::Sender<io::Result<Event>>,
    events: mpsc::Receiver<io::Result<Event>>,
    ear: Ear,
    /// What is read once the terminal is gone.
    silence: Option<UnixStream>,
}

/// The thread that reads.
struct Reader {
    stop: CancellationToken,
    /// Closed once it reads no more.
    gone: blocking::Receiver<()>,
}

impl Input {
    /// Input that is being read.
    pub(super) fn new() -> Self {
        let (sender, events) = mpsc::channel(WAITING);
        Self {
            reader: Some(Reader::start(sender.clone())),
            sender,
            events,
            ear: Ear::new(),
            silence: None,
        }
    }

    /// Stops reading. What was read before is still told.
    pub(super) fn pause(&mut self) {
        if let Some(reader) = self.reader.take() {
            reader.stop.cancel();
            let _ = reader.gone.recv_timeout(PATIENCE);
        }
    }

    /// Reads again.
    pub(super) fn resume(&mut self) {
        self.reader
            .get_or_insert_with(|| Reader::start(self.sender.clone()));
    }

    /// The next message; `None` when the terminal is gone. Safe to drop while it waits.
    pub(super) async fn next(&mut self) -> Option<io::Result<Msg>> {
        loop {
            let event = tokio::select! {
                biased;
                () = self.ear.hang_up() => {
                    self.let_go();
                    return None;
                }
                event = self.events.recv() => match event? {
                    Ok(event) => event,
                    Err(error) => return Some(Err(error)),
                },
            };
            if let Some(msg) = message(event) {
                return Some(Ok(msg));
            }
        }
    }

    /// Returns when the terminal is gone, whoever reads it.
    pub(super) async fn hung_up(&mut self) {
        self.ear.hang_up().await;
        self.let_go();
    }

    /// Frees the thread from the end of the file: it finds nothing to read instead.
    pub(super) fn let_go(&mut self) {
        if self.silence.is_none() {
            self.silence = hangup::silence().ok();
        }
    }
}

impl Drop for Input {
    fn drop(&mut self) {
        self.pause();
    }
}

impl Reader {
    fn start(sender: mpsc::Sender<io::Result<Event>>) -> Self {
        let stop = CancellationToken::new();
        let (going, gone) = blocking::channel();
        let stopped = stop.clone();
        std::thread::spawn(move || {
            match tokio::runtime::Builder::new_current_thread()
                .enable_io()
                .build()
            {
                Ok(alone) => drop(alone.block_on(stopped.run_until_cancelled(read(&sender)))),
                Err(error) => drop(sender.blocking_send(Err(error))),
            }
            drop(going);
        });
        Self { stop, gone }
    }
}

/// Passes on what comes, until the terminal is gone.
async fn read(sender: &mpsc::Sender<io::Result<Event>>) {
    let ear = Ear::new();
    // The library may still know of keys that came before a pause.
    while take_all(sender).await {
        if ear.news().await == News::Gone {
            return;
        }
    }
}

/// Passes on all that there is to read; says whether it is worth going on.
async fn take_all(sender: &mpsc::Sender<io::Result<Event>>) -> bool {
    let mut reminded = false;
    loop {
        let event = match event::poll(Duration::ZERO) {
            Ok(true) => event::read(),
            Ok(false) if reminded || !is_waiting() => return true,
            Ok(false) => {
                remind();
                reminded = true;
                continue;
            }
            Err(error) => Err(error),
        };
        reminded = false;
        let failed = event.is_err();
        if sender.send(event).await.is_err() || failed {
            return false;
        }
    }
}

/// Whether the terminal has something to read that the library does not know of.
fn is_waiting() -> bool {
    rustix::io::ioctl_fionread(rustix::stdio::stdin()).is_ok_and(|bytes| bytes > 0)
}

/// Makes the terminal say once more that it has something to read. The library waits for that news
/// and drops it where a signal comes at the same moment: keys would wait for the next key. Setting
/// the modes to what they are wakes whoever waits.
fn remind() {
    let stdin = rustix::stdio::stdin();
    if let Ok(modes) = rustix::termios::tcgetattr(stdin) {
        let now = rustix::termios::OptionalActions::Now;
        let _ = rustix::termios::tcsetattr(stdin, now, &modes);
    }
}

fn message(event: Event) -> Option<Msg> {
    match event {
        Event::Key(key) if key.kind == KeyEventKind::Release => None,
        Event::Key(key) => Some(Msg::Key(key)),
        Event::Paste(text) => Some(Msg::Paste(text)),
        Event::FocusGained => Some(Msg::Focus(true)),
        Event::FocusLost => Some(Msg::Focus(false)),
        // The library loses a resize that comes together with a key: the loop listens itself.
        Event::Resize(..) | Event::Mouse(_) => None,
    }
}
