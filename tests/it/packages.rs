//! What is installed, held against what the image's own tools and toolchains say of it.

use std::collections::BTreeMap;
use std::collections::BTreeSet;
use std::io::Write as _;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::time::Duration;

use loadline::bases;
use loadline::dockerfile::Dockerfile;
use loadline::engine::BuildRequest;
use loadline::engine::Engine;
use loadline::image::archive::Options;
use loadline::image::package::Gap;
use loadline::image::package::Inventory;
use loadline::image::package::Package;
use loadline::image::package::PackageKind;
use loadline::image::package::Packages;
use loadline::image::package::inventory;
use loadline::image::run::Probe;
use loadline::image::run::Run;
use loadline::image::run::Start;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use crate::host;
use crate::sandbox::Sandbox;

const TAG: &str = "loadline-test/packages";

/// Installs a package of each sort in a step of its own, then writes a record anew.
const INSTALLS: &str = "\
FROM BASE
COPY demo-1.2.3-py3-none-any.whl /tmp/
RUN mkdir -p /tmp/deb/DEBIAN /tmp/deb/usr/share/doc/demo-deb \\
    && printf 'Package: demo-deb\\nVersion: 2:4.5-6+b2\\nArchitecture: all\\nMaintainer: me <me@debian.org>\\nSource: demo-source (2:4.5-6)\\nDescription: x\\n' >/tmp/deb/DEBIAN/control \\
    && echo 'See /usr/share/common-licenses/GPL-3.' >/tmp/deb/usr/share/doc/demo-deb/copyright \\
    && dpkg-deb -b /tmp/deb /tmp/demo.deb && dpkg -i /tmp/demo.deb
RUN python3 -m pip install --no-index --no-cache-dir /tmp/demo-1.2.3-py3-none-any.whl
RUN cp /var/lib/dpkg/status /tmp/s && cp /tmp/s /var/lib/dpkg/status
";

/// Hides what it ships.
const HIDES: &str = "\
FROM BASE
RUN rm -rf /var/lib/dpkg
COPY tool /usr/local/bin/tool
";

/// The local name of a base, made here where it is missing.
async fn base(engine: &Arc<dyn Engine>, reference: &str) -> String {
    let options = bases::Options {
        no_registry: true,
        ..bases::Options::default()
    };
    let cache = Path::new(env!("CARGO_TARGET_TMPDIR")).join("bases");
    let service = bases::Service::new(Arc::clone(engine), cache, options);
    let service = service.expect("the catalogue is sound");
    let (to, mut progress) = mpsc::channel(1000);
    let drain = async { while progress.recv().await.is_some() {} };
    let ready = service.ensure(reference, to, CancellationToken::new());
    let (ready, ()) = tokio::join!(ready, drain);
    ready
        .unwrap_or_else(|error| panic!("{reference}: {error}"))
        .local
}

/// A wheel, made by hand: an archive with a module and its metadata.
fn wheel() -> Vec<u8> {
    let mut writer = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    let options = zip::write::SimpleFileOptions::default();
    for (path, text) in [
        ("demo/__init__.py", ""),
        (
            "demo-1.2.3.dist-info/METADATA",
            "Metadata-Version: 2.1\nName: Demo\nVersion: 1.2.3\nLicense-Expression: MIT\n",
        ),
        (
            "demo-1.2.3.dist-info/WHEEL",
            "Wheel-Version: 1.0\nGenerator: hand\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
        ),
        (
            "demo-1.2.3.dist-info/RECORD",
            "demo/__init__.py,,\ndemo-1.2.3.dist-info/METADATA,,\ndemo-1.2.3.dist-info/WHEEL,,\ndemo-1.2.3.dist-info/RECORD,,\n",
        ),
    ] {
        writer.start_file(path, options).expect("it fits");
        writer.write_all(text.as_bytes()).expect("it fits");
    }
    writer.finish().expect("it is whole").into_inner()
}

