//! An engine at a distance: over TCP with certificates on both sides, over ssh, and what is said
//! where the certificates, the host or the way to it are wrong. The engine is the one of this
//! machine; a small server of ours puts TLS in front of it, and a stand-in for `ssh` leads to it.

use std::path::Path;
use std::path::PathBuf;
use std::process::Command;
use std::sync::Arc;

use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::RootCertStore;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::CertificateDer;
use tokio_rustls::rustls::pki_types::PrivateKeyDer;
use tokio_rustls::rustls::pki_types::pem::PemObject as _;
use tokio_rustls::rustls::server::WebPkiClientVerifier;

use crate::faults::engine;
use crate::faults::socket;
use crate::sandbox::Ended;
use crate::sandbox::Sandbox;
use crate::sandbox::is_running;
use crate::sandbox::wait_until;

/// Runs OpenSSL, which makes certificates wherever there are any.
fn openssl(folder: &Path, line: &str) {
    let made = Command::new("openssl")
        .args(line.split(' '))
        .current_dir(folder)
        .output()
        .expect("openssl is installed, as Debian's ca-certificates needs it");
    let said = String::from_utf8_lossy(&made.stderr);
    assert!(made.status.success(), "openssl {line}\n{said}");
}

/// An authority, as `ca.pem`, in a folder of its own.
fn authority(folder: &Path) {
    std::fs::create_dir_all(folder).expect("a folder");
    openssl(
        folder,
        "req -x509 -newkey rsa:2048 -nodes -keyout ca-key.pem -out ca.pem -days 30 -subj /CN=authority",
    );
}

/// A certificate by the authority of `from`, as `cert.pem` and `key.pem` beside its `ca.pem`.
fn certificate(from: &Path, folder: &Path, use_for: &str, days: &str) {
    std::fs::create_dir_all(folder).expect("a folder");
    let what = format!("subjectAltName=IP:127.0.0.1\nextendedKeyUsage={use_for}\n");
    std::fs::write(folder.join("what"), what).expect("there is room");
    openssl(
        folder,
        "req -newkey rsa:2048 -nodes -keyout key.pem -out asked.pem -subj /CN=somebody",
    );
    let from = from.display();
    openssl(
        folder,
        &format!(
            "x509 -req -in asked.pem -CA {from}/ca.pem -CAkey {from}/ca-key.pem -set_serial 7 -out cert.pem -days {days} -extfile what"
        ),
    );
    std::fs::copy(format!("{from}/ca.pem"), folder.join("ca.pem")).expect("it is there");
}

/// Whether a client needs a certificate of the authority.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Clients {
    Known,
    Anybody,
}

/// TLS in front of the engine.
fn listen(certificates: &Path, clients: Clients) -> String {
    let read = |name: &str| CertificateDer::from_pem_file(certificates.join(name)).expect("a PEM");
    let mut roots = RootCertStore::empty();
    roots.add(read("ca.pem")).expect("an authority");
    let provider = Arc::new(ring::default_provider());
    let mut verifier =
        WebPkiClientVerifier::builder_with_provider(Arc::new(roots), Arc::clone(&provider));
    if clients == Clients::Anybody {
        verifier = verifier.allow_unauthenticated();
    }
    let key = PrivateKeyDer::from_pem_file(certificates.join("key.pem")).expect("a key");
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("versions")
        .with_client_cert_verifier(verifier.build().expect("a verifier"))
        .with_single_cert(vec![read("cert.pem")], key)
        .expect("a certificate and its key");
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let (told, address) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        let runtime = tokio::runtime::Runtime::new().expect("threads");
        runtime.block_on(async {
            let real = socket().await;
            let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await;
            let listener = listener.expect("a port");
            let address = listener.local_addr().expect("it is bound");
            told.send(address.to_string()).expect("it is waited for");
            while let Ok((client, _)) = listener.accept().await {
                tokio::spawn(pass(acceptor.clone(), client, real.clone()));
            }
        });
    });
    address.recv().expect("it listens")
}

