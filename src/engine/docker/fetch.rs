//! One file out of a container, running or not.

use bollard::query_parameters::DownloadFromContainerOptionsBuilder;
use futures_util::StreamExt;

use super::Docker;
use super::fault;
use super::paths::against;
use crate::engine::EngineError;
use crate::text::Clean;
use crate::units::Bytes;

/// Links followed on the way to one file, as the kernel has it.
const LINKS: usize = 40;
/// What the archive adds to its one file, long names included.
const FRAME: u64 = 64 * 1024;

/// What the archive holds.
enum Found {
    File(Vec<u8>),
    Link(String),
    Other,
}

/// The content of a regular file, links followed; `None` where there is none.
///
/// # Errors
/// When the engine fails, or the file is larger than `most`.
pub(super) async fn file(
    docker: &Docker,
    container: &str,
    path: &str,
    most: Bytes,
) -> Result<Option<Vec<u8>>, EngineError> {
    let mut path = path.to_owned();
    for _ in 0..LINKS {
        let Some(archive) = archive(docker, container, &path, most).await? else {
            return Ok(None);
        };
        match unpack(&archive).map_err(|error| refused(&error.to_string()))? {
            Found::File(bytes) => return Ok(Some(bytes)),
            Found::Link(target) => path = against(&path, &target),
            Found::Other => return Ok(None),
        }
    }
    Ok(None)
}

fn refused(detail: &str) -> EngineError {
    EngineError::Refused {
        what: "read a file of a container",
        detail: Clean::line(detail),
    }
}

/// The archive that the engine makes of one path.
async fn archive(
    docker: &Docker,
    container: &str,
    path: &str,
    most: Bytes,
) -> Result<Option<Vec<u8>>, EngineError> {
    let options = DownloadFromContainerOptionsBuilder::default()
        .path(path)
        .build();
    let client = &docker.inner.client;
    let mut chunks = std::pin::pin!(client.download_from_container(container, Some(options)));
    let mut bytes = Vec::new();
    while let Some(chunk) = chunks.next().await {
        match chunk {
            Ok(chunk) => bytes.extend_from_slice(&chunk),
            Err(error) if fault::is_missing(&error) => return Ok(None),
            Err(error) => return Err(docker.fault("read a file of a container", &error)),
        }
        if u64::try_from(bytes.len()).unwrap_or(u64::MAX) > most.0.saturating_add(FRAME) {
            return Err(refused(&format!("`{path}` is larger than {most}")));
        }
    }
    Ok(Some(bytes))
}

/// The first entry of an archive.
fn unpack(archive: &[u8]) -> std::io::Result<Found> {
    let mut archive = tar::Archive::new(archive);
    let Some(entry) = archive.entries()?.next() else {
        return Ok(Found::Other);
    };
    let mut entry = entry?;
    let kind = entry.header().entry_type();
    if kind.is_symlink() {
        let target = entry.link_name_bytes().unwrap_or_default();
        return Ok(Found::Link(String::from_utf8_lossy(&target).into_owned()));
    }
    if !kind.is_file() {
        return Ok(Found::Other);
    }
    let mut bytes = Vec::new();
    std::io::Read::read_to_end(&mut entry, &mut bytes)?;
    Ok(Found::File(bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tar(kind: tar::EntryType, content: &[u8]) -> Vec<u8> {
        let mut builder = tar::Builder::new(Vec::new());
        let mut header = tar::Header::new_gnu();
        header.set_entry_type(kind);
        header.set_size(content.len() as u64);
        if kind.is_symlink() {
            header.set_size(0);
            builder
                .append_link(&mut header, "x", String::from_utf8_lossy(content).as_ref())
                .unwrap();
        } else {
            builder.append_data(&mut header, "x", content).unwrap();
        }
        builder.into_inner().unwrap()
    }

    #[test]
    fn a_file_a_link_and_what_is_neither_are_told_apart() {
        let file = unpack(&tar(tar::EntryType::Regular, b"text")).unwrap();
        assert!(matches!(file, Found::File(bytes) if bytes == b"text"));
        let link = unpack(&tar(tar::EntryType::Symlink, b"../y")).unwrap();
        assert!(matches!(link, Found::Link(target) if target == "../y"));
        let folder = unpack(&tar(tar::EntryType::Directory, b"")).unwrap();
        assert!(matches!(folder, Found::Other));
        assert!(matches!(unpack(b"").unwrap(), Found::Other));
    }
}
