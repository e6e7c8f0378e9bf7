//! What an executable file is, judged from its first bytes: a script, or an ELF file that needs a
//! loader, or one that needs nothing.
//!
//! Nothing is executed and nothing is followed: whether an interpreter exists is a question for
//! [`super::tree::Tree`].

use std::fmt;

use object::Endianness;
use object::elf;
use object::read::elf::Dyn as _;
use object::read::elf::FileHeader;
use object::read::elf::ProgramHeader as _;
use serde::Deserialize;
use serde::Serialize;

/// How many bytes of an executable the pass keeps to judge it.
pub const HEAD: usize = 8 * 1024;

/// The largest dynamic section that is read.
const DYNAMIC_CAP: u64 = 64 * 1024;

// The fifth byte of an ELF file: 1 for 32 bits, 2 for 64.

/// An executable file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Program {
    /// A text whose first line names its interpreter.
    Script {
        /// The interpreter as written: `/bin/sh`.
        interpreter: String,
        /// What follows it on the line: `python3` after `/usr/bin/env`.
        argument: Option<String>,
    },
    /// Machine code.
    Elf(Elf),
}

/// An ELF executable.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Elf {
    /// How it is linked.
    pub linking: Linking,
    /// The architecture, as images call it (`amd64`), or the ELF machine number.
    pub machine: String,
    /// The shared libraries that it names, as far as its first bytes show them.
    pub needed: Vec<String>,
}

/// How an ELF file is linked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Linking {
    /// No loader and no shared library.
    Static,
    /// The same, loadable at any address.
    StaticPie,
    /// It starts through a loader.
    Dynamic {
        /// The loader: `/lib64/ld-linux-x86-64.so.2`.
        interpreter: String,
    },
    /// It names shared libraries and no loader: a library, not a program.
    Library,
    /// Its headers lie outside the bytes that were looked at, or are broken.
    Unknown,
    /// Its own header announces more of them than the bytes that were looked at.
    Cut,
}

impl Linking {
    /// Whether it runs in an image that holds nothing else; `None` where that is not known.
    #[must_use]
    pub const fn is_static(&self) -> Option<bool> {
        match self {
            Self::Static | Self::StaticPie => Some(true),
            Self::Dynamic { .. } | Self::Library => Some(false),
            Self::Unknown | Self::Cut => None,
        }
    }
}

impl fmt::Display for Linking {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Static => f.write_str("static"),
            Self::StaticPie => f.write_str("static, position-independent"),
            Self::Dynamic { interpreter } => write!(f, "dynamic, loaded by {interpreter}"),
            Self::Library => f.write_str("a shared library"),
            Self::Unknown | Self::Cut => {
                f.write_str("linked in a way that its headers do not tell")
            }
        }
    }
}

/// What the first bytes of a file say, and which further bytes would say more.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Look {
    /// What the file is, as far as is known.
    pub program: Program,
    /// The place of its dynamic section, where that decides and lies behind the first bytes.
    pub more: Option<Place>,
}

/// A range of bytes of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place {
    /// The first byte.
    pub offset: u64,
    /// How many.
    pub length: u64,
}

/// Looks at the first bytes of a file; `None` where it is neither a script nor an ELF file.
#[must_use]
pub fn look(head: &[u8]) -> Option<Look> {
    if head.starts_with(b"#!") {
        let program = script(head)?;
        return Some(Look {
            program,
            more: None,
        });
    }
    if !head.starts_with(&elf::ELFMAG) {
        return None;
    }
    let found = match head.get(4) {
        Some(2) => headers::<elf::FileHeader64<Endianness>>(head),
        Some(1) => headers::<elf::FileHeader32<Endianness>>(head),
        _ => None,
    };
    let is_cut = match head.get(4) {
        Some(2) => is_cut::<elf::FileHeader64<Endianness>>(head),
        Some(1) => is_cut::<elf::FileHeader32<Endianness>>(head),
        _ => None,
    };
    let linking = match is_cut {
        Some(true) => Linking::Cut,
        _ => Linking::Unknown,
    };
    Some(found.unwrap_or_else(|| Look {
        program: Program::Elf(Elf {
            linking,
            machine: String::new(),
            needed: Vec::new(),
        }),
        more: None,
    }))
}

/// Completes a [`Look`] with the bytes of its place.
#[must_use]
pub fn complete(head: &[u8], look: Look, dynamic: &[u8]) -> Program {
    let Program::Elf(mut file) = look.program else {
        return look.program;
    };
    let entries = match head.get(4) {
        Some(2) => entries::<elf::FileHeader64<Endianness>>(head, dynamic),
        _ => entries::<elf::FileHeader32<Endianness>>(head, dynamic),
    };
    if let Some(entries) = entries {
        file.linking = linking_without_loader(&entries);
        file.needed = entries.names;
    }
    Program::Elf(file)
}

