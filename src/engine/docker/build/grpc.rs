#![expect(
    clippy::disallowed_methods,
    reason = "the edge to the engine: the tasks and the thread of a build"
)]
//! BuildKit's own interface beside Docker's, for engines that cannot take a context in one request.

use std::path::Path;

use bollard::grpc::BuildRef;
use bollard::grpc::build::ImageBuildFrontendOptions;
use bollard::grpc::build::ImageBuildLoadInput;
use bollard::grpc::build::ImageBuildNetworkMode;
use bollard::grpc::driver::Build as _;
use bollard::grpc::driver::moby::Moby;
use bollard::grpc::error::GrpcError;
use bollard::moby::buildkit::v1::StatusRequest;
use bollard::moby::buildkit::v1::control_client::ControlClient;
use bytes::Bytes;
use futures_util::StreamExt;
use http_body_util::Empty;
use hyper_util::rt::TokioIo;
use tokio::sync::mpsc;
use tokio::sync::oneshot;
use tokio_util::sync::CancellationToken;
use tonic::transport::Channel;
use tonic::transport::Endpoint;

use super::Came;
use super::Fault;
use super::Stream;
use super::upload::Upload;
use crate::engine::BuildError;
use crate::engine::BuildRequest;
use crate::engine::EngineError;
use crate::engine::address::Address;
use crate::engine::docker::Docker;
use crate::engine::docker::translate::Item;
use crate::text::Clean;

/// What goes wrong on the way to BuildKit's interface.
type Unreachable = Box<dyn std::error::Error + Send + Sync>;

/// Starts a build. The receiver hears when the engine has ended it, also after it was given up.
pub(super) async fn start(
    docker: &Docker,
    request: &BuildRequest,
    upload: &Upload,
) -> Result<(Stream, Option<oneshot::Receiver<()>>), BuildError> {
    let context = upload.whole().await?;
    let reference = BuildRef::random();
    let channel = channel(docker).await.map_err(|error| {
        BuildError::Engine(EngineError::Gone {
            detail: Clean::line(&error.to_string()),
        })
    })?;
    let (send, receive) = mpsc::channel(64);
    let (said, ended) = oneshot::channel();
    // The status goes on until the engine has let go of the build, so it outlives the stream.
    let status = StatusRequest {
        r#ref: reference.as_ref().to_owned(),
    };
    let (drained, all_told) = oneshot::channel();
    tokio::spawn(follow(channel, status, send.clone(), drained, said));
    let given_up = CancellationToken::new();
    let guard = given_up.clone().drop_guard();
    let solving = Solving {
        client: docker.inner.slow.clone(),
        tag: request.tag.clone(),
        options: options(docker, request),
        context,
        reference,
    };
    // The library's future cannot move between threads, so it gets one of its own.
    std::thread::spawn(move || solving.run(&given_up, all_told, &send));
    let stream =
        futures_util::stream::unfold((receive, guard), |(mut receive, guard)| async move {
            let came = receive.recv().await?;
            Some((came, (receive, guard)))
        });
    Ok((stream.boxed(), Some(ended)))
}

/// A build as BuildKit solves it.
struct Solving {
    client: bollard::Docker,
    tag: String,
    options: ImageBuildFrontendOptions,
    context: Bytes,
    reference: BuildRef,
}

impl Solving {
    /// Solves on this thread until the end, or until the build is given up.
    fn run(
        self,
        given_up: &CancellationToken,
        all_told: oneshot::Receiver<()>,
        send: &mpsc::Sender<Result<Came, Fault>>,
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build();
        let runtime = match runtime {
            Ok(runtime) => runtime,
            Err(error) => {
                let detail = Clean::line(&error.to_string());
                let _ = send.blocking_send(Err(Fault::Lost(EngineError::Gone { detail })));
                return;
            }
        };
        runtime.block_on(async {
            let input = ImageBuildLoadInput::Upload(self.context);
            let moby = Moby::new(&self.client);
            let build =
                moby.docker_build(&self.tag, self.options, input, None, Some(self.reference));
            let solved = tokio::select! {
                biased;
                () = given_up.cancelled() => return,
                solved = Box::pin(build) => solved,
            };
            // The last lines of output come before the end.
            let _ = all_told.await;
            if let Err(error) = solved {
                let _ = send.send(Err(fault(error))).await;
            }
        });
    }
}

