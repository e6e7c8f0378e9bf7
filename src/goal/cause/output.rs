//! Programs that started and complained: their own words, checked against the image.

use super::Cause;
use super::Scene;
use super::python;
use super::quoted_after;
use super::shorten;
use crate::dockerfile::Keyword;
use crate::goal::Blame;
use crate::goal::base;
use crate::image::inside::Asked;
use crate::image::inside::Needs;
use crate::image::inside::Unfit;
use crate::image::run::PROCESSES;

/// What the output says of the cause; `None` where it says nothing that is known.
pub(super) fn cause(scene: &Scene<'_>) -> Option<Cause> {
    no_more_processes(scene)
        .or_else(|| read_only(scene))
        .or_else(|| permission(scene))
        .or_else(|| python::missing_module(scene))
        .or_else(|| library(scene))
        .or_else(|| certificates(scene))
}

/// What names the start of a process or a thread, in lower case.
const STARTS: [&str; 13] = [
    "fork",
    "vfork",
    "forkpty",
    "fork_exec",
    "_fork_exec",
    "clone",
    "clone3",
    "pthread_create",
    "new os thread",
    "create thread",
    "start thread",
    "spawn thread",
    "cannot run program",
];

/// What the kernel answers at the limit. It answers other calls like this as well.
const AGAIN: [&str; 3] = ["resource temporarily unavailable", "eagain", "errno=11"];

/// What the kernel answers where such a call is forbidden, which no limit does.
const FORBIDDEN: [&str; 3] = ["not permitted", "eperm", "errno=1"];

/// What Python says, without the kernel's answer.
const UNTOLD: [&str; 1] = ["can't start new thread"];

/// How many lines the kernel's answer may stand below the call, as in Python's tracebacks.
const BELOW: usize = 2;

/// A program that says that it can start no other process.
pub(super) fn no_more_processes(scene: &Scene<'_>) -> Option<Cause> {
    let line = refusal(&scene.output)?;
    Some(Cause::new(
        format!(
            "It could start no other process or thread; a check allows {PROCESSES}. It wrote: {}",
            shorten(line.trim())
        ),
        "Find out what starts them, and what is to end them.",
        Blame::line(scene.start_line()),
    ))
}

/// The line that says that the kernel started no other process or thread, for there are too many.
fn refusal(output: &str) -> Option<&str> {
    // How many lines above the call was named.
    let mut above = usize::MAX;
    for line in output.lines() {
        let small = line.to_lowercase();
        let says = |all: &[&str]| all.iter().any(|words| holds(&small, words));
        if says(&FORBIDDEN) {
            above = usize::MAX;
            continue;
        }
        above = if says(&STARTS) {
            0
        } else {
            above.saturating_add(1)
        };
        if says(&UNTOLD) || (above <= BELOW && says(&AGAIN)) {
            return Some(line);
        }
    }
    None
}

/// Whether a line has these words, and not as a part of longer ones: `fork`, not `pre-fork`.
fn holds(line: &str, words: &str) -> bool {
    let is_part = |c: char| c.is_alphanumeric() || c == '_' || c == '-';
    line.match_indices(words).any(|(at, _)| {
        let before = line.get(..at).and_then(|text| text.chars().next_back());
        let after = line.get(at + words.len()..);
        let after = after.and_then(|text| text.chars().next());
        ![before, after].into_iter().flatten().any(is_part)
    })
}

fn read_only(scene: &Scene<'_>) -> Option<Cause> {
    if !scene
        .output
        .to_lowercase()
        .contains("read-only file system")
    {
        return None;
    }
    let path = ["Read-only file system: ", "read-only file system, "];
    let path = path
        .iter()
        .find_map(|mark| quoted_after(&scene.output, mark));
    let what = path.map_or_else(String::new, |path| format!(" `{path}`"));
    let blame = Blame::line(scene.start_line());
    Some(Cause::new(
        format!("The app wants to write{what}, and only `/tmp` can be written here."),
        "Find out what the app writes when it runs, and whether it has to.",
        match path {
            Some(path) => blame.at_path(path),
            None => blame,
        },
    ))
}

fn permission(scene: &Scene<'_>) -> Option<Cause> {
    let marks = [
        "Permission denied: ",
        "permission denied, ",
        "permission denied: ",
    ];
    let path = marks
        .iter()
        .find_map(|mark| quoted_after(&scene.output, mark))?;
    let user = scene.user();
    let why = match scene.closed_folder(path) {
        Some(folder) => format!("The container runs as user {user}, who may not enter `{folder}`."),
        None => format!("The container runs as user {user}, who may not use `{path}` that way."),
    };
    Some(Cause::new(
        why,
        "Look at who owns what the app needs, and from where it was copied.",
        Blame::line(base::line_of(&scene.evidence.dockerfile, Keyword::User)).at_path(path),
    ))
}

