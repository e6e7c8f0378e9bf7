//! The same workshop as lines of text: for terminals that can only append, for screen readers, and
//! for who prefers it.
//!
//! Nothing is ever drawn over, nothing moves, nothing depends on colour. Choices are numbered.
//! Everything that is asked and said goes through [`Teletype`], so that a test can sit on the
//! other side.

mod edit;
mod exercise;
mod inside;
mod lesson;
pub mod progress;
pub mod prose;
mod remarks;

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use tokio_util::sync::CancellationToken;

use crate::course::ExerciseId;
use crate::course::Lesson;
use crate::engine::Tried;
use crate::text::Clean;
use crate::text::plural;
use crate::workshop::BaseState;
use crate::workshop::EngineState;
use crate::workshop::Progress;
use crate::workshop::Services;
use crate::workshop::Trouble;
use crate::workshop::meanwhile;
use crate::workshop::meanwhile::BaseStates;
use crate::workshop::meanwhile::Preparation;

/// Why a file was not edited in the person's editor, as a sentence.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NotEdited {
    /// There is none that starts.
    NoEditor(String),
    /// It ended with an error.
    Ended(String),
}

/// Who sits on the other side: a person at a terminal, or a test.
#[async_trait]
pub trait Teletype: Send {
    /// Says one line.
    fn say(&mut self, line: &str);

    /// Asks and waits for a line; `None` when there will be no more.
    async fn ask(&mut self, prompt: &str) -> Option<String>;

    /// Whether the person named an editor.
    fn has_editor(&self) -> bool;

    /// Opens a file in the person's editor and waits for it, where it is one to wait for.
    async fn edit(&mut self, file: &Path) -> Result<(), NotEdited>;

    /// A token that the person's Ctrl-C cancels, for one piece of work.
    fn stop(&mut self) -> CancellationToken;
}

/// The workshop in lines.
pub struct Plain<'a> {
    services: Services,
    tty: &'a mut dyn Teletype,
    progress: Progress,
    engine: EngineState,
    /// The base images that are prepared meanwhile.
    preparation: Preparation,
    /// How they stood in the last pause.
    base_states: BaseStates,
    /// Whether nobody answers any more: no menu is worth its lines then.
    over: bool,
}

/// What a choice in a menu leads to.
enum Choice {
    Lesson(usize),
    Exercise(ExerciseId),
    Doctor,
}

/// How long nothing is said while an engine is looked for.
const PATIENCE: Duration = Duration::from_secs(1);

/// How many empty answers in a row leave a menu: nobody reads it.
const UNREAD: usize = 3;

/// Runs the workshop until the person leaves, with the base images that are prepared meanwhile;
/// `at` is a lesson or an exercise to open first.
pub async fn run(
    services: Services,
    tty: &mut dyn Teletype,
    preparation: Preparation,
    at: Option<&str>,
) {
    let mut plain = Plain {
        services,
        tty,
        progress: Progress::default(),
        engine: EngineState::Looking,
        preparation,
        base_states: BaseStates::new(),
        over: false,
    };
    plain.home(at).await;
}

