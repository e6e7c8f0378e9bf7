#![expect(
    clippy::disallowed_methods,
    reason = "reads /proc to tell how busy this host is, and locks a folder of it"
)]
//! Whether this host is short of CPU, and whose turn it is where it was.

use std::fs::File;
use std::fs::TryLockError;
use std::path::Path;
use std::time::Duration;
use std::time::Instant;

/// The share of the last ten seconds, in percent, in which somebody waited for a CPU, from which on
/// a host is short of it.
const SHORT: f64 = 25.0;

/// How long a turn is waited for, and how often it is asked for.
const LONGEST: Duration = Duration::from_secs(180);
const PAUSE: Duration = Duration::from_millis(100);

/// Waits until nobody else of this host has the turn: the lock on a folder that all of them can
/// open. Nothing is written, and the system lets go of it with the process.
pub(super) async fn turn(folder: &Path) -> Option<File> {
    let folder = File::open(folder).ok()?;
    let began = Instant::now();
    while began.elapsed() < LONGEST {
        match folder.try_lock() {
            Ok(()) => return Some(folder),
            Err(TryLockError::WouldBlock) => tokio::time::sleep(PAUSE).await,
            Err(TryLockError::Error(_)) => return None,
        }
    }
    None
}

/// Whether programs on this host wait for a CPU; no where the kernel does not say so.
pub(super) fn is_short_of_cpu() -> bool {
    let text = std::fs::read_to_string("/proc/pressure/cpu").unwrap_or_default();
    waited(&text).is_some_and(|share| share >= SHORT)
}

/// The share in `some avg10=50.72 avg60=33.58 avg300=14.86 total=38773149472`.
fn waited(text: &str) -> Option<f64> {
    let some = text.lines().find_map(|line| line.strip_prefix("some "))?;
    let mut words = some.split_whitespace();
    words
        .find_map(|word| word.strip_prefix("avg10="))?
        .parse()
        .ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_share_of_the_last_ten_seconds_is_read() {
        let text = "some avg10=50.72 avg60=33.58 avg300=14.86 total=38773149472\n\
                    full avg10=0.00 avg60=0.00 avg300=0.00 total=0\n";
        assert_eq!(waited(text), Some(50.72));
        assert_eq!(waited("full avg10=1.00\n"), None);
        assert_eq!(waited(""), None);
    }
    #[tokio::test]
    async fn a_turn_is_waited_for_until_the_one_before_has_ended() {
        let folder = tempfile::tempdir().unwrap();
        let first = turn(folder.path()).await.unwrap();
        let mut second = std::pin::pin!(turn(folder.path()));
        let waits = tokio::time::timeout(PAUSE, &mut second).await;
        assert!(waits.is_err(), "two have the turn");
        drop(first);
        assert!(second.await.is_some());
        assert!(turn(Path::new("/nowhere")).await.is_none());
    }
}
