//! The host's own apt, used from the side: it resolves, verifies and downloads packages into a
//! folder of ours. Nothing of the host's system is read but its configuration, and nothing is
//! installed.
//!
//! No address is known here: mirrors come from the host's configuration or from the caller.

#![expect(
    clippy::disallowed_methods,
    reason = "edge: runs the host's apt and keeps its files"
)]

mod read;

use std::path::Path;
use std::path::PathBuf;
use std::process::Stdio;
use std::time::Duration;
use std::time::SystemTime;

pub use read::Mirrors;
use thiserror::Error;
use tokio::io::AsyncBufReadExt;
use tokio::io::AsyncReadExt;
use tokio::io::BufReader;
use tokio::process::Command;
use tokio_util::sync::CancellationToken;

use crate::text::Clean;
use crate::text::io_cause;
use crate::units::Bytes;

/// Where Debian's keys are on a host; the newer spelling second.
const KEYRINGS: [&str; 2] = [
    "/usr/share/keyrings/debian-archive-keyring.gpg",
    "/usr/share/keyrings/debian-archive-keyring.pgp",
];

/// How long an index is good enough.
const INDEX_AGE: Duration = Duration::from_hours(12);

/// How often room is looked for while apt brings something, and how many times in a row there may
/// be none.
const ROOM_EVERY: Duration = Duration::from_secs(1);
const NO_ROOM_AT_MOST: u32 = 3;

/// Less than this is no room.
const NO_ROOM: u64 = 64 * 1024;

/// The file that tells when, and from where, the index was last brought.
const STAMP: &str = "updated-from";

/// apt could not do what it was asked.
#[derive(Debug, Error)]
pub enum AptError {
    /// This host has no apt.
    #[error("this host has no apt, which local builds of base images need")]
    NoApt,
    /// The host's configuration names no mirror of Debian.
    #[error("the host's apt configuration names no Debian mirror")]
    NoMirror,
    /// The host does not have Debian's keys.
    #[error("the host does not have the keys of the Debian archive")]
    NoKeyring,
    /// A signature or a checksum is not right.
    #[error("the Debian archive could not be verified: {0}")]
    Signature(Clean),
    /// The mirror did not answer.
    #[error("the Debian mirror cannot be reached: {0}")]
    Network(Clean),
    /// The mirror answers, and is no mirror of Debian at that address.
    #[error("the mirror has no such release of Debian: {0}")]
    NoRelease(Clean),
    /// No room is left.
    #[error("the disk is full while packages are downloaded: {0}")]
    DiskFull(Clean),
    /// Something else, in apt's words.
    #[error("apt refused: {0}")]
    Refused(Clean),
    /// A downloaded package is not the one that the index names.
    #[error("the package file `{0}` is damaged; it was removed")]
    Damaged(String),
    /// A file of ours could not be read or written.
    #[error("cannot use `{path}`")]
    File {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// The work was cancelled.
    #[error("cancelled")]
    Cancelled,
}

/// A package as the signed index names it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Package {
    /// Its name.
    pub name: String,
    /// Its version.
    pub version: String,
    /// Its architecture.
    pub architecture: String,
    /// Where it is, or will be once it is downloaded.
    pub path: PathBuf,
    /// Its size.
    pub size: Bytes,
    /// SHA-256 in hexadecimal digits.
    pub sha256: String,
}

/// What is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Closure {
    /// The named packages with all that they depend on.
    Whole,
    /// The named packages only.
    None,
}

/// One suite of the archive, in a folder of its own.
#[derive(Debug)]
pub struct Apt {
    root: PathBuf,
    mirrors: Mirrors,
    suite: String,
}

impl Apt {
    /// Sets up `suite` for `architecture` under `folder`, and brings its index where the last one
    /// is old. With no network an old index is used as it is.
    ///
    /// # Errors
    /// When the host has no apt, no mirror or no keys, or the index cannot be brought or verified.
    pub async fn open(
        folder: &Path,
        suite: &str,
        architecture: &str,
        mirror: Option<&str>,
        cancel: &CancellationToken,
    ) -> Result<Self, AptError> {
        let root = folder.join(format!("{suite}-{architecture}"));
        let mirrors = match (mirror, young(&root)) {
            (Some(mirror), _) => Mirrors::of(mirror),
            // Asking the host takes apt a second; within hours the answer stays the same.
            (None, Some(mirrors)) => mirrors,
            (None, None) => host_mirrors(cancel).await?,
        };
        let keyring = KEYRINGS
            .iter()
            .find(|path| Path::new(path).exists())
            .ok_or(AptError::NoKeyring)?;
        let apt = Self {
            root,
            mirrors,
            suite: suite.to_owned(),
        };
        apt.lay_out(architecture, keyring)?;
        apt.update(cancel).await?;
        Ok(apt)
    }

