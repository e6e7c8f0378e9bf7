//! `ignored-copy`: what is copied is left out by the ignore file.

use super::super::ast::Body;
use super::super::ast::Keyword;
use super::Found;
use super::Rule;
use super::Severity;
use super::found::quote;
use super::subject::Subject;

pub(super) const RULE: Rule = Rule {
    id: "ignored-copy",
    aliases: &["CopyIgnoredFile"],
    severity: Severity::Warning,
    title: "a file is copied that the ignore file leaves out",
    why: "What `.dockerignore` leaves out is not sent to the builder. For `COPY` the file does not \
          exist, and the build stops although it lies in the folder.",
    bad: "FROM node:22-slim\nCOPY secrets.txt /\n",
    good: "FROM node:22-slim\nCOPY app.js /\n",
    check,
};

fn check(subject: &Subject<'_>, found: &mut Found<'_>) {
    let super::IgnoreFile::Read(ignore) = &subject.around.ignore else {
        return;
    };
    for (_, instruction) in subject.instructions() {
        let Body::Copy { sources, .. } = &instruction.body else {
            continue;
        };
        if instruction.flag("from").is_some()
            || !matches!(instruction.keyword, Keyword::Copy | Keyword::Add)
        {
            continue;
        }
        for source in sources {
            let path = source
                .text
                .trim_matches(['"', '\''])
                .trim_start_matches("./")
                .trim_matches('/');
            let plain = !path.is_empty()
                && path != "."
                && !path.contains(['*', '?', '[', '$'])
                && !path.contains("://");
            let Some(decision) = ignore.explain(path).filter(|one| plain && one.excluded) else {
                continue;
            };
            // Something below it may be brought back.
            if !ignore.may_bring_back_below(path) {
                found
                    .note(
                        source.span,
                        format!(
                            "line {} of the ignore file leaves `{}` out",
                            decision.line,
                            quote(path)
                        ),
                    )
                    .hint(format!(
                        "take it back there with `!{}`, or do not copy it",
                        quote(path)
                    ));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::ast::Dockerfile;
    use super::super::super::ignore::Ignore;
    use super::super::IgnoreFile;
    use super::super::Surroundings;
    use super::super::check_in;

    #[test]
    fn what_is_brought_back_excuses_nothing_else() {
        for (ignore, source, fires) in [
            ("*\n!app.js", "README.md", true),
            ("*\n!app.js", "app.js", false),
            ("*\n!*.js", "README.md", true),
            ("*\n!src", "src/a", false),
            ("*\n!src/a", "src/b", true),
            ("*\n!src/a", "src", false),
            ("*\n!src/*/a", "src/x", false),
            ("*\n!lib/*/a", "src/x", true),
            ("*\n!**/*.js", "src", false),
            ("*\n!/src/**", "./src/", false),
        ] {
            let around = Surroundings {
                ignore: IgnoreFile::Read(Ignore::parse(ignore).expect("fine")),
                ..Surroundings::default()
            };
            let file = Dockerfile::parse(&format!("FROM a:1\nCOPY {source} /x/\n"));
            let found = check_in(&file, &around);
            let found = found.iter().any(|one| one.rule.id == "ignored-copy");
            assert_eq!(found, fires, "{ignore:?}, {source}");
        }
    }
}
