//! What the records that an image shows say of a package that a record of a layer below named.

use super::PackageKind;
use super::SourcePackage;
use super::node_folder;
use super::notes::Shown;
use super::record::Stated;
use crate::image::hashed::Map;
use crate::image::hashed::Set;

/// A package where it is installed: Python's and Node's may be there several times, in several
/// places.
type Place<'n> = (PackageKind, &'n str, &'n str);

/// All in a record that decides which advisories speak of a package.
type Words<'n> = (&'n str, Option<&'n SourcePackage>, bool);

/// What the image shows.
#[derive(Debug, Default)]
pub(super) struct Installed<'n> {
    names: Set<Place<'n>>,
    words: Set<(Place<'n>, Option<&'n str>, Words<'n>)>,
    records: Map<(Place<'n>, Option<&'n str>), Now<'n>>,
}

/// The record that speaks of a package.
#[derive(Debug, Clone, Copy)]
pub(super) struct Now<'n> {
    pub(super) path: &'n str,
    pub(super) layer: usize,
    /// What it says of it.
    pub(super) package: &'n Stated,
}

impl<'n> Installed<'n> {
    pub(super) fn of(shown: &'n [Shown<'_>]) -> Self {
        let mut installed = Self::default();
        for one in shown {
            for package in one.record.packages().unwrap_or_default() {
                let place = place(package, &one.path);
                let architecture = package.architecture.as_deref();
                let now = Now {
                    path: &one.path,
                    layer: one.layer,
                    package,
                };
                installed.names.insert(place);
                installed
                    .words
                    .insert((place, architecture, words(package)));
                installed
                    .records
                    .entry((place, architecture))
                    .or_insert(now);
            }
        }
        installed
    }

    /// Whether a package of that name is installed in the same place.
    pub(super) fn names(&self, package: &Stated, path: &str) -> bool {
        self.names.contains(&place(package, path))
    }

    /// The record that speaks of the same package in other words, where none has the same.
    pub(super) fn in_other_words(&self, package: &Stated, path: &str) -> Option<Now<'n>> {
        let place = place(package, path);
        let architecture = package.architecture.as_deref();
        let same = self.words.contains(&(place, architecture, words(package)));
        let now = self.records.get(&(place, architecture)).copied();
        now.filter(|_| !same)
    }
}

fn words(package: &Stated) -> Words<'_> {
    (&package.version, package.source.as_ref(), package.foreign)
}

fn place<'n>(package: &'n Stated, path: &'n str) -> Place<'n> {
    let folder = match package.kind {
        // Beside the folder or the file of the metadata, whose name has the version in it.
        PackageKind::Python => {
            let beside = path
                .strip_suffix("/METADATA")
                .or_else(|| path.strip_suffix("/PKG-INFO"))
                .unwrap_or(path);
            beside.rsplit_once('/').map_or("", |(folder, _)| folder)
        }
        PackageKind::Node => node_folder::folder_of(path).unwrap_or_default(),
        PackageKind::Deb
        | PackageKind::Apk
        | PackageKind::Java
        | PackageKind::Go
        | PackageKind::Rust
        | PackageKind::Ruby
        | PackageKind::Php => "",
    };
    (package.kind, folder, &package.name)
}
