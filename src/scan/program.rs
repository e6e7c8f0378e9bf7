//! Finds a scanner and runs it: what it may see, how long it may take, how much it may print.

#![expect(
    clippy::disallowed_methods,
    reason = "edge: starts the scanner that was asked for"
)]

use std::ffi::OsString;
use std::fs::File;
use std::io;
use std::io::Read as _;
use std::path::Path;
use std::path::PathBuf;
use std::process::Stdio;
use std::time::Duration;

use aho_corasick::AhoCorasick;
use tempfile::TempDir;
use tokio::io::AsyncRead;
use tokio::io::AsyncReadExt as _;
use tokio::process::Child;
use tokio::process::Command;
use tokio_util::sync::CancellationToken;

use super::Adapter;
use super::ScanError;
use super::Scanner;
use super::Version;
use crate::text::Clean;

/// How long a scanner may take to say its version.
const VERSION_WITHIN: Duration = Duration::from_secs(30);

/// The most bytes of a result.
const MOST_OUTPUT: usize = 256 * 1024 * 1024;

/// The most bytes of what it says besides.
pub(super) const MOST_WORDS: usize = 4 * 1024 * 1024;

/// The most bytes of a program that are searched for its version.
const MOST_PROGRAM: u64 = 512 * 1024 * 1024;

/// What every scanner gets of the environment, where it is set: how to reach the network, and whom
/// to trust there. No token, no key, no address of an engine.
const KEPT: [&str; 10] = [
    "PATH",
    "LANG",
    "SSL_CERT_FILE",
    "SSL_CERT_DIR",
    "HTTP_PROXY",
    "HTTPS_PROXY",
    "NO_PROXY",
    "http_proxy",
    "https_proxy",
    "no_proxy",
];

/// A scanner that is here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Installed {
    /// The program.
    pub path: PathBuf,
    /// Its version.
    pub version: Version,
    /// Why it must not be run, where that is so.
    pub refused: Option<&'static str>,
}

/// What a program printed.
#[derive(Debug, Default)]
pub(super) struct Output {
    pub(super) code: i32,
    pub(super) stdout: Vec<u8>,
    pub(super) stderr: Vec<u8>,
}

impl Output {
    /// The last line that it said.
    pub(super) fn last_words(&self) -> Clean {
        let said = [&self.stderr, &self.stdout].map(|bytes| String::from_utf8_lossy(bytes));
        let last = said
            .iter()
            .find_map(|text| text.lines().rev().find(|line| !line.trim().is_empty()));
        match last {
            Some(line) => Clean::line(&line.chars().take(300).collect::<String>()),
            None => Clean::line(&format!("it ended with status {}", self.code)),
        }
    }
}

/// Finds a scanner on the `PATH` and asks for its version.
///
/// A version that must not be run is looked for in the program's own bytes before it is run at all:
/// asking it for its version would run it.
///
/// # Errors
/// When it is not here or does not say its version.
pub async fn find(scanner: Scanner, cancel: &CancellationToken) -> Result<Installed, ScanError> {
    let adapter = scanner.adapter();
    let path = place(scanner)?;
    let bytes = path.clone();
    let marked = tokio::task::spawn_blocking(move || marked(&bytes, adapter.refused)).await;
    if let Ok(Some((version, why))) = marked {
        return Ok(Installed {
            path,
            version: Version {
                own: version.to_owned(),
                database: String::new(),
            },
            refused: Some(why),
        });
    }
    let words: Vec<String> = adapter
        .version
        .iter()
        .map(|word| (*word).to_owned())
        .collect();
    let output = run(&adapter, &path, &words, VERSION_WITHIN, cancel).await?;
    let text = String::from_utf8_lossy(&output.stdout);
    let version = (adapter.read_version)(&text).filter(|_| output.code == 0);
    let Some(version) = version else {
        return Err(without_version(scanner, &output));
    };
    let refused = adapter
        .refused
        .iter()
        .find(|(bad, _)| *bad == version.own)
        .map(|(_, why)| *why);
    Ok(Installed {
        path,
        version,
        refused,
    })
}

