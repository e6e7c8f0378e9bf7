//! `loadline layers` on an image made for it, in every layout that archives come in.

use std::collections::BTreeMap;
use std::io::Write as _;
use std::path::Path;
use std::path::PathBuf;
use std::process::Stdio;

use serde_json::Value;
use serde_json::json;
use sha2::Digest as _;
use sha2::Sha256;

use crate::host;
use crate::sandbox::Sandbox;

pub(crate) type Packed = fn(&[u8]) -> Vec<u8>;

fn hex(bytes: &[u8]) -> String {
    let digest = Sha256::digest(bytes);
    digest.iter().map(|byte| format!("{byte:02x}")).collect()
}

pub(crate) fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(bytes).expect("memory");
    encoder.finish().expect("memory")
}

fn zstd(bytes: &[u8]) -> Vec<u8> {
    zstd::encode_all(bytes, 1).expect("memory")
}

/// A layer: `path bytes` (a file of so many of the path's first letter, or of the letter that
/// follows), `path/`, `path == target`, `path bytes mode`.
fn layer(entries: &[&str]) -> Vec<u8> {
    let mut builder = tar::Builder::new(Vec::new());
    for entry in entries {
        let mut header = tar::Header::new_gnu();
        header.set_mode(0o644);
        header.set_size(0);
        if let Some((path, target)) = entry.split_once(" == ") {
            header.set_entry_type(tar::EntryType::Link);
            builder
                .append_link(&mut header, path, target)
                .expect("memory");
            continue;
        }
        if entry.ends_with('/') {
            header.set_entry_type(tar::EntryType::Directory);
            header.set_mode(0o755);
            builder
                .append_data(&mut header, entry, std::io::empty())
                .expect("memory");
            continue;
        }
        let mut words = entry.split(' ');
        let path = words.next().expect("a path");
        let bytes: usize = words
            .next()
            .map_or(0, |word| word.parse().expect("a number"));
        if let Some(mode) = words.next() {
            header.set_mode(u32::from_str_radix(mode, 8).expect("a mode"));
        }
        header.set_size(bytes as u64);
        let payload = vec![path.as_bytes()[0]; bytes];
        builder
            .append_data(&mut header, path, payload.as_slice())
            .expect("memory");
    }
    builder.into_inner().expect("memory")
}

/// Files added, deleted, overwritten and chmod-ed, opaque folders, hard links, something replaced
/// and one whiteout of nothing.
pub(crate) fn made() -> Vec<(&'static str, Vec<u8>)> {
    vec![
        (
            "ADD rootfs /",
            layer(&[
                "big/",
                "big/a 300001",
                "big/sub/",
                "big/sub/b 2002",
                "chmod 6005",
                "d/",
                "d/below 7006",
                "hard/",
                "hard/one 9008",
                "hard/two == hard/one",
                "kept 1009",
                "over 5004",
                "solo 4003",
                "swap/",
                "swap/in 8007",
            ]),
        ),
        (
            "RUN /bin/sh -c rm -rf /big /solo # buildkit",
            layer(&[".wh.big", ".wh.solo", ".wh.nothing"]),
        ),
        ("COPY over / # buildkit", layer(&["over 5005"])),
        ("/bin/sh -c chmod 700 /chmod", layer(&["chmod 6005 700"])),
        ("RUN renew d", layer(&["d/", "d/.wh..wh..opq", "d/new 707"])),
        ("RUN replace swap", layer(&["swap 88"])),
        ("RUN rm /hard/one", layer(&["hard/", "hard/.wh.one"])),
    ]
}

const SHIPPED: u64 = 300_001
    + 2_002
    + 6_005
    + 7_006
    + 9_008
    + 1_009
    + 5_004
    + 4_003
    + 8_007
    + 5_005
    + 6_005
    + 707
    + 88;
const DEAD: u64 = 300_001 + 2_002 + 4_003 + 5_004 + 6_005 + 7_006 + 8_007;

pub(crate) fn tar_of(members: &BTreeMap<String, Vec<u8>>) -> Vec<u8> {
    let mut builder = tar::Builder::new(Vec::new());
    for (path, payload) in members {
        let mut header = tar::Header::new_gnu();
        header.set_mode(0o644);
        header.set_size(payload.len() as u64);
        builder
            .append_data(&mut header, path, payload.as_slice())
            .expect("memory");
    }
    builder.into_inner().expect("memory")
}

