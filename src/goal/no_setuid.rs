//! `no_setuid`: no program of the image takes on the rights of another user.

use serde::Deserialize;

use super::Blame;
use super::Evidence;
use super::Goal;
use super::Needs;
use super::Verdict;
use super::base;
use super::field::OneOrMore;
use super::kind::About;
use super::kind::Kind;
use super::kind::may;
use super::no_path::Place;
use crate::image::Contents;
use crate::image::glob::Glob;
use crate::image::inside::privileged;
use crate::image::inside::privileged::Privileged;
use crate::text::plural;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct NoSetuid {
    #[serde(default)]
    allow: Option<OneOrMore<Glob>>,
    #[serde(default, rename = "in")]
    place: Place,
}

impl NoSetuid {
    /// What counts: everything that is not allowed, the visible ones first.
    fn find(&self, contents: &Contents) -> Vec<Privileged> {
        let allowed = |path: &str| {
            let globs = self.allow.as_ref().map_or(&[][..], |allow| &allow.0);
            globs.iter().any(|glob| glob.matches(path))
        };
        let mut found = privileged::find(contents);
        found.retain(|one| !allowed(&one.path));
        found.sort_by_key(|one| one.hidden);
        found
    }
}

impl Kind for NoSetuid {
    const ABOUT: About = About {
        name: "no_setuid",
        asks: "No program of the image runs with other rights than those of its user (setuid, setgid, file capabilities).",
        parameters: &[
            may(
                "allow",
                "pattern or list of patterns",
                "Programs that may; none.",
            ),
            may(
                "in",
                "final or any",
                "The final file system, or any layer: what was deleted later is still shipped; final.",
            ),
        ],
        example: "no_setuid: { allow: [/usr/bin/sudo] }",
    };
}

impl Goal for NoSetuid {
    fn kind(&self) -> &'static str {
        Self::ABOUT.name
    }

    fn title(&self) -> String {
        match self.place {
            Place::Final => String::from("no setuid"),
            Place::Any => String::from("no setuid in any layer"),
        }
    }

    fn wanted(&self) -> String {
        let place = match self.place {
            Place::Final => "the image",
            Place::Any => "any layer of the image",
        };
        let except = self.allow.as_ref().map_or_else(String::new, |allow| {
            let names: Vec<String> = allow.0.iter().map(|glob| format!("`{glob}`")).collect();
            format!(", except {}", names.join(", "))
        });
        format!("no program in {place} runs with more rights than its user has{except}")
    }

    fn needs(&self) -> Needs {
        Needs {
            contents: true,
            ..Needs::default()
        }
    }

    fn evaluate(&self, evidence: &Evidence) -> Verdict {
        let contents = match &evidence.contents {
            Ok(contents) => contents,
            Err(missing) => return Verdict::unknown(missing),
        };
        let found = self.find(contents);
        let hidden = found.iter().filter(|one| one.hidden).count();
        let counted = match self.place {
            Place::Final => found.len() - hidden,
            Place::Any => found.len(),
        };
        match found.first().filter(|_| counted > 0) {
            None if hidden > 0 => Verdict::met(format!(
                "none; {} that a later layer hides or changes is still shipped",
                plural(hidden, "such file")
            )),
            None => Verdict::met("none"),
            Some(first) => refuse(evidence, first, counted),
        }
    }
}

fn refuse(evidence: &Evidence, first: &Privileged, count: usize) -> Verdict {
    let path = format!("/{}", first.path);
    let more = match count - 1 {
        0 => String::new(),
        more => format!(", and {}", plural(more, "more file")),
    };
    let line = evidence.line_of_layer(first.layer);
    let from = base::base(&evidence.dockerfile).filter(|(_, from)| Some(*from) == line);
    let origin = match (line, from) {
        (_, Some((image, line))) => format!("comes with the base image of line {line}, `{image}`"),
        (Some(line), None) => {
            let quoted = base::quote_line(&evidence.dockerfile, line)
                .map_or_else(String::new, |quoted| format!(", {quoted}"));
            format!("comes with line {line}{quoted}")
        }
        (None, None) => format!("is in layer {}", first.layer),
    };
    let hidden = if first.hidden {
        "; a later layer hides or changes it, and it is shipped all the same"
    } else {
        ""
    };
    Verdict::unmet(
        format!("`{path}` is {}{more}", first.rights),
        format!(
            "It {origin}{hidden}. Whoever starts it gets rights that the container's user does not have."
        ),
        "Ask what in the final image needs such a program, and who would start it.",
        Blame::line(line).in_layer(first.layer).at_path(path),
    )
}

