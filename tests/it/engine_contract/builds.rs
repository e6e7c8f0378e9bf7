//! Builds: events, caches, faults, cancelling.

use std::path::PathBuf;
use std::sync::Mutex;
use std::time::Duration;
use std::time::Instant;

use loadline::dockerfile::Dockerfile;
use loadline::engine::BuildError;
use loadline::engine::BuildEvent;
use loadline::engine::Builder;
use loadline::engine::Engine as _;
use loadline::engine::StepEnd;
use loadline::engine::StepId;
use loadline::engine::address::Address;
use loadline::engine::docker::Choices;
use loadline::engine::docker::Docker;
use tokio_util::sync::CancellationToken;

use super::bench::BASE;
use super::bench::Bench;
use super::bench::Timed;
use super::bench::alone_on_each_engine;
use super::bench::fresh;
use super::bench::on_each_engine;
use super::bench::runs;

/// The step of a line.
fn step_at(events: &[Timed], wanted: u32) -> StepId {
    events
        .iter()
        .find_map(|(_, event)| match event {
            BuildEvent::StepPlanned {
                step,
                line: Some(line),
                ..
            } if *line == wanted => Some(*step),
            _ => None,
        })
        .unwrap_or_else(|| panic!("no step on line {wanted}: {events:#?}"))
}

/// How the step of a line ended: cached, how long, failed, and when it was said.
fn end_of(events: &[Timed], line: u32) -> (bool, Duration, bool, Duration) {
    let wanted = step_at(events, line);
    let ends: Vec<_> = events
        .iter()
        .filter_map(|(at, event)| match event {
            BuildEvent::StepFinished {
                step,
                cached,
                took,
                end,
            } if *step == wanted => Some((*cached, *took, *end == StepEnd::Failed, *at)),
            _ => None,
        })
        .collect();
    assert_eq!(ends.len(), 1, "one end of the step on line {line}");
    ends[0]
}

#[test]
fn steps_come_live_with_their_lines_and_a_second_build_takes_them_from_the_cache() {
    on_each_engine(async |bench: &Bench| {
        let tag = fresh("live");
        let text = format!(
            "{BASE}RUN echo begun {tag}; busybox sleep 3; echo ended; echo red >&2\nWORKDIR /x\nFROM scratch\nCOPY --from=0 /bin/sh /sh\nCMD [\"/sh\"]\n"
        );
        let (built, events) = bench
            .watch(&tag, &text, CancellationToken::new(), |_| {})
            .await;
        let built = built.unwrap_or_else(|error| panic!("{}: {error:?}", bench.address));
        assert_eq!(built.builder, bench.engine.info().builder);
        let logged = |wanted: &str| {
            events
                .iter()
                .find_map(|(at, event)| match event {
                    BuildEvent::Log { line, step, .. } if line.as_str().starts_with(wanted) => {
                        Some((*at, *step))
                    }
                    _ => None,
                })
                .unwrap_or_else(|| panic!("{wanted} was not logged: {events:#?}"))
        };
        // The stage that nothing needs is left out by some builders; this one is needed.
        let (cached, took, failed, at) = end_of(&events, 5);
        assert!(!cached && !failed);
        assert!(took > Duration::from_millis(2900), "took {took:?}");
        let (begun, step) = logged("begun");
        assert_eq!(step, Some(step_at(&events, 5)));
        assert!(
            at.saturating_sub(begun) > Duration::from_secs(1),
            "output comes while the step runs"
        );
        logged("ended");
        logged("red");
        let uploaded = events
            .iter()
            .filter_map(|(_, event)| match event {
                BuildEvent::Uploading { sent, total } => Some((*sent, *total)),
                _ => None,
            })
            .next_back();
        let (sent, total) = uploaded.expect("the upload is told");
        assert_eq!(sent, total);

        let (again, events) = bench
            .watch(&tag, &text, CancellationToken::new(), |_| {})
            .await;
        again.expect("a second build");
        for line in [2, 3, 5, 8] {
            let (cached, ..) = end_of(&events, line);
            assert!(cached, "{}: line {line} is cached", bench.address);
        }
        bench.remove(&tag).await;
    });
}

