//! One word of a shell.

use super::super::ast::Span;
use super::super::lines::Places;

/// A word with its quotes taken away.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(in super::super) struct ShellWord {
    /// The text; variables and substitutions stay as they are written.
    pub(in super::super) text: String,
    /// Where it is written, quotes included.
    pub(in super::super) span: Span,
    /// Whether the shell expands something in it, patterns of file names included.
    pub(in super::super) expands: bool,
    /// Whether some of it is quoted.
    pub(in super::super) quoted: bool,
    /// Whether a quote in it has no end, which a shell refuses.
    pub(in super::super) unclosed: bool,
    /// Where each byte of the text is written.
    pub(super) places: Places,
}

impl ShellWord {
    /// A word that was written at `span` as it is.
    pub(in super::super) fn plain(text: &str, span: Span, places: Places) -> Self {
        Self {
            text: text.to_owned(),
            span,
            expands: false,
            quoted: true,
            unclosed: false,
            places,
        }
    }

    /// Whether it is an option.
    pub(in super::super) fn is_option(&self) -> bool {
        self.text.len() > 1 && self.text.starts_with('-')
    }

    /// Adds a character that is written at byte `source` of the Dockerfile.
    pub(super) fn push(&mut self, c: char, source: usize) {
        self.places.goes_on(self.text.len(), source);
        self.text.push(c);
    }
}

/// Whether a word has the form `NAME=value`.
pub(super) fn is_assignment(text: &str) -> bool {
    let Some((name, _)) = text.split_once('=') else {
        return false;
    };
    let name = name.strip_suffix('+').unwrap_or(name);
    let plain = |c: char| c.is_ascii_alphanumeric() || c == '_';
    !name.is_empty() && name.chars().all(plain) && !name.starts_with(|c: char| c.is_ascii_digit())
}
