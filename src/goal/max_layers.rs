//! `max_layers`: the image has at most so many layers.
//!
//! What WORKDIR makes is not counted: it holds a folder at most, and only some builders make a
//! layer of it.

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
use crate::dockerfile::Keyword;
use crate::image::HistoryStep;
use crate::image::Summary;
use crate::text::plural;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct MaxLayers {
    max: usize,
}

impl Kind for MaxLayers {
    const ABOUT: About = About {
        name: "max_layers",
        asks: "The image has at most so many layers, those of its base included and those of WORKDIR not.",
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
            Ok(summary) => count(summary),
            Err(missing) => return Verdict::unknown(missing),
        };
        if layers <= self.max {
            return Verdict::met(plural(layers, "layer"));
        }
        let lines = by_line(evidence);
        let base = layers.saturating_sub(lines.as_ref().map_or(0, Vec::len));
        let why = match lines.as_deref() {
            Some([first, .., last]) => format!(
                "The base image has {base}; lines {first} to {last} add {}.",
                layers.saturating_sub(base)
            ),
            Some([line]) => format!("The base image has {base}; line {line} adds 1."),
            Some([]) if base > 0 => String::from("All of them come with the base image."),
            _ => String::from("Each RUN, COPY and ADD of the final stage adds a layer."),
        };
        let lines = lines.unwrap_or_default();
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

/// The layers of an image without those that only set the working directory.
fn count(summary: &Summary) -> usize {
    let all = summary.diff_ids.len();
    let made = || summary.history.iter().filter(|step| !step.empty_layer);
    if made().count() != all {
        return all;
    }
    let ships = |index: usize| {
        let sizes = summary.layer_sizes.as_ref();
        sizes.is_some_and(|sizes| sizes.get(index).is_some_and(|size| size.0 > 0))
    };
    let counts = |(index, step): &(usize, &HistoryStep)| {
        ships(*index) || !sets_folder(&step.created_by, &summary.config.shell)
    };
    made().enumerate().filter(counts).count()
}

/// Whether a recorded step is a WORKDIR: `WORKDIR /app`, with `/bin/sh -c #(nop)` before it in the
/// classic builder's words, or another shell of the image. A RUN may end with such a comment.
fn sets_folder(created_by: &str, shell: &[String]) -> bool {
    let step = match created_by.split_once("#(nop)") {
        Some((by, step)) if by.trim() == "/bin/sh -c" || by.trim() == shell.join(" ") => step,
        Some(_) => return false,
        None => created_by,
    };
    step.split_whitespace().next() == Some("WORKDIR")
}

/// The lines that add a layer to the base's, one for each layer.
fn by_line(evidence: &Evidence) -> Option<Vec<u32>> {
    let sizes = evidence.sizes.as_ref().ok()?;
    let from = base::base(&evidence.dockerfile).map(|(_, line)| line);
    let counts = |line: &u32| {
        let one = base::every(&evidence.dockerfile).find(|one| one.line == *line);
        one.is_none_or(|one| one.keyword != Keyword::Workdir)
    };
    let lines = sizes.layers.iter().filter(|layer| layer.line != from);
    Some(
        lines
            .filter_map(|layer| layer.line)
            .filter(counts)
            .collect(),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::goal::fixture::goal;
    use crate::goal::fixture::nothing;
    use crate::goal::fixture::show;
    use crate::goal::fixture::sizes;
    use crate::goal::fixture::summary;
    use crate::goal::fixture::with_config;
    use crate::image::Config;
    use crate::units::Bytes;

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
    fn what_only_sets_the_working_directory_is_not_counted() {
        let shell = ["/bin/bash", "-c"].map(str::to_owned).to_vec();
        let mut summary = summary(Config {
            shell,
            ..Config::default()
        });
        for created_by in [
            "COPY a /",
            "WORKDIR /app",
            "/bin/sh -c #(nop) WORKDIR /b",
            "/bin/bash -c #(nop) WORKDIR /c",
            "RUN /bin/sh -c c #(nop) WORKDIR # buildkit",
        ] {
            summary.diff_ids.push(format!("sha256:{created_by}"));
            summary.history.push(HistoryStep {
                created_by: created_by.to_owned(),
                empty_layer: false,
            });
        }
        assert_eq!(count(&summary), 2);
        // Nor does a step that brought bytes pass for one of these.
        let sizes = [7, 7, 0, 0, 7].map(Bytes);
        summary.layer_sizes = Some(sizes.to_vec());
        assert_eq!(count(&summary), 3);
        // A history that does not fit the layers says nothing of them.
        summary.history.pop();
        assert_eq!(count(&summary), 5);
    }

    #[test]
    fn without_an_image_it_is_unknown() {
        let verdict = goal("max_layers: 1").evaluate(&nothing("FROM a"));
        assert_eq!(show(&verdict), "unknown: It was not gathered.");
    }
}
