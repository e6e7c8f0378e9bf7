//! What the advisories say of the starter's packages, for goals that ask for fewer findings than it
//! has.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::PoisonError;

use super::AttemptEvent;
use super::baseline;
use super::scan;
use crate::engine::Builder;
use crate::finding::Scan;
use crate::goal::Known;
use crate::goal::Missing;
use crate::image::archive::Options;
use crate::image::package::Packages;
use crate::text::Clean;

/// Findings of starters by image and advisories: a starter does not change, and reading a large
/// one takes seconds.
static KNOWN: Mutex<BTreeMap<(String, String), Scan>> = Mutex::new(BTreeMap::new());

/// Builds the starter and compares its packages with the advisories.
pub(super) async fn scan(mut work: baseline::Work) -> Known<Scan> {
    let advisories = work.request.advisories.clone()?;
    let doing = Clean::line("building the starter, to compare with it");
    let _ = work.events.send(AttemptEvent::Gathering(doing)).await;
    // Another goal may run the starter meanwhile: each has an image of its own to throw away.
    work.build.tag.push_str("-scanned");
    let built = work.build().await?;
    let key = (built.image.clone(), advisories.database().id.clone());
    let scan = match known(&key) {
        Some(scan) => Ok(scan),
        None => read(&work, built.image, key).await,
    };
    // Other builders than BuildKit keep their cache in the image.
    if built.builder == Builder::Buildkit {
        let _ = work.engine.remove_image(&work.tag()).await;
    }
    scan
}

async fn read(work: &baseline::Work, image: String, key: (String, String)) -> Known<Scan> {
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
    let pass = scan::advise(contents, work.request.advisories.clone()).await;
    let scan = pass.scan?;
    let mut all = KNOWN.lock().unwrap_or_else(PoisonError::into_inner);
    all.insert(key, scan.clone());
    Ok(scan)
}

fn known(key: &(String, String)) -> Option<Scan> {
    let all = KNOWN.lock().unwrap_or_else(PoisonError::into_inner);
    all.get(key).cloned()
}
