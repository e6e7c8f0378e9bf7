//! `untagged-base`: an image without a tag.

use super::super::reference::ImageName;
use super::super::scope::BuildArgs;
use super::super::stages::ReferenceUse;
use super::super::stages::external_references;
use super::Found;
use super::Rule;
use super::Severity;
use super::found::quote;
use super::subject::Subject;

pub(super) const RULE: Rule = Rule {
    id: "untagged-base",
    aliases: &["DL3006"],
    severity: Severity::Warning,
    title: "an image has no tag",
    why: "Without a tag an engine takes `latest`, whatever that is at the time. A tag with a \
          version says what you tested; a digest says it to the byte.",
    bad: "FROM debian\n",
    good: "FROM debian:13-slim\n",
    check,
};

fn check(subject: &Subject<'_>, found: &mut Found<'_>) {
    for used in external_references(subject.file, &BuildArgs::new()) {
        let Ok(name) = ImageName::parse(&used.reference) else {
            continue;
        };
        // A name alone behind `--from=` may be a context that the build is given.
        let may_be_context =
            used.usage != ReferenceUse::From && !used.reference.contains(['/', '.']);
        if name.tag.is_none() && name.digest.is_none() && !may_be_context {
            found
                .note(
                    used.span,
                    format!("`{}` has no tag", quote(&used.reference)),
                )
                .hint("name the version that you tested");
        }
    }
}
