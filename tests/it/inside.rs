//! What is inside real images: programs that lack a loader, files with rights, secrets that were
//! deleted or given as arguments, and the goals that ask for them.

use std::collections::BTreeMap;
use std::path::Path;
use std::path::PathBuf;
use std::process::Command;
use std::sync::Arc;
use std::time::Duration;

use loadline::dockerfile::Dockerfile;
use loadline::engine::BuildRequest;
use loadline::engine::Engine;
use serde_json::Value;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use crate::host;
use crate::layers;
use crate::sandbox::Sandbox;

/// A program that needs the GNU C library.
fn gnu_program(folder: &Path) -> Vec<u8> {
    compile(folder, &[], "fn main() { println!(\"hello\"); }")
}

/// A program that needs nothing: removes a folder.
fn static_program(folder: &Path) -> Vec<u8> {
    let source =
        "fn main() { std::fs::remove_dir_all(std::env::args().nth(1).unwrap()).unwrap(); }";
    compile(folder, &["-C", "target-feature=+crt-static"], source)
}

fn compile(folder: &Path, flags: &[&str], text: &str) -> Vec<u8> {
    let source = folder.join("program.rs");
    std::fs::write(&source, text).expect("the folder is writable");
    let program = folder.join("program");
    let status = Command::new("rustc")
        .args(["-O", "-C", "strip=symbols"])
        .args(flags)
        .arg("-o")
        .args([&program, &source])
        .status()
        .expect("rustc runs");
    assert!(status.success(), "rustc makes the program");
    std::fs::read(program).expect("it is there")
}

/// The same program, which asks for musl's loader.
fn musl_program(gnu: &[u8]) -> Vec<u8> {
    let loader = b"/lib64/ld-linux-x86-64.so.2\0";
    let at = gnu
        .windows(loader.len())
        .position(|window| window == loader)
        .expect("it names its loader");
    let mut program = gnu.to_vec();
    let mut other = b"/lib/ld-musl-x86_64.so.1\0".to_vec();
    other.resize(loader.len(), 0);
    program[at..at + other.len()].copy_from_slice(&other);
    program
}

/// A token that no maker ever gave away.
fn token() -> String {
    format!("ghp_{}", "aZ3bY7cX9dW1eV5fU2gT8hS4iR6jQ0kPmN2L")
}

