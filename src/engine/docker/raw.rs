//! Questions that the client library has no call for.

use bollard::BollardRequest;
use bytes::Bytes;
use futures_util::StreamExt;
use http::Uri;
use http::uri::PathAndQuery;

use super::Docker;
use crate::engine::EngineError;
use crate::text::Clean;

/// The longest answer that is read.
const LIMIT: usize = 32 * 1024 * 1024;

/// Asks the engine for `path` and reads the answer as JSON, whatever the transport.
pub(super) async fn json(
    docker: &Docker,
    what: &'static str,
    path: &'static str,
) -> Result<serde_json::Value, EngineError> {
    get(docker, what, path.to_owned()).await
}

/// Likewise for a path that is put together.
pub(super) async fn get(
    docker: &Docker,
    what: &'static str,
    path: String,
) -> Result<serde_json::Value, EngineError> {
    match find(docker, what, path).await? {
        Some(answer) => Ok(answer),
        None => Err(EngineError::Refused {
            what,
            detail: Clean::line("the engine knows nothing of it"),
        }),
    }
}

/// Likewise; `None` where the engine says that there is no such thing.
pub(super) async fn find(
    docker: &Docker,
    what: &'static str,
    path: String,
) -> Result<Option<serde_json::Value>, EngineError> {
    // The library lets requests be changed: one that answers with plain bytes is sent elsewhere.
    let client = docker
        .inner
        .client
        .clone()
        .with_request_modifier(move |mut request| {
            if let Some(uri) = elsewhere(request.uri(), &path) {
                *request.uri_mut() = uri;
            }
            request
        });
    let mut chunks = std::pin::pin!(client.export_container("any"));
    let mut answer = Vec::new();
    while let Some(chunk) = chunks.next().await {
        let chunk: Bytes = match chunk {
            Ok(chunk) => chunk,
            Err(error) if super::fault::is_missing(&error) => return Ok(None),
            Err(error) => return Err(docker.fault(what, &error)),
        };
        answer.extend_from_slice(&chunk);
        if answer.len() > LIMIT {
            return Err(EngineError::Refused {
                what,
                detail: Clean::line("the answer is too long"),
            });
        }
    }
    match serde_json::from_slice(&answer) {
        Ok(answer) => Ok(Some(answer)),
        Err(error) => Err(EngineError::Refused {
            what,
            detail: Clean::line(&error.to_string()),
        }),
    }
}

/// The same host with another path.
fn elsewhere(uri: &Uri, path: &str) -> Option<Uri> {
    let mut parts = uri.clone().into_parts();
    parts.path_and_query = Some(path.parse::<PathAndQuery>().ok()?);
    Uri::from_parts(parts).ok()
}

/// Asks BuildKit for the build of a request, rather than the classic builder.
pub(super) fn for_buildkit(mut request: BollardRequest) -> BollardRequest {
    let path = request.uri().path_and_query().map(PathAndQuery::as_str);
    let path = path.unwrap_or_default().replace("version=1", "version=2");
    if let Some(uri) = elsewhere(request.uri(), &path) {
        *request.uri_mut() = uri;
    }
    request
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_path_is_changed() {
        let uri: Uri = "unix://2f76:0/containers/any/export".parse().unwrap();
        let changed = elsewhere(&uri, "/libpod/x?all=true").unwrap();
        assert_eq!(changed.host(), Some("2f76"));
        assert_eq!(changed.path(), "/libpod/x");
        assert_eq!(changed.query(), Some("all=true"));
    }
}
