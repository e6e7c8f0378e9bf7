//! What comes from the terminal. The reader is dropped before anyone else may read: a stream that
//! lives on would eat the keys of an editor.

use std::io;

use crossterm::event::Event;
use crossterm::event::EventStream;
use crossterm::event::KeyEventKind;
use futures_util::StreamExt;
use ratatui::layout::Size;

use crate::tui::msg::Msg;

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
    }

    /// Reads again.
    pub(super) fn resume(&mut self) {
        self.stream.get_or_insert_with(EventStream::new);
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
            if let Some(msg) = message(event) {
                return Some(Ok(msg));
            }
        }
    }
}

fn message(event: Event) -> Option<Msg> {
    match event {
        Event::Key(key) if key.kind == KeyEventKind::Release => None,
        Event::Key(key) => Some(Msg::Key(key)),
        Event::Paste(text) => Some(Msg::Paste(text)),
        Event::Resize(width, height) => Some(Msg::Resize(Size::new(width, height))),
        Event::FocusGained => Some(Msg::Focus(true)),
        Event::FocusLost => Some(Msg::Focus(false)),
        Event::Mouse(_) => None,
    }
}
