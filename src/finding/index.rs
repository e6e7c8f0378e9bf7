//! The compact form of an ecosystem's advisories: one file that answers about a package without
//! being read whole.
//!
//! ```text
//! magic (8) · blocks, each compressed · directory, compressed · its length (8) · its checksum (8) · magic (8)
//! ```
//! A block holds the packages of one stretch of the alphabet. The directory tells where each begins,
//! and what the file covers. Pure: bytes in, bytes out.

use std::collections::BTreeMap;
use std::collections::BTreeSet;

use serde::Deserialize;
use serde::Serialize;
use thiserror::Error;
use xxhash_rust::xxh3::xxh3_64;

use super::Ecosystem;
use super::advisory::Advisory;

/// What a file begins and ends with; the digit is the version of the form.
const MAGIC: &[u8; 8] = b"LLADV-1\n";

/// The bytes behind the directory.
pub const TAIL: usize = 24;

/// A block is closed once it has this many bytes before compression.
const BLOCK: usize = 16 * 1024;

/// The most bytes that one block or the directory may have before compression. A single package may
/// fill a block far beyond [`BLOCK`], the kernel for one.
const MOST: usize = 512 * 1024 * 1024;

/// How hard blocks are compressed: the fastest level that still halves them again.
const LEVEL: i32 = 3;

/// An index is not what it should be.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("the index is damaged: {0}")]
pub struct IndexError(pub &'static str);

/// Where a block is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Block {
    /// The first package in it.
    pub first: String,
    /// Where it begins in the file.
    pub offset: u64,
    /// Its bytes in the file.
    pub length: u64,
    /// Its bytes before compression.
    plain: u64,
    /// xxh3 of its bytes in the file.
    checksum: u64,
}

/// What an index holds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Directory {
    /// The ecosystem.
    pub ecosystem: Ecosystem,
    /// The releases that its advisories speak of.
    pub releases: BTreeSet<String>,
    /// How many advisories it holds; one about two packages counts twice.
    pub advisories: u64,
    /// How many packages they speak of.
    pub packages: u64,
    blocks: Vec<Block>,
}

/// Collects advisories for an index.
#[derive(Debug)]
pub struct Builder {
    ecosystem: Ecosystem,
    releases: BTreeSet<String>,
    advisories: u64,
    /// By package: the id of each advisory and its bytes.
    packages: BTreeMap<String, Vec<(String, Vec<u8>)>>,
}

impl Builder {
    /// An empty one.
    #[must_use]
    pub const fn new(ecosystem: Ecosystem) -> Self {
        Self {
            ecosystem,
            releases: BTreeSet::new(),
            advisories: 0,
            packages: BTreeMap::new(),
        }
    }

    /// Adds what an advisory says of a package.
    ///
    /// # Errors
    /// When it cannot be written, which no advisory of a sensible size is.
    pub fn add(&mut self, package: &str, advisory: &Advisory) -> Result<(), IndexError> {
        let releases = advisory
            .affected
            .iter()
            .filter_map(|part| part.release.as_ref());
        for release in releases {
            if !self.releases.contains(release) {
                self.releases.insert(release.clone());
            }
        }
        let bytes =
            postcard::to_stdvec(advisory).map_err(|_odd| IndexError("too large a record"))?;
        let entry = (advisory.id.clone(), bytes);
        match self.packages.get_mut(package) {
            Some(list) => list.push(entry),
            None => {
                self.packages.insert(package.to_owned(), vec![entry]);
            }
        }
        self.advisories += 1;
        Ok(())
    }

    /// Adds all that another one collected.
    pub fn merge(&mut self, other: Self) {
        self.releases.extend(other.releases);
        self.advisories += other.advisories;
        for (package, list) in other.packages {
            self.packages.entry(package).or_default().extend(list);
        }
    }

    /// How many packages they speak of.
    #[must_use]
    pub fn packages(&self) -> u64 {
        self.packages.len() as u64
    }

    /// How many advisories were collected.
    #[must_use]
    pub const fn len(&self) -> u64 {
        self.advisories
    }

