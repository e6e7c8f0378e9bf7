//! `sudo`: `sudo` in a build.

use super::super::ast::Span;
use super::Edit;
use super::Found;
use super::Rule;
use super::Severity;
use super::known::DefaultUser;
use super::subject::Subject;

pub(super) const RULE: Rule = Rule {
    id: "sudo",
    aliases: &["DL3004"],
    severity: Severity::Error,
    title: "sudo is used",
    why: "Where a build runs as root, `sudo` does nothing; where it does not, `USER root` does the \
          same without a setuid program that stays in the image. Switch with `USER`, or let a small \
          tool give root up when the container starts.",
    bad: "FROM debian:13-slim\nRUN sudo apt-get update\n",
    good: "FROM debian:13-slim\nRUN apt-get update && rm -rf /var/lib/apt/lists/*\n",
    check,
};

fn check(subject: &Subject<'_>, found: &mut Found<'_>) {
    for (_, run, command) in subject.commands() {
        let Some(word) = command.words.first() else {
            continue;
        };
        if word.text != "sudo" {
            continue;
        }
        // Only where `sudo` stands alone before the command.
        let next = command.words.get(1).filter(|next| !next.is_option());
        let edit = next.map(|next| {
            let span = Span {
                start: word.span.start,
                end: next.span.start,
            };
            Edit::replace(span, "")
        });
        let one_line = |edit: &Edit| !subject.text(edit.span).contains(['\n', '`']);
        let (message, hint) = match run.user {
            DefaultUser::Root => (
                "`sudo` is not needed: the build runs as root here",
                "leave it out, and switch with `USER` where the user matters",
            ),
            DefaultUser::Other => (
                "`sudo` stands in for `USER root`",
                "put `USER root` above and leave `sudo` out, then name the user again below",
            ),
            DefaultUser::Unknown => (
                "`sudo` does what `USER root` is for",
                "leave it out, with `USER root` above where the base starts as somebody else",
            ),
        };
        // Anybody else would lose the right to do it.
        let is_root = run.user == DefaultUser::Root;
        found
            .note(word.span, message)
            .hint(hint)
            .fix(edit.filter(one_line).filter(|_| is_root));
    }
}

#[cfg(test)]
mod tests {
    use super::super::Surroundings;
    use super::super::fix;

    fn fixed(text: &str) -> String {
        fix(text, &Surroundings::default(), &|_| true).text
    }

    #[test]
    fn who_is_not_root_keeps_sudo() {
        for text in [
            "FROM debian:13\nUSER app\nRUN sudo apt-get -y --no-install-recommends install a\n",
            "FROM debian:13 AS a\nUSER 1000:0\nFROM a\nRUN sudo apt-get update\n",
            "FROM jenkins/jenkins:lts\nRUN sudo make install\n",
            "FROM registry.corp.example/base:1\nRUN sudo make install\n",
            // It runs in an image that starts as somebody else.
            "FROM debian:13\nONBUILD RUN sudo make install\nUSER 1000\n",
            "FROM debian:13\nUSER $NAME\nRUN sudo make install\n",
        ] {
            assert_eq!(fixed(text), text);
        }
    }

    #[test]
    fn root_needs_none() {
        let text = "FROM debian:13\nUSER app\nUSER root:root\nRUN sudo make install\nUSER 1\n";
        assert!(fixed(text).contains("\nRUN make install\n"));
    }
}
