//! Whether a version is affected: the evaluation that the OSV schema describes.

use std::cmp::Ordering;

use super::Ecosystem;
use super::advisory::Affected;
use super::advisory::Event;
use super::order::Version;

/// What an advisory says of a version.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// It is affected.
    Yes {
        /// The lowest later version that is not; `None` where none is known.
        fixed: Option<String>,
    },
    /// It is not.
    No,
    /// The version, or one of the advisory's, has no place in the order.
    Unordered,
}

/// The ranges of an advisory, each version of them read.
///
/// A range with a version that cannot be read says nothing at all: without the turn that is missing,
/// a version that was fixed would count as affected, and one that is affected as fixed.
#[derive(Debug, Clone, Default)]
pub struct Ranges {
    ranges: Vec<Vec<Turn>>,
    /// Whether there are others, with a version that could not be read.
    broken: bool,
}

/// One turn; `None` is before every version.
#[derive(Debug, Clone)]
struct Turn {
    at: Option<Version>,
    kind: Kind,
    text: String,
}

/// In the order in which turns at one and the same version take effect.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Kind {
    Introduced,
    Fixed,
    LastAffected,
    Limit,
}

impl Turn {
    fn read(ecosystem: Ecosystem, event: &Event) -> Option<Self> {
        let (kind, text) = match event {
            Event::Introduced(text) => (Kind::Introduced, text),
            Event::Fixed(text) => (Kind::Fixed, text),
            Event::LastAffected(text) => (Kind::LastAffected, text),
            Event::Limit(text) => (Kind::Limit, text),
        };
        let first = text == "0" && matches!(kind, Kind::Introduced | Kind::Fixed);
        let at = if first {
            None
        } else {
            Some(Version::read(ecosystem, text)?)
        };
        Some(Self {
            at,
            kind,
            text: text.clone(),
        })
    }

    /// How the turn stands to a version: `Less` before it.
    fn stands(&self, version: &Version) -> Ordering {
        self.at.as_ref().map_or(Ordering::Less, |at| {
            at.partial_cmp(version).unwrap_or(Ordering::Greater)
        })
    }
}

fn in_order(one: &Turn, two: &Turn) -> Ordering {
    match (&one.at, &two.at) {
        (None, None) => Ordering::Equal,
        (None, Some(_)) => Ordering::Less,
        (Some(_), None) => Ordering::Greater,
        (Some(a), Some(b)) => a.partial_cmp(b).unwrap_or(Ordering::Equal),
    }
    .then_with(|| one.kind.cmp(&two.kind))
}

impl Ranges {
    /// Reads the ranges of an advisory's part.
    #[must_use]
    pub fn read(ecosystem: Ecosystem, affected: &Affected) -> Self {
        let mut broken = false;
        let ranges = affected.ranges.iter().filter_map(|events| {
            let turns = events.iter().map(|event| Turn::read(ecosystem, event));
            let turns: Option<Vec<Turn>> = turns.collect();
            broken |= turns.is_none();
            let mut turns = turns?;
            turns.sort_by(in_order);
            Some(turns)
        });
        let ranges = ranges.collect();
        Self { ranges, broken }
    }

    /// Whether some version of them could not be read.
    #[must_use]
    pub const fn is_broken(&self) -> bool {
        self.broken
    }

    /// Whether some range that could be read contains the version.
    #[must_use]
    pub fn contain(&self, version: &Version) -> bool {
        self.ranges.iter().any(|turns| contains(turns, version))
    }

    /// The lowest fixed version above `version` that no range contains.
    fn fix(&self, version: &Version) -> Option<String> {
        let mut fixes: Vec<&Turn> = self
            .ranges
            .iter()
            .flatten()
            .filter(|turn| turn.kind == Kind::Fixed && turn.stands(version).is_gt())
            .filter(|turn| turn.at.as_ref().is_some_and(|at| !self.contain(at)))
            .collect();
        fixes.sort_by(|one, two| in_order(one, two));
        fixes.first().map(|turn| turn.text.clone())
    }
}