#[cfg(test)]
mod tests {
    use crate::goal::fixture::contents;
    use crate::goal::fixture::goal;
    use crate::goal::fixture::layer;
    use crate::goal::fixture::nothing;
    use crate::goal::fixture::show;
    use crate::goal::fixture::sizes;
    use crate::image::EntryKind;
    use crate::image::Layer;

    fn judge(yaml: &str, layers: Vec<Layer>) -> String {
        let mut evidence =
            nothing("FROM debian\nRUN apt-get install sudo\nRUN rm /usr/bin/su /usr/bin/sudo");
        let lines: Vec<_> = (1..)
            .take(layers.len())
            .map(|line| (Some(line), 1))
            .collect();
        evidence.sizes = Ok(sizes(&lines));
        evidence.contents = Ok(contents(layers));
        show(&goal(yaml).evaluate(&evidence))
    }

    fn gone(path: &str) -> Layer {
        let mut layer = layer(&[path]);
        layer.entries[0].kind = EntryKind::Whiteout;
        layer
    }

    #[test]
    fn plain_programs_meet_it() {
        let plain = layer(&["755 usr/bin/ls", "1777 tmp/", "2755 var/mail/"]);
        assert_eq!(judge("no_setuid", vec![plain]), "met: none");
        let verdict = goal("no_setuid").evaluate(&nothing("FROM a"));
        assert_eq!(show(&verdict), "unknown: It was not gathered.");
    }

    #[test]
    fn one_of_the_base_and_one_of_a_line_are_told_apart() {
        let base = layer(&["4755 usr/bin/su", "2755 usr/bin/wall"]);
        insta::assert_snapshot!(judge("no_setuid", vec![base.clone()]), @r"
        unmet: `/usr/bin/su` is setuid to root, and 1 more file
        why:   It comes with the base image of line 1, `debian`. Whoever starts it gets rights that the container's user does not have.
        next:  Ask what in the final image needs such a program, and who would start it.
        blame: line 1, layer 0, /usr/bin/su
        ");
        let own = layer(&["4755 usr/bin/sudo"]);
        let yaml = "no_setuid: { allow: [/usr/bin/su, /usr/bin/wall] }";
        insta::assert_snapshot!(judge(yaml, vec![base, own]), @r"
        unmet: `/usr/bin/sudo` is setuid to root
        why:   It comes with line 2, `RUN apt-get install sudo`. Whoever starts it gets rights that the container's user does not have.
        next:  Ask what in the final image needs such a program, and who would start it.
        blame: line 2, layer 1, /usr/bin/sudo
        ");
    }

    #[test]
    fn what_a_later_layer_deletes_is_told_and_counts_where_it_is_asked_for() {
        let layers = || vec![layer(&["4755 usr/bin/su"]), gone("usr/bin/su")];
        assert_eq!(
            judge("no_setuid", layers()),
            "met: none; 1 such file that a later layer hides or changes is still shipped"
        );
        insta::assert_snapshot!(judge("no_setuid: { in: any }", layers()), @r"
        unmet: `/usr/bin/su` is setuid to root
        why:   It comes with the base image of line 1, `debian`; a later layer hides or changes it, and it is shipped all the same. Whoever starts it gets rights that the container's user does not have.
        next:  Ask what in the final image needs such a program, and who would start it.
        blame: line 1, layer 0, /usr/bin/su
        ");
        // A later chmod takes the rights away from the file that is seen.
        let changed = vec![layer(&["4755 usr/bin/su"]), layer(&["755 usr/bin/su"])];
        assert!(judge("no_setuid", changed).starts_with("met: none; 1 such file"));
    }
}
