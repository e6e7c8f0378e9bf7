//! A file changed line by line, where no editor was named: show, replace, insert, delete, undo.

use crate::course::ExerciseId;
use crate::plain::NotEdited;
use crate::plain::Plain;
use crate::plain::exercise::numbered;
use crate::text::Clean;
use crate::text::plural;
use crate::workshop::LineEnds;
use crate::workshop::NotSaved;
use crate::workshop::Workspace;
use crate::workshop::WorkspaceFile;

/// What can be typed.
const HELP: [&str; 7] = [
    "  12 new text    line 12 becomes the new text",
    "  +12 text       a line after line 12; +0 before the first",
    "  -12            line 12 is deleted",
    "  Enter          the lines with their numbers",
    "  u              the last change is taken back",
    "  s              save and go back",
    "  q              go back without saving",
];

/// What a person typed.
#[derive(Debug, PartialEq, Eq)]
enum Command {
    Show,
    Help,
    Replace(usize, String),
    Insert(usize, String),
    Delete(usize),
    Undo,
    Save,
    Leave,
}

impl Command {
    /// Reads a command; what cannot be read is shown with all that can be typed.
    fn read(typed: &str) -> Self {
        let typed = typed.trim_end_matches(['\n', '\r']);
        match typed.trim() {
            "" => return Self::Show,
            "u" => return Self::Undo,
            "s" => return Self::Save,
            "q" => return Self::Leave,
            _ => {}
        }
        let (sign, rest) = match (typed.strip_prefix('+'), typed.strip_prefix('-')) {
            (Some(rest), _) => ('+', rest),
            (_, Some(rest)) => ('-', rest),
            _ => (' ', typed),
        };
        let (number, text) = match rest.split_once(' ') {
            Some((number, text)) => (number, Some(text.to_owned())),
            None => (rest, None),
        };
        match (sign, number.parse(), text) {
            ('-', Ok(line), None) => Self::Delete(line),
            ('+', Ok(line), text) => Self::Insert(line, text.unwrap_or_default()),
            (' ', Ok(line), Some(text)) => Self::Replace(line, text),
            _ => Self::Help,
        }
    }
}

/// A text in the making.
#[derive(Debug)]
struct Draft {
    lines: Vec<String>,
    before: Vec<Vec<String>>,
    /// What stands at the end of a line.
    ends: LineEnds,
    /// Whether the last line ends as the others do.
    ended: bool,
}

impl Draft {
    fn of(text: &str) -> Self {
        // Where lines end in two ways the file is not edited here.
        let ends = LineEnds::of(text).unwrap_or_default();
        Self {
            lines: lines(text, ends),
            before: Vec::new(),
            ends,
            ended: text.is_empty() || text.ends_with('\n'),
        }
    }

    fn text(&self) -> String {
        let mut text = self.lines.join(self.ends.as_str());
        if self.ended && !self.lines.is_empty() {
            text.push_str(self.ends.as_str());
        }
        text
    }

    /// The lines with their numbers, without what could steer a terminal.
    fn shown(&self) -> Vec<String> {
        let numbered = self.lines.iter().enumerate();
        numbered
            .map(|(index, line)| format!("{:>4}  {}", index + 1, Clean::line(line)))
            .collect()
    }

    /// Changes a line; says what happened, or why it did not.
    fn change(&mut self, command: Command) -> Result<String, String> {
        let before = self.lines.clone();
        let said = match command {
            Command::Replace(line, text) => {
                *self.line(line)? = text;
                format!("Line {line} was changed.")
            }
            Command::Insert(after, text) => {
                if after > self.lines.len() {
                    return Err(self.outside(after));
                }
                self.lines.insert(after, text);
                format!("Line {} was added.", after + 1)
            }
            Command::Delete(line) => {
                self.line(line)?;
                self.lines.remove(line - 1);
                format!("Line {line} was deleted.")
            }
            Command::Undo => {
                self.lines = self.before.pop().ok_or("There is nothing to take back.")?;
                return Ok("The last change was taken back.".to_owned());
            }
            Command::Show | Command::Help | Command::Save | Command::Leave => {
                return Ok(String::new());
            }
        };
        self.before.push(before);
        Ok(said)
    }

