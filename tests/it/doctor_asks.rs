//! The question of `loadline doctor --fix` on a real terminal: every way to say no.

use portable_pty::CommandBuilder;
use rustix::process::Signal;

use crate::pty::Pty;

/// Runs the program on a machine with an engine that is installed and does not run, as root of a
/// namespace of its own.
const IDLE: &str = r#"
set -e
mount -t tmpfs tmpfs /run
PATH="$HOME/bin" exec "$0" "$@"
"#;

/// The question.
fn asked() -> Pty {
    let folder = tempfile::tempdir().expect("a folder for the test");
    let dockerd = folder.path().join("bin/dockerd");
    std::fs::create_dir(folder.path().join("bin")).expect("a folder");
    std::fs::write(&dockerd, "#!/bin/sh\nexit 1\n").expect("a file");
    let all = std::os::unix::fs::PermissionsExt::from_mode(0o755);
    std::fs::set_permissions(&dockerd, all).expect("it is ours");
    let mut command = CommandBuilder::new("unshare");
    let namespace = if rustix::process::geteuid().is_root() {
        "-m"
    } else {
        "-rm"
    };
    command.args([namespace, "sh", "-c", IDLE]);
    command.args([env!("CARGO_BIN_EXE_loadline"), "doctor", "--fix"]);
    command.env("HOME", folder.path());
    for name in [
        "LOADLINE_HOME",
        "DOCKER_HOST",
        "DOCKER_CONTEXT",
        "CONTAINER_HOST",
    ] {
        command.env_remove(name);
    }
    let mut pty = Pty::run(command, folder, &[], true);
    pty.shows("Run these commands? [y/N]");
    pty
}

#[test]
fn ctrl_c_and_signals_leave_at_the_question() {
    for signal in [None, Some(Signal::TERM), Some(Signal::HUP)] {
        let mut pty = asked();
        match signal {
            None => pty.press("\x03"),
            Some(signal) => pty.signal(signal),
        }
        assert_eq!(pty.ends(), 130, "{signal:?}");
        assert!(!pty.contents().contains("done in"), "{}", pty.contents());
    }
}

#[test]
fn any_answer_but_yes_changes_nothing() {
    for answer in ["\n", "no\n", "\x04"] {
        let mut pty = asked();
        pty.press(answer);
        pty.shows("nothing was changed");
        assert_eq!(pty.ends(), 130);
    }
}
