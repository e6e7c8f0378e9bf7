//! What the cases need: engines, a base without a registry, builds in one call.

use std::collections::BTreeMap;
use std::panic::AssertUnwindSafe;
use std::path::Path;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::OnceLock;
use std::sync::atomic::AtomicU32;
use std::sync::atomic::AtomicUsize;
use std::sync::atomic::Ordering;
use std::time::Duration;
use std::time::Instant;

use futures_util::FutureExt as _;
use loadline::dockerfile::Body;
use loadline::dockerfile::Dockerfile;
use loadline::dockerfile::Instruction;
use loadline::dockerfile::Keyword;
use loadline::dockerfile::Span;
use loadline::dockerfile::Stage;
use loadline::dockerfile::Word;
use loadline::engine::BuildError;
use loadline::engine::BuildEvent;
use loadline::engine::BuildRequest;
use loadline::engine::Built;
use loadline::engine::Engine;
use loadline::engine::address::Address;
use loadline::engine::docker::Choices;
use loadline::engine::docker::Docker;
use loadline::image::run::Probe;
use loadline::image::run::Run;
use loadline::image::run::RunOutcome;
use loadline::image::run::Start;
use tokio::sync::RwLock;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

/// The owner of everything that these tests make.
pub(crate) const OWNER: &str = "contract";

/// One engine under test.
pub(crate) struct Bench {
    pub(crate) engine: Docker,
    pub(crate) address: String,
    /// The references that the case built, or wanted to.
    pub(crate) built: Mutex<Vec<String>>,
}

/// An event and when it came.
pub(crate) type Timed = (Duration, BuildEvent);

/// How long one case may take on one engine: several times what the slowest takes on a busy host.
const CASE: Duration = Duration::from_secs(300);

/// Whether other cases may use an engine at the same time.
#[derive(Clone, Copy)]
enum Beside {
    Others,
    Nobody,
}

/// Runs a case on every engine, those behind one that fails included.
pub(crate) fn on_each_engine<F>(case: F)
where
    F: AsyncFn(&Bench),
{
    in_turn(Beside::Others, case);
}

/// Likewise, with no other case on the engine: while others build there, nothing on it is ended.
pub(crate) fn alone_on_each_engine<F>(case: F)
where
    F: AsyncFn(&Bench),
{
    in_turn(Beside::Nobody, case);
}

#[expect(clippy::needless_pass_by_value, reason = "cases are closures")]
fn in_turn<F>(beside: Beside, case: F)
where
    F: AsyncFn(&Bench),
{
    static CASES: AtomicUsize = AtomicUsize::new(0);
    if crate::host::is_left_out() {
        return;
    }
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    runtime.block_on(async {
        let mut benches = engines().await;
        // Cases that run at the same time begin on different engines.
        let first = CASES.fetch_add(1, Ordering::Relaxed) % benches.len();
        benches.rotate_left(first);
        let mut failed = Vec::new();
        for bench in benches {
            failed.extend(on(&bench, beside, &case).await);
        }
        assert!(failed.is_empty(), "{}", failed.join("; "));
    });
}

/// Runs a case on every engine at the same time: for one that mostly waits for them.
#[expect(clippy::needless_pass_by_value, reason = "cases are closures")]
pub(crate) fn on_all_engines_at_once<F>(case: F)
where
    F: AsyncFn(&Bench),
{
    if crate::host::is_left_out() {
        return;
    }
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    runtime.block_on(async {
        let benches = engines().await;
        let ended = benches.iter().map(|bench| on(bench, Beside::Others, &case));
        let failed = futures_util::future::join_all(ended).await;
        let failed: Vec<String> = failed.into_iter().flatten().collect();
        assert!(failed.is_empty(), "{}", failed.join("; "));
    });
}

/// The cases that are on an engine.
fn places(address: &str) -> Arc<RwLock<()>> {
    static PLACES: Mutex<BTreeMap<String, Arc<RwLock<()>>>> = Mutex::new(BTreeMap::new());
    let mut places = PLACES.lock().expect("no case fails here");
    Arc::clone(places.entry(address.to_owned()).or_default())
}

