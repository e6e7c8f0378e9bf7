#![expect(
    clippy::disallowed_methods,
    reason = "the edge to the engine: tasks that outlive a call"
)]
//! Images: what the engine knows of them, lists, archives, references, pulls.

use std::collections::HashMap;
use std::io;
use std::time::Duration;

use bollard::errors::Error;
use bollard::models::HealthConfig;
use bollard::models::ImageSummary;
use bollard::query_parameters::CreateImageOptionsBuilder;
use bollard::query_parameters::ImportImageOptionsBuilder;
use bollard::query_parameters::ListImagesOptions;
use bollard::query_parameters::ListImagesOptionsBuilder;
use bollard::query_parameters::RemoveImageOptionsBuilder;
use bollard::query_parameters::TagImageOptionsBuilder;
use futures_util::Stream;
use futures_util::StreamExt;
use futures_util::TryStreamExt;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use super::Docker;
use super::fault;
use super::name;
use super::races::asked_again;
use super::raw;
use super::replaced::is_replaced;
use super::summary;
use crate::dockerfile::ImageName;
use crate::engine::ByteStream;
use crate::engine::EngineError;
use crate::engine::EngineName;
use crate::engine::ImageEntry;
use crate::engine::PullProgress;
use crate::engine::Store;
use crate::engine::address::Address;
use crate::image::Healthcheck;
use crate::image::Summary;
use crate::text::Clean;
use crate::units::Bytes;

/// Chunks of an export that wait for their reader.
pub(super) const EXPORT_AHEAD: usize = 64;

/// Names that an engine is asked for at once.
const AT_ONCE: usize = 8;

/// How often, and how far apart, the removal of an image is tried that a build works on.
const IN_USE: usize = 10;
const IN_USE_PAUSE: Duration = Duration::from_millis(500);

/// What the engine knows of `image`.
pub(super) async fn inspect(docker: &Docker, image: &str) -> Result<Option<Summary>, EngineError> {
    asked_again(docker, || inspect_once(docker, image)).await
}

/// Why the engine does not do `what` with `image`: for the name, or for itself.
fn refused(docker: &Docker, what: &'static str, image: &str, error: &Error) -> EngineError {
    name::fault(image, error).unwrap_or_else(|| docker.fault(what, error))
}

async fn inspect_once(docker: &Docker, image: &str) -> Result<Option<Summary>, EngineError> {
    let client = &docker.inner.client;
    let (found, history) = tokio::join!(client.inspect_image(image), client.image_history(image));
    let found = match found {
        Ok(found) => found,
        Err(error) if fault::is_missing(&error) => return Ok(None),
        Err(error) => return Err(refused(docker, "inspect an image", image, &error)),
    };
    let history = history.map_err(|error| docker.fault("read an image's history", &error))?;
    let info = &docker.inner.info;
    let sizes_agree = info.name == EngineName::Docker && info.store == Store::Graphdriver;
    let mut summary = summary::summary(found, history, sizes_agree);
    if info.name == EngineName::Podman && summary.config.healthcheck.is_none() {
        summary.config.healthcheck = podman_healthcheck(docker, image).await;
    }
    Ok(Some(summary))
}

/// The health check, which Podman leaves out where it answers as Docker does.
async fn podman_healthcheck(docker: &Docker, image: &str) -> Option<Healthcheck> {
    let path = format!("/v4.0.0/libpod/images/{image}/json");
    let answer = raw::get(docker, "inspect an image", path).await.ok()?;
    let check = answer
        .get("Healthcheck")
        .or_else(|| answer.get("HealthCheck"))?;
    let check: HealthConfig = serde_json::from_value(check.clone()).ok()?;
    summary::healthcheck(check)
}

/// The images with these names, each asked for by itself, side by side.
///
/// Where the engine does not say plainly whether it has one, all that it lists are the answer: it
/// refuses names that its list knows (of an image whose layers are gone, say), and Podman takes a
/// name for a part of another one, or for an image of a list of them.
pub(super) async fn named(
    docker: &Docker,
    names: &[String],
) -> Result<Vec<ImageEntry>, EngineError> {
    // Whatever is no name is nobody's.
    let names = names.iter().filter_map(|name| ImageName::parse(name).ok());
    let names: Vec<String> = names.map(|name| name.canonical()).collect();
    let answers = names.into_iter().map(|name| async move {
        let found = asked_again(docker, || with_name(docker, &name)).await;
        (name, found)
    });
    let at_once = match docker.inner.address {
        // Each would open a connection of its own.
        Address::Ssh { .. } => 1,
        Address::Unix(_) | Address::Tcp(_) | Address::Tls { .. } => AT_ONCE,
    };
    let mut answers = futures_util::stream::iter(answers).buffer_unordered(at_once);
    let mut entries = Vec::new();
    while let Some((name, found)) = answers.next().await {
        match found {
            Ok(None) => {}
            Ok(Some(entry)) if entry.tags.iter().any(|tag| means(tag, &name)) => {
                entries.push(entry);
            }
            Ok(Some(_)) | Err(EngineError::Refused { .. }) => return list(docker, None).await,
            Err(error) => return Err(error),
        }
    }
    Ok(entries)
}

