//! Bad input and faults on a real engine: nothing panics, hangs, or leaves anything behind.

use std::os::unix::fs::PermissionsExt as _;

use rustix::process::Signal;

use crate::sandbox::Ended;
use crate::sandbox::Sandbox;
use crate::sandbox::is_running;
use crate::sandbox::wait_until;

/// Whether an engine is to be used; fails where none answers.
#[expect(clippy::print_stderr, reason = "a skipped test says so")]
fn engine() -> bool {
    if std::env::var("LOADLINE_TEST_ENGINE").is_ok_and(|value| value == "none") {
        eprintln!("skipped: LOADLINE_TEST_ENGINE=none");
        return false;
    }
    let runtime = tokio::runtime::Runtime::new().expect("threads");
    let found = runtime.block_on(loadline::engine::find::find());
    assert!(
        found.is_ok(),
        "no container engine answers: run `make engine`"
    );
    true
}

/// A sandbox that reaches the engine of this environment.
fn sandbox() -> Sandbox {
    let mut sandbox = Sandbox::new();
    for name in [
        "DOCKER_HOST",
        "DOCKER_CONTEXT",
        "XDG_RUNTIME_DIR",
        "DOCKER_CONFIG",
    ] {
        if let Ok(value) = std::env::var(name) {
            sandbox = sandbox.with(name, &value);
        }
    }
    sandbox
}

/// Checks `first-build` with this Dockerfile.
fn check(dockerfile: &str) -> Ended {
    let sandbox = sandbox();
    sandbox.write("mine/Dockerfile", dockerfile);
    sandbox.run(&["check", "first-build", "--dir", "mine"])
}

/// A number that appears in no other command line.
fn mark(number: u32) -> String {
    format!("3{number}.{}", std::process::id())
}

const RIGHT: &str = "FROM busybox\nCOPY greeting.txt .\nCMD [\"cat\", \"greeting.txt\"]\n";

#[test]
fn a_folder_is_checked_without_a_home_a_terminal_or_the_right_to_write() {
    if !engine() {
        return;
    }
    let sandbox = sandbox().without("HOME");
    let file = sandbox.write("mine/Dockerfile", RIGHT);
    let folder = file.parent().expect("it has a folder");
    let read_only = std::fs::Permissions::from_mode(0o555);
    std::fs::set_permissions(folder, read_only).expect("it is ours");
    let ended = sandbox.run(&["check", "first-build", "--dir", "mine", "--json"]);
    assert_eq!(ended.code, Some(0), "{}", ended.shown());
    let report: serde_json::Value = serde_json::from_str(&ended.stdout).expect("one JSON");
    assert_eq!(report["outcome"], "passed");
    assert!(
        ended.stderr.contains("Dockerfile:2 COPY"),
        "{}",
        ended.stderr
    );
    let left: Vec<_> = std::fs::read_dir(folder).expect("it is readable").collect();
    assert_eq!(left.len(), 1);
}

#[test]
fn dockerfiles_that_cannot_be_built_end_with_five_and_say_where() {
    if !engine() {
        return;
    }
    let cases = [
        ("", ""),
        ("# nothing but a comment\n", ""),
        ("FROM busybox\nRUNN true\n", "Dockerfile:2"),
        ("FROM busybox\nCOPY absent.txt .\n", "Dockerfile:2"),
        ("FROM busybox\nRUN exit 7\n", "Dockerfile:2"),
        ("FROM loadline.invalid/no/such:image\n", "Dockerfile:1"),
    ];
    for (dockerfile, place) in cases {
        let ended = check(dockerfile);
        assert_eq!(ended.code, Some(5), "{dockerfile:?}\n{}", ended.shown());
        assert!(
            ended.stdout.contains(place),
            "{dockerfile:?}\n{}",
            ended.shown()
        );
        assert!(
            ended.stdout.contains("Next: "),
            "{dockerfile:?}\n{}",
            ended.shown()
        );
    }
}

#[test]
fn output_of_a_build_cannot_steer_the_terminal() {
    if !engine() {
        return;
    }
    let ended = check("FROM busybox\nRUN printf 'one\\033[2J\\033]0;title\\007two\\n' && exit 1\n");
    assert_eq!(ended.code, Some(5), "{}", ended.shown());
    assert!(ended.stderr.contains("onetwo"), "{}", ended.stderr);
    assert!(!ended.shown().contains(['\u{1b}', '\u{7}']));
}

#[test]
fn ctrl_c_in_a_build_that_never_ends_leaves_nothing_behind() {
    if !engine() {
        return;
    }
    let sandbox = sandbox();
    let mark = mark(1);
    sandbox.write(
        "mine/Dockerfile",
        &format!("FROM busybox\nRUN sleep {mark}\n"),
    );
    let running = sandbox.start(&["check", "first-build", "--dir", "mine"]);
    wait_until("the step runs", || is_running(&mark));
    running.signal(Signal::INT);
    let ended = running.end();
    assert_eq!(ended.code, Some(130), "{}", ended.shown());
    wait_until("the step is gone", || !is_running(&mark));
}

#[test]
fn a_container_that_ignores_its_stop_signal_is_ended() {
    if !engine() {
        return;
    }
    let mark = mark(2);
    let ended = check(&format!(
        "FROM busybox\nCMD [\"sh\", \"-c\", \"trap '' TERM INT; while :; do sleep {mark}; done\"]\n"
    ));
    assert_eq!(ended.code, Some(1), "{}", ended.shown());
    wait_until("the container is gone", || !is_running(&mark));
}

#[test]
fn a_container_that_floods_its_output_is_judged_all_the_same() {
    if !engine() {
        return;
    }
    let mark = mark(3);
    let ended = check(&format!("FROM busybox\nCMD [\"yes\", \"{mark}\"]\n"));
    assert_eq!(ended.code, Some(1), "{}", ended.shown());
    assert!(ended.stdout.len() < 100_000, "{} bytes", ended.stdout.len());
    wait_until("the container is gone", || !is_running(&mark));
}

#[test]
fn a_container_that_forks_without_end_stays_in_its_limits() {
    if !engine() {
        return;
    }
    let mark = mark(4);
    let ended = check(&format!(
        "FROM busybox\nCMD [\"sh\", \"-c\", \"while :; do sleep {mark} & done\"]\n"
    ));
    assert_eq!(ended.code, Some(1), "{}", ended.shown());
    wait_until("its processes are gone", || !is_running(&mark));
}

#[test]
fn a_container_that_fills_its_memory_is_ended_and_says_so() {
    if !engine() {
        return;
    }
    let ended = check("FROM busybox\nCMD [\"tail\", \"/dev/zero\"]\n");
    assert_eq!(ended.code, Some(1), "{}", ended.shown());
    assert!(ended.stdout.contains("memory"), "{}", ended.shown());
}