    /// Whether none was.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.advisories == 0
    }

    /// The bytes of the index. The order in which advisories came does not change them.
    ///
    /// # Errors
    /// When something is larger than an index can hold.
    pub fn finish(self) -> Result<Vec<u8>, IndexError> {
        let mut file = MAGIC.to_vec();
        let mut directory = Directory {
            ecosystem: self.ecosystem,
            releases: self.releases,
            advisories: self.advisories,
            packages: self.packages.len() as u64,
            blocks: Vec::new(),
        };
        let mut block = Vec::new();
        let mut first = String::new();
        for (package, mut list) in self.packages {
            list.sort();
            let list: Vec<u8> = list.into_iter().flat_map(|(_, bytes)| bytes).collect();
            if block.is_empty() {
                first.clone_from(&package);
            }
            block = postcard::to_extend(&(package.as_str(), list.as_slice()), block)
                .map_err(|_odd| IndexError("too large a package"))?;
            if block.len() >= BLOCK {
                directory
                    .blocks
                    .push(write_block(&first, &block, &mut file)?);
                block.clear();
            }
        }
        if !block.is_empty() {
            directory
                .blocks
                .push(write_block(&first, &block, &mut file)?);
        }
        let plain =
            postcard::to_stdvec(&directory).map_err(|_odd| IndexError("too large a directory"))?;
        let packed = compress(&plain)?;
        file.extend_from_slice(&packed);
        file.extend_from_slice(&(packed.len() as u64).to_le_bytes());
        file.extend_from_slice(&xxh3_64(&packed).to_le_bytes());
        file.extend_from_slice(MAGIC);
        Ok(file)
    }
}

fn write_block(first: &str, plain: &[u8], file: &mut Vec<u8>) -> Result<Block, IndexError> {
    let packed = compress(plain)?;
    let block = Block {
        first: first.to_owned(),
        offset: file.len() as u64,
        length: packed.len() as u64,
        plain: plain.len() as u64,
        checksum: xxh3_64(&packed),
    };
    file.extend_from_slice(&packed);
    Ok(block)
}

fn compress(plain: &[u8]) -> Result<Vec<u8>, IndexError> {
    if plain.len() > MOST {
        return Err(IndexError("a part of it is too large"));
    }
    zstd::bulk::compress(plain, LEVEL).map_err(|_odd| IndexError("it cannot be compressed"))
}

/// Where the directory is, from the last [`TAIL`] bytes of a file of `size` bytes: offset and length.
///
/// # Errors
/// When the file is no index.
pub fn place_of_directory(size: u64, tail: &[u8]) -> Result<(u64, u64), IndexError> {
    let (length, _, magic) = read_tail(tail).ok_or(IndexError("it ends too early"))?;
    if magic != MAGIC {
        return Err(IndexError("it is no index, or one of another version"));
    }
    let end = size.saturating_sub(TAIL as u64);
    let offset = end
        .checked_sub(length)
        .filter(|offset| *offset >= MAGIC.len() as u64)
        .ok_or(IndexError("its directory is longer than the file"))?;
    Ok((offset, length))
}

fn read_tail(tail: &[u8]) -> Option<(u64, u64, &[u8])> {
    let (length, rest) = tail.split_first_chunk::<8>()?;
    let (checksum, magic) = rest.split_first_chunk::<8>()?;
    Some((
        u64::from_le_bytes(*length),
        u64::from_le_bytes(*checksum),
        magic,
    ))
}

impl Directory {
    /// Reads the directory from its bytes and the last [`TAIL`] bytes of the file.
    ///
    /// # Errors
    /// When they are damaged.
    pub fn read(packed: &[u8], tail: &[u8]) -> Result<Self, IndexError> {
        let (_, checksum, _) = read_tail(tail).ok_or(IndexError("it ends too early"))?;
        if xxh3_64(packed) != checksum {
            return Err(IndexError("the checksum of its directory is wrong"));
        }
        let plain = unpack(packed, MOST)?;
        postcard::from_bytes(&plain).map_err(|_odd| IndexError("its directory cannot be read"))
    }

