//! Contexts from folders that real learners have, and from folders that nobody should have.

#![expect(
    clippy::disallowed_methods,
    reason = "these tests make folders on a real file system"
)]

use std::ffi::OsStr;
use std::fs;
use std::io::Write;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::fs::symlink;
use std::os::unix::net::UnixListener;

use tar::EntryType;
use tempfile::TempDir;

use super::*;

fn folder(files: &[(&str, &str)]) -> TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    for (path, text) in files {
        let path = folder.path().join(path);
        fs::create_dir_all(path.parent().expect("a parent")).expect("folders");
        fs::write(path, text).expect("a file");
    }
    folder
}

fn gather_within(folder: &Path, limits: &Limits) -> Result<Context, ContextError> {
    let none = Files::new();
    let sources = Sources {
        below: &none,
        folder: Some(folder),
        above: &none,
    };
    Context::gather(&sources, "Dockerfile", limits)
}

fn gather(folder: &TempDir) -> Result<Context, ContextError> {
    gather_within(folder.path(), &Limits::default())
}

fn gather_files(files: &Files) -> Result<Context, ContextError> {
    let none = Files::new();
    let sources = Sources {
        below: files,
        folder: None,
        above: &none,
    };
    Context::gather(&sources, "Dockerfile", &Limits::default())
}

fn in_memory(files: &[(&str, &str)]) -> Files {
    let files = files.iter();
    files
        .map(|(path, text)| ((*path).to_owned(), Arc::from(text.as_bytes())))
        .collect()
}

fn archive(context: &Context) -> Vec<u8> {
    let mut bytes = Vec::new();
    context
        .write(Sending::AsItIs, &mut bytes)
        .expect("it is written");
    bytes
}

/// Kind, mode and path of each entry.
fn entries(bytes: &[u8]) -> Vec<(EntryType, u32, String)> {
    let mut archive = tar::Archive::new(bytes);
    let entries = archive.entries().expect("an archive");
    entries
        .map(|entry| {
            let entry = entry.expect("an entry");
            let header = entry.header();
            assert_eq!(header.mtime().expect("a time"), 0);
            assert_eq!(header.uid().expect("an owner"), 0);
            let path = String::from_utf8_lossy(&entry.path_bytes()).into_owned();
            (header.entry_type(), header.mode().expect("a mode"), path)
        })
        .collect()
}

fn paths(context: &Context) -> Vec<String> {
    context.facts().paths
}

#[test]
fn what_is_ignored_is_not_sent() {
    let folder = folder(&[
        ("Dockerfile", "FROM a\n"),
        (".dockerignore", "*\n!src\n**/*.log\n"),
        ("src/app.py", "x"),
        ("src/app.log", "x"),
        ("secret", "x"),
        (".git/HEAD", "x"),
    ]);
    let context = gather(&folder).expect("a context");
    assert_eq!(paths(&context), ["src/app.py"]);
    assert!(context.ignore().excludes("secret"));
    let kinds = entries(&archive(&context));
    assert_eq!(kinds[0], (EntryType::Directory, 0o755, "src".to_owned()));
}

#[test]
fn an_ignored_dockerfile_and_ignore_file_are_for_the_builder_alone() {
    let folder = folder(&[
        ("Dockerfile", "FROM a\n"),
        (".dockerignore", "Dockerfile\n.dockerignore\n"),
        ("f", "x\n"),
    ]);
    let context = gather(&folder).expect("a context");
    let sent = |sending: Sending<'_>| {
        let mut bytes = Vec::new();
        let facts = context.write(sending, &mut bytes).expect("written");
        assert_eq!(facts, context.facts());
        assert_eq!(
            (facts.bytes, facts.paths.as_slice()),
            (Bytes(2), &["f".to_owned()][..])
        );
        let names = entries(&bytes).into_iter().map(|entry| entry.2);
        names.collect::<Vec<String>>()
    };
    let to_build = Sending::ToBuild(b"FROM a\n");
    assert_eq!(sent(to_build), [".dockerignore", "Dockerfile", "f"]);
    assert_eq!(sent(Sending::AsItIs), ["f"]);
}

#[test]
fn another_text_in_the_dockerfiles_place_does_not_count() {
    let folder = folder(&[("Dockerfile", "FROM a\n"), (".dockerignore", "x\n")]);
    let context = gather(&folder).expect("a context");
    let sending = Sending::ToBuild(b"FROM a.local/b:1\n");
    let mut bytes = Vec::new();
    let facts = context.write(sending, &mut bytes).expect("written");
    assert_eq!(facts.bytes, Bytes(9), "as the learner wrote it");
    assert!(bytes.windows(11).any(|part| part == b"a.local/b:1"));
}

