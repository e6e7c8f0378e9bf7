//! Which layout the archive of an image has, and where its parts lie in it.

#![expect(
    clippy::disallowed_methods,
    reason = "edge: looks into the archive that a scanner is given"
)]

use std::collections::BTreeMap;
use std::fs::File;
use std::io;
use std::path::Path;

/// The most entries that are looked at: an image has some per layer.
const MOST_ENTRIES: usize = 100_000;

/// Whether it is an OCI layout and nothing else: there is an `index.json`, and no `manifest.json`,
/// which all that `docker save` writes has. What cannot be read is not; who opens it next will tell.
pub(super) fn is_oci_alone(archive: &Path) -> bool {
    let Ok(file) = File::open(archive) else {
        return false;
    };
    let mut archive = tar::Archive::new(file);
    // Contents are stepped over, so that a large image is looked at as soon as a small one.
    let Ok(entries) = archive.entries_with_seek() else {
        return false;
    };
    let mut has_index = false;
    for entry in entries.take(MOST_ENTRIES) {
        let Ok(entry) = entry else {
            return false;
        };
        let path = entry.path_bytes();
        match path.strip_prefix(b"./").unwrap_or(&path) {
            b"manifest.json" => return false,
            b"index.json" => has_index = true,
            _ => {}
        }
    }
    has_index
}

/// Where a part lies in an archive: its first byte, and how many it has.
pub(super) type Span = (u64, u64);

/// The files of an archive that is not compressed as a whole.
pub(super) fn parts(archive: &Path) -> io::Result<BTreeMap<String, Span>> {
    let mut archive = tar::Archive::new(File::open(archive)?);
    let mut parts = BTreeMap::new();
    for entry in archive.entries_with_seek()?.take(MOST_ENTRIES) {
        let entry = entry?;
        if entry.header().entry_type() != tar::EntryType::Regular {
            continue;
        }
        let path = entry.path_bytes();
        let path = path.strip_prefix(b"./").unwrap_or(&path);
        let name = String::from_utf8_lossy(path).into_owned();
        parts.insert(name, (entry.raw_file_position(), entry.size()));
    }
    Ok(parts)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_alone(names: &[&str]) -> bool {
        let file = tempfile::NamedTempFile::new().unwrap();
        let mut builder = tar::Builder::new(file.reopen().unwrap());
        for name in names {
            let mut header = tar::Header::new_gnu();
            header.set_size(2000);
            header.set_cksum();
            builder
                .append_data(&mut header, name, [b'x'; 2000].as_slice())
                .unwrap();
        }
        builder.finish().unwrap();
        is_oci_alone(file.path())
    }

    #[test]
    fn an_oci_layout_is_told_from_what_docker_saves() {
        assert!(is_alone(&["oci-layout", "index.json", "blobs/sha256/aa"]));
        assert!(is_alone(&["blobs/sha256/aa", "./index.json"]));
        // Engines of today write both, and scanners read either.
        assert!(!is_alone(&[
            "index.json",
            "blobs/sha256/aa",
            "manifest.json"
        ]));
        assert!(!is_alone(&["aa/layer.tar", "aa.json", "manifest.json"]));
        assert!(!is_alone(&["other/index.json"]));
        assert!(!is_oci_alone(Path::new("no/such/archive")));
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), "no archive at all").unwrap();
        assert!(!is_oci_alone(file.path()));
    }
}
