#![expect(
    clippy::disallowed_methods,
    reason = "the edge that looks at the terminal, the home folder and the host's settings"
)]
//! Looks at everything that the workshop needs of a machine, and says what to do about the rest.
//!
//! [`Facts`] are gathered first; [`checks`] turns them into words and is pure. Nothing is changed
//! here: installing and starting an engine is [`crate::engine::start`].

use std::collections::BTreeMap;
use std::path::Path;
use std::path::PathBuf;
use std::sync::Arc;

use tokio_util::sync::CancellationToken;

use super::Check;
use super::CheckState;
use super::advice;
use crate::bases;
use crate::engine::Builder;
use crate::engine::Engine as _;
use crate::engine::EngineInfo;
use crate::engine::Tried;
use crate::engine::docker::Docker;
use crate::engine::find;
use crate::engine::unname;
use crate::finding::advisory::Database;
use crate::learner::Home;
use crate::scan;
use crate::text::Clean;
use crate::text::is_ascii_only;
use crate::text::plural;
use crate::units::Bytes;

/// What is known of the machine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Facts {
    /// The terminal.
    pub terminal: Terminal,
    /// The engine, or where one was looked for.
    pub engine: Result<EngineInfo, NoEngine>,
    /// Room for images, where the engine tells.
    pub free: Option<Bytes>,
    /// Room that the base images of the course still need.
    pub needed: Bytes,
    /// The base images of the course: as Dockerfiles name them, and whether each is ready.
    pub bases: Vec<(String, bool)>,
    /// How many extra certificate authorities the host was told to trust.
    pub authorities: usize,
    /// Builder images that are the vendors' own, and so know nothing of those authorities.
    pub untrusting: Vec<String>,
    /// What scans compare packages with, or why they cannot.
    pub advisories: Result<Database, String>,
    /// The scanners that are installed, with their versions, and why one must not be run.
    pub scanners: Vec<(String, Option<String>)>,
    /// Where the learner's files are, and why they cannot be written there.
    pub folder: Result<PathBuf, String>,
}

/// No engine was found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct NoEngine {
    /// Where it was looked for.
    pub tried: Vec<Tried>,
    /// A socket that is there and may not be used.
    pub denied: Option<String>,
}

/// What is known of the terminal.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Terminal {
    /// Columns and rows; `None` where there is no terminal.
    pub size: Option<(u16, u16)>,
    /// `TERM`.
    pub name: String,
    /// `COLORTERM`.
    pub colors: String,
    /// Whether more than ASCII is drawn on it.
    pub utf8: bool,
}

/// The name of the check of base images.
pub const BASES: &str = "Base images";

/// The smallest terminal that screens are drawn for.
const SMALLEST: (u16, u16) = (60, 18);

/// Looks at the terminal of this process.
#[must_use]
pub fn terminal() -> Terminal {
    let variable = |name: &str| std::env::var(name).unwrap_or_default();
    Terminal {
        size: rustix::termios::tcgetwinsize(std::io::stdout())
            .ok()
            .map(|size| (size.ws_col, size.ws_row)),
        name: variable("TERM"),
        colors: variable("COLORTERM"),
        utf8: !is_ascii_only(variable),
    }
}

/// Whether files can be written in `folder`, or in the nearest folder above it that exists.
///
/// # Errors
/// With the reason, as a fragment.
pub fn writable(folder: &Path) -> Result<PathBuf, String> {
    let there = folder
        .ancestors()
        .find(|folder| folder.is_dir())
        .ok_or_else(|| "there is no such folder".to_owned())?;
    tempfile::tempfile_in(there)
        .map(|_file| folder.to_owned())
        .map_err(|error| {
            let shown = there.display();
            format!("{shown} cannot be written: {}", error.kind())
        })
}