#[test]
fn a_file_brought_back_brings_its_folders() {
    let folder = folder(&[
        ("Dockerfile", "FROM a\n"),
        (".dockerignore", "docs\n!docs/a/README.md\n"),
        ("docs/a/README.md", "x"),
        ("docs/b", "x"),
    ]);
    let context = gather(&folder).expect("a context");
    let names: Vec<String> = entries(&archive(&context))
        .into_iter()
        .map(|entry| entry.2)
        .collect();
    assert_eq!(
        names,
        [
            ".dockerignore",
            "Dockerfile",
            "docs",
            "docs/a",
            "docs/a/README.md"
        ]
    );
}

#[test]
fn the_same_files_give_the_same_bytes() {
    let files = [("Dockerfile", "FROM a\n"), ("b/c", "1"), ("b-c", "2")];
    let (one, two) = (folder(&files), folder(&files));
    fs::set_permissions(two.path().join("b/c"), fs::Permissions::from_mode(0o600)).expect("mode");
    let bytes = archive(&gather(&one).expect("a context"));
    assert_eq!(bytes, archive(&gather(&two).expect("a context")));
    let context = gather_files(&in_memory(&files));
    assert_eq!(bytes, archive(&context.expect("a context")));
}

#[test]
fn only_whether_a_file_runs_is_kept_of_its_mode() {
    let folder = folder(&[("Dockerfile", "FROM a\n"), ("run.sh", "#!/bin/sh\n")]);
    fs::set_permissions(
        folder.path().join("run.sh"),
        fs::Permissions::from_mode(0o4711),
    )
    .expect("a mode");
    let entries = entries(&archive(&gather(&folder).expect("a context")));
    assert_eq!(entries[0].1, 0o644);
    assert_eq!(entries[1].1, 0o755);
}

#[test]
fn links_are_sent_as_links_and_never_followed() {
    let outside = folder(&[("secret", "do not send")]);
    let inside = folder(&[("Dockerfile", "FROM a\n")]);
    symlink(outside.path(), inside.path().join("out")).expect("a link");
    symlink(outside.path().join("secret"), inside.path().join("file")).expect("a link");
    symlink("nowhere", inside.path().join("dangling")).expect("a link");
    symlink(".", inside.path().join("loop")).expect("a link");
    let context = gather(&inside).expect("a context");
    assert_eq!(
        paths(&context),
        ["Dockerfile", "dangling", "file", "loop", "out"]
    );
    let bytes = archive(&context);
    let links = entries(&bytes)
        .into_iter()
        .filter(|entry| entry.0 == EntryType::Symlink);
    assert_eq!(links.count(), 4);
    assert!(!bytes.windows(11).any(|bytes| bytes == b"do not send"));
}

#[test]
fn a_folder_exchanged_for_a_link_leads_nowhere() {
    let outside = folder(&[("file", "do not send")]);
    let inside = folder(&[("Dockerfile", "FROM a\n"), ("sub/file", "fine")]);
    let context = gather(&inside).expect("a context");
    fs::remove_dir_all(inside.path().join("sub")).expect("removed");
    symlink(outside.path(), inside.path().join("sub")).expect("a link");
    let error = context
        .write(Sending::AsItIs, io::sink())
        .expect_err("refused");
    assert!(error.to_string().contains("sub/file"), "{error}");
}

#[test]
fn a_dockerfile_or_ignore_file_that_is_a_link_is_named() {
    for name in ["Dockerfile", ".dockerignore"] {
        let outside = folder(&[("other", "FROM b\n")]);
        let inside = folder(&[("x", "y")]);
        symlink(outside.path().join("other"), inside.path().join(name)).expect("a link");
        let error = gather(&inside).and_then(|context| context.read(name));
        let error = error.expect_err("refused").to_string();
        assert!(
            error.starts_with(&format!("`{name}` is a symbolic link")),
            "{error}"
        );
    }
}

#[test]
fn what_builders_cannot_use_is_named_unless_it_is_ignored() {
    let folder = folder(&[("Dockerfile", "FROM a\n")]);
    let fifo = folder.path().join("pipe");
    rustix::fs::mknodat(
        rustix::fs::CWD,
        &fifo,
        rustix::fs::FileType::Fifo,
        rustix::fs::Mode::RUSR,
        0,
    )
    .expect("a FIFO");
    let _socket = UnixListener::bind(folder.path().join("sock")).expect("a socket");
    let error = gather(&folder).expect_err("refused").to_string();
    assert_eq!(error, "`pipe` is a FIFO, which cannot be sent to a builder");
    fs::write(folder.path().join(".dockerignore"), "pipe\n").expect("a file");
    let context = gather(&folder).expect("a context");
    assert_eq!(context.facts().sockets, ["sock"]);
    assert_eq!(paths(&context), [".dockerignore", "Dockerfile"]);
}

