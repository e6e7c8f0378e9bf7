#![expect(
    clippy::disallowed_methods,
    reason = "the edge to the engine: clocks, sockets and tasks"
)]
//! An engine that speaks Docker's interface: Docker itself and Podman.
//!
//! The only code that knows the client library. Nothing of the library's types leaves this folder.

mod build;
mod containers;
mod fault;
mod fetch;
mod images;
mod name;
mod owner;
mod paths;
mod pressure;
mod races;
mod raw;
mod replaced;
mod run;
mod ssh;
mod state;
mod summary;
mod transform;
mod translate;
mod wire;

use std::collections::BTreeMap;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use bollard::API_DEFAULT_VERSION;
use bollard::errors::Error;
use bollard::models::SystemInfo;
use bollard::models::SystemVersion;
use futures_util::future::Either;
use futures_util::future::select;
use owner::Maker;
use replaced::Replaced;
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
use crate::engine::Store;
use crate::engine::Transform;
use crate::engine::Turn;
use crate::engine::address::Address;
use crate::image::Summary;
use crate::image::run::Run;
use crate::image::run::RunOutcome;
use crate::image::run::Trace;
use crate::text::Clean;
use crate::units::Bytes;

/// How long a question may take that needs no work.
const QUICK: Duration = Duration::from_secs(5);
/// How long a busy engine may take to say how it is set up.
const BUSY: Duration = Duration::from_secs(30);
/// How long an ordinary call may take until it answers.
const CALL: Duration = Duration::from_secs(60);
/// How long the engine may prepare before the first byte of a large answer: an export is copied to
/// a temporary folder first.
const SLOW: Duration = Duration::from_secs(900);

/// A running engine that speaks Docker's interface.
#[derive(Debug, Clone)]
pub struct Docker {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    client: bollard::Docker,
    quick: bollard::Docker,
    slow: bollard::Docker,
    address: Address,
    info: EngineInfo,
    /// Where it keeps its images, where that is a folder of this host.
    root: Option<std::path::PathBuf>,
    maker: Maker,
    /// Whose home what is made is for.
    home: std::sync::OnceLock<String>,
    /// Whether the helper's image was seen on the engine.
    helper_is_there: std::sync::atomic::AtomicBool,
    /// Removals that go on after the call that made them necessary.
    removals: std::sync::Mutex<Vec<tokio::task::JoinHandle<()>>>,
}

/// What a caller may say about an engine beyond its address.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Choices {
    /// How the address was found, as a phrase for people.
    pub found_by: String,
    /// Whether builds must not use BuildKit (`DOCKER_BUILDKIT=0`).
    pub without_buildkit: bool,
}

impl Docker {
    /// Connects to the engine at `address` and reads what it is.
    ///
    /// # Errors
    ///
    /// Fails where nothing answers within some seconds, or this user may not ask.
    pub async fn connect(address: &Address, choices: Choices) -> Result<Self, EngineError> {
        let shown = address.to_string();
        let failed = |error: &Error| {
            let kind = fault::io_kind(error);
            let error = fault::fault("connect", &shown, QUICK, error);
            match address {
                Address::Tls { certificates, .. } => fault::of_certificates(error, certificates),
                Address::Ssh { host, port } => fault::of_ssh(error, kind, host, *port),
                Address::Tcp(_) => fault::of_plain(error),
                Address::Unix(_) => error,
            }
        };
        if let Address::Tls { certificates, .. } = address {
            fault::certificates(certificates)?;
        }
        let client = client(address).map_err(|error| failed(&error))?;
        let quick = client.clone().with_timeout(QUICK);
        // Boxed: two answers at once are large, and every future that connects would hold them.
        let (version, system) = Box::pin(told(&client, &quick, address, failed)).await?;
        let system = system.map_err(|error| fault::fault("connect", &shown, BUSY, &error))?;
        let info = describe(&version, &system, address, choices);
        let root = folder_here(&system);
        let maker = Maker::this();
        Ok(Self {
            inner: Arc::new(Inner {
                slow: client.clone().with_timeout(SLOW),
                client: client.with_timeout(CALL),
                quick,
                address: address.clone(),
                info,
                root,
                maker,
                home: std::sync::OnceLock::new(),
                helper_is_there: std::sync::atomic::AtomicBool::new(false),
                removals: std::sync::Mutex::new(Vec::new()),
            }),
        })
    }

    /// Makes what is made from now on for the home with this id: [`crate::engine::HOME_LABEL`] says
    /// so. The first id counts.
    pub fn make_for(&self, home: &str) {
        let _ = self.inner.home.set(home.to_owned());
    }

    /// The id of the home that things are made for; empty where there is none.
    #[must_use]
    pub fn home(&self) -> &str {
        self.inner.home.get().map_or("", String::as_str)
    }

    /// The library's error as ours.
    fn fault(&self, what: &'static str, error: &Error) -> EngineError {
        fault::fault(what, &self.inner.info.address, CALL, error)
    }
}

