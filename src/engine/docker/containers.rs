#![expect(
    clippy::disallowed_methods,
    reason = "the edge to the engine: clocks, and the task that removes a container"
)]
//! Containers of ours: made with labels, removed whatever happens, and swept up after a crash.

use std::collections::HashMap;
use std::time::Duration;
use std::time::SystemTime;

use bollard::models::ContainerCreateBody;
use bollard::query_parameters::RemoveContainerOptionsBuilder;
use bollard::query_parameters::RemoveImageOptionsBuilder;

use super::Docker;
use super::fault;
use super::owner::Alive;
use super::owner::Maker;
use super::replaced::is_replaced;
use super::replaced::names_left;
use super::state::Listed;
use crate::engine::EngineError;
use crate::engine::HOME_LABEL;
use crate::engine::LABEL;
use crate::engine::Leftover;
use crate::engine::LeftoverKind;
use crate::engine::MADE_BY_LABEL;
use crate::engine::PROCESS_LABEL;
use crate::units::Bytes;

/// How old something must be to be a leftover when its maker cannot be looked up: longer than any
/// build or run may take.
const OLD: Duration = Duration::from_secs(24 * 60 * 60);

/// How often a removal is tried: an engine under load may be busy with the container.
const REMOVALS: usize = 3;

/// A container of ours. It is removed when the guard goes, however that happens.
#[derive(Debug)]
pub(super) struct Guard {
    docker: Docker,
    id: String,
    armed: bool,
}

impl Guard {
    /// Makes a container with our labels.
    pub(super) async fn create(
        docker: &Docker,
        mut body: ContainerCreateBody,
        owner: &str,
    ) -> Result<Self, EngineError> {
        let image = body.image.clone().unwrap_or_default();
        let labels = body.labels.get_or_insert_with(HashMap::new);
        labels.insert(LABEL.to_owned(), owner.to_owned());
        labels.insert(PROCESS_LABEL.to_owned(), docker.inner.maker.to_label());
        labels.insert(HOME_LABEL.to_owned(), docker.home().to_owned());
        // The call is not abandoned half-way: a container whose id nobody read would stay.
        let client = docker.inner.client.clone();
        let created = tokio::spawn(async move { client.create_container(None, body).await });
        let mut waiting = Waiting {
            docker: docker.clone(),
            created: Some(created),
        };
        let answer = match waiting.created.as_mut() {
            Some(created) => created.await,
            None => return Err(EngineError::Cancelled),
        };
        waiting.created = None;
        let answer = answer.map_err(|_panicked| EngineError::Cancelled)?;
        match answer {
            Ok(created) => Ok(Self {
                docker: docker.clone(),
                id: created.id,
                armed: true,
            }),
            Err(error) if fault::is_missing(&error) => Err(EngineError::NoSuchImage(image)),
            Err(error) => Err(docker.fault("create a container", &error)),
        }
    }

    /// The container's id.
    pub(super) fn id(&self) -> &str {
        &self.id
    }

    /// Removes the container and waits until it is gone.
    pub(super) async fn remove(mut self) {
        // It is logged, and the next sweep tries again.
        let _ = remove(&self.docker, &self.id).await;
        self.armed = false;
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        if !self.armed {
            return;
        }
        let docker = self.docker.clone();
        let id = std::mem::take(&mut self.id);
        later(&self.docker, async move {
            let _ = remove(&docker, &id).await;
        });
    }
}

/// Goes on with a removal in the background; [`settle`] waits for it.
fn later(docker: &Docker, removal: impl Future<Output = ()> + Send + 'static) {
    let Ok(runtime) = tokio::runtime::Handle::try_current() else {
        return;
    };
    let removal = runtime.spawn(removal);
    if let Ok(mut removals) = docker.inner.removals.lock() {
        removals.retain(|removal| !removal.is_finished());
        removals.push(removal);
    }
}

/// Waits for the removals that go on in the background.
pub(super) async fn settle(docker: &Docker) {
    let removals = match docker.inner.removals.lock() {
        Ok(mut removals) => std::mem::take(&mut *removals),
        Err(_poisoned) => return,
    };
    for removal in removals {
        let _ = removal.await;
    }
}

