//! Archives in the ZIP format whatever their names are: Python imports from them (a zipped folder,
//! a zipapp, a wheel or an egg on its path), Java runs them.

use std::ops::ControlFlow;

use memchr::memmem;

use super::java;
use super::record::Record;
use crate::units::Bytes;

/// How an archive begins.
const MARK: &[u8] = b"PK\x03\x04";

/// How much of a script may stand before an archive, in bytes: a line that names the interpreter,
/// or a whole script that finds one.
const SCRIPT: usize = 64 * 1024;

/// Names of entries that there are in archives of programs: other archives (documents, weights of
/// models) say nothing of packages, and are not to be read. The longest has 19 bytes.
const NAMES: [&[u8]; 4] = [
    b"__init__.py",
    b".dist-info/METADATA",
    b"EGG-INFO/PKG-INFO",
    b".class",
];

/// Takes the pieces of one file that may be an archive, and makes the record of it.
pub(super) struct Zipped {
    path: String,
    size: u64,
    state: State,
}

enum State {
    /// The first bytes, which do not tell yet what it is.
    Open(Vec<u8>),
    /// No archive.
    Else,
    /// All of it is held.
    Whole(Vec<u8>),
    /// It is too large to be held: the end of what came, and whether a name of a program's was in it.
    Passing(Vec<u8>, bool),
}

impl Zipped {
    /// For a file of `size` bytes.
    pub(super) fn new(path: &str, size: u64) -> Self {
        Self {
            path: path.to_owned(),
            size,
            state: State::Open(Vec::new()),
        }
    }

    /// Takes the next piece.
    pub(super) fn piece(&mut self, bytes: &[u8]) -> ControlFlow<()> {
        match &mut self.state {
            State::Open(head) => {
                head.extend_from_slice(bytes);
                if let Some(is_archive) = begins(head) {
                    let head = std::mem::take(head);
                    self.state = State::begin(head, self.size, is_archive);
                }
            }
            State::Whole(all) => all.extend_from_slice(bytes),
            State::Passing(window, is_program) => search(window, is_program, bytes),
            State::Else => {}
        }
        match self.state {
            State::Else => ControlFlow::Break(()),
            State::Open(_) | State::Whole(_) | State::Passing(..) => ControlFlow::Continue(()),
        }
    }

    /// The record, after the last piece; `None` where it speaks of no package.
    pub(super) fn finish(self) -> Option<Record> {
        match self.state {
            State::Whole(all) if is_program(&all) => {
                let record = java::archive(&self.path, &all);
                let is_silent = matches!(&record, Record::Packages(found) if found.is_empty());
                (!is_silent && !is_bundled(&self.path, &record)).then_some(record)
            }
            State::Passing(_, true) => Some(Record::Broken(format!(
                "it has {}, more than is sensible",
                Bytes(self.size)
            ))),
            State::Open(_) | State::Else | State::Whole(_) | State::Passing(..) => None,
        }
    }
}

impl State {
    fn begin(head: Vec<u8>, size: u64, is_archive: bool) -> Self {
        if !is_archive {
            return Self::Else;
        }
        if size <= java::CAP {
            let mut all = head;
            let rest = usize::try_from(size).unwrap_or(0).saturating_sub(all.len());
            all.reserve_exact(rest);
            return Self::Whole(all);
        }
        let (mut window, mut found) = (Vec::new(), false);
        search(&mut window, &mut found, &head);
        Self::Passing(window, found)
    }
}

/// Whether an archive begins here, at once or behind a script; `None` where more must be seen.
fn begins(head: &[u8]) -> Option<bool> {
    let script = head.starts_with(b"#!");
    if head.starts_with(MARK) || script && memmem::find(head, MARK).is_some() {
        return Some(true);
    }
    let open = head.len() < MARK.len() || script && head.len() < SCRIPT;
    (!open).then_some(false)
}

fn is_program(bytes: &[u8]) -> bool {
    NAMES.iter().any(|name| memmem::find(bytes, name).is_some())
}

fn search(window: &mut Vec<u8>, found: &mut bool, bytes: &[u8]) {
    if *found {
        return;
    }
    window.extend_from_slice(bytes);
    *found = is_program(window);
    // A name that is not whole begins in what is kept.
    window.drain(..window.len().saturating_sub(18));
}

