//! Untrusted text made safe for a terminal, once, at the door.
//!
//! Build logs, file names, labels and container output pass through [`Sanitizer`] or
//! [`Clean::line`] before any front end sees them. The type is the proof: whatever is [`Clean`]
//! holds no control character, no escape sequence and no bidirectional override.

mod charset;
mod nearest;
mod shell;

use std::fmt;
use std::fmt::Write as _;

pub use charset::is_ascii_only;
pub use nearest::nearest;
pub use shell::is_shell_builtin;
use unicode_width::UnicodeWidthChar;

/// The longest line that is kept, in bytes; what goes beyond is counted, not shown.
const LINE_CAP: usize = 4096;

/// One line of text that is safe to show on a terminal.
#[derive(
    Debug,
    Clone,
    Default,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    serde::Serialize,
    serde::Deserialize,
)]
#[serde(from = "String")]
pub struct Clean(String);

impl Clean {
    /// Cleans one piece of text; line breaks become spaces.
    #[must_use]
    pub fn line(text: &str) -> Self {
        let mut lines = Self::lines(text);
        if lines.len() == 1 {
            return lines.swap_remove(0);
        }
        let joined: Vec<String> = lines.into_iter().map(|line| line.0).collect();
        Self(joined.join(" "))
    }

    /// Cleans a path: what may not be shown is written out as [`path_text`] has it, so that it stays
    /// a path, and two paths stay two.
    #[must_use]
    pub fn path(text: &str) -> Self {
        Self::line(&shown_text(text))
    }

