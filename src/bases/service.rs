//! The base images of one engine: what is there, and getting what is not.

mod here;
mod turn;

use std::collections::BTreeMap;
use std::collections::BTreeSet;
use std::path::Path;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::PoisonError;
use std::time::Duration;

use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;
use turn::Turn;

use crate::bases::build;
use crate::bases::build::RECIPE_LABEL;
use crate::bases::build::Workshop;
use crate::bases::catalogue::Base;
use crate::bases::catalogue::Catalogue;
use crate::bases::error::BaseError;
use crate::bases::host;
use crate::bases::progress::Phase;
use crate::bases::progress::Progress;
use crate::bases::progress::Reporter;
use crate::bases::quota;
use crate::bases::quota::Quota;
use crate::bases::reference::LOCAL;
use crate::bases::reference::Reference;
use crate::bases::refusal::answered;
use crate::bases::refusal::refused;
use crate::bases::resolve::Resolution;
use crate::bases::resolve::resolve;
use crate::engine::Engine;
use crate::engine::EngineError;
use crate::engine::ImageEntry;
use crate::engine::PullProgress;
use crate::text::Clean;
use crate::units::Bytes;

/// How long a registry may take to its first sign of life, where it is one of several sources and
/// where it is the one that was asked for, and later between two.
const FIRST_SIGN: Duration = Duration::from_secs(3);
const PATIENCE: Duration = Duration::from_secs(15);
const NEXT_SIGN: Duration = Duration::from_secs(60);

/// Where base images may come from.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Options {
    /// The mirror of the distribution; the host's own where it is `None`.
    pub mirror: Option<String>,
    /// Whether registries are left alone.
    pub no_registry: bool,
    /// Whether a stand-in that is out of date has to be renewed; otherwise it does where that fails.
    pub renews: bool,
}

/// The base images of one engine.
pub struct Service {
    engine: Arc<dyn Engine>,
    cache: PathBuf,
    options: Options,
    catalogue: Catalogue,
    /// Registries that did not answer in this session.
    silent: Mutex<BTreeSet<String>>,
    /// Held by who makes a base image; hands itself on in the order of asking.
    at_work: tokio::sync::Mutex<()>,
}

/// A base image that is there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ready {
    /// The reference as it was asked for.
    pub reference: String,
    /// The reference to send to the engine; `scratch` stays as it is.
    pub local: String,
    /// Whether it is a stand-in.
    pub stand_in: bool,
}

/// A line of the list of base images.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listed {
    /// The vendor's reference.
    pub reference: String,
    /// Whether it is there, and as what.
    pub state: State,
    /// The engine's size of what is there.
    pub size: Option<Bytes>,
    /// The size of the vendor's image, where the catalogue knows it.
    pub real_size: Option<Bytes>,
    /// What a stand-in of it is, where there can be one.
    pub stand_in: Option<String>,
    /// Who needs it, as the caller named them.
    pub needed_by: Vec<String>,
}

/// Whether a base image is there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum State {
    /// The vendor's image is.
    Vendor {
        /// Its reference on the engine.
        local: String,
    },
    /// A stand-in is.
    StandIn {
        /// Its reference on the engine.
        local: String,
        /// Whether the catalogue or the host's authorities changed since it was built.
        outdated: bool,
    },
    /// Nothing is.
    Missing {
        /// Whether this host can build a stand-in.
        can_build: bool,
    },
}

impl Service {
    /// The base images of `engine`. Downloads, scratch files and the lock live in `cache`.
    ///
    /// # Errors
    /// When the catalogue that the program carries is unsound.
    pub fn new(
        engine: Arc<dyn Engine>,
        cache: PathBuf,
        options: Options,
    ) -> Result<Self, BaseError> {
        Ok(Self {
            engine,
            cache,
            options,
            catalogue: Catalogue::builtin()?,
            silent: Mutex::default(),
            at_work: tokio::sync::Mutex::default(),
        })
    }

    /// What can be built here.
    #[must_use]
    pub const fn catalogue(&self) -> &Catalogue {
        &self.catalogue
    }

    pub(super) fn engine(&self) -> &Arc<dyn Engine> {
        &self.engine
    }

    pub(super) fn cache(&self) -> &Path {
        &self.cache
    }

