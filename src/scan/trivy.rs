//! Trivy: `trivy image --input …`.

use std::collections::BTreeSet;
use std::path::Path;

use serde::Deserialize;

use super::Adapter;
use super::Image;
use super::Version;
use super::purl;
use crate::finding::Finding;
use crate::finding::Lack;
use crate::finding::NO_LAYER;
use crate::finding::Scan;
use crate::finding::Severity;
use crate::finding::Uncovered;
use crate::image::package::Package;
use crate::image::package::PackageKind;
use crate::image::package::SourcePackage;
use crate::text::Clean;

/// Why three releases must not be run.
const STOLEN: &str =
    "that release was published by an attacker and steals secrets (CVE-2026-33634)";

pub(super) const ADAPTER: Adapter = Adapter {
    program: "trivy",
    version: &["version", "--format", "json"],
    read_version,
    scan,
    keeps: &["TRIVY_CACHE_DIR"],
    sets: &[
        ("TRIVY_NO_PROGRESS", "true"),
        // Either alone still asks a server of its makers.
        ("TRIVY_DISABLE_TELEMETRY", "true"),
        ("TRIVY_SKIP_VERSION_CHECK", "true"),
    ],
    ends_with: &[0],
    lacks: &[],
    absent: &[],
    unread: |_| 0,
    refused: &[("0.69.4", STOLEN), ("0.69.5", STOLEN), ("0.69.6", STOLEN)],
    prepare: "fetch its databases with `trivy image --download-db-only` and, for images with Java archives, `trivy image --download-java-db-only`, then run this again",
    read,
    day: |_| None,
};

