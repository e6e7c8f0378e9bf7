//! The one table of what a learner can do: keys, words, condition. Footer, help and palette are
//! made from it, so that no key can be missing from help.

use crossterm::event::KeyCode;
use crossterm::event::KeyEvent;

use crate::tui::model::Model;

mod chord;
mod foot;
mod label;
#[cfg(test)]
mod tests;
mod when;

pub use chord::Chord;
use chord::code;
use chord::ctrl;
use chord::key;
pub use foot::footer;

/// Something that a learner can do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ActionId {
    /// What Enter does on this screen.
    Main,
    /// One level up, or close.
    Back,
    /// `q`: up, and at home leave.
    Quit,
    /// Ctrl+C: cancel the build, twice leave.
    Interrupt,
    /// Ctrl+Z.
    Suspend,
    /// Ctrl+L.
    Repaint,
    /// One row up.
    Up,
    /// One row down.
    Down,
    /// To the left.
    Left,
    /// To the right.
    Right,
    /// A page up.
    PageUp,
    /// A page down.
    PageDown,
    /// To the start.
    Top,
    /// To the end.
    Bottom,
    /// The next pane.
    NextPane,
    /// The pane before.
    PreviousPane,
    /// The next lesson or exercise.
    NextUnit,
    /// The lesson or exercise before.
    PreviousUnit,
    /// The brief.
    Brief,
    /// The workbench.
    Work,
    /// The result.
    Result,
    /// The layers.
    Layers,
    /// The known vulnerabilities.
    Cves,
    /// The hints.
    Hints,
    /// Back to the course map.
    Home,
    /// The doctor.
    Doctor,
    /// The links of the lesson.
    Links,
    /// Tick a choice of a question.
    Tick,
    /// Search in what is shown.
    Search,
    /// The next place with the searched words.
    SearchNext,
    /// The place before with the searched words.
    SearchPrevious,
    /// Help.
    Help,
    /// Commands by name.
    Palette,
    /// Build and check.
    Build,
    /// Stop the build.
    Cancel,
    /// Edit in place.
    Edit,
    /// Stop editing in place.
    StopEditing,
    /// Save without leaving.
    Save,
    /// Take back the last change.
    Undo,
    /// Bring back what was taken back.
    Redo,
    /// Edit in the learner's editor.
    EditOutside,
    /// Show the next file.
    NextFile,
    /// Start a build when a file is saved.
    Rebuild,
    /// Show one pane alone.
    Zoom,
    /// Show only some lines of the log.
    Filter,
    /// Show the difference.
    Diff,
    /// Put the starter back.
    Reset,
    /// Bring back what a reset put away.
    UndoReset,
    /// Copy.
    Copy,
    /// Show the solution.
    Solution,
    /// Put the solution into the learner's file.
    Apply,
    /// Take what is on disk.
    TakeTheirs,
    /// Keep what is here.
    KeepMine,
    /// Look again.
    CheckAgain,
    /// Mend what is remarked on a line.
    Fix,
    /// List what is remarked on a Dockerfile.
    Remarks,
    /// Another order.
    Sort,
    /// Show other rows.
    Show,
    /// The next layer.
    NextLayer,
    /// The layer before.
    PreviousLayer,
    /// Run the image and show what the run opens.
    Trace,
}

/// Where an action stands in help.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Group {
    /// Only on some screens.
    Here,
    /// Moving.
    Move,
    /// On every screen.
    Everywhere,
}

impl Group {
    /// Its heading.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Here => "Here",
            Self::Move => "Move",
            Self::Everywhere => "Everywhere",
        }
    }
}

/// One line of the table.
pub struct Action {
    /// Which action.
    pub id: ActionId,
    /// Its keys; the first is the one that is shown.
    pub keys: &'static [Chord],
    /// Its keys while other keys are text.
    pub typing: &'static [Chord],
    /// Where it stands in help.
    pub group: Group,
    /// Its words, short enough for the footer.
    pub label: &'static str,
    /// One sentence for help.
    pub help: &'static str,
    /// Whether it can be done now.
    pub when: fn(&Model) -> bool,
}

macro_rules! actions {
    ($( $id:ident $group:ident [$($key:expr),*] typing [$($typing:expr),*] $label:literal, $help:literal, $when:path; )*) => {
        /// Every action.
        pub static ACTIONS: &[Action] = &[
            $( Action {
                id: ActionId::$id,
                keys: &[$($key),*],
                typing: &[$($typing),*],
                group: Group::$group,
                label: $label,
                help: $help,
                when: $when,
            }, )*
        ];
    };
}

