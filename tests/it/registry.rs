//! Pulls from a registry: a small one of ours that serves a real image, and every way in which a
//! registry can refuse or fall silent. It speaks HTTP on the loopback address, where engines ask
//! for no certificate.

use std::collections::BTreeMap;
use std::io::Read;
use std::io::Write;
use std::net::TcpListener;
use std::net::TcpStream;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::atomic::AtomicUsize;
use std::sync::atomic::Ordering;
use std::time::Duration;

use rustix::process::Signal;
use sha2::Digest as _;
use sha2::Sha256;

use crate::faults::engine;
use crate::faults::sandbox;
use crate::sandbox::Ended;
use crate::sandbox::wait_until;

const MANIFEST: &str = "application/vnd.docker.distribution.manifest.v2+json";

/// A registry that is told what to do by the first part of a repository's name.
struct Registry {
    address: String,
    seen: Arc<Seen>,
}

/// What clients did.
#[derive(Default)]
struct Seen {
    requests: Mutex<Vec<String>>,
    /// Slow downloads that began, and those that have ended.
    held: AtomicUsize,
    left: AtomicUsize,
}

/// An image, each part under its digest.
struct Image {
    manifest: Vec<u8>,
    blobs: BTreeMap<String, Vec<u8>>,
    layer: String,
}

fn digest(bytes: &[u8]) -> String {
    let digest = Sha256::digest(bytes);
    let hex: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();
    format!("sha256:{hex}")
}

/// One layer with one file of noise, so that it is as large packed as unpacked. `salt` makes it
/// another image: an engine keeps what it pulled before.
fn image(salt: u64) -> Image {
    let mut state = salt | 1;
    let noise: Vec<u8> = (0..400_000)
        .map(|_| {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            state.to_le_bytes()[0]
        })
        .collect();
    let mut tar = tar::Builder::new(Vec::new());
    let mut header = tar::Header::new_gnu();
    header.set_mode(0o644);
    header.set_size(noise.len() as u64);
    tar.append_data(&mut header, "noise", noise.as_slice())
        .expect("memory");
    let tar = tar.into_inner().expect("memory");
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    gzip.write_all(&tar).expect("memory");
    let layer = gzip.finish().expect("memory");
    let config = serde_json::json!({
        "architecture": "amd64",
        "os": "linux",
        "config": {"Cmd": ["/noise"]},
        "rootfs": {"type": "layers", "diff_ids": [digest(&tar)]},
        "history": [{"created": "1970-01-01T00:00:00Z", "created_by": "COPY noise /"}],
    });
    let config = config.to_string().into_bytes();
    let part = |kind: &str, bytes: &[u8]| {
        serde_json::json!({
            "mediaType": format!("application/vnd.docker.{kind}"),
            "size": bytes.len(),
            "digest": digest(bytes),
        })
    };
    let manifest = serde_json::json!({
        "schemaVersion": 2,
        "mediaType": MANIFEST,
        "config": part("container.image.v1+json", &config),
        "layers": [part("image.rootfs.diff.tar.gzip", &layer)],
    });
    Image {
        manifest: manifest.to_string().into_bytes(),
        layer: digest(&layer),
        blobs: BTreeMap::from([(digest(&config), config), (digest(&layer), layer)]),
    }
}

impl Registry {
    fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let address = listener.local_addr().expect("it is bound").to_string();
        let image = Arc::new(image(rand::random()));
        let seen = Arc::new(Seen::default());
        let (at, noted) = (address.clone(), Arc::clone(&seen));
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (at, image, noted) = (at.clone(), Arc::clone(&image), Arc::clone(&noted));
                std::thread::spawn(move || {
                    // A client that goes away is what some cases are about.
                    let _ = serve(stream, &at, &image, &noted);
                });
            }
        });
        Self { address, seen }
    }

    fn reference(&self, repository: &str) -> String {
        format!("{}/{repository}:1", self.address)
    }

    fn requests(&self) -> Vec<String> {
        self.seen.requests.lock().expect("no thread panics").clone()
    }

    /// What the program printed, the same in every run.
    fn shown(&self, ended: &Ended) -> String {
        ended.shown().replace(&self.address, "[registry]")
    }
}

