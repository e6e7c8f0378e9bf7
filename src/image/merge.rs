//! Replays the layers of an image, bottom first: what comes, what goes, and what made it go.
//!
//! The one place that knows what whiteouts, opaque folders, links to folders and replaced folders
//! mean. [`Tree`](super::tree::Tree) is what is left at the end, the ledger of dead bytes is the
//! way there. Names are borrowed from the layers, and a folder that goes is taken apart once, so
//! that the time is that of reading all paths, whatever the layers are made to do.

use std::collections::BTreeMap;
use std::collections::HashMap;

use super::Entry;
use super::EntryKind;
use super::Layer;
use super::tree::Lost;

/// How many links are followed on the way to one file.
const LINKS: usize = 40;

/// How many parts of paths are followed through links on one way.
const STEPS: usize = 4096;

/// How many parts of paths are followed through links while all layers are replayed. Engines write
/// paths without links; where more is used up, paths are taken as they are written.
const STEPS_IN_ALL: usize = 10_000_000;

/// The root folder's spot.
pub(super) const ROOT: usize = 0;

/// An entry, by its layer and its position there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Place {
    pub(super) layer: usize,
    pub(super) entry: usize,
}

/// Why a name is gone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Way {
    /// A whiteout, of itself or of a folder above it.
    Deleted,
    /// A folder above it hides what was in it below.
    Opaque,
    /// It is of another type now, or a folder above it is.
    Replaced,
    /// A file with other bytes took its place.
    Overwritten,
    /// A file with the same bytes took its place.
    SameBytes,
}

/// Something that an entry does. A name that takes another's place comes before the other goes.
#[derive(Debug, Clone, Copy)]
pub(super) enum Event {
    /// A name is there, of something new.
    Came {
        spot: usize,
        place: Place,
        /// What had this name before.
        before: Option<Place>,
    },
    /// What had this name is not to be found under it any more.
    Went {
        spot: usize,
        place: Place,
        /// The entry that made it go.
        by: Place,
        way: Way,
    },
}

/// Where a path is lost.
enum Astray<'p> {
    /// There is no such name in the folder.
    Missing(usize, &'p str),
    /// Something that is not a folder is used as one.
    NotAFolder(usize),
    /// Its links lead in circles, or on for too long.
    Loop,
}

/// A name in a folder.
#[derive(Debug, Default)]
struct Spot<'a> {
    parent: usize,
    name: &'a str,
    /// What is there; an archive may leave folders out.
    place: Option<Place>,
    children: BTreeMap<&'a str, usize>,
}

/// The file system that the layers replayed so far add up to.
#[derive(Debug)]
pub(super) struct Merge<'a> {
    layers: &'a [Layer],
    /// All spots there ever were; those that are not among their parent's children are gone.
    spots: Vec<Spot<'a>>,
    /// What each hard link is another name of.
    links: HashMap<Place, Place>,
    /// The folder of the entry before: the next one is nearly always in it.
    folder: Option<(&'a str, usize)>,
    /// What the layer at hand brings that can have several names, by path, for links that come
    /// before it.
    ahead: Option<HashMap<&'a str, usize>>,
    steps: usize,
    events: Vec<Event>,
}

impl<'a> Merge<'a> {
    /// Replays all layers.
    pub(super) fn of(layers: &'a [Layer]) -> Self {
        Self::replay(layers, |_, _| {})
    }

    /// Replays all layers before the eyes of `see`.
    pub(super) fn replay(layers: &'a [Layer], mut see: impl FnMut(&Self, Event)) -> Self {
        // With a hundred thousand files, growing by doubling is felt in what the program holds.
        let names = layers
            .iter()
            .map(|layer| layer.entries.len())
            .sum::<usize>();
        let mut spots = Vec::with_capacity(names + 1);
        spots.push(Spot::default());
        let mut merge = Self {
            layers,
            spots,
            links: HashMap::new(),
            folder: None,
            ahead: None,
            steps: STEPS_IN_ALL,
            events: Vec::new(),
        };
        for (index, layer) in layers.iter().enumerate() {
            merge.ahead = None;
            merge.folder = None;
            // A layer's whiteouts concern the layers below, wherever in it they stand.
            for hides in [true, false] {
                for (position, entry) in layer.entries.iter().enumerate() {
                    if matches!(entry.kind, EntryKind::Whiteout | EntryKind::Opaque) != hides {
                        continue;
                    }
                    let place = Place {
                        layer: index,
                        entry: position,
                    };
                    if hides {
                        merge.hide(entry, place);
                    } else {
                        merge.add(entry, place);
                    }
                    let events = std::mem::take(&mut merge.events);
                    for event in &events {
                        see(&merge, *event);
                    }
                    merge.events = events;
                    merge.events.clear();
                }
            }
        }
        merge
    }

