#![expect(
    clippy::disallowed_methods,
    reason = "the edge to the engine: the clock of a build, and its context's file"
)]
//! Builds: which way the engine takes them, how they are followed, and how they end.

mod alone;
mod cancel;
mod commands;
mod grpc;
mod upload;

use std::collections::HashMap;
use std::time::Duration;
use std::time::Instant;

use bollard::errors::Error;
use bollard::models::BuildInfo;
use bollard::models::BuildInfoAux;
use bollard::query_parameters::BuildImageOptions;
use bollard::query_parameters::BuildImageOptionsBuilder;
use bollard::query_parameters::BuilderVersion;
use futures_util::StreamExt;
use futures_util::stream::BoxStream;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;
use upload::Upload;

use super::Docker;
use super::fault;
use super::races;
use super::translate::Item;
use super::translate::Translator;
use super::translate::faults::is_ending;
use crate::engine::BuildError;
use crate::engine::BuildEvent;
use crate::engine::BuildRequest;
use crate::engine::Builder;
use crate::engine::Built;
use crate::engine::Engine as _;
use crate::engine::EngineError;
use crate::engine::EngineName;
use crate::engine::HOME_LABEL;
use crate::engine::LABEL;
use crate::engine::LogStream;
use crate::engine::MADE_BY_LABEL;
use crate::engine::StepEnd;
use crate::engine::Store;
use crate::engine::address::Address;
use crate::engine::docker::images::registry_of;
use crate::image::Config;
use crate::image::maker;
use crate::text::Clean;

/// How long a registry may say nothing before the build is given up.
pub(super) const REGISTRY_PATIENCE: Duration = Duration::from_secs(20);
/// The most lines that a build may write.
const LOG_LINES: usize = 100_000;
/// How often the clock is looked at.
const TICK: Duration = Duration::from_millis(250);
/// How often an engine is asked whether it is there, where its words are those of one that is being
/// stopped.
const ENDING_PINGS: usize = 8;
/// How often a build is begun again where an engine stumbled over another's work, or one that lives
/// on cut its answer off.
const AGAIN: usize = 3;
/// What is said where the engine may go on with a build that was given up.
const LEFT: &str = "Other builds may run on this engine, so that nothing on it was ended: it may still work on this one for a while.";

/// The way that a build takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Route {
    /// The context in one request, BuildKit's status in the answer.
    Buildkit,
    /// BuildKit's own interface beside Docker's.
    Grpc,
    /// The classic builder.
    Classic,
    /// Podman's builder behind Docker's request.
    Podman,
}

impl Route {
    const fn builder(self) -> Builder {
        match self {
            Self::Buildkit | Self::Grpc => Builder::Buildkit,
            Self::Classic => Builder::Classic,
            Self::Podman => Builder::Buildah,
        }
    }
}

/// Chooses the way. Docker 26 with the containerd image store cannot read a context that comes in
/// one request (moby/moby#47717), so that store is asked by BuildKit's own interface; where the
/// transport does not carry that, by the classic builder.
fn route(name: EngineName, store: Store, builder: Builder, address: &Address) -> Route {
    match (name, builder, store) {
        (EngineName::Podman, _, _) | (_, Builder::Buildah, _) => Route::Podman,
        (_, Builder::Classic, _) => Route::Classic,
        (_, Builder::Buildkit, Store::Graphdriver) => Route::Buildkit,
        (_, Builder::Buildkit, Store::Containerd) => match address {
            Address::Unix(_) | Address::Tcp(_) => Route::Grpc,
            Address::Tls { .. } | Address::Ssh { .. } => Route::Classic,
        },
    }
}

/// What a builder sends.
enum Came {
    /// Something to translate.
    Item(Item),
    /// The id of an image; the last one is the image.
    Image(String),
}

/// Why a build ended without an image.
enum Fault {
    /// The builder said so.
    Told(String),
    /// The connection failed.
    Lost(EngineError),
}

/// A builder's stream.
type Stream = BoxStream<'static, Result<Came, Fault>>;

