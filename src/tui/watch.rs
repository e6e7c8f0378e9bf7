//! The learner's files on disk: read, and watched for changes by other programs.
//!
//! The parent directories are watched, because editors save by renaming. Where the file system
//! sends no events (network, some virtual machines) the few files are read once a second instead.

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
            .map(|name| WorkspaceFile::read(&self.folder, name))
            .collect()
    }

    fn directories(&self) -> BTreeSet<PathBuf> {
        self.files
            .iter()
            .filter_map(|name| self.folder.join(name).parent().map(Path::to_owned))
            .collect()
    }
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

/// Both ends of the asking.
type Ends = (mpsc::Sender<Look>, mpsc::Receiver<Look>);

/// Tells of changes until the bus or the asking end is closed.
pub(super) async fn watch(watched: Watched, ends: Ends, bus: mpsc::Sender<Msg>) {
    let directories = watched.directories();
    let silent = directories.iter().any(|directory| is_silent(directory));
    let watcher = events(&directories, ends.0.clone());
    let poll = (silent || watcher.is_none()).then_some(POLL);
    follow(watched, ends, poll, bus).await;
    drop(watcher);
}

/// Tells of changes when it is asked to look, or every `poll`.
async fn follow(
    watched: Watched,
    (first, mut asked): Ends,
    poll: Option<Duration>,
    bus: mpsc::Sender<Msg>,
) {
    // What changed between opening the files and watching them is told by a first look.
    let _ = first.try_send(Look::Now);
    let mut known = Vec::new();
    loop {
        let look = match poll {
            Some(every) => tokio::time::timeout(every, asked.recv())
                .await
                .unwrap_or(Some(Look::Perhaps)),
            None => asked.recv().await,
        };
        let Some(mut look) = look else {
            return;
        };
        // Wait until the editor is done with it.
        while look == Look::Perhaps && poll.is_none() {
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

#[cfg(test)]
#[expect(
    clippy::disallowed_methods,
    reason = "changes the files that are watched"
)]
mod tests {
    use super::*;

    /// A learner's folder, its Dockerfile, and what is told of it.
    fn folder() -> (tempfile::TempDir, Watched, PathBuf) {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("Dockerfile");
        std::fs::write(&file, "FROM one\n").expect("there is room");
        let watched = Watched {
            exercise: ExerciseId("first-build".to_owned()),
            folder: folder.path().to_owned(),
            files: vec!["Dockerfile".to_owned()],
        };
        (folder, watched, file)
    }

    /// The text that is told next.
    async fn told(messages: &mut mpsc::Receiver<Msg>) -> Option<String> {
        let next = tokio::time::timeout(Duration::from_secs(30), messages.recv()).await;
        match next.expect("nothing was told") {
            Some(Msg::Disk { files, .. }) => files.first().and_then(|file| file.text.clone()),
            _ => panic!("something else was told"),
        }
    }

    /// Saves as editors do: a new file takes the place of the old one.
    fn save(file: &Path, text: &str) {
        let new = file.with_extension("new");
        std::fs::write(&new, text).expect("there is room");
        std::fs::rename(new, file).expect("it is ours");
    }

    #[tokio::test]
    async fn where_no_events_come_the_files_are_read_again_and_again() {
        let (_folder, watched, file) = folder();
        let (asking, asked) = mpsc::channel(4);
        let (bus, mut messages) = mpsc::channel(4);
        let every = Duration::from_millis(5);
        let ends = (asking, asked);
        let following = tokio::spawn(follow(watched, ends, Some(every), bus));
        assert_eq!(told(&mut messages).await.as_deref(), Some("FROM one\n"));
        save(&file, "FROM two\n");
        assert_eq!(told(&mut messages).await.as_deref(), Some("FROM two\n"));
        std::fs::remove_file(&file).expect("it is ours");
        assert_eq!(told(&mut messages).await, None);
        drop(messages);
        save(&file, "FROM three\n");
        let ended = tokio::time::timeout(Duration::from_secs(30), following).await;
        assert!(ended.is_ok(), "it goes on though nobody listens");
    }

    #[tokio::test]
    async fn events_tell_of_a_file_that_was_saved_by_renaming() {
        let (_folder, watched, file) = folder();
        let (asking, asked) = mpsc::channel(4);
        let (bus, mut messages) = mpsc::channel(4);
        let watching = tokio::spawn(watch(watched, (asking, asked), bus));
        assert_eq!(told(&mut messages).await.as_deref(), Some("FROM one\n"));
        save(&file, "FROM two\n");
        assert_eq!(told(&mut messages).await.as_deref(), Some("FROM two\n"));
        watching.abort();
    }
}