    fn hide(&mut self, entry: &'a Entry, by: Place) {
        let mut spot = ROOT;
        for part in parts(&entry.path) {
            spot = self.folder_of(spot, by);
            match self.child(spot, part) {
                Some(next) => spot = next,
                None => return,
            }
        }
        if entry.kind == EntryKind::Opaque {
            spot = self.folder_of(spot, by);
            self.remove_below(spot, by, Way::Opaque);
            self.prune(spot);
        } else if spot != ROOT {
            self.remove_below(spot, by, Way::Deleted);
            self.vacate(spot, by, Way::Deleted);
            self.prune(spot);
        }
    }

    fn add(&mut self, entry: &'a Entry, place: Place) {
        if let EntryKind::Hardlink(target) = &entry.kind
            && let Some(own) = self.linked(target, place)
        {
            self.links.insert(place, own);
        }
        let spot = self.spot(&entry.path, place);
        if spot == ROOT {
            return;
        }
        if entry.kind != EntryKind::Directory {
            self.remove_below(spot, place, Way::Replaced);
        }
        let before = self
            .spots
            .get_mut(spot)
            .and_then(|one| one.place.replace(place));
        let event = Event::Came {
            spot,
            place,
            before,
        };
        self.events.push(event);
        let folders = |before: Place| {
            entry.kind == EntryKind::Directory && self.kind(before) == Some(&EntryKind::Directory)
        };
        if let Some(before) = before
            && !folders(before)
        {
            let way = self.way(before, place);
            self.events.push(Event::Went {
                spot,
                place: before,
                by: place,
                way,
            });
            self.folder = None;
        }
        if matches!(self.kind_at(spot), Some(EntryKind::Symlink(_))) {
            self.folder = None;
        }
    }

    /// What happened to the entry before that another one took the name of.
    fn way(&self, before: Place, after: Place) -> Way {
        let file = |place| self.entry(self.file(place)?);
        match (file(before), file(after)) {
            (Some(old), Some(new)) if old.size == new.size && old.content == new.content => {
                Way::SameBytes
            }
            (Some(_), Some(_)) => Way::Overwritten,
            _ => Way::Replaced,
        }
    }

    /// What a hard link is a name of: what its target is now, else what the same layer brings
    /// later. Engines write a hard link to a symbolic link, too, where two names share it.
    fn linked(&mut self, target: &str, link: Place) -> Option<Place> {
        let mut steps = self.steps;
        let spot = self.existing(target, &mut steps);
        self.steps = steps;
        let now = spot.and_then(|spot| self.own(self.place(spot)?));
        let now = now.filter(|place| self.kind(*place).is_some_and(has_names));
        if now.is_some() {
            return now;
        }
        let layer = self.layers.get(link.layer);
        let entries = layer.map(|layer| layer.entries.as_slice());
        let ahead = self.ahead.get_or_insert_with(|| {
            let entries = entries.unwrap_or_default().iter().enumerate();
            let named = entries.filter(|(_, entry)| has_names(&entry.kind));
            named
                .map(|(position, entry)| (entry.path.as_str(), position))
                .collect()
        });
        let entry = *ahead.get(target)?;
        (entry > link.entry).then_some(Place { entry, ..link })
    }

    /// The spot of an entry, made where it is not there yet.
    fn spot(&mut self, path: &'a str, by: Place) -> usize {
        let (parent, name) = path.rsplit_once('/').unwrap_or(("", path));
        if name.is_empty() {
            return ROOT;
        }
        let folder = match self.folder {
            Some((text, folder)) if text == parent => folder,
            _ => {
                let mut at = ROOT;
                for part in parent.split('/').filter(|part| !part.is_empty()) {
                    let next = self.child_or_new(at, part);
                    at = self.folder_of(next, by);
                }
                self.folder = Some((parent, at));
                at
            }
        };
        self.child_or_new(folder, name)
    }

    /// The folder that a spot is to what lies below it in a layer. Engines unpack a layer by itself:
    /// its own link to a folder is followed, and what the layers below have there and is no folder,
    /// a link to one too, makes way for the folder that there must be.
    fn folder_of(&mut self, spot: usize, by: Place) -> usize {
        let below = self.place(spot).is_some_and(|place| place.layer < by.layer);
        if !below {
            let mut steps = self.steps;
            let folder = self.through(spot, &mut steps);
            self.steps = steps;
            return folder;
        }
        if self.kind_at(spot) != Some(&EntryKind::Directory) {
            self.vacate(spot, by, Way::Replaced);
        }
        spot
    }

    fn child_or_new(&mut self, parent: usize, name: &'a str) -> usize {
        if let Some(spot) = self.child(parent, name) {
            return spot;
        }
        let new = self.spots.len();
        self.spots.push(Spot {
            parent,
            name,
            ..Spot::default()
        });
        if let Some(parent) = self.spots.get_mut(parent) {
            parent.children.insert(name, new);
        }
        new
    }

