//! The container engine: what the rest of the program may ask of it, and what it answers.
//!
//! [`Engine`] is the trait; `docker/` is its one implementation and the only code that knows the
//! client library. Builders differ (BuildKit, classic, buildah): their streams become the same
//! [`BuildEvent`]s here.

pub mod address;
mod context;
pub mod docker;
mod error;
mod event;
pub mod find;
pub mod start;
mod whose;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes as Buffer;
pub use context::ContextArchive;
pub use context::ContextEntries;
pub use context::ContextEntry;
pub use error::BuildError;
pub use error::EngineError;
pub use error::Tried;
pub use error::unname;
pub use event::BuildEvent;
pub use event::LogStream;
pub use event::StepEnd;
pub use event::StepId;
use futures_util::stream::BoxStream;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;
pub use whose::Whose;

use crate::dockerfile::Dockerfile;
use crate::image::Summary;
use crate::image::run::Run;
use crate::image::run::RunOutcome;
use crate::image::run::Trace;
use crate::units::Bytes;

/// The label on everything that Loadline creates on an engine. Its value is the workspace's id.
pub const LABEL: &str = "loadline";

/// The label on a container that says which process made it, so that another process can tell a
/// leftover from a sibling's work. Images never carry it: a container would inherit it from them.
pub const PROCESS_LABEL: &str = "loadline.process";

/// The label on an image that says which process built it.
pub const MADE_BY_LABEL: &str = "loadline.made-by";

/// The label on what a learner's home made: the home's own random id, so that on an engine that is
/// shared everybody removes their own. It is empty on what was made without a home.
pub const HOME_LABEL: &str = "loadline.home";

/// Where everything that we name on an engine is; vendors' names are never taken.
pub const OURS: &str = "loadline.local/";

/// A running engine.
///
/// Every call has its own timeout. Whatever it creates carries [`LABEL`] and is removed when the
/// call ends or is cancelled.
#[async_trait]
pub trait Engine: Send + Sync {
    /// What it is; read once when it was found.
    fn info(&self) -> &EngineInfo;

    /// Whether it still answers.
    async fn ping(&self) -> Result<(), EngineError>;

    /// Builds an image. Events come in order; the returned value is the one end of the build.
    ///
    /// Cancelling ends the work on the engine too: [`BuildError::Cancelled`] is returned only when
    /// the engine no longer works on it.
    async fn build(
        &self,
        request: BuildRequest,
        events: mpsc::Sender<BuildEvent>,
        cancel: CancellationToken,
    ) -> Result<Built, BuildError>;

    /// What the engine knows of an image; `None` where it has no such image.
    async fn inspect(&self, image: &str) -> Result<Option<Summary>, EngineError>;

    /// Whether each path exists in the image, links followed; no container is started.
    async fn paths(
        &self,
        image: &str,
        paths: &[String],
    ) -> Result<BTreeMap<String, bool>, EngineError>;

    /// The image as an archive (`docker save`).
    async fn export(&self, image: &str) -> Result<ByteStream, EngineError>;

    /// Runs a container and sees what the run's probe asks for.
    async fn run(
        &self,
        image: &str,
        run: &Run,
        cancel: CancellationToken,
    ) -> Result<RunOutcome, EngineError>;

    /// Runs a container likewise and writes down which files it opens.
    ///
    /// For the user's own images alone, never for a stranger's: the container starts with rights
    /// that its program does not get. Its root file system is writable, whatever the run says, and
    /// its health check is left out.
    ///
    /// # Errors
    /// [`EngineError::Refused`] with the reason where this engine lets nobody watch opens.
    async fn trace(
        &self,
        image: &str,
        run: &Run,
        cancel: CancellationToken,
    ) -> Result<Trace, EngineError>;

    /// The images that carry `label` (any value where `value` is `None`), or all of them where
    /// `label` is `None`.
    async fn images(&self, label: Option<&str>) -> Result<Vec<ImageEntry>, EngineError>;

    /// The images that have one of these names (`python:3.13`, without a digest), as
    /// [`Engine::images`] lists them, but that sizes may be counted otherwise; others may be among
    /// them. A list of all takes an engine longer
    /// with each image that it has, and that of a room has thousands.
    async fn named(&self, names: &[String]) -> Result<Vec<ImageEntry>, EngineError>;

    /// Loads an archive of images (`docker load`).
    async fn load(&self, archive: ByteStream) -> Result<(), EngineError>;

    /// Pulls an image from its registry; told as [`PullProgress`].
    async fn pull(
        &self,
        reference: &str,
        progress: mpsc::Sender<PullProgress>,
        cancel: CancellationToken,
    ) -> Result<(), EngineError>;

    /// Gives an image one more reference.
    async fn tag(&self, image: &str, reference: &str) -> Result<(), EngineError>;

    /// Removes a reference, and the image with its last one.
    async fn remove_image(&self, reference: &str) -> Result<(), EngineError>;

    /// Runs `command` as root in a container of `image` without a network and commits the result
    /// as `reference` with `config` changes applied.
    async fn transform(
        &self,
        request: Transform,
        cancel: CancellationToken,
    ) -> Result<String, EngineError>;

    /// Whether programs on the engine's host wait for a CPU, as far as can be seen from here.
    fn is_short_of_cpu(&self) -> bool;

    /// Waits for the right to do something that nobody else of this host is to do at that time, for
    /// some minutes at most; `None` where that cannot be had.
    async fn turn(&self) -> Option<Turn>;

