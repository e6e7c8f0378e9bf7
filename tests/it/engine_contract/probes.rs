//! Runs: ends, limits, http, signals, health.

use std::collections::BTreeMap;
use std::time::Duration;

use loadline::engine::Engine as _;
use loadline::engine::EngineName;
use loadline::image::run::HttpRequest;
use loadline::image::run::Probe;
use loadline::image::run::Ready;
use loadline::image::run::Run;
use loadline::image::run::Start;
use tokio_util::sync::CancellationToken;

use super::bench::BASE;
use super::bench::Bench;
use super::bench::fresh;
use super::bench::on_each_engine;
use super::bench::runs;

fn texts(lines: &[loadline::text::Clean]) -> Vec<&str> {
    lines.iter().map(loadline::text::Clean::as_str).collect()
}

/// The base under a name of its own.
async fn base(bench: &Bench, name: &str) -> String {
    let tag = fresh(name);
    bench
        .build(&tag, BASE)
        .await
        .unwrap_or_else(|error| panic!("{}: {error:?}", bench.address));
    tag
}

/// A start of the base's shell.
fn sh(script: &str) -> Start {
    Start {
        args: Some(["sh", "-c", script].map(str::to_owned).to_vec()),
        ..Start::default()
    }
}

fn get(port: u16, path: &str) -> Probe {
    Probe::Http(HttpRequest {
        port,
        path: path.to_owned(),
        method: "GET".to_owned(),
        body: None,
    })
}

#[test]
fn a_run_ends_with_its_status_its_output_and_nothing_left() {
    on_each_engine(async |bench: &Bench| {
        let tag = base(bench, "run").await;
        let start = Start {
            args: Some(
                [
                    "sh",
                    "-c",
                    "echo out $A; read line; echo got $line >&2; exit 3",
                ]
                .map(str::to_owned)
                .to_vec(),
            ),
            env: BTreeMap::from([("A".to_owned(), "b c".to_owned())]),
            stdin: Some("hello\n".to_owned()),
            ..Start::default()
        };
        let outcome = bench.run(&tag, start, Probe::Exit, 20).await;
        assert_eq!(outcome.exit, Some(3), "{}: {outcome:?}", bench.address);
        assert_eq!(texts(&outcome.stdout), ["out b c"]);
        assert_eq!(texts(&outcome.stderr), ["got hello"]);
        assert!(!outcome.timed_out && !outcome.out_of_memory);

        let replaced = Start {
            entrypoint: Some(vec!["/bin/busybox".to_owned(), "echo".to_owned()]),
            args: Some(vec!["replaced".to_owned()]),
            ..Start::default()
        };
        let outcome = bench.run(&tag, replaced, Probe::Exit, 20).await;
        assert_eq!(texts(&outcome.stdout), ["replaced"]);
        bench.remove(&tag).await;
    });
}

#[test]
fn an_answer_counts_though_its_container_ends_right_after() {
    on_each_engine(async |bench: &Bench| {
        let tag = base(bench, "once").await;
        let once = r"busybox printf 'HTTP/1.0 200 OK\r\n\r\nhi' | busybox nc -l -p 7000 >/dev/null";
        for _ in 0..5 {
            let outcome = bench.run(&tag, sh(once), get(7000, "/"), 20).await;
            let response = outcome.response.as_ref();
            let status = response.map(|response| response.status);
            assert_eq!(status, Some(200), "{}: {outcome:?}", bench.address);
        }
        bench.remove(&tag).await;
    });
}

#[test]
fn what_cannot_start_says_why() {
    on_each_engine(async |bench: &Bench| {
        let tag = base(bench, "start").await;
        let missing = Start {
            entrypoint: Some(vec!["/no/such/program".to_owned()]),
            args: Some(Vec::new()),
            ..Start::default()
        };
        let outcome = bench.run(&tag, missing, Probe::Exit, 20).await;
        let why = outcome.start_error.expect("a reason");
        assert!(
            why.as_str().contains("no such file") || why.as_str().contains("not found"),
            "{}: {why}",
            bench.address
        );
        // The base has no command of its own.
        let outcome = bench.run(&tag, Start::default(), Probe::Exit, 20).await;
        assert!(
            outcome.start_error.is_some(),
            "{}: {outcome:?}",
            bench.address
        );
        bench.remove(&tag).await;
    });
}