    /// The block that would hold a package.
    #[must_use]
    pub fn block_of(&self, package: &str) -> Option<&Block> {
        let after = self
            .blocks
            .partition_point(|block| block.first.as_str() <= package);
        self.blocks.get(after.checked_sub(1)?)
    }

    /// All blocks, in the order of the alphabet.
    #[must_use]
    pub fn blocks(&self) -> &[Block] {
        &self.blocks
    }
}

impl Block {
    /// The block's bytes before compression.
    ///
    /// # Errors
    /// When they are damaged.
    pub fn unpack(&self, packed: &[u8]) -> Result<Vec<u8>, IndexError> {
        if xxh3_64(packed) != self.checksum {
            return Err(IndexError("the checksum of a block is wrong"));
        }
        let most = usize::try_from(self.plain)
            .ok()
            .filter(|plain| *plain <= MOST)
            .ok_or(IndexError("a block is too large"))?;
        unpack(packed, most)
    }
}

fn unpack(packed: &[u8], most: usize) -> Result<Vec<u8>, IndexError> {
    let size = zstd::zstd_safe::get_frame_content_size(packed)
        .ok()
        .flatten()
        .and_then(|size| usize::try_from(size).ok())
        .ok_or(IndexError("a part of it has no size"))?;
    if size > most {
        return Err(IndexError("a part of it is too large"));
    }
    zstd::bulk::decompress(packed, size)
        .map_err(|_odd| IndexError("a part of it cannot be unpacked"))
}

const DAMAGED: IndexError = IndexError("a block cannot be read");

/// The names of the packages in an unpacked block.
///
/// # Errors
/// When it is damaged.
pub fn names(mut block: &[u8]) -> Result<Vec<String>, IndexError> {
    let mut names = Vec::new();
    while !block.is_empty() {
        let ((name, _), rest) =
            postcard::take_from_bytes::<(&str, &[u8])>(block).map_err(|_odd| DAMAGED)?;
        names.push(name.to_owned());
        block = rest;
    }
    Ok(names)
}

/// What an unpacked block says of a package; empty where nothing.
///
/// # Errors
/// When it is damaged.
pub fn find(mut block: &[u8], package: &str) -> Result<Vec<Advisory>, IndexError> {
    while !block.is_empty() {
        let ((name, mut list), rest) =
            postcard::take_from_bytes::<(&str, &[u8])>(block).map_err(|_odd| DAMAGED)?;
        if name == package {
            let mut found = Vec::new();
            while !list.is_empty() {
                let (advisory, more) = postcard::take_from_bytes(list).map_err(|_odd| DAMAGED)?;
                found.push(advisory);
                list = more;
            }
            return Ok(found);
        }
        block = rest;
    }
    Ok(Vec::new())
}

#[cfg(test)]
mod tests {
    use std::sync::LazyLock;

    use proptest::prelude::*;

    use super::*;
    use crate::finding::advisory::Affected;
    use crate::finding::advisory::Event;

    fn advisory(id: &str, release: Option<&str>) -> Advisory {
        Advisory {
            id: id.to_owned(),
            affected: vec![Affected {
                release: release.map(str::to_owned),
                ranges: vec![vec![
                    Event::Introduced("0".to_owned()),
                    Event::Fixed("1.2".to_owned()),
                ]],
                ..Affected::default()
            }],
            ..Advisory::default()
        }
    }

    fn cut(file: &[u8], offset: u64, length: u64) -> Option<&[u8]> {
        let end = usize::try_from(offset.checked_add(length)?).ok()?;
        file.get(usize::try_from(offset).ok()?..end)
    }

    fn open(file: &[u8]) -> Result<Directory, IndexError> {
        let tail = file
            .last_chunk::<TAIL>()
            .ok_or(IndexError("it ends too early"))?;
        let (offset, length) = place_of_directory(file.len() as u64, tail)?;
        let packed = cut(file, offset, length).ok_or(IndexError("cut"))?;
        Directory::read(packed, tail)
    }

