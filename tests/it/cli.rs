//! The program at a shell: help, errors, exit codes, streams. No engine is used.

use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::Stdio;

use loadline::goal::registry;

use crate::sandbox::Sandbox;
use crate::source;

/// The verbs that `loadline WORDS --help` lists.
fn verbs(words: &[&str]) -> Vec<String> {
    let help = Sandbox::without_engine().run(&[words, &["--help"]].concat());
    let listed = help.stdout.lines().skip_while(|line| *line != "Commands:");
    listed
        .skip(1)
        .take_while(|line| !line.is_empty())
        // Deeper lines go on with what a verb does.
        .filter_map(|line| line.strip_prefix("  ")?.split(' ').next())
        .filter(|verb| !matches!(*verb, "" | "help"))
        .map(str::to_owned)
        .collect()
}

#[test]
fn help_teaches_the_verbs_and_the_exit_codes() {
    let ended = Sandbox::without_engine().run(&["--help"]);
    assert_eq!(ended.code, Some(0));
    let verbs = verbs(&[]);
    for verb in ["learn", "check", "doctor", "scan", "completions"] {
        assert!(verbs.iter().any(|listed| listed == verb), "{verbs:?}");
    }
    for code in ["  0  ", "  6  ", " 70  ", "130  interrupted"] {
        assert!(ended.stdout.contains(code), "{code}");
    }
}

#[test]
fn every_verb_has_help_with_an_example() {
    let sandbox = Sandbox::without_engine();
    for verb in verbs(&[]) {
        let below: Vec<String> = verbs(&[&verb])
            .into_iter()
            .map(|action| format!("{verb} {action}"))
            .collect();
        for path in std::iter::once(&verb).chain(&below) {
            let words: Vec<&str> = path.split(' ').chain(["--help"]).collect();
            let ended = sandbox.run(&words);
            assert_eq!(ended.code, Some(0), "{path}");
            let example = format!("Examples:\n  loadline {path}");
            assert!(ended.stdout.contains(&example), "{}", ended.shown());
            assert_eq!(ended.stderr, "", "{path}");
        }
    }
}

