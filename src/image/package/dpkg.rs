//! Debian's records: `status` in one file, `status.d` with a file per package, and the lists of
//! each package's files.

use super::PackageKind;
use super::SourcePackage;
use super::fields;
use super::fields::Paragraph;
use super::record::PACKAGES;
use super::record::PathHash;
use super::record::Record;
use super::record::Stated;
use super::record::word;

/// The folder of everything that dpkg knows.
pub(super) const HOME: &str = "var/lib/dpkg";

/// Vendors with package archives of their own, by their maintainers' addresses, or the domains of
/// these: what their packages hold is not in the distribution's advisories.
const VENDORS: [&str; 21] = [
    "docker.com",
    "nodesource.com",
    "chromium.org",
    "kubernetes.io",
    "microsoft.com",
    "github.com",
    "gitlab.com",
    "hashicorp.com",
    "elastic.co",
    "mongodb.com",
    "grafana.com",
    "datadoghq.com",
    "influxdata.com",
    "nginx.org",
    "nginx.com",
    "nginx-packaging@f5.com",
    "mysql-build@oss.oracle.com",
    "lists.mariadb.org",
    "temurin-dev@eclipse.org",
    "redis.io",
    "yarn@dan.cx",
];

/// A vendor whose people maintain packages of Debian under its domain too: those of its own archives
/// bear its name besides.
const NAMED_VENDOR: (&str, &str) = ("Google", "google.com");

/// What only the versions of an archive hold whose packages keep the distribution's maintainers: the
/// one of the `PostgreSQL` project (`17.2-1.pgdg120+1`), and Sury's of PHP
/// (`8.3.14-1+0~20241122.39+debian12~1.gbp6e6a2a`).
const VERSIONS_OF_VENDORS: [&str; 3] = [".pgdg", "~1.gbp", "+deb.sury.org"];

/// Reads `status`, or one file of `status.d`.
pub(super) fn status(bytes: &[u8]) -> Record {
    let text = String::from_utf8_lossy(bytes);
    let mut packages = Vec::new();
    let mut nameless = 0;
    for paragraph in fields::paragraphs(&text) {
        if !is_installed(&paragraph) {
            continue;
        }
        let Some(package) = package(&paragraph) else {
            nameless += 1;
            continue;
        };
        if packages.len() == PACKAGES {
            return Record::Broken(String::from("it names more packages than is sensible"));
        }
        packages.push(package);
    }
    Record::of_named(packages, nameless)
}

/// Whether a package's files are there. `status.d` has no such field: what it names is installed.
/// What is merely meant to be removed is there until it is.
fn is_installed(paragraph: &Paragraph<'_>) -> bool {
    let state = paragraph.get("Status").map(|status| {
        let words: Vec<&str> = status.split_whitespace().collect();
        words.get(2).copied().unwrap_or_default()
    });
    state.is_none_or(|state| !matches!(state, "not-installed" | "config-files"))
}

fn package(paragraph: &Paragraph<'_>) -> Option<Stated> {
    let name = paragraph.get("Package")?;
    let version = paragraph.get("Version")?;
    let mut package = Stated::new(PackageKind::Deb, name, version)?;
    package.source = source(paragraph.get("Source"), &package);
    package.architecture = paragraph.get("Architecture").and_then(word);
    let maintainer = paragraph.get("Maintainer").unwrap_or_default();
    package.foreign = is_vendor(maintainer)
        || VERSIONS_OF_VENDORS
            .iter()
            .any(|mark| version.contains(mark));
    Some(package)
}

/// Whether a maintainer (`Docker <support@docker.com>`) is a vendor.
fn is_vendor(maintainer: &str) -> bool {
    let (name, address) = maintainer.rsplit_once('<').unwrap_or(("", maintainer));
    let address = address.trim_end_matches('>').trim();
    let domain = address.rsplit('@').next().unwrap_or_default();
    let is_of = |vendor: &str| {
        let before = domain.strip_suffix(vendor);
        before.is_some_and(|before| before.is_empty() || before.ends_with('.'))
    };
    VENDORS
        .iter()
        .any(|vendor| address == *vendor || is_of(vendor))
        || (name.contains(NAMED_VENDOR.0) && domain == NAMED_VENDOR.1)
}

