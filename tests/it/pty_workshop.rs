//! A workshop without an engine for tests on a pseudo-terminal: real files in a folder, builds that
//! do what the scenario says.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering;
use std::time::Duration;

use async_trait::async_trait;
use loadline::attempt::AttemptEvent;
use loadline::attempt::Traced;
use loadline::course::Course;
use loadline::course::Exercise;
use loadline::course::ExerciseId;
use loadline::course::GoalEntry;
use loadline::course::Lesson;
use loadline::engine::BuildEvent;
use loadline::engine::Builder;
use loadline::engine::EngineInfo;
use loadline::engine::EngineName;
use loadline::engine::LogStream;
use loadline::engine::StepId;
use loadline::engine::Store;
use loadline::finding::Scan;
use loadline::goal::Evidence;
use loadline::goal::Goal;
use loadline::goal::Needs;
use loadline::goal::Verdict;
use loadline::image::Contents;
use loadline::image::Entry;
use loadline::image::EntryKind;
use loadline::image::Layer;
use loadline::report;
use loadline::report::Outcome;
use loadline::report::Report;
use loadline::text::Clean;
use loadline::units::Bytes;
use loadline::workshop::Answered;
use loadline::workshop::BaseEvent;
use loadline::workshop::Check;
use loadline::workshop::EngineState;
use loadline::workshop::KeptTexts;
use loadline::workshop::NotSaved;
use loadline::workshop::Progress;
use loadline::workshop::Record;
use loadline::workshop::Services;
use loadline::workshop::Trouble;
use loadline::workshop::Workshop;
use loadline::workshop::Workspace;
use loadline::workshop::WorkspaceFile;
use loadline::workshop::insight::Advised;
use loadline::workshop::insight::Insight;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

pub(crate) const DOCKERFILE: &str =
    "FROM python:3.13\nCOPY app.py /\nCMD [\"python\", \"/app.py\"]\n";

/// Set when the next frame shall panic on the thread that draws.
static EXPLODE: AtomicBool = AtomicBool::new(false);

/// A goal whose title panics on demand: the shortest way from outside into a frame.
#[derive(Debug)]
struct Fuse;

impl Goal for Fuse {
    fn kind(&self) -> &'static str {
        "builds"
    }
    fn title(&self) -> String {
        assert!(!EXPLODE.load(Ordering::SeqCst), "the fuse was lit");
        "builds".to_owned()
    }
    fn wanted(&self) -> String {
        "an image".to_owned()
    }
    fn needs(&self) -> Needs {
        Needs::default()
    }
    fn evaluate(&self, _: &Evidence) -> Verdict {
        Verdict::met("built")
    }
}

struct Fake {
    scenario: String,
    folder: PathBuf,
}

pub(crate) fn services(scenario: &str, folder: PathBuf) -> Services {
    let id = ExerciseId("first-build".to_owned());
    let exercise = Exercise {
        id: id.clone(),
        title: "Your first build".to_owned(),
        minutes: 5,
        brief: "Build an image.".to_owned(),
        edit: vec!["Dockerfile".to_owned()],
        bases: Vec::new(),
        baseline: None,
        goals: vec![GoalEntry {
            id: "builds".to_owned(),
            title: None,
            points: 1,
            why: None,
            read: None,
            hidden: false,
            goal: Arc::new(Fuse),
        }],
        stretch: Vec::new(),
        hints: Vec::new(),
        files: BTreeMap::new(),
        canary: None,
        starter_misses: Vec::new(),
        solution: None,
    };
    let lesson = Lesson {
        slug: "why-small-matters".to_owned(),
        number: 1,
        title: "Why small matters".to_owned(),
        minutes: 9,
        fast_track: true,
        exercises: vec![id],
        goals: vec!["say what a layer costs".to_owned()],
        markdown: "# Why small matters\n\nLess to ship, less to patch.\n".to_owned(),
        quizzes: Vec::new(),
        anchors: Vec::new(),
    };
    Services {
        course: Arc::new(Course {
            id: "minimal-images".to_owned(),
            version: "1".to_owned(),
            title: "Minimal & Secure Images".to_owned(),
            lessons: vec![lesson],
            exercises: vec![exercise],
        }),
        workshop: Arc::new(Fake {
            scenario: scenario.to_owned(),
            folder,
        }),
    }
}

