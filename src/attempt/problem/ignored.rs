//! A file that is copied and that the ignore file leaves out: the builder only says that it is not
//! there.

use crate::dockerfile::Body;
use crate::dockerfile::Dockerfile;
use crate::dockerfile::Instruction;
use crate::dockerfile::Keyword;
use crate::dockerfile::context::LeftOut;
use crate::engine::BuildError;
use crate::report::Problem;

use super::problem;

/// What a failed step means whose source the ignore file leaves out. `left_out` tells of a path
/// whether it is such a one.
pub(in crate::attempt) fn of_ignored(
    error: &BuildError,
    dockerfile: &Dockerfile,
    left_out: impl Fn(&str) -> Option<LeftOut>,
) -> Option<Problem> {
    let BuildError::Step {
        line: Some(line),
        exit: None,
        message,
        ..
    } = error
    else {
        return None;
    };
    let mut instructions = dockerfile.stages.iter().flat_map(|one| &one.instructions);
    let found = instructions.find(|one| (one.line..=one.last_line).contains(line))?;
    sources(found)
        // Of several sources, the builder names the one that it misses.
        .filter(|path| message.as_str().contains(path.as_str()))
        .find_map(|path| left_out(&path).map(|why| told(&path, &why, found.line)))
}

/// What an instruction takes from the context, by its plain names.
fn sources(found: &Instruction) -> impl Iterator<Item = String> {
    let takes = matches!(found.keyword, Keyword::Copy | Keyword::Add);
    let words = match &found.body {
        Body::Copy { sources, .. } if takes && found.flag("from").is_none() => sources.as_slice(),
        _ => &[],
    };
    words.iter().filter_map(|word| {
        let path = word.text.trim_matches(['"', '\'']);
        let path = path.trim_start_matches("./").trim_matches('/');
        let plain = !path.is_empty() && path != "." && !path.contains(['*', '?', '[', '$']);
        (plain && !path.contains("://")).then(|| path.to_owned())
    })
}

fn told(path: &str, why: &LeftOut, line: u32) -> Problem {
    problem(
        &format!(
            "`{path}` is in your folder and is not sent to the builder: line {} of `{}`, `{}`, leaves it out.",
            why.decision.line, why.file, why.decision.pattern
        ),
        &format!(
            "Remove that line of `{}`, or write `!{path}` below it; or do not copy the file.",
            why.file
        ),
        Some(line),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dockerfile::Ignore;
    use crate::text::Clean;

    fn stopped(dockerfile: &str, message: &str) -> Option<Problem> {
        let error = BuildError::Step {
            line: Some(2),
            title: Clean::line("COPY"),
            exit: None,
            message: Clean::line(message),
            wrote: false,
        };
        let ignore = Ignore::parse("# all\n*\n!there\n").unwrap();
        of_ignored(&error, &Dockerfile::parse(dockerfile), |path| {
            let decision = ignore.explain(path).filter(|one| one.excluded)?;
            let file = Clean::path(".dockerignore");
            Some(LeftOut { file, decision })
        })
    }

    #[test]
    fn a_file_that_is_left_out_is_named_with_the_line_that_does_so() {
        let copy = "FROM a\nCOPY there ./greeting.txt /\n";
        for message in [
            "\"/greeting.txt\" not found",
            "stat greeting.txt: file does not exist",
        ] {
            let told = stopped(copy, message).unwrap();
            assert_eq!(told.blame.line, Some(2));
            insta::allow_duplicates! {
                insta::assert_snapshot!(format!("{}\n{}", told.message, told.next_step.unwrap()), @"
                `greeting.txt` is in your folder and is not sent to the builder: line 2 of `.dockerignore`, `*`, leaves it out.
                Remove that line of `.dockerignore`, or write `!greeting.txt` below it; or do not copy the file.
                ");
            }
        }
    }

    #[test]
    fn what_is_not_for_the_ignore_file_is_not_told_as_if_it_were() {
        let missing = "\"/greeting.txt\" not found";
        assert_eq!(stopped("FROM a\nCOPY there /\n", missing), None);
        assert_eq!(
            stopped("FROM a\nCOPY --from=b greeting.txt /\n", missing),
            None
        );
        assert_eq!(
            stopped("FROM a\nCOPY greeting.txt /\n", "no space left"),
            None
        );
        assert_eq!(stopped("FROM a\nRUN cat greeting.txt\n", missing), None);
    }
}