async fn build(
    engine: &Arc<dyn Engine>,
    name: &str,
    dockerfile: &str,
    files: &[(&str, &[u8])],
) -> String {
    let folder = tempfile::tempdir().expect("a folder");
    let context = folder.path().join("context.tar");
    let file = std::fs::File::create(&context).expect("the folder is writable");
    let mut builder = tar::Builder::new(file);
    for (path, bytes) in [("Dockerfile", dockerfile.as_bytes())].iter().chain(files) {
        let mut header = tar::Header::new_gnu();
        header.set_mode(0o755);
        header.set_size(bytes.len() as u64);
        builder
            .append_data(&mut header, path, *bytes)
            .expect("it fits");
    }
    builder.finish().expect("it is written");
    let request = BuildRequest {
        context: std::fs::File::open(context).expect("it is there").into(),
        dockerfile_path: String::from("Dockerfile"),
        dockerfile_apart: None,
        dockerfile: Arc::new(Dockerfile::parse(dockerfile)),
        tag: format!("{TAG}:{name}"),
        labels: BTreeMap::new(),
        owner: String::from("test-packages"),
        build_args: BTreeMap::new(),
        target: None,
        no_cache: false,
        network: false,
        within: Duration::from_secs(300),
    };
    let (to, mut events) = mpsc::channel(1000);
    let drain = async { while events.recv().await.is_some() {} };
    let (built, ()) = tokio::join!(engine.build(request, to, CancellationToken::new()), drain);
    built.unwrap_or_else(|error| panic!("{error}")).image
}

async fn installed(engine: &Arc<dyn Engine>, image: &str) -> Inventory {
    let options = Options {
        probes: vec![Arc::new(Packages)],
        ..Options::default()
    };
    let cancel = CancellationToken::new();
    let contents =
        loadline::attempt::read_image(Arc::clone(engine), image.to_owned(), options, cancel).await;
    inventory(&contents.expect("it is read"))
}

/// The lines that a command prints in a container of the image.
async fn said(engine: &Arc<dyn Engine>, image: &str, command: &[&str]) -> Vec<String> {
    let run = Run {
        start: Start {
            entrypoint: Some(command.iter().map(|word| (*word).to_owned()).collect()),
            args: Some(Vec::new()),
            ..Start::default()
        },
        probe: Probe::Exit,
        within: Duration::from_secs(60),
    };
    let outcome = engine
        .run(image, &run, CancellationToken::new())
        .await
        .expect("it runs");
    assert_eq!(outcome.exit, Some(0), "{:?}", outcome.stderr);
    assert!(outcome.stdout.is_whole());
    outcome.stdout.iter().map(ToString::to_string).collect()
}

fn of_kind(found: &Inventory, kind: PackageKind) -> BTreeMap<&str, &Package> {
    let packages = found.packages.iter().filter(|one| one.kind == kind);
    packages.map(|one| (one.name.as_str(), one)).collect()
}

async fn debs_are_those_of_dpkg(engine: &Arc<dyn Engine>, image: &str, found: &Inventory) {
    let debs = of_kind(found, PackageKind::Deb);
    let ours: BTreeSet<String> = debs
        .values()
        .map(|one| format!("{} {} {}", one.name, one.version, one.advised_name()))
        .collect();
    let format = "${db:Status-Status} ${Package} ${Version} ${source:Package}\\n";
    let theirs = said(engine, image, &["dpkg-query", "-W", "-f", format]).await;
    let theirs: BTreeSet<String> = theirs
        .iter()
        .filter_map(|line| line.strip_prefix("installed "))
        .map(str::to_owned)
        .collect();
    assert!(theirs.len() > 50, "{theirs:?}");
    assert_eq!(ours, theirs);
}

