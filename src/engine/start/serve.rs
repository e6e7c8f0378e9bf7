#![expect(
    clippy::disallowed_methods,
    reason = "the edge that runs Podman's service: a process, its folder, the clock"
)]
//! Podman's API service as a child of this program.
//!
//! Podman needs no root and no service manager: what answers is one process of the user. Where it
//! is the only engine of a machine and does not answer, it is run for as long as this program runs,
//! and it ends with it, however that ends: a shell watches a pipe of which only we hold the other
//! end.

use std::path::Path;
use std::path::PathBuf;
use std::process::Stdio;
use std::time::Duration;

use tokio::process::Child;
use tokio::process::ChildStdin;
use tokio::sync::Mutex;

use super::ASKED_EVERY;
use super::last_lines;
use super::program;
use crate::engine::Tried;
use crate::engine::address::Address;
use crate::engine::docker::Choices;
use crate::engine::docker::Docker;
use crate::engine::find;
use crate::engine::find::Search;
use crate::text::Clean;
use crate::text::io_cause;

/// How long the service may take until it answers; the first start of all makes its storage.
const ANSWERS_WITHIN: Duration = Duration::from_secs(20);

/// Runs the service `$2…` and ends it when our end of the pipe, its standard input, is closed. Its
/// folder `$1` goes first, because what removes it goes with the service; where that ended by itself,
/// its log is left for us to read.
const WATCH: &str = r#"
folder=$1; shift
exec 3<&0 </dev/null
"$@" >"$folder/log" 2>&1 3<&- & service=$!
{
    read -r _ <&3
    rm -rf "$folder"
    kill "$service"
    sleep 5
    kill -KILL "$service"
} 2>/dev/null & watcher=$!
exec 3<&-
wait "$service"
kill "$watcher" 2>/dev/null
"#;

/// Why the service's address is tried.
const BECAUSE: &str = "Podman's service, run by Loadline";

/// The one service of this program.
static OURS: Mutex<Option<Service>> = Mutex::const_new(None);

/// A service that runs as long as this is held.
#[derive(Debug)]
struct Service {
    folder: PathBuf,
    watch: Child,
    /// Closed with this program, by whatever means it ends.
    _pipe: Option<ChildStdin>,
}

