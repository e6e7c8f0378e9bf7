//! Where nothing can be known: records that were removed, are missing or cannot be read, and
//! programs that do not say what they were made of.

use std::collections::BTreeSet;

use super::Distribution;
use super::Gap;
use super::assemble::is_system;
use super::collect::Sort;
use super::modules;
use super::node_folder;
use super::node_folder::Folders;
use super::notes::Notes;
use super::notes::Shown;
use super::os_release;
use super::owner::Owners;
use super::python;
use super::record::Record;
use super::removed::Removed;
use super::runtime::Runtimes;
use crate::image::Contents;
use crate::image::tree::Tree;

/// Distributions whose files come from packages with records that are read here.
const WITH_RECORDS: [&str; 14] = [
    "debian",
    "ubuntu",
    "raspbian",
    "kali",
    "linuxmint",
    "alpine",
    "wolfi",
    "chainguard",
    "fedora",
    "rhel",
    "centos",
    "rocky",
    "almalinux",
    "amzn",
];

/// All that a search for gaps looks at.
pub(super) struct Sight<'s> {
    pub(super) contents: &'s Contents,
    pub(super) tree: &'s Tree<'s>,
    pub(super) notes: &'s Notes<'s>,
    pub(super) shown: &'s [Shown<'s>],
    pub(super) owners: &'s Owners,
    pub(super) distribution: Option<&'s Distribution>,
    pub(super) runtimes: &'s Runtimes,
}

/// The gaps of an image, sorted.
pub(super) fn find(sight: &Sight<'_>) -> Vec<Gap> {
    let mut gaps: BTreeSet<Gap> = BTreeSet::new();
    gaps.extend(unreadable(sight));
    gaps.extend(disagreeing(sight));
    gaps.extend(os_release::disagreeing(sight));
    let removed = Removed::of(sight);
    let system_removed = removed.system;
    gaps.extend(removed.gaps);
    let folders = Folders::of(sight.shown);
    gaps.extend(folders.unnamed(sight.tree, sight.owners, &removed.node));
    gaps.extend(node_folder::linked(sight.tree, sight.owners));
    let unread = gaps
        .iter()
        .any(|gap| matches!(gap, Gap::RecordsUnread { .. }));
    let records = unread || has_system_records(sight);
    let missing = (!records && !system_removed)
        .then(|| missing(sight, &folders))
        .flatten();
    // Where the distribution's records are not there, naming each of its files says nothing more.
    let skip_system = system_removed || unread || missing.is_some();
    gaps.extend(missing);
    let modules = modules::unrecorded(sight, &gaps);
    gaps.extend(modules);
    gaps.extend(opaque(sight, &folders, skip_system));
    gaps.into_iter().collect()
}

/// Records that are there and say nothing that can be read.
fn unreadable(sight: &Sight<'_>) -> impl Iterator<Item = Gap> {
    let matters = |one: &&Shown<'_>| match one.sort {
        Some(Sort::DpkgStatus | Sort::Apk) => true,
        None
        | Some(
            Sort::PythonMetadata
            | Sort::Node
            | Sort::Java
            | Sort::Gem
            | Sort::Composer
            | Sort::Unread,
        ) => !sight.owners.speak_for(&one.path),
        Some(
            Sort::Release
            | Sort::DpkgList
            | Sort::DpkgSums
            | Sort::DpkgDiversions
            | Sort::Copyright
            | Sort::PythonList
            | Sort::Runtime,
        ) => false,
    };
    let shown = sight.shown.iter().filter(matters);
    shown.flat_map(|one| {
        let path = one.path.clone();
        match one.record {
            Record::Unread => vec![Gap::RecordsUnread { path }],
            Record::Broken(why) => vec![Gap::RecordsBroken {
                path,
                why: why.clone(),
            }],
            Record::Partial(_, faults) => {
                let broken = faults.iter().map(|fault| Gap::RecordsBroken {
                    path: match fault.inside.as_str() {
                        "" => path.clone(),
                        inside => format!("{path}!/{inside}"),
                    },
                    why: fault.why.clone(),
                });
                broken.collect()
            }
            _ => Vec::new(),
        }
    })
}

/// Python's metadata whose version is not that of its folder's name: one of the two was changed.
fn disagreeing(sight: &Sight<'_>) -> impl Iterator<Item = Gap> {
    let metadata = sight
        .shown
        .iter()
        .filter(|one| one.sort == Some(Sort::PythonMetadata) && !sight.owners.speak_for(&one.path));
    metadata.filter_map(|one| {
        let [package] = one.record.packages()? else {
            return None;
        };
        let folder = python::version_of_folder(&one.path)?;
        python::differ(folder, &package.version).then(|| Gap::RecordsDisagree {
            path: one.path.clone(),
            version: package.version.clone(),
            folder: folder.to_owned(),
        })
    })
}

fn has_system_records(sight: &Sight<'_>) -> bool {
    let mut records = sight.shown.iter().filter(|one| is_system(one.sort));
    records.any(|one| match one.record {
        Record::Packages(packages) => !packages.is_empty(),
        _ => true,
    })
}

/// Files of a distribution without its records.
fn missing(sight: &Sight<'_>, folders: &Folders<'_>) -> Option<Gap> {
    let opaque: Vec<&str> = programs(sight, folders)
        .map(|one| one.path.as_str())
        .filter(|path| is_system_path(path))
        .collect();
    let named = sight.distribution.filter(|distribution| {
        WITH_RECORDS.contains(&distribution.id.as_str()) && !opaque.is_empty()
    });
    let distribution = match named {
        Some(named) if named.title.is_empty() => named.id.clone(),
        Some(named) => named.title.clone(),
        None => maker(&opaque)?.to_owned(),
    };
    Some(Gap::RecordsMissing { distribution })
}

/// Whose files these are, by the places that are only theirs.
fn maker(paths: &[&str]) -> Option<&'static str> {
    let any = |found: fn(&str) -> bool| paths.iter().any(|path| found(path));
    if any(|path| path.contains("/ld-musl-") || path.starts_with("lib/libc.musl-")) {
        return Some("Alpine");
    }
    any(|path| path.contains("-linux-gnu/libc.so.")).then_some("Debian or Ubuntu")
}

/// Programs and libraries that say nothing of what they were made of and that no package, runtime
/// or package's folder accounts for. A vendor's package accounts for its own: it has a name and a
/// version, and that no advisory speaks of it is said of the package.
fn programs<'s>(
    sight: &'s Sight<'_>,
    folders: &'s Folders<'_>,
) -> impl Iterator<Item = &'s Shown<'s>> {
    let opaque = sight
        .shown
        .iter()
        .filter(|one| *one.record == Record::Opaque);
    opaque.filter(|one| {
        !sight.owners.knows(&one.path)
            && !sight.runtimes.cover(&one.path)
            && !folders.account_for(&one.path)
    })
}

fn opaque<'s>(
    sight: &'s Sight<'_>,
    folders: &'s Folders<'_>,
    skip_system: bool,
) -> impl Iterator<Item = Gap> {
    let found =
        programs(sight, folders).filter(move |one| !skip_system || !is_system_path(&one.path));
    found.map(|one| Gap::OpaqueBinary {
        path: one.path.clone(),
        layer: one.layer,
    })
}

/// Whether a distribution's packages put their programs here, and nobody else should.
fn is_system_path(path: &str) -> bool {
    let inner = path.strip_prefix("usr/").unwrap_or(path);
    let first = inner.split('/').next().unwrap_or_default();
    matches!(
        first,
        "bin" | "sbin" | "lib" | "lib32" | "lib64" | "libx32" | "libexec" | "share"
    )
}
