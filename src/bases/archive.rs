//! Images as one archive that every engine loads: layers that several images share come once.

use std::collections::HashSet;
use std::io;
use std::io::Read;
use std::io::Write;

use serde_json::Value;
use serde_json::json;

use crate::bases::layer::Sealed;
use crate::bases::layer::sha256;

/// An archive being written.
pub struct Archive<W: Write> {
    tar: tar::Builder<W>,
    written: HashSet<String>,
    manifest: Vec<Value>,
}

/// What an image is, its layers apart.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ImageConfig {
    /// `amd64` and the like.
    pub architecture: String,
    /// `KEY=value` lines.
    pub env: Vec<String>,
    /// The entrypoint; none where it is empty.
    pub entrypoint: Vec<String>,
    /// The command; none where it is empty.
    pub cmd: Vec<String>,
    /// The user.
    pub user: String,
    /// The working directory.
    pub working_dir: String,
    /// Labels.
    pub labels: std::collections::BTreeMap<String, String>,
}

/// A layer as an image names it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LayerName {
    /// Its digest in hexadecimal digits.
    pub digest: String,
    /// What made it.
    pub created_by: String,
}

impl<W: Write> Archive<W> {
    /// Starts an archive that is written to `to`.
    pub fn new(to: W) -> Self {
        Self {
            tar: tar::Builder::new(to),
            written: HashSet::new(),
            manifest: Vec::new(),
        }
    }

    /// Adds a layer, unless the archive has it already.
    ///
    /// # Errors
    /// When the archive cannot be written or the layer cannot be read.
    pub fn layer<B: Read>(&mut self, layer: Sealed<B>) -> io::Result<LayerName> {
        if self.written.insert(layer.digest.clone()) {
            let mut header = plain_header(layer.size);
            let path = format!("{}/layer.tar", layer.digest);
            self.tar.append_data(&mut header, path, layer.body)?;
        }
        Ok(LayerName {
            digest: layer.digest,
            created_by: layer.created_by,
        })
    }

    /// Adds an image of layers that were added before, and returns its digest.
    ///
    /// # Errors
    /// When the archive cannot be written.
    pub fn image(
        &mut self,
        references: &[String],
        config: &ImageConfig,
        layers: &[LayerName],
    ) -> io::Result<String> {
        let text = config_json(config, layers).to_string();
        let digest = sha256(text.as_bytes());
        let name = format!("{digest}.json");
        if self.written.insert(name.clone()) {
            let mut header = plain_header(text.len() as u64);
            self.tar.append_data(&mut header, &name, text.as_bytes())?;
        }
        let paths: Vec<String> = layers
            .iter()
            .map(|layer| format!("{}/layer.tar", layer.digest))
            .collect();
        self.manifest
            .push(json!({"Config": name, "RepoTags": references, "Layers": paths}));
        Ok(format!("sha256:{digest}"))
    }

    /// Ends the archive.
    ///
    /// # Errors
    /// When the archive cannot be written.
    pub fn finish(mut self) -> io::Result<W> {
        let manifest = Value::Array(self.manifest).to_string();
        let mut header = plain_header(manifest.len() as u64);
        self.tar
            .append_data(&mut header, "manifest.json", manifest.as_bytes())?;
        self.tar.into_inner()
    }
}

fn plain_header(size: u64) -> tar::Header {
    let mut header = tar::Header::new_gnu();
    header.set_mode(0o644);
    header.set_mtime(0);
    header.set_size(size);
    header
}

/// The config as the OCI image spec has it. The date is the epoch: equal contents make equal
/// images.
fn config_json(config: &ImageConfig, layers: &[LayerName]) -> Value {
    const EPOCH: &str = "1970-01-01T00:00:00Z";
    let listed = |list: &[String]| {
        if list.is_empty() {
            Value::Null
        } else {
            json!(list)
        }
    };
    let history: Vec<Value> = layers
        .iter()
        .map(|layer| json!({"created": EPOCH, "created_by": layer.created_by}))
        .collect();
    let diff_ids: Vec<String> = layers
        .iter()
        .map(|layer| format!("sha256:{}", layer.digest))
        .collect();
    json!({
        "architecture": config.architecture,
        "os": "linux",
        "created": EPOCH,
        "config": {
            "Env": config.env,
            "Entrypoint": listed(&config.entrypoint),
            "Cmd": listed(&config.cmd),
            "User": config.user,
            "WorkingDir": config.working_dir,
            "Labels": config.labels,
        },
        "rootfs": {"type": "layers", "diff_ids": diff_ids},
        "history": history,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bases::layer::Layer;

    fn layer(text: &str) -> Sealed<io::Cursor<Vec<u8>>> {
        let mut layer = Layer::new(Vec::new());
        layer.file("a", text.as_bytes(), 0o644).expect("in memory");
        let sealed = layer.seal("sample").expect("in memory");
        Sealed {
            digest: sealed.digest,
            size: sealed.size,
            created_by: sealed.created_by,
            body: io::Cursor::new(sealed.body),
        }
    }

    #[test]
    fn shared_layers_and_configs_come_once() {
        let mut archive = Archive::new(Vec::new());
        let below = archive.layer(layer("one")).expect("in memory");
        let again = archive.layer(layer("one")).expect("in memory");
        assert_eq!(below, again);
        let top = archive.layer(layer("two")).expect("in memory");
        let config = ImageConfig::default();
        let small = archive.image(&["a:1".to_owned()], &config, std::slice::from_ref(&below));
        let large = archive.image(&["a:2".to_owned()], &config, &[below, top]);
        assert_ne!(small.expect("in memory"), large.expect("in memory"));
        let bytes = archive.finish().expect("in memory");
        let mut names = Vec::new();
        let mut manifest = String::new();
        for entry in tar::Archive::new(&bytes[..]).entries().expect("an archive") {
            let mut entry = entry.expect("an entry");
            let name = entry.path().expect("a path").display().to_string();
            if name == "manifest.json" {
                entry.read_to_string(&mut manifest).expect("in memory");
            }
            names.push(name);
        }
        assert_eq!(
            names
                .iter()
                .filter(|name| name.ends_with("layer.tar"))
                .count(),
            2
        );
        assert_eq!(names.last().map(String::as_str), Some("manifest.json"));
        let manifest: Value = serde_json::from_str(&manifest).expect("it is JSON");
        assert_eq!(manifest[1]["RepoTags"][0], "a:2");
        assert_eq!(manifest[1]["Layers"].as_array().map(Vec::len), Some(2));
    }
}
