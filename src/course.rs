//! What is taught: the course, its lessons and its exercises.
//!
//! Parsing is pure: text in, types or an error with file, line and column out. Where the text
//! comes from (the binary, or a folder given with `--course`) is decided at the edge.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use serde::Deserialize;
use serde::Serialize;

use crate::goal::Goal;
use crate::units::Bytes;

/// A whole course.
#[derive(Debug, Clone)]
pub struct Course {
    /// `minimal-images`.
    pub id: String,
    /// Changes with its content.
    pub version: String,
    /// For people.
    pub title: String,
    /// In order.
    pub lessons: Vec<Lesson>,
    /// In the order in which the lessons name them.
    pub exercises: Vec<Exercise>,
}

impl Course {
    /// The exercise with this id.
    #[must_use]
    pub fn exercise(&self, id: &str) -> Option<&Exercise> {
        self.exercises
            .iter()
            .find(|exercise| exercise.id.as_str() == id)
    }

    /// The lesson that an exercise hangs on.
    #[must_use]
    pub fn lesson_of(&self, id: &ExerciseId) -> Option<&Lesson> {
        self.lessons
            .iter()
            .find(|lesson| lesson.exercises.contains(id))
    }
}

/// The id of an exercise: `shrink-that-image`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ExerciseId(pub String);

impl ExerciseId {
    /// The id as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for ExerciseId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

/// A text to read.
#[derive(Debug, Clone)]
pub struct Lesson {
    /// Its file's name without the number: `why-small-matters`.
    pub slug: String,
    /// Its number in the course, from 1.
    pub number: u32,
    /// For people.
    pub title: String,
    /// About how long it takes to read.
    pub minutes: u32,
    /// Whether it is part of the one-hour track.
    pub fast_track: bool,
    /// The exercises that hang on it.
    pub exercises: Vec<ExerciseId>,
    /// What the reader can do afterwards.
    pub goals: Vec<String>,
    /// The text, as Markdown.
    pub markdown: String,
}

/// Something to build.
#[derive(Debug, Clone)]
pub struct Exercise {
    /// Its id.
    pub id: ExerciseId,
    /// For people.
    pub title: String,
    /// About how long it takes.
    pub minutes: u32,
    /// What is asked, as Markdown.
    pub brief: String,
    /// The files that the learner changes; the rest is put back before each build.
    pub edit: Vec<String>,
    /// The base images that it needs, as Dockerfiles name them.
    pub bases: Vec<String>,
    /// What the starter weighs.
    pub baseline: Option<Baseline>,
    /// What must hold.
    pub goals: Vec<GoalEntry>,
    /// What may hold besides.
    pub stretch: Vec<GoalEntry>,
    /// In order.
    pub hints: Vec<Hint>,
    /// The starter's files, by path.
    pub files: BTreeMap<String, Arc<[u8]>>,
    /// The worked answer.
    pub solution: Option<Solution>,
}

/// What the starter weighs, measured on the stand-ins at `date`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Baseline {
    /// Shipped bytes.
    pub size: Bytes,
    /// When and on what it was measured.
    pub measured: String,
}

/// A goal in an exercise.
#[derive(Debug, Clone)]
pub struct GoalEntry {
    /// Unique in the exercise; the kind where none is given.
    pub id: String,
    /// Replaces the kind's own title.
    pub title: Option<String>,
    /// For grading.
    pub points: u32,
    /// Why the goal is worth having.
    pub why: Option<String>,
    /// A lesson to read: `02-layers` or `02-layers#anchor`.
    pub read: Option<String>,
    /// Whether only graders see it.
    pub hidden: bool,
    /// The condition.
    pub goal: Arc<dyn Goal>,
}

impl GoalEntry {
    /// The title for lists.
    #[must_use]
    pub fn title(&self) -> String {
        self.title.clone().unwrap_or_else(|| self.goal.title())
    }
}

/// A hint.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hint {
    /// The id of the goal that it helps with.
    pub goal: String,
    /// 1: where to look, 2: the idea, 3: almost there.
    pub level: u8,
    /// Markdown.
    pub text: String,
}

/// The worked answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Solution {
    /// The files that differ from the starter, by path.
    pub files: BTreeMap<String, Arc<[u8]>>,
    /// What was changed and what each change is worth, as Markdown.
    pub why: String,
}
