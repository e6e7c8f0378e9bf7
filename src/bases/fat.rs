//! Full bases: a closure of packages unpacked without root, with a package database that says so,
//! and the one command that configures it all in a container.

use std::collections::BTreeMap;
use std::io;
use std::io::Write;

use md5::Digest;
use md5::Md5;

use crate::bases::deb::Deb;
use crate::bases::layer::Header;
use crate::bases::layer::Layer;
use crate::bases::layer::Owner;
use crate::text::hex;

/// Directories that are links into `/usr`; packages may still name them.
const MERGED: [(&str, &str); 4] = [
    ("bin", "usr/bin"),
    ("sbin", "usr/sbin"),
    ("lib", "usr/lib"),
    ("lib64", "usr/lib64"),
];

/// Folders whose files a slim base leaves out.
const NOT_SLIM: [&str; 7] = [
    "usr/share/doc/",
    "usr/share/man/",
    "usr/share/info/",
    "usr/share/groff/",
    "usr/share/lintian/",
    "usr/share/linda/",
    "usr/share/locale/",
];

/// The same as settings of the package manager, so that what a learner installs is slim too.
const SLIM_SETTINGS: &str = "path-exclude /usr/share/doc/*\n\
path-include /usr/share/doc/*/copyright\n\
path-exclude /usr/share/man/*\n\
path-exclude /usr/share/info/*\n\
path-exclude /usr/share/groff/*\n\
path-exclude /usr/share/lintian/*\n\
path-exclude /usr/share/linda/*\n\
path-exclude /usr/share/locale/*\n";

/// Settings that Debian's container images carry; without them the layer of an `apt-get update`
/// is five times as large as a learner will see anywhere else.
const SETTINGS: [(&str, &str); 5] = [
    (
        "etc/dpkg/dpkg.cfg.d/docker-apt-speedup",
        "force-unsafe-io\n",
    ),
    (
        "etc/apt/apt.conf.d/docker-autoremove-suggests",
        "Apt::AutoRemove::SuggestsImportant \"false\";\n",
    ),
    (
        "etc/apt/apt.conf.d/docker-gzip-indexes",
        "Acquire::GzipIndexes \"true\";\n",
    ),
    (
        "etc/apt/apt.conf.d/docker-no-languages",
        "Acquire::Languages \"none\";\n",
    ),
    (
        "etc/apt/apt.conf.d/docker-clean",
        "DPkg::Post-Invoke { \"rm -f /var/cache/apt/archives/*.deb /var/cache/apt/archives/partial/*.deb /var/cache/apt/*.bin || true\"; };\n\
         APT::Update::Post-Invoke { \"rm -f /var/cache/apt/archives/*.deb /var/cache/apt/archives/partial/*.deb /var/cache/apt/*.bin || true\"; };\n\
         Dir::Cache::pkgcache \"\";\nDir::Cache::srcpkgcache \"\";\n",
    ),
];

/// The steps of [`configure`].
const CONFIGURE: [&str; 7] = [
    "export DEBIAN_FRONTEND=noninteractive DEBCONF_NONINTERACTIVE_SEEN=true LC_ALL=C.UTF-8",
    "export PATH=/usr/local/sbin:/usr/sbin:/usr/bin:/sbin:/bin",
    "dpkg --force-depends --configure base-passwd base-files libc6 libc-bin mawk dpkg",
    "dpkg --configure -a",
    "dpkg --audit >/run/audit && { test ! -s /run/audit || { cat /run/audit; false; }; }",
    "rm -rf /run/audit /var/log/dpkg.log /var/log/alternatives.log /var/log/apt/* \
     /var/lib/dpkg/*-old /var/cache/debconf/*-old /var/cache/ldconfig/aux-cache",
    "rm -f /etc/passwd- /etc/group- /etc/shadow- /etc/gshadow- /etc/.pwd.lock",
];

/// Configures everything that was unpacked: what others' scripts call comes first, dpkg orders the
/// rest. No service starts, nobody is asked, and what only the configuration needed goes.
///
/// One line, because the engine shows it as the history of the layer.
#[must_use]
pub fn configure() -> String {
    CONFIGURE.join(" && ")
}

/// What the first layer of a full base holds besides packages.
#[derive(Debug, Clone, Default)]
pub struct Foundation {
    /// The sources of the package manager.
    pub sources: String,
    /// Whether manuals and translations are left out.
    pub slim: bool,
    /// Certificate authorities that the host was told to trust: file name and PEM text.
    pub authorities: Vec<(String, Vec<u8>)>,
}

