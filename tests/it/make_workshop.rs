//! `make workshop` around the program: here with a compiler and an engine that are stand-ins.

use std::os::unix::fs::PermissionsExt as _;
use std::process::Command;
use std::process::Stdio;

use crate::source::root;

/// A compiler that refuses at once, as one does that is too old, leaves no installation behind that
/// writes over the prompt and keeps the next one from APT's lock.
#[test]
fn an_engine_that_is_being_installed_is_waited_for_though_nothing_was_built() {
    let folder = tempfile::tempdir().expect("a folder");
    let script = |path: &str, text: &str| {
        let path = folder.path().join(path);
        std::fs::create_dir_all(path.parent().expect("it is in the folder")).expect("a folder");
        std::fs::write(&path, format!("#!/bin/bash\n{text}\n")).expect("a file");
        let all = std::fs::Permissions::from_mode(0o755);
        std::fs::set_permissions(&path, all).expect("it is ours");
    };
    script("bin/cargo", "exit 101");
    script(".ci/engine", "/bin/sleep 2; echo answers >engine");
    script(".ci/in-group", "echo \"$@\" >went-on");
    let ended = Command::new("make")
        .arg("-f")
        .arg(root().join("Makefile"))
        // No engine is in sight there, whatever this machine has.
        .arg(format!("PATH={}", folder.path().join("bin").display()))
        .arg("workshop")
        .current_dir(folder.path())
        // Where `make test` runs this, its own flags are nothing to this one.
        .env_remove("MAKEFLAGS")
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .expect("make is there");
    assert_eq!(ended.code(), Some(2), "a failed build is a failure");
    assert!(folder.path().join("engine").is_file());
    assert!(!folder.path().join("went-on").exists());
}
