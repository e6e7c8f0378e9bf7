//! Local builds: packages in, stand-ins on the engine out.
//!
//! Decides nothing about *whether* to build; that is the service's. An image gets its reference
//! only when it is whole: archives name their images last, and a full base is named by the commit
//! of its configured container.

#![expect(
    clippy::disallowed_methods,
    reason = "edge: writes archives in a thread of its own"
)]

mod write;

use std::collections::BTreeMap;
use std::collections::HashSet;
use std::io;
use std::path::Path;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::try_join_all;
use tokio_util::sync::CancellationToken;
use write::Stack;

use crate::bases::apt::Apt;
use crate::bases::apt::Closure;
use crate::bases::apt::Package;
use crate::bases::apt::sources;
use crate::bases::archive::Archive;
use crate::bases::archive::ImageConfig;
use crate::bases::catalogue::Base;
use crate::bases::catalogue::Catalogue;
use crate::bases::catalogue::Generator;
use crate::bases::catalogue::Group;
use crate::bases::catalogue::Mode;
use crate::bases::catalogue::Python;
use crate::bases::catalogue::Role;
use crate::bases::distroless;
use crate::bases::error::BaseError;
use crate::bases::fat;
use crate::bases::fat::Foundation;
use crate::bases::layer::sha256;
use crate::bases::pipe::PipeWriter;
use crate::bases::pipe::pipe;
use crate::bases::progress::Phase;
use crate::bases::progress::Reporter;
use crate::bases::reference::LOCAL;
use crate::bases::reference::Reference;
use crate::bases::unpack::UnpackError;
use crate::engine::ByteStream;
use crate::engine::Engine;
use crate::engine::LABEL;
use crate::engine::Transform;
use crate::units::Bytes;

/// The value of the engine label on base images: cleaning up keeps them unless it is asked.
pub const OWNER: &str = "bases";
/// The label of a stand-in: what it is, as a phrase.
pub const STAND_IN_LABEL: &str = "org.loadline.stand-in";
/// The label with the digest of what a stand-in was made by.
pub const RECIPE_LABEL: &str = "org.loadline.recipe";
/// The label with the digest of the package versions that a stand-in was made from.
pub const PACKAGES_LABEL: &str = "org.loadline.packages";

/// The name of full bases before their configuration, in the folder of stand-ins.
const UNPACKED: &str = "unpacked";

/// Raised when the same catalogue entry is built in another way.
const REVISION: u32 = 3;

/// How long the configuration of a full base may take.
const CONFIGURE_WITHIN: Duration = Duration::from_mins(15);

/// Named closures of packages, bottom first, and a Python with its packages.
type Closures = (Vec<(String, Vec<Package>)>, Option<(Python, Vec<Package>)>);

/// What a build needs besides the base.
pub(super) struct Workshop<'a> {
    pub(super) engine: &'a Arc<dyn Engine>,
    pub(super) catalogue: &'a Catalogue,
    pub(super) folder: &'a Path,
    pub(super) mirror: Option<&'a str>,
    pub(super) authorities: &'a [(String, Vec<u8>)],
    pub(super) report: &'a Reporter,
    pub(super) cancel: &'a CancellationToken,
}

/// The digest of what a base is made by: the catalogue's words, this program's way, and the
/// authorities that a builder trusts. Versions of packages are no part of it.
#[must_use]
pub fn recipe(catalogue: &Catalogue, base: &Base, authorities: &[(String, Vec<u8>)]) -> String {
    let lineage = catalogue.lineage(base);
    let mut text = serde_json::to_string(&lineage).unwrap_or_default();
    text.push_str(&format!("\n{REVISION}\n"));
    if base.role == Role::Builder {
        for (name, pem) in authorities {
            text.push_str(&format!("{name} {}\n", sha256(pem)));
        }
    }
    sha256(text.as_bytes())
}

/// The multi-architecture folder of an architecture, as packages have it.
fn triplet(architecture: &str) -> Option<&'static str> {
    match architecture {
        "amd64" => Some("x86_64-linux-gnu"),
        "arm64" => Some("aarch64-linux-gnu"),
        _ => None,
    }
}

