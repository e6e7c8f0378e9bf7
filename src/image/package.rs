//! What is installed in an image: the packages that its own records name, and where nothing can be
//! known.
//!
//! A record is only as good as the image that it describes: what hides or contradicts the records
//! is a [`Gap`], so that nobody reads "no finding" where nothing could be seen.

mod apk;
mod assemble;
mod collect;
mod composer;
mod dpkg;
mod elf;
mod fields;
mod first;
mod gap;
mod gem;
mod go;
mod installed;
mod java;
mod left;
pub mod licence;
mod modules;
mod node;
mod node_folder;
mod notes;
mod os_release;
mod owner;
mod python;
mod record;
mod removed;
mod renewed;
mod roots;
mod runtime;
mod rust;
mod zipped;

use std::collections::BTreeMap;
use std::collections::BTreeSet;
use std::fmt;

pub use assemble::inventory;
pub use collect::Packages;
use serde::Deserialize;
use serde::Serialize;

use crate::text::plural;

/// Where a package comes from: the ecosystem whose names and version order it follows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum PackageKind {
    /// A Debian or Ubuntu package (`dpkg`).
    Deb,
    /// An Alpine package.
    Apk,
    /// A Python distribution.
    Python,
    /// A Node package.
    Node,
    /// A Java archive's Maven coordinates, `group:artifact`; the artifact alone where the archive
    /// does not say its group.
    Java,
    /// A Go module, or `stdlib` for the toolchain's own library.
    Go,
    /// A crate, from the list that `cargo auditable` leaves in a binary.
    Rust,
    /// A Ruby gem.
    Ruby,
    /// A PHP package that Composer installed, `vendor/name`.
    Php,
}

impl PackageKind {
    /// Every kind.
    pub const ALL: [Self; 9] = [
        Self::Deb,
        Self::Apk,
        Self::Python,
        Self::Node,
        Self::Java,
        Self::Go,
        Self::Rust,
        Self::Ruby,
        Self::Php,
    ];

    /// The type of a package URL: `deb`, `pypi`, `npm`, `maven`, `golang`, `cargo`, `apk`, `gem`,
    /// `composer`.
    #[must_use]
    pub const fn purl_type(self) -> &'static str {
        match self {
            Self::Deb => "deb",
            Self::Apk => "apk",
            Self::Python => "pypi",
            Self::Node => "npm",
            Self::Java => "maven",
            Self::Go => "golang",
            Self::Rust => "cargo",
            Self::Ruby => "gem",
            Self::Php => "composer",
        }
    }
}

/// One installed package.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Package {
    /// Its ecosystem.
    pub kind: PackageKind,
    /// Its name, as its ecosystem's records have it; Python's as the index compares it, in lower
    /// case with single hyphens.
    pub name: String,
    /// Its version, epoch and revision included.
    pub version: String,
    /// The source package that advisories speak of, where it differs from the package itself
    /// (Debian's `Source:`, Alpine's origin).
    pub source: Option<SourcePackage>,
    /// `amd64`, `x86_64`, …, as its record has it.
    pub architecture: Option<String>,
    /// Its licences, as its record names them; empty where it does not.
    pub licences: Vec<String>,
    /// The layer that brought it, from 0 at the bottom.
    pub layer: usize,
    /// The file that says so: `var/lib/dpkg/status.d/libc6`, `app/server.jar`.
    pub path: String,
}

impl Package {
    /// The name that advisories use: the source's where there is one.
    #[must_use]
    pub fn advised_name(&self) -> &str {
        self.source
            .as_ref()
            .map_or(&self.name, |source| &source.name)
    }

    /// The version that advisories compare: the source's where there is one.
    #[must_use]
    pub fn advised_version(&self) -> &str {
        self.source
            .as_ref()
            .map_or(&self.version, |source| &source.version)
    }
}

/// A source package.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct SourcePackage {
    /// Its name.
    pub name: String,
    /// Its version, without a binary rebuild's suffix.
    pub version: String,
}

/// The distribution that an image says it is.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Distribution {
    /// `ID` of `os-release`: `debian`, `ubuntu`, `alpine`.
    pub id: String,
    /// `VERSION_ID`: `13`, `24.04`, `3.22.1`; empty for a rolling one.
    pub version: String,
    /// `PRETTY_NAME`, for people.
    pub title: String,
}

/// A language's implementation that was put into a folder of its own, without a package: what it is
/// can be told, and no package's advisories speak of it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Runtime {
    /// `python`, `node`, `java`, `go`, `rust`.
    pub name: String,
    /// Its version as it tells it; empty where it does not.
    pub version: String,
    /// The layer that brought it.
    pub layer: usize,
    /// Its folder, or the beginning of its programs' paths.
    pub path: String,
}

impl fmt::Display for Runtime {
    /// `python 3.13.9 in /usr/local`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)?;
        if !self.version.is_empty() {
            write!(f, " {}", self.version)?;
        }
        // Of Python it is the beginning of a program's path that is known.
        let folder = self.path.strip_suffix("bin/python").unwrap_or(&self.path);
        write!(f, " in /{}", folder.trim_end_matches('/'))
    }
}

/// Everything that an image's records say of its packages.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Inventory {
    /// The distribution; `None` where no `os-release` is there.
    pub distribution: Option<Distribution>,
    /// The packages, sorted.
    pub packages: Vec<Package>,
    /// Runtimes that are there without a package.
    #[serde(default)]
    pub runtimes: Vec<Runtime>,
    /// The names of Debian packages that a vendor made: the distribution's advisories do not speak
    /// of them.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub foreign: BTreeSet<String>,
    /// Crates that were made of sources at hand, each with the program that they are in: a crate of
    /// the public registry with the same name is another one.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub local: BTreeSet<(String, String)>,
    /// Whose classes the archives of Java's hold that do not say their Maven group, by the path of
    /// the archive: `org/springframework`.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub makers: BTreeMap<String, BTreeSet<String>>,
    /// Where nothing can be known.
    pub gaps: Vec<Gap>,
}

