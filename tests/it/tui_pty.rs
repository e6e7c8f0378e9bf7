//! The workshop on a real pseudo-terminal that answers no question. The program under test is this
//! test binary itself, started again as [`child`], so that no back door is in the product.

use std::path::Path;
use std::time::Duration;
use std::time::Instant;

use loadline::tui::Left;
use loadline::tui::Options;
use loadline::tui::Start;
use portable_pty::CommandBuilder;
use rustix::process::Pid;
use rustix::process::Signal;

use crate::pty::PATIENCE;
use crate::pty::Pty;
use crate::pty::size;
use crate::pty_workshop::DOCKERFILE;
use crate::pty_workshop::services;

const SCENARIO: &str = "LOADLINE_TEST_PTY_SCENARIO";
const FOLDER: &str = "LOADLINE_TEST_PTY_FOLDER";

/// The program under test; on its own it has nothing to do.
#[test]
fn child() {
    let Ok(scenario) = std::env::var(SCENARIO) else {
        return;
    };
    let folder = std::env::var(FOLDER).expect("the test names the folder");
    let mut options = Options::from_env(Start::Home);
    options.reports = folder.clone().into();
    let left = loadline::tui::run(services(&scenario, folder.into()), options);
    let code = match left {
        Ok(Left::Quit) => 0,
        Ok(Left::Terminated) => 3,
        Err(_) => 4,
    };
    exit(code);
}

#[expect(
    clippy::exit,
    reason = "the test harness must not print over the terminal"
)]
fn exit(code: i32) {
    std::process::exit(code);
}

impl Pty {
    fn start(scenario: &str) -> Self {
        Self::start_with(scenario, &[])
    }

    fn start_with(scenario: &str, env: &[(&str, &str)]) -> Self {
        Self::open(scenario, env, true)
    }

    fn open(scenario: &str, env: &[(&str, &str)], owned: bool) -> Self {
        let program = std::env::current_exe().expect("this test has a path");
        Self::open_by(CommandBuilder::new(program), scenario, env, owned)
    }

    /// Opens the workshop by a command that takes the arguments of this test's program.
    fn open_by(
        mut command: CommandBuilder,
        scenario: &str,
        env: &[(&str, &str)],
        owned: bool,
    ) -> Self {
        let folder = tempfile::tempdir().expect("a folder for the test");
        command.args([
            "tui_pty::child",
            "--exact",
            "--nocapture",
            "--test-threads=1",
        ]);
        command.env(SCENARIO, scenario);
        command.env(FOLDER, folder.path());
        Self::run(command, folder, env, owned)
    }

    fn open_work(&mut self) {
        self.shows("Docker 20.10");
        self.press("j");
        self.shows("Enter start");
        self.press("\r");
        self.shows("work on it");
        self.press("\r");
        self.shows("COPY app.py");
    }

    /// Sends a signal to what the shell of this terminal has started.
    fn signal_job(&self, signal: Signal) {
        let shell = self.pid().as_raw_nonzero();
        let children = std::fs::read_to_string(format!("/proc/{shell}/task/{shell}/children"));
        let job = children.expect("the shell is there").trim().parse();
        let job = job.ok().and_then(Pid::from_raw).expect("it has one job");
        rustix::process::kill_process(job, signal).expect("the job can be signalled");
    }

    fn dockerfile(&self) -> std::path::PathBuf {
        self.folder.path().join("Dockerfile")
    }
}

fn wait_for_file(path: &Path, wanted: impl Fn(&str) -> bool) -> String {
    let end = Instant::now() + PATIENCE;
    loop {
        let text = std::fs::read_to_string(path).unwrap_or_default();
        if wanted(&text) {
            return text;
        }
        assert!(Instant::now() < end, "{} has {text:?}", path.display());
        std::thread::yield_now();
    }
}

#[test]
fn it_starts_on_the_course_map_and_q_gives_the_terminal_back() {
    let mut pty = Pty::start("plain");
    pty.shows("Why small matters");
    pty.shows("Docker 20.10");
    assert!(!pty.is_canonical());
    pty.press("q");
    assert_eq!(pty.ends(), 0);
    pty.is_restored();
}

