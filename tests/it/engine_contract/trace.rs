//! Runs whose opened files are written down: what they see, and that the application is none the
//! wiser and none the stronger. An engine may refuse, with a reason; Docker as root does not.

use std::collections::BTreeMap;
use std::time::Duration;

use loadline::engine::Engine as _;
use loadline::engine::EngineError;
use loadline::engine::EngineName;
use loadline::image::run::HttpRequest;
use loadline::image::run::Probe;
use loadline::image::run::Ready;
use loadline::image::run::Run;
use loadline::image::run::Start;
use loadline::image::run::Trace;
use loadline::text::Clean;
use tokio_util::sync::CancellationToken;

use super::bench::BASE;
use super::bench::Bench;
use super::bench::fresh;
use super::bench::on_each_engine;
use super::bench::runs;

fn texts(lines: &[Clean]) -> Vec<&str> {
    lines.iter().map(Clean::as_str).collect()
}

fn words(words: &[&str]) -> Vec<String> {
    words.iter().map(|word| (*word).to_owned()).collect()
}

fn sh(script: &str) -> Start {
    Start {
        args: Some(words(&["sh", "-c", script])),
        ..Start::default()
    }
}

/// Builds an image with these files of text beside the base's.
async fn image(bench: &Bench, name: &str, dockerfile: &str, files: &[(&str, &str)]) -> String {
    let tag = fresh(name);
    let (_folder, request) = bench.request(&tag, dockerfile, files);
    let (built, _) = bench
        .follow(request, CancellationToken::new(), |_| {})
        .await;
    built.unwrap_or_else(|error| panic!("{}: {error:?}", bench.address));
    tag
}

/// Traces; `None` where the engine refuses, which only some may.
#[expect(clippy::print_stdout, reason = "a test says which engine refuses")]
async fn traced(bench: &Bench, image: &str, start: Start, probe: Probe) -> Option<Trace> {
    let run = Run {
        start,
        probe,
        within: Duration::from_secs(20),
    };
    let ended = bench.engine.trace(image, &run, CancellationToken::new());
    match ended.await {
        Ok(trace) => {
            assert_eq!(trace.opened.gaps, None, "{}: {trace:?}", bench.address);
            Some(trace)
        }
        Err(EngineError::Refused { what, detail }) => {
            let info = bench.engine.info();
            println!("  {} refuses to {what}: {detail}", bench.address);
            let may = info.name == EngineName::Podman || info.rootless;
            assert!(
                may && !detail.as_str().is_empty(),
                "{}: {detail}",
                bench.address
            );
            None
        }
        Err(error) => panic!("{}: {error}", bench.address),
    }
}

const PASSWD: &str = "root:x:0:0:root:/root:/bin/sh\napp:x:1234:2345:app:/home/app:/bin/sh\n";
const GROUP: &str = "root:x:0:\napp:x:2345:\nextra:x:77:app\n";

#[test]
fn a_traced_application_is_process_one_as_its_own_user_without_a_capability() {
    on_each_engine(async |bench: &Bench| {
        let text = format!(
            "{BASE}COPY passwd /etc/passwd\nCOPY group /etc/group\nCOPY data /data/file\n\
             ENV COLOR=blue\nUSER app\nWORKDIR /data\nCMD [\"sh\", \"-c\", \"exit 9\"]\n"
        );
        let files = [("passwd", PASSWD), ("group", GROUP), ("data", "some\n")];
        let tag = image(bench, "traceuser", &text, &files).await;
        let script = "read line <file; echo $line $$ $COLOR $MORE $HOME $PWD; \
                      busybox grep -E 'Uid|Gid|Groups|CapInh|CapPrm|CapEff|CapAmb|NoNewPrivs' /proc/self/status; \
                      echo err >&2; exit 3";
        let mut start = sh(script);
        start.env = BTreeMap::from([(String::from("MORE"), String::from("a b"))]);
        let Some(trace) = traced(bench, &tag, start, Probe::Exit).await else {
            return bench.remove(&tag).await;
        };
        let said: Vec<String> = texts(&trace.outcome.stdout)
            .iter()
            .map(|line| line.split_whitespace().collect::<Vec<_>>().join(" "))
            .collect();
        let none = "0000000000000000";
        assert_eq!(
            said,
            [
                "some 1 blue a b /home/app /data",
                "Uid: 1234 1234 1234 1234",
                "Gid: 2345 2345 2345 2345",
                "Groups: 77",
                &format!("CapInh: {none}"),
                &format!("CapPrm: {none}"),
                &format!("CapEff: {none}"),
                &format!("CapAmb: {none}"),
                "NoNewPrivs: 1",
            ],
            "{}",
            bench.address
        );
        assert_eq!(texts(&trace.outcome.stderr), ["err"]);
        assert_eq!(trace.outcome.exit, Some(3), "its own status");
        assert_eq!(
            trace.opened.paths,
            ["/bin/sh", "/data/file"],
            "{}: each once, in the order of opening",
            bench.address
        );
        // Its own command, where none is given.
        let own = traced(bench, &tag, Start::default(), Probe::Exit).await;
        assert_eq!(own.and_then(|trace| trace.outcome.exit), Some(9));
        bench.remove(&tag).await;
    });
}

