//! Makes the context of a build from what the exercise gives and what the learner wrote.

use std::collections::BTreeMap;
use std::io::BufWriter;
use std::sync::Arc;

use tempfile::NamedTempFile;

use super::Request;
use super::Submission;
use super::problem;
use crate::dockerfile::BuildArgs;
use crate::dockerfile::Dockerfile;
use crate::dockerfile::context::Context;
use crate::dockerfile::context::ContextError;
use crate::dockerfile::context::Files;
use crate::dockerfile::context::Limits;
use crate::dockerfile::context::Sources;
use crate::dockerfile::external_references;
use crate::dockerfile::rewrite;
use crate::goal::evidence::ContextFacts;
use crate::report::BaseReport;
use crate::report::Outcome;
use crate::report::Problem;

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

/// What cannot be sent, in a learner's words.
fn refused(error: &ContextError) -> Refused {
    let mut message = format!("The files cannot be sent to the builder: {error}");
    if let Some(cause) = std::error::Error::source(error) {
        message.push_str(&format!(": {cause}"));
    }
    message.push('.');
    let hint = error
        .hint()
        .unwrap_or_else(|| String::from("look at that file, then check again"));
    let told = problem::problem(&message, &problem::sentence(&hint), None);
    (Outcome::BuildFailed, told)
}

/// The learner's Dockerfile.
pub(super) fn dockerfile(request: &Request) -> Result<Dockerfile, Refused> {
    let text = gather(request)
        .and_then(|context| context.read(DOCKERFILE))
        .map_err(|error| refused(&error))?;
    Ok(Dockerfile::parse_bytes(&text))
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
fn gather(request: &Request) -> Result<Context, ContextError> {
    let exercise = &request.exercise;
    let own: Files = exercise
        .files
        .iter()
        .filter(|(name, _)| !exercise.edit.contains(name))
        .map(|(name, content)| (name.clone(), Arc::clone(content)))
        .collect();
    let none = Files::new();
    let (below, folder) = match &request.submission {
        Submission::Folder(folder) => (&none, Some(folder.as_path())),
        Submission::Files(files) => (files, None),
    };
    let sources = Sources {
        below,
        folder,
        above: &own,
    };
    Context::gather(&sources, DOCKERFILE, &Limits::default())
}

/// The context with the base images resolved and, for a rebuild, one file touched.
pub(super) fn context(
    request: &Request,
    dockerfile: &Dockerfile,
    bases: &[BaseReport],
    touch: Option<&str>,
) -> Result<Prepared, Refused> {
    archive(request, dockerfile, bases, touch).map_err(|error| refused(&error))
}

fn archive(
    request: &Request,
    dockerfile: &Dockerfile,
    bases: &[BaseReport],
    touch: Option<&str>,
) -> Result<Prepared, ContextError> {
    let mut context = gather(request)?;
    if let Some(touch) = touch {
        let mut content = context.read(touch)?;
        content.push(b'\n');
        context.put(touch, &content)?;
    }
    let resolved: BTreeMap<String, String> = bases
        .iter()
        .map(|base| (base.reference.clone(), base.resolved.clone()))
        .collect();
    let sent = rewrite(dockerfile, &BuildArgs::new(), &resolved);
    context.put(DOCKERFILE, sent.as_bytes())?;
    let archive = NamedTempFile::new().map_err(ContextError::Write)?;
    let facts = context.write(BufWriter::new(archive.as_file()))?;
    Ok(Prepared {
        archive,
        facts: ContextFacts {
            bytes: facts.bytes,
            paths: facts.paths,
        },
    })
}