const DOCKERFILE: &str = "FROM scratch
COPY gnu /app/gnu
COPY musl /bin/musl
COPY tool /bin/tool
COPY srv /srv
ARG TOKEN=correct-horse-7
RUN [\"/bin/tool\", \"/srv/keys\"]
ENV DB_PASSWORD=battery-staple-9
USER web
ENTRYPOINT [\"/app/gnu\"]
";

/// A context with those programs and files.
fn context(folder: &Path) -> PathBuf {
    let gnu = gnu_program(folder);
    let path = folder.join("context.tar");
    let file = std::fs::File::create(&path).expect("the folder is writable");
    let mut builder = tar::Builder::new(file);
    let mut add = |path: &str, mode: u32, bytes: &[u8]| {
        let mut header = tar::Header::new_gnu();
        header.set_mode(mode);
        header.set_size(bytes.len() as u64);
        builder
            .append_data(&mut header, path, bytes)
            .expect("it fits");
    };
    add("Dockerfile", 0o644, DOCKERFILE.as_bytes());
    add("gnu", 0o755, &gnu);
    add("musl", 0o4755, &musl_program(&gnu));
    add("tool", 0o755, &static_program(folder));
    let text = format!("# keys\nGITHUB_TOKEN={}\n", token());
    add("srv/keys/ci.env", 0o644, text.as_bytes());
    add("srv/run.sh", 0o777, b"#!/bin/sh\necho hello\n");
    builder.finish().expect("it is written");
    path
}

async fn build(engine: &Arc<dyn Engine>, context: PathBuf, tag: &str) {
    let request = BuildRequest {
        context: std::fs::File::open(context).expect("it is there").into(),
        dockerfile_path: String::from("Dockerfile"),
        dockerfile_apart: None,
        dockerfile: Arc::new(Dockerfile::parse(DOCKERFILE)),
        tag: tag.to_owned(),
        labels: BTreeMap::new(),
        owner: String::from("test-inside"),
        build_args: BTreeMap::new(),
        target: None,
        no_cache: false,
        network: false,
        within: Duration::from_secs(120),
    };
    let (to, mut events) = mpsc::channel(1000);
    let drain = async { while events.recv().await.is_some() {} };
    let (built, ()) = tokio::join!(engine.build(request, to, CancellationToken::new()), drain);
    built.unwrap_or_else(|error| panic!("{error}"));
}

/// Weight, kind and text of every remark of one of `kinds`.
fn remarks(report: &Value, kinds: &[&str]) -> Vec<String> {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    report["remarks"]
        .as_array()
        .expect("remarks")
        .iter()
        .filter(|one| kinds.contains(&one["kind"].as_str().unwrap_or_default()))
        .map(|one| {
            format!(
                "{} {}: {}",
                text(&one["weight"]),
                text(&one["kind"]),
                text(&one["text"])
            )
        })
        .collect()
}

fn secrets(report: &Value) -> Vec<String> {
    let show = |value: &Value| match value {
        Value::Null => String::new(),
        Value::String(text) => format!(" {text}"),
        other => format!(" {other}"),
    };
    report["secrets"]
        .as_array()
        .expect("secrets")
        .iter()
        .map(|one| {
            let parts = [
                "kind",
                "place",
                "path",
                "layer",
                "line",
                "removed_in",
                "part",
            ];
            parts
                .iter()
                .map(|part| show(&one[part]))
                .collect::<String>()
        })
        .collect()
}

fn check_remarks(report: &Value) {
    let found = remarks(
        report,
        &[
            "missing_loader",
            "missing_interpreter",
            "privileged",
            "unknown_user",
            "world_writable",
        ],
    );
    assert_eq!(found.len(), 6, "{found:#?}");
    assert!(
        found[0].starts_with(
            "problem missing_loader: /app/gnu starts through /lib64/ld-linux-x86-64.so.2"
        ),
        "{found:#?}"
    );
    assert!(found[0].contains("libc.so.6"), "{found:#?}");
    assert!(
        found[1].starts_with("problem unknown_user:") && found[1].contains("`web`"),
        "{found:#?}"
    );
    assert!(
        found[2].starts_with(
            "warning missing_loader: /bin/musl starts through /lib/ld-musl-x86_64.so.1"
        ),
        "{found:#?}"
    );
    assert_eq!(found[3], "warning privileged: /bin/musl is setuid to root.");
    assert!(
        found[4].contains("Every user may change /srv/run.sh, which is a program"),
        "{found:#?}"
    );
    assert_eq!(
        found[5],
        "note missing_interpreter: /srv/run.sh is a script for /bin/sh, which the image does not have."
    );
}

fn check_secrets(report: &Value) {
    let found = secrets(report);
    assert!(
        found.contains(&String::from(" github-token file /srv/keys/ci.env 3 2 4")),
        "{found:#?}"
    );
    assert!(
        found
            .iter()
            .any(|one| one.starts_with(" named-secret config") && one.contains("DB_PASSWORD")),
        "{found:#?}"
    );
    assert!(
        found
            .iter()
            .any(|one| one.starts_with(" named-secret history")),
        "{found:#?}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn an_image_is_told_by_what_it_lacks_and_what_was_left_in_it() {
    let Some(engine) = host::engine().await else {
        return;
    };
    let tag = "loadline-test/inside:1";
    let sandbox = Sandbox::new();
    let folder = sandbox.path("home");
    build(&engine, context(&folder), tag).await;
    let dockerfile = sandbox.write("Dockerfile", DOCKERFILE);
    let dockerfile = dockerfile.display().to_string();
    let json = sandbox.run(&["inside", tag, "--json", "--dockerfile", &dockerfile]);
    let shown = sandbox.run(&["inside", tag, "--dockerfile", &dockerfile]);
    let _ = engine.remove_image(tag).await;
    assert_eq!(json.code, Some(0), "{}", json.shown());
    let report: Value = serde_json::from_str(&json.stdout).expect("it is JSON");
    check_remarks(&report);
    check_secrets(&report);
    for text in [&json.stdout, &shown.stdout] {
        for value in [token().as_str(), "correct-horse-7", "battery-staple-9"] {
            assert!(!text.contains(value), "{text}");
        }
    }
    assert!(
        shown.stdout.contains("a GitHub token in /srv/keys/ci.env, line 2 (layer 3, line 5 of the Dockerfile), deleted in layer 4 but still shipped"),
        "{}",
        shown.stdout
    );
}

const EXERCISE: &str = "\
format: 1
title: Probe
minutes: 3
edit: [Dockerfile]
bases: [busybox]
starter_misses: [multi_arch]
goals:
  - run: { stdout: hello, within: 20 s }
  - same_output: { as: baseline, within: 20 s }
  - no_setuid
  - no_secret
  - multi_arch
  - structure_tests: tests.yaml
hints:
  - { for: run, text: look }
";

const TESTS: &str = "\
schemaVersion: 2.0.0
commandTests:
  - { name: It has words, command: cat, args: [$WORDS], expectedOutput: ['^hello$'] }
fileExistenceTests:
  - { name: Busybox is there, path: /bin/busybox, isExecutableBy: any, uid: 0 }
metadataTest: { env: [{ key: WORDS, value: /words.txt }] }
";

/// A course of one exercise, and folders with answers to it.
struct Course {
    engine: Arc<dyn Engine>,
    sandbox: Sandbox,
    folder: String,
}

impl Course {
    fn new(engine: Arc<dyn Engine>) -> Self {
        let sandbox = Sandbox::new();
        let dockerfile = "FROM busybox\n# made for amd64\nENV ARCH=amd64 WORDS=/words.txt\nCOPY words.txt /words.txt\nCMD [\"cat\", \"/words.txt\"]\n";
        for (name, text) in [
            (
                "lessons/course.yaml",
                "format: 1\nid: probe\ntitle: Probe\n",
            ),
            (
                "lessons/01-a.md",
                "---\ntitle: A\nminutes: 1\nexercises: [probe]\ngoals_of_lesson: [read]\n---\n\n# A\n",
            ),
            ("exercises/probe/exercise.yaml", EXERCISE),
            ("exercises/probe/tests.yaml", TESTS),
            ("exercises/probe/brief.md", "# Probe\n"),
            ("exercises/probe/files/Dockerfile", dockerfile),
            ("exercises/probe/files/words.txt", "hello\n"),
        ] {
            sandbox.write(&format!("course/{name}"), text);
        }
        let folder = sandbox.path("course").display().to_string();
        Self {
            engine,
            sandbox,
            folder,
        }
    }

    /// The verdict and all that is said of each goal, by its id.
    async fn check(
        &self,
        name: &str,
        dockerfile: &str,
        files: &[(&str, &[u8])],
    ) -> BTreeMap<String, String> {
        self.sandbox
            .write(&format!("{name}/Dockerfile"), dockerfile);
        let folder = self.sandbox.path(name);
        for (file, bytes) in files {
            use std::os::unix::fs::PermissionsExt as _;
            let path = folder.join(file);
            std::fs::write(&path, bytes).expect("the folder is writable");
            let mode = std::fs::Permissions::from_mode(0o755);
            std::fs::set_permissions(&path, mode).expect("it is ours");
        }
        let folder = folder.display().to_string();
        let ended = self.sandbox.run(&[
            "check",
            "probe",
            "--course",
            &self.folder,
            "--dir",
            &folder,
            "--json",
        ]);
        let report: Value = serde_json::from_str(&ended.stdout)
            .unwrap_or_else(|error| panic!("{error}: {}", ended.shown()));
        if let Some(image) = report["image"]["id"].as_str() {
            let _ = self.engine.remove_image(image).await;
        }
        let goals = report["goals"].as_array().expect("goals");
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        goals
            .iter()
            .map(|goal| {
                let told = ["verdict", "actual", "why"].map(|part| text(&goal[part]));
                (text(&goal["id"]), told.join(" | "))
            })
            .collect()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn goals_are_judged_by_what_is_inside_the_image() {
    let Some(engine) = host::engine().await else {
        return;
    };
    let course = Course::new(engine);
    let good = "FROM busybox\nENV WORDS=/words.txt\nCOPY words.txt /words.txt\nCMD [\"cat\", \"/words.txt\"]\n";
    let goals = course.check("good", good, &[]).await;
    assert_eq!(goals.len(), 8, "{goals:#?}");
    for (id, told) in &goals {
        assert!(told.starts_with("met"), "{id}: {told}");
    }
    assert!(
        goals.contains_key("structure_tests.it-has-words"),
        "{goals:#?}"
    );
    assert!(
        goals["same_output"].contains("the same output"),
        "{goals:#?}"
    );

    let leaky = "FROM busybox\nENV WORDS=/words.txt\nCOPY words.txt /words.txt\nCOPY ci.env /srv/ci.env\nRUN rm /srv/ci.env && chmod 4755 /bin/busybox && echo other > /words.txt\nCMD [\"cat\", \"/words.txt\"]\n";
    let env = format!("GITHUB_TOKEN={}\n", token());
    let goals = course
        .check("leaky", leaky, &[("ci.env", env.as_bytes())])
        .await;
    let secret = &goals["no_secret"];
    assert!(
        secret.starts_with("unmet | a GitHub token in line 1 of `/srv/ci.env`"),
        "{secret}"
    );
    assert!(
        secret.contains("still shipped") && !secret.contains(&token()),
        "{secret}"
    );
    assert!(
        goals["no_setuid"].contains("`/bin/busybox` is setuid to root"),
        "{goals:#?}"
    );
    assert!(
        goals["same_output"].contains("Line 1 is `other`; in the starter's it is `hello`."),
        "{goals:#?}"
    );
    assert!(
        goals["structure_tests.it-has-words"].starts_with("unmet"),
        "{goals:#?}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_program_without_its_loader_is_explained_with_all_that_it_lacks() {
    let Some(engine) = host::engine().await else {
        return;
    };
    let course = Course::new(engine);
    let folder = tempfile::tempdir().expect("a folder");
    let program = gnu_program(folder.path());
    let bare = "FROM scratch\nARG API_TOKEN=correct-horse-7\nCOPY app /app\nCMD [\"/app\"]\n";
    let goals = course.check("bare", bare, &[("app", &program)]).await;
    let run = &goals["run"];
    assert!(
        run.contains("What is missing is its loader, `/lib64/ld-linux-x86-64.so.2`"),
        "{run}"
    );
    assert!(
        run.contains("It needs") && run.contains("libc.so.6"),
        "{run}"
    );
    assert!(
        goals["no_secret"].contains("line 2 of the Dockerfile (ARG)"),
        "{goals:#?}"
    );
    assert!(
        goals["structure_tests.metadata-test"].contains("no environment variable `WORDS`"),
        "{goals:#?}"
    );
}

#[test]
fn the_base_of_an_image_may_be_an_archive_too() {
    let sandbox = Sandbox::without_engine();
    let all = layers::made();
    let write = |name: &str, count: usize| {
        let archive = layers::tar_of(&layers::legacy(&all[..count], "a:1"));
        layers::file(&sandbox, name, &archive)
    };
    let (image, base) = (write("image.tar", 4), write("base.tar", 2));
    let ended = sandbox.run(&["inside", &image, "--base", &base]);
    assert_eq!((ended.code, ended.stderr.as_str()), (Some(0), ""));
    let ended = sandbox.run(&["inside", &base, "--base", &image]);
    assert_eq!(ended.code, Some(2), "{}", ended.stderr);
    let told = "the image does not begin with the layers of";
    assert!(ended.stderr.contains(told), "{}", ended.stderr);
}
