//! A run whose opened files are written down, by a program of ours that the container starts with
//! (`src/engine/helper/trace.rs`).
//!
//! That program is root with three capabilities until it has asked the kernel to tell of opens;
//! then it becomes the image's own user without any, and executes the image's own command.

use std::time::Duration;

use bollard::models::ContainerCreateBody;
use bollard::models::HealthConfig;
use bollard::query_parameters::UploadToContainerOptionsBuilder;
use tokio_util::sync::CancellationToken;

use super::helper;
use super::watch;
use crate::engine::EngineError;
use crate::engine::docker::Docker;
use crate::engine::docker::containers::Guard;
use crate::engine::docker::fetch;
use crate::engine::docker::images;
use crate::image::Config;
use crate::image::run::Opened;
use crate::image::run::Probe;
use crate::image::run::Run;
use crate::image::run::RunOutcome;
use crate::image::run::Start;
use crate::image::run::Trace;
use crate::image::user::Identity;
use crate::text::Clean;
use crate::text::io_cause;
use crate::text::path_text;
use crate::units::Bytes;

/// The program, compiled by the build script; empty where it could not be.
const PROGRAM: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/trace"));
/// What it is asked to do.
const WHAT: &str = "write down which files the run opens";
/// Why `SYS_ADMIN`: the kernel tells of opens through a whole mount to nobody else. The others
/// become the image's user.
const CAPABILITIES: [&str; 3] = ["SYS_ADMIN", "SETUID", "SETGID"];
/// Memory for the program, beyond what any run gets.
const MEMORY: i64 = 96 * 1024 * 1024;
/// The most that is read of the list, which the program ends at 16 MiB of paths.
const LIST: Bytes = Bytes(20 * 1024 * 1024);
/// How often the list is asked for again where there is none, and after how long.
const TRIES: usize = 10;
const AGAIN: Duration = Duration::from_millis(200);
/// The most that is read of a file that names users.
const NAMES: Bytes = Bytes(1024 * 1024);

/// Runs `image` as `run` says and lists what it opens.
pub(in crate::engine::docker) async fn trace(
    docker: &Docker,
    image: &str,
    run: &Run,
    cancel: CancellationToken,
) -> Result<Trace, EngineError> {
    helper::fits(docker, PROGRAM, WHAT)?;
    if run.probe == Probe::Health {
        return Err(refused("a health check's own files would be among them"));
    }
    let Some(summary) = images::inspect(docker, image).await? else {
        return Err(EngineError::NoSuchImage(image.to_owned()));
    };
    let command = command(&summary.config, &run.start);
    if command.is_empty() {
        return Ok(not_started("the image names no command"));
    }
    let folder = format!("/.loadline-trace-{:016x}", rand::random::<u64>());
    let body = body(docker, image, run, &folder);
    let guard = match Guard::create(docker, body, "trace").await {
        Ok(guard) => guard,
        Err(EngineError::Refused { detail, .. }) => return Err(refused(detail.as_str())),
        Err(error) => return Err(error),
    };
    let traced = async {
        let user = &summary.config.user;
        let identity = match identity(docker, &guard, user).await? {
            Ok(identity) => identity,
            Err(why) => return Ok(not_started(&why)),
        };
        let home = keeps_home(&summary.config, &run.start).then(String::new);
        let home = home.unwrap_or_else(|| identity.home.clone());
        put(docker, &guard, &folder, &order(&identity, &home, &command)).await?;
        let outcome = watch(docker, &guard, run).await?;
        let list = match outcome.start_error {
            Some(_) => None,
            None => list(docker, &guard, &folder).await?,
        };
        read(docker, list.as_deref(), outcome, &folder)
    };
    let traced = tokio::select! {
        biased;
        () = cancel.cancelled() => Err(EngineError::Cancelled),
        traced = traced => traced,
    };
    // The helper beside it goes while the container goes.
    tokio::join!(
        guard.remove(),
        crate::engine::docker::containers::settle(docker)
    );
    traced
}

fn refused(detail: &str) -> EngineError {
    EngineError::Refused {
        what: WHAT,
        detail: Clean::line(detail),
    }
}

