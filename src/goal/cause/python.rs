//! Python packages that Python does not see: another minor version, a closed folder, a folder that
//! it does not search, or nothing at all.

use super::Cause;
use super::Scene;
use super::quoted_after;
use crate::dockerfile::Keyword;
use crate::goal::Blame;
use crate::goal::base;
use crate::image::inside::start::program_of;
use crate::image::tree::Tree;

/// Why a module is not found; `None` where Python does not complain of one.
pub(super) fn missing_module(scene: &Scene<'_>) -> Option<Cause> {
    let module = quoted_after(&scene.output, "No module named ")?;
    let module = module.split('.').next().unwrap_or(module);
    if let Some(tree) = &scene.tree {
        return Some(in_image(scene, tree, module));
    }
    if let Some((built, runs)) = versions_by_name(scene) {
        return Some(Cause::new(
            format!(
                "The packages were installed for Python {built}, and the final image runs Python {runs}, which does not see the packages of another minor version."
            ),
            "Compare the Python version of the stage that installs with the one of the final base.",
            Blame::line(base::base(&scene.evidence.dockerfile).map(|(_, line)| line)),
        ));
    }
    Some(Cause::new(
        format!(
            "Python starts, and does not find the module `{module}` in any folder that it searches."
        ),
        "Find out where the module is in the final image, and where this Python looks for modules.",
        Blame::line(scene.start_line()),
    ))
}

/// Where a module lies, found in the image itself.
fn in_image(scene: &Scene<'_>, tree: &Tree<'_>, module: &str) -> Cause {
    let ends = [
        format!("/{module}/__init__.py"),
        format!("/{module}.py"),
        format!("/{module}"),
    ];
    let found = tree.paths().find_map(|path| {
        let end = ends.iter().find(|end| path.ends_with(end.as_str()))?;
        // A folder of that name counts where it is a package folder, not `/srv/flask`.
        let folder = path.strip_suffix(end.as_str())?.to_owned();
        let bare = *end == ends[2];
        let packages = folder.ends_with("-packages");
        (!bare || packages).then_some((path, folder))
    });
    let Some((path, folder)) = found else {
        return Cause::new(
            format!(
                "Nothing of the name `{module}` is in the image: what was installed stayed behind in another stage, or was never installed."
            ),
            "Follow the packages from where they are installed to the final image.",
            Blame::line(scene.start_line()),
        );
    };
    let line = tree
        .find(&path)
        .ok()
        .map(|node| (node.layer, scene.evidence.line_of_layer(node.layer)));
    let blame = match line {
        Some((layer, line)) => Blame::line(line).in_layer(layer),
        None => Blame::default(),
    };
    if let Some(closed) = scene.closed_folder(&folder) {
        return Cause::new(
            format!(
                "`{module}` is in `/{folder}`. The container runs as user {}, who may not enter `{closed}`.",
                scene.user()
            ),
            "Ask into which folder packages for every user belong.",
            blame.at_path(closed),
        );
    }
    let blame = blame.at_path(format!("/{folder}"));
    match (minor_in(&folder), minor_of_image(scene, tree)) {
        (Some(built), Some(runs)) if built != runs => Cause::new(
            format!(
                "`{module}` is in `/{folder}`, where Python {built} looks. The image runs Python {runs}, which does not see the packages of another minor version."
            ),
            "Compare the Python version of the stage that installs with the one of the final base.",
            blame,
        ),
        _ => Cause::new(
            format!("`{module}` is in `/{folder}`, and this Python does not look there."),
            "Find out which folders this Python searches, and how it learns of another one.",
            blame,
        ),
    }
}

/// `3.12` of a path with a part `python3.12`.
fn minor_in(path: &str) -> Option<&str> {
    path.split('/').find_map(|part| {
        part.strip_prefix("python")
            .filter(|rest| rest.starts_with("3.") && is_version(rest))
    })
}

fn is_version(text: &str) -> bool {
    text.chars().all(|c| c.is_ascii_digit() || c == '.')
}

/// The minor version of the Python that the image starts.
fn minor_of_image(scene: &Scene<'_>, tree: &Tree<'_>) -> Option<String> {
    let program = program_of(scene.config?, tree)?;
    let own = tree.find(&program).ok()?.path;
    if let Some(minor) = minor_in(&own) {
        return Some(minor.to_owned());
    }
    // The program's name may not tell; its library does.
    let mut libraries = tree.paths().filter(|path| path.ends_with("/os.py"));
    libraries.find_map(|path| minor_in(&path).map(str::to_owned))
}

/// The Python versions of the stage that packages are copied from and of the final base, as their
/// names tell; `None` where they do not or are equal.
fn versions_by_name(scene: &Scene<'_>) -> Option<(String, String)> {
    let file = &scene.evidence.dockerfile;
    let runs = minor_by_name(&base::base(file)?.0)?;
    base::instructions(file)
        .filter(|one| one.keyword == Keyword::Copy)
        .filter_map(|one| one.flag("from"))
        .filter_map(|from| {
            let from = from.to_ascii_lowercase();
            let stage = file.stages.iter().find(|stage| {
                stage.name.as_deref() == Some(from.as_str()) || stage.index.to_string() == from
            })?;
            minor_by_name(&base::image_of(file, stage))
        })
        .find(|built| *built != runs)
        .map(|built| (built, runs))
}

/// The Python of an image, by its reference.
fn minor_by_name(reference: &str) -> Option<String> {
    let name = reference.rsplit('/').next()?;
    if let Some(tag) = name.strip_prefix("python:") {
        let minor = tag.split('-').next()?;
        let minor: Vec<&str> = minor.splitn(3, '.').take(2).collect();
        let minor = minor.join(".");
        return (minor.contains('.') && is_version(&minor)).then_some(minor);
    }
    // The distribution decides which Python a distroless image has.
    let name = name.split([':', '@']).next()?;
    match name {
        "python3-debian12" => Some(String::from("3.11")),
        "python3-debian13" => Some(String::from("3.13")),
        _ => None,
    }
}