    /// Cleans a text of several lines.
    #[must_use]
    pub fn lines(text: &str) -> Vec<Self> {
        let mut sanitizer = Sanitizer::default();
        let mut lines = Vec::new();
        sanitizer.feed(text.as_bytes(), |line| lines.push(line));
        sanitizer.finish(|line| lines.push(line));
        if lines.is_empty() {
            lines.push(Self::default());
        }
        lines
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Clean {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

/// Whatever comes back from a file is cleaned again: a stored report is not trusted either.
impl From<String> for Clean {
    fn from(text: String) -> Self {
        Self::line(&text)
    }
}

impl From<&str> for Clean {
    fn from(text: &str) -> Self {
        Self::line(text)
    }
}

/// Where the sanitiser stands inside an escape sequence.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
enum State {
    #[default]
    Text,
    /// After ESC.
    Escape,
    /// Inside `CSI …`.
    Control,
    /// Inside OSC, DCS, APC, PM or SOS, which carry text up to a terminator.
    Payload,
    /// After ESC inside a payload.
    PayloadEscape,
    /// After `ESC` and an intermediate byte, as in a character-set choice.
    Intermediate,
}

/// Turns bytes in any chunking into clean lines.
///
/// It strips escape sequences, applies carriage returns and backspaces as a terminal would, shows
/// bidirectional overrides as U+FFFD, keeps two combining marks per character and cuts lines at
/// 4096 bytes. An unterminated sequence ends with its line.
#[derive(Debug, Default)]
pub struct Sanitizer {
    state: State,
    line: String,
    cut: usize,
    marks: u8,
    pending: Vec<u8>,
    carriage_return: bool,
}

impl Sanitizer {
    /// Reads the next bytes and hands each finished line to `emit`.
    pub fn feed(&mut self, bytes: &[u8], mut emit: impl FnMut(Clean)) {
        let joined;
        let bytes = if self.pending.is_empty() {
            bytes
        } else {
            let mut whole = std::mem::take(&mut self.pending);
            whole.extend_from_slice(bytes);
            joined = whole;
            &joined
        };
        let mut chunks = bytes.utf8_chunks().peekable();
        while let Some(chunk) = chunks.next() {
            for c in chunk.valid().chars() {
                self.char(c, &mut emit);
            }
            let invalid = chunk.invalid();
            if invalid.is_empty() {
                continue;
            }
            // A character cut in two by the chunk's end is completed by the next chunk.
            if chunks.peek().is_none() && starts_a_character(invalid) {
                self.pending = invalid.to_vec();
            } else {
                self.char('\u{fffd}', &mut emit);
            }
        }
    }

    /// Hands over the last line where it did not end with a line break.
    pub fn finish(&mut self, mut emit: impl FnMut(Clean)) {
        if !std::mem::take(&mut self.pending).is_empty() {
            self.char('\u{fffd}', &mut emit);
        }
        if !self.line.is_empty() || self.cut > 0 {
            self.end_line(&mut emit);
        }
        *self = Self::default();
    }

    fn char(&mut self, c: char, emit: &mut impl FnMut(Clean)) {
        if c == '\n' {
            self.state = State::Text;
            self.end_line(emit);
            return;
        }
        match self.state {
            State::Text => self.text_char(c),
            State::Escape => {
                self.state = match c {
                    '[' => State::Control,
                    ']' | 'P' | 'X' | '^' | '_' => State::Payload,
                    ' '..='/' => State::Intermediate,
                    '\x1b' => State::Escape,
                    _ => State::Text,
                };
            }
            State::Control => {
                if ('\x40'..='\x7e').contains(&c) {
                    self.state = State::Text;
                } else if c == '\x1b' {
                    self.state = State::Escape;
                }
            }
            State::Payload => match c {
                '\x07' | '\u{9c}' => self.state = State::Text,
                '\x1b' => self.state = State::PayloadEscape,
                _ => {}
            },
            State::PayloadEscape => {
                self.state = if c == '\\' {
                    State::Text
                } else {
                    State::Payload
                };
            }
            State::Intermediate => {
                if !(' '..='/').contains(&c) {
                    self.state = State::Text;
                }
            }
        }
    }

    fn text_char(&mut self, c: char) {
        match c {
            '\x1b' => self.state = State::Escape,
            '\u{9b}' => self.state = State::Control,
            '\u{90}' | '\u{98}' | '\u{9d}' | '\u{9e}' | '\u{9f}' => self.state = State::Payload,
            '\r' => self.carriage_return = true,
            '\x08' => {
                self.line.pop();
            }
            '\t' => {
                let spaces = 8 - self.line.chars().count() % 8;
                for _ in 0..spaces {
                    self.push(' ');
                }
            }
            c if turns_text(c) => self.push('\u{fffd}'),
            c if c.is_control() => {}
            c if c.width() == Some(0) => {
                if self.marks < 2 {
                    self.marks += 1;
                    self.push(c);
                }
            }
            c => {
                self.marks = 0;
                self.push(c);
            }
        }
    }

    fn push(&mut self, c: char) {
        // A carriage return overwrites the line once something follows it (progress bars).
        if std::mem::take(&mut self.carriage_return) {
            self.line.clear();
            self.cut = 0;
        }
        if self.line.len() + c.len_utf8() <= LINE_CAP {
            self.line.push(c);
        } else {
            self.cut += 1;
        }
    }

    fn end_line(&mut self, emit: &mut impl FnMut(Clean)) {
        if self.cut > 0 {
            let _ = write!(self.line, " …(+{})", self.cut);
        }
        self.cut = 0;
        self.marks = 0;
        self.carriage_return = false;
        emit(Clean(std::mem::take(&mut self.line)));
    }
}

/// Whether a character changes the direction or the lines of the text around it, or is not seen.
const fn turns_text(c: char) -> bool {
    matches!(
        c,
        '\u{061c}'
            | '\u{200e}'
            | '\u{200f}'
            | '\u{2028}'..='\u{202e}'
            | '\u{2066}'..='\u{2069}'
            | '\u{feff}'
    )
}

/// A path as text. Paths are bytes to a system: those that are no text or may not be shown are
/// written as `\xFF`, and so is the backslash of a name that has such letters itself, so that two
/// paths stay two.
#[must_use]
pub fn path_text(bytes: &[u8]) -> String {
    written_out(bytes, looks_written)
}

/// A text in which what may not be shown is written out as [`path_text`] has it; once is enough.
#[must_use]
pub fn shown_text(text: &str) -> String {
    written_out(text.as_bytes(), |_| false)
}

/// Writes out what may not be shown, and each character from which on the text is `doubtful`.
fn written_out(bytes: &[u8], doubtful: fn(&str) -> bool) -> String {
    let mut text = String::with_capacity(bytes.len());
    let write = |text: &mut String, bytes: &[u8]| {
        for byte in bytes {
            let _ = write!(text, "\\x{byte:02X}");
        }
    };
    for chunk in bytes.utf8_chunks() {
        let valid = chunk.valid();
        for (at, c) in valid.char_indices() {
            let rest = valid.get(at..).unwrap_or_default();
            if c.is_control() || turns_text(c) || doubtful(rest) {
                write(&mut text, c.encode_utf8(&mut [0; 4]).as_bytes());
            } else {
                text.push(c);
            }
        }
        write(&mut text, chunk.invalid());
    }
    text
}

/// Whether a text begins with what may be a byte that was written out.
fn looks_written(text: &str) -> bool {
    let digits = text.strip_prefix("\\x").and_then(|rest| rest.get(..2));
    let upper = |digits: &&str| {
        !digits
            .bytes()
            .any(|byte| matches!(byte, b'+' | b'a'..=b'f'))
    };
    let byte = digits
        .filter(upper)
        .and_then(|digits| u8::from_str_radix(digits, 16).ok());
    byte.is_some_and(|byte| byte == b'\\' || !matches!(byte, b' '..=b'~'))
}

/// Whether `bytes` may be the first bytes of a longer character.
fn starts_a_character(bytes: &[u8]) -> bool {
    let wanted = match bytes.first() {
        Some(0xc2..=0xdf) => 2,
        Some(0xe0..=0xef) => 3,
        Some(0xf0..=0xf4) => 4,
        _ => return false,
    };
    bytes.len() < wanted
}

/// A fragment as a sentence: with a capital, and closed.
#[must_use]
pub fn sentence(fragment: &str) -> String {
    let mut chars = fragment.chars();
    let first: String = chars
        .next()
        .map(|c| c.to_uppercase().collect())
        .unwrap_or_default();
    let end = if fragment.ends_with(['.', '?', '!']) {
        ""
    } else {
        "."
    };
    format!("{first}{}{end}", chars.as_str())
}

/// A text of at most so many characters: of a longer one the beginning, and `…`.
#[must_use]
pub fn shorten(text: &str, most: usize) -> String {
    if text.chars().count() <= most {
        return text.to_owned();
    }
    let cut = text.chars().take(most.saturating_sub(1));
    cut.chain(['…']).collect()
}

/// A text that may quote the operating system, without the number of what it says.
#[must_use]
pub fn unnumbered(text: &str) -> &str {
    text.split(" (os error").next().unwrap_or(text)
}

/// An error of any kind in words, as a fragment.
#[must_use]
pub fn cause(error: &(dyn std::error::Error + 'static)) -> String {
    match error.downcast_ref() {
        Some(error) => io_cause(error),
        None => Clean::line(&error.to_string()).to_string(),
    }
}

/// The cause in words, without the operating system's number.
#[must_use]
pub fn io_cause(error: &std::io::Error) -> String {
    let text = error.to_string();
    let words = unnumbered(&text);
    // Its names, such as `FIFO` or `1 MB`, stay as they are.
    let mut letters = words.chars();
    let first = letters.next().map(|first| first.to_ascii_lowercase());
    let words: String = first.into_iter().chain(letters).collect();
    Clean::line(&words).to_string()
}

/// `1 goal`, `2 goals`: a count with its noun.
#[must_use]
pub fn plural(count: usize, noun: &str) -> String {
    if count == 1 {
        return format!("1 {noun}");
    }
    match noun.strip_suffix('y') {
        Some(stem) if !stem.ends_with(['a', 'e', 'o', 'u']) => format!("{count} {stem}ies"),
        _ => format!("{count} {noun}s"),
    }
}

/// Bytes as lower-case hexadecimal digits.
#[must_use]
pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn each_byte_is_two_digits() {
        assert_eq!(hex(&[0, 0x0a, 0xff]), "000aff");
    }

    fn clean(chunks: &[&[u8]]) -> Vec<String> {
        let mut sanitizer = Sanitizer::default();
        let mut lines = Vec::new();
        for chunk in chunks {
            sanitizer.feed(chunk, |line| lines.push(line.0));
        }
        sanitizer.finish(|line| lines.push(line.0));
        lines
    }

    #[test]
    fn a_long_text_is_cut_between_characters() {
        assert_eq!(shorten("düne", 4), "düne");
        assert_eq!(shorten("dünen", 4), "dün…");
    }

    #[test]
    fn causes_are_words_and_no_numbers() {
        let gone = std::io::Error::from_raw_os_error(2);
        assert_eq!(cause(&gone), "no such file or directory");
        // As the library of temporary files puts it.
        let quoting = std::io::Error::other(format!("{gone} at path `/x`"));
        assert_eq!(cause(&quoting), "no such file or directory");
        assert_eq!(cause(&fmt::Error), fmt::Error.to_string());
    }

    #[test]
    fn escape_sequences_never_reach_the_screen() {
        let lines = clean(&[
            b"ok \x1b[31mred\x1b[0m \x1b]52;c;ZXZpbA==\x07x\n",
            b"\x1b]0;ti",
            b"tle\x1b\\after\n",
            b"a\rb\rc\n",
            "\u{202e}evil\n".as_bytes(),
            b"\x1bPq...\x1b\\z\n",
            "\u{9b}2Jq\n".as_bytes(),
            b"x\x08y\n",
            b"\x1b]8;;http://e\x07l\x1b]8;;\x07\n",
            b"\x1b]unterminated\nnext\n",
            b"\x1b(Bplain\n",
        ]);
        assert_eq!(
            lines,
            [
                "ok red x",
                "after",
                "c",
                "\u{fffd}evil",
                "z",
                "q",
                "y",
                "l",
                "",
                "next",
                "plain"
            ]
        );
    }

    #[test]
    fn a_character_cut_by_a_chunk_is_whole_again() {
        assert_eq!(clean(&[b"caf\xc3", b"\xa9\n"]), ["café"]);
        assert_eq!(clean(&[b"bad\xff!\n"]), ["bad\u{fffd}!"]);
        assert_eq!(clean(&[b"end\xe2\x82"]), ["end\u{fffd}"]);
    }

    #[test]
    fn a_path_shows_what_would_not_be_seen() {
        for (path, shown) in [
            ("a\u{1b}[31mred", "a\\x1B[31mred"),
            ("one\r\n\ttwo", "one\\x0D\\x0A\\x09two"),
            ("\u{202e}evil\u{9b}", "\\xE2\\x80\\xAEevil\\xC2\\x9B"),
            ("caf\u{e9} \u{65e5}", "caf\u{e9} \u{65e5}"),
        ] {
            assert_eq!(Clean::path(path).as_str(), shown);
            assert_eq!(Clean::path(shown).as_str(), shown, "once is enough");
            assert_eq!(Clean::line(shown).as_str(), shown, "and stays");
        }
        assert_eq!(path_text(b"caf\xe9"), "caf\\xE9");
        // Names of systemd's units are what they are.
        assert_eq!(path_text(b"a\\x2db\\x20c"), "a\\x2db\\x20c");
        assert_eq!(path_text(b"a\\x0Ab"), "a\\x5Cx0Ab");
    }

    #[test]
    fn a_windows_line_end_is_a_line_end() {
        assert_eq!(clean(&[b"one\r\ntwo\r\n"]), ["one", "two"]);
    }

    #[test]
    fn a_long_line_is_cut_and_counted() {
        let long = "x".repeat(5000);
        let line = Clean::line(&long);
        assert!(
            line.as_str().ends_with(" …(+904)"),
            "{}",
            line.as_str().len()
        );
    }

    #[test]
    fn counts_agree_with_their_nouns() {
        assert_eq!(plural(1, "goal"), "1 goal");
        assert_eq!(plural(2, "goal"), "2 goals");
        assert_eq!(plural(0, "layer"), "0 layers");
        assert_eq!(plural(2, "entry"), "2 entries");
        assert_eq!(plural(2, "day"), "2 days");
    }

    /// The bytes that a path was made of.
    fn bytes_of(text: &str) -> Vec<u8> {
        let mut bytes = Vec::new();
        let mut rest = text;
        while let Some(c) = rest.chars().next() {
            let is_written = looks_written(rest);
            let (read, left) = rest.split_at(if is_written { 4 } else { c.len_utf8() });
            if is_written {
                let digits = read.trim_start_matches("\\x");
                bytes.push(u8::from_str_radix(digits, 16).unwrap());
            } else {
                bytes.extend(read.as_bytes());
            }
            rest = left;
        }
        bytes
    }

    proptest! {
        #[test]
        fn two_paths_stay_two(
            path in proptest::collection::vec(
                proptest::sample::select(&b"\\\\\\xx05CAEFf\n\x1b\xc3\xa9\xff/"[..]), 0..12)
        ) {
            prop_assert_eq!(bytes_of(&path_text(&path)), path);
        }

        #[test]
        fn no_input_leaves_a_control_character(bytes in proptest::collection::vec(any::<u8>(), 0..400), at in 0usize..400) {
            let at = at.min(bytes.len());
            let (a, b) = bytes.split_at(at);
            for line in clean(&[a, b]) {
                prop_assert!(!line.chars().any(char::is_control), "{line:?}");
                let has_override = line.contains(['\u{202a}', '\u{202e}', '\u{2066}', '\u{2069}']);
                prop_assert!(!has_override);
            }
        }
    }
}
