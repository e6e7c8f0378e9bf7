//! A small course and the states that tests look at.

pub(crate) mod inside;
mod reading;
mod traced;

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use crossterm::event::KeyCode;
use crossterm::event::KeyEvent;
use crossterm::event::KeyModifiers;
use ratatui::Terminal;
use ratatui::backend::TestBackend;
use ratatui::layout::Size;
pub(crate) use traced::traced;

use crate::attempt::AttemptEvent;
use crate::course::Baseline;
use crate::course::Course;
use crate::course::Exercise;
use crate::course::ExerciseId;
use crate::course::GoalEntry;
use crate::course::Hint;
use crate::course::Lesson;
use crate::course::Solution;
use crate::engine::BuildEvent;
use crate::engine::Builder;
use crate::engine::EngineInfo;
use crate::engine::EngineName;
use crate::engine::LogStream;
use crate::engine::StepEnd;
use crate::engine::StepId;
use crate::engine::Store;
use crate::engine::Tried;
use crate::goal::Evidence;
use crate::goal::Goal;
use crate::goal::Needs;
use crate::goal::Verdict;
use crate::report;
use crate::report::GoalReport;
use crate::report::Outcome;
use crate::report::Report;
use crate::report::VerdictName;
use crate::text::Clean;
use crate::tui::effect::Effect;
use crate::tui::model::Model;
use crate::tui::msg::Msg;
use crate::tui::screen;
use crate::tui::theme::Theme;
use crate::tui::update::start;
use crate::tui::update::update;
use crate::units::Bytes;
use crate::workshop::BaseEvent;
use crate::workshop::BaseState;
use crate::workshop::Best;
use crate::workshop::EngineState;
use crate::workshop::Progress;
use crate::workshop::Record;
use crate::workshop::Trouble;
use crate::workshop::Workspace;
use crate::workshop::WorkspaceFile;

pub(crate) const DOCKERFILE: &str = "FROM python:3.13-slim AS build\n\
WORKDIR /app\n\
COPY requirements.txt .\n\
RUN pip install --target=/deps -r requirements.txt\n\
\n\
FROM python:3.13-slim\n\
COPY --from=build /deps /deps\n\
RUN apt-get update && apt-get install -y curl git\n\
COPY app.py ./\n\
ENV PYTHONPATH=/deps\n\
USER 65532\n\
CMD [\"python\", \"app.py\"]\n";

#[derive(Debug)]
struct FakeGoal(&'static str, &'static str);

impl Goal for FakeGoal {
    fn kind(&self) -> &'static str {
        self.0
    }
    fn title(&self) -> String {
        self.1.to_owned()
    }
    fn wanted(&self) -> String {
        self.1.to_owned()
    }
    fn needs(&self) -> Needs {
        Needs::default()
    }
    fn limit(&self) -> Option<Bytes> {
        (self.0 == "max_size").then_some(Bytes(100_000_000))
    }
    fn evaluate(&self, _: &Evidence) -> Verdict {
        Verdict::met("seen")
    }
}

const GOALS: [(&str, &str, &str); 5] = [
    ("http", "answers HTTP", "200 in 0.4 s"),
    ("max_size", "≤ 100 MB", "412 MB, 312 MB too much"),
    ("no_shell", "no shell", "/bin/sh, from line 6"),
    ("non_root", "not root", "uid 65532"),
    ("stops", "stops in 2 s", "0.1 s"),
];

fn lesson(number: u32, slug: &str, title: &str, exercises: &[&str]) -> Lesson {
    let text = (1..40).fold(format!("# {title}\n\n"), |mut text, number| {
        let _ = write!(text, "## Part {number}\n\nA layer is a set of changes.\n\n");
        text
    });
    Lesson {
        slug: slug.to_owned(),
        number,
        title: title.to_owned(),
        minutes: 9,
        fast_track: true,
        exercises: exercises
            .iter()
            .map(|id| ExerciseId((*id).to_owned()))
            .collect(),
        goals: vec!["say what a layer is and what it costs".to_owned()],
        markdown: text,
        anchors: Vec::new(),
        quizzes: Vec::new(),
    }
}

