//! `no_secret`: the tokens that the exercise planted are nowhere in the image.

use serde::Deserialize;

use super::Blame;
use super::Evidence;
use super::Goal;
use super::Needs;
use super::Verdict;
use super::evidence::CanaryPlace;
use super::kind::About;
use super::kind::Kind;
use crate::text::plural;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct NoSecret {}

impl Kind for NoSecret {
    const ABOUT: About = About {
        name: "no_secret",
        asks: "The exercise's planted tokens are in no layer, not in the config and not in the history.",
        parameters: &[],
        example: "no_secret",
    };
}

impl Goal for NoSecret {
    fn kind(&self) -> &'static str {
        Self::ABOUT.name
    }

    fn title(&self) -> String {
        String::from("no secret")
    }

    fn wanted(&self) -> String {
        String::from("no planted token is in a layer, in the config or in the history")
    }

    fn needs(&self) -> Needs {
        Needs {
            canaries: true,
            ..Needs::default()
        }
    }

    fn evaluate(&self, evidence: &Evidence) -> Verdict {
        let hits = match &evidence.canaries {
            Ok(hits) => hits,
            Err(missing) => return Verdict::unknown(missing),
        };
        let Some(first) = hits.first() else {
            return Verdict::met("no planted token");
        };
        let blame = Blame::line(first.line);
        let (place, why, next, blame) = match &first.place {
            CanaryPlace::Layer {
                layer,
                path,
                hidden: true,
            } => (
                format!("`/{path}` of layer {layer}, hidden by a later layer"),
                "What a later layer deletes is still in the layer below, and everybody who has the image can read it.",
                "Ask how a step can use a secret without a layer ever holding it.",
                blame.in_layer(*layer).at_path(format!("/{path}")),
            ),
            CanaryPlace::Layer {
                layer,
                path,
                hidden: false,
            } => (
                format!("`/{path}` of layer {layer}"),
                "Everybody who has the image can read its files.",
                "Follow the file from the build context to the layer.",
                blame.in_layer(*layer).at_path(format!("/{path}")),
            ),
            CanaryPlace::Config { part } => (
                part.to_string(),
                "Everybody who has the image can read its config; no file needs to be opened for it.",
                "Look at which values of the build end up in the image's config.",
                blame,
            ),
            CanaryPlace::History => (
                String::from("the image's history"),
                "The history keeps each instruction with the build arguments that it used.",
                "Look at which values the steps of the build are given as arguments.",
                blame,
            ),
        };
        let more = match hits.len() - 1 {
            0 => String::new(),
            more => format!(", and {}", plural(more, "more place")),
        };
        Verdict::unmet(
            format!("a planted token in {place}{more}"),
            why,
            next,
            blame,
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::goal::evidence::CanaryHit;
    use crate::goal::fixture::goal;
    use crate::goal::fixture::nothing;
    use crate::goal::fixture::show;
    use crate::text::Clean;

    fn judge(places: Vec<CanaryPlace>) -> String {
        let mut evidence = nothing("FROM a\nCOPY . .");
        let hits = places.into_iter().map(|place| CanaryHit {
            place,
            line: Some(2),
        });
        evidence.canaries = Ok(hits.collect());
        show(&goal("no_secret").evaluate(&evidence))
    }

    fn file(hidden: bool) -> CanaryPlace {
        CanaryPlace::Layer {
            layer: 3,
            path: Clean::line("app/.env"),
            hidden,
        }
    }

    #[test]
    fn no_hit_meets_it() {
        assert_eq!(judge(Vec::new()), "met: no planted token");
        let verdict = goal("no_secret").evaluate(&nothing("FROM a"));
        assert_eq!(show(&verdict), "unknown: It was not gathered.");
    }

    #[test]
    fn each_place_has_its_reason() {
        insta::assert_snapshot!(judge(vec![file(false)]), @r"
        unmet: a planted token in `/app/.env` of layer 3
        why:   Everybody who has the image can read its files.
        next:  Follow the file from the build context to the layer.
        blame: line 2, layer 3, /app/.env
        ");
        insta::assert_snapshot!(judge(vec![file(true), CanaryPlace::History]), @r"
        unmet: a planted token in `/app/.env` of layer 3, hidden by a later layer, and 1 more place
        why:   What a later layer deletes is still in the layer below, and everybody who has the image can read it.
        next:  Ask how a step can use a secret without a layer ever holding it.
        blame: line 2, layer 3, /app/.env
        ");
        let part = Clean::line("the label `by`");
        insta::assert_snapshot!(judge(vec![CanaryPlace::Config { part }]), @r"
        unmet: a planted token in the label `by`
        why:   Everybody who has the image can read its config; no file needs to be opened for it.
        next:  Look at which values of the build end up in the image's config.
        blame: line 2
        ");
        insta::assert_snapshot!(judge(vec![CanaryPlace::History]), @r"
        unmet: a planted token in the image's history
        why:   The history keeps each instruction with the build arguments that it used.
        next:  Look at which values the steps of the build are given as arguments.
        blame: line 2
        ");
    }
}
