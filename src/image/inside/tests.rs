//! Images made by hand, and what there is to say of them.

use super::dynamic::Dynamic;
use super::probe::testing;
use super::*;
use crate::image::Config;
use crate::image::Entry;
use crate::image::EntryKind;
use crate::image::Layer;
use crate::image::binary::Elf;
use crate::units::Bytes;

/// A layer: `path`, `path/` for a folder, `path -> target`, each with permission bits before it
/// where they are not 755.
pub(super) fn layer(entries: &[&str]) -> Layer {
    let entries = entries.iter().map(|line| {
        let (mode, path) = match line.split_once(' ') {
            Some((mode, path)) if u32::from_str_radix(mode, 8).is_ok() => {
                (u32::from_str_radix(mode, 8).unwrap(), path)
            }
            _ => (0o755, *line),
        };
        let (path, kind) = match path.split_once(" -> ") {
            Some((path, target)) => (path, EntryKind::Symlink(target.to_owned())),
            None if path.ends_with('/') => (path.trim_end_matches('/'), EntryKind::Directory),
            None => (path, EntryKind::File),
        };
        Entry {
            path: path.to_owned(),
            kind,
            size: Bytes(10),
            mode,
            uid: 0,
            gid: 0,
            content: None,
            capabilities: false,
        }
    });
    Layer {
        entries: entries.collect(),
        ..Layer::default()
    }
}

pub(super) fn image(layers: Vec<Layer>, config: Config) -> Contents {
    let mut contents = Contents {
        layers,
        config,
        ..Contents::default()
    };
    for (index, layer) in contents.layers.iter_mut().enumerate() {
        layer.index = index;
    }
    contents
}

pub(super) fn starts(words: &[&str]) -> Config {
    Config {
        entrypoint: words.iter().map(|word| (*word).to_owned()).collect(),
        architecture: String::from("amd64"),
        ..Config::default()
    }
}

const GNU: &str = "/lib64/ld-linux-x86-64.so.2";
const MUSL: &str = "/lib/ld-musl-x86_64.so.1";

fn asks(interpreter: Option<&str>, needed: &[&str]) -> Dynamic {
    Dynamic {
        machine: String::from("amd64"),
        wide: true,
        interpreter: interpreter.map(str::to_owned),
        needed: needed.iter().map(|name| (*name).to_owned()).collect(),
        complete: true,
        ..Dynamic::default()
    }
}

/// Adds a file to a layer.
fn add(to: &mut Layer, entry: &str) {
    to.entries.extend(layer(&[entry]).entries);
}

/// Says what a file of the layer is.
fn put(layer: &mut Layer, path: &str, dynamic: Dynamic) {
    let linking = match &dynamic.interpreter {
        Some(interpreter) => Linking::Dynamic {
            interpreter: interpreter.clone(),
        },
        None => Linking::Library,
    };
    let elf = Elf {
        linking,
        machine: dynamic.machine.clone(),
        needed: Vec::new(),
    };
    layer.programs.insert(path.to_owned(), Program::Elf(elf));
    layer.notes.push(testing::of_dynamic(path, dynamic));
}

pub(super) fn script(layer: &mut Layer, path: &str, interpreter: &str, argument: Option<&str>) {
    let script = Program::Script {
        interpreter: interpreter.to_owned(),
        argument: argument.map(str::to_owned),
    };
    layer.programs.insert(path.to_owned(), script);
}

pub(super) fn shown(contents: &Contents, kinds: &[RemarkKind]) -> Vec<String> {
    let remarks = look(contents).remarks.into_iter();
    remarks
        .filter(|remark| kinds.contains(&remark.kind))
        .map(|remark| format!("{:?}: {}", remark.weight, remark.text))
        .collect()
}

const PROGRAMS: &[RemarkKind] = &[
    RemarkKind::MissingProgram,
    RemarkKind::CannotRun,
    RemarkKind::MissingLoader,
    RemarkKind::MissingLibrary,
    RemarkKind::MissingInterpreter,
    RemarkKind::CarriageReturn,
    RemarkKind::WrongArchitecture,
    RemarkKind::StartsNothing,
];

