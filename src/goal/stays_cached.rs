//! `stays_cached`: after one file changes, certain steps are still taken from the cache.

use serde::Deserialize;

use super::Blame;
use super::Evidence;
use super::Goal;
use super::Missing;
use super::Needs;
use super::Verdict;
use super::base;
use super::evidence::Rebuild;
use super::evidence::StepFact;
use super::field::OneOrMore;
use super::instruction::Pattern;
use super::instruction::list;
use super::kind::About;
use super::kind::Kind;
use super::kind::must;
use crate::dockerfile::Instruction;
use crate::text::plural;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct StaysCached {
    touch: String,
    steps: OneOrMore<Pattern>,
}

impl StaysCached {
    fn rebuild(&self) -> Rebuild {
        Rebuild {
            touch: self.touch.clone(),
        }
    }
}

impl Kind for StaysCached {
    const ABOUT: About = About {
        name: "stays_cached",
        asks: "When one file changes, these steps are not run again.",
        parameters: &[
            must("touch", "path", "The file of the context that changes."),
            must(
                "steps",
                "instruction or list of instructions",
                "The steps that must come from the cache: `RUN pip install`.",
            ),
        ],
        example: "stays_cached: { touch: app.py, steps: [RUN pip install] }",
    };

    fn check(&self) -> Result<(), String> {
        let outside = self.touch.starts_with('/') || self.touch.split('/').any(|part| part == "..");
        if self.touch.is_empty() || outside {
            return Err(format!("`{}` is not a file inside the context", self.touch));
        }
        Ok(())
    }
}

impl Goal for StaysCached {
    fn kind(&self) -> &'static str {
        Self::ABOUT.name
    }

    fn title(&self) -> String {
        format!(
            "{} stays cached",
            list(&self.steps.0, "and").replace('`', "")
        )
    }

    fn wanted(&self) -> String {
        format!(
            "after a change of `{}`, {} is taken from the cache",
            self.touch,
            list(&self.steps.0, "and")
        )
    }

    fn needs(&self) -> Needs {
        Needs {
            rebuilds: [self.rebuild()].into(),
            ..Needs::default()
        }
    }

    fn evaluate(&self, evidence: &Evidence) -> Verdict {
        let steps = match evidence.rebuilds.get(&self.rebuild()) {
            Some(Ok(steps)) => steps,
            Some(Err(missing)) => return Verdict::unknown(missing),
            None => return Verdict::unknown(&Missing::because("The image was not built again.")),
        };
        let mut cached = 0;
        for pattern in &self.steps.0 {
            let matching: Vec<&Instruction> = base::every(&evidence.dockerfile)
                .filter(|one| pattern.matches(one))
                .collect();
            let facts: Vec<&StepFact> = steps
                .iter()
                .filter(|step| matching.iter().any(|one| step.line == Some(one.line)))
                .collect();
            if facts.is_empty() {
                return Verdict::unmet(
                    format!("no step {pattern}"),
                    "No instruction of this form is part of the build.",
                    "Compare the exercise's brief with the steps of your build.",
                    Blame::line(matching.first().map(|one| one.line)),
                );
            }
            if let Some(again) = facts.iter().find(|step| !step.cached) {
                return self.ran_again(evidence, steps, again);
            }
            cached += facts.len();
        }
        let found = format!("{} from the cache", plural(cached, "step"));
        let context = evidence.context.as_ref();
        if context.is_ok_and(|context| !context.paths.contains(&self.touch)) {
            return Verdict::met(format!("{found}: `{}` is not sent", self.touch));
        }
        Verdict::met(found)
    }
}

