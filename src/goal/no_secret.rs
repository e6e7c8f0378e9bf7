//! `no_secret`: neither the tokens that the exercise planted nor anything that looks like a secret
//! is in the image.

use serde::Deserialize;

use super::Blame;
use super::Evidence;
use super::Goal;
use super::Needs;
use super::Verdict;
use super::base;
use super::evidence::CanaryHit;
use super::evidence::CanaryPlace;
use super::field::OneOrMore;
use super::kind::About;
use super::kind::Kind;
use super::kind::may;
use super::secret;
use crate::image::glob::Glob;
use crate::image::secrets::Place;
use crate::image::secrets::Secret;
use crate::text::plural;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct NoSecret {
    #[serde(default)]
    allow: Option<OneOrMore<Glob>>,
}

impl NoSecret {
    /// What counts of what was found.
    fn counted<'a>(&'a self, secrets: &'a [Secret]) -> impl Iterator<Item = &'a Secret> {
        let globs = self.allow.as_ref().map_or(&[][..], |allow| &allow.0);
        secrets.iter().filter(move |one| match &one.place {
            Place::File { path, .. } => !globs.iter().any(|glob| glob.matches(path)),
            Place::Config { .. } | Place::History { .. } | Place::Dockerfile { .. } => true,
        })
    }
}

impl Kind for NoSecret {
    const ABOUT: About = About {
        name: "no_secret",
        asks: "The exercise's planted tokens, and all that looks like a key, a token or a password, are in no layer, not in the config, the history or the Dockerfile; packed files are not opened.",
        parameters: &[may(
            "allow",
            "pattern or list of patterns",
            "Files that may hold something that looks like a secret; none.",
        )],
        example: "no_secret",
    };
}

impl Goal for NoSecret {
    fn kind(&self) -> &'static str {
        Self::ABOUT.name
    }

    fn title(&self) -> String {
        String::from("no secret")
    }

    fn wanted(&self) -> String {
        String::from(
            "no planted token, key, token or password is in a layer, in the config, in the history or in the Dockerfile",
        )
    }

    fn needs(&self) -> Needs {
        Needs {
            secrets: true,
            ..Needs::default()
        }
    }

    fn evaluate(&self, evidence: &Evidence) -> Verdict {
        if let Ok(hits) = &evidence.canaries
            && let Some(first) = hits.first()
        {
            return planted(first, hits.len() - 1);
        }
        let written = secret::in_dockerfile(&evidence.dockerfile);
        let known = evidence.secrets.as_ref().map_or(&[][..], Vec::as_slice);
        let found: Vec<&Secret> = self.counted(&written).chain(self.counted(known)).collect();
        if let Some(first) = found.first() {
            return looks_like(evidence, first, &found);
        }
        let missing = [
            evidence.canaries.as_ref().err(),
            evidence.secrets.as_ref().err(),
        ];
        if let Some(missing) = missing.into_iter().flatten().next() {
            return Verdict::unknown(missing);
        }
        Verdict::met("no planted token, and nothing that looks like a secret")
    }
}

const DELETED: &str = "What a later layer deletes is still in the layer below, and everybody who has the image can read it.";
const READABLE: &str = "Everybody who has the image can read its files.";
const OF_CONFIG: &str =
    "Everybody who has the image can read its config; no file needs to be opened for it.";
const OF_HISTORY: &str =
    "The history keeps each instruction with the build arguments that it used.";
const NEVER_HELD: &str = "Ask how a step can use a secret without a layer ever holding it.";
const FOLLOW: &str = "Follow the file from the build context to the layer.";

