//! `secret-in-env`: a secret in `ARG` or `ENV`.

use super::super::ast::Body;
use super::super::ast::Keyword;
use super::Found;
use super::Rule;
use super::Severity;
use super::found::quote;
use super::subject::Subject;

pub(super) const RULE: Rule = Rule {
    id: "secret-in-env",
    aliases: &["DL3064", "SecretsUsedInArgOrEnv"],
    severity: Severity::Warning,
    title: "a secret goes through ARG or ENV",
    why: "`ENV` is in the config of the image, and the values of `ARG` are in its history: whoever \
          can pull the image can read both. `RUN --mount=type=secret` gives a secret to one \
          command and leaves nothing behind.",
    bad: "FROM debian:13-slim\nARG NPM_TOKEN\nRUN ./install\n",
    good: "FROM debian:13-slim\nRUN --mount=type=secret,id=npm_token ./install\n",
    check,
};

/// Words in names of variables that hold secrets.
const SECRET: [&str; 12] = [
    "apikey",
    "auth",
    "credential",
    "credentials",
    "key",
    "password",
    "pword",
    "passwd",
    "pwd",
    "secret",
    "secrets",
    "token",
];

/// Words that say that the variable does not hold the secret itself.
const HARMLESS: [&str; 11] = [
    "public",
    "file",
    "version",
    "path",
    "url",
    "name",
    "id",
    "dir",
    "type",
    "keyring",
    "algorithm",
];

fn check(subject: &Subject<'_>, found: &mut Found<'_>) {
    for instruction in subject.file.instructions() {
        let instruction = super::subject::inner(instruction);
        let Body::Pairs(pairs) = &instruction.body else {
            continue;
        };
        if !matches!(instruction.keyword, Keyword::Arg | Keyword::Env) {
            continue;
        }
        for pair in pairs.iter().filter(|pair| names_secret(&pair.key)) {
            let place = match instruction.keyword {
                Keyword::Arg => "the history of the image",
                _ => "the config of the image",
            };
            found
                .note(
                    pair.span,
                    format!("`{}` would be readable in {place}", quote(&pair.key)),
                )
                .hint("give it to the one command that needs it: `RUN --mount=type=secret,id=…`");
        }
    }
}

/// Whether a variable is named like one that holds a secret.
pub(super) fn names_secret(name: &str) -> bool {
    let lower = name.to_ascii_lowercase();
    let mut words = lower.split(['_', '-']);
    let harmless = lower.split(['_', '-']).any(|word| HARMLESS.contains(&word));
    !harmless && words.any(|word| SECRET.contains(&word))
}
