#![expect(
    clippy::disallowed_methods,
    reason = "the edge to the engine: the clock that times a run"
)]
//! What is asked of a container that runs.

use std::time::Duration;
use std::time::Instant;

use bollard::models::HealthConfig;

use super::Ended;
use super::attach::Attached;
use super::exit_of;
use super::helper::Helper;
use super::helper::Said;
use super::kill;
use crate::engine::EngineError;
use crate::engine::EngineInfo;
use crate::engine::EngineName;
use crate::engine::docker::Docker;
use crate::engine::docker::raw;
use crate::engine::docker::state;
use crate::engine::docker::state::Container;
use crate::image::run::PROCESSES;
use crate::image::run::Probe;
use crate::image::run::RunOutcome;
use crate::text::Clean;

/// How often a health check is run and asked for: images ask for half a minute and more, and nobody
/// waits so long for a verdict.
const HEALTH_INTERVAL: Duration = Duration::from_millis(300);
/// The shortest start period that an engine takes; none at all would be the image's.
const NO_START_PERIOD: Duration = Duration::from_millis(1);
/// The moment after a start when a program without a port counts as up.
const MOMENT: Duration = Duration::from_millis(700);
/// The status of what SIGKILL ended.
const KILLED: i64 = 137;
/// How long a killed container may take to be gone.
const GONE: Duration = Duration::from_secs(20);

/// How long the helper may take, once the container has ended, to say what it has heard.
const LAST_WORDS: Duration = Duration::from_millis(200);

/// How often the processes of a container are counted, and how long between: those of one that
/// starts more and more come and go at the limit.
const COUNTS: usize = 5;
const BETWEEN: Duration = Duration::from_millis(40);
/// How long the counting may take.
const COUNTING: Duration = Duration::from_secs(3);

/// Whether an engine tells what ran out of memory. Podman learned it with 5.0
/// (containers/podman#21523): before, it looks for its monitor's mark in the container's folder,
/// where the monitor leaves it in the engine's own.
fn tells_of_memory(info: &EngineInfo) -> bool {
    let major = info.version.split('.').next();
    let major: u32 = major.and_then(|major| major.parse().ok()).unwrap_or(0);
    info.name == EngineName::Docker || major >= 5
}

/// The health check of a container: the image's test, run more often, and from the start: within
/// an image's start period Docker runs checks at an interval of their own from 25.0 on. Podman runs
/// none by itself and is asked for each.
pub(super) fn healthcheck(name: EngineName, probe: &Probe) -> Option<HealthConfig> {
    if name == EngineName::Podman || *probe != Probe::Health {
        return None;
    }
    Some(HealthConfig {
        // No test of our own: the image's.
        test: Some(Vec::new()),
        interval: i64::try_from(HEALTH_INTERVAL.as_nanos()).ok(),
        start_period: i64::try_from(NO_START_PERIOD.as_nanos()).ok(),
        ..HealthConfig::default()
    })
}

/// A container that runs, and what is known of it.
pub(super) struct Watched<'a> {
    pub(super) docker: &'a Docker,
    pub(super) id: &'a str,
    pub(super) began: Instant,
    /// When the engine said that it was started.
    pub(super) up: Instant,
    pub(super) within: Duration,
    pub(super) attached: Attached,
    pub(super) outcome: RunOutcome,
    /// When a signal of ours that may have ended it was delivered.
    pub(super) signalled: Option<Instant>,
}

