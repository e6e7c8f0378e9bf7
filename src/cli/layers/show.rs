//! The layers of an image as lines of text.

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::fmt::Write as _;

use super::Findings;
use super::LayersError;
use super::rules::Check;
use super::rules::Status;
use crate::cli::output::Paint;
use crate::image::EntryKind;
use crate::image::changes::Change;
use crate::image::changes::Touched;
use crate::image::dead::Heap;
use crate::image::dead::How;
use crate::image::maker::instruction;
use crate::text::Clean;
use crate::text::plural;
use crate::units::Bytes;
use crate::units::Percent;

/// How many piles of dead bytes are shown; `--json` has every file.
const PILES: usize = 12;

/// How many characters of an instruction are shown.
const WIDTH: usize = 76;

/// Everything, for people.
pub(super) fn all(findings: &Findings<'_>, paint: Paint) -> String {
    let ledger = &findings.ledger;
    let mut text = format!(
        "{}: {} in {}, {} live, {} dead; efficiency {}\n\n",
        Clean::line(findings.name),
        ledger.shipped(),
        plural(ledger.layers.len(), "layer"),
        ledger.live(),
        ledger.dead_bytes(),
        ledger.efficiency(),
    );
    text += &table(findings);
    text += &dead(findings);
    text += &by_dive(findings);
    if let Some(checks) = &findings.checks {
        text += &rules(checks, paint);
    }
    text
}

fn table(findings: &Findings<'_>) -> String {
    let mut text = String::from("layer     size     dead  made by\n");
    let layers = findings.contents.layers.iter().zip(&findings.ledger.layers);
    for (layer, bill) in layers {
        let _ = writeln!(
            text,
            "{:>5} {:>8} {:>8}  {}",
            layer.index,
            bill.shipped,
            bill.dead,
            maker(findings, layer.index)
        );
    }
    text
}

/// Dead bytes in one place that one layer hides, whoever shipped them.
struct Pile<'a> {
    /// The largest comes first.
    heaps: Vec<&'a Heap>,
    bytes: Bytes,
    files: usize,
}

/// Piles of dead bytes, the largest first.
fn piles(heaps: &[Heap]) -> Vec<Pile<'_>> {
    let mut piles: BTreeMap<(&str, usize, How), Pile<'_>> = BTreeMap::new();
    for heap in heaps {
        let pile = piles
            .entry((heap.path.as_str(), heap.hidden_in, heap.how))
            .or_insert(Pile {
                heaps: Vec::new(),
                bytes: Bytes(0),
                files: 0,
            });
        pile.heaps.push(heap);
        pile.bytes = pile.bytes.plus(heap.bytes);
        pile.files += heap.files;
    }
    let mut piles: Vec<Pile<'_>> = piles.into_values().collect();
    // Equal ones stay in the order of their paths.
    piles.sort_by_key(|pile| Reverse(pile.bytes));
    piles
}

fn dead(findings: &Findings<'_>) -> String {
    let heaps = findings.ledger.heaps();
    let piles = piles(&heaps);
    if piles.is_empty() {
        return String::from("\nNo dead bytes: everything that is shipped can be seen.\n");
    }
    let mut text = String::from("\nDead bytes, the largest first\n");
    for pile in piles.iter().take(PILES) {
        text += &told(findings, pile);
    }
    let rest = piles.get(PILES..).unwrap_or_default();
    if !rest.is_empty() {
        let bytes: Bytes = rest.iter().map(|pile| pile.bytes).sum();
        let files = rest.iter().map(|pile| pile.files).sum();
        let _ = writeln!(
            text,
            "{bytes:>8}  in {} elsewhere; `--json` lists every one",
            plural(files, "file")
        );
    }
    text
}

fn told(findings: &Findings<'_>, pile: &Pile<'_>) -> String {
    let Some(first) = pile.heaps.first() else {
        return String::new();
    };
    let files = match pile.files {
        1 => String::new(),
        files => format!(", {}", plural(files, "file")),
    };
    let mut layers: Vec<usize> = pile.heaps.iter().map(|heap| heap.shipped_in).collect();
    layers.sort_unstable();
    let shipped = match layers.as_slice() {
        [layer] => format!("layer {layer}: {}", maker(findings, *layer)),
        layers => {
            let layers: Vec<String> = layers.iter().map(ToString::to_string).collect();
            format!(
                "layers {}, most of it by {}: {}",
                layers.join(", "),
                first.shipped_in,
                maker(findings, first.shipped_in)
            )
        }
    };
    format!(
        "{:>8}  /{}{files}\n          shipped by {shipped}\n          {} layer {}: {}\n",
        pile.bytes,
        Clean::line(&first.path),
        verb(first.how),
        first.hidden_in,
        maker(findings, first.hidden_in),
    )
}

