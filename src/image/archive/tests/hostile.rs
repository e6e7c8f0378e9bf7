//! Archives that were made to do harm: each is refused, in little time and memory, with a reason.

use super::*;

/// A stream that is made while it is read: `next` gives one piece after the other, for ever.
struct Endless<F> {
    next: F,
    left: Vec<u8>,
}

impl<F: FnMut() -> Vec<u8>> Read for Endless<F> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        if self.left.is_empty() {
            self.left = (self.next)();
        }
        let count = self.left.len().min(into.len());
        into[..count].copy_from_slice(&self.left[..count]);
        self.left.drain(..count);
        Ok(count)
    }
}

/// A header of a file.
fn header(path: &str, size: u64) -> Vec<u8> {
    let mut header = tar::Header::new_gnu();
    header.set_path(path).unwrap();
    header.set_size(size);
    header.set_mode(0o644);
    header.set_cksum();
    header.as_bytes().to_vec()
}

/// A header of an extension, and its payload.
fn extension(kind: EntryType, claimed: u64, payload: &[u8]) -> Vec<u8> {
    let mut header = tar::Header::new_gnu();
    header.set_entry_type(kind);
    header.set_size(claimed);
    header.set_cksum();
    let mut bytes = header.as_bytes().to_vec();
    bytes.extend_from_slice(payload);
    let fill = bytes.len().next_multiple_of(512);
    bytes.resize(fill, 0);
    bytes
}

fn small() -> Options {
    let mut options = options();
    options.limits.free = Bytes(4_000_000);
    options.limits.ratio = 50;
    options
}

/// A layer of one file of zeros.
fn zeros(size: u64) -> impl Read {
    io::Cursor::new(header("zeros", size)).chain(io::repeat(0).take(size))
}

