//! What each layer adds, changes and removes, as a reader of the image sees it.

use std::borrow::Cow;
use std::collections::BTreeMap;

use serde::Serialize;

use super::Contents;
use super::Entry;
use super::EntryKind;
use super::dead::Dead;
use super::dead::How;
use super::dead::Ledger;
use super::merge::Event;
use super::merge::Merge;
use crate::units::Bytes;

/// What a layer does to a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Change {
    /// It was not there below.
    Added,
    /// It takes the place of what was there below.
    Changed,
    /// It is not there any more.
    Removed,
}

/// A path that a layer adds, changes or removes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Touched<'a> {
    /// The path, without a leading slash; the entry's own, but where links led it elsewhere.
    pub path: Cow<'a, str>,
    /// What the layer does to it.
    pub change: Change,
    /// What is there now; what was there, where it is removed. A hard link is itself.
    pub entry: &'a Entry,
    /// Where its bytes are dead: the layer that hides them (of which an image has a thousand at
    /// most), and how.
    pub dead: Option<(u16, How)>,
}

impl Touched<'_> {
    /// The bytes that the layer ships for it; for something removed, those that were shipped below.
    #[must_use]
    pub const fn bytes(&self) -> Bytes {
        match self.entry.kind {
            EntryKind::File => self.entry.size,
            EntryKind::Directory
            | EntryKind::Symlink(_)
            | EntryKind::Hardlink(_)
            | EntryKind::Whiteout
            | EntryKind::Opaque
            | EntryKind::Other => Bytes(0),
        }
    }
}

/// What each layer does, bottom first, sorted by path.
#[must_use]
pub fn changes<'a>(contents: &'a Contents, ledger: &Ledger) -> Vec<Vec<Touched<'a>>> {
    type Doing<'a> = BTreeMap<Cow<'a, str>, (Change, &'a Entry)>;
    let mut layers: Vec<Doing<'a>> = contents.layers.iter().map(|_| BTreeMap::new()).collect();
    Merge::replay(&contents.layers, |merge, event| {
        let (spot, place, by, came, before) = match event {
            Event::Came {
                spot,
                place,
                before,
            } => (spot, place, place, true, before),
            Event::Went {
                spot, place, by, ..
            } => (spot, place, by, false, None),
        };
        // A name that has a new owner was changed, not removed.
        let taken = !came && merge.place(spot) == Some(by);
        let (Some(doing), Some(entry), false) =
            (layers.get_mut(by.layer), merge.entry(place), taken)
        else {
            return;
        };
        let path = if merge.is_path_of(spot, &entry.path) {
            Cow::Borrowed(entry.path.as_str())
        } else {
            Cow::Owned(merge.path(spot))
        };
        let below = before.is_some_and(|before| before.layer < by.layer);
        let removed = doing
            .get(&path)
            .is_some_and(|(change, _)| *change != Change::Added);
        let change = match came {
            false if place.layer == by.layer => {
                doing.remove(&path);
                return;
            }
            false => Change::Removed,
            true if below || removed => Change::Changed,
            true => Change::Added,
        };
        doing.insert(path, (change, entry));
    });
    let hidden = Hidden::of(ledger);
    let touched =
        |layer: usize, (path, (change, entry)): (Cow<'a, str>, (Change, &'a Entry))| Touched {
            dead: match change {
                Change::Removed => None,
                Change::Added | Change::Changed => hidden.at(layer, &path),
            },
            path,
            change,
            entry,
        };
    layers
        .into_iter()
        .enumerate()
        .map(|(layer, doing)| doing.into_iter().map(|one| touched(layer, one)).collect())
        .collect()
}

/// The dead files by layer and path: sorted and not as a map, because with a hundred thousand files
/// its nodes are felt in what the program holds.
struct Hidden<'a>(Vec<&'a Dead>);

impl<'a> Hidden<'a> {
    fn of(ledger: &'a Ledger) -> Self {
        let mut dead: Vec<&Dead> = ledger.dead.iter().collect();
        dead.sort_by_key(|file| key(file));
        dead.dedup_by(|a, b| key(a) == key(b));
        Self(dead)
    }

    /// Which layer hides the bytes of a layer's path, and how.
    fn at(&self, layer: usize, path: &str) -> Option<(u16, How)> {
        let Self(dead) = self;
        let found = dead.binary_search_by_key(&(layer, path), |file| key(file));
        let file = dead.get(found.ok()?)?;
        Some((u16::try_from(file.hidden_in).unwrap_or(u16::MAX), file.how))
    }
}

fn key(file: &Dead) -> (usize, &str) {
    (file.shipped_in, &file.path)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::image::fixture::image;

    fn shown(layers: &[&[&str]]) -> Vec<String> {
        let contents = image(layers);
        let ledger = Ledger::of(&contents);
        let show = |touched: &Touched<'_>| {
            let sign = match touched.change {
                Change::Added => '+',
                Change::Changed => '~',
                Change::Removed => '-',
            };
            let dead = if touched.dead.is_some() { " dead" } else { "" };
            format!("{sign}{}{dead}", touched.path)
        };
        changes(&contents, &ledger)
            .iter()
            .map(|layer| layer.iter().map(show).collect::<Vec<_>>().join(" "))
            .collect()
    }

    #[test]
    fn added_changed_and_removed_are_told_apart() {
        let base: &[&str] = &["a/", "a/x 5", "a/y 6", "b 7"];
        assert_eq!(
            shown(&[base, &["a/", "a/x 9", "-b", "c 1"], &["-a"]]),
            [
                "+a +a/x dead +a/y dead +b dead",
                "~a ~a/x dead -b +c",
                "-a -a/x -a/y"
            ]
        );
    }

    #[test]
    fn a_folder_made_anew_is_changed_and_what_was_in_it_removed() {
        let base: &[&str] = &["a/", "a/x 5", "a/y 6"];
        assert_eq!(
            shown(&[base, &["a/", "!a", "a/x 8"]]),
            ["+a +a/x dead +a/y dead", "~a ~a/x -a/y"]
        );
        assert_eq!(
            shown(&[base, &["a 3"]]),
            ["+a +a/x dead +a/y dead", "~a -a/x -a/y"]
        );
    }
}
