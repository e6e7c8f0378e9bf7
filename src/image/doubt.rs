//! Names that stand for deleted files, given to files.
//!
//! In a layer, a member `.wh.NAME` says that `NAME` of the layers below is deleted, and `.wh..wh..opq`
//! all of a folder. An engine with a graph driver writes a file that somebody gave such a name as it
//! is: in its own containers the file is there and hides nothing, and whoever unpacks the image
//! deletes by it. Such an image is not one file system but two, and nobody can be told what is in it.

use std::collections::BTreeMap;
use std::collections::BTreeSet;

use super::Contents;
use super::Entry;
use super::EntryKind;
use super::merge::Event;
use super::merge::Merge;
use super::merge::Place;
use super::merge::Way;
use super::tree::Lost;
use crate::units::Bytes;

/// What engines put into every container, so that nothing follows from its being there.
const OF_ENGINES: [&str; 15] = [
    ".dockerenv",
    "dev",
    "dev/console",
    "dev/pts",
    "dev/shm",
    "etc",
    "etc/hostname",
    "etc/hosts",
    "etc/mtab",
    "etc/resolv.conf",
    "proc",
    "run",
    "run/.containerenv",
    "run/secrets",
    "sys",
];

/// A member that is named like a whiteout.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mark {
    /// The layer, from 0 at the bottom.
    pub layer: usize,
    /// Its path, as the archive has it.
    pub path: String,
    /// A path that it hides, with all that is below, and nothing above it shows.
    pub hides: String,
}

/// The first file with a payload that is named like a whiteout, above the `base` lowest layers: no
/// engine writes a whiteout like that. Its layer and its path.
#[must_use]
pub fn shipped(contents: &Contents, base: usize) -> Option<(usize, String)> {
    let layers = contents.layers.iter().enumerate().skip(base);
    let mut marks = layers.flat_map(|(index, layer)| {
        let entries = layer.entries.iter();
        let marks = entries.filter(|entry| is_whiteout(entry) && entry.size > Bytes(0));
        marks.map(move |entry| (index, entry.written()))
    });
    marks.next()
}

/// What is hidden by whiteouts: where an engine that built the image has any of it, a file was given
/// the name of one.
///
/// All of it counts: whoever gives a file such a name may delete others besides, show again some of
/// what it hides, take the file itself away in a later layer, and build upon that image.
#[must_use]
pub fn marks(contents: &Contents) -> Vec<Mark> {
    let mut went: Vec<(usize, Place, Place)> = Vec::new();
    let merge = Merge::replay(&contents.layers, |_, event| {
        if let Event::Went {
            spot,
            place,
            by,
            way,
        } = event
            && matches!(way, Way::Deleted | Way::Opaque)
        {
            went.push((spot, place, by));
        }
    });
    let volumes = for_volumes(contents, &merge);
    let mut hidden: BTreeMap<String, Place> = BTreeMap::new();
    for (spot, place, by) in went {
        let path = merge.path(spot);
        // None is made where there is a file.
        let is_folder = merge
            .entry(place)
            .is_some_and(|entry| entry.kind == EntryKind::Directory);
        let made = |folder: &str| {
            let is_for_volume = volumes.contains(folder) && (is_folder || folder != path);
            is_for_volume || OF_ENGINES.contains(&folder)
        };
        if let Some(missing) = missing(&merge, &path, made) {
            hidden.insert(missing, by);
        }
    }
    let marks = hidden.into_iter().filter_map(|(hides, by)| {
        Some(Mark {
            layer: by.layer,
            path: merge.entry(by)?.written(),
            hides,
        })
    });
    marks.collect()
}

/// The folders that an engine makes in a container for the volumes of its image: where the volume's
/// path leads, links on its way followed.
fn for_volumes(contents: &Contents, merge: &Merge<'_>) -> BTreeSet<String> {
    let mut made = BTreeSet::new();
    for volume in &contents.config.volumes {
        let mut at = String::new();
        for part in cleaned(volume) {
            let next = format!("{at}/{part}");
            at = match merge.walk(&next, true) {
                Ok(spot) => merge.path(spot),
                Err(Lost::Missing(first)) if !is_at_or_below(&next, &first) => first,
                Err(_) => next.trim_start_matches('/').to_owned(),
            };
            made.insert(at.clone());
        }
    }
    made
}

/// The parts of a path as engines clean it, before they follow any link.
fn cleaned(path: &str) -> Vec<&str> {
    let mut parts = Vec::new();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop();
            }
            _ => parts.push(part),
        }
    }
    parts
}

