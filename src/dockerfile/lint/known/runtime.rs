//! Languages, their versions and C libraries of well-known images, by their names alone.

use super::super::super::reference::ImageName;
use super::distroless;
use super::official;

/// A language whose packages are bound to a version of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in super::super) enum Language {
    Python,
    Node,
    Java,
    Ruby,
    DotNet,
}

impl Language {
    pub(in super::super) const fn as_str(self) -> &'static str {
        match self {
            Self::Python => "Python",
            Self::Node => "Node",
            Self::Java => "Java",
            Self::Ruby => "Ruby",
            Self::DotNet => ".NET",
        }
    }

    /// How many parts of a version must agree.
    const fn parts(self) -> usize {
        match self {
            Self::Python | Self::Ruby => 2,
            Self::Node | Self::Java | Self::DotNet => 1,
        }
    }
}

/// A language in a version.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in super::super) struct Runtime {
    pub(in super::super) language: Language,
    /// The parts that matter: 3 and 13.
    version: Vec<u32>,
}

impl Runtime {
    fn new(language: Language, text: &str) -> Option<Self> {
        let digits = text
            .split(|c: char| !c.is_ascii_digit() && c != '.')
            .next()?;
        let version: Vec<u32> = digits
            .split('.')
            .take(language.parts())
            .map_while(|part| part.parse().ok())
            .collect();
        (version.len() == language.parts()).then_some(Self { language, version })
    }

    /// Whether what this one builds does not run on `other`.
    pub(in super::super) fn clashes_with(&self, other: &Self) -> bool {
        self.language == other.language
            && match self.language {
                // A newer machine runs older classes.
                Language::Java => self.version > other.version,
                _ => self.version != other.version,
            }
    }

    /// `3.13`
    pub(in super::super) fn shown(&self) -> String {
        let parts: Vec<String> = self.version.iter().map(u32::to_string).collect();
        parts.join(".")
    }
}

/// The language that an image is for, where its name says so with a version.
pub(in super::super) fn runtime(name: &ImageName) -> Option<Runtime> {
    let tag = name.tag.as_deref().unwrap_or_default();
    if let Some(image) = distroless(name) {
        return of_distroless(image);
    }
    if name.registry == "mcr.microsoft.com" && name.repository.starts_with("dotnet/") {
        return Runtime::new(Language::DotNet, tag);
    }
    let image = match official(name) {
        Some(image) => image,
        None if name.repository == "bellsoft/liberica-openjdk-debian" => "eclipse-temurin",
        None if name.repository == "azul/zulu-openjdk" => "eclipse-temurin",
        None => return None,
    };
    match image {
        "python" => Runtime::new(Language::Python, tag),
        "node" => Runtime::new(Language::Node, tag),
        "ruby" => Runtime::new(Language::Ruby, tag),
        "eclipse-temurin" | "openjdk" | "amazoncorretto" | "sapmachine" | "ibm-semeru-runtimes" => {
            Runtime::new(Language::Java, tag.strip_prefix("open-").unwrap_or(tag))
        }
        // `3.9-eclipse-temurin-21`, `8-jdk21`
        "maven" | "gradle" => [
            "temurin-",
            "corretto-",
            "openjdk-",
            "sapmachine-",
            "jdk-",
            "jdk",
        ]
        .iter()
        .find_map(|mark| tag.split_once(mark))
        .and_then(|(_, version)| Runtime::new(Language::Java, version)),
        _ => None,
    }
}

/// The versions that distroless images carry, by the release of Debian that they are made from.
fn of_distroless(image: &str) -> Option<Runtime> {
    if let Some(rest) = image.strip_prefix("python3-debian") {
        let version = match rest {
            "11" => "3.9",
            "12" => "3.11",
            "13" => "3.13",
            _ => return None,
        };
        return Runtime::new(Language::Python, version);
    }
    if let Some(rest) = image.strip_prefix("nodejs") {
        return Runtime::new(Language::Node, rest);
    }
    let rest = image.strip_prefix("java")?;
    Runtime::new(Language::Java, rest)
}

/// A C library, and with it the loader that dynamic programs name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in super::super) enum Libc {
    Glibc,
    Musl,
    /// Nothing that loads a dynamic program.
    None,
}

impl Libc {
    pub(in super::super) const fn shown(self) -> &'static str {
        match self {
            Self::Glibc => "glibc",
            Self::Musl => "musl",
            Self::None => "no C library",
        }
    }
}

