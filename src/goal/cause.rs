//! Why a container did not do what was wanted, as far as its end and its output show.
//!
//! Causes are recognised by what happened, never by what the Dockerfile's text looks like: the
//! command that was started, the engine's refusal, the program's own complaint, the files that
//! are or are not in the image.

mod arguments;
mod output;
mod python;
mod start;

use super::Blame;
use super::Evidence;
use super::Verdict;
use super::base;
use crate::dockerfile::Keyword;
use crate::image::Config;
use crate::image::inside::Libraries;
use crate::image::inside::Needs;
use crate::image::inside::start::program_of;
use crate::image::run::MEMORY;
use crate::image::run::PROCESSES;
use crate::image::run::Run;
use crate::image::run::RunOutcome;
use crate::image::tree::Tree;
use crate::text;
use crate::text::Clean;

/// A cause with a next step.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Cause {
    pub(super) why: String,
    pub(super) next: String,
    pub(super) blame: Blame,
    /// What the container wrote last.
    output: Vec<Clean>,
}

/// How many of the last lines of a container's output a verdict keeps.
pub const OUTPUT_LINES: usize = 20;

/// How many characters of such a line.
const OUTPUT_WIDTH: usize = 400;

/// The last lines of what a container wrote, errors last.
pub(super) fn last_lines(outcome: &RunOutcome) -> Vec<Clean> {
    let written = outcome.stdout.iter().chain(&outcome.stderr);
    let lines: Vec<&Clean> = written.collect();
    let end = lines
        .iter()
        .rposition(|line| !line.as_str().trim().is_empty());
    let lines = lines.into_iter().take(end.map_or(0, |end| end + 1));
    let last = lines.rev().take(OUTPUT_LINES).map(|line| {
        if line.as_str().chars().count() <= OUTPUT_WIDTH {
            return line.clone();
        }
        let cut: String = line.as_str().chars().take(OUTPUT_WIDTH - 1).collect();
        Clean::line(&format!("{cut}…"))
    });
    let mut last: Vec<Clean> = last.collect();
    last.reverse();
    last
}

impl Cause {
    fn new(why: impl Into<String>, next: impl Into<String>, blame: Blame) -> Self {
        Self {
            why: why.into(),
            next: next.into(),
            blame,
            output: Vec::new(),
        }
    }

    /// The verdict of a goal that is not met for this cause, where this was found.
    pub(super) fn unmet(self, actual: impl AsRef<str>) -> Verdict {
        let mut verdict = Verdict::unmet(actual, self.why, self.next, self.blame);
        if let Verdict::Unmet(unmet) = &mut verdict {
            unmet.output = self.output;
        }
        verdict
    }
}

/// What is known of a run, in one place.
struct Scene<'a> {
    evidence: &'a Evidence,
    config: Option<&'a Config>,
    tree: Option<Tree<'a>>,
    /// What was started: the entrypoint with its arguments.
    command: Vec<String>,
    /// What the program wrote, errors last.
    output: String,
    /// Whether the run replaced the entrypoint.
    own_entrypoint: bool,
    /// Whether the run replaced the command.
    own_args: bool,
}

impl<'a> Scene<'a> {
    /// What a run was, and what it wrote.
    fn of(evidence: &'a Evidence, run: &Run, outcome: &RunOutcome) -> Self {
        let summary = evidence.summary.as_ref().ok();
        let config = summary.map(|summary| &summary.config);
        let lines = outcome.stdout.iter().chain(&outcome.stderr);
        Self {
            evidence,
            config,
            tree: evidence.contents.as_ref().ok().map(Tree::of),
            command: command(run, config),
            output: lines.map(Clean::as_str).collect::<Vec<_>>().join("\n"),
            own_entrypoint: run.start.entrypoint.is_some(),
            own_args: run.start.args.is_some(),
        }
    }
}

impl Scene<'_> {
    /// The line that says what is started; `None` where the run says that itself.
    fn start_line(&self) -> Option<u32> {
        if self.own_entrypoint {
            return None;
        }
        let file = &self.evidence.dockerfile;
        let inherited = self
            .config
            .is_some_and(|config| !config.entrypoint.is_empty());
        let entrypoint = base::last(file, Keyword::Entrypoint);
        if self.own_args && entrypoint.is_none() && !inherited {
            return None;
        }
        let cmd = || base::last(file, Keyword::Cmd).filter(|_| !self.own_args);
        let start = entrypoint.or_else(cmd);
        start
            .map(|one| one.line)
            .or_else(|| base::base(file).map(|(_, line)| line))
    }

    /// What a program needs to be loaded in this image, as far as it is known.
    fn needs(&self, program: &str) -> Option<Needs> {
        let contents = self.evidence.contents.as_ref().ok()?;
        let tree = self.tree.as_ref()?;
        let mut config = self.config?.clone();
        config.entrypoint = vec![program.to_owned()];
        let path = program_of(&config, tree)?;
        Libraries::of(contents, tree).needs(&path)
    }

    /// The user that the container runs as, as written; `root` where none is set.
    fn user(&self) -> &str {
        let user = self.config.map_or("", |config| config.user.as_str());
        match user.split(':').next().unwrap_or_default() {
            "" | "0" => "root",
            user => user,
        }
    }

    /// The first folder on the way to `path` that the container's user may not enter.
    fn closed_folder(&self, path: &str) -> Option<String> {
        if self.user() == "root" {
            return None;
        }
        let uid = self.user().parse::<u64>().ok();
        let tree = self.tree.as_ref()?;
        let path = path.trim_start_matches('/');
        let ends = path
            .match_indices('/')
            .map(|(at, _)| at)
            .chain([path.len()]);
        ends.filter_map(|end| path.get(..end)).find_map(|folder| {
            let node = tree.find(folder).ok()?;
            let owner = uid == Some(node.entry.uid);
            let is_folder = node.entry.kind == crate::image::EntryKind::Directory;
            let closed = is_folder && !owner && node.entry.mode & 0o001 == 0;
            closed.then(|| format!("/{folder}"))
        })
    }
}