/// A run that did not begin.
fn not_started(why: &str) -> Trace {
    Trace {
        outcome: RunOutcome {
            start_error: Some(Clean::line(why)),
            ..RunOutcome::default()
        },
        opened: Opened::default(),
    }
}

/// What the container would execute without us.
fn command(config: &Config, start: &Start) -> Vec<String> {
    let entrypoint = start.entrypoint.as_ref().unwrap_or(&config.entrypoint);
    // Who replaces the entrypoint replaces the command: its arguments are meant for the old one.
    let own: &[String] = match start.entrypoint {
        Some(_) => &[],
        None => &config.cmd,
    };
    let arguments = start.args.as_deref().unwrap_or(own);
    entrypoint.iter().chain(arguments).cloned().collect()
}

/// Whether the environment says where the home is; otherwise the runtime looks it up for the user,
/// who is root for it.
fn keeps_home(config: &Config, start: &Start) -> bool {
    config.env.iter().any(|line| line.starts_with("HOME=")) || start.env.contains_key("HOME")
}

/// The container: that of any run, except for what our program needs.
fn body(docker: &Docker, image: &str, run: &Run, folder: &str) -> ContainerCreateBody {
    let mut body = super::body(docker.inner.info.name, image, run);
    body.user = Some(String::from("0:0"));
    body.entrypoint = Some(vec![format!("{folder}/trace")]);
    body.cmd = Some(vec![folder.to_owned()]);
    // It would run with the container's user and its rights.
    body.healthcheck = Some(HealthConfig {
        test: Some(vec![String::from("NONE")]),
        ..HealthConfig::default()
    });
    let mut host = super::hardened(docker.inner.info.name, false);
    host.cap_add = Some(CAPABILITIES.map(str::to_owned).to_vec());
    host.memory = host.memory.map(|memory| memory + MEMORY);
    host.memory_swap = host.memory;
    body.host_config = Some(host);
    body
}

/// The image's user, as its own files have it; the inner error says why there is none.
async fn identity(
    docker: &Docker,
    guard: &Guard,
    user: &str,
) -> Result<Result<Identity, String>, EngineError> {
    let mut texts = Vec::new();
    for path in ["/etc/passwd", "/etc/group"] {
        let bytes = fetch::file(docker, guard.id(), path, NAMES).await?;
        texts.push(String::from_utf8_lossy(&bytes.unwrap_or_default()).into_owned());
    }
    let [passwd, group] = texts.as_slice() else {
        return Ok(Err(String::from("the image's users are not known")));
    };
    Ok(Identity::resolve(user, passwd, group))
}

/// What the program is told: words that end with a zero byte.
fn order(identity: &Identity, home: &str, command: &[String]) -> Vec<u8> {
    let groups: Vec<String> = identity.groups.iter().map(u32::to_string).collect();
    let words = [
        identity.uid.to_string(),
        identity.gid.to_string(),
        groups.join(","),
        home.to_owned(),
    ];
    let mut bytes = Vec::new();
    for word in words.iter().chain(command) {
        bytes.extend_from_slice(word.as_bytes());
        bytes.push(0);
    }
    bytes
}

/// Puts the program and its order into the container, in a folder that is root's alone.
async fn put(
    docker: &Docker,
    guard: &Guard,
    folder: &str,
    order: &[u8],
) -> Result<(), EngineError> {
    let archive = archive(folder.trim_start_matches('/'), order)
        .map_err(|error| refused(&error.to_string()))?;
    let options = UploadToContainerOptionsBuilder::default().path("/").build();
    let body = bollard::body_full(archive.into());
    docker
        .inner
        .client
        .upload_to_container(guard.id(), Some(options), body)
        .await
        .map_err(|error| docker.fault(WHAT, &error))
}

fn archive(folder: &str, order: &[u8]) -> std::io::Result<Vec<u8>> {
    let mut builder = tar::Builder::new(Vec::new());
    let mut add = |path: &str, kind: tar::EntryType, mode: u32, bytes: &[u8]| {
        let mut header = tar::Header::new_ustar();
        header.set_entry_type(kind);
        header.set_size(u64::try_from(bytes.len()).unwrap_or(u64::MAX));
        header.set_mode(mode);
        header.set_uid(0);
        header.set_gid(0);
        header.set_mtime(0);
        builder.append_data(&mut header, path, bytes)
    };
    let file = tar::EntryType::Regular;
    add(&format!("{folder}/"), tar::EntryType::Directory, 0o700, &[])?;
    add(&format!("{folder}/trace"), file, 0o700, PROGRAM)?;
    add(&format!("{folder}/order"), file, 0o600, order)?;
    builder.into_inner()
}

