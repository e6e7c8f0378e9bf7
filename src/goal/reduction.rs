//! `reduction`: the image is so much smaller than the starter.

use serde::Deserialize;

use super::Evidence;
use super::Goal;
use super::Missing;
use super::Needs;
use super::Verdict;
use super::field::Scalar;
use super::field::scalar;
use super::kind::About;
use super::kind::Kind;
use super::kind::must;
use super::max_size::Fattest;
use super::max_size::decidable;
use super::max_size::fattest;
use crate::units::Bytes;
use crate::units::Percent;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Reduction {
    #[serde(deserialize_with = "scalar")]
    percent: Percent,
}

impl Reduction {
    /// The largest size that is small enough.
    fn limit(&self, baseline: Bytes) -> Bytes {
        #[expect(
            clippy::cast_precision_loss,
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "a share from 0 to 100 of a size; a byte more or less decides nothing"
        )]
        Bytes((baseline.0 as f64 * (100.0 - self.percent.0) / 100.0).round() as u64)
    }
}

impl Kind for Reduction {
    const ABOUT: About = About {
        name: "reduction",
        asks: "The image is smaller than the starter by at least this share.",
        parameters: &[must(
            "percent",
            "percentage",
            "The share of the starter's bytes to lose.",
        )],
        example: "reduction: 90 %",
    };

    fn from_text(text: &str) -> Option<Result<Self, String>> {
        Some(Percent::read(text).map(|percent| Self { percent }))
    }
}

impl Goal for Reduction {
    fn kind(&self) -> &'static str {
        Self::ABOUT.name
    }

    fn title(&self) -> String {
        format!("{} smaller", self.percent.in_full())
    }

    fn wanted(&self) -> String {
        format!(
            "the image is at least {} smaller than the starter",
            self.percent.in_full()
        )
    }

    fn needs(&self) -> Needs {
        Needs {
            sizes: true,
            ..Needs::default()
        }
    }

    fn evaluate(&self, evidence: &Evidence) -> Verdict {
        let Some(baseline) = evidence.baseline.filter(|size| size.0 > 0) else {
            return Verdict::unknown(&Missing::because("What the starter weighs is not known."));
        };
        let shipped = match decidable(&evidence.sizes, self.limit(baseline)) {
            Ok(sizes) => sizes.shipped,
            Err(missing) => return Verdict::unknown(&missing),
        };
        let found = if shipped <= baseline {
            let share = baseline.minus(shipped).share_of(baseline);
            let share = share.short_of(self.percent);
            format!("{share} smaller: {shipped} of {baseline}")
        } else {
            format!("larger: {shipped}, and the starter has {baseline}")
        };
        if shipped <= self.limit(baseline) {
            return Verdict::met(found);
        }
        let Fattest { why, next, blame } = fattest(evidence);
        Verdict::unmet(found, why, next, blame)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::goal::fixture::goal;
    use crate::goal::fixture::nothing;
    use crate::goal::fixture::show;
    use crate::goal::fixture::sizes;

    fn judge(baseline: Option<u64>, now: u64) -> String {
        let mut evidence = nothing("FROM python:3.13-slim\nCOPY . .");
        evidence.baseline = baseline.map(Bytes);
        evidence.sizes = Ok(sizes(&[(Some(1), now), (Some(2), 0)]));
        show(&goal("reduction: 90 %").evaluate(&evidence))
    }

    #[test]
    fn the_share_that_was_lost_is_shown() {
        insta::assert_snapshot!(judge(Some(1_000_000_000), 64_000_000), @"met: 94 % smaller: 64 MB of 1 GB");
        insta::assert_snapshot!(judge(Some(1_000_000_000), 140_000_000), @r"
        unmet: 86 % smaller: 140 MB of 1 GB
        why:   140 MB of it is the base image of line 1, `FROM python:3.13-slim`.
        next:  Ask what of the base the app needs when it runs, and what only when it is built.
        blame: line 1, layer 0
        ");
        insta::assert_snapshot!(judge(Some(1_000_000), 2_000_000), @r"
        unmet: larger: 2 MB, and the starter has 1 MB
        why:   2 MB of it is the base image of line 1, `FROM python:3.13-slim`.
        next:  Ask what of the base the app needs when it runs, and what only when it is built.
        blame: line 1, layer 0
        ");
    }

    #[test]
    fn what_is_found_is_not_what_is_wanted_where_a_little_is_missing() {
        let missed = judge(Some(1_000_000_000), 103_000_000);
        assert!(missed.starts_with("unmet: 89.7 % smaller"), "{missed}");
        let wanted = goal("reduction: 89.75 %").wanted();
        assert!(wanted.contains("at least 89.75 %"), "{wanted}");
    }

    #[test]
    fn exactly_the_share_is_enough() {
        assert!(judge(Some(1_000_000_000), 100_000_000).starts_with("met"));
        assert!(judge(Some(1_000_000_000), 100_000_001).starts_with("unmet"));
    }

    #[test]
    fn without_a_starter_it_is_unknown() {
        assert_eq!(
            judge(None, 1),
            "unknown: What the starter weighs is not known."
        );
    }
}