/// Official images that are Alpine whatever the tag says.
const ALPINE: [&str; 2] = ["alpine", "docker"];

/// The C library of an image, where its name says so.
pub(in super::super) fn libc(name: &ImageName) -> Option<Libc> {
    let tag = name.tag.as_deref().unwrap_or_default();
    if let Some(image) = distroless(name) {
        let is_static = image.starts_with("static");
        return Some(if is_static { Libc::None } else { Libc::Glibc });
    }
    if name.registry == "cgr.dev" {
        let is_static = name.repository.ends_with("/static");
        return Some(if is_static { Libc::None } else { Libc::Glibc });
    }
    if tag.contains("alpine") || tag.contains("musl") || name.repository.contains("alpine") {
        return Some(Libc::Musl);
    }
    let image = official(name)?;
    if ALPINE.contains(&image) {
        return Some(Libc::Musl);
    }
    match image {
        "busybox" if tag.contains("glibc") => Some(Libc::Glibc),
        "busybox" | "hello-world" => None,
        _ => Some(Libc::Glibc),
    }
}

/// What an image brings that only a build needs; `None` for images made to run things.
pub(in super::super) fn builder(name: &ImageName) -> Option<&'static str> {
    let tag = name.tag.as_deref().unwrap_or_default();
    if name.registry == "mcr.microsoft.com" {
        return (name.repository == "dotnet/sdk").then_some("the .NET SDK");
    }
    match official(name)? {
        "golang" => Some("the Go compiler"),
        "rust" => Some("the Rust compiler"),
        "gcc" => Some("a C compiler"),
        "maven" => Some("Maven and a JDK"),
        "gradle" => Some("Gradle and a JDK"),
        "swift" if !tag.contains("slim") => Some("the Swift compiler"),
        "haskell" => Some("the Haskell compiler"),
        "dart" => Some("the Dart SDK"),
        "composer" => Some("Composer"),
        "eclipse-temurin" | "openjdk" | "ibm-semeru-runtimes" | "sapmachine"
            if !tag.contains("jre") =>
        {
            Some("a JDK")
        }
        "buildpack-deps" if !tag.contains("curl") && !tag.contains("scm") => {
            Some("compilers and headers")
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(text: &str) -> ImageName {
        ImageName::parse(text).expect("a reference")
    }

    #[test]
    fn versions_are_read_from_names() {
        for (text, wanted) in [
            ("python:3.13-slim", Some((Language::Python, "3.13"))),
            ("python:3", None),
            ("node:22.11-alpine", Some((Language::Node, "22"))),
            (
                "gcr.io/distroless/python3-debian12",
                Some((Language::Python, "3.11")),
            ),
            (
                "gcr.io/distroless/nodejs22-debian13:nonroot",
                Some((Language::Node, "22")),
            ),
            (
                "gcr.io/distroless/java21-debian13",
                Some((Language::Java, "21")),
            ),
            ("gcr.io/distroless/java-base-debian13", None),
            (
                "maven:3.9-eclipse-temurin-21-alpine",
                Some((Language::Java, "21")),
            ),
            ("gradle:8.10-jdk17", Some((Language::Java, "17"))),
            ("eclipse-temurin:21-jre", Some((Language::Java, "21"))),
            (
                "mcr.microsoft.com/dotnet/sdk:9.0",
                Some((Language::DotNet, "9")),
            ),
            ("debian:13", None),
        ] {
            let found = runtime(&name(text)).map(|one| (one.language, one.shown()));
            let wanted = wanted.map(|(language, version)| (language, version.to_owned()));
            assert_eq!(found, wanted, "{text}");
        }
    }

    #[test]
    fn an_older_class_runs_on_a_newer_machine() {
        let java = |text| runtime(&name(text)).expect("java");
        let (old, new) = (java("eclipse-temurin:17"), java("eclipse-temurin:21"));
        assert!(new.clashes_with(&old) && !old.clashes_with(&new));
    }

    #[test]
    fn the_c_library_is_read_from_names() {
        for (text, wanted) in [
            ("alpine:3.22", Some(Libc::Musl)),
            ("node:22-alpine", Some(Libc::Musl)),
            ("debian:13", Some(Libc::Glibc)),
            ("gcr.io/distroless/static-debian13", Some(Libc::None)),
            ("gcr.io/distroless/cc-debian13", Some(Libc::Glibc)),
            ("busybox:1", None),
            ("corp.example/base:1", None),
        ] {
            assert_eq!(libc(&name(text)), wanted, "{text}");
        }
    }
}
