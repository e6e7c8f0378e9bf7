//! Everything that can reach `update`.

use std::path::PathBuf;
use std::sync::Arc;

use crossterm::event::KeyEvent;
use ratatui::layout::Size;

use crate::attempt::AttemptEvent;
use crate::attempt::Traced;
use crate::course::ExerciseId;
use crate::finding::Scan;
use crate::text::Clean;
use crate::tui::effect::Wanted;
use crate::units::Bytes;
use crate::workshop::BaseEvent;
use crate::workshop::Check;
use crate::workshop::EngineState;
use crate::workshop::KeptTexts;
use crate::workshop::Progress;
use crate::workshop::Trouble;
use crate::workshop::Workspace;
use crate::workshop::WorkspaceFile;
use crate::workshop::insight::Insight;

/// The id of background work that can be cancelled. Messages of an older job are dropped.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct JobId(pub u64);

/// Something that happened.
#[derive(Debug, Clone, PartialEq)]
pub enum Msg {
    /// A key went down.
    Key(KeyEvent),
    /// Text was pasted, as one piece.
    Paste(String),
    /// The terminal has a new size.
    Resize(Size),
    /// The terminal's window was entered or left.
    Focus(bool),
    /// A signal asked the program to end.
    Terminate,
    /// The program was stopped and goes on, or an editor gave the terminal back.
    Resumed,
    /// Time passed while something on the screen shows it.
    Tick,
    /// The records were read.
    Progress(Result<Progress, Trouble>),
    /// The engine was looked for.
    Engine(EngineState),
    /// News of a base image.
    Base(BaseEvent),
    /// The preparation of bases has nothing more to do.
    BasesDone,
    /// An exercise's files are open.
    Opened {
        /// Which exercise.
        exercise: ExerciseId,
        /// Its files.
        result: Result<Workspace, Trouble>,
        /// Where texts are that were not saved in an earlier sitting.
        unsaved: Option<KeptTexts>,
    },
    /// The learner's files were exchanged, or could not be.
    Exchanged {
        /// Which exercise.
        exercise: ExerciseId,
        /// What was to be put into them.
        wanted: Wanted,
        /// The files now.
        result: Result<Workspace, Trouble>,
        /// Where texts are that are neither in the files nor put away.
        unsaved: Option<KeptTexts>,
    },
    /// A file was written, or not.
    Saved {
        /// Which exercise.
        exercise: ExerciseId,
        /// Which file.
        file: String,
        /// What was written.
        text: String,
        /// How it went.
        result: Result<(), Trouble>,
    },
    /// A text that was not saved is kept, or not.
    Kept {
        /// Which file.
        file: String,
        /// Where it is.
        result: Result<PathBuf, Trouble>,
    },
    /// Files of the open exercise are on disk like this.
    Disk {
        /// Which exercise.
        exercise: ExerciseId,
        /// The files that the learner changes.
        files: Vec<WorkspaceFile>,
    },
    /// What an attempt said, in order.
    Attempt {
        /// Which attempt.
        job: JobId,
        /// Its events.
        events: Vec<AttemptEvent>,
        /// Lines of output that are in the log file and not in `events`.
        skipped: u64,
    },
    /// The output of an attempt is not, or no longer, written to its log file. Said once at most.
    NoLog {
        /// Which attempt.
        job: JobId,
        /// Why, and what to do.
        why: Clean,
    },
    /// An attempt is over. Said once per job, after its last [`Msg::Attempt`].
    AttemptEnded {
        /// Which attempt.
        job: JobId,
        /// Why it ended without a report, where it did.
        trouble: Option<Trouble>,
    },
    /// Part of an image was read.
    Looking {
        /// Which look.
        job: JobId,
        /// Bytes of files read so far.
        read: Bytes,
    },
    /// A look into an image has ended. Said once per job that was not stopped.
    Looked {
        /// Which look.
        job: JobId,
        /// What was seen.
        result: Result<Arc<Insight>, Trouble>,
    },
    /// A scan of an image has ended. Said once per job that was not stopped.
    Scanned {
        /// Which scan.
        job: JobId,
        /// What was found.
        result: Result<Arc<Scan>, Trouble>,
    },
    /// A traced run has ended. Said once per job.
    Traced {
        /// Which job.
        job: JobId,
        /// The engine's id of the image that ran.
        image: String,
        /// What it opened, or why that was not seen.
        result: Result<Box<Traced>, Trouble>,
    },
    /// The doctor looked.
    Doctor(Vec<Check>),
    /// The learner's editor was closed, or could not be started.
    EditorClosed(Result<(), Trouble>),
    /// The engine's fix has ended, or could not be started.
    Fixed(Result<(), Trouble>),
    /// Something that ran in the background and has no screen of its own failed.
    Failed(Trouble),
    /// A background task panicked; the report is in a file.
    TaskPanicked(Clean),
}

/// What is told of a text that was not saved: where it is kept, or why it is not.
pub(super) fn kept(file: &str, result: &Result<PathBuf, Trouble>) -> Clean {
    Clean::line(&match result {
        Ok(path) => format!(
            "the text of {file} that is not on disk now is kept in {}",
            path.display()
        ),
        Err(trouble) => format!(
            "the text of {file} that is not on disk now could not be kept: {}",
            in_words(trouble)
        ),
    })
}

/// A trouble and what to do next, as one line.
pub(super) fn in_words(trouble: &Trouble) -> String {
    match &trouble.next_step {
        Some(next_step) => format!("{}. {next_step}", trouble.message),
        None => trouble.message.to_string(),
    }
}
