//! What an ELF file asks of a loader: which libraries by name, and where it wants them looked for.
//!
//! Read while the file passes by: its headers, its first segment (where linkers put the names), what
//! lies from its writable data on (where the dynamic section is, and where tools that edit binaries
//! put new names), and its loader's name, which the GNU C library has between. The code is not kept.

use object::Endianness;
use object::elf;
use object::read::elf::Dyn as _;
use object::read::elf::FileHeader;
use object::read::elf::ProgramHeader as _;
use serde::Deserialize;
use serde::Serialize;

use crate::image::binary;

/// How many of the first bytes show the program headers.
pub(super) const HEAD: usize = 4096;

/// The most bytes that are kept of each part.
const PART_CAP: u64 = 8 * 1024 * 1024;

/// The most libraries that one file may ask for; real ones ask for less than 200.
const NEEDED_CAP: usize = 1024;

/// The longest name or search path that is read.
const TEXT_CAP: usize = 4096;

/// What an ELF file asks of a loader.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Dynamic {
    /// The architecture, as images call it, or the ELF machine number.
    pub machine: String,
    /// Whether its addresses have 64 bits.
    pub wide: bool,
    /// The loader that starts it: `/lib64/ld-linux-x86-64.so.2`.
    pub interpreter: Option<String>,
    /// The name that others know it by, for a library.
    pub soname: Option<String>,
    /// The libraries that it asks for, in order.
    pub needed: Vec<String>,
    /// Folders to search, the old way (`DT_RPATH`): for itself and all that it loads.
    pub rpath: Vec<String>,
    /// Folders to search, the new way (`DT_RUNPATH`): for what it asks for itself.
    pub runpath: Vec<String>,
    /// Whether all of that could be read.
    pub complete: bool,
}

/// Parts of a file, by their place in it.
#[derive(Debug, Default)]
pub(super) struct Parts {
    parts: Vec<Part>,
}

#[derive(Debug)]
struct Part {
    offset: u64,
    wanted: u64,
    bytes: Vec<u8>,
}

impl Parts {
    /// The parts of a file that are worth keeping, as its first bytes say; `None` where it is no
    /// ELF file, or one that asks no loader for anything.
    pub(super) fn of(head: &[u8]) -> Option<Self> {
        let plan = match head.get(4) {
            Some(2) => plan::<elf::FileHeader64<Endianness>>(head),
            Some(1) => plan::<elf::FileHeader32<Endianness>>(head),
            _ => None,
        }?;
        let part = |(start, end): (u64, u64)| Part {
            offset: start,
            wanted: end.saturating_sub(start).min(PART_CAP),
            bytes: Vec::new(),
        };
        Some(Self {
            parts: plan.into_iter().map(part).collect(),
        })
    }

    /// Takes what is wanted of a piece that starts at `offset`. Pieces come in order.
    pub(super) fn take(&mut self, offset: u64, piece: &[u8]) {
        for part in &mut self.parts {
            let next = part.offset.saturating_add(part.bytes.len() as u64);
            let end = part.offset.saturating_add(part.wanted);
            let Some(from) = next.checked_sub(offset) else {
                continue;
            };
            let to = end.saturating_sub(offset).min(piece.len() as u64);
            let range =
                usize::try_from(from).unwrap_or(usize::MAX)..usize::try_from(to).unwrap_or(0);
            part.bytes
                .extend_from_slice(piece.get(range).unwrap_or_default());
        }
    }

    /// Whether everything behind `offset` is of no use.
    pub(super) fn is_complete(&self, offset: u64) -> bool {
        self.parts
            .iter()
            .all(|part| part.offset.saturating_add(part.wanted) <= offset)
    }

    /// The bytes from `offset` on, as far as they were kept.
    fn from(&self, offset: u64) -> Option<&[u8]> {
        self.parts.iter().find_map(|part| {
            let inside = usize::try_from(offset.checked_sub(part.offset)?).ok()?;
            part.bytes.get(inside..).filter(|rest| !rest.is_empty())
        })
    }

