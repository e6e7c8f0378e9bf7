//! Records that a layer removes, or writes anew with less or other words in them, while what they
//! spoke of stays.

use std::cell::OnceCell;
use std::collections::BTreeMap;
use std::collections::BTreeSet;

use super::Gap;
use super::PackageKind;
use super::assemble::is_system;
use super::collect::Sort;
use super::gap::Sight;
use super::installed::Installed;
use super::left::Left;
use super::node_folder;
use super::record::Record;
use super::record::Stated;
use super::renewed::Renewed;
use super::renewed::Suspect;
use crate::image::hashed::Map;
use crate::image::hashed::Set;

/// Records that a layer below had and whose packages' files are still there.
pub(super) struct Removed<'s> {
    pub(super) gaps: Vec<Gap>,
    /// Whether records of the distribution are among them.
    pub(super) system: bool,
    /// The folders of Node packages that are spoken of.
    pub(super) node: Set<&'s str>,
}

/// The names of packages by the record that speaks of them no more, or in other words, and by the
/// layer that wrote it.
type ByRecord<'s> = BTreeMap<(&'s str, usize), BTreeSet<&'s str>>;

impl<'s> Removed<'s> {
    pub(super) fn of(sight: &'s Sight<'_>) -> Self {
        let left = Left::of(sight);
        let mut search = Search {
            sight,
            left: &left,
            installed: OnceCell::new(),
            of_debian: Map::default(),
            lost: BTreeMap::new(),
            suspects: Vec::new(),
        };
        search.look();
        let Search {
            mut lost, suspects, ..
        } = search;
        let mut changed: ByRecord<'s> = BTreeMap::new();
        let asked: Vec<Suspect<'s>> = suspects.iter().map(|(suspect, _)| *suspect).collect();
        let mut renewed = Renewed::of(&left, &asked);
        for (suspect, by) in &suspects {
            if renewed.is(suspect) {
                continue;
            }
            let (of, record) = match suspect.now {
                Some(now) => (&mut changed, (now.path, now.layer)),
                None => (&mut lost, (suspect.path, *by)),
            };
            of.entry(record).or_default().insert(&suspect.package.name);
        }
        let node = lost.keys().filter_map(|(path, _)| folder_of_node(path));
        Self {
            system: lost.keys().any(|(path, _)| is_system(Sort::of(path))),
            node: node.collect(),
            gaps: lost_gaps(sight, &lost)
                .into_iter()
                .chain(changed_gaps(&changed))
                .collect(),
        }
    }
}

/// Whether the files of what a record names are known, so that they can be missed.
const fn is_watched(sort: Option<Sort>) -> bool {
    is_system(sort) || matches!(sort, Some(Sort::PythonMetadata | Sort::Node))
}

fn folder_of_node(path: &str) -> Option<&str> {
    let folder = node_folder::folder_of(path)?;
    (Sort::of(path) == Some(Sort::Node)).then_some(folder)
}

/// What is asked of each package that a record of some layer names.
struct Search<'l, 's, 't> {
    sight: &'s Sight<'t>,
    left: &'l Left<'s, 't>,
    installed: OnceCell<Installed<'s>>,
    /// Debian's files are listed beside its record, by name: asked once, however often the records
    /// of all layers name a package.
    of_debian: Map<&'s str, bool>,
    lost: ByRecord<'s>,
    /// Packages whose files tell whether all is well, each with the layer that took the word.
    suspects: Vec<(Suspect<'s>, usize)>,
}

impl<'s> Search<'_, 's, '_> {
    fn look(&mut self) {
        let sight = self.sight;
        let shown = sight.shown.iter().filter(|one| one.path == one.noted);
        let shown: Map<&str, usize> = shown.map(|one| (one.noted, one.layer)).collect();
        for noted in sight.notes.files().filter(|one| is_watched(one.sort)) {
            for (layer, record) in noted.versions {
                // What the image shows has the last word.
                if shown.get(noted.path) == Some(layer) {
                    continue;
                }
                let Some(packages) = record.packages() else {
                    continue;
                };
                let Some(by) = self.last_word(noted.path, *layer) else {
                    continue;
                };
                // A layer that writes a record anew took only what it no longer names; the rest was
                // lost later, and that layer is to blame.
                let kept = names(sight.notes.at(by, noted.path));
                for package in packages {
                    let suspect = Suspect {
                        path: noted.path,
                        layer: *layer,
                        package,
                        now: None,
                    };
                    let is_kept = kept.contains(package.name.as_str());
                    self.look_at(suspect, is_kept, by);
                }
            }
        }
    }