/// Why a run ended as it did.
pub(super) fn of(evidence: &Evidence, run: &Run, outcome: &RunOutcome) -> Cause {
    let scene = Scene::of(evidence, run, outcome);
    let cause = start::cause(&scene, outcome)
        .or_else(|| limit(&scene, outcome))
        .or_else(|| arguments::cause(&scene, outcome))
        .or_else(|| output::cause(&scene))
        .unwrap_or_else(|| otherwise(&scene, outcome));
    Cause {
        output: last_lines(outcome),
        ..cause
    }
}

/// The words that were started: a new entrypoint drops the image's command.
fn command(run: &Run, config: Option<&Config>) -> Vec<String> {
    let image = |pick: fn(&Config) -> &Vec<String>| config.map(pick).cloned().unwrap_or_default();
    let (entrypoint, fallback) = match &run.start.entrypoint {
        Some(entrypoint) => (entrypoint.clone(), Vec::new()),
        None => (
            image(|config| &config.entrypoint),
            image(|config| &config.cmd),
        ),
    };
    let arguments = run.start.args.clone().unwrap_or(fallback);
    entrypoint.into_iter().chain(arguments).collect()
}

/// The limit of a check that a run was seen to meet, where it was.
pub(super) fn of_limits(evidence: &Evidence, run: &Run, outcome: &RunOutcome) -> Option<Cause> {
    let scene = Scene::of(evidence, run, outcome);
    let cause = limit(&scene, outcome).or_else(|| output::no_more_processes(&scene))?;
    Some(Cause {
        output: last_lines(outcome),
        ..cause
    })
}

fn limit(scene: &Scene<'_>, outcome: &RunOutcome) -> Option<Cause> {
    memory(scene, outcome).or_else(|| crowd(scene, outcome))
}

/// What is said of a run that had as many processes as it may have.
pub(super) fn crowded(outcome: &RunOutcome) -> Option<String> {
    // A process that the engine puts into the container is not held to the limit, and comes on top.
    let count = outcome.crowd?.min(u64::from(PROCESSES));
    Some(format!(
        "It had {count} processes and threads, as many as a check allows, and could start no other."
    ))
}

fn crowd(scene: &Scene<'_>, outcome: &RunOutcome) -> Option<Cause> {
    Some(Cause::new(
        crowded(outcome)?,
        "Find out what starts them, and what is to end them.",
        Blame::line(scene.start_line()),
    ))
}

fn memory(scene: &Scene<'_>, outcome: &RunOutcome) -> Option<Cause> {
    let why = if outcome.out_of_memory {
        format!(
            "It, or a process that it started, was killed because it used more memory than a check allows ({MEMORY})."
        )
    } else if outcome.killed_untold {
        String::from(
            "It was killed (status 137), and not by Loadline. This version of the engine does not say why; what uses more memory than a check allows ends like this.",
        )
    } else {
        return None;
    };
    Some(Cause::new(
        why,
        "Look at what the app loads or starts before it is ready.",
        Blame::line(scene.start_line()),
    ))
}

/// The container's end and its last words.
fn otherwise(scene: &Scene<'_>, outcome: &RunOutcome) -> Cause {
    let last = outcome
        .stderr
        .iter()
        .rev()
        .chain(outcome.stdout.iter().rev());
    let last = last
        .map(Clean::as_str)
        .map(str::trim)
        .find(|line| !line.is_empty());
    let (said, next) = match last {
        Some(line) => (
            format!("Its last line is: {}", shorten(line)),
            "Read what the container wrote, from its first line on.",
        ),
        None => (
            String::from("It wrote nothing."),
            "Look at what is started there and at what it is given: the program itself says nothing of it.",
        ),
    };
    let ended = match (outcome.timed_out, outcome.exit) {
        (true, _) | (_, None) => String::from("The container was still running."),
        (false, Some(137)) => String::from("The container was killed (status 137)."),
        (false, Some(0)) => String::from("The container ended by itself, without an error."),
        (false, Some(status)) => format!("The container ended with status {status}."),
    };
    Cause::new(
        format!("{ended} {said}"),
        next,
        Blame::line(scene.start_line()),
    )
}

/// At most as much of a line as a sentence can carry.
pub(super) fn shorten(line: &str) -> String {
    text::shorten(line, 120)
}

/// What stands in quotes after `mark`: `No module named 'flask'`.
fn quoted_after<'a>(text: &'a str, mark: &str) -> Option<&'a str> {
    let (_, after) = text.split_once(mark)?;
    let line = after.lines().next()?;
    let start = line.find(['\'', '"', '`'])?;
    let quote = line.get(start..)?.chars().next()?;
    let inside = line.get(start + 1..)?;
    inside
        .split_once(quote)
        .map(|(inside, _)| inside)
        .filter(|inside| !inside.is_empty())
}

#[cfg(test)]
mod tests;
