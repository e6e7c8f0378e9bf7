//! Containers that did not start: what the engine, or the kernel through it, refused.

use super::Cause;
use super::Scene;
use crate::dockerfile::Body;
use crate::dockerfile::Command;
use crate::dockerfile::Keyword;
use crate::goal::Blame;
use crate::goal::base;
use crate::image::EntryKind;
use crate::image::binary::Linking;
use crate::image::binary::Program;
use crate::image::inside::start::path_folders;
use crate::image::inside::start::program_of;
use crate::image::inside::start::written;
use crate::image::run::RunOutcome;
use crate::image::tree::Lost;
use crate::image::tree::Node;
use crate::image::tree::Tree;

/// Why it did not start; `None` where it did.
pub(super) fn cause(scene: &Scene<'_>, outcome: &RunOutcome) -> Option<Cause> {
    let refusal = match &outcome.start_error {
        Some(error) => error.as_str().to_lowercase(),
        None => kernel_refusal(&scene.output)?,
    };
    let missing = refusal.contains("not found") || refusal.contains("no such file or directory");
    // Some engines look for a program without a name.
    let nameless = missing && scene.command.iter().all(String::is_empty);
    if nameless
        || refusal.contains("no command specified")
        || refusal.contains("no command or entrypoint")
    {
        return Some(Cause::new(
            "The image has neither an entrypoint nor a command, so that the engine does not know what to start.",
            "Look for the instruction of the final stage that says what a container runs.",
            Blame::line(scene.start_line()),
        ));
    }
    if refusal.contains("unable to find user") || refusal.contains("no matching entries in passwd")
    {
        return Some(unknown_user(scene));
    }
    let program = scene
        .command
        .first()
        .map(String::as_str)
        .unwrap_or_default();
    let cause = if refusal.contains("exec format error") {
        wrong_format(scene, program)
    } else if refusal.contains("permission denied") {
        not_allowed(scene, program)
    } else if missing {
        not_found(scene, program)
    } else {
        let said = outcome
            .start_error
            .as_ref()
            .map(|error| super::shorten(error.as_str()));
        Cause::new(
            format!(
                "The engine could not start it: {}",
                said.unwrap_or_default()
            ),
            "Look at what the image starts, and as whom.",
            Blame::line(scene.start_line()),
        )
    };
    Some(cause)
}

/// What the kernel said where the container was made and its program was not: older engines write
/// that into the container's own output.
fn kernel_refusal(output: &str) -> Option<String> {
    let line = output.lines().find(|line| {
        line.contains("exec user process caused")
            || (line.starts_with("exec ")
                && ["no such file", "format error", "permission denied"]
                    .iter()
                    .any(|what| line.contains(what)))
    })?;
    Some(line.to_lowercase())
}

fn unknown_user(scene: &Scene<'_>) -> Cause {
    Cause::new(
        format!(
            "The image has no user `{}`: its `/etc/passwd` does not name it.",
            scene.user()
        ),
        "Compare the users of the final image with the one that it should run as.",
        Blame::line(base::line_of(&scene.evidence.dockerfile, Keyword::User)),
    )
}

/// The file that was to be started, where the image is known.
fn file<'a>(scene: &Scene<'a>, program: &str) -> Option<Node<'a>> {
    let tree = scene.tree.as_ref()?;
    let mut config = scene.config?.clone();
    config.entrypoint = vec![program.to_owned()];
    tree.find(&program_of(&config, tree)?).ok()
}

fn not_found(scene: &Scene<'_>, program: &str) -> Cause {
    if let Some(cause) = no_shell(scene, program) {
        return cause;
    }
    let blame = Blame::line(scene.start_line()).at_path(program);
    let Some(tree) = &scene.tree else {
        let why = if program.contains('/') {
            format!(
                "Either the image has no `{program}`, or it has not what `{program}` needs to be started: its loader or its interpreter."
            )
        } else {
            format!("No folder of the image's PATH has a program called `{program}`.")
        };
        return Cause::new(why, "List what the final image has of it.", blame);
    };
    let missing_from_image = || {
        let place = if program.contains('/') {
            ""
        } else {
            " in a folder of its PATH"
        };
        Cause::new(
            format!("The image has no `{program}`{place}."),
            "Follow the program from where it is made, or comes from, to the final image.",
            blame.clone(),
        )
    };
    let Some(node) = file(scene, program) else {
        return leads_nowhere(scene, program).unwrap_or_else(missing_from_image);
    };
    let here = |path: &str| tree.find(path).is_ok();
    match node.program {
        Some(Program::Elf(elf)) => match &elf.linking {
            Linking::Dynamic { interpreter } if !here(interpreter) => Cause::new(
                format!(
                    "`{program}` is there. What is missing is its loader, `{interpreter}`: it was linked for a C library that the final image does not have.{}",
                    needed_too(scene, program)
                ),
                "Compare how the build links it with what the final base brings.",
                Blame::line(scene.evidence.line_of_layer(node.layer))
                    .in_layer(node.layer)
                    .at_path(interpreter),
            ),
            _ => missing_from_image(),
        },
        Some(Program::Script { interpreter, .. }) if interpreter.ends_with('\r') => {
            windows_line(scene, &node, program, interpreter)
        }
        Some(Program::Script { interpreter, .. }) if !here(interpreter) => Cause::new(
            format!(
                "`{program}` is there. It is a script for `{interpreter}`, and {}.",
                lack(tree, interpreter)
            ),
            "Ask what in the final image can run a script, and whether one is needed.",
            Blame::line(scene.evidence.line_of_layer(node.layer))
                .in_layer(node.layer)
                .at_path(interpreter),
        ),
        _ => missing_from_image(),
    }
}

