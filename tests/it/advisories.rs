//! Advisories at real size and over a real network: three public archives, a server that behaves
//! badly, and updates that are killed.

use std::collections::BTreeMap;
use std::io::Read as _;
use std::io::Write as _;
use std::net::TcpListener;
use std::net::TcpStream;
use std::path::Path;
use std::path::PathBuf;
use std::process::Command;
use std::process::Output;
use std::process::Stdio;
use std::sync::Arc;
use std::sync::Mutex;
use std::time::Duration;
use std::time::Instant;

use loadline::advisories;
use loadline::advisories::AdvisoriesError;
use loadline::advisories::Manifest;
use loadline::advisories::Place;
use loadline::advisories::Progress;
use loadline::advisories::Store;
use loadline::advisories::Update;
use loadline::finding::Ecosystem;
use loadline::finding::affects::Answer;
use loadline::finding::affects::affects;
use loadline::finding::matching::Advisories;
use loadline::finding::osv;
use loadline::finding::osv::Record;
use tempfile::TempDir;
use tokio_util::sync::CancellationToken;

/// The folder with the public archives, beside the repository or above it.
fn archives() -> PathBuf {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.ancestors()
        .skip(1)
        .map(|above| above.join("shared/data/osv"))
        .find(|folder| folder.is_dir())
        .expect("the public archives of advisories are in `../shared/data/osv`: lay them there")
}

fn update(
    store: &Store,
    place: Place,
    ecosystems: &[Ecosystem],
) -> Result<Manifest, AdvisoriesError> {
    let asked = Update {
        place,
        ecosystems: ecosystems.to_vec(),
    };
    advisories::update(store, &asked, &CancellationToken::new(), &mut |_| {})
}

#[test]
#[ignore = "needs the public archives; `make test` runs it where they are"]
fn three_public_archives_are_imported_whole_and_answer() {
    let folder = archives();
    let root = TempDir::new().expect("a temporary folder");
    let store = Store::at(root.path().join("advisories"));
    let manifest = update(&store, Place::Folder(folder), &[]).expect("they can be imported");
    let facts: Vec<(Ecosystem, u64, u64, u64)> = manifest
        .parts
        .iter()
        .map(|part| (part.ecosystem, part.records, part.withdrawn, part.malformed))
        .collect();
    assert_eq!(
        facts,
        [
            (Ecosystem::PyPi, 2661, 10, 0),
            (Ecosystem::Go, 4291, 17, 0),
            (Ecosystem::Rust, 1206, 13, 0),
        ]
    );
    // One record of PyPI's tells no day, and was packed two years after all others.
    assert_eq!(manifest.parts[0].newest, "2024-10-10");
    let snapshot = store
        .current()
        .expect("it can be read")
        .expect("there is one");
    let ids = |ecosystem, package: &str, version: &str| -> Vec<String> {
        let about = snapshot
            .about(ecosystem, None, package)
            .expect("it can be read");
        let mut ids: Vec<String> = about
            .expect("the ecosystem is covered")
            .into_iter()
            .filter(|advisory| {
                advisory
                    .affected
                    .iter()
                    .any(|part| matches!(affects(ecosystem, part, version), Answer::Yes { .. }))
            })
            .map(|advisory| advisory.id)
            .collect();
        ids.sort();
        ids
    };
    // By hand, from the records themselves.
    assert_eq!(ids(Ecosystem::PyPi, "idna", "3.6"), ["PYSEC-2024-60"]);
    assert!(ids(Ecosystem::PyPi, "idna", "3.7").is_empty());
    assert_eq!(
        ids(Ecosystem::PyPi, "urllib3", "2.0.5"),
        ["PYSEC-2023-192", "PYSEC-2023-212"]
    );
    assert_eq!(
        ids(Ecosystem::Rust, "time", "0.1.43"),
        ["RUSTSEC-2020-0071"]
    );
    assert!(ids(Ecosystem::PyPi, "no-such-package", "1").is_empty());
    assert!(
        snapshot
            .about(Ecosystem::Npm, None, "express")
            .expect("read")
            .is_none()
    );
}

