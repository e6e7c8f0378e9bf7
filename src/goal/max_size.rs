//! `max_size`: the image ships at most so many bytes.

use serde::Deserialize;

use super::Blame;
use super::Evidence;
use super::Goal;
use super::Known;
use super::Missing;
use super::Needs;
use super::Verdict;
use super::base;
use super::evidence::Sizes;
use super::field::scalar;
use super::kind::About;
use super::kind::Kind;
use super::kind::must;
use crate::units::Bytes;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct MaxSize {
    #[serde(deserialize_with = "scalar")]
    max: Bytes,
}

impl Kind for MaxSize {
    const ABOUT: About = About {
        name: "max_size",
        asks: "The files of all layers together are at most so large.",
        parameters: &[must("max", "size", "The largest size, in decimal units.")],
        example: "max_size: 100 MB",
    };

    fn from_text(text: &str) -> Option<Result<Self, String>> {
        use super::field::Scalar;
        Some(Bytes::read(text).map(|max| Self { max }))
    }
}

impl Goal for MaxSize {
    fn kind(&self) -> &'static str {
        Self::ABOUT.name
    }

    fn title(&self) -> String {
        format!("≤ {}", self.max)
    }

    fn wanted(&self) -> String {
        format!("the image is at most {}", self.max)
    }

    fn needs(&self) -> Needs {
        Needs {
            sizes: true,
            ..Needs::default()
        }
    }

    fn limit(&self) -> Option<Bytes> {
        Some(self.max)
    }

    fn evaluate(&self, evidence: &Evidence) -> Verdict {
        let shipped = match decidable(&evidence.sizes, self.max) {
            Ok(sizes) => sizes.shipped,
            Err(missing) => return Verdict::unknown(&missing),
        };
        if shipped <= self.max {
            return Verdict::met(format!("{shipped}, {} to spare", self.max.minus(shipped)));
        }
        let over = shipped.minus(self.max);
        let Fattest { why, next, blame } = fattest(evidence);
        Verdict::unmet(format!("{shipped}, {over} too much"), why, next, blame)
    }
}

/// The sizes, unless they are the engine's figure and it is too near to the limit to decide.
pub(super) fn decidable(sizes: &Known<Sizes>, limit: Bytes) -> Known<&Sizes> {
    let sizes = sizes.as_ref().map_err(Clone::clone)?;
    let apart = sizes.shipped.minus(limit).plus(limit.minus(sizes.shipped));
    if !sizes.exact && apart.0 <= limit.0 / 1000 {
        return Err(Missing::because(
            "The engine's own figure is so near to the limit that the files must be counted one by one.",
        ));
    }
    Ok(sizes)
}

/// The part of an image that weighs most, for a learner.
pub(super) struct Fattest {
    pub(super) why: String,
    pub(super) next: String,
    pub(super) blame: Blame,
}

/// Finds the line that ships the most bytes.
pub(super) fn fattest(evidence: &Evidence) -> Fattest {
    let layers = evidence
        .sizes
        .as_ref()
        .map(|sizes| sizes.layers.as_slice())
        .unwrap_or_default();
    let weight = |line: Option<u32>| -> Bytes {
        layers
            .iter()
            .filter(|layer| layer.line == line)
            .map(|layer| layer.shipped)
            .sum()
    };
    let heaviest = layers
        .iter()
        .enumerate()
        // Of the layers of that line, such as those of a base, the largest.
        .max_by_key(|(_, layer)| match layer.line {
            Some(_) => (weight(layer.line), layer.shipped),
            None => (layer.shipped, layer.shipped),
        });
    let Some((index, layer)) = heaviest else {
        return Fattest {
            why: String::from("Which line brings most of it is not known here."),
            next: String::from("Look at what each instruction of the final stage brings."),
            blame: Blame::default(),
        };
    };
    let Some(line) = layer.line else {
        return Fattest {
            why: format!("The largest layer is layer {index} with {}.", layer.shipped),
            next: String::from("Find the instruction that makes this layer."),
            blame: Blame::default().in_layer(index),
        };
    };
    let bytes = weight(Some(line));
    let quoted = base::quote_line(&evidence.dockerfile, line)
        .map_or_else(String::new, |quoted| format!(", {quoted}"));
    let is_base = evidence
        .dockerfile
        .stages
        .iter()
        .any(|stage| stage.from.line == line);
    let (why, next) = if is_base {
        (
            format!("{bytes} of it is the base image of line {line}{quoted}."),
            "Ask what of the base the app needs when it runs, and what only when it is built.",
        )
    } else {
        (
            format!("{bytes} of it comes from line {line}{quoted}."),
            "Look at what that line leaves behind, and whether the app needs it when it runs.",
        )
    };
    Fattest {
        why,
        next: next.to_owned(),
        blame: Blame::line(Some(line)).in_layer(index),
    }
}