/// Builds an image.
pub(super) async fn build(
    docker: &Docker,
    request: BuildRequest,
    events: mpsc::Sender<BuildEvent>,
    cancel: CancellationToken,
) -> Result<Built, BuildError> {
    // One at a time: the builds of a process share one session with the engine.
    let _alone = tokio::select! {
        biased;
        () = cancel.cancelled() => return Err(BuildError::Cancelled),
        guard = docker.inner.building.lock() => guard,
    };
    let info = &docker.inner.info;
    let route = route(info.name, info.store, info.builder, &docker.inner.address);
    // Podman builds what it can read and is silent about the rest of what the others refuse.
    if route == Route::Podman
        && let Some(problem) = request.dockerfile.refused()
    {
        return Err(BuildError::Syntax {
            line: Some(problem.line),
            message: Clean::line(&problem.message),
        });
    }
    let mut upload = Upload::open(&request.context)?;
    let at_work = cancel::AtWork::before(docker, route).await;
    let (mut stream, ended) = match route {
        Route::Grpc => grpc::start(docker, &request, &upload).await?,
        _ => (start(docker, &request, route, &upload), None),
    };
    let mut following = Following {
        docker,
        request: &request,
        route,
        events,
        translator: Translator::new(route.builder(), &request.dockerfile),
        began: Instant::now(),
        image: None,
    };
    let mut followed = following.follow(&mut stream, &mut upload, &cancel).await;
    for _ in 0..AGAIN {
        let Err(stopped) = &followed else {
            break;
        };
        if !stopped.is_a_race(docker) && !stopped.is_cut_by(docker, route).await {
            break;
        }
        following.translator.restart();
        stream = start(docker, &request, route, &upload);
        followed = following.follow(&mut stream, &mut upload, &cancel).await;
    }
    if let Err(stopped) = &followed
        && stopped.needs_the_engine_to_stop()
    {
        if route == Route::Podman {
            following.drain(&mut stream, &at_work).await;
        }
        // This is what tells the engine to stop.
        drop(stream);
        let commands = following.translator.commands();
        if !at_work.settled(docker, &commands, ended).await? {
            following.leave();
        }
    }
    following.finish(followed).await
}

/// Sends the request. The answer is read by the stream that is handed back.
fn start(docker: &Docker, request: &BuildRequest, route: Route, upload: &Upload) -> Stream {
    let client = docker.inner.slow.clone();
    let shown = docker.clone();
    let options = options(docker, request, route);
    let body = bollard::body_try_stream(upload.stream());
    let (send, receive) = mpsc::channel(64);
    // The library's stream borrows its client; a task owns both and ends with its reader.
    let reading = tokio::spawn(async move {
        let mut answers = client.build_image(options, None, Some(body)).boxed();
        while let Some(answer) = answers.next().await {
            for came in read(answer, &shown) {
                if send.send(came).await.is_err() {
                    return;
                }
            }
        }
    });
    let guard = reading.abort_handle();
    futures_util::stream::unfold(
        (receive, AbortOnDrop(guard)),
        |(mut receive, guard)| async move {
            let came = receive.recv().await?;
            Some((came, (receive, guard)))
        },
    )
    .boxed()
}

/// Ends a task when its owner goes, even in the middle of a wait.
struct AbortOnDrop(tokio::task::AbortHandle);

impl Drop for AbortOnDrop {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// One answer of the build request.
fn read(answer: Result<BuildInfo, Error>, docker: &Docker) -> Vec<Result<Came, Fault>> {
    let info = match answer {
        Ok(info) => info,
        Err(
            Error::DockerStreamError { error }
            | Error::DockerResponseServerError { message: error, .. },
        ) => return vec![Err(Fault::Told(error))],
        Err(error) => return vec![Err(Fault::Lost(docker.fault("build", &error)))],
    };
    let mut came = Vec::new();
    match info.aux {
        Some(BuildInfoAux::Default(image)) => came.extend(image.id.map(|id| Ok(Came::Image(id)))),
        Some(BuildInfoAux::BuildKit(status)) => came.push(Ok(Came::Item(Item::Status(status)))),
        None => {}
    }
    if let Some(text) = info.stream {
        came.push(Ok(Came::Item(Item::Text(text))));
    } else if info.status.is_some() {
        came.push(Ok(Came::Item(Item::Pulling)));
    }
    came
}

/// The request in the library's terms.
fn options(docker: &Docker, request: &BuildRequest, route: Route) -> BuildImageOptions {
    let labels: HashMap<String, String> = labels(docker, request).into_iter().collect();
    let arguments: HashMap<String, String> = request.build_args.clone().into_iter().collect();
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
    if route == Route::Buildkit {
        options = options
            .version(BuilderVersion::BuilderBuildKit)
            .session(&docker.inner.session);
    }
    options.build()
}

/// The labels of the image: those asked for and ours.
fn labels(docker: &Docker, request: &BuildRequest) -> Vec<(String, String)> {
    let mut labels: Vec<(String, String)> = request.labels.clone().into_iter().collect();
    labels.push((LABEL.to_owned(), request.owner.clone()));
    labels.push((MADE_BY_LABEL.to_owned(), docker.inner.maker.to_label()));
    // Without a home too: a base may have one of its own.
    labels.push((HOME_LABEL.to_owned(), docker.home().to_owned()));
    labels
}

/// How following a build ended.
enum Stopped {
    /// We gave it up, for this reason.
    GivenUp(BuildError),
    /// The builder or the connection ended it.
    Ended(Fault),
}

impl Stopped {
    const fn needs_the_engine_to_stop(&self) -> bool {
        matches!(self, Self::GivenUp(_))
    }

