//! What this host brings to a build: the authorities that it was told to trust, and a lock so that
//! two processes do not make the same image twice.

#![expect(
    clippy::disallowed_methods,
    reason = "edge: reads the host's authorities and locks a file of the cache"
)]

use std::ffi::OsStr;
use std::fs::File;
use std::fs::TryLockError;
use std::io;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;
use std::time::Duration;

use rustix::fs::OFlags;
use tokio_util::sync::CancellationToken;

use crate::bases::error::BaseError;
use crate::bases::progress::Phase;
use crate::bases::progress::Reporter;

/// Where a Debian-family host keeps the authorities that it was told to trust.
const AUTHORITIES: &str = "/usr/local/share/ca-certificates";

/// The note that base images could not be made anew.
const FAILED: &str = "renewal-failed";

/// How long it is put off then.
const PUT_OFF: Duration = Duration::from_secs(60 * 60);

/// How often a taken lock is tried again.
const AGAIN: Duration = Duration::from_millis(200);

/// The extra authorities of this host.
#[derive(Debug, Default)]
pub struct Authorities {
    /// File name and PEM text, in order of their names.
    pub trusted: Vec<(String, Vec<u8>)>,
    /// What cannot be read, each with the reason.
    pub unreadable: Vec<String>,
}

/// The extra authorities of this host.
#[must_use]
pub fn authorities() -> Authorities {
    authorities_in(Path::new(AUTHORITIES))
}

fn authorities_in(folder: &Path) -> Authorities {
    let mut found = Authorities::default();
    let files = walkdir::WalkDir::new(folder)
        .follow_links(true)
        .sort_by_file_name();
    for file in files {
        match file {
            Ok(file) if file.file_type().is_file() => found.add(folder, file.path()),
            Ok(_) => {}
            Err(error) => {
                if let (Some(path), Some(why)) = (error.path(), error.io_error()) {
                    found.miss(path, why);
                }
            }
        }
    }
    found
}

impl Authorities {
    fn add(&mut self, folder: &Path, path: &Path) {
        if path.extension() != Some(OsStr::new("crt")) {
            return;
        }
        let name = path.strip_prefix(folder).unwrap_or(path).to_str();
        match (std::fs::read(path), name) {
            (Ok(pem), Some(name)) => {
                let marker = b"-----BEGIN CERTIFICATE-----";
                if pem.windows(marker.len()).any(|window| window == marker) {
                    self.trusted.push((name.replace('/', "-"), pem));
                }
            }
            (Ok(_), None) => {
                let why = "its name is no UTF-8";
                self.unreadable.push(format!("{}: {why}", path.display()));
            }
            (Err(error), _) => self.miss(path, &error),
        }
    }

    /// A folder that is not there, or a link that leads nowhere, holds nothing that the host trusts.
    fn miss(&mut self, path: &Path, error: &io::Error) {
        if error.kind() != io::ErrorKind::NotFound {
            let missed = format!("{}: {}", path.display(), error.kind());
            self.unreadable.push(missed);
        }
    }
}

/// A lock on `folder` that is held until it is dropped; the system releases it with the process.
///
/// # Errors
/// When the lock file cannot be made or the wait is cancelled.
pub(super) async fn lock(
    folder: &Path,
    report: &Reporter,
    cancel: &CancellationToken,
) -> Result<File, BaseError> {
    let path = folder.join("lock");
    let failed = |source| BaseError::File {
        path: path.clone(),
        source,
    };
    std::fs::create_dir_all(folder).map_err(failed)?;
    let file = File::options()
        .write(true)
        .create(true)
        .truncate(false)
        .custom_flags(OFlags::NOFOLLOW.bits().cast_signed())
        .open(&path)
        .map_err(failed)?;
    loop {
        match file.try_lock() {
            Ok(()) => return Ok(file),
            Err(TryLockError::WouldBlock) => report.begin(Phase::Waiting),
            Err(TryLockError::Error(source)) => return Err(failed(source)),
        }
        tokio::select! {
            () = cancel.cancelled() => return Err(BaseError::Cancelled),
            () = tokio::time::sleep(AGAIN) => {}
        }
    }
}

