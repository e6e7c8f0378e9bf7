//! One pattern of an ignore file.

use regex::Regex;

/// A pattern that paths are compared with.
#[derive(Debug, Clone)]
pub(super) enum Pattern {
    /// The path itself.
    Exact(String),
    /// All that begins with this: `dir/**`.
    Prefix(String),
    /// All that ends with this: `**/dir`.
    Suffix(String),
    /// Everything else.
    Regex(Box<Regex>),
}

impl Pattern {
    /// Reads a cleaned pattern; `None` for one that is not well formed.
    pub(super) fn compile(text: &str) -> Option<Self> {
        if !is_well_formed(text) {
            return None;
        }
        Translation::of(text)?.finish(text)
    }

    /// Whether it matches the whole of `path`.
    pub(super) fn matches(&self, path: &str) -> bool {
        match self {
            Self::Exact(text) => path == text,
            Self::Prefix(text) => path.starts_with(text.as_str()),
            Self::Suffix(text) => {
                path.ends_with(text.as_str()) || text.strip_prefix('/') == Some(path)
            }
            Self::Regex(regex) => regex.is_match(path),
        }
    }
}

/// What kind of pattern it is, as far as it has been read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Exact,
    Prefix,
    Suffix,
    Regex,
}

/// A pattern as a regular expression in the making.
struct Translation {
    regex: String,
    kind: Kind,
}

impl Translation {
    fn of(text: &str) -> Option<Self> {
        let mut this = Self {
            regex: String::from("^"),
            kind: Kind::Exact,
        };
        let mut chars = text.chars().peekable();
        let mut index = 0;
        while let Some(c) = chars.next() {
            match c {
                '*' if chars.peek() == Some(&'*') => {
                    chars.next();
                    chars.next_if_eq(&'/');
                    this.stars(chars.peek().is_none(), index == 0);
                }
                '*' => this.push("[^/]*", Kind::Regex),
                '?' => this.push("[^/]", Kind::Regex),
                '\\' => {
                    if let Some(next) = chars.next() {
                        this.escaped(next, true)?;
                    }
                    this.kind = Kind::Regex;
                }
                '[' => {
                    this.class(&mut chars)?;
                    this.kind = Kind::Regex;
                }
                ']' => this.push("\\]", Kind::Regex),
                _ => this.literal(c),
            }
            index += 1;
        }
        Some(this)
    }

    /// `**`, with the slash after it taken in.
    fn stars(&mut self, at_end: bool, at_start: bool) {
        if !at_end {
            // Any number of folders, also none.
            self.push("(?:.*/)?", Kind::Regex);
        } else if self.kind == Kind::Exact {
            self.kind = Kind::Prefix;
        } else {
            self.push(".*", Kind::Regex);
        }
        if at_start {
            self.kind = Kind::Suffix;
        }
    }

    fn push(&mut self, regex: &str, kind: Kind) {
        self.regex.push_str(regex);
        self.kind = kind;
    }

    fn literal(&mut self, c: char) {
        self.regex
            .push_str(&regex::escape(c.encode_utf8(&mut [0; 4])));
    }

    /// A character behind a backslash. Builders make a regular expression of the pattern and leave
    /// the two as they are: a letter means there what it means in one of Go's, or nothing at all. Of
    /// those, numbers and names of characters are not read here.
    fn escaped(&mut self, c: char, outside: bool) -> Option<()> {
        self.regex.push_str(match c {
            'd' => "[0-9]",
            'D' => "[^0-9]",
            's' => r"[\t\n\f\r ]",
            'S' => r"[^\t\n\f\r ]",
            'w' => "[0-9A-Za-z_]",
            'W' => "[^0-9A-Za-z_]",
            'a' => r"\a",
            'f' => r"\f",
            'n' => r"\n",
            'r' => r"\r",
            't' => r"\t",
            'v' => r"\v",
            'b' if outside => r"(?-u:\b)",
            'B' if outside => r"\B",
            'A' if outside => r"\A",
            'z' if outside => r"\z",
            _ if !c.is_ascii() || c.is_ascii_alphanumeric() => return None,
            _ if outside => {
                self.literal(c);
                return Some(());
            }
            _ => {
                self.member(c);
                return Some(());
            }
        });
        Some(())
    }

    /// `[a-z]`, of which the opening bracket is read.
    fn class(&mut self, chars: &mut std::iter::Peekable<std::str::Chars<'_>>) -> Option<()> {
        self.regex.push('[');
        if chars.next_if_eq(&'^').is_some() {
            self.regex.push('^');
        }
        while let Some(c) = chars.next() {
            match c {
                ']' => break,
                '-' => self.regex.push('-'),
                '\\' => {
                    if let Some(next) = chars.next() {
                        self.escaped(next, false)?;
                    }
                }
                _ => self.member(c),
            }
        }
        self.regex.push(']');
        Some(())
    }

    /// A character of a class; in Rust's regular expressions more of them have a meaning there.
    fn member(&mut self, c: char) {
        if c.is_ascii_punctuation() {
            self.regex.push('\\');
        }
        self.regex.push(c);
    }

    fn finish(self, text: &str) -> Option<Pattern> {
        Some(match self.kind {
            Kind::Exact => Pattern::Exact(text.to_owned()),
            Kind::Prefix => {
                let stars = text.strip_suffix('/').unwrap_or(text);
                Pattern::Prefix(stars.strip_suffix("**")?.to_owned())
            }
            Kind::Suffix => Pattern::Suffix(text.strip_prefix("**")?.to_owned()),
            Kind::Regex => Pattern::Regex(Box::new(Regex::new(&(self.regex + "$")).ok()?)),
        })
    }
}

/// Whether brackets are closed and hold something, and nothing ends in a backslash.
fn is_well_formed(text: &str) -> bool {
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '\\' if chars.next().is_none() => return false,
            '[' => {
                chars.next_if_eq(&'^');
                let mut members = 0;
                loop {
                    if members > 0 && chars.next_if_eq(&']').is_some() {
                        break;
                    }
                    let Some(low) = class_member(&mut chars) else {
                        return false;
                    };
                    if chars.next_if_eq(&'-').is_some() {
                        match class_member(&mut chars) {
                            Some(high) if low <= high => {}
                            _ => return false,
                        }
                    }
                    members += 1;
                }
            }
            _ => {}
        }
    }
    true
}

/// One character of a class; `None` where there is none, or one that has to be escaped.
fn class_member(chars: &mut std::iter::Peekable<std::str::Chars<'_>>) -> Option<char> {
    match chars.next()? {
        '-' | ']' => None,
        '\\' => chars.next(),
        c => Some(c),
    }
}

/// The shortest path that means the same: no `.`, no `..` that can be resolved, single slashes.
pub(super) fn clean(path: &str) -> String {
    let absolute = path.starts_with('/');
    let mut parts: Vec<&str> = Vec::new();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." if parts.last().is_some_and(|last| *last != "..") => {
                parts.pop();
            }
            ".." if absolute => {}
            _ => parts.push(part),
        }
    }
    let joined = parts.join("/");
    match (absolute, joined.is_empty()) {
        (true, _) => format!("/{joined}"),
        (false, true) => String::from("."),
        (false, false) => joined,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_cleaned_as_docker_cleans_them() {
        for (path, wanted) in [
            ("", "."),
            ("./a//b/", "a/b"),
            ("a/../b", "b"),
            ("../a", "../a"),
            ("/../a", "/a"),
            ("/", "/"),
            ("a/..", "."),
        ] {
            assert_eq!(clean(path), wanted, "{path}");
        }
    }
}
