//! Base images from a mirror that is named: an archive of a few packages, signed by a key that was
//! made for it, behind a small server. The host's own apt brings them, with no settings of the host
//! and no other key; the engine is one that keeps what it was given.

use std::collections::BTreeMap;
use std::io::BufRead as _;
use std::io::BufReader;
use std::io::Read as _;
use std::io::Write as _;
use std::net::TcpListener;
use std::net::TcpStream;
use std::path::Path;
use std::path::PathBuf;
use std::process::Command;
use std::sync::Arc;
use std::sync::Mutex;

use loadline::bases::layer::sha256;

use crate::full_disk::with_empty_engine;
use crate::full_disk::with_own_mounts;
use crate::sandbox::Ended;
use crate::sandbox::Sandbox;

/// A package: its name, more fields of its control file, and its files.
pub(crate) type Package<'a> = (&'a str, &'a str, &'a [(&'a str, &'a [u8])]);

/// For scripts with mounts of their own: apt has no settings and no key but the mirror's.
pub(crate) const TRUSTED: &str = r#"
mount -t tmpfs tmpfs /usr/share/keyrings
cp keyring.gpg /usr/share/keyrings/debian-archive-keyring.gpg
mount -t tmpfs tmpfs /etc/apt
"#;

/// A mirror while it is served.
pub(crate) struct Mirror {
    folder: PathBuf,
    /// What `--mirror` is to name.
    pub(crate) address: String,
    asked: Arc<Mutex<Vec<String>>>,
}

impl Mirror {
    /// One of these packages, in a sandbox, whose `keyring.gpg` has its key.
    pub(crate) fn of(sandbox: &Sandbox, packages: &[Package<'_>]) -> Self {
        let folder = sandbox.path("mirror");
        let mut index = String::new();
        for package in packages {
            index.push_str(&packed(&folder.join("debian"), package));
        }
        let key = Key::new(&sandbox.path("gnupg"));
        key.export(&sandbox.path("keyring.gpg"));
        for (archive, suite, index) in [
            ("debian", "trixie", index.as_str()),
            ("debian", "trixie-updates", ""),
            ("debian-security", "trixie-security", ""),
        ] {
            key.sign(
                &folder.join(archive).join("dists").join(suite),
                suite,
                index,
            );
        }
        let asked = Arc::new(Mutex::new(Vec::new()));
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let port = listener.local_addr().expect("it is bound").port();
        let (served, seen) = (folder.clone(), Arc::clone(&asked));
        std::thread::spawn(move || {
            for client in listener.incoming() {
                let (served, seen) = (served.clone(), Arc::clone(&seen));
                let client = client.expect("a client");
                std::thread::spawn(move || serve(client, &served, &seen));
            }
        });
        Self {
            folder,
            address: format!("http://127.0.0.1:{port}/debian"),
            asked,
        }
    }

    /// The paths that were asked for.
    fn asked(&self) -> Vec<String> {
        self.asked.lock().expect("nobody panicked").clone()
    }
}

/// Answers requests with files, or with the news that there is none, as long as they come.
fn serve(mut client: TcpStream, folder: &Path, asked: &Mutex<Vec<String>>) {
    let mut lines = BufReader::new(client.try_clone().expect("one more")).lines();
    while let Some(Ok(first)) = lines.next() {
        // What else is said ends with an empty line, and says nothing that matters here.
        while lines
            .next()
            .is_some_and(|line| line.is_ok_and(|line| !line.is_empty()))
        {}
        let path = first.split(' ').nth(1).unwrap_or_default().to_owned();
        let file = std::fs::read(folder.join(path.trim_start_matches('/')));
        let status = if file.is_ok() { "200 OK" } else { "404 None" };
        let body = file.unwrap_or_default();
        asked.lock().expect("nobody panicked").push(path);
        let head = format!(
            "HTTP/1.1 {status}\r\nContent-Length: {}\r\n\r\n",
            body.len()
        );
        let answer = [head.as_bytes(), &body].concat();
        if client.write_all(&answer).is_err() {
            return;
        }
    }
}

/// Builds a package in the pool of an archive and returns what its index says of it.
fn packed(archive: &Path, (name, fields, files): &Package<'_>) -> String {
    let tree = archive.join("trees").join(name);
    let pool = archive.join("pool");
    for folder in [&tree.join("DEBIAN"), &pool] {
        std::fs::create_dir_all(folder).expect("a folder");
    }
    let control = format!(
        "Package: {name}\nVersion: 1\nArchitecture: amd64\nMaintainer: nobody <nobody@example.org>\n{fields}Description: a sample\n"
    );
    std::fs::write(tree.join("DEBIAN/control"), &control).expect("there is room");
    for (path, bytes) in *files {
        let path = tree.join(path);
        std::fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
        std::fs::write(path, bytes).expect("there is room");
    }
    let file = format!("pool/{name}_1_amd64.deb");
    let mut build = Command::new("dpkg-deb");
    build.args(["--root-owner-group", "-b"]);
    quietly(build.arg(&tree).arg(archive.join(&file)));
    let bytes = std::fs::read(archive.join(&file)).expect("it was built");
    format!(
        "{control}Filename: {file}\nSize: {}\nSHA256: {}\n\n",
        bytes.len(),
        sha256(&bytes)
    )
}

/// A key that signs an archive; who keeps it ends with this.
struct Key {
    home: PathBuf,
}

impl Key {
    fn new(home: &Path) -> Self {
        use std::os::unix::fs::DirBuilderExt as _;

        let made = std::fs::DirBuilder::new().mode(0o700).create(home);
        made.expect("a folder");
        let key = Self {
            home: home.to_path_buf(),
        };
        let user = "archive <archive@example.org>";
        let words = ["--quick-generate-key", user, "ed25519", "sign", "never"];
        quietly(key.gpg().args(words));
        key
    }