impl Workshop<'_> {
    /// Builds `base` with all its tags.
    pub(super) async fn build(&self, base: &Base) -> Result<(), BaseError> {
        let architecture = self.engine.info().architecture.clone();
        if triplet(&architecture).is_none() {
            return Err(BaseError::Architecture {
                reference: base.reference(),
                architecture,
            });
        }
        self.report.begin(Phase::Resolving);
        let cache = self.folder.join("apt");
        let apt = Apt::open(&cache, &base.suite, &architecture, self.mirror, self.cancel).await?;
        match base.mode {
            Mode::Distroless | Mode::Files => self.plain(base, &apt).await,
            Mode::Fat | Mode::Slim => self.full(base, &apt).await,
        }
    }

    /// Refuses work that the engine has no room for.
    async fn room(&self, base: &Base, needed: Bytes) -> Result<(), BaseError> {
        match self.engine.free_space().await {
            Some(free) if free < needed => Err(BaseError::NoRoom {
                reference: base.reference(),
                needed,
                free,
                place: "the engine keeps its images",
            }),
            _ => Ok(()),
        }
    }

    async fn download(&self, apt: &Apt, packages: &[Package]) -> Result<(), BaseError> {
        let report = |done, total| self.report.at(Phase::Downloading, done, total);
        Ok(apt.download(packages, report, self.cancel).await?)
    }

    fn labels(&self, base: &Base, tag: &str, packages: &[Package]) -> BTreeMap<String, String> {
        let mut versions: Vec<String> = packages
            .iter()
            .map(|one| format!("{}={}", one.name, one.version))
            .collect();
        versions.sort();
        versions.dedup();
        let recipe = recipe(self.catalogue, base, self.authorities);
        BTreeMap::from([
            (LABEL.to_owned(), OWNER.to_owned()),
            (
                STAND_IN_LABEL.to_owned(),
                format!("stand-in for {}:{tag}: {}", base.name, base.stand_in),
            ),
            (RECIPE_LABEL.to_owned(), recipe),
            (
                PACKAGES_LABEL.to_owned(),
                sha256(versions.join("\n").as_bytes()),
            ),
        ])
    }

    /// Builds a base that nothing needs to configure. The bases below it come along: their layers
    /// are in the archive anyway.
    async fn plain(&self, base: &Base, apt: &Apt) -> Result<(), BaseError> {
        let lineage: Vec<Base> = self.catalogue.lineage(base).into_iter().cloned().collect();
        let names: Vec<String> = lineage.iter().flat_map(plain_packages).collect();
        let mut seen = HashSet::new();
        let names: Vec<String> = names
            .into_iter()
            .filter(|name| seen.insert(name.clone()))
            .collect();
        let packages = apt.resolve(&names, Closure::None, self.cancel).await?;
        self.download(apt, &packages).await?;
        self.room(base, Bytes(base.real_size.0 * 2)).await?;
        let architecture = self.engine.info().architecture.clone();
        let mut below = HashSet::new();
        let images = lineage
            .iter()
            .map(|one| {
                // The label of a lower image is the same whether it is built alone or comes along.
                below.extend(plain_packages(one));
                let used = packages
                    .iter()
                    .filter(|package| below.contains(&package.name));
                let used: Vec<Package> = used.cloned().collect();
                let configs = one.tags.iter().map(|tag| {
                    let labels = self.labels(one, tag, &used);
                    let config = distroless::config(one, tag, &architecture, labels);
                    (tag.clone(), config)
                });
                configs.collect()
            })
            .collect();
        let job = write::Plain {
            lineage,
            images,
            packages,
            report: self.report.clone(),
            cancel: self.cancel.clone(),
        };
        self.load(move |archive| job.write(archive)).await
    }

    /// Builds a base that its packages' own scripts configure.
    async fn full(&self, base: &Base, apt: &Apt) -> Result<(), BaseError> {
        let stack = self.stack(base, apt).await?;
        let packages: Vec<Package> = stack.packages().cloned().collect();
        self.download(apt, &packages).await?;
        self.room(base, Bytes(base.real_size.0 * 3)).await?;
        let tag = base.tags.first().map_or("latest", String::as_str);
        let mut config = distroless::config(
            base,
            tag,
            &self.engine.info().architecture,
            self.labels(base, tag, &packages),
        );
        config.env.extend(python_version(&packages, base));
        let unpacked = unpacked(&recipe(self.catalogue, base, self.authorities));
        let loaded = self.load_unpacked(stack, config, unpacked.clone()).await;
        let made = match loaded {
            Ok(()) => self.configure(base, tag, &unpacked).await,
            Err(error) => Err(error),
        };
        // The configured image stands on its layers; the name is not needed any more.
        let _ = self.engine.remove_image(&unpacked).await;
        made
    }

    /// Finds the packages of a full base, group by group.
    async fn stack(&self, base: &Base, apt: &Apt) -> Result<Stack, BaseError> {
        let (closures, python) = self.closures(base, apt).await?;
        let mut seen = HashSet::new();
        let mut groups = Vec::new();
        for (name, closure) in closures {
            let mut fresh: Vec<Package> = closure
                .into_iter()
                .filter(|one| seen.insert(one.name.clone()))
                .collect();
            fresh.sort_by(|a, b| a.name.cmp(&b.name));
            groups.push((name, fresh));
        }
        Ok(Stack {
            groups,
            python,
            triplet: triplet(&self.engine.info().architecture).unwrap_or_default(),
            foundation: Foundation {
                sources: sources(apt.mirrors(), &base.suite, None),
                slim: base.mode == Mode::Slim,
                authorities: self.authorities.to_vec(),
            },
            folder: self.folder.to_path_buf(),
            report: self.report.clone(),
            cancel: self.cancel.clone(),
        })
    }

    /// What each group of a full base's lineage adds up to with the groups below it, and the
    /// packages of its Python. Each answer takes apt seconds, so they are asked for at once.
    async fn closures(&self, base: &Base, apt: &Apt) -> Result<Closures, BaseError> {
        let lineage = self.catalogue.lineage(base);
        let groups: Vec<&Group> = lineage.iter().flat_map(|one| &one.groups).collect();
        let asked: Vec<Vec<String>> = (1..=groups.len())
            .map(|upto| {
                let packages = groups.iter().take(upto).flat_map(|group| &group.packages);
                packages.cloned().collect()
            })
            .collect();
        let closures = asked
            .iter()
            .map(|names| apt.resolve(names, Closure::Whole, self.cancel));
        let python = async {
            let Some(python) = &base.python else {
                return Ok(None);
            };
            let mut names = python.packages.clone();
            names.push(python.pip.clone());
            let packages = apt.resolve(&names, Closure::None, self.cancel).await?;
            Ok(Some((python.clone(), packages)))
        };
        let (closures, python) = tokio::try_join!(try_join_all(closures), python)?;
        let names = groups.iter().map(|group| group.name.clone());
        Ok((names.zip(closures).collect(), python))
    }

    /// Loads a full base as it is before its configuration.
    async fn load_unpacked(
        &self,
        stack: Stack,
        config: ImageConfig,
        reference: String,
    ) -> Result<(), BaseError> {
        self.load(move |archive| {
            let layers = stack.write(archive)?;
            archive.image(&[reference], &config, &layers)?;
            Ok(())
        })
        .await
    }

    /// Runs the packages' scripts and names the result.
    async fn configure(&self, base: &Base, tag: &str, unpacked: &str) -> Result<(), BaseError> {
        self.report.begin(Phase::Configuring);
        let request = Transform {
            image: unpacked.to_owned(),
            command: vec!["/bin/sh".to_owned(), "-c".to_owned(), fat::configure()],
            env: Vec::new(),
            reference: Reference::local(&base.name, tag),
            changes: Vec::new(),
            owner: OWNER.to_owned(),
            within: CONFIGURE_WITHIN,
        };
        self.engine.transform(request, self.cancel.clone()).await?;
        Ok(())
    }

    /// Writes an archive in a thread of its own and loads it while it is written.
    async fn load(
        &self,
        write: impl FnOnce(&mut Archive<PipeWriter>) -> Result<(), UnpackError> + Send + 'static,
    ) -> Result<(), BaseError> {
        let (writer, stream): (PipeWriter, ByteStream) = pipe();
        let report = self.report.clone();
        let writing = tokio::task::spawn_blocking(move || -> Result<(), UnpackError> {
            let mut archive = Archive::new(writer);
            write(&mut archive)?;
            archive.finish()?.finish()?;
            report.begin(Phase::Loading);
            Ok(())
        });
        let loading = async {
            tokio::select! {
                loaded = self.engine.load(stream) => loaded.map_err(BaseError::from),
                () = self.cancel.cancelled() => Err(BaseError::Cancelled),
            }
        };
        let (written, loaded) = tokio::join!(writing, loading);
        let written = written.map_err(|panic| UnpackError::Layer(io::Error::other(panic)))?;
        match (written, loaded) {
            (_, Err(BaseError::Cancelled)) => Err(BaseError::Cancelled),
            // A writer whose reader went away says less than the reader does.
            (Err(UnpackError::Layer(error)), Err(engine))
                if error.kind() == io::ErrorKind::BrokenPipe =>
            {
                Err(engine)
            }
            (Err(error), _) => Err(error.into()),
            (Ok(()), loaded) => loaded,
        }
    }
}

