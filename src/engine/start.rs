#![expect(
    clippy::disallowed_methods,
    reason = "the edge that installs and starts an engine: files, environment, processes"
)]
//! Installs an engine where there is none and starts one that does not run.
//!
//! [`facts`] looks at the machine, [`plan`](plan::plan) decides (pure), [`Step`]s are commands that
//! are shown before they are run. Nothing is asked here and nothing is run unasked: that is the
//! front end's part. Podman's service alone needs no asking: [`serve`] runs it as a child that ends
//! with this program.

pub mod plan;
pub mod serve;

use std::os::unix::fs::MetadataExt as _;
use std::path::Path;
use std::path::PathBuf;
use std::process::Stdio;
use std::time::Duration;

use plan::Denied;
use plan::Facts;
use plan::Services;
use plan::Step;
use plan::User;
use tokio_util::sync::CancellationToken;

use crate::engine::EngineError;
use crate::engine::Tried;
use crate::engine::docker::Docker;
use crate::engine::find;
use crate::engine::find::Search;
use crate::text::Clean;
use crate::text::io_cause;
use crate::units::show_duration;

/// How long a started engine may take until it answers.
pub const ANSWERS_WITHIN: Duration = Duration::from_secs(45);

/// How often it is asked until then.
const ASKED_EVERY: Duration = Duration::from_millis(250);

/// How many lines of a failed command are kept.
const LAST_WORDS: usize = 8;

/// A step did not do what it should.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{command}` failed")]
pub struct StepError {
    /// The command as a person would type it.
    pub command: String,
    /// What it said last.
    pub last_words: Vec<Clean>,
}

/// An engine that was started cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum WaitError {
    /// It runs, and this session may not use it.
    #[error("an engine runs at {address}, and this session may not use it")]
    NoPermission {
        /// Where.
        address: String,
    },
    /// It says nothing.
    #[error(
        "the engine was started and did not answer within {}",
        show_duration(ANSWERS_WITHIN)
    )]
    Silent {
        /// What it wrote last.
        last_words: Vec<Clean>,
    },
    /// The wait was cancelled.
    #[error("cancelled")]
    Cancelled,
}

/// Looks at the machine where a search found no engine.
#[must_use]
pub fn facts(search: &Search) -> Facts {
    let root = rustix::process::geteuid().is_root();
    let text = |path: &str| std::fs::read_to_string(path).unwrap_or_default();
    let release = text("/etc/os-release");
    let uid = rustix::process::geteuid().as_raw();
    let user = match user_of(&text("/etc/passwd"), uid) {
        None => User::Unlisted,
        Some(name) if is_member(&text("/etc/group"), "docker", &name) => User::Member,
        Some(name) => User::Outside(name),
    };
    Facts {
        root,
        user,
        programs: plan::PROGRAMS
            .into_iter()
            .filter(|name| program(name).is_some())
            .collect(),
        debian: plan::is_debian(&release),
        services: services(),
        control_groups: mounted("/sys/fs/cgroup"),
        stale_pid_file: stale_pid_file("/var/run/docker.pid"),
        denied: search.denied.clone().map(|address| {
            if is_closed(&address) {
                Denied::ForOwner(address)
            } else {
                Denied::ForGroup(address)
            }
        }),
        silent: search.silent.as_ref().map(|(address, _)| address.clone()),
        named: Tried::named(&search.tried).map(str::to_owned),
    }
}

/// Whether the socket at an address lets nobody in besides its owner.
fn is_closed(address: &str) -> bool {
    let socket = address.strip_prefix("unix://").map(std::fs::metadata);
    socket.is_some_and(|found| found.is_ok_and(|socket| socket.mode() & 0o220 == 0o200))
}

/// The name of a user in the text of `/etc/passwd`.
fn user_of(passwd: &str, uid: u32) -> Option<String> {
    passwd.lines().find_map(|line| {
        let mut fields = line.split(':');
        let name = fields.next()?;
        (fields.nth(1)?.parse() == Ok(uid)).then(|| name.to_owned())
    })
}

/// Whether the text of `/etc/group` lists `user` under `group`.
fn is_member(groups: &str, group: &str, user: &str) -> bool {
    groups.lines().any(|line| {
        let mut fields = line.split(':');
        fields.next() == Some(group)
            && fields
                .nth(2)
                .is_some_and(|members| members.split(',').any(|member| member == user))
    })
}

/// Where a program of this name is.
fn program(name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    // The folders of administrators' programs are not on every user's path.
    std::env::split_paths(&path)
        .chain(["/usr/sbin", "/sbin", "/usr/local/sbin"].map(PathBuf::from))
        .map(|folder| folder.join(name))
        .find(|file| file.is_file())
}

