//! Regular expressions of Go in those of Rust, as far as patterns become them.
//!
//! Outside brackets the two differ in escapes and in braces that repeat nothing; in brackets Rust
//! gives more characters a meaning. Source of all that is read here: Go's package `regexp/syntax`.

use std::fmt::Write as _;

/// The most that Go repeats something.
const REPEATS: u32 = 1000;

/// Names of `[[:name:]]`; both know them.
const NAMED: [&str; 14] = [
    "alnum", "alpha", "ascii", "blank", "cntrl", "digit", "graph", "lower", "print", "punct",
    "space", "upper", "word", "xdigit",
];

/// What a repetition would repeat.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Before {
    Nothing,
    Something,
    Repeated,
}

/// The same expression for Rust; `None` for one that Go refuses. Groups are those of a pattern's
/// stars alone.
pub(super) fn in_rust(go: &str) -> Option<String> {
    let mut rust = String::new();
    let mut before = Before::Nothing;
    let mut rest = go;
    while let Some(c) = rest.chars().next() {
        let (read, behind) = rest.split_at(c.len_utf8());
        rest = behind;
        match c {
            '\\' => rest = escape(behind, &mut rust)?,
            '[' => rest = class(behind, &mut rust)?,
            '{' => match repetition(behind) {
                Some(repeats) => {
                    if before != Before::Something || !repeats.is_allowed() {
                        return None;
                    }
                    let _ = write!(rust, "{{{}}}", repeats.written);
                    before = Before::Repeated;
                    rest = repeats.rest;
                    continue;
                }
                None => member(c, &mut rust),
            },
            '*' | '?' => {
                rust.push(c);
                before = Before::Repeated;
                continue;
            }
            '(' | '|' => {
                rust.push(c);
                before = Before::Nothing;
                continue;
            }
            ')' | '^' | '$' | '.' => rust.push(c),
            _ => rust.push_str(&regex::escape(read)),
        }
        before = Before::Something;
    }
    Some(rust)
}

/// How often something is repeated.
struct Repeats<'a> {
    written: &'a str,
    least: u32,
    most: Option<u32>,
    /// What follows the brace.
    rest: &'a str,
}

impl Repeats<'_> {
    fn is_allowed(&self) -> bool {
        let most = self.most.unwrap_or(self.least);
        self.least <= most && most <= REPEATS
    }
}

/// `2}`, `2,}` or `2,3}` behind an opening brace; `None` where that brace is one and no more.
fn repetition(text: &str) -> Option<Repeats<'_>> {
    let (written, rest) = text.split_once('}')?;
    let (least, most) = written.split_once(',').unwrap_or((written, written));
    let number = |digits: &str| {
        let is_one = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
        let is_padded = digits.len() > 1 && digits.starts_with('0');
        (is_one && !is_padded).then(|| digits.parse().unwrap_or(u32::MAX))
    };
    Some(Repeats {
        written,
        least: number(least)?,
        most: match most {
            "" => None,
            most => Some(number(most)?),
        },
        rest,
    })
}

/// What is behind a backslash outside brackets; returns what follows it.
fn escape<'a>(text: &'a str, rust: &mut String) -> Option<&'a str> {
    let mut chars = text.chars();
    rust.push_str(match chars.next()? {
        'A' => r"\A",
        'z' => r"\z",
        'b' => r"(?-u:\b)",
        'B' => r"\B",
        'Q' => {
            let rest = chars.as_str();
            let (literal, rest) = rest.split_once(r"\E").unwrap_or((rest, ""));
            rust.push_str(&regex::escape(literal));
            return Some(rest);
        }
        _ => {
            if let Some(rest) = set(text, rust)? {
                return Some(rest);
            }
            let (c, rest) = character(text)?;
            member(c, rust);
            return Some(rest);
        }
    });
    Some(chars.as_str())
}

