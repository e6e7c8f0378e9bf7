//! Exports of a real engine: what the pass over an image reads is what was built, in every layout.

use std::collections::BTreeMap;
use std::io::Read;
use std::io::Write;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::time::Duration;

use futures_util::StreamExt;
use loadline::dockerfile::Dockerfile;
use loadline::engine::BuildRequest;
use loadline::engine::Engine;
use loadline::image::Contents;
use loadline::image::EntryKind;
use loadline::image::archive;
use loadline::image::archive::Options;
use loadline::image::binary::Linking;
use loadline::image::binary::Program;
use loadline::image::tree::Tree;
use loadline::units::Bytes;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use crate::host;

const TAG: &str = "loadline-test/image-export:1";

/// A program for images without a shell: copies or removes files.
const TOOL: &str = r#"
fn main() {
    let words: Vec<String> = std::env::args().collect();
    match words[1].as_str() {
        "rm" => std::fs::remove_dir_all(&words[2]).unwrap(),
        "cp" => { std::fs::copy(&words[2], &words[3]).unwrap(); }
        "ln" => std::fs::hard_link(&words[2], &words[3]).unwrap(),
        _ => std::process::exit(2),
    }
}
"#;

const DOCKERFILE: &str = r#"FROM scratch
COPY tool /bin/tool
COPY data /data
ENV A=b
RUN ["/bin/tool", "cp", "/data/big", "/copy"]
RUN ["/bin/tool", "ln", "/copy", "/link"]
RUN ["/bin/tool", "rm", "/data"]
USER 65532
ENTRYPOINT ["/bin/tool"]
"#;

const TOKEN: &str = "canary-7f3d9a1b55e0";

/// A static program, and the context with it.
fn context(folder: &Path) -> (Vec<u8>, std::path::PathBuf) {
    let source = folder.join("tool.rs");
    std::fs::write(&source, TOOL).expect("the folder is writable");
    let program = folder.join("tool");
    let status = Command::new("rustc")
        .args([
            "-O",
            "-C",
            "target-feature=+crt-static",
            "-C",
            "strip=symbols",
            "-o",
        ])
        .args([&program, &source])
        .status()
        .expect("rustc runs");
    assert!(status.success(), "rustc makes the static program");
    let program = std::fs::read(program).expect("it is there");
    let tar_path = folder.join("context.tar");
    let file = std::fs::File::create(&tar_path).expect("the folder is writable");
    let mut builder = tar::Builder::new(file);
    let mut add = |path: &str, mode: u32, bytes: &[u8]| {
        let mut header = tar::Header::new_gnu();
        header.set_mode(mode);
        header.set_size(bytes.len() as u64);
        builder
            .append_data(&mut header, path, bytes)
            .expect("it fits");
    };
    add("Dockerfile", 0o644, DOCKERFILE.as_bytes());
    add("tool", 0o755, &program);
    add("data/big", 0o644, &[b'x'; 300_000]);
    add("data/secret", 0o600, TOKEN.as_bytes());
    builder.finish().expect("it is written");
    (program, tar_path)
}

async fn build(engine: &Arc<dyn Engine>, context: std::path::PathBuf) -> String {
    let request = BuildRequest {
        context: std::fs::File::open(context).expect("it is there").into(),
        dockerfile_path: String::from("Dockerfile"),
        dockerfile_apart: None,
        dockerfile: Arc::new(Dockerfile::parse(DOCKERFILE)),
        tag: TAG.to_owned(),
        labels: BTreeMap::new(),
        owner: String::from("test-image-export"),
        build_args: BTreeMap::new(),
        target: None,
        no_cache: false,
        network: false,
        within: Duration::from_secs(120),
    };
    let (to, mut events) = mpsc::channel(1000);
    let drain = async { while events.recv().await.is_some() {} };
    let (built, ()) = tokio::join!(engine.build(request, to, CancellationToken::new()), drain);
    built.unwrap_or_else(|error| panic!("{error}")).image
}

async fn export(engine: &Arc<dyn Engine>, image: &str) -> Vec<u8> {
    let mut stream = engine.export(image).await.expect("it exports");
    let mut bytes = Vec::new();
    while let Some(piece) = stream.next().await {
        bytes.extend_from_slice(&piece.expect("the stream is whole"));
    }
    bytes
}

fn options() -> Options {
    Options {
        needles: vec![TOKEN.as_bytes().to_vec()],
        verify: true,
        ..Options::default()
    }
}

/// The parts of an export: every regular file by path, and where links point.
fn parts(bytes: &[u8]) -> (BTreeMap<String, Vec<u8>>, BTreeMap<String, String>) {
    let (mut files, mut links) = (BTreeMap::new(), BTreeMap::new());
    let mut archive = tar::Archive::new(bytes);
    for entry in archive.entries().expect("it is an archive") {
        let mut entry = entry.expect("an entry");
        let path = entry.path().expect("a path").to_string_lossy().into_owned();
        if let Some(target) = entry.link_name().expect("a link") {
            links.insert(
                path,
                target
                    .to_string_lossy()
                    .trim_start_matches("../")
                    .to_owned(),
            );
        } else {
            let mut payload = Vec::new();
            entry.read_to_end(&mut payload).expect("a payload");
            files.insert(path, payload);
        }
    }
    (files, links)
}

