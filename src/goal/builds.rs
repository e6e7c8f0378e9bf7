//! `builds`: an image comes out of the Dockerfile.

use serde::Deserialize;

use super::Evidence;
use super::Goal;
use super::Needs;
use super::Verdict;
use super::kind::About;
use super::kind::Kind;
use crate::text::plural;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Builds {}

impl Kind for Builds {
    const ABOUT: About = About {
        name: "builds",
        asks: "The Dockerfile builds an image.",
        parameters: &[],
        example: "builds",
    };
}

impl Goal for Builds {
    fn kind(&self) -> &'static str {
        Self::ABOUT.name
    }

    fn title(&self) -> String {
        String::from("builds")
    }

    fn wanted(&self) -> String {
        String::from("the Dockerfile builds an image")
    }

    fn needs(&self) -> Needs {
        Needs::default()
    }

    fn evaluate(&self, evidence: &Evidence) -> Verdict {
        if let Some(failure) = &evidence.failure {
            return Verdict::Unmet(Box::new(failure.clone()));
        }
        match &evidence.summary {
            Ok(_) if evidence.steps.is_empty() => Verdict::met("an image"),
            Ok(_) => {
                let cached = evidence.steps.iter().filter(|step| step.cached).count();
                let steps = plural(evidence.steps.len(), "step");
                Verdict::met(format!(
                    "an image, {steps}, {cached} of them from the cache"
                ))
            }
            Err(missing) => Verdict::unknown(missing),
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::goal::Blame;
    use crate::goal::Unmet;
    use crate::goal::fixture::goal;
    use crate::goal::fixture::nothing;
    use crate::goal::fixture::show;
    use crate::goal::fixture::with_config;
    use crate::image::Config;
    use crate::text::Clean;

    #[test]
    fn an_image_meets_it_and_nothing_does_not() {
        let with = with_config("FROM a", Config::default());
        assert_eq!(show(&goal("builds").evaluate(&with)), "met: an image");
        let without = goal("builds").evaluate(&nothing("FROM a"));
        assert_eq!(show(&without), "unknown: It was not gathered.");
    }

    #[test]
    fn a_failed_build_says_what_failed() {
        let mut evidence = nothing("FROM a\nRUN false");
        evidence.failure = Some(Unmet {
            actual: Clean::line("no image"),
            why: Clean::line("`RUN false` stopped with status 1."),
            blame: Blame::line(Some(2)),
            next_step: Clean::line("Read the last lines of its output."),
            output: Vec::new(),
        });
        insta::assert_snapshot!(show(&goal("builds").evaluate(&evidence)), @r"
        unmet: no image
        why:   `RUN false` stopped with status 1.
        next:  Read the last lines of its output.
        blame: line 2
        ");
    }
}