fn config(layers: &[(&str, Vec<u8>)], tag: &str) -> Vec<u8> {
    let steps = layers.iter().map(|(made, _)| json!({ "created_by": made }));
    let ids = layers
        .iter()
        .map(|(_, layer)| format!("sha256:{}", hex(layer)));
    let document = json!({
        "architecture": "amd64",
        "os": "linux",
        "config": { "Labels": { "tag": tag } },
        "history": steps.collect::<Vec<_>>(),
        "rootfs": { "type": "layers", "diff_ids": ids.collect::<Vec<_>>() },
    });
    document.to_string().into_bytes()
}

/// Docker's own layout before 25.0.
pub(crate) fn legacy(layers: &[(&str, Vec<u8>)], tag: &str) -> BTreeMap<String, Vec<u8>> {
    let mut members = BTreeMap::new();
    let mut names = Vec::new();
    for (index, (_, layer)) in layers.iter().enumerate() {
        let name = format!("{index:064}/layer.tar");
        members.insert(name.clone(), layer.clone());
        names.push(name);
    }
    let manifest = json!([{ "Config": "config.json", "RepoTags": [tag], "Layers": names }]);
    members.insert("config.json".to_owned(), config(layers, tag));
    members.insert(
        "manifest.json".to_owned(),
        manifest.to_string().into_bytes(),
    );
    members
}

/// The OCI layout, its index nested or not.
pub(crate) fn oci(
    layers: &[(&str, Vec<u8>)],
    pack: Packed,
    nested: bool,
) -> BTreeMap<String, Vec<u8>> {
    let mut members = BTreeMap::new();
    let mut put = |bytes: Vec<u8>| {
        let digest = hex(&bytes);
        members.insert(format!("blobs/sha256/{digest}"), bytes);
        json!({ "digest": format!("sha256:{digest}") })
    };
    let parts: Vec<Value> = layers.iter().map(|(_, layer)| put(pack(layer))).collect();
    let manifest = json!({ "config": put(config(layers, "")), "layers": parts });
    let mut named = put(manifest.to_string().into_bytes());
    if nested {
        let index = json!({ "manifests": [named] });
        named = put(index.to_string().into_bytes());
    }
    let index = json!({ "manifests": [named] });
    members.insert("index.json".to_owned(), index.to_string().into_bytes());
    members.insert(
        "oci-layout".to_owned(),
        b"{\"imageLayoutVersion\":\"1.0.0\"}".to_vec(),
    );
    members
}

/// Podman's, with layers by digest.
fn podman(layers: &[(&str, Vec<u8>)]) -> BTreeMap<String, Vec<u8>> {
    let mut members = BTreeMap::new();
    let mut names = Vec::new();
    for (_, layer) in layers {
        let name = format!("{}.tar", hex(layer));
        members.insert(name.clone(), layer.clone());
        names.push(name);
    }
    let manifest = json!([{ "Config": "config.json", "Layers": names }]);
    members.insert("config.json".to_owned(), config(layers, ""));
    members.insert(
        "manifest.json".to_owned(),
        manifest.to_string().into_bytes(),
    );
    members
}

pub(crate) fn file(sandbox: &Sandbox, name: &str, bytes: &[u8]) -> String {
    let path = sandbox.path(name);
    std::fs::write(&path, bytes).expect("a file");
    path.display().to_string()
}

fn folder(sandbox: &Sandbox, name: &str, members: &BTreeMap<String, Vec<u8>>) -> String {
    let root = sandbox.path(name);
    for (path, bytes) in members {
        let path = root.join(path);
        std::fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
        std::fs::write(path, bytes).expect("a file");
    }
    root.display().to_string()
}

fn layers_json(sandbox: &Sandbox, image: &str) -> Value {
    let ended = sandbox.run(&["layers", image, "--json"]);
    assert_eq!(
        (ended.code, ended.stderr.as_str()),
        (Some(0), ""),
        "{image}"
    );
    serde_json::from_str(&ended.stdout).expect("JSON")
}

