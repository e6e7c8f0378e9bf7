#![expect(
    clippy::disallowed_methods,
    reason = "the edge to the engine's own processes: reads /proc"
)]
//! Ends the commands that a builder runs, where they are processes of this host.
//!
//! Podman's interface names the builder's containers and ends none of them: they are not in its
//! books, so that `kill` and `stop` know nothing of them, and removing one takes away its files and
//! leaves its process. BuildKit ends its commands, but for one that it was about to start when the
//! build was cancelled: that one runs on (seen in Docker 26.1). So the process is sent a signal, as
//! whoever runs the machine would do; it takes that person's rights.
//!
//! Which process: one that the builder started (its parent bears the builder's name), below the
//! service that holds our socket, that began after the build, and that runs the very command of a
//! step of this build. A neighbour's build may run that command, too: of two processes that do,
//! neither is touched, and none at all while another build is [at work](super::alone). Of BuildKit's
//! only those are meant that began as the build was given up. All of that is asked once it was: a
//! build that is not costs a look at the clock.

use std::os::unix::net::UnixStream;
use std::path::Path;
use std::sync::OnceLock;
use std::time::Duration;

use rustix::process::Pid;
use rustix::process::Signal;
use rustix::time::ClockId;

use crate::engine::address::Address;

/// How the processes are called in which Podman's builder starts commands, with and without a
/// runtime.
const STARTERS: [&str; 2] = ["buildah-oci-runtime", "buildah-chroot-exec"];
/// How Docker's daemon is called.
const DAEMON: &str = "dockerd";
/// What BuildKit's runtime is told where to find what it runs.
const EXECUTOR: &str = "/buildkit/executor/";

/// How long before a build was given up the command began that BuildKit forgets to end: a host that
/// is short of CPU takes seconds from the one to the other.
const LATE: Duration = Duration::from_secs(5);

/// The most steps up from a process to the service that started it.
const ANCESTORS: usize = 32;

/// How many fields of `/proc/PID/stat` are between a process's parent, the fourth, and when it began,
/// the twenty-second.
const BEGAN_AFTER_PARENT: usize = 17;

/// A process.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Process {
    pid: i32,
    parent: i32,
    began: Tick,
    words: Vec<String>,
}

/// A moment of this host's since it started, as it dates processes: in hundredths of a second on
/// every Linux that is met.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Tick(u64);

impl Tick {
    /// The tick that is running; the clock is the one that processes are dated by, which goes on
    /// while the host sleeps.
    fn now() -> Self {
        Self::ago(Duration::ZERO)
    }

    /// The tick that was running so long ago.
    fn ago(time: Duration) -> Self {
        let now = rustix::time::clock_gettime(ClockId::Boottime);
        // After a moment that is no time at all, nothing began.
        Duration::try_from(now).map_or(Self(u64::MAX), |since| {
            let since = since.saturating_sub(time);
            Self::of(since, rustix::param::clock_ticks_per_second())
        })
    }

    /// The tick in which this time since the start has passed, where a second has `per_second`.
    fn of(since: Duration, per_second: u64) -> Self {
        let ticks = since.as_nanos() * u128::from(per_second) / 1_000_000_000;
        Self(u64::try_from(ticks).unwrap_or(u64::MAX))
    }
}

/// The commands of a builder on this host.
#[derive(Debug)]
pub(super) struct Commands {
    address: Address,
    /// When the build began.
    began: Tick,
    /// Whether the builder ends its commands by itself, but for one that begins at that moment.
    ends_most: bool,
    /// After which tick a process began that is ended, once that was asked.
    after: OnceLock<Tick>,
    /// The process that listens on our socket, once it was looked for.
    service: OnceLock<Option<i32>>,
}

impl Commands {
    /// Those of a build that begins now; `ends_most` says whether the builder ends its commands by
    /// itself, but for one that begins as the build is given up.
    pub(super) fn from_now(address: &Address, ends_most: bool) -> Self {
        Self {
            address: address.clone(),
            began: Tick::now(),
            ends_most,
            after: OnceLock::new(),
            service: OnceLock::new(),
        }
    }

