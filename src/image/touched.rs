//! What a run opened of an image: which share of what is shipped and visible, from which layers,
//! in which folders, and where nothing was opened at all. Pure.
//!
//! "Opened in this run" is all that it says: a file that only a rare request opens looks the same
//! as one that nobody ever needs.

mod words;

use std::collections::BTreeMap;
use std::collections::HashMap;
use std::collections::HashSet;

use serde::Serialize;
pub use words::COMMENT;
pub use words::headline;
pub use words::lines;

use crate::image::Contents;
use crate::image::EntryKind;
use crate::image::maker;
use crate::image::tree::Tree;
use crate::units::Bytes;
use crate::units::Percent;

/// Parts of a path that name the folder in which an opened file is counted: `/usr/lib/python3.13`.
const DEPTH: usize = 3;

/// What a run opened of an image.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Touched {
    /// All regular files that the final file system shows; a file with several names counts once.
    pub live: Part,
    /// Those of them that were opened.
    pub opened: Part,
    /// The same by layer, bottom first.
    pub layers: Vec<LayerUse>,
    /// Where files were opened, by folder, the most opened bytes first. A path counts with its
    /// first three parts: `/usr/lib` stands for its own files, `/usr/lib/python3.13` for all below.
    pub folders: Vec<FolderUse>,
    /// Folders in which nothing was opened, each as high up as that is true, the largest first.
    pub unopened: Vec<FolderUse>,
    /// The opened files, the largest first.
    pub files: Vec<OpenedFile>,
    /// Opened files that the image does not ship: what the run made itself.
    pub made: usize,
}

/// Some files of an image.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Part {
    /// How many.
    pub files: usize,
    /// Their payload bytes.
    pub bytes: Bytes,
}

impl Part {
    fn add(&mut self, bytes: Bytes) {
        self.files += 1;
        self.bytes = self.bytes.plus(bytes);
    }
}

/// What was opened of one layer.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct LayerUse {
    /// Position, from 0 at the bottom.
    pub index: usize,
    /// The line of the Dockerfile that made it, where that is known.
    pub line: Option<u32>,
    /// The history step that made it, where the history tells.
    pub created_by: Option<String>,
    /// What of it is visible.
    pub live: Part,
    /// What of that was opened.
    pub opened: Part,
}

/// What was opened below one folder.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct FolderUse {
    /// The folder: `/usr/lib`; `/` for files at the very top.
    pub path: String,
    /// What is visible of it.
    pub live: Part,
    /// What of that was opened.
    pub opened: Part,
}

/// An opened file of the image.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct OpenedFile {
    /// Its path.
    pub path: String,
    /// Its size.
    pub bytes: Bytes,
    /// The layer that it comes from.
    pub layer: usize,
}

/// One file of the image, under the name that it was opened by, or its first.
struct Live {
    path: String,
    bytes: Bytes,
    layer: usize,
    opened: bool,
}

impl Touched {
    /// Compares what a run opened, as [`crate::image::run::Opened`] has it, with the image.
    /// `lines` are the Dockerfile's lines of the layers, as far as they are known.
    #[must_use]
    pub fn of(contents: &Contents, opened: &[String], lines: &[Option<u32>]) -> Self {
        let tree = Tree::of(contents);
        let names: HashSet<&str> = opened.iter().map(|path| own_name(path)).collect();
        let mut found = HashSet::new();
        let files = live(&tree, &names, &mut found);
        let mut touched = Self {
            layers: contents
                .layers
                .iter()
                .map(|layer| LayerUse {
                    index: layer.index,
                    line: lines.get(layer.index).copied().flatten(),
                    created_by: layer.created_by.clone(),
                    ..LayerUse::default()
                })
                .collect(),
            made: names.len() - found.len(),
            ..Self::default()
        };
        for file in &files {
            touched.live.add(file.bytes);
            let layer = touched.layers.get_mut(file.layer);
            if let Some(layer) = layer {
                layer.live.add(file.bytes);
                if file.opened {
                    layer.opened.add(file.bytes);
                }
            }
            if file.opened {
                touched.opened.add(file.bytes);
            }
        }
        (touched.folders, touched.unopened) = folders(&files);
        touched.files = files
            .into_iter()
            .filter(|file| file.opened)
            .map(|file| OpenedFile {
                path: format!("/{}", file.path),
                bytes: file.bytes,
                layer: file.layer,
            })
            .collect();
        touched
            .files
            .sort_by(|a, b| b.bytes.cmp(&a.bytes).then_with(|| a.path.cmp(&b.path)));
        touched
    }

