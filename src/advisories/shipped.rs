//! The small snapshot that comes with the program: the packages of the course, so that its lessons
//! work without a network.

use std::collections::BTreeMap;
use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::LazyLock;

use include_dir::Dir;
use include_dir::include_dir;
use serde::Deserialize;
use sha2::Digest as _;
use sha2::Sha256;

use crate::finding::Ecosystem;
use crate::finding::advisory::Advisory;
use crate::finding::advisory::Database;
use crate::finding::matching::Advisories;
use crate::finding::matching::LookupError;
use crate::finding::osv;
use crate::finding::osv::Record;
use crate::text::hex;

static FILES: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/assets/advisories");

/// What the snapshot covers: its own file beside the records.
const COVERS: &str = "covers.json";

/// The advisories that come with the program.
#[derive(Debug)]
pub struct Shipped {
    database: Database,
    covers: Vec<Cover>,
    about: BTreeMap<(Ecosystem, String), Vec<Advisory>>,
    records: usize,
}

/// The packages of one ecosystem, or of one release of a distribution, that somebody looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cover {
    /// The ecosystem.
    pub ecosystem: Ecosystem,
    /// The release.
    pub release: Option<String>,
    /// The packages, as advisories name them.
    pub packages: BTreeSet<String>,
}

#[derive(Deserialize)]
struct Covers {
    date: String,
    covers: Vec<CoverJson>,
}

#[derive(Deserialize)]
struct CoverJson {
    ecosystem: String,
    packages: Vec<String>,
}

impl Shipped {
    /// The snapshot; read once.
    #[must_use]
    pub fn get() -> Arc<Self> {
        static READ: LazyLock<Arc<Shipped>> = LazyLock::new(|| {
            // A test reads every file; what could not be read here would only be missing.
            Arc::new(Shipped::read().unwrap_or_else(|_broken| Shipped::empty()))
        });
        Arc::clone(&READ)
    }

    /// The snapshot, where a word is one of its names: `shipped`, its id, or the beginning of it
    /// that is longer than that.
    #[must_use]
    pub fn named(word: &str) -> Option<Arc<Self>> {
        let shipped = Self::get();
        let by_id = word.starts_with("shipped-") && shipped.database.id.starts_with(word);
        (word == "shipped" || by_id).then_some(shipped)
    }

    fn empty() -> Self {
        Self {
            database: Database::default(),
            covers: Vec::new(),
            about: BTreeMap::new(),
            records: 0,
        }
    }

    fn read() -> Result<Self, String> {
        let text = FILES
            .get_file(COVERS)
            .ok_or("there is no covers.json")?
            .contents();
        let covers: Covers = serde_json::from_slice(text).map_err(|error| error.to_string())?;
        let mut shipped = Self::empty();
        let mut hash = Sha256::new();
        hash.update(text);
        for folder in FILES.dirs() {
            let mut files: Vec<_> = folder.files().collect();
            files.sort_by_key(|file| file.path());
            for file in files {
                hash.update(file.contents());
                let name = file.path().display();
                let records =
                    osv::read_all(file.contents()).map_err(|error| format!("{name}: {error}"))?;
                for (_, record) in records {
                    shipped.take(record);
                }
            }
        }
        for cover in covers.covers {
            let (ecosystem, release) = Ecosystem::read(&cover.ecosystem)
                .ok_or_else(|| format!("`{}` is no ecosystem", cover.ecosystem))?;
            shipped.covers.push(Cover {
                ecosystem,
                release,
                packages: cover
                    .packages
                    .iter()
                    .map(|name| ecosystem.normal(name))
                    .collect(),
            });
        }
        let digits: String = hex(&hash.finalize()).chars().take(8).collect();
        shipped.database = Database {
            id: format!("shipped-{digits}"),
            date: covers.date,
            shipped: true,
        };
        Ok(shipped)
    }

    fn take(&mut self, record: Record) {
        self.records += 1;
        if let Record::Says(says) = record {
            for (ecosystem, package, advisory) in says.packages {
                let list = self.about.entry((ecosystem, package)).or_default();
                list.push(advisory);
            }
        }
    }

