//! `repeated-instruction`: an instruction of which only the last one counts.

use super::super::ast::Keyword;
use super::Found;
use super::Rule;
use super::Severity;
use super::subject::Subject;

pub(super) const RULE: Rule = Rule {
    id: "repeated-instruction",
    aliases: &[
        "DL4003",
        "DL4004",
        "DL3012",
        "MultipleInstructionsDisallowed",
    ],
    severity: Severity::Warning,
    title: "only the last of these instructions counts",
    why: "A stage has one `CMD`, one `ENTRYPOINT` and one `HEALTHCHECK`. An earlier one is \
          overwritten without a word, so whoever reads it is misled.",
    bad: "FROM debian:13-slim\nCMD [\"a\"]\nCMD [\"b\"]\n",
    good: "FROM debian:13-slim\nCMD [\"b\"]\n",
    check,
};

fn check(subject: &Subject<'_>, found: &mut Found<'_>) {
    for stage in &subject.stages {
        for keyword in [Keyword::Cmd, Keyword::Entrypoint, Keyword::Healthcheck] {
            let all = stage.stage.instructions.iter();
            let same: Vec<_> = all.filter(|one| one.keyword == keyword).collect();
            let Some((last, earlier)) = same.split_last() else {
                continue;
            };
            for one in earlier {
                found
                    .note(
                        one.keyword_span,
                        format!("line {} overwrites this `{keyword}`", last.line),
                    )
                    .hint("keep one of them")
                    .with_line(last.line);
            }
        }
    }
}