    /// The opened bytes as a share of the visible ones.
    #[must_use]
    pub fn share(&self) -> Percent {
        self.opened.bytes.share_of(self.live.bytes)
    }

    /// Names the layers of known lines by the text of those lines.
    pub fn quote(&mut self, dockerfile: &str) {
        for layer in &mut self.layers {
            let Some(line) = layer.line.and_then(|line| line.checked_sub(1)) else {
                continue;
            };
            let index = usize::try_from(line).unwrap_or(usize::MAX);
            if let Some(text) = dockerfile.lines().nth(index) {
                layer.created_by = Some(maker::told(text));
            }
        }
    }

    /// The same by line of the Dockerfile, in its order; layers of no known line come last and
    /// alone.
    #[must_use]
    pub fn by_line(&self) -> Vec<LayerUse> {
        let mut lines: BTreeMap<u32, LayerUse> = BTreeMap::new();
        let mut others = Vec::new();
        for layer in &self.layers {
            let Some(line) = layer.line else {
                others.push(layer.clone());
                continue;
            };
            let sum = lines.entry(line).or_insert_with(|| LayerUse {
                index: layer.index,
                line: Some(line),
                created_by: layer.created_by.clone(),
                ..LayerUse::default()
            });
            for (sum, part) in [(&mut sum.live, layer.live), (&mut sum.opened, layer.opened)] {
                sum.files += part.files;
                sum.bytes = sum.bytes.plus(part.bytes);
            }
        }
        lines.into_values().chain(others).collect()
    }
}

/// A path as layers have it. A file that was removed while it was open bears that mark.
fn own_name(path: &str) -> &str {
    let path = path.trim_start_matches('/');
    path.strip_suffix(" (deleted)").unwrap_or(path)
}

/// The visible files; the names that were opened go into `found`.
fn live<'n>(tree: &Tree<'_>, names: &HashSet<&'n str>, found: &mut HashSet<&'n str>) -> Vec<Live> {
    let mut files: Vec<Live> = Vec::new();
    // Hard links are one file with several names.
    let mut known: HashMap<(usize, &str), usize> = HashMap::new();
    for node in tree.nodes() {
        if node.entry.kind != EntryKind::File {
            continue;
        }
        let name = names.get(node.path.as_str()).copied();
        found.extend(name);
        let key = (node.layer, node.entry.path.as_str());
        match known.get(&key).and_then(|at| files.get_mut(*at)) {
            Some(file) => {
                if name.is_some() && !file.opened {
                    file.opened = true;
                    file.path = node.path;
                }
            }
            None => {
                known.insert(key, files.len());
                files.push(Live {
                    bytes: node.entry.size,
                    layer: node.layer,
                    opened: name.is_some(),
                    path: node.path,
                });
            }
        }
    }
    files
}

/// The folders that hold a file, outermost first: `usr`, `usr/lib` for `usr/lib/x`.
fn above(path: &str) -> impl Iterator<Item = &str> {
    path.match_indices('/').filter_map(|(at, _)| path.get(..at))
}

