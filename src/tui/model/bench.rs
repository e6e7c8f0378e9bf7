//! One exercise on the workbench: its files, its build and its last report.

use std::collections::BTreeMap;
use std::collections::BTreeSet;
use std::path::PathBuf;
use std::time::Duration;

use crate::attempt::Traced;
use crate::course::ExerciseId;
use crate::report::GoalReport;
use crate::report::Outcome;
use crate::report::Report;
use crate::report::VerdictName;
use crate::tui::model::Screen;
use crate::tui::model::build::Build;
use crate::tui::model::cves::CvesState;
use crate::tui::model::editor::Editor;
use crate::tui::model::layers::LayersState;
use crate::tui::model::log::Log;
use crate::tui::model::look::FirstScan;
use crate::tui::model::look::Look;
use crate::units::Bytes;
use crate::workshop::Barred;
use crate::workshop::KeptTexts;
use crate::workshop::Record;
use crate::workshop::Trouble;
use crate::workshop::Workspace;
use crate::workshop::WorkspaceFile;

/// An exercise that was opened.
#[expect(
    clippy::struct_excessive_bools,
    reason = "independent facts about a screen, not states of one machine"
)]
#[derive(Debug, Clone)]
pub struct Bench {
    /// Which exercise.
    pub exercise: ExerciseId,
    /// Where its files are; `None` until they are open.
    pub place: Option<Place>,
    /// Why they could not be opened.
    pub trouble: Option<Trouble>,
    /// The files that the learner changes.
    pub files: Vec<OpenFile>,
    /// The file that is shown.
    pub file: usize,
    /// Where texts are that an earlier sitting did not save; told until the work goes on.
    pub kept: Option<KeptTexts>,
    /// Whether keys are text.
    pub typing: bool,
    /// What has the keys.
    pub pane: Pane,
    /// Whether the pane fills the screen.
    pub zoom: bool,
    /// The attempt that runs, or the last one of this sitting.
    pub build: Option<Build>,
    /// Its output.
    pub log: Log,
    /// The last report.
    pub report: Option<Box<Report>>,
    /// What a run of the last report's image opened, or why that was not seen; `None` until it is
    /// asked for.
    pub traced: Option<Result<Box<Traced>, Trouble>>,
    /// The files as the attempt of the last report built them.
    pub built: BTreeMap<String, String>,
    /// The files as the running attempt builds them.
    pub building: BTreeMap<String, String>,
    /// How many attempts came to a verdict.
    pub attempts: u32,
    /// The highest number that an attempt got.
    pub numbered: u32,
    /// The number of the attempt of the last report.
    pub number: u32,
    /// Whether a report came that was not looked at.
    pub news: bool,
    /// Whether a saved file starts a build.
    pub rebuild: bool,
    /// Whether a build starts once the files are saved.
    pub wants_build: bool,
    /// Whether other files are on their way in place of these: nothing is saved or built meanwhile.
    pub exchanging: bool,
    /// The rules whose fix and next step are left to the hints.
    pub left_to_hints: BTreeSet<&'static str>,
    /// The view that was open last.
    pub view: Screen,
    /// The first line of the brief.
    pub brief_top: usize,
    /// What of the result is looked at.
    pub result: ResultState,
    /// What of the hints is looked at.
    pub hints: HintsState,
    /// What is known of the image of the last report.
    pub look: Look,
    /// What of its layers is looked at.
    pub layers: LayersState,
    /// What is known of the first image's vulnerabilities.
    pub first_scan: FirstScan,
    /// What of the vulnerabilities is looked at.
    pub cves: CvesState,
}

/// Where the files of an exercise are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// The folder.
    pub folder: PathBuf,
    /// The log of the last attempt.
    pub log: PathBuf,
}

/// A part of the workbench that can have the keys.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Pane {
    /// The file.
    #[default]
    File,
    /// The output of the build.
    Log,
}

/// What of the result is looked at.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ResultState {
    /// The goal that is open, by its index in the report.
    pub open: Option<usize>,
    /// The first line shown.
    pub top: usize,
    /// Whether it is compared with the attempt before.
    pub compared: bool,
    /// The first line of the comparison shown.
    pub compared_top: usize,
}

/// What of the hints is looked at.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct HintsState {
    /// The goal whose hints are shown, where the learner chose one.
    pub goal: Option<String>,
    /// The chosen row.
    pub selected: usize,
    /// Whether the solution is shown.
    pub solution: bool,
    /// Whether the solution's difference is shown as one column.
    pub unified: bool,
    /// The first line shown.
    pub top: usize,
}

