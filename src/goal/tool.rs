//! What `no_shell` and `no_package_manager` share: tools that must not be in the image.

use super::Blame;
use super::Evidence;
use super::Needs;
use super::Verdict;
use super::base;
use crate::image::Contents;
use crate::image::shells::Tool;
use crate::image::tree::Tree;
use crate::text::plural;

/// What is looked for.
pub(super) struct Sort {
    /// `shell`.
    pub(super) noun: &'static str,
    /// Paths whose presence decides.
    pub(super) paths: &'static [&'static str],
    /// Finds all of them.
    pub(super) find: fn(&Tree<'_>) -> Vec<Tool>,
    /// Why one matters, as a whole sentence.
    pub(super) matters: &'static str,
}

impl Sort {
    /// The goal's title.
    pub(super) fn title(&self) -> String {
        format!("no {}", self.noun)
    }

    /// What the goal wants, in words.
    pub(super) fn wanted(&self) -> String {
        format!("the image has no {}", self.noun)
    }

    /// What is gathered for it.
    pub(super) fn needs(&self) -> Needs {
        Needs {
            contents: true,
            paths: self.paths.iter().map(|path| (*path).to_owned()).collect(),
            ..Needs::default()
        }
    }
}

/// Judges whether the image has none of them. Presence of a usual path is enough to say no; only
/// the whole image can say yes.
pub(super) fn judge(sort: &Sort, evidence: &Evidence) -> Verdict {
    match &evidence.contents {
        Ok(contents) => by_contents(sort, evidence, contents),
        Err(missing) => {
            let here = |path: &&&str| evidence.paths.get(**path) == Some(&Ok(true));
            let here: Vec<&&str> = sort.paths.iter().filter(here).collect();
            match here.first() {
                Some(path) => by_path(sort, evidence, path, here.len()),
                None => Verdict::unknown(missing),
            }
        }
    }
}

fn by_path(sort: &Sort, evidence: &Evidence, path: &str, count: usize) -> Verdict {
    let more = if count > 1 {
        format!(" and {} more", count - 1)
    } else {
        String::new()
    };
    let base = base::base(&evidence.dockerfile).filter(|(image, _)| image != "scratch");
    let (why, line) = match base {
        Some((image, line)) => (
            format!(
                "The final image starts from `{image}` on line {line}. {}",
                sort.matters
            ),
            Some(line),
        ),
        None => (sort.matters.to_owned(), None),
    };
    Verdict::unmet(
        format!("`/{path}`{more}"),
        why,
        format!("Ask what in the final image would miss the {}.", sort.noun),
        Blame::line(line).at_path(format!("/{path}")),
    )
}

fn by_contents(sort: &Sort, evidence: &Evidence, contents: &Contents) -> Verdict {
    let tree = Tree::of(contents);
    let tools = (sort.find)(&tree);
    let Some(first) = tools.first() else {
        return Verdict::met(format!("no {}", sort.noun));
    };
    // Several names often lead to one program: what counts is how many programs there are.
    let mut programs: Vec<&str> = tools.iter().map(|tool| tool.program.as_str()).collect();
    programs.sort_unstable();
    programs.dedup();
    let found = if programs.len() > 1 {
        format!(
            "`/{}`, {} in all",
            first.path,
            plural(programs.len(), sort.noun)
        )
    } else if first.program == first.path {
        format!("`/{}`", first.path)
    } else {
        format!("`/{}`, which is `/{}`", first.path, first.program)
    };
    let line = evidence.line_of_layer(first.layer);
    let from = base::base(&evidence.dockerfile).filter(|(_, from)| Some(*from) == line);
    let origin = match (line, from) {
        (_, Some((image, line))) => {
            format!("It comes with the base image of line {line}, `{image}`.")
        }
        (Some(line), None) => {
            let quoted = base::quote_line(&evidence.dockerfile, line)
                .map_or_else(String::new, |quoted| format!(", {quoted},"));
            format!("Line {line}{quoted} brings it.")
        }
        (None, None) => format!("It is in layer {}.", first.layer),
    };
    Verdict::unmet(
        found,
        format!("{origin} {}", sort.matters),
        format!("Ask what in the final image would miss the {}.", sort.noun),
        Blame::line(line)
            .in_layer(first.layer)
            .at_path(format!("/{}", first.path)),
    )
}

#[cfg(test)]
pub(super) mod tests {
    use crate::goal::fixture::contents;
    use crate::goal::fixture::goal;
    use crate::goal::fixture::nothing;
    use crate::goal::fixture::show;
    use crate::goal::fixture::sizes;
    use crate::image::Layer;

    /// The Dockerfile of the tests of these goals.
    pub(in crate::goal) const FILE: &str = "FROM debian:trixie\nCOPY --from=b /x /";

    /// What a goal says of an image with these layers.
    pub(in crate::goal) fn judge(kind: &str, layers: Vec<Layer>) -> String {
        let mut evidence = nothing(FILE);
        evidence.contents = Ok(contents(layers));
        evidence.sizes = Ok(sizes(&[(Some(1), 1), (Some(2), 1)]));
        show(&goal(kind).evaluate(&evidence))
    }

    #[test]
    fn absent_paths_do_not_prove_that_there_is_none() {
        for kind in ["no_shell", "no_package_manager"] {
            let mut evidence = nothing(FILE);
            for path in ["bin/sh", "sbin/apk"] {
                evidence.paths.insert(path.to_owned(), Ok(false));
            }
            let verdict = goal(kind).evaluate(&evidence);
            assert_eq!(show(&verdict), "unknown: It was not gathered.", "{kind}");
        }
    }
}