    fn text(&self, offset: u64) -> Option<String> {
        let bytes = self.from(offset)?;
        let bytes = bytes.get(..TEXT_CAP).unwrap_or(bytes);
        let end = bytes.iter().position(|byte| *byte == 0)?;
        Some(String::from_utf8_lossy(bytes.get(..end)?).into_owned())
    }

    /// What the file asks of a loader.
    pub(super) fn read(&self, head: &[u8]) -> Option<Dynamic> {
        match head.get(4) {
            Some(2) => read::<elf::FileHeader64<Endianness>>(head, self),
            Some(1) => read::<elf::FileHeader32<Endianness>>(head, self),
            _ => None,
        }
    }
}

/// Reads a file that is there as a whole.
#[cfg(test)]
fn of_bytes(bytes: &[u8]) -> Option<Dynamic> {
    let head = bytes.get(..HEAD).unwrap_or(bytes);
    let mut parts = Parts::of(head)?;
    parts.take(0, bytes);
    parts.read(head)
}

/// The first segment, everything from the first writable one to the end of the last, and the loader's
/// name wherever it is.
fn plan<H: FileHeader<Endian = Endianness>>(head: &[u8]) -> Option<Vec<(u64, u64)>> {
    let header = H::parse(head).ok()?;
    let endian = header.endian().ok()?;
    let segments = header.program_headers(endian, head).ok()?;
    let mut first: Option<(u64, u64)> = None;
    let mut data: Option<u64> = None;
    let mut last = 0_u64;
    let mut loader: Option<(u64, u64)> = None;
    let mut asks = false;
    for segment in segments {
        let start: u64 = segment.p_offset(endian).into();
        let end = start.saturating_add(segment.p_filesz(endian).into());
        match segment.p_type(endian) {
            elf::PT_LOAD => {
                first = first.or(Some((start, end)));
                if segment.p_flags(endian).0 & elf::PF_W.0 != 0 {
                    data = Some(data.map_or(start, |data| data.min(start)));
                }
                last = last.max(end);
            }
            elf::PT_DYNAMIC => {
                asks = true;
                data = Some(data.map_or(start, |data| data.min(start)));
                last = last.max(end);
            }
            elf::PT_INTERP => {
                asks = true;
                loader = loader.or(Some((start, end)));
            }
            _ => {}
        }
    }
    asks.then(|| {
        let data = data.map(|start| (start, last));
        first.into_iter().chain(data).chain(loader).collect()
    })
}

/// What the dynamic section lists, as offsets into the table of names.
#[derive(Default)]
struct Listed {
    needed: Vec<u64>,
    soname: Option<u64>,
    rpath: Option<u64>,
    runpath: Option<u64>,
    table: Option<u64>,
}

fn read<H: FileHeader<Endian = Endianness>>(head: &[u8], parts: &Parts) -> Option<Dynamic> {
    let header = H::parse(head).ok()?;
    let endian = header.endian().ok()?;
    let segments = header.program_headers(endian, head).ok()?;
    let mut found = Dynamic {
        machine: binary::machine(header.e_machine(endian)),
        wide: head.get(4) == Some(&2),
        complete: true,
        ..Dynamic::default()
    };
    let place = |kind| {
        let mut segments = segments.iter();
        let segment = segments.find(|segment| segment.p_type(endian) == kind)?;
        Some((
            segment.p_offset(endian).into(),
            segment.p_filesz(endian).into(),
        ))
    };
    if let Some((offset, _)) = place(elf::PT_INTERP) {
        found.interpreter = parts.text(offset);
        found.complete &= found.interpreter.is_some();
    }
    let Some((offset, length)) = place(elf::PT_DYNAMIC) else {
        return Some(found);
    };
    let Some(listed) = listed::<H>(endian, parts, offset, length) else {
        found.complete = false;
        return Some(found);
    };
    let table = listed
        .table
        .and_then(|address| file_offset::<H>(endian, segments, address));
    let mut text = |at: u64| {
        let text = table
            .and_then(|table| table.checked_add(at))
            .and_then(|offset| parts.text(offset));
        found.complete &= text.is_some();
        text
    };
    let needed: Vec<String> = listed.needed.iter().filter_map(|at| text(*at)).collect();
    let soname = listed.soname.and_then(&mut text);
    let rpath = listed.rpath.and_then(&mut text);
    let runpath = listed.runpath.and_then(&mut text);
    let folders = |path: Option<String>| {
        let path = path.unwrap_or_default();
        let folders = path.split(':').filter(|folder| !folder.is_empty());
        folders.map(str::to_owned).collect()
    };
    found.needed = needed;
    found.soname = soname;
    found.rpath = folders(rpath);
    found.runpath = folders(runpath);
    Some(found)
}