fn check(found: &Value, name: &str) {
    let dead: Vec<String> = found["dead"]
        .as_array()
        .expect("a list")
        .iter()
        .map(|dead| {
            format!(
                "{} {} {}>{} {}",
                dead["path"].as_str().expect("a path"),
                dead["bytes"],
                dead["shipped_in"],
                dead["hidden_in"],
                dead["how"].as_str().expect("a word"),
            )
        })
        .collect();
    assert_eq!(
        dead,
        [
            "/big/a 300001 0>1 deleted",
            "/swap/in 8007 0>5 replaced",
            "/d/below 7006 0>4 opaque",
            "/chmod 6005 0>3 metadata_only",
            "/over 5004 0>2 overwritten",
            "/solo 4003 0>1 deleted",
            "/big/sub/b 2002 0>1 deleted",
        ],
        "{name}"
    );
    assert_eq!(found["schema"], "loadline.layers/v1");
    assert_eq!(found["shipped_bytes"], SHIPPED, "{name}");
    assert_eq!(found["dead_bytes"], DEAD, "{name}");
    assert_eq!(found["live_bytes"], SHIPPED - DEAD, "{name}");
    let efficiency = found["efficiency"].as_f64().expect("a number");
    let truth = f64::from(u32::try_from(SHIPPED - DEAD).expect("small"))
        / f64::from(u32::try_from(SHIPPED).expect("small"));
    assert!((efficiency - truth).abs() < 1e-9, "{name}: {efficiency}");
    let of_layers = |field: &str| -> Vec<u64> {
        let layers = found["layers"].as_array().expect("a list").iter();
        layers
            .map(|layer| layer[field].as_u64().expect("a number"))
            .collect()
    };
    assert_eq!(of_layers("index"), [0, 1, 2, 3, 4, 5, 6]);
    assert_eq!(of_layers("dead_bytes"), [DEAD, 0, 0, 0, 0, 0, 0]);
    assert_eq!(of_layers("shipped_bytes").iter().sum::<u64>(), SHIPPED);
    assert_eq!(of_layers("removed"), [0, 5, 0, 0, 1, 1, 1]);
    assert_eq!(
        found["layers"][3]["created_by"],
        "/bin/sh -c chmod 700 /chmod"
    );
}

#[test]
fn dead_bytes_are_the_truth_in_every_layout() {
    let sandbox = Sandbox::without_engine();
    let layers = made();
    let plain: Packed = <[u8]>::to_vec;
    let layouts = [
        ("legacy", legacy(&layers, "a:1")),
        ("podman", podman(&layers)),
        ("oci", oci(&layers, plain, false)),
        ("oci-gzip", oci(&layers, gzip, false)),
        ("oci-zstd", oci(&layers, zstd, false)),
        ("nested", oci(&layers, gzip, true)),
    ];
    for (name, members) in &layouts {
        let archive = tar_of(members);
        let words = [
            file(&sandbox, &format!("{name}.tar"), &archive),
            file(&sandbox, &format!("{name}.tar.gz"), &gzip(&archive)),
            file(&sandbox, &format!("{name}.tar.zst"), &zstd(&archive)),
            folder(&sandbox, name, members),
        ];
        for word in words {
            check(&layers_json(&sandbox, &word), &word);
            // From what is remembered, too.
            check(&layers_json(&sandbox, &word), &word);
        }
    }
}

#[test]
fn an_archive_may_come_through_a_pipe() {
    let sandbox = Sandbox::without_engine();
    let path = file(&sandbox, "a.tar", &tar_of(&legacy(&made(), "a:1")));
    let stdin = Stdio::from(std::fs::File::open(path).expect("a file"));
    let ended = sandbox.start_from(&["layers", "-", "--json"], stdin).end();
    check(&serde_json::from_str(&ended.stdout).expect("JSON"), "-");
}

