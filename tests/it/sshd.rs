//! An engine behind a real sshd. It listens on this machine alone, with keys and settings of a
//! folder that goes with the test; the engine that it leads to is the one of this machine. Each
//! connection has a server of its own, which ends with it.

use std::net::TcpListener;
use std::net::TcpStream;
use std::os::fd::OwnedFd;
use std::path::Path;
use std::path::PathBuf;
use std::process::Command;

use loadline::engine::Engine as _;

use crate::faults::engine;
use crate::faults::socket;
use crate::sandbox::Ended;
use crate::sandbox::Sandbox;
use crate::sandbox::is_running;
use crate::sandbox::wait_until;

/// Where Debian's server is: as `.ci/sshd` unpacked it, or installed.
fn unpacked() -> PathBuf {
    let beside = Path::new(env!("CARGO_TARGET_TMPDIR")).join("../sshd");
    let found = [beside, PathBuf::from("/")].into_iter().find(|folder| {
        let server = folder.join("usr/sbin/sshd");
        server.exists()
    });
    let found = found.expect("there is an sshd: `make tools` fetches one");
    found.canonicalize().expect("it is there")
}

/// Serves the connection that it is started with, in folder `$1`, by the server unpacked in `$2`.
/// Root's server wants a user, a folder and an account that is not locked: in mounts of its own,
/// which hide where the engine's socket is, so that one is carried over.
const SERVE: &str = r#"
set -e
cd "$1"
if [ "$(id -u)" = 0 ]; then
    mount --bind "$(readlink engine.sock)" carried.sock
    { cat /etc/passwd; echo "sshd:x:74:65534::/run/sshd:/bin/false"; } >passwd.$$
    echo 'root:*:1::::::' >shadow.$$
    mount --bind passwd.$$ /etc/passwd
    mount --bind shadow.$$ /etc/shadow
    mount -t tmpfs tmpfs /run
    mkdir -m 755 /run/sshd
fi
export LD_LIBRARY_PATH="$(echo "$2"/usr/lib/*-linux-gnu*)"
exec "$2/usr/sbin/sshd" -i -e -f "$1/server"
"#;

/// What the server is told; `[folder]` is the test's, `[socket]` where the engine is found there.
const SERVER: &str = "HostKey [folder]/host
AuthorizedKeysFile [folder]/mine.pub
StrictModes no
UsePAM no
PasswordAuthentication no
KbdInteractiveAuthentication no
PermitRootLogin prohibit-password
SetEnv DOCKER_HOST=unix://[folder]/[socket]
";

/// What the client is told.
const CLIENT: &str = "IdentityFile [folder]/mine
IdentitiesOnly yes
IdentityAgent none
UserKnownHostsFile [folder]/known
GlobalKnownHostsFile /dev/null
";

/// The machine's own `ssh`, with the settings of the folder above instead of this user's.
const SSH: &str = r#"#!/bin/sh
PATH='[path]'
exec ssh -F "$(dirname "$0")/../client" "$@"
"#;

/// A host behind an sshd.
struct Host {
    sandbox: Sandbox,
    port: u16,
}

impl Host {
    /// One that lets this user in by a key.
    fn new() -> Self {
        let sandbox = Sandbox::new();
        let runtime = tokio::runtime::Runtime::new().expect("threads");
        let real = runtime.block_on(socket());
        std::os::unix::fs::symlink(real, sandbox.path("engine.sock")).expect("there is room");
        sandbox.write("carried.sock", "");
        let folder = sandbox.path("").display().to_string();
        let folder = folder.trim_end_matches('/');
        for key in ["host", "mine", "other"] {
            make_key(&sandbox.path(key));
        }
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let port = listener.local_addr().expect("it is bound").port();
        let root = rustix::process::geteuid().is_root();
        let socket = if root { "carried.sock" } else { "engine.sock" };
        let mut server = SERVER.replace("[socket]", socket);
        let package = unpacked();
        // Newer servers are of several programs.
        for (name, program) in [
            ("SshdSessionPath", "sshd-session"),
            ("SshdAuthPath", "sshd-auth"),
        ] {
            let path = package.join("usr/lib/openssh").join(program);
            if path.exists() {
                server.push_str(&format!("{name} {}\n", path.display()));
            }
        }
        sandbox.write("server", &server.replace("[folder]", folder));
        sandbox.write("client", &CLIENT.replace("[folder]", folder));
        let serving = sandbox.path("");
        std::thread::spawn(move || {
            for client in listener.incoming() {
                serve(client.expect("a client"), &serving, &package);
            }
        });
        let host = Self {
            sandbox: with_ssh(sandbox, port),
            port,
        };
        host.is_known_by("host");
        host
    }

    /// Tells the client which key the host has.
    fn is_known_by(&self, key: &str) {
        let public = self.sandbox.path(&format!("{key}.pub"));
        let public = std::fs::read_to_string(public).expect("it was made");
        let line = format!("[127.0.0.1]:{} {public}", self.port);
        self.sandbox.write("known", &line);
    }

