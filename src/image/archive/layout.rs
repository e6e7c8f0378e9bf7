//! From the parts of an archive to an image: which document names what, in which order.

use std::collections::BTreeMap;
use std::collections::BTreeSet;
use std::time::Duration;

use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::ArchiveError;
use super::Options;
use super::budget::Budget;
use super::facts;
use super::layer::Scanned;
use super::part::Asked;
use super::part::Part;
use crate::image::Config;
use crate::image::Contents;
use crate::image::Healthcheck;
use crate::image::History;
use crate::image::HistoryStep;
use crate::image::Hit;
use crate::image::Layer;
use crate::text::Clean;

/// How deep indexes may name indexes.
pub(super) const INDEX_DEPTH: usize = 8;

/// How often a link may point to a link.
const LINK_DEPTH: usize = 8;

/// The path that a link inside the archive points to.
pub(super) fn link_target(path: &str, target: &str, symbolic: bool) -> String {
    let mut parts: Vec<&str> = Vec::new();
    if symbolic && !target.starts_with('/') {
        parts.extend(path.split('/'));
        parts.pop();
    }
    for part in target.split('/') {
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

/// `manifest.json`: one entry per image.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase", expecting = "an object about one image")]
struct SavedImage {
    config: String,
    #[serde(default)]
    layers: Option<Vec<String>>,
}

/// An index or a manifest of the OCI image layout.
#[derive(Debug, Deserialize)]
#[serde(expecting = "an object, an index or a manifest")]
struct Document {
    #[serde(default)]
    manifests: Option<Vec<Descriptor>>,
    #[serde(default)]
    config: Option<Descriptor>,
    #[serde(default)]
    layers: Option<Vec<Descriptor>>,
}

impl Document {
    /// What a manifest names; `path` is where parts are.
    fn plan(self, path: fn(&Descriptor) -> String) -> Result<Plan, ArchiveError> {
        let (Some(config), Some(layers)) = (self.config, self.layers) else {
            return Err(ArchiveError::broken("its manifest names no config"));
        };
        Ok(Plan {
            config: path(&config),
            layers: layers.iter().map(path).collect(),
        })
    }
}

#[derive(Debug, Deserialize)]
#[serde(expecting = "an object with a digest")]
struct Descriptor {
    digest: String,
    #[serde(default)]
    platform: Option<Platform>,
    #[serde(default)]
    annotations: Option<BTreeMap<String, String>>,
}

#[derive(Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default, expecting = "an object with a system and an architecture")]
struct Platform {
    os: String,
    architecture: String,
    variant: Option<String>,
    #[serde(rename = "os.version")]
    version: Option<String>,
}

impl Descriptor {
    fn path(&self) -> String {
        format!("blobs/{}", self.digest.replacen(':', "/", 1))
    }

    /// The name of a part that lies beside its manifest.
    fn name(&self) -> String {
        let digest = self.digest.as_str();
        digest.rsplit(':').next().unwrap_or(digest).to_owned()
    }

    /// Build records travel beside images in an index; they are no images.
    fn is_image(&self) -> bool {
        let kind = self
            .annotations
            .as_ref()
            .and_then(|all| all.get("vnd.docker.reference.type"));
        kind.is_none_or(|kind| kind != "attestation-manifest")
    }
}

/// The config document of an image.
#[derive(Debug, Default, Deserialize)]
#[serde(default, expecting = "an object, an image's config")]
struct ImageDocument {
    architecture: String,
    os: String,
    created: Option<String>,
    config: Option<ConfigDocument>,
    history: Option<Vec<StepDocument>>,
    rootfs: Option<RootDocument>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, expecting = "an object with the digests of layers")]
struct RootDocument {
    diff_ids: Option<Vec<String>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, expecting = "an object about one step")]
struct StepDocument {
    created_by: Option<String>,
    empty_layer: bool,
}

