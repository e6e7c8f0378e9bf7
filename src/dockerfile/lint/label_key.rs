//! `label-key`: the key of a label is not written as tools expect.

use super::super::ast::Body;
use super::super::ast::Keyword;
use super::Found;
use super::Rule;
use super::Severity;
use super::found::quote;
use super::subject::Subject;

pub(super) const RULE: Rule = Rule {
    id: "label-key",
    aliases: &["DL3048"],
    severity: Severity::Style,
    title: "the key of a label is not written as tools expect",
    why: "Keys are lower-case letters, digits, `.` and `-`, and begin with a domain of yours, so \
          that two tools do not take the same one. `com.docker`, `io.docker` and \
          `org.dockerproject` belong to others.",
    bad: "FROM debian:13-slim\nLABEL Vendor_Name=me\n",
    good: "FROM debian:13-slim\nLABEL com.example.vendor-name=me\n",
    check,
};

/// Domains that belong to others.
const TAKEN: [&str; 3] = ["com.docker.", "io.docker.", "org.dockerproject."];

fn check(subject: &Subject<'_>, found: &mut Found<'_>) {
    for (_, instruction) in subject.instructions() {
        let (Keyword::Label, Body::Pairs(pairs)) = (instruction.keyword, &instruction.body) else {
            continue;
        };
        for pair in pairs.iter().filter(|pair| !pair.key.contains('$')) {
            let key = pair.key.as_str();
            let ends = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
            let plain = |c: char| ends(c) || c == '.' || c == '-';
            let written_well = key.chars().all(plain)
                && key.starts_with(|c: char| c.is_ascii_lowercase())
                && key.ends_with(ends)
                && !key.contains("..")
                && !key.contains("--");
            if TAKEN.iter().any(|taken| key.starts_with(taken)) {
                found
                    .note(
                        pair.span,
                        format!("the domain of `{}` belongs to others", quote(key)),
                    )
                    .hint("begin the key with a domain of yours");
            } else if !written_well {
                found
                    .note(
                        pair.span,
                        format!("`{}` is not written as tools expect", quote(key)),
                    )
                    .hint("use lower-case letters, digits, `.` and `-`");
            }
        }
    }
}
