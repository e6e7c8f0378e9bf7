//! The order of Python's versions: the packaging specification on version specifiers (PEP 440).

use std::str::FromStr as _;

pub(super) use pep440_rs::Version;

/// Reads a version, in any of the spellings that the specification normalises.
pub(super) fn read(text: &str) -> Option<Version> {
    Version::from_str(text).ok()
}

#[cfg(test)]
mod tests {
    use super::super::tests::equal;
    use super::super::tests::rises;
    use super::read;
    use crate::finding::Ecosystem;

    #[test]
    fn the_order_is_that_of_the_specification() {
        rises(
            Ecosystem::PyPi,
            &[
                "1.0.dev456",
                "1.0a1",
                "1.0a2.dev456",
                "1.0a12",
                "1.0b1.dev456",
                "1.0b2",
                "1.0b2.post345",
                "1.0rc1",
                "1.0",
                "1.0+abc.5",
                "1.0+5",
                "1.0.post456.dev34",
                "1.0.post456",
                "1.1.dev1",
                "1.10",
                "1!0.1",
            ],
        );
        equal(Ecosystem::PyPi, &["1.0", "1.0.0", "v1", "1"]);
        equal(Ecosystem::PyPi, &["1.0rc1", "1.0-RC.1", "1.0c1"]);
    }

    #[test]
    fn what_came_before_the_specification_has_no_place() {
        assert!(read("0.8-final-2").is_none());
        assert!(read("dev").is_none());
    }
}
