//! The causes that learners meet most, each made by its evidence.

use super::*;
use crate::goal::fixture::contents;
use crate::goal::fixture::layer;
use crate::goal::fixture::lines;
use crate::goal::fixture::sizes;
use crate::goal::fixture::starts;
use crate::goal::fixture::with_config;
use crate::image::Layer;
use crate::image::binary::Elf;
use crate::image::binary::Linking;
use crate::image::binary::Program;
use crate::image::run::Probe;
use crate::image::run::Start;

fn show(evidence: &Evidence, outcome: &RunOutcome) -> String {
    let run = Run {
        start: Start::default(),
        probe: Probe::Exit,
        within: std::time::Duration::ZERO,
    };
    let Cause {
        why, next, blame, ..
    } = of(evidence, &run, outcome);
    let path = blame.path.map_or_else(String::new, |path| path.to_string());
    format!("{why}\n{next}\n{:?} {:?} {path}", blame.line, blame.layer)
}

fn said(status: i64, stderr: &str) -> RunOutcome {
    RunOutcome {
        exit: Some(status),
        stderr: lines(stderr),
        ..RunOutcome::default()
    }
}

fn refused(error: &str) -> RunOutcome {
    RunOutcome {
        start_error: Some(Clean::line(error)),
        ..RunOutcome::default()
    }
}

fn with_layers(mut evidence: Evidence, layers: Vec<Layer>) -> Evidence {
    let lines: Vec<_> = (1..)
        .take(layers.len())
        .map(|line| (Some(line), 1))
        .collect();
    evidence.sizes = Ok(sizes(&lines));
    evidence.contents = Ok(contents(layers));
    evidence
}

const POPULAR: &str = "FROM python:3.12 AS build\nRUN pip install --user flask\nFROM gcr.io/distroless/python3-debian13:nonroot\nCOPY --from=build /root/.local /root/.local\nCMD [\"python\", \"app.py\"]";

fn popular() -> Evidence {
    let mut config = starts(&["/usr/bin/python3.13"], &["python", "app.py"]);
    config.user = String::from("65532");
    with_config(POPULAR, config)
}

fn mended() -> Evidence {
    let mut evidence = popular();
    if let Ok(summary) = &mut evidence.summary {
        summary.config.cmd = vec![String::from("app.py")];
    }
    evidence
}

const NO_FLASK: &str = "Traceback (most recent call last):\n  File \"/app/app.py\", line 1\nModuleNotFoundError: No module named 'flask'";