    /// Every base of the catalogue and every other reference that somebody needs. `needed_by` maps
    /// references, as Dockerfiles write them, to who needs them.
    ///
    /// # Errors
    /// When the engine does not answer.
    pub async fn list(
        &self,
        needed_by: &BTreeMap<String, Vec<String>>,
    ) -> Result<Vec<Listed>, BaseError> {
        let images = self.engine.images(None).await?;
        let can_build = host::has_apt();
        let needs = self.needs(needed_by);
        let known = self
            .catalogue
            .bases
            .iter()
            .flat_map(|base| base.tags.iter().map(|tag| format!("{}:{tag}", base.name)));
        let mut references: Vec<String> = known.collect();
        for reference in needs.keys() {
            if !references.contains(reference) {
                references.push(reference.clone());
            }
        }
        let authorities = host::authorities().trusted;
        Ok(references
            .into_iter()
            .map(|reference| {
                let base = self.base(&reference);
                let state = self.state(&reference, &images, &authorities, can_build);
                Listed {
                    size: size_of(&state, &images),
                    state,
                    real_size: base.map(|base| base.real_size),
                    stand_in: base.map(|base| base.stand_in.clone()),
                    needed_by: needs.get(&reference).cloned().unwrap_or_default(),
                    reference,
                }
            })
            .collect())
    }

    /// The needs by references as the catalogue spells them.
    fn needs(&self, needed_by: &BTreeMap<String, Vec<String>>) -> BTreeMap<String, Vec<String>> {
        let mut needs: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for (reference, who) in needed_by {
            if reference == "scratch" {
                continue;
            }
            let asked = Reference::parse(reference);
            let name = match self.catalogue.find(&asked) {
                Some((base, tag)) => format!("{}:{tag}", base.name),
                None => asked.to_string(),
            };
            let all = needs.entry(name).or_default();
            all.extend(
                who.iter()
                    .filter(|one| !all.contains(one))
                    .cloned()
                    .collect::<Vec<_>>(),
            );
        }
        needs
    }

    fn base(&self, reference: &str) -> Option<&Base> {
        self.catalogue
            .find(&Reference::parse(reference))
            .map(|(base, _)| base)
    }

    /// Whether a base is one that things are built in.
    #[must_use]
    pub fn is_builder(&self, reference: &str) -> bool {
        self.base(reference)
            .is_some_and(|base| base.role == crate::bases::catalogue::Role::Builder)
    }

    fn state(
        &self,
        reference: &str,
        images: &[ImageEntry],
        authorities: &[(String, Vec<u8>)],
        can_build: bool,
    ) -> State {
        let tags = images
            .iter()
            .flat_map(|image| &image.tags)
            .cloned()
            .collect();
        match resolve(&self.catalogue, reference, &tags, false) {
            Resolution::Nothing => State::Vendor {
                local: reference.to_owned(),
            },
            Resolution::Vendor { local } => State::Vendor { local },
            Resolution::StandIn { local } => {
                let made_by = images
                    .iter()
                    .find(|image| image.tags.contains(&local))
                    .and_then(|image| image.labels.get(RECIPE_LABEL));
                let recipe = self
                    .base(reference)
                    .map(|base| build::recipe(&self.catalogue, base, authorities));
                State::StandIn {
                    outdated: made_by != recipe.as_ref(),
                    local,
                }
            }
            Resolution::Missing {
                can_build: known, ..
            } => State::Missing {
                can_build: known && can_build,
            },
        }
    }

    /// What each reference uses on this engine now; nothing is made.
    ///
    /// # Errors
    /// When the engine does not answer.
    pub async fn resolve(
        &self,
        references: &[String],
    ) -> Result<BTreeMap<String, Resolution>, BaseError> {
        let images = self.deciding(references).await?;
        let tags = images.into_iter().flat_map(|image| image.tags).collect();
        Ok(references
            .iter()
            .map(|reference| {
                let registry = self.may_ask(Reference::parse(reference).registry());
                let found = resolve(&self.catalogue, reference, &tags, registry);
                (reference.clone(), found)
            })
            .collect())
    }

    /// References in the order in which they are best prepared: small ones first, so that most
    /// exercises can be opened soon.
    #[must_use]
    pub fn in_order(&self, references: &[String]) -> Vec<String> {
        let mut ordered: Vec<String> = references.to_vec();
        ordered.sort_by_key(|reference| {
            self.base(reference)
                .map_or(Bytes(u64::MAX), |base| base.real_size)
        });
        ordered
    }

