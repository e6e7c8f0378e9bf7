//! `avoids`: the Dockerfile does without certain instructions.

use serde::Deserialize;

use super::Blame;
use super::Evidence;
use super::Goal;
use super::Missing;
use super::Needs;
use super::Verdict;
use super::base;
use super::field::OneOrMore;
use super::instruction::Pattern;
use super::instruction::Scope;
use super::instruction::list;
use super::kind::About;
use super::kind::Kind;
use super::kind::may;
use super::kind::must;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Avoids {
    instruction: OneOrMore<Pattern>,
    #[serde(default)]
    stage: Scope,
}

impl Kind for Avoids {
    const ABOUT: About = About {
        name: "avoids",
        asks: "The Dockerfile does without these instructions.",
        parameters: &[
            must(
                "instruction",
                "instruction or list of instructions",
                "A keyword with the flags and words to avoid: `RUN curl`.",
            ),
            may(
                "stage",
                "any or final",
                "Any stage, or those of the final image; any.",
            ),
        ],
        example: "avoids: [ADD, RUN sudo]",
    };

    fn from_text(text: &str) -> Option<Result<Self, String>> {
        Self::from_list(vec![text.to_owned()])
    }

    fn from_list(list: Vec<String>) -> Option<Result<Self, String>> {
        Some(OneOrMore::of(&list).map(|instruction| Self {
            instruction,
            stage: Scope::Any,
        }))
    }
}

impl Goal for Avoids {
    fn kind(&self) -> &'static str {
        Self::ABOUT.name
    }

    fn title(&self) -> String {
        format!(
            "without {}",
            list(&self.instruction.0, "and").replace('`', "")
        )
    }

    fn wanted(&self) -> String {
        format!(
            "{} has no {}",
            self.stage.place(),
            list(&self.instruction.0, "and no")
        )
    }

    fn needs(&self) -> Needs {
        Needs::default()
    }

    fn evaluate(&self, evidence: &Evidence) -> Verdict {
        let file = &evidence.dockerfile;
        if file.stages.is_empty() {
            return Verdict::unknown(&Missing::because("The Dockerfile has no FROM."));
        }
        let mut instructions = self.stage.of(file).into_iter();
        let found = instructions.find_map(|one| {
            let mut patterns = self.instruction.0.iter();
            patterns
                .find(|pattern| pattern.matches(one))
                .map(|pattern| (pattern, one))
        });
        let Some((pattern, instruction)) = found else {
            return Verdict::met("none of them");
        };
        Verdict::unmet(
            format!("{pattern} on line {}", instruction.line),
            format!(
                "{} is what this exercise does without.",
                base::quote(instruction)
            ),
            "Ask what that line is for, and what else does the same.",
            Blame::line(Some(instruction.line)),
        )
    }
}

#[cfg(test)]
mod tests {
    use crate::goal::fixture::goal;
    use crate::goal::fixture::nothing;
    use crate::goal::fixture::show;

    fn judge(yaml: &str, file: &str) -> String {
        show(&goal(yaml).evaluate(&nothing(file)))
    }

    const FILE: &str = "FROM a AS b\nADD x /x\nFROM c\nRUN apt-get install sudo";

    #[test]
    fn the_line_that_has_it_is_to_blame() {
        insta::assert_snapshot!(judge("avoids: [MAINTAINER, ADD]", FILE), @r"
        unmet: `ADD` on line 2
        why:   `ADD x /x` is what this exercise does without.
        next:  Ask what that line is for, and what else does the same.
        blame: line 2
        ");
        assert!(judge("avoids: RUN apt-get install", FILE).contains("line 4"));
    }

    #[test]
    fn none_of_them_meets_it() {
        assert_eq!(
            judge("avoids: [MAINTAINER, RUN curl]", FILE),
            "met: none of them"
        );
        assert!(judge("avoids: { instruction: ADD, stage: final }", FILE).starts_with("met"));
        assert_eq!(
            judge("avoids: ADD", ""),
            "unknown: The Dockerfile has no FROM."
        );
    }
}
