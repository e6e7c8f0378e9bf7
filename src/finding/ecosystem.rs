//! The ecosystems that advisories are sorted by: their names in the OSV format, their releases, and
//! how each writes the name of a package.

use std::fmt;

use serde::Deserialize;
use serde::Serialize;

use crate::image::package::Distribution;
use crate::image::package::PackageKind;

/// An ecosystem of packages.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Ecosystem {
    /// Debian, by source package and release.
    Debian,
    /// Ubuntu, by source package and release.
    Ubuntu,
    /// Alpine, by origin and branch.
    Alpine,
    /// Python distributions.
    PyPi,
    /// Node packages.
    Npm,
    /// Go modules, and `stdlib`.
    Go,
    /// Rust crates.
    Rust,
    /// Java archives by `group:artifact`.
    Maven,
}

impl Ecosystem {
    /// Every ecosystem.
    pub const ALL: [Self; 8] = [
        Self::Debian,
        Self::Ubuntu,
        Self::Alpine,
        Self::PyPi,
        Self::Npm,
        Self::Go,
        Self::Rust,
        Self::Maven,
    ];

    /// Its name in the OSV format, which is also the folder of its archive.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Debian => "Debian",
            Self::Ubuntu => "Ubuntu",
            Self::Alpine => "Alpine",
            Self::PyPi => "PyPI",
            Self::Npm => "npm",
            Self::Go => "Go",
            // The format names it after a host; in two parts, because it is no address here.
            Self::Rust => concat!("crates", ".io"),
            Self::Maven => "Maven",
        }
    }

    /// The name that people write: as in the format, or `rust`, `python`, `node`, `java`.
    #[must_use]
    pub fn of_word(word: &str) -> Option<Self> {
        let word = word.trim();
        let plain = match word.to_ascii_lowercase().as_str() {
            "rust" | "crates" | "cargo" => Some(Self::Rust),
            "python" => Some(Self::PyPi),
            "node" => Some(Self::Npm),
            "java" => Some(Self::Maven),
            _ => None,
        };
        plain.or_else(|| {
            Self::ALL
                .into_iter()
                .find(|ecosystem| ecosystem.name().eq_ignore_ascii_case(word))
        })
    }

    /// Reads what an advisory calls its ecosystem: `PyPI`, `Debian:13`, `Alpine:v3.22`,
    /// `Ubuntu:24.04:LTS`. The release is written as images write it.
    ///
    /// Ubuntu's advisories for paying customers (`Ubuntu:Pro:…`) are of no release here: their
    /// fixes are in no image that was not paid for.
    #[must_use]
    pub fn read(text: &str) -> Option<(Self, Option<String>)> {
        let (name, release) = match text.split_once(':') {
            Some((name, release)) => (name, Some(release)),
            None => (text, None),
        };
        let ecosystem = Self::ALL
            .into_iter()
            .find(|ecosystem| ecosystem.name() == name)?;
        let release = match (ecosystem, release) {
            (Self::Debian, Some(release)) => Some(release.to_owned()),
            (Self::Ubuntu, Some(release)) => {
                Some(release.strip_suffix(":LTS").unwrap_or(release).to_owned())
            }
            (Self::Alpine, Some(release)) => {
                Some(release.strip_prefix('v').unwrap_or(release).to_owned())
            }
            _ => None,
        };
        Some((ecosystem, release))
    }

    /// The ecosystem of a package in an image of this distribution; `None` where the distribution
    /// has none here.
    #[must_use]
    pub fn of(kind: PackageKind, distribution: Option<&Distribution>) -> Option<Self> {
        let id = distribution.map(|distribution| distribution.id.as_str());
        match kind {
            PackageKind::Deb => match id {
                Some("debian") => Some(Self::Debian),
                Some("ubuntu") => Some(Self::Ubuntu),
                _ => None,
            },
            PackageKind::Apk => (id == Some("alpine")).then_some(Self::Alpine),
            kind => Self::ordering(kind),
        }
    }

    /// The ecosystem in whose order the versions of a kind of package are compared; `None` where
    /// that order is not known here.
    #[must_use]
    pub const fn ordering(kind: PackageKind) -> Option<Self> {
        match kind {
            // Ubuntu's order is Debian's.
            PackageKind::Deb => Some(Self::Debian),
            PackageKind::Apk => Some(Self::Alpine),
            PackageKind::Python => Some(Self::PyPi),
            PackageKind::Node => Some(Self::Npm),
            PackageKind::Java => Some(Self::Maven),
            PackageKind::Go => Some(Self::Go),
            PackageKind::Rust => Some(Self::Rust),
            PackageKind::Ruby | PackageKind::Php => None,
        }
    }

    /// Whether advisories about packages of this kind are read here. Of the others the order of
    /// versions is not known.
    #[must_use]
    pub const fn is_read(kind: PackageKind) -> bool {
        !matches!(kind, PackageKind::Ruby | PackageKind::Php)
    }

    /// Whether its advisories differ from release to release of a distribution.
    #[must_use]
    pub const fn has_releases(self) -> bool {
        matches!(self, Self::Debian | Self::Ubuntu | Self::Alpine)
    }

    /// The release of a distribution as advisories are sorted by it: Debian's `13`, Ubuntu's
    /// `24.04`, Alpine's branch `3.22`; `None` for a rolling one.
    #[must_use]
    pub fn release_of(self, distribution: &Distribution) -> Option<String> {
        let version = distribution.version.as_str();
        match self {
            // `13`, and `13.2` where somebody wrote the point release.
            Self::Debian => version
                .split('.')
                .next()
                .filter(|release| !release.is_empty())
                .map(str::to_owned),
            Self::Ubuntu => (!version.is_empty()).then(|| version.to_owned()),
            Self::Alpine if version.contains("_alpha") => Some("edge".to_owned()),
            Self::Alpine => {
                let mut parts = version.split('.');
                let branch = (parts.next()?, parts.next()?);
                Some(format!("{}.{}", branch.0, branch.1))
            }
            _ => None,
        }
    }

    /// A package's name in the one spelling by which advisories are looked up.
    ///
    /// Python's names are the same in any case and with any run of `-`, `_` and `.` (the packaging
    /// specification on names). Other ecosystems take a name as it is.
    #[must_use]
    pub fn normal(self, name: &str) -> String {
        if self != Self::PyPi {
            return name.to_owned();
        }
        let mut normal = String::with_capacity(name.len());
        let mut between = false;
        for c in name.chars() {
            if matches!(c, '-' | '_' | '.') {
                between = true;
                continue;
            }
            if between {
                normal.push('-');
                between = false;
            }
            normal.extend(c.to_lowercase());
        }
        if between {
            normal.push('-');
        }
        normal
    }
}