    /// Where the packages come from.
    #[must_use]
    pub const fn mirrors(&self) -> &Mirrors {
        &self.mirrors
    }

    /// Makes the private root: folders, an empty package database, sources and settings.
    fn lay_out(&self, architecture: &str, keyring: &str) -> Result<(), AptError> {
        for folder in [
            "etc/apt/sources.list.d",
            "etc/apt/preferences.d",
            "etc/apt/apt.conf.d",
            "etc/apt/trusted.gpg.d",
            "var/lib/apt/lists/partial",
            "var/cache/apt/archives/partial",
            "var/cache/apt/none/partial",
            "var/lib/dpkg",
        ] {
            let path = self.root.join(folder);
            std::fs::create_dir_all(&path).map_err(|source| AptError::File { path, source })?;
        }
        self.write("var/lib/dpkg/status", "")?;
        self.write(
            "etc/apt/sources.list.d/debian.sources",
            &sources(&self.mirrors, &self.suite, Some(keyring)),
        )?;
        self.write("apt.conf", &settings(&self.root, architecture))
    }

    fn write(&self, name: &str, text: &str) -> Result<(), AptError> {
        let path = self.root.join(name);
        std::fs::write(&path, text).map_err(|source| AptError::File { path, source })
    }

    /// Brings the index, unless the last one is from the same mirror and young enough.
    async fn update(&self, cancel: &CancellationToken) -> Result<(), AptError> {
        if young(&self.root).as_ref() == Some(&self.mirrors) {
            return Ok(());
        }
        let had = stamped(&self.root).is_some_and(|(mirrors, _)| mirrors == self.mirrors);
        let mut command = self.command();
        command.args(["-o", "APT::Update::Error-Mode=any"]);
        if had {
            // There is something to go on with: a mirror that says nothing is not waited for long.
            let patience = [
                "Acquire::Retries=1",
                "Acquire::http::Timeout=10",
                "Acquire::https::Timeout=10",
            ];
            command.args(patience.iter().flat_map(|setting| ["-o", setting]));
        }
        command.arg("update");
        match self.with_room(output(command, cancel)).await {
            Ok(_) => self.write(
                STAMP,
                &format!("{}\n{}\n", self.mirrors.main, self.mirrors.security),
            ),
            // What was verified yesterday is still good without a network.
            Err(AptError::Network(_)) if had => Ok(()),
            Err(error) => Err(error),
        }
    }

    /// `apt-get` with our settings.
    fn command(&self) -> Command {
        let mut command = apt_get();
        command.arg("-c").arg(self.root.join("apt.conf"));
        command
    }

    /// Finds the packages that `names` mean today.
    ///
    /// # Errors
    /// When the index does not have one of them or they contradict each other.
    pub async fn resolve(
        &self,
        names: &[String],
        closure: Closure,
        cancel: &CancellationToken,
    ) -> Result<Vec<Package>, AptError> {
        let mut command = self.command();
        // Where a file is already there apt leaves it out of the list; an empty folder has none.
        command
            .args(["-o", "Dir::Cache::archives=none/"])
            .args(["-o", "Acquire::ForceHash=SHA256", "--print-uris", "-y"])
            .arg(match closure {
                Closure::Whole => "install",
                Closure::None => "download",
            })
            .args(names);
        let text = output(command, cancel).await?;
        let folder = self.archives();
        let packages: Vec<Package> = read::wanted(&text)
            .into_iter()
            .filter_map(|wanted| {
                let (name, version, architecture) = read::file_name(&wanted.file)?;
                Some(Package {
                    name,
                    version,
                    architecture,
                    path: folder.join(&wanted.file),
                    size: Bytes(wanted.size),
                    sha256: wanted.sha256,
                })
            })
            .collect();
        if closure == Closure::None {
            return in_order(names, packages);
        }
        Ok(packages)
    }

    /// Downloads what is not there yet; `progress` gets bytes done and bytes in all.
    ///
    /// # Errors
    /// When the mirror does not give a package, or it is not the one that the index names.
    pub async fn download(
        &self,
        packages: &[Package],
        progress: impl Fn(Bytes, Bytes) + Send,
        cancel: &CancellationToken,
    ) -> Result<(), AptError> {
        let missing: Vec<&Package> = packages
            .iter()
            .filter(|package| {
                let file = std::fs::metadata(&package.path);
                !file.is_ok_and(|file| file.len() == package.size.0)
            })
            .collect();
        let total: Bytes = missing.iter().map(|package| package.size).sum();
        if missing.is_empty() {
            return Ok(());
        }
        progress(Bytes(0), total);
        let mut command = self.command();
        command
            .current_dir(self.archives())
            .args(["-o", "APT::Status-Fd=1", "-y", "download"])
            .args(
                missing
                    .iter()
                    .map(|one| format!("{}={}", one.name, one.version)),
            );
        let downloading = watched(command, cancel, |line| {
            if let Some(percent) = read::percent(line) {
                progress(share(total, percent), total);
            }
        });
        self.with_room(downloading).await?;
        progress(total, total);
        Ok(())
    }

