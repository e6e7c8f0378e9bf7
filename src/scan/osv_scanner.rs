//! OSV-Scanner: `osv-scanner scan image --archive …`.

use std::collections::BTreeMap;
use std::path::Path;

use serde::Deserialize;
use serde_json::Value;

use super::Adapter;
use super::Image;
use super::Version;
use super::osv_cache;
use crate::finding::Ecosystem;
use crate::finding::Finding;
use crate::finding::NO_LAYER;
use crate::finding::Scan;
use crate::finding::Severity;
use crate::finding::advisory::Advisory;
use crate::finding::affects::Answer;
use crate::finding::affects::affects;
use crate::finding::osv;
use crate::finding::osv::Record;
use crate::image::package::Package;
use crate::image::package::PackageKind;
use crate::image::package::SourcePackage;

pub(super) const ADAPTER: Adapter = Adapter {
    program: "osv-scanner",
    version: &["--version"],
    read_version,
    scan,
    keeps: &[osv_cache::FOLDER],
    sets: &[],
    // 1: it found something. 128: it found no package.
    ends_with: &[0, 1, 128],
    lacks: &["unable to fetch OSV database"],
    absent: &[],
    unread,
    refused: &[],
    prepare: "fetch its databases with `osv-scanner scan image --offline-vulnerabilities --download-offline-databases IMAGE`, then run this again",
    read,
    day: osv_cache::day,
};

/// Offline, because otherwise the list of packages would be sent out, or with the databases alone
/// kept here the digests of the layers, to ask which image is beneath.
fn scan(archive: &Path) -> Vec<String> {
    let words = [
        "scan",
        "image",
        "--offline",
        "--offline-vulnerabilities",
        "--all-packages",
        "--format",
        "json",
        "--archive",
    ];
    let words = words.into_iter().map(str::to_owned);
    words.chain([archive.display().to_string()]).collect()
}

/// The files that it names behind `Error during extraction: (extracting as python/wheelegg) `: one on
/// that line, or more on indented ones below.
fn unread(words: &str) -> usize {
    let mut files = 0;
    let mut is_list = false;
    for line in words.lines() {
        if let Some(rest) = line.strip_prefix("Error during extraction: (extracting as ") {
            let file = rest.split_once(") ").map(|(_, file)| file.trim());
            is_list = file.is_none_or(str::is_empty);
            files += usize::from(!is_list);
        } else {
            is_list = is_list && line.starts_with('\t');
            files += usize::from(is_list);
        }
    }
    files
}

fn read_version(text: &str) -> Option<Version> {
    let own = text
        .lines()
        .find_map(|line| line.trim().strip_prefix("osv-scanner version:"))?;
    Some(Version {
        own: own.trim().trim_start_matches('v').to_owned(),
        database: String::new(),
    })
}

#[derive(Deserialize)]
struct Report {
    #[serde(default)]
    results: Option<Vec<Target>>,
    #[serde(default)]
    image_metadata: Option<ImageMetadata>,
}

#[derive(Default, Deserialize)]
struct ImageMetadata {
    #[serde(default)]
    layer_metadata: Vec<LayerMetadata>,
}

#[derive(Deserialize)]
struct LayerMetadata {
    #[serde(default)]
    diff_id: String,
}

#[derive(Deserialize)]
struct Target {
    #[serde(default)]
    source: Place,
    #[serde(default)]
    packages: Vec<Found>,
}

#[derive(Default, Deserialize)]
struct Place {
    #[serde(default)]
    path: String,
}

#[derive(Deserialize)]
struct Found {
    package: Named,
    #[serde(default)]
    vulnerabilities: Vec<Value>,
    #[serde(default)]
    groups: Vec<Group>,
}

#[derive(Deserialize)]
struct Named {
    name: String,
    #[serde(default)]
    os_package_name: String,
    #[serde(default)]
    version: String,
    #[serde(default)]
    ecosystem: String,
    #[serde(default)]
    image_origin_details: Option<OriginDetails>,
}

#[derive(Deserialize)]
struct OriginDetails {
    #[serde(default)]
    index: usize,
}

#[derive(Deserialize)]
struct Group {
    ids: Vec<String>,
    #[serde(default)]
    aliases: Option<Vec<String>>,
    #[serde(default)]
    max_severity: String,
    #[serde(default)]
    experimental_analysis: Option<BTreeMap<String, Analysis>>,
}

#[derive(Deserialize)]
struct Analysis {
    #[serde(default)]
    unimportant: bool,
}

