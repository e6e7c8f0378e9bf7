//! `hard-coded-architecture`: one kind of processor is written down.

use std::collections::BTreeSet;

use super::super::architecture;
use super::super::architecture::asks;
use super::super::ast::Body;
use super::super::ast::Instruction;
use super::super::ast::Keyword;
use super::super::shell::ShellCommand;
use super::super::shell::ShellWord;
use super::Found;
use super::Rule;
use super::Severity;
use super::found::quote;
use super::subject::RunView;
use super::subject::Subject;

pub(super) const RULE: Rule = Rule {
    id: "hard-coded-architecture",
    aliases: &["DL3029", "FromPlatformFlagConstDisallowed"],
    severity: Severity::Warning,
    title: "the file builds for one kind of processor",
    why: "Laptops and clouds are amd64 and arm64 by now. What is built for the other one starts \
          slowly in an emulator, or fails with `exec format error`. BuildKit sets `TARGETARCH`; \
          declare it with `ARG TARGETARCH` and use it.",
    bad: "FROM debian:13-slim\nRUN curl -fsSLO https://example.com/tool-linux-amd64.tar.gz\n",
    good: "FROM debian:13-slim\nARG TARGETARCH\nRUN curl -fsSLO https://example.com/tool-linux-${TARGETARCH}.tar.gz\n",
    check,
};

fn check(subject: &Subject<'_>, found: &mut Found<'_>) {
    for stage in &subject.file.stages {
        let flag = stage.from.flags.iter().find(|flag| flag.name == "platform");
        let value = flag
            .and_then(|flag| flag.value.as_deref())
            .unwrap_or_default();
        if let Some(flag) = flag.filter(|_| !value.is_empty() && !value.contains('$')) {
            found
                .note(flag.span, format!("`{}` is the only platform that this builds for", quote(value)))
                .hint("leave `--platform` out, or write `$BUILDPLATFORM` for a stage that cross-compiles");
        }
    }
    for (_, instruction) in subject.instructions() {
        of_instruction(instruction, found);
    }
    for (_, run) in subject.runs() {
        let named = named_in(run);
        if !named.is_empty() && !chooses(run) {
            for (word, hint) in named {
                found
                    .note(
                        word.span,
                        format!("`{}` is for one kind of processor", quote(&word.text)),
                    )
                    .hint(hint);
            }
        }
    }
}

/// `ADD https://…amd64…` and `ENV GOARCH=amd64`.
fn of_instruction(instruction: &Instruction, found: &mut Found<'_>) {
    match &instruction.body {
        Body::Copy { sources, .. } if instruction.keyword == Keyword::Add => {
            let fixed = |text: &str| text.contains("://") && names_one(text) && !asks(text);
            for source in sources.iter().filter(|source| fixed(&source.text)) {
                found
                    .note(
                        source.span,
                        format!("`{}` is for one kind of processor", quote(&source.text)),
                    )
                    .hint("use `TARGETARCH` in the address");
            }
        }
        Body::Pairs(pairs) if instruction.keyword == Keyword::Env => {
            let fixed = |pair: &&super::super::ast::Pair| {
                let value = pair.value.as_deref().unwrap_or_default();
                matches!(&*pair.key, "GOARCH" | "CARGO_BUILD_TARGET") && names_one(value)
            };
            for pair in pairs.iter().filter(fixed) {
                found
                    .note(
                        pair.span,
                        format!("`{}` is for one kind of processor", quote(&pair.key)),
                    )
                    .hint("take it from `TARGETARCH`");
            }
        }
        _ => {}
    }
}

/// The words of a `RUN` that name one kind of processor where it decides something, each with what
/// to do about it.
fn named_in<'r>(run: &'r RunView<'_>) -> Vec<(&'r ShellWord, &'static str)> {
    let mut named = Vec::new();
    for command in &run.commands {
        let assigned = command.assignments.iter();
        let fixed =
            assigned.filter(|word| word.text.starts_with("GOARCH=") && names_one(&word.text));
        named.extend(fixed.map(|word| (word, "take it from `TARGETARCH`")));
        if let Some(hint) = may_name_one(command) {
            let mut arguments = command.arguments().iter();
            let first = arguments.find(|word| names_one(&word.text));
            named.extend(first.map(|word| (word, hint)));
        }
    }
    named
}

/// What to do about a kind of processor in the arguments of a command; `None` where it is no matter.
fn may_name_one(command: &ShellCommand) -> Option<&'static str> {
    match command.program() {
        "curl" | "wget" | "aria2c" => Some("use `TARGETARCH` in the address"),
        "cargo" | "rustup" | "cross" => {
            Some("leave `--target` out: a build is for the machine that it runs on")
        }
        "dotnet" => Some("take the platform from `TARGETARCH`"),
        _ => None,
    }
}

/// Whether a text names one kind of processor as a word of its own.
fn names_one(text: &str) -> bool {
    architecture::named(text).next().is_some()
}

/// Whether a `RUN` finds out what it runs on, or has an answer for each.
fn chooses(run: &RunView<'_>) -> bool {
    let heredocs = run
        .instruction
        .heredocs
        .iter()
        .map(|one| one.content.as_str());
    let texts: Vec<&str> = std::iter::once(run.instruction.arguments.as_str())
        .chain(heredocs)
        .collect();
    let answers: BTreeSet<&str> = texts
        .iter()
        .copied()
        .flat_map(architecture::named)
        .collect();
    texts.iter().copied().any(asks) || answers.len() > 1
}
