//! What the program notes for whoever looks for a fault in it: into the file that `LOADLINE_LOG`
//! names, and nowhere else.

#![expect(
    clippy::disallowed_methods,
    reason = "edge: reads the variable and opens the file that it names"
)]

use std::env;
use std::fs::File;
use std::io;
use std::io::IsTerminal as _;
use std::path::Path;
use std::path::PathBuf;
use std::sync::Mutex;

use tracing::Subscriber;
use tracing_subscriber::filter::LevelFilter;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::fmt;
use tracing_subscriber::layer::SubscriberExt as _;

use crate::cli::CliError;

/// Begins to note, where that was asked for.
///
/// # Errors
/// When the file cannot be written.
pub(crate) fn begin() -> Result<(), CliError> {
    let asked = env::var_os("LOADLINE_LOG").filter(|path| !path.is_empty());
    let Some(path) = asked.map(PathBuf::from) else {
        return Ok(());
    };
    let file = open(&path).map_err(|cause| CliError::Unwritable { path, cause })?;
    // Whoever calls the library may have one of their own; that one stays.
    let _ = tracing::subscriber::set_global_default(into(file));
    tracing::info!(version = env!("CARGO_PKG_VERSION"), "began");
    Ok(())
}

/// Lines are added: a second program may note at the same time.
fn open(path: &Path) -> io::Result<File> {
    let file = File::options().create(true).append(true).open(path)?;
    if file.is_terminal() {
        let why = "it is a terminal, and the screens are drawn there";
        return Err(io::Error::new(io::ErrorKind::InvalidInput, why));
    }
    Ok(file)
}

/// Only what this program notes itself: libraries would write down what is sent, secrets too.
fn into(file: File) -> impl Subscriber {
    let lines = fmt::layer().with_ansi(false).with_writer(Mutex::new(file));
    let own = Targets::new().with_target(env!("CARGO_CRATE_NAME"), LevelFilter::DEBUG);
    tracing_subscriber::registry().with(own).with(lines)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_this_program_notes_is_added_to_the_file_and_nothing_else() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("log");
        for part in ["one", "two"] {
            tracing::subscriber::with_default(into(open(&path).unwrap()), || {
                tracing::debug!(part, "noted");
                tracing::error!(target: "hyper", "a header");
                tracing::trace!("too much");
            });
        }
        let text = std::fs::read_to_string(&path).unwrap();
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(lines.len(), 2, "{text}");
        assert!(lines[1].ends_with("noted part=\"two\""), "{text}");
        assert!(!text.contains('\u{1b}'), "{text}");
    }

    #[test]
    fn a_file_that_cannot_be_written_is_an_error() {
        assert!(open(Path::new("/nonexistent/log")).is_err());
        assert!(open(Path::new("/")).is_err());
    }
}
