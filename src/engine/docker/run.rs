#![expect(
    clippy::disallowed_methods,
    reason = "the edge to the engine: the clock that times a run"
)]
//! Hardened runs of an image.
//!
//! Whatever a goal asks for, a container gets no network, no capability and no new privilege, and
//! a bounded share of memory, processes, CPU, output and time. The one exception is [`trace`],
//! whose own program gets three capabilities and gives them up before it starts the image's.

pub(super) mod attach;
mod helper;
mod probes;
pub(super) mod trace;

use std::collections::HashMap;
use std::time::Duration;
use std::time::Instant;

use attach::Attached;
use bollard::models::ContainerCreateBody;
use bollard::models::HostConfig;
use bollard::models::HostConfigLogConfig;
use bollard::query_parameters::KillContainerOptionsBuilder;
use bollard::query_parameters::StartContainerOptions;
use bollard::query_parameters::WaitContainerOptionsBuilder;
use futures_util::StreamExt;
use helper::Ask;
use helper::Helper;
use probes::Watched;
use tokio_util::sync::CancellationToken;

use super::Docker;
use super::containers::Guard;
use crate::engine::EngineError;
use crate::engine::EngineName;
use crate::image::run::MEMORY;
use crate::image::run::PROCESSES;
use crate::image::run::Probe;
use crate::image::run::Ready;
use crate::image::run::Run;
use crate::image::run::RunOutcome;

/// CPU time, in billionths of one CPU.
const NANO_CPUS: i64 = 1_000_000_000;
/// The writable `/tmp` of a read-only container.
const TMPFS: &str = "rw,noexec,nosuid,nodev,size=64m,mode=1777";

/// Runs `image` as `run` says.
pub(super) async fn run(
    docker: &Docker,
    image: &str,
    run: &Run,
    cancel: CancellationToken,
) -> Result<RunOutcome, EngineError> {
    let guard = match Guard::create(docker, body(docker.inner.info.name, image, run), "run").await {
        Ok(guard) => guard,
        Err(error) => return not_started(error),
    };
    let outcome = tokio::select! {
        biased;
        () = cancel.cancelled() => Err(EngineError::Cancelled),
        outcome = watch(docker, &guard, run) => outcome,
    };
    // The helper goes while the container goes.
    tokio::join!(guard.remove(), super::containers::settle(docker));
    outcome
}

/// The engine refuses to make or start the container: the run's result, not a fault of the engine.
fn not_started(error: EngineError) -> Result<RunOutcome, EngineError> {
    match error {
        EngineError::Refused { detail, .. } => Ok(RunOutcome {
            start_error: Some(detail),
            ..RunOutcome::default()
        }),
        other => Err(other),
    }
}

/// The container of a run.
fn body(name: EngineName, image: &str, run: &Run) -> ContainerCreateBody {
    let start = &run.start;
    let stdin = start.stdin.is_some();
    ContainerCreateBody {
        image: Some(image.to_owned()),
        entrypoint: start.entrypoint.clone(),
        cmd: start.args.clone(),
        env: Some(
            start
                .env
                .iter()
                .map(|(key, value)| format!("{key}={value}"))
                .collect(),
        ),
        attach_stdout: Some(true),
        attach_stderr: Some(true),
        attach_stdin: Some(stdin),
        open_stdin: Some(stdin),
        stdin_once: Some(stdin),
        healthcheck: probes::healthcheck(name, &run.probe),
        host_config: Some(hardened(name, start.read_only)),
        ..ContainerCreateBody::default()
    }
}

/// The limits of every run.
fn hardened(name: EngineName, read_only: bool) -> HostConfig {
    // Any user may listen on any port in a container of Docker's; Podman has to be told.
    let ports = ("net.ipv4.ip_unprivileged_port_start", "0");
    let ports = HashMap::from([(ports.0.to_owned(), ports.1.to_owned())]);
    let memory = i64::try_from(MEMORY.0).ok();
    HostConfig {
        memory,
        memory_swap: memory,
        pids_limit: Some(i64::from(PROCESSES)),
        nano_cpus: Some(NANO_CPUS),
        cap_drop: Some(vec!["ALL".to_owned()]),
        security_opt: Some(vec!["no-new-privileges".to_owned()]),
        network_mode: Some("none".to_owned()),
        // The output is read as it comes; kept by the engine, a flood would fill its disk.
        log_config: Some(HostConfigLogConfig {
            typ: Some("none".to_owned()),
            config: None,
        }),
        sysctls: (name == EngineName::Podman).then_some(ports),
        readonly_rootfs: Some(read_only),
        tmpfs: read_only.then(|| HashMap::from([("/tmp".to_owned(), TMPFS.to_owned())])),
        ..HostConfig::default()
    }
}