/// The program's list. Podman takes a container's file system away after its end, and one that asks
/// for a file at that moment is told that there is none.
async fn list(
    docker: &Docker,
    guard: &Guard,
    folder: &str,
) -> Result<Option<Vec<u8>>, EngineError> {
    let path = format!("{folder}/list");
    for _ in 0..TRIES {
        match fetch::file(docker, guard.id(), &path, LIST).await {
            Ok(Some(list)) => return Ok(Some(list)),
            Ok(None) | Err(EngineError::Refused { .. }) => tokio::time::sleep(AGAIN).await,
            Err(error) => return Err(error),
        }
    }
    fetch::file(docker, guard.id(), &path, LIST).await
}

/// Reads the list together with how the run went.
fn read(
    docker: &Docker,
    list: Option<&[u8]>,
    mut outcome: RunOutcome,
    folder: &str,
) -> Result<Trace, EngineError> {
    // The engine's words are about our own program, not about the image's.
    if let Some(why) = &outcome.start_error {
        return Err(refused(why.as_str()));
    }
    let Some(list) = list else {
        return Err(refused("the program that does it left no list"));
    };
    let listed = Listed::parse(list, folder);
    if let Some((step, number)) = listed.refused {
        let rootless = docker.inner.info.rootless;
        return Err(refused(&why(&step, number, rootless)));
    }
    if let Some(number) = listed.not_executed {
        outcome.exit = None;
        outcome.start_error = Some(Clean::line(&format!(
            "the image's command cannot be executed: {}",
            words_of(number)
        )));
    }
    let Some(held) = listed.held else {
        return Err(refused("the program that does it ended before it began"));
    };
    let gaps = if outcome.out_of_memory {
        Some("the container ran out of memory, and the list may have ended there")
    } else if listed.lost {
        Some("the kernel could not tell of every open")
    } else if listed.full {
        Some("there were more than are kept")
    } else if !held {
        Some(
            "this kernel does not hold an open until it is written down, so the last may be missing",
        )
    } else {
        None
    };
    Ok(Trace {
        outcome,
        opened: Opened {
            paths: listed.paths,
            gaps: gaps.map(Clean::line),
        },
    })
}

/// The program's list.
#[derive(Debug, Default, PartialEq, Eq)]
struct Listed {
    held: Option<bool>,
    paths: Vec<String>,
    lost: bool,
    full: bool,
    /// A step and the system's number for what went wrong in it.
    refused: Option<(String, i32)>,
    not_executed: Option<i32>,
}

impl Listed {
    fn parse(bytes: &[u8], folder: &str) -> Self {
        let mut listed = Self::default();
        let ours = format!("{folder}/");
        // What is not ended by a zero byte was cut off.
        let whole = bytes.iter().rposition(|byte| *byte == 0).unwrap_or(0);
        let records = bytes.get(..whole).unwrap_or_default();
        for record in records.split(|byte| *byte == 0) {
            let text = String::from_utf8_lossy(record);
            let mut words = text.split(' ');
            match words.next() {
                _ if text.starts_with('/') => {
                    if !text.starts_with(&ours) {
                        listed.paths.push(path_text(record));
                    }
                }
                Some("held") => listed.held = Some(true),
                Some("told") => listed.held = Some(false),
                Some("lost") => listed.lost = true,
                Some("full") => listed.full = true,
                Some("refused") => {
                    let step = words.next().unwrap_or_default().to_owned();
                    let number = words.next().and_then(|word| word.parse().ok());
                    listed.refused = Some((step, number.unwrap_or(0)));
                }
                Some("exec") => {
                    let number = words.next().and_then(|word| word.parse().ok());
                    listed.not_executed = Some(number.unwrap_or(0));
                }
                Some(_) | None => {}
            }
        }
        listed
    }
}

/// The system's words for one of its numbers: `operation not permitted`.
fn words_of(number: i32) -> String {
    io_cause(&std::io::Error::from_raw_os_error(number)).to_lowercase()
}