#[test]
fn a_run_is_confined() {
    on_each_engine(async |bench: &Bench| {
        let tag = fresh("confined");
        // Podman's root folder is closed even to root once its capabilities are gone.
        bench
            .build(&tag, &format!("{BASE}WORKDIR /data\n"))
            .await
            .unwrap_or_else(|error| panic!("{}: {error:?}", bench.address));
        let script = "busybox grep CapEff /proc/self/status; busybox grep NoNewPrivs /proc/self/status; \
                      busybox ls /sys/class/net; echo x >/data/made && echo wrote; echo y >/tmp/made && echo tmp";
        let start = Start {
            args: Some(["sh", "-c", script].map(str::to_owned).to_vec()),
            read_only: true,
            ..Start::default()
        };
        let outcome = bench.run(&tag, start, Probe::Exit, 20).await;
        let said = texts(&outcome.stdout);
        assert_eq!(
            said,
            ["CapEff: 0000000000000000", "NoNewPrivs:     1", "lo", "tmp"],
            "{}",
            bench.address
        );
        let outcome = bench.sh(&tag, "echo x >/data/made && echo wrote", 20).await;
        assert_eq!(texts(&outcome.stdout), ["wrote"], "only where it is asked");
        bench.remove(&tag).await;
    });
}

/// Whether an engine tells what ran out of memory. Podman learned it with 5.0
/// (containers/podman#21523): 4.3 looks for the monitor's mark in the container's folder, where the
/// monitor leaves it in the engine's own, and answers `OOMKilled: false` and status 137.
fn says_out_of_memory(bench: &Bench) -> bool {
    let info = bench.engine.info();
    let major = info.version.split('.').next();
    let major: u32 = major
        .and_then(|major| major.parse().ok())
        .expect("a version");
    info.name == EngineName::Docker || major >= 5
}

#[test]
fn memory_processes_output_and_time_are_bounded() {
    on_each_engine(async |bench: &Bench| {
        let tag = base(bench, "bounds").await;
        let outcome = bench.sh(&tag, "busybox tail /dev/zero", 60).await;
        let tells = says_out_of_memory(bench);
        assert_eq!(
            (outcome.out_of_memory, outcome.killed_untold, outcome.exit),
            (tells, !tells, Some(137)),
            "{}: {outcome:?}",
            bench.address
        );

        let marker = tag.rsplit(':').next().expect("a tag").to_owned();
        let bomb = format!(": bomb-{marker}; b() {{ b | b & }}; b; busybox sleep 600; :");
        let outcome = bench.sh(&tag, &bomb, 4).await;
        assert!(
            outcome.timed_out || outcome.exit.is_some(),
            "{}: {outcome:?}",
            bench.address
        );
        assert!(!runs(&format!("bomb-{marker}")), "{}", bench.address);
        bench.engine.ping().await.expect("the engine answers");

        let outcome = bench.sh(&tag, "echo first; busybox yes loud", 3).await;
        assert!(outcome.timed_out);
        assert_eq!(outcome.exit, None);
        assert!(outcome.stdout.dropped() > 100_000, "{}", bench.address);
        let said = texts(&outcome.stdout);
        assert_eq!(said.first(), Some(&"first"));
        assert!(said.len() < 20_000);

        let script = "busybox printf 'a\\033]0;evil\\007b\\342\\200\\256c\\n'";
        let outcome = bench.sh(&tag, script, 20).await;
        assert_eq!(texts(&outcome.stdout), ["ab\u{fffd}c"], "{}", bench.address);
        bench.remove(&tag).await;
    });
}

#[test]
fn as_many_processes_as_may_be_are_seen_and_fewer_are_not_told() {
    on_each_engine(async |bench: &Bench| {
        let tag = base(bench, "crowd").await;
        let sleepers = |count: u32| {
            format!("i=0; while [ $i -lt {count} ]; do busybox sleep 600 & i=$((i+1)); done")
        };
        // With the shell and the server they are 256, and there whenever they are counted: the
        // server starts last, so that its port tells that all are there however slow that was.
        let crowd = format!("trap '' TERM; {}; busybox httpd -f -p 7000", sleepers(254));
        let probe = Probe::Stop {
            signal: None,
            grace: Duration::from_secs(1),
            ready: Some(Ready::Port(7000)),
        };
        let outcome = bench.run(&tag, sh(&format!("{crowd}; :")), probe, 60).await;
        assert!(outcome.killed, "{}: {outcome:?}", bench.address);
        assert_eq!(outcome.crowd, Some(256), "{}: {outcome:?}", bench.address);
        // One more cannot be started, and the shell says so and ends.
        let many = format!("{}; wait", sleepers(300));
        let outcome = bench.sh(&tag, &many, 60).await;
        let told = |line: &loadline::text::Clean| line.as_str().contains("can't fork");
        assert!(
            outcome.stderr.iter().any(told),
            "{}: {outcome:?}",
            bench.address
        );
        let few = bench.sh(&tag, "busybox sleep 60; :", 2).await;
        assert_eq!(
            (few.timed_out, few.crowd),
            (true, None),
            "{}",
            bench.address
        );
        bench.remove(&tag).await;
    });
}