/// A planted token was found.
fn planted(first: &CanaryHit, more: usize) -> Verdict {
    let blame = Blame::line(first.line);
    let (place, why, next, blame) = match &first.place {
        CanaryPlace::Layer {
            layer,
            path,
            hidden: true,
        } => (
            format!("`/{path}` of layer {layer}, hidden by a later layer"),
            DELETED,
            NEVER_HELD,
            blame.in_layer(*layer).at_path(format!("/{path}")),
        ),
        CanaryPlace::Layer {
            layer,
            path,
            hidden: false,
        } => (
            format!("`/{path}` of layer {layer}"),
            READABLE,
            FOLLOW,
            blame.in_layer(*layer).at_path(format!("/{path}")),
        ),
        CanaryPlace::Config { part } => (
            part.to_string(),
            OF_CONFIG,
            "Look at which values of the build end up in the image's config.",
            blame,
        ),
        CanaryPlace::History => (
            String::from("the image's history"),
            OF_HISTORY,
            "Look at which values the steps of the build are given as arguments.",
            blame,
        ),
    };
    Verdict::unmet(
        format!("a planted token in {place}{}", and_more(more)),
        why,
        next,
        blame,
    )
}

fn and_more(more: usize) -> String {
    match more {
        0 => String::new(),
        more => format!(", and {}", plural(more, "more place")),
    }
}