impl HintsState {
    /// Turns to the hints of another goal, the first one first. The solution is that of all goals:
    /// whoever reads it goes on reading.
    pub fn turn_to(&mut self, goal: Option<String>) {
        self.goal = goal;
        self.selected = 0;
        if !self.solution {
            self.top = 0;
        }
    }
}

/// One of the learner's files, open.
#[derive(Debug, Clone)]
pub struct OpenFile {
    /// Its path in the folder.
    pub name: String,
    /// Its text.
    pub editor: Editor,
    /// What is on disk, as far as is known; `None` where there is no text.
    pub disk: Option<String>,
    /// What is being written.
    pub saving: Option<String>,
    /// What came to the disk while the learner had other changes here.
    pub conflict: Option<Conflict>,
    /// Why it cannot be edited here, where it cannot.
    pub barred: Option<Barred>,
    /// When it was last typed in.
    pub touched: Duration,
}

/// Both sides changed a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Conflict {
    /// The text on disk; `None` where the file was deleted, or where what is there now bars it.
    pub theirs: Option<String>,
    /// Whether the two are shown side by side.
    pub diff: bool,
}

impl OpenFile {
    fn new(file: WorkspaceFile) -> Self {
        Self {
            name: file.name,
            editor: Editor::new(file.text.as_deref().unwrap_or_default()),
            disk: file.text,
            saving: None,
            conflict: None,
            barred: file.barred,
            touched: Duration::ZERO,
        }
    }

    /// The same file, with what is on disk now.
    fn following(mut self, file: WorkspaceFile) -> Self {
        if let Some(text) = file.text.as_ref().filter(|text| !self.editor.holds(text)) {
            self.editor.follow(text);
        }
        Self {
            editor: self.editor,
            ..Self::new(file)
        }
    }

    /// Whether the text differs from what is on disk.
    #[must_use]
    pub fn is_unsaved(&self) -> bool {
        match &self.disk {
            Some(disk) => !self.editor.holds(disk),
            None => self.editor.lines().iter().any(|line| !line.is_empty()),
        }
    }

    /// Whether both sides changed it and the disk has no text to take: it was deleted, or something
    /// else is in its place.
    #[must_use]
    pub fn is_gone(&self) -> bool {
        let conflict = self.conflict.as_ref();
        conflict.is_some_and(|conflict| conflict.theirs.is_none())
    }
}

impl Bench {
    /// An exercise whose files are being opened.
    #[must_use]
    pub fn new(exercise: ExerciseId) -> Self {
        Self {
            exercise,
            place: None,
            trouble: None,
            files: Vec::new(),
            file: 0,
            kept: None,
            typing: false,
            pane: Pane::File,
            zoom: false,
            build: None,
            log: Log::default(),
            report: None,
            traced: None,
            built: BTreeMap::new(),
            building: BTreeMap::new(),
            attempts: 0,
            numbered: 0,
            number: 0,
            news: false,
            rebuild: false,
            wants_build: false,
            exchanging: false,
            left_to_hints: BTreeSet::new(),
            view: Screen::Brief,
            brief_top: 0,
            result: ResultState::default(),
            hints: HintsState::default(),
            look: Look::NotYet,
            layers: LayersState::default(),
            first_scan: FirstScan::NotYet,
            cves: CvesState::default(),
        }
    }

    /// Takes the files of a workspace in the place of those that were open; what they held can
    /// still be undone, file by file.
    pub fn take(&mut self, workspace: Workspace) {
        let name = self.shown().map(|file| file.name.clone());
        let mut open = std::mem::take(&mut self.files);
        let files = workspace.files.into_iter();
        self.files = files
            .map(|file| {
                let known = open.iter().position(|one| one.name == file.name);
                match known.filter(|_| file.text.is_some()) {
                    Some(known) => open.swap_remove(known).following(file),
                    None => OpenFile::new(file),
                }
            })
            .collect();
        self.file = name
            .and_then(|name| self.files.iter().position(|file| file.name == name))
            .unwrap_or(0);
        self.place = Some(Place {
            folder: workspace.folder,
            log: workspace.log,
        });
        self.trouble = None;
    }