impl StepDocument {
    fn into_step(self) -> HistoryStep {
        HistoryStep {
            created_by: self.created_by.unwrap_or_default(),
            empty_layer: self.empty_layer,
        }
    }
}

#[derive(Debug, Default, Deserialize)]
#[serde(
    default,
    rename_all = "PascalCase",
    expecting = "an object with what a container is given"
)]
struct ConfigDocument {
    user: Option<String>,
    entrypoint: Option<Vec<String>>,
    cmd: Option<Vec<String>>,
    env: Option<Vec<String>>,
    working_dir: Option<String>,
    labels: Option<BTreeMap<String, String>>,
    exposed_ports: Option<BTreeMap<String, serde::de::IgnoredAny>>,
    volumes: Option<BTreeMap<String, serde::de::IgnoredAny>>,
    stop_signal: Option<String>,
    healthcheck: Option<HealthDocument>,
    shell: Option<Vec<String>>,
}

/// Durations are in nanoseconds; 0 means that none is set.
#[derive(Debug, Default, Deserialize)]
#[serde(
    default,
    rename_all = "PascalCase",
    expecting = "an object about a health check"
)]
struct HealthDocument {
    test: Option<Vec<String>>,
    interval: i64,
    timeout: i64,
    start_period: i64,
    retries: i64,
}

/// What an image consists of, by paths in the archive.
pub(super) struct Plan {
    pub(super) config: String,
    pub(super) layers: Vec<String>,
}

/// Puts the parts together.
pub(super) fn assemble(
    mut parts: BTreeMap<String, Part>,
    asked: &Asked<'_>,
    budget: &mut Budget,
) -> Result<Contents, ArchiveError> {
    let plan = plan(&parts, asked.options)?;
    let document: ImageDocument = json(&parts, &plan.config)?;
    let diff_ids = document
        .rootfs
        .and_then(|root| root.diff_ids)
        .unwrap_or_default();
    if diff_ids.len() != plan.layers.len() {
        return Err(ArchiveError::broken(format!(
            "its config names {} layers and its manifest {}",
            diff_ids.len(),
            plan.layers.len()
        )));
    }
    if diff_ids.len() > budget.limits.layers {
        return Err(ArchiveError::too_much(
            "it has more layers than any engine allows",
        ));
    }
    let paths = resolve_all(&parts, &plan.layers)?;
    let mut layers = Vec::new();
    for (index, (path, diff_id)) in paths.iter().zip(diff_ids).enumerate() {
        let last_use = !paths.iter().skip(index + 1).any(|later| later == path);
        let mut scanned = take_layer(&mut parts, path, last_use, budget)?;
        if let Some(found) = &scanned.digest
            && *found != diff_id
        {
            return Err(ArchiveError::WrongDigest {
                layer: index,
                found: found.clone(),
            });
        }
        facts::remember(asked, &diff_id, path, &mut scanned);
        layers.push((diff_id, scanned));
    }
    let steps = document.history.unwrap_or_default();
    let history = steps.into_iter().map(StepDocument::into_step).collect();
    let config = Config {
        architecture: document.architecture,
        os: document.os,
        created: document.created,
        ..config(document.config.unwrap_or_default())
    };
    Ok(contents(config, history, layers))
}

/// An image of these layers, each with its digest, bottom first.
pub(super) fn contents(
    config: Config,
    history: Vec<HistoryStep>,
    layers: Vec<(String, Scanned)>,
) -> Contents {
    let makers = History(&history).makers(layers.len());
    let mut contents = Contents {
        config,
        ..Contents::default()
    };
    for ((index, (diff_id, scanned)), created_by) in layers.into_iter().enumerate().zip(makers) {
        let hits = scanned.hits.into_iter();
        contents.hits.extend(hits.map(|(path, needle)| Hit {
            layer: index,
            path,
            needle,
        }));
        contents.layers.push(Layer {
            index,
            diff_id,
            created_by,
            shipped: scanned.shipped,
            entries: scanned.entries,
            programs: scanned.programs,
            kept: scanned.kept,
            notes: scanned.notes,
        });
    }
    contents.history = history;
    contents
}