/// Passes on what client and engine say to each other; a client that is refused is what some cases
/// are about.
async fn pass(acceptor: TlsAcceptor, client: tokio::net::TcpStream, real: PathBuf) {
    let Ok(mut client) = acceptor.accept(client).await else {
        return;
    };
    let engine = tokio::net::UnixStream::connect(real).await;
    let mut engine = engine.expect("the engine answers");
    let _ = tokio::io::copy_bidirectional(&mut client, &mut engine).await;
}

/// A sandbox with an engine behind TLS: `server`'s certificates, and `mine` for the client.
fn at_a_distance(clients: Clients) -> Sandbox {
    let sandbox = Sandbox::new();
    authority(&sandbox.path("authority"));
    let from = sandbox.path("authority");
    certificate(&from, &sandbox.path("server"), "serverAuth", "30");
    certificate(&from, &sandbox.path("mine"), "clientAuth", "30");
    let address = listen(&sandbox.path("server"), clients);
    sandbox
        .with("DOCKER_HOST", &format!("tcp://{address}"))
        .with("DOCKER_TLS_VERIFY", "1")
}

/// With the certificates of a folder of the sandbox.
fn known_by(sandbox: Sandbox, name: &str) -> Sandbox {
    let folder = sandbox.path(name).display().to_string();
    sandbox.with("DOCKER_CERT_PATH", &folder)
}

/// What is said, the same in every run.
fn shown(sandbox: &Sandbox, ended: &Ended) -> String {
    let address = sandbox.variable("DOCKER_HOST").unwrap_or_default();
    let text = ended.shown();
    match address.split_once("://") {
        Some((_, place)) => text.replace(place, "[engine]"),
        None => text,
    }
}

/// Builds, inspects and runs with the certificates of `mine`.
fn passes(sandbox: Sandbox) {
    let sandbox = known_by(sandbox, "mine");
    sandbox.write(
        "try/Dockerfile",
        "FROM busybox\nCOPY greeting.txt .\nCMD [\"cat\", \"greeting.txt\"]\n",
    );
    let doctor = sandbox.run(&["doctor", "--json"]);
    let found: serde_json::Value = serde_json::from_str(&doctor.stdout).expect("one JSON");
    assert_eq!(found["engine_answers"], true, "{}", doctor.shown());
    let passed = sandbox.run(&["check", "first-build", "--dir", "try", "--json"]);
    assert_eq!(passed.code, Some(0), "{}", shown(&sandbox, &passed));
    let report: serde_json::Value = serde_json::from_str(&passed.stdout).expect("one JSON");
    assert_eq!(report["outcome"], "passed");
}

#[test]
fn an_engine_behind_tls_builds_inspects_and_runs() {
    if engine() {
        passes(at_a_distance(Clients::Known));
    }
}

#[test]
fn an_engine_behind_tls_that_knows_nobody_needs_no_certificate_of_ones_own() {
    if engine() {
        let sandbox = at_a_distance(Clients::Anybody);
        for own in ["mine/cert.pem", "mine/key.pem"] {
            std::fs::remove_file(sandbox.path(own)).expect("it was made");
        }
        passes(sandbox);
    }
}

/// Certificates that do not fit, each in a folder that is named for what is wrong with it.
fn misfits(sandbox: &Sandbox) {
    let from = sandbox.path("authority");
    certificate(&from, &sandbox.path("expired"), "clientAuth", "-1");
    let stranger = sandbox.path("stranger");
    authority(&stranger);
    // A server that this client does not trust, and a client that the server does not know.
    certificate(&from, &sandbox.path("untrusting"), "clientAuth", "30");
    let others = sandbox.path("untrusting/ca.pem");
    std::fs::copy(stranger.join("ca.pem"), others).expect("there is room");
    certificate(&stranger, &sandbox.path("unknown"), "clientAuth", "30");
    let ours = sandbox.path("unknown/ca.pem");
    std::fs::copy(from.join("ca.pem"), ours).expect("there is room");
    std::fs::create_dir(sandbox.path("empty")).expect("a folder");
}

