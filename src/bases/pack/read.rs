//! Reading a pack: all of it is verified before any of it is used.

#![expect(clippy::disallowed_methods, reason = "edge: reads the pack file")]

use std::collections::BTreeMap;
use std::collections::BTreeSet;
use std::fs::File;
use std::io;
use std::io::BufRead as _;
use std::io::BufReader;
use std::io::Read;
use std::io::Write;
use std::path::Path;

use serde_json::Value;
use sha2::Digest;
use sha2::Sha256;
use tokio_util::sync::CancellationToken;

use super::CONTENTS;
use super::Contents;
use super::FORMAT;
use super::MANIFEST;
use super::PackError;
use super::PackedFile;
use super::PackedImage;
use super::failed;
use crate::bases::pipe::PipeWriter;
use crate::bases::progress::Phase;
use crate::bases::progress::Reporter;
use crate::text::Clean;
use crate::text::hex;
use crate::units::Bytes;

/// The largest list that is kept in memory.
const LIST_CAP: u64 = 16 << 20;

/// Reads a whole pack and compares it with its list.
pub(super) fn verified(
    path: &Path,
    report: &Reporter,
    cancel: &CancellationToken,
) -> Result<Contents, PackError> {
    let file = File::open(path).map_err(|source| failed(path, source))?;
    let total = file
        .metadata()
        .map_err(|source| failed(path, source))?
        .len();
    let mut found = BTreeMap::new();
    let mut lists = BTreeMap::new();
    let mut platforms = BTreeMap::new();
    let mut file = BufReader::with_capacity(1 << 18, file);
    if total > 0 && !begins_a_tar(&mut file).map_err(|source| failed(path, source))? {
        return Err(no_archive());
    }
    let mut archive = tar::Archive::new(file);
    let mut done = 0;
    for entry in archive.entries().map_err(|error| broken(&error))? {
        if cancel.is_cancelled() {
            return Err(PackError::Cancelled);
        }
        let mut entry = entry.map_err(|error| broken(&error))?;
        let name = String::from_utf8_lossy(&entry.path_bytes()).into_owned();
        if !entry.header().entry_type().is_file() {
            return Err(PackError::NotAPack(Clean::line(&name)));
        }
        let is_config = name.starts_with("configs/");
        let listed = name == CONTENTS || name == MANIFEST;
        let (file, kept) = hashed(&mut entry, &name, listed || is_config)?;
        done += file.size;
        report.at(Phase::Verifying, Bytes(done), Bytes(total));
        if is_config {
            platforms.insert(name.clone(), platform(&kept.unwrap_or_default()));
        } else {
            lists.extend(kept.map(|kept| (name.clone(), kept)));
        }
        found.insert(name, file);
    }
    let contents = lists.get(CONTENTS).ok_or_else(|| match found.is_empty() {
        true => PackError::NotAPack(Clean::line("it is empty")),
        // The list comes last: what has none either was cut or never was a pack.
        false
            if found.keys().all(|name| {
                name.starts_with("layers/") || name.starts_with("configs/") || name == MANIFEST
            }) =>
        {
            PackError::Truncated
        }
        false => PackError::NotAPack(Clean::line("it has no list of contents")),
    })?;
    let damaged = |name: &str| PackError::Damaged(Clean::line(name));
    let contents: Contents =
        serde_json::from_slice(contents).map_err(|_not_json| damaged(CONTENTS))?;
    if contents.format != FORMAT {
        return Err(PackError::NotAPack(Clean::line(&contents.format)));
    }
    compare(&contents, &found)?;
    let manifest = lists.get(MANIFEST).ok_or_else(|| damaged(MANIFEST))?;
    true_to(&contents, &configs(manifest), &found, &platforms)?;
    Ok(contents)
}