impl StaysCached {
    fn ran_again(&self, evidence: &Evidence, steps: &[StepFact], again: &StepFact) -> Verdict {
        let line = again.line.unwrap_or_default();
        let first = steps
            .iter()
            .filter(|step| step.stage == again.stage && !step.cached && step.line < again.line)
            .min_by_key(|step| step.line);
        let quote = |line: u32| {
            base::quote_line(&evidence.dockerfile, line)
                .map_or_else(String::new, |quoted| format!(", {quoted}"))
        };
        let found = format!("line {line}{} ran again", quote(line));
        match first.and_then(|step| step.line) {
            Some(cause) => Verdict::unmet(
                found,
                format!(
                    "A change of `{}` makes line {cause}{}, run again, and with it every step below it in its stage.",
                    self.touch,
                    quote(cause)
                ),
                format!(
                    "Look at which files line {cause} needs, and which of them line {line} needs."
                ),
                Blame::line(Some(cause)),
            ),
            None => Verdict::unmet(
                found,
                format!(
                    "Something that this step reads changes with `{}`.",
                    self.touch
                ),
                "Look at which files that step is given.",
                Blame::line(Some(line)),
            ),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::goal::evidence::ContextFacts;
    use crate::goal::fixture::goal;
    use crate::goal::fixture::nothing;
    use crate::goal::fixture::show;
    use crate::goal::fixture::try_goal;
    use crate::text::Clean;
    use crate::units::Bytes;

    const YAML: &str = "stays_cached: { touch: app.py, steps: RUN pip install }";
    const FILE: &str = "FROM a\nCOPY . .\nRUN pip install flask\nRUN true";

    fn judge(file: &str, cached: &[(u32, bool)]) -> String {
        let mut evidence = nothing(file);
        let steps = cached.iter().map(|(line, cached)| StepFact {
            line: Some(*line),
            stage: Some(0),
            title: Clean::line("RUN"),
            cached: *cached,
            took: Duration::ZERO,
        });
        evidence.rebuilds.insert(
            Rebuild {
                touch: String::from("app.py"),
            },
            Ok(steps.collect()),
        );
        show(&goal(YAML).evaluate(&evidence))
    }

    #[test]
    fn a_cached_step_meets_it() {
        assert_eq!(
            judge(FILE, &[(2, true), (3, true), (4, false)]),
            "met: 1 step from the cache"
        );
    }

    #[test]
    fn a_file_that_is_not_sent_runs_nothing_again() {
        let mut evidence = nothing(FILE);
        evidence.context = Ok(ContextFacts {
            bytes: Bytes(1),
            paths: vec![String::from("Dockerfile")],
        });
        let step = StepFact {
            line: Some(3),
            stage: Some(0),
            title: Clean::line("RUN"),
            cached: true,
            took: Duration::ZERO,
        };
        let goal = goal(YAML);
        let rebuild = goal.needs().rebuilds.pop_first().unwrap();
        evidence.rebuilds.insert(rebuild, Ok(vec![step]));
        assert_eq!(
            show(&goal.evaluate(&evidence)),
            "met: 1 step from the cache: `app.py` is not sent"
        );
    }

    #[test]
    fn the_step_that_breaks_the_cache_is_to_blame() {
        insta::assert_snapshot!(judge(FILE, &[(2, false), (3, false), (4, false)]), @r"
        unmet: line 3, `RUN pip install flask` ran again
        why:   A change of `app.py` makes line 2, `COPY . .`, run again, and with it every step below it in its stage.
        next:  Look at which files line 2 needs, and which of them line 3 needs.
        blame: line 2
        ");
        insta::assert_snapshot!(judge(FILE, &[(2, true), (3, false)]), @r"
        unmet: line 3, `RUN pip install flask` ran again
        why:   Something that this step reads changes with `app.py`.
        next:  Look at which files that step is given.
        blame: line 3
        ");
    }

    #[test]
    fn a_step_that_is_not_there_is_not_cached() {
        insta::assert_snapshot!(judge("FROM a\nRUN true", &[(2, true)]), @r"
        unmet: no step `RUN pip install`
        why:   No instruction of this form is part of the build.
        next:  Compare the exercise's brief with the steps of your build.
        blame:
        ");
    }

    #[test]
    fn without_a_second_build_it_is_unknown() {
        let verdict = goal(YAML).evaluate(&nothing(FILE));
        assert_eq!(show(&verdict), "unknown: The image was not built again.");
        let outside = "stays_cached: { touch: ../x, steps: RUN }";
        assert!(
            try_goal(outside)
                .err()
                .unwrap()
                .contains("not a file inside the context")
        );
    }
}
