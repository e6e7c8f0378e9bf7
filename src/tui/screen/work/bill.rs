//! The byte bill: what each line of the Dockerfile added, and how its step stands, carried over
//! from the text that was built to the text as it is now.

use std::collections::BTreeMap;

use similar::Algorithm;
use similar::DiffOp;

use crate::dockerfile::Dockerfile;
use crate::report::ImageReport;
use crate::tui::model::bench::Bench;
use crate::tui::model::build::StepState;
use crate::units::Bytes;

/// Texts with more lines than this are compared from both ends only.
const LONG: usize = 3000;

/// What stands beside one line.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Entry {
    /// What the line added.
    pub cost: Option<Cost>,
    /// How its step stands.
    pub step: Option<StepState>,
    /// Whether the last report blames it.
    pub blamed: bool,
}

/// What a line added.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Cost {
    /// It is in the image.
    Ships(Bytes),
    /// It is in a builder stage.
    Stays(Bytes),
}

impl Cost {
    /// `254 MB`, or `(38 MB)` for what does not ship.
    pub(super) fn show(self) -> String {
        match self {
            Self::Ships(Bytes(0)) => "0".to_owned(),
            Self::Ships(bytes) => bytes.to_string(),
            Self::Stays(Bytes(0)) => "(0)".to_owned(),
            Self::Stays(bytes) => format!("({bytes})"),
        }
    }
}

/// The bill of the Dockerfile as it is now, one entry per line.
pub(super) fn entries(bench: &Bench, name: &str, lines: &[String]) -> Vec<Entry> {
    let mut entries = vec![Entry::default(); lines.len()];
    if let Some(built) = bench.built.get(name) {
        let image = bench
            .report
            .as_ref()
            .and_then(|report| report.image.as_ref());
        let costs = image.map(|image| costs(image, built)).unwrap_or_default();
        let blamed = bench.blamed_line();
        carry(built, lines, |now, then| {
            if let Some(entry) = entries.get_mut(now) {
                entry.cost = costs.get(&then).copied();
                entry.blamed = blamed == Some(then);
            }
        });
    }
    if let Some(build) = &bench.build {
        let text = if bench.building.is_empty() {
            bench.built.get(name)
        } else {
            bench.building.get(name)
        };
        if let Some(text) = text {
            carry(text, lines, |now, then| {
                if let Some(entry) = entries.get_mut(now) {
                    let step = build.at_line(then);
                    // What is still planned when all is over was not needed or not reached.
                    entry.step = step.filter(|step| build.is_running() || step.is_over());
                }
            });
        }
    }
    entries
}

/// The row, from 0, on which a line of the Dockerfile as it was built stands now; the same one
/// where it is gone.
pub(super) fn row_of(bench: &Bench, line: u32) -> Option<usize> {
    let file = bench.files.iter().find(|file| file.name == "Dockerfile")?;
    let mut row = None;
    if let Some(built) = bench.built.get("Dockerfile") {
        carry(built, file.editor.lines(), |now, then| {
            if then == line {
                row = Some(now);
            }
        });
    }
    row.or_else(|| usize::try_from(line.saturating_sub(1)).ok())
}

/// The row, from 0, on which a line of a file as the last build read it stands now.
pub(super) fn now_of(bench: &Bench, name: &str, line: u32) -> Option<usize> {
    let file = bench.files.iter().find(|file| file.name == name)?;
    let text = if bench.building.is_empty() {
        bench.built.get(name)
    } else {
        bench.building.get(name)
    };
    let mut row = None;
    carry(text?, file.editor.lines(), |now, then| {
        if then == line {
            row = Some(now);
        }
    });
    row
}

/// What each line of the built text cost, by line from 1.
fn costs(image: &ImageReport, built: &str) -> BTreeMap<u32, Cost> {
    let mut costs = BTreeMap::new();
    for line in final_stage(built) {
        costs.insert(line, Cost::Ships(Bytes(0)));
    }
    for line in &image.builder_lines {
        costs.insert(line.line, Cost::Stays(line.bytes));
    }
    let mut shipped: BTreeMap<u32, Bytes> = BTreeMap::new();
    for layer in &image.layers {
        if let Some(line) = layer.line {
            let sum = shipped.entry(line).or_default();
            *sum = sum.plus(layer.shipped_bytes);
        }
    }
    for (line, bytes) in shipped {
        costs.insert(line, Cost::Ships(bytes));
    }
    costs
}

/// The lines on which the instructions of the final stage begin.
fn final_stage(text: &str) -> Vec<u32> {
    let parsed = Dockerfile::parse(text);
    let Some(stage) = parsed.stages.last() else {
        return Vec::new();
    };
    std::iter::once(&stage.from)
        .chain(&stage.instructions)
        .map(|instruction| instruction.line)
        .collect()
}

/// Tells each line of `now` that is a line of `then`: index now (from 0), line then (from 1).
fn carry(then: &str, now: &[String], mut tell: impl FnMut(usize, u32)) {
    // The editor takes the ends off its lines, those of Windows too.
    let then: Vec<&str> = then.split('\n').map(bare).collect();
    let now: Vec<&str> = now.iter().map(|line| bare(line)).collect();
    let mut tell = |index: usize, line: usize| {
        if let Ok(line) = u32::try_from(line + 1) {
            tell(index, line);
        }
    };
    if then.len().max(now.len()) > LONG {
        let same = then.iter().zip(&now).take_while(|(a, b)| a == b).count();
        (0..same).for_each(|index| tell(index, index));
        return;
    }
    for op in similar::capture_diff_slices(Algorithm::Myers, &then, &now) {
        if let DiffOp::Equal {
            old_index,
            new_index,
            len,
        } = op
        {
            (0..len).for_each(|at| tell(new_index + at, old_index + at));
        }
    }
}

fn bare(line: &str) -> &str {
    line.strip_suffix('\r').unwrap_or(line)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(text: &str) -> Vec<String> {
        text.split('\n').map(str::to_owned).collect()
    }

    #[test]
    fn a_line_that_moved_keeps_its_bytes_and_an_edited_one_loses_them() {
        let mut pairs = Vec::new();
        let now = lines("# new\nFROM a\nRUN changed\nCOPY . .");
        carry("FROM a\nRUN x\nCOPY . .", &now, |now, then| {
            pairs.push((now, then));
        });
        assert_eq!(pairs, [(1, 1), (3, 3)]);
        pairs.clear();
        carry("FROM a\r\nRUN x\r\nCOPY . .", &now, |now, then| {
            pairs.push((now, then));
        });
        assert_eq!(pairs, [(1, 1), (3, 3)]);
    }

    #[test]
    fn what_does_not_ship_stands_in_parentheses() {
        assert_eq!(Cost::Stays(Bytes(38_000_000)).show(), "(38 MB)");
        assert_eq!(Cost::Ships(Bytes(0)).show(), "0");
    }
}
