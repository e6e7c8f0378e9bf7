//! `arg-out-of-scope`: a variable that this stage does not see.

use std::collections::BTreeMap;
use std::collections::BTreeSet;

use super::super::ast::Body;
use super::super::ast::Instruction;
use super::super::ast::Keyword;
use super::Edit;
use super::Found;
use super::Rule;
use super::Severity;
use super::subject::Subject;

pub(super) const RULE: Rule = Rule {
    id: "arg-out-of-scope",
    aliases: &["UndefinedVar"],
    severity: Severity::Warning,
    title: "a variable has no value in this stage",
    why: "An `ARG` above the first `FROM` is for `FROM` alone, and one in a stage is for that \
          stage alone. Elsewhere the variable is empty, and nobody says so. `ARG NAME` without a \
          value brings it into a stage.",
    bad: "ARG VERSION=1.2\nFROM debian:13-slim\nRUN echo ${VERSION}\n",
    good: "ARG VERSION=1.2\nFROM debian:13-slim\nARG VERSION\nRUN echo ${VERSION}\n",
    check,
};

/// Variables that base images are known to set.
const OF_BASES: [&str; 12] = [
    "PATH",
    "HOME",
    "NODE_VERSION",
    "YARN_VERSION",
    "PYTHON_VERSION",
    "GOLANG_VERSION",
    "GOPATH",
    "RUBY_VERSION",
    "PHP_VERSION",
    "JAVA_VERSION",
    "JAVA_HOME",
    "NGINX_VERSION",
];

fn check(subject: &Subject<'_>, found: &mut Found<'_>) {
    // Each name with the line of an `ARG` that does not reach everywhere.
    let mut elsewhere: BTreeMap<&str, u32> = BTreeMap::new();
    for instruction in subject.file.instructions() {
        if let (Keyword::Arg, Body::Pairs(pairs)) = (instruction.keyword, &instruction.body) {
            for pair in pairs {
                elsewhere.entry(&pair.key).or_insert(instruction.line);
            }
        }
    }
    elsewhere.retain(|name, _| !OF_BASES.contains(name));
    if elsewhere.is_empty() {
        return;
    }
    let mut seen: Vec<BTreeSet<&str>> = Vec::with_capacity(subject.stages.len());
    for stage in &subject.stages {
        let below = stage.below.and_then(|index| seen.get(index));
        let mut known = below.cloned().unwrap_or_default();
        let mut told = BTreeSet::new();
        for instruction in &stage.stage.instructions {
            let mut here = BTreeSet::new();
            for (at, name) in variables(instruction) {
                let Some((name, line)) = elsewhere.get_key_value(name) else {
                    continue;
                };
                let first = here.insert(*name) && !known.contains(name) && !told.contains(name);
                if !first || sets(instruction, name) {
                    continue;
                }
                told.insert(*name);
                let span = instruction
                    .places
                    .span(&instruction.arguments, at..at + name.len());
                found
                    .note(span, format!("`{name}` is empty in this stage"))
                    .hint(format!("put `ARG {name}` above it in this stage"))
                    .with_line(*line)
                    .fix([Edit::insert(
                        instruction.span.start,
                        format!("ARG {name}{}", subject.line_end()),
                    )]);
            }
            if let (Keyword::Arg | Keyword::Env, Body::Pairs(pairs)) =
                (instruction.keyword, &instruction.body)
            {
                known.extend(pairs.iter().map(|pair| pair.key.as_str()));
            }
        }
        seen.push(known);
    }
}

/// The variables in the arguments of an instruction, with their places; those with a default of
/// their own are left out.
fn variables(instruction: &Instruction) -> Vec<(usize, &str)> {
    let text = instruction.arguments.as_str();
    // In exec form nothing expands them but a shell that is named, and `ONBUILD` is for later.
    if matches!(
        instruction.keyword,
        Keyword::Cmd | Keyword::Entrypoint | Keyword::Healthcheck | Keyword::Onbuild
    ) {
        return Vec::new();
    }
    let mut found = Vec::new();
    for (at, _) in text.match_indices('$') {
        let before = text.get(..at).unwrap_or_default();
        if before.ends_with('\\') || before.ends_with('$') {
            continue;
        }
        let rest = text.get(at + 1..).unwrap_or_default();
        let (start, rest) = match rest.strip_prefix('{') {
            Some(rest) => (at + 2, rest),
            None => (at + 1, rest),
        };
        let plain = |c: char| c.is_ascii_alphanumeric() || c == '_';
        let length = rest.find(|c| !plain(c)).unwrap_or(rest.len());
        let has_default = rest
            .get(length..)
            .is_some_and(|rest| start == at + 2 && rest.starts_with([':', '-', '+', '?']));
        if length > 0 && !has_default {
            found.push((start, rest.get(..length).unwrap_or_default()));
        }
    }
    found
}

/// Whether the shell text of a `RUN` gives the variable a value itself.
fn sets(instruction: &Instruction, name: &str) -> bool {
    let text = instruction.arguments.as_str();
    let heredocs = instruction.heredocs.iter().map(|one| one.content.as_str());
    std::iter::once(text).chain(heredocs).any(|text| {
        text.match_indices(name).any(|(at, _)| {
            let before = text.get(..at).unwrap_or_default();
            let after = text.get(at + name.len()..).unwrap_or_default();
            let assigns =
                after.starts_with('=') && !before.ends_with('$') && !before.ends_with('{');
            assigns
                || before.ends_with("for ")
                || before.ends_with("read ")
                || before.ends_with("read -r ")
        })
    })
}