#[cfg(test)]
mod tests {
    use crate::goal::fixture::goal;
    use crate::goal::fixture::nothing;
    use crate::goal::fixture::show;
    use crate::goal::fixture::sizes;

    fn judge(layers: &[(Option<u32>, u64)], exact: bool) -> String {
        let mut evidence =
            nothing("FROM python:3.13\nCOPY . .\nRUN pip install flask\nRUN rm -r /x");
        let mut sizes = sizes(layers);
        sizes.exact = exact;
        evidence.sizes = Ok(sizes);
        show(&goal("max_size: 100 MB").evaluate(&evidence))
    }

    #[test]
    fn an_image_within_the_limit_has_bytes_to_spare() {
        insta::assert_snapshot!(judge(&[(Some(1), 63_900_000)], true), @"met: 63.9 MB, 36.1 MB to spare");
        assert!(judge(&[(Some(1), 100_000_000)], true).starts_with("met"));
    }

    #[test]
    fn the_base_is_to_blame_where_it_weighs_most() {
        let layers = [
            (Some(1), 500_000_000),
            (Some(1), 400_000_000),
            (Some(3), 12_000_000),
        ];
        insta::assert_snapshot!(judge(&layers, true), @r"
        unmet: 912 MB, 812 MB too much
        why:   900 MB of it is the base image of line 1, `FROM python:3.13`.
        next:  Ask what of the base the app needs when it runs, and what only when it is built.
        blame: line 1, layer 0
        ");
    }

    #[test]
    fn the_fattest_line_is_to_blame() {
        let layers = [
            (Some(1), 50_000_000),
            (Some(2), 1_000),
            (Some(3), 88_000_000),
            (Some(4), 0),
        ];
        insta::assert_snapshot!(judge(&layers, true), @r"
        unmet: 138 MB, 38 MB too much
        why:   88 MB of it comes from line 3, `RUN pip install flask`.
        next:  Look at what that line leaves behind, and whether the app needs it when it runs.
        blame: line 3, layer 2
        ");
    }

    #[test]
    fn a_layer_without_a_line_is_named_by_its_number() {
        insta::assert_snapshot!(judge(&[(None, 150_000_000), (None, 1)], true), @r"
        unmet: 150 MB, 50 MB too much
        why:   The largest layer is layer 0 with 150 MB.
        next:  Find the instruction that makes this layer.
        blame: layer 0
        ");
    }

    #[test]
    fn an_engine_figure_near_the_limit_does_not_decide() {
        assert!(judge(&[(Some(1), 100_050_000)], false).starts_with("unknown: The engine's own"));
        assert!(judge(&[(Some(1), 99_950_000)], false).starts_with("unknown"));
        assert!(judge(&[(Some(1), 100_200_000)], false).starts_with("unmet"));
        assert!(judge(&[(Some(1), 100_050_000)], true).starts_with("unmet"));
    }

    #[test]
    fn without_sizes_it_is_unknown() {
        let verdict = goal("max_size: { max: 1 kB }").evaluate(&nothing("FROM a"));
        assert_eq!(show(&verdict), "unknown: It was not gathered.");
    }
}