#[test]
fn a_command_that_repeats_the_entrypoint_is_explained_by_what_ran() {
    let error =
        "/usr/bin/python3.13: can't open file '/app/python': [Errno 2] No such file or directory";
    insta::assert_snapshot!(show(&popular(), &said(2, error)), @r"
    The entrypoint that `gcr.io/distroless/python3-debian13:nonroot` brings is already `/usr/bin/python3.13`, so that CMD is only its list of arguments. What ran was `/usr/bin/python3.13 python app.py`: `/usr/bin/python3.13` took `python` for the name of what it should open.
    Put the image's entrypoint and your CMD side by side and read them as one command.
    Some(5) None
    ");
    // The same text with a command that repeats nothing is another story.
    let other = show(&mended(), &said(2, error));
    assert!(
        other.starts_with("The container ended with status 2."),
        "{other}"
    );
    // And so is another runtime with the same mistake.
    let node = with_config(
        "FROM gcr.io/distroless/nodejs22-debian13\nCMD [\"node\", \"server.js\"]",
        starts(&["/nodejs/bin/node"], &["node", "server.js"]),
    );
    insta::assert_snapshot!(show(&node, &said(1, "Error: Cannot find module '/app/node'")), @r"
    The entrypoint that `gcr.io/distroless/nodejs22-debian13` brings is already `/nodejs/bin/node`, so that CMD is only its list of arguments. What ran was `/nodejs/bin/node node server.js`: `/nodejs/bin/node` took `node` for the name of what it should open.
    Put the image's entrypoint and your CMD side by side and read them as one command.
    Some(2) None
    ");
}

/// Distroless Python with a last line of its own.
fn distroless(last: &str, entrypoint: &[&str], cmd: &[&str]) -> Evidence {
    let base = "gcr.io/distroless/python3-debian13:nonroot";
    with_config(&format!("FROM {base}\n{last}"), starts(entrypoint, cmd))
}

const PYTHON: &[&str] = &["/usr/bin/python3.13"];

#[test]
fn a_shell_that_became_an_argument_is_explained_by_what_ran() {
    let evidence = distroless(
        "CMD python3 app.py",
        PYTHON,
        &["/bin/sh", "-c", "python3 app.py"],
    );
    let error =
        "/usr/bin/python3.13: can't open file '/bin/sh': [Errno 2] No such file or directory";
    insta::assert_snapshot!(show(&evidence, &said(2, error)), @r"
    CMD on line 2 is in the shell form, which puts `/bin/sh` before it. The entrypoint that `gcr.io/distroless/python3-debian13:nonroot` brings is already `/usr/bin/python3.13`, and what ran was `/usr/bin/python3.13 /bin/sh -c python3 app.py`: `/usr/bin/python3.13` took all of that for its own arguments.
    Compare the two forms of CMD, and read each as the end of the image's entrypoint.
    Some(2) None
    ");
    let cat = with_config(
        "FROM a\nENTRYPOINT [\"cat\"]\nCMD greeting.txt",
        starts(&["cat"], &["/bin/sh", "-c", "greeting.txt"]),
    );
    for usage in [
        "cat: invalid option -- 'c'\nTry 'cat --help' for more information.",
        "cat: unrecognized option: c\n\t-A\tSame as -vte",
    ] {
        assert!(show(&cat, &said(1, usage)).contains("CMD on line 3 is in the shell form"));
    }
    // An entrypoint that starts what it is given has started the shell.
    let started = show(&cat, &said(127, "/bin/sh: 1: greeting.txt: not found"));
    assert!(!started.contains("shell form"), "{started}");
}

#[test]
fn a_program_that_an_inherited_entrypoint_took_for_a_file_is_named() {
    let evidence = distroless("CMD [\"sh\", \"start.sh\"]", PYTHON, &["sh", "start.sh"]);
    let error =
        "/usr/bin/python3.13: can't open file '/app/sh': [Errno 2] No such file or directory";
    insta::assert_snapshot!(show(&evidence, &said(2, error)), @r"
    The entrypoint that `gcr.io/distroless/python3-debian13:nonroot` brings is already `/usr/bin/python3.13`, so that CMD is only its list of arguments. What ran was `/usr/bin/python3.13 sh start.sh`: `/usr/bin/python3.13` took `sh` for the name of what it should open.
    Put the image's entrypoint and your CMD side by side and read them as one command.
    Some(2) None
    ");
    // A file that is meant as one and is not there is another story, and so is a file of the app.
    let file = distroless("CMD [\"app.py\"]", PYTHON, &["app.py"]);
    let missing =
        "/usr/bin/python3.13: can't open file '/app/app.py': [Errno 2] No such file or directory";
    assert!(!show(&file, &said(2, missing)).contains("already"));
    let other = "FileNotFoundError: [Errno 2] No such file or directory: '/app/sh/config'";
    assert!(!show(&evidence, &said(1, other)).contains("already"));
}

#[test]
fn a_shell_form_without_a_shell_is_named_with_its_line() {
    let missing = "exec: \"/bin/sh\": stat /bin/sh: no such file or directory: unknown";
    let mut entry = distroless(
        "ENTRYPOINT python3 app.py",
        &["/bin/sh", "-c", "python3 app.py"],
        &[],
    );
    insta::assert_snapshot!(show(&entry, &refused(missing)), @r"
    `ENTRYPOINT python3 app.py` on line 2 is in the shell form, which needs a shell to start it, and the image has no `/bin/sh`.
    Compare the two forms in which that instruction can be written.
    Some(2) None /bin/sh
    ");
    entry = with_layers(entry, vec![layer(&["usr/bin/python3.13"])]);
    assert!(show(&entry, &refused(missing)).contains("shell form"));
    // A shell that was written out is missing like any other program.
    let written = distroless(
        "ENTRYPOINT [\"/bin/sh\", \"-c\", \"x\"]",
        &["/bin/sh", "-c", "x"],
        &[],
    );
    assert!(!show(&written, &refused(missing)).contains("shell form"));
}

#[test]
fn the_last_lines_of_the_output_go_with_the_verdict() {
    let text: Vec<String> = (1..=30).map(|line| format!("line {line}")).collect();
    let mut outcome = said(1, "boom\n\n");
    outcome.stdout = lines(&text.join("\n"));
    let last = last_lines(&outcome);
    assert_eq!(last.len(), OUTPUT_LINES);
    assert_eq!(last.first().map(Clean::as_str), Some("line 12"));
    assert_eq!(last.last().map(Clean::as_str), Some("boom"));
    outcome.stderr = lines(&"x".repeat(3000));
    let width = last_lines(&outcome)
        .last()
        .map(|line| line.as_str().chars().count());
    assert_eq!(width, Some(OUTPUT_WIDTH));
    let nothing = said(1, "\n");
    assert_eq!(last_lines(&nothing), Vec::<Clean>::new());
    let told = show(&mended(), &nothing);
    assert!(
        told.contains("It wrote nothing.") && !told.contains("Read what"),
        "{told}"
    );
}

#[test]
fn packages_of_another_minor_version_are_named() {
    let layers = vec![
        layer(&["usr/bin/python3.13", "usr/lib/python3.13/os.py"]),
        layer(&["usr/local/lib/python3.12/site-packages/flask/__init__.py"]),
    ];
    let evidence = with_layers(mended(), layers);
    insta::assert_snapshot!(show(&evidence, &said(1, NO_FLASK)), @r"
    `flask` is in `/usr/local/lib/python3.12/site-packages`, where Python 3.12 looks. The image runs Python 3.13, which does not see the packages of another minor version.
    Compare the Python version of the stage that installs with the one of the final base.
    Some(2) Some(1) /usr/local/lib/python3.12/site-packages
    ");
    // Without the image, the names of the bases tell.
    insta::assert_snapshot!(show(&mended(), &said(1, NO_FLASK)), @r"
    The packages were installed for Python 3.12, and the final image runs Python 3.13, which does not see the packages of another minor version.
    Compare the Python version of the stage that installs with the one of the final base.
    Some(3) None
    ");
}

#[test]
fn packages_in_a_closed_folder_are_named() {
    let layers = vec![
        layer(&["usr/bin/python3.13", "700 root/"]),
        layer(&["root/.local/lib/python3.13/site-packages/flask/__init__.py"]),
    ];
    insta::assert_snapshot!(show(&with_layers(mended(), layers), &said(1, NO_FLASK)), @r"
    `flask` is in `/root/.local/lib/python3.13/site-packages`. The container runs as user 65532, who may not enter `/root`.
    Ask into which folder packages for every user belong.
    Some(2) Some(1) /root
    ");
}

#[test]
fn packages_in_another_folder_or_nowhere_are_told_apart() {
    let layers = vec![
        layer(&["usr/bin/python3.13"]),
        layer(&["deps/flask/__init__.py"]),
    ];
    insta::assert_snapshot!(show(&with_layers(mended(), layers), &said(1, NO_FLASK)), @r"
    `flask` is in `/deps`, and this Python does not look there.
    Find out which folders this Python searches, and how it learns of another one.
    Some(2) Some(1) /deps
    ");
    let layers = vec![layer(&["usr/bin/python3.13"])];
    insta::assert_snapshot!(show(&with_layers(mended(), layers), &said(1, NO_FLASK)), @r"
    Nothing of the name `flask` is in the image: what was installed stayed behind in another stage, or was never installed.
    Follow the packages from where they are installed to the final image.
    Some(5) None
    ");
}

#[test]
fn a_closed_folder_explains_a_refused_permission() {
    let layers = vec![layer(&[
        "700 root/",
        "700 root/.local/",
        "root/.local/x.py",
    ])];
    let error = "PermissionError: [Errno 13] Permission denied: '/root/.local/x.py'";
    insta::assert_snapshot!(show(&with_layers(mended(), layers), &said(1, error)), @r"
    The container runs as user 65532, who may not enter `/root`.
    Look at who owns what the app needs, and from where it was copied.
    Some(3) None /root/.local/x.py
    ");
}

fn scratch(linking: Option<Linking>, machine: &str) -> Evidence {
    let mut config = starts(&["/app"], &[]);
    config.architecture = String::from("amd64");
    let evidence = with_config(
        "FROM scratch\nCOPY --from=b /app /app\nENTRYPOINT [\"/app\"]",
        config,
    );
    let mut files = layer(&["app"]);
    if let Some(linking) = linking {
        let elf = Elf {
            linking,
            machine: machine.to_owned(),
            needed: Vec::new(),
        };
        files
            .programs
            .insert(String::from("app"), Program::Elf(elf));
    }
    with_layers(evidence, vec![layer(&[]), files])
}

#[test]
fn a_missing_loader_is_told_from_a_missing_file() {
    let loader = Linking::Dynamic {
        interpreter: String::from("/lib64/ld-linux-x86-64.so.2"),
    };
    let error = said(
        1,
        "standard_init_linux.go:228: exec user process caused: no such file or directory",
    );
    insta::assert_snapshot!(show(&scratch(Some(loader), "amd64"), &error), @r"
    `/app` is there. What is missing is its loader, `/lib64/ld-linux-x86-64.so.2`: it was linked for a C library that the final image does not have.
    Compare how the build links it with what the final base brings.
    Some(2) Some(1) /lib64/ld-linux-x86-64.so.2
    ");
    let mut evidence = scratch(None, "");
    if let Ok(contents) = &mut evidence.contents {
        contents.layers[1].entries.clear();
    }
    let gone = refused("exec: \"/app\": stat /app: no such file or directory: unknown");
    insta::assert_snapshot!(show(&evidence, &gone), @r"
    The image has no `/app`.
    Follow the program from where it is made, or comes from, to the final image.
    Some(3) None /app
    ");
    evidence.contents = Err(crate::goal::Missing::because("no"));
    insta::assert_snapshot!(show(&evidence, &gone), @r"
    Either the image has no `/app`, or it has not what `/app` needs to be started: its loader or its interpreter.
    List what the final image has of it.
    Some(3) None /app
    ");
}

#[test]
fn a_script_without_its_interpreter_is_named() {
    let mut evidence = scratch(None, "");
    if let Ok(contents) = &mut evidence.contents {
        let script = Program::Script {
            interpreter: String::from("/bin/sh"),
            argument: None,
        };
        contents.layers[1]
            .programs
            .insert(String::from("app"), script);
    }
    insta::assert_snapshot!(show(&evidence, &refused("exec /app: no such file or directory")), @r"
    `/app` is there. It is a script for `/bin/sh`, and the image has no `/bin/sh`.
    Ask what in the final image can run a script, and whether one is needed.
    Some(2) Some(1) /bin/sh
    ");
}

#[test]
fn a_link_that_leads_nowhere_is_told_from_a_missing_file() {
    let virtual_env = |command: &str, files: &[&str]| {
        let mut config = starts(&[command], &["app.py"]);
        config.env = vec![String::from("PATH=/venv/bin:/usr/bin")];
        let dockerfile = "FROM scratch\nCOPY --from=b /venv /venv\nENTRYPOINT [\"python\"]";
        with_layers(
            with_config(dockerfile, config),
            vec![layer(&["usr/", "usr/bin/", "usr/bin/env"]), layer(files)],
        )
    };
    let files = [
        "venv/bin/python -> python3",
        "venv/bin/python3 -> /usr/local/bin/python3",
    ];
    for command in ["/venv/bin/python", "python"] {
        let gone = refused(&format!("exec: \"{command}\": not found: unknown"));
        insta::allow_duplicates! {
            insta::assert_snapshot!(show(&virtual_env(command, &files), &gone), @r"
            `/venv/bin/python` is a link that leads nowhere: the image has no `/usr/local`.
            Look at what the link leads to where it is made, and what of that is in the final image.
            Some(2) Some(1) /venv/bin/python
            ");
        }
    }
    let mut evidence = virtual_env("/venv/bin/flask", &["venv/bin/flask", files[0], files[1]]);
    if let Ok(contents) = &mut evidence.contents {
        let script = Program::Script {
            interpreter: String::from("/venv/bin/python3"),
            argument: None,
        };
        contents.layers[1]
            .programs
            .insert(String::from("venv/bin/flask"), script);
    }
    let gone = refused("exec /venv/bin/flask: no such file or directory");
    insta::assert_snapshot!(show(&evidence, &gone), @r"
    `/venv/bin/flask` is there. It is a script for `/venv/bin/python3`, and that is a link, which leads nowhere: the image has no `/usr/local`.
    Ask what in the final image can run a script, and whether one is needed.
    Some(2) Some(1) /venv/bin/python3
    ");
}

#[test]
fn another_architecture_is_named() {
    let evidence = scratch(Some(Linking::Static), "arm64");
    insta::assert_snapshot!(show(&evidence, &said(1, "exec /app: exec format error")), @r"
    `/app` was built for arm64, and this image is for amd64.
    Look for a hard-coded architecture in the build.
    Some(3) None /app
    ");
}

#[test]
fn a_file_that_may_not_be_executed_shows_its_permissions() {
    let mut evidence = scratch(None, "");
    if let Ok(contents) = &mut evidence.contents {
        contents.layers[1].entries[0].mode = 0o644;
    }
    let error = refused("exec: \"/app\": permission denied: unknown");
    insta::assert_snapshot!(show(&evidence, &error), @r"
    `/app` has the permissions 644, which do not let user root execute it.
    Look at how the file gets into the image, and with which permissions.
    Some(3) None /app
    ");
}

#[test]
fn an_unknown_user_and_a_missing_command_are_named() {
    let mut config = starts(&[], &["x"]);
    config.user = String::from("app");
    let evidence = with_config("FROM a\nUSER app\nCMD x", config);
    let error = refused("unable to find user app: no matching entries in passwd file");
    insta::assert_snapshot!(show(&evidence, &error), @r"
    The image has no user `app`: its `/etc/passwd` does not name it.
    Compare the users of the final image with the one that it should run as.
    Some(2) None
    ");
    let evidence = with_config("FROM scratch\nCOPY a b", starts(&[], &[]));
    insta::assert_snapshot!(show(&evidence, &refused("No command specified")), @r"
    The image has neither an entrypoint nor a command, so that the engine does not know what to start.
    Look for the instruction of the final stage that says what a container runs.
    Some(1) None
    ");
    for said in [
        "container create: no command or entrypoint provided, and no CMD or ENTRYPOINT from image",
        "exec: \"\": executable file not found in $PATH",
    ] {
        let told = show(&evidence, &refused(said));
        assert!(
            told.contains("neither an entrypoint nor a command"),
            "{told}"
        );
    }
    insta::assert_snapshot!(show(&evidence, &refused("cgroups: cannot find cgroup mount")), @r"
    The engine could not start it: cgroups: cannot find cgroup mount
    Look at what the image starts, and as whom.
    Some(1) None
    ");
}

#[test]
fn libraries_and_certificates_are_named() {
    let evidence = with_config("FROM a\nCMD [\"x\"]", starts(&[], &["x"]));
    let error =
        "x: error while loading shared libraries: libssl.so.3: cannot open shared object file";
    insta::assert_snapshot!(show(&evidence, &said(127, error)), @r"
    The program needs the shared library `libssl.so.3`, and the loader does not find it in the image.
    Compare the libraries of the stage that builds with those of the final base.
    Some(2) None libssl.so.3
    ");
    let error = "Get \"https://a\": tls: failed to verify certificate: x509: certificate signed by unknown authority";
    insta::assert_snapshot!(show(&evidence, &said(1, error)), @r"
    The app cannot tell whom to trust: it finds no list of certificate authorities in the image.
    Find out where such a list usually is, and which stage has one.
    Some(1) None
    ");
}

#[test]
fn a_line_that_was_not_run_is_not_to_blame() {
    let words = |words: &[&str]| Some(words.iter().map(|word| (*word).to_owned()).collect());
    let blamed = |file: &str, entrypoint: &[&str], start: Start| {
        let run = Run {
            start,
            probe: Probe::Exit,
            within: std::time::Duration::ZERO,
        };
        let evidence = with_config(file, starts(entrypoint, &["x"]));
        of(&evidence, &run, &said(3, "")).blame.line
    };
    let args = || Start {
        args: words(&["sh", "-c", "exit 3"]),
        ..Start::default()
    };
    let entrypoint = || Start {
        entrypoint: words(&["/bin/nope"]),
        ..Start::default()
    };
    let cmd = "FROM a\nCMD [\"x\"]";
    assert_eq!(blamed(cmd, &[], Start::default()), Some(2));
    assert_eq!(blamed(cmd, &[], args()), None);
    assert_eq!(blamed(cmd, &["inherited"], args()), Some(1));
    let both = "FROM a\nCMD [\"x\"]\nENTRYPOINT [\"y\"]";
    assert_eq!(blamed(both, &["y"], args()), Some(3));
    assert_eq!(blamed(both, &["y"], entrypoint()), None);
}

#[test]
fn last_words_are_cut_to_a_sentence() {
    let evidence = with_config("FROM a\nCMD [\"x\"]", starts(&[], &["x"]));
    let long = show(&evidence, &said(137, &"y".repeat(500)));
    assert!(
        long.contains("was killed (status 137)") && long.contains("yyy…"),
        "{long}"
    );
    assert!(show(&evidence, &said(0, "")).contains("It wrote nothing."));
}
