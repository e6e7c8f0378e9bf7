//! The one state of the workshop on a terminal. `update` changes it, views read it.

pub mod bench;
pub mod build;
pub mod cves;
pub mod editor;
pub mod layers;
pub mod log;
pub mod look;
pub mod overlay;
pub mod reading;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use ratatui::layout::Rect;
use ratatui::layout::Size;

use crate::course::Course;
use crate::course::Exercise;
use crate::course::ExerciseId;
use crate::course::Lesson;
use crate::tui::model::bench::Bench;
use crate::tui::model::overlay::Overlay;
use crate::tui::model::overlay::Prompt;
use crate::tui::model::reading::Reading;
use crate::tui::msg::JobId;
use crate::tui::theme::Role;
use crate::tui::theme::Theme;
use crate::workshop::BaseState;
use crate::workshop::Check;
use crate::workshop::EngineState;
use crate::workshop::Progress;
use crate::workshop::Record;
use crate::workshop::doctor;
use crate::workshop::meanwhile::BaseStates;

/// The smallest terminal that the screens are made for.
pub const SMALLEST: Size = Size::new(doctor::SMALLEST.0, doctor::SMALLEST.1);

/// What the whole screen shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Screen {
    /// Where am I: the course map.
    Home,
    /// A text to read.
    Lesson,
    /// What is asked.
    Brief,
    /// What am I changing.
    Work,
    /// Did it work, and why.
    Result,
    /// Where do the bytes come from.
    Layers,
    /// Where do the known vulnerabilities come from.
    Cves,
    /// What next: hints and the solution.
    Hints,
    /// Is this machine ready.
    Doctor,
}

impl Screen {
    /// Every screen.
    pub const ALL: [Self; 9] = [
        Self::Home,
        Self::Lesson,
        Self::Brief,
        Self::Work,
        Self::Result,
        Self::Layers,
        Self::Cves,
        Self::Hints,
        Self::Doctor,
    ];

    /// The views of an exercise, with the digit that opens each.
    pub const VIEWS: [(char, Self); 6] = [
        ('1', Self::Brief),
        ('2', Self::Work),
        ('3', Self::Result),
        ('4', Self::Layers),
        ('5', Self::Cves),
        ('6', Self::Hints),
    ];

    /// Its name for people.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Home => "Home",
            Self::Lesson => "Lesson",
            Self::Brief => "Brief",
            Self::Work => "Work",
            Self::Result => "Result",
            Self::Layers => "Layers",
            Self::Cves => "CVEs",
            Self::Hints => "Hints",
            Self::Doctor => "Doctor",
        }
    }
}

/// One row of the course map.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unit {
    /// The lesson at this index of the course.
    Lesson(usize),
    /// The exercise at this index of the course.
    Exercise(usize),
}

/// One line for the learner, shown until the next key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Status {
    /// The words.
    pub text: String,
    /// Their look.
    pub role: Role,
}

/// A running attempt, or a traced run of an attempt's image.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Job {
    /// Its id.
    pub id: JobId,
    /// What is built or run.
    pub exercise: ExerciseId,
    /// Whether it was asked to stop.
    pub cancelling: bool,
}

