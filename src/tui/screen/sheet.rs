//! A Dockerfile as it is shown: read once per text, not once per frame.

use std::cell::RefCell;
use std::rc::Rc;

use crate::dockerfile::Dockerfile;
use crate::tui::screen::colors;
use crate::tui::screen::colors::Colors;

/// What the screens need to know of a Dockerfile's text.
#[derive(Debug, Default)]
pub(in crate::tui) struct Sheet {
    /// The text, read.
    pub(in crate::tui) file: Dockerfile,
    /// The roles of its parts, one list per line.
    pub(in crate::tui) colors: Vec<Colors>,
}

thread_local! {
    /// The last text that was read: every frame asks for it.
    static LAST: RefCell<Option<Rc<Sheet>>> = const { RefCell::new(None) };
}

/// The Dockerfile with this text.
#[must_use]
pub(in crate::tui) fn sheet(text: &str) -> Rc<Sheet> {
    LAST.with_borrow_mut(|last| match last {
        Some(sheet) if sheet.file.text == text => Rc::clone(sheet),
        _ => {
            let file = Dockerfile::parse(text);
            let sheet = Rc::new(Sheet {
                colors: colors::of(&file),
                file,
            });
            *last = Some(Rc::clone(&sheet));
            sheet
        }
    })
}
