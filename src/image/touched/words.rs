//! What a run opened of an image, as lines of text.

use super::FolderUse;
use super::LayerUse;
use super::Part;
use super::Touched;
use crate::image::maker;
use crate::text::Clean;
use crate::text::plural;

/// What the figures do not say; shown with them.
pub const COMMENT: &str = "Opened in this run, no more than that: a file that only a rare request \
                           needs was not opened either. So none of this says \"safe to delete\".";

/// Rows of each list, where not all are wanted.
const ROWS: usize = 8;
/// Columns of a folder's or an instruction's name.
const NAME: usize = 44;

/// The result in one sentence: `2.8 % of what the image ships was opened: 23.6 MB of 852 MB, 117 of
/// 48281 files`.
#[must_use]
pub fn headline(touched: &Touched) -> String {
    let (opened, live) = (touched.opened, touched.live);
    format!(
        "{} of what the image ships was opened: {} of {}, {} of {}",
        touched.share(),
        opened.bytes,
        live.bytes,
        opened.files,
        plural(live.files, "file")
    )
}

/// The headline and what stands behind it; `all` leaves nothing out, and lists the opened files.
#[must_use]
pub fn lines(touched: &Touched, all: bool) -> Vec<String> {
    let mut lines = vec![headline(touched)];
    if touched.made > 0 {
        lines.push(format!(
            "it opened {} more that the image does not ship: what the run made itself",
            plural(touched.made, "file")
        ));
    }
    let layers = touched.by_line();
    let layers: Vec<&LayerUse> = layers
        .iter()
        .filter(|layer| layer.live.bytes.0 > 0)
        .collect();
    section(
        &mut lines,
        "By line of the Dockerfile, or by layer",
        &layers,
        all,
        |layer| Row {
            name: maker(layer),
            live: layer.live,
            opened: Some(layer.opened),
        },
    );
    let folders: Vec<&FolderUse> = touched.folders.iter().collect();
    section(
        &mut lines,
        "Folders with opened files",
        &folders,
        all,
        |folder| Row {
            name: folder.path.clone(),
            live: folder.live,
            opened: Some(folder.opened),
        },
    );
    let unopened: Vec<&FolderUse> = touched.unopened.iter().collect();
    section(
        &mut lines,
        "Folders without any",
        &unopened,
        all,
        |folder| Row {
            name: folder.path.clone(),
            live: folder.live,
            opened: None,
        },
    );
    if all && !touched.files.is_empty() {
        lines.push(String::new());
        lines.push(String::from("Opened files"));
        for file in &touched.files {
            let path = Clean::line(&file.path);
            lines.push(format!("  {:>9}  {path}", file.bytes.to_string()));
        }
    }
    lines
}

/// One row of a list.
struct Row {
    name: String,
    live: Part,
    /// `None` where nothing was opened, as the list's heading says.
    opened: Option<Part>,
}

fn section<T>(
    lines: &mut Vec<String>,
    heading: &str,
    items: &[&T],
    all: bool,
    row: impl Fn(&T) -> Row,
) {
    if items.is_empty() {
        return;
    }
    lines.push(String::new());
    lines.push(heading.to_owned());
    let shown = if all { items.len() } else { ROWS };
    for item in items.iter().take(shown) {
        let Row { name, live, opened } = row(item);
        let name = cut(Clean::line(&name).as_str());
        let bytes = live.bytes.to_string();
        lines.push(match opened {
            Some(opened) => format!(
                "  {name:<NAME$} {:>9} of {bytes:>9}  {:>6}",
                opened.bytes.to_string(),
                opened.bytes.share_of(live.bytes).to_string()
            ),
            None => format!(
                "  {name:<NAME$} {bytes:>9} in {}",
                plural(live.files, "file")
            ),
        });
    }
    let rest = items.get(shown..).unwrap_or_default();
    if !rest.is_empty() {
        let bytes = rest.iter().map(|item| row(item).live.bytes);
        let bytes: crate::units::Bytes = bytes.sum();
        lines.push(format!("  and {} more with {bytes}", rest.len()));
    }
}

