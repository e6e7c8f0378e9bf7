//! What Go's linker leaves in a program: the toolchain's version and the modules it was made of.

use memchr::memmem;
use object::Object as _;
use object::ObjectSection as _;
use object::ObjectSegment as _;
use object::SegmentFlags;
use object::elf::PF_W;
use object::elf::PF_X;

use super::PackageKind;
use super::record::PACKAGES;
use super::record::Stated;

/// What the information begins with, at an address that 16 divides.
pub(super) const MAGIC: &[u8] = b"\xff Go buildinf:";

/// Where in a segment of data it is looked for, in bytes.
const WINDOW: usize = 64 * 1024;

/// The longest list of modules, in bytes.
pub(super) const LONGEST: usize = 4 * 1024 * 1024;

/// What a program says of how it was made.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct BuildInfo {
    /// The toolchain: `go1.26.1`.
    version: String,
    /// The modules, a line each; empty where it was made without modules.
    modules: String,
}

/// Reads the information of a whole ELF file; `None` where there is none.
pub(super) fn of_program(bytes: &[u8]) -> Option<BuildInfo> {
    memmem::find(bytes, MAGIC)?;
    let file = object::File::parse(bytes).ok()?;
    let named = file
        .section_by_name(".go.buildinfo")
        .and_then(|section| section.data().ok());
    let writable = |flags: SegmentFlags| match flags {
        SegmentFlags::Elf { p_flags, .. } => p_flags & (PF_X | PF_W) == PF_W,
        _ => false,
    };
    // The first writable segment; where relocations come first, the next one.
    let segments = file
        .segments()
        .filter(|segment| writable(segment.flags()))
        .filter_map(|segment| segment.data().ok());
    named
        .into_iter()
        .chain(segments)
        .find_map(|data| in_data(data, Some(&file)))
}

/// Reads the information from bytes that begin with [`MAGIC`], as far as it lies right there.
pub(super) fn at(bytes: &[u8]) -> Option<BuildInfo> {
    read(bytes, None)
}

fn in_data(data: &[u8], file: Option<&object::File<'_>>) -> Option<BuildInfo> {
    let window = data.get(..WINDOW.min(data.len()))?;
    memmem::find_iter(window, MAGIC)
        .filter(|place| place % 16 == 0)
        .find_map(|place| read(data.get(place..)?, file))
}

/// Reads the header and the two texts behind it, or, for old toolchains, where it points to.
fn read(blob: &[u8], file: Option<&object::File<'_>>) -> Option<BuildInfo> {
    let flags = *blob.get(15)?;
    let (version, modules) = if flags & 2 != 0 {
        let (version, rest) = text(blob.get(32..)?)?;
        let (modules, _) = text(rest)?;
        (version.to_vec(), modules.to_vec())
    } else {
        let pointers = Pointers {
            file: file?,
            size: usize::from(*blob.get(14)?),
            big: flags & 1 != 0,
        };
        pointers.texts(blob)?
    };
    let version = String::from_utf8(version).ok()?;
    let known = version.starts_with("go") || version.starts_with("devel");
    known.then(|| BuildInfo {
        version,
        modules: unframed(&modules),
    })
}

/// A text with its length, seven bits a byte, before it.
fn text(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let mut length = 0_usize;
    for (index, byte) in bytes.iter().enumerate().take(5) {
        length |= usize::from(byte & 0x7f) << (7 * index);
        if byte & 0x80 == 0 {
            let rest = bytes.get(index + 1..)?;
            let sound = length <= LONGEST && length <= rest.len();
            return sound.then(|| rest.split_at(length));
        }
    }
    None
}

/// Go before 1.18: the header holds the addresses of two strings, each an address and a length.
struct Pointers<'a> {
    file: &'a object::File<'a>,
    size: usize,
    big: bool,
}

