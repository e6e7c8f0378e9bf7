//! Writing a pack: the archives of several images become one, every layer once.

use std::collections::BTreeMap;
use std::collections::HashMap;
use std::ffi::OsString;
use std::fs::Permissions;
use std::io;
use std::io::BufWriter;
use std::io::Read;
use std::io::Seek;
use std::io::SeekFrom;
use std::io::Write;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::path::PathBuf;

use serde_json::Value;
use serde_json::json;
use sha2::Digest;
use sha2::Sha256;
use tempfile::NamedTempFile;
use tokio_util::sync::CancellationToken;

use super::CONTENTS;
use super::Contents;
use super::FORMAT;
use super::MANIFEST;
use super::PackError;
use super::PackedFile;
use super::PackedImage;
use super::failed;
use crate::bases::layer::sha256;
use crate::text::hex;

/// Bytes of a tar's blocks.
const BLOCK: usize = 512;
/// The largest JSON that is kept in memory.
const JSON_CAP: u64 = 4 << 20;

/// A pack being written, in a file of its own; what is not finished is removed.
pub(super) struct Writer {
    /// Where it appears when it is whole.
    path: PathBuf,
    file: BufWriter<NamedTempFile>,
    files: BTreeMap<String, PackedFile>,
    images: Vec<PackedImage>,
    manifest: Vec<Value>,
}

/// What an engine's archive of one image holds.
#[derive(Default)]
struct Exported {
    json: HashMap<String, Vec<u8>>,
    /// Layers by their path in the engine's archive: their path in the pack.
    layers: HashMap<String, String>,
    links: HashMap<String, String>,
}

impl Writer {
    pub(super) fn create(path: &Path) -> Result<Self, PackError> {
        let folder = path.parent().filter(|folder| *folder != Path::new(""));
        // Whoever finds one that was killed sees what it is.
        let mut prefix = path.file_name().map_or_else(OsString::new, OsString::from);
        prefix.push(".");
        let file = tempfile::Builder::new()
            .prefix(&prefix)
            .suffix(".part")
            // As any file that is made: the process's mask takes from it.
            .permissions(Permissions::from_mode(0o666))
            .tempfile_in(folder.unwrap_or(Path::new(".")))
            .map_err(|source| failed(path, source))?;
        Ok(Self {
            path: path.to_owned(),
            file: BufWriter::with_capacity(1 << 18, file),
            files: BTreeMap::new(),
            images: Vec::new(),
            manifest: Vec::new(),
        })
    }

    /// Adds an image out of the engine's archive of it.
    pub(super) fn image(
        &mut self,
        reference: &str,
        local: &str,
        source: &str,
        archive: impl Read,
        cancel: &CancellationToken,
    ) -> Result<(), PackError> {
        let exported = self.layers(reference, archive, cancel)?;
        let bad = |what: &str| PackError::Archive {
            reference: reference.to_owned(),
            source: io::Error::other(what.to_owned()),
        };
        let manifest = exported
            .json
            .get(MANIFEST)
            .ok_or_else(|| bad("it has no manifest"))?;
        let manifest: Value =
            serde_json::from_slice(manifest).map_err(|error| bad(&error.to_string()))?;
        let image = manifest
            .get(0)
            .ok_or_else(|| bad("its manifest names no image"))?;
        let config = image
            .get("Config")
            .and_then(Value::as_str)
            .unwrap_or_default();
        let config = exported
            .json
            .get(config)
            .ok_or_else(|| bad("it has no config"))?;
        let layers = image
            .get("Layers")
            .and_then(Value::as_array)
            .cloned()
            .unwrap_or_default();
        let layers: Option<Vec<&String>> = layers
            .iter()
            .map(|layer| {
                let path = layer.as_str()?;
                let path = exported.links.get(path).map_or(path, String::as_str);
                exported.layers.get(path)
            })
            .collect();
        let layers = layers.ok_or_else(|| bad("it lacks a layer"))?;
        let digest = sha256(config);
        let parsed: Value =
            serde_json::from_slice(config).map_err(|error| bad(&error.to_string()))?;
        let field = |name: &str| {
            parsed
                .get(name)
                .and_then(Value::as_str)
                .unwrap_or("unknown")
        };
        let name = format!("configs/{digest}.json");
        self.manifest
            .push(json!({"Config": name, "RepoTags": [local], "Layers": layers}));
        self.images.push(PackedImage {
            reference: reference.to_owned(),
            local: local.to_owned(),
            digest: format!("sha256:{digest}"),
            platform: format!("{}/{}", field("os"), field("architecture")),
            source: source.to_owned(),
        });
        if !self.files.contains_key(&name) {
            self.whole(&name, config)?;
        }
        Ok(())
    }

