//! The catalogue: what each base image is made of when it is built from distribution packages.
//!
//! The text lives in `assets/bases/catalogue.yaml`; this module reads it, refuses a catalogue that
//! contradicts itself, and finds the base that a reference names. It knows no versions: those come
//! from the distribution's signed index at the time of building.

use serde::Deserialize;
use serde::Serialize;
use thiserror::Error;

use crate::bases::reference::LOCAL;
use crate::bases::reference::Reference;
use crate::units::Bytes;

/// The catalogue that the program carries.
const BUILTIN: &str = include_str!("../../assets/bases/catalogue.yaml");

/// Every base image that can be built here.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Catalogue {
    /// In the order of the file: what others are built over comes first.
    pub bases: Vec<Base>,
}

/// One base image.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Base {
    /// The vendor's name without a tag: `python`, `gcr.io/distroless/cc-debian13`.
    pub name: String,
    /// The tags that one build makes.
    pub tags: Vec<String>,
    /// Other tags that vendors give to the first of `tags`.
    #[serde(default)]
    pub aliases: Vec<String>,
    /// The base whose packages come first, as `name` or `name:tag`; its layers are shared.
    #[serde(default)]
    pub over: Option<String>,
    /// How it is put together.
    pub mode: Mode,
    /// The distribution's suite.
    pub suite: String,
    /// What it is for.
    pub role: Role,
    /// Packages to install with what they depend on, one layer per group (`fat`, `slim`).
    #[serde(default)]
    pub groups: Vec<Group>,
    /// Packages to unpack as they are, one layer each (`distroless`).
    #[serde(default)]
    pub packages: Vec<String>,
    /// Files that no package holds.
    #[serde(default)]
    pub generate: Vec<Generator>,
    /// Symbolic links to add.
    #[serde(default)]
    pub links: Vec<Link>,
    /// A Python to put under `/usr/local`.
    #[serde(default)]
    pub python: Option<Python>,
    /// The environment of the image.
    pub env: Vec<String>,
    /// The entrypoint; none where it is empty.
    #[serde(default)]
    pub entrypoint: Vec<String>,
    /// The command; none where it is empty.
    #[serde(default)]
    pub cmd: Vec<String>,
    /// The size of the vendor's image.
    #[serde(deserialize_with = "size", serialize_with = "shown_size")]
    pub real_size: Bytes,
    /// What the stand-in is, as a phrase.
    pub stand_in: String,
}

/// How a base is put together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Mode {
    /// One package, one layer; no maintainer script runs and nothing is configured.
    Distroless,
    /// A configured system with a package manager.
    Fat,
    /// The same without manuals, translations and most documentation.
    Slim,
    /// Generated files only.
    Files,
}

/// What a base is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// Commands that need the network run in it: it trusts what the host was told to trust.
    Builder,
    /// Applications are shipped on it: it stays as the vendor's.
    Runtime,
}

/// Packages that make one layer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Group {
    /// What they are, as the image's history shows it.
    pub name: String,
    /// Package names, or patterns as apt has them.
    pub packages: Vec<String>,
}

/// Files that no package holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Generator {
    /// Users, groups, their folders, the name service's order and what the system calls itself.
    Accounts,
    /// The bundle of certificate authorities.
    Certificates,
    /// The dynamic loader's cache of libraries.
    LibraryCache,
    /// A root file system of one busybox and its links.
    Busybox,
}

/// A symbolic link.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Link {
    /// Where it is.
    pub path: String,
    /// What it points to.
    pub to: String,
}

/// A Python to put under `/usr/local`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Python {
    /// `3.13`
    pub version: String,
    /// The distribution's packages that hold it.
    pub packages: Vec<String>,
    /// The package that holds pip's wheel.
    pub pip: String,
}

/// A catalogue that cannot be used.
#[derive(Debug, Error)]
pub enum CatalogueError {
    /// It is not the YAML that it should be.
    #[error("the catalogue of base images cannot be read")]
    Yaml(#[source] serde_yaml::Error),
    /// A base is built over one that is not there, or over itself.
    #[error("`{base}` is built over `{over}`, which does not come before it")]
    UnknownBelow {
        /// The base.
        base: String,
        /// What it names.
        over: String,
    },
    /// Two bases answer to one reference.
    #[error("`{0}` is in the catalogue twice")]
    Twice(String),
    /// A base makes no tag.
    #[error("`{0}` has no tag")]
    NoTag(String),
}

impl Catalogue {
    /// Reads the catalogue that the program carries.
    ///
    /// # Errors
    /// When the program was built with a catalogue that contradicts itself; a test forbids it.
    pub fn builtin() -> Result<Self, CatalogueError> {
        Self::parse(BUILTIN)
    }

    /// Reads a catalogue.
    ///
    /// # Errors
    /// When it is not YAML of the right shape or contradicts itself.
    pub fn parse(text: &str) -> Result<Self, CatalogueError> {
        let catalogue: Self = serde_yaml::from_str(text).map_err(CatalogueError::Yaml)?;
        let mut seen = Vec::new();
        for (at, base) in catalogue.bases.iter().enumerate() {
            if base.tags.is_empty() {
                return Err(CatalogueError::NoTag(base.name.clone()));
            }
            for reference in base.references() {
                if seen.contains(&reference) {
                    return Err(CatalogueError::Twice(reference));
                }
                seen.push(reference);
            }
            if let Some(over) = &base.over {
                let below = catalogue.find(&Reference::parse(over));
                let before = catalogue.bases.iter().take(at);
                if !before
                    .into_iter()
                    .any(|one| Some(one) == below.map(|b| b.0))
                {
                    return Err(CatalogueError::UnknownBelow {
                        base: base.name.clone(),
                        over: over.clone(),
                    });
                }
            }
        }
        Ok(catalogue)
    }

