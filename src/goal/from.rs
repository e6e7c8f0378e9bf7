//! `from`: the final image starts from scratch, from a distroless image, or from one of a list.

use std::fmt;

use serde::Deserialize;

use super::Blame;
use super::Evidence;
use super::Goal;
use super::Missing;
use super::Needs;
use super::Verdict;
use super::base;
use super::field::OneOrMore;
use super::field::Scalar;
use super::kind::About;
use super::kind::Kind;
use super::kind::must;
use crate::image::glob::Glob;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct FromGoal {
    one_of: OneOrMore<Origin>,
}

/// What a final image may start from.
#[derive(Debug, Clone)]
enum Origin {
    /// Nothing.
    Scratch,
    /// An image of the distroless project, by its repository's name.
    Distroless,
    /// A reference, in which `*` stands for any characters but `/`.
    Reference { text: String, glob: Glob },
}

impl Scalar for Origin {
    const EXPECTED: &'static str = "`scratch`, `distroless` or a reference such as `python:3.13-*`";

    fn read(text: &str) -> Result<Self, String> {
        match text {
            "scratch" => Ok(Self::Scratch),
            "distroless" => Ok(Self::Distroless),
            text => Ok(Self::Reference {
                text: text.to_owned(),
                glob: Glob::parse(&full_name(text))?,
            }),
        }
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Scratch => f.write_str("`scratch`"),
            Self::Distroless => f.write_str("a distroless image"),
            Self::Reference { text, .. } => write!(f, "`{text}`"),
        }
    }
}

impl Origin {
    fn fits(&self, reference: &str) -> bool {
        match self {
            Self::Scratch => reference == "scratch",
            Self::Distroless => {
                let name = reference.split(['@']).next().unwrap_or_default();
                name.split('/')
                    .rev()
                    .skip(1)
                    .any(|part| part == "distroless")
            }
            Self::Reference { glob, .. } => {
                reference != "scratch" && glob.matches(&full_name(reference))
            }
        }
    }
}

/// A reference with what may be left out: the default registry's names and the tag.
fn full_name(reference: &str) -> String {
    let name = reference.split('@').next().unwrap_or_default();
    let name = name.strip_prefix("docker.io/").unwrap_or(name);
    let name = name.strip_prefix("library/").unwrap_or(name);
    let last = name.rsplit('/').next().unwrap_or(name);
    if last.contains(':') {
        name.to_owned()
    } else {
        format!("{name}:latest")
    }
}

impl FromGoal {
    fn names(&self) -> String {
        let names: Vec<String> = self.one_of.0.iter().map(Origin::to_string).collect();
        match names.split_last() {
            Some((last, [])) => last.clone(),
            Some((last, start)) => format!("{} or {last}", start.join(", ")),
            None => String::new(),
        }
    }
}

impl Kind for FromGoal {
    const ABOUT: About = About {
        name: "from",
        asks: "The final image starts from scratch, from a distroless image, or from one of a list.",
        parameters: &[must(
            "one_of",
            "`scratch`, `distroless`, a reference, or a list of them",
            "What the final stage may start from; `*` stands for any part of a tag.",
        )],
        example: "from: [scratch, distroless]",
    };

    fn from_text(text: &str) -> Option<Result<Self, String>> {
        Self::from_list(vec![text.to_owned()])
    }

    fn from_list(list: Vec<String>) -> Option<Result<Self, String>> {
        Some(OneOrMore::of(&list).map(|one_of| Self { one_of }))
    }
}

impl Goal for FromGoal {
    fn kind(&self) -> &'static str {
        Self::ABOUT.name
    }

    fn title(&self) -> String {
        format!("from {}", self.names().replace('`', ""))
    }

    fn wanted(&self) -> String {
        format!("the final image starts from {}", self.names())
    }

    fn needs(&self) -> Needs {
        Needs::default()
    }

    fn evaluate(&self, evidence: &Evidence) -> Verdict {
        let Some((reference, line)) = base::base(&evidence.dockerfile) else {
            return Verdict::unknown(&Missing::because("The Dockerfile has no FROM."));
        };
        if self.one_of.0.iter().any(|origin| origin.fits(&reference)) {
            return Verdict::met(format!("from {reference}"));
        }
        let stages = base::chain(&evidence.dockerfile).len();
        let way = if stages > 1 {
            format!(" through {stages} stages")
        } else {
            String::new()
        };
        Verdict::unmet(
            format!("from `{reference}`"),
            format!(
                "Line {line} is where the final image starts{way}: all of `{reference}` ships with it."
            ),
            "Ask what the app needs from its base when it runs, and which base has no more than that.",
            Blame::line(Some(line)),
        )
    }
}

#[cfg(test)]
mod tests {
    use crate::goal::fixture::goal;
    use crate::goal::fixture::nothing;
    use crate::goal::fixture::show;
    use crate::goal::fixture::try_goal;

    fn judge(yaml: &str, file: &str) -> String {
        show(&goal(yaml).evaluate(&nothing(file)))
    }

    #[test]
    fn the_base_of_the_final_stage_counts() {
        let file = "FROM golang:1.25 AS build\nRUN go build\nFROM scratch\nCOPY --from=build /a /a";
        assert_eq!(judge("from: scratch", file), "met: from scratch");
        let distroless = "FROM gcr.io/distroless/static-debian13:nonroot";
        assert!(judge("from: [scratch, distroless]", distroless).starts_with("met"));
        assert!(
            judge(
                "from: 'python:3.13-*'",
                "FROM docker.io/library/python:3.13-slim"
            )
            .starts_with("met")
        );
        assert!(judge("from: debian", "FROM debian:latest").starts_with("met"));
    }

    #[test]
    fn a_stage_on_a_stage_leads_to_its_base() {
        let file = "FROM python:3.13 AS base\nRUN a\nFROM base\nCMD b";
        insta::assert_snapshot!(judge("from: distroless", file), @r"
        unmet: from `python:3.13`
        why:   Line 1 is where the final image starts through 2 stages: all of `python:3.13` ships with it.
        next:  Ask what the app needs from its base when it runs, and which base has no more than that.
        blame: line 1
        ");
    }

    #[test]
    fn a_name_that_only_looks_distroless_is_not() {
        assert!(judge("from: distroless", "FROM distroless").starts_with("unmet"));
        assert!(judge("from: scratch", "FROM scratchy").starts_with("unmet"));
        assert!(judge("from: '*:latest'", "FROM scratch").starts_with("unmet"));
    }

    #[test]
    fn without_a_base_it_is_unknown() {
        assert_eq!(
            judge("from: scratch", ""),
            "unknown: The Dockerfile has no FROM."
        );
        assert!(try_goal("from: []").is_err());
    }
}
