//! `env-self-reference`: `ENV` uses what it sets itself.

use std::collections::BTreeSet;

use super::super::ast::Body;
use super::super::ast::Keyword;
use super::Found;
use super::Rule;
use super::Severity;
use super::found::quote;
use super::subject::Subject;

pub(super) const RULE: Rule = Rule {
    id: "env-self-reference",
    aliases: &["DL3044"],
    severity: Severity::Error,
    title: "ENV uses a variable that the same ENV sets",
    why: "All values of one `ENV` see the variables as they were before it, so the new value is \
          not there yet. Two `ENV` instructions one after the other do what it looks like.",
    bad: "FROM debian:13-slim\nENV HOME_DIR=/app BIN=$HOME_DIR/bin\n",
    good: "FROM debian:13-slim\nENV HOME_DIR=/app\nENV BIN=$HOME_DIR/bin\n",
    check,
};

fn check(subject: &Subject<'_>, found: &mut Found<'_>) {
    let mut seen: Vec<BTreeSet<&str>> = Vec::with_capacity(subject.stages.len());
    for stage in &subject.stages {
        let below = stage.below.and_then(|index| seen.get(index));
        let mut known = below.cloned().unwrap_or_default();
        for instruction in &stage.stage.instructions {
            let (Keyword::Env | Keyword::Arg, Body::Pairs(pairs)) =
                (instruction.keyword, &instruction.body)
            else {
                continue;
            };
            if instruction.keyword == Keyword::Env {
                let own: BTreeSet<&str> = pairs.iter().map(|pair| pair.key.as_str()).collect();
                for pair in pairs {
                    let raw = pair.raw.as_deref().unwrap_or_default();
                    let used = names(raw).into_iter().find(|name| {
                        // `PATH=/x:$PATH` means what the base image set.
                        own.contains(name) && !known.contains(name) && *name != pair.key
                    });
                    if let Some(name) = used {
                        found
                            .note(
                                pair.span,
                                format!("`{}` has no value yet here", quote(name)),
                            )
                            .hint("set it in an `ENV` above this one");
                    }
                }
            }
            known.extend(pairs.iter().map(|pair| pair.key.as_str()));
        }
        seen.push(known);
    }
}

/// The names of the variables in a value.
fn names(text: &str) -> Vec<&str> {
    let plain = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let mut found = Vec::new();
    let mut escaped = false;
    for (at, c) in text.char_indices() {
        if c == '$' && !escaped {
            let rest = text.get(at + 1..).unwrap_or_default();
            let rest = rest.strip_prefix('{').unwrap_or(rest);
            let length = rest.find(|c| !plain(c)).unwrap_or(rest.len());
            found.push(rest.get(..length).unwrap_or_default());
        }
        escaped = c == '\\' && !escaped;
    }
    found
}
