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
}

impl Linking {
    /// Whether it runs in an image that holds nothing else; `None` where that is not known.
    #[must_use]
    pub const fn is_static(&self) -> Option<bool> {
        match self {
            Self::Static | Self::StaticPie => Some(true),
            Self::Dynamic { .. } | Self::Library => Some(false),
            Self::Unknown => None,
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
            Self::Unknown => f.write_str("linked in a way that its headers do not tell"),
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
    Some(found.unwrap_or_else(|| Look {
        program: Program::Elf(Elf {
            linking: Linking::Unknown,
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
    let line = line.trim();
    let (interpreter, argument) = match line.split_once([' ', '\t']) {
        Some((interpreter, argument)) => (interpreter, Some(argument.trim().to_owned())),
        None => (line, None),
    };
    (!interpreter.is_empty()).then(|| Program::Script {
        interpreter: interpreter.to_owned(),
        argument: argument.filter(|argument| !argument.is_empty()),
    })
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

fn machine(number: elf::Machine) -> String {
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