/// Goes through the turns of one range up to a version.
fn contains(turns: &[Turn], version: &Version) -> bool {
    let mut limits = turns
        .iter()
        .filter(|turn| turn.kind == Kind::Limit)
        .peekable();
    let beyond = limits.peek().is_some() && limits.all(|limit| limit.stands(version).is_le());
    if beyond {
        return false;
    }
    let mut affected = false;
    for turn in turns {
        match (turn.kind, turn.stands(version)) {
            (Kind::Introduced, Ordering::Less | Ordering::Equal) => affected = true,
            (Kind::Fixed, Ordering::Less | Ordering::Equal)
            | (Kind::LastAffected, Ordering::Less) => affected = false,
            _ => {}
        }
    }
    affected
}

/// Whether `version` is affected by a part of an advisory.
#[must_use]
pub fn affects(ecosystem: Ecosystem, affected: &Affected, version: &str) -> Answer {
    let ranges = Ranges::read(ecosystem, affected);
    let read = Version::read(ecosystem, version);
    let listed = affected.versions.iter().any(|one| {
        one == version
            || read
                .as_ref()
                .is_some_and(|read| Version::read(ecosystem, one).is_some_and(|one| one == *read))
    });
    match read {
        Some(read) if listed || ranges.contain(&read) => Answer::Yes {
            fixed: ranges.fix(&read),
        },
        _ if listed => Answer::Yes { fixed: None },
        Some(_) if !ranges.broken => Answer::No,
        None if ranges.ranges.is_empty() && !ranges.broken => Answer::No,
        // A range that holds every version holds this one too, wherever it stands.
        None if ranges.ranges.iter().any(|turns| is_everything(turns)) => {
            Answer::Yes { fixed: None }
        }
        _ => Answer::Unordered,
    }
}