#[test]
fn neither_the_first_open_nor_the_last_is_lost() {
    on_each_engine(async |bench: &Bench| {
        let text = "FROM scratch\nCOPY busybox /cat\nCOPY a /a\nCOPY b /b\nCOPY c /c\n\
                    ENTRYPOINT [\"/cat\", \"/a\", \"/b\"]\n";
        let files = [("a", "1\n"), ("b", "2\n"), ("c", "3\n")];
        let tag = image(bench, "tracelast", text, &files).await;
        for _ in 0..5 {
            let Some(trace) = traced(bench, &tag, Start::default(), Probe::Exit).await else {
                break;
            };
            assert_eq!(trace.outcome.exit, Some(0), "{}: {trace:?}", bench.address);
            assert_eq!(texts(&trace.outcome.stdout), ["1", "2"]);
            assert_eq!(
                trace.opened.paths,
                ["/cat", "/a", "/b"],
                "{}",
                bench.address
            );
        }
        bench.remove(&tag).await;
    });
}

#[test]
fn an_image_without_a_shell_is_traced_until_it_answers() {
    on_each_engine(async |bench: &Bench| {
        let text = "FROM scratch\nCOPY busybox /httpd\nCOPY page /www/index.html\n\
                    COPY page /www/other.html\nUSER 65532\n\
                    ENTRYPOINT [\"/httpd\", \"-f\", \"-p\", \"8000\", \"-h\", \"/www\"]\n";
        let tag = image(bench, "tracehttp", text, &[("page", "hello\n")]).await;
        let get = Probe::Http(HttpRequest {
            port: 8000,
            path: String::from("/"),
            method: String::from("GET"),
            body: None,
        });
        if let Some(trace) = traced(bench, &tag, Start::default(), get).await {
            let status = trace.outcome.response.as_ref().map(|answer| answer.status);
            assert_eq!(status, Some(200), "{}: {trace:?}", bench.address);
            let paths = &trace.opened.paths;
            for (path, wanted) in [
                ("/httpd", true),
                ("/www/index.html", true),
                ("/www/other.html", false),
            ] {
                let found = paths.iter().any(|found| found == path);
                assert_eq!(found, wanted, "{}: {path} in {paths:?}", bench.address);
            }
        }
        bench.remove(&tag).await;
    });
}

#[test]
fn a_traced_application_gets_the_signal_and_cannot_end_what_watches_it() {
    on_each_engine(async |bench: &Bench| {
        let text = format!("{BASE}COPY late /late\nCOPY later /later\n");
        let files = [("late", "x\n"), ("later", "y\n")];
        let tag = image(bench, "tracestop", &text, &files).await;
        // Root without capabilities, and still not the reader's master.
        let script = "trap 'read line </later; exit 5' TERM; busybox kill -9 -1; read line </late; \
                      busybox httpd -p 7000; while :; do busybox sleep 0.1; done";
        let stop = Probe::Stop {
            signal: None,
            grace: Duration::from_secs(5),
            ready: Some(Ready::Port(7000)),
        };
        if let Some(trace) = traced(bench, &tag, sh(script), stop).await {
            assert_eq!(trace.outcome.exit, Some(5), "{}: {trace:?}", bench.address);
            assert!(!trace.outcome.killed);
            let paths = &trace.opened.paths;
            for path in ["/late", "/later"] {
                let found = paths.iter().any(|found| found == path);
                assert!(found, "{}: {path} in {paths:?}", bench.address);
            }
        }
        bench.remove(&tag).await;
    });
}

#[test]
fn what_cannot_be_traced_says_why() {
    on_each_engine(async |bench: &Bench| {
        let tag = image(bench, "tracestart", BASE, &[]).await;
        let missing = Start {
            entrypoint: Some(words(&["no-such-program"])),
            ..Start::default()
        };
        if let Some(trace) = traced(bench, &tag, missing, Probe::Exit).await {
            let why = trace.outcome.start_error.expect("a reason");
            assert!(why.as_str().contains("no such file"), "{why}");
            assert_eq!(trace.outcome.exit, None);
        }
        // The base has no command of its own.
        let trace = traced(bench, &tag, Start::default(), Probe::Exit).await;
        let why = trace.and_then(|trace| trace.outcome.start_error);
        assert_eq!(why, Some(Clean::line("the image names no command")));
        let run = Run {
            start: sh("exit 0"),
            probe: Probe::Exit,
            within: Duration::from_secs(20),
        };
        let absent = fresh("absent");
        let ended = bench.engine.trace(&absent, &run, CancellationToken::new());
        assert_eq!(ended.await, Err(EngineError::NoSuchImage(absent.clone())));
        bench.remove(&tag).await;

        let text = format!("{BASE}USER nobody-knows\n");
        let tag = image(bench, "tracenobody", &text, &[]).await;
        if let Some(trace) = traced(bench, &tag, sh("exit 0"), Probe::Exit).await {
            let why = trace.outcome.start_error.expect("a reason");
            assert!(why.as_str().contains("no user `nobody-knows`"), "{why}");
        }
        bench.remove(&tag).await;
    });
}

#[test]
fn a_cancelled_trace_leaves_nothing() {
    on_each_engine(async |bench: &Bench| {
        let tag = image(bench, "tracecancel", BASE, &[]).await;
        let marker = format!("left-{}", tag.rsplit(':').next().expect("a tag"));
        let run = Run {
            start: sh(&format!(": {marker}; busybox sleep 600; :")),
            probe: Probe::Exit,
            within: Duration::from_secs(60),
        };
        let cancel = CancellationToken::new();
        let stop = cancel.clone();
        let seen = marker.clone();
        let stopping = async move {
            while !runs(&seen) {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
            stop.cancel();
        };
        let ended = tokio::select! {
            ended = async { tokio::join!(bench.engine.trace(&tag, &run, cancel), stopping).0 } => ended,
            () = tokio::time::sleep(Duration::from_secs(60)) => panic!("{}", bench.address),
        };
        assert_eq!(ended, Err(EngineError::Cancelled), "{}", bench.address);
        assert!(!runs(&marker), "{}", bench.address);
        bench.remove(&tag).await;
    });
}