/// A creation that is under way: where its caller goes away, what comes of it is removed.
struct Waiting {
    docker: Docker,
    created: Option<
        tokio::task::JoinHandle<
            Result<bollard::models::ContainerCreateResponse, bollard::errors::Error>,
        >,
    >,
}

impl Drop for Waiting {
    fn drop(&mut self) {
        let Some(created) = self.created.take() else {
            return;
        };
        let docker = self.docker.clone();
        later(&self.docker, async move {
            if let Ok(Ok(created)) = created.await {
                let _ = remove(&docker, &created.id).await;
            }
        });
    }
}

/// Kills and removes a container; one that is gone already is fine.
pub(super) async fn remove(docker: &Docker, id: &str) -> Result<(), EngineError> {
    let mut tries_left = REMOVALS;
    loop {
        let options = RemoveContainerOptionsBuilder::default()
            .force(true)
            .v(true)
            .build();
        match docker
            .inner
            .client
            .remove_container(id, Some(options))
            .await
        {
            Ok(()) => return Ok(()),
            Err(error) if fault::is_missing(&error) => return Ok(()),
            Err(error) => {
                tries_left = tries_left.saturating_sub(1);
                tracing::warn!(container = id, %error, "a container could not be removed");
                if tries_left == 0 {
                    return Err(docker.fault("remove a container", &error));
                }
                tokio::time::sleep(Duration::from_millis(300)).await;
            }
        }
    }
}

/// What no living process owns.
pub(super) async fn leftovers(docker: &Docker) -> Result<Vec<Leftover>, EngineError> {
    let now = SystemTime::now()
        .duration_since(SystemTime::UNIX_EPOCH)
        .unwrap_or_default();
    let containers = super::state::list(docker, PROCESS_LABEL).await?;
    let this = &docker.inner.maker;
    let mut found: Vec<Leftover> = containers
        .into_iter()
        .filter_map(|container| of_container(container, this, now))
        .collect();
    found.extend(of_images(docker, now).await?);
    Ok(found)
}

/// A container as a leftover, where it is one.
fn of_container(container: Listed, this: &Maker, now: Duration) -> Option<Leftover> {
    let labels = container.labels?;
    if !is_left(labels.get(PROCESS_LABEL)?, container.created, this, now) {
        return None;
    }
    let id = container.id;
    let name = container.names.into_iter().flatten().next().map_or_else(
        || id.clone(),
        |name| name.trim_start_matches('/').to_owned(),
    );
    Some(Leftover {
        kind: LeftoverKind::Container,
        id,
        name,
        size: Bytes(0),
        owner: labels.get(LABEL).cloned().unwrap_or_default(),
        home: labels.get(HOME_LABEL).cloned().unwrap_or_default(),
    })
}

/// Names of images whose own a newer build took.
async fn of_images(docker: &Docker, now: Duration) -> Result<Vec<Leftover>, EngineError> {
    let filters = HashMap::from([("label", vec![MADE_BY_LABEL])]);
    let options = bollard::query_parameters::ListImagesOptionsBuilder::default()
        .filters(&filters)
        .build();
    let images = super::images::summaries(docker, options).await?;
    let this = &docker.inner.maker;
    Ok(images
        .into_iter()
        .filter(|image| {
            image
                .labels
                .get(MADE_BY_LABEL)
                .is_some_and(|label| is_left(label, Some(image.created), this, now))
        })
        .flat_map(|image| {
            // Where it has another name, it stays.
            let size = match image.repo_tags.as_slice() {
                [_] => super::summary::bytes(image.size),
                _ => Bytes(0),
            };
            names_left(image.repo_tags)
                .into_iter()
                .map(move |name| Leftover {
                    kind: LeftoverKind::Image,
                    name,
                    id: image.id.clone(),
                    size,
                    owner: image.labels.get(LABEL).cloned().unwrap_or_default(),
                    home: image.labels.get(HOME_LABEL).cloned().unwrap_or_default(),
                })
        })
        .collect())
}