/// Compares the list of images with what the engine would load: the references, the configs that
/// they name, and the platforms of these.
fn true_to(
    contents: &Contents,
    configs: &BTreeMap<String, String>,
    found: &BTreeMap<String, PackedFile>,
    platforms: &BTreeMap<String, String>,
) -> Result<(), PackError> {
    let listed = contents.images.iter().map(|image| &image.local);
    if configs.keys().collect::<BTreeSet<_>>() != listed.collect() {
        return Err(PackError::Damaged(Clean::line(MANIFEST)));
    }
    let is_so = |image: &PackedImage| {
        let config = configs.get(&image.local).map_or("", String::as_str);
        let file = found.get(config);
        let digest = file.map(|file| format!("sha256:{}", file.sha256));
        digest.as_ref() == Some(&image.digest) && platforms.get(config) == Some(&image.platform)
    };
    match contents.images.iter().all(is_so) {
        true => Ok(()),
        false => Err(PackError::Damaged(Clean::line(CONTENTS))),
    }
}

/// The platform in an image's config: `linux/amd64`.
fn platform(config: &[u8]) -> String {
    let config: Value = serde_json::from_slice(config).unwrap_or_default();
    let field = |name: &str| {
        config
            .get(name)
            .and_then(Value::as_str)
            .unwrap_or("unknown")
    };
    format!("{}/{}", field("os"), field("architecture"))
}

/// Hashes an entry; keeps its bytes where `keep`.
fn hashed(
    entry: &mut impl Read,
    name: &str,
    keep: bool,
) -> Result<(PackedFile, Option<Vec<u8>>), PackError> {
    let mut hash = Sha256::new();
    let mut kept = keep.then(Vec::new);
    let mut size = 0;
    let mut chunk = vec![0; 1 << 18];
    loop {
        let read = entry.read(&mut chunk).map_err(|error| broken(&error))?;
        let Some(bytes) = chunk.get(..read).filter(|bytes| !bytes.is_empty()) else {
            break;
        };
        hash.update(bytes);
        size += bytes.len() as u64;
        if let Some(kept) = kept.as_mut().filter(|_| size <= LIST_CAP) {
            kept.extend_from_slice(bytes);
        }
    }
    let file = PackedFile {
        path: name.to_owned(),
        size,
        sha256: hex(&hash.finalize()),
    };
    Ok((file, kept))
}

/// Compares what was found with the list: nothing missing, nothing else, nothing changed.
fn compare(contents: &Contents, found: &BTreeMap<String, PackedFile>) -> Result<(), PackError> {
    let damaged = |name: &str| PackError::Damaged(Clean::line(name));
    for file in &contents.files {
        if found.get(&file.path) != Some(file) {
            return Err(damaged(&file.path));
        }
    }
    let listed: BTreeSet<&String> = contents.files.iter().map(|file| &file.path).collect();
    match found
        .keys()
        .find(|name| *name != CONTENTS && !listed.contains(name))
    {
        Some(name) => Err(damaged(name)),
        None => Ok(()),
    }
}

/// The references that an engine would give, each with the path of the config of what it names.
fn configs(manifest: &[u8]) -> BTreeMap<String, String> {
    let manifest: Value = serde_json::from_slice(manifest).unwrap_or_default();
    let images = manifest.as_array().cloned().unwrap_or_default();
    let tagged = images.iter().filter_map(|image| {
        let config = image
            .get("Config")
            .and_then(Value::as_str)
            .unwrap_or_default();
        Some((config, image.get("RepoTags")?.as_array()?))
    });
    tagged
        .flat_map(|(config, tags)| tags.iter().map(move |tag| (tag.as_str(), config)))
        .filter_map(|(tag, config)| Some((tag?.to_owned(), config.to_owned())))
        .collect()
}

/// What an archive that cannot be read means.
fn broken(error: &io::Error) -> PackError {
    let text = error.to_string();
    if error.kind() == io::ErrorKind::UnexpectedEof
        || text.contains("unexpected EOF")
        || text.contains("failed to read entire block")
    {
        return PackError::Truncated;
    }
    // The library's words quote the bytes of the header that it could not read.
    no_archive()
}

