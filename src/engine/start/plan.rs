//! From facts about a machine to the commands that give it a running engine. Pure.

use std::collections::BTreeSet;
use std::path::Path;
use std::path::PathBuf;

use crate::engine::find::OF_DOCKER;
use crate::engine::unname;

/// Where dockerd writes when it is started without a service manager.
pub const DOCKERD_LOG: &str = "/var/log/loadline-dockerd.log";

/// What is installed on a Debian-family machine. The engine's client is not needed: this program
/// is one.
const PACKAGES: &str = "docker.io iptables ca-certificates";

/// The programs that a plan may use.
pub const PROGRAMS: [&str; 4] = ["apt-get", "dockerd", "podman", "sudo"];

/// The address of a socket that this user may not use, by whom it lets in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Denied {
    /// Its owner and its group.
    ForGroup(String),
    /// Its owner alone: no group opens it.
    ForOwner(String),
}

/// What is known of a machine.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Facts {
    /// Whether we are root.
    pub root: bool,
    /// Who this is to the engine's group.
    pub user: User,
    /// Which of [`PROGRAMS`] are here.
    pub programs: BTreeSet<&'static str>,
    /// Whether the distribution is Debian or one of its family.
    pub debian: bool,
    /// What starts services.
    pub services: Services,
    /// Whether the control groups are mounted.
    pub control_groups: bool,
    /// The file with the number of a dockerd that is gone.
    pub stale_pid_file: Option<PathBuf>,
    /// A socket that is there and that this user may not use.
    pub denied: Option<Denied>,
    /// A socket of this machine where an engine is and says nothing.
    pub silent: Option<String>,
    /// The setting by which the user named one engine: nothing else will be tried.
    pub named: Option<String>,
}

impl Facts {
    fn has(&self, program: &str) -> bool {
        self.programs.contains(program)
    }
}

/// A user as the machine's own lists have it. A session that was opened before a user joined a
/// group does not know of it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum User {
    /// The machine's list does not have it.
    #[default]
    Unlisted,
    /// It has this name, and is not in the group `docker`.
    Outside(String),
    /// It is in the group `docker`.
    Member,
}

/// What starts services.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Services {
    /// systemd.
    Systemd,
    /// `OpenRC`.
    OpenRc,
    /// Nothing.
    #[default]
    None,
}

/// What is to be done, in order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plan {
    /// What it comes to, as a whole sentence.
    pub summary: String,
    /// The commands.
    pub steps: Vec<Step>,
    /// The file that the started engine writes to, where it is ours to read.
    pub log: Option<PathBuf>,
}

/// One command and its reason.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// Why, as a phrase: `images are built by a container engine, and there is none`.
    pub why: String,
    /// The program and its arguments.
    pub command: Vec<String>,
}

impl Step {
    /// The command as a person would type it.
    #[must_use]
    pub fn shown(&self) -> String {
        joined(self.command.iter().map(String::as_str))
    }
}

/// Nothing can be done from here.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{reason}")]
pub struct NoPlan {
    /// Why, as a fragment.
    pub reason: String,
    /// The exact commands that someone else may run, or that need another login.
    pub commands: Vec<String>,
}

/// Whether `/etc/os-release` is that of Debian or of one of its family.
#[must_use]
pub fn is_debian(os_release: &str) -> bool {
    os_release
        .lines()
        .filter_map(|line| line.strip_prefix("ID=").or(line.strip_prefix("ID_LIKE=")))
        .flat_map(|value| value.trim_matches('"').split_whitespace())
        .any(|id| matches!(id, "debian" | "ubuntu"))
}

