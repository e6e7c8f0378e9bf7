//! Where the secrets of an image are.

use std::collections::BTreeMap;

use super::Fingerprint;
use super::probe;
use super::probe::InFile;
use super::rules::SecretKind;
use super::scan::Match;
use super::scan::scan;
use super::scan::scan_command;
use crate::image::Config;
use crate::image::Contents;
use crate::image::HistoryStep;
use crate::image::dead::Ledger;
use crate::image::maker;

/// A secret that was left in an image.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Secret {
    /// What it is.
    pub kind: &'static SecretKind,
    /// Tells whether another one is the same.
    pub fingerprint: Fingerprint,
    /// Where it is.
    pub place: Place,
}

/// A place of a secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    /// A file of a layer.
    File {
        /// The layer, from 0 at the bottom.
        layer: usize,
        /// The file, without a leading slash.
        path: String,
        /// Its line, from 1.
        line: u32,
        /// The layer that deletes or replaces the file, which ships it all the same.
        removed_in: Option<usize>,
    },
    /// The config: ``the environment variable `TOKEN` ``.
    Config {
        /// Which part.
        part: String,
    },
    /// A step of the history.
    History {
        /// Which step, from 0.
        step: usize,
    },
    /// The Dockerfile.
    Dockerfile {
        /// Its line, from 1.
        line: u32,
    },
}

/// Every secret of an image that the pass over it found, those of the `base` lowest layers left
/// aside, and those of its config and history.
#[must_use]
pub fn in_image(contents: &Contents, base: usize) -> Vec<Secret> {
    let mut found = in_layers(contents, base);
    let below = steps_of_base(&contents.history, base);
    found.extend(in_config(&contents.config));
    found.extend(in_history(&contents.history, below));
    found
}

/// The same for what an engine says of an image without exporting it.
#[must_use]
pub fn in_summary(config: &Config, history: &[HistoryStep], base: usize) -> Vec<Secret> {
    let below = steps_of_base(history, base);
    let mut found = in_config(config);
    found.extend(in_history(history, below));
    found
}

/// How many steps of the history made the lowest `base` layers.
fn steps_of_base(history: &[HistoryStep], base: usize) -> usize {
    if base == 0 {
        return 0;
    }
    let mut layers = 0;
    let last = history.iter().position(|step| {
        layers += usize::from(!step.empty_layer);
        layers == base
    });
    last.map_or(0, |last| last + 1)
}

