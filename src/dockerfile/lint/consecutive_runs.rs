//! `consecutive-runs`: `RUN` after `RUN`.

use super::super::ast::Instruction;
use super::super::ast::Keyword;
use super::Found;
use super::Rule;
use super::Severity;
use super::subject::Subject;

pub(super) const RULE: Rule = Rule {
    id: "consecutive-runs",
    aliases: &["DL3059"],
    severity: Severity::Info,
    title: "several RUN in a row",
    why: "Each `RUN` is a layer: what one leaves behind, the next can hide but not take away. One \
          `RUN` with `&&` can clean up after itself. Apart they are easier to cache, so this is a \
          choice, not a mistake.",
    bad: "FROM debian:13-slim\nRUN echo a > /a\nRUN echo b > /b\n",
    good: "FROM debian:13-slim\nRUN echo a > /a \\\n    && echo b > /b\n",
    check,
};

fn check(subject: &Subject<'_>, found: &mut Found<'_>) {
    for stage in subject.shipping() {
        let instructions = &stage.stage.instructions;
        for (before, this) in instructions.iter().zip(instructions.iter().skip(1)) {
            if is_run(before) && is_run(this) && same_flags(before, this) {
                found
                    .note(this.keyword_span, "this RUN is a layer of its own")
                    .hint("join it to the one above with `&&` if the two belong together")
                    .with_line(before.line);
            }
        }
    }
}

fn is_run(instruction: &Instruction) -> bool {
    instruction.keyword == Keyword::Run && instruction.heredocs.is_empty()
}

fn same_flags(a: &Instruction, b: &Instruction) -> bool {
    let flags = |one: &Instruction| -> Vec<(String, Option<String>)> {
        let flags = one.flags.iter();
        flags
            .map(|flag| (flag.name.clone(), flag.value.clone()))
            .collect()
    };
    flags(a) == flags(b)
}