/// Looks at the machine. `found` is the engine with its base images, or the search that found
/// none; `needed` maps the base images of the course to the exercises that need them.
pub async fn look(
    found: Result<(Arc<Docker>, Arc<bases::Service>), find::Search>,
    needed: &BTreeMap<String, Vec<String>>,
) -> Facts {
    let mut facts = Facts {
        terminal: terminal(),
        engine: Err(NoEngine::default()),
        free: None,
        needed: Bytes(0),
        bases: Vec::new(),
        authorities: bases::authorities().len(),
        untrusting: Vec::new(),
        advisories: advice::advisories(Home::find().ok().as_ref(), None)
            .map(|advisories| advisories.database().clone())
            .map_err(|error| format!("{error}; {}", error.hint())),
        scanners: scanners().await,
        folder: Home::find()
            .map_err(|error| error.to_string())
            .and_then(|home| writable(home.root())),
    };
    match found {
        Ok((docker, service)) => {
            facts.engine = Ok(docker.info().clone());
            facts.free = docker.free_space().await;
            let listed = service.list(needed).await.unwrap_or_default();
            for base in listed.iter().filter(|base| !base.needed_by.is_empty()) {
                let ready = !matches!(base.state, bases::State::Missing { .. });
                if !ready {
                    facts.needed = facts.needed.plus(base.real_size.unwrap_or_default());
                }
                let vendors = matches!(base.state, bases::State::Vendor { .. });
                if vendors && service.is_builder(&base.reference) {
                    facts.untrusting.push(base.reference.clone());
                }
                facts.bases.push((base.reference.clone(), ready));
            }
        }
        Err(search) => {
            facts.engine = Err(NoEngine {
                tried: search.tried,
                denied: search.denied,
            });
        }
    }
    facts
}

/// The scanners that are installed.
async fn scanners() -> Vec<(String, Option<String>)> {
    let here = scan::installed(&CancellationToken::new()).await;
    here.into_iter()
        .map(|(scanner, installed)| {
            let name = format!("{} {}", scanner.name(), installed.version.own);
            (name, installed.refused.map(str::to_owned))
        })
        .collect()
}

/// What each fact means, in the order in which a learner meets it.
#[must_use]
pub fn checks(facts: &Facts) -> Vec<Check> {
    let mut checks = vec![of_terminal(&facts.terminal), of_engine(&facts.engine)];
    if let Ok(info) = &facts.engine {
        checks.push(of_builder(info));
        checks.push(of_disk(facts.free, facts.needed));
    }
    checks.push(of_bases(&facts.bases, facts.engine.is_ok()));
    checks.push(of_certificates(facts.authorities, &facts.untrusting));
    checks.push(of_advisories(&facts.advisories));
    checks.push(of_scanners(&facts.scanners));
    checks.push(of_folder(&facts.folder));
    checks
}

fn check(title: &str, state: CheckState, found: impl AsRef<str>, fix: Option<&str>) -> Check {
    Check {
        title: title.to_owned(),
        state,
        found: Clean::line(found.as_ref()),
        fix: fix.map(Clean::line),
    }
}

fn of_terminal(terminal: &Terminal) -> Check {
    let Some((columns, rows)) = terminal.size else {
        return check(
            "Terminal",
            CheckState::Limited,
            "none here",
            Some("Open a terminal for the screens; every verb and `--plain` work without one."),
        );
    };
    let colors = match (terminal.name.as_str(), terminal.colors.as_str()) {
        (_, "truecolor" | "24bit") => "true colour",
        (name, _) if name.contains("256color") => "256 colours",
        ("dumb" | "", _) => "lines only",
        _ => "16 colours",
    };
    let letters = if terminal.utf8 { "UTF-8" } else { "ASCII" };
    let found = format!("{columns}x{rows}, {colors}, {letters}");
    if terminal.name == "dumb" {
        let fix = "The workshop opens as lines of text here, as with `--plain`.";
        return check("Terminal", CheckState::Limited, found, Some(fix));
    }
    if columns < SMALLEST.0 || rows < SMALLEST.1 {
        let fix = format!("Make the window at least {}x{}.", SMALLEST.0, SMALLEST.1);
        return check("Terminal", CheckState::Limited, found, Some(&fix));
    }
    check("Terminal", CheckState::Good, found, None)
}

