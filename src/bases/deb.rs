//! A distribution package taken apart: an `ar` archive of a control archive and a data archive.
//!
//! Reads bytes that were already verified; it knows nothing of where they came from and runs none
//! of the scripts it finds.

use std::collections::BTreeMap;
use std::io::Read;

use thiserror::Error;

use crate::bases::layer::Header;
use crate::bases::layer::plain;

/// A package in memory, its data archive uncompressed.
#[derive(Debug, Clone, Default)]
pub struct Deb {
    /// The control file.
    pub control: Control,
    /// The other members of the control archive: maintainer scripts, `md5sums`, `conffiles`, …
    pub members: BTreeMap<String, Vec<u8>>,
    /// The data archive, a tar.
    pub data: Vec<u8>,
}

/// A control file: `Field: value` lines, continued by lines that start with a space.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Control {
    text: String,
}

/// A package that cannot be read.
#[derive(Debug, Error)]
pub enum DebError {
    /// It is not the archive that it should be, or it is cut short.
    #[error("the package archive is damaged")]
    Damaged(#[source] std::io::Error),
    /// It has no such part.
    #[error("the package archive has no {0}")]
    Without(&'static str),
    /// It is compressed in a way that this program does not know.
    #[error("the package's `{0}` is compressed in an unknown way")]
    Compression(String),
}

impl Deb {
    /// Takes a package apart.
    ///
    /// # Errors
    /// When it is damaged, incomplete or compressed in an unknown way.
    pub fn read(bytes: &[u8]) -> Result<Self, DebError> {
        let mut archive = ar::Archive::new(bytes);
        let mut control = None;
        let mut data = None;
        while let Some(entry) = archive.next_entry() {
            let entry = entry.map_err(DebError::Damaged)?;
            let name = String::from_utf8_lossy(entry.header().identifier()).into_owned();
            if name.starts_with("control.tar") {
                control = Some(uncompressed(&name, entry)?);
            } else if name.starts_with("data.tar") {
                data = Some(uncompressed(&name, entry)?);
            }
        }
        let mut members = members(&control.ok_or(DebError::Without("control archive"))?)?;
        let control = members
            .remove("control")
            .ok_or(DebError::Without("control file"))?;
        Ok(Self {
            control: Control::parse(&control),
            members,
            data: data.ok_or(DebError::Without("data archive"))?,
        })
    }
}

impl Deb {
    /// Shows each entry of the data archive but its root: the plain path, the header, the contents.
    ///
    /// # Errors
    /// When the archive is damaged or `visit` fails.
    pub fn entries(
        &self,
        mut visit: impl FnMut(&str, Header, &mut dyn Read) -> std::io::Result<()>,
    ) -> std::io::Result<()> {
        for entry in tar::Archive::new(&self.data[..]).entries()? {
            let mut entry = entry?;
            let name = String::from_utf8_lossy(&entry.path_bytes()).into_owned();
            let path = plain(&name);
            if path.split('/').any(|part| part == "..") {
                return Err(std::io::Error::other(format!(
                    "the path `{name}` leaves the archive"
                )));
            }
            if !path.is_empty() {
                visit(path, Header::of(&entry), &mut entry)?;
            }
        }
        Ok(())
    }

    /// The contents of one file.
    ///
    /// # Errors
    /// When the archive is damaged or has no such file.
    pub fn file(&self, wanted: &str) -> std::io::Result<Vec<u8>> {
        let mut found = None;
        self.entries(|path, header, body| {
            if path == wanted && header.kind().is_file() {
                let mut bytes = Vec::new();
                body.read_to_end(&mut bytes)?;
                found = Some(bytes);
            }
            Ok(())
        })?;
        let missing = || std::io::Error::other(format!("the package has no `{wanted}`"));
        found.ok_or_else(missing)
    }
}

/// The files of a control archive.
fn members(tar: &[u8]) -> Result<BTreeMap<String, Vec<u8>>, DebError> {
    let mut members = BTreeMap::new();
    for entry in tar::Archive::new(tar)
        .entries()
        .map_err(DebError::Damaged)?
    {
        let mut entry = entry.map_err(DebError::Damaged)?;
        if !entry.header().entry_type().is_file() {
            continue;
        }
        let name = String::from_utf8_lossy(&entry.path_bytes()).into_owned();
        let mut bytes = Vec::new();
        entry.read_to_end(&mut bytes).map_err(DebError::Damaged)?;
        members.insert(name.trim_start_matches("./").to_owned(), bytes);
    }
    Ok(members)
}

/// A member of a package, uncompressed by what its name says.
fn uncompressed(name: &str, member: impl Read) -> Result<Vec<u8>, DebError> {
    let ending = name.rsplit_once(".tar").map_or("", |(_, ending)| ending);
    let mut bytes = Vec::new();
    match ending {
        "" => bytes_of(member, &mut bytes),
        ".xz" => bytes_of(liblzma::read::XzDecoder::new(member), &mut bytes),
        ".gz" => bytes_of(flate2::read::GzDecoder::new(member), &mut bytes),
        ".zst" => zstd::stream::copy_decode(member, &mut bytes),
        _ => return Err(DebError::Compression(name.to_owned())),
    }
    .map_err(DebError::Damaged)?;
    Ok(bytes)
}

fn bytes_of(mut from: impl Read, to: &mut Vec<u8>) -> std::io::Result<()> {
    from.read_to_end(to).map(|_| ())
}

impl Control {
    /// Reads a control file; what is not UTF-8 is replaced.
    #[must_use]
    pub fn parse(bytes: &[u8]) -> Self {
        Self {
            text: String::from_utf8_lossy(bytes).trim().to_owned(),
        }
    }

    /// The first line of a field's value.
    #[must_use]
    pub fn field(&self, name: &str) -> Option<&str> {
        self.text.lines().find_map(|line| {
            let (field, value) = line.split_once(':')?;
            (field == name).then(|| value.trim())
        })
    }

    /// The package's name.
    #[must_use]
    pub fn package(&self) -> &str {
        self.field("Package").unwrap_or_default()
    }

    /// The whole text without a line break at its end.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use std::io::Write;

    use super::*;

    /// A package as the distribution makes them, with the named data files.
    pub(crate) fn package(control: &str, extra: &[(&str, &str)], data: &[(&str, &str)]) -> Vec<u8> {
        let mut parts = vec![("./control", control)];
        parts.extend_from_slice(extra);
        let mut archive = ar::Builder::new(Vec::new());
        for (name, bytes) in [
            ("debian-binary", b"2.0\n".to_vec()),
            ("control.tar.xz", xz(&tar_of(&parts))),
            ("data.tar.xz", xz(&tar_of(data))),
        ] {
            let header = ar::Header::new(name.as_bytes().to_vec(), bytes.len() as u64);
            archive
                .append(&header, &bytes[..])
                .expect("written to memory");
        }
        archive.into_inner().expect("written to memory")
    }

    fn tar_of(files: &[(&str, &str)]) -> Vec<u8> {
        let mut tar = tar::Builder::new(Vec::new());
        for (path, text) in files {
            let mut header = tar::Header::new_gnu();
            if path.ends_with('/') {
                header.set_entry_type(tar::EntryType::Directory);
            }
            header.set_mode(0o755);
            header.set_size(text.len() as u64);
            header.set_username("root").expect("a short name");
            header.set_mtime(7);
            // `append_data` would drop the leading `./` that packages have.
            let name = header.as_gnu_mut().expect("a GNU header");
            name.name[..path.len()].copy_from_slice(path.as_bytes());
            header.set_cksum();
            tar.append(&header, text.as_bytes())
                .expect("written to memory");
        }
        tar.into_inner().expect("written to memory")
    }

    fn xz(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = liblzma::write::XzEncoder::new(Vec::new(), 1);
        encoder.write_all(bytes).expect("written to memory");
        encoder.finish().expect("written to memory")
    }

    #[test]
    fn a_package_is_taken_apart() {
        let bytes = package(
            "Package: hello\nVersion: 1:2.0\nDescription: says hello\n and more\n",
            &[("./postinst", "#!/bin/sh\n")],
            &[("./", ""), ("./usr/bin/hello", "hi")],
        );
        let deb = Deb::read(&bytes).expect("it is sound");
        assert_eq!(deb.control.package(), "hello");
        assert_eq!(deb.control.field("Version"), Some("1:2.0"));
        assert_eq!(deb.control.field("Depends"), None);
        assert_eq!(deb.members["postinst"], b"#!/bin/sh\n");
        assert!(deb.data.len() >= 1024);
    }

    #[test]
    fn a_package_that_is_cut_short_is_damaged() {
        let bytes = package("Package: hello\n", &[], &[("./a", "b")]);
        for cut in [0, 4, 30, 80, bytes.len() / 2, bytes.len() - 40] {
            let error = Deb::read(&bytes[..cut]).expect_err("it is cut short");
            assert!(
                matches!(error, DebError::Damaged(_) | DebError::Without(_)),
                "{cut}"
            );
        }
    }

    #[test]
    fn an_unknown_compression_is_named() {
        let error = uncompressed("data.tar.lz9", &b""[..]).expect_err("nobody knows it");
        assert!(error.to_string().contains("data.tar.lz9"));
    }
}
