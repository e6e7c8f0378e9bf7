//! What a `FROM` or `COPY --from` uses on this machine: the vendor's image where it is here, else
//! its stand-in, else nothing yet.
//!
//! Pure: what the engine holds is handed in.

use std::collections::BTreeSet;

use crate::bases::catalogue::Catalogue;
use crate::bases::reference::Reference;

/// What a reference uses.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Resolution {
    /// `scratch`: nothing is needed.
    Nothing,
    /// The vendor's image is on the engine.
    Vendor {
        /// The reference to send to the engine.
        local: String,
    },
    /// A stand-in is on the engine.
    StandIn {
        /// The reference to send to the engine.
        local: String,
    },
    /// It is not on the engine.
    Missing {
        /// Whether the catalogue can build a stand-in.
        can_build: bool,
        /// Whether a registry may have it.
        can_pull: bool,
    },
}

impl Resolution {
    /// The reference to send to the engine in place of the learner's, where there is one.
    #[must_use]
    pub fn local(&self) -> Option<&str> {
        match self {
            Self::Vendor { local } | Self::StandIn { local } => Some(local),
            Self::Nothing | Self::Missing { .. } => None,
        }
    }

    /// Whether it is a stand-in.
    #[must_use]
    pub const fn is_stand_in(&self) -> bool {
        matches!(self, Self::StandIn { .. })
    }
}

/// Resolves `reference` against the tags that the engine holds.
///
/// `registry` tells whether the reference's registry is worth asking in this session.
#[must_use]
pub fn resolve(
    catalogue: &Catalogue,
    reference: &str,
    tags: &BTreeSet<String>,
    registry: bool,
) -> Resolution {
    if reference == "scratch" {
        return Resolution::Nothing;
    }
    let asked = Reference::parse(reference);
    let known = catalogue.find(&asked);
    let local = known.map(|(base, tag)| Reference::local(&base.name, tag));
    // One may ask for the stand-in by its own name.
    let is_vendors = |tag: &&String| Some(*tag) != local.as_ref() && Reference::parse(tag) == asked;
    if asked.digest.is_none()
        && let Some(tag) = tags.iter().find(is_vendors)
    {
        return Resolution::Vendor { local: tag.clone() };
    }
    if let Some(local) = local.filter(|local| tags.contains(local)) {
        return Resolution::StandIn { local };
    }
    Resolution::Missing {
        can_build: known.is_some(),
        can_pull: registry,
    }
}

/// The names whose images say what `reference` uses, as [`resolve`] looks at them.
#[must_use]
pub fn deciding(catalogue: &Catalogue, reference: &str) -> Vec<String> {
    let asked = Reference::parse(reference);
    if reference == "scratch" || asked.digest.is_some() {
        return Vec::new();
    }
    let known = catalogue.find(&asked);
    let local = known.map(|(base, tag)| Reference::local(&base.name, tag));
    std::iter::once(asked.to_string()).chain(local).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn resolved(reference: &str, tags: &[&str]) -> Resolution {
        let catalogue = Catalogue::builtin().expect("the builtin catalogue is sound");
        let tags = tags.iter().map(|tag| (*tag).to_owned()).collect();
        resolve(&catalogue, reference, &tags, false)
    }

    #[test]
    fn the_vendors_image_comes_before_its_stand_in() {
        let tags = [
            "loadline.local/python:3.13",
            "docker.io/library/python:3.13",
        ];
        assert_eq!(
            resolved("python:3.13", &tags).local(),
            Some("docker.io/library/python:3.13")
        );
        let stand_in = resolved("python:3", &tags);
        assert!(stand_in.is_stand_in());
        assert_eq!(stand_in.local(), Some("loadline.local/python:3.13"));
        for own in ["loadline.local/python:3.13", "loadline.local/python:3"] {
            assert_eq!(resolved(own, &tags), stand_in, "{own}");
        }
    }

    #[test]
    fn what_is_missing_says_what_can_be_done() {
        assert_eq!(
            resolved("busybox", &[]),
            Resolution::Missing {
                can_build: true,
                can_pull: false
            }
        );
        assert_eq!(
            resolved("alpine", &[]),
            Resolution::Missing {
                can_build: false,
                can_pull: false
            }
        );
        assert_eq!(resolved("scratch", &[]), Resolution::Nothing);
    }

    #[test]
    fn two_names_decide_whether_it_is_the_vendors_or_a_stand_in() {
        let catalogue = Catalogue::builtin().expect("the builtin catalogue is sound");
        let pinned = format!("python:3.13@sha256:{}", "a".repeat(64));
        for (reference, names) in [
            (
                "docker.io/library/python:3",
                vec!["python:3", "loadline.local/python:3.13"],
            ),
            (
                "loadline.local/busybox",
                vec![
                    "loadline.local/busybox:latest",
                    "loadline.local/busybox:latest",
                ],
            ),
            ("lab:5000/tools", vec!["lab:5000/tools:latest"]),
            ("scratch", vec![]),
            (pinned.as_str(), vec![]),
        ] {
            let deciding = deciding(&catalogue, reference);
            assert_eq!(deciding, names, "{reference}");
            // What they resolve to is what all tags of an engine would resolve to.
            for tag in &deciding {
                let found = resolved(reference, &[tag]);
                assert_eq!(found.local(), Some(tag.as_str()), "{reference}");
            }
        }
    }

    #[test]
    fn a_pinned_digest_never_becomes_a_stand_in() {
        let pinned = format!("python:3.13@sha256:{}", "a".repeat(64));
        assert_eq!(
            resolved(&pinned, &["loadline.local/python:3.13"]),
            Resolution::Missing {
                can_build: false,
                can_pull: false
            }
        );
    }
}
