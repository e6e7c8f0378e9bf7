//! From an image's packages and advisories to findings.

use std::collections::BTreeMap;
use std::collections::BTreeSet;
use std::fmt;

use thiserror::Error;

use super::Ecosystem;
use super::Finding;
use super::Lack;
use super::Scan;
use super::Severity;
use super::Uncovered;
use super::advisory::Advisory;
use super::advisory::Database;
use super::affects::Answer;
use super::affects::affects;
use super::order::Version;
use crate::image::package::Inventory;
use crate::image::package::Package;
use crate::image::package::PackageKind;
use crate::image::package::Runtime;

/// A set of advisories that can be asked about packages.
pub trait Advisories: fmt::Debug + Send + Sync {
    /// What the set is.
    fn database(&self) -> &Database;

    /// The day of the newest advisory about an ecosystem; `None` where the day of the whole set is
    /// that of each of them.
    fn newest(&self, _ecosystem: Ecosystem) -> Option<&str> {
        None
    }

    /// Everything that it says of a package, whose name is spelled as [`Ecosystem::normal`] does;
    /// `None` where it does not cover the package or the release of the distribution.
    ///
    /// # Errors
    /// When the set cannot be read.
    fn about(
        &self,
        ecosystem: Ecosystem,
        release: Option<&str>,
        package: &str,
    ) -> Result<Option<Vec<Advisory>>, LookupError>;

    /// The names that end so, of the packages that it says anything of; `None` where it covers none
    /// such.
    ///
    /// # Errors
    /// When the set cannot be read.
    fn named(&self, ecosystem: Ecosystem, ending: &str)
    -> Result<Option<Vec<String>>, LookupError>;
}

/// A set of advisories cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("the advisories cannot be read: {0}")]
pub struct LookupError(pub String);

/// Compares the packages of an image with the advisories.
///
/// # Errors
/// When the advisories cannot be read.
pub fn scan(inventory: &Inventory, advisories: &dyn Advisories) -> Result<Scan, LookupError> {
    let database = advisories.database();
    let mut scan = Scan {
        engine: concat!("loadline ", env!("CARGO_PKG_VERSION")).to_owned(),
        database: database.id.clone(),
        database_date: database.date.clone(),
        shipped: database.shipped,
        runtimes: uncompared(inventory),
        gaps: inventory.gaps.clone(),
        ..Scan::default()
    };
    let local = inventory.packages.iter();
    scan.packages = local.filter(|one| is_local(inventory, one)).count();
    let mut uncovered: BTreeMap<(String, Lack), BTreeSet<&str>> = BTreeMap::new();
    let mut asked: BTreeSet<Ecosystem> = BTreeSet::new();
    for (source, packages) in sources(inventory) {
        let known = source.known(&packages, inventory, advisories)?;
        let (ecosystem, release, list) = match known {
            Ok(known) => known,
            Err(lack) => {
                let place = (source.place(inventory), lack);
                let names = uncovered.entry(place).or_default();
                names.extend(packages.iter().map(|package| package.name.as_str()));
                continue;
            }
        };
        asked.insert(ecosystem);
        scan.packages += packages.len();
        source.compare(ecosystem, release.as_deref(), &list, &packages, &mut scan);
    }
    scan.uncovered = uncovered
        .into_iter()
        .map(|((ecosystem, why), names)| Uncovered {
            ecosystem,
            why,
            packages: names.len(),
            first: names
                .first()
                .map(|name| (*name).to_owned())
                .unwrap_or_default(),
        })
        .collect();
    // The day of advisories that nothing was compared with would promise too much.
    let days = asked.iter().filter_map(|one| advisories.newest(*one));
    if let Some(day) = days.min() {
        day.clone_into(&mut scan.database_date);
    }
    sort(&mut scan.findings);
    Ok(scan)
}

/// The ecosystems of an image's packages.
#[must_use]
pub fn ecosystems(inventory: &Inventory) -> BTreeSet<Ecosystem> {
    let sources = sources(inventory);
    sources
        .keys()
        .filter_map(|source| source.ecosystem)
        .collect()
}