/// What is said with each of them, and without any.
fn said_of_misfits(mut sandbox: Sandbox) -> String {
    let mut said = String::new();
    for folder in ["untrusting", "unknown", "expired", "empty"] {
        sandbox = known_by(sandbox, folder);
        let ended = sandbox.run(&["bases"]);
        assert_eq!(ended.code, Some(4), "{}", ended.shown());
        said.push_str(&format!("{folder}\n{}\n", shown(&sandbox, &ended)));
    }
    let plain = sandbox
        .without("DOCKER_TLS_VERIFY")
        .without("DOCKER_CERT_PATH");
    let ended = plain.run(&["bases"]);
    said.push_str(&format!("no TLS\n{}", shown(&plain, &ended)));
    said
}

#[test]
fn certificates_that_do_not_fit_are_told_with_their_folder_and_a_next_step() {
    if !engine() {
        return;
    }
    let sandbox = at_a_distance(Clients::Known);
    misfits(&sandbox);
    let said = said_of_misfits(sandbox);
    insta::assert_snapshot!(said, @"
    untrusting
    stderr:
    error: cannot reach a container engine
      caused by: its certificate is not one of the authority in `[folder]/untrusting/ca.pem`: invalid peer certificate: BadSignature at tcp://[engine] (the variable `DOCKER_HOST`)
      hint: while the variable `DOCKER_HOST` names this one, no other is looked for: mend it, or run `unset DOCKER_HOST DOCKER_CONTEXT`
      hint: `loadline learn` still opens the lessons, quizzes and instant Dockerfile checks; nothing can be graded without an engine
    exit code: 4

    unknown
    stderr:
    error: cannot reach a container engine
      caused by: it refuses the certificate in `[folder]/unknown/cert.pem`: received fatal alert: DecryptError at tcp://[engine] (the variable `DOCKER_HOST`)
      hint: while the variable `DOCKER_HOST` names this one, no other is looked for: mend it, or run `unset DOCKER_HOST DOCKER_CONTEXT`
      hint: `loadline learn` still opens the lessons, quizzes and instant Dockerfile checks; nothing can be graded without an engine
    exit code: 4

    expired
    stderr:
    error: cannot reach a container engine
      caused by: it refuses the certificate in `[folder]/expired/cert.pem`: received fatal alert: CertificateExpired at tcp://[engine] (the variable `DOCKER_HOST`)
      hint: while the variable `DOCKER_HOST` names this one, no other is looked for: mend it, or run `unset DOCKER_HOST DOCKER_CONTEXT`
      hint: `loadline learn` still opens the lessons, quizzes and instant Dockerfile checks; nothing can be graded without an engine
    exit code: 4

    empty
    stderr:
    error: cannot reach a container engine
      caused by: `[folder]/empty/ca.pem` cannot be read: no such file or directory at tcp://[engine] (the variable `DOCKER_HOST`)
      hint: while the variable `DOCKER_HOST` names this one, no other is looked for: mend it, or run `unset DOCKER_HOST DOCKER_CONTEXT`
      hint: `loadline learn` still opens the lessons, quizzes and instant Dockerfile checks; nothing can be graded without an engine
    exit code: 4

    no TLS
    stderr:
    error: cannot reach a container engine
      caused by: what answers on this port does not speak HTTP: it is no container engine, or one that wants TLS, for which `DOCKER_TLS_VERIFY=1` and `DOCKER_CERT_PATH` are set at tcp://[engine] (the variable `DOCKER_HOST`)
      hint: while the variable `DOCKER_HOST` names this one, no other is looked for: mend it, or run `unset DOCKER_HOST DOCKER_CONTEXT`
      hint: `loadline learn` still opens the lessons, quizzes and instant Dockerfile checks; nothing can be graded without an engine
    exit code: 4
    ");
}

/// `ssh` where the other host is this one: it notes how it was called and runs what it was asked to.
const SSH: &str = r#"#!/bin/sh
here=$(dirname "$0")
printf '%s\n' "$*" >>"$here/called"
while [ "$1" != -- ]; do shift; done
shift 3
exec docker --config "$here" -H "$(cat "$here/engine")" "$@"
"#;

/// A sandbox with that `ssh`, and an address that needs it.
fn behind_ssh() -> Sandbox {
    use std::os::unix::fs::PermissionsExt as _;

    let sandbox = Sandbox::new();
    let runtime = tokio::runtime::Runtime::new().expect("threads");
    let real = runtime.block_on(socket());
    sandbox.write("bin/engine", &format!("unix://{}", real.display()));
    let ssh = sandbox.write("bin/ssh", SSH);
    let all = std::fs::Permissions::from_mode(0o755);
    std::fs::set_permissions(&ssh, all).expect("it is ours");
    let path = sandbox.variable("PATH").unwrap_or_default();
    let path = format!("{}:{path}", sandbox.path("bin").display());
    sandbox
        .with("PATH", &path)
        .with("DOCKER_HOST", "ssh://me@lab:2222")
}

#[test]
fn an_engine_behind_ssh_builds_inspects_runs_and_leaves_no_process_behind() {
    if !engine() {
        return;
    }
    let sandbox = behind_ssh();
    sandbox.write(
        "try/Dockerfile",
        "FROM busybox\nCOPY greeting.txt .\nCMD [\"cat\", \"greeting.txt\"]\n",
    );
    let passed = sandbox.run(&["check", "first-build", "--dir", "try", "--json"]);
    assert_eq!(passed.code, Some(0), "{}", passed.shown());
    let report: serde_json::Value = serde_json::from_str(&passed.stdout).expect("one JSON");
    assert_eq!(report["outcome"], "passed");
    let called = std::fs::read_to_string(sandbox.path("bin/called")).expect("it was called");
    let wanted = "-p 2222 -- me@lab docker system dial-stdio";
    assert!(
        called.lines().all(|line| line.ends_with(wanted)),
        "{called}"
    );
    let mark = sandbox.path("bin").display().to_string();
    wait_until("every ssh has ended", || !is_running(&mark));
}

#[test]
fn what_ssh_says_is_told_with_the_next_step() {
    let sandbox = Sandbox::new();
    let ssh = sandbox.write(
        "bin/ssh",
        "#!/bin/sh\necho 'Warning: a new key' >&2\necho 'me@lab: Permission denied (publickey).' >&2\nexit 255\n",
    );
    let all = std::os::unix::fs::PermissionsExt::from_mode(0o755);
    std::fs::set_permissions(&ssh, all).expect("it is ours");
    let path = format!("{}:/usr/bin:/bin", sandbox.path("bin").display());
    let sandbox = sandbox
        .with("PATH", &path)
        .with("DOCKER_HOST", "ssh://me@lab");
    let ended = sandbox.run(&["bases"]);
    let shown = ended.shown();
    assert_eq!(ended.code, Some(4), "{shown}");
    assert!(
        shown.contains("`ssh me@lab` must work without a password"),
        "{shown}"
    );
}

#[test]
fn a_host_that_cannot_be_reached_is_told_in_time() {
    for address in ["tcp://127.0.0.1:1", "ssh://nobody@127.0.0.1:1"] {
        let sandbox = Sandbox::new().with("DOCKER_HOST", address);
        let began = std::time::Instant::now();
        let ended = sandbox.run(&["bases"]);
        assert!(began.elapsed() < std::time::Duration::from_secs(40));
        let shown = ended.shown();
        assert_eq!(ended.code, Some(4), "{shown}");
        assert!(shown.contains("127.0.0.1:1"), "{shown}");
        assert!(shown.contains("hint: "), "{shown}");
    }
}
