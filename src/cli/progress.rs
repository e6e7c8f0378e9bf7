//! Progress on standard error: one line per finished step, and on a terminal one line more that is
//! written over, ten times a second at most.
#![expect(
    clippy::disallowed_methods,
    reason = "reads the clock to keep the line from flickering"
)]

use std::time::Duration;
use std::time::Instant;

use unicode_width::UnicodeWidthChar as _;

use crate::cli::output;
use crate::cli::output::Output;

/// The shortest time between two updates of the line that is written over.
const BETWEEN: Duration = Duration::from_millis(100);

/// Writes progress.
#[derive(Debug)]
pub(crate) struct Live {
    output: Output,
    live: bool,
    began: Instant,
    drawn: Option<Instant>,
    shown: bool,
}

impl Live {
    /// Progress of a piece of work that begins now.
    pub(crate) fn new(output: Output) -> Self {
        Self {
            output,
            live: output.live(),
            began: Instant::now(),
            drawn: None,
            shown: false,
        }
    }

    /// Says that something is finished: this line stays.
    pub(crate) fn finished(&mut self, line: &str) {
        let clear = self.clearing();
        self.output.tell(&format!("{clear}{line}\n"));
    }

    /// Says what goes on now, where one line can be written over.
    pub(crate) fn now(&mut self, text: &str) {
        if !self.live || self.drawn.is_some_and(|drawn| drawn.elapsed() < BETWEEN) {
            return;
        }
        self.drawn = Some(Instant::now());
        let line = fitted(text, output::width().saturating_sub(1));
        let clear = self.clearing();
        self.output.tell(&format!("{clear}{line}"));
        self.shown = true;
    }

    /// Takes the line away.
    pub(crate) fn clear(&mut self) {
        let clear = self.clearing();
        if !clear.is_empty() {
            self.output.tell(clear);
        }
    }

    /// How long the work takes so far.
    pub(crate) fn elapsed(&self) -> Duration {
        self.began.elapsed()
    }

    fn clearing(&mut self) -> &'static str {
        if std::mem::take(&mut self.shown) {
            "\r\x1b[K"
        } else {
            ""
        }
    }
}

/// As much of `text` as fits into `columns`.
fn fitted(text: &str, columns: usize) -> String {
    let mut used = 0;
    text.chars()
        .take_while(|c| {
            used += c.width().unwrap_or(0);
            used <= columns
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_never_wraps() {
        assert_eq!(fitted("abcdef", 3), "abc");
        assert_eq!(fitted("日本語", 5), "日本");
        assert_eq!(fitted("ab", 5), "ab");
    }
}