/// The language implementations that no package brought and whose version is compared with nothing.
/// That of Go is told by its own programs, with their standard library as a package.
#[must_use]
pub fn uncompared(inventory: &Inventory) -> Vec<Runtime> {
    let is_compared = |runtime: &Runtime| {
        let folder = format!("{}/", runtime.path);
        let mut packages = inventory.packages.iter();
        packages.any(|package| {
            package.kind == PackageKind::Go
                && package.name == "stdlib"
                && package.path.starts_with(&folder)
        })
    };
    let runtimes = inventory.runtimes.iter();
    let uncompared = runtimes.filter(|runtime| runtime.name != "go" || !is_compared(runtime));
    uncompared.cloned().collect()
}

/// Puts findings in the order of lists: the worst first, then by package.
pub fn sort(findings: &mut [Finding]) {
    findings.sort_by(|one, two| {
        two.severity
            .cmp(&one.severity)
            .then_with(|| one.package.name.cmp(&two.package.name))
            .then_with(|| one.id.cmp(&two.id))
    });
}

/// What advisories speak of: one version of a source, or of a package that has none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Source<'a> {
    /// `None` where the distribution has none here, and for what a vendor made.
    ecosystem: Option<Ecosystem>,
    foreign: bool,
    kind: PackageKind,
    name: &'a str,
    version: &'a str,
}

/// The packages of an image by their source, in the order in which advisories are stored.
fn sources(inventory: &Inventory) -> BTreeMap<Source<'_>, Vec<&Package>> {
    let mut sources: BTreeMap<Source<'_>, Vec<&Package>> = BTreeMap::new();
    for package in inventory
        .packages
        .iter()
        .filter(|one| !is_local(inventory, one))
    {
        let foreign = package.kind == PackageKind::Deb && inventory.foreign.contains(&package.name);
        let ecosystem = Ecosystem::of(package.kind, inventory.distribution.as_ref());
        let source = Source {
            ecosystem: ecosystem.filter(|_| !foreign),
            foreign,
            kind: package.kind,
            name: package.advised_name(),
            version: package.advised_version(),
        };
        sources.entry(source).or_default().push(package);
    }
    sources
}

/// Whether a crate was made of sources at hand: no advisory is about it, whatever its name.
fn is_local(inventory: &Inventory, package: &Package) -> bool {
    package.kind == PackageKind::Rust
        && inventory
            .local
            .contains(&(package.path.clone(), package.name.clone()))
}

/// What is said of a source, and where; or why nothing is.
type Known = Result<(Ecosystem, Option<String>, Vec<Advisory>), Lack>;

