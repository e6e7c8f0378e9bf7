//! Package URLs: the names of packages that tools of all ecosystems share.

use crate::image::package::Distribution;
use crate::image::package::Package;
use crate::image::package::PackageKind;
use crate::image::package::Runtime;

/// The package URL of a package.
pub(super) fn of(package: &Package, distribution: Option<&Distribution>) -> String {
    let (namespace, name) = parts(package, distribution);
    let mut purl = format!("pkg:{}", package.kind.purl_type());
    for part in namespace.split('/').filter(|part| !part.is_empty()) {
        purl.push('/');
        purl.push_str(&encoded(part));
    }
    purl.push('/');
    purl.push_str(&encoded(&name));
    // Go's word for a module that was built where it lies is no version.
    if package.version != "(devel)" {
        purl.push('@');
        purl.push_str(&encoded(&package.version));
    }
    let qualifiers = qualifiers(package, distribution);
    for (index, (key, value)) in qualifiers.iter().enumerate() {
        purl.push(if index == 0 { '?' } else { '&' });
        purl.push_str(&format!("{key}={}", encoded(value)));
    }
    purl
}

/// The package URL of a runtime that no package brought.
pub(super) fn of_runtime(runtime: &Runtime) -> String {
    let name = encoded(&runtime.name);
    if runtime.version.is_empty() {
        return format!("pkg:generic/{name}");
    }
    format!("pkg:generic/{name}@{}", encoded(&runtime.version))
}

/// Group and name, as each type has them.
pub(super) fn parts(package: &Package, distribution: Option<&Distribution>) -> (String, String) {
    let name = package.name.as_str();
    let split = |separator: char| match name.rsplit_once(separator) {
        Some((group, name)) => (group.to_owned(), name.to_owned()),
        None => (String::new(), name.to_owned()),
    };
    match package.kind {
        PackageKind::Deb | PackageKind::Apk => {
            let vendor = distribution.map_or(
                match package.kind {
                    PackageKind::Deb => "debian",
                    _ => "alpine",
                },
                |distribution| &distribution.id,
            );
            (vendor.to_owned(), name.to_owned())
        }
        PackageKind::Node | PackageKind::Php => split('/'),
        PackageKind::Java => split(':'),
        PackageKind::Go => {
            let (group, name) = split('/');
            (group.to_lowercase(), name.to_lowercase())
        }
        PackageKind::Python | PackageKind::Rust | PackageKind::Ruby => {
            (String::new(), name.to_owned())
        }
    }
}

/// Sorted by key, as the canonical form wants them.
fn qualifiers(
    package: &Package,
    distribution: Option<&Distribution>,
) -> Vec<(&'static str, String)> {
    if !matches!(package.kind, PackageKind::Deb | PackageKind::Apk) {
        return Vec::new();
    }
    let mut found = Vec::new();
    found.extend(package.architecture.clone().map(|value| ("arch", value)));
    if let Some(distribution) = distribution {
        let value = match distribution.version.as_str() {
            "" => distribution.id.clone(),
            version => format!("{}-{version}", distribution.id),
        };
        found.push(("distro", value));
    }
    if let Some(source) = &package.source {
        let value = if source.version == package.version {
            source.name.clone()
        } else {
            format!("{}@{}", source.name, source.version)
        };
        found.push(("upstream", value));
    }
    found
}

/// Percent-encodes all but what stands for itself; a colon separates nothing here and stays.
fn encoded(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'.' | b'-' | b'_' | b'~' | b':' => {
                encoded.push(char::from(byte));
            }
            byte => encoded.push_str(&format!("%{byte:02X}")),
        }
    }
    encoded
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::image::package::SourcePackage;

    fn package(kind: PackageKind, name: &str, version: &str) -> Package {
        Package {
            kind,
            name: name.to_owned(),
            version: version.to_owned(),
            source: None,
            architecture: None,
            licences: Vec::new(),
            layer: 0,
            path: String::new(),
        }
    }

    #[test]
    fn each_type_has_its_form() {
        use PackageKind::*;
        for (kind, name, version, purl) in [
            (Python, "jinja2", "3.1.4", "pkg:pypi/jinja2@3.1.4"),
            (Node, "left-pad", "1.3.0", "pkg:npm/left-pad@1.3.0"),
            (
                Node,
                "@types/node",
                "22.0.0",
                "pkg:npm/%40types/node@22.0.0",
            ),
            (Java, "org.x:core", "1.2", "pkg:maven/org.x/core@1.2"),
            (Java, "okhttp", "4.9.1", "pkg:maven/okhttp@4.9.1"),
            (
                Go,
                "github.com/BurntSushi/toml",
                "v1.4.0",
                "pkg:golang/github.com/burntsushi/toml@v1.4.0",
            ),
            (
                Go,
                "example.com/a",
                "v2.0.0+incompatible",
                "pkg:golang/example.com/a@v2.0.0%2Bincompatible",
            ),
            (Go, "stdlib", "1.26.1", "pkg:golang/stdlib@1.26.1"),
            (
                Go,
                "example.com/app",
                "(devel)",
                "pkg:golang/example.com/app",
            ),
            (Rust, "adler", "1.0.2", "pkg:cargo/adler@1.0.2"),
            (Ruby, "rack", "3.0.8", "pkg:gem/rack@3.0.8"),
            (
                Php,
                "monolog/monolog",
                "2.9.1",
                "pkg:composer/monolog/monolog@2.9.1",
            ),
        ] {
            assert_eq!(of(&package(kind, name, version), None), purl);
        }
    }

    #[test]
    fn a_distribution_s_package_names_release_and_source() {
        let debian = Distribution {
            id: String::from("debian"),
            version: String::from("13"),
            title: String::new(),
        };
        let mut deb = package(PackageKind::Deb, "libstdc++6", "1:14.2.0-19+b1");
        deb.architecture = Some(String::from("amd64"));
        deb.source = Some(SourcePackage {
            name: String::from("gcc-14"),
            version: String::from("14.2.0-19"),
        });
        assert_eq!(
            of(&deb, Some(&debian)),
            "pkg:deb/debian/libstdc%2B%2B6@1:14.2.0-19%2Bb1?arch=amd64&distro=debian-13&upstream=gcc-14%4014.2.0-19"
        );
        let mut apk = package(PackageKind::Apk, "musl-utils", "1.2.5-r10");
        apk.source = Some(SourcePackage {
            name: String::from("musl"),
            version: String::from("1.2.5-r10"),
        });
        assert_eq!(
            of(&apk, None),
            "pkg:apk/alpine/musl-utils@1.2.5-r10?upstream=musl"
        );
    }

    #[test]
    fn a_runtime_is_generic() {
        let runtime = Runtime {
            name: String::from("python"),
            version: String::from("3.13.9"),
            layer: 0,
            path: String::new(),
        };
        assert_eq!(of_runtime(&runtime), "pkg:generic/python@3.13.9");
    }
}