actions! {
    Main Here [code(KeyCode::Enter)] typing [] "open", "Does what this screen is for.", when::main;
    Build Here [key('b'), ctrl('b')] typing [ctrl('b')] "build & check", "Saves, builds the image and judges every goal.", when::build;
    Cancel Here [key('x')] typing [] "cancel", "Stops the build on the engine.", when::building;
    Edit Here [key('e'), key('i')] typing [] "edit", "Types into the file here; Esc stops.", when::edit;
    StopEditing Here [] typing [code(KeyCode::Esc)] "stop editing", "Saves the file and gives the keys back.", when::typing;
    Save Here [] typing [ctrl('s')] "save", "Writes the file to disk.", when::typing;
    Undo Here [key('u')] typing [ctrl('u')] "undo", "Takes back the last change of the file.", when::undo;
    Redo Here [ctrl('r')] typing [ctrl('r')] "redo", "Brings back what undo took.", when::undo;
    EditOutside Here [key('E')] typing [] "your editor", "Opens the file in $VISUAL or $EDITOR.", when::edit;
    NextFile Here [key('v')] typing [] "next file", "Shows the next file of the exercise.", when::several_files;
    Rebuild Here [key('w')] typing [] "rebuild on save", "Builds by itself when a file is saved; again to stop that.", when::work;
    Zoom Here [key('z')] typing [] "zoom", "Shows this pane alone, and again all of them.", when::work;
    Filter Here [key('f')] typing [] "filter", "Shows only the lines with some words.", when::filter;
    Diff Here [key('d')] typing [key('d')] "diff", "Shows the two sides.", when::diff;
    TakeTheirs Here [code(KeyCode::Enter)] typing [code(KeyCode::Enter)] "take the file on disk", "Takes what is on disk; undo brings yours back.", when::take_theirs;
    KeepMine Here [code(KeyCode::Esc)] typing [code(KeyCode::Esc)] "keep mine", "Writes what is here over what is on disk; that is kept.", when::keep_mine;
    Solution Here [key('S')] typing [] "solution", "Shows the worked answer beside yours.", when::solution;
    Apply Here [key('A')] typing [] "apply", "Puts the solution into your files; what you wrote is kept.", when::apply;
    Reset Here [key('R')] typing [] "reset files", "Puts the starter back; what you wrote is kept.", when::reset;
    UndoReset Here [] typing [] "undo reset", "Brings back your files that were put away last.", when::undo_reset;
    Tick Here [key(' ')] typing [] "tick", "Ticks the choice, or takes the tick away.", when::tick;
    Links Here [key('o')] typing [] "links", "Lists the links of the lesson.", when::links;
    Copy Here [key('y')] typing [] "copy", "Copies what is shown to the clipboard.", when::copy;
    Fix Here [key('F')] typing [] "fix the line", "Mends what is remarked on this line; undo takes it back.", when::fix;
    Remarks Here [key('L')] typing [] "lint", "Lists what is worth a look in this Dockerfile, and why.", when::edit;
    Sort Here [key('s')] typing [] "sort", "Orders the list another way.", when::listed;
    Show Here [key('t')] typing [] "show", "Shows other rows of the list.", when::show;
    NextLayer Here [key(']')] typing [] "next layer", "Chooses the next layer.", when::layered;
    PreviousLayer Here [key('[')] typing [] "layer before", "Chooses the layer before.", when::layered;
    Trace Here [key('r')] typing [] "what is used", "Runs the image once more and shows which of its files the run opens.", when::trace;
    CheckAgain Here [key('c')] typing [] "check again", "Looks at the machine once more.", when::doctor;
    Down Move [code(KeyCode::Down), key('j')] typing [] "down", "One row down.", when::moving;
    Up Move [code(KeyCode::Up), key('k')] typing [] "up", "One row up.", when::moving;
    Left Move [code(KeyCode::Left), key('h')] typing [] "left", "To the left.", when::sideways;
    Right Move [code(KeyCode::Right), key('l')] typing [] "right", "To the right.", when::sideways;
    PageDown Move [key(' '), code(KeyCode::PageDown), ctrl('d')] typing [] "page", "A page down.", when::moving;
    PageUp Move [code(KeyCode::PageUp), ctrl('u')] typing [] "page up", "A page up.", when::moving;
    Top Move [code(KeyCode::Home), key('g')] typing [] "top", "To the start.", when::moving;
    Bottom Move [code(KeyCode::End), key('G')] typing [] "end", "To the end.", when::moving;
    NextPane Move [code(KeyCode::Tab)] typing [] "pane", "Gives the keys to the next pane.", when::panes;
    PreviousPane Move [code(KeyCode::BackTab)] typing [] "pane before", "Gives the keys to the pane before.", when::panes;
    Back Everywhere [code(KeyCode::Esc)] typing [] "back", "One level up.", when::back;
    NextUnit Everywhere [key(']')] typing [] "next", "Opens the next lesson or exercise.", when::next;
    PreviousUnit Everywhere [key('[')] typing [] "previous", "Opens the lesson or exercise before.", when::previous;
    Brief Everywhere [key('1')] typing [] "brief", "What the exercise asks for.", when::exercise;
    Work Everywhere [key('2')] typing [] "work", "The files, the goals and the build.", when::exercise;
    Result Everywhere [key('3')] typing [] "result", "What the last attempt showed, and why.", when::exercise;
    Layers Everywhere [key('4')] typing [] "layers", "Where the bytes of the last image come from.", when::exercise;
    Cves Everywhere [key('5')] typing [] "CVEs", "Known vulnerabilities of the last image.", when::exercise;
    Hints Everywhere [key('6')] typing [] "hints", "Help, one step at a time.", when::exercise;
    Search Everywhere [key('/')] typing [] "search", "Looks for words in what is shown.", when::search;
    SearchNext Everywhere [key('n')] typing [] "next match", "The next place with the words.", when::searched;
    SearchPrevious Everywhere [key('N')] typing [] "match before", "The place before with the words.", when::searched;
    Doctor Everywhere [key('D')] typing [] "doctor", "Is this machine ready to build?", when::not_doctor;
    Home Everywhere [] typing [] "course map", "Back to the list of lessons and exercises.", when::not_home;
    Help Everywhere [key('?'), code(KeyCode::F(1))] typing [code(KeyCode::F(1))] "help", "Lists every key of this screen; type to search, Enter runs it.", when::always;
    Palette Everywhere [key(':'), ctrl('p')] typing [ctrl('p')] "commands", "Runs anything by a few letters of its name.", when::always;
    Quit Everywhere [key('q')] typing [] "quit", "One level up; on the course map it leaves.", when::not_typing;
    Interrupt Everywhere [ctrl('c')] typing [ctrl('c')] "cancel or leave", "Stops the build; twice, it leaves.", when::always;
    Suspend Everywhere [ctrl('z')] typing [ctrl('z')] "suspend", "Back to the shell; `fg` returns.", when::has_shell;
    Repaint Everywhere [ctrl('l')] typing [ctrl('l')] "repaint", "Draws the screen again.", when::always;
}

