//! What looking into an image costs. Needs an engine and 4 GB of disk: `make bench`.
//!
//! `cargo bench --bench layers` prints one line per figure with its budget, and fails where a
//! budget is missed. `LOADLINE_BENCH_ENGINE=none` leaves out what needs an engine.

#![expect(
    clippy::disallowed_methods,
    clippy::print_stdout,
    clippy::expect_used,
    reason = "a bench acts, prints its figures and stops where it cannot measure"
)]

use std::io;
use std::io::BufWriter;
use std::io::Read;
use std::io::Write;
use std::path::Path;
use std::process::Command;
use std::process::ExitCode;
use std::process::Stdio;
use std::sync::Arc;
use std::time::Duration;
use std::time::Instant;

use futures_util::StreamExt as _;
use loadline::attempt;
use loadline::engine::Engine;
use loadline::engine::find;
use loadline::image::Contents;
use loadline::image::Entry;
use loadline::image::EntryKind;
use loadline::image::Layer;
use loadline::image::archive;
use loadline::image::archive::Options;
use loadline::image::changes;
use loadline::image::dead::Ledger;
use loadline::image::efficiency::DiveFigures;
use loadline::image::tree::Tree;
use loadline::learner::LayerFacts;
use loadline::units::Bytes;
use sha2::Digest as _;
use sha2::Sha256;
use tokio_util::sync::CancellationToken;

/// The image under measurement.
const TAG: &str = "loadline.local/bench/layers:latest";

/// Runs of each kind, alternating.
const PAIRS: usize = 3;

fn median(mut figures: Vec<f64>) -> f64 {
    figures.sort_by(f64::total_cmp);
    figures.get(figures.len() / 2).copied().unwrap_or(f64::NAN)
}

/// Prints a figure beside its budget; whether it keeps it.
fn figure(name: &str, value: f64, unit: &str, budget: f64) -> bool {
    let kept = value <= budget;
    told(name, value, unit, &format!("budget {budget:>6.2}"), kept)
}

/// The same for a figure that is to be large.
fn at_least(name: &str, value: f64, unit: &str, budget: f64) -> bool {
    told(
        name,
        value,
        unit,
        &format!("wanted {budget:>6.2}"),
        value >= budget,
    )
}

fn told(name: &str, value: f64, unit: &str, budget: &str, kept: bool) -> bool {
    let word = if kept { "ok" } else { "OVER" };
    println!("{name:<48} {value:>8.2} {unit:<4} {budget}  {word}");
    kept
}

fn timed<T>(work: impl FnOnce() -> T) -> (T, f64) {
    let began = Instant::now();
    let done = work();
    (done, began.elapsed().as_secs_f64())
}

/// Bytes that do not repeat.
fn noise(length: usize) -> Vec<u8> {
    let mut state = 1_u64;
    let mut bytes = Vec::with_capacity(length + 8);
    while bytes.len() < length {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        bytes.extend_from_slice(&state.to_le_bytes());
    }
    bytes.truncate(length);
    bytes
}

fn header(path: &str, size: u64) -> tar::Header {
    let mut header = tar::Header::new_gnu();
    header.set_size(size);
    header.set_mode(0o644);
    header.set_path(path).expect("a short path");
    header.set_cksum();
    header
}

/// One layer: `files` files of `size` bytes each below a folder, and whiteouts.
fn layer(folder: &str, files: usize, size: usize, gone: &[String]) -> Vec<u8> {
    let noise = noise(size.max(1) + files);
    let mut builder = tar::Builder::new(Vec::new());
    for path in gone {
        builder
            .append(&header(path, 0), io::empty())
            .expect("memory");
    }
    for index in 0..files {
        let path = format!(
            "{folder}/{:03}/{:02}/file-{index}",
            index / 1000,
            index / 50 % 20
        );
        let payload = noise.get(index..index + size).expect("there is enough");
        builder
            .append(&header(&path, size as u64), payload)
            .expect("memory");
    }
    builder.into_inner().expect("memory")
}