/// Reads the head of one request; `None` for one that is no HTTP, as an engine's first try is.
fn head(stream: &mut TcpStream) -> std::io::Result<Option<String>> {
    let mut bytes = Vec::new();
    let mut one = [0];
    while !bytes.ends_with(b"\r\n\r\n") {
        if stream.read(&mut one)? == 0 || bytes.is_empty() && !one[0].is_ascii_uppercase() {
            return Ok(None);
        }
        bytes.push(one[0]);
    }
    Ok(Some(String::from_utf8_lossy(&bytes).into_owned()))
}

/// An answer whose connection ends with it.
fn say(stream: &mut TcpStream, status: &str, headers: &[(&str, &str)], body: &[u8], whole: bool) {
    let mut text = format!("HTTP/1.1 {status}\r\nContent-Length: {}\r\n", body.len());
    text.push_str("Connection: close\r\nDocker-Distribution-Api-Version: registry/2.0\r\n");
    for (name, value) in headers {
        text.push_str(&format!("{name}: {value}\r\n"));
    }
    text.push_str("\r\n");
    let mut bytes = text.into_bytes();
    bytes.extend_from_slice(if whole { body } else { &[] });
    // A client that goes away is no matter here.
    let _ = stream.write_all(&bytes);
}

fn error(code: &str, message: &str) -> Vec<u8> {
    let error = serde_json::json!({"errors": [{"code": code, "message": message}]});
    error.to_string().into_bytes()
}

/// One request. What the first part of the repository's name makes of it is told in the tests.
fn serve(mut stream: TcpStream, at: &str, image: &Image, seen: &Seen) -> std::io::Result<()> {
    let Some(head) = head(&mut stream)? else {
        return Ok(());
    };
    let mut words = head.split(' ');
    let (method, path) = (words.next().unwrap_or(""), words.next().unwrap_or(""));
    seen.requests
        .lock()
        .expect("no thread panics")
        .push(format!("{method} {path}"));
    let json = ("Content-Type", "application/json");
    let body = method != "HEAD";
    if path.starts_with("/token") {
        say(
            &mut stream,
            "200 OK",
            &[json],
            br#"{"token":"let-me-in"}"#,
            body,
        );
        return Ok(());
    }
    let repository = path.trim_start_matches("/v2/");
    let kind = repository.split('/').next().unwrap_or("");
    let let_in = head.contains("Bearer let-me-in");
    match kind {
        // Engines ask here first, and learn how to be let in.
        "" if let_in => say(&mut stream, "200 OK", &[json], b"{}", body),
        "" => who_are_you(&mut stream, at, "", body),
        "silent" => wait_for_the_end(&mut stream),
        "busy" => {
            let text = error("TOOMANYREQUESTS", "You have reached your pull rate limit.");
            let limits = [
                json,
                ("RateLimit-Limit", "100;w=21600"),
                ("RateLimit-Remaining", "0;w=21600"),
            ];
            say(&mut stream, "429 Too Many Requests", &limits, &text, body);
        }
        "private" => who_are_you(&mut stream, at, kind, body),
        "metered" if !let_in => who_are_you(&mut stream, at, kind, body),
        "good" | "metered" | "slow" => give(&mut stream, path, image, seen, (kind, body)),
        _ => {
            let text = error("MANIFEST_UNKNOWN", "manifest unknown");
            say(&mut stream, "404 Not Found", &[json], &text, body);
        }
    }
    Ok(())
}

/// Asks for a token, and says where tokens are given.
fn who_are_you(stream: &mut TcpStream, at: &str, kind: &str, body: bool) {
    let challenge = format!(
        "Bearer realm=\"http://{at}/token\",service=\"test\",scope=\"repository:{kind}/noise:pull\""
    );
    let headers = [
        ("Content-Type", "application/json"),
        ("WWW-Authenticate", challenge.as_str()),
    ];
    let text = error("UNAUTHORIZED", "authentication required");
    say(stream, "401 Unauthorized", &headers, &text, body);
}

