#![expect(
    clippy::disallowed_methods,
    reason = "the edge to the engine: the task that takes its archive"
)]
//! Which paths exist in an image, asked of a container that is made and never started.

mod listing;

use std::collections::BTreeMap;
use std::io;

use bollard::models::ContainerCreateBody;
use bollard::query_parameters::ContainerArchiveInfoOptionsBuilder;
use bollard::query_parameters::DownloadFromContainerOptionsBuilder;
use futures_util::StreamExt;
use listing::Listing;
use tokio::sync::mpsc;
use tokio_util::io::StreamReader;
use tokio_util::io::SyncIoBridge;

use super::Docker;
use super::containers::Guard;
use super::fault;
use super::images;
use crate::engine::EngineError;
use crate::text::Clean;

/// How many paths are asked for one by one: each takes an engine some milliseconds, and the list of
/// all that a container has takes it seconds.
const EACH: usize = 64;
/// Links followed in one path before it counts as a circle, as the kernel has it.
const LINKS: usize = 40;
/// Go's bit for a symbolic link in a file's mode.
const SYMLINK: u32 = 1 << 27;

/// Whether each path exists, links followed.
pub(super) async fn paths(
    docker: &Docker,
    image: &str,
    paths: &[String],
) -> Result<BTreeMap<String, bool>, EngineError> {
    if paths.is_empty() {
        return Ok(BTreeMap::new());
    }
    let body = ContainerCreateBody {
        image: Some(image.to_owned()),
        // An image may have no command, and none is ever run here.
        cmd: Some(vec!["/never-started".to_owned()]),
        // The image's own is made where it is not there.
        working_dir: Some("/".to_owned()),
        ..ContainerCreateBody::default()
    };
    let guard = Guard::create(docker, body, "paths").await?;
    let found = if paths.len() > EACH || paths.iter().any(|path| is_written_out(path)) {
        listed(docker, guard.id(), paths).await
    } else {
        one_by_one(docker, guard.id(), paths).await
    };
    guard.remove().await;
    found
}

/// Whether a path may be one that [`path_text`](crate::text::path_text) wrote out: the engine knows
/// it by other bytes, and only the list of all has it as it is asked for.
fn is_written_out(path: &str) -> bool {
    path.contains("\\x")
}

async fn one_by_one(
    docker: &Docker,
    container: &str,
    paths: &[String],
) -> Result<BTreeMap<String, bool>, EngineError> {
    let mut found = BTreeMap::new();
    for path in paths {
        let exists = exists(docker, container, path).await?;
        found.insert(path.clone(), exists);
    }
    Ok(found)
}

/// Looks all of them up in the archive of the container's files.
async fn listed(
    docker: &Docker,
    container: &str,
    paths: &[String],
) -> Result<BTreeMap<String, bool>, EngineError> {
    let client = docker.inner.slow.clone();
    let id = container.to_owned();
    let (send, receive) = mpsc::channel(images::EXPORT_AHEAD);
    tokio::spawn(async move { images::hand_on(client.export_container(&id), send).await });
    let paths = paths.to_vec();
    let archive = SyncIoBridge::new(StreamReader::new(images::handed_on(receive)));
    let reading = tokio::task::spawn_blocking(move || {
        let listing = Listing::read(archive)?;
        let look = |path: String| {
            let exists = listing.exists(&path);
            (path, exists)
        };
        Ok(paths.into_iter().map(look).collect())
    });
    let read = reading.await.map_err(io::Error::other);
    read.flatten()
        .map_err(|error: io::Error| EngineError::Refused {
            what: "list the files of a container",
            detail: Clean::line(&error.to_string()),
        })
}

/// Whether one path exists in the container.
async fn exists(docker: &Docker, container: &str, path: &str) -> Result<bool, EngineError> {
    let mut path = format!("/{}", path.trim_start_matches('/'));
    for _ in 0..LINKS {
        let options = ContainerArchiveInfoOptionsBuilder::default()
            .path(&path)
            .build();
        let client = &docker.inner.client;
        let stat = match client
            .get_container_archive_info(container, Some(options))
            .await
        {
            Ok(stat) => stat,
            Err(error) if fault::is_missing(&error) => return Ok(false),
            Err(error) => return why(docker, container, &path, &error).await,
        };
        if stat.file_mode & SYMLINK == 0 || stat.link_target.is_empty() {
            return Ok(true);
        }
        if stat.link_target == path {
            return Ok(false);
        }
        path = against(&path, &stat.link_target);
    }
    Ok(false)
}

/// The answer to HEAD has no words; the same question by GET says what went wrong. Links that go in
/// a circle lead nowhere.
async fn why(
    docker: &Docker,
    container: &str,
    path: &str,
    error: &bollard::errors::Error,
) -> Result<bool, EngineError> {
    let options = DownloadFromContainerOptionsBuilder::default()
        .path(path)
        .build();
    let client = &docker.inner.client;
    let mut chunks = std::pin::pin!(client.download_from_container(container, Some(options)));
    match chunks.next().await {
        Some(Err(error)) if fault::is_missing(&error) => Ok(false),
        Some(Err(error)) if error.to_string().contains("too many") => Ok(false),
        Some(Err(error)) => Err(docker.fault("look for a path", &error)),
        Some(Ok(_)) | None => Err(docker.fault("look for a path", error)),
    }
}

/// A link's target as a path from the root: some engines resolve it, some give it as written.
pub(super) fn against(link: &str, target: &str) -> String {
    if target.starts_with('/') {
        return target.to_owned();
    }
    let folder = link.rsplit_once('/').map_or("", |(folder, _)| folder);
    format!("{folder}/{target}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn relative_targets_start_at_the_links_folder() {
        assert_eq!(against("/bin/sh", "dash"), "/bin/dash");
        assert_eq!(against("/bin", "usr/bin"), "/usr/bin");
        assert_eq!(against("/bin/sh", "/usr/bin/dash"), "/usr/bin/dash");
    }
}
