//! Whether the files of a package came along when its record got other words.
//!
//! An installer writes the files of a package anew together with its record, and most builders ship
//! all that was written; others leave out what came out just as it was. So an upgrade is told by
//! files with other bytes, or by files that the layer of the record ships again, and by how many of
//! them: a single file that was touched, or that got a byte more, makes no upgrade of a package.

use super::PackageKind;
use super::installed::Now;
use super::left::Left;
use super::left::is_working;
use super::record::PathHash;
use super::record::Stated;
use crate::image::ContentHash;
use crate::image::EntryKind;
use crate::image::hashed::Map;
use crate::image::hashed::Set;
use crate::units::Bytes;

/// A package in a record that is not the last word on it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Suspect<'s> {
    /// Where its record is.
    pub(super) path: &'s str,
    /// The layer of that.
    pub(super) layer: usize,
    /// What it says.
    pub(super) package: &'s Stated,
    /// The record that speaks of the package now; `None` where none does.
    pub(super) now: Option<Now<'s>>,
}

impl<'s> Suspect<'s> {
    /// What is asked once, however often records name it: Debian's files are listed by name alone.
    fn key(&self) -> Option<Key<'s>> {
        let now = self.now.map(|now| now.path);
        let is_debian = self.package.kind == PackageKind::Deb;
        is_debian.then_some((&*self.package.name, self.layer, now))
    }
}

type Key<'s> = (&'s str, usize, Option<&'s str>);

/// A file in one layer.
struct Version {
    layer: usize,
    bytes: (Bytes, Option<ContentHash>),
}

/// What became of a file since the record of a layer spoke of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fate {
    /// It is the one of then.
    Kept,
    /// The layer of a newer record has it again, byte for byte.
    Rewritten,
    /// Its bytes are others, or it is new.
    Changed,
}

/// How many files there are of each fate.
#[derive(Debug, Clone, Copy, Default)]
struct Count {
    kept: usize,
    rewritten: usize,
    changed: usize,
}

impl Count {
    const fn add(&mut self, fate: Fate) {
        match fate {
            Fate::Kept => self.kept += 1,
            Fate::Rewritten => self.rewritten += 1,
            Fate::Changed => self.changed += 1,
        }
    }

    const fn is_empty(self) -> bool {
        self.kept + self.rewritten + self.changed == 0
    }

    const fn is_mostly_changed(self) -> bool {
        self.changed >= self.kept + self.rewritten
    }

    const fn is_mostly_renewed(self) -> bool {
        self.changed + self.rewritten >= self.kept
    }
}

/// What became of the files of packages whose records are not the last word.
pub(super) struct Renewed<'l, 's, 't> {
    left: &'l Left<'s, 't>,
    /// The versions of each of their files, bottom first.
    versions: Map<PathHash, Vec<Version>>,
    told: Map<Key<'s>, bool>,
}

impl<'l, 's, 't> Renewed<'l, 's, 't> {
    pub(super) fn of(left: &'l Left<'s, 't>, suspects: &[Suspect<'s>]) -> Self {
        let mut asked = Set::default();
        let mut wanted: Set<PathHash> = Set::default();
        for suspect in suspects {
            if suspect.key().is_none_or(|key| asked.insert(key)) {
                wanted.extend(listed(left, suspect).into_iter().flatten());
            }
        }
        let mut versions: Map<PathHash, Vec<Version>> = Map::default();
        let layers = left.sight.contents.layers.iter();
        for layer in layers.filter(|_| !wanted.is_empty()) {
            for entry in &layer.entries {
                if !matches!(entry.kind, EntryKind::File | EntryKind::Hardlink(_)) {
                    continue;
                }
                let hash = PathHash::of(&entry.path);
                if wanted.contains(&hash) && is_working(&entry.path) {
                    versions.entry(hash).or_default().push(Version {
                        layer: layer.index,
                        bytes: (entry.size, entry.content),
                    });
                }
            }
        }
        Self {
            left,
            versions,
            told: Map::default(),
        }
    }

    /// Whether the files of a package came with what its record says now; also where there is none
    /// of them to tell by.
    pub(super) fn is(&mut self, suspect: &Suspect<'s>) -> bool {
        let Some(key) = suspect.key() else {
            return self.look(suspect);
        };
        if let Some(told) = self.told.get(&key) {
            return *told;
        }
        let renewed = self.look(suspect);
        self.told.insert(key, renewed);
        renewed
    }

    fn look(&self, suspect: &Suspect<'s>) -> bool {
        // Where there is more to look at than is sensible, nothing is taken for an upgrade.
        let Some(listed) = listed(self.left, suspect) else {
            return false;
        };
        let (mut all, mut programs) = (Count::default(), Count::default());
        for file in listed {
            let Some(fate) = self.fate(file, suspect) else {
                continue;
            };
            all.add(fate);
            if self.left.is_program(file) {
                programs.add(fate);
            }
        }
        if all.is_empty() {
            return true;
        }
        let any = all.changed > 0;
        let package = suspect.package;
        let is_foreign = package.foreign || suspect.now.is_some_and(|now| now.package.foreign);
        match package.kind {
            // Programs are made anew for each version, and have its day. What else a package has may
            // be as old as its sources: there a builder may leave out nearly all.
            PackageKind::Deb | PackageKind::Apk => {
                let (judged, loose) = match programs.is_empty() {
                    true => (all, any),
                    false => (programs, any && is_foreign),
                };
                let is_listed = package.kind == PackageKind::Apk
                    || self.left.is_listed_above(suspect.layer, &package.name);
                judged.is_mostly_changed() || is_listed && (judged.is_mostly_renewed() || loose)
            }
            // `pip` and its like give every file the time of now.
            PackageKind::Python => all.is_mostly_renewed(),
            // `npm` gives every file of every version the same time.
            PackageKind::Node
            | PackageKind::Java
            | PackageKind::Go
            | PackageKind::Rust
            | PackageKind::Ruby
            | PackageKind::Php => any || all.is_mostly_renewed(),
        }
    }

    /// What became of a file; `None` where it is not there.
    fn fate(&self, file: PathHash, suspect: &Suspect<'s>) -> Option<Fate> {
        let now = self.left.working(file)?;
        if now.layer <= suspect.layer {
            return Some(Fate::Kept);
        }
        let versions = self.versions.get(&file).map(Vec::as_slice);
        let mut before = versions.unwrap_or_default().iter().rev();
        let Some(then) = before.find(|version| version.layer <= suspect.layer) else {
            return Some(Fate::Changed);
        };
        // What a link is a name of is not known here.
        let is_known = then.bytes.1.is_some() && now.bytes.1.is_some();
        if is_known && then.bytes != now.bytes {
            return Some(Fate::Changed);
        }
        let with_record = suspect.now.is_some_and(|record| {
            let notes = self.left.sight.notes;
            now.layer <= record.layer && notes.at(now.layer, record.path).is_some()
        });
        Some(if with_record {
            Fate::Rewritten
        } else {
            Fate::Kept
        })
    }
}

/// The files that a package has by its record of then and by that of now.
fn listed<'s>(left: &Left<'s, '_>, suspect: &Suspect<'s>) -> Option<Vec<PathHash>> {
    let mut listed = left.listed((suspect.path, suspect.layer), suspect.package)?;
    // Debian's lists and Node's folders are the same for both.
    let now = suspect
        .now
        .filter(|_| matches!(suspect.package.kind, PackageKind::Apk | PackageKind::Python));
    if let Some(now) = now {
        listed.extend(left.listed((now.path, now.layer), now.package)?);
        listed.sort_unstable();
        listed.dedup();
    }
    Some(listed)
}
