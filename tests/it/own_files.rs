//! What can happen to the learner's own files between two checks, to the right to use an engine,
//! and what strangers put into names: each is told, nothing is lost, nothing steers the terminal.

use std::os::unix::fs::PermissionsExt as _;

use loadline::engine::Engine as _;
use loadline::engine::HOME_LABEL;
use loadline::learner::Home;
use loadline::learner::Records;
use loadline::report::Outcome;

use crate::faults::engine;
use crate::faults::sandbox;
use crate::sandbox::Ended;
use crate::sandbox::Sandbox;

const ANSWER: &str = "FROM busybox\nCOPY greeting.txt .\nCMD [\"cat\", \"greeting.txt\"]\n";

/// Checks the learner's own workspace of `first-build`.
fn check(sandbox: &Sandbox) -> Ended {
    sandbox.run(&["check", "first-build"])
}

/// The Dockerfile of that workspace.
fn dockerfile(sandbox: &Sandbox) -> std::path::PathBuf {
    sandbox.path("home/loadline/first-build/Dockerfile")
}

/// No build is made of it: the cause, the place and a next step are told.
fn told(ended: &Ended, cause: &str) {
    let shown = ended.shown();
    assert!(matches!(ended.code, Some(5 | 6)), "{shown}");
    assert!(ended.stdout.contains(cause), "{shown}");
    assert!(ended.stdout.contains("Dockerfile"), "{shown}");
    assert!(ended.stdout.contains("Next: "), "{shown}");
}

#[test]
fn a_file_that_is_deleted_replaced_or_made_read_only_between_checks_is_told_and_kept() {
    if !engine() {
        return;
    }
    let sandbox = sandbox();
    let file = dockerfile(&sandbox);
    let starter = check(&sandbox);
    assert_eq!(starter.code, Some(5), "{}", starter.shown());

    std::fs::remove_file(&file).expect("it was made");
    told(&check(&sandbox), "Dockerfile");
    assert!(!file.exists(), "a deleted file came back by itself");

    // A folder in its place cannot be read as a file by anybody, root included.
    std::fs::create_dir(&file).expect("the name is free");
    std::fs::write(file.join("mine"), "kept").expect("there is room");
    told(&check(&sandbox), "not a plain file");
    let mine = std::fs::read_to_string(file.join("mine"));
    assert_eq!(mine.expect("it is left alone"), "kept");
    std::fs::remove_dir_all(&file).expect("it is ours");

    std::fs::write(&file, vec![b'#'; 2 << 20]).expect("there is room");
    told(&check(&sandbox), "larger than 1 MiB");

    std::fs::write(&file, ANSWER).expect("there is room");
    let read_only = std::fs::Permissions::from_mode(0o444);
    std::fs::set_permissions(&file, read_only).expect("it is ours");
    let passed = check(&sandbox);
    assert_eq!(passed.code, Some(0), "{}", passed.shown());
    assert_eq!(std::fs::read_to_string(&file).expect("it is there"), ANSWER);
}

#[test]
fn a_file_that_changes_while_it_is_built_is_judged_as_it_was_and_kept_as_it_is() {
    if !engine() {
        return;
    }
    let sandbox = sandbox();
    let file = dockerfile(&sandbox);
    let starter = check(&sandbox);
    assert_eq!(starter.code, Some(5), "{}", starter.shown());
    let mark = format!("4.{}", std::process::id());
    let slow = ANSWER.replace("CMD", &format!("RUN sleep {mark}\nCMD"));
    std::fs::write(&file, slow).expect("there is room");
    let running = sandbox.start(&["check", "first-build"]);
    crate::sandbox::wait_until("the step runs", || crate::sandbox::is_running(&mark));
    // The learner's editor saves, then a reset by hand removes it all.
    std::fs::write(&file, "FROM nothing-of-this-is-built\n").expect("there is room");
    std::fs::remove_file(&file).expect("it is ours");
    let ended = running.end();
    assert_eq!(ended.code, Some(0), "{}", ended.shown());
    assert!(!file.exists(), "a deleted file came back by itself");
}