/// A part of the image; the layer of `slow` comes a few bytes at a time.
fn give(stream: &mut TcpStream, path: &str, image: &Image, seen: &Seen, how: (&str, bool)) {
    let (kind, body) = how;
    if path.contains("/manifests/") {
        let digest = digest(&image.manifest);
        let mut headers = vec![
            ("Content-Type", MANIFEST),
            ("Docker-Content-Digest", &digest),
        ];
        if kind == "metered" {
            headers.push(("RateLimit-Limit", "100;w=21600"));
            headers.push(("RateLimit-Remaining", "76;w=21600"));
        }
        say(stream, "200 OK", &headers, &image.manifest, body);
        return;
    }
    let name = path.rsplit('/').next().unwrap_or("");
    let Some(blob) = image.blobs.get(name) else {
        say(
            stream,
            "404 Not Found",
            &[],
            &error("BLOB_UNKNOWN", "blob unknown"),
            body,
        );
        return;
    };
    if kind == "slow" && name == image.layer {
        let length = blob.len();
        let begin = format!("HTTP/1.1 200 OK\r\nContent-Length: {length}\r\n\r\n");
        let _ = stream.write_all(begin.as_bytes());
        seen.held.fetch_add(1, Ordering::SeqCst);
        // An engine that has given up takes no more; all of it would take minutes.
        for few in blob.chunks(256) {
            if stream.write_all(few).and_then(|()| stream.flush()).is_err() {
                break;
            }
            std::thread::sleep(Duration::from_millis(100));
        }
        seen.left.fetch_add(1, Ordering::SeqCst);
        return;
    }
    say(
        stream,
        "200 OK",
        &[("Content-Type", "application/octet-stream")],
        blob,
        body,
    );
}

/// Waits until the client has gone.
fn wait_for_the_end(stream: &mut TcpStream) {
    let mut chunk = [0; 1024];
    while stream.read(&mut chunk).is_ok_and(|count| count > 0) {}
}

/// Whether the engine has an image; it is removed.
fn had(reference: &str) -> bool {
    use loadline::engine::Engine as _;

    let runtime = tokio::runtime::Runtime::new().expect("threads");
    runtime.block_on(async {
        let engine = loadline::engine::find::find().await.expect("it answers");
        let found = engine.inspect(reference).await.expect("it answers");
        engine.remove_image(reference).await.expect("it is ours");
        found.is_some()
    })
}

#[test]
fn a_pull_brings_the_image_and_tells_the_quota_where_there_is_one() {
    if !engine() {
        return;
    }
    let registry = Registry::start();
    for (repository, quota) in [("good/noise", false), ("metered/noise", true)] {
        let reference = registry.reference(repository);
        let ended = sandbox().run(&["bases", "pull", &reference]);
        assert_eq!(ended.code, Some(0), "{}", registry.shown(&ended));
        assert!(ended.stdout.contains("is ready"), "{}", ended.shown());
        assert!(ended.stderr.contains(": pulling"), "{}", ended.shown());
        let told = ended
            .stderr
            .contains("76 of 100 pulls more (of those within 6 h)");
        assert_eq!(told, quota, "{}", ended.shown());
        assert!(had(&reference), "the engine has no {reference}");
    }
    // The question is free: the first request for a manifest asks for none of its bytes.
    let first = registry
        .requests()
        .into_iter()
        .find(|line| line.contains("/manifests/"));
    assert_eq!(first.as_deref(), Some("HEAD /v2/good/noise/manifests/1"));
}

#[test]
fn a_pull_that_is_interrupted_ends_its_download_and_leaves_no_image() {
    if !engine() {
        return;
    }
    let registry = Registry::start();
    let reference = registry.reference("slow/noise");
    let sandbox = sandbox();
    let running = sandbox.start(&["bases", "pull", &reference]);
    wait_until("the download is in the middle", || {
        registry.seen.held.load(Ordering::SeqCst) > 0
    });
    assert_eq!(registry.seen.left.load(Ordering::SeqCst), 0);
    running.signal(Signal::INT);
    let ended = running.end();
    assert_eq!(ended.code, Some(130), "{}", ended.shown());
    wait_until("the engine's download has ended", || {
        let held = registry.seen.held.load(Ordering::SeqCst);
        registry.seen.left.load(Ordering::SeqCst) == held
    });
    assert!(!had(&reference), "half an image became one");
}

