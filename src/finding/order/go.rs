//! The order of Go's versions: semantic versions with a `v` (pseudo-versions and `+incompatible`
//! included), and the toolchain's own (`go1.22rc1`), by which the standard library is known.

use super::semver::Version;

/// Reads a module's or a toolchain's version. `(devel)`, which a program's own module has, is none.
pub(super) fn read(text: &str) -> Option<Version> {
    // What a toolchain adds behind a blank (`X:nocoverageredesign`) or behind `-` are the options
    // and the vendor it was built with.
    let text = text.split_whitespace().next()?;
    match text.strip_prefix("go") {
        Some(toolchain) => Version::read(&of_toolchain(toolchain)),
        None => Version::read(text).or_else(|| Version::read(&of_toolchain(text))),
    }
}

/// `1.22rc1` as `1.22.0-rc.1`, the form that the Go vulnerability database uses.
fn of_toolchain(text: &str) -> String {
    let text = text.split('-').next().unwrap_or(text);
    for mark in ["rc", "beta"] {
        if let Some((release, number)) = text.split_once(mark) {
            let missing = 2usize.saturating_sub(release.matches('.').count());
            return format!("{release}{}-{mark}.{number}", ".0".repeat(missing));
        }
    }
    text.to_owned()
}

#[cfg(test)]
mod tests {
    use super::super::tests::equal;
    use super::super::tests::rises;
    use super::read;
    use crate::finding::Ecosystem;

    #[test]
    fn the_toolchain_s_versions_have_the_order_of_releases() {
        rises(
            Ecosystem::Go,
            &[
                "go1.21rc2",
                "go1.21",
                "go1.21.9",
                "go1.21.10",
                "1.22.0-0",
                "go1.22beta1",
                "go1.22rc1",
                "go1.22.0",
            ],
        );
        equal(Ecosystem::Go, &["go1.22rc1", "1.22.0-rc.1", "v1.22.0-rc.1"]);
        equal(
            Ecosystem::Go,
            &["go1.22.3", "1.22.3", "go1.22.3 X:boringcrypto"],
        );
        equal(Ecosystem::Go, &["go1.24.4", "go1.24.4-vendored"]);
    }

    #[test]
    fn pseudo_versions_stand_before_the_release_that_they_lead_to() {
        rises(
            Ecosystem::Go,
            &[
                "v0.0.0-20200622213623-75b288015ac9",
                "v0.0.0-20201216223049-8b5274cf687f",
                "v0.9.1-0.20170424173420-06e7a29f36a3",
                "v0.9.1",
                "v2.0.0+incompatible",
                "v2.0.1+incompatible",
            ],
        );
        equal(Ecosystem::Go, &["v2.0.0+incompatible", "2.0.0"]);
    }

    #[test]
    fn a_program_s_own_module_has_no_version() {
        assert!(read("(devel)").is_none());
        assert!(read("devel go1.23-abcdef").is_none());
    }
}
