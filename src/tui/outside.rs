//! What the surroundings say: which editor, which colours, which characters; and the editor run.

#![expect(
    clippy::disallowed_methods,
    reason = "reads the environment and starts the learner's editor; this is the edge"
)]

use std::io;
use std::path::Path;
use std::path::PathBuf;
use std::process::Child;
use std::process::Command;
use std::process::Stdio;

use rustix::process::Pid;

use crate::text::is_ascii_only;
use crate::tui::theme::Palette;
use crate::tui::theme::Theme;

/// Editors with a window of their own: they open beside us, and saving is noticed by watching.
const WINDOWED: [&str; 9] = [
    "code", "codium", "cursor", "zed", "zeditor", "subl", "gedit", "kate", "gvim",
];

/// How the workshop is shown, and where it starts.
#[derive(Debug, Clone)]
pub struct Options {
    /// Colours and glyphs.
    pub theme: Theme,
    /// The learner's editor and its arguments; `None` where the environment names none.
    pub editor: Option<Vec<String>>,
    /// Where the workshop starts.
    pub start: Start,
    /// The folder for reports of panics.
    pub reports: PathBuf,
}

/// Where the workshop starts.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Start {
    /// On the course map.
    #[default]
    Home,
    /// In the lesson or exercise with this slug or id.
    Unit(String),
}

impl Options {
    /// What the environment asks for.
    #[must_use]
    pub fn from_env(start: Start) -> Self {
        let set = |name: &str| std::env::var_os(name).is_some_and(|value| !value.is_empty());
        let text = |name: &str| std::env::var(name).unwrap_or_default();
        let palette = if set("NO_COLOR") {
            Palette::Mono
        } else {
            Palette::Terminal
        };
        let editor = ["VISUAL", "EDITOR"]
            .into_iter()
            .map(text)
            .filter_map(|value| shell_words::split(&value).ok())
            .find(|words| !words.is_empty());
        Self {
            theme: Theme::new(palette, is_ascii_only(text)),
            editor,
            start,
            reports: std::env::temp_dir(),
        }
    }
}

/// The learner's editor, started.
pub(super) enum Editing {
    /// It has the terminal until it ends.
    Here(Child),
    /// It has a window of its own.
    Beside,
}

/// The id of a child that was not waited for.
pub(super) fn id(child: &Child) -> Option<Pid> {
    i32::try_from(child.id()).ok().and_then(Pid::from_raw)
}

/// Starts this program as `loadline doctor --fix`.
pub(super) fn fix_engine() -> io::Result<Child> {
    Command::new(std::env::current_exe()?)
        .args(["doctor", "--fix"])
        .spawn()
}

/// Whether an editor has a window of its own.
pub(super) fn is_windowed(editor: &[String]) -> bool {
    editor
        .first()
        .and_then(|program| Path::new(program).file_name())
        .is_some_and(|name| WINDOWED.iter().any(|one| name == *one))
}

/// Starts the learner's editor on a file.
pub(super) fn edit(editor: &[String], file: &Path, line: usize) -> io::Result<Editing> {
    let Some((program, arguments)) = editor.split_first() else {
        return Err(io::Error::other("no editor is named"));
    };
    let mut command = Command::new(program);
    command.args(arguments);
    let name = Path::new(program).file_name().unwrap_or_default();
    let place = format!("{}:{line}", file.display());
    match name.to_string_lossy().as_ref() {
        "vi" | "vim" | "nvim" | "nano" | "emacs" | "emacsclient" | "micro" | "kak" | "joe"
        | "mg" | "gvim" => {
            command.arg(format!("+{line}")).arg(file);
        }
        "hx" | "helix" | "zed" | "zeditor" | "subl" => {
            command.arg(place);
        }
        "code" | "codium" | "cursor" => {
            command.arg("--goto").arg(place);
        }
        _ => {
            command.arg(file);
        }
    }
    if let Some(folder) = file.parent() {
        command.current_dir(folder);
    }
    if is_windowed(editor) {
        let silent = command
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        let mut child = silent.spawn()?;
        // Its launcher ends at once and must be waited for; its window may live for hours.
        std::thread::spawn(move || child.wait());
        return Ok(Editing::Beside);
    }
    Ok(Editing::Here(command.spawn()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn editors_with_a_window_are_known_by_their_name() {
        let words = |text: &str| vec![text.to_owned(), "--wait".to_owned()];
        assert!(is_windowed(&words("/usr/bin/code")));
        assert!(!is_windowed(&words("nvim")));
        assert!(!is_windowed(&[]));
    }
}