#[test]
fn a_check_that_is_stopped_is_recorded_uses_its_number_up_and_judges_nothing() {
    if !engine() {
        return;
    }
    let sandbox = sandbox();
    let file = dockerfile(&sandbox);
    let starter = check(&sandbox);
    assert!(starter.stderr.contains("build 1\n"), "{}", starter.shown());
    // Long: the signal ends it.
    let mark = format!("300.{}", std::process::id());
    let slow = ANSWER.replace("CMD", &format!("RUN sleep {mark}\nCMD"));
    std::fs::write(&file, slow).expect("there is room");
    let running = sandbox.start(&["check", "first-build"]);
    crate::sandbox::wait_until("the step runs", || crate::sandbox::is_running(&mark));
    running.signal(rustix::process::Signal::INT);
    let stopped = running.end();
    assert_eq!(stopped.code, Some(130), "{}", stopped.shown());
    assert!(
        stopped.stdout.ends_with("Stopped.\n"),
        "{}",
        stopped.shown()
    );
    for verdict in ["PASS", "FAIL", "UNKNOWN", " met."] {
        assert!(!stopped.stdout.contains(verdict), "{}", stopped.shown());
    }
    std::fs::write(&file, ANSWER).expect("there is room");
    let passed = check(&sandbox);
    assert_eq!(passed.code, Some(0), "{}", passed.shown());
    assert!(passed.stderr.contains("build 3\n"), "{}", passed.shown());

    let runtime = tokio::runtime::Runtime::new().expect("threads");
    let attempts = runtime.block_on(async {
        let home = Home::at(sandbox.path("home/loadline"));
        let records = Records::open(&home).await.expect("its records").records;
        records.attempts("first-build", 9).await.expect("a list")
    });
    let attempts = attempts.iter().map(|one| (one.number, one.outcome));
    assert_eq!(
        attempts.collect::<Vec<_>>(),
        [
            (Some(3), Outcome::Passed),
            (Some(2), Outcome::Cancelled),
            (Some(1), Outcome::BuildFailed)
        ]
    );
}

/// The references to the images that were built for the home of a sandbox.
fn built_for(sandbox: &Sandbox) -> Vec<String> {
    let runtime = tokio::runtime::Runtime::new().expect("threads");
    runtime.block_on(async {
        let home = Home::at(sandbox.path("home/loadline"));
        let home = home.known_id().expect("it can be read").expect("its id");
        let engine = loadline::engine::find::find().await.expect("an engine");
        let images = engine.images(Some(HOME_LABEL)).await.expect("a list");
        let images = images.into_iter();
        images
            .filter(|image| image.labels.get(HOME_LABEL) == Some(&home))
            .flat_map(|image| image.tags)
            .collect()
    })
}

#[test]
fn what_was_built_for_another_home_is_listed_and_stays() {
    if !engine() {
        return;
    }
    let (mine, theirs) = (sandbox(), sandbox());
    for one in [&mine, &theirs] {
        std::fs::create_dir_all(one.path("home/loadline/first-build")).expect("there is room");
        std::fs::write(dockerfile(one), ANSWER).expect("there is room");
        let passed = check(one);
        assert_eq!(passed.code, Some(0), "{}", passed.shown());
    }
    let (built, foreign) = (built_for(&mine), built_for(&theirs));
    assert_eq!(
        (built.len(), foreign.len()),
        (1, 1),
        "{built:?} {foreign:?}"
    );
    // Only looked at: other tests have images on this engine that are nobody's.
    let ended = mine.run(&["clean", "--dry-run", "--json"]);
    let all: serde_json::Value =
        serde_json::from_str(&ended.stdout).unwrap_or_else(|_| panic!("{}", ended.shown()));
    assert_eq!(all["schema"], "loadline.clean/v1");
    let objects = all["objects"].as_array().expect("a list");
    let of = |whose: &str| -> Vec<&serde_json::Value> {
        let mut found = objects
            .iter()
            .filter(|one| one["whose"] == whose)
            .collect::<Vec<_>>();
        found.retain(|one| one["kind"] == "attempt");
        found
    };
    let own = of("own");
    assert_eq!(own.len(), 1, "{}", ended.shown());
    assert_eq!(own[0]["name"], built[0].as_str());
    assert_eq!(own[0]["fate"], "would_go");
    assert!(own[0]["size_bytes"].as_u64() > Some(100_000), "{}", own[0]);
    let others = of("others");
    assert!(others.iter().all(|one| one["fate"] == "stays"));
    assert!(
        others.iter().any(|one| one["name"] == foreign[0].as_str()),
        "{foreign:?}\n{}",
        ended.shown()
    );
    let told = mine.run(&["clean", "--dry-run"]);
    assert!(
        told.stdout.contains("`loadline clean --all`"),
        "{}",
        told.shown()
    );
    let all = mine.run(&["clean", "--dry-run", "--all"]);
    assert!(!all.stdout.contains("staying"), "{}", all.shown());
}