#[test]
fn a_dockerfile_that_is_no_file_cannot_be_left_out() {
    let folder = folder(&[(".dockerignore", "Dockerfile\n")]);
    rustix::fs::mknodat(
        rustix::fs::CWD,
        folder.path().join("Dockerfile"),
        rustix::fs::FileType::Fifo,
        rustix::fs::Mode::RUSR,
        0,
    )
    .expect("a FIFO");
    let error = gather(&folder).expect_err("refused");
    assert_eq!(
        error.to_string(),
        "`Dockerfile` is a FIFO; a file has to be there"
    );
    assert!(!error.hint().is_some_and(|hint| hint.contains("ignore")));
}

#[test]
fn limits_are_said_with_the_path_that_crossed_them() {
    let folder = folder(&[("Dockerfile", "FROM a\n"), ("a/b/c/d", "12345"), ("e", "1")]);
    let with = |limits: Limits| {
        let error = gather_within(folder.path(), &limits).expect_err("too much");
        error.to_string()
    };
    let all = Limits::default();
    assert_eq!(
        with(Limits { files: 2, ..all }),
        "the context has more than 2 files"
    );
    assert_eq!(
        with(Limits {
            looked_at: 3,
            ..all
        }),
        "the folder has more than 3 entries, ignored ones included"
    );
    assert_eq!(
        with(Limits {
            bytes: Bytes(10),
            ..all
        }),
        "the context is larger than 10 B; `a/b/c/d` is the file that is too much"
    );
    assert_eq!(
        with(Limits { depth: 2, ..all }),
        "`a/b/c` is more than 2 folders deep"
    );
    assert_eq!(
        with(Limits { path: 5, ..all }),
        "the path `Dockerfile` is longer than 5 bytes"
    );
}

#[test]
fn an_ignored_folder_without_exceptions_is_not_even_read() {
    let files: Vec<String> = (0..50).map(|n| format!("node_modules/{n}")).collect();
    let mut all: Vec<(&str, &str)> = files.iter().map(|path| (path.as_str(), "")).collect();
    all.push(("Dockerfile", "FROM a\n"));
    all.push((".dockerignore", "node_modules\n"));
    let folder = folder(&all);
    let limits = Limits {
        looked_at: 10,
        ..Limits::default()
    };
    let context = gather_within(folder.path(), &limits);
    assert_eq!(paths(&context.expect("a context")).len(), 2);
}

#[test]
fn a_bad_ignore_file_is_an_error_with_its_line() {
    let folder = folder(&[("Dockerfile", "FROM a\n"), (".dockerignore", "a\n[\n")]);
    let error = gather(&folder).expect_err("refused");
    assert_eq!(
        error.to_string(),
        "`.dockerignore`, line 2: `[` is not a pattern"
    );
    assert!(error.hint().is_some());
}

#[test]
fn names_that_are_not_text_are_sent_as_they_are() {
    let folder = folder(&[("Dockerfile", "FROM a\n")]);
    let odd = OsStr::from_bytes(b"caf\xe9\n\x1b[31m");
    fs::write(folder.path().join(odd), "x").expect("a file");
    let long = "x".repeat(200);
    fs::create_dir_all(folder.path().join(&long)).expect("a folder");
    fs::write(folder.path().join(&long).join("deep"), "x").expect("a file");
    let bytes = archive(&gather(&folder).expect("a context"));
    let mut archive = tar::Archive::new(bytes.as_slice());
    let names: Vec<Vec<u8>> = archive
        .entries()
        .expect("an archive")
        .map(|entry| entry.expect("an entry").path_bytes().into_owned())
        .collect();
    assert!(names.contains(&b"caf\xe9\n\x1b[31m".to_vec()));
    assert!(names.contains(&format!("{long}/deep").into_bytes()));
}

#[test]
fn a_file_that_goes_away_is_left_out() {
    let folder = folder(&[("Dockerfile", "FROM a\n"), (".swp", "x")]);
    let context = gather(&folder).expect("a context");
    fs::remove_file(folder.path().join(".swp")).expect("removed");
    let facts = context
        .write(Sending::AsItIs, io::sink())
        .expect("it is written");
    assert_eq!(facts.paths, ["Dockerfile"]);
}