#[test]
fn a_wrong_flag_is_a_usage_error() {
    let ended = Sandbox::without_engine().run(&["check", "first-build", "--jsn"]);
    insta::assert_snapshot!(ended.shown(), @"
    stderr:
    error: unexpected argument '--jsn' found

      tip: a similar argument exists: '--json'

    Usage: loadline check --json <EXERCISE|IMAGE>

    For more information, try '--help'.
    exit code: 2
    ");
}

#[test]
fn a_misspelled_exercise_is_guessed() {
    let ended = Sandbox::without_engine().run(&["check", "first-biuld"]);
    insta::assert_snapshot!(ended.shown(), @"
    stderr:
    error: the course has no exercise `first-biuld`
      hint: did you mean `first-build`?
      hint: it has first-build, distroless-python, shrink-that-image
    exit code: 2
    ");
}

#[test]
fn a_misspelled_lesson_opens_nothing() {
    for args in [
        &["learn", "why-smal-matters"][..],
        &["learn", "why-smal-matters", "--plain"],
    ] {
        let ended = Sandbox::without_engine().run(args);
        insta::allow_duplicates!(insta::assert_snapshot!(ended.shown(), @"
        stderr:
        error: the course has no lesson or exercise `why-smal-matters`
          hint: did you mean `why-small-matters`?
          hint: it has why-small-matters, ship-it, first-build, distroless-python, shrink-that-image
        exit code: 2
        "));
    }
    let plain = Sandbox::without_engine().run(&["learn", "01-why-small-matters", "--plain"]);
    assert!(
        plain.stdout.contains("Lesson 1: Why small matters\n"),
        "{}",
        plain.shown()
    );
}

#[test]
fn no_engine_is_told_with_what_was_tried() {
    let ended = Sandbox::without_engine().run(&["bases"]);
    insta::assert_snapshot!(ended.shown(), @"
    stderr:
    error: cannot reach a container engine
      caused by: there is no socket /nonexistent/engine.sock at unix:///nonexistent/engine.sock (the variable `DOCKER_HOST`)
      hint: while the variable `DOCKER_HOST` names this one, no other is looked for: mend it, or run `unset DOCKER_HOST DOCKER_CONTEXT`
      hint: `loadline learn` still opens the lessons, quizzes and instant Dockerfile checks; nothing can be graded without an engine
    exit code: 4
    ");
}

#[test]
fn a_check_without_an_engine_still_prints_its_report() {
    let sandbox = Sandbox::without_engine();
    sandbox.write("mine/Dockerfile", "FROM scratch\n");
    let ended = sandbox.run(&["check", "first-build", "--dir", "mine", "--json"]);
    assert_eq!(ended.code, Some(4), "{}", ended.shown());
    let report: serde_json::Value = serde_json::from_str(&ended.stdout).expect("one JSON");
    assert_eq!(report["schema"], "loadline.report/v1");
    assert_eq!(report["outcome"], "engine_unavailable");
    assert!(ended.stderr.contains("loadline doctor"));
}

#[test]
fn doctor_says_where_it_looked_and_ends_with_four() {
    let ended = Sandbox::without_engine().run(&["doctor", "--json"]);
    assert_eq!(ended.code, Some(4), "{}", ended.shown());
    let found: serde_json::Value = serde_json::from_str(&ended.stdout).expect("one JSON");
    assert_eq!(found["tried"][0]["because"], "the variable `DOCKER_HOST`");
    assert_eq!(found["checks"][1]["title"], "Engine");
    assert_eq!(found["checks"][1]["state"], "bad");
}

#[test]
fn doctor_does_not_replace_an_engine_that_the_user_named() {
    let ended = Sandbox::without_engine().run(&["doctor", "--fix", "--yes"]);
    insta::assert_snapshot!(ended.shown(), @"
    stderr:
    error: no engine answers at the address in the variable `DOCKER_HOST`, and no other is tried
      hint: run `unset DOCKER_HOST DOCKER_CONTEXT`
      hint: then run `loadline doctor` to see what was tried
    exit code: 4
    ");
}

#[test]
fn a_folder_that_is_not_there_and_one_without_a_dockerfile_are_told_apart() {
    let sandbox = Sandbox::without_engine();
    sandbox.write("empty/readme", "nothing");
    let absent = sandbox.run(&["check", "first-build", "--dir", "absent"]);
    let empty = sandbox.run(&["check", "first-build", "--dir", "empty"]);
    insta::assert_snapshot!(format!("{}\n{}", absent.shown(), empty.shown()), @"
    stderr:
    error: the folder `absent` cannot be read
      caused by: no such file or directory
      hint: check the path and its permissions
    exit code: 2

    stderr:
    error: the folder `empty` holds no `Dockerfile`
      hint: name the folder that holds the learner's files with `--dir DIR`
    exit code: 2
    ");
}

#[test]
fn without_a_home_the_way_out_is_named() {
    let ended = Sandbox::without_engine()
        .without("HOME")
        .run(&["check", "first-build"]);
    insta::assert_snapshot!(ended.shown(), @"
    stderr:
    error: there is no home folder to keep your files in
      hint: set `LOADLINE_HOME` to a folder that you may write to
      hint: `loadline check EXERCISE --dir DIR` needs no home
    exit code: 2
    ");
}

#[test]
fn a_home_whose_path_is_no_text_is_refused_alike() {
    let sandbox = Sandbox::without_engine();
    let script = r#"LOADLINE_HOME=$(printf '/h\377') exec "$0" "$@""#;
    for args in [
        &["check", "first-build"][..],
        &["learn", "--plain", "first-build"],
        &["doctor"],
    ] {
        let ended = sandbox.script(script, args);
        let told = format!("{}{}", ended.stdout, ended.stderr);
        assert!(told.contains("is no UTF-8"), "{args:?}: {told}");
        assert!(
            told.contains("folder whose path is UTF-8"),
            "{args:?}: {told}"
        );
    }
}

#[test]
fn what_is_noted_goes_to_the_file_that_was_named() {
    let sandbox = Sandbox::without_engine();
    let log = sandbox.path("log").display().to_string();
    let sandbox = sandbox.with("LOADLINE_LOG", &log);
    let ended = sandbox.run(&["goals"]);
    assert_eq!((ended.code, ended.stderr.as_str()), (Some(0), ""));
    let noted = std::fs::read_to_string(&log).unwrap();
    assert!(noted.contains("began"), "{noted}");
    let sandbox = sandbox.with("LOADLINE_LOG", "/nonexistent/log");
    insta::assert_snapshot!(sandbox.run(&["goals"]).shown(), @r"
    stderr:
    error: `/nonexistent/log` cannot be written
      caused by: no such file or directory
      hint: check the path and its permissions
    exit code: 2
    ");
}

#[test]
fn a_broken_course_is_told_with_its_line() {
    let sandbox = Sandbox::without_engine();
    for folder in ["lessons", "exercises", "solutions"] {
        copy(
            &source::root().join(folder),
            &sandbox.path("course").join(folder),
        );
    }
    let file = sandbox.path("course/exercises/first-build/exercise.yaml");
    let text = std::fs::read_to_string(&file).expect("the exercise is there");
    let broken = text.replacen("\ngoals:\n", "\ngoals:\n  - max_sze: 100 MB\n", 1);
    assert_ne!(broken, text);
    std::fs::write(&file, broken).expect("it is a copy");
    let ended = sandbox.run(&["check", "first-build", "--course", "course"]);
    assert_eq!(ended.code, Some(3), "{}", ended.shown());
    let place = "exercises/first-build/exercise.yaml:";
    assert!(ended.stderr.contains(place), "{}", ended.stderr);
    assert!(ended.stderr.contains("max_size"), "{}", ended.stderr);
}

/// Copies a folder with all that is in it.
fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).expect("a folder");
    for entry in std::fs::read_dir(from).expect("it is readable").flatten() {
        let target = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy(&entry.path(), &target);
        } else {
            std::fs::copy(entry.path(), target).expect("a file");
        }
    }
}

#[test]
fn nobody_reading_the_output_is_no_error() {
    let (reader, writer) = std::io::pipe().expect("a pipe");
    drop(reader);
    let sandbox = Sandbox::without_engine();
    let ended = sandbox.start_into(&["goals"], Stdio::from(writer)).end();
    assert_eq!((ended.code, ended.stderr.as_str()), (Some(0), ""));
}

#[test]
fn a_full_disk_behind_the_output_is_an_error() {
    let full = || {
        let mut options = std::fs::File::options();
        let device = options.write(true).open("/dev/full");
        Stdio::from(device.expect("the device is there"))
    };
    let sandbox = Sandbox::without_engine();
    for verb in ["goals", "--help"] {
        let ended = sandbox.start_into(&[verb], full()).end();
        assert_eq!(ended.code, Some(70), "{}", ended.shown());
        assert!(ended.stderr.contains("the result cannot be written"));
    }
}

#[test]
fn goals_and_completions_need_nothing() {
    let sandbox = Sandbox::without_engine().without("HOME");
    let goals = sandbox.run(&["goals", "--json"]);
    let all: serde_json::Value = serde_json::from_str(&goals.stdout).expect("one JSON");
    let listed = all["goals"].as_array().expect("a list").iter();
    let listed: Vec<&str> = listed.filter_map(|goal| goal["name"].as_str()).collect();
    assert_eq!(listed, registry::names().collect::<Vec<_>>());
    for shell in ["bash", "zsh", "fish"] {
        let script = sandbox.run(&["completions", shell]);
        assert!(script.stdout.contains("loadline"), "{shell}");
        assert_eq!(script.code, Some(0), "{shell}");
    }
}

#[test]
fn the_plain_workshop_opens_without_an_engine_and_leaves_at_the_end_of_input() {
    let ended = Sandbox::without_engine().run(&["--plain"]);
    assert_eq!(ended.code, Some(0), "{}", ended.shown());
    assert!(ended.stdout.contains("Engine: none answers."));
    assert!(ended.stdout.contains("Lesson 1:"));
    assert!(!ended.stdout.contains('\u{1b}'));
}

#[test]
fn the_variable_for_lines_does_not_make_anyone_type() {
    let sandbox = Sandbox::without_engine().with("LOADLINE_PLAIN", "1");
    let (bare, learn) = (sandbox.run(&[]), sandbox.run(&["learn"]));
    for ended in [&bare, &learn] {
        assert!(
            ended.stderr.contains("this is a demonstration"),
            "{}",
            ended.shown()
        );
        assert_eq!(ended.code, Some(4), "{}", ended.shown());
    }
    let flag = sandbox.run(&["learn", "--plain"]);
    assert!(flag.stdout.contains("Lesson 1:"), "{}", flag.shown());
}

#[test]
fn what_base_images_are_asked_for_is_looked_at_before_the_engine() {
    let sandbox = Sandbox::without_engine();
    let mirror = sandbox.run(&["bases", "build", "--mirror", "mirror.example"]);
    let nothing = sandbox.run(&["bases", "pull"]);
    insta::assert_snapshot!(format!("{}\n{}", mirror.shown(), nothing.shown()), @"
    stderr:
    error: invalid value 'mirror.example' for '--mirror <URL>': a mirror is an address such as `http://mirror.example/debian`

    For more information, try '--help'.
    exit code: 2

    stderr:
    error: the following required arguments were not provided:
      <REFERENCE>...

    Usage: loadline bases pull <REFERENCE>...

    For more information, try '--help'.
    exit code: 2
    ");
    for args in [
        &["bases", "pull", "busybox"][..],
        &["bases", "export", "a.pack"],
        &["bases", "import", "a.pack"],
    ] {
        let ended = sandbox.run(args);
        assert_eq!(ended.code, Some(4), "{args:?}\n{}", ended.shown());
        assert!(
            ended.stderr.contains("unset DOCKER_HOST"),
            "{}",
            ended.shown()
        );
    }
    assert!(!sandbox.path("a.pack").exists());
}

#[test]
fn colour_comes_only_when_it_is_asked_for() {
    let sandbox = Sandbox::without_engine();
    let plain = sandbox.run(&["check", "nope"]);
    assert!(!plain.stderr.contains('\u{1b}'));
    let colored = sandbox.run(&["check", "nope", "--color", "always"]);
    assert!(colored.stderr.starts_with("\u{1b}[1;31merror:\u{1b}[0m"));
}

#[test]
fn a_folder_that_may_not_be_read_is_named() {
    if rustix::process::geteuid().is_root() {
        // Root reads everything: the same error is provoked by a file in the folder's place.
        let sandbox = Sandbox::without_engine();
        sandbox.write("file", "");
        let ended = sandbox.run(&["check", "first-build", "--dir", "file"]);
        assert_eq!(ended.code, Some(2), "{}", ended.shown());
        assert!(ended.stderr.contains("`file` cannot be read"));
        return;
    }
    let sandbox = Sandbox::without_engine();
    let file = sandbox.write("closed/Dockerfile", "FROM scratch\n");
    let folder = file.parent().expect("it has a folder");
    let closed = std::fs::Permissions::from_mode(0o000);
    std::fs::set_permissions(folder, closed).expect("it is ours");
    let ended = sandbox.run(&["check", "first-build", "--dir", "closed"]);
    std::fs::set_permissions(folder, std::fs::Permissions::from_mode(0o755)).expect("it is ours");
    assert_eq!(ended.code, Some(2), "{}", ended.shown());
    assert!(ended.stderr.contains("permission denied"));
}

#[test]
fn a_trace_wants_an_image_on_an_engine() {
    let sandbox = Sandbox::without_engine();
    sandbox.write("image.tar", "");
    let archive = sandbox.run(&["trace", "image.tar"]);
    let port = sandbox.run(&["trace", "app", "--http", "health"]);
    let file = sandbox.run(&["trace", "app", "--file", "absent"]);
    insta::assert_snapshot!(
        format!("{}\n{}\n{}", archive.shown(), port.shown(), file.shown()),
        @"
        stderr:
        error: `image.tar` is not on an engine, and a run needs one
          hint: load it with `docker load -i FILE`, then name the image
        exit code: 2

        stderr:
        error: invalid value 'health' for '--http <PORT[/PATH]>': write a port and, where it is not `/`, a path, such as `8000/health`

        For more information, try '--help'.
        exit code: 2

        stderr:
        error: the Dockerfile `absent` cannot be read
          caused by: no such file or directory
          hint: check the path and its permissions
        exit code: 2
        "
    );
    assert_eq!(sandbox.run(&["trace", "app"]).code, Some(4));
}