impl Pointers<'_> {
    fn texts(&self, blob: &[u8]) -> Option<(Vec<u8>, Vec<u8>)> {
        if !matches!(self.size, 4 | 8) {
            return None;
        }
        let version = self.text(self.number(blob.get(16..)?)?)?;
        let modules = self.number(blob.get(16 + self.size..)?);
        let modules = modules.and_then(|address| self.text(address));
        Some((version, modules.unwrap_or_default()))
    }

    fn number(&self, bytes: &[u8]) -> Option<u64> {
        let bytes = bytes.get(..self.size)?;
        let shift = |number: u64, byte: &u8| (number << 8) | u64::from(*byte);
        Some(if self.big {
            bytes.iter().fold(0, shift)
        } else {
            bytes.iter().rev().fold(0, shift)
        })
    }

    fn text(&self, address: u64) -> Option<Vec<u8>> {
        let header = self.data(address, 2 * self.size as u64)?;
        let place = self.number(header)?;
        let length = self.number(header.get(self.size..)?)?;
        let sound = length <= LONGEST as u64;
        sound.then(|| self.data(place, length))?.map(<[u8]>::to_vec)
    }

    fn data(&self, address: u64, length: u64) -> Option<&[u8]> {
        let mut segments = self.file.segments();
        segments.find_map(|segment| segment.data_range(address, length).ok()?)
    }
}

/// The list of modules without the marks around it.
fn unframed(modules: &[u8]) -> String {
    let length = modules.len();
    let framed = length >= 33 && modules.get(length - 17) == Some(&b'\n');
    let inner = if framed {
        modules.get(16..length - 16)
    } else {
        None
    };
    String::from_utf8_lossy(inner.unwrap_or_default()).into_owned()
}

