//! Whether two outputs are alike, as they came and not as they are shown.

use super::Changing;
use crate::goal::cause;
use crate::image::output::Output;
use crate::text::Clean;

/// The lines of a text that are compared.
struct Told {
    lines: Vec<String>,
    /// Whether nothing follows them.
    all: bool,
}

impl Told {
    /// How many lines can be compared.
    fn known(&self) -> usize {
        if self.all {
            usize::MAX
        } else {
            self.lines.len()
        }
    }
}

/// What comes of a comparison.
pub(super) enum Likeness {
    Same,
    /// The first difference, as a sentence.
    Other(String),
    /// What was left out may decide.
    Unknown,
}

/// Whether two texts are the same, as they came.
pub(super) fn compare(changing: &[Changing], wanted: &Output, found: &Output) -> Likeness {
    let same = wanted.is_same(found);
    if same == Some(true) {
        return Likeness::Same;
    }
    let (wanted, found) = (told(changing, wanted), told(changing, found));
    if let Some(text) = difference(&wanted, &found) {
        return Likeness::Other(text);
    }
    match same {
        _ if wanted.all && found.all => Likeness::Same,
        // With parts that may differ, a digest tells nothing.
        Some(_) if changing.is_empty() => Likeness::Other(String::from(
            "It begins as the starter's does; further on, it is another, or of another length.",
        )),
        _ => Likeness::Unknown,
    }
}

/// Lines without what differs from run to run, and without blanks at their ends.
fn told(changing: &[Changing], output: &Output) -> Told {
    let mut lines: Vec<String> = output
        .beginning()
        .split('\n')
        .map(|line| {
            let line = line.trim_end().to_owned();
            changing.iter().fold(line, |line, part| {
                part.0.replace_all(&line, "…").into_owned()
            })
        })
        .collect();
    let all = output.is_whole();
    if !all {
        // A piece of one.
        lines.pop();
    }
    while all && lines.last().is_some_and(String::is_empty) {
        lines.pop();
    }
    Told { lines, all }
}

/// The one of which more was left out, or an unknown rest.
pub(super) fn longer<'a>(one: &'a Output, other: &'a Output) -> &'a Output {
    let missing = |output: &Output| (output.is_broken_off(), output.dropped());
    if missing(one) > missing(other) {
        one
    } else {
        other
    }
}

/// The first line that differs, as a sentence; `None` where none does that is known of both.
fn difference(wanted: &Told, found: &Told) -> Option<String> {
    let lines = wanted.lines.len().max(found.lines.len());
    let lines = lines.min(wanted.known()).min(found.known());
    let at = (0..lines).find(|at| wanted.lines.get(*at) != found.lines.get(*at))?;
    let pair = [found.lines.get(at), wanted.lines.get(at)];
    let alike = match pair {
        [Some(one), Some(other)] => {
            let pairs = one.chars().zip(other.chars());
            pairs.take_while(|(one, other)| one == other).count()
        }
        _ => 0,
    };
    // Of long lines, what is around the first difference.
    let skipped = if alike > 60 { alike - 30 } else { 0 };
    let shown = |line: Option<&String>| match line {
        Some(line) if !line.is_empty() => {
            let mark = if skipped > 0 { "…" } else { "" };
            let rest: String = line.chars().skip(skipped).collect();
            let rest = Clean::line(&cause::shorten(&rest));
            format!("`{mark}{rest}`")
        }
        Some(_) => String::from("empty"),
        None => String::from("not there"),
    };
    let [found, wanted] = pair.map(shown);
    Some(format!(
        "Line {} is {found}; in the starter's it is {wanted}.",
        at + 1
    ))
}
