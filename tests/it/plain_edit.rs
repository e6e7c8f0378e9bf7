//! The line editor of `--plain` on a real terminal, with the learner's real files.

use portable_pty::CommandBuilder;
use rustix::process::Signal;
use tempfile::TempDir;

use crate::pty::Pty;

/// What asks whether to go on reading.
const MORE: &str = "Enter for more, q to stop:";
/// What asks for a choice.
const MENU: &str = "Number, or q to go back:";

/// The workshop as lines, in an exercise.
fn opened(folder: TempDir) -> Pty {
    let mut command = CommandBuilder::new(env!("CARGO_BIN_EXE_loadline"));
    command.args(["learn", "--plain", "first-build"]);
    command.env("HOME", folder.path());
    command.env_remove("LOADLINE_HOME");
    command.env("DOCKER_HOST", "unix:///nonexistent/engine.sock");
    let mut pty = Pty::run(command, folder, &[], true);
    pty.until("the menu", |pty| {
        let shown = pty.contents();
        shown.contains(MORE) || shown.contains(MENU)
    });
    if !pty.contents().contains(MENU) {
        pty.press("\n");
        pty.shows(MENU);
    }
    pty
}

/// The workshop as lines, in the only file of an exercise.
fn editing() -> Pty {
    let mut pty = opened(tempfile::tempdir().expect("a folder for the test"));
    pty.press("2\n");
    pty.shows("Line, Enter to show, s to save");
    pty
}

fn dockerfile(pty: &Pty) -> std::path::PathBuf {
    pty.folder.path().join("loadline/first-build/Dockerfile")
}

/// The text that was kept.
fn kept(pty: &Pty) -> String {
    let kept = "loadline/.loadline/kept/first-build/unsaved/000001/Dockerfile";
    std::fs::read_to_string(pty.folder.path().join(kept)).expect("the text is kept")
}

#[test]
fn a_change_made_outside_is_not_overwritten() {
    let mut pty = editing();
    std::fs::write(dockerfile(&pty), "FROM theirs\n").expect("there is room");
    pty.press("1 FROM mine\n");
    pty.shows("Line 1 was changed.");
    pty.press("s\n");
    pty.shows("Trouble: Dockerfile changed on disk meanwhile");
    pty.shows("Your text is kept in");
    pty.shows("Edit the file again");
    let theirs = std::fs::read_to_string(dockerfile(&pty)).expect("it is there");
    assert_eq!(theirs, "FROM theirs\n");
    assert!(kept(&pty).starts_with("FROM mine\n"), "{}", kept(&pty));
    // Edited again, it is what is on disk now.
    pty.press("2\n");
    pty.shows("   1  FROM theirs");
    pty.press("+1 USER 1\n");
    pty.shows("Line 2 was added.");
    pty.press("s\n");
    pty.shows("Dockerfile is saved.");
    let saved = std::fs::read_to_string(dockerfile(&pty)).expect("it is there");
    assert_eq!(saved, "FROM theirs\nUSER 1\n");
}

#[test]
fn the_end_of_the_input_keeps_what_was_typed() {
    let mut pty = editing();
    let before = std::fs::read_to_string(dockerfile(&pty)).expect("it is there");
    pty.press("1 FROM mine\n");
    pty.shows("Line 1 was changed.");
    pty.press("\x04");
    pty.shows("Your changes were not saved.");
    pty.shows("Your text is kept in");
    assert!(kept(&pty).starts_with("FROM mine\n"), "{}", kept(&pty));
    let after = std::fs::read_to_string(dockerfile(&pty)).expect("it is there");
    assert_eq!(after, before);
}

#[test]
fn ctrl_c_and_a_signal_keep_what_was_typed_and_the_next_opening_says_where() {
    for signal in [None, Some(Signal::TERM)] {
        let mut pty = editing();
        let before = std::fs::read_to_string(dockerfile(&pty)).expect("it is there");
        pty.press("1 FROM mine\n");
        pty.shows("Line 1 was changed.");
        match signal {
            None => pty.press("\x03"),
            Some(signal) => pty.signal(signal),
        }
        pty.shows("Your changes were not saved.");
        pty.shows("Your text is kept in");
        assert_eq!(pty.ends(), 130);
        assert!(kept(&pty).starts_with("FROM mine\n"), "{}", kept(&pty));
        let after = std::fs::read_to_string(dockerfile(&pty)).expect("it is there");
        assert_eq!(after, before);
        let other = tempfile::tempdir().expect("a folder for the test");
        let pty = opened(std::mem::replace(&mut pty.folder, other));
        let shown = pty.contents().replace('\n', "");
        let told = "Text of yours that is not in the folder is kept in ";
        assert!(shown.contains(told), "{shown}");
        assert!(shown.contains("unsaved/000001/Dockerfile: copy"), "{shown}");
    }
}

#[test]
fn a_line_of_another_locale_is_asked_for_again_and_a_slip_in_the_menu_ends_nothing() {
    let mut pty = editing();
    pty.send(b"1 # Caf\xe9\n");
    pty.shows("That line is not UTF-8");
    pty.press("1 FROM mine\n");
    pty.shows("Line 1 was changed.");
    pty.press("s\n");
    pty.shows("Dockerfile is saved.");
    let saved = std::fs::read_to_string(dockerfile(&pty)).expect("it is there");
    assert!(saved.starts_with("FROM mine\n"), "{saved}");
    for slip in ["build\n", "make\n", "run\n", "help\n"] {
        pty.press(slip);
    }
    pty.shows("Please type a number from 1 to 13, q, or help for the list.");
    pty.press("q\n");
    pty.shows("Number, or q to leave:");
    pty.press("q\n");
    assert_eq!(pty.ends(), 0);
}
