//! The id of a home: it marks what the home makes on an engine that others use, too. A file of its
//! own: it must be known where the records are damaged, held by another program, or out of room.
#![expect(
    clippy::disallowed_methods,
    reason = "this is the edge: it reads and writes the file"
)]

use std::fs;
use std::io;
use std::io::Write as _;
use std::path::PathBuf;

use tempfile::NamedTempFile;

use super::Home;

/// Hexadecimal digits of an id.
const DIGITS: usize = 16;

impl Home {
    /// The id of this home, where it has one; makes nothing.
    ///
    /// # Errors
    /// When it is there and cannot be read.
    pub fn known_id(&self) -> io::Result<Option<String>> {
        let text = match fs::read_to_string(self.id_file()) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            // Not even text.
            Err(error) if error.kind() == io::ErrorKind::InvalidData => return Ok(None),
            Err(error) => return Err(error),
        };
        let id = text.trim();
        let whole = id.len() == DIGITS && id.bytes().all(|byte| byte.is_ascii_hexdigit());
        Ok(whole.then(|| id.to_owned()))
    }

    /// The id of this home: random, made on the first call and the same ever after.
    ///
    /// # Errors
    /// When it cannot be read or written.
    pub fn id(&self) -> io::Result<String> {
        if let Some(id) = self.known_id()? {
            return Ok(id);
        }
        fs::create_dir_all(self.state())?;
        let made = format!("{:016x}", rand::random::<u64>());
        let mut file = NamedTempFile::new_in(self.state())?;
        writeln!(file, "{made}")?;
        match file.persist_noclobber(self.id_file()) {
            Ok(_) => Ok(made),
            Err(refused) if refused.error.kind() == io::ErrorKind::AlreadyExists => {
                // Another program was faster, unless what is there is no id.
                if let Some(id) = self.known_id()? {
                    return Ok(id);
                }
                let over = refused.file.persist(self.id_file());
                over.map(|_| made).map_err(|error| error.error)
            }
            Err(refused) => Err(refused.error),
        }
    }

    fn id_file(&self) -> PathBuf {
        self.state().join("id")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_home_has_one_id_for_ever_and_another_home_another() {
        let (one, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let home = Home::at(one.path());
        assert_eq!(home.known_id().unwrap(), None);
        assert!(!home.state().exists(), "looking makes nothing");
        let id = home.id().unwrap();
        assert_eq!((id.len(), home.id().unwrap()), (DIGITS, id.clone()));
        assert_eq!(home.known_id().unwrap(), Some(id.clone()));
        assert_ne!(Home::at(other.path()).id().unwrap(), id);
    }

    #[test]
    fn what_is_no_id_is_replaced() {
        let folder = tempfile::tempdir().unwrap();
        let home = Home::at(folder.path());
        fs::create_dir_all(home.state()).unwrap();
        for broken in [b"".as_slice(), b"no id", b"\xff\xfe"] {
            fs::write(home.id_file(), broken).unwrap();
            assert_eq!(home.known_id().unwrap(), None);
            let id = home.id().unwrap();
            assert_eq!(home.known_id().unwrap(), Some(id));
        }
    }

    #[test]
    fn programs_that_begin_together_agree() {
        let folder = tempfile::tempdir().unwrap();
        let home = Home::at(folder.path());
        let ids = std::thread::scope(|scope| {
            let all: Vec<_> = (0..8).map(|_| scope.spawn(|| home.id().unwrap())).collect();
            all.into_iter()
                .map(|one| one.join().unwrap())
                .collect::<std::collections::BTreeSet<_>>()
        });
        assert_eq!(ids.len(), 1, "{ids:?}");
    }
}