fn no_archive() -> PackError {
    PackError::NotAPack(Clean::line("it is no tar archive"))
}

/// Whether a file begins with the header of a tar archive; what is shorter than one was never a
/// pack that was cut.
fn begins_a_tar(file: &mut BufReader<File>) -> io::Result<bool> {
    let start = file.fill_buf()?;
    Ok(start.get(257..262) == Some(b"ustar"))
}

/// Sends a pack to an engine.
pub(super) fn send(
    path: &Path,
    mut writer: PipeWriter,
    report: &Reporter,
) -> Result<(), PackError> {
    let wrong = |source| failed(path, source);
    let mut file = File::open(path).map_err(wrong)?;
    let total = Bytes(file.metadata().map_err(wrong)?.len());
    let mut chunk = vec![0; 1 << 18];
    let mut done = 0;
    loop {
        let read = file.read(&mut chunk).map_err(wrong)?;
        let Some(bytes) = chunk.get(..read).filter(|bytes| !bytes.is_empty()) else {
            break;
        };
        writer.write_all(bytes).map_err(wrong)?;
        done += bytes.len() as u64;
        report.at(Phase::Loading, Bytes(done), total);
    }
    writer.finish().map_err(wrong)
}

#[cfg(test)]
mod tests {
    use super::super::write::Writer;
    use super::*;
    use crate::bases::archive::Archive;
    use crate::bases::archive::ImageConfig;
    use crate::bases::layer::Layer;
    use crate::bases::layer::Sealed;

    /// An engine's archive of one image whose one layer holds `text`.
    fn image(text: &str, tag: &str) -> Vec<u8> {
        let mut layer = Layer::new(Vec::new());
        layer.file("a", text.as_bytes(), 0o644).expect("in memory");
        let sealed = layer.seal("sample").expect("in memory");
        let mut archive = Archive::new(Vec::new());
        let layer = Sealed {
            digest: sealed.digest,
            size: sealed.size,
            created_by: sealed.created_by,
            body: io::Cursor::new(sealed.body),
        };
        let layer = archive.layer(layer).expect("in memory");
        let config = ImageConfig {
            architecture: "amd64".to_owned(),
            ..ImageConfig::default()
        };
        archive
            .image(&[tag.to_owned()], &config, &[layer])
            .expect("in memory");
        archive.finish().expect("in memory")
    }

    fn pack(folder: &Path) -> std::path::PathBuf {
        let path = folder.join("pack");
        let mut pack = Writer::create(&path).expect("a folder of the test's own");
        let cancel = CancellationToken::new();
        for (text, tag) in [
            ("one", "local/a:1"),
            ("two", "local/b:1"),
            ("one", "local/c:1"),
        ] {
            let archive = image(text, tag);
            pack.image("a:1", tag, "registry", &archive[..], &cancel)
                .expect("it is sound");
        }
        assert_eq!(pack.finish().expect("there is room").len(), 3);
        path
    }

    fn read(path: &Path) -> Result<Contents, PackError> {
        let (to, _progress) = tokio::sync::mpsc::channel(1);
        verified(path, &Reporter::new("pack", to), &CancellationToken::new())
    }