/// Why a step of the program was refused, as a fragment.
fn why(step: &str, number: i32, rootless: bool) -> String {
    const EPERM: i32 = 1;
    const EACCES: i32 = 13;
    const ENOSYS: i32 = 38;
    let because = match (step, number) {
        ("fanotify_init" | "fanotify_mark", EPERM | EACCES) if rootless => {
            "the engine runs without root, and the kernel lets root alone watch opens"
        }
        ("fanotify_init" | "fanotify_mark", EPERM | EACCES) => {
            "this engine's containers may not watch opens: they run in a user namespace, or a \
             security policy forbids it"
        }
        ("fanotify_init" | "fanotify_mark", ENOSYS) => {
            "the kernel or the sandbox under this engine has no fanotify"
        }
        _ => "the program that does it could not begin",
    };
    format!("{because} ({step}: {})", words_of(number))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(words: &[&str]) -> Vec<String> {
        words.iter().map(|word| (*word).to_owned()).collect()
    }

    #[test]
    fn the_list_is_read_back_without_our_own_files() {
        let bytes = b"held\0/bin/app\0/x/list\0/lib/a b\0lost\0full\0/cut";
        let listed = Listed::parse(bytes, "/x");
        assert_eq!(listed.paths, ["/bin/app", "/lib/a b"]);
        assert_eq!(listed.held, Some(true));
        assert!(listed.lost && listed.full);
        assert_eq!(Listed::parse(b"", "/x"), Listed::default());
        let refused = Listed::parse(b"refused fanotify_init 1\0", "/x");
        assert_eq!(refused.refused, Some((String::from("fanotify_init"), 1)));
        assert_eq!(Listed::parse(b"told\0exec 2\0", "/x").not_executed, Some(2));
    }

    #[test]
    fn a_refusal_says_why() {
        insta::assert_snapshot!(why("fanotify_init", 1, true), @"the engine runs without root, and the kernel lets root alone watch opens (fanotify_init: operation not permitted)");
        insta::assert_snapshot!(why("fanotify_mark", 13, false), @"this engine's containers may not watch opens: they run in a user namespace, or a security policy forbids it (fanotify_mark: permission denied)");
        insta::assert_snapshot!(why("fanotify_init", 38, false), @"the kernel or the sandbox under this engine has no fanotify (fanotify_init: function not implemented)");
        insta::assert_snapshot!(why("setuid", 22, false), @"the program that does it could not begin (setuid: invalid argument)");
    }

    #[test]
    fn the_command_is_put_together_as_the_engine_does() {
        let config = Config {
            entrypoint: words(&["app"]),
            cmd: words(&["serve"]),
            ..Config::default()
        };
        let start = |entrypoint: Option<&[&str]>, args: Option<&[&str]>| Start {
            entrypoint: entrypoint.map(words),
            args: args.map(words),
            ..Start::default()
        };
        let of = |start: &Start| command(&config, start).join(" ");
        assert_eq!(of(&start(None, None)), "app serve");
        assert_eq!(of(&start(None, Some(&["test"]))), "app test");
        assert_eq!(of(&start(Some(&["sh"]), None)), "sh");
        assert_eq!(of(&start(Some(&["sh"]), Some(&["-c", "x"]))), "sh -c x");
        assert!(command(&Config::default(), &Start::default()).is_empty());
    }

    #[test]
    fn the_order_names_user_groups_home_and_command() {
        let identity = Identity {
            uid: 5,
            gid: 6,
            groups: vec![7, 8],
            home: String::from("/h"),
        };
        let order = order(&identity, "/h", &words(&["a", ""]));
        assert_eq!(order, b"5\x006\x007,8\0/h\0a\0\0");
    }

    #[test]
    fn a_home_that_the_environment_names_stays() {
        let mut config = Config::default();
        let mut start = Start::default();
        assert!(!keeps_home(&config, &start));
        start.env.insert(String::from("HOME"), String::from("/x"));
        assert!(keeps_home(&config, &start));
        config.env = words(&["HOMER=1"]);
        assert!(!keeps_home(&config, &Start::default()));
        config.env = words(&["HOME=/x"]);
        assert!(keeps_home(&config, &Start::default()));
    }
}
