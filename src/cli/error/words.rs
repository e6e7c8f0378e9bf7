//! The words of each error: its message, its causes and what to do next.

use std::path::Path;

use super::LintError;
use super::UnknownId;
use super::told::Told;
use super::told::shown;
use super::told::told;
use crate::advisories::AdvisoriesError;
use crate::cli::exit::Exit;
use crate::cli::layers::LayersError;
use crate::course::CourseError;
use crate::image::archive::ArchiveError;
use crate::learner::HomeError;
use crate::scan::ScanError;
use crate::text::Clean;
use crate::text::io_cause;

pub(super) fn unreadable(what: &str, path: &Path, cause: &std::io::Error) -> Told {
    told(format!("{what} `{}` cannot be read", shown(path)))
        .causes([io_cause(cause)])
        .hint("check the path and its permissions")
}

pub(super) fn input_twice() -> Told {
    told("standard input cannot be both images")
        .hint("write one of them to a file: `docker save IMAGE -o FILE`")
}

pub(super) fn no_image(path: &Path, cause: &ArchiveError) -> Told {
    told(format!("`{}` cannot be read as an image", shown(path)))
        .causes([cause.to_string()])
        .hint(cause.hint())
}

pub(super) fn of_layers(error: &LayersError) -> Told {
    Told {
        place: error.place(),
        hints: error.hint().into_iter().collect(),
        ..told(error.to_string())
    }
}

pub(super) fn of_command(command: &str, last_words: &[Clean]) -> Told {
    told(format!("`{command}` failed"))
        .causes(last_words.iter().map(ToString::to_string))
        .hint("run it by hand to see all that it says, then run `loadline doctor`")
}

pub(super) fn not_its_base(base: &str) -> Told {
    told(format!(
        "the image does not begin with the layers of `{}`",
        Clean::line(base)
    ))
    .hint("name the image that its Dockerfile starts from, as it was when it was built")
    .hint("without `--base`, every layer is looked at")
}

/// What helps where a disk is full.
const ROOM: &str = "make room there, or write to another disk";

fn is_full(cause: &std::io::Error) -> bool {
    matches!(
        cause.kind(),
        std::io::ErrorKind::StorageFull | std::io::ErrorKind::QuotaExceeded
    )
}

/// What helps where something cannot be written.
fn to_write(cause: &std::io::Error, otherwise: &'static str) -> &'static str {
    if is_full(cause) { ROOM } else { otherwise }
}

pub(super) fn unwritable(path: &Path, cause: &std::io::Error) -> Told {
    told(format!("`{}` cannot be written", shown(path)))
        .causes([io_cause(cause)])
        .hint(to_write(cause, "check the path and its permissions"))
}

pub(super) fn no_copy(folder: &Path, cause: &std::io::Error) -> Told {
    told(format!(
        "a copy of the image cannot be written to `{}`",
        shown(folder)
    ))
    .causes([io_cause(cause)])
    .hint("set `TMPDIR` to a folder with room for it that you may write to")
}

pub(super) fn unwritten(cause: &std::io::Error) -> Told {
    let told = told("the result cannot be written").causes([io_cause(cause)]);
    if is_full(cause) {
        told.hint(ROOM)
    } else {
        told
    }
}

pub(super) fn no_answer(question: &str) -> Told {
    told(format!("there is no terminal to ask on: {question}"))
        .hint("run it again with `--yes` to agree beforehand")
}

pub(super) fn mistake(message: &str) -> Told {
    told(message).hint("this is a mistake of the program; your files are safe")
}

pub(super) fn no_home(error: &HomeError) -> Told {
    let told = told(error.to_string());
    let told = match error {
        HomeError::Make { source, .. } => told.causes([io_cause(source)]),
        HomeError::NoHome | HomeError::Relative(_) | HomeError::NotUtf8(_) => told,
    };
    told.hint(error.hint())
        .hint("`loadline check EXERCISE --dir DIR` needs no home")
}

pub(super) fn of_lint(error: &LintError) -> Told {
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
        .hint(to_write(
            cause,
            "check the permissions of the file and of its folder",
        )),
        LintError::ManyFiles(count) => {
            told(format!("`--image` is for one Dockerfile, not for {count}"))
                .hint("lint each with the image that was built from it")
        }
        LintError::NotText { path } => told(format!(
            "the Dockerfile `{}` is not UTF-8, so it is not changed",
            shown(path)
        ))
        .hint("save it as UTF-8, then mend it"),
        LintError::TooLong { path } => told(format!(
            "the Dockerfile `{}` is longer than 1 MiB, so it is not changed",
            shown(path)
        ))
        .hint("builders take no longer ones either: move parts of it to files, then mend it"),
    }
}

pub(super) fn needs_engine(path: &Path) -> Told {
    told(format!(
        "`{}` is not on an engine, and a run needs one",
        shown(path)
    ))
    .hint("load it with `docker load -i FILE`, then name the image")
}

pub(super) fn not_traced(image: &str, why: &str) -> Told {
    let image = Clean::line(image);
    told(format!("what a run of `{image}` opens cannot be seen")).causes([why.to_owned()])
}

pub(super) fn no_dockerfile(folder: &Path) -> Told {
    told(format!(
        "the folder `{}` holds no `Dockerfile`",
        shown(folder)
    ))
    .hint("name the folder that holds the learner's files with `--dir DIR`")
}

pub(super) fn of_course(error: &CourseError) -> Told {
    Told {
        place: Some(course_place(error)),
        hints: error.hint().map(str::to_owned).into_iter().collect(),
        ..told(error.message())
    }
}

pub(super) fn unknown(what: &str, asked: &str, nearest: Option<&str>) -> Told {
    let told = told(format!("{what} `{}`", Clean::line(asked)));
    match nearest {
        Some(nearest) => told.hint(format!("did you mean `{nearest}`?")),
        None => told,
    }
}

/// A course is short: its ids are told.
pub(super) fn unknown_id(what: &str, id: &UnknownId) -> Told {
    let what = format!("the course has no {what}");
    let told = unknown(&what, &id.asked, id.nearest.as_deref());
    match id.known.as_slice() {
        [] => told.hint("it has none at all"),
        known => told.hint(format!("it has {}", known.join(", "))),
    }
}

pub(super) fn cannot_fix(reason: &str, commands: &[String]) -> Told {
    let mut told = told(reason);
    for command in commands {
        told = told.hint(format!("run `{command}`"));
    }
    told.hint("then run `loadline doctor` to see what was tried")
}

/// What errors of advisories mean for a person at a shell.
pub(super) fn of_advisories(error: &AdvisoriesError) -> (Exit, Told) {
    let causes: Vec<String> = match error {
        AdvisoriesError::File { source, .. } => vec![io_cause(source)],
        _ => Vec::new(),
    };
    let exit = match error {
        AdvisoriesError::File { .. }
        | AdvisoriesError::NoSuchSnapshot { .. }
        | AdvisoriesError::BuiltIn(_)
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
pub(super) fn of_scan(error: &ScanError) -> (Exit, Told) {
    let causes: Vec<String> = match error {
        ScanError::Start { source, .. } => vec![io_cause(source)],
        ScanError::Unpack { source, .. } => match source {
            ArchiveError::Source(cause) => vec![source.to_string(), io_cause(cause)],
            _ => vec![source.to_string()],
        },
        _ => Vec::new(),
    };
    let exit = match error {
        ScanError::NotInstalled(_) | ScanError::NoPlugin { .. } | ScanError::Refused { .. } => {
            Exit::Usage
        }
        ScanError::Start { .. }
        | ScanError::Unpack { .. }
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
