//! `wget-progress`: wget fills the log.

use super::super::shell::ShellWord;
use super::Found;
use super::Rule;
use super::Severity;
use super::amend;
use super::subject::Subject;

pub(super) const RULE: Rule = Rule {
    id: "wget-progress",
    aliases: &["DL3047"],
    severity: Severity::Info,
    title: "wget fills the log with its progress",
    why: "wget writes a line for each few kilobytes where it cannot draw a bar. For a large file \
          that is a log of thousands of lines, in which the one that matters is lost.",
    bad: "FROM debian:13-slim\nRUN wget https://example.com/a.tar.gz\n",
    good: "FROM debian:13-slim\nRUN wget -nv https://example.com/a.tar.gz\n",
    check,
};

fn check(subject: &Subject<'_>, found: &mut Found<'_>) {
    for (_, run, command) in subject.commands() {
        let Some(program) = command
            .program_word()
            .filter(|_| command.program() == "wget")
        else {
            continue;
        };
        let says = |word: &ShellWord| {
            let text = word.text.as_str();
            let long = [
                "--progress",
                "--quiet",
                "--no-verbose",
                "--output-file",
                "--append-output",
                "--version",
                "--help",
                "--spider",
            ];
            let short = text.starts_with('-')
                && !text.starts_with("--")
                && text.contains(['q', 'o', 'a', 'V']);
            text.starts_with("-nv") || short || long.iter().any(|name| text.starts_with(name))
        };
        if command.arguments().is_empty() || command.arguments().iter().any(says) {
            continue;
        }
        found
            .note(program.span, "`wget` fills the log with its progress")
            .hint("add `-nv`")
            .fix([amend::add_option(run, command, program, "-nv")]);
    }
}
