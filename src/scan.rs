//! Scanners that people have installed, run with care: an archive in, findings out.
//!
//! Each adapter knows one scanner: its command, its output, its versions that must not be run. A
//! scanner gets an environment with nothing in it that it does not need, an empty home, the image as
//! a file, a time limit and a limit on what it may print.

mod grype;
mod known;
mod layout;
mod osv_cache;
mod osv_scanner;
mod program;
mod purl;
mod scout;
mod source;
#[cfg(test)]
mod tests;
mod trivy;

use std::collections::BTreeSet;
use std::path::Path;
use std::time::Duration;

pub use known::Image;
pub use program::Installed;
use program::Output;
pub use program::find;
pub use program::place;
use thiserror::Error;
use tokio_util::sync::CancellationToken;

use crate::finding::Ecosystem;
use crate::finding::Scan;
use crate::image::archive::ArchiveError;
use crate::image::package::PackageKind;
use crate::text::Clean;

/// How long a scanner may take.
const SCAN_WITHIN: Duration = Duration::from_secs(600);

/// A scanner.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Scanner {
    /// Trivy.
    Trivy,
    /// Grype.
    Grype,
    /// OSV-Scanner.
    OsvScanner,
    /// Docker Scout, a plugin of Docker's command line.
    Scout,
}

impl Scanner {
    /// Every scanner that there is an adapter for.
    pub const ALL: [Self; 4] = [Self::Trivy, Self::Grype, Self::OsvScanner, Self::Scout];

    /// Its name, as the command line has it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Trivy => "trivy",
            Self::Grype => "grype",
            Self::OsvScanner => "osv-scanner",
            Self::Scout => "scout",
        }
    }

    /// Its name, as its makers write it.
    #[must_use]
    pub const fn title(self) -> &'static str {
        match self {
            Self::Trivy => "Trivy",
            Self::Grype => "Grype",
            Self::OsvScanner => "OSV-Scanner",
            Self::Scout => "Docker Scout",
        }
    }

    /// Whether it finds packages of this kind in an image and compares them.
    #[must_use]
    pub const fn compares(self, kind: PackageKind) -> bool {
        match kind {
            // OSV-Scanner reads the lock files of sources, and in images no gems and nothing of
            // Composer's.
            PackageKind::Ruby | PackageKind::Php => !matches!(self, Self::OsvScanner),
            _ => true,
        }
    }

    /// Whether it finds language implementations that no package brought, and compares them.
    const fn compares_runtimes(self) -> bool {
        match self {
            Self::Grype | Self::Scout => true,
            Self::Trivy | Self::OsvScanner => false,
        }
    }

    fn adapter(self) -> Adapter {
        match self {
            Self::Trivy => trivy::ADAPTER,
            Self::Grype => grype::ADAPTER,
            Self::OsvScanner => osv_scanner::ADAPTER,
            Self::Scout => scout::ADAPTER,
        }
    }
}

/// Reads a result, given the version and what is known of the image.
type Reader = fn(&[u8], &Version, &Image<'_>) -> Result<Scan, String>;

/// What is known of one scanner.
#[derive(Clone, Copy)]
struct Adapter {
    /// The program.
    program: &'static str,
    /// Words that ask for its version.
    version: &'static [&'static str],
    /// Reads the answer to that: the version, and the day of its database where it says.
    read_version: fn(&str) -> Option<Version>,
    /// Words that scan an archive as `docker save` writes it.
    scan: fn(&Path) -> Vec<String>,
    /// Variables of the environment besides those that every scanner gets.
    keeps: &'static [&'static str],
    /// Variables that are set.
    sets: &'static [(&'static str, &'static str)],
    /// Exit codes that come with a result.
    ends_with: &'static [i32],
    /// What a line on its standard error holds where it had no database: what it prints then is not
    /// whole, whatever its exit code.
    lacks: &'static [&'static str],
    /// What it says where the program is here and the part of it that scans is not.
    absent: &'static [&'static str],
    /// How many files it says there that it could not read.
    unread: fn(&str) -> usize,
    /// Versions that must not be run, with the reason.
    refused: &'static [(&'static str, &'static str)],
    /// What to do where it has no database, as a lower-case imperative.
    prepare: &'static str,
    /// Reads its result.
    read: Reader,
    /// The day of its databases of some ecosystems, where it does not say it itself.
    day: fn(&BTreeSet<Ecosystem>) -> Option<String>,
}

/// A scanner's version.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Version {
    /// Its own: `0.58.1`.
    pub own: String,
    /// The day of its database: `2026-11-20`; empty where it does not say.
    pub database: String,
}

