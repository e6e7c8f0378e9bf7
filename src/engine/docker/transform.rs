//! A command run in an image, and the result kept as another image.

use bollard::models::ContainerConfig;
use bollard::models::ContainerCreateBody;
use bollard::models::HostConfig;
use bollard::query_parameters::CommitContainerOptionsBuilder;
use bollard::query_parameters::StartContainerOptions;
use tokio_util::sync::CancellationToken;

use super::Docker;
use super::containers::Guard;
use super::images::split_tag;
use super::run::attach::Attached;
use crate::engine::EngineError;
use crate::engine::HOME_LABEL;
use crate::engine::PROCESS_LABEL;
use crate::engine::Transform;
use crate::image::Config;
use crate::text::Clean;

/// Lines of a failed command's output that its error carries.
const TOLD: usize = 5;

/// Runs the command as root without a network and commits the container.
pub(super) async fn transform(
    docker: &Docker,
    request: Transform,
    cancel: CancellationToken,
) -> Result<String, EngineError> {
    let Some(base) = super::images::inspect(docker, &request.image).await? else {
        return Err(EngineError::NoSuchImage(request.image));
    };
    let guard = Guard::create(docker, body(&request, &base.config), &request.owner).await?;
    let committed = work(docker, &guard, &request, &base.config, &cancel).await;
    guard.remove().await;
    committed
}

/// The container: root, no network, the command in place of the image's own.
///
/// An entrypoint given here would stay in the image: a commit takes the container's where its own
/// changes leave it empty. So one is only given where the image's own has to be replaced.
fn body(request: &Transform, base: &Config) -> ContainerCreateBody {
    // Environment given to the container would be committed; `env` gives it to the command alone.
    let mut command = Vec::new();
    if !request.env.is_empty() {
        command.push("/usr/bin/env".to_owned());
        command.extend(request.env.iter().cloned());
    }
    command.extend(request.command.iter().cloned());
    let (entrypoint, command) = match command.split_first() {
        Some((program, arguments)) if !base.entrypoint.is_empty() => {
            (Some(vec![program.clone()]), arguments.to_vec())
        }
        _ => (None, command),
    };
    ContainerCreateBody {
        image: Some(request.image.clone()),
        // Who starts as root anyway stays without a word on it, as the vendor's images do.
        user: (!base.user.is_empty()).then(|| "0:0".to_owned()),
        entrypoint,
        cmd: Some(command),
        attach_stdout: Some(true),
        attach_stderr: Some(true),
        host_config: Some(HostConfig {
            network_mode: Some("none".to_owned()),
            ..HostConfig::default()
        }),
        ..ContainerCreateBody::default()
    }
}

/// Starts, waits and commits.
async fn work(
    docker: &Docker,
    guard: &Guard,
    request: &Transform,
    base: &Config,
    cancel: &CancellationToken,
) -> Result<String, EngineError> {
    let client = &docker.inner.client;
    let attached = Attached::attach(docker, guard.id(), None).await?;
    client
        .start_container(guard.id(), None::<StartContainerOptions>)
        .await
        .map_err(|error| docker.fault("start a container", &error))?;
    let ended = tokio::select! {
        biased;
        () = cancel.cancelled() => return Err(EngineError::Cancelled),
        ended = tokio::time::timeout(request.within, attached.ended()) => ended,
    };
    let Ok(output) = ended else {
        return Err(EngineError::Silent {
            what: "change an image",
            within: request.within,
        });
    };
    let exit = super::run::exit_of(docker, guard.id()).await?.exit;
    if exit != Some(0) {
        let mut told: Vec<String> = output.last_lines(TOLD);
        told.insert(
            0,
            format!("the command ended with status {}", exit.unwrap_or(-1)),
        );
        return Err(EngineError::Refused {
            what: "change an image",
            detail: Clean::line(&told.join(" | ")),
        });
    }
    let (repo, tag) = split_tag(&request.reference);
    let options = CommitContainerOptionsBuilder::default()
        .container(guard.id())
        .repo(repo)
        .tag(tag)
        .pause(false)
        .changes(&changes(base, request).join("\n"))
        .build();
    let slow = &docker.inner.slow;
    let committed = slow
        .commit_container(options, ContainerConfig::default())
        .await
        .map_err(|error| docker.fault("commit a container", &error))?;
    Ok(committed.id)
}

/// The changes that undo what the container needed, followed by those that were asked for.
fn changes(base: &Config, request: &Transform) -> Vec<String> {
    let json = |words: &[String]| serde_json::Value::from(words.to_vec()).to_string();
    let mut changes = vec![
        format!("ENTRYPOINT {}", json(&base.entrypoint)),
        format!("CMD {}", json(&base.cmd)),
        format!("LABEL {PROCESS_LABEL}=\"\""),
        format!("LABEL {HOME_LABEL}=\"\""),
    ];
    if !base.user.is_empty() {
        changes.push(format!("USER {}", base.user));
    }
    changes.extend(request.changes.iter().cloned());
    changes
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn the_command_leaves_no_trace_in_the_committed_config() {
        let base = Config {
            entrypoint: vec!["/app".to_owned()],
            user: "65532".to_owned(),
            ..Config::default()
        };
        let request = Transform {
            image: "a".to_owned(),
            command: vec!["dpkg".to_owned(), "--configure".to_owned()],
            env: vec!["A=1".to_owned()],
            reference: "b:1".to_owned(),
            changes: vec!["ENV X=1".to_owned()],
            owner: "test".to_owned(),
            within: Duration::from_secs(1),
        };
        assert_eq!(
            changes(&base, &request),
            [
                "ENTRYPOINT [\"/app\"]",
                "CMD []",
                "LABEL loadline.process=\"\"",
                "LABEL loadline.home=\"\"",
                "USER 65532",
                "ENV X=1",
            ]
        );
        let replaced = body(&request, &base);
        assert_eq!(replaced.env, None);
        assert_eq!(replaced.entrypoint, Some(vec!["/usr/bin/env".to_owned()]));
        let plain = body(&request, &Config::default());
        assert_eq!(plain.entrypoint, None);
        let words = ["/usr/bin/env", "A=1", "dpkg", "--configure"];
        assert_eq!(plain.cmd, Some(words.map(str::to_owned).to_vec()));
    }
}