/// The image with a name, which is written out: one without its registry is another one to Podman.
pub(super) async fn with_name(
    docker: &Docker,
    name: &str,
) -> Result<Option<ImageEntry>, EngineError> {
    let found = match docker.inner.client.inspect_image(name).await {
        Ok(found) => found,
        Err(error) if fault::is_missing(&error) => return Ok(None),
        Err(error) => return Err(docker.fault("inspect an image", &error)),
    };
    let labels = found.config.and_then(|config| config.labels);
    Ok(Some(ImageEntry {
        id: found.id.unwrap_or_default(),
        tags: tags(found.repo_tags.unwrap_or_default()),
        labels: labels.into_iter().flatten().collect(),
        size: summary::bytes(found.size.unwrap_or_default()),
    }))
}

/// Whether a tag of the engine is `name`.
fn means(tag: &str, name: &str) -> bool {
    ImageName::parse(tag).is_ok_and(|tag| tag.canonical() == name)
}

/// The references among what an engine calls the tags of an image, without those that are only there
/// while it is replaced.
fn tags(told: Vec<String>) -> Vec<String> {
    told.into_iter()
        .filter(|tag| !tag.contains("<none>") && !is_replaced(tag))
        .collect()
}

/// The images with `label`.
pub(super) async fn list(
    docker: &Docker,
    label: Option<&str>,
) -> Result<Vec<ImageEntry>, EngineError> {
    let mut options = ListImagesOptionsBuilder::default();
    if let Some(label) = label {
        options = options.filters(&HashMap::from([("label", vec![label])]));
    }
    let images = summaries(docker, options.build()).await?;
    Ok(images
        .into_iter()
        .map(|image| ImageEntry {
            id: image.id,
            tags: tags(image.repo_tags),
            labels: image.labels.into_iter().collect(),
            size: summary::bytes(image.size),
        })
        .collect())
}

/// What the engine lists by `options`.
pub(super) async fn summaries(
    docker: &Docker,
    options: ListImagesOptions,
) -> Result<Vec<ImageSummary>, EngineError> {
    asked_again(docker, || async {
        let listed = docker.inner.client.list_images(Some(options.clone()));
        listed
            .await
            .map_err(|error| docker.fault("list images", &error))
    })
    .await
}

/// Loads an archive of images.
pub(super) async fn load(docker: &Docker, archive: ByteStream) -> Result<(), EngineError> {
    let options = ImportImageOptionsBuilder::default().quiet(true).build();
    let mut answers = std::pin::pin!(
        docker
            .inner
            .slow
            .import_image_stream(options, archive, None)
    );
    while let Some(answer) = answers.next().await {
        answer.map_err(|error| docker.fault("load an image", &error))?;
    }
    Ok(())
}

/// The image as an archive. A task reads it from the engine and ends when its reader goes.
pub(super) async fn export(docker: &Docker, image: &str) -> Result<ByteStream, EngineError> {
    let client = docker.inner.slow.clone();
    let name = image.to_owned();
    let (send, mut receive) = mpsc::channel(EXPORT_AHEAD);
    tokio::spawn(async move { hand_on(client.export_image(&name), send).await });
    // A refusal is the first thing that comes, and an error of this call rather than of a read.
    let first = match receive.recv().await {
        Some(Ok(chunk)) => Some(chunk),
        Some(Err(error)) if fault::is_missing(&error) => {
            return Err(EngineError::NoSuchImage(image.to_owned()));
        }
        Some(Err(error)) => return Err(refused(docker, "export an image", image, &error)),
        None => None,
    };
    Ok(futures_util::stream::iter(first.map(Ok))
        .chain(handed_on(receive))
        .boxed())
}

/// Hands an archive's chunks on until one fails, the last one came, or their reader goes.
pub(super) async fn hand_on(
    chunks: impl Stream<Item = Result<bytes::Bytes, Error>>,
    send: mpsc::Sender<Result<bytes::Bytes, Error>>,
) {
    let mut chunks = std::pin::pin!(chunks);
    loop {
        let chunk = tokio::select! {
            () = send.closed() => return,
            chunk = chunks.next() => chunk,
        };
        let Some(chunk) = chunk else {
            return;
        };
        let failed = chunk.is_err();
        if send.send(chunk).await.is_err() || failed {
            return;
        }
    }
}

/// The chunks that [`hand_on`] sends.
pub(super) fn handed_on(receive: mpsc::Receiver<Result<bytes::Bytes, Error>>) -> ByteStream {
    let chunks = futures_util::stream::unfold(receive, |mut receive| async move {
        let chunk = receive.recv().await?;
        Some((chunk.map_err(io::Error::other), receive))
    });
    chunks.boxed()
}

