//! `dead_bytes`: at most so many bytes are shipped that nobody can see.

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
use crate::image::dead::Heap;
use crate::image::dead::How;
use crate::image::dead::Ledger;
use crate::text::plural;
use crate::units::Bytes;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct DeadBytes {
    #[serde(deserialize_with = "scalar")]
    max: Bytes,
    #[serde(default)]
    scope: Scope,
}

/// Whose dead bytes count.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Scope {
    /// All that the image ships.
    #[default]
    All,
    /// Those that the Dockerfile's own instructions hide.
    User,
}

impl Kind for DeadBytes {
    const ABOUT: About = About {
        name: "dead_bytes",
        asks: "At most so many bytes are shipped that a later layer hides.",
        parameters: &[
            must("max", "size", "The most dead bytes, in decimal units."),
            may(
                "scope",
                "all or user",
                "All of them, or those that the Dockerfile's own instructions hide; all.",
            ),
        ],
        example: "dead_bytes: { max: 1 MB, scope: user }",
    };

    fn from_text(text: &str) -> Option<Result<Self, String>> {
        use super::field::Scalar;
        Some(Bytes::read(text).map(|max| Self {
            max,
            scope: Scope::All,
        }))
    }
}

impl Goal for DeadBytes {
    fn kind(&self) -> &'static str {
        Self::ABOUT.name
    }

    fn title(&self) -> String {
        match self.scope {
            Scope::All => format!("≤ {} dead", self.max),
            Scope::User => format!("≤ {} dead of yours", self.max),
        }
    }

    fn wanted(&self) -> String {
        let whose = match self.scope {
            Scope::All => "",
            Scope::User => " because of this Dockerfile",
        };
        format!("at most {} are shipped and never seen{whose}", self.max)
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
        let heaps = Ledger::of(contents).heaps();
        let counts = |heap: &&Heap| match self.scope {
            Scope::All => true,
            Scope::User => !of_base(evidence, heap.hidden_in),
        };
        let dead: Bytes = heaps.iter().filter(counts).map(|heap| heap.bytes).sum();
        if dead <= self.max {
            return Verdict::met(format!("{dead}, {} to spare", self.max.minus(dead)));
        }
        let Some(largest) = heaps.iter().find(counts) else {
            return Verdict::met(dead.to_string());
        };
        unmet(
            evidence,
            &format!("{dead}, {} too much", dead.minus(self.max)),
            largest,
        )
    }
}

/// Whether a layer came with the base image.
fn of_base(evidence: &Evidence, layer: usize) -> bool {
    let from = base::base(&evidence.dockerfile).map(|(_, line)| line);
    from.is_some() && evidence.line_of_layer(layer) == from
}

/// What to say where too much is dead: the largest heap, who shipped it and who hid it.
pub(super) fn unmet(evidence: &Evidence, found: &str, heap: &Heap) -> Verdict {
    let path = format!("/{}", heap.path);
    let what = match heap.files {
        1 => format!("`{path}`"),
        files => format!("{} in `{path}`", plural(files, "file")),
    };
    let hides = match heap.how {
        How::Deleted => "deletes",
        How::Overwritten => "overwrites",
        How::MetadataOnly => "ships once more, with other permissions or another owner",
        How::Opaque => "hides behind a new folder of the same name",
        How::Replaced => "replaces by something else",
    };
    let name = |layer: usize| match evidence.line_of_layer(layer) {
        Some(line) => match base::quote_line(&evidence.dockerfile, line) {
            Some(quoted) => format!("line {line}, {quoted},"),
            None => format!("line {line}"),
        },
        None => format!("layer {layer}"),
    };
    let (shipped, hidden) = (name(heap.shipped_in), name(heap.hidden_in));
    let why = if shipped == hidden {
        format!(
            "{} of it is {what}: {hidden} brings it and {hides} it in a layer of its own. What a layer ships stays shipped.",
            heap.bytes
        )
    } else {
        format!(
            "{} of it is {what}, which {shipped} ships and {hidden} {hides}. What a layer ships stays shipped.",
            heap.bytes
        )
    };
    let next = match heap.how {
        How::Deleted | How::Opaque | How::Replaced => {
            "Follow these files from the instruction that brings them to the one that takes them away."
        }
        How::Overwritten => "Find out why these files are written twice.",
        How::MetadataOnly => {
            "Look at what the later instruction changes, and whether the earlier one could do that."
        }
    };
    // A learner can change what hides the bytes of a base, not the base.
    let blamed = if of_base(evidence, heap.shipped_in) {
        heap.hidden_in
    } else {
        heap.shipped_in
    };
    let line = evidence.line_of_layer(blamed);
    Verdict::unmet(
        found,
        why,
        next,
        Blame::line(line).in_layer(blamed).at_path(path),
    )
}

#[cfg(test)]
mod tests {
    use crate::goal::fixture::contents;
    use crate::goal::fixture::goal;
    use crate::goal::fixture::layer;
    use crate::goal::fixture::nothing;
    use crate::goal::fixture::show;
    use crate::goal::fixture::sizes;
    use crate::image::EntryKind;
    use crate::units::Bytes;

    /// Files weigh 10 bytes each.
    fn judge(yaml: &str) -> String {
        let mut evidence = nothing("FROM a\nRUN apt-get update\nRUN rm -rf /var/lib/apt/lists");
        let mut gone = layer(&["var/lib/apt/lists", "usr/share/doc"]);
        for entry in &mut gone.entries {
            entry.kind = EntryKind::Whiteout;
            entry.size = Bytes(0);
        }
        let layers = vec![
            layer(&["app", "usr/share/doc/x", "etc/conf"]),
            layer(&["etc/conf"]),
            layer(&[
                "var/lib/apt/lists/",
                "var/lib/apt/lists/a",
                "var/lib/apt/lists/b",
            ]),
            gone,
        ];
        evidence.contents = Ok(contents(layers));
        evidence.sizes = Ok(sizes(&[
            (Some(1), 30),
            (Some(1), 10),
            (Some(2), 20),
            (Some(3), 0),
        ]));
        show(&goal(yaml).evaluate(&evidence))
    }

    #[test]
    fn few_dead_bytes_meet_it() {
        assert_eq!(judge("dead_bytes: 50 B"), "met: 40 B, 10 B to spare");
        assert_eq!(
            judge("dead_bytes: { max: 30 B, scope: user }"),
            "met: 30 B, 0 B to spare"
        );
    }

    #[test]
    fn who_shipped_and_who_hid_the_largest_heap_is_told() {
        insta::assert_snapshot!(judge("dead_bytes: 5 B"), @r"
        unmet: 40 B, 35 B too much
        why:   20 B of it is 2 files in `/var/lib/apt/lists`, which line 2, `RUN apt-get update`, ships and line 3, `RUN rm -rf /var/lib/apt/lists`, deletes. What a layer ships stays shipped.
        next:  Follow these files from the instruction that brings them to the one that takes them away.
        blame: line 2, layer 2, /var/lib/apt/lists
        ");
    }

    #[test]
    fn without_the_layers_it_is_unknown() {
        let verdict = goal("dead_bytes: 1 MB").evaluate(&nothing("FROM a"));
        assert_eq!(show(&verdict), "unknown: It was not gathered.");
    }
}