    /// Copies the layers of an engine's archive into the pack and keeps its JSON.
    fn layers(
        &mut self,
        reference: &str,
        archive: impl Read,
        cancel: &CancellationToken,
    ) -> Result<Exported, PackError> {
        let bad = |source| PackError::Archive {
            reference: reference.to_owned(),
            source,
        };
        let mut exported = Exported::default();
        let mut archive = tar::Archive::new(archive);
        for entry in archive.entries().map_err(bad)? {
            if cancel.is_cancelled() {
                return Err(PackError::Cancelled);
            }
            let mut entry = entry.map_err(bad)?;
            let path = String::from_utf8_lossy(&entry.path_bytes()).into_owned();
            if let Some(to) = entry.link_name_bytes() {
                let to = beside(&path, &String::from_utf8_lossy(&to));
                exported.links.insert(path, to);
                continue;
            }
            if !entry.header().entry_type().is_file() {
                continue;
            }
            let mut start = vec![0; BLOCK];
            let read = fill(&mut entry, &mut start).map_err(bad)?;
            start.truncate(read);
            let size = entry.size();
            if matches!(start.first(), Some(b'{' | b'[')) && size <= JSON_CAP {
                entry.read_to_end(&mut start).map_err(bad)?;
                exported.json.insert(path, start);
            } else if is_layer(&start) {
                let stored = self.stored(size, start.chain(entry), bad)?;
                exported.layers.insert(path, stored);
            }
        }
        Ok(exported)
    }

    /// Writes a layer and returns its path in the pack. Its name is its digest, which is known
    /// only at its end: the header is written last, and a layer that is there already is undone.
    /// What fails while it is read is told by `bad`.
    fn stored(
        &mut self,
        size: u64,
        mut body: impl Read,
        bad: impl Fn(io::Error) -> PackError,
    ) -> Result<String, PackError> {
        let wrong = |source| failed(&self.path, source);
        let start = self.file.stream_position().map_err(wrong)?;
        self.file.write_all(&[0; BLOCK]).map_err(wrong)?;
        let mut hash = Sha256::new();
        let mut chunk = vec![0; 1 << 18];
        let mut written = 0u64;
        loop {
            let read = body.read(&mut chunk).map_err(&bad)?;
            let Some(bytes) = chunk.get(..read).filter(|bytes| !bytes.is_empty()) else {
                break;
            };
            hash.update(bytes);
            self.file.write_all(bytes).map_err(wrong)?;
            written += bytes.len() as u64;
        }
        if written != size {
            let cut = io::Error::new(io::ErrorKind::UnexpectedEof, "a layer is cut short");
            return Err(bad(cut));
        }
        let digest = hex(&hash.finalize());
        let path = format!("layers/{digest}");
        if self.files.contains_key(&path) {
            self.file.seek(SeekFrom::Start(start)).map_err(wrong)?;
            self.file
                .get_ref()
                .as_file()
                .set_len(start)
                .map_err(wrong)?;
            return Ok(path);
        }
        let end = padding(written);
        self.file.write_all(&vec![0; end]).map_err(wrong)?;
        let after = self.file.stream_position().map_err(wrong)?;
        self.file.seek(SeekFrom::Start(start)).map_err(wrong)?;
        self.file
            .write_all(header(&path, size).map_err(wrong)?.as_bytes())
            .map_err(wrong)?;
        self.file.seek(SeekFrom::Start(after)).map_err(wrong)?;
        self.listed(&path, size, digest);
        Ok(path)
    }

