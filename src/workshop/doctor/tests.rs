//! What the doctor says of each kind of machine.

use super::fixture::no_engine;
use super::fixture::sound;
use super::*;

fn shown(facts: &Facts) -> String {
    checks(facts)
        .iter()
        .map(|check| {
            let fix = check.fix.as_ref().map(|fix| format!("\n    {fix}"));
            format!(
                "{:?} {}: {}{}\n",
                check.state,
                check.title,
                check.found,
                fix.unwrap_or_default()
            )
        })
        .collect()
}

#[test]
fn a_sound_machine_needs_nothing() {
    insta::assert_snapshot!(shown(&sound()), @"
    Good Terminal: 120x36, 256 colours, UTF-8
    Good Engine: Docker 20.10.24 at unix:///var/run/docker.sock (the default socket), graphdriver store
    Good Builder: BuildKit
    Good Disk: 40 GB free for images; the base images to come need about 2 GB
    Good Base images: 1 of 1 ready
    Good Certificates: the host trusts the usual authorities only
    Good Advisories: of 2026-11-25, snapshot 3f2a91c055aa77bb
    Good Scanners: grype 0.104.0; `loadline scan --engine` uses them
    Good Your files: /home/a/loadline
    ");
}

#[test]
fn a_bare_machine_is_told_what_to_do_about_each_thing() {
    let facts = Facts {
        terminal: Terminal::default(),
        engine: Err(no_engine()),
        folder: Err(Trouble::new("there is no home folder").advise(OTHER_FOLDER)),
        authorities: 2,
        advisories: Ok(Database {
            id: "shipped-1".to_owned(),
            date: "2026-11-25".to_owned(),
            shipped: true,
        }),
        scanners: Vec::new(),
        ..sound()
    };
    insta::assert_snapshot!(shown(&facts), @"
    Limited Terminal: none here
        Open a terminal for the screens; every verb and `--plain` work without one.
    Bad Engine: none answers; 0 places tried
        Run `loadline doctor --fix`: it installs or starts one after asking.
    Off Base images: not looked at: they are kept by an engine
    Good Certificates: the host trusts 2 authorities besides the usual ones; builder images made here trust them too
    Good Advisories: of 2026-11-25, those that come with the program: the packages of the course only
        `loadline db update` fetches all there are, for scans of other images.
    Good Scanners: none is installed, and none is needed: loadline scans by itself
    Bad Your files: there is no home folder
        Set `LOADLINE_HOME` to a folder that you may write to.
    ");
}

#[test]
fn a_scanner_that_must_not_be_run_and_damaged_advisories_are_told() {
    let facts = Facts {
        advisories: Err("the snapshot `3f2a` is damaged: cut".to_owned()),
        scanners: vec![("trivy 0.69.4".to_owned(), Some("it steals".to_owned()))],
        ..sound()
    };
    let shown = shown(&facts);
    assert!(shown.contains("Bad Scanners: trivy 0.69.4 must not be run: it steals"));
    assert!(shown.contains("Bad Advisories: the snapshot `3f2a` is damaged"));
}

#[test]
fn a_pulled_builder_that_lacks_the_hosts_authorities_is_named() {
    let mut facts = sound();
    facts.untrusting.push("python:3.13".to_owned());
    assert!(
        shown(&facts).contains("Good Certificates"),
        "none is missing"
    );
    facts.authorities = 1;
    let shown = shown(&facts);
    assert!(shown.contains("Limited Certificates"), "{shown}");
    assert!(shown.contains("vendors do not: python:3.13"), "{shown}");
    assert!(shown.contains("`update-ca-certificates`"), "{shown}");
}

#[test]
fn authorities_that_cannot_be_read_are_named() {
    let mut facts = sound();
    facts.authorities = 1;
    facts.unreadable = vec!["/ca/corp.crt: permission denied".to_owned()];
    let shown = shown(&facts);
    assert!(shown.contains("Limited Certificates"), "{shown}");
    assert!(shown.contains("/ca/corp.crt: permission denied"), "{shown}");
    assert!(shown.contains("`sudo chmod a+rX`"), "{shown}");
}

#[test]
fn limits_are_not_failures() {
    let mut facts = sound();
    facts.terminal.size = Some((40, 10));
    facts.free = Some(Bytes(1_000_000_000));
    facts.bases = Ok(vec![("busybox".to_owned(), false)]);
    if let Ok(info) = &mut facts.engine {
        info.builder = Builder::Classic;
    }
    let states: Vec<CheckState> = checks(&facts).iter().map(|check| check.state).collect();
    assert!(!states.contains(&CheckState::Bad));
    assert_eq!(
        states
            .iter()
            .filter(|state| **state == CheckState::Limited)
            .count(),
        4
    );
}

#[test]
fn a_folder_that_is_not_there_yet_is_judged_by_the_one_above_it() {
    let above = tempfile::tempdir().expect("a folder");
    let wanted = above.path().join("a/b");
    assert_eq!(writable(&wanted), Ok(()));
    let file = above.path().join("file");
    std::fs::write(&file, "").expect("it is ours");
    for below in [&file, &file.join("a")] {
        let no_folder = format!("{} is no folder", file.display());
        assert_eq!(writable(below), Err(no_folder));
    }
}

#[test]
fn an_engine_that_does_not_list_its_images_is_not_good() {
    let facts = Facts {
        bases: Err("list images: boom".to_owned()),
        needed: Bytes(0),
        ..sound()
    };
    let shown = shown(&facts);
    let bad = "Bad Base images: the engine does not list its images: list images: boom";
    assert!(shown.contains(bad), "{shown}");
    assert!(!shown.contains("the base images are here"), "{shown}");
}

#[test]
fn a_missing_permission_is_not_a_missing_engine_and_no_more_is_promised_than_done() {
    let with = |remedy| Facts {
        engine: Err(NoEngine {
            denied: Some("unix:///x.sock".to_owned()),
            remedy,
            ..no_engine()
        }),
        ..sound()
    };
    let joins = Plan {
        summary: String::new(),
        steps: vec![Step {
            why: String::new(),
            command: ["sudo", "usermod"].map(str::to_owned).to_vec(),
        }],
        log: None,
    };
    let does = shown(&with(Ok(joins)));
    assert!(does.contains("no permission to use the engine"), "{does}");
    assert!(does.contains("which runs `sudo usermod` after"), "{does}");
    let cannot = shown(&with(Err(NoPlan {
        reason: "this user may not use it yet".to_owned(),
        commands: vec!["newgrp docker".to_owned()],
    })));
    assert!(cannot.contains("may not use it yet"), "{cannot}");
    assert!(cannot.contains("Run `newgrp docker`."), "{cannot}");
    assert!(!cannot.contains("--fix"), "{cannot}");
}
