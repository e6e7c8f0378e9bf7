//! The day of OSV-Scanner's databases: it does not say, but each is a file that came on some day.

#![expect(
    clippy::disallowed_methods,
    reason = "edge: asks when the files in the scanner's cache came"
)]

use std::collections::BTreeSet;
use std::path::Path;
use std::path::PathBuf;

use time::OffsetDateTime;

use super::program;
use crate::finding::Ecosystem;

/// The variable that names another folder than the user's cache.
pub(super) const FOLDER: &str = "OSV_SCANNER_LOCAL_DB_CACHE_DIRECTORY";

/// Its folder in a cache: of the scanner, and of the library that newer releases leave it to.
const NAMES: [&str; 2] = ["osv-scanner", "osv-scalibr"];

/// The day of the oldest of the databases of these ecosystems; `None` where one is not found.
pub(super) fn day(ecosystems: &BTreeSet<Ecosystem>) -> Option<String> {
    let named = std::env::var_os(FOLDER).filter(|value| !value.is_empty());
    let cache = named.map(PathBuf::from).or_else(program::cache)?;
    oldest(&cache, ecosystems)
}

fn oldest(cache: &Path, ecosystems: &BTreeSet<Ecosystem>) -> Option<String> {
    let of = |ecosystem: &Ecosystem| {
        let places = NAMES.map(|name| cache.join(name).join(ecosystem.name()).join("all.zip"));
        let times = places.iter().filter_map(|path| {
            let about = std::fs::metadata(path).ok()?;
            about.modified().ok()
        });
        // Which of two is read depends on the release: the older one promises nothing too much.
        times.min()
    };
    let times: Option<Vec<_>> = ecosystems.iter().map(of).collect();
    let oldest = times?.into_iter().min()?;
    Some(OffsetDateTime::from(oldest).date().to_string())
}

#[cfg(test)]
mod tests {
    use std::time::Duration;
    use std::time::SystemTime;

    use super::*;

    #[test]
    fn the_oldest_database_that_was_asked_counts_and_a_missing_one_says_nothing() {
        let cache = tempfile::tempdir().unwrap();
        // 2026-11-18, and two and four days later.
        let first = 1_794_960_000;
        for (folder, days) in [
            ("osv-scanner/Debian", 2),
            ("osv-scanner/PyPI", 4),
            ("osv-scanner/npm", 0),
            ("osv-scalibr/Go", 4),
        ] {
            let folder = cache.path().join(folder);
            std::fs::create_dir_all(&folder).unwrap();
            let file = std::fs::File::create(folder.join("all.zip")).unwrap();
            let at = SystemTime::UNIX_EPOCH + Duration::from_secs(first + days * 24 * 60 * 60);
            file.set_modified(at).unwrap();
        }
        let of =
            |ecosystems: &[Ecosystem]| oldest(cache.path(), &ecosystems.iter().copied().collect());
        assert_eq!(of(&[Ecosystem::Npm]).as_deref(), Some("2026-11-18"));
        let two = [Ecosystem::PyPi, Ecosystem::Debian];
        assert_eq!(of(&two).as_deref(), Some("2026-11-20"));
        assert_eq!(of(&[Ecosystem::Go]).as_deref(), Some("2026-11-22"));
        assert_eq!(of(&[Ecosystem::Go, Ecosystem::Rust]), None);
        assert_eq!(of(&[]), None);
    }
}
