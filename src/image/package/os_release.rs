//! `os-release`: which distribution an image says it is.

use super::Distribution;
use super::Gap;
use super::OtherRelease;
use super::PackageKind;
use super::assemble::is_system;
use super::gap::Sight;
use super::notes::Notes;
use super::record::Record;
use super::record::word;
use crate::image::tree::Tree;

/// Where it is, in the order of what counts.
pub(super) const PLACES: [&str; 2] = ["etc/os-release", "usr/lib/os-release"];

/// Reads `os-release`.
pub(super) fn read(bytes: &[u8]) -> Record {
    let text = String::from_utf8_lossy(bytes);
    let mut distribution = Distribution::default();
    for line in text.lines() {
        let Some((name, value)) = line.trim().split_once('=') else {
            continue;
        };
        let value = word(&unquoted(value)).unwrap_or_default();
        match name {
            "ID" => distribution.id = value.to_ascii_lowercase(),
            "VERSION_ID" => distribution.version = value,
            "PRETTY_NAME" => distribution.title = value,
            _ => {}
        }
    }
    if distribution.id.is_empty() {
        return Record::Broken(String::from("it names no distribution"));
    }
    Record::Release(distribution)
}

/// What the final file system says.
pub(super) struct Said<'s> {
    /// The file itself, links followed.
    path: &'s str,
    layer: usize,
    pub(super) distribution: &'s Distribution,
}

/// What an image says it is; links are followed, as `etc/os-release` usually is one.
pub(super) fn said<'s>(tree: &Tree<'s>, notes: &'s Notes<'_>) -> Option<Said<'s>> {
    PLACES.iter().find_map(|place| {
        let node = tree.find(place).ok()?;
        let path = &*node.entry.path;
        match notes.at(node.layer, path)? {
            Record::Release(distribution) => Some(Said {
                path,
                layer: node.layer,
                distribution,
            }),
            _ => None,
        }
    })
}

/// Where an image says that it is of another release than its packages are, whose advisories are
/// then those of another one.
pub(super) fn disagreeing(sight: &Sight<'_>) -> Option<Gap> {
    let said = said(sight.tree, sight.notes)?;
    let packages = of_package(sight, said.distribution).or_else(|| before(sight, &said))?;
    Some(Gap::OtherRelease(OtherRelease {
        path: said.path.to_owned(),
        layer: said.layer,
        release: shown(said.distribution),
        packages,
    }))
}

/// The release by Debian's own package of what it is, whose version begins with it.
fn of_package(sight: &Sight<'_>, said: &Distribution) -> Option<String> {
    let packages = sight.shown.iter().filter(|one| is_system(one.sort));
    let packages = packages.filter_map(|one| one.record.packages()).flatten();
    let numbers = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    let is_numbered = said.id == "debian" && !said.version.is_empty() && numbers(&said.version);
    let mut releases = packages
        .filter(|one| one.kind == PackageKind::Deb && one.name == "base-files" && !one.foreign)
        .filter_map(|one| one.version.split('.').next())
        .filter(|release| is_numbered && numbers(release) && *release != said.version);
    releases.next().map(|release| format!("debian {release}"))
}

/// The release of the layers below, where no package brought the file that says another one.
fn before(sight: &Sight<'_>, said: &Said<'_>) -> Option<String> {
    let key = |one: &Distribution| (one.id.clone(), one.version.clone());
    let now = key(said.distribution);
    let mut since = said.layer;
    for layer in (0..said.layer).rev() {
        let notes = PLACES
            .iter()
            .filter_map(|place| sight.notes.at(layer, place));
        let mut releases = notes.filter_map(|record| match record {
            Record::Release(release) => Some(release),
            _ => None,
        });
        let Some(first) = releases.next() else {
            continue;
        };
        if key(first) != now && releases.all(|other| key(other) != now) {
            let upgraded = sight.owners.layer_of(said.path) == Some(since);
            return (!upgraded).then(|| shown(first));
        }
        since = layer;
    }
    None
}

fn shown(release: &Distribution) -> String {
    format!("{} {}", release.id, release.version)
        .trim_end()
        .to_owned()
}

/// A value as a shell reads it.
fn unquoted(value: &str) -> String {
    shell_words::split(value.trim()).map_or_else(|_| value.to_owned(), |words| words.join(" "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quotes_are_read_as_a_shell_does() {
        let text =
            "PRETTY_NAME=\"Debian GNU/Linux 13 (trixie)\"\n# ID=no\nVERSION_ID='13'\nID=debian\n";
        let expected = Distribution {
            id: String::from("debian"),
            version: String::from("13"),
            title: String::from("Debian GNU/Linux 13 (trixie)"),
        };
        assert_eq!(read(text.as_bytes()), Record::Release(expected));
        assert!(matches!(read(b"NAME=x"), Record::Broken(_)));
    }
}
