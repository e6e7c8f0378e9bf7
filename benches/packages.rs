//! What listing the packages of a large image costs. Needs 4 GB of disk and no engine.
//!
//! `cargo bench --bench packages` prints one line per figure with its budget, and fails where a
//! budget is missed. The archive is made by hand: what people put into one large image, Debian,
//! Node, Maven, Go and Python side by side.

#![expect(
    clippy::disallowed_methods,
    clippy::print_stdout,
    clippy::expect_used,
    reason = "a bench acts, prints its figures and stops where it cannot measure"
)]

use std::fmt::Write as _;
use std::io::BufWriter;
use std::io::Cursor;
use std::io::Write as _;
use std::path::Path;
use std::process::Command;
use std::process::ExitCode;
use std::process::Stdio;
use std::sync::Arc;
use std::time::Duration;
use std::time::Instant;

use loadline::image::archive;
use loadline::image::archive::Options;
use loadline::image::package::Packages;
use loadline::image::package::inventory;
use sha2::Digest as _;
use sha2::Sha256;
use zip::CompressionMethod;
use zip::ZipWriter;
use zip::write::SimpleFileOptions;

/// Runs of each kind.
const RUNS: usize = 3;

const DEBS: usize = 500;
const MODULES: usize = 2_500;
const JARS: usize = 300;
const NESTED: usize = 50;
const PROGRAMS: usize = 8;
const WHEELS: usize = 400;

fn median(mut figures: Vec<f64>) -> f64 {
    figures.sort_by(f64::total_cmp);
    figures.get(figures.len() / 2).copied().unwrap_or(f64::NAN)
}

/// Prints a figure beside its budget; whether it keeps it.
fn figure(name: &str, value: f64, unit: &str, budget: f64) -> bool {
    let kept = value <= budget;
    let word = if kept { "ok" } else { "OVER" };
    println!("{name:<48} {value:>8.2} {unit:<4} budget {budget:>6.2}  {word}");
    kept
}

