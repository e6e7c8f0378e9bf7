//! What `uses` and `avoids` share: instructions that a Dockerfile is looked through for.

use serde::Deserialize;

use super::Missing;
use super::field::OneOrMore;
use super::instruction::Pattern;
use super::instruction::Scope;
use super::instruction::list;
use super::kind::Parameter;
use super::kind::may;
use super::kind::must;
use crate::dockerfile::Dockerfile;
use crate::dockerfile::Instruction;

/// Instructions, and where they count.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Chosen {
    instruction: OneOrMore<Pattern>,
    #[serde(default)]
    stage: Scope,
}

/// The parameters of a goal about instructions, with what the first one means.
pub(super) const fn parameters(means: &'static str) -> [Parameter; 2] {
    [
        must("instruction", "instruction or list of instructions", means),
        may(
            "stage",
            "any or final",
            "Any stage, or those of the final image; any.",
        ),
    ]
}

impl Chosen {
    /// Instructions of any stage, as a list has them.
    pub(super) fn of(list: &[String]) -> Result<Self, String> {
        OneOrMore::of(list).map(|instruction| Self {
            instruction,
            stage: Scope::Any,
        })
    }

    /// The patterns.
    pub(super) fn patterns(&self) -> &[Pattern] {
        &self.instruction.0
    }

    /// The patterns in a phrase, with `last` before the last one.
    pub(super) fn list(&self, last: &str) -> String {
        list(self.patterns(), last)
    }

    /// The patterns in a title.
    pub(super) fn title(&self) -> String {
        self.list("and").replace('`', "")
    }

    /// Where they count, for a sentence.
    pub(super) const fn place(&self) -> &'static str {
        self.stage.place()
    }

    /// The instructions of that place, in order.
    pub(super) fn instructions<'f>(
        &self,
        file: &'f Dockerfile,
    ) -> Result<Vec<&'f Instruction>, Missing> {
        if file.stages.is_empty() {
            return Err(Missing::because("The Dockerfile has no FROM."));
        }
        Ok(self.stage.of(file))
    }
}

#[cfg(test)]
pub(super) mod tests {
    use crate::goal::fixture::goal;
    use crate::goal::fixture::nothing;
    use crate::goal::fixture::show;
    use crate::goal::fixture::try_goal;

    /// What a goal says of a Dockerfile.
    pub(in crate::goal) fn judge(yaml: &str, file: &str) -> String {
        show(&goal(yaml).evaluate(&nothing(file)))
    }

    #[test]
    fn an_empty_file_is_unknown_and_an_unknown_instruction_an_error() {
        for kind in ["uses", "avoids"] {
            assert_eq!(
                judge(&format!("{kind}: USER"), ""),
                "unknown: The Dockerfile has no FROM."
            );
            let error = try_goal(&format!("{kind}: HEALTCHECK")).err().unwrap();
            assert!(error.contains("`HEALTCHECK`"), "{error}");
        }
    }
}
