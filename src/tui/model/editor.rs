//! One file of the learner in the simple editor: a library's text area as the model of text,
//! cursor and undo; the view is ours.

use crossterm::event::KeyCode;
use crossterm::event::KeyEvent;
use crossterm::event::KeyModifiers;
use ratatui_textarea::CursorMove;
use ratatui_textarea::TextArea;

use crate::workshop::LineEnds;

/// A text being edited, and where it is looked at.
#[derive(Debug, Clone)]
pub struct Editor {
    area: TextArea<'static>,
    /// Taken off the lines, and put back where the text is asked for.
    ends: LineEnds,
    /// The first line shown.
    pub top: usize,
    /// The first column shown.
    pub left: usize,
}

impl Editor {
    /// An editor with this text. Where its lines end in two ways they are left as they are: such a
    /// text is shown, not edited.
    #[must_use]
    pub fn new(text: &str) -> Self {
        let ends = LineEnds::of(text).unwrap_or_default();
        let mut area = TextArea::new(text.split(ends.as_str()).map(str::to_owned).collect());
        area.set_max_histories(1000);
        area.set_tab_length(4);
        Self {
            area,
            ends,
            top: 0,
            left: 0,
        }
    }

    /// The text, byte for byte.
    #[must_use]
    pub fn text(&self) -> String {
        self.area.lines().join(self.ends.as_str())
    }

    /// Whether its text is this one, byte for byte.
    #[must_use]
    pub fn holds(&self, text: &str) -> bool {
        let lines = self.area.lines().iter().map(String::as_str);
        text.split(self.ends.as_str()).eq(lines)
    }

    /// Its lines.
    #[must_use]
    pub fn lines(&self) -> &[String] {
        self.area.lines()
    }

    /// How many lines a reader counts: a last line break opens no line of its own.
    #[must_use]
    pub fn line_count(&self) -> usize {
        let lines = self.area.lines();
        match lines.last() {
            Some(last) if last.is_empty() && lines.len() > 1 => lines.len() - 1,
            _ => lines.len(),
        }
    }

    /// Row and column of the cursor, in characters, from 0.
    #[must_use]
    pub fn cursor(&self) -> (usize, usize) {
        let cursor = self.area.cursor();
        (cursor.0, cursor.1)
    }

    /// Moves the cursor.
    pub fn move_cursor(&mut self, to: CursorMove) {
        self.area.move_cursor(to);
    }

    /// Puts the cursor on a line, from 0.
    pub fn go_to_line(&mut self, line: usize) {
        let line = line.min(self.line_count().saturating_sub(1));
        let line = u16::try_from(line).unwrap_or(u16::MAX);
        self.area.move_cursor(CursorMove::Jump(line, 0));
    }

    /// Takes a key as text or movement; says whether the text changed.
    pub fn input(&mut self, key: KeyEvent) -> bool {
        // A line feed ends a line wherever it comes from, a text that is pasted key by key included.
        // To the library it deletes the line up to the cursor.
        let line_feed = key.code == KeyCode::Char('j') && key.modifiers == KeyModifiers::CONTROL;
        if line_feed {
            self.area.insert_newline();
            return true;
        }
        self.area.input(key)
    }

    /// Inserts a pasted text as one step of undo.
    pub fn paste(&mut self, text: &str) {
        let text = text.replace("\r\n", "\n").replace('\r', "\n");
        self.area.insert_str(text);
    }

    /// Takes over a text from the disk with its line ends, in a way that can be undone. One whose
    /// lines end in two ways cannot be edited: it is shown, and there is nothing to undo.
    pub fn follow(&mut self, text: &str) {
        if let Some(ends) = LineEnds::of(text) {
            self.replace(text);
            self.ends = ends;
            return;
        }
        let (row, _) = self.cursor();
        *self = Self::new(text);
        self.go_to_line(row);
    }

    /// Replaces the whole text in a way that can be undone, keeping the cursor's line and how the
    /// lines end.
    pub fn replace(&mut self, text: &str) {
        let (row, _) = self.cursor();
        self.area.select_all();
        self.area.insert_str(text);
        self.area.cancel_selection();
        self.go_to_line(row);
    }

    /// Takes back the last change. A replaced text was emptied and filled: nobody wants to stand
    /// between the two.
    pub fn undo(&mut self) -> bool {
        let done = self.area.undo();
        if done && self.area.is_empty() {
            self.area.undo();
        }
        done
    }

    /// Brings back what was taken back.
    pub fn redo(&mut self) -> bool {
        let done = self.area.redo();
        if done && self.area.is_empty() {
            self.area.redo();
        }
        done
    }

