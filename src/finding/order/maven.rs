//! The order of Maven's versions, after the version order specification in Maven's reference for
//! the project file.
//!
//! Any text is a version there.

use std::cmp::Ordering;

/// A version as its tokens, trailing nothings left out.
#[derive(Debug, Clone)]
pub(super) struct Version(Vec<Token>);

/// A number or a qualifier, with the separator before it. A change from digits to letters counts as
/// a hyphen.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Token {
    hyphen: bool,
    value: Value,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Value {
    /// Digits without leading zeros; zero is the empty text.
    Number(String),
    /// A word in lower case.
    Qualifier(String),
}

impl Value {
    /// Whether it says nothing: `0`, and what stands for the release itself.
    fn is_null(&self) -> bool {
        match self {
            Self::Number(digits) => digits.is_empty(),
            Self::Qualifier(word) => rank(word) == RELEASE,
        }
    }
}

/// The place of the release itself among the known qualifiers.
const RELEASE: usize = 5;

/// The place of a qualifier: known ones in their order, the others behind them.
fn rank(word: &str) -> usize {
    match word {
        "alpha" => 0,
        "beta" => 1,
        "milestone" => 2,
        "rc" | "cr" => 3,
        "snapshot" => 4,
        "" | "final" | "ga" | "release" => RELEASE,
        "sp" => 6,
        _ => 7,
    }
}

impl Version {
    /// Reads a version.
    pub(super) fn read(text: &str) -> Self {
        let mut tokens = split(&text.to_lowercase());
        trim(&mut tokens);
        Self(tokens)
    }
}

/// Cuts a version into its tokens; an empty one is zero.
///
/// Maven takes `2.0.M8` as `2.0-M8`: a dot before a qualifier is a hyphen where the qualifier ends the
/// version or digits follow it at once. The specification does not say so; Maven 3.9.9 does.
fn split(text: &str) -> Vec<Token> {
    let mut tokens = Vec::new();
    let mut word = String::new();
    let mut hyphen = false;
    for c in text.chars() {
        let turns = word
            .chars()
            .next_back()
            .is_some_and(|last| last.is_ascii_digit() != c.is_ascii_digit());
        match c {
            '.' | '-' => {
                tokens.push(token(hyphen, &word, false));
                word.clear();
                hyphen = c == '-';
            }
            _ if turns => {
                let digits = c.is_ascii_digit();
                tokens.push(token(hyphen || digits, &word, digits));
                word.clear();
                word.push(c);
                hyphen = true;
            }
            _ => word.push(c),
        }
    }
    let ends = word.ends_with(|last: char| !last.is_ascii_digit());
    tokens.push(token(hyphen || ends, &word, false));
    tokens
}

/// One token. `before_digit`: whether a number follows without a separator, where `a`, `b` and `m`
/// are short for words.
fn token(hyphen: bool, word: &str, before_digit: bool) -> Token {
    let value = if word.bytes().all(|byte| byte.is_ascii_digit()) {
        Value::Number(word.trim_start_matches('0').to_owned())
    } else {
        Value::Qualifier(match (word, before_digit) {
            ("a", true) => "alpha".to_owned(),
            ("b", true) => "beta".to_owned(),
            ("m", true) => "milestone".to_owned(),
            (word, _) => word.to_owned(),
        })
    };
    Token { hyphen, value }
}

/// Leaves out the tokens that say nothing at the end, and before each hyphen from the end on.
fn trim(tokens: &mut Vec<Token>) {
    let mut end = tokens.len();
    while end > 0 {
        let mut start = end;
        while start > 1
            && tokens
                .get(start - 1)
                .is_some_and(|token| token.value.is_null())
        {
            start -= 1;
        }
        tokens.drain(start..end);
        // On to the hyphen before, from whose left the same is tried.
        end = tokens
            .get(..start)
            .unwrap_or_default()
            .iter()
            .rposition(|token| token.hyphen)
            .unwrap_or(0);
    }
}

impl Ord for Version {
    fn cmp(&self, other: &Self) -> Ordering {
        let longest = self.0.len().max(other.0.len());
        (0..longest)
            .map(|at| match (self.0.get(at), other.0.get(at)) {
                (Some(one), Some(two)) => compare(one, two),
                (Some(one), None) => with_nothing(one),
                (None, Some(two)) => with_nothing(two).reverse(),
                (None, None) => Ordering::Equal,
            })
            .find(|order| order.is_ne())
            .unwrap_or(Ordering::Equal)
    }
}