/// Writes what must be there before any package: the merged folders and the package manager's
/// settings. No accounts: the package that owns them makes them where there are none.
///
/// # Errors
/// When the layer cannot be written.
pub fn foundation<W: Write>(layer: &mut Layer<W>, with: &Foundation) -> io::Result<()> {
    let root = Owner::default();
    for folder in [
        "usr",
        "usr/bin",
        "usr/sbin",
        "usr/lib",
        "usr/lib64",
        "etc",
        "var",
        "var/lib",
        "var/lib/dpkg",
        "var/lib/dpkg/info",
        "var/lib/dpkg/updates",
        "proc",
        "sys",
        "dev",
        "run",
        "home",
    ] {
        layer.directory(folder, 0o755, root)?;
    }
    layer.directory("root", 0o700, root)?;
    layer.directory("tmp", 0o1777, root)?;
    for (link, to) in MERGED {
        layer.symlink(link, to)?;
    }
    layer.symlink("usr/bin/awk", "mawk")?;
    layer.file("var/lib/dpkg/info/format", b"1\n", 0o644)?;
    layer.file("var/lib/dpkg/available", b"", 0o644)?;
    layer.file("usr/sbin/policy-rc.d", b"#!/bin/sh\nexit 101\n", 0o755)?;
    layer.file(
        "etc/apt/sources.list.d/debian.sources",
        with.sources.as_bytes(),
        0o644,
    )?;
    for (path, text) in SETTINGS {
        layer.file(path, text.as_bytes(), 0o644)?;
    }
    if with.slim {
        layer.file(
            "etc/dpkg/dpkg.cfg.d/docker",
            SLIM_SETTINGS.as_bytes(),
            0o644,
        )?;
    }
    for (name, pem) in &with.authorities {
        layer.file(
            &format!("usr/local/share/ca-certificates/{name}"),
            pem,
            0o644,
        )?;
    }
    Ok(())
}

/// A system of unpacked packages, layer upon layer, and its package database.
#[derive(Debug, Default)]
pub struct System {
    slim: bool,
    stanzas: BTreeMap<String, String>,
}

impl System {
    /// A system without packages.
    #[must_use]
    pub fn new(slim: bool) -> Self {
        Self {
            slim,
            stanzas: BTreeMap::new(),
        }
    }

    /// Unpacks a package into `layer` and notes it as unpacked.
    ///
    /// # Errors
    /// When the package is damaged or the layer cannot be written.
    pub fn unpack<W: Write>(&mut self, layer: &mut Layer<W>, deb: &Deb) -> io::Result<()> {
        let conffiles = conffiles(deb);
        let mut hashes = BTreeMap::new();
        let mut list = String::from("/.\n");
        deb.entries(|path, mut header, body| {
            list.push('/');
            list.push_str(path);
            list.push('\n');
            if MERGED.iter().any(|(link, _)| *link == path) {
                return Ok(());
            }
            let path = merged(path);
            if header.kind().is_hard_link() {
                header.link = header.link.as_deref().map(merged);
            }
            if self.slim && is_left_out(&path, &header) {
                return Ok(());
            }
            let absolute = format!("/{path}");
            if header.kind().is_file() && conffiles.contains(&absolute) {
                let mut bytes = Vec::new();
                body.read_to_end(&mut bytes)?;
                hashes.insert(absolute, hex(&Md5::digest(&bytes)));
                return layer.entry(&path, &header, &bytes[..]);
            }
            layer.entry(&path, &header, body)
        })?;
        let base = database_name(deb);
        for (member, bytes) in &deb.members {
            let script = matches!(
                member.as_str(),
                "preinst" | "postinst" | "prerm" | "postrm" | "config"
            );
            let mode = if script { 0o755 } else { 0o644 };
            layer.file(&format!("var/lib/dpkg/info/{base}.{member}"), bytes, mode)?;
        }
        layer.file(
            &format!("var/lib/dpkg/info/{base}.list"),
            list.as_bytes(),
            0o644,
        )?;
        self.stanzas.insert(base, stanza(deb, &conffiles, &hashes));
        Ok(())
    }

    /// Writes the package database as it stands; each layer of packages ends with it.
    ///
    /// # Errors
    /// When the layer cannot be written.
    pub fn database<W: Write>(&self, layer: &mut Layer<W>) -> io::Result<()> {
        let stanzas: Vec<&str> = self.stanzas.values().map(String::as_str).collect();
        layer.file("var/lib/dpkg/status", stanzas.join("\n").as_bytes(), 0o644)
    }
}

/// `path` with the merged folders followed.
fn merged(path: &str) -> String {
    if let Some((top, rest)) = path.split_once('/')
        && let Some((_, to)) = MERGED.iter().find(|(link, _)| *link == top)
    {
        return format!("{to}/{rest}");
    }
    path.to_owned()
}

/// Whether a slim base leaves `path` out. Folders stay: scripts expect some of them.
fn is_left_out(path: &str, header: &Header) -> bool {
    !header.kind().is_dir()
        && NOT_SLIM.iter().any(|folder| path.starts_with(folder))
        && !(path.starts_with("usr/share/doc/") && path.ends_with("/copyright"))
}

