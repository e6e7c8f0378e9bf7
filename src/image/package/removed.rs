//! Records that a layer removes, or writes anew with less in them, while what they spoke of stays.

use std::cell::OnceCell;
use std::collections::BTreeSet;
use std::collections::HashMap;
use std::collections::HashSet;

use super::Gap;
use super::PackageKind;
use super::assemble::is_system;
use super::collect::Sort;
use super::gap::Sight;
use super::notes::Notes;
use super::owner;
use super::record::PathHash;
use super::record::Record;
use super::record::Stated;
use crate::image::EntryKind;

/// Records that a layer below had and whose packages' files are still there.
pub(super) struct Removed {
    pub(super) gaps: Vec<Gap>,
    /// Whether records of the distribution are among them.
    pub(super) system: bool,
}

impl Removed {
    pub(super) fn of<'s>(sight: &'s Sight<'_>) -> Self {
        let installed = installed_names(sight);
        let lists = lists(sight.notes);
        let files = Files::default();
        // Debian's files are listed beside its record, by name: asked once, however often the
        // records of all layers name a package.
        let mut of_debian: HashMap<&str, bool> = HashMap::new();
        let mut gaps: BTreeSet<Gap> = BTreeSet::new();
        let mut system = false;
        for (path, layer, record) in sight.notes.all() {
            let Some(packages) = record.packages() else {
                continue;
            };
            let sort = Sort::of(path);
            if !(is_system(sort) || sort == Some(Sort::PythonMetadata)) {
                continue;
            }
            let Some(by) = last_word(sight, path, layer) else {
                continue;
            };
            // A layer that writes a record anew took only what it no longer names; the rest was
            // lost later, and that layer is to blame.
            let kept = names(sight.notes.at(by, path));
            let mut are_there = |package: &'s Stated| {
                let look =
                    || files.are_there(sight, &listed(sight, (path, layer), package, &lists));
                match package.kind {
                    PackageKind::Deb => {
                        *of_debian.entry(package.name.as_str()).or_insert_with(look)
                    }
                    _ => look(),
                }
            };
            let lost = packages
                .iter()
                .filter(|package| !kept.contains(package.name.as_str()))
                .filter(|package| !installed.contains(&(package.kind, package.name.as_str())))
                .any(&mut are_there);
            if lost {
                system |= is_system(sort);
                gaps.insert(Gap::RecordsRemoved {
                    path: folder_of(path, sort),
                    layer: by,
                });
            }
        }
        Self {
            gaps: gaps.into_iter().collect(),
            system,
        }
    }
}

/// The names of the packages in a record.
fn names(record: Option<&Record>) -> HashSet<&str> {
    let packages = record.and_then(Record::packages).unwrap_or_default();
    packages.iter().map(|one| one.name.as_str()).collect()
}

/// The layer that took the word from the record of `layer` at `path`: removed it, or wrote it
/// anew. `None` where it is what the image shows.
fn last_word(sight: &Sight<'_>, path: &str, layer: usize) -> Option<usize> {
    let above = layer + 1..sight.contents.layers.len();
    above
        .into_iter()
        .find(|index| sight.notes.hides(*index, path) || sight.notes.at(*index, path).is_some())
}

/// Distroless images have a record per package: the folder stands for all of them.
fn folder_of(path: &str, sort: Option<Sort>) -> String {
    match (sort, path.rsplit_once('/')) {
        (Some(Sort::DpkgStatus), Some((folder, _))) if folder.ends_with("/status.d") => {
            folder.to_owned()
        }
        _ => path.to_owned(),
    }
}

fn installed_names<'s>(sight: &'s Sight<'_>) -> BTreeSet<(PackageKind, &'s str)> {
    let packages = sight.shown.iter().filter_map(|one| one.record.packages());
    packages
        .flatten()
        .map(|package| (package.kind, package.name.as_str()))
        .collect()
}

/// The lists of files of all layers, by Debian's package.
fn lists<'n>(notes: &'n Notes<'_>) -> HashMap<&'n str, Vec<&'n [PathHash]>> {
    let mut lists: HashMap<&str, Vec<&[PathHash]>> = HashMap::new();
    for (path, _, record) in notes.all() {
        if let (Record::Files(files), Some(Sort::DpkgList | Sort::DpkgSums)) =
            (record, Sort::of(path))
        {
            let name = owner::package_of_list(path);
            lists.entry(name).or_default().push(files);
        }
    }
    lists
}

/// The files of an image, as lists name them; made when the first package is missed.
#[derive(Default)]
struct Files {
    /// Those of all layers.
    shipped: OnceCell<HashSet<PathHash>>,
    /// Those that the image shows.
    shown: OnceCell<HashSet<PathHash>>,
}

impl Files {
    /// Whether most of a package's files are still there, owned by no other package. Settings stay
    /// behind where a package is properly removed.
    fn are_there(&self, sight: &Sight<'_>, listed: &BTreeSet<PathHash>) -> bool {
        let shipped = self.shipped.get_or_init(|| {
            let entries = sight
                .contents
                .layers
                .iter()
                .flat_map(|layer| &layer.entries);
            let files = entries
                .filter(|entry| matches!(entry.kind, EntryKind::File | EntryKind::Hardlink(_)));
            files
                .filter(|entry| !is_setting(&entry.path))
                .map(|entry| PathHash::of(&entry.path))
                .collect()
        });
        let shown = self.shown.get_or_init(|| {
            let nodes = sight.tree.nodes();
            let files = nodes.filter(|node| node.entry.kind == EntryKind::File);
            files
                .filter(|node| !is_setting(&node.path))
                .map(|node| PathHash::of(&node.path))
                .collect()
        });
        let ours = |file: &&PathHash| shipped.contains(file) && !sight.owners.knows_hash(**file);
        let brought = listed.iter().filter(ours).count();
        let left = listed
            .iter()
            .filter(ours)
            .filter(|file| shown.contains(file))
            .count();
        left > 0 && left * 2 >= brought
    }
}

fn is_setting(path: &str) -> bool {
    path.starts_with("etc/") || path.starts_with("var/")
}

/// The files of a package, as the records beside its own list them.
fn listed(
    sight: &Sight<'_>,
    (path, layer): (&str, usize),
    package: &Stated,
    lists: &HashMap<&str, Vec<&[PathHash]>>,
) -> BTreeSet<PathHash> {
    let mut listed: BTreeSet<PathHash> = package.files.iter().copied().collect();
    match package.kind {
        PackageKind::Deb => {
            let own = lists.get(package.name.as_str());
            listed.extend(
                own.into_iter()
                    .flatten()
                    .flat_map(|list| list.iter().copied()),
            );
        }
        PackageKind::Python => {
            let folder = path.rsplit_once('/').map_or("", |(folder, _)| folder);
            if let Some(Record::Files(files)) = sight.notes.at(layer, &format!("{folder}/RECORD")) {
                listed.extend(files);
            }
        }
        PackageKind::Apk
        | PackageKind::Node
        | PackageKind::Java
        | PackageKind::Go
        | PackageKind::Rust
        | PackageKind::Ruby
        | PackageKind::Php => {}
    }
    listed
}
