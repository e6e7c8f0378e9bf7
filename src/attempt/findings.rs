//! Where planted tokens were found. Pure; the tokens themselves go no further.

use crate::goal::evidence::CanaryHit;
use crate::goal::evidence::CanaryPlace;
use crate::image::Contents;
use crate::image::tree::Tree;
use crate::text::Clean;

/// The places of an image that hold one of `tokens`: layers (deleted files too), config, history.
/// `lines` are the Dockerfile's lines of the layers.
pub(super) fn canaries(
    contents: &Contents,
    tokens: &[String],
    lines: &[Option<u32>],
) -> Vec<CanaryHit> {
    let tree = Tree::of(contents);
    let mut hits: Vec<CanaryHit> = contents
        .hits
        .iter()
        .map(|hit| CanaryHit {
            place: CanaryPlace::Layer {
                layer: hit.layer,
                path: Clean::line(&hit.path),
                hidden: !tree.shows(hit.layer, &hit.path),
            },
            line: lines.get(hit.layer).copied().flatten(),
        })
        .collect();
    let holds = |text: &str| tokens.iter().any(|token| text.contains(token.as_str()));
    let config = &contents.config;
    let parts = [
        ("environment", config.env.iter().any(|line| holds(line))),
        (
            "labels",
            config
                .labels
                .iter()
                .any(|(key, value)| holds(key) || holds(value)),
        ),
        (
            "entrypoint or command",
            config
                .entrypoint
                .iter()
                .chain(&config.cmd)
                .any(|word| holds(word)),
        ),
    ];
    for (part, found) in parts {
        if found {
            let part = Clean::line(part);
            hits.push(CanaryHit {
                place: CanaryPlace::Config { part },
                line: None,
            });
        }
    }
    if contents.history.iter().any(|step| holds(&step.created_by)) {
        hits.push(CanaryHit {
            place: CanaryPlace::History,
            line: None,
        });
    }
    hits
}