#[test]
#[ignore = "needs the public archives; `make test` runs it where they are"]
fn the_same_archives_make_the_same_snapshot_and_are_not_read_twice() {
    let folder = archives();
    let root = TempDir::new().expect("a temporary folder");
    let (one, two) = (
        Store::at(root.path().join("1")),
        Store::at(root.path().join("2")),
    );
    let rust = [Ecosystem::Rust];
    let first = update(&one, Place::Folder(folder.clone()), &rust).expect("imported");
    let second = update(&two, Place::Folder(folder.clone()), &rust).expect("imported");
    assert_eq!(first.id, second.id);
    let mut unchanged = 0;
    let asked = Update {
        place: Place::Folder(folder),
        ecosystems: rust.to_vec(),
    };
    let again = advisories::update(&one, &asked, &CancellationToken::new(), &mut |progress| {
        if let Progress::Done {
            unchanged: true, ..
        } = progress
        {
            unchanged += 1;
        }
    });
    assert_eq!(again.expect("updated").id, first.id);
    assert_eq!(unchanged, 1);
    assert_eq!(one.list().expect("listed").len(), 1);
}

/// The archives say of each version that exists whether it is affected: our order must agree.
#[test]
#[ignore = "needs the public archives; `make test` runs it where they are"]
fn every_version_that_an_advisory_lists_is_affected_by_its_ranges_too() {
    let folder = archives();
    let file = std::fs::File::open(folder.join("PyPI/all.zip")).expect("it is there");
    let mut archive = zip::ZipArchive::new(file).expect("it is an archive");
    let (mut listed, mut beyond) = (0, Vec::new());
    for at in 0..archive.len() {
        let mut json = Vec::new();
        let mut entry = archive.by_index(at).expect("an entry");
        entry.read_to_end(&mut json).expect("it is whole");
        let raw: serde_json::Value = match serde_json::from_slice(&json) {
            Ok(raw) => raw,
            Err(_) => continue,
        };
        let Record::Says(says) = osv::read(&json).expect("it is a record") else {
            continue;
        };
        for part in raw["affected"].as_array().into_iter().flatten() {
            listed += part["versions"].as_array().map_or(0, Vec::len);
        }
        for (_, package, advisory) in says.packages {
            for part in advisory.affected {
                // What is kept are the versions that no range contains.
                if !part.ranges.is_empty() {
                    let kept = part.versions.iter();
                    beyond.extend(kept.map(|one| format!("{} {package} {one}", advisory.id)));
                }
            }
        }
    }
    assert!(listed > 50_000, "{listed}");
    // Some lists do go beyond their ranges; an order that is wrong would make them many.
    assert!(
        beyond.len() * 100 < listed,
        "{} of {listed}: {beyond:?}",
        beyond.len()
    );
}

// --- A server that behaves as it is told -------------------------------------------------------

/// How the server answers a request.
#[derive(Clone)]
enum Behaviour {
    /// As servers do: entity tag, ranges, not modified.
    Well {
        body: Arc<Vec<u8>>,
        etag: &'static str,
    },
    /// The same, but the connection breaks off after so many bytes.
    BreaksOff {
        body: Arc<Vec<u8>>,
        etag: &'static str,
        after: usize,
    },
    /// The same, but it stops sending after so many bytes and keeps the connection.
    Stalls {
        body: Arc<Vec<u8>>,
        etag: &'static str,
        after: usize,
    },
    /// Another status, with a page.
    Status(u16, &'static str),
}

/// What was asked of the server: path, `Range`, `If-Range`, `If-None-Match`.
pub(crate) type Asked = (String, Option<String>, Option<String>, Option<String>);

struct Server {
    address: String,
    behaviour: Arc<Mutex<Vec<Behaviour>>>,
    asked: Arc<Mutex<Vec<Asked>>>,
}

impl Server {
    /// Behaves in turn as `behaviour` says; the last one stays.
    fn start(behaviour: Vec<Behaviour>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port is free");
        let address = format!("http://{}", listener.local_addr().expect("it is bound"));
        let behaviour = Arc::new(Mutex::new(behaviour));
        let asked = Arc::new(Mutex::new(Vec::new()));
        let (turns, notes) = (Arc::clone(&behaviour), Arc::clone(&asked));
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (turns, notes) = (Arc::clone(&turns), Arc::clone(&notes));
                std::thread::spawn(move || answer(stream, &turns, &notes));
            }
        });
        Self {
            address,
            behaviour,
            asked,
        }
    }

    fn place(&self) -> Place {
        Place::of(&self.address).expect("it is an address")
    }

    fn asked(&self) -> Vec<Asked> {
        self.asked.lock().expect("nobody panicked").clone()
    }

    fn behave(&self, behaviour: Behaviour) {
        *self.behaviour.lock().expect("nobody panicked") = vec![behaviour];
    }
}