#[test]
fn a_failing_command_is_told_with_its_line_and_status() {
    on_each_engine(async |bench: &Bench| {
        let text = format!("{BASE}RUN echo so far; exit 7\nRUN echo never\n");
        let (ended, events) = bench
            .watch(&fresh("fails"), &text, CancellationToken::new(), |_| {})
            .await;
        let error = ended.expect_err("the build fails");
        assert!(
            matches!(
                error,
                BuildError::Step {
                    line: Some(5),
                    exit: Some(7),
                    ..
                }
            ),
            "{}: {error:?}",
            bench.address
        );
        let (_, _, failed, _) = end_of(&events, 5);
        assert!(failed);
    });
}

#[test]
fn dockerfiles_that_cannot_be_read_are_told_apart_from_failing_ones() {
    on_each_engine(async |bench: &Bench| {
        for (text, wanted) in [
            ("FROM scratch\nRUNN x\n", Some(2)),
            ("", None),
            ("# nothing but a comment\n", None),
        ] {
            let error = bench
                .build(&fresh("syntax"), text)
                .await
                .expect_err("the build fails");
            let BuildError::Syntax { line, message } = &error else {
                panic!("{}: {text:?}: {error:?}", bench.address);
            };
            assert_eq!(*line, wanted, "{}: {text:?}: {message}", bench.address);
            assert!(!message.as_str().contains("imagebuilder"), "{message}");
        }
    });
}

#[test]
fn a_platform_that_comes_to_nothing_cannot_be_read() {
    on_each_engine(async |bench: &Bench| {
        let text = "FROM --platform=$NONE scratch\nCOPY Dockerfile /\n";
        let (_folder, mut request) = bench.request(&fresh("platform"), text, &[]);
        request.dockerfile = Dockerfile::parse(text).into();
        let (ended, _) = bench
            .follow(request, CancellationToken::new(), |_| {})
            .await;
        let error = ended.expect_err("the build fails");
        assert!(
            matches!(error, BuildError::Syntax { .. }),
            "{}: {error:?}",
            bench.address
        );
    });
}

#[test]
fn a_base_that_is_not_to_be_had_names_its_registry_and_line() {
    on_each_engine(async |bench: &Bench| {
        let began = Instant::now();
        let error = bench
            .build(&fresh("base"), "FROM nosuch.invalid/x:1\nRUN true\n")
            .await
            .expect_err("the build fails");
        let BuildError::NoBase {
            line,
            reference,
            registry,
            ..
        } = &error
        else {
            panic!("{}: {error:?}", bench.address);
        };
        assert_eq!(*line, Some(1));
        assert_eq!(reference, "nosuch.invalid/x:1");
        assert_eq!(registry, "nosuch.invalid");
        assert!(began.elapsed() < Duration::from_secs(25));
    });
}

#[test]
fn a_missing_file_is_the_steps_fault() {
    on_each_engine(async |bench: &Bench| {
        let tag = fresh("copy");
        // Steps that no build had before this one.
        let text = format!("{BASE}WORKDIR /{tag}\nRUN : {tag}\nCOPY nothere /\n");
        let (ended, events) = bench
            .watch(&tag, &text, CancellationToken::new(), |_| {})
            .await;
        let error = ended.expect_err("the build fails");
        let BuildError::Step {
            line,
            exit,
            message,
            ..
        } = &error
        else {
            panic!("{}: {error:?}", bench.address);
        };
        assert_eq!((*line, *exit), (Some(7), None));
        assert!(message.as_str().contains("nothere"), "{message}");
        let fresh = [5, 6].map(|line| step_at(&events, line));
        let cached = events.iter().filter(|(_, event)| {
            matches!(event, BuildEvent::StepFinished { step, cached: true, .. } if fresh.contains(step))
        });
        assert_eq!(cached.count(), 0, "{}: {events:#?}", bench.address);
    });
}

