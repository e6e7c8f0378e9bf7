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
use super::Trouble;
use super::advice;
use crate::bases;
use crate::engine::Builder;
use crate::engine::Engine as _;
use crate::engine::EngineInfo;
use crate::engine::Tried;
use crate::engine::docker::Docker;
use crate::engine::find::Search;
use crate::engine::start;
use crate::engine::start::plan;
use crate::engine::start::plan::NoPlan;
use crate::engine::start::plan::Plan;
use crate::engine::start::plan::Step;
use crate::engine::unname;
use crate::finding::advisory::Database;
use crate::learner::Home;
use crate::scan;
use crate::text::Clean;
use crate::text::is_ascii_only;
use crate::text::plural;
use crate::text::sentence;
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
    /// The base images of the course: as Dockerfiles name them, and whether each is ready. The error
    /// is why the engine does not list them.
    pub bases: Result<Vec<(String, bool)>, String>,
    /// How many extra certificate authorities the host was told to trust.
    pub authorities: usize,
    /// Which of them cannot be read here, each with the reason.
    pub unreadable: Vec<String>,
    /// Builder images that are the vendors' own, and so know nothing of those authorities.
    pub untrusting: Vec<String>,
    /// What scans compare packages with, or why they cannot.
    pub advisories: Result<Database, String>,
    /// The scanners that are installed, with their versions, and why one must not be run.
    pub scanners: Vec<(String, Option<String>)>,
    /// Where the learner's files are, or why they cannot be written there.
    pub folder: Result<PathBuf, Trouble>,
}

/// No engine was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NoEngine {
    /// Where it was looked for.
    pub tried: Vec<Tried>,
    /// A socket that is there and may not be used.
    pub denied: Option<String>,
    /// What `loadline doctor --fix` would do after asking, or why it can do nothing.
    pub remedy: Result<Plan, NoPlan>,
}

impl NoEngine {
    fn after(search: Search) -> Self {
        Self {
            remedy: plan::plan(&start::facts(&search)),
            tried: search.tried,
            denied: search.denied,
        }
    }
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

/// The smallest terminal that screens are drawn for: columns and rows.
pub const SMALLEST: (u16, u16) = (60, 18);

/// What to do where files cannot be kept.
const OTHER_FOLDER: &str = "Set `LOADLINE_HOME` to a folder that you may write to.";

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

/// Whether files can be written in `folder`, or where it would be made: in the nearest folder above
/// it that exists.
///
/// # Errors
/// With the reason, as a fragment.
pub fn writable(folder: &Path) -> Result<(), String> {
    // What is there and is no folder is found as well: nothing can be made below it.
    let there = folder
        .ancestors()
        .find(|path| path.symlink_metadata().is_ok())
        .ok_or_else(|| "there is no such folder".to_owned())?;
    let shown = there.display();
    if !there.is_dir() {
        return Err(format!("{shown} is no folder"));
    }
    tempfile::tempfile_in(there)
        .map(|_file| ())
        .map_err(|error| format!("{shown} cannot be written: {}", error.kind()))
}

/// Looks at the machine. `found` is the engine with its base images, or the search that found
/// none; `needed` maps the base images of the course to the exercises that need them.
pub async fn look(
    found: Result<(Arc<Docker>, Arc<bases::Service>), Search>,
    needed: &BTreeMap<String, Vec<String>>,
) -> Facts {
    let (docker, service) = match found {
        Ok((docker, service)) => (Ok(docker), Some(service)),
        Err(search) => (Err(NoEngine::after(search)), None),
    };
    let bases::Authorities {
        trusted,
        unreadable,
    } = bases::authorities();
    let mut facts = Facts {
        terminal: terminal(),
        free: match &docker {
            Ok(docker) => docker.free_space().await,
            Err(_) => None,
        },
        engine: docker.map(|docker| docker.info().clone()),
        needed: Bytes(0),
        bases: Ok(Vec::new()),
        authorities: trusted.len(),
        unreadable,
        untrusting: Vec::new(),
        advisories: advice::advisories(Home::find().ok().as_ref(), None)
            .map(|advisories| advisories.database().clone())
            .map_err(|error| format!("{error}; {}", error.hint())),
        scanners: scanners().await,
        folder: folder(),
    };
    if let Some(service) = service {
        facts.see_bases(&service, needed).await;
    }
    facts
}

/// Where the learner's files are.
fn folder() -> Result<PathBuf, Trouble> {
    let home = Home::find().map_err(|error| {
        let next = sentence(error.hint());
        Trouble::new(error.to_string()).advise(next)
    })?;
    // Attempts are kept in a folder of their own, which may be somebody else's.
    for folder in [home.root(), &home.state()] {
        writable(folder).map_err(|reason| Trouble::new(reason).advise(OTHER_FOLDER))?;
    }
    Ok(home.root().to_owned())
}

impl Facts {
    /// Looks at the base images of the course.
    async fn see_bases(
        &mut self,
        service: &bases::Service,
        needed: &BTreeMap<String, Vec<String>>,
    ) {
        let listed = match service.list(needed).await {
            Ok(listed) => listed,
            Err(error) => {
                self.bases = Err(error.to_string());
                return;
            }
        };
        let mut bases = Vec::new();
        for base in listed.iter().filter(|base| !base.needed_by.is_empty()) {
            let ready = !matches!(base.state, bases::State::Missing { .. });
            if !ready {
                self.needed = self.needed.plus(base.real_size.unwrap_or_default());
            }
            let vendors = matches!(base.state, bases::State::Vendor { .. });
            if vendors && service.is_builder(&base.reference) {
                self.untrusting.push(base.reference.clone());
            }
            bases.push((base.reference.clone(), ready));
        }
        self.bases = Ok(bases);
    }
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
        let needed = facts.bases.as_ref().ok().map(|_| facts.needed);
        checks.push(of_disk(facts.free, needed));
    }
    checks.push(of_bases(facts));
    checks.push(of_certificates(facts));
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
        mendable: false,
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
    let (found, fix) = of_no_engine(missing);
    Check {
        mendable: missing.remedy.is_ok(),
        ..check("Engine", CheckState::Bad, found, fix.as_deref())
    }
}