fn answer(mut stream: TcpStream, turns: &Mutex<Vec<Behaviour>>, notes: &Mutex<Vec<Asked>>) {
    let asked = question(&mut stream);
    notes.lock().expect("nobody panicked").push(asked.clone());
    let behaviour = {
        let mut turns = turns.lock().expect("nobody panicked");
        if turns.len() > 1 {
            turns.remove(0)
        } else {
            turns[0].clone()
        }
    };
    let (body, etag, after, stalls) = match behaviour {
        Behaviour::Well { body, etag } => (body, etag, usize::MAX, false),
        Behaviour::BreaksOff { body, etag, after } => (body, etag, after, false),
        Behaviour::Stalls { body, etag, after } => (body, etag, after, true),
        Behaviour::Status(status, page) => {
            let length = page.len();
            let _ = write!(
                stream,
                "HTTP/1.1 {status} Said\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n{page}"
            );
            return;
        }
    };
    serve(&mut stream, &asked, &body, etag, after);
    if stalls && after < body.len() {
        std::thread::sleep(Duration::from_secs(30));
    }
}

/// Reads a request's head: what is asked for, and under which conditions.
pub(crate) fn question(stream: &mut impl std::io::Read) -> Asked {
    let mut head = Vec::new();
    let mut byte = [0; 1];
    while !head.ends_with(b"\r\n\r\n") && stream.read(&mut byte).is_ok_and(|count| count == 1) {
        head.push(byte[0]);
    }
    let head = String::from_utf8_lossy(&head).into_owned();
    let header = |name: &str| {
        head.lines().find_map(|line| {
            let (key, value) = line.split_once(':')?;
            key.eq_ignore_ascii_case(name)
                .then(|| value.trim().to_owned())
        })
    };
    let path = head.split(' ').nth(1).unwrap_or_default().to_owned();
    (
        path,
        header("range"),
        header("if-range"),
        header("if-none-match"),
    )
}

/// Sends a body, or the part of it that is asked for, and stops after so many bytes.
fn serve(stream: &mut TcpStream, asked: &Asked, body: &[u8], etag: &str, after: usize) {
    let (_, range, if_range, if_none_match) = asked;
    if if_none_match.as_deref() == Some(etag) {
        let _ = write!(
            stream,
            "HTTP/1.1 304 Not Modified\r\nETag: {etag}\r\nConnection: close\r\n\r\n"
        );
        return;
    }
    let start: usize = range
        .as_ref()
        .filter(|_| if_range.as_deref() == Some(etag))
        .and_then(|range| {
            range
                .strip_prefix("bytes=")?
                .strip_suffix('-')?
                .parse()
                .ok()
        })
        .unwrap_or(0);
    let rest = &body[start.min(body.len())..];
    let (whole, length) = (body.len(), rest.len());
    let status = if start > 0 {
        format!(
            "206 Partial Content\r\nContent-Range: bytes {start}-{}/{whole}",
            whole - 1
        )
    } else {
        String::from("200 OK")
    };
    let _ = write!(
        stream,
        "HTTP/1.1 {status}\r\nContent-Length: {length}\r\nETag: {etag}\r\nConnection: close\r\n\r\n"
    );
    let _ = stream.write_all(&rest[..after.min(length)]);
    let _ = stream.flush();
}