fn exercise(id: &str, title: &str) -> Exercise {
    let entry = |(kind, title, _): &(&'static str, &'static str, &str)| GoalEntry {
        id: (*kind).to_owned(),
        title: None,
        points: 1,
        why: None,
        read: None,
        hidden: false,
        goal: Arc::new(FakeGoal(kind, title)),
    };
    let bytes = |text: &str| -> Arc<[u8]> { text.as_bytes().into() };
    let hint = |level| Hint {
        goal: "http".to_owned(),
        level,
        text: format!("Hint {level}: read the *error*."),
    };
    Exercise {
        id: ExerciseId(id.to_owned()),
        title: title.to_owned(),
        minutes: 20,
        brief: "Take a **1.17 GB** Python image under 100 MB and keep it working.\n\nMore.".into(),
        edit: vec!["Dockerfile".to_owned(), "app.py".to_owned()],
        bases: vec!["python:3.13-slim".to_owned(), "python:3.13".to_owned()],
        baseline: Some(Baseline {
            size: Bytes(1_170_000_000),
            measured: "2026-11-20".to_owned(),
        }),
        goals: GOALS.iter().map(entry).collect(),
        stretch: Vec::new(),
        hints: vec![hint(1), hint(2), hint(3)],
        files: BTreeMap::from([("Dockerfile".to_owned(), bytes(DOCKERFILE))]),
        canary: None,
        starter_misses: Vec::new(),
        solution: Some(Solution {
            files: BTreeMap::from([("Dockerfile".to_owned(), bytes("FROM scratch\n"))]),
            why: "Small **because** empty.".to_owned(),
        }),
    }
}

pub(crate) fn course() -> Arc<Course> {
    Arc::new(Course {
        id: "minimal-images".to_owned(),
        version: "1".to_owned(),
        title: "Minimal & Secure Images".to_owned(),
        lessons: vec![
            lesson(
                1,
                "why-small-matters",
                "Why small matters",
                &["first-build"],
            ),
            lesson(
                6,
                "distroless",
                "Distroless: Python",
                &["distroless-python"],
            ),
            lesson(13, "ship-it", "Ship it", &["shrink-that-image"]),
        ],
        exercises: vec![
            exercise("first-build", "Your first build"),
            exercise("distroless-python", "Distroless Python"),
            exercise("shrink-that-image", "Shrink that image!"),
        ],
    })
}

pub(crate) fn shrink() -> ExerciseId {
    ExerciseId("shrink-that-image".to_owned())
}

pub(crate) fn ready() -> EngineState {
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
        free: Some(Bytes(4_200_000_000)),
    }
}

pub(crate) fn missing() -> EngineState {
    EngineState::Missing {
        trouble: Trouble::new("no container engine answers").advise("Start Docker, then press D."),
        tried: vec![Tried {
            address: Clean::line("unix:///var/run/docker.sock"),
            because: Clean::line("the default socket"),
            outcome: Clean::line("no such socket"),
        }],
    }
}

pub(crate) fn goal_report(index: usize, met: bool) -> GoalReport {
    let (id, title, found) = GOALS[index];
    let found = match (met, index) {
        (true, 1) => "63.9 MB, 36.1 MB to spare",
        (true, 2) => "nothing executable in /bin",
        _ => found,
    };
    GoalReport {
        id: id.to_owned(),
        kind: id.to_owned(),
        title: title.to_owned(),
        required: true,
        verdict: if met {
            VerdictName::Met
        } else {
            VerdictName::Unmet
        },
        expected: title.to_owned(),
        actual: Some(Clean::line(found)),
        why: (!met).then(|| Clean::line("254 MB of it come from line 8.")),
        next_step: (!met).then(|| Clean::line("Look at what line 8 installs.")),
        blame: crate::goal::Blame {
            line: (!met).then_some(8),
            ..Default::default()
        },
        output: Vec::new(),
    }
}

pub(crate) fn report(outcome: Outcome) -> Report {
    let passed = outcome == Outcome::Passed;
    let judged = matches!(outcome, Outcome::Passed | Outcome::Failed);
    let layer = |line, mb: u64| report::LayerReport {
        created_by: None,
        line: Some(line),
        shipped_bytes: Bytes(mb * 1_000_000),
    };
    Report {
        problem: (outcome == Outcome::BuildFailed).then(|| report::Problem {
            message: Clean::line("line 8 stopped with status 100"),
            next_step: Some(Clean::line("Read the last lines of the log.")),
            blame: crate::goal::Blame {
                line: Some(8),
                ..Default::default()
            },
        }),
        goals: if judged {
            (0..GOALS.len())
                .map(|index| goal_report(index, passed || !matches!(index, 1 | 2)))
                .collect()
        } else {
            Vec::new()
        },
        image: judged.then(|| report::ImageReport {
            id: "sha256:1".to_owned(),
            shipped_bytes: Bytes(if passed { 63_900_000 } else { 412_000_000 }),
            exact: true,
            layers: vec![layer(6, 110), layer(6, 10), layer(7, 38), layer(8, 254)],
            builder_lines: vec![
                report::LineBytes {
                    line: 1,
                    bytes: Bytes(110_000_000),
                },
                report::LineBytes {
                    line: 4,
                    bytes: Bytes(38_000_000),
                },
            ],
        }),
        started_at: "2026-11-20T10:00:00Z".to_owned(),
        finished_at: "2026-11-20T10:00:09Z".to_owned(),
        ..report::fixture::report(outcome)
    }
}

