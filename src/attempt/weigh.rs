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
use crate::image::History;
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
    let makers = History(&summary.history).makers(sizes.len());
    let created = makers.iter().map(|step| step.as_deref().map(Clean::line));
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::image::Config;
    use crate::image::HistoryStep;
    use crate::image::Layer;
    use crate::units::Bytes;

    const STEP: &str = "|1 TOKEN=correct-horse /bin/sh -c make";

    #[test]
    fn the_report_has_no_argument_of_the_build() {
        let history = vec![HistoryStep {
            created_by: STEP.to_owned(),
            empty_layer: false,
        }];
        let summary = Summary {
            id: String::new(),
            tags: Vec::new(),
            config: Config::default(),
            history: history.clone(),
            diff_ids: vec![String::new()],
            engine_size: Bytes(1),
            layer_sizes: Some(vec![Bytes(1)]),
        };
        let mut contents = Contents {
            history,
            ..Contents::default()
        };
        contents.layers.push(Layer {
            created_by: History(&contents.history).makers(1).remove(0),
            ..Layer::default()
        });
        for sizes in [
            sizes_by_engine(&summary, &[]).unwrap(),
            sizes_by_count(&contents, &[]),
        ] {
            let made = sizes.layers[0].created_by.as_ref().unwrap();
            assert_eq!(made.as_str(), "/bin/sh -c make");
        }
    }
}