/// Takes note beside the cache that base images could not be made anew just now. Where that fails,
/// it is tried again sooner.
pub(super) fn note_failure(folder: &Path) {
    let _ = std::fs::write(folder.join(FAILED), "");
}

/// They could.
pub(super) fn forget_failure(folder: &Path) {
    let _ = std::fs::remove_file(folder.join(FAILED));
}

/// Whether they could not, and it is too early to try it again.
pub(super) fn has_failed_lately(folder: &Path) -> bool {
    let noted = std::fs::metadata(folder.join(FAILED)).and_then(|known| known.modified());
    noted.is_ok_and(|noted| noted.elapsed().is_ok_and(|ago| ago < PUT_OFF))
}

/// Whether this host has apt.
#[must_use]
pub(super) fn has_apt() -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path).any(|folder| folder.join("apt-get").is_file())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_certificates_are_taken() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let pem = "-----BEGIN CERTIFICATE-----\nAA==\n-----END CERTIFICATE-----\n";
        for (name, text) in [
            ("b.crt", pem),
            ("a/c.crt", pem),
            ("note.txt", pem),
            ("x.crt", "no"),
        ] {
            let path = folder.path().join(name);
            std::fs::create_dir_all(path.parent().expect("a parent")).expect("made");
            std::fs::write(path, text).expect("written");
        }
        let none = authorities_in(Path::new("/nonexistent"));
        assert!(none.trusted.is_empty() && none.unreadable.is_empty());
        // Nobody can read its beginning, root neither.
        let link = |to: &str, name: &str| {
            std::os::unix::fs::symlink(to, folder.path().join(name)).expect("made");
        };
        link("/proc/self/mem", "barred.crt");
        link("gone", "gone.crt");
        let found = authorities_in(folder.path());
        let names: Vec<String> = found.trusted.into_iter().map(|(name, _)| name).collect();
        assert_eq!(names, ["a-c.crt", "b.crt"]);
        let [barred] = &found.unreadable[..] else {
            panic!("{:?}", found.unreadable);
        };
        assert!(barred.contains("/barred.crt: "), "{barred}");
    }

    #[test]
    fn what_failed_is_put_off_for_a_while() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        assert!(!has_failed_lately(folder.path()));
        note_failure(folder.path());
        assert!(has_failed_lately(folder.path()));
        let long_ago = std::time::SystemTime::now() - PUT_OFF - PUT_OFF;
        let note = File::options().write(true).open(folder.path().join(FAILED));
        let note = note.expect("it was made");
        note.set_modified(long_ago).expect("it is ours");
        assert!(!has_failed_lately(folder.path()));
        note_failure(folder.path());
        forget_failure(folder.path());
        assert!(!has_failed_lately(folder.path()));
    }

    #[tokio::test]
    async fn a_lock_never_touches_the_file_that_a_link_names() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let precious = folder.path().join("precious");
        std::fs::write(&precious, "text").expect("written");
        let cache = folder.path().join("cache");
        std::fs::create_dir(&cache).expect("made");
        std::os::unix::fs::symlink(&precious, cache.join("lock")).expect("linked");
        let (to, _progress) = tokio::sync::mpsc::channel(8);
        let report = Reporter::new("a", to);
        let refused = lock(&cache, &report, &CancellationToken::new()).await;
        assert!(matches!(refused, Err(BaseError::File { .. })));
        assert_eq!(std::fs::read_to_string(&precious).expect("read"), "text");
    }

    #[tokio::test]
    async fn a_second_process_waits_until_it_is_cancelled() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let (to, mut progress) = tokio::sync::mpsc::channel(8);
        let report = Reporter::new("a", to);
        let cancel = CancellationToken::new();
        let held = lock(folder.path(), &report, &cancel)
            .await
            .expect("it is free");
        let waiting = lock(folder.path(), &report, &cancel);
        let told = async {
            assert_eq!(
                progress.recv().await.map(|step| step.phase),
                Some(Phase::Waiting)
            );
            cancel.cancel();
        };
        let (second, ()) = tokio::join!(waiting, told);
        assert!(matches!(second, Err(BaseError::Cancelled)));
        drop(held);
        let cancel = CancellationToken::new();
        assert!(lock(folder.path(), &report, &cancel).await.is_ok());
    }
}