#[test]
fn a_cancelled_build_is_over_when_it_says_so() {
    alone_on_each_engine(async |bench: &Bench| {
        let tag = fresh("cancel");
        let marker = format!("marker-{}", tag.rsplit(':').next().expect("a tag"));
        let text = format!("{BASE}RUN echo begun; : {marker}; busybox sleep 300; echo {marker}\n");
        let cancel = CancellationToken::new();
        let stop = cancel.clone();
        let began = Instant::now();
        let (ended, events) = bench
            .watch(&tag, &text, cancel, move |event| {
                if matches!(event, BuildEvent::Log { line, .. } if line.as_str() == "begun") {
                    stop.cancel();
                }
            })
            .await;
        let left = runs(&marker);
        assert_eq!(ended, Err(BuildError::Cancelled), "{}", bench.address);
        assert!(!left, "{}: the command still runs", bench.address);
        assert!(
            began.elapsed() < Duration::from_secs(100),
            "{}: the command was waited for",
            bench.address
        );
        let begun = events
            .iter()
            .any(|(_, event)| matches!(event, BuildEvent::Log { .. }));
        assert!(begun, "it was cancelled in the middle of a command");
        let failed = |(_, event): &Timed| matches!(event, BuildEvent::StepFinished { end, .. } if *end == StepEnd::Failed);
        assert!(!events.iter().any(failed), "{}: {events:#?}", bench.address);
        let found = bench.engine.inspect(&tag).await.expect("an answer");
        assert_eq!(found, None, "{}: no image came of it", bench.address);
        // The next build is not held up.
        bench
            .build(&tag, BASE)
            .await
            .unwrap_or_else(|error| panic!("{}: {error:?}", bench.address));
        bench.remove(&tag).await;
    });
}

#[test]
fn a_build_that_is_cancelled_between_two_steps_does_not_begin_the_next() {
    alone_on_each_engine(async |bench: &Bench| {
        for copy in [3, 4] {
            let tag = fresh("between");
            let marker = format!("between-{}", tag.rsplit(':').next().expect("a tag"));
            // The label keeps the copies out of every cache: they are steps that take a moment.
            let base = BASE.replacen('\n', &format!("\nLABEL of={marker}\n"), 1);
            let text = format!("{base}RUN : {marker}; busybox sleep 300; :\n");
            let cancel = CancellationToken::new();
            let stop = cancel.clone();
            let mut begun = None;
            let (ended, _) = bench
                .watch(&tag, &text, cancel, move |event| match event {
                    BuildEvent::StepPlanned {
                        step,
                        line: Some(at),
                        ..
                    } if *at == copy => begun = Some(*step),
                    BuildEvent::StepStarted { step } if begun == Some(*step) => stop.cancel(),
                    _ => {}
                })
                .await;
            assert_eq!(ended, Err(BuildError::Cancelled), "{}", bench.address);
            assert!(!runs(&marker), "{}: the command runs", bench.address);
        }
    });
}

#[test]
fn a_build_that_never_ends_is_ended() {
    alone_on_each_engine(async |bench: &Bench| {
        let tag = fresh("endless");
        let marker = format!("endless-{}", tag.rsplit(':').next().expect("a tag"));
        let text = format!("{BASE}RUN : {marker}; busybox sleep 300; :\n");
        let (_folder, mut request) = bench.request(&tag, &text, &[]);
        request.within = Duration::from_secs(2);
        let (ended, _) = bench
            .follow(request, CancellationToken::new(), |_| {})
            .await;
        assert_eq!(ended, Err(BuildError::TimedOut(Duration::from_secs(2))));
        assert!(!runs(&marker), "{}: the command still runs", bench.address);
    });
}

