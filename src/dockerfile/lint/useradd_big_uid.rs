//! `useradd-big-uid`: `useradd` with a large number makes a large file.

use super::Found;
use super::Rule;
use super::Severity;
use super::amend;
use super::subject::Subject;

pub(super) const RULE: Rule = Rule {
    id: "useradd-big-uid",
    aliases: &["DL3046"],
    severity: Severity::Warning,
    title: "useradd with a large number writes a huge log file",
    why: "`useradd` keeps `/var/log/lastlog` with a slot for each number up to the highest one. \
          The file is sparse on your disk, but a layer may store all of it: gigabytes for one \
          user.",
    bad: "FROM debian:13-slim\nRUN useradd -u 1234567 app\n",
    good: "FROM debian:13-slim\nRUN useradd --no-log-init -u 1234567 app\n",
    check,
};

/// Numbers from here on make a file worth a word.
const LARGE: usize = 100_000;

fn check(subject: &Subject<'_>, found: &mut Found<'_>) {
    for (_, run, command) in subject.commands() {
        if command.program() != "useradd" || command.has_option('l', "no-log-init") {
            continue;
        }
        let words = command.arguments();
        let number = words.iter().enumerate().find_map(|(at, word)| {
            let text = word.text.as_str();
            if let Some(value) = text.strip_prefix("--uid=") {
                return Some(value);
            }
            let is_last = text == "--uid" || (is_short(text) && text.ends_with('u'));
            if is_last {
                return words.get(at + 1).map(|word| word.text.as_str());
            }
            text.strip_prefix("-u")
        });
        let large = number
            .and_then(|number| number.parse::<usize>().ok())
            .is_some_and(|number| number >= LARGE);
        if let Some(program) = command.program_word().filter(|_| large) {
            found
                .note(
                    command.span(),
                    "a large user number makes `/var/log/lastlog` huge",
                )
                .hint("add `--no-log-init`")
                .fix([amend::add_option(run, command, program, "--no-log-init")]);
        }
    }
}

fn is_short(text: &str) -> bool {
    text.starts_with('-') && !text.starts_with("--")
}
