//! What an image is: its config, its layers, the file system they add up to, and what a run of it
//! showed.
//!
//! Nothing here talks to an engine: the engine's adapter fills these types, the goals read them.

pub mod archive;
pub mod binary;
pub mod changes;
pub mod dead;
pub mod doubt;
pub mod efficiency;
#[cfg(test)]
mod fixture;
pub mod glob;
mod hashed;
pub mod inside;
pub mod maker;
mod merge;
pub mod output;
pub mod package;
pub mod run;
pub mod sbom;
pub mod secrets;
pub mod shells;
pub mod touched;
pub mod tree;
pub mod user;

use std::collections::BTreeMap;
use std::time::Duration;

use serde::Deserialize;
use serde::Serialize;

use crate::image::binary::Program;
use crate::units::Bytes;

/// The parts of an image's config that matter to goals; names as the OCI image spec has them.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Config {
    /// User and optional group: `65532`, `nonroot:nonroot`, empty for root.
    pub user: String,
    /// The entrypoint; empty where there is none.
    pub entrypoint: Vec<String>,
    /// The default arguments or command.
    pub cmd: Vec<String>,
    /// `KEY=value` lines.
    pub env: Vec<String>,
    /// The working directory.
    pub working_dir: String,
    /// Labels.
    pub labels: BTreeMap<String, String>,
    /// `8000/tcp` and the like.
    pub exposed_ports: Vec<String>,
    /// Declared volumes.
    pub volumes: Vec<String>,
    /// The signal that asks the container to stop; `SIGTERM` where it is not set.
    pub stop_signal: Option<String>,
    /// The health check.
    pub healthcheck: Option<Healthcheck>,
    /// The shell of the shell form.
    pub shell: Vec<String>,
    /// `amd64` and the like.
    pub architecture: String,
    /// `linux` and the like.
    pub os: String,
    /// When the image was made, RFC 3339, where it says so.
    pub created: Option<String>,
}

/// A health check as the image carries it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Healthcheck {
    /// `["CMD", …]`, `["CMD-SHELL", …]` or `["NONE"]`.
    pub test: Vec<String>,
    /// Time between two probes, where it is set.
    pub interval: Option<Duration>,
    /// How long a probe may take, where it is set.
    pub timeout: Option<Duration>,
    /// Grace at the start, where it is set.
    pub start_period: Option<Duration>,
    /// Failures in a row that make it unhealthy, where it is set.
    pub retries: Option<u32>,
}

/// One step of an image's history, oldest first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HistoryStep {
    /// The command as the builder recorded it, secrets included: not to be shown as it is.
    pub created_by: String,
    /// Whether the step made no layer.
    pub empty_layer: bool,
}

/// A history, oldest step first.
#[derive(Debug, Clone, Copy)]
pub struct History<'a>(pub &'a [HistoryStep]);

impl History<'_> {
    /// The step that made each of `layers` layers, bottom first, as it may be [`told`](maker::told).
    ///
    /// A history that counts other than the layers do (an imported file system at the bottom, say)
    /// is read from its end: the upper layers are the learner's.
    #[must_use]
    pub fn makers(&self, layers: usize) -> Vec<Option<String>> {
        let steps = self.0.iter().rev().filter(|step| !step.empty_layer);
        let mut makers: Vec<Option<String>> = steps
            .take(layers)
            .map(|step| Some(maker::told(&step.created_by)))
            .collect();
        makers.resize(layers, None);
        makers.reverse();
        makers
    }
}

/// What an engine says of an image without exporting it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Summary {
    /// The engine's id for the image; opaque, its meaning differs between image stores.
    pub id: String,
    /// Its references.
    pub tags: Vec<String>,
    /// Its config.
    pub config: Config,
    /// Its history, oldest first; empty where the engine does not tell.
    pub history: Vec<HistoryStep>,
    /// Digests of the uncompressed layers, bottom first.
    pub diff_ids: Vec<String>,
    /// The size that the engine reports. Shown, never judged: it differs between engines by a
    /// factor of three for one and the same image.
    pub engine_size: Bytes,
    /// The engine's own sizes per layer, bottom first, where they agree with
    /// [`Layer::shipped`] to 0.01 % (the graph driver store of Docker); otherwise `None`.
    pub layer_sizes: Option<Vec<Bytes>>,
}

