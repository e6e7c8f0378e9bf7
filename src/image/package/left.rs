//! What is left of the files of a package that a record of some layer names.

use std::cell::Cell;
use std::cell::OnceCell;

use super::PackageKind;
use super::collect::Sort;
use super::gap::Sight;
use super::node_folder;
use super::notes::Notes;
use super::owner;
use super::record::PathHash;
use super::record::Record;
use super::record::Stated;
use crate::image::ContentHash;
use crate::image::EntryKind;
use crate::image::hashed::Map;
use crate::image::hashed::Set;
use crate::units::Bytes;

/// How many listed files are looked at in all: some times what a full desktop would take.
const ROOM: usize = 10_000_000;

/// The files of an image, as lists name them; each part is made when it is first asked for.
pub(super) struct Left<'s, 't> {
    pub(super) sight: &'s Sight<'t>,
    /// How many more listed files are looked at.
    room: Cell<usize>,
    /// Those of Debian's packages, as the lists of all layers have them.
    debian: OnceCell<Map<&'s str, Vec<List<'s>>>>,
    /// Those of Node's packages, by folder.
    node: OnceCell<Map<&'s str, Vec<PathHash>>>,
    /// Those of all layers.
    shipped: OnceCell<Set<PathHash>>,
    /// Those that the image shows.
    shown: OnceCell<Map<PathHash, Seen>>,
    /// Programs and libraries, of all layers.
    programs: OnceCell<Set<PathHash>>,
}

/// A list of files in the place of one of Debian's packages.
struct List<'s> {
    path: &'s str,
    layer: usize,
    files: &'s [PathHash],
}

/// A file that the image shows.
#[derive(Debug, Clone, Copy)]
pub(super) struct Seen {
    pub(super) layer: usize,
    pub(super) bytes: (Bytes, Option<ContentHash>),
    /// Whether a package works by it: documentation, records and what is made of other files while
    /// a program runs are none of that.
    is_working: bool,
}

impl<'s, 't> Left<'s, 't> {
    pub(super) const fn of(sight: &'s Sight<'t>) -> Self {
        Self {
            sight,
            room: Cell::new(ROOM),
            debian: OnceCell::new(),
            node: OnceCell::new(),
            shipped: OnceCell::new(),
            shown: OnceCell::new(),
            programs: OnceCell::new(),
        }
    }

    /// Whether most of a package's files are still there, owned by no other package. Settings stay
    /// behind where a package is properly removed.
    pub(super) fn is_left(&self, place: (&str, usize), package: &Stated) -> bool {
        // Where there is more to look at than is sensible, nothing is taken for properly removed.
        let Some(listed) = self.listed(place, package) else {
            return true;
        };
        let shipped = self.shipped.get_or_init(|| self.shipped());
        let shown = self.shown();
        let owners = self.sight.owners;
        let ours = |file: &&PathHash| shipped.contains(file) && !owners.knows_hash(**file);
        let (mut brought, mut left) = (0, 0);
        for file in listed.iter().filter(ours) {
            brought += 1;
            left += usize::from(shown.contains_key(file));
        }
        left > 0 && left * 2 >= brought
    }

    /// What the image shows of a file that a package works by.
    pub(super) fn working(&self, file: PathHash) -> Option<Seen> {
        let seen = self.shown().get(&file)?;
        seen.is_working.then_some(*seen)
    }

    /// Whether a file is a program or a library, and not one that a package has as an example.
    pub(super) fn is_program(&self, file: PathHash) -> bool {
        let programs = self.programs.get_or_init(|| {
            let noted = self.sight.notes.files();
            let programs =
                noted.filter(|one| one.sort.is_none() && !one.path.starts_with("usr/share/"));
            programs.map(|one| PathHash::of(one.path)).collect()
        });
        programs.contains(&file)
    }

