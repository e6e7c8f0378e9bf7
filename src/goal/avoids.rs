//! `avoids`: the Dockerfile does without certain instructions.

use serde::Deserialize;

use super::Blame;
use super::Evidence;
use super::Goal;
use super::Needs;
use super::Verdict;
use super::base;
use super::chosen;
use super::chosen::Chosen;
use super::kind::About;
use super::kind::Kind;

#[derive(Debug, Deserialize)]
#[serde(transparent)]
pub(super) struct Avoids(Chosen);

impl Kind for Avoids {
    const ABOUT: About = About {
        name: "avoids",
        asks: "The Dockerfile does without these instructions.",
        parameters: &chosen::parameters("A keyword with the flags and words to avoid: `RUN curl`."),
        example: "avoids: [ADD, RUN sudo]",
    };

    fn from_text(text: &str) -> Option<Result<Self, String>> {
        Self::from_list(vec![text.to_owned()])
    }

    fn from_list(list: Vec<String>) -> Option<Result<Self, String>> {
        Some(Chosen::of(&list).map(Self))
    }
}

impl Goal for Avoids {
    fn kind(&self) -> &'static str {
        Self::ABOUT.name
    }

    fn title(&self) -> String {
        format!("without {}", self.0.title())
    }

    fn wanted(&self) -> String {
        format!("{} has no {}", self.0.place(), self.0.list("and no"))
    }

    fn needs(&self) -> Needs {
        Needs::default()
    }

    fn evaluate(&self, evidence: &Evidence) -> Verdict {
        let instructions = match self.0.instructions(&evidence.dockerfile) {
            Ok(instructions) => instructions,
            Err(missing) => return Verdict::unknown(&missing),
        };
        let found = instructions.into_iter().find_map(|one| {
            let mut patterns = self.0.patterns().iter();
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
    use crate::goal::chosen::tests::judge;

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
    }
}
