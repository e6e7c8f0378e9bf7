//! The archive of a build context on this machine: a file without a name, so that nothing of it is
//! left behind however the program ends.

use std::fs::File;
use std::io;
use std::io::Read;
use std::os::unix::fs::FileExt as _;
use std::sync::Arc;

/// An archive that several builds read, each from its beginning.
#[derive(Debug, Clone)]
pub struct ContextArchive(Arc<File>);

impl From<File> for ContextArchive {
    fn from(file: File) -> Self {
        Self(Arc::new(file))
    }
}

impl ContextArchive {
    /// Its bytes.
    ///
    /// # Errors
    /// When the file does not tell.
    pub fn size(&self) -> io::Result<u64> {
        Ok(self.0.metadata()?.len())
    }

    /// Reads it from its beginning, whoever else reads it.
    #[must_use]
    pub fn reader(&self) -> ContextReader {
        ContextReader {
            file: Arc::clone(&self.0),
            at: 0,
        }
    }
}

/// A place in an archive.
#[derive(Debug)]
pub struct ContextReader {
    file: Arc<File>,
    at: u64,
}

impl Read for ContextReader {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let length = self.file.read_at(buffer, self.at)?;
        self.at += u64::try_from(length).unwrap_or(u64::MAX);
        Ok(length)
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use super::*;

    #[test]
    fn each_reader_begins_at_the_beginning() {
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(b"context").unwrap();
        let archive = ContextArchive::from(file);
        let (mut one, mut two) = (archive.reader(), archive.reader());
        let mut start = [0; 4];
        one.read_exact(&mut start).unwrap();
        let mut all = String::new();
        two.read_to_string(&mut all).unwrap();
        let mut rest = String::new();
        one.read_to_string(&mut rest).unwrap();
        assert_eq!(
            (&start, all.as_str(), rest.as_str()),
            (b"cont", "context", "ext")
        );
        assert_eq!(archive.size().unwrap(), 7);
    }
}
