//! What a verb says when it cannot do what it was asked: kind, place, causes, hints, exit code.
//!
//! The shape is cargo's: `error:` and a fragment, ` --> ` and the place, `caused by:` one line per
//! cause, `hint:` with the exact command. Everything about an error is decided in one exhaustive
//! match, so that a new kind cannot be forgotten in one of three places.

mod engine;

use std::fmt::Write as _;
use std::path::Path;
use std::path::PathBuf;

pub use engine::Silence;

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

/// Why a verb could not do what it was asked.
#[derive(Debug)]
pub enum CliError {
    /// The course has no such exercise.
    UnknownExercise {
        /// What was asked for.
        asked: String,
        /// The nearest one there is.
        nearest: Option<String>,
    },
    /// The course has no such lesson or exercise.
    UnknownUnit {
        /// What was asked for.
        asked: String,
        /// The nearest one there is.
        nearest: Option<String>,
    },
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
    /// What a run of an image opens could not be seen.
    NotTraced {
        /// The image.
        image: String,
        /// Why, as a fragment.
        why: String,
    },
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
}

/// An error taken apart for showing.
#[derive(Debug, Default, PartialEq, Eq)]
struct Told {
    message: String,
    /// `path:line:column` and the lines that show it, without the arrow.
    place: Option<String>,
    causes: Vec<String>,
    hints: Vec<String>,
}

