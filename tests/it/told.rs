//! What an image's history and a Dockerfile give away is told by no verb, in no format.

use std::fmt::Write as _;

use crate::faults;
use crate::faults::engine;
use crate::sandbox::Ended;
use crate::sandbox::Sandbox;
use crate::scan::image;

/// Values that nobody may read, each in a step that made a layer.
const VALUES: [&str; 5] = [
    "correct-horse-1",
    "battery-staple-2",
    "glass-onion-3",
    "long-and-winding-4",
    "back-seat-5",
];

/// Values that nobody may read, each in a command; half of them have less than three digits.
const RANDOM: [&str; 10] = [
    "3Tz85pkNGcVx2RHLKXSf",
    "hQzRkWvTbYpLxNcMdJ7g",
    "vBqZtGwYrXkPnMdHs2Lj",
    "Jx7mQpZr4WnKcVb9TsYh",
    "nV8dRkXtGqLbMzPwYc2H",
    "bN5wQtXzRvKpJdLgHs8C",
    "Wq4kZpVrTnXbMcJyGd7L",
    "xK2vBtRqZnWpLdMhYg9S",
    "Rd6nXqVtKzPwBcLmJy3G",
    "pZ9tWkQxNvRbGdMcLh4Y",
];

/// Commands that are given those values, in their order.
fn commands() -> [String; 10] {
    let [a, b, c, d, e, f, g, h, i, j] = RANDOM;
    [
        format!("wget mysql://root:{a}@db.corp.com/app"),
        format!("wget redis://:{b}@cache.corp.com"),
        format!("git clone https://admin:{c}@git.corp.com/x"),
        format!("http_proxy=http://user:{d}@proxy:3128 make"),
        format!("curl -u ci:{e} https://git.corp.com/x"),
        format!("curl -H 'Authorization: Bearer {f}' https://git.corp.com/x"),
        format!("curl -H \"Authorization: Basic {g}\" https://git.corp.com/x"),
        format!("sshpass -p {h} ssh ci@git.corp.com"),
        format!("mysql -u root -p{i} app"),
        format!("export PASSWORD={j} && make"),
    ]
}

/// The program told what it should, and no value.
fn quiet(words: &[&str], ended: &Ended, says: &str) {
    let told = format!("{}{}", ended.stdout, ended.stderr);
    assert!(told.contains(says), "{words:?}: {told}");
    for value in VALUES.iter().chain(&RANDOM) {
        assert!(!told.contains(value), "{words:?} tells {value}: {told}");
    }
}

/// An image that was built with each of them, by builders of each kind.
fn archive(sandbox: &Sandbox, name: &str) -> String {
    let [one, two, three, four, five] = VALUES;
    let path = sandbox.path(name);
    let classic = format!("|1 TOKEN={one} /bin/sh -c pip install --target=/deps jinja2");
    let nop = format!("/bin/sh -c #(nop)  ENV DB_PASSWORD={two} and more");
    let buildkit =
        format!("RUN |2 API_TOKEN={three} A=b c /bin/bash -o pipefail -c make install # buildkit");
    let shellless = format!("RUN |1 API_TOKEN={four} /app/install # buildkit");
    let command = format!("RUN /bin/sh -c curl --password={five} host # buildkit");
    let motd: &[(&str, &str)] = &[("etc/motd", "hello")];
    let runs = commands().map(|command| format!("RUN /bin/sh -c {command} # buildkit"));
    let mut steps: Vec<(&str, &[(&str, &str)])> = vec![
        (
            &classic,
            &[(
                "deps/jinja2-3.1.3.dist-info/METADATA",
                "Metadata-Version: 2.1\nName: Jinja2\nVersion: 3.1.3\n",
            )],
        ),
        (&nop, &[("etc/motd", "hello")]),
        (&buildkit, &[("etc/.wh.motd", "")]),
        (
            &shellless,
            &[(
                "deps/flask-2.2.2.dist-info/METADATA",
                "Metadata-Version: 2.1\nName: Flask\nVersion: 2.2.2\n",
            )],
        ),
        (
            &command,
            &[(
                "deps/werkzeug-2.2.2.dist-info/METADATA",
                "Metadata-Version: 2.1\nName: Werkzeug\nVersion: 2.2.2\n",
            )],
        ),
    ];
    steps.extend(runs.iter().map(|run| (run.as_str(), motd)));
    image(&path, &steps);
    path.display().to_string()
}