/// Reads the status of a build until the engine ends it.
async fn follow(
    channel: Channel,
    request: StatusRequest,
    send: mpsc::Sender<Result<Came, Fault>>,
    drained: oneshot::Sender<()>,
    said: oneshot::Sender<()>,
) {
    if let Ok(answer) = ControlClient::new(channel).status(request).await {
        let mut statuses = answer.into_inner();
        while let Ok(Some(status)) = statuses.message().await {
            // Read on without a reader: only the end matters then.
            let _ = send.send(Ok(Came::Item(Item::Status(status)))).await;
        }
    }
    let _ = drained.send(());
    let _ = said.send(());
}

/// The request in the library's terms.
fn options(docker: &Docker, request: &BuildRequest) -> ImageBuildFrontendOptions {
    let mut options = ImageBuildFrontendOptions::builder()
        .dockerfile(Path::new(&request.dockerfile_path))
        .nocache(request.no_cache);
    for (key, value) in super::labels(docker, request) {
        options = options.label(&key, &value);
    }
    for (key, value) in &request.build_args {
        options = options.buildarg(key, value);
    }
    if let Some(target) = &request.target {
        options = options.target(target);
    }
    if !request.network {
        options = options.force_network_mode(&ImageBuildNetworkMode::None);
    }
    options.build()
}

/// What ended the build.
fn fault(error: GrpcError) -> Fault {
    match error {
        GrpcError::TonicStatus { err } => Fault::Told(err.message().to_owned()),
        other => Fault::Lost(EngineError::Gone {
            detail: Clean::line(&other.to_string()),
        }),
    }
}

/// A channel to BuildKit's interface: an HTTP request that the engine turns into one.
async fn channel(docker: &Docker) -> Result<Channel, Unreachable> {
    let address = docker.inner.address.clone();
    let session = format!("{}-status", docker.inner.session);
    let connector = tower::service_fn(move |_: http::Uri| {
        let address = address.clone();
        let session = session.clone();
        async move { upgraded(&address, &session).await }
    });
    // The host in this URI is never looked up: the connector knows where to go.
    let endpoint = Endpoint::from_static("http://buildkit.invalid");
    Ok(endpoint.connect_with_connector(connector).await?)
}

/// Asks the engine to turn a connection into one of BuildKit's.
async fn upgraded(
    address: &Address,
    session: &str,
) -> Result<hyper::upgrade::Upgraded, Unreachable> {
    let request = http::Request::post("/grpc")
        .header("Host", "docker")
        .header("Connection", "Upgrade")
        .header("Upgrade", "h2c")
        .header("X-Docker-Expose-Session-Uuid", session)
        .body(Empty::<Bytes>::new())?;
    match address {
        Address::Unix(path) => {
            let socket = tokio::net::UnixStream::connect(path).await?;
            upgrade(TokioIo::new(socket), request).await
        }
        Address::Tcp(host) => {
            let socket = tokio::net::TcpStream::connect(host).await?;
            upgrade(TokioIo::new(socket), request).await
        }
        Address::Tls { .. } | Address::Ssh { .. } => {
            Err("BuildKit's interface is reached by unix and tcp addresses only".into())
        }
    }
}

async fn upgrade<I>(
    io: I,
    request: http::Request<Empty<Bytes>>,
) -> Result<hyper::upgrade::Upgraded, Unreachable>
where
    I: hyper::rt::Read + hyper::rt::Write + Unpin + Send + 'static,
{
    let (mut sender, connection) = hyper::client::conn::http1::handshake(io).await?;
    tokio::spawn(async move {
        if let Err(error) = connection.with_upgrades().await {
            tracing::debug!(%error, "BuildKit's connection ended");
        }
    });
    let response = sender.send_request(request).await?;
    Ok(hyper::upgrade::on(response).await?)
}
