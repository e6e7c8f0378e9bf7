//! What `cargo auditable` leaves in a program: the crates it was made of.

use auditable_info::Error;
use serde::Deserialize;

use super::PackageKind;
use super::record::PACKAGES;
use super::record::Record;
use super::record::Stated;

/// The longest list, unpacked, in bytes.
const LIST: usize = 8 * 1024 * 1024;

#[derive(Debug, Deserialize)]
struct List {
    packages: Vec<Listed>,
}

/// A crate; what took part in the build alone says so, and so does one of no registry: the program
/// itself, and what lay beside it.
#[derive(Debug, Deserialize)]
struct Listed {
    name: String,
    version: String,
    #[serde(default)]
    kind: Option<String>,
    #[serde(default)]
    source: Option<String>,
}

/// Reads the list of a whole program; `None` where there is none. Crates that only took part in
/// the build are not in the program.
pub(super) fn of_program(bytes: &[u8]) -> Option<Record> {
    let text = match auditable_info::json_from_slice(bytes, LIST) {
        Ok(text) => text,
        Err(Error::NoAuditData | Error::BinaryParsing(_) | Error::Io(_)) => return None,
        Err(error) => return Some(broken(&error)),
    };
    Some(match serde_json::from_str::<List>(&text) {
        Ok(list) => Record::Packages(packages(&list)),
        Err(error) => broken(&error),
    })
}

fn broken(error: &dyn std::error::Error) -> Record {
    Record::Broken(format!("its list of crates cannot be read ({error})"))
}

fn packages(list: &List) -> Vec<Stated> {
    let inside = |one: &&Listed| one.kind.as_deref() != Some("build");
    list.packages
        .iter()
        .filter(inside)
        .take(PACKAGES)
        .filter_map(|one| {
            let mut stated = Stated::new(PackageKind::Rust, &one.name, &one.version)?;
            stated.local = one.source.as_deref() == Some("local");
            Some(stated)
        })
        .collect()
}

#[cfg(test)]
pub(super) mod tests {
    use std::io::Write as _;

    use super::*;

    /// A 64-bit ELF file with one named section of this content.
    pub(in super::super) fn with_section(name: &str, content: &[u8]) -> Vec<u8> {
        let mut file = vec![0; 64];
        file[..16].copy_from_slice(&[0x7f, b'E', b'L', b'F', 2, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
        file[16..20].copy_from_slice(&[2, 0, 62, 0]);
        file[20] = 1;
        file[52..54].copy_from_slice(&64_u16.to_le_bytes());
        let content_at = file.len() as u64;
        file.extend_from_slice(content);
        let names_at = file.len() as u64;
        let names = format!("\0{name}\0.shstrtab\0");
        file.extend_from_slice(names.as_bytes());
        let headers_at = file.len() as u64;
        file[40..48].copy_from_slice(&headers_at.to_le_bytes());
        file[58..60].copy_from_slice(&64_u16.to_le_bytes());
        file[60..62].copy_from_slice(&3_u16.to_le_bytes());
        file[62..64].copy_from_slice(&2_u16.to_le_bytes());
        let own = u32::try_from(2 + name.len()).unwrap();
        for (name, kind, at, length) in [
            (0, 0_u32, 0, 0),
            (1, 1, content_at, content.len() as u64),
            (own, 3, names_at, names.len() as u64),
        ] {
            let mut header = vec![0; 64];
            header[..4].copy_from_slice(&u32::to_le_bytes(name));
            header[4..8].copy_from_slice(&kind.to_le_bytes());
            header[24..32].copy_from_slice(&u64::to_le_bytes(at));
            header[32..40].copy_from_slice(&u64::to_le_bytes(length));
            file.extend(header);
        }
        file
    }

    pub(in super::super) fn packed(text: &[u8]) -> Vec<u8> {
        let mut encoder =
            flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::default());
        encoder.write_all(text).unwrap();
        encoder.finish().unwrap()
    }

    #[test]
    fn crates_of_the_program_are_listed_and_those_of_the_build_are_not() {
        let text = br#"{"packages":[
            {"name":"app","version":"0.1.0","source":"local","root":true,"dependencies":[1]},
            {"name":"adler","version":"1.0.2","source":"crates.io"},
            {"name":"cc","version":"1.0.0","source":"crates.io","kind":"build"}],"format":1}"#;
        let Some(Record::Packages(found)) = of_program(&with_section(".dep-v0", &packed(text)))
        else {
            panic!("nothing was found");
        };
        let names: Vec<String> = found
            .iter()
            .map(|one| format!("{} {} {}", one.name, one.version, one.local))
            .collect();
        assert_eq!(names, ["app 0.1.0 true", "adler 1.0.2 false"]);
    }

    #[test]
    fn a_program_without_the_list_says_nothing() {
        assert_eq!(of_program(&with_section(".text", b"x")), None);
        assert_eq!(of_program(b"\x7fELF"), None);
    }

    #[test]
    fn a_list_that_cannot_be_read_is_broken() {
        let bomb = packed(&vec![b' '; LIST + 1]);
        for content in [b"rubbish".to_vec(), packed(b"{}"), bomb] {
            let found = of_program(&with_section(".dep-v0", &content));
            assert!(matches!(found, Some(Record::Broken(_))), "{found:?}");
        }
    }
}
