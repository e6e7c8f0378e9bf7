#![expect(
    clippy::disallowed_methods,
    reason = "the edge to the engine: waits until it has stopped"
)]
//! After a build was given up: waits until the engine no longer works on it.
//!
//! Closing the request stops BuildKit and the classic builder within a second. But BuildKit misses it
//! for a RUN that it is about to start, and Podman lets the one that is under way end first; neither
//! has a call that ends it: where it runs on this host, the command is ended by a signal. Nothing here
//! believes any of that; it asks. What is at work may also be a neighbour's, who builds the same: while
//! anybody else builds, nothing is ended, and nobody is waited for long.
//!
//! BuildKit's list of what it works on fails for good where the host died in the middle of a build and
//! one of its records lost its files. There the processes of this host say whether a command runs.

use std::collections::BTreeSet;
use std::time::Duration;
use std::time::Instant;

use super::alone::Others;
use super::alone::Place;
use super::commands::Commands;
use crate::engine::BuildError;
use crate::engine::Builder;
use crate::engine::EngineError;
use crate::engine::PROCESS_LABEL;
use crate::engine::docker::Docker;
use crate::engine::docker::raw;

/// How long after the request was closed a container may still appear that is this build's own.
const APPEARS: Duration = Duration::from_secs(1);
/// How often the engine is asked.
const PAUSE: Duration = Duration::from_millis(150);
/// How long the engine has to stop.
const SOON: Duration = Duration::from_secs(30);
/// How long is waited where what is at work may as well be another build's, or is not seen.
const OTHERS: Duration = Duration::from_secs(5);
/// How long a RUN of Podman's may go on until we say that it cannot be stopped.
pub(super) const LONG: Duration = Duration::from_secs(120);

/// What is at work on the engine.
pub(super) struct AtWork {
    builder: Builder,
    /// What was at work before the build, so that others' work is not waited for.
    before: BTreeSet<String>,
    /// The build among others.
    place: Place,
    /// The builder's commands, which end by a signal where they are processes of this host.
    commands: Option<Commands>,
}

/// What became of a build that was given up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Settled {
    /// Nothing of it is at work.
    Over,
    /// Something is, which may as well be somebody else's.
    PerhapsOthers,
    /// The engine does not say what is.
    Unseen,
}

impl AtWork {
    /// Looks before the build begins.
    pub(super) async fn before(docker: &Docker, builder: Builder) -> Self {
        let address = &docker.inner.address;
        let place = Place::take(address).await;
        let before = match builder {
            // Its containers do not say what they run.
            Builder::Buildah => at_work(docker, builder, &[]).await.unwrap_or_default(),
            Builder::Classic | Builder::Buildkit => BTreeSet::new(),
        };
        let ends_most = builder != Builder::Buildah;
        Self {
            builder,
            before,
            place,
            commands: (builder != Builder::Classic).then(|| Commands::from_now(address, ends_most)),
        }
    }

    /// Ends the commands of this build that run on this host, where only that ends them and nobody
    /// else builds. Says who does.
    pub(super) fn end(&self, commands: &[String]) -> Others {
        self.place.if_alone(|| {
            if let Some(running) = &self.commands {
                running.end(commands);
            }
        })
    }

    /// Waits until nothing of the build is at work.
    ///
    /// # Errors
    /// Where the engine still works on it, and on nobody else's.
    pub(super) async fn settled(
        &self,
        docker: &Docker,
        commands: &[String],
    ) -> Result<Settled, BuildError> {
        let began = Instant::now();
        // What appears later is the work of others, who may build here without end.
        let mut ours = BTreeSet::new();
        // The engine notices the closed request a moment later, and only then lets go.
        tokio::time::sleep(PAUSE).await;
        loop {
            let others = self.end(commands);
            let waited = began.elapsed();
            let seen = match at_work(docker, self.builder, commands).await {
                Ok(now) => {
                    if waited < APPEARS || ours.is_empty() {
                        ours.extend(now.difference(&self.before).cloned());
                    }
                    Some(!now.is_disjoint(&ours))
                }
                // An engine that has gone works on nothing.
                Err(EngineError::Gone { .. }) => Some(false),
                // A command that the engine was about to start takes a moment to be a process.
                Err(_) => self.runs(commands).map(|runs| runs || waited < APPEARS),
            };
            if let Some(end) = end_of_waiting(seen, others, waited) {
                return end;
            }
            tokio::time::sleep(PAUSE).await;
        }
    }

    /// Whether a command of this build runs on this host; `None` where that is not seen.
    fn runs(&self, commands: &[String]) -> Option<bool> {
        self.commands.as_ref()?.run(commands)
    }
}

/// How the waiting ends, if it does: by what was `seen` at work after so long (`None` where nothing
/// can be), and by who else builds.
fn end_of_waiting(
    seen: Option<bool>,
    others: Others,
    waited: Duration,
) -> Option<Result<Settled, BuildError>> {
    match (seen, others) {
        (Some(false), _) => Some(Ok(Settled::Over)),
        (None, _) if waited > OTHERS => Some(Ok(Settled::Unseen)),
        (Some(true), Others::Some) if waited > OTHERS => Some(Ok(Settled::PerhapsOthers)),
        (Some(true), Others::Unknown) if waited > SOON => Some(Ok(Settled::PerhapsOthers)),
        (Some(true), Others::None) if waited > SOON => Some(Err(still_at_work(SOON))),
        (None | Some(true), _) => None,
    }
}

