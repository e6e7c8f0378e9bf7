//! `version-mismatch`: builder and runtime are of different versions.

use super::super::ast::Body;
use super::super::ast::Instruction;
use super::super::stages::Source;
use super::Found;
use super::Rule;
use super::Severity;
use super::known;
use super::subject::StageView;
use super::subject::Subject;

pub(super) const RULE: Rule = Rule {
    id: "version-mismatch",
    aliases: &[],
    severity: Severity::Error,
    title: "builder and runtime are of different versions",
    why: "Packages are installed for one version of a language: Python 3.13 does not look where \
          3.12 put them, and an older Java refuses classes of a newer one. The image builds, and \
          fails when it starts.",
    bad: "FROM python:3.12-slim AS build\nRUN pip install --target=/deps flask==3.1.0\nFROM gcr.io/distroless/python3-debian13:nonroot\nCOPY --from=build /deps /deps\n",
    good: "FROM python:3.13-slim AS build\nRUN pip install --target=/deps flask==3.1.0\nFROM gcr.io/distroless/python3-debian13:nonroot\nCOPY --from=build /deps /deps\n",
    check,
};

fn check(subject: &Subject<'_>, found: &mut Found<'_>) {
    for stage in subject.shipping() {
        let Some(runs) = stage.image().and_then(known::runtime) else {
            continue;
        };
        for (instruction, source) in &stage.copies {
            let Some(builder) = builder(subject, source) else {
                continue;
            };
            let Some(built) = builder.image().and_then(known::runtime) else {
                continue;
            };
            if !built.clashes_with(&runs) || !carries_packages(built.language, instruction) {
                continue;
            }
            let language = built.language.as_str();
            let message = format!(
                "line {} builds for {language} {}, here {language} {} runs it",
                builder.stage.from.line,
                built.shown(),
                runs.shown()
            );
            found
                .note(stage.stage.base.span, message)
                .hint("use the same version in both stages")
                .with_line(builder.stage.from.line);
            break;
        }
    }
}

fn builder<'s, 'f>(subject: &'s Subject<'f>, source: &Source) -> Option<&'s StageView<'f>> {
    match source {
        Source::Stage(index) => subject.stages.get(*index),
        Source::Scratch | Source::Image(_) => None,
    }
}

/// Whether what is copied is bound to a version: installed packages, classes; plain sources are not.
fn carries_packages(language: known::Language, instruction: &Instruction) -> bool {
    let Body::Copy { sources, .. } = &instruction.body else {
        return false;
    };
    let bound = |path: &str| match language {
        known::Language::Node => path.contains("node_modules"),
        known::Language::Python => {
            let plain = [".py", ".txt", ".toml", "/static", "/dist", ".so"];
            !plain.iter().any(|end| path.ends_with(end))
        }
        known::Language::Java | known::Language::Ruby | known::Language::DotNet => true,
    };
    sources.iter().any(|source| bound(&source.text))
}