/// A scanner could not be used.
#[derive(Debug, Error)]
pub enum ScanError {
    /// It is not installed.
    #[error("`{0}` is not installed: no such program on the `PATH`")]
    NotInstalled(&'static str),
    /// Its program is here, and the plugin of it that scans is not.
    #[error("`{program} {plugin}` is not installed: `{program}` has no such plugin")]
    NoPlugin {
        /// The program.
        program: &'static str,
        /// The plugin.
        plugin: &'static str,
    },
    /// That version must not be run.
    #[error("`{program}` {version} is refused: {why}")]
    Refused {
        /// The program.
        program: &'static str,
        /// Its version.
        version: String,
        /// Why, as a fragment.
        why: &'static str,
    },
    /// The image could not be brought into the form that it takes.
    #[error("the archive cannot be unpacked for `{program}`")]
    Unpack {
        /// The program.
        program: &'static str,
        /// Why.
        #[source]
        source: ArchiveError,
    },
    /// It could not be started or watched.
    #[error("`{program}` cannot be run")]
    Start {
        /// The program.
        program: &'static str,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// It failed.
    #[error("`{program}` failed: {last_words}")]
    Failed {
        /// The program.
        program: &'static str,
        /// What it said last.
        last_words: Clean,
        /// What may help, as a lower-case imperative.
        hint: &'static str,
    },
    /// It took too long.
    #[error("`{program}` was stopped after {} s", within.as_secs())]
    TooLong {
        /// The program.
        program: &'static str,
        /// How long it had.
        within: Duration,
    },
    /// It printed too much.
    #[error("`{program}` printed more than {most} bytes and was stopped")]
    TooMuch {
        /// The program.
        program: &'static str,
        /// How much it may print.
        most: usize,
    },
    /// Its result cannot be read.
    #[error("the result of `{program}` {version} cannot be read: {why}")]
    Unreadable {
        /// The program.
        program: &'static str,
        /// Its version.
        version: String,
        /// Why, as a fragment.
        why: Clean,
    },
    /// It was cancelled.
    #[error("stopped")]
    Cancelled,
}

impl ScanError {
    /// What to do next, as a lower-case imperative.
    #[must_use]
    pub fn hint(&self) -> &str {
        match self {
            Self::NotInstalled(_) | Self::NoPlugin { .. } => {
                "leave `--engine` out: loadline's own scan needs nothing installed"
            }
            Self::Refused { .. } => {
                "remove it, change every secret that it could read, and install a later version from its makers"
            }
            Self::Failed { hint, .. } => hint,
            Self::Unpack { .. } => {
                "it is unpacked below `TMPDIR`: look for room there, or leave `--engine` out"
            }
            Self::Start { .. } => "run it by hand to see what it says",
            Self::TooLong { .. } | Self::TooMuch { .. } | Self::Unreadable { .. } => {
                "run it by hand, or use loadline's own scan"
            }
            Self::Cancelled => "run it again",
        }
    }
}

/// Scans the image in an archive with a scanner that is installed. It starts in a folder of its own,
/// so that the path must be absolute.
///
/// # Errors
/// When it is not installed, must not be run, fails, or says what cannot be read.
pub async fn scan(
    scanner: Scanner,
    archive: &Path,
    image: &Image<'_>,
    cancel: &CancellationToken,
) -> Result<Scan, ScanError> {
    let adapter = scanner.adapter();
    let program = adapter.program;
    let installed = find(scanner, cancel).await?;
    if let Some(why) = installed.refused {
        return Err(ScanError::Refused {
            program,
            version: installed.version.own,
            why,
        });
    }
    let source = source::ready(program, archive, cancel).await?;
    let words = (adapter.scan)(&source.path);
    let output = program::run(&adapter, &installed.path, &words, SCAN_WITHIN, cancel).await?;
    let unread = check(&adapter, &output)?;
    let read = (adapter.read)(&output.stdout, &installed.version, image);
    let mut scan = read.map_err(|why| ScanError::Unreadable {
        program,
        version: installed.version.own.clone(),
        why: Clean::line(&why),
    })?;
    scan.engine = format!("{program} {}", installed.version.own);
    scan.unread = unread;
    if scan.database_date.is_empty() {
        scan.database_date = (adapter.day)(&image.ecosystems()).unwrap_or_default();
    }
    image.complete(scanner, &mut scan);
    Ok(scan)
}

/// How many files a scanner could not read, where it made a result all the same.
fn check(adapter: &Adapter, output: &Output) -> Result<usize, ScanError> {
    let words = String::from_utf8_lossy(&output.stderr);
    let unread = (adapter.unread)(&words);
    let failed = |last_words| ScanError::Failed {
        program: adapter.program,
        last_words,
        hint: adapter.prepare,
    };
    let is_lack = |line: &&str| adapter.lacks.iter().any(|lack| line.contains(lack));
    if let Some(line) = words.lines().find(is_lack) {
        return Err(failed(Clean::line(line)));
    }
    // A file that could not be read makes the exit code one of failure.
    let is_whole = adapter.ends_with.contains(&output.code);
    if is_whole || (unread > 0 && !output.stdout.is_empty()) {
        Ok(unread)
    } else {
        Err(failed(output.last_words()))
    }
}

/// The scanners that are here, each with its version.
pub async fn installed(cancel: &CancellationToken) -> Vec<(Scanner, Installed)> {
    let mut here = Vec::new();
    for scanner in Scanner::ALL {
        if let Ok(installed) = find(scanner, cancel).await {
            here.push((scanner, installed));
        }
    }
    here
}
