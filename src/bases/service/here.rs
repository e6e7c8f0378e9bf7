//! What the engine holds already.

use std::collections::BTreeMap;
use std::collections::BTreeSet;

use super::Ready;
use super::Service;
use super::State;
use crate::bases::error::BaseError;
use crate::bases::host;
use crate::bases::reference::Reference;
use crate::bases::resolve::deciding;
use crate::engine::EngineError;
use crate::engine::ImageEntry;

impl Service {
    /// The images of the engine that say what these references use.
    pub(super) async fn deciding(
        &self,
        references: &[String],
    ) -> Result<Vec<ImageEntry>, EngineError> {
        let names = references
            .iter()
            .flat_map(|reference| deciding(&self.catalogue, reference));
        let names: BTreeSet<String> = names.collect();
        self.engine.named(&Vec::from_iter(names)).await
    }

    /// What is there and up to date of these references, by one look at the engine.
    ///
    /// # Errors
    /// When the engine does not answer.
    pub async fn here(
        &self,
        references: &[String],
    ) -> Result<BTreeMap<String, Ready>, EngineError> {
        let tagged: Vec<&String> = references.iter().filter(|one| !has_digest(one)).collect();
        if tagged.is_empty() {
            return Ok(BTreeMap::new());
        }
        let images = self.deciding(references).await?;
        let authorities = host::authorities().trusted;
        let here = tagged.into_iter().filter_map(|reference| {
            let (ready, outdated) = self.among(reference, &images, &authorities);
            let ready = ready.filter(|_| !outdated)?;
            Some((reference.clone(), ready))
        });
        Ok(here.collect())
    }

    /// What is there for `reference`, and whether it is outdated.
    pub(super) async fn present(
        &self,
        reference: &str,
    ) -> Result<(Option<Ready>, bool), BaseError> {
        if has_digest(reference) {
            // No tag names digests; the engine knows them.
            let found = self.engine.inspect(reference).await?;
            let ready = found.map(|_| Ready {
                reference: reference.to_owned(),
                local: reference.to_owned(),
                stand_in: false,
            });
            return Ok((ready, false));
        }
        let named = [reference.to_owned()];
        let images = self.deciding(&named).await?;
        Ok(self.among(reference, &images, &host::authorities().trusted))
    }

    /// What is among `images` for `reference`, and whether it is outdated.
    fn among(
        &self,
        reference: &str,
        images: &[ImageEntry],
        authorities: &[(String, Vec<u8>)],
    ) -> (Option<Ready>, bool) {
        let ready = |local: String, stand_in| Ready {
            reference: reference.to_owned(),
            local,
            stand_in,
        };
        match self.state(reference, images, authorities, false) {
            State::Vendor { local } => (Some(ready(local, false)), false),
            State::StandIn { local, outdated } => (Some(ready(local, true)), outdated),
            State::Missing { .. } => (None, false),
        }
    }
}

/// Whether it names an image by what it is, and not by a tag.
fn has_digest(reference: &str) -> bool {
    Reference::parse(reference).digest.is_some()
}
