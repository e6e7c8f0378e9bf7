//! Who a file belongs to: what packages list as theirs.

use std::collections::HashMap;
use std::collections::HashSet;

use super::PackageKind;
use super::collect::Sort;
use super::notes::Shown;
use super::record::PathHash;
use super::record::Record;

/// The owner of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Owner {
    /// Whether the distribution made the package, so that its advisories speak of the file.
    pub(super) native: bool,
}

/// The owners of an image's files.
#[derive(Debug, Default)]
pub(super) struct Owners {
    system: HashMap<PathHash, Owner>,
    /// What installers of languages list.
    language: HashSet<PathHash>,
}

impl Owners {
    /// Collects what the packages that are installed list.
    pub(super) fn of(shown: &[Shown<'_>]) -> Self {
        let mut owners = Self::default();
        let installed = owners.take_packages(shown);
        let with_metadata: HashSet<&str> = shown
            .iter()
            .filter(|one| one.sort == Some(Sort::PythonMetadata))
            .filter_map(|one| one.path.rsplit_once('/').map(|(folder, _)| folder))
            .collect();
        for one in shown {
            let Record::Files(files) = one.record else {
                continue;
            };
            match one.sort {
                Some(Sort::DpkgDiversions) => owners.add(files, true),
                Some(Sort::DpkgList | Sort::DpkgSums) => {
                    let name = package_of_list(&one.path);
                    if let Some(native) = installed.get(name) {
                        owners.add(files, *native);
                    }
                }
                Some(Sort::PythonList) => {
                    let folder = one.path.rsplit_once('/').map_or("", |(folder, _)| folder);
                    if with_metadata.contains(folder) {
                        owners.language.extend(files);
                    }
                }
                _ => {}
            }
        }
        owners
    }

    /// The packages of Debian's records, each with whether the distribution made it; what Alpine's
    /// records list is taken right here.
    fn take_packages<'n>(&mut self, shown: &[Shown<'n>]) -> HashMap<&'n str, bool> {
        let mut installed = HashMap::new();
        for one in shown {
            let Record::Packages(packages) = one.record else {
                continue;
            };
            for package in packages {
                match package.kind {
                    PackageKind::Deb => {
                        installed.insert(package.name.as_str(), !package.foreign);
                    }
                    PackageKind::Apk => self.add(&package.files, true),
                    _ => {}
                }
            }
        }
        installed
    }

    fn add(&mut self, files: &[PathHash], native: bool) {
        let all = files.iter().map(|file| (*file, Owner { native }));
        self.system.extend(all);
    }

    /// Whether a package of the distribution brought a file: then it speaks for all that is in it.
    pub(super) fn is_native(&self, path: &str) -> bool {
        let owner = self.system.get(&PathHash::of(path));
        owner.is_some_and(|owner| owner.native)
    }

    /// Whether any package lists a file.
    pub(super) fn knows(&self, path: &str) -> bool {
        self.knows_hash(PathHash::of(path))
    }

    /// The same for a path that was hashed already.
    pub(super) fn knows_hash(&self, hash: PathHash) -> bool {
        self.system.contains_key(&hash) || self.language.contains(&hash)
    }
}

/// `libc6` of `info/libc6:amd64.list` and of `status.d/libc6.md5sums`.
pub(super) fn package_of_list(path: &str) -> &str {
    let name = path.rsplit('/').next().unwrap_or(path);
    let name = name
        .strip_suffix(".list")
        .or_else(|| name.strip_suffix(".md5sums"))
        .unwrap_or(name);
    name.split(':').next().unwrap_or(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_are_named_after_their_package() {
        assert_eq!(
            package_of_list("var/lib/dpkg/info/libc6:amd64.list"),
            "libc6"
        );
        assert_eq!(
            package_of_list("var/lib/dpkg/status.d/libssl3t64.md5sums"),
            "libssl3t64"
        );
        assert_eq!(
            package_of_list("var/lib/dpkg/info/libstdc++6.list"),
            "libstdc++6"
        );
    }
}
