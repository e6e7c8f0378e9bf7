//! Builds.

use bollard::models::BuildInfoAux;
use bollard::query_parameters::BuildImageOptions;
use bollard::query_parameters::BuildImageOptionsBuilder;
use bollard::query_parameters::BuilderVersion;
use futures_util::StreamExt;
use futures_util::TryStreamExt;
use tokio::sync::mpsc;
use tokio_util::io::ReaderStream;
use tokio_util::sync::CancellationToken;

use super::Docker;
use crate::engine::BuildError;
use crate::engine::BuildEvent;
use crate::engine::BuildRequest;
use crate::engine::Builder;
use crate::engine::Built;
use crate::engine::EngineError;
use crate::engine::LABEL;
use crate::engine::MADE_BY_LABEL;
use crate::text::Clean;

/// Builds an image.
pub(super) async fn build(
    docker: &Docker,
    request: BuildRequest,
    _events: mpsc::Sender<BuildEvent>,
    cancel: CancellationToken,
) -> Result<Built, BuildError> {
    let _one_at_a_time = docker.inner.building.lock().await;
    let file = tokio::fs::File::open(&request.context)
        .await
        .map_err(|error| {
            BuildError::Engine(EngineError::Refused {
                what: "read the build context",
                detail: Clean::line(&error.to_string()),
            })
        })?;
    let body = bollard::body_try_stream(ReaderStream::new(file));
    let options = options(docker, &request);
    let mut answers = docker
        .inner
        .slow
        .build_image(options, None, Some(body))
        .boxed();
    let mut image = None;
    loop {
        let answer = tokio::select! {
            biased;
            () = cancel.cancelled() => return Err(BuildError::Cancelled),
            answer = answers.try_next() => answer,
        };
        match answer {
            Ok(Some(info)) => {
                if let Some(BuildInfoAux::Default(id)) = info.aux {
                    image = id.id.or(image);
                }
            }
            Ok(None) => break,
            Err(error) => return Err(BuildError::Engine(docker.fault("build", &error))),
        }
    }
    Ok(Built {
        image: image.unwrap_or_else(|| request.tag.clone()),
        builder: docker.inner.info.builder,
    })
}

/// The request in the library's terms.
fn options(docker: &Docker, request: &BuildRequest) -> BuildImageOptions {
    let mut labels: std::collections::HashMap<String, String> =
        request.labels.clone().into_iter().collect();
    labels.insert(LABEL.to_owned(), request.owner.clone());
    labels.insert(MADE_BY_LABEL.to_owned(), docker.inner.maker.to_label());
    let arguments: std::collections::HashMap<String, String> =
        request.build_args.clone().into_iter().collect();
    let mut options = BuildImageOptionsBuilder::default()
        .dockerfile(&request.dockerfile_path)
        .t(&request.tag)
        .labels(&labels)
        .buildargs(&arguments)
        .nocache(request.no_cache)
        .rm(true)
        .forcerm(true);
    if !request.network {
        options = options.networkmode("none");
    }
    if let Some(target) = &request.target {
        options = options.target(target);
    }
    if docker.inner.info.builder == Builder::Buildkit {
        options = options
            .version(BuilderVersion::BuilderBuildKit)
            .session(&docker.inner.session);
    }
    options.build()
}