/// The documents that the indexes at hand name and that are not at hand themselves.
pub(super) fn named_documents(parts: &BTreeMap<String, Part>) -> Vec<String> {
    let texts = parts.values().filter_map(|part| match part {
        Part::Json(text) => serde_json::from_slice::<Document>(text).ok(),
        Part::Layer(_) | Part::Link(_) | Part::Other => None,
    });
    let named = texts.flat_map(|document| document.manifests.unwrap_or_default());
    let paths = named.filter(Descriptor::is_image).map(|one| one.path());
    paths.filter(|path| !parts.contains_key(path)).collect()
}

/// Finds the image's config and layers, by `manifest.json` where there is one: a list of saved
/// images, or in the folders of some tools the manifest itself, whose parts lie beside it.
pub(super) fn plan(
    parts: &BTreeMap<String, Part>,
    options: &Options,
) -> Result<Plan, ArchiveError> {
    match parts.get("manifest.json") {
        Some(Part::Json(text)) if text.trim_ascii_start().starts_with(b"{") => {
            let document: Document = json(parts, "manifest.json")?;
            document.plan(Descriptor::name)
        }
        Some(_) => saved(parts),
        None => indexed(parts, options),
    }
}

fn saved(parts: &BTreeMap<String, Part>) -> Result<Plan, ArchiveError> {
    let mut images: Vec<SavedImage> = json(parts, "manifest.json")?;
    match (images.pop(), images.len()) {
        (Some(image), 0) => Ok(Plan {
            config: image.config,
            layers: image.layers.unwrap_or_default(),
        }),
        (None, _) => Err(ArchiveError::NotAnImage(Clean::line(
            "its manifest is empty",
        ))),
        (Some(_), more) => Err(ArchiveError::SeveralImages(more + 1)),
    }
}

fn indexed(parts: &BTreeMap<String, Part>, options: &Options) -> Result<Plan, ArchiveError> {
    if !parts.contains_key("index.json") {
        let what = "it has neither `manifest.json` nor `index.json`";
        return Err(ArchiveError::NotAnImage(Clean::line(what)));
    }
    let mut path = String::from("index.json");
    for _ in 0..INDEX_DEPTH {
        let document: Document = json(parts, &path)?;
        if document.layers.is_some() {
            return document.plan(Descriptor::path);
        }
        path = choose(parts, &document.manifests.unwrap_or_default(), options)?;
    }
    Err(ArchiveError::broken(
        "its indexes name each other without end",
    ))
}

/// The manifest or index to follow: of the wanted platform, else the first; only what is there.
fn choose(
    parts: &BTreeMap<String, Part>,
    manifests: &[Descriptor],
    options: &Options,
) -> Result<String, ArchiveError> {
    let here: Vec<&Descriptor> = manifests
        .iter()
        .filter(|one| one.is_image() && parts.contains_key(&one.path()))
        .collect();
    let fits = |one: &&&Descriptor| match (&one.platform, &options.platform) {
        (Some(platform), Some((os, architecture))) => {
            platform.os == *os && platform.architecture == *architecture
        }
        _ => false,
    };
    // Without a platform there is nothing to choose by: these are several images.
    let digests: BTreeSet<&str> = here.iter().map(|one| one.digest.as_str()).collect();
    if digests.len() > 1 && here.iter().all(|one| one.platform.is_none()) {
        return Err(ArchiveError::SeveralImages(digests.len()));
    }
    let chosen = here.iter().find(fits).or_else(|| here.first());
    // Nor is there between two of one platform.
    if let Some(platform) = chosen.and_then(|one| one.platform.as_ref()) {
        let same = here
            .iter()
            .filter(|one| one.platform.as_ref() == Some(platform));
        let digests: BTreeSet<&str> = same.map(|one| one.digest.as_str()).collect();
        if digests.len() > 1 {
            return Err(ArchiveError::SeveralImages(digests.len()));
        }
    }
    match (chosen, manifests.first()) {
        (Some(one), _) => Ok(one.path()),
        (None, Some(missing)) => Err(ArchiveError::MissingPart(Clean::line(&missing.digest))),
        (None, None) => Err(ArchiveError::NotAnImage(Clean::line("its index is empty"))),
    }
}

