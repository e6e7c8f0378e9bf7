//! Which paths exist in an image, asked of a container that is made and never started.

use std::collections::BTreeMap;

use bollard::models::ContainerCreateBody;
use bollard::query_parameters::ContainerArchiveInfoOptionsBuilder;
use bollard::query_parameters::DownloadFromContainerOptionsBuilder;
use futures_util::StreamExt;

use super::Docker;
use super::containers::Guard;
use super::fault;
use crate::engine::EngineError;

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
        ..ContainerCreateBody::default()
    };
    let guard = Guard::create(docker, body, "paths").await?;
    let mut found = BTreeMap::new();
    for path in paths {
        let answer = exists(docker, guard.id(), path).await;
        match answer {
            Ok(exists) => {
                found.insert(path.clone(), exists);
            }
            Err(error) => {
                guard.remove().await;
                return Err(error);
            }
        }
    }
    guard.remove().await;
    Ok(found)
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