#[test]
fn it_never_asks_the_terminal_and_repaints_without_an_answer() {
    let mut pty = Pty::start("plain");
    pty.shows("Docker 20.10");
    let before = pty.seen.len();
    pty.press("\x0c");
    pty.until("a whole new frame", |pty| {
        let new = String::from_utf8_lossy(&pty.seen[before..]).into_owned();
        new.contains("Minimal") && new.contains("commands")
    });
    pty.master.resize(size(80, 24)).expect("a new size");
    pty.screen.screen_mut().set_size(24, 80);
    pty.until("a frame of 80x24", |pty| {
        pty.contents().lines().count() <= 24 && pty.contents().contains(": commands")
    });
    pty.press("q");
    assert_eq!(pty.ends(), 0);
    for question in ["\x1b[6n", "\x1b[c", "\x1b[?u", "\x1b]11;?"] {
        assert!(!pty.wrote(question.as_bytes()), "asked {question:?}");
    }
}

#[test]
fn an_editor_gets_every_key_and_its_text_comes_back() {
    let editor =
        r##"sh -c 'printf "editor is here"; read line; printf "# %s\n" "$line" >> "$1"' ed"##;
    let mut pty = Pty::start_with("plain", &[("EDITOR", editor)]);
    pty.open_work();
    pty.press("E");
    pty.shows("editor is here");
    assert!(!pty.screen.screen().alternate_screen());
    pty.press("every key arrives\n");
    pty.shows("# every key arrives");
    pty.until("the workbench", |pty| {
        pty.screen.screen().alternate_screen()
    });
    let text = std::fs::read_to_string(pty.dockerfile()).expect("the file is there");
    assert_eq!(text, format!("{DOCKERFILE}# every key arrives\n"));
    pty.press("qq");
    assert_eq!(pty.ends(), 0);
    pty.is_restored();
}

#[test]
fn an_editor_gets_the_first_key_each_time() {
    let editor = r#"sh -c 'stty raw -echo; dd bs=1 count=1 2>/dev/null >> keys; stty sane'"#;
    let mut pty = Pty::start_with("plain", &[("EDITOR", editor)]);
    pty.open_work();
    for key in ["4", "5", "?", "q", "6"] {
        pty.press("E");
        pty.until("the normal screen", |pty| {
            !pty.screen.screen().alternate_screen()
        });
        pty.press(key);
        pty.until("the workbench", |pty| {
            pty.screen.screen().alternate_screen() && pty.contents().contains("COPY app.py")
        });
    }
    let keys = wait_for_file(&pty.folder.path().join("keys"), |keys| keys.len() > 4);
    assert_eq!(keys, "45?q6");
    pty.press("qq");
    assert_eq!(pty.ends(), 0);
}

#[test]
fn without_colour_bold_stays_bold() {
    let mut pty = Pty::start_with("plain", &[("NO_COLOR", "1")]);
    pty.shows("Docker 20.10");
    let screen = pty.screen.screen();
    let row = pty.contents();
    let column = row
        .lines()
        .next()
        .and_then(|line| line.find("loadline").map(|at| line[..at].chars().count()))
        .expect("the name is in the first row");
    let column = u16::try_from(column).expect("a column");
    for x in column..column + 8 {
        let cell = screen.cell(0, x).expect("a cell");
        assert!(cell.bold(), "column {x} lost its bold");
    }
    for y in 0..36 {
        for x in 0..120 {
            let cell = screen.cell(y, x).expect("a cell");
            assert_eq!(cell.fgcolor(), vt100::Color::Default, "{y},{x}");
        }
    }
    pty.press("q");
    assert_eq!(pty.ends(), 0);
}

#[test]
fn a_panic_in_the_background_leaves_the_screen_alone() {
    let mut pty = Pty::start("panic-behind");
    pty.shows("something in the background went wrong");
    assert!(pty.screen.screen().alternate_screen());
    assert!(!pty.wrote(b"\x1b[?1049l"));
    let report = std::fs::read_dir(pty.folder.path())
        .expect("the folder is readable")
        .filter_map(Result::ok)
        .find(|entry| {
            entry
                .file_name()
                .to_string_lossy()
                .starts_with("loadline-panic")
        })
        .expect("the report is a file");
    let text = std::fs::read_to_string(report.path()).expect("the report is readable");
    assert!(text.contains("a background task fell over"), "{text}");
    pty.press("j");
    pty.shows("Your first build");
    pty.press("q");
    assert_eq!(pty.ends(), 0);
    pty.is_restored();
}

