//! Version order: each ecosystem has its own, and only its own is right.

mod apk;
mod deb;
mod go;
mod maven;
mod pep440;
mod semver;

use std::cmp::Ordering;

use super::Ecosystem;

/// The longest version that is compared. Real ones have at most some dozens of characters.
const LONGEST: usize = 256;

/// A version that was read once, so that it can be compared with many.
#[derive(Debug, Clone)]
pub struct Version(Read);

#[derive(Debug, Clone)]
enum Read {
    Deb(String),
    Apk(apk::Version),
    Pep440(pep440::Version),
    Semver(semver::Version),
    Maven(maven::Version),
}

impl Version {
    /// Reads a version by the rules of its ecosystem; `None` where they do not allow it, so that
    /// nobody knows where it belongs.
    #[must_use]
    pub fn read(ecosystem: Ecosystem, text: &str) -> Option<Self> {
        let text = text.trim();
        if text.is_empty() || text.len() > LONGEST {
            return None;
        }
        let read = match ecosystem {
            Ecosystem::Debian | Ecosystem::Ubuntu => Read::Deb(deb::read(text)?),
            Ecosystem::Alpine => Read::Apk(apk::Version::read(text)?),
            Ecosystem::PyPi => Read::Pep440(pep440::read(text)?),
            Ecosystem::Npm | Ecosystem::Rust => Read::Semver(semver::Version::read(text)?),
            Ecosystem::Go => Read::Semver(go::read(text)?),
            Ecosystem::Maven => Read::Maven(maven::Version::read(text)),
        };
        Some(Self(read))
    }
}

/// Versions of two ecosystems have no order.
impl PartialOrd for Version {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        match (&self.0, &other.0) {
            (Read::Deb(one), Read::Deb(two)) => Some(deb::compare(one, two)),
            (Read::Apk(one), Read::Apk(two)) => Some(one.cmp(two)),
            (Read::Pep440(one), Read::Pep440(two)) => Some(one.cmp(two)),
            (Read::Semver(one), Read::Semver(two)) => Some(one.cmp(two)),
            (Read::Maven(one), Read::Maven(two)) => Some(one.cmp(two)),
            _ => None,
        }
    }
}

impl PartialEq for Version {
    fn eq(&self, other: &Self) -> bool {
        self.partial_cmp(other) == Some(Ordering::Equal)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Checks that each of `rising` comes before all that follow it.
    pub(super) fn rises(ecosystem: Ecosystem, rising: &[&str]) {
        let read: Vec<Version> = rising
            .iter()
            .map(|text| Version::read(ecosystem, text).unwrap_or_else(|| panic!("{text}")))
            .collect();
        for (at, low) in read.iter().enumerate() {
            for (above, high) in read.iter().enumerate().skip(at + 1) {
                let (low_text, high_text) = (rising[at], rising[above]);
                assert!(low < high, "{low_text} < {high_text}");
                assert!(high > low, "{high_text} > {low_text}");
            }
        }
    }

    /// Checks that all of `same` are one version.
    pub(super) fn equal(ecosystem: Ecosystem, same: &[&str]) {
        for one in same {
            for two in same {
                let (a, b) = (Version::read(ecosystem, one), Version::read(ecosystem, two));
                assert_eq!(a.unwrap(), b.unwrap(), "{one} = {two}");
            }
        }
    }

    #[test]
    fn versions_of_two_ecosystems_have_no_order() {
        let deb = Version::read(Ecosystem::Debian, "1").unwrap();
        let pypi = Version::read(Ecosystem::PyPi, "1").unwrap();
        assert_eq!(deb.partial_cmp(&pypi), None);
        assert!(deb != pypi);
    }

    #[test]
    fn a_version_longer_than_any_real_one_is_not_read() {
        for ecosystem in Ecosystem::ALL {
            assert!(Version::read(ecosystem, &"1.".repeat(200)).is_none());
            assert!(Version::read(ecosystem, " ").is_none());
        }
    }

    proptest! {
        #[test]
        fn any_text_is_read_or_refused_and_equals_itself(text in "\\PC{0,40}") {
            for ecosystem in Ecosystem::ALL {
                if let Some(version) = Version::read(ecosystem, &text) {
                    prop_assert_eq!(version.partial_cmp(&version), Some(Ordering::Equal));
                }
            }
        }

        #[test]
        fn order_is_the_same_from_both_sides_and_carries_over(
            texts in prop::collection::vec("[0-9]{1,2}([.~+-]?(a|b|rc|sp|_p|-r|ga)?[0-9]{1,2}){0,4}", 3)
        ) {
            for ecosystem in Ecosystem::ALL {
                let read: Vec<Version> = texts
                    .iter()
                    .filter_map(|text| Version::read(ecosystem, text))
                    .collect();
                let [a, b, c] = read.as_slice() else { continue };
                prop_assert_eq!(a.partial_cmp(b), b.partial_cmp(a).map(Ordering::reverse));
                // Maven's own rules run in circles: 1.0.alpha < 1 < 1-foo < 1.0.alpha.
                if ecosystem != Ecosystem::Maven && a <= b && b <= c {
                    prop_assert!(a <= c, "{:?} {:?} {:?}", a, b, c);
                }
            }
        }
    }
}
