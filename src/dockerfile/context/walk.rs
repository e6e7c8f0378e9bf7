//! Reading a folder without ever following a link: each step is taken from the folder before it,
//! so that nothing outside can be reached, not even while somebody exchanges folders for links.

use std::ffi::CString;
use std::fs::File;
use std::io;
use std::io::Read as _;
use std::os::fd::AsFd;
use std::os::fd::OwnedFd;
use std::path::Path;

use rustix::fs::AtFlags;
use rustix::fs::Dir;
use rustix::fs::FileType;
use rustix::fs::Mode;
use rustix::fs::OFlags;
use rustix::fs::RawMode;
use rustix::io::Errno;

/// What an entry of a folder is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Found {
    Folder,
    File { size: u64, executable: bool },
    Link { target: Vec<u8> },
    Socket,
    Special { kind: &'static str },
}

/// An open folder.
#[derive(Debug)]
pub(super) struct Folder(OwnedFd);

const NEVER_FOLLOW: OFlags = OFlags::NOFOLLOW
    .union(OFlags::CLOEXEC)
    .union(OFlags::RDONLY)
    // Opening a FIFO must not wait for a writer.
    .union(OFlags::NONBLOCK);

impl Folder {
    /// Opens the top. Links that lead to it are followed: the user named it.
    pub(super) fn top(path: &Path) -> io::Result<Self> {
        let flags = OFlags::DIRECTORY | OFlags::CLOEXEC | OFlags::RDONLY;
        Ok(Self(rustix::fs::open(path, flags, Mode::empty())?))
    }

    /// Opens a folder in this one.
    pub(super) fn folder(&self, name: &[u8]) -> io::Result<Self> {
        let flags = NEVER_FOLLOW | OFlags::DIRECTORY;
        let fd = rustix::fs::openat(&self.0, name, flags, Mode::empty())?;
        Ok(Self(fd))
    }

    /// Opens the file at `path` below this folder.
    pub(super) fn file(&self, path: &[u8]) -> io::Result<File> {
        let mut parts = path.split(|byte| *byte == b'/').peekable();
        let mut here: Option<Self> = None;
        while let Some(name) = parts.next() {
            let from = here.as_ref().unwrap_or(self);
            if parts.peek().is_some() {
                here = Some(from.folder(name)?);
                continue;
            }
            let fd = match rustix::fs::openat(&from.0, name, NEVER_FOLLOW, Mode::empty()) {
                // What a socket answers to being opened.
                Err(Errno::NXIO) => return Err(NoFile("a socket").into()),
                opened => opened?,
            };
            return match FileType::from_raw_mode(rustix::fs::fstat(&fd)?.st_mode as RawMode) {
                FileType::RegularFile => Ok(File::from(fd)),
                FileType::Directory => Err(NoFile(FOLDER).into()),
                other => Err(NoFile(special(other)).into()),
            };
        }
        Err(io::Error::from(io::ErrorKind::NotFound))
    }

    /// The names in this folder, in order.
    pub(super) fn names(&self) -> io::Result<Vec<CString>> {
        let mut names = Vec::new();
        for entry in Dir::read_from(self.0.as_fd())? {
            let entry = entry?;
            let name = entry.file_name();
            if !matches!(name.to_bytes(), b"." | b"..") {
                names.push(name.to_owned());
            }
        }
        names.sort();
        Ok(names)
    }

    /// What `name` is; `None` where it has gone.
    pub(super) fn look(&self, name: &CString) -> io::Result<Option<Found>> {
        let stat = match rustix::fs::statat(&self.0, name, AtFlags::SYMLINK_NOFOLLOW) {
            Ok(stat) => stat,
            Err(Errno::NOENT) => return Ok(None),
            Err(error) => return Err(error.into()),
        };
        let found = match FileType::from_raw_mode(stat.st_mode as RawMode) {
            FileType::Directory => Found::Folder,
            FileType::RegularFile => Found::File {
                size: u64::try_from(stat.st_size).unwrap_or(0),
                executable: stat.st_mode & 0o100 != 0,
            },
            FileType::Symlink => {
                let target = match rustix::fs::readlinkat(&self.0, name, Vec::new()) {
                    Ok(target) => target.into_bytes(),
                    Err(Errno::NOENT) => return Ok(None),
                    Err(error) => return Err(error.into()),
                };
                Found::Link { target }
            }
            FileType::Socket => Found::Socket,
            other => Found::Special {
                kind: special(other),
            },
        };
        Ok(Some(found))
    }

    /// The bytes of a small file; `None` where it is longer than `limit`.
    pub(super) fn read(&self, path: &[u8], limit: u64) -> io::Result<Option<Vec<u8>>> {
        let mut bytes = Vec::new();
        self.file(path)?.take(limit + 1).read_to_end(&mut bytes)?;
        let fits = u64::try_from(bytes.len()).is_ok_and(|length| length <= limit);
        Ok(fits.then_some(bytes))
    }
}

/// What a folder is called that stands where a file has to be.
pub(super) const FOLDER: &str = "a folder";

/// Something that was to be opened as a file is none; what it is.
#[derive(Debug, thiserror::Error)]
#[error("it is {0}")]
struct NoFile(&'static str);

impl From<NoFile> for io::Error {
    fn from(what: NoFile) -> Self {
        Self::new(io::ErrorKind::InvalidInput, what)
    }
}

/// What it is that was to be opened as a file and is none.
pub(super) fn no_file(error: &io::Error) -> Option<&'static str> {
    let NoFile(kind) = error.get_ref()?.downcast_ref::<NoFile>()?;
    Some(kind)
}

/// What neither a file, a folder, a link nor a socket is called.
const fn special(kind: FileType) -> &'static str {
    match kind {
        FileType::Fifo => "a FIFO",
        FileType::BlockDevice | FileType::CharacterDevice => "a device",
        _ => "neither a file nor a folder",
    }
}

/// Whether a file was not opened because it is a link.
pub(super) fn is_link(error: &io::Error) -> bool {
    error.raw_os_error() == Some(Errno::LOOP.raw_os_error())
}