/// The packages of one base that is not configured.
fn plain_packages(base: &Base) -> Vec<String> {
    let mut names = base.packages.clone();
    for generator in &base.generate {
        match generator {
            Generator::Certificates => names.push(write::CERTIFICATES.to_owned()),
            Generator::Busybox => names.push(write::BUSYBOX.to_owned()),
            Generator::Accounts | Generator::LibraryCache => {}
        }
    }
    if base.tags.iter().any(|tag| distroless::has_shell(base, tag)) {
        names.push(write::BUSYBOX.to_owned());
    }
    names
}

/// The vendor's variable with the version of Python.
fn python_version(packages: &[Package], base: &Base) -> Option<String> {
    let python = base.python.as_ref()?;
    let name = format!("python{}-minimal", python.version);
    let package = packages.iter().find(|one| one.name == name)?;
    let version = package.version.split(['-', '+', '~']).next()?;
    Some(format!("PYTHON_VERSION={version}"))
}

/// The name that a full base has until it is configured.
fn unpacked(recipe: &str) -> String {
    let short: String = recipe.chars().take(12).collect();
    Reference::local(UNPACKED, &short)
}

/// Whether a reference is that of a full base that was not configured.
pub(super) fn is_unpacked(reference: &str) -> bool {
    Reference::parse(reference).name == format!("{LOCAL}/{UNPACKED}")
}

