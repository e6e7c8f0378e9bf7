//! The members of a tar stream, one after the other, without copying what nobody looks at.
//!
//! Only what image archives hold is read: ustar, GNU long names and PAX headers. Sparse members are
//! refused: no engine writes them.

use std::io;
use std::io::BufRead;
use std::io::Read;

use tar::EntryType;
use tar::Header;

use super::ArchiveError;
use super::budget::Budget;
use crate::text::path_text;

/// The size of a block.
pub(super) const BLOCK: u64 = 512;

/// The largest extended header that is read.
const EXTENSION_CAP: u64 = 1024 * 1024;

/// How much is read after the end of an archive, so that its sender can finish.
const TRAILING: usize = 16 * 1024 * 1024;

/// The extended attribute that gives a program rights of its own, as archives have it.
const CAPABILITIES: &[u8] = b"SCHILY.xattr.security.capability";

/// One member of the stream.
#[derive(Debug)]
pub(super) struct Member {
    /// The path without leading and trailing slashes and without `.` parts.
    pub(super) path: String,
    /// Its type.
    pub(super) kind: EntryType,
    /// Where a link points to, as written.
    pub(super) link: String,
    /// Payload bytes.
    pub(super) size: u64,
    /// Where they begin in the stream.
    pub(super) at: u64,
    /// Permission bits.
    pub(super) mode: u32,
    /// Owner.
    pub(super) uid: u64,
    /// Group.
    pub(super) gid: u64,
    /// Whether it carries file capabilities.
    pub(super) capabilities: bool,
}

impl Member {
    /// Whether it is a regular file.
    pub(super) fn is_file(&self) -> bool {
        matches!(self.kind, EntryType::Regular | EntryType::Continuous)
    }
}

/// What extended headers say of the next member.
#[derive(Debug, Default)]
struct Extension {
    path: Option<String>,
    link: Option<String>,
    size: Option<u64>,
    uid: Option<u64>,
    gid: Option<u64>,
    capabilities: bool,
}

/// Reads a tar stream.
#[derive(Debug)]
pub(super) struct Members<R> {
    reader: R,
    /// Where the next header begins in the stream.
    at: u64,
    /// Bytes of the current member that were not read yet.
    left: u64,
    /// Bytes that fill up its last block.
    padding: u64,
}

/// The payload of the current member.
#[derive(Debug)]
pub(super) struct Payload<'a, R> {
    members: &'a mut Members<R>,
}

/// Whether a block may be the first one of a tar stream, an empty one included.
pub(super) fn looks_like_tar(block: &[u8]) -> bool {
    block.len() == 512 && (block.iter().all(|byte| *byte == 0) || has_checksum(block))
}

/// Whether a header's checksum is right, counted unsigned or, as old programs did, signed.
pub(super) fn has_checksum(block: &[u8]) -> bool {
    let header = Header::from_byte_slice(block);
    let Ok(wanted) = header.cksum() else {
        return false;
    };
    let counted = |index: usize, byte: u8| {
        if (148..156).contains(&index) {
            b' '
        } else {
            byte
        }
    };
    let bytes = block
        .iter()
        .enumerate()
        .map(|(index, byte)| counted(index, *byte));
    let unsigned: u32 = bytes.clone().map(u32::from).sum();
    let signed: i64 = bytes.map(|byte| i64::from(byte.cast_signed())).sum();
    unsigned == wanted || signed == i64::from(wanted)
}

impl<R: BufRead> Members<R> {
    /// Starts at the reader's place.
    pub(super) const fn new(reader: R) -> Self {
        Self {
            reader,
            at: 0,
            left: 0,
            padding: 0,
        }
    }