fn script(head: &[u8]) -> Option<Program> {
    let line = head.get(2..)?.split(|byte| *byte == b'\n').next()?;
    let line = String::from_utf8_lossy(line.get(..line.len().min(256))?).into_owned();
    // A carriage return stays: the kernel takes it for a part of the name.
    let line = line.trim_matches([' ', '\t']);
    let (interpreter, argument) = match line.split_once([' ', '\t']) {
        Some((interpreter, argument)) => (interpreter, Some(argument.trim().to_owned())),
        None => (line, None),
    };
    (!interpreter.is_empty()).then(|| Program::Script {
        interpreter: interpreter.to_owned(),
        argument: argument.filter(|argument| !argument.is_empty()),
    })
}

/// Whether a valid header announces program headers behind the end; `None` where it is not valid,
/// which Linux does not mind. As there, what is missing of the header is 0.
fn is_cut<H: FileHeader<Endian = Endianness>>(head: &[u8]) -> Option<bool> {
    let mut padded = head.to_vec();
    padded.resize(head.len().max(size_of::<H>()), 0);
    let header = H::parse(padded.as_slice()).ok()?;
    let endian = header.endian().ok()?;
    let offset: u64 = header.e_phoff(endian).into();
    let count = usize::from(header.e_phnum(endian));
    let end = match count {
        0 => size_of::<H>() as u64,
        _ => offset.saturating_add((count * size_of::<H::ProgramHeader>()) as u64),
    };
    Some(end > head.len() as u64)
}

/// What the program headers say, where they lie inside the head.
fn headers<H: FileHeader<Endian = Endianness>>(head: &[u8]) -> Option<Look> {
    let header = H::parse(head).ok()?;
    let endian = header.endian().ok()?;
    let segments = header.program_headers(endian, head).ok()?;
    let mut interpreter = None;
    let mut dynamic = None;
    for segment in segments {
        let place = Place {
            offset: segment.p_offset(endian).into(),
            length: segment.p_filesz(endian).into(),
        };
        match segment.p_type(endian) {
            elf::PT_INTERP => interpreter = Some(place),
            elf::PT_DYNAMIC => dynamic = Some(place),
            _ => {}
        }
    }
    let mut file = Elf {
        linking: Linking::Unknown,
        machine: machine(header.e_machine(endian)),
        needed: Vec::new(),
    };
    let inside = dynamic.and_then(|place| slice(head, place));
    let found = inside.and_then(|bytes| entries::<H>(head, bytes));
    let mut more = None;
    match (interpreter, dynamic) {
        (Some(place), _) => {
            if let Some(bytes) = slice(head, place) {
                let text = bytes.split(|byte| *byte == 0).next().unwrap_or_default();
                let interpreter = String::from_utf8_lossy(text).into_owned();
                file.linking = Linking::Dynamic { interpreter };
            } else {
                // A program header for a loader is proof enough; only the loader's name is unknown.
                file.linking = Linking::Dynamic {
                    interpreter: String::from("a loader"),
                };
            }
            file.needed = found.map(|entries| entries.names).unwrap_or_default();
        }
        (None, None) => file.linking = Linking::Static,
        (None, Some(place)) => match found {
            Some(entries) => {
                file.linking = linking_without_loader(&entries);
                file.needed = entries.names;
            }
            None if place.length <= DYNAMIC_CAP => more = Some(place),
            None => {}
        },
    }
    Some(Look {
        program: Program::Elf(file),
        more,
    })
}

fn slice(head: &[u8], place: Place) -> Option<&[u8]> {
    let start = usize::try_from(place.offset).ok()?;
    let end = start.checked_add(usize::try_from(place.length).ok()?)?;
    head.get(start..end)
}

/// What a dynamic section lists.
struct Entries {
    /// How many shared libraries.
    needed: usize,
    /// Their names, where the string table lies inside the head.
    names: Vec<String>,
}

const fn linking_without_loader(entries: &Entries) -> Linking {
    if entries.needed == 0 {
        Linking::StaticPie
    } else {
        Linking::Library
    }
}

fn entries<H: FileHeader<Endian = Endianness>>(head: &[u8], dynamic: &[u8]) -> Option<Entries> {
    let header = H::parse(head).ok()?;
    let endian = header.endian().ok()?;
    let size = size_of::<H::Dyn>();
    let count = dynamic.len() / size;
    let (list, _) = object::pod::slice_from_bytes::<H::Dyn>(dynamic, count).ok()?;
    let mut offsets: Vec<u64> = Vec::new();
    let mut table = None;
    for entry in list {
        let value: u64 = entry.d_val(endian).into();
        match entry.d_tag(endian) {
            elf::DT_NULL => break,
            elf::DT_NEEDED => offsets.push(value),
            elf::DT_STRTAB => table = Some(value),
            _ => {}
        }
    }
    let table = table.and_then(|address| file_offset::<H>(head, address));
    let names = offsets
        .iter()
        .filter_map(|offset| text_at(head, table?.checked_add(*offset)?))
        .collect();
    Some(Entries {
        needed: offsets.len(),
        names,
    })
}

