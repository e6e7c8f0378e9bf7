//! The order of semantic versions (semver.org 2.0.0, section 11): build metadata does not count.

use std::cmp::Ordering;

/// A semantic version.
#[derive(Debug, Clone)]
pub(super) struct Version(semver::Version);

impl Version {
    /// Reads a version; missing parts are zero (`1.2`), and a `v` before it is left out.
    pub(super) fn read(text: &str) -> Option<Self> {
        let text = text.strip_prefix(['v', 'V']).unwrap_or(text);
        if let Ok(version) = semver::Version::parse(text) {
            return Some(Self(version));
        }
        semver::Version::parse(&padded(text)?).ok().map(Self)
    }
}

/// `1.2-rc.1` as `1.2.0-rc.1`; `None` where nothing is missing.
fn padded(text: &str) -> Option<String> {
    let end = text.find(['-', '+']).unwrap_or(text.len());
    let (core, rest) = text.split_at_checked(end)?;
    let missing = 2usize.checked_sub(core.matches('.').count())?;
    (missing > 0).then(|| format!("{core}{}{rest}", ".0".repeat(missing)))
}

impl Ord for Version {
    fn cmp(&self, other: &Self) -> Ordering {
        self.0.cmp_precedence(&other.0)
    }
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
    fn the_order_is_that_of_the_specification() {
        for ecosystem in [Ecosystem::Npm, Ecosystem::Rust] {
            rises(
                ecosystem,
                &[
                    "0.0.0-0",
                    "1.0.0-alpha",
                    "1.0.0-alpha.1",
                    "1.0.0-alpha.beta",
                    "1.0.0-beta.2",
                    "1.0.0-beta.11",
                    "1.0.0-rc.1",
                    "1.0.0",
                    "1.0.1",
                    "1.10.0",
                ],
            );
            equal(ecosystem, &["1.0.0", "1.0.0+build.5", "1.0", "v1"]);
        }
    }

    #[test]
    fn what_is_no_semantic_version_has_no_place() {
        for text in ["", "latest", "1.2.3.4", "1.x", "^1.0.0", "01.2.3"] {
            assert!(Version::read(text).is_none(), "{text}");
        }
    }
}