/// What stands for many characters behind a backslash, within brackets and outside; returns what
/// follows it, or nothing where it is something else.
fn set<'a>(text: &'a str, rust: &mut String) -> Option<Option<&'a str>> {
    let mut chars = text.chars();
    let letter = chars.next()?;
    rust.push_str(match letter {
        'd' => "[0-9]",
        'D' => "[^0-9]",
        's' => r"[\t\n\f\r ]",
        'S' => r"[^\t\n\f\r ]",
        'w' => "[0-9A-Za-z_]",
        'W' => "[^0-9A-Za-z_]",
        'p' | 'P' => {
            let rest = chars.as_str();
            let (name, rest) = match rest.strip_prefix('{') {
                Some(named) => named.split_once('}')?,
                None => rest.split_at_checked(rest.chars().next()?.len_utf8())?,
            };
            let (is_not, name) = match name.strip_prefix('^') {
                Some(name) => (letter == 'p', name),
                None => (letter == 'P', name),
            };
            let letter = if is_not { 'P' } else { 'p' };
            let _ = write!(rust, "\\{letter}{{{name}}}");
            return Some(Some(rest));
        }
        _ => return Some(None),
    });
    Some(Some(chars.as_str()))
}

/// The one character that what is behind a backslash stands for, and what follows it.
fn character(text: &str) -> Option<(char, &str)> {
    let mut chars = text.chars();
    let c = match chars.next()? {
        'a' => '\x07',
        'f' => '\x0c',
        'n' => '\n',
        'r' => '\r',
        't' => '\t',
        'v' => '\x0b',
        'x' => return hexadecimal(chars.as_str()),
        '0'..='7' => return octal(text),
        c if c.is_ascii() && !c.is_ascii_alphanumeric() => c,
        _ => return None,
    };
    Some((c, chars.as_str()))
}

/// `x41` or `x{1F4A9}` without its letter.
fn hexadecimal(text: &str) -> Option<(char, &str)> {
    let (digits, rest) = match text.strip_prefix('{') {
        Some(named) => named.split_once('}')?,
        None => text.split_at_checked(2)?,
    };
    let number = digits.bytes().all(|byte| byte.is_ascii_hexdigit());
    let number = u32::from_str_radix(digits, 16).ok().filter(|_| number)?;
    Some((char::from_u32(number)?, rest))
}

/// Up to three digits; one alone that is not zero would refer to a group.
fn octal(text: &str) -> Option<(char, &str)> {
    let digits = text.bytes().take(3);
    let digits = digits.take_while(|byte| (b'0'..=b'7').contains(byte));
    let (digits, rest) = text.split_at_checked(digits.count())?;
    if digits.len() == 1 && digits != "0" {
        return None;
    }
    Some((char::from_u32(u32::from_str_radix(digits, 8).ok()?)?, rest))
}

/// `[a-z]`, of which the opening bracket is read; returns what follows it.
fn class<'a>(text: &'a str, rust: &mut String) -> Option<&'a str> {
    let (not, mut rest) = match text.strip_prefix('^') {
        Some(rest) => ("^", rest),
        None => ("", text),
    };
    let _ = write!(rust, "[{not}");
    let mut first = true;
    loop {
        if let (Some(behind), false) = (rest.strip_prefix(']'), first) {
            rust.push(']');
            return Some(behind);
        }
        first = false;
        if let Some((name, behind)) = rest
            .strip_prefix("[:")
            .and_then(|inner| inner.split_once(":]"))
        {
            let known = NAMED.contains(&name.strip_prefix('^').unwrap_or(name));
            known.then(|| write!(rust, "[:{name}:]"))?.ok()?;
            rest = behind;
            continue;
        }
        if let Some(escaped) = rest.strip_prefix('\\')
            && let Some(behind) = set(escaped, rust)?
        {
            rest = behind;
            continue;
        }
        let (low, behind) = of_class(rest)?;
        let (high, behind) = match behind.strip_prefix('-') {
            Some(range) if !range.is_empty() && !range.starts_with(']') => of_class(range)?,
            _ => (low, behind),
        };
        if low > high {
            return None;
        }
        member(low, rust);
        rust.push('-');
        member(high, rust);
        rest = behind;
    }
}

/// A character within brackets, and what follows it.
fn of_class(text: &str) -> Option<(char, &str)> {
    if let Some(escaped) = text.strip_prefix('\\') {
        return character(escaped);
    }
    let mut chars = text.chars();
    Some((chars.next()?, chars.as_str()))
}

/// Writes a character that has no meaning, wherever it stands.
fn member(c: char, rust: &mut String) {
    let _ = write!(rust, "\\x{{{:X}}}", u32::from(c));
}
