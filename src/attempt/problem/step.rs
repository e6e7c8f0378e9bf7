//! A step without a command that stopped: there is only what the engine says.

use super::as_it_should_be;
use super::brief;
use super::problem;
use crate::dockerfile::Dockerfile;
use crate::dockerfile::Keyword;
use crate::report::Problem;
use crate::text::Clean;

/// Words of an engine that looks for a user or a group in the image.
const NOBODY: [&str; 5] = [
    "unable to find user",
    "unable to find group",
    "no such user",
    "no such group",
    "no matching entries in",
];

/// How an engine ends a message about more layers than it puts on one another.
const DEPTH: &str = "max depth exceeded";

pub(super) fn of_step(
    line: Option<u32>,
    title: &Clean,
    message: &Clean,
    dockerfile: &Dockerfile,
) -> Problem {
    let said = message.as_str().trim_end_matches('.');
    let next = match next(title.as_str(), said) {
        Some(next) => next.to_owned(),
        None => as_it_should_be(line, said, dockerfile),
    };
    // BuildKit puts a name of its own before it.
    let said = if said.ends_with(DEPTH) {
        "with it the image has more layers than this engine takes (max depth exceeded)"
    } else {
        said
    };
    let title = brief(title);
    problem(&format!("`{title}` stopped: {said}."), &next, line)
}

/// What to look at, by what an instruction does and what the engine says of it; `None` where that is
/// the instruction's own form.
fn next(title: &str, said: &str) -> Option<&'static str> {
    let lower = said.to_lowercase();
    if NOBODY.iter().any(|words| lower.contains(words)) {
        return Some(
            "Compare that name with the users and groups that the image has there: `/etc/passwd` and `/etc/group` list them.",
        );
    }
    if lower.ends_with(DEPTH) {
        return Some(
            "Join instructions: each RUN, COPY and ADD makes a layer, on top of those of the base image.",
        );
    }
    // What is between `${` and `}`, whatever the instruction does.
    if said.starts_with("failed to process") {
        return None;
    }
    let title = title.strip_prefix("ONBUILD ").unwrap_or(title);
    let is_missing = said.starts_with('"') && said.ends_with("\" not found");
    Some(match Keyword::parse(title.split(' ').next()?)? {
        Keyword::Add if title.contains("://") && !is_missing => {
            "Check that address: the engine fetches it anew in a build, and needs a network for it."
        }
        Keyword::Copy if title.contains("--from=") => {
            "Compare what the line names with what is in the stage or image behind `--from`."
        }
        Keyword::Copy | Keyword::Add => "Compare what the line names with what is in your folder.",
        Keyword::Run if title.contains("--mount=") => of_mount(&lower),
        Keyword::Run => {
            "Look at how that command is started: at the line itself, and at `USER`, `WORKDIR` and `SHELL` above it."
        }
        Keyword::Workdir => {
            "Compare that path with what is in the image: a folder, or nothing yet."
        }
        Keyword::From if is_missing => {
            "Look at the base of that stage: what it holds behind `ONBUILD` is carried out here."
        }
        _ => return None,
    })
}

/// What to look at in a RUN with mounts.
fn of_mount(lower: &str) -> &'static str {
    if lower.contains("secret") || lower.contains("ssh") {
        "A check hands no secret and no SSH key to a build: let the line do without, or not require it."
    } else {
        "Look at the `--mount` of that line: at what it names, and whether this engine's builder knows it."
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(line: &str, message: &str) -> String {
        let dockerfile = Dockerfile::parse(&format!("FROM a\n{line}\n"));
        let title = Clean::line(line);
        let at = if line.starts_with("FROM") { 1 } else { 2 };
        let problem = of_step(Some(at), &title, &Clean::line(message), &dockerfile);
        problem.next_step.unwrap_or_default().to_string()
    }

    #[test]
    fn the_next_step_is_about_what_the_step_does() {
        let missing = "\"/nosuch\" not found";
        for (line, message, wanted) in [
            ("COPY nosuch /x", missing, "in your folder"),
            ("COPY --from=b /nosuch /x", missing, "behind `--from`"),
            ("ADD nosuch http://a/b /x/", missing, "in your folder"),
            (
                "ADD http://a/b /x/",
                "no host of that name is known",
                "that address",
            ),
            (
                "RUN id",
                "unable to find user nosuch: no matching entries in passwd file",
                "`/etc/passwd`",
            ),
            ("RUN id", "runc did not terminate sucessfully", "`WORKDIR`"),
            (
                "RUN --mount=type=secret,id=t,required=true id",
                "secret t not found: not found",
                "no secret",
            ),
            (
                "RUN --mount=type=cache,target=/a id",
                "the --mount option requires BuildKit",
                "`--mount` of that line",
            ),
            (
                "WORKDIR /bin/sh",
                "Cannot mkdir: /bin/sh is not a directory",
                "a folder",
            ),
            ("FROM m", missing, "`ONBUILD`"),
            ("FROM a", "it broke", "`FROM IMAGE AS STAGE`"),
            ("VOLUME /x", "it broke", "`VOLUME PATH…`"),
            (
                "COPY a /b",
                "failed to prepare xuqrtis53ide: max depth exceeded",
                "Join instructions",
            ),
            (
                "COPY \"max depth exceeded\" /b",
                "\"/max depth exceeded\" not found",
                "in your folder",
            ),
            (
                "WORKDIR ${A:?no}",
                "failed to process \"${A:?no}\": A: no",
                "`WORKDIR PATH`",
            ),
            (
                "ONBUILD ADD http://a/b /x/",
                "nothing answers there",
                "that address",
            ),
        ] {
            let next = told(line, message);
            assert!(next.contains(wanted), "{line}: {next}");
        }
    }
}
