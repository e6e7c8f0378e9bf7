//! Python modules without the metadata of the distribution that they belong to.

use std::collections::BTreeMap;
use std::collections::BTreeSet;

use super::Gap;
use super::collect::Sort;
use super::gap::Sight;
use crate::text::plural;

/// The folders that installers put modules into.
const PLACES: [&str; 2] = ["site-packages", "dist-packages"];

/// A gap for each folder that has modules which no list of an installer names: their metadata was
/// not copied along, or was removed before anybody could see it. Where a layer is `known` to have
/// removed it, that says more.
pub(super) fn unrecorded(sight: &Sight<'_>, known: &BTreeSet<Gap>) -> Vec<Gap> {
    let mut modules: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for path in sight.tree.paths() {
        if let Some((place, module)) = module_of(&path)
            && !sight.owners.knows(&path)
        {
            let modules = modules.entry(place.to_owned()).or_default();
            modules.insert(module.to_owned());
        }
    }
    modules.retain(|place, _| {
        let removed = |gap: &Gap| match gap {
            Gap::RecordsRemoved { path, .. } => path.starts_with(place),
            _ => false,
        };
        !known.iter().any(removed) && !has_unlisted_metadata(sight, place)
    });
    let gaps = modules.into_iter().filter_map(|(place, modules)| {
        let first = modules.first()?;
        let more = match modules.len() - 1 {
            0 => String::new(),
            more => format!(" and {}", plural(more, "more module")),
        };
        Some(Gap::RecordsMissing {
            distribution: format!("`{first}`{more} in /{place}"),
        })
    });
    gaps.collect()
}

/// `a/site-packages` and `flask` of `a/site-packages/flask/__init__.py`.
fn module_of(path: &str) -> Option<(&str, &str)> {
    let folder = path.strip_suffix("/__init__.py")?;
    let (place, module) = folder.rsplit_once('/')?;
    let name = place.rsplit('/').next()?;
    PLACES.contains(&name).then_some((place, module))
}

/// Whether a folder has metadata without a list of files, as those of the old kind are: then nobody
/// can tell which modules belong to it.
fn has_unlisted_metadata(sight: &Sight<'_>, place: &str) -> bool {
    let listed = |path: &str| {
        let list = path
            .strip_suffix("/METADATA")
            .map(|folder| format!("{folder}/RECORD"));
        list.is_some_and(|list| sight.shown.iter().any(|one| one.path == list))
    };
    sight
        .shown
        .iter()
        .filter(|one| one.sort == Some(Sort::PythonMetadata) && one.path.starts_with(place))
        .any(|one| !listed(&one.path) && !sight.owners.speak_for(&one.path))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_module_is_a_folder_right_below_the_place() {
        let found = module_of("usr/lib/python3/dist-packages/apt/__init__.py");
        assert_eq!(found, Some(("usr/lib/python3/dist-packages", "apt")));
        for path in [
            "usr/lib/python3/dist-packages/apt/x/__init__.py",
            "app/flask/__init__.py",
            "site-packages/__init__.py",
            "usr/lib/python3/dist-packages/apt/main.py",
        ] {
            assert_eq!(module_of(path), None, "{path}");
        }
    }
}
