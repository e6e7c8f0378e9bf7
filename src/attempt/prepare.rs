//! Makes the context of a build from what the exercise gives and what the learner wrote.

#![expect(
    clippy::disallowed_methods,
    reason = "reads the learner's folder and writes the context to a temporary file"
)]

use std::collections::BTreeMap;
use std::sync::Arc;

use tempfile::NamedTempFile;

use super::Request;
use super::Submission;
use super::problem;
use crate::dockerfile::BuildArgs;
use crate::dockerfile::Dockerfile;
use crate::dockerfile::external_references;
use crate::goal::evidence::ContextFacts;
use crate::report::BaseReport;
use crate::report::Outcome;
use crate::report::Problem;
use crate::units::Bytes;

/// The name of the file that is built.
const DOCKERFILE: &str = "Dockerfile";

/// A context that is ready to be sent.
pub(super) struct Prepared {
    /// The archive; the file goes with the value.
    pub(super) archive: NamedTempFile,
    /// What is in it.
    pub(super) facts: ContextFacts,
}

type Refused = (Outcome, Problem);
type Files = BTreeMap<String, Arc<[u8]>>;

fn refused(message: &str, next_step: &str) -> Refused {
    (
        Outcome::BuildFailed,
        problem::problem(message, next_step, None),
    )
}

/// The learner's Dockerfile.
pub(super) fn dockerfile(request: &Request) -> Result<Dockerfile, Refused> {
    let files = files(request)?;
    let text = files.get(DOCKERFILE).ok_or_else(|| {
        refused(
            "There is no file `Dockerfile` to build.",
            "Make one, or reset the exercise to get the starter's.",
        )
    })?;
    Ok(Dockerfile::parse_bytes(text))
}

/// The images from outside that the Dockerfile names, each once.
pub(super) fn references(dockerfile: &Dockerfile) -> Vec<String> {
    let mut references = Vec::new();
    for found in external_references(dockerfile, &BuildArgs::new()) {
        if !references.contains(&found.reference) {
            references.push(found.reference);
        }
    }
    references
}

/// The line that names an image from outside.
pub(super) fn line_of(dockerfile: &Dockerfile, reference: &str) -> Option<u32> {
    let found = external_references(dockerfile, &BuildArgs::new());
    let named = found.into_iter().find(|found| found.reference == reference);
    named.map(|found| found.line)
}

/// The image that the final stage starts from; `None` for `scratch`.
pub(super) fn final_base(dockerfile: &Dockerfile) -> Option<String> {
    let stage = dockerfile.final_stage()?;
    dockerfile.base_image(stage, &BuildArgs::new())
}

/// What is built: the learner's files, and the exercise's own put back over them.
fn files(request: &Request) -> Result<Files, Refused> {
    let mut files = match &request.submission {
        Submission::Files(files) => files.clone(),
        Submission::Folder(folder) => read_folder(folder)?,
    };
    let exercise = &request.exercise;
    for (name, content) in &exercise.files {
        if !exercise.edit.contains(name) {
            files.insert(name.clone(), Arc::clone(content));
        }
    }
    Ok(files)
}

fn read_folder(folder: &std::path::Path) -> Result<Files, Refused> {
    let mut files = Files::new();
    for entry in walkdir::WalkDir::new(folder) {
        let unreadable = |error: &dyn std::fmt::Display| {
            refused(
                &format!("The folder cannot be read: {error}."),
                "Look at its permissions.",
            )
        };
        let entry = entry.map_err(|error| unreadable(&error))?;
        let Ok(name) = entry.path().strip_prefix(folder) else {
            continue;
        };
        if entry.file_type().is_file() {
            let content = std::fs::read(entry.path()).map_err(|error| unreadable(&error))?;
            files.insert(name.to_string_lossy().into_owned(), content.into());
        }
    }
    Ok(files)
}

/// The context with the base images resolved and, for a rebuild, one file touched.
pub(super) fn context(
    request: &Request,
    dockerfile: &Dockerfile,
    bases: &[BaseReport],
    touch: Option<&str>,
) -> Result<Prepared, Refused> {
    let mut files = files(request)?;
    if let Some(touch) = touch
        && let Some(content) = files.get_mut(touch)
    {
        *content = [content, b"\n".as_slice()].concat().into();
    }
    files.insert(
        DOCKERFILE.to_owned(),
        rewritten(dockerfile, bases).into_bytes().into(),
    );
    write(&files).map_err(|error| {
        refused(
            &format!("The build context cannot be written: {error}."),
            "Free some space where temporary files are kept, then check again.",
        )
    })
}

fn rewritten(dockerfile: &Dockerfile, bases: &[BaseReport]) -> String {
    let mut text = dockerfile.text.clone();
    let mut found = external_references(dockerfile, &BuildArgs::new());
    found.sort_by_key(|reference| std::cmp::Reverse(reference.span.start));
    for reference in found {
        let base = bases
            .iter()
            .find(|base| base.reference == reference.reference);
        if let Some(base) = base.filter(|base| base.resolved != base.reference) {
            let new = match reference.usage {
                crate::dockerfile::ReferenceUse::From => base.resolved.clone(),
                _ => format!("--from={}", base.resolved),
            };
            text.replace_range(reference.span.range(), &new);
        }
    }
    text
}

fn write(files: &Files) -> std::io::Result<Prepared> {
    let archive = NamedTempFile::new()?;
    let mut tar = tar::Builder::new(std::io::BufWriter::new(archive.as_file()));
    for (name, content) in files {
        let mut header = tar::Header::new_ustar();
        header.set_size(content.len() as u64);
        header.set_mode(0o755);
        tar.append_data(&mut header, name, &content[..])?;
    }
    tar.into_inner()?.into_inner()?;
    let facts = ContextFacts {
        bytes: Bytes(files.values().map(|content| content.len() as u64).sum()),
        paths: files.keys().cloned().collect(),
    };
    Ok(Prepared { archive, facts })
}