/// Bytes that do not repeat.
fn noise(length: usize) -> Vec<u8> {
    let mut state = 7_u64;
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

/// A layer that is being made.
struct Layer {
    builder: tar::Builder<Vec<u8>>,
    noise: Vec<u8>,
    at: usize,
}

impl Layer {
    fn new() -> Self {
        Self {
            builder: tar::Builder::new(Vec::new()),
            noise: noise(8_000_000),
            at: 0,
        }
    }

    fn add(&mut self, path: &str, mode: u32, bytes: &[u8]) {
        let mut header = tar::Header::new_gnu();
        header.set_mode(mode);
        header.set_size(bytes.len() as u64);
        let added = self.builder.append_data(&mut header, path, bytes);
        added.expect("memory");
    }

    /// Bytes of no meaning.
    fn filler(&mut self, length: usize) -> Vec<u8> {
        let room = self.noise.len();
        let mut bytes = Vec::with_capacity(length);
        while bytes.len() < length {
            self.at = (self.at + 4099) % (room / 2);
            let count = (length - bytes.len()).min(room / 2);
            bytes.extend_from_slice(self.noise.get(self.at..self.at + count).unwrap_or_default());
        }
        bytes
    }

    fn text(&mut self, path: &str, text: &str) {
        self.add(path, 0o644, text.as_bytes());
    }

    fn blob(&mut self, path: &str, length: usize) {
        let bytes = self.filler(length);
        self.add(path, 0o644, &bytes);
    }

    /// A library that says nothing of what it was made of.
    fn library(&mut self, path: &str, length: usize) {
        let mut bytes = b"\x7fELF\x02\x01\x01\0\0\0\0\0\0\0\0\0\x03\0\x3e\0\x01\0\0\0".to_vec();
        bytes.resize(64, 0);
        bytes.extend(self.filler(length));
        self.add(path, 0o755, &bytes);
    }

    fn done(self) -> Vec<u8> {
        self.builder.into_inner().expect("memory")
    }
}

fn debian() -> Vec<u8> {
    let mut layer = Layer::new();
    layer.text(
        "usr/lib/os-release",
        "ID=debian\nVERSION_ID=13\nPRETTY_NAME=Debian\n",
    );
    let mut status = String::new();
    for index in 0..DEBS {
        let _ = write!(
            status,
            "Package: lib{index}\nStatus: install ok installed\nArchitecture: amd64\nVersion: 1:{index}.2-3+b1\nSource: src{index} ({index}.2-3)\nMaintainer: x <maintainer@example.org>\nDescription: a library\n{}\n",
            " more of it\n".repeat(20)
        );
        let mut list = String::new();
        for file in 0..10 {
            let path = format!("usr/lib/x86_64-linux-gnu/lib{index}-{file}.so");
            let _ = writeln!(list, "/{path}");
            if file < 3 {
                layer.library(&path, 180_000);
            } else {
                layer.blob(&path.replace(".so", ".txt"), 4_000);
            }
        }
        layer.text(&format!("var/lib/dpkg/info/lib{index}.list"), &list);
        layer.text(
            &format!("usr/share/doc/lib{index}/copyright"),
            &format!(
                "Format: x\n\nFiles: *\nLicense: GPL-2+\n\nLicense: GPL-2+\n{}",
                " text\n".repeat(300)
            ),
        );
    }
    layer.text("var/lib/dpkg/status", &status);
    layer.done()
}

fn node() -> Vec<u8> {
    let mut layer = Layer::new();
    for index in 0..MODULES {
        let folder = format!("app/node_modules/module-{index}");
        let manifest = serde_json::json!({
            "name": format!("module-{index}"), "version": "1.2.3", "license": "MIT",
            "description": "x".repeat(800), "dependencies": { "a": "^1.0.0", "b": "^2.0.0" },
        });
        layer.text(&format!("{folder}/package.json"), &manifest.to_string());
        for file in 0..10 {
            layer.blob(&format!("{folder}/lib/{file}.js"), 9_000);
        }
    }
    layer.done()
}

fn jar(index: usize, filler: &[u8], extra: &[(String, Vec<u8>)]) -> Vec<u8> {
    let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
    let packed = SimpleFileOptions::default();
    let stored = packed.compression_method(CompressionMethod::Stored);
    let mut add = |name: &str, bytes: &[u8], options: SimpleFileOptions| {
        writer.start_file(name, options).expect("memory");
        writer.write_all(bytes).expect("memory");
    };
    let pom = format!("groupId=org.example\nartifactId=part-{index}\nversion=1.{index}\n");
    let place = format!("META-INF/maven/org.example/part-{index}/pom.properties");
    add("META-INF/MANIFEST.MF", b"Manifest-Version: 1.0\n", packed);
    add(&place, pom.as_bytes(), packed);
    for (number, piece) in filler.chunks(5_000).enumerate() {
        add(&format!("org/example/C{number}.class"), piece, stored);
    }
    for (name, bytes) in extra {
        add(name, bytes, stored);
    }
    writer.finish().expect("memory").into_inner()
}

fn maven() -> Vec<u8> {
    let mut layer = Layer::new();
    for index in 0..JARS {
        let filler = layer.filler(800_000);
        let bytes = jar(index, &filler, &[]);
        layer.add(
            &format!("opt/lib/part-{index}-1.{index}.jar"),
            0o644,
            &bytes,
        );
    }
    for fat in 0..2 {
        let inner: Vec<(String, Vec<u8>)> = (0..NESTED)
            .map(|index| {
                let filler = layer.filler(700_000);
                let number = 1_000 * (fat + 1) + index;
                (
                    format!("BOOT-INF/lib/part-{number}.jar"),
                    jar(number, &filler, &[]),
                )
            })
            .collect();
        let bytes = jar(9_000 + fat, &[], &inner);
        layer.add(&format!("opt/app-{fat}.jar"), 0o644, &bytes);
    }
    layer.done()
}

/// A program of Go's: one writable segment, with the build information at its start.
fn program(layer: &mut Layer, length: usize) -> Vec<u8> {
    let mut modules = String::from("path\texample.com/app\nmod\texample.com/app\t(devel)\t\n");
    for index in 0..59 {
        let _ = writeln!(
            modules,
            "dep\texample.com/module/m{index}\tv1.{index}.0\th1:abc="
        );
    }
    let framed = [&[1; 16], modules.as_bytes(), &[2; 16]].concat();
    let mut info = b"\xff Go buildinf:\x08\x02".to_vec();
    info.resize(32, 0);
    for text in [b"go1.26.1".as_slice(), &framed] {
        let mut rest = text.len();
        while rest >= 0x80 {
            info.push(u8::try_from(rest & 0x7f).expect("seven bits") | 0x80);
            rest >>= 7;
        }
        info.push(u8::try_from(rest).expect("seven bits"));
        info.extend_from_slice(text);
    }
    let mut file = vec![0; 4096];
    let mut put = |at: usize, bytes: &[u8]| {
        if let Some(place) = file.get_mut(at..at + bytes.len()) {
            place.copy_from_slice(bytes);
        }
    };
    put(0, b"\x7fELF\x02\x01\x01\0\0\0\0\0\0\0\0\0\x02\0\x3e\0\x01");
    put(32, &64_u64.to_le_bytes());
    put(52, &64_u16.to_le_bytes());
    put(54, &56_u16.to_le_bytes());
    put(56, &1_u16.to_le_bytes());
    put(58, &64_u16.to_le_bytes());
    put(64, &1_u32.to_le_bytes());
    put(68, &6_u32.to_le_bytes());
    // Half of the program comes before its data, as code does.
    let before = length / 2 / 4096 * 4096;
    let rest = length - before;
    for (index, field) in [4096 + before, 4096, 4096, rest, rest, 4096]
        .iter()
        .enumerate()
    {
        put(72 + index * 8, &(*field as u64).to_le_bytes());
    }
    file.extend(layer.filler(before));
    file.extend_from_slice(&info);
    file.extend(layer.filler(rest - info.len()));
    file
}

fn go() -> Vec<u8> {
    let mut layer = Layer::new();
    for index in 0..PROGRAMS {
        let bytes = program(&mut layer, 42_000_000);
        layer.add(&format!("usr/local/bin/tool-{index}"), 0o755, &bytes);
    }
    let bytes = program(&mut layer, 110_000_000);
    layer.add("usr/local/bin/large", 0o755, &bytes);
    layer.done()
}

fn python() -> Vec<u8> {
    let mut layer = Layer::new();
    let place = "usr/local/lib/python3.13/site-packages";
    for index in 0..WHEELS {
        let info = format!("{place}/dist_{index}-1.{index}.dist-info");
        let mut record = String::new();
        for file in 0..60 {
            let path = format!("dist_{index}/part/{file}.py");
            let _ = writeln!(record, "{path},sha256=0123456789abcdef,8000");
            layer.blob(&format!("{place}/{path}"), 8_000);
        }
        let _ = writeln!(record, "dist_{index}/native.so,sha256=0,1");
        layer.library(&format!("{place}/dist_{index}/native.so"), 300_000);
        layer.text(&format!("{info}/RECORD"), &record);
        layer.text(
            &format!("{info}/METADATA"),
            &format!("Metadata-Version: 2.4\nName: Dist_{index}\nVersion: 1.{index}\nLicense-Expression: MIT\n\n{}", "words ".repeat(1_500)),
        );
    }
    layer.done()
}

/// Makes the tar stream of a layer, one at a time: together they would fill the memory.
type Make = fn() -> Vec<u8>;

/// Writes the archive as Docker 20.10 exports it.
fn write(path: &Path) {
    let makers: [(&str, Make); 5] = [
        ("debian", debian),
        ("node", node),
        ("maven", maven),
        ("go", go),
        ("python", python),
    ];
    let file = std::fs::File::create(path).expect("a file");
    let mut builder = tar::Builder::new(BufWriter::new(file));
    let (mut ids, mut names) = (Vec::new(), Vec::new());
    let mut add = |name: &str, bytes: &[u8]| {
        let mut header = tar::Header::new_gnu();
        header.set_mode(0o644);
        header.set_size(bytes.len() as u64);
        let added = builder.append_data(&mut header, name, bytes);
        added.expect("the disk has room");
    };
    for (name, make) in makers {
        let layer = make();
        let digest = Sha256::digest(&layer);
        let mut hex = String::new();
        for byte in digest {
            let _ = write!(hex, "{byte:02x}");
        }
        ids.push(format!("sha256:{hex}"));
        names.push(format!("{name}/layer.tar"));
        add(&format!("{name}/layer.tar"), &layer);
    }
    let history: Vec<_> = names
        .iter()
        .map(|name| serde_json::json!({ "created_by": format!("COPY {name}") }))
        .collect();
    let config = serde_json::json!({
        "architecture": "amd64", "os": "linux", "created": "2026-11-25T10:00:00Z",
        "config": {}, "history": history, "rootfs": { "type": "layers", "diff_ids": ids },
    });
    let manifest = serde_json::json!([{ "Config": "c.json", "Layers": names }]);
    add("c.json", config.to_string().as_bytes());
    add("manifest.json", manifest.to_string().as_bytes());
    let mut file = builder.into_inner().expect("a file");
    file.flush().expect("the disk has room");
}

/// Runs the program and watches its memory: seconds, and the most megabytes that it had.
fn watched(args: &[&str]) -> (f64, f64) {
    let began = Instant::now();
    let mut child = Command::new(env!("CARGO_BIN_EXE_loadline"))
        .args(args)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("the program starts");
    let status = format!("/proc/{}/status", child.id());
    let mut most = 0.0_f64;
    loop {
        let text = std::fs::read_to_string(&status).unwrap_or_default();
        let line = text.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        let kilobytes = line.and_then(|line| line.trim().strip_suffix(" kB")?.parse::<f64>().ok());
        most = most.max(kilobytes.unwrap_or(0.0) * 1024.0 / 1e6);
        if let Some(status) = child.try_wait().expect("it is our child") {
            assert!(status.success(), "it lists the packages");
            return (began.elapsed().as_secs_f64(), most);
        }
        std::thread::sleep(Duration::from_millis(2));
    }
}

fn main() -> ExitCode {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("packages.tar");
    write(&path);
    let bytes = std::fs::metadata(&path).expect("a file").len();
    #[expect(
        clippy::cast_precision_loss,
        reason = "a size is shown with two digits"
    )]
    let gigabytes = bytes as f64 / 1e9;
    let options = Options {
        probes: vec![Arc::new(Packages)],
        ..Options::default()
    };
    let file = std::fs::File::open(&path).expect("a file");
    let contents = archive::read(file, &options).expect("an image");
    let began = Instant::now();
    let found = inventory(&contents);
    let assembled = began.elapsed().as_secs_f64();
    drop(contents);
    println!(
        "{} packages in {gigabytes:.2} GB, {} gaps",
        found.packages.len(),
        found.gaps.len()
    );
    let name = path.display().to_string();
    let args = ["sbom", name.as_str(), "--format", "cyclonedx", "--no-cache"];
    watched(&args);
    let runs: Vec<(f64, f64)> = (0..RUNS).map(|_| watched(&args)).collect();
    let seconds = median(runs.iter().map(|run| run.0).collect());
    let memory = runs.iter().map(|run| run.1).fold(0.0, f64::max);
    let kept = [
        figure("packages of a large archive", seconds, "s", 3.0),
        figure("memory for it", memory, "MB", 150.0),
        figure("putting the notes together", assembled * 1e3, "ms", 300.0),
    ];
    if kept.contains(&false) {
        return ExitCode::FAILURE;
    }
    ExitCode::SUCCESS
}
