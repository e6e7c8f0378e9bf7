//! How a container stands.
//!
//! Read by hand: engines have states that the client library does not know and then refuses whole.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::Deserialize;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use super::Docker;
use super::races::asked_again;
use super::raw;
use crate::engine::EngineError;

/// What an engine says of a container.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub(super) struct Container {
    /// How it stands.
    pub(super) state: State,
    /// How it was made.
    pub(super) config: Config,
}

/// How it stands.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub(super) struct State {
    /// Whether it runs.
    pub(super) running: bool,
    /// Its status when it has ended.
    pub(super) exit_code: Option<i64>,
    /// Whether it, or a child of it, was killed for lack of memory.
    #[serde(rename = "OOMKilled")]
    pub(super) out_of_memory: bool,
    /// When it was started, and when it ended, by the engine's clock.
    pub(super) started_at: Option<String>,
    pub(super) finished_at: Option<String>,
    /// Its health, where it has a check.
    pub(super) health: Option<Health>,
}

impl State {
    /// How long it ran, by the engine's clock; `None` where it still runs or the engine does not
    /// say.
    pub(super) fn lived(&self) -> Option<Duration> {
        let at = |text: &Option<String>| OffsetDateTime::parse(text.as_deref()?, &Rfc3339).ok();
        let (started, ended) = (at(&self.started_at)?, at(&self.finished_at)?);
        // One that never ended did so in the year 1.
        (ended - started).try_into().ok()
    }
}

/// Its health.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub(super) struct Health {
    /// `healthy`, `unhealthy`, `starting`; `none` or nothing where there is no check.
    pub(super) status: String,
}

/// How it was made.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub(super) struct Config {
    /// Its labels.
    pub(super) labels: Option<BTreeMap<String, String>>,
    /// The signal that asks it to stop: a name, or a number from Podman.
    pub(super) stop_signal: serde_json::Value,
}

impl Config {
    /// The signal that asks it to stop.
    pub(super) fn signal(&self) -> Option<String> {
        match &self.stop_signal {
            serde_json::Value::String(name) if !name.is_empty() => Some(name.clone()),
            serde_json::Value::Number(number) => Some(number.to_string()),
            _ => None,
        }
    }
}

/// A container in a list.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub(super) struct Listed {
    /// Its id.
    pub(super) id: String,
    /// Its names, by Docker with a slash before them.
    pub(super) names: Option<Vec<String>>,
    /// Its labels.
    pub(super) labels: Option<BTreeMap<String, String>>,
    /// When it was made, in Unix seconds.
    pub(super) created: Option<i64>,
}

/// Lists the containers that carry a label, however they stand. The label is a word that needs no
/// quoting.
pub(super) async fn list(docker: &Docker, label: &str) -> Result<Vec<Listed>, EngineError> {
    let what = "list containers";
    // {"label":["…"]}
    let filters = format!("%7B%22label%22%3A%5B%22{label}%22%5D%7D");
    let path = format!("/containers/json?all=1&filters={filters}");
    let answer = asked_again(docker, || raw::get(docker, what, path.clone())).await?;
    serde_json::from_value(answer).map_err(|error| EngineError::Refused {
        what,
        detail: crate::text::Clean::line(&error.to_string()),
    })
}

/// Asks for a container; `None` where there is none.
pub(super) async fn container(docker: &Docker, id: &str) -> Result<Option<Container>, EngineError> {
    let what = "inspect a container";
    let Some(answer) = raw::find(docker, what, format!("/containers/{id}/json")).await? else {
        return Ok(None);
    };
    match serde_json::from_value(answer) {
        Ok(container) => Ok(Some(container)),
        Err(error) => Err(EngineError::Refused {
            what,
            detail: crate::text::Clean::line(&error.to_string()),
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_is_read_whatever_the_states_in_it() {
        let listed: Vec<Listed> = serde_json::from_value(serde_json::json!([
            {"Id": "a", "Names": ["/one"], "Created": 7, "State": "stopped", "Labels": {"k": "v"}},
            {"Id": "b", "Names": null, "State": "a state of the future", "Labels": null},
        ]))
        .unwrap();
        assert_eq!(listed.len(), 2);
        assert_eq!(listed[0].created, Some(7));
        assert_eq!(listed[1].labels, None);
    }

    #[test]
    fn how_long_one_ran_is_told_by_the_engine_s_own_clock() {
        let lived = |started: &str, finished: &str| {
            let state = State {
                started_at: Some(started.to_owned()),
                finished_at: Some(finished.to_owned()),
                ..State::default()
            };
            state.lived()
        };
        let ran = Some(Duration::from_millis(2_500));
        let docker = ("2026-01-02T03:04:05.25Z", "2026-01-02T03:04:07.750000000Z");
        assert_eq!(lived(docker.0, docker.1), ran);
        let podman = (
            "2026-01-02T03:04:05.250000001+02:00",
            "2026-01-02T03:04:07.750000001+02:00",
        );
        assert_eq!(lived(podman.0, podman.1), ran);
        assert_eq!(lived(docker.0, "0001-01-01T00:00:00Z"), None, "it runs");
        assert_eq!(State::default().lived(), None);
    }

    #[test]
    fn states_of_both_engines_are_read() {
        let podman: Container = serde_json::from_value(serde_json::json!({
            "State": {"Status": "stopped", "Running": false, "ExitCode": 3, "OOMKilled": true},
            "Config": {"StopSignal": 15, "Labels": null},
        }))
        .unwrap();
        assert_eq!(podman.state.exit_code, Some(3));
        assert!(podman.state.out_of_memory);
        assert_eq!(podman.config.signal().as_deref(), Some("15"));
        let docker: Container = serde_json::from_value(serde_json::json!({
            "State": {"Running": true, "Health": {"Status": "starting"}},
            "Config": {"StopSignal": "SIGINT", "Labels": {"a": "b"}},
        }))
        .unwrap();
        assert!(docker.state.running);
        assert_eq!(docker.config.signal().as_deref(), Some("SIGINT"));
    }
}