/// Writes an archive as Docker 20.10 exports it.
fn write(path: &Path, layers: &[Vec<u8>]) {
    let hex = |layer: &Vec<u8>| {
        let digest = Sha256::digest(layer);
        digest
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect::<String>()
    };
    let ids: Vec<String> = layers
        .iter()
        .map(|layer| format!("sha256:{}", hex(layer)))
        .collect();
    let names: Vec<String> = (0..layers.len())
        .map(|index| format!("{index}/layer.tar"))
        .collect();
    let history: Vec<_> = names
        .iter()
        .map(|name| serde_json::json!({ "created_by": name }))
        .collect();
    let config = serde_json::json!({
        "architecture": "amd64", "os": "linux", "config": {}, "history": history,
        "rootfs": { "type": "layers", "diff_ids": ids },
    });
    let manifest = serde_json::json!([{ "Config": "c.json", "RepoTags": [TAG], "Layers": names }]);
    let file = std::fs::File::create(path).expect("a file");
    let mut builder = tar::Builder::new(BufWriter::new(file));
    let mut add = |name: &str, bytes: &[u8]| {
        builder
            .append(&header(name, bytes.len() as u64), bytes)
            .expect("the disk has room");
    };
    for (name, layer) in names.iter().zip(layers) {
        add(name, layer);
    }
    add("c.json", config.to_string().as_bytes());
    add("manifest.json", manifest.to_string().as_bytes());
    builder
        .into_inner()
        .expect("a file")
        .flush()
        .expect("the disk has room");
}

/// 1.2 GB in 25,000 files and 5 layers, of which one hides much of another.
fn large(path: &Path) {
    let gone: Vec<String> = (0..4)
        .map(|index| format!("small/.wh.{index:03}"))
        .collect();
    let layers = [
        layer("base", 12, 40_000_000, &[]),
        layer("small", 20_000, 12_000, &[]),
        layer("more", 5_000, 60_000, &[]),
        layer("base", 4, 45_000_000, &gone),
        layer("top", 100, 40_000, &[]),
    ];
    write(path, &layers);
}

/// 100,000 small files, half of them shipped twice.
fn many(path: &Path) {
    let gone: Vec<String> = (0..20).map(|index| format!("app/.wh.{index:03}")).collect();
    let layers = [
        layer("app", 50_000, 100, &[]),
        layer("app", 50_000, 101, &[]),
        layer("lib", 50_000, 100, &gone),
    ];
    write(path, &layers);
}

/// Runs the program on what it is fed or what it is told, and watches its memory: seconds, the
/// most megabytes that it had, and its exit code.
fn watched(args: &[&str], feed: Option<Box<dyn Read + Send>>) -> (f64, f64, Option<i32>) {
    let began = Instant::now();
    let mut child = Command::new(env!("CARGO_BIN_EXE_loadline"))
        .args(args)
        .stdin(if feed.is_some() {
            Stdio::piped()
        } else {
            Stdio::null()
        })
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("the program starts");
    if let (Some(mut feed), Some(mut stdin)) = (feed, child.stdin.take()) {
        std::thread::spawn(move || {
            // The program may have had enough.
            let _ = io::copy(&mut feed, &mut stdin);
        });
    }
    let status = format!("/proc/{}/status", child.id());
    let mut most = 0.0_f64;
    loop {
        let text = std::fs::read_to_string(&status).unwrap_or_default();
        let line = text.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        let kilobytes = line.and_then(|line| line.trim().strip_suffix(" kB")?.parse::<f64>().ok());
        most = most.max(kilobytes.unwrap_or(0.0) * 1024.0 / 1e6);
        if let Some(status) = child.try_wait().expect("it is our child") {
            return (began.elapsed().as_secs_f64(), most, status.code());
        }
        std::thread::sleep(Duration::from_millis(2));
    }
}

/// From the page cache, digests and contents hashed.
fn from_archive(path: &Path) -> bool {
    let bytes = std::fs::metadata(path).expect("a file").len();
    let name = path.display().to_string();
    let args = ["layers", name.as_str(), "--json", "--no-cache"];
    watched(&args, None);
    let runs: Vec<(f64, f64, Option<i32>)> = (0..PAIRS).map(|_| watched(&args, None)).collect();
    let seconds = median(runs.iter().map(|run| run.0).collect());
    let memory = runs.iter().map(|run| run.1).fold(0.0, f64::max);
    #[expect(
        clippy::cast_precision_loss,
        reason = "a rate is shown with two digits"
    )]
    let rate = bytes as f64 / seconds / 1e9;
    let fast = at_least("archive in the page cache, hashed", rate, "GB/s", 1.2);
    fast & figure("memory for a 1.2 GB image", memory, "MB", 60.0)
}