    /// Makes sure that a base image is there: as it is, from its registry, or built here.
    ///
    /// Only what `reference` needs is made. A second call while one runs, in this process or
    /// another, waits for the first and finds its result.
    ///
    /// # Errors
    /// When no registry gives it and it cannot be built here, or the work was cancelled. Nothing
    /// half-made gets a reference, and what was downloaded is kept for the next call.
    pub async fn ensure(
        &self,
        reference: &str,
        progress: mpsc::Sender<Progress>,
        cancel: CancellationToken,
    ) -> Result<Ready, BaseError> {
        let report = Reporter::new(reference, progress);
        let put_off = || !self.options.renews && host::has_failed_lately(&self.cache);
        if let (Some(ready), outdated) = self.present(reference).await?
            && (!outdated || put_off())
        {
            return Ok(ready);
        }
        let _held = match self.turn(reference, &report, &cancel).await? {
            Turn::Ours(held) => held,
            Turn::Found(ready) => return Ok(ready),
        };
        let outdated = match self.present(reference).await? {
            (Some(ready), false) => return Ok(ready),
            (outdated, _) => outdated,
        };
        if outdated.is_none() && self.try_registry(reference, &report, &cancel).await? {
            return Ok(Ready {
                reference: reference.to_owned(),
                local: reference.to_owned(),
                stand_in: false,
            });
        }
        match (self.build(reference, &report, &cancel).await, outdated) {
            (Ok(()), _) => host::forget_failure(&self.cache),
            (Err(BaseError::Cancelled), _) => return Err(BaseError::Cancelled),
            (Err(error), Some(_)) if self.options.renews => {
                return Err(BaseError::Kept {
                    reference: reference.to_owned(),
                    cause: Box::new(error),
                });
            }
            // Yesterday's stand-in is better than none, and than a mirror that every attempt waits for.
            (Err(_), Some(outdated)) => {
                host::note_failure(&self.cache);
                return Ok(outdated);
            }
            (Err(error), None) => return Err(error),
        }
        let made = self.present(reference).await?.0;
        made.ok_or_else(|| BaseError::Unknown {
            reference: reference.to_owned(),
        })
    }

    async fn build(
        &self,
        reference: &str,
        report: &Reporter,
        cancel: &CancellationToken,
    ) -> Result<(), BaseError> {
        let base = self.base(reference).ok_or_else(|| BaseError::Unknown {
            reference: reference.to_owned(),
        })?;
        let before = self.stand_ins().await?;
        let authorities = match base.role {
            crate::bases::catalogue::Role::Builder => host::authorities().trusted,
            crate::bases::catalogue::Role::Runtime => Vec::new(),
        };
        let workshop = Workshop {
            engine: &self.engine,
            catalogue: &self.catalogue,
            folder: &self.cache,
            mirror: self.options.mirror.as_deref(),
            authorities: &authorities,
            report,
            cancel,
        };
        workshop.build(base).await?;
        self.forget(&before).await
    }

    /// The stand-ins on the engine and what they are made of: reference and image id.
    pub(super) async fn stand_ins(&self) -> Result<BTreeMap<String, String>, BaseError> {
        let images = self.engine.images(None).await?;
        let tagged = images
            .iter()
            .flat_map(|image| image.tags.iter().map(|tag| (tag, &image.id)));
        Ok(tagged
            .filter(|(tag, _)| is_stand_in(&self.catalogue, tag))
            .map(|(tag, id)| (tag.clone(), id.clone()))
            .collect())
    }

    /// Removes images that lost their reference to newer ones, and have no other. Only those that had
    /// it are looked at: a learner's image inherits the labels of its base and must not be taken for
    /// one.
    pub(super) async fn forget(&self, before: &BTreeMap<String, String>) -> Result<(), BaseError> {
        let images = self.engine.images(None).await?;
        let unnamed = images.iter().filter(|image| image.tags.is_empty());
        for image in unnamed.filter(|image| before.values().any(|id| *id == image.id)) {
            // What something else is built on stays until that is gone.
            let _ = self.engine.remove_image(&image.id).await;
        }
        Ok(())
    }

    /// Removes every stand-in from the engine and returns their references. Downloads are kept.
    ///
    /// # Errors
    /// When the engine does not answer. A stand-in that a container uses stays.
    pub async fn remove_stand_ins(&self) -> Result<Vec<String>, BaseError> {
        let mut removed = Vec::new();
        for reference in self.stand_ins().await?.into_keys() {
            if self.engine.remove_image(&reference).await.is_ok() {
                removed.push(reference);
            }
        }
        Ok(removed)
    }

    /// Brings the vendor's image from its registry, also where it or a stand-in is here already.
    /// What the registry says of its quota is told before.
    ///
    /// # Errors
    /// When the registry does not give it. Nothing is built in its place.
    pub async fn pull(
        &self,
        reference: &str,
        progress: mpsc::Sender<Progress>,
        cancel: CancellationToken,
    ) -> Result<Ready, BaseError> {
        let report = Reporter::new(reference, progress);
        report.begin(Phase::Pulling);
        let quota = tokio::select! {
            quota = self.quota(reference) => quota,
            () = cancel.cancelled() => return Err(BaseError::Cancelled),
        };
        if let Some(quota) = &quota {
            report.quota(quota.clone());
        }
        match self.pulled(reference, &report, PATIENCE, &cancel).await {
            Ok(()) => Ok(Ready {
                reference: reference.to_owned(),
                local: reference.to_owned(),
                stand_in: false,
            }),
            // It is not the user who gave up.
            Err(EngineError::Cancelled) if !cancel.is_cancelled() => Err(EngineError::Registry {
                registry: Reference::parse(reference).registry().to_owned(),
                detail: Clean::line("it gives no sign of life"),
            }
            .into()),
            Err(error) => Err(refused(reference, error, quota)),
        }
    }

