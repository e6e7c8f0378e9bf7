//! The learner's files on disk: read, and watched for changes by other programs.
//!
//! The parent directories are watched, because editors save by renaming. Where the file system
//! sends no events (network, some virtual machines) the few files are read once a second instead.

#![expect(
    clippy::disallowed_methods,
    reason = "reads the learner's files; this is the edge"
)]

use std::collections::BTreeSet;
use std::path::Path;
use std::path::PathBuf;
use std::time::Duration;

use notify::RecursiveMode;
use notify::Watcher;
use tokio::sync::mpsc;

use crate::course::ExerciseId;
use crate::tui::msg::Msg;
use crate::workshop::WorkspaceFile;

/// Editors write in several steps; this long nothing must have happened.
const QUIET: Duration = Duration::from_millis(150);
/// Where events do not come.
const POLL: Duration = Duration::from_secs(1);
/// A learner's file is not larger than this.
const LARGEST: u64 = 4_000_000;

/// What is watched.
#[derive(Debug, Clone)]
pub(super) struct Watched {
    pub(super) exercise: ExerciseId,
    pub(super) folder: PathBuf,
    pub(super) files: Vec<String>,
}

/// Why the watcher should look.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Look {
    /// Something happened in a directory.
    Perhaps,
    /// Somebody asked and wants an answer.
    Now,
}

impl Watched {
    /// The files as they are.
    pub(super) fn read(&self) -> Vec<WorkspaceFile> {
        self.files
            .iter()
            .map(|name| read(&self.folder, name))
            .collect()
    }

    fn directories(&self) -> BTreeSet<PathBuf> {
        self.files
            .iter()
            .filter_map(|name| self.folder.join(name).parent().map(Path::to_owned))
            .collect()
    }
}

/// One file as it is.
pub(super) fn read(folder: &Path, name: &str) -> WorkspaceFile {
    let path = folder.join(name);
    let mut file = WorkspaceFile {
        name: name.to_owned(),
        text: None,
        read_only: false,
    };
    let Ok(metadata) = std::fs::metadata(&path) else {
        return file;
    };
    file.read_only = metadata.permissions().readonly();
    if !metadata.is_file() || metadata.len() > LARGEST {
        return file;
    }
    let Ok(bytes) = std::fs::read(&path) else {
        return file;
    };
    match String::from_utf8(bytes) {
        Ok(text) => file.text = Some(text),
        Err(error) => {
            // Saving it would change bytes that were never shown.
            file.read_only = true;
            file.text = Some(String::from_utf8_lossy(error.as_bytes()).into_owned());
        }
    }
    file
}

/// Whether a directory is on a file system that tells of no changes made elsewhere.
fn is_silent(directory: &Path) -> bool {
    const SILENT: [u64; 6] = [
        0x6969,      // NFS
        0xff53_4d42, // CIFS
        0xfe53_4d42, // SMB2
        0x0102_1997, // 9p, as used by WSL
        0x6573_5546, // FUSE
        0x786f_4256, // VirtualBox
    ];
    #[cfg(target_os = "linux")]
    {
        rustix::fs::statfs(directory).is_ok_and(|stat| {
            let kind = u64::try_from(stat.f_type).unwrap_or(0) & 0xffff_ffff;
            SILENT.contains(&kind)
        })
    }
    #[cfg(not(target_os = "linux"))]
    {
        let _ = (directory, SILENT);
        false
    }
}

/// Tells of changes until the bus or the asking end is closed.
pub(super) async fn watch(
    watched: Watched,
    (asking, mut asked): (mpsc::Sender<Look>, mpsc::Receiver<Look>),
    bus: mpsc::Sender<Msg>,
) {
    let directories = watched.directories();
    let mut poll = directories.iter().any(|directory| is_silent(directory));
    let first = asking.clone();
    let watcher = events(&directories, asking);
    poll |= watcher.is_none();
    // What changed between opening the files and watching them is told by a first look.
    let _ = first.try_send(Look::Now);
    let mut known = Vec::new();
    loop {
        let look = if poll {
            tokio::time::timeout(POLL, asked.recv())
                .await
                .unwrap_or(Some(Look::Perhaps))
        } else {
            asked.recv().await
        };
        let Some(mut look) = look else {
            return;
        };
        // Wait until the editor is done with it.
        while look == Look::Perhaps && !poll {
            match tokio::time::timeout(QUIET, asked.recv()).await {
                Ok(Some(next)) => look = next,
                Ok(None) => return,
                Err(_) => break,
            }
        }
        let found = watched.read();
        if found == known && look == Look::Perhaps {
            continue;
        }
        known.clone_from(&found);
        let msg = Msg::Disk {
            exercise: watched.exercise.clone(),
            files: found,
        };
        if bus.send(msg).await.is_err() {
            return;
        }
    }
}

/// A watcher that asks for a look when something happens; `None` where none can be had.
fn events(
    directories: &BTreeSet<PathBuf>,
    asking: mpsc::Sender<Look>,
) -> Option<notify::RecommendedWatcher> {
    let mut watcher = notify::recommended_watcher(move |event: notify::Result<notify::Event>| {
        let reading = event.is_ok_and(|event| event.kind.is_access());
        if !reading {
            // A full channel means that a look is due anyway.
            let _ = asking.try_send(Look::Perhaps);
        }
    })
    .ok()?;
    for directory in directories {
        watcher.watch(directory, RecursiveMode::NonRecursive).ok()?;
    }
    Some(watcher)
}