#[test]
fn a_program_of_the_gnu_library_on_scratch_lacks_loader_and_libraries() {
    let mut files = layer(&["app"]);
    put(
        &mut files,
        "app",
        asks(Some(GNU), &["libc.so.6", "libssl.so.3"]),
    );
    let contents = image(vec![files], starts(&["/app"]));
    assert_eq!(
        shown(&contents, PROGRAMS),
        [
            "Problem: /app starts through /lib64/ld-linux-x86-64.so.2, which the image does not have: it was linked for another C library. It also needs libc.so.6 and libssl.so.3."
        ]
    );
}

#[test]
fn libraries_that_libraries_need_are_missed_too() {
    let mut files = layer(&[
        "app",
        "644 lib64/ld-linux-x86-64.so.2",
        "644 usr/lib/x86_64-linux-gnu/libc.so.6",
        "644 usr/lib/x86_64-linux-gnu/libcurl.so.4",
        "lib -> usr/lib",
    ]);
    put(
        &mut files,
        "app",
        asks(Some(GNU), &["libcurl.so.4", "libc.so.6"]),
    );
    let libraries = "usr/lib/x86_64-linux-gnu";
    put(
        &mut files,
        &format!("{libraries}/libc.so.6"),
        asks(None, &["ld-linux-x86-64.so.2"]),
    );
    put(
        &mut files,
        &format!("{libraries}/libcurl.so.4"),
        asks(None, &["libssl.so.3", "libc.so.6"]),
    );
    let contents = image(vec![files], starts(&["/app"]));
    assert_eq!(
        shown(&contents, PROGRAMS),
        [
            "Problem: /app needs libssl.so.3, which the image does not have.",
            "Note: /usr/lib/x86_64-linux-gnu/libcurl.so.4 needs libssl.so.3, which the image does not have.",
        ]
    );
    let tree = Tree::of(&contents);
    let needs = Libraries::of(&contents, &tree).needs("/app").unwrap();
    let missing: Vec<&Asked> = needs.missing().collect();
    assert_eq!(missing.len(), 1);
    assert_eq!(missing[0].by, "/lib/x86_64-linux-gnu/libcurl.so.4");
}

/// Whether `/srv/bin/app` finds `libx.so.1`, which is at `at`.
fn finds(at: &str, app: Dynamic, change: impl FnOnce(&mut Layer, &mut Config)) -> bool {
    let mut files = layer(&[
        "srv/bin/app",
        "644 lib64/ld-linux-x86-64.so.2",
        "644 lib/ld-musl-x86_64.so.1",
    ]);
    files
        .entries
        .extend(layer(&[&format!("644 {at}/libx.so.1")]).entries);
    put(&mut files, &format!("{at}/libx.so.1"), asks(None, &[]));
    put(&mut files, "srv/bin/app", app);
    let mut config = starts(&["/srv/bin/app"]);
    change(&mut files, &mut config);
    let contents = image(vec![files], config);
    let tree = Tree::of(&contents);
    let needs = Libraries::of(&contents, &tree)
        .needs("/srv/bin/app")
        .unwrap();
    assert_eq!(needs.loader.as_ref().map(|(_, here)| *here), Some(true));
    let missing = needs.missing().next();
    if let Some(missing) = missing {
        let elsewhere = missing.elsewhere.as_ref().map(|place| &place.path);
        assert_eq!(elsewhere, Some(&format!("/{at}/libx.so.1")));
    }
    missing.is_none()
}