/// A program of whose name there is a link, as in a virtual environment, and nothing behind it.
fn leads_nowhere(scene: &Scene<'_>, program: &str) -> Option<Cause> {
    let tree = scene.tree.as_ref()?;
    let config = scene.config?;
    let places = if program.contains('/') {
        vec![written(program, config)]
    } else {
        let folders = path_folders(config).map(|folder| folder.trim_end_matches('/'));
        folders
            .map(|folder| format!("{folder}/{program}"))
            .collect()
    };
    let (place, missing) = places
        .iter()
        .find_map(|place| Some((place, behind_link(tree, place)?)))?;
    let layer = tree.at(place)?.layer;
    Some(Cause::new(
        format!("`{place}` is a link that leads nowhere: the image has no `{missing}`."),
        "Look at what the link leads to where it is made, and what of that is in the final image.",
        Blame::line(scene.evidence.line_of_layer(layer))
            .in_layer(layer)
            .at_path(place),
    ))
}

/// What is missing behind a link; `None` where the path is no link or leads somewhere.
fn behind_link(tree: &Tree<'_>, path: &str) -> Option<String> {
    let is_link = matches!(tree.at(path)?.entry.kind, EntryKind::Symlink(_));
    match tree.find(path) {
        Err(Lost::Missing(end)) if is_link => Some(format!("/{end}")),
        _ => None,
    }
}

/// What the image lacks where nothing is found at a path, as half a sentence.
fn lack(tree: &Tree<'_>, path: &str) -> String {
    match behind_link(tree, path) {
        Some(missing) => {
            format!("that is a link, which leads nowhere: the image has no `{missing}`")
        }
        None => format!("the image has no `{path}`"),
    }
}

/// A shell that the learner never named: the shell form of an instruction asks for it.
fn no_shell(scene: &Scene<'_>, program: &str) -> Option<Cause> {
    let config = scene.config.filter(|_| !scene.own_entrypoint)?;
    let (keyword, words) = if config.entrypoint.is_empty() {
        (Keyword::Cmd, &config.cmd)
    } else {
        (Keyword::Entrypoint, &config.entrypoint)
    };
    let instruction = base::last(&scene.evidence.dockerfile, keyword)?;
    let in_a_shell = matches!(&instruction.body, Body::Command(Command::Shell(_)));
    if !in_a_shell || !scene.command.starts_with(words) || file(scene, program).is_some() {
        return None;
    }
    Some(Cause::new(
        format!(
            "{} on line {} is in the shell form, which needs a shell to start it, and the image has no `{program}`.",
            base::quote(instruction),
            instruction.line
        ),
        "Compare the two forms in which that instruction can be written.",
        Blame::line(Some(instruction.line)).at_path(program),
    ))
}

/// A script whose first line has a character that nobody sees.
fn windows_line(scene: &Scene<'_>, node: &Node<'_>, program: &str, interpreter: &str) -> Cause {
    Cause::new(
        format!(
            "`{program}` is there, and its first line ends as on Windows: what is looked for is `{}` with an invisible character behind it.",
            interpreter.trim_end()
        ),
        "Look at how your editor, or your version control, ends the lines of that file.",
        Blame::line(scene.evidence.line_of_layer(node.layer))
            .in_layer(node.layer)
            .at_path(program),
    )
}

/// The libraries that a program whose loader is missing lacks too, as a sentence.
fn needed_too(scene: &Scene<'_>, program: &str) -> String {
    let names = scene
        .needs(program)
        .filter(|needs| needs.complete)
        .and_then(|needs| needs.missing_names());
    names.map_or_else(String::new, |names| format!(" It needs {names} too."))
}

fn not_allowed(scene: &Scene<'_>, program: &str) -> Cause {
    if let Some(folder) = scene.closed_folder(program) {
        return Cause::new(
            format!(
                "User {} may not enter `{folder}`, where `{program}` is.",
                scene.user()
            ),
            "Ask in which folder a program for every user belongs.",
            Blame::line(scene.start_line()).at_path(folder),
        );
    }
    let why = match file(scene, program) {
        Some(node) if node.entry.kind == EntryKind::Directory => {
            format!("`{program}` is a folder.")
        }
        Some(node) => format!(
            "`{program}` has the permissions {:03o}, which do not let user {} execute it.",
            node.entry.mode,
            scene.user()
        ),
        None => format!("User {} may not execute `{program}`.", scene.user()),
    };
    Cause::new(
        why,
        "Look at how the file gets into the image, and with which permissions.",
        Blame::line(scene.start_line()).at_path(program),
    )
}

fn wrong_format(scene: &Scene<'_>, program: &str) -> Cause {
    let image = scene
        .config
        .map_or("", |config| config.architecture.as_str());
    let blame = Blame::line(scene.start_line()).at_path(program);
    if let Some(Program::Elf(elf)) = file(scene, program).and_then(|node| node.program)
        && elf.machine != image
        && !image.is_empty()
    {
        return Cause::new(
            format!(
                "`{program}` was built for {}, and this image is for {image}.",
                elf.machine
            ),
            "Look for a hard-coded architecture in the build.",
            blame,
        );
    }
    Cause::new(
        format!(
            "`{program}` is no program for this machine: built for another architecture, or a script whose first line does not name its interpreter."
        ),
        "Look at the file's first bytes, and for which architecture the build makes it.",
        blame,
    )
}