fn of_engine(engine: &Result<EngineInfo, NoEngine>) -> Check {
    let missing = match engine {
        Ok(info) => {
            let found = format!(
                "{} {} at {} ({}), {} store{}",
                info.name.title(),
                info.version,
                info.address,
                info.found_by,
                info.store.as_str(),
                if info.rootless { ", rootless" } else { "" },
            );
            return check("Engine", CheckState::Good, found, None);
        }
        Err(missing) => missing,
    };
    if let Some(socket) = &missing.denied {
        return check(
            "Engine",
            CheckState::Bad,
            format!("no permission to use the engine at {socket}"),
            Some(
                "Run `sudo usermod -aG docker $USER`, as `loadline doctor --fix` does after \
                 asking, then `newgrp docker`.",
            ),
        );
    }
    let fix = match Tried::named(&missing.tried) {
        Some(named) => format!(
            "While {named} names one, no other is looked for: mend it, or run `{}`.",
            unname(named)
        ),
        None => "Run `loadline doctor --fix`: it installs or starts one after asking.".to_owned(),
    };
    check(
        "Engine",
        CheckState::Bad,
        format!(
            "none answers; {} tried",
            plural(missing.tried.len(), "place")
        ),
        Some(&fix),
    )
}

fn of_builder(info: &EngineInfo) -> Check {
    match info.builder {
        Builder::Buildkit => check("Builder", CheckState::Good, "BuildKit", None),
        Builder::Buildah => check("Builder", CheckState::Good, "buildah, Podman's own", None),
        Builder::Classic => check(
            "Builder",
            CheckState::Limited,
            "the classic builder: no `RUN --mount`, no stages side by side",
            Some("Unset `DOCKER_BUILDKIT=0`, or update the engine to one with BuildKit."),
        ),
    }
}

fn of_disk(free: Option<Bytes>, needed: Bytes) -> Check {
    let Some(free) = free else {
        let found = "not looked at: the engine does not tell how much room it has";
        return check("Disk", CheckState::Off, found, None);
    };
    let rest = if needed == Bytes(0) {
        "the base images are here".to_owned()
    } else {
        format!("the base images to come need about {needed}")
    };
    let found = format!("{free} free for images; {rest}");
    if free < needed {
        let fix = "`loadline clean --dry-run` shows what can be removed.";
        return check("Disk", CheckState::Limited, found, Some(fix));
    }
    check("Disk", CheckState::Good, found, None)
}

fn of_bases(bases: &[(String, bool)], engine: bool) -> Check {
    if !engine {
        let found = "not looked at: they are kept by an engine";
        return check(BASES, CheckState::Off, found, None);
    }
    let ready = bases.iter().filter(|(_, ready)| *ready).count();
    let found = format!("{ready} of {} ready", bases.len());
    if ready == bases.len() {
        return check(BASES, CheckState::Good, found, None);
    }
    let fix = "The workshop prepares them while you read; `loadline bases build` does it now.";
    check(BASES, CheckState::Limited, found, Some(fix))
}

fn of_certificates(authorities: usize, untrusting: &[String]) -> Check {
    if let (1.., false) = (authorities, untrusting.is_empty()) {
        return check(
            "Certificates",
            CheckState::Limited,
            format!(
                "the host trusts {} besides the usual ones; images of their vendors do not: {}",
                plural(authorities, "authority"),
                untrusting.join(", ")
            ),
            Some(
                "Before a `RUN` there downloads, copy them to `/usr/local/share/ca-certificates/` \
                 and run `update-ca-certificates`.",
            ),
        );
    }
    let found = match authorities {
        0 => "the host trusts the usual authorities only".to_owned(),
        count => format!(
            "the host trusts {} besides the usual ones; builder images made here trust them too",
            plural(count, "authority")
        ),
    };
    check("Certificates", CheckState::Good, found, None)
}

