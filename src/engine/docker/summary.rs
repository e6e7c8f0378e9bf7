//! What an engine says of an image, as a [`Summary`].

use std::time::Duration;

use bollard::models::HealthConfig;
use bollard::models::ImageHistoryResponseItem;
use bollard::models::ImageInspect;
use time::format_description::well_known::Rfc3339;

use crate::image::Config;
use crate::image::Healthcheck;
use crate::image::HistoryStep;
use crate::image::Summary;
use crate::units::Bytes;

/// Instructions that change the config only and make no layer.
const METADATA: [&str; 13] = [
    "CMD",
    "ENTRYPOINT",
    "ENV",
    "EXPOSE",
    "LABEL",
    "USER",
    "VOLUME",
    "STOPSIGNAL",
    "HEALTHCHECK",
    "ARG",
    "SHELL",
    "MAINTAINER",
    "ONBUILD",
];

/// Puts an engine's two answers together. `sizes_agree` says whether this engine's layer sizes are
/// those of the files (the graph driver store of Docker).
pub(super) fn summary(
    image: ImageInspect,
    mut history: Vec<ImageHistoryResponseItem>,
    sizes_agree: bool,
) -> Summary {
    // The engine lists the newest step first.
    history.reverse();
    let diff_ids = image
        .root_fs
        .as_ref()
        .and_then(|fs| fs.layers.clone())
        .unwrap_or_default();
    let layers = layer_steps(&history, diff_ids.len());
    let layer_sizes = match &layers {
        Some(layers) if sizes_agree => Some(
            history
                .iter()
                .zip(layers)
                .filter(|(_, is_layer)| **is_layer)
                .map(|(step, _)| bytes(step.size))
                .collect(),
        ),
        _ => None,
    };
    let history = match layers {
        Some(layers) => history
            .into_iter()
            .zip(layers)
            .map(|(step, is_layer)| HistoryStep {
                created_by: step.created_by,
                empty_layer: !is_layer,
            })
            .collect(),
        None => Vec::new(),
    };
    Summary {
        id: image.id.clone().unwrap_or_default(),
        tags: image.repo_tags.clone().unwrap_or_default(),
        engine_size: bytes(image.size.unwrap_or_default()),
        config: config(image),
        history,
        diff_ids,
        layer_sizes,
    }
}

/// Which steps of the history made a layer; `None` where the history and the number of layers do
/// not fit together (an image that was committed or imported, say).
///
/// The interface does not tell. A step with a size made one; of the rest, those whose instruction
/// works on files are taken before those that only change the config, which some builders commit
/// as empty layers.
fn layer_steps(history: &[ImageHistoryResponseItem], layers: usize) -> Option<Vec<bool>> {
    let mut made: Vec<bool> = history.iter().map(|step| step.size > 0).collect();
    let mut missing = layers.checked_sub(made.iter().filter(|made| **made).count())?;
    for wanted in [false, true] {
        for (step, made) in history.iter().zip(&mut made) {
            if missing > 0 && !*made && is_metadata(&step.created_by) == wanted {
                *made = true;
                missing -= 1;
            }
        }
    }
    (missing == 0).then_some(made)
}

/// Whether a recorded command changes the config only.
fn is_metadata(created_by: &str) -> bool {
    let command = created_by
        .split_once("#(nop)")
        .map_or(created_by, |(_, rest)| rest)
        .trim_start();
    let word = command.split_whitespace().next().unwrap_or_default();
    METADATA.contains(&word)
}

/// The config in our words.
fn config(image: ImageInspect) -> Config {
    let config = image.config.unwrap_or_default();
    let mut exposed_ports = config.exposed_ports.unwrap_or_default();
    exposed_ports.sort();
    let mut volumes = config.volumes.unwrap_or_default();
    volumes.sort();
    Config {
        user: config.user.unwrap_or_default(),
        entrypoint: config.entrypoint.unwrap_or_default(),
        cmd: config.cmd.unwrap_or_default(),
        env: config.env.unwrap_or_default(),
        working_dir: config.working_dir.unwrap_or_default(),
        labels: config.labels.unwrap_or_default().into_iter().collect(),
        exposed_ports,
        volumes,
        stop_signal: config.stop_signal.filter(|signal| !signal.is_empty()),
        healthcheck: config.healthcheck.and_then(healthcheck),
        shell: config.shell.unwrap_or_default(),
        architecture: image.architecture.unwrap_or_default(),
        os: image.os.unwrap_or_default(),
        created: image.created.and_then(|time| time.format(&Rfc3339).ok()),
    }
}

/// A health check; `None` where there is no test.
pub(super) fn healthcheck(config: HealthConfig) -> Option<Healthcheck> {
    Some(Healthcheck {
        test: config.test.filter(|test| !test.is_empty())?,
        interval: nanos(config.interval),
        timeout: nanos(config.timeout),
        start_period: nanos(config.start_period),
        retries: config
            .retries
            .and_then(|retries| u32::try_from(retries).ok())
            .filter(|retries| *retries > 0),
    })
}

/// Nanoseconds; zero stands for the engine's default.
fn nanos(value: Option<i64>) -> Option<Duration> {
    value
        .and_then(|value| u64::try_from(value).ok())
        .filter(|value| *value > 0)
        .map(Duration::from_nanos)
}

/// A size; engines write -1 for one that they do not know.
pub(super) fn bytes(size: i64) -> Bytes {
    Bytes(u64::try_from(size).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn step(created_by: &str, size: i64) -> ImageHistoryResponseItem {
        ImageHistoryResponseItem {
            created_by: created_by.to_owned(),
            size,
            ..ImageHistoryResponseItem::default()
        }
    }

    #[test]
    fn layers_are_told_from_steps_that_only_change_the_config() {
        let history = [
            step("/bin/sh -c #(nop) ADD file:1 in / ", 10),
            step("/bin/sh -c #(nop)  ENV A=1", 0),
            step("WORKDIR /app", 0),
            step("RUN /bin/sh -c true # buildkit", 0),
            step("CMD [\"x\"]", 0),
        ];
        assert_eq!(
            layer_steps(&history, 3),
            Some(vec![true, false, true, true, false])
        );
        assert_eq!(layer_steps(&history, 0), None, "more layers than there are");
        assert_eq!(
            layer_steps(&history, 9),
            None,
            "fewer steps than there are layers"
        );
    }

    #[test]
    fn layer_sizes_are_kept_only_where_they_are_those_of_the_files() {
        let image = || ImageInspect {
            root_fs: Some(bollard::models::ImageInspectRootFs {
                typ: "layers".to_owned(),
                layers: Some(vec!["sha256:a".to_owned()]),
            }),
            ..ImageInspect::default()
        };
        let history = || vec![step("CMD", 0), step("COPY a /", 7)];
        let counted = summary(image(), history(), true);
        assert_eq!(counted.layer_sizes, Some(vec![Bytes(7)]));
        assert_eq!(
            counted.history.first().map(|step| step.empty_layer),
            Some(false)
        );
        assert_eq!(summary(image(), history(), false).layer_sizes, None);
    }
}