    /// The payload of the member that [`Self::next`] returned last.
    pub(super) const fn payload(&mut self) -> Payload<'_, R> {
        Payload { members: self }
    }

    /// The next member; what is left of the one before is skipped.
    pub(super) fn next(&mut self, budget: &mut Budget) -> Result<Option<Member>, ArchiveError> {
        let mut extension = Extension::default();
        loop {
            self.skip(self.left.saturating_add(self.padding))?;
            (self.left, self.padding) = (0, 0);
            let mut block = [0; 512];
            if !self.fill(&mut block)? || block.iter().all(|byte| *byte == 0) {
                return Ok(None);
            }
            if !has_checksum(&block) {
                return Err(ArchiveError::broken("a header in it has a wrong checksum"));
            }
            let header = Header::from_byte_slice(&block);
            let kind = header.entry_type();
            let written = header.entry_size().map_err(|error| broken_header(&error))?;
            if is_extension(kind) {
                budget.extension()?;
            }
            match kind {
                EntryType::GNULongName => extension.path = Some(self.text(written)?),
                EntryType::GNULongLink => extension.link = Some(self.text(written)?),
                EntryType::XHeader => {
                    let records = self.extension(written)?;
                    read_records(&records, &mut extension)?;
                }
                EntryType::XGlobalHeader => {
                    self.extension(written)?;
                }
                EntryType::GNUSparse => {
                    return Err(ArchiveError::broken(
                        "it has sparse files, which no engine writes",
                    ));
                }
                kind => {
                    let mut member = member(header, kind, written, extension)?;
                    budget.spend(&member.path, &member.link)?;
                    member.at = self.at;
                    self.pass(member.size);
                    self.left = member.size;
                    self.padding = padding(member.size);
                    return Ok(Some(member));
                }
            }
        }
    }

    /// Reads the rest of the stream, so that its sender can finish; of one without end, some.
    pub(super) fn drain(&mut self) -> io::Result<()> {
        let mut read = 0;
        while read < TRAILING {
            let count = self.reader.fill_buf()?.len();
            if count == 0 {
                break;
            }
            self.reader.consume(count);
            read += count;
        }
        Ok(())
    }

    /// Fills the block; `false` at the end of the stream.
    fn fill(&mut self, block: &mut [u8]) -> Result<bool, ArchiveError> {
        if self.reader.fill_buf()?.is_empty() {
            return Ok(false);
        }
        self.reader.read_exact(block)?;
        self.at = self.at.saturating_add(BLOCK);
        Ok(true)
    }

    /// Counts a payload and what fills up its last block.
    const fn pass(&mut self, size: u64) {
        self.at = self.at.saturating_add(size).saturating_add(padding(size));
    }

    fn skip(&mut self, mut count: u64) -> Result<(), ArchiveError> {
        while count > 0 {
            let here = self.reader.fill_buf()?.len();
            if here == 0 {
                return Err(ArchiveError::Truncated);
            }
            let step = usize::try_from(count).unwrap_or(usize::MAX).min(here);
            self.reader.consume(step);
            count -= step as u64;
        }
        Ok(())
    }

    fn extension(&mut self, size: u64) -> Result<Vec<u8>, ArchiveError> {
        if size > EXTENSION_CAP {
            return Err(ArchiveError::too_much(
                "an extended header in it is larger than 1 MB",
            ));
        }
        let mut bytes = Vec::new();
        let count = (&mut self.reader).take(size).read_to_end(&mut bytes)?;
        if (count as u64) < size {
            return Err(ArchiveError::Truncated);
        }
        self.padding = padding(size);
        self.pass(size);
        Ok(bytes)
    }

    fn text(&mut self, size: u64) -> Result<String, ArchiveError> {
        let bytes = self.extension(size)?;
        let end = bytes
            .iter()
            .position(|byte| *byte == 0)
            .unwrap_or(bytes.len());
        Ok(path_text(bytes.get(..end).unwrap_or_default()))
    }
}

fn is_extension(kind: EntryType) -> bool {
    kind.is_gnu_longname()
        || kind.is_gnu_longlink()
        || kind.is_pax_local_extensions()
        || kind.is_pax_global_extensions()
}

/// Bytes that fill up the last block of a payload.
pub(super) const fn padding(size: u64) -> u64 {
    (BLOCK - size % BLOCK) % BLOCK
}

fn broken_header(error: &io::Error) -> ArchiveError {
    ArchiveError::broken(format!(
        "a header in it has a number that is none ({error})"
    ))
}

