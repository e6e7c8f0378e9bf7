//! An image whose archive was unpacked into a folder, as OCI layouts are.

use std::collections::BTreeMap;
use std::collections::BTreeSet;
use std::io;
use std::io::Read;

use super::ArchiveError;
use super::CHUNK;
use super::Options;
use super::budget::Budget;
use super::layout;
use super::layout::Plan;
use super::paged::Paged;
use super::part;
use super::part::Asked;
use super::part::Part;
use crate::image::Contents;

/// A file of a folder, opened, and its size; `None` where there is no such file.
pub type Opened = Option<(Box<dyn Read>, u64)>;

/// The parts of an image, by their paths in its folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Named {
    config: String,
    layers: Vec<String>,
}

impl Named {
    /// Each part once: the config, then the layers, bottom first.
    pub(super) fn parts(&self) -> Vec<&str> {
        let mut told = BTreeSet::new();
        let all = std::iter::once(&self.config).chain(&self.layers);
        all.map(|path| path.trim_start_matches("./"))
            .filter(|path| told.insert(*path))
            .collect()
    }

    /// The `manifest.json` that makes an archive of these parts one that `docker save` could have
    /// written.
    pub(super) fn manifest(&self) -> Vec<u8> {
        let plain = |path: &String| path.trim_start_matches("./").to_owned();
        let layers: Vec<String> = self.layers.iter().map(plain).collect();
        let manifest = serde_json::json!([{
            "Config": plain(&self.config),
            "RepoTags": null,
            "Layers": layers,
        }]);
        manifest.to_string().into_bytes()
    }
}

/// Reads an image from a folder. Only what belongs to the image is opened; `open` is given paths as
/// documents have them, and is the one to see to it that they do not lead out of the folder.
///
/// # Errors
/// When a file cannot be read, when the folder is no image, broken, or beyond the limits.
pub fn read_folder(
    open: impl Fn(&str) -> io::Result<Opened>,
    options: &Options,
) -> Result<Contents, ArchiveError> {
    let asked = Asked::new(options)?;
    let mut folder = Folder::new(&open, &asked);
    let plan = folder.plan()?;
    for path in plan.layers.iter().chain([&plan.config]) {
        folder.load(path)?;
    }
    let Folder {
        mut budget, parts, ..
    } = folder;
    layout::assemble(parts, &asked, &mut budget)
}

/// The parts of the image in a folder, none of whose layers is opened.
///
/// # Errors
/// As those of [`read_folder`].
pub(super) fn named_in(
    open: impl Fn(&str) -> io::Result<Opened>,
    options: &Options,
) -> Result<Named, ArchiveError> {
    let asked = Asked::new(options)?;
    let Plan { config, layers } = Folder::new(&open, &asked).plan()?;
    if layers.len() > options.limits.layers {
        return Err(ArchiveError::too_much(
            "it has more layers than is sensible",
        ));
    }
    Ok(Named { config, layers })
}

/// A folder while it is read.
struct Folder<'f, O> {
    open: &'f O,
    asked: &'f Asked<'f>,
    budget: Budget,
    parts: BTreeMap<String, Part>,
}

impl<'f, O: Fn(&str) -> io::Result<Opened>> Folder<'f, O> {
    fn new(open: &'f O, asked: &'f Asked<'f>) -> Self {
        Self {
            open,
            asked,
            budget: Budget::new(asked.options.limits),
            parts: BTreeMap::new(),
        }
    }

    /// Finds out which parts the image has.
    fn plan(&mut self) -> Result<Plan, ArchiveError> {
        self.load("manifest.json")?;
        self.load("index.json")?;
        for _ in 0..layout::INDEX_DEPTH {
            for path in layout::named_documents(&self.parts) {
                self.load(&path)?;
            }
        }
        layout::plan(&self.parts, self.asked.options)
    }

    fn load(&mut self, path: &str) -> Result<(), ArchiveError> {
        let path = path.trim_start_matches("./");
        if self.parts.contains_key(path) {
            return Ok(());
        }
        self.budget.spend(path, "")?;
        if let Some((file, size)) = (self.open)(path)? {
            let mut file = Paged::new(CHUNK, file);
            let part = part::read(path, &mut file, size, self.asked, &mut self.budget, None)?;
            self.parts.insert(path.to_owned(), part);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use super::*;

    fn named(files: &[(&str, &str)]) -> Result<Named, ArchiveError> {
        let files: HashMap<&str, &str> = files.iter().copied().collect();
        let open = |path: &str| {
            let text = files.get(path).map(|text| (*text).to_owned());
            Ok(text.map(|text| {
                let size = text.len() as u64;
                (Box::new(io::Cursor::new(text)) as Box<dyn Read>, size)
            }))
        };
        named_in(open, &Options::default())
    }

    #[test]
    fn the_parts_of_a_layout_are_told_as_docker_saves_them() {
        let image = named(&[
            ("index.json", r#"{"manifests": [{"digest": "sha256:aa"}]}"#),
            (
                "blobs/sha256/aa",
                r#"{"config": {"digest": "sha256:cc"},
                    "layers": [{"digest": "sha256:l1"}, {"digest": "sha256:l1"}]}"#,
            ),
        ])
        .unwrap();
        assert_eq!(image.parts(), ["blobs/sha256/cc", "blobs/sha256/l1"]);
        assert_eq!(
            String::from_utf8(image.manifest()).unwrap(),
            r#"[{"Config":"blobs/sha256/cc","Layers":["blobs/sha256/l1","blobs/sha256/l1"],"RepoTags":null}]"#
        );
    }

    #[test]
    fn a_folder_that_is_no_image_has_no_parts() {
        assert!(matches!(named(&[]), Err(ArchiveError::NotAnImage(_))));
        assert!(matches!(
            named(&[("index.json", r#"{"manifests": [{"digest": "sha256:aa"}]}"#)]),
            Err(ArchiveError::MissingPart(_))
        ));
    }
}
