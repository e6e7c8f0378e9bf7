//! Files of that tool, read and judged.

use super::*;
use crate::goal::fixture::contents;
use crate::goal::fixture::layer;
use crate::goal::fixture::lines;
use crate::goal::fixture::nothing;
use crate::goal::fixture::show;
use crate::goal::fixture::sizes;
use crate::goal::fixture::with_config;
use crate::image::run::RunOutcome;

fn one(yaml: &str) -> StructureTest {
    let mut tests = parse(&format!("schemaVersion: 2.0.0\n{yaml}")).unwrap();
    assert_eq!(tests.len(), 1);
    tests.remove(0)
}

fn error(yaml: &str) -> String {
    parse(yaml).unwrap_err().to_string()
}

/// An image with a few files and a full config.
fn image() -> Evidence {
    let config = Config {
        user: String::from("app"),
        entrypoint: vec![String::from("/app")],
        env: vec![String::from("PATH=/bin"), String::from("HOME=/srv")],
        working_dir: String::from("/srv"),
        labels: [(String::from("version"), String::from("1.2"))].into(),
        exposed_ports: vec![String::from("8000/tcp")],
        volumes: vec![String::from("/data")],
        ..Config::default()
    };
    let mut evidence = with_config("FROM a\nCOPY . .", config);
    let mut files = layer(&[
        "4755 bin/su",
        "644 srv/app.py",
        "srv/link -> app.py",
        "1777 tmp/",
        "644 usr/share/doc/a/copyright",
        "644 usr/share/doc/b/copyright",
    ]);
    for (path, text) in [
        ("srv/app.py", "import os\nprint(1)\n"),
        ("usr/share/doc/a/copyright", "MIT"),
        ("usr/share/doc/b/copyright", "the agpl"),
    ] {
        files.kept.insert(path.to_owned(), text.as_bytes().to_vec());
    }
    evidence.contents = Ok(contents(vec![files]));
    evidence.sizes = Ok(sizes(&[(Some(2), 1)]));
    evidence
}

fn judge(yaml: &str) -> String {
    show(&one(yaml).goal.evaluate(&image()))
}

#[test]
fn every_sort_of_test_becomes_a_goal_with_its_name() {
    let tests = parse(
        "schemaVersion: \"2.0.0\"\n\
         globalEnvVars: [{ key: A, value: b }]\n\
         commandTests:\n  - { name: runs, command: app, args: [--version], expectedOutput: ['1\\.2'] }\n\
         fileExistenceTests:\n  - { name: there, path: /app }\n\
         fileContentTests:\n  - { name: says, path: /app, expectedContents: [x] }\n\
         metadataTest: { user: app }\n\
         licenseTests: [{ debian: true }, { files: [/LICENSE] }]\n",
    )
    .unwrap();
    let names: Vec<&str> = tests.iter().map(|test| test.name.as_str()).collect();
    assert_eq!(
        names,
        [
            "runs",
            "there",
            "says",
            "Metadata Test",
            "License Test",
            "License Test 2"
        ]
    );
    for test in &tests {
        assert_eq!(test.goal.kind(), "structure_tests");
        assert!(!test.goal.title().is_empty() && !test.goal.wanted().is_empty());
        assert!(!test.goal.evaluate(&nothing("")).is_met());
    }
    assert!(tests[2].goal.needs().files.contains("app"));
}

#[test]
fn what_cannot_be_done_is_refused() {
    let file = |yaml: &str| format!("schemaVersion: 2.0.0\n{yaml}");
    assert!(error("schemaVersion: 1.0.0").contains("only `2.0.0`"));
    assert!(error("commandTests: []").contains("schemaVersion"));
    assert!(error(&file("")).contains("no test"));
    assert!(
        error(&file(
            "commandTests: [{ name: a, command: b, setup: [[x]] }]"
        ))
        .contains("the test `a` has `setup`")
    );
    assert!(
        error(&file(
            "containerRunOptions: { privileged: true }\nmetadataTest: { user: a }"
        ))
        .contains("sets `privileged`")
    );
    assert!(
        error(&file(
            "commandTests: [{ name: a, command: b, expectedOutput: ['('] }]"
        ))
        .contains("not a regular expression")
    );
    assert!(
        error(&file(
            "fileExistenceTests: [{ name: a, path: /b, shouldExist: false, uid: 0 }]"
        ))
        .contains("should not exist")
    );
    let unknown = parse(&file("comandTests: []")).unwrap_err();
    assert!(unknown.message.contains("unknown field"), "{unknown}");
    assert_eq!(unknown.place, Some((2, 1)));
}