#[test]
fn each_way_to_a_library_is_followed() {
    let gnu = || asks(Some(GNU), &["libx.so.1"]);
    let musl = || asks(Some(MUSL), &["libx.so.1", "libc.so", "libpthread.so.0"]);
    let runpath = |app: Dynamic, folder: &str| Dynamic {
        runpath: vec![folder.to_owned()],
        ..app
    };
    let rpath = |app: Dynamic, folder: &str| Dynamic {
        rpath: vec![folder.to_owned()],
        ..app
    };
    let nothing = |_: &mut Layer, _: &mut Config| {};
    assert!(finds("lib/x86_64-linux-gnu", gnu(), nothing));
    assert!(finds("usr/lib64", gnu(), nothing));
    assert!(!finds("lib/x86_64-linux-gnu", musl(), nothing));
    assert!(finds("usr/local/lib", musl(), nothing));
    assert!(!finds("usr/local/lib", gnu(), nothing));
    assert!(!finds("opt/x", gnu(), nothing));
    assert!(finds("opt/x", runpath(gnu(), "/opt/x"), nothing));
    assert!(finds("opt/x", rpath(gnu(), "/opt/x"), nothing));
    assert!(finds("srv/lib", runpath(gnu(), "$ORIGIN/../lib"), nothing));
    assert!(finds("srv/lib", rpath(musl(), "${ORIGIN}/../lib"), nothing));
    assert!(finds("opt/x", gnu(), |_, config| {
        config.env.push(String::from("LD_LIBRARY_PATH=/a:/opt/x"));
    }));
    assert!(finds("opt/x", gnu(), |layer, _| {
        add(layer, "644 etc/ld.so.cache");
        let cache = loader_cache::write(&[("libx.so.1", "/opt/x/libx.so.1")]);
        layer
            .notes
            .push(testing::of_file("etc/ld.so.cache", &cache));
    }));
    // On a processor that has what it needs.
    assert!(finds("usr/lib64/glibc-hwcaps/x86-64-v2", gnu(), nothing));
    assert!(!finds("usr/lib/glibc-hwcaps/v", musl(), nothing));
    assert!(!finds("opt/glibc-hwcaps/x86-64-v2", gnu(), nothing));
    assert!(finds("opt/x", musl(), |layer, _| {
        add(layer, "644 etc/ld-musl-x86_64.path");
        layer.notes.push(testing::of_file(
            "etc/ld-musl-x86_64.path",
            b"/lib\n/opt/x\n",
        ));
    }));
}

#[test]
fn a_library_for_another_machine_does_not_fit() {
    let app = asks(Some(GNU), &["libx.so.1"]);
    let found = finds("usr/lib", app, |layer, _| {
        layer.notes.retain(|note| !note.path.ends_with("libx.so.1"));
        let other = Dynamic {
            machine: String::from("arm64"),
            ..asks(None, &[])
        };
        layer
            .notes
            .push(testing::of_dynamic("usr/lib/libx.so.1", other));
    });
    assert!(!found);
}

#[test]
fn what_is_elsewhere_is_told_with_its_folder() {
    let mut files = layer(&[
        "app",
        "644 lib64/ld-linux-x86-64.so.2",
        "644 opt/x/libx.so.1",
    ]);
    put(&mut files, "app", asks(Some(GNU), &["libx.so.1"]));
    assert_eq!(
        shown(&image(vec![files], starts(&["/app"])), PROGRAMS),
        [
            "Problem: /app needs libx.so.1, which its loader does not look for where the image has it, in /opt/x."
        ]
    );
}

#[test]
fn what_does_not_do_is_told_with_the_reason() {
    let told = |entries: &[&str]| {
        let mut files = layer(&["app", "644 lib64/ld-linux-x86-64.so.2"]);
        files.entries.extend(layer(entries).entries);
        put(&mut files, "app", asks(Some(GNU), &["libx.so.1"]));
        let other = Dynamic {
            machine: String::from("arm64"),
            ..asks(None, &[])
        };
        put(&mut files, "usr/lib/libx.so.1", other);
        let told = shown(&image(vec![files], starts(&["/app"])), PROGRAMS);
        told.into_iter().find(|text| text.starts_with("Problem"))
    };
    let problem = |why: &str| Some(format!("Problem: /app needs libx.so.1, which {why}."));
    let other = "the image has for another architecture alone, in /usr/lib";
    assert_eq!(told(&["644 usr/lib/libx.so.1"]), problem(other));
    let link = "usr/lib64/libx.so.1 -> libx.so.1.2";
    let nowhere = "the image has as a link that leads nowhere, in /usr/lib64";
    assert_eq!(told(&[link]), problem(nowhere));
    // The one that would do comes first.
    let all = [link, "644 usr/lib/libx.so.1", "644 opt/libx.so.1"];
    let elsewhere = "its loader does not look for where the image has it, in /opt";
    assert_eq!(told(&all), problem(elsewhere));
    // A folder is no library.
    assert_eq!(
        told(&["usr/lib64/libx.so.1/"]),
        problem("the image does not have")
    );
}

