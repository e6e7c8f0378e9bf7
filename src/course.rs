//! What is taught: the course, its lessons and its exercises.
//!
//! Parsing is pure: text in, types or an error with file, line and column out. Where the text
//! comes from (the binary, or a folder given with `--course`) is decided at the edge, in [`load`].
//! A course is untrusted input: sizes and counts are capped, texts hold no control characters, and
//! goals only declare.

pub mod directive;
pub mod error;
pub mod exercise;
mod fault;
pub mod file;
mod goals;
pub mod lesson;
pub mod lint;
pub mod load;
pub mod quiz;
pub mod suggest;
pub mod whole;
mod yaml;

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

pub use error::CourseError;
pub use quiz::Choice;
pub use quiz::Quiz;
use serde::Deserialize;
use serde::Serialize;

use crate::goal::Goal;
use crate::units::Bytes;

/// Files by path, `/` between parts.
pub type Files = BTreeMap<String, Arc<[u8]>>;

/// What stands in a starter file where a workspace's own canary token goes.
pub const CANARY_MARK: &str = "{{canary}}";

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

    /// The course as its learners see it: without the goals that only a grader judges by, and the
    /// hints for these.
    #[must_use]
    pub fn for_learners(mut self) -> Self {
        for exercise in &mut self.exercises {
            let hidden = exercise.all_goals().filter(|(goal, _)| goal.hidden);
            let hidden: Vec<String> = hidden.map(|(goal, _)| goal.id.clone()).collect();
            exercise.goals.retain(|goal| !goal.hidden);
            exercise.stretch.retain(|goal| !goal.hidden);
            exercise.hints.retain(|hint| !hidden.contains(&hint.goal));
        }
        self
    }

    /// The base images that exercises need, each with the exercises that need it.
    #[must_use]
    pub fn needed_bases(&self) -> BTreeMap<String, Vec<String>> {
        let mut needed: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for exercise in &self.exercises {
            for base in &exercise.bases {
                let who = needed.entry(base.clone()).or_default();
                who.push(exercise.id.to_string());
            }
        }
        needed
    }

    /// What a goal's `read` names, for people: `lesson 13, “The answer that everybody copies”`.
    #[must_use]
    pub fn reading(&self, read: &str) -> String {
        let (id, anchor) = read.split_once('#').unwrap_or((read, ""));
        let Some(lesson) = self.lessons.iter().find(|one| one.id() == id) else {
            return read.to_owned();
        };
        let heading = lesson
            .markdown
            .lines()
            .filter_map(|line| line.strip_prefix('#'))
            .map(|line| line.trim_start_matches('#').trim())
            .find(|heading| lesson::anchor(heading) == anchor);
        let title = heading.unwrap_or(&lesson.title);
        format!("lesson {}, \u{201c}{title}\u{201d}", lesson.number)
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
    /// The text, as Markdown; a quiz is a fenced block marked `quiz`, in the order of `quizzes`.
    pub markdown: String,
    /// The questions, in the order of the text.
    pub quizzes: Vec<Quiz>,
    /// What its headings can be linked by, in the order of the text.
    pub anchors: Vec<String>,
}

impl Lesson {
    /// What links and exercises call it: `01-why-small-matters`.
    #[must_use]
    pub fn id(&self) -> String {
        format!("{:02}-{}", self.number, self.slug)
    }
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
    /// The starter file in which [`CANARY_MARK`] stands for a token that must not end up in the
    /// image.
    pub canary: Option<String>,
    /// The ids of the required goals that the starter misses.
    pub starter_misses: Vec<String>,
    /// What must hold.
    pub goals: Vec<GoalEntry>,
    /// What may hold besides.
    pub stretch: Vec<GoalEntry>,
    /// In order.
    pub hints: Vec<Hint>,
    /// The starter's files, by path.
    pub files: Files,
    /// The worked answer.
    pub solution: Option<Solution>,
}

impl Exercise {
    /// All goals, required ones first, each with whether it is required.
    pub fn all_goals(&self) -> impl Iterator<Item = (&GoalEntry, bool)> {
        let required = self.goals.iter().map(|goal| (goal, true));
        required.chain(self.stretch.iter().map(|goal| (goal, false)))
    }

    /// The same exercise with `token` planted in the starter file that asks for one.
    ///
    /// Whoever starts an attempt plants first: the builder has to see the token that must not be
    /// found in the image afterwards.
    #[must_use]
    pub fn planted(&self, token: &str) -> Self {
        let mut exercise = self.clone();
        if let Some(file) = &self.canary
            && let Some(content) = exercise.files.get_mut(file)
        {
            let text = String::from_utf8_lossy(content).replace(CANARY_MARK, token);
            *content = text.into_bytes().into();
        }
        exercise
    }

    /// The token that is planted in `text`, which is what the canary's file holds.
    #[must_use]
    pub fn planted_in<'t>(&self, text: &'t str) -> Option<&'t str> {
        let starter = self.files.get(self.canary.as_ref()?)?;
        let starter = str::from_utf8(starter).ok()?;
        let (before, after) = starter.split_once(CANARY_MARK)?;
        let from = text.strip_prefix(before)?;
        let token = from.get(..from.find(|c: char| !c.is_ascii_alphanumeric() && c != '-')?)?;
        let rest = after.replace(CANARY_MARK, token);
        (!token.is_empty() && from.strip_prefix(token)? == rest).then_some(token)
    }

    /// What an attempt has to look for after [`Exercise::planted`]: the token, by the file that
    /// holds it.
    #[must_use]
    pub fn needles(&self, token: &str) -> BTreeMap<String, String> {
        let file = self.canary.iter().cloned();
        file.map(|file| (file, token.to_owned())).collect()
    }

    /// The files of the worked answer over those of the starter.
    #[must_use]
    pub fn solved(&self) -> Option<Files> {
        let solution = self.solution.as_ref()?;
        let mut files = self.files.clone();
        files.extend(solution.files.clone());
        Some(files)
    }

    /// The hints for a goal, from the vaguest to the most exact.
    pub fn hints_for<'a>(&'a self, goal: &'a str) -> impl Iterator<Item = &'a Hint> {
        self.hints.iter().filter(move |hint| hint.goal == goal)
    }
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
    pub files: Files,
    /// What was changed and what each change is worth, as Markdown.
    pub why: String,
}
