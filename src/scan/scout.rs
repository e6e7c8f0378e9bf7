//! Docker Scout: `docker scout cves --format sarif archive://…`. Its command has no JSON of its own;
//! SARIF is the one form that says all that is needed. It wants a login at Docker.

use std::collections::BTreeMap;
use std::collections::BTreeSet;
use std::path::Path;

use serde::Deserialize;

use super::Adapter;
use super::Image;
use super::Version;
use super::purl;
use super::purl::Purl;
use crate::finding::Finding;
use crate::finding::NO_LAYER;
use crate::finding::Scan;
use crate::finding::Severity;
use crate::image::package::Package;
use crate::image::package::SourcePackage;
use crate::text::Clean;

pub(super) const ADAPTER: Adapter = Adapter {
    program: "docker",
    version: &["scout", "version"],
    read_version,
    scan,
    keeps: &["DOCKER_CONFIG"],
    sets: &[("DOCKER_SCOUT_NO_CACHE", "true")],
    ends_with: &[0],
    lacks: &[],
    // The first as Docker says it since release 28.
    absent: &[
        "unknown command: docker scout",
        "'scout' is not a docker command",
    ],
    unread: |_| 0,
    refused: &[],
    prepare: "it works for people who are logged in only: run `docker login`, then run this again",
    read,
    day: |_| None,
};

fn scan(archive: &Path) -> Vec<String> {
    let words = ["scout", "cves", "--format", "sarif"];
    let words = words.into_iter().map(str::to_owned);
    words
        .chain([format!("archive://{}", archive.display())])
        .collect()
}

/// `version: v1.18.3 (go1.24.6 - linux/amd64)`
fn read_version(text: &str) -> Option<Version> {
    let line = text
        .lines()
        .find_map(|line| line.trim().strip_prefix("version:"))?;
    let own = line.split_whitespace().next()?;
    Some(Version {
        own: own.trim_start_matches('v').to_owned(),
        database: String::new(),
    })
}

#[derive(Deserialize)]
struct Report {
    runs: Vec<Run>,
}

#[derive(Deserialize)]
struct Run {
    tool: Tool,
    #[serde(default)]
    results: Option<Vec<Hit>>,
}

#[derive(Deserialize)]
struct Tool {
    driver: Driver,
}

#[derive(Deserialize)]
struct Driver {
    #[serde(default)]
    rules: Option<Vec<Rule>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Rule {
    id: String,
    #[serde(default)]
    short_description: Text,
    #[serde(default)]
    properties: Properties,
}

#[derive(Default, Deserialize)]
struct Text {
    #[serde(default)]
    text: String,
}

#[derive(Default, Deserialize)]
struct Properties {
    #[serde(default)]
    fixed_version: String,
    #[serde(default)]
    purls: Option<Vec<String>>,
    #[serde(rename = "security-severity", default)]
    score: Option<String>,
    #[serde(default)]
    tags: Option<Vec<String>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Hit {
    rule_id: String,
    #[serde(default)]
    message: Text,
}

/// What is told of a vulnerability in one package.
struct Told<'a> {
    /// The package URL; empty where there is none.
    purl: &'a str,
    fixed: &'a str,
    severity: Severity,
}

fn read(json: &[u8], _version: &Version, _image: &Image<'_>) -> Result<Scan, String> {
    let report: Report = serde_json::from_slice(json).map_err(|error| error.to_string())?;
    let mut scan = Scan {
        database: "docker scout".to_owned(),
        counted_here: true,
        ..Scan::default()
    };
    for run in &report.runs {
        let rules = run.tool.driver.rules.iter().flatten();
        let rules: BTreeMap<&str, &Rule> = rules.map(|rule| (rule.id.as_str(), rule)).collect();
        let mut seen: BTreeSet<(&str, &str)> = BTreeSet::new();
        for hit in run.results.iter().flatten() {
            let Some(rule) = rules.get(hit.rule_id.as_str()) else {
                // A rule that is missing is one vulnerability, however often it is named.
                scan.passed_over += usize::from(seen.insert((&hit.rule_id, "")));
                continue;
            };
            for told in told(rule, &hit.message.text) {
                if !seen.insert((&rule.id, told.purl)) {
                    continue;
                }
                match purl::read(told.purl) {
                    Some(purl) => scan.findings.push(finding(rule, &told, purl)),
                    None => scan.passed_over += 1,
                }
            }
        }
    }
    Ok(scan)
}

/// The packages that a result is about. There is a result for each, whose message names it and the
/// version that closes it there; the rule has the fix of one of its packages, and counts only where
/// the message does not say.
fn told<'a>(rule: &'a Rule, message: &'a str) -> Vec<Told<'a>> {
    let properties = &rule.properties;
    let by_rule = |purl: &'a str| Told {
        purl,
        fixed: &properties.fixed_version,
        severity: severity(properties),
    };
    let said = value(message, "Package").filter(|purl| purl.starts_with("pkg:"));
    if let Some(mut told) = said.map(by_rule) {
        told.fixed = value(message, "Fixed version").unwrap_or(told.fixed);
        let word = value(message, "Severity").and_then(Severity::of_word);
        told.severity = word.unwrap_or(told.severity);
        return vec![told];
    }
    let purls = properties.purls.iter().flatten();
    let all: Vec<Told<'a>> = purls.map(|purl| by_rule(purl)).collect();
    if all.is_empty() {
        vec![by_rule("")]
    } else {
        all
    }
}

/// The value of a message's line `Name   : value`.
fn value<'a>(message: &'a str, name: &str) -> Option<&'a str> {
    let mut lines = message.lines().filter_map(|line| line.split_once(':'));
    lines
        .find(|(key, _)| key.trim() == name)
        .map(|(_, value)| value.trim())
}

fn finding(rule: &Rule, told: &Told<'_>, purl: Purl) -> Finding {
    let source = purl.upstream.filter(|upstream| *upstream != purl.name);
    Finding {
        id: rule.id.clone(),
        aliases: Vec::new(),
        package: Package {
            kind: purl.kind,
            name: purl.name,
            source: source.map(|name| SourcePackage {
                name,
                version: purl.version.clone(),
            }),
            version: purl.version,
            architecture: None,
            licences: Vec::new(),
            layer: NO_LAYER,
            path: String::new(),
        },
        also: Vec::new(),
        fixed: Some(told.fixed)
            .filter(|fixed| !fixed.is_empty() && *fixed != "not fixed")
            .map(str::to_owned),
        severity: told.severity,
        summary: Clean::line(&rule.short_description.text).to_string(),
    }
}

/// Its own word, or else the score.
fn severity(properties: &Properties) -> Severity {
    let word = properties
        .tags
        .iter()
        .flatten()
        .find_map(|tag| Severity::of_word(tag).filter(|said| *said != Severity::Unknown));
    let score = properties
        .score
        .as_deref()
        .and_then(|score| score.parse().ok());
    word.or_else(|| score.and_then(Severity::of_score))
        .unwrap_or_default()
}
