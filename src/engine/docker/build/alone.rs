#![expect(
    clippy::disallowed_methods,
    reason = "the edge to the builds of other processes: locks the folder of the engine's socket"
)]
//! Whether a build is the only one of Loadline's on its engine.
//!
//! No builder says whose a command is that it runs, and everybody who works at one exercise builds
//! with the same ones. So each build holds a shared lock on the folder of the engine's socket, and
//! what may only be done alone is done under an exclusive one. Everybody on this host who reaches
//! the engine sees such a lock, nothing is written for it, and the system lets go of it with the
//! process. Builds that come from elsewhere, from inside a container or over a network, are not
//! seen.

use std::fs::File;
use std::fs::TryLockError;
use std::time::Duration;

use crate::engine::address::Address;

/// How often, and how far apart, a place is asked for: somebody who is alone needs a moment.
const TRIES: usize = 20;
const PAUSE: Duration = Duration::from_millis(50);

/// Who else builds on an engine.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Others {
    /// Nobody on this host.
    None,
    /// Somebody does.
    Some,
    /// That cannot be told: the engine is reached in another way than by a socket of this host.
    Unknown,
}

/// A build's place among those on its engine. It is given up with the value.
#[derive(Debug)]
pub(super) struct Place {
    folder: Option<File>,
}

impl Place {
    /// Takes a place, before the build begins.
    pub(super) async fn take(address: &Address) -> Self {
        let folder = folder(address);
        if let Some(folder) = &folder {
            for _ in 0..TRIES {
                match folder.try_lock_shared() {
                    Err(TryLockError::WouldBlock) => tokio::time::sleep(PAUSE).await,
                    // Where nothing can be locked, nobody finds that he is alone either.
                    Ok(()) | Err(TryLockError::Error(_)) => break,
                }
            }
        }
        Self { folder }
    }

    /// Acts where nobody else builds, while nobody begins to. The place is given up by that: it is
    /// for builds that were given up.
    pub(super) fn if_alone(&self, act: impl FnOnce()) -> Others {
        let Some(folder) = &self.folder else {
            return Others::Unknown;
        };
        match folder.try_lock() {
            Ok(()) => {
                act();
                let _ = folder.unlock();
                Others::None
            }
            Err(TryLockError::WouldBlock) => Others::Some,
            Err(TryLockError::Error(_)) => Others::Unknown,
        }
    }
}

/// The folder of the engine's socket, links followed, where this user may open it.
fn folder(address: &Address) -> Option<File> {
    let Address::Unix(path) = address else {
        return None;
    };
    let socket = std::fs::canonicalize(path).ok()?;
    File::open(socket.parent()?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// An address in a folder of its own.
    fn engine() -> (tempfile::TempDir, Address) {
        let folder = tempfile::tempdir().unwrap();
        let socket = folder.path().join("engine.sock");
        std::fs::write(&socket, "").unwrap();
        (folder, Address::unix(socket))
    }

    fn acted(place: &Place) -> (Others, bool) {
        let mut acted = false;
        let others = place.if_alone(|| acted = true);
        (others, acted)
    }

    #[tokio::test]
    async fn nothing_is_done_while_another_build_is_at_work() {
        let (_folder, address) = engine();
        let ours = Place::take(&address).await;
        let theirs = Place::take(&address).await;
        assert_eq!(acted(&ours), (Others::Some, false));
        drop(theirs);
        assert_eq!(acted(&ours), (Others::None, true));
        let later = Place::take(&address).await;
        assert_eq!(acted(&ours), (Others::Some, false), "ours was given up");
        assert_eq!(acted(&later), (Others::None, true));
    }

    #[tokio::test]
    async fn builds_on_another_engine_are_not_in_the_way() {
        let (_one, address) = engine();
        let (_other, elsewhere) = engine();
        let ours = Place::take(&address).await;
        let _theirs = Place::take(&elsewhere).await;
        assert_eq!(acted(&ours), (Others::None, true));
    }

    #[tokio::test]
    async fn on_an_engine_elsewhere_nobody_is_known_to_be_alone() {
        for address in [
            Address::Tcp("lab:2375".to_owned()),
            Address::unix("/nowhere/engine.sock"),
        ] {
            let place = Place::take(&address).await;
            assert_eq!(acted(&place), (Others::Unknown, false), "{address}");
        }
    }
}
