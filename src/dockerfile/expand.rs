//! Variables in arguments, expanded as builders do: `$X`, `${X:-default}`, `${X%suffix}` and the
//! other forms, quotes and escapes taken away.

mod pattern;

use thiserror::Error;

/// The longest text that an expansion may have, in bytes: variables that double one another grow
/// without bounds.
const LONGEST: usize = 64 * 1024;

/// How deep `${A:-${B:-…}}` may be nested.
const DEEPEST: usize = 32;

/// Why a word cannot be expanded.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum ExpandError {
    /// A quote is never closed.
    #[error("a quote `{0}` is not closed")]
    Quote(char),
    /// A `${` is never closed.
    #[error("`${{` is not closed by `}}`")]
    Brace,
    /// A form of `${…}` that builders do not know.
    #[error("`${{…}}` is not written as builders read it")]
    Form,
    /// A pattern of `${X#…}` that builders do not know.
    #[error("`{0}` is not a pattern")]
    Pattern(String),
    /// `${X:?message}` of a variable that is not set.
    #[error("`{name}` has no value: {message}")]
    Required {
        /// The variable.
        name: String,
        /// What its author says.
        message: String,
    },
    /// The text would grow beyond all bounds.
    #[error("the variables expand to more than 64 kB")]
    TooLong,
}

/// An expanded word.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Expanded {
    /// The text.
    pub text: String,
    /// Variables that it names and that have no value, in order.
    pub unset: Vec<String>,
}

/// Knows the values of variables.
type Lookup<'a> = &'a dyn Fn(&str) -> Option<String>;

/// Expands the variables of `word` with the values that `lookup` knows.
///
/// # Errors
/// When a quote or a brace is not closed, a form is unknown, or a required variable has no value.
pub fn expand(word: &str, escape: char, lookup: Lookup<'_>) -> Result<Expanded, ExpandError> {
    let mut reader = Reader {
        rest: word,
        escape,
        lookup: Some(lookup),
        unset: Vec::new(),
        produced: 0,
    };
    let text = reader.text(None, false, 0)?;
    Ok(Expanded {
        text,
        unset: reader.unset,
    })
}

/// Takes quotes and escapes away and leaves variables as they are.
///
/// # Errors
/// When a quote is not closed.
pub(super) fn unquote(word: &str, escape: char) -> Result<String, ExpandError> {
    let mut reader = Reader {
        rest: word,
        escape,
        lookup: None,
        unset: Vec::new(),
        produced: 0,
    };
    reader.text(None, false, 0)
}

struct Reader<'a> {
    rest: &'a str,
    escape: char,
    /// `None` leaves variables as they are written.
    lookup: Option<Lookup<'a>>,
    unset: Vec<String>,
    /// Bytes made so far, those of parts that were dropped included.
    produced: usize,
}

