//! Goals that compare with the starter, and images that are judged as they are, on a real engine.

use std::sync::Arc;

use loadline::engine::Engine;
use serde_json::Value;

use crate::host;
use crate::sandbox::Ended;
use crate::sandbox::Sandbox;

const EXERCISE: &str = "\
format: 1
title: Fewer
minutes: 3
edit: [Dockerfile]
bases: []
starter_misses: [vulnerabilities]
goals:
  - vulnerabilities: { fixable: [critical, high], less_than: baseline }
hints:
  - { for: vulnerabilities, text: look }
";

const TESTS: &str = "\
schemaVersion: 2.0.0
fileExistenceTests:
  - { name: Flask has its record, path: /old/flask-2.2.2.dist-info/METADATA, shouldExist: true }
  - { name: No shell, path: /bin/sh, shouldExist: false }
metadataTest: { workdir: /app }
";

/// What pip writes beside a package.
fn record(name: &str, version: &str) -> String {
    format!("Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n")
}

/// A course of one exercise: an image of records of packages, old and new.
fn course(sandbox: &Sandbox) -> String {
    for (name, text) in [
        (
            "lessons/course.yaml",
            "format: 1\nid: probe\ntitle: Probe\n",
        ),
        (
            "lessons/01-a.md",
            "---\ntitle: A\nminutes: 1\nexercises: [fewer]\ngoals_of_lesson: [read]\n---\n\n# A\n",
        ),
        ("exercises/fewer/exercise.yaml", EXERCISE),
        ("exercises/fewer/brief.md", "# Fewer\n"),
        (
            "exercises/fewer/files/Dockerfile",
            "FROM scratch\nCOPY old /old\nWORKDIR /app\nCMD [\"/app\"]\n",
        ),
    ] {
        sandbox.write(&format!("course/{name}"), text);
    }
    for (folder, name, version) in [
        ("old", "flask", "2.2.2"),
        ("old", "werkzeug", "2.2.2"),
        ("new", "flask", "3.1.3"),
        ("new", "werkzeug", "2.2.2"),
    ] {
        let file = format!("course/exercises/fewer/files/{folder}/{name}-{version}.dist-info");
        sandbox.write(&format!("{file}/METADATA"), &record(name, version));
    }
    sandbox.path("course").display().to_string()
}

fn json(ended: &Ended) -> Value {
    serde_json::from_str(&ended.stdout).unwrap_or_else(|error| panic!("{error}: {}", ended.shown()))
}

/// One attempt with this Dockerfile.
fn check(sandbox: &Sandbox, course: &str, name: &str, dockerfile: &str) -> Ended {
    sandbox.write(&format!("{name}/Dockerfile"), dockerfile);
    let folder = sandbox.path(name).display().to_string();
    sandbox.run(&[
        "check", "fewer", "--course", course, "--dir", &folder, "--db", "shipped", "--json",
    ])
}

fn verdict(report: &Value) -> (&str, String) {
    let goal = &report["goals"][0];
    let told = ["actual", "why"].map(|part| goal[part].as_str().unwrap_or_default());
    (
        goal["verdict"].as_str().unwrap_or_default(),
        told.join(" | "),
    )
}

