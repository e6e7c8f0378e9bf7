//! Headers that can be read in two ways, as engines read them: Go's `archive/tar` is what they use.

use super::*;

/// A header of a file of 3 bytes, changed, with its checksum.
fn header(change: impl FnOnce(&mut [u8; 512])) -> Vec<u8> {
    let mut block = [0; 512];
    let mut put = |at: usize, text: &[u8]| block[at..at + text.len()].copy_from_slice(text);
    put(0, b"name");
    put(100, b"0000644\0");
    put(124, b"00000000003\0");
    put(156, b"0");
    put(257, b"ustar\x0000");
    change(&mut block);
    block[148..156].fill(b' ');
    let sum: u32 = block.iter().map(|byte| u32::from(*byte)).sum();
    block[148..155].copy_from_slice(format!("{sum:06o}\0").as_bytes());
    block.to_vec()
}

fn put(block: &mut [u8; 512], at: usize, text: &[u8]) {
    block[at..at + text.len()].copy_from_slice(text);
}

/// A file of 3 bytes under this name, whatever it ends in.
fn file(name: &str) -> Vec<u8> {
    let block = header(|block| put(block, 0, format!("{name}\0").as_bytes()));
    [block, padded(b"abc")].concat()
}

fn padded(payload: &[u8]) -> Vec<u8> {
    let mut payload = payload.to_vec();
    payload.resize(payload.len().next_multiple_of(512), 0);
    payload
}

/// An extended header of this type.
fn before(kind: u8, payload: &[u8]) -> Vec<u8> {
    let block = header(|block| {
        block[156] = kind;
        put(block, 124, format!("{:011o}\0", payload.len()).as_bytes());
    });
    [block, padded(payload)].concat()
}

fn records(records: &[(&str, &str)]) -> Vec<u8> {
    let text: String = records
        .iter()
        .map(|(key, value)| {
            // The length counts its own digits, and a space, `=` and the line's end.
            let rest = key.len() + value.len() + 3;
            let length = rest + if rest < 9 { 1 } else { 2 };
            format!("{length} {key}={value}\n")
        })
        .collect();
    before(b'x', text.as_bytes())
}

/// `path kind size mode` of each member.
fn members(parts: &[Vec<u8>]) -> Vec<String> {
    let bytes = parts.concat();
    let mut members = Members::new(bytes.as_slice());
    let mut budget = Budget::new(Limits::default());
    let mut found = Vec::new();
    while let Some(member) = members.next(&mut budget).unwrap() {
        found.push(format!(
            "{} {:?} {} {:o} {}",
            member.path, member.kind, member.size, member.mode, member.uid
        ));
    }
    found
}

#[test]
fn a_file_stays_one_whatever_its_name_ends_in() {
    let file_and_more = ["a Regular 3 644 0", "b Regular 3 644 0"];
    assert_eq!(members(&[file("a/"), file("b")]), file_and_more);
    let long = before(b'L', b"a/\0");
    assert_eq!(members(&[long, file("x"), file("b")]), file_and_more);
    let path = records(&[("path", "a/")]);
    assert_eq!(members(&[path, file("x"), file("b")]), file_and_more);
    // In archives from before there were types it is a folder, and has no payload.
    let old = header(|block| {
        put(block, 0, b"a/\0\0");
        block[156] = 0;
    });
    assert_eq!(
        members(&[old, file("b")]),
        ["a Directory 0 644 0", "b Regular 3 644 0"]
    );
}

#[test]
fn a_record_without_a_value_says_nothing() {
    let empty = [
        ("path", ""),
        ("size", ""),
        ("uid", ""),
        ("linkpath", ""),
        ("SCHILY.xattr.security.capability", ""),
    ];
    assert_eq!(
        members(&[records(&empty), file("a"), file("b")]),
        ["a Regular 3 644 0", "b Regular 3 644 0"]
    );
    let taken_back = records(&[("path", "other"), ("path", "")]);
    assert_eq!(members(&[taken_back, file("a")]), ["a Regular 3 644 0"]);
}

#[test]
fn of_several_extended_headers_the_last_one_counts() {
    let two = [
        records(&[("path", "first"), ("uid", "77777")]),
        records(&[("uid", "88888")]),
        file("a"),
    ];
    assert_eq!(members(&two), ["a Regular 3 644 88888"]);
    let global = [
        records(&[("path", "first")]),
        before(b'g', b"17 comment=12345\n"),
        file("a"),
    ];
    assert_eq!(members(&global), ["a Regular 3 644 0"]);
}

#[test]
fn a_long_name_comes_before_a_record_in_any_order() {
    let long = before(b'L', b"long\0");
    let path = records(&[("path", "record")]);
    for parts in [
        [long.clone(), path.clone(), file("a")],
        [path.clone(), long, file("a")],
    ] {
        assert_eq!(members(&parts), ["long Regular 3 644 0"]);
    }
    let empty = before(b'L', b"\0");
    assert_eq!(
        members(&[path, empty, file("a")]),
        ["record Regular 3 644 0"]
    );
}