/// Two tokens: a qualifier comes before a number, and a number behind a hyphen before one behind a
/// dot.
fn compare(one: &Token, two: &Token) -> Ordering {
    match (&one.value, &two.value) {
        (Value::Qualifier(a), Value::Qualifier(b)) => qualifiers(a, b),
        (Value::Qualifier(_), Value::Number(_)) => Ordering::Less,
        (Value::Number(_), Value::Qualifier(_)) => Ordering::Greater,
        (Value::Number(a), Value::Number(b)) => two
            .hyphen
            .cmp(&one.hyphen)
            .then_with(|| a.len().cmp(&b.len()))
            .then_with(|| a.cmp(b)),
    }
}

/// A token against the padding of a shorter version: zero for a number, the release for a word.
fn with_nothing(token: &Token) -> Ordering {
    match &token.value {
        Value::Number(digits) => (!digits.is_empty()).cmp(&false),
        Value::Qualifier(word) => qualifiers(word, ""),
    }
}

fn qualifiers(one: &str, two: &str) -> Ordering {
    let ranks = (rank(one), rank(two));
    ranks.0.cmp(&ranks.1).then_with(|| {
        // Only unknown words differ by their letters; `cr` and `rc` do not.
        if ranks.0 > 6 {
            one.cmp(two)
        } else {
            Ordering::Equal
        }
    })
}

impl PartialOrd for Version {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Version {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Version {}

#[cfg(test)]
mod tests {
    use super::super::tests::equal;
    use super::super::tests::rises;
    use super::*;
    use crate::finding::Ecosystem;

    fn shown(text: &str) -> String {
        let mut shown = String::new();
        for (at, token) in Version::read(text).0.iter().enumerate() {
            if at > 0 {
                shown.push(if token.hyphen { '-' } else { '.' });
            }
            match &token.value {
                Value::Number(digits) if digits.is_empty() => shown.push('0'),
                Value::Number(text) | Value::Qualifier(text) => shown.push_str(text),
            }
        }
        shown
    }

    #[test]
    fn the_specification_s_examples_of_splitting_and_trimming() {
        assert_eq!(shown("1-1.foo-bar1baz-.1"), "1-1.foo-bar-1-baz-0.1");
        for text in ["1.0.0", "1.ga", "1.final", "1.0", "1.", "1-", "1.0.0-0.0.0"] {
            assert_eq!(shown(text), "1", "{text}");
        }
        assert_eq!(shown("1.0.0-foo.0.0"), "1-foo");
    }

    #[test]
    fn the_specification_s_examples_of_order() {
        let rises = |rising: &[&str]| rises(Ecosystem::Maven, rising);
        rises(&["1", "1.1"]);
        rises(&["1-snapshot", "1", "1-sp"]);
        rises(&["1-foo2", "1-foo10"]);
        rises(&["1.foo", "1-1", "1.1"]);
        rises(&["1-ga", "1-sp"]);
        rises(&["1-ga.1", "1-sp.1"]);
        rises(&["1-sp-1", "1-ga-1"]);
        let equal = |same: &[&str]| equal(Ecosystem::Maven, same);
        equal(&["1.foo", "1-foo"]);
        equal(&["1.ga", "1-ga", "1-0", "1.0", "1", "1.release"]);
        equal(&["1-a1", "1-alpha-1"]);
        equal(&["1-rc1", "1-cr1", "1.CR1"]);
    }

    #[test]
    fn a_dot_before_a_qualifier_is_a_hyphen() {
        for rising in [
            ["2.0.M8", "2.0-M9", "2.0.M10"],
            ["5.0.0.RC1", "5.0.0-RC2", "5.0.0"],
            ["1.0.0", "1.0.0.SP1", "1.0.0-SP2"],
        ] {
            rises(Ecosystem::Maven, &rising);
        }
    }

    #[test]
    fn known_qualifiers_come_in_their_order_and_others_after_them() {
        rises(
            Ecosystem::Maven,
            &[
                "2.0-alpha",
                "2.0-alpha-2",
                "2.0-beta1",
                "2.0-M3",
                "2.0-rc1",
                "2.0-SNAPSHOT",
                "2.0",
                "2.0-sp1",
                "2.0-jre",
                "2.0-xyz",
                "2.0-1",
                "2.0.1",
                "2.0.10",
            ],
        );
        rises(
            Ecosystem::Maven,
            &["2.15.0", "2.17.1", "20090211", "20250101000000000000000"],
        );
        rises(
            Ecosystem::Maven,
            &["31.1-android", "31.1-jre", "32.0.0-android"],
        );
    }
}
