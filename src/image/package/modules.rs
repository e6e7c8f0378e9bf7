//! Python modules without the metadata of the distribution that they belong to.

use std::collections::BTreeMap;
use std::collections::BTreeSet;

use super::Gap;
use super::collect::Sort;
use super::gap::Sight;
use crate::image::hashed::Set;
use crate::text::plural;

/// The folders that installers put modules into.
const PLACES: [&str; 2] = ["site-packages", "dist-packages"];

/// A gap for each folder that has modules which no list of an installer names: their metadata was
/// not copied along, or was removed before anybody could see it. Where a layer is `known` to have
/// removed it, that says more; where metadata comes without a list, as that of the old kind does,
/// nobody can tell which modules belong to it.
pub(super) fn unrecorded(sight: &Sight<'_>, known: &BTreeSet<Gap>) -> Vec<Gap> {
    let removed = known.iter().filter_map(|gap| match gap {
        Gap::RecordsRemoved { path, .. } | Gap::RecordsRewritten { path, .. } => {
            Some(path.as_str())
        }
        _ => None,
    });
    // By set and not by search: an image may have hundreds of thousands of either.
    let told: Set<&str> = removed.chain(unlisted(sight)).flat_map(places_of).collect();
    let mut modules: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    sight.tree.each_path(|path, _| {
        if let Some((place, module)) = module_of(path)
            && !told.contains(place)
            && !sight.owners.knows(path)
        {
            let modules = modules.entry(place.to_owned()).or_default();
            modules.insert(module.to_owned());
        }
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

/// The metadata that nothing lists the files of.
fn unlisted<'s>(sight: &'s Sight<'_>) -> impl Iterator<Item = &'s str> {
    let of_sort = |sort| sight.shown.iter().filter(move |one| one.sort == Some(sort));
    let lists: Set<&str> = of_sort(Sort::PythonList)
        .filter_map(|one| one.path.strip_suffix("/RECORD"))
        .collect();
    of_sort(Sort::PythonMetadata)
        .map(|one| one.path.as_str())
        .filter(move |path| {
            let folder = path.strip_suffix("/METADATA");
            !folder.is_some_and(|folder| lists.contains(folder)) && !sight.owners.speak_for(path)
        })
}

/// The folders around a path that installers put modules into.
fn places_of(path: &str) -> impl Iterator<Item = &str> {
    std::iter::successors(above(path), |folder| above(folder)).filter(|folder| is_place(folder))
}

fn above(path: &str) -> Option<&str> {
    path.rsplit_once('/').map(|(folder, _)| folder)
}

fn is_place(folder: &str) -> bool {
    let name = folder.rsplit('/').next();
    name.is_some_and(|name| PLACES.contains(&name))
}

/// `a/site-packages` and `flask` of `a/site-packages/flask/__init__.py`.
fn module_of(path: &str) -> Option<(&str, &str)> {
    let folder = path.strip_suffix("/__init__.py")?;
    let (place, module) = folder.rsplit_once('/')?;
    is_place(place).then_some((place, module))
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