    /// Whether the engine stumbled over an image that somebody removed, while Podman looked through
    /// its images for cached steps, or Docker unpacked a base: the same build finds its way the next
    /// time.
    fn is_a_race(&self, docker: &Docker) -> bool {
        let info = &docker.inner.info;
        matches!(self, Self::Ended(Fault::Told(told)) if races::is_a_race(info.name, info.store, told))
    }

    /// Whether the engine ended its answer in the middle of a line and lives on (seen on Docker
    /// 20.10): what it had built by then is in its cache.
    async fn is_cut_by(&self, docker: &Docker, route: Route) -> bool {
        route != Route::Grpc
            && matches!(self, Self::Ended(Fault::Lost(error)) if fault::is_cut(error))
            && docker.ping().await.is_ok()
    }
}

/// A build that is being followed.
struct Following<'a> {
    docker: &'a Docker,
    request: &'a BuildRequest,
    route: Route,
    events: mpsc::Sender<BuildEvent>,
    translator: Translator,
    began: Instant,
    image: Option<String>,
}

impl Following<'_> {
    /// Reads the stream to its end, or to the reason to give it up.
    async fn follow(
        &mut self,
        stream: &mut Stream,
        upload: &mut Upload,
        cancel: &CancellationToken,
    ) -> Result<(), Stopped> {
        let mut clock = tokio::time::interval(TICK);
        clock.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            let events = tokio::select! {
                biased;
                () = cancel.cancelled() => return Err(Stopped::GivenUp(BuildError::Cancelled)),
                _ = clock.tick() => {
                    self.check_time()?;
                    upload.progress().into_iter().collect()
                }
                came = stream.next() => match came {
                    None => {
                        self.say(upload.progress().into_iter().collect(), cancel).await?;
                        return Ok(());
                    }
                    Some(Err(fault)) => return Err(Stopped::Ended(fault)),
                    Some(Ok(Came::Image(id))) => {
                        self.image = Some(id);
                        continue;
                    }
                    Some(Ok(Came::Item(item))) => {
                        let mut events: Vec<BuildEvent> = upload.progress().into_iter().collect();
                        events.extend(self.translator.feed(item, self.began.elapsed()));
                        events
                    }
                },
            };
            self.say(events, cancel).await?;
            if self.translator.lines() > LOG_LINES {
                return Err(Stopped::GivenUp(BuildError::TooLoud(LOG_LINES)));
            }
        }
    }

    /// Reads on until the step that is under way has ended, and ends its command where it can.
    /// Podman ends a build between two steps only, and a command whose output nobody takes would
    /// never come that far.
    async fn drain(&mut self, stream: &mut Stream, at_work: &cancel::AtWork) {
        let mut clock = tokio::time::interval(TICK);
        let reading = async {
            loop {
                let came = tokio::select! {
                    biased;
                    _ = clock.tick() => {
                        at_work.end(&self.translator.commands());
                        continue;
                    }
                    came = stream.next() => came,
                };
                let item = match came {
                    Some(Ok(Came::Item(item))) => item,
                    Some(Ok(Came::Image(_))) => continue,
                    Some(Err(_)) | None => return,
                };
                let events = self.translator.feed(item, self.began.elapsed());
                let over = |event: &BuildEvent| matches!(event, BuildEvent::StepFinished { .. });
                if events.iter().any(over) {
                    return;
                }
            }
        };
        // Where it takes longer, what follows finds the engine at work and says so.
        let _ = tokio::time::timeout(cancel::LONG, reading).await;
    }

    /// Says that the engine may go on with what was given up.
    fn leave(&self) {
        // The reader may have gone, or be waiting for the end itself.
        let _ = self.events.try_send(BuildEvent::Log {
            step: None,
            stream: LogStream::Err,
            line: Clean::line(LEFT),
        });
    }

    /// Whether time has run out for the build or for a registry.
    fn check_time(&self) -> Result<(), Stopped> {
        let now = self.began.elapsed();
        if now > self.request.within {
            return Err(Stopped::GivenUp(BuildError::TimedOut(self.request.within)));
        }
        let Some((waiting, since)) = self.translator.waiting() else {
            return Ok(());
        };
        let waited = now.saturating_sub(since);
        if waited < REGISTRY_PATIENCE {
            return Ok(());
        }
        Err(Stopped::GivenUp(BuildError::RegistrySilent {
            line: waiting.line,
            registry: registry_of(&waiting.reference).to_owned(),
            reference: waiting.reference,
            waited: REGISTRY_PATIENCE,
        }))
    }

    /// Hands events over. A reader that has gone is no reason to stop; one that lags holds the
    /// build back, and cancelling still works.
    async fn say(
        &self,
        events: Vec<BuildEvent>,
        cancel: &CancellationToken,
    ) -> Result<(), Stopped> {
        for event in events {
            tokio::select! {
                biased;
                () = cancel.cancelled() => return Err(Stopped::GivenUp(BuildError::Cancelled)),
                _ = self.events.send(event) => {}
            }
        }
        Ok(())
    }

    /// The one end of the build.
    async fn finish(mut self, followed: Result<(), Stopped>) -> Result<Built, BuildError> {
        let ended = match followed {
            Ok(()) => self.built().await,
            Err(Stopped::GivenUp(reason)) => Err(reason),
            Err(Stopped::Ended(Fault::Lost(error))) => Err(BuildError::Engine(error)),
            Err(Stopped::Ended(Fault::Told(message))) => Err(self.told(&message).await),
        };
        let end = match &ended {
            Ok(_) => StepEnd::Done,
            Err(
                BuildError::Cancelled
                | BuildError::Engine(_)
                | BuildError::TimedOut(_)
                | BuildError::TooLoud(_),
            ) => StepEnd::Stopped,
            Err(_) => StepEnd::Failed,
        };
        let left = self.translator.close(end, self.began.elapsed());
        for event in left {
            // The reader may have gone, or be waiting for the end itself.
            let _ = self.events.try_send(event);
        }
        ended
    }

    /// The image that was built.
    async fn built(&self) -> Result<Built, BuildError> {
        let image = match (&self.image, self.route) {
            (Some(image), _) => image.clone(),
            // BuildKit's own interface does not say.
            (None, Route::Grpc) => {
                let found = super::images::inspect(self.docker, &self.request.tag).await?;
                let maker = self.docker.inner.maker.to_label();
                match found {
                    Some(summary) if made_by(&summary.config, &maker) => summary.id,
                    Some(_) => return Err(another_s()),
                    None => return Err(EngineError::NoSuchImage(self.request.tag.clone()).into()),
                }
            }
            (None, _) => {
                return Err(BuildError::Engine(EngineError::Gone {
                    detail: Clean::line("its answer ended before the build did"),
                }));
            }
        };
        Ok(Built {
            image,
            builder: self.route.builder(),
        })
    }

    /// What the builder's last words mean. An engine that is stopped blames the connection, and
    /// answers for a moment longer.
    async fn told(&self, message: &str) -> BuildError {
        if is_ending(message) {
            for _ in 0..ENDING_PINGS {
                if self.docker.ping().await.is_err() {
                    return BuildError::Engine(EngineError::Gone {
                        detail: Clean::line(&maker::told(message)),
                    });
                }
                tokio::time::sleep(TICK).await;
            }
        }
        self.translator.failure(message).0
    }
}

