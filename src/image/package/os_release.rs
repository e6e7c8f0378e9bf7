//! `os-release`: which distribution an image says it is.

use super::Distribution;
use super::record::Record;
use super::record::word;

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
