//! `no_package_manager`: the image has no package manager.

use serde::Deserialize;

use super::Evidence;
use super::Goal;
use super::Needs;
use super::Verdict;
use super::kind::About;
use super::kind::Kind;
use super::tool;
use super::tool::Sort;
use crate::image::shells;

/// What is looked for, and where it usually is.
const SORT: Sort = Sort {
    noun: "package manager",
    paths: &shells::MANAGER_PATHS,
    find: shells::package_managers,
    matters: "It installs whatever an intruder asks for, and the app needs none of it when it runs.",
};

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct NoPackageManager {}

impl Kind for NoPackageManager {
    const ABOUT: About = About {
        name: "no_package_manager",
        asks: "The image has no package manager.",
        parameters: &[],
        example: "no_package_manager",
    };
}

impl Goal for NoPackageManager {
    fn kind(&self) -> &'static str {
        Self::ABOUT.name
    }

    fn title(&self) -> String {
        SORT.title()
    }

    fn wanted(&self) -> String {
        SORT.wanted()
    }

    fn needs(&self) -> Needs {
        SORT.needs()
    }

    fn evaluate(&self, evidence: &Evidence) -> Verdict {
        tool::judge(&SORT, evidence)
    }
}

#[cfg(test)]
mod tests {
    use crate::goal::fixture::goal;
    use crate::goal::fixture::layer;
    use crate::goal::fixture::nothing;
    use crate::goal::fixture::show;
    use crate::goal::tool::tests;
    use crate::image::Layer;

    fn judge(layers: Vec<Layer>) -> String {
        tests::judge("no_package_manager", layers)
    }

    #[test]
    fn an_image_without_one_meets_it() {
        let layers = vec![layer(&["app", "var/lib/dpkg/", "644 var/lib/dpkg/status"])];
        assert_eq!(judge(layers), "met: no package manager");
    }

    #[test]
    fn managers_of_systems_and_languages_are_found() {
        let base = layer(&["usr/bin/apt-get", "usr/bin/dpkg", "usr/local/bin/pip3.13"]);
        insta::assert_snapshot!(judge(vec![base]), @r"
        unmet: `/usr/bin/dpkg`, 3 package managers in all
        why:   It comes with the base image of line 1, `debian:trixie`. It installs whatever an intruder asks for, and the app needs none of it when it runs.
        next:  Ask what in the final image would miss the package manager.
        blame: line 1, layer 0, /usr/bin/dpkg
        ");
    }

    #[test]
    fn a_module_of_python_is_a_manager_too() {
        let copied = layer(&["644 deps/pip/__main__.py"]);
        insta::assert_snapshot!(judge(vec![layer(&["app"]), copied]), @r"
        unmet: `/deps/pip/__main__.py`
        why:   Line 2, `COPY --from=b /x /`, brings it. It installs whatever an intruder asks for, and the app needs none of it when it runs.
        next:  Ask what in the final image would miss the package manager.
        blame: line 2, layer 1, /deps/pip/__main__.py
        ");
    }

    #[test]
    fn a_usual_path_decides_before_the_image_is_read() {
        let mut evidence = nothing("FROM scratch");
        evidence.paths.insert(String::from("sbin/apk"), Ok(true));
        insta::assert_snapshot!(show(&goal("no_package_manager").evaluate(&evidence)), @r"
        unmet: `/sbin/apk`
        why:   It installs whatever an intruder asks for, and the app needs none of it when it runs.
        next:  Ask what in the final image would miss the package manager.
        blame: /sbin/apk
        ");
    }
}