/// Runs a case on one engine; says how it ended where it did not pass.
#[expect(clippy::print_stdout, reason = "a failing test says on which engine")]
async fn on<F>(bench: &Bench, beside: Beside, case: &F) -> Option<String>
where
    F: AsyncFn(&Bench),
{
    let place = places(&bench.address);
    let _place = match beside {
        Beside::Others => Ok(place.read().await),
        Beside::Nobody => Err(place.write().await),
    };
    let began = Instant::now();
    let ran = AssertUnwindSafe(tokio::time::timeout(CASE, case(bench)));
    let ended = match ran.catch_unwind().await {
        Ok(Ok(())) => "passed",
        Ok(Err(_elapsed)) => "ran out of time",
        Err(_panic) => "failed",
    };
    // A case that passed has removed what it built.
    if ended != "passed" {
        let built = bench
            .built
            .lock()
            .map(|mut built| std::mem::take(&mut *built));
        for tag in built.unwrap_or_default() {
            let _ = bench.engine.remove_image(&tag).await;
        }
    }
    println!(
        "{ended} after {:.1?} on {} {}",
        began.elapsed(),
        bench.address,
        bench.engine.info().version
    );
    (ended != "passed").then(|| format!("{ended} on {}", bench.address))
}

/// The engines under test; at least one.
pub(crate) async fn engines() -> Vec<Bench> {
    let listed = std::env::var("LOADLINE_TEST_ENGINES").unwrap_or_default();
    let mut benches = Vec::new();
    for text in listed.split(',').filter(|text| !text.is_empty()) {
        let address = Address::parse(text, None).expect("LOADLINE_TEST_ENGINES lists addresses");
        let engine = Docker::connect(&address, Choices::default())
            .await
            .unwrap_or_else(|error| panic!("{text}: {error}; run `make test-engines`"));
        benches.push(Bench {
            engine,
            address: text.to_owned(),
            built: Mutex::default(),
        });
    }
    if benches.is_empty() {
        let engine = loadline::engine::find::find()
            .await
            .unwrap_or_else(|error| panic!("{error}; run `make engine` to start one"));
        benches.push(Bench {
            address: engine.info().address.clone(),
            engine,
            built: Mutex::default(),
        });
    }
    benches
}

/// A static busybox of this host's distribution: a base that needs no registry.
pub(crate) fn busybox() -> &'static [u8] {
    static BYTES: OnceLock<Vec<u8>> = OnceLock::new();
    BYTES.get_or_init(|| {
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("busybox-static");
        let program = ["bin/busybox", "usr/bin/busybox"];
        let found = || {
            program
                .iter()
                .find_map(|path| std::fs::read(folder.join(path)).ok())
        };
        if let Some(bytes) = found() {
            return bytes;
        }
        std::fs::create_dir_all(&folder).expect("a folder under target");
        let script = "apt-get download -q busybox-static && dpkg -x busybox-static_*.deb .";
        let done = std::process::Command::new("sh")
            .args(["-c", script])
            .current_dir(&folder)
            .output()
            .expect("a shell");
        assert!(
            done.status.success(),
            "busybox-static cannot be downloaded; run `apt-get update`: {}",
            String::from_utf8_lossy(&done.stderr)
        );
        found().expect("the package has a busybox")
    })
}

/// A base: busybox as `/bin/sh` and under the names that the cases call.
pub(crate) const BASE: &str = "FROM scratch
COPY busybox /bin/busybox
COPY busybox /bin/sh
ENV PATH=/bin
";

/// A name that no other case and no other run uses.
pub(crate) fn fresh(name: &str) -> String {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    let count = COUNT.fetch_add(1, Ordering::Relaxed);
    format!(
        "loadline.local/contract-{name}:{}-{count}",
        std::process::id()
    )
}

impl Bench {
    /// Builds a Dockerfile whose lines are one instruction each.
    pub(crate) async fn build(&self, tag: &str, dockerfile: &str) -> Result<Built, BuildError> {
        let (ended, _) = self
            .watch(tag, dockerfile, CancellationToken::new(), |_| {})
            .await;
        ended
    }

    /// Builds and keeps the events; `see` sees each as it comes.
    pub(crate) async fn watch(
        &self,
        tag: &str,
        dockerfile: &str,
        cancel: CancellationToken,
        see: impl FnMut(&BuildEvent),
    ) -> (Result<Built, BuildError>, Vec<Timed>) {
        let (_folder, request) = self.request(tag, dockerfile, &[]);
        self.follow(request, cancel, see).await
    }

    /// Likewise for a request.
    pub(crate) async fn follow(
        &self,
        request: BuildRequest,
        cancel: CancellationToken,
        mut see: impl FnMut(&BuildEvent),
    ) -> (Result<Built, BuildError>, Vec<Timed>) {
        let began = Instant::now();
        let (send, mut receive) = mpsc::channel(256);
        let reading = async {
            let mut events = Vec::new();
            while let Some(event) = receive.recv().await {
                see(&event);
                events.push((began.elapsed(), event));
            }
            events
        };
        tokio::join!(self.engine.build(request, send, cancel), reading)
    }

