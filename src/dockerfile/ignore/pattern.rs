//! One pattern of an ignore file.

use regex::Regex;
use regex::RegexBuilder;

use super::go_regex;

/// The memory that a pattern may take for each of its bytes (a star takes half of it), and on top of
/// that: five thousand that each repeat something a thousand times would need gigabytes.
const FOR_A_BYTE: usize = 2 * 1024;
const ON_TOP: usize = 128 * 1024;

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
        Translation::of(text).finish(text)
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

/// A pattern as the regular expression in the making that builders read with Go's library. They
/// escape what has no meaning in a pattern, but for `{`, `|` and `}`, and leave brackets and what is
/// behind a backslash as they are, except that stars and question marks are replaced in brackets, too.
struct Translation {
    regex: String,
    kind: Kind,
}

impl Translation {
    fn of(text: &str) -> Self {
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
                '*' => this.push("[^/]*"),
                '?' => this.push("[^/]"),
                '.' | '+' | '(' | ')' | '$' => this.regex.extend(['\\', c]),
                '\\' => {
                    this.push("\\");
                    this.regex.extend(chars.next());
                }
                '[' => this.push("["),
                ']' => this.push("]"),
                _ => this.regex.push(c),
            }
            index += 1;
        }
        this
    }

    /// `**`, with the slash after it taken in.
    fn stars(&mut self, at_end: bool, at_start: bool) {
        if !at_end {
            // Any number of folders, also none.
            self.push("(.*/)?");
        } else if self.kind == Kind::Exact {
            self.kind = Kind::Prefix;
        } else {
            self.push(".*");
        }
        if at_start {
            self.kind = Kind::Suffix;
        }
    }

    fn push(&mut self, regex: &str) {
        self.regex.push_str(regex);
        self.kind = Kind::Regex;
    }

    fn finish(self, text: &str) -> Option<Pattern> {
        Some(match self.kind {
            Kind::Exact => Pattern::Exact(text.to_owned()),
            Kind::Prefix => {
                let stars = text.strip_suffix('/').unwrap_or(text);
                Pattern::Prefix(stars.strip_suffix("**")?.to_owned())
            }
            Kind::Suffix => Pattern::Suffix(text.strip_prefix("**")?.to_owned()),
            Kind::Regex => {
                let regex = go_regex::in_rust(&(self.regex + "$"))?;
                let mut builder = RegexBuilder::new(&regex);
                builder.size_limit(ON_TOP + FOR_A_BYTE * text.len());
                Pattern::Regex(Box::new(builder.build().ok()?))
            }
        })
    }
}

/// Whether brackets are closed and hold something, and nothing ends in a backslash.
pub(super) fn is_well_formed(text: &str) -> bool {
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