/// What an engine says of itself first.
type Told = (SystemVersion, Result<SystemInfo, Error>);

/// Asks what an engine is; side by side, where a second question opens no second `ssh`.
async fn told(
    client: &bollard::Docker,
    quick: &bollard::Docker,
    address: &Address,
    failed: impl Fn(&Error) -> EngineError,
) -> Result<Told, EngineError> {
    // Its version says whether somebody is there: one that is busy (Podman's store is locked while
    // it builds) may take its time for the rest.
    let busy = client.clone().with_timeout(BUSY);
    let version = pin!(version(quick, failed));
    let system = pin!(busy.info());
    if let Address::Ssh { .. } = address {
        return Ok((version.await?, system.await));
    }
    Ok(match select(version, system).await {
        Either::Left((version, system)) => (version?, system.await),
        Either::Right((system, version)) => (version.await?, system),
    })
}

/// Which version answers; the caller words the library's error.
async fn version(
    quick: &bollard::Docker,
    failed: impl Fn(&Error) -> EngineError,
) -> Result<SystemVersion, EngineError> {
    // The library applies its timeout to answers; ssh may also hang while it connects.
    let version = tokio::time::timeout(QUICK * 2, quick.version())
        .await
        .map_err(|_elapsed| EngineError::Silent {
            what: "connect",
            within: QUICK * 2,
        })?
        .map_err(|error| failed(&error))?;
    if version.version.as_deref().unwrap_or_default().is_empty() {
        return Err(EngineError::Refused {
            what: "connect",
            detail: Clean::line("what answers there names no version: no container engine"),
        });
    }
    Ok(version)
}

/// The library's client for an address; nothing is sent yet.
fn client(address: &Address) -> Result<bollard::Docker, Error> {
    let seconds = CALL.as_secs();
    match address {
        Address::Unix(path) => bollard::Docker::connect_with_unix(
            &path.to_string_lossy(),
            seconds,
            API_DEFAULT_VERSION,
        ),
        Address::Tcp(host) => bollard::Docker::connect_with_http(
            &format!("tcp://{host}"),
            seconds,
            API_DEFAULT_VERSION,
        ),
        Address::Tls { host, certificates } => bollard::Docker::connect_with_ssl(
            &format!("tcp://{host}"),
            &certificates.join("key.pem"),
            &certificates.join("cert.pem"),
            &certificates.join("ca.pem"),
            seconds,
            API_DEFAULT_VERSION,
        ),
        Address::Ssh { host, port } => ssh::client(host, *port, seconds),
    }
}

/// What the engine is, from its own answers.
fn describe(
    version: &SystemVersion,
    system: &SystemInfo,
    address: &Address,
    choices: Choices,
) -> EngineInfo {
    let podman = version
        .components
        .iter()
        .flatten()
        .any(|component| component.name.contains("Podman"));
    let containerd = system.driver_status.iter().flatten().any(|pair| {
        pair.first().is_some_and(|key| key == "driver-type")
            && pair
                .get(1)
                .is_some_and(|value| value.starts_with("io.containerd.snapshotter"))
    });
    let linux = version.os.as_deref().is_none_or(|os| os == "linux");
    let rootless = system
        .security_options
        .iter()
        .flatten()
        .any(|option| option.contains("rootless"));
    EngineInfo {
        name: if podman {
            EngineName::Podman
        } else {
            EngineName::Docker
        },
        version: version.version.clone().unwrap_or_default(),
        store: if containerd {
            Store::Containerd
        } else {
            Store::Graphdriver
        },
        builder: if podman {
            Builder::Buildah
        } else if choices.without_buildkit || !linux || !has_buildkit(version) {
            Builder::Classic
        } else {
            Builder::Buildkit
        },
        architecture: version.arch.clone().unwrap_or_default(),
        address: address.to_string(),
        found_by: choices.found_by,
        rootless,
    }
}

/// BuildKit is in the engine since interface 1.39.
fn has_buildkit(version: &SystemVersion) -> bool {
    let api = version.api_version.as_deref().unwrap_or_default();
    let mut parts = api.split('.').map(|part| part.parse::<u32>().unwrap_or(0));
    let (major, minor) = (parts.next().unwrap_or(0), parts.next().unwrap_or(0));
    (major, minor) >= (1, 39)
}

/// The engine's folder, where the engine runs on this host and not in a machine or a container of
/// its own.
fn folder_here(system: &SystemInfo) -> Option<std::path::PathBuf> {
    let here = std::fs::read_to_string("/proc/sys/kernel/hostname").ok()?;
    if system.name.as_deref()? != here.trim() {
        return None;
    }
    system.docker_root_dir.as_ref().map(Into::into)
}

#[async_trait]
impl Engine for Docker {
    fn info(&self) -> &EngineInfo {
        &self.inner.info
    }

    async fn ping(&self) -> Result<(), EngineError> {
        match self.inner.quick.ping().await {
            Ok(_) => Ok(()),
            Err(error) => Err(fault::fault(
                "ping",
                &self.inner.info.address,
                QUICK,
                &error,
            )),
        }
    }