impl Drop for Service {
    fn drop(&mut self) {
        // Its watcher removes the folder, too; a service that ended by itself has none any more.
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

/// Finds the engine that the user means, as [`find::search`] does. Where none answers, none is
/// named and Podman is the only one installed, its service is run.
pub async fn search() -> Search {
    let mut search = find::search().await;
    // A named address is the only one tried.
    let may = search.found.is_none() && search.denied.is_none() && search.tried.len() > 1;
    let Some(podman) = program("podman").filter(|_| may && !has_docker()) else {
        return search;
    };
    let mut ours = OURS.lock().await;
    match answering(&mut ours, &podman, &folder_of_sockets()).await {
        Ok(docker) => search.found = Some(docker),
        Err(tried) => search.tried.push(tried),
    }
    search
}

/// Whether there is a Docker that only needs to be started: then that is the engine of this
/// machine, and the user is asked.
fn has_docker() -> bool {
    let can_be_root = rustix::process::geteuid().is_root() || program("sudo").is_some();
    can_be_root && program("dockerd").is_some()
}

/// The service that answers already, or a new one.
async fn answering(
    ours: &mut Option<Service>,
    podman: &Path,
    place: &Path,
) -> Result<Docker, Tried> {
    if let Some(service) = ours.as_ref()
        && let Ok(docker) = connect(service).await
    {
        return Ok(docker);
    }
    let failed = |outcome: &str| Tried {
        address: Clean::line(&format!("{} system service", podman.display())),
        because: Clean::line("Podman is installed"),
        outcome: Clean::line(outcome),
    };
    *ours = None;
    let mut service = start(podman, place).map_err(|error| failed(&io_cause(&error)))?;
    let docker = wait(&mut service).await.map_err(|why| failed(&why))?;
    *ours = Some(service);
    Ok(docker)
}

/// A folder for sockets that goes with the user's login, or with the machine.
fn folder_of_sockets() -> PathBuf {
    let named = std::env::var_os("XDG_RUNTIME_DIR").map(PathBuf::from);
    named
        .filter(|folder| folder.is_dir())
        .unwrap_or_else(std::env::temp_dir)
}

fn start(podman: &Path, place: &Path) -> std::io::Result<Service> {
    let folder = tempfile::Builder::new()
        .prefix("loadline-podman-")
        .tempdir_in(place)?
        .keep();
    let address = format!("unix://{}", socket(&folder).display());
    let mut command = tokio::process::Command::new("sh");
    command
        .args(["-c", WATCH, "loadline-podman"])
        .arg(&folder)
        .arg(podman)
        .args(["system", "service", "--time=0", &address])
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        // Ctrl-C is for us: what we made on the engine is removed before it ends.
        .process_group(0);
    match command.spawn() {
        Ok(mut watch) => Ok(Service {
            _pipe: watch.stdin.take(),
            folder,
            watch,
        }),
        Err(error) => {
            let _ = std::fs::remove_dir_all(&folder);
            Err(error)
        }
    }
}

fn socket(folder: &Path) -> PathBuf {
    folder.join("engine.sock")
}

async fn connect(service: &Service) -> Result<Docker, crate::engine::EngineError> {
    let choices = Choices {
        found_by: BECAUSE.to_owned(),
        ..Choices::default()
    };
    Docker::connect(&Address::unix(socket(&service.folder)), choices).await
}

/// Waits until it answers; the error is what it said last.
async fn wait(service: &mut Service) -> Result<Docker, String> {
    let asking = async {
        loop {
            if let Ok(docker) = connect(service).await {
                return Some(docker);
            }
            if !matches!(service.watch.try_wait(), Ok(None)) {
                return None;
            }
            tokio::time::sleep(ASKED_EVERY).await;
        }
    };
    let answered = tokio::time::timeout(ANSWERS_WITHIN, asking).await;
    match answered {
        Ok(Some(docker)) => Ok(docker),
        Ok(None) => Err(said(&service.folder, "it ended at once")),
        Err(_too_long) => Err(said(&service.folder, "it does not answer")),
    }
}

/// What came of it, with the last line of its log.
fn said(folder: &Path, what: &str) -> String {
    match last_lines(&folder.join("log")).last() {
        // A log without a line has an empty one.
        Some(last) if !last.as_str().is_empty() => format!("{what}: {last}"),
        _ => what.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    /// A Podman that is none: it answers what is asked first, on the socket that it is told.
    const STAND_IN: &str = r##"#!/usr/bin/perl
use strict; use IO::Socket::UNIX;
my ($path) = $ARGV[-1] =~ m{^unix://(.*)};
my $listener = IO::Socket::UNIX->new(Local => $path, Listen => 5) or die "no socket: $!\n";
while (my $client = $listener->accept) {
    my $path = "";
    while (my $line = <$client>) { $path = $1 if $line =~ m{^GET (\S+)}; last if $line eq "\r\n"; }
    my $body = $path =~ /version/
        ? '{"Version":"4.3.1","ApiVersion":"1.41","Components":[{"Name":"Podman Engine","Version":"4.3.1"}]}'
        : '{"Name":"here"}';
    printf $client "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\nConnection: close\r\n\r\n%s",
        length $body, $body;
    close $client;
}
"##;

    fn script(folder: &Path, text: &str) -> PathBuf {
        let path = folder.join("podman");
        std::fs::write(&path, text).expect("a file");
        let all = std::fs::Permissions::from_mode(0o755);
        std::fs::set_permissions(&path, all).expect("it is ours");
        path
    }

    /// The processes that have `mark` in their command line.
    fn running(mark: &str) -> usize {
        let all = std::fs::read_dir("/proc").expect("processes can be listed");
        all.flatten()
            .filter_map(|entry| std::fs::read(entry.path().join("cmdline")).ok())
            .filter(|line| String::from_utf8_lossy(line).contains(mark))
            .count()
    }

    #[tokio::test]
    async fn the_service_answers_is_used_again_and_ends_with_us() {
        let folder = tempfile::tempdir().expect("a folder");
        let podman = script(folder.path(), STAND_IN);
        let place = tempfile::tempdir().expect("a folder");
        let mark = place.path().display().to_string();
        let mut ours = None;
        let first = answering(&mut ours, &podman, place.path()).await;
        let first = first.expect("it answers");
        let info = crate::engine::Engine::info(&first);
        assert_eq!(info.name, crate::engine::EngineName::Podman);
        assert_eq!(info.found_by, BECAUSE);
        let again = answering(&mut ours, &podman, place.path()).await;
        let again = again.expect("it still answers");
        assert_eq!(
            crate::engine::Engine::info(&again).address,
            info.address,
            "a second service was started"
        );
        assert!(running(&mark) > 0);

        // The pipe closes, as it does when this program is killed.
        drop(ours);
        for _ in 0..200 {
            if running(&mark) == 0 {
                break;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        assert_eq!(running(&mark), 0, "the service was left behind");
        let left = std::fs::read_dir(place.path()).expect("a folder").count();
        assert_eq!(left, 0, "its folder was left behind");
    }

    #[tokio::test]
    async fn a_service_that_does_not_start_says_why_and_leaves_nothing() {
        let folder = tempfile::tempdir().expect("a folder");
        let text = "#!/bin/sh\necho 'cannot set up namespace: no newuidmap' >&2; exit 125\n";
        let podman = script(folder.path(), text);
        let place = tempfile::tempdir().expect("a folder");
        let mut ours = None;
        let tried = answering(&mut ours, &podman, place.path()).await;
        let tried = tried.expect_err("it cannot start");
        assert_eq!(
            tried.outcome.as_str(),
            "it ended at once: cannot set up namespace: no newuidmap"
        );
        let mute = script(folder.path(), "#!/bin/sh\nexit 125\n");
        let tried = answering(&mut ours, &mute, place.path()).await;
        let tried = tried.expect_err("it cannot start");
        assert_eq!(tried.outcome.as_str(), "it ended at once");
        let left = std::fs::read_dir(place.path()).expect("a folder").count();
        assert_eq!(left, 0, "its folder was left behind");
    }
}
