//! What an image and its layers weigh, and which lines of the Dockerfile they come from. Pure.

use crate::dockerfile::BuildArgs;
use crate::dockerfile::Dockerfile;
use crate::goal::Evidence;
use crate::goal::Known;
use crate::goal::Missing;
use crate::goal::evidence::LayerSize;
use crate::goal::evidence::Sizes;
use crate::image::Contents;
use crate::image::Summary;
use crate::report::ImageReport;
use crate::report::LayerReport;
use crate::text::Clean;

/// The engine's own figures, where its store has figures that agree with ours.
pub(super) fn sizes_by_engine(summary: &Summary, lines: &[Option<u32>]) -> Known<Sizes> {
    let Some(sizes) = &summary.layer_sizes else {
        return Err(Missing::because(
            "This engine's own sizes do not say what an image ships.",
        ));
    };
    let steps = summary.history.iter().filter(|step| !step.empty_layer);
    let mut created: Vec<Option<Clean>> = steps
        .map(|step| Some(Clean::line(&step.created_by)))
        .collect();
    created.resize(sizes.len(), None);
    let layers: Vec<LayerSize> = sizes
        .iter()
        .zip(created)
        .enumerate()
        .map(|(index, (shipped, created_by))| LayerSize {
            created_by,
            line: lines.get(index).copied().flatten(),
            shipped: *shipped,
        })
        .collect();
    Ok(Sizes {
        shipped: sizes.iter().copied().sum(),
        layers,
        exact: false,
    })
}

/// Our own count, file by file.
pub(super) fn sizes_by_count(contents: &Contents, lines: &[Option<u32>]) -> Sizes {
    let layers: Vec<LayerSize> = contents
        .layers
        .iter()
        .map(|layer| LayerSize {
            created_by: layer.created_by.as_deref().map(Clean::line),
            line: lines.get(layer.index).copied().flatten(),
            shipped: layer.shipped,
        })
        .collect();
    Sizes {
        shipped: layers.iter().map(|layer| layer.shipped).sum(),
        layers,
        exact: true,
    }
}

/// The image's part of the report, where its sizes are known.
pub(super) fn image_report(id: &str, evidence: &Evidence) -> Option<ImageReport> {
    let sizes = evidence.sizes.as_ref().ok()?;
    Some(ImageReport {
        id: id.to_owned(),
        shipped_bytes: sizes.shipped,
        exact: sizes.exact,
        layers: sizes
            .layers
            .iter()
            .map(|layer| LayerReport {
                created_by: layer.created_by.clone(),
                line: layer.line,
                shipped_bytes: layer.shipped,
            })
            .collect(),
        builder_lines: Vec::new(),
    })
}

/// The line of the Dockerfile that made each layer, bottom first: the final stage's `FROM` for the
/// layers of its base.
pub(super) fn lines(
    dockerfile: &Dockerfile,
    summary: &Summary,
    base_layers: usize,
) -> Vec<Option<u32>> {
    let Some(stage) = dockerfile.final_stage() else {
        return Vec::new();
    };
    let chain = dockerfile.chain(stage, &BuildArgs::new());
    let from = chain.last().map(|stage| stage.from.line);
    let mut instructions = chain.iter().rev().flat_map(|stage| &stage.instructions);
    let mut lines = vec![from; base_layers];
    let mut made = 0;
    for step in &summary.history {
        if !step.empty_layer {
            made += 1;
        }
        if made <= base_layers {
            continue;
        }
        let word = keyword(&step.created_by);
        let found = instructions.find(|instruction| instruction.keyword.as_str() == word);
        if !step.empty_layer {
            lines.push(found.map(|instruction| instruction.line));
        }
    }
    lines.truncate(summary.diff_ids.len());
    lines
}

/// The instruction that a step of the history stands for, as the different builders write it.
fn keyword(created_by: &str) -> &str {
    let text = created_by
        .strip_prefix("/bin/sh -c ")
        .map_or(created_by, |rest| {
            rest.trim_start()
                .strip_prefix("#(nop)")
                .map_or("RUN", str::trim_start)
        });
    text.split_whitespace().next().unwrap_or_default()
}
