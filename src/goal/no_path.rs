//! `no_path`: certain paths are not in the image, or not in any layer of it.

use serde::Deserialize;

use super::Blame;
use super::Evidence;
use super::Goal;
use super::Needs;
use super::Verdict;
use super::base;
use super::field::OneOrMore;
use super::kind::About;
use super::kind::Kind;
use super::kind::may;
use super::kind::must;
use crate::image::Contents;
use crate::image::EntryKind;
use crate::image::glob::Glob;
use crate::image::tree::Tree;
use crate::text::plural;
use crate::units::Bytes;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct NoPath {
    glob: OneOrMore<Glob>,
    #[serde(default, rename = "in")]
    place: Place,
}

/// Where the paths must not be.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Place {
    /// In the file system that a container sees.
    #[default]
    Final,
    /// In any layer: what a later layer deletes is still shipped.
    Any,
}

/// A path that should not be there.
struct Found {
    path: String,
    layer: usize,
    size: Bytes,
}

impl NoPath {
    fn names(&self) -> String {
        let names: Vec<String> = self.glob.0.iter().map(|glob| format!("`{glob}`")).collect();
        names.join(", ")
    }

    fn find(&self, contents: &Contents) -> Vec<Found> {
        let tree = Tree::of(contents);
        // `/bin/sh` is there where `/bin` is a link to a folder that has it.
        let real = |folder: &str| tree.find(folder).ok().map(|node| node.path);
        let globs = self.glob.0.iter();
        let behind: Vec<Glob> = globs.filter_map(|glob| glob.behind_links(real)).collect();
        let wanted = |path: &str| {
            let mut globs = self.glob.0.iter().chain(&behind);
            globs.any(|glob| glob.matches(path))
        };
        match self.place {
            Place::Final => {
                let nodes = tree.nodes().filter(|node| wanted(&node.path));
                nodes
                    .map(|node| Found {
                        size: node.entry.size,
                        layer: node.layer,
                        path: node.path,
                    })
                    .collect()
            }
            Place::Any => {
                let entries = contents
                    .layers
                    .iter()
                    .flat_map(|layer| layer.entries.iter().map(move |entry| (layer.index, entry)));
                entries
                    .filter(|(_, entry)| {
                        !matches!(entry.kind, EntryKind::Whiteout | EntryKind::Opaque)
                    })
                    .filter(|(_, entry)| wanted(&entry.path))
                    .map(|(layer, entry)| Found {
                        path: entry.path.clone(),
                        layer,
                        size: entry.size,
                    })
                    .collect()
            }
        }
    }
}

impl Kind for NoPath {
    const ABOUT: About = About {
        name: "no_path",
        asks: "Certain files or folders are not in the image.",
        parameters: &[
            must(
                "glob",
                "path or list of paths",
                "What must not be there; `*` and `**` work.",
            ),
            may(
                "in",
                "final or any",
                "The final file system, or any layer; final.",
            ),
        ],
        example: "no_path: { glob: /var/lib/apt/lists/*, in: any }",
    };

    fn from_text(text: &str) -> Option<Result<Self, String>> {
        Self::from_list(vec![text.to_owned()])
    }

    fn from_list(list: Vec<String>) -> Option<Result<Self, String>> {
        Some(OneOrMore::of(&list).map(|glob| Self {
            glob,
            place: Place::Final,
        }))
    }
}