/// What a screen does with 100,000 files.
fn tree(path: &Path) -> bool {
    let file = std::fs::File::open(path).expect("a file");
    let (contents, read) = timed(|| archive::read(file, &Options::default()).expect("an image"));
    let (ledger, dead) = timed(|| Ledger::of(&contents));
    let (_, merged) = timed(|| Tree::of(&contents));
    let (_, changed) = timed(|| changes::changes(&contents, &ledger));
    let (_, heaps) = timed(|| ledger.heaps());
    let (_, dive) = timed(|| DiveFigures::of(&contents));
    let kept = [
        figure(
            "150,000 entries: reading the archive",
            read * 1e3,
            "ms",
            1000.0,
        ),
        figure("150,000 entries: the ledger", dead * 1e3, "ms", 300.0),
        figure("150,000 entries: the tree", merged * 1e3, "ms", 200.0),
        figure(
            "150,000 entries: what each layer changes",
            changed * 1e3,
            "ms",
            500.0,
        ),
        figure(
            "150,000 entries: heaps of dead bytes",
            heaps * 1e3,
            "ms",
            200.0,
        ),
        figure(
            "150,000 entries: the figures for comparison",
            dive * 1e3,
            "ms",
            400.0,
        ),
    ];
    let name = path.display().to_string();
    let (_, memory, _) = watched(&["layers", &name, "--no-cache"], None);
    !kept.contains(&false) & figure("150,000 entries: memory", memory, "MB", 150.0)
}

/// Trees that were made to take long: links through links on the way to every file, folders that
/// are hidden and made again, paths as deep as is allowed.
fn hostile_trees() -> bool {
    let entry = |path: String, kind: EntryKind| Entry {
        path,
        kind,
        size: Bytes(1),
        mode: 0,
        uid: 0,
        gid: 0,
        content: None,
        capabilities: false,
    };
    let long = "../".repeat(1000);
    let links = (0..40).map(|n| {
        let target = EntryKind::Symlink(format!("{long}l{}", n + 1));
        entry(format!("l{n}"), target)
    });
    // A link comes between any two files, so that no folder is found as the one before.
    let between = |n: usize| {
        entry(
            format!("m{}", n % 7),
            EntryKind::Symlink(String::from("l0")),
        )
    };
    let through = (0..150_000).flat_map(|n| {
        [
            between(n),
            entry(format!("l{}/f{n}", n % 39), EntryKind::File),
        ]
    });
    let again = |layer: usize| {
        let hide = entry(String::from("a"), EntryKind::Opaque);
        let files = (0..3000).map(move |n| entry(format!("a/{layer}/{n}"), EntryKind::File));
        std::iter::once(hide).chain(files).collect::<Vec<_>>()
    };
    let deep = "d/".repeat(250);
    let deeply = (0..100_000)
        .map(|n| entry(format!("{}/{deep}{n}", n % 500), EntryKind::File))
        .collect::<Vec<_>>();
    let trees: [(&str, Vec<Vec<Entry>>); 3] = [
        ("links through links", vec![links.chain(through).collect()]),
        (
            "folders hidden again and again",
            (0..100).map(again).collect(),
        ),
        ("paths as deep as is allowed", vec![deeply]),
    ];
    let mut kept = true;
    for (name, layers) in trees {
        let layers = layers.into_iter().map(|entries| Layer {
            entries,
            ..Layer::default()
        });
        let contents = Contents {
            layers: layers.collect(),
            ..Contents::default()
        };
        let (_, seconds) = timed(|| Ledger::of(&contents));
        kept &= figure(&format!("300,000 entries, {name}"), seconds, "s", 5.0);
    }
    kept
}

/// A tar archive of ten million files in one layer, made while it is read.
struct TenMillion {
    next: usize,
    block: Vec<u8>,
}

impl Read for TenMillion {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        if self.block.is_empty() {
            if self.next > 10_000_000 {
                return Ok(0);
            }
            let (path, size) = match self.next {
                0 => (String::from("1/layer.tar"), 512 * 10_000_001),
                index => (format!("{}/{index}", index / 1000), 0),
            };
            self.block = header(&path, size).as_bytes().to_vec();
            self.next += 1;
        }
        let count = self.block.len().min(into.len());
        let (now, later) = self.block.split_at(count);
        into.get_mut(..count)
            .expect("there is room")
            .copy_from_slice(now);
        self.block = later.to_vec();
        Ok(count)
    }
}

