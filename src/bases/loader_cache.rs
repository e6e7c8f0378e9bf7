//! `/etc/ld.so.cache`, written without running `ldconfig`: in an image that has no package manager
//! nothing else would make it, and Python's `ctypes.util.find_library` reads nothing else.
//!
//! The format is glibc's "new" one (magic `glibc-ld.so.cache1.1`), little endian: a header of 48
//! bytes, one record of 24 bytes per library, then the strings that the records point to.

use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::io;

use object::Architecture;
use object::Object;

use crate::bases::deb::Deb;

/// Bytes before the first record.
const HEADER: usize = 48;
/// Bytes of a record.
const RECORD: usize = 24;
/// glibc's flags of a library: an ELF file of libc6, with what its architecture adds.
const ELF_LIBC6: u32 = 0x0003;
const X86_64: u32 = 0x0300;
const AARCH64: u32 = 0x0a00;

/// The shared libraries of a system: name by which programs ask for it, path, architecture flag.
#[derive(Debug, Clone, Default)]
pub struct Libraries {
    found: BTreeMap<String, (String, u32)>,
}

impl Libraries {
    /// The libraries that a package brings to the loader's folders.
    ///
    /// # Errors
    /// When the package is damaged.
    pub fn of(deb: &Deb) -> io::Result<Self> {
        let mut found = BTreeMap::new();
        deb.entries(|path, header, body| {
            let Some((folder, file)) = path.rsplit_once('/') else {
                return Ok(());
            };
            let in_folder = matches!(
                folder.strip_prefix("usr/").unwrap_or(folder),
                "lib/x86_64-linux-gnu" | "lib/aarch64-linux-gnu"
            );
            let named =
                (file.starts_with("lib") || file.starts_with("ld-")) && file.contains(".so");
            if !in_folder || !named || !header.kind().is_file() {
                return Ok(());
            }
            let mut bytes = Vec::new();
            body.read_to_end(&mut bytes)?;
            if let Some((name, flags)) = soname(&bytes) {
                let folder = folder.strip_prefix("usr/").unwrap_or(folder);
                found.insert(name.clone(), (format!("/{folder}/{name}"), flags));
            }
            Ok(())
        })?;
        Ok(Self { found })
    }

    /// Adds the libraries of another package.
    pub fn extend(&mut self, other: Self) {
        self.found.extend(other.found);
    }

    /// The cache file.
    #[must_use]
    pub fn cache(&self) -> Vec<u8> {
        let mut libraries: Vec<(&String, &(String, u32))> = self.found.iter().collect();
        // The loader searches by bisection, from the largest name down.
        libraries.sort_by(|a, b| compare(b.0.as_bytes(), a.0.as_bytes()));
        let start = HEADER + RECORD * libraries.len();
        let mut records = Vec::new();
        let mut strings = Vec::new();
        let mut text = |text: &str| {
            let at = start + strings.len();
            strings.extend_from_slice(text.as_bytes());
            strings.push(0);
            u32::try_from(at).unwrap_or(u32::MAX)
        };
        for (name, (path, flags)) in &libraries {
            records.extend_from_slice(&flags.to_le_bytes());
            records.extend_from_slice(&text(name).to_le_bytes());
            records.extend_from_slice(&text(path).to_le_bytes());
            // No kernel version and no special hardware is asked for.
            records.extend_from_slice(&[0; 12]);
        }
        let count = u32::try_from(libraries.len()).unwrap_or(u32::MAX);
        let length = u32::try_from(strings.len()).unwrap_or(u32::MAX);
        let mut cache = b"glibc-ld.so.cache1.1".to_vec();
        cache.extend_from_slice(&count.to_le_bytes());
        cache.extend_from_slice(&length.to_le_bytes());
        // Little endian, padding, no extensions, three words unused.
        cache.push(2);
        cache.resize(HEADER, 0);
        cache.extend_from_slice(&records);
        cache.extend_from_slice(&strings);
        cache
    }
}