fn in_layers(contents: &Contents, base: usize) -> Vec<Secret> {
    let above = contents.layers.iter().filter(|layer| layer.index >= base);
    let found: Vec<(usize, InFile<'_>)> = above
        .flat_map(|layer| {
            let found = probe::of_layer(layer).into_iter();
            found.map(|one| (layer.index, one))
        })
        .collect();
    if found.is_empty() {
        return Vec::new();
    }
    let dead = Ledger::of(contents).dead.into_iter();
    let removed: BTreeMap<(usize, String), usize> = dead
        .map(|dead| ((dead.shipped_in, dead.path), dead.hidden_in))
        .collect();
    let secret = |(layer, one): (usize, InFile<'_>)| {
        let path = one.path.to_owned();
        let removed_in = removed.get(&(layer, path.clone())).copied();
        Secret {
            kind: one.kind,
            fingerprint: one.fingerprint,
            place: Place::File {
                layer,
                path,
                line: one.line,
                removed_in,
            },
        }
    };
    found.into_iter().map(secret).collect()
}

fn in_config(config: &Config) -> Vec<Secret> {
    let mut found = Vec::new();
    let mut look = |text: &str, certain: bool, part: String| {
        let matches = scan(text.as_bytes(), certain);
        found.extend(matches.into_iter().map(|one| Secret {
            kind: one.kind,
            fingerprint: one.fingerprint,
            place: Place::Config { part: part.clone() },
        }));
    };
    for line in &config.env {
        let name = line.split('=').next().unwrap_or_default();
        look(line, true, format!("the environment variable `{name}`"));
    }
    for (name, value) in &config.labels {
        look(
            &format!("{name}={value}"),
            false,
            format!("the label `{name}`"),
        );
    }
    let health = config
        .healthcheck
        .as_ref()
        .map(|check| check.test.join(" "));
    for (text, part) in [
        (config.entrypoint.join(" "), "the entrypoint"),
        (config.cmd.join(" "), "the command"),
        (health.unwrap_or_default(), "the health check"),
    ] {
        look(&text, false, part.to_owned());
    }
    found
}

fn in_history(history: &[HistoryStep], below: usize) -> Vec<Secret> {
    let mut found = Vec::new();
    for (step, what) in history.iter().enumerate().skip(below) {
        let (sets, rest) = values_of_step(&what.created_by);
        let matches = scan(sets.as_bytes(), true)
            .into_iter()
            .chain(scan_command(rest.as_bytes()));
        found.extend(matches.map(|one| Secret {
            kind: one.kind,
            fingerprint: one.fingerprint,
            place: Place::History { step },
        }));
    }
    found
}

/// The part of a step that sets values, and the rest: `|1 TOKEN=x` and `/bin/sh -c make`.
fn values_of_step(text: &str) -> (&str, &str) {
    let plain = text
        .split_once("#(nop)")
        .map_or(text, |(_, after)| after)
        .trim_start();
    if plain.starts_with("ENV ") || plain.starts_with("ARG ") {
        return (plain, "");
    }
    let command = plain.strip_prefix("RUN ").unwrap_or(plain);
    if !command.starts_with('|') {
        return ("", plain);
    }
    // Arguments end where the shell begins; without one, a command may still be told by its path.
    let program = || {
        let folders = [" /bin/", " /usr/bin/", " /busybox/"];
        let places = folders.iter().filter_map(|folder| command.find(folder));
        places.min()
    };
    let end = maker::behind_arguments(command).or_else(program);
    command.split_at(end.unwrap_or(command.len()))
}

/// Every secret that a Dockerfile itself holds.
#[must_use]
pub fn in_dockerfile(instructions: &[(u32, &str, bool)]) -> Vec<Secret> {
    let mut found = Vec::new();
    for (line, text, certain) in instructions {
        let matches = if *certain {
            scan(text.as_bytes(), true)
        } else {
            scan_command(text.as_bytes())
        };
        found.extend(matches.into_iter().map(|one: Match| Secret {
            kind: one.kind,
            fingerprint: one.fingerprint,
            place: Place::Dockerfile {
                line: line.saturating_add(one.line).saturating_sub(1),
            },
        }));
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn step(created_by: &str, empty_layer: bool) -> HistoryStep {
        HistoryStep {
            created_by: created_by.to_owned(),
            empty_layer,
        }
    }

    fn kinds(found: &[Secret]) -> Vec<String> {
        found
            .iter()
            .map(|one| format!("{} {:?}", one.kind.id, one.place))
            .collect()
    }

    #[test]
    fn arguments_in_the_history_and_variables_in_the_config_are_found() {
        let config = Config {
            env: vec![
                String::from("PATH=/usr/bin"),
                String::from("GPG_KEY=7169605F62C751356D054A26A821E680E5FA6305"),
                String::from("DB_PASSWORD=correct-horse"),
            ],
            ..Config::default()
        };
        let history = [
            step("/bin/sh -c #(nop)  ENV SECRET=of-the-base", true),
            step("/bin/sh -c #(nop) ADD file:1 in /", false),
            step(
                "RUN |1 TOKEN=correct-horse /bin/sh -c make # buildkit",
                false,
            ),
            step("|2 A=b TOKEN=correct-horse /bin/sh -c make", false),
            step("ENV DB_PASSWORD=correct-horse", true),
            step("RUN |1 TOKEN= /bin/sh -c echo password=correct", false),
            step(
                "RUN |1 A=b /bin/sh -c export TOKEN=correct-horse && make",
                false,
            ),
            step(
                "RUN /bin/sh -c git clone https://admin:gl9x8y7z@git.corp/a",
                false,
            ),
        ];
        assert_eq!(
            kinds(&in_summary(&config, &history, 1)),
            [
                "named-secret Config { part: \"the environment variable `DB_PASSWORD`\" }",
                "named-secret History { step: 2 }",
                "named-secret History { step: 3 }",
                "named-secret History { step: 4 }",
                "named-secret History { step: 6 }",
                "url-password History { step: 7 }",
            ]
        );
        assert_eq!(in_summary(&config, &history, 0).len(), 7);
    }

    #[test]
    fn lines_of_a_dockerfile_are_counted_in_it() {
        let found = in_dockerfile(&[
            (3, "TOKEN=correct-horse", true),
            (
                5,
                "curl \\\n -H x \\\n https://ci:gl9x8y7z@git.corp/a",
                false,
            ),
        ]);
        assert_eq!(
            kinds(&found),
            [
                "named-secret Dockerfile { line: 3 }",
                "url-password Dockerfile { line: 7 }",
            ]
        );
    }
}