    /// What earlier runs left behind and no living process owns: containers with
    /// [`PROCESS_LABEL`], and the names of images with [`MADE_BY_LABEL`] that newer builds took the
    /// reference from. An image that still has its reference is the build cache of its workspace (with
    /// Podman and the classic builder) and stays; [`Engine::images`] lists it. One without a name is
    /// somebody's who built on one of ours.
    async fn leftovers(&self) -> Result<Vec<Leftover>, EngineError>;

    /// Removes one leftover; refuses what does not carry [`LABEL`].
    async fn remove_leftover(&self, leftover: &Leftover) -> Result<(), EngineError>;

    /// Free bytes where the engine keeps its images, where it tells or where it is on this host.
    async fn free_space(&self) -> Option<Bytes>;
}

/// The right that [`Engine::turn`] gives; it ends with the value.
#[derive(Debug)]
pub struct Turn {
    _lock: std::fs::File,
}

/// A stream of bytes from or to an engine.
pub type ByteStream = BoxStream<'static, Result<Buffer, std::io::Error>>;

/// What an engine is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EngineInfo {
    /// Its name.
    pub name: EngineName,
    /// Its version: `20.10.24`.
    pub version: String,
    /// How it keeps images.
    pub store: Store,
    /// What builds.
    pub builder: Builder,
    /// `amd64` and the like, as images call it.
    pub architecture: String,
    /// Where it answers: `unix:///var/run/docker.sock`.
    pub address: String,
    /// How it was found, as a phrase: `the current Docker context "colima"`.
    pub found_by: String,
    /// Whether it runs without root.
    pub rootless: bool,
}

/// Which engine.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EngineName {
    /// Docker, Moby and what speaks for it (Colima, Rancher Desktop).
    Docker,
    /// Podman.
    Podman,
}

/// How an engine keeps images.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Store {
    /// A graph driver (overlay2, vfs, containers/storage).
    Graphdriver,
    /// containerd's image store.
    Containerd,
}

/// What executes a build.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Builder {
    /// BuildKit.
    Buildkit,
    /// Docker's classic builder.
    Classic,
    /// Podman's.
    Buildah,
}

impl EngineName {
    /// `docker` or `podman`, as reports have it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Docker => "docker",
            Self::Podman => "podman",
        }
    }

    /// As its makers write it.
    #[must_use]
    pub const fn title(self) -> &'static str {
        match self {
            Self::Docker => "Docker",
            Self::Podman => "Podman",
        }
    }
}

impl Store {
    /// `graphdriver` or `containerd`, as reports have it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Graphdriver => "graphdriver",
            Self::Containerd => "containerd",
        }
    }
}

impl Builder {
    /// `buildkit`, `classic` or `buildah`, as reports have it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Buildkit => "buildkit",
            Self::Classic => "classic",
            Self::Buildah => "buildah",
        }
    }
}

/// A build.
#[derive(Debug, Clone)]
pub struct BuildRequest {
    /// The context as a tar archive. It is a file so that it is streamed and need not be held in
    /// memory.
    pub context: ContextArchive,
    /// The Dockerfile's path inside the context.
    pub dockerfile_path: String,
    /// The Dockerfile as it is built, where that is not the one of the context, if there is one.
    /// [`Builder::Classic`] takes none: what it builds is copied with the context.
    pub dockerfile_apart: Option<Buffer>,
    /// The learner's Dockerfile: steps are matched with its lines.
    pub dockerfile: Arc<Dockerfile>,
    /// The reference that the image gets.
    pub tag: String,
    /// Labels besides [`LABEL`].
    pub labels: BTreeMap<String, String>,
    /// The workspace's id, the value of [`LABEL`].
    pub owner: String,
    /// Build arguments.
    pub build_args: BTreeMap<String, String>,
    /// The stage to build; the last where it is `None`.
    pub target: Option<String>,
    /// Whether the cache is left aside.
    pub no_cache: bool,
    /// Whether RUN steps have a network.
    pub network: bool,
    /// The longest it may take.
    pub within: Duration,
}

/// A finished build.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Built {
    /// The engine's id of the image.
    pub image: String,
    /// What built it.
    pub builder: Builder,
}

/// An image in a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImageEntry {
    /// The engine's id.
    pub id: String,
    /// Its references.
    pub tags: Vec<String>,
    /// Its labels.
    pub labels: BTreeMap<String, String>,
    /// The engine's size, for display.
    pub size: Bytes,
}

/// How far a pull is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PullProgress {
    /// Bytes that have come.
    pub done: Bytes,
    /// Bytes in all, as far as is known by now.
    pub total: Bytes,
}

/// A command that changes an image.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Transform {
    /// The image to start from.
    pub image: String,
    /// The command, run as root without a network.
    pub command: Vec<String>,
    /// Environment for the command, not kept.
    pub env: Vec<String>,
    /// The reference of the result.
    pub reference: String,
    /// `Dockerfile` instructions applied to the config (`ENV …`, `CMD …`).
    pub changes: Vec<String>,
    /// The value of [`LABEL`] for the container.
    pub owner: String,
    /// The longest it may take.
    pub within: Duration,
}

/// Something of ours on the engine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Leftover {
    /// Container or image.
    pub kind: LeftoverKind,
    /// The engine's id.
    pub id: String,
    /// Its name or reference, for people.
    pub name: String,
    /// Its size, for images.
    pub size: Bytes,
    /// The value of [`LABEL`].
    pub owner: String,
    /// The value of [`HOME_LABEL`]; empty where it was made without a home.
    pub home: String,
}

/// What a leftover is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LeftoverKind {
    /// A container.
    Container,
    /// An image.
    Image,
}
