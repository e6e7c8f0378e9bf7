//! An engine for tests that builds nothing and answers as it was told.

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::time::Duration;

use async_trait::async_trait;
use futures_util::StreamExt;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use crate::engine::BuildError;
use crate::engine::BuildEvent;
use crate::engine::BuildRequest;
use crate::engine::Builder;
use crate::engine::Built;
use crate::engine::ByteStream;
use crate::engine::Engine;
use crate::engine::EngineError;
use crate::engine::EngineInfo;
use crate::engine::EngineName;
use crate::engine::ImageEntry;
use crate::engine::Leftover;
use crate::engine::PullProgress;
use crate::engine::StepEnd;
use crate::engine::StepId;
use crate::engine::Store;
use crate::engine::Transform;
use crate::engine::Turn;
use crate::image::Config;
use crate::image::HistoryStep;
use crate::image::Summary;
use crate::image::archive::Facts;
use crate::image::run::Opened;
use crate::image::run::Run;
use crate::image::run::RunOutcome;
use crate::image::run::Trace;
use crate::text::Clean;
use crate::units::Bytes;

/// How the fake builds.
#[derive(Debug, Clone)]
pub(super) enum Building {
    /// One step, then an image.
    Well,
    /// Like this error.
    Badly(BuildError),
    /// Not at all, until it is cancelled.
    Forever,
    /// With a mistake of our own.
    Panicking,
}

/// What is remembered of layers, in memory.
#[derive(Debug, Default)]
pub(super) struct Memory(Mutex<BTreeMap<String, Vec<u8>>>);

impl Facts for Memory {
    fn knows(&self, key: &str) -> bool {
        self.0.lock().unwrap().contains_key(key)
    }

    fn recall(&self, key: &str) -> Option<Vec<u8>> {
        self.0.lock().unwrap().get(key).cloned()
    }

    fn remember(&self, key: &str, facts: &[u8]) {
        let mut all = self.0.lock().unwrap();
        all.insert(key.to_owned(), facts.to_vec());
    }
}

fn tar_of(members: &[(&str, &[u8])]) -> Vec<u8> {
    let mut builder = tar::Builder::new(Vec::new());
    for (path, bytes) in members {
        let mut header = tar::Header::new_gnu();
        header.set_size(bytes.len() as u64);
        header.set_mode(0o644);
        builder.append_data(&mut header, path, *bytes).unwrap();
    }
    builder.into_inner().unwrap()
}

/// The image that the fake says it built, as another engine would export it.
pub(super) fn exported() -> Vec<u8> {
    tar_of(&[
        (
            "c.json",
            br#"{"rootfs":{"diff_ids":["sha256:layer"]},"history":[{"created_by":"COPY"}]}"#,
        ),
        ("l.tar", &tar_of(&[("app", b"12345")])),
        (
            "manifest.json",
            br#"[{"Config":"c.json","Layers":["l.tar"]}]"#,
        ),
    ])
}

/// An engine that answers as it was told.
#[derive(Debug)]
pub(super) struct Fake {
    pub(super) info: EngineInfo,
    pub(super) building: Building,
    /// The engine's size of the image.
    pub(super) size: Bytes,
    /// Other images, by reference or id: `sha256:stage-NAME` is what a build of that stage makes.
    pub(super) others: BTreeMap<String, Summary>,
    /// Whether building a stage other than the last never ends.
    pub(super) stages_hang: bool,
    /// Whether its host is short of CPU.
    pub(super) short_of_cpu: bool,
    /// How many runs end with their time before one does by itself.
    pub(super) runs_late: usize,
    /// Paths that exist in the image.
    pub(super) paths: Vec<String>,
    /// What was asked, in order.
    pub(super) asked: Mutex<Vec<String>>,
}

impl Fake {
    pub(super) fn new(building: Building) -> Self {
        Self {
            info: EngineInfo {
                name: EngineName::Docker,
                version: String::from("20.10.24"),
                store: Store::Graphdriver,
                builder: Builder::Buildkit,
                architecture: String::from("amd64"),
                address: String::from("unix:///fake.sock"),
                found_by: String::from("a test"),
                rootless: false,
            },
            building,
            size: Bytes(64_000_000),
            others: BTreeMap::new(),
            stages_hang: false,
            short_of_cpu: false,
            runs_late: 0,
            paths: Vec::new(),
            asked: Mutex::new(Vec::new()),
        }
    }

    fn note(&self, what: impl Into<String>) {
        self.asked.lock().unwrap().push(what.into());
    }

    pub(super) fn was_asked(&self, what: &str) -> bool {
        self.asked.lock().unwrap().iter().any(|asked| asked == what)
    }
}

fn refused<T>(what: &'static str) -> Result<T, EngineError> {
    Err(EngineError::Refused {
        what,
        detail: Clean::line("the fake engine cannot"),
    })
}

#[async_trait]
impl Engine for Fake {
    fn info(&self) -> &EngineInfo {
        &self.info
    }

    async fn ping(&self) -> Result<(), EngineError> {
        Ok(())
    }