#[test]
fn layers_are_told_with_who_shipped_and_who_hid() {
    let sandbox = Sandbox::without_engine();
    file(&sandbox, "a.tar", &tar_of(&legacy(&made(), "a:1")));
    let ended = sandbox.run(&["layers", "a.tar"]);
    insta::assert_snapshot!(ended.shown(), @r"
    stdout:
    a.tar: 354 kB in 7 layers, 21.8 kB live, 332 kB dead; efficiency 6.2 %

    layer     size     dead  made by
        0   342 kB   332 kB  ADD rootfs /
        1      0 B      0 B  RUN rm -rf /big /solo
        2  5.01 kB      0 B  COPY over /
        3  6.01 kB      0 B  RUN chmod 700 /chmod
        4    707 B      0 B  RUN renew d
        5     88 B      0 B  RUN replace swap
        6      0 B      0 B  RUN rm /hard/one

    Dead bytes, the largest first
      302 kB  /big, 2 files
              shipped by layer 0: ADD rootfs /
              deleted by layer 1: RUN rm -rf /big /solo
     8.01 kB  /swap
              shipped by layer 0: ADD rootfs /
              replaced by layer 5: RUN replace swap
     7.01 kB  /d
              shipped by layer 0: ADD rootfs /
              hidden by the new folder of layer 4: RUN renew d
     6.01 kB  /chmod
              shipped by layer 0: ADD rootfs /
              shipped again, bytes unchanged, by layer 3: RUN chmod 700 /chmod
        5 kB  /over
              shipped by layer 0: ADD rootfs /
              overwritten by layer 2: COPY over /
        4 kB  /solo
              shipped by layer 0: ADD rootfs /
              deleted by layer 1: RUN rm -rf /big /solo

    For comparison, by the formula of dive: efficiency 96 %, wasted 35 kB, user wasted 297 %.
    It counts all copies of a file, the one that is kept included, and misses deleted folders.
    exit code: 0
    ");
    let ended = sandbox.run(&["layers", "a.tar", "--layer", "4"]);
    insta::assert_snapshot!(ended.shown(), @r"
    stdout:
    layer 4: RUN renew d
    ~ 0755           /d/
    - 0644  7.01 kB  /d/below
    + 0644    707 B  /d/new
    exit code: 0
    ");
    let ended = sandbox.run(&["layers", "a.tar", "--layer", "7"]);
    insta::assert_snapshot!(ended.shown(), @r"
    stderr:
    error: there is no layer 7: the image has 7 layers
      hint: layers are counted from 0 at the bottom
    exit code: 2
    ");
}

#[test]
fn rules_pass_or_fail_by_exit_code() {
    let sandbox = Sandbox::without_engine();
    file(&sandbox, "bad.tar", &tar_of(&legacy(&made(), "a:1")));
    let good = vec![("ADD a", layer(&["a 1000"])), ("ADD b", layer(&["b 1000"]))];
    file(&sandbox, "good.tar", &tar_of(&legacy(&good, "a:1")));
    let code = |args: &[&str]| sandbox.run(&[&["layers"], args].concat()).code;
    assert_eq!(code(&["good.tar", "--ci"]), Some(0));
    assert_eq!(code(&["bad.tar", "--ci"]), Some(1));
    assert_eq!(code(&["bad.tar"]), Some(0));
    // The image may stand behind the flag, as in the tool whose rules these are.
    assert_eq!(code(&["--ci", "bad.tar"]), Some(1));
    sandbox.write(
        ".dive-ci",
        "rules:\n  lowestEfficiency: disabled\n  highestWastedBytes: 1GB\n  highestUserWastedPercent: off\n",
    );
    assert_eq!(code(&["bad.tar", "--ci"]), Some(0));
    assert_eq!(
        code(&["bad.tar", "--ci", "--highestWastedBytes", "1kB"]),
        Some(1)
    );
    sandbox.write("strict", "rules: { lowestEfficiency: 1 }\n");
    let ended = sandbox.run(&["layers", "bad.tar", "--ci", "strict", "--json"]);
    assert_eq!(ended.code, Some(1));
    let found: Value = serde_json::from_str(&ended.stdout).expect("JSON");
    assert_eq!(found["ci"]["passed"], false);
    let ended = sandbox.run(&["layers", "bad.tar", "--ci", "strict"]);
    let told: String = ended
        .stdout
        .lines()
        .skip_while(|line| !line.starts_with("Rules"))
        .collect::<Vec<_>>()
        .join("\n");
    insta::assert_snapshot!(told, @r"
    Rules, by that formula
      FAIL  lowestEfficiency          0.9634, at least 1
      skip  highestWastedBytes        35 kB, turned off
      FAIL  highestUserWastedPercent  2.9674, at most 0.1
      2 rules broken
    ");
    sandbox.write("wrong", "rules: { lowestEfficiency: 95 }\n");
    let ended = sandbox.run(&["layers", "bad.tar", "--ci", "wrong"]);
    insta::assert_snapshot!(ended.shown(), @r"
    stderr:
    error: the rule `lowestEfficiency` is `95`, not a number from 0 to 1
      --> wrong
    exit code: 2
    ");
    let ended = sandbox.run(&["layers", "bad.tar", "--ci", "none"]);
    insta::assert_snapshot!(ended.shown(), @r"
    stderr:
    error: the rule file `none` cannot be read
      caused by: no such file or directory
      hint: check the path and its permissions
    exit code: 2
    ");
}

#[test]
fn what_is_no_image_is_told_with_what_to_do() {
    let sandbox = Sandbox::without_engine();
    file(&sandbox, "readme.txt", b"hello");
    std::fs::create_dir(sandbox.path("empty")).expect("a folder");
    for word in ["readme.txt", "./empty", "./none.tar"] {
        let ended = sandbox.run(&["layers", word]);
        assert_eq!((ended.code, ended.stdout.as_str()), (Some(2), ""), "{word}");
        assert!(ended.stderr.starts_with("error: "), "{}", ended.stderr);
        assert!(ended.stderr.contains("  hint: "), "{}", ended.stderr);
    }
    let ended = sandbox.run(&["layers", "--ci"]);
    insta::assert_snapshot!(ended.shown(), @r"
    stderr:
    error: no image was named
      hint: `loadline layers --help` shows examples
    exit code: 2
    ");
}

#[test]
fn layers_are_remembered_beside_the_learner_s_files_and_not_without_a_home() {
    let sandbox = Sandbox::without_engine();
    let path = file(&sandbox, "a.tar", &tar_of(&oci(&made(), gzip, false)));
    let kept = |sandbox: &Sandbox| -> Vec<PathBuf> {
        let folder = sandbox.path("home/loadline/.loadline/layers");
        let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
        entries.map(|entry| entry.path()).collect()
    };
    let run = |args: &[&str]| {
        let ended = sandbox.run(&[&["layers", &path, "--json"], args].concat());
        check(
            &serde_json::from_str(&ended.stdout).expect("JSON"),
            "remembered",
        );
    };
    run(&["--no-cache"]);
    assert_eq!(kept(&sandbox).len(), 0);
    run(&[]);
    let files = kept(&sandbox);
    // Seven layers, and the parts that they are packed in.
    assert_eq!(files.len(), 14);
    for file in &files {
        std::fs::write(file, b"broken").expect("a file");
    }
    run(&[]);
    assert_eq!(kept(&sandbox).len(), 14);
    let homeless = Sandbox::without_engine().without("HOME");
    let ended = homeless.run(&["layers", &path, "--json"]);
    check(
        &serde_json::from_str(&ended.stdout).expect("JSON"),
        "without a home",
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn an_image_of_the_engine_tells_the_same() {
    let Some(engine) = host::engine().await else {
        return;
    };
    let tag = format!("loadline-test/layers:{}", std::process::id());
    // An engine takes the whiteout of nothing as it is, and gives it back.
    let archive = tar_of(&legacy(&made(), &tag));
    let stream = futures_util::stream::iter([Ok(bytes::Bytes::from(archive))]);
    engine.load(Box::pin(stream)).await.expect("it is loaded");
    let sandbox = Sandbox::new();
    let sandbox = match std::env::var("DOCKER_HOST") {
        Ok(host) => sandbox.with("DOCKER_HOST", &host),
        Err(_) => sandbox,
    };
    let first = tokio::task::block_in_place(|| layers_json(&sandbox, &tag));
    let again = tokio::task::block_in_place(|| layers_json(&sandbox, &tag));
    let _ = engine.remove_image(&tag).await;
    check(&first, "the engine");
    assert_eq!(first, again);
    let folder = sandbox.path("home/loadline/.loadline/layers");
    assert!(Path::new(&folder).is_dir(), "its layers are remembered");
}
