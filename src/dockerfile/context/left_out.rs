//! What of a folder the ignore file leaves out, and by which of its lines.

use std::io;

use super::super::ignore::Decision;
use super::Context;
use crate::text::Clean;

/// Why something of the folder is not sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LeftOut {
    /// The ignore file.
    pub file: Clean,
    /// Its line that decides.
    pub decision: Decision,
}

impl Context {
    /// What leaves `path` out, where it is there.
    #[must_use]
    pub fn left_out(&self, path: &str) -> Option<LeftOut> {
        let decision = self.ignore.explain(path).filter(|one| one.excluded)?;
        let gone = |why: &io::Error| {
            let kind = why.kind();
            matches!(kind, io::ErrorKind::NotFound | io::ErrorKind::NotADirectory)
        };
        let on_disk = || {
            let found = self.top.as_ref().map(|top| top.file(path.as_bytes()));
            found.is_some_and(|found| !found.is_err_and(|why| gone(&why)))
        };
        let is_there = self.unsent.contains(path) || on_disk();
        (is_there && !self.nodes.contains_key(path.as_bytes())).then(|| LeftOut {
            file: Clean::path(&self.ignore_file),
            decision,
        })
    }
}
