//! Which advisories a workshop's attempts and scans use.

use std::sync::Arc;

use crate::advisories;
use crate::advisories::AdvisoriesError;
use crate::advisories::Store;
use crate::finding::matching::Advisories;
use crate::goal::Known;
use crate::goal::Missing;
use crate::learner::Home;
use crate::text::Clean;

/// The snapshots of a learner: beside the records.
#[must_use]
pub fn store(home: &Home) -> Store {
    Store::at(home.state().join("advisories"))
}

/// The advisories to use: those that `pinned` names, or the current ones. Without a home there is
/// no snapshot but the shipped one.
///
/// # Errors
/// When what was asked for is not here, or the current ones are damaged.
pub fn advisories(
    home: Option<&Home>,
    pinned: Option<&str>,
) -> Result<Arc<dyn Advisories>, AdvisoriesError> {
    let store = home.map(store);
    advisories::choose(store.as_ref(), pinned)
}

/// The same as evidence for goals.
///
/// # Errors
/// When the current ones cannot be used; why, for those goals that ask for them.
pub fn known(home: Option<&Home>) -> Known<Arc<dyn Advisories>> {
    advisories(home, None).map_err(|error| {
        Missing::because(format!(
            "There are no advisories to compare with: {}. Try this: {}.",
            Clean::line(&error.to_string()),
            error.hint()
        ))
    })
}
