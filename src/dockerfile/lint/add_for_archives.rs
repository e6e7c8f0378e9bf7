//! `add-for-archives`: an archive is copied and unpacked later.

use super::super::ast::Body;
use super::super::ast::Keyword;
use super::super::shell::base_name;
use super::Found;
use super::Rule;
use super::Severity;
use super::found::quote;
use super::subject::Subject;

pub(super) const RULE: Rule = Rule {
    id: "add-for-archives",
    aliases: &["DL3010"],
    severity: Severity::Info,
    title: "an archive is copied, then unpacked",
    why: "The archive stays in its layer although only what is in it is needed. `ADD` unpacks a \
          local archive while it copies, and the archive itself is in no layer.",
    bad: "FROM debian:13-slim\nCOPY app.tar.gz /tmp/\nRUN tar -xzf /tmp/app.tar.gz -C /opt\n",
    good: "FROM debian:13-slim\nADD app.tar.gz /opt/\n",
    check,
};

/// What `ADD` unpacks.
const ARCHIVES: [&str; 9] = [
    ".tar",
    ".tar.gz",
    ".tgz",
    ".tar.bz2",
    ".tbz2",
    ".tar.xz",
    ".txz",
    ".tar.lzma",
    ".tar.zst",
];

fn check(subject: &Subject<'_>, found: &mut Found<'_>) {
    for stage in subject.shipping() {
        for instruction in &stage.stage.instructions {
            let Body::Copy {
                sources,
                destination,
            } = &instruction.body
            else {
                continue;
            };
            if instruction.keyword != Keyword::Copy || instruction.flag("from").is_some() {
                continue;
            }
            let renamed = ARCHIVES.iter().any(|end| destination.text.ends_with(end));
            for source in sources {
                if !ARCHIVES.iter().any(|end| source.text.ends_with(end)) {
                    continue;
                }
                let name = base_name(if renamed {
                    &destination.text
                } else {
                    &source.text
                });
                let unpacked = stage.runs.iter().find(|run| {
                    let later = run.instruction.span.start > instruction.span.start;
                    later && run.commands.iter().any(|command| unpacks(command, name))
                });
                if let Some(run) = unpacked {
                    found
                        .note(
                            source.span,
                            format!("`{}` stays in this layer", quote(name)),
                        )
                        .hint("let `ADD` unpack it; then the archive itself is in no layer")
                        .with_line(run.instruction.line);
                }
            }
        }
    }
}

fn unpacks(command: &super::super::shell::ShellCommand, name: &str) -> bool {
    let is_tar = matches!(command.program(), "tar" | "bsdtar" | "gunzip" | "unxz");
    let words = command.arguments();
    let extracts = command.program() != "tar"
        || command.has_option('x', "extract")
        || words.first().is_some_and(|word| word.text.contains('x'))
        || command.has("--get");
    is_tar && extracts && words.iter().any(|word| base_name(&word.text) == name)
}
