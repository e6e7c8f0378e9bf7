//! Images made by hand, from the files of their layers to what is installed in them.

use std::collections::BTreeSet;

use proptest::prelude::*;

use super::*;
use crate::image::ContentHash;
use crate::image::Contents;
use crate::image::Entry;
use crate::image::EntryKind;
use crate::image::Layer;
use crate::image::Note;
use crate::image::archive::Probe as _;
use crate::image::archive::Seen;
use crate::units::Bytes;

/// A file of a layer: its path and its content.
type File<'f> = (&'f str, &'f [u8]);

/// A layer of files with their contents; `-path` is a whiteout, `!path` an opaque folder,
/// `path -> target` a link, `path == target` another name.
fn layer(files: &[File<'_>]) -> Layer {
    let mut layer = Layer::default();
    for (path, bytes) in files {
        let (path, kind) = if let Some(path) = path.strip_prefix('-') {
            (path, EntryKind::Whiteout)
        } else if let Some(path) = path.strip_prefix('!') {
            (path, EntryKind::Opaque)
        } else if let Some((path, target)) = path.split_once(" -> ") {
            (path, EntryKind::Symlink(target.to_owned()))
        } else if let Some((path, target)) = path.split_once(" == ") {
            (path, EntryKind::Hardlink(target.to_owned()))
        } else {
            (*path, EntryKind::File)
        };
        let size = Bytes(bytes.len() as u64);
        let seen = Seen {
            path,
            size,
            mode: 0o755,
        };
        let sink = (kind == EntryKind::File)
            .then(|| Packages.look(&seen))
            .flatten();
        if let Some(mut sink) = sink {
            let _ = sink.piece(bytes);
            layer.notes.extend(sink.finish().map(|bytes| Note {
                probe: String::from(collect::NAME),
                path: path.to_owned(),
                bytes,
            }));
        }
        layer.entries.push(Entry {
            path: path.to_owned(),
            kind,
            size,
            mode: 0o755,
            uid: 0,
            gid: 0,
            content: Some(ContentHash(xxhash_rust::xxh3::xxh3_64(bytes))),
            capabilities: false,
        });
    }
    layer
}

fn image(layers: &[&[File<'_>]]) -> Contents {
    let mut contents = Contents {
        layers: layers.iter().map(|files| layer(files)).collect(),
        ..Contents::default()
    };
    for (index, layer) in contents.layers.iter_mut().enumerate() {
        layer.index = index;
    }
    contents
}

/// `name version (layer)` of each package, then each gap.
fn found(layers: &[&[File<'_>]]) -> Vec<String> {
    let inventory = inventory(&image(layers));
    let packages = inventory
        .packages
        .iter()
        .map(|one| format!("{} {} ({})", one.name, one.version, one.layer));
    let gaps = inventory.gaps.iter().map(ToString::to_string);
    packages.chain(gaps).collect()
}

const RELEASE: (&str, &[u8]) = (
    "usr/lib/os-release",
    b"ID=debian\nVERSION_ID=13\nPRETTY_NAME=\"Debian 13\"\n",
);
const RELEASE_LINK: (&str, &[u8]) = ("etc/os-release -> ../usr/lib/os-release", b"");
const STATUS: &str = "var/lib/dpkg/status";
const A: &[u8] = b"Package: a\nStatus: install ok installed\nVersion: 1\nArchitecture: amd64\n";
const AB: &[u8] = b"Package: a\nStatus: install ok installed\nVersion: 1\nArchitecture: amd64\n\n\
    Package: b\nStatus: install ok installed\nVersion: 2-1+b1\nSource: bb\nArchitecture: all\n";
const A_LIST: (&str, &[u8]) = (
    "var/lib/dpkg/info/a.list",
    b"/.\n/usr\n/usr/bin\n/usr/bin/a\n",
);

/// The smallest ELF file that can be loaded and says nothing.
const ELF: &[u8] = b"\x7fELF\x02\x01\x01\0\0\0\0\0\0\0\0\0\x03\0\x3e\0\x01\0\0\0";

const PIP: (&str, &[u8]) = (
    "usr/lib/python3/site-packages/pip-1.dist-info/METADATA",
    b"Name: pip\nVersion: 1\n",
);

#[test]
fn each_package_is_its_first_layer_s_however_often_its_record_is_written() {
    let base: &[File<'_>] = &[RELEASE, RELEASE_LINK, (STATUS, A)];
    let install: &[File<'_>] = &[(STATUS, AB)];
    let touch: &[File<'_>] = &[(STATUS, AB), ("app/x", b"x")];
    assert_eq!(found(&[base, install, touch]), ["a 1 (0)", "b 2-1+b1 (1)"]);
    let inventory = inventory(&image(&[base, install]));
    assert_eq!(inventory.distribution.unwrap().version, "13");
    let b = &inventory.packages[1];
    assert_eq!((b.advised_name(), b.advised_version()), ("bb", "2-1"));
    assert_eq!(b.path, STATUS);
}

#[test]
fn an_upgrade_is_the_upgrading_layer_s() {
    let new: &[u8] =
        b"Package: a\nStatus: install ok installed\nVersion: 1.1\nArchitecture: amd64\n";
    assert_eq!(found(&[&[(STATUS, A)], &[(STATUS, new)]]), ["a 1.1 (1)"]);
    // Removed, and the same version installed again.
    let none: &[u8] = b"";
    assert_eq!(
        found(&[&[(STATUS, A)], &[(STATUS, none)], &[(STATUS, A)]]),
        ["a 1 (2)"]
    );
    assert_eq!(
        found(&[&[(STATUS, A)], &[("-var/lib/dpkg", b"")], &[(STATUS, A)]]),
        ["a 1 (2)"]
    );
    assert_eq!(
        found(&[&[(STATUS, A)], &[("!var/lib/dpkg", b""), (STATUS, A)]]),
        ["a 1 (1)"]
    );
}

#[test]
fn a_record_per_package_is_read_and_its_sums_are_not() {
    let files: &[File<'_>] = &[
        (
            "var/lib/dpkg/status.d/libc6",
            b"Package: libc6\nVersion: 2.41\n",
        ),
        (
            "var/lib/dpkg/status.d/libc6.md5sums",
            b"0  usr/lib/libc.so.6\n",
        ),
        ("usr/lib/libc.so.6", ELF),
        ("usr/share/doc/libc6/copyright -> ../gcc/copyright", b""),
        (
            "usr/share/doc/gcc/copyright",
            b"Format: x\n\nLicense: MIT\n",
        ),
    ];
    assert_eq!(found(&[files]), ["libc6 2.41 (0)"]);
    assert_eq!(inventory(&image(&[files])).packages[0].licences, ["MIT"]);
}

#[test]
fn what_a_system_package_brought_is_reported_once() {
    let list: &[u8] = b"/usr/lib/python3/site-packages/pip-1.dist-info/METADATA\n";
    let owned: &[File<'_>] = &[(STATUS, A), ("var/lib/dpkg/info/a:amd64.list", list), PIP];
    assert_eq!(found(&[owned]), ["a 1 (0)"]);
    // The list of a package that is not installed owns nothing.
    let stray: &[File<'_>] = &[(STATUS, A), ("var/lib/dpkg/info/b.list", list), PIP];
    assert_eq!(found(&[stray]), ["a 1 (0)", "pip 1 (0)"]);
    // A vendor's package is not in the distribution's advisories: what is in it is reported too.
    let vendor: &[u8] = b"Package: a\nVersion: 1\nMaintainer: X <x@docker.com>\n";
    let foreign: &[File<'_>] = &[(STATUS, vendor), ("var/lib/dpkg/info/a.list", list), PIP];
    assert_eq!(found(&[foreign]), ["a 1 (0)", "pip 1 (0)"]);
    let named = |files| inventory(&image(&[files])).foreign.into_iter().collect();
    let (none, one): (Vec<String>, Vec<String>) = (named(owned), named(foreign));
    assert_eq!((none, one), (Vec::new(), vec![String::from("a")]));
    let apk: &[u8] = b"P:py\nV:3-r0\nF:usr/lib/python3/site-packages/pip-1.dist-info\nR:METADATA\n";
    assert_eq!(
        found(&[&[("lib/apk/db/installed", apk), PIP]]),
        ["py 3-r0 (0)"]
    );
}

#[test]
fn what_a_later_layer_deletes_is_not_installed() {
    let modules: &[File<'_>] = &[
        (
            "app/node_modules/a/package.json",
            br#"{"name":"a","version":"1.0.0"}"#,
        ),
        (
            "app/node_modules/b/package.json",
            br#"{"name":"b","version":"2.0.0"}"#,
        ),
    ];
    assert_eq!(
        found(&[modules, &[("-app/node_modules/a", b"")]]),
        ["b 2.0.0 (0)"]
    );
    // A copy of the metadata alone is not a new package.
    let touched: &[File<'_>] = &[(
        "app/node_modules/b/package.json",
        br#"{"name":"b","version":"2.0.0"}"#,
    )];
    assert_eq!(found(&[modules, touched]), ["a 1.0.0 (0)", "b 2.0.0 (0)"]);
}

#[test]
fn of_a_record_that_a_layer_has_twice_the_second_one_counts() {
    let lying: File<'_> = (STATUS, b"Package: a\nVersion: 99\nArchitecture: amd64\n");
    assert_eq!(found(&[&[lying, (STATUS, A)]]), ["a 1 (0)"]);
    assert_eq!(
        found(&[&[(STATUS, A)], &[lying, (STATUS, AB)]])[0],
        "a 1 (0)"
    );
}

#[test]
fn another_name_of_a_file_is_the_same_package() {
    let files: &[File<'_>] = &[
        (
            "root/.cache/uv/x/a-1.dist-info/METADATA",
            b"Name: a\nVersion: 1\n",
        ),
        (
            "app/a-1.dist-info/METADATA == root/.cache/uv/x/a-1.dist-info/METADATA",
            b"",
        ),
    ];
    let both = inventory(&image(&[files])).packages;
    assert_eq!(both.len(), 1);
    assert_eq!(both[0].path, "app/a-1.dist-info/METADATA");
    assert_eq!(found(&[files, &[("-root/.cache", b"")]]), ["a 1 (0)"]);
    // One program of many names is one program.
    let applets: &[File<'_>] = &[
        ("bin/box", ELF),
        ("bin/[ == bin/box", b""),
        ("bin/ls == bin/box", b""),
    ];
    assert_eq!(
        found(&[applets]),
        ["/bin/box does not say what it was made of"]
    );
}

#[test]
fn an_opaque_program_is_named_unless_somebody_accounts_for_it() {
    assert_eq!(
        found(&[&[("app", ELF), ("lib/libx.so", ELF)]]),
        [
            "/app does not say what it was made of",
            "/lib/libx.so does not say what it was made of"
        ]
    );
    let accounted: &[File<'_>] = &[
        (STATUS, A),
        A_LIST,
        ("bin -> usr/bin", b""),
        ("usr/bin/a", ELF),
        (
            "usr/lib/python3/site-packages/pip-1.dist-info/RECORD",
            b"pip/x.so,,\n",
        ),
        PIP,
        ("usr/lib/python3/site-packages/pip/x.so", ELF),
        (
            "app/node_modules/a/package.json",
            br#"{"name":"na","version":"3.0.0"}"#,
        ),
        ("app/node_modules/a/build/x.node", ELF),
        ("usr/local/lib/python3.13/os.py", b""),
        ("usr/local/bin/python3.13", ELF),
        ("usr/local/lib/libpython3.13.so.1.0", ELF),
        ("usr/local/lib/python3.13/lib-dynload/_ssl.so", ELF),
    ];
    assert_eq!(
        found(&[accounted]),
        ["a 1 (0)", "pip 1 (0)", "na 3.0.0 (0)"]
    );
    let runtimes = inventory(&image(&[accounted])).runtimes;
    assert_eq!(runtimes[0].name, "python");
    assert_eq!(runtimes[0].version, "3.13");
}

#[test]
fn a_folder_of_another_name_that_a_link_calls_node_modules_is_no_empty_one() {
    let lodash: &[u8] = br#"{"name":"lodash","version":"4.17.20"}"#;
    let told = "the package records /app/node_modules cannot be read: it leads to /deps, and packages of Node are read in folders of that name";
    let gaps = |link, manifest: &str| {
        let mut found = found(&[&[RELEASE, (STATUS, A), (manifest, lodash), (link, b"")]]);
        found.remove(0);
        found
    };
    let link = "app/node_modules -> /deps";
    assert_eq!(gaps(link, "deps/lodash/package.json"), [told]);
    assert_eq!(gaps(link, "deps/@a/b/package.json"), [told]);
    let none: [&str; 0] = [];
    assert_eq!(gaps(link, "deps/package.json"), none);
    assert_eq!(gaps(link, "deps/lodash/src/x/package.json"), none);
    assert_eq!(gaps(link, "src/lodash/package.json"), none);
    // A part of the tree under development is nobody's package but the image's own.
    let own = "app/node_modules/lodash -> ../../packages/lodash";
    assert_eq!(gaps(own, "packages/lodash/package.json"), none);
    let beside = "app/node_modules -> ../deps/node_modules";
    let read = gaps(beside, "deps/node_modules/lodash/package.json");
    assert_eq!(read, ["lodash 4.17.20 (0)"]);
}

#[test]
fn a_jar_of_several_makers_that_names_none_is_as_opaque_as_a_program() {
    let mut writer = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    for class in [
        "com/acme/Main.class",
        "org/apache/logging/log4j/Logger.class",
    ] {
        let options = zip::write::SimpleFileOptions::default();
        writer.start_file(class, options).unwrap();
    }
    let shaded = writer.finish().unwrap().into_inner();
    let files: &[File<'_>] = &[(STATUS, A), A_LIST, ("app/app.jar", &shaded)];
    assert_eq!(
        found(&[files]),
        ["a 1 (0)", "/app/app.jar does not say what it was made of"]
    );
    // One that a package of the distribution brought is that package.
    let owned: &[File<'_>] = &[
        (STATUS, A),
        ("var/lib/dpkg/info/a.list", b"/usr/share/java/app.jar\n"),
        ("usr/share/java/app.jar", &shaded),
    ];
    assert_eq!(found(&[owned]), ["a 1 (0)"]);
}

#[test]
fn a_package_does_not_speak_for_a_file_that_was_replaced() {
    let base: &[File<'_>] = &[(STATUS, A), A_LIST, ("usr/bin/a", ELF)];
    let other = [ELF, b"other"].concat();
    let opaque = "/usr/bin/a does not say what it was made of";
    let replaced: &[File<'_>] = &[("usr/bin/a", &other)];
    assert_eq!(found(&[base, replaced]), ["a 1 (0)", opaque]);
    let by_way_of_deleting: &[&[File<'_>]] = &[base, &[("-usr/bin/a", b"")], replaced];
    assert_eq!(found(by_way_of_deleting), ["a 1 (0)", opaque]);
    // Other permissions are no other file, and an upgrade brings its own.
    assert_eq!(found(&[base, &[("usr/bin/a", ELF)]]), ["a 1 (0)"]);
    let new: &[u8] = b"Package: a\nStatus: install ok installed\nVersion: 1.1\n";
    let upgrade: &[File<'_>] = &[(STATUS, new), A_LIST, ("usr/bin/a", &other)];
    assert_eq!(found(&[base, upgrade]), ["a 1.1 (1)"]);
}

#[test]
fn runtimes_tell_their_version_where_they_lie() {
    let files: &[File<'_>] = &[
        ("usr/local/include/python3.13/patchlevel.h", b"#define PY_VERSION  \"3.13.9\"\n"),
        ("usr/local/lib/python3.13/os.py", b""),
        ("opt/java/release", b"JAVA_VERSION=\"21.0.4\"\nOS_ARCH=\"x86_64\"\n"),
        ("opt/java/lib/modules", b"x"),
        ("opt/java/lib/libjli.so", ELF),
        ("usr/local/go/VERSION", b"go1.26.1\ntime 2026\n"),
        ("usr/local/go/bin/go", ELF),
        ("usr/local/include/node/node_version.h",
         b"#define NODE_MAJOR_VERSION 22\n#define NODE_MINOR_VERSION 9\n#define NODE_PATCH_VERSION 0\n"),
        ("usr/local/bin/node", ELF),
        ("app/VERSION", b"go1.0\n"),
        ("app/server", ELF),
    ];
    let inventory = inventory(&image(&[files]));
    let runtimes: Vec<String> = inventory
        .runtimes
        .iter()
        .map(|one| format!("{} {} at {}", one.name, one.version, one.path))
        .collect();
    assert_eq!(
        runtimes,
        [
            "go 1.26.1 at usr/local/go",
            "java 21.0.4 at opt/java",
            "node 22.9.0 at usr/local",
            "python 3.13.9 at usr/local/bin/python",
        ]
    );
    // A file that merely looks like a runtime's covers nothing.
    let opaque = Gap::OpaqueBinary {
        path: String::from("app/server"),
        layer: 0,
    };
    assert_eq!(inventory.gaps, [opaque]);
}

#[test]
fn records_that_a_layer_removes_are_missed_while_the_files_stay() {
    let base: &[File<'_>] = &[RELEASE, (STATUS, A), A_LIST, ("usr/bin/a", ELF)];
    let removed = "the package records /var/lib/dpkg/status were removed";
    assert_eq!(found(&[base, &[("-var/lib/dpkg", b"")]]), [removed]);
    let rewritten = "the package records /var/lib/dpkg/status no longer name `a`, \
        whose files are still there";
    assert_eq!(found(&[base, &[(STATUS, b"")]]), [rewritten]);
    // With its files, a package is properly removed.
    let proper: &[File<'_>] = &[
        (STATUS, b""),
        ("-usr/bin/a", b""),
        ("-var/lib/dpkg/info/a.list", b""),
    ];
    assert_eq!(found(&[base, proper]), Vec::<String>::new());
    let distroless: &[File<'_>] = &[
        ("var/lib/dpkg/status.d/a", A),
        ("var/lib/dpkg/status.d/a.md5sums", b"0  usr/bin/a\n"),
        ("usr/bin/a", ELF),
    ];
    assert_eq!(
        found(&[distroless, &[("!var/lib/dpkg/status.d", b"")]]),
        ["the package records /var/lib/dpkg/status.d were removed"]
    );
    let apk: &[File<'_>] = &[
        ("lib/apk/db/installed", b"P:a\nV:1\nF:bin\nR:a\n"),
        ("bin/a", ELF),
    ];
    assert_eq!(
        found(&[apk, &[("-lib/apk", b"")]]),
        ["the package records /lib/apk/db/installed were removed"]
    );
    let gap = inventory(&image(&[apk, &[("app", b"")], &[("-lib/apk", b"")]])).gaps;
    assert!(
        matches!(gap[0], Gap::RecordsRemoved { layer: 2, .. }),
        "{gap:?}"
    );
}

#[test]
fn another_version_in_the_records_is_none_while_the_files_are_the_same() {
    let old: &[u8] = b"Package: a\nVersion: 99\nArchitecture: amd64\n";
    let base: &[File<'_>] = &[(STATUS, A), A_LIST, ("usr/bin/a", ELF)];
    let edited: &[File<'_>] = &[(STATUS, old)];
    let gap = "the records of `a` in /var/lib/dpkg/status were changed, its files were not";
    assert_eq!(found(&[base, edited]), ["a 99 (1)", gap]);
    // In two steps, and beside anything else.
    let gone: &[File<'_>] = &[("-var/lib/dpkg/status", b"")];
    assert_eq!(found(&[base, gone, edited]), ["a 99 (2)", gap]);
    let gaps = inventory(&image(&[base, &[("app", b"x")], edited])).gaps;
    assert!(
        matches!(gaps[0], Gap::RecordsChanged { layer: 2, .. }),
        "{gaps:?}"
    );
    // An upgrade brings files, in whatever layer beside its records.
    let file: &[File<'_>] = &[("usr/bin/a", b"new")];
    assert_eq!(found(&[base, edited, file]), ["a 99 (1)"]);
    assert_eq!(found(&[base, file, edited]), ["a 99 (2)"]);
    // A package that has nothing but documentation has nothing to be seen by.
    let notes: &[File<'_>] = &[
        (STATUS, A),
        ("var/lib/dpkg/info/a.list", b"/usr/share/doc/a/copyright\n"),
        ("usr/share/doc/a/copyright", b"Format: x\n"),
    ];
    assert_eq!(found(&[notes, edited]), ["a 99 (1)"]);
    let two: &[u8] = b"Package: a\nVersion: 99\nArchitecture: amd64\n\n\
        Package: b\nVersion: 99\nArchitecture: all\n";
    let both: &[File<'_>] = &[
        (STATUS, AB),
        A_LIST,
        ("usr/bin/a", ELF),
        ("var/lib/dpkg/info/b.list", b"/usr/bin/b\n"),
        ("usr/bin/b", ELF),
    ];
    assert_eq!(
        found(&[both, &[(STATUS, two)]])[2..],
        [
            "the records of `a` and 1 more package in /var/lib/dpkg/status were changed, \
            their files were not"
        ]
    );
}

const GAP_OF_A: &str =
    "the records of `a` in /var/lib/dpkg/status were changed, its files were not";

/// Another version of `a` in Debian's records.
const A_NEWER: File<'_> = (
    STATUS,
    b"Package: a\nStatus: install ok installed\nVersion: 99\nArchitecture: amd64\n",
);

/// ELF files that differ.
const OTHER_ELF: &[u8] = b"\x7fELF\x02\x01\x01\0\0\0\0\0\0\0\0\0\x03\0\x3e\0\x01\0\0\0 other";

#[test]
fn a_single_file_that_was_touched_makes_no_upgrade_of_programs() {
    const LIST: File<'_> = (
        "var/lib/dpkg/info/a.list",
        b"/usr/bin/a\n/usr/bin/b\n/usr/lib/c.so\n/usr/share/a/data\n",
    );
    let base: &[File<'_>] = &[
        (STATUS, A),
        LIST,
        ("usr/bin/a", ELF),
        ("usr/bin/b", ELF),
        ("usr/lib/c.so", ELF),
        ("usr/share/a/data", b"x"),
    ];
    let with = |files: &[File<'_>]| found(&[base, &[&[A_NEWER], files].concat()]);
    let touched = ("usr/bin/a", ELF);
    let edited = ("usr/bin/a", OTHER_ELF);
    let data = ("usr/share/a/data", b"y".as_slice());
    for few in [
        vec![touched],
        vec![edited],
        vec![data],
        vec![touched, data, LIST],
    ] {
        assert_eq!(with(&few), ["a 99 (1)", GAP_OF_A], "{few:?}");
    }
    // All of them are touched, and nothing lists them anew.
    let all = [touched, ("usr/bin/b", ELF), ("usr/lib/c.so", ELF)];
    assert_eq!(with(&all), ["a 99 (1)", GAP_OF_A]);
    // An upgrade whose programs came out just as they were.
    assert_eq!(with(&[&all[..], &[LIST]].concat()), ["a 99 (1)"]);
    // An upgrade whose data is as old as before, and left out.
    let two = [edited, ("usr/lib/c.so", OTHER_ELF)];
    assert_eq!(with(&two), ["a 99 (1)"]);
    // What another layer copied, to give it to somebody say, is no upgrade of a later one.
    assert_eq!(
        found(&[base, &base[1..], &[A_NEWER]]),
        ["a 99 (2)", GAP_OF_A]
    );
    // A vendor packs what others made, and a builder leaves that out.
    let vendor: &[u8] =
        b"Package: a\nVersion: 99\nArchitecture: amd64\nMaintainer: Docker <support@docker.com>\n";
    let told = found(&[base, &[(STATUS, vendor), edited, LIST]]);
    assert_eq!(told.len(), 1, "{told:?}");
}

#[test]
fn an_upgrade_of_a_package_without_programs_may_ship_little() {
    const LIST: File<'_> = (
        "var/lib/dpkg/info/a.list",
        b"/usr/share/a/1\n/usr/share/a/2\n/usr/share/a/3\n/usr/share/a/example\n",
    );
    let base: &[File<'_>] = &[
        (STATUS, A),
        LIST,
        ("usr/share/a/1", b"1"),
        ("usr/share/a/2", b"2"),
        ("usr/share/a/3", b"3"),
        ("usr/share/a/example", ELF),
    ];
    let with = |files: &[File<'_>]| found(&[base, &[&[A_NEWER], files].concat()]);
    assert_eq!(with(&[("usr/share/a/1", b"9"), LIST]), ["a 99 (1)"]);
    assert_eq!(with(&[base[2], base[3], LIST]), ["a 99 (1)"]);
    // No installer was there that would list the files anew.
    for few in [
        vec![base[2]],
        vec![base[2], base[3]],
        vec![("usr/share/a/1", b"9".as_slice())],
    ] {
        assert_eq!(with(&few), ["a 99 (1)", GAP_OF_A], "{few:?}");
    }
    // Where the lists went with the upgrade, nobody can tell.
    let gone = ("-var/lib/dpkg/info", b"".as_slice());
    let with = |file: File<'_>| found(&[&base[..5], &[A_NEWER, file, gone]]);
    assert_eq!(with(("usr/share/a/1", b"9")), ["a 99 (1)"]);
    assert_eq!(with(base[2]), ["a 99 (1)", GAP_OF_A]);
}

#[test]
fn a_module_that_was_touched_makes_no_upgrade() {
    let place = |name: &str| format!("usr/lib/python3/site-packages/{name}");
    let (metadata, record) = (
        place("pip-1.dist-info/METADATA"),
        place("pip-1.dist-info/RECORD"),
    );
    let modules: Vec<String> = ["a", "b", "c"]
        .map(|name| place(&format!("pip/{name}.py")))
        .into();
    let bytecode = place("pip/__pycache__/a.cpython-313.pyc");
    let list: &[u8] = b"pip/a.py,,\npip/b.py,,\npip/c.py,,\npip/__pycache__/a.cpython-313.pyc,,\n";
    let base: &[File<'_>] = &[
        (&metadata, b"Name: pip\nVersion: 1\n"),
        (&record, list),
        (&modules[0], b"1"),
        (&modules[1], b"2"),
        (&modules[2], b"3"),
    ];
    let gone = format!("-{}", place("pip-1.dist-info"));
    let anew = (
        place("pip-99.dist-info/METADATA"),
        place("pip-99.dist-info/RECORD"),
    );
    let newer: &[File<'_>] = &[
        (&gone, b""),
        (&anew.0, b"Name: pip\nVersion: 99\n"),
        (&anew.1, list),
    ];
    let with = |files: &[File<'_>]| found(&[base, &[newer, files].concat()]);
    let gap = format!(
        "the records of `pip` in /{} were changed, its files were not",
        anew.0
    );
    for few in [
        vec![],
        vec![base[2]],
        vec![(modules[0].as_str(), b"9".as_slice())],
        vec![base[2], (&bytecode, b"made of a.py")],
    ] {
        assert_eq!(with(&few), ["pip 99 (1)", &gap], "{few:?}");
    }
    // An installer writes all of them, whether or not they are others.
    assert_eq!(with(&base[2..]), ["pip 99 (1)"]);
    assert_eq!(with(&[base[2], (&modules[1], b"9")]), ["pip 99 (1)"]);
}

#[test]
fn a_file_of_a_node_package_that_was_touched_makes_no_upgrade() {
    let base: &[File<'_>] = &[
        (
            "app/node_modules/a/package.json",
            br#"{"name":"a","version":"1.0.0"}"#,
        ),
        ("app/node_modules/a/index.js", b"1"),
        ("app/node_modules/a/b.js", b"2"),
        ("app/node_modules/a/README.md", b"3"),
    ];
    let newer: &[u8] = br#"{"name":"a","version":"9.0.0"}"#;
    let with = |files: &[File<'_>]| found(&[base, &[&[(base[0].0, newer)], files].concat()]);
    let gap =
        "the records of `a` in /app/node_modules/a/package.json were changed, its files were not";
    assert_eq!(with(&[base[1]]), ["a 9.0.0 (1)", gap]);
    // Of an upgrade a builder ships what is new alone, as all files have the same time.
    assert_eq!(
        with(&[("app/node_modules/a/README.md", b"9")]),
        ["a 9.0.0 (1)"]
    );
    assert_eq!(
        with(&[("app/node_modules/a/new.js", b"9")]),
        ["a 9.0.0 (1)"]
    );
    assert_eq!(with(&[base[1], base[2]]), ["a 9.0.0 (1)"]);
    // Nor does a touched file make another package of one whose record is gone.
    let gone: &[File<'_>] = &[("-app/node_modules/a/package.json", b""), base[1]];
    assert_eq!(
        found(&[base, gone]),
        ["the package records /app/node_modules/a/package.json were removed"]
    );
}

#[test]
fn another_version_in_python_s_metadata_is_none_while_the_modules_are_the_same() {
    let folder = "usr/lib/python3/site-packages";
    let path = |inner: &str| format!("{folder}/{inner}");
    let (metadata, record) = (
        path("pip-1.dist-info/METADATA"),
        path("pip-1.dist-info/RECORD"),
    );
    let module = path("pip/main.py");
    let list: &[u8] = b"pip/main.py,,\npip-1.dist-info/METADATA,,\npip-1.dist-info/RECORD,,\n";
    let base: &[File<'_>] = &[
        (&metadata, b"Name: pip\nVersion: 1\n"),
        (&record, list),
        (&module, b"x"),
    ];
    let edited: &[File<'_>] = &[(&metadata, b"Name: pip\nVersion: 99.0\n")];
    assert_eq!(
        found(&[base, edited]),
        [
            "pip 99.0 (1)",
            &format!("the records of `pip` in /{metadata} were changed, its files were not"),
            &format!(
                "the package records /{metadata} say version 99.0, their folder's name says 1"
            ),
        ]
    );
    // The folder moved along.
    let (gone, anew, list_anew) = (
        format!("-{}", path("pip-1.dist-info")),
        path("pip-99.dist-info/METADATA"),
        path("pip-99.dist-info/RECORD"),
    );
    let moved: &[File<'_>] = &[
        (&gone, b""),
        (&anew, b"Name: pip\nVersion: 99\n"),
        (&list_anew, b"pip/main.py,,\n"),
    ];
    assert_eq!(
        found(&[base, moved]),
        [
            "pip 99 (1)",
            &format!("the records of `pip` in /{anew} were changed, its files were not"),
        ]
    );
    let upgraded: &[File<'_>] = &[moved[0], moved[1], moved[2], (&module, b"y")];
    assert_eq!(found(&[base, upgraded]), ["pip 99 (1)"]);
    // In one layer, the folder's name tells.
    let lying: &[File<'_>] = &[(&metadata, b"Name: pip\nVersion: 99.0\n"), base[1], base[2]];
    assert_eq!(
        found(&[lying])[1..],
        [format!(
            "the package records /{metadata} say version 99.0, their folder's name says 1"
        )]
    );
}

#[test]
fn only_the_layer_that_dropped_a_package_is_blamed_for_its_records() {
    let base: &[File<'_>] = &[RELEASE, (STATUS, A), A_LIST, ("usr/bin/a", ELF)];
    let anew: &[File<'_>] = &[(STATUS, AB)];
    let gaps = inventory(&image(&[base, anew, &[("-var/lib/dpkg", b"")]])).gaps;
    let layers: Vec<usize> = gaps
        .iter()
        .filter_map(|gap| match gap {
            Gap::RecordsRemoved { layer, .. } => Some(*layer),
            _ => None,
        })
        .collect();
    assert_eq!(layers, [2], "{gaps:?}");
}

#[test]
fn another_release_than_that_of_the_packages_is_a_gap() {
    let base_files = |version: &str| {
        format!(
            "Package: base-files\nStatus: install ok installed\nVersion: {version}\nArchitecture: amd64\n"
        )
    };
    let (twelve, thirteen) = (base_files("12.4+deb12u5"), base_files("13.8+deb13u8"));
    let release = |text: &'static [u8]| ("usr/lib/os-release", text);
    let old = release(b"ID=debian\nVERSION_ID=12\n");
    let list: File<'_> = (
        "var/lib/dpkg/info/base-files.list",
        b"/usr/lib/os-release\n",
    );
    let base: &[File<'_>] = &[RELEASE, RELEASE_LINK, (STATUS, thirteen.as_bytes()), list];
    let gap = "/usr/lib/os-release says debian 12, the packages are of debian 13";
    assert_eq!(found(&[base, &[old]])[1..], [gap]);
    // Its own package says so in one layer, too.
    let merged: &[File<'_>] = &[old, RELEASE_LINK, (STATUS, thirteen.as_bytes()), list];
    assert_eq!(found(&[merged])[1..], [gap]);
    // A file in the place of the link, and another distribution.
    let copied: File<'_> = ("etc/os-release", b"ID=ubuntu\nVERSION_ID=24.04\n");
    assert_eq!(
        found(&[base, &[("app/x", b"x")], &[copied]])[1..],
        ["/etc/os-release says ubuntu 24.04, the packages are of debian 13"]
    );
    // An upgrade brings the package along, and who words the title anew changes nothing.
    let before: &[File<'_>] = &[old, RELEASE_LINK, (STATUS, twelve.as_bytes()), list];
    let upgrade: &[File<'_>] = &[RELEASE, (STATUS, thirteen.as_bytes()), list];
    let titled = release(b"ID=debian\nVERSION_ID=13\nPRETTY_NAME=Ours\n");
    assert_eq!(
        found(&[before, upgrade, &[titled]]),
        ["base-files 13.8+deb13u8 (1)"]
    );
    let alpine =
        |version: &str| format!("P:alpine-release\nV:{version}\nF:usr/lib\nR:os-release\n");
    let (one, two) = (alpine("3.21.0-r0"), alpine("3.22.0-r0"));
    let installed = "lib/apk/db/installed";
    let base: &[File<'_>] = &[
        release(b"ID=alpine\nVERSION_ID=3.21.0\n"),
        (installed, one.as_bytes()),
    ];
    let next = release(b"ID=alpine\nVERSION_ID=3.22.0\n");
    assert_eq!(
        found(&[base, &[next, (installed, two.as_bytes())]]),
        ["alpine-release 3.22.0-r0 (1)"]
    );
    assert_eq!(
        found(&[base, &[next]])[1..],
        ["/usr/lib/os-release says alpine 3.22.0, the packages are of alpine 3.21.0"]
    );
}

#[test]
fn python_s_records_are_missed_while_its_modules_stay() {
    let base: &[File<'_>] = &[
        PIP,
        (
            "usr/lib/python3/site-packages/pip-1.dist-info/RECORD",
            b"pip/__init__.py,,\npip/main.py,,\npip-1.dist-info/METADATA,,\n../../../bin/pip,,\n",
        ),
        ("usr/lib/python3/site-packages/pip/__init__.py", b"x"),
        ("usr/lib/python3/site-packages/pip/main.py", b"x"),
        ("usr/bin/pip", b"#!x"),
    ];
    let hidden: &[File<'_>] = &[("-usr/lib/python3/site-packages/pip-1.dist-info", b"")];
    assert_eq!(
        found(&[base, hidden]),
        [
            "the package records /usr/lib/python3/site-packages/pip-1.dist-info/METADATA were removed"
        ]
    );
    let uninstalled: &[File<'_>] = &[
        ("-usr/lib/python3/site-packages/pip-1.dist-info", b""),
        ("-usr/lib/python3/site-packages/pip", b""),
    ];
    assert_eq!(found(&[base, uninstalled]), Vec::<String>::new());
    let upgraded: &[File<'_>] = &[
        ("-usr/lib/python3/site-packages/pip-1.dist-info", b""),
        (
            "usr/lib/python3/site-packages/pip-2.dist-info/METADATA",
            b"Name: pip\nVersion: 2\n",
        ),
        // An installer writes all of them, those that stay as they were too.
        ("usr/lib/python3/site-packages/pip/__init__.py", b"x"),
        ("usr/lib/python3/site-packages/pip/main.py", b"y"),
    ];
    assert_eq!(found(&[base, upgraded]), ["pip 2 (1)"]);
}

#[test]
fn modules_without_metadata_are_a_gap_of_their_folder() {
    let files: &[File<'_>] = &[
        PIP,
        (
            "usr/lib/python3/site-packages/pip-1.dist-info/RECORD",
            b"pip/__init__.py,,\n",
        ),
        ("usr/lib/python3/site-packages/pip/__init__.py", b""),
        ("usr/lib/python3/site-packages/flask/__init__.py", b""),
        ("usr/lib/python3/site-packages/werkzeug/__init__.py", b""),
    ];
    let gap = "files of `flask` and 1 more module in /usr/lib/python3/site-packages are there, \
        the package records are not";
    assert_eq!(found(&[files]), ["pip 1 (0)", gap]);
    // Metadata of the old kind does not list what belongs to it.
    let old: &[File<'_>] = &[(
        "usr/lib/python3/site-packages/x.egg-info",
        b"Name: x\nVersion: 1\n",
    )];
    assert_eq!(found(&[files, old]), ["pip 1 (0)", "x 1 (1)"]);
}

#[test]
fn a_program_below_a_folder_that_is_only_named_alike_is_opaque() {
    for path in ["my_node_modules/server", "app/node_modules/.bin/server"] {
        assert_eq!(
            found(&[&[(path, ELF)]]),
            [format!("/{path} does not say what it was made of")]
        );
    }
    let nameless = "app/node_modules/a/server";
    assert_eq!(
        found(&[&[(nameless, ELF)]]),
        [
            "/app/node_modules/a/server does not say what it was made of",
            "files of `a` in /app/node_modules are there, the package records are not",
        ]
    );
}

#[test]
fn node_s_records_are_missed_while_its_modules_stay() {
    let base: &[File<'_>] = &[
        (
            "app/node_modules/a/package.json",
            br#"{"name":"a","version":"1.0.0"}"#,
        ),
        ("app/node_modules/a/index.js", b"x"),
        (
            "app/node_modules/@s/b/package.json",
            br#"{"name":"@s/b","version":"2.0.0"}"#,
        ),
        ("app/node_modules/@s/b/index.js", b"x"),
        ("app/node_modules/@s/b/test/node_modules/t/index.js", b"x"),
    ];
    assert_eq!(found(&[base]), ["@s/b 2.0.0 (0)", "a 1.0.0 (0)"]);
    let one: &[File<'_>] = &[("-app/node_modules/a/package.json", b"")];
    assert_eq!(
        found(&[base, one]),
        [
            "@s/b 2.0.0 (0)",
            "the package records /app/node_modules/a/package.json were removed",
        ]
    );
    let both: &[File<'_>] = &[one[0], ("-app/node_modules/@s/b/package.json", b"")];
    assert_eq!(
        found(&[base, both]),
        ["the package records /app/node_modules/*/package.json were removed"]
    );
    let blank: &[File<'_>] = &[("app/node_modules/a/package.json", b"{}")];
    let rewritten = "the package records /app/node_modules/a/package.json no longer name `a`, \
        whose files are still there";
    assert_eq!(found(&[base, blank]), ["@s/b 2.0.0 (0)", rewritten]);
    let renamed: &[File<'_>] = &[(
        "app/node_modules/a/package.json",
        br#"{"name":"x","version":"1.0.0"}"#,
    )];
    assert_eq!(
        found(&[base, renamed]),
        ["@s/b 2.0.0 (0)", "x 1.0.0 (1)", rewritten]
    );
    let newer: &[File<'_>] = &[(
        "app/node_modules/a/package.json",
        br#"{"name":"a","version":"9.0.0"}"#,
    )];
    assert_eq!(
        found(&[base, newer]),
        [
            "@s/b 2.0.0 (0)",
            "a 9.0.0 (1)",
            "the records of `a` in /app/node_modules/a/package.json were changed, its files were not",
        ]
    );
    let upgraded: &[File<'_>] = &[newer[0], ("app/node_modules/a/index.js", b"y")];
    assert_eq!(found(&[base, upgraded]), ["@s/b 2.0.0 (0)", "a 9.0.0 (1)"]);
    let gone: &[File<'_>] = &[("-app/node_modules", b"")];
    assert_eq!(found(&[base, gone]), Vec::<String>::new());
}

#[test]
fn node_s_folders_that_nothing_names_are_a_gap() {
    let bare: &[File<'_>] = &[
        ("app/node_modules/a/index.js", b"x"),
        ("app/node_modules/a/node_modules/b/index.js", b"x"),
        ("app/node_modules/c/index.js", b"x"),
        ("app/node_modules/c/package.json", br#"{"type":"module"}"#),
        ("app/node_modules/.cache/d/index.js", b"x"),
    ];
    assert_eq!(
        found(&[bare]),
        [
            "files of `a` and 1 more package in /app/node_modules are there, \
                the package records are not",
            "the package records /app/node_modules/c/package.json cannot be read: \
                it names no package with a version",
        ]
    );
}

#[test]
fn files_of_a_distribution_without_records_are_a_gap() {
    let missing = "files of Debian 13 are there, the package records are not";
    assert_eq!(
        found(&[&[RELEASE, RELEASE_LINK, ("usr/bin/x", ELF)]]),
        [missing]
    );
    assert_eq!(
        found(&[&[("lib/x86_64-linux-gnu/libc.so.6", ELF), ("app/y", ELF)]]),
        [
            "/app/y does not say what it was made of",
            "files of Debian or Ubuntu are there, the package records are not",
        ]
    );
    assert_eq!(
        found(&[&[("lib/ld-musl-x86_64.so.1", ELF)]]),
        ["files of Alpine are there, the package records are not"]
    );
    // A note of a distribution and nothing of it.
    assert_eq!(
        found(&[&[RELEASE, ("etc/ssl/certs/ca.crt", b"x")]]),
        Vec::<String>::new()
    );
    let rpm: &[File<'_>] = &[
        ("usr/lib/os-release", b"ID=fedora\n"),
        ("usr/lib/sysimage/rpm/rpmdb.sqlite", b"SQLite"),
        ("usr/bin/x", ELF),
    ];
    assert_eq!(
        found(&[rpm]),
        ["the package records /usr/lib/sysimage/rpm/rpmdb.sqlite are of a kind that is not read"]
    );
}

#[test]
fn broken_records_are_gaps() {
    assert_eq!(
        found(&[&[
            ("app/node_modules/a/package.json", b"{"),
            ("x.jar", b"no archive")
        ]]),
        [
            "the package records /app/node_modules/a/package.json cannot be read: it is no JSON object",
            "the package records /x.jar cannot be read: it is no sound archive",
        ]
    );
}

#[test]
fn what_is_sound_in_a_broken_record_is_kept_and_the_rest_is_a_gap() {
    let status: &[u8] = b"Package: a\nVersion: 1\n\nPackage: b\n";
    let jar = {
        use std::io::Write as _;
        let mut writer = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
        let options = zip::write::SimpleFileOptions::default();
        for (name, text) in [
            ("lib/bad.jar", "no archive"),
            (
                "META-INF/maven/g/c/pom.properties",
                "groupId=g\nartifactId=c\nversion=3\n",
            ),
        ] {
            writer.start_file(name, options).unwrap();
            writer.write_all(text.as_bytes()).unwrap();
        }
        writer.finish().unwrap().into_inner()
    };
    assert_eq!(
        found(&[&[(STATUS, status), ("app.jar", &jar)]]),
        [
            "a 1 (0)",
            "g:c 3 (0)",
            "the package records /app.jar!/lib/bad.jar cannot be read: it is no sound archive",
            "the package records /var/lib/dpkg/status cannot be read: a package in it has no name or no version",
        ]
    );
}

#[test]
fn gems_and_php_packages_are_listed_unless_the_distribution_brought_them() {
    let gem = "usr/lib/ruby/gems/3.3.0/specifications/rack-3.0.8.gemspec";
    let php: (&str, &[u8]) = (
        "app/vendor/composer/installed.json",
        br#"{"packages":[{"name":"monolog/monolog","version":"2.9.1"}]}"#,
    );
    assert_eq!(
        found(&[&[(gem, b""), php]]),
        ["rack 3.0.8 (0)", "monolog/monolog 2.9.1 (0)"]
    );
    let list = format!("/{gem}\n");
    let owned: &[File<'_>] = &[
        (STATUS, A),
        ("var/lib/dpkg/info/a.list", list.as_bytes()),
        (gem, b""),
    ];
    assert_eq!(found(&[owned]), ["a 1 (0)"]);
}

/// Each of the stanzas would otherwise have the whole list looked at: more than is looked at in all,
/// and then the record is not known for properly removed.
#[test]
fn a_name_that_a_removed_record_repeats_is_asked_for_once() {
    let status = "Package: a\nVersion: 1\n\n".repeat(20_000);
    let list: String = (0..20_000).map(|at| format!("/usr/share/{at}\n")).collect();
    let files: &[File<'_>] = &[
        (STATUS, status.as_bytes()),
        ("var/lib/dpkg/info/a.list", list.as_bytes()),
    ];
    let gone: &[File<'_>] = &[("-var/lib/dpkg", b"")];
    assert_eq!(found(&[files, gone]), Vec::<String>::new());
}

#[test]
fn an_empty_image_holds_nothing_and_hides_nothing() {
    assert_eq!(inventory(&Contents::default()), Inventory::default());
}

proptest! {
    /// Whatever happens to a record in whatever layers: the layer that is named has the package,
    /// and the packages are those of what the image shows.
    #[test]
    fn the_first_layer_has_the_package(
        layers in proptest::collection::vec(
            proptest::collection::vec((0..4_usize, proptest::collection::vec("[ab]", 0..3)), 0..2), 1..6)
    ) {
        let text = |names: &[String]| -> Vec<u8> {
            names
                .iter()
                .map(|name| format!("Package: {name}\nVersion: 1\n\n"))
                .collect::<String>()
                .into_bytes()
        };
        let files: Vec<Vec<(&str, Vec<u8>)>> = layers
            .iter()
            .map(|layer| {
                let files = layer.iter().map(|(sort, names)| match sort {
                    0 => ("-var/lib", Vec::new()),
                    1 => ("!var/lib/dpkg", Vec::new()),
                    _ => (STATUS, text(names)),
                });
                files.collect()
            })
            .collect();
        let files: Vec<Vec<(&str, &[u8])>> = files
            .iter()
            .map(|layer| layer.iter().map(|(path, bytes)| (*path, bytes.as_slice())).collect())
            .collect();
        let files: Vec<&[(&str, &[u8])]> = files.iter().map(Vec::as_slice).collect();
        let contents = image(&files);
        let found = inventory(&contents).packages;
        let tree = crate::image::tree::Tree::of(&contents);
        let shown = tree.at(STATUS).map(|node| node.layer);
        let record = shown.and_then(|layer| files[layer].iter().find(|(path, _)| *path == STATUS));
        let record = String::from_utf8_lossy(record.map_or(b"", |(_, bytes)| bytes));
        let listed: BTreeSet<&str> =
            record.lines().filter_map(|line| line.strip_prefix("Package: ")).collect();
        let names: BTreeSet<&str> = found.iter().map(|package| package.name.as_str()).collect();
        prop_assert_eq!(names, listed);
        for package in &found {
            prop_assert!(shown.is_some_and(|shown| package.layer <= shown));
            let notes = notes::Notes::of(&contents);
            let says = matches!(notes.at(package.layer, STATUS), Some(record::Record::Packages(all))
                if all.iter().any(|one| one.name == package.name));
            prop_assert!(says, "{package:?}");
        }
    }
}