/// The packages of a program: its own module, those it was made of, and the standard library. A
/// module that another replaces is not there: the other one is.
pub(super) fn packages(info: &BuildInfo) -> Vec<Stated> {
    let mut found = Vec::new();
    let version = info.version.split_whitespace().next().unwrap_or_default();
    let number = version.strip_prefix("go").unwrap_or(version);
    // `1.22.3-bigcorp` is a build of that release, not one before it.
    let number = number.split('-').next().unwrap_or(number);
    found.extend(Stated::new(PackageKind::Go, "stdlib", number));
    let mut modules: Vec<(&str, &str)> = Vec::new();
    for line in info.modules.lines() {
        let mut fields = line.split('\t');
        let sort = fields.next().unwrap_or_default();
        let module = (
            fields.next().unwrap_or_default(),
            fields.next().unwrap_or_default(),
        );
        match sort {
            "mod" | "dep" => modules.push(module),
            "=>" => {
                // A folder in place of a module has no version: it keeps that of what it replaces.
                let replaced = modules.pop().unwrap_or_default();
                let folder = module.1.is_empty() || module.0.starts_with(['.', '/']);
                modules.push(if folder {
                    (replaced.0, "(devel)")
                } else {
                    module
                });
            }
            _ => {}
        }
    }
    modules.truncate(PACKAGES);
    found.extend(modules.iter().filter_map(|(name, version)| {
        let version = if version.is_empty() {
            "(devel)"
        } else {
            version
        };
        Stated::new(PackageKind::Go, name, version)
    }));
    found
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const MODULES: &str = "path\texample.com/app\nmod\texample.com/app\t(devel)\t\n\
        dep\tgolang.org/x/net\tv0.17.0\th1:a=\ndep\texample.com/old\tv1.0.0\n\
        =>\texample.com/new\tv1.1.0\th1:b=\ndep\texample.com/here\tv0.1.0\n=>\t./here\t(devel)\t\n\
        build\t-ldflags=\"-s -w\"\n";

    fn framed(modules: &str) -> Vec<u8> {
        [&[1; 16], modules.as_bytes(), &[2; 16]].concat()
    }

    fn inline(version: &str, modules: &[u8]) -> Vec<u8> {
        let mut blob = MAGIC.to_vec();
        blob.extend_from_slice(&[8, 2]);
        blob.extend_from_slice(&[0; 16]);
        for text in [version.as_bytes(), modules] {
            let mut length = text.len();
            while length >= 0x80 {
                blob.push(u8::try_from(length & 0x7f).unwrap() | 0x80);
                length >>= 7;
            }
            blob.push(u8::try_from(length).unwrap());
            blob.extend_from_slice(text);
        }
        blob
    }

    fn shown(info: &BuildInfo) -> Vec<String> {
        packages(info)
            .iter()
            .map(|one| format!("{} {}", one.name, one.version))
            .collect()
    }

    #[test]
    fn the_texts_lie_behind_the_header() {
        let info = at(&inline("go1.26.1 X:loopvar", &framed(MODULES))).unwrap();
        assert_eq!(
            shown(&info),
            [
                "stdlib 1.26.1",
                "example.com/app (devel)",
                "golang.org/x/net v0.17.0",
                "example.com/new v1.1.0",
                "example.com/here (devel)",
            ]
        );
        let patched = at(&inline("go1.22.3-bigcorp X:loopvar", b"")).unwrap();
        assert_eq!(shown(&patched), ["stdlib 1.22.3"]);
        let without = at(&inline("go1.22.0", b"")).unwrap();
        assert_eq!(shown(&without), ["stdlib 1.22.0"]);
    }

    /// A 64-bit program whose one writable segment begins at the address 0x1000 and at byte 4096.
    fn program(data: &[u8]) -> Vec<u8> {
        let mut file = vec![0; 4096];
        file[..16].copy_from_slice(&[0x7f, b'E', b'L', b'F', 2, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
        file[16..20].copy_from_slice(&[2, 0, 62, 0]);
        file[20] = 1;
        file[32..40].copy_from_slice(&64_u64.to_le_bytes());
        file[52..54].copy_from_slice(&64_u16.to_le_bytes());
        file[54..56].copy_from_slice(&56_u16.to_le_bytes());
        file[56..58].copy_from_slice(&1_u16.to_le_bytes());
        file[58..60].copy_from_slice(&64_u16.to_le_bytes());
        let length = data.len() as u64;
        let fields = [0x1000, 0x1000, 0x1000, length, length, 0x1000];
        file[64..68].copy_from_slice(&1_u32.to_le_bytes());
        file[68..72].copy_from_slice(&6_u32.to_le_bytes());
        for (index, field) in fields.iter().enumerate() {
            let start = 72 + index * 8;
            file[start..start + 8].copy_from_slice(&u64::to_le_bytes(*field));
        }
        file.extend_from_slice(data);
        file
    }

    #[test]
    fn it_is_found_in_the_data_of_a_program() {
        let mut data = vec![0; 48];
        data.extend(inline("go1.21.3", &framed(MODULES)));
        assert_eq!(shown(&of_program(&program(&data)).unwrap()).len(), 5);
        // The mark alone, as programs that look for it have it, is not the information.
        let mut text = vec![0; 8];
        text.extend(MAGIC);
        assert_eq!(of_program(&program(&text)), None);
    }

    #[test]
    fn old_programs_point_to_their_texts() {
        let modules = framed(MODULES);
        let mut data = MAGIC.to_vec();
        data.extend_from_slice(&[8, 0]);
        let address = |offset: u64| (0x1000 + offset).to_le_bytes();
        data.extend(address(32));
        data.extend(address(48));
        data.extend(address(64));
        data.extend(8_u64.to_le_bytes());
        data.extend(address(72));
        data.extend((modules.len() as u64).to_le_bytes());
        data.extend(b"go1.17.3");
        data.extend(&modules);
        let info = of_program(&program(&data)).unwrap();
        assert_eq!(
            shown(&info)[..2],
            ["stdlib 1.17.3", "example.com/app (devel)"]
        );
    }

    proptest! {
        #[test]
        fn nothing_stops_the_reader(bytes in proptest::collection::vec(any::<u8>(), 0..80), whole in any::<bool>()) {
            let mut data = MAGIC.to_vec();
            data.extend(bytes);
            let _ = at(&data);
            if whole {
                let _ = of_program(&program(&data));
            }
        }
    }
}