    async fn build(
        &self,
        request: BuildRequest,
        events: mpsc::Sender<BuildEvent>,
        cancel: CancellationToken,
    ) -> Result<Built, BuildError> {
        let replaced = Replaced::keep(self, &request.tag).await;
        let built = build::build(self, request, events, cancel).await;
        if let Some(replaced) = replaced {
            replaced.put_away(self, built.is_ok()).await;
        }
        built
    }

    async fn inspect(&self, image: &str) -> Result<Option<Summary>, EngineError> {
        name::check(image)?;
        images::inspect(self, image).await
    }

    async fn paths(
        &self,
        image: &str,
        paths: &[String],
    ) -> Result<BTreeMap<String, bool>, EngineError> {
        paths::paths(self, image, paths).await
    }

    async fn export(&self, image: &str) -> Result<ByteStream, EngineError> {
        name::check(image)?;
        images::export(self, image).await
    }

    async fn run(
        &self,
        image: &str,
        run: &Run,
        cancel: CancellationToken,
    ) -> Result<RunOutcome, EngineError> {
        run::run(self, image, run, cancel).await
    }

    async fn trace(
        &self,
        image: &str,
        run: &Run,
        cancel: CancellationToken,
    ) -> Result<Trace, EngineError> {
        run::trace::trace(self, image, run, cancel).await
    }

    async fn images(&self, label: Option<&str>) -> Result<Vec<ImageEntry>, EngineError> {
        images::list(self, label).await
    }

    async fn named(&self, names: &[String]) -> Result<Vec<ImageEntry>, EngineError> {
        images::named(self, names).await
    }

    async fn load(&self, archive: ByteStream) -> Result<(), EngineError> {
        images::load(self, archive).await
    }

    async fn pull(
        &self,
        reference: &str,
        progress: mpsc::Sender<PullProgress>,
        cancel: CancellationToken,
    ) -> Result<(), EngineError> {
        images::pull(self, reference, progress, cancel).await
    }

    async fn tag(&self, image: &str, reference: &str) -> Result<(), EngineError> {
        images::tag(self, image, reference).await
    }

    async fn remove_image(&self, reference: &str) -> Result<(), EngineError> {
        images::remove(self, reference).await
    }

    async fn transform(
        &self,
        request: Transform,
        cancel: CancellationToken,
    ) -> Result<String, EngineError> {
        transform::transform(self, request, cancel).await
    }

    fn is_short_of_cpu(&self) -> bool {
        matches!(self.inner.address, Address::Unix(_)) && pressure::is_short_of_cpu()
    }

    async fn turn(&self) -> Option<Turn> {
        let lock = pressure::turn(&std::env::temp_dir()).await?;
        Some(Turn { _lock: lock })
    }

    async fn leftovers(&self) -> Result<Vec<Leftover>, EngineError> {
        containers::leftovers(self).await
    }

    async fn remove_leftover(&self, leftover: &Leftover) -> Result<(), EngineError> {
        containers::remove_leftover(self, leftover).await
    }

    async fn free_space(&self) -> Option<Bytes> {
        let folder = self.inner.root.clone()?;
        let asked = tokio::task::spawn_blocking(move || rustix::fs::statvfs(&folder));
        let stat = asked.await.ok()?.ok()?;
        Some(Bytes(stat.f_bavail.saturating_mul(stat.f_frsize)))
    }
}

#[cfg(test)]
mod tests {
    use bollard::models::SystemVersionComponents;

    use super::*;

    #[test]
    fn the_store_and_the_builder_come_from_the_engines_own_answers() {
        let version = SystemVersion {
            version: Some("26.1.5".to_owned()),
            api_version: Some("1.45".to_owned()),
            ..SystemVersion::default()
        };
        let system = SystemInfo {
            driver_status: Some(vec![vec![
                "driver-type".to_owned(),
                "io.containerd.snapshotter.v1".to_owned(),
            ]]),
            ..SystemInfo::default()
        };
        let address = Address::unix("/x");
        let info = describe(&version, &system, &address, Choices::default());
        assert_eq!(info.store, Store::Containerd);
        assert_eq!(info.builder, Builder::Buildkit);
        let refused = Choices {
            without_buildkit: true,
            ..Choices::default()
        };
        let info = describe(&version, &SystemInfo::default(), &address, refused);
        assert_eq!(info.store, Store::Graphdriver);
        assert_eq!(info.builder, Builder::Classic);
    }

    #[test]
    fn podman_is_recognised_by_its_component() {
        let version = SystemVersion {
            components: Some(vec![SystemVersionComponents {
                name: "Podman Engine".to_owned(),
                ..SystemVersionComponents::default()
            }]),
            ..SystemVersion::default()
        };
        let info = describe(
            &version,
            &SystemInfo::default(),
            &Address::unix("/x"),
            Choices::default(),
        );
        assert_eq!(info.name, EngineName::Podman);
        assert_eq!(info.builder, Builder::Buildah);
    }
}
