//! Writing the layers of a base into an archive, in a thread that may block.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::BufWriter;
use std::io::Seek;
use std::io::Write;
use std::path::PathBuf;

use tokio_util::sync::CancellationToken;

use super::scratch_in;
use crate::bases::apt::Package;
use crate::bases::archive::Archive;
use crate::bases::archive::ImageConfig;
use crate::bases::archive::LayerName;
use crate::bases::catalogue::Base;
use crate::bases::catalogue::Generator;
use crate::bases::catalogue::Python;
use crate::bases::deb::Deb;
use crate::bases::distroless;
use crate::bases::distroless::Finished;
use crate::bases::fat;
use crate::bases::fat::Foundation;
use crate::bases::fat::System;
use crate::bases::generate;
use crate::bases::layer::Layer;
use crate::bases::layer::Sealed;
use crate::bases::loader_cache::Libraries;
use crate::bases::progress::Phase;
use crate::bases::progress::Reporter;
use crate::bases::python::Relocation;
use crate::bases::unpack;
use crate::bases::unpack::UnpackError;
use crate::units::Bytes;

/// The package with the certificate authorities.
pub(super) const CERTIFICATES: &str = "ca-certificates";
/// The package with a busybox that needs nothing else.
pub(super) const BUSYBOX: &str = "busybox-static";

/// A base that nothing needs to configure, with the bases below it.
pub(super) struct Plain {
    pub(super) lineage: Vec<Base>,
    /// Per base: its tags and their configs.
    pub(super) images: Vec<Vec<(String, ImageConfig)>>,
    pub(super) packages: Vec<Package>,
    pub(super) report: Reporter,
    pub(super) cancel: CancellationToken,
}

/// What a package becomes.
enum Part {
    Layer(Finished),
    /// Generators take files out of it.
    Source(Deb),
}

impl Plain {
    /// Writes every layer once and every image.
    pub(super) fn write<W: Write>(&self, archive: &mut Archive<W>) -> Result<(), UnpackError> {
        let mut layers = BTreeMap::new();
        let mut sources = BTreeMap::new();
        let mut libraries = Libraries::default();
        let total: Bytes = self.packages.iter().map(|one| one.size).sum();
        let mut done = Bytes(0);
        let work = |package: &Package, deb: Deb| {
            if package.name == CERTIFICATES || package.name == BUSYBOX {
                return Ok((Part::Source(deb), Libraries::default()));
            }
            let found = Libraries::of(&deb)?;
            Ok((Part::Layer(distroless::package_layer(&deb)?), found))
        };
        unpack::each(
            &self.packages,
            &self.cancel,
            work,
            |package, (part, found)| {
                done = done.plus(package.size);
                self.report.at(Phase::Unpacking, done, total);
                libraries.extend(found);
                match part {
                    Part::Layer(layer) => {
                        layers.insert(package.name.clone(), archive.layer(layer)?);
                    }
                    Part::Source(deb) => {
                        sources.insert(package.name.clone(), deb);
                    }
                }
                Ok(())
            },
        )?;
        let mut stack = Vec::new();
        for (base, images) in self.lineage.iter().zip(&self.images) {
            stack.extend(
                base.packages
                    .iter()
                    .filter_map(|name| layers.get(name).cloned()),
            );
            for layer in generated(base, &sources, &libraries)? {
                stack.push(archive.layer(layer)?);
            }
            self.images(archive, base, images, &stack, sources.get(BUSYBOX))?;
        }
        Ok(())
    }

    /// Writes the tags of one base over the layers so far.
    fn images<W: Write>(
        &self,
        archive: &mut Archive<W>,
        base: &Base,
        images: &[(String, ImageConfig)],
        stack: &[LayerName],
        busybox: Option<&Deb>,
    ) -> Result<(), UnpackError> {
        for (tag, config) in images {
            let mut stack = stack.to_vec();
            if let Some(busybox) = busybox.filter(|_| distroless::has_shell(base, tag)) {
                let shell = distroless::generated_layer("busybox for debugging", |layer| {
                    generate::debug_shell(layer, busybox)
                })?;
                stack.push(archive.layer(shell)?);
            }
            let reference = crate::bases::reference::Reference::local(&base.name, tag);
            archive.image(&[reference], config, &stack)?;
        }
        Ok(())
    }
}

