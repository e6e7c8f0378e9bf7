//! What one file of a layer says of packages, as the pass notes it.

use std::collections::BTreeSet;

use serde::Deserialize;
use serde::Serialize;
use xxhash_rust::xxh3::xxh3_64;

use super::Distribution;
use super::PackageKind;
use super::SourcePackage;

/// The most packages that one file may name: far above any distribution's installation.
pub(super) const PACKAGES: usize = 100_000;

/// The longest name, version or licence that is kept, in bytes.
const WORD: usize = 256;

/// What a file says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Record {
    /// It names the distribution.
    Release(Distribution),
    /// It names packages.
    Packages(Vec<Stated>),
    /// It names the files of a package.
    Files(Vec<PathHash>),
    /// It names a package's licences.
    Licences(Vec<String>),
    /// It is a runtime's own note of its version.
    Runtime { name: String, version: String },
    /// It is machine code, or an archive of it, that does not say what it was made of.
    Opaque,
    /// It is a record of a kind that is not read.
    Unread,
    /// It is a record that cannot be read, and why.
    Broken(String),
    /// It names packages, and parts of it cannot be read.
    Partial(Vec<Stated>, Vec<Fault>),
}

/// A part of a record that cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Fault {
    /// The part: `BOOT-INF/lib/a.jar`; empty for the record itself.
    pub(super) inside: String,
    /// Why, as a fragment.
    pub(super) why: String,
}

impl Record {
    /// The packages of a record, and what of it could not be read; broken where nothing could.
    pub(super) fn of(packages: Vec<Stated>, faults: Vec<Fault>) -> Self {
        match faults.as_slice() {
            [] => Self::Packages(packages),
            [fault] if packages.is_empty() && fault.inside.is_empty() => {
                Self::Broken(fault.why.clone())
            }
            _ => Self::Partial(packages, faults),
        }
    }

    /// The packages of a record in which so many more have no name or no version.
    pub(super) fn of_named(packages: Vec<Stated>, nameless: usize) -> Self {
        let why = match nameless {
            0 => return Self::Packages(packages),
            1 => String::from("a package in it has no name or no version"),
            more => format!("{more} packages in it have no name or no version"),
        };
        let inside = String::new();
        Self::of(packages, vec![Fault { inside, why }])
    }

    /// The packages that it names, where it is a record of packages.
    pub(super) fn packages(&self) -> Option<&[Stated]> {
        match self {
            Self::Packages(packages) | Self::Partial(packages, _) => Some(packages),
            _ => None,
        }
    }
}

/// A package as one file states it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Stated {
    pub(super) kind: PackageKind,
    pub(super) name: String,
    pub(super) version: String,
    pub(super) source: Option<SourcePackage>,
    pub(super) architecture: Option<String>,
    pub(super) licences: Vec<String>,
    /// Whether somebody else than the distribution made it, whose advisories then do not cover it.
    pub(super) foreign: bool,
    /// Whether it was made of sources at hand: a public package of the same name is another one.
    pub(super) local: bool,
    /// Whose classes an archive of Java's holds, where it does not say its Maven group.
    pub(super) makers: BTreeSet<String>,
    /// Its files, where the same file lists them.
    pub(super) files: Vec<PathHash>,
    /// The archive in the file that states it: `BOOT-INF/lib/a.jar`.
    pub(super) inside: Option<String>,
}

impl Stated {
    /// A package of which the name and the version are known; `None` where one of them is empty
    /// or absurd.
    pub(super) fn new(kind: PackageKind, name: &str, version: &str) -> Option<Self> {
        Some(Self {
            kind,
            name: word(name)?,
            version: word(version)?,
            source: None,
            architecture: None,
            licences: Vec::new(),
            foreign: false,
            local: false,
            makers: BTreeSet::new(),
            files: Vec::new(),
            inside: None,
        })
    }
}

/// A word of a record: trimmed, not empty, not absurdly long, without control characters.
pub(super) fn word(text: &str) -> Option<String> {
    let text = text.trim();
    let sound = !text.is_empty() && text.len() <= WORD && !text.contains(char::is_control);
    sound.then(|| text.to_owned())
}

/// The licence that a record names; none where it holds a whole text, or says that it knows none.
pub(super) fn licence(text: &str) -> Option<String> {
    word(text).filter(|text| !matches!(text.to_ascii_lowercase().as_str(), "unknown" | "none"))
}

/// A path of an image as packages list it, hashed: lists are long, and only asked whether a path
/// is in them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub(super) struct PathHash(u64);

impl PathHash {
    /// The hash of a path; `bin/x` and `usr/bin/x` are the same since distributions merged them.
    pub(super) fn of(path: &str) -> Self {
        let path = path.trim_start_matches("./").trim_start_matches('/');
        let inner = path.strip_prefix("usr/").unwrap_or(path);
        let first = inner.split('/').next().unwrap_or_default();
        let merged = matches!(first, "bin" | "sbin" | "lib" | "lib32" | "lib64" | "libx32");
        Self(xxh3_64(if merged { inner } else { path }.as_bytes()))
    }
}

/// The path that `relative` means in the folder `folder`.
pub(super) fn joined(folder: &str, relative: &str) -> String {
    let mut parts: Vec<&str> = Vec::new();
    if !relative.starts_with('/') {
        parts.extend(folder.split('/').filter(|part| !part.is_empty()));
    }
    for part in relative.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop();
            }
            part => parts.push(part),
        }
    }
    parts.join("/")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn merged_folders_are_the_same() {
        let same = |a: &str, b: &str| PathHash::of(a) == PathHash::of(b);
        assert!(same("/bin/sh", "usr/bin/sh"));
        assert!(same(
            "./lib/x86_64-linux-gnu/libc.so.6",
            "/usr/lib/x86_64-linux-gnu/libc.so.6"
        ));
        assert!(!same("share/doc", "usr/share/doc"));
        assert!(!same("bin/sh", "bin/bash"));
    }

    #[test]
    fn relative_paths_are_joined() {
        assert_eq!(
            joined("usr/lib/python3/site-packages", "../../../bin/x"),
            "usr/bin/x"
        );
        assert_eq!(joined("a", "/b/./c"), "b/c");
        assert_eq!(joined("a", "../../../b"), "b");
    }

    #[test]
    fn words_are_sound_or_nothing() {
        assert_eq!(word(" a ").as_deref(), Some("a"));
        assert_eq!(word("a\u{1b}[0m"), None);
        assert_eq!(word(&"a".repeat(300)), None);
        assert_eq!(licence("UNKNOWN"), None);
        assert_eq!(licence("MIT").as_deref(), Some("MIT"));
    }
}
