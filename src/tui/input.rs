//! What comes from the terminal. The reader is dropped before anyone else may read: a stream that
//! lives on would eat the keys of an editor.

use std::io;
use std::time::Duration;

use crossterm::event::Event;
use crossterm::event::EventStream;
use crossterm::event::KeyEventKind;
use futures_util::StreamExt;

use crate::tui::msg::Msg;

/// How long the reader may take to let go.
const SETTLE: Duration = Duration::from_millis(15);

/// The one owner of the terminal's input.
pub(super) struct Input {
    stream: Option<EventStream>,
}

impl Input {
    /// Input that is being read.
    pub(super) fn new() -> Self {
        Self {
            stream: Some(EventStream::new()),
        }
    }

    /// Stops reading.
    pub(super) fn pause(&mut self) {
        self.stream = None;
        // The stream's thread is woken to end, and that call must not linger: where it came
        // together with the first key after a resume, the library would forget the key. Taking
        // the reader's lock once means that the thread is gone and the call was heard.
        let _ = crossterm::event::poll(SETTLE);
    }

    /// Reads again.
    pub(super) fn resume(&mut self) {
        self.stream.get_or_insert_with(EventStream::new);
        remind();
    }

    /// The next message; `None` when the terminal is gone. Safe to drop while it waits.
    pub(super) async fn next(&mut self) -> Option<io::Result<Msg>> {
        loop {
            let Some(stream) = &mut self.stream else {
                return std::future::pending().await;
            };
            let event = match stream.next().await? {
                Ok(event) => event,
                Err(error) => return Some(Err(error)),
            };
            if matches!(event, Event::Resize(..)) {
                remind();
            }
            if let Some(msg) = message(event) {
                return Some(Ok(msg));
            }
        }
    }
}

/// Makes the terminal say once more that it has something to read, if it has. The library waits for
/// that news and drops it where a signal comes at the same moment: keys would wait for the next key.
/// Setting the modes to what they are wakes whoever waits.
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
