//! Files that no package holds: accounts, the bundle of certificate authorities, busybox's links.

use std::io;
use std::io::Write;

use crate::bases::deb::Deb;
use crate::bases::layer::Layer;
use crate::bases::layer::Owner;

/// The user that `nonroot` variants run as.
pub const NONROOT: u64 = 65532;

const PASSWD: &str = "root:x:0:0:root:/root:/sbin/nologin\n\
nobody:x:65534:65534:nobody:/nonexistent:/sbin/nologin\n\
nonroot:x:65532:65532:nonroot:/home/nonroot:/sbin/nologin\n";

const GROUP: &str = "root:x:0:\nnobody:x:65534:\ntty:x:5:\nstaff:x:50:\nnonroot:x:65532:\n";

/// Applets of Debian's busybox that would pass for tools of the distribution.
const NO_LINK: [&str; 4] = ["busybox", "dpkg", "dpkg-deb", "rpm"];

/// Users, groups, their folders, the name service's order and what the system calls itself, as
/// distroless images have them.
///
/// # Errors
/// When the layer cannot be written.
pub fn accounts<W: Write>(layer: &mut Layer<W>, suite: &str) -> io::Result<()> {
    let root = Owner::default();
    layer.directory("tmp", 0o1777, root)?;
    layer.directory("root", 0o700, root)?;
    layer.directory("home", 0o755, root)?;
    layer.directory("home/nonroot", 0o700, Owner(NONROOT, NONROOT))?;
    layer.file("etc/passwd", PASSWD.as_bytes(), 0o644)?;
    layer.file("etc/group", GROUP.as_bytes(), 0o644)?;
    layer.file(
        "etc/nsswitch.conf",
        b"passwd: files\ngroup: files\nhosts: files dns\n",
        0o644,
    )?;
    let number = match suite {
        "bookworm" => "12",
        "trixie" => "13",
        _ => "",
    };
    let release = format!(
        "PRETTY_NAME=\"Distroless\"\nNAME=\"Debian GNU/Linux\"\nID=\"debian\"\nVERSION_ID=\"{number}\"\nVERSION=\"Debian GNU/Linux {number} ({suite})\"\nVERSION_CODENAME={suite}\n"
    );
    layer.file("usr/lib/os-release", release.as_bytes(), 0o644)
}

/// The bundle of the authorities in `ca-certificates`, its licence and its entry in the package
/// list. Never the host's own authorities: this is for runtime images.
///
/// # Errors
/// When the package lacks a part or the layer cannot be written.
pub fn certificates<W: Write>(layer: &mut Layer<W>, deb: &Deb) -> io::Result<()> {
    let mut authorities = Vec::new();
    deb.entries(|path, header, body| {
        if header.kind().is_file()
            && path.starts_with("usr/share/ca-certificates/")
            && path.ends_with(".crt")
        {
            let mut pem = Vec::new();
            body.read_to_end(&mut pem)?;
            if !pem.ends_with(b"\n") {
                pem.push(b'\n');
            }
            authorities.push((path.to_owned(), pem));
        }
        Ok(())
    })?;
    authorities.sort();
    let bundle: Vec<u8> = authorities.into_iter().flat_map(|(_, pem)| pem).collect();
    layer.file("etc/ssl/certs/ca-certificates.crt", &bundle, 0o644)?;
    let licence = "usr/share/doc/ca-certificates/copyright";
    layer.file(licence, &deb.file(licence)?, 0o644)?;
    status_entry(layer, deb)
}

/// What scanners read of a package in an image that has no package manager.
///
/// # Errors
/// When the layer cannot be written.
pub fn status_entry<W: Write>(layer: &mut Layer<W>, deb: &Deb) -> io::Result<()> {
    let path = format!("var/lib/dpkg/status.d/{}", deb.control.package());
    layer.file(&path, format!("{}\n", deb.control.text()).as_bytes(), 0o644)?;
    match deb.members.get("md5sums") {
        Some(sums) => layer.file(&format!("{path}.md5sums"), sums, 0o644),
        None => Ok(()),
    }
}

/// The names that a busybox answers to, read from its table of applets: zero-terminated names in
/// order, from `[` on.
#[must_use]
pub fn applets(binary: &[u8]) -> Vec<String> {
    let mark = b"[\0[[\0";
    let start = binary
        .windows(mark.len())
        .position(|window| window == mark)
        .unwrap_or(binary.len());
    let is_name = |name: &&[u8]| {
        !name.is_empty()
            && name
                .iter()
                .all(|byte| byte.is_ascii_alphanumeric() || b"[-_.+".contains(byte))
    };
    let table = binary.get(start..).unwrap_or_default();
    let names: Vec<String> = table
        .split(|byte| *byte == 0)
        .take_while(is_name)
        .map(|name| String::from_utf8_lossy(name).into_owned())
        .collect();
    // What follows the table may look like a name too; the table is sorted.
    let sorted = names
        .windows(2)
        .take_while(|pair| matches!(pair, [a, b] if a < b))
        .count();
    names
        .into_iter()
        .take(sorted + 1)
        .filter(|name| !NO_LINK.contains(&name.as_str()))
        .collect()
}

