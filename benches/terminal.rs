//! What a learner feels: first paint, key to frame, rest, memory, through a real pseudo-terminal;
//! and a large image on the screen of layers.
//!
//! `cargo bench --bench terminal` prints one line per figure with its budget, and fails where a
//! budget is missed. The terminal answers no query, as a silent one would.

#![expect(
    clippy::disallowed_methods,
    clippy::print_stdout,
    clippy::expect_used,
    reason = "a bench acts, prints its figures and stops where it cannot measure"
)]

use std::io::Read;
use std::io::Write;
use std::path::Path;
use std::path::PathBuf;
use std::process::Command;
use std::process::Stdio;
use std::sync::Arc;
use std::sync::mpsc;
use std::time::Duration;
use std::time::Instant;

use crossterm::event::KeyCode;
use crossterm::event::KeyEvent;
use crossterm::event::KeyModifiers;
use loadline::course;
use loadline::course::ExerciseId;
use loadline::engine::Engine as _;
use loadline::engine::find;
use loadline::image::Contents;
use loadline::image::Entry;
use loadline::image::EntryKind;
use loadline::image::Layer;
use loadline::report::Report;
use loadline::tui::effect::Effect;
use loadline::tui::model::Model;
use loadline::tui::msg::JobId;
use loadline::tui::msg::Msg;
use loadline::tui::screen;
use loadline::tui::theme::Theme;
use loadline::tui::update::start;
use loadline::tui::update::update;
use loadline::units::Bytes as LayerBytes;
use loadline::workshop::Progress;
use loadline::workshop::Record;
use loadline::workshop::insight::Advised;
use loadline::workshop::insight::Insight;
use portable_pty::Child;
use portable_pty::CommandBuilder;
use portable_pty::MasterPty;
use portable_pty::PtySize;
use portable_pty::native_pty_system;
use ratatui::Terminal;
use ratatui::backend::TestBackend;
use ratatui::layout::Size;

const COLUMNS: u16 = 120;
const ROWS: u16 = 36;
const STARTS: usize = 21;
const KEYS: u64 = 1000;
const REST: Duration = Duration::from_secs(5);
/// Keys during a flood: half of them open help, half close it.
const FLOOD_KEYS: u64 = 400;
/// A step that writes some thousand lines a second, and ends by itself where nobody ends it.
const FLOOD: &str =
    "FROM busybox\nRUN for i in $(seq 400); do seq 200 | sed 's,^,flood ,'; sleep 0.1; done\n";

/// The program on a pseudo-terminal.
struct Session {
    child: Box<dyn Child + Send + Sync>,
    _master: Box<dyn MasterPty + Send>,
    writer: Box<dyn Write + Send>,
    output: mpsc::Receiver<(Instant, Vec<u8>)>,
    screen: vt100::Parser,
    began: Instant,
}

impl Session {
    /// No engine: these figures are about the program alone.
    fn start(home: &Path) -> Self {
        Self::start_with(home, &[], "unix:///nonexistent/docker.sock")
    }

    fn start_with(home: &Path, args: &[&str], engine: &str) -> Self {
        let size = PtySize {
            rows: ROWS,
            cols: COLUMNS,
            pixel_width: 0,
            pixel_height: 0,
        };
        let pair = native_pty_system()
            .openpty(size)
            .expect("a pseudo-terminal");
        let mut command = CommandBuilder::new(env!("CARGO_BIN_EXE_loadline"));
        command.args(args);
        command.env_clear();
        command.env("TERM", "xterm-256color");
        command.env("LANG", "C.UTF-8");
        command.env("PATH", "/usr/bin:/bin");
        command.env("HOME", home);
        command.env("DOCKER_HOST", engine);
        let mut reader = pair
            .master
            .try_clone_reader()
            .expect("the terminal's output");
        let writer = pair.master.take_writer().expect("the terminal's input");
        let began = Instant::now();
        let child = pair
            .slave
            .spawn_command(command)
            .expect("the program starts");
        drop(pair.slave);
        let (sender, output) = mpsc::channel();
        std::thread::spawn(move || {
            let mut buffer = [0; 65536];
            while let Ok(count) = reader.read(&mut buffer) {
                let piece = buffer.get(..count).unwrap_or_default().to_vec();
                if count == 0 || sender.send((Instant::now(), piece)).is_err() {
                    break;
                }
            }
        });
        Self {
            child,
            _master: pair.master,
            writer,
            output,
            screen: vt100::Parser::new(ROWS, COLUMNS, 0),
            began,
        }
    }