async fn remove(engine: &Arc<dyn Engine>, report: &Value) {
    if let Some(image) = report["image"]["id"].as_str() {
        let _ = engine.remove_image(image).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn fewer_vulnerabilities_than_the_starter_are_proved_by_building_the_starter() {
    let Some(engine) = host::engine().await else {
        return;
    };
    let sandbox = Sandbox::new();
    let course = course(&sandbox);

    // The starter against itself, and something that changes nothing of the matter.
    for (name, dockerfile) in [
        ("same", "FROM scratch\nCOPY old /old\nWORKDIR /app\n"),
        ("moved", "FROM scratch\nCOPY old /elsewhere\nLABEL a=b\n"),
    ] {
        let ended = check(&sandbox, &course, name, dockerfile);
        let report = json(&ended);
        remove(&engine, &report).await;
        let (verdict, told) = verdict(&report);
        assert_eq!((verdict, ended.code), ("unmet", Some(1)), "{name}: {told}");
        assert!(
            told.contains("4 fixable critical or high, the starter has 4; loadline"),
            "{told}"
        );
        assert!(told.contains("Line 2 brings it."), "{told}");
    }

    let ended = check(&sandbox, &course, "better", "FROM scratch\nCOPY new /new\n");
    let report = json(&ended);
    remove(&engine, &report).await;
    let (verdict, told) = verdict(&report);
    assert_eq!((verdict, ended.code), ("met", Some(0)), "{told}");
    assert!(
        told.contains("3 fixable critical or high in 2 packages"),
        "{told}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn an_image_is_judged_by_the_tests_of_a_file_without_a_build() {
    let Some(engine) = host::engine().await else {
        return;
    };
    let sandbox = Sandbox::new();
    let course = course(&sandbox);
    let starter = "FROM scratch\nCOPY old /old\nWORKDIR /app\n";
    let report = json(&check(&sandbox, &course, "starter", starter));
    let image = report["image"]["id"].as_str().expect("an image").to_owned();
    let good = sandbox.write("good.yaml", TESTS).display().to_string();
    let wrong = TESTS.replace("workdir: /app", "workdir: /srv");
    let wrong = sandbox.write("wrong.yaml", &wrong).display().to_string();
    let broken = sandbox.write("broken.yaml", "schemaVersion: 2.0.0\ncommandTest: []\n");
    let broken = broken.display().to_string();

    let passed = sandbox.run(&["check", &image, "--structure-tests", &good]);
    let both = [
        "check",
        &image,
        "--structure-tests",
        &good,
        "--structure-tests",
        &wrong,
        "--json",
    ];
    let failed = sandbox.run(&both);
    let unread = sandbox.run(&["check", &image, "--structure-tests", &broken]);
    let absent = sandbox.run(&["check", "no/such:image", "--structure-tests", &good]);
    let _ = engine.remove_image(&image).await;

    assert_eq!(passed.code, Some(0), "{}", passed.shown());
    assert!(
        passed.stdout.contains("PASS     Flask has its record"),
        "{}",
        passed.shown()
    );
    assert!(
        passed.stdout.contains("3 of 3 tests hold for"),
        "{}",
        passed.shown()
    );
    assert_eq!(failed.code, Some(1), "{}", failed.shown());
    let told = json(&failed);
    assert_eq!(told["schema"], "loadline.structure/v1");
    assert_eq!(told["outcome"], "failed");
    assert_eq!((&told["passed"], &told["failed"]), (&5.into(), &1.into()));
    assert_eq!(told["image"]["id"], image.as_str());
    assert_eq!(unread.code, Some(3), "{}", unread.shown());
    assert!(unread.stderr.contains("commandTest"), "{}", unread.shown());
    assert_eq!(absent.code, Some(2), "{}", absent.shown());
    assert!(
        absent.stderr.contains("no/such:image"),
        "{}",
        absent.shown()
    );
}

#[test]
fn what_belongs_to_attempts_on_folders_is_refused_elsewhere() {
    let sandbox = Sandbox::without_engine();
    let pinned = sandbox.run(&["check", "first-build", "--db", "shipped"]);
    assert_eq!(pinned.code, Some(2), "{}", pinned.shown());
    assert!(pinned.stderr.contains("--dir <DIR>"), "{}", pinned.shown());
    let mixed = [
        "check",
        "app",
        "--structure-tests",
        "t.yaml",
        "--dir",
        "here",
    ];
    let mixed = sandbox.run(&mixed);
    assert_eq!(mixed.code, Some(2), "{}", mixed.shown());
    let unread = sandbox.run(&["check", "app", "--structure-tests", "none.yaml"]);
    assert_eq!(unread.code, Some(2), "{}", unread.shown());
    assert!(
        unread.stderr.contains("the file of tests"),
        "{}",
        unread.shown()
    );
}
