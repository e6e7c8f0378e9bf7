//! What the `/bin/sh` of well-known images can do, by their names alone.

use super::super::super::reference::ImageName;
use super::Libc;
use super::libc;
use super::official;

/// Releases of Debian and Ubuntu whose `dash` is older than 0.5.12-7, which learned `pipefail`.
const WITHOUT: [&str; 15] = [
    "jessie", "stretch", "buster", "bullseye", "bookworm", "trusty", "xenial", "bionic", "focal",
    "jammy", "kinetic", "lunar", "mantic", "noble", "precise",
];

/// Releases whose `dash` knows it.
const WITH: [&str; 7] = [
    "trixie", "forky", "sid", "oracular", "plucky", "questing", "resolute",
];

/// Official images whose `/bin/sh` is `bash`.
const BASH: [&str; 8] = [
    "almalinux",
    "amazonlinux",
    "archlinux",
    "centos",
    "fedora",
    "oraclelinux",
    "photon",
    "rockylinux",
];

/// Whether the `/bin/sh` of an image knows `set -o pipefail`; `None` where its name does not say.
pub(in super::super) fn knows_pipefail(name: &ImageName) -> Option<bool> {
    if libc(name) == Some(Libc::Musl) {
        return Some(true);
    }
    let is_dotnet = name.registry == "mcr.microsoft.com" && name.repository.starts_with("dotnet/");
    let image = official(name);
    if image.is_none() && !is_dotnet {
        return None;
    }
    let tag = name.tag.as_deref().unwrap_or_default();
    let mut words = tag.split(['-', '_']);
    if image.is_some_and(|image| BASH.contains(&image)) {
        return Some(true);
    }
    let mut numbers = words
        .clone()
        .next()
        .unwrap_or_default()
        .split('.')
        .map(|part| part.parse::<u32>().ok());
    let version = (numbers.next().flatten(), numbers.next().flatten());
    match (image, version) {
        (Some("debian"), (Some(major), _)) => Some(major >= 13),
        (Some("ubuntu"), (Some(year), Some(month))) => Some((year, month) >= (24, 10)),
        _ => words.find_map(|word| match word {
            word if WITHOUT.contains(&word) => Some(false),
            word if WITH.contains(&word) => Some(true),
            _ => None,
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_known_whose_sh_fails_with_the_first_of_a_pipe() {
        for (text, wanted) in [
            ("alpine:3.22", Some(true)),
            ("node:22-alpine", Some(true)),
            ("debian:12-slim", Some(false)),
            ("debian:13-slim", Some(true)),
            ("debian:bookworm-20250101-slim", Some(false)),
            ("debian:stable", None),
            ("debian", None),
            ("ubuntu:24.04", Some(false)),
            ("ubuntu:25.10", Some(true)),
            ("python:3.13-slim-bookworm", Some(false)),
            ("python:3.13-slim", None),
            (
                "mcr.microsoft.com/dotnet/sdk:9.0-bookworm-slim",
                Some(false),
            ),
            ("fedora:42", Some(true)),
            ("registry.corp.example/base:bookworm", None),
        ] {
            let name = ImageName::parse(text).expect("a reference");
            assert_eq!(knows_pipefail(&name), wanted, "{text}");
        }
    }
}