    /// Takes what earlier sittings reached.
    pub fn recall(&mut self, record: &Record) {
        self.report.clone_from(&record.last);
        self.built.clone_from(&record.built);
        self.attempts = self.attempts.max(record.attempts);
        self.numbered = self.numbered.max(record.numbered);
        self.number = record.number;
    }

    /// The file that is shown.
    #[must_use]
    pub fn shown(&self) -> Option<&OpenFile> {
        self.files.get(self.file)
    }

    /// The file that is shown, to change it.
    pub fn shown_mut(&mut self) -> Option<&mut OpenFile> {
        self.files.get_mut(self.file)
    }

    /// Whether some file differs from what is on disk.
    #[must_use]
    pub fn is_unsaved(&self) -> bool {
        self.files.iter().any(OpenFile::is_unsaved)
    }

    /// The first file that both sides changed.
    #[must_use]
    pub fn conflict(&self) -> Option<&OpenFile> {
        self.files.iter().find(|file| file.conflict.is_some())
    }

    /// The first file whose text here cannot go to the disk, and why.
    #[must_use]
    pub fn unwritable(&self) -> Option<(&OpenFile, Barred)> {
        let mut unsaved = self.files.iter().filter(|file| file.is_unsaved());
        unsaved.find_map(|file| Some((file, file.barred?)))
    }

    /// Whether an attempt runs.
    #[must_use]
    pub fn is_building(&self) -> bool {
        self.build.as_ref().is_some_and(Build::is_running)
    }

    /// Whether the last report says that every required goal is met.
    #[must_use]
    pub fn passed(&self) -> bool {
        self.report
            .as_ref()
            .is_some_and(|report| report.outcome == Outcome::Passed)
    }

    /// The goals as far as they are judged: those of the running attempt, or of the last report.
    #[must_use]
    pub fn judged(&self, index: usize) -> Option<&GoalReport> {
        match &self.build {
            Some(build) if build.is_running() => build.goals.get(index)?.as_ref(),
            _ => self.report.as_ref()?.goals.get(index),
        }
    }

    /// The number of the attempt that judged the goals, where that is not the build that is shown:
    /// a build that was stopped has no verdicts, and those of the attempt before stay.
    #[must_use]
    pub fn judged_by(&self) -> Option<u32> {
        self.earlier().filter(|_| !self.is_building())
    }

    /// The number of the attempt that made the image which is weighed, where that is not the build
    /// that is shown.
    #[must_use]
    pub fn weighed_by(&self) -> Option<u32> {
        let running = self.build.as_ref().filter(|build| build.is_running());
        let live = running.is_some_and(|build| build.sizes.is_some());
        self.earlier().filter(|_| !live)
    }

    /// The number of the attempt of the last report, where another build is shown.
    #[must_use]
    pub fn earlier(&self) -> Option<u32> {
        let build = self.build.as_ref()?;
        (self.report.is_some() && build.number != self.number).then_some(self.number)
    }

    /// What the image weighs: that of the running attempt once it is known, or of the last report.
    #[must_use]
    pub fn size(&self) -> Option<Bytes> {
        let running = self.build.as_ref().filter(|build| build.is_running());
        let live = running.and_then(|build| build.sizes.as_ref());
        live.map(|sizes| sizes.shipped).or_else(|| {
            let image = self.report.as_ref()?.image.as_ref()?;
            Some(image.shipped_bytes)
        })
    }

    /// The first required goal of the last report that is not met.
    #[must_use]
    pub fn first_unmet(&self) -> Option<usize> {
        let goals = &self.report.as_ref()?.goals;
        goals
            .iter()
            .position(|goal| goal.required && goal.verdict == VerdictName::Unmet)
            .or_else(|| {
                goals
                    .iter()
                    .position(|goal| goal.required && goal.verdict != VerdictName::Met)
            })
    }

    /// Whether a file is not as the attempt of the last report built it.
    #[must_use]
    pub fn changed_since(&self) -> bool {
        self.report.is_some()
            && self.files.iter().any(|file| {
                let built = self.built.get(&file.name);
                built.is_some_and(|built| *built != file.editor.text())
            })
    }

    /// The line of the Dockerfile that the last report blames first.
    #[must_use]
    pub fn blamed_line(&self) -> Option<u32> {
        let report = self.report.as_ref()?;
        if let Some(problem) = &report.problem {
            return problem.blame.line;
        }
        let open = self.result.open.or_else(|| self.first_unmet())?;
        report.goals.get(open)?.blame.line
    }
}