/// Decides what gives this machine a running engine.
///
/// # Errors
/// When it is not ours to do: the user named an engine that does not answer, the right to use it
/// is missing, or there is no way to become root.
pub fn plan(facts: &Facts) -> Result<Plan, NoPlan> {
    if let Some(denied) = facts.denied.as_ref().filter(|_| !facts.root) {
        return join(facts, denied);
    }
    if let Some(named) = &facts.named {
        return Err(NoPlan {
            reason: format!("no engine answers at the address in {named}, and no other is tried"),
            commands: vec![unname(named).to_owned()],
        });
    }
    if let Some(socket) = &facts.silent {
        return Err(restart(facts, socket));
    }
    let can_be_root = facts.root || facts.has("sudo");
    if !facts.has("dockerd") {
        return install(facts, can_be_root);
    }
    let mut steps = start_dockerd(facts);
    steps.extend(join_group(facts));
    if !can_be_root {
        return Err(no_root("starting the engine", &steps));
    }
    Ok(Plan {
        summary: "Docker is installed and does not run: it will be started.".to_owned(),
        steps,
        log: dockerd_log(facts),
    })
}

/// What opens the group to a shell that was there before this user joined it.
pub const ENTER_GROUP: &str = "newgrp docker";

/// The right to use the engine behind a socket.
fn join(facts: &Facts, denied: &Denied) -> Result<Plan, NoPlan> {
    let (Denied::ForGroup(socket) | Denied::ForOwner(socket)) = denied;
    let reason = format!("an engine runs at {socket}, and this user may not use it");
    if facts.user == User::Member {
        return Err(NoPlan {
            reason: format!("{reason} yet: it joined the group `docker` after this session began"),
            commands: vec![ENTER_GROUP.to_owned()],
        });
    }
    if matches!(denied, Denied::ForOwner(_)) {
        return Err(NoPlan {
            reason: format!("{reason}: its socket is for its owner alone, and for no group"),
            commands: Vec::new(),
        });
    }
    match join_group(facts) {
        Some(step) if !facts.has("sudo") => Err(NoPlan {
            reason: format!("{reason}; there is no `sudo` here, so that only root can let it"),
            commands: vec![step.shown(), ENTER_GROUP.to_owned()],
        }),
        // Whose socket a named address is, is not known.
        Some(step) if facts.named.is_none() => Ok(Plan {
            summary: "An engine runs, and this user may not use it: it will be put into the \
                      group that may."
                .to_owned(),
            steps: vec![step],
            log: None,
        }),
        _ => Err(NoPlan {
            reason,
            commands: vec![
                "sudo usermod -aG docker \"$USER\"".to_owned(),
                ENTER_GROUP.to_owned(),
            ],
        }),
    }
}

/// What is said of an engine that is there and mute: a second one would not get its socket.
fn restart(facts: &Facts, socket: &str) -> NoPlan {
    let reason = format!("an engine is there at {socket} and does not answer");
    let sudo = if facts.root { "" } else { "sudo " };
    let commands = match facts.services {
        // Who runs it is known of the daemon's only: in a home folder it is a desktop's or a virtual
        // machine's.
        _ if socket.strip_prefix("unix://") != Some(OF_DOCKER) => Vec::new(),
        Services::Systemd => vec![
            format!("{sudo}journalctl -u docker -n 20"),
            format!("{sudo}systemctl restart docker"),
        ],
        Services::OpenRc => vec![format!("{sudo}service docker restart")],
        Services::None => vec![
            format!("{sudo}kill \"$(cat /var/run/docker.pid)\""),
            "loadline doctor --fix".to_owned(),
        ],
    };
    NoPlan { reason, commands }
}

/// What lets a user who is not root use the engine.
fn join_group(facts: &Facts) -> Option<Step> {
    let User::Outside(name) = &facts.user else {
        return None;
    };
    if facts.root {
        return None;
    }
    let why = "the engine is for root and for the group `docker`; who is in it could become root \
               by it";
    let mut step = as_root(facts, why, &["usermod -aG docker"]);
    step.command.push(name.clone());
    Some(step)
}