/// The source package, where it is another than the package itself. `Source: name (version)` says
/// both; a rebuild without a change of the source (`1.2-3+b1`) still has the source's version.
fn source(field: Option<&str>, package: &Stated) -> Option<SourcePackage> {
    let (name, version) = match field.and_then(|field| field.split_once('(')) {
        Some((name, version)) => (name, Some(version.trim_end_matches(')'))),
        None => (field.unwrap_or(&package.name), None),
    };
    let source = SourcePackage {
        name: word(name)?,
        version: match version {
            Some(version) => word(version)?,
            None => without_rebuild(&package.version).to_owned(),
        },
    };
    let differs = source.name != package.name || source.version != package.version;
    differs.then_some(source)
}

fn without_rebuild(version: &str) -> &str {
    match version.rsplit_once("+b") {
        Some((before, number))
            if !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit()) =>
        {
            before
        }
        _ => version,
    }
}

/// Reads `info/NAME.list`: a path per line, folders included.
pub(super) fn list(bytes: &[u8]) -> Record {
    let text = String::from_utf8_lossy(bytes);
    Record::Files(text.lines().map(PathHash::of).collect())
}

/// Reads `NAME.md5sums`: a sum and a path per line.
pub(super) fn sums(bytes: &[u8]) -> Record {
    let text = String::from_utf8_lossy(bytes);
    let paths = text.lines().filter_map(|line| line.split_once("  "));
    Record::Files(paths.map(|(_, path)| PathHash::of(path)).collect())
}