    /// What the registry says of its quota. It counts by address: that of a remote engine is not
    /// ours to ask with.
    async fn quota(&self, reference: &str) -> Option<Quota> {
        let here = self.engine.info().address.starts_with("unix:");
        if here {
            quota::ask(reference).await
        } else {
            None
        }
    }

    /// Whether the registry of a reference is worth asking in this session.
    #[must_use]
    pub fn reaches(&self, reference: &str) -> bool {
        self.may_ask(Reference::parse(reference).registry())
    }

    /// Takes note that the registry of a reference did not answer: it is not asked again in this
    /// session.
    pub fn unreachable(&self, reference: &str) {
        let registry = Reference::parse(reference).registry().to_owned();
        let mut silent = self.silent.lock().unwrap_or_else(PoisonError::into_inner);
        silent.insert(registry);
    }

    /// Whether a registry is worth asking in this session.
    fn may_ask(&self, registry: &str) -> bool {
        let silent = self.silent.lock().unwrap_or_else(PoisonError::into_inner);
        !self.options.no_registry && !silent.contains(registry)
    }

    /// Asks the registry; `false` where it does not give the image. One that does not answer is
    /// not asked again in this session.
    async fn try_registry(
        &self,
        reference: &str,
        report: &Reporter,
        cancel: &CancellationToken,
    ) -> Result<bool, BaseError> {
        let registry = Reference::parse(reference).registry().to_owned();
        if !self.may_ask(&registry) {
            return Ok(false);
        }
        report.begin(Phase::Pulling);
        match self.pulled(reference, report, FIRST_SIGN, cancel).await {
            Ok(()) => Ok(true),
            Err(EngineError::Cancelled) if cancel.is_cancelled() => Err(BaseError::Cancelled),
            Err(EngineError::DiskFull(detail)) => Err(EngineError::DiskFull(detail).into()),
            Err(error) => {
                if !answered(&error) {
                    self.unreachable(reference);
                }
                Ok(false)
            }
        }
    }

    /// Pulls with a watch on the registry's signs of life; `patience` is that with the first.
    async fn pulled(
        &self,
        reference: &str,
        report: &Reporter,
        mut patience: Duration,
        cancel: &CancellationToken,
    ) -> Result<(), EngineError> {
        let own = cancel.child_token();
        let (to, mut signs) = mpsc::channel::<PullProgress>(16);
        let mut pull = std::pin::pin!(self.engine.pull(reference, to, own.clone()));
        loop {
            tokio::select! {
                ended = &mut pull => return ended,
                sign = tokio::time::timeout(patience, signs.recv()) => match sign {
                    Ok(Some(sign)) => {
                        patience = NEXT_SIGN;
                        report.at(Phase::Pulling, sign.done, sign.total);
                    }
                    // The pull itself ends next.
                    Ok(None) => return pull.await,
                    Err(_) => {
                        own.cancel();
                        return pull.await;
                    }
                },
            }
        }
    }
}

/// Whether a reference of the engine is a stand-in of the catalogue, or what one is made of. The
/// images of attempts and of helpers live below the same name and are neither.
fn is_stand_in(catalogue: &Catalogue, tag: &str) -> bool {
    let vendor = tag
        .strip_prefix(LOCAL)
        .and_then(|rest| rest.strip_prefix('/'));
    vendor.is_some_and(|vendor| catalogue.find(&Reference::parse(vendor)).is_some())
        || build::is_unpacked(tag)
}

/// The engine's size of what a state names.
fn size_of(state: &State, images: &[ImageEntry]) -> Option<Bytes> {
    let (State::Vendor { local } | State::StandIn { local, .. }) = state else {
        return None;
    };
    images
        .iter()
        .find(|image| image.tags.contains(local))
        .map(|image| image.size)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn images_of_attempts_and_helpers_are_no_stand_ins() {
        let catalogue = Catalogue::builtin().expect("it is sound");
        for ours in [
            "loadline.local/busybox:latest",
            "loadline.local/python:3.13",
            "loadline.local/gcr.io/distroless/static-debian13:nonroot",
            "loadline.local/unpacked:0123456789abcdef",
        ] {
            assert!(is_stand_in(&catalogue, ours), "{ours}");
        }
        for other in [
            "loadline.local/attempt/first-build:0123456789abcdef",
            "loadline.local/helper:1",
            "loadline.local/engines:trixie-3",
            "loadline.localbusybox:latest",
            "busybox:latest",
            "python:3.13",
        ] {
            assert!(!is_stand_in(&catalogue, other), "{other}");
        }
    }
}