fn services() -> Services {
    if Path::new("/run/systemd/system").is_dir() {
        Services::Systemd
    } else if Path::new("/run/openrc").is_dir() {
        Services::OpenRc
    } else {
        Services::None
    }
}

/// Whether something is mounted at `path`.
fn mounted(path: &str) -> bool {
    std::fs::read_to_string("/proc/self/mounts")
        .unwrap_or_default()
        .lines()
        .any(|line| line.split(' ').nth(1) == Some(path))
}

/// A process-id file that a killed engine left: the next one would not start over it.
fn stale_pid_file(path: &str) -> Option<PathBuf> {
    let pid: u32 = std::fs::read_to_string(path).ok()?.trim().parse().ok()?;
    let lives = Path::new(&format!("/proc/{pid}")).is_dir();
    (!lives).then(|| PathBuf::from(path))
}

/// Runs one step to its end; what it prints goes to `say`, line by line.
///
/// # Errors
/// When it cannot be started, or ends with another status than 0.
pub async fn take(
    step: &Step,
    mut say: impl FnMut(Clean),
    cancel: &CancellationToken,
) -> Result<(), StepError> {
    let failed = |last_words| StepError {
        command: step.shown(),
        last_words,
    };
    let (program, args) = step
        .command
        .split_first()
        .ok_or_else(|| failed(Vec::new()))?;
    // Standard error joins standard output, so that one reader sees both in order; a password is
    // asked for on the terminal itself.
    let mut child = tokio::process::Command::new("sh")
        .arg("-c")
        .arg("exec \"$0\" \"$@\" 2>&1")
        .arg(program)
        .args(args)
        .stdin(Stdio::inherit())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .kill_on_drop(true)
        .spawn()
        .map_err(|error| failed(vec![Clean::line(&io_cause(&error))]))?;
    let mut last_words = std::collections::VecDeque::new();
    let mut hear = |line: Clean| {
        if last_words.len() == LAST_WORDS {
            last_words.pop_front();
        }
        last_words.push_back(line.clone());
        say(line);
    };
    if let Some(out) = child.stdout.take() {
        tokio::select! {
            () = read_lines(out, &mut hear) => {}
            () = cancel.cancelled() => {}
        }
    }
    if cancel.is_cancelled() {
        let _ = child.kill().await;
        return Err(failed(vec![Clean::line("it was interrupted")]));
    }
    match child.wait().await {
        Ok(status) if status.success() => Ok(()),
        Ok(_) => Err(failed(last_words.into())),
        Err(error) => Err(failed(vec![Clean::line(&io_cause(&error))])),
    }
}

async fn read_lines(mut from: tokio::process::ChildStdout, hear: &mut impl FnMut(Clean)) {
    use tokio::io::AsyncReadExt as _;

    let mut sanitizer = crate::text::Sanitizer::default();
    let mut buffer = [0; 4096];
    while let Ok(count) = from.read(&mut buffer).await {
        let Some(bytes) = buffer.get(..count).filter(|bytes| !bytes.is_empty()) else {
            break;
        };
        sanitizer.feed(bytes, &mut *hear);
    }
    sanitizer.finish(hear);
}

/// Waits until an engine answers, or gives up after [`ANSWERS_WITHIN`].
///
/// # Errors
/// Where it runs and this session may not use it; otherwise with the last lines of `log`, the file
/// that the engine writes to.
pub async fn wait_for_engine(
    log: Option<&Path>,
    cancel: &CancellationToken,
) -> Result<Docker, WaitError> {
    tokio::select! {
        found = tokio::time::timeout(ANSWERS_WITHIN, asked(find::find, ASKED_EVERY)) => match found {
            Ok(found) => found,
            Err(_too_long) => Err(WaitError::Silent {
                last_words: log.map(last_lines).unwrap_or_default(),
            }),
        },
        () = cancel.cancelled() => Err(WaitError::Cancelled),
    }
}

/// Asks until there is an engine, or one that says for good that this user may not use it: between
/// making its socket and giving it to the group, an engine denies everybody for a moment.
async fn asked<T, F>(mut find: impl FnMut() -> F, every: Duration) -> Result<T, WaitError>
where
    F: Future<Output = Result<T, EngineError>>,
{
    let mut denied = 0;
    loop {
        match find().await {
            Ok(found) => return Ok(found),
            Err(EngineError::NoPermission { address }) if denied > 2 => {
                return Err(WaitError::NoPermission { address });
            }
            Err(EngineError::NoPermission { .. }) => denied += 1,
            Err(_) => denied = 0,
        }
        tokio::time::sleep(every).await;
    }
}

