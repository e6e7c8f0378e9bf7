//! The copy of a Dockerfile that is sent to the builder: references of images resolved, line
//! numbers unchanged. What the learner wrote stays as it is.

use std::collections::BTreeMap;

use super::ast::Dockerfile;
use super::lines::slice;
use super::reference::ImageName;
use super::scope::BuildArgs;
use super::stages::ExternalReference;
use super::stages::ReferenceUse;
use super::stages::external_references;

/// The text with each image from outside replaced by what `resolved` has for it. A key is a
/// reference with its variables expanded, as written or in its canonical or familiar form. What has
/// no entry stays as it is written, variables included.
#[must_use]
pub fn rewrite(
    file: &Dockerfile,
    given: &BuildArgs,
    resolved: &BTreeMap<String, String>,
) -> String {
    let mut references = external_references(file, given);
    references.sort_by_key(|reference| reference.span.start);
    let mut out = String::with_capacity(file.text.len());
    let mut at = 0;
    for reference in &references {
        let Some(target) = find(resolved, &reference.reference) else {
            continue;
        };
        let span = reference.span;
        let (Some(before), old) = (
            file.text.get(at..span.start),
            slice(&file.text, reference.span),
        ) else {
            continue;
        };
        out.push_str(before);
        // A reference may be written across lines; the lines after it keep their numbers.
        for _ in old.matches('\n') {
            out.push(file.escape());
            out.push('\n');
        }
        out.push_str(&replacement(reference, old, target));
        at = span.end;
    }
    out.push_str(file.text.get(at..).unwrap_or_default());
    out
}

fn find<'r>(resolved: &'r BTreeMap<String, String>, reference: &str) -> Option<&'r str> {
    let exact = resolved.get(reference);
    let found = exact.or_else(|| {
        let name = ImageName::parse(reference).ok()?;
        resolved
            .get(&name.canonical())
            .or_else(|| resolved.get(&name.familiar()))
    });
    found.map(String::as_str)
}

fn replacement(reference: &ExternalReference, old: &str, target: &str) -> String {
    match reference.usage {
        ReferenceUse::From => target.to_owned(),
        ReferenceUse::CopyFrom => format!("--from={target}"),
        ReferenceUse::MountFrom => {
            let name = reference.reference.as_str();
            // The key is read in any case.
            let lower = old.to_ascii_lowercase();
            let whole_part = |at: usize| {
                let before = lower.get(..at).and_then(|text| text.strip_suffix("from="));
                let after = old.get(at + name.len()..).unwrap_or_default();
                before.is_some_and(|text| text.ends_with([',', '=', '"', '\'']))
                    && (after.is_empty() || after.starts_with([',', '"', '\'']))
            };
            let found = old.match_indices(name).find(|(at, _)| whole_part(*at));
            match found {
                Some((at, _)) => {
                    let mut text = old.to_owned();
                    text.replace_range(at..at + name.len(), target);
                    text
                }
                None => old.to_owned(),
            }
        }
    }
}

/// The text without its `# syntax=` directive, for a builder that cannot reach the registry of that
/// image and has a parser of its own. Line numbers stay as they are.
#[must_use]
pub fn without_syntax(file: &Dockerfile, text: &str) -> String {
    let count = file.directives.len();
    if !file
        .directives
        .iter()
        .any(|directive| directive.name == "syntax")
    {
        return text.to_owned();
    }
    let body = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut lines: Vec<&str> = body.split('\n').collect();
    // A plain comment would end the directives below it, so it goes below them.
    if let Some(head) = lines.get_mut(..count) {
        head.sort_by_key(|line| is_syntax(line));
    }
    let kept: Vec<&str> = lines
        .iter()
        .enumerate()
        .map(|(index, line)| {
            if index < count && is_syntax(line) {
                "#"
            } else {
                line
            }
        })
        .collect();
    kept.join("\n")
}

