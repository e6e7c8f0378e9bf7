//! Advisories on this machine: the small snapshot that comes with the program, the snapshots that
//! were fetched, and how new ones come.
//!
//! What an advisory means is decided in [`crate::finding`]; here are files and the network. A
//! snapshot is whole or not there: it is made beside the others and becomes current by one rename.

mod archive;
mod error;
mod fetch;
mod import;
pub mod manifest;
mod place;
mod shipped;
mod snapshot;
mod store;
mod update;

use std::sync::Arc;

pub use error::AdvisoriesError;
pub use manifest::Manifest;
pub use place::LOCATION;
pub use place::Place;
pub use shipped::Shipped;
pub use snapshot::Snapshot;
pub use store::Store;
pub use update::Progress;
pub use update::Update;
pub use update::update;

use crate::finding::matching::Advisories;

/// The advisories to use: the snapshot that `pinned` names, or else the current one, or else the
/// shipped one. `shipped` is a name too.
///
/// # Errors
/// When a snapshot that was asked for is not here, or the current one is damaged.
pub fn choose(
    store: Option<&Store>,
    pinned: Option<&str>,
) -> Result<Arc<dyn Advisories>, AdvisoriesError> {
    let shipped = || -> Arc<dyn Advisories> { Shipped::get() };
    match (store, pinned) {
        (_, Some(id)) if Shipped::named(id).is_some() => Ok(shipped()),
        (Some(store), Some(id)) => Ok(Arc::new(store.open(id)?)),
        (None, Some(id)) => Err(AdvisoriesError::NoSuchSnapshot {
            asked: id.to_owned(),
            here: Vec::new(),
        }),
        (Some(store), None) => Ok(match store.current()? {
            Some(snapshot) => Arc::new(snapshot),
            None => shipped(),
        }),
        (None, None) => Ok(shipped()),
    }
}