    /// What it covers.
    #[must_use]
    pub fn covers(&self) -> &[Cover] {
        &self.covers
    }

    /// How many records it has.
    #[must_use]
    pub const fn records(&self) -> usize {
        self.records
    }
}

impl Advisories for Shipped {
    fn database(&self) -> &Database {
        &self.database
    }

    fn about(
        &self,
        ecosystem: Ecosystem,
        release: Option<&str>,
        package: &str,
    ) -> Result<Option<Vec<Advisory>>, LookupError> {
        let covered = self.covers.iter().any(|cover| {
            cover.ecosystem == ecosystem
                && cover.release.as_deref() == release
                && cover.packages.contains(package)
        });
        let list = || self.about.get(&(ecosystem, package.to_owned()));
        Ok(covered.then(|| list().cloned().unwrap_or_default()))
    }

    fn named(
        &self,
        ecosystem: Ecosystem,
        ending: &str,
    ) -> Result<Option<Vec<String>>, LookupError> {
        let covers = self.covers.iter().filter(|one| one.ecosystem == ecosystem);
        let names = covers.flat_map(|cover| &cover.packages);
        let names: Vec<String> = names
            .filter(|name| name.ends_with(ending))
            .cloned()
            .collect();
        // What it does not name is not covered.
        Ok((!names.is_empty()).then_some(names))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::finding::affects::Ranges;

    #[test]
    fn the_page_about_scans_names_this_snapshot() {
        let text = include_str!("../../docs/scan.md");
        let named = text.split(|c: char| !(c.is_ascii_alphanumeric() || c == '-'));
        let named: Vec<&str> = named.filter(|word| word.starts_with("shipped-")).collect();
        let id = Shipped::read().unwrap().database.id;
        assert!(
            !named.is_empty() && named.iter().all(|name| *name == id),
            "{id}: {named:?}"
        );
    }

    #[test]
    fn every_file_is_a_record_about_packages_that_are_covered() {
        let shipped = Shipped::read().unwrap();
        assert!(shipped.records > 20 && shipped.database.date.as_str() >= "2026-11-25");
        for (ecosystem, package) in shipped.about.keys() {
            let covered = shipped
                .covers
                .iter()
                .any(|cover| cover.ecosystem == *ecosystem && cover.packages.contains(package));
            assert!(
                covered,
                "{ecosystem} {package} has advisories and is not covered"
            );
        }
    }

    #[test]
    fn each_record_is_sound_and_filed_under_a_package_of_its_own() {
        for file in FILES.dirs().flat_map(Dir::files) {
            let name = file.path().file_stem().unwrap().to_str().unwrap();
            let mut ids = Vec::new();
            for (id, record) in osv::read_all(file.contents()).unwrap() {
                let Record::Says(says) = record else {
                    panic!("{id} is withdrawn: remove it");
                };
                assert!(!says.modified.is_empty(), "{id}");
                assert!(
                    says.packages.iter().any(|(_, package, _)| package == name),
                    "{id}"
                );
                for (ecosystem, package, advisory) in says.packages {
                    assert!(!advisory.summary.is_empty(), "{id}");
                    for part in &advisory.affected {
                        assert!(!part.ranges.is_empty(), "{id} {package}");
                        let read = Ranges::read(ecosystem, part);
                        assert!(!read.is_broken(), "{id}: a version cannot be read");
                        assert_eq!(part.release.is_some(), ecosystem.has_releases(), "{id}");
                    }
                }
                ids.push(id);
            }
            let count = ids.len();
            ids.sort();
            ids.dedup();
            assert_eq!(ids.len(), count, "{name} has a record twice");
        }
    }

    #[test]
    fn what_is_not_covered_is_not_called_clean() {
        let shipped = Shipped::get();
        let about = |ecosystem, release, name| shipped.about(ecosystem, release, name).unwrap();
        assert!(about(Ecosystem::PyPi, None, "flask").is_some());
        assert!(about(Ecosystem::PyPi, None, "no-such-package").is_none());
        assert!(about(Ecosystem::Debian, Some("13"), "glibc").is_some());
        assert!(about(Ecosystem::Debian, Some("9"), "glibc").is_none());
    }
}