#[test]
fn a_socket_that_this_user_may_not_use_is_told_with_the_way_to_the_right() {
    let sandbox = Sandbox::new();
    let socket = sandbox.path("engine.sock");
    let _listener = std::os::unix::net::UnixListener::bind(&socket).expect("a socket");
    // For root and a group; one that no group opens would be told as such.
    let closed = std::fs::Permissions::from_mode(0o660);
    std::fs::set_permissions(&socket, closed).expect("it is ours");
    let sandbox = sandbox.with("DOCKER_HOST", &format!("unix://{}", socket.display()));
    sandbox.write("mine/Dockerfile", ANSWER);
    let shown = [
        "bases",
        "check first-build --dir mine",
        "doctor",
        "doctor --fix --yes",
    ]
    .map(|verb| {
        let args: Vec<&str> = verb.split(' ').collect();
        let ended = sandbox.run_as_nobody(&args);
        assert_eq!(ended.code, Some(4), "{verb}\n{}", ended.shown());
        let shown = ended.shown();
        assert!(shown.contains("engine.sock"), "{shown}");
        assert!(!shown.contains("none answers"), "{shown}");
        shown
    });
    let [bases, check, doctor, fix] = &shown;
    insta::assert_snapshot!(bases, @"
    stderr:
    error: no permission to use the container engine at unix://[folder]/engine.sock
      hint: join the group of the socket (`sudo usermod -aG docker $USER`), then log in again
      hint: run `loadline doctor` to see what was tried
    exit code: 4
    ");
    assert!(
        check.contains("permission to use the container engine"),
        "{check}"
    );
    assert!(doctor.contains("usermod -aG docker"), "{doctor}");
    assert!(
        fix.contains("an engine runs at") && fix.contains("this user may not use it"),
        "{fix}"
    );
}

/// An escape sequence, a command to the terminal, and a mark that turns the text around.
const EVIL: &str = "a\u{1b}[2J\u{1b}]0;owned\u{7}\u{202e}b";

/// Nothing of it reaches the terminal as it is.
fn harmless(ended: &Ended) {
    let shown = ended.shown();
    for evil in ['\u{1b}', '\u{7}', '\u{9b}', '\u{202e}'] {
        assert!(!shown.contains(evil), "{evil:?} in\n{shown}");
    }
}

#[test]
fn names_of_files_labels_and_output_cannot_steer_the_terminal() {
    if !engine() {
        return;
    }
    let sandbox = sandbox();
    sandbox.write(&format!("mine/{EVIL}.txt"), "x");
    sandbox.write(
        "mine/Dockerfile",
        &format!(
            "FROM busybox\nLABEL {EVIL}=\"{EVIL}\"\nLABEL org.opencontainers.image.title=\"{EVIL}\"\nCOPY . /\nRUN echo '{EVIL}'; exit 3\n"
        ),
    );
    let failed = sandbox.run(&["check", "first-build", "--dir", "mine"]);
    assert_eq!(failed.code, Some(5), "{}", failed.shown());
    harmless(&failed);
    let linted = sandbox.run(&["lint", "mine/Dockerfile"]);
    harmless(&linted);

    sandbox.write(
        "mine/Dockerfile",
        &format!(
            "FROM busybox\nLABEL evil=\"{EVIL}\"\nCOPY . /x\nENV SECRET=\"{EVIL}\"\nCMD [\"echo\", \"{EVIL}\"]\n"
        ),
    );
    let judged = sandbox.run(&["check", "first-build", "--dir", "mine"]);
    assert_eq!(judged.code, Some(1), "{}", judged.shown());
    harmless(&judged);
}

#[test]
fn an_image_of_a_stranger_cannot_steer_the_terminal() {
    let sandbox = Sandbox::without_engine();
    let mut tar = tar::Builder::new(Vec::new());
    let name = format!("usr/bin/{EVIL}");
    for (path, mode) in [(name.as_str(), 0o4755), ("etc/passwd", 0o644)] {
        let mut header = tar::Header::new_gnu();
        header.set_mode(mode);
        header.set_size(3);
        tar.append_data(&mut header, path, &b"#!x"[..])
            .expect("memory");
    }
    let layer = tar.into_inner().expect("memory");
    let config = serde_json::json!({
        "architecture": EVIL,
        "os": "linux",
        "config": {"Labels": {EVIL: EVIL}, "Cmd": [EVIL], "User": EVIL, "Env": [format!("{EVIL}={EVIL}")]},
        "rootfs": {"type": "layers", "diff_ids": [digest(&layer)]},
        "history": [{"created_by": format!("COPY {EVIL} /"), "comment": EVIL}],
    });
    let manifest = serde_json::json!([
        {"Config": "config.json", "RepoTags": [format!("{EVIL}:1")], "Layers": ["layer.tar"]}
    ]);
    let mut archive = tar::Builder::new(Vec::new());
    let parts = [
        ("config.json", config.to_string().into_bytes()),
        ("layer.tar", layer),
        ("manifest.json", manifest.to_string().into_bytes()),
    ];
    for (path, bytes) in parts {
        let mut header = tar::Header::new_gnu();
        header.set_mode(0o644);
        header.set_size(bytes.len() as u64);
        archive
            .append_data(&mut header, path, bytes.as_slice())
            .expect("memory");
    }
    let bytes = archive.into_inner().expect("memory");
    std::fs::write(sandbox.path("image.tar"), bytes).expect("there is room");
    for verb in ["layers", "inside", "sbom", "scan"] {
        let ended = sandbox.run(&[verb, "image.tar"]);
        assert!(
            matches!(ended.code, Some(0 | 1 | 6)),
            "{verb}\n{}",
            ended.shown()
        );
        assert!(!ended.stdout.is_empty(), "{verb}\n{}", ended.shown());
        harmless(&ended);
    }
}

fn digest(bytes: &[u8]) -> String {
    use sha2::Digest as _;

    let digest = sha2::Sha256::digest(bytes);
    let hex: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();
    format!("sha256:{hex}")
}