/// The state.
#[expect(
    clippy::struct_excessive_bools,
    reason = "independent facts about a screen, not states of one machine"
)]
#[derive(Debug, Clone)]
pub struct Model {
    /// Colours and glyphs.
    pub theme: Theme,
    /// The terminal.
    pub size: Size,
    /// Time since the start, as the last message told it.
    pub now: Duration,
    /// Whether the terminal's window has the focus, as far as is known.
    pub focused: bool,
    /// What is taught.
    pub course: Arc<Course>,
    /// The rows of the course map.
    pub units: Vec<Unit>,
    /// The row that is chosen or open.
    pub unit: usize,
    /// What is shown.
    pub screen: Screen,
    /// Where Esc leads from the doctor.
    pub behind: Screen,
    /// The lessons that were opened, by slug.
    pub reading: BTreeMap<String, Reading>,
    /// The exercises that were opened.
    pub benches: BTreeMap<ExerciseId, Bench>,
    /// The engine.
    pub engine: EngineState,
    /// The bases that were told of.
    pub bases: BaseStates,
    /// Whether bases are being prepared.
    pub preparing: bool,
    /// Those that the preparation began with.
    pub first: Vec<String>,
    /// What the learner has reached; `None` until the records are read.
    pub progress: Option<Progress>,
    /// What the doctor found; `None` while it looks.
    pub checks: Option<Vec<Check>>,
    /// The chosen row of the doctor.
    pub check: usize,
    /// What lies over the screen.
    pub overlay: Option<Overlay>,
    /// Words being typed at the foot.
    pub prompt: Option<Prompt>,
    /// One line for the learner.
    pub status: Option<Status>,
    /// The running attempt.
    pub job: Option<Job>,
    /// The running image whose opened files are written down.
    pub tracing: Option<Job>,
    /// The last job id given out.
    pub last_job: u64,
    /// How often Ctrl+C was pressed in a row.
    pub interrupts: u8,
    /// Whether the terminal goes to the shell once what is typed is on disk.
    pub suspends: bool,
    /// Whether the learner's editor is a program that was named.
    pub has_editor: bool,
    /// Whether a shell waits behind the workshop, which gets the terminal when that is suspended.
    pub has_shell: bool,
    /// Whether the learner chose a row; until then the records may.
    pub chose: bool,
}

impl Model {
    /// The state before anything has happened.
    #[must_use]
    pub fn new(course: Arc<Course>, theme: Theme, size: Size) -> Self {
        let units = units(&course);
        Self {
            theme,
            size,
            now: Duration::ZERO,
            focused: true,
            course,
            units,
            unit: 0,
            screen: Screen::Home,
            behind: Screen::Home,
            reading: BTreeMap::new(),
            benches: BTreeMap::new(),
            engine: EngineState::Looking,
            bases: BaseStates::new(),
            preparing: false,
            first: Vec::new(),
            progress: None,
            checks: None,
            check: 0,
            overlay: None,
            prompt: None,
            status: None,
            job: None,
            tracing: None,
            last_job: 0,
            interrupts: 0,
            suspends: false,
            has_editor: false,
            has_shell: true,
            chose: false,
        }
    }

    /// Starts in the lesson with this slug, or in the exercise with this id; at home where there is
    /// none.
    pub fn start_at(&mut self, name: &str) {
        let found = self.units.iter().position(|unit| match unit {
            Unit::Lesson(index) => self
                .course
                .lessons
                .get(*index)
                .is_some_and(|lesson| lesson.slug == name),
            Unit::Exercise(index) => self
                .course
                .exercises
                .get(*index)
                .is_some_and(|exercise| exercise.id.as_str() == name),
        });
        if let Some(found) = found {
            self.unit = found;
            self.chose = true;
            self.screen = match self.units.get(found) {
                Some(Unit::Lesson(_)) => Screen::Lesson,
                _ => Screen::Brief,
            };
        }
    }

    /// The whole terminal.
    #[must_use]
    pub const fn area(&self) -> Rect {
        Rect::new(0, 0, self.size.width, self.size.height)
    }

    /// Whether the terminal is smaller than the screens are made for.
    #[must_use]
    pub const fn too_small(&self) -> bool {
        self.size.width < SMALLEST.width || self.size.height < SMALLEST.height
    }

    /// Whether two panes fit side by side.
    #[must_use]
    pub const fn is_wide(&self) -> bool {
        self.size.width >= 100 && self.size.height >= 28
    }

    /// The lesson that is chosen or open.
    #[must_use]
    pub fn lesson(&self) -> Option<&Lesson> {
        match self.units.get(self.unit)? {
            Unit::Lesson(index) => self.course.lessons.get(*index),
            Unit::Exercise(_) => None,
        }
    }