/// Something that looks like a secret was found.
fn looks_like(evidence: &Evidence, first: &Secret, found: &[&Secret]) -> Verdict {
    let (place, why, next, blame) = match &first.place {
        Place::File {
            layer,
            path,
            line,
            removed_in,
        } => {
            let blame = Blame::line(evidence.line_of_layer(*layer))
                .in_layer(*layer)
                .at_path(format!("/{path}"));
            let here = format!("line {line} of `/{path}` in layer {layer}");
            match removed_in {
                Some(later) => (
                    format!("{here}, removed in layer {later} and still shipped"),
                    DELETED,
                    NEVER_HELD,
                    blame,
                ),
                None => (here, READABLE, FOLLOW, blame),
            }
        }
        Place::Config { part } => (
            part.clone(),
            OF_CONFIG,
            "Look at which values of the build end up in the image's config.",
            Blame::default(),
        ),
        Place::History { .. } => (
            String::from("the image's history"),
            OF_HISTORY,
            "Look at which values the steps of the build are given as arguments.",
            Blame::default(),
        ),
        Place::Dockerfile { line } => {
            let quoted = base::every(&evidence.dockerfile)
                .find(|one| (one.line..=one.last_line).contains(line))
                .map_or_else(String::new, |one| format!(" ({})", one.keyword));
            (
                format!("line {line} of the Dockerfile{quoted}"),
                "Everybody who can read the Dockerfile, or the history of the image, can read it.",
                NEVER_HELD,
                Blame::line(Some(*line)),
            )
        }
    };
    Verdict::unmet(
        format!(
            "{} in {place}{}",
            first.kind.name,
            and_more(found.len() - 1)
        ),
        why,
        next,
        blame,
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::goal::fixture::contents;
    use crate::goal::fixture::goal;
    use crate::goal::fixture::layer;
    use crate::goal::fixture::nothing;
    use crate::goal::fixture::show;
    use crate::image::Config;
    use crate::image::secrets;
    use crate::text::Clean;

    fn judge(places: Vec<CanaryPlace>) -> String {
        let mut evidence = nothing("FROM a\nCOPY . .");
        let hits = places.into_iter().map(|place| CanaryHit {
            place,
            line: Some(2),
        });
        evidence.canaries = Ok(hits.collect());
        evidence.secrets = Ok(Vec::new());
        show(&goal("no_secret").evaluate(&evidence))
    }

    fn file(hidden: bool) -> CanaryPlace {
        CanaryPlace::Layer {
            layer: 3,
            path: Clean::line("app/.env"),
            hidden,
        }
    }

    #[test]
    fn no_hit_meets_it() {
        assert_eq!(
            judge(Vec::new()),
            "met: no planted token, and nothing that looks like a secret"
        );
        let mut evidence = nothing("FROM a");
        let verdict = goal("no_secret").evaluate(&evidence);
        assert_eq!(show(&verdict), "unknown: It was not gathered.");
        evidence.canaries = Ok(Vec::new());
        let verdict = goal("no_secret").evaluate(&evidence);
        assert_eq!(show(&verdict), "unknown: It was not gathered.");
    }

    #[test]
    fn each_place_has_its_reason() {
        insta::assert_snapshot!(judge(vec![file(false)]), @r"
        unmet: a planted token in `/app/.env` of layer 3
        why:   Everybody who has the image can read its files.
        next:  Follow the file from the build context to the layer.
        blame: line 2, layer 3, /app/.env
        ");
        insta::assert_snapshot!(judge(vec![file(true), CanaryPlace::History]), @r"
        unmet: a planted token in `/app/.env` of layer 3, hidden by a later layer, and 1 more place
        why:   What a later layer deletes is still in the layer below, and everybody who has the image can read it.
        next:  Ask how a step can use a secret without a layer ever holding it.
        blame: line 2, layer 3, /app/.env
        ");
        let part = Clean::line("the label `by`");
        insta::assert_snapshot!(judge(vec![CanaryPlace::Config { part }]), @r"
        unmet: a planted token in the label `by`
        why:   Everybody who has the image can read its config; no file needs to be opened for it.
        next:  Look at which values of the build end up in the image's config.
        blame: line 2
        ");
        insta::assert_snapshot!(judge(vec![CanaryPlace::History]), @r"
        unmet: a planted token in the image's history
        why:   The history keeps each instruction with the build arguments that it used.
        next:  Look at which values the steps of the build are given as arguments.
        blame: line 2
        ");
    }

    /// What is said of secrets that nobody planted.
    fn suspect(yaml: &str, file: &str, change: impl FnOnce(&mut crate::image::Contents)) -> String {
        let mut evidence = nothing(file);
        evidence.canaries = Ok(Vec::new());
        let mut image = contents(vec![layer(&["a"]), layer(&["app/.env"])]);
        change(&mut image);
        evidence.secrets = Ok(secrets::in_image(&image, 1));
        show(&goal(yaml).evaluate(&evidence))
    }

    fn with_password(image: &mut crate::image::Contents) {
        image.config = Config {
            env: vec![String::from("DB_PASSWORD=correct-horse")],
            ..Config::default()
        };
    }

    #[test]
    fn what_looks_like_a_secret_counts_without_being_planted() {
        let plain = "FROM a\nCOPY . .";
        insta::assert_snapshot!(suspect("no_secret", plain, with_password), @r"
        unmet: a value whose name says that it is secret in the environment variable `DB_PASSWORD`
        why:   Everybody who has the image can read its config; no file needs to be opened for it.
        next:  Look at which values of the build end up in the image's config.
        blame:
        ");
        let file = "FROM a\nENV A=b \\\n  TOKEN=correct-horse\nRUN true";
        insta::assert_snapshot!(suspect("no_secret", file, |_| {}), @r"
        unmet: a value whose name says that it is secret in line 3 of the Dockerfile (ENV)
        why:   Everybody who can read the Dockerfile, or the history of the image, can read it.
        next:  Ask how a step can use a secret without a layer ever holding it.
        blame: line 3
        ");
    }

    #[test]
    fn a_deleted_file_and_an_allowed_one_are_told_apart() {
        let secret = |removed_in| Secret {
            kind: secrets::KINDS.first().unwrap(),
            fingerprint: secrets::scan(b"TOKEN=correct-horse", true)[0].fingerprint,
            place: Place::File {
                layer: 1,
                path: String::from("app/key.pem"),
                line: 4,
                removed_in,
            },
        };
        let judge = |yaml: &str, removed_in| {
            let mut evidence = nothing("FROM a");
            evidence.canaries = Ok(Vec::new());
            evidence.secrets = Ok(vec![secret(removed_in)]);
            show(&goal(yaml).evaluate(&evidence))
        };
        insta::assert_snapshot!(judge("no_secret", Some(2)), @r"
        unmet: a private key in line 4 of `/app/key.pem` in layer 1, removed in layer 2 and still shipped
        why:   What a later layer deletes is still in the layer below, and everybody who has the image can read it.
        next:  Ask how a step can use a secret without a layer ever holding it.
        blame: layer 1, /app/key.pem
        ");
        assert!(judge("no_secret", None).contains("in line 4 of `/app/key.pem` in layer 1\n"));
        assert!(judge("no_secret: { allow: /app/*.pem }", None).starts_with("met"));
    }
}