fn read(json: &[u8], version: &Version, image: &Image<'_>) -> Result<Scan, String> {
    let mut scan = Scan {
        database: "osv".to_owned(),
        database_date: version.database.clone(),
        ..Scan::default()
    };
    // Where it found no package it prints nothing.
    if json.iter().all(u8::is_ascii_whitespace) {
        return Ok(scan);
    }
    if !json.trim_ascii_start().starts_with(b"{") {
        return Err("it is no JSON object".to_owned());
    }
    let report: Report = serde_json::from_slice(json).map_err(|error| error.to_string())?;
    let metadata = report.image_metadata.unwrap_or_default();
    for target in report.results.unwrap_or_default() {
        // One without an ecosystem is listed, and was compared with nothing.
        let compared = target.packages.iter();
        let compared = compared.filter(|found| !found.package.ecosystem.is_empty());
        scan.packages += compared.count();
        for found in target.packages {
            let layer = found
                .package
                .image_origin_details
                .as_ref()
                .and_then(|origin| metadata.layer_metadata.get(origin.index))
                .and_then(|layer| image.layer(&layer.diff_id));
            take(&found, &target.source, layer.unwrap_or(NO_LAYER), &mut scan)?;
        }
    }
    Ok(scan)
}

/// Takes the findings about one package.
fn take(found: &Found, place: &Place, layer: usize, scan: &mut Scan) -> Result<(), String> {
    let Some((ecosystem, release)) = Ecosystem::read(&found.package.ecosystem) else {
        // A group is a vulnerability under all its names.
        scan.passed_over += match found.groups.len() {
            0 => found.vulnerabilities.len(),
            groups => groups,
        };
        return Ok(());
    };
    let records = records(found, ecosystem)?;
    for group in &found.groups {
        let analysis = group.experimental_analysis.as_ref();
        if analysis.is_some_and(|all| !all.is_empty() && all.values().all(|one| one.unimportant)) {
            scan.unimportant += 1;
            continue;
        }
        let mut ids: Vec<String> = group.ids.clone();
        ids.extend(group.aliases.iter().flatten().cloned());
        ids.sort();
        ids.dedup();
        let known = ids
            .iter()
            .position(|id| id.starts_with("CVE-"))
            .unwrap_or(0);
        if ids.is_empty() {
            scan.passed_over += 1;
            continue;
        }
        let id = ids.remove(known);
        let ours: Vec<_> = group.ids.iter().filter_map(|id| records.get(id)).collect();
        let fixed = ours
            .iter()
            .flat_map(|advisory| &advisory.affected)
            .filter(|part| part.release.is_none() || part.release == release)
            .find_map(
                |part| match affects(ecosystem, part, &found.package.version) {
                    Answer::Yes { fixed } => fixed,
                    _ => None,
                },
            );
        let scored = group.max_severity.parse().ok().and_then(Severity::of_score);
        let said = ours.iter().map(|advisory| advisory.severity).max();
        scan.findings.push(Finding {
            id,
            aliases: ids,
            package: package(&found.package, ecosystem, layer, &place.path),
            also: Vec::new(),
            fixed,
            severity: scored.or(said).unwrap_or_default(),
            summary: ours
                .first()
                .map(|advisory| advisory.summary.clone())
                .unwrap_or_default(),
        });
    }
    Ok(())
}

/// What the records say of the package, by their ids.
fn records(found: &Found, ecosystem: Ecosystem) -> Result<BTreeMap<String, Advisory>, String> {
    let normal = ecosystem.normal(&found.package.name);
    let mut records = BTreeMap::new();
    for raw in &found.vulnerabilities {
        let json = serde_json::to_vec(raw).map_err(|error| error.to_string())?;
        if let Record::Says(says) = osv::read(&json)? {
            for (of, name, advisory) in says.packages {
                if of == ecosystem && name == normal {
                    records.insert(advisory.id.clone(), advisory);
                }
            }
        }
    }
    Ok(records)
}

fn package(named: &Named, ecosystem: Ecosystem, layer: usize, path: &str) -> Package {
    let kind = match ecosystem {
        Ecosystem::Debian | Ecosystem::Ubuntu => PackageKind::Deb,
        Ecosystem::Alpine => PackageKind::Apk,
        Ecosystem::PyPi => PackageKind::Python,
        Ecosystem::Npm => PackageKind::Node,
        Ecosystem::Go => PackageKind::Go,
        Ecosystem::Rust => PackageKind::Rust,
        Ecosystem::Maven => PackageKind::Java,
    };
    let name = if named.os_package_name.is_empty() {
        &named.name
    } else {
        &named.os_package_name
    };
    Package {
        kind,
        name: name.clone(),
        version: named.version.clone(),
        source: (*name != named.name).then(|| SourcePackage {
            name: named.name.clone(),
            version: named.version.clone(),
        }),
        architecture: None,
        licences: Vec::new(),
        layer,
        path: path.trim_start_matches('/').to_owned(),
    }
}