impl Inventory {
    /// Whether a Java archive that does not say its Maven group can be `group:artifact`: it bears
    /// that name, and one of the makers of its classes is named in the group (`org/apache` in
    /// `org.apache.tomcat.embed`, `okhttp3` in `com.squareup.okhttp3`, `org/h2` in
    /// `com.h2database`), or the group after the artifact, as once was usual
    /// (`commons-io:commons-io`).
    #[must_use]
    pub fn can_be(&self, package: &Package, coordinates: &str) -> bool {
        let Some((group, artifact)) = coordinates.rsplit_once(':') else {
            return false;
        };
        let named = |maker: &String| roots::is_named(maker, group);
        let mut makers = self.makers.get(&package.path).into_iter().flatten();
        package.kind == PackageKind::Java
            && package.name == artifact
            && (group == artifact || makers.any(named))
    }

    /// Where nothing can be known, for a list that stands alone: where no record of any package is
    /// there, that is a gap too.
    #[must_use]
    pub fn unknown(&self) -> Vec<Gap> {
        if self.gaps.is_empty() && self.packages.is_empty() {
            vec![Gap::NoRecords]
        } else {
            self.gaps.clone()
        }
    }
}

/// Something in an image that its records do not describe.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(tag = "gap", rename_all = "snake_case")]
pub enum Gap {
    /// An executable, or an archive of Java's, that no package owns and that does not say what it
    /// was made of.
    OpaqueBinary {
        /// Its path.
        path: String,
        /// The layer that brought it.
        layer: usize,
    },
    /// A layer removes records that a layer below had.
    RecordsRemoved {
        /// The records.
        path: String,
        /// The layer that removes them.
        layer: usize,
    },
    /// A layer writes records anew without packages whose files are still there.
    RecordsRewritten {
        /// The records.
        path: String,
        /// The layer that writes them.
        layer: usize,
        /// The first of the packages.
        package: String,
        /// How many more there are.
        more: usize,
    },
    /// A layer writes another version into a package's record, and leaves its files as they were.
    RecordsChanged {
        /// The records.
        path: String,
        /// The layer that writes them.
        layer: usize,
        /// The first of the packages.
        package: String,
        /// How many more there are.
        more: usize,
    },
    /// A record says another version than the name of its own folder.
    RecordsDisagree {
        /// The record.
        path: String,
        /// The version in it.
        version: String,
        /// The version in the folder's name.
        folder: String,
    },
    /// The image says that it is of another release than its packages are.
    OtherRelease(OtherRelease),
    /// Files of a distribution are there and its records are not.
    RecordsMissing {
        /// The distribution, as far as is known.
        distribution: String,
    },
    /// Records of a kind that is not read (an RPM database).
    RecordsUnread {
        /// The records.
        path: String,
    },
    /// The records cannot be read.
    RecordsBroken {
        /// The records.
        path: String,
        /// Why, as a fragment.
        why: String,
    },
    /// No record of any package is there.
    NoRecords,
}

/// An image that says that it is of another release than its packages are.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct OtherRelease {
    /// The file that says so.
    pub path: String,
    /// The layer that wrote it.
    pub layer: usize,
    /// The release in it: `debian 12`.
    pub release: String,
    /// That of the packages.
    pub packages: String,
}

impl fmt::Display for OtherRelease {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            path,
            release,
            packages,
            ..
        } = self;
        write!(f, "/{path} says {release}, the packages are of {packages}")
    }
}

/// The first of some packages, and how many more there are.
fn with_more(package: &str, more: usize) -> String {
    match more {
        0 => format!("`{package}`"),
        more => format!("`{package}` and {}", plural(more, "more package")),
    }
}

impl fmt::Display for Gap {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::OpaqueBinary { path, .. } => {
                write!(f, "/{path} does not say what it was made of")
            }
            Self::RecordsRemoved { path, .. } => {
                write!(f, "the package records /{path} were removed")
            }
            Self::RecordsRewritten {
                path,
                package,
                more,
                ..
            } => {
                let named = with_more(package, *more);
                write!(
                    f,
                    "the package records /{path} no longer name {named}, whose files are still there"
                )
            }
            Self::RecordsChanged {
                path,
                package,
                more,
                ..
            } => {
                let named = with_more(package, *more);
                let whose = if *more == 0 { "its" } else { "their" };
                write!(
                    f,
                    "the records of {named} in /{path} were changed, {whose} files were not"
                )
            }
            Self::RecordsDisagree {
                path,
                version,
                folder,
            } => {
                write!(
                    f,
                    "the package records /{path} say version {version}, their folder's name says {folder}"
                )
            }
            Self::OtherRelease(other) => other.fmt(f),
            Self::RecordsMissing { distribution } => {
                write!(
                    f,
                    "files of {distribution} are there, the package records are not"
                )
            }
            Self::RecordsUnread { path } => {
                write!(
                    f,
                    "the package records /{path} are of a kind that is not read"
                )
            }
            Self::RecordsBroken { path, why } => {
                write!(f, "the package records /{path} cannot be read: {why}")
            }
            Self::NoRecords => f.write_str("no record of any package is there"),
        }
    }
}

#[cfg(test)]
mod tests;