impl Source<'_> {
    /// What advisories say of it.
    fn known(
        &self,
        packages: &[&Package],
        inventory: &Inventory,
        advisories: &dyn Advisories,
    ) -> Result<Known, LookupError> {
        let (Some(ecosystem), Some(release)) = (self.ecosystem, self.is_placed(inventory)) else {
            return Ok(Err(self.lack(inventory)));
        };
        let name = ecosystem.normal(self.name);
        if self.kind == PackageKind::Java && !name.contains(':') {
            let can_be = |other: &str| packages.iter().any(|one| inventory.can_be(one, other));
            let list = about_artifact(ecosystem, &name, can_be, advisories)?;
            return Ok(list.map(|list| (ecosystem, release, list)));
        }
        let about = advisories.about(ecosystem, release.as_deref(), &name)?;
        let about = about.map(|list| (ecosystem, release, list));
        Ok(about.ok_or_else(|| self.lack(inventory)))
    }

    /// The release of the distribution that its advisories are sorted by; `None` where the image
    /// does not tell it, `Some(None)` where there are no releases.
    #[expect(clippy::option_option, reason = "two different kinds of nothing")]
    fn is_placed(&self, inventory: &Inventory) -> Option<Option<String>> {
        match self.ecosystem {
            Some(ecosystem) if ecosystem.has_releases() => {
                let distribution = inventory.distribution.as_ref()?;
                ecosystem.release_of(distribution).map(Some)
            }
            _ => Some(None),
        }
    }

    /// Where it belongs, for people: `npm`, `Debian 13`, the distribution's own name.
    fn place(&self, inventory: &Inventory) -> String {
        let distribution = inventory.distribution.as_ref();
        match self.ecosystem {
            Some(ecosystem) if !ecosystem.has_releases() => ecosystem.to_string(),
            Some(ecosystem) => {
                let release =
                    distribution.and_then(|distribution| ecosystem.release_of(distribution));
                match release {
                    Some(release) => format!("{ecosystem} {release}"),
                    None => format!("{ecosystem} without a release"),
                }
            }
            None if self.foreign => String::from("a vendor"),
            None if self.kind == PackageKind::Ruby => String::from("RubyGems"),
            None if self.kind == PackageKind::Php => String::from("Packagist"),
            None => distribution
                .map(|distribution| &distribution.title)
                .filter(|title| !title.is_empty())
                .cloned()
                .unwrap_or_else(|| String::from("a distribution that is not named")),
        }
    }

    /// Why advisories that do not cover it do not.
    fn lack(&self, inventory: &Inventory) -> Lack {
        if !Ecosystem::is_read(self.kind) {
            Lack::Ecosystem
        } else if self.ecosystem.is_none() || self.is_placed(inventory).is_none() {
            Lack::Release
        } else {
            Lack::Snapshot
        }
    }

    /// Compares it with all that is said of it.
    fn compare(
        &self,
        ecosystem: Ecosystem,
        release: Option<&str>,
        advisories: &[Advisory],
        packages: &[&Package],
        scan: &mut Scan,
    ) {
        let mut hits = Vec::new();
        let mut unordered = false;
        let mut cleared: BTreeSet<&str> = BTreeSet::new();
        for advisory in advisories {
            let ours = advisory
                .affected
                .iter()
                .filter(|part| part.release.is_none() || part.release.as_deref() == release);
            let (mut asked, mut denied) = (0, 0);
            for part in ours {
                asked += 1;
                match affects(ecosystem, part, self.version) {
                    Answer::Yes { fixed } => hits.push(Hit {
                        advisory,
                        fixed,
                        severity: part.severity.unwrap_or(advisory.severity),
                        unimportant: part.unimportant,
                    }),
                    Answer::No => denied += 1,
                    Answer::Unordered => unordered = true,
                }
            }
            if asked > 0 && asked == denied {
                cleared.extend(own_subject(advisory));
            }
        }
        if unordered {
            scan.unordered
                .push(format!("{} {}", self.name, self.version));
        }
        let only_headers = packages.iter().all(|package| is_kernel_headers(package));
        for merged in merge(ecosystem, &hits, &cleared) {
            if merged.unimportant {
                scan.unimportant += 1;
            } else if only_headers {
                scan.kernel += 1;
            } else {
                scan.findings.extend(merged.finding(packages));
            }
        }
    }
}

/// What is said of a Java archive that does not say its Maven group: all that is about artifacts of
/// its name that can be it. Where there are others only, nothing can be told.
fn about_artifact(
    ecosystem: Ecosystem,
    artifact: &str,
    can_be: impl Fn(&str) -> bool,
    advisories: &dyn Advisories,
) -> Result<Result<Vec<Advisory>, Lack>, LookupError> {
    let Some(names) = advisories.named(ecosystem, &format!(":{artifact}"))? else {
        return Ok(Err(Lack::Snapshot));
    };
    let mut all = Vec::new();
    let mut fits = names.is_empty();
    for name in names.iter().filter(|name| can_be(name)) {
        fits = true;
        all.extend(advisories.about(ecosystem, None, name)?.unwrap_or_default());
    }
    Ok(if fits { Ok(all) } else { Err(Lack::Group) })
}

/// Whether a package brings the kernel's headers and no kernel.
fn is_kernel_headers(package: &Package) -> bool {
    let of_kernel = package.kind == PackageKind::Deb && package.advised_name() == "linux";
    let of_alpine = package.kind == PackageKind::Apk && package.name == "linux-headers";
    of_kernel && (package.name == "linux-libc-dev" || package.name.starts_with("linux-headers"))
        || of_alpine
}

/// One advisory that holds for the version.
struct Hit<'a> {
    advisory: &'a Advisory,
    fixed: Option<String>,
    severity: Severity,
    unimportant: bool,
}

/// One vulnerability, from all the advisories about it.
#[derive(Debug, Default)]
struct Merged {
    ids: BTreeSet<String>,
    fixed: Option<String>,
    severity: Severity,
    summary: String,
    unimportant: bool,
    /// Whether the distribution's own record of it is among them.
    has_own: bool,
}