    /// What is said where the engine is not reached.
    fn refused(&self) -> Ended {
        let ended = self.sandbox.run(&["bases"]);
        assert_eq!(ended.code, Some(4), "{}", self.shown(&ended));
        ended
    }

    /// What the program and the servers said.
    fn shown(&self, ended: &Ended) -> String {
        let log = std::fs::read_to_string(self.sandbox.path("log")).unwrap_or_default();
        format!("{}\nsshd:\n{log}", ended.shown())
    }
}

impl Drop for Host {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            let mark = self.sandbox.path("").display().to_string();
            wait_until("every ssh and sshd has ended", || !is_running(&mark));
        }
    }
}

/// A key pair without a password.
fn make_key(path: &Path) {
    let made = Command::new("ssh-keygen")
        .args(["-q", "-t", "ed25519", "-N", "", "-C", "", "-f"])
        .arg(path)
        .status();
    assert!(made.is_ok_and(|made| made.success()), "no key was made");
}

/// With that `ssh` before the machine's own, and an address that needs it.
fn with_ssh(sandbox: Sandbox, port: u16) -> Sandbox {
    use std::os::unix::fs::PermissionsExt as _;

    let path = sandbox.variable("PATH").unwrap_or_default().to_owned();
    let ssh = sandbox.write("bin/ssh", &SSH.replace("[path]", &path));
    let all = std::fs::Permissions::from_mode(0o755);
    std::fs::set_permissions(&ssh, all).expect("it is ours");
    let me = Command::new("id").arg("-un").output().expect("a name");
    let me = String::from_utf8(me.stdout).expect("a name is text");
    let path = format!("{}:{path}", sandbox.path("bin").display());
    let address = format!("ssh://{}@127.0.0.1:{port}", me.trim());
    sandbox.with("PATH", &path).with("DOCKER_HOST", &address)
}

/// Hands a connection to a server of its own.
fn serve(client: TcpStream, folder: &Path, package: &Path) {
    let log = std::fs::File::options()
        .create(true)
        .append(true)
        .open(folder.join("log"));
    let input = OwnedFd::from(client);
    let output = input.try_clone().expect("one more");
    let mut command = if rustix::process::geteuid().is_root() {
        let mut command = Command::new("unshare");
        command.args(["-m", "sh"]);
        command
    } else {
        Command::new("sh")
    };
    let server = command
        .args(["-c", SERVE, "sh"])
        .args([folder, package])
        .stdin(input)
        .stdout(output)
        .stderr(log.expect("there is room"))
        .spawn();
    let mut server = server.expect("it starts");
    std::thread::spawn(move || server.wait());
}

/// What the engine says of itself to those who are on its machine.
fn version() -> String {
    let runtime = tokio::runtime::Runtime::new().expect("threads");
    let engine = runtime.block_on(loadline::engine::find::find());
    engine.expect("it answers").info().version.clone()
}

#[test]
fn an_engine_behind_a_real_sshd_answers_and_builds_and_no_process_stays() {
    if !engine() {
        return;
    }
    let host = Host::new();
    let doctor = host.sandbox.run(&["doctor", "--json"]);
    let found: serde_json::Value = serde_json::from_str(&doctor.stdout).expect("one JSON");
    let checks = found["checks"].as_array().expect("checks");
    let engine = checks.iter().find(|check| check["title"] == "Engine");
    let engine = engine.and_then(|check| check["found"].as_str());
    let address = host.sandbox.variable("DOCKER_HOST").unwrap_or_default();
    let wanted = format!("Docker {} at {address} ", version());
    assert!(
        engine.is_some_and(|engine| engine.starts_with(&wanted)),
        "wanted `{wanted}`: {}",
        host.shown(&doctor)
    );
    host.sandbox.write(
        "try/Dockerfile",
        "FROM busybox\nCOPY greeting.txt .\nCMD [\"cat\", \"greeting.txt\"]\n",
    );
    let check = ["check", "first-build", "--dir", "try", "--json"];
    let passed = host.sandbox.run(&check);
    assert_eq!(passed.code, Some(0), "{}", host.shown(&passed));
    let report: serde_json::Value = serde_json::from_str(&passed.stdout).expect("one JSON");
    assert_eq!(report["outcome"], "passed");
    assert!(host.shown(&passed).contains("Accepted publickey for "));
}

#[test]
fn what_a_real_ssh_refuses_is_told_with_the_next_step() {
    if !engine() {
        return;
    }
    let host = Host::new();
    host.is_known_by("other");
    let changed = host.refused();
    let shown = host.shown(&changed);
    let wanted = "its key is not the one that is known of it";
    assert!(changed.stderr.contains(wanted), "{shown}");

    host.is_known_by("host");
    let others = host.sandbox.path("other.pub");
    std::fs::copy(others, host.sandbox.path("mine.pub")).expect("there is room");
    let stranger = host.refused();
    let shown = host.shown(&stranger);
    let wanted = "must work without a password";
    assert!(stranger.stderr.contains(wanted), "{shown}");
}
