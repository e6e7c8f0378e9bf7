//! A base image that is here, and not for the platform that a line asks for: the builder looks for
//! that one elsewhere and only says that nobody gave it.

use super::at;
use super::problem;
use crate::dockerfile::BuildArgs;
use crate::dockerfile::Dockerfile;
use crate::dockerfile::ExternalReference;
use crate::dockerfile::ReferenceUse;
use crate::dockerfile::external_references;
use crate::engine::BuildError;
use crate::report::BaseReport;
use crate::report::Problem;

/// What a base means that was not to be had though it is among those that were made ready.
pub(in crate::attempt) fn of_platform(
    error: &BuildError,
    dockerfile: &Dockerfile,
    bases: &[BaseReport],
) -> Option<Problem> {
    let (BuildError::NoBase { line, .. } | BuildError::RegistrySilent { line, .. }) = error else {
        return None;
    };
    let named = external_references(dockerfile, &BuildArgs::new());
    let is_told = |one: &&ExternalReference| Some(one.line) == *line;
    let (base, told) = named.iter().filter(is_told).find_map(|one| {
        let mut here = bases.iter();
        Some((here.find(|base| base.reference == one.reference)?, one))
    })?;
    // Builders name an image, and the line told is the first that names it: another may ask for
    // the platform.
    let mut uses = named
        .iter()
        .filter(|one| one.usage == ReferenceUse::From && one.canonical == told.canonical);
    let (line, platform) = uses.find_map(|one| {
        let platform = at(Some(one.line), dockerfile)?.flag("platform")?;
        Some((one.line, platform))
    })?;
    let as_what = if base.stand_in {
        "as a stand-in for this engine's own platform"
    } else {
        "for another platform"
    };
    Some(problem(
        &format!(
            "The base image `{}` is here {as_what}, the line asks for `{platform}`, and no registry gave that one.",
            base.reference
        ),
        "Take `--platform` out of that line, or build where a registry gives the image for that platform.",
        Some(line),
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text::Clean;

    #[test]
    fn a_stand_in_for_another_platform_is_not_told_as_missing() {
        let bases = [BaseReport {
            reference: "busybox".to_owned(),
            resolved: "loadline.local/busybox:latest".to_owned(),
            stand_in: true,
        }];
        let told = |text: &str, bases: &[BaseReport]| {
            let error = BuildError::NoBase {
                line: Some(1),
                reference: "busybox".to_owned(),
                registry: "loadline.local".to_owned(),
                message: Clean::line("no host of that name is known"),
            };
            of_platform(&error, &Dockerfile::parse(text), bases)
        };
        let asked = "FROM --platform=linux/arm64 busybox\n";
        let problem = told(asked, &bases).expect("it is here");
        assert_eq!(
            problem.message.as_str(),
            "The base image `busybox` is here as a stand-in for this engine's own platform, the line asks for `linux/arm64`, and no registry gave that one."
        );
        assert_eq!(problem.blame.line, Some(1));
        let behind = "FROM busybox AS a\nFROM --platform=linux/arm64 busybox\n";
        let problem = told(behind, &bases).expect("it is here");
        assert_eq!(problem.blame.line, Some(2));
        assert_eq!(told(asked, &[]), None);
        assert_eq!(told("FROM busybox\n", &bases), None);
    }
}