/// The same image as the containerd store exports it: an OCI layout with compressed layers.
fn as_oci(bytes: &[u8], compress: fn(&[u8]) -> Vec<u8>) -> Vec<u8> {
    let (files, links) = parts(bytes);
    let manifest: serde_json::Value =
        serde_json::from_slice(&files["manifest.json"]).expect("a manifest");
    let name = |value: &serde_json::Value| value.as_str().expect("a path").to_owned();
    let config = name(&manifest[0]["Config"]);
    let mut blobs: BTreeMap<String, Vec<u8>> = BTreeMap::new();
    let mut layers = Vec::new();
    for (index, path) in manifest[0]["Layers"]
        .as_array()
        .expect("layers")
        .iter()
        .enumerate()
    {
        let mut path = name(path);
        while let Some(target) = links.get(&path) {
            path.clone_from(target);
        }
        let digest = format!("{:064x}", 0xfff - index);
        blobs.insert(format!("blobs/sha256/{digest}"), compress(&files[&path]));
        layers.push(serde_json::json!({ "digest": format!("sha256:{digest}") }));
    }
    let (config_digest, manifest_digest) = ("c".repeat(64), "d".repeat(64));
    blobs.insert(
        format!("blobs/sha256/{config_digest}"),
        files[&config].clone(),
    );
    let document = serde_json::json!({
        "schemaVersion": 2,
        "config": { "digest": format!("sha256:{config_digest}") },
        "layers": layers,
    });
    blobs.insert(
        format!("blobs/sha256/{manifest_digest}"),
        document.to_string().into_bytes(),
    );
    let index =
        serde_json::json!({ "manifests": [{ "digest": format!("sha256:{manifest_digest}") }] });
    blobs.insert(String::from("index.json"), index.to_string().into_bytes());
    let mut builder = tar::Builder::new(Vec::new());
    for (path, payload) in blobs {
        let mut header = tar::Header::new_gnu();
        header.set_mode(0o644);
        header.set_size(payload.len() as u64);
        builder
            .append_data(&mut header, path, payload.as_slice())
            .expect("it fits");
    }
    builder.into_inner().expect("it is written")
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(bytes).expect("memory is enough");
    encoder.finish().expect("memory is enough")
}

fn zstd(bytes: &[u8]) -> Vec<u8> {
    zstd::encode_all(bytes, 1).expect("memory is enough")
}

fn check(contents: &Contents, program: &[u8]) {
    let tool = program.len() as u64;
    let sizes: Vec<u64> = contents
        .layers
        .iter()
        .map(|layer| layer.shipped.0)
        .collect();
    // The second name of a file copies it up into its layer, once.
    assert_eq!(sizes, [tool, 300_000 + 19, 300_000, 300_000, 0]);
    let made: Vec<&str> = contents
        .layers
        .iter()
        .filter_map(|layer| layer.created_by.as_deref())
        .collect();
    assert_eq!(made.len(), 5);
    assert!(
        made[0].contains("/bin/tool") && made[4].contains("rm"),
        "{made:?}"
    );
    assert_eq!(contents.config.user, "65532");
    assert_eq!(contents.config.entrypoint, ["/bin/tool"]);
    let tree = Tree::of(contents);
    let found = tree.find("/bin/tool").expect("it is there");
    let linking = match found.program {
        Some(Program::Elf(elf)) => elf.linking.clone(),
        other => panic!("{other:?}"),
    };
    assert!(
        matches!(linking, Linking::Static | Linking::StaticPie),
        "{linking}"
    );
    assert!(tree.find("data").is_err(), "the folder was deleted");
    assert!(
        contents.layers[4]
            .entries
            .iter()
            .any(|entry| entry.kind == EntryKind::Whiteout)
    );
    assert_eq!(tree.live(), Bytes(tool + 300_000));
    // The deleted token is still shipped.
    assert_eq!(contents.hits.len(), 1);
    let hit = &contents.hits[0];
    assert_eq!((hit.layer, hit.path.as_str()), (1, "data/secret"));
    assert!(!tree.shows(1, "data/secret"));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_export_is_read_as_it_was_built_and_equally_in_every_layout() {
    let Some(engine) = host::engine().await else {
        return;
    };
    let folder = tempfile::tempdir().expect("a folder");
    let (program, context) = context(folder.path());
    let image = build(&engine, context).await;
    let bytes = export(&engine, &image).await;
    let summary = engine
        .inspect(&image)
        .await
        .expect("it answers")
        .expect("it is there");
    let _ = engine.remove_image(TAG).await;

    let contents = archive::read(bytes.as_slice(), &options()).expect("it is read");
    check(&contents, &program);
    let ids: Vec<&String> = contents.layers.iter().map(|layer| &layer.diff_id).collect();
    assert_eq!(ids, summary.diff_ids.iter().collect::<Vec<_>>());
    if let Some(sizes) = summary.layer_sizes {
        let own: Vec<Bytes> = contents.layers.iter().map(|layer| layer.shipped).collect();
        assert_eq!(sizes, own, "the engine's figures agree where they are used");
    }
    for (name, compress) in [("gzip", gzip as fn(&[u8]) -> Vec<u8>), ("zstd", zstd)] {
        let oci = as_oci(&bytes, compress);
        let again = archive::read(oci.as_slice(), &options()).expect("it is read");
        assert_eq!(again, contents, "{name}");
    }
}