#[test]
fn a_cancelled_run_leaves_nothing() {
    on_each_engine(async |bench: &Bench| {
        let tag = base(bench, "runcancel").await;
        let marker = format!("left-{}", tag.rsplit(':').next().expect("a tag"));
        let run = Run {
            start: Start {
                args: Some(vec![
                    "sh".to_owned(),
                    "-c".to_owned(),
                    format!(": {marker}; busybox sleep 600; :"),
                ]),
                ..Start::default()
            },
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
        let (ended, ()) = tokio::join!(bench.engine.run(&tag, &run, cancel), stopping);
        assert_eq!(ended, Err(loadline::engine::EngineError::Cancelled));
        assert!(!runs(&marker), "{}", bench.address);
        bench.remove(&tag).await;
    });
}

#[test]
fn an_answer_is_read_whole_or_not_at_all() {
    on_each_engine(async |bench: &Bench| {
        let tag = base(bench, "answers").await;
        let ask = async |script: &str, seconds: u64| {
            // A container that ends first is not asked any more.
            let script = format!("({script}) | busybox nc -l -p 8000; busybox sleep 5");
            let start = Start {
                args: Some(vec!["sh".to_owned(), "-c".to_owned(), script]),
                ..Start::default()
            };
            bench.run(&tag, start, get(8000, "/"), seconds).await
        };
        let bare = ask("busybox printf 'HTTP/1.0 200 OK\\nX-A: b\\n\\nhi'", 20).await;
        let response = bare.response.expect("an answer");
        assert_eq!(texts(&response.body), ["hi"], "{}", bench.address);
        assert_eq!(response.headers.len(), 1);

        let long = "busybox printf 'HTTP/1.0 200 OK\\r\\n\\r\\n'; busybox yes abcdefg | busybox head -c 200000";
        let long = async |end: &str| {
            let outcome = ask(&format!("{long}; busybox printf {end}"), 20).await;
            outcome.response.expect("an answer").body
        };
        let (one, same, other) = (long("x").await, long("x").await, long("y").await);
        assert_eq!(one.dropped(), 200_001 - 64 * 1024, "{}", bench.address);
        assert_eq!(
            (one.is_same(&same), one.is_same(&other)),
            (Some(true), Some(false))
        );

        let trickle = "busybox printf 'HTTP/1.0 200 OK\\r\\n\\r\\n'; i=0; while [ $i -lt 60 ]; do busybox printf x; busybox sleep 0.1; i=$((i+1)); done";
        let late = ask(trickle, 3).await;
        assert!(late.timed_out && late.response.is_none(), "{late:?}");
        let why = late.heard().expect("a reason");
        assert_eq!(
            why.as_str(),
            "it took the request and did not answer in time"
        );
        bench.remove(&tag).await;
    });
}

#[test]
fn an_image_without_a_shell_answers_over_a_closed_network() {
    on_each_engine(async |bench: &Bench| {
        let tag = fresh("http");
        let text = "FROM scratch\nCOPY busybox /httpd\nCOPY page /www/index.html\nUSER 65532\nENTRYPOINT [\"/httpd\", \"-f\", \"-p\", \"8000\", \"-h\", \"/www\"]\n";
        let (_folder, request) = bench.request(&tag, text, &[("page", "hello\u{1b}[31m there\n")]);
        let (built, _) = bench
            .follow(request, CancellationToken::new(), |_| {})
            .await;
        built.unwrap_or_else(|error| panic!("{}: {error:?}", bench.address));
        let outcome = bench.run(&tag, Start::default(), get(8000, "/"), 20).await;
        let response = outcome
            .response
            .as_ref()
            .unwrap_or_else(|| panic!("{}: {outcome:?}", bench.address));
        assert_eq!(response.status, 200);
        assert_eq!(texts(&response.body), ["hello there"]);
        assert!(
            response
                .headers
                .iter()
                .any(|(name, value)| name.as_str() == "content-type"
                    && value.as_str().starts_with("text/html"))
        );
        println!("  answered after {:?}", response.after);
        let missing = bench
            .run(&tag, Start::default(), get(8000, "/nothing"), 20)
            .await;
        let status = missing.response.as_ref().map(|response| response.status);
        assert_eq!(status, Some(404), "{}: {missing:?}", bench.address);

        let silent = bench.run(&tag, Start::default(), get(8001, "/"), 2).await;
        assert!(silent.timed_out && silent.response.is_none());
        let why = silent.unanswered.expect("a reason");
        assert_eq!(why.as_str(), "nothing listens on the port");

        let ends = Start {
            args: Some(vec!["-p".to_owned(), "nonsense".to_owned()]),
            ..Start::default()
        };
        let ended = bench.run(&tag, ends, get(9000, "/"), 20).await;
        assert!(
            ended.exit.is_some_and(|exit| exit != 0) && !ended.timed_out,
            "{}: a program that ends is not waited for: {ended:?}",
            bench.address
        );
        bench.remove(&tag).await;
    });
}

#[test]
fn the_time_to_stop_is_measured_from_the_signal() {
    on_each_engine(async |bench: &Bench| {
        let tag = base(bench, "stop").await;
        let start = |script: &str| Start {
            args: Some(["sh", "-c", script].map(str::to_owned).to_vec()),
            ..Start::default()
        };
        let within = |seconds, signal: Option<&str>, ready| Probe::Stop {
            signal: signal.map(str::to_owned),
            grace: Duration::from_secs(seconds),
            ready,
        };
        let stop = |signal, ready| within(2, signal, ready);
        let polite =
            "trap 'exit 0' TERM; busybox httpd -p 7000; while :; do busybox sleep 0.1; done";
        // Ready later than it may take to stop, on a busy host too.
        let late = format!("busybox sleep 3; {polite}");
        let asked = within(10, None, Some(Ready::Port(7000)));
        let outcome = bench.run(&tag, start(&late), asked, 20).await;
        let after = outcome
            .stopped_after
            .unwrap_or_else(|| panic!("{}: {outcome:?}", bench.address));
        assert!(after < Duration::from_secs(3), "{after:?}");
        assert!(!outcome.killed);
        assert_eq!(outcome.exit, Some(0));

        // One that was asked first has answered by then.
        let Probe::Http(asked) = get(7000, "/nothing") else {
            unreachable!()
        };
        let ready = Some(Ready::Http(asked));
        let asked = within(10, None, ready);
        let outcome = bench.run(&tag, start(polite), asked, 20).await;
        let response = outcome.response.as_ref();
        assert_eq!(response.map(|response| response.status), Some(404));
        assert!(outcome.stopped_after.is_some() && outcome.exit == Some(0));

        let deaf = "trap '' TERM; while :; do busybox sleep 0.1; done";
        let outcome = bench.run(&tag, start(deaf), stop(None, None), 20).await;
        assert!(outcome.killed, "{}: {outcome:?}", bench.address);
        assert!(outcome.stopped_after >= Some(Duration::from_secs(2)));

        let other = "trap 'exit 5' USR1; while :; do busybox sleep 0.1; done";
        let outcome = bench
            .run(&tag, start(other), stop(Some("SIGUSR1"), None), 20)
            .await;
        assert_eq!(outcome.exit, Some(5), "{}: {outcome:?}", bench.address);

        let never = bench
            .run(
                &tag,
                start("busybox sleep 600"),
                stop(None, Some(Ready::Port(7001))),
                2,
            )
            .await;
        assert_eq!(never.stopped_after, None);
        assert!(never.timed_out && never.unanswered.is_some());
        bench.remove(&tag).await;
    });
}

#[test]
fn health_is_known_in_a_moment_whatever_the_images_interval() {
    on_each_engine(async |bench: &Bench| {
        let tag = fresh("health");
        let text = format!(
            "{BASE}WORKDIR /data\nHEALTHCHECK --interval=30s --start-period=30s CMD [\"/bin/busybox\", \"test\", \"-e\", \"/data/up\"]\nCMD [\"sh\", \"-c\", \"busybox sleep 6; echo x >/data/up; busybox sleep 600\"]\n"
        );
        bench
            .build(&tag, &text)
            .await
            .unwrap_or_else(|error| panic!("{}: {error:?}", bench.address));
        let summary = bench
            .engine
            .inspect(&tag)
            .await
            .expect("an answer")
            .expect("the image");
        let check = summary.config.healthcheck.expect("a health check");
        assert_eq!(check.test.first().map(String::as_str), Some("CMD"));
        assert_eq!(check.interval, Some(Duration::from_secs(30)));
        let outcome = bench.run(&tag, Start::default(), Probe::Health, 15).await;
        assert_eq!(
            outcome.health.as_ref().map(loadline::text::Clean::as_str),
            Some("healthy"),
            "{}: {outcome:?}",
            bench.address
        );
        // Within a start period Docker asks every 5 s from 25.0 on: the second time too early.
        assert!(outcome.took < Duration::from_secs(10));
        bench.remove(&tag).await;

        let plain = base(bench, "nohealth").await;
        let start = Start {
            args: Some(
                ["sh", "-c", "busybox sleep 600"]
                    .map(str::to_owned)
                    .to_vec(),
            ),
            ..Start::default()
        };
        let outcome = bench.run(&plain, start, Probe::Health, 15).await;
        assert_eq!(outcome.health, None, "{}", bench.address);
        bench.remove(&plain).await;
    });
}
