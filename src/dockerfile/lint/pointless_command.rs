//! `pointless-command`: a command that does nothing in a build.

use super::Found;
use super::Rule;
use super::Severity;
use super::subject::Subject;

pub(super) const RULE: Rule = Rule {
    id: "pointless-command",
    aliases: &["DL3001"],
    severity: Severity::Info,
    title: "a command makes no sense in a build",
    why: "A build has no services, no users at a keyboard and no devices: what such a command \
          starts ends with its `RUN`. What should run later belongs in `CMD`.",
    bad: "FROM debian:13-slim\nRUN service nginx start\n",
    good: "FROM debian:13-slim\nCMD [\"nginx\", \"-g\", \"daemon off;\"]\n",
    check,
};

/// Programs that need a running machine, or somebody at a keyboard.
const POINTLESS: [&str; 17] = [
    "free",
    "kill",
    "mount",
    "ps",
    "service",
    "shutdown",
    "ssh",
    "top",
    "vim",
    "vi",
    "nano",
    "ifconfig",
    "systemctl",
    "reboot",
    "htop",
    "umount",
    "less",
];

fn check(subject: &Subject<'_>, found: &mut Found<'_>) {
    for (_, _, command) in subject.commands() {
        let program = command.program();
        // What it configures stays.
        let keeps = program == "systemctl"
            && (command.has("enable") || command.has("disable") || command.has("mask"));
        if POINTLESS.contains(&program) && !keeps {
            found
                .note(
                    command.span(),
                    format!("`{program}` has no effect that outlives this RUN"),
                )
                .hint("leave it out; what should run in the container belongs in `CMD`");
        }
    }
}
