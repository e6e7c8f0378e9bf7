//! `no_shell`: the image has no shell.

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
    noun: "shell",
    paths: &shells::SHELL_PATHS,
    find: shells::shells,
    matters: "Whoever breaks into the app finds it ready to use.",
};

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct NoShell {}

impl Kind for NoShell {
    const ABOUT: About = About {
        name: "no_shell",
        asks: "The image has no shell.",
        parameters: &[],
        example: "no_shell",
    };
}

impl Goal for NoShell {
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
        tests::judge("no_shell", layers)
    }

    #[test]
    fn an_image_without_one_meets_it() {
        assert_eq!(
            judge(vec![layer(&["app", "644 etc/sh", "usr/bin/"])]),
            "met: no shell"
        );
    }

    #[test]
    fn the_base_is_to_blame_where_it_brings_it() {
        let base = layer(&[
            "bin -> usr/bin",
            "usr/bin/",
            "usr/bin/dash",
            "usr/bin/sh -> dash",
        ]);
        insta::assert_snapshot!(judge(vec![base]), @r"
        unmet: `/usr/bin/sh`, which is `/usr/bin/dash`
        why:   It comes with the base image of line 1, `debian:trixie`. Whoever breaks into the app finds it ready to use.
        next:  Ask what in the final image would miss the shell.
        blame: line 1, layer 0, /usr/bin/sh
        ");
    }

    #[test]
    fn the_line_is_to_blame_that_brings_it() {
        let copied = layer(&["busybox/", "busybox/sh"]);
        insta::assert_snapshot!(judge(vec![layer(&["app"]), copied]), @r"
        unmet: `/busybox/sh`
        why:   Line 2, `COPY --from=b /x /`, brings it. Whoever breaks into the app finds it ready to use.
        next:  Ask what in the final image would miss the shell.
        blame: line 2, layer 1, /busybox/sh
        ");
    }

    #[test]
    fn a_shell_that_was_deleted_or_leads_nowhere_is_none() {
        let mut gone = layer(&["bin/sh"]);
        gone.entries[0].kind = crate::image::EntryKind::Whiteout;
        assert_eq!(
            judge(vec![layer(&["bin/", "bin/sh"]), gone]),
            "met: no shell"
        );
        assert_eq!(judge(vec![layer(&["bin/sh -> busybox"])]), "met: no shell");
    }

    #[test]
    fn a_usual_path_decides_before_the_image_is_read() {
        let mut evidence = nothing(tests::FILE);
        for (path, here) in [("bin/bash", true), ("bin/sh", true), ("busybox/sh", false)] {
            evidence.paths.insert(path.to_owned(), Ok(here));
        }
        insta::assert_snapshot!(show(&goal("no_shell").evaluate(&evidence)), @r"
        unmet: `/bin/sh` and 1 more
        why:   The final image starts from `debian:trixie` on line 1. Whoever breaks into the app finds it ready to use.
        next:  Ask what in the final image would miss the shell.
        blame: line 1, /bin/sh
        ");
    }
}
