//! The order of Alpine's versions, as the package manager of Alpine has it:
//! `digits{.digits}[letter]{_suffix[number]}[~hash][-r#]`.

use std::cmp::Ordering;

/// A version as its tokens.
#[derive(Debug, Clone)]
pub(super) struct Version(Vec<Token>);

/// One part of a version, in the order in which parts may follow each other: of two versions that
/// are the same so far, the one whose next part could come later ends earlier, so it is the lower.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Token {
    /// The number before the first dot: without leading zeros.
    First(String),
    /// A number behind a dot, as it is written.
    Number(String),
    /// A letter behind the numbers.
    Letter(char),
    /// A known suffix by its place: negative before the release, positive after it.
    Suffix(i8),
    /// The number of a suffix.
    SuffixNumber(String),
    /// A commit.
    Hash(String),
    /// The revision of the package.
    Revision(String),
}

/// The suffixes in their order; nothing at all stands between `rc` and `cvs`.
const SUFFIXES: [(&str, i8); 9] = [
    ("alpha", -4),
    ("beta", -3),
    ("pre", -2),
    ("rc", -1),
    ("cvs", 1),
    ("svn", 2),
    ("git", 3),
    ("hg", 4),
    ("p", 5),
];

/// The place of what comes after every part.
const END: u8 = 8;

impl Token {
    const fn place(&self) -> u8 {
        match self {
            Self::First(_) => 0,
            Self::Number(_) => 1,
            Self::Letter(_) => 2,
            Self::Suffix(_) => 3,
            Self::SuffixNumber(_) => 4,
            Self::Hash(_) => 5,
            Self::Revision(_) => 6,
        }
    }

    fn compare(&self, other: &Self) -> Ordering {
        match (self, other) {
            (Self::First(one), Self::First(two))
            | (Self::SuffixNumber(one), Self::SuffixNumber(two))
            | (Self::Revision(one), Self::Revision(two)) => numbers(one, two),
            // With a leading zero, digits are those behind a decimal point: 1.05 < 1.5.
            (Self::Number(one), Self::Number(two))
                if one.starts_with('0') || two.starts_with('0') =>
            {
                one.cmp(two)
            }
            (Self::Number(one), Self::Number(two)) => numbers(one, two),
            (Self::Letter(one), Self::Letter(two)) => one.cmp(two),
            (Self::Suffix(one), Self::Suffix(two)) => one.cmp(two),
            (Self::Hash(one), Self::Hash(two)) => one.cmp(two),
            (one, two) => two.place().cmp(&one.place()),
        }
    }
}

/// Digits by their value.
fn numbers(one: &str, two: &str) -> Ordering {
    let (one, two) = (one.trim_start_matches('0'), two.trim_start_matches('0'));
    one.len().cmp(&two.len()).then_with(|| one.cmp(two))
}

impl Version {
    /// Reads a version; `None` where it has another form.
    pub(super) fn read(text: &str) -> Option<Self> {
        let mut rest = text;
        let mut tokens = vec![Token::First(digits(&mut rest)?)];
        while let Some(after) = rest.strip_prefix('.') {
            rest = after;
            tokens.push(Token::Number(digits(&mut rest)?));
        }
        if let Some(letter) = rest.chars().next().filter(char::is_ascii_lowercase) {
            tokens.push(Token::Letter(letter));
            rest = rest.strip_prefix(letter).unwrap_or_default();
        }
        while let Some(after) = rest.strip_prefix('_') {
            let (name, place) = SUFFIXES.iter().find(|(name, _)| after.starts_with(name))?;
            tokens.push(Token::Suffix(*place));
            rest = after.strip_prefix(name).unwrap_or_default();
            if let Some(number) = digits(&mut rest) {
                tokens.push(Token::SuffixNumber(number));
            }
        }
        if let Some(after) = rest.strip_prefix('~') {
            let end = after
                .find(|c: char| !c.is_ascii_hexdigit())
                .unwrap_or(after.len());
            let (hash, after) = after.split_at_checked(end)?;
            if hash.is_empty() {
                return None;
            }
            tokens.push(Token::Hash(hash.to_owned()));
            rest = after;
        }
        if let Some(after) = rest.strip_prefix("-r") {
            rest = after;
            tokens.push(Token::Revision(digits(&mut rest)?));
        }
        rest.is_empty().then_some(Self(tokens))
    }
}

/// Takes digits off the front; `None` where there are none.
fn digits(rest: &mut &str) -> Option<String> {
    let end = rest
        .find(|c: char| !c.is_ascii_digit())
        .unwrap_or(rest.len());
    let (digits, after) = rest.split_at_checked(end)?;
    if digits.is_empty() {
        return None;
    }
    *rest = after;
    Some(digits.to_owned())
}

impl Ord for Version {
    fn cmp(&self, other: &Self) -> Ordering {
        let mut ours = self.0.iter();
        let mut theirs = other.0.iter();
        loop {
            let order = match (ours.next(), theirs.next()) {
                (None, None) => return Ordering::Equal,
                (Some(one), Some(two)) if is_before(one) != is_before(two) => {
                    is_before(two).cmp(&is_before(one))
                }
                (Some(one), Some(two)) => one.compare(two),
                (Some(one), None) if is_before(one) => Ordering::Less,
                (None, Some(two)) if is_before(two) => Ordering::Greater,
                (Some(one), None) => END.cmp(&one.place()),
                (None, Some(two)) => two.place().cmp(&END),
            };
            if order.is_ne() {
                return order;
            }
        }
    }
}

/// Whether a part makes a version that comes before the release: `_rc1`.
const fn is_before(token: &Token) -> bool {
    matches!(token, Token::Suffix(place) if *place < 0)
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
    use super::Version;
    use crate::finding::Ecosystem;

    #[test]
    fn the_order_is_that_of_the_package_manager() {
        let rises = |rising: &[&str]| rises(Ecosystem::Alpine, rising);
        rises(&[
            "1.2.11-r3",
            "1.2.12-r0",
            "1.2.12-r1",
            "1.2.12-r10",
            "1.3-r0",
        ]);
        rises(&[
            "3.0_alpha1",
            "3.0_beta",
            "3.0_pre2",
            "3.0_rc1",
            "3.0_rc2",
            "3.0",
            "3.0_p1",
        ]);
        rises(&["2.9.14_git20220101-r0", "2.9.14_p1-r0"]);
        rises(&["1.1", "1.1-r0", "1.1-r1"]);
        rises(&[
            "1.1.1",
            "1.1.1a",
            "1.1.1q-r0",
            "1.1.1w-r1",
            "1.1.2",
            "1.1.10",
        ]);
        rises(&["1.2_rc1", "1.2", "1.2a", "1.2.1"]);
        rises(&["1.05", "1.5", "1.10"]);
        rises(&["0.9", "0.10", "10.0"]);
        rises(&["20230506-r0", "20241121-r1"]);
        equal(Ecosystem::Alpine, &["1.2.3-r4", "01.2.3-r4", "1.2.3-r04"]);
    }

    #[test]
    fn what_the_package_manager_does_not_take_has_no_place() {
        for text in [
            "", "a1", "1..2", "1.2-3", "1.2_foo", "1.2-r", "1.2~", "1:2-r0",
        ] {
            assert!(Version::read(text).is_none(), "{text}");
        }
    }
}