fn report(outcome: Outcome) -> AttemptEvent {
    AttemptEvent::Finished(Box::new(Report {
        warnings: Vec::new(),
        schema: report::SCHEMA.to_owned(),
        tool_version: "0".to_owned(),
        course: report::CourseRef {
            id: "minimal-images".to_owned(),
            version: "1".to_owned(),
        },
        exercise: "first-build".to_owned(),
        outcome,
        problem: None,
        goals: Vec::new(),
        image: None,
        baseline: None,
        bases: Vec::new(),
        engine: None,
        timings_ms: report::Timings::default(),
        started_at: String::new(),
        finished_at: String::new(),
    }))
}

fn line(text: &str) -> AttemptEvent {
    AttemptEvent::Build(BuildEvent::Log {
        step: Some(StepId(1)),
        stream: LogStream::Out,
        line: Clean::line(text),
    })
}

impl Fake {
    fn workspace(&self) -> Workspace {
        let path = self.folder.join("Dockerfile");
        if !path.exists() {
            std::fs::write(&path, DOCKERFILE).expect("the folder is writable");
        }
        Workspace {
            folder: self.folder.clone(),
            log: self.folder.join("log"),
            files: vec![WorkspaceFile::read(&self.folder, "Dockerfile")],
            put_away: true,
        }
    }
}

#[async_trait]
impl Workshop for Fake {
    async fn progress(&self) -> Result<Progress, Trouble> {
        let mut progress = Progress::default();
        if self.scenario == "inside"
            && let AttemptEvent::Finished(mut report) = report(Outcome::Failed)
        {
            report.image = Some(report::ImageReport {
                id: "sha256:1".to_owned(),
                shipped_bytes: Bytes(2_001_200),
                exact: true,
                layers: vec![report::LayerReport {
                    created_by: None,
                    line: Some(1),
                    shipped_bytes: Bytes(2_001_200),
                }],
                builder_lines: Vec::new(),
            });
            let record = Record {
                attempts: 1,
                numbered: 1,
                number: 1,
                last: Some(report),
                built: BTreeMap::from([("Dockerfile".to_owned(), DOCKERFILE.to_owned())]),
                ..Record::default()
            };
            let exercise = ExerciseId("first-build".to_owned());
            progress.exercises.insert(exercise, record);
        }
        Ok(progress)
    }

    async fn find_engine(&self) -> EngineState {
        match self.scenario.as_str() {
            "panic-behind" => {
                // Somewhere in the background, on a task that nobody waits for.
                let task = tokio::spawn(async { panic!("a background task fell over") });
                let _ = task.await;
            }
            "panic-drawing" => EXPLODE.store(true, Ordering::SeqCst),
            _ => {}
        }
        EngineState::Ready {
            info: Box::new(EngineInfo {
                name: EngineName::Docker,
                version: "20.10.24".to_owned(),
                store: Store::Graphdriver,
                builder: Builder::Buildkit,
                architecture: "amd64".to_owned(),
                address: "unix:///nowhere".to_owned(),
                found_by: "a test".to_owned(),
                rootless: false,
            }),
            free: None,
        }
    }

    async fn prepare_bases(
        &self,
        _: Vec<String>,
        _: mpsc::Sender<BaseEvent>,
        _: CancellationToken,
    ) {
    }

    async fn open(&self, _: &ExerciseId) -> Result<Workspace, Trouble> {
        Ok(self.workspace())
    }

    async fn unsaved(&self, _: &ExerciseId) -> Option<KeptTexts> {
        None
    }

