//! Faults of an engine, played by a daemon of ours on a Unix socket.

use std::io::Read;
use std::io::Write;
use std::os::unix::net::UnixListener;
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::AtomicUsize;
use std::sync::atomic::Ordering;
use std::time::Duration;

use loadline::dockerfile::Dockerfile;
use loadline::engine::BuildError;
use loadline::engine::BuildRequest;
use loadline::engine::Builder;
use loadline::engine::Built;
use loadline::engine::Engine as _;
use loadline::engine::EngineError;
use loadline::engine::address::Address;
use loadline::engine::docker::Choices;
use loadline::engine::docker::Docker;
use loadline::image::run::HttpRequest;
use loadline::image::run::Probe;
use loadline::image::run::Run;
use loadline::image::run::RunOutcome;
use loadline::image::run::Start;
use tokio_util::sync::CancellationToken;

/// What the daemon does with one kind of request.
#[derive(Clone)]
enum Act {
    /// Answers with a status and a body.
    Say(u16, &'static str),
    /// Answers likewise after a while.
    Late(Duration, u16),
    /// Takes the connection over for a container's output, which are these bytes after a while, and
    /// closes it.
    Attach(Duration, &'static [u8]),
    /// Begins a streamed answer, writes these lines and then does nothing more.
    Hang(&'static [&'static str]),
    /// Begins a streamed answer, writes these lines and dies.
    Die(&'static [&'static str]),
    /// Streams these lines and ends as it should, except that the last line may not be whole.
    End(&'static [&'static str]),
    /// The first so many times the one, then the other.
    Then(Arc<AtomicUsize>, Box<Self>, Box<Self>),
}

/// A daemon that is none.
struct Fake {
    _folder: tempfile::TempDir,
    socket: PathBuf,
}

impl Fake {
    /// Listens; requests whose path begins with one of `acts` get its act.
    fn new(acts: Vec<(&'static str, Act)>) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let socket = folder.path().join("engine.sock");
        let listener = UnixListener::bind(&socket).expect("a socket");
        let acts = Arc::new(acts);
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let acts = Arc::clone(&acts);
                std::thread::spawn(move || {
                    // A client that goes away is what some cases are about.
                    let _ = serve(stream, &acts);
                });
            }
        });
        Self {
            _folder: folder,
            socket,
        }
    }

    async fn connect(&self) -> Docker {
        self.connect_for(Builder::Classic).await
    }

    async fn connect_for(&self, builder: Builder) -> Docker {
        let choices = Choices {
            without_buildkit: builder == Builder::Classic,
            ..Choices::default()
        };
        Docker::connect(&Address::unix(&self.socket), choices)
            .await
            .expect("the daemon answers what is asked first")
    }
}

