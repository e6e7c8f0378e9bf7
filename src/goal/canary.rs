//! Where planted tokens were left in an image. The tokens themselves are never shown or kept.

use super::evidence::CanaryHit;
use super::evidence::CanaryPlace;
use crate::image::Config;
use crate::image::Contents;
use crate::image::HistoryStep;
use crate::image::tree::Tree;
use crate::text::Clean;

/// Every place where one of `tokens` is, the layers' hits being those of the pass over the image.
///
/// `line_of_layer` tells which line of the Dockerfile made a layer.
#[must_use]
pub fn hits(
    contents: &Contents,
    tokens: &[String],
    line_of_layer: impl Fn(usize) -> Option<u32>,
) -> Vec<CanaryHit> {
    let tree = Tree::of(contents);
    let mut hits: Vec<CanaryHit> = contents
        .hits
        .iter()
        .map(|hit| CanaryHit {
            line: line_of_layer(hit.layer),
            place: CanaryPlace::Layer {
                layer: hit.layer,
                path: Clean::line(&without(&hit.path, tokens)),
                hidden: !tree.shows(hit.layer, &hit.path) && !is_mark(&hit.path),
            },
        })
        .collect();
    // Two tokens in one file are one place.
    hits.dedup();
    hits.extend(in_summary(&contents.config, &contents.history, tokens));
    hits
}

/// A file's name with the tokens taken out: a token may be part of the name itself.
fn without(path: &str, tokens: &[String]) -> String {
    let tokens = tokens.iter().filter(|token| !token.is_empty());
    tokens.fold(path.to_owned(), |path, token| path.replace(token, "…"))
}

/// The places in the config and in the history alone, which need no pass over the image.
#[must_use]
pub fn in_summary(config: &Config, history: &[HistoryStep], tokens: &[String]) -> Vec<CanaryHit> {
    let has = |text: &str| {
        tokens
            .iter()
            .any(|token| !token.is_empty() && text.contains(token))
    };
    let mut parts: Vec<String> = Vec::new();
    for line in config.env.iter().filter(|line| has(line)) {
        let name = line.split('=').next().unwrap_or_default();
        let name = if has(name) { "…" } else { name };
        parts.push(format!("the environment variable `{name}`"));
    }
    for (name, _) in config
        .labels
        .iter()
        .filter(|(name, value)| has(name) || has(value))
    {
        let name = if has(name) { "…" } else { name };
        parts.push(format!("the label `{name}`"));
    }
    let list = |words: &[String]| words.iter().any(|word| has(word));
    let health = config
        .healthcheck
        .as_ref()
        .map(|check| check.test.as_slice());
    for (words, name) in [
        (config.entrypoint.as_slice(), "the entrypoint"),
        (config.cmd.as_slice(), "the command"),
        (health.unwrap_or_default(), "the health check"),
        (config.shell.as_slice(), "the shell"),
        (config.volumes.as_slice(), "the volumes"),
        (
            std::slice::from_ref(&config.working_dir),
            "the working directory",
        ),
        (std::slice::from_ref(&config.user), "the user"),
    ] {
        if list(words) {
            parts.push(name.to_owned());
        }
    }
    let mut hits: Vec<CanaryHit> = parts
        .iter()
        .map(|part| CanaryHit {
            place: CanaryPlace::Config {
                part: Clean::line(part),
            },
            line: None,
        })
        .collect();
    if history.iter().any(|step| has(&step.created_by)) {
        hits.push(CanaryHit {
            place: CanaryPlace::History,
            line: None,
        });
    }
    hits
}

/// Whether a path is named like a whiteout: no layer shows such a file, and none has to hide it.
fn is_mark(path: &str) -> bool {
    let name = path.rsplit('/').next();
    name.is_some_and(|name| name.starts_with(".wh."))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::goal::fixture::contents;
    use crate::goal::fixture::layer;
    use crate::image::EntryKind;
    use crate::image::Hit;

    #[test]
    fn no_layer_hides_what_is_named_like_a_whiteout() {
        let mut image = contents(vec![layer(&["app/env"])]);
        image.hits = vec![Hit {
            layer: 0,
            path: String::from("app/.wh.env"),
            needle: 0,
        }];
        let found = hits(&image, &[String::from("s3cret-1")], |_| None);
        let hidden = |hit: &CanaryHit| matches!(hit.place, CanaryPlace::Layer { hidden: true, .. });
        assert!(found.len() == 1 && !found.iter().any(hidden));
    }

    #[test]
    fn every_place_is_found_and_no_token_shown() {
        let mut gone = layer(&["app/token"]);
        gone.entries[0].kind = EntryKind::Whiteout;
        let mut image = contents(vec![layer(&["app/token", "app/env"]), gone]);
        image.hits = vec![
            Hit {
                layer: 0,
                path: String::from("app/token"),
                needle: 0,
            },
            Hit {
                layer: 0,
                path: String::from("app/token"),
                needle: 1,
            },
            Hit {
                layer: 0,
                path: String::from("app/env"),
                needle: 0,
            },
        ];
        image.config.env = vec![String::from("TOKEN=s3cret-1"), String::from("A=b")];
        image
            .config
            .labels
            .insert(String::from("by"), String::from("s3cret-2 me"));
        image.config.cmd = vec![String::from("run"), String::from("--key=s3cret-1")];
        image.history = vec![HistoryStep {
            created_by: String::from("|1 TOKEN=s3cret-1 /bin/sh -c true"),
            empty_layer: false,
        }];
        let tokens = [String::from("s3cret-1"), String::from("s3cret-2")];
        let found = hits(&image, &tokens, |layer| (layer == 0).then_some(7));
        let shown = format!("{found:?}");
        assert!(!shown.contains("s3cret"), "{shown}");
        assert_eq!(found, expected());
    }

    fn expected() -> Vec<CanaryHit> {
        let at = |path: &str, hidden| CanaryHit {
            place: CanaryPlace::Layer {
                layer: 0,
                path: Clean::line(path),
                hidden,
            },
            line: Some(7),
        };
        let part = |part: &str| CanaryHit {
            place: CanaryPlace::Config {
                part: Clean::line(part),
            },
            line: None,
        };
        vec![
            at("app/token", true),
            at("app/env", false),
            part("the environment variable `TOKEN`"),
            part("the label `by`"),
            part("the command"),
            CanaryHit {
                place: CanaryPlace::History,
                line: None,
            },
        ]
    }

    #[test]
    fn a_token_in_a_name_is_not_shown() {
        let mut image = contents(vec![layer(&["tmp/s3cret-1.txt"])]);
        image.hits = vec![Hit {
            layer: 0,
            path: String::from("tmp/s3cret-1.txt"),
            needle: 0,
        }];
        let found = hits(&image, &[String::from("s3cret-1")], |_| None);
        let path = Clean::line("tmp/….txt");
        let place = CanaryPlace::Layer {
            layer: 0,
            path,
            hidden: false,
        };
        assert_eq!(found, [CanaryHit { place, line: None }]);
    }

    #[test]
    fn a_clean_image_has_no_hits() {
        let tokens = [String::from("s3cret"), String::new()];
        assert_eq!(hits(&contents(vec![layer(&["a"])]), &tokens, |_| None), []);
    }
}