    fn gpg(&self) -> Command {
        let mut command = Command::new("gpg");
        command.env("GNUPGHOME", &self.home).args([
            "--batch",
            "--quiet",
            "--passphrase",
            "",
            "--pinentry-mode",
            "loopback",
        ]);
        command
    }

    fn export(&self, to: &Path) {
        quietly(self.gpg().arg("--output").arg(to).arg("--export"));
    }

    /// Writes a suite with this index.
    fn sign(&self, suite: &Path, name: &str, index: &str) {
        let packages = suite.join("main/binary-amd64/Packages");
        std::fs::create_dir_all(packages.parent().expect("a folder")).expect("a folder");
        std::fs::write(&packages, index).expect("there is room");
        let release = format!(
            "Origin: Debian\nLabel: Debian\nSuite: {name}\nCodename: {name}\nDate: Thu, 01 Jan 2026 00:00:00 UTC\nArchitectures: amd64\nComponents: main\nSHA256:\n {} {} main/binary-amd64/Packages\n",
            sha256(index.as_bytes()),
            index.len()
        );
        std::fs::write(suite.join("Release"), release).expect("there is room");
        let mut signing = self.gpg();
        signing.arg("--output").arg(suite.join("InRelease"));
        quietly(signing.arg("--clearsign").arg(suite.join("Release")));
    }
}

impl Drop for Key {
    fn drop(&mut self) {
        let mut end = Command::new("gpgconf");
        end.env("GNUPGHOME", &self.home).args(["--kill", "all"]);
        let _ = end.status();
    }
}

/// Runs a program that has nothing to say.
fn quietly(command: &mut Command) {
    let ended = command.output();
    let ended = ended.expect("it is there: `make tools` installs what is not Debian's own");
    let said = String::from_utf8_lossy(&ended.stderr);
    assert!(ended.status.success(), "{command:?}\n{said}");
}

/// A busybox by its name and by its table of applets.
const BUSYBOX: &[u8] = b"\x7fELF a busybox of the mirror \0[\0[[\0cat\0sh\0: applet not found\0";

/// Makes base images from a mirror, on an engine with none.
const BUILT: &str = r#"
rm -f engine.sock
perl engine "$PWD/engine.sock" & engine=$!
trap 'kill "$engine"' EXIT
while [ ! -S engine.sock ]; do sleep 0.05; done
"$0" bases build --mirror "$@"
"#;

/// A sandbox with such an engine, and a mirror that has busybox.
fn with_busybox() -> (Sandbox, Mirror) {
    let sandbox = with_empty_engine();
    let files: [(&str, &[u8]); 1] = [("usr/bin/busybox", BUSYBOX)];
    let mirror = Mirror::of(&sandbox, &[("busybox-static", "", &files)]);
    (sandbox, mirror)
}

/// Makes busybox from the mirror.
fn built(sandbox: &Sandbox, mirror: &Mirror) -> Ended {
    let script = format!("set -e\n{TRUSTED}{BUILT}");
    with_own_mounts(sandbox, &script, &[&mirror.address, "busybox"])
}

/// The regular files of the layers that the engine was given.
fn given(sandbox: &Sandbox) -> BTreeMap<String, Vec<u8>> {
    let archive = std::fs::File::open(sandbox.path("loaded")).expect("something was given");
    let mut files = BTreeMap::new();
    let mut archive = tar::Archive::new(archive);
    for entry in archive.entries().expect("an archive") {
        let mut bytes = Vec::new();
        let read = entry.expect("an entry").read_to_end(&mut bytes);
        read.expect("it is whole");
        // What is no archive is one of the files that describe the image.
        for inner in tar::Archive::new(&bytes[..])
            .entries()
            .into_iter()
            .flatten()
        {
            let Ok(mut inner) = inner else { break };
            let path = inner.path().expect("a path").display().to_string();
            let mut bytes = Vec::new();
            if inner.header().entry_type().is_file() && inner.read_to_end(&mut bytes).is_ok() {
                files.insert(path, bytes);
            }
        }
    }
    files
}

#[test]
fn a_base_image_is_made_from_the_mirror_that_is_named_and_from_no_other() {
    let (sandbox, mirror) = with_busybox();
    let ended = built(&sandbox, &mirror);
    let shown = ended.shown();
    assert_eq!(ended.code, Some(0), "{shown}{:#?}", mirror.asked());
    let files = given(&sandbox);
    assert_eq!(files["bin/busybox"], BUSYBOX);
    let asked = mirror.asked();
    for path in [
        "/debian/dists/trixie/InRelease",
        "/debian/dists/trixie-updates/InRelease",
        "/debian-security/dists/trixie-security/InRelease",
        "/debian/pool/busybox-static_1_amd64.deb",
    ] {
        assert!(asked.iter().any(|one| one == path), "{path}: {asked:#?}");
    }
}

#[test]
fn a_mirror_whose_signature_or_package_is_not_right_gives_no_image() {
    let (sandbox, mirror) = with_busybox();
    let package = mirror.folder.join("debian/pool/busybox-static_1_amd64.deb");
    let mut bytes = std::fs::read(&package).expect("it was built");
    *bytes.last_mut().expect("it has bytes") ^= 1;
    std::fs::write(&package, bytes).expect("there is room");
    let altered = built(&sandbox, &mirror);
    let other = Key::new(&sandbox.path("other"));
    other.export(&sandbox.path("other.gpg"));
    let others = std::fs::rename(sandbox.path("other.gpg"), sandbox.path("keyring.gpg"));
    others.expect("it was made");
    let _ = std::fs::remove_dir_all(sandbox.path("home/loadline"));
    let unknown = built(&sandbox, &mirror);
    for ended in [altered, unknown] {
        let shown = ended.shown();
        assert_ne!(ended.code, Some(0), "{shown}");
        assert!(shown.contains("could not be verified"), "{shown}");
        assert!(shown.contains("hint: "), "{shown}");
    }
    assert!(!sandbox.path("loads").exists(), "an image was made of it");
}
