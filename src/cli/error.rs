//! What a verb says when it cannot do what it was asked: kind, place, causes, hints, exit code.
//!
//! The shape is cargo's: `error:` and a fragment, ` --> ` and the place, `caused by:` one line per
//! cause, `hint:` with the exact command. Everything about an error is decided in one exhaustive
//! match, so that a new kind cannot be forgotten in one of three places.

mod engine;
#[cfg(test)]
mod tests;
mod told;
mod words;

use std::fmt::Write as _;
use std::path::PathBuf;

pub use engine::Silence;
use told::Told;
use told::told;
use words::cannot_fix;
use words::input_twice;
use words::mistake;
use words::needs_engine;
use words::no_answer;
use words::no_copy;
use words::no_dockerfile;
use words::no_home;
use words::no_image;
use words::not_its_base;
use words::not_traced;
use words::of_advisories;
use words::of_command;
use words::of_course;
use words::of_layers;
use words::of_lint;
use words::of_scan;
use words::unknown;
use words::unknown_id;
use words::unreadable;
use words::unwritable;
use words::unwritten;

use crate::advisories::AdvisoriesError;
use crate::cli::exit::Exit;
use crate::cli::layers::LayersError;
use crate::cli::output::Paint;
use crate::course::CourseError;
use crate::engine::EngineError;
use crate::finding::matching::LookupError;
use crate::image::archive::ArchiveError;
use crate::learner::HomeError;
use crate::scan::ScanError;
use crate::text::Clean;
use crate::text::nearest;

/// An id that the course does not have.
#[derive(Debug)]
pub struct UnknownId {
    /// What was asked for.
    pub asked: String,
    /// The nearest one there is.
    pub nearest: Option<String>,
    /// All that there are, in the course's order.
    pub known: Vec<String>,
}

impl UnknownId {
    /// That `asked` is none of the `known` ones.
    #[must_use]
    pub fn among<'a>(asked: &str, known: impl IntoIterator<Item = &'a str>) -> Self {
        let known: Vec<&str> = known.into_iter().collect();
        Self {
            asked: asked.to_owned(),
            nearest: nearest(asked, known.iter().copied()).map(str::to_owned),
            known: known.into_iter().map(str::to_owned).collect(),
        }
    }
}

/// Why a verb could not do what it was asked.
#[derive(Debug)]
pub enum CliError {
    /// The course has no such exercise.
    UnknownExercise(UnknownId),
    /// The course has no such lesson or exercise.
    UnknownUnit(UnknownId),
    /// There is no such goal kind.
    UnknownGoal {
        /// What was asked for.
        asked: String,
        /// The nearest one there is.
        nearest: Option<String>,
    },
    /// What a Dockerfile's lint cannot do.
    Lint(LintError),
    /// A folder or file that was named cannot be read.
    Unreadable {
        /// What it is: `the folder`, `the pack`.
        what: &'static str,
        /// Where.
        path: PathBuf,
        /// Why.
        cause: std::io::Error,
    },
    /// A file that was named cannot be written.
    Unwritable {
        /// Where.
        path: PathBuf,
        /// Why.
        cause: std::io::Error,
    },
    /// An archive that was named is not an image, or is broken.
    Archive {
        /// Where.
        path: PathBuf,
        /// What is wrong with it.
        cause: ArchiveError,
    },
    /// Layers cannot be shown as they were asked for.
    Layers(LayersError),
    /// An image was named as the base of another one, and is not.
    NotItsBase {
        /// As it was named.
        base: String,
    },
    /// An archive or a folder was named where an image has to run.
    NeedsEngine {
        /// Where it is.
        path: PathBuf,
    },
    /// Standard input was named for two images.
    InputTwice,
    /// What a run of an image opens could not be seen.
    NotTraced {
        /// The image.
        image: String,
        /// Why, as a fragment.
        why: String,
    },
    /// The image that was to run is not there.
    NothingToRun(EngineError),
    /// The folder holds no Dockerfile.
    NoDockerfile {
        /// The folder.
        folder: PathBuf,
    },
    /// The course cannot be used.
    Course(Box<CourseError>),
    /// The engine cannot be used.
    Engine(EngineError),
    /// The environment names no place for the learner's files.
    NoHome(HomeError),
    /// Nothing can be asked: there is no terminal, and `--yes` was not given.
    NoAnswer {
        /// What would have been asked.
        question: String,
    },
    /// No engine can be installed or started from here.
    CannotFix {
        /// Why.
        reason: String,
        /// What a person with the right to do so would run.
        commands: Vec<String>,
    },
    /// A command that was run for the user failed.
    Command {
        /// The command as the user would type it.
        command: String,
        /// What it said last.
        last_words: Vec<Clean>,
    },
    /// An engine was started and does not answer.
    EngineSilent(Silence),
    /// Some bases could not be made ready, or a pack could not be written or read.
    Bases {
        /// Whose fault it is.
        exit: Exit,
        /// What failed, as a fragment.
        message: String,
        /// The causes, outermost first.
        causes: Vec<String>,
        /// What to do next.
        next_step: Option<String>,
    },
    /// Advisories could not be fetched, imported or read.
    Advisories(AdvisoriesError),
    /// Advisories could not be read while packages were compared with them.
    Lookup(LookupError),
    /// A scanner could not be used.
    Scan(ScanError),
    /// A copy of an image, for a scanner to read, cannot be written.
    NoCopy {
        /// Where it would be.
        folder: PathBuf,
        /// Why.
        cause: std::io::Error,
    },
    /// The result could not be written.
    Output(std::io::Error),
    /// Ctrl-C or a signal.
    Interrupted,
    /// A mistake of the program.
    Internal(String),
}

