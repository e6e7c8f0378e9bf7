//! Bad input and faults on a real engine: nothing panics, hangs, or leaves anything behind.

use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::net::UnixListener;
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering;

use loadline::engine::Engine as _;
use rustix::process::Signal;

use crate::sandbox::Ended;
use crate::sandbox::Sandbox;
use crate::sandbox::is_running;
use crate::sandbox::wait_until;

/// Whether an engine is to be used; fails where none answers.
pub(crate) fn engine() -> bool {
    if crate::host::is_left_out() {
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
pub(crate) fn sandbox() -> Sandbox {
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
        ("", "the Dockerfile is empty"),
        ("# nothing but a comment\n", "the Dockerfile is empty"),
        ("FROM busybox\nRUNN true\n", "Dockerfile:2"),
        ("FROM busybox\nCOPY absent.txt .\n", "Dockerfile:2"),
        ("FROM busybox\nRUN exit 7\n", "Dockerfile:2"),
        ("FROM loadline.invalid/no/such:image\n", "Dockerfile:1"),
    ];
    for (dockerfile, wanted) in cases {
        let ended = check(dockerfile);
        assert_eq!(ended.code, Some(5), "{dockerfile:?}\n{}", ended.shown());
        assert!(
            ended.stdout.contains(wanted),
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
    wait_until("the container is gone", || {
        containers(&mark) == 0 && !is_running(&mark)
    });
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
    wait_until("the container is gone", || {
        containers(&mark) == 0 && !is_running(&mark)
    });
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
    assert!(
        ended.stdout.contains("could start no other"),
        "{}",
        ended.shown()
    );
    wait_until("the container is gone", || {
        containers(&mark) == 0 && !is_running(&mark)
    });
}

/// Checks a Dockerfile against goals of its own.
fn check_goals(sandbox: &Sandbox, goals: &str, dockerfile: &str) -> Ended {
    let exercise = format!(
        "format: 1\ntitle: Limits\nminutes: 3\nedit: [Dockerfile]\nbases: [busybox]\n\
         starter_misses: [http]\ngoals:\n{goals}hints:\n  - {{ for: http, text: look }}\n"
    );
    let lesson =
        "---\ntitle: A\nminutes: 1\nexercises: [limits]\ngoals_of_lesson: [read]\n---\n\n# A\n";
    for (name, text) in [
        (
            "course/lessons/course.yaml",
            "format: 1\nid: probe\ntitle: Probe\n",
        ),
        ("course/lessons/01-a.md", lesson),
        ("course/exercises/limits/exercise.yaml", &exercise),
        ("course/exercises/limits/brief.md", "# Limits\n"),
        ("course/exercises/limits/files/Dockerfile", "FROM busybox\n"),
        ("mine/Dockerfile", dockerfile),
    ] {
        sandbox.write(name, text);
    }
    sandbox.run(&["check", "limits", "--course", "course", "--dir", "mine"])
}

#[test]
fn goals_that_ask_a_running_container_say_that_it_could_start_no_other_process() {
    if !engine() {
        return;
    }
    let mark = mark(9);
    // Nothing but the time ends these runs, and of `stops` it is not ours to choose: the processes
    // are copies of the shell, which are there at once on a busy machine too, and no programs.
    let goals = "  - http: { port: 8000, within: 15 s }\n  - stops: { within: 1 s, port: 8000 }\n  \
                 - healthcheck: 15 s\n";
    let ended = check_goals(
        &sandbox(),
        goals,
        &format!(
            "FROM busybox\nHEALTHCHECK --interval=60s CMD [\"false\"]\nCMD [\"sh\", \"-c\", \
             \": {mark}; mkfifo /fifo; exec 3<>/fifo; i=0; while [ $i -lt 255 ]; do \
             read x <&3 & i=$((i+1)); done; wait\"]\n"
        ),
    );
    assert_eq!(ended.code, Some(1), "{}", ended.shown());
    // The check of its health is a process of the container, and so the one that is too many.
    let seen = "256 processes and threads, as many as a check allows, and could start no other";
    let told = "could start no other process or thread; a check allows 256";
    let count = |words: &str| ended.stdout.matches(words).count();
    assert!(count(seen) >= 1, "{}", ended.shown());
    assert_eq!(count(seen) + count(told), 3, "{}", ended.shown());
    wait_until("its processes are gone", || !is_running(&mark));
}

/// Starts what fills its memory, and in one piece: byte by byte, a busy machine takes as long as a
/// goal waits.
const FILLS_MEMORY: &str = r#"CMD ["dd", "if=/dev/zero", "of=/dev/null", "bs=1G"]"#;

#[test]
fn goals_that_ask_a_running_container_say_that_it_was_killed_for_memory() {
    if !engine() {
        return;
    }
    let goals = "  - http: { port: 8000, within: 90 s }\n  - healthcheck: 90 s\n";
    let ended = check_goals(
        &sandbox(),
        goals,
        &format!("FROM busybox\nHEALTHCHECK --interval=60s CMD [\"false\"]\n{FILLS_MEMORY}\n"),
    );
    assert_eq!(ended.code, Some(1), "{}", ended.shown());
    for words in [
        "killed for lack of memory",
        "used more memory than a check allows (537 MB)",
    ] {
        let count = ended.stdout.matches(words).count();
        assert_eq!(count, 2, "{words}\n{}", ended.shown());
    }
}

#[test]
fn a_container_that_fills_its_memory_is_ended_and_says_so() {
    if !engine() {
        return;
    }
    let ended = check(&format!("FROM busybox\n{FILLS_MEMORY}\n"));
    assert_eq!(ended.code, Some(1), "{}", ended.shown());
    assert!(ended.stdout.contains("memory"), "{}", ended.shown());
}

#[test]
fn a_signal_while_the_container_runs_leaves_no_container_behind() {
    if !engine() {
        return;
    }
    for (number, signal) in [(5, Signal::TERM), (6, Signal::HUP)] {
        let sandbox = sandbox();
        let mark = mark(number);
        sandbox.write(
            "mine/Dockerfile",
            &format!("FROM busybox\nCMD [\"sleep\", \"{mark}\"]\n"),
        );
        let running = sandbox.start(&["check", "first-build", "--dir", "mine"]);
        wait_until("the container runs", || {
            is_running(&mark) && containers(&mark) == 1
        });
        running.signal(signal);
        let ended = running.end();
        assert_eq!(ended.code, Some(130), "{signal:?}\n{}", ended.shown());
        assert!(ended.stderr.contains("stopping"), "{}", ended.shown());
        wait_until("the container is gone", || {
            containers(&mark) == 0 && !is_running(&mark)
        });
    }
}

#[test]
fn what_a_killed_check_left_is_removed_by_the_next() {
    if !engine() {
        return;
    }
    let sandbox = sandbox();
    let mark = mark(7);
    sandbox.write(
        "mine/Dockerfile",
        &format!("FROM busybox\nCMD [\"sleep\", \"{mark}\"]\n"),
    );
    let running = sandbox.start(&["check", "first-build", "--dir", "mine"]);
    wait_until("the container runs", || containers(&mark) == 1);
    running.signal(Signal::KILL);
    assert_eq!(running.end().code, None);
    assert_eq!(containers(&mark), 1);
    sandbox.write("mine/Dockerfile", RIGHT);
    let ended = sandbox.run(&["check", "first-build", "--dir", "mine"]);
    assert_eq!(ended.code, Some(0), "{}", ended.shown());
    wait_until("the container is gone", || {
        containers(&mark) == 0 && !is_running(&mark)
    });
}

/// How many containers of the engine, running or not, have `mark` in their command.
fn containers(mark: &str) -> usize {
    let runtime = tokio::runtime::Runtime::new().expect("threads");
    runtime.block_on(async {
        let path = socket().await.display().to_string();
        let client = bollard::Docker::connect_with_unix(&path, 30, bollard::API_DEFAULT_VERSION)
            .expect("the engine answered before");
        let options = bollard::query_parameters::ListContainersOptionsBuilder::default()
            .all(true)
            .build();
        let all = client.list_containers(Some(options)).await;
        all.expect("the engine answers")
            .into_iter()
            .filter(|one| one.command.as_ref().is_some_and(|it| it.contains(mark)))
            .count()
    })
}

/// The socket of the engine.
pub(crate) async fn socket() -> PathBuf {
    let engine = loadline::engine::find::find().await.expect("it answers");
    let address = engine.info().address.clone();
    let path = address.strip_prefix("unix://");
    PathBuf::from(path.expect("these tests need an engine on a Unix socket"))
}

/// The engine as a client of it sees it, so that it can be killed without harm to others.
struct Mortal {
    socket: PathBuf,
    dead: Arc<AtomicBool>,
    streams: Arc<Mutex<Vec<UnixStream>>>,
}

impl Mortal {
    fn new(socket: PathBuf) -> Self {
        let runtime = tokio::runtime::Runtime::new().expect("threads");
        let real = runtime.block_on(self::socket());
        let listener = UnixListener::bind(&socket).expect("a socket");
        let dead = Arc::new(AtomicBool::new(false));
        let streams = Arc::new(Mutex::new(Vec::new()));
        let (heard, kept) = (Arc::clone(&dead), Arc::clone(&streams));
        std::thread::spawn(move || {
            for client in listener.incoming().flatten() {
                if heard.load(Ordering::SeqCst) {
                    return;
                }
                pass(&client, &real, &kept);
            }
        });
        Self {
            socket,
            dead,
            streams,
        }
    }

    /// No connection lives on, and nobody listens any more.
    fn kill(&self) {
        self.dead.store(true, Ordering::SeqCst);
        // The listener hears of its own death by one connection more.
        let _ = UnixStream::connect(&self.socket);
        std::fs::remove_file(&self.socket).expect("it is ours");
        for stream in self.streams.lock().expect("no thread panics").drain(..) {
            // Those that ended before are no matter.
            let _ = stream.shutdown(std::net::Shutdown::Both);
        }
    }
}

/// Passes on what client and engine say to each other.
fn pass(client: &UnixStream, real: &Path, kept: &Mutex<Vec<UnixStream>>) {
    let engine = UnixStream::connect(real).expect("the engine answers");
    let same = |stream: &UnixStream| stream.try_clone().expect("a descriptor");
    kept.lock()
        .expect("no thread panics")
        .extend([same(client), same(&engine)]);
    for (mut from, mut to) in [(same(client), same(&engine)), (same(&engine), same(client))] {
        std::thread::spawn(move || {
            // A side that goes away ends the other's reading.
            let _ = std::io::copy(&mut from, &mut to);
            let _ = to.shutdown(std::net::Shutdown::Write);
        });
    }
}

#[test]
fn an_engine_that_is_killed_in_the_middle_of_a_check_ends_it_with_four() {
    if !engine() {
        return;
    }
    let cases = [(8, "RUN sleep ", "\n"), (10, "CMD [\"sleep\", \"", "\"]\n")];
    for (number, before, after) in cases {
        let sandbox = sandbox();
        let mortal = Mortal::new(sandbox.path("engine.sock"));
        let address = format!("unix://{}", mortal.socket.display());
        let sandbox = sandbox
            .without("DOCKER_CONTEXT")
            .with("DOCKER_HOST", &address);
        let mark = mark(number);
        let file = sandbox.write(
            "mine/Dockerfile",
            &format!("FROM busybox\n{before}{mark}{after}"),
        );
        let text = std::fs::read(&file).expect("it was written");
        let running = sandbox.start(&["check", "first-build", "--dir", "mine", "--json"]);
        wait_until("it is in the middle", || is_running(&mark));
        mortal.kill();
        let ended = running.end();
        assert_eq!(ended.code, Some(4), "{}", ended.shown());
        let report: serde_json::Value = serde_json::from_str(&ended.stdout).expect("one JSON");
        assert_eq!(report["outcome"], "engine_unavailable");
        assert!(
            ended.stderr.contains("loadline doctor"),
            "{}",
            ended.shown()
        );
        assert_eq!(std::fs::read(&file).expect("it is there"), text);
        // The engine is back, and the next check removes what the dead one could not.
        let back = self::sandbox();
        back.write("mine/Dockerfile", RIGHT);
        let next = back.run(&["check", "first-build", "--dir", "mine"]);
        assert_eq!(next.code, Some(0), "{}", next.shown());
        wait_until("nothing is left", || {
            containers(&mark) == 0 && !is_running(&mark)
        });
        // Its own address is dead for good: what it built is removed at the engine itself.
        drop(sandbox.without("DOCKER_HOST"));
    }
}

#[test]
fn base_images_travel_in_a_pack_and_a_cut_one_is_refused() {
    if !engine() {
        return;
    }
    let sandbox = sandbox();
    let made = sandbox.run(&["bases", "build", "busybox"]);
    assert_eq!(made.code, Some(0), "{}", made.shown());
    let exported = sandbox.run(&["bases", "export", "my.pack", "busybox"]);
    assert_eq!(exported.code, Some(0), "{}", exported.shown());
    assert!(
        exported.stdout.starts_with("busybox"),
        "{}",
        exported.shown()
    );
    assert!(exported.stderr.contains("my.pack: exporting"));
    let imported = sandbox.run(&["bases", "import", "my.pack"]);
    assert_eq!(imported.code, Some(0), "{}", imported.shown());
    assert!(imported.stdout.contains("1 base image loaded"));
    assert!(imported.stderr.contains("my.pack: verifying"));
    let pack = std::fs::read(sandbox.path("my.pack")).expect("it was written");
    std::fs::write(sandbox.path("cut.pack"), &pack[..pack.len() / 2]).expect("there is room");
    let cut = sandbox.run(&["bases", "import", "cut.pack"]);
    sandbox.write("text.pack", "hello");
    let text = sandbox.run(&["bases", "import", "text.pack"]);
    let absent = sandbox.run(&["bases", "import", "absent.pack"]);
    let unknown = sandbox.run(&["bases", "export", "other.pack", "nobody/has-this:1"]);
    let all = [cut, text, absent, unknown].map(|ended| ended.shown());
    insta::assert_snapshot!(all.join("\n"), @"
    stderr:
    cut.pack: verifying
    error: the pack is cut short; nothing of it was used
      hint: copy the pack again from where it was made
    exit code: 2

    stderr:
    error: the file is not a pack of base images: it is no tar archive
      hint: a pack is made with `loadline bases export FILE`
    exit code: 2

    stderr:
    error: cannot use `absent.pack`
      caused by: no such file or directory
      hint: check the path and its permissions
    exit code: 2

    stderr:
    error: the base image `nobody/has-this:1` is not here, so it cannot be exported
      hint: `loadline bases` lists what is here; `loadline bases build` makes what is not
    exit code: 2
    ");
    assert!(!sandbox.path("other.pack").exists());
    let left = sandbox.path("other.pack");
    let left = std::fs::read_dir(left.parent().unwrap()).unwrap();
    let mut names = left.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    assert!(!names.any(|name| name.ends_with(".part")));
}
