//! `uses`: the Dockerfile has certain instructions.

use serde::Deserialize;

use super::Blame;
use super::Evidence;
use super::Goal;
use super::Missing;
use super::Needs;
use super::Verdict;
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
pub(super) struct Uses {
    instruction: OneOrMore<Pattern>,
    #[serde(default)]
    stage: Scope,
}

impl Kind for Uses {
    const ABOUT: About = About {
        name: "uses",
        asks: "The Dockerfile has these instructions.",
        parameters: &[
            must(
                "instruction",
                "instruction or list of instructions",
                "A keyword with the flags and words that it must have: `COPY --from`.",
            ),
            may(
                "stage",
                "any or final",
                "Any stage, or those of the final image; any.",
            ),
        ],
        example: "uses: [COPY --from, HEALTHCHECK]",
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

impl Goal for Uses {
    fn kind(&self) -> &'static str {
        Self::ABOUT.name
    }

    fn title(&self) -> String {
        format!("uses {}", list(&self.instruction.0, "and").replace('`', ""))
    }

    fn wanted(&self) -> String {
        format!(
            "{} has {}",
            self.stage.place(),
            list(&self.instruction.0, "and")
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
        let instructions = self.stage.of(file);
        let lines: Vec<Option<u32>> = self
            .instruction
            .0
            .iter()
            .map(|pattern| {
                pattern
                    .first_in(instructions.iter().copied())
                    .map(|one| one.line)
            })
            .collect();
        let missing = self
            .instruction
            .0
            .iter()
            .zip(&lines)
            .find(|(_, line)| line.is_none());
        let Some((pattern, _)) = missing else {
            let lines: Vec<String> = lines.iter().flatten().map(u32::to_string).collect();
            let noun = if lines.len() == 1 { "line" } else { "lines" };
            return Verdict::met(format!("{noun} {}", lines.join(", ")));
        };
        Verdict::unmet(
            format!("no {pattern}"),
            format!("No instruction of {} is of this form.", self.stage.place()),
            format!("The instruction's form is `{}`.", pattern.form()),
            Blame::default(),
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

    #[test]
    fn an_empty_file_is_unknown() {
        assert_eq!(
            judge("uses: USER", ""),
            "unknown: The Dockerfile has no FROM."
        );
        assert!(
            try_goal("uses: HEALTCHECK")
                .err()
                .unwrap()
                .contains("`HEALTCHECK`")
        );
    }
}
