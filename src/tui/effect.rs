//! Everything that `update` can ask for. Effects are data: tests compare them, the runner does them.

use std::path::PathBuf;

use crate::course::ExerciseId;
use crate::course::Files;
use crate::tui::msg::JobId;
use crate::workshop::Answered;

/// What is put into the learner's files.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Wanted {
    /// What the exercise begins with.
    Starter,
    /// The files of the worked answer.
    Solution(Files),
    /// What the last exchange put away.
    PutAway,
}

/// A text of the learner that is not on disk.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unwritten {
    /// Which file.
    pub file: String,
    /// Its whole text here.
    pub text: String,
    /// What is on disk; `None` where there is no text.
    pub over: Option<String>,
    /// Whether somebody else wrote what is on disk.
    pub conflict: bool,
}

/// Something to do at the edge.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Effect {
    /// Open the records; answered with `Msg::Progress`.
    LoadProgress,
    /// Look for an engine; answered with `Msg::Engine`.
    FindEngine,
    /// Make bases ready, `first` before the others; told with `Msg::Base`. One at a time: a new one
    /// replaces the one before.
    PrepareBases {
        /// References as Dockerfiles name them.
        first: Vec<String>,
    },
    /// Open an exercise's files; answered with `Msg::Opened`.
    Open(ExerciseId),
    /// Write a file; answered with `Msg::Saved`.
    Save {
        /// Which exercise.
        exercise: ExerciseId,
        /// Which file.
        file: String,
        /// Its whole text.
        text: String,
        /// The folder that it is in.
        folder: PathBuf,
        /// What it replaces: where something else is on disk, nothing is written and `Msg::Disk`
        /// tells.
        over: Option<String>,
    },
    /// Keep a text beside the learner's files that is not written over what is on disk; answered
    /// with `Msg::Kept`.
    Keep {
        /// Which exercise.
        exercise: ExerciseId,
        /// Which file.
        file: String,
        /// The whole text.
        text: String,
    },
    /// Watch an exercise's files, and nothing else any more; told with `Msg::Disk`.
    Watch {
        /// Which exercise.
        exercise: ExerciseId,
        /// The folder.
        folder: PathBuf,
        /// The files in it.
        files: Vec<String>,
    },
    /// Read the watched files once, now; answered with `Msg::Disk`.
    ReadDisk,
    /// Exchange the learner's files, once what is here and not on disk is there or is kept;
    /// answered with `Msg::Exchanged`.
    Exchange {
        /// Which exercise.
        exercise: ExerciseId,
        /// What is put into the files.
        wanted: Wanted,
        /// The learner's texts that are not on disk.
        texts: Vec<Unwritten>,
    },
    /// Start an attempt; told with `Msg::Attempt`, ended with `Msg::AttemptEnded`.
    StartAttempt {
        /// Its id.
        job: JobId,
        /// Which exercise.
        exercise: ExerciseId,
        /// Where its whole log is written.
        log: PathBuf,
    },
    /// Run an attempt's image and see what the run opens; answered with `Msg::Traced`.
    Trace {
        /// Its id.
        job: JobId,
        /// Which exercise.
        exercise: ExerciseId,
        /// The engine's id of the image.
        image: String,
        /// The Dockerfile's line of each layer.
        lines: Vec<Option<u32>>,
    },
    /// Ask an attempt or a traced run to stop. It goes on telling until it has stopped.
    Cancel(JobId),
    /// Look into an image; told with `Msg::Looking`, ended with `Msg::Looked`.
    Look {
        /// Its id.
        job: JobId,
        /// The image, as the engine calls it.
        image: String,
    },
    /// Compare an image's packages with the advisories; ended with `Msg::Scanned`.
    Scan {
        /// Its id.
        job: JobId,
        /// The image, as the engine calls it.
        image: String,
    },
    /// Stop a look or a scan. Nothing more is told of it.
    StopLook(JobId),
    /// Note an opened hint.
    HintOpened {
        /// Which exercise.
        exercise: ExerciseId,
        /// The goal that it helps with.
        goal: String,
        /// Its level.
        level: u8,
    },
    /// Note a lesson read to its end.
    LessonRead(String),
    /// Note an answer to a question.
    Answered {
        /// The lesson's slug.
        lesson: String,
        /// The question's id.
        quiz: String,
        /// What was answered.
        answer: Answered,
    },
    /// Look at the machine; answered with `Msg::Doctor`.
    Doctor,
    /// Give the terminal to the learner's editor; answered with `Msg::EditorClosed`.
    Edit {
        /// The file.
        path: PathBuf,
        /// The line to stand on, from 1.
        line: usize,
    },
    /// Give the terminal to the program itself, to install or start an engine after asking;
    /// answered with `Msg::Fixed`.
    FixEngine,
    /// Put a text on the clipboard.
    Copy(String),
    /// Tell the terminal's window that something long has ended.
    Notify(String),
    /// Stop the program until the shell lets it go on.
    Suspend,
    /// Draw every cell again.
    Repaint,
    /// Leave.
    Quit,
}
