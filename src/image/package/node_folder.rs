//! Node's folders: which package a file lies in, and folders whose package nothing names.

use std::collections::BTreeMap;
use std::collections::BTreeSet;

use super::Gap;
use super::collect::Sort;
use super::node::is_manifest;
use super::notes::Shown;
use super::owner::Owners;
use super::record::PathHash;
use super::record::Record;
use crate::image::Contents;
use crate::image::EntryKind;
use crate::image::hashed::Map;
use crate::image::hashed::Set;
use crate::image::tree::Lost;
use crate::image::tree::Node;
use crate::image::tree::Tree;
use crate::text::plural;

/// The name of the folder that installers put packages into.
const PLACE: &str = "node_modules";

/// The file in a package's folder that names it.
const MANIFEST: &str = "/package.json";

/// The innermost folder of a package that a file lies in: `app/node_modules/@a/b` of
/// `app/node_modules/@a/b/lib/x.js`.
pub(super) fn folder_of(path: &str) -> Option<&str> {
    let at = match path.rfind("/node_modules/") {
        Some(at) => at + "/node_modules/".len(),
        None => path
            .starts_with("node_modules/")
            .then_some("node_modules/".len())?,
    };
    let named = |name: &str| !name.is_empty() && !name.starts_with(['.', '@']);
    let (first, rest) = path.get(at..)?.split_once('/')?;
    let length = if first.starts_with('@') {
        let (name, _) = rest.split_once('/')?;
        named(name).then_some(first.len() + 1 + name.len())?
    } else {
        named(first).then_some(first.len())?
    };
    path.get(..at + length)
}

/// The folders that a path lies in, the nearest first.
fn above(path: &str) -> impl Iterator<Item = &str> {
    std::iter::successors(path.rsplit_once('/').map(|(folder, _)| folder), |path| {
        path.rsplit_once('/').map(|(folder, _)| folder)
    })
}

/// The outermost `node_modules` that a path lies in, and what follows.
pub(super) fn place_of(path: &str) -> (&str, &str) {
    let mut end = 0;
    for part in path.split('/') {
        end += part.len();
        if part == PLACE {
            break;
        }
        end += 1;
    }
    let place = path.get(..end).unwrap_or(path);
    let inner = path.get(end + 1..).unwrap_or_default();
    (place, inner)
}

/// A gap for each link that is named like a place of packages and leads to a folder that is not:
/// what is installed there is found by the programs of the image, and no record of it is read.
pub(super) fn linked(tree: &Tree<'_>, owners: &Owners) -> Vec<Gap> {
    let mut links: BTreeMap<String, String> = BTreeMap::new();
    tree.each_path(|path, entry| {
        let named = path.rsplit('/').next() == Some(PLACE);
        if !named || !matches!(entry.kind, EntryKind::Symlink(_)) {
            return;
        }
        // Archives may leave folders out: one that only its files tell of is called missing.
        if let Ok(Node { path: folder, .. }) | Err(Lost::Missing(folder)) = tree.find(path)
            && folder.split('/').all(|part| part != PLACE)
        {
            links.entry(folder).or_insert_with(|| path.to_owned());
        }
    });
    // Hardly an image has one: its files are not gone through for that.
    if links.is_empty() {
        return Vec::new();
    }
    let mut gaps = BTreeMap::new();
    tree.each_file(|path, _, _| {
        let Some(package) = path.strip_suffix(MANIFEST) else {
            return;
        };
        // Above the package's own folder, or above that of its scope.
        for folder in above(package).take(2) {
            let inner = path.strip_prefix(folder).unwrap_or_default();
            if let Some(link) = links.get(folder)
                && is_manifest(&format!("{PLACE}{inner}"))
                && !owners.knows(path)
            {
                let why = format!(
                    "it leads to /{folder}, and packages of Node are read in folders of that name"
                );
                gaps.insert(link.clone(), why);
            }
        }
    });
    let broken = |(path, why)| Gap::RecordsBroken { path, why };
    gaps.into_iter().map(broken).collect()
}

/// The files of all layers in each package's folder, each once, the ones that name it apart.
pub(super) fn listed(contents: &Contents) -> Map<&str, Vec<PathHash>> {
    let mut listed: Map<&str, Vec<PathHash>> = Map::default();
    for entry in contents.layers.iter().flat_map(|layer| &layer.entries) {
        if let (EntryKind::File | EntryKind::Hardlink(_), Some(folder)) =
            (&entry.kind, folder_of(&entry.path))
            && entry.path.strip_prefix(folder) != Some(MANIFEST)
        {
            let files = listed.entry(folder).or_default();
            files.push(PathHash::of(&entry.path));
        }
    }
    for files in listed.values_mut() {
        files.sort_unstable();
        files.dedup();
    }
    listed
}

