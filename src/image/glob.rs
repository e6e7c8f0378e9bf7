//! Patterns for paths inside an image: `var/lib/apt/lists/*`, `**/__pycache__`.
//!
//! A pattern is matched against a whole path without its leading slash. `*` and `?` stop at `/`,
//! `**` crosses it, `[…]` is one of its characters. This is not the ignore file's dialect.

use std::fmt;

use regex::Regex;

/// A compiled pattern.
#[derive(Debug, Clone)]
pub struct Glob {
    text: String,
    regex: Regex,
    literal: bool,
}

impl Glob {
    /// Reads a pattern; a leading slash is dropped.
    ///
    /// # Errors
    /// When the pattern is empty or a `[` is never closed, as a lower-case fragment.
    pub fn parse(text: &str) -> Result<Self, String> {
        let text = text.trim().trim_start_matches('/').trim_end_matches('/');
        if text.is_empty() {
            return Err(String::from("an empty pattern matches nothing"));
        }
        let source = translate(text)?;
        let regex = Regex::new(&source)
            .map_err(|error| format!("`{text}` is not a pattern for paths: {error}"))?;
        Ok(Self {
            literal: !text.contains(['*', '?', '[']),
            text: text.to_owned(),
            regex,
        })
    }

    /// Whether `path`, without a leading slash, matches.
    #[must_use]
    pub fn matches(&self, path: &str) -> bool {
        self.regex.is_match(path)
    }

    /// The one path that it matches, where it has no wildcard.
    #[must_use]
    pub fn as_path(&self) -> Option<&str> {
        self.literal.then_some(self.text.as_str())
    }
}

impl Glob {
    /// The same pattern in the folder that its own folder leads to, as `resolve` tells; `None` where
    /// that is the folder itself, or is not there.
    #[must_use]
    pub fn behind_links(&self, resolve: impl Fn(&str) -> Option<String>) -> Option<Self> {
        let plain = self.text.find(['*', '?', '[']).unwrap_or(self.text.len());
        let (folder, _) = self.text.get(..plain)?.rsplit_once('/')?;
        let rest = self.text.get(folder.len()..)?;
        let real =
            resolve(folder).filter(|real| real != folder && !real.contains(['*', '?', '[']))?;
        Self::parse(&format!("{real}{rest}")).ok()
    }
}

impl fmt::Display for Glob {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "/{}", self.text)
    }
}

/// The pattern as an anchored regular expression.
fn translate(text: &str) -> Result<String, String> {
    let mut source = String::from("(?s)^");
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        if let Some(after) = rest.strip_prefix("**/") {
            source.push_str("(?:.*/)?");
            rest = after;
            continue;
        }
        if let Some(after) = rest.strip_prefix("**") {
            source.push_str(".*");
            rest = after;
            continue;
        }
        rest = rest.get(c.len_utf8()..).unwrap_or("");
        match c {
            '*' => source.push_str("[^/]*"),
            '?' => source.push_str("[^/]"),
            '[' => {
                let (class, after) = rest
                    .split_once(']')
                    .ok_or_else(|| format!("a `[` in `{text}` is never closed"))?;
                let (sign, class) = match class.strip_prefix('!') {
                    Some(class) => ("^/", class),
                    None => ("", class),
                };
                let class = class
                    .replace('\\', r"\\")
                    .replace('[', r"\[")
                    .replace('^', r"\^");
                let class = class.replace('&', r"\&").replace('~', r"\~");
                source.push_str(&format!("[{sign}{class}]"));
                rest = after;
            }
            c => source.push_str(&regex::escape(c.encode_utf8(&mut [0; 4]))),
        }
    }
    source.push('$');
    Ok(source)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn matching<'a>(pattern: &str, paths: &[&'a str]) -> Vec<&'a str> {
        let glob = Glob::parse(pattern).unwrap();
        paths
            .iter()
            .copied()
            .filter(|path| glob.matches(path))
            .collect()
    }

    #[test]
    fn a_star_stops_at_a_slash_and_two_cross_it() {
        let paths = [
            "var/lib/apt/lists/lock",
            "var/lib/apt/lists/partial/x",
            "app/__pycache__",
            "__pycache__",
            "app/a+b.pyc",
        ];
        assert_eq!(
            matching("/var/lib/apt/lists/*", &paths),
            ["var/lib/apt/lists/lock"]
        );
        assert_eq!(
            matching("var/lib/apt/**", &paths),
            ["var/lib/apt/lists/lock", "var/lib/apt/lists/partial/x"]
        );
        assert_eq!(
            matching("**/__pycache__", &paths),
            ["app/__pycache__", "__pycache__"]
        );
        assert_eq!(matching("app/a+b.py[co]", &paths), ["app/a+b.pyc"]);
        assert_eq!(matching("app/a+b.py[!co]", &paths), Vec::<&str>::new());
        assert_eq!(matching("pycache", &paths), Vec::<&str>::new());
    }

    #[test]
    fn a_pattern_without_wildcards_is_a_path() {
        assert_eq!(
            Glob::parse("/etc/passwd").unwrap().as_path(),
            Some("etc/passwd")
        );
        assert_eq!(Glob::parse("etc/*").unwrap().as_path(), None);
        assert_eq!(Glob::parse("etc/*").unwrap().to_string(), "/etc/*");
    }

    #[test]
    fn broken_patterns_are_named() {
        assert!(Glob::parse(" / ").unwrap_err().contains("empty"));
        assert!(Glob::parse("a[b").unwrap_err().contains("never closed"));
    }

    proptest! {
        #[test]
        fn any_text_parses_or_is_refused(text in ".{0,40}") {
            let _ = Glob::parse(&text);
        }

        #[test]
        fn a_literal_matches_itself_alone(path in "[a-z.+/()-]{1,20}[a-z]") {
            let glob = Glob::parse(&path).unwrap();
            let path = path.trim_start_matches('/');
            prop_assert!(glob.matches(path));
            let longer = format!("{path}x");
            prop_assert!(!glob.matches(&longer));
        }
    }
}
