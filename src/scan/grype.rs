//! Grype: `grype docker-archive:… -o json`.

use std::path::Path;

use serde::Deserialize;

use super::Adapter;
use super::Image;
use super::Version;
use super::purl;
use crate::finding::Finding;
use crate::finding::NO_LAYER;
use crate::finding::Scan;
use crate::finding::Severity;
use crate::image::package::Package;
use crate::image::package::PackageKind;
use crate::image::package::SourcePackage;
use crate::text::Clean;

pub(super) const ADAPTER: Adapter = Adapter {
    program: "grype",
    version: &["version", "-o", "json"],
    read_version,
    scan,
    keeps: &["GRYPE_DB_CACHE_DIR"],
    sets: &[
        ("GRYPE_CHECK_FOR_APP_UPDATE", "false"),
        ("GRYPE_DB_AUTO_UPDATE", "false"),
        ("GRYPE_DB_VALIDATE_AGE", "false"),
    ],
    ends_with: &[0],
    lacks: &[],
    absent: &[],
    unread: |_| 0,
    refused: &[],
    prepare: "fetch its database with `grype db update`, then run this again",
    read,
    day: |_| None,
};

fn scan(archive: &Path) -> Vec<String> {
    vec![
        format!("docker-archive:{}", archive.display()),
        "-o".to_owned(),
        // Not `--quiet`, with which it does not even say why it fails.
        "json".to_owned(),
    ]
}

#[derive(Deserialize)]
struct About {
    version: String,
}

fn read_version(text: &str) -> Option<Version> {
    let about: About = serde_json::from_str(text).ok()?;
    Some(Version {
        own: about.version.trim_start_matches('v').to_owned(),
        database: String::new(),
    })
}

#[derive(Deserialize)]
struct Report {
    matches: Vec<Match>,
    #[serde(default)]
    descriptor: Descriptor,
}

#[derive(Default, Deserialize)]
struct Descriptor {
    #[serde(default)]
    db: Option<Database>,
}