/// Reads `diversions`: three lines per file that one package moved out of another's way.
pub(super) fn diversions(bytes: &[u8]) -> Record {
    let text = String::from_utf8_lossy(bytes);
    let lines = text.lines().enumerate();
    let paths = lines.filter(|(number, _)| number % 3 == 1);
    Record::Files(paths.map(|(_, path)| PathHash::of(path)).collect())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn packages(text: &str) -> Vec<Stated> {
        match status(text.as_bytes()) {
            Record::Packages(packages) => packages,
            other => panic!("{other:?}"),
        }
    }

    fn source_of(text: &str) -> Option<(String, String)> {
        let source = packages(text)[0].source.clone()?;
        Some((source.name, source.version))
    }

    #[test]
    fn what_is_removed_is_not_installed() {
        let text = "Package: a\nStatus: install ok installed\nVersion: 1\nArchitecture: amd64\n\
            Description: x\n Version: 9\n\n\
            Package: b\nStatus: deinstall ok config-files\nVersion: 2\n\n\
            Package: c\nStatus: purge ok not-installed\n\n\
            Package: d\nStatus: deinstall ok installed\nVersion: 4\n\n\
            Package: e\nStatus: install ok half-configured\nVersion: 1:5~rc1-1\n";
        let names: Vec<(String, String)> = packages(text)
            .into_iter()
            .map(|package| (package.name, package.version))
            .collect();
        let owned = |a: &str, b: &str| (a.to_owned(), b.to_owned());
        assert_eq!(
            names,
            [owned("a", "1"), owned("d", "4"), owned("e", "1:5~rc1-1")]
        );
        assert_eq!(packages(text)[0].architecture.as_deref(), Some("amd64"));
    }

    #[test]
    fn a_file_of_its_own_needs_no_status() {
        let text = "Package: libc6\nVersion: 2.41-12\nSource: glibc\n";
        assert_eq!(packages(text)[0].name, "libc6");
    }

    #[test]
    fn the_source_is_what_advisories_speak_of() {
        let pair = |a: &str, b: &str| Some((a.to_owned(), b.to_owned()));
        assert_eq!(source_of("Package: a\nVersion: 1-2"), None);
        assert_eq!(
            source_of("Package: a\nVersion: 1-2\nSource: b"),
            pair("b", "1-2")
        );
        assert_eq!(
            source_of("Package: a\nVersion: 1-2+b3\nSource: b (1:1-2)"),
            pair("b", "1:1-2")
        );
        assert_eq!(source_of("Package: a\nVersion: 1-2+b13"), pair("a", "1-2"));
        assert_eq!(source_of("Package: a\nVersion: 1-2+beta1"), None);
        assert_eq!(
            source_of("Package: gcc-14-base\nVersion: 14.2.0-19\nSource: gcc-14\n"),
            pair("gcc-14", "14.2.0-19")
        );
    }

    #[test]
    fn packages_of_vendors_are_told_apart() {
        let is_foreign = |version: &str, maintainer: &str| {
            let text = format!("Package: a\nVersion: {version}\nMaintainer: {maintainer}\n");
            packages(&text)[0].foreign
        };
        let php = "Debian PHP Maintainers <team+pkg-php@tracker.debian.org>";
        let postgres = "Debian PostgreSQL Maintainers <team+postgresql@tracker.debian.org>";
        for (version, maintainer) in [
            ("5:27.3.1-1~debian.12", "Docker <support@docker.com>"),
            (
                "1.27.3-1~bookworm",
                "NGINX Packaging <nginx-packaging@f5.com>",
            ),
            (
                "8.4.3-1debian12",
                "MySQL Release Engineering <mysql-build@oss.oracle.com>",
            ),
            (
                "21.0.5.0.0+11",
                "Eclipse Adoptium Package Maintainers <temurin-dev@eclipse.org>",
            ),
            ("17.2-1.pgdg120+1", postgres),
            ("8.3.14-1+0~20241122.39+debian12~1.gbp6e6a2a", php),
            ("8.3.14-1+ubuntu22.04.1+deb.sury.org+1", php),
            (
                "131.0.6778.85-1",
                "Chrome Linux Team <chromium-dev@chromium.org>",
            ),
            ("1.31.3-1.1", "Kubernetes Authors <dev@kubernetes.io>"),
            ("1.22.22-1", "Yarn Developers <yarn@dan.cx>"),
            ("6:7.4.1-1rl1~bookworm1", "Redis Packaging <redis@redis.io>"),
            (
                "502.0.0-0",
                "Google Cloud CLI Authors <cloudsdk@google.com>",
            ),
        ] {
            assert!(is_foreign(version, maintainer), "{version} {maintainer}");
        }
        for (version, maintainer) in [
            ("5.2.15-2+b7", "Matthias Klose <doko@debian.org>"),
            ("15.10-0+deb12u1", postgres),
            ("8.2.26-1~deb12u1", php),
            // Debian's own, by people who work for a vendor.
            ("0.7.0-2", "Brandon Weeks <bweeks@google.com>"),
            ("1.5.1-1", "Markus Teich <mteich@google.com>"),
            (
                "1.22.1-9",
                "Debian Nginx Maintainers <pkg-nginx-maintainers@alioth-lists.debian.net>",
            ),
        ] {
            assert!(!is_foreign(version, maintainer), "{version} {maintainer}");
        }
    }

    #[test]
    fn a_package_without_a_version_breaks_the_record() {
        assert!(matches!(status(b"Package: a\n"), Record::Broken(_)));
        let text = b"Package: a\n\nPackage: b\nVersion: 1\n\nVersion: 2\n";
        let Record::Partial(packages, faults) = status(text) else {
            panic!("the sound one is lost");
        };
        assert_eq!((packages.len(), packages[0].name.as_str()), (1, "b"));
        assert_eq!(faults[0].why, "2 packages in it have no name or no version");
    }

    #[test]
    fn lists_of_files_agree() {
        let files = Record::Files(vec![
            PathHash::of("usr/bin/a"),
            PathHash::of("usr/share/a b"),
        ]);
        assert_eq!(list(b"/usr/bin/a\n/usr/share/a b\n"), files);
        assert_eq!(sums(b"0123  usr/bin/a\n4567  usr/share/a b\n"), files);
        let moved = Record::Files(vec![PathHash::of("bin/sh.distrib")]);
        assert_eq!(diversions(b"/bin/sh\n/bin/sh.distrib\ndash\n"), moved);
    }

    proptest! {
        #[test]
        fn nothing_stops_the_reader(text in "([A-Za-z]{0,8}:? ?[a-z0-9(). +]{0,12}\n){0,20}") {
            let _ = status(text.as_bytes());
        }

        #[test]
        fn what_is_written_is_read(
            names in proptest::collection::vec("[a-z][a-z0-9+.-]{1,10}", 0..8),
            version in "[0-9][0-9a-z.~-]{0,8}",
        ) {
            let text: String = names
                .iter()
                .map(|name| format!("Package: {name}\nStatus: hold ok installed\nVersion: {version}\n\n"))
                .collect();
            let read: Vec<String> = packages(&text).into_iter().map(|one| one.name).collect();
            prop_assert_eq!(read, names);
        }
    }
}
