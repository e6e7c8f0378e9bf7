//! `consecutive-runs`: `RUN` after `RUN`.

use super::super::ast::Instruction;
use super::Found;
use super::Rule;
use super::Severity;
use super::subject::RunView;
use super::subject::Subject;

pub(super) const RULE: Rule = Rule {
    id: "consecutive-runs",
    aliases: &["DL3059"],
    severity: Severity::Info,
    title: "several RUN of one command in a row",
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
        let mut runs = stage.runs.iter();
        let mut before: Option<&RunView<'_>> = None;
        for instruction in instructions {
            let is_this = |run: &&RunView<'_>| std::ptr::eq(run.instruction, instruction);
            let this = runs
                .as_slice()
                .first()
                .filter(is_this)
                .filter(|_| runs.next().is_some());
            let this = this.filter(|run| is_single(run));
            if let (Some(before), Some(this)) = (before, this)
                && same_flags(before.instruction, this.instruction)
            {
                found
                    .note(instruction.keyword_span, "this RUN is a layer of its own")
                    .hint("join it to the one above with `&&` if the two belong together")
                    .with_line(before.instruction.line);
            }
            before = this;
        }
    }
}

/// Whether a `RUN` is one command; several of them were put together on purpose.
fn is_single(run: &RunView<'_>) -> bool {
    let commands = run.commands.iter().filter(|one| !one.nested).count();
    commands == 1 && run.instruction.heredocs.is_empty()
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