    async fn save(
        &self,
        _: &ExerciseId,
        file: &str,
        text: &str,
        read: Option<&str>,
    ) -> Result<(), NotSaved> {
        if WorkspaceFile::read(&self.folder, file).text.as_deref() != read {
            return Err(NotSaved::Changed);
        }
        std::fs::write(self.folder.join(file), text)
            .map_err(|error| NotSaved::Failed(Trouble::new(error.to_string())))
    }

    async fn keep(&self, _: &ExerciseId, file: &str, text: &str) -> Result<PathBuf, Trouble> {
        let kept = self.folder.join(format!("{file}.kept"));
        match std::fs::write(&kept, text) {
            Ok(()) => Ok(kept),
            Err(error) => Err(Trouble::new(error.to_string())),
        }
    }

    async fn reset(&self, _: &ExerciseId) -> Result<Workspace, Trouble> {
        Ok(self.workspace())
    }

    async fn undo_reset(&self, _: &ExerciseId) -> Result<Workspace, Trouble> {
        Ok(self.workspace())
    }

    fn start_attempt(
        &self,
        _: &ExerciseId,
        cancel: CancellationToken,
    ) -> mpsc::Receiver<AttemptEvent> {
        let (sender, receiver) = mpsc::channel(64);
        let flood = self.scenario == "flood";
        // An engine needs a moment to stop.
        let moment = match self.scenario.as_str() {
            "stubborn" => Duration::from_secs(2),
            _ => Duration::from_millis(100),
        };
        let stopped = self.folder.join("stopped");
        tokio::spawn(async move {
            let _ = sender
                .send(AttemptEvent::Build(BuildEvent::StepPlanned {
                    step: StepId(1),
                    line: Some(1),
                    stage: Some(0),
                    title: Clean::line("FROM python:3.13"),
                }))
                .await;
            for number in 0_u64.. {
                if cancel.is_cancelled() {
                    break;
                }
                if sender
                    .send(line(&format!("output {number}")))
                    .await
                    .is_err()
                {
                    break;
                }
                if !flood {
                    tokio::time::sleep(Duration::from_millis(20)).await;
                }
            }
            tokio::time::sleep(moment).await;
            std::fs::write(stopped, "yes").expect("the folder is writable");
            let _ = sender.send(report(Outcome::Cancelled)).await;
        });
        receiver
    }

    async fn look(
        &self,
        image: &str,
        read: mpsc::Sender<Bytes>,
        _: CancellationToken,
    ) -> Result<Arc<Insight>, Trouble> {
        let _ = read.send(Bytes(1200)).await;
        if self.scenario != "inside" {
            return Err(Trouble::new("there is no image"));
        }
        let file = |path: &str, size: u64| Entry {
            path: path.to_owned(),
            kind: EntryKind::File,
            size: Bytes(size),
            mode: 0o644,
            uid: 0,
            gid: 0,
            content: None,
            capabilities: false,
        };
        let layer = Layer {
            entries: vec![file("etc/passwd", 1200), file("usr/lib/libc.so", 2_000_000)],
            ..Layer::default()
        };
        let contents = Contents {
            layers: vec![layer],
            ..Contents::default()
        };
        Ok(Arc::new(Insight::of(
            image,
            &contents,
            Ok(Advised::default()),
        )))
    }

    async fn scan(&self, _: &str, _: CancellationToken) -> Result<Arc<Scan>, Trouble> {
        Ok(Arc::default())
    }

    async fn trace(
        &self,
        _: &ExerciseId,
        _: &str,
        _: &[Option<u32>],
        _: CancellationToken,
    ) -> Result<Traced, Trouble> {
        Err(Trouble::new("there is no image"))
    }

    async fn hint_opened(&self, _: &ExerciseId, _: &str, _: u8) -> Result<(), Trouble> {
        Ok(())
    }

    async fn lesson_read(&self, _: &str) -> Result<(), Trouble> {
        Ok(())
    }

    async fn answered(&self, _: &str, _: &str, _: Answered) -> Result<(), Trouble> {
        Ok(())
    }

    async fn doctor(&self) -> Vec<Check> {
        Vec::new()
    }
}