    fn pid(&self) -> u32 {
        self.child.process_id().expect("the program runs")
    }

    /// Waits until the screen satisfies `wanted`; the moment at which it did.
    fn wait(&mut self, what: &str, mut wanted: impl FnMut(&str) -> bool) -> Instant {
        let deadline = Instant::now() + Duration::from_secs(10);
        while Instant::now() < deadline {
            if let Ok((at, piece)) = self.output.recv_timeout(Duration::from_millis(100)) {
                self.screen.process(&piece);
                if wanted(&self.screen.screen().contents()) {
                    return at;
                }
            }
        }
        println!(
            "{what} did not happen; the screen:\n{}",
            self.screen.screen().contents()
        );
        std::process::exit(1);
    }

    fn settle(&mut self) {
        while let Ok((_, piece)) = self.output.recv_timeout(Duration::from_millis(300)) {
            self.screen.process(&piece);
        }
    }

    fn press(&mut self, keys: &str) -> Instant {
        self.writer
            .write_all(keys.as_bytes())
            .expect("the terminal takes keys");
        Instant::now()
    }

    /// Presses the quit key; how long the program took to end.
    fn quit(mut self) -> Duration {
        let pressed = self.press("q");
        while self
            .child
            .try_wait()
            .expect("the program can be asked")
            .is_none()
        {
            if pressed.elapsed() > Duration::from_secs(5) {
                self.child.kill().ok();
                println!("the program did not quit");
                std::process::exit(1);
            }
            std::thread::sleep(Duration::from_millis(1));
        }
        pressed.elapsed()
    }
}

/// Whether a screen shows something useful: more than forty signs that are not blank.
fn useful(screen: &str) -> bool {
    screen.chars().filter(|c| !c.is_whitespace()).count() > 40
}

fn milliseconds(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1000.0
}

/// The value at `percent` of the sorted figures.
fn quantile(figures: &mut [f64], percent: usize) -> f64 {
    figures.sort_by(f64::total_cmp);
    let index = figures.len() * percent / 100;
    let last = figures.len().saturating_sub(1);
    figures.get(index.min(last)).copied().unwrap_or(f64::NAN)
}

/// Prints a figure beside its budget; whether it keeps it.
fn figure(name: &str, value: f64, unit: &str, budget: f64) -> bool {
    let kept = value <= budget;
    let word = if kept { "ok" } else { "OVER" };
    println!("{name:<32} {value:>9.2} {unit:<4} budget {budget:>6.1}  {word}");
    kept
}

/// A figure of `/proc/PID/status`.
fn status(path: &Path, key: &str) -> Option<f64> {
    let status = std::fs::read_to_string(path.join("status")).ok()?;
    let line = status.lines().find(|line| line.starts_with(key))?;
    line.split_whitespace().nth(1)?.parse().ok()
}

/// Voluntary context switches of all threads: how often the program woke up.
fn wakeups(pid: u32) -> f64 {
    let tasks = std::fs::read_dir(format!("/proc/{pid}/task")).expect("the program runs");
    tasks
        .flatten()
        .filter_map(|task| status(&task.path(), "voluntary_ctxt_switches"))
        .sum()
}

fn starts(home: &Path) -> bool {
    let (mut paints, mut quits) = (Vec::new(), Vec::new());
    for _ in 0..STARTS {
        let mut session = Session::start(home);
        let painted = session.wait("the first paint", useful);
        paints.push(milliseconds(painted - session.began));
        session.settle();
        quits.push(milliseconds(session.quit()));
    }
    let paint = figure(
        "first useful paint, median",
        quantile(&mut paints, 50),
        "ms",
        15.0,
    );
    figure(
        "quit key to exit, median",
        quantile(&mut quits, 50),
        "ms",
        100.0,
    ) && paint
}

fn keys(session: &mut Session) -> bool {
    let mut frames = Vec::new();
    for index in 0..KEYS {
        let pressed = session.press(if index % 2 == 0 { "j" } else { "k" });
        let drawn = session.wait("a frame after a key", |_| true);
        frames.push(milliseconds(drawn.saturating_duration_since(pressed)));
        // A person does not type on a beat: spread the keys over the frame interval.
        std::thread::sleep(Duration::from_millis(3 + (index * 7) % 13));
        while let Ok((_, piece)) = session.output.try_recv() {
            session.screen.process(&piece);
        }
    }
    let half = figure(
        "key to frame at rest, p50",
        quantile(&mut frames, 50),
        "ms",
        2.0,
    );
    figure(
        "key to frame at rest, p99",
        quantile(&mut frames, 99),
        "ms",
        8.0,
    ) && half
}