    /// Writes a file that is in memory.
    fn whole(&mut self, path: &str, bytes: &[u8]) -> Result<(), PackError> {
        let wrong = |source| failed(&self.path, source);
        let size = bytes.len() as u64;
        let header = header(path, size).map_err(wrong)?;
        self.file.write_all(header.as_bytes()).map_err(wrong)?;
        self.file.write_all(bytes).map_err(wrong)?;
        self.file
            .write_all(&vec![0; padding(size)])
            .map_err(wrong)?;
        self.listed(path, size, sha256(bytes));
        Ok(())
    }

    fn listed(&mut self, path: &str, size: u64, sha256: String) {
        let path = path.to_owned();
        let file = PackedFile {
            path: path.clone(),
            size,
            sha256,
        };
        self.files.insert(path, file);
    }

    /// Ends the pack with its lists, and puts it into its place.
    pub(super) fn finish(mut self) -> Result<Vec<PackedImage>, PackError> {
        let manifest = Value::Array(std::mem::take(&mut self.manifest)).to_string();
        self.whole(MANIFEST, manifest.as_bytes())?;
        let contents = Contents {
            format: FORMAT.to_owned(),
            images: std::mem::take(&mut self.images),
            files: self.files.values().cloned().collect(),
        };
        let wrong = |source: io::Error| failed(&self.path, source);
        let text = serde_json::to_vec_pretty(&contents).map_err(|error| wrong(error.into()))?;
        self.whole(CONTENTS, &text)?;
        let wrong = |source: io::Error| failed(&self.path, source);
        self.file.write_all(&[0; BLOCK * 2]).map_err(wrong)?;
        self.file.flush().map_err(wrong)?;
        self.file.get_ref().as_file().sync_all().map_err(wrong)?;
        let file = self.file.into_inner();
        let file = file.map_err(|error| failed(&self.path, error.into_error()))?;
        file.persist(&self.path)
            .map_err(|error| failed(&self.path, error.error))?;
        Ok(contents.images)
    }
}

fn header(path: &str, size: u64) -> io::Result<tar::Header> {
    let mut header = tar::Header::new_gnu();
    header.set_path(path)?;
    header.set_mode(0o644);
    header.set_mtime(0);
    header.set_size(size);
    header.set_cksum();
    Ok(header)
}

/// Bytes from `size` to the end of its last block.
fn padding(size: u64) -> usize {
    let over = usize::try_from(size % BLOCK as u64).unwrap_or(0);
    (BLOCK - over) % BLOCK
}

/// Reads until `buffer` is full or nothing is left.
fn fill(from: &mut impl Read, buffer: &mut [u8]) -> io::Result<usize> {
    let mut filled = 0;
    while let Some(room) = buffer.get_mut(filled..).filter(|room| !room.is_empty()) {
        match from.read(room)? {
            0 => break,
            read => filled += read,
        }
    }
    Ok(filled)
}

/// Whether a file of an engine's archive is a layer: a tar, plain or compressed, or an empty one.
fn is_layer(start: &[u8]) -> bool {
    start.starts_with(&[0x1f, 0x8b])
        || start.starts_with(&[0x28, 0xb5, 0x2f, 0xfd])
        || start.get(257..262) == Some(b"ustar".as_slice())
        || (start.len() == BLOCK && start.iter().all(|byte| *byte == 0))
}

/// The path that a link at `path` points to.
fn beside(path: &str, to: &str) -> String {
    let mut parts: Vec<&str> = path.split('/').collect();
    parts.pop();
    for part in to.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop();
            }
            part => parts.push(part),
        }
    }
    parts.join("/")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_between_layers_are_followed() {
        assert_eq!(beside("aa/layer.tar", "../bb/layer.tar"), "bb/layer.tar");
        assert_eq!(beside("a", "./b"), "b");
    }

    #[test]
    fn padding_ends_at_a_block() {
        assert_eq!([0, 1, 512, 513].map(padding), [0, 511, 0, 511]);
    }
}