/// Starts the container and follows it to the end of its probe.
async fn watch(docker: &Docker, guard: &Guard, run: &Run) -> Result<RunOutcome, EngineError> {
    let ask = match &run.probe {
        Probe::Http(request) => Some(Ask::Http(request)),
        Probe::Stop {
            ready: Some(Ready::Port(port)),
            ..
        } => Some(Ask::Port(*port)),
        Probe::Stop {
            ready: Some(Ready::Http(request)),
            ..
        } => Some(Ask::Http(request)),
        Probe::Exit | Probe::Health | Probe::Stop { .. } => None,
    };
    // The helper is made while the container starts.
    let helper = async {
        match &ask {
            Some(ask) => Helper::beside(docker, guard.id(), ask, run.within)
                .await
                .map(Some),
            None => Ok(None),
        }
    };
    // Podman prepares the start when somebody attaches, and then finds what is missing.
    let attached = match Attached::attach(docker, guard.id(), run.start.stdin.clone()).await {
        Ok(attached) => attached,
        Err(error) => return not_started(error),
    };
    let began = Instant::now();
    let client = &docker.inner.client;
    let start = async {
        let start = client.start_container(guard.id(), None::<StartContainerOptions>);
        (start.await, Instant::now())
    };
    let ((started, up), helper) = tokio::join!(start, helper);
    if let Err(error) = started {
        return not_started(docker.fault("start a container", &error));
    }
    let mut watched = Watched {
        docker,
        id: guard.id(),
        began,
        up,
        within: run.within,
        attached,
        outcome: RunOutcome::default(),
        signalled: None,
    };
    match (&run.probe, helper?) {
        (Probe::Http(_), Some(helper)) => watched.http(helper).await?,
        (Probe::Stop { signal, grace, .. }, helper) => {
            watched.stop(signal.as_deref(), *grace, helper).await?;
        }
        (Probe::Health, _) => watched.health().await?,
        (Probe::Exit | Probe::Http(_), _) => watched.until_its_end().await?,
    }
    watched.finish().await
}

/// Sends a signal; a container that has ended already is fine.
async fn kill(docker: &Docker, id: &str, signal: &str) -> Result<(), EngineError> {
    let options = KillContainerOptionsBuilder::default()
        .signal(signal)
        .build();
    match docker.inner.client.kill_container(id, Some(options)).await {
        Ok(()) => Ok(()),
        Err(bollard::errors::Error::DockerResponseServerError {
            status_code: 404 | 409,
            ..
        }) => Ok(()),
        // Podman answers 500 for a container that is not running.
        Err(bollard::errors::Error::DockerResponseServerError { message, .. })
            if message.contains("not running") || message.contains("container state improper") =>
        {
            Ok(())
        }
        Err(error) => Err(docker.fault("stop a container", &error)),
    }
}

/// How a container ended.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Ended {
    /// Its status.
    pub(super) exit: Option<i64>,
    /// Whether it, or a child of it, was killed for lack of memory.
    pub(super) out_of_memory: bool,
    /// How long it ran, by the engine's clock, where the engine says so.
    pub(super) lived: Option<Duration>,
}

/// Waits until a container has ended and reads how.
pub(super) async fn exit_of(docker: &Docker, id: &str) -> Result<Ended, EngineError> {
    let options = WaitContainerOptionsBuilder::default()
        .condition("not-running")
        .build();
    let client = &docker.inner.client;
    let mut wait = std::pin::pin!(client.wait_container(id, Some(options)));
    match wait.next().await {
        // A status that is not zero comes as an error of the library.
        None | Some(Ok(_) | Err(bollard::errors::Error::DockerContainerWaitError { .. })) => {}
        Some(Err(error)) => return Err(docker.fault("wait for a container", &error)),
    }
    let state = super::state::container(docker, id).await?;
    let state = state.unwrap_or_default().state;
    Ok(Ended {
        exit: state.exit_code,
        out_of_memory: state.out_of_memory,
        lived: state.lived(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::image::run::Start;

    #[test]
    fn no_run_gets_a_network_a_capability_or_more_than_its_share() {
        let run = Run {
            start: Start {
                read_only: true,
                ..Start::default()
            },
            probe: Probe::Exit,
            within: Duration::from_secs(1),
        };
        let host = body(EngineName::Docker, "x", &run).host_config.unwrap();
        assert_eq!(host.network_mode.as_deref(), Some("none"));
        assert_eq!(host.cap_drop, Some(vec!["ALL".to_owned()]));
        assert_eq!(host.memory, host.memory_swap, "no swap beyond the memory");
        assert!(host.memory.is_some() && host.pids_limit == Some(256));
        assert_eq!(host.readonly_rootfs, Some(true));
        assert!(host.tmpfs.unwrap().contains_key("/tmp"));
        assert_eq!(host.privileged, None);
        assert_eq!(host.binds, None);
    }
}