    /// Kills what runs one of these commands, with all that it started, where the engine is of this
    /// host.
    pub(super) fn end(&self, commands: &[String]) {
        if commands.is_empty() {
            return;
        }
        let Some(service) = *self.service.get_or_init(|| listener(&self.address)) else {
            return;
        };
        for pid in self.chosen(service, &processes(), commands) {
            // One that has ended, or is somebody else's, is found again by whoever waits for it.
            if let Some(pid) = Pid::from_raw(pid) {
                let _ = rustix::process::kill_process(pid, Signal::KILL);
            }
        }
    }

    /// Whether one of these commands runs. `None` where BuildKit's engine is not among the processes of
    /// this host, and the commands in the same way elsewhere: what listens on a virtual machine's
    /// socket is not it.
    pub(super) fn run(&self, commands: &[String]) -> Option<bool> {
        let service = (*self.service.get_or_init(|| listener(&self.address)))?;
        any_runs(service, &processes(), commands)
    }

    /// After which tick a process began that is ended. No builder comes to its first command within
    /// the tick in which the build began.
    fn after(&self) -> Tick {
        *self.after.get_or_init(|| {
            if self.ends_most {
                self.began.max(Tick::ago(LATE))
            } else {
                self.began
            }
        })
    }

    /// The processes that run one of `commands` for this build, and those below them. Where two run
    /// the same, it cannot be told which is whose.
    fn chosen(&self, service: i32, all: &[Process], commands: &[String]) -> Vec<i32> {
        let after = self.after();
        let started: Vec<&Process> = all
            .iter()
            .filter(|process| is_started(process, all) && is_below(process, service, all))
            .collect();
        let mut chosen: Vec<i32> = Vec::new();
        for command in commands {
            let mut running = started.iter().filter(|process| runs(process, command));
            if let (Some(process), None) = (running.next(), running.next())
                && process.began > after
                && !chosen.contains(&process.pid)
            {
                chosen.push(process.pid);
            }
        }
        let mut at = 0;
        while let Some(pid) = chosen.get(at).copied() {
            let below = all.iter().filter(|process| process.parent == pid);
            let below: Vec<i32> = below.map(|process| process.pid).collect();
            chosen.extend(
                below
                    .into_iter()
                    .filter(|pid| !chosen.contains(pid))
                    .collect::<Vec<_>>(),
            );
            at += 1;
        }
        chosen
    }
}

/// Whether one of `commands` runs below the service, where that is Docker's daemon or, as the one that
/// opened the socket for it, what started it.
fn any_runs(service: i32, all: &[Process], commands: &[String]) -> Option<bool> {
    let is_daemon = |process: &Process| {
        let name = process.words.first().map(Path::new);
        name.and_then(Path::file_name)
            .is_some_and(|name| name == DAEMON)
    };
    all.iter()
        .find(|process| [process.pid, process.parent].contains(&service) && is_daemon(process))?;
    Some(all.iter().any(|process| {
        commands.iter().any(|command| runs(process, command)) && is_below(process, service, all)
    }))
}

/// Whether the service started it, at whatever remove. A service that is not among the processes
/// has none: a socket can be handed on from elsewhere, a virtual machine say.
fn is_below(process: &Process, service: i32, all: &[Process]) -> bool {
    let mut above = process.parent;
    for _ in 0..ANCESTORS {
        match all.iter().find(|process| process.pid == above) {
            Some(next) if next.pid == service => return true,
            Some(next) => above = next.parent,
            None => return false,
        }
    }
    false
}

/// Whether a process runs a command: by a shell, or word for word where it is written as a list.
fn runs(process: &Process, command: &str) -> bool {
    let listed: Option<Vec<String>> = serde_json::from_str(command).ok();
    match listed {
        Some(words) => process.words == words,
        None => {
            process.words.len() > 1
                && process
                    .words
                    .last()
                    .is_some_and(|last| last.trim() == command)
        }
    }
}

/// Whether the builder started it.
fn is_started(process: &Process, all: &[Process]) -> bool {
    let parent = all.iter().find(|other| other.pid == process.parent);
    parent.is_some_and(|parent| {
        let named = |name: &String| STARTERS.contains(&name.as_str());
        parent.words.first().is_some_and(named)
            || parent.words.iter().any(|word| word.contains(EXECUTOR))
    })
}