/// Where large layers wait for their turn: removed by the system with the last reader.
fn scratch_in(folder: &Path) -> Result<std::fs::File, UnpackError> {
    let folder: PathBuf = folder.join("tmp");
    std::fs::create_dir_all(&folder)?;
    Ok(tempfile::tempfile_in(folder)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn base(reference: &str) -> (Catalogue, Base) {
        let catalogue = Catalogue::builtin().expect("the builtin catalogue is sound");
        let found = catalogue
            .find(&Reference::parse(reference))
            .map(|(base, _)| base.clone());
        (catalogue, found.expect("it is there"))
    }

    #[test]
    fn a_builder_is_rebuilt_when_the_host_trusts_another_authority() {
        let extra = [("a.crt".to_owned(), b"pem".to_vec())];
        let (catalogue, builder) = base("python:3.13-slim");
        assert_ne!(
            recipe(&catalogue, &builder, &[]),
            recipe(&catalogue, &builder, &extra)
        );
        let (catalogue, runtime) = base("gcr.io/distroless/cc-debian13");
        assert_eq!(
            recipe(&catalogue, &runtime, &[]),
            recipe(&catalogue, &runtime, &extra)
        );
    }

    #[test]
    fn a_changed_base_below_changes_the_recipe() {
        let (mut catalogue, top) = base("gcr.io/distroless/cc-debian13");
        let before = recipe(&catalogue, &top, &[]);
        for base in &mut catalogue.bases {
            if base.name.contains("static") {
                base.packages.push("one-more".to_owned());
            }
        }
        assert_ne!(before, recipe(&catalogue, &top, &[]));
    }

    #[test]
    fn an_unconfigured_base_is_told_by_its_name() {
        assert!(is_unpacked(&unpacked("0123456789abcdef")));
        assert!(!is_unpacked("loadline.local/python:3.13"));
        assert!(!is_unpacked("unpacked:0123"));
    }

    #[test]
    fn the_version_of_python_is_the_upstream_part() {
        let (_, python) = base("python:3.13");
        let package = Package {
            name: "python3.13-minimal".to_owned(),
            version: "3.13.5-2+deb13u1".to_owned(),
            architecture: "amd64".to_owned(),
            path: PathBuf::new(),
            size: Bytes(0),
            sha256: String::new(),
        };
        assert_eq!(
            python_version(&[package], &python).as_deref(),
            Some("PYTHON_VERSION=3.13.5")
        );
    }
}
