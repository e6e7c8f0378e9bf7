//! Which of Loadline's things on an engine go, and which stay because they are others'. Pure.

use crate::bases::build::STAND_IN_LABEL;
use crate::engine::HOME_LABEL;
use crate::engine::ImageEntry;
use crate::engine::LABEL;
use crate::engine::Leftover;
use crate::engine::LeftoverKind;
use crate::engine::MADE_BY_LABEL;
use crate::engine::OURS;
use crate::engine::Whose;
use crate::text::Clean;
use crate::units::Bytes;

/// What is removed besides one's own.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Wanted {
    /// What other homes made, too.
    pub(super) all: bool,
    /// The base images, too.
    pub(super) bases: bool,
}

/// What goes, and what stays.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Plan {
    /// What is removed.
    pub(super) go: Vec<Item>,
    /// What others made.
    pub(super) stay: Vec<Item>,
}

/// One thing of Loadline's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Item {
    /// What a crash left.
    Leftover(Leftover, Whose),
    /// One of our references to an image.
    Image {
        reference: String,
        size: Bytes,
        what: What,
        whose: Whose,
    },
}

/// What a thing is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum What {
    Attempt,
    Helper,
    BaseImage,
    LeftContainer,
    LeftImage,
}

impl Plan {
    /// Decides what goes for whoever has this home.
    ///
    /// The label alone does not make an image ours: whatever is built `FROM` one of our bases
    /// inherits it. Only references below `loadline.local/` are removed, and of those only what an
    /// attempt or `loadline bases` made.
    pub(super) fn choose(
        leftovers: Vec<Leftover>,
        images: &[ImageEntry],
        home: Option<&str>,
        wanted: Wanted,
    ) -> Self {
        let leftovers = leftovers.into_iter().map(|leftover| {
            let whose = leftover.whose(home);
            Item::Leftover(leftover, whose)
        });
        let named = images.iter().flat_map(|image| {
            let what = what(image, wanted.bases);
            let tags = image.tags.iter().filter(|tag| tag.starts_with(OURS));
            let size = image.size;
            let whose = match what {
                Some(What::Attempt) => {
                    let label = image.labels.get(HOME_LABEL).map(String::as_str);
                    Whose::by_label(label, home)
                }
                _ => Whose::Nobodys,
            };
            tags.filter_map(move |reference| {
                Some(Item::Image {
                    reference: reference.clone(),
                    size,
                    what: what?,
                    whose,
                })
            })
        });
        let (go, stay) = leftovers
            .chain(named)
            .partition(|item| wanted.all || item.whose() != Whose::Others);
        Self { go, stay }
    }
}

/// The images without those of attempts that are not this home's and whose makers live: these may
/// be being judged right now.
pub(super) fn done_with(
    mut images: Vec<ImageEntry>,
    home: Option<&str>,
    is_alive: impl Fn(&str) -> bool,
) -> Vec<ImageEntry> {
    images.retain(|image| {
        let label = |name: &str| image.labels.get(name).map(String::as_str);
        what(image, false) != Some(What::Attempt)
            || Whose::by_label(label(HOME_LABEL), home) == Whose::Own
            || !label(MADE_BY_LABEL).is_some_and(&is_alive)
    });
    images
}

/// What an image of ours is, where it can go.
fn what(image: &ImageEntry, bases: bool) -> Option<What> {
    let label = |name: &str| image.labels.contains_key(name);
    let helper = image
        .labels
        .get(LABEL)
        .is_some_and(|owner| owner == "helper");
    if helper {
        Some(What::Helper)
    } else if label(LABEL) && label(MADE_BY_LABEL) {
        Some(What::Attempt)
    } else if label(LABEL) && label(STAND_IN_LABEL) && bases {
        Some(What::BaseImage)
    } else {
        None
    }
}

impl Item {
    pub(super) fn name(&self) -> Clean {
        match self {
            Self::Leftover(leftover, _) => Clean::line(&leftover.name),
            Self::Image { reference, .. } => Clean::line(reference),
        }
    }

    pub(super) const fn what(&self) -> What {
        match self {
            Self::Leftover(leftover, _) => match leftover.kind {
                LeftoverKind::Container => What::LeftContainer,
                LeftoverKind::Image => What::LeftImage,
            },
            Self::Image { what, .. } => *what,
        }
    }

    /// The engine's size of an image; a container has none.
    pub(super) const fn size(&self) -> Option<Bytes> {
        match self {
            Self::Leftover(leftover, _) => match leftover.kind {
                LeftoverKind::Container => None,
                LeftoverKind::Image => Some(leftover.size),
            },
            Self::Image { size, .. } => Some(*size),
        }
    }

    pub(super) const fn whose(&self) -> Whose {
        match self {
            Self::Leftover(_, whose) | Self::Image { whose, .. } => *whose,
        }
    }
}

impl What {
    /// As people read it, and as programs do.
    pub(super) const fn words(self) -> (&'static str, &'static str) {
        match self {
            Self::Attempt => ("attempt", "attempt"),
            Self::Helper => ("helper", "helper"),
            Self::BaseImage => ("base image", "base_image"),
            Self::LeftContainer => ("left container", "left_container"),
            Self::LeftImage => ("left image", "left_image"),
        }
    }
}

