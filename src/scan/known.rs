//! What our own reading of an image adds to what a scanner says of it.

use std::collections::BTreeSet;

use super::Scanner;
use crate::finding::Ecosystem;
use crate::finding::Lack;
use crate::finding::NO_LAYER;
use crate::finding::Scan;
use crate::finding::Uncovered;
use crate::finding::fold;
use crate::finding::matching;
use crate::finding::matching::sort;
use crate::image::package::Inventory;
use crate::image::package::Package;
use crate::image::package::PackageKind;

/// What is known of an image that a scanner is given.
#[derive(Debug, Clone)]
pub struct Image<'a> {
    /// The digests of its uncompressed layers, bottom first.
    pub layers: Vec<String>,
    /// Its packages, as we read them.
    pub inventory: &'a Inventory,
}

impl Image<'_> {
    /// The layer with this digest.
    pub(super) fn layer(&self, digest: &str) -> Option<usize> {
        self.layers.iter().position(|layer| layer == digest)
    }

    /// The ecosystems of its packages.
    pub(super) fn ecosystems(&self) -> BTreeSet<Ecosystem> {
        matching::ecosystems(self.inventory)
    }

    /// The packages of its distribution, for a scanner that leaves all of them out; `None` where it
    /// has none.
    pub(super) fn left_out(&self) -> Option<Uncovered> {
        let packages = self.inventory.packages.iter();
        let names: BTreeSet<&str> = packages
            .filter(|package| matches!(package.kind, PackageKind::Deb | PackageKind::Apk))
            .map(|package| package.name.as_str())
            .collect();
        let distribution = self.inventory.distribution.as_ref();
        let title = distribution.map(|distribution| distribution.title.clone());
        Some(Uncovered {
            first: (*names.first()?).to_owned(),
            packages: names.len(),
            ecosystem: title
                .filter(|title| !title.is_empty())
                .unwrap_or_else(|| String::from("a distribution that is not named")),
            why: Lack::Release,
        })
    }

    /// Adds to a scanner's result what it does not tell, and brings it into the form of our own.
    pub(super) fn complete(&self, scanner: Scanner, scan: &mut Scan) {
        if scan.counted_here {
            scan.packages = self.inventory.packages.len();
        }
        for finding in &mut scan.findings {
            self.place(&mut finding.package);
        }
        // The worst comes first, so that it is the one that others are added to.
        sort(&mut scan.findings);
        scan.findings = fold::by_source(std::mem::take(&mut scan.findings));
        if !scanner.compares_runtimes() {
            scan.runtimes = matching::uncompared(self.inventory);
        }
        // What cannot be seen does not depend on who looks.
        scan.gaps.clone_from(&self.inventory.gaps);
    }

    /// Gives a package the layer and the source that our own reading knows, where the scanner does
    /// not tell them.
    fn place(&self, package: &mut Package) {
        let known = self.inventory.packages.iter().find(|one| {
            one.kind == package.kind
                && one.name.eq_ignore_ascii_case(&package.name)
                && one.version == package.version
        });
        let Some(known) = known else {
            return;
        };
        if package.layer == NO_LAYER {
            package.layer = known.layer;
        }
        if package.source.is_none() {
            package.source.clone_from(&known.source);
        }
    }
}