pub(crate) fn progress() -> Progress {
    let record = Record {
        attempts: 4,
        numbered: 4,
        number: 4,
        passed: false,
        best: Some(Best {
            met: 3,
            of: 5,
            size: Some(Bytes(412_000_000)),
        }),
        sizes: vec![Bytes(1_170_000_000), Bytes(640_000_000), Bytes(412_000_000)],
        hints: [("http".to_owned(), 1)].into(),
        last: Some(Box::new(report(Outcome::Failed))),
        first: None,
        built: BTreeMap::from([("Dockerfile".to_owned(), DOCKERFILE.to_owned())]),
        before: None,
    };
    let done = Record {
        attempts: 1,
        numbered: 1,
        number: 1,
        passed: true,
        best: Some(Best {
            met: 5,
            of: 5,
            size: Some(Bytes(63_000_000)),
        }),
        ..Record::default()
    };
    Progress {
        lessons: ["why-small-matters".to_owned(), "ship-it".to_owned()].into(),
        exercises: BTreeMap::from([
            (ExerciseId("first-build".to_owned()), done),
            (shrink(), record),
        ]),
        last: Some("shrink-that-image".to_owned()),
        answers: BTreeMap::new(),
        damaged: None,
    }
}

pub(crate) fn workspace() -> Workspace {
    let file = |name: &str, text: &str| WorkspaceFile {
        name: name.to_owned(),
        text: Some(text.to_owned()),
        barred: None,
    };
    Workspace {
        folder: PathBuf::from("/home/learner/loadline/shrink-that-image"),
        log: PathBuf::from("/home/learner/loadline/shrink-that-image.log"),
        files: vec![
            file("Dockerfile", DOCKERFILE),
            file("app.py", "print('ok')\n"),
        ],
        put_away: false,
    }
}

/// A model with a clock and a record of what it asked for.
pub(crate) struct Scene {
    pub(crate) model: Model,
    pub(crate) now: Duration,
    pub(crate) effects: Vec<Effect>,
}

impl Scene {
    /// Right after the first paint.
    pub(crate) fn new() -> Self {
        let mut model = Model::new(course(), Theme::default(), Size::new(120, 36));
        let effects = start(&mut model);
        Self {
            model,
            now: Duration::ZERO,
            effects,
        }
    }

    /// At home, with records and an engine.
    pub(crate) fn home() -> Self {
        let mut scene = Self::new();
        scene.tell(Msg::Progress(Ok(progress())));
        scene.tell(Msg::Engine(ready()));
        scene
    }

    /// On the workbench of the capstone.
    pub(crate) fn work() -> Self {
        let mut scene = Self::home();
        scene.key(KeyCode::Enter);
        scene.tell(Msg::Opened {
            exercise: shrink(),
            result: Ok(workspace()),
            unsaved: None,
        });
        scene.effects.clear();
        scene
    }

    /// In the middle of a build.
    pub(crate) fn building() -> Self {
        let mut scene = Self::work();
        scene.char('b');
        scene.attempt(running_events());
        scene
    }

    /// After a build with this end.
    pub(crate) fn ended(outcome: Outcome) -> Self {
        let mut scene = Self::building();
        scene.now += Duration::from_secs(9);
        let job = scene.model.job.as_ref().expect("a build runs").id;
        let end = match outcome {
            Outcome::BuildFailed => StepEnd::Failed,
            Outcome::Cancelled => StepEnd::Stopped,
            _ => StepEnd::Done,
        };
        scene.attempt(vec![
            AttemptEvent::Build(BuildEvent::StepFinished {
                step: StepId(4),
                cached: false,
                took: Duration::from_millis(8100),
                end,
            }),
            AttemptEvent::Finished(Box::new(report(outcome))),
        ]);
        scene.tell(Msg::AttemptEnded { job, trouble: None });
        scene
    }

    pub(crate) fn tell(&mut self, msg: Msg) -> Vec<Effect> {
        self.now += Duration::from_millis(100);
        let effects = update(&mut self.model, self.now, msg);
        self.effects.extend(effects.clone());
        effects
    }

