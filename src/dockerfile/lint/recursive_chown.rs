//! `recursive-chown`: a recursive chown or chmod stores every file twice.

use super::Found;
use super::Rule;
use super::Severity;
use super::paths;
use super::subject::Subject;

pub(super) const RULE: Rule = Rule {
    id: "recursive-chown",
    aliases: &[],
    severity: Severity::Warning,
    title: "a recursive chown or chmod stores every file again",
    why: "A layer stores whole files. Changing the owner or the mode of files from an earlier \
          layer puts all of them into this one again, so the image carries them twice. `COPY \
          --chown` and `COPY --chmod` set both while copying.",
    bad: "FROM node:22-slim\nCOPY . /app\nRUN chown -R node:node /app\n",
    good: "FROM node:22-slim\nCOPY --chown=node:node . /app\n",
    check,
};

fn check(subject: &Subject<'_>, found: &mut Found<'_>) {
    // The `RUN` that was told of last: a second change in the same layer stores nothing more.
    let mut told: Option<usize> = None;
    paths::walk(subject, &mut |step| {
        let command = step.command;
        let program = command.program();
        let changes = matches!(program, "chown" | "chmod" | "chgrp");
        let here = step.run.instruction.span.start;
        if !changes || !command.has_option('R', "recursive") || told == Some(here) {
            return;
        }
        let mut operands = command
            .arguments()
            .iter()
            .filter(|word| !word.is_option())
            .skip(1);
        let brought = operands.find_map(|word| {
            let path = step.resolve(&word.text)?;
            Some((word, step.earlier.within(&path)?))
        });
        let Some((word, line)) = brought else { return };
        told = Some(here);
        let flag = if program == "chmod" {
            "--chmod"
        } else {
            "--chown"
        };
        found
            .note(
                word.span,
                format!("`{program} -R` stores again what line {line} brought"),
            )
            .hint(format!("set it while copying: `COPY {flag}=…`"))
            .with_line(line);
    });
}
