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
            let fresh = step.here.holds(&path);
            // What this RUN makes in a folder of an earlier layer is stored here for the first time.
            let above = || step.earlier.above(&path).filter(|_| !fresh);
            Some((word, step.earlier.at_or_below(&path).or_else(above)?))
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

#[cfg(test)]
mod tests {
    use super::super::super::ast::Dockerfile;
    use super::super::check;

    fn fires(lines: &str) -> bool {
        let found = check(&Dockerfile::parse(&format!("FROM node:22-slim\n{lines}\n")));
        found.iter().any(|one| one.rule.id == "recursive-chown")
    }

    #[test]
    fn what_holds_nothing_is_not_stored_again() {
        for lines in [
            "COPY . /app\nRUN mkdir -p /app/data && chown -R node:node /app/data",
            "COPY . /app\nRUN mkdir -p /app/a /app/b && chown -R node /app/a /app/b",
            "COPY . /app\nRUN install -d /app/data && chown -R node /app/data",
            "RUN mkdir -p /data\nRUN chown -R 1000 /data",
            "RUN mkdir -p /data/sub\nRUN chown -R 1000 /data",
            "COPY . /app\nRUN git clone https://a.example/b /app/b && chown -R 1 /app/b/src",
        ] {
            assert!(!fires(lines), "{lines}");
        }
    }

    #[test]
    fn what_an_earlier_layer_holds_is() {
        for lines in [
            "COPY . /app\nRUN chown -R node:node /app",
            "COPY . /app\nRUN mkdir -p /app/data && chown -R node:node /app",
            "COPY . /app\nRUN mkdir -p /app && chown -R node:node /app",
            "COPY . /app\nRUN mkdir -p /app\nRUN chown -R node:node /app",
            "RUN mkdir /data && curl -o /data/x https://a.example/x\nRUN chown -R 1000 /data",
        ] {
            assert!(fires(lines), "{lines}");
        }
    }
}
