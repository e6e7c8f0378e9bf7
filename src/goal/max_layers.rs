//! `max_layers`: the image has at most so many layers.

use serde::Deserialize;

use super::Blame;
use super::Evidence;
use super::Goal;
use super::Needs;
use super::Verdict;
use super::base;
use super::kind::About;
use super::kind::Kind;
use super::kind::must;
use crate::text::plural;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct MaxLayers {
    max: usize,
}

impl Kind for MaxLayers {
    const ABOUT: About = About {
        name: "max_layers",
        asks: "The image has at most so many layers, those of its base included.",
        parameters: &[must("max", "number", "The largest number of layers.")],
        example: "max_layers: 8",
    };

    fn from_text(text: &str) -> Option<Result<Self, String>> {
        let max = text
            .parse()
            .map_err(|error| format!("`{text}` is not a number of layers ({error})"));
        Some(max.map(|max| Self { max }))
    }
}

impl Goal for MaxLayers {
    fn kind(&self) -> &'static str {
        Self::ABOUT.name
    }

    fn title(&self) -> String {
        format!("≤ {}", plural(self.max, "layer"))
    }

    fn wanted(&self) -> String {
        format!("the image has at most {}", plural(self.max, "layer"))
    }

    fn needs(&self) -> Needs {
        // The engine lists the layers of an image without exporting it.
        Needs::default()
    }

    fn evaluate(&self, evidence: &Evidence) -> Verdict {
        let layers = match &evidence.summary {
            Ok(summary) => summary.diff_ids.len(),
            Err(missing) => return Verdict::unknown(missing),
        };
        if layers <= self.max {
            return Verdict::met(plural(layers, "layer"));
        }
        let (from_base, lines) = by_line(evidence);
        let why = match (from_base, lines.first(), lines.last()) {
            (Some(base), Some(first), Some(last)) if first != last => format!(
                "The base image has {}; lines {first} to {last} add {}.",
                base,
                layers.saturating_sub(base)
            ),
            (Some(base), Some(line), _) => format!(
                "The base image has {base}; line {line} adds {}.",
                layers.saturating_sub(base)
            ),
            (Some(base), None, _) if base > 0 => {
                String::from("All of them come with the base image.")
            }
            _ => String::from("Each RUN, COPY and ADD of the final stage adds a layer."),
        };
        let line = lines.first().copied();
        let base_line = || base::base(&evidence.dockerfile).map(|(_, line)| line);
        Verdict::unmet(
            format!(
                "{}, {} too many",
                plural(layers, "layer"),
                layers - self.max
            ),
            why,
            "Look for neighbouring instructions that do one job between them.",
            Blame::line(line.or_else(base_line)),
        )
    }
}

/// How many layers the base has, and the lines that add one.
fn by_line(evidence: &Evidence) -> (Option<usize>, Vec<u32>) {
    let Ok(sizes) = &evidence.sizes else {
        return (None, Vec::new());
    };
    let from = base::base(&evidence.dockerfile).map(|(_, line)| line);
    let of_base = sizes
        .layers
        .iter()
        .filter(|layer| layer.line == from)
        .count();
    let lines = sizes.layers.iter().filter(|layer| layer.line != from);
    (
        Some(of_base),
        lines.filter_map(|layer| layer.line).collect(),
    )
}

#[cfg(test)]
mod tests {
    use crate::goal::fixture::goal;
    use crate::goal::fixture::nothing;
    use crate::goal::fixture::show;
    use crate::goal::fixture::sizes;
    use crate::goal::fixture::with_config;
    use crate::image::Config;

    fn judge(lines: &[u32]) -> String {
        let mut evidence = with_config("FROM debian\nRUN a\nRUN b\nCOPY c d", Config::default());
        let layers: Vec<_> = lines.iter().map(|line| (Some(*line), 1)).collect();
        evidence.sizes = Ok(sizes(&layers));
        if let Ok(summary) = &mut evidence.summary {
            summary.diff_ids = vec![String::new(); lines.len()];
        }
        show(&goal("max_layers: 2").evaluate(&evidence))
    }

    #[test]
    fn few_layers_meet_it() {
        assert_eq!(judge(&[1, 2]), "met: 2 layers");
        assert_eq!(judge(&[1]), "met: 1 layer");
    }

    #[test]
    fn the_lines_that_add_layers_are_to_blame() {
        insta::assert_snapshot!(judge(&[1, 2, 3, 4]), @r"
        unmet: 4 layers, 2 too many
        why:   The base image has 1; lines 2 to 4 add 3.
        next:  Look for neighbouring instructions that do one job between them.
        blame: line 2
        ");
        insta::assert_snapshot!(judge(&[1, 1, 3]), @r"
        unmet: 3 layers, 1 too many
        why:   The base image has 2; line 3 adds 1.
        next:  Look for neighbouring instructions that do one job between them.
        blame: line 3
        ");
        insta::assert_snapshot!(judge(&[1, 1, 1]), @r"
        unmet: 3 layers, 1 too many
        why:   All of them come with the base image.
        next:  Look for neighbouring instructions that do one job between them.
        blame: line 1
        ");
    }

    #[test]
    fn without_an_image_it_is_unknown() {
        let verdict = goal("max_layers: 1").evaluate(&nothing("FROM a"));
        assert_eq!(show(&verdict), "unknown: It was not gathered.");
    }
}