fn member(
    header: &Header,
    kind: EntryType,
    written: u64,
    extension: Extension,
) -> Result<Member, ArchiveError> {
    let raw = extension
        .path
        .unwrap_or_else(|| path_text(&header.path_bytes()));
    let link = extension
        .link
        .or_else(|| header.link_name_bytes().map(|bytes| path_text(&bytes)))
        .unwrap_or_default();
    // Old archives mark a folder by its trailing slash alone.
    let folder = kind == EntryType::Regular && raw.ends_with('/');
    let kind = if folder { EntryType::Directory } else { kind };
    let has_payload = matches!(kind, EntryType::Regular | EntryType::Continuous)
        || !matches!(
            kind,
            EntryType::Link
                | EntryType::Symlink
                | EntryType::Char
                | EntryType::Block
                | EntryType::Directory
                | EntryType::Fifo
        );
    Ok(Member {
        path: normal(&raw)?,
        kind,
        link,
        size: if has_payload {
            extension.size.unwrap_or(written)
        } else {
            0
        },
        at: 0,
        // A blank field is 0, as engines read it; the checksum was right.
        mode: header.mode().unwrap_or(0),
        uid: extension.uid.or_else(|| header.uid().ok()).unwrap_or(0),
        gid: extension.gid.or_else(|| header.gid().ok()).unwrap_or(0),
        capabilities: extension.capabilities,
    })
}

/// A path without leading and trailing slashes, doubled slashes and `.` parts.
fn normal(raw: &str) -> Result<String, ArchiveError> {
    let tidy = !raw.is_empty()
        && !raw.starts_with(['/', '.'])
        && !raw.ends_with('/')
        && !raw.contains("//")
        && !raw.contains("/.");
    if tidy {
        return Ok(raw.to_owned());
    }
    let mut parts = Vec::new();
    for part in raw.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                return Err(ArchiveError::broken(format!(
                    "the path `{raw}` leads out of the image"
                )));
            }
            part => parts.push(part),
        }
    }
    Ok(parts.join("/"))
}

/// Reads `LENGTH KEY=VALUE\n` records.
fn read_records(mut bytes: &[u8], extension: &mut Extension) -> Result<(), ArchiveError> {
    let broken = || ArchiveError::broken("an extended header in it cannot be read");
    while !bytes.is_empty() {
        let space = bytes
            .iter()
            .position(|byte| *byte == b' ')
            .ok_or_else(broken)?;
        let length = bytes
            .get(..space)
            .and_then(|digits| std::str::from_utf8(digits).ok());
        let length: usize = length
            .and_then(|digits| digits.parse().ok())
            .ok_or_else(broken)?;
        let record = bytes.get(space + 1..length).ok_or_else(broken)?;
        let record = record.strip_suffix(b"\n").ok_or_else(broken)?;
        bytes = bytes.get(length..).ok_or_else(broken)?;
        let equals = record
            .iter()
            .position(|byte| *byte == b'=')
            .ok_or_else(broken)?;
        let (key, value) = record.split_at(equals);
        let value = path_text(value.get(1..).unwrap_or_default());
        let number = || value.parse::<u64>().ok().ok_or_else(broken);
        match key {
            b"path" => extension.path = Some(value),
            b"linkpath" => extension.link = Some(value),
            b"size" => extension.size = Some(number()?),
            b"uid" => extension.uid = Some(number()?),
            b"gid" => extension.gid = Some(number()?),
            CAPABILITIES => extension.capabilities = true,
            key if key.starts_with(b"GNU.sparse") => {
                return Err(ArchiveError::broken(
                    "it has sparse files, which no engine writes",
                ));
            }
            _ => {}
        }
    }
    Ok(())
}

impl<R: BufRead> BufRead for Payload<'_, R> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        let left = self.members.left;
        if left == 0 {
            return Ok(&[]);
        }
        let buffer = self.members.reader.fill_buf()?;
        if buffer.is_empty() {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        let count = usize::try_from(left)
            .unwrap_or(usize::MAX)
            .min(buffer.len());
        Ok(buffer.get(..count).unwrap_or_default())
    }

    fn consume(&mut self, count: usize) {
        self.members.left = self.members.left.saturating_sub(count as u64);
        self.members.reader.consume(count);
    }
}

impl<R: BufRead> Read for Payload<'_, R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let mut buffer = self.fill_buf()?;
        let count = buffer.read(into)?;
        self.consume(count);
        Ok(count)
    }
}