#[test]
fn what_the_system_cannot_run_is_a_problem_where_it_is_started_at_once() {
    let told = |words: &[&str], program: Option<Program>| {
        let mut files = layer(&["app", "srv/", "bin/sh", "sbin/tini"]);
        for path in ["bin/sh", "sbin/tini"] {
            put(&mut files, path, asks(None, &[]));
        }
        files
            .programs
            .extend(program.map(|program| (String::from("app"), program)));
        image(vec![files], starts(words))
    };
    let cannot = |contents: &Contents| shown(contents, &[RemarkKind::CannotRun]);
    let neither = "Problem: What it starts, /app, is neither machine code for Linux nor a script whose first line names an interpreter, as `#!/bin/sh` does: a container of it does not start.";
    assert_eq!(cannot(&told(&["/app"], None)), [neither]);
    // These run it as a script.
    let none = Vec::<String>::new();
    assert_eq!(cannot(&told(&["tini", "--", "/app"], None)), none);
    assert_eq!(cannot(&told(&["sh", "-c", "/app"], None)), none);
    for (os, architecture) in [("windows", "amd64"), ("linux", "wasm")] {
        let mut other = told(&["/app"], None);
        other.config.os = os.to_owned();
        other.config.architecture = architecture.to_owned();
        assert_eq!(cannot(&other), none);
    }
    let folder = "Problem: What it starts, /srv, is a folder: a container of it does not start.";
    assert_eq!(cannot(&told(&["/srv"], None)), [folder]);
    // A shell may only try it.
    let tries = ["sh", "-c", "/srv || exec sleep 9"];
    assert_eq!(cannot(&told(&tries, None)), none);
    let cut = Program::Elf(Elf {
        linking: Linking::Cut,
        machine: String::new(),
        needed: Vec::new(),
    });
    let broken = "Problem: What it starts, /app, is machine code that breaks off before its end: a container of it does not start.";
    assert_eq!(cannot(&told(&["/app"], Some(cut.clone()))), [broken]);
    // Of a larger file, they may lie behind what was looked at.
    let mut large = told(&["/app"], Some(cut));
    large.layers[0].entries[0].size = Bytes(100_000);
    assert_eq!(cannot(&large), none);
}

#[test]
fn scripts_that_are_each_other_s_interpreters_end() {
    let mut files = layer(&["a", "b", "bin/sh"]);
    put(&mut files, "bin/sh", asks(None, &[]));
    script(&mut files, "a", "/b", None);
    script(&mut files, "b", "/bin/sh", None);
    let fine = image(vec![files.clone()], starts(&["/a"]));
    assert_eq!(shown(&fine, PROGRAMS), Vec::<String>::new());
    script(&mut files, "b", "/a", None);
    assert_eq!(
        shown(&image(vec![files], starts(&["/a"])), PROGRAMS),
        [
            "Problem: /a is a script for /b, which is a script itself, and so on: the system gives up after 5 of them.",
            "Problem: /b is a script for /a, which is a script itself, and so on: the system gives up after 5 of them.",
        ]
    );
}

#[test]
fn env_takes_all_that_follows_it_for_one_name() {
    let mut files = layer(&["a", "b", "usr/bin/env", "usr/bin/python3"]);
    for path in ["usr/bin/env", "usr/bin/python3"] {
        put(&mut files, path, asks(None, &[]));
    }
    script(&mut files, "a", "/usr/bin/env", Some("python3 -u"));
    script(&mut files, "b", "/usr/bin/env", Some("-S python3 -u"));
    assert_eq!(
        shown(&image(vec![files], starts(&["/a"])), PROGRAMS),
        [
            "Problem: /a is a script for python3 -u, which no folder of the image's PATH has. Without `-S`, all that follows env is one name."
        ]
    );
}