fn listed<H: FileHeader<Endian = Endianness>>(
    endian: Endianness,
    parts: &Parts,
    offset: u64,
    length: u64,
) -> Option<Listed> {
    let bytes = parts.from(offset)?;
    let length = usize::try_from(length).ok()?;
    let bytes = bytes.get(..length).unwrap_or(bytes);
    let count = bytes.len() / size_of::<H::Dyn>();
    let (entries, _) = object::pod::slice_from_bytes::<H::Dyn>(bytes, count).ok()?;
    let mut listed = Listed::default();
    for entry in entries {
        let value: u64 = entry.d_val(endian).into();
        match entry.d_tag(endian) {
            elf::DT_NULL => break,
            elf::DT_NEEDED if listed.needed.len() < NEEDED_CAP => listed.needed.push(value),
            elf::DT_SONAME => listed.soname = Some(value),
            elf::DT_RPATH => listed.rpath = Some(value),
            elf::DT_RUNPATH => listed.runpath = Some(value),
            elf::DT_STRTAB => listed.table = Some(value),
            _ => {}
        }
    }
    Some(listed)
}

/// Where in the file an address of the loaded program comes from.
fn file_offset<H: FileHeader<Endian = Endianness>>(
    endian: Endianness,
    segments: &[H::ProgramHeader],
    address: u64,
) -> Option<u64> {
    segments.iter().find_map(|segment| {
        let start: u64 = segment.p_vaddr(endian).into();
        let length: u64 = segment.p_filesz(endian).into();
        let offset: u64 = segment.p_offset(endian).into();
        let inside = address.checked_sub(start)?;
        let loaded = segment.p_type(endian) == elf::PT_LOAD && inside < length;
        loaded.then(|| offset.checked_add(inside))?
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn this_very_program_asks_for_its_libraries() {
        #[expect(clippy::disallowed_methods, reason = "reads the test's own executable")]
        let file = std::fs::read(std::env::current_exe().unwrap()).unwrap();
        let found = of_bytes(&file);
        if cfg!(target_feature = "crt-static") {
            return;
        }
        let found = found.unwrap();
        assert!(found.complete, "{found:?}");
        assert!(
            found.interpreter.as_deref().unwrap().contains("/ld-"),
            "{found:?}"
        );
        assert!(
            found.needed.iter().any(|name| name.starts_with("libc.")),
            "{found:?}"
        );
        assert!(found.wide);
    }

    #[test]
    fn pieces_of_any_length_give_the_same() {
        #[expect(clippy::disallowed_methods, reason = "reads the test's own executable")]
        let file = std::fs::read(std::env::current_exe().unwrap()).unwrap();
        let whole = of_bytes(&file);
        for step in [4096, 10_007, 262_144] {
            let head = &file[..HEAD];
            let Some(mut parts) = Parts::of(head) else {
                return;
            };
            let mut offset = 0_u64;
            for piece in file.chunks(step) {
                parts.take(offset, piece);
                offset += piece.len() as u64;
                if parts.is_complete(offset) {
                    break;
                }
            }
            assert_eq!(parts.read(head), whole);
        }
    }

    /// A program whose loader's name lies in a segment of its own, between the first one, which has
    /// the names of libraries, and the writable one, which has the dynamic section.
    fn with_a_loader_between() -> Vec<u8> {
        let mut file = vec![0; 0x4000];
        let mut put = |at: usize, bytes: &[u8]| file[at..at + bytes.len()].copy_from_slice(bytes);
        put(0, b"\x7fELF\x02\x01\x01");
        put(16, &[3, 0, 62, 0, 1]);
        put(32, &64_u64.to_le_bytes());
        put(52, &[64, 0, 56, 0, 5, 0]);
        let load = elf::PT_LOAD.0;
        let segments: [(u32, u32, u64, u64); 5] = [
            (load, 4, 0, 0x1000),
            (load, 4, 0x2000, 0x100),
            (elf::PT_INTERP.0, 4, 0x2040, 12),
            (load, 6, 0x3000, 0x100),
            (elf::PT_DYNAMIC.0, 6, 0x3000, 0x40),
        ];
        for (index, (kind, flags, offset, length)) in segments.into_iter().enumerate() {
            let at = 64 + index * 56;
            put(at, &kind.to_le_bytes());
            put(at + 4, &flags.to_le_bytes());
            for (field, value) in [(8, offset), (16, offset), (32, length), (40, length)] {
                put(at + field, &value.to_le_bytes());
            }
        }
        put(0x800, b"\0libl.so.1\0");
        put(0x2040, b"/lib/ld.so.1");
        put(0x204c, b"\0");
        for (index, word) in [1_u64, 1, 5, 0x800, 0, 0].into_iter().enumerate() {
            put(0x3000 + index * 8, &word.to_le_bytes());
        }
        file
    }

    #[test]
    fn the_name_of_a_loader_is_read_wherever_it_lies() {
        let mut file = with_a_loader_between();
        // A name without an end is none.
        let open = of_bytes(&file).unwrap();
        assert_eq!((open.interpreter, open.complete), (None, false));
        file[64 + 2 * 56 + 32] += 1;
        let found = of_bytes(&file).unwrap();
        assert_eq!(found.interpreter.as_deref(), Some("/lib/ld.so.1"));
        assert_eq!(
            (found.needed, found.complete),
            (vec![String::from("libl.so.1")], true)
        );
    }

    #[test]
    fn the_c_library_of_this_machine_is_read_as_a_whole() {
        #[expect(
            clippy::disallowed_methods,
            reason = "reads which libraries the test has loaded"
        )]
        let maps = std::fs::read_to_string("/proc/self/maps").unwrap();
        let paths = maps
            .lines()
            .filter_map(|line| line.split_whitespace().nth(5));
        let library = paths.into_iter().find(|path| path.ends_with("/libc.so.6"));
        // Another C library, or none.
        let Some(library) = library else {
            return;
        };
        #[expect(clippy::disallowed_methods, reason = "reads what the test has loaded")]
        let file = std::fs::read(library).unwrap();
        let found = of_bytes(&file).unwrap();
        assert!(found.complete, "{found:?}");
        assert_eq!(found.soname.as_deref(), Some("libc.so.6"));
    }

    #[test]
    fn what_is_no_program_asks_for_nothing() {
        assert_eq!(of_bytes(b""), None);
        assert_eq!(of_bytes(b"\x7fELF"), None);
        assert_eq!(of_bytes(b"#!/bin/sh\n"), None);
    }

    proptest! {
        #[test]
        fn no_bytes_panic(mut bytes in proptest::collection::vec(any::<u8>(), 0..700), wide in 1u8..3, segments in 0u8..6, kinds in proptest::collection::vec(0u8..4, 6)) {
            if bytes.len() > 64 {
                bytes[..8].copy_from_slice(&[0x7f, b'E', b'L', b'F', wide, 1, 1, 0]);
                let (table, size, count) = if wide == 2 { (32, 54, 56) } else { (28, 42, 44) };
                bytes[table..table + 4].copy_from_slice(&[64, 0, 0, 0]);
                if wide == 2 {
                    bytes[36..40].fill(0);
                }
                let length = if wide == 2 { 56 } else { 32 };
                bytes[size..size + 2].copy_from_slice(&[length, 0]);
                bytes[count..count + 2].copy_from_slice(&[segments, 0]);
                for (index, kind) in kinds.iter().enumerate() {
                    let at = 64 + index * usize::from(length);
                    if let Some(place) = bytes.get_mut(at..at + 4) {
                        place.copy_from_slice(&[*kind, 0, 0, 0]);
                    }
                }
            }
            let _ = of_bytes(&bytes);
        }
    }
}
