//! A reader of shell text that knows enough to colour it: quotes, variables, options, operators.

use super::super::ast::Span;
use super::Role;

/// Words that steer a shell.
const RESERVED: [&str; 16] = [
    "if", "then", "elif", "else", "fi", "for", "in", "do", "done", "while", "until", "case",
    "esac", "function", "set", "exit",
];

/// Reads arguments, part by part; a quote may go on from one part to the next.
pub(super) struct Lexer {
    escape: char,
    is_shell: bool,
    quote: Option<char>,
    /// Whether the next word is a command.
    at_command: bool,
}

impl Lexer {
    pub(super) const fn new(escape: char, is_shell: bool) -> Self {
        Self {
            escape,
            is_shell,
            quote: None,
            at_command: true,
        }
    }

    /// Marks what is in `text`, which begins at byte `base` of the file.
    pub(super) fn read(&mut self, text: &str, base: usize, found: &mut Vec<(Span, Role)>) {
        let mut at = 0;
        while let Some(rest) = text.get(at..).filter(|rest| !rest.is_empty()) {
            let (length, role) = match self.quote {
                Some(quote) => self.in_quotes(rest, quote),
                None => self.outside(rest, text.get(..at).unwrap_or_default()),
            };
            let length = length.max(1).min(rest.len());
            if let Some(role) = role {
                let start = base + at;
                let end = start + length;
                match found.last_mut() {
                    // A string of several pieces is one.
                    Some((span, last))
                        if span.end == start && *last == role && role == Role::String =>
                    {
                        span.end = end;
                    }
                    _ => found.push((Span { start, end }, role)),
                }
            }
            at += length;
        }
    }

    fn in_quotes(&mut self, rest: &str, quote: char) -> (usize, Option<Role>) {
        if rest.starts_with(quote) {
            self.quote = None;
            return (1, Some(Role::String));
        }
        if quote == '"' {
            if let Some(length) = variable(rest) {
                return (length, Some(Role::Variable));
            }
            if rest.starts_with(self.escape) {
                return (escaped(rest), Some(Role::String));
            }
        }
        let special = |c: char| c == quote || (quote == '"' && (c == '$' || c == self.escape));
        let first = rest.chars().next().map_or(1, char::len_utf8);
        let after = rest.get(first..).unwrap_or_default();
        let length = first + after.find(special).unwrap_or(after.len());
        (length, Some(Role::String))
    }

    fn outside(&mut self, rest: &str, before: &str) -> (usize, Option<Role>) {
        let Some(c) = rest.chars().next() else {
            return (1, None);
        };
        if c == '"' || c == '\'' {
            self.quote = Some(c);
            self.at_command = false;
            return (1, Some(Role::String));
        }
        if let Some(length) = variable(rest) {
            self.at_command = false;
            return (length, Some(Role::Variable));
        }
        if c == self.escape {
            return (escaped(rest), None);
        }
        let at_word = before.chars().next_back().is_none_or(|c| {
            c.is_whitespace() || matches!(c, '(' | ';' | '&' | '|' | '=' | '>' | '<')
        });
        if let Some(length) = heredoc(rest).filter(|_| at_word) {
            return (length, Some(Role::Keyword));
        }
        if self.is_shell && c == '#' && at_word {
            let end = rest.find('\n').unwrap_or(rest.len());
            return (
                rest.get(..end).map_or(1, |line| line.trim_end().len()),
                Some(Role::Comment),
            );
        }
        if self.is_shell && matches!(c, '&' | '|' | ';' | '>' | '<') {
            let length = rest.len() - rest.trim_start_matches(c).len();
            self.at_command = !matches!(c, '>' | '<');
            return (length.min(2), Some(Role::Keyword));
        }
        if c.is_whitespace() || !at_word {
            if c == '\n' {
                self.at_command = true;
            }
            return (c.len_utf8(), None);
        }
        self.word(rest)
    }

    fn word(&mut self, rest: &str) -> (usize, Option<Role>) {
        let ends = |c: char| {
            c.is_whitespace()
                || matches!(
                    c,
                    ';' | '&' | '|' | '>' | '<' | ')' | '"' | '\'' | '$' | '='
                )
        };
        let length = rest.find(ends).unwrap_or(rest.len());
        let word = rest.get(..length).unwrap_or_default();
        if length == 0 {
            return (rest.chars().next().map_or(1, char::len_utf8), None);
        }
        let is_command = std::mem::replace(&mut self.at_command, false);
        if self.is_shell && RESERVED.contains(&word) && (is_command || word == "in") {
            self.at_command = !matches!(word, "in" | "for" | "case" | "set" | "exit");
            // Builtins are commands like others; they only decide what comes next.
            let role = (!matches!(word, "set" | "exit")).then_some(Role::Keyword);
            return (length, role);
        }
        if self.is_shell && word.starts_with('-') && word.len() > 1 {
            return (length, Some(Role::Flag));
        }
        let digits = word.len() - word.trim_start_matches(|c: char| c.is_ascii_digit()).len();
        let after = word.get(digits..).unwrap_or_default();
        if digits > 0 && (after.is_empty() || matches!(after, "/tcp" | "/udp" | "/sctp")) {
            self.at_command = false;
            return (digits, Some(Role::Number));
        }
        (length, None)
    }
}

/// The escape character and what it escapes.
fn escaped(rest: &str) -> usize {
    rest.chars().take(2).map(char::len_utf8).sum()
}

/// The length of the variable that `rest` begins with.
fn variable(rest: &str) -> Option<usize> {
    let after = rest.strip_prefix('$')?;
    if let Some(inside) = after.strip_prefix('{') {
        let name = |c: char| c.is_ascii_alphanumeric() || c == '_';
        if !inside.starts_with(name) {
            return None;
        }
        let end = inside.find(['}', '\n', '"'])?;
        return inside.get(end..)?.starts_with('}').then_some(end + 3);
    }
    let digits_or_special = after.starts_with(|c: char| c.is_ascii_digit() || "@*#?".contains(c));
    if digits_or_special {
        return Some(2);
    }
    let name = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let end = after.find(|c: char| !name(c)).unwrap_or(after.len());
    (end > 0).then_some(end + 1)
}

/// The length of `<<EOF` at the start of `rest`.
fn heredoc(rest: &str) -> Option<usize> {
    let end = rest.find(char::is_whitespace).unwrap_or(rest.len());
    let word = rest.get(..end)?;
    super::super::heredoc::opens(word).map(|_| end)
}
