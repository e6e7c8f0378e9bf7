//! What an image and its layers weigh, and which lines of the Dockerfile they come from. Pure.

use super::lines::layer_lines;
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
    let layers = summary.diff_ids.len();
    let given = BuildArgs::new();
    layer_lines(dockerfile, &given, &summary.history, layers, base_layers)
}