fn install(facts: &Facts, can_be_root: bool) -> Result<Plan, NoPlan> {
    // Its service was tried before anybody asked for a plan.
    let podman = facts.has("podman");
    if podman && !(facts.debian && facts.has("apt-get") && can_be_root) {
        return Err(NoPlan {
            reason: "Podman is installed, and its service does not start".to_owned(),
            commands: vec!["podman info".to_owned()],
        });
    }
    if !(facts.debian && facts.has("apt-get")) {
        return Err(NoPlan {
            reason: "this is no Debian-family machine, so Loadline cannot install an engine on it"
                .to_owned(),
            commands: Vec::new(),
        });
    }
    let why = "images are built by a container engine, and this machine has none";
    let mut steps = vec![
        as_root(
            facts,
            "the package lists may be old or absent",
            &["apt-get update"],
        ),
        as_root(
            facts,
            why,
            &[
                "env DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends",
                PACKAGES,
            ],
        ),
    ];
    // The package starts the engine itself where there is a service manager; starting it once
    // more does no harm.
    steps.extend(start_dockerd(facts));
    steps.extend(join_group(facts));
    if !can_be_root {
        return Err(no_root("installing an engine", &steps));
    }
    let found = if podman {
        "Podman is installed, and its service does not start"
    } else {
        "No container engine is installed"
    };
    Ok(Plan {
        summary: format!(
            "{found}. Debian's own package `docker.io` will be installed, because images are \
             built by a container engine, and then started."
        ),
        steps,
        log: dockerd_log(facts),
    })
}

fn no_root(what: &str, steps: &[Step]) -> NoPlan {
    NoPlan {
        reason: format!("{what} needs root, and there is no `sudo` here; root can do it"),
        commands: steps.iter().map(Step::shown).collect(),
    }
}

/// What makes an installed dockerd run.
fn start_dockerd(facts: &Facts) -> Vec<Step> {
    let why = "the engine is not running";
    match facts.services {
        Services::Systemd => return vec![as_root(facts, why, &["systemctl start docker"])],
        Services::OpenRc => return vec![as_root(facts, why, &["service docker start"])],
        Services::None => {}
    }
    let mut steps = Vec::new();
    if !facts.control_groups {
        let why = "containers need control groups, and nobody has mounted them";
        let mount = ["mount -t cgroup2 none /sys/fs/cgroup"];
        steps.push(as_root(facts, why, &mount));
    }
    if let Some(file) = &facts.stale_pid_file {
        let why = "a file of an engine that is gone keeps the next one from starting";
        let mut step = as_root(facts, why, &["rm -f"]);
        step.command.push(file.display().to_string());
        steps.push(step);
    }
    let mut step = as_root(
        facts,
        &format!("the engine is not running; it will write to {DOCKERD_LOG}"),
        &["sh -c"],
    );
    step.command
        .push(detached("dockerd", Path::new(DOCKERD_LOG)));
    steps.push(step);
    steps
}

fn dockerd_log(facts: &Facts) -> Option<PathBuf> {
    (facts.services == Services::None).then(|| PathBuf::from(DOCKERD_LOG))
}

/// Words as a person would type them, quoted only where a shell needs it.
fn joined<'a>(words: impl IntoIterator<Item = &'a str>) -> String {
    let words: Vec<String> = words.into_iter().map(quoted).collect();
    words.join(" ")
}

fn quoted(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "_@%+=:,./-".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        return word.to_owned();
    }
    shell_words::quote(word).into_owned()
}

/// A shell command that starts `service` in a session of its own, so that it outlives us.
fn detached(service: &str, log: &Path) -> String {
    let log = quoted(&log.display().to_string());
    format!("setsid {service} >>{log} 2>&1 </dev/null &")
}

