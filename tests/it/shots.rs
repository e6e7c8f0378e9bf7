//! The screenshots of the README: a recorded attempt, told to the workshop as the engine told it,
//! drawn by its own view. `make generated` writes them.

use std::io::Read as _;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use crossterm::event::KeyCode;
use crossterm::event::KeyEvent;
use crossterm::event::KeyModifiers;
use flate2::read::GzDecoder;
use loadline::attempt::AttemptEvent;
use loadline::course;
use loadline::course::ExerciseId;
use loadline::engine::BuildEvent;
use loadline::engine::Builder;
use loadline::engine::EngineInfo;
use loadline::engine::EngineName;
use loadline::engine::LogStream;
use loadline::engine::StepEnd;
use loadline::engine::StepId;
use loadline::engine::Store;
use loadline::image::ContentHash;
use loadline::image::Contents;
use loadline::image::Entry;
use loadline::image::EntryKind;
use loadline::image::Layer;
use loadline::report::Report;
use loadline::text::Clean;
use loadline::tui::effect::Effect;
use loadline::tui::model::Model;
use loadline::tui::msg::Msg;
use loadline::tui::shot;
use loadline::tui::theme::Theme;
use loadline::tui::update::start;
use loadline::tui::update::update;
use loadline::units::Bytes;
use loadline::workshop::EngineState;
use loadline::workshop::Progress;
use loadline::workshop::Record;
use loadline::workshop::Workspace;
use loadline::workshop::WorkspaceFile;
use loadline::workshop::insight::Advised;
use loadline::workshop::insight::Insight;
use ratatui::layout::Size;
use serde_json::Value;

use crate::source::root;

/// Asks for the pictures to be written instead of compared.
const WRITE: &str = "LOADLINE_WRITE_SHOTS";

struct Recorded {
    all: Value,
}

impl Recorded {
    fn read() -> Self {
        let path = root().join("assets/shots/shrink-that-image.json");
        let text = std::fs::read_to_string(path).expect("the recording is there");
        let all = serde_json::from_str(&text).expect("the recording is JSON");
        Self { all }
    }

    fn text(&self, key: &str) -> &str {
        self.all[key].as_str().expect("a text")
    }

    fn number(&self, key: &str) -> u64 {
        self.all[key].as_u64().expect("a number")
    }

    fn report(&self, key: &str) -> Report {
        serde_json::from_value(self.all[key].clone()).expect("a report")
    }

    fn list(&self, key: &str) -> &[Value] {
        self.all[key].as_array().expect("a list")
    }

    /// The build, step by step, with the end of its log and its report.
    fn events(&self) -> Vec<AttemptEvent> {
        let mut events = Vec::new();
        for (step, line) in (0..).map(StepId).zip(self.list("steps")) {
            let number = |key: &str| line[key].as_u64().expect("a number");
            events.push(BuildEvent::StepPlanned {
                step,
                line: u32::try_from(number("line")).ok(),
                stage: usize::try_from(number("stage")).ok(),
                title: Clean::line(line["title"].as_str().expect("a text")),
            });
            events.push(BuildEvent::StepFinished {
                step,
                cached: line["cached"].as_bool().expect("yes or no"),
                took: Duration::from_millis(number("took_ms")),
                end: StepEnd::Done,
            });
        }
        for line in self.list("log") {
            events.push(BuildEvent::Log {
                step: None,
                stream: LogStream::Out,
                line: Clean::line(line.as_str().expect("a text")),
            });
        }
        let mut events: Vec<_> = events.into_iter().map(AttemptEvent::Build).collect();
        events.push(AttemptEvent::Finished(Box::new(self.report("halfway"))));
        events
    }
}

fn engine() -> EngineState {
    EngineState::Ready {
        info: Box::new(EngineInfo {
            name: EngineName::Docker,
            version: "20.10.24".to_owned(),
            store: Store::Graphdriver,
            builder: Builder::Buildkit,
            architecture: "amd64".to_owned(),
            address: "unix:///var/run/docker.sock".to_owned(),
            found_by: "the default socket".to_owned(),
            rootless: false,
        }),
        free: None,
    }
}