#[test]
fn a_build_that_is_given_up_leaves_a_neighbour_s_alone() {
    on_each_engine(async |bench: &Bench| {
        let (ours, theirs) = (fresh("given-up"), fresh("neighbour"));
        let marker = format!("shared-{}", ours.rsplit(':').next().expect("a tag"));
        // What the neighbour runs is a step of ours that we never come to.
        let shared = format!("RUN : {marker}; echo begun; busybox sleep 8; :\n");
        let slow = format!("RUN : own-{marker}; busybox sleep 12; :\n");
        let (_ours, mut request) = bench.request(&ours, &format!("{BASE}{slow}{shared}"), &[]);
        request.within = Duration::from_secs(2);
        let given_up = bench.follow(request, CancellationToken::new(), |_| {});
        let address = Address::parse(&bench.address, None).expect("an address");
        let neighbour = Bench {
            engine: Docker::connect(&address, Choices::default())
                .await
                .expect("a second process would reach it as well"),
            address: bench.address.clone(),
            built: Mutex::default(),
        };
        let (_theirs, request) = neighbour.request(&theirs, &format!("{BASE}{shared}"), &[]);
        let building = neighbour.follow(request, CancellationToken::new(), |_| {});
        let ((ended, _), (built, _)) = tokio::join!(given_up, building);
        assert_eq!(ended, Err(BuildError::TimedOut(Duration::from_secs(2))));
        built.unwrap_or_else(|error| panic!("{}: {error:?}", bench.address));
        bench.remove(&theirs).await;
    });
}

#[test]
fn a_flood_of_output_is_bounded_and_clean() {
    on_each_engine(async |bench: &Bench| {
        let tag = fresh("flood");
        let text = format!(
            "{BASE}RUN busybox printf '\\033]0;evil\\007\\033[31mred\\n'; busybox yes loud {tag} | busybox head -n 300000\n"
        );
        let (ended, events) = bench
            .watch(&tag, &text, CancellationToken::new(), |_| {})
            .await;
        // BuildKit itself cuts a step's output; the others send it all and are stopped.
        match ended {
            Err(BuildError::TooLoud(_)) => {}
            Ok(_) if bench.engine.info().builder == Builder::Buildkit => bench.remove(&tag).await,
            other => panic!("{}: {other:?}", bench.address),
        }
        let lines: Vec<&str> = events
            .iter()
            .filter_map(|(_, event)| match event {
                BuildEvent::Log { line, .. } => Some(line.as_str()),
                _ => None,
            })
            .collect();
        assert!(lines.len() < 110_000, "{} lines", lines.len());
        assert!(
            lines.contains(&"red"),
            "{}: {:?}",
            bench.address,
            lines.first()
        );
        assert!(!lines.iter().any(|line| line.contains('\u{1b}')));
    });
}

/// Counted in a process of its own, in which no other test opens files.
#[test]
fn many_builds_leave_no_open_file_behind() {
    const ALONE: &str = "LOADLINE_TEST_ALONE";
    const BUILDS: usize = 12;
    on_each_engine(async |bench: &Bench| {
        if std::env::var_os(ALONE).is_none() {
            let itself = std::env::current_exe().expect("this program");
            let name = concat!(module_path!(), "::many_builds_leave_no_open_file_behind");
            let name = name.split_once("::").expect("it is in a crate").1;
            let mut alone = tokio::process::Command::new(itself);
            alone
                .args(["--exact", name, "--nocapture"])
                .env(ALONE, "1")
                .env("LOADLINE_TEST_ENGINES", &bench.address)
                .kill_on_drop(true);
            let ended = alone.output().await.expect("it starts");
            let said = String::from_utf8_lossy(&ended.stdout);
            assert!(
                ended.status.success() && said.contains("1 passed"),
                "{said}{}",
                String::from_utf8_lossy(&ended.stderr)
            );
            return;
        }
        let tag = fresh("files");
        let open = || {
            let all = std::fs::read_dir("/proc/self/fd").expect("/proc").flatten();
            let mut all: Vec<PathBuf> = all
                .filter_map(|file| file.path().read_link().ok())
                .collect();
            all.sort();
            all
        };
        bench.build(&tag, BASE).await.expect("a build");
        let before = open();
        for _ in 0..BUILDS {
            bench.build(&tag, BASE).await.expect("a build");
        }
        // One that is kept for the next build is none that each build leaves.
        let most = before.len() + BUILDS / 2;
        for _ in 0..50 {
            if open().len() < most {
                break;
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        let after = open();
        assert!(after.len() < most, "{before:#?} before, {after:#?} after");
        bench.remove(&tag).await;
    });
}
