//! All paths of a container, read from the archive of its files: where many are asked for, one
//! answer is soon cheaper than a question for each.

use std::collections::BTreeMap;
use std::io;
use std::io::Read;

use super::LINKS;
use crate::text::path_text;

/// Each path, `etc/passwd`, and where it leads to if it is a symbolic link; written as an image's
/// layers have it.
#[derive(Debug)]
pub(super) struct Listing(BTreeMap<String, Option<String>>);

impl Listing {
    /// Reads an archive of files to its end.
    ///
    /// # Errors
    /// Where the archive cannot be read.
    pub(super) fn read(archive: impl Read) -> io::Result<Self> {
        let mut paths = BTreeMap::new();
        for entry in tar::Archive::new(archive).entries()? {
            let entry = entry?;
            let target = match entry.header().entry_type() {
                tar::EntryType::Symlink => entry.link_name_bytes().map(|target| path_text(&target)),
                _ => None,
            };
            paths.insert(plain(&path_text(&entry.path_bytes())), target);
        }
        Ok(Self(paths))
    }

    /// Whether a path exists, links followed.
    pub(super) fn exists(&self, path: &str) -> bool {
        let steps = |path: &str| path.rsplit('/').map(str::to_owned).collect::<Vec<_>>();
        let mut left = steps(path);
        let mut at: Vec<String> = Vec::new();
        let mut links = 0;
        while let Some(step) = left.pop() {
            match step.as_str() {
                "" | "." => continue,
                ".." => {
                    at.pop();
                    continue;
                }
                _ => at.push(step),
            }
            let Some(target) = self.0.get(&at.join("/")) else {
                return false;
            };
            if let Some(target) = target {
                links += 1;
                if links > LINKS {
                    return false;
                }
                at.pop();
                if target.starts_with('/') {
                    at.clear();
                }
                left.extend(steps(target));
            }
        }
        true
    }
}

/// A path as it is asked for: `./etc/` is `etc`.
fn plain(path: &str) -> String {
    let steps = path.split('/').filter(|step| !matches!(*step, "" | "."));
    steps.collect::<Vec<_>>().join("/")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_looked_up_through_links() {
        let mut archive = tar::Builder::new(Vec::new());
        let mut add = |path: &str, link: Option<&str>| {
            let mut header = tar::Header::new_gnu();
            header.set_size(0);
            match link {
                Some(target) => {
                    header.set_entry_type(tar::EntryType::Symlink);
                    archive.append_link(&mut header, path, target).unwrap();
                }
                None => archive.append_data(&mut header, path, io::empty()).unwrap(),
            }
        };
        for (path, link) in [
            ("./bin/", None),
            ("bin/sh", None),
            ("usr/", None),
            ("usr/bin", Some("../bin")),
            ("usr/local", Some("/usr")),
            ("bin/broken", Some("nowhere")),
            ("bin/circle", Some("circle")),
        ] {
            add(path, link);
        }
        let listing = Listing::read(archive.into_inner().unwrap().as_slice()).unwrap();
        for path in [
            "bin",
            "/bin/sh",
            "usr/bin/sh",
            "usr/local/bin/../bin/sh",
            "/",
        ] {
            assert!(listing.exists(path), "{path}");
        }
        for path in ["sh", "bin/broken", "bin/circle", "usr/bin/ash", "etc/x"] {
            assert!(!listing.exists(path), "{path}");
        }
    }

    #[test]
    fn paths_that_are_no_text_are_written_as_in_layers() {
        let mut archive = tar::Builder::new(Vec::new());
        for (path, link) in [
            (b"\xff\x01d".as_slice(), None),
            (b"link", Some(b"\xff\x01d")),
        ] {
            let mut header = tar::Header::new_ustar();
            header.as_ustar_mut().unwrap().name[..path.len()].copy_from_slice(path);
            if let Some(target) = link {
                header.set_entry_type(tar::EntryType::Symlink);
                header.set_link_name_literal(target).unwrap();
            }
            header.set_size(0);
            header.set_cksum();
            archive.append(&header, io::empty()).unwrap();
        }
        let listing = Listing::read(archive.into_inner().unwrap().as_slice()).unwrap();
        assert!(listing.exists(r"\xFF\x01d"));
        assert!(listing.exists("link"));
    }

    #[test]
    fn an_archive_that_is_cut_is_no_list() {
        let mut archive = tar::Builder::new(Vec::new());
        let mut header = tar::Header::new_gnu();
        header.set_size(9);
        let long = [0; 9].as_slice();
        archive.append_data(&mut header, "x", long).unwrap();
        let bytes = archive.into_inner().unwrap();
        assert!(Listing::read(&bytes[..514]).is_err());
    }
}