#[test]
fn no_verb_tells_the_secrets_of_an_image_s_history() {
    let sandbox = Sandbox::without_engine();
    let (path, other) = (
        archive(&sandbox, "image.tar"),
        archive(&sandbox, "other.tar"),
    );
    // Each with a word that it prints of the steps, so that silence is no proof.
    for (words, says) in [
        (vec!["inside", &path], "a value whose name says"),
        (vec!["inside", &path, "--json"], "named-secret"),
        (vec!["layers", &path], "RUN pip install"),
        (vec!["layers", &path, "--json"], "DB_PASSWORD=…"),
        (vec!["sbom", &path], "pip install"),
        (
            vec!["sbom", &path, "--format", "cyclonedx"],
            "DB_PASSWORD=…",
        ),
        (vec!["sbom", &path, "--format", "spdx"], "DB_PASSWORD=…"),
        (vec!["sbom", &path, "--format", "json"], "DB_PASSWORD=…"),
        (vec!["scan", &path, "--all"], "RUN pip install"),
        (vec!["scan", &path, "--json"], "pip install"),
        (vec!["compare", &path, &other], "Packages"),
        (vec!["compare", &path, &other, "--json"], "packages"),
    ] {
        let ended = sandbox.run(&words);
        assert_eq!(ended.code, Some(0), "{words:?}: {}", ended.stderr);
        assert!(ended.stdout.contains(says), "{words:?}: {}", ended.stdout);
        quiet(&words, &ended, says);
    }
    let ended = sandbox.run(&["inside", &path, "--json"]);
    let report: serde_json::Value = serde_json::from_str(&ended.stdout).expect("JSON");
    let secrets = report["secrets"].as_array().expect("secrets");
    for step in 5..15 {
        let found = secrets.iter().any(|one| one["step"] == step);
        assert!(found, "step {step} is not in {secrets:#?}");
    }
}

/// A Dockerfile with each of the values, and with what the rules remark on beside each.
fn dockerfile() -> String {
    let [one, two, ..] = VALUES;
    let mut text = format!(
        "FROM busybox\nARG API_TOKEN={one}\nENV DB_PASSWORD {two} and more\nADD https://ci:{}@git.corp.com/a/long/way/to/go /a\n",
        RANDOM[0]
    );
    for command in commands() {
        let _ = writeln!(text, "RUN cd / && sudo true || {command}");
    }
    text
}

#[test]
fn no_format_of_lint_tells_the_secrets_of_a_dockerfile() {
    let sandbox = Sandbox::without_engine();
    sandbox.write("Dockerfile", &dockerfile());
    for (format, says) in [
        ("text", "RUN cd / && sudo true || export PASSWORD=…"),
        ("json", "readable in"),
        ("sarif", "readable in"),
        ("gitlab", "readable in"),
    ] {
        let words = ["lint", "Dockerfile", "--format", format];
        let ended = sandbox.run(&words);
        assert_eq!(ended.code, Some(1), "{}", ended.shown());
        quiet(&words, &ended, says);
    }
}

/// An exercise whose goals quote the lines of a Dockerfile.
const EXERCISE: &str = "format: 1
title: Quiet
minutes: 3
edit: [Dockerfile]
bases: [busybox]
starter_misses: [largest_file]
goals:
  - largest_file: 1 B
  - no_secret
  - lint: 0
hints:
  - { for: largest_file, text: look }
";

/// A course of that exercise.
fn course(sandbox: &Sandbox, dockerfile: &str) -> String {
    for (name, text) in [
        (
            "lessons/course.yaml",
            "format: 1\nid: probe\ntitle: Probe\n",
        ),
        (
            "lessons/01-a.md",
            "---\ntitle: A\nminutes: 1\nexercises: [quiet]\ngoals_of_lesson: [read]\n---\n\n# A\n",
        ),
        ("exercises/quiet/exercise.yaml", EXERCISE),
        ("exercises/quiet/brief.md", "# Quiet\n"),
        ("exercises/quiet/files/Dockerfile", dockerfile),
    ] {
        sandbox.write(&format!("course/{name}"), text);
    }
    sandbox.path("course").display().to_string()
}

#[test]
fn no_verdict_and_no_step_of_a_build_tells_the_secrets_of_a_dockerfile() {
    if !engine() {
        return;
    }
    let sandbox = faults::sandbox();
    let value = RANDOM[9];
    let met = format!(
        "FROM busybox\nRUN export API_TOKEN={value} && dd if=/dev/zero of=/big bs=1k count=9000\nCMD [\"true\"]\n"
    );
    let stopped = format!("FROM busybox\nRUN export PASSWORD={value} && false\n");
    let course = course(&sandbox, &met);
    let folder = sandbox.path("mine").display().to_string();
    for (dockerfile, says) in [
        (&met, "export API_TOKEN=… && dd"),
        (&stopped, "`RUN export PASSWORD=… && false` stopped"),
    ] {
        sandbox.write("mine/Dockerfile", dockerfile);
        for json in [false, true] {
            let mut words = vec!["check", "quiet", "--course", &course, "--dir", &folder];
            words.extend(json.then_some("--json"));
            let ended = sandbox.run(&words);
            assert!(matches!(ended.code, Some(1 | 5)), "{}", ended.shown());
            quiet(&words, &ended, says);
        }
    }
}
