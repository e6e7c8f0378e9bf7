//! The helper beside a container: an image that holds one static program of ours, and what that
//! program says.

use std::time::Duration;

use bollard::models::ContainerCreateBody;
use bollard::models::HostConfig;
use bollard::models::HostConfigLogConfig;
use bollard::query_parameters::StartContainerOptions;
use futures_util::StreamExt;
use sha2::Digest as _;

use super::attach::Attached;
use crate::engine::EngineError;
use crate::engine::LABEL;
use crate::engine::docker::Docker;
use crate::engine::docker::containers::Guard;
use crate::image::output::Output;
use crate::image::run::HttpRequest;
use crate::image::run::HttpResponse;
use crate::text::Clean;
use crate::text::hex;

/// The program, compiled by the build script; empty where it could not be.
const PROGRAM: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/beside"));
/// How often it is asked: it always says something, and a busy engine may lose what it said.
const ASKED: usize = 3;
/// What the helper may use.
const MEMORY: i64 = 32 * 1024 * 1024;

/// What the helper is asked.
#[derive(Debug, Clone)]
pub(super) enum Ask<'a> {
    /// To wait until a port takes a connection.
    Port(u16),
    /// To send a request until it is answered.
    Http(&'a HttpRequest),
}

/// What the helper said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Said {
    /// The port takes connections.
    Open,
    /// An answer, and how long after the helper's start.
    Answer(HttpResponse),
    /// None in time, and why.
    Failed(Clean),
}

/// A helper that is made and waits for its container to run.
#[derive(Debug)]
pub(super) struct Helper {
    guard: Guard,
}

impl Helper {
    /// Makes a helper that shares the network of `container`.
    pub(super) async fn beside(
        docker: &Docker,
        container: &str,
        ask: &Ask<'_>,
        within: Duration,
    ) -> Result<Self, EngineError> {
        let image = image(docker).await?;
        let made = Guard::create(docker, body(&image, container, ask, within), "helper").await;
        let guard = match made {
            Ok(guard) => guard,
            // Somebody removed the image since.
            Err(EngineError::NoSuchImage(_)) => {
                load(docker, &image).await?;
                Guard::create(docker, body(&image, container, ask, within), "helper").await?
            }
            Err(error) => return Err(error),
        };
        Ok(Self { guard })
    }

    /// Its container's id.
    pub(super) fn id(&self) -> &str {
        self.guard.id()
    }

    /// Starts it and hears what it says.
    pub(super) async fn ask(self, docker: &Docker) -> Result<Said, EngineError> {
        let mut output = Vec::new();
        for _ in 0..ASKED {
            // Not earlier: Podman takes nobody to a helper whose container does not run yet.
            let attached = Attached::attach(docker, self.guard.id(), None).await?;
            docker
                .inner
                .client
                .start_container(self.guard.id(), None::<StartContainerOptions>)
                .await
                .map_err(|error| docker.fault("start the helper", &error))?;
            output = attached.ended().await.raw().to_vec();
            if !output.is_empty() {
                break;
            }
        }
        let said = parse(&output);
        // Nobody waits for the helper's removal.
        drop(self.guard);
        Ok(said)
    }
}

/// The helper's container.
fn body(image: &str, container: &str, ask: &Ask<'_>, within: Duration) -> ContainerCreateBody {
    let millis = within.as_millis().to_string();
    let mut command = vec!["/beside".to_owned()];
    match ask {
        Ask::Port(port) => command.extend(["port".to_owned(), port.to_string(), millis]),
        Ask::Http(request) => {
            command.extend(["http".to_owned(), request.port.to_string(), millis]);
            command.extend([request.method.clone(), request.path.clone()]);
            command.extend(request.body.clone());
        }
    }
    ContainerCreateBody {
        image: Some(image.to_owned()),
        cmd: Some(command),
        user: Some("65534:65534".to_owned()),
        attach_stdout: Some(true),
        attach_stderr: Some(true),
        host_config: Some(HostConfig {
            network_mode: Some(format!("container:{container}")),
            memory: Some(MEMORY),
            memory_swap: Some(MEMORY),
            pids_limit: Some(16),
            cap_drop: Some(vec!["ALL".to_owned()]),
            security_opt: Some(vec!["no-new-privileges".to_owned()]),
            readonly_rootfs: Some(true),
            log_config: Some(HostConfigLogConfig {
                typ: Some("none".to_owned()),
                config: None,
            }),
            ..HostConfig::default()
        }),
        ..ContainerCreateBody::default()
    }
}

/// The helper's image, loaded where it is not there yet.
async fn image(docker: &Docker) -> Result<String, EngineError> {
    fits(docker, PROGRAM, "look at the container from beside it")?;
    let digest = hex(&sha2::Sha256::digest(PROGRAM));
    let reference = format!(
        "loadline.local/helper:{}",
        digest.get(..12).unwrap_or(&digest)
    );
    let there = docker
        .inner
        .helper_is_there
        .load(std::sync::atomic::Ordering::Relaxed);
    if !there {
        if crate::engine::docker::images::inspect(docker, &reference)
            .await?
            .is_none()
        {
            load(docker, &reference).await?;
        }
        docker
            .inner
            .helper_is_there
            .store(true, std::sync::atomic::Ordering::Relaxed);
    }
    Ok(reference)
}