/// The folders with something opened, and those without.
fn folders(files: &[Live]) -> (Vec<FolderUse>, Vec<FolderUse>) {
    let mut all: HashMap<&str, (Part, Part)> = HashMap::new();
    for file in files {
        for folder in std::iter::once("").chain(above(&file.path)) {
            let (live, opened) = all.entry(folder).or_default();
            live.add(file.bytes);
            if file.opened {
                opened.add(file.bytes);
            }
        }
    }
    let used = |folder: &str| all.get(folder).copied().unwrap_or_default();
    let row = |folder: &str, (live, opened): (Part, Part)| FolderUse {
        path: format!("/{folder}"),
        live,
        opened,
    };
    let mut shown: HashMap<&str, (Part, Part)> = HashMap::new();
    let mut unopened: HashSet<&str> = HashSet::new();
    for file in files {
        let folder = above(&file.path).take(DEPTH).last().unwrap_or_default();
        let (live, opened) = shown.entry(folder).or_default();
        live.add(file.bytes);
        if file.opened {
            opened.add(file.bytes);
        }
        let nothing = |folder: &&str| used(folder).1.files == 0;
        unopened.extend(above(&file.path).find(nothing));
    }
    let mut shown: Vec<FolderUse> = shown
        .into_iter()
        .filter(|(_, (_, opened))| opened.files > 0)
        .map(|(folder, parts)| row(folder, parts))
        .collect();
    shown.sort_by(|a, b| {
        let most = b.opened.bytes.cmp(&a.opened.bytes);
        most.then_with(|| a.path.cmp(&b.path))
    });
    let mut unopened: Vec<FolderUse> = unopened
        .into_iter()
        .map(|folder| row(folder, used(folder)))
        .collect();
    unopened.sort_by(|a, b| {
        let most = b.live.bytes.cmp(&a.live.bytes);
        most.then_with(|| a.path.cmp(&b.path))
    });
    (shown, unopened)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::image::Entry;
    use crate::image::Layer;

    /// A layer of `path size`, `path == target`, `path -> target` and `-path`.
    fn layer(index: usize, entries: &[&str]) -> Layer {
        let entries = entries.iter().map(|text| {
            let mut size = 0;
            let (path, kind) = if let Some((path, target)) = text.split_once(" == ") {
                (path, EntryKind::Hardlink(target.to_owned()))
            } else if let Some((path, target)) = text.split_once(" -> ") {
                (path, EntryKind::Symlink(target.to_owned()))
            } else if let Some(path) = text.strip_prefix('-') {
                (path, EntryKind::Whiteout)
            } else {
                let (path, bytes) = text.rsplit_once(' ').unwrap();
                size = bytes.parse().unwrap();
                (path, EntryKind::File)
            };
            Entry {
                path: path.to_owned(),
                kind,
                size: Bytes(size),
                mode: 0o755,
                uid: 0,
                gid: 0,
                content: None,
                capabilities: false,
            }
        });
        Layer {
            index,
            diff_id: String::new(),
            created_by: Some(format!("step {index}")),
            shipped: Bytes(0),
            entries: entries.collect(),
            programs: BTreeMap::new(),
            kept: BTreeMap::new(),
            notes: Vec::new(),
        }
    }

    fn image(layers: &[&[&str]]) -> Contents {
        let layers = layers.iter().enumerate();
        Contents {
            layers: layers
                .map(|(index, entries)| layer(index, entries))
                .collect(),
            ..Contents::default()
        }
    }

    fn touched(layers: &[&[&str]], opened: &[&str]) -> Touched {
        let opened: Vec<String> = opened.iter().map(|path| (*path).to_owned()).collect();
        Touched::of(&image(layers), &opened, &[Some(1), None, Some(7), Some(7)])
    }

    fn part(files: usize, bytes: u64) -> Part {
        Part {
            files,
            bytes: Bytes(bytes),
        }
    }

    fn rows(folders: &[FolderUse]) -> Vec<String> {
        let row = |row: &FolderUse| {
            let (opened, live) = (row.opened, row.live);
            format!("{} {} of {} B", row.path, opened.bytes.0, live.bytes.0)
        };
        folders.iter().map(row).collect()
    }

    const BASE: &[&str] = &[
        "usr/bin/app 100",
        "usr/bin/tool 50",
        "usr/lib/gcc/big 900",
        "usr/lib/gcc/more/x 1",
        "usr/lib/libc.so 30",
        "usr/share/doc/a 7",
        "old 5",
    ];

    #[test]
    fn the_share_is_of_what_the_final_file_system_shows() {
        let found = touched(
            &[BASE, &["-old", "usr/bin/tool 60"], &["app/main.py 9"]],
            &[
                "/usr/bin/app",
                "/usr/lib/libc.so",
                "/app/main.py",
                "/tmp/made",
            ],
        );
        assert_eq!(found.live, part(7, 1107));
        assert_eq!(found.opened, part(3, 139));
        assert_eq!(found.share().to_string(), "13 %");
        assert_eq!(found.made, 1);
        let layers: Vec<(Part, Part)> = found
            .layers
            .iter()
            .map(|layer| (layer.opened, layer.live))
            .collect();
        assert_eq!(
            layers,
            [
                (part(2, 130), part(5, 1038)),
                (part(0, 0), part(1, 60)),
                (part(1, 9), part(1, 9))
            ]
        );
        let paths: Vec<&str> = found.files.iter().map(|file| file.path.as_str()).collect();
        assert_eq!(paths, ["/usr/bin/app", "/usr/lib/libc.so", "/app/main.py"]);
    }

    #[test]
    fn folders_are_told_where_files_were_opened_and_where_none_was() {
        let found = touched(&[BASE], &["/usr/bin/app", "/usr/lib/libc.so", "/old"]);
        assert_eq!(
            rows(&found.folders),
            ["/usr/bin 100 of 150 B", "/usr/lib 30 of 30 B", "/ 5 of 5 B"]
        );
        assert_eq!(
            rows(&found.unopened),
            ["/usr/lib/gcc 0 of 901 B", "/usr/share 0 of 7 B"]
        );
        let none = touched(&[BASE], &[]);
        assert_eq!(rows(&none.unopened), ["/usr 0 of 1088 B"]);
        assert_eq!(none.share().to_string(), "0 %");
    }

    #[test]
    fn a_file_of_several_names_counts_once_whichever_was_opened() {
        let layers: &[&[&str]] = &[&["a/x 10", "b/y == a/x", "c -> a/x"]];
        for opened in ["/a/x", "/b/y"] {
            let found = touched(layers, &[opened]);
            assert_eq!((found.live, found.opened), (part(1, 10), part(1, 10)));
            assert_eq!(found.files.first().unwrap().path, opened);
            assert_eq!(found.made, 0);
        }
        assert_eq!(touched(layers, &["/a/x", "/b/y"]).opened, part(1, 10));
    }

    #[test]
    fn a_file_that_was_removed_while_it_was_open_is_still_the_images() {
        let found = touched(&[BASE], &["/old (deleted)", "/gone (deleted)"]);
        assert_eq!((found.opened, found.made), (part(1, 5), 1));
    }

    #[test]
    fn layers_of_one_line_are_summed_and_those_of_none_come_last() {
        let layers: &[&[&str]] = &[&["a 1"], &["b 2"], &["c 4"], &["d 8"]];
        let lines: Vec<(Option<u32>, u64, u64)> = touched(layers, &["/c", "/d", "/b"])
            .by_line()
            .iter()
            .map(|line| (line.line, line.opened.bytes.0, line.live.bytes.0))
            .collect();
        assert_eq!(lines, [(Some(1), 0, 1), (Some(7), 12, 12), (None, 2, 2)]);
    }

    #[test]
    fn lines_of_the_dockerfile_name_their_layers() {
        let mut found = touched(&[&["a 1"], &["b 2"]], &[]);
        found.quote("FROM  python:3.13 \nRUN x");
        let names: Vec<Option<&str>> = found
            .layers
            .iter()
            .map(|layer| layer.created_by.as_deref())
            .collect();
        assert_eq!(names, [Some("FROM  python:3.13"), Some("step 1")]);
    }

    #[test]
    fn an_image_without_files_has_no_share() {
        let found = touched(&[&[]], &["/x"]);
        assert_eq!(found.live, Part::default());
        assert_eq!(found.share().to_string(), "0 %");
        assert!(found.folders.is_empty() && found.unopened.is_empty());
    }
}