#[test]
fn what_could_not_be_read_is_not_missing() {
    let mut files = layer(&["app", "644 lib64/ld-linux-x86-64.so.2"]);
    let unsure = Dynamic {
        complete: false,
        ..asks(Some(GNU), &["libx.so.1"])
    };
    put(&mut files, "app", unsure);
    assert_eq!(
        shown(&image(vec![files], starts(&["/app"])), PROGRAMS),
        Vec::<String>::new()
    );
    // Nor is what stands in a cache that could not be read.
    let app = asks(Some(GNU), &["libx.so.1"]);
    assert!(finds("opt/x", app, |layer, _| {
        add(layer, "644 etc/ld.so.cache");
    }));
}

#[test]
fn only_what_is_started_or_on_the_path_is_loud() {
    let mut files = layer(&["usr/bin/a", "usr/lib/git/b", "usr/sbin/c", "644 usr/bin/d"]);
    for path in ["usr/bin/a", "usr/lib/git/b", "usr/sbin/c"] {
        script(&mut files, path, "/usr/bin/perl", None);
    }
    let contents = image(vec![files], starts(&["/usr/bin/a"]));
    assert_eq!(
        shown(&contents, PROGRAMS),
        [
            "Problem: /usr/bin/a is a script for /usr/bin/perl, which the image does not have.",
            "Warning: /usr/sbin/c is a script for /usr/bin/perl, which the image does not have.",
            "Note: /usr/lib/git/b is a script for /usr/bin/perl, which the image does not have.",
        ]
    );
}

#[test]
fn scripts_are_followed_through_env_and_line_ends_are_seen() {
    let mut files = layer(&["a", "usr/bin/env", "b", "c"]);
    script(&mut files, "a", "/usr/bin/env", Some("python3"));
    script(&mut files, "b", "/bin/sh\r", None);
    script(&mut files, "c", "/usr/bin/env", Some("sh\r"));
    let contents = image(vec![files], starts(&["/a"]));
    assert_eq!(
        shown(&contents, PROGRAMS),
        [
            "Problem: /a is a script for python3, which no folder of the image's PATH has.",
            "Note: The first line of /b ends as on Windows: what is looked for is `/bin/sh` with an invisible character behind it, and there is no such program.",
            "Note: The first line of /c ends as on Windows: what is looked for is `/usr/bin/env` with an invisible character behind it, and there is no such program.",
        ]
    );
}

#[test]
fn another_architecture_and_nothing_to_start_are_told() {
    let mut files = layer(&["app", "usr/bin/old"]);
    let of = |machine: &str| {
        Program::Elf(Elf {
            linking: Linking::Static,
            machine: machine.to_owned(),
            needed: Vec::new(),
        })
    };
    files.programs.insert(String::from("app"), of("arm64"));
    files
        .programs
        .insert(String::from("usr/bin/old"), of("386"));
    assert_eq!(
        shown(&image(vec![files.clone()], starts(&["/app"])), PROGRAMS),
        ["Problem: /app was built for arm64, and this image is for amd64."]
    );
    let nothing = shown(&image(vec![files], starts(&[])), PROGRAMS);
    assert!(
        nothing
            .iter()
            .any(|text| text.contains("neither an entrypoint")),
        "{nothing:?}"
    );
    assert_eq!(
        shown(&image(vec![layer(&["a"])], starts(&["python"])), PROGRAMS),
        ["Problem: What it starts, python, is in no folder of its PATH."]
    );
}

#[test]
fn rights_and_open_files_are_warnings() {
    let files = layer(&[
        "4755 usr/bin/su",
        "1777 tmp/",
        "777 srv/",
        "666 srv/data",
        "777 srv/link -> data",
        "777 srv/run",
    ]);
    let mut files = files;
    script(&mut files, "srv/run", "/bin/sh", None);
    assert_eq!(
        shown(
            &image(vec![files], starts(&["/srv/run"])),
            &[RemarkKind::Privileged, RemarkKind::WorldWritable]
        ),
        [
            "Warning: /usr/bin/su is setuid to root.",
            "Warning: Every user may put files into /srv and take others' away.",
            "Warning: Every user may change /srv/data.",
            "Warning: Every user may change /srv/run, which is a program: whoever starts it next does what the last one wanted.",
        ]
    );
}

