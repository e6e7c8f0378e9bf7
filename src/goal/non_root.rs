//! `non_root`: the container does not run as root.

use serde::Deserialize;

use super::Blame;
use super::Evidence;
use super::Goal;
use super::Missing;
use super::Needs;
use super::Verdict;
use super::base;
use super::kind::About;
use super::kind::Kind;
use super::kind::may;
use crate::dockerfile::Keyword;
use crate::image::Contents;
use crate::image::tree::Tree;

/// Where names of users are looked up.
const PASSWD: &str = "etc/passwd";

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct NonRoot {
    #[serde(default)]
    numeric: bool,
}

impl Kind for NonRoot {
    const ABOUT: About = About {
        name: "non_root",
        asks: "The image's user is not root.",
        parameters: &[may(
            "numeric",
            "true or false",
            "Whether the user must be a number, which an orchestrator can check; false.",
        )],
        example: "non_root",
    };
}

impl Goal for NonRoot {
    fn kind(&self) -> &'static str {
        Self::ABOUT.name
    }

    fn title(&self) -> String {
        match self.numeric {
            true => String::from("not root, by number"),
            false => String::from("not root"),
        }
    }

    fn wanted(&self) -> String {
        if self.numeric {
            String::from("the image's user is a number other than 0")
        } else {
            String::from("the image's user is not root")
        }
    }

    fn needs(&self) -> Needs {
        // A number or no user at all is decided without reading the image.
        Needs {
            contents: true,
            files: [PASSWD.to_owned()].into(),
            ..Needs::default()
        }
    }

    fn evaluate(&self, evidence: &Evidence) -> Verdict {
        let written = match &evidence.summary {
            Ok(summary) => summary.config.user.trim(),
            Err(missing) => return Verdict::unknown(missing),
        };
        let user = written.split(':').next().unwrap_or_default();
        if user.is_empty() || user == "root" {
            return is_root(evidence, user);
        }
        // Runtimes read a sign as well: `-0` is 0.
        if user.parse() == Ok(0_i64) {
            return is_root(evidence, user);
        }
        if user.parse::<u64>().is_ok() {
            return Verdict::met(format!("user {written}"));
        }
        if self.numeric {
            return Verdict::unmet(
                format!("user `{user}`, a name"),
                "What a name stands for is decided by a file in the image; only a number can be checked from outside.",
                "Find out which number that user has.",
                Blame::line(base::line_of(&evidence.dockerfile, Keyword::User)),
            );
        }
        match &evidence.contents {
            Ok(contents) => of_name(evidence, contents, user),
            Err(missing) => Verdict::unknown(missing),
        }
    }
}

fn is_root(evidence: &Evidence, user: &str) -> Verdict {
    let file = &evidence.dockerfile;
    let instruction = base::last(file, Keyword::User);
    let why = match (instruction, base::base(file)) {
        (Some(instruction), _) => {
            format!(
                "{} on line {} makes it root.",
                base::quote(instruction),
                instruction.line
            )
        }
        (None, Some((image, line))) => format!(
            "No instruction names a user, and the base of line {line}, `{image}`, runs as root."
        ),
        (None, None) => String::from("No instruction names a user, and so it is root."),
    };
    let found = if user.is_empty() {
        "root, because no user is set"
    } else {
        "root"
    };
    Verdict::unmet(
        found,
        why,
        "Look for the instruction that says who runs the container, and which users the image has.",
        Blame::line(base::line_of(file, Keyword::User)),
    )
}

fn of_name(evidence: &Evidence, contents: &Contents, user: &str) -> Verdict {
    let blame = || Blame::line(base::line_of(&evidence.dockerfile, Keyword::User));
    let tree = Tree::of(contents);
    let Ok(node) = tree.find(PASSWD) else {
        return Verdict::unmet(
            format!("user `{user}`, whom nobody knows"),
            "The image has no `/etc/passwd`, which says what number a user's name stands for.",
            "Ask yourself whether the user needs a name in this image.",
            blame(),
        );
    };
    let Some(text) = node.kept else {
        return Verdict::unknown(&Missing::because(
            "The image's `/etc/passwd` could not be read.",
        ));
    };
    let text = String::from_utf8_lossy(text);
    // As the engines read it: blanks around a line do not count, and no number is number 0.
    let uid = text.lines().find_map(|line| {
        let mut fields = line.trim().split(':');
        let number = |mut fields: std::str::Split<'_, char>| match fields.nth(1) {
            None | Some("") => String::from("0"),
            Some(number) => number.to_owned(),
        };
        (fields.next() == Some(user)).then(|| number(fields))
    });
    match uid.as_deref().map(str::parse::<u64>) {
        Some(Ok(0)) => Verdict::unmet(
            format!("user `{user}`, who is root"),
            format!("The image's `/etc/passwd` gives `{user}` the number 0, and number 0 is root."),
            "Look at how that user is made.",
            blame().at_path("/etc/passwd"),
        ),
        Some(Ok(uid)) => Verdict::met(format!("user {user}, number {uid}")),
        Some(Err(_)) | None => Verdict::unmet(
            format!("user `{user}`, whom the image does not know"),
            format!("The image's `/etc/passwd` has no user `{user}`."),
            "Compare the users of the image with the one that the final stage names.",
            blame().at_path("/etc/passwd"),
        ),
    }
}