#[test]
fn what_a_registry_refuses_has_its_cause_and_a_next_step() {
    if !engine() {
        return;
    }
    let registry = Registry::start();
    let refused = ["absent/noise", "busy/noise", "private/noise"].map(|repository| {
        let reference = registry.reference(repository);
        registry.shown(&sandbox().run(&["bases", "pull", &reference]))
    });
    insta::assert_snapshot!(refused.join("\n"), @"
    stdout:
    [registry]/absent/noise:1 is not ready
    stderr:
    [registry]/absent/noise:1: pulling
    error: the registry `[registry]` has no image `[registry]/absent/noise:1`
      hint: check the name and the tag; `loadline bases` lists the base images of the course
    exit code: 2

    stdout:
    [registry]/busy/noise:1 is not ready
    stderr:
    [registry]/busy/noise:1: pulling
    [registry]/busy/noise:1: [registry] gives this address 0 of 100 pulls more (of those within 6 h)
    error: the quota of the registry `[registry]` is used up: 100 pulls for this address within 6 h
      hint: wait until it is there again, or log in and pull with the engine's own client (`docker login`, `docker pull`); meanwhile `loadline bases build REFERENCE` makes a stand-in where there can be one
    exit code: 4

    stdout:
    [registry]/private/noise:1 is not ready
    stderr:
    [registry]/private/noise:1: pulling
    error: the registry `[registry]` does not give `[registry]/private/noise:1` without a login: unauthorized
      hint: check the name; where it is right, log in and pull it with the engine's own client (`docker login`, `docker pull`), and it is here for Loadline, too
    exit code: 4
    ");
}

#[test]
fn a_registry_that_never_answers_is_named_by_a_pull_and_by_a_check() {
    if !engine() {
        return;
    }
    let registry = Registry::start();
    let reference = registry.reference("silent/noise");
    let began = std::time::Instant::now();
    let pulled = sandbox().run(&["bases", "pull", &reference]);
    assert!(
        began.elapsed() < Duration::from_secs(60),
        "it was waited for"
    );
    insta::assert_snapshot!(registry.shown(&pulled), @"
    stdout:
    [registry]/silent/noise:1 is not ready
    stderr:
    [registry]/silent/noise:1: pulling
    error: registry `[registry]` cannot be used: it gives no sign of life
      hint: `loadline bases build REFERENCE` makes a stand-in where there can be one; a pack from a machine that has the image also helps: `loadline bases import FILE`
    exit code: 4
    ");

    let sandbox = sandbox();
    sandbox.write(
        "mine/Dockerfile",
        &format!("FROM {reference}\nCMD [\"/noise\"]\n"),
    );
    let checked = sandbox.run(&["check", "first-build", "--dir", "mine"]);
    let shown = registry.shown(&checked);
    assert_eq!(checked.code, Some(5), "{shown}");
    assert!(shown.contains("[registry] did not answer"), "{shown}");
    assert!(shown.contains("Dockerfile:1"), "{shown}");
    assert!(shown.contains("Next: "), "{shown}");
}

#[test]
fn a_check_builds_on_what_its_registry_gives() {
    if !engine() {
        return;
    }
    let registry = Registry::start();
    let reference = registry.reference("good/noise");
    let sandbox = sandbox();
    sandbox.write(
        "mine/Dockerfile",
        &format!("FROM {reference}\nCOPY greeting.txt .\n"),
    );
    let checked = sandbox.run(&["check", "first-build", "--dir", "mine"]);
    // Built on it, and judged: nothing in it can be run.
    assert_eq!(checked.code, Some(1), "{}", registry.shown(&checked));
    assert!(had(&reference), "the engine has no {reference}");
}