fn of_advisories(advisories: &Result<Database, String>) -> Check {
    match advisories {
        Ok(database) if database.shipped => check(
            "Advisories",
            CheckState::Good,
            format!(
                "of {}, those that come with the program: the packages of the course only",
                database.date
            ),
            Some("`loadline db update` fetches all there are, for scans of other images."),
        ),
        Ok(database) => check(
            "Advisories",
            CheckState::Good,
            format!("of {}, snapshot {}", database.date, database.id),
            None,
        ),
        Err(why) => check(
            "Advisories",
            CheckState::Bad,
            why,
            Some("Run `loadline db update`, or `loadline db list` to choose another snapshot."),
        ),
    }
}

fn of_scanners(scanners: &[(String, Option<String>)]) -> Check {
    if let Some((name, why)) = scanners
        .iter()
        .find_map(|(name, refused)| Some((name, refused.as_ref()?)))
    {
        return check(
            "Scanners",
            CheckState::Bad,
            format!("{name} must not be run: {why}"),
            Some("Remove it, and change every secret that it could read."),
        );
    }
    let names: Vec<&str> = scanners.iter().map(|(name, _)| name.as_str()).collect();
    let found = if names.is_empty() {
        "none is installed, and none is needed: loadline scans by itself".to_owned()
    } else {
        format!("{}; `loadline scan --engine` uses them", names.join(", "))
    };
    check("Scanners", CheckState::Good, found, None)
}

fn of_folder(folder: &Result<PathBuf, String>) -> Check {
    match folder {
        Ok(path) => check(
            "Your files",
            CheckState::Good,
            path.display().to_string(),
            None,
        ),
        Err(reason) => check(
            "Your files",
            CheckState::Bad,
            reason,
            Some("Set `LOADLINE_HOME` to a folder that you may write to."),
        ),
    }
}

/// A machine for tests.
#[cfg(test)]
pub(crate) mod fixture {
    use super::*;
    use crate::engine::EngineName;
    use crate::engine::Store;