const FURNITURE: &[RemarkKind] = &[
    RemarkKind::NoCertificates,
    RemarkKind::NoTimeZones,
    RemarkKind::NoTmp,
    RemarkKind::NoHome,
    RemarkKind::UnknownUser,
];

#[test]
fn an_empty_image_lacks_what_programs_expect() {
    let told = shown(&image(vec![layer(&["app"])], starts(&["/app"])), FURNITURE);
    assert_eq!(told.len(), 3, "{told:?}");
    assert!(told[0].contains("certificate authorities"), "{told:?}");
    assert!(told[1].contains("UTC"), "{told:?}");
    assert!(told[2].contains("/tmp"), "{told:?}");
    let files = layer(&[
        "etc/ssl/certs/ca-certificates.crt",
        "usr/share/zoneinfo/Europe/Paris",
        "1777 tmp/",
    ]);
    assert_eq!(
        shown(&image(vec![files], starts(&["/app"])), FURNITURE),
        Vec::<String>::new()
    );
}

#[test]
fn a_user_without_an_entry_or_a_home_is_told() {
    let furnished = [
        "etc/ssl/certs/ca-certificates.crt",
        "usr/share/zoneinfo/Europe/Paris",
        "1777 tmp/",
        "644 etc/passwd",
        "644 etc/group",
    ];
    let with = |user: &str, env: &[&str]| {
        let mut files = layer(&furnished);
        let passwd = b"root:x:0:0:root:/root:/bin/sh\napp:x:10001:10001::/home/app:/bin/sh\n4711:x:0:0::/:/bin/sh\n";
        files.notes.push(testing::of_file("etc/passwd", passwd));
        let group = b"root:x:0:\napp:x:10001:\n";
        files.notes.push(testing::of_file("etc/group", group));
        let config = Config {
            user: user.to_owned(),
            env: env.iter().map(|line| (*line).to_owned()).collect(),
            ..starts(&["/app"])
        };
        shown(&image(vec![files], config), FURNITURE)
    };
    assert_eq!(
        with("web", &[]),
        [
            "Problem: The image's /etc/passwd does not know the user `web` that it runs as: a container of it does not start."
        ]
    );
    assert_eq!(
        with("65532", &[]),
        [
            "Note: The image's /etc/passwd has no entry for user 65532: a program that asks for its user's name or home finds none."
        ]
    );
    assert_eq!(
        with("4711", &[]),
        [
            "Note: The image's /etc/passwd has no entry for user 4711: a program that asks for its user's name or home finds none."
        ]
    );
    assert_eq!(
        with("app", &[]),
        [
            "Note: Its user's home, /home/app, is not there: a program that keeps something in it fails."
        ]
    );
    let nobody = |user| with(user, &["HOME=/tmp"]);
    assert_eq!(
        nobody("10001:nogrp9"),
        [
            "Problem: The image's /etc/group does not know the group `nogrp9` that it runs as: a container of it does not start."
        ]
    );
    assert_eq!(nobody("10001:4711"), Vec::<String>::new());
    assert_eq!(with("app:app", &["HOME=/tmp"]), Vec::<String>::new());
    assert_eq!(with("", &["HOME=/"]), Vec::<String>::new());
}

#[test]
fn a_user_without_any_file_of_users_is_told() {
    let bare = image(
        vec![layer(&["app"])],
        Config {
            user: String::from("app"),
            ..starts(&["/app"])
        },
    );
    let told = shown(&bare, &[RemarkKind::UnknownUser]);
    assert_eq!(
        told,
        [
            "Problem: The image has no /etc/passwd, so that it does not know the user `app` that it runs as: a container of it does not start."
        ]
    );
}