impl Docker {
    /// Whether the process that a [`MADE_BY_LABEL`] names lives, as far as this one can see: it
    /// may still judge what it built. One on another host or in another namespace cannot be seen.
    #[must_use]
    pub fn is_maker_alive(&self, label: &str) -> bool {
        Maker::parse(label).is_some_and(|maker| maker.alive(&self.inner.maker) == Alive::Yes)
    }
}

/// Whether another process than `this` made what carries `label`, and may still work with it.
pub(super) fn may_be_used(label: &str, this: &Maker) -> bool {
    Maker::parse(label).is_some_and(|maker| maker != *this && maker.alive(this) != Alive::No)
}

/// Whether what carries `label` was left behind. `created` is its age's start in Unix seconds.
fn is_left(label: &str, created: Option<i64>, this: &Maker, now: Duration) -> bool {
    // A label that names no process is not ours: a learner's container inherits an image's labels.
    let Some(maker) = Maker::parse(label) else {
        return false;
    };
    match maker.alive(this) {
        Alive::Yes => false,
        Alive::No => true,
        Alive::Unknown => {
            let created = Duration::from_secs(u64::try_from(created.unwrap_or(0)).unwrap_or(0));
            now.saturating_sub(created) > OLD
        }
    }
}

/// Removes a leftover after a look at its labels.
pub(super) async fn remove_leftover(
    docker: &Docker,
    leftover: &Leftover,
) -> Result<(), EngineError> {
    let client = &docker.inner.client;
    let foreign = || EngineError::Refused {
        what: "remove a leftover",
        detail: crate::text::Clean::line(&format!("`{}` is not Loadline's", leftover.name)),
    };
    match leftover.kind {
        LeftoverKind::Container => {
            let Some(found) = super::state::container(docker, &leftover.id).await? else {
                return Ok(());
            };
            let labels = found.config.labels;
            let ours = labels
                .as_ref()
                .and_then(|labels| labels.get(PROCESS_LABEL))
                .is_some_and(|label| Maker::parse(label).is_some());
            if !ours {
                return Err(foreign());
            }
            remove(docker, &leftover.id).await
        }
        LeftoverKind::Image => {
            let name = &leftover.name;
            let Some(found) = super::images::inspect(docker, name).await? else {
                return Ok(());
            };
            if !is_replaced(name) || !found.config.labels.contains_key(LABEL) {
                return Err(foreign());
            }
            // Its layers may be the cache of the image that replaced it.
            let options = RemoveImageOptionsBuilder::default().noprune(true).build();
            match client.remove_image(name, Some(options), None).await {
                Ok(_) => Ok(()),
                Err(error) if fault::is_missing(&error) => Ok(()),
                Err(error) => Err(docker.fault("remove an image", &error)),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_another_process_made_may_be_used_until_that_is_known_to_be_dead() {
        let this = Maker::this();
        assert!(!may_be_used(&this.to_label(), &this), "our own");
        assert!(!may_be_used("", &this), "made by nobody");
        let parts: Vec<String> = this.to_label().split('/').map(str::to_owned).collect();
        let with = |at: usize, part: &str| {
            let mut parts = parts.clone();
            part.clone_into(&mut parts[at]);
            parts.join("/")
        };
        // Another container of this host has another namespace of processes.
        assert!(may_be_used(&with(2, "1"), &this));
        assert!(may_be_used(&with(0, "elsewhere"), &this));
        assert!(!may_be_used(&with(4, "1"), &this), "its pid was given away");
    }

    #[test]
    fn a_living_sibling_keeps_its_containers_and_age_decides_where_nobody_can_look() {
        let this = Maker::this();
        let now = Duration::from_secs(1_000_000);
        let old = Some(1_000_000 - 90_000);
        let young = Some(1_000_000 - 60);
        assert!(!is_left(&this.to_label(), old, &this, now));
        let elsewhere = this.to_label().replacen(
            this.to_label().split('/').next().unwrap_or_default(),
            "elsewhere",
            1,
        );
        assert!(is_left(&elsewhere, old, &this, now));
        assert!(!is_left(&elsewhere, young, &this, now));
        assert!(!is_left("", old, &this, now), "an inherited label");
    }
}