/// What the two loaders say of a library that they do not find.
const LIBRARY_MARKS: [&str; 2] = [
    "error while loading shared libraries: ",
    "Error loading shared library ",
];

fn library(scene: &Scene<'_>) -> Option<Cause> {
    let after = LIBRARY_MARKS
        .iter()
        .find_map(|mark| Some(scene.output.split_once(mark)?.1))?;
    let name = after.split(':').next()?.trim();
    let blame = Blame::line(scene.start_line()).at_path(name);
    let next = "Compare the libraries of the stage that builds with those of the final base.";
    // The loader stops at the first one; the image tells of all.
    let program = scene.command.first().map_or("", String::as_str);
    let needs = scene.needs(program).filter(|needs| needs.complete);
    let missing: Vec<&Asked> = needs.iter().flat_map(Needs::missing).collect();
    let Some(first) = missing.iter().find(|asked| asked.name == name) else {
        return Some(Cause::new(
            format!(
                "The program needs the shared library `{name}`, and the loader does not find it in the image."
            ),
            next,
            blame,
        ));
    };
    if let Some(place) = &first.elsewhere {
        let (how, next) = match place.why {
            Unfit::NotLookedFor => (
                "where the loader does not look",
                "Find out in which folders this loader looks, and how it learns of another one.",
            ),
            Unfit::OtherMachine => ("which is for another architecture", next),
            Unfit::LeadsNowhere => ("a link that leads nowhere", next),
        };
        let path = &place.path;
        return Some(Cause::new(
            format!(
                "The program needs the shared library `{name}`. The image has it as `{path}`, {how}."
            ),
            next,
            blame,
        ));
    }
    let why = match needs.as_ref().and_then(Needs::missing_names) {
        Some(names) if missing.len() > 1 => format!(
            "The program stops at the shared library `{name}`, which the image does not have. It is not the only one: {names} are missing."
        ),
        _ => format!(
            "The program needs the shared library `{name}`, and nothing in the image has that name."
        ),
    };
    Some(Cause::new(why, next, blame))
}

fn certificates(scene: &Scene<'_>) -> Option<Cause> {
    let marks = [
        "certificate signed by unknown authority",
        "unable to get local issuer certificate",
    ];
    marks.iter().find(|mark| scene.output.contains(**mark))?;
    Some(Cause::new(
        "The app cannot tell whom to trust: it finds no list of certificate authorities in the image.",
        "Find out where such a list usually is, and which stage has one.",
        Blame::line(base::base(&scene.evidence.dockerfile).map(|(_, line)| line)),
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What programs say at the limit.
    const AT_THE_LIMIT: [&str; 11] = [
        "sh: can't fork: Resource temporarily unavailable",
        "bash: fork: retry: Resource temporarily unavailable",
        "fork/exec /app: resource temporarily unavailable",
        "fork() failed (11: Resource temporarily unavailable)",
        "  pid = os.fork()\n        ^^^^^^^^^\nBlockingIOError: [Errno 11] Resource temporarily unavailable",
        "  self.pid = _fork_exec(\nBlockingIOError: [Errno 11] Resource temporarily unavailable",
        "RuntimeError: can't start new thread",
        "runtime: failed to create new OS thread (have 9 already; errno=11)",
        "Failed to start thread \"Unknown thread\" with pthread_create failed (EAGAIN) for attributes",
        "can't create Thread: Resource temporarily unavailable (ThreadError)",
        "failed to spawn thread: Os { code: 11, message: \"Resource temporarily unavailable\" }",
    ];

    /// What they say for another reason.
    const FOR_OTHER_REASONS: [&str; 8] = [
        "mpm_prefork configured\nprefork and pre-fork\nread(): Resource temporarily unavailable",
        "fork: 4 workers\na\nb\nread(): Resource temporarily unavailable",
        "thread 'main' panicked:\nOs { code: 11, message: \"Resource temporarily unavailable\" }",
        "pthread_create failed: Operation not permitted",
        "clone3(): EPERM\nread(): Resource temporarily unavailable",
        "runtime: failed to create new OS thread (have 2 already; errno=1)",
        "runtime: failed to create new OS thread (have 2 already; errno=110)",
        "java.lang.OutOfMemoryError: unable to create native thread: possibly out of memory or process/resource limits reached",
    ];

    #[test]
    fn only_a_process_or_thread_that_the_limit_stopped_is_blamed_on_it() {
        for output in AT_THE_LIMIT {
            assert_eq!(refusal(output), output.lines().last(), "{output}");
        }
        for output in FOR_OTHER_REASONS {
            assert_eq!(refusal(output), None, "{output}");
        }
    }
}