/// How dead bytes came to be dead, up to the layer that did it.
const fn verb(how: How) -> &'static str {
    match how {
        How::Deleted => "deleted by",
        How::Overwritten => "overwritten by",
        How::MetadataOnly => "shipped again, bytes unchanged, by",
        How::Opaque => "hidden by the new folder of",
        How::Replaced => "replaced by",
    }
}

/// The instruction that made a layer, cut to one line.
fn maker(findings: &Findings<'_>, layer: usize) -> String {
    let layer = findings.contents.layers.get(layer);
    let Some(created_by) = layer.and_then(|layer| layer.created_by.as_deref()) else {
        return String::from("(the history does not say)");
    };
    let text = Clean::line(&instruction(created_by)).to_string();
    if text.chars().count() <= WIDTH {
        return text;
    }
    let cut: String = text.chars().take(WIDTH - 1).collect();
    format!("{cut}…")
}

fn by_dive(findings: &Findings<'_>) -> String {
    let dive = &findings.dive;
    let user = dive.user_wasted.map_or_else(
        || String::from("nothing to compare with"),
        |share| Percent(share * 100.0).to_string(),
    );
    format!(
        "\nFor comparison, by the formula of dive: efficiency {}, wasted {}, user wasted {user}.\n\
         It counts all copies of a file, the one that is kept included, and misses deleted folders.\n",
        Percent(dive.efficiency * 100.0),
        dive.wasted,
    )
}

fn rules(checks: &[Check], paint: Paint) -> String {
    let mut text = String::from("\nRules, by that formula\n");
    for check in checks {
        let word = match check.status {
            Status::Pass => paint.good("pass"),
            Status::Fail => paint.bad("FAIL"),
            Status::Skip => String::from("skip"),
        };
        let wanted = match check.status {
            Status::Skip => "turned off",
            Status::Pass | Status::Fail => &check.wanted,
        };
        let _ = writeln!(
            text,
            "  {word}  {:<24}  {}, {wanted}",
            check.rule, check.found
        );
    }
    let failed = checks
        .iter()
        .filter(|check| check.status == Status::Fail)
        .count();
    text += &match failed {
        0 => String::from("  every rule is kept\n"),
        some => format!("  {} broken\n", plural(some, "rule")),
    };
    text
}

/// What one layer adds, changes and removes.
pub(super) fn layer(findings: &Findings<'_>, layer: usize) -> Result<String, LayersError> {
    let Some(changes) = findings.changes.get(layer) else {
        let layers = findings.changes.len();
        return Err(LayersError::NoLayer {
            asked: layer,
            layers,
        });
    };
    let mut text = format!("layer {layer}: {}\n", maker(findings, layer));
    for touched in changes {
        text += &line(touched);
    }
    Ok(text)
}

fn line(touched: &Touched<'_>) -> String {
    let sign = match touched.change {
        Change::Added => '+',
        Change::Changed => '~',
        Change::Removed => '-',
    };
    let (size, end) = match &touched.entry.kind {
        EntryKind::File => (touched.bytes().to_string(), String::new()),
        EntryKind::Directory => (String::new(), String::from("/")),
        EntryKind::Symlink(target) => (String::new(), format!(" -> {}", Clean::line(target))),
        EntryKind::Hardlink(target) => (String::new(), format!(" == /{}", Clean::line(target))),
        EntryKind::Whiteout | EntryKind::Opaque | EntryKind::Other => Default::default(),
    };
    let dead = match touched.dead {
        Some((by, how)) => format!("  ({} layer {by})", verb(how)),
        None => String::new(),
    };
    format!(
        "{sign} {:04o} {size:>8}  /{}{end}{dead}\n",
        touched.entry.mode,
        Clean::line(&touched.path)
    )
}