/// Help opened and closed while a build floods its log: the answer is told from the flood by what
/// it says.
fn flood(engine: &str) -> bool {
    let home = tempfile::tempdir().expect("a folder");
    let mut session = Session::start_with(home.path(), &["learn", "first-build"], engine);
    session.wait("the brief", |screen| screen.contains("work on it"));
    session.press("\r");
    session.wait("the workbench", |screen| screen.contains("build"));
    session.settle();
    let file = dockerfile(home.path()).expect("the workbench has a Dockerfile");
    std::fs::write(file, FLOOD).expect("it is ours");
    session.wait("the Dockerfile as it was saved", |screen| {
        screen.contains("seq 400")
    });
    session.press("b");
    session.wait("the flood", |screen| screen.contains("flood 1"));
    let mut frames = Vec::new();
    for index in 0..FLOOD_KEYS {
        let opens = index % 2 == 0;
        let pressed = session.press(if opens { "?" } else { "\u{1b}" });
        let drawn = session.wait("help", |screen| screen.contains("Help: Work") == opens);
        frames.push(milliseconds(drawn.saturating_duration_since(pressed)));
        std::thread::sleep(Duration::from_millis(3 + (index * 7) % 13));
    }
    let flooded = session.screen.screen().contents().contains("flood");
    assert!(flooded, "the build ended before the keys did");
    session.press("x");
    session.wait("the end of the build", |screen| screen.contains("stopped"));
    session.press("q");
    session.quit();
    figure(
        "key to frame in a flood, p99",
        quantile(&mut frames, 99),
        "ms",
        33.0,
    )
}

/// The Dockerfile of the one exercise that was opened in a home.
fn dockerfile(home: &Path) -> Option<PathBuf> {
    let files = walkdir::WalkDir::new(home).into_iter().flatten();
    let mut found = files.map(walkdir::DirEntry::into_path);
    found.find(|path| path.file_name().is_some_and(|name| name == "Dockerfile"))
}

/// The memory of a process in MB; the kernel counts in units of 1024 bytes.
fn resident(process: &str) -> f64 {
    status(Path::new(process), "VmRSS").expect("the process runs") * 1.024 / 1000.0
}

/// The address of the engine, as the program finds it.
fn engine() -> String {
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let engine = runtime.block_on(find::find()).expect("an engine");
    engine.info().address.clone()
}

/// The course map as a learner has it, left alone: an engine answers and the base images are there.
fn rest(home: &Path, engine: &str) -> bool {
    let prepared = Command::new(env!("CARGO_BIN_EXE_loadline"))
        .args(["bases", "build"])
        .env("DOCKER_HOST", engine)
        .env("HOME", home)
        .stdout(Stdio::null())
        .status();
    assert!(
        prepared.is_ok_and(|status| status.success()),
        "the bases are there"
    );
    let mut session = Session::start_with(home, &[], engine);
    session.wait("the engine on the course map", |screen| {
        screen.contains("GB free")
    });
    session.settle();
    // A thread that has nothing more to do ends after ten seconds, and takes its count with it.
    std::thread::sleep(Duration::from_secs(12));
    let before = wakeups(session.pid());
    std::thread::sleep(REST);
    let woke = (wakeups(session.pid()) - before) / REST.as_secs_f64();
    let memory = resident(&format!("/proc/{}", session.pid()));
    session.quit();
    let quiet = figure("wakeups at rest", woke, "/s", 0.0);
    figure("memory at Home", memory, "MB", 25.0) && quiet
}

/// A file tree of so many files, as images have them: a few in each folder, some of them dead.
const FILES: usize = 100_000;

fn a_large_image() -> Contents {
    let file = |number: usize, size: u64| Entry {
        path: format!(
            "usr/lib/python3/dist-packages/part{:03}/sub{:02}/module_{number:06}.py",
            number / 500,
            number / 25 % 20
        ),
        kind: EntryKind::File,
        size: LayerBytes(size),
        mode: 0o644,
        uid: 0,
        gid: 0,
        content: None,
        capabilities: false,
    };
    let layer = |index: usize, numbers: std::ops::Range<usize>| Layer {
        index,
        entries: numbers
            .map(|number| file(number, 700 + number as u64 % 9000))
            .collect(),
        ..Layer::default()
    };
    Contents {
        // The upper layer writes a tenth of the lower one anew.
        layers: vec![layer(0, 0..FILES * 9 / 10), layer(1, FILES * 8 / 10..FILES)],
        ..Contents::default()
    }
}