/// What is wrong where there is no engine, and what to do: never more than `--fix` would.
fn of_no_engine(missing: &NoEngine) -> (String, Option<String>) {
    let tried = || {
        let places = plural(missing.tried.len(), "place");
        format!("none answers; {places} tried")
    };
    let named = Tried::named(&missing.tried).filter(|_| missing.denied.is_none());
    match (&missing.remedy, &missing.denied) {
        (Ok(plan), Some(socket)) => {
            let steps: Vec<String> = plan.steps.iter().map(Step::shown).collect();
            let fix = format!(
                "Run `loadline doctor --fix`, which runs `{}` after asking, then `{}`.",
                steps.join("`, `"),
                plan::ENTER_GROUP
            );
            let found = format!("no permission to use the engine at {socket}");
            (found, Some(fix))
        }
        (Ok(_), None) => {
            let fix = "Run `loadline doctor --fix`: it installs or starts one after asking.";
            (tried(), Some(fix.to_owned()))
        }
        (Err(_), None) if let Some(named) = named => {
            let fix = format!(
                "While {named} names one, no other is looked for: mend it, or run `{}`.",
                unname(named)
            );
            (tried(), Some(fix))
        }
        (Err(none), _) => {
            let commands = none.commands.join("`, then `");
            let fix = (!commands.is_empty()).then(|| format!("Run `{commands}`."));
            (none.reason.clone(), fix)
        }
    }
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

/// `needed` is the room for base images, where the engine lists those that are here.
fn of_disk(free: Option<Bytes>, needed: Option<Bytes>) -> Check {
    let Some(free) = free else {
        let found = "not looked at: the engine does not tell how much room it has";
        return check("Disk", CheckState::Off, found, None);
    };
    let rest = match needed {
        None => String::new(),
        Some(Bytes(0)) => "; the base images are here".to_owned(),
        Some(needed) => format!("; the base images to come need about {needed}"),
    };
    let found = format!("{free} free for images{rest}");
    if needed.is_some_and(|needed| free < needed) {
        let fix = "`loadline clean --dry-run` shows what can be removed.";
        return check("Disk", CheckState::Limited, found, Some(fix));
    }
    check("Disk", CheckState::Good, found, None)
}

fn of_bases(facts: &Facts) -> Check {
    let bases = match &facts.bases {
        _ if facts.engine.is_err() => {
            let found = "not looked at: they are kept by an engine";
            return check(BASES, CheckState::Off, found, None);
        }
        Err(why) => {
            let found = format!("the engine does not list its images: {why}");
            let fix = "Restart the engine; what it writes to its log may say more.";
            return check(BASES, CheckState::Bad, found, Some(fix));
        }
        Ok(bases) => bases,
    };
    let ready = bases.iter().filter(|(_, ready)| *ready).count();
    let found = format!("{ready} of {} ready", bases.len());
    if ready == bases.len() {
        return check(BASES, CheckState::Good, found, None);
    }
    let fix = "The workshop prepares them while you read; `loadline bases build` does it now.";
    check(BASES, CheckState::Limited, found, Some(fix))
}

fn of_certificates(facts: &Facts) -> Check {
    let (authorities, untrusting) = (facts.authorities, &facts.untrusting);
    if !facts.unreadable.is_empty() {
        return check(
            "Certificates",
            CheckState::Limited,
            format!(
                "builder images made here do not trust all that the host was told to: {}",
                facts.unreadable.join(", ")
            ),
            Some(
                "Let everybody read them (`sudo chmod a+rX`): certificates are no secret. Then \
                 run `loadline bases build`.",
            ),
        );
    }
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

fn of_folder(folder: &Result<PathBuf, Trouble>) -> Check {
    match folder {
        Ok(path) => check(
            "Your files",
            CheckState::Good,
            path.display().to_string(),
            None,
        ),
        Err(trouble) => check(
            "Your files",
            CheckState::Bad,
            trouble.message.as_str(),
            trouble.next_step.as_ref().map(Clean::as_str),
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
            bases: Ok(vec![("python:3.13".to_owned(), true)]),
            authorities: 0,
            unreadable: Vec::new(),
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

    /// No engine, where one can be installed.
    pub(crate) fn no_engine() -> NoEngine {
        NoEngine {
            tried: Vec::new(),
            denied: None,
            remedy: Ok(Plan {
                summary: String::new(),
                steps: Vec::new(),
                log: None,
            }),
        }
    }
}

#[cfg(test)]
mod tests;