/// The name that a shared library gives itself, with the flags of its architecture.
fn soname(bytes: &[u8]) -> Option<(String, u32)> {
    let file = object::File::parse(bytes).ok()?;
    let flags = match file.architecture() {
        Architecture::X86_64 => ELF_LIBC6 | X86_64,
        Architecture::Aarch64 => ELF_LIBC6 | AARCH64,
        _ => return None,
    };
    let object::File::Elf64(elf) = &file else {
        return None;
    };
    let table = elf.elf_section_table();
    let endian = elf.endian();
    let (dynamic, strings_at) = table.dynamic(endian, bytes).ok()??;
    let strings = table.strings(endian, bytes, strings_at).ok()?;
    let entry = dynamic
        .iter()
        .find(|entry| object::read::elf::Dyn::tag(*entry, endian) == object::elf::DT_SONAME)?;
    let name = object::read::elf::Dyn::string(entry, endian, strings).ok()?;
    Some((String::from_utf8_lossy(name).into_owned(), flags))
}

/// The loader's order of names: digits count as numbers and come after other characters.
fn compare(a: &[u8], b: &[u8]) -> Ordering {
    let (mut a, mut b) = (a, b);
    loop {
        match (a.split_first(), b.split_first()) {
            (None, None) => return Ordering::Equal,
            (None, Some(_)) => return Ordering::Less,
            (Some(_), None) => return Ordering::Greater,
            (Some((x, rest_a)), Some((y, rest_b))) => {
                match (x.is_ascii_digit(), y.is_ascii_digit()) {
                    (true, true) => {
                        let (number_a, after_a) = number(a);
                        let (number_b, after_b) = number(b);
                        match number_a.cmp(&number_b) {
                            Ordering::Equal => (a, b) = (after_a, after_b),
                            different => return different,
                        }
                    }
                    (true, false) => return Ordering::Greater,
                    (false, true) => return Ordering::Less,
                    (false, false) if x == y => (a, b) = (rest_a, rest_b),
                    (false, false) => return x.cmp(y),
                }
            }
        }
    }
}

/// The number at the start of `text`, and what follows it.
fn number(text: &[u8]) -> (u64, &[u8]) {
    let digits = text.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let (number, rest) = text.split_at(digits);
    let value = number.iter().fold(0u64, |value, digit| {
        value
            .saturating_mul(10)
            .saturating_add(u64::from(digit - b'0'))
    });
    (value, rest)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn word(cache: &[u8], at: usize) -> usize {
        let bytes: [u8; 4] = cache[at..at + 4].try_into().expect("four bytes");
        u32::from_le_bytes(bytes) as usize
    }

    #[test]
    fn names_are_ordered_as_the_loader_orders_them() {
        for (small, large) in [
            ("libc.so.5", "libc.so.6"),
            ("libc.so.6", "libc.so.10"),
            ("libcrypt.so.1", "libc0.so.1"),
            ("libssl.so", "libssl.so.3"),
        ] {
            assert_eq!(
                compare(small.as_bytes(), large.as_bytes()),
                Ordering::Less,
                "{small}"
            );
        }
    }

    #[test]
    fn records_point_to_their_strings_from_the_largest_name_down() {
        let mut libraries = Libraries::default();
        for name in ["libc.so.6", "libm.so.6"] {
            let path = format!("/lib/x86_64-linux-gnu/{name}");
            libraries
                .found
                .insert(name.to_owned(), (path, ELF_LIBC6 | X86_64));
        }
        let cache = libraries.cache();
        assert_eq!(word(&cache, 20), 2);
        let text = |at: usize| {
            let end = cache[at..]
                .iter()
                .position(|byte| *byte == 0)
                .expect("it ends");
            String::from_utf8_lossy(&cache[at..at + end]).into_owned()
        };
        assert_eq!(text(word(&cache, HEADER + 4)), "libm.so.6");
        assert_eq!(
            text(word(&cache, HEADER + RECORD + 8)),
            "/lib/x86_64-linux-gnu/libc.so.6"
        );
        assert_eq!(cache.len(), HEADER + 2 * RECORD + word(&cache, 24));
    }
}