/// Whether one of our programs can do `what` on this engine.
pub(super) fn fits(docker: &Docker, program: &[u8], what: &'static str) -> Result<(), EngineError> {
    let architecture = &docker.inner.info.architecture;
    let ours = match std::env::consts::ARCH {
        "x86_64" => "amd64",
        "aarch64" => "arm64",
        other => other,
    };
    let refused = |detail: &str| {
        Err(EngineError::Refused {
            what,
            detail: Clean::line(detail),
        })
    };
    if program.is_empty() {
        return refused("this build of Loadline has no helper program for containers");
    }
    if architecture != ours {
        return refused(&format!(
            "the engine runs {architecture} programs, and Loadline's helper is one for {ours}"
        ));
    }
    Ok(())
}

/// Loads the helper's image: one layer with one file.
async fn load(docker: &Docker, reference: &str) -> Result<(), EngineError> {
    let archive = archive(reference, &docker.inner.info.architecture).map_err(|error| {
        EngineError::Refused {
            what: "make the helper's image",
            detail: Clean::line(&error.to_string()),
        }
    })?;
    let stream = futures_util::stream::iter([Ok(bytes::Bytes::from(archive))]).boxed();
    crate::engine::docker::images::load(docker, stream).await
}

/// The archive that `docker load` takes.
fn archive(reference: &str, architecture: &str) -> std::io::Result<Vec<u8>> {
    let layer = tar(&[("beside", PROGRAM, 0o755)])?;
    let config = serde_json::json!({
        "architecture": architecture,
        "os": "linux",
        "created": "1970-01-01T00:00:00Z",
        "config": {"Cmd": ["/beside"], "Labels": {LABEL: "helper"}},
        "rootfs": {"type": "layers", "diff_ids": [format!("sha256:{}", hex(&sha2::Sha256::digest(&layer)))]},
        "history": [{"created": "1970-01-01T00:00:00Z", "created_by": "loadline"}],
    })
    .to_string();
    let config_name = format!("{}.json", hex(&sha2::Sha256::digest(config.as_bytes())));
    let manifest = serde_json::json!([
        {"Config": config_name, "RepoTags": [reference], "Layers": ["layer.tar"]}
    ])
    .to_string();
    tar(&[
        ("layer.tar", &layer, 0o644),
        (&config_name, config.as_bytes(), 0o644),
        ("manifest.json", manifest.as_bytes(), 0o644),
    ])
}

/// A tar of files, the same every time.
fn tar(files: &[(&str, &[u8], u32)]) -> std::io::Result<Vec<u8>> {
    let mut builder = tar::Builder::new(Vec::new());
    for (path, bytes, mode) in files {
        let mut header = tar::Header::new_ustar();
        header.set_size(u64::try_from(bytes.len()).unwrap_or(u64::MAX));
        header.set_mode(*mode);
        header.set_mtime(0);
        builder.append_data(&mut header, path, *bytes)?;
    }
    builder.into_inner()
}

/// Reads what the helper prints.
fn parse(output: &[u8]) -> Said {
    let silent = || Said::Failed(Clean::line("the helper said nothing"));
    let Some(end) = output.iter().position(|byte| *byte == b'\n') else {
        return silent();
    };
    let (first, rest) = output.split_at(end);
    let first = String::from_utf8_lossy(first).into_owned();
    if let Some(failed) = first.strip_prefix("failed ") {
        let reason = failed.split_once(' ').map(|(_, reason)| reason);
        return reason.map_or_else(silent, |reason| Said::Failed(Clean::line(reason)));
    }
    let words: Vec<&str> = first.split(' ').collect();
    match words.as_slice() {
        ["open", ..] => Said::Open,
        ["answer", status, millis, length, digest] => {
            let (Ok(status), Ok(millis), Ok(length)) =
                (status.parse(), millis.parse(), length.parse())
            else {
                return silent();
            };
            let rest = rest.get(1..).unwrap_or_default();
            let (head, body) = split_head(rest);
            Said::Answer(HttpResponse {
                status,
                headers: headers(head),
                body: body_of(body, length, digest),
                after: Duration::from_millis(millis),
            })
        }
        _ => silent(),
    }
}

/// The body, of which `kept` came from the helper.
fn body_of(kept: &[u8], length: u64, digest: &str) -> Output {
    let dropped = length.saturating_sub(kept.len() as u64);
    if dropped == 0 {
        return Output::whole(kept);
    }
    let digest = u64::from_str_radix(digest, 16).ok();
    Output::cut(kept.to_vec(), Vec::new(), dropped, digest)
}