fn press(key: char) -> Msg {
    let code = match key {
        '\t' => KeyCode::Tab,
        '\u{1b}' => KeyCode::Esc,
        key => KeyCode::Char(key),
    };
    Msg::Key(KeyEvent::new(code, KeyModifiers::NONE))
}

/// The screen of layers while it waits for the image of a recorded attempt.
fn looking() -> (Model, JobId) {
    let (course, report) = recorded();
    let mut model = Model::new(course, Theme::default(), Size::new(COLUMNS, ROWS));
    model.start_at("shrink-that-image");
    let record = Record {
        attempts: 1,
        numbered: 1,
        number: 1,
        last: Some(Box::new(report)),
        ..Record::default()
    };
    let progress = Progress {
        exercises: [(ExerciseId("shrink-that-image".to_owned()), record)].into(),
        ..Progress::default()
    };
    let mut effects = start(&mut model);
    for msg in [Msg::Progress(Ok(progress)), press('4')] {
        effects.extend(update(&mut model, Duration::ZERO, msg));
    }
    let job = effects.into_iter().find_map(|effect| match effect {
        Effect::Look { job, .. } => Some(job),
        _ => None,
    });
    (model, job.expect("the image is asked for"))
}

/// The layers of a large image: what a key and a frame cost, and what it takes in memory.
fn layers() -> bool {
    let (mut model, job) = looking();
    let tell = |model: &mut Model, msg: Msg| update(model, Duration::ZERO, msg);
    let began = Instant::now();
    let insight = Arc::new(Insight::of(
        "sha256:1",
        &a_large_image(),
        Ok(Advised::default()),
    ));
    let worked_out = milliseconds(began.elapsed());
    let looked = Msg::Looked {
        job,
        result: Ok(insight),
    };
    tell(&mut model, looked);
    tell(&mut model, press('\t'));
    let mut terminal = Terminal::new(TestBackend::new(COLUMNS, ROWS)).expect("memory");
    let (mut keys, mut frames) = (Vec::new(), Vec::new());
    // Down into the tree, folders opened on the way, another order, another choice, a filter.
    for key in "ljljljjjljjjhjsjjsjtjtjflib9\u{1b}"
        .chars()
        .cycle()
        .take(2000)
    {
        let began = Instant::now();
        tell(&mut model, press(key));
        keys.push(milliseconds(began.elapsed()));
        let began = Instant::now();
        terminal
            .draw(|frame| screen::view(&model, frame))
            .expect("memory");
        frames.push(milliseconds(began.elapsed()));
    }
    let memory = resident("/proc/self");
    let mut kept = figure("100k files: worked out", worked_out, "ms", 1000.0);
    kept &= figure("100k files: a key, p99", quantile(&mut keys, 99), "ms", 8.0);
    kept &= figure(
        "100k files: a frame, p99",
        quantile(&mut frames, 99),
        "ms",
        1.0,
    );
    kept & figure("100k files: memory", memory, "MB", 60.0)
}

/// The course, and a report of its capstone that was recorded.
fn recorded() -> (Arc<course::Course>, Report) {
    let course = course::load::embedded().expect("the course is sound");
    let text = include_str!("../assets/shots/shrink-that-image.json");
    let all: serde_json::Value = serde_json::from_str(text).expect("the recording is JSON");
    let report = serde_json::from_value(all["halfway"].clone()).expect("a report");
    (Arc::new(course), report)
}

/// Asks this bench for the figures of a large image alone.
const LAYERS: &str = "layers";

/// The figures of a large image, in a process of their own: its memory is that of a program that did
/// nothing else, and from a process that holds so much the program would start more slowly than from
/// a shell.
fn layers_alone() -> bool {
    let bench = std::env::current_exe().expect("this bench is a program");
    let ended = Command::new(bench).arg(LAYERS).status();
    ended.expect("this bench starts").success()
}

fn main() {
    if std::env::args().any(|arg| arg == LAYERS) {
        std::process::exit(i32::from(!layers()));
    }
    let home = tempfile::tempdir().expect("a folder");
    let mut kept = layers_alone();
    kept &= starts(home.path());
    let mut session = Session::start(home.path());
    session.wait("the first paint", useful);
    session.settle();
    kept &= keys(&mut session);
    session.quit();
    let engine = engine();
    kept &= rest(home.path(), &engine);
    kept &= flood(&engine);
    if !kept {
        std::process::exit(1);
    }
}
