//! The order of Debian's and Ubuntu's versions, as `dpkg` has it.

use std::cmp::Ordering;

/// A version as `dpkg` would take it: printable ASCII without blanks.
pub(super) fn read(text: &str) -> Option<String> {
    text.bytes()
        .all(|byte| byte.is_ascii_graphic())
        .then(|| text.to_owned())
}

/// The order.
pub(super) fn compare(one: &str, two: &str) -> Ordering {
    deb_version::compare_versions(one, two)
}

#[cfg(test)]
mod tests {
    use super::super::tests::equal;
    use super::super::tests::rises;
    use crate::finding::Ecosystem;

    #[test]
    fn the_order_is_that_of_dpkg() {
        rises(
            Ecosystem::Debian,
            &[
                "0~beta",
                "0",
                "1.0~rc1-1",
                "1.0~rc1-1+b1",
                "1.0",
                "1.0-1",
                "1.0-1+b2",
                "1.0-1+deb13u1",
                "1.0-1.1",
                "1.0-2~deb13u1",
                "1.0-2",
                "1.0+really0.9-1",
                "1.0.1-1",
                "1.10-1",
                "1:0.5-1",
            ],
        );
        equal(Ecosystem::Debian, &["1.0", "0:1.0", "1.0-0", "1.00"]);
    }
}