/// Reads one request and acts.
fn serve(mut stream: UnixStream, acts: &[(&'static str, Act)]) -> std::io::Result<()> {
    let mut bytes = Vec::new();
    let mut chunk = [0; 4096];
    while !bytes.windows(4).any(|four| four == b"\r\n\r\n") {
        let count = stream.read(&mut chunk)?;
        if count == 0 {
            return Ok(());
        }
        bytes.extend_from_slice(&chunk[..count]);
    }
    let head = String::from_utf8_lossy(&bytes).into_owned();
    // An answer before the end of the upload would break the connection instead.
    let chunked = head
        .to_ascii_lowercase()
        .contains("transfer-encoding: chunked");
    while chunked && !bytes.ends_with(b"0\r\n\r\n") {
        let count = stream.read(&mut chunk)?;
        if count == 0 {
            return Ok(());
        }
        bytes.extend_from_slice(&chunk[..count]);
    }
    let path = head.split(' ').nth(1).unwrap_or_default().to_owned();
    let act = acts.iter().find(|(prefix, _)| path.starts_with(prefix));
    let act = match act.map(|(_, act)| act) {
        Some(Act::Then(turns, first, then)) => {
            let less = |turns: usize| turns.checked_sub(1);
            let is_first = turns.fetch_update(Ordering::SeqCst, Ordering::SeqCst, less);
            Some(if is_first.is_ok() { &**first } else { &**then })
        }
        act => act,
    };
    match act {
        Some(Act::Say(status, body)) => say(&mut stream, *status, body),
        Some(Act::Late(time, status)) => {
            std::thread::sleep(*time);
            say(&mut stream, *status, "")
        }
        Some(Act::Attach(time, bytes)) => take_over(&mut stream, *time, bytes),
        Some(Act::Hang(lines)) => {
            begin(&mut stream, lines)?;
            // Until the client gives up.
            while stream.read(&mut chunk)? > 0 {}
            Ok(())
        }
        Some(Act::Die(lines)) => begin(&mut stream, lines),
        Some(Act::End(lines)) => {
            begin(&mut stream, lines)?;
            stream.write_all(b"0\r\n\r\n")
        }
        Some(Act::Then(..)) => unreachable!("turns are not nested"),
        None if path.starts_with("/version") => say(
            &mut stream,
            200,
            r#"{"Version":"20.10.24","ApiVersion":"1.41","Os":"linux","Arch":"amd64"}"#,
        ),
        None if path.starts_with("/info") => say(&mut stream, 200, r#"{"Name":"elsewhere"}"#),
        None => say(&mut stream, 200, "[]"),
    }
}

fn say(stream: &mut UnixStream, status: u16, body: &str) -> std::io::Result<()> {
    write!(
        stream,
        "HTTP/1.1 {status} Said\r\nContent-Type: application/json\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
        body.len()
    )
}

fn take_over(stream: &mut UnixStream, time: Duration, bytes: &[u8]) -> std::io::Result<()> {
    let head = b"HTTP/1.1 101 UPGRADED\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n\r\n";
    stream.write_all(head)?;
    std::thread::sleep(time);
    stream.write_all(bytes)
}

fn begin(stream: &mut UnixStream, lines: &[&str]) -> std::io::Result<()> {
    write!(
        stream,
        "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n"
    )?;
    for line in lines {
        // A line that is not whole has no end.
        let end = if line.ends_with('}') { "\n" } else { "" };
        write!(stream, "{:x}\r\n{line}{end}\r\n", line.len() + end.len())?;
    }
    stream.flush()
}

/// A build that comes to no image.
async fn build(docker: &Docker, within: Duration) -> BuildError {
    let ended = built(docker, within).await;
    ended.expect_err("the daemon builds nothing")
}

/// A build of an empty context.
async fn built(docker: &Docker, within: Duration) -> Result<Built, BuildError> {
    built_until(docker, within, CancellationToken::new()).await
}

/// Likewise, until it is cancelled.
async fn built_until(
    docker: &Docker,
    within: Duration,
    cancel: CancellationToken,
) -> Result<Built, BuildError> {
    let folder = tempfile::tempdir().expect("a folder");
    let context = folder.path().join("context.tar");
    std::fs::write(&context, [0; 1024]).expect("an archive");
    let request = BuildRequest {
        context: std::fs::File::open(context).expect("it is there").into(),
        dockerfile_path: "Dockerfile".to_owned(),
        dockerfile_apart: None,
        dockerfile: Arc::new(Dockerfile::default()),
        tag: "x:1".to_owned(),
        labels: std::collections::BTreeMap::new(),
        owner: "test".to_owned(),
        build_args: std::collections::BTreeMap::new(),
        target: None,
        no_cache: false,
        network: false,
        within,
    };
    let (send, mut receive) = tokio::sync::mpsc::channel(16);
    let reading = async { while receive.recv().await.is_some() {} };
    let (ended, ()) = tokio::join!(docker.build(request, send, cancel), reading);
    ended
}

const LONG: Duration = Duration::from_secs(60);

#[tokio::test]
async fn a_registry_that_says_nothing_is_named_and_not_waited_for() {
    let fake = Fake::new(vec![(
        "/build",
        Act::Hang(&[r#"{"stream":"Step 1/2 : FROM lab.example:5000/python:3.13"}"#]),
    )]);
    let docker = fake.connect().await;
    let began = std::time::Instant::now();
    let error = build(&docker, LONG).await;
    let BuildError::RegistrySilent {
        registry,
        reference,
        ..
    } = &error
    else {
        panic!("{error:?}");
    };
    assert_eq!(registry, "lab.example:5000");
    assert_eq!(reference, "lab.example:5000/python:3.13");
    assert!(began.elapsed() < Duration::from_secs(30));
}

#[tokio::test]
async fn a_build_that_says_nothing_ends_with_its_time() {
    let fake = Fake::new(vec![(
        "/build",
        Act::Hang(&[r#"{"stream":"Step 1/2 : RUN true"}"#]),
    )]);
    let docker = fake.connect().await;
    let within = Duration::from_secs(1);
    assert_eq!(build(&docker, within).await, BuildError::TimedOut(within));
}

#[tokio::test]
async fn an_engine_that_dies_in_the_middle_of_a_build_has_gone() {
    let fake = Fake::new(vec![(
        "/build",
        Act::Die(&[r#"{"stream":"Step 1/2 : RUN true"}"#]),
    )]);
    let docker = fake.connect().await;
    let error = build(&docker, LONG).await;
    assert!(
        matches!(error, BuildError::Engine(EngineError::Gone { .. })),
        "{error:?}"
    );
}

#[tokio::test]
async fn an_engine_that_takes_no_session_is_told_with_what_helps() {
    let fake = Fake::new(vec![("/session", Act::Say(403, "{}"))]);
    let docker = fake.connect_for(Builder::Buildkit).await;
    let error = build(&docker, LONG).await.to_string();
    assert!(error.contains("takes no session (HTTP 403)"), "{error}");
    assert!(error.contains("`DOCKER_BUILDKIT=0`"), "{error}");
}

#[tokio::test]
async fn a_session_that_is_cut_off_is_told_in_words_of_ours() {
    const LOST: &str = r#"{"error":"x","errorDetail":{"message":"rpc error: code = Unavailable desc = transport is closing."}}"#;
    let fake = Fake::new(vec![
        ("/session", Act::Attach(Duration::from_millis(100), b"")),
        ("/build", Act::End(&[LOST])),
    ]);
    let docker = fake.connect_for(Builder::Buildkit).await;
    let error = build(&docker, LONG).await.to_string();
    assert_eq!(
        error,
        "send the files: the connection that they went by was lost"
    );
}

#[tokio::test]
async fn a_build_is_cancelled_while_the_engine_takes_its_time_for_a_session() {
    let fake = Fake::new(vec![("/session", Act::Late(LONG, 500))]);
    let docker = fake.connect_for(Builder::Buildkit).await;
    let cancel = CancellationToken::new();
    let stopping = async {
        tokio::time::sleep(Duration::from_millis(300)).await;
        cancel.cancel();
    };
    let building = built_until(&docker, LONG, cancel.clone());
    let (ended, ()) = tokio::join!(building, stopping);
    assert_eq!(ended.expect_err("it was cancelled"), BuildError::Cancelled);
}

/// An answer that ends in the middle of a line, so many times; then a whole one.
fn cut(times: usize) -> Act {
    Act::Then(
        Arc::new(AtomicUsize::new(times)),
        Box::new(Act::End(&[
            r#"{"stream":"Step 1/2 : FROM scratch"}"#,
            r#"{"stream":"Step 2/2 : LAB"#,
        ])),
        Box::new(Act::End(&[
            r#"{"stream":"Step 1/2 : FROM scratch"}"#,
            r#"{"aux":{"ID":"sha256:abc"}}"#,
        ])),
    )
}

#[tokio::test]
async fn a_build_whose_answer_is_cut_off_is_begun_again_while_the_engine_lives() {
    for times in [1, 3] {
        let fake = Fake::new(vec![("/build", cut(times))]);
        let docker = fake.connect().await;
        let image = built(&docker, LONG)
            .await
            .expect("the answer is whole")
            .image;
        assert_eq!(image, "sha256:abc", "cut {times} times");
    }
    let fake = Fake::new(vec![("/build", cut(100))]);
    let docker = fake.connect().await;
    let error = build(&docker, LONG).await.to_string();
    assert!(error.ends_with("its answer was cut off"), "{error}");
    // An engine that is gone is not asked again.
    let fake = Fake::new(vec![("/build", cut(1)), ("/_ping", Act::Die(&[]))]);
    let docker = fake.connect().await;
    let error = build(&docker, LONG).await;
    assert!(
        matches!(error, BuildError::Engine(EngineError::Gone { .. })),
        "{error:?}"
    );
}

#[tokio::test]
async fn a_full_disk_is_told_as_such_wherever_it_shows() {
    let fake = Fake::new(vec![
        (
            "/build",
            Act::Say(
                500,
                r#"{"message":"write /var/lib/docker/x: no space left on device"}"#,
            ),
        ),
        (
            "/images/load?",
            Act::Hang(&[
                r#"{"errorDetail":{"message":"write /x: no space left on device"},"error":"x"}"#,
            ]),
        ),
    ]);
    let docker = fake.connect().await;
    assert!(matches!(
        build(&docker, LONG).await,
        BuildError::Engine(EngineError::DiskFull(_))
    ));
    let archive = Box::pin(futures_util::stream::iter([Ok(bytes::Bytes::from_static(
        b"x",
    ))]));
    let error = docker.load(archive).await.expect_err("the disk is full");
    assert!(matches!(error, EngineError::DiskFull(_)), "{error:?}");
}

#[tokio::test]
async fn what_an_engine_refuses_is_told_in_its_words_and_made_safe() {
    let fake = Fake::new(vec![(
        "/images/json",
        Act::Say(500, "{\"message\":\"boom \\u001b]0;evil\\u0007here\"}"),
    )]);
    let docker = fake.connect().await;
    let error = docker.images(None).await.expect_err("a refusal");
    let EngineError::Refused { detail, .. } = &error else {
        panic!("{error:?}");
    };
    assert_eq!(detail.as_str(), "boom here");
}

#[tokio::test]
async fn an_engine_that_dies_in_the_middle_of_a_run_has_gone() {
    let fake = Fake::new(vec![
        (
            "/containers/create",
            Act::Say(201, r#"{"Id":"abc","Warnings":[]}"#),
        ),
        ("/containers/abc/attach", Act::Die(&[])),
        ("/containers/abc/start", Act::Die(&[])),
        ("/containers/abc", Act::Die(&[])),
    ]);
    let docker = fake.connect().await;
    let run = Run {
        start: Start::default(),
        probe: Probe::Exit,
        within: LONG,
    };
    let ended = tokio::time::timeout(
        Duration::from_secs(20),
        docker.run("x:1", &run, CancellationToken::new()),
    )
    .await
    .expect("it does not hang");
    assert!(
        matches!(
            ended,
            Err(EngineError::Gone { .. } | EngineError::Refused { .. })
        ),
        "{ended:?}"
    );
}

/// What the daemon says of a container that has ended.
const ENDED: &str = r#"{"State": {"Running": false, "ExitCode": 0}}"#;

/// What comes of a run by a daemon that acts so, whose container `abc` ends and is then as `state`
/// says.
async fn run(mut acts: Vec<(&'static str, Act)>, state: &'static str, probe: Probe) -> RunOutcome {
    acts.extend([
        ("/containers/abc/start", Act::Say(204, "")),
        ("/containers/abc/wait", Act::Say(200, r#"{"StatusCode":0}"#)),
        ("/containers/abc/json", Act::Say(200, state)),
        ("/containers/abc", Act::Say(204, "")),
    ]);
    let fake = Fake::new(acts);
    let run = Run {
        start: Start::default(),
        probe,
        within: LONG,
    };
    let docker = fake.connect().await;
    let outcome = docker.run("x:1", &run, CancellationToken::new()).await;
    outcome.expect("an outcome")
}

#[tokio::test]
async fn an_output_that_is_broken_off_is_not_the_whole() {
    for (bytes, broken) in [
        (b"\x01\0\0\0\0\0\0\x03hi\n".as_slice(), false),
        (b"\x01\0\0\0\0\0\0\x03hi\n\x01\0\0\0\0\0\0\x03h", true),
        (b"\x01\0\0\0\0\0\0\x03hi\n\x01\0\0", true),
    ] {
        let acts = vec![
            (
                "/containers/create",
                Act::Say(201, r#"{"Id":"abc","Warnings":[]}"#),
            ),
            ("/containers/abc/attach", Act::Attach(Duration::ZERO, bytes)),
        ];
        let outcome = run(acts, ENDED, Probe::Exit).await;
        assert_eq!(outcome.exit, Some(0));
        assert_eq!(outcome.stdout.is_broken_off(), broken, "{outcome:?}");
        assert_eq!(outcome.stdout.is_whole(), !broken);
        assert!(outcome.stdout.beginning().starts_with("hi"));
    }
}

#[tokio::test]
async fn an_answer_that_was_given_counts_however_late_the_engine_brings_it() {
    const ANSWER: &[u8] = b"\x01\0\0\0\0\0\0\x15answer 200 5 2 ff\n\nhi";
    let made = |body| Box::new(Act::Say(201, body));
    let acts = vec![
        (
            "/containers/create",
            Act::Then(
                Arc::new(AtomicUsize::new(1)),
                made(r#"{"Id":"abc","Warnings":[]}"#),
                made(r#"{"Id":"beside","Warnings":[]}"#),
            ),
        ),
        (
            "/images/loadline.local/helper",
            Act::Say(404, r#"{"message":"No such image"}"#),
        ),
        (
            "/images/load",
            Act::Say(200, r#"{"stream":"Loaded image"}"#),
        ),
        // The container ends at once; the helper had its answer before, and it is on its way.
        (
            "/containers/abc/attach",
            Act::Attach(Duration::from_millis(100), b""),
        ),
        (
            "/containers/beside/attach",
            Act::Attach(Duration::from_secs(2), ANSWER),
        ),
        ("/containers/beside/start", Act::Say(204, "")),
        ("/containers/beside", Act::Say(204, "")),
    ];
    let probe = Probe::Http(HttpRequest {
        port: 7000,
        method: "GET".to_owned(),
        path: "/".to_owned(),
        body: None,
    });
    let outcome = run(acts, ENDED, probe).await;
    let status = outcome.response.as_ref().map(|response| response.status);
    assert_eq!(status, Some(200), "{outcome:?}");
}

#[tokio::test]
async fn a_program_that_ended_in_time_is_not_blamed_for_an_engine_that_is_slow_to_say_so() {
    let ended = r#"{"State": {"Running": false, "ExitCode": 0,
        "StartedAt": "2026-01-02T03:04:05Z", "FinishedAt": "2026-01-02T03:04:06.4Z"}}"#;
    let acts = vec![
        (
            "/containers/create",
            Act::Say(201, r#"{"Id":"abc","Warnings":[]}"#),
        ),
        // It closes long after the time to stop is over.
        (
            "/containers/abc/attach",
            Act::Attach(Duration::from_millis(3_500), b""),
        ),
        (
            "/containers/abc/kill",
            Act::Late(Duration::from_millis(600), 204),
        ),
    ];
    let grace = Duration::from_secs(1);
    let probe = Probe::Stop {
        signal: Some("SIGTERM".to_owned()),
        grace,
        ready: None,
    };
    let outcome = run(acts, ended, probe).await;
    assert!(!outcome.killed, "{outcome:?}");
    assert_eq!(outcome.exit, Some(0));
    // It lived for 1.4 s, of which more than 1.2 s were over when the signal was on its way.
    let after = outcome.stopped_after.expect("it was asked to stop");
    assert!(after < grace / 2, "{outcome:?}");
}

/// A builder's last words, while the engine answers or does not.
async fn last_words(words: &'static [&'static str], ping: Option<Act>) -> BuildError {
    let mut acts = vec![("/build", Act::Hang(words))];
    acts.extend(ping.map(|act| ("/_ping", act)));
    build(&Fake::new(acts).connect().await, LONG).await
}

#[tokio::test]
async fn words_of_an_engine_that_ends_count_where_it_has_ended() {
    const ENDS: &[&str] = &[
        r#"{"stream":"Step 1/2 : RUN true"}"#,
        r#"{"errorDetail":{"message":"context canceled"},"error":"context canceled"}"#,
    ];
    let error = last_words(ENDS, Some(Act::Die(&[]))).await;
    let gone = matches!(error, BuildError::Engine(EngineError::Gone { .. }));
    assert!(gone, "{error:?}");
    let error = last_words(ENDS, None).await;
    let refused = matches!(error, BuildError::Engine(EngineError::Refused { .. }));
    assert!(refused, "{error:?}");
    // A learner's own words are nobody's end, whether the engine answers or not.
    const WROTE: &[&str] = &[
        r#"{"stream":"Step 1/2 : RUN echo unavailable; exit 1"}"#,
        r#"{"error":"x","errorDetail":{"message":"The command '/bin/sh -c echo unavailable; exit 1' returned a non-zero code: 1"}}"#,
    ];
    let error = last_words(WROTE, Some(Act::Die(&[]))).await;
    assert!(
        matches!(error, BuildError::Step { exit: Some(1), .. }),
        "{error:?}"
    );
}

#[tokio::test]
async fn an_engine_that_never_answers_is_not_waited_for() {
    let fake = Fake::new(vec![("/version", Act::Hang(&[]))]);
    let began = std::time::Instant::now();
    let error = Docker::connect(&Address::unix(&fake.socket), Choices::default())
        .await
        .expect_err("nothing answers");
    assert!(matches!(error, EngineError::Silent { .. }), "{error:?}");
    assert!(began.elapsed() < Duration::from_secs(15));
}

/// A real engine of the matrix is killed in the middle of a build. `make test-engines` runs this
/// case alone, with the engine's address in `LOADLINE_TEST_KILL`: others would lose their engine.
/// The fakes above play the same end where there is no matrix.
#[tokio::test]
#[ignore = "kills the engine that LOADLINE_TEST_KILL names: `make test-engines` runs it"]
async fn a_real_engine_that_is_killed_in_the_middle_of_a_build_has_gone() {
    let text = std::env::var("LOADLINE_TEST_KILL").expect("an engine that may be killed");
    let address = Address::parse(&text, None).expect("an address");
    let folder = std::path::Path::new(text.trim_start_matches("unix://")).parent();
    let name = folder
        .and_then(|folder| folder.file_name())
        .and_then(|name| name.to_str())
        .expect("a socket in a folder with the engine's name");
    let docker = Docker::connect(&address, Choices::default())
        .await
        .expect("the engine answers");
    let killing = async {
        tokio::time::sleep(Duration::from_millis(1500)).await;
        let killed = tokio::process::Command::new("docker")
            .args(["-H", "unix:///var/run/docker.sock", "exec"])
            .args([&format!("loadline-engine-{name}"), "pkill", "-9", "dockerd"])
            .status()
            .await
            .expect("the host's docker");
        assert!(killed.success());
    };
    let (error, ()) = tokio::join!(super::engine_contract::slow_build(&docker), killing);
    assert!(
        matches!(error, BuildError::Engine(EngineError::Gone { .. })),
        "{error:?}"
    );
    // It comes back, and the same connection serves.
    for _ in 0..100 {
        if docker.ping().await.is_ok() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    panic!("the engine did not come back");
}

#[tokio::test]
async fn whatever_answers_without_a_version_is_no_engine() {
    let daemon = Fake::new(vec![("/", Act::Say(200, "{}"))]);
    let address = Address::unix(&daemon.socket);
    let error = Docker::connect(&address, Choices::default()).await;
    let told = error.expect_err("it is none").to_string();
    assert!(told.contains("no container engine"), "{told}");
}
