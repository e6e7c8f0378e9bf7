//! Who a file belongs to: what packages list as theirs.

use super::PackageKind;
use super::collect::Sort;
use super::first::FirstLayers;
use super::notes::Notes;
use super::notes::Shown;
use super::record::PathHash;
use super::record::Record;
use crate::image::ContentHash;
use crate::image::Contents;
use crate::image::hashed::Map;
use crate::image::hashed::Set;

/// The owner of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Owner {
    /// Whether the distribution made the package, so that its advisories speak of the file.
    native: bool,
    /// The layer that brought the package.
    layer: usize,
}

/// The owners of an image's files.
#[derive(Debug, Default)]
pub(super) struct Owners {
    system: Map<PathHash, Owner>,
    /// What installers of languages list.
    language: Set<PathHash>,
    /// Files of the system's packages that a later layer put others in the place of.
    replaced: Set<String>,
}

impl Owners {
    /// Collects what the packages that are installed list.
    pub(super) fn of<'n>(
        contents: &Contents,
        notes: &'n Notes<'_>,
        shown: &[Shown<'n>],
        first: &mut FirstLayers<'n>,
    ) -> Self {
        let mut owners = Self::default();
        let installed = owners.take_packages(shown, first);
        let with_metadata: Set<&str> = shown
            .iter()
            .filter(|one| one.sort == Some(Sort::PythonMetadata))
            .filter_map(|one| one.path.rsplit_once('/').map(|(folder, _)| folder))
            .collect();
        for one in shown {
            let Record::Files(files) = one.record else {
                continue;
            };
            match one.sort {
                Some(Sort::DpkgDiversions) => owners.add(
                    files,
                    Owner {
                        native: true,
                        layer: one.layer,
                    },
                ),
                Some(Sort::DpkgList | Sort::DpkgSums) => {
                    let name = package_of_list(&one.path);
                    if let Some(owner) = installed.get(name) {
                        owners.add(files, *owner);
                    }
                }
                Some(Sort::PythonList) => {
                    let folder = one.path.rsplit_once('/').map_or("", |(folder, _)| folder);
                    if with_metadata.contains(folder) {
                        owners.language.extend(files);
                    }
                }
                _ => {}
            }
        }
        owners.replaced = owners.find_replaced(contents, notes, shown);
        owners
    }

    /// The packages of Debian's records; what Alpine's records list is taken right here.
    fn take_packages<'n>(
        &mut self,
        shown: &[Shown<'n>],
        first: &mut FirstLayers<'n>,
    ) -> Map<&'n str, Owner> {
        let mut installed = Map::default();
        for one in shown {
            let Some(packages) = one.record.packages() else {
                continue;
            };
            let system = |kind| matches!(kind, PackageKind::Deb | PackageKind::Apk);
            for package in packages.iter().filter(|package| system(package.kind)) {
                let owner = Owner {
                    native: !package.foreign,
                    layer: first.layer(one, package),
                };
                self.add(&package.files, owner);
                installed.insert(package.name.as_str(), owner);
            }
        }
        installed
    }

    fn add(&mut self, files: &[PathHash], owner: Owner) {
        self.system.extend(files.iter().map(|file| (*file, owner)));
    }

    /// Files of another content than the layer of their package gave them. A copy that differs in
    /// owner or permissions alone is the same file.
    fn find_replaced(
        &self,
        contents: &Contents,
        notes: &Notes<'_>,
        shown: &[Shown<'_>],
    ) -> Set<String> {
        let later = shown.iter().filter_map(|one| {
            let owner = self.system.get(&PathHash::of(&one.path))?;
            let before = (owner.layer < one.layer)
                .then(|| notes.before(one.layer, one.noted))
                .flatten()?;
            Some((one, before))
        });
        let later: Vec<(&Shown<'_>, usize)> = later.filter(|(one, _)| !is_list(one.sort)).collect();
        let wanted: Set<&str> = later.iter().map(|(one, _)| one.noted).collect();
        let mut hashes: Map<(usize, &str), ContentHash> = Map::default();
        if !wanted.is_empty() {
            for layer in &contents.layers {
                let entries = layer.entries.iter();
                for entry in entries.filter(|entry| wanted.contains(entry.path.as_str())) {
                    let hash = entry
                        .content
                        .map(|hash| ((layer.index, &*entry.path), hash));
                    hashes.extend(hash);
                }
            }
        }
        let differs = |one: &Shown<'_>, before: usize| {
            let (now, then) = (
                hashes.get(&(one.layer, one.noted)),
                hashes.get(&(before, one.noted)),
            );
            matches!((now, then), (Some(now), Some(then)) if now != then)
        };
        later
            .into_iter()
            .filter(|(one, before)| differs(one, *before))
            .map(|(one, _)| one.path.clone())
            .collect()
    }

    /// Whether a package of the distribution brought a file: then it speaks for all that is in it.
    pub(super) fn speak_for(&self, path: &str) -> bool {
        let owner = self.system.get(&PathHash::of(path));
        owner.is_some_and(|owner| owner.native) && !self.replaced.contains(path)
    }

    /// The layer that brought the package of the system's that lists a file.
    pub(super) fn layer_of(&self, path: &str) -> Option<usize> {
        let owner = self.system.get(&PathHash::of(path))?;
        Some(owner.layer)
    }

    /// Whether any package accounts for a file.
    pub(super) fn knows(&self, path: &str) -> bool {
        self.knows_hash(PathHash::of(path)) && !self.replaced.contains(path)
    }

    /// Whether any package lists a path.
    pub(super) fn knows_hash(&self, hash: PathHash) -> bool {
        self.system.contains_key(&hash) || self.language.contains(&hash)
    }
}

/// Whether a record is one of the lists themselves, which are written anew by themselves.
const fn is_list(sort: Option<Sort>) -> bool {
    matches!(
        sort,
        Some(Sort::DpkgStatus | Sort::DpkgList | Sort::DpkgSums | Sort::DpkgDiversions | Sort::Apk)
    )
}

/// `libc6` of `info/libc6:amd64.list` and of `status.d/libc6.md5sums`.
pub(super) fn package_of_list(path: &str) -> &str {
    let name = path.rsplit('/').next().unwrap_or(path);
    let name = name
        .strip_suffix(".list")
        .or_else(|| name.strip_suffix(".md5sums"))
        .unwrap_or(name);
    name.split(':').next().unwrap_or(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_are_named_after_their_package() {
        assert_eq!(
            package_of_list("var/lib/dpkg/info/libc6:amd64.list"),
            "libc6"
        );
        assert_eq!(
            package_of_list("var/lib/dpkg/status.d/libssl3t64.md5sums"),
            "libssl3t64"
        );
        assert_eq!(
            package_of_list("var/lib/dpkg/info/libstdc++6.list"),
            "libstdc++6"
        );
    }
}
