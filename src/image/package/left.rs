//! What is left of the files of a package that a record of some layer names.

use std::cell::OnceCell;
use std::collections::BTreeSet;
use std::collections::HashMap;
use std::collections::HashSet;

use super::PackageKind;
use super::collect::Sort;
use super::gap::Sight;
use super::node_folder;
use super::notes::Notes;
use super::owner;
use super::record::PathHash;
use super::record::Record;
use super::record::Stated;
use crate::image::EntryKind;

/// The files of an image, as lists name them; each part is made when it is first asked for.
pub(super) struct Left<'s, 't> {
    sight: &'s Sight<'t>,
    /// Those of Debian's packages, as the lists of all layers have them.
    debian: OnceCell<HashMap<&'s str, Vec<&'s [PathHash]>>>,
    /// Those of Node's packages, by folder.
    node: OnceCell<HashMap<&'s str, Vec<PathHash>>>,
    /// Those of all layers.
    shipped: OnceCell<HashSet<PathHash>>,
    /// The highest layer that ships something at a path, records and settings apart.
    highest: OnceCell<HashMap<PathHash, usize>>,
    /// Those that the image shows.
    shown: OnceCell<HashSet<PathHash>>,
    /// Those of them that are not mere documentation.
    working: OnceCell<HashSet<PathHash>>,
}

impl<'s, 't> Left<'s, 't> {
    pub(super) const fn of(sight: &'s Sight<'t>) -> Self {
        Self {
            sight,
            debian: OnceCell::new(),
            node: OnceCell::new(),
            shipped: OnceCell::new(),
            highest: OnceCell::new(),
            shown: OnceCell::new(),
            working: OnceCell::new(),
        }
    }

    /// Whether most of a package's files are still there, owned by no other package. Settings stay
    /// behind where a package is properly removed.
    pub(super) fn is_left(&self, place: (&str, usize), package: &Stated) -> bool {
        let listed = self.listed(place, package);
        let shipped = self.shipped.get_or_init(|| self.shipped());
        let shown = self.shown.get_or_init(|| self.shown(|_| true));
        let owners = self.sight.owners;
        let ours = |file: &&PathHash| shipped.contains(file) && !owners.knows_hash(**file);
        let brought = listed.iter().filter(ours).count();
        let left = listed
            .iter()
            .filter(ours)
            .filter(|file| shown.contains(file))
            .count();
        left > 0 && left * 2 >= brought
    }

    /// Whether any of a package's files is still there, whoever owns it now. Its documentation does
    /// not count: builders leave out of a layer what an upgrade wrote just as it was.
    pub(super) fn is_there(&self, place: (&str, usize), package: &Stated) -> bool {
        let working = self.working.get_or_init(|| {
            self.shown(|path| !path.starts_with("usr/share/doc/") && !is_record(path))
        });
        let listed = self.listed(place, package);
        listed.iter().any(|file| working.contains(file))
    }

    /// Whether a layer above that of the record ships any of the package's files.
    pub(super) fn is_shipped_above(&self, place: (&str, usize), package: &Stated) -> bool {
        let highest = self.highest.get_or_init(|| self.highest());
        let listed = self.listed(place, package);
        let mut layers = listed.iter().filter_map(|file| highest.get(file));
        layers.any(|layer| *layer > place.1)
    }

    fn shipped(&self) -> HashSet<PathHash> {
        let layers = &self.sight.contents.layers;
        let entries = layers.iter().flat_map(|layer| &layer.entries);
        let files =
            entries.filter(|entry| matches!(entry.kind, EntryKind::File | EntryKind::Hardlink(_)));
        files
            .filter(|entry| !is_setting(&entry.path))
            .map(|entry| PathHash::of(&entry.path))
            .collect()
    }

    fn highest(&self) -> HashMap<PathHash, usize> {
        let mut highest = HashMap::new();
        for layer in &self.sight.contents.layers {
            let entries = layer.entries.iter().filter(|entry| {
                let is_file = matches!(
                    entry.kind,
                    EntryKind::File | EntryKind::Hardlink(_) | EntryKind::Symlink(_)
                );
                is_file && !is_setting(&entry.path) && !is_record(&entry.path)
            });
            highest.extend(entries.map(|entry| (PathHash::of(&entry.path), layer.index)));
        }
        highest
    }

    fn shown(&self, counts: impl Fn(&str) -> bool) -> HashSet<PathHash> {
        let nodes = self.sight.tree.nodes();
        let files = nodes.filter(|node| node.entry.kind == EntryKind::File);
        files
            .filter(|node| !is_setting(&node.path) && counts(&node.path))
            .map(|node| PathHash::of(&node.path))
            .collect()
    }

    /// The files of a package, as the records beside its own list them.
    fn listed(&self, (path, layer): (&str, usize), package: &Stated) -> BTreeSet<PathHash> {
        let notes = self.sight.notes;
        let mut listed: BTreeSet<PathHash> = package.files.iter().copied().collect();
        match package.kind {
            PackageKind::Deb => {
                let lists = self.debian.get_or_init(|| lists(notes));
                let own = lists.get(package.name.as_str());
                listed.extend(
                    own.into_iter()
                        .flatten()
                        .flat_map(|list| list.iter().copied()),
                );
            }
            PackageKind::Python => {
                let folder = path.rsplit_once('/').map_or("", |(folder, _)| folder);
                if let Some(Record::Files(files)) = notes.at(layer, &format!("{folder}/RECORD")) {
                    listed.extend(files);
                }
            }
            PackageKind::Node => {
                let folders = self
                    .node
                    .get_or_init(|| node_folder::listed(self.sight.contents));
                let own = node_folder::folder_of(path).and_then(|folder| folders.get(folder));
                listed.extend(own.into_iter().flatten());
            }
            PackageKind::Apk
            | PackageKind::Java
            | PackageKind::Go
            | PackageKind::Rust
            | PackageKind::Ruby
            | PackageKind::Php => {}
        }
        listed
    }
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

fn is_setting(path: &str) -> bool {
    path.starts_with("etc/") || path.starts_with("var/")
}

/// Whether a file lies in the folder of a distribution's metadata, or is it.
fn is_record(path: &str) -> bool {
    path.contains(".dist-info/") || path.contains(".egg-info")
}
