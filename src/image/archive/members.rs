//! The members of a tar stream, one after the other, without copying what nobody looks at.
//!
//! Only what image archives hold is read: ustar, GNU long names and PAX headers. Sparse members are
//! refused: no engine writes them.

use std::io;
use std::io::BufRead;
use std::io::Read;
use std::ops::Range;

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

/// Where a header has what is not read by its names: numbers, its member's type, its own form.
const MODE: Range<usize> = 100..108;
const UID: Range<usize> = 108..116;
const GID: Range<usize> = 116..124;
const SIZE: Range<usize> = 124..136;
const TYPE: usize = 156;
const MAGIC: Range<usize> = 257..263;
const VERSION: Range<usize> = 263..265;

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

/// What the headers before a member say of it.
#[derive(Debug, Default)]
struct Extension {
    /// GNU's long names, which come before those of records, in whatever order they stand.
    path: Option<String>,
    link: Option<String>,
    records: Records,
}

/// What the last extended header before a member says of it: one takes the place of another.
#[derive(Debug, Default)]
struct Records {
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
            let written = number(&block, SIZE)
                .ok_or_else(|| ArchiveError::broken("a header in it has a number that is none"))?;
            if is_extension(kind) {
                budget.extension()?;
            }
            match kind {
                EntryType::GNULongName => extension.path = self.text(written)?,
                EntryType::GNULongLink => extension.link = self.text(written)?,
                EntryType::XHeader => {
                    let records = self.extension(written)?;
                    extension.records = read_records(&records)?;
                }
                EntryType::XGlobalHeader => {
                    self.extension(written)?;
                    // To engines it is a member, which what stands before it concerns.
                    extension = Extension::default();
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

    /// A long name; `None` where it is empty and so says nothing.
    fn text(&mut self, size: u64) -> Result<Option<String>, ArchiveError> {
        let bytes = self.extension(size)?;
        let text = bytes.split(|byte| *byte == 0).next();
        Ok(text.filter(|text| !text.is_empty()).map(path_text))
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

/// A number of a header that is none below 0; `None` where it is, or no number.
fn number(block: &[u8], field: Range<usize>) -> Option<u64> {
    u64::try_from(signed(block, field)?).ok()
}

/// A number of a header, as engines read it: digits of base 8 with blanks around them, no digits for
/// 0, or plain bytes behind a first bit, below 0 where the second one is set too; `None` where it is
/// none.
fn signed(block: &[u8], field: Range<usize>) -> Option<i64> {
    let bytes = block.get(field)?;
    let first = *bytes.first()?;
    if first & 0x80 != 0 {
        let inverted = if first & 0x40 == 0 { 0 } else { 0xff };
        let mut bytes = bytes.iter().map(|byte| byte ^ inverted);
        let first = i64::from(bytes.next()? & 0x7f);
        let add = |sum: i64, byte: u8| sum.checked_mul(256)?.checked_add(i64::from(byte));
        let sum = bytes.try_fold(first, add)?;
        return Some(if inverted == 0 { sum } else { !sum });
    }
    let is_digit_or_more = |byte: &u8| !matches!(*byte, b' ' | 0);
    let from = bytes.iter().position(is_digit_or_more);
    let to = bytes.iter().rposition(is_digit_or_more);
    let (Some(from), Some(to)) = (from, to) else {
        return Some(0);
    };
    let mut digits = bytes
        .get(from..=to)?
        .split(|byte| *byte == 0)
        .next()?
        .iter();
    digits.try_fold(0_i64, |sum, byte| {
        let digit = char::from(*byte).to_digit(8)?;
        sum.checked_mul(8)?.checked_add(i64::from(digit))
    })
}

fn member(
    header: &Header,
    kind: EntryType,
    written: u64,
    extension: Extension,
) -> Result<Member, ArchiveError> {
    let records = extension.records;
    let block = header.as_bytes();
    let raw = extension
        .path
        .or(records.path)
        .unwrap_or_else(|| written_path(block));
    let link = extension
        .link
        .or(records.link)
        .or_else(|| header.link_name_bytes().map(|bytes| path_text(&bytes)))
        .unwrap_or_default();
    // Old archives have no types, and mark a folder by its trailing slash alone.
    let folder = block.get(TYPE) == Some(&0) && raw.ends_with('/');
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
            records.size.unwrap_or(written)
        } else {
            0
        },
        at: 0,
        // Whatever else stands there, engines set these bits.
        mode: signed(block, MODE)
            .and_then(|mode| u32::try_from(mode & 0o7777).ok())
            .unwrap_or(0),
        uid: records.uid.or_else(|| number(block, UID)).unwrap_or(0),
        gid: records.gid.or_else(|| number(block, GID)).unwrap_or(0),
        capabilities: records.capabilities,
    })
}

/// The path in a header itself. Engines ask for no version of the form that cuts a path in two, and
/// read two forms more: one has less room for the first part, and the other has none, but some
/// programs wrote it over the times there, which are no numbers then.
fn written_path(block: &[u8]) -> String {
    let text = |range: Range<usize>| {
        let bytes = block.get(range).unwrap_or_default();
        bytes.split(|byte| *byte == 0).next().unwrap_or_default()
    };
    let star = block.ends_with(b"tar\0");
    let prefix = match block.get(MAGIC) {
        Some(b"ustar\0") if star => text(345..476),
        Some(b"ustar\0") => text(345..500),
        Some(b"ustar ") if block.get(VERSION) == Some(b" \0") && has_no_times(block) => {
            let prefix = text(345..500);
            if prefix.is_ascii() { prefix } else { &[] }
        }
        _ => &[],
    };
    let parts = [prefix, text(0..100)];
    let from = usize::from(prefix.is_empty());
    path_text(&parts.get(from..).unwrap_or_default().join(&b'/'))
}

/// Whether something stands in the place of GNU's times that is no time.
fn has_no_times(block: &[u8]) -> bool {
    let is_none = |time: Range<usize>| {
        let is_there = block.get(time.start).is_some_and(|byte| *byte != 0);
        is_there && signed(block, time).is_none()
    };
    is_none(345..357) || is_none(357..369)
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

/// Reads `LENGTH KEY=VALUE\n` records. One without a value says nothing, and takes back what one
/// before it said.
fn read_records(mut bytes: &[u8]) -> Result<Records, ArchiveError> {
    let mut records = Records::default();
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
        let value = value.get(1..).filter(|value| !value.is_empty());
        let text = || value.map(path_text);
        let number = || {
            let number = text().map(|text| text.parse::<u64>().ok().ok_or_else(broken));
            number.transpose()
        };
        match key {
            b"path" => records.path = text(),
            b"linkpath" => records.link = text(),
            b"size" => records.size = number()?,
            b"uid" => records.uid = number()?,
            b"gid" => records.gid = number()?,
            CAPABILITIES => records.capabilities = value.is_some(),
            key if key.starts_with(b"GNU.sparse") => {
                return Err(ArchiveError::broken(
                    "it has sparse files, which no engine writes",
                ));
            }
            _ => {}
        }
    }
    Ok(records)
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