    #[test]
    fn a_pack_is_read_as_it_was_written_with_each_layer_once() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let contents = read(&pack(folder.path())).expect("it is whole");
        assert_eq!(contents.images.len(), 3);
        assert_eq!(contents.images[0].platform, "linux/amd64");
        let layers = contents
            .files
            .iter()
            .filter(|file| file.path.starts_with("layers/"));
        assert_eq!(layers.count(), 2);
    }

    #[test]
    fn a_pack_cut_anywhere_is_refused() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = pack(folder.path());
        let whole = std::fs::read(&path).expect("it is there");
        let cut_path = folder.path().join("cut");
        for cut in (512..whole.len() - 1024).step_by(300) {
            std::fs::write(&cut_path, &whole[..cut]).expect("there is room");
            let error = read(&cut_path).expect_err("it is cut short");
            assert!(
                matches!(error, PackError::Truncated | PackError::Damaged(_)),
                "{cut}: {error}"
            );
        }
    }

    #[test]
    fn a_changed_byte_is_found() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = pack(folder.path());
        let mut bytes = std::fs::read(&path).expect("it is there");
        let at = bytes
            .windows(3)
            .position(|window| window == b"two")
            .expect("the layer's text");
        bytes[at] = b'T';
        std::fs::write(&path, &bytes).expect("there is room");
        let error = read(&path).expect_err("it was changed");
        assert!(matches!(&error, PackError::Damaged(name) if name.as_str().starts_with("layers/")));
    }

    #[test]
    fn a_list_that_says_something_else_of_an_image_is_found() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = pack(folder.path());
        let bytes = std::fs::read(&path).expect("it is there");
        // The list comes last, and its length must not change.
        let list = bytes.len() - 4096;
        let digest = read(&path).expect("it is whole").images[0].digest.clone();
        let other = format!("sha256:{}", "0".repeat(64));
        for (from, to) in [("linux/amd64", "linux/arm64"), (digest.as_str(), &other)] {
            let at = bytes
                .windows(from.len())
                .rposition(|window| window == from.as_bytes());
            let at = at.expect("it is listed");
            assert!(at > list, "{at} of {}", bytes.len());
            let mut changed = bytes.clone();
            changed[at..at + to.len()].copy_from_slice(to.as_bytes());
            std::fs::write(&path, &changed).expect("there is room");
            let error = read(&path).expect_err("it was changed");
            assert!(
                matches!(&error, PackError::Damaged(name) if name.as_str() == CONTENTS),
                "{from}: {error}"
            );
        }
    }

    #[test]
    fn another_file_is_not_a_pack() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = folder.path().join("x");
        for bytes in [
            Vec::new(),
            b"hello".to_vec(),
            b"hello".repeat(300),
            image("one", "python:3.13"),
        ] {
            std::fs::write(&path, &bytes).expect("there is room");
            let error = read(&path).expect_err("it is no pack");
            assert!(matches!(error, PackError::NotAPack(_)), "{error}");
        }
    }

    #[test]
    fn an_unfinished_pack_leaves_no_file() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = folder.path().join("pack");
        let precious = folder.path().join("pack.part");
        std::fs::write(&precious, "text").expect("there is room");
        let mut pack = Writer::create(&path).expect("a folder of the test's own");
        let cancel = CancellationToken::new();
        cancel.cancel();
        let archive = image("one", "a:1");
        let stopped = pack.image("a:1", "a:1", "registry", &archive[..], &cancel);
        assert!(matches!(stopped, Err(PackError::Cancelled)));
        drop(pack);
        let left = std::fs::read_dir(folder.path()).expect("a folder").count();
        assert_eq!(left, 1, "what was there before");
        assert_eq!(std::fs::read_to_string(precious).expect("text"), "text");
    }

    #[test]
    fn of_two_packs_in_one_place_the_last_is_whole() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = folder.path().join("pack");
        let [mut one, mut other] =
            [(), ()].map(|()| Writer::create(&path).expect("a folder of the test's own"));
        let cancel = CancellationToken::new();
        for (pack, name) in [(&mut one, "a:1"), (&mut other, "b:1")] {
            let archive = image(name, name);
            pack.image(name, name, "registry", &archive[..], &cancel)
                .expect("an image");
        }
        for (pack, name) in [(other, "b:1"), (one, "a:1")] {
            pack.finish().expect("written");
            let contents = read(&path).expect("a pack");
            assert_eq!(contents.images[0].reference, name);
        }
    }
}
