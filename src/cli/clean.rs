//! `loadline clean`: removes what Loadline made on the engine, and nothing else.

use std::fmt::Write as _;

use crate::bases::build::STAND_IN_LABEL;
use crate::cli::CliError;
use crate::cli::Context;
use crate::cli::Exit;
use crate::cli::wiring;
use crate::engine::Engine;
use crate::engine::EngineError;
use crate::engine::ImageEntry;
use crate::engine::LABEL;
use crate::engine::Leftover;
use crate::engine::LeftoverKind;
use crate::engine::MADE_BY_LABEL;
use crate::text::Clean;
use crate::text::plural;
use crate::units::Bytes;

/// Remove what Loadline made on your engine, and nothing else
///
/// Shows first what would go and how much it is: images of attempts, also of others who share the
/// engine, and what a crash left behind. Your files and your progress stay. Base images stay too, unless you say `--bases`:
/// making them again takes minutes.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  loadline clean --dry-run
  loadline clean
  loadline clean --bases")]
pub(crate) struct Args {
    /// Only show what would be removed
    #[arg(long)]
    dry_run: bool,
    /// Remove the base images that were made here, too
    #[arg(long)]
    bases: bool,
}

/// Where everything that we name on an engine is; vendors' names are never taken.
const OURS: &str = "loadline.local/";

/// One thing to remove.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Item {
    /// What a crash left.
    Leftover(Leftover),
    /// One of our references to an image.
    Image {
        reference: String,
        size: Bytes,
        what: &'static str,
    },
}

/// Shows what goes, and removes it.
pub(crate) fn run(args: &Args, context: &Context) -> Result<Exit, CliError> {
    let output = context.output;
    wiring::block_on(async {
        let (docker, _) = wiring::engine().await.map_err(wiring::no_engine)?;
        let leftovers = docker.leftovers().await?;
        let images = docker.images(Some(LABEL)).await?;
        let items = choose(leftovers, &images, args.bases);
        output.result(&shown(&items))?;
        if args.dry_run || items.is_empty() {
            return Ok(Exit::Ok);
        }
        let mut kept = Vec::new();
        for item in &items {
            if let Err(error) = remove(docker.as_ref(), item).await {
                kept.push(format!("{} stays: {error}\n", item.name()));
            }
        }
        output.tell(&kept.concat());
        let removed = items.len() - kept.len();
        output.result(&format!("removed {}\n", plural(removed, "object")))?;
        Ok(if kept.is_empty() {
            Exit::Ok
        } else {
            Exit::NotMet
        })
    })
}

/// Decides what goes.
///
/// The label alone does not make an image ours: whatever is built `FROM` one of our bases inherits
/// it. Only references below `loadline.local/` are removed, and of those only what an attempt or
/// `loadline bases` made.
fn choose(leftovers: Vec<Leftover>, images: &[ImageEntry], bases: bool) -> Vec<Item> {
    let mut items: Vec<Item> = leftovers.into_iter().map(Item::Leftover).collect();
    for image in images
        .iter()
        .filter(|image| image.labels.contains_key(LABEL))
    {
        let Some(what) = what(image, bases) else {
            continue;
        };
        for reference in image.tags.iter().filter(|tag| tag.starts_with(OURS)) {
            items.push(Item::Image {
                reference: reference.clone(),
                size: image.size,
                what,
            });
        }
    }
    items
}

/// What an image of ours is, where it goes.
fn what(image: &ImageEntry, bases: bool) -> Option<&'static str> {
    let label = |name: &str| image.labels.contains_key(name);
    let helper = image
        .labels
        .get(LABEL)
        .is_some_and(|owner| owner == "helper");
    if helper {
        Some("helper")
    } else if label(MADE_BY_LABEL) {
        Some("attempt")
    } else if label(STAND_IN_LABEL) && bases {
        Some("base image")
    } else {
        None
    }
}

impl Item {
    fn name(&self) -> Clean {
        match self {
            Self::Leftover(leftover) => Clean::line(&leftover.name),
            Self::Image { reference, .. } => Clean::line(reference),
        }
    }

    const fn what(&self) -> &'static str {
        match self {
            Self::Leftover(leftover) => match leftover.kind {
                LeftoverKind::Container => "left container",
                LeftoverKind::Image => "left image",
            },
            Self::Image { what, .. } => what,
        }
    }

    const fn size(&self) -> Bytes {
        match self {
            Self::Leftover(leftover) => leftover.size,
            Self::Image { size, .. } => *size,
        }
    }
}

fn shown(items: &[Item]) -> String {
    if items.is_empty() {
        return "nothing to remove\n".to_owned();
    }
    let mut text = String::new();
    for item in items {
        let size = match item {
            Item::Leftover(leftover) if leftover.kind == LeftoverKind::Container => String::new(),
            Item::Leftover(_) | Item::Image { .. } => item.size().to_string(),
        };
        let _ = writeln!(text, "{:<15} {size:>8}  {}", item.what(), item.name());
    }
    let all: Bytes = items.iter().map(Item::size).sum();
    // Layers that images share are counted once per image by the engine, so this is a ceiling.
    let _ = writeln!(
        text,
        "{}, {all} at most (shared layers are counted more than once)",
        plural(items.len(), "object")
    );
    text
}

async fn remove(engine: &dyn Engine, item: &Item) -> Result<(), EngineError> {
    match item {
        Item::Leftover(leftover) => engine.remove_leftover(leftover).await,
        Item::Image { reference, .. } => engine.remove_image(reference).await,
    }
}

#[cfg(test)]
mod tests {
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

    fn images() -> Vec<ImageEntry> {
        let base = [(LABEL, "bases"), (STAND_IN_LABEL, "stand-in for x")];
        let attempt = [base[0], base[1], (MADE_BY_LABEL, "vm/1")];
        vec![
            image("loadline.local/attempt/a:1", &attempt),
            image("loadline.local/python:3.13", &base),
            // Built by the user on our base: it inherited the labels and is not ours.
            image("mine/app:latest", &attempt),
            image("loadline.local/engines:1", &[(LABEL, "engines")]),
            image("loadline.local/unlabelled:1", &[]),
            image("loadline.local/helper:1", &[(LABEL, "helper")]),
        ]
    }

    fn names(items: &[Item]) -> Vec<String> {
        items.iter().map(|item| item.name().to_string()).collect()
    }

    #[test]
    fn only_what_was_made_here_goes_and_bases_stay() {
        let items = choose(Vec::new(), &images(), false);
        assert_eq!(
            names(&items),
            ["loadline.local/attempt/a:1", "loadline.local/helper:1"]
        );
    }

    #[test]
    fn bases_go_when_they_are_named() {
        let items = choose(Vec::new(), &images(), true);
        assert!(names(&items).contains(&"loadline.local/python:3.13".to_owned()));
        assert!(!names(&items).contains(&"mine/app:latest".to_owned()));
        assert!(!names(&items).contains(&"loadline.local/engines:1".to_owned()));
    }

    #[test]
    fn what_goes_is_shown_with_its_size() {
        let left = Leftover {
            kind: LeftoverKind::Container,
            id: "1".to_owned(),
            name: "loadline-run-1".to_owned(),
            size: Bytes(0),
            owner: "w".to_owned(),
        };
        let items = choose(vec![left], &images(), false);
        insta::assert_snapshot!(shown(&items), @"
        left container            loadline-run-1
        attempt             5 MB  loadline.local/attempt/a:1
        helper              5 MB  loadline.local/helper:1
        3 objects, 10 MB at most (shared layers are counted more than once)
        ");
        assert_eq!(shown(&[]), "nothing to remove\n");
    }
}
