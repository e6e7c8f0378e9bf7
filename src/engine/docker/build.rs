#![expect(
    clippy::disallowed_methods,
    reason = "the edge to the engine: the clock of a build, and its context's file"
)]
//! Builds: which way the engine takes them, how they are followed, and how they end.

mod alone;
mod apart;
mod cancel;
mod commands;
mod filesync;
mod session;
mod upload;

use std::collections::HashMap;
use std::time::Duration;
use std::time::Instant;

use apart::Apart;
use bollard::errors::Error;
use bollard::models::BuildInfo;
use bollard::models::BuildInfoAux;
use bollard::query_parameters::BuildImageOptions;
use bollard::query_parameters::BuildImageOptionsBuilder;
use cancel::Settled;
use futures_util::StreamExt;
use futures_util::stream::BoxStream;
use session::Session;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;
use upload::Upload;
use upload::unreadable;

use super::CALL;
use super::Docker;
use super::fault;
use super::races;
use super::raw;
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
use crate::engine::HOME_LABEL;
use crate::engine::LABEL;
use crate::engine::LogStream;
use crate::engine::MADE_BY_LABEL;
use crate::engine::StepEnd;
use crate::engine::docker::images::registry_of;
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
/// What is said where the engine may go on with a build that was given up, and others may build.
const LEFT: &str = "Other builds may run on this engine, so that nothing on it was ended: it may still work on this one for a while.";
/// Likewise, where the engine does not say what it works on.
const UNSEEN: &str =
    "The engine does not say what it works on: it may still work on this build for a while.";

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
    let builder = docker.inner.info.builder;
    if builder == Builder::Buildah
        && let Some((line, message)) = unread_by_podman(&request)
    {
        return Err(BuildError::Syntax {
            line: Some(line),
            message: Clean::line(&message),
        });
    }
    let mut upload = Upload::open(&request.context)?;
    let at_work = cancel::AtWork::before(docker, builder).await;
    let way = tokio::select! {
        biased;
        () = cancel.cancelled() => return Err(BuildError::Cancelled),
        way = Way::of(docker, &request, &mut upload) => way?,
    };
    let mut stream = start(docker, &request, &way, &upload);
    let mut following = Following {
        docker,
        request: &request,
        way: &way,
        events,
        translator: Translator::new(builder, &request.dockerfile),
        began: Instant::now(),
        image: None,
    };
    let mut followed = following.follow(&mut stream, &mut upload, &cancel).await;
    for _ in 0..AGAIN {
        let Err(stopped) = &followed else {
            break;
        };
        if !stopped.is_a_race(docker) && !stopped.is_cut_by(docker).await {
            break;
        }
        following.translator.restart();
        stream = start(docker, &request, &way, &upload);
        followed = following.follow(&mut stream, &mut upload, &cancel).await;
    }
    if let Err(stopped) = &followed
        && stopped.needs_the_engine_to_stop()
    {
        if builder == Builder::Buildah {
            following.drain(&mut stream, &at_work).await;
        }
        // This is what tells the engine to stop.
        drop(stream);
        let commands = following.translator.commands();
        match at_work.settled(docker, &commands).await? {
            Settled::Over => {}
            Settled::PerhapsOthers => following.leave(LEFT),
            Settled::Unseen => following.leave(UNSEEN),
        }
    }
    following.finish(followed).await
}

/// What the other builders refuse in a Dockerfile, and its line: Podman builds what it can read and
/// is silent about the rest.
fn unread_by_podman(request: &BuildRequest) -> Option<(u32, String)> {
    let dockerfile = &request.dockerfile;
    if let Some(problem) = dockerfile.refused() {
        return Some((problem.line, problem.message.clone()));
    }
    // Podman 4.3 takes this for the host's; these are the words of 5.4.
    let (line, platform) = dockerfile.empty_platform(&request.build_args)?;
    let message = format!("no value specified for --platform={platform}");
    Some((line, message))
}

/// How the context comes to the engine.
enum Way {
    /// BuildKit fetches it.
    Session(Session),
    /// It is the body of the request; the Dockerfile comes before it where it is apart.
    Body(Option<Apart>),
}

impl Way {
    /// Whether the connection that the context comes by has ended.
    fn is_cut(&self) -> bool {
        matches!(self, Self::Session(session) if session.is_over())
    }

    async fn of(
        docker: &Docker,
        request: &BuildRequest,
        upload: &mut Upload,
    ) -> Result<Self, BuildError> {
        if docker.inner.info.builder != Builder::Buildkit {
            let apart = request.dockerfile_apart.as_deref().map(Apart::of);
            return Ok(Self::Body(
                apart.transpose().map_err(|why| unreadable(&why))?,
            ));
        }
        let folders = upload.folders(request).await?;
        let key = format!("{} {}", docker.home(), request.tag);
        let opening = Session::open(&docker.inner.address, &key, folders);
        let opened = tokio::time::timeout(CALL, opening).await;
        let session = opened.map_err(|_elapsed| EngineError::Silent {
            what: "take the files of a build",
            within: CALL,
        })??;
        Ok(Self::Session(session))
    }
}

/// Sends the request. The answer is read by the stream that is handed back.
fn start(docker: &Docker, request: &BuildRequest, way: &Way, upload: &Upload) -> Stream {
    let shown = docker.clone();
    let mut client = docker.inner.slow.clone();
    let mut options = options(docker, request);
    let body = match way {
        Way::Body(apart) => {
            let mut before = bytes::Bytes::new();
            if let Some(apart) = apart {
                options.dockerfile.clone_from(&apart.path);
                before = apart.entries.clone();
            }
            bollard::body_try_stream(upload.stream(before))
        }
        Way::Session(session) => {
            options.session = Some(session.id().to_owned());
            options.remote = Some("client-session".to_owned());
            // Where the library knows that BuildKit is asked, it opens a session of its own.
            client = client.with_request_modifier(raw::for_buildkit);
            bollard::body_full(bytes::Bytes::new())
        }
    };
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
fn options(docker: &Docker, request: &BuildRequest) -> BuildImageOptions {
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
    async fn is_cut_by(&self, docker: &Docker) -> bool {
        matches!(self, Self::Ended(Fault::Lost(error)) if fault::is_cut(error))
            && docker.ping().await.is_ok()
    }
}

/// A build that is being followed.
struct Following<'a> {
    docker: &'a Docker,
    request: &'a BuildRequest,
    way: &'a Way,
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

    /// Says why the engine may go on with what was given up.
    fn leave(&self, why: &str) {
        // The reader may have gone, or be waiting for the end itself.
        let _ = self.events.try_send(BuildEvent::Log {
            step: None,
            stream: LogStream::Err,
            line: Clean::line(why),
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
            Ok(()) => self.built(),
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
    fn built(&self) -> Result<Built, BuildError> {
        let Some(image) = &self.image else {
            return Err(BuildError::Engine(EngineError::Gone {
                detail: Clean::line("its answer ended before the build did"),
            }));
        };
        Ok(Built {
            image: image.clone(),
            builder: self.docker.inner.info.builder,
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
            if self.way.is_cut() {
                return BuildError::Engine(EngineError::Refused {
                    what: "send the files",
                    detail: Clean::line("the connection that they went by was lost"),
                });
            }
        }
        self.translator.failure(message).0
    }
}
