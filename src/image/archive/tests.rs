//! Archives made in memory, in every layout that engines write.

mod beside;
mod headers;
mod hostile;
mod remembered;

use std::io::Write as _;

use proptest::prelude::*;
use sha2::Digest;
use sha2::Sha256;
use tar::EntryType;

use super::*;
use crate::image::EntryKind;
use crate::image::binary::Program;

fn hex(bytes: &[u8]) -> String {
    crate::text::hex(&Sha256::digest(bytes))
}

/// A tar archive of members: a path with a payload, a folder (`/` at its end) or a link (`->`).
fn archive_of(members: &[(&str, &[u8])]) -> Vec<u8> {
    let mut builder = tar::Builder::new(Vec::new());
    for (path, payload) in members {
        let mut header = tar::Header::new_gnu();
        header.set_mode(if path.contains("bin/") { 0o755 } else { 0o644 });
        header.set_uid(7);
        header.set_gid(8);
        header.set_size(0);
        if let Some((path, target)) = path.split_once(" -> ") {
            header.set_entry_type(EntryType::Symlink);
            builder.append_link(&mut header, path, target).unwrap();
        } else if let Some((path, target)) = path.split_once(" == ") {
            header.set_entry_type(EntryType::Link);
            builder.append_link(&mut header, path, target).unwrap();
        } else if path.ends_with('/') {
            header.set_entry_type(EntryType::Directory);
            builder.append_data(&mut header, path, io::empty()).unwrap();
        } else {
            header.set_size(payload.len() as u64);
            builder.append_data(&mut header, path, *payload).unwrap();
        }
    }
    builder.into_inner().unwrap()
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn zstd(bytes: &[u8]) -> Vec<u8> {
    zstd::encode_all(bytes, 1).unwrap()
}

/// Two layers and their config: the image of every layout below.
struct Image {
    layers: Vec<Vec<u8>>,
    config: String,
}

impl Image {
    fn of(layers: Vec<Vec<u8>>) -> Self {
        let ids: Vec<String> = layers
            .iter()
            .map(|layer| format!("\"sha256:{}\"", hex(layer)))
            .collect();
        let config = format!(
            r#"{{"architecture":"amd64","os":"linux","config":{{"User":"65532","Entrypoint":["/app"],"Cmd":null,"Env":["A=b"],"WorkingDir":"/w","Labels":{{"k":"v"}},"ExposedPorts":{{"8000/tcp":{{}}}},"StopSignal":"SIGINT","Healthcheck":{{"Test":["CMD","/h"],"Interval":5000000000,"Retries":3}}}},"history":[{{"created_by":"base"}},{{"created_by":"ENV A=b","empty_layer":true}},{{"created_by":"COPY app /app"}}],"rootfs":{{"type":"layers","diff_ids":[{}]}}}}"#,
            ids.join(",")
        );
        Self { layers, config }
    }

    fn usual() -> Self {
        let base = archive_of(&[
            ("etc/", b""),
            ("etc/passwd", b"root:x:0:0::/:\n"),
            ("usr/bin/tool", b"#!/bin/sh -e\nexit\n"),
            ("usr/bin/other == usr/bin/tool", b""),
            ("bin -> usr/bin", b""),
        ]);
        let top = archive_of(&[("app", &[b'x'; 100_000]), ("etc/.wh.passwd", b"")]);
        Self::of(vec![base, top])
    }

    /// Docker 20.10: one folder per layer, repeated layers as links, `manifest.json` last.
    fn legacy(&self) -> Vec<u8> {
        let mut members: Vec<(String, Vec<u8>)> =
            vec![(String::from("c0ff.json"), self.config.clone().into())];
        let mut names = Vec::new();
        for (index, layer) in self.layers.iter().enumerate() {
            let earlier = self
                .layers
                .iter()
                .position(|other| other == layer)
                .unwrap_or(index);
            names.push(format!("\"{index}/layer.tar\""));
            members.push((format!("{index}/VERSION"), b"1.0".to_vec()));
            members.push((format!("{index}/json"), b"{}".to_vec()));
            if earlier < index {
                members.push((
                    format!("{index}/layer.tar -> ../{earlier}/layer.tar"),
                    Vec::new(),
                ));
            } else {
                members.push((format!("{index}/layer.tar"), layer.clone()));
            }
        }
        let manifest = format!(
            r#"[{{"Config":"c0ff.json","RepoTags":null,"Layers":[{}]}}]"#,
            names.join(",")
        );
        members.push((String::from("manifest.json"), manifest.into()));
        members.push((String::from("repositories"), b"{}".to_vec()));
        pack(&members)
    }

    /// Podman: layers by digest, the folders hold links to them.
    fn podman(&self) -> Vec<u8> {
        let mut members = Vec::new();
        let mut names = Vec::new();
        for (index, layer) in self.layers.iter().enumerate() {
            let name = format!("{}.tar", hex(layer));
            members.push((name.clone(), layer.clone()));
            members.push((format!("{index}/layer.tar -> ../{name}"), Vec::new()));
            names.push(format!("\"{name}\""));
        }
        members.push((String::from("c0ff.json"), self.config.clone().into()));
        let manifest = format!(
            r#"[{{"Config":"c0ff.json","Layers":[{}]}}]"#,
            names.join(",")
        );
        members.push((String::from("manifest.json"), manifest.into()));
        pack(&members)
    }

    /// The OCI layout, blobs in the order of their digests as Docker writes them.
    fn oci(
        &self,
        compress: fn(&[u8]) -> Vec<u8>,
        with_manifest_json: bool,
        nested: bool,
    ) -> Vec<u8> {
        let mut blobs: BTreeMap<String, Vec<u8>> = BTreeMap::new();
        let mut put = |bytes: Vec<u8>| {
            let digest = hex(&bytes);
            blobs.insert(format!("blobs/sha256/{digest}"), bytes);
            digest
        };
        let layers: Vec<String> = self
            .layers
            .iter()
            .map(|layer| put(compress(layer)))
            .collect();
        let config = put(self.config.clone().into());
        let descriptors: Vec<String> = layers
            .iter()
            .map(|digest| format!(r#"{{"digest":"sha256:{digest}"}}"#))
            .collect();
        let manifest = put(format!(
            r#"{{"schemaVersion":2,"config":{{"digest":"sha256:{config}"}},"layers":[{}]}}"#,
            descriptors.join(",")
        )
        .into());
        let mut named = manifest;
        if nested {
            let other = put(b"{\"layers\":[]}".to_vec());
            named = put(
                format!(
                    r#"{{"manifests":[{{"digest":"sha256:{other}","annotations":{{"vnd.docker.reference.type":"attestation-manifest"}}}},{{"digest":"sha256:{other}","platform":{{"os":"linux","architecture":"arm64"}}}},{{"digest":"sha256:{named}","platform":{{"os":"linux","architecture":"amd64"}}}}]}}"#
                )
                .into(),
            );
        }
        let mut members: Vec<(String, Vec<u8>)> = blobs.into_iter().collect();
        let index = format!(r#"{{"manifests":[{{"digest":"sha256:{named}"}}]}}"#);
        members.push((String::from("index.json"), index.into()));
        if with_manifest_json {
            let names: Vec<String> = layers
                .iter()
                .map(|digest| format!("\"blobs/sha256/{digest}\""))
                .collect();
            let manifest = format!(
                r#"[{{"Config":"blobs/sha256/{config}","RepoTags":[],"Layers":[{}]}}]"#,
                names.join(",")
            );
            members.push((String::from("manifest.json"), manifest.into()));
        }
        members.push((
            String::from("oci-layout"),
            br#"{"imageLayoutVersion":"1.0.0"}"#.to_vec(),
        ));
        pack(&members)
    }
}

fn pack(members: &[(String, Vec<u8>)]) -> Vec<u8> {
    let members: Vec<(&str, &[u8])> = members
        .iter()
        .map(|(path, bytes)| (path.as_str(), bytes.as_slice()))
        .collect();
    archive_of(&members)
}

#[test]
fn a_decompressor_s_complaint_is_about_the_archive_and_a_system_s_is_not() {
    let zstd = io::Error::other("Src size is incorrect");
    assert!(matches!(ArchiveError::from(zstd), ArchiveError::Broken(_)));
    let damaged = zstd_damaged();
    assert!(matches!(
        read(damaged.as_slice(), &options()),
        Err(ArchiveError::Broken(_))
    ));
    let system = io::Error::from_raw_os_error(5);
    assert!(matches!(
        ArchiveError::from(system),
        ArchiveError::Source(_)
    ));
}

/// An archive that is packed as a whole, with a bit of its payload turned over.
fn zstd_damaged() -> Vec<u8> {
    let mut bytes = zstd(&Image::of(vec![archive_of(&[("a", b"12345")])]).legacy());
    let middle = bytes.len() / 2;
    bytes[middle] ^= 0xff;
    bytes
}

fn options() -> Options {
    Options {
        verify: true,
        platform: Some((String::from("linux"), String::from("amd64"))),
        ..Options::default()
    }
}

/// A source that gives a few bytes at a time.
struct Dribble<'a>(&'a [u8], usize);

impl Read for Dribble<'_> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let count = self.1.min(into.len());
        self.0.read(into.get_mut(..count).unwrap_or_default())
    }
}

#[test]
fn every_layout_of_one_image_gives_the_same() {
    let image = Image::usual();
    let plain = |bytes: &[u8]| bytes.to_vec();
    let layouts = [
        ("legacy", image.legacy()),
        ("podman", image.podman()),
        ("graph driver", image.oci(plain, true, false)),
        ("containerd, gzip", image.oci(gzip, true, false)),
        ("containerd, zstd", image.oci(zstd, false, false)),
        ("nested index", image.oci(gzip, false, true)),
        ("gzip as a whole", gzip(&image.legacy())),
        ("zstd as a whole", zstd(&image.oci(gzip, true, false))),
    ];
    let expected = read(layouts[0].1.as_slice(), &options()).unwrap();
    assert_eq!(expected.shipped(), Bytes(15 + 18 + 100_000));
    for (name, bytes) in &layouts {
        let contents = read(bytes.as_slice(), &options()).unwrap_or_else(|e| panic!("{name}: {e}"));
        assert_eq!(contents, expected, "{name}");
        let slowly = read(Dribble(bytes, 700), &options()).unwrap();
        assert_eq!(slowly, expected, "{name}, dribbling");
    }
}

/// The members of an archive as the files of a folder; links are followed, as folders do.
fn unpacked(bytes: &[u8]) -> BTreeMap<String, Vec<u8>> {
    let mut files = BTreeMap::new();
    let mut links = Vec::new();
    for entry in tar::Archive::new(bytes).entries().unwrap() {
        let mut entry = entry.unwrap();
        let path = entry.path().unwrap().display().to_string();
        if let Some(target) = entry.link_name().unwrap() {
            let target = target.display().to_string();
            links.push((path, target.trim_start_matches("../").to_owned()));
            continue;
        }
        let mut payload = Vec::new();
        entry.read_to_end(&mut payload).unwrap();
        files.insert(path, payload);
    }
    for (path, target) in links {
        let file = files[&target].clone();
        files.insert(path, file);
    }
    files
}

fn read_unpacked(bytes: &[u8], options: &Options) -> Result<Contents, ArchiveError> {
    let files = unpacked(bytes);
    read_folder(
        |path| {
            let file = files.get(path).cloned();
            Ok(file.map(|file| {
                let length = file.len() as u64;
                (Box::new(io::Cursor::new(file)) as Box<dyn Read>, length)
            }))
        },
        options,
    )
}

#[test]
fn an_unpacked_archive_gives_the_same() {
    let image = Image::usual();
    let plain = |bytes: &[u8]| bytes.to_vec();
    let layouts = [
        ("legacy", image.legacy()),
        ("podman", image.podman()),
        ("OCI", image.oci(plain, false, false)),
        ("OCI, gzip", image.oci(gzip, false, false)),
        ("nested index", image.oci(zstd, false, true)),
    ];
    let expected = read(layouts[0].1.as_slice(), &options()).unwrap();
    for (name, bytes) in &layouts {
        let contents = read_unpacked(bytes, &options()).unwrap_or_else(|e| panic!("{name}: {e}"));
        assert_eq!(contents, expected, "{name}");
    }
    let error = |files: &[(&str, &[u8])]| {
        read_unpacked(&archive_of(files), &options())
            .unwrap_err()
            .to_string()
    };
    assert!(error(&[("readme", b"x")]).contains("neither `manifest.json` nor `index.json`"));
    let lacking = br#"[{"Config":"../secret.json","Layers":[]}]"#;
    assert_eq!(
        error(&[("manifest.json", lacking)]),
        "the exported image lacks its part `../secret.json`"
    );
}

/// The folder that some tools write: a manifest with its parts beside it.
#[test]
fn a_manifest_with_its_parts_beside_it_is_an_image_too() {
    let image = Image::usual();
    let mut members: Vec<(String, Vec<u8>)> = Vec::new();
    let mut put = |bytes: Vec<u8>| {
        let name = hex(&bytes);
        members.push((name.clone(), bytes));
        format!(r#"{{"digest":"sha256:{name}"}}"#)
    };
    let layers: Vec<String> = image.layers.iter().map(|layer| put(gzip(layer))).collect();
    let config = put(image.config.clone().into());
    let manifest = format!(
        r#"{{"schemaVersion":2,"config":{config},"layers":[{}]}}"#,
        layers.join(",")
    );
    members.push((String::from("manifest.json"), manifest.into()));
    let contents = read_unpacked(&pack(&members), &options()).unwrap();
    assert_eq!(
        contents,
        read(image.legacy().as_slice(), &options()).unwrap()
    );
}

#[test]
fn an_index_of_several_images_is_not_guessed_at() {
    let (a, b) = ("a".repeat(64), "b".repeat(64));
    let both = format!(
        r#"{{"manifests":[{{"digest":"sha256:{a}"}},{{"digest":"sha256:{b}"}},{{"digest":"sha256:{a}"}}]}}"#
    );
    let archive = pack(&[
        (String::from("index.json"), both.into()),
        (format!("blobs/sha256/{a}"), b"{\"layers\":[]}".to_vec()),
        (format!("blobs/sha256/{b}"), b" {\"layers\":[]}".to_vec()),
    ]);
    assert_eq!(
        refusal(&archive, &options()),
        "the archive holds 2 images where one was expected"
    );
}

#[test]
fn names_that_are_no_text_stay_apart() {
    let mut layer = Vec::new();
    for byte in [0xfe, 0xff, 0x1b, 0x0d] {
        let mut header = tar::Header::new_gnu();
        header.set_size(0);
        header.set_mode(0o644);
        header.as_gnu_mut().unwrap().name[..3].copy_from_slice(&[b'a', byte, 0]);
        header.set_cksum();
        layer.extend_from_slice(header.as_bytes());
    }
    layer.extend([0; 1024]);
    let contents = read(Image::of(vec![layer]).legacy().as_slice(), &options()).unwrap();
    let entries = contents.layers[0].entries.iter();
    let paths: Vec<&str> = entries.map(|entry| entry.path.as_str()).collect();
    assert_eq!(paths, ["a\\xFE", "a\\xFF", "a\\x1B", "a\\x0D"]);
}

#[test]
fn config_history_and_entries_are_read() {
    let contents = read(Image::usual().legacy().as_slice(), &options()).unwrap();
    let config = &contents.config;
    assert_eq!(
        (config.user.as_str(), config.working_dir.as_str()),
        ("65532", "/w")
    );
    assert_eq!((config.entrypoint.len(), config.cmd.len()), (1, 0));
    assert_eq!(config.exposed_ports, ["8000/tcp"]);
    assert_eq!(config.labels["k"], "v");
    assert_eq!(config.stop_signal.as_deref(), Some("SIGINT"));
    assert_eq!(
        (config.os.as_str(), config.architecture.as_str()),
        ("linux", "amd64")
    );
    let health = config.healthcheck.as_ref().unwrap();
    assert_eq!(health.interval, Some(std::time::Duration::from_secs(5)));
    assert_eq!((health.timeout, health.retries), (None, Some(3)));
    let made: Vec<Option<&str>> = contents
        .layers
        .iter()
        .map(|layer| layer.created_by.as_deref())
        .collect();
    assert_eq!(made, [Some("base"), Some("COPY app /app")]);
    let kinds: Vec<&EntryKind> = contents.layers[0]
        .entries
        .iter()
        .map(|entry| &entry.kind)
        .collect();
    assert_eq!(
        kinds,
        [
            &EntryKind::Directory,
            &EntryKind::File,
            &EntryKind::File,
            &EntryKind::Hardlink(String::from("usr/bin/tool")),
            &EntryKind::Symlink(String::from("usr/bin")),
        ]
    );
    let whiteout = &contents.layers[1].entries[1];
    assert_eq!(
        (whiteout.path.as_str(), &whiteout.kind),
        ("etc/passwd", &EntryKind::Whiteout)
    );
    let file = &contents.layers[0].entries[1];
    assert_eq!(
        (file.mode, file.uid, file.gid, file.size),
        (0o644, 7, 8, Bytes(15))
    );
    // A hard link counts once, and a script is known by its first line.
    assert_eq!(contents.layers[0].shipped, Bytes(15 + 18));
    let script = Program::Script {
        interpreter: String::from("/bin/sh"),
        argument: Some(String::from("-e")),
    };
    assert_eq!(
        contents.layers[0].programs.get("usr/bin/tool"),
        Some(&script)
    );
}

#[test]
fn a_file_that_is_named_like_a_whiteout_is_weighed_and_searched() {
    let layer = archive_of(&[
        ("app/.wh.env", b"token=xyzzy"),
        ("app/.wh..wh.env", b"xyzzy"),
        ("app/.wh..wh..opq", b" xyzzy"),
        ("app/.wh.gone", b""),
        ("app/.wh..wh.plnk", b""),
    ]);
    let image = Image::of(vec![layer]).legacy();
    let options = Options {
        needles: vec![b"xyzzy".to_vec()],
        ..options()
    };
    let contents = read(image.as_slice(), &options).unwrap();
    let layer = &contents.layers[0];
    assert_eq!(layer.shipped, Bytes(11 + 5 + 6));
    let told: Vec<(String, u64)> = layer
        .entries
        .iter()
        .map(|entry| (entry.written(), entry.size.0))
        .collect();
    let told: Vec<(&str, u64)> = told
        .iter()
        .map(|(path, size)| (path.as_str(), *size))
        .collect();
    let marks = [
        ("app/.wh.env", 11),
        ("app/.wh..wh.env", 5),
        ("app/.wh..wh..opq", 6),
    ];
    assert_eq!(told, [marks[0], marks[1], marks[2], ("app/.wh.gone", 0)]);
    let mut hits: Vec<&str> = contents.hits.iter().map(|hit| hit.path.as_str()).collect();
    hits.sort_unstable();
    let mut paths = marks.map(|(path, _)| path);
    paths.sort_unstable();
    assert_eq!(hits, paths);
}

#[test]
fn a_layer_that_is_used_twice_is_read_once_and_counted_twice() {
    let layer = archive_of(&[("a", b"12345")]);
    let image = Image::of(vec![layer.clone(), archive_of(&[("b", b"1")]), layer]);
    for bytes in [image.legacy(), image.oci(gzip, true, false)] {
        let contents = read(bytes.as_slice(), &options()).unwrap();
        let sizes: Vec<u64> = contents
            .layers
            .iter()
            .map(|layer| layer.shipped.0)
            .collect();
        assert_eq!(sizes, [5, 1, 5]);
    }
}

#[test]
fn long_names_of_both_kinds_are_read() {
    let long = format!("{}/file", "d".repeat(150));
    let mut builder = tar::Builder::new(Vec::new());
    builder
        .append_pax_extensions([("path", long.as_bytes()), ("uid", b"70000")])
        .unwrap();
    let mut header = tar::Header::new_ustar();
    header.set_size(3);
    header.set_mode(0o644);
    builder
        .append_data(&mut header, "short", b"abc".as_slice())
        .unwrap();
    let mut header = tar::Header::new_gnu();
    header.set_size(2);
    header.set_mode(0o644);
    builder
        .append_data(&mut header, format!("{long}2"), b"ab".as_slice())
        .unwrap();
    let image = Image::of(vec![builder.into_inner().unwrap()]);
    let contents = read(image.legacy().as_slice(), &options()).unwrap();
    let entries = &contents.layers[0].entries;
    assert_eq!(
        (entries[0].path.as_str(), entries[0].uid),
        (long.as_str(), 70_000)
    );
    assert_eq!(entries[1].path, format!("{long}2"));
}

#[test]
fn needles_are_found_in_any_piece_name_and_link() {
    let mut big = vec![b'-'; 600_000];
    big[262_140..262_150].copy_from_slice(b"needle-one");
    let layer = archive_of(&[
        ("big", &big),
        ("two", b"x needle-two needle-two y"),
        ("sub/needle-one.txt", b""),
        ("link -> needle-two", b""),
        ("clean", b"needle-"),
    ]);
    let bytes = Image::of(vec![layer]).oci(gzip, true, false);
    let needles = vec![
        b"needle-one".to_vec(),
        b"needle-two".to_vec(),
        b"e-tw".to_vec(),
    ];
    let looking = Options {
        needles,
        ..options()
    };
    for piece in [1, 7, 4096, usize::MAX] {
        let contents = read(Dribble(&bytes, piece), &looking).unwrap();
        let hits: Vec<(&str, usize)> = contents
            .hits
            .iter()
            .map(|hit| (hit.path.as_str(), hit.needle))
            .collect();
        let expected = [
            ("big", 0),
            ("two", 1),
            ("two", 2),
            ("sub/needle-one.txt", 0),
            ("link", 1),
            ("link", 2),
        ];
        assert_eq!(hits, expected, "pieces of {piece}");
    }
}

#[test]
fn asked_for_files_are_kept_under_the_name_of_a_link_too() {
    let layer = archive_of(&[
        ("usr/lib/os-release", b"ID=debian\n"),
        ("etc/os-release -> ../usr/lib/os-release", b""),
        ("etc/shadow", b"secret"),
        ("big/os-release", &[b'x'; 70_000]),
    ]);
    let keep = [String::from("etc/os-release")].into();
    let bytes = Image::of(vec![layer]).legacy();
    let contents = read(bytes.as_slice(), &Options { keep, ..options() }).unwrap();
    let kept: Vec<&String> = contents.layers[0].kept.keys().collect();
    assert_eq!(kept, ["usr/lib/os-release"]);
    let tree = crate::image::tree::Tree::of(&contents);
    assert_eq!(
        tree.find("etc/os-release").unwrap().kept,
        Some(b"ID=debian\n".as_slice())
    );
}

#[test]
fn files_are_told_apart_by_their_content_and_their_capabilities() {
    let mut builder = tar::Builder::new(Vec::new());
    let capability = [(
        "SCHILY.xattr.security.capability",
        b"\x01\0\0\x02".as_slice(),
    )];
    builder.append_pax_extensions(capability).unwrap();
    for (path, byte) in [("ping", b'p'), ("same", b'p'), ("other", b'o')] {
        let mut header = tar::Header::new_ustar();
        header.set_size(700_000);
        header.set_mode(0o755);
        let payload = vec![byte; 700_000];
        builder
            .append_data(&mut header, path, payload.as_slice())
            .unwrap();
    }
    let bytes = Image::of(vec![builder.into_inner().unwrap()]).legacy();
    let whole = read(bytes.as_slice(), &options()).unwrap();
    let pieces = read(Dribble(&bytes, 999), &options()).unwrap();
    assert_eq!(whole, pieces);
    let entries = &whole.layers[0].entries;
    assert!(entries[0].content.is_some());
    assert_eq!(entries[0].content, entries[1].content);
    assert_ne!(entries[0].content, entries[2].content);
    let capabilities: Vec<bool> = entries.iter().map(|entry| entry.capabilities).collect();
    assert_eq!(capabilities, [true, false, false]);
}

/// Notes the text of small `.txt` files, and how `.bin` files begin.
#[derive(Debug)]
struct Curious;

struct Beginning(Vec<u8>);

impl Probe for Curious {
    fn name(&self) -> &'static str {
        "curious/1"
    }

    fn look(&self, file: &Seen<'_>) -> Option<Box<dyn Sink>> {
        if file.name().ends_with(".bin") {
            return Some(Box::new(Beginning(Vec::new())));
        }
        if !file.name().ends_with(".txt") {
            return None;
        }
        Whole::of(file, Bytes(10), |bytes| {
            (!bytes.is_empty()).then_some(bytes)
        })
    }
}

impl Sink for Beginning {
    fn piece(&mut self, bytes: &[u8]) -> std::ops::ControlFlow<()> {
        assert!(self.0.len() < 4, "it had enough");
        self.0.extend_from_slice(bytes);
        if self.0.len() < 4 {
            std::ops::ControlFlow::Continue(())
        } else {
            std::ops::ControlFlow::Break(())
        }
    }

    fn finish(self: Box<Self>) -> Option<Vec<u8>> {
        Some(self.0.get(..4)?.to_vec())
    }
}

#[test]
fn a_probe_notes_what_it_sees_whole_or_in_pieces() {
    let layer = archive_of(&[
        ("a/small.txt", b"text"),
        ("a/large.txt", b"text text text"),
        ("empty.txt", b""),
        ("program.bin", &[b'b'; 600_000]),
        ("short.bin", b"b"),
    ]);
    let bytes = Image::of(vec![archive_of(&[("gone.txt", b"gone")]), layer]).oci(gzip, true, false);
    let looking = Options {
        probes: vec![Arc::new(Curious)],
        ..options()
    };
    for piece in [1, 3, 4096, usize::MAX] {
        let contents = read(Dribble(&bytes, piece), &looking).unwrap();
        let notes = |layer: usize| -> Vec<(&str, &[u8])> {
            contents.layers[layer]
                .notes_of("curious/1")
                .map(|note| (note.path.as_str(), note.bytes.as_slice()))
                .collect()
        };
        assert_eq!(notes(0), [("gone.txt", b"gone".as_slice())]);
        assert_eq!(
            notes(1),
            [
                ("a/small.txt", b"text".as_slice()),
                ("program.bin", b"bbbb")
            ]
        );
    }
}

fn refusal(bytes: &[u8], options: &Options) -> String {
    read(bytes, options).unwrap_err().to_string()
}

#[test]
fn limits_are_named_when_they_are_met() {
    let bytes = Image::usual().oci(gzip, true, false);
    let refused = |change: fn(&mut Limits)| {
        let mut options = options();
        change(&mut options.limits);
        refusal(&bytes, &options)
    };
    assert_eq!(
        refused(|limits| limits.entries = 8),
        "the exported image is refused: it has more files than is sensible"
    );
    assert!(refused(|limits| limits.path = 60).contains("a path in it is longer"));
    assert!(refused(|limits| limits.depth = 2).contains("nested too deeply"));
    assert!(refused(|limits| limits.paths = 100).contains("more files"));
    assert!(refused(|limits| limits.bytes = Bytes(50_000)).contains("its layers are larger"));
}

#[test]
fn what_is_remembered_of_files_is_bounded() {
    let files: Vec<String> = (0..50).map(|index| format!("{index}/passwd")).collect();
    let members: Vec<(&str, &[u8])> = files
        .iter()
        .map(|path| (path.as_str(), [b'x'; 1000].as_slice()))
        .collect();
    let bytes = Image::of(vec![archive_of(&members)]).legacy();
    let mut keeping = Options {
        keep: [String::from("etc/passwd")].into(),
        ..options()
    };
    keeping.limits.kept = 60_000;
    assert!(read(bytes.as_slice(), &keeping).is_ok());
    keeping.limits.kept = 40_000;
    let error = refusal(&bytes, &keeping);
    assert!(error.contains("more in its files to remember"), "{error}");
}

#[test]
fn what_is_no_image_is_told_apart() {
    let error = |bytes: &[u8]| refusal(bytes, &options());
    assert!(error(b"").contains("neither `manifest.json` nor `index.json`"));
    for text in [&[b'x'; 2000][..], b"root:x:0:0:root:/root:/bin/sh\n"] {
        assert_eq!(
            error(text),
            "this is not an exported image: it does not begin as an archive does"
        );
    }
    assert!(error(&Image::usual().legacy()[..50_000]).contains("ends too early"));
    let two = pack(&[(
        String::from("manifest.json"),
        b"[{\"Config\":\"a\"},{\"Config\":\"b\"}]".to_vec(),
    )]);
    assert_eq!(
        error(&two),
        "the archive holds 2 images where one was expected"
    );
    let lacking = pack(&[(
        String::from("manifest.json"),
        b"[{\"Config\":\"a.json\",\"Layers\":[]}]".to_vec(),
    )]);
    assert_eq!(
        error(&lacking),
        "the exported image lacks its part `a.json`"
    );
    // What is there and broken is not lacking.
    let broken = pack(&[
        (
            String::from("manifest.json"),
            b"[{\"Config\":\"a.json\",\"Layers\":[\"l/layer.tar\"]}]".to_vec(),
        ),
        (
            String::from("a.json"),
            b"{\"rootfs\":{\"diff_ids\":[\"sha256:00\"]}}".to_vec(),
        ),
        (String::from("l/layer.tar"), vec![b'x'; 2000]),
    ]);
    assert_eq!(
        error(&broken),
        "the exported image is broken: `l/layer.tar` is not a layer"
    );
    let circle = pack(&[
        (
            String::from("manifest.json"),
            b"[{\"Config\":\"a\",\"Layers\":[]}]".to_vec(),
        ),
        (String::from("a -> b"), Vec::new()),
        (String::from("b -> a"), Vec::new()),
    ]);
    assert!(error(&circle).contains("point at each other"));
    let outside = pack(&[(String::from("x -> y"), Vec::new())]);
    assert!(error(&outside).contains("not an exported image"));
}

#[test]
fn two_images_of_one_platform_are_not_chosen_between() {
    let index = |platforms: &[(&str, &str)]| {
        let manifests: Vec<String> = platforms
            .iter()
            .map(|(digest, rest)| {
                format!(
                    r#"{{"digest":"sha256:{digest}","platform":{{"os":"linux","architecture":{rest}}}}}"#
                )
            })
            .collect();
        let index = format!(r#"{{"manifests":[{}]}}"#, manifests.join(","));
        let blob = |name: &str| {
            let path = format!("blobs/sha256/{name}");
            (path, b"{\"layers\":[]}".to_vec())
        };
        pack(&[
            (String::from("index.json"), index.into_bytes()),
            blob("aa"),
            blob("bb"),
        ])
    };
    let two = index(&[("aa", "\"amd64\""), ("bb", "\"amd64\"")]);
    assert_eq!(
        refusal(&two, &options()),
        "the archive holds 2 images where one was expected"
    );
    let none_fits = index(&[("aa", "\"s390x\""), ("bb", "\"s390x\"")]);
    assert!(refusal(&none_fits, &options()).contains("2 images"));
    // One image under two names, another platform, another variant: there is a choice.
    for one in [
        index(&[("aa", "\"amd64\""), ("aa", "\"amd64\"")]),
        index(&[("aa", "\"amd64\""), ("bb", "\"arm64\"")]),
        index(&[
            ("aa", "\"arm\",\"variant\":\"v7\""),
            ("bb", "\"arm\",\"variant\":\"v6\""),
        ]),
    ] {
        let error = refusal(&one, &options());
        assert!(error.contains("names no config"), "{error}");
    }
}

#[test]
fn a_document_that_is_none_is_told_in_plain_words() {
    let mut large = b"[".to_vec();
    large.resize(9_000_000, b' ');
    let error = refusal(&pack(&[(String::from("manifest.json"), large)]), &options());
    assert_eq!(
        error,
        "the exported image is refused: `manifest.json` has 9 MB, more than is sensible"
    );
    let mut odd = Image::usual();
    odd.config = String::from(r#"{"rootfs":5}"#);
    let error = refusal(&odd.legacy(), &options());
    assert!(
        error.contains("invalid type: integer `5`, expected an object with the digests of layers"),
        "{error}"
    );
}

#[test]
fn a_layer_that_was_changed_is_noticed() {
    let mut image = Image::usual();
    image.layers[1] = archive_of(&[("app", b"evil")]);
    let error = refusal(&image.legacy(), &options());
    assert!(
        error.starts_with("layer 1 is not what the image's config says"),
        "{error}"
    );
    assert!(read(image.legacy().as_slice(), &Options::default()).is_ok());
}

#[test]
fn an_escape_out_of_the_image_is_refused() {
    let mut header = tar::Header::new_gnu();
    header.set_size(0);
    header.set_mode(0o644);
    header.as_gnu_mut().unwrap().name[..10].copy_from_slice(b"a/../../x\0");
    header.set_cksum();
    let mut layer = header.as_bytes().to_vec();
    layer.extend([0; 1024]);
    let error = refusal(&Image::of(vec![layer]).legacy(), &options());
    assert!(error.contains("leads out of the image"), "{error}");
}

#[test]
fn a_broken_compressed_layer_is_a_broken_image() {
    let mut bytes = gzip(&archive_of(&[("a", &[b'a'; 9000])]));
    let middle = bytes.len() / 2;
    bytes.truncate(middle);
    let error = refusal(
        &pack(&[(String::from("blobs/sha256/a"), bytes)]),
        &options(),
    );
    assert!(error.contains("ends too early"), "{error}");
}

#[test]
fn a_failing_source_keeps_its_cause() {
    struct Fails;
    impl Read for Fails {
        fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
            Err(io::Error::new(io::ErrorKind::ConnectionReset, "gone"))
        }
    }
    let error = read(Fails, &options()).unwrap_err();
    assert!(matches!(&error, ArchiveError::Source(cause) if cause.to_string() == "gone"));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn no_bytes_panic(bytes in proptest::collection::vec(any::<u8>(), 0..3000)) {
        let _ = read(bytes.as_slice(), &options());
    }

    #[test]
    fn no_damage_panics(at in 0usize..120_000, value in any::<u8>()) {
        let mut bytes = Image::usual().oci(gzip, true, false);
        let at = at % bytes.len();
        bytes[at] = value;
        let _ = read(bytes.as_slice(), &options());
    }

    #[test]
    fn a_needle_is_found_wherever_it_lies(before in 0usize..9000, piece in 1usize..600) {
        let mut payload = vec![b'.'; before];
        payload.extend_from_slice(b"s3cret-token");
        payload.extend_from_slice(&[b'.'; 30]);
        let bytes = Image::of(vec![archive_of(&[("f", &payload)])]).legacy();
        let looking = Options { needles: vec![b"s3cret-token".to_vec()], ..Options::default() };
        let contents = read(Dribble(&bytes, piece), &looking).unwrap();
        prop_assert_eq!(contents.hits.len(), 1);
    }
}
