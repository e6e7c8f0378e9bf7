//! The types of goals' fields: sizes, durations, shares, texts to match, lists.
//!
//! Each reads what an author would write and refuses the rest with the reason.

use std::fmt;
use std::marker::PhantomData;
use std::time::Duration;

use regex::Regex;
use regex::RegexBuilder;
use serde::Deserialize;
use serde::Deserializer;
use serde::de::Error as _;
use serde::de::MapAccess;
use serde::de::SeqAccess;
use serde::de::Visitor;
use serde::de::value::SeqAccessDeserializer;
use serde::de::value::StrDeserializer;

use super::Missing;
use super::Verdict;
use crate::image::glob::Glob;
use crate::image::output::Output;
use crate::units::Bytes;
use crate::units::Percent;
use crate::units::parse_duration;

/// A value that is written as one word or number.
pub(super) trait Scalar: Sized {
    /// What is expected, for the error.
    const EXPECTED: &'static str;

    /// Reads it.
    fn read(text: &str) -> Result<Self, String>;
}

/// Reads a [`Scalar`] from a text or a number; for `#[serde(deserialize_with)]`.
pub(super) fn scalar<'de, T: Scalar, D: Deserializer<'de>>(from: D) -> Result<T, D::Error> {
    from.deserialize_any(ScalarVisitor(PhantomData))
}

/// The same for an optional field.
pub(super) fn some_scalar<'de, T, D>(from: D) -> Result<Option<T>, D::Error>
where
    T: Scalar,
    D: Deserializer<'de>,
{
    scalar(from).map(Some)
}

struct ScalarVisitor<T>(PhantomData<T>);

impl<T: Scalar> Visitor<'_> for ScalarVisitor<T> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(T::EXPECTED)
    }

    fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<T, E> {
        T::read(text).map_err(E::custom)
    }

    fn visit_u64<E: serde::de::Error>(self, number: u64) -> Result<T, E> {
        self.visit_str(&number.to_string())
    }

    fn visit_i64<E: serde::de::Error>(self, number: i64) -> Result<T, E> {
        self.visit_str(&number.to_string())
    }

    fn visit_f64<E: serde::de::Error>(self, number: f64) -> Result<T, E> {
        self.visit_str(&number.to_string())
    }

    fn visit_bool<E: serde::de::Error>(self, value: bool) -> Result<T, E> {
        self.visit_str(&value.to_string())
    }
}

impl Scalar for Bytes {
    const EXPECTED: &'static str = "a size such as `100 MB`";

    fn read(text: &str) -> Result<Self, String> {
        text.parse()
            .map_err(|error: crate::units::UnitError| error.to_string())
    }
}

impl Scalar for Percent {
    const EXPECTED: &'static str = "a percentage such as `90 %`";

    fn read(text: &str) -> Result<Self, String> {
        text.parse()
            .map_err(|error: crate::units::UnitError| error.to_string())
    }
}

impl Scalar for Duration {
    const EXPECTED: &'static str = "a duration such as `10 s`";

    fn read(text: &str) -> Result<Self, String> {
        let duration = parse_duration(text).map_err(|error| error.to_string())?;
        if duration.is_zero() || duration > Self::from_secs(600) {
            return Err(format!("`{text}` is not between 1 ms and 10 min"));
        }
        Ok(duration)
    }
}

/// Permission bits, written in octal: `755`, `0o4755`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Mode(pub(super) u32);

impl Scalar for Mode {
    const EXPECTED: &'static str = "permission bits in quotes, such as `\"755\"`";

    fn read(text: &str) -> Result<Self, String> {
        u32::from_str_radix(text.trim_start_matches("0o"), 8)
            .ok()
            .filter(|mode| *mode <= 0o7777)
            .map(Self)
            .ok_or_else(|| format!("`{text}` are no permission bits; write them as `\"755\"`"))
    }
}

impl fmt::Display for Mode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:03o}", self.0)
    }
}

impl Scalar for Glob {
    const EXPECTED: &'static str = "a path or a pattern such as `/var/cache/**`";

    fn read(text: &str) -> Result<Self, String> {
        Self::parse(text)
    }
}

impl Scalar for String {
    const EXPECTED: &'static str = "a text";

    fn read(text: &str) -> Result<Self, String> {
        Ok(text.to_owned())
    }
}

/// What a text must be: a plain one must be contained; `{ equals: … }`, `{ matches: … }` (a
/// regular expression) and `{ excludes: … }` say otherwise.
#[derive(Debug, Clone)]
pub(super) enum TextMatch {
    /// Must be somewhere in it.
    Contains(String),
    /// Must be all of it, apart from white space around it.
    Equals(String),
    /// Must match somewhere.
    Matches(Regex),
    /// Must not be in it.
    Excludes(String),
}