    /// The base image that is being prepared in the background, and how far that is.
    #[must_use]
    pub fn base_at_work(&self) -> Option<(&str, &BaseState)> {
        let mut bases = self.bases.iter();
        bases
            .find(|(_, state)| matches!(state, BaseState::Working { .. }))
            .map(|(reference, state)| (reference.as_str(), state))
    }

    /// The exercise that is chosen or open.
    #[must_use]
    pub fn exercise(&self) -> Option<&Exercise> {
        match self.units.get(self.unit)? {
            Unit::Exercise(index) => self.course.exercises.get(*index),
            Unit::Lesson(_) => None,
        }
    }

    /// The bench of the exercise that is chosen or open.
    #[must_use]
    pub fn bench(&self) -> Option<&Bench> {
        self.benches.get(&self.exercise()?.id)
    }

    /// The bench of the exercise that is chosen or open, to change it.
    pub fn bench_mut(&mut self) -> Option<&mut Bench> {
        let id = self.exercise()?.id.clone();
        self.benches.get_mut(&id)
    }

    /// What was reached in an exercise.
    #[must_use]
    pub fn record(&self, exercise: &ExerciseId) -> Option<&Record> {
        self.progress.as_ref()?.exercises.get(exercise)
    }

    /// Whether a unit is done: the lesson read, the exercise passed.
    #[must_use]
    pub fn is_done(&self, unit: Unit) -> bool {
        let Some(progress) = &self.progress else {
            return false;
        };
        match unit {
            Unit::Lesson(index) => self
                .course
                .lessons
                .get(index)
                .is_some_and(|lesson| progress.lessons.contains(&lesson.slug)),
            Unit::Exercise(index) => self
                .course
                .exercises
                .get(index)
                .and_then(|exercise| progress.exercises.get(&exercise.id))
                .is_some_and(|record| record.passed),
        }
    }

    /// The exercise that runs right now is the one that is open.
    #[must_use]
    pub fn builds_here(&self) -> bool {
        match (&self.job, self.exercise()) {
            (Some(job), Some(exercise)) => job.exercise == exercise.id,
            _ => false,
        }
    }

    /// Whether keys are text for the editor.
    #[must_use]
    pub fn typing(&self) -> bool {
        self.screen == Screen::Work && self.bench().is_some_and(|bench| bench.typing)
    }

    /// Says one line to the learner.
    pub fn say(&mut self, role: Role, text: impl Into<String>) {
        self.status = Some(Status {
            text: text.into(),
            role,
        });
    }

    /// Says what happened by itself; a failure that no key has answered yet stays behind it.
    pub fn say_news(&mut self, news: &str) {
        match &mut self.status {
            Some(failed) if failed.role == Role::Fail => {
                if !failed.text.contains(news) {
                    failed.text = format!("{news}; {}", failed.text);
                }
            }
            _ => self.say(Role::Muted, news),
        }
    }

    /// How often time has to be told, while something on the screen shows it.
    #[must_use]
    pub fn tick(&self) -> Option<Duration> {
        let building = self.screen == Screen::Work && self.builds_here();
        let unsaved = self
            .bench()
            .is_some_and(|bench| bench.typing && bench.is_unsaved());
        if building {
            Some(Duration::from_millis(250))
        } else if unsaved {
            Some(Duration::from_secs(1))
        } else {
            None
        }
    }
}

/// Lessons with their exercises, and exercises that hang on no lesson at the end.
fn units(course: &Course) -> Vec<Unit> {
    let mut units = Vec::new();
    let mut seen = vec![false; course.exercises.len()];
    for (index, lesson) in course.lessons.iter().enumerate() {
        units.push(Unit::Lesson(index));
        for id in &lesson.exercises {
            let found = course.exercises.iter().position(|one| one.id == *id);
            if let Some(found) = found
                && let Some(seen) = seen.get_mut(found)
                && !std::mem::replace(seen, true)
            {
                units.push(Unit::Exercise(found));
            }
        }
    }
    for (index, seen) in seen.into_iter().enumerate() {
        if !seen {
            units.push(Unit::Exercise(index));
        }
    }
    units
}