/// The process that listens on a socket.
fn listener(address: &Address) -> Option<i32> {
    let Address::Unix(path) = address else {
        return None;
    };
    let socket = UnixStream::connect(path).ok()?;
    let credentials = rustix::net::sockopt::socket_peercred(&socket).ok()?;
    Some(credentials.pid.as_raw_nonzero().get())
}

/// The processes of this host, as far as they can be seen.
fn processes() -> Vec<Process> {
    let Ok(entries) = std::fs::read_dir("/proc") else {
        return Vec::new();
    };
    entries
        .flatten()
        .filter_map(|entry| {
            let pid: i32 = entry.file_name().to_str()?.parse().ok()?;
            let stat = std::fs::read_to_string(entry.path().join("stat")).ok()?;
            // The program's name is in brackets and may hold anything; fields are counted after it.
            let (_, fields) = stat.rsplit_once(')')?;
            let mut fields = fields.split_whitespace().skip(1);
            let parent = fields.next()?.parse().ok()?;
            let began = Tick(fields.nth(BEGAN_AFTER_PARENT)?.parse().ok()?);
            let words = std::fs::read(entry.path().join("cmdline")).ok()?;
            let words = words.strip_suffix(b"\0").unwrap_or(&words);
            Some(Process {
                pid,
                parent,
                began,
                words: words
                    .split(|byte| *byte == 0)
                    .map(|word| String::from_utf8_lossy(word).into_owned())
                    .collect(),
            })
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn process(pid: i32, parent: i32, words: &[&str]) -> Process {
        Process {
            pid,
            parent,
            began: Tick(100),
            words: words.iter().map(|word| (*word).to_owned()).collect(),
        }
    }

    /// Two services, each with a builder that runs the same command; a person who runs it too.
    fn host() -> Vec<Process> {
        let shell = ["/bin/sh", "-c", "make all"];
        vec![
            process(1, 0, &["init"]),
            process(10, 1, &["podman", "system", "service"]),
            process(11, 10, &["buildah-oci-runtime"]),
            process(12, 11, &shell),
            process(13, 12, &["make", "all"]),
            process(14, 13, &["cc"]),
            process(
                15,
                10,
                &[
                    "runc",
                    "run",
                    "--bundle",
                    "/var/lib/docker/buildkit/executor/7",
                ],
            ),
            process(16, 15, &["/bin/sh", "-c", "make check"]),
            process(20, 1, &["podman", "system", "service"]),
            process(21, 20, &["buildah-oci-runtime"]),
            process(22, 21, &shell),
            process(30, 1, &shell),
            process(31, 10, &shell),
        ]
    }

    /// The service that is ours, with a build that began at a tick.
    fn ours(began: u64) -> Commands {
        Commands {
            address: Address::Unix("/nowhere".into()),
            began: Tick(began),
            ends_most: false,
            after: OnceLock::new(),
            service: OnceLock::new(),
        }
    }

    fn chosen(began: u64, commands: &[&str]) -> Vec<i32> {
        let commands: Vec<String> = commands.iter().map(|one| (*one).to_owned()).collect();
        ours(began).chosen(10, &host(), &commands)
    }

    #[test]
    fn of_two_builds_that_run_the_same_command_neither_is_touched() {
        let mut all = host();
        let bundle = "/var/lib/docker/buildkit/executor/8";
        all.push(process(17, 10, &["runc", "run", "--bundle", bundle]));
        let both = ["make check".to_owned(), "make all".to_owned()];
        assert_eq!(ours(99).chosen(10, &all, &both), [16, 12, 13, 14]);
        all.push(process(18, 17, &["/bin/sh", "-c", "make check"]));
        assert_eq!(ours(99).chosen(10, &all, &both), [12, 13, 14]);
        // One that ran before the build is somebody's as well.
        all.last_mut().unwrap().began = Tick(1);
        assert_eq!(ours(99).chosen(10, &all, &both), [12, 13, 14]);
    }

    #[test]
    fn a_command_is_seen_only_where_the_engine_is_of_this_host() {
        let mut all = host();
        let check = ["make check".to_owned()];
        assert_eq!(any_runs(10, &all, &check), None, "no daemon of Docker's");
        all.push(process(40, 1, &["/usr/sbin/dockerd", "-H", "fd://"]));
        assert_eq!(any_runs(40, &all, &check), Some(false), "another engine's");
        assert_eq!(
            any_runs(1, &all, &check),
            Some(true),
            "init opened the socket"
        );
        let bundle = "/var/lib/docker/buildkit/executor/9";
        all.push(process(41, 40, &["runc", "run", "--bundle", bundle]));
        all.push(process(42, 41, &["/bin/sh", "-c", "make check"]));
        assert_eq!(any_runs(40, &all, &check), Some(true));
        assert_eq!(any_runs(40, &all, &[]), Some(false));
    }

    #[test]
    fn a_builder_that_ends_its_commands_forgets_only_one_that_began_just_now() {
        let commands = Commands::from_now(&Address::unix("/nowhere"), true);
        let late = |since| Tick::ago(Duration::from_secs(since));
        let after = Commands {
            began: late(60),
            ..commands
        }
        .after();
        assert!(late(7) < after && after < late(3), "{after:?}");
        let all = Commands::from_now(&Address::unix("/nowhere"), false);
        assert_eq!(all.after(), all.began);
    }

    #[test]
    fn only_the_command_of_this_build_is_chosen_with_all_below_it() {
        assert_eq!(chosen(99, &["make all"]), [12, 13, 14]);
        assert_eq!(chosen(99, &["make"]), [0; 0]);
        assert_eq!(chosen(99, &["make check"]), [16]);
    }

    #[test]
    fn what_ran_before_the_build_is_somebody_elses() {
        assert_eq!(chosen(101, &["make all"]), [0; 0]);
        assert_eq!(chosen(100, &["make all"]), [0; 0], "in the same tick");
    }

    #[test]
    fn the_commands_of_a_service_that_is_not_of_this_host_are_not_ours() {
        let all: Vec<Process> = host().into_iter().filter(|one| one.pid != 10).collect();
        let twelve = all.iter().find(|one| one.pid == 12).unwrap();
        assert!(!is_below(twelve, 10, &all));
        assert!(is_below(twelve, 10, &host()));
    }

    #[test]
    fn a_moment_belongs_to_the_tick_that_has_begun() {
        let tick = |since| Tick::of(since, 100);
        assert_eq!(tick(Duration::ZERO), Tick(0));
        assert_eq!(tick(Duration::from_nanos(19_999_999)), Tick(1));
        assert_eq!(tick(Duration::from_millis(20)), Tick(2));
        assert_eq!(tick(Duration::MAX), Tick(u64::MAX), "and none overflows");
    }

    #[test]
    fn a_process_is_dated_by_the_clock_that_a_build_is_dated_by() {
        let before = Tick::now();
        let mut child = std::process::Command::new("sleep")
            .arg("60")
            .spawn()
            .unwrap();
        let after = Tick::now();
        let all = processes();
        child.kill().unwrap();
        child.wait().unwrap();
        let began = |pid: u32| {
            let pid = i32::try_from(pid).unwrap();
            let process = all.iter().find(|process| process.pid == pid);
            process.unwrap().began
        };
        assert!((before..=after).contains(&began(child.id())));
        assert!(began(std::process::id()) <= before);
    }

    #[test]
    fn a_command_that_is_a_list_is_compared_word_for_word() {
        let words = process(2, 1, &["sleep", "60"]);
        assert!(runs(&words, "[\"sleep\", \"60\"]"));
        assert!(!runs(&words, "[\"sleep\", \"6\"]"));
        assert!(
            !runs(&process(2, 1, &["60"]), "60"),
            "a shell has words before it"
        );
    }

    #[test]
    fn this_process_and_its_parent_are_seen() {
        let own = i32::try_from(std::process::id()).unwrap();
        let all = processes();
        let this = all.iter().find(|process| process.pid == own).unwrap();
        assert!(this.parent > 0 || own == 1);
        assert!(!this.words.is_empty());
    }
}