    /// A request with its context, which lives as long as the folder.
    pub(crate) fn request(
        &self,
        tag: &str,
        dockerfile: &str,
        files: &[(&str, &str)],
    ) -> (tempfile::TempDir, BuildRequest) {
        if let Ok(mut built) = self.built.lock() {
            built.push(tag.to_owned());
        }
        let folder = tempfile::tempdir().expect("a temporary folder");
        let context = context(folder.path(), dockerfile, files);
        let request = BuildRequest {
            context: std::fs::File::open(context).expect("it is there").into(),
            dockerfile_path: "Dockerfile".to_owned(),
            dockerfile_apart: None,
            dockerfile: Arc::new(parse(dockerfile)),
            tag: tag.to_owned(),
            labels: BTreeMap::new(),
            owner: OWNER.to_owned(),
            build_args: BTreeMap::new(),
            target: None,
            no_cache: false,
            network: false,
            within: Duration::from_secs(120),
        };
        (folder, request)
    }

    /// Runs a command in an image until it ends.
    pub(crate) async fn sh(&self, image: &str, script: &str, seconds: u64) -> RunOutcome {
        let start = Start {
            args: Some(vec!["sh".to_owned(), "-c".to_owned(), script.to_owned()]),
            ..Start::default()
        };
        self.run(image, start, Probe::Exit, seconds).await
    }

    /// Runs an image.
    pub(crate) async fn run(
        &self,
        image: &str,
        start: Start,
        probe: Probe,
        seconds: u64,
    ) -> RunOutcome {
        let run = Run {
            start,
            probe,
            within: Duration::from_secs(seconds),
        };
        self.engine
            .run(image, &run, CancellationToken::new())
            .await
            .unwrap_or_else(|error| panic!("{}: {error}", self.address))
    }

    /// Removes what a case built.
    pub(crate) async fn remove(&self, tag: &str) {
        self.engine
            .remove_image(tag)
            .await
            .unwrap_or_else(|error| panic!("{}: {error}", self.address));
    }
}

/// Writes a context archive.
fn context(folder: &Path, dockerfile: &str, files: &[(&str, &str)]) -> PathBuf {
    let path = folder.join("context.tar");
    let file = std::fs::File::create(&path).expect("a file");
    let mut builder = tar::Builder::new(file);
    let mut add = |name: &str, bytes: &[u8], mode| {
        let mut header = tar::Header::new_ustar();
        header.set_size(bytes.len() as u64);
        header.set_mode(mode);
        header.set_mtime(0);
        builder
            .append_data(&mut header, name, bytes)
            .expect("an entry");
    };
    add("Dockerfile", dockerfile.as_bytes(), 0o644);
    add("busybox", busybox(), 0o755);
    for (name, text) in files {
        add(name, text.as_bytes(), 0o644);
    }
    builder.into_inner().expect("an archive");
    path
}

/// A Dockerfile whose lines are one instruction each: these cases are about engines and bring
/// nothing that needs the real parser.
fn parse(text: &str) -> Dockerfile {
    let mut dockerfile = Dockerfile {
        text: text.to_owned(),
        ..Dockerfile::default()
    };
    for (line, text) in (1..).zip(text.lines()) {
        let Some((word, arguments)) = text.split_once(' ') else {
            continue;
        };
        let instruction = Instruction {
            keyword: Keyword::parse(word).unwrap_or(Keyword::Unknown),
            line,
            last_line: line,
            span: Span::default(),
            keyword_span: Span::default(),
            flags: Vec::new(),
            body: Body::Words(Vec::new()),
            heredocs: Vec::new(),
            arguments: arguments.to_owned(),
            places: loadline::dockerfile::Places::default(),
        };
        if instruction.keyword == Keyword::From {
            let mut words = arguments.split(' ');
            dockerfile.stages.push(Stage {
                index: dockerfile.stages.len(),
                base: Word {
                    text: words.next().unwrap_or_default().to_owned(),
                    span: Span::default(),
                },
                name: words.nth(1).map(str::to_owned),
                from: instruction,
                instructions: Vec::new(),
            });
        } else if let Some(stage) = dockerfile.stages.last_mut() {
            stage.instructions.push(instruction);
        }
    }
    dockerfile
}

/// Whether a process of this host has `marker` among its words: every engine of the matrix runs on
/// this host.
pub(crate) fn runs(marker: &str) -> bool {
    let processes = std::fs::read_dir("/proc").expect("/proc");
    processes.flatten().any(|process| {
        let own = process.file_name() == std::process::id().to_string().as_str();
        let words = std::fs::read(process.path().join("cmdline")).unwrap_or_default();
        !own && String::from_utf8_lossy(&words).contains(marker)
    })
}