#[cfg(test)]
mod tests {
    use crate::goal::fixture::contents;
    use crate::goal::fixture::goal;
    use crate::goal::fixture::layer;
    use crate::goal::fixture::nothing;
    use crate::goal::fixture::show;
    use crate::goal::fixture::with_config;
    use crate::image::Config;

    fn judge(yaml: &str, file: &str, user: &str, passwd: Option<&str>) -> String {
        let config = Config {
            user: user.to_owned(),
            ..Config::default()
        };
        let mut evidence = with_config(file, config);
        if let Some(passwd) = passwd {
            let mut layer = layer(&["etc/passwd"]);
            layer
                .kept
                .insert(String::from("etc/passwd"), passwd.as_bytes().to_vec());
            evidence.contents = Ok(contents(vec![layer]));
        }
        show(&goal(yaml).evaluate(&evidence))
    }

    #[test]
    fn a_number_other_than_0_meets_it() {
        assert_eq!(
            judge("non_root", "FROM a\nUSER 65532", "65532", None),
            "met: user 65532"
        );
        assert_eq!(
            judge("non_root", "FROM a", "65532:65532", None),
            "met: user 65532:65532"
        );
    }

    #[test]
    fn a_number_may_have_a_sign() {
        for user in ["-0", "+0", "00"] {
            let told = judge("non_root", "FROM a\nUSER -0", user, Some("app:x:1:1"));
            assert!(told.starts_with("unmet: root"), "{told}");
        }
        let below = judge("non_root", "FROM a\nUSER -5", "-5", Some("app:x:1:1"));
        assert!(below.starts_with("unmet: user `-5`"), "{below}");
    }

    #[test]
    fn no_user_is_root_by_the_base() {
        insta::assert_snapshot!(judge("non_root", "FROM python:3.13\nCMD x", "", None), @r"
        unmet: root, because no user is set
        why:   No instruction names a user, and the base of line 1, `python:3.13`, runs as root.
        next:  Look for the instruction that says who runs the container, and which users the image has.
        blame: line 1
        ");
    }

    #[test]
    fn a_user_that_is_root_is_to_blame() {
        insta::assert_snapshot!(judge("non_root", "FROM a\nUSER 5\nUSER 0:0", "0:0", None), @r"
        unmet: root
        why:   `USER 0:0` on line 3 makes it root.
        next:  Look for the instruction that says who runs the container, and which users the image has.
        blame: line 3
        ");
    }

    #[test]
    fn a_name_is_looked_up() {
        let passwd = "root:x:0:0:root:/root:/bin/sh\ntoor:x:0:0::/:\napp:x:10001:10001::/:\n";
        let file = "FROM a\nUSER app";
        assert_eq!(
            judge("non_root", file, "app", Some(passwd)),
            "met: user app, number 10001"
        );
        insta::assert_snapshot!(judge("non_root", file, "toor", Some(passwd)), @r"
        unmet: user `toor`, who is root
        why:   The image's `/etc/passwd` gives `toor` the number 0, and number 0 is root.
        next:  Look at how that user is made.
        blame: line 2, /etc/passwd
        ");
        insta::assert_snapshot!(judge("non_root", file, "nobody", Some(passwd)), @r"
        unmet: user `nobody`, whom the image does not know
        why:   The image's `/etc/passwd` has no user `nobody`.
        next:  Compare the users of the image with the one that the final stage names.
        blame: line 2, /etc/passwd
        ");
        assert_eq!(
            judge("non_root", file, "app", None),
            "unknown: It was not gathered."
        );
    }

    #[test]
    fn a_name_is_no_number() {
        insta::assert_snapshot!(
            judge("non_root: { numeric: true }", "FROM a\nUSER app", "app", None), @r"
        unmet: user `app`, a name
        why:   What a name stands for is decided by a file in the image; only a number can be checked from outside.
        next:  Find out which number that user has.
        blame: line 2
        "
        );
    }

    #[test]
    fn the_list_of_users_is_read_as_the_engines_read_it() {
        for passwd in [
            " app:x:0:0::/:\napp:x:1000:1000::/:\n",
            "app:x\n",
            "app:x::0\n",
        ] {
            let told = judge("non_root", "FROM a\nUSER app", "app", Some(passwd));
            assert!(told.starts_with("unmet: user `app`, who is root"), "{told}");
        }
    }

    #[test]
    fn without_an_image_it_is_unknown() {
        let verdict = goal("non_root").evaluate(&nothing("FROM a"));
        assert_eq!(show(&verdict), "unknown: It was not gathered.");
    }
}
