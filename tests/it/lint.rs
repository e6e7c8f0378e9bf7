//! `loadline lint` at a shell: what it prints in each format, what it mends, how it ends.

use std::collections::BTreeSet;
use std::io::Write as _;
use std::os::unix::fs::PermissionsExt as _;

use serde_json::Value;

use crate::sandbox::Ended;
use crate::sandbox::Sandbox;
use crate::source::root;

const FILE: &str = "\
FROM node:latest
COPY . /app
RUN cd /app && npm install
ADD run.sh /
CMD node /app/server.js
";

fn sandbox() -> Sandbox {
    let sandbox = Sandbox::without_engine();
    sandbox.write("a/Dockerfile", FILE);
    sandbox.write("a/.dockerignore", ".git\n");
    sandbox.write(
        "clean/Dockerfile",
        "FROM scratch\nUSER 65532\nCOPY app /\nCMD [\"/app\"]\n",
    );
    sandbox
}

fn json(ended: &Ended) -> Value {
    serde_json::from_str(&ended.stdout).expect("one JSON")
}

#[test]
fn findings_are_shown_with_place_and_next_step() {
    let ended = sandbox().run(&[
        "lint",
        "a",
        "--ignore",
        "copy-before-install,no-healthcheck",
    ]);
    insta::assert_snapshot!(ended.shown(), @r#"
    stdout:
    warning[latest-tag]: `node:latest` is another image each month
      --> a/Dockerfile:1:6
         |
       1 | FROM node:latest
         |      ^^^^^^^^^^^
      hint: name the version that you tested

    warning[root-by-default]: no `USER`: `node:latest` starts as root
      --> a/Dockerfile:1:6
         |
       1 | FROM node:latest
         |      ^^^^^^^^^^^
      hint: end the last stage with a user, such as `USER 65532:65532`

    warning[cd-in-run]: `cd` is forgotten at the end of this RUN
      --> a/Dockerfile:3:5
         |
       3 | RUN cd /app && npm install
         |     ^^^^^^^
      hint: put `WORKDIR` above it

    info[npm-cache]: npm keeps what it downloads in the layer
      --> a/Dockerfile:3:16
         |
       3 | RUN cd /app && npm install
         |                ^^^^^^^^^^^
      hint: end the same RUN with `npm cache clean --force`, or mount a cache over `/root/.npm`

    error[add-for-files]: `ADD` only copies here
      --> a/Dockerfile:4:1
         |
       4 | ADD run.sh /
         | ^^^
      hint: write `COPY`

    warning[shell-form]: `CMD` goes through a shell
      --> a/Dockerfile:5:5
         |
       5 | CMD node /app/server.js
         |     ^^^^^^^^^^^^^^^^^^^
      hint: write `CMD ["node", "/app/server.js"]`

    stderr:
    6 findings in 1 file (1 error, 4 warnings, 1 info); `--fix` mends 3 of them
    exit code: 1
    "#);
}

#[test]
fn a_clean_file_is_silent_and_ends_with_zero() {
    let ended = sandbox().run(&["lint", "clean"]);
    insta::assert_snapshot!(ended.shown(), @r#"
    stderr:
    no findings in 1 file
    exit code: 0
    "#);
}

#[test]
fn the_exit_code_follows_the_gravest_finding() {
    let sandbox = sandbox();
    let code = |args: &[&str]| sandbox.run(args).code;
    assert_eq!(code(&["lint", "a"]), Some(1));
    assert_eq!(code(&["lint", "a", "--fail-on", "never"]), Some(0));
    let lenient = [
        "lint",
        "a",
        "--fail-on",
        "error",
        "--ignore",
        "add-for-files",
    ];
    assert_eq!(code(&lenient), Some(0));
    sandbox.write("b/Dockerfile", "FROM debian:13-slim\nUSER app\n");
    assert_eq!(code(&["lint", "b"]), Some(0));
    assert_eq!(code(&["lint", "b", "--fail-on", "info"]), Some(1));
}

#[test]
fn what_cannot_be_read_ends_with_two_and_hides_nothing() {
    let sandbox = sandbox();
    std::fs::create_dir(sandbox.path("empty")).expect("a folder");
    let ended = sandbox.run(&["lint", "nowhere", "empty", "clean"]);
    insta::assert_snapshot!(ended.shown(), @r#"
    stderr:
    error: the Dockerfile `nowhere` cannot be read
      caused by: no such file or directory
      hint: check the path and its permissions
    error: the folder `empty` holds no `Dockerfile`
      hint: name the file itself: `loadline lint FILE`
    no findings in 1 file
    exit code: 2
    "#);
    let ended = sandbox.run(&["lint", "--fail-on", "grave"]);
    assert_eq!(ended.code, Some(2));
    assert!(
        ended.stderr.contains("`grave` is not a severity"),
        "{}",
        ended.stderr
    );
}

#[test]
fn a_misspelled_rule_is_guessed() {
    let ended = sandbox().run(&["lint", "--explain", "shel-form"]);
    insta::assert_snapshot!(ended.shown(), @r#"
    stderr:
    error: there is no lint rule `shel-form`
      hint: did you mean `shell-form`?
      hint: `loadline lint --rules` lists every rule
    exit code: 2
    "#);
}

#[test]
fn a_rule_is_explained_by_its_alias_too() {
    let ended = sandbox().run(&["lint", "--explain", "dl3025"]);
    insta::assert_snapshot!(ended.shown(), @r#"
    stdout:
    shell-form: the application is started through a shell
      severity: warning
      also called: DL3025, JSONArgsRecommended

    Plain text is given to `/bin/sh -c`, so the shell is process 1: signals such as
    that of `docker stop` end with it, and the container is killed ten seconds
    later. An image without a shell does not start at all. A JSON array starts the
    program itself.

    Instead of:

      FROM node:22-slim
      USER node
      CMD node server.js

    write:

      FROM node:22-slim
      USER node
      CMD ["node", "server.js"]

    Silence it in the next instruction:

      # loadline ignore=shell-form
    exit code: 0
    "#);
}

#[test]
fn rules_are_listed() {
    let ended = sandbox().run(&["lint", "--rules"]);
    assert_eq!(ended.code, Some(0));
    assert!(ended.stdout.lines().count() >= 35);
    assert!(ended.stdout.contains("apt-lists-kept"), "{}", ended.stdout);
    assert!(ended.stdout.contains("(DL3009)"));
    let all = json(&sandbox().run(&["lint", "--rules", "--format", "json"]));
    assert_eq!(all["rules"][0]["id"], "syntax");
}

#[test]
fn json_has_places_that_index_the_file() {
    let sandbox = sandbox();
    let whole = json(&sandbox.run(&["lint", "a", "--format", "json"]));
    assert_eq!(whole["schema"], "loadline.lint/v1");
    assert_eq!(whole["files"][0]["path"], "a/Dockerfile");
    let findings = whole["files"][0]["findings"].as_array().expect("a list");
    let form = findings.iter().find(|one| one["rule"] == "shell-form");
    let form = form.expect("CMD is in shell form");
    assert_eq!(
        (&form["line"], &form["column"], &form["severity"]),
        (&5.into(), &5.into(), &"warning".into())
    );
    let at =
        |key: &str| usize::try_from(form["span"][key].as_u64().expect("a number")).expect("small");
    assert_eq!(&FILE[at("start")..at("end")], "node /app/server.js");
    assert_eq!(form["fix"][0]["text"], "[\"node\", \"/app/server.js\"]");
    assert!(
        form["aliases"]
            .as_array()
            .expect("a list")
            .contains(&"DL3025".into())
    );
}

/// The constraints of the schema that a wrong writer would break first.
#[test]
fn sarif_keeps_to_its_schema() {
    let sandbox = sandbox();
    sandbox.write("a b/Dockerfile", "FROM é\nRUN <<EOF\nsudo x\nEOF\n");
    let log = json(&sandbox.run(&["lint", "a", "a b", "--format", "sarif"]));
    assert_eq!(log["version"], "2.1.0");
    let run = &log["runs"][0];
    assert_eq!(run["columnKind"], "unicodeCodePoints");
    let rules = run["tool"]["driver"]["rules"].as_array().expect("rules");
    let ids: BTreeSet<&str> = rules
        .iter()
        .filter_map(|rule| rule["id"].as_str())
        .collect();
    assert_eq!(ids.len(), rules.len());
    for rule in rules {
        for text in ["shortDescription", "fullDescription", "help"] {
            assert!(
                rule[text]["text"]
                    .as_str()
                    .is_some_and(|text| !text.is_empty())
            );
        }
        let level = rule["defaultConfiguration"]["level"].as_str();
        assert!(matches!(level, Some("error" | "warning" | "note")));
    }
    let results = run["results"].as_array().expect("results");
    assert!(results.len() > 5);
    let mut fixes = 0;
    for result in results {
        let index =
            usize::try_from(result["ruleIndex"].as_u64().expect("an index")).expect("small");
        assert_eq!(rules[index]["id"], result["ruleId"]);
        assert!(
            result["message"]["text"]
                .as_str()
                .is_some_and(|text| !text.is_empty())
        );
        let place = &result["locations"][0]["physicalLocation"];
        let uri = place["artifactLocation"]["uri"]
            .as_str()
            .expect("a reference");
        assert!(matches!(uri, "a/Dockerfile" | "a%20b/Dockerfile"), "{uri}");
        region(&place["region"]);
        for change in result["fixes"].as_array().into_iter().flatten() {
            let change = &change["artifactChanges"][0];
            assert_eq!(change["artifactLocation"]["uri"], uri);
            for edit in change["replacements"].as_array().expect("replacements") {
                region(&edit["deletedRegion"]);
                assert!(edit["insertedContent"]["text"].is_string());
                fixes += 1;
            }
        }
    }
    assert!(fixes > 2);
}

fn region(region: &Value) {
    let number = |key: &str| region[key].as_u64().expect("a number");
    let start = (number("startLine"), number("startColumn"));
    let end = (number("endLine"), number("endColumn"));
    assert!(start.0 >= 1 && start.1 >= 1 && start <= end, "{region}");
}

#[test]
fn gitlab_gets_a_fingerprint_of_its_own_for_each_finding() {
    let sandbox = sandbox();
    sandbox.write(
        "b/Dockerfile",
        "FROM a:1\nRUN sudo x; sudo x\nRUN sudo x; sudo x\n",
    );
    let report = |sandbox: &Sandbox| json(&sandbox.run(&["lint", "a", "b", "--format", "gitlab"]));
    let first = report(&sandbox);
    let issues = first.as_array().expect("a list");
    let mut prints = BTreeSet::new();
    for issue in issues {
        let severity = issue["severity"].as_str().expect("a severity");
        assert!(
            matches!(severity, "info" | "minor" | "major" | "critical"),
            "{severity}"
        );
        assert!(
            issue["location"]["lines"]["begin"]
                .as_u64()
                .is_some_and(|line| line > 0)
        );
        assert!(issue["description"].is_string() && issue["check_name"].is_string());
        let print = issue["fingerprint"]
            .as_str()
            .expect("a fingerprint")
            .to_owned();
        assert!(prints.insert(print), "{issue}");
    }
    // Lines that are added above change no fingerprint.
    sandbox.write("a/Dockerfile", &format!("# a comment\n\n{FILE}"));
    let again = report(&sandbox);
    let moved: BTreeSet<String> = again
        .as_array()
        .expect("a list")
        .iter()
        .map(|issue| {
            issue["fingerprint"]
                .as_str()
                .expect("a fingerprint")
                .to_owned()
        })
        .collect();
    assert_eq!(moved, prints);
}

#[test]
fn gitlab_gets_one_path_however_it_was_typed() {
    let sandbox = sandbox();
    let whole = sandbox.path("a/Dockerfile").display().to_string();
    let reports: Vec<Value> = ["a/Dockerfile", "./a", "a/./Dockerfile", whole.as_str()]
        .iter()
        .map(|name| json(&sandbox.run(&["lint", name, "--format", "gitlab"])))
        .collect();
    assert_eq!(reports[0][0]["location"]["path"], "a/Dockerfile");
    for report in &reports {
        assert_eq!(*report, reports[0]);
    }
}

#[test]
fn fix_mends_the_file_in_place_and_keeps_what_it_is() {
    let sandbox = sandbox();
    let path = sandbox.path("a/Dockerfile");
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o640)).expect("permissions");
    std::os::unix::fs::symlink(&path, sandbox.path("link")).expect("a link");
    let ended = sandbox.run(&["lint", "--fix", "link", "--ignore", "no-ignore-file"]);
    assert!(
        ended.stderr.contains("3 findings mended"),
        "{}",
        ended.shown()
    );
    let text = std::fs::read_to_string(&path).expect("the file");
    insta::assert_snapshot!(text, @r#"
    FROM node:latest
    COPY . /app
    RUN cd /app && npm install && npm cache clean --force
    COPY run.sh /
    CMD ["node", "/app/server.js"]
    "#);
    let kept = std::fs::metadata(&path).expect("the file").permissions();
    assert_eq!(kept.mode() & 0o777, 0o640);
    let link = std::fs::symlink_metadata(sandbox.path("link")).expect("the link");
    assert!(link.is_symlink());
    let names = std::fs::read_dir(sandbox.path("a"))
        .expect("the folder")
        .count();
    assert_eq!(names, 2, "nothing is left behind");
    let again = sandbox.run(&["lint", "--fix", "a"]);
    assert!(
        again.stderr.contains("0 findings mended"),
        "{}",
        again.stderr
    );
}

#[test]
fn fix_leaves_a_file_alone_that_is_no_text() {
    let sandbox = sandbox();
    let path = sandbox.path("a/Dockerfile");
    std::fs::write(&path, b"FROM a:1\nLABEL a=\xff\nCMD x y\n").expect("a file");
    let ended = sandbox.run(&["lint", "--fix", "a"]);
    insta::assert_snapshot!(ended.shown(), @r#"
    stderr:
    error: the Dockerfile `a/Dockerfile` is not UTF-8, so it is not changed
      hint: save it as UTF-8, then mend it
    0 findings mended
    exit code: 2
    "#);
    assert!(std::fs::read(&path).expect("the file").contains(&0xff));
    assert_eq!(sandbox.run(&["lint", "a"]).code, Some(1));
}

#[test]
fn fix_leaves_a_file_alone_that_is_longer_than_what_is_read() {
    let sandbox = sandbox();
    let mut text = String::from("FROM alpine:3.22\nRUN apk add curl\n");
    while text.len() <= 1024 * 1024 {
        text.push_str("# a line that nobody may lose\n");
    }
    text.push_str("USER 1\n");
    sandbox.write("a/Dockerfile", &text);
    let ended = sandbox.run(&["lint", "--fix", "a"]);
    insta::assert_snapshot!(ended.shown(), @r#"
    stderr:
    error: the Dockerfile `a/Dockerfile` is longer than 1 MiB, so it is not changed
      hint: builders take no longer ones either: move parts of it to files, then mend it
    0 findings mended
    exit code: 2
    "#);
    let kept = std::fs::read_to_string(sandbox.path("a/Dockerfile")).expect("the file");
    assert!(kept == text, "{} bytes of {}", kept.len(), text.len());
}

#[test]
fn standard_input_is_a_file_too_and_fix_a_filter() {
    let with_input = |args: &[&str], input: &str| {
        let mut child = std::process::Command::new(env!("CARGO_BIN_EXE_loadline"))
            .args(args)
            .env_clear()
            .stdin(std::process::Stdio::piped())
            .stdout(std::process::Stdio::piped())
            .stderr(std::process::Stdio::piped())
            .spawn()
            .expect("the program starts");
        let mut stdin = child.stdin.take().expect("a pipe");
        stdin.write_all(input.as_bytes()).expect("it reads");
        drop(stdin);
        child.wait_with_output().expect("it ends")
    };
    let text = "FROM alpine:3.22\nRUN apk add curl\nUSER 1\n";
    let plain = with_input(&["lint", "-", "--fail-on", "info"], text);
    assert_eq!(plain.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&plain.stdout).contains("--> stdin:2:"));
    let fixed = with_input(&["lint", "--fix", "-"], text);
    let wanted = "FROM alpine:3.22\nRUN apk add --no-cache curl\nUSER 1\n";
    assert_eq!(String::from_utf8_lossy(&fixed.stdout), wanted);
    let told = String::from_utf8_lossy(&fixed.stderr);
    assert!(
        told.contains("1 finding mended") && told.contains("unpinned-apk"),
        "{told}"
    );
}

#[test]
fn comments_silence_rules_unless_they_are_left_aside() {
    let sandbox = Sandbox::without_engine();
    sandbox.write(
        "Dockerfile",
        "# hadolint global ignore=DL3007\nFROM node:latest\nUSER 1\n# loadline ignore=shell-form\nCMD a\n",
    );
    assert_eq!(sandbox.run(&["lint"]).code, Some(0));
    let deaf = sandbox.run(&["lint", "--no-ignore-comments"]);
    assert_eq!(deaf.code, Some(1));
    assert!(deaf.stdout.contains("latest-tag") && deaf.stdout.contains("shell-form"));
}

#[test]
fn the_ignore_file_beside_the_dockerfile_is_looked_at() {
    let sandbox = Sandbox::without_engine();
    sandbox.write(
        "a/Dockerfile",
        "FROM scratch\nUSER 1\nCOPY . /\nCOPY notes.md /\n",
    );
    let without = sandbox.run(&["lint", "a", "--fail-on", "info"]);
    assert!(
        without.stdout.contains("no-ignore-file"),
        "{}",
        without.shown()
    );
    sandbox.write("a/.dockerignore", "*.md\n");
    let with = sandbox.run(&["lint", "a", "--fail-on", "info"]);
    assert!(with.stdout.contains("ignored-copy"), "{}", with.shown());
    assert!(!with.stdout.contains("no-ignore-file"));
}

#[test]
fn what_the_image_wastes_is_named_in_the_findings() {
    let sandbox = Sandbox::without_engine();
    let text = "FROM scratch\nCOPY big /tmp/big\nRUN rm /tmp/big\nCOPY more /more\nCOPY more /more\nUSER 1\n";
    sandbox.write("Dockerfile", text);
    let (big, more) = ("x".repeat(300_000), "y".repeat(200_000));
    let archive = sandbox.path("image.tar");
    crate::scan::image(
        &archive,
        &[
            (
                "COPY big /tmp/big # buildkit",
                &[("tmp/", ""), ("tmp/big", &big)],
            ),
            (
                "RUN /bin/sh -c rm /tmp/big # buildkit",
                &[("tmp/.wh.big", "")],
            ),
            ("COPY more /more # buildkit", &[("more", &more)]),
            ("COPY more /more # buildkit", &[("more", &more)]),
        ],
    );
    let ended = sandbox.run(&["lint", "Dockerfile", "--image", "image.tar"]);
    for line in [
        "`/tmp/big` still ships in the layer of line 2: 300 kB",
        "200 kB of line 4 still ship, hidden from here on",
    ] {
        assert!(ended.stdout.contains(line), "{}", ended.shown());
    }
    let many = sandbox.run(&["lint", "Dockerfile", "Dockerfile", "--image", "image.tar"]);
    assert_eq!(many.code, Some(2));
    assert!(
        many.stderr.contains("for one Dockerfile, not for 2"),
        "{}",
        many.stderr
    );
}

#[test]
fn the_whole_corpus_is_one_call() {
    let folder = root().join("tests/corpus/dockerfiles");
    let mut args = vec!["lint".to_owned(), "--format".to_owned(), "json".to_owned()];
    for entry in std::fs::read_dir(folder).expect("the corpus").flatten() {
        if entry
            .path()
            .extension()
            .is_some_and(|end| end == "Dockerfile")
        {
            args.push(entry.path().display().to_string());
        }
    }
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    let ended = Sandbox::without_engine().run(&args);
    assert_eq!((ended.code, ended.stderr.as_str()), (Some(1), ""));
    assert_eq!(
        json(&ended)["files"].as_array().map(Vec::len),
        Some(args.len() - 3)
    );
}