fn last_lines(log: &Path) -> Vec<Clean> {
    let text = std::fs::read(log).unwrap_or_default();
    let lines = Clean::lines(&String::from_utf8_lossy(&text));
    let skip = lines.len().saturating_sub(LAST_WORDS);
    lines.into_iter().skip(skip).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn step(command: &[&str]) -> Step {
        Step {
            why: String::new(),
            command: command.iter().map(|word| (*word).to_owned()).collect(),
        }
    }

    #[tokio::test]
    async fn a_step_that_fails_keeps_its_last_words_clean() {
        let mut said = Vec::new();
        let failing = step(&["sh", "-c", "echo one; printf '\\033[31mtwo\\n' >&2; exit 3"]);
        let cancel = CancellationToken::new();
        let error = take(&failing, |line| said.push(line), &cancel)
            .await
            .expect_err("it ends with status 3");
        assert_eq!(error.last_words, [Clean::line("one"), Clean::line("two")]);
        assert_eq!(said, error.last_words);
        assert!(error.command.starts_with("sh -c "));
    }

    #[tokio::test]
    async fn a_step_ends_when_it_is_cancelled() {
        let cancel = CancellationToken::new();
        cancel.cancel();
        let began = std::time::Instant::now();
        let ended = take(&step(&["sleep", "60"]), |_| {}, &cancel).await;
        assert!(ended.is_err());
        assert!(began.elapsed() < Duration::from_secs(10));
    }

    #[tokio::test]
    async fn a_program_that_is_not_there_is_a_failed_step() {
        let cancel = CancellationToken::new();
        let ended = take(&step(&["/nowhere/at/all"]), |_| {}, &cancel).await;
        assert!(ended.is_err());
    }

    #[tokio::test]
    async fn an_engine_that_denies_for_good_is_not_waited_for() {
        let denied = || EngineError::NoPermission {
            address: "unix:///x".to_owned(),
        };
        let none = || EngineError::NotFound { tried: Vec::new() };
        let mut turn = 0;
        let turns = || {
            turn += 1;
            // Not there, then not for this group for a moment, then for good.
            std::future::ready(match turn {
                1 | 3 => Err(none()),
                2 | 4..8 => Err(denied()),
                _ => Ok(()),
            })
        };
        let wanted = WaitError::NoPermission {
            address: "unix:///x".to_owned(),
        };
        assert_eq!(asked(turns, Duration::ZERO).await, Err(wanted));
        assert_eq!(turn, 7);
        let mut turn = 0;
        let turns = || {
            turn += 1;
            std::future::ready(if turn < 3 { Err(denied()) } else { Ok(()) })
        };
        assert_eq!(asked(turns, Duration::ZERO).await, Ok(()));
    }

    #[test]
    fn users_and_members_are_read_as_the_machine_writes_them() {
        let passwd = "root:x:0:0:root:/root:/bin/bash\nana:x:1000:1000:,,,:/home/ana:/bin/sh\n";
        assert_eq!(user_of(passwd, 1000).as_deref(), Some("ana"));
        assert_eq!(user_of(passwd, 7), None);
        let groups = "sudo:x:27:ana\ndocker:x:105:bo,ana\nempty:x:9:\n";
        assert!(is_member(groups, "docker", "ana"));
        assert!(!is_member(groups, "docker", "an"));
        assert!(!is_member(groups, "empty", "ana"));
        assert!(!is_member("", "docker", "ana"));
    }

    #[test]
    fn a_socket_is_closed_where_its_group_may_not_write() {
        use std::os::unix::fs::PermissionsExt as _;

        let file = tempfile::NamedTempFile::new().expect("a file");
        let address = format!("unix://{}", file.path().display());
        for (mode, closed) in [(0o600, true), (0o660, false), (0o640, true)] {
            let mode = std::fs::Permissions::from_mode(mode);
            std::fs::set_permissions(file.path(), mode).expect("it is ours");
            assert_eq!(is_closed(&address), closed);
        }
        assert!(!is_closed("unix:///nowhere"));
        assert!(!is_closed("tcp://lab:2375"));
    }

    #[test]
    fn a_pid_file_of_a_living_process_is_kept() {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("docker.pid");
        let path = file.to_str().expect("a plain path");
        std::fs::write(&file, std::process::id().to_string()).expect("it is written");
        assert_eq!(stale_pid_file(path), None);
        std::fs::write(&file, "4194999").expect("it is written");
        assert_eq!(stale_pid_file(path), Some(file.clone()));
        assert_eq!(stale_pid_file("/nowhere"), None);
    }
}
