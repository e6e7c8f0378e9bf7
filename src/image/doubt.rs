//! Names that stand for deleted files, given to files.
//!
//! In a layer, a member `.wh.NAME` says that `NAME` of the layers below is deleted, and `.wh..wh..opq`
//! all of a folder. An engine with a graph driver writes a file that somebody gave such a name as it
//! is: in its own containers the file is there and hides nothing, and whoever unpacks the image
//! deletes by it. Such an image is not one file system but two, and nobody can be told what is in it.

use std::collections::BTreeMap;

use super::Contents;
use super::Entry;
use super::EntryKind;
use super::merge::Event;
use super::merge::Merge;
use super::merge::Place;
use super::merge::Way;
use crate::units::Bytes;

/// A member that is named like a whiteout.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mark {
    /// The layer, from 0 at the bottom.
    pub layer: usize,
    /// Its path, as the archive has it.
    pub path: String,
    /// A path that it hides and nothing above it shows.
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

/// Whiteouts above the `base` lowest layers that hide something: where an engine that built the
/// image has what one of them hides, a file was given its name.
#[must_use]
pub fn marks(contents: &Contents, base: usize) -> Vec<Mark> {
    let mut hidden: BTreeMap<Place, String> = BTreeMap::new();
    let merge = Merge::replay(&contents.layers, |merge, event| {
        if let Event::Went { spot, by, way, .. } = event
            && matches!(way, Way::Deleted | Way::Opaque)
            && by.layer >= base
        {
            hidden.entry(by).or_insert_with(|| merge.path(spot));
        }
    });
    hidden
        .into_iter()
        .filter(|(_, hides)| merge.walk(hides, true).is_err())
        .filter_map(|(by, hides)| {
            Some(Mark {
                layer: by.layer,
                path: merge.entry(by)?.written(),
                hides,
            })
        })
        .collect()
}

const fn is_whiteout(entry: &Entry) -> bool {
    matches!(entry.kind, EntryKind::Whiteout | EntryKind::Opaque)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::image::fixture::image;

    fn told(layers: &[&[&str]], base: usize) -> Vec<String> {
        let marks = marks(&image(layers), base).into_iter();
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
            told(&[base, &["-bin/sh", "!etc", "-none", "-tmp"]], 1),
            [
                "1 bin/.wh.sh hides bin/sh",
                "1 etc/.wh..wh..opq hides etc/passwd",
                "1 .wh.tmp hides tmp/x",
            ]
        );
        // Those of the base are not the learner's, and what is there again tells nothing.
        assert!(told(&[base, &["-bin/sh"]], 2).is_empty());
        assert!(told(&[base, &["-bin/sh"], &["bin/sh"]], 1).is_empty());
    }
}