#[test]
fn files_below_and_above_the_folder_are_told_apart() {
    let below = in_memory(&[
        ("app.py", "given"),
        ("Dockerfile", "given"),
        ("x/y", "given"),
    ]);
    let above = in_memory(&[
        ("test.py", "fixed"),
        ("deep/er", "fixed"),
        ("a.env", "fixed"),
    ]);
    let outside = folder(&[("er", "do not touch")]);
    let folder = folder(&[
        ("Dockerfile", "FROM mine\n"),
        (".dockerignore", "*.env\n"),
        ("x", "a file now"),
        ("test.py/sub", "mine"),
    ]);
    symlink(outside.path(), folder.path().join("deep")).expect("a link");
    let sources = Sources {
        below: &below,
        folder: Some(folder.path()),
        above: &above,
    };
    let context = Context::gather(&sources, "Dockerfile", &Limits::default());
    let context = context.expect("a context");
    assert_eq!(
        paths(&context),
        [
            ".dockerignore",
            "Dockerfile",
            "app.py",
            "deep/er",
            "test.py",
            "x"
        ]
    );
    assert_eq!(context.read("test.py").expect("read"), b"fixed");
    assert_eq!(context.read("Dockerfile").expect("read"), b"FROM mine\n");
    let left_out = context.left_out("a.env").map(|why| why.decision.line);
    assert_eq!(left_out, Some(1), "also of the files in memory");
    assert!(context.read("nothing").is_err());
}

#[test]
fn paths_out_of_the_context_are_refused() {
    for path in ["/etc/passwd", "../a", "a/../../b", "", "a//b", "./a"] {
        let files = BTreeMap::from([(path.to_owned(), Arc::from(&b""[..]))]);
        let context = gather_files(&files);
        assert!(matches!(context, Err(ContextError::Outside(_))), "{path}");
    }
}

#[test]
fn a_full_disk_is_told_from_an_unreadable_file() {
    struct Full;
    impl Write for Full {
        fn write(&mut self, _: &[u8]) -> io::Result<usize> {
            Err(io::Error::from(io::ErrorKind::StorageFull))
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }
    let folder = folder(&[("Dockerfile", "FROM a\n")]);
    let error = gather(&folder)
        .expect("a context")
        .write(Sending::AsItIs, Full);
    assert!(matches!(error, Err(ContextError::Write(_))));
    let missing = folder.path().join("missing");
    let refused = gather_within(&missing, &Limits::default());
    assert_eq!(
        refused.expect_err("refused").to_string(),
        format!("cannot read `{}`", missing.display())
    );
}

#[test]
fn what_stands_in_the_place_of_a_file_is_named() {
    for name in ["Dockerfile", ".dockerignore"] {
        let folder = folder(&[("src/app", "1")]);
        fs::write(folder.path().join("Dockerfile"), "FROM a\n").expect("a file");
        let path = folder.path().join(name);
        let _ = fs::remove_file(&path);
        fs::create_dir(&path).expect("a folder");
        let read = gather(&folder).and_then(|context| context.read("Dockerfile"));
        assert_eq!(
            read.expect_err("refused").to_string(),
            format!("`{name}` is a folder; a file has to be there")
        );
        fs::remove_dir(&path).expect("no folder");
        let _socket = UnixListener::bind(&path).expect("a socket");
        if name == ".dockerignore" {
            let error = gather(&folder).expect_err("refused").to_string();
            assert!(error.contains("is a socket"), "{error}");
        }
    }
}

#[test]
fn a_dockerfile_without_end_is_not_told_as_a_large_context() {
    let folder = folder(&[("Dockerfile", &"#\n".repeat(600_000))]);
    let read = gather(&folder).and_then(|context| context.read("Dockerfile"));
    let error = read.expect_err("too long");
    assert!(error.to_string().starts_with("`Dockerfile` is larger than"));
    assert!(!error.hint().is_some_and(|hint| hint.contains("ignore")));
}

#[test]
fn only_what_is_there_is_left_out() {
    let folder = folder(&[
        ("Dockerfile", "FROM a\n"),
        (".dockerignore", "#\n*\n"),
        ("a/b", "1"),
    ]);
    let context = gather(&folder).expect("a context");
    for path in ["a", "a/b"] {
        let why = context.left_out(path).expect("left out");
        assert_eq!((why.file.as_str(), why.decision.line), (".dockerignore", 2));
    }
    for path in ["none", "a/none", "a/b/c"] {
        assert_eq!(context.left_out(path), None, "{path}");
    }
}

#[test]
fn of_too_many_files_the_folder_is_named_that_holds_the_most() {
    let folder = folder(&[
        ("Dockerfile", "FROM a\n"),
        ("web/lib/1", ""),
        ("web/lib/2", ""),
        ("web/lib/3", ""),
    ]);
    let limits = Limits {
        files: 3,
        ..Limits::default()
    };
    let error = gather_within(folder.path(), &limits).expect_err("too many");
    assert_eq!(
        error.to_string(),
        "the context has more than 3 files; the folder `web/lib` holds the most"
    );
}
