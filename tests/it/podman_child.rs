//! Podman's service as a child of the program, on a machine where Podman is the only engine: it is
//! found by every verb, and it ends with the program, however that ends.
//!
//! The machine is this one with its other engines out of sight, in a mount namespace; Podman is a
//! stand-in that answers what is asked first. The real one is in the engine matrix.

use std::os::unix::fs::PermissionsExt as _;
use std::process::Stdio;

use rustix::process::Signal;

use crate::sandbox::Sandbox;
use crate::sandbox::is_running;
use crate::sandbox::wait_until;

const PODMAN: &str = r##"#!/usr/bin/perl
use strict; use IO::Socket::UNIX;
my ($path) = $ARGV[-1] =~ m{^unix://(.*)};
my $listener = IO::Socket::UNIX->new(Local => $path, Listen => 5) or die "no socket: $!\n";
while (my $client = $listener->accept) {
    my $path = "";
    while (my $line = <$client>) { $path = $1 if $line =~ m{^GET (\S+)}; last if $line eq "\r\n"; }
    my $body = $path =~ /version/
        ? '{"Version":"4.3.1","ApiVersion":"1.41","Components":[{"Name":"Podman Engine","Version":"4.3.1"}]}'
        : $path =~ /info/ ? '{"Name":"here"}' : '[]';
    printf $client "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\nConnection: close\r\n\r\n%s",
        length $body, $body;
    close $client;
}
"##;

/// Runs the program where neither Docker nor any socket of an engine is in sight.
const ALONE: &str = r#"
set -e
mount -t tmpfs tmpfs /run
for dockerd in /usr/bin/dockerd /usr/sbin/dockerd /usr/local/bin/dockerd; do
    [ ! -e "$dockerd" ] || mount --bind /dev/null "$dockerd"
done
exec "$0" "$@"
"#;

/// The same where root's own Podman has a socket too, which this user may not use.
const BESIDE_ROOTS: &str = r#"
set -e
mount -t tmpfs tmpfs /run
mkdir -p /run/podman
perl -MIO::Socket::UNIX -e 'IO::Socket::UNIX->new(Local => shift, Listen => 1); exec "true"' /run/podman/podman.sock
chmod 000 /run/podman/podman.sock
for dockerd in /usr/bin/dockerd /usr/sbin/dockerd /usr/local/bin/dockerd; do
    [ ! -e "$dockerd" ] || mount --bind /dev/null "$dockerd"
done
# Without capabilities root is denied like anybody.
exec setpriv --bounding-set=-all --inh-caps=-all "$0" "$@"
"#;

/// The same where a package made Docker's socket a link to it, as `podman-docker` does.
fn beside_roots_by_a_link() -> String {
    BESIDE_ROOTS.replace(
        "for dockerd",
        "ln -s /run/podman/podman.sock /run/docker.sock\nfor dockerd",
    )
}

/// A sandbox whose `podman` is the stand-in, and the script that runs the program in it.
fn machine() -> (Sandbox, String) {
    machine_with(ALONE)
}

/// The same with another view of the machine.
fn machine_with(view: &str) -> (Sandbox, String) {
    let sandbox = Sandbox::new();
    let podman = sandbox.write("bin/podman", PODMAN);
    let all = std::fs::Permissions::from_mode(0o755);
    std::fs::set_permissions(&podman, all).expect("it is ours");
    sandbox.write("alone", view);
    std::fs::create_dir(sandbox.path("run")).expect("a folder");
    let path = std::env::var("PATH").unwrap_or_default();
    let path = format!("{}:{path}", sandbox.path("bin").display());
    let runtime = sandbox.path("run").display().to_string();
    let sandbox = sandbox
        .with("PATH", &path)
        .with("XDG_RUNTIME_DIR", &runtime);
    let namespace = if rustix::process::geteuid().is_root() {
        "-m"
    } else {
        "-rm"
    };
    let script = format!(r#"exec unshare {namespace} sh -c "$(cat alone)" "$0" "$@""#);
    (sandbox, script)
}

/// The service and what watches it, by their command lines.
fn mark(sandbox: &Sandbox) -> String {
    sandbox.path("run/loadline-podman-").display().to_string()
}

#[test]
fn where_podman_is_alone_its_service_is_run_found_and_ended() {
    let (sandbox, script) = machine();
    let doctor = sandbox.script(&script, &["doctor", "--json"]);
    let found: serde_json::Value = serde_json::from_str(&doctor.stdout).expect("one JSON");
    assert_eq!(found["engine_answers"], true, "{}", doctor.shown());
    let engine = found["checks"][1]["found"].as_str().expect("a text");
    assert!(engine.starts_with("Podman 4.3.1 at unix://"), "{engine}");
    assert!(
        engine.contains("Podman's service, run by Loadline"),
        "{engine}"
    );
    let mark = mark(&sandbox);
    wait_until("the service has ended", || !is_running(&mark));
    let fix = sandbox.script(&script, &["doctor", "--fix", "--yes"]);
    assert!(
        fix.stderr.contains("nothing to fix: Podman 4.3.1"),
        "{}",
        fix.shown()
    );
    let listed = sandbox.script(&script, &["bases"]);
    assert_eq!(listed.code, Some(0), "{}", listed.shown());
    wait_until("the service has ended", || !is_running(&mark));
    wait_until("the folder of the service has gone", || {
        let left = std::fs::read_dir(sandbox.path("run")).expect("a folder");
        left.count() == 0
    });
}

#[test]
fn the_socket_of_roots_podman_is_no_group_to_join_and_keeps_no_service_from_running() {
    let by_a_link = beside_roots_by_a_link();
    for view in [by_a_link.as_str(), BESIDE_ROOTS] {
        let (sandbox, script) = machine_with(view);
        let doctor = sandbox.script(&script, &["doctor"]);
        let shown = doctor.shown();
        assert!(
            shown.contains("Podman's service, run by Loadline"),
            "{shown}"
        );
    }
    let (sandbox, script) = machine_with(&by_a_link);
    // Where its service does not start either, the socket is one of the places that were tried.
    sandbox.write("bin/podman", "#!/bin/sh\nexit 125\n");
    let doctor = sandbox.script(&script, &["doctor"]);
    let shown = doctor.shown();
    assert!(!shown.contains("usermod"), "{shown}");
    assert!(
        shown.contains("/run/podman/podman.sock (the socket of Podman): permission denied"),
        "{shown}"
    );
}

#[test]
fn a_program_that_is_killed_takes_its_service_along() {
    let (sandbox, script) = machine();
    let running = sandbox.start_script(&script, &["learn", "--plain"], Stdio::piped());
    let mark = mark(&sandbox);
    wait_until("the service runs", || is_running(&mark));
    running.signal(Signal::KILL);
    assert_eq!(running.end().code, None);
    wait_until("the service has ended", || !is_running(&mark));
}

#[test]
fn a_podman_that_does_not_start_is_told_with_its_own_words() {
    let (sandbox, script) = machine();
    let broken = "#!/bin/sh\necho 'cannot set up namespace' >&2\nexit 125\n";
    sandbox.write("bin/podman", broken);
    let listed = sandbox.script(&script, &["bases"]);
    let shown = listed.shown();
    assert_eq!(listed.code, Some(4), "{shown}");
    assert!(shown.contains("podman system service"), "{shown}");
    assert!(shown.contains("cannot set up namespace"), "{shown}");
}
