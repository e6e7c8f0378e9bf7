//! `builds`: an image comes out of the Dockerfile.

use serde::Deserialize;

use super::Blame;
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
        if let Some(problem) = evidence.dockerfile.problems.first() {
            return Verdict::unmet(
                "no image",
                format!("Line {} cannot be read: {}.", problem.line, problem.message),
                problem.hint.as_deref().map_or_else(
                    || String::from("Compare that line with the form that its instruction has."),
                    sentence,
                ),
                Blame::line(Some(problem.line)),
            );
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

/// A hint of the parser, a fragment, as a sentence.
fn sentence(hint: &str) -> String {
    let mut letters = hint.chars();
    let first: String = letters
        .next()
        .into_iter()
        .flat_map(char::to_uppercase)
        .collect();
    let end = if hint.ends_with(['.', '?', '!']) {
        ""
    } else {
        "."
    };
    format!("{first}{}{end}", letters.as_str())
}

#[cfg(test)]
mod tests {
    use crate::dockerfile::Problem;
    use crate::dockerfile::Span;
    use crate::goal::fixture::goal;
    use crate::goal::fixture::nothing;
    use crate::goal::fixture::show;
    use crate::goal::fixture::with_config;
    use crate::image::Config;

    #[test]
    fn an_image_meets_it_and_nothing_does_not() {
        let with = with_config("FROM a", Config::default());
        assert_eq!(show(&goal("builds").evaluate(&with)), "met: an image");
        let without = goal("builds").evaluate(&nothing("FROM a"));
        assert_eq!(show(&without), "unknown: It was not gathered.");
    }

    #[test]
    fn a_line_that_cannot_be_read_is_to_blame() {
        let mut evidence = nothing("FROM a\nRUNN b");
        let mut file = (*evidence.dockerfile).clone();
        file.problems.push(Problem {
            message: String::from("unknown instruction `RUNN`"),
            hint: Some(String::from("did you mean `RUN`?")),
            line: 2,
            span: Span::default(),
        });
        evidence.dockerfile = std::sync::Arc::new(file);
        insta::assert_snapshot!(show(&goal("builds").evaluate(&evidence)), @r"
        unmet: no image
        why:   Line 2 cannot be read: unknown instruction `RUNN`.
        next:  Did you mean `RUN`?
        blame: line 2
        ");
    }
}