    /// Whether the list of a Debian package's files was written in a layer above this one, as every
    /// upgrade does. Where none is there any more, nobody can tell.
    pub(super) fn is_listed_above(&self, layer: usize, name: &str) -> bool {
        let lists = self.debian().get(name).map(Vec::as_slice);
        let lists = lists.unwrap_or_default();
        let is_there = |list: &List<'_>| self.sight.tree.at(list.path).is_some();
        lists.iter().any(|list| list.layer > layer) || !lists.iter().any(is_there)
    }

    fn shown(&self) -> &Map<PathHash, Seen> {
        self.shown.get_or_init(|| {
            let mut shown = Map::default();
            self.sight.tree.each_file(|path, layer, entry| {
                if !is_setting(path) {
                    let seen = Seen {
                        layer,
                        bytes: (entry.size, entry.content),
                        is_working: is_working(path),
                    };
                    shown.insert(PathHash::of(path), seen);
                }
            });
            shown
        })
    }

    fn shipped(&self) -> Set<PathHash> {
        let layers = &self.sight.contents.layers;
        let entries = layers.iter().flat_map(|layer| &layer.entries);
        let files =
            entries.filter(|entry| matches!(entry.kind, EntryKind::File | EntryKind::Hardlink(_)));
        files
            .filter(|entry| !is_setting(&entry.path))
            .map(|entry| PathHash::of(&entry.path))
            .collect()
    }

    fn debian(&self) -> &Map<&'s str, Vec<List<'s>>> {
        self.debian.get_or_init(|| lists(self.sight.notes))
    }

    /// The files of a package, as the records beside its own list them; `None` where all that was
    /// looked at is more than is sensible.
    pub(super) fn listed(
        &self,
        (path, layer): (&str, usize),
        package: &Stated,
    ) -> Option<Vec<PathHash>> {
        let notes = self.sight.notes;
        let mut parts: Vec<&[PathHash]> = vec![&package.files];
        match package.kind {
            PackageKind::Deb => {
                let own = self.debian().get(package.name.as_str());
                parts.extend(own.into_iter().flatten().map(|list| list.files));
            }
            PackageKind::Python => {
                let folder = path.rsplit_once('/').map_or("", |(folder, _)| folder);
                if let Some(Record::Files(files)) = notes.at(layer, &format!("{folder}/RECORD")) {
                    parts.push(files);
                }
            }
            PackageKind::Node => {
                let folders = self
                    .node
                    .get_or_init(|| node_folder::listed(self.sight.contents));
                let own = node_folder::folder_of(path).and_then(|folder| folders.get(folder));
                parts.extend(own.map(Vec::as_slice));
            }
            PackageKind::Apk
            | PackageKind::Java
            | PackageKind::Go
            | PackageKind::Rust
            | PackageKind::Ruby
            | PackageKind::Php => {}
        }
        let length = parts.iter().map(|part| part.len()).sum();
        self.room.set(self.room.get().checked_sub(length)?);
        let mut listed = parts.concat();
        listed.sort_unstable();
        listed.dedup();
        Some(listed)
    }
}

/// The lists of files of all layers, by Debian's package.
fn lists<'n>(notes: &'n Notes<'_>) -> Map<&'n str, Vec<List<'n>>> {
    let mut lists: Map<&str, Vec<List<'_>>> = Map::default();
    for noted in notes.files() {
        if !matches!(noted.sort, Some(Sort::DpkgList | Sort::DpkgSums)) {
            continue;
        }
        let own = lists.entry(owner::package_of_list(noted.path)).or_default();
        own.extend(noted.versions.iter().filter_map(|(layer, record)| {
            let Record::Files(files) = record else {
                return None;
            };
            Some(List {
                path: noted.path,
                layer: *layer,
                files,
            })
        }));
    }
    lists
}

fn is_setting(path: &str) -> bool {
    path.starts_with("etc/") || path.starts_with("var/")
}

/// Whether a package works by a file. Builders leave out of a layer what an upgrade wrote just as it
/// was, most of all documentation.
pub(super) fn is_working(path: &str) -> bool {
    let is_record = path.contains(".dist-info/") || path.contains(".egg-info");
    let is_made = path.contains("/__pycache__/");
    !path.starts_with("usr/share/doc/") && !is_record && !is_made && !is_setting(path)
}