/// The database: its day stands at the top in older releases and in `status` in newer ones.
#[derive(Default, Deserialize)]
struct Database {
    #[serde(default)]
    built: String,
    #[serde(rename = "schemaVersion", default)]
    schema: serde_json::Value,
    #[serde(default)]
    status: Option<Box<Self>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Match {
    vulnerability: Vulnerability,
    #[serde(default)]
    related_vulnerabilities: Vec<Related>,
    #[serde(default)]
    match_details: Vec<Detail>,
    artifact: Artifact,
}

#[derive(Deserialize)]
struct Vulnerability {
    id: String,
    #[serde(default)]
    severity: String,
    #[serde(default)]
    description: String,
    #[serde(default)]
    fix: Fix,
}

#[derive(Default, Deserialize)]
struct Fix {
    #[serde(default)]
    versions: Option<Vec<String>>,
}

#[derive(Deserialize)]
struct Detail {
    #[serde(default)]
    fix: Option<Suggested>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Suggested {
    #[serde(default)]
    suggested_version: String,
}

#[derive(Deserialize)]
struct Related {
    id: String,
    #[serde(default)]
    description: String,
}

#[derive(Deserialize)]
struct Artifact {
    name: String,
    version: String,
    #[serde(default)]
    locations: Option<Vec<Location>>,
    #[serde(rename = "type", default)]
    kind: String,
    #[serde(default)]
    purl: String,
    #[serde(default)]
    upstreams: Option<Vec<Upstream>>,
}

#[derive(Deserialize)]
struct Location {
    #[serde(default)]
    path: String,
    #[serde(rename = "layerID", default)]
    layer: String,
}

impl Location {
    /// Whether it is a file with the records of many packages: its layer is that of the last change
    /// to any of them, and not the one that brought this package.
    fn is_shared(&self) -> bool {
        let files = [
            "/lib/dpkg/status",
            "/lib/apk/db/installed",
            "/composer/installed.json",
        ];
        files.iter().any(|file| self.path.ends_with(file))
    }
}

#[derive(Deserialize)]
struct Upstream {
    name: String,
    #[serde(default)]
    version: String,
}

fn read(json: &[u8], _version: &Version, image: &Image<'_>) -> Result<Scan, String> {
    let report: Report = serde_json::from_slice(json).map_err(|error| error.to_string())?;
    let mut database = report.descriptor.db.unwrap_or_default();
    if let Some(status) = database.status.take() {
        database = *status;
    }
    let schema = match &database.schema {
        serde_json::Value::String(schema) => schema.clone(),
        serde_json::Value::Null => String::new(),
        other => other.to_string(),
    };
    let findings: Vec<Finding> = report
        .matches
        .iter()
        .filter_map(|found| finding(found, image))
        .collect();
    Ok(Scan {
        database: format!("grype-db {schema}").trim_end().to_owned(),
        database_date: database.built.get(..10).unwrap_or_default().to_owned(),
        passed_over: report.matches.len() - findings.len(),
        findings,
        counted_here: true,
        ..Scan::default()
    })
}

/// One finding; `None` where the kind of package is none that is known here.
fn finding(found: &Match, image: &Image<'_>) -> Option<Finding> {
    let named = purl::read(&found.artifact.purl).map(|purl| purl.kind);
    let kind = named.or_else(|| kind_of(&found.artifact.kind))?;
    let place = found.artifact.locations.iter().flatten().next();
    let source = found
        .artifact
        .upstreams
        .iter()
        .flatten()
        .next()
        .filter(|upstream| upstream.name != found.artifact.name)
        .map(|upstream| SourcePackage {
            name: upstream.name.clone(),
            version: if upstream.version.is_empty() {
                found.artifact.version.clone()
            } else {
                upstream.version.clone()
            },
        });
    let (id, aliases) = ids(found);
    Some(Finding {
        id,
        aliases,
        package: Package {
            kind,
            name: found.artifact.name.clone(),
            version: found.artifact.version.clone(),
            source,
            architecture: None,
            licences: Vec::new(),
            layer: place
                .filter(|place| !place.is_shared())
                .and_then(|place| image.layer(&place.layer))
                .unwrap_or(NO_LAYER),
            path: place
                .map(|place| place.path.trim_start_matches('/').to_owned())
                .unwrap_or_default(),
        },
        also: Vec::new(),
        fixed: fixed(found),
        severity: Severity::of_word(&found.vulnerability.severity).unwrap_or_default(),
        summary: summary(found),
    })
}

/// The version that closes it: the one that it suggests, for of several branches the first one may be
/// older than what is installed.
fn fixed(found: &Match) -> Option<String> {
    let mut details = found.match_details.iter();
    let suggested = details.find_map(|detail| detail.fix.as_ref());
    let suggested = suggested.map(|fix| &fix.suggested_version);
    let listed = found.vulnerability.fix.versions.iter().flatten();
    suggested
        .into_iter()
        .chain(listed)
        .find(|version| !version.is_empty())
        .cloned()
}

/// The kind of package of an artifact without a package URL.
fn kind_of(kind: &str) -> Option<PackageKind> {
    match kind {
        "deb" => Some(PackageKind::Deb),
        "apk" => Some(PackageKind::Apk),
        "python" => Some(PackageKind::Python),
        "npm" => Some(PackageKind::Node),
        "java-archive" => Some(PackageKind::Java),
        "go-module" => Some(PackageKind::Go),
        "rust-crate" => Some(PackageKind::Rust),
        "gem" => Some(PackageKind::Ruby),
        "php-composer" => Some(PackageKind::Php),
        _ => None,
    }
}

/// The id that people know, and the others.
fn ids(found: &Match) -> (String, Vec<String>) {
    let mut all: Vec<String> = std::iter::once(&found.vulnerability.id)
        .chain(found.related_vulnerabilities.iter().map(|one| &one.id))
        .cloned()
        .collect();
    all.dedup();
    let known = all
        .iter()
        .position(|id| id.starts_with("CVE-"))
        .unwrap_or(0);
    let id = all.remove(known);
    all.retain(|other| *other != id);
    (id, all)
}

/// The first line of what is said of it; a distribution's record may leave that to another one.
fn summary(found: &Match) -> String {
    let others = found.related_vulnerabilities.iter();
    let mut said =
        std::iter::once(&found.vulnerability.description).chain(others.map(|one| &one.description));
    let text = said.find(|text| !text.trim().is_empty());
    let line: String = text
        .and_then(|text| text.trim_start().lines().next())
        .unwrap_or_default()
        .chars()
        .take(160)
        .collect();
    Clean::line(&line).to_string()
}
