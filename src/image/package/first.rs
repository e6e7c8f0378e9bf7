//! Which layer brought a package first.

use super::notes::Notes;
use super::notes::Shown;
use super::record::Stated;
use crate::image::hashed::Map;
use crate::image::hashed::Set;

/// A package within one record: two records that both have it agree on it.
type Key<'n> = (&'n str, &'n str, Option<&'n str>, Option<&'n str>);

fn key(stated: &Stated) -> Key<'_> {
    (
        &stated.name,
        &stated.version,
        stated.architecture.as_deref(),
        stated.inside.as_deref(),
    )
}

/// Finds the layer that brought a package first: a record is written anew whenever anything is
/// installed, so that the layer of the record says little.
pub(super) struct FirstLayers<'n> {
    notes: &'n Notes<'n>,
    keys: Map<(usize, &'n str), Set<Key<'n>>>,
}

impl<'n> FirstLayers<'n> {
    pub(super) fn of(notes: &'n Notes<'_>) -> Self {
        Self {
            notes,
            keys: Map::default(),
        }
    }

    pub(super) fn layer(&mut self, one: &Shown<'n>, stated: &Stated) -> usize {
        let mut first = one.layer;
        for (layer, record) in self.notes.below(one.layer, one.noted) {
            let Some(packages) = record.packages() else {
                break;
            };
            let keys = self
                .keys
                .entry((layer, one.noted))
                .or_insert_with(|| packages.iter().map(key).collect());
            if !keys.contains(&key(stated)) {
                break;
            }
            first = layer;
        }
        first
    }
}
