//! From the notes of all layers to what is installed in the image.

use std::collections::BTreeMap;
use std::collections::BTreeSet;

use super::Inventory;
use super::Package;
use super::PackageKind;
use super::collect::Sort;
use super::first::FirstLayers;
use super::gap;
use super::notes::Notes;
use super::notes::Shown;
use super::os_release;
use super::owner::Owners;
use super::record::Record;
use super::record::Stated;
use super::runtime::Runtimes;
use crate::image::Contents;
use crate::image::tree::Tree;

/// What the records of an image say of its packages, each with the layer that brought it.
///
/// The pass over the image must have had [`Packages`](super::Packages) among its probes: without
/// it, nothing was noted and nothing is found.
#[must_use]
pub fn inventory(contents: &Contents) -> Inventory {
    let tree = Tree::of(contents);
    let notes = Notes::of(contents);
    let shown = notes.shown(&tree);
    let mut first = FirstLayers::of(&notes);
    let owners = Owners::of(contents, &notes, &shown, &mut first);
    let runtimes = Runtimes::of(&shown, &owners, &tree);
    let distribution = os_release::said(&tree, &notes).map(|said| said.distribution.clone());
    let mut packages: Vec<Package> = Vec::new();
    let mut foreign = BTreeSet::new();
    let mut local = BTreeSet::new();
    let mut makers: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for one in &shown {
        let Some(stated) = one.record.packages() else {
            continue;
        };
        // What a package of the distribution brought is that package.
        if !is_system(one.sort) && owners.speak_for(&one.path) {
            continue;
        }
        for package in stated {
            let layer = first.layer(one, package);
            let found = installed(one, package, layer);
            if !package.makers.is_empty() {
                let of_archive = makers.entry(found.path.clone()).or_default();
                of_archive.extend(package.makers.iter().cloned());
            }
            packages.push(found);
            if package.foreign {
                foreign.insert(package.name.clone());
            }
            if package.local {
                local.insert((one.path.clone(), package.name.clone()));
            }
        }
    }
    add_licences(&mut packages, &tree, &notes);
    packages.sort();
    packages.dedup();
    let gaps = gap::find(&gap::Sight {
        contents,
        tree: &tree,
        notes: &notes,
        shown: &shown,
        owners: &owners,
        distribution: distribution.as_ref(),
        runtimes: &runtimes,
    });
    Inventory {
        distribution,
        packages,
        runtimes: runtimes.found,
        foreign,
        local,
        makers,
        gaps,
    }
}

/// Whether a record is that of a distribution's own packages.
pub(super) const fn is_system(sort: Option<Sort>) -> bool {
    matches!(sort, Some(Sort::DpkgStatus | Sort::Apk))
}

fn installed(one: &Shown<'_>, stated: &Stated, layer: usize) -> Package {
    let path = match &stated.inside {
        Some(inside) => format!("{}!/{inside}", one.path),
        None => one.path.clone(),
    };
    Package {
        kind: stated.kind,
        name: stated.name.clone(),
        version: stated.version.clone(),
        source: stated.source.clone(),
        architecture: stated.architecture.clone(),
        licences: stated.licences.clone(),
        layer,
        path,
    }
}

/// Debian's records name no licences: they are in a file per package, which may be a link to that
/// of another package of the same source.
fn add_licences(packages: &mut [Package], tree: &Tree<'_>, notes: &Notes<'_>) {
    let debs = packages
        .iter_mut()
        .filter(|package| package.kind == PackageKind::Deb);
    for package in debs {
        let path = format!("usr/share/doc/{}/copyright", package.name);
        let Ok(node) = tree.find(&path) else {
            continue;
        };
        if let Some(Record::Licences(licences)) = notes.at(node.layer, &node.entry.path) {
            package.licences.clone_from(licences);
        }
    }
}