fn is_syntax(line: &str) -> bool {
    super::directives::read(line).is_some_and(|(name, _)| name == "syntax")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn table(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
        pairs
            .iter()
            .map(|(from, to)| ((*from).to_owned(), (*to).to_owned()))
            .collect()
    }

    fn rewritten(text: &str, pairs: &[(&str, &str)]) -> String {
        rewrite(&Dockerfile::parse(text), &BuildArgs::new(), &table(pairs))
    }

    #[test]
    fn every_way_to_name_an_image_is_resolved() {
        let text = "\
ARG V=3.13
FROM --platform=linux/amd64 python:${V} AS b
RUN --mount=type=bind,From=busybox,target=/b --mount=type=bind,from=b2 echo python:3.13
ONBUILD COPY --from=busybox /a /python:3.13
FROM docker.io/library/python:3.13 AS b2
COPY --link --from=busybox:latest /a /python:3.13
COPY --from=b /a /a
FROM b
";
        let out = rewritten(
            text,
            &[
                ("python:3.13", "loadline.local/python:3.13"),
                ("busybox:latest", "loadline.local/busybox:latest"),
            ],
        );
        assert_eq!(
            out,
            "\
ARG V=3.13
FROM --platform=linux/amd64 loadline.local/python:3.13 AS b
RUN --mount=type=bind,From=loadline.local/busybox:latest,target=/b --mount=type=bind,from=b2 echo python:3.13
ONBUILD COPY --from=loadline.local/busybox:latest /a /python:3.13
FROM loadline.local/python:3.13 AS b2
COPY --link --from=loadline.local/busybox:latest /a /python:3.13
COPY --from=b /a /a
FROM b
"
        );
    }

    #[test]
    fn what_is_not_in_the_table_stays_as_written() {
        let text = "ARG V=1\nFROM x:$V\nCOPY --from=y / /\n";
        assert_eq!(rewritten(text, &[("z", "q")]), text);
    }

    #[test]
    fn lines_keep_their_numbers() {
        let text = "FROM \\\n  pyt\\\nhon:3 \\\n AS x\nRUN a\n";
        let out = rewritten(text, &[("python:3", "local")]);
        assert_eq!(out.matches('\n').count(), text.matches('\n').count());
        let (before, after) = (Dockerfile::parse(text), Dockerfile::parse(&out));
        assert_eq!(after.stages[0].base.text, "local");
        assert_eq!(
            before.stages[0].instructions[0].line,
            after.stages[0].instructions[0].line
        );
    }

    #[test]
    fn the_syntax_directive_goes_and_the_others_stay() {
        let text = "\u{feff}# syntax=docker/dockerfile:1\n# escape=`\nFROM a\nRUN b `\n c\n";
        let file = Dockerfile::parse(text);
        let out = without_syntax(&file, text);
        assert_eq!(out, "# escape=`\n#\nFROM a\nRUN b `\n c\n");
        let plain = "FROM a\n";
        assert_eq!(without_syntax(&Dockerfile::parse(plain), plain), plain);
    }

    proptest! {
        #[test]
        fn only_references_change(
            base in "[a-z]{1,8}(:[a-z0-9]{1,4})?",
            rest in "(RUN [a-z $]{0,20}\n|COPY --from=[a-z]{1,6} a b\n|\\\\\n|#[a-z]{0,9}\n){0,6}",
        ) {
            let text = format!("FROM {base} AS zz\n{rest}\nCMD end\n");
            let file = Dockerfile::parse(&text);
            let out = rewrite(&file, &BuildArgs::new(), &table(&[(&base, "new.host/name:tag")]));
            let again = Dockerfile::parse(&out);
            prop_assert_eq!(again.stages[0].base.text.as_str(), "new.host/name:tag");
            let lines = |file: &Dockerfile| -> Vec<(u32, String)> {
                file.stages[0]
                    .instructions
                    .iter()
                    .map(|one| (one.line, one.arguments.clone()))
                    .collect()
            };
            prop_assert_eq!(lines(&file), lines(&again));
        }
    }
}