impl TextMatch {
    /// Whether an output is as wanted; `None` where what was left out of it may decide.
    pub(super) fn holds(&self, output: &Output) -> Option<bool> {
        let beginning = output.beginning();
        if output.is_whole() {
            return Some(self.holds_for(&beginning));
        }
        let has = |part: &String| beginning.contains(part) || output.end().contains(part);
        match self {
            Self::Contains(part) => has(part).then_some(true),
            Self::Excludes(part) => has(part).then_some(false),
            Self::Matches(regex) => seen(regex, output),
            Self::Equals(whole) => {
                let begins = whole.trim_start().starts_with(beginning.trim());
                (!begins).then_some(false)
            }
        }
    }

    /// Whether a text is as wanted.
    pub(super) fn holds_for(&self, text: &str) -> bool {
        match self {
            Self::Contains(part) => text.contains(part.as_str()),
            Self::Equals(whole) => text.trim() == whole.trim(),
            Self::Matches(regex) => regex.is_match(text),
            Self::Excludes(part) => !text.contains(part.as_str()),
        }
    }

    fn of(key: &str, text: &str) -> Result<Self, String> {
        match key {
            "contains" => Ok(Self::Contains(text.to_owned())),
            "equals" => Ok(Self::Equals(text.to_owned())),
            "excludes" => Ok(Self::Excludes(text.to_owned())),
            "matches" => RegexBuilder::new(text)
                .size_limit(1 << 20)
                .multi_line(true)
                .build()
                .map(Self::Matches)
                .map_err(|error| format!("`{text}` is not a regular expression: {error}")),
            other => Err(format!(
                "unknown way to match `{other}`, expected `contains`, `equals`, `matches` or `excludes`"
            )),
        }
    }
}

/// Whether an expression matches somewhere in an output; `None` where what was left out of it may
/// decide. At the edge of what was left out, a match may be another one than it seems.
pub(super) fn seen(regex: &Regex, output: &Output) -> Option<bool> {
    let beginning = output.beginning();
    if output.is_whole() {
        return Some(regex.is_match(&beginning));
    }
    let end = output.end();
    let first = regex
        .find_iter(&beginning)
        .any(|one| one.end() < beginning.len());
    let last = || regex.find_iter(&end).any(|one| one.start() > 0);
    (first || last()).then_some(true)
}

/// What was left out of an output may decide.
pub(super) fn left_out(name: &str, output: &Output) -> Verdict {
    if output.is_broken_off() {
        return Verdict::unknown(&Missing::because(format!(
            "The engine broke the {name} off, and what is looked for may be in the rest. Check again."
        )));
    }
    let dropped = Bytes(output.dropped());
    Verdict::unknown(&Missing::because(format!(
        "The {name} is long: {dropped} of it are not kept, and what is looked for may be there."
    )))
}

/// Continues a phrase: `with "ok"`, `matching /^v\d/`.
impl fmt::Display for TextMatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Contains(text) => write!(f, "with {}", quoted(text)),
            Self::Equals(text) => write!(f, "that is {}", quoted(text)),
            Self::Matches(regex) => write!(f, "matching /{}/", regex.as_str()),
            Self::Excludes(text) => write!(f, "without {}", quoted(text)),
        }
    }
}

/// A text in quotes, unless it brings its own.
pub(super) fn quoted(text: &str) -> String {
    if text.starts_with('"') && text.ends_with('"') && text.len() > 1 {
        text.to_owned()
    } else {
        format!("\"{text}\"")
    }
}

impl<'de> Deserialize<'de> for TextMatch {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(TextVisitor)
    }
}

struct TextVisitor;

impl<'de> Visitor<'de> for TextVisitor {
    type Value = TextMatch;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a text, or one of `contains`, `equals`, `matches`, `excludes` with a text")
    }

    fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<TextMatch, E> {
        Ok(TextMatch::Contains(text.to_owned()))
    }

    fn visit_u64<E: serde::de::Error>(self, number: u64) -> Result<TextMatch, E> {
        self.visit_str(&number.to_string())
    }

    fn visit_i64<E: serde::de::Error>(self, number: i64) -> Result<TextMatch, E> {
        self.visit_str(&number.to_string())
    }

    fn visit_f64<E: serde::de::Error>(self, number: f64) -> Result<TextMatch, E> {
        self.visit_str(&number.to_string())
    }

    fn visit_bool<E: serde::de::Error>(self, value: bool) -> Result<TextMatch, E> {
        self.visit_str(&value.to_string())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<TextMatch, A::Error> {
        let one = || A::Error::custom("expected exactly one way to match");
        let (key, text) = map.next_entry::<String, String>()?.ok_or_else(one)?;
        if map.next_key::<String>()?.is_some() {
            return Err(one());
        }
        TextMatch::of(&key, &text).map_err(A::Error::custom)
    }
}

/// One value or a list of them; never empty.
#[derive(Debug, Clone)]
pub(super) struct OneOrMore<T>(pub(super) Vec<T>);

