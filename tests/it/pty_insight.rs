//! The workshop on a real pseudo-terminal and a real engine: from the starter to what is in the image.

use portable_pty::CommandBuilder;

use crate::pty::Pty;

#[test]
fn a_built_image_shows_its_layers_its_files_and_what_is_known_of_its_packages() {
    if crate::host::is_left_out() {
        return;
    }
    let folder = tempfile::tempdir().expect("a folder for the test");
    let mut command = CommandBuilder::new(env!("CARGO_BIN_EXE_loadline"));
    command.args(["learn", "first-build"]);
    command.env("HOME", folder.path());
    command.env_remove("XDG_DATA_HOME");
    command.env_remove("XDG_STATE_HOME");
    let mut pty = Pty::run(command, folder, &[], true);
    pty.shows("What is judged");
    // The solution, and the copy of the learner's own that undo brings back.
    pty.press("6S");
    pty.shows("Sure?");
    pty.press("\r");
    pty.shows("A apply");
    pty.press("A");
    pty.shows("Sure?");
    pty.press("\r");
    pty.shows("builds your file");
    pty.press("b");
    pty.shows("every goal is met");
    pty.press("4");
    pty.shows("all layers together");
    pty.shows("COPY greeting.txt");
    pty.press("\tfgreet\r");
    pty.shows("line 8");
    pty.press("5");
    pty.shows("this is your first image");
    // Its one program keeps no record of what it was made of.
    pty.shows("Not everything can be seen");
    pty.press("2qqq");
    assert_eq!(pty.ends(), 0);
    pty.is_restored();
}
