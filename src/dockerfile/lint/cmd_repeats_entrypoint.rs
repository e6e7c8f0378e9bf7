//! `cmd-repeats-entrypoint`: `CMD` names the program that the entrypoint is already.

use super::super::ast::Body;
use super::super::ast::Command;
use super::super::ast::Instruction;
use super::super::ast::Keyword;
use super::super::ast::Span;
use super::super::shell::base_name;
use super::Edit;
use super::Found;
use super::Rule;
use super::Severity;
use super::known;
use super::subject::Subject;

pub(super) const RULE: Rule = Rule {
    id: "cmd-repeats-entrypoint",
    aliases: &[],
    severity: Severity::Error,
    title: "CMD repeats the program of the entrypoint",
    why: "`CMD` is what the entrypoint is given. Where the entrypoint is an interpreter already, \
          its name in `CMD` is taken for a script, and the container ends with a message such as \
          `can't open file '/app/python'`.",
    bad: "FROM gcr.io/distroless/python3-debian13:nonroot\nCOPY app.py /\nCMD [\"python\", \"/app.py\"]\n",
    good: "FROM gcr.io/distroless/python3-debian13:nonroot\nCOPY app.py /\nCMD [\"/app.py\"]\n",
    check,
};

fn check(subject: &Subject<'_>, found: &mut Found<'_>) {
    let shipped: Vec<&Instruction> = subject
        .shipping()
        .flat_map(|stage| &stage.stage.instructions)
        .collect();
    let last = |keyword| shipped.iter().rfind(|one| one.keyword == keyword).copied();
    let Some(cmd) = last(Keyword::Cmd) else {
        return;
    };
    let own: Option<Vec<String>> = last(Keyword::Entrypoint).map(words);
    let (entrypoint, whose) = match own {
        Some(words) => (words, String::from("the `ENTRYPOINT` of this file")),
        None => {
            let Some(name) = subject.last().and_then(|last| last.image()) else {
                return;
            };
            let Some(words) = known::interpreter(name) else {
                return;
            };
            let words = words.iter().map(|word| (*word).to_owned()).collect();
            (words, format!("the entrypoint of `{}`", name.familiar()))
        }
    };
    let given = words(cmd);
    let same = entrypoint
        .iter()
        .zip(&given)
        .take_while(|(a, b)| same_program(a, b))
        .count();
    if same == 0 || !runs_programs(&entrypoint) {
        return;
    }
    let program = given.first().map_or("", String::as_str);
    found
        .note(
            cmd.keyword_span,
            format!("{whose} is `{program}` already, so this is its argument"),
        )
        .hint("leave the program out of `CMD`")
        .fix(without(cmd, same));
}

/// The words of a command in either form.
fn words(instruction: &Instruction) -> Vec<String> {
    match &instruction.body {
        Body::Command(Command::Exec(words)) => words.clone(),
        Body::Command(Command::Shell(text)) => text.split_whitespace().map(str::to_owned).collect(),
        _ => Vec::new(),
    }
}

/// Whether two words mean the same program: `python` and `/usr/bin/python3`.
fn same_program(a: &str, b: &str) -> bool {
    let plain = |text: &str| {
        let name = base_name(text);
        let stem = name.trim_end_matches(|c: char| c.is_ascii_digit() || c == '.');
        if stem.is_empty() {
            name.to_owned()
        } else {
            stem.to_owned()
        }
    };
    plain(a) == plain(b)
}

/// An entrypoint that ends with a script runs whatever it is given: `["/entrypoint.sh"]`.
fn runs_programs(entrypoint: &[String]) -> bool {
    let first = entrypoint.first().map_or("", |word| base_name(word));
    !matches!(
        first,
        "tini" | "dumb-init" | "env" | "sh" | "bash" | "exec" | ""
    ) && !first.ends_with(".sh")
}

/// The edit that takes the first `count` words of a JSON array away.
fn without(cmd: &Instruction, count: usize) -> Option<Edit> {
    if !matches!(&cmd.body, Body::Command(Command::Exec(_))) {
        return None;
    }
    let words = super::subject::json_words(&cmd.arguments, &cmd.places);
    let (first, next) = (words.first()?, words.get(count)?);
    let span = Span {
        start: first.span.start,
        end: next.span.start,
    };
    (span.start < span.end).then(|| Edit::replace(span, ""))
}
