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
//! service that holds our socket, that was not there before the build, and that runs the very
//! command of a step of this build.

use std::collections::BTreeSet;
use std::os::unix::net::UnixStream;

use rustix::process::Pid;
use rustix::process::Signal;

use crate::engine::address::Address;

/// How the processes are called in which Podman's builder starts commands, with and without a
/// runtime.
const STARTERS: [&str; 2] = ["buildah-oci-runtime", "buildah-chroot-exec"];
/// What BuildKit's runtime is told where to find what it runs.
const EXECUTOR: &str = "/buildkit/executor/";

/// The most steps up from a process to the service that started it.
const ANCESTORS: usize = 32;

/// A process.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Process {
    pid: i32,
    parent: i32,
    words: Vec<String>,
}

/// The commands of a builder on this host.
#[derive(Debug)]
pub(super) struct Commands {
    /// The process that listens on our socket.
    service: i32,
    /// What ran before the build.
    before: BTreeSet<i32>,
}

impl Commands {
    /// Looks before the build begins; `None` where the engine is not of this host.
    pub(super) fn before(address: &Address) -> Option<Self> {
        let service = listener(address)?;
        let all = processes();
        // A socket can be handed on from elsewhere, a virtual machine say.
        all.iter().find(|process| process.pid == service)?;
        let before = all.iter().map(|process| process.pid).collect();
        Some(Self { service, before })
    }

    /// Kills what runs one of these commands, with all that it started.
    pub(super) fn end(&self, commands: &[String]) {
        if commands.is_empty() {
            return;
        }
        for pid in self.chosen(&processes(), commands) {
            // One that has ended, or is somebody else's, is found again by whoever waits for it.
            if let Some(pid) = Pid::from_raw(pid) {
                let _ = rustix::process::kill_process(pid, Signal::KILL);
            }
        }
    }

    /// The processes that run one of `commands` for this build, and those below them.
    fn chosen(&self, all: &[Process], commands: &[String]) -> Vec<i32> {
        let mut chosen: Vec<i32> = all
            .iter()
            .filter(|process| !self.before.contains(&process.pid))
            .filter(|process| commands.iter().any(|command| runs(process, command)))
            .filter(|process| is_started(process, all) && self.is_below(process, all))
            .map(|process| process.pid)
            .collect();
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

    /// Whether the service started it, at whatever remove.
    fn is_below(&self, process: &Process, all: &[Process]) -> bool {
        let mut above = process.parent;
        for _ in 0..ANCESTORS {
            if above == self.service {
                return true;
            }
            match all.iter().find(|process| process.pid == above) {
                Some(next) => above = next.parent,
                None => return false,
            }
        }
        false
    }
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
            let parent = fields.split_whitespace().nth(1)?.parse().ok()?;
            let words = std::fs::read(entry.path().join("cmdline")).ok()?;
            let words = words.strip_suffix(b"\0").unwrap_or(&words);
            Some(Process {
                pid,
                parent,
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

    fn ours(before: &[i32]) -> Commands {
        Commands {
            service: 10,
            before: before.iter().copied().collect(),
        }
    }

    #[test]
    fn only_the_command_of_this_build_is_chosen_with_all_below_it() {
        let commands = ["make all".to_owned()];
        assert_eq!(ours(&[]).chosen(&host(), &commands), [12, 13, 14]);
        assert_eq!(ours(&[]).chosen(&host(), &["make".to_owned()]), [0; 0]);
        assert_eq!(ours(&[]).chosen(&host(), &["make check".to_owned()]), [16]);
    }

    #[test]
    fn what_ran_before_the_build_is_somebody_elses() {
        let commands = ["make all".to_owned()];
        assert_eq!(ours(&[12]).chosen(&host(), &commands), [0; 0]);
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
