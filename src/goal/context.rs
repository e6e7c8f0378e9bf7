//! `context`: what is sent to the builder is small, and certain files are not in it.

use serde::Deserialize;

use super::Blame;
use super::Evidence;
use super::Goal;
use super::Needs;
use super::Verdict;
use super::field::OneOrMore;
use super::field::some_scalar;
use super::kind::About;
use super::kind::Kind;
use super::kind::may;
use crate::image::glob::Glob;
use crate::text::plural;
use crate::units::Bytes;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Context {
    #[serde(default, deserialize_with = "some_scalar")]
    max: Option<Bytes>,
    #[serde(default)]
    excludes: Option<OneOrMore<Glob>>,
}

impl Context {
    fn excluded(&self) -> &[Glob] {
        self.excludes
            .as_ref()
            .map(|list| list.0.as_slice())
            .unwrap_or_default()
    }

    fn without(&self) -> String {
        let names: Vec<String> = self
            .excluded()
            .iter()
            .map(|glob| format!("`{}`", glob.to_string().trim_start_matches('/')))
            .collect();
        names.join(", ")
    }
}

impl Kind for Context {
    const ABOUT: About = About {
        name: "context",
        asks: "The build context is small, and certain files are not sent with it.",
        parameters: &[
            may(
                "max",
                "size",
                "The largest size of all files that are sent.",
            ),
            may(
                "excludes",
                "path or list of paths",
                "What must not be sent; `*` and `**` work.",
            ),
        ],
        example: "context: { max: 1 MB, excludes: [.git, .env] }",
    };

    fn check(&self) -> Result<(), String> {
        if self.max.is_none() && self.excludes.is_none() {
            return Err(String::from("give `max` or `excludes`"));
        }
        Ok(())
    }
}

impl Goal for Context {
    fn kind(&self) -> &'static str {
        Self::ABOUT.name
    }

    fn title(&self) -> String {
        match (self.max, self.excluded()) {
            (Some(max), []) => format!("context ≤ {max}"),
            (Some(max), _) => format!("context ≤ {max} without {}", self.without()),
            (None, _) => format!("context without {}", self.without()),
        }
    }

    fn wanted(&self) -> String {
        match (self.max, self.excluded()) {
            (Some(max), []) => format!("the build context is at most {max}"),
            (Some(max), _) => {
                format!(
                    "the build context is at most {max} and has no {}",
                    self.without()
                )
            }
            (None, _) => format!("the build context has no {}", self.without()),
        }
    }

    fn needs(&self) -> Needs {
        Needs::default()
    }

    fn evaluate(&self, evidence: &Evidence) -> Verdict {
        let context = match &evidence.context {
            Ok(context) => context,
            Err(missing) => return Verdict::unknown(missing),
        };
        let found = format!(
            "{} in {}",
            context.bytes,
            plural(context.paths.len(), "file")
        );
        for glob in self.excluded() {
            let inside =
                |path: &str| glob.matches(path) || parents(path).any(|parent| glob.matches(parent));
            let sent: Vec<&String> = context.paths.iter().filter(|path| inside(path)).collect();
            let Some(first) = sent.first() else {
                continue;
            };
            let name = glob.to_string();
            let name = name.trim_start_matches('/');
            return Verdict::unmet(
                format!("`{name}` is sent, {}", plural(sent.len(), "file")),
                "What is in the build context can end up in a layer, and each change to it makes COPY run again.",
                "Look at what `.dockerignore` leaves out, and how it names folders.",
                Blame::default().at_path(first),
            );
        }
        match self.max {
            Some(max) if context.bytes > max => Verdict::unmet(
                format!("{found}, {} too much", context.bytes.minus(max)),
                "All of it is sent to the builder before the first instruction runs.",
                "Find out which of these files no instruction reads.",
                Blame::default(),
            ),
            _ => Verdict::met(found),
        }
    }
}

/// The folders that a path is in, the nearest first.
fn parents(path: &str) -> impl Iterator<Item = &str> {
    std::iter::successors(path.rsplit_once('/').map(|(parent, _)| parent), |path| {
        path.rsplit_once('/').map(|(parent, _)| parent)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::goal::evidence::ContextFacts;
    use crate::goal::fixture::goal;
    use crate::goal::fixture::nothing;
    use crate::goal::fixture::show;
    use crate::goal::fixture::try_goal;

    fn judge(yaml: &str, bytes: u64, paths: &[&str]) -> String {
        let mut evidence = nothing("FROM a");
        evidence.context = Ok(ContextFacts {
            bytes: Bytes(bytes),
            paths: paths.iter().map(|path| (*path).to_owned()).collect(),
        });
        show(&goal(yaml).evaluate(&evidence))
    }

    const BOTH: &str = "context: { max: 1 MB, excludes: [.git, .env] }";

    #[test]
    fn a_small_clean_context_meets_it() {
        assert_eq!(
            judge(BOTH, 1_200, &["Dockerfile", "app.py"]),
            "met: 1.2 kB in 2 files"
        );
    }

    #[test]
    fn a_file_below_an_excluded_folder_is_named() {
        let sent = ["Dockerfile", ".git/HEAD", ".git/objects/a"];
        insta::assert_snapshot!(judge(BOTH, 10, &sent), @r"
        unmet: `.git` is sent, 2 files
        why:   What is in the build context can end up in a layer, and each change to it makes COPY run again.
        next:  Look at what `.dockerignore` leaves out, and how it names folders.
        blame: .git/HEAD
        ");
    }

    #[test]
    fn too_many_bytes_are_counted() {
        insta::assert_snapshot!(judge(BOTH, 3_000_000, &["a"]), @r"
        unmet: 3 MB in 1 file, 2 MB too much
        why:   All of it is sent to the builder before the first instruction runs.
        next:  Find out which of these files no instruction reads.
        blame:
        ");
    }

    #[test]
    fn it_must_ask_for_something() {
        assert!(
            try_goal("context: {}")
                .err()
                .unwrap()
                .contains("give `max` or `excludes`")
        );
        let verdict = goal(BOTH).evaluate(&nothing("FROM a"));
        assert_eq!(show(&verdict), "unknown: It was not gathered.");
    }
}
