//! The adapters on outputs of the documented forms.

use super::*;
use crate::finding::NO_LAYER;
use crate::finding::Scan;

const LAYERS: [&str; 2] = ["sha256:1111", "sha256:2222"];

fn read(scanner: Scanner, json: &str, version: &Version) -> Result<Scan, String> {
    let layers = LAYERS.map(str::to_owned);
    (scanner.adapter().read)(json.as_bytes(), version, &layers)
}

/// `severity id package version [source] -> fixed, layer`, sorted as scans are.
fn lines(scan: &mut Scan) -> Vec<String> {
    sort(&mut scan.findings);
    scan.findings
        .iter()
        .map(|finding| {
            let package = &finding.package;
            let source = package
                .source
                .as_ref()
                .map(|source| format!(" [{} {}]", source.name, source.version))
                .unwrap_or_default();
            let layer = if package.layer == NO_LAYER {
                "some layer".to_owned()
            } else {
                format!("layer {}", package.layer)
            };
            format!(
                "{} {} {} {}{source} -> {}, {layer}",
                finding.severity,
                finding.id,
                package.name,
                package.version,
                finding.fixed.as_deref().unwrap_or("none"),
            )
        })
        .collect()
}

macro_rules! sample {
    ($name:literal) => {
        include_str!(concat!("../../tests/data/scanners/", $name))
    };
}

fn version_of(scanner: Scanner, text: &str) -> Option<Version> {
    (scanner.adapter().read_version)(text)
}

#[test]
fn trivy_is_read_with_sources_layers_and_the_day_of_its_database() {
    let version = version_of(Scanner::Trivy, sample!("trivy-version.json")).unwrap();
    assert_eq!(
        (version.own.as_str(), version.database.as_str()),
        ("0.71.0", "2026-11-20")
    );
    let mut scan = read(Scanner::Trivy, sample!("trivy.json"), &version).unwrap();
    assert_eq!(scan.database_date, "2026-11-20");
    assert_eq!(scan.packages, 3);
    assert_eq!(
        lines(&mut scan),
        [
            "high CVE-2025-15467 libssl3t64 3.5.1-1 [openssl 3.5.1-1] -> 3.5.4-1~deb13u2, layer 0",
            "medium CVE-2024-34064 Jinja2 3.1.3 -> 3.1.4, layer 1",
            "low CVE-2005-2541 tar 1.35+dfsg-3.1 -> none, layer 0",
        ]
    );
}

#[test]
fn grype_is_read_with_the_known_id_first() {
    let version = version_of(
        Scanner::Grype,
        r#"{"application":"grype","version":"0.104.0"}"#,
    );
    let mut scan = read(Scanner::Grype, sample!("grype.json"), &version.unwrap()).unwrap();
    assert_eq!(scan.database_date, "2026-11-19");
    assert_eq!(scan.database, "grype-db v6.1.2");
    assert_eq!(
        lines(&mut scan),
        [
            "high CVE-2025-15467 libssl3t64 3.5.1-1 [openssl 3.5.1-1] -> 3.5.4-1~deb13u2, layer 0",
            "medium CVE-2024-34064 Jinja2 3.1.3 -> 3.1.4, layer 1",
            "low CVE-2005-2541 tar 1.35+dfsg-3.1 -> none, some layer",
        ]
    );
    assert_eq!(scan.findings[1].aliases, ["GHSA-h75v-3vvj-5mfj"]);
    assert_eq!(scan.findings[0].summary, "A stack buffer may overflow.");
}

#[test]
fn osv_scanner_is_read_with_its_records_and_without_unimportant_ones() {
    let text = "osv-scanner version: 2.2.4\nosv-scalibr version: 0.3.6\ncommit: n/a\n";
    let version = version_of(Scanner::OsvScanner, text).unwrap();
    assert_eq!(version.own, "2.2.4");
    let mut scan = read(Scanner::OsvScanner, sample!("osv-scanner.json"), &version).unwrap();
    assert_eq!(
        lines(&mut scan),
        [
            "critical CVE-2025-15467 libssl3t64 3.5.1-1 [openssl 3.5.1-1] -> 3.5.4-1~deb13u2, layer 0",
            "medium CVE-2024-34064 Jinja2 3.1.3 -> 3.1.4, layer 1",
        ]
    );
    assert_eq!(scan.unimportant, 1);
    assert_eq!(
        read(Scanner::OsvScanner, "\n", &version),
        Ok(Scan::default())
    );
}

#[test]
fn docker_scout_is_read_once_for_each_rule() {
    let text = "      version: v1.18.3 (go1.24.6 - linux/amd64)\n      git commit: 123\n";
    let version = version_of(Scanner::Scout, text).unwrap();
    assert_eq!(version.own, "1.18.3");
    let mut scan = read(Scanner::Scout, sample!("scout.sarif.json"), &version).unwrap();
    assert_eq!(
        lines(&mut scan),
        [
            "critical CVE-2025-15467 openssl 3.5.1-1 -> 3.5.4-1~deb13u2, some layer",
            "medium CVE-2024-34064 jinja2 3.1.3 -> 3.1.4, some layer",
            "low CVE-2005-2541 tar 1.35+dfsg-3.1 -> none, some layer",
        ]
    );
}

#[test]
fn what_no_scanner_says_is_an_error_and_no_empty_result() {
    let version = Version::default();
    for scanner in Scanner::ALL {
        for text in ["{", "[]", "null", "{}", "Usage: scanner [options]"] {
            let read = read(scanner, text, &version);
            // An empty object is a result of OSV-Scanner's that found nothing.
            let empty = scanner == Scanner::OsvScanner && text == "{}";
            assert_eq!(read.is_ok(), empty, "{} {text}: {read:?}", scanner.name());
        }
        assert!(version_of(scanner, "command not found").is_none());
    }
    let future = r#"{"SchemaVersion": 3, "Results": []}"#;
    let error = read(Scanner::Trivy, future, &version).unwrap_err();
    assert!(error.contains("schema version 3"), "{error}");
}
