//! Makes the context of a build from what the exercise gives and what the learner wrote.
//!
//! The folder is walked once, when the attempt begins: the Dockerfile that is parsed is the one
//! that is built, and a rebuild changes a copy of what was sent.

use std::collections::BTreeMap;
use std::collections::BTreeSet;
use std::io::BufReader;
use std::io::BufWriter;
use std::sync::Arc;

use bytes::Bytes;

use super::Request;
use super::Submission;
use super::busy;
use super::problem;
use crate::dockerfile::BuildArgs;
use crate::dockerfile::Dockerfile;
use crate::dockerfile::context;
use crate::dockerfile::context::Context;
use crate::dockerfile::context::ContextError;
use crate::dockerfile::context::Files;
use crate::dockerfile::context::LeftOut;
use crate::dockerfile::context::Limits;
use crate::dockerfile::context::Sending;
use crate::dockerfile::context::Sources;
use crate::dockerfile::external_references;
use crate::dockerfile::rewrite;
use crate::dockerfile::without_syntax;
use crate::engine::Builder;
use crate::engine::ContextArchive;
use crate::goal::evidence::ContextFacts;
use crate::report::BaseReport;
use crate::report::Outcome;
use crate::report::Problem;
use crate::text;
use crate::text::sentence;

/// The name of the file that is built.
const DOCKERFILE: &str = "Dockerfile";

/// What is built, as it was when the attempt began.
pub(super) struct Gathered {
    context: Arc<Context>,
    dockerfile: Arc<Dockerfile>,
}

/// A context that is ready to be sent.
pub(super) struct Prepared {
    /// The archive; the file goes with its last reader.
    pub(super) archive: ContextArchive,
    /// The Dockerfile with the base images resolved, where the builder takes it apart from the
    /// archive.
    pub(super) dockerfile: Option<Bytes>,
    /// What is in it.
    pub(super) facts: ContextFacts,
    /// What it was made from.
    context: Arc<Context>,
}

/// Whether the builder is told which image reads the Dockerfile.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Frontend {
    /// The one that the `# syntax=` line names, where there is one.
    AsWritten,
    /// The builder's own.
    OfTheEngine,
}

pub(super) type Refused = (Outcome, Problem);

/// What cannot be sent, in a learner's words.
fn refused(error: &ContextError) -> Refused {
    let mut message = format!("The files cannot be sent to the builder: {error}");
    if let Some(cause) = std::error::Error::source(error) {
        message.push_str(&format!(": {}", text::cause(cause)));
    }
    message.push('.');
    let outcome = match error {
        // Not the learner's: nothing of the folder is wrong.
        ContextError::Write(_) => Outcome::CouldNotJudge,
        _ => Outcome::BuildFailed,
    };
    let hint = error
        .hint()
        .unwrap_or_else(|| String::from("look at that file, then check again"));
    let told = problem::problem(&message, &sentence(&hint), None);
    (outcome, told)
}

/// Which stages of a Dockerfile a builder builds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stages {
    /// Those that the last one needs.
    Needed,
    /// All of them.
    All,
}

