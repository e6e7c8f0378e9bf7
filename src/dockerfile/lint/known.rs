//! What is known of well-known images without looking into them.

mod ended;
mod posix;
mod runtime;

use super::super::reference::ImageName;
pub(super) use ended::ended;
pub(super) use posix::knows_pipefail;
pub(super) use runtime::Language;
pub(super) use runtime::Libc;
pub(super) use runtime::builder;
pub(super) use runtime::libc;
pub(super) use runtime::runtime;

/// Who runs an image's containers where the Dockerfile does not say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum DefaultUser {
    /// Root.
    Root,
    /// Somebody else.
    Other,
    /// Nobody here knows.
    Unknown,
}

/// Official images of Docker Hub that do not start as root.
const OFFICIAL_OTHER: [&str; 14] = [
    "arangodb",
    "cassandra-reaper",
    "couchbase",
    "elasticsearch",
    "haproxy",
    "hitch",
    "jetty",
    "kibana",
    "logstash",
    "memcached",
    "rocket.chat",
    "solr",
    "sonarqube",
    "varnish",
];

/// Others that do not start as root, with everything below the name.
const OTHER: [&str; 13] = [
    "docker.io/bitnami",
    "docker.io/bitnamilegacy",
    "docker.io/bitnamisecure",
    "docker.io/chainguard",
    "cgr.dev",
    "docker.io/nginxinc/nginx-unprivileged",
    "docker.io/jenkins",
    "docker.io/grafana",
    "docker.io/prom",
    "docker.io/keycloak",
    "quay.io/keycloak",
    "quay.io/prometheus",
    "dhi.io",
];

/// Others that start as root, with everything below the name.
const ROOT: [&str; 9] = [
    "gcr.io/distroless",
    "mcr.microsoft.com/devcontainers",
    "mcr.microsoft.com/playwright",
    "docker.io/nvidia",
    "docker.io/amd64",
    "docker.io/arm64v8",
    "docker.io/oven",
    "docker.io/denoland",
    "public.ecr.aws/docker/library",
];

/// Official images that start as root, and whose own entrypoint starts the server as somebody else.
const DROPS: [&str; 10] = [
    "mariadb",
    "mongo",
    "mysql",
    "nats-streaming",
    "percona",
    "postgres",
    "rabbitmq",
    "redis",
    "valkey",
    "zookeeper",
];

/// Whether a name is `prefix` or lies below it.
fn is_below(name: &ImageName, prefix: &str) -> bool {
    let whole = format!("{}/{}", name.registry, name.repository);
    whole
        .strip_prefix(prefix)
        .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// The name of an official image: `python` for `docker.io/library/python`, and for the same image
/// from the usual mirrors.
pub(super) fn official(name: &ImageName) -> Option<&str> {
    match name.registry.as_str() {
        "docker.io" => name.repository.strip_prefix("library/"),
        "public.ecr.aws" => name.repository.strip_prefix("docker/library/"),
        "mirror.gcr.io" => name.repository.strip_prefix("library/"),
        _ => None,
    }
}

/// The name of a distroless image: `python3-debian13`.
pub(super) fn distroless(name: &ImageName) -> Option<&str> {
    (name.registry == "gcr.io")
        .then(|| name.repository.strip_prefix("distroless/"))
        .flatten()
}

/// Whether an image holds Windows.
pub(super) fn is_windows(name: &ImageName) -> bool {
    let repository = name.repository.as_str();
    let tag = name.tag.as_deref().unwrap_or_default();
    let words = ["nanoserver", "servercore", "windows"];
    words
        .iter()
        .any(|word| repository.contains(word) || tag.contains(word))
        || repository.starts_with("dotnet/framework")
}

/// Who runs an image's containers where the Dockerfile does not say.
pub(super) fn default_user(name: &ImageName) -> DefaultUser {
    let tag = name.tag.as_deref().unwrap_or_default();
    if tag.contains("nonroot") || tag.contains("rootless") || tag.contains("unprivileged") {
        return DefaultUser::Other;
    }
    if is_windows(name) || OTHER.iter().any(|prefix| is_below(name, prefix)) {
        return DefaultUser::Other;
    }
    if let Some(official) = official(name) {
        return if OFFICIAL_OTHER.contains(&official) {
            DefaultUser::Other
        } else {
            DefaultUser::Root
        };
    }
    if name.registry == "mcr.microsoft.com" && name.repository.starts_with("dotnet/") {
        return if tag.contains("chiseled") || tag.contains("distroless") {
            DefaultUser::Other
        } else {
            DefaultUser::Root
        };
    }
    if ROOT.iter().any(|prefix| is_below(name, prefix)) {
        return DefaultUser::Root;
    }
    DefaultUser::Unknown
}

/// Whether an image's own entrypoint gives root up before it starts its server.
pub(super) fn drops_root(name: &ImageName) -> bool {
    official(name).is_some_and(|name| DROPS.contains(&name))
}

/// The program that an image's entrypoint runs, with what it is given, where that is an
/// interpreter: `CMD` is then its list of arguments.
pub(super) fn interpreter(name: &ImageName) -> Option<&'static [&'static str]> {
    let (image, known) = match (distroless(name), name.registry.as_str()) {
        (Some(image), _) => (image, true),
        (None, "cgr.dev") => {
            let image = name.repository.strip_prefix("chainguard/");
            (image.unwrap_or_default(), true)
        }
        (None, _) => ("", false),
    };
    if !known {
        return None;
    }
    if image.starts_with("python") {
        Some(&["python3"])
    } else if image.starts_with("nodejs") || image == "node" {
        Some(&["node"])
    } else if image.starts_with("java") && !image.starts_with("java-base") {
        Some(&["java", "-jar"])
    } else if image == "jre" || image == "jdk" {
        Some(&["java"])
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(text: &str) -> ImageName {
        ImageName::parse(text).expect("a reference")
    }

    #[test]
    fn it_is_known_who_runs_an_image() {
        for (text, user) in [
            ("python:3.13", DefaultUser::Root),
            ("public.ecr.aws/docker/library/node:22", DefaultUser::Root),
            ("elasticsearch:8", DefaultUser::Other),
            ("gcr.io/distroless/static-debian13", DefaultUser::Root),
            (
                "gcr.io/distroless/static-debian13:nonroot",
                DefaultUser::Other,
            ),
            ("cgr.dev/chainguard/python", DefaultUser::Other),
            ("docker.io/bitnami/redis:7", DefaultUser::Other),
            ("bitnamix/redis:7", DefaultUser::Unknown),
            ("mcr.microsoft.com/dotnet/aspnet:9.0", DefaultUser::Root),
            (
                "mcr.microsoft.com/dotnet/aspnet:9.0-noble-chiseled",
                DefaultUser::Other,
            ),
            ("registry.corp.example/base:1", DefaultUser::Unknown),
            (
                "mcr.microsoft.com/windows/nanoserver:ltsc2022",
                DefaultUser::Other,
            ),
        ] {
            assert_eq!(default_user(&name(text)), user, "{text}");
        }
    }

    #[test]
    fn it_is_known_which_images_start_an_interpreter() {
        let found = |text| interpreter(&name(text));
        assert_eq!(
            found("gcr.io/distroless/python3-debian13"),
            Some(&["python3"][..])
        );
        assert_eq!(
            found("gcr.io/distroless/java21-debian13"),
            Some(&["java", "-jar"][..])
        );
        assert_eq!(found("gcr.io/distroless/java-base-debian13"), None);
        assert_eq!(found("gcr.io/distroless/static"), None);
        assert_eq!(found("python:3.13"), None);
    }
}