#[cfg(test)]
pub(super) mod tests {
    use std::collections::BTreeMap;

    use super::*;

    fn image(tag: &str, labels: &[(&str, &str)]) -> ImageEntry {
        let labels = labels.iter();
        ImageEntry {
            id: format!("sha256:{tag}"),
            tags: vec![tag.to_owned()],
            labels: labels
                .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
                .collect::<BTreeMap<_, _>>(),
            size: Bytes(5_000_000),
        }
    }

    pub(in crate::cli::clean) fn images() -> Vec<ImageEntry> {
        let base = [(LABEL, "bases"), (STAND_IN_LABEL, "stand-in for x")];
        let attempt = |home| {
            [
                base[0],
                base[1],
                (MADE_BY_LABEL, "vm/1"),
                (HOME_LABEL, home),
            ]
        };
        vec![
            image("loadline.local/attempt/a:mine", &attempt("mine")),
            image("loadline.local/attempt/a:theirs", &attempt("theirs")),
            image("loadline.local/attempt/a:homeless", &attempt("")),
            // Before there was a label for it.
            image("loadline.local/attempt/a:old", &attempt("")[..3]),
            image("loadline.local/python:3.13", &base),
            // Built by the user on our base: it inherited the labels and is not ours.
            image("mine/app:latest", &attempt("mine")),
            image("loadline.local/engines:1", &[(LABEL, "engines")]),
            image("loadline.local/unlabelled:1", &[]),
            image("loadline.local/helper:1", &[(LABEL, "helper")]),
        ]
    }

    pub(in crate::cli::clean) fn left(kind: LeftoverKind, name: &str, home: &str) -> Leftover {
        Leftover {
            kind,
            id: name.to_owned(),
            name: name.to_owned(),
            size: Bytes(1_000_000),
            owner: "w".to_owned(),
            home: home.to_owned(),
        }
    }

    fn names(items: &[Item]) -> Vec<String> {
        let names = items.iter().map(|item| item.name().to_string());
        names
            .map(|name| name.trim_start_matches(OURS).to_owned())
            .collect()
    }

    #[test]
    fn ones_own_and_nobodys_goes_and_others_work_stays() {
        let left = vec![
            left(LeftoverKind::Container, "run-mine", "mine"),
            left(LeftoverKind::Container, "run-theirs", "theirs"),
            left(LeftoverKind::Image, "unnamed-theirs", "theirs"),
        ];
        let plan = Plan::choose(left, &images(), Some("mine"), Wanted::default());
        assert_eq!(
            names(&plan.go),
            [
                "run-mine",
                "unnamed-theirs",
                "attempt/a:mine",
                "attempt/a:homeless",
                "attempt/a:old",
                "helper:1"
            ]
        );
        assert_eq!(names(&plan.stay), ["run-theirs", "attempt/a:theirs"]);
    }

    #[test]
    fn what_is_being_judged_for_somebody_else_is_left_alone_and_a_helper_is_not() {
        let made_by = |tag, owner, maker, home| {
            image(
                tag,
                &[(LABEL, owner), (MADE_BY_LABEL, maker), (HOME_LABEL, home)],
            )
        };
        let all = vec![
            made_by("loadline.local/attempt/a:judged", "w", "living", ""),
            made_by("loadline.local/attempt/a:theirs", "w", "living", "theirs"),
            made_by("loadline.local/attempt/a:mine", "w", "living", "mine"),
            made_by("loadline.local/attempt/a:done", "w", "dead", ""),
            made_by("loadline.local/helper:1", "helper", "living", ""),
        ];
        let left = done_with(all, Some("mine"), |maker| maker == "living");
        let wanted = Wanted {
            all: true,
            bases: true,
        };
        let plan = Plan::choose(Vec::new(), &left, Some("mine"), wanted);
        assert_eq!(
            names(&plan.go),
            ["attempt/a:mine", "attempt/a:done", "helper:1"]
        );
        assert!(plan.stay.is_empty());
    }

    #[test]
    fn without_a_home_nothing_that_has_one_goes() {
        let plan = Plan::choose(Vec::new(), &images(), None, Wanted::default());
        assert_eq!(names(&plan.stay), ["attempt/a:mine", "attempt/a:theirs"]);
    }

    #[test]
    fn all_of_it_goes_when_that_is_said_and_bases_when_they_are_named() {
        let choose = |all, bases| {
            let wanted = Wanted { all, bases };
            Plan::choose(Vec::new(), &images(), Some("mine"), wanted)
        };
        let all = choose(true, false);
        assert!(all.stay.is_empty());
        assert!(names(&all.go).contains(&"attempt/a:theirs".to_owned()));
        assert!(!names(&all.go).contains(&"python:3.13".to_owned()));
        let bases = choose(false, true);
        assert!(names(&bases.go).contains(&"python:3.13".to_owned()));
        for plan in [all, bases] {
            let names = names(&plan.go);
            assert!(!names.contains(&"mine/app:latest".to_owned()));
            assert!(!names.contains(&"engines:1".to_owned()));
            assert!(!names.contains(&"unlabelled:1".to_owned()));
        }
    }
}
