//! The layers of an image as JSON: `loadline.layers/v1`.

use serde::Serialize;

use super::Findings;
use super::rules::Check;
use crate::cli::CliError;
use crate::cli::output;
use crate::image::changes::Change;
use crate::image::dead::How;
use crate::units::Bytes;

#[derive(Serialize)]
struct Document<'a> {
    schema: &'static str,
    image: &'a str,
    shipped_bytes: Bytes,
    live_bytes: Bytes,
    dead_bytes: Bytes,
    /// Live over shipped, from 0 to 1.
    efficiency: f64,
    layers: Vec<Layer<'a>>,
    dead: Vec<Dead>,
    dive: Dive,
    #[serde(skip_serializing_if = "Option::is_none")]
    ci: Option<Ci<'a>>,
}

#[derive(Serialize)]
struct Layer<'a> {
    index: usize,
    diff_id: &'a str,
    created_by: Option<&'a str>,
    shipped_bytes: Bytes,
    dead_bytes: Bytes,
    /// What it made dead, in itself and below.
    hidden_bytes: Bytes,
    added: usize,
    changed: usize,
    removed: usize,
}

#[derive(Serialize)]
struct Dead {
    path: String,
    bytes: Bytes,
    shipped_in: usize,
    hidden_in: usize,
    how: How,
    /// The entry that hides it.
    by: String,
}

/// The figures by that tool's formula, for comparison.
#[derive(Serialize)]
struct Dive {
    efficiency: f64,
    wasted_bytes: Bytes,
    user_wasted_percent: Option<f64>,
}

#[derive(Serialize)]
struct Ci<'a> {
    passed: bool,
    rules: &'a [Check],
}

/// All of it.
pub(super) fn all(findings: &Findings<'_>) -> Result<String, CliError> {
    let ledger = &findings.ledger;
    let layers = findings.contents.layers.iter().zip(&ledger.layers);
    let layers = layers.zip(&findings.changes);
    let document = Document {
        schema: "loadline.layers/v1",
        image: findings.name,
        shipped_bytes: ledger.shipped(),
        live_bytes: ledger.live(),
        dead_bytes: ledger.dead_bytes(),
        efficiency: ledger.efficiency().0 / 100.0,
        layers: layers
            .map(|((layer, bill), changes)| {
                let count = |change| changes.iter().filter(|one| one.change == change).count();
                Layer {
                    index: layer.index,
                    diff_id: &layer.diff_id,
                    created_by: layer.created_by.as_deref(),
                    shipped_bytes: bill.shipped,
                    dead_bytes: bill.dead,
                    hidden_bytes: bill.hidden,
                    added: count(Change::Added),
                    changed: count(Change::Changed),
                    removed: count(Change::Removed),
                }
            })
            .collect(),
        dead: ledger
            .dead
            .iter()
            .map(|file| Dead {
                path: format!("/{}", file.path),
                bytes: file.bytes,
                shipped_in: file.shipped_in,
                hidden_in: file.hidden_in,
                how: file.how,
                by: format!("/{}", file.by),
            })
            .collect(),
        dive: Dive {
            efficiency: findings.dive.efficiency,
            wasted_bytes: findings.dive.wasted,
            user_wasted_percent: findings.dive.user_wasted,
        },
        ci: findings.checks.as_deref().map(|rules| Ci {
            passed: findings.passed(),
            rules,
        }),
    };
    output::json(&document)
}