/// Where Debian's busybox is in its package: newer suites first.
fn busybox_of(deb: &Deb) -> io::Result<Vec<u8>> {
    deb.file("usr/bin/busybox")
        .or_else(|_| deb.file("bin/busybox"))
}

/// busybox under `/busybox`, as the debug variants of distroless images have it.
///
/// # Errors
/// When the package has no busybox or the layer cannot be written.
pub fn debug_shell<W: Write>(layer: &mut Layer<W>, deb: &Deb) -> io::Result<()> {
    let binary = busybox_of(deb)?;
    layer.file("busybox/busybox", &binary, 0o755)?;
    for applet in applets(&binary) {
        layer.symlink(&format!("busybox/{applet}"), "/busybox/busybox")?;
    }
    Ok(())
}

/// A root file system of one busybox under many names.
///
/// # Errors
/// When the package has no busybox or the layer cannot be written.
pub fn busybox<W: Write>(layer: &mut Layer<W>, deb: &Deb) -> io::Result<()> {
    let root = Owner::default();
    for folder in [
        "bin", "dev", "etc", "home", "usr", "usr/bin", "usr/sbin", "var",
    ] {
        layer.directory(folder, 0o755, root)?;
    }
    layer.directory("root", 0o700, root)?;
    layer.directory("tmp", 0o1777, root)?;
    layer.directory("var/spool/mail", 0o755, Owner(8, 8))?;
    layer.file(
        "etc/passwd",
        b"root:x:0:0:root:/root:/bin/sh\ndaemon:x:1:1:daemon:/usr/sbin:/bin/false\nwww-data:x:33:33:www-data:/var/www:/bin/false\nnobody:x:65534:65534:nobody:/home:/bin/false\n",
        0o644,
    )?;
    layer.file(
        "etc/group",
        b"root:x:0:\ndaemon:x:1:\nmail:x:8:\nwww-data:x:33:\nusers:x:100:\nnogroup:x:65534:\n",
        0o644,
    )?;
    layer.file("etc/shadow", b"root:*:::::::\nnobody:*:::::::\n", 0o640)?;
    layer.file("etc/nsswitch.conf", b"hosts: files dns\n", 0o644)?;
    let binary = busybox_of(deb)?;
    layer.file("bin/busybox", &binary, 0o755)?;
    for applet in applets(&binary) {
        layer.hard_link(&format!("bin/{applet}"), "bin/busybox")?;
    }
    layer.symlink("usr/bin/env", "/bin/env")
}

#[cfg(test)]
mod tests {
    use std::io::Read;

    use super::*;

    #[test]
    fn applets_are_read_from_the_table() {
        let binary =
            b"\x7fELF..cat\0junk\xae [\0[[\0acpid\0busybox\0cat\0dpkg\0sh\0zcat\0: applet\0";
        assert_eq!(applets(binary), ["[", "[[", "acpid", "cat", "sh", "zcat"]);
        assert!(applets(b"no table here").is_empty());
    }

    #[test]
    fn what_follows_the_table_is_not_an_applet() {
        let binary = b"\0[\0[[\0cat\0zcat\0abc\0def\0";
        assert_eq!(applets(binary), ["[", "[[", "cat", "zcat"]);
    }

    #[test]
    fn authorities_are_bundled_in_order() {
        let deb = crate::bases::deb::tests::package(
            "Package: ca-certificates\n",
            &[],
            &[
                ("./usr/share/ca-certificates/mozilla/B.crt", "B"),
                ("./usr/share/ca-certificates/mozilla/A.crt", "A\n"),
                ("./usr/share/doc/ca-certificates/copyright", "free"),
            ],
        );
        let deb = Deb::read(&deb).expect("it is sound");
        let mut layer = Layer::new(Vec::new());
        certificates(&mut layer, &deb).expect("in memory");
        let sealed = layer.seal("sample").expect("in memory");
        let mut archive = tar::Archive::new(&sealed.body[..]);
        let bundle = archive
            .entries()
            .expect("an archive")
            .map(|entry| entry.expect("an entry"))
            .find(|entry| entry.path_bytes().ends_with(b"ca-certificates.crt"))
            .map(|mut entry| {
                let mut text = String::new();
                entry.read_to_string(&mut text).expect("in memory");
                text
            });
        assert_eq!(bundle.as_deref(), Some("A\nB\n"));
    }
}
