//! Files that are named by hand: what is none is refused, for it would never end or be waited for.

#![expect(clippy::disallowed_methods, reason = "opens the file that was named")]

use std::fs::File;
use std::fs::FileType;
use std::io;
use std::io::Read as _;
use std::os::unix::fs::FileTypeExt as _;
use std::path::Path;

use crate::cli::CliError;
use crate::units::Bytes;

/// The longest file of text that is read, in bytes.
const LONGEST: u64 = 1_000_000;

/// Where this process finds what it was started with: a shell's `<(…)` is a pipe there.
const OWN: [&str; 4] = [
    "/dev/fd/",
    "/dev/stdin",
    "/proc/self/fd/",
    "/proc/thread-self/fd/",
];

/// Opens the file at `path`.
///
/// # Errors
/// When it cannot be opened, or is something else than a file.
pub(super) fn open(path: &Path) -> io::Result<File> {
    let is_own = OWN
        .iter()
        .any(|own| path.to_string_lossy().starts_with(own));
    let kind = std::fs::metadata(path)?.file_type();
    let may_be_read = kind.is_file() || is_own && !kind.is_dir();
    if !may_be_read {
        let why = format!("it is {}, and a file has to be there", name(kind));
        return Err(io::Error::new(io::ErrorKind::InvalidInput, why));
    }
    File::open(path)
}

/// All bytes of the file at `path`, which `what` calls by its kind.
///
/// # Errors
/// When it cannot be opened, is something else than a file, or is longer than such a file can be.
pub(super) fn read(what: &'static str, path: &Path) -> Result<Vec<u8>, CliError> {
    let unreadable = |cause| CliError::Unreadable {
        what,
        path: path.to_owned(),
        cause,
    };
    let mut bytes = Vec::new();
    let file = open(path).map_err(unreadable)?;
    file.take(LONGEST + 1)
        .read_to_end(&mut bytes)
        .map_err(unreadable)?;
    if u64::try_from(bytes.len()).is_ok_and(|length| length <= LONGEST) {
        return Ok(bytes);
    }
    let why = format!("it is longer than {}", Bytes(LONGEST));
    Err(unreadable(io::Error::new(io::ErrorKind::FileTooLarge, why)))
}

/// What something is called that is no file.
fn name(kind: FileType) -> &'static str {
    if kind.is_dir() {
        "a folder"
    } else if kind.is_fifo() {
        "a FIFO"
    } else if kind.is_socket() {
        "a socket"
    } else {
        "a device"
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_file_is_refused_by_its_name_and_never_waited_for() {
        let folder = tempfile::tempdir().unwrap();
        let fifo = folder.path().join("pipe");
        let mode = rustix::fs::Mode::RUSR;
        rustix::fs::mknodat(rustix::fs::CWD, &fifo, rustix::fs::FileType::Fifo, mode, 0).unwrap();
        let socket = folder.path().join("socket");
        let _listener = std::os::unix::net::UnixListener::bind(&socket).unwrap();
        for (path, wanted) in [
            (fifo.as_path(), "it is a FIFO"),
            (socket.as_path(), "it is a socket"),
            (folder.path(), "it is a folder"),
            (Path::new("/dev/zero"), "it is a device"),
        ] {
            let error = open(path).unwrap_err().to_string();
            assert!(error.starts_with(wanted), "{error}");
        }
        let gone = open(&folder.path().join("none")).unwrap_err();
        assert_eq!(gone.kind(), io::ErrorKind::NotFound);
        let file = folder.path().join("file");
        std::fs::write(&file, "x").unwrap();
        assert_eq!(read("the file", &file).unwrap(), b"x");
        std::fs::write(&file, "x".repeat(1_000_001)).unwrap();
        assert!(read("the file", &file).is_err());
    }

    #[test]
    fn a_pipe_of_the_shell_is_read() {
        use std::io::Write as _;
        use std::os::fd::AsRawFd as _;
        let (reader, mut writer) = io::pipe().unwrap();
        writer.write_all(b"FROM a").unwrap();
        drop(writer);
        let mut file = open(Path::new(&format!("/dev/fd/{}", reader.as_raw_fd()))).unwrap();
        let mut text = String::new();
        file.read_to_string(&mut text).unwrap();
        assert_eq!(text, "FROM a");
    }
}