/// Why Dockerfiles cannot be linted or mended.
#[derive(Debug)]
pub enum LintError {
    /// There is no such rule.
    UnknownRule {
        /// What was asked for.
        asked: String,
        /// The nearest one there is.
        nearest: Option<String>,
    },
    /// The folder holds no Dockerfile.
    NoDockerfile {
        /// The folder.
        folder: PathBuf,
    },
    /// A Dockerfile cannot be written.
    Unwritable {
        /// Where.
        path: PathBuf,
        /// Why.
        cause: std::io::Error,
    },
    /// An image was named for several Dockerfiles.
    ManyFiles(usize),
    /// A Dockerfile holds bytes that are no text, and would not come back as they were.
    NotText {
        /// Where.
        path: PathBuf,
    },
    /// A Dockerfile is longer than what is read of it, and would come back without its end.
    TooLong {
        /// Where.
        path: PathBuf,
    },
}

impl CliError {
    /// Everything that is said, and the exit code.
    fn explain(&self) -> (Exit, Told) {
        match self {
            Self::UnknownExercise(id) => (Exit::Usage, unknown_id("exercise", id)),
            Self::UnknownUnit(id) => (Exit::Usage, unknown_id("lesson or exercise", id)),
            Self::UnknownGoal { asked, nearest } => (
                Exit::Usage,
                unknown("there is no goal kind", asked, nearest.as_deref())
                    .hint("`loadline goals` lists every kind"),
            ),
            Self::Lint(error) => (Exit::Usage, of_lint(error)),
            Self::Unreadable { what, path, cause } => (Exit::Usage, unreadable(what, path, cause)),
            Self::Unwritable { path, cause } => (Exit::Usage, unwritable(path, cause)),
            Self::Archive { path, cause } => (Exit::Usage, no_image(path, cause)),
            Self::Layers(error) => (Exit::Usage, of_layers(error)),
            Self::NotItsBase { base } => (Exit::Usage, not_its_base(base)),
            Self::NeedsEngine { path } => (Exit::Usage, needs_engine(path)),
            Self::InputTwice => (Exit::Usage, input_twice()),
            Self::NotTraced { image, why } => (Exit::NotJudged, not_traced(image, why)),
            Self::NoDockerfile { folder } => (Exit::Usage, no_dockerfile(folder)),
            Self::Course(error) => (Exit::BadCourse, of_course(error)),
            Self::Engine(error) => engine::explain(error),
            Self::NothingToRun(error) => (Exit::Usage, engine::no_image(error.to_string())),
            Self::NoHome(error) => (Exit::Usage, no_home(error)),
            Self::NoAnswer { question } => (Exit::Usage, no_answer(question)),
            Self::CannotFix { reason, commands } => (Exit::NoEngine, cannot_fix(reason, commands)),
            Self::Command {
                command,
                last_words,
            } => (Exit::NoEngine, of_command(command, last_words)),
            Self::EngineSilent(silence) => (Exit::NoEngine, engine::silent(silence)),
            Self::Bases {
                exit,
                message,
                causes,
                next_step,
            } => (
                *exit,
                told(message)
                    .causes(causes.iter().cloned())
                    .hints(next_step),
            ),
            Self::Advisories(error) => of_advisories(error),
            Self::Lookup(error) => (Exit::NotJudged, told(error.to_string())),
            Self::Scan(error) => of_scan(error),
            Self::NoCopy { folder, cause } => (Exit::NotJudged, no_copy(folder, cause)),
            Self::Output(cause) => (Exit::Internal, unwritten(cause)),
            Self::Interrupted => (Exit::Interrupted, told("interrupted")),
            Self::Internal(message) => (Exit::Internal, mistake(message)),
        }
    }

    /// The exit code.
    #[must_use]
    pub fn exit(&self) -> Exit {
        self.explain().0
    }

    /// The whole text for standard error.
    pub(crate) fn render(&self, paint: Paint) -> String {
        let (_, told) = self.explain();
        let mut text = format!("{} {}\n", paint.bad("error:"), told.message);
        if let Some(place) = told.place {
            let _ = writeln!(text, "  {} {place}", paint.faint("-->"));
        }
        for cause in told.causes {
            let _ = writeln!(text, "  {} {cause}", paint.faint("caused by:"));
        }
        for hint in told.hints {
            let _ = writeln!(text, "  {} {hint}", paint.good("hint:"));
        }
        text
    }
}

impl From<EngineError> for CliError {
    fn from(error: EngineError) -> Self {
        Self::Engine(error)
    }
}

impl From<LayersError> for CliError {
    fn from(error: LayersError) -> Self {
        Self::Layers(error)
    }
}

impl From<AdvisoriesError> for CliError {
    fn from(error: AdvisoriesError) -> Self {
        Self::Advisories(error)
    }
}

impl From<LookupError> for CliError {
    fn from(error: LookupError) -> Self {
        Self::Lookup(error)
    }
}

impl From<ScanError> for CliError {
    fn from(error: ScanError) -> Self {
        Self::Scan(error)
    }
}

impl From<CourseError> for CliError {
    fn from(error: CourseError) -> Self {
        Self::Course(Box::new(error))
    }
}