/// Splits at the empty line.
fn split_head(bytes: &[u8]) -> (&[u8], &[u8]) {
    if let Some(body) = bytes.strip_prefix(b"\n") {
        return (&[], body);
    }
    match bytes.windows(2).position(|two| two == b"\n\n") {
        Some(at) => (
            bytes.get(..at).unwrap_or_default(),
            bytes.get(at + 2..).unwrap_or_default(),
        ),
        None => (bytes, &[]),
    }
}

fn headers(head: &[u8]) -> Vec<(Clean, Clean)> {
    String::from_utf8_lossy(head)
        .lines()
        .filter_map(|line| {
            let (name, value) = line.split_once(':')?;
            let name = name.trim().to_ascii_lowercase();
            Some((Clean::line(&name), Clean::line(value.trim())))
        })
        .collect()
}

#[cfg(test)]
#[expect(
    clippy::disallowed_methods,
    reason = "runs the program beside a server of its own"
)]
mod tests {
    use super::*;

    #[test]
    fn what_the_helper_prints_is_read_back() {
        let said = parse(b"answer 200 12 8 0\nContent-Type: text/plain\nX: a:b\n\nhi\nthere");
        let Said::Answer(response) = said else {
            panic!("{said:?}");
        };
        assert_eq!(response.status, 200);
        assert_eq!(response.after, Duration::from_millis(12));
        assert_eq!(
            response.headers,
            [
                (Clean::line("content-type"), Clean::line("text/plain")),
                (Clean::line("x"), Clean::line("a:b"))
            ]
        );
        assert_eq!(response.body, Output::whole(b"hi\nthere"));
        let Said::Answer(long) = parse(b"answer 200 12 100 ff\n\nhi") else {
            panic!("no answer");
        };
        assert_eq!(
            long.body,
            Output::cut(b"hi".to_vec(), Vec::new(), 98, Some(255))
        );
        assert_eq!(parse(b"open 3\n"), Said::Open);
        assert_eq!(
            parse(b"failed 9 nothing listens on the port\n"),
            Said::Failed(Clean::line("nothing listens on the port"))
        );
        assert!(matches!(parse(b""), Said::Failed(_)));
    }

    #[test]
    fn the_helpers_archive_is_the_same_every_time() {
        let first = archive("a:1", "amd64").unwrap();
        assert_eq!(first, archive("a:1", "amd64").unwrap());
        let names: Vec<String> = tar::Archive::new(first.as_slice())
            .entries()
            .unwrap()
            .map(|entry| entry.unwrap().path().unwrap().display().to_string())
            .collect();
        assert_eq!(names.len(), 3);
        assert!(names.contains(&"manifest.json".to_owned()));
    }

    /// What the program hears from a server that sends these parts and closes the connection.
    #[cfg(target_os = "linux")]
    fn heard(parts: Vec<Vec<u8>>) -> HttpResponse {
        use std::io::Read as _;
        use std::io::Write as _;

        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port().to_string();
        let server = std::thread::spawn(move || {
            let (mut socket, _) = listener.accept().unwrap();
            assert!(socket.read(&mut [0; 1024]).unwrap() > 0);
            for part in parts {
                // Of what is too long, the program reads no end.
                if socket.write_all(&part).is_err() {
                    break;
                }
            }
        });
        let program = concat!(env!("OUT_DIR"), "/beside");
        let output = std::process::Command::new(program)
            .args(["http", &port, "20000", "GET", "/"])
            .output()
            .unwrap();
        server.join().unwrap();
        match parse(&output.stdout) {
            Said::Answer(response) => response,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn no_chunk_s_head_is_in_a_body() {
        let head = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n".to_vec();
        let chunk = |text: &str| format!("{:x}\r\n{text}\r\n", text.len()).into_bytes();
        let sent = |text: &str, times: usize, end: &str| {
            let chunks = (0..times).map(|_| chunk(text));
            let parts = std::iter::once(head.clone()).chain(chunks);
            heard(parts.chain([end.as_bytes().to_vec()]).collect()).body
        };
        let line = format!("{}\n", "x".repeat(999));
        let whole = sent(&line, 1000, "0\r\n\r\n");
        assert_eq!(whole.dropped() + 64 * 1024, 1_000_000);
        let begins = line.repeat(66);
        assert_eq!(Some(whole.beginning().as_str()), begins.get(..64 * 1024));
        assert_eq!(
            whole.is_same(&sent(&line.repeat(10), 100, "0\r\n\r\n")),
            Some(true)
        );
        // Longer than is read, and broken off.
        let long = sent(&line, 5 * 1024, "0\r\n\r\n");
        assert_eq!(long.beginning(), whole.beginning());
        assert_eq!(long.is_same(&long), None);
        assert_eq!(sent("hi\n", 2, "5\r\nhel"), Output::whole(b"hi\nhi\nhel"));
        // None at all is told as it came.
        assert_eq!(sent("hi", 0, "hi\r\n"), Output::whole(b"hi\r\n"));
    }
}