#[test]
fn what_is_started_without_an_execute_bit_is_a_problem() {
    let told = |entries: &[&str], words: &[&str]| {
        shown(
            &image(vec![layer(entries)], starts(words)),
            &[RemarkKind::NotExecutable],
        )
    };
    let problem = "Problem: What it starts, /app/run, has no execute bit (its mode is 644): a container of it does not start, permission denied.";
    assert_eq!(told(&["644 app/run"], &["/app/run"]), [problem]);
    assert_eq!(told(&["700 app/run"], &["/app/run"]), Vec::<String>::new());
    // By name, another one may stand further back in the PATH.
    let both = ["644 usr/local/bin/run", "755 usr/bin/run"];
    assert_eq!(told(&both, &["run"]), Vec::<String>::new());
    assert_eq!(told(&both[..1], &["run"]).len(), 1);
}

#[test]
fn tools_are_told_by_what_they_are() {
    let files = layer(&[
        "usr/bin/dash",
        "usr/bin/sh -> dash",
        "usr/bin/apt",
        "usr/bin/gcc",
        "usr/share/doc/gcc",
        "bin/busybox",
        "bin/wget -> busybox",
    ]);
    let told = shown(
        &image(vec![files], starts(&["/app"])),
        &[
            RemarkKind::Shell,
            RemarkKind::PackageManager,
            RemarkKind::Tool,
        ],
    );
    assert_eq!(
        told,
        [
            "Note: /usr/bin/sh, which is /usr/bin/dash, is a shell.",
            "Note: /bin/busybox is a shell.",
            "Note: /usr/bin/dash is a shell.",
            "Note: /usr/bin/apt installs packages.",
            "Note: /bin/wget, which is /bin/busybox, is a tool that an application seldom needs.",
            "Note: /usr/bin/gcc is a tool that an application seldom needs.",
        ]
    );
}

#[test]
fn programs_are_counted_by_how_they_are_linked() {
    let mut files = layer(&["a", "b", "c"]);
    put(&mut files, "a", asks(Some(GNU), &[]));
    script(&mut files, "b", "/bin/sh", None);
    script(&mut files, "c", "/bin/sh", None);
    let counts = look(&image(vec![files], starts(&["/a"]))).programs;
    assert_eq!(counts.get("dynamic"), Some(&1));
    assert_eq!(counts.get("script"), Some(&2));
}

/// One of a few texts that loaders and file systems find hard.
fn text() -> impl proptest::strategy::Strategy<Value = String> {
    use proptest::prelude::*;
    prop_oneof![
        Just(String::from("libx.so.1")),
        Just(String::from("../a")),
        Just(String::from("$ORIGIN/${LIB}/$")),
        Just(String::from("/")),
        Just(String::new()),
        Just(String::from("etc/ld.so.cache")),
        "[a-c/.$é]{0,12}",
    ]
}

proptest::proptest! {
    #[test]
    fn no_image_panics(
        paths in proptest::collection::vec((text(), proptest::option::of(text())), 0..12),
        needed in proptest::collection::vec(text(), 0..6),
        folders in proptest::collection::vec(text(), 0..4),
        words in proptest::collection::vec(text(), 0..4),
        musl in proptest::bool::ANY,
        bytes in proptest::collection::vec(proptest::num::u8::ANY, 0..60),
    ) {
        let lines: Vec<String> = paths
            .iter()
            .map(|(path, target)| match target {
                Some(target) => format!("{path} -> {target}"),
                None => path.clone(),
            })
            .collect();
        let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
        let mut files = layer(&lines);
        for (path, _) in &paths {
            let interpreter = if musl { MUSL } else { GNU };
            let dynamic = Dynamic {
                interpreter: Some(interpreter.to_owned()),
                needed: needed.clone(),
                rpath: folders.clone(),
                runpath: if musl { folders.clone() } else { Vec::new() },
                soname: needed.first().cloned(),
                ..asks(None, &[])
            };
            put(&mut files, path, dynamic);
            files.notes.push(testing::of_file(path, &bytes));
        }
        let mut config = starts(&[]);
        config.entrypoint = words;
        config.env = folders.iter().map(|folder| format!("LD_LIBRARY_PATH={folder}")).collect();
        let _ = look(&image(vec![files.clone(), files], config));
    }
}
