//! `casing`: keywords in two ways of writing.

use super::super::ast::Body;
use super::super::ast::Instruction;
use super::super::ast::Keyword;
use super::super::ast::Span;
use super::Edit;
use super::Found;
use super::Rule;
use super::Severity;
use super::subject::Subject;

pub(super) const RULE: Rule = Rule {
    id: "casing",
    aliases: &[
        "ConsistentInstructionCasing",
        "FromAsCasing",
        "StageNameCasing",
        "ExposeProtoCasing",
    ],
    severity: Severity::Style,
    title: "keywords, protocols or names of stages are written in two ways",
    why: "Builders read keywords in any case, people find their way by them. Capitals are what \
          everybody writes; names of stages are lower case for builders whatever is written.",
    bad: "FROM debian:13-slim AS Build\nrun true\n",
    good: "FROM debian:13-slim AS build\nRUN true\n",
    check,
};

fn check(subject: &Subject<'_>, found: &mut Found<'_>) {
    let instructions = subject.file.instructions();
    let word = |one: &Instruction| subject.text(one.keyword_span);
    let known = || {
        instructions
            .iter()
            .filter(|one| one.keyword != Keyword::Unknown)
    };
    let lower = known().filter(|one| is_lower(word(one))).count();
    let upper = known().filter(|one| is_upper(word(one))).count();
    let to_lower = lower > upper;
    for instruction in known() {
        let written = word(instruction);
        let right = if to_lower {
            is_lower(written)
        } else {
            is_upper(written)
        };
        if !right {
            let name = instruction.keyword.as_str();
            let other = if to_lower {
                name.to_ascii_lowercase()
            } else {
                name.to_owned()
            };
            found
                .note(
                    instruction.keyword_span,
                    format!("`{written}` is written otherwise than the rest"),
                )
                .hint(format!("write `{other}`"))
                .fix([Edit::replace(instruction.keyword_span, other)]);
        }
    }
    for (_, instruction) in subject.instructions() {
        protocols(subject, instruction, found);
    }
    for stage in &subject.file.stages {
        if let Body::From {
            image,
            alias: Some(alias),
        } = &stage.from.body
        {
            between(
                subject,
                &stage.from,
                image.span.end..alias.span.start,
                found,
            );
            if alias.text != alias.text.to_lowercase() {
                let lower = alias.text.to_lowercase();
                found
                    .note(alias.span, format!("builders call this stage `{lower}`"))
                    .hint("write it in lower case here and where it is named")
                    .fix([Edit::replace(alias.span, lower)]);
            }
        }
    }
}

/// Protocols of `EXPOSE` in capitals.
fn protocols(subject: &Subject<'_>, instruction: &Instruction, found: &mut Found<'_>) {
    let (Keyword::Expose, Body::Words(words)) = (instruction.keyword, &instruction.body) else {
        return;
    };
    for word in words {
        let (port, protocol) = word.text.split_once('/').unwrap_or((&word.text, ""));
        let known = ["tcp", "udp", "sctp"].contains(&&*protocol.to_ascii_lowercase());
        if known && !is_lower(protocol) && subject.text(word.span) == word.text {
            let lower = format!("{port}/{}", protocol.to_ascii_lowercase());
            found
                .note(word.span, format!("`{protocol}` is written in lower case"))
                .hint(format!("write `{lower}`"))
                .fix([Edit::replace(word.span, lower)]);
        }
    }
}

/// Compares the `AS` between image and name with its `FROM`.
fn between(
    subject: &Subject<'_>,
    from: &Instruction,
    range: std::ops::Range<usize>,
    found: &mut Found<'_>,
) {
    let text = subject.file.text.get(range.clone()).unwrap_or_default();
    let Some(at) = text.to_ascii_lowercase().find("as") else {
        return;
    };
    let start = range.start + at;
    let span = Span {
        start,
        end: start + 2,
    };
    let upper = is_upper(subject.text(from.keyword_span));
    let written = subject.text(span);
    let right = if upper {
        is_upper(written)
    } else {
        is_lower(written)
    };
    if !right {
        let other = if upper { "AS" } else { "as" };
        found
            .note(
                span,
                format!("`{written}` is written otherwise than its `FROM`"),
            )
            .hint(format!("write `{other}`"))
            .fix([Edit::replace(span, other)]);
    }
}

fn is_lower(text: &str) -> bool {
    text.chars().all(|c| c.is_ascii_lowercase())
}

fn is_upper(text: &str) -> bool {
    text.chars().all(|c| c.is_ascii_uppercase())
}