fn json<T: DeserializeOwned>(
    parts: &BTreeMap<String, Part>,
    path: &str,
) -> Result<T, ArchiveError> {
    match parts.get(&resolve(parts, path)?) {
        Some(Part::Json(text)) => serde_json::from_slice(text)
            .map_err(|error| ArchiveError::broken(format!("`{path}` cannot be read: {error}"))),
        Some(Part::Layer(_) | Part::Link(_) | Part::Other) => {
            Err(ArchiveError::broken(format!("`{path}` is not a document")))
        }
        None => Err(ArchiveError::MissingPart(Clean::line(path))),
    }
}

/// Follows the links of legacy archives to the part itself.
fn resolve(parts: &BTreeMap<String, Part>, path: &str) -> Result<String, ArchiveError> {
    let mut path = path.trim_start_matches("./").to_owned();
    for _ in 0..LINK_DEPTH {
        match parts.get(&path) {
            Some(Part::Link(target)) => path.clone_from(target),
            Some(_) => return Ok(path),
            None => return Err(ArchiveError::MissingPart(Clean::line(&path))),
        }
    }
    Err(ArchiveError::broken(
        "its links point at each other without end",
    ))
}

fn resolve_all(
    parts: &BTreeMap<String, Part>,
    layers: &[String],
) -> Result<Vec<String>, ArchiveError> {
    layers.iter().map(|path| resolve(parts, path)).collect()
}

/// The layer at `path`; an archive may name one layer several times.
fn take_layer(
    parts: &mut BTreeMap<String, Part>,
    path: &str,
    last_use: bool,
    budget: &mut Budget,
) -> Result<Scanned, ArchiveError> {
    let part = match (last_use, parts.get(path)) {
        (false, Some(Part::Layer(scanned))) => {
            budget.again(scanned)?;
            return Ok(Scanned::clone(scanned));
        }
        _ => parts.remove(path),
    };
    match part {
        Some(Part::Layer(scanned)) => Ok(*scanned),
        _ => Err(ArchiveError::broken(format!("`{path}` is not a layer"))),
    }
}

fn config(document: ConfigDocument) -> Config {
    Config {
        user: document.user.unwrap_or_default(),
        entrypoint: document.entrypoint.unwrap_or_default(),
        cmd: document.cmd.unwrap_or_default(),
        env: document.env.unwrap_or_default(),
        working_dir: document.working_dir.unwrap_or_default(),
        labels: document.labels.unwrap_or_default(),
        exposed_ports: document
            .exposed_ports
            .unwrap_or_default()
            .into_keys()
            .collect(),
        volumes: document.volumes.unwrap_or_default().into_keys().collect(),
        stop_signal: document.stop_signal,
        healthcheck: document.healthcheck.and_then(healthcheck),
        shell: document.shell.unwrap_or_default(),
        ..Config::default()
    }
}

fn healthcheck(document: HealthDocument) -> Option<Healthcheck> {
    let time = |nanoseconds: i64| {
        u64::try_from(nanoseconds)
            .ok()
            .filter(|value| *value > 0)
            .map(Duration::from_nanos)
    };
    Some(Healthcheck {
        test: document.test.filter(|test| !test.is_empty())?,
        interval: time(document.interval),
        timeout: time(document.timeout),
        start_period: time(document.start_period),
        retries: u32::try_from(document.retries)
            .ok()
            .filter(|value| *value > 0),
    })
}