/// The line of the table for an action.
#[must_use]
pub fn action(id: ActionId) -> Option<&'static Action> {
    ACTIONS.iter().find(|action| action.id == id)
}

/// Whether an action can be done now.
#[must_use]
pub fn is_enabled(model: &Model, id: ActionId) -> bool {
    action(id).is_some_and(|action| (action.when)(model))
}

/// The key to show for an action; empty where none does it now.
#[must_use]
pub fn key_name(model: &Model, id: ActionId) -> String {
    action(id)
        .map(|action| action.key_name(model))
        .unwrap_or_default()
}

/// The key that stops what runs: while keys are text, it is the one that never is.
#[must_use]
pub fn stop_key(model: &Model) -> String {
    let key = key_name(model, ActionId::Cancel);
    if key.is_empty() {
        key_name(model, ActionId::Interrupt)
    } else {
        key
    }
}

/// What a key does now.
#[must_use]
pub fn bound(model: &Model, event: &KeyEvent) -> Option<ActionId> {
    let typing = model.typing();
    ACTIONS
        .iter()
        .find(|action| {
            action.chords(typing).iter().any(|chord| chord.is(event)) && (action.when)(model)
        })
        .map(|action| action.id)
}

impl Action {
    /// Its keys while typing, or its keys otherwise.
    #[must_use]
    pub const fn chords(&self, typing: bool) -> &'static [Chord] {
        if typing { self.typing } else { self.keys }
    }

    /// Its keys that do it now: one that does something else on this screen is none of them.
    pub fn keys_now(&self, model: &Model) -> impl Iterator<Item = Chord> {
        let chords = self.chords(model.typing()).iter().copied();
        chords.filter(|chord| bound(model, &chord.event()) == Some(self.id))
    }

    /// The key to show; empty where none does it now.
    #[must_use]
    pub fn key_name(&self, model: &Model) -> String {
        let mut chords = self.keys_now(model);
        let first = chords.next();
        first
            .map(|chord| chord.name(model.theme))
            .unwrap_or_default()
    }
}
