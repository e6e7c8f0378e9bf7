//! `largest_file`: no single file is larger than this.

use serde::Deserialize;

use super::Blame;
use super::Evidence;
use super::Goal;
use super::Needs;
use super::Verdict;
use super::base;
use super::field::scalar;
use super::kind::About;
use super::kind::Kind;
use super::kind::may;
use super::kind::must;
use crate::image::Contents;
use crate::image::EntryKind;
use crate::image::tree::Tree;
use crate::units::Bytes;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct LargestFile {
    #[serde(deserialize_with = "scalar")]
    max: Bytes,
    #[serde(default, rename = "in")]
    place: Place,
}

/// Where files are looked at.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Place {
    /// In the file system that a container sees.
    #[default]
    Final,
    /// In any layer: what a later layer deletes is still shipped.
    Any,
}

/// The file that weighs most.
struct Largest {
    path: String,
    layer: usize,
    size: Bytes,
}

impl LargestFile {
    /// Of several, the first by path.
    fn find(&self, contents: &Contents) -> Option<Largest> {
        let heavier = |best: Option<Largest>, (path, layer, size): (String, usize, Bytes)| {
            let better = best.as_ref().is_none_or(|best| size > best.size);
            if better {
                Some(Largest { path, layer, size })
            } else {
                best
            }
        };
        match self.place {
            Place::Final => Tree::of(contents)
                .nodes()
                .filter(|node| node.entry.kind == EntryKind::File)
                .map(|node| (node.path, node.layer, node.entry.size))
                .fold(None, heavier),
            Place::Any => {
                let entries = contents
                    .layers
                    .iter()
                    .flat_map(|layer| layer.entries.iter().map(move |entry| (layer.index, entry)));
                entries
                    .filter(|(_, entry)| entry.kind == EntryKind::File)
                    .map(|(layer, entry)| (entry.path.clone(), layer, entry.size))
                    .fold(None, heavier)
            }
        }
    }
}

impl Kind for LargestFile {
    const ABOUT: About = About {
        name: "largest_file",
        asks: "No single file of the image is larger than this.",
        parameters: &[
            must(
                "max",
                "size",
                "The size of the largest file, in decimal units.",
            ),
            may(
                "in",
                "final or any",
                "The final file system, or any layer; final.",
            ),
        ],
        example: "largest_file: 20 MB",
    };

    fn from_text(text: &str) -> Option<Result<Self, String>> {
        use super::field::Scalar;
        Some(Bytes::read(text).map(|max| Self {
            max,
            place: Place::Final,
        }))
    }
}

impl Goal for LargestFile {
    fn kind(&self) -> &'static str {
        Self::ABOUT.name
    }

    fn title(&self) -> String {
        match self.place {
            Place::Final => format!("files ≤ {}", self.max),
            Place::Any => format!("files ≤ {} in any layer", self.max),
        }
    }

    fn wanted(&self) -> String {
        match self.place {
            Place::Final => format!("no file in the image is larger than {}", self.max),
            Place::Any => format!("no file in any layer is larger than {}", self.max),
        }
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
        let Some(largest) = self.find(contents) else {
            return Verdict::met("no file at all");
        };
        let found = format!("`/{}`, {}", largest.path, largest.size);
        if largest.size <= self.max {
            return Verdict::met(found);
        }
        let line = evidence.line_of_layer(largest.layer);
        let why = match line.and_then(|line| base::quote_line(&evidence.dockerfile, line)) {
            Some(quoted) => format!("Line {}, {quoted}, brings it.", line.unwrap_or_default()),
            None => format!("It is in layer {}.", largest.layer),
        };
        let over = largest.size.minus(self.max);
        Verdict::unmet(
            format!("{found}, {over} too much"),
            why,
            "Ask what the app needs this file for, and whether it needs all of it.",
            Blame::line(line)
                .in_layer(largest.layer)
                .at_path(format!("/{}", largest.path)),
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::goal::fixture::contents;
    use crate::goal::fixture::goal;
    use crate::goal::fixture::layer;
    use crate::goal::fixture::nothing;
    use crate::goal::fixture::show;
    use crate::goal::fixture::sizes;

    fn judge(yaml: &str) -> String {
        let mut evidence = nothing("FROM a\nCOPY model /opt\nRUN rm /opt/model");
        let mut model = layer(&["opt/", "opt/model", "opt/small"]);
        model.entries[1].size = Bytes(5_000_000);
        let mut gone = layer(&["opt/model"]);
        gone.entries[0].kind = EntryKind::Whiteout;
        evidence.contents = Ok(contents(vec![layer(&["app"]), model, gone]));
        evidence.sizes = Ok(sizes(&[(Some(1), 1), (Some(2), 1), (Some(3), 0)]));
        show(&goal(yaml).evaluate(&evidence))
    }

    #[test]
    fn what_a_container_sees_counts() {
        assert_eq!(judge("largest_file: 10 B"), "met: `/app`, 10 B");
        insta::assert_snapshot!(judge("largest_file: 9 B"), @r"
        unmet: `/app`, 10 B, 1 B too much
        why:   Line 1, `FROM a`, brings it.
        next:  Ask what the app needs this file for, and whether it needs all of it.
        blame: line 1, layer 0, /app
        ");
    }

    #[test]
    fn or_what_any_layer_ships() {
        insta::assert_snapshot!(judge("largest_file: { max: 1 MB, in: any }"), @r"
        unmet: `/opt/model`, 5 MB, 4 MB too much
        why:   Line 2, `COPY model /opt`, brings it.
        next:  Ask what the app needs this file for, and whether it needs all of it.
        blame: line 2, layer 1, /opt/model
        ");
    }

    #[test]
    fn without_the_layers_it_is_unknown() {
        let verdict = goal("largest_file: 1 MB").evaluate(&nothing("FROM a"));
        assert_eq!(show(&verdict), "unknown: It was not gathered.");
    }
}