    fn look_at(&mut self, suspect: Suspect<'s>, is_kept: bool, by: usize) {
        let Suspect {
            path,
            layer,
            package,
            ..
        } = suspect;
        let sight = self.sight;
        let installed = self.installed.get_or_init(|| Installed::of(sight.shown));
        let now = installed.in_other_words(package, path);
        if !is_kept && !installed.names(package, path) && self.is_left((path, layer), package) {
            if package.kind == PackageKind::Node {
                // Another package may have been put into the same folder.
                self.suspects.push((suspect, by));
            } else {
                let names = self.lost.entry((path, by)).or_default();
                names.insert(&package.name);
            }
        }
        // What a package of the distribution brought is that package, whatever its own record says.
        let is_listed = |path: &str| is_system(Sort::of(path)) || !sight.owners.speak_for(path);
        let now = now.filter(|now| now.layer > layer && is_listed(now.path));
        if now.is_some() {
            self.suspects.push((Suspect { now, ..suspect }, by));
        }
    }

    /// The layer that took the word from the record of `layer` at `path`: removed it, or wrote it
    /// anew, readable or not. `None` where it is what the image shows.
    fn last_word(&self, path: &str, layer: usize) -> Option<usize> {
        let Sight {
            notes,
            tree,
            contents,
            ..
        } = self.sight;
        let mut above = layer + 1..contents.layers.len();
        let noted =
            above.find(|index| notes.hides(*index, path) || notes.at(*index, path).is_some());
        // A `package.json` that names nothing is noted nowhere.
        noted.or_else(|| {
            let shown = tree.at(path)?.layer;
            (shown > layer).then_some(shown)
        })
    }

    /// Whether most of the files of a package that nothing names any more are still there.
    fn is_left(&mut self, place: (&'s str, usize), package: &'s Stated) -> bool {
        let left = self.left;
        match package.kind {
            PackageKind::Deb => {
                let asked = self.of_debian.entry(package.name.as_str());
                *asked.or_insert_with(|| left.is_left(place, package))
            }
            _ => left.is_left(place, package),
        }
    }
}

/// A gap for each record that lost packages; Node's, which are one per package, by their place.
fn lost_gaps(sight: &Sight<'_>, lost: &ByRecord<'_>) -> BTreeSet<Gap> {
    let mut records: BTreeMap<(String, usize, bool), Vec<&str>> = BTreeMap::new();
    let mut named: BTreeMap<(String, usize, bool), BTreeSet<&str>> = BTreeMap::new();
    for ((path, layer), names) in lost {
        let is_there = sight.notes.at(*layer, path).is_some() || sight.tree.shows(*layer, path);
        let place = match folder_of_node(path) {
            Some(folder) => format!("{}/*/package.json", node_folder::place_of(folder).0),
            None if is_there => (*path).to_owned(),
            None => folder_of(path),
        };
        let key = (place, *layer, is_there);
        records.entry(key.clone()).or_default().push(path);
        named.entry(key).or_default().extend(names);
    }
    let gaps = records.into_iter().filter_map(|(key, paths)| {
        let names = named.get(&key)?;
        let (place, layer, is_there) = key;
        let path = match paths.as_slice() {
            [path] if place.ends_with("/*/package.json") => (*path).to_owned(),
            _ => place,
        };
        Some(if is_there {
            Gap::RecordsRewritten {
                path,
                layer,
                package: (*names.first()?).to_owned(),
                more: names.len() - 1,
            }
        } else {
            Gap::RecordsRemoved { path, layer }
        })
    });
    gaps.collect()
}

fn changed_gaps(changed: &ByRecord<'_>) -> BTreeSet<Gap> {
    let gaps = changed.iter().filter_map(|((path, layer), names)| {
        Some(Gap::RecordsChanged {
            path: (*path).to_owned(),
            layer: *layer,
            package: (*names.first()?).to_owned(),
            more: names.len() - 1,
        })
    });
    gaps.collect()
}

/// The names of the packages in a record.
fn names(record: Option<&Record>) -> Set<&str> {
    let packages = record.and_then(Record::packages).unwrap_or_default();
    packages.iter().map(|one| one.name.as_str()).collect()
}

/// Distroless images have a record per package: the folder stands for all of them.
fn folder_of(path: &str) -> String {
    match (Sort::of(path), path.rsplit_once('/')) {
        (Some(Sort::DpkgStatus), Some((folder, _))) if folder.ends_with("/status.d") => {
            folder.to_owned()
        }
        _ => path.to_owned(),
    }
}