/// Why a program did not say a version.
pub(super) fn without_version(scanner: Scanner, output: &Output) -> ScanError {
    let adapter = scanner.adapter();
    let program = adapter.program;
    let said = String::from_utf8_lossy(&output.stderr);
    if adapter.absent.iter().any(|words| said.contains(words)) {
        return ScanError::NoPlugin {
            program,
            plugin: scanner.name(),
        };
    }
    ScanError::Failed {
        program,
        last_words: output.last_words(),
        hint: "run it by hand to see whether it is what its name says",
    }
}

/// Where a scanner's program is. It is not run.
///
/// # Errors
/// When it is not here.
pub fn place(scanner: Scanner) -> Result<PathBuf, ScanError> {
    let program = scanner.adapter().program;
    on_path(program).ok_or(ScanError::NotInstalled(program))
}

fn on_path(program: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path)
        .filter(|folder| folder.is_absolute())
        .map(|folder| folder.join(program))
        .find(|path| is_program(path))
}

fn is_program(path: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt as _;
    std::fs::metadata(path)
        .is_ok_and(|about| about.is_file() && about.permissions().mode() & 0o111 != 0)
}

/// The refused version that a program's bytes say it is: Go's linker leaves it in the build
/// information, as the version of the main module or as a variable that was set.
fn marked(
    path: &Path,
    refused: &'static [(&'static str, &'static str)],
) -> Option<(&'static str, &'static str)> {
    if refused.is_empty() {
        return None;
    }
    let marks: Vec<String> = refused
        .iter()
        .flat_map(|(version, _)| {
            [
                format!("/trivy\tv{version}\t"),
                format!("app.ver={version}\n"),
                format!("app.ver={version}\""),
                format!("app.ver={version} "),
            ]
        })
        .collect();
    let search = AhoCorasick::new(&marks).ok()?;
    let file = File::open(path).ok()?;
    let found = search
        .stream_find_iter(file.take(MOST_PROGRAM))
        .filter_map(Result::ok)
        .next()?;
    refused.get(found.pattern().as_usize() / 4).copied()
}

/// Runs a scanner with these words.
pub(super) async fn run(
    adapter: &Adapter,
    path: &Path,
    words: &[String],
    within: Duration,
    cancel: &CancellationToken,
) -> Result<Output, ScanError> {
    let program = adapter.program;
    let failed = |source| ScanError::Start { program, source };
    let place = Place::new().map_err(failed)?;
    let mut command = Command::new(path);
    command
        .args(words)
        .env_clear()
        .envs(environment(adapter, &place))
        .current_dir(place.home())
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .process_group(0)
        .kill_on_drop(true);
    let mut child = command.spawn().map_err(failed)?;
    let group = child.id();
    let watched = tokio::select! {
        biased;
        () = cancel.cancelled() => Err(ScanError::Cancelled),
        () = tokio::time::sleep(within) => Err(ScanError::TooLong { program, within }),
        output = watch(&mut child, adapter) => output,
    };
    if watched.is_err() {
        stop(group);
        let _ = child.wait().await;
    }
    watched
}

/// Where a scanner lives while it runs. All that it leaves goes with this, also where it is stopped
/// while the layers of an image lie unpacked there.
struct Place(TempDir);

impl Place {
    fn new() -> io::Result<Self> {
        let place = Self(tempfile::Builder::new().prefix("loadline-").tempdir()?);
        std::fs::create_dir(place.home())?;
        std::fs::create_dir(place.scratch())?;
        Ok(place)
    }

    /// An empty home.
    fn home(&self) -> PathBuf {
        self.0.path().join("home")
    }

    /// Room for files that it needs for a while only.
    fn scratch(&self) -> PathBuf {
        self.0.path().join("tmp")
    }
}