/// The folders of an image's Node packages.
#[derive(Debug, Default)]
pub(super) struct Folders<'s> {
    /// Those whose own `package.json` names a package.
    named: Set<&'s str>,
    /// Those whose own cannot be read, which is said of it.
    broken: Set<&'s str>,
}

impl<'s> Folders<'s> {
    pub(super) fn of(shown: &'s [Shown<'_>]) -> Self {
        let mut folders = Self::default();
        let manifests = shown.iter().filter(|one| one.sort == Some(Sort::Node));
        for one in manifests {
            let Some(folder) = one.path.strip_suffix(MANIFEST) else {
                continue;
            };
            match one.record {
                Record::Packages(_) => folders.named.insert(folder),
                _ => folders.broken.insert(folder),
            };
        }
        folders
    }

    /// Whether a file lies below a folder whose own `package.json` names a package, which
    /// accounts for what it ships.
    pub(super) fn account_for(&self, path: &str) -> bool {
        above(path).any(|folder| self.named.contains(folder))
    }

    /// Whether a folder belongs to the package that it lies deep in: its tests, its parts. What
    /// stands directly in the package's own `node_modules` was installed there.
    fn is_part(&self, folder: &str, told: &Set<&str>) -> bool {
        let owns = |folder: &str| self.named.contains(folder) || told.contains(folder);
        let place = folder.rfind("/node_modules/");
        let owner = place.and_then(|at| folder.get(..at));
        owner.is_some_and(|owner| !owns(owner) && above(owner).any(owns))
    }

    /// A gap for each folder with files that nothing names, apart from those that were `told`: one
    /// for all of a place that have no `package.json`, one for each that has one.
    pub(super) fn unnamed(&self, tree: &Tree<'_>, owners: &Owners, told: &Set<&str>) -> Vec<Gap> {
        let mut bare: BTreeSet<String> = BTreeSet::new();
        tree.each_file(|path, _, _| {
            if let Some(folder) = folder_of(path)
                && !self.named.contains(folder)
                && !self.broken.contains(folder)
                && !told.contains(folder)
                && !bare.contains(folder)
                && !self.is_part(folder, told)
                && !owners.knows(path)
            {
                bare.insert(folder.to_owned());
            }
        });
        let mut gaps = Vec::new();
        let mut missing: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
        for folder in &bare {
            let path = format!("{folder}{MANIFEST}");
            if tree.at(&path).is_some() {
                let why = String::from("it names no package with a version");
                gaps.push(Gap::RecordsBroken { path, why });
            } else {
                let (place, name) = place_of(folder);
                missing.entry(place).or_default().push(name);
            }
        }
        gaps.extend(missing.into_iter().filter_map(|(place, names)| {
            let (first, rest) = names.split_first()?;
            let more = match rest.len() {
                0 => String::new(),
                more => format!(" and {}", plural(more, "more package")),
            };
            Some(Gap::RecordsMissing {
                distribution: format!("`{first}`{more} in /{place}"),
            })
        }));
        gaps
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_lies_in_the_innermost_package() {
        for (path, folder) in [
            ("app/node_modules/a/lib/x.js", Some("app/node_modules/a")),
            ("node_modules/@a/b/x.js", Some("node_modules/@a/b")),
            (
                "app/node_modules/a/node_modules/b/x",
                Some("app/node_modules/a/node_modules/b"),
            ),
            (
                "app/node_modules/.pnpm/a@1/node_modules/a/x",
                Some("app/node_modules/.pnpm/a@1/node_modules/a"),
            ),
            ("my_node_modules/server/x", None),
            ("app/node_modules/.bin/x", None),
            ("app/node_modules/.package-lock.json", None),
            ("app/node_modules/@a/x", None),
            ("app/node_modules/x", None),
            ("app/x", None),
        ] {
            assert_eq!(folder_of(path), folder, "{path}");
        }
    }

    #[test]
    fn the_outermost_place_is_that_of_an_installation() {
        assert_eq!(
            place_of("app/node_modules/a/node_modules/b"),
            ("app/node_modules", "a/node_modules/b")
        );
        assert_eq!(place_of("node_modules/@a/b"), ("node_modules", "@a/b"));
    }
}
