//! `untrusted-registry`: an image comes from a registry that is not on the list.

use super::super::reference::ImageName;
use super::super::scope::BuildArgs;
use super::super::stages::external_references;
use super::Found;
use super::Rule;
use super::Severity;
use super::subject::Subject;

pub(super) const RULE: Rule = Rule {
    id: "untrusted-registry",
    aliases: &["DL3026"],
    severity: Severity::Error,
    title: "an image comes from a registry that is not allowed",
    why: "With `--registry` you say where images may come from. This one comes from elsewhere, so \
          nobody on your side has looked at it.",
    bad: "FROM elsewhere.example/app:1\n",
    good: "FROM docker.io/library/debian:13-slim\n",
    check,
};

fn check(subject: &Subject<'_>, found: &mut Found<'_>) {
    let allowed = &subject.around.registries;
    if allowed.is_empty() {
        return;
    }
    for used in external_references(subject.file, &BuildArgs::new()) {
        let Ok(name) = ImageName::parse(&used.reference) else {
            continue;
        };
        if !allowed.iter().any(|pattern| fits(pattern, &name)) {
            found
                .note(
                    used.span,
                    format!("`{}` is not one of the allowed registries", name.registry),
                )
                .hint(format!("allowed: {}", allowed.join(", ")));
        }
    }
}

/// Whether an image is from a registry, or from a folder of one: `docker.io`, `*.corp.example`,
/// `ghcr.io/team`.
fn fits(pattern: &str, name: &ImageName) -> bool {
    let (registry, folder) = match pattern.split_once('/') {
        Some((registry, folder)) => (registry, folder.trim_end_matches('/')),
        None => (pattern, ""),
    };
    let same = match registry.strip_prefix('*') {
        Some(end) => name.registry.ends_with(end),
        None => name.registry == registry,
    };
    let below = name.repository.strip_prefix(folder);
    same && below.is_some_and(|rest| folder.is_empty() || rest.is_empty() || rest.starts_with('/'))
}
