//! `credentials-in-url`: a password inside an address.

use super::super::ast::Span;
use super::Found;
use super::Rule;
use super::Severity;
use super::subject::Subject;

pub(super) const RULE: Rule = Rule {
    id: "credentials-in-url",
    aliases: &[],
    severity: Severity::Error,
    title: "a password stands in an address",
    why: "The address is in the Dockerfile, in the history of the image and in the log of each \
          build. `RUN --mount=type=secret` or `--mount=type=ssh` gives access to one command and \
          leaves nothing behind.",
    bad: "FROM debian:13-slim\nRUN git clone https://me:hunter2@example.com/app.git\n",
    good: "FROM debian:13-slim\nRUN --mount=type=ssh git clone git@example.com:app.git\n",
    check,
};

fn check(subject: &Subject<'_>, found: &mut Found<'_>) {
    for instruction in subject.file.instructions() {
        let text = instruction.arguments.as_str();
        for (at, _) in text.match_indices("://") {
            let start = at + 3;
            let rest = text.get(start..).unwrap_or_default();
            let end = rest.find(|c: char| c.is_whitespace() || "/\"'?#`".contains(c));
            let authority = rest.get(..end.unwrap_or(rest.len())).unwrap_or_default();
            let Some((user, password)) = authority
                .rsplit_once('@')
                .and_then(|(access, _)| access.split_once(':'))
            else {
                continue;
            };
            // A mounted secret may be read into the address; an example has dots.
            let given = !password.is_empty() && !password.contains("$(") && !user.contains("$(");
            if !given || password.chars().all(|c| "x.*…".contains(c)) {
                continue;
            }
            let length = user.len() + 1 + password.len();
            let span: Span = instruction.places.span(text, start..start + length);
            found
                .note(span, "a user and a password stand in this address")
                .hint("mount them: `RUN --mount=type=secret,id=…`, or `--mount=type=ssh`");
        }
    }
}
