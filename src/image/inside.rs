//! What is inside an image: what a container of it could do, what its programs need and lack, and
//! what people expect to be there.
//!
//! Judged from the pass over the image alone: nothing is executed, and what a program loads by a
//! name that it makes up while it runs is not known.

mod access;
mod dynamic;
mod furniture;
mod libraries;
mod loader_cache;
pub mod privileged;
mod probe;
mod programs;
mod remark;
pub mod start;
mod tools;
mod wrapper;
mod writable;

use std::collections::BTreeMap;
use std::sync::Arc;

pub use dynamic::Dynamic;
pub use libraries::Asked;
pub use libraries::Elsewhere;
pub use libraries::Libraries;
pub use libraries::Needs;
pub use libraries::Unfit;
pub use probe::Inside as InsideProbe;
pub use remark::Remark;
pub use remark::RemarkKind;
pub use remark::Weight;

use self::start::Started;
use crate::image::Contents;
use crate::image::EntryKind;
use crate::image::archive::Probe;
use crate::image::binary::Linking;
use crate::image::binary::Program;
use crate::image::tree::Tree;

/// What the pass over an image has to look at for this.
#[must_use]
pub fn probe() -> Arc<dyn Probe> {
    Arc::new(probe::Inside)
}

/// What is inside an image.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Inside {
    /// What a container starts, first to last: the program, what it starts in its turn, and the
    /// interpreters of scripts.
    pub starts: Vec<Started>,
    /// How many programs of each sort it holds: `static`, `dynamic`, `script` …
    pub programs: BTreeMap<&'static str, usize>,
    /// What there is to say of it, the weightiest first.
    pub remarks: Vec<Remark>,
}

/// Looks at an image.
#[must_use]
pub fn look(contents: &Contents) -> Inside {
    let tree = Tree::of(contents);
    let libraries = Libraries::of(contents, &tree);
    let starts = start::started(&contents.config, &tree);
    let mut remarks = programs::remarks(contents, &tree, &libraries, &starts);
    remarks.extend(access::remarks(
        &contents.config,
        &tree,
        &libraries,
        &starts,
    ));
    remarks.extend(privileged::remarks(contents));
    remarks.extend(writable::remarks(&tree));
    remarks.extend(furniture::remarks(contents, &tree, &libraries));
    remarks.extend(tools::remarks(&tree));
    remarks.sort_by_key(|remark| (remark.weight, remark.kind));
    Inside {
        starts,
        programs: census(&tree),
        remarks,
    }
}

fn census(tree: &Tree<'_>) -> BTreeMap<&'static str, usize> {
    let mut counts = BTreeMap::new();
    for node in tree
        .nodes()
        .filter(|node| node.entry.kind == EntryKind::File)
    {
        let sort = match node.program {
            Some(Program::Script { .. }) => "script",
            Some(Program::Elf(elf)) => match elf.linking {
                Linking::Static => "static",
                Linking::StaticPie => "static-pie",
                Linking::Dynamic { .. } => "dynamic",
                Linking::Library => "library",
                Linking::Unknown | Linking::Cut => "unknown",
            },
            None => continue,
        };
        *counts.entry(sort).or_default() += 1;
    }
    counts
}

#[cfg(test)]
mod tests;
