//! What goes wrong around an update of the advisories: a network with an authority of its own, a
//! disk that is full, archives that unpack to far more than they are.

use std::io::Write as _;
use std::net::TcpListener;
use std::path::Path;
use std::path::PathBuf;
use std::process::Command;
use std::process::Stdio;
use std::sync::Arc;

use loadline::advisories;
use loadline::advisories::Manifest;
use loadline::advisories::Place;
use loadline::advisories::Store;
use loadline::advisories::Update;
use loadline::finding::Ecosystem;
use loadline::finding::matching::Advisories as _;
use rcgen::BasicConstraints;
use rcgen::CertificateParams;
use rcgen::IsCa;
use rcgen::Issuer;
use rcgen::KeyPair;
use rustls::ServerConfig;
use rustls::ServerConnection;
use rustls::StreamOwned;
use rustls::pki_types::PrivateKeyDer;
use tempfile::TempDir;
use tokio_util::sync::CancellationToken;

use crate::advisories::archive;
use crate::advisories::current;
use crate::advisories::program;
use crate::advisories::question;
use crate::advisories::said;

// --- An authority that only this network knows -------------------------------------------------

/// A server with a certificate of its own authority; the authority's certificate, for whoever is to
/// trust it.
struct Company {
    address: String,
    authority: String,
}

impl Company {
    fn serving(body: Arc<Vec<u8>>) -> Self {
        let key = KeyPair::generate().expect("a key");
        let mut params = CertificateParams::new(Vec::new()).expect("no names");
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let authority = params.self_signed(&key).expect("it signs itself").pem();
        let issuer = Issuer::new(params, key);
        let own = KeyPair::generate().expect("a key");
        let names = vec![String::from("127.0.0.1")];
        let params = CertificateParams::new(names).expect("an address");
        let certificate = params.signed_by(&own, &issuer).expect("it is signed");
        let key = PrivateKeyDer::try_from(own.serialize_der()).expect("a key");
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .expect("versions")
            .with_no_client_auth()
            .with_single_cert(vec![certificate.der().clone()], key)
            .expect("a certificate and its key");
        let config = Arc::new(config);
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port is free");
        let address = format!("https://{}", listener.local_addr().expect("it is bound"));
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let connection = ServerConnection::new(Arc::clone(&config)).expect("a session");
                let mut stream = StreamOwned::new(connection, stream);
                let _ = question(&mut stream);
                let length = body.len();
                let _ = write!(
                    stream,
                    "HTTP/1.1 200 OK\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n"
                );
                let _ = stream.write_all(&body);
                stream.conn.send_close_notify();
                let _ = stream.flush();
            }
        });
        Self { address, authority }
    }
}

#[test]
fn a_company_s_own_authority_is_trusted_where_the_host_names_it_and_only_there() {
    let company = Company::serving(archive(20, &[]));
    let home = TempDir::new().expect("a temporary folder");
    let file = home.path().join("authority.pem");
    std::fs::write(&file, &company.authority).expect("written");
    let words = [
        "db",
        "update",
        "--ecosystems",
        "pypi",
        "--from",
        &company.address,
    ];
    let update = |trusted: Option<&Path>| {
        let mut command = program(home.path(), &words);
        command.env_remove("SSL_CERT_FILE").env("NO_PROXY", "*");
        command.env_remove("HTTPS_PROXY").env_remove("https_proxy");
        if let Some(file) = trusted {
            command.env("SSL_CERT_FILE", file);
        }
        command.output().expect("it runs")
    };
    let output = update(None);
    let (_, errors) = said(&output);
    assert!(!output.status.success(), "{errors}");
    assert!(errors.contains("ertificate"), "{errors}");
    assert!(errors.contains("SSL_CERT_FILE"), "{errors}");
    assert_eq!(current(home.path()), "none");

    let output = update(Some(&file));
    let (told, errors) = said(&output);
    assert!(output.status.success(), "{told}{errors}");
    assert!(told.contains("scans use the snapshot"), "{told}");
    let listed = program(home.path(), &["db"]).output().expect("it runs");
    let (listed, _) = said(&listed);
    let row = listed.lines().find(|line| line.starts_with("PyPI"));
    let count = row.and_then(|row| row.split_whitespace().nth(1));
    assert_eq!(count, Some("20"), "{listed}");
    assert_ne!(current(home.path()), "none");
}

