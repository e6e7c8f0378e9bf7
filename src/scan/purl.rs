//! Package URLs, as scanners write them: `pkg:deb/debian/openssl@3.5.1-1?arch=amd64`.

use crate::image::package::PackageKind;

/// The parts of a package URL that say which package it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Purl {
    /// The ecosystem.
    pub(super) kind: PackageKind,
    /// The name as its ecosystem has it.
    pub(super) name: String,
    /// The version; empty where there is none.
    pub(super) version: String,
    /// The source package that a qualifier names.
    pub(super) upstream: Option<String>,
}

/// Reads one; `None` where it is none, or of another kind of package.
pub(super) fn read(text: &str) -> Option<Purl> {
    let rest = text.strip_prefix("pkg:")?.trim_start_matches('/');
    let (rest, qualifiers) = rest.split_once('?').unwrap_or((rest, ""));
    let (rest, _) = rest.split_once('#').unwrap_or((rest, ""));
    let (kind, path) = rest.split_once('/')?;
    let kind = kind_of(kind)?;
    // A name may hold `@` only as `%40`, so that the last one begins the version.
    let (path, version) = match path.rsplit_once('@') {
        Some((path, version)) => (path, version),
        None => (path, ""),
    };
    let path = decode(path)?;
    let name = match kind {
        // The folder before the name is the distribution's.
        PackageKind::Deb | PackageKind::Apk => path.rsplit('/').next()?.to_owned(),
        PackageKind::Java => path.replace('/', ":"),
        _ => path,
    };
    let upstream = qualifiers
        .split('&')
        .find_map(|pair| pair.strip_prefix("upstream="))
        .and_then(decode)
        .map(|upstream| match upstream.split_once('@') {
            Some((name, _)) => name.to_owned(),
            None => upstream,
        });
    Some(Purl {
        kind,
        name,
        version: decode(version)?,
        upstream,
    })
}

/// The kind of package that a package URL's type means.
pub(super) fn kind_of(kind: &str) -> Option<PackageKind> {
    PackageKind::ALL
        .into_iter()
        .find(|one| one.purl_type() == kind)
}

/// Undoes percent-encoding; `None` where it is broken.
fn decode(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        if byte != b'%' {
            bytes.push(byte);
            continue;
        }
        let digits = [rest.next()?, rest.next()?];
        let digits = std::str::from_utf8(&digits).ok()?;
        bytes.push(u8::from_str_radix(digits, 16).ok()?);
    }
    String::from_utf8(bytes).ok()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn names_come_out_as_their_ecosystems_have_them() {
        let parts = |text: &str| {
            let purl = read(text).unwrap();
            (purl.kind, purl.name, purl.version)
        };
        let owned = |kind, name: &str, version: &str| (kind, name.to_owned(), version.to_owned());
        assert_eq!(
            parts("pkg:deb/debian/libssl3t64@3.5.1-1%2Bdeb13u1?arch=amd64&distro=debian-13"),
            owned(PackageKind::Deb, "libssl3t64", "3.5.1-1+deb13u1")
        );
        assert_eq!(
            parts("pkg:npm/%40babel/core@7.0.0"),
            owned(PackageKind::Node, "@babel/core", "7.0.0")
        );
        assert_eq!(
            parts("pkg:maven/org.apache/log4j@2.14.1"),
            owned(PackageKind::Java, "org.apache:log4j", "2.14.1")
        );
        assert_eq!(
            parts("pkg:golang/golang.org/x/net@v0.1.0#html"),
            owned(PackageKind::Go, "golang.org/x/net", "v0.1.0")
        );
        assert_eq!(
            parts("pkg:gem/nokogiri@1.16.0?platform=x86_64-linux"),
            owned(PackageKind::Ruby, "nokogiri", "1.16.0")
        );
        assert_eq!(
            parts("pkg:composer/guzzlehttp/psr7@1.8.3"),
            owned(PackageKind::Php, "guzzlehttp/psr7", "1.8.3")
        );
        let upstream = "pkg:deb/debian/libc6@2.41?upstream=glibc%402.41";
        assert_eq!(read(upstream).unwrap().upstream.as_deref(), Some("glibc"));
    }

    #[test]
    fn what_is_no_package_url_is_none() {
        for text in [
            "",
            "pkg:",
            "pkg:deb",
            "http://a/b",
            "pkg:rpm/a@1",
            "pkg:pypi/%zz@1",
        ] {
            assert_eq!(read(text), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_read_or_refused(text in "pkg:(deb|npm|pypi)/\\PC{0,40}") {
            let _ = read(&text);
        }
    }
}
