//! Evidence made by hand, for the tests of goals.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use serde::Deserialize;
use serde::Deserializer;
use serde::de::Error as _;
use serde::de::MapAccess;
use serde::de::Visitor;

use super::Evidence;
use super::Goal;
use super::Missing;
use super::Verdict;
use super::evidence::LayerSize;
use super::evidence::Sizes;
use super::registry::KindSeed;
use super::registry::parse_bare;
use crate::dockerfile::Dockerfile;
use crate::image::Config;
use crate::image::Contents;
use crate::image::Entry;
use crate::image::EntryKind;
use crate::image::Layer;
use crate::image::Note;
use crate::image::Summary;
use crate::image::archive::Probe as _;
use crate::image::archive::Seen;
use crate::image::output::Output;
use crate::image::package::Packages;
use crate::text::Clean;
use crate::units::Bytes;

/// A goal as an exercise has it, without the dash.
pub(super) fn goal(yaml: &str) -> Arc<dyn Goal> {
    try_goal(yaml).unwrap()
}

/// The same, with the reader's error.
pub(super) fn try_goal(yaml: &str) -> Result<Arc<dyn Goal>, String> {
    let item: Item = serde_yaml::from_str(yaml).map_err(|error| error.to_string())?;
    Ok(item.0)
}

struct Item(Arc<dyn Goal>);

impl<'de> Deserialize<'de> for Item {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ItemVisitor)
    }
}

struct ItemVisitor;

impl<'de> Visitor<'de> for ItemVisitor {
    type Value = Item;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a goal")
    }

    fn visit_str<E: serde::de::Error>(self, name: &str) -> Result<Item, E> {
        parse_bare(name).map(Item)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Item, A::Error> {
        let name: String = map.next_key()?.ok_or_else(|| A::Error::custom("no kind"))?;
        map.next_value_seed(KindSeed(&name)).map(Item)
    }
}

/// Evidence of which nothing but the Dockerfile is there.
pub(super) fn nothing(text: &str) -> Evidence {
    let missing = || Missing::because("It was not gathered.");
    Evidence {
        dockerfile: Arc::new(Dockerfile::parse(text)),
        context: Err(missing()),
        steps: Vec::new(),
        failure: None,
        summary: Err(missing()),
        sizes: Err(missing()),
        baseline: None,
        contents: Err(missing()),
        paths: BTreeMap::new(),
        canaries: Err(missing()),
        secrets: Err(missing()),
        scan: Err(missing()),
        starter_scan: Err(missing()),
        runs: BTreeMap::new(),
        baseline_runs: BTreeMap::new(),
        traces: BTreeMap::new(),
        rebuilds: BTreeMap::new(),
    }
}

/// The same with an image of this config.
pub(super) fn with_config(text: &str, config: Config) -> Evidence {
    Evidence {
        summary: Ok(summary(config)),
        ..nothing(text)
    }
}

/// What an engine says of an image of this config.
pub(super) fn summary(config: Config) -> Summary {
    Summary {
        id: String::from("sha256:1"),
        tags: Vec::new(),
        config,
        history: Vec::new(),
        diff_ids: Vec::new(),
        engine_size: Bytes(0),
        layer_sizes: None,
    }
}

/// Layers with these lines and sizes.
pub(super) fn sizes(layers: &[(Option<u32>, u64)]) -> Sizes {
    Sizes {
        shipped: layers.iter().map(|(_, size)| Bytes(*size)).sum(),
        layers: layers
            .iter()
            .map(|(line, size)| LayerSize {
                created_by: None,
                line: *line,
                shipped: Bytes(*size),
            })
            .collect(),
        exact: true,
    }
}

/// A config that starts `entrypoint` with `cmd`.
pub(super) fn starts(entrypoint: &[&str], cmd: &[&str]) -> Config {
    let owned = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect();
    Config {
        entrypoint: owned(entrypoint),
        cmd: owned(cmd),
        ..Config::default()
    }
}

/// An image with these layers.
pub(super) fn contents(layers: Vec<Layer>) -> Contents {
    let mut contents = Contents {
        layers,
        ..Contents::default()
    };
    for (index, layer) in contents.layers.iter_mut().enumerate() {
        layer.index = index;
    }
    contents
}

/// A layer with entries: `path`, `path/` for a folder, `path -> target`, each with optional
/// permission bits before it: `700 root/`.
pub(super) fn layer(entries: &[&str]) -> Layer {
    let entries = entries.iter().map(|line| {
        let (mode, path) = match line.split_once(' ') {
            Some((mode, path)) if u32::from_str_radix(mode, 8).is_ok() => {
                (u32::from_str_radix(mode, 8).unwrap(), path)
            }
            _ => (0o755, *line),
        };
        let (path, kind) = match path.split_once(" -> ") {
            Some((path, target)) => (path, EntryKind::Symlink(target.to_owned())),
            None if path.ends_with('/') => (path.trim_end_matches('/'), EntryKind::Directory),
            None => (path, EntryKind::File),
        };
        Entry {
            path: path.to_owned(),
            kind,
            size: Bytes(10),
            mode,
            uid: 0,
            gid: 0,
            content: None,
            capabilities: false,
        }
    });
    Layer {
        entries: entries.collect(),
        ..Layer::default()
    }
}

/// A layer with files of this content, as the packages' probe notes them.
pub(super) fn noted(files: &[(&str, &[u8])]) -> Layer {
    let paths: Vec<&str> = files.iter().map(|(path, _)| *path).collect();
    let mut layer = layer(&paths);
    for (path, bytes) in files {
        let seen = Seen {
            path,
            size: Bytes(bytes.len() as u64),
            mode: 0o755,
        };
        let Some(mut sink) = Packages.look(&seen) else {
            continue;
        };
        let _ = sink.piece(bytes);
        layer.notes.extend(sink.finish().map(|bytes| Note {
            probe: Packages.name().to_owned(),
            path: (*path).to_owned(),
            bytes,
        }));
    }
    layer
}

/// Clean lines of a text.
pub(super) fn lines(text: &str) -> Output {
    Output::whole(text.as_bytes())
}

/// All that a learner reads of a verdict.
pub(super) fn show(verdict: &Verdict) -> String {
    match verdict {
        Verdict::Met { actual } => format!("met: {actual}"),
        Verdict::Unknown { reason } => format!("unknown: {reason}"),
        Verdict::Unmet(unmet) => {
            let blame = &unmet.blame;
            let mut places = Vec::new();
            places.extend(blame.line.map(|line| format!("line {line}")));
            places.extend(blame.layer.map(|layer| format!("layer {layer}")));
            places.extend(blame.path.as_ref().map(Clean::to_string));
            format!(
                "unmet: {}\nwhy:   {}\nnext:  {}\nblame: {}",
                unmet.actual,
                unmet.why,
                unmet.next_step,
                places.join(", ")
            )
        }
    }
}
