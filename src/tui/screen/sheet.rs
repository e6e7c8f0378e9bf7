//! A Dockerfile as it is shown: read once per text, not once per frame.

use std::cell::RefCell;
use std::rc::Rc;

use crate::dockerfile::Dockerfile;
use crate::dockerfile::Ignore;
use crate::dockerfile::lint;
use crate::dockerfile::lint::IgnoreFile;
use crate::dockerfile::lint::Surroundings;
use crate::tui::screen::colors;
use crate::tui::screen::colors::Colors;

/// What the screens need to know of a Dockerfile's text.
#[derive(Debug, Default)]
pub(in crate::tui) struct Sheet {
    /// The text, read.
    pub(in crate::tui) file: Dockerfile,
    /// The roles of its parts, one list per line.
    pub(in crate::tui) colors: Vec<Colors>,
    /// What the rules find in it, by line.
    pub(in crate::tui) findings: Vec<lint::Finding>,
    beside: Beside,
}

/// What is known of the ignore file beside it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(in crate::tui) enum Beside {
    /// The exercise does not show one.
    #[default]
    Unknown,
    /// There is none.
    Missing,
    /// This text.
    Text(String),
}

impl Beside {
    fn ignore(&self) -> IgnoreFile {
        match self {
            Self::Unknown => IgnoreFile::Unknown,
            Self::Missing => IgnoreFile::Missing,
            Self::Text(text) => Ignore::parse(text).map_or(IgnoreFile::Unknown, IgnoreFile::Read),
        }
    }
}

thread_local! {
    /// The last text that was read: every frame asks for it.
    static LAST: RefCell<Option<Rc<Sheet>>> = const { RefCell::new(None) };
}

/// The Dockerfile with this text.
#[must_use]
pub(in crate::tui) fn sheet(text: &str) -> Rc<Sheet> {
    sheet_beside(text, Beside::Unknown)
}

/// The Dockerfile with this text, and what is known of its ignore file.
#[must_use]
pub(in crate::tui) fn sheet_beside(text: &str, beside: Beside) -> Rc<Sheet> {
    LAST.with_borrow_mut(|last| match last {
        Some(sheet) if sheet.file.text == text && sheet.beside == beside => Rc::clone(sheet),
        _ => {
            let file = Dockerfile::parse(text);
            let around = Surroundings {
                ignore: beside.ignore(),
                ..Surroundings::default()
            };
            let sheet = Rc::new(Sheet {
                colors: colors::of(&file),
                findings: lint::check_in(&file, &around),
                file,
                beside,
            });
            *last = Some(Rc::clone(&sheet));
            sheet
        }
    })
}
