//! Programs that run with other rights than those of the user who starts them.

use std::collections::BTreeMap;
use std::fmt;

use super::remark::Remark;
use super::remark::RemarkKind;
use super::remark::Weight;
use crate::image::Contents;
use crate::image::Entry;
use crate::image::EntryKind;
use crate::image::tree::Tree;

/// A program with rights of its own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Privileged {
    /// Its path, without a leading slash.
    pub path: String,
    /// The layer that it comes from.
    pub layer: usize,
    /// Which rights.
    pub rights: Rights,
    /// Whether a later layer hides it, or takes the rights away: it is shipped all the same.
    pub hidden: bool,
}

/// Rights that a file gives to whoever starts it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rights {
    /// The user whose rights it takes on.
    pub setuid: Option<u64>,
    /// The group whose rights it takes on.
    pub setgid: Option<u64>,
    /// Whether it gets capabilities of the kernel.
    pub capabilities: bool,
}

impl Rights {
    /// The rights of a file; `None` where it has none, or nobody may start it.
    ///
    /// The group's bit without the group's permission to execute meant file locking once, and gives
    /// nobody rights. On a folder it says who owns new files.
    #[must_use]
    pub fn of(entry: &Entry) -> Option<Self> {
        if entry.kind != EntryKind::File {
            return None;
        }
        let has = |bits: u32| entry.mode & bits == bits;
        let rights = Self {
            setuid: (has(0o4000) && entry.mode & 0o111 != 0).then_some(entry.uid),
            setgid: has(0o2010).then_some(entry.gid),
            capabilities: entry.capabilities && entry.mode & 0o111 != 0,
        };
        let any = rights.setuid.is_some() || rights.setgid.is_some() || rights.capabilities;
        any.then_some(rights)
    }
}

/// Continues `it is`: `setuid to root`, `setgid to group 42`.
impl fmt::Display for Rights {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = |id: u64, what: &str| match id {
            0 => String::from("root"),
            id => format!("{what} {id}"),
        };
        let parts = [
            self.setuid
                .map(|id| format!("setuid to {}", name(id, "user"))),
            self.setgid
                .map(|id| format!("setgid to {}", name(id, "group"))),
            self.capabilities
                .then(|| String::from("given capabilities of its own")),
        ];
        let parts: Vec<String> = parts.into_iter().flatten().collect();
        f.write_str(&parts.join(" and "))
    }
}

/// Every such program of every layer, the lowest layer first; one with several names by its first
/// one, or where that is gone by one that is left.
#[must_use]
pub fn find(contents: &Contents) -> Vec<Privileged> {
    let mut shown: BTreeMap<*const Entry, String> = BTreeMap::new();
    Tree::of(contents).each_file(|path, _, entry| {
        if Rights::of(entry).is_some() {
            let name = shown
                .entry(std::ptr::from_ref(entry))
                .or_insert_with(|| path.to_owned());
            if path == entry.path {
                path.clone_into(name);
            }
        }
    });
    let mut found = Vec::new();
    for layer in &contents.layers {
        for entry in &layer.entries {
            if let Some(rights) = Rights::of(entry) {
                let name = shown.remove(&std::ptr::from_ref(entry));
                found.push(Privileged {
                    hidden: name.is_none(),
                    path: name.unwrap_or_else(|| entry.path.clone()),
                    layer: layer.index,
                    rights,
                });
            }
        }
    }
    found
}

/// What there is to say of them: the visible ones as warnings.
pub(super) fn remarks(contents: &Contents) -> Vec<Remark> {
    let told = |one: Privileged| {
        let (weight, later) = if one.hidden {
            (
                Weight::Note,
                "; a later layer hides or changes it, and it is shipped all the same",
            )
        } else {
            (Weight::Warning, "")
        };
        let text = format!("/{} is {}{later}.", one.path, one.rights);
        Remark::new(RemarkKind::Privileged, weight, text).at(&one.path, one.layer)
    };
    find(contents).into_iter().map(told).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::image::fixture::image;

    /// The paths of what is found, those of hidden files with a `-`.
    fn names(layers: &[&[&str]]) -> Vec<String> {
        let mut image = image(layers);
        for layer in &mut image.layers {
            let files = layer.entries.iter_mut();
            for file in files.filter(|entry| entry.path.contains("su")) {
                file.mode = 0o4755;
            }
        }
        let sign = |one: &Privileged| if one.hidden { "-" } else { "" };
        let found = find(&image);
        let told = found.iter().map(|one| format!("{}{}", sign(one), one.path));
        told.collect()
    }

    #[test]
    fn a_file_is_there_as_long_as_any_of_its_names_is() {
        let two: &[&str] = &["bin/su", "bin/zu == bin/su"];
        assert_eq!(names(&[two]), ["bin/su"]);
        assert_eq!(names(&[two, &["-bin/su"]]), ["bin/zu"]);
        assert_eq!(names(&[two, &["-bin/su", "-bin/zu"]]), ["-bin/su"]);
        assert_eq!(names(&[two, &["bin/su"]]), ["bin/zu", "bin/su"]);
        let first: &[&str] = &["bin/su", "bin/a == bin/su"];
        assert_eq!(names(&[first]), ["bin/su"]);
    }

    #[test]
    fn of_a_path_that_a_layer_has_twice_the_last_one_is_there() {
        assert_eq!(names(&[&["bin/su", "bin/su"]]), ["-bin/su", "bin/su"]);
    }
}