/// The configuration files that the package declares. One that it asks to remove is not among them.
fn conffiles(deb: &Deb) -> Vec<String> {
    let text = deb
        .members
        .get("conffiles")
        .map(|bytes| String::from_utf8_lossy(bytes));
    let text = text.as_deref().unwrap_or_default();
    text.lines()
        .map(str::trim)
        .filter(|line| line.starts_with('/'))
        .map(str::to_owned)
        .collect()
}

/// The name of the package's files in the database: with its architecture where several can be
/// installed side by side.
fn database_name(deb: &Deb) -> String {
    let package = deb.control.package();
    match (
        deb.control.field("Multi-Arch"),
        deb.control.field("Architecture"),
    ) {
        (Some("same"), Some(architecture)) => format!("{package}:{architecture}"),
        _ => package.to_owned(),
    }
}

/// The package's entry in the database.
fn stanza(deb: &Deb, conffiles: &[String], hashes: &BTreeMap<String, String>) -> String {
    let mut lines = deb.control.text().lines();
    let mut stanza = String::new();
    let mut push = |line: &str| {
        stanza.push_str(line);
        stanza.push('\n');
    };
    push(lines.next().unwrap_or_default());
    push("Status: install ok unpacked");
    for line in lines {
        push(line);
    }
    if !conffiles.is_empty() {
        push("Conffiles:");
        for path in conffiles {
            let hash = hashes.get(path).map_or("newconffile", String::as_str);
            push(&format!(" {path} {hash}"));
        }
    }
    stanza
}

#[cfg(test)]
mod tests {
    use std::io::Read;

    use super::*;

    fn deb() -> Deb {
        let bytes = crate::bases::deb::tests::package(
            "Package: hello\nArchitecture: amd64\nMulti-Arch: same\nVersion: 2\nDescription: x\n y\n",
            &[
                ("./conffiles", "/etc/hello\n"),
                ("./postinst", "#!/bin/sh\n"),
            ],
            &[
                ("./", ""),
                ("./lib/", ""),
                ("./lib/libhello.so", "so"),
                ("./etc/hello", "abc"),
                ("./usr/share/man/man1/", ""),
                ("./usr/share/man/man1/hello.1", "manual"),
                ("./usr/share/doc/hello/copyright", "free"),
            ],
        );
        Deb::read(&bytes).expect("it is sound")
    }

    fn unpacked(slim: bool) -> BTreeMap<String, (String, u32)> {
        let mut layer = Layer::new(Vec::new());
        let mut system = System::new(slim);
        system.unpack(&mut layer, &deb()).expect("in memory");
        system.database(&mut layer).expect("in memory");
        let sealed = layer.seal("sample").expect("in memory");
        let mut archive = tar::Archive::new(&sealed.body[..]);
        let entries = archive.entries().expect("an archive");
        entries
            .map(|entry| {
                let mut entry = entry.expect("an entry");
                let mut text = String::new();
                entry.read_to_string(&mut text).expect("text");
                let path = String::from_utf8_lossy(&entry.path_bytes()).into_owned();
                (path, (text, entry.header().mode().expect("a mode")))
            })
            .collect()
    }

    #[test]
    fn the_package_is_noted_as_unpacked() {
        let files = unpacked(false);
        assert_eq!(
            files["var/lib/dpkg/status"].0,
            "Package: hello\nStatus: install ok unpacked\nArchitecture: amd64\nMulti-Arch: same\nVersion: 2\nDescription: x\n y\nConffiles:\n /etc/hello 900150983cd24fb0d6963f7d28e17f72\n"
        );
        assert_eq!(files["var/lib/dpkg/info/hello:amd64.postinst"].1, 0o755);
        assert!(
            files["var/lib/dpkg/info/hello:amd64.list"]
                .0
                .contains("\n/lib/libhello.so\n")
        );
    }

    #[test]
    fn files_land_where_the_merged_folders_point() {
        let files = unpacked(false);
        assert!(files.contains_key("usr/lib/libhello.so"));
        assert!(!files.contains_key("lib/"));
        assert!(files.contains_key("usr/share/man/man1/hello.1"));
    }

    #[test]
    fn a_slim_base_keeps_folders_and_licences() {
        let files = unpacked(true);
        assert!(!files.contains_key("usr/share/man/man1/hello.1"));
        assert!(files.contains_key("usr/share/man/man1/"));
        assert!(files.contains_key("usr/share/doc/hello/copyright"));
    }

    #[test]
    fn the_foundation_is_slim_only_where_asked() {
        let settings = |slim| {
            let mut layer = Layer::new(Vec::new());
            let with = Foundation {
                slim,
                ..Foundation::default()
            };
            foundation(&mut layer, &with).expect("in memory");
            let body = layer.seal("sample").expect("in memory").body;
            body.windows(12).any(|window| window == b"path-exclude")
        };
        assert!(settings(true));
        assert!(!settings(false));
    }
}
