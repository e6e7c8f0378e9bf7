//! Where archives come from: the public location, a mirror of it, or a folder.

#![expect(
    clippy::disallowed_methods,
    reason = "edge: looks for archives in the folder that was named"
)]

use std::collections::BTreeMap;
use std::fmt;
use std::path::Path;
use std::path::PathBuf;

use super::AdvisoriesError;
use crate::finding::Ecosystem;

/// The public location of the advisories in the OSV format, one archive per ecosystem.
pub const LOCATION: &str = "https://osv-vulnerabilities.storage.googleapis.com";

/// The name of an ecosystem's archive.
const ARCHIVE: &str = "all.zip";

/// The folder in which another scanner keeps the same archives (its variable
/// `OSV_SCANNER_LOCAL_DB_CACHE_DIRECTORY` names the folder above).
const SHARED: &str = "osv-scanner";

/// Where archives come from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    /// An address below which the archives are.
    Url(String),
    /// A folder that holds them.
    Folder(PathBuf),
}

impl Place {
    /// What a word of the command line means.
    ///
    /// # Errors
    /// When it is neither an address nor a folder.
    pub fn of(word: &str) -> Result<Self, AdvisoriesError> {
        if word.starts_with("https://") || word.starts_with("http://") {
            return Ok(Self::Url(word.trim_end_matches('/').to_owned()));
        }
        if Path::new(word).is_dir() {
            return Ok(Self::Folder(PathBuf::from(word)));
        }
        Err(AdvisoriesError::NoPlace(word.to_owned()))
    }

    /// The address of an ecosystem's archive.
    pub(super) fn url(base: &str, ecosystem: Ecosystem) -> String {
        format!("{base}/{}/{ARCHIVE}", ecosystem.name())
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Url(url) => f.write_str(url),
            Self::Folder(folder) => write!(f, "{}", folder.display()),
        }
    }
}

/// The archives in a folder: `<ECOSYSTEM>/all.zip`, there or in another scanner's folder inside.
///
/// # Errors
/// When the folder cannot be read or holds none.
pub(super) fn archives(folder: &Path) -> Result<BTreeMap<Ecosystem, PathBuf>, AdvisoriesError> {
    let mut found = BTreeMap::new();
    for inside in [folder.join(SHARED), folder.to_owned()] {
        if !inside.is_dir() {
            continue;
        }
        let entries =
            std::fs::read_dir(&inside).map_err(|error| AdvisoriesError::file(&inside, error))?;
        for entry in entries {
            let path = entry
                .map_err(|error| AdvisoriesError::file(&inside, error))?
                .path();
            let name = path.file_name().and_then(|name| name.to_str());
            let archive = path.join(ARCHIVE);
            if let Some(ecosystem) = name.and_then(Ecosystem::of_word)
                && archive.is_file()
            {
                found.insert(ecosystem, archive);
            }
        }
    }
    if found.is_empty() {
        return Err(AdvisoriesError::NothingThere {
            path: folder.to_owned(),
        });
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn archives_are_found_in_both_layouts() {
        let folder = tempfile::tempdir().unwrap();
        for path in [
            "PyPI",
            "Rust",
            "osv-scanner/npm",
            "osv-scanner/PyPI",
            "Cobol",
        ] {
            let inside = folder.path().join(path);
            std::fs::create_dir_all(&inside).unwrap();
            std::fs::write(inside.join(ARCHIVE), "").unwrap();
        }
        std::fs::create_dir_all(folder.path().join("Go")).unwrap();
        let found = archives(folder.path()).unwrap();
        let names: Vec<String> = found
            .iter()
            .map(|(ecosystem, path)| {
                let path = path.strip_prefix(folder.path()).unwrap();
                format!("{ecosystem} {}", path.display())
            })
            .collect();
        assert_eq!(
            names,
            [
                "PyPI PyPI/all.zip",
                "npm osv-scanner/npm/all.zip",
                "Rust Rust/all.zip"
            ]
        );
        let empty = folder.path().join("Go");
        assert!(matches!(
            archives(&empty),
            Err(AdvisoriesError::NothingThere { .. })
        ));
    }

    #[test]
    fn a_place_is_an_address_or_a_folder_that_is_there() {
        assert_eq!(
            Place::of("https://mirror.example/osv/").unwrap(),
            Place::Url("https://mirror.example/osv".to_owned())
        );
        let url = Place::url("https://mirror.example/osv", Ecosystem::PyPi);
        assert_eq!(url, "https://mirror.example/osv/PyPI/all.zip");
        assert!(Place::of("/").is_ok());
        for word in ["", "ftp://a", "/no/such/folder"] {
            assert!(
                matches!(Place::of(word), Err(AdvisoriesError::NoPlace(_))),
                "{word}"
            );
        }
    }
}