/// An archive with `count` records about one package each, and some that are none.
pub(crate) fn archive(count: usize, odd: &[(&str, &str)]) -> Arc<Vec<u8>> {
    let mut writer = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    let options = zip::write::SimpleFileOptions::default();
    let mut entry = |name: &str, text: &str| {
        writer.start_file(name, options).expect("an entry");
        writer.write_all(text.as_bytes()).expect("written");
    };
    for number in 0..count {
        // Noise, so that the archive is larger than one piece of a transfer.
        let noise: String = (0..200)
            .map(|at| {
                char::from(b'a' + u8::try_from((number * 7 + at * at) % 26).expect("a letter"))
            })
            .collect();
        let json = format!(
            r#"{{"id": "T-{number}", "modified": "2026-01-02T00:00:00Z", "summary": "{noise}",
            "affected": [{{"package": {{"ecosystem": "PyPI", "name": "p{number}"}},
            "ranges": [{{"type": "ECOSYSTEM", "events": [{{"introduced": "0"}}, {{"fixed": "2"}}]}}]}}]}}"#
        );
        entry(&format!("T-{number}.json"), &json);
    }
    for (name, text) in odd {
        entry(name, text);
    }
    Arc::new(writer.finish().expect("it is whole").into_inner())
}

fn well(body: &Arc<Vec<u8>>) -> Behaviour {
    Behaviour::Well {
        body: Arc::clone(body),
        etag: "\"one\"",
    }
}

fn store() -> (TempDir, Store) {
    let root = TempDir::new().expect("a temporary folder");
    let store = Store::at(root.path().join("advisories"));
    (root, store)
}

const PYPI: &[Ecosystem] = &[Ecosystem::PyPi];

#[test]
fn what_broke_off_goes_on_where_it_stopped() {
    let body = archive(400, &[]);
    let server = Server::start(vec![
        Behaviour::BreaksOff {
            body: Arc::clone(&body),
            etag: "\"one\"",
            after: 20_000,
        },
        well(&body),
    ]);
    let (_root, store) = store();
    let error = update(&store, server.place(), PYPI).expect_err("it broke off");
    assert!(error.to_string().contains("cannot be reached"), "{error}");
    assert!(
        error.hint().contains("where it stopped"),
        "{}",
        error.hint()
    );
    assert!(store.current().expect("read").is_none());
    let manifest = update(&store, server.place(), PYPI).expect("the rest comes");
    assert_eq!(manifest.parts[0].records, 400);
    assert_eq!(manifest.parts[0].origin.bytes.0, body.len() as u64);
    let asked = server.asked();
    assert_eq!(asked[1].0, "/PyPI/all.zip");
    assert_eq!(asked[1].1.as_deref(), Some("bytes=20000-"));
    assert_eq!(asked[1].2.as_deref(), Some("\"one\""));
}

#[test]
fn an_ecosystem_that_is_named_twice_is_brought_once() {
    let server = Server::start(vec![well(&archive(3, &[]))]);
    let (_root, store) = store();
    let twice = [Ecosystem::PyPi, Ecosystem::PyPi];
    let manifest = update(&store, server.place(), &twice).expect("it comes");
    assert_eq!(manifest.parts.len(), 1);
    assert_eq!(server.asked().len(), 1);
}

#[test]
fn an_archive_that_changed_meanwhile_comes_whole() {
    let (old, new) = (archive(400, &[]), archive(300, &[]));
    let server = Server::start(vec![
        Behaviour::BreaksOff {
            body: old,
            etag: "\"one\"",
            after: 20_000,
        },
        Behaviour::Well {
            body: new,
            etag: "\"two\"",
        },
    ]);
    let (_root, store) = store();
    update(&store, server.place(), PYPI).expect_err("it broke off");
    let manifest = update(&store, server.place(), PYPI).expect("the new one comes");
    assert_eq!(manifest.parts[0].records, 300);
    assert_eq!(manifest.parts[0].origin.etag.as_deref(), Some("\"two\""));
}

