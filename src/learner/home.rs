//! Where the learner's files and records live.

#![expect(
    clippy::disallowed_methods,
    reason = "this is the edge: it reads the environment and makes folders"
)]

use std::ffi::OsString;
use std::fs;
use std::io;
use std::path::Path;
use std::path::PathBuf;

use thiserror::Error;

/// The folder of all workspaces, with the records in a hidden folder inside.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Home {
    root: PathBuf,
}

/// Why there is no place for the learner's files.
#[derive(Debug, Error)]
pub enum HomeError {
    /// Neither variable is set.
    #[error("there is no home folder to keep your files in")]
    NoHome,
    /// A relative path would mean another folder at each start.
    #[error("`LOADLINE_HOME` is `{0}`, which is not an absolute path")]
    Relative(PathBuf),
    /// What keeps the records opens no file by such a name.
    #[error("the path of the folder for your files, `{0}`, is no UTF-8")]
    NotUtf8(PathBuf),
    /// A folder cannot be made.
    #[error("the folder `{path}` cannot be made")]
    Make {
        /// Which one.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
}

impl HomeError {
    /// What to do next.
    #[must_use]
    pub const fn hint(&self) -> &'static str {
        match self {
            Self::NotUtf8(_) => "set `LOADLINE_HOME` to a folder whose path is UTF-8",
            Self::NoHome | Self::Relative(_) | Self::Make { .. } => {
                "set `LOADLINE_HOME` to a folder that you may write to"
            }
        }
    }
}

impl Home {
    /// The home that the environment names; touches no file.
    ///
    /// # Errors
    /// When neither `LOADLINE_HOME` nor `HOME` names a folder, or its path is no UTF-8.
    pub fn find() -> Result<Self, HomeError> {
        Self::choose(std::env::var_os("LOADLINE_HOME"), std::env::var_os("HOME"))
    }

    /// The home in this folder.
    #[must_use]
    pub fn at(root: impl Into<PathBuf>) -> Self {
        Self { root: root.into() }
    }

    fn choose(own: Option<OsString>, home: Option<OsString>) -> Result<Self, HomeError> {
        let root = match own.filter(|own| !own.is_empty()).map(PathBuf::from) {
            Some(own) if !own.is_absolute() => return Err(HomeError::Relative(own)),
            Some(own) => own,
            None => {
                let home = home.map(PathBuf::from).filter(|home| home.is_absolute());
                home.ok_or(HomeError::NoHome)?.join("loadline")
            }
        };
        if root.to_str().is_none() {
            return Err(HomeError::NotUtf8(root));
        }
        Ok(Self { root })
    }

    /// The folder itself.
    #[must_use]
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// The folder of an exercise's workspace.
    #[must_use]
    pub fn workspace(&self, exercise: &str) -> PathBuf {
        self.root.join(exercise)
    }

    /// The folder for what is not the learner's to edit.
    #[must_use]
    pub fn state(&self) -> PathBuf {
        self.root.join(".loadline")
    }

    /// Makes both folders.
    ///
    /// # Errors
    /// When that is not possible; `LOADLINE_HOME` is the way out.
    pub fn make(&self) -> Result<(), HomeError> {
        let path = self.state();
        fs::create_dir_all(&path).map_err(|source| HomeError::Make { path, source })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn choose(own: Option<&str>, home: Option<&str>) -> Result<PathBuf, HomeError> {
        Home::choose(own.map(OsString::from), home.map(OsString::from)).map(|home| home.root)
    }

    #[test]
    fn the_own_variable_comes_before_the_home_folder() {
        assert_eq!(
            choose(Some("/w"), Some("/home/a")).unwrap(),
            Path::new("/w")
        );
        assert_eq!(
            choose(None, Some("/home/a")).unwrap(),
            Path::new("/home/a/loadline")
        );
        assert_eq!(
            choose(Some(""), Some("/home/a")).unwrap(),
            Path::new("/home/a/loadline")
        );
    }

    #[test]
    fn without_a_home_the_way_out_is_named() {
        let error = choose(None, None).unwrap_err();
        assert!(error.hint().contains("LOADLINE_HOME"));
        assert!(matches!(choose(None, Some("")), Err(HomeError::NoHome)));
        assert!(matches!(
            choose(Some("here"), None),
            Err(HomeError::Relative(_))
        ));
    }

    #[test]
    fn a_path_that_is_no_utf8_is_refused_by_either_variable() {
        use std::os::unix::ffi::OsStringExt as _;
        let odd = || Some(OsString::from_vec(b"/h\xff".to_vec()));
        for (own, home) in [(odd(), None), (None, odd())] {
            let error = Home::choose(own, home).unwrap_err();
            assert!(matches!(error, HomeError::NotUtf8(_)), "{error}");
            assert!(error.hint().ends_with("is UTF-8"));
        }
    }

    #[test]
    fn a_home_that_cannot_be_made_is_a_clear_error() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("file");
        fs::write(&file, "").unwrap();
        let error = Home::at(file.join("loadline")).make().unwrap_err();
        assert!(error.to_string().contains("cannot be made"), "{error}");
    }
}