impl Watched<'_> {
    /// What is left of the run's time.
    fn left(&self) -> Duration {
        self.within.saturating_sub(self.began.elapsed())
    }

    /// Waits until it ends by itself.
    pub(super) async fn until_its_end(&mut self) -> Result<(), EngineError> {
        let left = self.left();
        let ended = tokio::time::timeout(left, self.attached.wait()).await;
        self.outcome.took = self.began.elapsed();
        if ended.is_ok() {
            return self.read_end().await;
        }
        self.outcome.timed_out = true;
        Ok(())
    }

    /// Waits for the helper's answer, or for the container's end.
    pub(super) async fn http(&mut self, helper: Helper) -> Result<(), EngineError> {
        let before = self.began.elapsed();
        let left = self.left();
        let beside = helper.id().to_owned();
        let asking = helper.ask(self.docker);
        let mut asking = std::pin::pin!(asking);
        // The helper keeps the time; what it needs to start and end comes on top.
        let said = tokio::select! {
            biased;
            said = tokio::time::timeout(left + GONE, &mut asking) => Some(said),
            () = self.attached.wait() => None,
        };
        self.outcome.took = self.began.elapsed();
        let said = match said {
            // What answers once and ends has answered.
            None => match self.last_words(&beside, asking).await {
                Some(Said::Answer(response)) => Some(Ok(Ok(Said::Answer(response)))),
                _ => None,
            },
            said => said,
        };
        match said {
            None => return self.read_end().await,
            Some(Ok(Ok(Said::Answer(mut response)))) => {
                response.after += before;
                self.outcome.took = response.after;
                self.outcome.response = Some(response);
            }
            // The container may have ended under the helper.
            Some(Ok(Err(error))) if !self.has_ended().await? => return Err(error),
            Some(Ok(Err(_))) => return self.read_end().await,
            Some(Ok(Ok(Said::Failed(reason)))) => {
                self.outcome.timed_out = true;
                self.outcome.unanswered = Some(reason);
            }
            Some(Ok(Ok(Said::Open)) | Err(_)) => self.outcome.timed_out = true,
        }
        Ok(())
    }

    /// What the helper has to say of a container that has ended. It would ask on until its time is
    /// over, so it is ended; what it has said until then comes however busy the engine is.
    async fn last_words(
        &self,
        helper: &str,
        asking: impl Future<Output = Result<Said, EngineError>>,
    ) -> Option<Said> {
        let end = async {
            loop {
                tokio::time::sleep(LAST_WORDS).await;
                // One that is only just being started is met the next time.
                let _ = kill(self.docker, helper, "SIGKILL").await;
            }
        };
        tokio::select! {
            said = tokio::time::timeout(GONE, asking) => said.ok()?.ok(),
            () = end => None,
        }
    }

    /// Sends the signal once it is up, and times the end.
    pub(super) async fn stop(
        &mut self,
        signal: Option<&str>,
        grace: Duration,
        helper: Option<Helper>,
    ) -> Result<(), EngineError> {
        if !self.comes_up(helper).await? {
            return Ok(());
        }
        let signal = match signal {
            Some(signal) => signal.to_owned(),
            None => self.own_signal().await?,
        };
        kill(self.docker, self.id, &signal).await?;
        // A busy engine takes its time for the call, and delivers the signal within it.
        let sent = Instant::now();
        self.signalled = Some(sent);
        let ended = tokio::time::timeout(grace, self.attached.wait()).await;
        self.outcome.stopped_after = Some(sent.elapsed());
        self.outcome.took = self.began.elapsed();
        if ended.is_ok() {
            return self.read_end().await;
        }
        self.outcome.killed = true;
        Ok(())
    }

    /// Whether it comes up; where it ends first or never does, the outcome says so.
    async fn comes_up(&mut self, helper: Option<Helper>) -> Result<bool, EngineError> {
        let before = self.began.elapsed();
        let left = self.left();
        let up = match helper {
            Some(helper) => tokio::select! {
                biased;
                said = helper.ask(self.docker) => match said {
                    Ok(Said::Failed(reason)) => {
                        self.outcome.unanswered = Some(reason);
                        false
                    }
                    Ok(Said::Answer(mut response)) => {
                        response.after += before;
                        self.outcome.response = Some(response);
                        true
                    }
                    Ok(Said::Open) => true,
                    Err(error) if !self.has_ended().await? => return Err(error),
                    Err(_) => false,
                },
                () = self.attached.wait() => false,
                () = tokio::time::sleep(left + GONE) => false,
            },
            None => tokio::time::timeout(MOMENT.min(left), self.attached.wait())
                .await
                .is_err(),
        };
        if up {
            return Ok(true);
        }
        self.outcome.took = self.began.elapsed();
        if self.has_ended().await? {
            self.read_end().await?;
        } else {
            self.outcome.timed_out = true;
        }
        Ok(false)
    }

    /// The image's stop signal.
    async fn own_signal(&self) -> Result<String, EngineError> {
        let container = self.look().await?;
        let signal = container.config.signal();
        Ok(signal.unwrap_or_else(|| "SIGTERM".to_owned()))
    }

    /// Asks for its health until it is healthy or its time is over.
    pub(super) async fn health(&mut self) -> Result<(), EngineError> {
        loop {
            let (health, ended) = if self.docker.inner.info.name == EngineName::Podman {
                (self.podman_health().await, self.has_ended().await?)
            } else {
                let state = self.look().await?.state;
                let health = state.health.map(|health| health.status);
                (
                    health.filter(|text| text != "none" && !text.is_empty()),
                    !state.running,
                )
            };
            self.outcome.took = self.began.elapsed();
            let healthy = health.as_deref() == Some("healthy");
            let none = health.is_none();
            self.outcome.health = health.map(|text| Clean::line(&text));
            if ended {
                return self.read_end().await;
            }
            if healthy || none {
                return Ok(());
            }
            if self.left().is_zero() {
                self.outcome.timed_out = true;
                return Ok(());
            }
            tokio::time::sleep(HEALTH_INTERVAL.min(self.left())).await;
        }
    }

    /// Lets Podman run the check once; `None` where there is none.
    async fn podman_health(&self) -> Option<String> {
        let path = format!("/v4.0.0/libpod/containers/{}/healthcheck", self.id);
        let answer = raw::get(self.docker, "run a health check", path)
            .await
            .ok()?;
        Some(answer.get("Status")?.as_str()?.to_owned())
    }

    async fn look(&self) -> Result<Container, EngineError> {
        let found = state::container(self.docker, self.id).await?;
        // One that has gone has ended.
        Ok(found.unwrap_or_default())
    }

    async fn has_ended(&self) -> Result<bool, EngineError> {
        Ok(!self.look().await?.state.running)
    }

    /// Reads how it ended.
    async fn read_end(&mut self) -> Result<(), EngineError> {
        let ended = exit_of(self.docker, self.id).await?;
        self.outcome.exit = ended.exit;
        self.outcome.out_of_memory = ended.out_of_memory;
        let killed = ended.exit == Some(KILLED) && !ended.out_of_memory && self.signalled.is_none();
        self.outcome.killed_untold = killed && !tells_of_memory(&self.docker.inner.info);
        self.time_by_engine(&ended);
        Ok(())
    }

    /// Takes the engine's own time from the signal to the end, where it is the shorter one: what an
    /// engine needs to say that a program has ended is not the program's.
    fn time_by_engine(&mut self, ended: &Ended) {
        if let (Some(sent), Some(seen), Some(lived)) =
            (self.signalled, self.outcome.stopped_after, ended.lived)
        {
            let before = sent.saturating_duration_since(self.up);
            self.outcome.stopped_after = Some(seen.min(lived.saturating_sub(before)));
        }
    }

    /// How many processes and threads it has, where those are as many as it may have. What the
    /// engine does not tell was not seen.
    async fn crowd(&self) -> Option<u64> {
        for _ in 0..COUNTS {
            let path = format!("/containers/{}/stats?stream=false&one-shot=true", self.id);
            let answer = raw::get(self.docker, "count the processes of a container", path)
                .await
                .ok()?;
            let count = answer.get("pids_stats")?.get("current")?.as_u64()?;
            if count >= u64::from(PROCESSES) {
                return Some(count);
            }
            // An engine may take a second for each answer but the first, and most have a handful.
            if count < u64::from(PROCESSES / 2) {
                return None;
            }
            tokio::time::sleep(BETWEEN).await;
        }
        None
    }

    /// Ends it where it still runs, and hands over what it wrote.
    pub(super) async fn finish(mut self) -> Result<RunOutcome, EngineError> {
        if self.outcome.exit.is_none() {
            if self.outcome.timed_out || self.outcome.killed {
                let counted = tokio::time::timeout(COUNTING, self.crowd()).await;
                self.outcome.crowd = counted.ok().flatten();
            }
            kill(self.docker, self.id, "SIGKILL").await?;
            let ended = tokio::time::timeout(GONE, exit_of(self.docker, self.id)).await;
            let ended = ended.map_err(|_elapsed| EngineError::Silent {
                what: "stop a container",
                within: GONE,
            })??;
            self.outcome.out_of_memory = ended.out_of_memory;
            // It had ended by itself before it was killed.
            if self.outcome.killed
                && ended.exit != Some(KILLED)
                && let (Some(sent), Some(lived)) = (self.signalled, ended.lived)
            {
                self.outcome.killed = false;
                self.outcome.exit = ended.exit;
                // Nobody here saw the end: the engine's time is the only one.
                let before = sent.saturating_duration_since(self.up);
                self.outcome.stopped_after = Some(lived.saturating_sub(before));
            }
        }
        let output = self.attached.ended().await;
        (self.outcome.stdout, self.outcome.stderr) = output.into_streams();
        Ok(self.outcome)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::Builder;
    use crate::engine::Store;

    #[test]
    fn a_health_check_is_the_image_s_test_from_the_start_at_an_interval_of_ours() {
        let check = healthcheck(EngineName::Docker, &Probe::Health).unwrap();
        assert_eq!(check.test, Some(Vec::new()));
        assert_eq!(check.interval, Some(300_000_000));
        // Nothing would be the image's own.
        assert_eq!(check.start_period, Some(1_000_000));
        assert_eq!(healthcheck(EngineName::Docker, &Probe::Exit), None);
        assert_eq!(healthcheck(EngineName::Podman, &Probe::Health), None);
    }

    #[test]
    fn only_an_old_podman_does_not_tell_of_memory() {
        let info = |name, version: &str| EngineInfo {
            name,
            version: version.to_owned(),
            store: Store::Graphdriver,
            builder: Builder::Buildah,
            architecture: String::new(),
            address: String::new(),
            found_by: String::new(),
            rootless: false,
        };
        assert!(!tells_of_memory(&info(EngineName::Podman, "4.3.1")));
        assert!(tells_of_memory(&info(EngineName::Podman, "5.4.2")));
        assert!(tells_of_memory(&info(EngineName::Docker, "20.10.24+dfsg1")));
    }
}
