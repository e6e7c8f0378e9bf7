//! Where the reader is in a lesson, and what was answered in it.

use std::collections::BTreeMap;
use std::collections::BTreeSet;

use crate::course::Quiz;
use crate::course::quiz::TRIES;
use crate::workshop::Answered;

/// Where the reader is in a text.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Reading {
    /// The first line shown.
    pub top: usize,
    /// Whether the outline has the keys.
    pub outline: bool,
    /// The words that are searched for.
    pub search: String,
    /// The question that has the keys, and its chosen row.
    pub asked: Option<(usize, usize)>,
    /// What was answered, by the question's id.
    pub answers: BTreeMap<String, Answer>,
}

/// What was answered to a question.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Answer {
    /// The ticked choices.
    pub ticked: BTreeSet<usize>,
    /// The choices of the last try.
    pub tried: BTreeSet<usize>,
    /// How often it was tried.
    pub tries: u32,
    /// Whether the last try was right.
    pub right: bool,
}

impl Answer {
    /// Whether there is nothing left to try.
    #[must_use]
    pub const fn is_over(&self) -> bool {
        self.right || self.tries >= TRIES
    }

    /// An answer that was recorded earlier.
    #[must_use]
    pub fn from_record(known: &Answered) -> Self {
        Self {
            ticked: known.chosen.clone(),
            tried: known.chosen.clone(),
            tries: known.tries,
            right: known.right,
        }
    }

    /// The last try, to be recorded.
    #[must_use]
    pub fn to_record(&self) -> Answered {
        Answered {
            chosen: self.tried.clone(),
            right: self.right,
            tries: self.tries,
        }
    }

    /// Tries the ticked choices.
    pub fn try_ticked(&mut self, quiz: &Quiz) {
        if self.is_over() || self.ticked.is_empty() {
            return;
        }
        let ticked: Vec<usize> = self.ticked.iter().copied().collect();
        self.right = quiz.is_right(&ticked);
        self.tried.clone_from(&self.ticked);
        self.tries += 1;
    }
}