/// The layers of files that no package holds.
fn generated(
    base: &Base,
    sources: &BTreeMap<String, Deb>,
    libraries: &Libraries,
) -> Result<Vec<Finished>, UnpackError> {
    let missing = |name: &str| std::io::Error::other(format!("the package `{name}` is missing"));
    let source = |name: &str| sources.get(name).ok_or_else(|| missing(name));
    let mut layers = Vec::new();
    for generator in &base.generate {
        layers.push(match generator {
            Generator::Accounts => distroless::generated_layer("users and groups", |layer| {
                generate::accounts(layer, &base.suite)
            }),
            Generator::Certificates => {
                let deb = source(CERTIFICATES)?;
                distroless::generated_layer("certificate authorities", |layer| {
                    generate::certificates(layer, deb)
                })
            }
            Generator::LibraryCache => {
                distroless::generated_layer("cache of the dynamic loader", |layer| {
                    layer.file("etc/ld.so.cache", &libraries.cache(), 0o644)
                })
            }
            Generator::Busybox => {
                let deb = source(BUSYBOX)?;
                distroless::generated_layer("busybox", |layer| generate::busybox(layer, deb))
            }
        }?);
    }
    if !base.links.is_empty() {
        layers.push(distroless::generated_layer("links", |layer| {
            base.links
                .iter()
                .try_for_each(|link| layer.symlink(&link.path, &link.to))
        })?);
    }
    Ok(layers)
}

/// The layers of a full base before its configuration.
pub(super) struct Stack {
    /// Groups of packages, bottom first; no package comes twice.
    pub(super) groups: Vec<(String, Vec<Package>)>,
    /// A Python for `/usr/local`; pip's package comes last.
    pub(super) python: Option<(Python, Vec<Package>)>,
    pub(super) triplet: &'static str,
    pub(super) foundation: Foundation,
    pub(super) folder: PathBuf,
    pub(super) report: Reporter,
    pub(super) cancel: CancellationToken,
}

impl Stack {
    /// Every package, in the order of the layers.
    pub(super) fn packages(&self) -> impl Iterator<Item = &Package> {
        let python = self.python.iter().flat_map(|(_, packages)| packages);
        self.groups
            .iter()
            .flat_map(|(_, packages)| packages)
            .chain(python)
    }

    /// Writes the layers and returns their names.
    pub(super) fn write<W: Write>(
        &self,
        archive: &mut Archive<W>,
    ) -> Result<Vec<LayerName>, UnpackError> {
        let total: Bytes = self.packages().map(|one| one.size).sum();
        let mut done = Bytes(0);
        let mut tell = |package: &Package| {
            done = done.plus(package.size);
            self.report.at(Phase::Unpacking, done, total);
        };
        let mut system = System::new(self.foundation.slim);
        let mut names = Vec::new();
        for (at, (name, packages)) in self.groups.iter().enumerate() {
            let mut layer = Layer::new(BufWriter::new(scratch_in(&self.folder)?));
            if at == 0 {
                fat::foundation(&mut layer, &self.foundation)?;
            }
            unpack::each(
                packages,
                &self.cancel,
                |_, deb| Ok(deb),
                |package, deb| {
                    tell(package);
                    Ok(system.unpack(&mut layer, &deb)?)
                },
            )?;
            system.database(&mut layer)?;
            names.push(archive.layer(rewound(layer, name)?)?);
        }
        if let Some((python, packages)) = &self.python {
            let layer = self.python(python, packages, &mut tell)?;
            names.push(archive.layer(layer)?);
        }
        Ok(names)
    }

    /// The layer of Python.
    fn python(
        &self,
        python: &Python,
        packages: &[Package],
        tell: &mut impl FnMut(&Package),
    ) -> Result<Sealed<File>, UnpackError> {
        let own = format!("libpython{}-minimal", python.version);
        let beside = self
            .groups
            .iter()
            .flat_map(|(_, all)| all)
            .any(|one| one.name == own);
        let relocation = Relocation::new(python, self.triplet, beside);
        let mut layer = Layer::new(BufWriter::new(scratch_in(&self.folder)?));
        unpack::each(
            packages,
            &self.cancel,
            |_, deb| Ok(deb),
            |package, deb| {
                tell(package);
                if package.name == python.pip {
                    Ok(relocation.finish(&mut layer, &deb)?)
                } else {
                    Ok(relocation.unpack(&mut layer, &deb)?)
                }
            },
        )?;
        rewound(layer, &format!("python {}", python.version))
    }
}

/// A finished layer whose archive is read from its start.
fn rewound(layer: Layer<BufWriter<File>>, name: &str) -> Result<Sealed<File>, UnpackError> {
    let sealed = layer.seal(name)?;
    let mut body = sealed
        .body
        .into_inner()
        .map_err(std::io::IntoInnerError::into_error)?;
    body.rewind()?;
    Ok(Sealed {
        digest: sealed.digest,
        size: sealed.size,
        created_by: sealed.created_by,
        body,
    })
}