/// A step that runs as root, by `sudo` where we are not and it is there.
fn as_root(facts: &Facts, why: &str, words: &[&str]) -> Step {
    let prefix = if facts.has("sudo") && !facts.root {
        "sudo"
    } else {
        ""
    };
    Step {
        why: why.to_owned(),
        command: std::iter::once(&prefix)
            .chain(words)
            .flat_map(|part| part.split_whitespace())
            .map(str::to_owned)
            .collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bare_debian() -> Facts {
        Facts {
            root: true,
            debian: true,
            programs: BTreeSet::from(["apt-get"]),
            control_groups: true,
            ..Facts::default()
        }
    }

    fn commands(facts: &Facts) -> Vec<String> {
        match plan(facts) {
            Ok(plan) => plan.steps.iter().map(Step::shown).collect(),
            Err(none) => vec![none.reason],
        }
    }

    #[test]
    fn a_bare_debian_gets_the_distributions_own_engine() {
        assert_eq!(
            commands(&bare_debian()),
            [
                "apt-get update",
                "env DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends docker.io iptables ca-certificates",
                "sh -c 'setsid dockerd >>/var/log/loadline-dockerd.log 2>&1 </dev/null &'",
            ]
        );
    }

    #[test]
    fn who_is_not_root_uses_sudo_and_systemd_starts_what_it_manages() {
        let facts = Facts {
            root: false,
            programs: BTreeSet::from(["sudo", "dockerd"]),
            services: Services::Systemd,
            ..bare_debian()
        };
        assert_eq!(commands(&facts), ["sudo systemctl start docker"]);
        let openrc = Facts {
            services: Services::OpenRc,
            ..facts
        };
        assert_eq!(commands(&openrc), ["sudo service docker start"]);
    }

    #[test]
    fn who_is_not_root_is_put_into_the_group_of_the_engine_once() {
        let facts = Facts {
            root: false,
            user: User::Outside("ana".to_owned()),
            programs: BTreeSet::from(["sudo", "apt-get"]),
            ..bare_debian()
        };
        let joins = "sudo usermod -aG docker ana";
        let all = commands(&facts);
        assert_eq!(all.len(), 4);
        assert_eq!(all[3], joins, "the group comes with the package");
        let runs = Facts {
            programs: BTreeSet::from(["sudo", "dockerd"]),
            denied: Some(Denied::ForGroup("unix:///var/run/docker.sock".to_owned())),
            ..facts.clone()
        };
        assert_eq!(commands(&runs), [joins]);
        let stopped = Facts {
            denied: None,
            services: Services::Systemd,
            ..runs.clone()
        };
        assert_eq!(commands(&stopped), ["sudo systemctl start docker", joins]);
        let member = Facts {
            user: User::Member,
            ..stopped
        };
        assert_eq!(commands(&member), ["sudo systemctl start docker"]);
        let root = Facts {
            root: true,
            ..facts
        };
        assert_eq!(commands(&root).len(), 3);
        // In the group, and the session does not know it.
        let old_session = Facts {
            user: User::Member,
            ..runs
        };
        let none = plan(&old_session).expect_err("nothing is to be done as root");
        assert!(none.reason.contains("after this session began"));
        assert_eq!(none.commands, [ENTER_GROUP]);
    }

    #[test]
    fn a_stopped_engine_of_a_bare_machine_gets_all_that_it_needs() {
        let facts = Facts {
            programs: BTreeSet::from(["dockerd"]),
            control_groups: false,
            stale_pid_file: Some(PathBuf::from("/var/run/docker.pid")),
            ..bare_debian()
        };
        assert_eq!(
            commands(&facts),
            [
                "mount -t cgroup2 none /sys/fs/cgroup",
                "rm -f /var/run/docker.pid",
                "sh -c 'setsid dockerd >>/var/log/loadline-dockerd.log 2>&1 </dev/null &'",
            ]
        );
    }

    #[test]
    fn a_podman_that_does_not_start_is_looked_into_or_docker_takes_its_place() {
        let facts = Facts {
            root: false,
            programs: BTreeSet::from(["podman", "apt-get"]),
            ..bare_debian()
        };
        let none = plan(&facts).expect_err("nobody may install");
        assert!(none.reason.contains("Podman"), "{}", none.reason);
        assert_eq!(none.commands, ["podman info"]);
        let root = Facts {
            root: true,
            ..facts
        };
        let plan = plan(&root).expect("root may install");
        assert!(plan.summary.starts_with("Podman is installed"));
        assert_eq!(plan.steps.len(), 3);
    }

    #[test]
    fn without_a_way_to_root_the_exact_commands_are_named() {
        let facts = Facts {
            root: false,
            ..bare_debian()
        };
        let none = plan(&facts).expect_err("nobody may install");
        assert_eq!(
            none.reason,
            "installing an engine needs root, and there is no `sudo` here; root can do it"
        );
        assert_eq!(
            none.commands.first().map(String::as_str),
            Some("apt-get update")
        );
        assert_eq!(none.commands.len(), 3);
    }

    #[test]
    fn an_engine_that_the_user_named_is_never_replaced_by_another() {
        let facts = Facts {
            named: Some("`DOCKER_HOST`".to_owned()),
            programs: BTreeSet::from(["dockerd"]),
            ..bare_debian()
        };
        let none = plan(&facts).expect_err("only the named one is tried");
        assert!(none.reason.contains("`DOCKER_HOST`"));
        let denied = Facts {
            root: false,
            denied: Some(Denied::ForGroup("unix:///var/run/docker.sock".to_owned())),
            ..facts
        };
        let none = plan(&denied).expect_err("a group is missing, not an engine");
        assert_eq!(none.commands.len(), 2);
    }

    #[test]
    fn a_socket_that_no_group_opens_makes_nobody_join_one() {
        let facts = Facts {
            root: false,
            user: User::Outside("ana".to_owned()),
            programs: BTreeSet::from(["dockerd"]),
            denied: Some(Denied::ForGroup("unix:///var/run/docker.sock".to_owned())),
            ..bare_debian()
        };
        let none = plan(&facts).expect_err("there is no sudo");
        assert_eq!(none.commands, ["usermod -aG docker ana", ENTER_GROUP]);
        assert!(none.reason.contains("no `sudo` here"), "{}", none.reason);
        let closed = Facts {
            programs: BTreeSet::from(["sudo", "dockerd"]),
            denied: Some(Denied::ForOwner("unix:///var/run/docker.sock".to_owned())),
            ..facts
        };
        let none = plan(&closed).expect_err("it would be of no use");
        assert!(none.reason.contains("its owner alone"), "{}", none.reason);
        assert_eq!(none.commands.len(), 0);
    }

    #[test]
    fn an_engine_that_is_there_and_mute_gets_no_second_one_beside_it() {
        let facts = Facts {
            programs: BTreeSet::from(["dockerd"]),
            silent: Some("unix:///var/run/docker.sock".to_owned()),
            ..bare_debian()
        };
        let none = plan(&facts).expect_err("one is there");
        assert!(none.reason.contains("does not answer"), "{}", none.reason);
        let again = "loadline doctor --fix";
        assert_eq!(
            none.commands,
            ["kill \"$(cat /var/run/docker.pid)\"", again]
        );
        let served = Facts {
            root: false,
            services: Services::Systemd,
            ..facts.clone()
        };
        let none = plan(&served).expect_err("one is there");
        assert_eq!(none.commands[1], "sudo systemctl restart docker");
        for others in [
            "run/user/7/podman/podman.sock",
            "home/ana/.docker/run/docker.sock",
        ] {
            let others = Facts {
                silent: Some(format!("unix:///{others}")),
                ..facts.clone()
            };
            let none = plan(&others).expect_err("one is there");
            assert_eq!(none.commands.len(), 0, "{:?}", none.commands);
        }
    }

    #[test]
    fn another_distribution_is_told_so() {
        let facts = Facts {
            debian: false,
            ..bare_debian()
        };
        assert!(plan(&facts).is_err());
    }

    #[test]
    fn the_debian_family_is_told_by_its_release_file() {
        assert!(is_debian("NAME=x\nID=debian\n"));
        assert!(is_debian("ID=linuxmint\nID_LIKE=\"ubuntu debian\"\n"));
        assert!(!is_debian("ID=fedora\nID_LIKE=\"rhel\"\n"));
    }
}