    /// `work` while there is room for what it brings. apt's own way of fetching files waits for
    /// ever on a full disk instead of saying so.
    async fn with_room<T>(
        &self,
        work: impl Future<Output = Result<T, AptError>>,
    ) -> Result<T, AptError> {
        let full = async {
            let mut looks = 0;
            while looks < NO_ROOM_AT_MOST {
                tokio::time::sleep(ROOM_EVERY).await;
                looks = if has_room(&self.root) { 0 } else { looks + 1 };
            }
        };
        tokio::select! {
            biased;
            done = work => done,
            () = full => Err(AptError::DiskFull(Clean::line(&format!(
                "no room is left in {}",
                self.root.display()
            )))),
        }
    }

    fn archives(&self) -> PathBuf {
        self.root.join("var/cache/apt/archives")
    }
}

/// Whether something can still be written in `folder`; where that is not told, it is tried.
fn has_room(folder: &Path) -> bool {
    rustix::fs::statvfs(folder).map_or(true, |disk| {
        let blocks = if rustix::process::geteuid().is_root() {
            disk.f_bfree
        } else {
            disk.f_bavail
        };
        // A file system without a size of its own says zero of zero.
        disk.f_blocks == 0 || blocks.saturating_mul(disk.f_frsize) >= NO_ROOM
    })
}

/// Where the index under `root` came from, and how long ago.
fn stamped(root: &Path) -> Option<(Mirrors, Duration)> {
    let stamp = root.join(STAMP);
    let text = std::fs::read_to_string(&stamp).ok()?;
    let mut lines = text.lines().map(str::to_owned);
    let mirrors = Mirrors {
        main: lines.next()?,
        security: lines.next()?,
    };
    let then = std::fs::metadata(&stamp)
        .and_then(|file| file.modified())
        .ok()?;
    Some((mirrors, SystemTime::now().duration_since(then).ok()?))
}

/// The mirrors of an index that is young enough.
fn young(root: &Path) -> Option<Mirrors> {
    let (mirrors, age) = stamped(root)?;
    (age < INDEX_AGE).then_some(mirrors)
}

/// `percent` of `total`.
fn share(total: Bytes, percent: f64) -> Bytes {
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "clamped to thousandths from 0 to 100000"
    )]
    let thousandths = (percent.clamp(0.0, 100.0) * 1000.0) as u64;
    Bytes(total.0 / 100_000 * thousandths)
}

/// The packages in the order of `names`: one layer each, so their order is the image's.
fn in_order(names: &[String], mut packages: Vec<Package>) -> Result<Vec<Package>, AptError> {
    names
        .iter()
        .map(|name| {
            let at = packages.iter().position(|package| package.name == *name);
            at.map(|at| packages.swap_remove(at)).ok_or_else(|| {
                AptError::Refused(Clean::line(&format!("no package `{name}` in this suite")))
            })
        })
        .collect()
}

/// Sources of a suite with its updates, in the form that apt reads.
#[must_use]
pub fn sources(mirrors: &Mirrors, suite: &str, keyring: Option<&str>) -> String {
    let keyring = keyring.unwrap_or("/usr/share/keyrings/debian-archive-keyring.gpg");
    format!(
        "Types: deb\nURIs: {main}\nSuites: {suite} {suite}-updates\nComponents: main\nSigned-By: {keyring}\n\n\
         Types: deb\nURIs: {security}\nSuites: {suite}-security\nComponents: main\nSigned-By: {keyring}\n",
        main = mirrors.main,
        security = mirrors.security,
    )
}

/// Settings of the private root. The host's own are read before and stay (proxies, time-outs);
/// its hooks are dropped, and so is everything that only an installation needs, that names another
/// release, or that lets packages pass which nobody signed.
fn settings(root: &Path, architecture: &str) -> String {
    let root = root.display();
    format!(
        r#"#clear APT::Update::Pre-Invoke;
#clear APT::Update::Post-Invoke;
#clear APT::Update::Post-Invoke-Success;
#clear DPkg;
#clear APT::Architectures;
#clear APT::Default-Release;
#clear Acquire::Languages;
Dir "{root}/";
Dir::State::status "{root}/var/lib/dpkg/status";
Dir::Etc::netrc "/etc/apt/auth.conf";
Dir::Etc::netrcparts "/etc/apt/auth.conf.d";
Dir::Cache::pkgcache "pkgcache.bin";
APT::Sandbox::User "root";
APT::Architecture "{architecture}";
APT::Architectures {{ "{architecture}"; }};
APT::Install-Recommends "false";
APT::Install-Suggests "false";
APT::Get::AllowUnauthenticated "false";
Acquire::AllowInsecureRepositories "false";
Acquire::AllowWeakRepositories "false";
Acquire::AllowDowngradeToInsecureRepositories "false";
Acquire::Languages {{ "none"; }};
Acquire::IndexTargets::deb::DEP-11::DefaultEnabled "false";
Acquire::IndexTargets::deb::Contents-deb::DefaultEnabled "false";
Acquire::Retries "3";
"#
    )
}