impl<'de, T: Scalar> Deserialize<'de> for OneOrMore<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ListVisitor(PhantomData))
    }
}

struct ListVisitor<T>(PhantomData<T>);

impl<'de, T: Scalar> Visitor<'de> for ListVisitor<T> {
    type Value = OneOrMore<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}, or a list of such", T::EXPECTED)
    }

    fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Self::Value, E> {
        let value = scalar(StrDeserializer::<E>::new(text))?;
        Ok(OneOrMore(vec![value]))
    }

    fn visit_u64<E: serde::de::Error>(self, number: u64) -> Result<Self::Value, E> {
        self.visit_str(&number.to_string())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, sequence: A) -> Result<Self::Value, A::Error> {
        let texts: Vec<String> = Vec::deserialize(SeqAccessDeserializer::new(sequence))?;
        OneOrMore::of(&texts).map_err(A::Error::custom)
    }
}

impl<T: Scalar> OneOrMore<T> {
    /// Reads a list.
    pub(super) fn of(texts: &[String]) -> Result<Self, String> {
        if texts.is_empty() {
            return Err(String::from("an empty list asks for nothing"));
        }
        texts
            .iter()
            .map(|text| T::read(text))
            .collect::<Result<_, _>>()
            .map(Self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(yaml: &str) -> Result<TextMatch, String> {
        serde_yaml::from_str(yaml).map_err(|error| error.to_string())
    }

    #[test]
    fn a_plain_text_must_be_contained() {
        let wanted = text("'\"ok\"'").unwrap();
        assert!(wanted.holds_for("{\n \"ok\": true}"));
        assert!(!wanted.holds_for("okay"));
        assert_eq!(wanted.to_string(), "with \"ok\"");
    }

    #[test]
    fn a_text_can_be_matched_in_four_ways() {
        assert!(text("{ equals: hi }").unwrap().holds_for("hi\n"));
        assert!(!text("{ equals: hi }").unwrap().holds_for("hi you"));
        assert!(text("{ matches: '^v\\d' }").unwrap().holds_for("say\nv1"));
        assert!(
            !text("{ excludes: Traceback }")
                .unwrap()
                .holds_for("a Traceback")
        );
        assert!(text("5").unwrap().holds_for("15"));
    }

    #[test]
    fn an_output_is_matched_as_it_came() {
        let long = format!("a\tb\r\n{}END Traceback\n", "x".repeat(5000));
        let long = Output::whole(long.as_bytes());
        for yaml in ["END", "\"a\\tb\"", "{ matches: 'b$' }"] {
            assert_eq!(text(yaml).unwrap().holds(&long), Some(true), "{yaml}");
        }
        let excludes = text("{ excludes: Traceback }").unwrap();
        assert_eq!(excludes.holds(&long), Some(false));
        let hidden = Output::whole(b"Traceback\rok\n");
        assert_eq!(excludes.holds(&hidden), Some(false));
    }

    #[test]
    fn what_was_left_out_may_decide() {
        let cut = Output::cut(b"one\ntwo".to_vec(), b"six\nten".to_vec(), 9, None);
        for (yaml, holds) in [
            ("one", Some(true)),
            ("ten", Some(true)),
            ("four", None),
            ("{ excludes: two }", Some(false)),
            ("{ excludes: four }", None),
            ("{ equals: \"one\\ntwo, six\" }", None),
            ("{ equals: one }", Some(false)),
            ("{ matches: '^one$' }", Some(true)),
            ("{ matches: '^ten$' }", Some(true)),
            // Who knows what follows.
            ("{ matches: '^two$' }", None),
            ("{ matches: '^six$' }", None),
            ("{ matches: 'four' }", None),
        ] {
            assert_eq!(text(yaml).unwrap().holds(&cut), holds, "{yaml}");
        }
    }

    #[test]
    fn a_broken_way_to_match_is_named() {
        assert!(
            text("{ match: x }")
                .unwrap_err()
                .contains("unknown way to match `match`")
        );
        assert!(
            text("{ matches: '(' }")
                .unwrap_err()
                .contains("not a regular expression")
        );
        assert!(
            text("{ equals: a, excludes: b }")
                .unwrap_err()
                .contains("exactly one")
        );
    }

    #[test]
    fn permission_bits_are_octal() {
        assert_eq!(Mode::read("755"), Ok(Mode(0o755)));
        assert_eq!(Mode::read("0o4755").unwrap().to_string(), "4755");
        assert!(Mode::read("9").is_err());
    }

    #[test]
    fn a_list_may_be_one_value_and_never_none() {
        let read = |yaml: &str| serde_yaml::from_str::<OneOrMore<String>>(yaml);
        assert_eq!(read("a").unwrap().0, ["a"]);
        assert_eq!(read("[a, b]").unwrap().0, ["a", "b"]);
        assert!(
            read("[]")
                .unwrap_err()
                .to_string()
                .contains("asks for nothing")
        );
    }
}