#[test]
fn what_has_not_changed_is_not_fetched_again_and_other_parts_stay() {
    let body = archive(5, &[]);
    let server = Server::start(vec![well(&body)]);
    let (_root, store) = store();
    let first = update(&store, server.place(), PYPI).expect("it comes");
    let second = update(&store, server.place(), &[]).expect("nothing is new");
    assert_eq!(first.id, second.id);
    assert_eq!(server.asked()[1].3.as_deref(), Some("\"one\""));
    // Another ecosystem is added beside it.
    let third = update(&store, server.place(), &[Ecosystem::Go]).expect("it comes");
    let names: Vec<Ecosystem> = third.parts.iter().map(|part| part.ecosystem).collect();
    assert_eq!(names, [Ecosystem::PyPi, Ecosystem::Go]);
    let snapshot = store.current().expect("read").expect("there is one");
    let about = snapshot.about(Ecosystem::PyPi, None, "p1").expect("read");
    assert_eq!(about.expect("covered").len(), 1);
    // The first snapshot is still there for whoever uses its id.
    assert!(store.open(&first.id).is_ok());
    assert_eq!(store.list().expect("listed").len(), 2);
}

#[test]
fn unreadable_records_are_counted_and_named_and_not_fatal() {
    let body = archive(
        3,
        &[
            ("broken.json", "{"),
            ("nameless.json", r#"{"id": ""}"#),
            ("notes.txt", "no record at all"),
            (
                "gone.json",
                r#"{"id": "T-9", "withdrawn": "2026-01-01T00:00:00Z"}"#,
            ),
        ],
    );
    let server = Server::start(vec![well(&body)]);
    let (_root, store) = store();
    let part = update(&store, server.place(), PYPI)
        .expect("it comes")
        .parts
        .remove(0);
    assert_eq!((part.records, part.withdrawn, part.malformed), (4, 1, 2));
    assert!(
        part.malformed_names[0].starts_with("broken.json: "),
        "{:?}",
        part.malformed_names
    );
    assert!(
        part.malformed_names[1].contains("it has no id"),
        "{:?}",
        part.malformed_names
    );
}

#[test]
fn whatever_comes_in_place_of_an_archive_is_told_and_changes_nothing() {
    let body = archive(5, &[]);
    let server = Server::start(vec![well(&body)]);
    let (_root, store) = store();
    let good = update(&store, server.place(), PYPI).expect("it comes");

    let mut flipped = body.as_ref().clone();
    // Inside the first entry, behind its header and its name.
    flipped[60] ^= 0xff;
    let mut told = BTreeMap::new();
    for (name, behaviour) in [
        (
            "page",
            Behaviour::Well {
                body: Arc::new(b"<!DOCTYPE html><html>sign in</html>".to_vec()),
                etag: "\"page\"",
            },
        ),
        (
            "nothing",
            Behaviour::Well {
                body: Arc::new(Vec::new()),
                etag: "\"nothing\"",
            },
        ),
        (
            "no records",
            Behaviour::Well {
                body: archive(0, &[("a.json", "[]")]),
                etag: "\"none\"",
            },
        ),
        (
            "flipped",
            Behaviour::Well {
                body: Arc::new(flipped),
                etag: "\"flipped\"",
            },
        ),
        ("404", Behaviour::Status(404, "no such object")),
        ("503", Behaviour::Status(503, "later")),
    ] {
        server.behave(behaviour);
        let error = update(&store, server.place(), PYPI).expect_err(name);
        told.insert(name, format!("{error} · {}", error.hint()));
        let current = store.current_id().expect("read");
        assert_eq!(current.as_deref(), Some(good.id.as_str()), "{name}");
    }
    assert!(told["page"].contains("it is a web page"), "{told:?}");
    assert!(told["page"].contains("sign-in page"), "{told:?}");
    assert!(told["nothing"].contains("it is empty"), "{told:?}");
    assert!(
        told["no records"].contains("none of its entries is a record"),
        "{told:?}"
    );
    assert!(told["404"].contains("answers with status 404"), "{told:?}");
    assert!(told["404"].contains("<ECOSYSTEM>/all.zip"), "{told:?}");
    assert!(told["503"].contains("try again later"), "{told:?}");
    // Nothing of it is kept for the next try.
    server.behave(well(&body));
    update(&store, server.place(), PYPI).expect("it comes again");
}

#[test]
fn a_mirror_that_nobody_runs_is_named_and_changes_nothing() {
    let (_root, store) = store();
    let closed = TcpListener::bind("127.0.0.1:0").expect("a port is free");
    let address = format!("http://{}", closed.local_addr().expect("bound"));
    drop(closed);
    let error = update(&store, Place::of(&address).expect("an address"), PYPI);
    let error = error.expect_err("nobody listens there");
    assert!(error.to_string().contains("cannot be reached"), "{error}");
    assert!(error.hint().contains("stays as it is"), "{}", error.hint());
}

#[test]
fn a_damaged_index_is_named_with_the_way_out() {
    let body = archive(5, &[]);
    let server = Server::start(vec![well(&body)]);
    let (root, store) = store();
    let manifest = update(&store, server.place(), PYPI).expect("it comes");
    let index = root
        .path()
        .join("advisories/snapshots")
        .join(&manifest.id)
        .join(&manifest.parts[0].file);
    let mut bytes = std::fs::read(&index).expect("it is there");
    bytes[30] ^= 0xff;
    std::fs::write(&index, &bytes).expect("written");
    let about = || {
        let current = store.current().expect("it opens");
        let snapshot = current.expect("there is one");
        snapshot.about(Ecosystem::PyPi, None, "p1")
    };
    // Who names it by its id is told before anything is asked.
    let named = store.open(&manifest.id).expect_err("it is compared");
    assert!(named.to_string().contains("not what it was"), "{named}");
    assert!(about().expect_err("damaged").0.contains("checksum"));
    std::fs::write(&index, &bytes[..20]).expect("written");
    assert!(about().expect_err("cut").0.contains("loadline db remove"));
}

// --- The program itself ------------------------------------------------------------------------

pub(crate) fn program(home: &Path, words: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_loadline"));
    command
        .args(words)
        .env_remove("HTTP_PROXY")
        .env_remove("http_proxy")
        .env("LOADLINE_HOME", home)
        .env("NO_COLOR", "1")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    command
}

pub(crate) fn said(output: &Output) -> (String, String) {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (text(&output.stdout), text(&output.stderr))
}

pub(crate) fn current(home: &Path) -> String {
    let output = program(home, &["db", "status", "--json"])
        .output()
        .expect("it runs");
    assert!(output.status.success(), "{:?}", said(&output));
    let status: serde_json::Value =
        serde_json::from_slice(&output.stdout).expect("the status is JSON");
    status["current"]["id"]
        .as_str()
        .unwrap_or("none")
        .to_owned()
}

#[test]
fn an_update_that_is_killed_leaves_the_old_snapshot_whole_and_goes_on_later() {
    let (old, new) = (archive(50, &[]), archive(400, &[]));
    let server = Server::start(vec![well(&old)]);
    let home = TempDir::new().expect("a temporary folder");
    let from = server.address.clone();
    let words = ["db", "update", "--ecosystems", "pypi", "--from", &from];
    let output = program(home.path(), &words).output().expect("it runs");
    assert!(output.status.success(), "{:?}", said(&output));
    let before = current(home.path());

    server.behave(Behaviour::Stalls {
        body: Arc::clone(&new),
        etag: "\"two\"",
        after: 30_000,
    });
    let mut child = program(home.path(), &words).spawn().expect("it starts");
    let partial = home.path().join(".loadline/advisories/downloads/pypi.part");
    let began = Instant::now();
    while std::fs::metadata(&partial).map_or(0, |about| about.len()) < 30_000 {
        assert!(began.elapsed() < Duration::from_secs(20), "nothing came");
        std::thread::sleep(Duration::from_millis(20));
    }
    child.kill().expect("it can be killed");
    child.wait().expect("it ends");
    assert_eq!(current(home.path()), before);

    server.behave(Behaviour::Well {
        body: new,
        etag: "\"two\"",
    });
    let output = program(home.path(), &words).output().expect("it runs");
    assert!(output.status.success(), "{:?}", said(&output));
    let last = server.asked().pop().expect("it asked");
    assert_eq!(last.1.as_deref(), Some("bytes=30000-"));
    assert_ne!(current(home.path()), before);
}

#[test]
#[ignore = "needs the public archives; `make test` runs it where they are"]
fn an_import_killed_at_any_moment_leaves_one_whole_snapshot() {
    let folder = archives();
    let home = TempDir::new().expect("a temporary folder");
    let folder = folder.display().to_string();
    let words = ["db", "update", "--ecosystems", "rust", "--from", &folder];
    assert!(
        program(home.path(), &words)
            .status()
            .expect("it runs")
            .success()
    );
    let before = current(home.path());
    let words = ["db", "update", "--ecosystems", "go,pypi", "--from", &folder];
    for after in [5, 40, 120, 300, 700, 1500] {
        let mut child = program(home.path(), &words).spawn().expect("it starts");
        // From when its snapshot is begun on: before that there is nothing to leave in pieces.
        let making = home.path().join(format!(
            ".loadline/advisories/snapshots/.making-{}",
            child.id()
        ));
        let began = Instant::now();
        while !making.exists() && child.try_wait().expect("a child").is_none() {
            assert!(began.elapsed() < Duration::from_secs(20), "nothing is made");
            std::thread::sleep(Duration::from_millis(1));
        }
        std::thread::sleep(Duration::from_millis(after));
        let _ = child.kill();
        child.wait().expect("it ends");
        let now = current(home.path());
        let listed = program(home.path(), &["db", "list", "--json"])
            .output()
            .expect("it runs");
        assert!(listed.status.success(), "{:?}", said(&listed));
        if now != before {
            break;
        }
    }
    assert!(
        program(home.path(), &words)
            .status()
            .expect("it runs")
            .success()
    );
    assert_ne!(current(home.path()), before);
    let left: Vec<_> = std::fs::read_dir(home.path().join(".loadline/advisories/snapshots"))
        .expect("it is there")
        .flatten()
        .filter(|entry| entry.file_name().to_string_lossy().starts_with('.'))
        .collect();
    assert!(left.is_empty(), "{left:?}");
}

#[test]
fn snapshots_are_listed_switched_and_removed() {
    let server = Server::start(vec![well(&archive(5, &[]))]);
    let home = TempDir::new().expect("a temporary folder");
    let from = server.address.clone();
    let words = ["db", "update", "--ecosystems", "pypi", "--from", &from];
    assert!(
        program(home.path(), &words)
            .status()
            .expect("it runs")
            .success()
    );
    let first = current(home.path());
    server.behave(Behaviour::Well {
        body: archive(6, &[]),
        etag: "\"two\"",
    });
    assert!(
        program(home.path(), &words)
            .status()
            .expect("it runs")
            .success()
    );
    let second = current(home.path());
    assert_ne!(first, second);

    let (list, _) = said(
        &program(home.path(), &["db", "list"])
            .output()
            .expect("it runs"),
    );
    assert!(
        list.contains(&format!("* {second}")) && list.contains(&format!("  {first}")),
        "{list}"
    );
    assert!(list.contains("shipped-"), "{list}");
    let output = program(home.path(), &["db", "use", &first[..6]])
        .output()
        .expect("it runs");
    assert!(output.status.success(), "{:?}", said(&output));
    assert_eq!(current(home.path()), first);
    let output = program(home.path(), &["db", "remove", &first])
        .output()
        .expect("it runs");
    assert!(output.status.success(), "{:?}", said(&output));
    assert_eq!(current(home.path()), "none");
    let output = program(home.path(), &["db", "use", "no-such"])
        .output()
        .expect("it runs");
    assert_eq!(output.status.code(), Some(2));
    let (_, errors) = said(&output);
    assert!(
        errors.contains("there is no snapshot `no-such` here"),
        "{errors}"
    );
    assert!(errors.contains("hint: `loadline db list`"), "{errors}");
}

#[test]
fn the_host_s_proxy_is_used() {
    let proxy = Server::start(vec![Behaviour::Status(407, "who are you?")]);
    let home = TempDir::new().expect("a temporary folder");
    let words = [
        "db",
        "update",
        "--ecosystems",
        "go",
        "--from",
        "http://mirror.invalid/osv",
    ];
    let output = program(home.path(), &words)
        .env("HTTP_PROXY", &proxy.address)
        .env("http_proxy", &proxy.address)
        .output()
        .expect("it runs");
    let (_, errors) = said(&output);
    assert_eq!(output.status.code(), Some(6), "{errors}");
    assert!(!proxy.asked().is_empty(), "{errors}");
    assert!(errors.contains("hint:"), "{errors}");
}
