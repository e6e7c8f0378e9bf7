//! `pipe-to-shell`: something is downloaded and run in one breath.

use super::super::shell::Joint;
use super::super::shell::ShellCommand;
use super::super::shell::is_shell;
use super::Found;
use super::Rule;
use super::Severity;
use super::subject::Subject;

pub(super) const RULE: Rule = Rule {
    id: "pipe-to-shell",
    aliases: &[],
    severity: Severity::Warning,
    title: "a download goes straight into a shell",
    why: "What is downloaded runs as root before anybody has looked at it, and it may be another text \
          at the next build. If the connection breaks, half of it runs. Download a named version, \
          compare its checksum, then run it.",
    bad: "FROM debian:13-slim\nRUN curl -fsSL https://example.com/install.sh | sh\n",
    good: "FROM debian:13-slim\nRUN curl -fsSLo /tmp/install.sh https://example.com/v1.2/install.sh \\\n    && echo \"0a1b2c  /tmp/install.sh\" | sha256sum -c - \\\n    && sh /tmp/install.sh\n",
    check,
};

fn check(subject: &Subject<'_>, found: &mut Found<'_>) {
    for (_, run) in subject.runs() {
        let mut from: Option<&ShellCommand> = None;
        for command in &run.commands {
            if command.joint != Joint::Pipe {
                from = None;
            }
            if downloads(command.program()) {
                from = Some(command);
                continue;
            }
            let source = match from {
                Some(source) if runs_input(command) => source.program(),
                _ => match inside(command) {
                    Some(program) => program,
                    None => continue,
                },
            };
            let message = format!(
                "what `{source}` downloads is run by `{}` unseen",
                command.program()
            );
            found
                .note(command.span(), message)
                .hint("download a named version, compare its checksum, then run it");
        }
    }
}

fn downloads(program: &str) -> bool {
    matches!(program, "curl" | "wget" | "fetch" | "aria2c")
}

/// Whether a program runs what it reads from standard input.
fn runs_input(command: &ShellCommand) -> bool {
    let program = command.program();
    let interpreter = is_shell(program)
        || ["python", "perl", "ruby", "node", "php"]
            .iter()
            .any(|name| super::tool::is_versioned(program, name));
    // `sh -s -- arg` and `sh -` read standard input; `sh script` does not.
    let asked = command.has("-s") || command.has("-");
    let mut words = command.arguments().iter();
    let reads = asked || words.all(|word| word.text.starts_with('-'));
    interpreter && reads && !command.has("-c")
}

/// The download in `sh -c "$(curl …)"` and `sh <(curl …)`.
fn inside(command: &ShellCommand) -> Option<&'static str> {
    if !is_shell(command.program()) && !matches!(command.program(), "eval" | "source" | ".") {
        return None;
    }
    let mut words = command.arguments().iter();
    words.find_map(|word| {
        ["curl", "wget"].into_iter().find(|name| {
            let text = word.text.trim_start();
            let openings = ["$(", "<(", "`"];
            let mut rests = openings
                .iter()
                .filter_map(|opening| text.strip_prefix(opening));
            rests.any(|rest| rest.trim_start().starts_with(name))
        })
    })
}