    /// Finds the base that `reference` names, and its tag as the catalogue spells it.
    ///
    /// A stand-in answers to its own name as well. A reference pinned by a digest names the vendor's very bytes: no base answers to it.
    #[must_use]
    pub fn find(&self, reference: &Reference) -> Option<(&Base, &str)> {
        if reference.digest.is_some() {
            return None;
        }
        let of_stand_in = reference.name.strip_prefix(LOCAL);
        let name = of_stand_in.and_then(|name| name.strip_prefix('/'));
        let name = name.unwrap_or(&reference.name);
        self.bases
            .iter()
            .filter(|base| base.name == name)
            .find_map(|base| Some((base, base.tag(&reference.tag)?)))
    }

    /// The bases that `base` is built over, bottom first, with `base` itself last.
    #[must_use]
    pub fn lineage<'a>(&'a self, base: &'a Base) -> Vec<&'a Base> {
        let mut lineage = vec![base];
        let mut top = base;
        while let Some((below, _)) = top
            .over
            .as_deref()
            .and_then(|over| self.find(&Reference::parse(over)))
        {
            lineage.push(below);
            top = below;
        }
        lineage.reverse();
        lineage
    }
}

impl Base {
    /// The tag that `asked` means: itself, or the first tag where it is one of its aliases.
    fn tag(&self, asked: &str) -> Option<&str> {
        if let Some(tag) = self.tags.iter().find(|tag| *tag == asked) {
            return Some(tag);
        }
        let known = self.aliases.iter().any(|alias| alias == asked);
        self.tags.first().filter(|_| known).map(String::as_str)
    }

    /// Every reference that it answers to.
    #[must_use]
    pub fn references(&self) -> Vec<String> {
        let tags = self.tags.iter().chain(&self.aliases);
        tags.map(|tag| format!("{}:{tag}", self.name)).collect()
    }

    /// The vendor's reference of its first tag.
    #[must_use]
    pub fn reference(&self) -> String {
        let tag = self.tags.first().map_or("latest", String::as_str);
        format!("{}:{tag}", self.name)
    }
}

/// Reads a size as people write it.
fn size<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Bytes, D::Error> {
    let text = String::deserialize(deserializer)?;
    text.parse().map_err(serde::de::Error::custom)
}

/// Writes a size so that [`size`] reads it.
fn shown_size<S: serde::Serializer>(size: &Bytes, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&size.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn catalogue() -> Catalogue {
        Catalogue::builtin().expect("the builtin catalogue is sound")
    }

    fn found(reference: &str) -> Option<String> {
        let catalogue = catalogue();
        let (base, tag) = catalogue.find(&Reference::parse(reference))?;
        Some(format!("{}:{tag}", base.name))
    }

    #[test]
    fn other_names_lead_to_the_same_base() {
        for (asked, wanted) in [
            ("python", "python:3.13"),
            ("docker.io/library/python:3", "python:3.13"),
            ("python:slim", "python:3.13-slim"),
            ("debian", "debian:trixie"),
            ("debian:13-slim", "debian:trixie-slim"),
            ("busybox", "busybox:latest"),
            (
                "gcr.io/distroless/cc-debian13",
                "gcr.io/distroless/cc-debian13:latest",
            ),
            (
                "gcr.io/distroless/cc-debian13:debug-nonroot",
                "gcr.io/distroless/cc-debian13:debug-nonroot",
            ),
        ] {
            assert_eq!(found(asked).as_deref(), Some(wanted), "{asked}");
        }
    }

    #[test]
    fn what_is_not_in_the_catalogue_is_not_guessed() {
        let pinned = format!("python:3.13@sha256:{}", "a".repeat(64));
        for asked in [
            "python:3.12",
            "alpine",
            "gcr.io/distroless/java21-debian13",
            &pinned,
        ] {
            assert_eq!(found(asked), None, "{asked}");
        }
    }

    #[test]
    fn a_lineage_starts_at_the_bottom() {
        let catalogue = catalogue();
        let (python, _) = catalogue
            .find(&Reference::parse("python:3.13"))
            .expect("it is there");
        let names: Vec<String> = catalogue
            .lineage(python)
            .iter()
            .map(|b| b.reference())
            .collect();
        assert_eq!(
            names,
            ["debian:trixie", "buildpack-deps:trixie", "python:3.13"]
        );
    }

    #[test]
    fn every_distroless_base_has_its_four_tags() {
        let catalogue = catalogue();
        let distroless: Vec<&Base> = catalogue
            .bases
            .iter()
            .filter(|b| b.mode == Mode::Distroless)
            .collect();
        assert_eq!(distroless.len(), 5);
        for base in distroless {
            assert_eq!(base.tags, ["latest", "nonroot", "debug", "debug-nonroot"]);
            assert_eq!(base.role, Role::Runtime);
        }
    }

    #[test]
    fn a_catalogue_that_contradicts_itself_is_refused() {
        let base = |over: &str| {
            format!(
                "bases: [{{name: a, tags: [x], {over} mode: files, suite: s, role: runtime, env: [], real_size: 1 MB, stand_in: t}}]"
            )
        };
        assert!(Catalogue::parse(&base("")).is_ok());
        let below = Catalogue::parse(&base("over: a:x,")).expect_err("it is over itself");
        assert_eq!(
            below.to_string(),
            "`a` is built over `a:x`, which does not come before it"
        );
        let twice = Catalogue::parse(&base("aliases: [x],")).expect_err("the tag comes twice");
        assert_eq!(twice.to_string(), "`a:x` is in the catalogue twice");
        assert!(Catalogue::parse(&base("colour: red,")).is_err());
    }
}
