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

/// What programs say where the kernel starts no other process or thread for them.
const NO_MORE: [&str; 5] = [
    "can't start new thread",
    "failed to create new OS thread",
    "unable to create native thread",
    "unable to create new native thread",
    "pthread_create failed",
];

/// A program that says that it can start no other process.
pub(super) fn no_more_processes(scene: &Scene<'_>) -> Option<Cause> {
    let forks = ["fork", "pthread_create", "clone("];
    let forks = forks.iter().any(|word| scene.output.contains(word));
    let line = scene.output.lines().find(|line| {
        NO_MORE.iter().any(|mark| line.contains(mark))
            || (forks && line.contains("Resource temporarily unavailable"))
    })?;
    Some(Cause::new(
        format!(
            "It could start no other process or thread; a check allows {PROCESSES}. It wrote: {}",
            shorten(line.trim())
        ),
        "Find out what starts them, and what is to end them.",
        Blame::line(scene.start_line()),
    ))
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
        return Some(Cause::new(
            format!(
                "The program needs the shared library `{name}`. The image has it as `{place}`, where the loader does not look."
            ),
            "Find out in which folders this loader looks, and how it learns of another one.",
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