    /// The spot that an entry's path means, where there is one.
    fn existing(&self, path: &str, steps: &mut usize) -> Option<usize> {
        let mut at = ROOT;
        let mut parts = parts(path).peekable();
        while let Some(part) = parts.next() {
            at = self.child(at, part)?;
            if parts.peek().is_some() {
                at = self.through(at, steps);
            }
        }
        Some(at)
    }

    /// Where a link leads; the spot itself where it is none, or leads nowhere.
    fn through(&self, spot: usize, steps: &mut usize) -> usize {
        let Some(EntryKind::Symlink(target)) = self.kind_at(spot) else {
            return spot;
        };
        let mut own = STEPS.min(*steps);
        let before = own;
        let found = self.follow(self.parent(spot), target, true, &mut own);
        *steps -= before - own;
        found.unwrap_or(spot)
    }

    /// Takes away all that is below a spot.
    fn remove_below(&mut self, spot: usize, by: Place, way: Way) {
        let Some(top) = self.spots.get_mut(spot) else {
            return;
        };
        if top.children.is_empty() {
            return;
        }
        self.folder = None;
        let mut todo: Vec<usize> = std::mem::take(&mut top.children).into_values().collect();
        while let Some(spot) = todo.pop() {
            self.vacate(spot, by, way);
            if let Some(gone) = self.spots.get_mut(spot) {
                todo.extend(std::mem::take(&mut gone.children).into_values());
            }
        }
    }

    fn vacate(&mut self, spot: usize, by: Place, way: Way) {
        let place = self.spots.get_mut(spot).and_then(|one| one.place.take());
        self.events.extend(place.map(|place| Event::Went {
            spot,
            place,
            by,
            way,
        }));
    }

    /// Takes a spot out of its folder where nothing is left of it, and the folder likewise.
    fn prune(&mut self, mut spot: usize) {
        self.folder = None;
        while spot != ROOT {
            let Some(one) = self.spots.get(spot) else {
                return;
            };
            if one.place.is_some() || !one.children.is_empty() {
                return;
            }
            let (parent, name) = (one.parent, one.name);
            if let Some(parent) = self.spots.get_mut(parent) {
                parent.children.remove(name);
            }
            spot = parent;
        }
    }

    /// Follows a path as a system does that opens it; of a link at its end, the link itself where
    /// `last` is false.
    pub(super) fn walk(&self, path: &str, last: bool) -> Result<usize, Lost> {
        let mut steps = STEPS;
        self.follow(ROOT, path, last, &mut steps)
            .map_err(|astray| match astray {
                Astray::Missing(folder, part) => {
                    let missing = format!("{}/{part}", self.path(folder));
                    Lost::Missing(missing.trim_start_matches('/').to_owned())
                }
                Astray::NotAFolder(spot) => Lost::NotAFolder(self.path(spot)),
                Astray::Loop => Lost::Loop,
            })
    }

    /// The folders that are searched on the way to what a path leads to, as far as it leads, each
    /// once.
    pub(super) fn folders_to(&self, path: &str) -> Vec<usize> {
        let mut way = Vec::new();
        let note = |folder: usize| {
            if !way.contains(&folder) {
                way.push(folder);
            }
        };
        let _ = self.follow_noting(ROOT, path, true, &mut { STEPS }, note);
        way
    }