    fn line(&mut self, number: usize) -> Result<&mut String, String> {
        let outside = self.outside(number);
        let at = number.checked_sub(1).ok_or_else(|| outside.clone())?;
        self.lines.get_mut(at).ok_or(outside)
    }

    fn outside(&self, number: usize) -> String {
        let all = plural(self.lines.len(), "line");
        format!("There is no line {number}; the file has {all}.")
    }

    fn is_changed(&self) -> bool {
        !self.before.is_empty()
    }
}

/// The lines of a text, without their ends.
fn lines(text: &str, ends: LineEnds) -> Vec<String> {
    let text = text.strip_suffix(ends.as_str()).unwrap_or(text);
    if text.is_empty() {
        return Vec::new();
    }
    text.split(ends.as_str()).map(str::to_owned).collect()
}

impl Plain<'_> {
    /// Lets the person change a file: in the editor that was named, or line by line where none was or it does not start.
    pub(super) async fn edit(&mut self, exercise: &ExerciseId, workspace: &Workspace) {
        let names = workspace.files.iter().map(|file| file.name.as_str());
        let list = numbered(names);
        let index = if list.len() == 1 {
            Some(1)
        } else {
            self.choose(&list, "Which file, or q: ").await
        };
        let Some(file) = index.and_then(|number| workspace.files.get(number - 1)) else {
            return;
        };
        if !self.tty.has_editor() {
            return self.by_lines(exercise, file).await;
        }
        let path = workspace.folder.join(&file.name);
        match self.tty.edit(&path).await {
            Ok(()) => self.say(format!("{} is as you left it.", file.name)),
            Err(NotEdited::NoEditor(why)) => {
                self.say(why);
                self.by_lines(exercise, file).await;
            }
            Err(NotEdited::Ended(why)) => {
                self.say(why);
                let path = Clean::line(&path.display().to_string());
                self.say(format!("The file is {path}; edit it with anything."));
            }
        }
    }

    /// Changes a file line by line until the person saves it or leaves.
    async fn by_lines(&mut self, exercise: &ExerciseId, file: &WorkspaceFile) {
        if let Some(barred) = file.barred {
            return self.say(format!(
                "{} is not edited here: {}.",
                file.name,
                barred.words()
            ));
        }
        let mut draft = Draft::of(file.text.as_deref().unwrap_or_default());
        self.say(format!("{}, line by line:", file.name));
        self.say_all(HELP.map(str::to_owned));
        self.pages(&draft.shown()).await;
        loop {
            let prompt = "Line, Enter to show, s to save, q to go back: ";
            let typed = self.ask(prompt).await;
            let command = typed.as_deref().map_or(Command::Leave, Command::read);
            match command {
                Command::Show => {
                    self.pages(&draft.shown()).await;
                }
                Command::Help => self.say_all(HELP.map(str::to_owned)),
                Command::Save => {
                    if self.save(exercise, file, &draft).await {
                        return;
                    }
                }
                Command::Leave if draft.is_changed() => {
                    let question = "Your changes are not saved. Type yes to leave without them: ";
                    let answer = match typed {
                        Some(_) => self.ask(question).await,
                        None => None,
                    };
                    let Some(answer) = answer else {
                        // Nobody said that they are not wanted.
                        self.say("Your changes were not saved.");
                        self.keep(exercise, file, &draft).await;
                        return;
                    };
                    if answer.trim().eq_ignore_ascii_case("yes") {
                        return self.say("Nothing was saved.");
                    }
                }
                Command::Leave => return self.say("Nothing was changed."),
                Command::Replace(..) | Command::Insert(..) | Command::Delete(_) | Command::Undo => {
                    match draft.change(command) {
                        Ok(said) | Err(said) => self.say(said),
                    }
                }
            }
        }
    }

    /// Saves a draft over what was read; says whether there is nothing more to do here.
    async fn save(&mut self, exercise: &ExerciseId, file: &WorkspaceFile, draft: &Draft) -> bool {
        let workshop = self.services.workshop.clone();
        let read = file.text.as_deref();
        let saved = workshop
            .save(exercise, &file.name, &draft.text(), read)
            .await;
        match saved {
            Ok(()) => {
                self.say(format!("{} is saved.", file.name));
                true
            }
            Err(NotSaved::Changed) => {
                self.say_trouble(&NotSaved::Changed.trouble(&file.name));
                let kept = self.keep(exercise, file, draft).await;
                if kept {
                    self.say("Edit the file again: it is read anew, with what is on disk now.");
                }
                kept
            }
            Err(NotSaved::Failed(trouble)) => {
                self.say_trouble(&trouble);
                false
            }
        }
    }

    /// Keeps a draft that is not saved and says where; false where it could not be kept.
    async fn keep(&mut self, exercise: &ExerciseId, file: &WorkspaceFile, draft: &Draft) -> bool {
        let workshop = self.services.workshop.clone();
        match workshop.keep(exercise, &file.name, &draft.text()).await {
            Ok(path) => {
                let path = Clean::line(&path.display().to_string());
                self.say(format!("Your text is kept in {path}."));
                true
            }
            Err(trouble) => {
                self.say_trouble(&trouble);
                false
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_typed_is_read() {
        for (typed, wanted) in [
            ("\n", Command::Show),
            ("12 RUN  x \n", Command::Replace(12, "RUN  x ".to_owned())),
            ("+0 FROM a", Command::Insert(0, "FROM a".to_owned())),
            ("+3", Command::Insert(3, String::new())),
            ("-4\r\n", Command::Delete(4)),
            ("u\n", Command::Undo),
            ("12", Command::Help),
            ("-4 x", Command::Help),
            ("FROM a", Command::Help),
            ("99999999999999999999 x", Command::Help),
        ] {
            assert_eq!(Command::read(typed), wanted, "{typed:?}");
        }
    }

    #[test]
    fn lines_are_replaced_inserted_deleted_and_brought_back() {
        let mut draft = Draft::of("FROM a\nRUN x\n");
        let mut did = |typed: &str| draft.change(Command::read(typed));
        assert!(did("2 RUN y").is_ok() && did("+2 USER 1").is_ok() && did("-1").is_ok());
        assert_eq!(draft.text(), "RUN y\nUSER 1\n");
        assert!(draft.change(Command::Undo).is_ok());
        assert_eq!(draft.text(), "FROM a\nRUN y\nUSER 1\n");
        for _ in 0..2 {
            assert!(draft.change(Command::Undo).is_ok());
        }
        assert_eq!(draft.text(), "FROM a\nRUN x\n");
        assert!(draft.change(Command::Undo).is_err());
        assert!(!draft.is_changed());
    }

    #[test]
    fn lines_that_end_as_on_windows_still_do() {
        let mut draft = Draft::of("FROM a\r\nRUN x\r\n");
        assert_eq!(draft.shown(), ["   1  FROM a", "   2  RUN x"]);
        assert!(draft.change(Command::read("+1 USER 1")).is_ok());
        assert_eq!(draft.text(), "FROM a\r\nUSER 1\r\nRUN x\r\n");
    }

    #[test]
    fn a_line_that_is_not_there_changes_nothing() {
        let mut draft = Draft::of("FROM a\r\nRUN x");
        for typed in ["0 x", "3 x", "+3 x", "-0", "-3"] {
            let said = draft.change(Command::read(typed)).expect_err(typed);
            assert!(said.ends_with("the file has 2 lines."), "{said}");
        }
        assert_eq!(draft.text(), "FROM a\r\nRUN x");
        assert_eq!(Draft::of("").text(), "");
    }
}
