//! Builds the starter beside an attempt and compares its packages with the advisories, for goals
//! that ask for fewer findings than it has.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::PoisonError;

use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use super::AttemptEvent;
use super::BaseSupply;
use super::Request;
use super::Submission;
use super::prepare;
use super::problem;
use super::scan;
use crate::engine::BuildRequest;
use crate::engine::Engine;
use crate::finding::Scan;
use crate::goal::Known;
use crate::goal::Missing;
use crate::image::archive::Options;
use crate::image::package::Packages;
use crate::text::Clean;

/// Findings of starters by image and advisories: a starter does not change, and reading a large
/// one takes seconds.
static KNOWN: Mutex<BTreeMap<(String, String), Scan>> = Mutex::new(BTreeMap::new());

/// What is needed.
pub(super) struct Work {
    /// The engine.
    pub(super) engine: Arc<dyn Engine>,
    /// Makes the starter's bases ready.
    pub(super) bases: Arc<dyn BaseSupply>,
    /// The attempt.
    pub(super) request: Request,
    /// The build of the attempt, of which all but the files is the same.
    pub(super) like: BuildRequest,
    /// Who listens.
    pub(super) events: mpsc::Sender<AttemptEvent>,
    /// Stops it.
    pub(super) cancel: CancellationToken,
}

impl Work {
    /// What the advisories say of the starter's packages.
    pub(super) async fn scan(self) -> Known<Scan> {
        let failed = |why: &Clean| {
            Missing::because(format!(
                "The starter, which yours is compared with, could not be built: {why}"
            ))
        };
        let advisories = self.request.advisories.clone()?;
        let doing = Clean::line("building the starter, to compare with it");
        let _ = self.events.send(AttemptEvent::Gathering(doing)).await;
        let request = Request {
            submission: Submission::Files(self.request.exercise.files.clone()),
            ..self.request.clone()
        };
        let dockerfile = prepare::dockerfile(&request)
            .map(Arc::new)
            .map_err(|(_, problem)| failed(&problem.message))?;
        let references = prepare::references(&dockerfile);
        let bases = self
            .bases
            .ensure(&references, self.events.clone(), self.cancel.clone())
            .await
            .map_err(|error| failed(&problem::of_supply(&error, &dockerfile).1.message))?;
        let prepared = prepare::context(&request, &dockerfile, &bases, None)
            .map_err(|(_, problem)| failed(&problem.message))?;
        let tag = format!("{}-starter", self.like.tag);
        let build = BuildRequest {
            context: prepared.archive.path().to_owned(),
            dockerfile: Arc::clone(&dockerfile),
            tag: tag.clone(),
            no_cache: false,
            ..self.like.clone()
        };
        let (sender, mut receiver) = mpsc::channel(64);
        let build = self.engine.build(build, sender, self.cancel.clone());
        let listen = async { while receiver.recv().await.is_some() {} };
        let (built, ()) = tokio::join!(build, listen);
        let scan = match built {
            Ok(built) => {
                let key = (built.image.clone(), advisories.database().id.clone());
                self.read(built.image, key).await
            }
            Err(error) => Err(failed(&problem::of_build(&error, &dockerfile).1.message)),
        };
        let _ = self.engine.remove_image(&tag).await;
        scan
    }

    async fn read(&self, image: String, key: (String, String)) -> Known<Scan> {
        if let Some(scan) = known(&key) {
            return Ok(scan);
        }
        let options = Options {
            probes: vec![Arc::new(Packages)],
            facts: self.request.facts.clone(),
            ..Options::default()
        };
        let engine = Arc::clone(&self.engine);
        let contents = scan::read_image(engine, image, options, self.cancel.clone())
            .await
            .map_err(|error| {
                let why = Clean::line(&error.to_string());
                Missing::because(format!("The starter's image could not be read: {why}."))
            })?;
        let pass = scan::advise(contents, self.request.advisories.clone()).await;
        let scan = pass.scan?;
        let mut all = KNOWN.lock().unwrap_or_else(PoisonError::into_inner);
        all.insert(key, scan.clone());
        Ok(scan)
    }
}

fn known(key: &(String, String)) -> Option<Scan> {
    let all = KNOWN.lock().unwrap_or_else(PoisonError::into_inner);
    all.get(key).cloned()
}