    /// One on which nothing is missing.
    pub(crate) fn sound() -> Facts {
        Facts {
            terminal: Terminal {
                size: Some((120, 36)),
                name: "xterm-256color".to_owned(),
                colors: String::new(),
                utf8: true,
            },
            engine: Ok(EngineInfo {
                name: EngineName::Docker,
                version: "20.10.24".to_owned(),
                store: Store::Graphdriver,
                builder: Builder::Buildkit,
                architecture: "amd64".to_owned(),
                address: "unix:///var/run/docker.sock".to_owned(),
                found_by: "the default socket".to_owned(),
                rootless: false,
            }),
            free: Some(Bytes(40_000_000_000)),
            needed: Bytes(2_000_000_000),
            bases: vec![("python:3.13".to_owned(), true)],
            authorities: 0,
            untrusting: Vec::new(),
            advisories: Ok(Database {
                id: "3f2a91c055aa77bb".to_owned(),
                date: "2026-11-25".to_owned(),
                shipped: false,
            }),
            scanners: vec![("grype 0.104.0".to_owned(), None)],
            folder: Ok(PathBuf::from("/home/a/loadline")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::fixture::sound;
    use super::*;

    fn shown(facts: &Facts) -> String {
        checks(facts)
            .iter()
            .map(|check| {
                let fix = check.fix.as_ref().map(|fix| format!("\n    {fix}"));
                format!(
                    "{:?} {}: {}{}\n",
                    check.state,
                    check.title,
                    check.found,
                    fix.unwrap_or_default()
                )
            })
            .collect()
    }

    #[test]
    fn a_sound_machine_needs_nothing() {
        insta::assert_snapshot!(shown(&sound()), @"
        Good Terminal: 120x36, 256 colours, UTF-8
        Good Engine: Docker 20.10.24 at unix:///var/run/docker.sock (the default socket), graphdriver store
        Good Builder: BuildKit
        Good Disk: 40 GB free for images; the base images to come need about 2 GB
        Good Base images: 1 of 1 ready
        Good Certificates: the host trusts the usual authorities only
        Good Advisories: of 2026-11-25, snapshot 3f2a91c055aa77bb
        Good Scanners: grype 0.104.0; `loadline scan --engine` uses them
        Good Your files: /home/a/loadline
        ");
    }

    #[test]
    fn a_bare_machine_is_told_what_to_do_about_each_thing() {
        let facts = Facts {
            terminal: Terminal::default(),
            engine: Err(NoEngine::default()),
            folder: Err("there is no home folder to keep your files in".to_owned()),
            authorities: 2,
            advisories: Ok(Database {
                id: "shipped-1".to_owned(),
                date: "2026-11-25".to_owned(),
                shipped: true,
            }),
            scanners: Vec::new(),
            ..sound()
        };
        insta::assert_snapshot!(shown(&facts), @"
        Limited Terminal: none here
            Open a terminal for the screens; every verb and `--plain` work without one.
        Bad Engine: none answers; 0 places tried
            Run `loadline doctor --fix`: it installs or starts one after asking.
        Off Base images: not looked at: they are kept by an engine
        Good Certificates: the host trusts 2 authorities besides the usual ones; builder images made here trust them too
        Good Advisories: of 2026-11-25, those that come with the program: the packages of the course only
            `loadline db update` fetches all there are, for scans of other images.
        Good Scanners: none is installed, and none is needed: loadline scans by itself
        Bad Your files: there is no home folder to keep your files in
            Set `LOADLINE_HOME` to a folder that you may write to.
        ");
    }

    #[test]
    fn a_scanner_that_must_not_be_run_and_damaged_advisories_are_told() {
        let facts = Facts {
            advisories: Err("the snapshot `3f2a` is damaged: cut".to_owned()),
            scanners: vec![("trivy 0.69.4".to_owned(), Some("it steals".to_owned()))],
            ..sound()
        };
        let shown = shown(&facts);
        assert!(shown.contains("Bad Scanners: trivy 0.69.4 must not be run: it steals"));
        assert!(shown.contains("Bad Advisories: the snapshot `3f2a` is damaged"));
    }

    #[test]
    fn a_pulled_builder_that_lacks_the_hosts_authorities_is_named() {
        let mut facts = sound();
        facts.untrusting.push("python:3.13".to_owned());
        assert!(
            shown(&facts).contains("Good Certificates"),
            "none is missing"
        );
        facts.authorities = 1;
        let shown = shown(&facts);
        assert!(shown.contains("Limited Certificates"), "{shown}");
        assert!(shown.contains("vendors do not: python:3.13"), "{shown}");
        assert!(shown.contains("`update-ca-certificates`"), "{shown}");
    }

    #[test]
    fn limits_are_not_failures() {
        let mut facts = sound();
        facts.terminal.size = Some((40, 10));
        facts.free = Some(Bytes(1_000_000_000));
        facts.bases.push(("busybox".to_owned(), false));
        if let Ok(info) = &mut facts.engine {
            info.builder = Builder::Classic;
        }
        let states: Vec<CheckState> = checks(&facts).iter().map(|check| check.state).collect();
        assert!(!states.contains(&CheckState::Bad));
        assert_eq!(
            states
                .iter()
                .filter(|state| **state == CheckState::Limited)
                .count(),
            4
        );
    }

    #[test]
    fn a_folder_that_is_not_there_yet_is_judged_by_the_one_above_it() {
        let above = tempfile::tempdir().expect("a folder");
        let wanted = above.path().join("a/b");
        assert_eq!(writable(&wanted), Ok(wanted.clone()));
    }

    #[test]
    fn a_missing_permission_is_not_a_missing_engine() {
        let facts = Facts {
            engine: Err(NoEngine {
                tried: Vec::new(),
                denied: Some("unix:///var/run/docker.sock".to_owned()),
            }),
            ..sound()
        };
        assert!(shown(&facts).contains("usermod -aG docker"));
    }
}