impl Reader<'_> {
    fn peek(&self) -> Option<char> {
        self.rest.chars().next()
    }

    fn next(&mut self) -> Option<char> {
        let mut chars = self.rest.chars();
        let c = chars.next();
        self.rest = chars.as_str();
        c
    }

    /// Reads up to `stop`, or to the end where it is `None`.
    fn text(
        &mut self,
        stop: Option<char>,
        keep_escapes: bool,
        depth: usize,
    ) -> Result<String, ExpandError> {
        let mut out = String::new();
        while let Some(c) = self.peek() {
            if Some(c) == stop {
                self.next();
                return Ok(out);
            }
            match c {
                '\'' => self.single_quoted(&mut out)?,
                '"' => self.double_quoted(&mut out, keep_escapes, depth)?,
                '$' if self.lookup.is_some() => {
                    let value = self.dollar(depth)?;
                    self.add(&mut out, &value)?;
                }
                _ => {
                    self.next();
                    if c != self.escape {
                        out.push(c);
                        continue;
                    }
                    if keep_escapes {
                        out.push(c);
                    }
                    // An escape character at the very end stands for nothing.
                    out.extend(self.next());
                }
            }
        }
        match stop {
            Some(_) => Err(ExpandError::Brace),
            None => Ok(out),
        }
    }

    fn add(&mut self, out: &mut String, value: &str) -> Result<(), ExpandError> {
        self.produced += value.len();
        if self.produced > LONGEST {
            return Err(ExpandError::TooLong);
        }
        out.push_str(value);
        Ok(())
    }

    fn single_quoted(&mut self, out: &mut String) -> Result<(), ExpandError> {
        self.next();
        let Some((inside, after)) = self.rest.split_once('\'') else {
            return Err(ExpandError::Quote('\''));
        };
        out.push_str(inside);
        self.rest = after;
        Ok(())
    }

    fn double_quoted(
        &mut self,
        out: &mut String,
        keep_escapes: bool,
        depth: usize,
    ) -> Result<(), ExpandError> {
        self.next();
        while let Some(c) = self.peek() {
            if c == '$' && self.lookup.is_some() {
                let value = self.dollar(depth)?;
                self.add(out, &value)?;
                continue;
            }
            self.next();
            if c == '"' {
                return Ok(());
            }
            if c != self.escape {
                out.push(c);
                continue;
            }
            if keep_escapes {
                out.push(c);
            }
            match self.peek() {
                None => {}
                Some(next) if next == '"' || next == '$' || next == self.escape => {
                    self.next();
                    out.push(next);
                }
                // Before anything else it is a plain character.
                Some(_) => out.push(c),
            }
        }
        Err(ExpandError::Quote('"'))
    }

    fn dollar(&mut self, depth: usize) -> Result<String, ExpandError> {
        self.next();
        if self.peek() != Some('{') {
            let name = self.name();
            if name.is_empty() {
                return Ok(String::from("$"));
            }
            return Ok(self.value(&name).unwrap_or_default());
        }
        if depth >= DEEPEST {
            return Err(ExpandError::Form);
        }
        self.next();
        match self.peek() {
            None => return Err(ExpandError::Brace),
            Some('{' | '}' | ':') => return Err(ExpandError::Form),
            Some(_) => {}
        }
        let name = self.name();
        match self.next() {
            Some('}') => Ok(self.value(&name).unwrap_or_default()),
            Some(':') => {
                let form = self.next().ok_or(ExpandError::Brace)?;
                self.modified(&name, form, true, depth)
            }
            Some('/') => self.replaced(&name, depth),
            Some(form) => self.modified(&name, form, false, depth),
            None => Err(ExpandError::Brace),
        }
    }

    /// `${X-word}` and the like; with a colon an empty value counts as none.
    fn modified(
        &mut self,
        name: &str,
        form: char,
        colon: bool,
        depth: usize,
    ) -> Result<String, ExpandError> {
        if !matches!(form, '-' | '+' | '?' | '#' | '%') {
            return Err(ExpandError::Form);
        }
        let word = self.text(Some('}'), matches!(form, '#' | '%'), depth + 1)?;
        let asks_only = matches!(form, '-' | '+');
        let value = if asks_only {
            self.peek_value(name)
        } else {
            self.value(name)
        };
        let usable = value.clone().filter(|value| !(colon && value.is_empty()));
        match form {
            '-' => Ok(usable.unwrap_or(word)),
            '+' => Ok(usable.map(|_| word).unwrap_or_default()),
            '?' => usable.ok_or_else(|| ExpandError::Required {
                name: name.to_owned(),
                message: if word.is_empty() {
                    String::from("it has to be given")
                } else {
                    word
                },
            }),
            _ => {
                let value = value.unwrap_or_default();
                let greedy = word.starts_with(form);
                let glob = word.strip_prefix(form).unwrap_or(&word);
                if form == '#' {
                    pattern::without_prefix(&value, glob, greedy)
                } else {
                    pattern::without_suffix(&value, glob, greedy)
                }
            }
        }
    }

    /// `${X/pattern/replacement}`, with `//` for all of them.
    fn replaced(&mut self, name: &str, depth: usize) -> Result<String, ExpandError> {
        let all = self.peek() == Some('/');
        if all {
            self.next();
        }
        let glob = self.text(Some('/'), true, depth + 1)?;
        let replacement = self.text(Some('}'), true, depth + 1)?;
        let value = self.value(name).unwrap_or_default();
        // An empty pattern fits between any two characters.
        if replacement.len().saturating_mul(value.len() + 1) > 16 * LONGEST {
            return Err(ExpandError::TooLong);
        }
        pattern::replace(&value, &glob, &replacement, all)
    }

    /// A name, the digits of a positional parameter, or one special character.
    fn name(&mut self) -> String {
        let rest = self.rest;
        let end = match self.peek() {
            Some(c) if c.is_numeric() => rest.find(|c: char| !c.is_numeric()),
            Some('@' | '*' | '#' | '?' | '-' | '$' | '!') => Some(1),
            _ => rest.find(|c: char| !(c.is_alphanumeric() || c == '_')),
        };
        let (name, after) = rest.split_at(end.unwrap_or(rest.len()));
        self.rest = after;
        name.to_owned()
    }

    fn peek_value(&self, name: &str) -> Option<String> {
        self.lookup.and_then(|lookup| lookup(name))
    }

    fn value(&mut self, name: &str) -> Option<String> {
        let value = self.peek_value(name);
        if value.is_none() && !self.unset.iter().any(|known| known == name) {
            self.unset.push(name.to_owned());
        }
        value
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn value(name: &str) -> Option<String> {
        match name {
            "A" => Some(String::from("hello")),
            "PATH" => Some(String::from("/usr/local/bin:/usr/bin")),
            "FILE" => Some(String::from("archive.tar.gz")),
            "EMPTY" => Some(String::new()),
            "SPACED" => Some(String::from("one two")),
            _ => None,
        }
    }

    fn text(word: &str) -> String {
        expand(word, '\\', &value).expect("it expands").text
    }

    #[test]
    fn plain_forms_give_the_value() {
        assert_eq!(text("$A/${A}x$A."), "hello/helloxhello.");
        assert_eq!(text("$NONE|${NONE}|$"), "||$");
        assert_eq!(text("$A_B|${A}_B"), "|hello_B");
        assert_eq!(text("$1$@"), "");
        assert_eq!(text("he\u{142}lo $A"), "he\u{142}lo hello");
    }

    #[test]
    fn quotes_and_escapes_are_taken_away() {
        assert_eq!(text(r#""$A" '$A' \$A"#), "hello $A $A");
        assert_eq!(text(r#""a\"b\\c\d""#), r#"a"b\c\d"#);
        assert_eq!(text(r"a\ b\"), "a b");
        assert_eq!(expand("`$A \\", '`', &value).expect("fine").text, "$A \\");
        assert_eq!(unquote(r#"'a b'"$A"\ "#, '\\').as_deref(), Ok("a b$A "));
    }

    #[test]
    fn defaults_and_alternatives_follow_the_shell() {
        for (word, wanted) in [
            ("${NONE:-d}", "d"),
            ("${NONE-d}", "d"),
            ("${EMPTY:-d}", "d"),
            ("${EMPTY-d}", ""),
            ("${A:-d}", "hello"),
            ("${A:+yes}", "yes"),
            ("${EMPTY:+yes}", ""),
            ("${EMPTY+yes}", "yes"),
            ("${NONE+yes}", ""),
            ("${NONE:-${NONE:-$A}}", "hello"),
            ("${NONE:-\"a } b\"}", "a } b"),
            ("${A:?no}", "hello"),
        ] {
            assert_eq!(text(word), wanted, "{word}");
        }
        assert!(matches!(
            expand("${NONE:?give it}", '\\', &value),
            Err(ExpandError::Required { message, .. }) if message == "give it"
        ));
    }

    #[test]
    fn patterns_cut_and_replace() {
        for (word, wanted) in [
            ("${FILE%.*}", "archive.tar"),
            ("${FILE%%.*}", "archive"),
            ("${FILE#*.}", "tar.gz"),
            ("${FILE##*.}", "gz"),
            ("${PATH##*/}", "bin"),
            ("${PATH%%:*}", "/usr/local/bin"),
            ("${FILE/a/A}", "Archive.tar.gz"),
            ("${FILE//a/A}", "Archive.tAr.gz"),
            ("${FILE//./\\/}", "archive\\/tar\\/gz"),
            ("${A#?}", "ello"),
            ("${A%x}", "hello"),
        ] {
            assert_eq!(text(word), wanted, "{word}");
        }
    }

    #[test]
    fn what_no_builder_reads_is_an_error() {
        for word in ["${", "${A", "${}", "${{A}}", "${:A}", "${A:-x", "${A!x}"] {
            assert!(expand(word, '\\', &value).is_err(), "{word}");
        }
        assert_eq!(expand("a 'b", '\\', &value), Err(ExpandError::Quote('\'')));
        assert_eq!(expand("a \"b", '\\', &value), Err(ExpandError::Quote('"')));
    }

    #[test]
    fn a_variable_without_a_value_is_named_unless_it_has_a_default() {
        let expanded = expand("$X${Y:-d}${X}$A", '\\', &value).expect("fine");
        assert_eq!(expanded.unset, ["X"]);
    }

    #[test]
    fn growth_and_depth_have_an_end() {
        let big = |_: &str| Some("x".repeat(1000));
        assert_eq!(
            expand(&"$A".repeat(100), '\\', &big),
            Err(ExpandError::TooLong)
        );
        let deep = "${A:-".repeat(10_000);
        assert!(expand(&deep, '\\', &value).is_err());
    }

    proptest! {
        #[test]
        fn no_word_panics(word in "[$A{}:'\"\\\\/#%?*a -]{0,24}", any in "\\PC{0,24}") {
            for word in [word, any] {
                let _ = expand(&word, '\\', &value);
                let _ = unquote(&word, '`');
            }
        }
    }
}
