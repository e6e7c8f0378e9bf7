//! Runtimes that people install without a package: language implementations that were compiled or
//! unpacked into a folder of their own, and that say there what they are.

use super::Runtime;
use super::collect::Sort;
use super::notes::Shown;
use super::owner::Owners;
use super::record::Record;
use crate::image::tree::Tree;

/// The runtimes of an image.
#[derive(Debug, Default)]
pub(super) struct Runtimes {
    pub(super) found: Vec<Runtime>,
    /// Beginnings of the paths that belong to them.
    covers: Vec<String>,
}

/// What a marker tells: the folder of the runtime and what in it is the runtime's own.
struct Kind {
    name: &'static str,
    /// The end of a path that only such a runtime has.
    marker: &'static str,
    /// Below the folder before the marker: beginnings of paths.
    own: &'static [&'static str],
    /// What must be there beside the marker; one of them.
    proof: &'static [&'static str],
}

/// The runtimes that are known by a file of their own that tells the version.
const KINDS: [Kind; 4] = [
    Kind {
        name: "node",
        marker: "include/node/node_version.h",
        own: &["bin/node"],
        proof: &["bin/node"],
    },
    Kind {
        name: "java",
        marker: "release",
        own: &[""],
        proof: &["lib/modules", "lib/rt.jar", "jre/lib/rt.jar"],
    },
    Kind {
        name: "go",
        marker: "VERSION",
        own: &[""],
        proof: &["bin/go"],
    },
    Kind {
        name: "rust",
        marker: "lib/rustlib/components",
        own: &["bin/", "lib/", "libexec/"],
        proof: &["bin/rustc", "bin/cargo"],
    },
];

/// The runtime that a file speaks of, by its path.
pub(super) fn is_marker(path: &str) -> bool {
    KINDS
        .iter()
        .any(|kind| folder_before(path, kind.marker).is_some())
        || python_of_header(path).is_some()
}

/// The folder before a marker, with a slash at its end.
fn folder_before<'p>(path: &'p str, marker: &str) -> Option<&'p str> {
    let folder = path.strip_suffix(marker)?;
    folder.ends_with('/').then_some(folder)
}

/// `usr/local/` and `3.13` of `usr/local/include/python3.13/patchlevel.h`.
fn python_of_header(path: &str) -> Option<(&str, &str)> {
    let (prefix, version) = path
        .strip_suffix("/patchlevel.h")?
        .rsplit_once("include/python")?;
    Some((prefix, version))
}

/// Reads a marker; `None` where it is a file of that name and nothing more.
pub(super) fn read(path: &str, bytes: &[u8]) -> Option<Record> {
    let text = String::from_utf8_lossy(bytes);
    let (name, version) = match path.rsplit('/').next()? {
        "patchlevel.h" => ("python", define(&text, "PY_VERSION")?.to_owned()),
        "node_version.h" => {
            let part = |name: &str| define(&text, name);
            let (major, minor) = (part("NODE_MAJOR_VERSION")?, part("NODE_MINOR_VERSION")?);
            let version = format!("{major}.{minor}.{}", part("NODE_PATCH_VERSION")?);
            ("node", version)
        }
        "release" => {
            let mut lines = text.lines();
            let version = lines.find_map(|line| line.strip_prefix("JAVA_VERSION="))?;
            ("java", version.trim_matches('"').to_owned())
        }
        "VERSION" => {
            let version = text.lines().next()?.strip_prefix("go")?;
            ("go", version.trim().to_owned())
        }
        "components" => ("rust", String::new()),
        _ => return None,
    };
    let sound = version.len() <= 64 && !version.contains(char::is_control);
    sound.then(|| Record::Runtime {
        name: name.to_owned(),
        version,
    })
}

/// The value of `#define NAME value`.
fn define<'t>(text: &'t str, name: &str) -> Option<&'t str> {
    text.lines().find_map(|line| {
        let mut words = line.split_whitespace();
        let defined = words.next() == Some("#define") && words.next() == Some(name);
        defined
            .then(|| words.next())?
            .map(|value| value.trim_matches('"'))
    })
}

impl Runtimes {
    /// Finds them by their markers, and Python by its library where the headers were left out.
    /// What a package of the distribution brought is that package.
    pub(super) fn of(shown: &[Shown<'_>], owners: &Owners, tree: &Tree<'_>) -> Self {
        let mut runtimes = Self::default();
        let markers = shown.iter().filter(|one| one.sort == Some(Sort::Runtime));
        for one in markers.filter(|one| !owners.knows(&one.path)) {
            if let Record::Runtime { name, version } = one.record {
                runtimes.add(one, name, version, tree);
            }
        }
        let mut paths: Vec<String> = Vec::new();
        tree.each_path(|path, _| {
            if path.ends_with("/os.py") {
                paths.push(path.to_owned());
            }
        });
        let libraries = paths.iter().filter_map(|path| {
            let (prefix, version) = path.strip_suffix("/os.py")?.rsplit_once("lib/python")?;
            let numbers = |c: char| c.is_ascii_digit() || c == '.';
            (!version.is_empty() && version.chars().all(numbers)).then_some((
                path.as_str(),
                prefix,
                version,
            ))
        });
        for (path, prefix, version) in libraries.filter(|(path, ..)| !owners.knows(path)) {
            runtimes.add_python(path, prefix, version, tree);
        }
        runtimes.found.sort();
        runtimes
    }

    fn add(&mut self, one: &Shown<'_>, name: &str, version: &str, tree: &Tree<'_>) {
        if let Some((prefix, _)) = python_of_header(&one.path).filter(|_| name == "python") {
            self.found.push(Runtime {
                name: name.to_owned(),
                version: version.to_owned(),
                layer: one.layer,
                path: format!("{prefix}bin/python"),
            });
            return;
        }
        let kinds = KINDS.iter().filter(|kind| kind.name == name);
        for kind in kinds {
            let Some(folder) = folder_before(&one.path, kind.marker) else {
                continue;
            };
            let there = |proof: &&str| tree.find(&format!("{folder}{proof}")).is_ok();
            if !kind.proof.iter().any(there) {
                continue;
            }
            self.covers
                .extend(kind.own.iter().map(|own| format!("{folder}{own}")));
            self.found.push(Runtime {
                name: name.to_owned(),
                version: version.to_owned(),
                layer: one.layer,
                path: folder.trim_end_matches('/').to_owned(),
            });
        }
    }

    fn add_python(&mut self, path: &str, prefix: &str, version: &str, tree: &Tree<'_>) {
        self.covers.extend([
            format!("{prefix}bin/python"),
            format!("{prefix}lib/libpython"),
            format!("{prefix}lib/python{version}/lib-dynload/"),
        ]);
        let own = format!("{prefix}bin/python");
        let known = self.found.iter().any(|runtime| {
            runtime.path == own && runtime.version.starts_with(&format!("{version}."))
        });
        if let (false, Some(node)) = (known, tree.at(path)) {
            self.found.push(Runtime {
                name: String::from("python"),
                version: version.to_owned(),
                layer: node.layer,
                path: own,
            });
        }
    }

    /// Whether a file is one of a runtime's own.
    pub(super) fn cover(&self, path: &str) -> bool {
        self.covers
            .iter()
            .any(|beginning| path.starts_with(beginning))
    }
}