/// Stops a scanner with all that it started.
fn stop(group: Option<u32>) {
    let group = group
        .and_then(|id| i32::try_from(id).ok())
        .and_then(rustix::process::Pid::from_raw);
    if let Some(group) = group {
        let _ = rustix::process::kill_process_group(group, rustix::process::Signal::KILL);
    }
}

async fn watch(child: &mut Child, adapter: &Adapter) -> Result<Output, ScanError> {
    let program = adapter.program;
    let failed = |source| ScanError::Start { program, source };
    let too_much = |most| ScanError::TooMuch { program, most };
    let (stdout, stderr) = (child.stdout.take(), child.stderr.take());
    // Where any line may say that the result is not whole, none of them may be lost.
    let beyond_words = if adapter.lacks.is_empty() {
        Beyond::PassOver
    } else {
        Beyond::Refuse
    };
    let (stdout, stderr) = tokio::try_join!(
        read(stdout, MOST_OUTPUT, Beyond::Refuse),
        read(stderr, MOST_WORDS, beyond_words)
    )
    .map_err(failed)?;
    let stdout = stdout.ok_or_else(|| too_much(MOST_OUTPUT))?;
    let stderr = stderr.ok_or_else(|| too_much(MOST_WORDS))?;
    let status = child.wait().await.map_err(failed)?;
    Ok(Output {
        code: status.code().unwrap_or(-1),
        stdout,
        stderr,
    })
}

/// What happens to what a program prints beyond a limit.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Beyond {
    Refuse,
    PassOver,
}

/// Reads up to `most` bytes; `None` where there are more and that is refused.
async fn read(
    from: Option<impl AsyncRead + Unpin>,
    most: usize,
    beyond: Beyond,
) -> io::Result<Option<Vec<u8>>> {
    let mut bytes = Vec::new();
    let Some(mut from) = from else {
        return Ok(Some(bytes));
    };
    let mut buffer = vec![0; 64 * 1024];
    loop {
        let count = from.read(&mut buffer).await?;
        let piece = buffer.get(..count).unwrap_or_default();
        if piece.is_empty() {
            return Ok(Some(bytes));
        }
        if bytes.len() + count > most {
            if beyond == Beyond::Refuse {
                return Ok(None);
            }
            // Words that are only shown are shown from their end.
            let half = bytes.len() / 2;
            bytes.drain(..half);
        }
        bytes.extend_from_slice(piece);
    }
}

/// The folder that programs keep a user's caches in.
pub(super) fn cache() -> Option<PathBuf> {
    let own = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty());
    let home = || own("HOME").map(|home| PathBuf::from(home).join(".cache"));
    own("XDG_CACHE_HOME").map(PathBuf::from).or_else(home)
}

/// What a scanner sees of the environment: the variables that it needs, a place of its own, and its
/// cache.
fn environment(adapter: &Adapter, place: &Place) -> Vec<(OsString, OsString)> {
    let own = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty());
    let mut seen: Vec<(OsString, OsString)> = KEPT
        .iter()
        .chain(adapter.keeps)
        .filter_map(|name| Some((OsString::from(name), own(name)?)))
        .collect();
    seen.push((OsString::from("HOME"), place.home().into_os_string()));
    seen.push((OsString::from("TMPDIR"), place.scratch().into_os_string()));
    if let Some(cache) = cache() {
        seen.push((OsString::from("XDG_CACHE_HOME"), cache.into_os_string()));
    }
    // A plugin is found, and its login read, in the folder of Docker's own settings.
    if adapter.program == "docker" && own("DOCKER_CONFIG").is_none() {
        let real = own("HOME").map(PathBuf::from);
        let settings = real.map(|home| home.join(".docker").into_os_string());
        seen.extend(settings.map(|folder| (OsString::from("DOCKER_CONFIG"), folder)));
    }
    seen.extend(
        adapter
            .sets
            .iter()
            .map(|(name, value)| (OsString::from(name), OsString::from(value))),
    );
    seen
}
