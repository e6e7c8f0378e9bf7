//! What the advisories say of the starter's packages, for goals that ask for fewer findings than it
//! has.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::PoisonError;

use super::Work;
use crate::attempt::AttemptEvent;
use crate::attempt::scan;
use crate::finding::Scan;
use crate::goal::Known;
use crate::goal::Missing;
use crate::image::archive::Options;
use crate::image::package::Packages;
use crate::text::Clean;

/// Findings of starters by image and advisories: a starter does not change, and reading a large
/// one takes seconds.
static KNOWN: Mutex<BTreeMap<(String, String), Scan>> = Mutex::new(BTreeMap::new());

impl Work {
    /// Builds the starter and compares its packages with the advisories.
    pub(in crate::attempt) async fn scan(mut self) -> Known<Scan> {
        let advisories = self.request.advisories.clone()?;
        let doing = Clean::line("building the starter, to compare with it");
        let _ = self.events.send(AttemptEvent::Gathering(doing)).await;
        // Another goal may run the starter meanwhile: each has an image of its own to throw away.
        self.build.tag.push_str("-scanned");
        let built = self.build().await?;
        let key = (built.image.clone(), advisories.database().id.clone());
        let scan = match known(&key) {
            Some(scan) => Ok(scan),
            None => read(&self, built.image.clone(), key).await,
        };
        self.discard(&built).await;
        scan
    }
}

async fn read(work: &Work, image: String, key: (String, String)) -> Known<Scan> {
    let options = Options {
        probes: vec![Arc::new(Packages)],
        facts: work.request.facts.clone(),
        ..Options::default()
    };
    let engine = Arc::clone(&work.engine);
    let contents = scan::read_image(engine, image, options, work.cancel.clone())
        .await
        .map_err(|error| {
            let why = Clean::line(&error.to_string());
            Missing::because(format!("The starter's image could not be read: {why}."))
        })?;
    let pass = scan::advise(contents, Ok(()), work.request.advisories.clone()).await;
    let scan = pass.scan?;
    let mut all = KNOWN.lock().unwrap_or_else(PoisonError::into_inner);
    all.insert(key, scan.clone());
    Ok(scan)
}

fn known(key: &(String, String)) -> Option<Scan> {
    let all = KNOWN.lock().unwrap_or_else(PoisonError::into_inner);
    all.get(key).cloned()
}