/// `line 7  RUN make`, or `layer 3  RUN make`.
fn maker(layer: &LayerUse) -> String {
    let place = match layer.line {
        Some(line) => format!("line {line}"),
        None => format!("layer {}", layer.index),
    };
    match &layer.created_by {
        Some(words) => format!("{place:<9}{}", maker::instruction(words)),
        None => place,
    }
}

/// A name cut to its columns, with what was cut shown at its end.
fn cut(name: &str) -> String {
    if name.chars().count() <= NAME {
        return name.to_owned();
    }
    let kept: String = name.chars().take(NAME - 1).collect();
    format!("{kept}…")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::image::touched::OpenedFile;
    use crate::units::Bytes;

    fn part(files: usize, bytes: u64) -> Part {
        Part {
            files,
            bytes: Bytes(bytes),
        }
    }

    fn folder(path: &str, live: Part, opened: Part) -> FolderUse {
        FolderUse {
            path: path.to_owned(),
            live,
            opened,
        }
    }

    fn example() -> Touched {
        let layer = |index: usize, line, words: &str, live, opened| LayerUse {
            index,
            line,
            created_by: Some(words.to_owned()),
            live,
            opened,
        };
        let nothing = Part::default();
        let mut unopened: Vec<FolderUse> = (1..=10)
            .map(|number| folder(&format!("/opt/tool-{number}"), part(3, 1_000_000), nothing))
            .collect();
        unopened.insert(
            0,
            folder("/usr/lib/jvm\u{1b}[31m", part(900, 290_000_000), nothing),
        );
        Touched {
            live: part(48_281, 852_000_000),
            opened: part(117, 23_600_000),
            layers: vec![
                layer(
                    0,
                    Some(1),
                    "FROM python:3.13",
                    part(9, 850_000_000),
                    part(2, 23_000_000),
                ),
                layer(
                    1,
                    None,
                    "RUN a very long command that goes on and on",
                    part(1, 2_000_000),
                    nothing,
                ),
                layer(2, None, "empty", nothing, nothing),
            ],
            folders: vec![folder(
                "/usr/bin",
                part(400, 40_000_000),
                part(2, 6_800_000),
            )],
            unopened,
            files: vec![OpenedFile {
                path: String::from("/usr/bin/python3"),
                bytes: Bytes(6_800_000),
                layer: 0,
            }],
            made: 1,
        }
    }

    #[test]
    fn the_figures_read_as_a_page() {
        insta::assert_snapshot!(lines(&example(), false).join("\n"), @r"
        2.8 % of what the image ships was opened: 23.6 MB of 852 MB, 117 of 48281 files
        it opened 1 file more that the image does not ship: what the run made itself

        By line of the Dockerfile, or by layer
          line 1   FROM python:3.13                        23 MB of    850 MB   2.7 %
          layer 1  RUN a very long command that goes …       0 B of      2 MB     0 %

        Folders with opened files
          /usr/bin                                        6.8 MB of     40 MB    17 %

        Folders without any
          /usr/lib/jvm                                    290 MB in 900 files
          /opt/tool-1                                       1 MB in 3 files
          /opt/tool-2                                       1 MB in 3 files
          /opt/tool-3                                       1 MB in 3 files
          /opt/tool-4                                       1 MB in 3 files
          /opt/tool-5                                       1 MB in 3 files
          /opt/tool-6                                       1 MB in 3 files
          /opt/tool-7                                       1 MB in 3 files
          and 3 more with 3 MB
        ");
    }

    #[test]
    fn all_leaves_nothing_out() {
        let all = lines(&example(), true).join("\n");
        assert!(all.contains("/opt/tool-10") && !all.contains("more with"));
        assert!(
            all.ends_with("Opened files\n     6.8 MB  /usr/bin/python3"),
            "{all}"
        );
    }

    #[test]
    fn an_empty_image_is_told_in_one_line() {
        assert_eq!(
            lines(&Touched::default(), true),
            ["0 % of what the image ships was opened: 0 B of 0 B, 0 of 0 files"]
        );
    }
}
