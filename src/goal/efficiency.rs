//! `efficiency`: at least so much of what is shipped can be seen.

use serde::Deserialize;

use super::Evidence;
use super::Goal;
use super::Needs;
use super::Verdict;
use super::dead_bytes;
use super::field::Scalar;
use super::field::scalar;
use super::kind::About;
use super::kind::Kind;
use super::kind::must;
use crate::image::dead::Ledger;
use crate::units::Percent;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Efficiency {
    #[serde(deserialize_with = "scalar")]
    min: Percent,
}

impl Kind for Efficiency {
    const ABOUT: About = About {
        name: "efficiency",
        asks: "Of the bytes that the image ships, at least this share is seen in the end.",
        parameters: &[must(
            "min",
            "percentage",
            "The smallest share of live bytes.",
        )],
        example: "efficiency: 95 %",
    };

    fn from_text(text: &str) -> Option<Result<Self, String>> {
        Some(Percent::read(text).map(|min| Self { min }))
    }
}

impl Goal for Efficiency {
    fn kind(&self) -> &'static str {
        Self::ABOUT.name
    }

    fn title(&self) -> String {
        format!("≥ {} live", self.min.in_full())
    }

    fn wanted(&self) -> String {
        format!(
            "at least {} of what is shipped can be seen",
            self.min.in_full()
        )
    }

    fn needs(&self) -> Needs {
        Needs {
            contents: true,
            ..Needs::default()
        }
    }

    fn evaluate(&self, evidence: &Evidence) -> Verdict {
        let contents = match &evidence.contents {
            Ok(contents) => contents,
            Err(missing) => return Verdict::unknown(missing),
        };
        let ledger = Ledger::of(contents);
        let efficiency = ledger.efficiency();
        let found = format!(
            "{}: {} of {} are live",
            efficiency.short_of(self.min),
            ledger.live(),
            ledger.shipped()
        );
        match ledger.heaps().first() {
            Some(largest) if efficiency < self.min => dead_bytes::unmet(evidence, &found, largest),
            _ => Verdict::met(found),
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::goal::fixture::contents;
    use crate::goal::fixture::goal;
    use crate::goal::fixture::layer;
    use crate::goal::fixture::nothing;
    use crate::goal::fixture::show;
    use crate::goal::fixture::sizes;

    fn judge(yaml: &str) -> String {
        let mut evidence = nothing("FROM a\nRUN make\nRUN make again");
        let layers = vec![layer(&["a", "b", "c"]), layer(&["d"]), layer(&["d"])];
        evidence.contents = Ok(contents(layers));
        evidence.sizes = Ok(sizes(&[(Some(1), 30), (Some(2), 10), (Some(3), 10)]));
        show(&goal(yaml).evaluate(&evidence))
    }

    #[test]
    fn the_share_of_live_bytes_is_told() {
        assert_eq!(
            judge("efficiency: 80 %"),
            "met: 80 %: 40 B of 50 B are live"
        );
        insta::assert_snapshot!(judge("efficiency: 81 %"), @r"
        unmet: 80 %: 40 B of 50 B are live
        why:   10 B of it is `/d`, which line 2, `RUN make`, ships and line 3, `RUN make again`, ships once more, with other permissions or another owner. What a layer ships stays shipped.
        next:  Look at what the later instruction changes, and whether the earlier one could do that.
        blame: line 2, layer 1, /d
        ");
    }

    #[test]
    fn the_share_that_is_asked_for_is_shown_as_it_is_written() {
        let goal = goal("efficiency: 95.4 %");
        assert_eq!(goal.title(), "≥ 95.4 % live");
        assert!(goal.wanted().starts_with("at least 95.4 %"));
    }

    #[test]
    fn without_the_layers_it_is_unknown() {
        let verdict = goal("efficiency: 1 %").evaluate(&nothing("FROM a"));
        assert_eq!(show(&verdict), "unknown: It was not gathered.");
    }
}
