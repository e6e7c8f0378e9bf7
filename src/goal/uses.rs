//! `uses`: the Dockerfile has certain instructions.

use serde::Deserialize;

use super::Blame;
use super::Evidence;
use super::Goal;
use super::Needs;
use super::Verdict;
use super::chosen;
use super::chosen::Chosen;
use super::kind::About;
use super::kind::Kind;

#[derive(Debug, Deserialize)]
#[serde(transparent)]
pub(super) struct Uses(Chosen);

impl Kind for Uses {
    const ABOUT: About = About {
        name: "uses",
        asks: "The Dockerfile has these instructions.",
        parameters: &chosen::parameters(
            "A keyword with the flags and words that it must have: `COPY --from`.",
        ),
        example: "uses: [COPY --from, HEALTHCHECK]",
    };

    fn from_text(text: &str) -> Option<Result<Self, String>> {
        Self::from_list(vec![text.to_owned()])
    }

    fn from_list(list: Vec<String>) -> Option<Result<Self, String>> {
        Some(Chosen::of(&list).map(Self))
    }
}

impl Goal for Uses {
    fn kind(&self) -> &'static str {
        Self::ABOUT.name
    }

    fn title(&self) -> String {
        format!("uses {}", self.0.title())
    }

    fn wanted(&self) -> String {
        format!("{} has {}", self.0.place(), self.0.list("and"))
    }

    fn needs(&self) -> Needs {
        Needs::default()
    }

    fn evaluate(&self, evidence: &Evidence) -> Verdict {
        let instructions = match self.0.instructions(&evidence.dockerfile) {
            Ok(instructions) => instructions,
            Err(missing) => return Verdict::unknown(&missing),
        };
        let patterns = self.0.patterns().iter();
        let lines: Vec<Option<u32>> = patterns
            .clone()
            .map(|pattern| {
                pattern
                    .first_in(instructions.iter().copied())
                    .map(|one| one.line)
            })
            .collect();
        let missing = patterns.zip(&lines).find(|(_, line)| line.is_none());
        let Some((pattern, _)) = missing else {
            let lines: Vec<String> = lines.iter().flatten().map(u32::to_string).collect();
            let noun = if lines.len() == 1 { "line" } else { "lines" };
            return Verdict::met(format!("{noun} {}", lines.join(", ")));
        };
        Verdict::unmet(
            format!("no {pattern}"),
            format!("No instruction of {} is of this form.", self.0.place()),
            format!("The instruction's form is `{}`.", pattern.form()),
            Blame::default(),
        )
    }
}

#[cfg(test)]
mod tests {
    use crate::goal::chosen::tests::judge;

    const FILE: &str = "FROM a AS b\nHEALTHCHECK CMD x\nFROM c\nCOPY --from=b /x /y";

    #[test]
    fn all_of_the_list_must_be_there() {
        assert_eq!(judge("uses: COPY --from", FILE), "met: line 4");
        assert_eq!(
            judge("uses: [COPY --from, HEALTHCHECK]", FILE),
            "met: lines 4, 2"
        );
        insta::assert_snapshot!(judge("uses: [COPY --from, USER]", FILE), @r"
        unmet: no `USER`
        why:   No instruction of the Dockerfile is of this form.
        next:  The instruction's form is `USER NAME-OR-NUMBER`.
        blame:
        ");
    }

    #[test]
    fn only_the_final_stage_may_count() {
        let yaml = "uses: { instruction: HEALTHCHECK, stage: final }";
        insta::assert_snapshot!(judge(yaml, FILE), @r"
        unmet: no `HEALTHCHECK`
        why:   No instruction of the final stage is of this form.
        next:  The instruction's form is `HEALTHCHECK CMD COMMAND`.
        blame:
        ");
    }
}