impl CliError {
    /// Everything that is said, and the exit code.
    fn explain(&self) -> (Exit, Told) {
        match self {
            Self::UnknownExercise { asked, nearest } => (
                Exit::Usage,
                unknown("the course has no exercise", asked, nearest.as_deref())
                    .hint("`loadline --plain` lists every exercise"),
            ),
            Self::UnknownUnit { asked, nearest } => (
                Exit::Usage,
                unknown(
                    "the course has no lesson or exercise",
                    asked,
                    nearest.as_deref(),
                )
                .hint("`loadline --plain` lists every lesson and exercise"),
            ),
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
            Self::NotTraced { image, why } => (Exit::NotJudged, not_traced(image, why)),
            Self::NoDockerfile { folder } => (Exit::Usage, no_dockerfile(folder)),
            Self::Course(error) => (Exit::BadCourse, of_course(error)),
            Self::Engine(error) => engine::explain(error),
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

fn told(message: impl Into<String>) -> Told {
    Told {
        message: message.into(),
        ..Told::default()
    }
}

impl Told {
    fn causes(mut self, causes: impl IntoIterator<Item = String>) -> Self {
        self.causes.extend(causes);
        self
    }

    fn hints(mut self, hint: &Option<String>) -> Self {
        self.hints.extend(hint.clone());
        self
    }

    fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hints.push(hint.into());
        self
    }
}

fn unreadable(what: &str, path: &Path, cause: &std::io::Error) -> Told {
    told(format!("{what} `{}` cannot be read", shown(path)))
        .causes([io_cause(cause)])
        .hint("check the path and its permissions")
}

fn no_image(path: &Path, cause: &ArchiveError) -> Told {
    told(format!("`{}` cannot be read as an image", shown(path)))
        .causes([cause.to_string()])
        .hint("write one with `docker save IMAGE -o FILE`")
}

fn of_layers(error: &LayersError) -> Told {
    Told {
        place: error.place(),
        hints: error.hint().into_iter().collect(),
        ..told(error.to_string())
    }
}

fn of_command(command: &str, last_words: &[Clean]) -> Told {
    told(format!("`{command}` failed"))
        .causes(last_words.iter().map(ToString::to_string))
        .hint("run it by hand to see all that it says, then run `loadline doctor`")
}

fn not_its_base(base: &str) -> Told {
    told(format!(
        "the image does not begin with the layers of `{}`",
        Clean::line(base)
    ))
    .hint("name the image that its Dockerfile starts from, as it was when it was built")
    .hint("without `--base`, every layer is looked at")
}

/// What helps where a disk is full.
const ROOM: &str = "make room there, or write to another disk";

fn unwritable(path: &Path, cause: &std::io::Error) -> Told {
    told(format!("`{}` cannot be written", shown(path)))
        .causes([io_cause(cause)])
        .hint(match cause.kind() {
            std::io::ErrorKind::StorageFull => ROOM,
            _ => "check the path and its permissions",
        })
}

fn unwritten(cause: &std::io::Error) -> Told {
    let told = told("the result cannot be written").causes([io_cause(cause)]);
    match cause.kind() {
        std::io::ErrorKind::StorageFull => told.hint(ROOM),
        _ => told,
    }
}

fn no_answer(question: &str) -> Told {
    told(format!("there is no terminal to ask on: {question}"))
        .hint("run it again with `--yes` to agree beforehand")
}

fn mistake(message: &str) -> Told {
    told(message).hint("this is a mistake of the program; your files are safe")
}

fn no_home(error: &HomeError) -> Told {
    let told = told(error.to_string());
    let told = match error {
        HomeError::Make { source, .. } => told.causes([io_cause(source)]),
        HomeError::NoHome | HomeError::Relative(_) => told,
    };
    told.hint(error.hint())
        .hint("`loadline check EXERCISE --dir DIR` needs no home")
}

fn of_lint(error: &LintError) -> Told {
    match error {
        LintError::UnknownRule { asked, nearest } => {
            unknown("there is no lint rule", asked, nearest.as_deref())
                .hint("`loadline lint --rules` lists every rule")
        }
        LintError::NoDockerfile { folder } => told(format!(
            "the folder `{}` holds no `Dockerfile`",
            shown(folder)
        ))
        .hint("name the file itself: `loadline lint FILE`"),
        LintError::Unwritable { path, cause } => told(format!(
            "the Dockerfile `{}` cannot be written",
            shown(path)
        ))
        .causes([io_cause(cause)])
        .hint("check the permissions of the file and of its folder"),
        LintError::ManyFiles(count) => {
            told(format!("`--image` is for one Dockerfile, not for {count}"))
                .hint("lint each with the image that was built from it")
        }
        LintError::NotText { path } => told(format!(
            "the Dockerfile `{}` is not UTF-8, so it is not changed",
            shown(path)
        ))
        .hint("save it as UTF-8, then mend it"),
    }
}

fn needs_engine(path: &Path) -> Told {
    told(format!(
        "`{}` is not on an engine, and a run needs one",
        shown(path)
    ))
    .hint("load it with `docker load -i FILE`, then name the image")
}

fn not_traced(image: &str, why: &str) -> Told {
    let image = Clean::line(image);
    told(format!("what a run of `{image}` opens cannot be seen")).causes([why.to_owned()])
}

fn no_dockerfile(folder: &Path) -> Told {
    told(format!(
        "the folder `{}` holds no `Dockerfile`",
        shown(folder)
    ))
    .hint("name the folder that holds the learner's files with `--dir DIR`")
}

fn of_course(error: &CourseError) -> Told {
    Told {
        place: Some(course_place(error)),
        hints: error.hint().map(str::to_owned).into_iter().collect(),
        ..told(error.message())
    }
}

fn unknown(what: &str, asked: &str, nearest: Option<&str>) -> Told {
    let told = told(format!("{what} `{}`", Clean::line(asked)));
    match nearest {
        Some(nearest) => told.hint(format!("did you mean `{nearest}`?")),
        None => told,
    }
}

fn cannot_fix(reason: &str, commands: &[String]) -> Told {
    let mut told = told(reason);
    for command in commands {
        told = told.hint(format!("run `{command}`"));
    }
    told.hint("then run `loadline doctor` to see what was tried")
}

/// What errors of advisories mean for a person at a shell.
fn of_advisories(error: &AdvisoriesError) -> (Exit, Told) {
    let causes: Vec<String> = match error {
        AdvisoriesError::File { source, .. } => vec![io_cause(source)],
        _ => Vec::new(),
    };
    let exit = match error {
        AdvisoriesError::File { .. }
        | AdvisoriesError::NoSuchSnapshot { .. }
        | AdvisoriesError::Ambiguous { .. }
        | AdvisoriesError::NothingThere { .. }
        | AdvisoriesError::Missing { .. }
        | AdvisoriesError::NoPlace(_) => Exit::Usage,
        AdvisoriesError::DiskFull { .. }
        | AdvisoriesError::Damaged { .. }
        | AdvisoriesError::NotAnArchive { .. }
        | AdvisoriesError::TooMuch { .. }
        | AdvisoriesError::Corrupt { .. }
        | AdvisoriesError::Network { .. }
        | AdvisoriesError::Status { .. }
        | AdvisoriesError::Busy => Exit::NotJudged,
        AdvisoriesError::Cancelled => Exit::Interrupted,
    };
    let told = told(Clean::line(&error.to_string()).to_string())
        .causes(causes)
        .hint(error.hint());
    (exit, told)
}

/// What errors of scanners mean for a person at a shell.
fn of_scan(error: &ScanError) -> (Exit, Told) {
    let causes: Vec<String> = match error {
        ScanError::Start { source, .. } => vec![io_cause(source)],
        _ => Vec::new(),
    };
    let exit = match error {
        ScanError::NotInstalled(_) | ScanError::Refused { .. } => Exit::Usage,
        ScanError::Start { .. }
        | ScanError::Failed { .. }
        | ScanError::TooLong { .. }
        | ScanError::TooMuch { .. }
        | ScanError::Unreadable { .. } => Exit::NotJudged,
        ScanError::Cancelled => Exit::Interrupted,
    };
    let told = told(Clean::line(&error.to_string()).to_string())
        .causes(causes)
        .hint(error.hint());
    (exit, told)
}

/// The place of a course's error with its line and caret, below the arrow.
fn course_place(error: &CourseError) -> String {
    let text = error.to_string();
    let shown: Vec<&str> = text
        .lines()
        .skip_while(|line| !line.starts_with("  --> "))
        .filter(|line| !line.starts_with("  hint: "))
        .collect();
    let joined = shown.join("\n");
    joined
        .strip_prefix("  --> ")
        .map_or(error.place(), str::to_owned)
}

/// A path without control characters.
fn shown(path: &Path) -> Clean {
    Clean::line(&path.display().to_string())
}

/// The cause in words, without the operating system's number.
fn io_cause(error: &std::io::Error) -> String {
    let text = error.to_string();
    let words = text.split(" (os error").next().unwrap_or(&text);
    Clean::line(&words.to_lowercase()).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plain(error: &CliError) -> String {
        error.render(Paint::none())
    }

    #[test]
    fn an_unknown_exercise_names_the_nearest() {
        let error = CliError::UnknownExercise {
            asked: "shrink-that-imge".to_owned(),
            nearest: Some("shrink-that-image".to_owned()),
        };
        insta::assert_snapshot!(plain(&error), @"
        error: the course has no exercise `shrink-that-imge`
          hint: did you mean `shrink-that-image`?
          hint: `loadline --plain` lists every exercise
        ");
        assert_eq!(error.exit(), Exit::Usage);
    }

    #[test]
    fn a_course_error_keeps_its_line_and_caret() {
        let error = CourseError::at(
            "exercises/a/exercise.yaml",
            "format: 1\ngoals:\n  - max_sze: 100 MB\n",
            3,
            5,
            "unknown goal kind `max_sze`".to_owned(),
        )
        .with_hint("did you mean `max_size`?");
        insta::assert_snapshot!(plain(&error.into()), @"
        error: unknown goal kind `max_sze`
          --> exercises/a/exercise.yaml:3:5
           |
         3 |   - max_sze: 100 MB
           |     ^^^^^^^
          hint: did you mean `max_size`?
        ");
    }

    #[test]
    fn what_cannot_be_fixed_prints_the_commands_of_someone_who_can() {
        let error = CliError::CannotFix {
            reason: "installing an engine needs root, and there is no `sudo` here".to_owned(),
            commands: vec!["apt-get install -y docker.io".to_owned()],
        };
        insta::assert_snapshot!(plain(&error), @"
        error: installing an engine needs root, and there is no `sudo` here
          hint: run `apt-get install -y docker.io`
          hint: then run `loadline doctor` to see what was tried
        ");
    }

    #[test]
    fn what_others_fail_at_is_no_mistake_of_the_program() {
        let failed = CliError::Scan(ScanError::TooLong {
            program: "trivy",
            within: std::time::Duration::from_secs(600),
        });
        let refused = CliError::Advisories(AdvisoriesError::Status {
            place: String::from("http://mirror.example"),
            status: 500,
        });
        let away = CliError::Advisories(AdvisoriesError::Network {
            place: String::from("http://mirror.example"),
            why: Clean::line("connection refused"),
            kept: crate::units::Bytes(0),
        });
        let damaged = CliError::Lookup(LookupError(String::from("an index has another size")));
        for error in [failed, refused, away, damaged] {
            assert_eq!(error.exit(), Exit::NotJudged, "{error:?}");
            assert!(
                !plain(&error).contains("mistake of the program"),
                "{error:?}"
            );
        }
    }

    #[test]
    fn file_names_cannot_steer_the_terminal() {
        let error = CliError::NoDockerfile {
            folder: PathBuf::from("a\u{1b}[2Jb"),
        };
        assert!(!plain(&error).contains('\u{1b}'));
    }

    #[test]
    fn a_file_that_cannot_be_written_is_named() {
        let error = CliError::Unwritable {
            path: PathBuf::from("no/such/app.spdx.json"),
            cause: std::io::Error::from_raw_os_error(2),
        };
        insta::assert_snapshot!(plain(&error), @r"
        error: `no/such/app.spdx.json` cannot be written
          caused by: no such file or directory
          hint: check the path and its permissions
        ");
    }

    #[test]
    fn a_home_that_cannot_be_made_says_why() {
        let error = CliError::NoHome(HomeError::Make {
            path: PathBuf::from("/proc/x"),
            source: std::io::Error::from_raw_os_error(13),
        });
        let plain = plain(&error);
        assert!(plain.contains("caused by: permission denied\n"), "{plain}");
    }

    #[test]
    fn causes_are_words_not_numbers() {
        let error = CliError::Unreadable {
            what: "the folder",
            path: PathBuf::from("x"),
            cause: std::io::Error::from_raw_os_error(2),
        };
        insta::assert_snapshot!(plain(&error), @"
        error: the folder `x` cannot be read
          caused by: no such file or directory
          hint: check the path and its permissions
        ");
    }
}
