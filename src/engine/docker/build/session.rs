#![expect(
    clippy::disallowed_methods,
    reason = "the edge to the engine: the task that answers BuildKit"
)]
//! The session that BuildKit fetches a context over, as it does from Docker's own client.
//!
//! The engine takes our connection and asks on it, so we are its gRPC server: it asks whether we are
//! there, and for the files of a folder (`filesync`).

use std::convert::Infallible;
use std::sync::Arc;

use bollard::health::HealthCheckRequest;
use bollard::health::HealthCheckResponse;
use bollard::health::health_check_response::ServingStatus;
use bytes::Bytes;
use futures_util::future::Ready;
use futures_util::future::ready;
use http_body_util::Empty;
use hyper::body::Incoming;
use hyper::server::conn::http2;
use hyper::service::service_fn;
use hyper_util::rt::TokioExecutor;
use tokio::task::AbortHandle;
use tonic::Request;
use tonic::Response;
use tonic::Status;
use tonic::body::Body;
use tonic::server::Grpc;
use tonic::server::UnaryService;
use tonic_prost::ProstCodec;

use super::filesync::DiffCopy;
use super::filesync::Folders;
use crate::engine::EngineError;
use crate::engine::address::Address;
use crate::engine::docker::wire;
use crate::text::Clean;

/// How BuildKit asks whether we are there: a session that does not answer is given up.
const HEALTH: &str = "/grpc.health.v1.Health/Check";
/// How it asks for the files of a folder.
const DIFF_COPY: &str = "/moby.filesync.v1.FileSync/DiffCopy";

/// Bytes of a question: it names what each instruction takes.
const LONGEST_QUESTION: u32 = 16 * 1024 * 1024;

/// Bytes that the engine may send before we have read them. It asks for each file in a few bytes, and
/// of those the library takes half a window's worth at 256 each for an attack: far above what the
/// largest context has files.
const WINDOW: u32 = 16 * 1024 * 1024;

/// A session. It ends with the value.
#[derive(Debug)]
pub(super) struct Session {
    id: String,
    serving: AbortHandle,
}

impl Drop for Session {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

impl Session {
    /// Offers `folders` to the engine. What an earlier session with the same `key` brought is there
    /// still, and only what differs is fetched.
    ///
    /// # Errors
    /// Where the engine takes no session.
    pub(super) async fn open(
        address: &Address,
        key: &str,
        folders: Folders,
    ) -> Result<Self, EngineError> {
        let id = format!("loadline-{:032x}", rand::random::<u128>());
        let request = http::Request::post("/session")
            .header("Host", "docker")
            .header("Connection", "Upgrade")
            .header("Upgrade", "h2c")
            .header("X-Docker-Expose-Session-Uuid", &id)
            .header("X-Docker-Expose-Session-Name", "loadline")
            .header("X-Docker-Expose-Session-Sharedkey", key)
            .header("X-Docker-Expose-Session-Grpc-Method", HEALTH)
            .header("X-Docker-Expose-Session-Grpc-Method", DIFF_COPY)
            .body(Empty::<Bytes>::new())
            .map_err(|error| unopened(error.into()))?;
        let connection = wire::upgraded(address, request).await.map_err(unopened)?;
        let folders = Arc::new(folders);
        let answers = service_fn(move |request| answer(Arc::clone(&folders), request));
        let serving = tokio::spawn(async move {
            let mut server = http2::Builder::new(TokioExecutor::new());
            server
                .max_header_list_size(LONGEST_QUESTION)
                .initial_connection_window_size(WINDOW)
                .initial_stream_window_size(WINDOW);
            if let Err(error) = server.serve_connection(connection, answers).await {
                tracing::debug!(%error, "a session with the engine ended");
            }
        });
        Ok(Self {
            id,
            serving: serving.abort_handle(),
        })
    }

    /// Whether it has ended, with the engine or on the way to it.
    pub(super) fn is_over(&self) -> bool {
        self.serving.is_finished()
    }

    /// What the engine calls it.
    pub(super) fn id(&self) -> &str {
        &self.id
    }
}

/// Why there is no session, and what helps where the engine, or what stands before it, has none.
fn unopened(fault: wire::Fault) -> EngineError {
    match fault {
        wire::Fault::Lost(detail) => EngineError::Gone { detail },
        wire::Fault::Refused(status) => EngineError::Refused {
            what: "build with BuildKit",
            detail: Clean::line(&format!(
                "the engine takes no session (HTTP {}); `DOCKER_BUILDKIT=0` builds without one",
                status.as_u16()
            )),
        },
    }
}

/// Answers one question of the engine's.
async fn answer(
    folders: Arc<Folders>,
    request: http::Request<Incoming>,
) -> Result<http::Response<Body>, Infallible> {
    Ok(match request.uri().path() {
        HEALTH => Grpc::new(ProstCodec::default()).unary(Here, request).await,
        DIFF_COPY => {
            let mut server = Grpc::new(ProstCodec::default());
            server.streaming(DiffCopy(folders), request).await
        }
        other => Status::unimplemented(format!("no {other} here")).into_http(),
    })
}

/// Says that we are there.
struct Here;

impl UnaryService<HealthCheckRequest> for Here {
    type Response = HealthCheckResponse;
    type Future = Ready<Result<Response<HealthCheckResponse>, Status>>;

    fn call(&mut self, _: Request<HealthCheckRequest>) -> Self::Future {
        let status = ServingStatus::Serving.into();
        ready(Ok(Response::new(HealthCheckResponse { status })))
    }
}