/// Whether it is what Python ships to install `pip` from: it lies on nobody's path until then.
fn is_bundled(path: &str, record: &Record) -> bool {
    let Record::Packages(packages) = record else {
        return false;
    };
    path.contains("/ensurepip/_bundled/")
        && packages
            .iter()
            .all(|one| matches!(one.name.as_str(), "pip" | "setuptools"))
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;
    use std::io::Write as _;

    use zip::ZipWriter;
    use zip::write::SimpleFileOptions;

    use super::*;

    const METADATA: &[u8] = b"Name: Flask\nVersion: 2.2.2\n";

    fn zipped(entries: &[(&str, &[u8])]) -> Vec<u8> {
        let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
        for (name, bytes) in entries {
            let options = SimpleFileOptions::default();
            writer.start_file(*name, options).unwrap();
            writer.write_all(bytes).unwrap();
        }
        writer.finish().unwrap().into_inner()
    }

    fn note(path: &str, bytes: &[u8], piece: usize) -> Option<Record> {
        let mut zipped = Zipped::new(path, bytes.len() as u64);
        for piece in bytes.chunks(piece) {
            if zipped.piece(piece).is_break() {
                break;
            }
        }
        zipped.finish()
    }

    fn named(path: &str, entries: &[(&str, &[u8])]) -> Vec<String> {
        let record = note(path, &zipped(entries), 4096);
        let packages = record.as_ref().and_then(Record::packages);
        let packages = packages.unwrap_or_default().iter();
        packages
            .map(|one| {
                let inside = one.inside.as_deref().unwrap_or_default();
                format!("{} {} {inside}", one.name, one.version)
            })
            .collect()
    }

    #[test]
    fn python_s_metadata_is_read_where_it_is_zipped() {
        for (path, metadata) in [
            ("deps.zip", "flask-2.2.2.dist-info/METADATA"),
            (
                "a/flask-2.2.2-py3-none-any.whl",
                "flask-2.2.2.dist-info/METADATA",
            ),
            ("a/flask-2.2.2-py3.13.egg", "EGG-INFO/PKG-INFO"),
            ("bin/shiv", "site-packages/flask-2.2.2.dist-info/METADATA"),
            ("bin/pex", ".deps/flask.whl/flask-2.2.2.dist-info/METADATA"),
        ] {
            let entries: [(&str, &[u8]); 2] = [("flask/__init__.py", b""), (metadata, METADATA)];
            let expected = format!("flask 2.2.2 {metadata}");
            assert_eq!(named(path, &entries), [expected], "{path}");
        }
    }

    #[test]
    fn a_script_may_stand_before_an_archive() {
        let archive = zipped(&[("flask-2.2.2.dist-info/METADATA", METADATA)]);
        for script in [
            "#!/usr/bin/env python3\n",
            "#!/bin/sh\n# one\nexec python3 \"$0\"\n",
        ] {
            let file = [script.as_bytes(), &archive].concat();
            for piece in [1, 7, 4096] {
                let record = note("app", &file, piece);
                assert_eq!(record.unwrap().packages().unwrap().len(), 1, "{script}");
            }
        }
        let script = [b"#!/bin/sh\n".to_vec(), vec![b'x'; SCRIPT]].concat();
        assert_eq!(note("app", &script, 4096), None);
    }

    #[test]
    fn several_modules_without_metadata_say_nothing_of_what_they_are() {
        let of = |names: &[&str]| {
            let entries: Vec<(&str, &[u8])> = names.iter().map(|name| (*name, &b""[..])).collect();
            note("deps.zip", &zipped(&entries), 4096)
        };
        let two = ["flask/__init__.py", "click/__init__.pyc", "six.py"];
        assert_eq!(of(&two), Some(Record::Opaque));
        // Somebody's own program, and what no program is.
        assert_eq!(
            of(&["__main__.py", "app/__init__.py", "app/x/__init__.py"]),
            None
        );
        assert_eq!(
            of(&["project/a/__init__.py", "project/b/__init__.py"]),
            None
        );
        assert_eq!(of(&["word/document.xml"]), None);
    }

    #[test]
    fn java_s_archives_are_read_under_any_name() {
        let pom: &[u8] = b"groupId=org.x\nartifactId=core\nversion=1.2\n";
        let entries = [
            ("X.class", &b""[..]),
            ("META-INF/maven/a/b/pom.properties", pom),
        ];
        assert_eq!(named("app/server", &entries), ["org.x:core 1.2 "]);
        let shaded = zipped(&[("com/acme/A.class", b""), ("org/apache/B.class", b"")]);
        assert_eq!(note("app/server", &shaded, 99), Some(Record::Opaque));
        // A name with a version is no package's unless it is an archive of Java's.
        assert_eq!(named("data-1.2.zip", &[("app/__init__.py", b"")]), [""; 0]);
    }

    #[test]
    fn what_python_ships_to_install_pip_from_is_no_package() {
        let path = "usr/lib/python3.13/ensurepip/_bundled/pip-25.1.1-py3-none-any.whl";
        let with = |metadata: &[u8]| named(path, &[("x-1.dist-info/METADATA", metadata)]);
        assert_eq!(with(b"Name: pip\nVersion: 25.1.1\n"), [""; 0]);
        assert_eq!(with(METADATA), ["flask 2.2.2 x-1.dist-info/METADATA"]);
    }

    #[test]
    fn what_is_too_large_or_broken_is_told_of_a_program_alone() {
        let large = |bytes: &[u8]| {
            let mut zipped = Zipped::new("deps.zip", java::CAP + 1);
            for piece in bytes.chunks(5) {
                let _ = zipped.piece(piece);
            }
            zipped.finish()
        };
        let program = zipped(&[("flask/__init__.py", b"")]);
        assert!(matches!(large(&program), Some(Record::Broken(_))));
        assert_eq!(large(&zipped(&[("weights/0", b"")])), None);
        let cut = program.get(..program.len() - 30).unwrap();
        assert!(matches!(note("deps.zip", cut, 5), Some(Record::Broken(_))));
        assert_eq!(note("deps.zip", b"PK\x03\x04 nothing", 5), None);
        assert_eq!(note("deps.zip", b"PK", 1), None);
    }
}