/// Archives that were made to do harm, at their real size.
fn hostile(folder: &Path) -> bool {
    let feed = || -> Option<Box<dyn Read + Send>> {
        let archive = TenMillion {
            next: 0,
            block: Vec::new(),
        };
        Some(Box::new(io::BufReader::with_capacity(1 << 20, archive)))
    };
    let (seconds, memory, code) = watched(&["layers", "-"], feed());
    let mut kept = vec![
        code == Some(2),
        figure("ten million files, until refused", seconds, "s", 10.0),
        figure("ten million files, memory", memory, "MB", 600.0),
    ];
    let size = 40_000_000_000_u64;
    let first = header("zeros", size);
    let zeros = first.as_bytes().chain(io::repeat(0).take(size));
    let bomb = zstd::encode_all(io::BufReader::with_capacity(1 << 20, zeros), 1).expect("memory");
    let inside = folder.join("inside.tar");
    let mut builder = tar::Builder::new(std::fs::File::create(&inside).expect("a file"));
    let head = header("blobs/sha256/b", bomb.len() as u64);
    builder
        .append(&head, bomb.as_slice())
        .expect("the disk has room");
    builder.finish().expect("the disk has room");
    let whole = folder.join("whole.tar.zst");
    std::fs::write(&whole, &bomb).expect("the disk has room");
    for (name, path) in [("a bomb as a layer", inside), ("a bomb as a whole", whole)] {
        let (seconds, memory, code) = watched(&["layers", &path.display().to_string()], None);
        kept.push(code == Some(2));
        kept.push(figure(&format!("{name}, until refused"), seconds, "s", 5.0));
        kept.push(figure(&format!("{name}, memory"), memory, "MB", 60.0));
    }
    !kept.contains(&false)
}

/// The export alone, to nowhere.
async fn bare(engine: &Arc<dyn Engine>) -> f64 {
    let began = Instant::now();
    let mut export = engine.export(TAG).await.expect("an export");
    while let Some(piece) = export.next().await {
        piece.expect("the stream is whole");
    }
    began.elapsed().as_secs_f64()
}

async fn read(engine: &Arc<dyn Engine>, options: &Options) -> (Contents, f64) {
    let began = Instant::now();
    let cancel = CancellationToken::new();
    let read = attempt::read_image(Arc::clone(engine), TAG.to_owned(), options.clone(), cancel);
    let contents = read.await.expect("it is read");
    (contents, began.elapsed().as_secs_f64())
}

/// Through the engine, against the export alone, alternating in one run.
async fn from_engine(archive: &Path, folder: &Path) -> bool {
    let engine: Arc<dyn Engine> = Arc::new(find::find().await.expect("an engine"));
    let file = tokio::fs::File::open(archive).await.expect("a file");
    let stream = futures_util::stream::unfold(file, |mut file| async move {
        use tokio::io::AsyncReadExt as _;
        let mut piece = vec![0; 1 << 20];
        let count = file.read(&mut piece).await.expect("it is readable");
        piece.truncate(count);
        (count > 0).then(|| (Ok(bytes::Bytes::from(piece)), file))
    });
    engine.load(Box::pin(stream)).await.expect("it is loaded");
    let mut ratios = Vec::new();
    for pair in 0..PAIRS {
        // Each goes first as often as the other, as nearly as can be.
        let (alone, ours) = if pair % 2 == 0 {
            let alone = bare(&engine).await;
            (alone, read(&engine, &Options::default()).await.1)
        } else {
            let ours = read(&engine, &Options::default()).await.1;
            (bare(&engine).await, ours)
        };
        println!("  export alone {alone:.2} s, read and hashed {ours:.2} s");
        ratios.push(ours / alone);
    }
    let facts = Options {
        facts: Some(Arc::new(LayerFacts::at(folder.join("facts")))),
        ..Options::default()
    };
    let (cold, cold_seconds) = read(&engine, &facts).await;
    let (warm, warm_seconds) = read(&engine, &facts).await;
    assert!(
        cold.layers == warm.layers,
        "what is remembered is what was read"
    );
    let _ = engine.remove_image(TAG).await;
    let kept = [
        figure(
            "read and hashed over the export alone",
            median(ratios),
            "x",
            1.15,
        ),
        figure("an image that is remembered", warm_seconds, "s", 0.5),
        figure(
            "remembered over read",
            warm_seconds / cold_seconds,
            "x",
            0.1,
        ),
    ];
    !kept.contains(&false)
}

fn main() -> ExitCode {
    let folder = tempfile::tempdir().expect("a folder");
    let path = |name: &str| folder.path().join(name);
    large(&path("large.tar"));
    many(&path("many.tar"));
    let mut kept = vec![
        from_archive(&path("large.tar")),
        tree(&path("many.tar")),
        hostile_trees(),
        hostile(folder.path()),
    ];
    if std::env::var("LOADLINE_BENCH_ENGINE").is_ok_and(|value| value == "none") {
        println!("left out: what needs an engine");
    } else {
        let runtime = tokio::runtime::Runtime::new().expect("a runtime");
        kept.push(runtime.block_on(from_engine(&path("large.tar"), folder.path())));
    }
    if kept.contains(&false) {
        return ExitCode::FAILURE;
    }
    ExitCode::SUCCESS
}