// --- A disk that is full -----------------------------------------------------------------------

/// A folder as a mirror has it.
fn folder(body: &[u8]) -> TempDir {
    let root = TempDir::new().expect("a temporary folder");
    std::fs::create_dir(root.path().join("PyPI")).expect("a folder");
    std::fs::write(root.path().join("PyPI/all.zip"), body).expect("written");
    root
}

/// The program where no file may grow beyond a kilobyte: writing fails as on a full disk, instead of
/// ending the program.
fn without_room(home: &Path, words: &[&str]) -> Command {
    let mut command = Command::new("sh");
    command
        .args(["-c", "trap '' XFSZ; ulimit -f 1; exec \"$0\" \"$@\""])
        .arg(env!("CARGO_BIN_EXE_loadline"))
        .args(words)
        .env("LOADLINE_HOME", home)
        .env("NO_COLOR", "1")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    command
}

fn left_over(home: &Path) -> Vec<PathBuf> {
    std::fs::read_dir(home.join(".loadline/advisories/snapshots"))
        .expect("it is there")
        .flatten()
        .filter(|entry| entry.file_name().to_string_lossy().starts_with('.'))
        .map(|entry| entry.path())
        .collect()
}

#[test]
fn a_disk_that_fills_up_is_named_and_the_snapshot_in_use_stays() {
    let home = TempDir::new().expect("a temporary folder");
    let (small, large) = (folder(&archive(3, &[])), folder(&archive(900, &[])));
    let from = small.path().display().to_string();
    let words = ["db", "update", "--ecosystems", "pypi", "--from", &from];
    let output = program(home.path(), &words).output().expect("it runs");
    assert!(output.status.success(), "{:?}", said(&output));
    let before = current(home.path());

    let from = large.path().display().to_string();
    let words = ["db", "update", "--ecosystems", "pypi", "--from", &from];
    let output = without_room(home.path(), &words).output().expect("it runs");
    let (_, errors) = said(&output);
    assert!(
        output.status.code().is_some_and(|code| code > 0),
        "{errors}"
    );
    assert!(errors.contains("too large"), "{errors}");
    assert!(errors.contains("hint:"), "{errors}");
    assert_eq!(current(home.path()), before);
    assert_eq!(left_over(home.path()), Vec::<PathBuf>::new());

    let output = program(home.path(), &words).output().expect("it runs");
    assert!(output.status.success(), "{:?}", said(&output));
    assert_ne!(current(home.path()), before);
}

// --- Archives that unpack to far more ----------------------------------------------------------

fn update(store: &Store, from: &Path) -> Manifest {
    let asked = Update {
        place: Place::Folder(from.to_owned()),
        ecosystems: vec![Ecosystem::PyPi],
    };
    advisories::update(store, &asked, &CancellationToken::new(), &mut |_| {})
        .unwrap_or_else(|error| panic!("{error}"))
}

#[test]
fn a_record_that_unpacks_to_far_more_is_passed_over_and_the_others_are_read() {
    // 80 MB of a letter in 80 kB.
    let bomb = "a".repeat(80_000_000);
    let body = archive(3, &[("bomb.json", &bomb), ("second.json", &bomb)]);
    assert!(body.len() < 1_000_000, "{}", body.len());
    let root = TempDir::new().expect("a temporary folder");
    let store = Store::at(root.path().join("advisories"));
    let manifest = update(&store, folder(&body).path());
    let part = &manifest.parts[0];
    assert_eq!((part.records, part.malformed), (3, 2));
    assert_eq!(
        part.malformed_names,
        [
            "bomb.json: it has more than 32 MB",
            "second.json: it has more than 32 MB"
        ]
    );
    let snapshot = store.current().expect("read").expect("there is one");
    let about = snapshot.about(Ecosystem::PyPi, None, "p1").expect("read");
    assert_eq!(about.expect("covered").len(), 1);
}