#[test]
fn a_panic_while_drawing_gives_the_terminal_back_before_it_is_told() {
    let mut pty = Pty::start("panic-drawing");
    // The goal's title is drawn with the exercise's row.
    pty.press("j");
    assert_ne!(pty.ends(), 0);
    pty.is_restored();
    let seen = String::from_utf8_lossy(&pty.seen).into_owned();
    let left = seen.find("\x1b[?1049l").expect("it left the screen");
    let told = seen.find("the fuse was lit").expect("it told why");
    assert!(left < told, "the message went to the screen that is gone");
}

#[test]
fn ctrl_c_cancels_the_build_and_says_so_only_when_it_is_over() {
    let mut pty = Pty::start("slow");
    pty.open_work();
    pty.press("b");
    pty.shows("output 5");
    pty.press("\x03");
    pty.shows("cancelling");
    pty.shows("has stopped working on it");
    assert!(pty.folder.path().join("stopped").exists());
    pty.shows("nothing was judged");
    // The job's own end follows its report in a moment; until then the next one is refused.
    while !pty.contents().contains("Build 2") {
        pty.press("b");
        pty.until("an answer", |pty| {
            let shown = pty.contents();
            let running = ["a build is running", "the build that runs"];
            shown.contains("Build 2") || running.iter().any(|text| shown.contains(text))
        });
    }
    pty.press("\x03\x03");
    assert_eq!(pty.ends(), 0);
    pty.is_restored();
}

#[test]
fn leaving_in_the_middle_of_a_build_stops_it_first() {
    for (keys, code) in [(Some("\x03\x03"), 0), (None, 3)] {
        let mut pty = Pty::start("slow");
        pty.open_work();
        pty.press("b");
        pty.shows("output 5");
        match keys {
            Some(keys) => pty.press(keys),
            None => pty.signal(Signal::TERM),
        }
        assert_eq!(pty.ends(), code);
        pty.is_restored();
        assert!(pty.folder.path().join("stopped").exists());
        assert!(pty.wrote(b"stopping the build"));
    }
}

#[test]
fn the_inside_of_the_last_image_is_read_and_leads_back_to_its_line() {
    let mut pty = Pty::start("inside");
    pty.shows("Docker 20.10");
    pty.press("j");
    pty.shows("Enter continue");
    pty.press("\r");
    pty.shows("COPY app.py");
    pty.press("4");
    pty.shows("2 MB in 1 layer");
    pty.shows("FROM python:3.13");
    pty.press("\t");
    pty.shows("libc.so");
    pty.press("fpasswd\r");
    pty.hides("libc.so");
    pty.press("\r");
    pty.shows("what each line ships");
    pty.press("5");
    pty.shows("CVEs");
    pty.press("2qq");
    assert_eq!(pty.ends(), 0);
    pty.is_restored();
}

#[test]
fn keys_are_answered_during_a_flood_of_output() {
    let mut pty = Pty::start("flood");
    pty.open_work();
    pty.press("b");
    pty.shows("more in the log file");
    pty.press("?");
    pty.shows("Help: Work");
    pty.press("\x1b");
    pty.hides("Help: Work");
    pty.press("x");
    pty.shows("has stopped working on it");
    pty.press("qq");
    assert_eq!(pty.ends(), 0);
}

/// A shell with job control, and its job.
const JOB: &str = r#"
set -m
"$@"
echo the shell is back
read -r line
fg
"#;