    /// Follows a path from a folder; takes a step for each part of it and of the links on its way.
    fn follow<'p>(
        &'p self,
        at: usize,
        path: &'p str,
        last: bool,
        steps: &mut usize,
    ) -> Result<usize, Astray<'p>> {
        self.follow_noting(at, path, last, steps, |_| {})
    }

    /// Follows a path, and tells each folder that is searched.
    fn follow_noting<'p>(
        &'p self,
        mut at: usize,
        path: &'p str,
        last: bool,
        steps: &mut usize,
        mut searched: impl FnMut(usize),
    ) -> Result<usize, Astray<'p>> {
        let mut todo: Vec<&str> = Vec::new();
        let mut add = |todo: &mut Vec<&'p str>, path: &'p str| {
            let before = todo.len();
            todo.extend(parts(path).rev());
            *steps = steps.checked_sub(todo.len() - before)?;
            Some(path.starts_with('/'))
        };
        if add(&mut todo, path).ok_or(Astray::Loop)? {
            at = ROOT;
        }
        let mut links = 0;
        while let Some(part) = todo.pop() {
            searched(at);
            if part == ".." {
                at = self.parent(at);
                continue;
            }
            let Some(next) = self.child(at, part) else {
                return Err(Astray::Missing(at, part));
            };
            match self.kind_at(next) {
                Some(EntryKind::Symlink(target)) if !todo.is_empty() || last => {
                    links += 1;
                    if links > LINKS {
                        return Err(Astray::Loop);
                    }
                    if add(&mut todo, target).ok_or(Astray::Loop)? {
                        at = ROOT;
                    }
                }
                None | Some(EntryKind::Directory | EntryKind::Symlink(_)) => at = next,
                Some(_) if todo.is_empty() => at = next,
                Some(_) => return Err(Astray::NotAFolder(next)),
            }
        }
        Ok(at)
    }

    /// What the entry at this path of a layer is now, links on its way followed.
    pub(super) fn now_at(&self, path: &str) -> Option<Place> {
        self.place(self.existing(path, &mut { STEPS })?)
    }

    /// All spots where something is, folders before what is in them, by name.
    pub(super) fn spots(&self) -> impl Iterator<Item = (usize, Place)> {
        let mut todo = vec![ROOT];
        std::iter::from_fn(move || {
            loop {
                let spot = todo.pop()?;
                let one = self.spots.get(spot)?;
                todo.extend(one.children.values().rev());
                if let Some(place) = one.place {
                    return Some((spot, place));
                }
            }
        })
    }

    /// Tells of each spot where something is, folders before what is in them, by name. One text is
    /// used for all paths: most are looked at and forgotten.
    pub(super) fn each_path(&self, mut see: impl FnMut(&str, Place)) {
        let mut path = String::new();
        let mut todo = vec![(ROOT, 0)];
        while let Some((spot, folder)) = todo.pop() {
            let Some(one) = self.spots.get(spot) else {
                continue;
            };
            path.truncate(folder);
            if folder > 0 {
                path.push('/');
            }
            path.push_str(one.name);
            let here = path.len();
            todo.extend(one.children.values().rev().map(|child| (*child, here)));
            if let Some(place) = one.place {
                see(&path, place);
            }
        }
    }

    /// What is at a spot.
    pub(super) fn place(&self, spot: usize) -> Option<Place> {
        self.spots.get(spot)?.place
    }

    /// The entry at a place.
    pub(super) fn entry(&self, place: Place) -> Option<&'a Entry> {
        self.layers.get(place.layer)?.entries.get(place.entry)
    }

    /// What is to be found at a place: of a hard link what it is a name of, of anything else that
    /// itself.
    pub(super) fn own(&self, place: Place) -> Option<Place> {
        match self.kind(place)? {
            EntryKind::Hardlink(_) => self.links.get(&place).copied(),
            _ => Some(place),
        }
    }

    /// The file whose payload is to be found at a place: of a file itself, of a hard link its file,
    /// nothing of anything else.
    pub(super) fn file(&self, place: Place) -> Option<Place> {
        let own = self.own(place)?;
        (self.kind(own)? == &EntryKind::File).then_some(own)
    }

    /// The path of a spot, also of one that is gone.
    pub(super) fn path(&self, mut spot: usize) -> String {
        let mut names = Vec::new();
        while spot != ROOT
            && let Some(one) = self.spots.get(spot)
        {
            names.push(one.name);
            spot = one.parent;
        }
        names.reverse();
        names.join("/")
    }

    /// Whether a spot's path reads like this.
    pub(super) fn is_path_of(&self, mut spot: usize, path: &str) -> bool {
        let mut rest = Some(path);
        while spot != ROOT
            && let Some(one) = self.spots.get(spot)
        {
            rest = rest.and_then(|rest| rest.strip_suffix(one.name));
            spot = one.parent;
            if spot != ROOT {
                rest = rest.and_then(|rest| rest.strip_suffix('/'));
            }
        }
        rest == Some("")
    }

    fn kind(&self, place: Place) -> Option<&'a EntryKind> {
        Some(&self.entry(place)?.kind)
    }

    /// The kind of what is at a spot; a hard link that leads nowhere stays one.
    fn kind_at(&self, spot: usize) -> Option<&'a EntryKind> {
        let place = self.place(spot)?;
        self.kind(self.own(place).unwrap_or(place))
    }

    fn child(&self, parent: usize, name: &str) -> Option<usize> {
        self.spots.get(parent)?.children.get(name).copied()
    }

    fn parent(&self, spot: usize) -> usize {
        self.spots.get(spot).map_or(ROOT, |one| one.parent)
    }
}

/// Whether a hard link can be another name of such a thing.
const fn has_names(kind: &EntryKind) -> bool {
    match kind {
        EntryKind::File | EntryKind::Symlink(_) | EntryKind::Other => true,
        EntryKind::Directory | EntryKind::Hardlink(_) | EntryKind::Whiteout | EntryKind::Opaque => {
            false
        }
    }
}

fn parts(path: &str) -> impl DoubleEndedIterator<Item = &str> {
    path.split('/').filter(|part| !matches!(*part, "" | "."))
}