/// Whether a path without links is this one or below it.
fn is_at_or_below(path: &str, above: &str) -> bool {
    let rest = path.trim_start_matches('/').strip_prefix(above);
    rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// The uppermost folder of a path that is not there, or the path itself: whoever has what is below
/// has that too. Those that are `made` in a container are passed over.
fn missing(merge: &Merge<'_>, path: &str, made: impl Fn(&str) -> bool) -> Option<String> {
    let Err(Lost::Missing(first)) = merge.walk(path, false) else {
        return None;
    };
    if !made(&first) {
        return Some(first);
    }
    let rest = path.strip_prefix(first.as_str())?;
    let ends = rest.match_indices('/').map(|(at, _)| first.len() + at);
    let ends = ends.chain([path.len()]);
    let mut folders = ends.filter_map(|end| path.get(..end));
    let found = folders.find(|folder| !made(folder));
    found.map(str::to_owned)
}

const fn is_whiteout(entry: &Entry) -> bool {
    matches!(entry.kind, EntryKind::Whiteout | EntryKind::Opaque)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::image::fixture::image;

    fn told(layers: &[&[&str]]) -> Vec<String> {
        let marks = marks(&image(layers)).into_iter();
        let told = marks.map(|mark| format!("{} {} hides {}", mark.layer, mark.path, mark.hides));
        told.collect()
    }

    #[test]
    fn a_file_with_a_payload_is_no_whiteout() {
        let contents = image(&[&["-a 5"], &["-app/x 0", "-app/.env 5"]]);
        assert_eq!(shipped(&contents, 0), Some((0, String::from(".wh.a"))));
        let above = Some((1, String::from("app/.wh..env")));
        assert_eq!(shipped(&contents, 1), above);
        assert_eq!(shipped(&contents, 2), None);
    }

    #[test]
    fn a_whiteout_that_hides_something_can_be_compared() {
        let base: &[&str] = &["bin/", "bin/sh", "etc/", "etc/passwd", "tmp/", "tmp/x"];
        assert_eq!(
            told(&[base, &["-bin/sh", "!etc", "-none", "-tmp"]]),
            [
                "1 bin/.wh.sh hides bin/sh",
                "1 etc/.wh..wh..opq hides etc/passwd",
                "1 .wh.tmp hides tmp",
            ]
        );
        // What is there again tells nothing.
        assert!(told(&[base, &["-bin/sh"], &["bin/sh"]]).is_empty());
    }

    #[test]
    fn all_that_is_hidden_and_not_there_again_can_be_compared() {
        let base: &[&str] = &["d/", "d/a", "d/b/", "d/b/x", "d/b/y", "d/c"];
        let opaque = ["1 d/.wh..wh..opq hides d/a", "1 d/.wh..wh..opq hides d/b"];
        assert_eq!(told(&[base, &["!d"], &["d/c"]]), opaque);
        // What is deleted besides.
        let besides = told(&[base, &["!d"], &["-d/c"]]);
        assert_eq!(
            besides,
            [opaque[0], opaque[1], "1 d/.wh..wh..opq hides d/c"]
        );
        let again = told(&[base, &["-d"], &["d/b/", "d/b/y"]]);
        let hides = again.iter().filter_map(|told| told.split(' ').next_back());
        assert_eq!(hides.collect::<Vec<_>>(), ["d/a", "d/b/x", "d/c"]);
        let names: Vec<String> = (0..100).map(|number| format!("f{number:02}")).collect();
        let base: Vec<&str> = names.iter().map(String::as_str).collect();
        let gone: Vec<String> = names.iter().map(|name| format!("-{name}")).collect();
        let gone: Vec<&str> = gone.iter().map(String::as_str).collect();
        assert_eq!(told(&[&base, &gone]).len(), 100);
    }

    #[test]
    fn a_folder_that_is_made_for_a_volume_tells_nothing() {
        let base: &[&str] = &["d/", "d/v/", "d/v/x", "d/y", "f"];
        let hides = |volumes: &[&str]| {
            let mut contents = image(&[base, &["-d", "-f"]]);
            contents.config.volumes = volumes.iter().map(|one| (*one).to_owned()).collect();
            let marks = marks(&contents).into_iter();
            marks.map(|mark| mark.hides).collect::<Vec<_>>()
        };
        assert_eq!(hides(&[]), ["d", "f"]);
        assert_eq!(hides(&["/d/v/"]), ["d/v/x", "d/y", "f"]);
        // No engine makes a folder where there is a file.
        assert_eq!(hides(&["/d", "/f"]), ["d/v", "d/y", "f"]);
        assert_eq!(hides(&["/f/v"]), ["d", "f"]);
    }

    #[test]
    fn a_folder_is_made_where_the_links_of_its_volume_lead() {
        let base: &[&str] = &[
            "d/",
            "d/v/",
            "d/v/x",
            "in -> d",
            "to -> /d/v",
            "round -> round",
        ];
        let hides = |volume: &str| {
            let mut contents = image(&[base, &["-d/v"]]);
            contents.config.volumes = vec![volume.to_owned()];
            let marks = marks(&contents).into_iter();
            marks.map(|mark| mark.hides).collect::<Vec<_>>()
        };
        for volume in ["/d/v", "/in/v", "/in/v/w", "/to", "/to/w", "/d/./a/../v/"] {
            assert_eq!(hides(volume), ["d/v/x"], "{volume}");
        }
        for volume in ["/in", "/in/w", "/v", "/round/v", "/to/../w"] {
            assert_eq!(hides(volume), ["d/v"], "{volume}");
        }
    }

    #[test]
    fn what_every_container_has_tells_nothing() {
        let base: &[&str] = &[
            "etc/",
            "etc/hostname",
            "etc/passwd",
            "proc/",
            "run/",
            "run/x",
        ];
        assert!(told(&[base, &["-etc/hostname", "-proc"]]).is_empty());
        assert_eq!(
            told(&[base, &["-etc", "-run"]]),
            ["1 .wh.etc hides etc/passwd", "1 .wh.run hides run/x"]
        );
    }
}
