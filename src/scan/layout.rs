//! Which layout the archive of an image has, for scanners that want to be told.

#![expect(
    clippy::disallowed_methods,
    reason = "edge: looks into the archive that a scanner is given"
)]

use std::fs::File;
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
