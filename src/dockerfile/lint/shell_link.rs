//! `shell-link`: `/bin/sh` is replaced.

use super::Found;
use super::Rule;
use super::Severity;
use super::subject::Subject;

pub(super) const RULE: Rule = Rule {
    id: "shell-link",
    aliases: &["DL4005"],
    severity: Severity::Warning,
    title: "the shell is replaced by a link",
    why: "Scripts of the distribution expect its own `/bin/sh`, and the next update puts it back. \
          `SHELL` says which shell the following `RUN`s use, and changes nothing else.",
    bad: "FROM debian:13-slim\nRUN ln -sf /bin/bash /bin/sh\n",
    good: "FROM debian:13-slim\nSHELL [\"/bin/bash\", \"-c\"]\n",
    check,
};

fn check(subject: &Subject<'_>, found: &mut Found<'_>) {
    for (_, _, command) in subject.commands() {
        if command.program() == "ln"
            && command
                .arguments()
                .iter()
                .any(|word| word.text == "/bin/sh")
        {
            found
                .note(
                    command.span(),
                    "`/bin/sh` is replaced for every script of the image",
                )
                .hint("write `SHELL [\"/bin/bash\", \"-c\"]`");
        }
    }
}