async fn python_is_that_of_pip(engine: &Arc<dyn Engine>, image: &str, found: &Inventory) {
    let python = of_kind(found, PackageKind::Python);
    let list = said(
        engine,
        image,
        &["python3", "-m", "pip", "list", "--format=freeze"],
    )
    .await;
    assert!(
        list.iter().any(|line| line.to_lowercase() == "demo==1.2.3"),
        "{list:?}"
    );
    for line in &list {
        let (name, version) = line.split_once("==").expect("a name and a version");
        let name = name.to_lowercase().replace(['_', '.'], "-");
        assert_eq!(
            python.get(name.as_str()).map(|one| one.version.as_str()),
            Some(version),
            "{name}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_records_are_read_as_dpkg_and_pip_read_them() {
    let Some(engine) = host::engine().await else {
        return;
    };
    let base = base(&engine, "python:3.13-slim").await;
    let base_layers = engine
        .inspect(&base)
        .await
        .expect("it answers")
        .expect("it is there")
        .diff_ids
        .len();
    let text = INSTALLS.replace("BASE", &base);
    let image = build(
        &engine,
        "installs",
        &text,
        &[("demo-1.2.3-py3-none-any.whl", &wheel())],
    )
    .await;
    let found = installed(&engine, &image).await;
    assert_eq!(
        found.distribution.as_ref().map(|one| one.id.as_str()),
        Some("debian")
    );

    debs_are_those_of_dpkg(&engine, &image, &found).await;
    python_is_that_of_pip(&engine, &image, &found).await;

    // Each package is the layer's that brought it, though later steps wrote the record anew.
    let debs = of_kind(&found, PackageKind::Deb);
    let python = of_kind(&found, PackageKind::Python);
    let deb = debs["demo-deb"];
    assert_eq!(deb.advised_name(), "demo-source");
    assert_eq!(deb.advised_version(), "2:4.5-6");
    assert_eq!(deb.licences, ["GPL-3"]);
    assert_eq!(deb.layer, base_layers + 1);
    assert_eq!(python["demo"].layer, base_layers + 2);
    assert_eq!(python["demo"].licences, ["MIT"]);
    let others = debs.values().filter(|one| one.name != "demo-deb");
    for one in others.clone() {
        assert!(one.layer < base_layers, "{one:?}");
    }
    // A few tell their licence in prose that no program reads for sure.
    let silent: Vec<&str> = others
        .filter(|one| one.licences.is_empty())
        .map(|one| one.name.as_str())
        .collect();
    assert!(silent.len() * 10 < debs.len(), "{silent:?}");
    assert_eq!(found.gaps, [], "a base of ours hides nothing");
    let _ = engine.remove_image(&format!("{TAG}:installs")).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_layer_hides_is_named_with_that_layer() {
    let Some(engine) = host::engine().await else {
        return;
    };
    let base = base(&engine, "python:3.13-slim").await;
    let tool = program(&["-C", "strip=symbols"]);
    let image = build(
        &engine,
        "hides",
        &HIDES.replace("BASE", &base),
        &[("tool", &tool)],
    )
    .await;
    let found = installed(&engine, &image).await;
    assert!(of_kind(&found, PackageKind::Deb).is_empty());
    let layers = engine
        .inspect(&image)
        .await
        .expect("it answers")
        .expect("it is there")
        .diff_ids
        .len();
    assert_eq!(
        found.gaps,
        [
            Gap::OpaqueBinary {
                path: String::from("usr/local/bin/tool"),
                layer: layers - 1,
            },
            Gap::RecordsRemoved {
                path: String::from("var/lib/dpkg/status"),
                layer: layers - 2,
            },
        ]
    );
    let _ = engine.remove_image(&format!("{TAG}:hides")).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn small_bases_name_what_they_are_made_of() {
    let Some(engine) = host::engine().await else {
        return;
    };
    for (reference, some) in [
        ("gcr.io/distroless/python3-debian13", "libc6"),
        ("gcr.io/distroless/static-debian13", "tzdata"),
    ] {
        let base = base(&engine, reference).await;
        let found = installed(&engine, &base).await;
        let debs = of_kind(&found, PackageKind::Deb);
        assert!(debs.contains_key(some), "{reference}: {:?}", debs.keys());
        assert_eq!(found.gaps, [], "{reference}");
    }
    // It carries no records, as its original: nobody can tell what its one program is made of.
    let busybox = base(&engine, "busybox").await;
    let found = installed(&engine, &busybox).await;
    assert_eq!(found.packages, []);
    let path = String::from("bin/busybox");
    assert_eq!(found.gaps, [Gap::OpaqueBinary { path, layer: 0 }]);
}

/// A small program, built with these options of the compiler.
fn program(options: &[&str]) -> Vec<u8> {
    let folder = tempfile::tempdir().expect("a folder");
    let source = folder.path().join("tool.rs");
    std::fs::write(&source, "fn main() {}").expect("the folder is writable");
    let program = folder.path().join("tool");
    let status = Command::new("rustc")
        .args(options)
        .arg("-o")
        .args([&program, &source])
        .status()
        .expect("rustc runs");
    assert!(status.success(), "rustc makes the program");
    std::fs::read(program).expect("it is there")
}

/// A module with a dependency in a folder, and one that replaces another.
const GO: [(&str, &str); 6] = [
    (
        "go.mod",
        "module example.com/app\n\ngo 1.21\n\nrequire (\n\texample.com/dep v1.4.0\n\texample.com/old v0.9.0\n)\n\nreplace example.com/dep => ./dep\n\nreplace example.com/old v0.9.0 => ./fork\n",
    ),
    (
        "main.go",
        "package main\n\nimport (\n\t\"example.com/dep\"\n\t\"example.com/old\"\n)\n\nfunc main() { println(dep.A, old.B) }\n",
    ),
    ("dep/go.mod", "module example.com/dep\n\ngo 1.21\n"),
    ("dep/dep.go", "package dep\n\nvar A = 1\n"),
    ("fork/go.mod", "module example.com/old\n\ngo 1.21\n"),
    ("fork/old.go", "package old\n\nvar B = 2\n"),
];

/// Go's programs name their modules in every way of linking them, as `go version -m` does.
#[tokio::test(flavor = "multi_thread")]
async fn go_s_programs_name_their_modules() {
    let version = Command::new("go")
        .args(["env", "GOVERSION"])
        .output()
        .expect("Go is there: `make tools` installs it");
    let version = String::from_utf8_lossy(&version.stdout)
        .trim()
        .replace("go", "");
    let folder = tempfile::tempdir().expect("a folder");
    for (path, text) in GO {
        let path = folder.path().join(path);
        std::fs::create_dir_all(path.parent().expect("a folder")).expect("it is writable");
        std::fs::write(path, text).expect("it is writable");
    }
    for (name, options) in [
        ("plain", &["-buildmode=exe"][..]),
        ("stripped", &["-ldflags=-s -w"][..]),
        ("pie", &["-buildmode=pie"][..]),
    ] {
        let program = folder.path().join(name);
        let status = Command::new("go")
            .arg("build")
            .args(options)
            .args(["-mod=mod", "-buildvcs=false", "-o"])
            .arg(&program)
            .arg(".")
            .current_dir(folder.path())
            .envs([
                ("GOFLAGS", ""),
                ("GOPROXY", "off"),
                ("CGO_ENABLED", "0"),
                ("GOTOOLCHAIN", "local"),
            ])
            .status()
            .expect("go runs");
        assert!(status.success(), "{name}");
        let bytes = std::fs::read(&program).expect("it is there");
        let found = in_archive(&[("app", &bytes)]);
        let names: Vec<String> = found
            .packages
            .iter()
            .map(|one| format!("{} {}", one.name, one.version))
            .collect();
        assert_eq!(
            names,
            [
                String::from("example.com/app (devel)"),
                String::from("example.com/dep (devel)"),
                String::from("example.com/old (devel)"),
                format!("stdlib {version}"),
            ],
            "{name}"
        );
        assert_eq!(found.gaps, [], "{name}");
    }
}

/// What is installed in an image of one layer with these programs.
fn in_archive(files: &[(&str, &[u8])]) -> Inventory {
    let tar_of = |files: &[(&str, &[u8])]| {
        let mut builder = tar::Builder::new(Vec::new());
        for (path, bytes) in files {
            let mut header = tar::Header::new_gnu();
            header.set_mode(0o755);
            header.set_size(bytes.len() as u64);
            builder
                .append_data(&mut header, path, *bytes)
                .expect("it fits");
        }
        builder.into_inner().expect("it is whole")
    };
    let layer = tar_of(files);
    let config = br#"{"architecture":"amd64","os":"linux","rootfs":{"type":"layers","diff_ids":["sha256:0"]}}"#;
    let manifest = br#"[{"Config":"config.json","Layers":["layer.tar"]}]"#;
    let archive = tar_of(&[
        ("layer.tar", &layer),
        ("config.json", config),
        ("manifest.json", manifest),
    ]);
    let options = Options {
        probes: vec![Arc::new(Packages)],
        ..Options::default()
    };
    let contents = loadline::image::archive::read(archive.as_slice(), &options);
    inventory(&contents.expect("it is an image"))
}

/// A program that is linked with the section that `cargo auditable` makes.
#[test]
fn rust_s_programs_name_their_crates() {
    let folder = tempfile::tempdir().expect("a folder");
    let list = br#"{"packages":[{"name":"app","version":"0.1.0","source":"local","root":true,"dependencies":[1]},{"name":"libc","version":"0.2.180","source":"crates.io"},{"name":"cc","version":"1.0.0","source":"crates.io","kind":"build"}],"format":1}"#;
    let mut packed = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::default());
    packed.write_all(list).expect("it fits");
    let packed = packed.finish().expect("it fits");
    let source = format!(
        "#[used]\n#[unsafe(link_section = \".dep-v0\")]\nstatic LIST: [u8; {}] = {packed:?};\nfn main() {{}}\n",
        packed.len()
    );
    std::fs::write(folder.path().join("a.rs"), source).expect("it is writable");
    let program = folder.path().join("a");
    let status = Command::new("rustc")
        .args(["--edition=2024", "-C", "strip=symbols", "-o"])
        .arg(&program)
        .arg(folder.path().join("a.rs"))
        .status()
        .expect("rustc runs");
    assert!(status.success());
    let bytes = std::fs::read(&program).expect("it is there");
    let found = in_archive(&[("app", &bytes)]);
    let names: Vec<String> = found
        .packages
        .iter()
        .map(|one| format!("{} {}", one.name, one.version))
        .collect();
    assert_eq!(names, ["app 0.1.0", "libc 0.2.180"]);
    assert_eq!(found.gaps, []);
}

/// The verb, at a shell: the same image gives the same bytes, from the engine and from a file.
#[tokio::test(flavor = "multi_thread")]
async fn the_verb_gives_the_same_bytes_each_time() {
    let Some(engine) = host::engine().await else {
        return;
    };
    let base = base(&engine, "gcr.io/distroless/static-debian13").await;
    let sandbox = Sandbox::new();
    for format in ["cyclonedx", "spdx", "json"] {
        let first = sandbox.run(&["sbom", &base, "--format", format]);
        assert_eq!(
            (first.code, first.stderr.as_str()),
            (Some(0), ""),
            "{format}"
        );
        let again = sandbox.run(&["sbom", &base, "--format", format]);
        assert_eq!(first.stdout, again.stdout, "{format}");
        let value: serde_json::Value = serde_json::from_str(&first.stdout).expect("it is JSON");
        assert!(value.is_object());
    }
    let list = sandbox.run(&["sbom", &base]);
    assert!(list.stdout.contains("tzdata"), "{}", list.stdout);
    let file = sandbox.path("out.json").display().to_string();
    let written = sandbox.run(&["sbom", &base, "--format", "spdx", "-o", &file]);
    assert_eq!((written.code, written.stdout.as_str()), (Some(0), ""));
    let text = std::fs::read_to_string(&file).expect("it is written");
    assert!(text.contains("SPDX-2.3"));
    let wrong = sandbox.run(&["sbom", &base, "-o", "/no/such/folder/x"]);
    assert_eq!(wrong.code, Some(2));
    assert!(
        wrong.stderr.contains("cannot be written"),
        "{}",
        wrong.stderr
    );
}