fn still_at_work(patience: Duration) -> BuildError {
    BuildError::Engine(EngineError::Silent {
        what: "stop the build",
        within: patience,
    })
}

/// What is at work on the engine that may belong to a build.
async fn at_work(
    docker: &Docker,
    builder: Builder,
    commands: &[String],
) -> Result<BTreeSet<String>, EngineError> {
    match builder {
        // Podman lists the containers that its builder works in as external ones.
        Builder::Buildah => {
            let path = "/v4.0.0/libpod/containers/json?external=true&all=true";
            let answer = raw::json(docker, "list working containers", path).await?;
            Ok(external(&answer))
        }
        // The classic builder works in containers like any other, without our labels.
        Builder::Classic => {
            let answer = raw::json(docker, "list containers", "/containers/json?all=1").await?;
            Ok(running(&answer, commands))
        }
        Builder::Buildkit => {
            let path = "/system/df?type=build-cache";
            let answer = raw::json(docker, "list the build cache", path).await?;
            Ok(in_use(&answer, commands))
        }
    }
}

/// Podman's containers that are not containers of its own.
fn external(answer: &serde_json::Value) -> BTreeSet<String> {
    let containers = answer.as_array().map(Vec::as_slice).unwrap_or_default();
    containers
        .iter()
        .filter(|container| {
            let status = container.get("Status").and_then(serde_json::Value::as_str);
            let state = container.get("State").and_then(serde_json::Value::as_str);
            status == Some("storage") || state == Some("storage") || state == Some("unknown")
        })
        .filter_map(|container| Some(container.get("Id")?.as_str()?.to_owned()))
        .collect()
}

/// The containers that run a command of this build and are not Loadline's own.
fn running(answer: &serde_json::Value, commands: &[String]) -> BTreeSet<String> {
    let containers = answer.as_array().map(Vec::as_slice).unwrap_or_default();
    containers
        .iter()
        .filter(|container| {
            let labels = container.get("Labels");
            let runs = container.get("Command").and_then(serde_json::Value::as_str);
            labels.is_none_or(|labels| labels.get(PROCESS_LABEL).is_none())
                && runs.is_some_and(|runs| commands.iter().any(|command| runs.contains(command)))
        })
        .filter_map(|container| Some(container.get("Id")?.as_str()?.to_owned()))
        .collect()
}

/// The cache records that a command of this build still writes to.
fn in_use(answer: &serde_json::Value, commands: &[String]) -> BTreeSet<String> {
    let records = answer.get("BuildCache").and_then(|cache| cache.as_array());
    records
        .map(Vec::as_slice)
        .unwrap_or_default()
        .iter()
        .filter(|record| record.get("InUse").and_then(serde_json::Value::as_bool) == Some(true))
        .filter(|record| {
            let described = record
                .get("Description")
                .and_then(serde_json::Value::as_str)
                .unwrap_or_default();
            described.starts_with("mount / from exec")
                && commands.iter().any(|command| described.contains(command))
        })
        .filter_map(|record| Some(record.get("ID")?.as_str()?.to_owned()))
        .collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_build_is_over_where_nothing_is_at_work_and_never_where_that_is_not_seen() {
        let end =
            |seen, others, seconds| end_of_waiting(seen, others, Duration::from_secs(seconds));
        for others in [Others::None, Others::Some, Others::Unknown] {
            assert_eq!(end(Some(false), others, 0), Some(Ok(Settled::Over)));
            assert_eq!(end(Some(true), others, 4), None);
            assert_eq!(end(None, others, 4), None);
            assert_eq!(end(None, others, 6), Some(Ok(Settled::Unseen)));
        }
        let others = Some(Ok(Settled::PerhapsOthers));
        assert_eq!(end(Some(true), Others::Some, 6), others);
        assert_eq!(end(Some(true), Others::Unknown, 29), None);
        assert_eq!(end(Some(true), Others::Unknown, 31), others);
        assert_eq!(end(Some(true), Others::None, 29), None);
        assert_eq!(
            end(Some(true), Others::None, 31),
            Some(Err(still_at_work(SOON)))
        );
    }

    #[test]
    fn only_what_a_command_of_this_build_writes_to_counts() {
        let answer = json!({"BuildCache": [
            {"ID": "a", "InUse": true, "Description": "mount / from exec /bin/sh -c sleep 99"},
            {"ID": "b", "InUse": true, "Description": "mount / from exec /bin/sh -c other"},
            {"ID": "c", "InUse": false, "Description": "mount / from exec /bin/sh -c sleep 99"},
            {"ID": "d", "InUse": true, "Description": "pulled from docker.io"},
        ]});
        let found = in_use(&answer, &["sleep 99".to_owned()]);
        assert_eq!(found.into_iter().collect::<Vec<_>>(), ["a"]);
    }

    #[test]
    fn of_containers_only_those_count_that_run_a_command_of_this_build() {
        let answer = json!([
            {"Id": "a", "Command": "/bin/sh -c 'sleep 99'", "Labels": {}},
            {"Id": "b", "Command": "/bin/sh -c 'sleep 9'", "Labels": null},
            {"Id": "c", "Command": "/bin/sh -c 'sleep 99'", "Labels": {PROCESS_LABEL: "x"}},
            {"Id": "d", "Command": "/app"},
        ]);
        let found = running(&answer, &["sleep 99".to_owned()]);
        assert_eq!(found.into_iter().collect::<Vec<_>>(), ["a"]);
        assert!(running(&answer, &[]).is_empty());
    }
}