/// Whether a range begins before every version and never ends.
fn is_everything(turns: &[Turn]) -> bool {
    matches!(
        turns,
        [Turn {
            at: None,
            kind: Kind::Introduced,
            ..
        }]
    )
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn part(ranges: &[&[(&str, &str)]]) -> Affected {
        let event = |(kind, version): &(&str, &str)| {
            let version = (*version).to_owned();
            match *kind {
                "introduced" => Event::Introduced(version),
                "fixed" => Event::Fixed(version),
                "last" => Event::LastAffected(version),
                _ => Event::Limit(version),
            }
        };
        Affected {
            ranges: ranges
                .iter()
                .map(|events| events.iter().map(event).collect())
                .collect(),
            ..Affected::default()
        }
    }

    fn yes(fixed: &str) -> Answer {
        Answer::Yes {
            fixed: (!fixed.is_empty()).then(|| fixed.to_owned()),
        }
    }

    fn pypi(part: &Affected, version: &str) -> Answer {
        affects(Ecosystem::PyPi, part, version)
    }

    #[test]
    fn a_version_is_affected_from_introduced_up_to_fixed() {
        let one = part(&[&[("introduced", "1.0"), ("fixed", "2.0")]]);
        assert_eq!(pypi(&one, "0.9"), Answer::No);
        assert_eq!(pypi(&one, "1.0"), yes("2.0"));
        assert_eq!(pypi(&one, "2.0rc1"), yes("2.0"));
        assert_eq!(pypi(&one, "2.0"), Answer::No);
    }

    #[test]
    fn each_branch_has_its_own_fix_whatever_the_order_of_the_events() {
        let branches = part(&[&[
            ("fixed", "3.1.6"),
            ("introduced", "3.0"),
            ("fixed", "2.2.5"),
            ("introduced", "0"),
        ]]);
        assert_eq!(pypi(&branches, "2.1"), yes("2.2.5"));
        assert_eq!(pypi(&branches, "2.2.5"), Answer::No);
        assert_eq!(pypi(&branches, "3.0"), yes("3.1.6"));
    }

    #[test]
    fn the_last_affected_version_is_affected_and_has_no_fix() {
        let last = part(&[&[("introduced", "0"), ("last", "1.5")]]);
        assert_eq!(pypi(&last, "1.5"), yes(""));
        assert_eq!(pypi(&last, "1.5.1"), Answer::No);
    }

    #[test]
    fn a_range_says_nothing_beyond_its_limit() {
        let limited = part(&[&[("introduced", "1"), ("limit", "3")]]);
        assert_eq!(pypi(&limited, "2"), yes(""));
        assert_eq!(pypi(&limited, "3"), Answer::No);
    }

    #[test]
    fn debian_s_fixed_0_means_never_affected_and_no_fix_means_always() {
        let deb = |part: &Affected, version| affects(Ecosystem::Debian, part, version);
        let never = part(&[&[("introduced", "0"), ("fixed", "0")]]);
        assert_eq!(deb(&never, "1.0-1"), Answer::No);
        assert_eq!(deb(&never, "0~alpha"), Answer::No);
        let unfixed = part(&[&[("introduced", "0")]]);
        assert_eq!(deb(&unfixed, "9:9-9"), yes(""));
        assert_eq!(deb(&unfixed, "0~alpha"), yes(""));
    }

    #[test]
    fn a_fix_that_another_range_contains_is_no_fix() {
        let two = part(&[
            &[("introduced", "0"), ("fixed", "1.2")],
            &[("introduced", "1.1"), ("fixed", "1.4")],
        ]);
        assert_eq!(pypi(&two, "1.0"), yes("1.4"));
    }

    #[test]
    fn listed_versions_are_affected_besides_the_ranges() {
        let mut listed = part(&[&[("introduced", "2"), ("fixed", "3")]]);
        listed.versions = vec!["1.0".to_owned(), "odd".to_owned()];
        assert_eq!(pypi(&listed, "1.0.0"), yes("3"));
        assert_eq!(pypi(&listed, "odd"), yes(""));
        assert_eq!(pypi(&listed, "1.1"), Answer::No);
    }

    #[test]
    fn a_version_without_a_place_is_never_called_unaffected() {
        let one = part(&[&[("introduced", "1.0"), ("fixed", "2.0")]]);
        assert_eq!(pypi(&one, "unknown"), Answer::Unordered);
        let go = |part: &Affected| affects(Ecosystem::Go, part, "(devel)");
        assert_eq!(go(&one), Answer::Unordered);
        assert_eq!(go(&part(&[&[("introduced", "0")]])), yes(""));
        let broken = part(&[&[("introduced", "?"), ("fixed", "2.0")]]);
        assert_eq!(pypi(&broken, "1.0"), Answer::Unordered);
    }

    #[test]
    fn a_range_that_cannot_be_read_whole_calls_nothing_affected() {
        // Without the fix that cannot be read, every version would be affected.
        let mut broken = part(&[&[("introduced", "0"), ("fixed", "two")]]);
        for version in ["1.0", "3.0", "unknown"] {
            assert_eq!(pypi(&broken, version), Answer::Unordered, "{version}");
        }
        // What is listed, and what another range says, holds all the same.
        broken.versions = vec!["1.0".to_owned()];
        assert_eq!(pypi(&broken, "1.0"), yes(""));
        let two = part(&[
            &[("introduced", "0"), ("fixed", "two")],
            &[("introduced", "1"), ("fixed", "2")],
        ]);
        assert_eq!(pypi(&two, "1.5"), yes("2"));
        assert_eq!(pypi(&two, "2.5"), Answer::Unordered);
    }

    #[test]
    fn pseudo_versions_of_go_are_placed() {
        let range = part(&[&[
            ("introduced", "0"),
            ("fixed", "0.0.0-20201216223049-8b5274cf687f"),
        ]]);
        let go = |version| affects(Ecosystem::Go, &range, version);
        let before = "v0.0.0-20200622213623-75b288015ac9";
        assert_eq!(go(before), yes("0.0.0-20201216223049-8b5274cf687f"));
        assert_eq!(go("v0.0.0-20220722155217-630584e8d5aa"), Answer::No);
        assert_eq!(go("v0.1.0"), Answer::No);
    }

    proptest! {
        #[test]
        fn what_is_fixed_is_not_affected_and_what_is_below_is(
            introduced in 0u32..50, length in 1u32..50, probe in 0u32..120
        ) {
            let (from, to) = (introduced.to_string(), (introduced + length).to_string());
            let range = part(&[&[("introduced", &from), ("fixed", &to)]]);
            let inside = (introduced..introduced + length).contains(&probe);
            let answer = affects(Ecosystem::Debian, &range, &probe.to_string());
            prop_assert_eq!(answer != Answer::No, inside);
        }
    }
}