impl Plain<'_> {
    fn say(&mut self, line: impl AsRef<str>) {
        self.tty.say(line.as_ref());
    }

    fn say_all(&mut self, lines: impl IntoIterator<Item = String>) {
        for line in lines {
            self.say(line);
        }
    }

    fn say_trouble(&mut self, trouble: &Trouble) {
        self.say(format!("Trouble: {}", trouble.message));
        if let Some(next) = &trouble.next_step {
            self.say(format!("Next: {next}"));
        }
    }

    /// Asks, and remembers where nobody answers any more.
    async fn ask(&mut self, prompt: &str) -> Option<String> {
        let answer = self.tty.ask(prompt).await;
        self.over |= answer.is_none();
        answer
    }

    /// Shows a list and asks for the number of a line, from 1. A slip is told and asked about again;
    /// `help` shows the list once more. `None` where the person left.
    async fn choose(&mut self, list: &[String], prompt: &str) -> Option<usize> {
        self.say_all(list.to_vec());
        let mut unread = 0;
        while unread < UNREAD {
            let answer = self.ask(prompt).await?;
            unread = match answer.trim().to_lowercase().as_str() {
                "q" | "quit" | "exit" | "back" | "0" => return None,
                "" => unread + 1,
                "help" | "?" | "menu" | "list" => {
                    self.say_all(list.to_vec());
                    0
                }
                word => match word.parse() {
                    Ok(number) if (1..=list.len()).contains(&number) => return Some(number),
                    _ => 0,
                },
            };
            self.say(format!(
                "Please type a number from 1 to {}, q, or help for the list.",
                list.len()
            ));
        }
        None
    }

    async fn home(&mut self, at: Option<&str>) {
        let course = self.services.course.clone();
        self.say(format!("Loadline: {}", course.title));
        self.engine = self.find_engine().await;
        self.refresh().await;
        if let Some(at) = at {
            let first = self.unit(at);
            if first.is_none() {
                self.say(format!(
                    "There is no lesson or exercise `{}`.",
                    Clean::line(at)
                ));
            }
            self.open(first).await;
        }
        while !self.over {
            self.say("");
            self.say_engine();
            self.say_bases();
            self.say("");
            let (choices, list): (Vec<Choice>, Vec<String>) = self.menu().into_iter().unzip();
            let Some(number) = self.choose(&list, "Number, or q to leave: ").await else {
                break;
            };
            self.open(choices.into_iter().nth(number - 1)).await;
            self.refresh().await;
        }
        self.say("Your files and progress are kept. Goodbye.");
    }

    /// Looks for the engine. One that is there and says nothing takes its time, which is told.
    async fn find_engine(&mut self) -> EngineState {
        let workshop = Arc::clone(&self.services.workshop);
        let mut looking = workshop.find_engine();
        if let Ok(engine) = tokio::time::timeout(PATIENCE, &mut looking).await {
            return engine;
        }
        self.say("Waiting for the container engine, which takes its time to answer.");
        looking.await
    }

    /// The lesson or exercise of this name.
    fn unit(&self, name: &str) -> Option<Choice> {
        let course = &self.services.course;
        let lesson = course
            .lessons
            .iter()
            .position(|lesson| lesson.slug == name || lesson.id() == name);
        let exercise = course.exercise(name).map(|exercise| exercise.id.clone());
        lesson
            .map(Choice::Lesson)
            .or(exercise.map(Choice::Exercise))
    }

    async fn open(&mut self, choice: Option<Choice>) {
        let course = self.services.course.clone();
        match choice {
            Some(Choice::Lesson(index)) => {
                if let Some(lesson) = course.lessons.get(index) {
                    self.lesson(lesson).await;
                }
            }
            Some(Choice::Exercise(id)) => {
                if let Some(exercise) = course.exercise(id.as_str()) {
                    self.exercise(exercise).await;
                }
            }
            Some(Choice::Doctor) => self.doctor().await,
            None => {}
        }
    }

    /// Reads again what the learner has reached.
    async fn refresh(&mut self) {
        match self.services.workshop.progress().await {
            Ok(mut progress) => {
                let damaged = progress.damaged.take();
                self.progress = progress;
                if let Some(trouble) = damaged {
                    self.say_trouble(&trouble);
                }
            }
            Err(trouble) => self.say_trouble(&trouble),
        }
    }

    fn say_engine(&mut self) {
        match &self.engine {
            EngineState::Ready { info, .. } => {
                let line = format!("Engine: {} {} answers.", info.name.title(), info.version);
                self.say(line);
            }
            EngineState::Looking => self.say("Engine: being looked for."),
            EngineState::Missing { trouble, tried } => {
                let trouble = trouble.clone();
                // Of one that was named, what came of it is the cause.
                let named: Vec<Tried> =
                    tried.iter().filter(|_| tried.len() == 1).cloned().collect();
                self.say("Engine: none answers. Lessons open; nothing can be built.");
                self.say_trouble(&trouble);
                self.say_tried(&named);
            }
        }
    }

    /// Takes the news of base images that came meanwhile.
    fn hear_of_bases(&mut self) {
        self.base_states = self.preparation.states.borrow_and_update().clone();
    }

    /// Has the base images of an exercise prepared before those that it does not need.
    fn prefer(&mut self, bases: &[String]) {
        self.hear_of_bases();
        if meanwhile::keeps_waiting(&self.base_states, bases) {
            self.preparation.first.send_if_modified(|first| {
                let other = first.as_slice() != bases;
                if other {
                    *first = bases.to_vec();
                }
                other
            });
        }
    }

    /// Says how the base images stand.
    fn say_bases(&mut self) {
        self.hear_of_bases();
        if self.base_states.is_empty() {
            return;
        }
        let mut said = Vec::new();
        for (reference, state) in &self.base_states {
            match state {
                BaseState::Working { doing, .. } => said.push(format!("  {reference}: {doing}")),
                BaseState::Failed(why) => said.push(format!("  {reference}: {why}")),
                BaseState::Ready { .. } | BaseState::Waiting => {}
            }
        }
        let waiting = |state: &BaseState| *state == BaseState::Waiting;
        if !self.base_states.values().any(waiting) {
            let (ready, all) = meanwhile::ready(&self.base_states, &self.services.course);
            said.insert(0, format!("Base images: {ready} of {all} ready."));
        } else if !said.is_empty() {
            // Those that nobody looked at yet may well be here: no count is true.
            said.insert(0, "Base images:".to_owned());
        }
        self.say_all(said);
    }

    /// What can be opened, each with its line.
    fn menu(&self) -> Vec<(Choice, String)> {
        let course = &self.services.course;
        let mut menu = Vec::new();
        for (index, lesson) in course.lessons.iter().enumerate() {
            let line = self.lesson_line(menu.len() + 1, lesson);
            menu.push((Choice::Lesson(index), line));
            for id in &lesson.exercises {
                let Some(exercise) = course.exercise(id.as_str()) else {
                    continue;
                };
                let reached = self.reached(id);
                let line = format!(
                    "{:>3}    Exercise: {} ({} min){reached}",
                    menu.len() + 1,
                    exercise.title,
                    exercise.minutes
                );
                menu.push((Choice::Exercise(id.clone()), line));
            }
        }
        let doctor = format!("{:>3}  Doctor: what this machine needs", menu.len() + 1);
        menu.push((Choice::Doctor, doctor));
        menu
    }

    fn lesson_line(&self, number: usize, lesson: &Lesson) -> String {
        let read = if self.progress.lessons.contains(&lesson.slug) {
            ", read"
        } else {
            ""
        };
        format!(
            "{number:>3}  Lesson {}: {} ({} min){read}",
            lesson.number, lesson.title, lesson.minutes
        )
    }

    /// What was reached in an exercise, as the end of its line in the menu.
    fn reached(&self, id: &ExerciseId) -> String {
        let Some(record) = self
            .progress
            .exercises
            .get(id)
            .filter(|record| record.attempts > 0)
        else {
            return String::new();
        };
        let attempts = plural(record.attempts as usize, "attempt");
        let size = record
            .best
            .and_then(|best| best.size)
            .map(|size| format!(", best {size}"))
            .unwrap_or_default();
        let word = if record.passed { "PASS" } else { "not yet" };
        format!(", {word}, {attempts}{size}")
    }

    async fn doctor(&mut self) {
        let cancel = self.tty.stop();
        let workshop = Arc::clone(&self.services.workshop);
        let looking = async { (workshop.find_engine().await, workshop.doctor().await) };
        // An engine that is there and says nothing takes its time.
        let Some((engine, checks)) = cancel.run_until_cancelled(looking).await else {
            return self.say("Stopped.");
        };
        self.engine = engine;
        self.hear_of_bases();
        let checks = meanwhile::with_reasons(&checks, &self.base_states);
        let tried = match &self.engine {
            EngineState::Missing { tried, .. } => tried.clone(),
            EngineState::Looking | EngineState::Ready { .. } => Vec::new(),
        };
        for check in checks {
            let word = check.state.word();
            self.say(format!("{}: {word}. {}", check.title, check.found));
            if let Some(fix) = check.fix {
                self.say(format!("  Next: {fix}"));
            }
        }
        self.say_tried(&tried);
    }

    fn say_tried(&mut self, tried: &[Tried]) {
        self.say_all(tried.iter().map(|tried| {
            format!(
                "Tried {} ({}): {}",
                tried.address, tried.because, tried.outcome
            )
        }));
    }
}

#[cfg(test)]
mod tests;