    /// Moves the window over the text so that the cursor is in it.
    pub fn keep_cursor_in(&mut self, width: usize, height: usize) {
        let (row, column) = self.cursor();
        let height = height.max(1);
        if row < self.top {
            self.top = row;
        } else if row >= self.top + height {
            self.top = row + 1 - height;
        }
        self.top = self.top.min(self.line_count().saturating_sub(height));
        let width = width.max(1);
        let x = self
            .area
            .lines()
            .get(row)
            .map_or(0, |line| columns_before(line, column));
        if x < self.left {
            self.left = x.saturating_sub(width / 4);
        } else if x >= self.left + width {
            self.left = x + 1 - width;
        }
        // No more than the lines in sight and the cursor behind them need, once there is room again.
        if self.left > 0 {
            let shown = self.area.lines().iter().skip(self.top).take(height);
            let widest = shown.map(|line| columns_before(line, usize::MAX)).max();
            let most = (widest.unwrap_or(0) + 1).saturating_sub(width);
            self.left = self.left.min(most);
        }
    }
}

/// The columns that the first `chars` characters of a line take on the screen.
#[must_use]
pub fn columns_before(line: &str, chars: usize) -> usize {
    let mut column = 0;
    for c in line.chars().take(chars) {
        column += width_at(c, column);
    }
    column
}

/// The columns of one character that begins at `column`; tabs go to the next multiple of four, what
/// cannot be shown takes one column for its stand-in.
#[must_use]
pub fn width_at(c: char, column: usize) -> usize {
    use unicode_width::UnicodeWidthChar;
    match c {
        '\t' => 4 - column % 4,
        c => c.width().unwrap_or(1),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_paste_is_one_step_of_undo() {
        let mut editor = Editor::new("FROM a\n");
        editor.paste("one\r\ntwo\r\nthree\n");
        assert_eq!(editor.text(), "one\ntwo\nthree\nFROM a\n");
        assert!(editor.undo());
        assert_eq!(editor.text(), "FROM a\n");
        assert!(editor.redo());
        assert_eq!(editor.text(), "one\ntwo\nthree\nFROM a\n");
    }

    #[test]
    fn replacing_the_text_can_be_undone() {
        let mut editor = Editor::new("a\nb\nc\n");
        editor.go_to_line(2);
        editor.replace("x\ny\nz\n");
        assert_eq!(editor.text(), "x\ny\nz\n");
        assert_eq!(editor.cursor().0, 2);
        assert!(editor.undo());
        assert_eq!(editor.text(), "a\nb\nc\n");
        assert!(editor.redo());
        assert_eq!(editor.text(), "x\ny\nz\n");
    }

    #[test]
    fn lines_end_as_they_did_whatever_is_done_to_them() {
        let mut editor = Editor::new("FROM a\r\nRUN x\r\n");
        assert_eq!(editor.lines(), ["FROM a", "RUN x", ""]);
        assert!(editor.holds("FROM a\r\nRUN x\r\n"));
        assert!(!editor.holds("FROM a\nRUN x\n"));
        editor.paste("# one\n# two\n");
        assert_eq!(editor.text(), "# one\r\n# two\r\nFROM a\r\nRUN x\r\n");
        editor.replace("FROM b\nRUN y\n");
        assert_eq!(editor.text(), "FROM b\r\nRUN y\r\n");
        editor.follow("FROM c\nRUN z\n");
        assert_eq!(editor.text(), "FROM c\nRUN z\n");
        editor.follow("FROM d\r\n");
        assert_eq!(editor.text(), "FROM d\r\n");
        for mixed in ["FROM a\r\nRUN x\n", "FROM a\nRUN x\r"] {
            editor.follow(mixed);
            assert!(editor.holds(mixed));
            assert_eq!(editor.text(), mixed);
        }
    }

    #[test]
    fn a_line_feed_ends_a_line() {
        let mut editor = Editor::new("FROM a");
        for letter in "# b".chars() {
            editor.input(KeyEvent::new(KeyCode::Char(letter), KeyModifiers::NONE));
        }
        editor.input(KeyEvent::new(KeyCode::Char('j'), KeyModifiers::CONTROL));
        assert_eq!(editor.text(), "# b\nFROM a");
    }

    #[test]
    fn the_window_follows_the_cursor() {
        let mut editor = Editor::new(&"line\n".repeat(50));
        editor.go_to_line(30);
        editor.keep_cursor_in(10, 10);
        assert_eq!(editor.top, 21);
        editor.go_to_line(5);
        editor.keep_cursor_in(10, 10);
        assert_eq!(editor.top, 5);
        editor.input(KeyEvent::new(KeyCode::End, KeyModifiers::NONE));
        editor.keep_cursor_in(3, 10);
        assert_eq!(editor.left, 2);
        // Where the window was narrow for a while, it is not left beside the text.
        editor.keep_cursor_in(1, 1);
        editor.keep_cursor_in(40, 10);
        assert_eq!(editor.left, 0);
    }

    proptest! {
        #[test]
        fn a_text_comes_back_byte_for_byte(text in "[a-z\\n\\r\\t é字]{0,80}") {
            prop_assert_eq!(Editor::new(&text).text(), text);
        }
    }
}