impl Goal for NoPath {
    fn kind(&self) -> &'static str {
        Self::ABOUT.name
    }

    fn title(&self) -> String {
        match self.place {
            Place::Final => format!("no {}", self.names()),
            Place::Any => format!("no {} in any layer", self.names()),
        }
    }

    fn wanted(&self) -> String {
        match self.place {
            Place::Final => format!("{} is not in the image", self.names()),
            Place::Any => format!("{} is in no layer of the image", self.names()),
        }
    }

    fn needs(&self) -> Needs {
        // A path without wildcards can be asked for before the image is read.
        let paths = self
            .glob
            .0
            .iter()
            .filter_map(|glob| glob.as_path().map(str::to_owned));
        Needs {
            contents: true,
            paths: paths.collect(),
            ..Needs::default()
        }
    }

    fn evaluate(&self, evidence: &Evidence) -> Verdict {
        let contents = match &evidence.contents {
            Ok(contents) => contents,
            Err(missing) => {
                let mut paths = self.glob.0.iter().filter_map(Glob::as_path);
                return match paths.find(|path| evidence.paths.get(*path) == Some(&Ok(true))) {
                    Some(path) => Verdict::unmet(
                        format!("`/{path}`"),
                        "It is in the image that comes out of the final stage.",
                        "Find the instruction of the final stage that brings it.",
                        Blame::default().at_path(format!("/{path}")),
                    ),
                    None => Verdict::unknown(missing),
                };
            }
        };
        let found = self.find(contents);
        let Some(first) = found.iter().max_by_key(|found| (found.size, found.layer)) else {
            return Verdict::met("not there");
        };
        let bytes: Bytes = found.iter().map(|found| found.size).sum();
        let line = evidence.line_of_layer(first.layer);
        let hidden =
            self.place == Place::Any && !Tree::of(contents).shows(first.layer, &first.path);
        let origin = match line.and_then(|line| base::quote_line(&evidence.dockerfile, line)) {
            Some(quoted) => format!("Line {}, {quoted}, brings it", line.unwrap_or_default()),
            None => format!("It is in layer {}", first.layer),
        };
        let why = if hidden {
            format!("{origin}; a later layer hides it, and it is shipped all the same.")
        } else {
            format!("{origin}.")
        };
        Verdict::unmet(
            format!(
                "`/{}`, {} with {bytes}",
                first.path,
                plural(found.len(), "path")
            ),
            why,
            "Look at what that layer's instruction does, from its first command to its last.",
            Blame::line(line)
                .in_layer(first.layer)
                .at_path(format!("/{}", first.path)),
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
    use crate::goal::fixture::try_goal;

    fn judge(yaml: &str) -> String {
        let mut evidence = nothing("FROM a\nRUN apt-get update\nRUN rm -rf /var/lib/apt/lists");
        let mut gone = layer(&["var/lib/apt/lists"]);
        gone.entries[0].kind = EntryKind::Whiteout;
        let layers = vec![
            layer(&["app"]),
            layer(&[
                "var/lib/apt/lists/",
                "var/lib/apt/lists/a",
                "var/lib/apt/lists/b",
            ]),
            gone,
        ];
        evidence.contents = Ok(contents(layers));
        evidence.sizes = Ok(sizes(&[(Some(1), 1), (Some(2), 1), (Some(3), 0)]));
        show(&goal(yaml).evaluate(&evidence))
    }

    #[test]
    fn a_deleted_path_is_gone_from_the_final_image() {
        assert_eq!(judge("no_path: /var/lib/apt/lists/*"), "met: not there");
    }

    #[test]
    fn a_deleted_path_is_still_in_its_layer() {
        insta::assert_snapshot!(judge("no_path: { glob: /var/lib/apt/lists/*, in: any }"), @r"
        unmet: `/var/lib/apt/lists/b`, 2 paths with 20 B
        why:   Line 2, `RUN apt-get update`, brings it; a later layer hides it, and it is shipped all the same.
        next:  Look at what that layer's instruction does, from its first command to its last.
        blame: line 2, layer 1, /var/lib/apt/lists/b
        ");
    }

    #[test]
    fn a_path_through_a_linked_folder_is_there() {
        let mut base = layer(&["bin", "usr/bin/", "usr/bin/bash"]);
        base.entries[0].kind = EntryKind::Symlink(String::from("usr/bin"));
        let mut evidence = nothing("FROM a");
        evidence.contents = Ok(contents(vec![base]));
        evidence.sizes = Ok(sizes(&[(Some(1), 1)]));
        for (glob, there) in [
            ("/bin/bash", true),
            ("/bin/b*", true),
            ("{ glob: /bin/bash, in: any }", true),
            ("/bin/zsh", false),
            ("/sbin/bash", false),
        ] {
            let verdict = show(&goal(&format!("no_path: {glob}")).evaluate(&evidence));
            let met = verdict == "met: not there";
            assert!(met != there, "{glob}: {verdict}");
            assert!(
                met || verdict.starts_with("unmet: `/usr/bin/bash`, 1 path"),
                "{verdict}"
            );
        }
    }

    #[test]
    fn one_of_several_paths_is_enough_to_miss_it() {
        insta::assert_snapshot!(judge("no_path: [/root/.cache, /app]"), @r"
        unmet: `/app`, 1 path with 10 B
        why:   Line 1, `FROM a`, brings it.
        next:  Look at what that layer's instruction does, from its first command to its last.
        blame: line 1, layer 0, /app
        ");
    }

    #[test]
    fn a_plain_path_decides_before_the_image_is_read() {
        let mut evidence = nothing("FROM a");
        evidence.paths.insert(String::from("root/.cache"), Ok(true));
        insta::assert_snapshot!(show(&goal("no_path: /root/.cache").evaluate(&evidence)), @r"
        unmet: `/root/.cache`
        why:   It is in the image that comes out of the final stage.
        next:  Find the instruction of the final stage that brings it.
        blame: /root/.cache
        ");
        let verdict = goal("no_path: /root/.cac*").evaluate(&evidence);
        assert_eq!(show(&verdict), "unknown: It was not gathered.");
    }

    #[test]
    fn a_broken_pattern_is_refused() {
        assert!(
            try_goal("no_path: 'a[b'")
                .err()
                .unwrap()
                .contains("never closed")
        );
        assert!(
            try_goal("no_path: []")
                .err()
                .unwrap()
                .contains("asks for nothing")
        );
    }
}