/// Where in the file an address of the loaded program comes from.
fn file_offset<H: FileHeader<Endian = Endianness>>(head: &[u8], address: u64) -> Option<u64> {
    let header = H::parse(head).ok()?;
    let endian = header.endian().ok()?;
    header
        .program_headers(endian, head)
        .ok()?
        .iter()
        .find_map(|segment| {
            let start: u64 = segment.p_vaddr(endian).into();
            let length: u64 = segment.p_filesz(endian).into();
            let offset: u64 = segment.p_offset(endian).into();
            let inside = address.checked_sub(start)?;
            let loaded = segment.p_type(endian) == elf::PT_LOAD && inside < length;
            loaded.then(|| offset.checked_add(inside))?
        })
}

fn text_at(head: &[u8], offset: u64) -> Option<String> {
    let bytes = head.get(usize::try_from(offset).ok()?..)?;
    let end = bytes.iter().position(|byte| *byte == 0)?;
    Some(String::from_utf8_lossy(bytes.get(..end)?).into_owned())
}

pub(super) fn machine(number: elf::Machine) -> String {
    match number {
        elf::EM_X86_64 => String::from("amd64"),
        elf::EM_AARCH64 => String::from("arm64"),
        elf::EM_386 => String::from("386"),
        elf::EM_ARM => String::from("arm"),
        elf::EM_RISCV => String::from("riscv64"),
        elf::EM_PPC64 => String::from("ppc64le"),
        elf::EM_S390 => String::from("s390x"),
        other => format!("ELF machine {}", other.0),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// A 64-bit ELF file with these segments (type, offset, length) and some bytes at places.
    fn elf_file(segments: &[(u32, u64, u64)], at: &[(usize, &[u8])]) -> Vec<u8> {
        let mut file = vec![0; 4096];
        file[..16].copy_from_slice(&[0x7f, b'E', b'L', b'F', 2, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
        file[16..20].copy_from_slice(&[3, 0, 62, 0]);
        file[20] = 1;
        file[32..40].copy_from_slice(&64_u64.to_le_bytes());
        file[52..54].copy_from_slice(&64_u16.to_le_bytes());
        file[54..56].copy_from_slice(&56_u16.to_le_bytes());
        let count = u16::try_from(segments.len()).unwrap();
        file[56..58].copy_from_slice(&count.to_le_bytes());
        for (index, (kind, offset, length)) in segments.iter().enumerate() {
            let start = 64 + index * 56;
            file[start..start + 4].copy_from_slice(&kind.to_le_bytes());
            for (field, value) in [(8, offset), (16, offset), (32, length), (40, length)] {
                file[start + field..start + field + 8].copy_from_slice(&value.to_le_bytes());
            }
        }
        for (place, bytes) in at {
            file[*place..*place + bytes.len()].copy_from_slice(bytes);
        }
        file
    }

    const LOAD: u32 = 1;
    const DYNAMIC: u32 = 2;
    const INTERP: u32 = 3;

    fn entries_of(pairs: &[(u64, u64)]) -> Vec<u8> {
        pairs
            .iter()
            .flat_map(|(tag, value)| [tag.to_le_bytes(), value.to_le_bytes()].concat())
            .collect()
    }

    fn linking(file: &[u8]) -> (Linking, Vec<String>) {
        match look(file).unwrap() {
            Look {
                program: Program::Elf(elf),
                more: None,
            } => {
                assert_eq!(elf.machine, "amd64");
                (elf.linking, elf.needed)
            }
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_file_without_loader_and_libraries_is_static() {
        assert_eq!(
            linking(&elf_file(&[(LOAD, 0, 4096)], &[])).0,
            Linking::Static
        );
        let dynamic = entries_of(&[(5, 0), (0, 0)]);
        let pie = elf_file(
            &[(DYNAMIC, 1000, dynamic.len() as u64)],
            &[(1000, &dynamic)],
        );
        assert_eq!(linking(&pie).0, Linking::StaticPie);
    }

    #[test]
    fn a_loader_and_libraries_are_read_by_name() {
        let dynamic = entries_of(&[(1, 1), (1, 11), (5, 2000), (0, 0)]);
        let length = dynamic.len() as u64;
        let strings = b"\0libc.so.6\0libz.so.1\0";
        let loader = b"/lib64/ld.so\0";
        let at: &[(usize, &[u8])] = &[(1000, &dynamic), (2000, strings), (3000, loader)];
        let load = (LOAD, 0, 4096);
        let with = elf_file(&[load, (INTERP, 3000, 13), (DYNAMIC, 1000, length)], at);
        let (found, needed) = linking(&with);
        assert_eq!(
            found,
            Linking::Dynamic {
                interpreter: String::from("/lib64/ld.so")
            }
        );
        assert_eq!(needed, ["libc.so.6", "libz.so.1"]);
        let without = elf_file(&[load, (DYNAMIC, 1000, length)], at);
        assert_eq!(linking(&without).0, Linking::Library);
    }

    #[test]
    fn what_lies_behind_the_head_is_asked_for() {
        let file = elf_file(&[(DYNAMIC, 90_000, 32)], &[]);
        let found = look(&file).unwrap();
        assert_eq!(
            found.more,
            Some(Place {
                offset: 90_000,
                length: 32
            })
        );
        let complete =
            |pairs: &[(u64, u64)]| match complete(&file, found.clone(), &entries_of(pairs)) {
                Program::Elf(elf) => elf.linking,
                Program::Script { .. } => Linking::Unknown,
            };
        assert_eq!(complete(&[(5, 0), (0, 0)]), Linking::StaticPie);
        assert_eq!(complete(&[(1, 1), (0, 0)]), Linking::Library);
        // A loader whose name lies further back is a loader all the same.
        let loader = look(&elf_file(&[(INTERP, 90_000, 13)], &[])).unwrap();
        assert!(
            matches!(loader.program, Program::Elf(elf) if elf.linking.is_static() == Some(false))
        );
    }

    #[test]
    fn broken_headers_are_unknown() {
        let mut file = elf_file(&[(INTERP, 1, 1)], &[]);
        file[5] = 0;
        assert_eq!(linking_or_unknown(&file), Linking::Unknown);
        assert_eq!(linking_or_unknown(b"\x7fELF"), Linking::Unknown);
        assert_eq!(look(b"MZ"), None);
        assert_eq!(look(b""), None);
    }

    #[test]
    fn a_file_that_is_shorter_than_it_says_is_cut() {
        let mut file = elf_file(&[(INTERP, 1, 1)], &[]);
        for length in [119, 70, 57, 20] {
            file.truncate(length);
            assert_eq!(linking_or_unknown(&file), Linking::Cut, "{length}");
        }
        // The well-known tiny program, whose headers lie in one another: it runs.
        let tiny = b"\x7fELF\x01\0\0\0\0\0\0\0\0\0\x01\0\x02\0\x03\0\x20\0\x01\0\x20\0\x01\0\x04\0\0\0\xb3\x2a\x31\xc0\x40\xcd\x80\0\x34\0\x20\0\x01";
        assert_eq!(tiny.len(), 45);
        assert_eq!(linking_or_unknown(tiny), Linking::Unknown);
        // Nor is it cut with a header that is valid.
        let mut valid = *tiny;
        valid[5..7].copy_from_slice(&[1, 1]);
        assert_eq!(linking_or_unknown(&valid), Linking::Unknown);
    }

    fn linking_or_unknown(file: &[u8]) -> Linking {
        match look(file).map(|look| look.program) {
            Some(Program::Elf(elf)) => elf.linking,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn the_first_line_of_a_script_is_read() {
        let script = |text: &str| look(text.as_bytes()).map(|look| look.program);
        let expected = |interpreter: &str, argument: Option<&str>| {
            Some(Program::Script {
                interpreter: interpreter.to_owned(),
                argument: argument.map(str::to_owned),
            })
        };
        assert_eq!(script("#!/bin/sh\necho"), expected("/bin/sh", None));
        assert_eq!(
            script("#! /usr/bin/env python3 \n"),
            expected("/usr/bin/env", Some("python3"))
        );
        assert_eq!(script("#!\n"), None);
        assert_eq!(script("#!/bin/sh\r\n"), expected("/bin/sh\r", None));
    }

    #[test]
    fn this_very_program_is_dynamic_or_static_as_it_was_built() {
        #[expect(clippy::disallowed_methods, reason = "reads the test's own executable")]
        let file = std::fs::read(std::env::current_exe().unwrap()).unwrap();
        let linking = linking_or_unknown(&file[..HEAD]);
        assert_eq!(
            linking.is_static(),
            Some(cfg!(target_feature = "crt-static")),
            "{linking}"
        );
    }

    proptest! {
        #[test]
        fn no_file_panics(mut bytes in proptest::collection::vec(any::<u8>(), 0..600), magic in any::<bool>(), wide in 1u8..3) {
            if magic && bytes.len() > 6 {
                bytes[..4].copy_from_slice(b"\x7fELF");
                bytes[4] = wide;
                bytes[5] = 1;
            }
            if let Some(look) = look(&bytes) {
                let _ = complete(&bytes, look, &bytes);
            }
        }
    }
}