/// Gives `image` one more reference.
pub(super) async fn tag(docker: &Docker, image: &str, reference: &str) -> Result<(), EngineError> {
    let (repo, tag) = split_tag(reference);
    let options = TagImageOptionsBuilder::default()
        .repo(repo)
        .tag(tag)
        .build();
    let tagged = docker.inner.client.tag_image(image, Some(options)).await;
    tagged.map_err(|error| {
        if fault::is_missing(&error) {
            EngineError::NoSuchImage(image.to_owned())
        } else {
            docker.fault("tag an image", &error)
        }
    })
}

/// Removes a reference; one that is not there is as good as removed.
pub(super) async fn remove(docker: &Docker, reference: &str) -> Result<(), EngineError> {
    let client = &docker.inner.client;
    let mut tries_left = IN_USE;
    loop {
        let options = RemoveImageOptionsBuilder::default().build();
        match client.remove_image(reference, Some(options), None).await {
            Ok(_) => return Ok(()),
            Err(error) if fault::is_missing(&error) => return Ok(()),
            Err(error) if tries_left > 0 && is_built_on(&error) => {
                tries_left -= 1;
                tokio::time::sleep(IN_USE_PAUSE).await;
            }
            Err(error) => return Err(docker.fault("remove an image", &error)),
        }
    }
}

/// Whether Podman keeps an image because a build works on it, which is soon over.
fn is_built_on(error: &Error) -> bool {
    matches!(error, Error::DockerResponseServerError { message, .. } if message.contains("external containers"))
}

/// Pulls an image; dropping the answer stream stops it.
pub(super) async fn pull(
    docker: &Docker,
    reference: &str,
    progress: mpsc::Sender<PullProgress>,
    cancel: CancellationToken,
) -> Result<(), EngineError> {
    let (repo, tag) = split_tag(reference);
    let options = CreateImageOptionsBuilder::default()
        .from_image(repo)
        .tag(tag)
        .build();
    let failed = |error: &Error| match docker.fault("pull an image", error) {
        EngineError::Refused { detail, .. } => EngineError::Registry {
            registry: registry_of(reference).to_owned(),
            detail,
        },
        EngineError::Silent { within, .. } => EngineError::Registry {
            registry: registry_of(reference).to_owned(),
            detail: Clean::line(&format!(
                "no answer within {}",
                crate::units::show_duration(within)
            )),
        },
        other => other,
    };
    let mut answers = std::pin::pin!(docker.inner.client.create_image(Some(options), None, None));
    let mut layers: HashMap<String, (u64, u64)> = HashMap::new();
    loop {
        let answer = tokio::select! {
            biased;
            () = cancel.cancelled() => return Err(EngineError::Cancelled),
            answer = answers.try_next() => answer.map_err(|error| failed(&error))?,
        };
        let Some(answer) = answer else {
            return Ok(());
        };
        if let Some(message) = answer.error_detail.and_then(|detail| detail.message) {
            return Err(failed(&Error::DockerStreamError { error: message }));
        }
        // Unpacking has progress of its own over the same bytes; only their arrival counts. Any
        // answer is told on, though: it is a sign of life from the registry.
        if let (Some(id), Some(detail), Some("Downloading")) =
            (answer.id, answer.progress_detail, answer.status.as_deref())
        {
            let number = |value: Option<i64>| u64::try_from(value.unwrap_or_default()).unwrap_or(0);
            layers.insert(id, (number(detail.current), number(detail.total)));
        }
        let done = layers.values().map(|(done, _)| Bytes(*done)).sum();
        let total = layers.values().map(|(_, total)| Bytes(*total)).sum();
        // A reader that lags misses a step, never the end.
        let _ = progress.try_send(PullProgress { done, total });
    }
}

/// Splits a reference into the repository and what follows it: a tag or a digest.
pub(super) fn split_tag(reference: &str) -> (&str, &str) {
    if let Some(parts) = reference.split_once('@') {
        return parts;
    }
    match reference.rsplit_once(':') {
        Some((repo, tag)) if !tag.contains('/') => (repo, tag),
        _ => (reference, "latest"),
    }
}

/// The registry that a reference names.
pub(super) fn registry_of(reference: &str) -> &str {
    match reference.split_once('/') {
        Some((host, _)) if host.contains(['.', ':']) || host == "localhost" => host,
        _ => "docker.io",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn references_are_split_at_the_tag_and_not_at_the_port() {
        assert_eq!(split_tag("python:3.13"), ("python", "3.13"));
        assert_eq!(split_tag("lab:5000/python"), ("lab:5000/python", "latest"));
        assert_eq!(split_tag("lab:5000/python:3"), ("lab:5000/python", "3"));
        assert_eq!(split_tag("a@sha256:00"), ("a", "sha256:00"));
    }

    #[test]
    fn the_registry_is_the_first_part_when_it_looks_like_a_host() {
        assert_eq!(registry_of("python:3.13"), "docker.io");
        assert_eq!(registry_of("library/python"), "docker.io");
        assert_eq!(registry_of("lab:5000/python"), "lab:5000");
        assert_eq!(registry_of("localhost/x"), "localhost");
    }
}
