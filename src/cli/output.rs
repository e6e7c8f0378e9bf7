//! Where text goes: results to standard output, the rest to standard error.
//!
//! A reader that goes away (`loadline goals | head -1`) is not an error. Colour marks labels only;
//! meaning survives without it.
#![expect(
    clippy::disallowed_methods,
    reason = "the edge to the terminal: its size, its colours and what the environment says of it"
)]

use std::io;
use std::io::IsTerminal;
use std::io::Write as _;

use serde::Serialize;

use crate::cli::error::CliError;

/// When to use colour.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum Color {
    /// On a terminal that can, unless `NO_COLOR` is set.
    #[default]
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}

/// A value as the JSON that a verb prints.
///
/// # Errors
/// When it cannot be written as JSON, which is a mistake of ours.
pub(crate) fn json(value: &impl Serialize) -> Result<String, CliError> {
    serde_json::to_string_pretty(value)
        .map(|text| text + "\n")
        .map_err(|error| CliError::Internal(error.to_string()))
}

/// Whether labels are coloured.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Paint(bool);

impl Paint {
    /// No colour.
    #[cfg(test)]
    pub(crate) const fn none() -> Self {
        Self(false)
    }

    fn wrap(self, code: &str, text: &str) -> String {
        if self.0 {
            format!("\x1b[{code}m{text}\x1b[0m")
        } else {
            text.to_owned()
        }
    }

    /// A label that says that something failed.
    pub(crate) fn bad(self, text: &str) -> String {
        self.wrap("1;31", text)
    }

    /// A label that says that something is right, or how to make it so.
    pub(crate) fn good(self, text: &str) -> String {
        self.wrap("1;32", text)
    }

    /// A label that asks for attention.
    pub(crate) fn warn(self, text: &str) -> String {
        self.wrap("1;33", text)
    }

    /// What frames other text.
    pub(crate) fn faint(self, text: &str) -> String {
        self.wrap("36", text)
    }
}

/// The two streams and how each is written to.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Output {
    color: Color,
    plain: bool,
}

impl Output {
    /// As the command line asks.
    pub(crate) const fn new(color: Color, plain: bool) -> Self {
        Self { color, plain }
    }

    /// Whether labels on standard output are coloured.
    pub(crate) fn paint(self) -> Paint {
        self.decide(io::stdout().is_terminal())
    }

    /// Whether labels on standard error are coloured.
    pub(crate) fn paint_err(self) -> Paint {
        self.decide(io::stderr().is_terminal())
    }

    fn decide(self, terminal: bool) -> Paint {
        let unwanted = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
        Paint(match self.color {
            Color::Always => true,
            Color::Never => false,
            Color::Auto => terminal && !self.plain && !unwanted && !dumb(),
        })
    }

    /// Whether one line of standard error may be written over and over.
    pub(crate) fn live(self) -> bool {
        !self.plain && !dumb() && io::stderr().is_terminal()
    }

    /// Whether someone can read questions and answer them.
    pub(crate) fn can_ask(self) -> bool {
        io::stdin().is_terminal() && io::stderr().is_terminal()
    }

    /// Whether the workshop can be opened as screens.
    pub(crate) fn has_screen(self) -> bool {
        !self.plain && !dumb() && io::stdin().is_terminal() && io::stdout().is_terminal()
    }

    /// Whether anybody can type.
    pub(crate) fn has_keyboard(self) -> bool {
        io::stdin().is_terminal()
    }

    /// Writes a result.
    ///
    /// # Errors
    /// When it cannot be written, except that nobody reads it any more.
    pub(crate) fn result(self, text: &str) -> Result<(), CliError> {
        let mut stdout = io::stdout().lock();
        match stdout
            .write_all(text.as_bytes())
            .and_then(|()| stdout.flush())
        {
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
            Err(error) => Err(CliError::Output(error)),
            Ok(()) => Ok(()),
        }
    }

    /// Tells something that is not a result. There is nowhere to report a failure to.
    pub(crate) fn tell(self, text: &str) {
        let mut stderr = io::stderr().lock();
        let _ = stderr
            .write_all(text.as_bytes())
            .and_then(|()| stderr.flush());
    }
}

/// Whether the terminal says that it can only append lines.
fn dumb() -> bool {
    std::env::var_os("TERM").is_some_and(|term| term == "dumb")
}

/// How wide lines on standard error may be.
pub(crate) fn width() -> usize {
    rustix::termios::tcgetwinsize(io::stderr())
        .map(|size| usize::from(size.ws_col))
        .ok()
        .filter(|columns| *columns >= 20)
        .unwrap_or(80)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn colour_wraps_the_label_only_where_it_is_wanted() {
        assert_eq!(Paint::none().bad("error:"), "error:");
        assert_eq!(Paint(true).bad("error:"), "\x1b[1;31merror:\x1b[0m");
        assert_eq!(Output::new(Color::Never, false).paint(), Paint::none());
        assert_eq!(Output::new(Color::Always, true).paint(), Paint(true));
    }
}