/// Whether a process with this label made an image.
fn made_by(config: &Config, maker: &str) -> bool {
    let label = config.labels.get(MADE_BY_LABEL);
    label.is_some_and(|label| label == maker)
}

/// Another process, which builds for the same path, took the name of the image at that moment.
fn another_s() -> BuildError {
    BuildError::Engine(EngineError::Refused {
        what: "build",
        detail: Clean::line(
            "another check of the same folder gave its name to an image of its own",
        ),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_image_that_another_process_made_is_not_what_was_built() {
        let mut config = Config::default();
        assert!(!made_by(&config, "this"));
        for (maker, ours) in [("a sibling", false), ("this", true)] {
            let label = (MADE_BY_LABEL.to_owned(), maker.to_owned());
            config.labels.extend([label]);
            assert_eq!(made_by(&config, "this"), ours);
        }
    }

    #[test]
    fn the_way_of_a_build_follows_from_the_engine() {
        let unix = Address::unix("/x");
        let ssh = Address::Ssh {
            host: "lab".to_owned(),
            port: None,
        };
        let docker = EngineName::Docker;
        let cases = [
            (
                docker,
                Store::Graphdriver,
                Builder::Buildkit,
                &unix,
                Route::Buildkit,
            ),
            (
                docker,
                Store::Containerd,
                Builder::Buildkit,
                &unix,
                Route::Grpc,
            ),
            (
                docker,
                Store::Containerd,
                Builder::Buildkit,
                &ssh,
                Route::Classic,
            ),
            (
                docker,
                Store::Graphdriver,
                Builder::Classic,
                &unix,
                Route::Classic,
            ),
            (
                EngineName::Podman,
                Store::Graphdriver,
                Builder::Buildah,
                &unix,
                Route::Podman,
            ),
        ];
        for (name, store, builder, address, wanted) in cases {
            assert_eq!(route(name, store, builder, address), wanted);
        }
    }
}
