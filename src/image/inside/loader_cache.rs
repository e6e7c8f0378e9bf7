//! `/etc/ld.so.cache`: where the loader of the GNU C library finds libraries by name.
//!
//! The format is that of glibc's `dl-cache.h`: an old table may come first, the new one has a magic
//! of its own.

use std::collections::HashMap;

const MAGIC: &[u8] = b"glibc-ld.so.cache1.1";

/// The header of the new table: magic, two counts, flags, five words that nobody needs here.
const HEADER: usize = 48;

/// One entry: flags, name, path, version, hardware.
const ENTRY: usize = 24;

/// The most entries that are read; a full desktop has 3,000.
const MOST: usize = 20_000;

/// The paths of a cache, by name; `None` where it is not one.
pub(super) fn read(cache: &[u8]) -> Option<HashMap<String, Vec<String>>> {
    let at = find(cache, MAGIC)?;
    let table = cache.get(at..)?;
    let count = usize::try_from(word(table, 20)?).ok()?.min(MOST);
    let mut paths: HashMap<String, Vec<String>> = HashMap::new();
    for index in 0..count {
        let entry = HEADER + index * ENTRY;
        let name = text(table, word(table, entry + 4)?)?;
        let path = text(table, word(table, entry + 8)?)?;
        paths.entry(name).or_default().push(path);
    }
    Some(paths)
}

fn find(bytes: &[u8], what: &[u8]) -> Option<usize> {
    bytes.windows(what.len()).position(|window| window == what)
}

/// Four bytes; every architecture here writes the lowest first, but s390x.
fn word(bytes: &[u8], at: usize) -> Option<u32> {
    let word: [u8; 4] = bytes.get(at..at + 4)?.try_into().ok()?;
    Some(u32::from_le_bytes(word))
}

fn text(table: &[u8], at: u32) -> Option<String> {
    let bytes = table.get(usize::try_from(at).ok()?..)?;
    let bytes = bytes.get(..1024).unwrap_or(bytes);
    let end = bytes.iter().position(|byte| *byte == 0)?;
    Some(String::from_utf8_lossy(bytes.get(..end)?).into_owned())
}

/// A cache with these names and paths.
#[cfg(test)]
pub(super) fn write(entries: &[(&str, &str)]) -> Vec<u8> {
    let mut table = MAGIC.to_vec();
    let strings_at = HEADER + entries.len() * ENTRY;
    let mut strings: Vec<u8> = Vec::new();
    let count = u32::try_from(entries.len()).unwrap();
    table.extend(count.to_le_bytes());
    table.resize(HEADER, 0);
    for (name, path) in entries {
        table.extend(0x0303_u32.to_le_bytes());
        for text in [name, path] {
            let at = u32::try_from(strings_at + strings.len()).unwrap();
            table.extend(at.to_le_bytes());
            strings.extend(text.as_bytes());
            strings.push(0);
        }
        table.extend([0; 12]);
    }
    table.extend(strings);
    table
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn names_lead_to_paths_behind_an_old_table_too() {
        let cache = write(&[
            ("libz.so.1", "/lib/a/libz.so.1"),
            ("libz.so.1", "/opt/libz.so.1"),
        ]);
        let found = read(&cache).unwrap();
        assert_eq!(found["libz.so.1"], ["/lib/a/libz.so.1", "/opt/libz.so.1"]);
        let mut old = b"ld.so-1.7.0\0\0\0\0\0".to_vec();
        old.extend(&cache);
        assert_eq!(read(&old).unwrap().len(), 1);
        assert!(read(b"something else").is_none());
        assert!(read(&cache[..60]).is_none());
    }

    proptest! {
        #[test]
        fn no_bytes_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let mut cache = MAGIC.to_vec();
            cache.extend(&bytes);
            let _ = read(&cache);
            let _ = read(&bytes);
        }
    }
}