    fn about(file: &[u8], package: &str) -> Result<Vec<Advisory>, IndexError> {
        let directory = open(file)?;
        let Some(block) = directory.block_of(package) else {
            return Ok(Vec::new());
        };
        let packed = cut(file, block.offset, block.length).ok_or(IndexError("cut"))?;
        find(&block.unpack(packed)?, package)
    }

    fn many() -> Vec<u8> {
        let mut builder = Builder::new(Ecosystem::Debian);
        for number in 0..3000 {
            let release = ["12", "13"][number % 2];
            let name = format!("package-{:04}", number / 2);
            let id = format!("CVE-{number:04}");
            builder.add(&name, &advisory(&id, Some(release))).unwrap();
        }
        builder.finish().unwrap()
    }

    #[test]
    fn every_package_is_found_again_and_no_other() {
        let file = many();
        let directory = open(&file).unwrap();
        assert_eq!(directory.packages, 1500);
        assert_eq!(directory.advisories, 3000);
        assert_eq!(directory.releases, ["12", "13"].map(str::to_owned).into());
        assert!(directory.blocks.len() > 2);
        for number in 0..1500 {
            let found = about(&file, &format!("package-{number:04}")).unwrap();
            let ids: Vec<&str> = found.iter().map(|one| one.id.as_str()).collect();
            assert_eq!(
                ids,
                [
                    format!("CVE-{:04}", number * 2),
                    format!("CVE-{:04}", number * 2 + 1)
                ]
            );
        }
        let blocks = directory.blocks().iter();
        let names: Vec<String> = blocks
            .flat_map(|block| {
                let packed = cut(&file, block.offset, block.length).unwrap();
                names(&block.unpack(packed).unwrap()).unwrap()
            })
            .collect();
        let all: Vec<String> = (0..1500).map(|at| format!("package-{at:04}")).collect();
        assert_eq!(names, all);
        for absent in ["", "a", "package-0000a", "package-9999", "zlib"] {
            assert_eq!(about(&file, absent), Ok(Vec::new()), "{absent}");
        }
    }

    #[test]
    fn an_index_of_nothing_answers_nothing() {
        let file = Builder::new(Ecosystem::Go).finish().unwrap();
        assert_eq!(open(&file).unwrap().packages, 0);
        assert_eq!(about(&file, "stdlib"), Ok(Vec::new()));
    }

    #[test]
    fn parts_that_were_collected_apart_make_the_same_index() {
        let mut one = Builder::new(Ecosystem::Npm);
        let mut two = Builder::new(Ecosystem::Npm);
        let mut whole = Builder::new(Ecosystem::Npm);
        for (builder, id) in [(&mut two, "Y"), (&mut one, "X")] {
            for package in ["a", id] {
                builder.add(package, &advisory(id, None)).unwrap();
                whole.add(package, &advisory(id, None)).unwrap();
            }
        }
        one.merge(two);
        assert_eq!(one.len(), 4);
        assert_eq!(one.finish().unwrap(), whole.finish().unwrap());
    }

    #[test]
    fn damage_is_named_wherever_it_is() {
        let file = many();
        assert!(open(&file[..file.len() - 1]).is_err());
        assert!(open(b"").is_err());
        let mut other = file.clone();
        let end = other.len();
        other[end - 2] = b'9';
        assert_eq!(
            open(&other),
            Err(IndexError("it is no index, or one of another version"))
        );
        let mut flipped = file.clone();
        flipped[20] ^= 1;
        assert_eq!(
            about(&flipped, "package-0000"),
            Err(IndexError("the checksum of a block is wrong"))
        );
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(bytes in prop::collection::vec(any::<u8>(), 0..300), at in 0usize..4000) {
            let _ = open(&bytes);
            let _ = find(&bytes, "a");
            let _ = names(&bytes);
            static MANY: LazyLock<Vec<u8>> = LazyLock::new(many);
            let mut file = MANY.clone();
            let at = at % file.len();
            if let Some(byte) = file.get_mut(at) {
                *byte ^= 0x55;
            }
            let _ = about(&file, "package-0001");
        }
    }
}