/// The workshop after the recorded attempt, on its Work screen.
fn workbench() -> Model {
    let recorded = Recorded::read();
    let exercise = ExerciseId("shrink-that-image".to_owned());
    let course = Arc::new(course::load::embedded().expect("the course can be used"));
    let mut model = Model::new(course, Theme::default(), Size::new(120, 36));
    model.start_at(exercise.as_str());
    let _ = start(&mut model);
    let mut record = Record::default();
    record.absorb(&recorded.report("starter"), 1);
    let progress = Progress {
        exercises: [(exercise.clone(), record)].into(),
        last: Some(exercise.to_string()),
        ..Progress::default()
    };
    let file = |name: &str, text: Option<&str>| WorkspaceFile {
        name: name.to_owned(),
        text: text.map(str::to_owned),
        barred: None,
    };
    let workspace = Workspace {
        folder: PathBuf::from("loadline/shrink-that-image"),
        log: PathBuf::from("shrink-that-image.log"),
        files: vec![
            file("Dockerfile", Some(recorded.text("dockerfile"))),
            file(".dockerignore", None),
        ],
        put_away: false,
    };
    let mut tell = |after, msg| {
        let _ = update(&mut model, Duration::from_millis(after), msg);
    };
    tell(0, Msg::Progress(Ok(progress)));
    tell(0, Msg::Engine(engine()));
    tell(0, Msg::BasesDone);
    tell(
        0,
        Msg::Opened {
            exercise,
            result: Ok(workspace),
            unsaved: None,
        },
    );
    tell(0, key('2'));
    tell(0, key('b'));
    let job = model.job.as_ref().expect("a build runs").id;
    let kept = u64::try_from(recorded.list("log").len()).expect("a small number");
    let mut tell = |msg| {
        let wall = Duration::from_millis(recorded.number("wall_ms"));
        let _ = update(&mut model, wall, msg);
    };
    tell(Msg::Attempt {
        job,
        events: recorded.events(),
        skipped: recorded.number("log_lines") - kept,
    });
    tell(Msg::AttemptEnded { job, trouble: None });
    model
}

fn key(c: char) -> Msg {
    Msg::Key(KeyEvent::new(KeyCode::Char(c), KeyModifiers::NONE))
}

/// Compares a picture with the one that is kept, or writes it where that is asked for.
fn keep(name: &str, model: &Model, title: &str) {
    let Ok(buffer) = shot::draw(model);
    let drawn = shot::svg(&buffer, title);
    let path = root().join("docs").join(name);
    if std::env::var_os(WRITE).is_some() {
        std::fs::create_dir_all(root().join("docs")).expect("a folder for pictures");
        std::fs::write(&path, &drawn).expect("a picture is written");
        return;
    }
    let kept = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(
        kept == drawn,
        "docs/{name} is not what the program draws: run `make generated`, look at it, commit it"
    );
}

/// The files of the recorded image, layer by layer, as its archive had them; contents that several
/// layers have at one path are told apart by a hash.
fn contents() -> Contents {
    let path = root().join("assets/shots/halfway-layers.txt.gz");
    let packed = std::fs::File::open(path).expect("the recording is there");
    let mut text = String::new();
    GzDecoder::new(packed)
        .read_to_string(&mut text)
        .expect("the recording is text");
    let mut layers: Vec<Layer> = Vec::new();
    for line in text.lines() {
        if line == "layer" {
            layers.push(Layer {
                index: layers.len(),
                ..Layer::default()
            });
        } else if let Some(layer) = layers.last_mut() {
            layer.entries.push(entry(line));
        }
    }
    Contents {
        layers,
        ..Contents::default()
    }
}

/// `f SIZE HASH PATH`, `d PATH`, `s PATH`, `h PATH<tab>TARGET`, `w PATH`, `o PATH`.
fn entry(line: &str) -> Entry {
    let (kind, rest) = line.split_once(' ').expect("a kind");
    let (mut path, mut size, mut content) = (rest, 0, None);
    let kind = match kind {
        "d" => EntryKind::Directory,
        "s" => EntryKind::Symlink(String::new()),
        "w" => EntryKind::Whiteout,
        "o" => EntryKind::Opaque,
        "h" => {
            let (name, target) = rest.split_once('\t').expect("a target");
            path = name;
            EntryKind::Hardlink(target.to_owned())
        }
        _ => {
            let mut parts = rest.splitn(3, ' ');
            size = parts
                .next()
                .expect("a size")
                .parse()
                .expect("a size in bytes");
            let hash = parts.next().expect("a hash");
            content = u64::from_str_radix(hash, 16).ok().map(ContentHash);
            path = parts.next().expect("a path");
            EntryKind::File
        }
    };
    Entry {
        path: path.to_owned(),
        kind,
        size: Bytes(size),
        mode: 0o644,
        uid: 0,
        gid: 0,
        content,
        capabilities: false,
    }
}

/// Opens a screen on the inside of the image and tells it what the image holds.
fn look_inside(model: &mut Model, screen: char) {
    let effects = update(model, Duration::from_secs(41), key(screen));
    let job = effects.iter().find_map(|effect| match effect {
        Effect::Look { job, .. } => Some(*job),
        _ => None,
    });
    let insight = Insight::of("halfway", &contents(), Ok(Advised::default()));
    let looked = Msg::Looked {
        job: job.expect("the image is looked into"),
        result: Ok(Arc::new(insight)),
    };
    let _ = update(model, Duration::from_secs(42), looked);
}

#[test]
fn pictures_of_the_readme_are_what_the_program_draws() {
    let mut model = workbench();
    keep(
        "work.svg",
        &model,
        "The workbench: a Dockerfile with what each line ships, the goals, the build",
    );
    let _ = update(&mut model, Duration::from_secs(40), key('3'));
    keep(
        "result.svg",
        &model,
        "The result: which goals are met, and for one that is not, why and what to look at",
    );
    look_inside(&mut model, '4');
    keep(
        "layers.svg",
        &model,
        "The layers: what each instruction ships and wastes, and the files of all of them by size",
    );
}