fn packed_zeros(size: u64) -> [(&'static str, Vec<u8>); 2] {
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    io::copy(&mut zeros(size), &mut gzip).unwrap();
    let zstd = zstd::encode_all(zeros(size), 1).unwrap();
    [("gzip", gzip.finish().unwrap()), ("zstd", zstd)]
}

#[test]
fn a_layer_that_only_wants_to_fill_the_disk_is_refused() {
    for (name, bomb) in packed_zeros(12_000_000) {
        assert!(bomb.len() < 150_000, "{name} has {}", bomb.len());
        let members = vec![(String::from("blobs/sha256/b"), bomb)];
        let error = refusal(&pack(&members), &small());
        assert!(
            error.contains("a layer is compressed so far"),
            "{name}: {error}"
        );
    }
}

#[test]
fn a_layer_of_zeros_alone_is_refused_by_the_usual_ratio() {
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    io::copy(&mut zeros(12_000_000), &mut gzip).unwrap();
    let members = vec![(String::from("blobs/sha256/b"), gzip.finish().unwrap())];
    let mut options = options();
    options.limits.free = Bytes(4_000_000);
    let error = refusal(&pack(&members), &options);
    assert!(error.contains("a layer is compressed so far"), "{error}");
}

#[test]
fn a_file_of_zeros_to_swap_to_is_none() {
    // What a gigabyte of them comes to at best.
    let limit = Budget::new(Limits::default()).layer_limit(Some(1_100_000_000 / 1030));
    assert!(limit.bytes > 1_100_000_000, "{}", limit.bytes);
}

#[test]
fn an_archive_that_only_wants_to_fill_the_disk_is_refused() {
    for (name, bomb) in packed_zeros(12_000_000) {
        let error = refusal(&bomb, &small());
        assert!(error.contains("it is compressed so far"), "{name}: {error}");
    }
}

#[test]
fn compression_within_compression_is_no_layer() {
    let noise: String = (0..100_u8).map(|seed| hex(&[seed])).collect();
    let layer = archive_of(&[("a", noise.as_bytes())]);
    let image = Image::of(vec![layer.clone()]);
    let twice = vec![(String::from("blobs/sha256/b"), gzip(&gzip(&layer)))];
    let error = refusal(&pack(&twice), &options());
    assert!(error.contains("wrong checksum"), "{error}");
    let error = refusal(&gzip(&gzip(&image.legacy())), &options());
    assert!(error.contains("does not begin as an archive"), "{error}");
}

#[test]
fn files_without_end_are_refused_when_there_are_enough() {
    let mut count = 0_u32;
    let endless = Endless {
        next: || {
            count += 1;
            header(&format!("{}/{count}", count / 1000), 0)
        },
        left: Vec::new(),
    };
    // A layer of nothing but names, as large as its header says.
    let archive = io::Cursor::new(header("1/layer.tar", 512 * 10_000_000)).chain(endless);
    let mut options = options();
    options.limits.entries = 20_000;
    let error = read(archive, &options).unwrap_err().to_string();
    assert!(error.contains("more files than is sensible"), "{error}");
    assert!(count < 40_000, "{count} headers were asked for");
}

#[test]
fn headers_without_files_are_refused() {
    let records = b"11 uid=123\n";
    let endless = || Endless {
        next: || extension(EntryType::XHeader, records.len() as u64, records),
        left: Vec::new(),
    };
    let mut options = options();
    options.limits.entries = 1000;
    let error = read(endless(), &options).unwrap_err().to_string();
    assert!(error.contains("more headers than files"), "{error}");
    let inside = io::Cursor::new(header("1/layer.tar", u64::MAX / 1024)).chain(endless());
    let error = read(inside, &options).unwrap_err().to_string();
    assert!(error.contains("more headers than files"), "{error}");
}

#[test]
fn a_header_that_is_larger_than_any_is_not_read_into_memory() {
    let kinds = [
        EntryType::GNULongName,
        EntryType::GNULongLink,
        EntryType::XHeader,
        EntryType::XGlobalHeader,
    ];
    for kind in kinds {
        for claimed in [1024 * 1024 + 1, 5_000_000_000] {
            let error = refusal(&extension(kind, claimed, b""), &Options::default());
            assert!(error.contains("larger than 1 MB"), "{kind:?}: {error}");
        }
    }
    // As long as it says and no longer than is allowed: what it says is what counts.
    let long = "d/".repeat(3000);
    let mut record = format!(" path={long}x\n");
    record.insert_str(0, &(record.len() + 4).to_string());
    let mut bytes = extension(EntryType::XHeader, record.len() as u64, record.as_bytes());
    bytes.extend(header("x", 0));
    let error = refusal(&bytes, &Options::default());
    assert!(error.contains("longer than any system allows"), "{error}");
}

#[test]
fn sizes_that_lie_end_too_early() {
    let lie = |size: u64| {
        let mut bytes = header("blobs/sha256/x", size);
        bytes.extend_from_slice(b"{\"a\":");
        bytes
    };
    for size in [512, 1 << 33, u64::MAX / 2] {
        let error = refusal(&lie(size), &options());
        assert!(error.contains("ends too early"), "{size}: {error}");
    }
    let record = format!("{} size={}\n", 29, u64::MAX);
    assert_eq!(record.len(), 29);
    let mut layer = extension(EntryType::XHeader, 29, record.as_bytes());
    layer.extend(header("file", 10));
    layer.extend([0; 2048]);
    let error = refusal(&Image::of(vec![layer]).legacy(), &options());
    assert!(error.contains("ends too early"), "{error}");
}

#[test]
fn a_layer_may_not_be_larger_than_its_part() {
    // The file inside claims more than the layer that it is in has.
    let mut layer = header("file", 1_000_000);
    layer.extend([b'x'; 1000]);
    let error = refusal(&Image::of(vec![layer]).legacy(), &options());
    assert!(error.contains("ends too early"), "{error}");
}

#[test]
fn folders_and_documents_that_are_nested_too_deeply_are_refused() {
    let deep = format!("{}x", "d/".repeat(300));
    let layer = archive_of(&[(deep.as_str(), b"")]);
    let error = refusal(&Image::of(vec![layer]).legacy(), &options());
    assert!(error.contains("nested too deeply"), "{error}");
    let nested = "[".repeat(100_000).into_bytes();
    let error = refusal(
        &pack(&[(String::from("manifest.json"), nested)]),
        &options(),
    );
    assert!(error.contains("`manifest.json` cannot be read"), "{error}");
}

#[test]
fn indexes_that_name_each_other_end() {
    let name = "a".repeat(64);
    let index = format!(r#"{{"manifests":[{{"digest":"sha256:{name}"}}]}}"#);
    let circle = pack(&[
        (String::from("index.json"), index.clone().into()),
        (format!("blobs/sha256/{name}"), index.into()),
    ]);
    let error = refusal(&circle, &Options::default());
    assert!(error.contains("name each other without end"), "{error}");
    let error = read_unpacked(&circle, &Options::default())
        .unwrap_err()
        .to_string();
    assert!(error.contains("name each other without end"), "{error}");
}

#[test]
fn layers_that_are_links_to_links_end() {
    let manifest = br#"[{"Config":"c.json","Layers":["0"]}]"#.to_vec();
    let config = br#"{"rootfs":{"diff_ids":["sha256:0"]}}"#.to_vec();
    let mut members = vec![
        (String::from("manifest.json"), manifest),
        (String::from("c.json"), config),
    ];
    members.extend((0..200).map(|index| (format!("{index} -> {}", index + 1), Vec::new())));
    let error = refusal(&pack(&members), &options());
    assert!(error.contains("point at each other without end"), "{error}");
}

/// A manifest that names one layer so many times.
fn repeated(times: usize, layer: Vec<u8>) -> Vec<u8> {
    let many = |word: &str| vec![format!("\"{word}\""); times].join(",");
    let manifest = format!(r#"[{{"Config":"c.json","Layers":[{}]}}]"#, many("l.tar"));
    let config = format!(
        r#"{{"rootfs":{{"diff_ids":[{}]}}}}"#,
        many(&format!("sha256:{}", hex(&layer)))
    );
    pack(&[
        (String::from("manifest.json"), manifest.into()),
        (String::from("c.json"), config.into()),
        (String::from("l.tar"), layer),
    ])
}

#[test]
fn one_layer_named_again_and_again_is_paid_each_time() {
    let layer = archive_of(&[("a", b"1"), ("b", b"2")]);
    let bytes = repeated(100, layer.clone());
    assert_eq!(
        read(bytes.as_slice(), &options()).unwrap().shipped(),
        Bytes(200)
    );
    let error = refusal(&repeated(1001, layer), &options());
    assert!(
        error.contains("more layers than any engine allows"),
        "{error}"
    );
    let mut few = options();
    few.limits.entries = 150;
    let error = refusal(&bytes, &few);
    assert!(error.contains("more files than is sensible"), "{error}");
}

#[test]
fn documents_are_paid_too() {
    let members: Vec<(String, Vec<u8>)> = (0..50)
        .map(|index| {
            (
                format!("{index}.json"),
                format!("{{{}", " ".repeat(1000)).into(),
            )
        })
        .collect();
    let mut options = options();
    options.limits.documents = Bytes(40_000);
    let error = refusal(&pack(&members), &options);
    assert!(error.contains("its documents are larger"), "{error}");
}

#[test]
fn what_follows_the_end_is_not_read_for_ever() {
    let error = read(io::repeat(0), &options()).unwrap_err().to_string();
    assert!(error.contains("not an exported image"), "{error}");
    let image = Image::usual().legacy();
    let contents = read(image.as_slice().chain(io::repeat(b'x')), &options()).unwrap();
    assert_eq!(contents.layers.len(), 2);
}

#[test]
fn links_that_lead_out_lead_nowhere() {
    let layer = archive_of(&[
        ("up -> ../../../../etc/passwd", b""),
        ("etc/", b""),
        ("etc/passwd", b"root"),
        ("hard == ../../etc/shadow", b""),
    ]);
    let contents = read(Image::of(vec![layer]).legacy().as_slice(), &options()).unwrap();
    let tree = crate::image::tree::Tree::of(&contents);
    // The image's own file, as in a container.
    assert_eq!(tree.find("up").unwrap().path, "etc/passwd");
    assert!(tree.find("hard").is_err());
}
