//! What the layers of an image are called, in the learner's words: the lines of their Dockerfile.

use super::Insight;
use crate::image::dead::Heap;
use crate::image::dead::How;
use crate::image::maker;
use crate::report::ImageReport;
use crate::text::Clean;
use crate::text::plural;
use crate::units::Bytes;

/// An image with the Dockerfile that it was built from.
#[derive(Debug, Clone, Copy)]
pub struct Names<'a> {
    /// The Dockerfile as it was built.
    pub dockerfile: &'a str,
    /// The image.
    pub image: &'a ImageReport,
}

impl Names<'_> {
    /// The line of the Dockerfile that made a layer.
    #[must_use]
    pub fn line(&self, layer: usize) -> Option<u32> {
        self.image.layers.get(layer)?.line
    }

    /// Whether a layer came with the base image.
    #[must_use]
    pub fn is_base(&self, layer: usize) -> bool {
        let first = self.line(0);
        first.is_some() && self.line(layer) == first
    }

    /// `line 8`, or `layer 3` where the line is not known.
    #[must_use]
    pub fn place(&self, layer: usize) -> String {
        match self.line(layer) {
            Some(line) => format!("line {line}"),
            None => format!("layer {}", layer + 1),
        }
    }

    /// The instruction that made a layer, as the learner wrote it; as the builder recorded it where
    /// its line is not known.
    #[must_use]
    pub fn maker(&self, layer: usize) -> String {
        let written = self.line(layer);
        let written = written.and_then(|line| instruction(self.dockerfile, line));
        let recorded = self.image.layers.get(layer);
        let recorded = recorded.and_then(|layer| layer.created_by.as_ref());
        let text = written
            .or_else(|| recorded.map(|by| maker::instruction(by.as_str())))
            .filter(|text| !text.is_empty())
            .unwrap_or_else(|| "not recorded".to_owned());
        let layers = 0..self.image.layers.len();
        let of = layers.filter(|layer| self.is_base(*layer)).count();
        if self.is_base(layer) && of > 1 {
            format!("{text}  {} of {of}", layer + 1)
        } else {
            text
        }
    }

    /// `from line 4, deleted by line 9`.
    #[must_use]
    pub fn story(&self, heap: &Heap) -> String {
        let from = self.place(heap.shipped_in);
        format!("from {from}, {}", self.fate(heap.hidden_in, heap.how))
    }

    /// `deleted by line 9`.
    #[must_use]
    pub fn fate(&self, layer: usize, how: How) -> String {
        format!("{} by {}", done(how), self.place(layer))
    }

    /// The heaps that an instruction of the learner had a hand in, and the bytes of those within
    /// the base image, which are not theirs to mend.
    #[must_use]
    pub fn sorted<'h>(&self, heaps: &'h [Heap]) -> (Vec<&'h Heap>, Bytes) {
        let base = |heap: &&Heap| self.is_base(heap.shipped_in) && self.is_base(heap.hidden_in);
        let (base, theirs): (Vec<&Heap>, Vec<&Heap>) = heaps.iter().partition(base);
        (theirs, base.iter().map(|heap| heap.bytes).sum())
    }

    /// The layers and what is wasted, as lines of text.
    #[must_use]
    pub fn lines(&self, insight: &Insight) -> Vec<String> {
        let layers = plural(insight.layers.len(), "layer");
        let dead = match insight.dead() {
            Bytes(0) => "nothing wasted".to_owned(),
            dead => format!("{dead} wasted"),
        };
        let mut lines = vec![format!("{} in {layers}, {dead}", insight.shipped())];
        lines.push(format!("{:>10} {:>10}  made by", "size", "wasted"));
        lines.extend(insight.layers.iter().enumerate().map(|(index, layer)| {
            let (shipped, dead) = (size(layer.bill.shipped), size(layer.bill.dead));
            let line = match self.line(index) {
                Some(line) => format!("line {line}: "),
                None => String::new(),
            };
            format!("{shipped:>10} {dead:>10}  {line}{}", self.maker(index))
        }));
        let (heaps, base) = self.sorted(&insight.heaps);
        for heap in heaps {
            let story = self.story(heap);
            lines.push(format!("{} wasted in {}: {story}", heap.bytes, path(heap)));
        }
        if base > Bytes(0) {
            lines.push(format!("{base} wasted within the base image"));
        }
        lines
    }
}

/// A heap's path and how many files it is.
#[must_use]
pub fn path(heap: &Heap) -> String {
    let files = match heap.files {
        0 | 1 => String::new(),
        files => format!("  {}", plural(files, "file")),
    };
    format!("/{}{files}", Clean::line(&heap.path))
}

/// What a layer does to bytes that it hides.
const fn done(how: How) -> &'static str {
    match how {
        How::Deleted => "deleted",
        How::Overwritten => "written anew",
        How::MetadataOnly => "rights changed",
        How::Opaque => "folder made anew",
        How::Replaced => "replaced",
    }
}

/// A size, short: `0` for nothing.
#[must_use]
pub fn size(bytes: Bytes) -> String {
    match bytes {
        Bytes(0) => "0".to_owned(),
        bytes => bytes.to_string(),
    }
}

/// The first line of an instruction, as the learner wrote it and as it may be
/// [`told`](maker::told).
#[must_use]
pub fn instruction(dockerfile: &str, line: u32) -> Option<String> {
    let index = usize::try_from(line).ok()?.checked_sub(1)?;
    let text = dockerfile.split('\n').nth(index)?.trim();
    let text = text.trim_end_matches('\\').trim_end();
    (!text.is_empty()).then(|| Clean::line(&maker::told(text)).to_string())
}
