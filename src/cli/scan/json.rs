//! What `loadline scan --json` prints: `loadline.scan/v1`. Pure.

use serde_json::Value;
use serde_json::json;

use super::Scanned;
use super::Shown;
use super::text;
use crate::cli::CliError;
use crate::cli::output;
use crate::finding::Finding;
use crate::finding::NO_LAYER;
use crate::finding::Scan;
use crate::finding::group;
use crate::image::package::Package;

/// The result.
pub(super) fn show(scanned: &Scanned, shown: &Shown) -> Result<String, CliError> {
    let scan = &scanned.scan;
    let findings: Vec<Finding> = scan
        .findings
        .iter()
        .filter(|finding| shown.has(finding))
        .cloned()
        .collect();
    let fixes: Vec<Value> = group::fixes(&findings)
        .into_iter()
        .map(|fix| {
            json!({
                "package": fix.name,
                "kind": fix.kind,
                "from": fix.from,
                "to": fix.to,
                "packages": fix.packages,
                "fixes": fix.ids,
                "counts": fix.counts,
            })
        })
        .collect();
    let result = json!({
        "schema": "loadline.scan/v1",
        "image": scanned.name,
        "distribution": scanned.inventory.distribution,
        "engine": scan.engine,
        "database": {
            "id": scan.database,
            "date": scan.database_date,
            "shipped": scan.shipped,
        },
        "verdict": verdict(scan),
        "doubt": text::doubt(scan),
        "packages": scan.packages,
        "packages_counted_by": if scan.counted_here { "loadline" } else { "engine" },
        "counts": scan.counts(),
        "unimportant": scan.unimportant,
        "kernel": scan.kernel,
        "uncovered": scan.uncovered,
        "unordered": scan.unordered,
        "passed_over": scan.passed_over,
        "unread": scan.unread,
        "runtimes": scan.runtimes,
        "gaps": scan.gaps,
        "findings": findings.iter().map(finding).collect::<Vec<Value>>(),
        "fixes": fixes,
        "layers": layers(scanned, &findings),
    });
    output::json(&result)
}

/// The findings by the layer that brought them.
fn layers(scanned: &Scanned, findings: &[Finding]) -> Vec<Value> {
    let layer = |of_layer: &group::OfLayer<'_>| {
        let made = of_layer
            .layer
            .and_then(|index| scanned.contents.layers.get(index));
        json!({
            "index": of_layer.layer,
            "created_by": made.and_then(|layer| layer.created_by.as_ref()),
            "counts": of_layer.counts(),
        })
    };
    group::by_layer(findings).iter().map(layer).collect()
}

/// Whether the counts are all there is to know.
pub(crate) fn verdict(scan: &Scan) -> &'static str {
    if !scan.gaps.is_empty() || (scan.packages == 0 && scan.uncovered.is_empty()) {
        "unscannable"
    } else if scan.is_blind() {
        "incomplete"
    } else {
        "complete"
    }
}

/// One finding.
pub(crate) fn finding(finding: &Finding) -> Value {
    json!({
        "id": finding.id,
        "aliases": finding.aliases,
        "severity": finding.severity,
        "package": package(&finding.package),
        "also": finding.also.iter().map(package).collect::<Vec<Value>>(),
        "fixed": finding.fixed,
        "summary": finding.summary,
    })
}

fn package(package: &Package) -> Value {
    json!({
        "kind": package.kind,
        "name": package.name,
        "version": package.version,
        "source": package.source,
        "layer": (package.layer != NO_LAYER).then_some(package.layer),
        "path": package.path,
    })
}