/// `apt-get`, speaking English and asking nothing.
fn apt_get() -> Command {
    let mut command = Command::new("apt-get");
    command
        .env("LC_ALL", "C.UTF-8")
        .env("DEBIAN_FRONTEND", "noninteractive")
        .env_remove("APT_CONFIG")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true);
    command
}

/// The mirrors of the host's own configuration.
async fn host_mirrors(cancel: &CancellationToken) -> Result<Mirrors, AptError> {
    let mut command = apt_get();
    command.args([
        "indextargets",
        "--format",
        read::TARGET_FORMAT,
        "Created-By: Packages",
    ]);
    let targets = output(command, cancel).await?;
    read::mirrors(&targets).ok_or(AptError::NoMirror)
}

/// Runs a command to its end and returns its output.
async fn output(command: Command, cancel: &CancellationToken) -> Result<String, AptError> {
    let mut text = String::new();
    watched(command, cancel, |line| {
        text.push_str(line);
        text.push('\n');
    })
    .await?;
    Ok(text)
}

/// Runs a command to its end and shows each line of its output; it ends when it is cancelled.
async fn watched(
    mut command: Command,
    cancel: &CancellationToken,
    mut line: impl FnMut(&str),
) -> Result<(), AptError> {
    let mut child = command.spawn().map_err(|error| match error.kind() {
        std::io::ErrorKind::NotFound => AptError::NoApt,
        _ => AptError::Refused(Clean::line(&io_cause(&error))),
    })?;
    let (Some(out), Some(mut err)) = (child.stdout.take(), child.stderr.take()) else {
        return Err(AptError::Refused(Clean::line("apt has no output")));
    };
    let mut lines = BufReader::new(out).lines();
    let mut said = String::new();
    let mut complaints = String::new();
    let run = async {
        let reading = async {
            while let Ok(Some(text)) = lines.next_line().await {
                line(&text);
                if text.starts_with("Err:")
                    || text.starts_with("E:")
                    || text.starts_with("W:")
                    || text.starts_with("  ")
                {
                    said.push_str(&text);
                    said.push('\n');
                }
            }
        };
        let complaining = err.read_to_string(&mut complaints);
        let (.., status) = tokio::join!(reading, complaining, child.wait());
        status
    };
    let status = tokio::select! {
        status = run => status,
        () = cancel.cancelled() => return Err(AptError::Cancelled),
    };
    match status {
        Ok(status) if status.success() => Ok(()),
        _ => Err(read::failure(&format!("{said}{complaints}"))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_of_the_host_change_nothing_but_the_way_to_a_mirror() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let (host, own) = (folder.path().join("host"), folder.path().join("own"));
        let careless = "APT::Default-Release \"bookworm\";\n\
             APT::Install-Suggests \"true\";\n\
             APT::Get::AllowUnauthenticated \"true\";\n\
             Acquire::AllowInsecureRepositories \"true\";\n\
             Acquire::http::Proxy \"http://proxy.example:1/\";\n";
        std::fs::write(&host, careless).expect("there is room");
        std::fs::write(&own, settings(folder.path(), "amd64")).expect("there is room");
        // apt reads what the variable names before what `-c` names, as it reads the host's own.
        let asked = std::process::Command::new("apt-config")
            .arg("-c")
            .arg(&own)
            .arg("dump")
            .env("APT_CONFIG", &host)
            .output()
            .expect("this host has apt");
        let dump = String::from_utf8_lossy(&asked.stdout);
        let says = |line: &str| dump.lines().any(|one| one == line);
        assert!(says("APT::Default-Release \"\";"), "{dump}");
        assert!(says("APT::Install-Suggests \"false\";"), "{dump}");
        assert!(says("APT::Get::AllowUnauthenticated \"false\";"), "{dump}");
        assert!(
            says("Acquire::AllowInsecureRepositories \"false\";"),
            "{dump}"
        );
        assert!(
            says("Acquire::http::Proxy \"http://proxy.example:1/\";"),
            "{dump}"
        );
    }
}