fn scan(archive: &Path) -> Vec<String> {
    let words = [
        "image",
        "--format",
        "json",
        "--scanners",
        "vuln",
        "--skip-db-update",
        "--skip-java-db-update",
        "--offline-scan",
        "--list-all-pkgs",
        "--quiet",
        "--input",
    ];
    let words = words.into_iter().map(str::to_owned);
    words.chain([archive.display().to_string()]).collect()
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct About {
    version: String,
    #[serde(rename = "VulnerabilityDB", default)]
    database: Option<Database>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Database {
    #[serde(default)]
    updated_at: String,
}

fn read_version(text: &str) -> Option<Version> {
    let about: About = serde_json::from_str(text).ok()?;
    let day = about
        .database
        .and_then(|database| database.updated_at.get(..10).map(str::to_owned));
    Some(Version {
        own: about.version.trim_start_matches('v').to_owned(),
        database: day.unwrap_or_default(),
    })
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Report {
    #[serde(default)]
    schema_version: u32,
    #[serde(default)]
    metadata: Option<Metadata>,
    #[serde(default)]
    results: Option<Vec<Target>>,
}

#[derive(Default, Deserialize)]
struct Metadata {
    #[serde(rename = "OS", default)]
    system: Option<System>,
}

/// The distribution that it found.
#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct System {
    #[serde(default)]
    family: String,
    /// The release: `13.2`, `3.22.1`, `edge`, `forky/sid`.
    #[serde(default)]
    name: String,
    /// Whether that release is past the end of its support.
    #[serde(rename = "EOSL", default)]
    is_ended: bool,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Target {
    #[serde(default)]
    target: String,
    #[serde(default)]
    class: String,
    #[serde(rename = "Type", default)]
    kind: String,
    #[serde(default)]
    packages: Option<Vec<Installed>>,
    #[serde(default)]
    vulnerabilities: Option<Vec<Vulnerability>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Installed {
    #[serde(rename = "ID", default)]
    id: String,
    #[serde(default)]
    name: String,
    #[serde(default)]
    version: String,
    #[serde(default)]
    src_name: String,
    #[serde(default)]
    src_version: String,
    #[serde(default)]
    src_release: String,
    #[serde(default)]
    src_epoch: u64,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Vulnerability {
    #[serde(rename = "VulnerabilityID")]
    id: String,
    #[serde(rename = "PkgID", default)]
    pkg_id: String,
    pkg_name: String,
    #[serde(default)]
    pkg_path: String,
    #[serde(default)]
    pkg_identifier: Identifier,
    installed_version: String,
    #[serde(default)]
    fixed_version: String,
    #[serde(default)]
    severity: String,
    #[serde(default)]
    title: String,
    #[serde(rename = "VendorIDs", default)]
    vendor_ids: Option<Vec<String>>,
    #[serde(default)]
    layer: Layer,
}

#[derive(Default, Deserialize)]
struct Identifier {
    #[serde(rename = "PURL", default)]
    purl: String,
}

#[derive(Default, Deserialize)]
struct Layer {
    #[serde(rename = "DiffID", default)]
    diff_id: String,
}

fn read(json: &[u8], version: &Version, image: &Image<'_>) -> Result<Scan, String> {
    let report: Report = serde_json::from_slice(json).map_err(|error| error.to_string())?;
    if report.schema_version != 2 {
        return Err(format!(
            "it has schema version {}, not 2",
            report.schema_version
        ));
    }
    let mut scan = Scan {
        database: "trivy-db".to_owned(),
        database_date: version.database.clone(),
        ..Scan::default()
    };
    let system = report.metadata.and_then(|metadata| metadata.system);
    let system = system.unwrap_or_default();
    let mut has_system = false;
    for target in report.results.unwrap_or_default() {
        let packages = target.packages.as_deref().unwrap_or_default();
        has_system |= target.is_system() && !target.names().is_empty();
        match system.uncovered(&target) {
            Some(uncovered) => scan.uncovered.push(uncovered),
            None => scan.packages += packages.len(),
        }
        for found in target.vulnerabilities.iter().flatten() {
            match finding(found, &target, packages, image) {
                Some(finding) => scan.findings.push(finding),
                None => scan.passed_over += 1,
            }
        }
    }
    // The packages of a distribution that it does not know it leaves out without a word.
    if !has_system {
        scan.uncovered.extend(image.left_out());
    }
    Ok(scan)
}

impl Target {
    /// Whether it is the packages of the distribution.
    fn is_system(&self) -> bool {
        self.class == "os-pkgs"
    }

    /// The names of its packages, those with findings alone where it lists no others.
    fn names(&self) -> BTreeSet<&str> {
        let listed = self.packages.iter().flatten().map(|one| one.name.as_str());
        let found = self.vulnerabilities.iter().flatten();
        listed
            .chain(found.map(|one| one.pkg_name.as_str()))
            .collect()
    }
}

impl System {
    /// The packages of a target, where no advisories or no longer any are about them: it compares
    /// them all the same, with nothing, and says so on its standard error alone.
    fn uncovered(&self, target: &Target) -> Option<Uncovered> {
        // Its advisories are sorted by numbers of releases, apart from those of this rolling one.
        let is_numbered = self.name.starts_with(|c: char| c.is_ascii_digit());
        let is_edge = self.family == "alpine" && self.name == "edge";
        let why = if self.is_ended {
            Lack::Ended
        } else if is_numbered || is_edge {
            return None;
        } else {
            Lack::Release
        };
        let names = target.names();
        let first = names.first().filter(|_| target.is_system())?;
        let family = match self.family.as_str() {
            "" => &target.kind,
            family => family,
        };
        Some(Uncovered {
            ecosystem: format!("{family} {}", self.name).trim().to_owned(),
            packages: names.len(),
            first: (*first).to_owned(),
            why,
        })
    }
}

/// One finding; `None` where the kind of package is none that is known here.
fn finding(
    found: &Vulnerability,
    target: &Target,
    packages: &[Installed],
    image: &Image<'_>,
) -> Option<Finding> {
    let named = purl::read(&found.pkg_identifier.purl);
    let kind = named
        .as_ref()
        .map(|purl| purl.kind)
        .or_else(|| kind_of(&target.kind))?;
    let source = packages
        .iter()
        .find(|one| one.is(found) && !one.src_name.is_empty())
        .filter(|one| one.src_name != one.name || one.src_version != one.version)
        .map(|one| SourcePackage {
            name: one.src_name.clone(),
            version: one.source_version(),
        });
    let path = match found.pkg_path.as_str() {
        // Of the distribution's packages the target is the image, by its name on this machine.
        "" if target.is_system() => "",
        "" => &target.target,
        path => path,
    };
    Some(Finding {
        id: found.id.clone(),
        aliases: found.vendor_ids.clone().unwrap_or_default(),
        package: Package {
            kind,
            name: found.pkg_name.clone(),
            version: found.installed_version.clone(),
            source,
            architecture: None,
            licences: Vec::new(),
            layer: image.layer(&found.layer.diff_id).unwrap_or(NO_LAYER),
            path: path.to_owned(),
        },
        also: Vec::new(),
        fixed: fixed(&found.fixed_version),
        severity: Severity::of_word(&found.severity).unwrap_or_default(),
        summary: Clean::line(&found.title).to_string(),
    })
}

/// The version that closes it. Several branches come as a list, `3.1.6, 2.4.1`, which stays as it
/// is; Ruby's database says of a single one that it is the least, `>= 2.0.5`.
fn fixed(said: &str) -> Option<String> {
    let single = said.strip_prefix(">= ").filter(|rest| !rest.contains(','));
    let version = single.unwrap_or(said);
    (!version.is_empty()).then(|| version.to_owned())
}

impl Installed {
    /// Whether a vulnerability is of this package. Two of a name have ids of their own.
    fn is(&self, found: &Vulnerability) -> bool {
        self.name == found.pkg_name
            && (self.id == found.pkg_id || self.id.is_empty() || found.pkg_id.is_empty())
    }

    /// The source's version with its epoch and revision, as the distribution writes it.
    fn source_version(&self) -> String {
        let mut version = self.src_version.clone();
        if self.src_epoch > 0 {
            version = format!("{}:{version}", self.src_epoch);
        }
        if !self.src_release.is_empty() {
            version = format!("{version}-{}", self.src_release);
        }
        version
    }
}

/// The kind of package of a target without package URLs.
fn kind_of(kind: &str) -> Option<PackageKind> {
    match kind {
        "debian" | "ubuntu" => Some(PackageKind::Deb),
        "alpine" => Some(PackageKind::Apk),
        "python-pkg" | "pip" | "poetry" | "pipenv" | "uv" => Some(PackageKind::Python),
        "node-pkg" | "npm" | "yarn" | "pnpm" => Some(PackageKind::Node),
        "jar" | "pom" => Some(PackageKind::Java),
        "gobinary" | "gomod" => Some(PackageKind::Go),
        "rustbinary" | "cargo" => Some(PackageKind::Rust),
        "gemspec" | "bundler" => Some(PackageKind::Ruby),
        "composer" | "composer-vendor" => Some(PackageKind::Php),
        _ => None,
    }
}
