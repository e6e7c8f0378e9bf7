//! `apt-for-people`: `apt` in a script.

use super::Found;
use super::Rule;
use super::Severity;
use super::amend;
use super::subject::Subject;

pub(super) const RULE: Rule = Rule {
    id: "apt-for-people",
    aliases: &["DL3027"],
    severity: Severity::Warning,
    title: "apt is used in a script",
    why: "`apt` is made for people: its output and its options may change with each release, and \
          it says so itself. `apt-get` and `apt-cache` are made for scripts.",
    bad: "FROM debian:13-slim\nRUN apt update && apt install -y --no-install-recommends curl && rm -rf /var/lib/apt/lists/*\n",
    good: "FROM debian:13-slim\nRUN apt-get update && apt-get install -y --no-install-recommends curl && rm -rf /var/lib/apt/lists/*\n",
    check,
};

fn check(subject: &Subject<'_>, found: &mut Found<'_>) {
    for (_, run, command) in subject.commands() {
        let Some(word) = command.program_word().filter(|word| word.text == "apt") else {
            continue;
        };
        let action = command.arguments().iter().find(|word| !word.is_option());
        let other = match action.map_or("", |word| word.text.as_str()) {
            "search" | "show" | "policy" | "depends" | "rdepends" => "apt-cache",
            "list" | "edit-sources" => {
                found
                    .note(word.span, "`apt` is made for people")
                    .hint("write `dpkg-query` or edit the file");
                continue;
            }
            _ => "apt-get",
        };
        found
            .note(word.span, "`apt` is made for people")
            .hint(format!("write `{other}`"))
            .fix([amend::rename(run, command, word, other)]);
    }
}
