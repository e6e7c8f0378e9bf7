//! Reads downloaded packages with two threads and hands them over in their order.

#![expect(
    clippy::disallowed_methods,
    reason = "edge: reads the files that apt downloaded"
)]

use std::collections::BTreeMap;
use std::io;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::AtomicUsize;
use std::sync::atomic::Ordering;
use std::sync::mpsc;

use thiserror::Error;
use tokio_util::sync::CancellationToken;

use crate::bases::apt::AptError;
use crate::bases::apt::Package;
use crate::bases::deb::Deb;
use crate::bases::deb::DebError;
use crate::bases::layer::sha256;

/// How many packages are read at once.
const READERS: usize = 2;

/// A package could not be unpacked.
#[derive(Debug, Error)]
pub enum UnpackError {
    /// It is not the file that the index names, or cannot be read.
    #[error(transparent)]
    Apt(#[from] AptError),
    /// It is not a package.
    #[error("the package `{package}` cannot be unpacked")]
    Deb {
        /// Its name.
        package: String,
        /// Why.
        #[source]
        source: DebError,
    },
    /// The layer could not be written.
    #[error("a layer cannot be written")]
    Layer(#[from] io::Error),
    /// The work was cancelled.
    #[error("cancelled")]
    Cancelled,
}

/// Reads each package, does `work` on it in a reader's thread, and hands the results to `take` in
/// the order of `packages`.
///
/// # Errors
/// When a file is not what the index names, or `work` or `take` fail. A damaged file is removed so
/// that the next run downloads it again.
pub fn each<T: Send>(
    packages: &[Package],
    cancel: &CancellationToken,
    work: impl Fn(&Package, Deb) -> Result<T, UnpackError> + Sync,
    mut take: impl FnMut(&Package, T) -> Result<(), UnpackError>,
) -> Result<(), UnpackError> {
    let next = AtomicUsize::new(0);
    let stop = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let (sender, receiver) = mpsc::sync_channel(READERS);
        for _ in 0..READERS {
            let (sender, next, stop, work) = (sender.clone(), &next, &stop, &work);
            scope.spawn(move || {
                while !stop.load(Ordering::Relaxed) {
                    let at = next.fetch_add(1, Ordering::Relaxed);
                    let Some(package) = packages.get(at) else {
                        return;
                    };
                    let done = read(package).and_then(|deb| work(package, deb));
                    if sender.send((at, done)).is_err() {
                        return;
                    }
                }
            });
        }
        drop(sender);
        let end = taken(packages, cancel, &receiver, &mut take);
        stop.store(true, Ordering::Relaxed);
        drop(receiver);
        end
    })
}

/// Puts results into order and hands them on.
fn taken<T>(
    packages: &[Package],
    cancel: &CancellationToken,
    receiver: &mpsc::Receiver<(usize, Result<T, UnpackError>)>,
    take: &mut impl FnMut(&Package, T) -> Result<(), UnpackError>,
) -> Result<(), UnpackError> {
    let mut early = BTreeMap::new();
    let mut wanted = 0;
    for (at, done) in receiver {
        if cancel.is_cancelled() {
            return Err(UnpackError::Cancelled);
        }
        early.insert(at, done?);
        while let (Some(value), Some(package)) = (early.remove(&wanted), packages.get(wanted)) {
            take(package, value)?;
            wanted += 1;
        }
    }
    Ok(())
}

/// Reads and verifies one package.
fn read(package: &Package) -> Result<Deb, UnpackError> {
    let bytes = std::fs::read(&package.path).map_err(|source| AptError::File {
        path: package.path.clone(),
        source,
    })?;
    if sha256(&bytes) != package.sha256 {
        let _ = std::fs::remove_file(&package.path);
        let name = package.path.file_name().unwrap_or_default();
        return Err(AptError::Damaged(name.to_string_lossy().into_owned()).into());
    }
    Deb::read(&bytes).map_err(|source| UnpackError::Deb {
        package: package.name.clone(),
        source,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::units::Bytes;

    fn packages(folder: &std::path::Path, names: &[&str]) -> Vec<Package> {
        names
            .iter()
            .map(|name| {
                let bytes = crate::bases::deb::tests::package(
                    &format!("Package: {name}\n"),
                    &[],
                    &[("./", "")],
                );
                let path = folder.join(name);
                std::fs::write(&path, &bytes).expect("a folder of the test's own");
                Package {
                    name: (*name).to_owned(),
                    version: "1".to_owned(),
                    architecture: "all".to_owned(),
                    path,
                    size: Bytes(bytes.len() as u64),
                    sha256: sha256(&bytes),
                }
            })
            .collect()
    }

    fn names(packages: &[Package], cancel: &CancellationToken) -> Result<Vec<String>, UnpackError> {
        let mut names = Vec::new();
        each(
            packages,
            cancel,
            |_, deb| Ok(deb.control.package().to_owned()),
            |_, name| {
                names.push(name);
                Ok(())
            },
        )?;
        Ok(names)
    }

    #[test]
    fn packages_come_in_their_order() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let wanted = ["a", "b", "c", "d", "e", "f", "g"];
        let packages = packages(folder.path(), &wanted);
        assert_eq!(
            names(&packages, &CancellationToken::new()).expect("they are sound"),
            wanted
        );
    }

    #[test]
    fn a_damaged_file_is_named_and_removed() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let packages = packages(folder.path(), &["a", "b"]);
        std::fs::write(&packages[1].path, "cut short").expect("a folder of the test's own");
        let error = names(&packages, &CancellationToken::new()).expect_err("b is damaged");
        assert_eq!(
            error.to_string(),
            "the package file `b` is damaged; it was removed"
        );
        assert!(!packages[1].path.exists());
        assert!(packages[0].path.exists());
    }

    #[test]
    fn a_cancelled_run_ends() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let packages = packages(folder.path(), &["a", "b", "c"]);
        let cancel = CancellationToken::new();
        cancel.cancel();
        assert!(matches!(
            names(&packages, &cancel),
            Err(UnpackError::Cancelled)
        ));
    }
}