#[test]
fn a_path_in_two_parts_is_read_in_every_form_that_has_one() {
    let path = |magic: &[u8], end: &[u8]| {
        let block = header(|block| {
            put(block, 257, magic);
            put(block, 345, b"pre");
            put(block, 476, b"not of star's");
            put(block, 508, end);
        });
        members(&[block, padded(b"abc")])
    };
    for version in [b"ustar\x0000", b"ustar\0\0\0", b"ustar\0xx"] {
        assert_eq!(path(version, b"\0"), ["pre/name Regular 3 644 0"]);
    }
    assert_eq!(path(b"ustar\x0000", b"tar\0"), ["pre/name Regular 3 644 0"]);
    for other in [b"ustar \0\0", b"\0\0\0\0\0\0\0\0"] {
        assert_eq!(path(other, b"\0"), ["name Regular 3 644 0"]);
    }
    // Where GNU's form has times, a path that is none of either was written all the same.
    let gnu = |at: usize, text: &[u8]| {
        let block = header(|block| {
            put(block, 257, b"ustar  \0");
            put(block, at, text);
        });
        members(&[block, padded(b"abc")])[0].clone()
    };
    assert_eq!(gnu(345, b"pre"), "pre/name Regular 3 644 0");
    assert_eq!(
        gnu(345, b"00000000017+etc"),
        "00000000017+etc/name Regular 3 644 0"
    );
    assert_eq!(gnu(345, b"+7"), "+7/name Regular 3 644 0");
    for none in [
        &b"00000000017\x0000000000017\0"[..],
        b"\x80\0\0\0\0\0\0\0\0\0\0\x07",
        b"\0pre",
        "pré".as_bytes(),
    ] {
        assert_eq!(gnu(345, none), "name Regular 3 644 0");
    }
    let full = |end: &[u8]| {
        let block = header(|block| {
            put(block, 345, &[b'p'; 155]);
            put(block, 508, end);
        });
        members(&[block, padded(b"abc")])[0].find('/')
    };
    assert_eq!((full(b"\0"), full(b"tar\0")), (Some(155), Some(131)));
}

#[test]
fn numbers_are_read_with_blanks_around_them_and_as_bytes() {
    let of = |field: &[u8]| {
        let block = header(|block| put(block, 100, field));
        members(&[block, padded(b"abc")])[0].clone()
    };
    for setuid in [
        &b"0004755\0"[..],
        b"\0\x004755\0\0",
        b" 4755  \0",
        b"4755\0\xff\xff\xff",
        b"\x80\0\0\0\0\0\x09\xed",
        b"\x80\0\0\x01\0\0\x09\xed",
        b"\xff\xff\xff\xff\xff\xff\xf9\xed",
        b"40004755",
    ] {
        assert_eq!(of(setuid), "name Regular 3 4755 0");
    }
    for none in [[0; 8], [b' '; 8]] {
        assert_eq!(of(&none), "name Regular 3 0 0");
    }
    // Below 0, all of them are set.
    assert_eq!(of(&[0xff; 8]), "name Regular 3 7777 0");
}

#[test]
fn a_file_has_what_the_last_header_with_a_name_of_it_says() {
    let link = |to: &str, mode: &str, uid: &str| {
        header(|block| {
            put(block, 0, b"link\0");
            put(block, 100, mode.as_bytes());
            put(block, 108, uid.as_bytes());
            put(block, 124, b"00000000000\0");
            put(block, 156, b"1");
            put(block, 157, to.as_bytes());
        })
    };
    let capable = records(&[("SCHILY.xattr.security.capability", "\u{1}\n=")]);
    let of = |parts: &[Vec<u8>]| {
        let bytes = parts.concat();
        let mut budget = Budget::new(Limits::default());
        let options = Options::default();
        let layer = layer::scan(&mut bytes.as_slice(), &options, None, &mut budget).unwrap();
        let entry = &layer.entries[0];
        (entry.mode, entry.uid, entry.capabilities)
    };
    let suid = link("name", "0004755\0", "0000007\0");
    let plain = link("name", "0000755\0", "0000000\0");
    // Measured on Docker's overlay2: rights that a link's header gives, its file has.
    assert_eq!(of(&[file("name"), suid.clone()]), (0o4755, 7, false));
    assert_eq!(
        of(&[file("name"), suid.clone(), plain.clone()]),
        (0o755, 0, false)
    );
    assert_eq!(
        of(&[file("name"), capable.clone(), plain.clone()]),
        (0o755, 0, true)
    );
    // A new owner takes capabilities away.
    assert_eq!(of(&[capable, file("name"), plain]), (0o755, 0, false));
    // A link to a link is a name of the same file, and one of another file is none of it.
    let through = link("link", "0004755\0", "0000007\0");
    assert_eq!(
        of(&[
            file("name"),
            link("name", "0000644\0", "0000000\0"),
            through
        ]),
        (0o4755, 7, false)
    );
    assert_eq!(of(&[file("name"), file("name"), suid]), (0o644, 0, false));
}