    async fn build(
        &self,
        request: BuildRequest,
        events: mpsc::Sender<BuildEvent>,
        cancel: CancellationToken,
    ) -> Result<Built, BuildError> {
        self.note(format!("build {}", request.tag));
        match &self.building {
            Building::Well => {}
            Building::Badly(error) => return Err(error.clone()),
            Building::Forever => {
                cancel.cancelled().await;
                return Err(BuildError::Cancelled);
            }
            Building::Panicking => panic!("a mistake of our own"),
        }
        if let Some(target) = &request.target {
            if self.stages_hang {
                cancel.cancelled().await;
                return Err(BuildError::Cancelled);
            }
            return Ok(Built {
                image: format!("sha256:stage-{target}"),
                builder: self.info.builder,
            });
        }
        let step = StepId(1);
        for event in [
            BuildEvent::StepPlanned {
                step,
                line: Some(1),
                stage: Some(0),
                title: Clean::line("FROM scratch"),
            },
            BuildEvent::StepStarted { step },
            BuildEvent::Warning {
                line: Some(1),
                text: Clean::line("StageNameCasing: a name"),
            },
            BuildEvent::StepFinished {
                step,
                cached: false,
                took: Duration::from_millis(3),
                end: StepEnd::Done,
            },
        ] {
            let _ = events.send(event).await;
        }
        Ok(Built {
            image: String::from("sha256:built"),
            builder: self.info.builder,
        })
    }

    async fn inspect(&self, image: &str) -> Result<Option<Summary>, EngineError> {
        if let Some(other) = self.others.get(image) {
            return Ok(Some(other.clone()));
        }
        Ok((image == "sha256:built").then(|| Summary {
            id: image.to_owned(),
            tags: Vec::new(),
            config: Config::default(),
            history: vec![HistoryStep {
                created_by: String::from("COPY app /app"),
                empty_layer: false,
            }],
            diff_ids: vec![String::from("sha256:layer")],
            engine_size: self.size,
            layer_sizes: Some(vec![self.size]),
        }))
    }

    async fn paths(
        &self,
        _image: &str,
        paths: &[String],
    ) -> Result<BTreeMap<String, bool>, EngineError> {
        self.note("paths");
        // A folder is there with what is in it.
        let is = |path: &String, one: &String| {
            let rest = one.strip_prefix(path.as_str());
            rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        };
        let is_there = |path: &String| self.paths.iter().any(|one| is(path, one));
        let answer = paths.iter().map(|path| (path.clone(), is_there(path)));
        Ok(answer.collect())
    }

    async fn export(&self, _image: &str) -> Result<ByteStream, EngineError> {
        self.note("export");
        Ok(futures_util::stream::empty().boxed())
    }

    async fn run(
        &self,
        _image: &str,
        _run: &Run,
        _cancel: CancellationToken,
    ) -> Result<RunOutcome, EngineError> {
        self.note("run");
        let runs = self.asked.lock().unwrap();
        let runs = runs.iter().filter(|asked| *asked == "run").count();
        Ok(RunOutcome {
            exit: Some(0),
            timed_out: runs <= self.runs_late,
            ..RunOutcome::default()
        })
    }

    async fn trace(
        &self,
        _image: &str,
        _run: &Run,
        _cancel: CancellationToken,
    ) -> Result<Trace, EngineError> {
        self.note("trace");
        Ok(Trace {
            outcome: RunOutcome {
                exit: Some(0),
                ..RunOutcome::default()
            },
            opened: Opened::default(),
        })
    }

    async fn images(&self, _label: Option<&str>) -> Result<Vec<ImageEntry>, EngineError> {
        Ok(Vec::new())
    }

    async fn named(&self, _names: &[String]) -> Result<Vec<ImageEntry>, EngineError> {
        Ok(Vec::new())
    }

    async fn load(&self, _archive: ByteStream) -> Result<(), EngineError> {
        refused("load")
    }

    async fn pull(
        &self,
        _reference: &str,
        _progress: mpsc::Sender<PullProgress>,
        _cancel: CancellationToken,
    ) -> Result<(), EngineError> {
        refused("pull")
    }

    async fn tag(&self, image: &str, reference: &str) -> Result<(), EngineError> {
        self.note(format!("tag {image} {reference}"));
        Ok(())
    }

    async fn remove_image(&self, reference: &str) -> Result<(), EngineError> {
        self.note(format!("remove {reference}"));
        Ok(())
    }

    async fn transform(
        &self,
        _request: Transform,
        _cancel: CancellationToken,
    ) -> Result<String, EngineError> {
        refused("transform")
    }

    fn is_short_of_cpu(&self) -> bool {
        self.short_of_cpu
    }

    async fn turn(&self) -> Option<Turn> {
        self.note("turn");
        None
    }

    async fn leftovers(&self) -> Result<Vec<Leftover>, EngineError> {
        Ok(Vec::new())
    }

    async fn remove_leftover(&self, _leftover: &Leftover) -> Result<(), EngineError> {
        Ok(())
    }

    async fn free_space(&self) -> Option<Bytes> {
        None
    }
}