/// The vulnerability that a distribution's record is about and nothing else: `CVE-2024-6119` of
/// `DEBIAN-CVE-2024-6119`; `None` for bulletins and for what other databases say.
fn own_subject(advisory: &Advisory) -> Option<&str> {
    let (_, number) = advisory.id.split_once("-CVE-")?;
    let start = advisory.id.len() - number.len() - "CVE-".len();
    advisory.id.get(start..)
}

impl Merged {
    /// The id that people know, and the others.
    fn into_ids(self) -> (String, Vec<String>) {
        let known = ["CVE-", "GHSA-", ""]
            .iter()
            .find_map(|prefix| self.ids.iter().find(|id| id.starts_with(prefix)))
            .cloned()
            .unwrap_or_default();
        let others = self.ids.into_iter().filter(|id| *id != known).collect();
        (known, others)
    }

    fn finding(self, packages: &[&Package]) -> Option<Finding> {
        let (first, also) = packages.split_first()?;
        let (fixed, severity, summary) = (self.fixed.clone(), self.severity, self.summary.clone());
        let (id, aliases) = self.into_ids();
        Some(Finding {
            id,
            aliases,
            package: (*first).clone(),
            also: also.iter().map(|package| (*package).clone()).collect(),
            fixed,
            severity,
            summary,
        })
    }
}

/// Brings the advisories about one vulnerability together: those that share an id.
///
/// A bulletin about several vulnerabilities counts once for each, apart from those that are
/// `cleared`: it has one range for all of them, and the record of each knows better.
fn merge(ecosystem: Ecosystem, hits: &[Hit<'_>], cleared: &BTreeSet<&str>) -> Vec<Merged> {
    let mut groups: Vec<Option<Merged>> = Vec::new();
    let mut group_of: BTreeMap<String, usize> = BTreeMap::new();
    for hit in hits {
        let own = own_subject(hit.advisory);
        let told = ids(hit.advisory).into_iter();
        for ids in told.filter(|ids| own.is_some() || !ids.iter().any(|id| cleared.contains(id))) {
            let known: BTreeSet<usize> = ids
                .iter()
                .filter_map(|id| group_of.get(*id))
                .copied()
                .collect();
            let mut merged = Merged {
                unimportant: true,
                ..Merged::default()
            };
            for at in &known {
                if let Some(other) = groups.get_mut(*at).and_then(Option::take) {
                    merged.take(ecosystem, other);
                }
            }
            merged.take(
                ecosystem,
                Merged {
                    ids: ids.iter().map(|id| (*id).to_owned()).collect(),
                    fixed: hit.fixed.clone(),
                    severity: hit.severity,
                    summary: hit.advisory.summary.clone(),
                    unimportant: hit.unimportant,
                    has_own: own.is_some(),
                },
            );
            for id in &merged.ids {
                group_of.insert(id.clone(), groups.len());
            }
            groups.push(Some(merged));
        }
    }
    groups.into_iter().flatten().collect()
}

/// The ids of the vulnerability that an advisory is about, or of each where there are several.
fn ids(advisory: &Advisory) -> Vec<Vec<&str>> {
    if advisory.bundles.is_empty() {
        let aliases = advisory.aliases.iter().map(String::as_str);
        return vec![aliases.chain([advisory.id.as_str()]).collect()];
    }
    // The bulletin's own id belongs to all of them, so it must not bring them together.
    advisory
        .bundles
        .iter()
        .map(|id| vec![id.as_str()])
        .collect()
}

impl Merged {
    /// Adds what another advisory says of the same vulnerability. Where two name different fixes,
    /// the later one is the safe one.
    fn take(&mut self, ecosystem: Ecosystem, other: Self) {
        self.ids.extend(other.ids);
        self.severity = self.severity.max(other.severity);
        // What the record of the vulnerability itself says of that stands against a bulletin's word.
        self.unimportant = match (self.has_own, other.has_own) {
            (true, false) => self.unimportant,
            (false, true) => other.unimportant,
            _ => self.unimportant && other.unimportant,
        };
        self.has_own |= other.has_own;
        if self.summary.is_empty() {
            self.summary = other.summary;
        }
        let later = match (&self.fixed, &other.fixed) {
            (Some(one), Some(two)) => Version::read(ecosystem, one) < Version::read(ecosystem, two),
            (None, Some(_)) => true,
            _ => false,
        };
        if later {
            self.fixed = other.fixed;
        }
    }
}

#[cfg(test)]
mod tests;
