//! What lies over a screen and takes the keys: help, palette, a question.

use crate::tui::action::ActionId;

/// Something over the screen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Overlay {
    /// Every enabled action, to search and to run.
    Help(Picker),
    /// The same by typing a few letters of a name.
    Palette(Picker),
    /// The links of a lesson, and the chosen one.
    Links(usize),
    /// The remarks on the shown Dockerfile, and the chosen one.
    Remarks(usize),
    /// A question before something that changes files.
    Confirm {
        /// The question.
        question: String,
        /// What Yes does.
        action: ActionId,
    },
}

/// A list with a search line.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Picker {
    /// What was typed.
    pub query: String,
    /// The chosen row of what is left.
    pub selected: usize,
}

/// Words being typed at the foot of the screen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Prompt {
    /// What they are for.
    pub kind: PromptKind,
    /// The words so far.
    pub text: String,
}

/// What a prompt is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PromptKind {
    /// Look for the words.
    Search,
    /// Show only lines with the words.
    Filter,
}