/// The images from outside that `stages` of the Dockerfile name, each once.
pub(super) fn references(dockerfile: &Dockerfile, stages: Stages) -> Vec<String> {
    let mut seen = BTreeSet::new();
    let found = external_references(dockerfile, &BuildArgs::new());
    found
        .into_iter()
        .filter(|found| found.needed || stages == Stages::All)
        .map(|found| found.reference)
        .filter(|reference| seen.insert(reference.clone()))
        .collect()
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
pub(super) fn gather(request: &Request) -> Result<Gathered, Refused> {
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
    let read = || {
        let context = Context::gather(&sources, DOCKERFILE, &Limits::default())?;
        let dockerfile = Dockerfile::parse_bytes(&context.read(DOCKERFILE)?);
        Ok(Gathered {
            context: Arc::new(context),
            dockerfile: Arc::new(dockerfile),
        })
    };
    let gathered = read().map_err(|error| refused(&error))?;
    match busy::refused(&gathered.dockerfile) {
        Some(refused) => Err(refused),
        None => Ok(gathered),
    }
}

impl Gathered {
    /// The learner's Dockerfile.
    pub(super) const fn dockerfile(&self) -> &Arc<Dockerfile> {
        &self.dockerfile
    }

    /// What leaves `path` out of what is sent, though it is in the folder.
    pub(super) fn left_out(&self, path: &str) -> Option<LeftOut> {
        self.context.left_out(path)
    }

    /// The context with the base images resolved, as `builder` takes it.
    pub(super) fn context(
        &self,
        bases: &[BaseReport],
        frontend: Frontend,
        builder: Builder,
    ) -> Result<Prepared, Refused> {
        self.archive(bases, frontend, builder)
            .map_err(|error| refused(&error))
    }

    fn archive(
        &self,
        bases: &[BaseReport],
        frontend: Frontend,
        builder: Builder,
    ) -> Result<Prepared, ContextError> {
        let resolved: BTreeMap<String, String> = bases
            .iter()
            .map(|base| (base.reference.clone(), base.resolved.clone()))
            .collect();
        let mut sent = rewrite(&self.dockerfile, &BuildArgs::new(), &resolved);
        if frontend == Frontend::OfTheEngine {
            sent = without_syntax(&self.dockerfile, &sent);
        }
        let (sending, apart) = match builder {
            Builder::Classic => (Sending::ToBuild(sent.as_bytes()), None),
            Builder::Buildkit | Builder::Buildah => (Sending::AsItIs, Some(Bytes::from(sent))),
        };
        let archive = tempfile::tempfile().map_err(ContextError::Write)?;
        let facts = self.context.write(sending, BufWriter::new(&archive))?;
        Ok(Prepared {
            archive: ContextArchive::from(archive),
            dockerfile: apart,
            context: Arc::clone(&self.context),
            facts: ContextFacts {
                bytes: facts.bytes,
                paths: facts.paths,
            },
        })
    }
}

impl Prepared {
    /// The same with one file touched, for a rebuild; a file that is not sent changes nothing.
    pub(super) fn touched(&self, path: &str) -> Result<Self, Refused> {
        let same = |archive: ContextArchive| Self {
            archive,
            dockerfile: self.dockerfile.clone(),
            facts: self.facts.clone(),
            context: Arc::clone(&self.context),
        };
        if self.context.left_out(path).is_some() {
            return Ok(same(self.archive.clone()));
        }
        let copy = || {
            let from = BufReader::new(self.archive.reader());
            let archive = tempfile::tempfile().map_err(ContextError::Write)?;
            context::touch(from, path, rand::random(), BufWriter::new(&archive))?;
            Ok(same(ContextArchive::from(archive)))
        };
        copy().map_err(|error| refused(&error))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_wrong_with_the_files_is_charged_to_them() {
        let (outcome, told) = refused(&ContextError::Write(std::io::Error::from_raw_os_error(2)));
        assert_eq!(outcome, Outcome::CouldNotJudge);
        assert!(!told.message.as_str().contains("os error"), "{told:?}");
        let (outcome, _) = refused(&ContextError::NoDockerfile(text::Clean::line("Dockerfile")));
        assert_eq!(outcome, Outcome::BuildFailed);
    }

    #[test]
    fn images_of_stages_that_are_not_built_are_not_asked_for() {
        let file = Dockerfile::parse(
            "FROM 192.0.2.1:5000/x AS unused\nCOPY --from=lab/a / /\n\
             FROM b AS used\nFROM b\nCOPY --from=used / /\nCOPY --from=c / /\n",
        );
        assert_eq!(references(&file, Stages::Needed), ["b", "c"]);
        let all = ["192.0.2.1:5000/x", "lab/a", "b", "c"];
        assert_eq!(references(&file, Stages::All), all);
        // What only an ONBUILD takes is built as well, whatever case a mount's keys are in.
        for taken in [
            "FROM b AS m\nONBUILD COPY --from=tools /a /a\nFROM m\n",
            "FROM b\nRUN --mount=type=bind,From=tools,target=/t true\n",
        ] {
            let file = Dockerfile::parse(&format!("FROM a AS tools\n{taken}"));
            assert_eq!(references(&file, Stages::Needed), ["a", "b"], "{taken}");
        }
        // Nothing starts from the last stage.
        let file = Dockerfile::parse("FROM a AS tools\nFROM b\nONBUILD COPY --from=tools / /\n");
        assert_eq!(references(&file, Stages::Needed), ["b"]);
    }
}