#[test]
fn ctrl_z_gives_the_terminal_to_the_shell_and_fg_brings_everything_back() {
    // A program that waits for ours, as `make workshop` does, is stopped with it.
    let waits: &[&str] = &["sh", "-c", r#""$0" "$@"; exit $?"#];
    for job in [&[], waits] {
        let program = std::env::current_exe().expect("this test has a path");
        let mut shell = CommandBuilder::new("bash");
        shell.args(["-c", JOB, "bash"]);
        shell.args(job);
        shell.arg(program);
        let mut pty = Pty::open_by(shell, "plain", &[], true);
        pty.shows("Docker 20.10");
        let with_a_key = !job.is_empty();
        if with_a_key {
            pty.press("\x1a");
        } else {
            pty.signal_job(Signal::TSTP);
        }
        pty.shows("the shell is back");
        assert!(!pty.screen.screen().alternate_screen());
        assert!(pty.is_canonical());
        pty.press("\r");
        pty.until("the workshop again", |pty| {
            pty.screen.screen().alternate_screen() && pty.contents().contains(": commands")
        });
        pty.press("j");
        pty.shows("Enter start");
        pty.press("q");
        assert_eq!(pty.ends(), 0);
        pty.is_restored();
        assert!(!pty.wrote(b"\x1b[6n"));
    }
}

#[test]
fn without_a_shell_nothing_stops_what_nobody_would_bring_back() {
    let mut pty = Pty::start("plain");
    pty.shows("Docker 20.10");
    pty.press("\x1a");
    pty.signal(Signal::TSTP);
    pty.press("j");
    pty.shows("Enter start");
    pty.press("q");
    assert_eq!(pty.ends(), 0);
    pty.is_restored();
}

#[test]
fn signals_that_ask_to_end_are_obeyed_and_save_what_is_typed() {
    for signal in [Signal::TERM, Signal::HUP] {
        let mut pty = Pty::start("plain");
        pty.open_work();
        pty.press("e# typed");
        pty.shows("# typed");
        pty.signal(signal);
        assert_eq!(pty.ends(), 3);
        pty.is_restored();
        let text = std::fs::read_to_string(pty.dockerfile()).expect("the file is there");
        assert_eq!(text, format!("# typed{DOCKERFILE}"));
    }
}

#[test]
fn leaving_while_the_disk_has_something_else_keeps_the_text_and_says_where() {
    for (keys, code) in [(Some("\x03\x03"), 0), (None, 3)] {
        let mut pty = Pty::start("plain");
        pty.open_work();
        pty.press("e# mine");
        pty.shows("# mine");
        std::fs::remove_file(pty.dockerfile()).expect("it is there");
        pty.shows("was deleted on disk");
        match keys {
            Some(keys) => pty.press(keys),
            None => pty.signal(Signal::TERM),
        }
        assert_eq!(pty.ends(), code);
        pty.is_restored();
        pty.shows("loadline: the text of Dockerfile that is not on disk now is kept in");
        let kept = pty.folder.path().join("Dockerfile.kept");
        let kept = std::fs::read_to_string(kept).expect("the text is there");
        assert_eq!(kept, format!("# mine{DOCKERFILE}"));
        assert!(!pty.dockerfile().exists(), "it was deleted on purpose");
    }
}

#[test]
fn one_cell_is_enough_to_survive() {
    let mut pty = Pty::start("plain");
    pty.open_work();
    for (cols, rows) in [(1, 1), (2, 40), (60, 18), (40, 10), (120, 36)] {
        pty.master.resize(size(cols, rows)).expect("a new size");
        // The reader of screens fails where the frame before, which is larger, meets one column or row.
        let (rows, cols) = (rows.max(2), cols.max(2));
        pty.screen.screen_mut().set_size(rows, cols);
        pty.press("\x0c");
        let first = match cols {
            ..60 => "l",
            // The pages' names need all of the smallest line.
            60 => "1 Brief 2 Work",
            _ => "Your first build",
        };
        pty.until("the new size", |pty| {
            pty.contents().trim_start().contains(first)
        });
    }
    pty.shows("COPY app.py");
    pty.press("qq");
    assert_eq!(pty.ends(), 0);
}

#[test]
fn a_file_changed_outside_appears_and_typing_reaches_the_disk() {
    let mut pty = Pty::start("plain");
    pty.open_work();
    // As editors save: a new file is renamed over the old one.
    let new = pty.folder.path().join("new");
    std::fs::write(&new, format!("{DOCKERFILE}LABEL from=outside\n")).expect("a new file");
    std::fs::rename(new, pty.dockerfile()).expect("renamed over the old one");
    pty.shows("LABEL from=outside");
    pty.press("e");
    pty.shows("editing");
    pty.press("\x1b[200~# pasted\n# twice\n\x1b[201~");
    pty.shows("# twice");
    pty.press("\x1b");
    pty.shows("saved");
    let text = wait_for_file(&pty.dockerfile(), |text| text.contains("# twice"));
    assert!(text.starts_with("# pasted\n# twice\nFROM"), "{text}");
    pty.press("qq");
    assert_eq!(pty.ends(), 0);
}

/// The processor time that a process has used, in hundredths of a second.
fn used(pid: Pid) -> u64 {
    let stat =
        std::fs::read_to_string(format!("/proc/{}/stat", pid.as_raw_nonzero())).unwrap_or_default();
    let after = stat.rsplit(')').next().unwrap_or_default();
    let fields = after.split_whitespace().skip(11).take(2);
    fields.filter_map(|field| field.parse::<u64>().ok()).sum()
}

fn state(pid: Pid) -> String {
    let stat =
        std::fs::read_to_string(format!("/proc/{}/stat", pid.as_raw_nonzero())).unwrap_or_default();
    let after = stat.rsplit(')').next().unwrap_or_default();
    after
        .split_whitespace()
        .next()
        .unwrap_or_default()
        .to_owned()
}

#[test]
fn a_terminal_that_goes_without_a_word_ends_the_build_and_the_program() {
    let mut pty = Pty::open("stubborn", &[], false);
    pty.open_work();
    pty.press("be# typed");
    pty.shows("# typed");
    let pid = pty.pid();
    let before = used(pid);
    pty.vanishes();
    wait_for_file(&pty.folder.path().join("stopped"), |text| text == "yes");
    let end = Instant::now() + PATIENCE;
    while state(pid) != "Z" {
        assert!(Instant::now() < end, "it lives on without a terminal");
        std::thread::sleep(Duration::from_millis(10));
    }
    // Its engine takes two seconds to stop. Reading the end of the terminal for ever takes them, too.
    let spent = used(pid) - before;
    assert!(spent < 100, "it spun: {spent} hundredths of a second");
    assert_eq!(pty.ends(), 3);
    let text = std::fs::read_to_string(pty.dockerfile()).expect("the file is there");
    assert_eq!(text, format!("# typed{DOCKERFILE}"));
}

#[test]
fn an_editor_whose_terminal_goes_is_told_and_the_program_ends() {
    let editor = r#"sh -c 'trap "echo told > told; exit" HUP; echo editor is here; while :; do sleep 0.1; done'"#;
    let mut pty = Pty::open("plain", &[("EDITOR", editor)], false);
    pty.open_work();
    pty.press("E");
    pty.shows("editor is here");
    pty.vanishes();
    assert_eq!(pty.ends(), 3);
    wait_for_file(&pty.folder.path().join("told"), |text| text == "told\n");
}

/// Context switches of a process that it asked for: it woke up and went back to wait.
fn wakeups(pid: Pid) -> u64 {
    let tasks = format!("/proc/{}/task", pid.as_raw_nonzero());
    std::fs::read_dir(tasks)
        .expect("the child lives")
        .filter_map(Result::ok)
        .filter_map(|task| std::fs::read_to_string(task.path().join("status")).ok())
        .filter_map(|status| {
            let line = status
                .lines()
                .find(|line| line.starts_with("voluntary_ctxt_switches"))?;
            line.split_whitespace().nth(1)?.parse::<u64>().ok()
        })
        .sum()
}

#[test]
fn at_rest_it_sleeps() {
    let mut pty = Pty::start("plain");
    pty.open_work();
    let pid = pty.pid();
    // It comes to rest, and then a second passes without it waking up.
    let end = Instant::now() + PATIENCE;
    loop {
        let before = wakeups(pid);
        let calm = pty.bytes.recv_timeout(Duration::from_secs(1)).is_err();
        if calm && wakeups(pid) == before {
            break;
        }
        assert!(Instant::now() < end, "it never rests");
    }
    pty.press("qq");
    assert_eq!(pty.ends(), 0);
}