/// One layer of an exported image.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Layer {
    /// Position, from 0 at the bottom.
    pub index: usize,
    /// SHA-256 of the uncompressed layer: `sha256:…`.
    pub diff_id: String,
    /// The history step that made it, where the history tells, as it may be
    /// [`told`](maker::told): for people and documents.
    pub created_by: Option<String>,
    /// Sum of the payload bytes of its regular files, those named like a whiteout included; hard
    /// links count once.
    pub shipped: Bytes,
    /// Its entries in the order of the archive.
    pub entries: Vec<Entry>,
    /// What its executable files are, by path; files that are neither ELF nor scripts are left out.
    pub programs: BTreeMap<String, Program>,
    /// The content of the small files that the pass was asked to keep, by path.
    pub kept: BTreeMap<String, Vec<u8>>,
    /// What the pass's probes made of its files, in the order of the archive.
    pub notes: Vec<Note>,
}

impl Layer {
    /// The notes that one probe took.
    pub fn notes_of<'a>(&'a self, probe: &'a str) -> impl Iterator<Item = &'a Note> {
        self.notes.iter().filter(move |note| note.probe == probe)
    }
}

/// What a [`Probe`](archive::Probe) made of one file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Note {
    /// The probe's name.
    pub probe: String,
    /// The file.
    pub path: String,
    /// The note, in the probe's own format.
    pub bytes: Vec<u8>,
}

/// What an archive entry of a layer is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum EntryKind {
    /// A regular file.
    File,
    /// A directory.
    Directory,
    /// A symbolic link and its target as written.
    Symlink(String),
    /// A hard link to another path of the same layer.
    Hardlink(String),
    /// `.wh.NAME`: hides `NAME` of the layers below. The path is that of `NAME`.
    Whiteout,
    /// `.wh..wh..opq`: hides everything below the directory. The path is the directory's.
    Opaque,
    /// A device, a FIFO or something else.
    Other,
}

/// One entry of a layer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// The path without a leading slash: `usr/bin/env`.
    pub path: String,
    /// What it is.
    pub kind: EntryKind,
    /// Payload bytes; no engine gives a whiteout any, but whoever names a file like one does.
    pub size: Bytes,
    /// Permission bits with setuid, setgid and sticky.
    pub mode: u32,
    /// Owner.
    pub uid: u64,
    /// Group.
    pub gid: u64,
    /// What its payload is, for a regular file that was read.
    pub content: Option<ContentHash>,
    /// Whether it carries file capabilities (`security.capability`), which a program gets whoever
    /// starts it.
    pub capabilities: bool,
}

impl Entry {
    /// The path as the archive has it: with the mark of a whiteout.
    #[must_use]
    pub fn written(&self) -> String {
        let marked = |folder: &str, name: &str| {
            let slash = if folder.is_empty() { "" } else { "/" };
            format!("{folder}{slash}.wh.{name}")
        };
        match self.kind {
            EntryKind::Whiteout => {
                let (folder, name) = self.path.rsplit_once('/').unwrap_or(("", &self.path));
                marked(folder, name)
            }
            EntryKind::Opaque => marked(&self.path, ".wh..opq"),
            EntryKind::File
            | EntryKind::Directory
            | EntryKind::Symlink(_)
            | EntryKind::Hardlink(_)
            | EntryKind::Other => self.path.clone(),
        }
    }
}

/// XXH3 of a payload, 64 bits: tells whether two files are the same. It proves nothing against
/// someone who wants two files to look the same; digests of layers do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct ContentHash(pub u64);

/// What one pass over an exported image found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Contents {
    /// The config as the archive has it.
    pub config: Config,
    /// The history, oldest first.
    pub history: Vec<HistoryStep>,
    /// The layers, bottom first.
    pub layers: Vec<Layer>,
    /// Where the needles of the pass were found, in the order of the layers.
    pub hits: Vec<Hit>,
}

impl Contents {
    /// The payload bytes of all layers.
    #[must_use]
    pub fn shipped(&self) -> Bytes {
        self.layers.iter().map(|layer| layer.shipped).sum()
    }
}

/// A needle that the pass found in a layer. What the needle is stays with the caller.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Hit {
    /// The layer, from 0 at the bottom.
    pub layer: usize,
    /// The entry in whose payload, name or link target it is.
    pub path: String,
    /// Which needle, counted from 0.
    pub needle: usize,
}