    pub(crate) fn attempt(&mut self, events: Vec<AttemptEvent>) {
        let job = self.model.job.as_ref().expect("a build runs").id;
        self.tell(Msg::Attempt {
            job,
            events,
            skipped: 0,
        });
    }

    pub(crate) fn key(&mut self, code: KeyCode) -> Vec<Effect> {
        self.tell(Msg::Key(KeyEvent::new(code, KeyModifiers::NONE)))
    }

    pub(crate) fn char(&mut self, c: char) -> Vec<Effect> {
        self.key(KeyCode::Char(c))
    }

    pub(crate) fn ctrl(&mut self, c: char) -> Vec<Effect> {
        self.tell(Msg::Key(KeyEvent::new(
            KeyCode::Char(c),
            KeyModifiers::CONTROL,
        )))
    }

    pub(crate) fn resize(&mut self, width: u16, height: u16) {
        self.tell(Msg::Resize(Size::new(width, height)));
    }

    /// The screen as text and a map of its styles.
    pub(crate) fn picture(&mut self, width: u16, height: u16) -> String {
        self.resize(width, height);
        let buffer = self.draw(width, height);
        let mut text = String::new();
        let mut styles = String::new();
        for y in 0..height {
            let mut row = String::new();
            let mut run: Option<(u16, String)> = None;
            let mut runs = String::new();
            for x in 0..=width {
                let style = buffer.cell((x, y)).map(|cell| {
                    row.push_str(cell.symbol());
                    let style = cell.style();
                    let color = style.fg.map(|color| color.to_string()).unwrap_or_default();
                    format!("{color}/{:?}", style.add_modifier)
                        .replace("Reset/", "")
                        .replace("NONE", "")
                        .replace(' ', "")
                });
                let style = style.filter(|style| !style.is_empty());
                if run.as_ref().map(|(_, style)| style) != style.as_ref() {
                    if let Some((from, style)) = run.take() {
                        let _ = write!(runs, " {from}-{} {style}", x - 1);
                    }
                    run = style.map(|style| (x, style));
                }
            }
            let _ = writeln!(text, "{}", row.trim_end());
            if !runs.is_empty() {
                let _ = writeln!(styles, "{y}:{runs}");
            }
        }
        format!("{text}--- styles\n{styles}")
    }

    pub(crate) fn draw(&self, width: u16, height: u16) -> ratatui::buffer::Buffer {
        let mut terminal = Terminal::new(TestBackend::new(width, height)).expect("a test backend");
        terminal
            .draw(|frame| screen::view(&self.model, frame))
            .expect("drawing to memory");
        terminal.backend().buffer().clone()
    }
}

pub(crate) fn running_events() -> Vec<AttemptEvent> {
    let lines: Vec<&str> = DOCKERFILE.lines().collect();
    let mut events = Vec::new();
    for (step, line) in [1usize, 2, 3, 4, 6, 7].into_iter().enumerate() {
        let step = StepId(u32::try_from(step).expect("few steps") + 1);
        events.push(AttemptEvent::Build(BuildEvent::StepPlanned {
            step,
            line: u32::try_from(line).ok(),
            stage: Some(usize::from(line >= 6)),
            title: Clean::line(lines[line - 1]),
        }));
        if step.0 <= 3 {
            events.push(AttemptEvent::Build(BuildEvent::StepFinished {
                step,
                cached: true,
                took: Duration::ZERO,
                end: StepEnd::Done,
            }));
        }
    }
    events.push(AttemptEvent::Build(BuildEvent::StepStarted {
        step: StepId(4),
    }));
    for text in [
        "Collecting flask==3.1.2",
        "  Downloading flask-3.1.2-py3-none-any.whl (103 kB)",
        "Installing collected packages: markupsafe, jinja2, werkzeug, flask",
    ] {
        events.push(AttemptEvent::Build(BuildEvent::Log {
            step: Some(StepId(4)),
            stream: LogStream::Out,
            line: Clean::line(text),
        }));
    }
    events
}

/// News of bases, one of them in the making.
pub(crate) fn preparing(scene: &mut Scene) {
    let mut tell = |reference: &str, state| {
        scene.tell(Msg::Base(BaseEvent {
            reference: reference.to_owned(),
            state,
        }));
    };
    tell(
        "python:3.13-slim",
        BaseState::Ready {
            size: Some(Bytes(126_000_000)),
        },
    );
    tell(
        "python:3.13",
        BaseState::Working {
            doing: Clean::line("configuring packages"),
            bytes: Some((Bytes(612_000_000), Bytes(1_100_000_000))),
        },
    );
    tell("busybox", BaseState::Waiting);
}