#[test]
fn permissions_are_written_as_that_tool_writes_them() {
    let test = |rest: &str| judge(&format!("fileExistenceTests: [{{ name: a, {rest} }}]"));
    assert_eq!(
        test("path: /bin/su, permissions: urwxr-xr-x, uid: 0, gid: 0"),
        "met: urwxr-xr-x"
    );
    assert_eq!(
        test("path: /tmp, permissions: dtrwxrwxrwx"),
        "met: dtrwxrwxrwx"
    );
    assert_eq!(test("path: $HOME/link"), "met: Lrwxr-xr-x");
    assert_eq!(test("path: /usr/share, isExecutableBy: any"), "met: there");
    assert_eq!(test("path: /none, shouldExist: false"), "met: not there");
    insta::assert_snapshot!(test("path: /srv/app.py, isExecutableBy: other"), @r"
    unmet: permissions -rw-r--r--
    why:   It should be executable by others.
    next:  Look at how it gets into the image, with which permissions and whose.
    blame: line 2, layer 0, /srv/app.py
    ");
    insta::assert_snapshot!(test("path: /srv/app.py, shouldExist: false"), @r"
    unmet: `/srv/app.py` is there
    why:   It should not be in the image.
    next:  Find the instruction of the final stage that brings it.
    blame: line 2, layer 0, /srv/app.py
    ");
    assert!(test("path: /srv/app.py, gid: 5").starts_with("unmet: owned by group 0"));
    assert!(test("path: /none").starts_with("unmet: no `/none`"));
}

#[test]
fn contents_are_matched_as_a_whole_text() {
    let test = |rest: &str| judge(&format!("fileContentTests: [{{ name: a, {rest} }}]"));
    assert_eq!(
        test("path: /srv/link, expectedContents: ['^import', 'print']"),
        "met: as it should be"
    );
    // Without a flag, the ends of lines are no ends.
    assert!(
        test("path: /srv/app.py, expectedContents: ['^print']")
            .starts_with("unmet: another content")
    );
    assert!(test("path: /srv/app.py, excludedContents: [os]").contains("should not match /os/"));
    assert!(test("path: /none, excludedContents: [os]").starts_with("unmet: no `/none`"));
    assert!(test("path: /bin/su").starts_with("unknown: The content of `/bin/su`"));
}

#[test]
fn the_config_is_compared_value_by_value() {
    let test = |rest: &str| judge(&format!("metadataTest: {{ {rest} }}"));
    assert_eq!(
        test(
            "envVars: [{ key: HOME, value: '^/s', isRegex: true }], unboundEnvVars: [{ key: X }], labels: [{ key: version, value: '1.2' }], entrypoint: [/app], cmd: [], exposedPorts: ['8000'], unexposedPorts: ['80'], volumes: [/data], unmountedVolumes: [/x], workdir: /srv, user: app"
        ),
        "met: as asked for"
    );
    assert_eq!(
        test("env: [{ key: HOME, value: /srv }]"),
        "met: as asked for"
    );
    insta::assert_snapshot!(test("user: web, workdir: /, exposedPorts: ['80']"), @r"
    unmet: the working directory `/srv`, and 2 values more
    why:   The working directory should be `/`.
    next:  Look for the instruction of the final stage that sets it.
    blame:
    ");
    for (rest, found) in [
        (
            "unboundEnvVars: [{ key: HOME }]",
            "the environment variable `HOME` is set",
        ),
        (
            "labels: [{ key: version, value: '^2', isRegex: true }]",
            "the label `version` is `1.2`",
        ),
        ("labels: [{ key: none, value: x }]", "no label `none`"),
        ("cmd: [x]", "the command []"),
        ("unexposedPorts: [8000/tcp]", "the exposed port `8000/tcp`"),
        ("volumes: [/x]", "no volume `/x`"),
    ] {
        let told = test(rest);
        assert!(told.starts_with(&format!("unmet: {found}")), "{told}");
    }
}

#[test]
fn licences_are_read_from_the_packages_files() {
    insta::assert_snapshot!(judge("licenseTests: [{ debian: true }]"), @r"
    unmet: `/usr/share/doc/b/copyright` names AGPL
    why:   That licence is one that the image must not have.
    next:  Find the package that the file belongs to, and what needs it.
    blame: line 2, layer 0, /usr/share/doc/b/copyright
    ");
    let plain = "licenseTests: [{ files: [/usr/share/doc/a/copyright] }]";
    assert_eq!(judge(plain), "met: 1 licence file");
    assert!(judge("licenseTests: [{ files: [/LICENSE] }]").starts_with("unmet: no `/LICENSE`"));
}

fn run(yaml: &str, outcome: RunOutcome) -> String {
    let test = one(&format!("commandTests: [{{ name: a, {yaml} }}]"));
    let mut evidence = image();
    let run = test.goal.needs().runs.pop_first().unwrap();
    assert!(run.start.expand);
    assert_eq!(run.start.entrypoint.as_ref().map(Vec::len), Some(1));
    evidence.runs.insert(run, Ok(outcome));
    show(&test.goal.evaluate(&evidence))
}

#[test]
fn commands_are_judged_by_status_and_output() {
    let ended = |status: i64, stdout: &str, stderr: &str| RunOutcome {
        exit: Some(status),
        stdout: lines(stdout),
        stderr: lines(stderr),
        ..RunOutcome::default()
    };
    let yaml =
        "command: app, args: [-v], exitCode: 3, expectedOutput: ['^v1$'], excludedError: [warn]";
    assert_eq!(run(yaml, ended(3, "v1", "")), "met: status 3");
    assert!(run(yaml, ended(0, "v1", "")).starts_with("unmet: status 0"));
    insta::assert_snapshot!(run(yaml, ended(3, "v2", "")), @r"
    unmet: another output
    why:   The output should match /^v1$/. Its last line is: v2
    next:  Compare what the command writes with what is wanted, letter by letter.
    blame:
    ");
    assert!(
        run(yaml, ended(3, "v1", "a warning"))
            .contains("The error output should not match /warn/.")
    );
}

proptest::proptest! {
    #[test]
    fn any_text_is_read_or_refused(text in "(schemaVersion: 2.0.0\n)?(commandTests|metadataTest|fileExistenceTests): ?.{0,60}") {
        let _ = parse(&text);
    }
}