impl fmt::Display for Ecosystem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Rust => "Rust",
            other => other.name(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn distribution(id: &str, version: &str) -> Distribution {
        Distribution {
            id: id.to_owned(),
            version: version.to_owned(),
            title: String::new(),
        }
    }

    fn read(text: &str) -> Option<(Ecosystem, Option<String>)> {
        Ecosystem::read(text)
    }

    #[test]
    fn releases_are_written_as_images_write_them() {
        let release = |text: &str| read(text).unwrap().1;
        assert_eq!(release("Debian:13").as_deref(), Some("13"));
        assert_eq!(release("Ubuntu:24.04:LTS").as_deref(), Some("24.04"));
        assert_eq!(release("Ubuntu:25.10").as_deref(), Some("25.10"));
        assert_eq!(
            release("Ubuntu:Pro:16.04:LTS").as_deref(),
            Some("Pro:16.04")
        );
        assert_eq!(release("Alpine:v3.22").as_deref(), Some("3.22"));
        assert_eq!(read("PyPI"), Some((Ecosystem::PyPi, None)));
        assert_eq!(read("Rocky Linux:9"), None);
    }

    #[test]
    fn an_image_s_release_is_found_among_them() {
        let of = |ecosystem: Ecosystem, id: &str, version: &str| {
            ecosystem.release_of(&distribution(id, version))
        };
        assert_eq!(of(Ecosystem::Debian, "debian", "13").as_deref(), Some("13"));
        assert_eq!(of(Ecosystem::Debian, "debian", ""), None);
        assert_eq!(
            of(Ecosystem::Ubuntu, "ubuntu", "24.04").as_deref(),
            Some("24.04")
        );
        assert_eq!(
            of(Ecosystem::Alpine, "alpine", "3.22.1").as_deref(),
            Some("3.22")
        );
        assert_eq!(
            of(Ecosystem::Alpine, "alpine", "3.23.0_alpha20250612").as_deref(),
            Some("edge")
        );
        assert_eq!(of(Ecosystem::Alpine, "alpine", "edge"), None);
    }

    #[test]
    fn a_debian_package_of_another_distribution_has_no_ecosystem() {
        let kali = distribution("kali", "2026.1");
        assert_eq!(Ecosystem::of(PackageKind::Deb, Some(&kali)), None);
        assert_eq!(Ecosystem::of(PackageKind::Deb, None), None);
        assert_eq!(
            Ecosystem::of(PackageKind::Python, None),
            Some(Ecosystem::PyPi)
        );
    }

    #[test]
    fn what_is_not_read_has_no_ecosystem_in_any_distribution() {
        let debian = distribution("debian", "13");
        for kind in PackageKind::ALL {
            let has = [Some(&debian), Some(&distribution("alpine", "3.22")), None]
                .iter()
                .any(|of| Ecosystem::of(kind, *of).is_some());
            assert_eq!(has, Ecosystem::is_read(kind), "{kind:?}");
        }
    }

    #[test]
    fn python_names_are_one_however_they_are_spelled() {
        for name in ["Flask-SQLAlchemy", "flask_sqlalchemy", "flask.-_sqlalchemy"] {
            assert_eq!(Ecosystem::PyPi.normal(name), "flask-sqlalchemy");
        }
        assert_eq!(Ecosystem::Npm.normal("@Babel/core"), "@Babel/core");
    }

    #[test]
    fn every_ecosystem_is_found_by_its_own_name() {
        for ecosystem in Ecosystem::ALL {
            assert_eq!(Ecosystem::of_word(ecosystem.name()), Some(ecosystem));
            assert_eq!(Ecosystem::of_word(&ecosystem.to_string()), Some(ecosystem));
            assert_eq!(read(ecosystem.name()), Some((ecosystem, None)));
        }
        assert_eq!(Ecosystem::of_word("pypi"), Some(Ecosystem::PyPi));
        assert_eq!(Ecosystem::of_word("cobol"), None);
    }
}
